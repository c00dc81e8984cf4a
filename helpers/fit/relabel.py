"""Two-group statistics over many relabellings of the same patients, compiled.

Own numerical code, because speed is the product here: a subgroup in an explorer is tested against
ten thousand relabellings while its reader waits. One pass over the patients, sorted by time,
gives each statistic; held equal to the kernel, and through it to R.
"""

from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np

from helpers.fit.compiled import fast

EXACT = 20_000  # relabellings up to which all are taken
SHUFFLES = 9_999  # otherwise so many, drawn at random
CELLS = 200_000_000  # patients times relabellings: what a reader waits for at most
KEPT = 3_000_000  # the same, of what is kept for the next question
SEED = 20200522
SAME = 1e-9  # statistics that agree to this, relatively, are ties


def relabellings(group: np.ndarray, seed: int = SEED) -> tuple[np.ndarray, bool]:
    """Who could have been in the first group: all ways, or a sample of them.

    Parameters
    ----------
    group : (n,) array of bool
        Who is.

    Returns
    -------
    (m, n) array of int8, bool
        1 in the first group; whether these are all the ways there are.
    """
    n, k = len(group), int(np.sum(group))
    return drawn(n, k, seed) if n * SHUFFLES < KEPT else drawn.__wrapped__(n, k, seed)


@lru_cache(maxsize=8)
def drawn(n: int, k: int, seed: int) -> tuple[np.ndarray, bool]:
    """`relabellings` of k among n, which depend on no more."""
    if comb(n, k) <= EXACT:
        ways = np.zeros((comb(n, k), n), np.int8)
        members = np.array(list(combinations(range(n), k)), dtype=np.intp).reshape(len(ways), k)
        np.put_along_axis(ways, members, 1, axis=1)
        return ways, True
    m = max(199, min(SHUFFLES, CELLS // n))
    ways = np.tile((np.arange(n) < k).astype(np.int8), (m, 1))
    return np.random.default_rng(seed).permuted(ways, axis=1), False


@fast
def logranks(time, event, ways):
    """Log-rank statistic of each relabelling; 0 where it has no variance. Earliest first."""
    n, found = len(time), np.zeros(len(ways))
    for w in range(len(ways)):
        way = ways[w]
        risk = 0.0
        for i in range(n):
            risk += way[i]
        score, variance, at, i = 0.0, 0.0, float(n), 0
        while i < n:
            now, dead, own, left, gone = time[i], 0.0, 0.0, 0.0, 0.0
            while i < n and time[i] == now:
                dead += event[i]
                own += event[i] * way[i]
                left += 1
                gone += way[i]
                i += 1
            if dead > 0:
                share = risk / at
                score += own - dead * share
                if at > 1:
                    variance += dead * (at - dead) / (at - 1) * share * (1 - share)
            at -= left
            risk -= gone
        if variance > 0:
            found[w] = score * score / variance
    return found


@fast
def mean_differences(time, event, ways, horizon):
    """Difference of restricted means and its error for each relabelling, (m, 2). Earliest first.

    NaN where a group is censored for good before the horizon, so that it has no restricted mean.
    """
    n, found = len(time), np.full((len(ways), 2), np.nan)
    area, weight, whose = np.zeros(2 * n), np.zeros(2 * n), np.zeros(2 * n, np.int8)
    risk, alive, last, total = np.zeros(2), np.zeros(2), np.zeros(2), np.zeros(2)
    dead, left = np.zeros(2), np.zeros(2)
    seen = 0
    while seen < n and time[seen] <= horizon:
        seen += 1
    for w in range(len(ways)):
        way, steps, i, known = ways[w], 0, 0, True
        risk[:], alive[:], last[:], total[:] = 0.0, 1.0, 0.0, 0.0
        for j in range(n):
            risk[way[j]] += 1
        while i < seen:
            now = time[i]
            dead[:], left[:] = 0.0, 0.0
            while i < seen and time[i] == now:
                dead[way[i]] += event[i]
                left[way[i]] += 1
                i += 1
            for side in range(2):
                if dead[side] > 0:
                    total[side] += alive[side] * (now - last[side])
                    last[side] = now
                    if risk[side] > dead[side]:
                        area[steps], whose[steps] = total[side], side
                        weight[steps] = dead[side] / (risk[side] * (risk[side] - dead[side]))
                        steps += 1
                    alive[side] *= 1 - dead[side] / risk[side]
                risk[side] -= left[side]
                if left[side] > 0 and risk[side] == 0 and alive[side] > 0 and now < horizon:
                    known = False
        if known:
            total += alive * (horizon - last)
            variance = 0.0
            for k in range(steps):
                variance += weight[k] * (total[whose[k]] - area[k]) ** 2
            found[w, 0], found[w, 1] = total[1] - total[0], np.sqrt(variance)
    return found


def share_as_large(observed: float, values: np.ndarray, exact: bool) -> tuple[float, float]:
    """P that a statistic is as large as observed, and the Monte Carlo error of P.

    References
    ----------
    Phipson and Smyth 2010, https://doi.org/10.2202/1544-6115.1585 (one is added to both counts of
    a sample).
    """
    large = int((values >= observed * (1 - SAME)).sum())
    if exact:
        return large / len(values), 0.0
    p_value = (large + 1) / (len(values) + 1)
    return p_value, float(np.sqrt(p_value * (1 - p_value) / len(values)))
