"""Maxima of the Cox partial likelihood, found by lifelines or by Newton's method and checked.

With them what rests on the same sums: profile intervals, the sandwich variance, the baseline
hazard; and the penalised fits of firthmodels, held to our precision.
"""

import warnings
from contextlib import suppress
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
    beta, information, converged = newton(*arrays, beta, ties)
    if not converged:
        beta, information, converged = newton(*arrays, zero, ties)

    try:
        variance = np.diag(np.linalg.inv(information))
    except np.linalg.LinAlgError:
        variance = np.full(len(beta), np.nan)
    error = np.sqrt(np.where(variance > 0, variance, np.inf))
    worst = drifting(*arrays, beta, error, ties)
    if worst is not None:
        raise NotEstimable(
            f"{names[worst]}: separates those with an event from those without, so its "
            "hazard ratio is infinite; compare restricted means"
        )
    if not converged or not np.isfinite(error).all():
        raise NotEstimable(f"{', '.join(names)}: the model does not converge; use fewer terms")
    return beta, error


def drifting(x, time, event, beta, error, ties: str = TIES) -> int | None:
    """The coefficient that grows without end, if any: the likelihood then levels off along it.

    Tried with all coefficients doubled, and with those alone that nothing holds in place. The
    spread that matters is among those still at risk when the first event happens.
    """
    span = np.ptp(x[time >= time[event].min()], axis=0)
    value = partial_likelihood(x, time, event, beta, ties)[0]
    with np.errstate(invalid="ignore"):  # an infinite error times no spread is no number, not 10
        loose = error * span > 10
    for part in (np.ones(len(beta), bool), loose):
        reach = np.where(part, np.abs(beta * span), 0.0)
        if (
            reach.max() > 1
            and partial_likelihood(x, time, event, beta + beta * part, ties)[0] > value - 1e-7
        ):
            return int(reach.argmax())
    return None


def newton(x, time, event, beta, ties: str = TIES, *, free=slice(None), most: int = 50):
    """Newton steps with halving; the coefficients, their information, and if the score is zero.

    Only the coefficients in `free` move.
    """
    value, score, information = partial_likelihood(x, time, event, beta, ties)
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
            new = partial_likelihood(x, time, event, beta + size * step, ties)
            if new[0] >= value - 1e-13 * abs(value):
                break
            size /= 2
        beta, (value, score, information) = beta + size * step, new
    return beta, information, False


class RiskSets(NamedTuple):
    """What each death meets, one row per death, latest first.

    `share` is the part of the tied deaths that Efron's rule has already taken out of the risk
    set, `left` the sum of the risks that remain (each exp(linear - `top`)), `mean` and `second`
    the first two moments of x under them.
    """

    time: np.ndarray
    share: np.ndarray
    left: np.ndarray
    mean: np.ndarray
    second: np.ndarray
    top: float


def risk_sets(x, time, event, beta, ties: str = TIES) -> RiskSets:
    """The risk sets of all deaths, by Efron's or Breslow's rule."""
    order = np.argsort(-time, kind="stable")
    x, event, linear = x[order], event[order], (x @ beta)[order]
    top = linear.max()
    risk = np.exp(linear - top)
    square = x[:, :, None] * x[:, None, :]
    # Sums over all who are at risk at each distinct time, latest first, and over its deaths.
    times, first = np.unique(-time[order], return_index=True)
    last = np.append(first[1:], len(time)) - 1
    at_risk = [np.cumsum((risk * v.T).T, axis=0)[last] for v in (np.ones(len(x)), x, square)]
    dead = risk * event
    died = [np.add.reduceat((dead * v.T).T, first) for v in (np.ones(len(x)), x, square)]
    deaths = np.add.reduceat(event.astype(int), first)
    # Efron: of d tied deaths, the k-th meets a risk set that has lost k/d of their weight.
    at = np.repeat(np.arange(len(first)), deaths)
    share = np.concatenate([np.arange(d) / d for d in deaths if d])
    share = share if ties == "efron" else np.zeros_like(share)
    left, mean, second = ((a[at].T - share * d[at].T).T for a, d in zip(at_risk, died, strict=True))
    return RiskSets(-times[at], share, left, (mean.T / left).T, (second.T / left).T, top)


def partial_likelihood(
    x: np.ndarray, time: np.ndarray, event: np.ndarray, beta: np.ndarray, ties: str = TIES
) -> tuple[float, np.ndarray, np.ndarray]:
    """The log partial likelihood, its gradient (p,) and its information (p, p).

    Parameters
    ----------
    x : (n, p) array
    time : (n,) array
    event : (n,) array of bool
    beta : (p,) array
    ties : str
        efron, breslow or exact.
    """
    if ties == "exact":
        return exact_likelihood(x, time, event, beta)
    met = risk_sets(x, time, event, beta, ties)
    information = met.second.sum(axis=0) - met.mean.T @ met.mean
    score = x[event].sum(axis=0) - met.mean.sum(axis=0)
    with np.errstate(divide="ignore"):  # far from the maximum a risk set may be rounded to none
        value = (x[event] @ beta - met.top).sum() - np.log(met.left).sum()
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


def robust_error(x, time, event, beta, ties: str, cluster=None) -> np.ndarray:
    """Standard errors of Lin and Wei's sandwich, `cluster` (n,) labels summed within."""
    scores = score_residuals(x, time, event, beta, ties)
    if cluster is not None:
        scores = pd.DataFrame(scores).groupby(np.asarray(cluster)).sum().to_numpy()
    information = partial_likelihood(x, time, event, beta, ties)[2]
    change = np.linalg.solve(information, scores.T)
    return np.sqrt((change**2).sum(axis=1))


def score_residuals(x, time, event, beta, ties: str = TIES) -> np.ndarray:
    """What each patient adds to the score, (n, p): R's ``residuals(type = "score")``."""
    met = risk_sets(x, time, event, beta, ties)
    met = met._replace(**{k: getattr(met, k)[::-1] for k in ("time", "share", "left", "mean")})
    risk, hazard = np.exp(x @ beta - met.top)[:, None], 1 / met.left[:, None]
    share = met.share[:, None] * hazard

    def upto(rows):
        return np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])

    start, stop = (np.searchsorted(met.time, time, side=s) for s in ("left", "right"))
    scores = -risk * (x * upto(hazard)[stop] - upto(hazard * met.mean)[stop])
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


def settled(model, *data):
    """The fitted firthmodels `model`, as precisely as rounding lets it; refused if not at all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it warns of is judged on the result
        for tolerance in (1e-8, 1e-6):
            # The compiled backend costs half a minute on its first call and saves milliseconds.
            model.set_params(
                backend="numpy", max_iter=500, max_halfstep=50, gtol=tolerance, xtol=1e-6
            )
            for step in (5.0, 0.5):  # a long step can end where the information is nil
                with suppress(np.linalg.LinAlgError):
                    if model.set_params(max_step=step).fit(*data).converged_:
                        return model
    raise NotEstimable(
        "the model does not converge; use fewer terms, or the log of a skewed number"
    )


def penalised_profile(model, p: int, names: list[str]) -> np.ndarray:
    """P and limits of the first p terms by the penalised likelihood ratio: a (3, p) array."""
    answer = np.full((3, p), np.nan)
    with warnings.catch_warnings(), suppress(np.linalg.LinAlgError):
        warnings.simplefilter("ignore")
        answer[0] = model.lrt(list(range(p))).lrt_pvalues_[:p]
        limits = model.conf_int(1 - CONFIDENCE, "pl", list(range(p)), max_iter=500, tol=1e-9)
        answer[1:] = limits[:p].T
    for name, good in zip(names, np.isfinite(answer).all(axis=0), strict=True):
        if not good:
            raise NotEstimable(f"{name}: {NO_PROFILE}")
    return answer
