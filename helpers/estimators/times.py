"""Survival read as time: restricted means, kinds of median limits, definitions of follow-up."""

import numpy as np
import pandas as pd

from helpers.conventions import CONFIDENCE
from helpers.survival import Z, compiled, km_curve, median_table, members, wald

ESTIMATE_COLUMNS = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]


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
    means, errors = {}, {}
    every = frame[time].to_numpy(float), frame[event].to_numpy() == 1
    for name, rows in members(frame, group):
        times, events = (values[rows] for values in every)
        last = times.max()
        if horizon > last and not events[times == last].all():
            raise ValueError(
                f"horizon: {horizon:g} days is beyond day {last:g}, the last that {name!r} was "
                "observed; choose an earlier horizon"
            )
        mean_of = fast_mean if compiled(engine) else greenwood_mean
        means[name], errors[name] = mean_of(times, events, horizon)
    others = [name for name in means if name != reference]
    names = [*means, *(f"{name} vs {reference}" for name in others)]
    estimate = [*means.values(), *(means[name] - means[reference] for name in others)]
    error = [*errors.values(), *(np.hypot(errors[name], errors[reference]) for name in others)]
    error = np.array(error, float)
    rows = wald(np.array(estimate, float), np.where(error > 0, error, np.nan))
    tested = np.arange(len(rows)) >= len(means)  # a mean is not tested against zero
    columns = {name: rows[name].to_numpy() for name in rows}
    for name in ("statistic", "p_value"):
        columns[name] = np.where(tested, columns[name], np.nan)
    return pd.DataFrame({"group": names} | columns)


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
        p_value, conf_low, conf_high, scale (days; "log ratio": exponentiate), method, note.

    Notes
    -----
    With means m and Greenwood-type errors s, as R's ``summary(survfit, rmean = horizon)`` has
    them: the difference has error sqrt(s1^2 + s2^2), the log ratio sqrt((s1/m1)^2 + (s2/m2)^2).
    That of survRM2 is the same. An arm in which nobody has an event before the horizon brings an
    error of 0; the error is then too small, and the note says so.

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
    blank = dict.fromkeys(ESTIMATE_COLUMNS, np.nan)
    rows, what = [], {"time": time, "event": event, "group": group}
    for other in others:
        pair, notes = data[names.isin([other, reference])], []
        for name in (other, reference):
            mine = pair[names[pair.index] == name]
            if not ((mine[event] == 1) & (mine[time] < horizon)).any():
                notes.append(f"no event before the horizon in {name!r}: its error counts as 0")
        try:
            means = rmst_table(pair, **what, horizon=horizon, reference=reference)
            mean = means.set_index("group").loc[[other, reference]]
            error = mean["std_error"].fillna(0).to_numpy()
            top, base = mean["estimate"]
            found = [(top - base, np.hypot(*error))]
            ratio = np.log(top / base) if min(top, base) > 0 else np.nan
            found.append((ratio, np.hypot(*(error / mean["estimate"].to_numpy()))))
            found = wald(*(pd.Series(v) for v in zip(*found, strict=True))).to_dict("records")
            if not error.any():
                found, notes = [blank, blank], ["no event before the horizon in either group"]
        except ValueError as reason:
            found, notes = [blank, blank], [str(reason)]
        for measure, scale, row in zip(("difference", "ratio"), ("days", "log ratio"), found,
                                       strict=True):  # fmt: skip
            rows.append(
                {"contrast": f"{other} vs {reference}", "measure": measure} | row
                | {"scale": scale, "method": f"restricted mean to day {horizon:g}",
                   "note": "; ".join(notes)}
            )  # fmt: skip
    columns = ["contrast", "measure", *ESTIMATE_COLUMNS, "scale", "method", "note"]
    return pd.DataFrame(rows, columns=columns)


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
