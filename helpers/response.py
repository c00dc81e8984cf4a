"""Comparing two proportions: tests and odds ratios of 2x2 tables."""

import numpy as np
import pandas as pd
from scipy.stats import chi2, chi2_contingency, fisher_exact, hypergeom, norm

from helpers.survival import Z

TESTS = ("Fisher", "logistic Wald", "Pearson", "Yates", "likelihood ratio", "mid-P")


def response_p(test: str, x: int, n: int, y: int, m: int) -> float:
    """Two-sided P of x responders among n against y among m, by one of TESTS."""
    table = [[x, n - x], [y, m - y]]
    if test in ("Fisher", "mid-P"):
        half = hypergeom.pmf(x, n + m, x + y, n) / 2 if test == "mid-P" else 0.0
        return float(fisher_exact(table).pvalue - half)
    if test == "logistic Wald":
        error = np.sqrt((1 / np.array(table)).sum())
        return float(2 * norm.sf(abs(np.log(x * (m - y) / ((n - x) * y))) / error))
    kind = "log-likelihood" if test == "likelihood ratio" else "pearson"
    return float(chi2_contingency(table, correction=test == "Yates", lambda_=kind).pvalue)


def odds_ratios(a, m, c, k, interval: str = "Wald") -> pd.DataFrame:
    """Odds ratio of a responders among m against c among k, arrays of tables at once.

    Returns
    -------
    DataFrame
        odds_ratio, low, high (Wald, or profile likelihood), p_value (Wald).
    """
    a, m, c, k = (np.asarray(v, float) for v in (a, m, c, k))
    cells = np.stack([a, m - a, c, k - c])
    with np.errstate(divide="ignore", invalid="ignore"):
        log, error = np.log(a * (k - c) / ((m - a) * c)), np.sqrt((1 / cells).sum(axis=0))
    low, high = log - Z * error, log + Z * error
    if interval == "profile":
        low, high = (profile_limit(cells, log, log + side * 8 * error) for side in (-1, 1))
    return pd.DataFrame({"odds_ratio": np.exp(log), "low": np.exp(low), "high": np.exp(high),
                         "p_value": 2 * norm.sf(np.abs(log / error))})  # fmt: skip


def profile_limit(cells, inside, outside, level: float = 0.95):
    """Log odds ratio at which twice the loss of log likelihood is the chi-squared quantile."""
    a, b, c, d = cells
    m, k, total = a + b, c + d, a + c
    for _ in range(80):
        middle = (inside + outside) / 2
        ratio = np.exp(middle)
        # The expected count given the margins and the ratio solves a quadratic equation.
        p, q, r = 1 - ratio, k - total + ratio * (m + total), -ratio * m * total
        x = -2 * r / (q + np.sqrt(q * q - 4 * p * r))
        fit = np.stack([x, m - x, total - x, k - total + x])
        with np.errstate(divide="ignore", invalid="ignore"):
            near = 2 * (cells * np.log(cells / fit)).sum(axis=0) < chi2.ppf(level, 1)
        inside, outside = np.where(near, middle, inside), np.where(near, outside, middle)
    return (inside + outside) / 2
