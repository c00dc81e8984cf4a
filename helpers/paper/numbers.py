"""Numbers as journals print them, read by one function: `read_number`.

The rules where a text could be read in two ways:

- A point, also one in the middle of the line (Lancet), is a decimal point, and a comma a decimal
  comma unless three digits follow it. `1 003`, `1'003` and `1,003,000` have thousands.
- `1,003` is what the other numbers of the text say. Else a count and a number of days have
  thousands; a ratio, a P, a percentage and a number of months or years have decimals. Where it is
  not known what was counted or measured, it is refused.
- A count has no decimals: `1.003` patients are 1003.

What is not understood is refused, never left out: unknown words, a range without an estimate, a
second number that is neither a limit, a percentage nor the patients of a count.
"""

from decimal import Decimal
from functools import lru_cache
from math import inf, nan
from typing import NamedTuple

from helpers.paper.grammar import MISSING, Reader, refusal
from helpers.paper.marks import Digits, Token, digit_readings

DECIMAL = ("percentage", "ratio", "P", "months", "years")  # have no thousands
ABOUT = ("relation", "unit", "label", "sides", "test", "counted", "spread", "level", "missing")
RELATIONS = {"=": "", "<": "less than ", "<=": "at most ", ">": "more than ", ">=": "at least "}


class Printed(NamedTuple):
    """A printed number as it is read; what was not printed is empty or None.

    Attributes
    ----------
    number : str
        With a point and its final zeros, "0.30"; empty where it is `missing`.
    low, high : float
        The true values that print so, in the printed unit: low included, high not. Of "> 60" and
        "<= 60" they end at 60 all the same; `prints` minds the difference.
    relation : str
        =, <, <=, > or >=.
    unit : str
        %, days, weeks, months, years or none.
    label, sides, test
        "P", "ratio", "median" or "n" if it stands before the number; 1 or 2; log-rank, Wald or
        likelihood ratio.
    count, total, share, counted
        15, 54, "27.8" and patients, events or deaths in "15 of 54 patients (27.8%)".
    interval, spread, level
        Two numbers, or "not reached" and "not estimable"; interval, range or interquartile range;
        its level in percent.
    p : str
        A P behind the number, "P = 0.011".
    missing : str
        "not reached" or "not estimable".
    """

    number: str
    low: float
    high: float
    relation: str = "="
    unit: str = ""
    label: str = ""
    sides: int | None = None
    test: str = ""
    count: int | None = None
    total: int | None = None
    share: str = ""
    counted: str = ""
    interval: tuple[str, ...] = ()
    spread: str = ""
    level: float | None = None
    p: str = ""
    missing: str = ""

    def prints(self, value: float) -> bool:
        """Whether a value, in the printed unit, prints so; halves are rounded up."""
        above = value > self.low if self.relation == ">" else value >= self.low
        within = value < self.high if self.relation in ("=", "<") else value <= self.high
        return bool(above and within)

    @property
    def plain(self) -> str:
        """The number without what stands beside it, in plain characters."""
        if self.missing:
            return self.missing
        label = "P " if self.label == "P" else ""
        relation = f"{self.relation} " if label or self.relation != "=" else ""
        of = "" if self.total is None else f"/{self.total}"
        share = f" ({self.share}%)" if self.share else ""
        return label + relation + self.number + spaced(self.unit) + of + share

    @property
    def words(self) -> str:
        """The number in words, with all that was read beside it."""
        said = [self.missing or self.amount]
        said += [self.interval_words] if self.interval else []
        said += [self.p] if self.p else []
        said += [f"{('one', 'two')[self.sides - 1]}-sided"] if self.sides else []
        said += [f"{self.test} test"] if self.test else []
        return ", ".join(said)

    @property
    def interval_words(self) -> str:
        """The limits in words, with their level or what else they are."""
        first, last = self.interval
        level = f"{self.level:g}% " if self.level else ""
        if last in MISSING or self.unit == "%":
            first += spaced(self.unit) if first not in MISSING else ""
        last += spaced(self.unit) if last not in MISSING else ""
        return f"{level}{self.spread} {first} to {last}"

    @property
    def amount(self) -> str:
        """The number in words, with its unit or its patients."""
        label = "P " if self.label == "P" else ""
        label += "= " if label and self.relation == "=" else ""
        number = f"{label}{RELATIONS[self.relation]}{self.number}{spaced(self.unit)}"
        total = "" if self.total is None else f" of {self.total}"
        counted = self.counted or ("patients" if total or self.share else "")
        share = f" ({self.share}%)" if self.share else ""
        return f"{number}{total} {counted}".strip() + share


def spaced(unit: str) -> str:
    """A unit behind a number."""
    return unit if unit in ("", "%") else f" {unit}"


@lru_cache(maxsize=4096)
def read_number(text: str, decimals: int | None = None, kind: str | None = None) -> Printed:
    """Read a number as it was printed.

    Parameters
    ----------
    text : str
        Such as "0.59 (95% CI, 0.40 to 0.89)", "P < .0001", "9.0 months", "15/54 (27.8%)" or
        "NR". Final zeros count: "0.30" is narrower than "0.3".
    decimals : int, optional
        Decimals meant, where a final zero was dropped: ("0.8", 2) is 0.795 to 0.805.
    kind : str, optional
        What is printed: count, percentage, time, ratio or P. It decides what "1,003" is.

    Returns
    -------
    Printed

    Raises
    ------
    ValueError
        The text, what of it is not understood, and what to do.

    Examples
    --------
    >>> read_number("one-sided P = .0987").words, read_number("15/54 (27.8%)").words
    ('P = 0.0987, one-sided', '15 of 54 patients (27.8%)')
    >>> printed = read_number("0·59 [0·40–0·89]")
    >>> printed.low, printed.high, printed.interval
    (0.585, 0.595, ('0.40', '0.89'))
    """
    reader = Reader(text, kind)
    said = count_first(reader)
    kind = meant(said, kind)
    points, thousands = certain_marks(reader)
    value = lambda token, kind: decided(token, kind, points, thousands, text)  # noqa: E731
    about = {name: said[name] for name in ABOUT if name in said}
    if "total" in said:
        about["total"] = whole(value(said["total"], "count"), text)
    if "share" in said:
        about["share"] = f"{value(said['share'], 'percentage'):f}"
    if "p_number" in said:
        about["p"] = f"P {said['p_relation']} {value(said['p_number'], 'P'):f}"
    if "limits" in said:
        of = "percentage" if "share" in said else kind
        ends = [signed(minus, value(token, of)) if token.name == "number" else token.name
                for minus, token in said["limits"]]  # fmt: skip
        about["interval"] = tuple(ends)
    if "missing" in said:
        printed = Printed("", nan, nan, **about)
    else:
        number = value(said["number"], kind)
        if kind == "count":
            about["count"] = whole(number, text)
        number = -number if said["minus"] else number
        printed = Printed(*limits(number, decimals, kind, about.get("relation", "=")), **about)
    if why := contradiction(printed, kind):
        raise refusal(text, f", {why}", "compare it with the paper")
    return printed


def count_first(reader: Reader) -> dict:
    """What was read, with "27.8% (15/54)" turned to "15/54 (27.8%)"."""
    said = dict(reader.said)
    if "count" not in said:
        return said
    percentage = said.get("unit") == "%" and said.get("relation", "=") == "="
    if not percentage or "share" in said:
        raise reader.refusal(", with a count in brackets behind what is no percentage")
    return said | {"number": said.pop("count"), "share": said["number"], "unit": ""}


def meant(said: dict, kind: str | None) -> str | None:
    """What was counted or measured, from the text, or else as it was given."""
    if unit := said.get("unit"):
        return "percentage" if unit == "%" else unit
    if label := {"P": "P", "ratio": "ratio", "n": "count"}.get(said.get("label")):
        return label
    return "count" if {"total", "share", "counted"} & set(said) else kind


def certain_marks(reader: Reader) -> tuple[set[str], set[str]]:
    """The decimal marks, and the marks of thousands, of all numbers that can be read in one way."""
    readings = [digit_readings(t.text) for t in reader.tokens if t.name == "number"]
    certain = [r[0] for r in readings if len(r) == 1]
    points, thousands = ({getattr(r, name) for r in certain} - {""} for name in Digits._fields[1:])
    if len(points) > 1 or points & thousands:
        raise reader.refusal(", with points and commas as decimal marks", "use one of them")
    return points, thousands


def decided(token: Token, kind: str | None, points: set, thousands: set, text: str) -> Decimal:
    """The number that digits mean."""
    readings = digit_readings(token.text)
    if not readings:
        raise refusal(text, f", of which {token.text!r} is no number",
                      "use one decimal mark, and groups of three digits")  # fmt: skip
    if token.power > 0:
        raise refusal(text, " with a power of ten above 1", "write the number out")
    if len(readings) == 1:
        return Decimal(readings[0].number).scaleb(token.power)
    decimal, grouped = readings
    mark = decimal.point
    beside = decimal if mark in points else grouped if points or mark in thousands else None
    usual = decimal if kind in DECIMAL else None
    if kind == "count" or (kind == "days" and mark == ","):
        usual = grouped
    elif beside is None and mark == "." and kind != "days":
        usual = decimal
    if (beside or usual) is None or (beside and usual and beside != usual):
        both = " or ".join(r.number for r in readings)
        raise refusal(text, f", where {token.text} can be {both}", f"write {both}")
    return Decimal((beside or usual).number).scaleb(token.power)


def whole(number: Decimal, text: str) -> int:
    """A count."""
    if number != int(number) or "." in f"{number:f}":
        raise refusal(text, f", where {number:f} is no count", "write % behind a percentage")
    return int(number)


def signed(minus: bool, number: Decimal) -> str:
    return f"{-number if minus else number:f}"


def limits(number: Decimal, decimals, kind, relation: str) -> tuple[str, float, float]:
    """The number with its final zeros, and the lowest and highest true value."""
    places = max(int(decimals or 0), -number.as_tuple().exponent)
    shown = f"{number:.{places}f}"
    if relation in ("<", "<="):
        return shown, 0.0 if number >= 0 else -inf, float(number)
    if relation in (">", ">="):
        return shown, float(number), {"P": 1.0, "percentage": 100.0}.get(kind, inf)
    half = Decimal(5).scaleb(-places - 1)
    return shown, float(number - half), float(number + half)


def contradiction(printed: Printed, kind: str | None) -> str:
    """What cannot be so whatever was measured; empty if nothing."""
    limits = [Decimal(end) for end in printed.interval if end not in MISSING]
    beside = printed.share or {printed.count, printed.total} != {None}
    behind = Decimal(printed.p.split()[-1]) if printed.p else Decimal(0)
    p = [Decimal(printed.number or 0)] if "P" in (kind, printed.label) else []
    if not all(0 <= value <= 1 for value in [*p, behind]):
        return "and a P is 0 to 1"
    if printed.label == "P" and (printed.unit or printed.interval or printed.p):
        return "and a P has no unit, no limits and no other P"
    if printed.low >= printed.high:
        return "and no value prints so"
    if limits != sorted(limits):
        return "with its limits the wrong way round"
    if beside and (kind != "count" or printed.missing):
        what = printed.missing or printed.unit or f"a {printed.label}"
        return f"where patients stand beside {what}"
    if kind == "count" and printed.number.startswith("-"):
        return "and a count is not below zero"
    if printed.missing and printed.relation != "=":
        return f"and {printed.missing} is neither less nor more"
    if printed.share and not 0 <= Decimal(printed.share) <= 100:
        return f"and {printed.share}% is no share of patients"
    if None not in (printed.count, printed.total) and printed.count > printed.total:
        return f"and {printed.count} of {printed.total} is more than all"
    return ""


def read_value(text: str, decimals: int | None = None, kind: str | None = None) -> Printed:
    """The same, of what must be a number: "not reached" is refused."""
    printed = read_number(text, decimals, kind)
    if printed.missing:
        raise refusal(text, "", "give a number")
    return printed
