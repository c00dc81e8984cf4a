"""Rows that are left out by rule, and rows that are one patient; each is counted and said."""

import pandas as pd

from helpers.loading.problems import Problems, short
from helpers.loading.reading import MISSING, Table, to_numbers
from helpers.loading.times import made_from

TESTS = ("is", "in", "below", "above", "after")
KEYS = ("column", *TESTS, "because")
FORM = "'exclude: [{column: os_time, is: missing, because: no follow-up}]'"


def check_exclude(given, problems: Problems) -> None:
    """Check what stands under `exclude` in a mapping."""
    where = "mapping, exclude"
    if not isinstance(given, list):
        problems.add(where, short(given), f"give a list of rules, as in {FORM}")
        return
    for k, rule in enumerate(given, 1):
        if not isinstance(rule, dict):
            problems.add(f"{where} {k}", short(rule), f"give a rule, as in {FORM}")
            continue
        if unknown := [key for key in rule if key not in KEYS]:
            problems.add(f"{where} {k}", f"unknown key {unknown[0]!r}", f"use {', '.join(KEYS)}")
        tests = [key for key in TESTS if key in rule]
        if not isinstance(rule.get("column"), str) or len(tests) != 1:
            problems.add(f"{where} {k}", short(rule), f"give a column, and one of "
                         f"{', '.join(TESTS)}")  # fmt: skip
        elif tests == ["is"] and rule["is"] != "missing":
            problems.add(f"{where} {k}", f"is: {short(rule['is'])}", "write 'is: missing', or "
                         "'in: [...]' for values")  # fmt: skip
        elif tests == ["in"] and not isinstance(rule["in"], list):
            problems.add(f"{where} {k}", f"in: {short(rule['in'])}", "give a list, as in [a, b]")
        elif tests[0] in ("below", "above") and pd.isna(
            pd.to_numeric(rule[tests[0]], errors="coerce")
        ):
            problems.add(f"{where} {k}", f"{tests[0]}: {short(rule[tests[0]])}", "give a number")
        if not isinstance(rule.get("because"), str) or not rule["because"].strip():
            problems.add(f"{where} {k}", "no reason", "say why: 'because: ...'; the report prints "
                         "it")  # fmt: skip


def left_out(
    text: pd.DataFrame, ours: pd.DataFrame, rules, decimal: str, problems: Problems
) -> tuple[pd.Index, pd.DataFrame]:
    """Who stays, and how many each rule left out: because, rows.

    Parameters
    ----------
    text, ours : DataFrame
        The file by its own names, and the columns in use by ours; missing values as NaN. A rule
        names a column by either.
    rules : sequence of dict
        The first that holds of a row counts it.
    """
    stay, counted = pd.Series(True, text.index), []
    for k, rule in enumerate(rules, 1):
        columns = [rule["column"], *([rule["after"]] if "after" in rule else [])]
        found = []
        for name in columns:
            if name not in ours and name not in text:
                problems.add(f"mapping, exclude {k}", f"{name!r}, which is no column",
                             "use a name of the file, or ours")  # fmt: skip
            else:
                found.append(ours[name] if name in ours else text[name])
        if len(found) < len(columns):
            continue
        holds = held(rule, found, decimal)
        counted.append((rule["because"].strip(), int((holds & stay).sum())))
        stay &= ~holds
    return text.index[stay], pd.DataFrame(counted, columns=["because", "rows"])


def held(rule: dict, columns: list[pd.Series], decimal: str) -> pd.Series:
    """The rows of which a rule holds."""
    values = columns[0]
    if "is" in rule:
        return values.isna()
    if "in" in rule:
        return values.isin([str(value).strip() for value in rule["in"]])
    numbers = to_numbers(values, decimal)
    if "after" in rule:
        return numbers > to_numbers(columns[1], decimal) + 1e-9
    if "below" in rule:
        return numbers < float(rule["below"])
    return numbers > float(rule["above"])


def one_row_per(text: pd.DataFrame, id_: str, used: list[str], problems: Problems) -> pd.DataFrame:
    """Rows of one id as one: the first, with what it lacks from the others.

    A patient whose rows differ in a column in use is refused, with the column.
    """
    if id_ not in text:
        problems.add("mapping, one_row_per", f"{id_!r}, which is no column", "use a name of the "
                     "file")  # fmt: skip
        return text
    ids = text[id_]
    repeated = ids.notna() & ids.duplicated(keep=False)
    for column in used:
        values = text.loc[repeated, column]
        kinds = values.groupby(ids[repeated]).nunique()
        unlike = kinds.index[kinds > 1]
        if len(unlike):
            rows = values[ids[repeated].isin(unlike) & values.notna()]
            problems.add_rows(
                column, rows, f"different values in the rows of {len(unlike)} "
                f"patient{'s' * (len(unlike) > 1)}",
                "leave out the rows that do not count under exclude, or the column under ignore",
            )  # fmt: skip
    filled = text.loc[repeated].groupby(ids[repeated])[[c for c in text if c != id_]].bfill()
    whole = text.copy()
    whole.loc[repeated, filled.columns] = filled
    return whole[~(repeated & ids.duplicated())]


def in_use(table: Table, mapping, known, problems: Problems) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a file without missing values, one per patient, and what was left out before.

    Where rows are made one, the rules that name values of the file choose among rows first; rows
    must agree in the columns in use, by names of the mapping or those in `known`.
    """
    missing = MISSING | {value.strip() for value in mapping.missing}
    text = table.frame.mask(table.frame.isin(missing))
    for target, codes in mapping.recode.items():  # a text that a recode names is a value there
        source = mapping.columns.get(target, target)
        if source in text and (named := missing & set(codes)):
            text[source] = text[source].mask(table.frame[source].isin(named), table.frame[source])
    if not mapping.one_row_per:
        return text, pd.DataFrame({"because": [], "rows": []})
    first = [rule for rule in mapping.exclude if among_rows(rule, table)]
    stay, excluded = left_out(text, text[[]], first, table.decimal, problems)
    source = mapping.columns.get(mapping.one_row_per, mapping.one_row_per)
    ours = {*known, *mapping.columns.values(), *made_from(mapping.times)} - {*mapping.ignore}
    used = [c for c in text if c != source and c in ours]
    whole = one_row_per(text.loc[stay], source, used, problems)
    if fewer := len(stay) - len(whole):
        table.said.append(f"rows that were made one with another of the same patient: {fewer} "
                          "(one_row_per)")  # fmt: skip
    return whole, excluded


def among_rows(rule: dict, table: Table) -> bool:
    """Whether a rule of the mapping chooses among the rows of a patient."""
    return "in" in rule and rule["column"] in table.frame


def later_rules(mapping, table: Table) -> list[dict]:
    """The rules of the mapping that choose among patients."""
    apart = bool(mapping.one_row_per)
    return [rule for rule in mapping.exclude if not (apart and among_rows(rule, table))]
