"""What the page on factors shows of the printed numbers alone, and of readings they leave open."""

import pandas as pd

from helpers.cohort import Cohort
from helpers.paper.forensics import interval_against_p
from helpers.paper.ledger import ledger
from helpers.paper.published import READINGS, load_published
from helpers.words import NOT_DEFINED, bare_p, number, percent, ratio


def agreement_text() -> pd.DataFrame:
    """Whether the printed ratios of factors agree with their intervals and P."""
    table = interval_against_p().set_index("id").join(load_published().set_index("id"), rsuffix="_")
    rows = [
        (row.quantity, f"{row.printed} ({row.lower_bound}-{row.upper_bound}), {row.p_printed}",
         number(row.std_error, 3), bare_p(row.p_value), "yes" if row.agrees else "no")
        for row in table.loc[["ipi_orr_or", "ecog_hr"]].itertuples()
    ]  # fmt: skip
    names = ["quantity", "printed", "standard error of the log", "P implied", "agrees"]
    return pd.DataFrame(rows, columns=names)


def readings_text(cohort: Cohort) -> pd.DataFrame:
    """The printed hazard ratio of ECOG under both readings of its endpoint."""
    rows = []
    for endpoint in (READINGS["ECOG endpoint"].default, *READINGS["ECOG endpoint"].alternatives):
        table = ledger(cohort, {"ECOG endpoint": endpoint})
        for row in table[table["id"].str.startswith("ecog_hr")].itertuples():
            rows.append((endpoint, row.quantity, row.printed, number(row.computed, 3), row.verdict))
    names = ["read as", "quantity", "printed", "computed", "verdict"]
    return pd.DataFrame(rows, columns=names)


def tables_text(tables: pd.DataFrame, n: int) -> pd.DataFrame:
    """The possible 2x2 tables, a row each."""
    rows = [
        (f"{a} of {m}", f"{c} of {n - m}", percent((a + c) / n, 1), bare_p(wald), bare_p(fisher))
        for m, a, c, wald, fisher in tables[
            ["ipi_high", "responders_high", "responders_low", "p_value", "fisher_p"]
        ].itertuples(index=False)
    ]
    names = ["IPI >= 3", "IPI < 3", "overall response", "P, Wald", "P, Fisher"]
    return pd.DataFrame(rows, columns=names)


def alt_tables(tables: pd.DataFrame, n: int) -> str:
    """The figure of possible tables for those who do not see it."""
    parts = [
        f"{row.responders_low} of {n - row.ipi_high} with IPI below 3 and {row.responders_high} of "
        f"{row.ipi_high} with 3 or more respond, {percent(row.response_rate, 1)} in all"
        for row in tables.itertuples()
    ]
    return f"{len(tables)} panels of squares, one per patient, filled for response: " + (
        "; ".join(parts) + "."
    )


def estimate(row: dict) -> str:
    return ratio(pd.Series(row)) if pd.notna(row["estimate"]) else NOT_DEFINED


def endpoints_text(answers: list) -> pd.DataFrame:
    """The same comparison on several endpoints: counts and ratios as `analyse` gives them."""
    rows = []
    for answer in answers:
        for row in answer.model.to_dict("records"):
            sizes = answer.counts.set_index("group")
            sides = [f"{sizes.at[g, 'patients']} ({sizes.at[g, 'events']})"
                     for g in (row["level"], row["reference"])]  # fmt: skip
            rows.append((answer.label, " vs ".join(sides), estimate(row), bare_p(row["p_value"])))
    names = ["endpoint", "patients (events)", "hazard ratio (95% interval)", "P"]
    return pd.DataFrame(rows, columns=names)
