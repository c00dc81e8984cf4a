"""The Cox partial likelihood, and what rests on the same sums over risk sets.

Its value, gradient and information; score residuals and the sandwich variance; the baseline
hazard. Rows may carry a weight, the time from which they are at risk (counting process), or a
weight with which they stay at risk after their time (Fine and Gray).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.conventions import TIES


class NotEstimable(ValueError):
    """The model has no finite answer; the message says why and what to do."""


class Stay(NamedTuple):
    """Who stays at risk after the own time, by what weight (Fine and Gray).

    At t a row whose time has passed weighs `own` (n,) times the `curve` at t; `own` is 0 for those
    who leave. `curve` (n,) has its value at the time of each row.
    """

    own: np.ndarray
    curve: np.ndarray


class RiskSets(NamedTuple):
    """What each death meets, one row per death, latest first.

    `share` is the part of the tied deaths that Efron's rule has already taken out of the risk
    set, `left` the sum of the risks that remain (each exp(linear - `top`)), `mean` and `second`
    the first two moments of x under them; `each` the mean weight of the tied deaths.
    """

    time: np.ndarray
    share: np.ndarray
    left: np.ndarray
    mean: np.ndarray
    second: np.ndarray
    top: float
    each: np.ndarray


def risk_sets(
    x, time, event, beta, ties: str = TIES, entry=None, weight=None, stay: Stay | None = None
) -> RiskSets:
    """The risk sets of all deaths, by Efron's or Breslow's rule."""
    order = np.argsort(-time, kind="stable")
    linear, top = x @ beta, (x @ beta).max()
    weight = np.ones(len(x)) if weight is None else weight
    risk = weight * np.exp(linear - top)
    moments = [(risk * v.T).T for v in (np.ones(len(x)), x, x[:, :, None] * x[:, None, :])]
    # Sums over all who are at risk at each distinct time, latest first, and over its deaths.
    times, first = np.unique(-time[order], return_index=True)
    last = np.append(first[1:], len(time)) - 1
    at_risk = [np.cumsum(v[order], axis=0)[last] for v in moments]
    if entry is not None:  # less those who come at this time or later
        late = np.argsort(-entry, kind="stable")
        come = np.searchsorted(-entry[late], times, side="right")
        gone = [np.concatenate([0 * v[:1], np.cumsum(v[late], axis=0)])[come] for v in moments]
        total = at_risk[0]
        at_risk = [v - g for v, g in zip(at_risk, gone, strict=True)]
        # A small difference of large sums is rounding: there the few who are left are added up.
        for k in np.flatnonzero(at_risk[0] < 1e-6 * total):
            here = (entry < -times[k]) & (time >= -times[k])
            for v, m in zip(at_risk, moments, strict=True):
                v[k] = m[here].sum(axis=0)
    if stay is not None:
        passed, curve = len(time) - 1 - last, stay.curve[order][first]
        kept = [(stay.own * m.T).T[order][::-1] for m in moments]
        kept = [np.concatenate([0 * v[:1], np.cumsum(v, axis=0)])[passed] for v in kept]
        at_risk = [v + (curve * k.T).T for v, k in zip(at_risk, kept, strict=True)]
    event = event[order]
    died = [np.add.reduceat((event * v[order].T).T, first) for v in moments]
    deaths = np.add.reduceat(event.astype(int), first)
    # Efron: of d tied deaths, the k-th meets a risk set that has lost k/d of their weight.
    at = np.repeat(np.arange(len(first)), deaths)
    each = np.add.reduceat(event * weight[order], first)[at] / deaths[at]
    share = (np.arange(len(at)) - (np.cumsum(deaths) - deaths)[at]) / deaths[at]
    share = share if ties == "efron" else np.zeros_like(share)
    left, mean, second = ((a[at].T - share * d[at].T).T for a, d in zip(at_risk, died, strict=True))
    moments = (mean.T / left).T, (second.T / left).T
    return RiskSets(-times[at], share, left, *moments, top, each)


def partial_likelihood(
    x: np.ndarray, time: np.ndarray, event: np.ndarray, beta: np.ndarray, ties: str = TIES,
    entry: np.ndarray | None = None, weight: np.ndarray | None = None, stay: Stay | None = None,
) -> tuple[float, np.ndarray, np.ndarray]:  # fmt: skip
    """The log partial likelihood, its gradient (p,) and its information (p, p).

    Parameters
    ----------
    x : (n, p) array
    time : (n,) array
    event : (n,) array of bool
    beta : (p,) array
    ties : str
        efron, breslow or exact.
    entry : (n,) array, optional
        At risk in (entry, time]; minus infinity for those who are from the start. Not with exact.
    weight : (n,) array, optional
        Above 0; tied deaths count by their mean weight, as in R. Not with exact.
    stay : Stay, optional
        Rows that stay at risk after their time. Not with exact, nor with entry.
    """
    if ties == "exact":
        return exact_likelihood(x, time, event, beta)
    met = risk_sets(x, time, event, beta, ties, entry, weight, stay)
    own = np.ones(event.sum()) if weight is None else weight[event]
    information = (met.each * met.second.T).T.sum(axis=0) - (met.each * met.mean.T) @ met.mean
    score = (own * x[event].T).T.sum(axis=0) - (met.each * met.mean.T).T.sum(axis=0)
    with np.errstate(divide="ignore"):  # far from the maximum a risk set may be rounded to none
        value = (own * (x[event] @ beta - met.top)).sum() - (met.each * np.log(met.left)).sum()
    return float(value), score, information


def exact_likelihood(x, time, event, beta) -> tuple[float, np.ndarray, np.ndarray]:
    """The conditional likelihood of which d of those at risk died at each time, as R's "exact".

    Its denominator is a sum over all subsets of size d. Patients join one by one, latest first,
    and for each size the log of that sum, and the mean and variance over subsets of the sum of
    x, follow from those of one size less (Gail, Lubin and Rubinstein 1981,
    https://doi.org/10.1093/biomet/68.3.703).
    """
    p, linear = x.shape[1], x @ beta
    most = max(np.unique(time[event], return_counts=True)[1])
    log_sum = np.append(0.0, np.full(most, -np.inf))
    mean, variance = np.zeros((most + 1, p)), np.zeros((most + 1, p, p))
    value, score, information = 0.0, np.zeros(p), np.zeros((p, p))
    for now in np.unique(time)[::-1]:
        for i in np.flatnonzero(time == now):
            joined = linear[i] + log_sum[:-1]
            new = np.logaddexp(log_sum[1:], joined)
            weight = np.exp(joined - np.where(np.isfinite(new), new, 0.0))[:, None]
            step = mean[:-1] + x[i] - mean[1:]
            spread = (weight * (1 - weight) * step)[:, :, None] * step[:, None, :]
            w = weight[:, :, None]
            variance[1:] = (1 - w) * variance[1:] + w * variance[:-1] + spread
            mean[1:] += weight * step
            log_sum[1:] = new
        dead = event & (time == now)
        if d := dead.sum():
            value += linear[dead].sum() - log_sum[d]
            score += x[dead].sum(axis=0) - mean[d]
            information += variance[d]
    return float(value), score, information


def robust_error(
    x, time, event, beta, ties: str, cluster=None, entry=None, weight=None, stay=None
) -> np.ndarray:
    """Standard errors of Lin and Wei's sandwich, `cluster` (n,) labels summed within."""
    scores = score_residuals(x, time, event, beta, ties, entry, weight, stay)
    if weight is not None:
        scores = scores * weight[:, None]
    if cluster is not None:
        scores = pd.DataFrame(scores).groupby(np.asarray(cluster)).sum().to_numpy()
    information = partial_likelihood(x, time, event, beta, ties, entry, weight, stay)[2]
    change = np.linalg.solve(information, scores.T)
    return np.sqrt((change**2).sum(axis=1))


def score_residuals(
    x, time, event, beta, ties: str = TIES, entry=None, weight=None, stay=None
) -> np.ndarray:
    """What each row adds to the score per weight, (n, p): R's ``residuals(type = "score")``."""
    met = risk_sets(x, time, event, beta, ties, entry, weight, stay)
    turned = ("time", "share", "left", "mean", "each")
    met = met._replace(**{k: getattr(met, k)[::-1] for k in turned})
    risk, hazard = np.exp(x @ beta - met.top)[:, None], (met.each / met.left)[:, None]
    share = met.share[:, None] * hazard

    def upto(rows):
        return np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])

    start, stop = (np.searchsorted(met.time, time, side=s) for s in ("left", "right"))
    come = 0 if entry is None else np.searchsorted(met.time, entry, side="right")
    total = [upto(v)[stop] - upto(v)[come] for v in (hazard, hazard * met.mean)]
    scores = -risk * (x * total[0] - total[1])
    if stay is not None:
        fallen = stay.curve[event][np.argsort(time[event])][:, None] * hazard
        after = [v.sum(axis=0) - upto(v)[stop] for v in (fallen, fallen * met.mean)]
        scores -= stay.own[:, None] * risk * (x * after[0] - after[1])
    # One of d tied deaths is at risk in full only until Efron's rule begins to take it out.
    own = [(upto(v)[stop] - upto(v)[start])[event] for v in (met.mean, share, share * met.mean)]
    mean, x, risk = own[0] / (stop - start)[event, None], x[event], risk[event]
    scores[event] += x - mean + risk * (x * own[1] - own[2])
    return scores


def baseline(x, time, event, beta, ties: str = TIES) -> tuple[np.ndarray, np.ndarray]:
    """Times of deaths, earliest first, and the cumulative hazard of a patient with x = 0."""
    met = risk_sets(x, time, event, beta, ties)
    hazard = np.cumsum(1 / met.left[::-1]) * np.exp(-met.top)
    times, first = np.unique(met.time[::-1], return_index=True)
    return times, hazard[np.append(first[1:], len(met.time)) - 1]
