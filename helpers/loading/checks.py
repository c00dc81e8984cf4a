"""The checks on every value of a cohort."""

import pandas as pd

from helpers.loading.mapping import Mapping, code_text
from helpers.loading.names import same_look
from helpers.loading.problems import Problems
from helpers.loading.reading import MISSING
from helpers.loading.schema import ONE_ARM
from helpers.loading.values import ANOTHER_CAUSE, unit_of

LONGEST_DAYS = 100 * 365  # anything longer is a unit error or a code such as 99999
MOST_ARMS = 8  # more are a number, an id or free text

MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
DATE = (
    r"(?i)(\d{4}[-/. ]\d{1,2}[-/. ]\d{1,2}|\d{1,2}[-/. ]\d{1,2}[-/. ](\d{4}|\d{2})"
    rf"|\d{{1,2}}[-/. ]?({MONTHS})[a-z]*[-/., ]*(\d{{4}}|\d{{2}})"
    rf"|({MONTHS})[a-z]*[-/. ]*\d{{1,2}}[-/., ]+\d{{4}})([T ,].*)?"
)


def column_schema(column: str, about: pd.Series):
    """The pandera column for one row of the codebook; each error reads "finding|remedy"."""
    from pandera.pandas import Check, Column

    kind, codes = about["type"], about["codes"]
    checks = []
    if kind == "id":
        once = Check(
            lambda s: ~s.duplicated(keep=False),
            error="an id that repeats|give one row and one id to each patient, or say "
            "'one_row_per: patient_id' where the rows of one agree",
        )
        checks = [once]
    elif kind == "time":
        checks = [
            Check.ge(
                0,
                error="a time before time zero|correct it, or leave these patients out: "
                f"'exclude: [{{column: {column}, below: 0, because: ...}}]'",
            ),
            Check.le(
                LONGEST_DAYS,
                error="more than 100 years|check time_unit, and codes such as 9999 for unknown",
            ),
        ]
    elif kind == "event":
        checks = [Check.isin([0, 1], error="not an event code (1 event, 0 censored)|")]
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
    elif kind == "category" and codes:
        allowed = codes.split("|")
        checks = [
            Check.isin(
                allowed,
                error=f"not one of {', '.join(allowed)}|recode it in a mapping, take it as it is "
                f"('factors: {{{column}: {{type: category}}}}'), or list it under ignore",
            )
        ]
    elif kind == "category":
        dates = Check(
            lambda s: ~s.str.fullmatch(DATE).astype(bool),
            error="a date, which can identify a patient|list the column under ignore",
        )
        checks = [dates]
    return Column(
        float if kind in ("time", "event", "number") else object, checks=checks, nullable=True
    )


def event_remedy(column: str, values: pd.Series) -> str:
    """What to do about event codes, which depends on all of those in the column."""
    codes = set(values.dropna())
    if codes <= {1, 2}:
        return (
            "say in a mapping which code is the event: "
            f"'recode: {{{column}: {{1: 0, 2: 1}}}}' if it is 2"
        )
    if codes <= {0, 1, 2} and column == "os_event":
        return (
            "0, 1 and 2 stand for more than one end of follow-up: say in a mapping, under recode, "
            "what each is: 1 only if it is death, from any cause; 0 if these patients were alive "
            "when last seen, as they are at a transplant or a relapse"
        )
    if codes <= {0, 1, 2}:
        return (
            "0, 1 and 2 stand for more than one end of follow-up: say in a mapping which is the "
            f"event: 'recode: {{{column}: {{0: 0, 1: 1, 2: 1}}}}' if 1 and 2 both are, as "
            "progression and death are of progression-free survival; "
            f"'{{0: 0, 1: 1, 2: {ANOTHER_CAUSE}}}' if only 1 is"
        )
    return (
        "give each code its meaning in a mapping, 1 for the event and 0 for censored, as in "
        f"'recode: {{{column}: {{died: 1, alive: 0}}}}'"
    )


def why_missing(text: str) -> str:
    """A text that became a missing value, and by what."""
    return f"{text} (read as missing)" if text in MISSING else f"{text} (recoded to missing)"


def required(column: str, kind: str, found: pd.Series) -> tuple[str, str]:
    """What to say of patients without a value that each must have."""
    rule = f"'exclude: [{{column: {column}, is: missing, because: ...}}]' in the mapping"
    if kind == "event":
        count = f"{len(found)} patient{'s' * (len(found) != 1)}"
        return (
            f"no status for {count}, and unknown is not alive",
            f"find out whether they had the event, or leave them out by {rule}",
        )
    if column == "patient_id":
        return "a value is required", "fill it in, or say 'patient_id: row_number' under columns"
    remedy = f"fill it in, or leave the patient out by {rule}"
    if kind == "time":
        remedy += "; a time in two columns is made one under times"
    if column == "arm" and found.notna().any():
        remedy += "; if it is the name of an arm, write it otherwise in the file"
    return "a value is required", remedy


def settle_endpoints(
    frame: pd.DataFrame, bad: dict[str, pd.Index], text: pd.DataFrame, problems: Problems
) -> list[tuple[str, int, str]]:
    """Empty what is half of an endpoint, and report patients who have none that is whole.

    An endpoint known for some patients serves those. Returns flags: column, rows, finding.
    """
    names = [c.removesuffix("_time") for c in frame if c.endswith("_time")]
    names = [name for name in names if f"{name}_event" in frame]
    pairs = {name: frame[[f"{name}_time", f"{name}_event"]] for name in names}
    whole = {name: pair.notna().all(axis=1) for name, pair in pairs.items()}
    reported = {name: bad[f"{name}_time"].union(bad[f"{name}_event"]) for name in names}
    none = frame.index[~pd.DataFrame(whole, frame.index).any(axis=1)]
    flags = []
    for name in [name for name in names if not whole[name].any() and len(none) < len(frame)]:
        frame.drop(columns=[f"{name}_time", f"{name}_event"], inplace=True)
        flags.append((f"{name}_time", len(frame), "known for nobody: left out"))
        names.remove(name)
    for name in names:
        for column, kind in ((f"{name}_time", "time"), (f"{name}_event", "event")):
            missing = none.intersection(frame.index[frame[column].isna()])
            missing = missing.difference(reported[name])
            if kind == "event":  # who lacks both is told once
                missing = missing.intersection(frame.index[frame[f"{name}_time"].notna()])
            # One rule leaves out who lacks everything; half an endpoint is told by its half.
            half = frame.loc[missing, pairs[name].columns].notna().any(axis=1)
            if name == names[0] or half.any():
                found = text.loc[missing, column].map(why_missing, na_action="ignore")
                problems.add_rows(column, found, *required(column, kind, found))
        some = ~whole[name] & whole_somewhere(whole, name)
        half = some & pairs[name].notna().any(axis=1)
        frame.loc[half, pairs[name].columns] = float("nan")
        flags.append((f"{name}_time", int(some.sum()), "not known: left out of this endpoint"))
        flags.append((f"{name}_event", int(half.sum()),
                      "only a time or only a status: taken as not known"))  # fmt: skip
    return [flag for flag in flags if flag[1]]


def whole_somewhere(whole: dict[str, pd.Series], but: str) -> pd.Series:
    """Who has an endpoint other than this one."""
    others = [known for name, known in whole.items() if name != but]
    return pd.concat(others, axis=1).any(axis=1) if others else ~whole[but] & False


def check_values(
    frame: pd.DataFrame,
    bad: dict[str, pd.Index],
    text: pd.DataFrame,
    mapping: Mapping,
    codebook: pd.DataFrame,
    problems: Problems,
) -> list[tuple[str, int, str]]:
    """Report every value that cannot stand; returns flags of endpoints known for some.

    Rows in `bad` were reported when they were read, so they are not reported again. `text` is
    what the file says, for what has no value here.
    """
    from pandera.errors import SchemaErrors
    from pandera.pandas import DataFrameSchema

    for column in frame:
        if column in ("patient_id", "arm"):
            missing = frame.index[frame[column].isna()].difference(bad[column])
            found = text.loc[missing, column].map(why_missing, na_action="ignore")
            finding, remedy = required(column, codebook.at[column, "type"], found)
            problems.add_rows(column, found, finding, remedy)
    flags = settle_endpoints(frame, bad, text, problems)
    try:
        schema = {column: column_schema(column, codebook.loc[column]) for column in frame}
        DataFrameSchema(schema).validate(frame, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases
        for (column, check), group in cases.groupby(["column", "check"], sort=False):
            finding, _, remedy = check.partition("|")
            kind = codebook.at[column, "type"]
            found = group.set_index(group["index"].astype(int))["failure_case"].sort_index()
            if kind == "id":  # never quoted
                found = pd.Series("(not shown)", found.index)
            elif kind != "category":
                unit = unit_of(column, mapping) if kind == "time" else 1
                found = (found.astype(float) / unit).map("{:.8g}".format)
            if kind == "event":
                remedy = event_remedy(column, frame[column])
            problems.add_rows(column, found, finding, remedy)
    if "arm" in frame and bad["arm"].empty:
        check_arms(frame["arm"], mapping, problems)
    if {"pfs_time", "os_time"} <= set(frame):
        times = frame[["pfs_time", "os_time"]]
        late = times[
            (times["pfs_time"] > times["os_time"] + 1e-9) & (times["os_time"] >= 0)
        ] / unit_of("os_time", mapping)
        found = [f"PFS {pfs:.8g} with OS {os:.8g}" for pfs, os in late.to_numpy()]
        problems.add_rows(
            "pfs_time", pd.Series(found, late.index, dtype=object),
            "progression-free survival after overall survival", "correct either time, or leave "
            "these patients out: 'exclude: [{column: pfs_time, after: os_time, because: ...}]'",
        )  # fmt: skip
    for column in [c for c in mapping.order if c in frame]:
        levels = [code_text(level) for level in mapping.order[column]]
        other = frame[column][frame[column].notna() & ~frame[column].isin(levels)]
        problems.add_rows(column, other, "not named under order", "name it there, or recode it")
    return flags


def check_arms(arm: pd.Series, mapping: Mapping, problems: Problems) -> None:
    """Report more arms than can be compared, and a reference arm that is none of them."""
    levels = sorted(arm.dropna().unique())
    if len(levels) > MOST_ARMS or (len(levels) > 2 and len(levels) == len(arm)):
        problems.add(
            "arm", f"{len(levels)} different values",
            "map the column that says the treatment, merge arms with recode, or leave arms out: "
            "'exclude: [{column: arm, in: [...], because: ...}]'",
        )  # fmt: skip
    elif len(set(map(same_look, levels))) < len(levels):
        problems.add(
            "arm", f"{', '.join(levels)}: names that differ only in capitals, spaces or dashes",
            "make them one with recode",
        )  # fmt: skip
    elif levels == [ONE_ARM] and mapping.reference_arm:
        problems.add("mapping, reference_arm", f"{mapping.reference_arm!r}, but no column says the "
                     "arm", "map it, as in 'columns: {arm: ...}'")  # fmt: skip
    elif mapping.reference_arm not in (None, *levels):
        problems.add("mapping, reference_arm", repr(mapping.reference_arm),
                     f"use one of: {', '.join(levels)}")  # fmt: skip
