"""The parts of the explorer below its answer: all subgroups, the View as text, what to take away,
and a reader's own cohort."""

from dataclasses import replace
from html import escape

import ipywidgets as w
import numpy as np
import pandas as pd

from helpers.estimators.subgroups import forest
from helpers.explorer.own import OwnForm
from helpers.explorer.parts import WIDE, folding, small
from helpers.explorer.takeaway import packed
from helpers.explorer.widgets import ForestView, TakeAway
from helpers.fit.likelihood import NotEstimable
from helpers.view import View, ViewError, Where
from helpers.words import bare_p, ratio

SPAN = np.log(16)  # the forest's axis at the most: ratios from 1/16 to 16


class ForestSection:
    """All one-variable subgroups, shown when asked for: each interaction shown is a look."""

    def __init__(self, page):
        self.page, self.open, self.known = page, False, {}
        self.view = ForestView(self.picked)
        self.button = small("", self.toggle)
        self.said = w.HTML()
        self.box = w.VBox([w.HTML("<h3>All subgroups of one variable</h3>"), self.button,
                           self.said, self.view])  # fmt: skip
        self.label()

    def label(self) -> None:
        offered = self.page.chances.table(self.page.controls.view.compare)["split"].nunique()
        self.button.description = (
            "Hide all subgroups" if self.open
            else f"Show all subgroups: up to {offered} interaction tests, each one a look"
        )  # fmt: skip

    def toggle(self) -> None:
        self.open = not self.open
        if self.show():
            self.page.late()  # its counter of looks

    def table(self) -> pd.DataFrame:
        """The forest of the page's View, kept while its question stays."""
        view = self.page.controls.view
        about = (view.endpoint, view.compare, view.reference, view.landmark, view.ties,
                 view.intervals)  # fmt: skip
        if about not in self.known:
            offered = self.page.chances.table(view.compare)
            self.known[about] = forest(self.page.cohort, view, table=offered)
        return self.known[about]

    def show(self) -> int:
        """Show the forest if it is open; returns how many looks that added."""
        try:
            self.label()
            if not self.open:
                self.view.shown, self.said.value = {}, ""
                return 0
            table = self.table()
        except (NotEstimable, ViewError) as error:
            self.view.shown, self.said.value = {}, escape_text(str(error))
            return 0
        new = self.page.looks.see_forest(self.page.cohort, self.page.controls.view, table)
        self.said.value = f"{new} new looks, {len(self.page.looks)} since the start."
        self.view.shown = self.shown(table)
        return new

    def shown(self, table: pd.DataFrame) -> dict:
        page, view = self.page, self.page.controls.view
        now = view.where[0].plain() if len(view.where) == 1 else None
        rows, seen = [], set()
        for row in table.to_dict("records"):
            # Two sides of a split have one test, and one P.
            first = pd.isna(row["split"]) or row["split"] not in seen
            seen.add(row["split"])
            known = row["estimate"] == row["estimate"]
            rows.append({
                "name": f"{row['label']}: {row['level']}" if row["level"] else row["label"],
                "n": count(row["n"]), "events": count(row["n_event"]), "where": row["where"],
                "estimate": row["estimate"] if known else None,
                "low": row["conf_low"] if known else None,
                "high": row["conf_high"] if known else None,
                "ratio": ratio(pd.Series(row)) if known else "withheld",
                "p": bare_p(row["interaction_p"]) if first else "as above",
                "note": "; ".join(filter(None, [
                    "invented values" if row["evidence"] == "illustrative" else "", row["note"],
                ])),
                "chosen": row["where"] is not None and Where.read(row["where"]).plain() == now,
            })  # fmt: skip
        limits = table[["conf_low", "conf_high"]].abs().max(axis=None)
        reach = float(min(SPAN, max(limits if limits == limits else 1.0, 0.7)))
        cohort = page.cohort
        contrast = next((c for c in table["contrast"] if c), "")
        return {
            "rows": rows, "limits": [-reach, reach], "contrast": contrast or "Interval",
            "status": cohort.status_line,
            "caption": f"{cohort.endpoints[view.endpoint]}: hazard ratio, {contrast}, in every "
                       "subgroup of one variable; unadjusted, logarithmic axis, line at 1. "
                       "A name loads its subgroup.",
            "foot": f"{cohort.source(*table['column'].unique())} {cohort.caution} Each P is of one "
                    "test; see the counter of looks.",
        }  # fmt: skip

    def picked(self, number: int) -> None:
        """A row was chosen: its condition becomes the View's."""
        where = self.table()["where"].iloc[number]
        if where is not None:
            self.page.load(replace(self.page.controls.view, where=(Where.read(where),)))


class ViewSection:
    """The View as text and as a link, to keep, send and load."""

    def __init__(self, page):
        self.page = page
        self.text = w.Textarea(description="View", rows=4, continuous_update=False, **WIDE)
        self.link = w.Text(description="Link", continuous_update=False, **WIDE)
        self.use = small("Use this View", lambda: self.load(lambda: View.read(self.text.value)))
        self.use_link = small(
            "Use this link", lambda: self.load(lambda: View.from_link(self.link.value))
        )
        self.said = w.HTML()
        self.box = w.VBox([
            w.HTML("<h3>This question as text</h3>"), self.text, self.use, self.link,
            self.use_link, self.said,
        ])  # fmt: skip

    def show(self) -> None:
        view = self.page.controls.view
        self.text.value, self.link.value, self.said.value = view.text(), view.link(), ""

    def load(self, read) -> None:
        try:
            view = read()
        except ViewError as error:
            self.said.value = f"<b>Not used.</b> {escape_text(str(error))}"
            return
        self.page.load(view)
        trouble = self.page.trouble
        self.said.value = f"<b>No answer.</b> {escape_text(trouble)}" if trouble else "Used."


class TakeSection:
    """Figure, tables, View, methods text and code as one file."""

    def __init__(self, page):
        self.button = TakeAway("Download figure, tables, View, methods text and code (zip)",
                               lambda: packed(page))  # fmt: skip
        self.box = w.VBox([w.HTML("<h3>Take away</h3>"), self.button])


class OwnSection:
    """A reader's own cohort: a file, and how it is to be read."""

    def __init__(self, page):
        self.form = OwnForm(page.take)
        self.box = w.VBox([w.HTML("<h3>Another cohort</h3>"),
                           folding("Your own cohort", self.form.box)])  # fmt: skip


def count(value) -> str:
    return "" if pd.isna(value) else f"{int(value)}"


def escape_text(text: str) -> str:
    return escape(text).replace("\n", "<br>")
