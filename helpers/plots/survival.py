"""The survival figure: curves with band, censor ticks, and aligned numbers at risk and events."""

import textwrap

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from helpers.analysis import Answer
from helpers.conventions import DAYS_PER_MONTH
from helpers.plots.style import ROW, SIZES, STYLE, month_ticks, stamp, styles, wrapped
from helpers.survival import risk_table
from helpers.words import comparison, log_rank, start


def steps(curve) -> tuple[np.ndarray, ...]:
    """Month, estimate and limits of one curve from time 0 on. Where there is no interval the
    limits are missing, so no band is drawn there."""
    month = np.r_[0, curve["time"].to_numpy() / DAYS_PER_MONTH]
    values = [np.r_[1.0, curve["estimate"].to_numpy()]]
    values += [np.r_[np.nan, curve[c].to_numpy()] for c in ("conf_low", "conf_high")]
    return month, *values


def figure_survival(answer: Answer, *, width: str = "page") -> Figure:
    """Kaplan-Meier curves with band, censor ticks, and aligned numbers at risk and events.

    Parameters
    ----------
    answer : Answer
        From `analyse`; an answer without patients gives a figure that says so.
    width : str
        "page" (7 inches) or "half" (3.5 inches), fonts equal.

    Returns
    -------
    Figure
        Time in months on x; survival from 0 to 1 on y; the data status inside the figure.
    """
    with mpl.rc_context(STYLE):
        wide, high = SIZES[width]
        rows = ROW * 3 * len(answer.groups)  # inches of the table under the curves
        place, room = legend_place(answer, width)
        figure = Figure(figsize=(wide, high + rows + room), layout="constrained")
        axes, table = figure.subplots(
            2, 1, sharex=True, gridspec_kw={"height_ratios": [high, rows or ROW]}
        )
        plot_curves(answer, axes, width)
        # By hand: matplotlib leaves out names that begin with an underscore.
        handles = [line for line in axes.get_lines() if line.get_gid() == "curve"]
        labels = [wrapped(name, width) for name in answer.curves["group"].unique()]
        if place:
            (axes if room == 0 else figure).legend(
                handles, labels, loc=place, title="\n".join(words(answer, width)),
                alignment="left", title_fontsize=8.5, handlelength=2.6,
            )  # fmt: skip
        if answer.groups:
            ticks = month_ticks(answer.curves["time"].max(), 8 if width == "page" else 5)
            plot_risk_table(answer, ticks, table, width)
            axes.set_xlim(0, answer.curves["time"].max() / DAYS_PER_MONTH * 1.02 or 1)
            axes.set_xticks(ticks)
        else:
            table.axis("off")
        stamp(figure, answer.cohort.status_line, answer.cohort.mark)
    return figure


def plot_curves(answer: Answer, ax, width: str) -> None:
    """Curves, bands, censor ticks, and the comparison in words."""
    ax.set(ylim=(0, 1.02), ylabel=answer.label, xlabel=f"Months since {start(answer)}")
    ax.set_yticks(np.arange(0, 1.01, 0.2))
    ax.tick_params(labelbottom=True)
    if not answer.groups:
        ax.text(0.5, 0.5, "No patient is left", transform=ax.transAxes, ha="center")
        return
    look = styles(answer)
    for name, curve in answer.curves.groupby("group", sort=False):
        colour, line, _ = look[name]
        month, estimate, low, high = steps(curve)
        look_of = {"color": colour, "linestyle": line, "gid": "curve"}
        ax.step(month, estimate, where="post", **look_of)
        ax.fill_between(month, low, high, step="post", color=colour, alpha=0.15, linewidth=0)
        gone = curve[curve["n_censor"] > 0]
        ax.plot(gone["time"] / DAYS_PER_MONTH, gone["estimate"], "|", color=colour,
                markersize=4, markeredgewidth=0.6)  # fmt: skip


def words(answer: Answer, width: str = "page") -> list[str]:
    """The comparison as it stands in the figure, long names in several lines."""
    lines = [line for line in (*comparison(answer), log_rank(answer)) if line]
    return [part for line in lines for part in wrapped(line, width).splitlines()]


def legend_place(answer: Answer, width: str) -> tuple[str, float]:
    """Where lines and comparison go in one box, so they cannot overlap: the corner that the
    curves leave free, or above the axes. Also the inches that must be added for it there."""
    if not answer.groups:
        return "", 0.0
    names = [part for name in answer.groups for part in wrapped(name, width).splitlines()]
    needed = 0.17 * (len(words(answer, width)) + len(names)) + 0.1  # inches
    wide = 0.068 * max([len(line) for line in words(answer, width)] + [len(n) + 6 for n in names])
    # The share of the axes below and beside the box, where no curve may come.
    share = wide / (SIZES[width][0] - 0.7) + 0.05
    last = answer.curves["time"].max()
    early = answer.curves[answer.curves["time"] <= share * last]
    late = answer.curves[answer.curves["time"] <= (1 - share) * last]
    below = early["conf_low"].fillna(1.0).min() if len(early) else 1.0
    above = 1 - late.groupby("group")["conf_high"].min().fillna(1.0).max() if len(late) else 0.0
    if share < 1 and max(below, above) > needed / (SIZES[width][1] - 0.6):
        return ("lower left" if below > above else "upper right"), 0.0
    return "outside upper left", needed


def plot_risk_table(answer: Answer, ticks: np.ndarray, ax, width: str) -> None:
    """Numbers at risk and cumulative events of each group, below the tick they belong to."""
    table = risk_table(answer.curves, ticks * DAYS_PER_MONTH)
    labels, look = [], styles(answer)
    for name in answer.groups:
        short = textwrap.shorten(name, {"page": 90, "half": 44}[width], placeholder="...")
        ax.text(0, len(labels), short, color=look[name][0], weight="bold", fontsize=8, va="center")
        labels.append("")
        for title, column in (("At risk", "n_risk"), ("Events", "n_event")):
            values = table.loc[table["group"] == name, column]
            for tick, value in zip(ticks, values, strict=True):
                ax.text(tick, len(labels), f"{value:d}", ha="center", va="center", fontsize=8)
            labels.append(title)
    ax.set_yticks(range(len(labels)), labels, fontsize=8)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.tick_params(length=0, labelbottom=False, pad=14)
    for spine in ax.spines.values():
        spine.set_visible(False)
