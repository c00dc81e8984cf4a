"""Plug-in estimators of a multiverse that are not the plain Cox model."""

import pandas as pd

from helpers.estimators.multiverse import Estimator
from helpers.estimators.times import rmst_table
from helpers.estimators.weighting import propensity_weights, weighted_cox
from helpers.fit.likelihood import NotEstimable
from helpers.selection import EVENT, TIME


def restricted_mean(horizon: float) -> Estimator:
    """The difference in restricted mean survival, in days, first arm minus second.

    It takes no proportional hazards, and no covariates: with any it is withheld. It is on another
    scale than a hazard ratio, so a multiverse compares sign and P alone
    (`helpers.estimators.moved.directions`).

    Parameters
    ----------
    horizon : float
        Days after the start of the clock.

    Returns
    -------
    callable
        For ``multiverse(..., estimators={"restricted mean": restricted_mean(365)})``.
    """

    def estimator(data: pd.DataFrame, reference: str, adjust: list[str]) -> pd.Series:
        if adjust:
            raise NotEstimable("Withheld: the restricted mean is not adjusted here")
        try:
            table = rmst_table(data, time=TIME, event=EVENT, group="arm", horizon=horizon,
                               reference=reference, engine="fast")  # fmt: skip
        except ValueError as error:
            raise NotEstimable(f"Withheld: {error}") from None
        row = table.iloc[-1].copy()
        row["scale"], row["method"] = "days", f"restricted mean to day {horizon:g}"
        return row

    estimator.tieless = True
    return estimator


def mean_to_year_1(data: pd.DataFrame, reference: str, adjust: list[str]) -> pd.Series:
    """`restricted_mean` to day 365, under a name that other processes can import."""
    return restricted_mean(365)(data, reference, adjust)


mean_to_year_1.tieless = True


def propensity_weighted(data: pd.DataFrame, reference: str, adjust: list[str]) -> pd.Series:
    """The weighted Cox model (`helpers.estimators.weighting`), the covariates in the score.

    Its ratio is that of a trial in all these patients, and not the one given the covariates.

    Raises
    ------
    NotEstimable
        Nothing to weight by, or no overlap.
    """
    if not adjust:
        raise NotEstimable("Withheld: no covariate to weight by")
    arm = data["arm"].astype(str)
    treated = next(name for name in arm if name != str(reference))
    try:
        weights = propensity_weights(
            data.assign(arm=arm), group="arm", treated=treated, covariates=adjust
        )
        row = weighted_cox(data, weights, time=TIME, event=EVENT).iloc[0].copy()
    except NotEstimable as error:
        raise NotEstimable(f"Withheld: {error}") from None
    row["method"] = "Cox, weighted by the propensity score, robust errors"
    return row


propensity_weighted.tieless = True
