"""Survival read as time: restricted means, kinds of median limits, definitions of follow-up."""

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import norm

from helpers.conventions import CONFIDENCE, SMALL_GROUP, on_grid
from helpers.estimators.small_groups import permuted_means
from helpers.survival import Z, compiled, km_curve, median_table, members

ESTIMATE_COLUMNS = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
RMST_COLUMNS = ["group", *ESTIMATE_COLUMNS, "quantile", "p_error", "method", "note"]
NO_ERROR = "no event before the horizon in a group, so its mean has no error"


def rmst_table(
    frame: pd.DataFrame, *, time: str, event: str, group: str, horizon: float, reference: str,
    engine: str = "lifelines",
) -> pd.DataFrame:  # fmt: skip
    """Restricted mean survival to the horizon, in days, per group and against the reference.

    Parameters
    ----------
    engine : str
        fast takes the area under the compiled kernel's curve; otherwise greenwood's.

    Returns
    -------
    DataFrame
        group (or "A vs B"), estimate, std_error, statistic, p_value, conf_low, conf_high, quantile
        (what the error is multiplied by), p_error (Monte Carlo), method (of P), note; the test
        belongs to the difference.

    Raises
    ------
    ValueError
        The horizon lies beyond what a group was observed for.

    Notes
    -----
    Limits of a mean are made on the logit scale of its share of the horizon, so that they lie
    between 0 and the horizon; those of a difference from the limits of both means (MOVER), so that
    they lie within the horizon up or down. With fewer than 50 patients in a group, where the Wald
    test rejects too often, P is by permutation and its quantile stands for 1.96 in the limits.

    References
    ----------
    Royston and Parmar 2013, https://doi.org/10.1186/1471-2288-13-152
    Zou and Donner 2008 (MOVER), https://doi.org/10.1002/sim.3095
    Horiguchi and Uno 2020 (small groups), https://doi.org/10.1002/sim.8565
    """
    horizon, means = float(on_grid(horizon)), {}
    mean_of = fast_mean if compiled(engine) else greenwood_mean
    times, events = on_grid(frame[time]), frame[event].to_numpy() == 1
    parts = dict(members(frame, group))
    for name, rows in parts.items():
        last = times[rows].max()
        if horizon > last and not events[rows & (times == last)].all():
            raise ValueError(
                f"horizon: {horizon:g} days is beyond day {last:g}, the last that {name!r} was "
                "observed; choose an earlier horizon"
            )
        means[name] = mean_of(times[rows], events[rows], horizon)
    table = [mean_row(name, *mean, horizon) for name, mean in means.items()]
    for name in parts:
        if name != reference:
            pair = parts[name] | parts[reference]
            who = times[pair], events[pair], parts[name][pair]
            row = difference_row(means[name], means[reference], who, horizon)
            table.append({"group": f"{name} vs {reference}"} | row)
    return pd.DataFrame(table, columns=RMST_COLUMNS)


def mean_row(name: str, mean: float, error: float, horizon: float) -> dict:
    """A restricted mean with its limits; it is not tested against zero."""
    low, high = mean_limits(mean, error, horizon, Z)
    known = error > 0
    return {"group": name, "estimate": mean, "std_error": error if known else np.nan,
            "statistic": np.nan, "p_value": np.nan, "conf_low": low, "conf_high": high,
            "quantile": Z, "p_error": np.nan, "method": "",
            "note": "" if known else NO_ERROR}  # fmt: skip


def mean_limits(mean: float, error: float, horizon: float, quantile: float) -> tuple:
    """Limits on the logit scale of mean / horizon; missing where the mean has no error."""
    if not (error > 0 and 0 < mean < horizon):
        return np.nan, np.nan
    middle, width = logit(mean / horizon), quantile * error * horizon / (mean * (horizon - mean))
    return tuple(horizon * expit([middle - width, middle + width]))


def difference_row(one: tuple, two: tuple, who: tuple, horizon: float) -> dict:
    """The difference of two restricted means (mean, error), with its test and limits.

    `who` has times, events and who is in the first group.
    """
    difference, error = one[0] - two[0], float(np.hypot(one[1], two[1]))
    row = dict.fromkeys(RMST_COLUMNS[1:], np.nan) | {"estimate": difference, "method": ""}
    if not (one[1] > 0 and two[1] > 0):
        return row | {"note": NO_ERROR}
    row |= {"std_error": error, "statistic": difference / error, "note": ""}
    inside = int(who[2].sum())
    if min(inside, len(who[2]) - inside) < SMALL_GROUP:
        row |= permuted_means(*who, horizon)
    else:
        row |= {"p_value": 2 * norm.sf(abs(row["statistic"])), "quantile": Z, "method": "Wald"}
    if np.isfinite(row["p_value"]):
        low, high = np.array([mean_limits(*m, horizon, row["quantile"]) for m in (one, two)]).T
        row["conf_low"] = difference - np.hypot(one[0] - low[0], high[1] - two[0])
        row["conf_high"] = difference + np.hypot(high[0] - one[0], two[0] - low[1])
    return row


def greenwood_mean(times, events, horizon: float) -> tuple[float, float]:
    """Restricted mean and its error; lifelines' variance is that of min(T, horizon)."""
    from greenwood import KaplanMeier, Surv

    fit = KaplanMeier(conf_level=CONFIDENCE)
    fit.fit(Surv(times, event=events))
    mean, _, high = fit.rmst(horizon, ci=True)
    return mean, (high - mean) / Z


def fast_mean(times, events, horizon: float) -> tuple[float, float]:
    """Restricted mean and its error: area under the curve, and Greenwood's sum over the events of
    the squared area that is left after each."""
    from helpers.fit import kernel

    day, at_risk, died, _, survival = kernel.km(times, events.astype(np.int64))[:, :5].T
    seen = day <= horizon
    edges = np.concatenate([[0.0], day[seen], [horizon]])
    areas = np.diff(edges) * np.concatenate([[1.0], survival[seen]])
    left = areas[::-1].cumsum()[::-1][1:]  # from each event time to the horizon
    alive = at_risk[seen] - died[seen]
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = left**2 * died[seen] / (at_risk[seen] * alive)
    # Where the last patient at risk dies no area is left, and no variance.
    return areas.sum(), float(np.sqrt(terms[alive > 0].sum()))


def rmst_contrast(
    frame: pd.DataFrame, *, time: str, event: str, group: str, horizon: float, reference: str
) -> pd.DataFrame:
    """Difference (days) and ratio of restricted mean survival, each group against the reference.

    Parameters
    ----------
    frame, time, event, group, horizon, reference
        As in `rmst_table`.

    Returns
    -------
    DataFrame
        contrast ("A vs B"), measure (difference or ratio), estimate, std_error, statistic,
        p_value, conf_low, conf_high, p_error (Monte Carlo), scale (days; "log ratio":
        exponentiate), method (of P), note.

    Notes
    -----
    The difference is that of `rmst_table`. With means m and Greenwood-type errors s, as R's
    ``summary(survfit, rmean = horizon)`` has them, the log ratio has error
    sqrt((s1/m1)^2 + (s2/m2)^2), that of survRM2; in small groups its P is that of the difference,
    as both ask whether the means are equal. A group without an event before the horizon has no
    error of its own, and then nothing is tested.

    References
    ----------
    Uno et al. 2014, https://doi.org/10.1200/JCO.2014.55.2208
    """
    data = frame.dropna(subset=[time, event, group])
    names = data[group].astype(str)
    if reference not in set(names):
        raise ValueError(f"{group}: found no {reference!r}. To do: name a group as the reference.")
    if not horizon > 0:
        raise ValueError(f"horizon: found {horizon!r}. To do: give a day after 0.")
    others = [str(name) for name, _ in data.groupby(group, observed=True) if str(name) != reference]
    rows, what = [], {"time": time, "event": event, "group": group}
    for other in others:
        pair = data[names.isin([other, reference])]
        try:
            means = rmst_table(pair, **what, horizon=horizon, reference=reference)
            means = means.set_index("group")
            difference = means.loc[f"{other} vs {reference}"]
            found = [difference, mean_ratio(means.loc[other], means.loc[reference], difference)]
        except ValueError as reason:
            found = [pd.Series(dict.fromkeys(RMST_COLUMNS[1:], np.nan) | {"note": str(reason)})] * 2
        for measure, scale, row in zip(("difference", "ratio"), ("days", "log ratio"), found,
                                       strict=True):  # fmt: skip
            rows.append(
                {"contrast": f"{other} vs {reference}", "measure": measure} | row.to_dict()
                | {"scale": scale}
            )  # fmt: skip
    columns = ["contrast", "measure", *ESTIMATE_COLUMNS, "p_error", "scale", "method", "note"]
    return pd.DataFrame(rows, columns=columns)


def mean_ratio(one: pd.Series, two: pd.Series, difference: pd.Series) -> pd.Series:
    """The log ratio of two rows of `rmst_table`, tested as their difference is."""
    if min(one["estimate"], two["estimate"]) <= 0:
        return pd.Series({"note": NO_ERROR})
    ratio = np.log(one["estimate"] / two["estimate"])
    error = np.hypot(*(m["std_error"] / m["estimate"] for m in (one, two)))
    row = {"estimate": ratio, "std_error": error, "statistic": ratio / error}
    width = difference["quantile"] * error
    p_value = difference["p_value"]
    if difference["method"] == "Wald":
        p_value = 2 * norm.sf(abs(row["statistic"]))
    return pd.Series(row | {"p_value": p_value, "conf_low": ratio - width,
                            "conf_high": ratio + width} | difference[["p_error", "method", "note"]]
                     .to_dict())  # fmt: skip


def median_interval_types(
    frame: pd.DataFrame, *, time: str, event: str, group: str | None = None
) -> pd.DataFrame:
    """Median time (days) with its limits from three kinds of pointwise interval.

    Returns
    -------
    DataFrame
        group, interval (log-log, plain, log), n, n_event, estimate, conf_low, conf_high, note.

    Notes
    -----
    Brookmeyer and Crowley's limits are where the limits of the curve cross 0.5, so they depend
    on how those are made. Log-log is what this project shows; log is R's default, plain is that
    of the original paper. The three are R's ``survfit(conf.type = ...)``.

    References
    ----------
    Brookmeyer and Crowley 1982, https://doi.org/10.2307/2530286
    """
    curves = km_curve(frame.dropna(subset=[time, event]), time=time, event=event, group=group)
    level, width = curves["estimate"], Z * curves["std_error"]
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.exp(width / level)
    kinds = {
        "log-log": (curves["conf_low"], curves["conf_high"]),
        "plain": ((level - width).clip(lower=0), (level + width).clip(upper=1)),
        "log": (level / factor, (level * factor).clip(upper=1)),
    }
    tables = []
    for kind, (low, high) in kinds.items():
        table = median_table(curves.assign(conf_low=low, conf_high=high))
        table.insert(1, "interval", kind)
        table["note"] = ""
        for column, what in (("estimate", "median"), ("conf_high", "upper limit")):
            open_end = table[column].isna() & (table["note"] == "")
            table.loc[open_end, "note"] = f"{what} not reached"
        tables.append(table)
    order = {name: at for at, name in enumerate(curves["group"].unique())}
    table = pd.concat(tables, ignore_index=True)
    return table.sort_values("group", key=lambda names: names.map(order), kind="stable")


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


def follow_up_definitions(
    frame: pd.DataFrame, *, time: str, event: str, group: str | None = None
) -> pd.DataFrame:
    """What papers call the median follow-up, by each definition, in days.

    Returns
    -------
    DataFrame
        definition, group, n (the patients the number rests on), estimate, conf_low, conf_high
        (for reverse Kaplan-Meier alone), note.

    Notes
    -----
    Reverse Kaplan-Meier takes an event as the end of watching, and is what this project shows.
    The median of all observed times is short when many die early; the median among those without
    an event leaves out those who were watched until they died.

    References
    ----------
    Schemper and Smith 1996, https://doi.org/10.1016/0197-2456(96)00075-X
    Korn 1986, https://doi.org/10.1002/sim.4780050306
    """
    data = frame.dropna(subset=[time, event, *([group] if group else [])])
    parts = data.groupby(group, observed=True) if group else [("all", data)]
    rows = []
    for name, part in parts:
        observed, alive = part[time], part.loc[part[event] != 1, time]
        reverse = follow_up(part, time=time, event=event).iloc[0]
        limits = {c: reverse[c] for c in ("conf_low", "conf_high")}
        made = [
            ("reverse Kaplan-Meier median", len(part), reverse["estimate"], "not reached"),
            ("median observed time", len(part), observed.median(), ""),
            ("median of those without an event", len(alive), alive.median(), "all had an event"),
            ("shortest observed time", len(part), observed.min(), ""),
            ("longest observed time", len(part), observed.max(), ""),
            ("potential follow-up (Korn)", 0, np.nan,
             "not computable: needs each entry date and the date of data cut-off"),
        ]  # fmt: skip
        for definition, n, estimate, why in made:
            row = {"definition": definition, "group": str(name), "n": n, "estimate": estimate}
            row |= limits if definition.startswith("reverse") else {}
            rows.append(row | {"note": why if pd.isna(estimate) else ""})
    columns = ["definition", "group", "n", "estimate", "conf_low", "conf_high", "note"]
    return pd.DataFrame(rows, columns=columns)
