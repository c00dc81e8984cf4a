"""What a Kaplan-Meier curve looks like: which form of it, on which axes.

The form and the unit are a matter of display and no part of a View: the numbers are the same.
Every picture of curves, still or with hover, takes its coordinates from here.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.analysis import Answer
from helpers.conventions import DAYS_PER
from helpers.labels import lower
from helpers.plots.style import time_ticks
from helpers.whose import start

CURVES = {
    "survival": "survival",
    "incidence": "cumulative incidence (1 - survival)",
    "log-log": "log-log, for proportional hazards",
}
UNITS = ("months", "days")
LOG_STEPS = np.array([0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000])
LOG_LEVELS = (0.99, 0.95, 0.9, 0.8, 0.6, 0.4, 0.2, 0.05)  # of survival, for the log-log axis


@dataclass(frozen=True)
class Display:
    """How curves are drawn: `curve` (a key of CURVES) and `unit` of time (one of UNITS)."""

    curve: str = "survival"
    unit: str = "months"

    def __post_init__(self):
        for name, known in (("curve", tuple(CURVES)), ("unit", UNITS)):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name}: found {getattr(self, name)!r}. To do: use {' or '.join(known)}."
                )


SURVIVAL = Display()


class Steps(NamedTuple):
    """Where one curve steps, all arrays of one length: time on the axis, height and its limits
    (NaN where there is no interval), patients censored, row of the curve (-1 for its start)."""

    x: np.ndarray
    y: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n_censor: np.ndarray
    row: np.ndarray


class Axes(NamedTuple):
    """Ticks and names of both axes; `days` are the times of the ticks on x."""

    x_ticks: np.ndarray
    x_labels: list[str]
    x_limits: tuple[float, float]
    x_label: str
    y_ticks: np.ndarray
    y_labels: list[str]
    y_limits: tuple[float, float]
    y_label: str
    days: np.ndarray


def steps(curve: pd.DataFrame, display: Display = SURVIVAL) -> Steps:
    """The steps of one group's curve, from time zero on where the axis has one.

    Parameters
    ----------
    curve : DataFrame
        One group of `Answer.curves`, times in days.
    display : Display

    Notes
    -----
    On the log-log axis, log(-log S) over log time, there is no time zero and no S of 1 or 0.
    """
    time = np.r_[0.0, curve["time"].to_numpy(float)] / DAYS_PER[display.unit]
    estimate = np.r_[1.0, curve["estimate"].to_numpy(float)]
    low, high = (np.r_[np.nan, curve[c].to_numpy(float)] for c in ("conf_low", "conf_high"))
    censored = np.r_[0, curve["n_censor"].to_numpy()]
    row = np.arange(-1, len(curve))
    if display.curve == "incidence":
        estimate, low, high = 1 - estimate, 1 - high, 1 - low
    elif display.curve == "log-log":
        kept = (time > 0) & (estimate > 0) & (estimate < 1)
        time, estimate, low, high = (v[kept] for v in (time, estimate, low, high))
        censored, row = censored[kept], row[kept]
        time = np.log(time)
        estimate, low, high = log_log(estimate), log_log(high), log_log(low)
    return Steps(time, estimate, low, high, censored, row)


def log_log(survival: np.ndarray) -> np.ndarray:
    """log(-log S): parallel curves are proportional hazards."""
    return np.log(-np.log(survival))


def axes(answer: Answer, display: Display = SURVIVAL, *, most: int = 8) -> Axes:
    """The axes for the curves of an answer, with `most` intervals on x at the most."""
    last = float(answer.curves["time"].max()) if len(answer.curves) else 0.0
    since = f"since {start(answer)}"
    if display.curve == "log-log":
        return log_axes(answer, display, since)
    ticks = time_ticks(last, most, display.unit)
    heights = np.arange(0, 1.01, 0.2)
    return Axes(
        ticks, [f"{tick:g}" for tick in ticks], (0.0, last / DAYS_PER[display.unit] * 1.02 or 1.0),
        f"{display.unit.capitalize()} {since}",
        heights, [f"{tick:.1f}" for tick in heights], (0.0, 1.02),
        answer.label if display.curve == "survival" else incidence_label(answer),
        ticks * DAYS_PER[display.unit],
    )  # fmt: skip


def incidence_label(answer: Answer) -> str:
    """What 1 - S is of; without competing events, for those are what it would overstate."""
    return f"1 - {lower(answer.label)}"


def log_axes(answer: Answer, display: Display, since: str) -> Axes:
    """Log time on x, log(-log S) on y; ticks say time and survival in plain numbers."""
    drawn = [steps(part, display) for _, part in answer.curves.groupby("group", sort=False)]
    x = np.concatenate([s.x for s in drawn] or [np.empty(0)])
    y = np.concatenate([s.y for s in drawn] or [np.empty(0)])
    left, right = (x.min(), x.max()) if x.size else (0.0, 1.0)
    bottom, top = (y.min(), y.max()) if y.size else (-1.0, 1.0)
    inside = [v for v in LOG_STEPS if left - 1e-9 <= np.log(v) <= right + 1e-9]
    inside = np.array(inside or [float(f"{np.exp(left):.2g}")])
    levels = [s for s in LOG_LEVELS if bottom - 0.3 <= log_log(s) <= top + 0.3] or [np.exp(-1)]
    room = 0.05 * (top - bottom) + 0.05
    return Axes(
        np.log(inside), [f"{v:g}" for v in inside],
        (left - 0.02 * (right - left) - 0.02, right + 0.02 * (right - left) + 0.02),
        f"{display.unit.capitalize()} {since}, logarithmic",
        log_log(np.array(levels)), [f"{s:.2g}" for s in levels], (bottom - room, top + room),
        f"{answer.label}, log(-log) scale", inside * DAYS_PER[display.unit],
    )  # fmt: skip
