"""Tables of an executed notebook as files that people can take away: CSV, HTML and Word.

Figures are written by the kernel itself (see `helpers.notebook.show`), since only it has them as
drawings. Everything carries the status of its data and its conventions in the footer.
"""

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from nbformat import NotebookNode

from helpers.loading.cells import write_csv
from helpers.loading.names import LONGEST
from helpers.workshop.files import tags

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 11pt/1.4 sans-serif; margin: 2em; max-width: 60em; }}
table {{ border-collapse: collapse; border-top: 1.5pt solid; border-bottom: 1.5pt solid; }}
caption {{ text-align: left; font-weight: bold; padding-bottom: 0.5em; }}
th, td {{ text-align: left; padding: 0.2em 1em 0.2em 0; vertical-align: top; }}
thead tr {{ border-bottom: 0.75pt solid; }}
</style></head><body>
{table}
</body></html>
"""


class Table(NamedTuple):
    """A table as it was shown."""

    caption: str
    header: list[str]
    rows: list[list[str]]
    foot: str
    html: str


def tables(nb: NotebookNode) -> Iterator[Table]:
    """The tables that a notebook shows, apart from exercises and its own versions."""
    from lxml import html as parser

    for cell in nb.cells:
        if {"versions", "exercise", "solution"} & set(tags(cell)):
            continue
        for output in cell.get("outputs", []):
            text = "".join(output.get("data", {}).get("text/html", ""))
            if "<caption>" not in text:
                continue
            root = parser.fragment_fromstring(text, create_parent="div")
            lines = [[cell.text_content() for cell in row.iterfind("*")] for row in root.iter("tr")]
            foot = " ".join(small.text_content() for small in root.iter("small"))
            yield Table(next(root.iter("caption")).text_content(), lines[0], lines[1:], foot, text)


def export_tables(nb: NotebookNode, folder: Path) -> list[Path]:
    """Write every table of an executed notebook; the paths that were written."""
    written: list[Path] = []
    for table in tables(nb):
        words = re.sub(r"\W+", "_", table.caption.lower()).strip("_")
        # In bytes: some letters have four, and a name of more than 255 is none.
        short = words[:60].encode()[:LONGEST].decode(errors="ignore")
        stem = folder / f"table_{short.rstrip('_')}"
        while stem.with_suffix(".csv") in written:  # a caption used twice
            stem = stem.with_name(f"{stem.name}_again")
        folder.mkdir(parents=True, exist_ok=True)
        paths = [stem.with_suffix(kind) for kind in (".csv", ".html", ".docx")]
        # One row per row; what the data is stands in a column of its own.
        rows = [[*row, table.foot] for row in table.rows]
        write_csv(pd.DataFrame(rows, columns=[*table.header, "data_status"]), paths[0])
        page = PAGE.format(title=escape(table.caption), table=table.html)
        paths[1].write_text(page, encoding="utf-8")
        write_word(table, paths[2])
        written += paths
    return written


def write_word(table: Table, path: Path) -> None:
    """A Word document with caption, table and footer."""
    from docx import Document
    from docx.shared import Pt

    document = Document()
    document.add_paragraph().add_run(table.caption).bold = True
    grid = document.add_table(rows=0, cols=len(table.header), style="Light List")
    for line in [table.header, *table.rows]:
        for cell, text in zip(grid.add_row().cells, line, strict=True):
            cell.text = text
            cell.paragraphs[0].runs[0].font.size = Pt(9)
    document.add_paragraph().add_run(table.foot).font.size = Pt(8)
    document.save(str(path))
