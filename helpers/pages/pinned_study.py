"""Does rebuilding from the print find what was true? The committed tables of the study, as text.

data/study is written by `python -m helpers study`; without it each table says so in one row.
"""

import numpy as np
import pandas as pd

from helpers.cohort import ROOT
from helpers.paper.ledger import claims

FOLDER = ROOT / "data" / "study"
SOURCE = (
    "Samples of real cohorts that R and Python packages ship, printed as a paper would and rebuilt "
    "from that print alone; measured once, not run with this page."
)
RULES = {"print": "printed numbers alone", "rules": "print and rules"}


def read(name: str) -> pd.DataFrame | None:
    """A table of the study, or None where it is not shipped."""
    path = FOLDER / f"{name}.csv"
    return pd.read_csv(path) if path.is_file() else None


def nothing() -> pd.DataFrame:
    return pd.DataFrame(
        [{"note": "The tables of the study are not in this copy: python -m helpers study makes "
          "them."}]
    )  # fmt: skip


def summary_text() -> pd.DataFrame:
    """Of each reading and number: how often the sample's own value was reached, and how wide."""
    table = read("summary")
    if table is None:
        return nothing()
    rows = []
    for row in table.to_dict("records"):
        share = f"{row['share']:.1%}"
        if pd.notna(row.get("share_low")):
            share += f" ({row['share_low']:.1%} to {row['share_high']:.1%})"
        width = row.get("median_width_share", np.nan)
        rows.append((f"{row['reading']}, {row['role']}", row["what"].replace("_", " "),
                     f"{row['hits']} of {row['of']}, {row['sets']} sets", share,
                     f"{width:.0%}" if pd.notna(width) else ""))  # fmt: skip
    names = ["reading, data sets", "asked for", "own value reached",
             "share (95% interval, sets drawn)", "width against medians alone"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def misses_text() -> pd.DataFrame:
    """Each kind of miss with how often it happened, by reading."""
    table = read("ranges")
    if table is None:
        return nothing()
    missed = table[table["where"].isin(["above", "below", "outside"])]
    if missed.empty:
        return pd.DataFrame([{"note": "Every value of a sample was reached."}])
    counts = missed.groupby(["reading", "miss"], sort=False).size().sort_values(ascending=False)
    counts = counts.rename("numbers").reset_index().rename(columns={"miss": "why it was missed"})
    return counts


def read_run() -> str:
    """How large the study was."""
    table = read("run")
    if table is None:
        return "The tables of the study are not in this copy."
    run = table.iloc[0]
    return (
        f"{run['samples']:.0f} samples of {run['patients']:.0f} patients from {run['sets']:.0f} "
        f"data sets (seed {run['seed']:.0f}), {run['other_readings']:.0f} more printed by one "
        f"reading and rebuilt by another, {run['group_tasks']:.0f} of "
        f"{run['group_tasks_in_all']:.0f} searches without a group of claims; "
        f"{run['task_minutes']:.0f} minutes of one process. Asked for were "
        f"{run['asked_per_set']:.0f} samples of each of ten sets: these are those finished so far."
    )


def groups_text() -> pd.DataFrame:
    """Each printed number that was left out, and what cohorts that keep the rest show."""
    table = read("groups")
    if table is None:
        return nothing()
    printed = claims().set_index("id")
    rows = []
    for row in table.dropna(subset=["row"]).to_dict("records"):
        low, high = row["low"], row["high"]  # in printed units: ratios, P, months
        known = row["row"] in printed.index
        above, below = row["cohorts_above"], row["cohorts_below"]
        rows.append(
            (row["group"], RULES.get(row["basis"], row["basis"]),
             printed.at[row["row"], "quantity"] if known else row["row"],
             printed.at[row["row"], "printed"] if known else "",
             f"{low:.3g} to {high:.3g}", "inside" if row["inside"] else "outside",
             f"{below:.0f} below, {above:.0f} above")
        )  # fmt: skip
    names = ["left out", "kept", "number", "printed", "range without it", "printed lies",
             "of the cohorts found"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)
