"""Results read out as sentences, in Markdown, for the prose below a figure or a table.

Each is written from an `Answer`, so it holds on every cohort and cannot contradict the numbers.
"""

import numpy as np
import pandas as pd

from helpers.analysis import Answer
from helpers.cohort import Cohort
from helpers.labels import counted, lower, month_name
from helpers.whose import column_label, covariates, patients, start
from helpers.words import interval, months, number, percent, plain, quoted


def status(cohort: Cohort) -> str:
    """What the data is, who the patients are, and what it must not be used for."""
    about = f" {plain(cohort.about)}" if cohort.about else ""
    return f"{plain(cohort.status_line)}.{about} {cohort.caution}"


def mark_of(of: Answer | Cohort | str) -> str:
    """What no single result of this data is; a text is its own mark, "" rests on no data."""
    if isinstance(of, str):
        return of
    return (of.cohort if isinstance(of, Answer) else of).mark


def read_view(answer: Answer) -> str:
    """The question in words, as Markdown."""
    view, column = answer.view, column_label(answer, answer.view.compare)
    adjusted = f", adjusted for {covariates(answer)}" if view.adjust else ""
    horizon = f", with a horizon of {month_name(view.horizon)}" if view.horizon else ""
    return (
        f"{plain(answer.label)} from {plain(start(answer))}, by {plain(column)}, "
        f"{plain(patients(answer))}{plain(adjusted)}{horizon}."
    )


def read_ledger(table: pd.DataFrame) -> str:
    """How many printed numbers got which verdict."""
    counts = table["verdict"].value_counts()
    parts = [f"{count} *{verdict}*" for verdict, count in counts.items()]
    return f"Of {len(table)} printed numbers and limits: {', '.join(parts)}."


def read_counts(answer: Answer) -> str:
    """Who is in the answer, in a sentence."""
    parts = [
        f"{row.patients} with {quoted(row.group)}, of whom {row.events} had the event"
        for row in answer.counts.itertuples()
    ]
    total = int(answer.counts["patients"].sum())
    compared = "compared" if len(answer.groups) > 1 else "described"
    are = f"{counted(total, 'patient')} {'is' if total == 1 else 'are'} {compared}"
    return f"{are} on {plain(lower(answer.label))}: {'; '.join(parts)}."


def read_remarks(answer: Answer) -> str:
    """What is odd about the cohort, and what the answer leaves out or withholds."""
    parts = [f"{plain(remark)}." for remark in answer.cohort.remarks]
    parts += [
        f"{plain(column_label(answer, row.about))}: {plain(row.note)}"
        for row in answer.notes.itertuples()
    ]
    return " ".join(parts) or "No remarks."


def read_medians(answer: Answer) -> str:
    """Each median in a sentence, also when it was not reached."""
    parts = []
    for row in answer.medians.itertuples():
        if pd.isna(row.estimate):
            parts.append(
                f"With {quoted(row.group)} the estimate stays at or above one half to the end of "
                "the data, so the median is not reached."
            )
        else:
            parts.append(
                f"With {quoted(row.group)} the estimate passes one half at "
                f"{months(row.estimate)} months."
            )
    return " ".join(parts)


def read_survival(answer: Answer, day: float) -> str:
    """The share free of the event at a day in each group, and the difference, in sentences.

    Where a group is not observed to that day, the last earlier milestone that all groups reach.
    """
    stones = answer.milestones
    if stones.empty:
        return "No patient is left."
    groups = stones[stones["kind"] == "survival"].groupby("time")["estimate"]
    seen = groups.apply(lambda values: values.notna().all())
    reached = [time for time in seen.index[seen] if time <= day + 1e-9]
    if not reached:
        return f"No milestone up to {month_name(day)} is reached by every group."
    parts = []
    if not np.isclose(reached[-1], day):
        known = np.isclose(seen.index, day).any()
        parts.append(f"Not every group is observed to {month_name(day)}." if known else
                     f"Nothing was computed at {month_name(day)}.")  # fmt: skip
    shares = []
    for row in stones[stones["time"] == reached[-1]].to_dict("records"):
        if row["kind"] == "survival":
            limits = interval(percent(row["conf_low"]), percent(row["conf_high"]))
            shares.append(f"{percent(row['estimate'])} {limits} with {quoted(row['group'])}")
    parts.append(
        f"At {month_name(reached[-1])} the share free of the event "
        f"({plain(lower(answer.label))}) is {' and '.join(shares)}."
    )
    for row in stones[stones["time"] == reached[-1]].to_dict("records"):
        if row["kind"] == "difference":
            points = [number(100 * row[c], 0) for c in ("estimate", "conf_low", "conf_high")]
            parts.append(
                f"The difference, {plain(row['group'])}, is {points[0]} points "
                f"{interval(*points[1:])}."
            )
    return " ".join(parts)


def read_comparison(answer: Answer) -> str:
    """The hazard ratio of each group in a sentence, or why there is none."""
    rows = answer.model[
        (answer.model["model"] == "unadjusted") & (answer.model["column"] == answer.view.compare)
    ]
    parts = []
    for _, row in rows[rows["estimate"].notna()].iterrows():
        straddles = row["conf_low"] <= 0 <= row["conf_high"]
        parts.append(
            f"Among patients still at risk, those with {quoted(row['level'])} have the event at "
            f"{number(np.exp(row['estimate']))} times the rate of those with "
            f"{quoted(row['reference'])}, averaged over the follow-up; the interval "
            f"{'includes' if straddles else 'excludes'} 1, which would be no difference."
        )
    withheld = answer.notes[answer.notes["note"].str.startswith("Withheld")]
    return " ".join(parts + [plain(note) for note in withheld["note"]])
