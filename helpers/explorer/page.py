"""The explorer as a page: controls beside an answer, and how far to believe it."""

import ipywidgets as w
import pandas as pd

from helpers.analysis import Answer, analyse
from helpers.cohort import PAPER_COHORT, Cohort, load_cohort
from helpers.estimators.subgroups import sides
from helpers.explorer.chance import Chances
from helpers.explorer.controls import Controls
from helpers.explorer.few import firth_rows, withheld
from helpers.explorer.honesty import caution, floor_text
from helpers.explorer.looks import Looks
from helpers.explorer.readout import group_rows, readout
from helpers.explorer.scene import scene
from helpers.explorer.sections import ForestSection, OwnSection, TakeSection, ViewSection
from helpers.explorer.widgets import AnswerView
from helpers.fit.likelihood import NotEstimable
from helpers.plots.drawn import Display
from helpers.sentences import read_view
from helpers.view import View, ViewError, default_view
from helpers.whose import column_label, readable
from helpers.words import caption_survival, plain_text

SEED = 20240625
SORRY = "This question should have an answer and has none. Please report it with its View."
STATIC = (
    "<p><em>The explorer needs a running kernel: run this cell. Its answer to the question above "
    "stands in the figure and tables of this page.</em></p>"
)


class Explorer:
    """A page that answers Views: `widget` is what is shown, `answer` the answer on it.

    Parameters
    ----------
    cohort : Cohort, optional
        By default the synthetic cohort of the series.
    view : View, optional
        The first question; by default the arms on the first endpoint, over 12 months.
    files : (str, str)
        Where the cohort and its mapping were read from, for the code that is taken away.
    seed : int
        Of the shuffles.

    Examples
    --------
    >>> page = Explorer()
    >>> page.controls.compare.value = "sex"
    >>> page.answer.view.compare
    'sex'
    """

    def __init__(
        self, cohort: Cohort | None = None, view: View | None = None, *,
        files: tuple[str, str] = ("", ""), seed: int = SEED,
    ):  # fmt: skip
        self.seed, self.frame, self.own = seed, w.VBox(), OwnSection(self)
        self.failures: list[Exception] = []  # what should not have happened, for tests and reports
        if cohort is None:
            cohort, files = load_cohort(), (PAPER_COHORT, "")
        self.take(cohort, view, files=files)

    @property
    def widget(self) -> w.Widget:
        return self.frame

    def _repr_mimebundle_(self, **kwargs):
        bundle = self.frame._repr_mimebundle_(**kwargs)
        return bundle | {"text/html": STATIC, "text/plain": "Explorer"}

    def take(self, cohort: Cohort, view: View | None = None, *, files=("", ""), mapping=""):
        """Take a cohort: controls of its own, and its first answer. `mapping` is the text of one
        that was written here."""
        self.cohort, self.files, self.mapping = cohort, files, mapping
        self.serial, self.answer, self.sides, self.trouble = 0, None, None, ""
        self.looks = Looks(cohort)
        self.chances = Chances(cohort, self.seed, self.late)
        self.view_of_answer = AnswerView()
        first = view or default_view(cohort, horizon=365)
        self.controls = Controls(cohort, first, Display(), self.ask)
        self.forest = ForestSection(self)
        self.texts = ViewSection(self)
        self.take_away = TakeSection(self)
        self.ask()
        self.frame.children = (
            w.Box(
                [self.controls.box, self.right()],
                layout=w.Layout(flex_flow="row wrap", align_items="flex-start", width="100%"),
            ),
            self.forest.box, self.texts.box, self.take_away.box, self.own.box,
        )  # fmt: skip

    def right(self) -> w.Widget:
        return w.VBox([self.view_of_answer], layout=w.Layout(flex="3 1 480px", min_width="330px"))

    # -- asking ----------------------------------------------------------------------------

    def ask(self) -> None:
        """Answer the View of the controls and show it."""
        view, self.trouble = self.controls.view, ""
        # Before the answer: who sees the answer may type into these fields.
        self.texts.show()
        try:
            self.answer = analyse(self.cohort, view, engine="fast")
            self.sides = self.both_sides(view)
            self.looks.see_answer(self.answer)
            self.show()
        except ViewError as error:
            self.say(str(error))
        except Exception as error:  # a defect of ours: the page says so, and no number
            self.failures.append(error)
            self.say(f"{SORRY} ({type(error).__name__}: {error})")
        if self.forest.show():
            self.late()  # the forest's looks count too

    def say(self, trouble: str) -> None:
        """Show why there is no answer, and no number."""
        self.answer, self.trouble = None, trouble
        self.show()

    def both_sides(self, view: View) -> pd.DataFrame | None:
        """The comparison inside the subgroup and outside it, where there are two groups."""
        if not view.where or len(self.answer.groups) != 2 or self.answer.model.empty:
            return None
        try:
            return sides(self.cohort, view)
        except NotEstimable:
            return None

    def load(self, view: View) -> None:
        """Show another View in the controls and answer it."""
        self.controls.set(view)

    # -- showing ---------------------------------------------------------------------------

    def show(self) -> None:
        """Send the answer to the page: figure, readings and cautions in one message."""
        self.serial += 1
        display = self.controls.display
        if self.answer is None:
            self.view_of_answer.shown = self.nothing()
            return
        answer = readable(self.answer)
        readings = readout(answer, display)
        if self.controls.firth.value and withheld(self.answer):
            more = pd.DataFrame(firth_rows(self.answer), columns=readings.columns)
            readings = pd.concat([readings, more], ignore_index=True)
        self.readings, groups = readings, group_rows(answer, display)
        caption = plain_text(caption_survival(answer, display.unit, display.curve))
        self.view_of_answer.shown = {
            "serial": self.serial,
            "error": "",
            "lead": lead(readings, answer),
            "question": plain_text(read_view(answer)),
            "scene": scene(answer, display),
            "caption": f"{caption} Source: {answer.source}",
            "tables": [
                {
                    "caption": "Answer", "columns": ["Quantity", "Value"],
                    "ids": readings["id"].tolist(),
                    "rows": readings[["quantity", "value"]].values.tolist(),
                },
                {
                    "caption": "Groups", "columns": groups.columns.tolist(),
                    "ids": [f"group-{k}" for k in range(len(groups))],
                    "rows": groups.astype(str).values.tolist(),
                },
            ],
            "caution": self.cautions(),
            "remarks": self.remarks(),
            "foot": f"{answer.source} {self.cohort.caution}",
        }  # fmt: skip

    def cautions(self) -> list[list[str]]:
        chances = self.chances.of(self.answer)
        table = caution(readable(self.answer), self.sides, len(self.looks), chances)
        return table.values.tolist()

    def remarks(self) -> list[str]:
        """What the answer leaves out or withholds, and what is odd about the cohort."""
        notes = [
            f"{column_label(self.answer, row.about)}: {row.note}"
            for row in self.answer.notes.itertuples()
        ]
        few = any("fewer than" in note for note in notes)
        looks = [f"{remark}." for remark in self.cohort.remarks]
        return [*notes, *([floor_text()] if few else []), *looks]

    def nothing(self) -> dict:
        """What stands there when a View cannot be answered: the reason, and no number."""
        empty = {"ticks": [], "limits": [0, 1], "label": ""}
        return {
            "serial": self.serial, "error": self.trouble, "lead": "No answer",
            "question": self.controls.view.text(), "caption": "", "tables": [],
            "caution": [], "remarks": [], "foot": self.cohort.caution,
            "scene": {"x": empty, "y": empty, "curves": [], "table": [], "unit": "months",
                      "whose": "", "status": self.cohort.status_line, "marks": [],
                      "alt": self.trouble, "empty": "No answer"},
        }  # fmt: skip

    def late(self) -> None:
        """More of a null is known: the sentences about it change, the rest stays."""
        if self.answer is not None:
            self.view_of_answer.late = {"serial": self.serial, "caution": self.cautions()}

    def finish(self) -> None:
        """Wait for what runs beside the page; for scripts, where nothing runs by itself."""
        self.chances.work.finish()


def lead(readings: pd.DataFrame, answer: Answer) -> str:
    """The answer in one line, read aloud when it changes."""
    if not answer.groups:
        return "No patient is left."
    ratios = readings[readings["id"].str.match("unadjusted|adjusted")]
    parts = [f"{row.quantity}: {row.value}" for row in ratios.itertuples()][:2]
    return ". ".join(parts) + "." if parts else f"{answer.groups[0]} alone: nothing is compared."


def explore(cohort: Cohort | None = None, view: View | None = None, **options) -> Explorer:
    """The explorer, for the last line of a cell; see `Explorer`."""
    return Explorer(cohort, view, **options)
