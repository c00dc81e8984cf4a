"""Interaction tests of many splits in many shuffles: the Cox model of arm, side and product.

Own numerical code, because speed is the product here. The model has four cells, reference or
compared arm by outside or inside, and a free ratio for each but the first; so a risk set is four
counts, and one Newton step costs a few operations per event. Same likelihood, Efron's ties and
Wald test as `helpers.fit.kernel`, which also answers where Newton does not settle at once.

Compiled without Python's lock: a page can run it in a thread and go on answering.
"""

import numpy as np
from numba import njit

from helpers.fit import kernel
from helpers.fit.compiled import forget_when_older
from helpers.fit.kernel import maximise

forget_when_older(__file__, kernel.__file__)

fast = njit(cache=True, error_model="numpy", nogil=True)
# Sums may be taken in any order, so that they are taken four at a time.
summing = njit(
    cache=True, error_model="numpy", nogil=True, fastmath={"reassoc", "contract", "arcp", "nsz"}
)
STEPS = 12  # of Newton; what needs more goes to the kernel
SETTLED = 1e-18  # Newton decrement at the maximum: an error of 1e-9 standard errors
FAR = 6.0  # a log ratio beyond this may be running away, which the kernel can tell


@fast
def risk_sets(last, event, who, arm, inside, breslow, sizes, dead):
    """Cell sizes (4, n) of the risk set that each death meets, and deaths by cell (4).

    Rows from late to early; `last` ends a run of tied times. Returns the number of deaths.
    """
    risk, now, deaths, found = np.zeros(4), np.zeros(4), 0, 0
    dead[:] = 0.0
    for j in range(len(who)):
        i = who[j]
        if inside[i] >= 0:
            cell = 2 * arm[i] + inside[i]
            risk[cell] += 1
            if event[j] == 1:
                now[cell] += 1
                deaths += 1
        if last[j] and deaths > 0:
            for k in range(deaths):
                # Efron: the k-th of d tied deaths meets a risk set without k/d of them.
                share = 0.0 if breslow else k / deaths
                for c in range(4):
                    sizes[c, found] = risk[c] - share * now[c]
                found += 1
            for c in range(4):
                dead[c] += now[c]
                now[c] = 0.0
            deaths = 0
    return found


@summing
def expected(sizes, found, ratio, sums):
    """Fill `sums`: expected deaths in cells 1 to 3, then the six sums of their products."""
    a = b = c = aa = bb = cc = ab = ac = bc = 0.0
    zero, one, two, three = sizes[0], sizes[1], sizes[2], sizes[3]
    first, second, third = ratio[0], ratio[1], ratio[2]
    for t in range(found):
        p, q, r = first * one[t], second * two[t], third * three[t]
        each = 1.0 / (zero[t] + p + q + r)
        p, q, r = p * each, q * each, r * each
        a, b, c = a + p, b + q, c + r
        aa, bb, cc = aa + p * p, bb + q * q, cc + r * r
        ab, ac, bc = ab + p * q, ac + p * r, bc + q * r
    sums[0], sums[1], sums[2] = a, b, c
    sums[3], sums[4], sums[5] = aa, bb, cc
    sums[6], sums[7], sums[8] = ab, ac, bc


@fast
def wald(sizes, found, dead, start):
    """z of the interaction by Newton from the log ratio of the arms; NaN if it does not settle."""
    eta, ratio, sums = np.zeros(3), np.zeros(3), np.zeros(9)
    eta[1] = eta[2] = start
    for step in range(STEPS):
        for k in range(3):
            if not abs(eta[k]) < FAR:
                return np.nan
            ratio[k] = np.exp(eta[k])
        expected(sizes, found, ratio, sums)
        if step == 0:
            # Observed over expected, relative to the first cell: nearer than a Newton step.
            base = dead[0] / (found - sums[0] - sums[1] - sums[2])
            for k in range(3):
                eta[k] += np.log(dead[k + 1] / sums[k] / base)
            continue
        g, h, u = dead[1] - sums[0], dead[2] - sums[1], dead[3] - sums[2]
        # Cholesky factor of the information, by hand.
        l00 = np.sqrt(sums[0] - sums[3])
        l10, l20 = -sums[6] / l00, -sums[7] / l00
        l11 = np.sqrt(sums[1] - sums[4] - l10 * l10)
        l21 = (-sums[8] - l20 * l10) / l11
        l22 = np.sqrt(sums[2] - sums[5] - l20 * l20 - l21 * l21)
        y0 = g / l00
        y1 = (h - l10 * y0) / l11
        y2 = (u - l20 * y0 - l21 * y1) / l22
        decrement = y0 * y0 + y1 * y1 + y2 * y2
        if not np.isfinite(decrement):
            return np.nan
        if decrement < SETTLED:
            # The interaction is the contrast (-1, -1, 1) of the three log ratios.
            w0 = -1.0 / l00
            w1 = (-1.0 - l10 * w0) / l11
            w2 = (1.0 - l20 * w0 - l21 * w1) / l22
            return (eta[2] - eta[1] - eta[0]) / np.sqrt(w0 * w0 + w1 * w1 + w2 * w2)
        d2 = y2 / l22
        d1 = (y1 - l21 * d2) / l11
        eta[2] += d2
        eta[1] += d1
        eta[0] += (y0 - l10 * d1 - l20 * d2) / l00
    return np.nan


@fast
def careful(last, event, who, arm, inside, breslow):
    """The same z by the kernel, which halves steps; NaN when there is no finite maximum."""
    n = 0
    for j in range(len(who)):
        n += inside[who[j]] >= 0
    time, happened, x = np.zeros(n), np.zeros(n, np.int64), np.zeros((n, 3))
    row, now = 0, 0.0
    for j in range(len(who)):
        i = who[j]
        if inside[i] >= 0:
            time[row], happened[row] = now, event[j]
            x[row, 0], x[row, 1], x[row, 2] = arm[i], inside[i], arm[i] * inside[i]
            row += 1
        now -= last[j]
    for k in range(3):
        x[:, k] = (x[:, k] - x[:, k].mean()) / x[:, k].std()
    beta, error = np.zeros(3), np.zeros(3)
    once = np.ones(n, np.int64)
    if np.isnan(maximise(time, happened, x, np.ones(n), once, beta, error, breslow)):
        return np.nan
    return beta[2] / error[2]


@fast
def interactions(last, event, who, arm, inside, start, breslow=False):
    """Wald z of arm by side, for each arrangement of patients and each split.

    Parameters
    ----------
    last, event : (r or 1, n) arrays of int8
        Outcomes from late to early: whether a run of tied times ends here; 1 event, 0 censored.
        One row serves all arrangements.
    who : (r, n) array of int64
        The patient who has each outcome.
    arm : (n,) array of int8
        1 compared, 0 reference.
    inside : (s, n) array of int8
        1 inside, 0 outside, -1 unknown: that patient is not in the model of that split.
    start : float
        Log hazard ratio of the arms, where Newton starts.

    Returns
    -------
    (r, s) array; NaN where there is no finite estimate, as when one of the four cells has no event.
    """
    (rounds, n), splits = who.shape, len(inside)
    z, sizes, dead = np.full((rounds, splits), np.nan), np.zeros((4, n)), np.zeros(4)
    for r in range(rounds):
        k = r if len(last) > 1 else 0
        for s in range(splits):
            rows = (last[k], event[k], who[r], arm, inside[s], breslow)
            found = risk_sets(*rows, sizes, dead)
            if dead.min() > 0:
                z[r, s] = wald(sizes, found, dead, start)
                if np.isnan(z[r, s]):
                    z[r, s] = careful(*rows)
    return z


def arrange(time: np.ndarray, event: np.ndarray):
    """Outcomes (r, n) from late to early: ends of tied runs, events, and whose they are."""
    order = np.argsort(-time, axis=1, kind="stable")
    late = np.take_along_axis(time, order, axis=1)
    last = np.ones(late.shape, np.int8)
    last[:, :-1] = late[:, :-1] != late[:, 1:]
    return last, np.take_along_axis(event, order, axis=1).astype(np.int8), order
