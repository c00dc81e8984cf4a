"""Figures of the page on bias, its part on time: courses, ratios over the wait, two clocks."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from helpers.conventions import DAYS_PER_MONTH
from helpers.plots.models import ratio_axis
from helpers.plots.style import COLOURS, GREY, LINES, STYLE, stamp

LOOKS = {"infused": (COLOURS[0], LINES[0]), "not infused": (COLOURS[1], LINES[1])}
MODELS = {
    "ever treated": ("#000000", "-", "o"),
    "landmark": (COLOURS[2], "--", "s"),
    "time-dependent": (COLOURS[3], "-.", "^"),
}  # no colour of an arm
BAND = 0.18


def figure_courses(cohort: pd.DataFrame, *, status: str) -> Figure:
    """Draw each patient as a line from failure on, and the days that ever treated counts wrongly.

    Parameters
    ----------
    cohort : DataFrame
        From `helpers.simulate.cohort.simulate_cohort`, a handful of rows.
    status : str
        What the patients are; drawn into the figure.

    Returns
    -------
    Figure
        A row per patient, those infused above: the wait as a hollow bar, time after the infusion
        and time of the others as full ones; a cross is a death, a bar the end of the watch.
    """
    rows = cohort.sort_values(["infused", "os_time"]).reset_index(drop=True)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 0.2 * len(rows) + 1.3), layout="constrained")
        ax = figure.subplots()
        for at, row in rows.iterrows():
            colour = LOOKS["infused" if row["infused"] else "not infused"][0]
            start = row["infusion_day"] if row["infused"] else 0.0
            if row["infused"]:
                ax.barh(at, start, 0.55, facecolor="white", edgecolor=colour, hatch="////",
                        linewidth=0.8, gid="wait")  # fmt: skip
            ax.barh(at, row["os_time"] - start, 0.55, left=start, color=colour, linewidth=0,
                    alpha=1 if row["infused"] else 0.75, gid="course")  # fmt: skip
            ax.plot(row["os_time"], at, "X" if row["os_event"] else "|", color="black",
                    markersize=6, gid="end")  # fmt: skip
        days = np.arange(0, rows["os_time"].max() + 90, 90)
        ax.set(xlabel="Days since failure", yticks=[], ylim=(-0.7, len(rows) - 0.3),
               xlim=(0, rows["os_time"].max() * 1.04), xticks=days)  # fmt: skip
        ax.spines["left"].set_visible(False)
        patch = mpl.patches.Patch
        handles = [
            patch(facecolor="white", edgecolor=COLOURS[0], hatch="////", label="wait, if infused"),
            patch(color=COLOURS[0], label="after infusion"),
            patch(color=COLOURS[1], alpha=0.75, label="never infused"),
            mpl.lines.Line2D([], [], color="black", marker="X", linestyle="", label="death"),
        ]
        figure.legend(handles=handles, loc="outside upper left", ncols=4)
        stamp(figure, status)
    return figure


def figure_by_wait(table: pd.DataFrame, *, truth: float, status: str) -> Figure:
    """Draw the ratio of each model over the mean wait, with its interval, and the truth.

    Parameters
    ----------
    table : DataFrame
        From `helpers.simulate.waiting.ratios_by_wait`.
    truth : float
        The true hazard ratio, natural scale.
    status : str
        What the patients are; drawn into the figure.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 3.4), layout="constrained")
        ax = figure.subplots()
        ax.axhline(np.log(truth), color=GREY, linewidth=1.0, linestyle=":", label="truth")
        for name, part in table.dropna(subset=["estimate"]).groupby("approach", sort=False):
            colour, line, marker = MODELS[name]
            ax.plot(part["wait"], part["estimate"], color=colour, linestyle=line, marker=marker,
                    markersize=4, label=name, gid="model")  # fmt: skip
            ax.fill_between(part["wait"], part["conf_low"], part["conf_high"], color=colour,
                            alpha=BAND, linewidth=0)  # fmt: skip
        low, high = table["conf_low"].min() - 0.05, max(0.1, table["conf_high"].max()) + 0.05
        ax.set(xlabel="Mean wait for the infusion, days", ylabel="Hazard ratio of death",
               ylim=(min(low, np.log(0.5)), high), xticks=table["wait"].unique())  # fmt: skip
        ratios(ax.yaxis, ax.get_ylim())
        figure.legend(loc="outside upper left", ncols=4)
        stamp(figure, status)
    return figure


def ratios(axis, limits: tuple[float, float]) -> None:
    """Tick a log axis of ratios at round numbers between 0.1 and 2."""
    shown = np.array([0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.25, 1.5, 2.0])
    inside = shown[(np.log(shown) >= limits[0]) & (np.log(shown) <= limits[1])]
    if len(inside) < 2:
        ratio_axis(axis, *limits)
        return
    axis.set_ticks(np.log(inside), [f"{v:g}" for v in inside])


def figure_two_ways(
    curves: dict[str, pd.DataFrame], counts: dict[str, pd.DataFrame], *, day: float, status: str
) -> Figure:
    """Draw survival of ever and never infused, and beside it of infused by now and not yet.

    Parameters
    ----------
    curves, counts : dict of DataFrame
        From `helpers.pages.bias_time`, keys naive and simon-makuch.
    day : float
        Where the second pair starts, at 1.
    status : str
        What the patients are; drawn into the figure.
    """
    titles = {"naive": "Ever against never infused",
              "simon-makuch": f"Infused by now or not yet, from day {day:g}"}  # fmt: skip
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 4.3), layout="constrained")
        axes = figure.subplots(2, 2, sharex=True, height_ratios=[3.0, 1.25], squeeze=False)
        last = max(table["time"].max() for table in counts.values())
        for k, (kind, title) in enumerate(titles.items()):
            ax, begin = axes[0][k], 0.0 if kind == "naive" else day
            for name, part in curves[kind].groupby("group"):
                draw_curve(ax, part[part["time"] <= last], name, begin)
            ax.set_title(title, fontsize=9, pad=22)
            ax.set(ylim=(0, 1.02), xlim=(0, last), yticks=np.arange(0, 1.01, 0.25))
            ax.tick_params(labelbottom=True)
            ax.set_xlabel("Days since failure")
            draw_counts(axes[1][k], counts[kind])
            stamp(figure, status, ax=ax)
        axes[0][0].set_ylabel("Survival")
        axes[0][0].set_xticks(counts["naive"]["time"].unique())
        handles = [
            mpl.lines.Line2D([], [], color=c, linestyle=s, label=n) for n, (c, s) in LOOKS.items()
        ]
        figure.legend(handles=handles, loc="outside upper left", ncols=2)
    return figure


def draw_curve(ax, part: pd.DataFrame, name: str, begin: float) -> None:
    """Steps of one group from 1 on, its band and its censored."""
    colour, line = LOOKS[name]
    time, height = np.r_[begin, part["time"]], np.r_[1.0, part["estimate"]]
    ax.step(time, height, where="post", color=colour, linestyle=line, gid="curve")
    low, high = (np.r_[np.nan, part[c]] for c in ("conf_low", "conf_high"))
    ax.fill_between(time, low, high, step="post", color=colour, alpha=BAND, linewidth=0)
    gone = part[part["n_censor"] > 0]
    ax.plot(gone["time"], gone["estimate"], "|", color=colour, markersize=4, gid="censored")


def draw_counts(ax, table: pd.DataFrame) -> None:
    """At risk and cumulative events below the ticks, from the first day of the curves on."""
    labels = []
    for name, part in table.groupby("group", sort=False):
        ax.text(0, len(labels), name, color=LOOKS[name][0], weight="bold", fontsize=7.5,
                va="center")  # fmt: skip
        labels.append("")
        for title, column in (("At risk", "n_risk"), ("Events", "n_event")):
            for time, value in zip(part["time"], part[column], strict=True):
                if value >= 0:
                    ax.text(time, len(labels), f"{value:d}", ha="center", va="center",
                            fontsize=7.5)  # fmt: skip
            labels.append(title)
    ax.set_yticks(range(len(labels)), labels, fontsize=7.5)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.tick_params(length=0, labelbottom=False, pad=14)
    for spine in ax.spines.values():
        spine.set_visible(False)


def figure_alone(
    tables: list[pd.DataFrame], printed: tuple[float, float], *, status: str
) -> Figure:
    """Draw the ratio that waiting alone makes over the mean wait, and two printed numbers.

    Parameters
    ----------
    tables : list of DataFrame
        From `helpers.simulate.waiting.waiting_alone`, the design drawn in black first.
    printed : (float, float)
        The printed hazard ratio and the limit of its interval nearest 1, natural scale.
    status : str
        What the patients are; drawn into the figure.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 3.4), layout="constrained")
        ax = figure.subplots()
        for k, table in enumerate(tables):
            look = {"color": "black", "marker": "o", "markersize": 3, "gid": "alone",
                    "label": "ever against never infused, no effect", "zorder": 3}  # fmt: skip
            if k:
                look = {"color": GREY, "linewidth": 0.9, "gid": "other design",
                        "label": "the same in other designs" if k == 1 else "_"}  # fmt: skip
            ax.plot(table["wait"] / DAYS_PER_MONTH, table["estimate"], **look)
        last = 1.05 * tables[0]["wait"].max() / DAYS_PER_MONTH
        for value, name, line in zip(printed, ("printed ratio", "limit of its interval"),
                                     ("--", ":"), strict=True):  # fmt: skip
            ax.axhline(np.log(value), color=GREY, linestyle=line, linewidth=1.2, gid="printed",
                       label=f"{name}, {value:g}")  # fmt: skip
        low = min(table["estimate"].min() for table in tables) - 0.1
        ax.set(xlabel="Mean wait for the infusion, months", ylabel="Hazard ratio of death",
               xlim=(0, last), ylim=(low, 0.1), xticks=np.arange(0, last, 1))  # fmt: skip
        ratios(ax.yaxis, (low, 0.1))
        figure.legend(loc="outside upper left", ncols=2)
        stamp(figure, status)
    return figure
