"""Figures of the page on safety: people by grade, and what a count of none leaves possible."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from helpers.cohort import Cohort
from helpers.plots.style import COLOURS, GREY, LINES, SIZES, STYLE, stamp, wrapped

LEVELS = 6  # grades 0 to 5
BAND = 0.8  # of the height of one grade, for its marks
FEWEST = 20  # places in one row of marks
WIDE = 176  # points, a row of marks


def figure_bounds(
    bounds: pd.DataFrame, marks: pd.DataFrame, *, status: str, width: str = "page"
) -> Figure:
    """The largest risk that none of n leaves, against n, with three over n for contrast.

    Parameters
    ----------
    bounds, marks : DataFrame
        n, exact and rule (0 to 1; the rule may exceed 1): the lines, and the sizes to mark.
    status : str
        What the numbers rest on; drawn into the figure.
    width : str
        "page" or "half".
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=SIZES[width], layout="constrained")
        ax = figure.subplots()
        for column, name, colour, line in (
            ("exact", "exact bound", COLOURS[0], LINES[0]),
            ("rule", "three over n", COLOURS[1], LINES[1]),
        ):
            ax.plot(bounds["n"], 100 * bounds[column], line, color=colour, label=name)
        ax.axhline(100, color=GREY, linewidth=0.8)
        ax.plot(marks["n"], 100 * marks["rule"], "s", color=COLOURS[1], markersize=5, mfc="white")
        ax.plot(marks["n"], 100 * marks["exact"], "o", color=COLOURS[0], markersize=5)
        for row in marks.itertuples():
            exact, rule = (f"{100 * v:.{1 if v < 0.1 else 0}f}%" for v in (row.exact, row.rule))
            text = f"n = {row.n}\n{exact}" + (
                f", not {rule}" if width == "page" and rule != exact else ""
            )
            ax.annotate(text, (row.n, 100 * row.rule), xytext=(4, 7), textcoords="offset points",
                        ha="left", va="bottom", fontsize=8)  # fmt: skip
        ax.set_xscale("log")
        ticks = [n for n in (1, 2, 5, 10, 20, 50, 100, 200, 300) if n <= bounds["n"].max()]
        ticks = ticks if width == "page" else [n for n in ticks if n not in (2, 20, 200)]
        ax.set_xticks(ticks, [f"{n}" for n in ticks])
        ax.minorticks_off()
        ax.set(xlim=(bounds["n"].min(), bounds["n"].max()), ylim=(0, 110),
               xlabel="Patients, none of them with the event",
               ylabel="Largest risk not excluded, %")  # fmt: skip
        ax.set_yticks(range(0, 101, 20))
        ax.legend(loc="upper right", bbox_to_anchor=(1, 0.89))
        stamp(figure, status)
    return figure


def figure_grades(tables: dict[str, pd.DataFrame], of: Cohort, *, note: str = "") -> Figure:
    """Every patient of a cohort at the worst grade of each toxicity.

    Parameters
    ----------
    tables : dict
        Name of a toxicity to its grades: arm, grade ("0" to "5"; other rows are passed over),
        patients, missing.
    of : Cohort
        Whose patients; its status and mark are drawn in.
    note : str
        What is invented about the grades; drawn into every panel that has grades.

    Returns
    -------
    Figure
        A row of panels per toxicity, a column per arm; grade upwards, with those without a grade
        at the bottom; darker and larger is worse.
    """
    arms = list(of.arms)
    most = max(int(t[["patients", "missing"]].to_numpy().max()) for t in tables.values())
    across = max(FEWEST, int(np.ceil(np.sqrt(10 * most))))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 3.1 * len(tables) + 0.3), layout="constrained")
        panels = figure.subplots(len(tables), len(arms), sharex=True, sharey=True, squeeze=False)
        for row, (name, table) in zip(panels, tables.items(), strict=True):
            for at, (ax, arm) in enumerate(zip(row, arms, strict=True)):
                part = table[(table["arm"] == arm) & table["grade"].str.isdigit()]
                plot_grades(part, ax, across=across, colour=COLOURS[at])
                told = note if part["patients"].sum() else ""
                title(ax, f"{name}: {arm}", told)
                stamp_panel(figure, of, ax)
            row[0].set_ylabel("Worst grade")
        for ax in panels[-1]:
            ax.set_xlabel("One mark, one patient")
    return figure


def title(ax, name: str, note: str) -> None:
    """What a panel shows, and what is invented in it, inside its axes."""
    lines = wrapped(name, "half")
    ax.text(0, 0.99, lines, transform=ax.transAxes, va="top", fontsize=9, gid="title")
    if note:
        ax.text(0, 0.985, "\n" * (lines.count("\n") + 1) + note, transform=ax.transAxes, va="top",
                fontsize=8, color=GREY, gid="invented")  # fmt: skip


def stamp_panel(figure: Figure, of: Cohort, ax) -> None:
    """Status above a panel; the mark where severe grades, being few, leave room for it."""
    stamp(figure, of.status_line, of.mark, ax=ax)
    for text in ax.texts:
        if text.get_gid() == "mark":
            text.set_position((0.6, 0.68))


def plot_grades(part: pd.DataFrame, ax, *, across: int, colour: str) -> None:
    """The marks of one toxicity and arm: a band of rows for each grade."""
    size = min(5.5, 0.75 * WIDE / across)
    groups = [(-1, int(part["missing"].max()) if len(part) else 0)]
    groups += [(int(row.grade), int(row.patients)) for row in part.itertuples()]
    step = BAND / max(3, *(-(-count // across) for _, count in groups))
    for grade, count in groups:
        place = np.arange(count)
        line = place // across
        height = grade + step * ((line.max() if count else 0) / 2 - line)
        if grade < 0:
            look = {"marker": "x", "color": GREY}
        else:
            look = {"marker": "o", "markerfacecolor": shade(colour, grade),
                    "markeredgecolor": colour}  # fmt: skip
        ax.plot(place % across, height, linestyle="none", markeredgewidth=min(0.8, size / 6),
                markersize=size * (0.8 + 0.06 * max(grade, 0)), gid="people", **look)  # fmt: skip
        if count:
            ax.text(min(count, across) + 0.2, grade, f"{count}", va="center", fontsize=8)
    ax.axhline(2.5, color=GREY, linewidth=0.8, linestyle=(0, (4, 2)))
    ax.set_yticks(range(-1, LEVELS), ["none\nrecorded", *map(str, range(LEVELS))], fontsize=8)
    ax.set(xticks=[], ylim=(-1.6, LEVELS + 1), xlim=(-1, across * 1.12))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def shade(colour: str, grade: int) -> tuple[float, float, float]:
    """The colour of an arm, from white for grade 0 to black-tinged for grade 5."""
    base, strength = np.array(to_rgb(colour)), min(grade, 3) / 3
    mixed = 1 - strength * (1 - base)
    return tuple(mixed * (1 - 0.25 * max(grade - 3, 0)))
