"""Curves, risk tables, medians, milestones, tests and restricted means, as tidy frames.

Every function takes a frame and keyword-only column names, or the curves of `km_curve`, and
returns a frame, unrounded, times in days. The estimates are those of lifelines or the kernel (for
the restricted mean, greenwood); the reading of a curve (median, milestone, risk table) follows
R's ``survival``, where lifelines does not.
"""

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm

from helpers.conventions import CONFIDENCE, PLATEAU_TOLERANCE

Z = norm.ppf((1 + CONFIDENCE) / 2)
ENGINES = ("lifelines", "fast")  # the fast one is our own kernel, held equal to lifelines
CURVE_COLUMNS = [
    "group", "time", "n_risk", "n_event", "n_censor", "estimate", "std_error", "conf_low",
    "conf_high",
]  # fmt: skip


def km_curve(
    frame: pd.DataFrame, *, time: str, event: str, group: str | None = None, engine="lifelines"
) -> pd.DataFrame:
    """Kaplan-Meier curves, one row per distinct time and group.

    Parameters
    ----------
    frame : DataFrame
        One row per patient.
    time, event : str
        Time in days (0 or more) and event (1 event, 0 censored).
    group : str, optional
        Column that splits the patients; groups keep the order of a categorical column.
    engine : str
        lifelines, or fast for the compiled kernel.

    Returns
    -------
    DataFrame
        group, time, n_risk (just before the time), n_event, n_censor (at the time), estimate,
        std_error (Greenwood, of the estimate), conf_low, conf_high (pointwise, log-log; missing
        where the estimate is 0 or 1, as in R).

    References
    ----------
    Kaplan and Meier 1958, https://doi.org/10.1080/01621459.1958.10501452

    Examples
    --------
    >>> five = pd.DataFrame({"day": [2, 3, 3, 5, 8], "event": [1, 1, 0, 1, 0]})
    >>> km_curve(five, time="day", event="event")[["time", "n_risk", "n_event", "estimate"]]
       time  n_risk  n_event  estimate
    0   2.0       5        1       0.8
    1   3.0       4        1       0.6
    2   5.0       2        1       0.3
    3   8.0       1        0       0.3
    """
    kernel = compiled(engine)
    table = kernel.km if kernel else lifelines_table
    parts = frame.groupby(group, observed=True, sort=True) if group else [("all", frame)]
    curves = {
        str(name): with_limits(table(part[time].to_numpy(), part[event].to_numpy()))
        for name, part in parts
    }
    curve = pd.DataFrame(np.concatenate(list(curves.values())), columns=CURVE_COLUMNS[1:])
    counts = ["n_risk", "n_event", "n_censor"]
    curve[counts] = curve[counts].astype(int)
    curve.insert(0, "group", np.repeat(list(curves), [len(rows) for rows in curves.values()]))
    return curve.astype({"group": object})


def with_limits(rows: np.ndarray) -> np.ndarray:
    """A curve (m, 5) with three more columns: Greenwood's error and the log-log limits."""
    _, n_risk, n_event, _, estimate = rows.T
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(np.cumsum(n_event / (n_risk * (n_risk - n_event))))
        height, width = np.log(-np.log(estimate)), Z * error / np.log(estimate)
        limits = np.exp(-np.exp(height - width)), np.exp(-np.exp(height + width))
        # log(-log S) is not defined at 0 and 1: no interval there, nor an error at 0.
        limits = np.where((estimate > 0) & (estimate < 1), limits, np.nan)
        error = np.where(estimate > 0, estimate * error, np.nan)
    return np.column_stack([rows, error, *limits])


def lifelines_table(time: pd.Series, event: pd.Series) -> np.ndarray:
    """Columns time, n_risk, n_event, n_censor, estimate; one row per distinct time."""
    from lifelines import KaplanMeierFitter

    fit = KaplanMeierFitter().fit(time, event)
    table = fit.event_table[["at_risk", "observed", "censored"]].to_numpy(float)
    table = np.column_stack([fit.event_table.index, table, fit.survival_function_.iloc[:, 0]])
    # lifelines opens with a row at time 0 even where nothing happened then.
    return table[table[:, 2] + table[:, 3] > 0]


def compiled(engine: str):
    """The kernel for the fast engine, imported only when asked for; None for lifelines."""
    if engine not in ENGINES:
        raise ValueError(f"engine: found {engine!r}. To do: use {' or '.join(ENGINES)}.")
    if engine == "lifelines":
        return None
    from helpers.fit import kernel

    return kernel


def last_row(curve: pd.DataFrame, times: np.ndarray) -> np.ndarray:
    """Position of the last row of one curve at or before each time; -1 where there is none."""
    return np.searchsorted(curve["time"].to_numpy(), times, side="right") - 1


def risk_table(curves: pd.DataFrame, times) -> pd.DataFrame:
    """Numbers at risk just before each time, and events and censorings up to and at it.

    Parameters
    ----------
    curves : DataFrame
        From `km_curve`.
    times : sequence of float
        Days.

    Returns
    -------
    DataFrame
        group, time, n_risk, n_event, n_censor (both cumulative).

    Notes
    -----
    A patient with an event at t is at risk at t (R's convention); survminer's and lifelines'
    default tables may count that patient as gone.
    """
    times = np.asarray(times, float)
    tables = []
    for name, curve in curves.groupby("group", sort=False):
        total = int(curve["n_event"].sum() + curve["n_censor"].sum())
        out = (curve["n_event"] + curve["n_censor"]).cumsum().to_numpy()
        before = np.searchsorted(curve["time"].to_numpy(), times, side="left") - 1
        upto = last_row(curve, times)
        cumulative = {c: np.append(curve[c].cumsum(), 0)[upto] for c in ("n_event", "n_censor")}
        tables.append(
            pd.DataFrame(
                {"group": name, "time": times, "n_risk": total - np.append(out, 0)[before]}
                | cumulative
            )
        )
    return pd.concat(tables, ignore_index=True)


def crossing(times: np.ndarray, curve: np.ndarray, level: float = 0.5) -> float:
    """Smallest time at which a falling curve is below `level`, as R reads it.

    Where the curve runs level at exactly `level` and falls later, the midpoint of that plateau;
    where it ends on the plateau, the plateau's start; missing where it never gets there.
    """
    reached = np.flatnonzero(curve < level + PLATEAU_TOLERANCE)
    if not reached.size:
        return np.nan
    first = reached[0]
    below = np.flatnonzero(curve < level - PLATEAU_TOLERANCE)
    if abs(curve[first] - level) < PLATEAU_TOLERANCE and below.size:
        return (times[first] + times[below[0]]) / 2
    return times[first]


def median_table(curves: pd.DataFrame) -> pd.DataFrame:
    """Median time and its Brookmeyer-Crowley interval per group, in days.

    Returns
    -------
    DataFrame
        group, n, n_event, estimate, conf_low, conf_high; missing means not reached.

    References
    ----------
    Brookmeyer and Crowley 1982, https://doi.org/10.2307/2530286
    """
    rows = []
    for name, curve in curves.groupby("group", sort=False):
        times = curve["time"].to_numpy()
        events, censored = int(curve["n_event"].sum()), int(curve["n_censor"].sum())
        row = {"group": name, "n": events + censored, "n_event": events}
        for column in ("estimate", "conf_low", "conf_high"):
            row[column] = crossing(times, curve[column].to_numpy())
        rows.append(row)
    return pd.DataFrame(rows)


def milestones(curves: pd.DataFrame, times) -> pd.DataFrame:
    """Survival at chosen times per group.

    Returns
    -------
    DataFrame
        group, time, n_risk, estimate, std_error, conf_low, conf_high. Missing where the group's
        last patient was censored before the time: a curve is not drawn on beyond its data.
    """
    times = np.asarray(times, float)
    columns, parts = ["estimate", "std_error", "conf_low", "conf_high"], []
    for name, curve in curves.groupby("group", sort=False):
        start = [[1.0, 0.0, np.nan, np.nan]]  # the row that -1 means
        part = np.concatenate([curve[columns], start])[last_row(curve, times)]
        ended = (times > curve["time"].max()) & (curve["estimate"].iloc[-1] > 0)
        part[ended] = np.nan
        part = {"group": name, "time": times} | dict(zip(columns, part.T, strict=True))
        parts.append(pd.DataFrame(part))
    table = pd.concat(parts, ignore_index=True)
    table.insert(2, "n_risk", risk_table(curves, times)["n_risk"])
    return table


def milestone_differences(table: pd.DataFrame, *, reference: str) -> pd.DataFrame:
    """Difference in survival at each time, each group minus the reference.

    Returns
    -------
    DataFrame
        contrast ("A vs B"), time, estimate, std_error, statistic, p_value, conf_low, conf_high
        (Wald, from the two Greenwood errors; missing where either curve has no error left).

    References
    ----------
    Klein et al. 2007, https://doi.org/10.1002/sim.2864 (who show that a Wald test on the plain
    scale is somewhat too liberal in small samples).
    """
    base = table[table["group"] == reference].set_index("time")
    parts = []
    for name, part in table[table["group"] != reference].groupby("group", sort=False):
        part = part.set_index("time")
        estimate = part["estimate"] - base["estimate"]
        error = np.sqrt(part["std_error"] ** 2 + base["std_error"] ** 2)
        rows = wald(estimate, error.where(error > 0)).reset_index()
        rows.insert(0, "contrast", f"{name} vs {reference}")
        parts.append(rows)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def wald(estimate: pd.Series, std_error: pd.Series) -> pd.DataFrame:
    """Estimate, error, z, two-sided P and interval, on the scale of the estimate."""
    statistic = estimate / std_error
    return pd.DataFrame(
        {
            "estimate": estimate,
            "std_error": std_error,
            "statistic": statistic,
            "p_value": 2 * norm.sf(statistic.abs()),
            "conf_low": estimate - Z * std_error,
            "conf_high": estimate + Z * std_error,
        }
    )


def logrank_test(
    frame: pd.DataFrame, *, time: str, event: str, group: str, engine: str = "lifelines"
) -> pd.DataFrame:
    """Two-sided log-rank test of equal survival in two or more groups.

    Returns
    -------
    DataFrame
        One row: name, statistic (chi-squared), df, p_value.

    References
    ----------
    Mantel 1966; Peto and Peto 1972, https://doi.org/10.2307/2344317
    """
    kernel, columns = compiled(engine), (frame[time], frame[group].astype(str), frame[event])
    if kernel:
        statistic, df = kernel.logrank(*columns)
    else:
        from lifelines.statistics import multivariate_logrank_test

        result = multivariate_logrank_test(*columns)
        statistic, df = float(result.test_statistic), int(frame[group].nunique() - 1)
    p_value = float(chi2.sf(statistic, df))
    row = {"name": "log-rank", "statistic": statistic, "df": df, "p_value": p_value}
    return pd.DataFrame([row])


def rmst_table(
    frame: pd.DataFrame, *, time: str, event: str, group: str, horizon: float, reference: str
) -> pd.DataFrame:
    """Restricted mean survival to the horizon, in days, per group and against the reference.

    Returns
    -------
    DataFrame
        group (or "A vs B"), estimate, std_error, statistic, p_value, conf_low, conf_high; the
        test belongs to the difference.

    Raises
    ------
    ValueError
        The horizon lies beyond what a group was observed for.

    References
    ----------
    Royston and Parmar 2013, https://doi.org/10.1186/1471-2288-13-152
    """
    from greenwood import KaplanMeier, Surv  # lifelines' variance is that of min(T, horizon)

    means, errors = {}, {}
    for name, part in frame.groupby(group, observed=True, sort=True):
        last = part[time].max()
        if horizon > last and not part.loc[part[time] == last, event].all():
            raise ValueError(
                f"horizon: {horizon:g} days is beyond day {last:g}, the last that {name!r} was "
                "observed; choose an earlier horizon"
            )
        fit = KaplanMeier(conf_level=CONFIDENCE)
        fit.fit(Surv(part[time].to_numpy(float), event=part[event].to_numpy(bool)))
        mean, _, high = fit.rmst(horizon, ci=True)
        means[str(name)], errors[str(name)] = mean, (high - mean) / Z
    mean, error = pd.Series(means), pd.Series(errors)
    rows = wald(mean, error.where(error > 0))
    rows[["statistic", "p_value"]] = np.nan  # a mean is not tested against zero
    others = [name for name in means if name != reference]
    difference = pd.Series({f"{n} vs {reference}": means[n] - means[reference] for n in others})
    error = pd.Series(
        {f"{n} vs {reference}": np.hypot(errors[n], errors[reference]) for n in others}
    )
    rows = pd.concat([rows, wald(difference, error.where(error > 0))])
    return rows.rename_axis("group").reset_index()


def follow_up(frame: pd.DataFrame, *, time: str, event: str) -> pd.DataFrame:
    """Median follow-up in days by reverse Kaplan-Meier: censoring is the event.

    Returns
    -------
    DataFrame
        As `median_table`; n_event counts the censored.

    References
    ----------
    Schemper and Smith 1996, https://doi.org/10.1016/0197-2456(96)00075-X
    """
    flipped = frame[[time]].assign(watched=1 - frame[event])
    return median_table(km_curve(flipped, time=time, event="watched"))
