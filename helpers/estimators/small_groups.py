"""Two small groups compared by permutation: the log-rank test and restricted means.

The hypothesis is that the groups are exchangeable: who is in which says nothing about survival
*or about censoring*. A chi-squared or Wald P takes large numbers of events for granted.

What is compiled is imported where it is used, since that takes a second.
"""

import numpy as np

from helpers.conventions import CONFIDENCE, on_grid

ALIKE = 0.05  # P of the reverse curves below which the groups are censored differently


def ordered(time, event, group) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Patients from the earliest time to the latest."""
    time = on_grid(time)
    order = np.argsort(time, kind="stable")
    happened = (np.asarray(event)[order] == 1).astype(np.int8)
    return time[order], happened, np.asarray(group, bool)[order]


def method(exact: bool, number: int) -> str:
    """How a P was found, in words; the number of all relabellings would give away the groups."""
    return "exact permutation" if exact else f"permutation, {number:,} shuffles"


def permuted_logrank(time, event, group) -> dict:
    """Log-rank test of two groups against relabellings of their patients.

    Parameters
    ----------
    time, event, group : (n,) arrays
        Days; 1 event, 0 censored; true in the first group.

    Returns
    -------
    dict
        p_value, p_error (Monte Carlo standard error of P, 0 where all relabellings were taken),
        method, and note: why there is no P, or ''.

    Notes
    -----
    All relabellings where there are 20,000 or fewer, else 9,999 at random. Where the reverse
    curves (censoring as the event) differ at P < 0.05 by the same relabellings, the groups are
    not exchangeable by censoring alone, and no P is given.

    References
    ----------
    Heinze, Gnant and Schemper 2003, https://doi.org/10.1111/j.0006-341X.2003.00132.x

    Examples
    --------
    >>> found = permuted_logrank([1, 2, 4, 5, 6, 7], [1, 1, 1, 1, 1, 1], [1, 1, 0, 0, 0, 0])
    >>> found["p_value"].__round__(4), found["method"]
    (0.0667, 'exact permutation')
    """
    from helpers.fit.relabel import logranks, relabellings, share_as_large

    time, event, group = ordered(time, event, group)
    none = {"p_value": np.nan, "p_error": np.nan, "method": "permutation", "note": ""}
    if not 2 <= group.sum() <= len(group) - 2:
        return none | {"note": "a group of one patient cannot be tested"}
    ways, exact = relabellings(group)
    own = group[None].astype(np.int8)
    censored = (1 - event).astype(np.int8)
    observed, drawn = logranks(time, event, own)[0], logranks(time, event, ways)
    # A censoring at the time of an event comes after it, so the reverse test takes it later.
    reverse = reverse_times(time, censored)
    order = np.argsort(reverse, kind="stable")
    flipped = reverse[order], censored[order]
    beside = logranks(*flipped, own[:, order])[0]
    among = logranks(*flipped, np.ascontiguousarray(ways[:, order]))
    alike, _ = share_as_large(beside, among, exact)
    if alike < ALIKE:
        why = f"the groups are censored differently (P = {alike:.2g} for their reverse curves)"
        return none | {"note": f"{why}, so that shuffling patients gives no P"}
    p_value, error = share_as_large(observed, drawn, exact)
    return none | {"p_value": p_value, "p_error": error, "method": method(exact, len(ways))}


def reverse_times(time: np.ndarray, censored: np.ndarray) -> np.ndarray:
    """Positions of times at which the events of a time come before its censorings."""
    rank = np.unique(time, return_inverse=True)[1].astype(float)
    return rank + 0.5 * (censored == 1)


def permuted_means(time, event, group, horizon: float) -> dict:
    """Restricted means of two groups against relabellings: P, and what 1.96 becomes.

    Parameters
    ----------
    time, event, group
        As in `permuted_logrank`.
    horizon : float
        Days.

    Returns
    -------
    dict
        p_value, p_error, method, note as `permuted_logrank`; quantile (of |difference| / error
        among relabellings at 95%: it takes the place of 1.96 in the limits).

    Notes
    -----
    The statistic is studentised, which keeps the test valid where follow-up differs between the
    groups, in large samples. Where a relabelling leaves a group that was censored before the
    horizon, it has no restricted mean, and no P is given.

    References
    ----------
    Horiguchi and Uno 2020, https://doi.org/10.1002/sim.8565
    Ditzhaus, Yu and Xu 2023, https://doi.org/10.1002/sim.9720
    """
    from helpers.fit.relabel import mean_differences, relabellings, share_as_large

    time, event, group = ordered(time, event, group)
    none = {"p_value": np.nan, "p_error": np.nan, "method": "permutation", "quantile": np.nan}
    ways, exact = relabellings(group)
    drawn = mean_differences(time, event, ways, float(horizon))
    if np.isnan(drawn).any():
        return none | {"note": f"patients shuffled between the groups are not all followed to day "
                       f"{horizon:g}; an earlier horizon may be tested"}  # fmt: skip
    observed = studentised(mean_differences(time, event, group[None].astype(np.int8), horizon))[0]
    sizes = studentised(drawn)
    p_value, error = share_as_large(observed, sizes, exact)
    quantile = float(np.quantile(sizes, CONFIDENCE, method="higher"))
    made = {"p_value": p_value, "p_error": error, "method": method(exact, len(ways))}
    return none | made | {"quantile": quantile, "note": ""}


def studentised(pairs: np.ndarray) -> np.ndarray:
    """|difference| over its error; infinite where the error is 0 and the difference is not."""
    size, error = np.abs(pairs[:, 0]), pairs[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error > 0, size / error, np.where(size > 0, np.inf, 0.0))
