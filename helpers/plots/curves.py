"""Figures of the page on survival curves: limits, weights and competing causes."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from helpers.analysis import Answer
from helpers.conventions import DAYS_PER_MONTH
from helpers.plots.style import (
    COLOURS,
    GREY,
    LINES,
    STYLE,
    named,
    says,
    stamp,
    styles,
    time_ticks,
    wrapped,
)

MARKERS = ("o", "s", "D")
LINE = 0.21  # inches of one row
CAUSES = {1: "Progression", 2: "Death without progression"}


def figure_limits(hand: pd.DataFrame, *, last: float, status: str) -> Figure:
    """A curve with its plain and its log-log limits, for teaching.

    Parameters
    ----------
    hand : DataFrame
        day, survival, and plain_low, plain_high, loglog_low, loglog_high at each step.
    last : float
        Day on which the curve ends.
    status : str
        What these patients are; drawn into the figure.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 3.2), layout="constrained")
        ax = figure.subplots()
        day = np.r_[0, hand["day"], last]
        ax.step(day, np.r_[1, hand["survival"], hand["survival"].iloc[-1]], where="post",
                color="black", label="estimate", gid="curve")  # fmt: skip
        kinds = (("loglog", "log-log limits", COLOURS[0], "-."),
                 ("plain", "plain limits", COLOURS[1], LINES[1]))  # fmt: skip
        for kind, label, colour, line in kinds:
            for side in ("low", "high"):
                limit = np.r_[np.nan, hand[f"{kind}_{side}"], hand[f"{kind}_{side}"].iloc[-1]]
                ax.step(day, limit, where="post", color=colour, linestyle=line, linewidth=1.2,
                        gid=kind, label=label if side == "low" else None)  # fmt: skip
        for edge in (0, 1):
            ax.axhline(edge, color=GREY, linewidth=0.6)
        values = hand.filter(regex="_(low|high)$").to_numpy()
        ax.set(xlabel="Day", ylabel="Survival", xlim=(0, last), yticks=np.arange(0, 1.01, 0.25))
        ax.set_ylim(min(0, values.min()) - 0.05, max(1, values.max()) + 0.05)
        figure.legend(loc="outside upper left", ncols=3)
        stamp(figure, status)
    return figure


def figure_medians(kinds: pd.DataFrame, *, of: Answer) -> Figure:
    """Medians with each kind of limits, one line each; an arrow where a limit is not reached.

    Parameters
    ----------
    kinds : DataFrame
        endpoint, group, interval, estimate, conf_low, conf_high (days; missing is not reached).
    of : Answer
        Whose groups; colours, status and mark are its own.
    """
    with mpl.rc_context(STYLE):
        blocks = kinds.groupby(["endpoint", "group"], sort=False) if len(kinds) else []
        blocks = list(blocks)
        rows = sum(len(part) + 1.3 for _, part in blocks)
        figure = Figure(figsize=(7.0, max(1.4, LINE * rows) + 0.9), layout="constrained")
        ax = figure.subplots()
        days = (
            kinds[["estimate", "conf_low", "conf_high"]].to_numpy(float).ravel() if blocks else []
        )
        reach = np.nanmax([DAYS_PER_MONTH, *days]) * 1.15 / DAYS_PER_MONTH
        look, at, ticks, labels = styles(of), 0.0, [], []
        for (endpoint, group), part in blocks:
            ax.text(0, at, f"{endpoint}: {wrapped(group)}", transform=ax.get_yaxis_transform(),
                    va="center", fontsize=7.5, weight="bold", color=look[group][0])  # fmt: skip
            for marker, row in zip(MARKERS, part.itertuples(), strict=True):
                at += 1
                draw_median(ax, at, row, reach, look[group][0], marker)
                ticks.append(at)
                labels.append(row.interval)
            at += 1.3
        ax.set(xlim=(0, reach), ylim=(at - 0.3, -0.9), xlabel="Months")
        ax.set_yticks(ticks, labels, fontsize=8)
        ax.set_xticks(time_ticks(reach * DAYS_PER_MONTH, 10))
        ax.tick_params(axis="y", length=0)
        if not blocks:
            ax.text(0.5, 0.5, "No patient is left", transform=ax.transAxes, ha="center")
        stamp(figure, **says(of))
    return figure


def draw_median(ax, at: float, row, reach: float, colour: str, marker: str) -> None:
    """One median with its limits; nothing but words where neither is reached."""
    low, middle, high = (v / DAYS_PER_MONTH for v in (row.conf_low, row.estimate, row.conf_high))
    if np.isnan(low) and np.isnan(middle):
        ax.text(reach / 50, at, "not reached", va="center", fontsize=8, color=GREY)
        return
    if not np.isnan(low):
        ax.hlines(at, low, reach * 0.985 if np.isnan(high) else high, color=colour, linewidth=1.4)
    if not np.isnan(low) and np.isnan(high):
        ax.plot(reach * 0.985, at, ">", color=colour, markersize=5, gid="open")
    if not np.isnan(middle):
        ax.plot(middle, at, marker, color=colour, markersize=5, gid="median")


def figure_weights(weights: pd.DataFrame, *, of: Answer) -> Figure:
    """What each test lets an event count, by when it happens.

    Parameters
    ----------
    weights : DataFrame
        test, time (days), weight (largest 1).
    of : Answer
        Whose events; its status and mark are drawn in.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 3.2), layout="constrained")
        ax = figure.subplots()
        tests = weights.groupby("test", sort=False) if len(weights) else []
        colours = ("#000000", *COLOURS[2:5])  # the arms keep theirs
        for number, (name, part) in enumerate(tests):
            ax.step(part["time"] / DAYS_PER_MONTH, part["weight"], where="post", label=name,
                    color=colours[number % 4], linestyle=LINES[number % 4],
                    marker=".", markersize=3, gid="weight")  # fmt: skip
        ax.set(xlabel="Months", ylabel="Weight of an event", ylim=(-0.03, 1.05), xlim=(0, None))
        if len(weights):
            ax.set_xticks(time_ticks(weights["time"].max(), 10))
            figure.legend(loc="outside upper left", ncols=2)
        else:
            ax.text(0.5, 0.5, "Nobody had the event", transform=ax.transAxes, ha="center")
        stamp(figure, **says(of))
    return figure


def figure_incidence(incidence: pd.DataFrame, naive: pd.DataFrame, *, of: Answer) -> Figure:
    """Cumulative incidence of two causes, a panel each, with one minus Kaplan-Meier as thin lines.

    Parameters
    ----------
    incidence, naive : DataFrame
        From `cumulative_incidence` and `naive_incidence` of the same patients.
    of : Answer
        Whose groups; colours, status and mark are its own.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 3.4), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        look = styles(of)
        for ax, (cause, title) in zip(panels, CAUSES.items(), strict=True):
            for table, thin in ((naive, True), (incidence, False)):
                mine = table[table["cause"] == cause]
                for name, part in mine.groupby("group", sort=False):
                    draw_incidence(ax, part.sort_values("time"), look[name], name, thin)
            ax.set(ylim=(0, 1.02), xlabel=f"{title}: months", xlim=(0, None))
            if len(incidence):
                ax.set_xticks(time_ticks(incidence["time"].max(), 6))
            stamp(figure, **(says(of) if ax is panels[0] else says(of.cohort)), ax=ax)
        panels[0].set_ylabel("Cumulative incidence")
        drawn = sorted(panels[0].get_lines(), key=lambda line: line.get_gid() == "naive")
        if drawn:
            named(figure, drawn, ncols=2, fontsize=8)
    return figure


def draw_incidence(ax, part: pd.DataFrame, look: tuple, name: str, thin: bool) -> None:
    """One curve from 0 on; thin without a band, thick with one."""
    colour, line, _ = look
    month = np.r_[0, part["time"] / DAYS_PER_MONTH]
    label = wrapped(f"{name}, one minus Kaplan-Meier" if thin else name)
    ax.step(month, np.r_[0, part["estimate"]], where="post", color=colour, linestyle=line,
            linewidth=0.7 if thin else 1.8, label=label, gid="naive" if thin else "incidence",
            )  # fmt: skip
    if not thin:
        low, high = (np.r_[np.nan, part[c]] for c in ("conf_low", "conf_high"))
        ax.fill_between(month, low, high, step="post", color=colour, alpha=0.15, linewidth=0)
