"""Comparisons that do not take hazards to be proportional, and checks of whether they are.

Weighted log-rank tests, the test of Grambsch and Therneau with its residuals, and hazard ratios
before and after a day. Restricted means are in `helpers.estimators.times`.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import chi2

from helpers.conventions import TIES, on_grid
from helpers.fit.design import bases, design, prepared, standardised, without_eventless
from helpers.fit.likelihood import NotEstimable, risk_sets
from helpers.fit.ranktests import WEIGHTS, maxcombo, one_logrank
from helpers.regression import TERM_COLUMNS, cox_table, fit_cox
from helpers.survival import km_curve, wald

TEST_COLUMNS = ["name", "rho", "gamma", "statistic", "df", "p_value", "note"]
ESTIMATE_COLUMNS = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
NO_SPREAD = 1e-10  # a spread of this or less, where 1 is usual, is rounding alone
UNSEEN = "those at risk differ in {} on too few days of events for a change with time to be seen"


def weighted_logrank(
    frame: pd.DataFrame, *, time: str, event: str, group: str, strata: str | None = None
) -> pd.DataFrame:
    """Log-rank tests that weigh early, late or middle differences, and their MaxCombo.

    Parameters
    ----------
    frame : DataFrame
        One row per patient; those without a time, event or group are left out.
    time, event : str
        Days and event (1 event, 0 censored).
    group : str
        Column with two or more groups.
    strata : str, optional
        Adds the log-rank test stratified by this column.

    Returns
    -------
    DataFrame
        name, rho, gamma, statistic (chi-squared; for MaxCombo the largest absolute z), df,
        p_value (two-sided), note (why a test is missing, or who is not in it).

    Notes
    -----
    The weight at t is S(t-)^rho (1 - S(t-))^gamma, S the pooled Kaplan-Meier curve. (1, 0) is
    R's ``survdiff(rho = 1)``, Peto and Peto's modification of the Gehan-Wilcoxon test. A group
    that was never at risk at an event is not tested, as in R. One of these tests is chosen before
    the data are seen; the smallest P of several is not a P value, MaxCombo's is.

    References
    ----------
    Harrington and Fleming 1982, https://doi.org/10.1093/biomet/69.3.553
    Lin et al. 2020 (MaxCombo), https://doi.org/10.1080/19466315.2019.1697738

    Examples
    --------
    >>> six = pd.DataFrame({"day": [1, 2, 3, 4, 5, 6], "event": 1, "arm": list("aababb")})
    >>> weighted_logrank(six, time="day", event="event", group="arm").round(3)[
    ...     ["rho", "gamma", "statistic", "p_value"]]
       rho  gamma  statistic  p_value
    0  0.0    0.0      2.557    0.110
    1  1.0    0.0      2.450    0.118
    2  0.0    1.0      1.475    0.225
    3  1.0    1.0      1.361    0.243
    4  NaN    NaN      1.599    0.196
    """
    data = frame.dropna(subset=[time, event, group])
    data = data.assign(**{group: data[group].astype(str), time: on_grid(data[time])})
    gone = len(frame) - len(data)
    missing = [f"{gone} left out: no time, event or group"] if gone else []
    test = partial(one_logrank, time=time, event=event, group=group, missing=missing)
    rows = [test(data, name, *weights) for name, weights in WEIGHTS.items()]
    rows.append(maxcombo(data, rows, time=time, event=event, group=group, missing=missing))
    if strata is not None:
        known = data.dropna(subset=[strata])
        known = known.assign(**{strata: known[strata].astype(str)})
        lost = len(data) - len(known)
        missing = [*missing, f"{lost} without {strata} left out"] if lost else missing
        rows.append(test(known, "stratified log-rank", 0, 0, strata=strata, missing=missing))
    return pd.DataFrame(rows, columns=TEST_COLUMNS)


class Drift(NamedTuple):
    """A model at its maximum, and what its residuals say of a change with time.

    `score` (p,) and `spread` (p, p) are of the trends with 1 - S(t-) of the p columns `names`, in
    units in which a trend that no constant ratio explains has a spread of 1. `time`, `level`
    (1 - S(t-)) and the scaled `residual` have a row per event, earliest first.
    """

    terms: list[str]
    names: list[str]
    data: pd.DataFrame
    score: np.ndarray
    spread: np.ndarray
    time: np.ndarray
    level: np.ndarray
    residual: np.ndarray


def drift(frame, time, event, covariates, references) -> Drift:
    """The score test of Grambsch and Therneau at the coefficients of `cox_table`."""
    model = without_eventless(prepared(frame, time, event, covariates, references), event)
    if not model.names:
        raise NotEstimable("only the reference groups had events, so there is no ratio to check")
    data, names = model.data[model.rows], model.names
    days, happened = data[time].to_numpy(float), data[event].to_numpy() == 1
    scaled, scale = standardised(model.x, names)
    beta = fit_cox(model, days, happened)["estimate"] * scale
    if np.ptp(days[happened]) == 0:
        raise NotEstimable("all events are on one day, so nothing can be seen to change with time")
    met = risk_sets(scaled, days, happened, beta)
    order = np.argsort(days[happened], kind="stable")
    times, mean = days[happened][order], met.mean[::-1]
    information = met.second[::-1] - mean[:, :, None] * mean[:, None, :]
    # Patients who share a day share the mean of its risk sets.
    _, first, tied = np.unique(times, return_index=True, return_counts=True)
    expected = np.repeat(np.add.reduceat(mean, first) / tied[:, None], tied, axis=0)
    residual = scaled[happened][order] - expected

    curve = km_curve(data, time=time, event=event)
    before = np.searchsorted(curve["time"].to_numpy(), times, side="left")
    level = 1 - np.append(1.0, curve["estimate"])[before]
    trend = level - level.mean()
    whole, cross, square = (np.tensordot(trend**k, information, 1) for k in range(3))
    # The coefficients were fitted: what a trend shares with them is taken off its variance.
    spread = square - cross @ np.linalg.solve(whole, cross)
    unit = np.sqrt(np.diag(square))
    unit[unit == 0] = 1.0
    ratio = (beta + len(times) * np.linalg.solve(whole, residual.T).T) / scale
    trends = {"score": trend @ residual / unit, "spread": spread / np.outer(unit, unit)}
    terms = list(model.terms["term"])
    return Drift(terms, names, data, **trends, time=times, level=level, residual=ratio)


def score_test(score: np.ndarray, spread: np.ndarray) -> float:
    """Chi-squared of trends, NaN where one of them follows from a ratio that does not change."""
    if np.linalg.eigvalsh(spread)[0] < NO_SPREAD:
        return np.nan
    return float(score @ np.linalg.solve(spread, score))


def ph_test(
    frame: pd.DataFrame, *, time: str, event: str, covariates: list[str],
    references: dict[str, str] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Test of proportional hazards by Schoenfeld residuals, one row per term and GLOBAL.

    Parameters
    ----------
    frame : DataFrame
        One row per patient; complete cases are used.
    time, event : str
        Days and event (1 event, 0 censored).
    covariates, references
        As in `cox_table`; a factor has one row per level, R's ``terms = FALSE``.

    Returns
    -------
    DataFrame
        term, statistic (chi-squared), df, p_value, transform, n, n_event, note. A level without
        events has no row of numbers, nor has one in which those at risk differ on too few days of
        events (R's ``cox.zph`` then stops). A model without an estimate has only GLOBAL, with the
        reason.

    Notes
    -----
    The score test of a trend with 1 - S(t-), S the Kaplan-Meier curve of all in the model, as
    R's ``cox.zph(transform = "km")`` of survival 3; lifelines tests the trend of approximate
    residuals and differs. A large P is no evidence of proportional hazards in a small cohort.

    References
    ----------
    Grambsch and Therneau 1994, https://doi.org/10.1093/biomet/81.3.515
    """
    columns = ["term", "statistic", "df", "p_value", "transform", "n", "n_event", "note"]
    blank = {"statistic": np.nan, "df": np.nan, "p_value": np.nan, "transform": "km"}
    blank |= {"n": len(frame), "n_event": int((frame[event] == 1).sum()), "note": ""}
    try:
        found = drift(frame, time, event, covariates, references)
    except NotEstimable as reason:
        return pd.DataFrame([blank | {"term": "GLOBAL", "note": str(reason)}], columns=columns)
    blank |= {"n": len(found.data), "n_event": len(found.time)}
    rows = []
    for term in [*found.terms, "GLOBAL"]:
        row, what = blank | {"term": term}, "it"
        at = [k for k, name in enumerate(found.names) if term in (name, "GLOBAL")]
        if term == "GLOBAL" and len(at) > 1:
            what = "one or more of these, or in what they make together,"
        if not at:
            row["note"] = "no event at this level; its patients are not in the check"
        elif np.isnan(statistic := score_test(found.score[at], found.spread[np.ix_(at, at)])):
            row["note"] = UNSEEN.format(what)
        else:
            row |= {"statistic": statistic, "df": float(len(at))}
            row["p_value"] = float(chi2.sf(statistic, len(at)))
        rows.append(row)
    return pd.DataFrame(rows, columns=columns)


def schoenfeld(
    frame: pd.DataFrame, *, time: str, event: str, covariates: list[str],
    references: dict[str, str] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Scaled Schoenfeld residuals: a log hazard ratio that moves with time, one per event.

    Parameters
    ----------
    frame, time, event, covariates, references
        As in `ph_test`.

    Returns
    -------
    DataFrame
        term, time, transformed_time (1 - S(t-)), residual (the coefficient is added, as in the
        ``y`` of R's ``cox.zph(terms = FALSE)``), sorted by term and time.

    Raises
    ------
    NotEstimable
        The model has no estimate.
    """
    found = drift(frame, time, event, covariates, references)
    parts = [
        pd.DataFrame({"term": name, "time": found.time, "transformed_time": found.level,
                      "residual": found.residual[:, k]})
        for k, name in enumerate(found.names)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def time_split(
    frame: pd.DataFrame, *, time: str, event: str, covariates: list[str], cut: float,
    references: dict[str, str] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Log hazard ratios up to a day, after it, and their change, for every term.

    Parameters
    ----------
    frame, time, event, covariates, references
        As in `cox_table`.
    cut : float
        Day; an event on it belongs to the first period.

    Returns
    -------
    DataFrame
        period ("up to day c", "after day c", "change"), then the columns of `cox_table`, then
        note. Missing, with the reason, where a period has no estimate. The change is the second
        minus the first (log ratio of hazard ratios) with its Wald test.

    Notes
    -----
    Every covariate has a coefficient of its own in each period. Then the likelihood of the
    episodes (R's ``survSplit``) falls into two factors: all patients censored at the cut, and
    those still at risk after it. R's ``coxph(... ~ arm:period + age)``, in which age keeps one
    coefficient, is another model. The second period is a comparison of survivors, not of the arms
    as they began; and a cut chosen after looking at the curves makes its P too small.

    References
    ----------
    Therneau, Crowson and Atkinson, Using Time Dependent Covariates and Time Dependent
    Coefficients in the Cox Model, vignette of R's survival.
    Hernan 2010, https://doi.org/10.1097/EDE.0b013e3181c1ea43
    """
    data = frame.dropna(subset=[time, event, *covariates])
    data, cut = data.assign(**{time: on_grid(data[time])}), float(on_grid(cut))
    if not cut > 0:
        raise ValueError(f"cut: found {cut!r}. To do: give a day after 0.")
    early = data.assign(
        **{time: data[time].clip(upper=cut), event: data[event].where(data[time] <= cut, 0)}
    )
    chosen = bases(data, event, covariates, references) if (data[event] == 1).any() else references
    names = {"time": time, "event": event, "covariates": covariates, "references": chosen}
    before = period_table(early, f"up to day {cut:g}", data, **names)
    after = period_table(data[data[time] > cut], f"after day {cut:g}", data, **names)
    change = before.assign(period="change", scale="log ratio of hazard ratios", note="")
    change["n_event"] = before["n_event"] + after["n_event"]
    error = np.hypot(before["std_error"], after["std_error"])
    change[ESTIMATE_COLUMNS] = wald(after["estimate"] - before["estimate"], error)
    change.loc[change["estimate"].isna(), "note"] = "one of the periods has no estimate"
    return pd.concat([before, after, change], ignore_index=True)


def period_table(data, period: str, whole, *, time, event, covariates, references) -> pd.DataFrame:
    """`cox_table` of one period, with the terms of the whole cohort and a note."""
    try:
        _, terms = design(whole, covariates, references)
    except NotEstimable:
        terms = pd.DataFrame({"term": covariates, "column": covariates, "level": "",
                              "reference": ""})  # fmt: skip
    counts = {"n": len(data), "n_event": int((data[event] == 1).sum())}
    reason = ""
    try:
        table = cox_table(
            data, time=time, event=event, covariates=covariates, references=references
        )
    except NotEstimable as error:
        table = pd.DataFrame(columns=TERM_COLUMNS)
        reason = str(error) if len(data) else "nobody is at risk in this period"
    table = terms.merge(table.drop(columns=["column", "level", "reference"]), "left", "term")
    table = table.assign(**counts, scale="log hazard ratio", method=f"Cox, {TIES} ties")
    table[ESTIMATE_COLUMNS] = table[ESTIMATE_COLUMNS].astype(float)
    table["note"] = np.where(
        table["estimate"].notna(), "", reason or "no event at this level in this period"
    )
    table = table[[*TERM_COLUMNS, "note"]]
    table.insert(0, "period", period)
    return table
