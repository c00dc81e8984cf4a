"""Claims that a search did not meet: how near it came, and which of them stand in the way.

A search that fails proves nothing. It says what it reached, and which claims it could not meet
together: those are dropped one by one, and stay dropped while the rest is still not met.
"""

import math

import numpy as np
import pandas as pd

from helpers.rebuild import measure as m
from helpers.rebuild.problem import Problem, Row
from helpers.rebuild.staged import (
    STEPS,
    WHOLE,
    attempt,
    board,
    event_shares,
    everything,
    run_annealer,
)
from helpers.rebuild.state import State, losses, measured

# Everything at once after the stages: hot first, since no cohort is known yet, then ever cooler
# from the best, where the last thousandths of a loss go; and so again. Heat and steps.
REHEATS = ((3.0, 120_000), (0.3, 40_000), (0.1, 40_000)) * 6
COLD = 0.001
FEW = REHEATS[:6]  # where many sets of claims are tried
LOGS = (m.LOG_RANK, m.LOG_RATIO, m.LOG_LOW, m.LOG_HIGH, m.WALD, m.PROPORTIONAL)
DAYS_OF = (m.MEDIAN, m.FOLLOW_UP, m.SURVIVORS, m.MEAN_DIFFERENCE)


def as_printed(row: Row, value: float) -> float:
    """A value of a row as a paper has it: ratios and P, shares, counts; days stay days."""
    if row.kind in LOGS:
        return math.exp(value)
    return value


def miss_table(problem: Problem, state: State) -> pd.DataFrame:
    """What a state reaches of each row against what it must.

    Returns
    -------
    DataFrame
        id, source (print or rule), unit (ratio, P, days, share or count), reached, low, high
        (what prints so; infinite where not bounded), cost (0 where it is met), nearest miss
        first. Reached is NaN where the value is not defined.
    """
    values, costs = measured(problem, state), losses(problem, state)
    rows = []
    for row, value, cost in zip(problem.rows, values, costs, strict=True):
        reached, low, high = (as_printed(row, v) for v in (value, row.low, row.high))
        rows.append((row.id, row.source, unit_of(row), reached, low, high, cost))
    names = ["id", "source", "unit", "reached", "low", "high", "cost"]
    table = pd.DataFrame(rows, columns=names)
    return table.sort_values("cost", ascending=False, kind="stable").reset_index(drop=True)


def unit_of(row: Row) -> str:
    if row.kind in (m.LOG_RANK, m.WALD, m.PROPORTIONAL):
        return "P"
    if row.kind in LOGS:
        return "ratio"
    if row.kind in DAYS_OF:
        return "days"
    return "share" if row.kind in (m.SURVIVAL, m.LEVEL, m.DIFFERENCE) else "count"


def nearest_miss(
    problem: Problem,
    rng,
    *,
    near: State | None = None,
    steps: int = STEPS,
    reheats=REHEATS,
    part: tuple[float, float] = WHOLE,
) -> tuple[State, float]:
    """The state that one search ends with, and its loss; 0 when it meets every row.

    Stage by stage from scratch, or from `near`, and then everything at once, a few times: what
    the stages could not give each other is mended, or the misses are spread thinly. `part`
    is of the span of event shares (`staged.event_shares`).
    """
    if near is None:
        state, total = attempt(problem, rng, steps=steps, go_on=True, part=part)
    else:
        state, total = near, float(losses(problem, near).sum())
    if total == 0:
        return state, total
    for hot, steps in reheats:
        trial = state.copy()
        play, loose = board(problem, everything(problem), event_shares(problem, rng, part))
        left = run_annealer(problem, trial, problem.rows, play, loose, hot=hot, cold=COLD,
                            seed=int(rng.integers(2**31)), steps=steps)  # fmt: skip
        if left < total:
            state, total = trial, left
        if total == 0:
            break
    return state, total


def found_in(problem: Problem, near: State, rng, searches: int) -> bool:
    """Whether one of some searches meets every row: from a near miss and from scratch in turn.

    Fewer claims can be harder for stages from scratch, which they no longer guide; so each set
    is also begun from where the search of all claims ended.
    """
    return any(nearest_miss(problem, rng, near=None if k % 2 else near, reheats=FEW)[1] == 0
               for k in range(searches))  # fmt: skip


def claim_of(id: str) -> str:
    """The claim that a row is part of."""
    return id.rpartition(".")[0] if id.endswith((".low", ".high", ".p")) else id


def unmet_together(problem: Problem, seed: int, searches: int, near: State) -> list[str]:
    """Ids of claims and rules that were not met together in some searches; no proof.

    Parameters
    ----------
    searches : int
        How many for each set of claims: it is called unmet when all of them fail.
    near : State
        A near miss: what it meets is dropped first.

    Returns
    -------
    list of str
        Of a set that was not met, in the order of the claims; without any one of them the rest was
        met in as many searches.
    """
    costs = dict.fromkeys((claim_of(r.id) for r in problem.rows), 0.0)
    for row, cost in zip(problem.rows, losses(problem, near), strict=True):
        costs[claim_of(row.id)] += cost
    order = sorted(costs, key=costs.get)  # stable: those that are met, in their order, first

    def unmet(names: list[str], salt: int) -> bool:
        kept = [r for r in problem.rows if claim_of(r.id) in names]
        rng = np.random.default_rng([seed, salt])
        return not found_in(problem.only().with_rows(kept), near, rng, searches)

    # A printed claim without which all others are met has a part in it: that is known, whereas
    # a smaller set that is not met may be one that the search is not guided to.
    printed = dict.fromkeys(claim_of(r.id) for r in problem.rows if r.source == "print")
    needed = {name for k, name in enumerate(printed)
              if not unmet([n for n in order if n != name], 100_000 + k)}  # fmt: skip
    # Halves, quarters and so on before single claims: most claims have no part in it.
    kept, size, salt = order, len(order) // 2, 1
    while size >= 1:
        start = 0
        while start < len(kept):
            rest = kept[:start] + kept[start + size :]
            salt += 1
            if rest and needed <= set(rest) and unmet(rest, salt):
                kept = rest
            else:
                start += size
        size //= 2
    return [name for name in costs if name in kept]
