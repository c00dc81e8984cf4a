"""The values of a cohort file: codes given their meaning, texts as numbers, times as days."""

import pandas as pd

from helpers.conventions import DAYS_PER, on_grid, significant
from helpers.loading.mapping import Mapping, code_text
from helpers.loading.problems import Problems, short
from helpers.loading.reading import MISSING, to_numbers
from helpers.loading.times import meaning

# What a status can be recoded to beside 1, 0 and null: it ended follow-up and is not the event.
ANOTHER_CAUSE = "another cause"
UNNAMED_STATUS = (
    "give it a meaning, in the form or there: 1 is the event, 0 censored, null unknown, which is "
    "not alive"
)
SEX = {"f": "F", "female": "F", "w": "F", "weiblich": "F",
       "m": "M", "male": "M", "männlich": "M"}  # fmt: skip
ROMAN = {"I": "1", "II": "2", "III": "3", "IV": "4"}


def recoded(values: pd.Series, codes: dict, numbers: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Values under new codes, and those that the mapping does not name; `numbers` stand by
    themselves, so that ">89" alone is named."""
    table = {code_text(old): None if new in MISSING else new for old, new in codes.items()}
    keys = values.map(code_text, na_action="ignore")
    unknown = values[values.notna() & ~keys.isin(table) & ~numbers]
    new = keys.map(table, na_action="ignore").astype(object)
    return new.where(keys.isin(table) | ~numbers, values), unknown


def read_status(values: pd.Series, source: str, problems: Problems) -> tuple[pd.Series, pd.Series]:
    """Words of a status as 1 and 0, said; and what has no meaning beside words that have one."""
    found = {value: meaning(value, source) for value in values.dropna().unique()}
    known = {value: code for value, code in found.items() if code is not None}
    if not known:
        return values, values[:0]
    unknown = values[values.notna() & ~values.isin(known)]
    words = [" and ".join(k for k, v in known.items() if v == code) or "none" for code in "10"]
    said = f"read as a status: {short(words[0])} is the event, {short(words[1])} is not"
    problems.remark(source, int(values.notna().sum()), said)
    return values.map(known).astype(object), unknown


def other_cause_remedy(column: str) -> str:
    """What can be done with patients whose follow-up ended by another event than the one asked."""
    if column == "os_event":
        return (
            "recode it to 1 if these patients died, for overall survival counts death from any "
            "cause, and to 0 if they were alive when last seen"
        )
    return (
        "recode it to 1 if the endpoint counts it as an event; 0 treats these patients as if they "
        "could still have the event, and overstates its risk"
    )


def unit_of(column: str, mapping: Mapping) -> float:
    """Days of one unit of a time; endpoints made from other columns are in days already."""
    made = column.removesuffix("_time") in mapping.times
    return 1 if made else DAYS_PER[mapping.time_unit]


def to_types(
    text: pd.DataFrame, mapping: Mapping, codebook: pd.DataFrame, decimal: str, problems: Problems
) -> tuple[pd.DataFrame, dict[str, pd.Index]]:
    """Recode, convert to numbers and to days. Also the rows already reported, by column.

    `text` has NaN for missing values; `decimal` is the mark of decimals.
    """
    frame, bad = pd.DataFrame(index=text.index), {}
    for column in text.columns:
        values, kind = text[column], codebook.at[column, "type"]
        bad[column], made = values.index[:0], column.rpartition("_")[0] in mapping.times
        mark = "." if made else decimal
        if column in mapping.recode:
            numbers = to_numbers(values, mark).notna() & (kind == "number")
            values, unknown = recoded(values, mapping.recode[column], numbers)
            problems.add_rows(column, unknown, "a code the recode does not name",
                              UNNAMED_STATUS if kind == "event" else "name it there")  # fmt: skip
            bad[column] = unknown.index
        elif kind == "event":
            values, unknown = read_status(values, mapping.columns.get(column, column), problems)
            problems.add_rows(
                column, unknown, "a status without a meaning",
                f"{UNNAMED_STATUS}, as in 'recode: {{{column}: {{...}}}}' with all codes; or say "
                "'missing: [...]' if it means unknown",
            )  # fmt: skip
            bad[column] = unknown.index
        elif column == "sex" and {*values.dropna().str.lower()} <= {*SEX}:
            other = values.notna() & ~values.isin({*SEX.values()})
            if other.any():
                problems.remark(mapping.columns.get(column, column), int(other.sum()),
                                "sex in other words, read as F and M")  # fmt: skip
            values = values.str.lower().map(SEX).astype(object)
        elif column == "stage" and kind == "number" and values.isin(ROMAN).any():
            problems.remark(mapping.columns.get(column, column), int(values.isin(ROMAN).sum()),
                            "Roman numerals, read as 1 to 4")  # fmt: skip
            values = values.replace(ROMAN)
        if kind == "event":
            other = values[values == ANOTHER_CAUSE]
            problems.add_rows(
                column, other, "an end of follow-up that is neither event nor censoring, which "
                "cannot be analysed yet", other_cause_remedy(column),
            )  # fmt: skip
            bad[column] = bad[column].union(other.index)
            values = values.mask(values == ANOTHER_CAUSE)
        if kind in ("number", "time", "event"):
            numbers = to_numbers(values, mark)
            wrong = values[values.notna() & numbers.isna()]
            remedy = {
                "number": "correct it or leave it empty, or recode it in a mapping; groups are "
                "'type: category' under factors",
                "time": "give a time as a number; where the file has dates, make the endpoint of "
                f"them under times: '{column.removesuffix('_time')}: {{start: ..., event: ..., "
                "last: ...}'",
                "event": "write 1 for an event and 0 for censored, or recode it in a mapping, as "
                f"in 'recode: {{{column}: {{died: 1, alive: 0}}}}'",
            }[kind]
            if wrong.str.fullmatch(r"-?[\d,.]+").any():
                remedy = "write 1234.5, with a decimal point and without a thousands separator, or "
                remedy += "say 'file: {decimal: \",\"}'"
            problems.add_rows(column, wrong, "not a number", remedy)
            bad[column] = bad[column].union(wrong.index)
            if kind == "time":
                frame[column] = on_grid(numbers * unit_of(column, mapping))
            else:
                frame[column] = significant(numbers)
        else:
            if kind == "category":
                values = values.map(code_text, na_action="ignore")
            frame[column] = values.astype(object).where(values.notna(), float("nan"))
    return frame, bad
