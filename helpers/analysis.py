"""`analyse(cohort, view)`: the only road from a question to an answer."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.cohort import Cohort
from helpers.conventions import DAYS_PER_MONTH, MILESTONE_MONTHS
from helpers.regression import TERM_COLUMNS, NotEstimable, cox_table
from helpers.survival import (
    CURVE_COLUMNS,
    km_curve,
    logrank_test,
    median_table,
    milestone_differences,
    milestones,
    risk_table,
    rmst_table,
)
from helpers.view import View, fail, level_text, require

# Columns that analyse adds to the cohort's own; named so that no reader's column is in their way.
TIME, EVENT, GROUP, INSIDE = "_time", "_event", "_group", "_inside"
COLUMNS = {"time": TIME, "event": EVENT, "group": GROUP}
NO_MODEL = pd.DataFrame(columns=["model", *TERM_COLUMNS])
FEW_LEVELS = 6  # a number with more distinct values than this is not a set of groups


@dataclass(frozen=True)
class Answer:
    """What a cohort answers to a View: tidy frames, unrounded, times in days.

    Attributes
    ----------
    cohort, view : Cohort, View
        What was asked of whom.
    groups : tuple of str
        The groups compared, reference last.
    curves, risk_table, medians, milestones, tests, model, rmst, interaction : DataFrame
        See `helpers.survival` and `helpers.regression`; `model` has a first column ``model``
        (unadjusted or adjusted), `milestones` a first column ``kind`` (survival or difference).
        A frame is empty where nothing can be said; `notes` has the reason.
    counts : DataFrame
        group, patients, events, censored, lost_events, lost_censored (by the landmark).
    notes : DataFrame
        about, note: what is withheld or left out, and why.
    """

    cohort: Cohort
    view: View
    groups: tuple[str, ...]
    curves: pd.DataFrame
    risk_table: pd.DataFrame
    medians: pd.DataFrame
    milestones: pd.DataFrame
    tests: pd.DataFrame
    model: pd.DataFrame
    rmst: pd.DataFrame
    interaction: pd.DataFrame
    counts: pd.DataFrame
    notes: pd.DataFrame

    @property
    def label(self) -> str:
        return self.cohort.endpoints[self.view.endpoint]


def analyse(cohort: Cohort, view: View, *, times=None, engine: str = "lifelines") -> Answer:
    """Answer a View.

    Parameters
    ----------
    cohort : Cohort
    view : View
    times : sequence of float, optional
        Days after the landmark for milestones and the risk table; by default 3, 6, 12, 24, 36
        and 60 months as far as anybody is observed, and the horizon.
    engine : str
        "lifelines".

    Returns
    -------
    Answer

    Raises
    ------
    ViewError
        The View asks for an endpoint, column or group that the cohort does not have. What
        cannot be estimated is not an error: it is withheld, and `notes` says why.

    Examples
    --------
    >>> from helpers.cohort import load_cohort
    >>> answer = analyse(load_cohort(), View())
    >>> answer.groups
    ('hormone therapy', 'none')
    >>> float(np.exp(answer.model["estimate"].iloc[0]).round(2))
    0.77
    """
    if engine != "lifelines":
        fail("engine", repr(engine), "use lifelines")
    notes = Notes()
    who = select(cohort, view, notes)
    data, reference = who.data, who.reference
    if data.empty:
        notes.add("comparison", "No patient is left.")
        return nothing(cohort, view, who.counts, notes)

    curves = km_curve(data, **COLUMNS)
    if times is None:
        times = chosen_times(data, view.horizon)
    stones = milestones(curves, times).assign(kind="survival")
    tests = means = interaction = pd.DataFrame()
    model = NO_MODEL
    late = known_too_late(cohort, view)
    if len(who.groups) < 2:
        notes.add("comparison", f"Only {who.groups[0]!r} is left, so nothing is compared.")
    elif late:
        notes.add("comparison", f"Withheld: {late}")
    else:
        differences = milestone_differences(stones, reference=reference)
        differences = differences.rename(columns={"contrast": "group"}).assign(kind="difference")
        stones = pd.concat([stones, differences], ignore_index=True)
        tests = logrank(data, notes)
        means = restricted_means(who, view, notes)
        model = models(who, view, notes)
        interaction = subgroup_interaction(who, view, notes)
    return Answer(
        cohort=cohort,
        view=view,
        groups=who.groups,
        curves=curves,
        risk_table=risk_table(curves, [0.0, *times]),
        medians=median_table(curves),
        milestones=stones[["kind", *(c for c in stones if c != "kind")]],
        tests=tests,
        model=model,
        rmst=means,
        interaction=interaction,
        counts=who.counts,
        notes=notes.frame(),
    )


def nothing(cohort: Cohort, view: View, counts: pd.DataFrame, notes: "Notes") -> Answer:
    """The answer when no patient is left."""
    frames = dict.fromkeys(
        ("risk_table", "medians", "milestones", "tests", "rmst", "interaction"), pd.DataFrame()
    )
    curves = pd.DataFrame(columns=CURVE_COLUMNS)
    return Answer(
        cohort=cohort, view=view, groups=(), curves=curves, model=NO_MODEL, counts=counts,
        notes=notes.frame(), **frames,
    )  # fmt: skip


class Notes:
    """What is withheld or left out, and why."""

    def __init__(self):
        self.rows: list[tuple[str, str]] = []

    def add(self, about: str, note: str) -> None:
        self.rows.append((about, note))

    def frame(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows, columns=["about", "note"])


class Selection(NamedTuple):
    """The patients of a View. `data` has their clock started at the landmark; `everybody` are
    those outside the subgroup as well, with a column that says who is inside."""

    data: pd.DataFrame
    everybody: pd.DataFrame
    counts: pd.DataFrame
    groups: tuple[str, ...]
    reference: str


def select(cohort: Cohort, view: View, notes: Notes) -> Selection:
    """Choose the patients of a View, and count who is left out and why."""
    if view.endpoint not in cohort.endpoints:
        fail("endpoint", f"{view.endpoint!r}, which this cohort does not have",
             f"use {', '.join(cohort.endpoints)}")  # fmt: skip
    for column in view.adjust:
        require(cohort, column, "adjust")
    groups = group_order(cohort, view)
    group = pd.Categorical(level_text(cohort.frame[view.compare]), groups, ordered=True)
    inside = pd.Series(1.0, cohort.frame.index)
    for condition in view.where:
        inside *= condition.mask(cohort)
    frame = cohort.frame.assign(
        **{
            TIME: cohort.frame[f"{view.endpoint}_time"] - view.landmark,
            EVENT: cohort.frame[f"{view.endpoint}_event"],
            GROUP: group,
            INSIDE: inside,
        }
    )
    unknown = frame[GROUP].isna()
    if unknown.any():
        notes.add(view.compare, f"{count(unknown, 'patient')} without a value left out.")
    outside = (frame[INSIDE] == 0) & ~unknown
    if view.where:
        conditions = " and ".join(map(str, view.where))
        notes.add("subgroup", f"{conditions}: {count(outside, 'patient')} outside it.")
    # Without a landmark a time of zero stays in; after one, only those still at risk do.
    lost = (frame[TIME] <= 0) & (view.landmark > 0) & ~unknown
    lost_inside = frame[lost & ~outside]
    if view.landmark:
        notes.add(
            "landmark",
            f"By day {view.landmark:g}, {count(lost_inside[EVENT] == 1, 'patient')} had the "
            f"event and {count(lost_inside[EVENT] == 0, 'patient')} had been censored; they "
            "are not in the analysis.",
        )
    everybody = frame[~unknown & ~lost].copy()
    data = everybody[everybody[INSIDE] == 1].copy()
    tallies = {}
    for name, part in (("", data), ("lost_", lost_inside)):
        for what, value in (("events", 1), ("censored", 0)):
            tallies[name + what] = part.loc[part[EVENT] == value, GROUP].value_counts()[groups]
    counts = pd.DataFrame(tallies).astype(int).rename_axis("group").reset_index()
    counts["group"] = counts["group"].astype(object)
    counts.insert(1, "patients", counts["events"] + counts["censored"])
    left = tuple(counts.loc[counts["patients"] > 0, "group"])
    for name in groups:
        if name not in left:
            notes.add(name, "No patient is left in this group.")
    reference = groups[-1]
    if len(left) > 1 and reference not in left:
        reference = left[-1]
        notes.add("reference", f"{groups[-1]!r} is empty; compared with {reference!r} instead.")
    for part in (data, everybody):
        part[GROUP] = part[GROUP].cat.set_categories(left)
        part[view.compare] = part[GROUP]  # so that the model names its terms by the column
    return Selection(data, everybody.dropna(subset=[GROUP]), counts, left, reference)


def group_order(cohort: Cohort, view: View) -> list[str]:
    """The groups of the compared column, reference last."""
    column = require(cohort, view.compare, "compare")
    levels = sorted(level_text(column).dropna().unique())
    if pd.api.types.is_numeric_dtype(column):
        levels = sorted(levels, key=float)
        if len(levels) > FEW_LEVELS:
            fail("compare", f"{view.compare!r}, a number with {len(levels)} values",
                 "filter or adjust by it, or compare a category")  # fmt: skip
    default = cohort.reference_arm if view.compare == "arm" else levels[0]
    reference = view.reference or default
    if reference not in levels:
        fail("reference", f"{reference!r}, not a value of {view.compare!r}",
             f"use {', '.join(levels)}")  # fmt: skip
    return [level for level in levels if level != reference] + [reference]


def known_too_late(cohort: Cohort, view: View) -> str:
    """Why groups or covariates known only after the clock starts forbid a comparison, or ''.

    Comparing by what happens later, such as response, credits a group with the time its members
    had to survive to enter it (immortal time).
    """
    for column in (view.compare, *(w.column for w in view.where), *view.adjust):
        day = cohort.codebook.at[column, "known_at"]
        if np.isnan(day):
            return f"{column} becomes known after time zero, on no fixed day."
        if day > view.landmark:
            return (
                f"{column} is known only by day {day:g} after time zero; set a landmark at or "
                "after that day."
            )
    return ""


def chosen_times(data: pd.DataFrame, horizon: float | None) -> list[float]:
    """The milestone months that anybody is observed for, and the horizon, in days."""
    days = {month * DAYS_PER_MONTH for month in MILESTONE_MONTHS} | {horizon or 0.0}
    return sorted(day for day in days if 0 < day <= data[TIME].max() or day == horizon)


def logrank(data: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    if not data[EVENT].any():
        notes.add("log-rank", "Withheld: no patient had an event.")
        return pd.DataFrame()
    return logrank_test(data, **COLUMNS)


def restricted_means(who: Selection, view: View, notes: Notes) -> pd.DataFrame:
    if view.horizon is None:
        return pd.DataFrame()
    try:
        return rmst_table(who.data, **COLUMNS, horizon=view.horizon, reference=who.reference)
    except ValueError as error:
        notes.add("restricted mean", f"Withheld: {error}.")
        return pd.DataFrame()


def models(who: Selection, view: View, notes: Notes) -> pd.DataFrame:
    """The unadjusted Cox model, and the adjusted one where asked for."""
    tables = []
    asked = {"unadjusted": [view.compare]}
    if view.adjust:
        asked["adjusted"] = [view.compare, *view.adjust]
    for name, covariates in asked.items():
        table = cox(who.data, covariates, view, who.reference, f"{name} hazard ratio", notes)
        if table is not None:
            dropped = len(who.data) - int(table["n"].iloc[0])
            if dropped:
                notes.add(f"{name} hazard ratio", f"{dropped} patients lack a covariate.")
            tables.append(table.assign(model=name))
    return pd.concat(tables, ignore_index=True)[list(NO_MODEL)] if tables else NO_MODEL


def cox(data, covariates, view, reference, about, notes, **options) -> pd.DataFrame | None:
    """`cox_table` with what it cannot estimate turned into notes."""
    references = {view.compare: reference}
    try:
        table = cox_table(
            data, time=TIME, event=EVENT, covariates=covariates, references=references, **options
        )
    except NotEstimable as error:
        notes.add(about, f"Withheld: {error}.")
        return None
    for term in table.loc[table["estimate"].isna(), "term"]:
        notes.add(about, f"Withheld for {term}: no event in that group, so the ratio is 0.")
    return table


def subgroup_interaction(who: Selection, view: View, notes: Notes) -> pd.DataFrame:
    """Is the hazard ratio inside the subgroup another than outside it? Ratio of ratios, Wald."""
    if not view.where or who.everybody[INSIDE].all():
        return pd.DataFrame()
    groups = [name for name in who.groups if name != who.reference]
    pairs = [(f"{view.compare}: {name} vs {who.reference}", INSIDE) for name in groups]
    table = cox(
        who.everybody, [view.compare, INSIDE], view, who.reference, "interaction", notes,
        products=pairs,
    )  # fmt: skip
    if table is None:
        return pd.DataFrame()
    table = table[table["term"].str.endswith(f" x {INSIDE}")]
    named = table["term"].str.removesuffix(f" x {INSIDE}") + " x subgroup"
    return table.assign(term=named, scale="log ratio of hazard ratios").reset_index(drop=True)


def count(rows: pd.Series, noun: str) -> str:
    n = int(rows.sum())
    return f"{n} {noun}{'' if n == 1 else 's'}"
