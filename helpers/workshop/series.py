"""The numbered notebooks: which they are, what a cohort leaves out, and running them all."""

import csv
import shutil
from collections.abc import Iterable
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from threading import Event

import nbformat
import pandas as pd
from nbformat import NotebookNode
from tqdm import tqdm

from helpers.loading.cells import write_csv
from helpers.workshop.execute import Interrupted, Outcome, execute, in_parallel
from helpers.workshop.files import read, tags, write
from helpers.workshop.takeaway import export_tables

TIMINGS = ("name", "ok", "seconds", "kernel_seconds", "import_seconds", "work_seconds")
EXPORT = "HELPERS_EXPORT"  # helpers.notebook writes figures into the folder it names
PAPER_ONLY = "this part concerns the published CAR-T cohort"

__all__ = ["Interrupted", "Outcome", "prepare", "run_series", "series"]


def series(folder: Path) -> list[Path]:
    """List the numbered notebooks ``NN_*.ipynb`` of a folder, in order."""
    return sorted(Path(folder).glob("[0-9][0-9]_*.ipynb"))


def prepare(nb: NotebookNode, *, columns: set[str], is_paper: bool) -> NotebookNode:
    """Leave out what a cohort cannot answer, with a sentence in its place.

    Parameters
    ----------
    nb : NotebookNode
        With cells tagged ``needs:<column>`` (any number of them) or ``paper-only``; not changed.
    columns : set of str
        The columns this cohort has.
    is_paper : bool
        It is the published cohort.

    Returns
    -------
    NotebookNode
        Each run of consecutive unmet cells is one markdown cell that says why; it takes the id of
        the first cell it stands for.
    """
    nb, cells = deepcopy(nb), []
    for unmet, run in groupby(nb.cells, lambda cell: bool(_unmet(cell, columns, is_paper))):
        run = list(run)
        if unmet:
            reasons = dict.fromkeys(r for cell in run for r in _unmet(cell, columns, is_paper))
            run = [nbformat.v4.new_markdown_cell(_left_out(list(reasons)), id=run[0].id)]
        cells += run
    nb.cells = cells
    return nb


def _unmet(cell: NotebookNode, columns: set[str], is_paper: bool) -> list[str]:
    needs = [tag.removeprefix("needs:") for tag in tags(cell) if tag.startswith("needs:")]
    missing = [column for column in needs if column not in columns]
    return missing + [PAPER_ONLY] * ("paper-only" in tags(cell) and not is_paper)


def _left_out(reasons: list[str]) -> str:
    missing = [f"`{reason}`" for reason in reasons if reason != PAPER_ONLY]
    parts = [PAPER_ONLY] * (PAPER_ONLY in reasons)
    if missing:
        named = " and ".join(filter(None, [", ".join(missing[:-1]), missing[-1]]))
        parts.insert(0, f"it has no column{'s' * (len(missing) > 1)} {named}")
    return f"*Left out for this cohort: {', and '.join(parts)}.*"


def run_series(
    notebooks: Iterable[Path],
    out: Path,
    *,
    parameters: dict,
    columns: Iterable[str],
    is_paper: bool,
    jobs: int | None = None,
    progress: bool | str = True,
    export: Path | None = None,
) -> list[Outcome]:
    """Execute notebooks in parallel, each in a fresh kernel in its own folder.

    Parameters
    ----------
    notebooks : iterable of pathlib.Path
        What to execute.
    out : pathlib.Path
        Folder for the executed notebooks; ``timings.csv`` is written beside it.
    parameters : dict
        Values for the ``parameters`` cells; each notebook gets those it has.
    columns, is_paper
        The cohort, for `prepare`.
    jobs : int, optional
        How many at once; by default one for each core.
    progress : bool or "bar"
        Print a line for each finished notebook, and draw a bar if stderr is a terminal; ``"bar"``
        draws it anyway.
    export : pathlib.Path, optional
        Folder for the figures and tables of the pages, one folder a notebook.

    Returns
    -------
    list of Outcome
        In the order of ``notebooks``.

    Raises
    ------
    Interrupted
        After Ctrl-C or SIGTERM, when all kernels are gone.
    """
    notebooks, columns = [Path(path).resolve() for path in notebooks], set(columns)
    out = Path(out).resolve()
    out.mkdir(parents=True, exist_ok=True)
    timings = out.parent / "timings.csv"
    for path in notebooks:  # what is there after an interrupted run is of that run
        (out / path.name).unlink(missing_ok=True)
        if export:
            shutil.rmtree(export / path.stem, ignore_errors=True)

    def work(path: Path, stopping: Event) -> Outcome:
        try:
            nb = prepare(read(path), columns=columns, is_paper=is_paper)
        except ValueError as error:
            return Outcome(path.stem, ok=False, error=str(error))
        told = {EXPORT: str(export / path.stem)} if export else {}
        nb, outcome = execute(nb, path, parameters, stopping, told)
        write(nb, out / path.name)
        if export:
            export_tables(nb, export / path.stem)
        return replace(outcome, path=out / path.name)

    outcomes: dict[str, Outcome] = {}
    width = max((len(path.stem) for path in notebooks), default=0)
    # tqdm takes None for: only on a terminal.
    hidden = {True: None, False: True, "bar": False}[progress]
    with tqdm(total=len(notebooks), unit="notebook", disable=hidden, leave=False) as bar:

        def done(outcome: Outcome) -> None:
            outcomes[outcome.name] = outcome
            if progress:
                with bar.external_write_mode():
                    print(outcome.line(width), flush=True)
            bar.update()

        try:
            in_parallel(work, longest_first(notebooks, timings), jobs=jobs, done=done)
        finally:
            ordered = [outcomes[path.stem] for path in notebooks if path.stem in outcomes]
            _write_timings(ordered, timings)
    return ordered


def longest_first(notebooks: list[Path], timings: Path) -> list[Path]:
    """Start with what took longest last time, so that no core idles through one long notebook."""
    last = {}
    with suppress(OSError, ValueError, TypeError, KeyError), timings.open(encoding="utf-8") as file:
        last = {row["name"]: float(row["seconds"]) for row in csv.DictReader(file)}
    return sorted(notebooks, key=lambda path: -last.get(path.stem, float("inf")))


def _write_timings(outcomes: list[Outcome], path: Path) -> None:
    rows = [[getattr(outcome, name) for name in TIMINGS] for outcome in outcomes]
    write_csv(pd.DataFrame(rows, columns=TIMINGS).round(3), path)
