"""Arms shuffled: a test and a ratio against what dealing the arms anew would have given."""

import numpy as np
import pandas as pd

from helpers.conventions import TIES
from helpers.estimators.fragility import latest_first, signed_logrank, two_sided
from helpers.estimators.nulls import position
from helpers.estimators.stability import chunks
from helpers.regression import cox_table
from helpers.survival import compiled

PERMUTATIONS = 10_000


def shuffled(
    frame: pd.DataFrame, *, time: str, event: str, group: str, reference: str, seed: int,
    part: int, number: int, ties: str = TIES,
) -> np.ndarray:  # fmt: skip
    """One part of the shuffles of `permutation_test`, to be drawn anywhere.

    Parameters
    ----------
    frame, time, event, group, reference, seed, ties
        As `permutation_test` takes them.
    part, number : int
        As `helpers.estimators.stability.chunks` gives them.

    Returns
    -------
    (number, 2) array
        z of the log-rank test and log hazard ratio; NaN where a group has no event.
    """
    day, happened, arm, _ = latest_first(frame, time, event, group, reference)
    kernel, rng = compiled("fast"), np.random.default_rng([seed, part])
    drawn = np.empty((number, 2))
    for k in range(number):
        dealt = rng.permutation(arm)
        drawn[k] = (
            signed_logrank(day, happened, dealt),
            kernel.cox(day, happened, dealt, ties=ties)[0][0],
        )
    return drawn


def permutation_test(
    frame: pd.DataFrame, *, time: str, event: str, group: str, reference: str, seed: int,
    permutations: int = PERMUTATIONS, ties: str = TIES, drawn: np.ndarray | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Log-rank test and hazard ratio against shuffled arms, with their Monte Carlo error.

    The arms are dealt anew among the patients, time and event staying together; a shuffle counts
    when its statistic is as large in size as the observed one, or larger.

    Parameters
    ----------
    frame, time, event, group, reference
        As in `helpers.estimators.fragility.survival_fragility`.
    seed, permutations : int
    ties : str
        efron or breslow, of the hazard ratio.
    drawn : (r, 2) array, optional
        What shuffles drawn elsewhere gave, as by `shuffled`; instead of drawing.

    Returns
    -------
    DataFrame
        Rows log-rank (its z) and hazard ratio (its log): name, observed, then as
        `helpers.estimators.nulls.position`: at_least, shuffles, p_value ((b + 1) / (m + 1)),
        std_error, conf_low, conf_high (Monte Carlo, of P); infinite (shuffles that leave a group
        without an event: counted as larger), p_asymptotic (chi-squared; Wald), note.

    Raises
    ------
    NotEstimable
        Not two groups, no event, or no finite hazard ratio.

    Notes
    -----
    The hypothesis is that arms are exchangeable: the same survival *and* the same censoring. When
    follow-up differs by arm, as it does where one treatment came later, that fails by itself, and
    then P is approximate.

    References
    ----------
    Phipson and Smyth 2010, https://doi.org/10.2202/1544-6115.1585
    Wang et al. 2010 (unequal censoring), https://doi.org/10.1093/biostatistics/kxq021
    """
    day, happened, arm, _ = latest_first(frame, time, event, group, reference)
    rows = pd.DataFrame({"day": day, "event": happened, "arm": arm.astype(float)})
    ratio = cox_table(rows, time="day", event="event", covariates=["arm"], ties=ties,
                      engine="fast").iloc[0]  # fmt: skip
    z = signed_logrank(day, happened, arm)
    if drawn is None:
        keys = {"time": time, "event": event, "group": group, "reference": reference}
        drawn = np.concatenate([shuffled(frame, **keys, ties=ties, seed=seed, part=k, number=some)
                                for k, some in chunks(permutations)])  # fmt: skip
    sizes = np.abs(drawn)
    infinite = np.isnan(sizes).sum(axis=0)
    sizes = np.where(np.isnan(sizes), np.inf, sizes)
    answer = pd.concat(
        [position(value, sizes[:, k]) for k, value in enumerate((z, ratio["estimate"]))],
        ignore_index=True,
    ).drop(columns="statistic")
    answer.insert(0, "name", ["log-rank", "hazard ratio"])
    answer.insert(1, "observed", [z, ratio["estimate"]])
    answer.insert(8, "infinite", infinite)
    answer.insert(9, "p_asymptotic", [two_sided(z), ratio["p_value"]])
    return answer
