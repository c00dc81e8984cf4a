"""Ratios with their intervals, one line each, on a log axis: the forest plot of the series."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from helpers.analysis import Answer
from helpers.cohort import Cohort
from helpers.plots.style import COLOURS, GREY, STYLE, says, stamp
from helpers.words import p_value, ratio

LINE = 0.24  # inches of one row
WIDEST = np.log(32)  # limits further from 1 are drawn as arrows
MARKERS = "osD^v"


def figure_forest(
    rows: pd.DataFrame,
    *,
    of: Answer | Cohort,
    xlabel: str,
    favours: tuple[str, str] | None = None,
) -> Figure:
    """Draw ratios with their intervals and P, in sections.

    Parameters
    ----------
    rows : DataFrame
        label (text at the left), section (heading; rows of one stand together), estimate,
        conf_low, conf_high (log scale, as models give them), p_value; optionally method, of which
        each gets a marker of its own. A missing estimate is a row that says "withheld".
    of : Answer or Cohort
        Whose rows; status, mark, and whose an answer is are drawn in.
    xlabel : str
        What the ratio is of what, such as "Hazard ratio, CD20 CAR-T vs non-CAR-T".
    favours : (str, str), optional
        What a ratio below and above 1 favours, written under the axis.

    Returns
    -------
    Figure
        Log axis with 1 marked; interval limits beyond a factor of 32 end in an arrow, the numbers
        at the right are those of the model.
    """
    with mpl.rc_context(STYLE):
        places, headings = layout(rows)
        height = LINE * (max([*places, *headings.values()], default=0) + 2)
        figure = Figure(figsize=(7.0, height + 1.1), layout="constrained")
        ax, words = figure.subplots(1, 2, sharey=True, width_ratios=[3, 2.2])
        ax.axvline(1, color=GREY, linewidth=0.8, zorder=1)
        methods = list(dict.fromkeys(rows["method"])) if "method" in rows else [""]
        for at, row in zip(places, rows.to_dict("records"), strict=True):
            kind = methods.index(row.get("method", ""))
            draw_row(ax, at, row, colour=COLOURS[kind % 7], marker=MARKERS[kind % 5])
            texts = (ratio(row), p_value(row["p_value"])) if known(row) else ("withheld", "")
            for left, text in zip((0, 0.66), texts, strict=True):
                words.text(left, at, text, va="center", fontsize=8)
        ax.set_yticks(places, rows["label"], fontsize=8)
        for name, at in headings.items():
            ax.text(-0.01, at, name, transform=ax.get_yaxis_transform(), ha="right", va="center",
                    weight="bold", fontsize=8)  # fmt: skip
        if len(methods) > 1:
            for kind, name in enumerate(methods):
                ax.plot([], [], MARKERS[kind % 5], color=COLOURS[kind % 7], label=name)
            figure.legend(loc="outside upper left", ncols=2, fontsize=8)
        finish(ax, words, rows, xlabel, favours)
        stamp(figure, **says(of), ax=ax)
    return figure


def layout(rows: pd.DataFrame) -> tuple[list[float], dict[str, float]]:
    """Height of each row and of each section's heading, from the top."""
    places, headings, at = [], {}, 0.0
    for section in rows.get("section", pd.Series("", rows.index)):
        if section and section not in headings:
            headings[section] = at
            at += 1
        places.append(at)
        at += 1
    return places, headings


def known(row: dict) -> bool:
    return pd.notna(row["estimate"])


def draw_row(ax, at: float, row: dict, *, colour: str, marker: str) -> None:
    """One estimate and its interval, arrows where that leaves the axis."""
    if not known(row):
        return
    low, high = (np.nan_to_num(row[c], nan=side) for c, side in
                 (("conf_low", -np.inf), ("conf_high", np.inf)))  # fmt: skip
    ends = np.exp(np.clip([low, high], -WIDEST, WIDEST))
    ax.hlines(at, *ends, color=colour, linewidth=1.4)
    for end, beyond, arrow in ((ends[0], low < -WIDEST, "<"), (ends[1], high > WIDEST, ">")):
        if beyond:
            ax.plot(end, at, arrow, color=colour, markersize=5)
    if abs(row["estimate"]) <= WIDEST:
        ax.plot(np.exp(row["estimate"]), at, marker, color=colour, markersize=5)


def finish(ax, words, rows: pd.DataFrame, xlabel: str, favours) -> None:
    """Scale, ticks that fit the intervals, and the words under the axis."""
    logs = rows[["estimate", "conf_low", "conf_high"]].to_numpy(float)
    logs = np.clip(logs[np.isfinite(logs)], -WIDEST, WIDEST)
    low, high = (end(side, initial=start) for end, start, side in
                 ((np.min, -np.log(2), logs), (np.max, np.log(2), logs)))  # fmt: skip
    room = 0.04 * (high - low)
    ax.set_xscale("log", base=2)
    ax.set_xlim(np.exp(low - room), np.exp(high + room))
    ticks = [t for t in 2.0 ** np.arange(-5, 6) if np.exp(low - room) <= t <= np.exp(high + room)]
    ax.set_xticks(ticks, [f"{t:.2f}".rstrip("0").rstrip(".") for t in ticks])
    ax.minorticks_off()
    if favours:
        xlabel += f"\n\u2190 {favours[0]}      {favours[1]} \u2192"
    ax.set_xlabel(xlabel)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    last = max(layout(rows)[0], default=0)
    ax.set_ylim(last + 0.7, -0.9)
    words.axis("off")
    words.set_xlim(0, 1)
