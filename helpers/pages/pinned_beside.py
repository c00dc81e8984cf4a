"""What the print allows, beside the numbers that a page computes for the paper's cohort.

Each function takes a table of another page and gives it back with one column more. On any other
cohort, or when a question is asked that has no range, the table comes back as it was.
"""

import pandas as pd

from helpers.analysis import Answer
from helpers.cohort import Cohort
from helpers.conventions import DAYS_PER_MONTH
from helpers.paper import pinned
from helpers.paper.forensics import possible_tables
from helpers.paper.unprinted import ARMS, HORIZON, MONTHS, UNITS, proportional_p
from helpers.words import month_name, plain

SAID = {"points": " points", "months": " months"}  # behind a range of these units
COLUMN = "the print allows"
CAVEAT = (
    "This is no confidence interval: it says what as many real patients could have shown and the "
    "paper still print the same; sampling error, bias and misreading come on top. A search can "
    "miss what lies beyond, it cannot overstate."
)


def has_ranges(of: Answer | Cohort) -> bool:
    """Whether the found ranges speak of these patients: the paper's arms, all patients."""
    if isinstance(of, Cohort):
        return of.is_paper and pinned.is_there()
    view = of.view
    everybody = view.compare == "arm" and not view.where and not view.landmark
    return everybody and has_ranges(of.cohort)


def note(of: Answer | Cohort, about: str = "") -> str:
    """The sentence that stands by every range, to end a caption; "" where there is none.

    `about` says of what the column has the range, where the table shows more than that.
    """
    if not has_ranges(of):
        return ""
    what = f" ({about})" if about else ""
    return f" Last column{what}: what the printed numbers alone allow. {CAVEAT}"


def note_on_response(cohort: Cohort) -> str:
    """What the column of `response_rates` rests on; "" where there is none."""
    if not cohort.is_paper:
        return ""
    return (
        " Last column: the counts that the printed odds ratio of IPI allows, and in the other arm "
        "no fewer than the complete responders. This is no confidence interval."
    )


def span(name: str, *, basis: str = "print") -> str:
    """The range of a quantity as text, "36% to 58%"; on the basis "rules" the narrower one."""
    row = pinned.ranges().loc[name]
    before = "print_" if basis == "print" else ""
    texts = [UNITS[row["unit"]].text(row[before + end]) for end in ("low", "high")]
    return " to ".join(dict.fromkeys(texts)) + SAID.get(row["unit"], "")


def beside(table: pd.DataFrame, of: Answer | Cohort, texts: list[str]) -> pd.DataFrame:
    """A table with a column of what the print allows, its notes last."""
    if not has_ranges(of):
        return table
    at = table.columns.get_loc("note") if "note" in table else table.shape[1]
    table = table.copy()
    table.insert(at, COLUMN, texts)
    return table


def filled(table: pd.DataFrame, asked: list[Answer]) -> list[str]:
    """The name of the endpoint of each row of a stacked table, which shows it once."""
    names = {answer.label: answer.view.endpoint for answer in asked}
    return table["endpoint"].where(table["endpoint"] != "").ffill().map(names).to_list()


def milestones(table: pd.DataFrame, asked: list[Answer]) -> pd.DataFrame:
    """Beside survival at 6 and 12 months: both arms, then the difference in points."""
    days = {month_name(m * DAYS_PER_MONTH): m for m in MONTHS}
    texts = []
    for end, at in zip(filled(table, asked), table.get("at", ["note"] * len(table)), strict=True):
        parts = [*ARMS, "diff"] if at in days and has_ranges(asked[0]) else []
        texts.append("; ".join(span(f"{end}_{days[at]}_{part}") for part in parts))
    return beside(table, asked[0], texts)


def gains(table: pd.DataFrame, asked: list[Answer]) -> pd.DataFrame:
    """Beside the difference of restricted means over 12 months."""
    if asked[0].view.horizon != HORIZON:
        return table
    return one_each(table, asked, "rmst")


def hazard_ratios(table: pd.DataFrame, asked: list[Answer]) -> pd.DataFrame:
    """Beside unadjusted hazard ratios."""
    return one_each(table, asked, "hr")


def one_each(table: pd.DataFrame, asked: list[Answer], what: str) -> pd.DataFrame:
    if not has_ranges(asked[0]):
        return table
    return beside(table, asked[0], [span(f"{end}_{what}") for end in filled(table, asked)])


def events(table: pd.DataFrame, asked: list[Answer]) -> pd.DataFrame:
    """Beside events by arm, the events of both arms together."""
    if not has_ranges(asked[0]):
        return table
    shown = zip(table["endpoint"], filled(table, asked), strict=True)
    texts = [f"{span(f'{end}_events')} in both arms" if label else "" for label, end in shown]
    return beside(table, asked[0], texts)


def response_rates(table: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Beside overall response by arm: the tables that print the odds ratio; complete responders."""
    if not cohort.is_paper:
        return table
    found = possible_tables()
    counts = sorted((found["responders_high"] + found["responders_low"]).astype(int))
    first = f"{', '.join(map(str, counts[:-1]))} or {counts[-1]} of 54"
    texts = []
    for row in table.to_dict("records"):
        overall = row["outcome"].startswith("overall")
        below = 39 if row["outcome"].endswith("all") else 38
        texts.append("" if not overall else first if row["arm"] == cohort.arms[0] else
                     f"at least 3 of {below}")  # fmt: skip
    return table.assign(**{COLUMN: texts})


def read_sizes(of: Answer) -> str:
    """How large the group with a high ECOG is in the cohorts found, to end a caption."""
    if not (of.cohort.is_paper and pinned.is_there()):
        return ""
    found = pinned.members()["ecog_high"]
    return (
        f" Its size was not printed: cohorts that print the same have {found.min()} to "
        f"{found.max()} patients with an ECOG of 3 or more."
    )


def read_drift(asked: list[Answer]) -> str:
    """What the print says of proportional hazards: what these rows show, and other rows could."""
    parts = []
    for answer in asked:
        if has_ranges(answer):
            name, p = f"{answer.view.endpoint}_ph", UNITS["P"].text(proportional_p(answer))
            parts.append(f"{plain(answer.label)}: P {p} in these rows, {span(name)} in others.")
    return (
        "Whatever drift these rows show is theirs: ratio, medians and P were printed, a check of "
        "proportional hazards was not, in the text available to us. The same test of the arm "
        "alone, without covariates, in rows that print the same: "
        f"{' '.join(parts)} {CAVEAT}"
    )
