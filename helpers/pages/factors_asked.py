"""Who the page on factors asks, and what: factors known at the start, and their screens.

Every estimate comes from `helpers.factors`, `helpers.logistic` and `helpers.regression`.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import beta

from helpers.cohort import Cohort
from helpers.estimators.factors import (
    SCREEN_COLUMNS,
    adjust_p,
    factor_screen,
    interaction_screen,
    shrunken,
)
from helpers.estimators.logistic import logistic_table
from helpers.estimators.response import EVALUABLE
from helpers.fit.likelihood import NotEstimable
from helpers.regression import cox_table, firth_cox_table
from helpers.selection import EVENT, TIME, Notes, select
from helpers.view import View, cut, cut_text, level_text, with_cuts

ALPHA = 0.05
# Where this field cuts its numbers; any other is cut at its median.
CUTS = {"ecog": 3.0, "ipi": 3.0, "stage": 3.0, "extranodal_sites": 2.0, "ldh_ratio": 1.0}
FEW = 8  # a number with so many values is tried at each of them
RESPONSE = "_response"  # 1 for CR and PR, 0 for SD and PD
TIMES = {"time": TIME, "event": EVENT}
WAYS = ("maximum likelihood, Wald", "maximum likelihood, profile", "Firth, profile")


@dataclass(frozen=True)
class Asked:
    """The factors of a cohort, numbers cut in two, and the patients of a View.

    Attributes
    ----------
    cohort, view : Cohort, View
        The cohort with a column for each cut; of the View endpoint, filters and landmark count.
    factors : dict
        Name of a factor (a column, or a cut such as "age >= 54") to the column it is made from.
    arm : str
        The first of the arms that has a patient in the View.
    """

    cohort: Cohort
    view: View
    factors: dict[str, str]
    arm: str

    @property
    def keys(self) -> dict:
        """What every screen is given: of a cut the lower side is the reference, of a category the
        most frequent of all its patients."""
        references = {}
        for name in self.factors:
            levels = level_text(self.cohort.frame[name]).value_counts().sort_index()
            if cut(name):
                references[name] = f"{cut(name)[0]} < {cut(name)[1]:.15g}"
            elif len(levels):
                references[name] = levels.idxmax()
        known = {"factors": list(self.factors), "references": references}
        return known | {"landmark": self.view.landmark}

    @property
    def source(self) -> str:
        """What a result of all these factors rests on."""
        return self.cohort.source(*self.factors.values())

    def invented(self, factor: str) -> bool:
        return self.cohort.codebook.at[factor, "evidence"] == "illustrative"


def ask(cohort: Cohort, view: View) -> Asked:
    """The factors known when the clock of the View starts, numbers cut in two."""
    view = View(endpoint=view.endpoint, where=view.where, landmark=view.landmark)
    late = cohort.codebook["known_at"]
    columns = [c for c in cohort.factors if c != "arm" and late[c] <= view.landmark]
    made = {column: cut_name(column, cohort.frame[column]) for column in columns}
    cuts = [name for column, name in made.items() if name != column]
    cohort = with_cuts(cohort, replace(view, adjust=tuple(cuts)))
    asked = Asked(cohort, view, {name: column for column, name in made.items()}, cohort.arms[0])
    there = [arm for arm in cohort.arms if (patients(asked)["arm"] == arm).any()]
    return replace(asked, arm=there[0]) if there else asked


def cut_name(column: str, values: pd.Series) -> str:
    """A number as "column >= value", without a look at any outcome; else the column itself."""
    known = values.dropna()
    if not pd.api.types.is_numeric_dtype(values) or known.nunique() < 2:
        return column
    at = CUTS.get(column, known.median())
    if not known.min() < at <= known.max():
        at = known.median() if known.median() > known.min() else known[known > known.min()].min()
    return cut_at(column, at)


def cut_at(column: str, value: float) -> str:
    name = cut_text(f"{column} >= {np.format_float_positional(value, trim='-')}")
    return name if cut(name) else column


def patients(asked: Asked, *, arm: str | None = None, endpoint: str | None = None):
    """The patients of the View with all columns and _time, _event; of one arm or both."""
    view = replace(asked.view, endpoint=endpoint or asked.view.endpoint)
    frame = select(asked.cohort, view, Notes()).data[[TIME, EVENT]].join(asked.cohort.frame)
    return frame[frame["arm"] == arm] if arm else frame


def with_response(asked: Asked, arm: str | None) -> pd.DataFrame:
    """Patients from time zero with overall response, 1 or 0; missing where not evaluable."""
    frame = patients(replace(asked, view=replace(asked.view, landmark=0.0)), arm=arm)
    codes = frame["response"]
    known = codes.isin(EVALUABLE)
    return frame.assign(**{RESPONSE: codes.isin(["CR", "PR"]).astype(float).where(known)})


def survival_screen(
    asked: Asked, *, arm: str | None = None, endpoint: str | None = None, firth: bool = False
) -> pd.DataFrame:
    """`factor_screen` of hazard ratios, with label, invented, and counts of both groups."""
    frame = patients(asked, arm=arm, endpoint=endpoint)
    book = asked.cohort.codebook
    table = factor_screen(frame, book, **asked.keys, **TIMES, firth=firth)
    return described(asked, table, frame, EVENT)


def response_screen(asked: Asked, *, arm: str | None = None, firth: bool = False):
    """`factor_screen` of odds ratios of overall response, likewise."""
    frame, book = with_response(asked, arm), asked.cohort.codebook
    keys = asked.keys | {"landmark": 0.0}
    table = factor_screen(frame, book, **keys, outcome=RESPONSE, firth=firth)
    return described(asked, table, frame.dropna(subset=[RESPONSE]), RESPONSE)


def interactions(asked: Asked) -> pd.DataFrame:
    """`interaction_screen` of all patients: does the hazard ratio of the arms change?"""
    frame, base = patients(asked), asked.cohort.reference_arm
    table = interaction_screen(
        frame, asked.cohort.codebook, **asked.keys, **TIMES, arm="arm", reference=base
    )
    named = table["term"].str.replace(f"arm: {asked.cohort.arms[0]} vs {base} x ", "", regex=False)
    return described(asked, table.assign(term=named), frame, EVENT)


def panels(asked: Asked) -> pd.DataFrame:
    """Every screen of the first arm as rows of `figure_screens`: response, then each endpoint."""
    parts = []
    if "response" in asked.cohort.frame:
        odds = response_screen(asked, arm=asked.arm)
        parts.append(odds.assign(panel="Overall response, odds ratio"))
    for name in dict.fromkeys([asked.view.endpoint, *asked.cohort.endpoints]):
        screen = survival_screen(asked, arm=asked.arm, endpoint=name)
        parts.append(screen.assign(panel=f"{asked.cohort.endpoints[name]}, hazard ratio"))
    return pd.concat(parts, ignore_index=True)


def every_cut(asked: Asked) -> pd.DataFrame:
    """One number at each cut and as it is: hazard ratios of the first arm; of ECOG, or else of the
    first number; of an invented one where rows were built for print. Empty without a number."""
    numbers = [column for name, column in asked.factors.items() if cut(name)]
    # Where rows were built for print, only the side of 3 of ECOG is bound: its other cuts mean
    # nothing, and 3 stands out because it was searched for. An invented number hides no such trap.
    made_up = [column for column in numbers if asked.cohort.is_paper and asked.invented(column)]
    numbers.sort(key=lambda column: column not in made_up if made_up else column != "ecog")
    if not numbers:
        return described(asked, pd.DataFrame(columns=SCREEN_COLUMNS), None, EVENT)
    values = asked.cohort.frame[numbers[0]].dropna()
    at = np.sort(values.unique())
    at = at[1:] if len(at) <= FEW else np.unique(values.quantile(np.arange(2, 9) / 10, "nearest"))
    names = dict.fromkeys([cut_at(numbers[0], v) for v in at if v > values.min()], numbers[0])
    cohort = with_cuts(asked.cohort, replace(asked.view, adjust=tuple(names)))
    tried = replace(asked, cohort=cohort, factors=names | {numbers[0]: numbers[0]})
    return survival_screen(tried, arm=asked.arm)


def ways(asked: Asked, factor: str, *, endpoint: str | None = None, response: bool = False):
    """One factor of the first arm by maximum likelihood (Wald, profile) and Firth (profile).

    Returns the columns of a screen with way; rows that cannot be estimated have a note. Without a
    factor ("") there are no rows.
    """
    if not factor:
        return described(asked, pd.DataFrame(columns=[*SCREEN_COLUMNS, "way"]), None, EVENT)
    frame = with_response(asked, asked.arm) if response else patients(
        asked, arm=asked.arm, endpoint=endpoint)  # fmt: skip
    keys = {"covariates": [factor], "references": asked.keys["references"]}
    keys |= {"outcome": RESPONSE} if response else TIMES
    plain_fit, penalised = (
        (logistic_table, lambda data, **k: logistic_table(data, firth=True, **k))
        if response else (cox_table, firth_cox_table)
    )  # fmt: skip
    parts = []
    for way in WAYS:
        fit = penalised if "Firth" in way else plain_fit
        try:
            part = fit(frame, **keys, intervals=way.rpartition(" ")[2].lower())
            missing = np.where(part["estimate"].isna(), "no event in that group", "")
            part = part.assign(note=part.get("note", missing))
        except NotEstimable as error:
            part = pd.DataFrame([{"term": factor, "note": str(error), "scale": ""}])
        parts.append(part.assign(factor=factor, way=way).reindex(columns=[*SCREEN_COLUMNS, "way"]))
    numbers = dict.fromkeys(SCREEN_COLUMNS[4:9], float)
    table = pd.concat([part.astype(numbers) for part in parts], ignore_index=True)
    happened = RESPONSE if response else EVENT
    return described(asked, table, frame.dropna(subset=[happened]), happened)


def smallest(asked: Asked) -> str:
    """The factor with the smallest group in the first arm; "" without one."""
    frame, sizes = patients(asked, arm=asked.arm), {}
    for name in asked.factors:
        counts = level_text(frame[name]).value_counts()
        if len(counts) > 1 and not (asked.cohort.is_paper and asked.invented(name)):
            sizes[name] = counts.min()
    return min(sizes, key=sizes.get) if sizes else ""


def described(asked: Asked, table: pd.DataFrame, frame, happened: str) -> pd.DataFrame:
    """A screen with label, invented (truth) and groups ("13 (7) vs 41 (28)")."""
    rows = []
    for row in table.itertuples():
        level, base = sides(frame[row.factor], row.factor, row.term)
        name = asked.cohort.codebook.at[row.factor, "label"]
        label = f"{name}: {level} vs {base}" if level and not cut(row.factor) else name
        values, counts = level_text(frame[row.factor]), []
        for side in (level, base) if level else ():
            own = frame.loc[values == side, happened]
            counts.append(f"{len(own)} ({int((own == 1).sum())})")
        invented = asked.invented(row.factor)
        rows.append((label + " (invented)" * invented, invented, " vs ".join(counts)))
    about = pd.DataFrame(rows, columns=["label", "invented", "groups"], index=table.index)
    return table.join(about.astype({"invented": bool}))


def sides(values: pd.Series, factor: str, term: str) -> tuple[str, str]:
    """Level and reference of a term, or two empty texts."""
    levels = sorted(level_text(values).dropna().unique())
    for level in levels:
        for base in levels:
            if term == f"{factor}: {level} vs {base}":
                return level, base
    return "", ""


def by_chance(asked: Asked, table: pd.DataFrame) -> pd.DataFrame:
    """The rows that a lesson on chance may use: of a cohort built for print the invented ones
    alone, since the others were searched for until they had the P that was printed."""
    return table[table["invented"]] if asked.cohort.is_paper else table


def tested(table: pd.DataFrame) -> pd.DataFrame:
    """The rows with a P, smallest first, with Holm's and Benjamini and Hochberg's."""
    found = adjust_p(table.assign(p_value=table["p_value"].astype(float)))
    return found.dropna(subset=["p_value"]).sort_values("p_value", kind="stable")


def ranks(table: pd.DataFrame) -> pd.DataFrame:
    """P values in order, and what as many independent tests of nothing would give.

    Returns
    -------
    DataFrame
        rank, label, p_value, expected (i / (k + 1)), low, high (95% range of the P of that rank),
        holm and bh (the P that each rule asks for at that rank), invented.
    """
    found = tested(table).reset_index(drop=True)
    k, i = len(found), np.arange(1, len(found) + 1)
    low, high = (beta.ppf(share, i, k + 1 - i) for share in (0.025, 0.975))
    return found[["label", "p_value", "invented"]].assign(
        rank=i, expected=i / (k + 1), low=low, high=high, holm=ALPHA / (k + 1 - i), bh=ALPHA * i / k
    )


def shrinkage(table: pd.DataFrame) -> pd.DataFrame:
    """`shrunken` rows that could be drawn in, furthest from the mean first."""
    drawn = shrunken(table).dropna(subset=["shrunken"])
    distance = (drawn["estimate"] - drawn["mean"]).abs()
    return drawn.loc[distance.sort_values(ascending=False, kind="stable").index]


def rests_on(asked: Asked, table: pd.DataFrame) -> str:
    """What the rows of a screen rest on, with the invented columns among their own."""
    columns = [cut(name)[0] if cut(name) else name for name in table["factor"]]
    return asked.cohort.source(*dict.fromkeys(columns))
