"""The checks on every value of a cohort, and the flags on what is kept but odd."""

import pandas as pd

from helpers.conventions import DAYS_PER
from helpers.loading.mapping import Mapping
from helpers.loading.problems import Problems

LONGEST_DAYS = 100 * 365  # anything longer is a unit error or a code such as 99999
MANY_LEVELS = 20


def column_schema(column: str, about: pd.Series):
    """The pandera column for one row of the codebook; each error reads "finding|remedy"."""
    from pandera.pandas import Check, Column

    kind, codes = about["type"], about["codes"]
    if kind == "id":
        once = Check(
            lambda s: ~s.duplicated(keep=False),
            error="an id that repeats|give one row and one id to each patient",
        )
        return Column(object, checks=[once], nullable=True)
    if kind == "time":
        checks = [
            Check.ge(0, error="a time before time zero|correct it, or leave the patient out"),
            Check.le(
                LONGEST_DAYS,
                error="more than 100 years|check time_unit, and codes such as 9999 for unknown",
            ),
        ]
    elif kind == "event":
        recode = f"recode it in a mapping, as in 'recode: {{{column}: {{1: 0, 2: 1}}}}'"
        checks = [Check.isin([0, 1], error=f"not an event code (1 event, 0 censored)|{recode}")]
    elif kind == "number" and codes:
        low, _, high = codes.removeprefix("integer ").partition("..")
        low, high = float(low), float(high or "inf")
        span = f"outside {low:g} to {high:g}" if high < float("inf") else f"below {low:g}"
        checks = [Check.in_range(low, high, error=f"{span}|correct it or leave it empty")]
        if codes.startswith("integer"):
            whole = Check(
                lambda s: s % 1 == 0, error="not a whole number|correct it or leave it empty"
            )
            checks.append(whole)
    elif kind == "category":
        dates = Check(
            lambda s: ~s.str.fullmatch(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*").astype(bool),
            error="a date, which can identify a patient|list the column under ignore",
        )
        checks = [dates]
        if codes:
            allowed = codes.split("|")
            checks = [
                Check.isin(allowed, error=f"not one of {', '.join(allowed)}|recode it in a mapping")
            ]
    else:
        checks = []
    return Column(
        float if kind in ("time", "event", "number") else object, checks=checks, nullable=True
    )


def check_values(
    frame: pd.DataFrame,
    bad: dict[str, pd.Index],
    mapping: Mapping,
    codebook: pd.DataFrame,
    problems: Problems,
) -> pd.DataFrame:
    """Check every value; returns the flags: what is kept but worth a look.

    Rows in `bad` were reported when they were read, so they are not reported again.
    """
    from pandera.errors import SchemaErrors
    from pandera.pandas import DataFrameSchema

    for column in frame:
        if codebook.at[column, "type"] in ("time", "event") or column in ("patient_id", "arm"):
            missing = frame.index[frame[column].isna()].difference(bad[column])
            problems.add_rows(
                column, pd.Series(pd.NA, missing, dtype=object), "a value is required",
                "fill it in, or leave the patient out and say so",
            )  # fmt: skip
    try:
        schema = {column: column_schema(column, codebook.loc[column]) for column in frame}
        DataFrameSchema(schema).validate(frame, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases.dropna(subset=["index"])
        for (column, check), group in cases.groupby(["column", "check"], sort=False):
            finding, _, remedy = check.partition("|")
            found = group.set_index(group["index"].astype(int))["failure_case"].sort_index()
            if column == "patient_id":  # never quoted
                found = pd.Series("(not shown)", found.index)
            elif codebook.at[column, "type"] != "category":
                unit = DAYS_PER[mapping.time_unit] if codebook.at[column, "type"] == "time" else 1
                found = (found.astype(float) / unit).map("{:.10g}".format)
            problems.add_rows(column, found, finding, remedy)

    levels = sorted(frame["arm"].dropna().unique())
    if len(levels) != 2:
        few = "add the patients of the other arm" if len(levels) < 2 else (
            "merge arms with recode, or keep the rows of two of them")  # fmt: skip
        shown = ", ".join(levels[:6]) + (", ..." if len(levels) > 6 else "")
        problems.add("arm", f"{len(levels)} arm{'s' * (len(levels) != 1)} ({shown})",
                     f"two are needed: {few}")  # fmt: skip
    elif mapping.reference_arm not in (None, *levels):
        problems.add("mapping, reference_arm", repr(mapping.reference_arm),
                     f"use one of: {', '.join(levels)}")  # fmt: skip
    times = ["pfs_time", "os_time"]
    if set(times) <= set(frame):
        late = frame["pfs_time"] > frame["os_time"] + 1e-9
        pairs = frame[late].apply(
            lambda r: f"PFS {r['pfs_time']:g}, OS {r['os_time']:g} days", axis=1
        )
        problems.add_rows("pfs_time", pairs if late.any() else pd.Series(dtype=str),
                          "progression-free survival after overall survival",
                          "correct either time")  # fmt: skip
    return flags(frame, mapping, codebook)


def flags(frame: pd.DataFrame, mapping: Mapping, codebook: pd.DataFrame) -> pd.DataFrame:
    """What is kept but worth a look: column, number of rows, finding."""
    rows: list[tuple[str, int, str]] = []

    def flag(column: str, where, finding: str) -> None:
        if (count := int(where.sum()) if isinstance(where, pd.Series) else int(where)) > 0:
            rows.append((column, count, finding))

    if mapping.reference_arm is None:
        first = min(frame["arm"].dropna(), default="")
        flag(
            "arm", len(frame),
            f"no reference arm stated: {first!r} is taken, the first in the alphabet",
        )  # fmt: skip
    for column in codebook.index[codebook["type"] == "time"].intersection(frame.columns):
        time, event = frame[column], frame[f"{column.removesuffix('_time')}_event"]
        flag(column, time == 0, "time is zero: kept, but never at risk after time zero")
        if mapping.time_unit == "days" and 0 < time.max() < 120:
            flag(column, len(frame), f"the longest time is {time.max():g} days: are these months?")
        if time[event == 1].median() > time[event == 0].median():
            flag(column.replace("_time", "_event"), event == 1,
                 "events come later than censorings: is 1 really the event?")  # fmt: skip
        if "os_time" in frame and column not in ("os_time", "pfs_time"):
            flag(column, time > frame["os_time"] + 1e-9, "time is longer than overall survival")
    if {"os_time", "pfs_time"} <= set(frame):
        same = (frame["pfs_time"] == frame["os_time"]) & (frame["os_event"] == 1)
        flag("pfs_event", same & (frame["pfs_event"] == 0),
             "died on the day that progression-free survival is censored")  # fmt: skip
    for column in codebook.index[codebook["type"].isin(["category", "number"])].intersection(
        frame.columns
    ):
        levels, kind = frame[column].nunique(), codebook.at[column, "type"]
        flag(column, frame[column].isna(), "no value")
        if levels <= 1:
            flag(column, len(frame), "the same for everybody: cannot be compared or adjusted for")
        elif kind == "category" and levels > MANY_LEVELS:
            flag(column, len(frame), f"{levels} categories: is it a number, free text or an id?")
    return pd.DataFrame(rows, columns=["column", "rows", "finding"])
