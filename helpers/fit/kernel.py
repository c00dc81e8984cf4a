"""The fast path: Cox, log-rank and Kaplan-Meier, compiled, on plain arrays.

Own numerical code, because speed is the product here: the explorer, resampling and the search
for cohorts call these thousands of times. Held equal to lifelines and to R within 1e-8. Rows
carry a weight (as R's ``weights``) and in Cox a count (that many identical patients, as in a
bootstrap resample, where copies of a patient who had the event are tied with each other).

Imported only where it is used: the first call compiles for seconds, then a cache on disk serves.
"""

import numpy as np

from helpers.fit.compiled import fast

MOST_STEPS = 60
CLOSE = 1e-22  # Newton decrement at which the maximum is reached; its root is the error left
ENOUGH = 1e-12  # the same where rounding lets it come no closer
FLAT = 1e-12  # information per event, of a scaled covariate, that is rounding alone
LEVEL = 1e-7  # a likelihood that loses less than this when coefficients double has no maximum


@fast
def cholesky(a, floor, out):
    """Lower factor of a symmetric matrix; False when a pivot is not above the floor."""
    p = a.shape[0]
    for i in range(p):
        for j in range(i + 1):
            total = a[i, j]
            for k in range(j):
                total -= out[i, k] * out[j, k]
            if i == j:
                if not total > max(floor, 1e-13 * a[i, i]):
                    return False
                out[i, i] = np.sqrt(total)
            else:
                out[i, j] = total / out[j, j]
    return True


@fast
def solve(factor, b, out):
    """Solve with a lower Cholesky factor."""
    p = b.shape[0]
    for i in range(p):
        total = b[i]
        for k in range(i):
            total -= factor[i, k] * out[k]
        out[i] = total / factor[i, i]
    for i in range(p - 1, -1, -1):
        total = out[i]
        for k in range(i + 1, p):
            total -= factor[k, i] * out[k]
        out[i] = total / factor[i, i]


@fast
def likelihood(time, event, x, weight, count, beta, gradient, information, breslow=False):
    """Partial log-likelihood, its gradient and information in one pass from late to early.

    Rows are sorted by time, latest first; `gradient` (p) and `information` (p, p) are filled.
    """
    n, p = x.shape
    s0, s1, s2 = 0.0, np.zeros(p), np.zeros((p, p))
    d1, d2, mean = np.zeros(p), np.zeros((p, p)), np.zeros(p)
    gradient[:] = 0.0
    information[:] = 0.0
    linear, top = np.zeros(n), -np.inf
    for i in range(n):
        for a in range(p):
            linear[i] += beta[a] * x[i, a]
        top = max(top, linear[i]) if count[i] > 0 else top
    linear -= top  # so that no risk overflows
    total, i = 0.0, 0
    while i < n:
        now, deaths, dead_weight, d0 = time[i], 0, 0.0, 0.0
        d1[:] = 0.0
        d2[:] = 0.0
        while i < n and time[i] == now:
            each = count[i] * weight[i]
            if each > 0:
                risk = each * np.exp(linear[i])
                s0 += risk
                for a in range(p):
                    s1[a] += risk * x[i, a]
                    for b in range(a + 1):
                        s2[a, b] += risk * x[i, a] * x[i, b]
                if event[i] == 1:
                    deaths += count[i]
                    dead_weight += each
                    total += each * linear[i]
                    d0 += risk
                    for a in range(p):
                        gradient[a] += each * x[i, a]
                        d1[a] += risk * x[i, a]
                        for b in range(a + 1):
                            d2[a, b] += risk * x[i, a] * x[i, b]
            i += 1
        for k in range(deaths):
            # Efron: of d tied deaths, the k-th meets a risk set without k/d of their weight.
            share, each = 0.0 if breslow else k / deaths, dead_weight / deaths
            left = s0 - share * d0
            total -= each * np.log(left)
            for a in range(p):
                mean[a] = (s1[a] - share * d1[a]) / left
                gradient[a] -= each * mean[a]
                for b in range(a + 1):
                    second = (s2[a, b] - share * d2[a, b]) / left
                    information[a, b] += each * (second - mean[a] * mean[b])
    for a in range(p):
        for b in range(a):
            information[b, a] = information[a, b]
    return total


@fast
def drifts(time, event, x, weight, count, beta, error, value, breslow=False):
    """Whether a coefficient grows without end: the likelihood then levels off along it.

    Tried with all coefficients doubled, and with those alone that nothing holds in place. The
    spread that matters is among those still at risk when the first event happens.
    """
    rows, (n, p) = (time, event, x, weight, count), x.shape
    first, low, high = 0, np.full(p, np.inf), np.full(p, -np.inf)
    for i in range(n):
        if event[i] == 1 and count[i] > 0:
            first = i
    for i in range(n):
        if count[i] > 0 and time[i] >= time[first]:
            low, high = np.minimum(low, x[i]), np.maximum(high, x[i])
    span = high - low
    gradient, information = np.zeros(p), np.zeros((p, p))
    for loose in (False, True):
        further, reach = beta.copy(), 0.0
        for a in range(p):
            if not loose or error[a] * span[a] > 10:
                further[a] *= 2
                reach = max(reach, abs(beta[a] * span[a]))
        if reach > 1:
            there = likelihood(*rows, further, gradient, information, breslow)
            if there > value - LEVEL:
                return True
    return False


@fast
def maximise(time, event, x, weight, count, beta, error, breslow=False):
    """Newton with step halving from zero; `beta` and `error` (p) are filled.

    Returns the log-likelihood, or NaN when there is no finite maximum.
    """
    rows, p = (time, event, x, weight, count), x.shape[1]
    gradient, step, trial = np.zeros(p), np.zeros(p), np.zeros(p)
    information, factor = np.zeros((p, p)), np.zeros((p, p))
    floor = FLAT * (weight * count * event).sum()
    beta[:] = 0.0
    best = likelihood(*rows, beta, gradient, information, breslow)
    decrement = np.inf
    for _ in range(MOST_STEPS):
        if not cholesky(information, floor, factor):
            return np.nan
        solve(factor, gradient, step)
        decrement = (step * gradient).sum()
        if decrement < CLOSE * max(1.0, abs(best)):
            break
        size = 1.0
        while True:
            for a in range(p):
                trial[a] = beta[a] + size * step[a]
            value = likelihood(*rows, trial, gradient, information, breslow)
            if np.isfinite(value) and value >= best - 1e-12 * abs(best):
                break
            size /= 2
            if size < 1e-10:
                return np.nan
        beta[:] = trial
        best = value
    if not (decrement < ENOUGH * max(1.0, abs(best)) and cholesky(information, floor, factor)):
        return np.nan
    for a in range(p):
        trial[:] = 0.0
        trial[a] = 1.0
        solve(factor, trial, step)
        error[a] = np.sqrt(step[a])
    if drifts(*rows, beta, error, best, breslow):
        return np.nan
    return best


@fast
def batch(time, event, x, weight, counts, betas, errors, breslow=False):
    """`maximise` for each row of `counts` (resamples by patients); the log-likelihoods."""
    values = np.zeros(len(counts))
    for r in range(len(counts)):
        values[r] = maximise(time, event, x, weight, counts[r], betas[r], errors[r], breslow)
        if np.isnan(values[r]):
            betas[r] = np.nan
            errors[r] = np.nan
    return values


def arrays(time, event, x, weights=None):
    """Arrays with the latest time first, covariates centred and scaled; their scale and order."""
    time = np.asarray(time, float)
    x = np.asarray(x, float).reshape(len(time), -1)
    order = np.argsort(-time, kind="stable")
    scale = x.std(axis=0)
    scale[scale == 0] = 1.0
    x = np.ascontiguousarray(((x - x.mean(axis=0)) / scale)[order])
    weight = np.ones(len(time)) if weights is None else np.asarray(weights, float)[order]
    happened = (np.asarray(event)[order] == 1).astype(np.int64)
    return (time[order], happened, x, weight), scale, order


def cox(time, event, x, *, weights=None, ties="efron"):
    """Log hazard ratios of a Cox model, its `ties` by efron or breslow.

    Parameters
    ----------
    time, event : (n,) arrays
        Days; 1 event, 0 censored.
    x : (n, p) array
    weights : (n,) array, optional
        Case weights, as R's ``coxph(weights=)`` with its model-based variance.

    Returns
    -------
    estimate, std_error : (p,) arrays, on the log scale; NaN when there is no finite maximum.
    log_likelihood : float
    """
    rows, scale, _ = arrays(time, event, x, weights)
    betas, errors = np.zeros((2, 1, len(scale)))
    once = np.ones((1, len(rows[0])), dtype=np.int64)
    values = batch(*rows, once, betas, errors, ties == "breslow")
    return betas[0] / scale, errors[0] / scale, float(values[0])


def cox_resamples(time, event, x, counts, *, ties="efron"):
    """Log hazard ratios of many resamples of one cohort.

    Parameters
    ----------
    counts : (r, n) array of int
        How often each patient stands in each resample.

    Returns
    -------
    estimate, std_error : (r, p) arrays; NaN rows where there is no finite maximum.
    """
    rows, scale, order = arrays(time, event, x)
    counts = np.ascontiguousarray(np.asarray(counts, dtype=np.int64)[:, order])
    betas, errors = np.zeros((2, len(counts), len(scale)))
    batch(*rows, counts, betas, errors, ties == "breslow")
    return betas / scale, errors / scale


@fast
def event_table(time, event, weight, table):
    """Fill `table` (n, 5) from its end, rows sorted latest first; the number of rows filled."""
    n, rows, risk, i = len(time), 0, 0.0, 0
    while i < n:
        now, dead, gone = time[i], 0.0, 0.0
        while i < n and time[i] == now:
            dead += weight[i] * event[i]
            gone += weight[i] * (1 - event[i])
            i += 1
        risk += dead + gone
        rows += 1
        table[n - rows] = now, risk, dead, gone, 1.0
    alive = 1.0
    for j in range(n - rows, n):
        alive *= (table[j, 1] - table[j, 2]) / table[j, 1]
        table[j, 4] = alive
    return rows


def km(time, event, *, weights=None):
    """Kaplan-Meier estimate, one row per distinct time, earliest first.

    Parameters
    ----------
    time, event : (n,) arrays
        Days; 1 event, 0 censored.
    weights : (n,) array, optional
        Case weights above 0, as R's ``survfit(weights=)``.

    Returns
    -------
    (m, 5) array: time, n_risk (just before it), n_event, n_censor, estimate.
    """
    time = np.asarray(time, float)
    order = np.argsort(-time, kind="stable")
    weight = np.ones(len(time)) if weights is None else np.asarray(weights, float)[order]
    table = np.empty((len(time), 5))
    happened = (np.asarray(event)[order] == 1).astype(np.int64)
    rows = event_table(time[order], happened, weight, table)
    return table[len(time) - rows :]


@fast
def scores(time, event, group, difference, variance):
    """Observed minus expected events (k) and their variance (k, k), rows sorted latest first."""
    n, k, i = len(time), len(difference), 0
    risk = np.zeros(k)
    while i < n:
        now, dead = time[i], np.zeros(k)
        while i < n and time[i] == now:
            risk[group[i]] += 1
            dead[group[i]] += event[i]
            i += 1
        d, at = dead.sum(), risk.sum()
        factor = d * (at - d) / (at - 1) if at > 1 else 0.0
        for a in range(k):
            difference[a] += dead[a] - d * risk[a] / at
            for b in range(k):
                own = 1.0 if a == b else 0.0
                variance[a, b] += factor * risk[a] / at * (own - risk[b] / at)


def logrank(time, group, event):
    """Log-rank statistic of k groups: (O - E)' V^- (O - E), chi-squared on k - 1.

    Parameters
    ----------
    time, group, event : (n,) arrays
        Days; any labels; 1 event, 0 censored.

    Returns
    -------
    statistic : float
    df : int
    """
    time = np.asarray(time, float)
    labels, code = np.unique(group, return_inverse=True)
    order = np.argsort(-time, kind="stable")
    difference, variance = np.zeros(len(labels)), np.zeros((len(labels),) * 2)
    happened = (np.asarray(event)[order] == 1).astype(np.int64)
    scores(time[order], happened, code[order], difference, variance)
    # The differences sum to zero, so the last says nothing that the others do not.
    rest = difference[:-1]
    return float(rest @ np.linalg.pinv(variance[:-1, :-1]) @ rest), len(labels) - 1
