"""The plotly twins of the landscape figures: one menu, and each row's source on hover.

A menu entry chooses rows, and for medians the one clock that is shown: two clocks never share an
axis. Entries work without a kernel. The first, which is what opens, shows nothing but outcomes
after CD19 CAR-T.
"""

import textwrap
from html import escape
from typing import NamedTuple

import pandas as pd

from helpers.paper.option_outcomes import STUDY
from helpers.paper.options import AFTER, GROUPS, TIERS, TIME_ZEROS
from helpers.plots.landscape import NAMES, absent, axis_of, look
from helpers.plots.style import GREY

SYMBOLS = {"o": "circle", "s": "square", "D": "diamond-open", "x": "x-thin-open"}
EVERY = "every population"
OTHERS = "Other populations"
OPEN = "\u2003\u2192"  # an interval goes on: no upper limit was printed
ROW, FRAME = 21, 205  # pixels of a row, and of all around the rows


class Entry(NamedTuple):
    """A menu entry: what it is called, which rows it shows, and the clock of its medians."""

    label: str
    keep: pd.Series
    clock: str = ""


def plotly_rates(frame: pd.DataFrame, *, status: str, highlight: bool = False):
    """Response rates with hover and a menu of options.

    Parameters
    ----------
    frame : DataFrame
        As `rates` gives it, of every population.
    status, highlight
        As for `helpers.plots.landscape.figure_rates`.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    frame, after = others_last(frame)
    entries = [Entry(f"All options, {AFTER}", after)]
    entries += [Entry(group, after & (frame["option_group"] == group)) for group in GROUPS]
    entries += [Entry(OTHERS, ~after), Entry(f"All options, {EVERY}", after | True)]
    titles = [f"{NAMES[name]}, %" for name in ("orr", "crr")]
    figure = drawn(frame, ("orr", "crr"), entries, titles, status, highlight)
    figure.update_xaxes(range=[-3, 103], tickvals=[0, 25, 50, 75, 100])
    return figure


def plotly_medians(frame: pd.DataFrame, *, status: str, highlight: bool = False):
    """Medians with hover, one clock at a time, and a menu of clocks and options.

    Parameters
    ----------
    frame : DataFrame
        As `medians` gives it, of every population.
    status, highlight
        As for `helpers.plots.landscape.figure_rates`.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    frame, after = others_last(frame)
    entries = []
    for clock in reversed(TIME_ZEROS):  # most rows state none
        told = "Clock not stated" if clock == "not stated" else f"Clock: {clock}"
        same = frame["time_zero"] == clock
        entries.append(Entry(f"{told}; all options", same & after, clock))
        inside = [same & after & (frame["option_group"] == group) for group in GROUPS]
        entries += [Entry(f"{told}; {group}", chosen, clock)
                    for group, chosen in zip(GROUPS, inside, strict=True)
                    if chosen.sum() < (same & after).sum()]  # fmt: skip
        if (same & ~after).any():
            entries.append(Entry(f"{told}; {EVERY}", same, clock))
    titles = [f"{NAMES[name]}, {axis_of(entries[0].clock)}" for name in ("pfs", "os")]
    figure = drawn(frame, ("pfs", "os"), entries, titles, status, highlight)
    figure.update_xaxes(rangemode="tozero", matches="x")  # one clock, one scale
    return figure


def others_last(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Rows of other populations behind the rest, under each clock; and who is after CAR-T."""
    after = frame["population"] == AFTER
    order = frame["time_zero"].map(TIME_ZEROS.index) * 2 + ~after
    frame = frame.loc[order.sort_values(kind="stable").index].reset_index(drop=True)
    return frame, frame["population"] == AFTER


def drawn(frame, endpoints, entries, titles, status, highlight):
    """Both panels, a trace for each set of rows that the menu shows or hides together."""
    from plotly.subplots import make_subplots

    entries = [entry for entry in entries if entry.keep.any()]
    figure = make_subplots(1, 2, shared_yaxes=True, horizontal_spacing=0.04)
    study = frame["study"].str.startswith(STUDY)
    keys = [frame["time_zero"], frame["option_group"], frame["population"], study]
    place = dict.fromkeys(zip(frame["time_zero"], frame["row_id"], strict=True))
    place = {key: at for at, key in enumerate(place)}
    frame = frame.assign(
        at=[*map(place.get, zip(frame["time_zero"], frame["row_id"], strict=True))]
    )
    members = []
    for _, part in frame.groupby(keys, sort=False):
        rows = part.drop_duplicates("row_id")
        for panel, endpoint in enumerate(endpoints, 1):
            found = part[part["endpoint"] == endpoint].set_index("row_id")
            found = found.reindex(rows["row_id"])
            figure.add_scatter(**trace(rows, found, endpoint, frame, highlight), row=1, col=panel)
            members.append(part.index)
    buttons = []
    for entry in entries:
        kept = frame.loc[entry.keep[entry.keep].index]
        visible = [bool(index.isin(kept.index).any()) for index in members]
        change = {"height": FRAME + ROW * kept["at"].nunique(),
                  "yaxis.range": [kept["at"].max() + 0.7, kept["at"].min() - 0.7]}  # fmt: skip
        if entry.clock:
            change |= {f"xaxis{'2' * k}.title.text": f"{NAMES[name]}, {axis_of(entry.clock)}"
                       for k, name in enumerate(endpoints)}  # fmt: skip
        args = [{"visible": visible}, change]
        buttons.append({"label": entry.label, "method": "update", "args": args})
    shown, first = buttons[0]["args"]
    for each, visible in zip(figure.data, shown["visible"], strict=True):
        each.visible = visible
    names = frame.drop_duplicates("at")
    figure.update_yaxes(automargin=True, range=first["yaxis.range"], zeroline=False,
                        tickvals=list(names["at"]), ticktext=[*map(escape, names["label"])],
                        tickfont={"size": 11}, ticks="",
                        showline=False, showgrid=True, gridcolor="#eeeeee")  # fmt: skip
    for panel, title in enumerate(titles, 1):
        figure.update_xaxes(title={"text": title, "font": {"size": 12}}, row=1, col=panel,
                            showline=True, linecolor="black", ticks="outside", showgrid=False,
                            zeroline=False)  # fmt: skip
    told = "<br>".join(map(escape, textwrap.wrap(status, 44)))  # fits a telephone
    figure.add_annotation(text=told, name="status", align="right", x=1, y=1,
                          xref="paper", yref="paper",
                          xanchor="right", yanchor="bottom", showarrow=False,
                          font={"size": 10, "color": GREY})  # fmt: skip
    menu = {"buttons": buttons, "active": 0, "x": 1, "xanchor": "right", "y": 1,
            "yanchor": "bottom", "pad": {"b": 36}, "showactive": True,
            "font": {"size": 12}}  # fmt: skip
    figure.update_layout(
        plot_bgcolor="white", updatemenus=[menu], height=first["height"],
        showlegend=False, hovermode="closest", font={"size": 12},
        margin={"l": 10, "r": 32, "t": 105, "b": 50},
    )  # fmt: skip
    figure.layout.template = None  # all is set above, and a page stores it once per figure
    return figure


def trace(rows, found, endpoint, frame, highlight):
    """The marks with their intervals; a row without a mark has words at the axis instead."""
    looks = [look({**row, "interval": ""}, highlight) for row in rows.to_dict("records")]
    value = found["estimate"]
    gone, endless = value.isna(), found["conf_low"].notna() & found["conf_high"].isna()
    words = {row_id: absent(row_id, endpoint, frame) for row_id in found.index[gone]}
    words |= dict.fromkeys(found.index[endless], OPEN)
    return {
        "x": list(value.fillna(0)),
        "y": list(rows["at"]),
        "mode": "markers+text",
        "text": ["\u2002" * (i in words) + words.get(i, "") for i in found.index],
        "textposition": "middle right",
        "cliponaxis": False,
        "textfont": {"size": 10, "color": GREY},
        "hovertext": [hover(row, endpoint) for row in found.reset_index().to_dict("records")],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "symbol": [SYMBOLS[shape] for shape, *_ in looks],
            "color": [tone for _, tone, *_ in looks],
            "size": [0 if none else 1.7 * how[3] for how, none in zip(looks, gone, strict=True)],
            "line": {"width": 1.5},
            "opacity": [0 if none else 1 for none in gone],
        },
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": blank((found["conf_high"] - value).round(2)),
            "arrayminus": blank((value - found["conf_low"]).round(2)),
            "thickness": 1.4,
            "width": 0,
            "color": looks[0][1] if highlight else GREY,
        },
    }


def blank(values: pd.Series) -> list:
    """Numbers as a list, with None where there is none."""
    return [None if pd.isna(value) else float(value) for value in values]


def hover(row: dict, endpoint: str) -> str:
    """What a mark says: the number, how it was printed, of whom, how direct, and the source."""
    if pd.isna(row["estimate"]):
        return "no number here"
    unit = "%" if endpoint in ("orr", "crr") else " months"
    lines = [f"<b>{escape(row['label'])}</b>", f"{NAMES[endpoint]}: {row['printed']}{unit}"]
    if row["interval"]:
        lines[-1] += f" ({row['limits']}; {row['interval']})"
    patients = "number of patients not printed" if pd.isna(row["n"]) else f"n = {row['n']:.0f}"
    lines += [
        f"{patients}; {row['population']}",
        f"Tier {row['tier']:.0f}: {TIERS[int(row['tier'])]}",
    ]
    source = f"Row {row['row_id']}; {row['study']}; {row['link']}"
    return "<br>".join([*lines, *map(escape, textwrap.wrap(source, 60))])
