"""Curves, risk tables, medians, milestones, tests and restricted means, as tidy frames.

Every function takes a frame and keyword-only column names, or the curves of `km_curve`, and
returns a frame, unrounded, times in days. The estimates are those of lifelines or the kernel (for
the restricted mean, greenwood); the reading of a curve (median, milestone, risk table) follows
R's ``survival``, where lifelines does not.
"""

import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtr
from scipy.stats import norm

from helpers.conventions import CONFIDENCE, PLATEAU_TOLERANCE, on_grid

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
    times, events = on_grid(frame[time]), frame[event].to_numpy()
    curves = {
        name: with_limits(table(times[rows], events[rows])) for name, rows in members(frame, group)
    }
    rows = np.concatenate(list(curves.values())).T
    names = np.repeat(np.array(list(curves), dtype=object), [len(c) for c in curves.values()])
    counts = {"n_risk", "n_event", "n_censor"}
    columns = zip(CURVE_COLUMNS[1:], rows, strict=True)
    columns = {name: row.astype(int) if name in counts else row for name, row in columns}
    return pd.DataFrame({"group": names} | columns)


def members(frame: pd.DataFrame, group: str | None) -> list[tuple[str, np.ndarray]]:
    """Each group that has patients, and who they are (mask); the order of a categorical column."""
    if group is None:
        return [("all", np.ones(len(frame), dtype=bool))]
    values = pd.Categorical(frame[group])
    names = enumerate(values.categories)
    found = [(str(name), values.codes == code) for code, name in names]
    return [(name, rows) for name, rows in found if rows.any()]


def pieces(curves: pd.DataFrame, *columns: str) -> list[tuple]:
    """Each group of a table of curves, its name and the arrays of some columns.

    The rows of a group stand together; slices of arrays cost a tenth of a groupby.
    """
    names = curves["group"].to_numpy()
    if not len(names):
        return []
    starts = np.flatnonzero(np.r_[True, names[1:] != names[:-1]])
    values = [curves[column].to_numpy() for column in columns]
    ends = np.r_[starts[1:], len(names)]
    return [(names[a], *(v[a:b] for v in values)) for a, b in zip(starts, ends, strict=True)]


def with_limits(rows: np.ndarray, error: np.ndarray | None = None) -> np.ndarray:
    """A curve (m, 5) with three more columns: its error and the log-log limits.

    The error of the log of the curve is Greenwood's unless one is given.
    """
    _, n_risk, n_event, _, estimate = rows.T
    with np.errstate(divide="ignore", invalid="ignore"):
        if error is None:
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


def last_row(time: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Position of the last row of one curve at or before each time; -1 where there is none."""
    return np.searchsorted(time, times, side="right") - 1


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
    times = on_grid(times)
    made = {"group": [], "time": [], "n_risk": [], "n_event": [], "n_censor": []}
    for name, time, n_event, n_censor in pieces(curves, "time", "n_event", "n_censor"):
        out = np.append(np.cumsum(n_event + n_censor), 0)  # the 0 is the row that -1 means
        before = np.searchsorted(time, times, side="left") - 1
        upto = last_row(time, times)
        made["group"] += [name] * len(times)
        made["time"].append(times)
        made["n_risk"].append(out[-2] - out[before])
        for column, counts in (("n_event", n_event), ("n_censor", n_censor)):
            made[column].append(np.append(np.cumsum(counts), 0)[upto])
    columns = {name: np.concatenate(parts) for name, parts in made.items() if name != "group"}
    return pd.DataFrame({"group": np.array(made["group"], dtype=object)} | columns)


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
    limits = ("estimate", "conf_low", "conf_high")
    rows = []
    for name, time, n_event, n_censor, *heights in pieces(
        curves, "time", "n_event", "n_censor", *limits
    ):
        events = int(n_event.sum())
        crossed = {c: crossing(time, height) for c, height in zip(limits, heights, strict=True)}
        row = {"group": name, "n": events + int(n_censor.sum()), "n_event": events}
        rows.append(row | crossed)
    return pd.DataFrame(rows)


def milestones(curves: pd.DataFrame, times) -> pd.DataFrame:
    """Survival at chosen times per group.

    Returns
    -------
    DataFrame
        group, time, n_risk, estimate, std_error, conf_low, conf_high. Missing where the group's
        last patient was censored before the time: a curve is not drawn on beyond its data.
    """
    times = on_grid(times)
    columns = ("estimate", "std_error", "conf_low", "conf_high")
    parts, at_risk, names = [], [], []
    for name, time, n_risk, *values in pieces(curves, "time", "n_risk", *columns):
        rows = np.vstack([np.column_stack(values), [1.0, 0.0, np.nan, np.nan]])  # -1 is the start
        part = rows[last_row(time, times)]
        part[(times > time[-1]) & (values[0][-1] > 0)] = np.nan
        parts.append(part)
        at_risk.append(np.append(n_risk, 0)[np.searchsorted(time, times, side="left")])
        names += [name] * len(times)
    table = pd.DataFrame(np.concatenate(parts), columns=list(columns))
    table.insert(0, "group", np.array(names, dtype=object))
    table.insert(1, "time", np.tile(times, len(parts)))
    table.insert(2, "n_risk", np.concatenate(at_risk))
    return table


def milestone_differences(table: pd.DataFrame, *, reference: str) -> pd.DataFrame:
    """Difference in survival at each time, each group minus the reference.

    Returns
    -------
    DataFrame
        contrast ("A vs B"), time, estimate, std_error, statistic, p_value, conf_low, conf_high
        (Wald, from the two Greenwood errors; only the estimate where either curve has no error:
        before its first event a curve looks certain, and a test would believe it).

    References
    ----------
    Klein et al. 2007, https://doi.org/10.1002/sim.2864 (who show that a Wald test on the plain
    scale is somewhat too liberal in small samples).
    """
    parts = {name: rest for name, *rest in pieces(table, "time", "estimate", "std_error")}
    made = []
    for name, (time, estimate, error) in parts.items():
        if name != reference:
            _, base, base_error = parts[reference]
            known = (error > 0) & (base_error > 0)
            rows = wald(estimate - base, np.where(known, np.hypot(error, base_error), np.nan))
            rows.insert(0, "time", time)
            rows.insert(0, "contrast", f"{name} vs {reference}")
            made.append(rows)
    return pd.concat(made, ignore_index=True) if made else pd.DataFrame()


def wald(estimate, std_error) -> pd.DataFrame:
    """Estimate, error, z, two-sided P and interval, on the scale of the estimate.

    Series keep their index; arrays have none.
    """
    index = estimate.index if isinstance(estimate, pd.Series) else None
    return pd.DataFrame(wald_columns(estimate, std_error), index=index)


def wald_columns(estimate, std_error) -> dict[str, np.ndarray]:
    """The columns of `wald`, where a table is not needed yet."""
    estimate, std_error = np.asarray(estimate, float), np.asarray(std_error, float)
    statistic = estimate / std_error
    return {
        "estimate": estimate,
        "std_error": std_error,
        "statistic": statistic,
        "p_value": 2 * ndtr(-np.abs(statistic)),
        "conf_low": estimate - Z * std_error,
        "conf_high": estimate + Z * std_error,
    }


def logrank_test(
    frame: pd.DataFrame, *, time: str, event: str, group: str, engine: str = "lifelines"
) -> pd.DataFrame:
    """Two-sided log-rank test of equal survival in two or more groups.

    Returns
    -------
    DataFrame
        One row: name, statistic (chi-squared), df, p_value.

    Raises
    ------
    ValueError
        No event, or only one group has anybody at risk when an event happens. Other groups that
        nobody is at risk in then are not tested, and do not count in df, as in R.

    References
    ----------
    Mantel 1966; Peto and Peto 1972, https://doi.org/10.2307/2344317
    """
    times, happened = on_grid(frame[time]), frame[event].to_numpy() == 1
    first = times[happened].min() if happened.any() else np.inf
    tested = [rows for _, rows in members(frame, group) if times[rows].max() >= first]
    if len(tested) < 2:
        raise ValueError(f"{group}: found {len(tested)} groups at risk when an event happens. To "
                         "do: test groups that are observed for longer.")  # fmt: skip
    rows = np.any(tested, axis=0)
    columns = (times[rows], frame[group].astype(str).to_numpy()[rows],
               frame[event].to_numpy()[rows])  # fmt: skip
    df = len(tested) - 1
    if kernel := compiled(engine):
        statistic, _ = kernel.logrank(*columns)
    else:
        from lifelines.statistics import multivariate_logrank_test

        statistic = float(multivariate_logrank_test(*columns).test_statistic)
    p_value = float(chdtrc(df, statistic))
    row = {"name": "log-rank", "statistic": statistic, "df": df, "p_value": p_value}
    return pd.DataFrame([row])
