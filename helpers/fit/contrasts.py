"""Contrasts of two arms by counts: difference, ratios, tests, pooled strata, fragility.

Arm 1 is the first named, arm 0 the reference: ratios above 1 and positive differences mean more
responders in arm 1. The parts for one proportion, and each P, are in `helpers.fit.proportions`.
"""

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import chi2, norm

from helpers.conventions import CONFIDENCE
from helpers.fit.likelihood import NotEstimable
from helpers.fit.proportions import (
    EMPTY,
    NO_CONTRAST,
    TESTS,
    Z,
    checked,
    fitted_count,
    odds_ratios,
    response_p,
)

CONTRAST_COLUMNS = ["measure", "method", "estimate", "conf_low", "conf_high", "p_value", "note"]
SMALL = "an expected count is below 5: read Fisher or mid-P"
FULL_ARM = "everyone responds in an arm, which adds no error: the interval is too narrow"
DISAGREE = "this central interval and Fisher's P disagree about a ratio of 1"
SMALL_STRATA = "an expected count is below 5, so the P is rough"


def response_contrast(x1: int, n1: int, x0: int, n0: int) -> pd.DataFrame:
    """Compare x1 responders of n1 patients with x0 of n0: difference, ratios and tests.

    Parameters
    ----------
    x1, n1, x0, n0 : int
        Responders and patients in the arm of interest and in the reference.

    Returns
    -------
    DataFrame
        measure (risk difference, risk ratio, odds ratio, test), method, estimate (arm 1 minus or
        over arm 0, natural scale), conf_low, conf_high (95%), p_value (two-sided; missing where no
        test belongs to the interval), note (why something is missing or doubtful).

    Raises
    ------
    ValueError
        Counts that are not x of n. NotEstimable: an arm without patients.

    Notes
    -----
    The difference has Newcombe's hybrid score interval (his method 10), without correction. Each P
    is that of its own method: Koopman's interval inverts Pearson's test, so the two agree; the
    exact interval of the odds ratio is central and may disagree with Fisher's two-sided P, as in R.
    The conditional odds ratio is not the sample's, which is the one of the Wald row.

    References
    ----------
    Newcombe 1998, https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I
    Katz et al. 1978, https://doi.org/10.2307/2530610
    Koopman 1984, https://doi.org/10.2307/2531405
    Lancaster 1961 (mid-P), https://doi.org/10.1080/01621459.1961.10482105

    Examples
    --------
    >>> table = response_contrast(15, 54, 3, 38)
    >>> table[["measure", "estimate", "conf_low", "conf_high"]].head(3).round(3)
               measure  estimate  conf_low  conf_high
    0  risk difference     0.199     0.035      0.340
    1       risk ratio     3.519     1.094     11.315
    2       risk ratio     3.519     1.208     10.910
    """
    checked(x1=x1, n1=n1, x0=x0, n0=n0)
    if not n1 or not n0:
        raise NotEstimable("n: an arm has no patient. To do: leave it out of the comparison.")
    from statsmodels.stats.proportion import confint_proportions_2indep

    counts = x1, n1, x0, n0
    limits = confint_proportions_2indep(*counts, compare="diff", method="newcomb")
    limits = np.clip(limits, -1, 1)  # rounding leaves -1 - 2e-16
    rows = [
        ("risk difference", "Newcombe hybrid score", x1 / n1 - x0 / n0, *limits, np.nan, ""),
        *risk_ratio_rows(*counts),
        *odds_ratio_rows(*counts),
    ]
    small = np.outer([n1, n0], [x1 + x0, n1 + n0 - x1 - x0]).min() / (n1 + n0) < 5
    for test in TESTS:
        note = SMALL if small and test in ("Pearson", "Yates", "likelihood ratio") else ""
        try:
            p_value = response_p(test, *counts)
        except NotEstimable as reason:
            p_value, note = np.nan, str(reason)
        rows.append(("test", test, np.nan, np.nan, np.nan, p_value, note))
    return pd.DataFrame(rows, columns=CONTRAST_COLUMNS)


def risk_ratio_rows(x1: int, n1: int, x0: int, n0: int) -> list[tuple]:
    """Rows of the risk ratio: Wald on the log (Katz), and Koopman's score."""
    gap = (np.nan, np.nan, np.nan)
    if x1 + x0 == 0:
        note = "no responder in either arm, so the ratio is 0/0"
        return [("risk ratio", m, np.nan, *gap, note) for m in ("log Wald", "Koopman score")]
    ratio = (x1 / n1) / (x0 / n0) if x0 else np.inf
    wald, note = gap, "an arm without responders: the log has no finite error; 0.5 is not added"
    if x1 and x0:
        error = np.sqrt(1 / x1 - 1 / n1 + 1 / x0 - 1 / n0)
        note = "everyone responds, so the error is 0"
        if error > 0:
            limits = np.exp(np.log(ratio) + error * np.array([-Z, Z]))
            note = FULL_ARM if x1 == n1 or x0 == n0 else ""
            wald = (*limits, 2 * norm.sf(abs(np.log(ratio)) / error))
    try:
        score_p = response_p("Pearson", x1, n1, x0, n0)
    except NotEstimable:
        score_p = np.nan
    score = (*koopman_limits(x1, n1, x0, n0), score_p)
    return [
        ("risk ratio", "log Wald", ratio, *wald, note),
        ("risk ratio", "Koopman score", ratio, *score, NO_CONTRAST if np.isnan(score_p) else ""),
    ]


def odds_ratio_rows(x1: int, n1: int, x0: int, n0: int) -> list[tuple]:
    """Rows of the odds ratio: Wald of the sample's, and the conditional one with exact limits."""
    from scipy.stats.contingency import odds_ratio

    names = "Wald", "conditional maximum likelihood, exact"
    if not n1 or not n0 or x1 + x0 in (0, n1 + n0):
        return [("odds ratio", m, *[np.nan] * 4, NO_CONTRAST) for m in names]
    wald = odds_ratios([x1], [n1], [x0], [n0]).iloc[0]
    exact = odds_ratio([[x1, n1 - x1], [x0, n0 - x0]])
    low, high = exact.confidence_interval(CONFIDENCE)
    rejects = response_p("Fisher", x1, n1, x0, n0) < 1 - CONFIDENCE
    note = "" if rejects == (low > 1 or high < 1) else DISAGREE
    return [
        ("odds ratio", names[0], *wald, EMPTY if np.isnan(wald["low"]) else ""),
        ("odds ratio", names[1], exact.statistic, low, high, np.nan, note),
    ]


def koopman_limits(x1: int, n1: int, x0: int, n0: int) -> tuple[float, float]:
    """Koopman's score limits of a risk ratio: those ratios that Pearson's test does not reject.

    Own code, since statsmodels (0.15) is wrong when everyone in an arm has the outcome.

    References
    ----------
    Koopman 1984, https://doi.org/10.2307/2531405
    """
    upper = koopman_upper(x1, n1, x0, n0)
    return (1 / koopman_upper(x0, n0, x1, n1) if x1 else 0.0), upper


def koopman_upper(x1: int, n1: int, x0: int, n0: int) -> float:
    if x0 == 0:
        return np.inf

    def excess(log_ratio: float) -> float:
        ratio, total = np.exp(log_ratio), x1 + x0
        a, b = (n1 + n0) * ratio, (n1 + x0) * ratio + x1 + n0
        p0 = 2 * total / (b + np.sqrt(max(0.0, b * b - 4 * a * total)))
        return pearson(x1, n1, min(1.0, ratio * p0)) + pearson(x0, n0, p0) - chi2.ppf(CONFIDENCE, 1)

    def pearson(x: int, n: int, p: float) -> float:
        if x in (0, n):  # the same sum without its 0/0
            return n * p / (1 - p) if x == 0 else n * (1 - p) / p
        return (x - n * p) ** 2 / (n * p * (1 - p))

    low = np.log(x1 * n0 / (n1 * x0)) if x1 else -30.0
    high = low + 1
    while excess(high) < 0:
        high += 1
    return float(np.exp(brentq(excess, low, high, xtol=1e-14, rtol=1e-14)))


def stratum_row(x1: int, n1: int, x0: int, n0: int) -> tuple:
    """The conditional odds ratio of one stratum, with Fisher's P."""
    row = odds_ratio_rows(x1, n1, x0, n0)[1]
    if not n1 or not n0:
        return (*row[:2], *[np.nan] * 4, "an arm has no patient")
    return (*row[:5], response_p("Fisher", x1, n1, x0, n0), row[6])


def pooled_rows(cells: np.ndarray, missing: np.ndarray) -> list[tuple]:
    """Mantel-Haenszel odds ratio, its test, and the test of homogeneity, of (k, 4) counts."""
    from statsmodels.stats.contingency_tables import StratifiedTable

    x1, n1, x0, n0 = cells.T
    told = (n1 > 0) & (n0 > 0) & (x1 + x0 > 0) & (x1 + x0 < n1 + n0)
    keep, silent = told & ~missing, ~told & ~missing
    notes = []
    if silent.any():
        notes.append(f"strata left out: {silent.sum()} with one arm or one outcome")
    if missing.any():
        notes.append(f"patients left out: {cells[missing][:, [1, 3]].sum()} without a stratum")
    names = [
        ("odds ratio", "Mantel-Haenszel"),
        ("test", "Cochran-Mantel-Haenszel"),
        ("homogeneity", "Breslow-Day-Tarone"),
    ]
    if not keep.any():
        return [
            (*name, *[np.nan] * 4, "no stratum has both arms and both outcomes") for name in names
        ]
    x1, n1, x0, n0 = cells = cells[keep].T.astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        fit = StratifiedTable([[[a, m - a], [c, k - c]] for a, m, c, k in cells.T])
        ratio, limits = fit.oddsratio_pooled, fit.oddsratio_pooled_confint(1 - CONFIDENCE)
    finite = 0 < ratio < np.inf
    limits = limits if finite else (np.nan, np.nan)
    p_value = chi2.sf(fit.test_null_odds().statistic, 1)  # statsmodels' own P is 0 below 1e-16
    homogeneity, small = breslow_day(cells, ratio) if finite and keep.sum() > 1 else (np.nan, False)
    reason = EMPTY if not finite else "one stratum only" if keep.sum() < 2 else SMALL_STRATA * small
    notes = [
        "; ".join([*notes, *more])
        for more in ([EMPTY] * (not finite), [], [reason] * (reason != ""))
    ]
    return [
        (*names[0], ratio, *limits, np.nan, notes[0]),
        (*names[1], *[np.nan] * 3, p_value, notes[1]),
        (*names[2], *[np.nan] * 3, homogeneity, notes[2]),
    ]


def breslow_day(cells: np.ndarray, ratio: float) -> tuple[float, bool]:
    """P that k strata (4, k) share the odds ratio, and whether an expected count is below 5.

    Own code, since statsmodels (0.15) divides by zero where the pooled odds ratio is 1.
    """
    x1, n1, x0, n0 = cells
    total = x1 + x0
    fit = fitted_count(n1, n0, total, ratio)
    expected = np.stack([fit, n1 - fit, total - fit, n0 - total + fit])
    variance = 1 / (1 / expected).sum(axis=0)
    statistic = ((x1 - fit) ** 2 / variance).sum() - (x1 - fit).sum() ** 2 / variance.sum()
    return float(chi2.sf(statistic, len(x1) - 1)), bool(expected.min() < 5)


def fragility(x1: int, n1: int, x0: int, n0: int, *, alpha: float = 0.05) -> pd.DataFrame:
    """Fisher's P as non-responders of the worse arm become responders, until it reaches alpha.

    Returns
    -------
    DataFrame
        added, x1, n1, x0, n0, p_value, significant (below alpha). The last row's `added` is the
        fragility index; a table that starts at alpha or above has one row, and index 0.

    Notes
    -----
    Walsh changes the arm with fewer events. With arms of unequal size that may be the arm with
    the higher rate, and the P would fall; so the arm with the lower rate is changed here.

    References
    ----------
    Walsh et al. 2014, https://doi.org/10.1016/j.jclinepi.2013.10.019

    Examples
    --------
    >>> fragility(15, 54, 3, 38)[["added", "x0", "p_value", "significant"]].round(3)
       added  x0  p_value  significant
    0      0   3    0.031         True
    1      1   4    0.066        False
    """
    checked(x1=x1, n1=n1, x0=x0, n0=n0)
    step = (0, 1) if x1 * n0 >= x0 * n1 else (1, 0)
    rows = []
    while not rows or rows[-1][-1] < alpha:
        k = len(rows)
        counts = x1 + k * step[0], n1, x0 + k * step[1], n0
        rows.append((k, *counts, response_p("Fisher", *counts)))
    table = pd.DataFrame(rows, columns=["added", "x1", "n1", "x0", "n0", "p_value"])
    return table.assign(significant=table["p_value"] < alpha)
