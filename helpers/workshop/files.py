"""Notebooks as files: read, written and normalised so that a plain diff can judge them."""

import os
from copy import deepcopy
from hashlib import sha256
from pathlib import Path

import nbformat
from nbformat import NotebookNode

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def read(path: Path) -> NotebookNode:
    """Read a notebook, and give each cell an id that has none.

    Raises
    ------
    ValueError
        The file is not a version 4 notebook.
    """
    try:
        nb = nbformat.v4.reads(path.read_text(encoding="utf-8"))
        if nb.nbformat != 4:
            raise ValueError(f"version {nb.nbformat}")
        give_ids(nb)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a version 4 notebook ({error})") from None
    return nb


def give_ids(nb: NotebookNode) -> None:
    """Give cells without an id, or with another cell's, one that depends on their source only."""
    seen: set[str] = set()
    for cell in nb.cells:
        copies = 0
        while not cell.get("id") or cell.id in seen:
            cell.id = sha256(f"{cell.source}{copies or ''}".encode()).hexdigest()[:8]
            copies += 1
        seen.add(cell.id)
    nb.nbformat_minor = max(5, nb.nbformat_minor)  # the first that knows cell ids


def text_of(nb: NotebookNode) -> str:
    """Write as Jupyter does: sorted keys, indent 1, letters as they are, a newline at the end."""
    return nbformat.v4.writes(nb) + "\n"


def write(nb: NotebookNode, path: Path) -> None:
    """Write a notebook in one step, so that nobody ever reads half of it."""
    half = path.with_name(f".{path.name}.{os.getpid()}")
    half.write_text(text_of(nb), encoding="utf-8", newline="\n")
    half.replace(path)


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return cell.metadata.get("tags", [])


def normalise(nb: NotebookNode) -> NotebookNode:
    """Keep what the author wrote and what the code produced, and drop what differs by run.

    Parameters
    ----------
    nb : NotebookNode
        Not changed.

    Returns
    -------
    NotebookNode
        The same for the same sources and results, on any machine; normalising it again changes
        nothing. Every cell has an id, those that ran count from 1.
    """
    nb, count = deepcopy(nb), 0
    give_ids(nb)
    for key in ("papermill", "widgets"):
        nb.metadata.pop(key, None)
    nb.metadata.kernelspec = nbformat.from_dict(KERNEL)
    nb.metadata.language_info = nbformat.from_dict({"name": "python"})
    for cell in nb.cells:
        for key in ("papermill", "execution", "ExecuteTime"):
            cell.metadata.pop(key, None)
        if not tags(cell):
            cell.metadata.pop("tags", None)  # papermill adds an empty list
        if cell.cell_type != "code":
            continue
        runs = bool(cell.source.strip()) and "skip-execution" not in tags(cell)
        count += runs
        cell.execution_count = count if runs else None
        cell.outputs = _merged(cell.outputs)
        for output in cell.outputs:
            output.pop("transient", None)
            if "execution_count" in output:
                output.execution_count = cell.execution_count
            if len(output.get("data", {})) > 1:
                output.data.pop(WIDGET_VIEW, None)  # a random id of a state that is not kept
    return nb


def _merged(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join what one stream wrote in a row: where it is cut is a matter of timing."""
    merged: list[NotebookNode] = []
    for output in outputs:
        last = merged[-1] if merged else {}
        if output.output_type == "stream" and output.name == last.get("name"):
            last["text"] += output.text
        else:
            merged.append(output)
    return merged
