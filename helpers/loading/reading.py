"""The reader's file as a table of text, with its own row numbers, so that a refusal can point."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from helpers.loading.cells import NUMBER, restored
from helpers.loading.formats import Stated, read_rows
from helpers.loading.names import CONTROL, visible
from helpers.loading.problems import Problems

# "None" and "null" are not here: an arm may well be called None. The words in brackets and the
# dashes are those of cBioPortal and of the Genomic Data Commons.
MISSING = frozenset(
    {"", ".", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "--", "[Not Available]",
     "[Not Applicable]", "[Not Evaluated]", "[Unknown]", "[Discrepancy]"}
)  # fmt: skip
COMMA = re.compile(r"[+-]?\d+,\d+")
POINT = re.compile(r"[+-]?\d+\.\d+")


class Table(NamedTuple):
    """What a file holds, as text.

    `frame` is NaN where a cell is empty, its index the row in the file less 2, so that empty rows
    count; `labels` are names in words, `repeated` names that stand more than once and what they
    are called here, `decimal` is the mark of decimals, `said` what was detected.
    """

    frame: pd.DataFrame
    labels: dict[str, str]
    repeated: dict[str, list[str]]
    decimal: str
    said: list[str]


def read_bytes(path: Path, problems: Problems, where: str) -> bytes | None:
    """What stands in a file, or None and the reason."""
    try:
        if path.is_dir():
            problems.add(where, "a folder", "name a file")
            return None
        return path.read_bytes()
    except FileNotFoundError:
        problems.add(
            where,
            f"no file at {path}",
            "check the path; a relative one counts from the repository root",
        )
    except (OSError, ValueError) as error:  # no permission; a name that no file can have
        reason = getattr(error, "strerror", None) or error
        problems.add(where, f"a file that cannot be read ({reason})", "check the path and rights")
    return None


def tidied(cell: str) -> str:
    """A cell as it is read: without spaces around it, hidden characters written out."""
    if cell.isascii() and cell.replace(".", "").isalnum():  # nearly all: nothing to do
        return cell
    text = visible(cell.strip().replace("\r\n", "\n"), CONTROL)
    return restored(text).strip()


def repairs(cell: str) -> Iterator[str]:
    """What was done to a cell that changes a name, in words."""
    text = cell.strip()
    if text != cell and text and not NUMBER.fullmatch(text):
        yield "spaces around it, read without them"
    if CONTROL.search(text.replace("\r\n", "\n")):
        yield "control characters in it, written out as \\u001b is"


def without_missing(values):
    """A column or a frame of texts without those that stand for a missing value."""
    return values.mask(values.isin(MISSING))


def tidy(rows: list[list[str]], header: list[str], problems: Problems) -> list[list[str]]:
    """Every cell tidied; what changed a name becomes a remark."""
    changed: Counter[tuple[int, str]] = Counter()  # column and what was done: how many values
    made = []
    for row in rows:
        cells = [tidied(cell) for cell in row]
        if cells != row:
            changed.update((k, how) for k, cell in enumerate(row) for how in repairs(cell))
        made.append(cells)
    for (k, how), count in changed.items():
        if k < len(header):
            problems.remark(header[k], count, how)
    return made


def read_table(path: Path, stated: Stated, problems: Problems) -> Table | None:
    """The file as text, or None when it cannot be laid out in columns.

    Columns without a name are left out: nothing can be said about them, and R and pandas write one
    for their row names.
    """
    data = read_bytes(path, problems, "file")
    found = read_rows(data, stated, problems) if data is not None else None
    if found is None:
        return None
    problems.header = found.first
    header = [tidied(name) for name in found.header]
    if not any(header):
        return problems.add("file", f"an empty row {found.first}, where names should stand",
                            "put the column names in row 1")  # fmt: skip
    below, start = tidy(found.below, header, problems), found.first - 1
    filled = {i + start: row for i, row in enumerate(below) if any(row)}
    if not filled:
        return problems.add("file", "a header and no rows", "give one row per patient")
    wide = len(header)
    if found.separator == "\t":  # programs that write tabs leave out those at the end of a row
        early = {i for i, row in filled.items() if len(row) < wide}
        filled = {i: row + [""] * (wide - len(row)) for i, row in filled.items()}
        if early:
            found.said.append(f"rows that end early: {len(early)}; what they lack is missing")
    uneven = {
        i: f"{len(row)} values"
        for i, row in filled.items()
        if len(row) < wide or any(row[wide:])  # a comma too many at the end does no harm
    }
    if uneven:
        problems.add_rows(
            "file", pd.Series(uneven, dtype=object), f"the header has {wide} names",
            f"give every row {wide} values, and put a value that contains a comma in quotes",
        )  # fmt: skip
        return None
    names, repeated = once_each(header)
    values = [[v or float("nan") for v in row[:wide]] for row in filled.values()]
    frame = pd.DataFrame(values, index=list(filled), columns=names, dtype=object)
    frame = frame.loc[:, [name for name in names if name]]
    decimal = stated.decimal or told_decimal(frame, found.separator, found.said, problems)
    labels = {name: text for name, text in zip(names, found.header, strict=True) if name}
    labels = {name: found.labels.get(old, "") for name, old in labels.items()}
    return Table(frame, labels, repeated, decimal, found.said)


def once_each(header: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Names that stand more than once, numbered: "Complete? (1)", "Complete? (2)"."""
    times, seen = Counter(filter(None, header)), Counter()
    names, repeated = [], {}
    for name in header:
        if times[name] < 2:
            names.append(name)
            continue
        seen[name] += 1
        names.append(f"{name} ({seen[name]})")
        repeated.setdefault(name, []).append(names[-1])
    return names, repeated


def told_decimal(frame: pd.DataFrame, separator: str, said: list[str], problems: Problems) -> str:
    """The mark of decimals that the numbers tell; only where commas do not separate values."""
    if separator in (",", ""):
        return "."
    cells = frame.to_numpy().ravel()
    texts = [cell for cell in cells if isinstance(cell, str)]
    commas = [text for text in texts if COMMA.fullmatch(text)]
    if not commas:
        return "."
    points = [text for text in texts if POINT.fullmatch(text)]
    if points:
        problems.add("file", f"both {commas[0]} and {points[0]}", "say which is the mark of "
                     "decimals: 'file: {decimal: \",\"}' in the mapping")  # fmt: skip
    elif all(re.fullmatch(r"[+-]?\d{1,3},\d{3}", text) for text in commas):
        found = f"{commas[0]}, which may be thousands or decimals"
        problems.add("file", found, "say which: 'file: {decimal: \",\"}' or 'file: {decimal: "
                     "\".\"}' in the mapping")  # fmt: skip
    said.append("decimals are written with a comma (file: decimal)")
    return ","


def to_numbers(values: pd.Series, decimal: str = ".") -> pd.Series:
    """Texts as numbers, NaN where they are none."""
    if decimal == ",":  # 1.234,5 has points between its thousands, and 12.5 is no number
        whole = values.str.fullmatch(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?([eE][+-]?\d+)?")
        points = values.where(whole == True)  # noqa: E712, missing stays so
        values = points.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    return numbers.where(numbers.abs() != float("inf"))
