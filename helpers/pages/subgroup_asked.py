"""What the page on subgroups asks: which subgroup, both sides of it, every other one, chance alone.

Tidy frames from `helpers.estimators`; how they read is in `helpers.pages.subgroup_page`.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.analysis import Answer, analyse
from helpers.cohort import Cohort
from helpers.estimators.nulls import bootstrap_maxima, offer, permutation_maxima
from helpers.estimators.splits import SPLIT_COLUMNS, membership, splits
from helpers.estimators.subgroups import FOREST_COLUMNS, forest, sides
from helpers.fit.likelihood import NotEstimable
from helpers.pages.factors_asked import cut_name
from helpers.selection import inside_of
from helpers.view import View, Where

# The paper prints an odds ratio by this side of the index, so in one arm the rows were built to
# meet it; the grade of ECOG that it prints leaves too few events in the other arm.
PAPER_SUBGROUP = {"column": "ipi", "min": 3}
# The sides that printed numbers bind; on either of them the grade itself was drawn at random.
PAPER_BOUND = {("ecog", "3"), ("ipi", "3")}
KINDS = ("permutation", "bootstrap")
NO_TESTS = "No interaction is tested here, so nothing is looked at."
NOT_OFFERED = "this subgroup is not one of the splits on offer, so there is no model of it"


@dataclass(frozen=True)
class Asked:
    """A View with a subgroup, and what stands around its answer.

    Attributes
    ----------
    cohort, view : Cohort, View
    answer : Answer
        With hazard ratios withheld below the event floor.
    sides : DataFrame
        Inside and outside; empty where there is no subgroup of two groups.
    offered, forest : DataFrame
        The splits of one variable, and the comparison in each; empty where nothing is compared.
    everybody : float
        Log hazard ratio of all patients; missing where there is none.
    why : str
        Why nothing is compared in the subgroups, or "".
    given : bool
        The View came with its subgroup.
    """

    cohort: Cohort
    view: View
    answer: Answer
    sides: pd.DataFrame
    offered: pd.DataFrame
    forest: pd.DataFrame
    everybody: float
    why: str
    given: bool

    @property
    def tests(self) -> pd.DataFrame:
        """One row for each interaction test of the forest, smallest P first."""
        shown = self.forest[self.forest["interaction_p"].notna()].drop_duplicates("split")
        return shown.sort_values("interaction_p", kind="stable").reset_index(drop=True)

    @property
    def whole(self) -> Answer:
        """The answer without the subgroup: whose the forest is."""
        view = replace(self.view, where=(), adjust=())
        return analyse(self.cohort, view, engine="fast")

    @property
    def both(self) -> pd.DataFrame | None:
        """Both sides, or None where there is no subgroup of two groups."""
        return self.sides if len(self.sides) else None

    def invented(self, row) -> bool:
        """Whether a row of the forest or of `tests` rests on values that were made up."""
        bound = (row["column"], row["level"].rpartition(" ")[2]) in PAPER_BOUND
        return row["evidence"] == "illustrative" or (self.cohort.is_paper and not bound)

    @property
    def source(self) -> str:
        """What the forest rests on, with the marks that it must carry."""
        return self.cohort.source(self.view.compare, *self.forest["column"].unique())


class Null(NamedTuple):
    """The largest abs(z) in data without an interaction, of one kind, with the number of data sets
    wanted and of splits on offer; `why` says why there is none."""

    kind: str
    maxima: np.ndarray
    wanted: int
    offered: int
    why: str = ""


def ask(cohort: Cohort, view: View) -> Asked:
    """Answer a View in its subgroup, or in one chosen without a look at any hazard ratio."""
    given = bool(view.where)
    view = with_subgroup(cohort, view)
    answer = analyse(cohort, view, engine="fast")
    offered, table = pd.DataFrame(columns=SPLIT_COLUMNS), pd.DataFrame(columns=FOREST_COLUMNS)
    both, why, all_of_them = pd.DataFrame(), "", np.nan
    try:
        made = splits(cohort, compare=view.compare)
        table, offered = forest(cohort, view, table=made), made
        whole = analyse(cohort, replace(view, where=(), adjust=()), engine="fast")
        if len(whole.model):
            all_of_them = float(whole.model["estimate"].iloc[0])
        if view.where:
            both = sides(cohort, view)
    except NotEstimable as error:
        why = str(error)
    return Asked(cohort, view, answer, both, offered, table, all_of_them, why, given)


def with_subgroup(cohort: Cohort, view: View) -> View:
    """The View with a subgroup: its own, the paper's, or the first split on offer that has the
    events for a hazard ratio on both sides; without one if there is none."""
    if view.where:
        return view
    own = Where.read(PAPER_SUBGROUP)
    if cohort.is_paper and own.column != view.compare:
        return replace(view, where=(own,))
    try:
        table = splits(cohort, compare=view.compare)
        for where in table.loc[table["split"].notna(), "where"]:
            chosen = replace(view, where=(Where.read(where),))
            if sides(cohort, chosen)["estimate"].notna().all():
                return chosen
    except NotEstimable:
        pass  # `ask` says why
    return view


def split_of(asked: Asked) -> int | None:
    """The number of the split that the subgroup is a side of, or None."""
    own = inside_of(asked.cohort, asked.view)
    for side, split in zip(
        membership(asked.cohort, asked.offered).T, asked.offered["split"], strict=True
    ):
        known = ~np.isnan(side)
        same = (side == own)[known]
        alike = (np.isnan(own) == ~known).all() and (same.all() or not same.any())
        if not pd.isna(split) and known.any() and alike:
            return int(split)
    return None


def null(asked: Asked, kind: str, *, seed: int, shuffles: int, largest: bool = False) -> Null:
    """One null of the best of all splits, of the subgroup asked for or of the largest on offer."""
    try:
        if asked.tests.empty:
            raise NotEstimable(NO_TESTS.rstrip("."))
        given = offer(asked.cohort, asked.view, table=asked.offered)
        if kind == "permutation":
            pieces = permutation_maxima(given, seed=seed, shuffles=shuffles)
        else:
            split = int(asked.tests["split"].iloc[0]) if largest else split_of(asked)
            if split is None:
                raise NotEstimable(NOT_OFFERED)
            pieces = bootstrap_maxima(given, seed=seed, shuffles=shuffles, split=split)
        maxima = np.concatenate(list(pieces))
    except NotEstimable as error:
        return Null(kind, np.empty(0), shuffles, 0, str(error))
    return Null(kind, maxima, shuffles, len(given.splits))


def observed(asked: Asked) -> float:
    """The largest abs(z) of the interactions shown; missing where there is none."""
    return float(asked.tests["interaction_statistic"].abs().max())


def later(asked: Asked) -> pd.DataFrame:
    """Each column known only after time zero, as a comparison without and with a landmark.

    Returns
    -------
    DataFrame
        column, label, known_at (days, missing for no fixed day), without, answer (an Answer with a
        landmark at that day, or None), why (why there is none), invented.
    """
    cohort, rows = asked.cohort, []
    book = cohort.codebook
    for column in cohort.factors:
        day = book.at[column, "known_at"]
        few = level_count(cohort, column) > 1
        if day == 0 or book.at[column, "role"] in ("arm", "endpoint") or not few:
            continue
        name = cut_name(column, cohort.frame[column])
        view = View(endpoint=asked.view.endpoint, compare=name)
        refused = analyse(cohort, view, engine="fast")
        waited = None
        if day == day:
            waited = analyse(cohort, replace(view, landmark=float(day)), engine="fast")
        rows.append({
            "column": column, "label": book.at[column, "label"], "known_at": day,
            "refused": refused, "waited": waited,
        })  # fmt: skip
    return pd.DataFrame(rows, columns=["column", "label", "known_at", "refused", "waited"])


def level_count(cohort: Cohort, column: str) -> int:
    return cohort.frame[column].nunique()
