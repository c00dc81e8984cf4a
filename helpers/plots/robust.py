"""How far a ratio moves without a patient or two, and how far off each estimator is."""

import textwrap

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from helpers.analysis import Answer
from helpers.cohort import Cohort
from helpers.plots.style import COLOURS, GREY, STYLE, says, stamp
from helpers.survival import Z

ROWS = {0: "everybody", 1: "one left out", 2: "two left out"}
MARKERS = "os^DvP*"
HALO = withStroke(linewidth=3, foreground="white")  # so that no mark is read into a number
TICKS = (
    0.1,
    0.125,
    0.15,
    0.2,
    0.25,
    0.3,
    0.4,
    0.5,
    0.6,
    0.7,
    0.8,
    0.9,
    1.0,
    1.1,
    1.25,
    1.6,
    2.0,
    3.0,
    4.0,
)


def figure_left_out(table: pd.DataFrame, *, of: Answer | Cohort) -> Figure:
    """Draw the ratio with everybody above those without each patient and without every two.

    Parameters
    ----------
    table : DataFrame
        left (0, 1, 2), estimate, conf_low, conf_high (log scale), as
        `helpers.pages.robust_fragile.left_out`.
    of : Answer or Cohort
        Whose patients; status, mark, and whose an answer is are drawn in.

    Returns
    -------
    Figure
        One row each on a log axis; a tick per refit.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 2.6), layout="constrained")
        ax = figure.subplots()
        finite = table[np.isfinite(table["estimate"].astype(float))]
        for left, part in finite.groupby("left"):
            value, at = np.exp(part["estimate"].to_numpy(float)), float(left)
            if left == 0:
                row = part.iloc[0]
                ends = np.exp([row["conf_low"], row["conf_high"]].copy())
                ax.hlines(at, *ends, color=COLOURS[0], linewidth=1.6)
                ax.plot(value, [at], "o", color=COLOURS[0])
                ax.axvline(value[0], color=GREY, linewidth=0.8, linestyle=":", zorder=0)
            else:
                faint = float(np.clip(40 / len(part), 0.05, 0.7))
                ax.vlines(value, at - 0.28, at + 0.28, color=COLOURS[left], alpha=faint,
                          linewidth=1.0)  # fmt: skip
                for end in (value.min(), value.max()):  # one faint tick would not be seen
                    ax.vlines(end, at - 0.28, at + 0.28, color=COLOURS[left], linewidth=1.0)
                    ax.text(end, at + 0.46, f"{end:.2f}", ha="center", va="center", fontsize=8,
                            path_effects=[HALO])  # fmt: skip
        if finite.empty:
            ax.text(0.5, 0.5, "Nothing to draw: no estimate", ha="center", va="center",
                    transform=ax.transAxes)  # fmt: skip
        ax.axvline(1, color="black", linewidth=0.8)
        log_axis(ax, finite)
        names = [left for left in ROWS if left in set(finite["left"])]
        ax.set_yticks(names, [ROWS[left] for left in names])
        ax.set_ylim(2.8, -0.6)
        ax.set_xlabel("Hazard ratio")
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        stamp(figure, **says(of))
    return figure


def log_axis(ax, table: pd.DataFrame) -> None:
    """A log axis of ratios around the estimates and intervals, with ticks that people read."""
    logs = table[["estimate", "conf_low", "conf_high"]].to_numpy(float)
    logs = np.r_[logs[np.isfinite(logs)], -0.1, 0.1]
    low, high = np.exp(logs.min()) / 1.06, np.exp(logs.max()) * 1.06
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ticks = [tick for tick in TICKS if low <= tick <= high]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()


def with_truth(figure: Figure, truth: float) -> Figure:
    """A specification curve with the true hazard ratio as a line across it.

    Parameters
    ----------
    figure : Figure
        From `helpers.plots.specification.figure_specifications`.
    truth : float
        Hazard ratio.
    """
    ax = figure.axes[0]
    ax.axhline(truth, color=COLOURS[1], linewidth=1.4, linestyle="--", zorder=4)
    ax.text(0.01, truth, "truth", color=COLOURS[1], ha="left", va="bottom", fontsize=9,
            transform=ax.get_yaxis_transform())  # fmt: skip
    return figure


def figure_bias(table: pd.DataFrame, *, status: str) -> Figure:
    """Draw the bias of each estimator in each scenario, as a ratio of hazard ratios.

    Parameters
    ----------
    table : DataFrame
        From `helpers.simulate.stored.load_calibration`.
    status : str
        What the data is; drawn in.

    Returns
    -------
    Figure
        A section per scenario, a line per estimator: the mean estimate over the truth, with the
        Monte Carlo interval, on a log axis with 1 (no bias) marked. Estimators differ in marker
        and place, not in colour alone.
    """
    scenarios, names = (list(dict.fromkeys(table[c])) for c in ("scenario", "estimator"))
    step = 1.0 / (len(names) + 2)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 0.5 * len(scenarios) + 1.3), layout="constrained")
        ax = figure.subplots()
        ax.axvline(1, color="black", linewidth=0.8)
        for k, name in enumerate(names):
            part = table[table["estimator"] == name].dropna(subset=["bias"])
            at = part["scenario"].map(scenarios.index) + (k + 1.5) * step - 0.5
            half = Z * part["bias_error"]
            ax.hlines(at, np.exp(part["bias"] - half), np.exp(part["bias"] + half),
                      color=COLOURS[k], linewidth=1.2)  # fmt: skip
            ax.plot(np.exp(part["bias"]), at, MARKERS[k], color=COLOURS[k], markersize=4,
                    linestyle="none", label=name)  # fmt: skip
        for line in range(1, len(scenarios)):
            ax.axhline(line - 0.5, color=GREY, linewidth=0.4)
        ax.set_yticks(range(len(scenarios)), [textwrap.fill(s, 24) for s in scenarios], fontsize=8)
        ax.set_ylim(len(scenarios) - 0.5, -0.5)
        ends = table["bias"].dropna()
        log_axis(ax, pd.DataFrame({c: ends for c in ("estimate", "conf_low", "conf_high")}))
        ax.set_xlabel("Mean estimated hazard ratio over the true one")
        ax.tick_params(axis="y", length=0)
        figure.legend(loc="outside upper left", ncols=4, fontsize=8)
        stamp(figure, status)
    return figure
