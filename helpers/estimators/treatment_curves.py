"""Survival of the treated and of those not yet treated, when treatment comes on a later day.

A patient counts in the curve of the untreated until the day of treatment, and in that of the
treated from then on. Conventions are those of `helpers.estimators.treatment_time`.
"""

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from helpers.estimators.treatment_time import NO, TREATED, YES, treatment_intervals
from helpers.survival import CURVE_COLUMNS, with_limits

COUNTS = ["n_risk", "n_event", "n_censor", "n_enter", "n_switch"]


def at_risk(start: np.ndarray, stop: np.ndarray, times: np.ndarray) -> np.ndarray:
    """How many intervals (start, stop] hold each time; a start of minus infinity holds any."""
    gone = np.searchsorted(np.sort(stop), times, side="left")
    return np.searchsorted(np.sort(start), times, side="left") - gone


def simon_makuch_curves(
    frame: pd.DataFrame, *, time: str, event: str, treated_on: str, day: float = 0.0
) -> pd.DataFrame:
    """Kaplan-Meier curves with late entry, of the treated and the not yet treated.

    Parameters
    ----------
    frame, time, event, treated_on
        As in `helpers.estimators.treatment_time.treatment_intervals`.
    day : float
        Curves start here, at 1, with those still event-free; before it nothing is counted. Times
        stay days since the clock started. 0 takes everybody.

    Returns
    -------
    DataFrame
        group (treated: no, yes), time, n_risk (just before the time), n_event, n_censor (patients
        whose observation ends; not those who change curves), estimate, std_error, conf_low,
        conf_high (as `helpers.survival.km_curve`), n_enter (came since the row before), n_switch
        (left for the other curve at this time). A group that nobody is ever in has no row.

    Raises
    ------
    ValueError
        As `treatment_intervals`.

    Notes
    -----
    Few are treated early: one death among them then takes a large step, to 0 if it was the only
    one, and the curve stays there. Start at a later day; read it with n_risk. The curves are of
    no group of patients that could be followed: they show hazards, as what would happen if
    nobody changed any more.

    References
    ----------
    Simon and Makuch 1984, https://doi.org/10.1002/sim.4780030106

    Examples
    --------
    >>> nan = float("nan")
    >>> four = pd.DataFrame({"day": [9, 6, 4, 8], "dead": [1, 1, 1, 0], "given": [5, nan, nan, 2]})
    >>> curves = simon_makuch_curves(four, time="day", event="dead", treated_on="given")
    >>> curves[["group", "time", "n_risk", "n_event", "estimate", "n_enter", "n_switch"]].round(2)
      group  time  n_risk  n_event  estimate  n_enter  n_switch
    0    no   2.0       4        0      1.00        4         1
    1    no   4.0       3        1      0.67        0         0
    2    no   5.0       2        0      0.67        0         1
    3    no   6.0       1        1      0.00        0         0
    4   yes   8.0       2        0      1.00        2         0
    5   yes   9.0       1        1      0.00        0         0
    """
    rows = watched(frame, time, event, treated_on, day)
    parts = []
    for name in (NO, YES):
        start, stop, died, last = (rows[c][rows[TREATED] == name] for c in rows if c != TREATED)
        times, which = np.unique(stop, return_inverse=True)
        if not len(times):
            continue
        counts = [np.bincount(which, v, len(times)) for v in (died, last & ~died, ~last)]
        risk = at_risk(start, stop, times)
        alive = np.cumprod(1 - counts[0] / risk)
        curve = with_limits(np.column_stack([times, risk, *counts[:2], alive]))
        part = pd.DataFrame(curve, columns=CURVE_COLUMNS[1:])
        come = np.diff(np.searchsorted(np.sort(start), times, side="left"), prepend=0)
        part = part.assign(n_enter=come, n_switch=counts[2])
        part.insert(0, "group", name)
        parts.append(part)
    if not parts:
        return pd.DataFrame(columns=[*CURVE_COLUMNS, "n_enter", "n_switch"])
    return pd.concat(parts, ignore_index=True).astype(dict.fromkeys(COUNTS, int))


def mantel_byar_test(
    frame: pd.DataFrame, *, time: str, event: str, treated_on: str, day: float = 0.0
) -> pd.DataFrame:
    """Log-rank test in which a patient changes groups on the day of treatment.

    Parameters
    ----------
    frame, time, event, treated_on, day
        As in `simon_makuch_curves`.

    Returns
    -------
    DataFrame
        One row: name, statistic (chi-squared), df, p_value, observed and expected (events of the
        treated, while treated).

    Raises
    ------
    ValueError
        No event while both groups have somebody at risk.

    Notes
    -----
    The variance is the hypergeometric one, so the test is the score test of R's
    ``coxph(Surv(start, stop, event) ~ treated, ties = "exact")``.

    References
    ----------
    Mantel and Byar 1974, https://doi.org/10.1080/01621459.1974.10480131
    """
    rows = watched(frame, time, event, treated_on, day)
    treated, died = rows[TREATED] == YES, rows["event"]
    times, deaths = np.unique(rows["stop"][died], return_counts=True)
    risk = at_risk(rows["start"], rows["stop"], times)
    mine = at_risk(rows["start"][treated], rows["stop"][treated], times)
    expected, others = deaths * mine / risk, np.maximum(risk - 1, 1)
    variance = expected * (risk - mine) / risk * (risk - deaths) / others
    if not variance.sum() > 0:
        raise ValueError(f"{treated_on}: found no event while both treated and untreated are at "
                         "risk. To do: compare curves by eye.")  # fmt: skip
    observed = int((died & treated).sum())
    statistic = float((observed - expected.sum()) ** 2 / variance.sum())
    row = {"name": "Mantel-Byar", "statistic": statistic, "df": 1,
           "p_value": float(chdtrc(1, statistic)), "observed": observed,
           "expected": float(expected.sum())}  # fmt: skip
    return pd.DataFrame([row])


def watched(frame: pd.DataFrame, time, event, treated_on, day: float) -> dict[str, np.ndarray]:
    """The intervals after a day as arrays: start, stop, event, whether a patient's last, group."""
    rows = treatment_intervals(frame, time=time, event=event, treated_on=treated_on)
    last = (rows["row"] != rows["row"].shift(-1)).to_numpy()
    stays = (rows["stop"] > day).to_numpy() | (day <= 0)
    columns = {"start": rows["start"].to_numpy(), "stop": rows["stop"].to_numpy(),
               "event": rows["event"].to_numpy() == 1, "last": last,
               TREATED: rows[TREATED].to_numpy(str)}  # fmt: skip
    columns = {name: values[stays] for name, values in columns.items()}
    # Who is there when the curves start is at risk from the beginning, also of an event on day 0.
    columns["start"] = np.where(columns["start"] <= day, -np.inf, columns["start"])
    return columns
