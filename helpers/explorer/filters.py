"""One condition of a View as controls: boxes to tick for values, a range for numbers."""

from collections.abc import Callable
from html import escape

import ipywidgets as w
import numpy as np
import pandas as pd

from helpers.cohort import Cohort
from helpers.explorer.parts import NARROW, WIDTH, small
from helpers.view import Where, level_text, number_text

MOST_BOXES = 30  # levels that get a box each; a column with more is filtered through its View text


class Filter:
    """The condition on one column.

    Untouched, it is the condition it was made with, to the last digit; a control that is moved
    changes its own part of it and nothing else.
    """

    def __init__(
        self, cohort: Cohort, column: str, where: Where | None,
        changed: Callable[[], None], remove: Callable[["Filter"], None],
    ):  # fmt: skip
        self.column, self.where, self.changed = column, where, changed
        self.values = cohort.frame[column]
        self.levels = ordered_levels(self.values)
        numeric = pd.api.types.is_numeric_dtype(self.values)
        self.by_level = (where.values is not None) if where else not numeric
        label = cohort.label(column)
        missing = int(self.values.isna().sum())
        self.missing = w.Checkbox(
            value=bool(where and where.missing), indent=False,
            description=f"keep {missing} without a value",
            layout=w.Layout(width="auto", display="" if missing else "none"),
        )  # fmt: skip
        inside = self.boxes() if self.by_level else self.range(label)
        gone = small(f"Remove filter: {cohort.codebook.at[column, 'label']}", lambda: remove(self))
        self.missing.observe(lambda _: self.touched(), "value")
        self.box = w.VBox(
            [w.HTML(f"<b>{escape(label)}</b>"), inside, w.HBox([self.missing, gone])],
            layout=w.Layout(border="1px solid #b0b0b0", padding="4px 8px", margin="2px 0"),
        )

    def boxes(self) -> w.Widget:
        chosen = self.where.values if self.where else tuple(self.levels)
        self.ticks = {
            level: w.Checkbox(value=level in chosen, description=level, indent=False,
                              layout=w.Layout(width="auto", margin="0 12px 0 0"))
            for level in self.levels[:MOST_BOXES]
        }  # fmt: skip
        for tick in self.ticks.values():
            tick.observe(lambda _: self.touched(), "value")
        shown = list(self.ticks.values())
        if len(self.levels) > MOST_BOXES:
            shown.append(
                w.Label(f"and {len(self.levels) - MOST_BOXES} more: name them in the View")
            )
        return w.Box(shown, layout=w.Layout(flex_flow="row wrap"))

    def range(self, label: str) -> w.Widget:
        known = self.values.dropna()
        self.low, self.high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
        whole = bool(np.all(known == np.round(known)))
        where = self.where
        ends = (self.low if not where or where.min is None else where.min,
                self.high if not where or where.max is None else where.max)  # fmt: skip
        if ends[0] > ends[1]:  # a bound beyond the data is an empty filter, not an error
            ends = (where.min, where.min) if where.max is None else (where.max, where.max)
        low, high = min(self.low, *ends), max(self.high, *ends)
        step = 1.0 if whole else nice_step(high - low)
        kind = w.IntRangeSlider if whole and all(v == int(v) for v in (low, high, *ends)) else (
            w.FloatRangeSlider)  # fmt: skip
        number = int if kind is w.IntRangeSlider else float
        self.slider = kind(
            value=tuple(map(number, ends)), min=number(low), max=number(high), step=number(step),
            continuous_update=False, description="from, to", style=NARROW,
            layout=w.Layout(width=WIDTH),
        )  # fmt: skip
        if number is float:
            self.slider.readout_format = ".4g"
        self.slider.observe(self.moved, "value")
        return self.slider

    def moved(self, change) -> None:
        """A slider was moved: the end that stayed keeps its digits."""
        bounds = [None if self.where is None else self.where.min,
                  None if self.where is None else self.where.max]  # fmt: skip
        for end, (old, new) in enumerate(zip(change["old"], change["new"], strict=True)):
            if old != new:
                edge = (self.low, self.high)[end]
                bounds[end] = None if np.isclose(new, edge) else float(new)
        self.bounds(*bounds)

    def bounds(self, low: float | None, high: float | None) -> None:
        if low is None and high is None:
            # Only a range makes a condition; the whole range without the missing is one too.
            self.where = self.known_values()
        else:
            self.where = Where(self.column, None, low, high, self.missing.value)
        self.changed()

    def known_values(self) -> Where | None:
        """No condition, or where some values are missing and not kept: that there is a value."""
        if self.missing.value or not self.values.isna().any():
            return None
        return Where(self.column, None, self.low, self.high, False)

    def touched(self) -> None:
        """A box was ticked."""
        if not self.by_level:
            where = self.where or Where(self.column, None, None, None)
            return self.bounds(where.min, where.max)
        chosen = [level for level, tick in self.ticks.items() if tick.value]
        # Levels beyond the boxes stay as the View has them.
        rest = self.levels[MOST_BOXES:]
        kept = [v for v in rest if self.where is None or v in (self.where.values or ())]
        everything = len(chosen) + len(kept) == len(self.levels)
        if everything and (self.missing.value or not self.values.isna().any()):
            self.where = None
        else:
            self.where = Where(
                self.column, tuple(sorted(chosen + kept)), missing=self.missing.value
            )
        return self.changed()


def ordered_levels(values: pd.Series) -> list[str]:
    levels = level_text(values).dropna().unique()
    return sorted(levels, key=float if pd.api.types.is_numeric_dtype(values) else str)


def nice_step(span: float) -> float:
    """About a hundred steps of 1, 2 or 5 times a power of ten."""
    if not span > 0:
        return 1.0
    rough = span / 100
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.99)
    return float(number_text(step))
