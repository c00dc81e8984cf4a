"""How far numbers that were not printed go, in cohorts that print all that was.

For any paper: two cohorts are found, one with as few events as the search gets to and one with as
many, and each number is driven up and down from both, and once more from the farthest cohort that
any of these searches reached. The ends are inner bounds: a search can miss, it cannot overstate.
"""

import numpy as np

from helpers.rebuild import measure as m
from helpers.rebuild.directed import CYCLES, STEPS, drive, leap
from helpers.rebuild.misses import nearest_miss
from helpers.rebuild.problem import Builder, Problem, Row
from helpers.rebuild.state import State, losses, measured

# A number is driven from two cohorts, one with as few events as leaps get to and one with as
# many: samples of the tuning sets showed that a drive does not get from one to the other.
HALVES = {-1: (0.0, 0.5), 1: (0.5, 1.0)}
TRIES, ONCE_FOUND = 8, 3  # attempts to find each, and where there is one, to find the other
DRIVEN_STEPS = STEPS // 2  # on the tuning sets as good as twice as many
RELAY = 1000  # stands for a start: the farthest cohort reached

ASKED = {
    "survival_difference": "Difference in survival at the day asked about",
    "mean_difference": "Days gained up to that day",
    "events": "Events",
    "unadjusted_hr": "Unadjusted hazard ratio, log",
}


def asked(problem: Problem, endpoint: int, day: int) -> tuple[Problem, list[Row]]:
    """The problem with what the numbers of `ASKED` rest on, and their rows.

    Parameters
    ----------
    endpoint : int
        Whose numbers, an index of the problem's endpoints.
    day : int
        Up to which survival is compared.
    """
    builder = Builder(problem)
    arms = {"other": builder.group(0), "day": float(day)}
    first = builder.group(1)
    rows = [
        Row("survival_difference", "goal", m.DIFFERENCE, endpoint, first, unit=0.007, **arms),
        Row("mean_difference", "goal", m.MEAN_DIFFERENCE, endpoint, first, unit=day / 180, **arms),
        Row("events", "goal", m.EVENTS, endpoint, builder.group(), unit=1 / 3),
        Row("unadjusted_hr", "goal", m.LOG_RATIO, endpoint, builder.model(endpoint, ["arm"]),
            unit=0.01),
    ]  # fmt: skip
    return builder.done(), rows


def begun(problem: Problem, direction: int, key: list[int], k: int) -> tuple[State, float]:
    """Attempt `k` to find a cohort, begun with few (-1) or many (1) events; and its loss."""
    rng = np.random.default_rng([*key, direction + 1, k])
    return nearest_miss(problem, rng, part=HALVES[direction])


def far(problem: Problem, rows, start: State, direction: int, key: list[int]) -> State:
    """The cohort with as few (-1) or as many (1) events as leaps from a start get to."""
    rng = np.random.default_rng([*key, direction + 1, TRIES])
    events = next(row for row in rows if row.id == "events")
    return leap(problem, start, events, direction, rng)[0]


def two_found(problem: Problem, key: list[int]) -> tuple[dict[int, State], int]:
    """Cohorts begun with few (-1) and with many (1) events, where found; and the attempts used."""
    found, used = {}, 0
    for k in range(TRIES):
        for direction in HALVES:
            if direction not in found and not (found and k >= ONCE_FOUND):
                used += 1
                state, loss = begun(problem, direction, key, k)
                if loss == 0:
                    found[direction] = state
    return found, used


def two_starts(
    problem: Problem, rows, key: list[int], known: State | None = None
) -> tuple[list[State], int, int]:
    """Cohorts with as few and with as many events as leaps get to.

    Leaps begin at two cohorts found; where only one was, both at that one.

    Parameters
    ----------
    known : State, optional
        A cohort that meets every row, to begin at where none is found.

    Returns
    -------
    list of State, int, int
        Two cohorts, or none where none was found or known; how many were found; attempts used.
    """
    found, used = two_found(problem, key)
    begins = {way: found.get(way, found.get(-way, known)) for way in HALVES}
    starts = [far(problem, rows, s, w, key) for w, s in begins.items() if s is not None]
    return starts, len(found), used


def driven(problem: Problem, row: Row, start: State, key: list[int], k: int, direction: int,
           cycles: int = CYCLES, steps: int = DRIVEN_STEPS):  # fmt: skip
    """A row driven from a numbered start: the cohort reached and its value."""
    rng = np.random.default_rng([*key, k, *row.id.encode(), direction + 1])
    state, value = drive(problem, start, row, direction, rng, cycles=cycles, steps=steps)
    if losses(problem, state).sum() > 0:
        raise AssertionError(f"{row.id}: a directed search left the claims")
    return state, float(value)


def reach(
    problem: Problem,
    rows,
    starts: list[State],
    key: list[int],
    ways: dict[str, tuple] | None = None,
    cycles: int = CYCLES,
    steps: int = DRIVEN_STEPS,
) -> tuple[list[State], np.ndarray, list]:
    """How far `rows` go from some cohorts.

    Each row is driven both ways (or as `ways` says, by its id) from each start, then once more
    (`RELAY`) from the farthest cohort that any of these reached, and each cohort reached counts
    for every row.

    Returns
    -------
    list of State, array (cohorts, rows), list
        The cohorts; their values, NaN what is not defined; and of each drive its start, row,
        direction and the value reached.
    """
    cohorts, log = list(starts), []

    def go(k: int, row: Row, direction: int, start: State) -> None:
        state, value = driven(problem, row, start, key, k, direction, cycles, steps)
        cohorts.append(state)
        log.append([k, row.id, direction, value if np.isfinite(value) else None])

    both = [(row, way) for row in rows for way in (ways[row.id] if ways else (-1, 1))]
    for k, start in enumerate(starts):
        for row, direction in both:
            go(k, row, direction, start)
    for row, direction in both:
        values = direction * np.array([measured(problem, c, [row])[0] for c in cohorts])
        if np.isfinite(values).any():
            go(RELAY, row, direction, cohorts[int(np.nanargmax(values))])
    values = np.array([measured(problem, cohort, list(rows)) for cohort in cohorts])
    return cohorts, values, log


def ends(values: np.ndarray) -> list[list[float]] | list[None]:
    """Lowest and highest of each column; None where nothing is defined."""
    return [[float(np.nanmin(v)), float(np.nanmax(v))] if np.isfinite(v).any() else None
            for v in values.T]  # fmt: skip


def within(value: float, limits) -> bool:
    """Whether a value is in a range; sums of the same numbers may differ in the last digit."""
    return limits is not None and limits[0] - 1e-9 <= value <= limits[1] + 1e-9
