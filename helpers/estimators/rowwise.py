"""Cox models of rows that are not whole patients: late entry, changing covariates, weights."""

import numpy as np
import pandas as pd

from helpers.conventions import TIES
from helpers.fit.design import prepared, standardised, without_eventless
from helpers.fit.likelihood import NotEstimable, robust_error
from helpers.fit.maximum import climbed
from helpers.regression import finished
from helpers.survival import wald_columns


def cox_rows(
    frame: pd.DataFrame, *, time: str, event: str, covariates: list[str],
    references: dict[str, str] | None = None, entry: str | None = None,
    weight: str | None = None, cluster: str | None = None, robust: bool = False,
    ties: str = TIES,
) -> pd.DataFrame:  # fmt: skip
    """Log hazard ratios of a Cox model whose rows have an entry time or a weight.

    Parameters
    ----------
    frame : DataFrame
        One row per interval or weighted patient; complete cases are used.
    time, event : str
        Day on which the row ends, and how (1 event, 0 not).
    covariates, references
        As in `helpers.regression.cox_table`.
    entry : str, optional
        Day after which the row is at risk: it is so in (entry, time]. 0 or less means from the
        beginning, so that an event on day 0 finds its patient at risk.
    weight : str, optional
        Column of weights above 0.
    cluster : str, optional
        Column that tells patients apart; with `robust`, what they add is summed within.
    robust : bool
        Lin and Wei's sandwich error. Without it weights count as so many patients each.
    ties : str
        efron or breslow.

    Returns
    -------
    DataFrame
        As `cox_table`, with n the patients (the clusters where they are given, else the rows).

    Raises
    ------
    NotEstimable
        As `cox_table`.
    ValueError
        Exact ties, a weight that is not above 0, or an entry that is not before the end.

    Notes
    -----
    Newton's method from zero, to R's ``coxph(eps = 1e-12)`` within 1e-6. There is no choice of
    engine, since the compiled kernel knows no entry times.

    References
    ----------
    Andersen and Gill 1982, https://doi.org/10.1214/aos/1176345976
    Lin and Wei 1989, https://doi.org/10.1080/01621459.1989.10478874
    """
    if ties not in ("efron", "breslow"):
        raise ValueError(f"ties: found {ties!r}. To do: use efron or breslow.")
    more = [column for column in (entry, weight) if column]
    frame = frame.dropna(subset=more) if more else frame
    model = prepared(frame, time, event, covariates, references, cluster=cluster)
    data = model.data
    patients = data[cluster].nunique() if cluster else len(data)
    if patients < 2:
        raise NotEstimable("one patient, so there is nobody to compare")
    model = without_eventless(model, event)

    def column(name: str | None):
        return data[name].to_numpy(float)[model.kept] if name else None

    days, happened = column(time), column(event) == 1
    rows = {"entry": column(entry), "weight": column(weight)}
    if weight and not (np.isfinite(rows["weight"]) & (rows["weight"] > 0)).all():
        raise ValueError(f"{weight}: found a weight that is not above 0. To do: leave it out.")
    if entry:
        if ((rows["entry"] >= days) & (rows["entry"] > 0)).any():
            raise ValueError(f"{entry}: found an entry on or after the end of its row. To do: "
                             "leave out rows of no length.")  # fmt: skip
        rows["entry"] = np.where(rows["entry"] > 0, rows["entry"], -np.inf)
    estimates = wald_columns([], [])
    if model.names:
        scaled, scale = standardised(model.x, model.names)
        arrays = scaled, days, happened
        starts = (np.zeros(len(scale)),)
        beta, error = climbed(*arrays, model.names, ties, starts, **rows)
        if robust:
            groups = data[cluster].to_numpy()[model.kept] if cluster else None
            error = robust_error(*arrays, beta, ties, groups, **rows)
        estimates = wald_columns(beta / scale, error / scale)
    parts = [f"Cox, {ties} ties", *(["intervals"] if entry else [])]
    parts += [*(["weighted"] if weight else []), *(["robust errors"] if robust else [])]
    return finished(model, estimates, event, ", ".join(parts)).assign(n=patients)
