"""Weighting by the propensity score: who was likely to be treated, and is there anybody alike?

The estimand is the average effect of treatment in all patients (ATE): both groups are weighted
to look like everybody. It rests on overlap (each kind of patient had a chance of either) and on
no unmeasured confounding; the first can be looked at, and is refused where it fails.
The curves under these weights are in `helpers.estimators.weighted_curves`.
"""

import numpy as np
import pandas as pd

from helpers.conventions import TIES
from helpers.estimators.logistic import fitted_chances
from helpers.estimators.rowwise import cox_rows
from helpers.fit.likelihood import NotEstimable

ESTIMAND = "ATE"
SCORE, WEIGHT, GIVEN = "score", "weight", "given"
# Chosen, so printed: overlap fails when more than a tenth of the patients have a score outside
# 0.05 to 0.95, or the weights leave a group less than half of its patients' information.
LOWEST, HIGHEST = 0.05, 0.95
OUTSIDE_MOST, ESS_LEAST = 0.10, 0.50
BALANCE_COLUMNS = [
    "term", "column", "level", "mean_treated", "mean_untreated", "smd", "weighted_treated",
    "weighted_untreated", "smd_weighted",
]  # fmt: skip


def propensity_weights(
    frame: pd.DataFrame, *, group: str, treated: object, covariates: list[str],
    references: dict[str, str] | None = None, stabilised: bool = True,
) -> pd.DataFrame:  # fmt: skip
    """The chance of each patient to be in the treated group, and the weight made of it.

    Parameters
    ----------
    frame : DataFrame
        One row per patient; those with a missing value are left out (complete cases).
    group, treated : str and a value of that column
        Column of two groups, and which of them is the treated one.
    covariates : list of str
        Known before the choice of treatment; they enter as in `helpers.fit.design.design`.
    references : dict, optional
        Reference level of a categorical covariate.
    stabilised : bool
        Multiply by the share of the patient's own group, so that weights are near 1 and their
        sum near the number of patients. Estimates of one group are the same without.

    Returns
    -------
    DataFrame
        Index of the complete cases: given (True for the treated), score (0 to 1), weight.

    Raises
    ------
    NotEstimable
        One group only, or covariates that separate the groups: there a score is 0 or 1, nobody
        alike is in the other group, and no weight can help.
    ValueError
        No patient has the value `treated`.

    References
    ----------
    Robins, Hernan and Brumback 2000, https://doi.org/10.1097/00001648-200009000-00011
    Cole and Hernan 2008, https://doi.org/10.1093/aje/kwn164

    Examples
    --------
    >>> six = pd.DataFrame({"arm": list("aaabbb"), "fit": [1, 1, 0, 1, 0, 0]})
    >>> propensity_weights(six, group="arm", treated="b", covariates=["fit"]).round(3).head(3)
       given  score  weight
    0  False  0.333    0.75
    1  False  0.333    0.75
    2  False  0.667    1.50
    """
    data = frame.dropna(subset=[group, *covariates])
    given = (data[group] == treated).to_numpy()
    if not given.any():
        raise ValueError(f"{group}: found no {treated!r}. To do: name one of the two groups.")
    if data.loc[~given, group].nunique() > 1:
        raise ValueError(f"{group}: found more than two groups. To do: compare two.")
    name = f"{group}: {treated}"  # also in what is said of a model without an answer
    outcome = data[covariates].assign(**{name: given.astype(int)})
    score = fitted_chances(outcome, outcome=name, covariates=covariates, references=references)
    score = score.to_numpy()
    share = given.mean() if stabilised else 1.0
    others = 1 - given.mean() if stabilised else 1.0
    weight = np.where(given, share / score, others / (1 - score))
    return pd.DataFrame({GIVEN: given, SCORE: score, WEIGHT: weight}, index=data.index)


def effective_size(weight) -> float:
    """Patients of equal weight that would say as much: (sum w)^2 / sum w^2 (Kish).

    Examples
    --------
    >>> effective_size([2, 2, 2]), effective_size([1, 3])
    (3.0, 1.6)
    """
    weight = np.asarray(weight, float)
    return float(weight.sum() ** 2 / (weight**2).sum()) if len(weight) else 0.0


def overlap_table(weights: pd.DataFrame) -> pd.DataFrame:
    """Scores and weights of each group: is there anybody alike in the other?

    Parameters
    ----------
    weights : DataFrame
        From `propensity_weights`.

    Returns
    -------
    DataFrame
        group (treated, untreated, all), n, score_low, score_median, score_high (0 to 1),
        n_outside (score outside 0.05 to 0.95), share_outside, weight_high, effective (patients),
        effective_share (of n).
    """
    given, rows = weights[GIVEN].to_numpy(bool), []
    for name, who in (("treated", given), ("untreated", ~given), ("all", np.ones_like(given))):
        score, weight = (weights[c].to_numpy()[who] for c in (SCORE, WEIGHT))
        outside = int(((score < LOWEST) | (score > HIGHEST)).sum())
        size = effective_size(weight)
        rows.append({
            "group": name, "n": len(score), "score_low": score.min(),
            "score_median": np.median(score), "score_high": score.max(), "n_outside": outside,
            "share_outside": outside / len(score), "weight_high": weight.max(),
            "effective": size, "effective_share": size / len(score),
        })  # fmt: skip
    return pd.DataFrame(rows)


def overlap_problem(weights: pd.DataFrame) -> str:
    """Why weighted results are withheld, or nothing: the rule at the head of this module."""
    table = {row["group"]: row for row in overlap_table(weights).to_dict("records")}
    reasons, every = [], table["all"]
    if every["share_outside"] > OUTSIDE_MOST:
        reasons.append(
            f"{every['n_outside']} of {every['n']} patients have a propensity score outside "
            f"{LOWEST:g} to {HIGHEST:g}, more than {OUTSIDE_MOST:.0%}"
        )
    for name in ("treated", "untreated"):
        row = table[name]
        if row["effective_share"] < ESS_LEAST:
            reasons.append(
                f"the {row['n']} {name} weigh as {row['effective']:.1f} would, less than "
                f"{ESS_LEAST:.0%}"
            )
    return "; ".join(reasons)


def weighted_patients(frame: pd.DataFrame, weights: pd.DataFrame, overlap: str) -> pd.DataFrame:
    """The patients that have a weight; NotEstimable, with the reason, where the overlap fails."""
    if overlap not in ("refuse", "ignore"):
        raise ValueError(f"overlap: found {overlap!r}. To do: use refuse or ignore.")
    if not frame.index.is_unique:
        raise ValueError("index: found repeated labels, so weights have no patient. To do: use "
                         "reset_index before the weights are made.")  # fmt: skip
    if overlap == "refuse" and (reason := overlap_problem(weights)):
        raise NotEstimable(f"overlap: {reason}; compare patients who could have had either")
    return frame.loc[weights.index]


def balance_table(
    frame: pd.DataFrame, weights: pd.DataFrame, *, covariates: list[str]
) -> pd.DataFrame:
    """Means of the covariates in both groups and their standardised difference, before and after.

    Parameters
    ----------
    frame : DataFrame
        The patients; those in the index of `weights` are used.
    weights : DataFrame
        From `propensity_weights`.
    covariates : list of str
        Numbers as they are; of a category each level by its share.

    Returns
    -------
    DataFrame
        term, column, level, mean_treated, mean_untreated, smd (treated minus untreated),
        weighted_treated, weighted_untreated, smd_weighted. A difference is missing where nobody
        differs within either group.

    Notes
    -----
    Both differences are over the same standard deviation, the root of the mean of the two
    unweighted variances (p (1 - p) for a share), so that a change comes from the means alone.

    References
    ----------
    Austin 2009, https://doi.org/10.1002/sim.3697
    """
    data, given = weighted_patients(frame, weights, "ignore"), weights[GIVEN].to_numpy(bool)
    weight, rows = weights[WEIGHT].to_numpy(), []
    for column, level, x in terms(data, covariates):
        binary = bool(np.isin(x, (0, 1)).all())
        plain, changed, spread = [], [], []
        for who in (given, ~given):
            plain.append(x[who].mean())
            changed.append(np.average(x[who], weights=weight[who]))
            few = 0.0 if binary else np.nan
            spread.append(x[who].var(ddof=0 if binary else 1) if who.sum() > 1 else few)
        unit = np.sqrt(np.mean(spread))
        smd = [(a - b) / unit if unit > 0 else np.nan for a, b in (plain, changed)]
        term = f"{column}: {level}" if level else column
        rows.append((term, column, level, *plain, smd[0], *changed, smd[1]))
    return pd.DataFrame(rows, columns=BALANCE_COLUMNS)


def terms(data: pd.DataFrame, covariates: list[str]):
    """Each covariate as numbers, a category as one indicator per level."""
    for column in covariates:
        if pd.api.types.is_numeric_dtype(data[column]):
            yield column, "", data[column].to_numpy(float)
            continue
        values = data[column].astype("category").cat.remove_unused_categories()
        for level in values.cat.categories:
            yield column, str(level), (values == level).to_numpy(float)


def weighted_cox(
    frame: pd.DataFrame, weights: pd.DataFrame, *, time: str, event: str,
    overlap: str = "refuse", ties: str = TIES,
) -> pd.DataFrame:  # fmt: skip
    """Marginal log hazard ratio of treatment in the weighted patients, with robust errors.

    Parameters
    ----------
    frame : DataFrame
        The patients; those in the index of `weights` are used.
    weights : DataFrame
        From `propensity_weights`.
    time, event : str
        Days and event (1 event, 0 censored).
    overlap : str
        refuse where `overlap_problem` finds one, or ignore (to show what would have come out).
    ties : str
        efron or breslow.

    Returns
    -------
    DataFrame
        As `helpers.regression.cox_table`: one row, "treated: yes vs no"; with estimand (ATE) and
        effective (patients of equal weight) after it.

    Raises
    ------
    NotEstimable
        The overlap fails; as `cox_table`.

    Notes
    -----
    A marginal ratio: what a trial in all these patients would show without adjustment. It is
    nearer 1 than the conditional one, also without confounding. The sandwich takes the weights
    as known; they are estimated, so its intervals are on average too wide.

    References
    ----------
    Cole and Hernan 2004, https://doi.org/10.1016/j.cmpb.2003.10.004
    """
    data = weighted_patients(frame, weights, overlap)[[time, event]]
    data = data.assign(weight=weights[WEIGHT], treated=np.where(weights[GIVEN], "yes", "no"))
    table = cox_rows(
        data, time=time, event=event, covariates=["treated"], references={"treated": "no"},
        weight=WEIGHT, robust=True, ties=ties,
    )  # fmt: skip
    return table.assign(estimand=ESTIMAND, effective=effective_size(weights[WEIGHT]))
