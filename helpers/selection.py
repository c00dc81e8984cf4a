"""Who a View is about: the patients it chooses, their groups, and who is left out and why."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.cohort import Cohort
from helpers.conventions import on_grid
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
    """The patients of a View. `data` has their clock started at the landmark, and of the cohort's
    columns those that the View compares or adjusts for; `everybody` are those outside the subgroup
    as well, with a column that says who is inside."""

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
    # Plain arrays where they do: an explorer asks for this many times a second.
    whole = cohort.frame
    compared = grouped(cohort, view.compare, groups)
    code = compared.codes
    time = on_grid(whole[f"{view.endpoint}_time"].to_numpy(float) - view.landmark)
    event = whole[f"{view.endpoint}_event"].to_numpy(float)
    inside = inside_of(cohort, view)
    unknown = code < 0
    if unknown.any():
        notes.add(view.compare, f"{count(unknown, 'patient')} without a value left out.")
    untold = np.isnan(time) & ~unknown
    if untold.any():
        notes.add(view.endpoint, f"{count(untold, 'patient')} without this endpoint left out.")
    unknown = unknown | untold
    outside = (inside == 0) & ~unknown
    if view.where:
        conditions = " and ".join(map(str, view.where))
        notes.add("subgroup", f"{conditions}: {count(outside, 'patient')} outside it.")
        unclear = np.isnan(inside) & ~unknown
        if unclear.any():
            notes.add("subgroup", f"{count(unclear, 'patient')} left out: a value is missing.")
    # Without a landmark a time of zero stays in; after one, only those still at risk do.
    lost = (time <= 0) & (view.landmark > 0) & ~unknown
    lost_inside = lost & (inside == 1)
    if view.landmark:
        notes.add(
            "landmark",
            f"By day {view.landmark:g}, {count(lost_inside & (event == 1), 'patient')} had the "
            f"event and {count(lost_inside & (event == 0), 'patient')} had been censored; they "
            "are not in the analysis.",
        )
    kept = ~unknown & ~lost & ~np.isnan(inside)
    chosen = kept & (inside == 1)
    counts = {"group": np.array(groups, dtype=object)}
    for name, part in (("", chosen), ("lost_", lost_inside)):
        for what, value in (("events", 1), ("censored", 0)):
            counts[name + what] = np.bincount(code[part & (event == value)], minlength=len(groups))
    patients = counts["events"] + counts["censored"]
    counts = pd.DataFrame({"group": counts.pop("group"), "patients": patients} | counts)
    left = tuple(name for name, n in zip(groups, patients, strict=True) if n)
    for name in groups:
        if name not in left:
            notes.add(name, "No patient is left in this group.")
    reference = groups[-1]
    if len(left) > 1 and reference not in left:
        reference = left[-1]
        notes.add("reference", f"{groups[-1]!r} is empty; compared with {reference!r} instead.")
    group = compared.set_categories(left)
    columns = {TIME: time, EVENT: event, GROUP: group, INSIDE: inside, view.compare: group}
    columns |= {column: whole[column] for column in view.adjust}  # the models name their terms
    for column in view.adjust:  # a model compares with the first level
        if column == "arm" or column in cohort.orders:
            levels = column_levels(cohort, column)
            order = reversed(levels) if column == "arm" else levels
            columns[column] = grouped(cohort, column, [*order])
    everybody = pd.DataFrame(columns, index=whole.index)
    data = everybody if chosen.all() else everybody[chosen]
    if not chosen.all():
        everybody = everybody[kept & ~group.isna()]
    return Selection(data, everybody, counts, left, reference)


def grouped(cohort: Cohort, column: str, groups: list[str]) -> pd.Categorical:
    """A column as groups in the order given, made once for a cohort."""
    key = ("groups", column, *groups)
    if key not in cohort.derived:
        values = level_text(cohort.frame[column])
        cohort.derived[key] = pd.Categorical(values, groups, ordered=True)
    return cohort.derived[key]


def inside_of(cohort: Cohort, view: View) -> np.ndarray:
    """Who meets all conditions of a View: 1 or 0, and NaN where a missing value leaves it open."""
    inside = np.ones(len(cohort.frame))
    for condition in view.where:  # one condition that fails decides; else one unknown does
        met = condition.mask(cohort).to_numpy()
        inside = np.where((inside == 0) | ((met != 0) & np.isnan(inside)), inside, met)
    return inside


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
    if column in cohort.orders:
        return [level for level in cohort.orders[column] if level in levels]
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


def count(rows: np.ndarray, noun: str) -> str:
    n = int(rows.sum())
    return f"{n} {noun}{'' if n == 1 else 's'}"
