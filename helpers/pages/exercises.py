"""Whose cohort an exercise asks about, and the right answers to exercises about a cohort.

`cohort_for` is the one place where the random seed of a run chooses a cohort: a class whose
notebooks were run with different seeds has different numbers and the same answers to argue. The
right answers are computed here, by other roads than the solutions take, so that a notebook without
its solutions gives none away.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from helpers.analysis import Answer, analyse
from helpers.cohort import PAPER_COHORT, SECOND_COHORT, Cohort, load_cohort
from helpers.conventions import DAYS_PER_MONTH
from helpers.loading.cells import write_csv
from helpers.pages.describe import EVALUABLE
from helpers.paper import pinned
from helpers.regression import cox_table
from helpers.view import View
from helpers.words import plain

SEED = 20240625  # the seed that the committed pages were run with


def calibrated() -> tuple[str | int, ...]:
    """The cohorts that print the published numbers, the one of the pages first.

    Files, and then numbers of the members of data/ensemble, where that is there.
    """
    found = tuple(pinned.members().index) if pinned.is_there() else ()
    return (PAPER_COHORT, SECOND_COHORT, *found)


def load_calibrated(which: str | int) -> Cohort:
    """One of `calibrated` as a cohort of the paper."""
    if isinstance(which, str):
        return load_cohort(which)
    from helpers.rebuild.patients import cohort_frame  # compiled code, for other seeds only

    with TemporaryDirectory() as folder:
        path = Path(folder) / f"member_{which}.csv"
        write_csv(cohort_frame(pinned.member(which)), path)
        return load_cohort(path, member=True)


def chosen(seed: int) -> int:
    """The place of the cohort of a seed among `calibrated`, counted from 0."""
    return (seed - SEED) % len(calibrated())


def cohort_for(cohort: Cohort, seed: int) -> Cohort:
    """The cohort that the exercises of a page ask about.

    Parameters
    ----------
    cohort : Cohort
        The cohort of the page.
    seed : int
        The random seed of the run. The published one gives the cohort of the page; others go
        round those of `calibrated`, so that neighbours in a class have different ones.

    Returns
    -------
    Cohort
        A reader's own cohort is always asked itself.
    """
    if not cohort.is_paper or chosen(seed) == 0:
        return cohort
    return load_calibrated(calibrated()[chosen(seed)])


def read_cohort(cohort: Cohort, seed: int) -> str:
    """Which cohort the exercises ask about, and what chose it."""
    if not cohort.is_paper:
        return (
            f"Exercises about a cohort ask yours, {plain(cohort.name)}, whatever the seed; it is "
            "called `mine` in them."
        )
    n = len(calibrated())
    if cohort_for(cohort, seed).frame.equals(cohort.frame):
        which = f"the cohort of this page, one of {n} that print the same numbers"
    else:
        which = (
            f"number {chosen(seed) + 1} of {n} cohorts that print the same numbers, not the one of "
            "the figures and tables"
        )
    return (
        f"Exercises about a cohort ask {which}; it is called `mine` in them. `SEED = {seed}` "
        "chose it, and the next seed chooses the next."
    )


def at_risk(answer: Answer) -> float:
    """Patients of the first group who are at risk at the horizon (exercise 00-2)."""
    table = answer.risk_table
    found = table[(table["group"] == answer.groups[0]) & (table["time"] == answer.view.horizon)]
    return float(found["n_risk"].iloc[0]) if len(found) else np.nan


def swapped(answer: Answer) -> tuple[float, float, float]:
    """Hazard ratio and its limits, the first two groups the other way round (exercise 00-3)."""
    model = answer.model
    rows = model[model["model"] == "unadjusted"] if len(model) else model
    if len(answer.groups) != 2 or rows.empty:
        return (np.nan,) * 3
    row = rows.iloc[0]
    return tuple(float(np.exp(-row[c])) for c in ("estimate", "conf_high", "conf_low"))


def at_horizon(cohort: Cohort, view: View) -> tuple[int, int, int]:
    """Patients of the first arm with the event before the horizon, left without it, and watched
    (exercise 01-1)."""
    answer = analyse(cohort, View(endpoint=view.endpoint, horizon=view.horizon))
    curve = answer.curves[answer.curves["group"] == cohort.arms[0]]
    events = int(curve.loc[curve["time"] < view.horizon, "n_event"].sum())
    known = cohort.frame.loc[cohort.frame["arm"] == cohort.arms[0], f"{view.endpoint}_time"]
    watched = int(at_risk(answer))
    return events, int(known.notna().sum()) - events - watched, watched


def smd_ecog(cohort: Cohort) -> tuple[float, float]:
    """Standardised mean difference of ECOG, as a number and as categories (exercise 01-2)."""
    frame = cohort.frame.dropna(subset=["ecog"])
    first, other = (frame.loc[frame["arm"] == arm, "ecog"].to_numpy() for arm in cohort.arms)
    if min(len(first), len(other)) < 2:
        return np.nan, np.nan
    as_number = abs(first.mean() - other.mean()) / np.sqrt(
        (first.var(ddof=1) + other.var(ddof=1)) / 2
    )
    # All levels but one: the last share follows from the others.
    levels = np.unique(np.r_[first, other])[:-1]
    marks = [(part[:, None] == levels).astype(float) for part in (first, other)]
    gap = marks[0].mean(axis=0) - marks[1].mean(axis=0)
    spread = sum(np.atleast_2d(np.cov(part.T, ddof=0)) for part in marks) / 2
    return float(as_number), float(np.sqrt(gap @ np.linalg.lstsq(spread, gap, rcond=None)[0]))


def three_rates(cohort: Cohort) -> tuple[float, float, float]:
    """Overall response of the second arm, those not judged as failures, left out, and as
    responders (exercise 02-3)."""
    codes = cohort.frame.loc[cohort.frame["arm"] == cohort.arms[1], "response"]
    count = codes.value_counts()
    judged, responded = (sum(count.get(c, 0) for c in part) for part in (EVALUABLE, ("CR", "PR")))
    n = len(codes)
    return responded / n, responded / judged if judged else np.nan, (responded + n - judged) / n


def maxcombo(tests: pd.DataFrame) -> tuple[float, float, float]:
    """Least and most that MaxCombo's P can be, and what it is, each over the smallest of its four
    P, for the first endpoint (exercise 03-2)."""
    p = tests[tests["endpoint"] == tests["endpoint"].iloc[0]].set_index("name")["p_value"]
    four = p[p.index.str.startswith(("log-rank", "Fleming"))]
    if "MaxCombo" not in p:
        return (np.nan,) * 3
    return 1.0, float(len(four)), p["MaxCombo"] / four.min()


def early_harm(cohort: Cohort, view: View) -> tuple[float, float, str]:
    """Events per 100 person-months of each arm if one patient in ten is harmed early, and the arm
    with the lower rate (exercise 06-2)."""
    time = cohort.frame.groupby("arm")[f"{view.endpoint}_time"].mean() / DAYS_PER_MONTH
    rates = [10 / time[arm] if time[arm] > 0 else np.nan for arm in cohort.arms]
    return *rates, cohort.arms[int(np.nanargmin(rates))]


def either_toxicity(cohort: Cohort) -> tuple[int, int, int]:
    """Fewest and most patients with a grade of 3 or more of either toxicity that two counts allow,
    and how many there are (exercise 06-3)."""
    crs, icans = ({*cohort.frame.index[cohort.frame[c] >= 3]} for c in ("crs_grade", "icans_grade"))
    return max(len(crs), len(icans)), len(crs) + len(icans), len(crs | icans)


def ratio_and_place(cohort: Cohort) -> tuple[float, str]:
    """Unadjusted hazard ratio of OS, and whether it lies "inside" or "outside" what printed
    numbers alone allow (exercise 10-3)."""
    found = cox_table(cohort.frame, time="os_time", event="os_event", covariates=["arm"],
                      references={"arm": cohort.reference_arm})  # fmt: skip
    mine, ends = float(np.exp(found["estimate"].iloc[0])), pinned.ranges().loc["os_hr"]
    within = ends["print_low"] - 1e-6 <= mine <= ends["print_high"] + 1e-6
    return mine, "inside" if within else "outside"
