"""Whose an answer is: which patients it is about, in words and numbers, and who is left out."""

import re
from dataclasses import replace

import numpy as np

from helpers.analysis import Answer
from helpers.labels import condition, counted, listed, lower, month_name, side, verb
from helpers.selection import column_levels, inside_of
from helpers.view import cut


def start(answer: Answer) -> str:
    """Where the clock starts."""
    landmark = answer.view.landmark
    return f"the landmark at {month_name(landmark)}" if landmark else answer.cohort.time_zero


def column_label(answer: Answer, name: str) -> str:
    """A column by its label, inside a sentence; what is no column, as it is."""
    book = answer.cohort.codebook
    return lower(book.at[name, "label"]) if name in book.index else name


def covariates(answer: Answer) -> str:
    """What the adjusted model adjusts for, by label."""
    return listed([column_label(answer, name) for name in answer.view.adjust])


def conditions(answer: Answer) -> list[str]:
    """The filters of a View in words."""
    return [condition(where, answer.cohort.codebook) for where in answer.view.where]


def lacking(answer: Answer) -> list[tuple[int, str]]:
    """Patients left out for a missing value: how many, and which columns leave it open."""
    cohort, view = answer.cohort, answer.view
    unknown = cohort.frame[view.compare].isna().to_numpy()
    found = [(int(unknown.sum()), column_label(answer, view.compare))]
    untold = cohort.frame[f"{view.endpoint}_time"].isna().to_numpy() & ~unknown
    found.append((int(untold.sum()), lower(answer.label)))
    unknown = unknown | untold
    if view.where:
        unclear = np.isnan(inside_of(cohort, view)) & ~unknown
        asked = [where.column for where in view.where]
        open_ = [c for c in asked if cohort.frame.loc[unclear, c].isna().any()]
        names = dict.fromkeys(column_label(answer, c) for c in open_)
        found.append((int(unclear.sum()), listed([*names], "or") if names else ""))
    return [(n, label) for n, label in found if n]


def patients(answer: Answer) -> str:
    """The subgroup of a View in words, or everybody."""
    if answer.view.where:
        return " and ".join(conditions(answer))
    known = "".join(f" with a value of {label}" for _, label in lacking(answer))
    return f"all patients{' still at risk then' * bool(answer.view.landmark)}{known}"


def whose(answer: Answer) -> str:
    """Which patients an answer is about, in words and numbers; "" where it is about all.

    Every picture of an answer says so inside, since a picture travels without its page.

    Examples
    --------
    >>> from helpers.analysis import analyse
    >>> from helpers.cohort import load_cohort
    >>> from helpers.view import View
    >>> whose(analyse(load_cohort(), View.read("{landmark: 90, where: [{column: ipi, min: 4}]}")))
    'From day 90 on; International Prognostic Index of 4 or more: 14 of 93 patients, 10 events'
    """
    cohort, view, gone = answer.cohort, answer.view, lacking(answer)
    if not (view.where or view.landmark or gone):
        return ""
    started = [f"From {month_name(view.landmark)} on"] if view.landmark else []
    head = "; ".join([*started, *conditions(answer)])
    n, events = (int(answer.counts[c].sum()) for c in ("patients", "events"))
    text = f"{head}: " * bool(head)
    text += f"{n} of {counted(len(cohort.frame), 'patient')}, {counted(events, 'event')}"
    lack = [f"{k} {verb(k, 'has', 'have')} no value of {label}" for k, label in gone]
    return text + f" ({'; '.join(lack)})" * bool(lack)


def readable(answer: Answer) -> Answer:
    """The answer as it is shown: the sides of a number cut in two are called by label and unit."""
    name = answer.view.compare
    if not cut(name):
        return answer
    cohort = answer.cohort
    told = {level: side(cohort.codebook, name, level) for level in column_levels(cohort, name)}
    pattern, head = re.compile("|".join(map(re.escape, told))), f"{name}: "

    def shown(text: str) -> str:
        rest = text.removeprefix(head)  # a term begins with its column, and keeps that
        return text[: len(text) - len(rest)] + pattern.sub(lambda found: told[found[0]], rest)

    frames = {}
    for table in ("curves", "risk_table", "medians", "milestones", "model", "rmst", "interaction",
                  "counts"):  # fmt: skip
        frame = getattr(answer, table)
        named = [c for c in ("group", "level", "reference", "term") if c in frame]
        frames[table] = frame.assign(**{c: [shown(text) for text in frame[c]] for c in named})
    renamed = cohort.frame[name].cat.rename_categories(told)
    return replace(
        answer, groups=tuple(told.get(group, group) for group in answer.groups),
        cohort=replace(cohort, frame=cohort.frame.assign(**{name: renamed})), **frames,
    )  # fmt: skip
