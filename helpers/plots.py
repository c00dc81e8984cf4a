"""Figures from tidy frames: one static survival figure, and its plotly twin.

Style lives here and nowhere else: one arm has one colour and one line style, so that colour
is never the only code. The status of the data is drawn into every figure.
"""

import textwrap
from html import escape

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from helpers.analysis import Answer
from helpers.conventions import DAYS_PER_MONTH
from helpers.selection import column_levels
from helpers.survival import risk_table
from helpers.words import comparison, log_rank, start

# Okabe and Ito's palette; the first two are the two arms everywhere.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 2)))
DASHES = ("solid", "dash", "dashdot", "dot", "longdashdot", "longdash", "5px,1px")
GREY = "#595959"
STYLE = {
    "font.family": "DejaVu Sans", "font.size": 9, "axes.spines.top": False,
    "axes.spines.right": False, "axes.linewidth": 0.8, "legend.frameon": False,
    "figure.dpi": 100, "savefig.dpi": 160, "svg.hashsalt": "figure", "lines.linewidth": 1.6,
}  # fmt: skip
SIZES = {"page": (7.0, 3.8), "half": (3.5, 2.9)}  # inches, without the table
ROW = 0.16  # inches, one row of the table
NICE_STEPS = np.array([1, 2, 3, 4, 6, 12, 24, 36, 48, 60, 120, 240])


def styles(answer: Answer) -> dict[str, tuple]:
    """Colour, matplotlib line and plotly dash of each group of the compared column, in its fixed
    order: neither a filter nor another reference recolours an arm."""
    every = column_levels(answer.cohort, answer.view.compare)
    pick = [(COLOURS[i % 7], LINES[i % 7], DASHES[i % 7]) for i in range(len(every))]
    return dict(zip(every, pick, strict=True))


def month_ticks(last_day: float, most: int) -> np.ndarray:
    """Tick positions in months from 0 that cover `last_day`, `most` intervals at the most."""
    last = last_day / DAYS_PER_MONTH
    step = next((s for s in NICE_STEPS if last / s <= most), np.ceil(last / most))
    return np.arange(0, last + 1e-9, step)


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
        stamp(figure, answer.cohort)
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


def wrapped(name: str, width: str = "page") -> str:
    """A name in lines short enough for a legend."""
    return textwrap.fill(name, {"page": 40, "half": 36}[width], max_lines=3)


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


def stamp(figure: Figure, cohort) -> None:
    """Draw the status of the data into the figure, where a crop of the axes still shows it."""
    for ax in figure.axes[:1]:
        ax.text(1, 1.01, cohort.status_line, transform=ax.transAxes, ha="right", va="bottom",
                fontsize=7, color=GREY)  # fmt: skip
    if cohort.status == "synthetic":  # also inside the axes, for those who crop
        ax = figure.axes[0]
        ax.text(0.5, 0.5, "SYNTHETIC\none cohort of many possible", transform=ax.transAxes,
                ha="center", va="center", fontsize=12, color=GREY, alpha=0.4, zorder=0)  # fmt: skip


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
        steps_ax.text(1, 1.01, status, transform=steps_ax.transAxes, ha="right", va="bottom",
                      fontsize=7, color=GREY)  # fmt: skip
    return figure


def plotly_survival(answer: Answer):
    """The survival figure with hover: estimate, interval and number at risk at every step.

    Returns
    -------
    plotly.graph_objects.Figure
        Same curves, marks and table as `figure_survival`.
    """
    from plotly.subplots import make_subplots

    figure = make_subplots(
        2, 1, shared_xaxes=True, row_heights=heights(answer), vertical_spacing=0.14
    )
    look = styles(answer)
    for name, curve in answer.curves.groupby("group", sort=False):
        colour, _, dash = look[name]
        month, estimate, low, high = (np.round(v, 4) for v in steps(curve))
        band = {"mode": "lines", "line": {"width": 0, "shape": "hv"}, "hoverinfo": "skip",
                "showlegend": False, "legendgroup": name}  # fmt: skip
        seen = ~np.isnan(low)
        figure.add_scatter(x=month[seen], y=low[seen], **band)
        figure.add_scatter(x=month[seen], y=high[seen], fill="tonexty", opacity=0.15,
                           fillcolor=f"rgba{(*rgb(colour), 0.15)}", **band)  # fmt: skip
        at_risk = np.r_[curve["n_risk"].iloc[0], curve["n_risk"]]
        limits = [
            "no interval" if np.isnan(a) else f"{a:.0%} to {b:.0%}"
            for a, b in zip(low, high, strict=True)
        ]
        figure.add_scatter(
            x=month, y=estimate, name=escape(wrapped(name)).replace("\n", "<br>"), legendgroup=name,
            mode="lines",
            line={"color": colour, "dash": dash, "shape": "hv", "width": 2},
            customdata=[*zip(at_risk.tolist(), limits, strict=True)],
            hovertemplate="%{y:.1%} (%{customdata[1]})<br>month %{x:.1f}, "
            "at risk %{customdata[0]}<extra>" + escape(name) + "</extra>",
        )  # fmt: skip
        gone = curve[curve["n_censor"] > 0]
        figure.add_scatter(
            x=np.round(gone["time"] / DAYS_PER_MONTH, 4), y=np.round(gone["estimate"], 4),
            mode="markers", marker={"symbol": "line-ns-open", "size": 6, "color": colour},
            showlegend=False, legendgroup=name, hoverinfo="skip",
        )  # fmt: skip
    rows = []
    if answer.groups:
        ticks = month_ticks(answer.curves["time"].max(), 8)
        table = risk_table(answer.curves, ticks * DAYS_PER_MONTH)
        for name in answer.groups:
            part = table[table["group"] == name]
            rows.append(("", [0], [f"<b>{escape(name)}</b>"], look[name][0], "middle right"))
            for title, column in (("At risk", "n_risk"), ("Events", "n_event")):
                numbers = [f"{value:d}" for value in part[column]]
                rows.append((title, ticks, numbers, "black", "middle center"))
        for at, (_, x, text, colour, position) in enumerate(rows):
            figure.add_scatter(
                x=x, y=[-at] * len(x), text=text, mode="text", textposition=position,
                textfont={"color": colour, "size": 11}, showlegend=False, hoverinfo="skip",
                cliponaxis=False, row=2, col=1,
            )  # fmt: skip
        figure.update_xaxes(tickvals=ticks, showgrid=False)
        figure.update_yaxes(
            tickvals=[-at for at in range(len(rows))], ticktext=[row[0] for row in rows],
            range=[0.6 - len(rows), 0.6], showgrid=False, zeroline=False, showline=False, ticks="",
            row=2, col=1,
        )  # fmt: skip
    place = legend_place(answer, "page")[0]
    text = "<br>".join(map(escape, words(answer))) if answer.groups else "No patient is left"
    corner = {
        "lower left": {"x": 0.01, "y": 0.02, "xanchor": "left", "yanchor": "bottom"},
        "upper right": {"x": 0.99, "y": 0.98, "xanchor": "right", "yanchor": "top"},
    }.get(place, {"x": 0, "y": 1.03, "xanchor": "left", "yanchor": "bottom"})
    above = 16 * len(words(answer)) if place.startswith("outside") else 0  # pixels
    notes = [
        {"text": text, "align": "left"} | corner,
        {"text": escape(answer.cohort.status_line), "x": 1, "y": 1.0, "xanchor": "right",
         "yanchor": "bottom", "font": {"size": 10, "color": GREY}},
    ]  # fmt: skip
    for note in notes:
        figure.add_annotation(**note, xref="x domain", yref="y domain", showarrow=False)
    figure.update_xaxes(title=f"Months since {start(answer)}", showticklabels=True, row=1, col=1)
    figure.update_xaxes(visible=False, row=2, col=1)
    figure.update_yaxes(title=answer.label, range=[0, 1.02], row=1, col=1)
    tall = 380 + 17 * len(rows)
    top = 45 + above + 20 * len(answer.groups)
    figure.update_layout(
        template="simple_white", height=tall + top, font={"size": 12}, hovermode="closest",
        margin={"l": 60, "r": 20, "t": top, "b": 20},
        legend={"orientation": "v", "x": 0, "y": 1 + (above + 22) / 330, "yanchor": "bottom"},
    )  # fmt: skip
    return figure


def heights(answer: Answer) -> list[float]:
    """Shares of the plotly figure for the curves and for the table below them."""
    rows = 3 * max(1, len(answer.groups))
    return [300 / (300 + 17 * rows), 17 * rows / (300 + 17 * rows)]


def rgb(colour: str) -> tuple[int, int, int]:
    """The parts of a #RRGGBB colour, 0 to 255."""
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
