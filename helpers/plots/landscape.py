"""Published rates and medians by option: what was printed, how weak it is, and what is ours.

A row's tier shows in the shape and the tone of its mark. Rows stand in the order of their option
and of their number, never of their result; medians stand in a panel of their own for each event
that the clock starts at.
"""

import textwrap

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from helpers.paper.option_outcomes import NO_LEVEL, OURS, STUDY
from helpers.paper.options import TIERS
from helpers.plots.forest import layout
from helpers.plots.style import COLOURS, GREY, LINES, STYLE

# Shape, tone of mark and line, filled, size, tone of the label: each tier weaker in all of them.
LOOKS = {
    1: ("o", "#000000", True, 6.5, "#000000"),
    2: ("s", "#595959", True, 4.5, "#333333"),
    3: ("D", "#767676", False, 4.0, "#595959"),
    4: ("x", "#8a8a8a", False, 4.0, "#6b6b6b"),
}
THICK = {1: 2.0, 2: 1.4, 3: 1.0, 4: 0.8}  # points, of the intervals
NAMES = {
    "orr": "Overall response",
    "crr": "Complete response",
    "pfs": "Median PFS",
    "os": "Median OS",
}
WIDTHS = {"page": 7.0, "half": 3.5}  # inches
LINE = {"page": 0.17, "half": 0.2}  # inches of one row
SIZE = {"page": 7.5, "half": 6.0}  # points
LETTERS = {"page": 34, "half": 20}  # of a label, before it takes a second line
MISSING = "not printed"


def figure_rates(
    frame: pd.DataFrame, *, status: str, highlight: bool = False, width: str = "page"
) -> Figure:
    """Draw overall and complete response rates by option, one row a study.

    Parameters
    ----------
    frame : DataFrame
        As `rates` of `helpers.paper.option_outcomes` gives it; in that order.
    status : str
        What the data is; drawn in.
    highlight : bool
        Draw the two arms of the study of this series in their colours.
    width : str
        "page" (7 inches) or "half" (3.5 inches; without the numbers).

    Returns
    -------
    Figure
        Percent from 0 to 100 on x. Printed intervals are plain lines, dotted where their level is
        not stated; computed ones end in bars. A dash says that no rate was printed.
    """
    with mpl.rc_context(STYLE):
        tall = LINE[width] * lines_of(frame)
        figure = Figure(
            figsize=(WIDTHS[width], tall + {"page": 1.3, "half": 2.1}[width]), layout="constrained"
        )
        axes = figure.subplots(1, 2, sharey=True)
        for ax, endpoint in zip(axes, ("orr", "crr"), strict=True):
            draw(ax, frame, endpoint, highlight=highlight, width=width)
            ax.set(xlim=(0, 100), xlabel=wrap_axis(f"{NAMES[endpoint]}, %", width))
            ax.set_xticks(range(0, 101, 25 if width == "page" else 50))
        name_rows(axes[0], frame, highlight=highlight, width=width)
        finish(figure, frame, status, highlight=highlight, width=width)
    return figure


def figure_medians(
    frame: pd.DataFrame, *, status: str, highlight: bool = False, width: str = "page"
) -> Figure:
    """Draw median PFS and OS in months, a panel with axes of its own for each clock.

    Parameters
    ----------
    frame : DataFrame
        As `medians` of `helpers.paper.option_outcomes` gives it; in that order.
    status, highlight, width
        As for `figure_rates`.

    Returns
    -------
    Figure
        Months on x, each panel with its own scale: rows are not to be compared across panels. An
        arrow is an interval without a printed upper limit; a median not reached is said so.
    """
    with mpl.rc_context(STYLE):
        clocks = list(dict.fromkeys(frame["time_zero"]))
        parts = [frame[frame["time_zero"] == clock] for clock in clocks]
        heights = [LINE[width] * (lines_of(part) + 1.2) + 0.55 for part in parts]
        extra = {"page": 0.9, "half": 1.8}[width]
        figure = Figure(figsize=(WIDTHS[width], sum(heights) + extra), layout="constrained")
        grid = figure.subplots(len(parts), 2, height_ratios=heights, squeeze=False)
        for axes, part, clock in zip(grid, parts, clocks, strict=True):
            longest = part[["estimate", "conf_high"]].max(axis=None)
            for ax, endpoint in zip(axes, ("pfs", "os"), strict=True):
                label = f"{NAMES[endpoint]}, {axis_of(clock)}"
                ax.set(xlim=(0, 1.15 * longest), xlabel=wrap_axis(label, width))
                draw(ax, part, endpoint, highlight=highlight, width=width, whole=frame)
                ax.set_ylim(top=-2.0)
            name_rows(axes[0], part, highlight=highlight, width=width)
            axes[1].set_yticks([])
            axes[0].text(-0.03, -1.2, f"CLOCK: {clock.upper()}", ha="right", va="center",
                         transform=axes[0].get_yaxis_transform(), weight="bold", color=COLOURS[0],
                         fontsize=SIZE[width] + 0.5 * (width == "page"), gid="clock")  # fmt: skip
        finish(figure, frame, status, highlight=highlight, width=width)
    return figure


def rows_of(frame: pd.DataFrame) -> pd.DataFrame:
    """One line for each row_id, with the option as its section."""
    return frame.drop_duplicates("row_id").assign(section=lambda t: t["option_group"])


def lines_of(frame: pd.DataFrame) -> int:
    places, headings = layout(rows_of(frame))
    return len(places) + len(headings)


def look(row: dict, highlight: bool) -> tuple[str, str, bool, float, str, str]:
    """Shape, tone, filled, size, tone of the label and line style of a row."""
    shape, tone, filled, size, label = LOOKS[row["tier"]]
    if highlight and row["study"].startswith(STUDY):
        arm = int(row["row_id"]) - 1  # its two rows are the two arms, in the order of the series
        return shape, COLOURS[arm], filled, size + 1.5, COLOURS[arm], LINES[arm]
    return shape, tone, filled, size, label, ":" if row["interval"] == NO_LEVEL else "-"


def axis_of(clock: str) -> str:
    """The unit of a median and the event from which it counts."""
    return "months; clock not stated" if clock == "not stated" else f"months since {clock}"


def draw(
    ax, frame: pd.DataFrame, endpoint: str, *, highlight: bool, width: str, whole=None
) -> None:
    """One endpoint of all rows: mark, interval and, at page width, the numbers.

    A row of the whole figure whose estimate stands in another panel is said to.
    """
    rows = rows_of(frame)
    whole = frame if whole is None else whole
    places, _ = layout(rows)
    shown = frame[frame["endpoint"] == endpoint].set_index("row_id").to_dict("index")
    for at, row in zip(places, rows.to_dict("records"), strict=True):
        found = shown.get(row["row_id"])
        if not found or found["status"]:
            ax.text(0.02, at, absent(row["row_id"], endpoint, whole), va="center", color=GREY,
                    transform=ax.get_yaxis_transform(), fontsize=SIZE[width] - 0.5, zorder=1,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
                    gid="missing" if not found else "status of a median")  # fmt: skip
            continue
        found["row_id"] = row["row_id"]
        draw_one(ax, at, found, look(found, highlight))
        if width == "page":
            ax.text(1.05, at, numbers(found), transform=ax.get_yaxis_transform(), va="center",
                    fontsize=6.5, color=look(found, highlight)[4], gid="numbers")  # fmt: skip
    ax.set_ylim(max(places) + 0.7, -0.8)
    ax.tick_params(axis="y", length=0)
    ax.tick_params(axis="x", labelsize=SIZE[width])
    ax.xaxis.label.set_size(SIZE[width] + 0.5)
    ax.grid(axis="x", color="#dddddd", linewidth=0.6, zorder=0)
    ax.set_axisbelow(True)
    ax.spines["left"].set_visible(False)


def absent(row_id: int, endpoint: str, frame: pd.DataFrame) -> str:
    """Why a row has no mark here: not reached, not printed, or drawn under another clock."""
    same = frame[(frame["row_id"] == row_id) & (frame["endpoint"] == endpoint)]
    if same["estimate"].notna().any():
        return "under another clock"
    return same["status"].iloc[0] if len(same) else MISSING


def draw_one(ax, at: float, row: dict, how: tuple) -> None:
    """One estimate with its interval; an arrow where no upper limit was printed."""
    shape, tone, filled, size, _, style = how
    low, high, wide = row["conf_low"], row["conf_high"], THICK[row["tier"]]
    if pd.notna(low):
        end = high if pd.notna(high) else 0.97 * ax.get_xlim()[1]
        ax.plot([low, end], [at, at], color=tone, linewidth=wide, linestyle=style,
                gid=row["interval"], zorder=2)  # fmt: skip
        if pd.isna(high):
            ax.plot(end, at, ">", color=tone, markersize=4, clip_on=False, zorder=2)
        if row["interval"] == OURS:
            ax.plot([low, high], [at, at], "|", color=tone, markersize=7, zorder=2)
    ax.plot(row["estimate"], at, shape, color=tone, markersize=size,
            markerfacecolor=tone if filled else "white", clip_on=False, zorder=3,
            gid=f"row {row['row_id']}")  # fmt: skip


def numbers(row: dict) -> str:
    """Estimate and limits as text; a star where the limits are ours, the level unless it is 95."""
    if not row["interval"]:
        return row["printed"]
    star = "*" if row["interval"] == OURS else ""
    level = "; 90%" if row["interval"] == "printed 90%" else ""
    return f"{row['printed']} ({row['limits']}{level}){star}"


def name_rows(ax, frame: pd.DataFrame, *, highlight: bool, width: str) -> None:
    """Labels at the left in the tone of their tier, and the options as headings."""
    rows = rows_of(frame)
    places, headings = layout(rows)
    names = [textwrap.fill(name, LETTERS[width], max_lines=2) for name in rows["label"]]
    ax.set_yticks(places, names, fontsize=SIZE[width], linespacing=1.0)
    for tick, row in zip(ax.get_yticklabels(), rows.to_dict("records"), strict=True):
        tick.set_color(look(row, highlight)[4])
        tick.set_style("italic" if row["tier"] == 4 else "normal")
        tick.set_weight("bold" if highlight and row["study"].startswith(STUDY) else "normal")
    for name, at in headings.items():
        ax.text(-0.03, at, name, ha="right", va="center", weight="bold", fontsize=SIZE[width],
                transform=ax.get_yaxis_transform(), gid="option")  # fmt: skip


def finish(figure: Figure, frame: pd.DataFrame, status: str, *, highlight: bool, width: str):
    """Legend of what occurs, and the status of the data above it all."""
    entries = []
    for tier in sorted(frame["tier"].unique()):
        shape, tone, filled, size, _ = LOOKS[tier]
        entries.append(Line2D([], [], marker=shape, color=tone, linewidth=THICK[tier],
                              markersize=size,
                              markerfacecolor=tone if filled else "white",
                              label=textwrap.fill(f"Tier {tier}: {TIERS[tier]}", 48)))  # fmt: skip
    kinds = set(frame["interval"])
    if OURS in kinds:
        ours = "* Exact 95% interval, computed here\nfrom printed counts"
        entries.append(Line2D([], [], color=GREY, marker="|", label=ours))
    if NO_LEVEL in kinds:
        entries.append(Line2D([], [], color=GREY, linestyle=":",
                              label="Printed interval, level not stated"))  # fmt: skip
    if highlight and frame["study"].str.startswith(STUDY).any():
        for arm, name in enumerate(("CD20 CAR-T", "non-CAR-T")):
            entries.append(Line2D([], [], color=COLOURS[arm], linestyle=LINES[arm], linewidth=2,
                                  label=f"{name}, the study of this series"))  # fmt: skip
    box = figure.legend(
        handles=entries, loc="outside upper left", ncols=2 if width == "page" else 1,
        title=textwrap.fill(status, int(figure.get_figwidth() * 17)), alignment="left",
        fontsize=SIZE[width], title_fontsize=SIZE[width], handlelength=2.4,
    )  # fmt: skip
    box.get_title().set(gid="status", color=GREY)


def wrap_axis(label: str, width: str) -> str:
    return textwrap.fill(label, {"page": 34, "half": 16}[width])
