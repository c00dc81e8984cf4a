"""What a page says about a cohort, without a kernel: its cells run here, its words are collected.

Figures are made and not drawn; sentences, captions, alt texts and tables are kept as text.
"""

import nbformat
from IPython.display import HTML

import helpers as h
from helpers.cohort import ROOT
from helpers.workshop.series import prepare, series

LEFT_OUT = {"parameters", "exercise", "solution", "predict-form", "versions"}
PAGES = {path.stem[:2]: path for path in series(ROOT / "notebooks")}


def page_text(monkeypatch, page: str, cohort, files, view: str = "") -> list[str]:
    """All that a page says about a cohort, in order; `files` are its CSV and its mapping."""
    said: list[str] = []

    def show(figure, *, of, alt, number, caption, takeaway, by=(), small=False):
        said.extend((alt, caption, takeaway))

    def say(text, of):
        said.append(text)

    def table(frame, *, of, caption, by=()):
        cells = frame.astype(object).where(frame.notna(), "").astype(str).to_numpy().ravel()
        said.extend([caption, *map(str, frame.columns), *cells])
        return HTML("")

    for name, fake in (("show", show), ("say", say), ("table", table)):
        monkeypatch.setattr(h, name, fake, raising=False)
    notebook = prepare(
        nbformat.read(PAGES[page], 4), columns=set(cohort.frame.columns), is_paper=cohort.is_paper
    )
    given = {"SEED": 20240625, "COHORT": str(files[0]), "MAP": str(files[1]) if files[1] else "",
             "VIEW": view, "HORIZON": 365, "FAST": True}  # fmt: skip
    for cell in notebook.cells:
        tags = set(cell.metadata.get("tags", []))
        if cell.cell_type == "code" and not tags & LEFT_OUT:
            exec(compile(cell.source, f"{page}:{cell.id}", "exec"), given)
    return said
