"""How far a comparison hangs on who was in it: pairs left out, patients redrawn.

One patient left out is `helpers.regression.influence_table`. None of this is about bias: the same
wrong comparison is redrawn each time.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from helpers.conventions import CONFIDENCE, TIES
from helpers.fit.design import Model, bases, prepared, without_eventless
from helpers.fit.likelihood import NotEstimable
from helpers.regression import cox_table
from helpers.survival import compiled

PAIRS_MOST = 50_000  # refits: about 320 patients
RESAMPLES = 2_000
CHUNK = 500  # resamples that are drawn from one seed
CELLS = 2_000_000  # patients times refits held at once
INTERVALS = ("percentile", "BCa")
BOOTSTRAP_COLUMNS = [
    "term", "interval", "estimate", "conf_low", "conf_high", "resamples", "infinite", "undefined",
    "scale", "method", "note",
]  # fmt: skip


class Fit(NamedTuple):
    """A Cox model to be fitted many times: arrays of the patients in it, and the term watched."""

    model: Model
    time: np.ndarray
    event: np.ndarray
    x: np.ndarray
    where: int
    term: str
    estimate: float
    method: str
    ties: str

    def refits(self, counts: np.ndarray) -> np.ndarray:
        """Log hazard ratio (r,) when each patient stands `counts` (r, n) times in the model.

        A group without an event has no finite ratio: then it is minus infinity for the level of
        the term, infinity for its reference, and NaN where nothing tells which.
        """
        found = np.empty(len(counts))
        size = max(1, CELLS // len(self.time))
        for start in range(0, len(counts), size):
            part = slice(start, start + size)
            values, _ = compiled("fast").cox_resamples(
                self.time, self.event, self.x, counts[part], ties=self.ties
            )
            found[part] = values[:, self.where]
        lost = np.flatnonzero(np.isnan(found))
        side = self.x[:, self.where]
        if lost.size and set(np.unique(side)) == {0.0, 1.0}:
            dead = counts[lost] * self.event
            level, rest = dead @ (side == 1), dead @ (side == 0)
            found[lost] = np.select([(level == 0) & (rest > 0), (level > 0) & (rest == 0)],
                                    [-np.inf, np.inf], np.nan)  # fmt: skip
        return found


def fitted(frame, time, event, covariates, references, term, ties) -> Fit:
    """The model of `cox_table`, ready to be refitted; the term is its first unless named."""
    table = cox_table(
        frame, time=time, event=event, covariates=covariates, references=references, ties=ties,
        engine="fast",
    ).set_index("term")  # fmt: skip
    term = table.index[0] if term is None else term
    if term not in table.index or np.isnan(table.at[term, "estimate"]):
        raise NotEstimable(f"{term}: not a term with a finite estimate; use one that has")
    chosen = bases(frame.dropna(subset=[time, event, *covariates]), event, covariates, references)
    model = prepared(frame, time, event, covariates, chosen)
    model = without_eventless(model, event)
    data = model.data[model.kept]
    return Fit(
        model, data[time].to_numpy(float), (data[event].to_numpy() == 1).astype(np.int64), model.x,
        model.names.index(term), term, float(table.at[term, "estimate"]),
        table.at[term, "method"], ties,
    )  # fmt: skip


def pairs_left_out(
    frame: pd.DataFrame, *, time: str, event: str, covariates: list[str],
    references: dict[str, str] | None = None, term: str | None = None, ties: str = TIES,
    most: int = PAIRS_MOST,
) -> pd.DataFrame:  # fmt: skip
    """One log hazard ratio when every two patients are left out and all is refitted.

    Parameters
    ----------
    frame, time, event, covariates, references, term, ties
        As in `helpers.regression.influence_table`.
    most : int
        Refits at the most.

    Returns
    -------
    DataFrame
        row_a, row_b (positions in `frame`, from 0; never an id), term, estimate (log hazard ratio
        without the two; infinite where a group is left without an event, missing where the model
        has no answer for another reason), change (without the two minus with all), scale, method.

    Raises
    ------
    NotEstimable
        The term has no finite estimate even with everybody.
    ValueError
        More pairs than `most`.

    Examples
    --------
    >>> eight = pd.DataFrame({"day": [1, 2, 2, 3, 4, 5, 6, 7], "event": [1, 1, 1, 0, 1, 1, 1, 1],
    ...                       "arm": list("baababab")})
    >>> table = pairs_left_out(eight, time="day", event="event", covariates=["arm"])
    >>> len(table), table["estimate"].min().round(3), table["estimate"].max().round(3)
    (28, np.float64(-1.439), np.float64(0.353))
    """
    fit = fitted(frame, time, event, covariates, references, term, ties)
    n = len(fit.time)
    if (asked := n * (n - 1) // 2) > most:
        raise ValueError(f"frame: found {n} patients, so {asked} pairs. To do: raise `most` above "
                         f"{most}, or leave one patient out at a time.")  # fmt: skip
    pairs = np.array(list(combinations(range(n), 2)), dtype=np.int64).reshape(-1, 2)
    found = np.empty(len(pairs))
    for start in range(0, len(pairs), size := max(1, CELLS // n)):
        part = pairs[start : start + size]
        counts = np.ones((len(part), n), dtype=np.int64)
        np.put_along_axis(counts, part, 0, axis=1)
        found[start : start + size] = fit.refits(counts)
    known = np.flatnonzero(frame[[time, event, *covariates]].notna().all(axis=1))[fit.model.kept]
    return pd.DataFrame(
        {"row_a": known[pairs[:, 0]], "row_b": known[pairs[:, 1]], "term": fit.term,
         "estimate": found, "change": found - fit.estimate, "scale": "log hazard ratio",
         "method": f"{fit.method}, two left out"}
    )  # fmt: skip


def bca_levels(estimate: float, replicates: np.ndarray, jackknife: np.ndarray) -> np.ndarray:
    """The two shares of the replicates between which the BCa interval lies.

    Parameters
    ----------
    estimate : float
    replicates : (r,) array
        Of resamples; infinite ones have their place in the order.
    jackknife : (n,) array
        The estimate with each patient left out, finite.

    Returns
    -------
    (2,) array
        Lower and upper; NaN when all replicates are on one side of the estimate.

    References
    ----------
    Efron 1987, https://doi.org/10.2307/2289144
    """
    below = ((replicates < estimate).mean() + (replicates <= estimate).mean()) / 2
    z0, z = norm.ppf(below), norm.ppf([(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    away = jackknife.mean() - jackknife
    spread = (away**2).sum() ** 1.5
    acceleration = (away**3).sum() / (6 * spread) if spread > 0 else 0.0
    with np.errstate(invalid="ignore"):
        return norm.cdf(z0 + (z0 + z) / (1 - acceleration * (z0 + z)))


def chunks(number: int, size: int = CHUNK) -> list[tuple[int, int]]:
    """Parts of some draws: the number of each part, and its draws."""
    return [(k, min(size, number - at)) for k, at in enumerate(range(0, number, size))]


def redrawn(fit: Fit, seed: int, part: int, number: int) -> np.ndarray:
    """Log hazard ratios (number,) of one part of the resamples."""
    n, rng = len(fit.time), np.random.default_rng([seed, part])
    return fit.refits(rng.multinomial(n, np.full(n, 1 / n), size=number))


def bootstrap_replicates(
    frame: pd.DataFrame, *, time: str, event: str, covariates: list[str], seed: int, part: int,
    number: int, references: dict[str, str] | None = None, term: str | None = None,
    ties: str = TIES,
) -> np.ndarray:  # fmt: skip
    """One part of the resamples that `bootstrap_ratio` draws, to be drawn anywhere.

    Parameters
    ----------
    frame, time, event, covariates, references, term, ties, seed
        As `bootstrap_ratio` takes them.
    part, number : int
        As `chunks` gives them.

    Returns
    -------
    (number,) array
        Log hazard ratios, infinite or missing as `Fit.refits` has them.

    Raises
    ------
    NotEstimable
        The term has no finite estimate with everybody.
    """
    return redrawn(fitted(frame, time, event, covariates, references, term, ties),
                   seed, part, number)  # fmt: skip


def bootstrap_ratio(
    frame: pd.DataFrame, *, time: str, event: str, covariates: list[str], seed: int,
    references: dict[str, str] | None = None, term: str | None = None, ties: str = TIES,
    resamples: int = RESAMPLES, replicates: np.ndarray | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Bootstrap intervals of one log hazard ratio: percentile, and bias-corrected accelerated.

    Parameters
    ----------
    frame, time, event, covariates, references, term, ties
        As in `helpers.regression.influence_table`.
    seed, resamples : int
        Patients of the model are drawn with replacement, whole rows, over all arms.
    replicates : (r,) array, optional
        The ratios of resamples drawn elsewhere, as by `bootstrap_replicates`; instead of drawing.

    Returns
    -------
    DataFrame
        Rows percentile and BCa: term, interval, estimate, conf_low, conf_high (95%, log scale),
        resamples, infinite (of these, a group had no event: they count as the lowest or highest),
        undefined (of these, no ratio for another reason: left out), scale, method, note (why a
        limit is missing or infinite).

    Raises
    ------
    NotEstimable
        The term has no finite estimate with everybody.

    Notes
    -----
    Limits are read from the sorted replicates by linear interpolation. Resamples repeat patients,
    whose events are then tied, under the rule of `ties`. BCa's acceleration is from patients left
    out one at a time; it is missing where one of those has no finite ratio.

    References
    ----------
    Efron 1987, https://doi.org/10.2307/2289144
    Burr 1994 (in Cox's model), Journal of the American Statistical Association 89:1290
    """
    fit = fitted(frame, time, event, covariates, references, term, ties)
    found = replicates
    if found is None:
        found = np.concatenate([redrawn(fit, seed, *part) for part in chunks(resamples)])
    infinite, undefined = int(np.isinf(found).sum()), int(np.isnan(found).sum())
    kept = np.sort(found[~np.isnan(found)])
    without = fit.refits(1 - np.eye(len(fit.time), dtype=np.int64))
    tail = (1 - CONFIDENCE) / 2
    levels = {
        "percentile": np.array([tail, 1 - tail]),
        "BCa": bca_levels(fit.estimate, kept, without)
        if np.isfinite(without).all()
        else np.full(2, np.nan),
    }
    rows = []
    for name in INTERVALS:
        limits, note = sorted_quantiles(kept, levels[name]), ""
        if np.isnan(limits).any():
            note = "BCa withheld: without one patient the ratio is infinite, or all resamples lie "
            note += "on one side of the estimate"
        elif np.isinf(limits).any():
            note = "a limit is infinite: too many resamples leave a group without an event"
        rows.append((fit.term, name, fit.estimate, *limits, len(found), infinite, undefined,
                     "log hazard ratio", f"{fit.method}, bootstrap {name}", note))  # fmt: skip
    return pd.DataFrame(rows, columns=BOOTSTRAP_COLUMNS)


def sorted_quantiles(values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Quantiles of sorted values by linear interpolation, infinite ones allowed at the ends."""
    if not len(values):
        return np.full(len(levels), np.nan)
    place = np.asarray(levels) * (len(values) - 1)
    if np.isnan(place).any():
        return np.full(len(levels), np.nan)
    low = np.floor(place).astype(int)
    high, share = np.minimum(low + 1, len(values) - 1), place - low
    with np.errstate(invalid="ignore"):  # infinity less infinity, where both ends are one
        between = values[low] + share * (values[high] - values[low])
    return np.where((share == 0) | (values[low] == values[high]), values[low], between)
