"""`analyse(cohort, view)`: the only road from a question to an answer."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.cohort import Cohort
from helpers.conventions import DAYS_PER_MONTH, EVENT_FLOOR, MILESTONE_MONTHS
from helpers.estimators.comparisons import (
    COLUMNS,
    differences_at,
    events_in,
    logrank,
    pairs,
    restricted_means,
    supported,
)
from helpers.estimators.floors import BEYOND, few_events, unstable
from helpers.regression import TERM_COLUMNS, NotEstimable, cox_table
from helpers.selection import EVENT, GROUP, INSIDE, TIME, Notes, Selection, known_too_late, select
from helpers.survival import (
    CURVE_COLUMNS,
    ENGINES,
    km_curve,
    median_table,
    milestones,
    risk_table,
)
from helpers.view import View, fail, with_cuts

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
        interaction = subgroup_interaction(who, view, model, notes, engine, floor)
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
                lack = "patient lacks" if dropped == 1 else "patients lack"
                notes.add(f"{name} hazard ratio", f"{dropped} {lack} a covariate.")
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


def subgroup_interaction(who: Selection, view: View, model, notes: Notes, engine: str, floor: int):
    """Is the hazard ratio inside the subgroup another than outside it? Ratio of ratios, Wald."""
    if not view.where or who.everybody[INSIDE].all() or view.compare in grouping(view)[1:]:
        return pd.DataFrame()
    outside = who.everybody.loc[who.everybody[INSIDE] == 0, GROUP]
    for name in who.groups:
        if not (outside == name).any():
            notes.add("interaction", f"Withheld: outside the subgroup {name!r} has no patient.")
            return pd.DataFrame()
    if why := side_without_ratio(who, view, model, engine, floor):
        notes.add("interaction", f"Withheld: {why} the subgroup.")
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


def side_without_ratio(who: Selection, view: View, model, engine: str, floor: int) -> str:
    """Which side of a subgroup has no hazard ratio, or '': then nothing is compared with it.

    The side inside is that of the unadjusted model of the answer.
    """
    if not floor:
        return ""
    inside = model[(model["model"] == "unadjusted") & (model["column"] == view.compare)]
    if inside.empty or inside["estimate"].isna().any():
        return "no hazard ratio inside"
    part = who.everybody[who.everybody[INSIDE] == 0]
    if few := few_events(events_in(part, who.groups), floor):
        return f"{few} outside"
    outside = cox(part, [view.compare], view, who.reference, "", Notes(), engine=engine)
    lost = outside is None or outside["estimate"].isna().any() or unstable(outside).any()
    return "no hazard ratio outside" if lost else ""
