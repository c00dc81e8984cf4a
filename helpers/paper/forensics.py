"""What the printed numbers give away by themselves, computed without any cohort."""

import numpy as np
import pandas as pd
from scipy.stats import norm

from helpers.estimators.evalue import e_value_table
from helpers.estimators.response import TESTS, odds_ratios, response_p
from helpers.paper.published import MONTHS, load_published, printing_interval, prints_as
from helpers.survival import Z


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
    parts = []
    for name in ("os_hr", "pfs_hr"):
        limits = (float(numbers.at[name, f"{side}_bound"]) for side in ("lower", "upper"))
        table = e_value_table(float(numbers.at[name, "value"]), *limits)
        table = table.pivot(index=["of", "hazard_ratio"], columns="form", values="e_value")
        parts.append(table.loc[["ratio", "bound"]].reset_index().assign(id=name))
    columns = ["id", "of", "hazard_ratio", "common", "rare"]
    return pd.concat(parts, ignore_index=True).rename_axis(columns=None)[columns]
