"""Published outcomes of what is given after CD19 CAR-T failure, read and checked.

`load_options` reads data/salvage_options.csv: one row per study and option, as printed. Nothing is
computed from a percentage, and what is missing stays missing. `helpers.paper.option_outcomes`
turns the rows into the tidy frames that figures and tables show.
"""

import re
from pathlib import Path

import pandas as pd

from helpers.cohort import ROOT
from helpers.loading.problems import Problems
from helpers.paper.published import prints_as

PATH = ROOT / "data" / "salvage_options.csv"
TIERS = {
    1: "prospective, in its own abstract",
    2: "retrospective, registry or subset, in its own abstract",
    3: "pooled, or not published in full",
    4: "second hand: news, letter, background or review table",
}
ENDPOINTS = {  # estimate, lower and upper limit
    "orr": ("orr_pct", "orr_ci_low", "orr_ci_high"),
    "crr": ("crr_pct", "crr_ci_low", "crr_ci_high"),
    "pfs": ("median_pfs_months", "pfs_ci_low", "pfs_ci_high"),
    "os": ("median_os_months", "os_ci_low", "os_ci_high"),
}
COUNTED = {"orr": "responders", "crr": "complete_responders"}
PERCENT = (*ENDPOINTS["orr"], *ENDPOINTS["crr"], "one_year_pfs_pct", "one_year_os_pct",
           "crs_g3plus_pct", "icans_g3plus_pct")  # fmt: skip
MONTHS = (*ENDPOINTS["pfs"], *ENDPOINTS["os"], "median_followup_months")
PRINTED = (*PERCENT, *MONTHS)
COUNTS = ("responders", "evaluable_n", "complete_responders")
WHOLE = ("row_id", "n", "tier", "ci_level_pct", "time_zero_row", *COUNTS)
TEXT = (
    "citation_complete", "option_class", "regimen", "study", "design", "post_cd19_cart_specific",
    "population_note", "os_status", "evidence_tier", "source_url", "row_note", "citation",
    "overlap", "option_group", "label", "counts_words", "time_zero", "time_zero_endpoints",
    "time_zero_words", "doubt",
)  # fmt: skip
REQUIRED = ("row_id", "option_class", "regimen", "study", "design", "post_cd19_cart_specific",
            "evidence_tier", "citation", "tier", "option_group", "label", "time_zero")  # fmt: skip
GROUPS = (  # in the order in which they are shown, which is no ranking
    "Second CAR-T, other target", "Cellular therapy again", "Bispecific antibody",
    "Polatuzumab-based", "Tafasitamab-lenalidomide", "Lenalidomide-based",
    "Loncastuximab tesirine", "Checkpoint inhibitor", "BTK inhibitor", "Chemotherapy-based",
    "Radiotherapy", "Allogeneic transplant", "Any salvage",
)  # fmt: skip
TIME_ZEROS = ("start of salvage", "progression or relapse", "infusion", "radiotherapy",
              "transplant", "not stated")  # fmt: skip
POPULATIONS = {  # beginning of post_cd19_cart_specific, and what the page calls it
    "yes": "after CD19 CAR-T",
    "mixed": "mostly after CD19 CAR-T",
    "no": "not specific to after CAR-T",
}
AFTER = POPULATIONS["yes"]


def load_options(path: Path = PATH) -> pd.DataFrame:
    """Read and check the published outcomes, one row per study and option.

    Parameters
    ----------
    path : Path
        A file with the columns that data/README.md describes.

    Returns
    -------
    DataFrame
        The columns of the file: percentages 0 to 100, medians in months, counts; numbers are
        missing where nothing was printed. Added are ``<column>_printed`` (a number as it was
        printed, with its trailing zeros), ``population`` (one of `POPULATIONS`), ``doi`` and
        ``link`` (where the source is found).

    Raises
    ------
    CohortError
        A ValueError that names, for each value that cannot stand, the column, the row (the header
        is row 1), what was found and what to do.

    Examples
    --------
    >>> rows = load_options()
    >>> len(rows), rows.at[7, "pfs_ci_high_printed"], rows.at[0, "population"]
    (53, '2.0', 'after CD19 CAR-T')
    """
    problems = Problems(Path(path).name)
    text = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    for column in (*WHOLE, *PRINTED, *TEXT):
        if column not in text:
            problems.add(column, "no such column", "add it, or correct its name")
    problems.raise_if_any()
    numbers = {}
    for column in (*WHOLE, *PRINTED):
        numbers[column] = pd.to_numeric(text[column].replace("", None), errors="coerce")
        wrong = text.loc[(text[column] != "") & numbers[column].isna(), column]
        problems.add_rows(column, wrong, "not a number", "give one, or leave it empty")
    for column in REQUIRED:
        empty = text.loc[text[column].str.strip() == "", column].replace("", None)
        problems.add_rows(column, empty, "a value is required", "fill it in, or leave the row out")
    problems.raise_if_any()
    frame = text.assign(**{name: values.astype(float) for name, values in numbers.items()})
    frame = frame.assign(**{f"{column}_printed": text[column] for column in PRINTED})
    kind = text["post_cd19_cart_specific"].str.extract(r"^(\w+)")[0]
    frame["population"] = kind.map(POPULATIONS).fillna("")
    frame["doi"] = text["citation"].str.extract(r"(10\.\d{4,9}/[^\s;]+)")[0].fillna("")
    frame["link"] = [link(row) for row in frame.to_dict("records")]
    check_values(frame, problems)
    problems.raise_if_any()
    check_rows(frame, problems)
    problems.raise_if_any()
    return frame.astype({"row_id": int, "tier": int})


def link(row: dict) -> str:
    """Where the source of a row is found: its DOI, else the page read, else the registry."""
    if row["doi"]:
        return f"https://doi.org/{row['doi']}"
    registered = re.search(r"NCT\d{8}", row["citation"])
    registry = f"https://clinicaltrials.gov/study/{registered[0]}" if registered else ""
    return row["source_url"] or registry


def tier_of(design: str, evidence: str) -> int:
    """How far a row is from a prospective result in its own abstract, 1 (it is one) to 4.

    The weaker of two: the design (prospective or randomised 1; retrospective, registry, or part
    of a trial 2; meta-analysis 3), and where its numbers were read (abstract or its mirror 1;
    conference abstract or drug database 3; news, or what another text says of it, 4).

    Examples
    --------
    >>> tier_of("RCT", "primary abstract"), tier_of("RCT", "secondary (citing letter)")
    (1, 4)
    """
    if design in ("RCT", "prospective single arm"):
        by_design = 1
    else:
        by_design = 3 if design.startswith("meta-analysis") else 2
    if evidence.startswith(("secondary", "news")):
        return 4
    further = evidence.startswith("conference") or "database" in evidence
    return max(by_design, 3 if further else 1)


def overlap_rows(text: str) -> tuple[int, ...]:
    """The rows that an ``overlap`` entry names.

    Examples
    --------
    >>> overlap_rows("meta-analysis of rows 11-13 and others"), overlap_rows("41 studies")
    ((11, 12, 13), ())
    """
    found: list[int] = []
    for part in re.findall(r"(?:rows?|as) (\d+(?:(?:-|, | and )\d+)*)", text):
        for first, last in re.findall(r"(\d+)(?:-(\d+))?", part):
            found += range(int(first), int(last or first) + 1)
    return tuple(dict.fromkeys(found))


def check_values(frame: pd.DataFrame, problems: Problems) -> None:
    """Report every value outside what its column may hold."""
    from pandera.errors import SchemaErrors
    from pandera.pandas import Check, Column, DataFrameSchema

    def column(check, error):
        return Column(nullable=True, checks=Check(check, error=error))

    share = column(lambda s: s.between(0, 100), "no percentage|give 0 to 100")
    time = column(lambda s: s >= 0, "a time below 0|give months since time zero")
    whole = column(lambda s: (s >= 0) & (s % 1 == 0), "no count|give a whole number")

    def one_of(values):
        told = ", ".join(str(value) or "nothing" for value in values)
        return column(lambda s: s.isin(values), f"not known|use one of: {told}")

    schema = dict.fromkeys(PERCENT, share) | dict.fromkeys(MONTHS, time)
    schema |= dict.fromkeys((*COUNTS, "time_zero_row"), whole) | {
        "n": column(lambda s: (s > 0) & (s % 1 == 0), "no number of patients|give 1 or more"),
        "row_id": column(lambda s: ~s.duplicated(keep=False), "a row_id twice|give each its own"),
        "ci_level_pct": one_of([90.0, 95.0]),
        "tier": one_of([float(tier) for tier in TIERS]),
        "option_group": one_of(GROUPS),
        "time_zero": one_of(TIME_ZEROS),
        "time_zero_endpoints": one_of(["", "pfs", "os", "pfs|os"]),
        "os_status": one_of(["", "estimated", "not reached"]),
        "population": one_of(list(POPULATIONS.values())),
    }
    try:
        DataFrameSchema(schema).validate(frame, lazy=True)
    except SchemaErrors as error:
        for (name, check), group in error.failure_cases.groupby(["column", "check"], sort=False):
            finding, _, remedy = check.partition("|")
            found = group.set_index(group["index"].astype(int))["failure_case"].sort_index()
            if found.map(lambda value: isinstance(value, float)).all():
                found = found.map("{:g}".format)
            problems.add_rows(name, found, finding, remedy)


def check_rows(frame: pd.DataFrame, problems: Problems) -> None:
    """Report every row whose columns contradict each other."""
    notes, known = frame.set_index("row_id")["row_note"], {*frame["row_id"].astype(int)}
    for at, row in frame.iterrows():

        def refuse(column, found, finding, remedy, at=at):
            problems.add_rows(column, pd.Series([found], [at], dtype=object), finding, remedy)

        if row["crr_pct"] > row["orr_pct"]:
            refuse("orr_pct", f"{row['orr_pct_printed']} with CR {row['crr_pct_printed']}",
                   "fewer responses than complete responses", "correct either")  # fmt: skip
        limits = check_limits(row, refuse)
        level_unknown = "CI level not printed" in row["row_note"]
        if limits != (pd.notna(row["ci_level_pct"]) or level_unknown):
            refuse(
                "ci_level_pct",
                row["ci_level_pct"],
                "a level without an interval, or the reverse",
                "give the level as printed, or say 'CI level not printed' in row_note",
            )
        if (row["os_status"] == "estimated") != pd.notna(row["median_os_months"]):
            refuse("os_status", row["os_status"] or None, "not what median_os_months says",
                   "write estimated with a median, and not reached without one")  # fmt: skip
        if not row["link"]:
            refuse("citation", row["citation"], "no source that can be looked up",
                   "give a DOI, a registry number or a source_url")  # fmt: skip
        for other in overlap_rows(row["overlap"]):
            if other not in known or other == row["row_id"]:
                refuse("overlap", other, "no other row of that number", "name rows of this file")
        expected = tier_of(row["design"], row["evidence_tier"])
        if row["tier"] != expected:
            refuse(
                "tier",
                f"{row['tier']:g}",
                f"not what design and evidence_tier give ({expected})",
                "apply the rule in data/README.md",
            )
        check_counts(row, refuse)
        words, told_by = row["time_zero_words"], row["time_zero_row"]
        stated = row["time_zero"] != "not stated"
        if stated != bool(words) or stated != bool(row["time_zero_endpoints"]) or (
            words and words not in notes.get(told_by, "")
        ):  # fmt: skip
            refuse(
                "time_zero",
                row["time_zero"],
                "not in the words of the note it is taken from",
                "quote them in time_zero_words and name time_zero_row, or say not stated",
            )


def check_limits(row: pd.Series, refuse) -> bool:
    """Report limits without an estimate or on its wrong side; whether there are any."""
    some = False
    for estimate, low, high in ENDPOINTS.values():
        value, lower, upper = row[estimate], row[low], row[high]
        if pd.isna(lower) and pd.isna(upper):
            continue
        some = True
        if pd.isna(value) or lower > value or upper < value:
            printed = " to ".join(row[f"{c}_printed"] or "nothing" for c in (low, high))
            refuse(estimate, row[f"{estimate}_printed"] or None, f"not inside its limits {printed}",
                   "correct the estimate or the limits")  # fmt: skip
    return some


def check_counts(row: pd.Series, refuse) -> None:
    """Report counts that the note does not print or the percentage contradicts."""
    n, words = row["evaluable_n"], row["counts_words"]
    counts = {name: row[column] for name, column in COUNTED.items() if pd.notna(row[column])}
    if bool(counts) != pd.notna(n) or bool(counts) != bool(words) or words not in row["row_note"]:
        refuse("counts_words", words or None, "not in row_note, or not with its counts",
               "quote the words that print the counts, or leave the counts empty")  # fmt: skip
        return
    if n > row["n"] or counts.get("crr", 0) > counts.get("orr", n):
        refuse("evaluable_n", f"{n:g}", "more than n, or fewer responders than complete ones",
               "correct the counts")  # fmt: skip
        return
    for name, count in counts.items():
        printed = row[f"{ENDPOINTS[name][0]}_printed"]
        if count > n or not printed or not prints_as(100 * count / n, printed):
            refuse(COUNTED[name], f"{count:g} of {n:g}", f"does not print {printed or 'nothing'}",
                   "correct the count or the percentage")  # fmt: skip
