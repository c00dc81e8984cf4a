"""What a page says of a multiverse: caption, alt text, takeaway, and the choices that move it."""

import numpy as np
import pandas as pd

from helpers.cohort import Cohort
from helpers.estimators.moved import spread
from helpers.labels import counted, verb
from helpers.plots.specification import NAMES, choice_rows, covariate_label, curve_rows
from helpers.words import lower, number, plain

NO_CURVE = "No analysis of these has a hazard ratio; the table says why each is withheld."


def caption_specifications(table: pd.DataFrame, cohort: Cohort) -> str:
    """What the figure shows: how many analyses, of whom, which intervals, what is not in it."""
    row = spread(table).iloc[0]
    asked, drawn = int(table["analyses"].sum()), len(curve_rows(table))
    parts = [
        f"Hazard ratio, {' vs '.join(cohort.arms)}, of {counted(drawn, 'analysis', 'analyses')}, "
        "sorted, each with its own 95% interval on a log axis; below, what each of them chose."
    ]
    if asked > len(table):
        parts.append(
            f"{asked} ways through the choices are {counted(len(table), 'analysis', 'analyses')}: "
            "the others are fitted to the same numbers."
        )
    if row["withheld"]:
        parts.append(f"{counted(int(row['withheld']), 'analysis', 'analyses')} withheld, with too "
                     "few events or no finite ratio.")  # fmt: skip
    if row["other_scale"]:
        n = int(row["other_scale"])
        parts.append(f"{n} on another scale {verb(n, 'is', 'are')} not drawn.")
    return plain(" ".join(parts))


def alt_specifications(table: pd.DataFrame, cohort: Cohort) -> str:
    """The figure for those who do not see it."""
    curve = curve_rows(table)
    if curve.empty:
        return f"Empty specification curve. {NO_CURVE}"
    rows = choice_rows(table, cohort)
    levels = rows.drop_duplicates("row").groupby("choice", sort=False)["level"].agg(", ".join)
    low, high = np.exp([curve["estimate"].iloc[0], curve["estimate"].iloc[-1]])
    chosen = "; ".join(f"{lower(choice)}: {named}" for choice, named in levels.items())
    return (
        f"Specification curve of {counted(len(curve), 'analysis', 'analyses')}: hazard ratios "
        f"rising from {number(low)} to {number(high)} on a log axis with their intervals, above a "
        f"panel of marks that say what each chose ({chosen or 'one way only'})."
    )


def read_specifications(table: pd.DataFrame) -> str:
    """One sentence on how far the answers agree, and what that does not mean."""
    row = spread(table).iloc[0]
    known = int(row["analyses"] - row["withheld"] - row["other_scale"])
    if not known:
        return NO_CURVE
    low, middle, high = (number(np.exp(row[c])) for c in ("lowest", "middle", "highest"))
    side, below = "below", int(row["below"])
    if below < known - below:
        side, below = "above", known - below
    small = int(row["significant"])
    return (
        f"Over {counted(known, 'analysis', 'analyses')} of the same patients the hazard ratio runs "
        f"from {low} to {high} (median {middle}); {below} {'lies' if below == 1 else 'lie'} {side} "
        f"1 and {small} {'has' if small == 1 else 'have'} P below 0.05. They share patients and "
        "any bias that no choice removes, so their agreement is no replication."
    )


def read_moved(moved: pd.DataFrame, cohort: Cohort) -> str:
    """Which choice moves the hazard ratio most, in a sentence."""
    known = moved[moved["held_mean"].notna()]
    known = known[~known["choice"].str.startswith("adjust: ")]
    if known.empty:
        return "No choice differs between two analyses, so none can be compared."
    first = known.iloc[0]
    text = (
        f'The choice that moves it most is "{plain(choice_name(first["choice"], cohort))}": with '
        f"everything else held, its levels differ by a factor of "
        f"{number(np.exp(first['held_mean']))} on average and {number(np.exp(first['held_most']))} "
        "at most."
    )
    still = known[np.exp(known["held_most"]) < 1.005]
    if len(still):
        names = ", ".join(choice_name(name, cohort) for name in still["choice"])
        text += f" No difference that a printed ratio would show: {plain(names)}."
    return text


def moved_text(moved: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """The choices as a table to read: factors by which the hazard ratio changes."""
    return pd.DataFrame({
        "choice": [choice_name(name, cohort) for name in moved["choice"]],
        "levels": moved["levels"],
        "factor, mean": [number(np.exp(v)) for v in moved["held_mean"].astype(float)],
        "factor, largest": [number(np.exp(v)) for v in moved["held_most"].astype(float)],
        "share of variance, alone": [number(v) for v in moved["alone"].astype(float)],
        "with others": [number(v) for v in moved["total"].astype(float)],
        "note": moved["note"],
    })  # fmt: skip


def choice_name(choice: str, cohort: Cohort) -> str:
    """A choice in words: "adjust: age" is whether age is adjusted for."""
    if choice.startswith("adjust: "):
        label = covariate_label(choice.removeprefix("adjust: "), cohort)
        return f"adjusting for {lower(label)}"
    return {"adjust": "what is adjusted for"}.get(choice, lower(NAMES[choice]))
