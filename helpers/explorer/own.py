"""A reader's own cohort in the page: a file, a form that writes its mapping, and the same checks.

The form proposes what names and values say; every choice stands in the mapping that it writes,
which can be read, corrected and downloaded. The file stays on this machine. The mapping, which
holds names of columns and codes and no patient, is remembered for files with the same columns.
"""

import base64
import re
import tempfile
from collections.abc import Callable
from hashlib import sha256
from html import escape
from pathlib import Path

import ipywidgets as w
import yaml

from helpers.cohort import ROOT, CohortError, load_cohort
from helpers.conventions import DAYS_PER
from helpers.explorer.own_fields import (
    MOST_CODES,
    NONE,
    NUMBERED,
    TEXT,
    WIDE,
    Ending,
    OtherColumn,
    levels,
    names_of,
    preview,
    reading_fields,
)
from helpers.explorer.parts import folding, small
from helpers.loading.formats import SEPARATORS, Stated
from helpers.loading.mapping import STATUSES, Mapping, TextLoader
from helpers.loading.problems import Problems
from helpers.loading.proposals import forms, propose
from helpers.loading.reading import MISSING, read_table
from helpers.loading.schema import FIXED_LABELS, is_identifier, read_codebook

ENDPOINTS = FIXED_LABELS | {"": "Another endpoint"}
RULE = re.compile(r"exclude: \[\{(column: [^{}]*?), because: \.\.\.\}\]")
# What the form asks for; other keys of a mapping are kept as they are.
ASKED = frozenset(
    {"name", "status", "time_unit", "time_zero", "columns", "labels", "recode", "times", "file",
     "reference_arm", "factors", "ignore", "missing", "exclude", "mask_below"}
)  # fmt: skip


class OwnForm:
    """Choose a file, say what the columns are, check, and use: `used(cohort, files=, mapping=)`."""

    def __init__(self, used: Callable[..., None]):
        self.used, self.table, self.data, self.rows, self.quiet = used, None, b"", [], False
        self.remembered = forms(ROOT)
        self.book = read_codebook(ROOT / "data" / "codebook.csv", Mapping())
        self.upload = w.FileUpload(
            accept=".csv,.tsv,.txt,.xlsx,.sav,.dta,.gz", multiple=False,
            description="Choose a file", layout=w.Layout(width="auto", align_self="flex-start"),
        )  # fmt: skip
        self.upload.observe(lambda change: self.uploaded(change["new"]), "value")
        self.said, self.fields = w.HTML(), w.VBox()
        self.mapping = w.Textarea(description="Mapping", rows=14, **TEXT)
        self.link = w.HTML()
        self.mapping.observe(lambda _: self.offer_link(), "value")
        self.use = small("Check and use this cohort", self.load)
        self.rules = w.VBox()
        self.below = w.VBox([folding("The mapping that this form wrote",
                                     w.VBox([self.mapping, self.link])), self.use],
                            layout=w.Layout(display="none"))  # fmt: skip
        self.reading = reading_fields(self.read)
        self.otherwise = folding("Read the file otherwise", w.VBox([*self.reading.values()]))
        self.box = w.VBox([
            w.HTML("<p>A table with one row per patient: CSV, text with tabs or semicolons, Excel "
                   "(.xlsx), SPSS or Stata. The file is read by this page on the machine it runs "
                   "on and sent nowhere else.</p>"),
            self.upload, self.fields, self.below, self.said, self.rules,
        ])  # fmt: skip

    # -- the file --------------------------------------------------------------------------

    def uploaded(self, files) -> None:
        """A file was chosen: read its columns and offer the form."""
        if not files:
            return
        self.name, self.data = Path(files[0]["name"]).name, bytes(files[0]["content"])
        self.read()

    def stated(self) -> dict[str, str]:
        """What the reader says of the file."""
        return {key: field.value for key, field in self.reading.items() if field.value.strip()}

    def read(self) -> None:
        """Read the file's columns, and offer the form with what they propose."""
        if not self.data:
            return
        problems, given = Problems(self.name), self.stated()
        signs = {name: sign for sign, name in SEPARATORS.items()}
        if "separator" in given:
            given["separator"] = signs[given["separator"]]
        if "header_row" in given:
            whole = re.fullmatch("[1-9][0-9]{0,3}", given["header_row"])
            given["header_row"] = int(given["header_row"]) if whole else None
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "cohort"
            path.write_bytes(self.data)
            try:
                self.table = read_table(path, Stated(**given), problems)
            except LookupError:  # an encoding that does not exist
                problems.add("encoding", repr(given["encoding"]), "use utf-8, cp1252 or mac_roman")
        try:
            problems.raise_if_any()
        except CohortError as error:
            self.refuse(error)
            self.fields.children = (self.otherwise,)
            return
        self.said.value, self.rules.children = "", ()
        self.proposed = propose(self.table)
        missing = MISSING | set(self.proposed.mapping.get("missing", []))
        self.text = self.table.frame.mask(self.table.frame.isin(missing))
        self.form(self.known_before() or self.proposed.mapping)

    def refuse(self, error: CohortError) -> None:
        """Say all that is wrong, beside its field where there is one, and offer its remedy."""
        text = f'<pre style="white-space:pre-wrap">{escape(str(error))}</pre>'
        self.said.value = f'<div role="alert">{text}</div>'
        made = len(self.fields.children) > 1
        sources = {v: k for k, v in self.plain()["columns"].items()} if made else {}
        fields, offered = self.troubles() if made else {}, []
        for where, found, remedy in error.problems:
            column = where.partition(", row")[0].rpartition(" ")[2]
            field = fields.get(column) or fields.get(sources.get(column, ""))
            if field is not None:
                field.value += (
                    f"<div style='color:#a40000'>{escape(found)}. {escape(remedy)}.</div>"
                )
            if rule := RULE.search(remedy):
                offered.append(rule[1])
        self.rules.children = tuple(
            small(f"Leave these patients out ({rule.replace('column: ', '')})",
                  lambda rule=rule: self.leave_out(rule))
            for rule in dict.fromkeys(offered)
        )  # fmt: skip

    def troubles(self) -> dict[str, w.HTML]:
        """Where to say what is wrong with a column, by our name or by that of the file."""
        found = {"arm": self.arm_trouble, "patient_id": self.id_trouble}
        for ending in self.endpoints.values():
            name = ending.key
            for column in (name, f"{name}_time", f"{name}_event", *ending.used()):
                found[column] = ending.trouble
        found |= {row.column: row.trouble for row in self.rows}
        for field in found.values():
            field.value = ""
        return found

    def leave_out(self, rule: str) -> None:
        """Take up the rule that a refusal offers, and check again."""
        made = dict(part.split(": ", 1) for part in rule.split(", "))
        self.excluded.append(made | {"because": " ".join(made.values()).replace("_", " ")})
        self.write()
        self.load()

    # -- the form --------------------------------------------------------------------------

    def form(self, mapping: dict) -> None:
        """Fields for this file, filled with what a mapping says."""
        self.quiet, self.rows, self.arm_names, self.arm_box = True, [], {}, w.VBox()
        self.kept = {key: value for key, value in mapping.items() if key not in ASKED}
        self.excluded = list(mapping.get("exclude", []))
        columns, names = mapping.get("columns", {}), list(self.text.columns)
        few = [c for c in names if self.text[c].nunique() <= MOST_CODES]
        safe = [c for c in names if not is_identifier(c)]

        def chosen(options, value, **about):
            return w.Dropdown(options=options, value=value if value in options else options[0],
                              **about, **WIDE)  # fmt: skip

        stem = re.sub(r"(\.(csv|tsv|txt|xlsx|sav|dta|gz))+$", "", self.name)
        self.given = w.Text(value=mapping.get("name", stem), description="Name of the cohort",
                            **TEXT)  # fmt: skip
        self.status = chosen([*reversed(STATUSES)], mapping.get("status"), description="Data are")
        self.zero = w.Text(value=mapping.get("time_zero", "time zero"),
                           description="The clock starts at", **TEXT)  # fmt: skip
        # Our own names and dates are in days; of any other time its unit is asked.
        ours = all(k == v for k, v in columns.items() if k.endswith("_time"))
        self.unit = chosen([NONE, *DAYS_PER], mapping.get("time_unit", "days" if ours else NONE),
                           description="Times are in")  # fmt: skip
        self.mask = w.BoundedIntText(
            value=int(mapping.get("mask_below", 5)), min=0, max=999,
            description="Mask counts below, in downloads", **WIDE,
        )  # fmt: skip
        self.missing = w.Text(value=", ".join(mapping.get("missing", [])),
                              description="Texts that mean missing", placeholder="Unknown, n.d.",
                              **TEXT)  # fmt: skip
        self.id = chosen([NUMBERED, *safe], columns.get("patient_id"), description="Patient id")
        self.arm = chosen([NONE, *few], columns.get("arm"), description="Arm")
        self.reference = w.Dropdown(description="Compared with (reference arm)", **WIDE)
        self.arm_trouble, self.id_trouble = w.HTML(), w.HTML()
        keys = [*dict.fromkeys([*ENDPOINTS, *names_of(mapping)])]
        keys.append(keys.pop(keys.index("")))
        titles = ENDPOINTS | mapping.get("labels", {})
        self.endpoints = {
            key: Ending(key, escape(titles.get(key, key)), self.text, self.chosen) for key in keys
        }
        self.others = w.VBox()
        for ending in self.endpoints.values():
            ending.take(mapping)
        for widget in (self.given, self.status, self.zero, self.unit, self.mask, self.reference,
                       self.missing):  # fmt: skip
            widget.observe(lambda _: self.write(), "value")
        for widget in (self.id, self.arm):
            widget.observe(lambda _: self.chosen(), "value")
        detected = "".join(f"<li>{escape(text)}</li>" for text in self.table.said)
        self.fields.children = (
            w.HTML(f"<b>{escape(self.name)}</b>: {len(self.text)} rows, {len(names)} columns."
                   f"<ul style='white-space:normal'>{detected}</ul>{preview(self.text)}"),
            self.otherwise, self.given, self.status, self.unit, self.zero, self.mask,
            self.missing, self.id, self.id_trouble, self.arm, self.reference, self.arm_box,
            self.arm_trouble, *(ending.box for ending in self.endpoints.values()),
            w.HTML("<b>All other columns</b>: a factor can be compared, filtered by and adjusted "
                   "for."),
            self.others,
        )  # fmt: skip
        self.below.layout.display = ""
        self.quiet = False
        self.chosen(mapping)
        called = mapping.get("recode", {}).get("arm", {})
        for level, field in self.arm_names.items():
            field.value = called.get(level, level)
        for level, name in {**{v: v for v in self.arm_names}, **called}.items():
            if name == mapping.get("reference_arm") and level in self.arm_names:
                self.reference.value = level
        self.write()

    def chosen(self, mapping: dict | None = None) -> None:
        """Id, arm or an endpoint was chosen: the reference and the other columns follow."""
        if self.quiet:
            return
        arms = levels(self.text[self.arm.value]) if self.arm.value != NONE else []
        if list(self.reference.options) != arms:
            self.reference.options = arms
            self.reference.value = None
            self.name_arms(arms)
        taken = {self.id.value, self.arm.value}
        for ending in self.endpoints.values():
            taken |= {*ending.used()}
        known = [c for c in self.book.index if self.book.at[c, "role"] not in ("id", "arm")
                 and self.book.at[c, "type"] in ("number", "category")]  # fmt: skip
        old = {row.column: row for row in self.rows}
        self.rows = []
        for c in [c for c in self.text.columns if c not in taken]:
            if c not in old:
                why = escape(self.proposed.columns[c].reason)
                old[c] = OtherColumn(c, self.text[c], known, self.book, self.write, why)
                old[c].take(mapping or {})
            self.rows.append(old[c])
        self.others.children = tuple(row.box for row in self.rows)
        self.write()

    def name_arms(self, arms: list[str]) -> None:
        """A field for the name of each arm, which the file may have as a number."""
        self.arm_names = {
            level: w.Text(value=level, description=f"{level} is called", **TEXT) for level in arms
        }
        for field in self.arm_names.values():
            field.observe(lambda _: self.write(), "value")
        self.arm_box.children = tuple(self.arm_names.values())

    # -- the mapping -----------------------------------------------------------------------

    def plain(self) -> dict:
        """The mapping as the form has it."""
        columns = {"patient_id": "row_number" if self.id.value == NUMBERED else self.id.value}
        called = {level: field.value.strip() or level for level, field in self.arm_names.items()}
        missing = [text.strip() for text in self.missing.value.split(",") if text.strip()]
        made = {"columns": columns, "labels": {}, "recode": {}, "times": {}, "missing": missing}
        if self.arm.value != NONE:
            columns["arm"] = self.arm.value
            if any(level != name for level, name in called.items()):
                made["recode"]["arm"] = called
        for ending in self.endpoints.values():
            ending.into(made)
        factors, ignore = {}, []
        for row in self.rows:
            row.into(columns, made["recode"], factors, ignore)
        given = {
            "name": self.given.value.strip() or "My cohort", "status": self.status.value,
            "file": self.stated(),
            "time_unit": "not stated" if self.unit.value == NONE else self.unit.value,
            "time_zero": self.zero.value.strip() or "time zero", **made,
            "reference_arm": called.get(self.reference.value), "factors": factors,
            "ignore": ignore, "exclude": self.excluded, "mask_below": str(self.mask.value),
            **self.kept,
        }  # fmt: skip
        given["missing"] = list(dict.fromkeys(made["missing"]))
        return {key: value for key, value in given.items() if value or key == "columns"}

    def write(self) -> None:
        if self.table is not None and not self.quiet:
            self.mapping.value = yaml.safe_dump(self.plain(), sort_keys=False, allow_unicode=True)

    def offer_link(self) -> None:
        """The mapping as a file to keep."""
        data = base64.b64encode(self.mapping.value.encode()).decode()
        self.link.value = (f'<a download="mapping.yaml" href="data:text/yaml;base64,{data}">'
                           "Download this mapping</a>")  # fmt: skip

    def memory(self) -> Path:
        """Where the mapping of files with these columns is remembered."""
        mark = sha256("\n".join(self.table.frame.columns).encode()).hexdigest()[:16]
        return self.remembered / f"{mark}.yaml"

    def known_before(self) -> dict | None:
        """The mapping used last for a file with these columns."""
        try:
            given = yaml.load(self.memory().read_text(encoding="utf-8"), TextLoader)
        except (OSError, yaml.YAMLError, ValueError):
            return None
        self.table.said.append("the form is filled in as it was used last for these columns")
        return given

    def load(self) -> None:
        """Check file and mapping as for every cohort, and use them or say all that is wrong."""
        with tempfile.TemporaryDirectory() as folder:
            path, mapping = Path(folder) / self.name, Path(folder) / "mapping.yaml"
            path.write_bytes(self.data)
            mapping.write_text(self.mapping.value, encoding="utf-8")
            try:
                cohort = load_cohort(path, mapping)
            except CohortError as error:
                self.refuse(error)
                return
        self.troubles()
        self.rules.children = ()
        self.remembered.mkdir(parents=True, exist_ok=True)
        self.memory().write_text(self.mapping.value, encoding="utf-8")
        self.said.value = f"<b>{escape(cohort.name)}</b> is in use: {len(cohort.frame)} patients."
        self.used(cohort, files=(self.name, "mapping.yaml"), mapping=self.mapping.value)
