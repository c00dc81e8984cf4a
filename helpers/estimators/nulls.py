"""The best of all splits when there is nothing to find: what a largest interaction is worth.

A split that was chosen because its interaction is the largest must be compared with the largest of
all splits on offer, in data where no interaction is. Two ways of making such data, two hypotheses;
`NULLS` says each in words, and a page must print the one it shows.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import beta

from helpers.cohort import Cohort
from helpers.conventions import CONFIDENCE
from helpers.estimators.splits import membership, splits
from helpers.estimators.subgroups import compared
from helpers.fit.likelihood import NotEstimable
from helpers.regression import cox_table
from helpers.selection import EVENT, GROUP, TIME
from helpers.view import View

SHUFFLES = 2_000
NULLS = {
    "permutation": (
        "Covariate rows are shuffled within each arm while arm and outcome stay together: the "
        "effect of the arm is kept, and no covariate has to do with the outcome at all, neither "
        "by itself nor with the arm."
    ),
    "bootstrap": (
        "Outcomes are drawn from a Cox model of the arm and the split in question without their "
        "interaction, censoring from each arm's own reverse Kaplan-Meier curve: the split may "
        "matter for prognosis, but the ratio of the arms is the same on both sides of it; other "
        "splits matter only as far as they go with it."
    ),
}
MOST_CELLS = 2_000_000  # patients times shuffles held at once
TIE = 1e-9  # relative difference below which two z are one and the same


class Offer(NamedTuple):
    """The patients of a View and the splits on offer, one row of `inside` per split.

    `arm` is 1 in the compared group; `inside` is 1, 0, or -1 where a value is missing."""

    time: np.ndarray
    event: np.ndarray
    arm: np.ndarray
    inside: np.ndarray
    splits: pd.DataFrame
    breslow: bool


def offer(cohort: Cohort, view: View, *, table: pd.DataFrame | None = None) -> Offer:
    """The splits that a View chooses among, each split once whatever its sides.

    Parameters
    ----------
    cohort : Cohort
    view : View
        As for `helpers.estimators.subgroups.forest`: its conditions and covariates are not used.
    table : DataFrame, optional
        Of `helpers.estimators.splits.splits`, by default all.

    Raises
    ------
    NotEstimable
        No two groups, no split on offer, or exact ties, which the compiled test does not have.
    """
    if view.ties == "exact":
        raise NotEstimable("ties: the shuffles have no exact likelihood; use efron or breslow")
    who = compared(cohort, replace(view, where=()))
    table = splits(cohort, compare=view.compare) if table is None else table
    table = table[table["split"].notna()].drop_duplicates("split").reset_index(drop=True)
    if table.empty:
        raise NotEstimable("splits: no subgroup is on offer in this cohort")
    rows = cohort.frame.index.get_indexer(who.data.index)
    inside = np.nan_to_num(membership(cohort, table)[rows].T, nan=-1.0)
    arm = (who.data[GROUP] == who.groups[0]).to_numpy()
    return Offer(
        who.data[TIME].to_numpy(float), (who.data[EVENT] == 1).to_numpy(np.int8),
        arm.astype(np.int8), np.ascontiguousarray(inside, dtype=np.int8), table,
        view.ties == "breslow",
    )  # fmt: skip


def statistics(offer: Offer) -> pd.DataFrame:
    """Wald z of the interaction of each split on offer, as observed.

    Returns
    -------
    DataFrame
        column, label, level, split, statistic (missing where it cannot be estimated), largest
        (whether it is the largest in size); equal to the interaction_statistic of `forest`
        without a floor.
    """
    z = arranged(offer, np.arange(len(offer.time))[None])[0]
    table = offer.splits[["column", "label", "level", "split"]].assign(statistic=z)
    size = np.nan_to_num(np.abs(z), nan=-1.0)
    return table.assign(largest=(size == size.max()) & (size >= 0))


def arranged(offer: Offer, rows: np.ndarray) -> np.ndarray:
    """z (r, splits) when the covariates of patient ``rows[r, i]`` stand at patient i's outcome.

    A row of `rows` permutes patients within arms.
    """
    from helpers.fit import shuffle

    last, event, order = shuffle.arrange(offer.time[None], offer.event[None])
    who = np.ascontiguousarray(np.asarray(rows, dtype=np.int64)[:, order[0]])
    fixed = offer.arm, offer.inside, arms_ratio(offer), offer.breslow
    return shuffle.interactions(last, event, who, *fixed)


def arms_ratio(offer: Offer) -> float:
    """Log hazard ratio of the arms, where a search may start; 0 where there is none."""
    from helpers.fit import kernel

    estimate, _, _ = kernel.cox(offer.time, offer.event, offer.arm)
    return float(np.nan_to_num(estimate[0], nan=0.0))


def largest(z: np.ndarray) -> np.ndarray:
    """The largest size of each row; 0 where no split has an estimate."""
    return np.nanmax(np.abs(z), axis=1, initial=0.0)


def pieces(shuffles: int, chunk: int, n: int) -> list[int]:
    """How many shuffles at a time: at most `chunk`, nor more than fit in memory."""
    size = max(1, min(chunk, MOST_CELLS // n))
    return [min(size, shuffles - start) for start in range(0, shuffles, size)]


def permutation_maxima(
    offer: Offer, *, seed: int, shuffles: int = SHUFFLES, chunk: int = 200
) -> Iterator[np.ndarray]:
    """Yield the largest abs(z) of all splits in shuffles of covariate rows within arms.

    Parameters
    ----------
    offer : Offer
    seed, shuffles : int
    chunk : int
        Shuffles per array yielded, fewer for a large cohort. The sequence depends on the seed
        alone, not on this, and is that of a longer run as far as it goes.

    Yields
    ------
    (chunk,) arrays, the last one shorter; concatenate for `position`. Stop asking to cancel.

    Notes
    -----
    Exact under its hypothesis (`NULLS`), which is narrower than "no interaction": with strong
    prognostic covariates it is an approximation. A shuffle without an estimate for a split passes
    that split over, as the observed data do. The largest of 20 splits is not that of 20
    independent tests; shuffling whole rows keeps how splits overlap.

    References
    ----------
    Westfall and Young 1993, Resampling-Based Multiple Testing, Wiley
    Wang et al. 2015, https://doi.org/10.1002/sim.6457
    Foster et al. 2016, https://doi.org/10.1007/s12561-015-9125-9 (on what shuffling cannot do)
    """
    rng, n = np.random.default_rng(seed), len(offer.time)
    for size in pieces(shuffles, chunk, n):
        keys = rng.random((size, n))
        rows = np.empty(keys.shape, dtype=np.int64)
        for side in (0, 1):
            own = np.flatnonzero(offer.arm == side)
            rows[:, own] = own[np.argsort(keys[:, own], axis=1)]
        yield largest(arranged(offer, rows))


def bootstrap_maxima(
    offer: Offer, *, seed: int, split: int | None = None, shuffles: int = SHUFFLES,
    chunk: int = 200,
) -> Iterator[np.ndarray]:  # fmt: skip
    """Yield the largest abs(z) of all splits in outcomes drawn without an interaction.

    Parameters
    ----------
    offer, seed, shuffles, chunk
        As in `permutation_maxima`.
    split : int, optional
        The number (column split) of the split in question, whose main effect the model has; by
        default the one with the largest interaction.

    Yields
    ------
    As `permutation_maxima`.

    Raises
    ------
    NotEstimable
        The model has no finite estimate, or the split is not on offer.

    Notes
    -----
    A main effect for every split on offer would be a model with more terms than the events bear,
    so the model has that of the split in question alone. Event times are drawn from the model's
    Breslow baseline, a step function at the observed event times; who outlives it is censored.
    Censoring is drawn by arm, independently of the event, and ends with the arm's last time.
    Patients without a value of the split are drawn from the arm's ratio at the mean of the others.

    References
    ----------
    Efron and Tibshirani 1993, An Introduction to the Bootstrap, Chapman and Hall
    Breslow 1974, https://doi.org/10.2307/2529620
    """
    from helpers.fit import shuffle

    draw = outcome_model(offer, split)
    rng, (n, start) = np.random.default_rng(seed), (len(offer.time), arms_ratio(offer))
    fixed = offer.arm, offer.inside, start, offer.breslow
    for size in pieces(shuffles, chunk, n):
        outcomes = shuffle.arrange(*draw(rng.random((size, 2, n))))
        yield largest(shuffle.interactions(*outcomes, *fixed))


def outcome_model(offer: Offer, split: int | None):
    """A function from uniforms (r, 2, n) to times and events (r, n) without an interaction."""
    from helpers.fit import kernel

    side = offer.inside[chosen(offer, split)].astype(float)
    side[side < 0] = np.nan
    frame = pd.DataFrame({"time": offer.time, "event": offer.event, "arm": offer.arm, "side": side})
    ties = "breslow" if offer.breslow else "efron"
    keys = {"time": "time", "event": "event", "ties": ties, "engine": "fast"}
    estimate = cox_table(frame, **keys, covariates=["arm", "side"])["estimate"].to_numpy()
    side = np.where(np.isnan(side), np.nanmean(side), side)
    risk = np.exp(estimate[0] * offer.arm + estimate[1] * side)
    days, deaths = np.unique(offer.time[offer.event == 1], return_counts=True)
    order = np.argsort(offer.time)
    left = np.append(np.cumsum(risk[order][::-1])[::-1], 0.0)
    hazard = np.cumsum(deaths / left[np.searchsorted(offer.time[order], days)])
    days = np.append(days, np.inf)
    watched = [(offer.arm == own, kernel.km(offer.time[offer.arm == own],
                1 - offer.event[offer.arm == own])) for own in (0, 1)]  # fmt: skip

    def draw(uniform):
        # Infinite where the baseline ends first: then the censoring decides.
        died = days[np.searchsorted(hazard, -np.log1p(-uniform[:, 0]) / risk)]
        gone = np.empty(died.shape)
        for own, table in watched:
            ends = np.append(table[:, 0], table[-1, 0])  # the last where the curve stays above 0
            gone[:, own] = ends[np.searchsorted(1 - table[:, 4], uniform[:, 1, own])]
        return np.minimum(died, gone), (died <= gone).astype(np.int8)  # a tie is an event

    return draw


def chosen(offer: Offer, split: int | None) -> int:
    """The row of a split on offer, by default the one with the largest interaction."""
    if split is not None:
        rows = np.flatnonzero(offer.splits["split"] == split)
        if not rows.size:
            raise NotEstimable(f"split: {split} is not on offer")
        return rows[0]
    best = statistics(offer)["largest"].to_numpy()
    if not best.any():
        raise NotEstimable("splits: no interaction on offer has a finite estimate")
    return int(np.argmax(best))


def position(z: float, maxima: np.ndarray) -> pd.DataFrame:
    """Where an interaction stands among the largest of data without one.

    Parameters
    ----------
    z : float
        Wald z of the interaction, of either sign.
    maxima : (m,) array
        From `permutation_maxima` or `bootstrap_maxima`, concatenated.

    Returns
    -------
    DataFrame
        One row: statistic (abs z), at_least (maxima of that size or more, b), shuffles (m),
        p_value ((b + 1) / (m + 1)), std_error (Monte Carlo), conf_low, conf_high (95%,
        Clopper-Pearson: what more shuffles could still make of it), note.

    Raises
    ------
    ValueError
        No maxima.

    Notes
    -----
    This P is that of the best of all splits and needs no further adjustment for choosing among
    them. For a split that is not the best it is a bound: how often chance alone would show an
    interaction this large somewhere.

    References
    ----------
    Phipson and Smyth 2010, https://doi.org/10.2202/1544-6115.1585

    Examples
    --------
    >>> row = position(-2.4, np.array([1.1, 2.5, 1.9, 2.4, 1.7]))
    >>> row[["statistic", "at_least", "shuffles", "p_value"]]
       statistic  at_least  shuffles  p_value
    0        2.4         2         5      0.5
    """
    maxima = np.asarray(maxima, float)
    if not maxima.size:
        raise ValueError("maxima: found none. To do: give at least one shuffle.")
    m, size = len(maxima), abs(z)
    row = {"statistic": size, "at_least": pd.NA, "shuffles": m, "p_value": np.nan,
           "std_error": np.nan, "conf_low": np.nan, "conf_high": np.nan,
           "note": "no estimate of the interaction, so no position"}  # fmt: skip
    if size == size:
        b = int((maxima >= size * (1 - TIE)).sum())
        share, tail = (b + 1) / (m + 1), (1 - CONFIDENCE) / 2
        row |= {
            "at_least": b, "p_value": share, "std_error": np.sqrt(share * (1 - share) / (m + 1)),
            "conf_low": beta.ppf(tail, b, m - b + 1) if b else 0.0,
            "conf_high": beta.isf(tail, b + 1, m - b) if b < m else 1.0, "note": "",
        }  # fmt: skip
    return pd.DataFrame([row])
