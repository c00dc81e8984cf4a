"""The comparisons of an answer, without what too few events carry: each says why in the notes."""

import numpy as np
import pandas as pd

from helpers.estimators.floors import BEYOND, few_events, many_terms, needs_permutation, unstable
from helpers.estimators.small_groups import permuted_logrank
from helpers.estimators.times import rmst_table
from helpers.selection import EVENT, GROUP, TIME, Notes, Selection
from helpers.survival import km_curve, logrank_test, milestone_differences, pieces
from helpers.view import View

COLUMNS = {"time": TIME, "event": EVENT, "group": GROUP}
ESTIMATES = ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")


def events_in(data: pd.DataFrame, groups, column: str = GROUP) -> dict[str, int]:
    """Events of each group, or of each level of another column."""
    values = data[column].array
    values = values if isinstance(values, pd.Categorical) else pd.Categorical(values)
    counts = np.bincount(values.codes[data[EVENT].to_numpy() == 1] + 1,
                         minlength=len(values.categories) + 1)[1:]  # fmt: skip
    known = dict(zip(map(str, values.categories), counts.tolist(), strict=True))
    return {name: known.get(name, 0) for name in groups}


def pairs(who: Selection) -> list[str]:
    """The groups that are compared with the reference."""
    return [name for name in who.groups if name != who.reference]


def differences_at(survival, curves, who: Selection, floor: int, notes: Notes) -> pd.DataFrame:
    """Differences in survival, none of groups with few events, none tested on few up to its time.

    A group's error at a time is made of the events up to that time, and of none later.
    """
    table = milestone_differences(survival, reference=who.reference)
    if table.empty:
        return table
    whole, kept, early = events_in(who.data, who.groups), [], np.zeros(len(table), bool)
    contrast, days = table["contrast"].to_numpy(), table["time"].to_numpy()
    upto = {name: time[died > 0].repeat(died[died > 0])
            for name, time, died in pieces(curves, "time", "n_event")}  # fmt: skip
    for name in pairs(who):
        rows, two = contrast == f"{name} vs {who.reference}", (name, who.reference)
        if few := few_events({g: whole[g] for g in two}, floor):
            notes.add("difference in survival", f"Withheld: {few}.")
            continue
        kept.append(rows)
        by_then = [np.searchsorted(upto[g], days[rows], side="right") for g in two]
        early[rows] = np.min(by_then, axis=0) < floor
    early &= table["p_value"].notna().to_numpy()
    if early.any():
        when = ", ".join(f"{day:g}" for day in sorted(set(days[early])))
        why = f"No interval at day {when}: fewer than {floor} events in a group by then."
        notes.add("difference in survival", why)
        table.loc[early, list(ESTIMATES[1:])] = np.nan
    return table[np.any(kept, axis=0)] if kept else table.iloc[:0]


def logrank(data: pd.DataFrame, notes: Notes, engine: str, floor: int) -> pd.DataFrame:
    """The log-rank test, its P by permutation where a group has few events."""
    if not data[EVENT].any():
        notes.add("log-rank", "Withheld: no patient had an event.")
        return pd.DataFrame()
    try:
        table = logrank_test(data, **COLUMNS, engine=engine)
    except ValueError:
        notes.add("log-rank", "Withheld: nobody of another group is at risk when an event happens.")
        return pd.DataFrame()
    table = table.assign(method="chi-squared", p_error=np.nan)
    groups = list(data[GROUP].cat.categories)
    events, expected = events_in(data, groups), expected_events(data, groups, engine)
    if not needs_permutation(list(events.values()), expected, floor):
        return table
    if len(groups) > 2:
        few = few_events(events, floor) or f"fewer than {floor} events expected in a group"
        notes.add("log-rank", f"Withheld: {few}; compare two groups to have them permuted.")
        return pd.DataFrame()
    found = permuted_logrank(data[TIME], data[EVENT], data[GROUP] == groups[0])
    if found["note"]:
        notes.add("log-rank", f"Withheld: few events, and {found['note']}.")
        return pd.DataFrame()
    return table.assign(**{name: found[name] for name in ("p_value", "p_error", "method")})


def expected_events(data: pd.DataFrame, groups: list[str], engine: str) -> np.ndarray:
    """Events that each group would have if all died at the rate of all, over its follow-up."""
    curve = km_curve(data, time=TIME, event=EVENT, engine=engine)
    hazard = np.append(0.0, np.cumsum(curve["n_event"] / curve["n_risk"]))
    seen = np.searchsorted(curve["time"].to_numpy(), data[TIME].to_numpy(), side="right")
    return np.bincount(data[GROUP].cat.codes, weights=hazard[seen], minlength=len(groups))


def restricted_means(who: Selection, view: View, notes: Notes, engine: str, floor: int):
    """Restricted means, and differences of those whose groups have events enough by the horizon."""
    if view.horizon is None:
        return pd.DataFrame()
    try:
        table = rmst_table(
            who.data, **COLUMNS, horizon=view.horizon, reference=who.reference, engine=engine
        )
    except ValueError as error:
        notes.add("restricted mean", f"Withheld: {error}.")
        return pd.DataFrame()
    by_then = events_in(who.data[who.data[TIME] <= view.horizon], who.groups)
    for name in pairs(who):
        row = table["group"] == f"{name} vs {who.reference}"
        if few := few_events({g: by_then[g] for g in (name, who.reference)}, floor):
            notes.add("restricted mean", f"Difference withheld: {few}, by day {view.horizon:g}.")
            table = table[~row]
        elif why := table.loc[row, "note"].item():
            notes.add("restricted mean", f"No interval or P for the difference: {why}.")
    return table


def supported(table, data, covariates, notes: Notes, name: str, floor: int) -> pd.DataFrame:
    """A model without the ratios that too few events carry, and without those that ran away."""
    if not floor:
        return table
    about, known = f"{name} hazard ratio", table["estimate"].notna().to_numpy()
    withheld = known & unstable(table)
    if withheld.any():
        notes.add(about, f"Withheld for {', '.join(table['term'][withheld])}: {BEYOND}.")
    used = ~np.any([pd.isna(data[column].array) for column in covariates], axis=0)
    data = data if used.all() else data[used]
    if many := many_terms(int((data[EVENT] == 1).sum()), len(table)):
        notes.add(about, f"Withheld: {many}.")
        withheld = known
    sides = zip(*(table[c] for c in ("column", "level", "reference")), strict=True)
    for row, (column, level, base) in enumerate(sides):
        asked = level and known[row] and not withheld[row]
        if asked and (few := few_events(events_in(data, (level, base), column), floor)):
            notes.add(about, f"Withheld for {level} vs {base}: {few}.")
            withheld[row] = True
    if not withheld.any():
        return table
    return table.mask(pd.DataFrame({c: withheld & (c in ESTIMATES) for c in table}))
