"""One question to every endpoint of a cohort, and the patients that all numbers of a page concern.

Where `analyse` withholds a comparison, `why_not_compared` lets a page withhold its own.
"""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from helpers.analysis import Answer, analyse, grouping
from helpers.cohort import Cohort
from helpers.conventions import DAYS_PER_MONTH
from helpers.labels import counted
from helpers.selection import EVENT, GROUP, TIME, Notes, known_too_late, select
from helpers.view import View
from helpers.words import lower, plain

MONTHS = (3, 6, 12)  # chosen before looking at any cohort


def views(cohort: Cohort, view: View) -> list[View]:
    """The same question for each endpoint of the cohort, that of `view` first."""
    others = [name for name in cohort.endpoints if name != view.endpoint]
    return [replace(view, endpoint=name) for name in (view.endpoint, *others)]


def answers(cohort: Cohort, view: View) -> list[Answer]:
    """An answer per endpoint, with milestones at 3, 6 and 12 months and at the horizon."""
    days = {month * DAYS_PER_MONTH for month in MONTHS} | {view.horizon}
    days = sorted(day for day in days if day)
    return [analyse(cohort, each, times=days) for each in views(cohort, view)]


def selected(answer: Answer) -> pd.DataFrame:
    """The patients of an answer with all their columns, and _time (days from the start of the
    clock), _event, _group."""
    chosen = select(answer.cohort, answer.view, Notes()).data[[TIME, EVENT, GROUP]]
    return chosen.join(answer.cohort.frame)


def why_not_compared(answer: Answer) -> str:
    """Why the groups of an answer are not compared, or ''."""
    if len(answer.groups) < 2:
        return "fewer than two groups are left"
    late = known_too_late(answer.cohort, grouping(answer.view), answer.view.landmark)
    return late.removesuffix(".")


def stacked(
    asked: list[Answer], text: Callable[[Answer], pd.DataFrame], *, about: str = ""
) -> pd.DataFrame:
    """The same table of each endpoint, one below the other, with the endpoint in front.

    Where there is no table the notes of the answer on `about` stand in its place.
    """
    tables = []
    for answer in asked:
        table = text(answer)
        if not len(table):
            table = pd.DataFrame({"note": [withheld(answer, about)]})
        table.insert(0, "endpoint", [answer.label, *[""] * (len(table) - 1)], allow_duplicates=True)
        tables.append(table)
    return tidy_notes(pd.concat(tables, ignore_index=True).fillna(""))


def tidy_notes(table: pd.DataFrame) -> pd.DataFrame:
    """A table with its notes last, and without that column where there are none."""
    if "note" not in table:
        return table
    rest = [column for column in table if column != "note"]
    return table[[*rest, "note"] if (table["note"] != "").any() else rest]


def withheld(answer: Answer, about: str = "") -> str:
    """Why there is nothing to show, in the words of `analyse`: on the subject, or all it noted."""
    notes = answer.notes
    named = notes[notes["about"].isin([about, "comparison"])]
    found = (named if len(named) else notes)["note"].drop_duplicates()
    return " ".join(found) or "Nothing to show."


def counts_text(answer: Answer) -> pd.DataFrame:
    return answer.counts[["group", "patients", "events", "censored"]].copy()


def remarks(asked: list[Answer]) -> str:
    """What is odd, left out or withheld, said once for all endpoints."""
    cohort, view = asked[0].cohort, asked[0].view
    used = {view.compare, *view.adjust, *(condition.column for condition in view.where)}
    parts = [
        f"{row.column}: {row.finding} ({counted(row.rows, 'row')})"
        for row in cohort.flags.itertuples()
        if row.column in used or row.column not in cohort.factors
    ]
    for answer in asked:
        for note in answer.notes.itertuples():
            parts.append(f"{note.about} ({lower(answer.label)}): {note.note.removesuffix('.')}")
    return " ".join(f"{plain(part)}." for part in dict.fromkeys(parts)) or "No remarks."
