"""Kaplan-Meier curves of weighted patients, the raw counts always beside the weighted ones."""

import numpy as np
import pandas as pd

from helpers.estimators.weighting import GIVEN, WEIGHT, weighted_patients
from helpers.survival import CURVE_COLUMNS, with_limits


def weighted_km_curves(
    frame: pd.DataFrame, weights: pd.DataFrame, *, time: str, event: str, overlap: str = "refuse"
) -> pd.DataFrame:
    """Survival of the treated and untreated, each weighted to look like all patients.

    Parameters
    ----------
    frame, weights, time, event, overlap
        As in `helpers.estimators.weighting.weighted_cox`.

    Returns
    -------
    DataFrame
        group (untreated, treated), time, n_risk, n_event, n_censor (patients, as counted),
        estimate, std_error, conf_low, conf_high (log-log), then n_risk_weighted,
        n_event_weighted (sums of weights) and n_risk_effective (patients of equal weight).

    Raises
    ------
    NotEstimable
        The overlap fails.

    Notes
    -----
    The estimate is R's ``survfit(weights = )``; the error is its robust one (infinitesimal
    jackknife), since Greenwood's would take the weights for patients.

    References
    ----------
    Xie and Liu 2005, https://doi.org/10.1002/sim.2174
    """
    data = weighted_patients(frame, weights, overlap)[[time, event]]
    given = weights[GIVEN].to_numpy(bool)
    known = data.notna().all(axis=1).to_numpy()
    parts = []
    for name, who in (("untreated", ~given & known), ("treated", given & known)):
        days, died = data[time].to_numpy(float)[who], data[event].to_numpy()[who] == 1
        part = weighted_curve(days, died, weights[WEIGHT].to_numpy()[who])
        part.insert(0, "group", name)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def weighted_curve(time: np.ndarray, event: np.ndarray, weight: np.ndarray) -> pd.DataFrame:
    """One curve: rows at each distinct time, raw and weighted counts, robust error."""
    times, which = np.unique(time, return_inverse=True)
    there = time[:, None] >= times  # (n, m): at risk
    falls = (which[:, None] == np.arange(len(times))) & event[:, None]
    risk, dead = weight @ there, weight @ falls
    alive = np.cumprod(1 - dead / risk)
    # How the log of the curve moves with each weight; where all die it ends at 0 and has none.
    with np.errstate(divide="ignore", invalid="ignore"):
        change = (there & ~falls) / (risk - dead) - there / risk
        moves = np.cumsum(np.where(dead > 0, change, 0.0), axis=1) * weight[:, None]
        error = np.sqrt((moves**2).sum(axis=0))
    # A last death leaves rounding of the weights, not survivors.
    alive = np.where((there & ~falls).sum(axis=0) == 0, np.where(dead > 0, 0.0, alive), alive)
    counts = there.sum(axis=0), falls.sum(axis=0), np.bincount(which[~event], minlength=len(times))
    rows = with_limits(np.column_stack([times, *counts, alive]), error)
    table = pd.DataFrame(rows, columns=CURVE_COLUMNS[1:])
    effective = risk**2 / (weight**2 @ there)
    table = table.assign(n_risk_weighted=risk, n_event_weighted=dead, n_risk_effective=effective)
    return table.astype(dict.fromkeys(["n_risk", "n_event", "n_censor"], int))
