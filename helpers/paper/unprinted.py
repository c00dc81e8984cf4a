"""Numbers that the paper did not print and other cohorts could have shown: names, units, values.

One list, so that a range, a table beside it and a cohort's own value speak of the same quantity.
The search measures each by compiled code of its own (`helpers.rebuild.quantities`); a test holds
the two equal. Nothing here reads a file of found cohorts, and nothing waits for a compiler.
"""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.analysis import Answer, analyse
from helpers.cohort import Cohort
from helpers.conventions import DAYS_PER_MONTH
from helpers.estimators.nonproportional import ph_test
from helpers.selection import EVENT, GROUP, TIME, Notes, select
from helpers.view import View, Where

ENDPOINTS = ("pfs", "os")
MONTHS = (6, 12)  # of which survival is asked for
HORIZON = 365  # days, of the restricted mean
LANDMARK = 91  # days, about three months
ARMS = {"cd20": "CD20 CAR-T", "noncart": "non-CAR-T"}


class Unit(NamedTuple):
    """How a value is shown: from the scale of the search, and back."""

    name: str
    digits: int
    factor: float = 1.0
    log: bool = False

    def show(self, value):
        """Values of the search's scale in the unit of the page."""
        value = np.asarray(value, float)
        return np.exp(value) if self.log else value * self.factor

    def back(self, value):
        """Values in the unit of the page on the scale of the search."""
        value = np.asarray(value, float)
        return np.log(value) if self.log else value / self.factor

    def text(self, value: float) -> str:
        """A value in the unit of the page, as it is printed there."""
        if not np.isfinite(value):
            return "–"
        if self.name == "P":
            return "< 0.0001" if value < 0.0001 else f"{value:.2g}"
        if self.name == "ratio" and value < 0.0995:
            return f"{value:.2g}"
        return f"{round(value, self.digits) + 0.0:.{self.digits}f}{'%' * (self.name == 'percent')}"


UNITS = {
    "percent": Unit("percent", 0, 100.0), "points": Unit("points", 0, 100.0),
    "months": Unit("months", 1, 1 / DAYS_PER_MONTH), "count": Unit("count", 0),
    "ratio": Unit("ratio", 2, log=True), "P": Unit("P", 4, log=True),
}  # fmt: skip


class Quantity(NamedTuple):
    """A number that was not printed: its name, endpoint, label, and the name of its unit."""

    name: str
    endpoint: str
    label: str
    unit: str


def unprinted() -> dict[str, Quantity]:
    """Every quantity by its name, in the order in which they are shown.

    Examples
    --------
    >>> unprinted()["os_12_cd20"].label, len(unprinted())
    ('12-month OS, CD20 CAR-T', 24)
    """
    found = []
    for end in ENDPOINTS:
        up = end.upper()
        for months in MONTHS:
            found += [
                (f"{end}_{months}_{key}", end, f"{months}-month {up}, {arm}", "percent")
                for key, arm in ARMS.items()
            ]
            found.append((f"{end}_{months}_diff", end, f"{months}-month {up}, difference",
                          "points"))  # fmt: skip
        for key, label, unit in (
            ("rmst", "mean time gained in 12 months", "months"),
            ("events", "events", "count"),
            ("hr", "unadjusted hazard ratio", "ratio"),
            ("hr_ecog", "hazard ratio within ECOG 0-2", "ratio"),
            ("hr_landmark", "hazard ratio from month 3 on", "ratio"),
            ("ph", "P of the test of proportional hazards", "P"),
        ):
            found.append((f"{end}_{key}", end, f"{up}: {label}", unit))
    return {row[0]: Quantity(*row) for row in found}


def values(cohort: Cohort) -> pd.Series:
    """Every unprinted quantity of a cohort by `analyse`, in the unit of the page.

    Parameters
    ----------
    cohort : Cohort
        With endpoints pfs and os, and ECOG.

    Returns
    -------
    Series
        By name; NaN where one is not defined.
    """
    found = {}
    for end in ENDPOINTS:
        days = {f"{end}_{m}": float(math.floor(m * DAYS_PER_MONTH)) for m in MONTHS}
        answer = analyse(
            cohort, View(endpoint=end, horizon=HORIZON), times=list(days.values()), floor=0
        )
        stones = answer.milestones[answer.milestones["kind"] == "survival"]
        share = stones.set_index(["time", "group"])["estimate"].astype(float)
        for name, day in days.items():
            both = [share.get((day, arm), np.nan) for arm in cohort.arms]
            found |= {f"{name}_{key}": 100 * v for key, v in zip(ARMS, both, strict=True)}
            found[f"{name}_diff"] = 100 * (both[0] - both[1])
        found[f"{end}_rmst"] = mean_gained(answer)
        found[f"{end}_events"] = float(answer.counts["events"].sum())
        low_ecog = (Where("ecog", max=2),)
        found[f"{end}_hr"] = ratio(answer)
        found[f"{end}_hr_ecog"] = ratio(
            analyse(cohort, View(endpoint=end, where=low_ecog), floor=0)
        )
        found[f"{end}_hr_landmark"] = ratio(
            analyse(cohort, View(endpoint=end, landmark=LANDMARK), floor=0)
        )
        found[f"{end}_ph"] = proportional_p(answer)
    return pd.Series(found)[list(unprinted())]


def mean_gained(answer: Answer) -> float:
    """Months gained up to the horizon; NaN where an arm is not observed so far."""
    if answer.rmst.empty:
        return np.nan
    means = answer.rmst.set_index("group")["estimate"].astype(float)
    return float(means[answer.groups[0]] - means[answer.groups[1]]) / DAYS_PER_MONTH


def ratio(answer: Answer) -> float:
    """The unadjusted hazard ratio of an answer's two groups."""
    rows = answer.model[answer.model["model"] == "unadjusted"]
    return float(np.exp(rows["estimate"].iloc[0])) if len(rows) == 1 else np.nan


def proportional_p(answer: Answer) -> float:
    """P of the score test of a drift of the unadjusted ratio, with R's transform of time."""
    people = select(answer.cohort, answer.view, Notes()).data
    names = {"time": TIME, "event": EVENT, "covariates": [GROUP]}
    table = ph_test(people, **names, references={GROUP: answer.groups[-1]})
    return float(table["p_value"].iloc[0])
