"""The flags: what a cohort keeps although it deserves a look."""

import pandas as pd

from helpers.conventions import DAYS_PER
from helpers.loading.mapping import Mapping
from helpers.loading.names import same_look
from helpers.loading.schema import ONE_ARM
from helpers.loading.values import unit_of

SHORTEST_DAYS = 120  # a longest time below this may be in months
LONGEST_YEARS = 40  # a longest time above this may be in days
UNKNOWN_CODES = (999, 9999)
MANY_LEVELS = 20
FEWEST_COMPARED = 5  # events, and censorings, whose times say something


class Flags:
    """Collects findings as rows: column, number of patients, what was found."""

    def __init__(self, patients: int):
        self.patients = patients
        self.rows: list[tuple[str, int, str]] = []

    def add(self, column: str, where: pd.Series | bool, finding: str) -> None:
        """A finding about the patients `where`, or about everybody when it is True."""
        count = int(where.sum()) if isinstance(where, pd.Series) else self.patients * where
        if count > 0:
            self.rows.append((column, count, finding))


def applies(column: str, frame: pd.DataFrame) -> pd.Series | bool:
    """Who could have a value of a column that only some patients can have."""
    if column == "pfs_censor_reason" and "pfs_event" in frame:
        return frame["pfs_event"] == 0
    graded = [name for name in ("crs_grade", "icans_grade") if name in frame]
    if column == "ae_recovered" and graded:
        return (frame[graded] > 0).any(axis=1)
    if column == "response_duration" and "response" in frame:
        return frame["response"].isin(["CR", "PR"])
    return True


def find_flags(
    frame: pd.DataFrame,
    mapping: Mapping,
    codebook: pd.DataFrame,
    left_out: list[str],
    remarks: list[tuple[str, int, str]],
    partly: list[tuple[str, int, str]],
) -> pd.DataFrame:
    """What is kept but worth a look: column, rows (number of patients), finding.

    `remarks` are those of reading the file, by its own names of columns; `partly` those of
    endpoints that are not known for everybody.
    """
    flags = Flags(len(frame))
    ours = {source: name for name, source in mapping.columns.items()}
    named = [(ours.get(column, column), *rest) for column, *rest in remarks]
    flags.rows += [*(row for row in named if row[0] in frame), *partly]
    if left_out:
        more = f" and {len(left_out) - 5} more" if len(left_out) > 5 else ""
        flags.add(", ".join(left_out[:5]) + more, True,
                  "left out: neither the codebook nor the mapping describes it")  # fmt: skip
    flags.add("arm", mapping.reference_arm is None and frame["arm"].nunique() > 1
              and "arm" not in mapping.order,
              f"no reference arm stated: {min(frame['arm'])!r} is taken, the first in the "
              "alphabet")  # fmt: skip
    kinds = codebook["type"][codebook.index.isin(frame.columns)]
    for column in kinds.index[kinds == "time"]:
        flag_endpoint(flags, frame, column.removesuffix("_time"), mapping)
    if {"os_time", "pfs_time"} <= set(frame):
        same = (frame["pfs_time"] == frame["os_time"]) & (frame["os_event"] == 1)
        flags.add("pfs_event", same & (frame["pfs_event"] == 0),
                  "died on the day that progression-free survival is censored")  # fmt: skip
    for column in kinds.index[kinds.isin(["category", "number"])]:
        values = frame[column]
        levels = values.dropna().unique()
        missing = values.isna() & applies(column, frame)
        alone = [arm for arm in frame["arm"].unique() if missing[frame["arm"] == arm].all()]
        if len(alone) == 1:
            flags.add(column, missing & (frame["arm"] == alone[0]),
                      f"no value for anybody with {alone[0]!r}")  # fmt: skip
            missing &= frame["arm"] != alone[0]
        flags.add(column, missing, "no value")
        flags.add(column, len(levels) == 1 and levels[0] != ONE_ARM,
                  "the same for everybody: cannot be compared or adjusted for")  # fmt: skip
        if kinds[column] == "category":
            alike = len({same_look(level) for level in levels}) < len(levels)
            flags.add(column, alike, "categories that differ only in capitals, spaces or dashes")
            flags.add(column, len(levels) > MANY_LEVELS,
                      f"{len(levels)} categories: is it a number, free text or an id?")  # fmt: skip
    return pd.DataFrame(flags.rows, columns=["column", "rows", "finding"])


def flag_endpoint(flags: Flags, frame: pd.DataFrame, name: str, mapping: Mapping) -> None:
    """Flag times and events of one endpoint that suggest a wrong unit or coding."""
    time, event = frame[f"{name}_time"], frame[f"{name}_event"]
    column, longest = f"{name}_time", time.max()
    code = round(longest / unit_of(column, mapping), 6) in UNKNOWN_CODES
    flags.add(column, time == 0, "time is zero: kept, but never at risk after time zero")
    flags.add(column, (time == longest) & code, "999 or 9999: a code for unknown?")
    flags.add(column, unit_of(column, mapping) == 1 and 0 < longest < SHORTEST_DAYS,
              f"the longest time is {longest:g} days: are these months?")  # fmt: skip
    flags.add(column, longest > LONGEST_YEARS * DAYS_PER["years"],
              f"the longest time is {longest / DAYS_PER['years']:.0f} years: is time_unit "
              "right?")  # fmt: skip
    flags.add(f"{name}_event", event.sum() == 0, "nobody has the event: little can be estimated")
    flags.add(f"{name}_event", event.sum() == event.count(),
              "everybody has the event: are censored patients missing?")  # fmt: skip
    enough = min((event == 1).sum(), (event == 0).sum()) >= FEWEST_COMPARED
    swapped = enough and time[event == 1].median() > time[event == 0].median()
    flags.add(f"{name}_event", (event == 1) & swapped,
              "events come later than censorings: is 1 really the event?")  # fmt: skip
    if "os_time" in frame and name not in ("os", "pfs"):
        flags.add(column, time > frame["os_time"] + 1e-9, "time is longer than overall survival")
