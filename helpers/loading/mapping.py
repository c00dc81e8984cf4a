"""The mapping file: how a reader's columns and codes become ours."""

from dataclasses import dataclass, field, fields
from pathlib import Path

import yaml

from helpers.conventions import DAYS_PER
from helpers.loading.problems import Problems

STATUSES = ("real, published", "synthetic", "private")
FACTOR_KEYS = {"label", "unit", "type", "known_at"}


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
    file: str = ""

    @classmethod
    def standard(cls, path: Path, *, is_paper: bool) -> "Mapping":
        """The mapping of a file that already has the standard names, in days."""
        if is_paper:
            return cls("Synthetic cohort", "synthetic", reference_arm="non-CAR-T", mask_below=0)
        return cls(name=path.stem)


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file; unknown keys and wrong kinds are refused.

    Raises
    ------
    CohortError
    """
    problems = Problems(path.name)
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.stop("mapping", f"no file at {path}", "check the path")
    except (UnicodeDecodeError, IsADirectoryError):
        problems.stop("mapping", "not a text file in UTF-8", "give a YAML file saved as UTF-8")
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        problems.stop("mapping", f"text that is not YAML{line}", "check colons and indentation")
    if not isinstance(given, dict):
        problems.stop("mapping", "no keys", "write 'key: value' lines, as in data/examples")
    known = [f.name for f in fields(Mapping) if f.name != "file"]
    for key in given.keys() - set(known):
        problems.add("mapping", f"unknown key {key!r}", f"use only {', '.join(known)}")
    given = {k: v for k, v in given.items() if k in known and v is not None}

    def expect(key: str, kinds, what: str) -> None:
        if key in given and (not isinstance(given[key], kinds) or isinstance(given[key], bool)):
            problems.add(f"mapping, {key}", repr(given.pop(key)), f"give {what}")

    for key in ("columns", "labels", "recode", "factors"):
        expect(key, dict, "a list of 'name: value' lines")
    for key in ("name", "status", "time_unit", "reference_arm"):
        expect(key, str, "text (YAML reads yes, no and bare numbers as something else: quote them)")
    expect("ignore", list, "a list of column names")
    expect("mask_below", int, "a whole number, 0 for no masking")
    if given.get("mask_below", 0) < 0:
        problems.add("mapping, mask_below", str(given["mask_below"]), "give 0 or more")
    if given.get("status", "private") not in STATUSES:
        problems.add("mapping, status", repr(given["status"]), f"use one of {'; '.join(STATUSES)}")
    if given.get("time_unit", "days") not in DAYS_PER:
        problems.add("mapping, time_unit", repr(given["time_unit"]), f"use {', '.join(DAYS_PER)}")
    for column, codes in given.get("recode", {}).items():
        if not isinstance(codes, dict):
            problems.add(f"mapping, recode {column}", repr(codes), "give {old: new} pairs")
        elif any(isinstance(code, bool) for pair in codes.items() for code in pair):
            problems.add(
                f"mapping, recode {column}",
                "yes, no, on or off, which YAML reads as true or false",
                "put these words in quotes",
            )
    for column, about in given.get("factors", {}).items():
        unknown = set(about) - FACTOR_KEYS if isinstance(about, dict) else {repr(about)}
        if unknown:
            problems.add(
                f"mapping, factors {column}",
                f"unknown {', '.join(sorted(unknown))}",
                f"use only {', '.join(sorted(FACTOR_KEYS))}",
            )
        elif about.get("type", "number") not in ("number", "category"):
            problems.add(
                f"mapping, factors {column}", f"type {about['type']!r}", "use number or category"
            )
    problems.raise_if_any()
    return Mapping(**given, file=path.name)
