"""Shuffled arms and redrawn patients in numbered tasks: the same for any number of processes."""

from pathlib import Path

import numpy as np
import pandas as pd

from helpers.analysis import Answer, analyse
from helpers.estimators.permutation import shuffled
from helpers.estimators.stability import bootstrap_replicates, chunks
from helpers.pages.robust_fragile import chance, two_groups
from helpers.view import View
from helpers.workshop.cohort_of_tasks import file_digest, loaded
from helpers.workshop.tasks import run_tasks

SHUFFLES, RESAMPLES = "shuffles", "resamples"


def run_resampling(
    path: str, map_path: str, view: View, log: Path, *, seed: int, shuffles: int, resamples: int,
    jobs: int | None = None,
) -> tuple[Answer, pd.DataFrame]:  # fmt: skip
    """P and hazard ratio of a View's two groups by formula, shuffling and bootstrap.

    Parameters
    ----------
    path, map_path : str
        As in `helpers.cohort.load_cohort`; every machine must have the file at that path.
    view : View
    log : Path
        What was done; another file, View or seed makes other tasks.
    seed, shuffles, resamples : int
    jobs : int, optional

    Returns
    -------
    Answer, DataFrame
        The View answered, and the table of `helpers.pages.robust_fragile.chance`.

    Raises
    ------
    NotEstimable
        There are no two groups to compare.
    """
    digest = file_digest(path, map_path)
    answer = analyse(loaded(path, map_path, digest), view)
    two_groups(answer)  # refuses before any task is begun
    tasks = [
        (path, map_path, digest, view.text(), kind, seed, *part)
        for kind, number in ((SHUFFLES, shuffles), (RESAMPLES, resamples))
        for part in chunks(number)
    ]
    found = list(run_tasks(tasks, draw_part, log, jobs=jobs, about="draws").values())
    drawn, replicates = (
        np.concatenate([np.array(f, float) for f, task in zip(found, tasks, strict=True)
                        if task[4] == kind])
        for kind in (SHUFFLES, RESAMPLES)
    )  # fmt: skip
    return answer, chance(answer, seed=seed, shuffles=shuffles, resamples=resamples, drawn=drawn,
                          replicates=replicates)  # fmt: skip


def draw_part(path: str, map_path: str, digest: str, view: str, kind: str, seed: int, part: int,
              number: int) -> list:  # fmt: skip
    """One task: one part of the shuffles or of the resamples."""
    frame, keys, cox = two_groups(analyse(loaded(path, map_path, digest), View.read(view)))
    draw = {"seed": seed, "part": part, "number": number}
    if kind == SHUFFLES:
        return shuffled(frame, **keys, **draw).tolist()
    return bootstrap_replicates(frame, **cox, **draw).tolist()
