"""A multiverse in numbered tasks: the same table for any number of processes and machines."""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pandas as pd

from helpers.cohort import load_cohort
from helpers.estimators.multiverse import Specification, answer, multiverse
from helpers.workshop.cohort_of_tasks import file_digest, loaded
from helpers.workshop.tasks import run_tasks

CHUNK = 24  # specifications in one task: about a quarter of a second


def run_multiverse(
    path: str, map_path: str, asked: list[Specification], log: Path, *, jobs: int | None = None,
    estimators: dict[str, str] | None = None, time_zeros: dict[str, str] | None = None,
    chunk: int = CHUNK, **options,
) -> pd.DataFrame:  # fmt: skip
    """Answer all specifications of a cohort file in numbered tasks.

    Parameters
    ----------
    path, map_path : str
        As in `helpers.cohort.load_cohort`; every machine must have the file at that path.
    asked : list of Specification
    log : Path
        What was done; another cohort file, mapping or option makes other tasks.
    jobs : int, optional
    estimators, time_zeros : dict, optional
        Plug-ins by name, each as "module:function", which any process can import.
    chunk : int
        Specifications in one task.
    **options
        floor, events_per_term, engine, as in `helpers.estimators.multiverse.answer`.

    Returns
    -------
    DataFrame
        As `helpers.estimators.multiverse.multiverse`.
    """
    plugs = {"estimators": estimators or {}, "time_zeros": time_zeros or {}}
    given = json.dumps(options | plugs, sort_keys=True)
    parts = [asked[k : k + chunk] for k in range(0, len(asked), chunk)]
    tasks = [
        (path, map_path, file_digest(path, map_path), given, json.dumps([s.text() for s in part]))
        for part in parts
    ]
    found = run_tasks(tasks, answer_chunk, log, jobs=jobs, about="specifications")
    rows = [row for part in found.values() for row in part]
    return multiverse(load_cohort(path, map_path), asked, rows=rows)


def answer_chunk(path: str, map_path: str, digest: str, given: str, texts: str) -> list[dict]:
    """One task: some specifications, as canonical texts, answered."""
    cohort = loaded(path, map_path, digest)
    options = json.loads(given)
    for kind in ("estimators", "time_zeros"):
        options[kind] = {name: imported(where) for name, where in options[kind].items()}
    return [answer(cohort, Specification.read(text), **options) for text in json.loads(texts)]


def imported(where: str) -> Callable:
    """The function at "module:function"."""
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)
