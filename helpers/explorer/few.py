"""What can be asked for where too few events withhold the hazard ratio: Firth's estimate of it."""

import pandas as pd

from helpers.analysis import Answer
from helpers.fit.likelihood import NotEstimable
from helpers.regression import firth_cox_table
from helpers.selection import EVENT, TIME, Notes, select
from helpers.view import with_cuts
from helpers.words import p_value, ratio, term_text


def withheld(answer: Answer) -> bool:
    """Is a hazard ratio of the compared groups withheld?"""
    if len(answer.groups) < 2:
        return False
    rows = answer.model[answer.model["column"] == answer.view.compare]
    return bool(rows.empty or rows["estimate"].isna().any())


def firth_table(answer: Answer) -> pd.DataFrame:
    """Firth's penalised model of an answer's groups and covariates, as `firth_cox_table`.

    Raises
    ------
    NotEstimable
    """
    view = answer.view
    cohort = with_cuts(answer.cohort, view)
    who = select(cohort, view, Notes())
    return firth_cox_table(
        who.data, time=TIME, event=EVENT, covariates=[view.compare, *view.adjust],
        references={view.compare: who.reference},
    )  # fmt: skip


def firth_rows(answer: Answer) -> list[tuple[str, str, str]]:
    """Rows for the readings: id, quantity, value; a reason where there is none."""
    try:
        table = firth_table(answer)
    except NotEstimable as error:
        return [("firth-0", "Firth's penalised hazard ratio", f"withheld: {error}")]
    kind = "adjusted " if answer.view.adjust else ""
    rows = table[table["column"] == answer.view.compare]
    return [
        (f"firth-{k}",
         f"Firth's penalised {kind}hazard ratio, {term_text(answer, row)} (Breslow ties)",
         f"{ratio(row)}, {p_value(row['p_value'])}")
        for k, (_, row) in enumerate(rows.iterrows())
    ]  # fmt: skip
