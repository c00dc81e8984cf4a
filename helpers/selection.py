"""Who a View is about: the patients it chooses, their groups, and who is left out and why."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.cohort import Cohort
from helpers.view import View, fail, level_text, require

# Columns added to the cohort's own; named so that no reader's column is in their way.
TIME, EVENT, GROUP, INSIDE = "_time", "_event", "_group", "_inside"
FEW_LEVELS = 6  # a number with more distinct values than this is not a set of groups


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
    for condition in view.where:  # one condition that fails decides; else one unknown does
        met = condition.mask(cohort)
        inside = inside.where((inside == 0) | ((met != 0) & inside.isna()), met)
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
        unclear = frame[INSIDE].isna() & ~unknown
        if unclear.any():
            notes.add("subgroup", f"{count(unclear, 'patient')} left out: a value is missing.")
    # Without a landmark a time of zero stays in; after one, only those still at risk do.
    lost = (frame[TIME] <= 0) & (view.landmark > 0) & ~unknown
    lost_inside = frame[lost & (frame[INSIDE] == 1)]
    if view.landmark:
        notes.add(
            "landmark",
            f"By day {view.landmark:g}, {count(lost_inside[EVENT] == 1, 'patient')} had the "
            f"event and {count(lost_inside[EVENT] == 0, 'patient')} had been censored; they "
            "are not in the analysis.",
        )
    everybody = frame[~unknown & ~lost & frame[INSIDE].notna()].copy()
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
    levels = column_levels(cohort, view.compare)
    default = levels[-1] if view.compare == "arm" else levels[0]
    reference = view.reference or default
    if reference not in levels:
        fail("reference", f"{reference!r}, not a value of {view.compare!r}",
             f"use {', '.join(levels)}")  # fmt: skip
    return [level for level in levels if level != reference] + [reference]


def column_levels(cohort: Cohort, column: str) -> list[str]:
    """The groups of a column, in an order that no View changes; the arms as the cohort has them."""
    values = require(cohort, column, "compare")
    if column == "arm":
        return list(cohort.arms)
    levels = sorted(level_text(values).dropna().unique())
    if pd.api.types.is_numeric_dtype(values):
        levels = sorted(levels, key=float)
        if len(levels) > FEW_LEVELS:
            fail("compare", f"{column!r}, a number with {len(levels)} values",
                 "filter or adjust by it, or compare a category")  # fmt: skip
    return levels


def known_too_late(cohort: Cohort, columns, landmark: float) -> str:
    """Why a column known only after the clock starts forbids a comparison, or ''.

    Comparing by what happens later, such as response, credits a group with the time its members
    had to survive to enter it (immortal time).
    """
    for column in columns:
        day = cohort.codebook.at[column, "known_at"]
        if np.isnan(day):
            return f"{column} becomes known after time zero, on no fixed day."
        if day > landmark:
            return (
                f"{column} is known only by day {day:g} after time zero; set a landmark at or "
                "after that day."
            )
    return ""


def count(rows: pd.Series, noun: str) -> str:
    n = int(rows.sum())
    return f"{n} {noun}{'' if n == 1 else 's'}"
