"""A made cohort with a known truth, for a multiverse: when the clock starts is one of its choices.

The made patients are all seen from failure on, so that the four ways to deal with the wait for an
infusion can be tried on the same people: taking whoever was ever infused as treated from failure
on, a landmark, a treatment that begins on its day, and a clock that starts at infusion.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from helpers.cohort import Cohort, load_cohort
from helpers.conventions import TIES
from helpers.estimators.moved import SCALE
from helpers.estimators.multiverse import NONE, PLAIN, Specification, multiverse, specifications
from helpers.estimators.plugs import propensity_weighted
from helpers.estimators.treatment_time import time_dependent_cox
from helpers.loading.cells import write_csv
from helpers.pages.robust_choices import WEIGHTED
from helpers.simulate.cohort import from_infusion, simulate_cohort
from helpers.simulate.dials import Dials
from helpers.words import number

INFUSED, OTHER = "infused", "other treatment"
COVARIATES = ["burden", "ecog"]
LANDMARK = 60.0  # days: by then most of those who will be infused have been
TURNING = "treatment begins on its day"
BY_THEN, AT_INFUSION = f"day {LANDMARK:g}, infused by then", "infusion"
CLOCKS = {NONE: "failure, ever infused", BY_THEN: BY_THEN, AT_INFUSION: AT_INFUSION}
PATIENTS = 930  # ten times the study, so that choices show and not chance
DIALS = Dials(
    patients=PATIENTS, log_hr_death=float(np.log(0.7)), log_hr_progression_free=float(np.log(0.7)),
    wait_mean=45.0, failure_share=0.07, ecog_on_choice=-0.6, burden_on_choice=-0.5,
    ecog_on_death=0.5, burden_on_death=0.4,
)  # fmt: skip
STATUS = "Simulated patients of a known truth"
MAPPING = f"""name: simulated cohort, {PATIENTS} made patients
status: synthetic
about: Made patients, followed from failure, half of whom were chosen for an infusion.
time_zero: failure
time_unit: days
reference_arm: {OTHER}
mask_below: 0
factors:
  burden: {{label: Tumour burden, unit: SD}}
"""


@cache
def made(seed: int) -> tuple[Cohort, pd.DataFrame]:
    """A made cohort, read as a file of the reader's would be, and all that is known of it."""
    frame = simulate_cohort(DIALS, seed)
    shown = frame[["ecog", "burden", "os_time", "os_event"]].assign(
        arm=np.where(frame["infused"] == 1, INFUSED, OTHER),
        patient_id=[f"M-{k:04}" for k in range(1, len(frame) + 1)],
    )
    with TemporaryDirectory() as folder:
        path, mapping = Path(folder) / "made.csv", Path(folder) / "made.yaml"
        write_csv(shown, path)
        mapping.write_text(MAPPING, encoding="utf-8")
        return load_cohort(path, mapping), frame


def with_patients(cohort: Cohort, frame: pd.DataFrame, treated, time) -> Cohort:
    """The cohort with other patients, arms and times, each in the row that it came from."""
    data = cohort.frame.loc[frame.index].assign(os_time=np.asarray(time, float))
    arm = np.where(np.asarray(treated, bool), INFUSED, OTHER)
    return replace(cohort, frame=data.assign(arm=arm).reset_index(drop=True))


def plugs(frame: pd.DataFrame) -> dict[str, dict]:
    """Clocks and estimators that know the day of infusion, for `multiverse`."""
    given = frame["infusion_day"]

    def landmark(cohort: Cohort) -> Cohort:
        stays = frame[frame["os_time"] > LANDMARK]
        return with_patients(cohort, stays, given[stays.index] <= LANDMARK,
                             stays["os_time"] - LANDMARK)  # fmt: skip

    def infusion(cohort: Cohort) -> Cohort:
        kept = frame[(frame["chosen"] == 0) | (frame["infused"] == 1)]
        start = from_infusion(frame)  # the same rows, numbered anew
        return with_patients(cohort, kept, start["infused"] == 1, start["os_time"])

    def turning(data: pd.DataFrame, reference: str, adjust: list[str]) -> pd.Series:
        whole = data.assign(given=given.loc[data.index])
        # An infusion after the end of a follow-up that was cut is as good as none.
        return time_dependent_cox(whole, time="_time", event="_event", treated_on="given",
                                  covariates=adjust).iloc[0]  # fmt: skip

    turning.tieless = True  # it is given no rule
    return {"time_zeros": {BY_THEN: landmark, AT_INFUSION: infusion},
            "estimators": {WEIGHTED: propensity_weighted, TURNING: turning}}  # fmt: skip


def asked_of(cohort: Cohort) -> list[Specification]:
    """All ways through the choices that make sense for the made cohort."""
    every = specifications(
        cohort, endpoints=["os"], covariates=COVARIATES, censor_at=(None, 730.0),
        estimators=(PLAIN, WEIGHTED, TURNING), time_zeros=tuple(CLOCKS),
    )  # fmt: skip
    return [one for one in every if makes_sense(one)]


def makes_sense(one: Specification) -> bool:
    """No weights made of nothing; a treatment that turns on the clock of failure alone; the rule
    for ties, of which these days have none, where it can be had for nothing."""
    if one.estimator == WEIGHTED:
        return bool(one.adjust) and one.ties == TIES
    return one.estimator == PLAIN or (one.time_zero == NONE and one.ties == TIES)


def many_analyses(seed: int) -> tuple[pd.DataFrame, list[Specification], Cohort]:
    """The multiverse of the made cohort, what was asked, and the cohort."""
    cohort, frame = made(seed)
    asked = asked_of(cohort)
    return multiverse(cohort, asked, **plugs(frame)), asked, cohort


def true_log_ratio() -> float:
    """The true log hazard ratio of death given the covariates, from infusion on."""
    return DIALS.log_hr_death


def approach(row) -> str:
    """How an analysis deals with the wait, in words."""
    return TURNING if row["estimator"] == TURNING else CLOCKS[row["time_zero"]]


def holds(table: pd.DataFrame) -> pd.Series:
    """Whether the interval of each analysis holds the truth."""
    return table["conf_low"].le(true_log_ratio()) & table["conf_high"].ge(true_log_ratio())


def against_truth(table: pd.DataFrame) -> pd.DataFrame:
    """By clock and covariates: how many analyses, their ratios, how many hold the truth.

    Returns
    -------
    DataFrame
        clock, covariates (none, one, both), analyses, lowest, highest (log hazard ratio), holding.
    """
    known = table[table["estimate"].notna() & (table["scale"] == SCALE)]
    sizes = known["adjust"].map(lambda s: 0 if s == NONE else len(s.split(" + ")))
    known = known.assign(
        clock=known.apply(approach, axis=1), holding=holds(known),
        covariates=sizes.map({0: "none", 1: "one", 2: "both"}),
    )  # fmt: skip
    order = {name: k for k, name in enumerate([*CLOCKS.values(), TURNING])}
    groups = known.groupby(["clock", "covariates"], sort=False)
    found = groups.agg(analyses=("estimate", "size"), lowest=("estimate", "min"),
                       highest=("estimate", "max"), holding=("holding", "sum"))  # fmt: skip
    rank = {"none": 0, "one": 1, "both": 2}
    return found.reset_index().sort_values(
        ["clock", "covariates"], key=lambda s: s.map(order | rank), ignore_index=True
    )  # fmt: skip


def against_truth_text(found: pd.DataFrame) -> pd.DataFrame:
    """As a table to read."""
    low, high = (np.exp(found[c]).map(number) for c in ("lowest", "highest"))
    return pd.DataFrame({
        "clock starts at": found["clock"].where(found["clock"] != found["clock"].shift(), ""),
        "covariates used": found["covariates"], "analyses": found["analyses"],
        "hazard ratios": low.where(low == high, low + " to " + high),
        "intervals that hold the truth": found["holding"],
    })  # fmt: skip


def read_truth(table: pd.DataFrame) -> str:
    """Where the truth lies in the curve, in a sentence or two."""
    known = table[table["estimate"].notna()]
    truth, n = true_log_ratio(), len(known)
    below, inside = int((known["estimate"] < truth).sum()), int(holds(known).sum())
    return (
        f"The true ratio is {number(np.exp(truth))}, and the middle of the {n} analyses "
        f"{number(np.exp(known['estimate'].median()))}: {below} of the {n} lie below the truth, "
        f"and the intervals of {inside} hold it. A vote of analyses would have been wrong."
        if below > n / 2 and inside < n / 2
        else f"The true ratio is {number(np.exp(truth))}; {below} of the {n} analyses lie below "
        f"it, and the intervals of {inside} hold it."
    )
