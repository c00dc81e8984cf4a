"""The reader's CSV as text, with its own row numbers, so that a refusal can point and quote."""

import csv
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pandas as pd

from helpers.loading.cells import NUMBER, restored
from helpers.loading.names import CONTROL, visible
from helpers.loading.problems import Problems

# "None" and "null" are not here: an arm may well be called None.
MISSING = frozenset({"", ".", "NA", "N/A", "#N/A", "NaN", "nan"})

NOT_TEXT = {
    b"PK\x03\x04": "an Excel workbook (or another zip file)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"\x1f\x8b": "a compressed file (gzip, which R's .rds files are too)",
    b"\xfd7zXZ": "a compressed file (xz)",
    b"$FL2": "an SPSS file",
    b"<stata_dta>": "a Stata file",
    b"%PDF": "a PDF",
}


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


def decoded(data: bytes, problems: Problems) -> str | None:
    """The text of a file, or None and what the file is instead."""
    remedy = "save it as 'CSV UTF-8 (comma delimited)'"
    for start, what in NOT_TEXT.items():
        if data.startswith(start):
            packed = what.startswith("a compressed")
            return problems.add("file", what, f"unpack it, and {remedy}" if packed else remedy)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        what = f"a character in line {line} that is not UTF-8 (another encoding?)"
        return problems.add("file", what, remedy)
    if "\0" in text:
        return problems.add("file", "zero bytes (UTF-16 text, or a damaged file?)", remedy)
    return text


def tidied(cell: str) -> str:
    """A cell as it is read: without spaces around it, hidden characters written out."""
    text = visible(cell.strip().replace("\r\n", "\n"), CONTROL)
    return restored(text).strip()


def repairs(cell: str) -> Iterator[str]:
    """What was done to a cell that changes a name, in words."""
    text = cell.strip()
    if text != cell and text and not NUMBER.fullmatch(text):
        yield "spaces around it, read without them"
    if CONTROL.search(text.replace("\r\n", "\n")):
        yield "control characters in it, written out as \\u001b is"


def records(text: str, problems: Problems) -> list[list[str]] | None:
    """Every row as a list of values, empty rows included, or None and why it cannot be split."""
    rows: list[list[str]] = []
    changed: Counter[tuple[int, str]] = Counter()  # column and what was done: how many values
    try:
        reader = csv.reader(StringIO(text, newline=""), strict=True, skipinitialspace=True)
        for row in reader:
            tidy = [tidied(cell) for cell in row]
            if rows and tidy != row:
                changed.update((k, how) for k, cell in enumerate(row) for how in repairs(cell))
            rows.append(tidy)
    except csv.Error as error:
        return problems.add(f"file, row {len(rows) + 1}", *not_split(error, text))
    for (k, how), count in changed.items():
        if k < len(rows[0]):
            problems.remark(rows[0][k], count, how)
    if not any(map(any, rows)):
        return problems.add("file", "nothing in it", "give a header and one row per patient")
    header = rows[0]
    if len(header) < 3 and (marks := [m for m in ";\t|" if m in "".join(header)]):
        what = "values separated by " + ("tabs" if marks[0] == "\t" else f"'{marks[0]}'")
        return problems.add("file", what, "separate values by commas, and decimals by a point")
    if not any(header):
        return problems.add("file", "an empty first row", "put the column names in row 1")
    return rows


def not_split(error: csv.Error, text: str) -> tuple[str, str]:
    """Why a row cannot be split into values, and what to do."""
    pair = "close each quoted value, and double a quotation mark inside one"
    if "field limit" not in str(error):
        return f"quotation marks that do not pair ({error})", pair
    found = f"a value of more than {csv.field_size_limit():,} characters"
    if '"' not in text:
        return found, "shorten it, or remove the column"
    return found, f"shorten it, or remove the column; or a quoted value does not end: {pair}"


def without_missing(values):
    """A column or a frame of texts without those that stand for a missing value."""
    return values.mask(values.isin(MISSING))


def read_text_frame(path: Path, problems: Problems) -> pd.DataFrame | None:
    """The CSV as text, NaN where a cell is empty; None when it cannot be laid out in columns.

    The index is the row in the file less 2, so that the first row below the header is 0 and
    empty rows, which are left out, still count. Columns without a name are left out: nothing
    can be said about them, and R and pandas write one for their row names.
    """
    data = read_bytes(path, problems, "file")
    text = decoded(data, problems) if data is not None else None
    rows = records(text, problems) if text is not None else None
    if rows is None:
        return None
    before, (header, *rows) = len(problems.found), rows
    for name, times in Counter(filter(None, header)).items():
        if times > 1:
            problems.add("file", f"the column name {name!r} {times} times",
                         "give each column its own name")  # fmt: skip
    filled = {i: row for i, row in enumerate(rows) if any(row)}
    if not filled:
        problems.add("file", "a header and no rows", "give one row per patient")
    wide = len(header)
    uneven = {
        i: f"{len(row)} values"
        for i, row in filled.items()
        if len(row) < wide or any(row[wide:])  # a comma too many at the end does no harm
    }
    problems.add_rows(
        "file", pd.Series(uneven, dtype=object), f"the header has {wide} names",
        f"give every row {wide} values, and put a value that contains a comma in quotes",
    )  # fmt: skip
    if len(problems.found) > before:
        return None
    values = [[v or float("nan") for v in row[:wide]] for row in filled.values()]
    frame = pd.DataFrame(values, index=list(filled), columns=header, dtype=object)
    return frame.loc[:, [name for name in header if name]]
