"""The splits that one baseline variable makes of a cohort, and who is inside each."""

import numpy as np
import pandas as pd

from helpers.cohort import Cohort
from helpers.conventions import EVENT_FLOOR
from helpers.selection import FEW_LEVELS, group_order
from helpers.view import View, Where, cut, level_text, number_text, with_cuts

FEWEST = 2 * EVENT_FLOOR  # patients on a side below which that floor cannot be met
# Cuts in use: those of the International Prognostic Index (doi.org/10.1056/NEJM199309303291402),
# and ECOG and IPI of 3 or more, which the published cohort reports. Age has none that every
# disease shares, so it is cut at its median.
CUTS = {
    "ecog": (">= 2", ">= 3"),
    "ipi": (">= 3",),
    "stage": (">= 3",),
    "extranodal_sites": (">= 2",),
    "ldh_ratio": ("> 1",),
}
SPLIT_COLUMNS = [
    "column", "label", "level", "n", "n_outside", "n_missing", "evidence", "where", "split", "note",
]  # fmt: skip


def splits(
    cohort: Cohort, *, compare: str = "arm", most_levels: int = FEW_LEVELS, minimum: int = FEWEST,
    cuts: dict[str, tuple[str, ...]] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """List every subgroup that one baseline column makes, both sides of each split.

    Parameters
    ----------
    cohort : Cohort
    compare : str
        The column whose groups are compared; it makes no subgroup of itself.
    most_levels : int
        Values up to which a column is split level by level, each against the rest. A number with
        more is cut at its median; a category with more is listed with a note.
    minimum : int
        Patients on either side below which a split is not on offer.
    cuts : dict, optional
        Column to cuts such as (">= 2", ">= 3"); replaces both rules for that column. By default
        `CUTS`, the cuts in clinical use.

    Returns
    -------
    DataFrame
        column, label, level (the values in words), n, n_outside, n_missing, evidence, where (a
        condition as plain data, for `Where.read`), split (a number: two sides of one split share
        it, as do columns that split the patients alike; missing where not on offer), note (why).

    Notes
    -----
    Only columns of the codebook's role baseline, known at time zero: a subgroup by what happens
    later credits its members with the time until then. A side with patients of one group alone is
    not on offer. Medians are of the whole cohort, whatever the endpoint.

    Examples
    --------
    >>> from helpers.cohort import load_cohort
    >>> splits(load_cohort()).query("column in ['sex', 'ipi']")[["column", "level", "n", "split"]]
       column level   n  split
    5     sex     F  30      1
    6     sex     M  63      1
    11    ipi  >= 3  42      4
    12    ipi   < 3  51      4
    """
    book, frame = cohort.codebook, cohort.frame
    known = (book["role"] == "baseline") & (book["known_at"] == 0)
    own = {compare, (cut(compare) or [compare])[0]}
    view = View(compare=compare)
    whole = with_cuts(cohort, view)
    group_order(whole, view)  # refuses what cannot be compared
    groups = level_text(whole.frame[view.compare])
    rows, numbers = [], {}
    for column in [c for c in cohort.factors if known[c] and c not in own]:
        about = {"column": column, "label": cohort.label(column),
                 "evidence": book.at[column, "evidence"]}  # fmt: skip
        asked = (CUTS if cuts is None else cuts).get(column, ())
        levels, why = sides_of(frame[column], column, asked, most_levels)
        if why:
            missing = int(frame[column].isna().sum())
            rows.append(about | {"level": "", "n_missing": missing, "where": None, "note": why})
        for level, where in levels:
            met = Where.read(where).mask(cohort).to_numpy()
            counts = {"n": met == 1, "n_outside": met == 0, "n_missing": np.isnan(met)}
            note = unusable(met, groups, minimum)
            # The first patient with a value is called inside, so that both sides read alike.
            alike = np.where(np.isnan(met), -1, met == met[~np.isnan(met)][0]).tobytes()
            number = pd.NA if note else numbers.setdefault(alike, len(numbers))
            row = about | {"level": level, "where": where, "split": number, "note": note}
            rows.append(row | {name: int(who.sum()) for name, who in counts.items()})
    table = pd.DataFrame(rows, columns=SPLIT_COLUMNS)
    return table.astype(dict.fromkeys(["n", "n_outside", "n_missing", "split"], "Int64"))


def sides_of(values: pd.Series, column: str, cuts, most_levels: int):
    """The subgroups of one column, (level in words, condition), and why there are none, or ''."""
    numeric = pd.api.types.is_numeric_dtype(values)
    levels = sorted(level_text(values).dropna().unique(), key=float if numeric else str)
    if len(levels) < 2:
        return [], "the same for every patient"
    if cuts and numeric:
        made = [cut_sides(values, column, *text.split()) for text in cuts]
        made = [side for sides in made for side in sides]
        return made, "" if made else f"all patients on one side of {', '.join(cuts)}"
    if len(levels) <= most_levels:
        return [(level, {"column": column, "in": [level]}) for level in levels], ""
    if not numeric:
        return [], f"{len(levels)} levels, too many to split by; recode it into fewer"
    middle = values.median()
    sign = ">=" if (values < middle).any() else ">"
    sides = cut_sides(values, column, sign, number_text(middle))
    return [(f"{level} (median)", where) for level, where in sides], ""


def cut_sides(values: pd.Series, column: str, sign: str, at: str) -> list:
    """Both sides of a cut as conditions; none where all patients are on one side.

    Bounds of a View are inclusive, so a side that excludes the cut ends at the value before it.
    """
    if sign not in (">=", ">"):
        raise ValueError(f"cuts: found {sign!r}. To do: write '>= 2' or '> 1'.")
    high = values >= float(at) if sign == ">=" else values > float(at)
    low = values.notna() & ~high
    if not (high.any() and low.any()):
        return []
    above = float(at) if sign == ">=" else float(values[high].min())
    below = float(at) if sign == ">" else float(values[low].max())
    return [
        (f"{sign} {at}", {"column": column, "min": above}),
        (f"{'<' if sign == '>=' else '<='} {at}", {"column": column, "max": below}),
    ]


def unusable(met: np.ndarray, groups: pd.Series, minimum: int) -> str:
    """Why a split is not on offer, or ''."""
    known = groups.notna().to_numpy()
    for side, name in ((1, "inside"), (0, "outside")):
        rows = known & (met == side)
        found = groups[rows].unique()
        if len(found) == 1 and groups.nunique() > 1:
            return f"{name} are {found[0]} patients alone, so nothing is compared there"
        if rows.sum() < minimum:
            return f"{rows.sum()} patients {name}, fewer than {minimum}"
    return ""


def membership(cohort: Cohort, table: pd.DataFrame) -> np.ndarray:
    """Who is inside each subgroup: (n, rows) array, 1 inside, 0 outside, NaN unknown.

    Parameters
    ----------
    table : DataFrame
        Of `splits` or `forest`; a row without a condition is NaN throughout.
    """
    members = np.full((len(cohort.frame), len(table)), np.nan)
    for k, where in enumerate(table["where"]):
        if where is not None:
            members[:, k] = Where.read(where).mask(cohort)
    return members
