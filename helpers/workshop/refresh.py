"""Re-execute the committed notebooks, so that what they show is what their code produces."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import nbformat
from nbformat import NotebookNode
from tqdm import tqdm

from helpers.workshop.execute import execute, in_parallel
from helpers.workshop.files import normalise, read, tags, text_of, write

UNCOMPARED = {"versions", "nbval-ignore-output"}  # tags of cells whose output may differ
PARTS = {
    "source": ("cell_type", "source"),
    "output": ("outputs", "execution_count"),
    "metadata": ("metadata", "id", "attachments"),
}

__all__ = ["Change", "normalise", "refresh"]


@dataclass(frozen=True)
class Change:
    """A notebook that is not what its code produces, why, and whether its code failed."""

    name: str
    reason: str
    failed: bool = False


def refresh(
    notebooks: Iterable[Path], *, check: bool = False, jobs: int | None = None
) -> list[Change]:
    """Execute notebooks in their place, without parameters, and write them normalised.

    Parameters
    ----------
    notebooks : iterable of pathlib.Path
        What to refresh; one whose code fails is left as it was.
    check : bool
        Write nothing; cells tagged ``versions`` or ``nbval-ignore-output`` may then show another
        output than the committed one.
    jobs : int, optional
        How many at once; by default one for each core.

    Returns
    -------
    list of Change
        Those that were (with ``check``: would be) rewritten, and those that failed.

    Raises
    ------
    Interrupted
        After Ctrl-C or SIGTERM; each file is then as it was or refreshed.
    """
    notebooks = [Path(path).resolve() for path in notebooks]
    changes: dict[str, Change] = {}

    def work(path: Path, stopping: Event) -> Change | None:
        try:
            nb = read(path)
        except ValueError as error:
            return Change(path.stem, str(error), failed=True)
        nb, outcome = execute(nb, path, {}, stopping)
        if not outcome.ok:
            return Change(path.stem, outcome.line(), failed=True)
        committed = path.read_text(encoding="utf-8")
        old, new = nbformat.v4.reads(committed), nbformat.v4.reads(text_of(normalise(nb)))
        if check:
            _forgive(old, new)
        if text_of(new) == committed:
            return None
        if not check:
            write(new, path)
        return Change(path.stem, difference(old, new))

    with tqdm(total=len(notebooks), unit="notebook", disable=None, leave=False) as bar:

        def done(change: Change | None) -> None:
            if change:
                changes[change.name] = change
            bar.update()

        in_parallel(work, notebooks, jobs=jobs, done=done)
    return [changes[path.stem] for path in notebooks if path.stem in changes]


def _forgive(old: NotebookNode, new: NotebookNode) -> None:
    """Give a new cell its committed output where that need not be the same."""
    for before, after in zip(old.cells, new.cells, strict=False):
        if UNCOMPARED & set(tags(after)) and before.get("source") == after.source:
            after.outputs = before.get("outputs", [])


def difference(old: NotebookNode, new: NotebookNode) -> str:
    """Say in a few words where two notebooks first differ; cells count from 1."""
    for number, (before, after) in enumerate(zip(old.cells, new.cells, strict=False), 1):
        for part, keys in PARTS.items():
            if any(before.get(key) != after.get(key) for key in keys):
                return f"cell {number}: {part} differs"
    if len(old.cells) != len(new.cells):
        return f"{len(old.cells)} cells, not {len(new.cells)}"
    return "notebook metadata differs" if old != new else "layout of the file differs"
