"""How far to believe an answer: what stands beside every number of the explorer, in plain words.

Sentences only; the numbers in them come from `helpers.estimators`.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.analysis import Answer
from helpers.conventions import EVENT_FLOOR
from helpers.estimators.caution import detectable, looks, shrunk
from helpers.estimators.nulls import NULLS, position
from helpers.labels import counted
from helpers.regression import events_per_variable
from helpers.words import interval, number, p_value, percent

FEW_PER_VARIABLE = 10
NAMES = {"permutation": "shuffled covariates", "bootstrap": "outcomes drawn anew"}


class Chance(NamedTuple):
    """A null of the best of all splits: which one, its maxima so far, how many are wanted, how many
    splits were on offer; `why` says why there is none."""

    kind: str
    maxima: np.ndarray
    wanted: int
    offered: int
    why: str = ""


def caution(
    answer: Answer, sides: pd.DataFrame | None, n_looks: int, chances: tuple[Chance, ...] = ()
) -> pd.DataFrame:
    """Say how far to believe an answer.

    Parameters
    ----------
    answer : Answer
    sides : DataFrame or None
        Of `helpers.estimators.subgroups.sides`; None where there is no subgroup of two groups.
    n_looks : int
        Interaction tests shown so far, this answer's included.
    chances : tuple of Chance

    Returns
    -------
    DataFrame
        about, says: one sentence or two each, plain text.
    """
    rows = [*size(answer), *power(answer, sides), *shrinking(sides)]
    rows += [("Chance alone", text) for text in by_chance(answer, chances)]
    rows.append(("Looks", read_looks(answer, n_looks)))
    if invented := answer.cohort.invented(*answer.asked):
        says = "made up for this synthetic cohort; nothing that rests on it is about patients."
        rows.append(("Invented columns", f"{', '.join(invented)}: {says}"))
    return pd.DataFrame(rows, columns=["about", "says"])


def size(answer: Answer):
    """Patients and events, and events for each term of the larger model."""
    parts = [
        f"{row['group']}: {counted(row['patients'], 'patient')}, {counted(row['events'], 'event')}"
        for row in answer.counts.to_dict("records")
    ]
    yield "Patients", "; ".join(parts) + "."
    if answer.model.empty:
        return
    name = answer.model["model"].iloc[-1]
    model = answer.model[answer.model["model"] == name]
    per = events_per_variable(model)
    few = f" Below about {FEW_PER_VARIABLE} a model starts to fit its own noise."
    yield (
        "Events per variable",
        (
            f"{number(per, 1)} events for each of the {len(model)} terms of the {name} model."
            if len(model) > 1
            else f"{number(per, 0)} events for the one term of the {name} model."
        )
        + (few if per < FEW_PER_VARIABLE else ""),
    )


def power(answer: Answer, sides: pd.DataFrame | None):
    """The ratios nearest to 1 that this comparison, and its interaction, could detect."""
    counts = answer.counts[answer.counts["patients"] > 0]
    if len(counts) != 2:
        return
    events, share = counts["events"].sum(), counts["patients"].iloc[0] / counts["patients"].sum()
    if events == 0:
        yield "What could be seen", "No event, so no difference could be seen."
        return
    yield (
        "What could be seen",
        (
            f"With {events} events, a true hazard ratio of {either_way(detectable(events, share))} "
            "would be found significant four times in five; one nearer to 1 less often."
        ),
    )
    if sides is None or sides["n"].isna().any():
        return
    all_events, patients = sides["n_event"].sum(), sides["n"].sum()
    inside = sides["n_event"].iloc[0] / all_events if all_events else 0
    arms = sides["n_compared"].sum() / patients if patients else 0
    if 0 < inside < 1 and 0 < arms < 1:
        least = detectable(all_events, arms, inside=inside)
        yield (
            "What an interaction needs",
            (
                "To be found four times in five, the hazard ratio here would have to be that of "
                f"all others times {either_way(least)}. An interaction takes about four times the "
                "events of a comparison."
            ),
        )


def either_way(ratio: float) -> str:
    """A ratio below 1 and its inverse."""
    return f"{ratio:.2g} or below (or {1 / ratio:.2g} or above)"


def shrinking(sides: pd.DataFrame | None):
    """The raw hazard ratio of the subgroup beside the one drawn towards everybody else's."""
    if sides is None:
        return
    inside, outside = (sides.iloc[k] for k in (0, 1))
    if pd.isna(inside["estimate"]) or pd.isna(outside["estimate"]):
        why = "; ".join(dict.fromkeys(sides["note"][sides["note"] != ""]))
        yield "Shrunk", f"Not drawn towards the other patients: {why or 'no estimate on a side'}."
        return
    table = shrunk(*inside[["estimate", "std_error"]], *outside[["estimate", "std_error"]])
    row = table.iloc[0]
    raw, other, drawn, low, high = (
        number(np.exp(v))
        for v in (inside["estimate"], outside["estimate"], row["shrunk"], row["shrunk_low"],
                  row["shrunk_high"])
    )  # fmt: skip
    yield (
        "Shrunk",
        (
            f"Hazard ratio {raw} here, {other} among all others. Drawn towards the others it is "
            f"{drawn} {interval(low, high)}, if large differences between subgroups are rare. "
            f"Prior: the log ratio of the two is normal around 0, standard deviation "
            f"{row['prior_sd']:g}."
        ),
    )


def by_chance(answer: Answer, chances: tuple[Chance, ...]):
    """Where this interaction stands among the best of all splits when there is none."""
    if answer.interaction.empty or len(answer.groups) != 2:
        return
    z = answer.interaction["statistic"].iloc[0]
    for chance in chances:
        name = NAMES[chance.kind]
        if chance.why:
            yield f"Null by {name}: {chance.why}."
        elif not chance.maxima.size:
            yield f"Null by {name}: being computed."
        elif pd.notna(z):
            row = position(z, chance.maxima).iloc[0]
            done = "" if len(chance.maxima) >= chance.wanted else (
                f" ({len(chance.maxima):,} of {chance.wanted:,} done)")  # fmt: skip
            yield (
                f"In {len(chance.maxima):,} data sets with {name}{done}, the largest interaction "
                f"of the {chance.offered} splits on offer was at least as large as this one in "
                f"{percent(row['at_least'] / row['shuffles'], 1)} "
                f"({p_value(row['p_value'])}). {NULLS[chance.kind]}"
            )


def read_looks(answer: Answer, n: int) -> str:
    """How many interaction tests were shown, and what this one's P is worth after them."""
    if not n:
        return "No interaction test has been shown since the start."
    p = answer.interaction["p_value"].min() if len(answer.interaction) else np.nan
    row = looks(p, n).iloc[0]
    tests = "1 interaction test has" if n == 1 else f"{n} interaction tests have"
    text = (
        f"{tests} been shown since the start. If nothing were there, {number(row['false_alarms'])} "
        "would be expected to fall below P = 0.05 by chance."
    )
    if pd.notna(p):
        text += (
            f" This one has {p_value(p)}; multiplied by the looks it is "
            f"{p_value(row['adjusted']).removeprefix('P = ')}, which holds for a number of looks "
            "that was settled beforehand: who stops at the first small P is fooled more often."
        )
    return text


def floor_text() -> str:
    return (
        f"Where a group has fewer than {EVENT_FLOOR} events, its hazard ratio, differences and "
        "interaction are withheld: one patient more or less moves them far. Firth's penalised "
        "estimate can be asked for instead."
    )
