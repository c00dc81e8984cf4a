"""A reader's own cohort in the page: a CSV, a form that writes its mapping, and the same checks.

The form proposes only what names say; every choice stands in the mapping that it writes, which can
be read and corrected before it is used. The file stays on this machine.
"""

import re
import tempfile
from collections.abc import Callable, Collection
from html import escape
from pathlib import Path

import ipywidgets as w
import pandas as pd
import yaml

from helpers.cohort import ROOT, CohortError, load_cohort
from helpers.conventions import DAYS_PER
from helpers.explorer.filters import ordered_levels
from helpers.explorer.parts import NARROW, small
from helpers.loading.mapping import STATUSES, Mapping
from helpers.loading.problems import Problems
from helpers.loading.reading import read_text_frame, without_missing
from helpers.loading.schema import ANOTHER_CAUSE, is_identifier, read_codebook

WIDE = {"layout": w.Layout(width="100%", max_width="640px"), "style": NARROW}
# A text is sent when its field is left: while it is typed, a button could be faster than it.
TEXT = WIDE | {"continuous_update": False}
NONE, NUMBERED, NO_VALUE = "(none)", "(number the rows)", "(no value)"
LEAVE, CATEGORY, NUMBER = "leave out", "factor: groups", "factor: a number"
ENDPOINTS = {"os": "Overall survival", "pfs": "Progression-free survival", "": "Another endpoint"}
MOST_CODES = 20  # different values in a column that can be an arm or an event
# What a status can mean, and how a mapping says it. None is taken unless it is chosen: somebody
# whose status is unknown is not alive.
STATUS = {"event": "1", "censored": "0", "missing": None, "another cause": ANOTHER_CAUSE}


class OwnForm:
    """Upload, say what the columns are, check, and use: `used(cohort, files=, mapping=)`."""

    def __init__(self, used: Callable[..., None]):
        self.used, self.text, self.data, self.rows = used, None, b"", []
        self.book = read_codebook(ROOT / "data" / "codebook.csv", Mapping())
        self.upload = w.FileUpload(
            accept=".csv", multiple=False, description="Choose a CSV file",
            layout=w.Layout(width="auto", align_self="flex-start"),
        )  # fmt: skip
        self.upload.observe(lambda change: self.uploaded(change["new"]), "value")
        self.said = w.HTML()
        self.fields = w.VBox()
        self.mapping = w.Textarea(description="Mapping", rows=14, **TEXT)
        self.use = small("Check and use this cohort", self.load)
        self.below = w.VBox([self.mapping, self.use], layout=w.Layout(display="none"))
        self.box = w.VBox([
            w.HTML("<p>One row per patient, values separated by commas. The file is read by this "
                   "page on the machine it runs on and sent nowhere else.</p>"),
            self.upload, self.fields, self.below, self.said,
        ])  # fmt: skip

    # -- the file --------------------------------------------------------------------------

    def uploaded(self, files) -> None:
        """A file was chosen: read its columns and offer the form."""
        if not files:
            return
        self.name, self.data = Path(files[0]["name"]).name, bytes(files[0]["content"])
        problems = Problems(self.name)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "cohort.csv"
            path.write_bytes(self.data)
            self.text = read_text_frame(path, problems)
        try:
            problems.raise_if_any()
        except CohortError as error:
            self.refuse(str(error))
            return
        self.text = without_missing(self.text)
        self.said.value = ""
        self.form()

    def refuse(self, why: str) -> None:
        text = f'<pre style="white-space:pre-wrap">{escape(why)}</pre>'
        self.said.value = f'<div role="alert">{text}</div>'

    # -- the form --------------------------------------------------------------------------

    def form(self) -> None:
        """Fields for this file; what names say is filled in, the rest is open."""
        self.rows, self.arm_names, self.arm_box = [], {}, w.VBox()
        names = list(self.text.columns)
        few = [c for c in names if self.text[c].nunique() <= MOST_CODES]
        safe = [c for c in names if not is_identifier(c)]
        self.given = w.Text(value=Path(self.name).stem, description="Name of the cohort", **TEXT)
        self.status = w.Dropdown(options=STATUSES, value="private", description="Data are", **WIDE)
        self.zero = w.Text(value="time zero", description="The clock starts at", **TEXT)
        self.unit = w.Dropdown(options=list(DAYS_PER), description="Times are in", **WIDE)
        self.mask = w.BoundedIntText(value=5, min=0, max=999, **WIDE,
                                     description="Mask counts below, in downloads")  # fmt: skip
        self.id = w.Dropdown(options=[NUMBERED, *safe], description="Patient id", **WIDE)
        self.id.value = next((c for c in safe if c.lower() in ("patient_id", "id")), NUMBERED)
        self.arm = w.Dropdown(options=[NONE, *few], description="Arm", **WIDE)
        self.arm.value = next((c for c in few if c.lower() in ("arm", "treatment")), NONE)
        self.reference = w.Dropdown(description="Compared with (reference arm)", **WIDE)
        self.endpoints = {key: self.endpoint(key, names, few) for key in ENDPOINTS}
        self.other = w.Text(value="", description="Name of the other endpoint",
                            placeholder="Recurrence-free survival", **TEXT)  # fmt: skip
        self.others = w.VBox()
        for widget in (self.given, self.status, self.zero, self.unit, self.mask, self.reference,
                       self.other):  # fmt: skip
            widget.observe(lambda _: self.write(), "value")
        for widget in (self.id, self.arm):
            widget.observe(lambda _: self.chosen(), "value")
        self.fields.children = (
            w.HTML(f"<b>{escape(self.name)}</b>: {len(self.text)} rows, {len(names)} columns."),
            self.given, self.status, self.unit, self.zero, self.mask, self.id, self.arm,
            self.reference, self.arm_box,
            *(w.VBox([w.HTML(f"<b>{ENDPOINTS[key]}</b>"), *([self.other] if not key else []),
                      time, event, codes.box])
              for key, (time, event, codes) in self.endpoints.items()),
            w.HTML("<b>All other columns</b>: a factor can be compared, filtered by and adjusted "
                   "for."),
            self.others,
        )  # fmt: skip
        self.below.layout.display = ""
        self.chosen()

    def endpoint(self, key: str, names: list, few: list) -> tuple[w.Dropdown, w.Dropdown, "Codes"]:
        """Time, event, and what each value of the event column means."""
        time = w.Dropdown(options=[NONE, *names], description="Time", **WIDE)
        event = w.Dropdown(options=[NONE, *few], description="Event", **WIDE)
        codes = Codes(self.write)
        if key:
            time.value = next((c for c in names if c.lower() == f"{key}_time"), NONE)
            event.value = next((c for c in few if c.lower() == f"{key}_event"), NONE)

        def ask(_=None):
            codes.ask(self.levels(event.value) if event.value != NONE else [], list(STATUS))

        ask()
        event.observe(lambda _: (ask(), self.chosen()), "value")
        time.observe(lambda _: self.chosen(), "value")
        return time, event, codes

    def levels(self, column: str) -> list[str]:
        return [str(v) for v in ordered_levels(self.text[column].astype("string"))]

    def chosen(self) -> None:
        """Id, arm or an endpoint was chosen: the reference and the other columns follow."""
        if self.arm.value != NONE:
            levels = self.levels(self.arm.value)
            if list(self.reference.options) != levels:
                self.reference.options = levels
                self.reference.value = None
                self.name_arms(levels)
        taken = {self.id.value, self.arm.value}
        for time, event, _ in self.endpoints.values():
            taken |= {time.value, event.value}
        known = [c for c in self.book.index if self.book.at[c, "role"] not in ("id", "arm")
                 and self.book.at[c, "type"] in ("number", "category")]  # fmt: skip
        old = {row.column: row for row in self.rows}
        self.rows = [
            old.get(c) or OtherColumn(c, self.text[c], known, self.book, self.write)
            for c in self.text.columns
            if c not in taken
        ]
        self.others.children = tuple(row.box for row in self.rows)
        self.write()

    def name_arms(self, levels: list[str]) -> None:
        """A field for the name of each arm, which the file may have as a number."""
        self.arm_names = {
            level: w.Text(value=level, description=f"{level} is called", **TEXT) for level in levels
        }
        for field in self.arm_names.values():
            field.observe(lambda _: self.write(), "value")
        self.arm_box.children = tuple(self.arm_names.values())

    # -- the mapping -----------------------------------------------------------------------

    def plain(self) -> dict:
        """The mapping as the form has it."""
        columns = {"patient_id": "row_number" if self.id.value == NUMBERED else self.id.value}
        recode, labels, factors, ignore = {}, {}, {}, []
        called = {level: field.value.strip() or level for level, field in self.arm_names.items()}
        if self.arm.value != NONE:
            columns["arm"] = self.arm.value
            if any(level != name for level, name in called.items()):
                recode["arm"] = called
        for key, (time, event, codes) in self.endpoints.items():
            if time.value == NONE and event.value == NONE:
                continue
            name = key or slug(self.other.value) or "other"
            if not key and self.other.value.strip():
                labels[name] = self.other.value.strip()
            for kind, chosen in (("time", time.value), ("event", event.value)):
                if chosen != NONE:
                    columns[f"{name}_{kind}"] = chosen
            if event.value != NONE:  # a code without a meaning is left out: the check asks for it
                recode[f"{name}_event"] = {old: STATUS[new] for old, new in codes.given().items()}
        for row in self.rows:
            row.into(columns, recode, factors, ignore)
        given = {
            "name": self.given.value.strip() or "My cohort", "status": self.status.value,
            "time_unit": self.unit.value, "time_zero": self.zero.value.strip() or "time zero",
            "columns": columns, "labels": labels, "recode": recode,
            "reference_arm": called.get(self.reference.value), "factors": factors, "ignore": ignore,
            "mask_below": str(self.mask.value),
        }  # fmt: skip
        return {key: value for key, value in given.items() if value}

    def write(self) -> None:
        if self.text is not None:
            self.mapping.value = yaml.safe_dump(self.plain(), sort_keys=False, allow_unicode=True)

    def load(self) -> None:
        """Check file and mapping as for every cohort, and use them or say all that is wrong."""
        with tempfile.TemporaryDirectory() as folder:
            path, mapping = Path(folder) / self.name, Path(folder) / "mapping.yaml"
            path.write_bytes(self.data)
            mapping.write_text(self.mapping.value, encoding="utf-8")
            try:
                cohort = load_cohort(path, mapping)
            except CohortError as error:
                self.refuse(str(error))
                return
        self.said.value = f"<b>{escape(cohort.name)}</b> is in use: {len(cohort.frame)} patients."
        self.used(cohort, files=(self.name, "mapping.yaml"), mapping=self.mapping.value)


class Codes:
    """A field for the meaning of each value in a column."""

    def __init__(self, changed: Callable[[], None]):
        self.changed, self.fields = changed, {}
        self.box = w.VBox(layout=w.Layout(margin="0 0 0 2em"))

    def ask(self, values: list[str], meanings: list[str], known: Collection[str] = ()) -> None:
        """Ask what each value means; one that stands in `known` means itself."""
        self.fields = {
            value: w.Dropdown(options=[NONE, *meanings], description=f"{value} means", **WIDE,
                              value=value if value in known else NONE)
            for value in values
        }  # fmt: skip
        for field in self.fields.values():
            field.observe(lambda _: self.changed(), "value")
        self.box.children = tuple(self.fields.values())

    def given(self) -> dict[str, str]:
        """The meanings that were chosen."""
        return {value: field.value for value, field in self.fields.items() if field.value != NONE}


class OtherColumn:
    """What a column that is neither id, arm nor endpoint is used as."""

    def __init__(self, column: str, values: pd.Series, known: list, book, changed):
        self.column, self.book, self.changed = column, book, changed
        self.values = sorted(values.dropna().astype(str).unique())
        proposed = column if column in known else LEAVE
        choices = [LEAVE, CATEGORY, NUMBER, *((f"known: {book.at[c, 'label']}", c) for c in known)]
        self.use = w.Dropdown(options=[c if isinstance(c, tuple) else (c, c) for c in choices],
                              value=proposed, description=column, **WIDE)  # fmt: skip
        self.codes = Codes(changed)
        self.box = w.VBox([self.use, self.codes.box])
        self.use.observe(lambda _: self.used_as(), "value")
        self.ask_codes()

    def used_as(self) -> None:
        self.ask_codes()
        self.changed()

    def ask_codes(self) -> None:
        """Known codes that the file writes otherwise are asked for, one by one."""
        wanted = self.book.at[self.use.value, "codes"] if self.use.value in self.book.index else ""
        wanted = wanted.split("|") if isinstance(wanted, str) and "|" in wanted else []
        other = wanted and not set(self.values) <= set(wanted) and len(self.values) <= MOST_CODES
        self.codes.ask(self.values if other else [], [*wanted, NO_VALUE], known=wanted)

    def into(self, columns: dict, recode: dict, factors: dict, ignore: list) -> None:
        """Write this column into a mapping."""
        use = self.use.value
        if use == LEAVE:
            ignore.append(self.column)
            return
        name = use if use in self.book.index else slug(self.column)
        if name != self.column:
            columns[name] = self.column
        if use in (CATEGORY, NUMBER):
            kind = {"type": "number"} if use == NUMBER else {"type": "category"}
            factors[name] = {"label": self.column, **kind}
        if self.codes.fields:
            # What is not chosen is not written, so that the check asks for it.
            recode[name] = {
                old: None if new == NO_VALUE else new for old, new in self.codes.given().items()
            }


def slug(text: str) -> str:
    """A name for a column or an endpoint: letters, digits and underscores."""
    return re.sub(r"\W+", "_", text.strip().lower()).strip("_")
