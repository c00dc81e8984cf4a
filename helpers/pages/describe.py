"""Who is in a cohort: its columns, who leaves an analysis and why, and Table 1."""

import re
import warnings

import numpy as np
import pandas as pd

from helpers.cohort import ROOT, Cohort
from helpers.conventions import DAYS_PER_MONTH
from helpers.paper.published import ADJUSTMENTS, READINGS
from helpers.view import cut, level_text
from helpers.words import heading

FEW_VALUES = 6  # a number with at most so many values is shown by value
EVALUABLE = ("CR", "PR", "SD", "PD")
EVIDENCE = {
    "published": "as printed",
    "constrained": "built to meet printed numbers",
    "illustrative": "invented",
    "": "recorded",
}
INVENTED = "invented"  # stands where an SMD would


def column_table(cohort: Cohort) -> pd.DataFrame:
    """List the columns of a cohort, what each is worth and when its value is known.

    Returns
    -------
    DataFrame
        column, label (with unit), value (of EVIDENCE; "recorded" unless the cohort was built for
        a publication), known (baseline, a day, or later), missing (patients).
    """
    book = cohort.codebook[~cohort.codebook["role"].isin(["id"])]
    known = [
        "later" if np.isnan(day) else f"day {day:g}" if day else "baseline"
        for day in book["known_at"]
    ]
    return pd.DataFrame(
        {
            "column": book.index,
            "label": [cohort.label(column) for column in book.index],
            "value": [EVIDENCE[evidence] for evidence in book["evidence"]],
            "known": known,
            "missing": [int(cohort.frame[column].isna().sum()) for column in book.index],
        }
    )


def absent_columns(cohort: Cohort) -> pd.DataFrame:
    """List the columns that a reader of this field asks for and this cohort lacks, and why they
    matter.

    Returns
    -------
    DataFrame
        column, label, why.
    """
    known = pd.read_csv(ROOT / "data" / "codebook.csv", keep_default_na=False)
    known = known[
        ~known["column"].isin(cohort.frame) & known["role"].isin(["baseline", "response"])
    ]
    return known[["column", "label", "note"]].rename(columns={"note": "why"})


def attrition(cohort: Cohort) -> pd.DataFrame:
    """Count who is there at each step from the file to an analysis, by arm.

    Beside the first step stands whom the mapping left out. From there on nobody is dropped: each
    step counts those who could be analysed.

    Returns
    -------
    DataFrame
        step, one column per arm (patients), all, and left: who is missing at that step and why.
    """
    frame = cohort.frame
    gone = "; ".join(f"{row.rows}: {row.because}" for row in cohort.excluded.itertuples())
    steps = [("in use" if gone else "in the file", pd.Series(True, frame.index), "")]
    for name, label in cohort.endpoints.items():
        known = frame[[f"{name}_time", f"{name}_event"]].notna().all(axis=1)
        steps.append((f"{label} known", known, "no time or event"))
    if "response" in frame:
        steps.append(("response could be judged", frame["response"].isin(EVALUABLE),
                      "not evaluable, or no response recorded"))  # fmt: skip
    if baseline := baseline_columns(cohort):
        steps.append(("every baseline column known", frame[baseline].notna().all(axis=1),
                      "a baseline value is missing"))  # fmt: skip
    rows = []
    for step, kept, why in steps:
        by_arm = {
            heading(arm, "step", "all", "left"): int((kept & (frame["arm"] == arm)).sum())
            for arm in cohort.arms
        }
        lost = int((~kept).sum())
        left = f"{lost}: {why}" if lost else gone if kept is steps[0][1] else ""
        rows.append({"step": step} | by_arm | {"all": int(kept.sum()), "left": left})
    return pd.DataFrame(rows)


def baseline_columns(cohort: Cohort) -> list[str]:
    return [c for c in cohort.factors if cohort.codebook.at[c, "role"] == "baseline"]


def table_one(cohort: Cohort) -> pd.DataFrame:
    """Describe the baseline columns by arm, as the first table of a paper does.

    Returns
    -------
    DataFrame
        characteristic (a column, or indented below it one of its categories), one column per
        arm, missing (patients), SMD; all text. Counts with percent of those known, or median with
        quartiles. Without baseline columns one row, note.

    Notes
    -----
    The standardised mean difference does not grow with the number of patients, as a P would; above
    0.1 is usually called an imbalance. For numbers it is the difference in means over the root of
    the mean variance, without its sign. It is withheld for invented columns: how well values
    balance that nobody observed says nothing. Of a number that print binds by the side of a cut
    alone, it is that of the two sides. Missing values count in no percentage.

    References
    ----------
    Yang and Dalton 2012, SAS Global Forum 335; Austin 2009, https://doi.org/10.1002/sim.3697
    """
    from tableone import TableOne

    arms = list(cohort.arms)
    shown = [c for c in baseline_columns(cohort) if cohort.frame[c].notna().any()]
    if not shown:
        return pd.DataFrame({"note": ["This cohort has no baseline column."]})
    codes = dict(zip(arms, "ab", strict=True))  # tableone has columns that an arm may be called
    frame, numbers = pd.DataFrame({"_arm": cohort.frame["arm"].map(codes)}), []
    for column in shown:
        values = cohort.frame[column]
        if pd.api.types.is_numeric_dtype(values) and values.nunique() > FEW_VALUES:
            numbers.append(column)
        frame[column] = values if column in numbers else level_text(values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a standard deviation of one patient
        made = TableOne(
            frame, columns=shown, categorical=[c for c in shown if c not in numbers],
            nonnormal=numbers, groupby="_arm", smd=True, missing=True, include_null=False,
            decimals=1,
        ).tableone.droplevel(0, axis=1)  # fmt: skip
    smd = next((c for c in made if c.startswith("SMD")), None)
    heads = {arm: heading(arm, "characteristic", "missing", "SMD") for arm in arms}
    rows, last = [], None
    for (name, value), row in made.iloc[1:].iterrows():
        column = name.rpartition(", ")[0]
        numeric = column in numbers
        texts = {
            heads[arm]: re.sub(r"\[(.*),(.*)\]", r"(\1 to \2)", row[code])
            for arm, code in codes.items()
        }
        if column != last:
            label = cohort.label(column) if numeric else cohort.codebook.at[column, "label"]
            invented = cohort.codebook.at[column, "evidence"] == "illustrative"
            shown_smd = INVENTED if invented else side_smd(cohort, column) or smd_text(row.get(smd))
            title = f"{label}, {'median (quartiles)' if numeric else 'patients (%)'}"
            head = {"characteristic": title} | (texts if numeric else dict.fromkeys(texts, ""))
            head |= {"missing": str(row["Missing"]), "SMD": shown_smd}
            rows.append(head)
        if not numeric:
            rows.append({"characteristic": f"\u2003{value}"} | texts | {"missing": "", "SMD": ""})
        last = column
    return pd.DataFrame(rows)


def side_smd(cohort: Cohort, column: str) -> str:
    """The SMD of the sides of a cut where the grade on either side was invented, else ''."""
    reading = ADJUSTMENTS[READINGS["adjustment covariates"].default]
    at = dict(cut(name) for name in reading).get(column)
    if at is None or not cohort.is_paper:
        return ""
    share = (cohort.frame[column] >= at).groupby(cohort.frame["arm"]).mean()
    spread = np.sqrt((share * (1 - share)).mean())
    return f"{smd_text(share.diff().iloc[-1] / spread)} ({at:g} or more)"


def smd_text(value) -> str:
    """The SMD as shown; a dash where one group has no spread."""
    number = pd.to_numeric(value, errors="coerce")
    return f"{abs(number):.2f}" if np.isfinite(number) else "–"


def censoring_table(cohort: Cohort) -> pd.DataFrame:
    """Why progression-free survival was censored, by arm, and who was watched on for survival.

    Parameters
    ----------
    cohort : Cohort
        With pfs, os and pfs_censor_reason.

    Returns
    -------
    DataFrame
        reason, one column per arm, all, watched on (patients whose survival is known for longer).
    """
    frame = cohort.frame[cohort.frame["pfs_event"] == 0]
    reason = frame["pfs_censor_reason"].fillna("no reason given")
    counts = pd.crosstab(reason, frame["arm"]).reindex(columns=list(cohort.arms), fill_value=0)
    counts = counts.rename(columns=lambda arm: heading(arm, "reason", "all", "watched on"))
    later = (frame["os_time"] > frame["pfs_time"]).groupby(reason).sum()
    table = counts.assign(all=counts.sum(axis=1), **{"watched on": later})
    table.loc["any"] = table.sum()
    return table.astype(int).rename_axis("reason").rename_axis(columns=None).reset_index()


def spread(first: Cohort, second: Cohort) -> pd.DataFrame:
    """Set what two cohorts that print the same numbers do not share side by side.

    Parameters
    ----------
    first, second : Cohort
        With os, pfs, ecog and response.

    Returns
    -------
    DataFrame
        quantity, and one column of numbers per cohort (named "one" and "another").
    """
    from helpers.survival import km_curve, milestones

    columns = {}
    for name, cohort in (("one", first), ("another", second)):
        frame, values = cohort.frame, {}
        for endpoint in ("pfs", "os"):
            values[f"{endpoint.upper()} events"] = f"{frame[f'{endpoint}_event'].sum():.0f}"
            curves = km_curve(
                frame, time=f"{endpoint}_time", event=f"{endpoint}_event", group="arm"
            )
            stones = milestones(curves, [12 * DAYS_PER_MONTH]).set_index("group")["estimate"]
            for arm in cohort.arms:
                values[f"{endpoint.upper()} at 12 months, {arm}"] = f"{stones[arm]:.0%}"
        for grade in ("ecog", "ipi"):
            for arm in cohort.arms:
                part = frame.loc[frame["arm"] == arm, grade]
                high = f"{(part >= 3).sum()} of {len(part)}"
                values[f"{grade.upper()} of 3 or more, {arm}"] = high
        treated = frame[frame["arm"] == cohort.arms[0]]
        responded = treated["response"].isin(["CR", "PR"])
        values[f"overall response, {cohort.arms[0]}"] = f"{responded.sum()} of {len(treated)}"
        columns[name] = values
    return pd.DataFrame(columns).rename_axis("quantity").reset_index()
