"""Does rebuilding from the print find what was true? The committed tables of the study, as text.

data/study is written by `python -m helpers study`; without it each table says so in one row.
"""

import re

import numpy as np
import pandas as pd

from helpers.cohort import ROOT
from helpers.paper.ledger import claims
from helpers.paper.unprinted import UNITS

FOLDER = ROOT / "data" / "study"
SOURCE = (
    "Samples of real cohorts that R and Python packages ship, printed as a paper would and rebuilt "
    "from that print alone; measured once, not run with this page."
)
RULES = {"print": "printed numbers alone", "rules": "print and rules"}
RIGHT, HELD_OUT = "as read", "held out"  # the reading by which a sample was printed; its role
FOUND, ALL = "a cohort found", "any of them"
ASKED = {
    FOUND: "whether a cohort was found", ALL: "all four numbers together",
    "survival_difference": "difference in survival", "mean_difference": "mean time gained",
    "events": "events", "unadjusted_hr": "unadjusted hazard ratio",
}  # fmt: skip
# How a sample was printed when it is not as the rebuilding reads it; by `study_print.WRONG`.
READINGS = {RIGHT: RIGHT, "ties": "printed with Breslow's ties",
            "covariates": "printed without covariates", "endpoint": "factor's ratio of recurrence",
            "plateau": "median of a level stretch"}  # fmt: skip
MISSED = ("below", "above", "outside")
WANTING = "the sample does not meet "  # before the ids of rows, in `miss`
NOT_HERE = "The tables of the study are not in this copy"
OFTEN = 0.75  # share reached below which a kind of number is called missed often
LIMIT = re.compile(r"\.(?:low|high|p)$")  # ids of what stands behind a ratio


def read(name: str) -> pd.DataFrame | None:
    """A table of the study, or None where it is not shipped."""
    path = FOLDER / f"{name}.csv"
    return pd.read_csv(path) if path.is_file() else None


def nothing() -> pd.DataFrame:
    return pd.DataFrame([{"note": f"{NOT_HERE}: python -m helpers study makes them."}])


def read_run() -> str:
    """How large the study was."""
    table = read("run")
    if table is None:
        return f"{NOT_HERE}."
    run = table.iloc[0]
    asked = run["asked_per_set"] * run["sets"]
    short = f" of {asked:.0f} that were asked for" if run["samples"] < asked else ""
    return (
        f"{run['samples']:.0f} samples{short}, each of {run['patients']:.0f} patients, from "
        f"{run['sets']:.0f} data sets (seed {run['seed']:.0f}); {run['other_readings']:.0f} more "
        f"printed by one reading and rebuilt by another; {run['group_tasks']:.0f} of "
        f"{run['group_tasks_in_all']:.0f} searches without a group of the paper's own numbers; "
        f"{run['task_minutes']:.0f} minutes of one process."
    )


def summary_text() -> pd.DataFrame:
    """Of each reading and number: how often the sample's own value was reached, and how wide.

    Samples that were held out and are read as they were printed stand first: they are the test.
    Of those that are read otherwise the numbers stand together.
    """
    table = read("summary")
    if table is None:
        return nothing()
    table = table[(table["reading"] == RIGHT) | table["what"].isin([FOUND, ALL])]
    first = (table["role"] != HELD_OUT) + 2 * (table["reading"] != RIGHT)
    rows = []
    for row in table.iloc[np.argsort(first, kind="stable")].to_dict("records"):
        share = f"{row['share']:.1%}"
        if pd.notna(row.get("share_low")):
            share += f" ({row['share_low']:.1%} to {row['share_high']:.1%})"
        width = row.get("median_width_share", np.nan)
        reading = READINGS.get(row["reading"], row["reading"])
        rows.append((f"{row['role']}, {reading}", ASKED.get(row["what"], row["what"]),
                     f"{row['hits']} of {row['of']}, {row['sets']} sets", share,
                     f"{width:.0%}" if pd.notna(width) else ""))  # fmt: skip
    names = ["data sets, reading", "asked for", "reached", "share (95% interval, sets drawn)",
             "width against medians alone"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def read_summary(*, briefly: bool = False) -> str:
    """How often own values of held-out samples were reached, and what follows for this page;
    `briefly` without the single kinds of numbers."""
    table = read("summary")
    if table is None:
        return f"{NOT_HERE}."
    own = table[(table["role"] == HELD_OUT) & (table["reading"] == RIGHT)].set_index("what")
    if ALL not in own.index:
        return "No held-out sample is finished."
    parts = own.drop(index=[FOUND, ALL], errors="ignore").sort_values("share", ascending=False)
    each = [f"{ASKED.get(name, name)} {row.hits} of {row.of}" for name, row in parts.iterrows()]
    together = own.loc[ALL]
    if briefly:
        return (
            f"Where the truth was known, the range held it for {together['hits']:.0f} of "
            f"{together['of']:.0f} numbers of held-out samples; a complete search would hold all."
        )
    weak = [ASKED.get(name, name) for name, row in parts.iterrows() if row.share < OFTEN]
    often = f", above all those of: {', '.join(weak)}" if weak else ""
    end = (
        "What was missed there may be missed on this page too: read its ranges above as too "
        f"narrow{often}."
        if together["hits"] < together["of"]
        else "No range was too narrow there, which does not say that none is on this page."
    )
    return " ".join(filter(None, [
        f"Of {together['of']:.0f} own values of held-out samples, {together['hits']:.0f} lay "
        f"within the range: {', '.join(each)}.", read_sides(), end,
    ]))  # fmt: skip


def read_sides() -> str:
    """On which side of the range missed values of held-out samples lay, by kind of number."""
    table = read("ranges")
    if table is None or "role" not in table:
        return ""
    own = table[(table["role"] == HELD_OUT) & (table["reading"] == RIGHT)]
    counts = pd.crosstab(own["quantity"], own["where"]).reindex(columns=MISSED[:2], fill_value=0)
    said = [f"{ASKED.get(name, name)} {row['below']} below and {row['above']} above"
            for name, row in counts.iterrows() if row.sum()]  # fmt: skip
    return f"Missed values lay: {', '.join(said)} the range." if said else ""


def said_of(reading: str, miss: str) -> str:
    """Why a value was missed, whichever rows a sample does not meet."""
    if not str(miss).startswith(WANTING):
        return str(miss)
    if reading == RIGHT:
        return "the sample's own print lies at an edge of rounding, which the search avoids"
    return "the sample does not meet its own print as it is read"


def misses_text() -> pd.DataFrame:
    """Each kind of miss with how often it happened, by reading."""
    table = read("ranges")
    if table is None:
        return nothing()
    missed = table[table["where"].isin(MISSED)]
    if missed.empty:
        return pd.DataFrame([{"note": "Every value of a sample was reached."}])
    why = [said_of(*pair) for pair in zip(missed["reading"], missed["miss"], strict=True)]
    counts = missed.assign(why=why).groupby(["reading", "why"], sort=False).size()
    table = counts.sort_values(ascending=False, kind="stable").rename("numbers").reset_index()
    table["reading"] = table["reading"].replace(READINGS)
    return table.rename(columns={"why": "why it was missed"})


def dropped() -> pd.DataFrame | None:
    """Every printed number that was left out, limits and P of models among them."""
    table = read("groups")
    return None if table is None else table.dropna(subset=["row"])


def groups_text() -> pd.DataFrame:
    """Each printed number that was left out, and what cohorts that keep the rest show; limits
    and P of a ratio, which go with it, are counted by `read_groups` only."""
    table = dropped()
    if table is None:
        return nothing()
    printed = claims().set_index("id")
    rows = []
    for row in table[~table["row"].str.contains(LIMIT)].to_dict("records"):
        known = row["row"] in printed.index
        # In printed units: ratios, P, months.
        text = UNITS["P"].text if row["row"].endswith("_p") else "{:.3g}".format
        rows.append(
            (printed.at[row["row"], "quantity"] if known else row["row"],
             RULES.get(row["basis"], row["basis"]),
             printed.at[row["row"], "printed"] if known else "",
             f"{text(row['low'])} to {text(row['high'])}",
             "inside" if row["inside"] else "outside",
             f"{row['cohorts_below']:.0f} / {row['cohorts_above']:.0f}")
        )  # fmt: skip
    names = ["number", "kept", "printed", "range without it", "printed lies",
             "cohorts below / above"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def read_groups() -> str:
    """How many of the numbers left out lie among what the rest allows, limits and P included."""
    table = dropped()
    if table is None:
        return f"{NOT_HERE}."
    inside = table["inside"].astype(bool)
    names = claims().set_index("id")["quantity"]
    out = [f"{names.get(row.row, row.row)} ({RULES.get(row.basis, row.basis)})"
           for row in table[~inside].itertuples()]  # fmt: skip
    return (
        f"Limits and P of the ratios were left out with them. Of all {len(table)} values, counted "
        f"with and without the rules, {inside.sum()} lie inside."
        + (f" Outside: {'; '.join(out)}." if out else "")
    )
