"""The specification curve: every analysis of a multiverse, sorted, over the choices it made."""

import textwrap

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from helpers.analysis import Answer
from helpers.cohort import Cohort
from helpers.conventions import CONFIDENCE
from helpers.estimators.moved import SCALE, level
from helpers.estimators.multiverse import NONE
from helpers.plots.style import COLOURS, GREY, STYLE, cohort_of, says, stamp
from helpers.view import cut

ROW = 0.17  # inches of one level
CURVE = 2.7  # inches of the curve
LABEL = 40  # letters of a level
NAMES = {
    "endpoint": "Endpoint", "adjust": "Adjusted for", "ties": "Tied times", "landmark": "Landmark",
    "censor_at": "Follow-up ends", "estimator": "Estimator", "time_zero": "Clock starts",
}  # fmt: skip
# Ink says on which side of 0.05; so does the filling, for colour is never the only code.
SIDES = ((True, COLOURS[0], COLOURS[0], "P below 0.05"), (False, GREY, "white", "P 0.05 or more"))
FINE = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)  # ticks of a short axis


def curve_rows(table: pd.DataFrame) -> pd.DataFrame:
    """The analyses that have a hazard ratio, lowest first, with their place from 1 on."""
    ours = table[table["estimate"].notna() & (table["scale"] == SCALE)]
    ours = ours.sort_values(["estimate", "specification"], kind="stable", ignore_index=True)
    return ours.assign(place=np.arange(1, len(ours) + 1))


def choice_rows(table: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Which level of which choice each analysis took, one row per mark in the lower panel.

    Parameters
    ----------
    table : DataFrame
        From `helpers.estimators.multiverse.multiverse`.
    cohort : Cohort
        For the labels of endpoints and columns.

    Returns
    -------
    DataFrame
        choice (as a heading), level (its label), row (from the top), place. Choices that all
        analyses took alike are left out; of covariates each is a level, "nothing" another.
    """
    curve, made = curve_rows(table), []
    for name, heading in NAMES.items():
        if curve[name].map(level).nunique() < 2:
            continue
        for place, value in zip(curve["place"], curve[name], strict=True):
            parts = value.split(" + ") if name == "adjust" else [value]
            made += [(heading, level_label(name, part, cohort), rank(part), place)
                     for part in parts]  # fmt: skip
    rows = pd.DataFrame(made, columns=["choice", "level", "rank", "place"])
    order = rows.drop_duplicates(["choice", "level"])
    headings = list(dict.fromkeys(order["choice"]))
    order = order.assign(choice_rank=order["choice"].map(headings.index))
    order = order.sort_values(["choice_rank", "rank", "level"], kind="stable")
    numbered = {key: k for k, key in enumerate(zip(order["choice"], order["level"], strict=True))}
    places = [numbered[key] for key in zip(rows["choice"], rows["level"], strict=True)]
    return rows.assign(row=places)[["choice", "level", "row", "place"]]


def rank(value) -> float:
    """Where a level stands: no adjustment first, numbers by size, no end of follow-up last."""
    if value == NONE:
        return -1.0
    if isinstance(value, str):
        return 0.0
    return np.inf if pd.isna(value) else float(value)


def level_label(name: str, value, cohort: Cohort) -> str:
    """A level in words."""
    if name == "endpoint":
        return cohort.endpoints.get(value, value)
    if name == "adjust":
        return "nothing" if value == NONE else covariate_label(value, cohort)
    if name == "ties":
        return value.capitalize()
    if name == "landmark":
        return f"day {value:g}" if value else NONE
    if name == "censor_at":
        return "as observed" if pd.isna(value) else f"at day {value:g}"
    return {"time_zero": "as observed"}.get(name, NONE) if value == NONE else value


def covariate_label(name: str, cohort: Cohort) -> str:
    """A covariate by its label; a cut with its sign, an invented column said to be so."""
    column, at = cut(name) or (name, None)
    if column not in cohort.codebook.index:
        return name
    label = cohort.codebook.at[column, "label"]
    made_up = " (invented)" if cohort.invented(column) else ""
    return (label if at is None else f"{label} \u2265 {at:g}") + made_up


def figure_specifications(table: pd.DataFrame, *, of: Answer | Cohort, xlabel: str = "") -> Figure:
    """Draw the specification curve: hazard ratios with intervals above, choices below.

    Parameters
    ----------
    table : DataFrame
        From `helpers.estimators.multiverse.multiverse`; analyses that are withheld or on another
        scale are not drawn, and the caption must count them.
    of : Answer or Cohort
        Whose patients; status, mark, and whose an answer is are drawn in.
    xlabel : str
        By default how many analyses there are and how they are sorted.

    Returns
    -------
    Figure
        One column per analysis, lowest hazard ratio first, on a log axis with 1 marked; below, a
        mark in each row that the analysis chose.
    """
    curve, rows = curve_rows(table), choice_rows(table, cohort_of(of))
    levels = rows.drop_duplicates("row").sort_values("row")
    headings = levels["choice"].ne(levels["choice"].shift()).to_numpy()
    # A heading takes a line of its own above its levels.
    lines = np.arange(len(levels)) + np.cumsum(headings)
    below = ROW * (len(levels) + headings.sum() + 1)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, CURVE + below + 0.5), layout="constrained")
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[CURVE, below])
        if curve.empty:
            top.text(0.5, 0.5, "Nothing to draw: no estimate", ha="center", va="center",
                     transform=top.transAxes)  # fmt: skip
        draw_curve(top, curve)
        draw_choices(bottom, rows, levels, lines, headings, len(curve))
        noun = "analysis" if len(curve) == 1 else "analyses"
        told = f"{len(curve)} {noun}, sorted by hazard ratio"
        bottom.set_xlabel(xlabel or told)
        stamp(figure, **says(of), ax=top)
    return figure


def draw_curve(ax, curve: pd.DataFrame) -> None:
    """Estimates and intervals, blue where the interval leaves 1 out."""
    ax.axhline(1, color="black", linewidth=0.8, zorder=1)
    thin = float(np.clip(300 / max(len(curve), 1), 0.5, 1.6))
    size = float(np.clip(600 / max(len(curve), 1), 2.0, 5.0))
    clear = curve["p_value"].to_numpy() < 1 - CONFIDENCE
    for side, colour, fill, _ in SIDES:
        part = curve[clear == side]
        low, high = (np.exp(part[c]) for c in ("conf_low", "conf_high"))
        ax.vlines(part["place"], low, high, color=colour, linewidth=thin, alpha=0.35, zorder=2)
        ax.plot(part["place"], np.exp(part["estimate"]), "o", color=colour, zorder=3,
                markerfacecolor=fill, markersize=size, markeredgewidth=0.7)  # fmt: skip
    ax.set_yscale("log", base=2)
    if len(curve):
        ends = np.exp([curve["conf_low"].min(), curve["conf_high"].max()])
        low, high = min(ends[0], 0.9) / 1.05, max(ends[1], 1.1) * 1.05
        ax.set_ylim(low, high)
        choice = 2.0 ** np.arange(-6, 7) if high / low > 4 else FINE
        ticks = [t for t in choice if low <= t <= high]
        ax.set_yticks(ticks, [f"{t:.2f}".rstrip("0").rstrip(".") for t in ticks])
    ax.minorticks_off()
    ax.set_ylabel("Hazard ratio, 95% interval")
    ax.tick_params(axis="x", length=0, labelbottom=False)
    ax.spines["bottom"].set_visible(False)
    marks = [Line2D([], [], marker="o", color=colour, label=name, markersize=4,
                    markerfacecolor=fill)
             for side, colour, fill, name in SIDES if (clear == side).any()]  # fmt: skip
    if marks:
        ax.legend(handles=marks, loc="lower right", fontsize=8)  # under the rising curve


def draw_choices(ax, rows, levels, lines, headings, count: int) -> None:
    """A mark for each level that an analysis took, under a heading for each choice."""
    at = dict(zip(levels["row"], lines, strict=True))
    width = float(np.clip(330 / max(count, 1), 0.55, 3.0))
    for k, (choice, part) in enumerate(rows.groupby("choice", sort=False)):
        heights = part["row"].map(at).to_numpy(float)
        ax.vlines(part["place"], heights - 0.34, heights + 0.34, linewidth=width,
                  color=(COLOURS[6], GREY)[k % 2])  # fmt: skip
        first = heights.min() - 1
        ax.text(-0.01, first, choice, transform=ax.get_yaxis_transform(), ha="right", va="center",
                weight="bold", fontsize=8)  # fmt: skip
    texts = [textwrap.shorten(text, LABEL, placeholder="...") for text in levels["level"]]
    ax.set_yticks(lines, texts, fontsize=8)
    ax.set_ylim(max(lines, default=0) + 0.7, -0.7)
    ax.set_xlim(0.3, count + 0.7)
    if count < 5:
        ax.set_xticks(range(1, count + 1))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
