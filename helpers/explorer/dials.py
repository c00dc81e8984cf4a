"""Dials to turn against a known truth: waiting time, and a confounder that nobody recorded.

Each is a row of controls with a sentence, a picture and a table behind them. Without a kernel
the same controls move over fewer settings, whose answers were stored when the cell was run.
"""

import json
from collections.abc import Callable
from functools import cache
from html import escape
from itertools import product
from pathlib import Path
from typing import NamedTuple

import ipywidgets as w
import numpy as np
import pandas as pd
from IPython.display import HTML

from helpers.explorer.parts import WIDE
from helpers.pages.bias_time import MADE
from helpers.pages.bias_unseen import one_confounder, read_confounder, read_needed
from helpers.pages.predict import one_line
from helpers.pages.quiz import OWN_KEYS
from helpers.simulate.cohort import simulate_cohort
from helpers.simulate.dials import Dials
from helpers.simulate.waiting import COLUMNS, three_models
from helpers.words import percent, plain_text, ratio

STORED = (
    "Stored answers to some settings. With a running kernel, run this cell: it answers to all of "
    "them."
)
SCRIPT = Path(__file__).with_suffix(".js")
ROW, LEFT, RIGHT, WIDE_AS = 26, 140, 440, 600  # pixels: height of a row, where the axis is, width
LOWEST, HIGHEST = 0.1, 3.0  # hazard ratios at the ends of the axis
LABELLED = (0.1, 0.2, 0.5, 1, 2)
# Of a long wait few are infused by an early landmark: with 10,000 patients a ratio of 1.26 came up
# there where nothing works.
PATIENTS = 60_000


class Control(NamedTuple):
    """A setting: its label, its values and which is set at first; `stored` are those without a
    kernel, `value` among them, and `listed` says that they are names and no scale."""

    label: str
    values: tuple
    stored: tuple
    value: object
    text: Callable[[object], str] = "{:g}".format
    listed: bool = False


class Turned(NamedTuple):
    """An answer: a sentence, ratios (as `helpers.words.ratio` takes them, on the log scale, with
    `approach`) and where the dashed line stands."""

    said: str
    table: pd.DataFrame
    truth: float


class Dial:
    """Controls and what they show; `widget` is the page, `shown` the answer of the settings.

    Parameters
    ----------
    controls : dict
        Name of a setting to its control; the names are those of the arguments of `answer`.
    answer : callable
        Settings to `Turned`.
    note : str
        What the numbers rest on.
    static : HTML
        A table of settings, for print and for whoever reads rather than turns.
    """

    def __init__(self, controls: dict[str, Control], answer: Callable[..., Turned], note: str,
                 static: HTML):  # fmt: skip
        self.of, self.answer, self.note, self.static = controls, answer, note, static
        self.controls = {name: live(control) for name, control in controls.items()}
        self.shown = w.HTML()
        self.widget = w.VBox([*self.controls.values(), self.shown])
        for control in self.controls.values():
            control.observe(lambda _: self.turn(), "value")
        self.turn()

    def turn(self) -> None:
        """Answer the settings as they stand."""
        turned = self.answer(**{name: c.value for name, c in self.controls.items()})
        self.shown.value = shown(turned, self.note)

    def stored(self) -> str:
        """A form of plain HTML that shows the stored answers, one at a time."""
        settings = list(product(*(c.stored for c in self.of.values())))
        first = settings.index(tuple(c.value for c in self.of.values()))
        turned = [self.answer(**dict(zip(self.of, s, strict=True))) for s in settings]
        told = [[t.said, place(t.truth), [drawn(row) for _, row in t.table.iterrows()]]
                for t in turned]  # fmt: skip
        answers = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        boxes = "".join(fixed(name, control) for name, control in self.of.items())
        handler = one_line(SCRIPT)
        return (
            f'<form class="stored" method="dialog" autocomplete="off" '
            f'data-answers="{escape(answers)}" oninput="{escape(handler)}">'
            f"<p><em>{escape(STORED)}</em></p>{boxes}{shown(turned[first], self.note)}</form>"
        )

    def _repr_mimebundle_(self, **kwargs):
        bundle = self.widget._repr_mimebundle_(**kwargs)
        return bundle | {"text/html": self.stored() + self.static.data, "text/plain": "Dials"}


def live(control: Control) -> w.Widget:
    """A control with a kernel; a slider answers when it is let go."""
    options = [(control.text(v), v) for v in control.values]
    style = {"style": {"description_width": "200px"}}
    keys = {"options": options, "value": control.value, "description": control.label}
    if control.listed:
        return w.Dropdown(**keys, **WIDE | style)
    return w.SelectionSlider(continuous_update=False, **keys, **WIDE | style)


def fixed(name: str, control: Control) -> str:
    """The same without one."""
    texts = [control.text(v) for v in control.stored]
    at = control.stored.index(control.value)
    about = f'name="{name}" data-texts="{escape(json.dumps(texts, ensure_ascii=False))}" {OWN_KEYS}'
    if control.listed:
        options = "".join(f'<option value="{k}"{" selected" * (k == at)}>{escape(t)}</option>'
                          for k, t in enumerate(texts))  # fmt: skip
        box = f"<select {about}>{options}</select>"
    else:
        box = (
            f'<input type="range" min="0" max="{len(texts) - 1}" step="1" value="{at}" {about} '
            f'aria-valuetext="{escape(texts[at])}"><output>{escape(texts[at])}</output>'
        )
    return (
        f'<p><label><span style="display:inline-block;min-width:12rem">{escape(control.label)}'
        f"</span> {box}</label></p>"
    )


def waiting_dial(static: HTML, *, seed: int, patients: int = PATIENTS) -> Dial:
    """Mean wait, true ratio and landmark, and what three models make of them."""
    controls = {
        "wait": Control("Mean wait, days", tuple(range(0, 181, 15)), (0, 30, 60, 120, 180), 60),
        "true": Control("True hazard ratio", (0.3, 0.5, 0.7, 1.0, 1.4), (0.5, 1.0), 1.0),
        "falling": Control("Hazard over time", (1.0, 0.6), (1.0, 0.6), 1.0,
                           lambda v: "constant" if v == 1 else "falling", listed=True),
        "day": Control("Landmark, day", tuple(range(15, 181, 15)), (30, 60, 120), 60),
    }  # fmt: skip

    @cache
    def made(wait: float, true: float, falling: float) -> tuple[pd.DataFrame, pd.DataFrame]:
        effect = float(np.log(true))
        dials = Dials(patients=patients, wait_mean=wait, shape=falling, log_hr_death=effect,
                      log_hr_progression_free=effect)  # fmt: skip
        cohort = simulate_cohort(dials, seed)
        whole = three_models(
            cohort, **COLUMNS, day=0, engine="fast", of=("ever treated", "time-dependent")
        )
        return cohort, whole

    def answer(wait: float, true: float, falling: float, day: float) -> Turned:
        cohort, whole = made(wait, true, falling)
        late = three_models(cohort, **COLUMNS, day=day, engine="fast", of=("landmark",))
        table = pd.concat([whole[:1], late, whole[1:]], ignore_index=True)
        off = np.exp(table.loc[0, "estimate"]) / true
        early = percent((cohort["os_time"] <= day).mean())
        by_then = percent((cohort["infusion_day"] <= day)[cohort["os_time"] > day].mean(), 1)
        said = (
            f"Ever treated shows {off:.2f} times the true ratio of {true:g}. The landmark leaves "
            f"out {early} of {patients:,} patients, and takes {by_then} of the others for treated. "
            f"{percent(cohort['infused'].mean())} were infused."
        )
        return Turned(said, table, true)

    return Dial(controls, answer, MADE, static)


def confounder_dial(ratios: pd.DataFrame, static: HTML, *, of: str) -> Dial:
    """A trait's strength and how common it is in each group, and what it leaves of a ratio."""
    rows = {row.label: row for row in ratios.itertuples()}
    first = next(iter(rows.values()))
    shares = tuple(round(v, 2) for v in np.arange(0, 1.001, 0.05))
    some = (0.0, 0.2, 0.4, 0.6, 0.8)
    common = (0.2, 0.6) if first.estimate < 1 else (0.6, 0.2)
    controls = {
        "label": Control("The ratio of", tuple(rows), tuple(rows), first.label, str, listed=True),
        "strength": Control("Multiplies the event by", (1, 1.5, 2, 3, 4, 5, 7, 10),
                            (1.5, 2, 3, 5, 10), 3),
        "treated": Control("Have it, first group", shares, some, common[0], percent),
        "untreated": Control("Have it, other group", shares, some, common[1], percent),
    }  # fmt: skip

    def answer(label: str, strength: float, treated: float, untreated: float) -> Turned:
        row = rows[label]
        left = one_confounder(row, strength, treated, untreated)
        names = ("estimate", "conf_low", "conf_high")
        table = pd.DataFrame(
            [{"approach": "as it stands"} | {c: np.log(getattr(row, c)) for c in names},
             {"approach": "beyond this trait"} | {c: np.log(left[c]) for c in names}]
        )  # fmt: skip
        said = plain_text(read_confounder(row, strength, treated, untreated))
        return Turned(f"{said} {read_needed(row, strength)}", table, 1.0)

    return Dial(controls, answer, of, static)


def shown(turned: Turned, note: str) -> str:
    """An answer as HTML."""
    return (
        f'<p class="said">{escape(turned.said)}</p>{dots(turned.table, turned.truth)}'
        f"<p><small>{escape(note)}</small></p>"
    )


def place(value: float) -> float:
    """Where a ratio stands on the axis, in pixels."""
    part = (np.log(value) - np.log(LOWEST)) / (np.log(HIGHEST) - np.log(LOWEST))
    return round(LEFT + float(np.clip(part, 0, 1)) * (RIGHT - LEFT), 1)


def drawn(row: pd.Series) -> list:
    """The text of a row, and where its dot and the ends of its interval stand; None for none."""
    if not np.isfinite(row["estimate"]):
        return [ratio(row), None, None, None]
    return [ratio(row), *(place(np.exp(row[c])) for c in ("estimate", "conf_low", "conf_high"))]


def dots(table: pd.DataFrame, truth: float) -> str:
    """Ratios as dots with their intervals on one log axis, and their numbers beside them."""
    height, at = ROW * (len(table) + 1), place(truth)
    lines = [f'<line class="truth" x1="{at}" y1="0" x2="{at}" y2="{height - ROW}" '
             f'stroke="#595959" stroke-dasharray="3 3"/>']  # fmt: skip
    told = []
    for k, (_, row) in enumerate(table.iterrows()):
        y = ROW * k + ROW / 2
        text, middle, low, high = drawn(row)
        told.append(f"{row['approach']}: {text}.")
        hidden = ' style="display:none"' if middle is None else ""
        lines.append(
            f'<g><text x="0" y="{y + 4}">{escape(row["approach"])}</text>'
            f'<text x="{RIGHT + 12}" y="{y + 4}">{escape(text)}</text>'
            f'<line x1="{low or 0}" y1="{y}" x2="{high or 0}" y2="{y}" stroke="black" '
            f'stroke-width="2"{hidden}/><circle cx="{middle or 0}" cy="{y}" r="5"{hidden}/></g>'
        )
    lines += [f'<text x="{place(v)}" y="{height - 8}" text-anchor="middle">{v:g}</text>'
              for v in LABELLED]  # fmt: skip
    label = escape(f"Hazard ratios. {' '.join(told)}")
    return (
        f'<svg role="img" aria-label="{label}" viewBox="0 0 {WIDE_AS} {height}" width="{WIDE_AS}" '
        f'height="{height}" style="max-width:100%;font:13px sans-serif">{"".join(lines)}</svg>'
    )
