"""What the paper printed, the readings it leaves open, and what its numbers give away.

`load_published` reads data/published.csv; every other function computes from what it returns,
without any cohort. `helpers.ledger` compares a cohort with the print.
"""

import re
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import chi2, chi2_contingency, fisher_exact, hypergeom, norm

from helpers.cohort import ROOT
from helpers.conventions import DAYS_PER_MONTH
from helpers.survival import Z

VERDICTS = {
    "follows from printed counts": "an independent check (58% from 54/93)",
    "internally consistent": "interval against P, percentage against count",
    "met by construction": "the synthetic cohort was built to print this; agreement is no evidence",
    "met under a stated reading": "holds for a named choice the text leaves open",
    "cannot be as printed": "no counts or values give it (9.2%)",
    "needs patient data": "nothing available decides it",
}


class Reading(NamedTuple):
    """A choice that the text leaves open."""

    default: str
    alternatives: tuple[str, ...]
    about: str


MONTHS = {"30": 30.0, "30.4": 30.4, "365/12": DAYS_PER_MONTH, "30.42": 30.42,
          "30.4375": 30.4375, "30.44": 30.44, "30.5": 30.5}  # fmt: skip
TESTS = ("Fisher", "logistic Wald", "Pearson", "Yates", "likelihood ratio", "mid-P")
ADJUSTMENTS = {"ECOG >= 3 and IPI >= 3": ("ecog_3plus", "ipi_3plus"),
               "ECOG >= 3": ("ecog_3plus",), "none": ()}  # fmt: skip
READINGS = {
    "test behind crr_p": Reading("Fisher", TESTS[1:], "The text does not name the test."),
    "month length": Reading(
        "365/12", tuple(m for m in MONTHS if m != "365/12"), "Days that count as one month."
    ),
    "follow-up definition": Reading(
        "reverse Kaplan-Meier", ("survivors only", "plain median"), "Whose follow-up, and how."
    ),
    "tie rule": Reading("Efron", ("Breslow",), "Handling of ties in Cox models; ours have Efron."),
    "ECOG endpoint": Reading("PFS", ("OS",), "The text names PFS and OS, and gives one ratio."),
    "adjustment covariates": Reading(
        "ECOG >= 3 and IPI >= 3", ("ECOG >= 3", "none"), "The text does not name them."
    ),
    "Wald or profile": Reading("Wald", ("profile",), "How the printed intervals were made."),
    "5/54 for 9.2%": Reading("rounded", ("truncated",), "5/54 is 9.26%: truncated, it is 9.2%."),
    "dropped zero": Reading(
        "two decimals", ("as written",), "0.3 stands for 0.30 and 0.8 for 0.80, or not."
    ),
}


def chosen(readings: dict[str, str] | None) -> dict[str, str]:
    """Every reading by name: the default, or what `readings` says instead."""
    for name, value in (readings or {}).items():
        if name not in READINGS or value not in (READINGS[name].default, *READINGS[name][1]):
            known = {k: (v.default, *v.alternatives) for k, v in READINGS.items()}.get(name)
            raise ValueError(f"readings: found {name!r}: {value!r}. To do: use one of "
                             f"{', '.join(known or READINGS)}.")  # fmt: skip
    return {name: reading.default for name, reading in READINGS.items()} | (readings or {})


def load_published() -> pd.DataFrame:
    """Read data/published.csv: one row per printed number, columns as data/README.md says."""
    numbers = dict.fromkeys(("value", "low", "high", "decimals"), float)
    frame = pd.read_csv(ROOT / "data" / "published.csv", dtype=str, keep_default_na=False)
    return frame.assign(**{c: pd.to_numeric(frame[c]).astype(t) for c, t in numbers.items()})


def printing_interval(printed: str, decimals: int | None = None) -> tuple[float, float]:
    """The true values that print so, in the printed unit: low (included) and high (not).

    Parameters
    ----------
    printed : str
        Its first number counts, with its trailing zeros: "0.30" is narrower than "0.3".
    decimals : int, optional
        Decimals meant, where a final zero was dropped: ("0.8", 2) is 0.795 to 0.805.

    Examples
    --------
    >>> printing_interval("4.04 months"), printing_interval("P < 0.0001")
    ((4.035, 4.045), (0.0, 0.0001))
    """
    found = re.search(r"\d+(\.\d+)?", printed)
    if not found:
        raise ValueError(f"printed: found no number in {printed!r}. To do: give one.")
    number = Decimal(found.group())
    if "<" in printed:
        return 0.0, float(number)
    half = Decimal(5).scaleb(-max(int(decimals or 0), -number.as_tuple().exponent) - 1)
    return float(number - half), float(number + half)


def prints_as(value: float, printed: str, decimals: int | None = None) -> bool:
    """Whether a value, in the printed unit, prints so; halves are rounded up."""
    low, high = printing_interval(printed, decimals)
    return bool(low <= value < high)


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


def response_tests() -> pd.DataFrame:
    """Six tests of 15/54 complete responses against 3/38, 3/39, 4/38 and 4/39.

    Returns
    -------
    DataFrame
        test, responders, patients (of the comparator), p_value, prints (as P = 0.03),
        significant (below 0.05).
    """
    rows = [(t, y, m, response_p(t, 15, 54, y, m)) for t in TESTS for y in (3, 4) for m in (38, 39)]
    table = pd.DataFrame(rows, columns=["test", "responders", "patients", "p_value"])
    table["prints"] = [prints_as(p, "0.03") for p in table["p_value"]]
    return table.assign(significant=table["p_value"] < 0.05)


def month_lengths() -> pd.DataFrame:
    """Days that print as each of the five month values, for each length of a month.

    Returns
    -------
    DataFrame
        month, days_per_month, id, printed (months), low_days, high_days, whole_day and half_day
        (a day, or a multiple of half a day, that prints so; missing where there is none).
    """
    numbers = load_published()
    rows = []
    for name, days in MONTHS.items():
        for row in numbers[numbers["printed"].str.endswith(" months")].itertuples():
            low, high = row.low * days, row.high * days
            found = [np.ceil(low * k) / k for k in (1, 2)]
            found = [day if day < high else np.nan for day in found]
            rows.append((name, days, row.id, row.printed, low, high, *found))
    return pd.DataFrame(rows, columns=["month", "days_per_month", "id", "printed", "low_days",
                                       "high_days", "whole_day", "half_day"])  # fmt: skip


def follow_up_bound() -> pd.DataFrame:
    """How many can still be watched after the later of the two median survival times, in months.

    Returns
    -------
    DataFrame
        arm, patients, months (the arm's median), most_watched (after it), and for all patients
        possible: whether the printed follow-up can be the plain median of observation times.

    Notes
    -----
    Those watched beyond t are at most n S(t), censoring or not, and S is at most 0.5 after the
    median.
    """
    value = load_published().set_index("id")["value"]
    table = pd.DataFrame({"arm": ["CD20 CAR-T", "non-CAR-T"],
                          "patients": [int(value["n_cd20"]), int(value["n_noncart"])],
                          "months": [value["os_cd20"], value["os_noncart"]]})  # fmt: skip
    table["most_watched"] = table["patients"] // 2
    total = table[["patients", "most_watched"]].sum()
    later = table["months"].max()
    possible = value["followup"] <= later or 2 * total["most_watched"] >= total["patients"]
    table.loc[2] = ["all", total["patients"], later, total["most_watched"]]
    return table.assign(possible=[None, None, bool(possible)])


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


def possible_tables(n: int = 54, interval: str = "Wald", *, decimals: int = 2) -> pd.DataFrame:
    """All 2x2 tables of n patients that print the odds ratio 0.3 (0.10-0.93) of IPI >= 3.

    Parameters
    ----------
    n : int
        Patients with IPI and response known.
    interval : str
        "Wald" or "profile".
    decimals : int
        2 when 0.3 stands for 0.30; 1 as written.

    Returns
    -------
    DataFrame
        ipi_high, responders_high, responders_low (patients), odds_ratio, low, high, p_value
        (Wald), fisher_p, response_rate (of all n; 0 to 1).
    """
    m, a, c = (v.ravel() for v in np.mgrid[1:n, 1:n, 1:n])
    # A table with an empty cell has no finite odds ratio or interval.
    m, a, c = (v[(a < m) & (c < n - m)] for v in (m, a, c))
    low, high = printing_interval("0.3", decimals)
    odds = a * (n - m - c) / ((m - a) * c)
    m, a, c = (v[(odds >= low) & (odds < high)] for v in (m, a, c))
    table = pd.DataFrame({"ipi_high": m, "responders_high": a, "responders_low": c})
    table = table.join(odds_ratios(a, m, c, n - m, interval))
    for column, printed in (("low", "0.10"), ("high", "0.93")):
        kept = [prints_as(value, printed) for value in table[column]]
        table = table[np.array(kept, dtype=bool)]
    rows = table.iloc[:, :3].itertuples(index=False)
    exact = [response_p("Fisher", a, m, c, n - m) for m, a, c in rows]
    rate = (table["responders_high"] + table["responders_low"]) / n
    return table.assign(fisher_p=exact, response_rate=rate).reset_index(drop=True)


def interval_against_p() -> pd.DataFrame:
    """The P that each printed ratio and its Wald interval imply, against the printed P.

    Returns
    -------
    DataFrame
        id, std_error (of the log), z, p_value (from the digits as they stand), p_printed,
        prints (p_value prints so), p_low, p_high (over all values that print so), agrees
        (some of these print the P).
    """
    numbers = load_published()
    rows = []
    for row in numbers[numbers["lower_bound"] != ""].itertuples():
        limits = [printing_interval(t, row.decimals) for t in (row.lower_bound, row.upper_bound)]
        mid = np.log([float(row.lower_bound), float(row.upper_bound)])
        error = (mid[1] - mid[0]) / (2 * Z)
        widths = np.log([limits[1][0] / limits[0][1], limits[1][1] / limits[0][0]]) / (2 * Z)
        logs = np.abs(np.log([row.low, row.high]))
        p_low, p_high = 2 * norm.sf(logs.max() / widths[0]), 2 * norm.sf(logs.min() / widths[1])
        z, (low, high) = np.log(row.value) / error, printing_interval(row.p_printed)
        p = 2 * norm.sf(abs(z))
        rows.append((row.id, error, z, p, row.p_printed, prints_as(p, row.p_printed), p_low,
                     p_high, bool(p_low < high and p_high >= low)))  # fmt: skip
    return pd.DataFrame(rows, columns=["id", "std_error", "z", "p_value", "p_printed", "prints",
                                       "p_low", "p_high", "agrees"])  # fmt: skip


def counts_that_print(percent: str, n_range=range(54, 55)) -> pd.DataFrame:
    """Counts count/n whose percentage prints so, such as "7.4", for n in `n_range`.

    Returns
    -------
    DataFrame
        count, n, percent (0 to 100).
    """
    rows = [(k, n, 100 * k / n) for n in n_range for k in range(n + 1)]
    rows = [row for row in rows if prints_as(row[2], percent)]
    return pd.DataFrame(rows, columns=["count", "n", "percent"])


def e_values() -> pd.DataFrame:
    """E-values of the two adjusted hazard ratios and of their limits nearest 1 (no unit).

    Returns
    -------
    DataFrame
        id, of (ratio or bound), hazard_ratio, common (outcome frequent), rare.

    References
    ----------
    VanderWeele and Ding 2017, https://doi.org/10.7326/M16-2607
    """
    numbers = load_published().set_index("id")
    rows = []
    for name in ("os_hr", "pfs_hr"):
        values = {"ratio": numbers.at[name, "value"], "bound": numbers.at[name, "upper_bound"]}
        for of, ratio in values.items():
            ratio = float(ratio)
            common = (1 - 0.5 ** np.sqrt(1 / ratio)) / (1 - 0.5 ** np.sqrt(ratio))
            pair = [r + np.sqrt(r * (r - 1)) for r in (common, 1 / ratio)]
            rows.append((name, of, ratio, *pair))
    return pd.DataFrame(rows, columns=["id", "of", "hazard_ratio", "common", "rare"])
