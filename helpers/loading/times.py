"""Endpoints made from other columns: from dates, or from times to the event and to last contact."""

import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.conventions import DAYS_PER
from helpers.loading.dates import asked_order, is_numbered, to_days, why_no_date
from helpers.loading.problems import Problems, short
from helpers.loading.reading import to_numbers

# One endpoint under `times`: `start` makes the others dates; without it they are times.
KEYS = ("start", "event", "last", "event_time", "first_of", "censor_time", "status", "events",
        "censored", "unknown")  # fmt: skip
COLUMNS = KEYS[:7]
# What a status says by itself, in lower case; any other text is asked about.
YES, NO = ("yes", "true", "ja", "oui"), ("no", "false", "nein", "non")
EVENT = frozenset(
    {*YES, "event", "dead", "deceased", "died", "death", "exitus", "verstorben", "gestorben", "tot",
     "décédé", "fallecido", "muerto", "deceduto"}
)  # fmt: skip
CENSORED = frozenset(
    {*NO, "censored", "alive", "living", "lebt", "lebend", "lebendig", "vivant", "vivo"}
)
PORTAL = re.compile(r"([01]):.+")  # cBioPortal: 1:DECEASED, 0:LIVING
# A column of such a name says yes to those who live.
TURNED = re.compile(r"(?i)aliv|surviv|livin|censor|cnsr|lebt|lebend")


class Made(NamedTuple):
    """Endpoints that were made: text columns of days and of 0 or 1, and what was found wrong in
    which rows, to be said of the rows that stay; `reported` are such rows by endpoint."""

    columns: dict[str, pd.Series]
    wrong: list[tuple[str, pd.Series, str, str]]
    said: list[str]
    reported: dict[str, pd.Index]


def meaning(text: str, column: str) -> str | None:
    """1 for a status that says the event, 0 for one that says censored, None for any other.

    Examples
    --------
    >>> meaning("1:DECEASED", "OS_STATUS"), meaning("Alive", "vital"), meaning("yes", "alive")
    ('1', '0', None)
    """
    if found := PORTAL.fullmatch(text):
        return found[1]
    word = text.lower()
    if word in (*YES, *NO) and TURNED.search(column):
        return None
    return "1" if word in EVENT else "0" if word in CENSORED else None


def check_times(given: dict, problems: Problems) -> None:
    """Check what stands under `times` in a mapping."""
    for name, about in given.items():
        where = f"mapping, times {name}"
        if not isinstance(about, dict):
            problems.add(where, short(about), "give 'start: ..., event: ..., last: ...'")
            continue
        for key, value in about.items():
            if key not in KEYS:
                problems.add(where, f"unknown key {key!r}", f"use only {', '.join(KEYS)}")
            elif not all(isinstance(v, str) and v for v in listed(value)):
                problems.add(where, f"{key} {short(value)}", "give a name, or a list as in [a, b]")
        if "events" in about and "status" not in about:
            problems.add(where, "events without a status", "name its column: 'status: ...'")
        if not ends(about, "event") and "status" not in about:
            problems.add(
                where,
                "nothing that says who had the event",
                "name the column of its date (event) or time (event_time), or a status",
            )
        if not ends(about, "event") and not ends(about, "last"):
            problems.add(where, "no date or time of the end of follow-up",
                         "name its column: last, with start, or censor_time")  # fmt: skip


def listed(value) -> list:
    return value if isinstance(value, list) else [value]


def ends(about: dict, kind: str) -> list[str]:
    """The columns of the event, or of last contact."""
    keys = ("event", "event_time", "first_of") if kind == "event" else ("last", "censor_time")
    return [name for key in keys if key in about for name in listed(about[key])]


def made_from(times: dict) -> set[str]:
    """The columns of the file that endpoints are made from."""
    return {name for about in times.values() for key in COLUMNS if key in about
            for name in listed(about[key])}  # fmt: skip


def endpoints(text: pd.DataFrame, mapping, decimal: str, problems: Problems) -> Made:
    """Make the endpoints that the mapping describes under `times`.

    Parameters
    ----------
    text : DataFrame
        The file as text, by its own names, missing values as NaN.
    mapping : Mapping
    decimal : str
        Mark of decimals.
    """
    made = Made({}, [], [], {})
    absent = made_from(mapping.times) - set(text.columns)
    for name in sorted(absent):
        problems.add("mapping, times", f"{name!r}, which the file does not have",
                     "correct the name")  # fmt: skip
    if absent:
        return made
    dated = [about for about in mapping.times.values() if "start" in about]
    columns = {c for about in dated for c in (about["start"], *ends(about, "event"),
               *ends(about, "last"))}  # fmt: skip
    order = asked_order([text[c] for c in sorted(columns)], mapping.date_format, problems)
    days = {}
    numbered = is_numbered([text[c] for c in columns])
    for column in sorted(columns):
        if numbered:  # the day they count from is the same, whichever it is
            days[column] = to_numbers(text[column])
            continue
        days[column], wrong = to_days(text[column], order, mapping.date_format)
        if len(wrong):
            made.wrong.append((column, wrong, *why_no_date(wrong, order)))
    if order and not mapping.date_format:
        first = "day" if order == "%d/%m/%Y" else "month"
        made.said.append(f"dates are read with the {first} first (date_format)")
    for name, about in mapping.times.items():
        one_endpoint(name, about, text, days, decimal, mapping, made)
    return made


def one_endpoint(name, about, text, days, decimal: str, mapping, made: Made) -> None:
    """Time and event of one endpoint."""
    unit = DAYS_PER[mapping.time_unit]

    def time_in(column):
        if column in days:
            return days[column]
        found = to_numbers(text[column], decimal)
        wrong = text[column][text[column].notna() & found.isna()]
        if len(wrong):
            made.wrong.append((column, wrong, "not a number", "correct it or leave it empty"))
        return found * unit

    nothing = pd.Series(np.nan, text.index)
    events, lasts = ([time_in(c) for c in ends(about, kind)] for kind in ("event", "last"))
    event = pd.concat(events, axis=1).min(axis=1) if events else nothing
    last = pd.concat(lasts, axis=1).max(axis=1) if lasts else nothing
    start = time_in(about["start"]) if "start" in about else pd.Series(0.0, text.index)
    had = statuses(name, about, text, made) if "status" in about else event.notna() * 1.0
    time = last.where(had == 0, event if events else last)
    # Another end than the event asked for, such as a death of another cause, ends follow-up too.
    time = time.where(~((had == 0) & last.isna()), event) - start
    unclear = (had == 1) & time.isna() & last.notna() & start.notna()
    if events and unclear.any():
        made.wrong.append((
            name, text.index.to_series()[unclear].map(lambda _: "the event by its status"),
            f"no date or time of it in {' or '.join(ends(about, 'event'))}",
            f"fill it in, or leave these patients out: 'exclude: [{{column: {name}_time, is: "
            "missing, because: ...}]'",
        ))  # fmt: skip
        made.reported[name] = text.index[unclear]
    known = time.notna() & had.notna()
    for kind, values in (("time", time), ("event", had)):
        texts = values.where(known).map("{:.12g}".format, na_action="ignore")
        made.columns[f"{name}_{kind}"] = texts.astype(object)


def statuses(name: str, about: dict, text: pd.DataFrame, made: Made) -> pd.Series:
    """1 for a status under `events`, 0 for one that means no event, NaN where there is none."""
    column, events = about["status"], set(listed(about.get("events", [])))
    censored = set(listed(about.get("censored", [])))
    unknown = set(listed(about.get("unknown", [])))
    found, unnamed = {}, []
    values = text[column].dropna().unique()
    coded = set(values) <= {"0", "1"} and not TURNED.search(column)
    for value in values:
        own = value if coded else meaning(value, column)
        if value in unknown:
            found[value] = np.nan
        elif value in events or ("events" not in about and own == "1"):
            found[value] = 1.0
        elif value in censored or ("censored" not in about and own == "0"):
            found[value] = 0.0
        else:
            unnamed.append(value)
    if unnamed:
        wrong = text[column][text[column].isin(unnamed)]
        made.wrong.append((
            column, wrong, f"a status without a meaning for {name}",
            "name it under events or censored, or under unknown",
        ))  # fmt: skip
    if not events:
        words = {k: [v for v, code in found.items() if code == k] for k in (1.0, 0.0)}
        event, none = (", ".join(words[k]) or "nothing" for k in (1.0, 0.0))
        made.said.append(f"{name}: {event} is the event, {none} is not (times: events)")
    return text[column].map(found)
