"""What the table of salvage options teaches about reading such tables: one trap a function.

Each sentence names its rows; a number that a row only tells in its note is caught from there, and
a note that no longer says it is an error.
"""

import numpy as np
import pandas as pd

from helpers.paper.option_outcomes import from_note, overlaps, row_of
from helpers.paper.options import overlap_rows
from helpers.words import NOT_DEFINED

BISPECIFICS = (18, 19, 20)
NUMBER = r"(\d+(?:\.\d+)?)"


def name(rows: pd.DataFrame, row_id: int) -> str:
    """A row as a sentence names it."""
    return f"{row_of(rows, row_id)['label']} (row {row_id})"


def printed(rows: pd.DataFrame, row_id: int, column: str) -> str:
    """A number of a row, as printed."""
    text = row_of(rows, row_id)[f"{column}_printed"]
    if not text:
        raise ValueError(f"{column}, row_id {row_id}: found nothing. To do: name a printed number.")
    return text


def read_retreatment(rows: pd.DataFrame) -> str:
    """The small group beside them, of whom most were transplanted as well."""
    some, every, alive = from_note(rows, 7, r"(\d) of (\d) had a later SCT.*all (\d) were alive")
    return (
        f"{name(rows, 7)}: {every} patients, median OS not reached; {some} of the {every} had a "
        f"later transplant, and all {alive} were alive. With so few, one who dies early changes "
        "the sentence."
    )


def waiting(rng: np.random.Generator, *, n: int, median: float, wait: float, share: float):
    """Overall survival of simulated patients of whom some are transplanted, which does nothing.

    Parameters
    ----------
    rng : Generator
    n : int
        Patients.
    median : float
        Median survival of them all, months; the hazard is constant.
    wait : float
        Months from time zero to transplant.
    share : float
        Of those alive at `wait`, the share (0 to 1) that is transplanted, by lot.

    Returns
    -------
    DataFrame
        months (survival since time zero), transplanted.
    """
    months = rng.exponential(median / np.log(2), n)
    transplanted = (months > wait) & (rng.random(n) < share)
    return pd.DataFrame({"months": months, "transplanted": transplanted})


def read_cd22(rows: pd.DataFrame) -> str:
    """One target, two reports, and what became of the responses."""
    return (
        f"{name(rows, 4)}: overall response {printed(rows, 4, 'orr_pct')}%, complete "
        f"{printed(rows, 4, 'crr_pct')}%. {name(rows, 5)}, another product: overall "
        f"{printed(rows, 5, 'orr_pct')}%, complete {printed(rows, 5, 'crr_pct')}%; durability of "
        f"complete response at three months {durability(rows):g}%. The study was discontinued."
    )


def durability(rows: pd.DataFrame) -> float:
    """What row 5 reports as the durability of complete response at three months, percent.

    Of the complete responses, or of all patients: the note leaves both readings.
    """
    return float(from_note(rows, 5, rf"3-month durability of CR reported as {NUMBER}%")[0])


def overlap_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Each entry of the overlap column: which rows it names, and whether they name it."""
    found = []
    for row_id, part in overlaps(rows).groupby("row_id", sort=False):
        named = part["other"].dropna()
        found.append(
            {
                "row": row_id,
                "option": row_of(rows, row_id)["label"],
                "overlap": part["words"].iloc[0],
                "rows named": len(named) or "none",
                "of them name it back": int(part["back"].sum()) if len(named) else NOT_DEFINED,
            }
        )
    return pd.DataFrame(found)


def read_overlap(rows: pd.DataFrame) -> str:
    """How many patients a sum over the bispecific rows would count twice, and who says so."""
    pairs = overlaps(rows)
    known = pairs.dropna(subset=["other"])
    whole = row_of(rows, 21)
    parts = [row_of(rows, i) for i in overlap_rows(whole["overlap"])]
    some = [row["n"] for row in parts if pd.notna(row["n"])]
    silent = pairs.loc[pairs["other"].isna(), "row_id"]
    return (
        f"The column names {len(known)} pairs of rows; in {int(known['back'].sum())} of them the "
        f"other row says so as well. {len(silent)} rows, all of meta-analyses, overlap with rows "
        f"that they do not name. {name(rows, 21)} has {whole['n']:.0f} patients and says that it "
        f"contains {len(parts)} single rows, of which {len(some)} print their number, "
        f"{sum(some):.0f} patients together: whoever adds them to it counts those twice."
    )


def year_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with both 12-month estimates, and OS less PFS in points."""
    both = rows[rows["one_year_pfs_pct"].notna() & rows["one_year_os_pct"].notna()]
    gap = both["one_year_os_pct"] - both["one_year_pfs_pct"]
    return pd.DataFrame(
        {
            "row": both["row_id"],
            "option": both["label"],
            "clock": both["time_zero"],
            "12-month PFS, %": both["one_year_pfs_pct_printed"],
            "12-month OS, %": both["one_year_os_pct_printed"],
            "OS less PFS, points": [f"{value:.1f}" for value in gap],
        }
    ).reset_index(drop=True)


def weighting_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Tafasitamab with lenalidomide in one registry, as counted and as weighted."""
    weighted = from_note(
        rows, 33, rf"ORR {NUMBER}, CR {NUMBER}, mPFS {NUMBER}, mOS {NUMBER} \(differs"
    )
    columns = ("orr_pct", "crr_pct", "median_pfs_months", "median_os_months")
    heads = ("overall response, %", "complete response, %", "median PFS, months",
             "median OS, months")  # fmt: skip
    counted = [printed(rows, 32, column) for column in columns]
    other = [printed(rows, 33, column) for column in columns]
    return pd.DataFrame(
        [
            {"treatment": "tafasitamab-lenalidomide", "from": "row 32, as counted"}
            | dict(zip(heads, counted, strict=True)),
            {"treatment": "tafasitamab-lenalidomide", "from": "note of row 33, weighted"}
            | dict(zip(heads, weighted, strict=True)),
            {"treatment": "other treatments", "from": "row 33, weighted"}
            | dict(zip(heads, other, strict=True)),
        ]
    )


def strata_table(rows: pd.DataFrame) -> pd.DataFrame:
    """The overall median of a registry and the medians of its two strata."""
    early, late = from_note(rows, 39, rf"D0-30 vs after D30: {NUMBER} vs {NUMBER} mo")
    whole = row_of(rows, 39)
    return pd.DataFrame(
        {
            "patients": [f"all {whole['n']:.0f}", "failure by day 30", "failure after day 30"],
            "median OS, months": [whole["median_os_months_printed"], early, late],
        }
    )


def relapse_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Outcomes by time from CAR-T to failure, in each study that prints them."""
    pfs = [printed(rows, i, "median_pfs_months") for i in BISPECIFICS]
    orr = [printed(rows, i, "orr_pct") for i in BISPECIFICS]
    found = [("18, 19, 20", "Bispecifics, Shumilov 2025", "overall response, %",
              f"{orr[0]} (up to 3 months)", f"{orr[1]} (4-6), {orr[2]} (over 6)"),
             ("18, 19, 20", "Bispecifics, Shumilov 2025", "median PFS, months",
              f"{pfs[0]} (up to 3 months)", f"{pfs[1]} (4-6), {pfs[2]} (over 6)")]  # fmt: skip
    low, middle = from_note(rows, 22, rf"<2 mo {NUMBER}; 2-6 mo {NUMBER}; >6 mo not reached")
    found.append(("22", row_of(rows, 22)["label"], "median OS, months", f"{low} (under 2 months)",
                  f"{middle} (2-6), not reached (over 6)"))  # fmt: skip
    late, early = from_note(rows, 32, rf">6 mo after CAR-T: mPFS {NUMBER} vs {NUMBER}")
    found.append(("32", row_of(rows, 32)["label"], "median PFS, months",
                  f"{early} (up to 6 months)", f"{late} (over 6)"))  # fmt: skip
    late, early = from_note(rows, 34, rf"Late vs early relapse: PFS {NUMBER} vs {NUMBER} d")
    found.append(("34", row_of(rows, 34)["label"], "median PFS, days", f"{early} (early)",
                  f"{late} (late)"))  # fmt: skip
    heads = ["rows", "treatment and study", "outcome", "early failure", "later failure"]
    return pd.DataFrame(found, columns=heads)
