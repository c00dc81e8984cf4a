"""The staged search: the tightest and smallest subset first, the rest with that held.

A cohort that meets everything is far too rare to be met at once. So the stages are: the claims
of one arm alone, where a model has some; then both arms on that endpoint; then the other
endpoint under it. A stage that fails is thrown away with the whole attempt.
"""

import math
from typing import NamedTuple

import numpy as np

from helpers.rebuild import measure as m
from helpers.rebuild.anneal import (
    EVENT_SHARE,
    FIXED,
    FREE,
    LAST_DAY,
    MAY,
    MEAN,
    SWAPPED,
    TO_THE_END,
    start,
)
from helpers.rebuild.anneal import anneal as compiled
from helpers.rebuild.problem import Problem, Row, in_order
from helpers.rebuild.state import State, losses, settled

STEPS = 60_000
HOT, COLD = 5.0, 0.05  # a loss of one unit is a hundredth on the log scale of a hazard ratio
REACHED, NOT_REACHED = (0.6, 1.0), (0.1, 0.6)  # share of events by whether a median is reached
WHOLE = (0.0, 1.0)
NEAR_THE_END = 0.97  # of the last day: so long a median follow-up is that of a planned end
# There most of the patients without an event are watched to that day itself: what share of fresh
# draws is put on it. With half of them such a follow-up was met in few attempts, as seen in rossi,
# which is held out; the share was then set on tuning sets cut off early, which print so too.
AT_THE_END = 0.9
TRIES = 12, 6  # of the first stage, which is cheap and fails most, and of each later one


class Stage(NamedTuple):
    """What moves: times of (endpoint, arm) and flags of (factor, arm); and the rows then whole."""

    times: frozenset
    flags: frozenset
    rows: tuple[Row, ...]


def everything(problem: Problem) -> Stage:
    """All that can move, under all rows."""
    ends, factors = range(len(problem.endpoints)), range(len(problem.factors))
    arms = (0, 1)
    return Stage(frozenset((e, a) for e in ends for a in arms),
                 frozenset((f, a) for f in factors for a in arms), problem.rows)  # fmt: skip


def needs(problem: Problem, row: Row) -> tuple[frozenset, frozenset]:
    """The (endpoint, arm) times and (factor, arm) flags that a row rests on."""
    group_of = row.where
    bits, e = 0, row.endpoint
    if row.kind >= m.LOG_RANK:
        e, group_of, bits = problem.models[row.where][:3]
    arm, factor, _ = problem.groups[group_of]
    arms = (0, 1) if arm < 0 else (arm,)
    if row.kind in (m.DIFFERENCE, m.MEAN_DIFFERENCE):
        arms = (0, 1)
    ends = (0, 1) if row.kind == m.UNWATCHED else () if row.kind == m.FLAGGED else (e,)
    factors = [f for f in range(len(problem.factors)) if bits >> (f + 1) & 1]
    factors += [factor] if factor >= 0 else []
    return (frozenset((e, a) for e in ends for a in arms),
            frozenset((f, a) for f in factors for a in arms))  # fmt: skip


def stages(problem: Problem, first: int = 0) -> list[Stage]:
    """The stages of a problem, beginning with endpoint `first`."""
    rests = [(row, *needs(problem, row)) for row in problem.rows]
    ends = [first, *(e for e in range(len(problem.endpoints)) if e != first)]
    steps = []
    for arm in (1, 0):
        alone = [r for r in rests if r[0].kind >= m.LOG_RATIO and r[1] == {(first, arm)}]
        if alone and r_source(alone):
            steps.append(({(first, arm)}, frozenset().union(*(r[2] for r in alone))))
    for e in ends:
        times = {(e, 0), (e, 1)}
        flags = frozenset().union(
            *(r[2] for r in rests if any(t[0] == e for t in r[1]) or not r[1])
        )
        steps.append((times, flags))
    known_times, known_flags, used, found = set(), set(), set(), []
    for times, flags in steps:
        fresh_times, fresh_flags = times - known_times, flags - known_flags
        known_times |= times
        known_flags |= flags
        rows = [r for r, t, f in rests if t <= known_times and f <= known_flags and r not in used]
        used |= set(rows)
        found.append(Stage(frozenset(fresh_times), frozenset(fresh_flags), tuple(rows)))
    return found


def r_source(rows) -> bool:
    """Whether something of it was printed: rules alone make no stage."""
    return any(row.source == "print" for row, *_ in rows)


def fixed_counts(problem: Problem) -> dict[tuple[int, int], tuple[float, float]]:
    """How many of an arm have a factor, where a row says so: (factor, arm) to lowest, highest."""
    found = {}
    for row in problem.rows:
        if row.kind == m.FLAGGED:
            arm, factor, value = problem.groups[row.where]
            if arm >= 0 and value == 1:
                low, high = found.get((factor, arm), (0, problem.sizes[1 - arm]))
                found[factor, arm] = max(low, row.low), min(high, row.high)
    return found


def event_shares(problem: Problem, rng, part: tuple[float, float] = WHOLE) -> np.ndarray:
    """Shares of events among fresh draws, drawn for each endpoint and arm: (endpoints, 2).

    They are drawn from a part of the span that is plausible, (0, 0.5) its lower half: how many
    events a cohort has, a search hardly changes later.
    """

    def limits(low: float, high: float) -> tuple[float, float]:
        return tuple(low + (high - low) * share for share in part)

    shares = rng.uniform(*limits(*REACHED), size=(len(problem.endpoints), 2))
    for row in problem.rows:
        arm = problem.groups[row.where][0] if row.kind == m.LEVEL else -1
        if arm >= 0:
            shares[row.endpoint, 1 - arm] = rng.uniform(*limits(*NOT_REACHED))
    return shares


def board(problem: Problem, stage: Stage, event_share) -> tuple[np.ndarray, np.ndarray]:
    """`play` and `loose` of a stage, as the annealer takes them (column 0 the first-named arm).

    `event_share` is one number or, as `event_shares` gives them, one by endpoint and arm.
    """
    play = np.zeros((len(problem.endpoints), 2, 5))
    play[:, :, MEAN], play[:, :, EVENT_SHARE] = problem.typical, event_share
    play[:, :, LAST_DAY] = watched_to(problem)
    for row in problem.rows:  # a trial that watched most patients to its last day
        if row.kind == m.FOLLOW_UP and row.low >= NEAR_THE_END * problem.last_day:
            play[row.endpoint, :, TO_THE_END] = AT_THE_END
    for e, arm in stage.times:
        play[e, 1 - arm, MAY] = 1
    counts = fixed_counts(problem)
    loose = np.full((max(1, len(problem.factors)), 2), FIXED)
    for factor, arm in stage.flags:
        low, high = counts.get((factor, arm), (0, np.inf))
        loose[factor, 1 - arm] = SWAPPED if low == high else FREE
    return play, loose


def watched_to(problem: Problem) -> float:
    """The last day a move may use: that of the rules where there is one."""
    days = [row.day - 1 for row in problem.rows if row.kind == m.AT_RISK and row.high == 0]
    return min([problem.last_day, *days])


def deal_flags(problem: Problem, stage: Stage, state: State, rng) -> None:
    """Give a stage's new flags to patients at random."""
    counts = fixed_counts(problem)
    for factor, arm in sorted(stage.flags):
        size = problem.sizes[1 - arm]
        low, high = counts.get((factor, arm), (0.2 * size, 0.6 * size))
        number = int(rng.integers(int(low), int(min(high, size)) + 1))
        rows = np.arange(problem.sizes[0]) if arm == 1 else np.arange(problem.sizes[0], problem.n)
        state.flag[factor, rows] = 0
        state.flag[factor, rng.permutation(rows)[:number]] = 1


def run_annealer(
    problem, state, rows, play, loose, *, seed, steps, hot=HOT, cold=COLD, goal: Row | None = None
) -> float:
    """Anneal a state in place under some rows, and towards a goal if one is given (of `rows` no
    part); the loss reached."""
    rows = in_order([*rows, goal] if goal else rows)
    at = rows.index(goal) if goal else -1
    rows, limits, groups, models = problem.arrays(list(rows))
    order, inside, cell = settled(problem, state, models)
    return float(
        compiled(
            seed, steps, hot, cold, problem.linked, play, loose, rows, limits, at,
            problem.sizes[0], groups, models, state.time, state.event, state.flag,
            order, inside, cell,
        )
    )  # fmt: skip


def attempt(
    problem: Problem, rng, *, steps: int = STEPS, first: int = 0, go_on: bool = False, part=WHOLE
) -> tuple[State, float]:
    """One attempt from scratch: the state reached and its loss, 0 when every row is met.

    Parameters
    ----------
    rng : numpy Generator
        All randomness comes from it.
    first : int
        The endpoint that is solved first.
    go_on : bool
        Whether to solve what is left after a stage that failed, under the best of its tries: a
        near miss of everything, which is no member but says how near. The loss is then of all.
    part : (float, float)
        Of the span of event shares, as `event_shares` takes it.
    """
    state, total = State.empty(problem), 0.0
    if first == 1:  # the earlier endpoint out of the way of the later
        state.time[0] = 0.0
    share = event_shares(problem, rng, part)
    for k, stage in enumerate(stages(problem, first)):
        play, loose = board(problem, stage, share)
        best, least = state, math.inf
        for _ in range(TRIES[min(k, 1)]):
            deal_flags(problem, stage, state, rng)
            for e in sorted({e for e, _ in stage.times}):
                start(int(rng.integers(2**31)), e, problem.sizes[0], problem.linked, play,
                      state.time, state.event)  # fmt: skip
            total = run_annealer(
                problem, state, stage.rows, play, loose, seed=int(rng.integers(2**31)), steps=steps
            )
            if go_on and total < least:
                best, least = state.copy(), total
            if total == 0:
                break
        if total > 0 and not go_on:
            break
        state = best.copy() if go_on else state
    return state, float(losses(problem, state).sum()) if go_on else total
