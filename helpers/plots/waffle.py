"""Response: one mark per patient, rates with their intervals, and P as responders are added."""

import math
import textwrap

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from helpers.plots.style import COLOURS, GREY, LINES, STYLE, stamp
from helpers.words import percent


def centred(letter: str) -> Path:
    """A letter as a mark; as text between dollars it would be mathematics."""
    drawn = TextPath((0, 0), letter, prop={"family": "DejaVu Sans", "weight": "bold"})
    box = drawn.get_extents()
    middle = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    return Path(drawn.vertices - middle, drawn.codes)


# Shape and colour of each best response; the colours of the two arms are not among them.
MARKS = {
    "CR": ("s", COLOURS[2], "complete response (CR)"),
    "PR": ("D", COLOURS[4], "partial response (PR)"),
    "SD": ("o", COLOURS[5], "stable disease (SD)"),
    "PD": ("X", COLOURS[3], "progressive disease (PD)"),
    "NE": (centred("?"), GREY, "not evaluable (NE)"),
}
WIDTHS = {"page": 7.0, "half": 3.5}  # inches
MARK_ROOM = 0.62  # inches below the marks, where it says what the rows are not
ROW = 0.3  # inches of one rate
METHODS = {"exact": ("o", 0.14), "Wilson": ("D", -0.14)}  # marker, and height above the row
TEST_MARKERS = "osD^vX"


def figure_people(
    frame: pd.DataFrame, rates: pd.DataFrame, *, status: str, mark: str = "", width: str = "page"
) -> Figure:
    """Draw every patient as one mark, by best response, a panel per arm.

    Parameters
    ----------
    frame : DataFrame
        One row per patient: arm, and response (CR, PR, SD, PD, NE or missing, drawn as NE).
    rates : DataFrame
        outcome, denominator, and the columns of `response_table`: what stands below the panels;
        a missing estimate is an invented one.
    status, mark : str
        What the data is, and what no result of it is; drawn into each panel.
    width : str
        "page" (7 inches, panels side by side) or "half" (3.5 inches, one above the other).

    Returns
    -------
    Figure
        Marks in rows from the top left: CR, PR, SD, PD, NE.
    """
    labels = wrapped(panel_labels(rates), width)
    side = width == "page"
    most = max(int((frame["arm"] == name).sum()) for name in labels)
    per_row = max(10, 10 * math.ceil(math.sqrt(most) / 10))
    wide = WIDTHS[width] / (len(labels) if side else 1) - 0.25
    cell = wide / per_row
    rows, room = math.ceil(most / per_row), (MARK_ROOM if mark else 0.08)
    lines = max(text.count("\n") + 1 for text in labels.values())
    panel = rows * cell + room + 0.16 * lines + 0.35
    with mpl.rc_context(STYLE):
        size = WIDTHS[width], panel * (1 if side else len(labels)) + (0.5 if side else 0.8)
        figure = Figure(figsize=size, layout="constrained")
        shape = (1, len(labels)) if side else (len(labels), 1)
        panels = figure.subplots(*shape, squeeze=False).ravel()
        for ax, (name, text) in zip(panels, labels.items(), strict=True):
            codes = frame.loc[frame["arm"] == name, "response"].fillna("NE")
            plot_people(codes, ax, per_row=per_row, size=46 * cell)
            ax.set_xlim(-0.6, per_row - 0.4)
            ax.set_ylim(rows - 0.4 + room / cell, -0.7)
            ax.set_xlabel(text, loc="left", fontsize=8.5)
            stamp(figure, status, mark, ax=ax)
            below_the_marks(ax, rows + room / cell / 2 - 0.4)
        figure.legend(handles=handles(frame["response"]), loc="outside upper left",
                      ncols=3 if side else 2, fontsize=8 if side else 7, handletextpad=0.2,
                      columnspacing=1)  # fmt: skip
    return figure


def panel_labels(rates: pd.DataFrame) -> dict[str, str]:
    """Arm to what stands below its panel: who, how many, and the rates among evaluable."""
    labels = {}
    for row in rates[rates["denominator"] == "evaluable"].itertuples():
        every = f"{row.arm}, n = {row.n + row.not_evaluable}"
        known = percent(row.estimate, 1) if pd.notna(row.estimate) else "invented"
        rate = f"{row.responders} of {row.n} evaluable, {known}"
        line = f"{row.outcome.capitalize()}: {rate if row.n else 'nobody evaluable'}"
        labels[row.arm] = f"{labels.get(row.arm, every)}\n{line}"
    return labels


def wrapped(labels: dict[str, str], width: str) -> dict[str, str]:
    """Labels in lines that fit below a panel; their own line ends are kept."""
    letters = {"page": 46, "half": 48}[width]
    return {name: "\n".join(textwrap.fill(line, letters) for line in text.splitlines())
            for name, text in labels.items()}  # fmt: skip


def plot_people(codes: pd.Series, ax, *, per_row: int, size: float) -> None:
    """The marks of one arm, filled row by row."""
    at = 0
    for code, (marker, colour, _) in MARKS.items():
        places = range(at, at + int((codes == code).sum()))
        ax.plot([i % per_row for i in places], [i // per_row for i in places],
                marker=marker, color=colour, markersize=size * (0.8 if marker == "D" else 1),
                linestyle="", gid=code)  # fmt: skip
        at += len(places)
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)


def below_the_marks(ax, height: float) -> None:
    """Move the mark of the rows to the room below them, where nothing covers it."""
    for text in ax.texts:
        if text.get_gid() == "mark":
            text.set_transform(ax.transData)
            text.set_y(height)
            text.set_x(sum(ax.get_xlim()) / 2)


def handles(codes: pd.Series) -> list:
    """Legend entries of the responses that occur."""
    seen = set(codes.fillna("NE"))
    return [mpl.lines.Line2D([], [], marker=marker, color=colour, linestyle="", markersize=6,
                             label=label)
            for code, (marker, colour, label) in MARKS.items() if code in seen]  # fmt: skip


def figure_rates(
    rates: pd.DataFrame, *, status: str, mark: str = "", width: str = "page"
) -> Figure:
    """Draw rates with their exact and Wilson intervals, one row each.

    Parameters
    ----------
    rates : DataFrame
        outcome, denominator, and the columns of `response_table`; a missing estimate is an empty
        row. An arm has the colour and line style of its place among the arms.
    status, mark : str
        What the data is, and what no result of it is.
    width : str
        "page" (7 inches) or "half" (3.5 inches).

    Returns
    -------
    Figure
        Percent from 0 to 100 on x; exact above (dot), Wilson below (open diamond).
    """
    arms = list(dict.fromkeys(rates["arm"]))
    with mpl.rc_context(STYLE):
        rates = rates.assign(
            section=rates["outcome"].str.capitalize() + ", among " + rates["denominator"]
        )
        sections = rates["section"].nunique()
        room = (MARK_ROOM if mark else 0.05) / ROW  # rows below the last rate
        high = ROW * (len(rates) + 0.9 * sections + room) + 1.0
        figure = Figure(figsize=(WIDTHS[width], high), layout="constrained")
        ax = figure.subplots()
        at, places, names, last = 0.0, [], [], None
        for row in rates.to_dict("records"):
            if row["section"] != last:
                ax.text(0, at, row["section"], fontsize=8, weight="bold", va="center")
                at, last = at + 0.9, row["section"]
            draw_rate(ax, at, row, arms.index(row["arm"]) % 7, width)
            places.append(at)
            names.append(textwrap.fill(row["arm"], 30 if width == "page" else 16, max_lines=2))
            at += 1
        ax.set_yticks(places, names, fontsize=8)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set(xlim=(0, 100), ylim=(at + room - 0.4, -0.6), xlabel="Patients with a response, %")
        ax.set_xticks(range(0, 101, 20 if width == "page" else 25))
        for method, (marker, _) in METHODS.items():
            ax.plot([], [], marker, color=GREY, label=f"{method} 95% interval", linestyle="-",
                    linewidth=1.2, markersize=4.5,
                    markerfacecolor=GREY if method == "exact" else "white")  # fmt: skip
        figure.legend(loc="outside upper left", ncols=2, fontsize=8 if width == "page" else 7)
        stamp(figure, status, mark)
        below_the_marks(ax, at + room / 2 - 0.4)
    return figure


def draw_rate(ax, at: float, row: dict, kind: int, width: str) -> None:
    """One rate: its two intervals, and its count beyond the axis."""
    for method, (marker, up) in METHODS.items():
        if pd.isna(row["estimate"]):
            continue
        low, high = (100 * row[f"{method.lower()}_{end}"] for end in ("low", "high"))
        ax.plot([low, high], [at - up] * 2, color=COLOURS[kind], linestyle=LINES[kind],
                linewidth=1.4, gid=method)  # fmt: skip
        ax.plot(100 * row["estimate"], at - up, marker, color=COLOURS[kind], markersize=4.5,
                markerfacecolor=COLOURS[kind] if method == "exact" else "white",
                clip_on=False, zorder=3)  # fmt: skip
    text = f"{row['responders']}/{row['n']}"
    ax.text(1.01, at, text, transform=ax.get_yaxis_transform(), va="center",
            fontsize=8 if width == "page" else 7)  # fmt: skip


def figure_added(
    path: pd.DataFrame, *, xlabel: str, status: str, observed: int, mark: str = "",
    printed: tuple[float, float] | None = None, width: str = "page",
) -> Figure:  # fmt: skip
    """Draw the P of several tests against the responders of the reference arm.

    Parameters
    ----------
    path : DataFrame
        test, x0 (responders), p_value; a missing P is a gap.
    xlabel : str
        Responders of whom.
    status, mark : str
        What the data is, and what no result of it is.
    observed : int
        Responders there were; marked by a vertical line.
    printed : (float, float), optional
        The P that print as the published one, drawn as a band.
    width : str
        "page" (7 inches) or "half" (3.5 inches).

    Returns
    -------
    Figure
        Log axis of P, with 0.05 marked.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTHS[width], 3.4), layout="constrained")
        ax = figure.subplots()
        if printed:
            ax.axhspan(
                *printed, color=GREY, alpha=0.2, linewidth=0, label="prints as the paper's P"
            )
        ax.axhline(0.05, color=GREY, linewidth=1, label="0.05")
        ax.axvline(observed, color=GREY, linewidth=1, linestyle=":", label="as counted")
        for kind, (test, part) in enumerate(path.groupby("test", sort=False)):
            ax.plot(part["x0"], part["p_value"], color=COLOURS[2 + kind % 5],
                    marker=TEST_MARKERS[kind], linestyle=LINES[kind], markersize=4.5, label=test,
                    gid="test")  # fmt: skip
        xlabel = textwrap.fill(xlabel, {"page": 90, "half": 40}[width])
        ax.set(yscale="log", ylim=(None, 1.1), xlabel=xlabel, ylabel="P, two-sided")
        ax.set_yticks([0.001, 0.01, 0.05, 0.1, 1], ["0.001", "0.01", "0.05", "0.1", "1"])
        ax.minorticks_off()
        ax.set_xticks(sorted(path["x0"].unique()))
        figure.legend(*ax.get_legend_handles_labels(), loc="outside upper left",
                      ncols=4 if width == "page" else 2, fontsize=8)  # fmt: skip
        stamp(figure, status, mark)
    return figure
