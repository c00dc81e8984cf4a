"""Numbers as words: the one place where a result is rounded and put into a sentence.

Captions, alt texts and table entries are written here from an `Answer`, so that prose and
figure cannot disagree. Days become months here and in `plots`, nowhere else.
"""

import re

import numpy as np
import pandas as pd

from helpers.analysis import Answer
from helpers.conventions import CONFIDENCE, DAYS_PER_MONTH
from helpers.labels import counted, lower, month_name, per_unit
from helpers.view import cut
from helpers.whose import column_label, start, whose

NOT_REACHED = "not reached"
NOT_DEFINED = "–"
NO_LIMIT = "no limit"  # an end of an interval that is infinite
MARKED = r"([\\`*_\[\]<>|#$&~])"  # what Markdown reads as more than a letter
DOLLAR = r"<span>\$</span>"


def known(value: float) -> bool:
    """Whether there is a number to print: a missing or infinite one is told in words."""
    return pd.notna(value) and bool(np.isfinite(value))


def number(value: float, digits: int = 2) -> str:
    """A number to fixed digits, never minus zero; a dash where there is none."""
    return f"{round(value, digits) + 0.0:.{digits}f}" if known(value) else NOT_DEFINED


def percent(value: float, digits: int = 0) -> str:
    """A proportion in percent; 99.6% does not become the 100% of nobody having an event."""
    if not known(value):
        return NOT_DEFINED
    if value < 1 and round(100 * value, digits) == 100:
        return f"{100 * value:.1f}%" if value < 0.9995 else ">99.9%"
    return number(100 * value, digits) + "%"


def p_value(value: float) -> str:
    """A P as journals print it: two significant digits, four decimals at the most."""
    if pd.isna(value):
        return NOT_DEFINED
    if value < 0.0001:
        return "P < 0.0001"
    digits = min(2 if value >= 0.0995 else 1 - int(np.floor(np.log10(value))), 4)
    while digits < 6 and round(value, digits) == 0.05 != value:  # on which side of 0.05 is told
        digits += 1
    return f"P = {value:.{digits}f}"


def bare_p(value: float) -> str:
    """A P for a column that is headed so."""
    return p_value(value).removeprefix("P ").removeprefix("= ")


def months(days: float, digits: int = 1) -> str:
    """Days as months; a missing median is one that was not reached."""
    return NOT_REACHED if pd.isna(days) else f"{days / DAYS_PER_MONTH:.{digits}f}"


def interval(low: str, high: str) -> str:
    return "(no interval)" if {low, high} <= {NOT_DEFINED, NO_LIMIT} else f"({low} to {high})"


def ratio(row: pd.Series) -> str:
    """A model row as "0.77 (0.56 to 1.07)"; the row is on the log scale.

    An infinite log ratio is no estimate, and an infinite limit no limit.
    """
    if pd.isna(row["estimate"]):
        return "withheld"
    if np.isinf(row["estimate"]):
        return "not estimable"
    ends = [row[c] for c in ("estimate", "conf_low", "conf_high")]
    values = np.exp([end if known(end) else 0.0 for end in ends])
    digits = 2
    # 0.997 is not 1, and a ratio per small unit is not 1.00 (1.00 to 1.00).
    while digits < 6 and any(round(v, digits) == 1 != v for v in values):
        digits += 1
    texts = [ratio_text(v, digits) for v in values]
    texts = [text if known(end) else NO_LIMIT if np.isinf(end) else NOT_DEFINED
             for text, end in zip(texts, ends, strict=True)]  # fmt: skip
    return f"{texts[0]} {interval(*texts[1:])}"


def ratio_and_p(row: pd.Series) -> str:
    """A model row as "0.77 (0.56 to 1.07), P = 0.12", or as withheld."""
    text = ratio(row)
    return f"{text}, {p_value(row['p_value'])}" if known(row["estimate"]) else text


def ratio_text(value: float, digits: int = 2) -> str:
    """A ratio on its natural scale; a small one keeps two digits that say something.

    Examples
    --------
    >>> ratio_text(0.5), ratio_text(0.0123)
    ('0.50', '0.012')
    """
    return number(value, digits) if not value < 0.0995 else f"{value:.2g}"


def contrast(row: pd.Series) -> str:
    return f"{row['level']} vs {row['reference']}"


def comparison(answer: Answer, model: str = "unadjusted") -> list[str]:
    """Two lines per group against the reference: which two, and the ratio with interval and P."""
    rows = answer.model[
        (answer.model["model"] == model) & (answer.model["column"] == answer.view.compare)
    ]
    lines = []
    for _, row in rows.iterrows():
        lines += [contrast(row) + ":", f"HR {ratio_and_p(row)}"]
    return lines or ["HR withheld"] * (len(answer.groups) > 1)


def log_rank(answer: Answer) -> str:
    return f"Log-rank {p_with_method(answer.tests.iloc[0])}" if len(answer.tests) else ""


def p_with_method(row) -> str:
    """The P of a row that may be by permutation: which, and with what Monte Carlo error.

    Examples
    --------
    >>> p_with_method({"p_value": 0.0294, "method": "exact permutation", "p_error": 0.0})
    'P = 0.029 (exact permutation)'
    >>> p_with_method({"p_value": 0.02, "method": "permutation, 9,999 shuffles", "p_error": 0.001})
    'P = 0.020 (permutation, Monte Carlo error 0.001)'
    """
    how = str(row.get("method", "")).partition(",")[0] if pd.notna(row["p_value"]) else ""
    error = f", Monte Carlo error {row['p_error']:.2g}" if how == "permutation" else ""
    return p_value(row["p_value"]) + (f" ({how}{error})" if "permutation" in how else "")


def plain(text: str) -> str:
    """A name from a file as Markdown shows it letter by letter, on one line.

    A dollar sign is wrapped besides: mathematics is looked for after Markdown was read.
    """
    text = re.sub(r"\s*\n\s*", " ", text)
    return re.sub(MARKED, r"\\\1", text).replace("\\$", DOLLAR)


def plain_text(markdown: str) -> str:
    """A sentence of this module as a terminal shows it."""
    return re.sub(r"\\" + MARKED, r"\1", markdown.replace(DOLLAR, "\\$"))


def quoted(name: str) -> str:
    return f"'{plain(name)}'"


def caption_survival(answer: Answer, unit: str = "months", curve: str = "survival") -> str:
    """What a survival figure shows: endpoint, patients, groups, n, events, interval, unit.

    `unit` and `curve` are those of the `helpers.plots.drawn.Display` that it is drawn in.
    """
    groups = "; ".join(
        f"{row.group}, n = {row.patients}, {counted(row.events, 'event')}"
        for row in answer.counts.itertuples()
        if row.patients
    )
    compared = column_label(answer, answer.view.compare)
    who = f". {whose(answer)}" if whose(answer) else ", all patients"
    form = {"incidence": "One minus Kaplan-Meier", "log-log": "Log(-log) of Kaplan-Meier"}
    return plain(
        f"{answer.label} by {compared}{who} ({groups}). {form.get(curve, 'Kaplan-Meier')} "
        f"estimates with pointwise {CONFIDENCE:.0%} log-log intervals; ticks are censored "
        f"patients; {unit} since {start(answer)}."
    )


def alt_survival(answer: Answer) -> str:
    """The survival figure for those who do not see it, from its numbers."""
    who = f" {whose(answer)}." if whose(answer) else ""
    if not answer.groups:
        return f"Empty Kaplan-Meier figure of {lower(answer.label)}: no patient is left.{who}"
    reach = answer.curves["time"].max()
    parts = [
        f"Kaplan-Meier step curves of {lower(answer.label)} in {len(answer.groups)} "
        f"group{'s' * (len(answer.groups) > 1)} over {months(reach, 0)} months.{who}"
    ]
    survival = answer.milestones[answer.milestones["kind"] == "survival"]
    for row in answer.medians.itertuples():
        seen = survival[(survival["group"] == row.group) & survival["estimate"].notna()]
        read = ", ".join(
            f"{percent(s.estimate)} at {month_name(s.time)}" for s in seen.itertuples()
        )
        middle = months(row.estimate)
        middle = middle if middle == NOT_REACHED else f"{middle} months"
        parts.append(f"{row.group}: {read or 'no milestone reached'}; median {middle}.")
    return " ".join(parts + comparison(answer)).removesuffix(".") + "."


def heading(group: str, *taken: str) -> str:
    """A group at the head of a column; one that is called like another column there says so.

    Examples
    --------
    >>> heading("right", "all", "left"), heading("left", "all", "left")
    ('right', 'left (group)')
    """
    return f"{group} (group)" if group in taken else group


def milestone_table(answer: Answer) -> pd.DataFrame:
    """Survival at the milestones, a row per time and a column per group and difference."""
    stones = answer.milestones
    cells = {}
    for row in stones.to_dict("records"):
        digits = 0
        low, high = percent(row["conf_low"]), percent(row["conf_high"])
        text = f"{percent(row['estimate'], digits)} {interval(low, high)}"
        if row["kind"] == "difference":
            text = text.replace("%", "") + f", {p_value(row['p_value'])}"
        if pd.isna(row["estimate"]):
            text = "beyond the data"
        column = f"{row['group']}, points"
        if row["kind"] == "survival":
            column = heading(row["group"], "at", "endpoint", "note")
        cells.setdefault(month_name(row["time"]), {})[column] = text
    table = pd.DataFrame(cells).T
    table.insert(0, "at", table.index)
    return table.reset_index(drop=True)


def median_text(answer: Answer) -> pd.DataFrame:
    """Medians in months with their intervals, a row per group."""
    return pd.DataFrame(
        {
            "group": row.group,
            "patients": row.n,
            "events": row.n_event,
            "median, months": f"{months(row.estimate)} "
            + (
                "(no limits)"
                if pd.isna(row.conf_low) and pd.isna(row.conf_high)
                else interval(months(row.conf_low), months(row.conf_high))
            ),
        }
        for row in answer.medians.itertuples()
    )


def model_table(answer: Answer) -> pd.DataFrame:
    """Hazard ratios with interval and P, a row per term and model."""
    rows = [
        {
            "model": row["model"],
            "term": term_text(answer, row),
            "patients": row["n"],
            "events": row["n_event"],
            "hazard ratio": ratio(row),
            "P": bare_p(row["p_value"]),
        }
        for _, row in answer.model.iterrows()
    ]
    return pd.DataFrame(rows)


def term_text(answer: Answer, row: pd.Series) -> str:
    """A term as a table shows it; a number with the unit that its ratio is for."""
    book, column = answer.cohort.codebook, row["column"]
    if not row["level"]:
        return f"{book.at[column, 'label']}, {per_unit(book.at[column, 'unit'])}"
    if column == answer.view.compare:
        return contrast(row)
    name = cut(column)[0] if cut(column) else ""
    sides = " vs ".join(row[c].removeprefix(name).strip() for c in ("level", "reference"))
    return f"{book.at[name or column, 'label']}: {sides}"


def follow_up_text(table: pd.DataFrame) -> pd.DataFrame:
    """Follow-up in months, a row per definition and a column per group.

    Everybody comes first, under the name "all"; a group of that name is told apart.
    """
    cells = {}
    for row in table.to_dict("records"):
        text = row["note"] or f"{row['estimate'] / DAYS_PER_MONTH:.2f}"
        if pd.notna(row["conf_low"]):
            text += " " + interval(months(row["conf_low"]), months(row["conf_high"]))
        line = cells.setdefault(row["definition"], {})
        line[heading(row["group"], "definition", *line)] = text
    return pd.DataFrame(cells).T.rename_axis("definition").reset_index()


def ledger_text(table: pd.DataFrame) -> pd.DataFrame:
    """The ledger as a table to read: one row per printed number."""
    computed = [NOT_DEFINED if pd.isna(value) else f"{value:.4g}" for value in table["computed"]]
    columns = ["quantity", "printed", "computed", "verdict", "reason"]
    return table.assign(computed=computed)[columns]


def interaction_table(answer: Answer) -> pd.DataFrame:
    """Ratio of the hazard ratios inside and outside the subgroup."""
    rows = [
        {
            "term": f"{product_text(answer, row)}, inside over outside",
            "ratio": ratio(row),
            "P": p_value(row["p_value"]),
        }
        for _, row in answer.interaction.iterrows()
    ]
    return pd.DataFrame(rows)


def product_text(answer: Answer, row: pd.Series) -> str:
    """Whose hazard ratio an interaction is about."""
    return row["term"].removeprefix(f"{answer.view.compare}: ").removesuffix(" x subgroup")


def rmst_text(answer: Answer) -> pd.DataFrame:
    """Restricted means in months, a row per group and difference."""
    rows = [
        {
            "group": row["group"],
            "months": f"{number(row['estimate'] / DAYS_PER_MONTH, 1)} "
            + interval(*(number(row[c] / DAYS_PER_MONTH, 1) for c in ("conf_low", "conf_high"))),
            "P": p_with_method(row),
        }
        for _, row in answer.rmst.iterrows()
    ]
    return pd.DataFrame(rows)


def risk_text(answer: Answer) -> pd.DataFrame:
    """Numbers at risk and cumulative events, a row per time and two columns per group."""
    columns = {}
    for name, part in answer.risk_table.groupby("group", sort=False):
        columns["month"] = [months(day, 0) for day in part["time"]]
        columns[f"{name}: at risk"] = part["n_risk"].to_list()
        columns[f"{name}: events"] = part["n_event"].to_list()
    return pd.DataFrame(columns)
