"""Rank tests of survival, one weight at a time and the largest of several, by greenwood.

What greenwood leaves to its caller is done here: groups that were never at risk, tests that have
no variance, and a P of the largest test that is exact also when it is small.
"""

import numpy as np
import pandas as pd
from scipy.special import erfc
from scipy.stats import chi2

WEIGHTS = {
    "log-rank": (0, 0),
    "Fleming-Harrington (1, 0), early": (1, 0),
    "Fleming-Harrington (0, 1), late": (0, 1),
    "Fleming-Harrington (1, 1), middle": (1, 1),
}


def one_logrank(data, name, rho, gamma, *, time, event, group, missing, strata=None) -> dict:
    """One row of `weighted_logrank`; missing, with a note, where nothing can be compared."""
    from greenwood import logrank_test

    row = {"name": name, "rho": float(rho), "gamma": float(gamma), "statistic": np.nan}
    row |= {"df": np.nan, "p_value": np.nan}
    # Who left before the first event of the stratum expects no event.
    blocks = data.groupby(strata, sort=False) if strata else [("", data)]
    first = [np.unique(part.loc[part[event] == 1, time])[:1] for _, part in blocks]
    counted = [
        part[part[time] >= day[0]] for (_, part), day in zip(blocks, first, strict=True) if len(day)
    ]
    at_risk = set(pd.concat(counted)[group]) if counted else set()
    never = sorted(set(data[group]) - at_risk)
    if len(at_risk) < 2:
        why = "fewer than two groups are at risk at an event"
        return row | {"note": "; ".join([why, *missing])}
    part = data[data[group].isin(at_risk)]
    try:
        result = logrank_test(
            response(part, time, event), part[group].to_numpy(), rho=rho, gamma=gamma,
            strata=part[strata].to_numpy() if strata else None,
        )  # fmt: skip
    except np.linalg.LinAlgError:
        why = "the groups are not at risk together when an event has weight"
        return row | {"note": "; ".join([why, *missing])}
    notes = [f"not tested, never at risk at an event: {', '.join(never)}"] if never else []
    row |= {"statistic": result.statistic, "df": result.df}
    row["p_value"] = float(chi2.sf(result.statistic, result.df))
    return row | {"note": "; ".join([*notes, *missing])}


def maxcombo(data, rows: list[dict], *, time, event, group, missing) -> dict:
    """The largest absolute z of the four tests, with the P that four looks deserve."""
    from greenwood import maxcombo_test

    row = {"name": "MaxCombo", "rho": np.nan, "gamma": np.nan, "statistic": np.nan}
    row |= {"df": np.nan, "p_value": np.nan}
    groups = data[group].nunique()
    if groups != 2:
        return row | {"note": f"for two groups only; here {groups}"}
    # greenwood would let a test that cannot be computed pass as z = 0.
    if any(np.isnan(r["statistic"]) for r in rows):
        return row | {"note": "one of its four tests cannot be computed"}
    weights = [(r["rho"], r["gamma"]) for r in rows]
    labels = data[group].to_numpy()
    result = maxcombo_test(response(data, time, event), labels, weights=weights)
    largest = max(rows, key=lambda r: r["statistic"])["name"]
    row["statistic"] = result.statistic
    row["p_value"] = beyond(result.correlation, result.statistic)
    return row | {"note": "; ".join([f"largest: {largest}", *missing])}


def beyond(correlation: np.ndarray, limit: float, *, nodes: int = 400) -> float:
    """P that the largest of four dependent standard normals is beyond the limit, either way.

    The log-rank score is the sum of the early and the late one, so the four live in at most three
    dimensions. There distance from 0 is independent of direction: the exact tail of the distance
    is averaged over the half sphere, on circles cut where another of the four becomes largest.
    (greenwood counts 2^18 draws, which makes every P below 4e-6 a 0.)
    """
    value, vector = np.linalg.eigh(correlation)
    lines = vector[:, -3:] * np.sqrt(np.clip(value[-3:], 0, None))
    x, weight = np.polynomial.legendre.leggauss(nodes)
    height = (x[:, None] + 1) / 2
    radius = np.sqrt(1 - height**2)
    left, right = np.triu_indices(len(lines), 1)
    swap = np.concatenate([lines[left] - lines[right], lines[left] + lines[right]])
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = np.arccos(-height * swap[:, 2] / (radius * np.hypot(swap[:, 0], swap[:, 1])))
    where = np.arctan2(swap[:, 1], swap[:, 0])
    cuts = np.nan_to_num(np.concatenate([where - turn, where + turn], axis=1) % (2 * np.pi))
    ends = np.zeros_like(height), np.full_like(height, 2 * np.pi)
    cuts = np.sort(np.concatenate([cuts, *ends], axis=1))
    inner, share = np.polynomial.legendre.leggauss(32)
    width = np.diff(cuts)[..., None] / 2
    angle = cuts[:, :-1, None] + width * (inner + 1)
    point = radius[..., None] * np.cos(angle), radius[..., None] * np.sin(angle), height[..., None]
    reach = np.max([np.abs(a * point[0] + b * point[1] + c * point[2]) for a, b, c in lines], 0)
    far = limit / reach
    tail = erfc(far / np.sqrt(2)) + np.sqrt(2 / np.pi) * far * np.exp(-(far**2) / 2)  # chi, 3 df
    around = (tail * width * share).sum(axis=(1, 2)) / (2 * np.pi)
    return float(around @ weight / 2)


def response(data: pd.DataFrame, time: str, event: str):
    """greenwood's name for a censored time."""
    from greenwood import Surv

    return Surv(data[time].to_numpy(float), event=data[event].to_numpy() == 1)
