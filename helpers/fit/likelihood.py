"""Maxima of the Cox partial likelihood, found by lifelines or by Newton's method and checked."""

import warnings

import numpy as np
import pandas as pd


class NotEstimable(ValueError):
    """The model has no finite answer; the message says why and what to do."""


def maximum(x, time, event, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The coefficients and errors of lifelines, accepted only where they are a maximum.

    With a skewed covariate lifelines may overshoot and stop short, with a warning and a plausible
    number of the wrong sign. So the score is checked, and where it is not zero the model is
    fitted as R does, from zero by Newton's method with step halving.
    """
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError

    arrays, zero = (x, time, event), np.zeros(x.shape[1])
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
    beta, information, converged = newton(*arrays, beta)
    if not converged:
        beta, information, converged = newton(*arrays, zero)

    try:
        variance = np.diag(np.linalg.inv(information))
    except np.linalg.LinAlgError:
        variance = np.full(len(beta), np.nan)
    error = np.sqrt(np.where(variance > 0, variance, np.inf))
    worst = drifting(*arrays, beta, error)
    if worst is not None:
        raise NotEstimable(
            f"{names[worst]}: separates those with an event from those without, so its "
            "hazard ratio is infinite; compare restricted means"
        )
    if not converged or not np.isfinite(error).all():
        raise NotEstimable(f"{', '.join(names)}: the model does not converge; use fewer terms")
    return beta, error


def drifting(x, time, event, beta, error) -> int | None:
    """The coefficient that grows without end, if any: the likelihood then levels off along it.

    Tried with all coefficients doubled, and with those alone that nothing holds in place. The
    spread that matters is among those still at risk when the first event happens.
    """
    span = np.ptp(x[time >= time[event].min()], axis=0)
    value = partial_likelihood(x, time, event, beta)[0]
    for part in (np.ones(len(beta), bool), error * span > 10):
        reach = np.abs(beta * span) * part
        if (
            reach.max() > 1
            and partial_likelihood(x, time, event, beta + beta * part)[0] > value - 1e-7
        ):
            return int(reach.argmax())
    return None


def newton(x, time, event, beta, *, most: int = 50):
    """Newton steps with halving; the coefficients, their information, and if the score is zero."""
    value, score, information = partial_likelihood(x, time, event, beta)
    for _ in range(most):
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            return beta, information, False
        if not score @ step > 1e-20 * max(1.0, abs(value)):  # in units of the error, squared
            return beta, information, bool(np.isfinite(step).all())
        size = 1.0
        while size > 1e-8:
            new = partial_likelihood(x, time, event, beta + size * step)
            if new[0] >= value - 1e-13 * abs(value):
                break
            size /= 2
        beta, (value, score, information) = beta + size * step, new
    return beta, information, False


def partial_likelihood(
    x: np.ndarray, time: np.ndarray, event: np.ndarray, beta: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Efron's log partial likelihood, its gradient (p,) and its information (p, p).

    Parameters
    ----------
    x : (n, p) array
    time : (n,) array
    event : (n,) array of bool
    beta : (p,) array
    """
    order = np.argsort(-time, kind="stable")
    x, event = x[order], event[order]
    linear = x @ beta
    linear = linear - linear.max()
    square = x[:, :, None] * x[:, None, :]
    risk = np.exp(linear)
    # Sums over all who are at risk at each distinct time, latest first, and over its deaths.
    _, first = np.unique(-time[order], return_index=True)
    last = np.append(first[1:], len(time)) - 1
    at_risk = [np.cumsum((risk * v.T).T, axis=0)[last] for v in (np.ones(len(x)), x, square)]
    dead = risk * event
    died = [np.add.reduceat((dead * v.T).T, first) for v in (np.ones(len(x)), x, square)]
    deaths = np.add.reduceat(event.astype(int), first)
    # Efron: of d tied deaths, the k-th meets a risk set that has lost k/d of their weight.
    at = np.repeat(np.arange(len(first)), deaths)
    share = np.concatenate([np.arange(d) / d for d in deaths if d])
    left, mean, second = ((a[at].T - share * d[at].T).T for a, d in zip(at_risk, died, strict=True))
    mean, second = (mean.T / left).T, (second.T / left).T
    information = second.sum(axis=0) - mean.T @ mean
    score = x[event].sum(axis=0) - mean.sum(axis=0)
    return float(linear[event].sum() - np.log(left).sum()), score, information
