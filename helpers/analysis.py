"""`analyse(cohort, view)`: the only road from a question to an answer."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.cohort import Cohort
from helpers.conventions import DAYS_PER_MONTH, MILESTONE_MONTHS
from helpers.estimators.small_groups import permuted_logrank
from helpers.estimators.times import rmst_table
from helpers.floors import (
    BEYOND,
    EVENT_FLOOR,
    few_events,
    many_terms,
    needs_permutation,
    unstable,
)
from helpers.regression import TERM_COLUMNS, NotEstimable, cox_table
from helpers.selection import EVENT, GROUP, INSIDE, TIME, Notes, Selection, known_too_late, select
from helpers.survival import (
    CURVE_COLUMNS,
    ENGINES,
    km_curve,
    logrank_test,
    median_table,
    milestone_differences,
    milestones,
    pieces,
    risk_table,
)
from helpers.view import View, fail, with_cuts

COLUMNS = {"time": TIME, "event": EVENT, "group": GROUP}
ESTIMATES = ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")
NO_MODEL = pd.DataFrame(columns=["model", *TERM_COLUMNS])


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

    @property
    def source(self) -> str:
        """What the answer rests on, with the marks that it must carry."""
        return self.cohort.source(*self.asked)

    @property
    def asked(self) -> list[str]:
        """The columns that it rests on beside the endpoint."""
        view = self.view
        return [view.compare, *view.adjust, *(w.column for w in view.where)]


def analyse(
    cohort: Cohort, view: View, *, times=None, engine: str = "lifelines", floor: int = EVENT_FLOOR
) -> Answer:
    """Answer a View.

    Parameters
    ----------
    cohort : Cohort
    view : View
    times : sequence of float, optional
        Days after the landmark for milestones and the risk table; by default 3, 6, 12, 24, 36
        and 60 months as far as anybody is observed, and the horizon.
    engine : str
        "lifelines", or "fast" for the compiled kernel, which gives the same answer.
    floor : int
        Events in each group below which hazard ratios, interactions and large-sample differences
        are withheld, and the log-rank P is by permutation. 0 withholds nothing that can be
        computed: for programs that compare numbers and show them to nobody.

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
    >>> import math
    >>> from helpers.cohort import load_cohort
    >>> answer = analyse(load_cohort(), View())
    >>> answer.groups
    ('CD20 CAR-T', 'non-CAR-T')
    >>> round(math.exp(answer.model["estimate"].iloc[0]), 2)
    0.37
    """
    if engine not in ENGINES:
        fail("engine", repr(engine), f"use {' or '.join(ENGINES)}")
    notes, cohort = Notes(), with_cuts(cohort, view)
    who = select(cohort, view, notes)
    data = who.data
    if data.empty:
        notes.add("comparison", "No patient is left.")
        return nothing(cohort, view, who.counts, notes)

    curves = km_curve(data, **COLUMNS, engine=engine)
    if times is None:
        times = chosen_times(data, view.horizon)
    stones = [("survival", milestones(curves, times))]
    tests = means = interaction = pd.DataFrame()
    model = NO_MODEL
    late = known_too_late(cohort, grouping(view), view.landmark)
    if len(who.groups) < 2:
        notes.add("comparison", f"Only {who.groups[0]!r} is left, so nothing is compared.")
    elif late:
        notes.add("comparison", f"Withheld: {late}")
    else:
        differences = differences_at(stones[0][1], curves, who, floor, notes)
        if len(differences):
            stones.append(("difference", differences.rename(columns={"contrast": "group"})))
        tests = logrank(data, notes, engine, floor)
        means = restricted_means(who, view, notes, engine, floor)
        model = models(cohort, who, view, notes, engine, floor)
        interaction = subgroup_interaction(who, view, notes, engine, floor)
    return Answer(
        cohort=cohort,
        view=view,
        groups=who.groups,
        curves=curves,
        risk_table=risk_table(curves, [0.0, *times]),
        medians=median_table(curves),
        milestones=stacked("kind", *stones),
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


def chosen_times(data: pd.DataFrame, horizon: float | None) -> list[float]:
    """The milestone months that anybody is observed for, and the horizon, in days."""
    days = {month * DAYS_PER_MONTH for month in MILESTONE_MONTHS} | {horizon or 0.0}
    return sorted(day for day in days if 0 < day <= data[TIME].max() or day == horizon)


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


def grouping(view: View) -> list[str]:
    """The columns that decide who is compared with whom."""
    return [view.compare, *(condition.column for condition in view.where)]


def models(cohort, who: Selection, view: View, notes: Notes, engine: str, floor: int):
    """The unadjusted Cox model, and the adjusted one where asked for."""
    tables = []
    asked = {"unadjusted": [view.compare]}
    if view.adjust and (late := known_too_late(cohort, view.adjust, view.landmark)):
        notes.add("adjusted hazard ratio", f"Withheld: {late}")
    elif view.adjust:
        asked["adjusted"] = [view.compare, *view.adjust]
    for name, covariates in asked.items():
        table = cox(
            who.data, covariates, view, who.reference, f"{name} hazard ratio", notes,
            engine=engine, intervals=view.intervals,
        )  # fmt: skip
        if table is not None:
            dropped = len(who.data) - int(table["n"].iloc[0])
            if dropped:
                notes.add(f"{name} hazard ratio", f"{dropped} patients lack a covariate.")
            tables.append((name, supported(table, who.data, covariates, notes, name, floor)))
    return stacked("model", *tables) if tables else NO_MODEL


def stacked(title: str, *tables: tuple[str, pd.DataFrame]) -> pd.DataFrame:
    """Named tables under each other, columns of any, the names in a first column.

    A tenth of what pandas' concat and insert cost.
    """
    columns = {
        title: np.repeat(np.array([n for n, _ in tables], object), [len(t) for _, t in tables])
    }
    for name in dict.fromkeys(column for _, table in tables for column in table):
        parts = [
            table[name].to_numpy() if name in table else np.full(len(table), np.nan)
            for _, table in tables
        ]
        columns[name] = np.concatenate(parts)
    return pd.DataFrame(columns)


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


def cox(data, covariates, view, reference, about, notes, **options) -> pd.DataFrame | None:
    """`cox_table` with what it cannot estimate turned into notes."""
    if view.ties == "exact":
        options["engine"] = "lifelines"  # the compiled kernel has the other two rules
    try:
        table = cox_table(
            data, time=TIME, event=EVENT, covariates=covariates, ties=view.ties,
            references={view.compare: reference}, **options,
        )  # fmt: skip
    except NotEstimable as error:
        notes.add(about, f"Withheld: {error}.".replace(INSIDE, "the subgroup"))
        return None
    for term in table.loc[table["estimate"].isna(), "term"]:
        notes.add(about, f"Withheld for {term}: no event in that group, so the ratio is 0.")
    return table


def subgroup_interaction(who: Selection, view: View, notes: Notes, engine: str, floor: int):
    """Is the hazard ratio inside the subgroup another than outside it? Ratio of ratios, Wald."""
    if not view.where or who.everybody[INSIDE].all() or view.compare in grouping(view)[1:]:
        return pd.DataFrame()
    outside = who.everybody.loc[who.everybody[INSIDE] == 0, GROUP]
    for name in who.groups:
        if not (outside == name).any():
            notes.add("interaction", f"Withheld: outside the subgroup {name!r} has no patient.")
            return pd.DataFrame()
    for side, of in ((1, ""), (0, " outside the subgroup")):
        part = who.everybody[who.everybody[INSIDE] == side]
        if few := few_events(events_in(part, who.groups), floor):
            notes.add("interaction", f"Withheld: {few}{of}.")
            return pd.DataFrame()
    groups = pairs(who)
    products = [(f"{view.compare}: {name} vs {who.reference}", INSIDE) for name in groups]
    table = cox(
        who.everybody, [view.compare, INSIDE], view, who.reference, "interaction", notes,
        products=products, engine=engine,
    )  # fmt: skip
    if table is None:
        return pd.DataFrame()
    # The products stand last; only the name of one says "subgroup".
    columns = {name: table[name].to_numpy()[-len(groups) :] for name in table}
    columns["term"] = [f"{term} x subgroup" for term, _ in products]
    columns["scale"] = "log ratio of hazard ratios"
    made = pd.DataFrame(columns)
    if floor and unstable(made).any():
        notes.add("interaction", f"Withheld: {BEYOND}.")
        return pd.DataFrame()
    return made
