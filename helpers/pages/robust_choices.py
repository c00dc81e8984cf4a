"""Which analyses of a cohort are offered to a multiverse, by a rule that looks at no outcome."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.cohort import Cohort
from helpers.conventions import TIES
from helpers.estimators.moved import directions, spread
from helpers.estimators.multiverse import (
    PLAIN,
    Specification,
    covariate_sets,
    distinct_columns,
    multiverse,
    specifications,
)
from helpers.estimators.plugs import mean_to_year_1, propensity_weighted
from helpers.labels import counted, verb
from helpers.pages.covariates import at_start
from helpers.pages.cox_page import with_adjustment
from helpers.view import View
from helpers.words import number, plain

LANDMARKS = (0.0, 90.0)  # days; chosen before looking at any cohort
ENDS = (None, 730.0)  # days at which follow-up may be cut
WEIGHTED, MEANS = "propensity weights", "restricted mean"
ESTIMATORS = {WEIGHTED: propensity_weighted, MEANS: mean_to_year_1}
# The same by names that other processes can import.
PLUGS = {name: f"{plug.__module__}:{plug.__name__}" for name, plug in ESTIMATORS.items()}
ALL_SETS, MOST_TRIED = 4, 12  # covariates of which every set, and of which some, are tried
RULE = (
    "Offered are every endpoint; the covariates that the View names, or else every column known at "
    f"the start for every patient where those are no more than {MOST_TRIED}: up to {ALL_SETS} of "
    "them in every set, more of them none, each, all but one and all; both rules for ties; the "
    "clock as it is or from day 90; follow-up as it is or cut at day 730; a Cox model with the "
    "covariates in it, or one weighted by the propensity score they make; and, without covariates, "
    "the restricted mean to day 365."
)


def offered(cohort: Cohort, view: View | None = None) -> list[Specification]:
    """The analyses of the arms of a cohort that anybody might have done.

    Parameters
    ----------
    cohort : Cohort
    view : View, optional
        Names the covariates; without any those of the paper's reading, and for a reader's cohort
        every column that is known at the start for every patient, so that no choice is made.

    Returns
    -------
    list of Specification
        For `helpers.estimators.multiverse.multiverse` with the plug-ins of PLUGS.
    """
    first = next(iter(cohort.endpoints))
    adjust = view.adjust if view is not None else ()
    adjust = with_adjustment(cohort, View(endpoint=first, adjust=tuple(adjust))).adjust
    if not adjust:
        whole, _ = at_start(cohort, View(endpoint=first))
        adjust = whole if len(whole) <= MOST_TRIED else []
    bare = specifications(cohort, landmarks=LANDMARKS, censor_at=ENDS, estimators=(PLAIN, *PLUGS))
    every = [replace(one, adjust=names) for names in sets_of(adjust) for one in bare]
    kept = [one for one in every if makes_sense(one)]
    order = list(cohort.endpoints)  # then sets of covariates; what is on another scale last
    return sorted(kept, key=lambda one: (one.estimator == MEANS, order.index(one.endpoint)))


def sets_of(columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Sets of covariates to try: all of up to ALL_SETS; of more none, each, all but one, and all.

    Whatever the order of the columns, the sets are the same.

    Examples
    --------
    >>> [len(names) for names in sets_of(["age", "grade", "nodes", "sex", "size"])]
    [0, 1, 1, 1, 1, 1, 4, 4, 4, 4, 4, 5]
    """
    columns = sorted(columns)
    if len(columns) <= ALL_SETS:
        found = covariate_sets(columns)
    else:
        each = [(name,) for name in columns]
        found = [(), *each, *(tuple(set(columns) - set(one)) for one in each), tuple(columns)]
    return [tuple(sorted(names)) for names in found if distinct_columns(names)]


def many_analyses(
    cohort: Cohort, view: View | None = None
) -> tuple[pd.DataFrame, list[Specification]]:
    """The multiverse of a cohort, and what was asked of it."""
    asked = offered(cohort, view)
    return multiverse(cohort, asked, estimators=ESTIMATORS), asked


def makes_sense(one: Specification) -> bool:
    """Whether anybody would do this: no weights made of nothing, no adjusted restricted mean."""
    if one.estimator == WEIGHTED:
        return bool(one.adjust) and one.ties == TIES
    if one.estimator == MEANS:
        return one == Specification(one.endpoint, landmark=one.landmark, estimator=MEANS)
    return True


def on_one_scale(asked: list[Specification]) -> list[Specification]:
    """Those that give a hazard ratio, for `helpers.estimators.moved.choices_that_move`."""
    return [one for one in asked if one.estimator != MEANS]


def read_on_one_scale(table: pd.DataFrame, cohort: Cohort) -> str:
    """Whom the restricted means favour, in a sentence; a mean is no hazard ratio."""
    found = directions(table)
    found = found[found["scale"] == "days"]
    if found.empty:
        return "No restricted mean is estimated."
    row = found.iloc[0]
    return plain(
        f"Of {counted(row['analyses'], 'difference')} in restricted means, on the scale of days "
        f"and not in the figure, {row['first']} {verb(row['first'], 'favours', 'favour')} "
        f"{cohort.arms[0]}, {row['significant']} of them with P below 0.05."
    )


def read_demonstration(table: pd.DataFrame, cohort: Cohort) -> str:
    """What a multiverse of rows built to meet one analysis is, and is not."""
    row = spread(table).iloc[0]
    low, high = (number(np.exp(row[c])) for c in ("lowest", "highest"))
    return plain(
        f"A demonstration of the tool only: these rows were searched for until one analysis gave "
        f"the printed ratio, so they cannot vote on that analysis. That the ratios run from {low} "
        f"to {high} says what such rows do, and nothing of what the patients' would."
    ) if cohort.is_paper else ""  # fmt: skip
