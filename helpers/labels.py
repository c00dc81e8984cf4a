"""Columns, conditions and counts as a reader knows them: by label and unit, never by file name."""

import re
from collections.abc import Sequence

import pandas as pd

from helpers.conventions import DAYS_PER_MONTH

SCORES = ("grade", "points")  # a number of these stands for itself: an ECOG of 3
MOST_NAMED = 6  # values of a filter that are named, before the rest is counted
# First words of labels that are ordinary English. Any other first word may be a name (Karnofsky,
# International Prognostic Index) and keeps its capital inside a sentence.
ORDINARY = {
    "Adjusted", "Age", "Arm", "Best", "Bridging", "Clock", "Cytokine", "Death", "Disease",
    "Distant", "Duration", "Endpoint", "Estimator", "Event", "Extranodal", "Failure", "Follow",
    "Group", "Histology", "Hormonal", "Lactate", "Landmark", "Later", "Local", "Menopausal",
    "Metastasis", "Neurotoxicity", "Number", "Oestrogen", "Overall", "Positive", "Prior",
    "Progesterone", "Progression", "Reason", "Recovered", "Recurrence", "Relapse", "Response",
    "Salvage", "Sex", "Survival", "Tied", "Time", "Treatment", "Tumor", "Tumour",
}  # fmt: skip


def number_text(value: float) -> str:
    """A number as the text of groups and filters: 3 for 3.0, every digit that matters."""
    return f"{value:.15g}"


def lower(label: str) -> str:
    """A label inside a sentence: ordinary words lose their capital, names keep it.

    Examples
    --------
    >>> lower("Progression-free survival"), lower("International Prognostic Index")
    ('progression-free survival', 'International Prognostic Index')
    """
    first = label.replace("-", " ").split(" ", 1)[0]
    return label[:1].lower() + label[1:] if first in ORDINARY else label


def counted(n: int, noun: str, many: str = "") -> str:
    """A count with its noun: 1 patient, 2 patients, 2 analyses."""
    return f"{n} {noun if n == 1 else many or noun + 's'}"


def month_name(days: float) -> str:
    """A milestone as people say it: 12 months, or the days when it is no whole month."""
    value = days / DAYS_PER_MONTH
    if abs(value - round(value)) > 1e-6:
        return f"day {days:g}"
    return f"{value:.0f} month{'s' if round(value) != 1 else ''}"


def verb(n: int, one: str, many: str) -> str:
    """The form of a verb that goes with a count."""
    return one if n == 1 else many


def listed(names: Sequence[str], last: str = "and") -> str:
    """Names as prose lists them: "A, B and C"; "" for none."""
    head, end = ", ".join(names[:-1]), "".join(names[-1:])
    return f"{head} {last} {end}" if head else end


def per_unit(unit: str) -> str:
    """What the ratio of a number is per: "per year", "per fmol/mg", "per 1 x upper limit"."""
    if not unit or not unit[0].isalpha() or " " in unit:
        return f"per 1 {unit}".strip()
    return f"per {unit.removesuffix('s') if unit[-2:] not in ('ss', 'us', 'is') else unit}"


def bounded(label: str, unit: str, low=None, high=None, below=None) -> str:
    """A number within inclusive bounds, or below one; a score, and a unit that the label names,
    has none beside it.

    Examples
    --------
    >>> bounded("Age", "years", 60), bounded("ECOG", "grade", 1, 2), bounded("IPI", "", high=1)
    ('Age 60 years or more', 'ECOG of 1 to 2', 'IPI of 1 or less')
    """
    known = [number_text(bound) for bound in (low, high, below) if bound is not None]
    text = f"below {known[0]}" if below is not None else " to ".join(dict.fromkeys(known))
    tail = "" if len(known) == 2 or below is not None else " or less" if low is None else " or more"
    if unit in re.findall(r"\w+", label):  # Ann Arbor stage 3 or more
        return f"{label} {text}{tail}"
    if not unit or unit in SCORES:
        return f"{label} {'' if below is not None else 'of '}{text}{tail}"
    unit = unit.removesuffix("s") if known == ["1"] and unit.isalpha() else unit
    return f"{label} {text} {unit}{tail}"


def side(book: pd.DataFrame, name: str, level: str) -> str:
    """A side of a number cut in two, such as the level "age < 60" of "age >= 60": "Age below 60
    years"."""
    column, _, value = name.rpartition(" >= ")
    about = book.loc[column]
    if level == name:
        return bounded(about["label"], about["unit"], float(value))
    if level == f"{column} < {value}":
        return bounded(about["label"], about["unit"], below=float(value))
    return level


def covariate(book: pd.DataFrame, name: str) -> str:
    """A covariate inside a sentence; a number cut in two, "age >= 60", is an age of 60 or more."""
    if name in book.index:
        return lower(book.at[name, "label"])
    column, _, value = name.rpartition(" >= ")
    return f"{lower(book.at[column, 'label'])} of {value} or more"


def condition(where, book: pd.DataFrame) -> str:
    """A filter of a View in words.

    Parameters
    ----------
    where : Where
    book : DataFrame
        The codebook of its cohort.
    """
    about = book.loc[where.column]
    if where.values is None:
        text = bounded(about["label"], about["unit"], where.min, where.max)
    else:
        more = len(where.values) - MOST_NAMED
        named = [*where.values[:MOST_NAMED], *([f"{more} more"] if more > 0 else [])]
        text = f"{about['label']} is {listed(named, 'or') if named else 'none of its values'}"
    return text + (", or missing" if where.missing else "")
