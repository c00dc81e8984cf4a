"""A question to a cohort, as data: which endpoint, which groups, which patients.

A View says what is asked and nothing about how it is shown. The explorer edits one, papermill
receives one, `analyse` answers one. Its canonical text is JSON with sorted keys and without
defaults; YAML is read as well.
"""

import base64
import json
import re
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
import yaml

from helpers.cohort import Cohort
from helpers.conventions import INTERVALS, TIE_RULES, TIES, on_grid, significant
from helpers.labels import bounded, number_text
from helpers.loading.cells import NUMBER
from helpers.loading.plain import read_plain


class ViewError(ValueError):
    """A View that cannot be read, or that asks for what the cohort does not have."""


def fail(field: str, found: Any, remedy: str) -> None:
    raise ViewError(f"{field}: found {found}. To do: {remedy}.")


@dataclass(frozen=True)
class Where:
    """One condition on patients: a value in a list, or a number in an inclusive range.

    A missing value fails the condition unless `missing` is true.
    """

    column: str
    values: tuple[str, ...] | None = None
    min: float | None = None
    max: float | None = None
    missing: bool = False

    KEYS = ("column", "in", "min", "max", "missing")

    @classmethod
    def read(cls, given: Any) -> "Where":
        if not isinstance(given, dict) or "column" not in given:
            fail("where", repr(given), "write {column: NAME, in: [...]} or {column, min, max}")
        unknown = set(given) - set(cls.KEYS)
        if unknown:
            fail("where", f"unknown key {sorted(unknown)[0]!r}", f"use {', '.join(cls.KEYS)}")
        values, low, high = given.get("in"), given.get("min"), given.get("max")
        if (values is None) == (low is None and high is None):
            fail("where", f"both or neither of a list and a range for {given['column']!r}",
                 "give either in, or min and max")  # fmt: skip
        if is_number(low) and is_number(high) and low > high:
            fail("where", f"min {low:g} above max {high:g}", "exchange them")
        if not isinstance(given.get("missing", False), bool):
            fail("where", f"missing = {given['missing']!r}", "write true or false")
        if values is not None:
            if not isinstance(values, list):
                fail("where", repr(values), "give a list after in")
            if any(isinstance(value, bool) or value is None for value in values):
                fail("where", repr(values), "put words such as yes, no and null in quotes")
            values = tuple(sorted({number_text(v) if is_number(v) else str(v) for v in values}))
        for name, bound in (("min", low), ("max", high)):
            if bound is not None and not is_number(bound):
                fail("where", f"{name} = {bound!r}", "give a number")
        low, high = (None if b is None else float(significant(b)) for b in (low, high))
        return cls(str(given["column"]), values, low, high, bool(given.get("missing", False)))

    def plain(self) -> dict:
        row = {"column": self.column}
        if self.values is not None:
            row["in"] = list(self.values)
        row |= {k: v for k, v in (("min", self.min), ("max", self.max)) if v is not None}
        return row | ({"missing": True} if self.missing else {})

    def mask(self, cohort: Cohort) -> pd.Series:
        """Who meets the condition: 1 or 0, and NaN where a missing value leaves it open."""
        column = require(cohort, self.column, "where")
        if self.values is not None:
            levels = level_text(column)
            absent = sorted(set(self.values) - set(levels.dropna()))
            if absent:
                fail(f"where, {self.column}", f"{absent[0]!r}, which nobody has",
                     f"use {', '.join(sorted(levels.dropna().unique())[:30])}")  # fmt: skip
            kept = levels.isin(self.values)
        else:
            if not pd.api.types.is_numeric_dtype(column):
                fail("where", f"a range for {self.column!r}, which is a category", "give a list")
            low = -float("inf") if self.min is None else self.min
            kept = column.between(low, float("inf") if self.max is None else self.max)
        return kept.astype(float).where(column.notna(), 1.0 if self.missing else np.nan)

    def __str__(self) -> str:
        if self.values is not None:
            text = f"{self.column} in {{{', '.join(self.values)}}}"
        else:
            low = "" if self.min is None else f"{number_text(self.min)} <= "
            high = "" if self.max is None else f" <= {number_text(self.max)}"
            text = f"{low}{self.column}{high}"
        return text + (" or missing" if self.missing else "")


@dataclass(frozen=True)
class View:
    """What is asked of a cohort.

    Attributes
    ----------
    endpoint : str
        Name of a time-to-event endpoint, such as os.
    compare : str
        Column whose groups are compared, or a number cut in two: "ecog >= 3".
    reference : str or None
        The group the others are compared with; None takes the cohort's reference arm, or the
        first group of another column.
    where : tuple of Where
        Conditions that all must hold; empty for everybody.
    adjust : tuple of str
        Covariates of the adjusted model: columns, or numbers cut in two.
    landmark : float
        Days; only patients still at risk after it are analysed, from it on. 0 for none.
    horizon : float or None
        Days after the landmark at which the restricted mean ends and survival is compared. It
        never truncates the Cox model.
    ties : str
        "efron", "breslow" or "exact": how the Cox models handle tied times.
    intervals : str
        "wald" or "profile": how their intervals are made.

    Examples
    --------
    >>> view = View.read("{endpoint: rfs, where: [{column: age, min: 50}], adjust: [grade]}")
    >>> view.text()
    '{"adjust": ["grade"], "endpoint": "rfs", "where": [{"column": "age", "min": 50.0}]}'
    >>> View.from_link(view.link()) == view
    True
    """

    endpoint: str = "os"
    compare: str = "arm"
    reference: str | None = None
    where: tuple[Where, ...] = ()
    adjust: tuple[str, ...] = ()
    landmark: float = 0.0
    horizon: float | None = None
    ties: str = TIES
    intervals: str = INTERVALS[0]

    def __post_init__(self):
        for field in ("endpoint", "compare"):
            if not isinstance(getattr(self, field), str):
                fail(field, repr(getattr(self, field)), "give one name")
        if not is_number(self.landmark) or self.landmark < 0:
            fail("landmark", repr(self.landmark), "give days, 0 or more")
        if self.horizon is not None and (not is_number(self.horizon) or self.horizon <= 0):
            fail("horizon", repr(self.horizon), "give days, more than 0, or leave it out")
        for field, known in (("ties", TIE_RULES), ("intervals", INTERVALS)):
            if getattr(self, field) not in known:
                fail(field, repr(getattr(self, field)), f"use {', '.join(known)}")
        # One question has one text, however the View was made.
        object.__setattr__(self, "landmark", float(on_grid(self.landmark)))
        if self.horizon is not None:
            object.__setattr__(self, "horizon", float(on_grid(self.horizon)))
        object.__setattr__(self, "where", tuple(sorted(self.where, key=str)))
        object.__setattr__(self, "compare", cut_text(self.compare))
        object.__setattr__(self, "adjust", tuple(dict.fromkeys(map(cut_text, self.adjust))))
        if self.compare in self.adjust:
            fail("adjust", f"{self.compare!r}, which is compared", "leave it out of adjust")

    @classmethod
    def read(cls, text: str) -> "View":
        """Read a View from JSON or YAML; empty text is the default View.

        Raises
        ------
        ViewError
        """
        try:
            given = read_plain(text)
        except ValueError as error:
            fail("view", error, "write each key once; check brackets and colons")
        given = {} if given is None else given
        if not isinstance(given, dict):
            fail("view", repr(given), "write key: value pairs")
        known = [f.name for f in fields(cls)]
        unknown = sorted(set(map(str, given)) - set(known))
        if unknown:
            fail("view", f"unknown key {unknown[0]!r}", f"use {', '.join(known)}")
        for field in ("where", "adjust"):
            if not isinstance(given.get(field, []), list):
                fail(field, repr(given[field]), "give a list")
        given["where"] = tuple(map(Where.read, given.get("where", [])))
        given["adjust"] = tuple(str(name) for name in given.get("adjust", []))
        reference = given.get("reference")
        if isinstance(reference, bool | list | dict):
            fail("reference", repr(reference), "give one value; put yes and no in quotes")
        if reference is not None:
            given["reference"] = number_text(reference) if is_number(reference) else str(reference)
        return cls(**given)

    def plain(self) -> dict:
        """The View as plain data, defaults left out."""
        given = asdict(self) | {"where": [w.plain() for w in self.where]}
        given["adjust"] = list(self.adjust)
        start = asdict(View()) | {"where": [], "adjust": []}
        return {key: value for key, value in given.items() if value != start[key]}

    def text(self) -> str:
        """Canonical text: JSON, sorted keys, defaults left out."""
        return json.dumps(self.plain(), sort_keys=True, ensure_ascii=False)

    def yaml(self) -> str:
        return yaml.safe_dump(self.plain(), sort_keys=True, allow_unicode=True)

    def link(self) -> str:
        """The canonical text in the letters of a link (base64url, no padding)."""
        return base64.urlsafe_b64encode(self.text().encode()).decode().rstrip("=")

    @classmethod
    def from_link(cls, link: str) -> "View":
        try:
            text = base64.b64decode(
                link.strip() + "=" * (-len(link.strip()) % 4), altchars=b"-_", validate=True
            ).decode()
        except ValueError:
            fail("view", "a link that is cut or altered", "copy the whole of it")
        return cls.read(text)


def is_number(value: Any) -> bool:
    """A finite number that is not a truth value."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) != float("inf") and value == value


def level_text(column: pd.Series) -> pd.Series:
    """Values as the text of groups and filters: 3 for 3.0."""
    if pd.api.types.is_numeric_dtype(column):
        return column.map(number_text, na_action="ignore")
    return column.astype("string").astype(object)


def cut(name: str) -> tuple[str, float] | None:
    """The column and the value of a number cut in two, such as "ecog >= 3"; else None."""
    found = re.fullmatch(rf"(.*\S)\s*>=\s*({NUMBER.pattern})", name.strip(), NUMBER.flags)
    known = found and is_number(float(found[2]))
    return (found[1], float(significant(float(found[2])))) if known else None


def cut_text(name: str) -> str:
    """A name as a View writes it: a cut has one spelling."""
    return f"{cut(name)[0]} >= {number_text(cut(name)[1])}" if cut(name) else name


def with_cuts(cohort: Cohort, view: View) -> Cohort:
    """The cohort with a column for every cut that a View asks for; missing stays missing."""
    asked = [("compare", view.compare), *(("adjust", name) for name in view.adjust)]
    asked = tuple((field, name) for field, name in asked if cut(name) and name not in cohort.frame)
    if asked and asked not in cohort.derived:
        cohort.derived[asked] = cut_columns(cohort, asked)
    return cohort.derived[asked] if asked else cohort


def cut_columns(cohort: Cohort, asked: tuple[tuple[str, str], ...]) -> Cohort:
    """The cohort with these cuts, each with the field of the View that asks for it."""
    columns, rows, book = {}, [], cohort.codebook
    for field, name in asked:
        column, value = cut(name)
        numbers = require(cohort, column, field).to_numpy()
        if not np.issubdtype(numbers.dtype, np.number):
            fail(field, f"{name!r}, but {column!r} is a category", "compare it as it is")
        sides = [f"{column} {sign} {number_text(value)}" for sign in (">=", "<")]
        code = np.where(np.isnan(numbers.astype(float)), -1, numbers >= value)
        columns[name] = pd.Categorical.from_codes(code.astype(int), sides[::-1])
        label = bounded(book.at[column, "label"], book.at[column, "unit"], value)
        rows.append(book.loc[column].to_dict() | {"label": label, "type": "category", "unit": ""})
    more = pd.DataFrame(rows, index=list(columns), columns=book.columns)
    return replace(
        cohort, frame=cohort.frame.assign(**columns), codebook=pd.concat([book, more])
    )  # fmt: skip


def require(cohort: Cohort, column: str, field: str) -> pd.Series:
    """A column that may be asked about, or a ViewError that names those there are."""
    if column not in cohort.factors:
        absent = f"{column!r}, which this cohort does not have"
        hint = "write a cut as 'age >= 60', or " if re.search("[<>=≤≥]", column) else ""
        fail(field, absent, f"{hint}use {', '.join(cohort.factors)}")
    return cohort.frame[column]


def default_view(cohort: Cohort, text: str = "", *, horizon: float | None = None) -> View:
    """The View in `text`, by default of the first endpoint that the cohort has.

    A View that states no horizon takes the one given.
    """
    view = View.read(text)
    if view.endpoint == View.endpoint and View.endpoint not in cohort.endpoints:
        view = replace(view, endpoint=next(iter(cohort.endpoints)))
    return replace(view, horizon=float(horizon)) if horizon and view.horizon is None else view
