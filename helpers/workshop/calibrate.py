"""`python -m helpers calibrate --seed N`: find cohorts that print what a paper printed.

A member is numbered, and its random numbers depend on the seed and that number alone, so the
same members come out whatever the number of workers, and a killed search goes on where it was.
"""

import hashlib
import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.loading.cells import write_csv
from helpers.rebuild.claims import build
from helpers.rebuild.misses import miss_table, nearest_miss, unmet_together
from helpers.rebuild.paper import as_member, drawn, first_endpoint
from helpers.rebuild.patients import cohort_frame
from helpers.rebuild.rebuilt_rows import write_rebuilt
from helpers.rebuild.staged import attempt
from helpers.rebuild.state import State
from helpers.workshop.tasks import run_tasks

TRIES = 60  # attempts for one member before it is given up
PARTS = ("time", "event", "flag")  # of a State
DELETION = 4  # searches for each set of claims when those that cannot be met together are sought


def find_member(seed: int, number: int, readings: dict[str, str] | None = None) -> dict | None:
    """One member from scratch; None when it is given up.

    Returns
    -------
    dict or None
        seed, attempt (its number), tries, table (index into `helpers.rebuild.paper.tables`), and
        lists of 93 whole numbers: pfs_time, pfs_event, os_time, os_event, ecog_3plus, ipi_3plus;
        the CD20 arm first.
    """
    for k in range(TRIES):
        rng = np.random.default_rng([seed, number, k])
        problem, table = drawn(rng, readings)
        state, loss = attempt(problem, rng, first=first_endpoint(readings))
        member = as_member(state, seed=seed, attempt=number, tries=k + 1, table=table)
        # The response table and the other columns must fit the times, or it is no member.
        if loss == 0 and cohort_frame(member) is not None:
            return member
    return None


def write_cohort(member: dict, path: Path) -> pd.DataFrame:
    """Write a member as a cohort CSV."""
    frame = cohort_frame(member)
    write_csv(frame, path)
    return frame


@lru_cache(1)
def problem_of(content: str):
    """The problem of a checked claims file, as JSON: built once in each process."""
    return build(json.loads(content))


def search_claims(seed: int, number: int, content: str) -> dict:
    """One numbered search for any paper: the rows it ends with and its loss, 0 when all is met."""
    state, loss = nearest_miss(problem_of(content), np.random.default_rng([seed, number]))
    return {"loss": loss} | as_lists(state)


def as_lists(state: State) -> dict[str, list]:
    """The rows of a search, as JSON can hold them."""
    return {name: getattr(state, name).astype(int).tolist() for name in PARTS}


def state_of(result: dict) -> State:
    """The rows of a search from `as_lists`."""
    time, event, flag = (np.array(result[name]) for name in PARTS)
    return State(time.astype(float), event, flag)


def rebuild(
    content: dict,
    folder: Path,
    *,
    seed: int,
    members: int,
    tries: int,
    jobs: int | None = None,
    say: Callable[[int, dict], None] = lambda done, best: None,
) -> tuple[list[Path], dict]:
    """Search for cohorts of a checked claims file, and write each with its mapping.

    Parameters
    ----------
    tries : int
        Searches in all, at most.
    say : callable
        Told after some searches how many are done, and what the nearest gave.

    Returns
    -------
    list of Path, dict
        The CSV files, and of the search that came nearest what `search_claims` gives.
    """
    text = json.dumps(content, sort_keys=False)
    log = folder / f"searches_{hashlib.sha256(text.encode()).hexdigest()[:12]}.jsonl"
    paths, results, problem = [], [], problem_of(text)
    while len(paths) < members and len(results) < tries:
        ahead = min(max(members - len(paths), 2), tries - len(results))
        tasks = [(seed, len(results) + k, text) for k in range(ahead)]
        for result in run_tasks(tasks, search_claims, log, jobs=jobs, about="searches").values():
            number = len(results)
            results.append(result)
            if result["loss"] == 0 and len(paths) < members:
                path = folder / f"cohort_{seed}_{number:05d}.csv"
                rng = np.random.default_rng([seed, number, 1])
                paths.append(write_rebuilt(content, problem, state_of(result), rng, path)[0])
        say(len(results), min(results, key=lambda r: r["loss"]))
    return paths, min(results, key=lambda r: r["loss"])


def nearest_table(content: dict, nearest: dict) -> pd.DataFrame:
    """What the nearest search reached of each number (`helpers.rebuild.misses.miss_table`)."""
    return miss_table(problem_of(json.dumps(content, sort_keys=False)), state_of(nearest))


def not_together(content: dict, nearest: dict, *, seed: int) -> list[str]:
    """Claims that were not found together in some searches; no proof."""
    problem = problem_of(json.dumps(content, sort_keys=False))
    return unmet_together(problem, seed, DELETION, state_of(nearest))
