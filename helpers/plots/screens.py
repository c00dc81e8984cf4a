"""Figures of the page on factors: possible tables, screens, many P values, and shrinkage.

Open marks stand for invented columns, filled ones for what was recorded, printed or built to meet
what was printed; the labels say so as well.
"""

import textwrap

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from helpers.cohort import Cohort
from helpers.plots.style import COLOURS, GREY, LINES, STYLE, stamp

ROW = 0.185  # inches of one row
LABEL = 34  # letters in a line of a label
WIDEST = np.log(32)  # limits further from 1 are drawn as arrows
ABREAST = 4  # marks in a row of a group of patients
EMPTY = "Nothing to draw: no estimate"
MARKS = {False: "recorded or bound by print", True: "invented"}
INK = {False: COLOURS[6], True: COLOURS[3]}  # the first two colours are the arms


def figure_tables(tables: pd.DataFrame, *, n: int, status: str) -> Figure:
    """Every patient of each 2x2 table that prints the same odds ratio.

    Parameters
    ----------
    tables : DataFrame
        From `forensics.possible_tables`: ipi_high, responders_high, responders_low, response_rate.
    n : int
        Patients of each table.
    status : str
        What the tables rest on; drawn into the figure.

    Returns
    -------
    Figure
        A panel per table, in it a block of marks per group, responders filled and at the bottom.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 3.4), layout="constrained")
        panels = figure.subplots(1, max(len(tables), 1), sharey=True, squeeze=False)[0]
        for ax, row in zip(panels, tables.itertuples(), strict=False):
            groups = ((row.responders_low, n - row.ipi_high), (row.responders_high, row.ipi_high))
            for place, (responders, size) in enumerate(groups):
                block(ax, place * (ABREAST + 2), int(responders), int(size))
            ax.set_xticks([1.5, 1.5 + ABREAST + 2], ["IPI < 3", "IPI \u2265 3"])
            ax.set_xlim(-1.5, 2 * ABREAST + 2.5)
            ax.set_ylim(-0.8, n / ABREAST * 0.72)
            ax.set_xlabel(
                f"{groups[0][0] + groups[1][0]} of {n} respond:\n{100 * row.response_rate:.1f}%",
                fontsize=9,
            )
            ax.set_yticks([])
            ax.tick_params(axis="x", length=0)
            ax.spines["left"].set_visible(False)
        marks = [("s", COLOURS[0], "response"), ("s", "white", "no response")]
        handles = [Line2D([], [], marker=shape, markerfacecolor=fill, markeredgecolor=COLOURS[0],
                          linestyle="none", label=name) for shape, fill, name in marks]  # fmt: skip
        figure.legend(handles=handles, loc="outside upper left", ncols=2, fontsize=8)
        stamp(figure, status, ax=panels[-1])
        panels[-1].texts[-1].set_in_layout(False)
    return figure


def block(ax, left: float, responders: int, size: int) -> None:
    """One group of patients, filled from the bottom, with its count above."""
    at = np.arange(size)
    x, y, filled = left + at % ABREAST, at // ABREAST, at < responders
    for part, fill in ((filled, COLOURS[0]), (~filled, "white")):
        ax.plot(x[part], y[part], "s", markersize=5.5, markerfacecolor=fill,
                markeredgecolor=COLOURS[0], markeredgewidth=0.9)  # fmt: skip
    ax.text(left + 1.5, y.max() + 1, f"{responders}/{size}", ha="center", fontsize=8)


def figure_screens(rows: pd.DataFrame, *, of: Cohort) -> Figure:
    """Several screens of the same factors side by side, each ratio with its interval.

    Parameters
    ----------
    rows : DataFrame
        panel (its axis label), label (of a row; rows of one label stand on one line), estimate,
        conf_low, conf_high (log scale), invented (truth).
    of : Cohort
        Whose patients; its status and mark are drawn in.

    Returns
    -------
    Figure
        A panel per screen on a log axis with 1 marked; limits beyond a factor of 32 end in an
        arrow; a cross where nothing can be estimated.
    """
    labels, names = list(dict.fromkeys(rows["label"])), list(dict.fromkeys(rows["panel"]))
    with mpl.rc_context(STYLE):
        shown = [textwrap.fill(label, LABEL) for label in labels]
        height = sum(0.16 + 0.11 * text.count("\n") for text in shown)
        figure = Figure(figsize=(7.0, height * 1.05 + 1.5), layout="constrained")
        panels = figure.subplots(1, max(len(names), 1), sharey=True, squeeze=False)[0]
        for ax, name in zip(panels, names, strict=False):
            part = rows[rows["panel"] == name]
            for row in part.to_dict("records"):
                estimate_line(ax, labels.index(row["label"]), row)
            log_axis(ax, rows)
            what, _, ratio = name.rpartition(", ")
            ax.set_xlabel(textwrap.fill(what, 30) + f",\n{ratio}", fontsize=8)
        panels[0].set_yticks(range(len(labels)), shown, fontsize=7.5, linespacing=0.95)
        panels[0].set_ylim(max(len(labels), 1) - 0.4, -0.6)
        for ax in panels:
            ax.tick_params(axis="y", length=0)
            ax.spines["left"].set_visible(False)
        if not names:
            nothing(panels[0])
        legend(figure, rows)
        for ax in panels:
            stamp(figure, of.status_line if ax is panels[-1] else "", of.mark, ax=ax)
            for text in ax.texts:
                text.set_in_layout(text.get_gid() != "mark")
    return figure


def estimate_line(ax, at: int, row: dict) -> None:
    """One ratio with its interval, an arrow where that leaves the axis, a cross for none."""
    if pd.isna(row["estimate"]):
        ax.plot(1, at, "x", color=GREY, markersize=5)
        return
    colour = INK[bool(row["invented"])]
    limits = np.array([row["conf_low"], row["conf_high"]])
    ends = np.exp(np.clip(limits, -WIDEST, WIDEST))
    ax.hlines(at, *ends, color=colour, linewidth=1.2, linestyles="--" if row["invented"] else "-")
    for end, beyond, arrow in zip(ends, np.abs(limits) > WIDEST, "<>", strict=True):
        if beyond:
            ax.plot(end, at, arrow, color=colour, markersize=4)
    if abs(row["estimate"]) <= WIDEST:
        dot(ax, np.exp(row["estimate"]), at, row["invented"])


def dot(ax, x: float, y: float, invented: bool) -> None:
    """An estimate: open for an invented column."""
    colour = INK[bool(invented)]
    ax.plot(x, y, "D" if invented else "o", color=colour, markersize=4.5,
            markerfacecolor="white" if invented else colour, zorder=3)  # fmt: skip


def log_axis(ax, part: pd.DataFrame) -> None:
    """A log axis symmetric around 1, with few ticks."""
    logs = part[["estimate", "conf_low", "conf_high"]].to_numpy(float)
    logs = np.abs(logs[np.isfinite(logs)])
    reach = np.exp(min(WIDEST, max(np.log(4), logs.max() if logs.size else 0)) * 1.1)
    ax.axvline(1, color=GREY, linewidth=0.8, zorder=1)
    ax.set_xscale("log", base=2)
    ax.set_xlim(1 / reach, reach)
    ticks = [t for t in (1 / 16, 1 / 4, 1, 4, 16) if 1 / reach <= t <= reach]
    ax.set_xticks(ticks, [{1 / 16: "1/16", 1 / 4: "1/4"}.get(t, f"{t:g}") for t in ticks])
    ax.minorticks_off()


def legend(figure: Figure, rows: pd.DataFrame) -> None:
    """What filled and open mean, where both are there."""
    if rows.get("invented", pd.Series(dtype=bool)).nunique() < 2:
        return
    handles = []
    for invented, name in MARKS.items():
        colour = INK[bool(invented)]
        handles.append(Line2D([], [], marker="D" if invented else "o", color=colour, markersize=4.5,
                              markerfacecolor="white" if invented else colour,
                              linestyle=LINES[int(invented)], label=name))  # fmt: skip
    figure.legend(handles=handles, loc="outside upper left", ncols=2, fontsize=8)


def nothing(ax) -> None:
    """An empty panel that says it is empty."""
    ax.text(0.5, 0.85, EMPTY, transform=ax.transAxes, ha="center", fontsize=9, color=GREY)
    ax.set(xticks=[], yticks=[])


def figure_ranks(ranks: pd.DataFrame, *, of: Cohort) -> Figure:
    """P values in order against what as many tests of nothing would give.

    Parameters
    ----------
    ranks : DataFrame
        rank (1 for the smallest), label, p_value, expected, low, high (mean and range of the P of
        that rank among as many independent tests of nothing), holm, bh (the P that each rule asks
        for at that rank), invented.
    of : Cohort
        Whose patients; its status and mark are drawn in.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 4.0), layout="constrained")
        ax = figure.subplots()
        if ranks.empty:
            nothing(ax)
        else:
            x = ranks["rank"]
            ax.fill_between(x, ranks["low"], ranks["high"], color=GREY, alpha=0.18, linewidth=0,
                            label="95 of 100, if nothing mattered")  # fmt: skip
            ax.plot(x, ranks["expected"], "-", color=GREY, linewidth=1, label="expected, i/(k + 1)")
            for column, line, name in (("bh", "-.", "Benjamini-Hochberg"), ("holm", ":", "Holm")):
                ax.plot(x, ranks[column], line, color=COLOURS[2], linewidth=1.4,
                        label=f"needed by {name}")  # fmt: skip
            for row in ranks.itertuples():
                dot(ax, row.rank, row.p_value, row.invented)
            for row in ranks[ranks["rank"] == 1].itertuples():
                # At the top, where no dot of a later rank can lie: they rise to 1 and no further.
                ax.annotate(row.label, (row.rank, row.p_value), xytext=(row.rank, 0.98), fontsize=8,
                            textcoords=("data", "axes fraction"), va="top",
                            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.8,
                                        "relpos": (0.02, 0), "shrinkB": 4})  # fmt: skip
            for invented, name in MARKS.items():
                if ranks["invented"].any() and (ranks["invented"] == invented).any():
                    dot_name(ax, invented, name)
            ax.set_yscale("log")
            lowest = min(ranks[["p_value", "low", "holm"]].min())
            ax.set(xlim=(0.5, len(ranks) + 0.5), ylim=(max(lowest / 2, 1e-8), 4),
                   xlabel="Rank of the P value, smallest first", ylabel="P")  # fmt: skip
            ax.set_xticks(np.unique(np.linspace(1, len(ranks), min(len(ranks), 9)).astype(int)))
            ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            figure.legend(loc="outside upper left", ncols=3, fontsize=8)
        stamp(figure, of.status_line, of.mark)
    return figure


def dot_name(ax, invented: bool, name: str) -> None:
    colour = INK[bool(invented)]
    ax.plot([], [], "D" if invented else "o", color=colour, markersize=4.5, label=name,
            markerfacecolor="white" if invented else colour)  # fmt: skip


def figure_shrinkage(rows: pd.DataFrame, *, of: Cohort) -> Figure:
    """Each ratio as estimated and as shrunken towards the common mean, joined by a line.

    Parameters
    ----------
    rows : DataFrame
        label, estimate, shrunken, mean (log scale), invented.
    of : Cohort
        Whose patients; its status and mark are drawn in.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, ROW * max(len(rows), 6) + 1.3), layout="constrained")
        ax = figure.subplots()
        if rows.empty:
            nothing(ax)
        else:
            for at, row in enumerate(rows.to_dict("records")):
                raw, drawn = np.exp([row["estimate"], row["shrunken"]])
                ax.plot([raw, drawn], [at, at], "-", color=GREY, linewidth=1)
                dot(ax, raw, at, row["invented"])
                ax.plot(drawn, at, "|", color=COLOURS[2], markersize=11, markeredgewidth=1.8)
            ax.plot([], [], "|", color=COLOURS[2], markersize=11, markeredgewidth=1.8,
                    label="shrunken")  # fmt: skip
            for invented, name in MARKS.items():
                if (rows["invented"] == invented).any():
                    both = rows["invented"].any()
                    dot_name(ax, invented, f"as estimated{': ' + name if both else ''}")
            ax.axvline(np.exp(rows["mean"].iloc[0]), color=COLOURS[2], linewidth=1, linestyle=":",
                       label="common mean")  # fmt: skip
            log_axis(ax, rows.assign(conf_low=rows["estimate"], conf_high=rows["shrunken"]))
            ticks = [t for t in (1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8)
                     if ax.get_xlim()[0] <= t <= ax.get_xlim()[1]]  # fmt: skip
            ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
            ax.set_yticks(range(len(rows)), rows["label"], fontsize=8)
            ax.set_ylim(len(rows) - 0.4, -0.6)
            ax.set_xlabel("Hazard ratio")
            ax.tick_params(axis="y", length=0)
            ax.spines["left"].set_visible(False)
            figure.legend(loc="outside upper left", ncols=2, fontsize=8)
        stamp(figure, of.status_line, of.mark)
    return figure
