"""Directed search: how far can a quantity go while everything printed still holds?

From a member, the quantity is asked to be a little higher (or lower) than it is, as one more
claim, and the annealer mends what that breaks. When it succeeds the next target is further, when
not it is nearer. Only what the quantity rests on moves, under the claims of its own stage; what
later stages hold is then mended under it, and a step that cannot be mended does not count. What
is reached is an inner bound: a search can miss, it cannot overstate.
"""

import math

import numpy as np

from helpers.rebuild import measure as m
from helpers.rebuild.problem import Problem, Row
from helpers.rebuild.staged import Stage, board, needs, run_annealer, stages
from helpers.rebuild.state import State, losses, measured

CYCLES, STEPS = 18, 40_000
HOT, COLD = 3.0, 0.03
MENDS = 3  # times a later stage is tried
WHOLE = (m.EVENTS, m.FLAGGED, m.AT_RISK)


def own_stage(problem: Problem, row: Row, first: int) -> tuple[Stage, list[Stage]]:
    """Where a quantity is decided: the stage after which it is known, and the stages that follow.

    Only what that stage newly frees moves: where one arm has a stage of its own, a number of both
    arms moves the other arm alone, and the later endpoint moves under the earlier one. That is
    quick, and one more reason why the ends are inner bounds.
    """
    plan = stages(problem, first)
    times = needs(problem, row)[0]
    known: set = set()
    for k, stage in enumerate(plan):
        known |= stage.times
        if times <= known:
            return stage, plan[k + 1 :]
    raise ValueError(f"{row.id}: found no stage that decides it.")


def unwatched(problem: Problem, state: State, later: list[Stage]) -> State:
    """The same with the endpoints of later stages out of the way."""
    free = state.copy()
    for stage in later:
        for e, arm in stage.times:
            rows = arm_rows(problem, arm)
            # A later endpoint never ends before an earlier one; nor the other way round.
            free.time[e, rows] = problem.last_day + 1 if e == 1 else 0
            free.event[e, rows] = 0
    return free


def arm_rows(problem: Problem, arm: int) -> slice:
    return slice(0, problem.sizes[0]) if arm == 1 else slice(problem.sizes[0], problem.n)


def mended(problem: Problem, state: State, old: State, later: list[Stage], rng) -> State | None:
    """Later stages solved again, from where they stood; None when they cannot be."""
    whole = state.copy()
    for stage in later:
        for e, arm in stage.times:
            rows = np.arange(problem.n)[arm_rows(problem, arm)]
            whole.time[e, rows], whole.event[e, rows] = old.time[e, rows], old.event[e, rows]
    if problem.linked:
        clash = (whole.time[1] < whole.time[0]) | (
            (whole.time[1] == whole.time[0]) & (whole.event[0] != whole.event[1])
        )
        moved, kept = (1, 0) if any(e == 1 for s in later for e, _ in s.times) else (0, 1)
        whole.time[moved, clash] = whole.time[kept, clash]
        whole.event[moved, clash] = whole.event[kept, clash]
    for stage in later:
        play, loose = board(problem, stage, 0.75)
        for _ in range(MENDS):
            trial = whole.copy()
            seed = int(rng.integers(2**31))
            if not run_annealer(problem, trial, stage.rows, play, loose, seed=seed, steps=STEPS,
                                hot=HOT, cold=COLD):  # fmt: skip
                whole = trial
                break
        else:
            return None
    return whole if losses(problem, whole).sum() == 0 else None


def drive(
    problem: Problem, state: State, row: Row, direction: int, rng, *, cycles=CYCLES, first=0
) -> tuple[State, float]:
    """Drive a quantity up (1) or down (-1) under all rows of a problem.

    Parameters
    ----------
    state : State
        Meets every row of the problem.
    row : Row
        What measures the quantity; its unit is a third of the first step.
    first : int
        The endpoint the staged search begins with.

    Returns
    -------
    State, float
        A state that meets every row, and its value, on the scale of `measure`.
    """
    stage, later = own_stage(problem, row, first)
    play, loose = board(problem, stage, 0.75)
    value = measured(problem, state, [row])[0]
    if math.isnan(value):
        return state, value
    whole, best, step = row.kind in WHOLE, state, 3 * row.unit
    for _ in range(cycles):
        target = value + direction * (max(1.0, round(step)) if whole else step)
        low, high = (target, np.inf) if direction > 0 else (-np.inf, target)
        aim = row._replace(low=low, high=high, unit=1.0 if whole else step / 3)
        trial = unwatched(problem, best, later)
        left = run_annealer(
            problem, trial, (*stage.rows, aim), play, loose, seed=int(rng.integers(2**31)),
            steps=STEPS, hot=HOT, cold=COLD,
        )  # fmt: skip
        found = mended(problem, trial, best, later, rng) if left == 0 else None
        if found is not None:
            best, value = found, float(measured(problem, found, [row])[0])
            step *= 1.6
        else:
            step *= 0.5
            if step < row.unit / 20 or (whole and step < 0.3):
                break
    return best, value
