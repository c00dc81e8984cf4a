"""Colours, lines, and the status of the data: how every figure of the series looks.

One arm has one colour and one line style everywhere, so that colour is never the only code. The
status of the data is drawn into every figure.
"""

import textwrap

import numpy as np
from matplotlib.figure import Figure

from helpers.analysis import Answer
from helpers.cohort import Cohort
from helpers.conventions import DAYS_PER
from helpers.selection import column_levels
from helpers.whose import whose

# Okabe and Ito's palette; the first two are the two arms everywhere.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 2)))
DASHES = ("solid", "dash", "dashdot", "dot", "longdashdot", "longdash", "5px,1px")
GREY = "#595959"
STYLE = {
    "font.family": "DejaVu Sans", "font.size": 9, "axes.spines.top": False,
    "axes.spines.right": False, "axes.linewidth": 0.8, "legend.frameon": False,
    "figure.dpi": 100, "savefig.dpi": 160, "svg.hashsalt": "figure", "lines.linewidth": 1.6,
    "text.parse_math": False,  # a dollar sign in the name of an arm is a dollar sign
    "svg.fonttype": "none", "pdf.fonttype": 42,  # text stays text, to be searched and edited
}  # fmt: skip
SIZES = {"page": (7.0, 3.8), "half": (3.5, 2.9)}  # inches, without the table
ROW = 0.16  # inches, one row of the table
LETTERS_PER_INCH = 15  # of the strip above the axes
STRIP = 0.15  # inches, one line of it
NICE_STEPS = {
    "months": (1, 2, 3, 4, 6, 12, 24, 36, 48, 60, 120, 240),
    "days": (1, 2, 5, 7, 10, 14, 20, 30, 60, 90, 180, 365, 730, 1095, 1825, 3650),
}


def styles(answer: Answer) -> dict[str, tuple]:
    """Colour, matplotlib line and plotly dash of each group of the compared column, in its fixed
    order: neither a filter nor another reference recolours an arm."""
    every = column_levels(answer.cohort, answer.view.compare)
    pick = [(COLOURS[i % 7], LINES[i % 7], DASHES[i % 7]) for i in range(len(every))]
    return dict(zip(every, pick, strict=True))


def time_ticks(last_day: float, most: int, unit: str = "months") -> np.ndarray:
    """Tick positions from 0 that cover `last_day`, `most` intervals at the most, in `unit`."""
    last = last_day / DAYS_PER[unit]
    step = next((s for s in NICE_STEPS[unit] if last / s <= most), np.ceil(last / most))
    return np.arange(0, last + 1e-9, step)


def wrapped(name: str, width: str = "page") -> str:
    """A name in lines short enough for a legend."""
    return textwrap.fill(name, {"page": 40, "half": 36}[width], max_lines=3)


def stamp(
    figure: Figure,
    status: str,
    mark: str = "",
    *,
    whose: str = "",
    ax=None,
    beside=None,
    letters: int | None = None,
) -> None:
    """Draw the status of the data above the axes, and its mark inside, for those who crop.

    Parameters
    ----------
    figure : Figure
        Its first axes are drawn into, unless others are named.
    status : str
        What the data is.
    mark : str
        What no result of it is; empty for rows that are patients.
    whose : str
        Which patients the figure is about, where that is not all of them; above the status, and
        the figure grows by it.
    ax : Axes, optional
        The axes meant.
    beside : (Axes, float, float), optional
        Where the mark stands, in shares of these axes, when the middle of `ax` is covered by
        what is drawn; in a narrow column.
    letters : int, optional
        Of a line above the axes; by default as many as fit.
    """
    columns = 1 if ax is None else ax.get_gridspec().ncols
    ax = ax or figure.axes[0]
    wide = figure.get_figwidth() / columns
    line = textwrap.fill(status, letters or int(wide * LETTERS_PER_INCH))
    ax.text(1, 1.01, line, transform=ax.transAxes, ha="right", va="bottom", fontsize=8,
            color=GREY, gid="status")  # fmt: skip
    if whose:
        lines = textwrap.wrap(whose, letters or int((wide - 0.7) * LETTERS_PER_INCH))
        side = {"ha": "left"} if columns == 1 else {"ha": "right", "multialignment": "left"}
        above = 72 * STRIP * (line.count("\n") + 1) * bool(line) + 3  # points
        ax.annotate("\n".join(lines), (columns > 1, 1), (0, above), "axes fraction",
                    "offset points", va="bottom", fontsize=8, gid="whose", **side)  # fmt: skip
        figure.set_figheight(figure.get_figheight() + STRIP * len(lines))
    if mark:
        ax, x, y = beside or (ax, 0.5, 0.5)
        size = 7 if beside else 10 if wide > 5 else 8
        ax.text(x, y, watermark(mark, 15 if beside else 26), transform=ax.transAxes, ha="center",
                va="center", fontsize=size, color=GREY, alpha=0.5, zorder=0,
                gid="mark")  # fmt: skip


def named(figure: Figure, lines, **options) -> None:
    """A legend of these lines by their labels, whatever letter a label begins with: by itself
    matplotlib leaves out those that begin with an underscore."""
    lines = list(lines)
    figure.legend(lines, [line.get_label() for line in lines], loc="outside upper left", **options)


def cohort_of(of: Answer | Cohort) -> Cohort:
    return of.cohort if isinstance(of, Answer) else of


def says(of: Answer | Cohort) -> dict:
    """What `stamp` draws of an answer or a cohort: status, mark, and whose an answer is."""
    cohort = cohort_of(of)
    about = whose(of) if isinstance(of, Answer) else ""
    return {"status": cohort.status_line, "mark": cohort.mark, "whose": about}


def add_footer(figure: Figure, text: str) -> None:
    """Write what a figure shows and rests on below it, for when it travels without its page."""
    line = textwrap.fill(text, int(figure.get_figwidth() * LETTERS_PER_INCH))
    figure.set_figheight(figure.get_figheight() + STRIP * (line.count("\n") + 1))
    figure.supxlabel(line, x=0.01, ha="left", fontsize=8, color=GREY, parse_math=False)


def watermark(mark: str, letters: int = 26) -> str:
    """A mark in short lines, for the middle of a figure."""
    return textwrap.fill(mark.upper(), letters)


def is_stamped(figure) -> bool:
    """Is the status of the data drawn into a figure?"""
    if isinstance(figure, Figure):
        return bool(figure.findobj(lambda artist: artist.get_gid() == "status"))
    return any(note.name == "status" for note in figure.layout.annotations)
