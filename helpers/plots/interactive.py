"""The plotly twin of the survival figure, with hover."""

import textwrap
from html import escape

import numpy as np

from helpers.analysis import Answer
from helpers.conventions import DAYS_PER_MONTH
from helpers.plots.drawn import steps
from helpers.plots.style import GREY, says, styles, time_ticks, watermark
from helpers.survival import risk_table
from helpers.whose import readable, start
from helpers.words import comparison, log_rank

LETTERS = 44  # of a line above the axes: fits a telephone
LINE, ENTRY = 15, 20  # pixels of a line of text and of a name beside its colour
TOOLS = 30  # pixels of plotly's buttons, which stand above all
CURVES, ROW = 330, 17  # pixels of the axes, and of a row of the table below them


def plotly_survival(answer: Answer):
    """The survival figure with hover: estimate, interval and number at risk at every step.

    Returns
    -------
    plotly.graph_objects.Figure
        Same curves, marks and table as `figure_survival`; all words stand above the axes.
    """
    from plotly.subplots import make_subplots

    answer = readable(answer)
    table = 3 * max(1, len(answer.groups)) * ROW
    figure = make_subplots(
        2, 1, shared_xaxes=True, vertical_spacing=0.14, row_heights=[CURVES - 30, table]
    )
    draw_curves(figure, answer)
    rows = draw_table(figure, answer)
    tall = CURVES + 50 + ROW * rows
    top = head(figure, answer, tall)
    figure.update_xaxes(
        title=literal(f"Months since {start(answer)}"), showticklabels=True, row=1, col=1
    )
    figure.update_xaxes(visible=False, row=2, col=1)
    figure.update_yaxes(title=literal(answer.label), range=[0, 1.02], row=1, col=1)
    figure.update_layout(
        template="simple_white", height=tall + top, font={"size": 12}, hovermode="closest",
        margin={"l": 60, "r": 20, "t": top, "b": 20},
    )  # fmt: skip
    return figure


def literal(text: str, letters: int = 0) -> str:
    """Text as plotly shows it letter by letter, which reads HTML and templates; in lines of so
    many letters, or in one."""
    lines = textwrap.wrap(text, letters) if letters else [" ".join(text.split())]
    return "<br>".join(escape(line, quote=False).replace("{", "&#123;") for line in lines)


def draw_curves(figure, answer: Answer) -> None:
    """Curves with their bands, hover and censor ticks."""
    look = styles(answer)
    for name, curve in answer.curves.groupby("group", sort=False):
        colour, _, dash = look[name]
        month, estimate, low, high = (np.round(v, 4) for v in steps(curve)[:4])
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
            x=month, y=estimate, name=literal(name, LETTERS), legendgroup=name, mode="lines",
            line={"color": colour, "dash": dash, "shape": "hv", "width": 2},
            customdata=[*zip(at_risk.tolist(), limits, strict=True)],
            hovertemplate="%{y:.1%} (%{customdata[1]})<br>month %{x:.1f}, "
            f"at risk %{{customdata[0]}}<extra>{literal(name)}</extra>",
        )  # fmt: skip
        gone = curve[curve["n_censor"] > 0]
        figure.add_scatter(
            x=np.round(gone["time"] / DAYS_PER_MONTH, 4), y=np.round(gone["estimate"], 4),
            mode="markers", marker={"symbol": "line-ns-open", "size": 6, "color": colour},
            showlegend=False, legendgroup=name, hoverinfo="skip",
        )  # fmt: skip


def draw_table(figure, answer: Answer) -> int:
    """Numbers at risk and events below their ticks; how many rows that took."""
    if not answer.groups:
        return 0
    look, rows = styles(answer), []
    ticks = time_ticks(answer.curves["time"].max(), 8)
    table = risk_table(answer.curves, ticks * DAYS_PER_MONTH)
    for name in answer.groups:
        part, short = table[table["group"] == name], textwrap.shorten(name, LETTERS)
        rows.append(("", [0], [f"<b>{literal(short)}</b>"], look[name][0], "middle right"))
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
    return len(rows)


def head(figure, answer: Answer, tall: int) -> int:
    """Write what stands above the axes, from below: status, whose it is, comparison, names; and
    the mark. Returns the pixels that this takes; `tall` are those of the rest."""
    told = says(answer)
    compared = [line for line in (*comparison(answer), log_rank(answer)) if line]
    if not answer.groups:
        compared = ["No patient is left"]
    blocks = [
        ("status", [told["status"]], {"size": 11, "color": GREY}),
        ("whose", [told["whose"]], {"size": 12}),
        ("comparison", compared, {"size": 12}),
    ]
    above = 4
    for name, lines, font in blocks:
        text = "<br>".join(literal(line, LETTERS) for line in lines if line)
        if text:
            figure.add_annotation(
                text=text, name=name, font=font, x=0, y=1, yshift=above, align="left",
                xanchor="left", yanchor="bottom", xref="x domain", yref="y domain", showarrow=False,
            )  # fmt: skip
            above += LINE * (text.count("<br>") + 1) + 6
    if told["mark"]:
        figure.add_annotation(
            text=literal(watermark(told["mark"]), 26), name="mark", x=0.5, y=0.5, opacity=0.5,
            font={"size": 14, "color": GREY}, xref="x domain", yref="y domain", showarrow=False,
        )  # fmt: skip
    figure.update_layout(legend={
        "orientation": "v", "tracegroupgap": 0, "x": 0, "yanchor": "bottom",
        "y": 1 + above / (tall - 20),
    })  # fmt: skip
    names = [literal(name, LETTERS).count("<br>") + 1 for name in answer.groups]
    return above + sum(ENTRY + LINE * (lines - 1) for lines in names) + TOOLS


def rgb(colour: str) -> tuple[int, int, int]:
    """The parts of a #RRGGBB colour, 0 to 255."""
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
