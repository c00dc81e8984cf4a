"""The figure of an answer as plain data, for a page that draws it: coordinates, labels, marks.

Nothing is computed here that is not in the `Answer`; the page draws what it is given.
"""

import numpy as np
import pandas as pd

from helpers.analysis import Answer
from helpers.plots.drawn import SURVIVAL, Display, axes, steps
from helpers.plots.style import styles
from helpers.survival import risk_table
from helpers.whose import readable, whose
from helpers.words import alt_survival

FINE = 1_500  # steps of one curve that are drawn at the most: finer than a pixel is not seen
SVG_DASHES = {
    "solid": "", "dash": "7 4", "dashdot": "8 3 2 3", "dot": "2 3", "longdashdot": "12 3 2 3",
    "longdash": "13 5", "5px,1px": "5 1",
}  # fmt: skip


def scene(answer: Answer, display: Display = SURVIVAL) -> dict:
    """The curves of an answer with axes, hover, risk table and marks, as JSON-ready data.

    Returns
    -------
    dict
        x, y (ticks: list of [position, text]; limits; label), curves (name, colour, dash, x, y,
        low, high, ticks: censored; at each step time, survival, limits and number at risk for the
        hover), table (rows of cells under the ticks), whose (which patients, where not all),
        status, marks, alt, empty.
    """
    answer = readable(answer)
    on, look = axes(answer, display), styles(answer)
    curves = [
        one_curve(part, display) | {"name": name, "colour": look[name][0],
                                    "dash": SVG_DASHES[look[name][2]]}
        for name, part in answer.curves.groupby("group", sort=False)
    ]  # fmt: skip
    cohort, marks = answer.cohort, []
    if cohort.mark:
        marks.append(cohort.mark)
    if invented := cohort.invented(*answer.asked):
        marks.append(f"rests on invented values: {', '.join(invented)}")
    return {
        "x": {"ticks": pairs(on.x_ticks, on.x_labels), "limits": on.x_limits, "label": on.x_label},
        "y": {"ticks": pairs(on.y_ticks, on.y_labels), "limits": on.y_limits, "label": on.y_label},
        "curves": curves, "table": table_rows(answer, on.days), "unit": display.unit,
        "whose": whose(answer), "status": cohort.status_line, "marks": marks,
        "alt": alt_survival(answer),
        "empty": "" if answer.groups else "No patient is left",
    }  # fmt: skip


def pairs(positions, labels) -> list:
    return [[float(at), text] for at, text in zip(positions, labels, strict=True)]


def one_curve(curve: pd.DataFrame, display: Display) -> dict:
    """One group's steps, thinned where they are finer than can be drawn."""
    drawn = steps(curve, display)
    kept = thin(drawn.x)
    row = drawn.row[kept]
    known = curve.iloc[np.maximum(row, 0)]
    began = row < 0  # the start of the curve has no row of its own
    hover = {
        "time": np.where(began, 0.0, known["time"]),
        "survival": np.where(began, 1.0, known["estimate"]),
        "survival_low": np.where(began, np.nan, known["conf_low"]),
        "survival_high": np.where(began, np.nan, known["conf_high"]),
        "at_risk": known["n_risk"],
    }
    shape = {"x": drawn.x, "y": drawn.y, "low": drawn.low, "high": drawn.high}
    answer = {name: plain(np.asarray(v)[kept]) for name, v in shape.items()}
    answer |= {name: plain(v) for name, v in hover.items()}
    gone = np.flatnonzero(drawn.n_censor > 0)
    gone = gone[thin(drawn.x[gone])] if gone.size else gone
    return answer | {"censored": [plain(drawn.x[gone]), plain(drawn.y[gone])]}


def thin(x: np.ndarray) -> np.ndarray:
    """Indices of the steps to draw: all, or the last one in each of FINE columns."""
    if len(x) <= FINE:
        return np.arange(len(x))
    column = np.floor((x - x[0]) / ((x[-1] - x[0]) or 1.0) * FINE)
    return np.r_[0, np.flatnonzero(np.diff(column, append=np.inf))]


def plain(values) -> list:
    """Numbers for JSON: to six digits after the point, None where there is none."""
    rounded = np.round(np.asarray(values, float), 6)
    return [None if v != v else v for v in rounded.tolist()]


def table_rows(answer: Answer, days) -> list[dict]:
    """At risk and cumulative events of each group at the ticks."""
    if not answer.groups:
        return []
    table = risk_table(answer.curves, list(days))
    return [
        {"name": name, "at_risk": part["n_risk"].tolist(), "events": part["n_event"].tolist()}
        for name, part in table.groupby("group", sort=False)
    ]
