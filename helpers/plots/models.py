"""Figures of the page on Cox models: likelihoods, residuals, influence, adjusted curves."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from helpers.analysis import Answer
from helpers.conventions import DAYS_PER_MONTH
from helpers.plots.style import (
    COLOURS,
    GREY,
    STYLE,
    named,
    says,
    stamp,
    styles,
    time_ticks,
    wrapped,
)

OTHERS = ("#000000", *COLOURS[2:5])  # colours of what is no arm
OTHER_LINES = ("-", "--", "-.", ":")
RATIOS = 2.0 ** np.arange(-12, 13)  # ticks of a log axis of ratios
LABELLED = 3  # patients whose row is written beside their dot
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def ratio_axis(axis, low: float, high: float, most: int = 7) -> None:
    """Tick a log-ratio axis at powers of two, labelled as ratios, `most` at the most."""
    inside = RATIOS[(np.log(RATIOS) >= low) & (np.log(RATIOS) <= high)]
    step = max(1, int(np.ceil(len(inside) / most)))
    middle = int(np.argmin(np.abs(inside - 1))) if len(inside) else 0
    shown = inside[middle % step :: step]
    axis.set_ticks(np.log(shown), [f"{v:g}" if v >= 1 else f"1/{1 / v:g}" for v in shown])


def figure_likelihood(grid: pd.DataFrame, tops: dict[str, float], *, status: str) -> Figure:
    """Log partial likelihoods over the hazard ratio, each with its top where it has one.

    Parameters
    ----------
    grid : DataFrame
        log_ratio, and a column for each line, named as the legend has it.
    tops : dict
        Name of a line to the log hazard ratio of its top; lines without one are left out.
    status : str
        What the patients are; drawn into the figure.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 3.2), layout="constrained")
        ax = figure.subplots()
        x = grid["log_ratio"].to_numpy()
        for at, name in enumerate(grid.columns.drop("log_ratio")):
            y = grid[name].to_numpy()
            ax.plot(x, y, color=OTHERS[at % 4], linestyle=OTHER_LINES[at % 4], label=name,
                    gid="likelihood")  # fmt: skip
            if name in tops:
                height = np.interp(tops[name], x, y)
                ax.plot(tops[name], height, MARKERS[at], color=OTHERS[at % 4], gid="top")
                ax.vlines(tops[name], ax.get_ylim()[0], height, color=OTHERS[at % 4],
                          linewidth=0.7, linestyle=":")  # fmt: skip
        ratio_axis(ax.xaxis, x.min(), x.max(), 9)
        ax.set(xlabel="Hazard ratio", ylabel="Log likelihood", xlim=(x.min(), x.max()))
        values = grid.drop(columns="log_ratio").to_numpy()
        room = 0.06 * np.ptp(values)
        ax.set_ylim(values.min() - room, values.max() + room)
        figure.legend(loc="outside upper left", ncols=2)
        stamp(figure, status)
    return figure


def figure_residuals(
    dots: pd.DataFrame, periods: pd.DataFrame, *, whole: float, of: Answer, width: str = "page"
) -> Figure:
    """Scaled Schoenfeld residuals over time, with the ratio of each of two periods.

    Parameters
    ----------
    dots : DataFrame
        time (days), residual (log hazard ratio), one row per event; may be empty.
    periods : DataFrame
        estimate, conf_low, conf_high of the first and the second period, and day, where they meet.
    whole : float
        The log hazard ratio of the whole time; NaN for none.
    of : Answer
        Whose patients; its status and mark are drawn in.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0 if width == "page" else 3.5, 3.5), layout="constrained")
        ax = figure.subplots()
        ax.axhline(0, color=GREY, linewidth=0.8)
        if len(dots):
            month = dots["time"].to_numpy() / DAYS_PER_MONTH
            last = month.max()
            ax.plot(month, dots["residual"], ".", color=GREY, markersize=4, gid="residual")
            ax.axhline(whole, color="black", linestyle="--", linewidth=1.2, gid="whole",
                       label="one ratio for the whole time")  # fmt: skip
            draw_periods(ax, periods, last)
            low, high = limits_of(dots["residual"], periods)
            ax.set(ylim=(low, high), xlim=(0, last * 1.02))
            ax.set_xticks(time_ticks(dots["time"].max(), 10 if width == "page" else 5))
            ratio_axis(ax.yaxis, low, high)
            figure.legend(loc="outside upper left", ncols=2 if width == "page" else 1, fontsize=8)
        else:
            ax.text(0.5, 0.6, "No residuals", transform=ax.transAxes, ha="center")
        ax.set(xlabel="Months", ylabel="Hazard ratio at the time")
        stamp(figure, **says(of))
    return figure


def limits_of(residual: pd.Series, periods: pd.DataFrame) -> tuple[float, float]:
    """Ends of the axis that hold the dots and the estimates; bands may leave it."""
    known = pd.concat([residual, periods["estimate"].dropna().astype(float)])
    low, high = min(known.min(), -np.log(2)), max(known.max(), np.log(2))
    return low - 0.05 * (high - low), high + 0.05 * (high - low)


def draw_periods(ax, periods: pd.DataFrame, last: float) -> None:
    """A level line with its band for each period that has a ratio."""
    for at, row in enumerate(periods.itertuples()):
        if np.isnan(row.estimate):
            continue
        day = row.day / DAYS_PER_MONTH
        ends = (0, day) if at == 0 else (day, last * 1.02)
        name = "up to half of the events" if at == 0 else "after half of the events"
        colour = OTHERS[1 + at]
        ax.fill_between(ends, row.conf_low, row.conf_high, color=colour, alpha=0.15, linewidth=0)
        ax.hlines(row.estimate, *ends, color=colour, linewidth=2.4,
                  linestyle=("-", (0, (4, 1)))[at], label=name, gid="period")  # fmt: skip


def figure_influence(table: pd.DataFrame, *, of: Answer, width: str = "page") -> Figure:
    """Change of the log hazard ratio by each patient, over the patient's time.

    Parameters
    ----------
    table : DataFrame
        row, group, month, event (1 or 0), dfbeta; patients without one are not drawn.
    of : Answer
        Whose patients; colours, status and mark are its own.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0 if width == "page" else 3.5, 3.5), layout="constrained")
        ax = figure.subplots()
        ax.axhline(0, color=GREY, linewidth=0.8)
        known, look = table.dropna(subset=["dfbeta"]), styles(of)
        for at, name in enumerate(of.groups if len(known) else ()):
            mine, colour = known[known["group"] == name], look[name][0]
            for event, fill in ((1, colour), (0, "white")):
                part = mine[mine["event"] == event]
                label = f"{wrapped(name, width)}, {'event' if event else 'censored'}"
                ax.plot(part["month"], part["dfbeta"], MARKERS[at % 7], color=colour,
                        markerfacecolor=fill, markersize=4, markeredgewidth=0.8, label=label,
                        gid="patient")  # fmt: skip
        if len(known):
            most = known["dfbeta"].abs().sort_values(ascending=False, kind="stable")
            last = known["month"].max()
            for row in known.loc[most.index[:LABELLED]].itertuples():
                left = row.month > 0.8 * last
                ax.annotate(f"row {row.row}", (row.month, row.dfbeta), fontsize=8, va="center",
                            xytext=(-6 if left else 6, 0), textcoords="offset points",
                            ha="right" if left else "left", gid="row")  # fmt: skip
            ax.margins(y=0.12)
            ax.set_xlim(0, last * 1.04 or 1)
            ax.set_xticks(time_ticks(last * DAYS_PER_MONTH, 10 if width == "page" else 5))
            drawn = (line for line in ax.get_lines() if line.get_gid() == "patient")
            named(figure, drawn, ncols=2 if width == "page" else 1, fontsize=8)
        else:
            ax.text(0.5, 0.6, "No ratio to move", transform=ax.transAxes, ha="center")
        ax.set(xlabel="Months", ylabel="With the patient minus without,\nlog hazard ratio")
        stamp(figure, **says(of))
    return figure


def figure_adjusted(curves: pd.DataFrame, *, of: Answer, width: str = "page") -> Figure:
    """Adjusted curves (thick) over Kaplan-Meier's (thin), without intervals.

    Parameters
    ----------
    curves : DataFrame
        kind ("as observed" or "adjusted"), group, time (days), estimate; may be empty.
    of : Answer
        Whose groups; colours, lines, status and mark are its own.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0 if width == "page" else 3.5, 3.6), layout="constrained")
        ax = figure.subplots()
        look = styles(of)
        for kind, thick in (("adjusted", True), ("as observed", False)):
            for name in of.groups if len(curves) else ():
                part = curves[(curves["kind"] == kind) & (curves["group"] == name)]
                colour, line, _ = look[name]
                ax.step(np.r_[0, part["time"] / DAYS_PER_MONTH], np.r_[1, part["estimate"]],
                        where="post", color=colour, linestyle=line, gid=kind,
                        linewidth=2.2 if thick else 0.8,
                        label=wrapped(f"{name}, {kind}", width))  # fmt: skip
        if len(curves):
            last = curves["time"].max()
            ax.set_xlim(0, last / DAYS_PER_MONTH * 1.02)
            ax.set_xticks(time_ticks(last, 8 if width == "page" else 5))
            named(figure, ax.get_lines(), ncols=2 if width == "page" else 1, fontsize=8,
                  handlelength=2.6)  # fmt: skip
        else:
            ax.text(0.5, 0.6, "No adjusted curves", transform=ax.transAxes, ha="center")
        ax.set(ylim=(0, 1.02), xlabel="Months", ylabel=of.label)
        ax.set_yticks(np.arange(0, 1.01, 0.2))
        stamp(figure, **says(of))
    return figure
