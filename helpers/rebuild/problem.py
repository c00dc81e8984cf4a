"""From printed claims to the numbers the search works on.

A `Problem` holds who could have been printed about (arms, endpoints, factors) and one `Row` per
number that was printed or rule that is assumed. `helpers.rebuild.claims` makes one from a file.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from helpers.rebuild import measure as m

MARGIN = 0.02  # of an interval's width, at each end: nothing is met on its edge
# Loss 1 for a miss of this much; on the log scale for ratios and P.
UNITS = {
    m.FLAGGED: 1.0, m.EVENTS: 1.0, m.AT_RISK: 1.0, m.CENSORED_BEFORE: 3.0, m.UNWATCHED: 3.0,
    m.SURVIVORS: 10.0, m.MEDIAN: 3.0, m.FOLLOW_UP: 10.0, m.SURVIVAL: 0.01, m.LEVEL: 0.01,
    m.DIFFERENCE: 0.01, m.MEAN_DIFFERENCE: 3.0, m.LOG_RANK: 0.02, m.LOG_RATIO: 0.01,
    m.LOG_LOW: 0.01, m.LOG_HIGH: 0.01, m.WALD: 0.1, m.PROPORTIONAL: 0.1,
}  # fmt: skip
COUNTED = (m.FLAGGED, m.EVENTS, m.AT_RISK, m.CENSORED_BEFORE, m.UNWATCHED, m.SURVIVORS, m.MEDIAN,
           m.FOLLOW_UP)  # fmt: skip


class Row(NamedTuple):
    """One number a cohort must have.

    low and high are on the scale of `measure`: logs of ratios and P, days, counts; where is a
    group or, from LOG_RANK on, a model.
    """

    id: str
    source: str  # print, rule or goal
    kind: int
    endpoint: int
    where: int
    term: int = 0
    other: int = 0
    day: float = 0.0
    low: float = -np.inf
    high: float = np.inf
    unit: float = 1.0


@dataclass(frozen=True)
class Problem:
    """Arms, endpoints, factors and the rows that a cohort must meet.

    Attributes
    ----------
    arms, sizes : pairs
        Names, the first-named arm first, and patients.
    endpoints : tuple of str
        One, or two of which the first counts the second too when `linked`.
    factors : tuple of str
        Binary columns.
    last_day : float
        Nobody is watched longer.
    typical : (endpoints, 2) array
        Mean days of a fresh draw, from the printed medians.
    """

    arms: tuple[str, str]
    sizes: tuple[int, int]
    endpoints: tuple[str, ...]
    factors: tuple[str, ...]
    linked: bool
    last_day: float
    typical: np.ndarray
    rows: tuple[Row, ...] = ()
    groups: tuple[tuple[int, int, int], ...] = ((-1, -1, 0), (1, -1, 0), (0, -1, 0))
    models: tuple[tuple[int, int, int, int, int], ...] = ()

    @property
    def n(self) -> int:
        return sum(self.sizes)

    def with_rows(self, rows) -> "Problem":
        return replace(self, rows=(*self.rows, *rows))

    def only(self, *sources: str) -> "Problem":
        """The same with the rows of these sources alone."""
        return replace(self, rows=tuple(r for r in self.rows if r.source in sources))

    def without(self, *ids: str) -> "Problem":
        return replace(self, rows=tuple(r for r in self.rows if r.id not in ids))

    def arrays(self, rows=None):
        """rows (int), limits, groups, models: what the compiled functions take."""
        rows = in_order(self.rows if rows is None else rows)
        numbers = [(r.kind, r.endpoint, r.where, r.term, r.other) for r in rows]
        limits = [(r.day, r.low, r.high, r.unit) for r in rows]
        return (
            np.array(numbers, np.int64).reshape(-1, 5), np.array(limits, float).reshape(-1, 4),
            np.array(self.groups, np.int64).reshape(-1, 3),
            np.array(self.models, np.int64).reshape(-1, 5),
        )  # fmt: skip


def in_order(rows) -> list[Row]:
    """Cheap claims first, so that a bad move is dropped before a model is fitted."""
    return sorted(rows, key=lambda row: row.kind)


class Builder:
    """Collects groups and models, each once, while rows are made."""

    def __init__(self, problem: Problem, ties: str = "efron"):
        self.problem, self.breslow = problem, int(ties == "breslow")
        self.groups, self.models = list(problem.groups), list(problem.models)
        self.rows: list[Row] = []

    def group(self, arm: int = -1, factor: str | None = None, value: int = 1) -> int:
        key = (arm, -1, 0) if factor is None else (arm, self.flag(factor), value)
        return place(self.groups, key)

    def flag(self, factor: str) -> int:
        return self.problem.factors.index(factor)

    def model(self, endpoint: int, terms, group: int = 0, landmark: int = -1) -> int:
        """A Cox model of `terms`: "arm" or factors; the order of terms is arm, then factors."""
        bits = sum(1 << (0 if t == "arm" else 1 + self.flag(t)) for t in terms)
        return place(self.models, (endpoint, group, bits, self.breslow, landmark))

    def position(self, terms, term) -> int:
        ranks = {t: -1 if t == "arm" else self.flag(t) for t in terms}
        return sorted(terms, key=ranks.get).index(term)

    def add(self, id, source, kind, endpoint, where, *, low=-np.inf, high=np.inf, **other):
        """Add a row; whole numbers keep their limits, others stay off the edges of printing."""
        if kind not in COUNTED and np.isfinite(low) and np.isfinite(high) and source == "print":
            low, high = low + MARGIN * (high - low), high - MARGIN * (high - low)
        other.setdefault("unit", UNITS[kind])
        self.rows.append(Row(id, source, kind, endpoint, where, low=low, high=high, **other))

    def done(self) -> Problem:
        return replace(
            self.problem, groups=tuple(self.groups), models=tuple(self.models),
            rows=(*self.problem.rows, *self.rows),
        )  # fmt: skip


def place(items: list, item) -> int:
    """The index of an item, appended where it is new."""
    if item not in items:
        items.append(item)
    return items.index(item)
