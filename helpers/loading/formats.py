"""From the bytes of a file to rows of text: packing, encoding, separator, lines above the header.

What the mapping does not state is detected, and what was detected is said, with the key that says
otherwise.
"""

import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, time
from io import BytesIO, StringIO
from math import isnan
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from helpers.loading.problems import Problems

LARGEST = 100_000_000  # bytes, unpacked; more than a registry of a million patients
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
LOOKED_AT = 300  # rows from which separator and header are told
MOST_ABOVE = 30  # rows that may stand above the header
WORKBOOK, SPSS = b"PK\x03\x04", (b"$FL2", b"$FL3")
STATA = (b"<stata_dta>", b"\x71", b"\x72", b"\x73")  # versions 117 on, and 113 to 115
CANNOT = {
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save it as an .xlsx workbook or as CSV"),
    b"\xfd7zXZ": ("a compressed file (xz)", "unpack it, or pack it with gzip"),
    b"BZh": ("a compressed file (bzip2)", "unpack it, or pack it with gzip"),
    b"%PDF": ("a PDF", "export the table as CSV or as a workbook"),
    b"RDX": ("a file of R", "write it with R's write.csv"),
    b"SAS": ("a file of SAS", "export it as CSV"),
}
# Where Mac Roman writes letters of German, French and Spanish, Windows has signs, which do not
# stand between letters.
MAC_LETTERS = b"\x80\x85\x86\x8a\x8e\x8f\x96\x9a\x9f\x87\x88\x8d\x89\x91"


class Stated(NamedTuple):
    """What the mapping says of the file, under `file`; None where it is to be detected."""

    separator: str | None = None
    decimal: str | None = None
    comment: str | None = None
    header_row: int | None = None
    sheet: str | None = None
    encoding: str | None = None


class Rows(NamedTuple):
    """The header and every row below it, empty ones too; `first` is the header's row in the file.

    `labels` are names in words, where the file has them; `said` is what was detected, in words.
    """

    header: list[str]
    below: list[list[str]]
    first: int
    labels: dict[str, str]
    said: list[str]
    separator: str


def read_rows(data: bytes, stated: Stated, problems: Problems) -> Rows | None:
    """The rows of a file as text, or None and the reason."""
    said: list[str] = []
    if data.startswith(b"\x1f\x8b"):
        data = unpacked(data, problems)
        if data is None:
            return None
        said.append("the file was packed with gzip")
    if len(data) > LARGEST:
        found = f"{len(data) / 1e6:,.0f} MB, and {LARGEST / 1e6:.0f} MB are the most that is read"
        return problems.add("file", found, "keep only the columns and rows that are needed")
    for start, (what, remedy) in CANNOT.items():
        if data.startswith(start):
            return problems.add("file", what, remedy)
    if data.startswith(WORKBOOK):
        made = workbook(data, stated, said, problems)
    elif data.startswith(SPSS + STATA[:1]) or (data[:1] in STATA[1:] and b"\0" in data[:200]):
        return of_package(data, problems)
    else:
        made = delimited(data, stated, said, problems)
    if made is None:
        return None
    rows, labels, separator = made
    if not any(map(any, rows)):
        return problems.add("file", "nothing in it", "give a header and one row per patient")
    top = header_row(rows, stated, said, problems)
    if top is None:
        return None
    header, below = rows[top], rows[top + 1 :]
    # R's write.table writes names of rows, and no name above them.
    if below and {len(row) for row in below if any(row)} == {len(header) + 1}:
        header = ["", *header]
        said.append("the first column has no name, as R writes the names of rows; left out")
    named = dict(zip(header, labels, strict=False)) if len(labels) == len(header) else {}
    return Rows(header, below, top + 1, named, said, separator)


def unpacked(data: bytes, problems: Problems) -> bytes | None:
    """What gzip packed, or None and the reason."""
    try:
        with gzip.open(BytesIO(data)) as packed:
            found = packed.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error):
        return problems.add("file", "a gzip file that ends early or is damaged", "copy it again")
    if re.match(rb"RD[AX]\d\n|[XAB]\n", found):  # R's .rds and .RData
        return problems.add("file", *CANNOT[b"RDX"])
    return found


# -- text -----------------------------------------------------------------------------------


def delimited(data: bytes, stated: Stated, said: list[str], problems: Problems):
    """Rows, labels and separator of a text file."""
    text = decoded(data, stated.encoding, said, problems)
    if text is None:
        return None
    text, labels = without_comments(text, stated.comment, said)
    separator = stated.separator or told_separator(text)
    if separator != "," and not stated.separator:
        said.append(f"values are separated by a {SEPARATORS[separator]} (file: separator)")
    rows: list[list[str]] = []
    try:
        reader = csv.reader(StringIO(text, newline=""), strict=True, skipinitialspace=True,
                            delimiter=separator)  # fmt: skip
        rows.extend(reader)
    except csv.Error as error:
        return problems.add(f"file, row {len(rows) + 1}", *not_split(error, text))
    names = next(csv.reader([labels], delimiter=separator)) if labels else []
    return rows, names, separator


def decoded(data: bytes, stated: str | None, said: list[str], problems: Problems) -> str | None:
    """The text of a file; an encoding other than UTF-8 is said."""
    guessed = stated or told_encoding(data)
    try:
        text = data.decode(guessed)
    except (UnicodeDecodeError, UnicodeError) as error:
        line = data[: getattr(error, "start", 0)].count(b"\n") + 1
        return problems.add("file", f"a character in line {line} that is not {guessed}",
                            "correct 'encoding' under 'file', or leave it out")  # fmt: skip
    if not stated and guessed != "utf-8-sig":
        what = {"cp1252": "Windows (cp1252)", "mac_roman": "Mac Roman"}.get(guessed, guessed)
        said.append(f"the text is read as {what}: look at letters such as é and ü (file: encoding)")
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        return problems.add("file", "zero bytes (a damaged file, or no text?)",
                            "save it as CSV or as an .xlsx workbook")  # fmt: skip
    return text


def told_encoding(data: bytes) -> str:
    """The encoding that the bytes tell."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    start = data[:400]
    if start[1::2].count(0) > len(start) // 3:
        return "utf-16-le"
    if start[::2].count(0) > len(start) // 3:
        return "utf-16-be"
    try:
        data.decode("utf-8-sig")
        return "utf-8-sig"
    except UnicodeDecodeError:
        inside = re.findall(rb"[A-Za-z][\x80-\x9f](?=[a-z])|[\x80-\x9f](?=[a-z]{2})", data)
        mac = sum(found[-1] in MAC_LETTERS for found in inside)
        letters = len(re.findall(rb"[A-Za-z][\xc0-\xff]|[\xc0-\xff](?=[a-z]{2})", data))
        return "mac_roman" if mac > letters else "cp1252"


def without_comments(text: str, stated: str | None, said: list[str]) -> tuple[str, str]:
    """The text with its comment lines emptied, so that rows keep their numbers, and the first.

    Not stated, they are the lines that begin with # above what looks like a header. cBioPortal
    writes four: names in words, descriptions, types and priorities.
    """
    lines = text.splitlines(keepends=True)
    mark = stated or "#"
    marked = [line.lstrip().lstrip('"').startswith(mark) for line in lines]
    if not stated:
        above = marked.index(False) if False in marked else len(marked)
        header = lines[above] if above < len(lines) else ""
        # The header itself begins with # where numbers, not names, follow.
        if above == 1 and re.search(r"(^|[,;\t|])\s*\"?-?\d+([.,]\d+)?\"?\s*([,;\t|]|$)", header):
            above = 0
        marked = [k < above for k in range(len(lines))]
    if not any(marked):
        return text, ""
    n = sum(marked)
    which = f"{n} line{'s' * (n > 1)} that begin{'s' * (n == 1)} with {mark}"
    said.append(f"{which} passed over (file: comment)")
    first = lines[marked.index(True)].strip()
    quoted = first.startswith('"')
    first = first.lstrip('"').removeprefix(mark)
    kept = ["\n" if out else line for out, line in zip(marked, lines, strict=True)]
    return "".join(kept), f'"{first}' if quoted else first


def told_separator(text: str) -> str:
    """The separator that gives most columns to most rows."""
    lines = [line for line in text[:400_000].splitlines() if line.strip()][:LOOKED_AT]
    best, most = ",", 0.0
    for separator in SEPARATORS if lines else ():
        try:
            wide = Counter(len(row) for row in csv.reader(lines, delimiter=separator) if row)
        except csv.Error:
            continue
        columns, rows = wide.most_common(1)[0] if wide else (1, 0)
        score = (columns - 1) * rows / len(lines)
        if score > most:
            best, most = separator, score
    return best


def not_split(error: csv.Error, text: str) -> tuple[str, str]:
    """Why a row cannot be split into values, and what to do."""
    pair = "close each quoted value, and double a quotation mark inside one"
    if "field limit" not in str(error):
        return f"quotation marks that do not pair ({error})", pair
    found = f"a value of more than {csv.field_size_limit():,} characters"
    if '"' not in text:
        return found, "shorten it, or remove the column"
    return found, f"shorten it, or remove the column; or a quoted value does not end: {pair}"


def header_row(rows, stated: Stated, said: list[str], problems: Problems) -> int | None:
    """Which row, from 0, holds the names: the first that is about as full as most."""
    if stated.header_row:
        if stated.header_row > len(rows) or not any(rows[stated.header_row - 1]):
            found = f"header_row {stated.header_row}, where nothing stands"
            return problems.add("mapping, file", found, "give the row that holds the names")
        return stated.header_row - 1
    filled = [sum(map(bool, row)) for row in rows[:LOOKED_AT]]
    usual = Counter(n for n in filled if n).most_common(1)[0][0]
    first = next(i for i, n in enumerate(filled) if n)
    at = next((i for i, n in enumerate(filled[:MOST_ABOVE]) if n >= max(2, 0.6 * usual)), first)
    above = sum(1 for n in filled[:at] if n)
    if above:
        lines = "the line above it is" if above == 1 else f"{above} lines above it are"
        said.append(f"the names stand in row {at + 1}; {lines} passed over (file: header_row)")
    return at


# -- workbooks and statistical packages -------------------------------------------------------


def workbook(data: bytes, stated: Stated, said: list[str], problems: Problems):
    """Rows of a sheet of an Excel workbook: the one stated, or the first that holds a table."""
    from openpyxl import load_workbook

    try:
        book = load_workbook(BytesIO(data), read_only=True, data_only=True)
    except Exception:  # a zip file of any other kind; openpyxl has no error of its own for it
        return problems.add("file", "a zip file that is no Excel workbook",
                            "unpack it, and name the file in it")  # fmt: skip
    names = book.sheetnames
    if stated.sheet and stated.sheet not in names:
        return problems.add("mapping, file", f"sheet {stated.sheet!r}",
                            f"use {' or '.join(names[:8])}")  # fmt: skip
    for name in [stated.sheet] if stated.sheet else names:
        sheet = book[name]
        if not hasattr(sheet, "iter_rows"):  # a sheet that is a chart
            continue
        sheet.reset_dimensions()  # what programs write there is often wrong
        rows = [[cell_text(value) for value in row] for row in sheet.iter_rows(values_only=True)]
        while rows and not any(rows[-1]):
            rows.pop()
        if stated.sheet or (len(rows) > 1 and max(map(len, rows)) > 1):
            break
    wide = max(map(len, rows), default=0)
    rows = [row + [""] * (wide - len(row)) for row in rows]
    if len(names) > 1 and not stated.sheet:
        said.append(f"sheet {name!r} of {len(names)} is read (file: sheet)")
    return rows, [], ""


def cell_text(value: Any) -> str:
    """A cell of a workbook as a CSV would have it: ISO dates, 3 for 3.0, TRUE and FALSE."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        return str(value.date() if value.time() == time() else value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float):
        return "" if isnan(value) else format(value, ".15g")
    return str(value)


def of_package(data: bytes, problems: Problems) -> Rows | None:
    """A file of SPSS or Stata: codes by their labels, names in words from its own labels."""
    import pyreadstat

    spss = data.startswith(SPSS)
    what = "an SPSS file" if spss else "a Stata file"
    with TemporaryDirectory() as folder:
        path = Path(folder) / "data"
        path.write_bytes(data)
        read = pyreadstat.read_sav if spss else pyreadstat.read_dta
        try:
            frame, meta = read(path, apply_value_formats=True)
        except Exception as error:  # pyreadstat has an error of its own for each library
            return problems.add("file", f"{what} that cannot be read ({error})", "export it as CSV")
    below = [[cell_text(value) for value in row] for row in as_rows(frame)]
    labels = {name: text for name, text in meta.column_names_to_labels.items() if text}
    said = [f"{what}; codes are read by their labels"]
    return Rows(list(frame), below, 1, labels, said, "")


def as_rows(frame) -> Iterable[tuple]:
    """Rows of a frame of pyreadstat, missing values as None."""
    return frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None)
