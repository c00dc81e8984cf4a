"""Figures of what the print pins down: ranges as two bars, curves as bands, a toy as a band."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from helpers.cohort import Cohort
from helpers.conventions import DAYS_PER_MONTH
from helpers.plots.style import COLOURS, GREY, LINES, STYLE, stamp

LINE = 0.25  # inches of one row
OUTER, INNER = "#9AA5B1", COLOURS[0]  # print alone; with the rules
PANELS = ("percent", "points", "months", "count", "ratio", "P")
XLABEL = {"percent": "survival, %", "points": "difference, points", "months": "months gained",
          "count": "patients with the event", "ratio": "hazard ratio", "P": "P"}  # fmt: skip
TICKS = {"ratio": (0.01, 0.03, 0.1, 0.3, 1, 3, 10), "P": (1e-4, 0.001, 0.01, 0.1, 1)}
SMALLEST_P = 1e-4  # bars of smaller ones leave the axis
EDGES = ("low", "high", "print_low", "print_high")
NAMES = {"pfs": "Progression-free survival", "os": "Overall survival"}


def short(label: str, endpoint: str) -> str:
    """The label of a quantity in a column that is headed by its endpoint."""
    up = endpoint.upper()
    text = label.replace(f"{up}: ", "").replace(f" {up}", "")
    return text.replace("P of the test of proportional hazards", "test of proportional hazards")


def figure_ranges(ranges: pd.DataFrame, values: pd.Series, *, of: Cohort) -> Figure:
    """Draw each range as two bars, and the value of one cohort as a mark.

    Parameters
    ----------
    ranges : DataFrame
        As `helpers.paper.pinned.ranges` gives it.
    values : Series
        The cohort's own values, by quantity.
    of : Cohort
        Whose values; its status and mark are drawn in.

    Returns
    -------
    Figure
        A column per endpoint, a panel per unit. Thin bars are printed numbers alone, thick bars
        lie within them; neither is an interval of an estimate.
    """
    kinds = [k for k in PANELS if (ranges["unit"] == k).any()]
    sizes = [ranges[ranges["unit"] == k].groupby("endpoint").size().max() for k in kinds]
    ends = list(dict.fromkeys(ranges["endpoint"]))
    with mpl.rc_context(STYLE):
        height = sum(LINE * size + 0.62 for size in sizes) + 0.6
        figure = Figure(figsize=(7.0, height), layout="constrained")
        axes = figure.subplots(
            len(kinds), len(ends), sharex="row", squeeze=False,
            height_ratios=[LINE * s + 0.2 for s in sizes],
        )  # fmt: skip
        for line, kind in zip(axes, kinds, strict=True):
            for k, (ax, end) in enumerate(zip(line, ends, strict=True)):
                rows = ranges[(ranges["unit"] == kind) & (ranges["endpoint"] == end)]
                draw_rows(ax, rows, values, named=k == 0)
                scale(ax, kind, ranges[ranges["unit"] == kind])
        for ax, end in zip(axes[0], ends, strict=True):
            ax.set_title(NAMES[end], fontsize=9, weight="bold", pad=26)  # above the status
        bars = [
            mpl.lines.Line2D([], [], color=OUTER, linewidth=2.5, label="printed numbers alone"),
            mpl.lines.Line2D([], [], color=INNER, linewidth=7,
                             label="with plausibility rules too"),
            mpl.lines.Line2D([], [], color="black", marker="D", linestyle="", mfc="white",
                             markersize=5, label="synthetic cohort of this page"),
        ]  # fmt: skip
        figure.legend(handles=bars, loc="outside upper left", ncols=3)
        # Shares of the first column end at one half, since its printed medians come before.
        stamp(figure, of.status_line, of.mark, ax=axes[0][-1], beside=(axes[0][0], 0.77, 0.5))
    return figure


def draw_rows(ax, rows: pd.DataFrame, values: pd.Series, *, named: bool) -> None:
    """The bars of one panel, from the top."""
    for at, row in enumerate(rows.itertuples()):
        ax.hlines(at, row.print_low, row.print_high, color=OUTER, linewidth=2.5, gid="outer")
        for edge in (row.print_low, row.print_high):
            ax.plot(edge, at, "|", color=OUTER, markersize=9, markeredgewidth=1.5)
        ax.hlines(at, row.low, row.high, color=INNER, linewidth=7, gid="inner")
        ax.plot(values[row.Index], at, "D", color="black", mfc="white", markersize=5, gid="own")
    labels = [short(row.label, row.endpoint) for row in rows.itertuples()] if named else []
    ax.set_yticks(range(len(rows)), labels or [""] * len(rows), fontsize=8)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def scale(ax, kind: str, rows: pd.DataFrame) -> None:
    """The axis of a unit: logarithmic for ratios and P, with no difference marked."""
    low, high = rows["print_low"].min(), rows["print_high"].max()
    if kind in TICKS:
        low = max(low, SMALLEST_P) if kind == "P" else low
        ax.set_xscale("log")
        ax.set_xlim(low / 1.3, high * 1.3)
        ticks = [t for t in TICKS[kind] if low / 1.3 <= t <= high * 1.3]
        ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
        ax.minorticks_off()
    else:
        room = 0.04 * (high - low)
        ax.set_xlim(low - room, high + room)
        ax.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10], integer=True))
    nothing = {"points": 0, "months": 0, "ratio": 1, "P": 0.05}.get(kind)
    if nothing is not None and ax.get_xlim()[0] < nothing < ax.get_xlim()[1]:
        ax.axvline(nothing, color=GREY, linewidth=0.8, zorder=0)
    ax.set_xlabel(XLABEL[kind], fontsize=8, labelpad=1)
    ax.tick_params(axis="x", labelsize=8)


def figure_bands(bands: pd.DataFrame, curves: pd.DataFrame, *, of: Cohort) -> Figure:
    """Draw the lowest and highest survival at each day asked about, and one cohort's curves.

    Parameters
    ----------
    bands : DataFrame
        As `helpers.pages.pinned_curves.fenced` gives it.
    curves : DataFrame
        endpoint, arm, time (days), estimate: the cohort's own steps.
    of : Cohort

    Returns
    -------
    Figure
        A panel per endpoint and arm: filled with the rules, a line around printed numbers alone,
        dots on the days asked about, a ring where the printed median puts the curve. Between
        them a falling curve cannot leave the steps.
    """
    ends = list(dict.fromkeys(bands["endpoint"]))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 5.4), layout="constrained")
        axes = figure.subplots(len(ends), 2, sharex=True, sharey=True, squeeze=False)
        for line, end in zip(axes, ends, strict=True):
            for k, (ax, arm) in enumerate(zip(line, of.arms, strict=True)):
                rows = bands[(bands["endpoint"] == end) & (bands["arm"] == arm)]
                month = rows["time"].to_numpy() / DAYS_PER_MONTH
                asked = rows["asked"].to_numpy() & (month > 0)
                edges = {c: envelope(rows[c].to_numpy(), c) for c in EDGES}
                x = np.repeat(month, 2)[1:-1]
                ax.fill_between(x, edges["low"], edges["high"], color=COLOURS[k], alpha=0.3,
                                linewidth=0, gid="band")  # fmt: skip
                for edge in EDGES[2:]:
                    ax.plot(x, edges[edge], color=COLOURS[k], linewidth=0.8, gid="edge")
                    ax.plot(month[asked], rows[edge][asked], ".", color=COLOURS[k], markersize=4)
                own = curves[(curves["endpoint"] == end) & (curves["arm"] == arm)]
                own = own[own["time"] <= rows["time"].max()]
                ax.step(np.r_[0, own["time"] / DAYS_PER_MONTH], np.r_[1, own["estimate"]],
                        where="post", color="black", linestyle=LINES[k], linewidth=1.2,
                        gid="own")  # fmt: skip
                ax.plot(month[~rows["asked"]][:1], [0.5], "o", color="black", mfc="white",
                        markersize=7, markeredgewidth=1.5, gid="median")  # fmt: skip
                ax.set_title(f"{NAMES[end]}, {arm}", fontsize=8, pad=24 if end == ends[0] else 6)
                ax.set(xlim=(0, month[-1]), ylim=(0, 1.02), yticks=np.arange(0, 1.01, 0.25))
                ax.xaxis.set_major_locator(MultipleLocator(6))
        for ax in axes[-1]:
            ax.set_xlabel("Months")
        figure.supylabel("Share free of the event", fontsize=9)
        grey = {"color": GREY}
        handles = [
            mpl.lines.Line2D([], [], **grey, linewidth=1, marker=".",
                             label="edge by printed numbers alone"),
            mpl.patches.Patch(**grey, alpha=0.3, label="with plausibility rules"),
            mpl.lines.Line2D([], [], color="black", linewidth=1.2,
                             label="synthetic cohort of this page"),
            mpl.lines.Line2D([], [], color="black", marker="o", linestyle="", mfc="white",
                             markersize=7, markeredgewidth=1.5, label="printed median"),
        ]  # fmt: skip
        figure.legend(handles=handles, loc="outside upper left", ncols=4, fontsize=7.5,
                      columnspacing=1.2)  # fmt: skip
        # Above one half after a printed median no curve can be.
        stamp(figure, of.status_line, of.mark, ax=axes[0][-1], beside=(axes[0][-1], 0.6, 0.77))
    return figure


def envelope(values: np.ndarray, edge: str) -> np.ndarray:
    """Steps that a falling curve stays within: the last upper end, and the next lower one."""
    return np.repeat(values[:-1] if edge.endswith("high") else values[1:], 2)


def figure_added(rows: pd.DataFrame, *, status: str, unit: str, what: str) -> Figure:
    """Draw a range without and with one more printed number, a pair of bars for each.

    Parameters
    ----------
    rows : DataFrame
        label, low, high, low_without, high_without.
    status : str
        What the additions are; drawn into the figure.
    unit : str
        One of `XLABEL`, of the axis.
    what : str
        Of which number the ranges are; it stands below the axis.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, LINE * len(rows) + 1.4), layout="constrained")
        ax = figure.subplots()
        for at, row in enumerate(rows.itertuples()):
            ax.hlines(at, row.low_without, row.high_without, color=OUTER, linewidth=2.5)
            ax.hlines(at, row.low, row.high, color=INNER, linewidth=7)
        ax.set_yticks(range(len(rows)), rows["label"], fontsize=8)
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        names = {"print_low": "low_without", "print_high": "high_without"}
        scale(ax, unit, rows.assign(**{k: rows[v] for k, v in names.items()}))
        ax.set_xlabel(f"{what}: {XLABEL[unit].rpartition(', ')[2]}", fontsize=8)
        bars = [
            mpl.lines.Line2D([], [], color=OUTER, linewidth=2.5, label="range without it"),
            mpl.lines.Line2D([], [], color=INNER, linewidth=7,
                             label="range had the number at the left been printed too"),
        ]  # fmt: skip
        figure.legend(handles=bars, loc="outside upper left", ncols=2)
        stamp(figure, status)
    return figure


def figure_toy(found: pd.DataFrame, drawn: pd.DataFrame, *, status: str) -> Figure:
    """Draw the survival that all cohorts with one print span, and that a few drawn ones do.

    Parameters
    ----------
    found, drawn : DataFrame
        day, low, high: over all cohorts, and over those drawn at random.
    status : str
        What the patients are; drawn into the figure.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 3.2), layout="constrained")
        ax = figure.subplots()
        ax.axhline(0.5, color=GREY, linewidth=0.8, zorder=0)
        for shift, rows, colour, wide, label in (
            (-0.12, found, OUTER, 2.5, "all cohorts that print the same"),
            (0.12, drawn, INNER, 7, "five of them, drawn at random"),
        ):
            ax.vlines(rows["day"] + shift, rows["low"], rows["high"], color=colour, linewidth=wide,
                      label=label)  # fmt: skip
            for edge in ("low", "high"):
                ax.plot(rows["day"] + shift, rows[edge], "_", color=colour, markersize=8)
        ax.set(xlabel="Day", ylabel="Survival after the day", ylim=(-0.03, 1.03),
               xticks=found["day"], yticks=np.arange(0, 1.01, 0.25))  # fmt: skip
        ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
        figure.legend(loc="outside upper left", ncols=2)
        stamp(figure, status)
    return figure
