"""Figures of the page on subgroups: all of one variable side by side, and what chance alone shows.

Open marks stand for invented columns, as on the page on factors; the labels say so as well.
"""

import textwrap

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from helpers.analysis import Answer
from helpers.cohort import Cohort
from helpers.plots.screens import estimate_line, legend, log_axis, nothing
from helpers.plots.style import COLOURS, GREY, STYLE, says, stamp

LINE = 0.185  # inches of one row
BARS = 0.1  # width of a bar, in units of z
NARROW = 38  # letters of the status line above them
TEXTS = (0.0, 0.25, 0.86)  # where the columns of numbers begin, as shares of their panel


def figure_subgroups(
    rows: pd.DataFrame, *, of: Answer | Cohort, xlabel: str, everybody: float = np.nan
) -> Figure:
    """Draw the hazard ratio in every subgroup, with its numbers and one P for each split.

    Parameters
    ----------
    rows : DataFrame
        label, size ("42 (27)"), ratio and p (texts), estimate, conf_low, conf_high (log scale,
        missing where withheld), invented (truth), split (rows of one split stand together).
    of : Answer or Cohort
        Whose patients; status, mark, and whose an answer is are drawn in.
    xlabel : str
        What the ratio is of what.
    everybody : float
        Log hazard ratio of all patients, a dotted line; missing for none.

    Returns
    -------
    Figure
        Log axis with 1 marked; limits beyond a factor of 32 end in an arrow; no mark where the
        ratio is withheld.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, LINE * max(len(rows), 5) + 1.5), layout="constrained")
        ax, words = figure.subplots(1, 2, sharey=True, width_ratios=[2.6, 3])
        if rows.empty:
            nothing(ax)
        else:
            draw_rows(ax, words, rows)
            if not np.isnan(everybody):
                ax.axvline(np.exp(everybody), color=GREY, linewidth=1, linestyle=":", zorder=1)
            ax.set_xlabel(textwrap.fill(xlabel, 44), fontsize=8)
        words.axis("off")
        legend(figure, rows)
        told = says(of)
        stamp(figure, "", told["mark"], ax=ax)
        stamp(figure, told["status"], whose=told["whose"], ax=words, letters=NARROW)
        for text in ax.texts:
            text.set_in_layout(text.get_gid() != "mark")
    return figure


def draw_rows(ax, words, rows: pd.DataFrame) -> None:
    """Marks at the left, numbers at the right, a band behind every other split."""
    for at, row in enumerate(rows.to_dict("records")):
        if not pd.isna(row["estimate"]):
            estimate_line(ax, at, row)
        for left, name in zip(TEXTS, ("size", "ratio", "p"), strict=True):
            words.text(left, at, row[name], va="center", fontsize=7.5)
    for left, name in zip(TEXTS, ("patients\n(events)", "hazard ratio\n(95%)", "P, inter-\naction"),
                          strict=True):  # fmt: skip
        words.text(left, -0.8, name, va="bottom", fontsize=7.5, weight="bold")
    numbers = rows["split"].astype(float).diff().ne(0).cumsum().to_numpy()
    for number in np.unique(numbers)[1::2]:
        own = np.flatnonzero(numbers == number)
        for panel in (ax, words):
            panel.axhspan(own[0] - 0.5, own[-1] + 0.5, color=GREY, alpha=0.07, linewidth=0)
    log_axis(ax, rows)
    ax.set_yticks(range(len(rows)), rows["label"], fontsize=7.5)
    ax.set_ylim(len(rows) - 0.4, -2.2)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    words.set_xlim(0, 1)


def figure_maxima(maxima: dict[str, np.ndarray], *, observed: float, of: Answer | Cohort) -> Figure:
    """Draw how large the largest interaction gets by chance, and where the observed one stands.

    Parameters
    ----------
    maxima : dict
        Name of a null to the largest abs(z) in each of its data sets; an empty array is a panel
        that says it is empty.
    observed : float
        The largest abs(z) of the data; missing for none.
    of : Answer or Cohort
        Whose patients; status, mark, and whose an answer is are drawn in.

    Returns
    -------
    Figure
        A panel per null: bars of maxima, solid line the observed one (gid "observed"), dashed line
        the value that 5 of 100 maxima exceed (gid "bound"), dotted line 1.96 (gid "one").
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 3.1), layout="constrained")
        panels = figure.subplots(1, max(len(maxima), 1), sharex=True, squeeze=False)[0]
        every = np.concatenate([np.r_[2.5, observed], *maxima.values()])
        edges = np.arange(0, np.nanmax(every) + 2 * BARS, BARS)
        for ax, (name, values) in zip(panels, maxima.items(), strict=False):
            ax.set_xlabel(f"Largest interaction, size of z,\n{name}", fontsize=8.5)
            if not len(values):
                nothing(ax)
                continue
            ax.hist(values, edges, color=COLOURS[4], edgecolor="white", linewidth=0.4, alpha=0.6)
            ax.axvline(1.96, color=GREY, linestyle=":", linewidth=1.4, gid="one",
                       label="1.96, P = 0.05 of one test")  # fmt: skip
            ax.axvline(np.quantile(values, 0.95), color=COLOURS[6], linestyle="--", linewidth=1.4,
                       gid="bound", label="exceeded in 5 of 100")  # fmt: skip
            if not np.isnan(observed):
                ax.axvline(observed, color=COLOURS[1], linewidth=2.2, gid="observed",
                           label="largest in this cohort")  # fmt: skip
            ax.set_yticks([])
            ax.set_ylabel("data sets without\nan interaction", fontsize=8.5)
            ax.spines["left"].set_visible(False)
        handles = panels[0].get_legend_handles_labels()
        if handles[0]:
            figure.legend(*handles, loc="outside upper left", ncols=3, fontsize=8)
        told = says(of)
        for ax in panels:
            first, last = ax is panels[0], ax is panels[-1]
            stamp(figure, told["status"] * last, told["mark"], whose=told["whose"] * first, ax=ax)
            for text in ax.texts:
                if text.get_gid() == "mark":
                    text.set_in_layout(False)
    return figure
