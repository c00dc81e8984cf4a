"""The plotly twin of the survival figure, with hover."""

from html import escape

import numpy as np

from helpers.analysis import Answer
from helpers.conventions import DAYS_PER_MONTH
from helpers.plots.drawn import steps
from helpers.plots.style import GREY, styles, time_ticks, watermark, wrapped
from helpers.plots.survival import legend_place, words
from helpers.survival import risk_table
from helpers.whose import start


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
        ticks = time_ticks(answer.curves["time"].max(), 8)
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
    mark = escape(watermark(answer.cohort.mark)).replace("\n", "<br>")
    notes = [
        {"text": text, "align": "left"} | corner,
        {"text": escape(answer.cohort.status_line), "x": 1, "y": 1.0, "xanchor": "right",
         "yanchor": "bottom", "font": {"size": 10, "color": GREY}, "name": "status"},
        {"text": mark, "x": 0.5, "y": 0.5, "font": {"size": 14, "color": GREY}, "opacity": 0.5,
         "name": "mark"},
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
