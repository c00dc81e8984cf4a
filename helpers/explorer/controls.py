"""The controls of a View, built from the codebook of whatever cohort is loaded."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import ipywidgets as w
import pandas as pd

from helpers.cohort import Cohort
from helpers.conventions import DAYS_PER, INTERVALS, TIE_RULES
from helpers.estimators.splits import CUTS
from helpers.explorer.filters import Filter
from helpers.explorer.parts import WIDE, folding, small
from helpers.plots.drawn import CURVES, UNITS, Display
from helpers.selection import FEW_LEVELS, column_levels
from helpers.view import View, ViewError, level_text, with_cuts

MOST_GROUPS = 7  # colours, and lines, that can be told apart


class Controls:
    """A View and a Display as widgets; `changed` is called after every change."""

    def __init__(
        self, cohort: Cohort, view: View, display: Display, changed: Callable[[], None]
    ):  # fmt: skip
        self.cohort, self.changed, self.quiet = cohort, changed, False
        self.view, self.display = view, display
        self.comparisons, self.covariates = comparisons(cohort), covariates(cohort)
        endpoints = [(label, name) for name, label in cohort.endpoints.items()]
        self.endpoint = w.Dropdown(options=endpoints, description="Endpoint", **WIDE)
        self.compare = w.Dropdown(description="Compare", **WIDE)
        self.reference = w.Dropdown(description="With", **WIDE)
        self.filters: list[Filter] = []
        self.add_filter = w.Dropdown(description="Add a filter", **WIDE)
        self.filter_box = w.VBox()
        self.add_covariate = w.Dropdown(description="Adjust for", **WIDE)
        self.covariate_box = w.Box(layout=w.Layout(flex_flow="row wrap"))
        self.landmark = w.BoundedFloatText(min=0, max=1e6, step=1, **WIDE)
        self.horizon = w.BoundedFloatText(min=0, max=1e6, step=1, **WIDE)
        self.ties = w.Dropdown(options=TIE_RULES, description="Tied times", **WIDE)
        self.intervals = w.Dropdown(options=INTERVALS, description="Intervals", **WIDE)
        self.unit = w.Dropdown(options=UNITS, description="Time in", **WIDE)
        self.curve = w.Dropdown(
            options=[(text, name) for name, text in CURVES.items()], description="Curve", **WIDE
        )
        self.firth = w.Checkbox(
            description="with few events, show Firth's penalised estimate", indent=False,
            layout=w.Layout(width="auto"),
        )  # fmt: skip
        self.start_again = small("Start again", lambda: self.set(view))
        self.box = self.laid_out()
        self.show(view)
        self.listen()

    def laid_out(self) -> w.Widget:
        more = folding("Conventions", w.VBox([self.ties, self.intervals]))
        return w.VBox(
            [
                w.HTML("<h3>Question</h3>"), self.endpoint, self.compare, self.reference,
                w.HTML("<h3>Subgroup</h3>"), self.add_filter, self.filter_box,
                w.HTML("<h3>Model</h3>"), self.add_covariate, self.covariate_box,
                self.landmark, self.horizon, self.firth, more,
                w.HTML("<h3>Display</h3>"), self.unit, self.curve, self.start_again,
            ],
            layout=w.Layout(flex="1 1 300px", max_width="400px", min_width="280px"),
        )  # fmt: skip

    def listen(self) -> None:
        for widget, field in (
            (self.endpoint, "endpoint"), (self.reference, "reference"), (self.ties, "ties"),
            (self.intervals, "intervals"),
        ):  # fmt: skip
            widget.observe(lambda change, f=field: self.edit(**{f: change["new"]}), "value")
        self.compare.observe(lambda change: self.compare_by(change["new"]), "value")
        self.add_filter.observe(lambda change: self.new_filter(change["new"]), "value")
        self.add_covariate.observe(lambda change: self.new_covariate(change["new"]), "value")
        self.landmark.observe(lambda change: self.edit(landmark=self.days(change["new"])), "value")
        self.horizon.observe(
            lambda change: self.edit(horizon=self.days(change["new"]) or None), "value"
        )
        for widget in (self.unit, self.curve):
            widget.observe(lambda _: self.redisplay(), "value")
        self.firth.observe(lambda _: self.tell(), "value")

    # -- from controls to the View ---------------------------------------------------------

    def tell(self) -> None:
        if not self.quiet:
            self.changed()

    def edit(self, **fields) -> None:
        """Change fields of the View as a control asked."""
        if self.quiet:
            return
        if fields.get("reference") == self.default_reference():
            fields["reference"] = None  # one question has one text
        self.view = replace(self.view, **fields)
        self.tell()

    def compare_by(self, column: str) -> None:
        if self.quiet:
            return
        adjust = tuple(name for name in self.view.adjust if name != column)
        self.set(replace(self.view, compare=column, reference=None, adjust=adjust))

    def new_filter(self, column: str) -> None:
        if self.quiet or not column:
            return
        self.filters.append(self.filter(column, None))
        self.show(self.view)

    def filter(self, column: str, where) -> Filter:
        return Filter(self.cohort, column, where, self.filtered, self.drop_filter)

    def conditions(self) -> tuple:
        return tuple(f.where for f in self.filters if f.where is not None)

    def filtered(self) -> None:
        """A filter was moved: its condition is part of the View now."""
        self.edit(where=self.conditions())

    def drop_filter(self, gone: Filter) -> None:
        self.filters.remove(gone)
        if gone.where is None:
            self.show(self.view)
        else:
            self.set(replace(self.view, where=self.conditions()))

    def new_covariate(self, column: str) -> None:
        if not self.quiet and column:
            self.set(replace(self.view, adjust=(*self.view.adjust, column)))

    def drop_covariate(self, column: str) -> None:
        self.set(replace(self.view, adjust=tuple(c for c in self.view.adjust if c != column)))

    def redisplay(self) -> None:
        if self.quiet:
            return
        self.display = Display(self.curve.value, self.unit.value)
        self.show(self.view)
        self.tell()

    def days(self, value: float) -> float:
        return float(value * DAYS_PER[self.display.unit])

    # -- from the View to controls ---------------------------------------------------------

    def set(self, view: View) -> None:
        """Take another View, show it and answer it."""
        self.view = view
        self.show(view)
        self.tell()

    def show(self, view: View) -> None:
        """Make every control say what the View says, and nothing else."""
        before, self.quiet = self.quiet, True
        try:
            self.endpoint.value = view.endpoint if view.endpoint in self.cohort.endpoints else None
            self.compare.options = self.offered(self.comparisons, view.compare)
            self.compare.value = view.compare
            reference = view.reference or self.default_reference()
            self.reference.options = list(dict.fromkeys([*self.levels(), reference]))
            self.reference.value = reference
            self.show_filters(view)
            self.show_covariates(view)
            self.ties.value, self.intervals.value = view.ties, view.intervals
            for widget, days in ((self.landmark, view.landmark), (self.horizon, view.horizon)):
                digits = 2 if self.display.unit == "months" else 3
                widget.value = round((days or 0) / DAYS_PER[self.display.unit], digits)
            unit = self.display.unit
            self.landmark.description = f"Landmark, {unit} (0: none)"
            self.horizon.description = f"Horizon, {unit} after it (0: none)"
            self.unit.value, self.curve.value = unit, self.display.curve
        finally:
            self.quiet = before

    def levels(self) -> list[str]:
        """The groups that are compared; none where the View's column cannot be."""
        try:
            asked = View(compare=self.view.compare)
            return column_levels(with_cuts(self.cohort, asked), self.view.compare)
        except ViewError:
            return [""]

    def default_reference(self) -> str:
        return self.levels()[-1 if self.view.compare == "arm" else 0]

    def show_filters(self, view: View) -> None:
        """A box for each condition; boxes that stay keep their state, and the keyboard's place."""
        left = list(view.where)
        kept = []
        for one in self.filters:
            if one.where is None or one.where in left:
                kept.append(one)
                if one.where is not None:
                    left.remove(one.where)
        kept += [self.filter(where.column, where) for where in left
                 if where.column in self.cohort.factors]  # fmt: skip
        self.filters = kept
        boxes = tuple(one.box for one in kept)
        if self.filter_box.children != boxes:
            self.filter_box.children = boxes
        taken = {one.column for one in kept}
        free = [(text, c) for text, c in self.named(self.cohort.factors) if c not in taken]
        self.choose(self.add_filter, [(f"choose from {len(free)} columns", ""), *free])

    def show_covariates(self, view: View) -> None:
        chips = []
        for name in view.adjust:
            chips.append(small(f"Remove {name}", partial(self.drop_covariate, name)))
        self.covariate_box.children = tuple(chips)
        taken = {*view.adjust, view.compare}
        free = [pair for pair in self.covariates if pair[1] not in taken]
        self.choose(self.add_covariate, [(f"choose from {len(free)}", ""), *free])

    def choose(self, widget: w.Dropdown, options: list) -> None:
        if tuple(widget.options) != tuple(options):
            widget.options = options
        widget.value = ""

    def offered(self, options: list, value: str) -> list:
        """Options, and the value of the View if they leave it out."""
        return options if value in {v for _, v in options} else [*options, (value, value)]

    def named(self, columns) -> list[tuple[str, str]]:
        return named(self.cohort, columns)


def named(cohort: Cohort, columns) -> list[tuple[str, str]]:
    """Columns with their labels, and what a reader should know of them before choosing."""
    pairs = []
    for column in columns:
        about = cohort.codebook.loc[column]
        marks = ["invented"] if about["evidence"] == "illustrative" else []
        if about["known_at"] != 0:
            marks.append("known later")
        text = cohort.label(column) + (f" ({', '.join(marks)})" if marks else "")
        pairs.append((text, column))
    return pairs


def cuts(cohort: Cohort) -> list[tuple[str, str]]:
    """The numbers in clinical use that a View can cut in two."""
    return [
        (f"{text}, {cut} against less", f"{column} {cut}")
        for column, made in CUTS.items()
        if column in cohort.factors and pd.api.types.is_numeric_dtype(cohort.frame[column])
        for text, _ in named(cohort, [column])
        for cut in made
        if cut.startswith(">=")
    ]


def comparisons(cohort: Cohort) -> list[tuple[str, str]]:
    """What can be compared: the arms, categories, numbers with few values, and cuts."""
    found = []
    for column in cohort.factors:
        levels = level_text(cohort.frame[column]).nunique()
        numeric = pd.api.types.is_numeric_dtype(cohort.frame[column])
        if 2 <= levels <= (FEW_LEVELS if numeric else MOST_GROUPS):
            found.append(column)
    return named(cohort, found) + cuts(cohort)


def covariates(cohort: Cohort) -> list[tuple[str, str]]:
    """What a model can be adjusted for."""
    columns = [c for c in cohort.factors if c != "arm" and cohort.frame[c].nunique() > 1]
    return cuts(cohort) + named(cohort, columns)
