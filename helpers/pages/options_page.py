"""The page on salvage options: what is printed as tables, captions and alternative texts.

Every number is a row's, as printed, or an exact interval of printed counts. The traps that rows
teach stand in `helpers.pages.options_traps`, the cases in `helpers.pages.options_cases`.
"""

import pandas as pd

from helpers.paper.option_outcomes import OURS, STUDY, outcomes, printed_parts, row_of
from helpers.paper.options import AFTER, GROUPS, TIERS, TIME_ZEROS
from helpers.plots.landscape import NAMES
from helpers.words import NOT_DEFINED

PUBLISHED = (
    "Published aggregate outcomes, mostly from abstracts, as printed; no patient data. A dash: not "
    "printed in the text available to us."
)
STATUS = "Published aggregate outcomes, mostly from abstracts; no patient data."
STAR = " * exact 95% interval (Clopper-Pearson), computed here from printed counts."
SHAPES = {1: "large black dot", 2: "grey square", 3: "small open diamond", 4: "thin grey cross"}
HEADS = {"orr": "overall response, %", "crr": "complete response, %", "pfs": "median PFS, months",
         "os": "median OS, months"}  # fmt: skip
YEAR = {"12-month PFS, %": "one_year_pfs_pct", "12-month OS, %": "one_year_os_pct"}


def status(rows: pd.DataFrame) -> str:
    """What the data of the page is, in a sentence or two."""
    after = (rows["population"] == AFTER).sum()
    return (
        f"{len(rows)} rows of published aggregate outcomes from {rows['study'].nunique()} studies, "
        f"mostly their abstracts; no patient data. {after} rows are of patients after CD19 CAR-T. "
        "Not for treatment decisions."
    )


def entry(row) -> str:
    """An outcome as a table shows it: the number as printed, its limits, a star where ours."""
    if row["status"]:
        return row["status"]
    if not row["interval"]:
        return row["printed"]
    if row["interval"] == OURS:
        return f"{row['printed']} ({row['limits']})*"
    level = row["interval"].removeprefix("printed").strip(", ")
    return f"{row['printed']} ({row['limits']}{'' if level == '95%' else '; ' + level})"


def rows_table(rows: pd.DataFrame, *columns: str, ids=None) -> pd.DataFrame:
    """Rows to read, in the order of the file.

    Parameters
    ----------
    rows : DataFrame
        As `load_options` gives them.
    *columns : str
        Of: row, option, regimen, study, patients, population, tier, clock, source, doubt, the four
        of `HEADS` and the two of `YEAR`.
    ids : list of int, optional
        The row_id of those shown; all without it.
    """
    rows = rows if ids is None else rows[rows["row_id"].isin(ids)]
    known = outcomes(rows)
    texts = {
        (row["row_id"], row["endpoint"]): entry(row)
        for row in known.to_dict("records")
    }  # fmt: skip
    table = pd.DataFrame(
        {
            "row": rows["row_id"],
            "option": rows["label"],
            "class": rows["option_group"],
            "regimen": rows["regimen"],
            "study": rows["study"],
            "patients": [NOT_DEFINED if pd.isna(n) else f"{n:.0f}" for n in rows["n"]],
            "population": rows["population"],
            "tier": rows["tier"],
            "clock": rows["time_zero"],
            "source": [row["doi"] or row["citation"] for row in rows.to_dict("records")],
            "doubt": rows["doubt"].replace("", NOT_DEFINED),
        }
        | {
            head: [texts.get((i, endpoint), NOT_DEFINED) for i in rows["row_id"]]
            for endpoint, head in HEADS.items()
        }
        | {head: rows[f"{column}_printed"].replace("", NOT_DEFINED)
           for head, column in YEAR.items()}
    )  # fmt: skip
    return table[list(columns)].reset_index(drop=True)


def tiers_table(rows: pd.DataFrame) -> pd.DataFrame:
    """The four tiers: what they mean, how they look, how many rows each has."""
    after = rows[rows["population"] == AFTER]
    return pd.DataFrame(
        {
            "tier": tier,
            "how direct": meaning,
            "drawn as": SHAPES[tier],
            "rows": int((rows["tier"] == tier).sum()),
            "of them after CD19 CAR-T": int((after["tier"] == tier).sum()),
        }
        for tier, meaning in TIERS.items()
    )


def groups_table(rows: pd.DataFrame) -> pd.DataFrame:
    """How many rows each class of option has after CD19 CAR-T, by tier, and of other patients."""
    found = []
    for group in GROUPS:
        part = rows[rows["option_group"] == group]
        after = part[part["population"] == AFTER]
        counts = {f"tier {tier}": int((after["tier"] == tier).sum()) for tier in TIERS}
        found.append({"option": group} | counts | {"other populations": len(part) - len(after)})
    return pd.DataFrame(found)


def parts_table(rows: pd.DataFrame) -> pd.DataFrame:
    """What the rows after CD19 CAR-T print, and how often."""
    table = printed_parts(rows[rows["population"] == AFTER])
    table["rows"] = table["rows"].astype(str) + " of " + table.pop("of").astype(str)
    return table.rename(columns={"what": "printed", "rows": "rows"})


def clocks_table(frame: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Which event the clock of each median starts at, and the words that say so."""
    found = []
    for clock in TIME_ZEROS:
        part = frame[frame["time_zero"] == clock]
        words = {row_of(rows, i)["time_zero_words"] for i in part["row_id"]} - {""}
        found.append(
            {
                "clock starts at": clock,
                "medians of PFS": int((part["endpoint"] == "pfs").sum()),
                "medians of OS": int((part["endpoint"] == "os").sum()),
                "in the words of": "; ".join(sorted(words))
                if clock != "not stated" and words
                else NOT_DEFINED,
            }
        )
    return pd.DataFrame(found)


def alt_landscape(frame: pd.DataFrame, endpoints: tuple[str, str], highlight: bool) -> str:
    """A landscape for those who do not see it: its axes, its order, and numbers by option."""
    kind = "response rates" if "orr" in endpoints else "median survival times"
    unit = "percent" if "orr" in endpoints else "months"
    parts = []
    for (clock, group), part in frame.groupby(["time_zero", "option_group"], sort=False):
        told = []
        for row in part.drop_duplicates("row_id")["row_id"]:
            same = part[part["row_id"] == row].set_index("endpoint")
            values = [f"{NAMES[e]} {entry(same.loc[e])}" for e in endpoints if e in same.index]
            told.append(f"{same['label'].iloc[0]}: {', '.join(values)}")
        where = f"Clock {clock}, " if unit == "months" else ""
        parts.append(f"{where}{group}: {'; '.join(told)}.")
    ours = " The two arms of the study of this series are coloured." if highlight else ""
    panels = "one panel for each event the clock starts at, " if unit == "months" else ""
    return (
        f"Dot chart of {kind} in {unit}, {panels}{frame['row_id'].nunique()} rows in the order of "
        f"their option, not of their value; weaker tiers have smaller, paler marks.{ours} "
        + " ".join(parts)
    )


def caption_rates(frame: pd.DataFrame) -> str:
    """What the figure of response rates shows."""
    counts = frame["endpoint"].value_counts()
    return (
        f"Overall ({counts['orr']} rows) and complete response ({counts['crr']} rows) after CD19 "
        f"CAR-T, in percent, {frame['row_id'].nunique()} rows by option. Intervals as printed "
        "(95% unless dotted: level not stated); starred ones are exact 95% intervals of printed "
        "counts, computed here; most rows have none. Order: option, then number of the row."
    )


def caption_medians(frame: pd.DataFrame) -> str:
    """What the figure of medians shows."""
    counts = frame[frame["status"] == ""]["endpoint"].value_counts()
    return (
        f"Median progression-free ({counts['pfs']}) and overall survival ({counts['os']}) after "
        "CD19 CAR-T, in months, a panel with its own scale for each event that starts the clock. "
        "Intervals as printed, 95% unless a level is given; an arrow has no printed upper limit. "
        "Order within a panel: option, then number of the row."
    )


def read_landscape(frame: pd.DataFrame) -> str:
    """How many of the rates drawn come with an interval, and whose."""
    some = frame[frame["interval"] != ""]
    ours = (some["interval"] == OURS).sum()
    weak = frame.drop_duplicates("row_id")["tier"]
    return (
        f"Of {len(frame)} rates, {len(frame) - len(some)} stand alone: no interval, and no count "
        f"from which to compute one. {len(some) - ours} have a printed interval, {ours} one that "
        f"we could compute. {(weak >= 3).sum()} of the {len(weak)} rows are of tier 3 or 4."
    )


def around_the_study(rows: pd.DataFrame) -> str:
    """Where the complete response rate of the study's arm lies among the other printed ones."""
    after = rows[rows["population"] == AFTER]
    rates = outcomes(after).query("endpoint == 'crr'")
    ours = rates[rates["study"].str.startswith(STUDY)].set_index("row_id")
    others = rates[~rates["study"].str.startswith(STUDY)]
    arm = ours.loc[1]
    inside = others["estimate"].between(arm["conf_low"], arm["conf_high"]).sum()
    return (
        f"{arm['label']} (row 1): complete response {arm['printed']}%, exact 95% interval "
        f"{arm['limits']}. The interval covers {inside} of the other {len(others)} printed "
        "complete response rates after CD19 CAR-T, of very different options. By this rate alone "
        "the arm cannot be told from them, and each was measured in other patients."
    )
