"""Arithmetic of counts: a proportion and its intervals, and the P and odds ratio of two.

Everything takes numbers of patients and knows no cohort; the frames are
counted in `helpers.estimators.response`.
"""

import numpy as np
import pandas as pd
from scipy.stats import beta, chi2, chi2_contingency, fisher_exact, hypergeom, norm

from helpers.conventions import CONFIDENCE
from helpers.fit.likelihood import NotEstimable

Z = norm.ppf((1 + CONFIDENCE) / 2)
TESTS = ("Fisher", "logistic Wald", "Pearson", "Yates", "likelihood ratio", "mid-P")
EMPTY = "a cell is empty, so the log has no finite error; 0.5 is not added to the cells"
NO_CONTRAST = "all patients have the same outcome, so there is nothing to compare"


def checked(**counts) -> list[np.ndarray]:
    """Pairs of counts (x, n, ...) as float arrays; refuse what cannot be x of n patients."""
    names, values = list(counts), [np.asarray(v, float) for v in counts.values()]
    for i in range(0, len(names), 2):
        x, n = np.broadcast_arrays(values[i], values[i + 1])
        wrong = ~((x >= 0) & (x <= n) & (x % 1 == 0) & (n % 1 == 0))
        if wrong.any():
            at = np.argmax(wrong.ravel())
            raise ValueError(
                f"{names[i]}: found {x.ravel()[at]:g} of {n.ravel()[at]:g} patients. To do: give "
                f"whole numbers with 0 <= {names[i]} <= {names[i + 1]}."
            )
    return values


def proportion_table(x, n) -> pd.DataFrame:
    """Proportion x of n with exact and Wilson 95% intervals, one row per pair of counts.

    Parameters
    ----------
    x, n : array or Series of int
        Patients with the outcome, and all patients; the index of a Series is kept.

    Returns
    -------
    DataFrame
        x, n, estimate (0 to 1), exact_low, exact_high (Clopper-Pearson), wilson_low, wilson_high
        (score, no continuity correction), one_sided (where x is 0 the upper, where x is n the
        lower one-sided 95% bound, else missing), note. All but the counts are missing for n = 0.

    Raises
    ------
    ValueError
        Counts that are not whole, negative, or x above n.

    Notes
    -----
    The exact interval holds its 95% always and is wide; Wilson's holds it on average. The two-sided
    exact limit for 0 of n is 97.5% one-sided, so it lies above `one_sided`.

    References
    ----------
    Clopper and Pearson 1934, https://doi.org/10.1093/biomet/26.4.404
    Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953

    Examples
    --------
    >>> proportion_table([0, 15], [5, 54])[["estimate", "exact_low", "exact_high"]].round(3)
       estimate  exact_low  exact_high
    0     0.000      0.000       0.522
    1     0.278      0.165       0.416
    """
    from statsmodels.stats.proportion import proportion_confint

    index = x.index if isinstance(x, pd.Series) else None
    x, n = np.broadcast_arrays(*(np.atleast_1d(v) for v in checked(x=x, n=n)))
    table = pd.DataFrame({"x": x.astype(int), "n": n.astype(int)}, index=index)
    some = np.where(n > 0, n, np.nan)
    table["estimate"] = x / some
    for name, method in (("exact", "beta"), ("wilson", "wilson")):
        low, high = proportion_confint(x, some, alpha=1 - CONFIDENCE, method=method)
        table[f"{name}_low"], table[f"{name}_high"] = np.maximum(low, 0), np.minimum(high, 1)
    # Rounding may leave Wilson's limit a hair from the bound it is equal to.
    table.loc[(x == 0) & (n > 0), ["exact_low", "wilson_low"]] = 0.0
    table.loc[(x == n) & (n > 0), ["exact_high", "wilson_high"]] = 1.0
    none, every = (x == 0) & (n > 0), (x == n) & (n > 0)
    table["one_sided"] = np.select(
        [none, every], [one_sided_bound(x, n), one_sided_bound(x, n, side="lower")], np.nan
    )
    notes = [
        "no patient to count",
        "none: one_sided is the upper bound",
        "all: one_sided is the lower bound",
    ]
    table["note"] = np.select([n == 0, none, every], notes, "")
    return table


def one_sided_bound(x, n, *, side: str = "upper", level: float = CONFIDENCE):
    """One-sided exact bound of a proportion: 1 - 0.05^(1/n) for 0 of n, about 3/n.

    Parameters
    ----------
    x, n : int or array
        Patients with the outcome, and all patients.
    side : str
        upper: the proportion is at most this; lower: at least this.

    Returns
    -------
    float or array
        0 to 1; missing where n is 0.

    References
    ----------
    Hanley and Lippman-Hand 1983, https://doi.org/10.1001/jama.1983.03330370053031

    Examples
    --------
    >>> [round(float(one_sided_bound(0, n)), 3) for n in (5, 9, 54)]
    [0.451, 0.283, 0.054]
    """
    x, n = checked(x=x, n=n)
    if side not in ("upper", "lower"):
        raise ValueError(f"side: found {side!r}. To do: use upper or lower.")
    if side == "upper":
        bound = np.where(x < n, beta.ppf(level, x + 1, np.maximum(n - x, 1)), 1.0)
    else:
        bound = np.where(x > 0, beta.ppf(1 - level, np.maximum(x, 1), n - x + 1), 0.0)
    return np.where(n > 0, bound, np.nan)[()]


def response_p(test: str, x: int, n: int, y: int, m: int) -> float:
    """Two-sided P of x responders among n against y among m, by one of TESTS.

    Fisher sums the tables no likelier than the observed one (as R). Two-sided mid-P is that
    less half the probability of the observed table; other programs double the one-sided mid-P.
    Yates takes min(0.5, |observed - expected|) off, as R. The likelihood ratio has no correction.

    Raises
    ------
    NotEstimable
        All patients respond, or none (but Fisher's P is 1), or an empty cell in a Wald test.

    Examples
    --------
    >>> [round(response_p(test, 15, 54, 3, 38), 4) for test in ("Fisher", "Pearson", "Yates")]
    [0.0307, 0.0179, 0.0357]
    """
    if test not in TESTS:
        raise ValueError(f"test: found {test!r}. To do: use one of {', '.join(TESTS)}.")
    checked(x=x, n=n, y=y, m=m)
    table = [[x, n - x], [y, m - y]]
    if test != "Fisher" and (n == 0 or m == 0 or x + y in (0, n + m)):
        raise NotEstimable(NO_CONTRAST if n and m else "an arm has no patient")
    if test in ("Fisher", "mid-P"):
        half = hypergeom.pmf(x, n + m, x + y, n) / 2 if test == "mid-P" else 0.0
        return float(fisher_exact(table).pvalue - half)
    if test == "logistic Wald":
        if not np.all(table):
            raise NotEstimable(EMPTY)
        error = np.sqrt((1 / np.array(table)).sum())
        return float(2 * norm.sf(abs(np.log(x * (m - y) / ((n - x) * y))) / error))
    kind = "log-likelihood" if test == "likelihood ratio" else "pearson"
    return float(chi2_contingency(table, correction=test == "Yates", lambda_=kind).pvalue)


def odds_ratios(a, m, c, k, interval: str = "Wald") -> pd.DataFrame:
    """Odds ratio of a responders among m against c among k, arrays of tables at once.

    Returns
    -------
    DataFrame
        odds_ratio, low, high (Wald, or profile likelihood), p_value (Wald). With an empty cell
        the ratio is 0, infinite or missing, and the others are missing: no 0.5 is added.
    """
    a, m, c, k = (np.asarray(v, float) for v in (a, m, c, k))
    cells = np.stack([a, m - a, c, k - c])
    with np.errstate(divide="ignore", invalid="ignore"):
        log, error = np.log(a * (k - c) / ((m - a) * c)), np.sqrt((1 / cells).sum(axis=0))
        error = np.where(np.isfinite(error), error, np.nan)
        low, high = log - Z * error, log + Z * error
        if interval == "profile":
            low, high = (profile_limit(cells, log, log + side * 8 * error) for side in (-1, 1))
    return pd.DataFrame({"odds_ratio": np.exp(log), "low": np.exp(low), "high": np.exp(high),
                         "p_value": 2 * norm.sf(np.abs(log / error))})  # fmt: skip


def profile_limit(cells, inside, outside, level: float = CONFIDENCE):
    """Log odds ratio at which twice the loss of log likelihood is the chi-squared quantile."""
    a, b, c, d = cells
    m, k, total = a + b, c + d, a + c
    for _ in range(80):
        middle = (inside + outside) / 2
        x = fitted_count(m, k, total, np.exp(middle))
        fit = np.stack([x, m - x, total - x, k - total + x])
        with np.errstate(divide="ignore", invalid="ignore"):
            near = 2 * (cells * np.log(cells / fit)).sum(axis=0) < chi2.ppf(level, 1)
        inside, outside = np.where(near, middle, inside), np.where(near, outside, middle)
    return (inside + outside) / 2


def fitted_count(m, k, total, ratio):
    """Expected responders among the m of arm 1, given the margins and the odds ratio."""
    # The root of a quadratic, in the form that also holds when the ratio is 1.
    p, q, r = 1 - ratio, k - total + ratio * (m + total), -ratio * m * total
    return -2 * r / (q + np.sqrt(q * q - 4 * p * r))
