"""The rows of a cohort as arrays, and what a claim measures in them."""

from dataclasses import dataclass

import numpy as np

from helpers.rebuild import measure as m
from helpers.rebuild.anneal import settle
from helpers.rebuild.problem import Problem, Row


@dataclass
class State:
    """time, event (endpoints, n) and flag (factors, n); the first-named arm's patients first."""

    time: np.ndarray
    event: np.ndarray
    flag: np.ndarray

    @classmethod
    def empty(cls, problem: Problem) -> "State":
        ends, n = len(problem.endpoints), problem.n
        return cls(
            np.full((ends, n), problem.last_day), np.zeros((ends, n), np.int64),
            np.zeros((max(1, len(problem.factors)), n), np.int64),
        )  # fmt: skip

    def copy(self) -> "State":
        return State(self.time.copy(), self.event.copy(), self.flag.copy())


def settled(problem: Problem, state: State, models):
    """order, inside and cell of a state."""
    order = np.zeros(state.time.shape, np.int64)
    inside = np.zeros((len(problem.groups), problem.n), np.int64)
    cell = np.zeros((len(models), problem.n), np.int64)
    groups = np.array(problem.groups, np.int64)
    settle(problem.sizes[0], groups, models, state.time, state.flag, order, inside, cell)
    return order, inside, cell


def measured(problem: Problem, state: State, rows: list[Row] | None = None) -> np.ndarray:
    """The values of rows in their order, on the scale of `measure`; NaN what is not defined.

    A median on a plateau is NaN too.
    """
    rows = list(problem.rows if rows is None else rows)
    models = problem.arrays([])[3]
    order, inside, cell = settled(problem, state, models)
    beta, error = np.zeros((2, max(1, len(models)), 8))
    fitted = np.zeros(len(models), np.int64)
    values = [
        m.measure(
            np.array([r.kind, r.endpoint, r.where, r.term, r.other]), r.day, models, state.time,
            state.event, order, inside, cell, fitted, beta, error,
        )
        for r in rows
    ]  # fmt: skip
    values = np.array(values, float)
    level = np.isin([r.kind for r in rows], (m.MEDIAN, m.FOLLOW_UP)) & (values < 0)
    return np.where(level | (values >= m.UNKNOWN), np.nan, values)


def losses(problem: Problem, state: State, rows: list[Row] | None = None) -> np.ndarray:
    """The cost of each row, 0 where it is met."""
    rows = list(problem.rows if rows is None else rows)
    values = measured(problem, state, rows)
    return np.array(
        [
            m.cost(v if v == v else m.UNKNOWN, r.kind, r.low, r.high, r.unit)
            for v, r in zip(values, rows, strict=True)
        ]
    )
