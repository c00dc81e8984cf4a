"""Maxima of the Cox partial likelihood, found by lifelines or by Newton's method and checked.

With them what rests on the same sums: profile intervals, the sandwich variance, the baseline
hazard. Rows may carry a weight, and the time from which they are at risk (counting process).
"""

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import chi2

from helpers.conventions import CONFIDENCE, TIES

NO_PROFILE = "the limits of its profile are not found; use wald, or the log of a skewed number"
EXACT_MOST = 1_000_000  # patients times the most deaths at one time: about a second a step


class NotEstimable(ValueError):
    """The model has no finite answer; the message says why and what to do."""


def maximum(x, time, event, names: list[str], ties: str = TIES) -> tuple[np.ndarray, np.ndarray]:
    """The coefficients and errors of lifelines, accepted only where they are a maximum.

    With a skewed covariate lifelines may overshoot and stop short, with a warning and a plausible
    number of the wrong sign. So the score is checked, and where it is not zero the model is
    fitted as R does, from zero by Newton's method with step halving. lifelines knows Efron's
    ties alone: under another rule its answer is where Newton's method starts.
    """
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError

    arrays, zero = (x, time, event), np.zeros(x.shape[1])
    most = max(np.unique(time[event], return_counts=True)[1])
    if ties == "exact" and len(time) * most > EXACT_MOST:
        raise NotEstimable(
            f"ties: found {most} events at one time among {len(time)} patients, too many for the "
            "exact likelihood; use efron"
        )
    data = pd.DataFrame(x).add_prefix("x")  # free of lifelines' own column names
    data = data.assign(time=time, event=event)
    # lifelines' default precision would leave a coefficient 1e-5 away from R's.
    options = {"precision": 1e-14, "max_steps": 100}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it warns of is judged on the result
            beta = CoxPHFitter().fit(data, "time", "event", fit_options=options).params_.to_numpy()
    except (ConvergenceError, np.linalg.LinAlgError, ValueError):
        beta = zero
    return climbed(*arrays, names, ties, (beta, zero))


def climbed(x, time, event, names: list[str], ties: str, starts, **rows):
    """Newton's maximum from the first start that leads there, and errors; refused if infinite."""
    arrays = x, time, event
    for start in starts:
        beta, information, converged = newton(*arrays, start, ties, **rows)
        if converged:
            break
    try:
        variance = np.diag(np.linalg.inv(information))
    except np.linalg.LinAlgError:
        variance = np.full(len(beta), np.nan)
    error = np.sqrt(np.where(variance > 0, variance, np.inf))
    worst = drifting(*arrays, beta, error, ties, **rows)
    if worst is not None:
        raise NotEstimable(
            f"{names[worst]}: it puts the events in order without exception, so its hazard "
            "ratio is infinite; compare survival at a day, or use Firth's penalty"
        )
    if not converged or not np.isfinite(error).all():
        raise NotEstimable(f"{', '.join(names)}: the model does not converge; use fewer terms")
    return beta, error


def drifting(x, time, event, beta, error, ties: str = TIES, **rows) -> int | None:
    """The coefficient that grows without end, if any: the likelihood then levels off along it.

    Tried with all coefficients doubled, and with those alone that nothing holds in place. The
    spread that matters is among those still at risk when the first event happens.
    """
    span = np.ptp(x[time >= time[event].min()], axis=0)
    value = partial_likelihood(x, time, event, beta, ties, **rows)[0]
    with np.errstate(invalid="ignore"):  # an infinite error times no spread is no number, not 10
        loose = error * span > 10
    for part in (np.ones(len(beta), bool), loose):
        reach = np.where(part, np.abs(beta * span), 0.0)
        if reach.max() > 1:
            further = partial_likelihood(x, time, event, beta + beta * part, ties, **rows)[0]
            if further > value - 1e-7:
                return int(reach.argmax())
    return None


def newton(x, time, event, beta, ties: str = TIES, *, free=slice(None), most: int = 50, **rows):
    """Newton steps with halving; the coefficients, their information, and if the score is zero.

    Only the coefficients in `free` move; `rows` are the entry and weight of the likelihood.
    """
    value, score, information = partial_likelihood(x, time, event, beta, ties, **rows)
    step = np.zeros(len(beta))
    for _ in range(most):
        try:
            step[free] = np.linalg.solve(information[free][:, free], score[free])
        except np.linalg.LinAlgError:
            return beta, information, False
        if not score @ step > 1e-20 * max(1.0, abs(value)):  # in units of the error, squared
            return beta, information, bool(np.isfinite(step).all())
        size = 1.0
        while size > 1e-8:
            new = partial_likelihood(x, time, event, beta + size * step, ties, **rows)
            if new[0] >= value - 1e-13 * abs(value):
                break
            size /= 2
        beta, (value, score, information) = beta + size * step, new
    return beta, information, False


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


def risk_sets(x, time, event, beta, ties: str = TIES, entry=None, weight=None) -> RiskSets:
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
    entry: np.ndarray | None = None, weight: np.ndarray | None = None,
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
    """
    if ties == "exact":
        return exact_likelihood(x, time, event, beta)
    met = risk_sets(x, time, event, beta, ties, entry, weight)
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


def profile(x, time, event, beta, error, names: list[str], ties: str = TIES) -> np.ndarray:
    """Limits and likelihood-ratio statistic of each coefficient: a (3, p) array.

    The limits are where twice the loss of log likelihood, the other coefficients refitted, is the
    chi-squared quantile.
    """
    best = partial_likelihood(x, time, event, beta, ties)[0]
    answer = np.empty((3, len(beta)))
    for a in range(len(beta)):
        free, others = np.arange(len(beta)) != a, beta.copy()

        def loss(value, a=a, free=free, others=others):
            best_here = -np.inf
            # From the maximum; from zero too where a skewed covariate leads that astray.
            for start in (beta, np.zeros(len(beta))):
                trial = np.where(free, start, value)
                good = not free.any()
                if not good:
                    trial, _, good = newton(x, time, event, trial, ties, free=free)
                here = partial_likelihood(x, time, event, trial, ties)[0]
                if here > best_here:
                    best_here, others[:] = here, trial
                if good:
                    break
            return min(2 * (best - best_here), 1e6)

        for i, side in enumerate((-1, 1)):
            answer[i, a] = limit(loss, beta[a], side * error[a], names[a])
            loss(answer[i, a])
            _, score, information = partial_likelihood(x, time, event, others, ties)
            rest = np.linalg.lstsq(information[free][:, free], score[free], rcond=None)[0]
            if not score[free] @ rest < 1e-9:  # else the limit would be that of a worse fit
                raise NotEstimable(f"{names[a]}: {NO_PROFILE}")
        answer[2, a] = max(loss(0.0), 0.0)
    return answer


def limit(loss, estimate: float, step: float, name: str) -> float:
    """Where, going by steps from the estimate, the loss reaches the chi-squared quantile."""
    quantile, reach = chi2.ppf(CONFIDENCE, 1), 2.0
    while not loss(estimate + reach * step) > quantile:
        reach *= 1.5  # a likelihood with a maximum falls without end on both sides
        if reach > 1e6:
            raise NotEstimable(f"{name}: {NO_PROFILE}")
    ends = 0.0, reach * step

    def distance(way):
        return (loss(estimate + way) if way else 0.0) - quantile

    return estimate + brentq(distance, *ends, xtol=1e-12 * abs(step))


def robust_error(
    x, time, event, beta, ties: str, cluster=None, entry=None, weight=None
) -> np.ndarray:
    """Standard errors of Lin and Wei's sandwich, `cluster` (n,) labels summed within."""
    scores = score_residuals(x, time, event, beta, ties, entry, weight)
    if weight is not None:
        scores = scores * weight[:, None]
    if cluster is not None:
        scores = pd.DataFrame(scores).groupby(np.asarray(cluster)).sum().to_numpy()
    information = partial_likelihood(x, time, event, beta, ties, entry, weight)[2]
    change = np.linalg.solve(information, scores.T)
    return np.sqrt((change**2).sum(axis=1))


def score_residuals(x, time, event, beta, ties: str = TIES, entry=None, weight=None) -> np.ndarray:
    """What each row adds to the score per weight, (n, p): R's ``residuals(type = "score")``."""
    met = risk_sets(x, time, event, beta, ties, entry, weight)
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
