"""Patients for the exercises on fragility and on many analyses, and the right answers to them.

The answers take other roads than the solutions do, and follow the seed of a run.
"""

import numpy as np
import pandas as pd
from lifelines.statistics import logrank_test

from helpers.estimators.fragility import ALPHA
from helpers.pages.robust_worlds import INFUSED, OTHER, against_truth
from helpers.simulate.cohort import simulate_cohort
from helpers.simulate.dials import Dials

WRONG = Dials(patients=600, wait_mean=90.0, failure_share=0.07, shape=0.6)  # without any effect


def simulate_immortal(seed: int) -> pd.DataFrame:
    """Simulate patients in whom the treatment does nothing, analysed as if it began at failure.

    Returns
    -------
    DataFrame
        day, event (1 death, 0 censored), arm: infused for whoever was ever infused.
    """
    made = simulate_cohort(WRONG, [seed, 9])
    arm = np.where(made["infused"] == 1, INFUSED, OTHER)
    return pd.DataFrame({"day": made["os_time"], "event": made["os_event"], "arm": arm})


def index_and_answer(patients: pd.DataFrame) -> tuple[int, str]:
    """Moves of the longest observed until P is 0.05 or more, by lifelines; and against what
    a large index speaks."""
    arm = (patients["arm"] == INFUSED).to_numpy()
    order = patients.assign(treated=arm).sort_values("day", ascending=False).index
    for moved, who in enumerate([None, *order[arm[order]]]):
        if who is not None:
            arm[who] = False
        groups = [patients.loc[part, c] for c in ("day", "event") for part in (arm, ~arm)]
        if logrank_test(*groups).p_value >= ALPHA:
            return moved, "chance"
    return len(order), "chance"


def holding(table: pd.DataFrame) -> tuple[int, int]:
    """Of the analyses that avoid both biases, those whose interval holds the truth, and all of
    them."""
    found = against_truth(table)
    kept = found[(found["covariates"] == "both") & ~found["clock"].str.startswith("failure")]
    return int(kept["holding"].sum()), int(kept["analyses"].sum())
