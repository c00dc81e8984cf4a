"""A number you wish had been printed: pick a range, add a number, see what is left of it.

What is left is counted among the cohorts that were found, so it is too narrow if anything: a
search aimed at the added number can only widen it. Without a kernel a table stands in.
"""

from html import escape

import ipywidgets as w
import numpy as np
import pandas as pd

from helpers.explorer.parts import WIDE
from helpers.notebook import table
from helpers.pages.pinned_beside import SAID
from helpers.pages.pinned_page import (
    CAVEAT,
    MADE_UP,
    NEUTRAL,
    SET,
    added_text,
    read_most,
    targets,
)
from helpers.paper import pinned
from helpers.paper.unprinted import UNITS, unprinted

STATIC = (
    "<p><em>In a running notebook this cell asks for any range and any added number; it needs a "
    "running kernel. In its place stands, for each range that was searched for with one number "
    "more, the made-up number that tells most.</em></p>"
)
AMONG = (
    "Among the cohorts found only: a search aimed at the added number can find others and widen "
    "the range, never narrow it."
)
# How exactly a number is printed, as half a unit of its last digit, by the unit of the page.
DIGITS = {
    "percent": (0.5, 0.05, 2.5), "points": (0.5, 0.05, 2.5), "months": (0.05, 0.005, 0.5),
    "count": (0.0, 1.0, 2.0), "ratio": (0.005, 0.05, 0.025), "P": (0.005, 0.0005, 0.05),
}  # fmt: skip
BAR, LEFT, RIGHT = 26, 230, 580  # pixels: height of a row, and where the bars are
COLOURS = {"printed numbers alone": "#9AA5B1", "with plausibility rules": "#0072B2"}
ADDED = "#D55E00"


class Wish:
    """The controls and what they show; `widget` is the page, `left` the range that is left.

    Parameters
    ----------
    own : Series
        Values of the cohort of the page, by quantity: what is proposed as the added number.

    Examples
    --------
    >>> from helpers.paper.unprinted import values
    >>> from helpers.cohort import load_cohort
    >>> wish = Wish(values(load_cohort()))
    >>> wish.extra.value = "os_12_cd20"
    >>> bool(wish.left[0] <= wish.left[1])
    True
    """

    def __init__(self, own: pd.Series, *, target: str = "os_12_diff", extra: str = "os_6_cd20"):
        self.own = own
        names = [(q.label, n) for n, q in unprinted().items() if n in pinned.ranges().index]
        wide = WIDE | {"style": {"description_width": "150px"}}
        self.target = w.Dropdown(options=names, value=target, description="The range of", **wide)
        self.extra = w.Dropdown(options=names, value=extra, description="Had they printed", **wide)
        self.value = w.FloatText(description="as", **wide)
        self.half = w.Dropdown(description="plus or minus", **wide)
        self.basis = w.Dropdown(
            options=[("print and rules", "rules"), ("printed numbers alone", "print")],
            description="Cohorts that keep", **wide,
        )  # fmt: skip
        self.shown = w.HTML()
        self.widget = w.VBox(
            [self.target, self.extra, self.value, self.half, self.basis, self.shown]
        )
        self.quiet = False
        self.propose()
        self.extra.observe(lambda _: self.propose(), "value")
        for control in (self.target, self.value, self.half, self.basis):
            control.observe(lambda _: self.show(), "value")

    def _repr_mimebundle_(self, **kwargs):
        caption = f"The added number that tells most of each range. {CAVEAT}"
        static = table(added_text(most=1), of=f"{SET} {MADE_UP}", caption=caption)
        bundle = self.widget._repr_mimebundle_(**kwargs)
        return bundle | {"text/html": STATIC + static.data, "text/plain": "One number more"}

    def propose(self) -> None:
        """Offer the value that the rows of the page have, in the digits of its unit."""
        kind = UNITS[unprinted()[self.extra.value].unit]
        self.quiet = True  # the answer follows once, when all controls are set
        self.value.value = round(float(self.own[self.extra.value]), kind.digits)
        self.half.options = [(f"{half:g} {kind.name}", half) for half in DIGITS[kind.name]]
        self.half.value = DIGITS[kind.name][0]
        self.quiet = False
        self.show()

    def show(self) -> None:
        if self.quiet:
            return
        given = self.target.value, self.extra.value, self.value.value, self.half.value
        low, high, self.cohorts = pinned.narrowed(*given, basis=self.basis.value)
        self.left = (low, high)
        self.shown.value = self.page()

    def page(self) -> str:
        """Bars, and beside them the words for those who do not see bars."""
        row, target = pinned.ranges().loc[self.target.value], unprinted()[self.target.value]
        extra, unit = unprinted()[self.extra.value], UNITS[target.unit]
        ends = {"printed numbers alone": (row["print_low"], row["print_high"]),
                "with plausibility rules": (row["low"], row["high"])}  # fmt: skip
        if self.cohorts:
            ends[f"{self.basis.label}, your number"] = self.left
            looked = len(pinned.witnesses(self.basis.value))
            said = f"{self.cohorts} of the {looked} cohorts found would print it. {AMONG}"
        else:
            said = (
                "None of the cohorts found would print it. That proves nothing: they were not "
                "looked for with this number in mind."
            )
        kind = UNITS[extra.unit].name
        behind = "%" if kind == "percent" else SAID.get(kind, "")
        title = f"{target.label}, had {extra.label} been printed as {self.value.value:g}{behind}"
        most = ""
        if self.target.value in targets():
            told = read_most(self.target.value).removesuffix(CAVEAT)
            most = f"From searches that were aimed, print and rules kept: {told}"
        return (
            f"<h4>{escape(title)}</h4>{bars(ends, unit, title)}"
            f"<p>{escape(said)} {escape(CAVEAT)}</p><p>{escape(most)}</p>"
            f"<p><small>{escape(SET)} The number that you add was not printed.</small></p>"
        )


def bars(ends: dict[str, tuple[float, float]], unit, title: str) -> str:
    """Ranges as horizontal bars with their numbers, one below the other, on one scale."""
    scale = np.log if unit.log else np.asarray
    points = {name: scale(np.maximum(pair, 1e-12) if unit.log else pair)
              for name, pair in ends.items()}  # fmt: skip
    low = min(pair[0] for pair in points.values())
    wide = max(pair[1] for pair in points.values()) - low or 1.0
    lines, told = [], []
    for at, (name, pair) in enumerate(points.items()):
        x = [LEFT + (v - low) / wide * (RIGHT - LEFT) for v in pair]
        y = BAR * at + BAR / 2
        text = " to ".join(unit.text(v) for v in ends[name]) + SAID.get(unit.name, "")
        told.append(f"{name}: {text}")
        colour = COLOURS.get(name, ADDED)
        lines.append(
            f'<text x="0" y="{y + 4}">{escape(name)}</text>'
            f'<rect x="{x[0]:.1f}" y="{y - 6}" width="{max(x[1] - x[0], 2):.1f}" height="12" '
            f'fill="{colour}"/><text x="{RIGHT + 12}" y="{y + 4}">{escape(text)}</text>'
        )
    if unit.name in NEUTRAL:
        nothing = LEFT + (scale(NEUTRAL[unit.name]) - low) / wide * (RIGHT - LEFT)
        if LEFT < nothing < RIGHT:
            lines.append(f'<rect x="{nothing:.1f}" y="0" width="1" height="{BAR * len(points)}"/>')
            told.append(f"a line marks {NEUTRAL[unit.name]:g}, no difference")
    height, label = BAR * len(points), escape(f"{title}. {'; '.join(told)}")
    return (
        f'<svg role="img" aria-label="{label}" '
        f'viewBox="0 0 760 {height}" width="760" height="{height}" '
        f'style="max-width:100%;font:13px sans-serif">{"".join(lines)}</svg>'
    )
