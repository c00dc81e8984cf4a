"""Dials to turn against a known truth: waiting time, and a confounder that nobody recorded.

Each is a row of controls with a sentence, a picture and a table behind them. Without a kernel a
table of settings stands in.
"""

from collections.abc import Callable
from html import escape

import ipywidgets as w
import numpy as np
import pandas as pd
from IPython.display import HTML

from helpers.explorer.parts import WIDE
from helpers.pages.bias_time import MADE
from helpers.pages.bias_unseen import one_confounder, read_confounder, read_needed
from helpers.simulate.cohort import simulate_cohort
from helpers.simulate.dials import Dials
from helpers.simulate.waiting import COLUMNS, three_models
from helpers.words import number, percent, plain_text, ratio

STATIC = (
    "<p><em>This needs a running kernel: run this cell. In its place, some of its settings:</em>"
    "</p>"
)
ROW, LEFT, RIGHT = 26, 190, 560  # pixels: height of a row, and where the axis is
LOWEST, HIGHEST = 0.1, 3.0  # hazard ratios at the ends of the axis
LABELLED = (0.1, 0.2, 0.5, 1, 2)


class Dial:
    """Controls and what they show; `widget` is the page, `said` the text of the answer.

    Parameters
    ----------
    controls : dict
        Name of a setting to its widget; the names are those of the arguments of `answer`.
    answer : callable
        Settings to a piece of HTML.
    static : HTML
        What stands in its place without a kernel.
    """

    def __init__(self, controls: dict[str, w.Widget], answer: Callable[..., str], static: HTML):
        self.controls, self.answer, self.static = controls, answer, static
        self.shown = w.HTML()
        self.widget = w.VBox([*controls.values(), self.shown])
        for control in controls.values():
            control.observe(lambda _: self.turn(), "value")
        self.turn()

    def turn(self) -> None:
        """Answer the settings as they stand."""
        self.shown.value = self.answer(**{name: c.value for name, c in self.controls.items()})

    def _repr_mimebundle_(self, **kwargs):
        bundle = self.widget._repr_mimebundle_(**kwargs)
        return bundle | {"text/html": STATIC + self.static.data, "text/plain": "Dials"}


def slider(label: str, values, value, text: Callable[[float], str]) -> w.SelectionSlider:
    """A slider over listed values; it answers when it is let go."""
    style = {"description_width": "200px"}
    return w.SelectionSlider(options=[(text(v), v) for v in values], value=value,
                             description=label, continuous_update=False,
                             **WIDE | {"style": style})  # fmt: skip


def waiting_dial(static: HTML, *, seed: int, patients: int = 10_000) -> Dial:
    """Mean wait, true ratio and landmark, and what three models make of them."""
    controls = {
        "wait": slider("Mean wait, days", range(0, 181, 15), 60, "{:g}".format),
        "true": slider("True hazard ratio", (0.3, 0.5, 0.7, 1.0, 1.4), 1.0, "{:g}".format),
        "falling": slider("Hazard over time", (1.0, 0.6), 1.0,
                          lambda v: "constant" if v == 1 else "falling"),
        "day": slider("Landmark, day", range(15, 181, 15), 60, "{:g}".format),
    }  # fmt: skip

    def answer(wait: float, true: float, falling: float, day: float) -> str:
        effect = float(np.log(true))
        dials = Dials(patients=patients, wait_mean=wait, shape=falling, log_hr_death=effect,
                      log_hr_progression_free=effect)  # fmt: skip
        cohort = simulate_cohort(dials, seed)
        table = three_models(cohort, **COLUMNS, day=day, engine="fast")
        off = np.exp(table.loc[0, "estimate"]) / true
        early = percent((cohort["os_time"] <= day).mean())
        said = (
            f"Ever treated shows {off:.2f} times the true ratio of {true:g}. The landmark leaves "
            f"out {early} of {patients:,} patients. {percent(cohort['infused'].mean())} were "
            f"infused."
        )
        return f"<p>{escape(said)}</p>{dots(table, true)}<p><small>{escape(MADE)}</small></p>"

    return Dial(controls, answer, static)


def confounder_dial(ratios: pd.DataFrame, static: HTML, *, of: str) -> Dial:
    """A trait's strength and how common it is in each group, and what it leaves of a ratio."""
    rows = {row.label: row for row in ratios.itertuples()}
    first = next(iter(rows.values()))
    shares = [round(v, 2) for v in np.arange(0, 1.001, 0.05)]
    common = (0.2, 0.6) if first.estimate < 1 else (0.6, 0.2)
    controls = {
        "label": w.Dropdown(options=list(rows), value=first.label, description="The ratio of",
                            **WIDE),
        "strength": slider("Multiplies the event by", (1, 1.5, 2, 3, 4, 5, 7, 10), 3,
                           "{:g}".format),
        "treated": slider("Have it, first group", shares, common[0], percent),
        "untreated": slider("Have it, other group", shares, common[1], percent),
    }  # fmt: skip

    def answer(label: str, strength: float, treated: float, untreated: float) -> str:
        row = rows[label]
        left = one_confounder(row, strength, treated, untreated)
        names = ("estimate", "conf_low", "conf_high")
        table = pd.DataFrame(
            [{"approach": "as it stands"} | {c: np.log(getattr(row, c)) for c in names},
             {"approach": "beyond this trait"} | {c: np.log(left[c]) for c in names}]
        )  # fmt: skip
        said = plain_text(read_confounder(row, strength, treated, untreated))
        said += f" {read_needed(row, strength)}"
        return f"<p>{escape(said)}</p>{dots(table, 1.0)}<p><small>{escape(of)}</small></p>"

    return Dial(controls, answer, static)


def dots(table: pd.DataFrame, truth: float) -> str:
    """Ratios as dots with their intervals on one log axis, and their numbers beside them."""

    def place(value: float) -> float:
        part = (np.log(value) - np.log(LOWEST)) / (np.log(HIGHEST) - np.log(LOWEST))
        return LEFT + float(np.clip(part, 0, 1)) * (RIGHT - LEFT)

    height = ROW * (len(table) + 1)
    lines = [f'<line x1="{place(truth):.1f}" y1="0" x2="{place(truth):.1f}" y2="{height - ROW}" '
             f'stroke="#595959" stroke-dasharray="3 3"/>']  # fmt: skip
    told = []
    for at, (_, row) in enumerate(table.iterrows()):
        y, text = ROW * at + ROW / 2, ratio(row)
        told.append(f"{row['approach']}: {text}")
        lines.append(f'<text x="0" y="{y + 4}">{escape(row["approach"])}</text>'
                     f'<text x="{RIGHT + 12}" y="{y + 4}">{escape(text)}</text>')  # fmt: skip
        if np.isfinite(row["estimate"]):
            middle, low, high = (place(np.exp(row[c])) for c in
                                 ("estimate", "conf_low", "conf_high"))  # fmt: skip
            lines.append(
                f'<line x1="{low:.1f}" y1="{y}" x2="{high:.1f}" y2="{y}" stroke="black" '
                f'stroke-width="2"/><circle cx="{middle:.1f}" cy="{y}" r="5"/>'
            )
    lines += [f'<text x="{place(v):.1f}" y="{height - 8}" text-anchor="middle">{v:g}</text>'
              for v in LABELLED]  # fmt: skip
    label = escape(f"Hazard ratios; the dashed line is at {number(truth)}. {'; '.join(told)}.")
    return (
        f'<svg role="img" aria-label="{label}" viewBox="0 0 760 {height}" width="760" '
        f'height="{height}" style="max-width:100%;font:13px sans-serif">{"".join(lines)}</svg>'
    )
