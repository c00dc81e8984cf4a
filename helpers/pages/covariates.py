"""Which columns a reader may want to adjust for, where the View names none.

Nothing here chooses a model: columns are looked at one by one and told in the order of their
names or of what was found, so that the order of columns in a file decides nothing.
"""

import numpy as np
import pandas as pd

from helpers.analysis import Answer
from helpers.cohort import Cohort
from helpers.conventions import EVENT_FLOOR
from helpers.estimators.comparisons import logrank
from helpers.estimators.floors import unstable
from helpers.estimators.weighting import GIVEN, WEIGHT, balance_table
from helpers.fit.likelihood import NotEstimable
from helpers.labels import counted, covariate, listed, per_unit, verb
from helpers.regression import cox_table
from helpers.selection import EVENT, FEW_LEVELS, GROUP, TIME, Notes, known_too_late, select
from helpers.view import View, cut, with_cuts
from helpers.words import lower, number, p_value, plain, ratio

UNLIKE, ALPHA = 0.1, 0.05  # a standardised difference, and a P, above and below which one looks
MOST_NAMED = 6  # columns named in one sentence
HOW = (
    "Which columns to adjust for is settled before looking, by what decided the treatment and "
    "bears on the outcome; to adjust, name them in the View, as in `adjust: [age]`."
)


def base(name: str) -> str:
    """The column that a name stands for: that of a cut is the number it cuts."""
    return cut(name)[0] if cut(name) else name


def at_start(cohort: Cohort, view: View) -> tuple[list[str], list[str]]:
    """Baseline columns known when the clock of a View starts, by name: those that can be adjusted
    for on all its patients, and those that would leave patients out or have too many levels."""
    people = select(with_cuts(cohort, view), view, Notes()).data.index
    frame, whole, rest = cohort.frame.loc[people], [], []
    for column in sorted(cohort.factors):
        values, taken = frame[column], column == base(view.compare)
        baseline = cohort.codebook.at[column, "role"] == "baseline" and not taken
        if not baseline or values.nunique() < 2 or known_too_late(cohort, [column], view.landmark):
            continue
        few = pd.api.types.is_numeric_dtype(values) or values.nunique() <= FEW_LEVELS
        (whole if few and values.notna().all() else rest).append(column)
    return whole, rest


def looks(answer: Answer, columns: list[str]) -> pd.DataFrame:
    """Each column by itself: how unlike the two groups are in it, and how it goes with the outcome.

    Returns
    -------
    DataFrame
        column, name, smd (standardised difference, the largest in size of a category's levels;
        missing with more than two groups), p_value (of the Cox ratio of a number, of the log-rank
        test of a category; missing where there is none), ratio (of a number, as text).
    """
    who = select(answer.cohort, answer.view, Notes())
    frame = who.data[[TIME, EVENT, GROUP]].join(answer.cohort.frame[columns])
    unlike = pd.Series(np.nan, index=columns)
    if len(answer.groups) == 2 and columns:
        given = (frame[GROUP] == answer.groups[0]).to_numpy()
        even = pd.DataFrame({GIVEN: given, WEIGHT: 1.0}, index=frame.index)
        table = balance_table(frame, even, covariates=columns)
        unlike = table["smd"].abs().groupby(table["column"]).max()
    rows = []
    for column in columns:
        p, shown = bearing(frame, column, answer.cohort.codebook.at[column, "unit"])
        name = covariate(answer.cohort.codebook, column)
        rows.append((column, name, float(unlike[column]), p, shown))
    return pd.DataFrame(rows, columns=["column", "name", "smd", "p_value", "ratio"])


def bearing(frame: pd.DataFrame, column: str, unit: str) -> tuple[float, str]:
    """P of a column alone, and the hazard ratio of a number as text."""
    if not pd.api.types.is_numeric_dtype(frame[column]):
        groups = pd.Categorical(frame[column])
        test = logrank(frame.assign(**{GROUP: groups}), Notes(), "lifelines", EVENT_FLOOR)
        return (float(test["p_value"].iloc[0]) if len(test) else np.nan), ""
    try:
        row = cox_table(frame, time=TIME, event=EVENT, covariates=[column])
    except NotEstimable:
        return np.nan, ""
    if row["n_event"].iloc[0] < EVENT_FLOOR or unstable(row).any():
        return np.nan, ""
    row = row.iloc[0]
    return float(row["p_value"]), f"HR {ratio(row)} {per_unit(unit)}, "


def read_looks(answer: Answer) -> str:
    """Which columns are unlike in the groups, and which go with the outcome; no model is chosen."""
    whole, rest = at_start(answer.cohort, answer.view)
    left = f" Not looked at, since values are missing or levels many: {some(rest)}." * bool(rest)
    if not whole:
        return f"No column known at the start varies and is known for every patient.{left}"
    table, parts = looks(answer, whole), []
    columns = f"{counted(len(whole), 'column')} known at the start for every patient"
    if len(answer.groups) == 2:
        found = table[table["smd"] > UNLIKE].sort_values("smd", ascending=False, kind="stable")
        error = np.sqrt(sum(1 / (answer.counts["patients"].to_numpy(float))))
        names = [f"{r.name_} {number(r.smd)}" for r in found.rename(columns={"name": "name_"})
                 .itertuples()]  # fmt: skip
        parts.append(
            f"Of {columns}, {len(found) or 'none'} {verb(len(found), 'differs', 'differ')} between "
            f"the groups by a standardised difference above {UNLIKE:g} (by chance alone it has a "
            f"standard error of about {number(error)}){': ' * bool(names)}{some(names)}."
        )
    found = table[table["p_value"] < ALPHA].sort_values("p_value", kind="stable")
    names = [f"{r['name']} ({r['ratio']}{p_value(r['p_value'])})" for r in found.to_dict("records")]
    parts.append(
        f"Each by itself, {len(found) or 'none'} of {columns if not parts else len(whole)} "
        f"{verb(len(found), 'goes', 'go')} with {lower(answer.label)} at P below {ALPHA:g}"
        f"{': ' * bool(names)}{some(names)}."
    )
    return plain(" ".join(parts) + left)


def some(names: list[str]) -> str:
    """The first names of a list, and how many more."""
    more = len(names) - MOST_NAMED
    return listed(names if more <= 0 else [*names[:MOST_NAMED], f"{more} more"])
