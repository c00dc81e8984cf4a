"""Figures in which every patient is to be seen."""

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from helpers.cohort import Cohort
from helpers.conventions import DAYS_PER_MONTH
from helpers.plots.style import COLOURS, GREY, LINES, STYLE, stamp, time_ticks


def figure_patients(patients, curve, *, time: str, event: str, status: str) -> Figure:
    """A handful of patients as lines beside their Kaplan-Meier curve, for teaching.

    Parameters
    ----------
    patients : DataFrame
        One row per patient, in the order drawn; `time` in days, `event` 1 or 0.
    curve : DataFrame
        From `km_curve` of the same patients.
    status : str
        What these patients are; drawn into the figure.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 2.8), layout="constrained")
        lines, steps_ax = figure.subplots(1, 2)
        for row, (day, happened) in enumerate(zip(patients[time], patients[event], strict=True), 1):
            lines.plot([0, day], [row, row], color=GREY)
            lines.plot(day, row, "X" if happened else "|", color=COLOURS[bool(happened)],
                       markersize=9, markeredgewidth=1.8)  # fmt: skip
        lines.plot([], [], "X", color=COLOURS[1], label="event")
        lines.plot([], [], "|", color=COLOURS[0], markeredgewidth=1.8, label="censored")
        lines.set(
            xlabel="Day", ylabel="Patient", yticks=range(1, len(patients) + 1), xlim=(0, None)
        )
        lines.set_ylim(len(patients) + 0.5, 0.5)
        lines.legend(loc="upper right")
        day = np.r_[0, curve["time"]]
        steps_ax.step(day, np.r_[1, curve["estimate"]], where="post", color=COLOURS[0])
        gone = curve[curve["n_censor"] > 0]
        steps_ax.plot(gone["time"], gone["estimate"], "|", color=COLOURS[0], markersize=9)
        steps_ax.set(xlabel="Day", ylabel="Survival", ylim=(0, 1.02), xlim=(0, None))
        stamp(figure, status)
    return figure


def figure_swimmers(cohorts: dict[str, Cohort]) -> Figure:
    """Every patient of one or more cohorts as a line from time zero to death or last contact.

    Parameters
    ----------
    cohorts : dict
        Title of a panel to its cohort, with os and pfs; two arms each.

    Returns
    -------
    Figure
        One panel per cohort; in each, arms one above the other, longest observed on top; months
        on x.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 6.4), layout="constrained")
        panels = figure.subplots(1, len(cohorts), sharex=True, sharey=True, squeeze=False)[0]
        for ax, (title, cohort) in zip(panels, cohorts.items(), strict=True):
            plot_swimmers(cohort, ax)
            ax.set_xlabel(f"{title}: months")
            ax.set_xticks(time_ticks(cohort.frame["os_time"].max(), 6))
        panels[0].set_ylabel("One line, one row of the file")
        figure.legend(
            *named(panels[0], [*cohort.arms, "progression", "death", "alive at last contact"]),
            loc="outside upper left", ncols=5, fontsize=8,
        )  # fmt: skip
        for ax in panels:
            stamp(figure, cohort.status_line, cohort.mark, ax=ax)
    return figure


def named(ax, order: list[str]) -> tuple[list, list[str]]:
    """Legend handles and labels in a chosen order."""
    found = {artist.get_label(): artist for artist in (*ax.collections, *ax.get_lines())}
    return [found[name] for name in order], order


def plot_swimmers(cohort: Cohort, ax) -> None:
    """The lines of one cohort."""
    start = 0
    for arm, colour, line in zip(cohort.arms, COLOURS, LINES, strict=False):
        frame = cohort.frame[cohort.frame["arm"] == arm].sort_values("os_time", ascending=False)
        row = start + np.arange(len(frame))
        end = frame["os_time"] / DAYS_PER_MONTH
        progressed = (frame["pfs_event"] == 1) & (frame["pfs_time"] < frame["os_time"])
        ax.hlines(row, 0, end, colors=colour, linestyles=line, linewidth=1, label=arm)
        for name, marker, shown in (
            ("progression", "^", progressed),
            ("death", "x", frame["os_event"] == 1),
            ("alive at last contact", "|", frame["os_event"] == 0),
        ):  # fmt: skip
            day = frame["pfs_time"] if name == "progression" else frame["os_time"]
            label = name if start == 0 else None
            ax.plot(day[shown] / DAYS_PER_MONTH, row[shown], marker, color="black", markersize=3.5,
                    markeredgewidth=0.8, linestyle="none", label=label)  # fmt: skip
        start += len(frame) + 3
    ax.set(yticks=[], xlim=(0, None), ylim=(start, -4))
    ax.spines["left"].set_visible(False)
