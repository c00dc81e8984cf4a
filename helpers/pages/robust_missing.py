"""Complete cases against multiple imputation: where the full answer is known, and where it is not.

Gaps are made in a real cohort whose every value is known, so that both answers can be held against
the one without gaps. A reader's own cohort is asked where it has gaps of its own.
"""

import numpy as np
import pandas as pd

from helpers.analysis import Answer
from helpers.cohort import Cohort
from helpers.estimators.missing import imputed_cox, missing_table
from helpers.fit.likelihood import NotEstimable
from helpers.pages.asking import why_not_compared
from helpers.regression import cox_table
from helpers.selection import EVENT, TIME, Notes, select
from helpers.words import bare_p, number, percent, ratio

AT_RANDOM, BY_COURSE = "by lot", "more often untreated with a recurrence"
SHARE = 0.4  # of the values of one column
GAP = "size"
MODEL = ["arm", "age", "size", "nodes"]
EXAMPLE = ("data/examples/german_breast_cancer.csv", "data/examples/german_breast_cancer.yaml")
NO_MODEL = "No covariates are named, so the model has none that could be missing or imputed."
REAL = "German Breast Cancer Study: real, published data."
GAPS_MADE = (
    "Gaps were made by lot in a real cohort, the German Breast Cancer Study, so these are "
    "simulated; its values are real, published data."
)


def with_gaps(cohort: Cohort, how: str, rng: np.random.Generator) -> pd.DataFrame:
    """The German cohort with some tumour sizes taken away.

    Parameters
    ----------
    cohort : Cohort
        The example cohort, complete.
    how : str
        AT_RANDOM: each value with the same chance. BY_COURSE: chances are 5 to 2 for those
        without hormone therapy who later had a recurrence; both are recorded, so it can be told
        who is likelier to lack a size.
    rng : Generator

    Returns
    -------
    DataFrame
        A copy of the frame; about SHARE of one column is missing.
    """
    frame = cohort.frame.copy()
    marked = (frame["rfs_event"] == 1) & (frame["arm"].astype(str) == cohort.reference_arm)
    weight = np.where(marked & (how == BY_COURSE), 2.5, 1.0)
    chance = weight * SHARE / weight.mean()
    return frame.assign(**{GAP: frame[GAP].mask(rng.random(len(frame)) < chance)})


def made_gaps(cohort: Cohort, *, seed: int, imputations: int) -> pd.DataFrame:
    """The full answer beside those of complete cases and of imputation, for two kinds of gaps.

    Returns
    -------
    DataFrame
        gaps (nothing missing, AT_RANDOM, BY_COURSE), analysis, column, and of the arm and the
        column with gaps: estimate, conf_low, conf_high, n, n_event, fraction_missing.
    """
    keys = {"time": "rfs_time", "event": "rfs_event", "covariates": MODEL,
            "references": {"arm": cohort.reference_arm}}  # fmt: skip
    full = cox_table(cohort.frame, **keys, engine="fast")
    parts = [full.assign(gaps="nothing missing", analysis="everybody", fraction_missing=0.0)]
    for k, how in enumerate((AT_RANDOM, BY_COURSE)):
        frame = with_gaps(cohort, how, np.random.default_rng([seed, k]))
        table = imputed_cox(frame, **keys, seed=seed, imputations=imputations)
        parts.append(table.assign(gaps=how))
    table = pd.concat(parts, ignore_index=True)
    names = ["gaps", "analysis", "column", "estimate", "std_error", "conf_low", "conf_high", "n",
             "n_event", "fraction_missing"]  # fmt: skip
    return table.loc[table["column"].isin(["arm", GAP]), names].reset_index(drop=True)


def made_gaps_text(table: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """One line per analysis, as a table to read; ratios of the size are per 10 mm."""
    rows, before = [], ""
    for (gaps, analysis), part in table.groupby(["gaps", "analysis"], sort=False):
        shown, before = "" if gaps == before else gaps, gaps
        arm, gap = (part[part["column"] == name].iloc[0] for name in ("arm", GAP))
        ten = gap.copy()
        ten[["estimate", "conf_low", "conf_high"]] *= 10
        rows.append({
            "values taken away": shown, "analysis": analysis, "n": arm["n"], "events":
            arm["n_event"], " vs ".join(cohort.arms): ratio(arm), "size, per 10 mm":
            ratio(ten),
        })  # fmt: skip
    return pd.DataFrame(rows)


def complete_ratio(table: pd.DataFrame) -> float:
    """The hazard ratio of the complete cases where gaps go with arm and course."""
    row = table[(table["gaps"] == BY_COURSE) & (table["analysis"] == "complete cases")
                & (table["column"] == "arm")]  # fmt: skip
    return float(np.exp(row["estimate"].iloc[0]))


def read_made_gaps(table: pd.DataFrame) -> str:
    """How far each answer is from the full one, in units of the full answer's error."""
    full = table[table["gaps"] == "nothing missing"].set_index("column")
    said = {}
    for (gaps, analysis), part in table.groupby(["gaps", "analysis"], sort=False):
        if gaps == "nothing missing":
            continue
        row, whole = part.set_index("column").loc["arm"], full.loc["arm"]
        factor = np.exp(abs(row["estimate"] - whole["estimate"]))
        wide = row["std_error"] / whole["std_error"]
        said.setdefault(gaps, []).append(
            f"{analysis}: off by a factor of {number(factor)}, with an error {number(wide)} times "
            "as large"
        )
    parts = [f"Gaps {gaps}, {'; '.join(found)}." for gaps, found in said.items()]
    return f"Against the ratio of the treatment without gaps. {' '.join(parts)}"


def own_gaps(answer: Answer) -> pd.DataFrame:
    """How much of each covariate of the model is missing, of the patients of the View."""
    if why_not_compared(answer) or not answer.view.adjust:
        return pd.DataFrame()
    who = select(answer.cohort, answer.view, Notes())
    return missing_table(who.data, event=EVENT, covariates=list(answer.view.adjust))


def gaps_text(table: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """As a table to read."""
    if table.empty:
        return pd.DataFrame({"note": [NO_MODEL]})
    labels = cohort.codebook["label"]
    return pd.DataFrame({
        "column": [labels.get(name.partition(" >= ")[0], name) for name in table["column"]],
        "patients": table["n"], "missing": table["missing"],
        "share": table["share"].map(percent),
        "event if missing": table["event_if_missing"].map(percent),
        "event if known": table["event_if_known"].map(percent),
    })  # fmt: skip


def own_imputed(answer: Answer, *, seed: int, imputations: int) -> pd.DataFrame:
    """Complete cases beside imputation on the cohort of the View, where it has gaps.

    Returns
    -------
    DataFrame
        As a table to read; a note where imputation is refused.
    """
    compare, columns = answer.view.compare, answer.view.adjust
    who = select(answer.cohort, answer.view, Notes())
    try:
        table = imputed_cox(
            who.data, time=TIME, event=EVENT, covariates=[compare, *columns], seed=seed,
            references={compare: who.reference}, imputations=imputations,
        )  # fmt: skip
    except NotEstimable as error:
        return pd.DataFrame({"note": [f"No imputation: {error}."]})
    rows = table[table["column"] == compare]
    return pd.DataFrame({
        "analysis": rows["analysis"], "n": rows["n"], "events": rows["n_event"],
        "hazard ratio": [ratio(row) for _, row in rows.iterrows()],
        "P": rows["p_value"].map(bare_p), "note": rows["note"],
    })  # fmt: skip


def own_text(answer: Answer, *, seed: int, imputations: int) -> pd.DataFrame:
    """`own_imputed`, or one row that says why there is nothing to impute."""
    gaps = own_gaps(answer)
    if gaps.empty:
        return pd.DataFrame({"note": [NO_MODEL]})
    if not gaps["missing"].any():
        return pd.DataFrame({"note": ["Every covariate is known: nothing is imputed."]})
    return own_imputed(answer, seed=seed, imputations=imputations)
