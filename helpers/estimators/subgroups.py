"""Subgroups defined by one variable: which there are, what the arms do in each, how far to believe.

A subgroup is a condition of a View, so each row here can be loaded into one. Every hazard ratio
is from `cox_table` and equals what `analyse` gives for that View.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.cohort import Cohort
from helpers.conventions import EVENT_FLOOR
from helpers.estimators.caution import PRIOR_SD as PRIOR_SD
from helpers.estimators.caution import detectable
from helpers.estimators.caution import looks as looks
from helpers.estimators.caution import shrunk as shrunk
from helpers.estimators.floors import BEYOND, few_events, unstable
from helpers.estimators.splits import membership, splits
from helpers.fit.likelihood import NotEstimable
from helpers.regression import cox_table
from helpers.selection import EVENT, GROUP, INSIDE, TIME, Notes, Selection, known_too_late, select
from helpers.view import View, with_cuts

ARMS = ["n_compared", "events_compared", "n_reference", "events_reference"]
RATIO = [
    "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "scale", "method",
]  # fmt: skip
INTERACTION = {
    "interaction": "estimate", "interaction_error": "std_error",
    "interaction_statistic": "statistic", "interaction_p": "p_value",
}  # fmt: skip
FOREST_COLUMNS = [
    "column", "label", "level", "evidence", "where", "split", "contrast", "n", "n_event", *ARMS,
    *RATIO, "detectable", *INTERACTION, "note",
]  # fmt: skip
NUMBERS = dict.fromkeys(["n", "n_event", *ARMS], "Int64")
NUMBERS |= dict.fromkeys([*RATIO[:6], "detectable"], float)
TEXT = dict.fromkeys(["contrast", *RATIO[6:]], "")


def compared(cohort: Cohort, view: View) -> Selection:
    """The patients of a View with two groups; a NotEstimable says why there are not two."""
    columns = [view.compare, *(condition.column for condition in view.where)]
    cohort = with_cuts(cohort, replace(view, adjust=()))
    who = select(cohort, replace(view, adjust=()), Notes())
    if late := known_too_late(cohort, columns, view.landmark):
        raise NotEstimable(f"Withheld: {late}")
    if len(who.groups) != 2:
        raise NotEstimable(
            f"{view.compare}: groups with patients: {', '.join(who.groups) or 'none'}; a subgroup "
            "is read for two"
        )
    return who


def forest(
    cohort: Cohort, view: View, *, table: pd.DataFrame | None = None, floor: int = EVENT_FLOOR,
    engine: str = "fast",
) -> pd.DataFrame:  # fmt: skip
    """The comparison of a View in every one-variable subgroup, with its interaction.

    Parameters
    ----------
    cohort : Cohort
    view : View
        Endpoint, groups, landmark, ties and intervals. Its own conditions and covariates are not
        used: each row is one condition alone, unadjusted.
    table : DataFrame, optional
        Of `splits`; by default all of them.
    floor : int
        Events in each arm below which the hazard ratio is withheld.
    engine : str
        As in `cox_table`.

    Returns
    -------
    DataFrame
        One row per subgroup: column, label, level, evidence, where, split, contrast ("A vs B"), n,
        n_event, n_compared, events_compared, n_reference, events_reference; estimate, std_error,
        statistic, p_value, conf_low, conf_high of the log hazard ratio inside, scale, method;
        detectable (see `detectable`); interaction (log ratio of hazard ratios, inside over
        outside), interaction_error, interaction_statistic, interaction_p (Wald); note.

    Raises
    ------
    NotEstimable
        Not two groups to compare, or a comparison by what is known only later.

    Notes
    -----
    Equal to ``analyse(cohort, replace(view, where=(Where.read(row["where"]),)))``, where shown.
    Two sides of a split have one interaction, of opposite sign. Every interaction shown is a look;
    see `looks`.

    Examples
    --------
    >>> from helpers.cohort import load_cohort
    >>> table = forest(load_cohort(), View())
    >>> table.query("column == 'sex'")[["level", "n", "estimate", "interaction_p"]].round(3)
      level   n  estimate  interaction_p
    5     F  30    -0.553          0.356
    6     M  63    -1.179          0.356
    """
    who = compared(cohort, replace(view, where=()))
    table = splits(cohort, compare=view.compare) if table is None else table
    rows = cohort.frame.index.get_indexer(who.data.index)
    members, made = membership(cohort, table)[rows], []
    for k, row in enumerate(table.to_dict("records")):
        about = {name: row[name] for name in FOREST_COLUMNS[:6]}
        notes = [row["note"]] if row["note"] else []
        if row["where"] is not None:
            data = who.data.assign(**{INSIDE: members[:, k]})
            about |= ratio(data[members[:, k] == 1], who, view, floor, engine, notes)
            if not row["note"]:
                known = data[~np.isnan(members[:, k])]
                has_ratio = "estimate" in about
                about |= interaction(known, who, view, floor, engine, notes, inside=has_ratio)
        made.append(about | {"note": "; ".join(notes)})
    answer = pd.DataFrame(made, columns=FOREST_COLUMNS)
    more = {"split": "Int64"} | dict.fromkeys(INTERACTION, float)
    return answer.astype(NUMBERS | more).fillna(TEXT)


def sides(cohort: Cohort, view: View, *, floor=EVENT_FLOOR, engine: str = "fast") -> pd.DataFrame:
    """The comparison of a View inside its subgroup, and among all other patients.

    Parameters
    ----------
    cohort, view, floor, engine
        As in `forest`; the View's conditions make the subgroup, however many.

    Returns
    -------
    DataFrame
        Rows inside, outside (side); contrast to detectable as in `forest`, note. For `shrunk`.

    Raises
    ------
    NotEstimable
        As `forest`.
    """
    who, made = compared(cohort, view), []
    met = who.everybody[INSIDE].to_numpy()
    for side, name in ((1, "inside"), (0, "outside")):
        notes = []
        row = ratio(who.everybody[met == side], who, view, floor, engine, notes)
        made.append({"side": name} | row | {"note": "; ".join(notes)})
    return (
        pd.DataFrame(made, columns=["side", *FOREST_COLUMNS[6:-5], "note"])
        .astype(NUMBERS)
        .fillna(TEXT)
    )


def ratio(data: pd.DataFrame, who: Selection, view: View, floor: int, engine: str, notes: list):
    """Counts and the hazard ratio among some patients; a reason in `notes` where withheld."""
    group, happened = data[GROUP].to_numpy(), data[EVENT].to_numpy() == 1
    patients = [int((group == arm).sum()) for arm in who.groups]
    events = [int(happened[group == arm].sum()) for arm in who.groups]
    row = {"contrast": " vs ".join(who.groups), "n": len(data), "n_event": sum(events)}
    row |= dict(zip(ARMS, np.column_stack([patients, events]).ravel().tolist(), strict=True))
    if not all(patients):
        empty = " and ".join(a for a, n in zip(who.groups, patients, strict=True) if not n)
        notes.append(f"hazard ratio withheld: no patient in {empty}")
        return row
    row["detectable"] = detectable(sum(events), patients[0] / len(data))
    if few := few_events(dict(zip(who.groups, events, strict=True)), max(floor, 1)):
        notes.append(f"hazard ratio withheld: {few}")
        return row
    try:
        fit = cox(data, [view.compare], who, view, engine, intervals=view.intervals)
    except NotEstimable as error:
        notes.append(f"hazard ratio withheld: {error}")
        return row
    if unstable(fit).any():
        notes.append(f"hazard ratio withheld: {BEYOND}")
        return row
    return row | {name: fit[name].iloc[0] for name in RATIO}


def interaction(
    data: pd.DataFrame, who: Selection, view: View, floor: int, engine: str, notes: list, *,
    inside: bool,
) -> dict:  # fmt: skip
    """The Wald test of inside against outside; a reason in `notes` where withheld.

    `inside` says whether there is a hazard ratio inside; without a floor the sides are not asked.
    """
    if floor and not inside:
        notes.append("interaction withheld: no hazard ratio inside")
        return {}
    outside = data[data[INSIDE] == 0]
    if floor and "estimate" not in ratio(outside, who, view, floor, engine, []):
        notes.append("interaction withheld: no hazard ratio outside")
        return {}
    product = (f"{view.compare}: {who.groups[0]} vs {who.reference}", INSIDE)
    try:
        fit = cox(data, [view.compare, INSIDE], who, view, engine, products=[product])
    except NotEstimable as error:
        notes.append(f"interaction withheld: {error}".replace(INSIDE, "the subgroup"))
        return {}
    row = fit.iloc[-1]
    if unstable(fit.iloc[[-1]]).any():
        notes.append(f"interaction withheld: {BEYOND}")
        return {}
    return {name: row[column] for name, column in INTERACTION.items()}


def cox(data, covariates, who: Selection, view: View, engine: str, **options) -> pd.DataFrame:
    """`cox_table` under the conventions of a View."""
    engine = "lifelines" if view.ties == "exact" else engine  # the kernel has the other two rules
    return cox_table(
        data, time=TIME, event=EVENT, covariates=covariates, ties=view.ties, engine=engine,
        references={view.compare: who.reference}, **options,
    )  # fmt: skip
