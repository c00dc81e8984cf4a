"""What a cohort file may hold: the codebook, the choice of columns, and their types."""

import re
import unicodedata
from pathlib import Path

import pandas as pd

from helpers.loading.mapping import Mapping
from helpers.loading.problems import Problems, short
from helpers.loading.reading import Table
from helpers.loading.times import made_from

# Whole column names (letters and digits only, lower case) that say who somebody is.
IDENTIFIERS = frozenset(
    {
        "name", "fullname", "firstname", "lastname", "surname", "givenname", "familyname",
        "forename", "middlename", "fname", "lname", "initials", "patientname",
        "nameofpatient", "patientfirstname", "patientlastname", "patientinitials", "ptname",
        "ptinitials", "subjectname", "subjectinitials", "mrn", "patientmrn", "medicalrecordno",
        "medicalrecordnumber", "recordnumber", "hospitalno", "hospitalnumber", "hospitalid",
        "casenumber", "chartno", "chartnumber", "nhsno", "nhsnumber", "ssn",
        "socialsecuritynumber", "insurancenumber", "nationalid", "passportnumber", "dob",
        "patientdob", "dateofbirth", "birthdate", "birthday", "datebirth", "bdate", "phone",
        "phonenumber", "telephone", "mobile", "fax", "email", "emailaddress", "address",
        "streetaddress", "street", "postcode", "postalcode", "zip", "zipcode", "ipaddress",
        "vorname", "nachname", "geburtsdatum", "nom", "prenom", "datedenaissance", "nombre",
        "apellido", "apellidos", "fechadenacimiento", "nome", "cognome", "datadinascita",
    }
)  # fmt: skip

# Names under which a file may have the arm: then it is mapped, or said not to be.
ARM_NAMES = frozenset({"arm", "treatment", "trt", "group", "rx", "treatmentarm", "arms"})

ONE_ARM = "all patients"  # where no column says the arm
STATUS_COLUMN = "data_status"  # in what we ship: says synthetic in every row
FIXED_LABELS = {"os": "Overall survival", "pfs": "Progression-free survival"}


def read_codebook(path: Path, mapping: Mapping) -> pd.DataFrame:
    """The shipped codebook extended by what the mapping adds; index is the column name.

    A new factor is a number if it states a unit or says ``type: number``, otherwise a category.
    A factor that the codebook knows keeps what the mapping does not state; its allowed values
    are those of its own type and unit, so they go when the mapping states a type, or another unit.
    """
    book = pd.read_csv(path, dtype={"unit": str, "codes": str}, keep_default_na=False,
                       na_values={"known_at": [""]}).set_index("column")  # fmt: skip
    for target in (*mapping.columns, *(f"{name}_time" for name in mapping.times)):
        name = re.sub("_(time|event)$", "", target)
        new = target not in {*book.index, *mapping.factors}
        if name not in ("", target) and new:
            time = [name, "time", "days", "", "endpoint", "", float("nan"), ""]
            book.loc[f"{name}_time"] = time
            event = f"{mapping.labels.get(name, name)}: event"
            book.loc[f"{name}_event"] = [event, "event", "", "0|1", *time[4:]]
    for column, about in mapping.factors.items():
        if column not in book.index:
            kind = "number" if about.get("unit") else "category"
            book.loc[column] = [column, kind, "", "", "baseline", "", 0.0, ""]
        elif (
            "type" in about or about.get("unit", book.at[column, "unit"]) != book.at[column, "unit"]
        ):
            book.loc[column, "codes"] = ""
        for key, value in about.items():
            book.loc[column, key] = float(value or "nan") if key == "known_at" else value
    for name, label in mapping.labels.items():
        column = f"{name}_time" if f"{name}_time" in book.index else name
        if column in book.index:
            book.loc[column, "label"] = label
    return book


def is_identifier(name: str) -> bool:
    """Whether a whole column name, however it is spelled, says who somebody is."""
    plain = unicodedata.normalize("NFKD", name).lower()
    return re.sub(r"[^a-z0-9]", "", plain) in IDENTIFIERS


def check_columns(
    table: Table, made: dict, mapping: Mapping, codebook: pd.DataFrame, problems: Problems
) -> tuple[pd.DataFrame, list[str]]:
    """Rename and choose columns; report those that are missing, unclear or identifying.

    Returns the columns that the codebook describes, under our names, with the endpoints in `made`,
    and the names of those that nobody described: they are not carried along, since they cannot be
    analysed or leak.
    """
    text = table.frame
    ignored = {*mapping.ignore, *(n for c in mapping.ignore for n in table.repeated.get(c, []))}
    for name in mapping.ignore:
        if name not in text.columns and name not in table.repeated:
            problems.add("mapping, ignore", f"{name!r}, which the file does not have",
                         "correct or remove it")  # fmt: skip
    apart = {*ignored, *made_from(mapping.times), *(rule["column"] for rule in mapping.exclude)}
    identifying = [c for c in text.columns if is_identifier(c) and c not in apart]
    for name in identifying:
        problems.add(
            name, "a column that looks like an identifier",
            "remove it from the file or list it under ignore in a mapping; "
            "use 'patient_id: row_number' if it was the id",
        )  # fmt: skip
    kept = text.drop(columns=[c for c in text.columns if c in {*ignored, *identifying}])
    sources, rename = set(mapping.columns.values()), {}
    for target, source in mapping.columns.items():
        numbered = target == "patient_id" and source == "row_number"
        if target in kept.columns and target not in sources:
            problems.add(
                target, f"both a column of that name and one mapped to it ({source!r})",
                "list the unwanted one under ignore or rename it in the file",
            )  # fmt: skip
        elif target not in codebook.index:
            problems.add(
                target, "a mapped name that is neither known nor a factor",
                "give it a label under factors, or map an endpoint as <name>_time and "
                "<name>_event",
            )  # fmt: skip
        elif source in rename:
            problems.add(source, "mapped twice", "map each column once")
        elif source in kept.columns:
            rename[source] = target
        elif source in table.repeated:
            names = " or ".join(map(repr, table.repeated[source][:4]))
            problems.add(
                f"mapping, columns {target}",
                f"{source!r}, a name that stands {len(table.repeated[source])} times in the file",
                f"say which: {names}",
            )
        elif not numbered and source not in identifying:
            why = "is under ignore" if source in ignored else "the file does not have"
            problems.add(f"mapping, columns {target}", f"{source!r}, which {why}",
                         "correct the name on the right")  # fmt: skip
            problems.hint = names_there(text)
    # A column that the mapping names otherwise does not stand under its old name as well.
    mapped = {*sources, *mapping.columns}
    kept = kept[[c for c in kept.columns if c in rename or c not in mapped]].rename(columns=rename)
    if mapping.columns.get("patient_id") == "row_number":
        kept["patient_id"] = [f"row {i + 2}" for i in kept.index]
    for name, values in made.items():
        if name in kept:
            problems.add(f"mapping, times {name.rpartition('_')[0]}", f"{name}, which is a column "
                         "as well", "map or make it, not both")  # fmt: skip
        kept[name] = values
    for name, names in table.repeated.items():
        if name in codebook.index and name not in ignored:
            problems.add(
                "file", f"the column name {name!r} {len(names)} times",
                f"say which is meant under columns, as in '{name}: {names[0]}'",
            )  # fmt: skip
    if "arm" not in {*kept.columns, *mapping.columns, *mapping.ignore}:
        for name in [c for c in kept if re.sub(r"\W|_", "", c.lower()) in ARM_NAMES]:
            problems.add(
                "arm", f"no such column, but {name!r}", f"map it: 'columns: {{arm: {name}}}', or "
                "list it under ignore if all patients are one group",
            )  # fmt: skip
        kept["arm"] = ONE_ARM
        table.said.append(
            "no column says the arm: all patients are one group, described without a comparison "
            "(columns: arm)"
        )
    check_names(kept, mapping, codebook, problems)
    check_required(kept, text, mapping, codebook, problems)
    left_out = [c for c in kept.columns if c not in codebook.index]
    silent = apart | {STATUS_COLUMN}
    return kept.drop(columns=left_out), [c for c in left_out if c not in silent]


def check_names(
    kept: pd.DataFrame, mapping: Mapping, codebook: pd.DataFrame, problems: Problems
) -> None:
    """Report what the mapping says about columns that are not there, or must not be said."""
    # A name that is mapped but not there has been reported already.
    there = {*kept.columns, *mapping.columns}
    for column in mapping.order:
        if column not in there or codebook.at[column, "type"] != "category":
            found = "no category" if column in there else "a column that is not there"
            problems.add(f"mapping, order {column}", found,
                         "name a factor in groups, by our name")  # fmt: skip
    for column in mapping.factors:
        role = codebook.at[column, "role"]
        fixed = role in ("id", "arm") or (
            role == "endpoint" and column.endswith(("_time", "_event"))
        )
        if fixed:
            problems.add(f"mapping, factors {column}", "the id, the arm or an endpoint",
                         "name only factors there; labels go under labels")  # fmt: skip
        elif column not in there:
            problems.add(
                f"mapping, factors {column}", "a column that the file does not have",
                "correct its name; a factor has our name when it is renamed under columns",
            )  # fmt: skip
    for column in mapping.recode:
        if column not in there:
            problems.add(
                f"mapping, recode {column}", "a column that is not there",
                "use our name for it when it is renamed under columns",
            )  # fmt: skip
        elif column not in codebook.index:
            problems.add(f"mapping, recode {column}", "a column without a description",
                         f"add 'factors: {{{column}: {{label: ...}}}}'")  # fmt: skip
    fixed_labels = [label.lower() for label in FIXED_LABELS.values()]
    for name, label in mapping.labels.items():
        if not there & {name, f"{name}_time"} & set(codebook.index):
            problems.add(
                f"mapping, labels {name}", "a label for something that is not there",
                f"correct the name, or map {name}_time and {name}_event under columns",
            )  # fmt: skip
        # Recurrence-free survival must not appear as overall survival, nor the reverse.
        name = name.removesuffix("_time")
        if label != FIXED_LABELS.get(name, label) or (
            name not in FIXED_LABELS and label.strip().lower() in fixed_labels
        ):
            problems.add(
                f"mapping, labels {name}", f"{name!r} called {label!r}",
                "os is always overall survival and pfs progression-free survival; map another "
                "endpoint under a name of its own, such as rfs_time and rfs_event",
            )  # fmt: skip


def check_required(
    kept: pd.DataFrame,
    text: pd.DataFrame,
    mapping: Mapping,
    codebook: pd.DataFrame,
    problems: Problems,
) -> None:
    """Report a missing id, arm or endpoint, and half an endpoint."""
    tried = False
    for column in codebook.index[codebook["type"] == "time"]:
        event = f"{column.removesuffix('_time')}_event"
        there = [c for c in (column, event) if c in kept.columns]
        lost = [c for c in (column, event) if c not in there and c in mapping.columns]
        tried = tried or bool(there or lost)
        if len(there) == 1 and not lost:
            absent = event if there == [column] else column
            ignored = " (it is under ignore)" if absent in mapping.ignore else ""
            problems.add(there[0], f"no {absent} beside it{ignored}",
                         f"add or map {absent}, or list {there[0]} under ignore")  # fmt: skip
    needed = [c for c in ("patient_id", "arm") if c not in {*kept.columns, *mapping.columns}]
    for column in needed:
        hint = "; 'patient_id: row_number' numbers the rows" if column == "patient_id" else ""
        ignored = column in mapping.ignore and column in text.columns
        problems.add(
            column, "only a column that is under ignore" if ignored else "no such column",
            f"{'take it out of ignore' if ignored else 'add it'}, or map it under columns in a "
            f"mapping file{hint}",
        )  # fmt: skip
    if not tried:
        times = codebook.index[codebook["type"].isin(["time", "event"])]
        ignored = [c for c in times if c in mapping.ignore and c in text.columns]
        found = "no pair such as os_time and os_event"
        problems.add(
            "endpoint", f"{found} ({', '.join(ignored)} under ignore)" if ignored else found,
            "add a time and an event, or map them under columns in a mapping file",
        )  # fmt: skip
    if needed or not tried:
        problems.hint = names_there(text)


def names_there(text: pd.DataFrame) -> str:
    """The columns of the file; a patient in row 1 instead of a header is not quoted."""
    if any(re.fullmatch(r"-?[\d.,]+", name) for name in text.columns):
        return "Row 1 holds numbers: check that it holds the names of the columns."
    more = ", ..." if len(text.columns) > 20 else ""
    return f"The file has these columns: {', '.join(map(short, text.columns[:20]))}{more}."


def stated_status(text: pd.DataFrame, mapping: Mapping) -> str:
    """What the data is; a file that calls itself synthetic stays so under any mapping."""
    said = text.get(STATUS_COLUMN, [])
    return "synthetic" if any("synthetic" in str(v).lower() for v in said) else mapping.status
