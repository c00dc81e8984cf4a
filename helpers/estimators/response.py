"""Response by arm: rates, contrasts, strata, and grades of toxicity, as tidy frames.

What counts alone decide is in `helpers.fit.proportions` and `helpers.fit.contrasts`, and offered
here too. Arm 1 is the first named, arm 0 the reference: ratios above 1 and positive differences
mean more responders in arm 1.
"""

import numpy as np
import pandas as pd

from helpers.fit.contrasts import (
    CONTRAST_COLUMNS,
    fragility,
    pooled_rows,
    response_contrast,
    stratum_row,
)
from helpers.fit.likelihood import NotEstimable
from helpers.fit.proportions import (
    TESTS,
    odds_ratios,
    one_sided_bound,
    profile_limit,
    proportion_table,
    response_p,
)

__all__ = [
    "TESTS", "fragility", "grade_table", "odds_ratios", "one_sided_bound", "profile_limit",
    "proportion_table", "response_contrast", "response_contrasts", "response_p", "response_table",
    "stratified_contrast", "stratified_response",
]  # fmt: skip

EVALUABLE = ("CR", "PR", "SD", "PD")
MISSING = "missing"  # the stratum of those without one


def response_table(
    frame: pd.DataFrame,
    *,
    arm: str,
    response: str,
    responders=("CR", "PR"),
    denominator="evaluable",
) -> pd.DataFrame:
    """Response rate per arm, a proportion from 0 to 1, with exact and Wilson 95% intervals.

    Parameters
    ----------
    frame : DataFrame
        One row per patient.
    arm, response : str
        Columns; response is CR, PR, SD, PD, NE (not evaluable), or missing, read as NE.
    responders : sequence of str
        The codes that count as response: ("CR",) gives the complete response rate.
    denominator : str
        evaluable leaves out NE and missing, and flatters an arm whose patients died before they
        were assessed; all counts them as non-responders, as an intention-to-treat rate does.

    Returns
    -------
    DataFrame
        arm, responders, n (the denominator), not_evaluable (patients), denominator, and estimate,
        exact_low, exact_high, wilson_low, wilson_high, one_sided, note of `proportion_table`.

    Raises
    ------
    ValueError
        A code outside the five, a patient without arm, an unknown denominator.

    Examples
    --------
    >>> five = pd.DataFrame({"arm": list("aaabb"), "best": ["CR", "PD", "NE", "PR", "SD"]})
    >>> table = response_table(five, arm="arm", response="best")
    >>> table[["arm", "responders", "n", "not_evaluable", "estimate"]]
      arm  responders  n  not_evaluable  estimate
    0   a           1  2              1       0.5
    1   b           1  2              0       0.5
    """
    arms = with_arm(frame, arm)
    table = tally(frame, [arms.rename("arm")], response, responders, denominator)
    return rates(table, denominator)


def with_arm(frame: pd.DataFrame, arm: str) -> pd.Series:
    """The arm of every patient; refuse a patient without one."""
    if frame[arm].isna().any():
        raise ValueError(
            f"{arm}: found {int(frame[arm].isna().sum())} patients without one. To do: leave them "
            "out, and say so."
        )
    return frame[arm]


def tally(frame, keys: list[pd.Series], response: str, responders, denominator) -> pd.DataFrame:
    """Responders, denominator and not evaluable, per combination of keys that has a patient."""
    if denominator not in ("evaluable", "all"):
        raise ValueError(f"denominator: found {denominator!r}. To do: use evaluable or all.")
    if isinstance(responders, str) or not set(responders) <= set(EVALUABLE):
        raise ValueError(
            f"responders: found {responders!r}. To do: give a tuple of {', '.join(EVALUABLE)}."
        )
    codes = frame[response]
    unknown = sorted(map(str, set(codes.dropna().unique()) - {*EVALUABLE, "NE"}))
    if unknown:
        raise ValueError(
            f"{response}: found {', '.join(unknown)}. To do: recode to {', '.join(EVALUABLE)}, NE."
        )
    known = codes.isin(EVALUABLE)
    counts = pd.DataFrame(
        {
            "responders": codes.isin(list(responders)),
            "n": known | (denominator == "all"),
            "not_evaluable": ~known,
        }
    )
    return counts.groupby(keys, observed=True, sort=True).sum().astype(int)


def rates(counts: pd.DataFrame, denominator: str) -> pd.DataFrame:
    """Counts with their proportions and intervals; the keys become columns."""
    proportions = proportion_table(counts["responders"], counts["n"]).drop(columns=["x", "n"])
    return counts.assign(denominator=denominator).join(proportions).reset_index()


def response_contrasts(table: pd.DataFrame, *, reference: str) -> pd.DataFrame:
    """Every arm of a `response_table` against the reference, by `response_contrast`.

    Returns
    -------
    DataFrame
        contrast ("A vs B") and the columns of `response_contrast`; an arm without patients to
        compare has one row, with a note.

    Raises
    ------
    ValueError
        The reference is not an arm of the table.
    """
    counts = dict(zip(table["arm"], table[["responders", "n"]].to_numpy().tolist(), strict=True))
    parts = []
    for name in other_arms(table["arm"], reference):
        try:
            part = response_contrast(*counts[name], *counts[reference])
        except NotEstimable as reason:
            part = pd.DataFrame([{"measure": "none", "method": "none", "note": str(reason)}])
            part = part.reindex(columns=CONTRAST_COLUMNS)
        part.insert(0, "contrast", f"{name} vs {reference}")
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def other_arms(arms, reference: str) -> list:
    """The arms but the reference, in the order of the table."""
    arms = list(dict.fromkeys(arms))
    others = [name for name in arms if name != reference]
    if reference not in arms or not others:
        raise ValueError(
            f"reference: found {reference!r} and the arms {', '.join(map(str, arms))}. To do: name "
            "one of at least two arms."
        )
    return others


def stratified_response(
    frame: pd.DataFrame, *, arm: str, response: str, stratum: str, responders=("CR", "PR"),
    denominator="evaluable",
) -> pd.DataFrame:  # fmt: skip
    """Response rate per stratum and arm; `stratified_contrast` compares and pools them.

    Returns
    -------
    DataFrame
        stratum, and the columns of `response_table`. Every stratum has a row for every arm, with
        n = 0 and a note where it has no patient. Patients without a stratum are the stratum
        "missing", the last.
    """
    arms = with_arm(frame, arm)
    strata = frame[stratum].astype(object).where(frame[stratum].notna(), MISSING)
    counts = tally(frame, [strata.rename("stratum"), arms.rename("arm")], response,
                   responders, denominator)  # fmt: skip
    levels = [v for v in frame[stratum].astype("category").cat.categories if (strata == v).any()]
    levels += [MISSING] * bool(frame[stratum].isna().any())
    names = [v for v in arms.astype("category").cat.categories if (arms == v).any()]
    every = pd.MultiIndex.from_product([levels, names], names=["stratum", "arm"])
    return rates(counts.reindex(every, fill_value=0), denominator)


def stratified_contrast(table: pd.DataFrame, *, reference: str) -> pd.DataFrame:
    """Odds ratio of response per stratum and pooled over strata, with the test of each.

    Parameters
    ----------
    table : DataFrame
        From `stratified_response`.
    reference : str
        The arm all others are compared with.

    Returns
    -------
    DataFrame
        contrast, stratum (or "pooled"), measure (odds ratio, test, homogeneity), method, estimate,
        conf_low, conf_high, p_value, note. Per stratum: the conditional odds ratio with its exact
        interval, and Fisher's P. Pooled: the Mantel-Haenszel odds ratio with the interval of
        Robins, Breslow and Greenland; the Cochran-Mantel-Haenszel test without continuity
        correction (R's default has one); the Breslow-Day test with Tarone's correction that the
        odds ratio is the same in all strata.

    Notes
    -----
    Strata with one arm, or one outcome, say nothing of the odds ratio and are left out of the
    pool and of the degrees of freedom; so are patients without a stratum. A large P of homogeneity
    in small strata is no evidence of equal odds ratios.

    References
    ----------
    Mantel and Haenszel 1959, https://doi.org/10.1093/jnci/22.4.719
    Robins, Breslow and Greenland 1986, https://doi.org/10.2307/2531052
    Tarone 1985, https://doi.org/10.1093/biomet/72.1.91
    """
    parts, strata = [], list(dict.fromkeys(table["stratum"]))
    counts = {
        name: part.set_index("stratum")[["responders", "n"]].reindex(strata, fill_value=0)
        for name, part in table.groupby("arm", observed=True, sort=False)
    }
    missing = np.array([level == MISSING for level in strata])
    for name in other_arms(table["arm"], reference):
        cells = np.column_stack([counts[name], counts[reference]])
        rows = [(s, *stratum_row(*c)) for s, c in zip(strata, cells.tolist(), strict=True)]
        rows += [("pooled", *row) for row in pooled_rows(cells, missing)]
        part = pd.DataFrame(rows, columns=["stratum", *CONTRAST_COLUMNS])
        part.insert(0, "contrast", f"{name} vs {reference}")
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def grade_table(
    frame: pd.DataFrame, *, grade: str, arm: str | None = None, levels=range(6)
) -> pd.DataFrame:
    """Patients by worst grade of an adverse event, as a proportion with exact 95% intervals.

    Parameters
    ----------
    frame : DataFrame
        One row per patient.
    grade : str
        Column of the worst grade, 0 (none) to 5; missing is counted, and is not grade 0.
    arm : str, optional
        Column that splits the patients; without it the arm is "all".
    levels : sequence of int
        The grades that exist.

    Returns
    -------
    DataFrame
        arm, grade ("0", "1", ..., then "any" for 1 or more and ">= 3"), patients, n (with a grade),
        missing (patients without), and estimate (patients / n), exact_low, exact_high, one_sided,
        note of `proportion_table`.

    Raises
    ------
    ValueError
        A grade outside the levels.

    Examples
    --------
    >>> four = pd.DataFrame({"crs": [0, 1, 3, None]})
    >>> grade_table(four, grade="crs").loc[[6, 7], ["grade", "patients", "n", "missing"]]
      grade  patients  n  missing
    6   any         2  3        1
    7  >= 3         1  3        1
    """
    levels = list(levels)
    odd = sorted(map(str, set(frame[grade].dropna().unique()) - set(levels)))
    if odd:
        raise ValueError(
            f"{grade}: found {', '.join(odd)}. To do: recode to {', '.join(map(str, levels))}."
        )
    parts = frame.groupby(with_arm(frame, arm), observed=True) if arm else [("all", frame)]
    rows = []
    for name, part in parts:
        worst = part[grade]
        counts = {str(level): worst == level for level in levels}
        counts |= {"any": worst >= 1, ">= 3": worst >= 3}
        known, missing = int(worst.notna().sum()), int(worst.isna().sum())
        rows += [(name, label, int(hit.sum()), known, missing) for label, hit in counts.items()]
    table = pd.DataFrame(rows, columns=["arm", "grade", "patients", "n", "missing"])
    intervals = proportion_table(table["patients"], table["n"])
    return table.join(intervals[["estimate", "exact_low", "exact_high", "one_sided", "note"]])
