"""The fields of the form for a reader's own cohort: what a column is, and what its codes mean."""

import re
from collections.abc import Callable, Collection
from html import escape
from typing import ClassVar

import ipywidgets as w
import pandas as pd

from helpers.explorer.parts import NARROW, WIDTH
from helpers.loading.formats import SEPARATORS
from helpers.loading.schema import is_identifier
from helpers.loading.times import meaning
from helpers.loading.values import ANOTHER_CAUSE, SEX

WIDE = {"layout": w.Layout(width=WIDTH, max_width="640px"), "style": NARROW}
# A text is sent when its field is left: while it is typed, a button could be faster than it.
TEXT = WIDE | {"continuous_update": False}
NONE, NUMBERED, NO_VALUE = "(none)", "(number the rows)", "(no value)"
LEAVE, CATEGORY, NUMBER = "leave out", "factor: groups", "factor: a number"
SHOWN_ROWS, SHOWN_COLUMNS = 5, 12
MOST_CODES = 20  # different values in a column that can be an arm or an event
# What a status can mean, and how a mapping says it. None is taken unless it is chosen, or unless
# the word says it: somebody whose status is unknown is not alive.
STATUS = {"event": "1", "censored": "0", "missing": None, "another cause": ANOTHER_CAUSE}
PAIR, DATES, TWO = "a time and a status", "dates", "a time to the event, and one to last contact"


class Codes:
    """A field for the meaning of each value in a column."""

    def __init__(self, changed: Callable[[], None]):
        self.changed, self.fields = changed, {}
        self.box = w.VBox(layout=w.Layout(margin="0 0 0 2em"))

    def ask(self, values: list[str], meanings: list[str], known: dict[str, str]) -> None:
        """Ask what each value means; one that stands in `known` has its meaning filled in."""
        self.fields = {
            value: w.Dropdown(options=[NONE, *meanings], description=f"{value} means", **WIDE,
                              value=known.get(value, NONE))
            for value in values
        }  # fmt: skip
        for field in self.fields.values():
            field.observe(lambda _: self.changed(), "value")
        self.box.children = tuple(self.fields.values())

    def given(self) -> dict[str, str]:
        """The meanings that were chosen."""
        return {value: field.value for value, field in self.fields.items() if field.value != NONE}


class Ending:
    """An endpoint: its columns, and what the status means."""

    PARTS: ClassVar = {
        PAIR: {"time": "Time", "status": "Event"},
        DATES: {"start": "Date of the start", "event": "Date of the event",
                "or": "Or of another event, if earlier", "last": "Date of last contact",
                "status": "Status"},
        TWO: {"event": "Time to the event", "or": "Or to another, if earlier",
              "last": "Time to last contact", "status": "Status"},
    }  # fmt: skip

    def __init__(self, key: str, title: str, text: pd.DataFrame, changed: Callable[[], None]):
        self.key, self.text, self.changed, self.fields = key, text, changed, {}
        self.codes = Codes(changed)
        self.how = w.Dropdown(options=[PAIR, DATES, TWO], description="The file has", **WIDE)
        self.trouble = w.HTML()
        self.name = w.Text(value="", description="Name of the endpoint",
                           placeholder="Recurrence-free survival", **TEXT)  # fmt: skip
        self.columns = w.VBox()
        named = [] if key else [self.name]
        self.box = w.VBox([w.HTML(f"<b>{title}</b>"), *named, self.how, self.columns,
                           self.codes.box, self.trouble])  # fmt: skip
        self.how.observe(lambda _: self.offer({}), "value")
        self.name.observe(lambda _: changed(), "value")
        self.offer({})

    def offer(self, given: dict[str, str]) -> None:
        """Fields for the columns of this kind of endpoint, filled with what is given."""
        names = list(self.text.columns)
        few = [c for c in names if self.text[c].nunique() <= MOST_CODES]
        self.fields = {}
        for part, title in self.PARTS[self.how.value].items():
            options = [NONE, *(few if part == "status" else names)]
            chosen = given.get(part, NONE)
            self.fields[part] = w.Dropdown(
                options=options, value=chosen if chosen in options else NONE, description=title,
                **WIDE,
            )  # fmt: skip
            self.fields[part].observe(lambda _: self.changed(), "value")
        self.fields["status"].observe(lambda _: self.ask(), "value")
        self.columns.children = tuple(self.fields.values())
        self.ask()
        self.changed()

    def take(self, mapping: dict) -> None:
        """Fill in what a mapping says of this endpoint."""
        columns, made = mapping.get("columns", {}), mapping.get("times", {}).get(self.key)
        if made:
            self.how.value = DATES if "start" in made else TWO
            event = made.get("event") or made.get("event_time") or made.get("first_of")
            last = made.get("last") or made.get("censor_time")
            given = {"start": made.get("start"), "event": event, "last": last,
                     "status": made.get("status")}  # fmt: skip
            if isinstance(event, list):  # the first of two ends the time
                given |= dict(zip(("event", "or"), event, strict=False))
            self.offer({k: v[0] if isinstance(v, list) else v for k, v in given.items() if v})
        elif f"{self.key}_time" in columns or f"{self.key}_event" in columns:
            self.offer({"time": columns.get(f"{self.key}_time", NONE),
                        "status": columns.get(f"{self.key}_event", NONE)})  # fmt: skip
        codes = mapping.get("recode", {}).get(f"{self.key}_event", {})
        said = {code: word for word, code in STATUS.items()}
        for value, code in codes.items():
            if value in self.codes.fields and code in said:
                self.codes.fields[value].value = said[code]

    def ask(self) -> None:
        """Ask what each value of the status means; words that say it have it filled in."""
        column = self.fields["status"].value
        values = levels(self.text[column]) if column != NONE else []
        word = {"1": "event", "0": "censored"}
        known = {v: word[code] for v in values if (code := meaning(v, column)) is not None}
        self.codes.ask(values, list(STATUS), known)
        self.changed()

    def used(self) -> list[str]:
        """The columns of the file that this endpoint takes."""
        return [field.value for field in self.fields.values() if field.value != NONE]

    def into(self, mapping: dict) -> None:
        """Write this endpoint into a mapping."""
        if not self.used():
            return
        name = self.key or slug(self.name.value) or "other"
        if not self.key and self.name.value.strip():
            mapping["labels"][name] = self.name.value.strip()
        columns = {part: field.value for part, field in self.fields.items() if field.value != NONE}
        codes = self.codes.given()
        if self.how.value == PAIR:
            for part, kind in (("time", "time"), ("status", "event")):
                if part in columns:
                    mapping["columns"][f"{name}_{kind}"] = columns[part]
            if "status" in columns:  # a code without a meaning is left out: the check asks for it
                mapping["recode"][f"{name}_event"] = {k: STATUS[v] for k, v in codes.items()}
            return
        ours = {"event": "event_time", "last": "censor_time"} if self.how.value == TWO else {}
        if "or" in columns:
            columns["event"] = [columns["event"], columns.pop("or")] if "event" in columns else \
                columns.pop("or")  # fmt: skip
        about = {ours.get(part, part): column for part, column in columns.items()}
        if "status" in columns:
            about["events"] = [k for k, v in codes.items() if v == "event"]
            about["censored"] = [k for k, v in codes.items() if v == "censored"]
            about["unknown"] = [k for k, v in codes.items() if v == "missing"]
        mapping["times"][name] = about


class OtherColumn:
    """What a column that is neither id, arm nor endpoint is used as."""

    def __init__(self, column: str, values: pd.Series, known: list, book, changed, why: str = ""):
        self.column, self.book, self.changed = column, book, changed
        self.values = sorted(values.dropna().astype(str).unique())
        proposed = column if column in known else LEAVE
        choices = [LEAVE, CATEGORY, NUMBER, *((f"known: {book.at[c, 'label']}", c) for c in known)]
        self.use = w.Dropdown(options=[c if isinstance(c, tuple) else (c, c) for c in choices],
                              value=proposed, description=column, **WIDE)  # fmt: skip
        self.codes, self.trouble = Codes(changed), w.HTML()
        self.why = w.HTML(f"<small>{why}</small>")
        self.box = w.VBox([self.use, self.why, self.codes.box, self.trouble])
        self.use.observe(lambda _: self.used_as(), "value")
        self.ask_codes({})

    def take(self, mapping: dict) -> None:
        """Fill in what a mapping says of this column."""
        ours = {source: name for name, source in mapping.get("columns", {}).items()}
        name = ours.get(self.column, self.column)
        factor = mapping.get("factors", {}).get(name)
        if self.column in mapping.get("ignore", []):
            self.use.value = LEAVE
        elif factor is not None and name not in self.book.index:
            self.use.value = NUMBER if factor.get("type") == "number" else CATEGORY
        elif name in dict(self.use.options).values():
            self.use.value = name
        self.ask_codes(mapping.get("recode", {}).get(name, {}))

    def used_as(self) -> None:
        self.ask_codes({})
        self.changed()

    def ask_codes(self, given: dict) -> None:
        """Known codes that the file writes otherwise are asked for, one by one."""
        wanted = self.book.at[self.use.value, "codes"] if self.use.value in self.book.index else ""
        wanted = wanted.split("|") if isinstance(wanted, str) and "|" in wanted else []
        other = wanted and not set(self.values) <= set(wanted) and len(self.values) <= MOST_CODES
        known = {value: value for value in wanted}
        if self.use.value == "sex":
            known |= {v: SEX[v.lower()] for v in self.values if v.lower() in SEX}
        known |= {old: NO_VALUE if new is None else new for old, new in given.items()}
        known = {old: new for old, new in known.items() if new in (*wanted, NO_VALUE)}
        self.codes.ask(self.values if other else [], [*wanted, NO_VALUE], known)

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


def levels(values: pd.Series) -> list[str]:
    """The different values of a column of text, numbers in their order."""
    found = values.dropna().unique()
    numbers = pd.to_numeric(pd.Series(found, dtype=object), errors="coerce")
    return sorted(found, key=float if len(found) and numbers.notna().all() else str)


def slug(text: str) -> str:
    """A name for a column or an endpoint: letters, digits and underscores."""
    return re.sub(r"\W+", "_", text.strip().lower()).strip("_")


def names_of(mapping: dict) -> Collection[str]:
    """The endpoints of a mapping."""
    timed = [c.removesuffix("_time") for c in mapping.get("columns", {}) if c.endswith("_time")
             and c not in mapping.get("factors", {})]  # fmt: skip
    return list(dict.fromkeys([*timed, *mapping.get("times", {})]))


def preview(text: pd.DataFrame) -> str:
    """The first rows as a table of HTML; names of people are not in it."""
    shown = [c for c in text if not is_identifier(c)][:SHOWN_COLUMNS]
    head = "".join(f"<th scope='col'>{escape(c)}</th>" for c in shown)
    rows = text[shown].head(SHOWN_ROWS).fillna("").to_numpy().tolist()
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell[:30])}</td>" for cell in row) + "</tr>" for row in rows
    )
    more = len(text.columns) - len(shown)
    left = f"<small>and {more} columns more</small>" if more > 0 else ""
    return (f"<div style='overflow-x:auto'><table><thead><tr>{head}</tr></thead><tbody>{body}"
            f"</tbody></table></div>{left}")  # fmt: skip


def reading_fields(changed: Callable[[], None]) -> dict[str, w.Widget]:
    """How the file is to be read, where the page did not see it."""
    signs = [("as detected", "")] + [(name, name) for name in SEPARATORS.values()]
    made = {
        "separator": w.Dropdown(options=signs, description="Values are separated by", **WIDE),
        "decimal": w.Dropdown(options=[("as detected", ""), ("comma", ","), ("point", ".")],
                              description="Mark of decimals", **WIDE),
        "header_row": w.Text(description="Row of the names", placeholder="as detected", **TEXT),
        "sheet": w.Text(description="Sheet", placeholder="as detected", **TEXT),
        "encoding": w.Text(description="Encoding", placeholder="as detected", **TEXT),
    }  # fmt: skip
    for field in made.values():
        field.observe(lambda _: changed(), "value")
    return made
