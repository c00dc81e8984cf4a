"""What the page on subgroups says of all of them at once: the splits on offer and their forest."""

import numpy as np
import pandas as pd

from helpers.conventions import EVENT_FLOOR
from helpers.estimators.caution import LEVEL
from helpers.pages.subgroup_asked import Asked
from helpers.words import bare_p, lower, number, plain, plain_text, ratio

NO_SPLITS = (
    "This cohort offers no subgroup: it would take a column known at the start with at least ten "
    "patients, from both groups, on either side."
)
NO_TESTS = "No interaction is tested here, so nothing is looked at."


def name_of(asked: Asked, row) -> str:
    """A subgroup by the label of its column and its level, without unit and how it was cut."""
    label = asked.cohort.codebook.at[row["column"], "label"]
    return f"{label}: {row['level'].removesuffix(' (median)')}"


def forest_rows(asked: Asked) -> pd.DataFrame:
    """The forest as rows of `figure_subgroups`, splits on offer only, one P for each."""
    table = asked.forest[asked.forest["split"].notna()]
    first = ~table["split"].duplicated()
    records = table.to_dict("records")
    invented = [asked.invented(row) for row in records]
    return pd.DataFrame({
        "label": [name_of(asked, row) + " (invented)" * made for row, made in
                  zip(records, invented, strict=True)],
        "split": table["split"], "invented": invented,
        "size": [f"{row['n']} ({row['n_event']})" for row in records],
        "ratio": [ratio(pd.Series(row)) for row in records],
        "p": [bare_p(row["interaction_p"]) if own else "" for row, own in
              zip(records, first, strict=True)],
        **{name: table[name] for name in ("estimate", "conf_low", "conf_high", "interaction_p")},
    }).reset_index(drop=True)  # fmt: skip


def contrast_of(asked: Asked) -> str:
    return next((c for c in asked.forest["contrast"] if c), " vs ".join(asked.answer.groups))


def caption_forest(asked: Asked) -> str:
    """What the figure of all subgroups shows."""
    if asked.forest["split"].isna().all():
        return f"An empty forest of subgroups. {nothing(asked)}"
    return plain(
        f"{asked.answer.label}: unadjusted hazard ratio, {contrast_of(asked)}, in every subgroup "
        "of one variable, with 95% Wald intervals on a log axis; dotted line: all patients; "
        "shaded in turn: one split each, with one P for the interaction of its sides, or of a "
        f"level with all others; withheld below {EVENT_FLOOR} events in a group."
    )


def alt_forest(asked: Asked) -> str:
    """The figure of all subgroups for those who do not see it."""
    rows = forest_rows(asked)
    if rows.empty:
        return f"Empty forest of subgroups. {plain_text(nothing(asked))}"
    known = rows[rows["estimate"].notna()]
    text = (
        f"Forest of {len(rows)} subgroups on a log axis, of which {len(rows) - len(known)} have no "
        "hazard ratio"
    )
    if len(known):
        low, high = np.exp([known["estimate"].min(), known["estimate"].max()])
        least = known.loc[known["estimate"].idxmin(), "label"]
        most = known.loc[known["estimate"].idxmax(), "label"]
        text += f"; the others from {number(low)} ({least}) to {number(high)} ({most})"
    return f"{text}. {plain_text(read_forest(asked))}"


def read_forest(asked: Asked) -> str:
    """How many tests, how many below 0.05, and how many chance would put there."""
    tests, k = asked.tests, len(asked.tests)
    if not k:
        return NO_TESTS
    few = int((tests["interaction_p"] < LEVEL).sum())
    first = tests.iloc[0]
    return plain(
        f"{k} interaction test{'s' * (k > 1)}, {few or 'none'} with P below 0.05; if nothing were "
        f"there, {number(LEVEL * k)} would be expected. The smallest is "
        f"{bare_p(first['interaction_p'])}, {name_of(asked, first)}."
    )


def read_offer(asked: Asked) -> str:
    """How many splits are on offer, and which are not and why."""
    if asked.forest.empty:
        return nothing(asked)
    table = asked.forest
    k, off = table["split"].nunique(), table[table["split"].isna()]
    columns = table.loc[table["split"].notna(), "column"].nunique()
    text = f"{k} splits are on offer, from {columns} columns." if k else NO_SPLITS
    if len(off):
        names = dict.fromkeys(
            name_of(asked, row).removesuffix(": ") for row in off.to_dict("records")
        )
        text += f" Not on offer, too few patients or one group alone on a side: {', '.join(names)}."
    return plain(text)


def xlabel(asked: Asked) -> str:
    return f"Hazard ratio, {lower(asked.answer.label)}, {contrast_of(asked)}"


def nothing(asked: Asked) -> str:
    """Why there is no subgroup to show."""
    return plain(f"No subgroup is compared here: {asked.why}.") if asked.why else NO_SPLITS
