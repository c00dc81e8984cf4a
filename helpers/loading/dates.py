"""Dates as people write them, as days; what could be two dates is asked for, never guessed."""

import re
from collections.abc import Sequence
from datetime import date, datetime

import pandas as pd

from helpers.loading.problems import Problems

# Names of the orders in which a date is written, and what `date_format` calls them.
ISO, DAY_FIRST, MONTH_FIRST = "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y"
SERIAL = range(10_000, 80_000)  # 1927 to 2119
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
FOREIGN = {"mai": 5, "mär": 3, "mrz": 3, "okt": 10, "dez": 12}  # German, where it differs
CLOCK = r"(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?(?: ?[AaPp][Mm])?)?"
YEAR_FIRST = re.compile(rf"(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){CLOCK}")
PLAIN = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
NUMBERS = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}){CLOCK}")
DAY_NAME = re.compile(rf"(\d{{1,2}})[-/. ]*([^\W\d_]{{3,}})[-/., ]*(\d{{4}}){CLOCK}")
NAME_DAY = re.compile(
    rf"([^\W\d_]{{3,}})[-/. ]*(\d{{1,2}})(?:st|nd|rd|th)?[-/., ]+(\d{{4}}){CLOCK}"
)
PARTIAL = re.compile(r"\d{4}|\d{4}[-/.]\d{1,2}|\d{1,2}[-/.]\d{4}|[^\W\d_]{3,}[-/. ]*\d{4}")


def told_order(columns: Sequence[pd.Series]) -> tuple[str, str]:
    """The order of days and months in numbers such as 3/4/2020, and a date that tells it.

    All date columns of a file are taken together: one hand, or one program, wrote them. The order
    is "" where no such date is there, or none tells; then the date is one that does not tell.
    """
    open_, told = "", {}
    for values in columns:
        for text in values.dropna().unique():
            if not (found := NUMBERS.fullmatch(text)):
                continue
            first, mark, second, _ = found.groups()
            if mark == "." or int(first) > 12:  # with points the day comes first, everywhere
                told.setdefault(DAY_FIRST, text)
            elif int(second) > 12:
                told.setdefault(MONTH_FIRST, text)
            else:
                open_ = text
    if len(told) == 2:
        return "", " and ".join(told.values())
    return next(iter(told.items()), ("", open_))


def one_date(text: str, order: str) -> date | None:
    """A text as a date; None where it is none, or the order of day and month is not known."""
    if found := YEAR_FIRST.fullmatch(text) or PLAIN.fullmatch(text):
        year, month, day = found.groups()
    elif found := NUMBERS.fullmatch(text):
        first, _, second, year = found.groups()
        if not order:
            return None
        day, month = (first, second) if order == DAY_FIRST else (second, first)
    elif found := DAY_NAME.fullmatch(text) or NAME_DAY.fullmatch(text):
        day, name, year = found.groups()
        day, name = (day, name) if day.isdigit() else (name, day)
        short = name.lower()[:3]
        month = MONTHS.index(short) + 1 if short in MONTHS else FOREIGN.get(short, 0)
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def is_numbered(columns: Sequence[pd.Series]) -> bool:
    """Whether columns hold numbers of days, as Excel and R write dates: whole, of five digits at
    the most, and some of five, so that no year is taken for one."""
    whole = [text.removesuffix(".0") for values in columns for text in values.dropna().unique()]
    return all(re.fullmatch(r"\d{1,5}", text) for text in whole) and any(
        int(text) in SERIAL for text in whole
    )


def by_format(text: str, stated: str) -> date | None:
    """A text as the date that the mapping's `date_format` makes of it."""
    try:
        return datetime.strptime(text, stated).date()
    except ValueError:
        return None


def to_days(values: pd.Series, order: str, stated: str | None) -> tuple[pd.Series, pd.Series]:
    """Texts as days since the year 1, and those that are no date."""
    distinct = {}
    for text in values.dropna().unique():
        found = by_format(text, stated) if stated else None
        distinct[text] = found or one_date(text, order)
    days = values.map({text: day.toordinal() for text, day in distinct.items() if day})
    return days.astype(float), values[values.notna() & days.isna()]


def why_no_date(wrong: pd.Series, order: str) -> tuple[str, str]:
    """What is wrong with texts that are no date, and what to do."""
    texts = [str(text) for text in wrong]
    if all(PARTIAL.fullmatch(text) for text in texts):
        return (
            "a date without a day or month",
            "give the whole date, or leave these patients out: 'exclude: [{column: ..., in: "
            "[...], because: ...}]'",
        )
    if not order and any(NUMBERS.fullmatch(text) for text in texts):
        return (
            "day and month could be either way round",
            f"say which comes first: 'date_format: {DAY_FIRST!r}' or {MONTH_FIRST!r}",
        )
    return "not a date", "write it as 2020-12-31, or say the form with date_format"


def asked_order(columns: Sequence[pd.Series], stated: str | None, problems: Problems) -> str:
    """The order of day and month in all date columns; a problem where they contradict."""
    if stated in (DAY_FIRST, MONTH_FIRST):
        return stated
    order, example = told_order(columns)
    if not order and " and " in example and not stated:
        problems.add(
            "dates", f"{example}: the day comes first in one and the month in the other",
            f"say which is meant: 'date_format: {DAY_FIRST!r}' or '{MONTH_FIRST!r}'",
        )  # fmt: skip
    return order
