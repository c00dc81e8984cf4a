"""The survival figure: curves with band, censor ticks, and aligned numbers at risk and events."""

import textwrap

import matplotlib as mpl
from matplotlib.figure import Figure

from helpers.analysis import Answer
from helpers.plots.drawn import SURVIVAL, Axes, Display, steps
from helpers.plots.drawn import axes as axes_of
from helpers.plots.style import ROW, SIZES, STYLE, says, stamp, styles, wrapped
from helpers.survival import risk_table
from helpers.whose import readable
from helpers.words import comparison, log_rank


def figure_survival(answer: Answer, *, width: str = "page", display: Display = SURVIVAL) -> Figure:
    """Kaplan-Meier curves with band, censor ticks, and aligned numbers at risk and events.

    Parameters
    ----------
    answer : Answer
        From `analyse`; an answer without patients gives a figure that says so.
    width : str
        "page" (7 inches) or "half" (3.5 inches), fonts equal.
    display : Display
        Which form of the curve, and the unit of time; survival over months by default.

    Returns
    -------
    Figure
        The data status stands inside the figure, and whose it is where that is not everybody's.
    """
    answer = readable(answer)
    with mpl.rc_context(STYLE):
        wide, high = SIZES[width]
        rows = ROW * 3 * len(answer.groups)  # inches of the table under the curves
        place, room = legend_place(answer, width, display)
        ax = axes_of(answer, display, most=8 if width == "page" else 5)
        figure = Figure(figsize=(wide, high + rows + room), layout="constrained")
        axes, table = figure.subplots(
            2, 1, sharex=True, gridspec_kw={"height_ratios": [high, rows or ROW]}
        )
        plot_curves(answer, axes, ax, display)
        # By hand: matplotlib leaves out names that begin with an underscore.
        handles = [line for line in axes.get_lines() if line.get_gid() == "curve"]
        labels = [wrapped(name, width) for name in answer.curves["group"].unique()]
        if place:
            (axes if room == 0 else figure).legend(
                handles, labels, loc=place, title="\n".join(words(answer, width)),
                alignment="left", title_fontsize=8.5, handlelength=2.6,
            )  # fmt: skip
        if answer.groups:
            plot_risk_table(answer, ax, table, width)
            axes.set_xlim(*ax.x_limits)
            axes.set_xticks(ax.x_ticks, ax.x_labels)
        else:
            table.axis("off")
        stamp(figure, **says(answer))
    return figure


def plot_curves(answer: Answer, axes, on: Axes, display: Display) -> None:
    """Curves, bands and censor ticks."""
    axes.set(ylim=on.y_limits, ylabel=on.y_label, xlabel=on.x_label)
    axes.set_yticks(on.y_ticks, on.y_labels)
    axes.tick_params(labelbottom=True)
    if not answer.groups:
        axes.text(0.5, 0.5, "No patient is left", transform=axes.transAxes, ha="center")
        return
    look = styles(answer)
    for name, curve in answer.curves.groupby("group", sort=False):
        colour, line, _ = look[name]
        drawn = steps(curve, display)
        axes.step(drawn.x, drawn.y, where="post", color=colour, linestyle=line, gid="curve")
        axes.fill_between(drawn.x, drawn.low, drawn.high, step="post", color=colour, alpha=0.15,
                          linewidth=0)  # fmt: skip
        gone = drawn.n_censor > 0
        axes.plot(drawn.x[gone], drawn.y[gone], "|", color=colour, markersize=4,
                  markeredgewidth=0.6)  # fmt: skip


def words(answer: Answer, width: str = "page") -> list[str]:
    """The comparison as it stands in the figure, long names in several lines."""
    lines = [line for line in (*comparison(answer), log_rank(answer)) if line]
    return [part for line in lines for part in wrapped(line, width).splitlines()]


def legend_place(answer: Answer, width: str, display: Display = SURVIVAL) -> tuple[str, float]:
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
    straight = display.curve == "survival"  # where a curve of another form is free was not learned
    if straight and share < 1 and max(below, above) > needed / (SIZES[width][1] - 0.6):
        return ("lower left" if below > above else "upper right"), 0.0
    return "outside upper left", needed


def plot_risk_table(answer: Answer, on: Axes, ax, width: str) -> None:
    """Numbers at risk and cumulative events of each group, below the tick they belong to."""
    table = risk_table(answer.curves, on.days)
    labels, look = [], styles(answer)
    for name in answer.groups:
        short = textwrap.shorten(name, {"page": 90, "half": 44}[width], placeholder="...")
        ax.text(on.x_limits[0], len(labels), short, color=look[name][0], weight="bold", fontsize=8,
                va="center")  # fmt: skip
        labels.append("")
        for title, column in (("At risk", "n_risk"), ("Events", "n_event")):
            values = table.loc[table["group"] == name, column]
            for tick, value in zip(on.x_ticks, values, strict=True):
                ax.text(tick, len(labels), f"{value:d}", ha="center", va="center", fontsize=8)
            labels.append(title)
    ax.set_yticks(range(len(labels)), labels, fontsize=8)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.tick_params(length=0, labelbottom=False, pad=14)
    for spine in ax.spines.values():
        spine.set_visible(False)
