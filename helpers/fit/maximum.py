"""Maxima of the Cox partial likelihood, found by lifelines or by Newton's method and checked.

Where there is no maximum, the cause: what is flat, or a direction that has no end. And profiles.
"""

import warnings

import numpy as np
import pandas as pd
from scipy.optimize import brentq, linprog
from scipy.sparse import csr_array, diags_array, hstack, vstack
from scipy.stats import chi2

from helpers.conventions import CONFIDENCE, TIES
from helpers.fit.likelihood import NotEstimable, Stay, partial_likelihood

NO_PROFILE = "the limits of its profile are not found; use wald, or the log of a skewed number"
EXACT_MOST = 1_000_000  # patients times the most deaths at one time: about a second a step
LOOSE = 10.0  # an error of this over the span of a column tells of a likelihood that levels off
FLAT = 1e-6  # spread of a standardised column, among those at risk at events, that is rounding
UNSETTLED = (
    "the search for the maximum of the likelihood did not end; take the log of a skewed number, or "
    "leave a term out"
)
# Why a hazard ratio is infinite (1) or 0 (-1): of two groups, and of a number.
ENDLESS = {
    (True, 1): "while both groups are at risk only the first-named has events, so its hazard "
    "ratio is infinite; compare the curves",
    (True, -1): "while both groups are at risk the first-named has no event, so its hazard ratio "
    "is 0; compare the curves",
    (False, 1): "at every event nobody at risk has a higher value than the patient who has it, so "
    "its hazard ratio is infinite; leave it out",
    (False, -1): "at every event nobody at risk has a lower value than the patient who has it, so "
    "its hazard ratio is 0; leave it out",
}


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
    span = np.ptp(x, axis=0)
    if not converged or not (error * span < LOOSE).all():
        if why := no_maximum(*arrays, names, ties, **rows):
            raise NotEstimable(why)
        if not converged or not np.isfinite(error).all():
            raise NotEstimable(f"{', '.join(names)}: {UNSETTLED}")
    return beta, error


def no_maximum(x, time, event, names: list[str], ties: str, entry=None, weight=None, stay=None):
    """Why a likelihood has no maximum, or ''."""
    rows, zero = (x, time, event), np.zeros(len(names))
    information = partial_likelihood(*rows, zero, ties, entry, weight, stay)[2]
    spread = np.sqrt(np.maximum(np.diag(information), 0) / event.sum())
    for name, size in zip(names, spread, strict=True):
        if size < FLAT:
            return f"{name}: the same for all who are at risk when an event happens; leave it out"
    if np.linalg.eigvalsh(information / event.sum() / np.outer(spread, spread))[0] < FLAT**2:
        return (
            f"{', '.join(names)}: among those at risk when an event happens, one of these follows "
            "from the others; leave one out"
        )
    together = np.flatnonzero(np.abs(endless(*rows, ties, entry, stay)) > 1e-6)
    for k in together:
        group = " vs " in names[k] and len(np.unique(x[:, k])) == 2
        for side in (1, -1):
            if highest(side * x[:, k], time, event, ties, entry, stay):
                return f"{names[k]}: {ENDLESS[group, side]}"
    if not len(together):
        return ""
    return (
        f"{', '.join(names[k] for k in together)}: at every event nobody at risk is higher, in one "
        "combination of these, than the patient who has it, so the likelihood has no maximum; "
        "use fewer terms"
    )


def highest(value, time, event, ties: str, entry=None, stay: Stay | None = None) -> bool:
    """At every event, is nobody at risk higher than those who have it?"""
    for now in np.unique(time[event]):
        there, dead = time >= now, event & (time == now)
        if entry is not None:
            there &= entry < now
        if stay is not None:
            there |= stay.own > 0
        if ties == "exact":  # tied deaths need not be equal
            there &= ~dead
        if there.any() and value[dead].min() < value[there].max():
            return False
    return True


def endless(x, time, event, ties: str, entry=None, stay: Stay | None = None) -> np.ndarray:
    """A direction along which the likelihood rises without end; zeros where there is none.

    Along it nobody at risk at an event is higher than those who have it, and somebody is lower.
    A linear programme finds it, whose unknowns are the direction and, at each time of events, the
    height of the highest at risk.
    """
    times, own = np.unique(time[event], return_inverse=True)
    p, many = x.shape[1], len(times)
    last = np.searchsorted(times, time, side="right") - 1
    if ties == "exact":  # tied deaths need not be equal
        last[event] -= 1
    if stay is not None:
        last[stay.own > 0] = many - 1
    first = last if entry is None else np.searchsorted(times, entry, side="right")
    counts = np.where(last >= 0, np.maximum(last - first + 1, 0), 0)
    who = np.repeat(np.arange(len(x)), counts)
    when = np.arange(len(who)) - np.repeat(np.cumsum(counts) - counts - first, counts)
    # Nobody at risk is higher than the height, nor it than those who die; it falls with time, as
    # all at risk later were so before, unless they may come late.
    height = csr_array((np.ones(len(who)), (np.arange(len(who)), when)), (len(who), many))
    dead = csr_array((np.ones(len(own)), (np.arange(len(own)), own)), (len(own), many))
    bounds = [hstack([csr_array(x[who]), -height]), hstack([csr_array(-x[event]), dead])]
    if entry is None and many > 1:
        falls = diags_array([-np.ones(many - 1), np.ones(many - 1)], offsets=[0, 1],
                            shape=(many - 1, many))  # fmt: skip
        bounds.append(hstack([csr_array((many - 1, p)), falls]))
    gain = partial_likelihood(x, time, event, np.zeros(p), "breslow", entry, None, stay)[1]
    bounds = vstack(bounds)
    found = linprog(
        np.append(-gain, np.zeros(many)), A_ub=bounds, b_ub=np.zeros(bounds.shape[0]),
        bounds=[(-1, 1)] * p + [(None, None)] * many,
    )  # fmt: skip
    way = found.x[:p] if found.success else np.zeros(p)
    return way if np.abs(way).max() > 0.5 and gain @ way > 1e-9 else np.zeros(p)


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
            # Where a risk set is rounded to none, the value is infinite.
            if np.isfinite(new[0]) and new[0] >= value - 1e-13 * abs(value):
                break
            size /= 2
        beta, (value, score, information) = beta + size * step, new
    return beta, information, False


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
