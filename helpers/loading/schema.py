"""What a cohort file may hold: the codebook, the choice of columns, and their types."""

import re
from pathlib import Path

import pandas as pd

from helpers.conventions import DAYS_PER
from helpers.loading.mapping import Mapping
from helpers.loading.problems import Problems

# Whole column names (letters and digits only, lower case) that say who somebody is.
IDENTIFIERS = frozenset(
    {
        "name", "fullname", "firstname", "lastname", "surname", "givenname", "familyname",
        "forename", "middlename", "initials", "patientname", "nameofpatient", "patientinitials",
        "mrn", "medicalrecordnumber", "recordnumber", "hospitalnumber", "hospitalid",
        "casenumber", "chartnumber", "nhsnumber", "ssn", "socialsecuritynumber",
        "insurancenumber", "nationalid", "passportnumber", "dob", "dateofbirth", "birthdate",
        "birthday", "datebirth", "bdate", "phone", "phonenumber", "telephone", "mobile",
        "email", "emailaddress", "address", "streetaddress", "street", "postcode", "postalcode",
        "zip", "zipcode",
    }
)  # fmt: skip


def read_codebook(path: Path, mapping: Mapping) -> pd.DataFrame:
    """The shipped codebook extended by what the mapping adds; index is the column name.

    A factor of the mapping is a number if it states a unit or says ``type: number``, otherwise
    a category.
    """
    book = pd.read_csv(path, dtype={"unit": str, "codes": str}, keep_default_na=False,
                       na_values={"known_at": [""]}).set_index("column")  # fmt: skip
    for target in mapping.columns:
        name = str(target).removesuffix("_time")
        if str(target).endswith("_time") and target not in book.index:
            book.loc[target] = [name, "time", "days", "", "endpoint", "", float("nan"), ""]
            event = [f"{name} event", "event", "", "0|1", "endpoint", "", float("nan"), ""]
            book.loc[f"{name}_event"] = event
    for name, label in mapping.labels.items():
        column = f"{name}_time" if f"{name}_time" in book.index else name
        if column in book.index:
            book.loc[column, "label"] = label
    for column, about in mapping.factors.items():
        kind = about.get("type") or ("number" if about.get("unit") else "category")
        book.loc[column] = [
            about.get("label", column), kind, about.get("unit", ""), "", "baseline", "",
            float(about.get("known_at", 0)), "",
        ]  # fmt: skip
    return book


def check_columns(
    text: pd.DataFrame, mapping: Mapping, codebook: pd.DataFrame, problems: Problems
) -> pd.DataFrame:
    """Rename and choose columns; report those that are missing, unclear or identifying."""
    ignored = {str(name) for name in mapping.ignore}
    for name in text.columns:
        if re.sub(r"[^a-z0-9]", "", name.lower()) in IDENTIFIERS and name not in ignored:
            problems.add(
                name, "a column that looks like an identifier",
                "remove it from the file or list it under ignore in a mapping; "
                "use 'patient_id: row_number' if it was the id",
            )  # fmt: skip
    kept = text.drop(columns=[c for c in text.columns if c in ignored])
    rename: dict[str, str] = {}
    for target, source in mapping.columns.items():
        if target == "patient_id" and source == "row_number":
            kept = kept.assign(patient_id=[f"row {i + 1}" for i in range(len(kept))])
        elif source not in kept.columns:
            why = "which is under ignore" if source in ignored else "which the file does not have"
            have = ", ".join(text.columns[:30])
            problems.add(str(target), f"mapped to {source!r}, {why}", f"use one of: {have}")
        elif source in rename:
            problems.add(str(source), "mapped twice", "map each column once")
        elif target in kept.columns and target != source:
            problems.add(
                str(target), f"both a column of that name and one mapped to it ({source!r})",
                "list the unwanted one under ignore or rename it in the file",
            )  # fmt: skip
        else:
            rename[source] = target
            if target not in codebook.index:
                problems.add(
                    str(target), "a mapped name that is neither known nor a factor",
                    "give it a label under factors, or map an endpoint as <name>_time and "
                    "<name>_event",
                )  # fmt: skip
    kept = kept.rename(columns=rename)
    for column in mapping.factors:
        if column not in kept.columns:
            problems.add(str(column), "a factor that the file does not have", "correct its name")
    for column in mapping.recode:
        if column not in kept.columns:
            problems.add(
                str(column), "a recode for a column that is not there",
                "use the new name if the column is renamed",
            )  # fmt: skip
    endpoints = 0
    for column in codebook.index[codebook["type"] == "time"]:
        event = f"{column.removesuffix('_time')}_event"
        pair = [c in kept.columns for c in (column, event)]
        endpoints += all(pair)
        if sum(pair) == 1:
            there, absent = (column, event) if pair[0] else (event, column)
            problems.add(there, f"no {absent} beside it", f"add or map {absent}, or ignore {there}")
    needs = [c for c in ("patient_id", "arm") if c not in kept.columns and c not in mapping.columns]
    for column in needs:
        hint = " (row_number numbers the rows)" if column == "patient_id" else ""
        problems.add(column, "no such column", f"add it or map it in a mapping file{hint}")
    if not endpoints and not problems.found:
        problems.add(
            "endpoint", "no pair such as os_time and os_event", "add or map a time and an event"
        )
    # A column nobody described is not carried along: it cannot be analysed or leak.
    return kept[[c for c in kept.columns if c in codebook.index]]


def code_text(value) -> str:
    """A code as text, so that 1, 1.0 and "1" are the same code."""
    text = str(value).strip()
    try:
        return f"{float(text):.15g}"
    except ValueError:
        return text


def recoded(values: pd.Series, codes: dict) -> tuple[pd.Series, pd.Series]:
    """Values under new codes, and those that the mapping does not name."""
    table = {code_text(old): (pd.NA if new is None else str(new)) for old, new in codes.items()}
    keys = values.map(code_text, na_action="ignore")
    unknown = values[values.notna() & ~keys.isin(table)]
    return keys.map(table, na_action="ignore"), unknown


def to_types(
    text: pd.DataFrame, mapping: Mapping, codebook: pd.DataFrame, problems: Problems
) -> tuple[pd.DataFrame, dict[str, pd.Index]]:
    """Recode, convert to numbers and to days. Also the rows already reported, by column."""
    frame, bad = pd.DataFrame(index=text.index), {}
    for column in text.columns:
        values, kind = text[column], codebook.at[column, "type"]
        bad[column] = values.index[:0]
        if column in mapping.recode:
            values, unknown = recoded(values, mapping.recode[column])
            problems.add_rows(column, unknown, "a code the recode does not name", "name it there")
            bad[column] = unknown.index
        if kind in ("number", "time", "event"):
            numbers = pd.to_numeric(values, errors="coerce").astype(float)
            numbers = numbers.where(numbers.abs() != float("inf"))
            wrong = values[values.notna() & numbers.isna()]
            comma = wrong.str.fullmatch(r"-?\d+,\d+").any()
            remedy = "write decimals with a point" if comma else "correct it or leave it empty"
            if kind == "event":
                remedy = "write 1 for an event and 0 for censored, or recode it in a mapping"
            problems.add_rows(column, wrong, "not a number", remedy)
            bad[column] = bad[column].union(wrong.index)
            values = numbers * (DAYS_PER[mapping.time_unit] if kind == "time" else 1)
        elif kind == "category" and column not in mapping.recode:
            values = values.map(
                lambda v: code_text(v) if re.fullmatch(r"-?\d+(\.0*)?", v) else v,
                na_action="ignore",
            )
        frame[column] = values
    return frame, bad
