"""The editions: one series of executed notebooks, shown to readers, students and instructors.

An edition is a choice of cells and a few lines added; `book.build_book` makes the pages of each,
`slides.build_slides` the deck. What an edition leaves out is gone before a page is built, so
nothing of it can reach a page, a picture or the search index.
"""

import re
import tempfile
from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from helpers.workshop.book import anchor, build_book
from helpers.workshop.files import read, tags, write
from helpers.workshop.plans import read_plans
from helpers.workshop.series import series
from helpers.workshop.slides import build_slides

MINUTES = re.compile(r"\bTime: (\d+) minutes\b")
EXERCISE = re.compile(r"^#{2,4} (Exercise .+)\n+(\S.*)", re.MULTILINE)
SENTENCE = re.compile(r".+?[.?!](?=\s+[A-Z]|$)")
FOR_STUDENTS = (
    "This is the student edition: the exercises stand here without their solutions, "
    "which your instructor has."
)
FOR_INSTRUCTORS = (
    "This is the instructor's edition: solutions are unfolded, and notes meant for you alone are "
    "shown."
)


def build_editions(
    notebooks: Path,
    out: Path,
    *,
    title: str,
    status: str,
    caution: str,
    chosen: Iterable[str] = ("book", "student", "instructor", "slides"),
) -> dict[str, Path]:
    """Build editions of a folder of executed notebooks, each in a folder of its name.

    Parameters
    ----------
    notebooks : Path
        Folder of executed ``NN_topic.ipynb``.
    out : Path
        Folder that receives the folders of the editions; each replaces an earlier one there.
    title, status, caution : str
        As for `book.build_book`; status and caution stand on every page and slide.
    chosen : iterable of str
        Which editions; all of them by default.

    Returns
    -------
    dict of str to Path
        The first page of each.

    Raises
    ------
    ValueError
        As `book.build_book` does; editions built before that are complete.
    """
    sources = {path.stem: read(path) for path in series(notebooks)}
    told, built = {"status": status, "caution": caution}, {}
    for name in chosen:
        if name == "slides":
            shown = {stem: student(nb) for stem, nb in sources.items()}
            plans = read_plans(sources.values())
            built[name] = build_slides(shown, plans, Path(out, name), title=title, **told)
            continue
        choose, suffix, note = {
            "book": (public, "", ""),
            "student": (student, " (student edition)", FOR_STUDENTS),
            "instructor": (
                instructor,
                " (instructor's edition)",
                "\n\n".join(filter(None, [FOR_INSTRUCTORS, sessions(sources), plan(sources)])),
            ),
        }[name]  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            for stem, nb in sources.items():
                write(choose(nb), Path(folder, f"{stem}.ipynb"))
            built[name] = build_book(
                Path(folder), Path(out, name), title=title + suffix, note=note,
                listed=name != "instructor", **told
            )  # fmt: skip
    return built


def without(nb: NotebookNode, *unwanted: str) -> NotebookNode:
    """Copy a notebook without the cells that carry one of these tags.

    Parameters
    ----------
    nb : NotebookNode
        Not changed.
    unwanted : str
        Tags of the cells to leave out, with their outputs.
    """
    nb = deepcopy(nb)
    nb.cells = [cell for cell in nb.cells if not {*unwanted} & {*tags(cell)}]
    return nb


def public(nb: NotebookNode) -> NotebookNode:
    """Leave out what is for the instructor alone."""
    return without(nb, "instructor")


def student(nb: NotebookNode) -> NotebookNode:
    """Leave out solutions, and what is for the instructor alone."""
    return without(nb, "solution", "instructor")


def instructor(nb: NotebookNode) -> NotebookNode:
    """Unfold solutions, mark what is for the instructor, and put the plan below the title."""
    found, nb = exercises(nb), deepcopy(nb)
    minutes = minutes_of(nb)
    for cell in nb.cells:
        given = tags(cell)
        for tag, label in (("solution", "Solution"), ("instructor", "For the instructor")):
            if tag not in given:
                continue
            # Under another name, because `pages` folds what is tagged as a solution.
            cell.metadata["tags"] = [f"shown-{tag}" if t == tag else t for t in cell.metadata.tags]
            if cell.cell_type == "markdown":
                cell.source = _marked(cell.source, label)
    listed = "".join(f"\n- [{name}](#{anchor(name)}): {asks}" for name, asks in found)
    lines = [
        f"Time: {minutes} minutes." if minutes else "",
        f"Exercises:\n{listed}" if found else "No exercises on this page.",
    ]
    text = "\n\n".join(filter(None, lines))
    label = '<div class="for-instructor"><p class="label">For the instructor</p>'
    if found or minutes:
        note = f"{label}\n\n{text}\n\n</div>"
        nb.cells.insert(1, new_markdown_cell(note, id="for-instructor"))
    return nb


def _marked(source: str, label: str) -> str:
    """Box a text under its label; one with headings, which no box may cut, is labelled alone."""
    mark = f'<p class="label">{label}</p>'
    if re.search(r"^#{1,6} ", source, re.MULTILINE):
        start = f'<div class="for-instructor">{mark}</div>'
        # Below a heading of a section; those further down belong to it.
        return re.sub(r"\A(## .+\n?)", rf"\1\n{start}\n\n", source)
    return f'<div class="for-instructor">{mark}\n\n{source}\n\n</div>'


def minutes_of(nb: NotebookNode) -> int | None:
    """Return the minutes that a page gives for itself, if it does."""
    found = (MINUTES.search(cell.source) for cell in nb.cells if cell.cell_type == "markdown")
    return next((int(match[1]) for match in found if match), None)


def exercises(nb: NotebookNode) -> list[tuple[str, str]]:
    """List the exercises of a page: their headings, and the first sentence of each.

    Examples
    --------
    >>> from nbformat.v4 import new_markdown_cell, new_notebook
    >>> cell = new_markdown_cell("### Exercise 1\\n\\nCount them. Twice.")
    >>> cell.metadata["tags"] = ["exercise"]
    >>> exercises(new_notebook(cells=[cell]))
    [('Exercise 1', 'Count them.')]
    """
    return [
        (match[1].strip(), (SENTENCE.match(match[2]) or [match[2]])[0])
        for cell in nb.cells
        if cell.cell_type == "markdown" and "exercise" in tags(cell)
        for match in EXERCISE.finditer(cell.source)
    ]


def sessions(sources: dict[str, NotebookNode]) -> str:
    """Write the list of the guide's plans for the instructor's front page, where there are any."""
    found = [(p, name) for name, nb in sources.items() for p in read_plans([nb])]
    lines = [f"- [{p.title}]({name}.ipynb#{anchor(p.title)})" for p, name in found]
    about = (
        "## A session\n\nEach plan says what to show and to ask, what is often answered, and what "
        "to say then. Its slides lie in the folder `slides` beside this one.\n\n"
    )
    return about + "\n".join(lines) if lines else ""


def plan(sources: dict[str, NotebookNode]) -> str:
    """Write the table of pages, minutes and exercises for the instructor's front page."""
    rows = ["## The pages", "", "The minutes are those that each page gives for itself.", ""]
    rows += ["| Page | Minutes | Exercises |", "|---|---|---|"]
    for name, nb in sources.items():
        linked = ", ".join(
            f"[{title.removeprefix('Exercise ')}]({name}.ipynb#{anchor(title)})"
            for title, _ in exercises(nb)
        )
        rows.append(f"| []({name}.ipynb) | {minutes_of(nb) or 'to look up'} | {linked or 'none'} |")
    total = sum(minutes_of(nb) or 0 for nb in sources.values())
    return "\n".join([*rows, f"| All pages | {total} | |"])
