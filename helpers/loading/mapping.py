"""The mapping file: how a reader's columns and codes become ours."""

import codecs
import re
from dataclasses import dataclass, field, fields
from pathlib import Path

import yaml
from yaml.constructor import ConstructorError

from helpers.conventions import DAYS_PER
from helpers.loading.cells import restored
from helpers.loading.excluding import check_exclude
from helpers.loading.formats import SEPARATORS, Stated
from helpers.loading.names import CONTROL, visible
from helpers.loading.problems import Problems, short
from helpers.loading.reading import read_bytes
from helpers.loading.times import check_times

STATUSES = ("real, published", "synthetic", "private")
FACTOR_KEYS = ("label", "unit", "type", "known_at")
TABLES = {
    "columns": "'our name: name in the file' lines",
    "labels": "'name: label' lines",
    "recode": "'column: {old: new}' lines",
    "factors": "'column: {label: ..., unit: ...}' lines",
    "file": "'separator: \";\"' or other keys of the file",
    "times": "'os: {start: ..., event: ..., last: ...}' lines",
    "order": "'column: [first, second, ...]' lines",
}


@dataclass(frozen=True)
class Mapping:
    """How a file's columns and codes become ours; see data/README.md for every key."""

    name: str = "Reader's cohort"
    status: str = "private"
    time_unit: str = "days"
    columns: dict = field(default_factory=dict)
    labels: dict = field(default_factory=dict)
    recode: dict = field(default_factory=dict)
    reference_arm: str | None = None
    factors: dict = field(default_factory=dict)
    ignore: tuple = ()
    mask_below: int = 5
    about: str = ""
    time_zero: str = "time zero"
    file: Stated = field(default_factory=Stated)
    missing: tuple = ()
    exclude: tuple = ()
    times: dict = field(default_factory=dict)
    date_format: str | None = None
    order: dict = field(default_factory=dict)
    one_row_per: str | None = None

    @classmethod
    def standard(cls, path: Path, *, is_paper: bool) -> "Mapping":
        """The mapping of a file that already has the standard names, in days."""
        if is_paper:
            return cls(
                "calibrated to published summaries",
                "synthetic",
                reference_arm="non-CAR-T",
                mask_below=0,
                about="93 rows found by search so that they print every number of the study's "
                "abstract and of a press article that can be met; no row is a patient.",
                time_zero="infusion or first salvage dose",
            )
        return cls(name=visible(" ".join(path.stem.split()), CONTROL))


def as_read(text: str) -> str:
    """A text of the mapping as a cell of the CSV would be read."""
    return restored(visible(text, CONTROL))


class TextLoader(yaml.BaseLoader):
    """YAML in which every value is the text that stands there, or None for an unquoted null.

    Plain YAML reads no as false, 010 as 8 and 12:30 as 750, and keeps the last of two equal
    keys without a word; codes and arm names must not change that way. They are read as the
    cells of the CSV are, but for spaces around them.
    """

    def construct_scalar(self, node):
        plain_null = node.style is None and node.value in ("", "~", "null", "Null", "NULL")
        return None if plain_null else as_read(super().construct_scalar(node))

    def construct_mapping(self, node, deep=False):
        table = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ConstructorError(None, None, "a list as a name", key.start_mark)
            name = as_read(key.value)
            if name in table:
                raise ConstructorError(None, None, f"{name!r} twice", key.start_mark)
            table[name] = self.construct_object(value, deep=True)
        return table


def code_text(text: str) -> str:
    """A code such that 1, 1.0 and "1" are the same one; 01 and 1.5 stay as they are."""
    text = text.strip()
    return text.partition(".")[0] if re.fullmatch(r"-?(0|[1-9][0-9]*)(\.0*)?", text) else text


def read_yaml(path: Path, problems: Problems) -> dict | None:
    """The keys of a mapping file, or None and the reason."""
    data = read_bytes(path, problems, "mapping")
    if data is None:
        return None
    try:
        given = yaml.load(data.decode("utf-8-sig"), TextLoader)  # a safe loader: text only
    except UnicodeDecodeError:
        return problems.add("mapping", "not text in UTF-8", "give a YAML file saved as UTF-8")
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        why = f" ({error.problem})" if getattr(error, "problem", None) else ""
        return problems.add(
            f"mapping{where}", f"text that cannot be read as YAML{why}",
            "write 'key: value' lines, each key once; check colons, quotes and indentation",
        )  # fmt: skip
    if isinstance(given, dict):
        return given
    return problems.add("mapping", "no keys", "write 'key: value' lines, as in data/examples")


def read_mapping(path: Path, problems: Problems) -> Mapping | None:
    """Read a mapping file; unknown keys and wrong kinds are refused."""
    given, before = read_yaml(path, problems), len(problems.found)
    if given is None:
        return None
    known = [field.name for field in fields(Mapping)]
    for key, value in given.items():
        where = f"mapping, {key}"
        if key not in known:
            problems.add("mapping", f"unknown key {key!r}", f"use only {', '.join(known)}")
        elif key in TABLES:
            if not isinstance(value, dict | None):
                problems.add(where, short(value), f"give {TABLES[key]}")
        elif key == "exclude":
            check_exclude(value, problems)
        elif key in ("ignore", "missing"):
            if value is not None and not is_list_of_names(value):
                problems.add(where, short(value), "give a list, as in [a, b]")
        elif not isinstance(value, str) or not value.strip():
            problems.add(where, short(value), "give one value, or leave the line out")
        elif key == "mask_below" and not re.fullmatch("0|[2-9]|[1-9][0-9]{1,5}", value):
            problems.add(where, repr(value), "give a whole number from 2, or 0 for no masking")
        elif key == "status" and value not in STATUSES:
            problems.add(where, repr(value), f"use one of: {'; '.join(STATUSES)}")
        elif key == "time_unit" and value not in DAYS_PER:
            problems.add(where, repr(value), f"use {', '.join(DAYS_PER)}")
    if len(problems.found) == before:
        check_tables(given, problems)
    if len(problems.found) > before:
        return None
    given = {key: value for key, value in given.items() if value is not None}
    given["mask_below"] = int(given.get("mask_below", Mapping.mask_below))
    given["name"] = " ".join(given.get("name", Mapping.name).split())
    given["file"] = Stated(**given.get("file", {}))
    if given["file"].header_row:
        given["file"] = given["file"]._replace(header_row=int(given["file"].header_row))
    if "reference_arm" in given:
        given["reference_arm"] = code_text(given["reference_arm"])
    return Mapping(**given)


def check_file(given: dict, problems: Problems) -> None:
    """Check what stands under `file`, and call a separator by its sign."""
    names = {name: sign for sign, name in SEPARATORS.items()} | {"\\t": "\t"}
    for key, value in given.items():
        where = f"mapping, file {key}"
        if key not in Stated._fields:
            problems.add("mapping, file", f"unknown key {key!r}",
                         f"use only {', '.join(Stated._fields)}")  # fmt: skip
        elif not isinstance(value, str) or not value:
            problems.add(where, short(value), "give one value, or leave the line out")
        elif key == "separator":
            given[key] = names.get(value, value)
            if given[key] not in SEPARATORS:
                problems.add(where, repr(value), f"use {', '.join(SEPARATORS.values())}")
        elif key == "decimal" and value not in (",", "."):
            problems.add(where, repr(value), 'use "," or "."')
        elif key == "header_row" and not re.fullmatch("[1-9][0-9]{0,3}", value):
            problems.add(where, repr(value), "give the number of a row, from 1")
        elif key == "encoding":
            try:
                codecs.lookup(value)
            except LookupError:
                problems.add(where, repr(value), "use utf-8, cp1252, mac_roman, latin-1 or utf-16")


def is_list_of_names(value) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def check_tables(given: dict, problems: Problems) -> None:
    """Check what stands inside the tables."""
    check_file(given.get("file") or {}, problems)
    check_times(given.get("times") or {}, problems)
    for column, levels in (given.get("order") or {}).items():
        if not is_list_of_names(levels) or len(set(levels)) < len(levels) or not levels:
            problems.add(f"mapping, order {column}", short(levels),
                         "give its levels in order, each once, as in [I, II, III]")  # fmt: skip
    for key in ("columns", "labels"):
        for name, value in (given.get(key) or {}).items():
            if not isinstance(value, str) or not value.strip():
                problems.add(f"mapping, {key} {name}", short(value), f"give {TABLES[key]}")
    for column, codes in (given.get("recode") or {}).items():
        where = f"mapping, recode {column}"
        if column == "patient_id":
            problems.add(where, "ids under new names", "leave ids as they are")
        elif not isinstance(codes, dict) or any(isinstance(c, dict | list) for c in codes.values()):
            problems.add(where, short(codes), "give {old: new} pairs; null makes a value missing")
        elif "" in codes:
            problems.add(where, "a code for empty cells", "write a word in the file, or take it "
                         "out here")  # fmt: skip
        elif len({code_text(old) for old in codes}) < len(codes):
            problems.add(where, f"the same code twice in {short(', '.join(codes))}", "name it once")
    for column, about in (given.get("factors") or {}).items():
        where = f"mapping, factors {column}"
        if not isinstance(about, dict):
            problems.add(where, short(about), f"give {TABLES['factors']}")
            continue
        for key, value in about.items():
            if key not in FACTOR_KEYS:
                problems.add(where, f"unknown key {key!r}", f"use only {', '.join(FACTOR_KEYS)}")
            elif key == "known_at":
                if value is not None and not re.fullmatch(r"[0-9]{1,5}(\.[0-9]*)?", str(value)):
                    problems.add(where, f"known_at {short(value)}",
                                 "give days after time zero, or null for no fixed day")  # fmt: skip
            elif not isinstance(value, str) or not value.strip():
                problems.add(where, f"{key} {short(value)}", "give text")
            elif key == "type" and value not in ("number", "category"):
                problems.add(where, f"type {value!r}", "use number or category")
