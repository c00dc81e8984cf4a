"""`python -m helpers calibrate --seed N`: find cohorts that print what the paper printed.

A member is numbered, and its random numbers depend on the seed and that number alone, so the
same members come out whatever the number of workers, and a killed search goes on where it was.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from helpers.rebuild.paper import as_member, drawn, first_endpoint
from helpers.rebuild.patients import cohort_frame
from helpers.rebuild.staged import attempt

TRIES = 60  # attempts for one member before it is given up


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
    frame.to_csv(path, index=False, lineterminator="\n")
    return frame
