"""`python -m helpers calibrate --seed N`: find cohorts that print what the paper printed.

An attempt is numbered, and its random numbers depend on the seed and that number alone, so the
same members come out whatever the number of workers, and a killed search goes on where it was.
"""

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.workshop.claim import printed_claim
from helpers.workshop.patients import cohort_frame
from helpers.workshop.search import (
    IPI_TABLES,
    MOST_CONTROLS_ECOG,
    N,
    stage_first,
    stage_second,
    stage_third,
)

STEPS = (60_000, 60_000, 120_000)
ECOG_SIZES = range(6, 14)  # patients of the CD20 arm with ECOG >= 3: searches found 6 to 13
BATCH = 8  # attempts handed out at a time, so that a stop loses little


def attempt(seed: int, number: int) -> dict | None:
    """One attempt from scratch: the times, events and flags of a member, or None.

    Returns
    -------
    dict or None
        seed, attempt, table (index into IPI_TABLES), and lists of N whole numbers: pfs_time,
        pfs_event, os_time, os_event, ecog_3plus, ipi_3plus; the CD20 arm first.
    """
    rng = np.random.default_rng([seed, number])
    pfs_time, os_time = np.zeros(N), np.zeros(N)
    pfs_event, os_event, ecog, ipi = (np.zeros(N, dtype=np.int64) for _ in range(4))
    table = int(rng.integers(len(IPI_TABLES)))
    sizes = int(rng.choice(ECOG_SIZES)), int(rng.integers(2, MOST_CONTROLS_ECOG + 1))
    first = slice(0, 54)
    start = int(rng.integers(2**31))
    claim = printed_claim()
    if stage_first(
        claim, start, sizes[0], STEPS[0], pfs_time[first], pfs_event[first], ecog[first]
    ):
        return None
    if stage_second(
        claim, IPI_TABLES[table][0], sizes[1], STEPS[1], pfs_time, pfs_event, ecog, ipi
    ):
        return None
    if stage_third(claim, STEPS[2], pfs_time, pfs_event, os_time, os_event, ecog, ipi):
        return None
    columns = {
        "pfs_time": pfs_time, "pfs_event": pfs_event, "os_time": os_time, "os_event": os_event,
        "ecog_3plus": ecog, "ipi_3plus": ipi,
    }  # fmt: skip
    found = {name: values.astype(int).tolist() for name, values in columns.items()}
    found |= {"seed": seed, "attempt": number, "table": table}
    # The response table and the other columns must fit the times, or it is no member.
    return found if cohort_frame(found) is not None else None


def search(
    seed: int, members: int, log: Path, *, jobs: int = 1, report: Callable[[int, int], None]
) -> Iterator[dict]:
    """Attempts 0, 1, 2, ... until enough of them are members, in the order of their numbers.

    Parameters
    ----------
    seed, members : int
    log : Path
        One JSON line per attempt made; what stands there is not tried again.
    jobs : int
        Processes at once; the members do not depend on it.
    report : callable
        Called with the attempts made and the members found after each batch.
    """
    from joblib import Parallel, delayed

    log.parent.mkdir(parents=True, exist_ok=True)
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    done = {row["attempt"]: row["member"] for row in map(json.loads, lines) if row["seed"] == seed}
    found = 0
    with Parallel(n_jobs=jobs) as pool, log.open("a", encoding="utf-8") as file:
        for start in count(0, BATCH):
            numbers = range(start, start + BATCH)
            fresh = [n for n in numbers if n not in done]
            for number, member in zip(
                fresh, pool(delayed(attempt)(seed, n) for n in fresh), strict=True
            ):
                done[number] = member
                file.write(json.dumps({"seed": seed, "attempt": number, "member": member}) + "\n")
            file.flush()
            for number in numbers:
                if done[number] is not None:
                    yield done[number]
                    found += 1
                    if found == members:
                        report(number + 1, found)
                        return
            report(start + BATCH, found)


def write_cohort(member: dict, path: Path) -> pd.DataFrame:
    """Write a member as a cohort CSV."""
    frame = cohort_frame(member)
    frame.to_csv(path, index=False, lineterminator="\n")
    return frame
