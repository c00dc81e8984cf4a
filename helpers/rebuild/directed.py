"""Directed search: how far can a quantity go while everything printed still holds?

From a cohort that meets every row, the annealer is pulled towards a little more (or less) of the
quantity, with everything free to move, and keeps the cohort that came nearest with all rows met.
What got there goes further next time, what hardly moved aims nearer. The search stays cool, since
it begins at a cohort that meets everything, and heat would only lose that. What is reached is an
inner bound: a search can miss, it cannot overstate.

How many events a cohort has is more than a cool search can change by much: an event less widens
every interval, and what makes up for it is another choice of patients with a factor. So a number
of events is also asked for outright, in leaps.
"""

import math

import numpy as np

from helpers.rebuild import measure as m
from helpers.rebuild.misses import nearest_miss
from helpers.rebuild.problem import Problem, Row
from helpers.rebuild.staged import board, everything, run_annealer
from helpers.rebuild.state import State, measured

CYCLES, STEPS = 12, 20_000
HOT, COLD = 0.1, 0.02
FIRST, FURTHER, NEARER = 6, 2.0, 0.5  # the first distance, in units of the row, and what follows
LITTLE = 0.2  # of the distance: less than this is hardly moved
LEAP_TRIES, FIRST_LEAP = 8, 4
NEARLY = 0.5  # what is left of a near miss that is searched once more
DEAR = 0.1  # the unit of a count asked for: ten times as dear as another claim
FEWEST, MOST = (0.0, 0.1), (0.9, 1.0)  # of the span of event shares, where searches begin
COOL = ((0.3, 40_000), (0.1, 40_000), (0.1, 40_000), (0.03, 40_000), (0.03, 40_000))
WHOLE = (m.EVENTS, m.FLAGGED, m.AT_RISK)


def drive(
    problem: Problem,
    state: State,
    row: Row,
    direction: int,
    rng,
    *,
    cycles: int = CYCLES,
    steps: int = STEPS,
) -> tuple[State, float]:
    """Drive a quantity up (1) or down (-1) under all rows of a problem.

    Parameters
    ----------
    state : State
        Meets every row of the problem.
    row : Row
        What measures the quantity; its unit says what is a small step.

    Returns
    -------
    State, float
        A state that meets every row, and its value, on the scale of `measure`.
    """
    play, loose = board(problem, everything(problem), 0.75)
    value = float(measured(problem, state, [row])[0])
    if math.isnan(value):
        return state, value
    best, step = state.copy(), FIRST * row.unit
    for _ in range(cycles):
        distance = max(1.0, round(step)) if row.kind in WHOLE else step
        target = value + direction * distance
        low, high = (target, np.inf) if direction > 0 else (-np.inf, target)
        goal = row._replace(low=low, high=high, unit=distance / 3)
        run_annealer(problem, best, problem.rows, play, loose, seed=int(rng.integers(2**31)),
                     steps=steps, hot=HOT, cold=COLD, goal=goal)  # fmt: skip
        before, value = value, float(measured(problem, best, [row])[0])
        moved = direction * (value - before)
        if moved >= distance:
            step *= FURTHER
        elif moved < LITTLE * distance:
            step *= NEARER
    return best, value


def counted(problem: Problem, endpoint: int) -> tuple[float, float]:
    """The fewest and most events of an endpoint that its printed counts leave."""
    limits = {arm: [0.0, n] for arm, n in ((-1, problem.n), (0, problem.sizes[1]),
                                           (1, problem.sizes[0]))}  # fmt: skip
    for row in problem.rows:
        arm, factor, _ = problem.groups[row.where] if row.kind == m.EVENTS else (0, 0, 0)
        if row.kind == m.EVENTS and row.endpoint == endpoint and factor < 0:
            own = limits[arm]
            own[:] = max(own[0], row.low), min(own[1], row.high)
    arms = [a + b for a, b in zip(limits[0], limits[1], strict=True)]
    return max(limits[-1][0], arms[0]), min(limits[-1][1], arms[1])


def leap(
    problem: Problem, state: State, row: Row, direction: int, rng, *, tries: int = LEAP_TRIES
) -> tuple[State, float]:
    """Go on to fewer (-1) or more (1) events, asked for outright.

    The number is a row like any other, and dear; all rows together are searched for in turn from
    scratch, begun with few or many events, and from the farthest cohort. What nearly met them is
    searched once more. What is met is asked to go twice as far next time, what is not half as far.

    Parameters
    ----------
    state : State
        Meets every row of the problem.
    row : Row
        Counts the events (`measure.EVENTS`).

    Returns
    -------
    State, float
        The farthest state that meets every row, and its count.
    """
    best, value, step, nearly = state, float(measured(problem, state, [row])[0]), FIRST_LEAP, None
    fewest, most = counted(problem, row.endpoint)
    for k in range(tries):
        span = most - value if direction > 0 else value - fewest
        if span <= 0:
            break
        if nearly is None:
            target = value + direction * min(step, span)
            low, high = (target, np.inf) if direction > 0 else (-np.inf, target)
            asked = problem.with_rows([row._replace(low=low, high=high, unit=DEAR)])
        near = nearly or (best if k % 2 else None)
        found, left = nearest_miss(asked, rng, near=near and near.copy(), reheats=COOL,
                                   part=FEWEST if direction < 0 else MOST)  # fmt: skip
        if left == 0:
            best, value = found, float(measured(problem, found, [row])[0])
            step, nearly = 2 * step, None
        elif left < NEARLY and nearly is None:
            nearly = found
        else:
            step, nearly = max(1, step // 2), None
    return best, value
