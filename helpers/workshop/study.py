"""`python -m helpers study`: does rebuilding from the print find what was true?

A sample of a real cohort is printed, cohorts are rebuilt from the print alone, and numbers that
were not printed are driven both ways, as `helpers.workshop.ensemble` does for the paper. The
sample prints its own print, so a complete search would always reach its own values: each that
lies outside is a miss of the search, of a rule or of the reading. Then samples printed by one
reading and rebuilt by another; then the abstract itself without one group of its claims.
"""

import time

import numpy as np

from helpers.cohort import ROOT
from helpers.conventions import DAYS_PER_MONTH
from helpers.rebuild import measure as m
from helpers.rebuild.claims import build
from helpers.rebuild.directed import CYCLES, STEPS, drive, leap
from helpers.rebuild.misses import nearest_miss
from helpers.rebuild.paper import ECOG_SIZES, paper_problem, tables
from helpers.rebuild.problem import Builder, Problem, Row
from helpers.rebuild.staged import SWAPPED, board, everything, run_annealer
from helpers.rebuild.state import State, losses, measured
from helpers.workshop.study_data import SETS, Source, sample, state_of
from helpers.workshop.study_print import RIGHT, WRONG, medians_only, printed
from helpers.workshop.tasks import run_tasks

SEED = 20240625
# A number is driven from two cohorts, one with as few events as leaps get to and one with as
# many: samples of the tuning sets showed that a drive does not get from one to the other.
HALVES = {-1: (0.0, 0.5), 1: (0.5, 1.0)}
TRIES, ONCE_FOUND = 8, 3  # attempts to find each, and where there is one, to find the other
DRIVEN_STEPS = STEPS // 2  # on the tuning sets as good as twice as many
WIDE_CYCLES = 6  # of a drive under sizes and medians alone, which goes far at once
MEMBERS = 8  # cohorts found without a group of claims, among which the printed number is ranked
RELAY = 1000  # stands for a start: the farthest cohort reached
BUILD = ROOT / "build" / "study"
ASKED = {
    "survival_difference": "Difference in survival at the day asked about",
    "mean_difference": "Days gained up to that day",
    "events": "Events",
    "unadjusted_hr": "Unadjusted hazard ratio, log",
}
# Every number of one model, test or table of the abstract, by the ids of its rows.
GROUPS = {
    "PFS medians": ("pfs_cd20", "pfs_noncart"),
    "OS medians": ("os_cd20", "os_noncart"),
    "PFS log-rank test": ("pfs_p",),
    "OS log-rank test": ("os_p",),
    "PFS model": ("pfs_hr", "pfs_hr.low", "pfs_hr.high", "pfs_hr.p"),
    "OS model": ("os_hr", "os_hr.low", "os_hr.high", "os_hr.p"),
    "ECOG model": ("ecog_hr", "ecog_hr.low", "ecog_hr.high", "ecog_hr.p"),
    "Follow-up": ("followup",),
}  # fmt: skip
BASES = ("print", "rules")


def asked(problem: Problem, source: Source) -> tuple[Problem, list[Row]]:
    """The problem with what the numbers of `ASKED` rest on, and their rows."""
    builder = Builder(problem)
    arms = {"other": builder.group(0), "day": float(source.day)}
    rows = [
        Row("survival_difference", "goal", m.DIFFERENCE, 0, builder.group(1), unit=0.007, **arms),
        Row("mean_difference", "goal", m.MEAN_DIFFERENCE, 0, builder.group(1),
            unit=source.day / 180, **arms),
        Row("events", "goal", m.EVENTS, 0, builder.group(), unit=1 / 3),
        Row("unadjusted_hr", "goal", m.LOG_RATIO, 0, builder.model(0, ["arm"]), unit=0.01),
    ]  # fmt: skip
    return builder.done(), rows


def find(problems, key: list[int], number: int) -> tuple[list[State], int]:
    """`number` cohorts from scratch, `TRIES` attempts each, and the attempts used.

    `problems` gives the problem of an attempt from its Generator.
    """
    found, used = [], 0
    for start in range(number):
        for k in range(TRIES):
            rng = np.random.default_rng([*key, start, k])
            used += 1
            state, loss = nearest_miss(problems(rng), rng)
            if loss == 0:
                found.append(state)
                break
        if not found:  # as hard for the next
            break
    return found, used


def begun(problem: Problem, direction: int, key: list[int], k: int) -> tuple[State, float]:
    """Attempt `k` to find a cohort, begun with few (-1) or many (1) events; and its loss."""
    rng = np.random.default_rng([*key, direction + 1, k])
    return nearest_miss(problem, rng, part=HALVES[direction])


def far(problem: Problem, rows, start: State, direction: int, key: list[int]) -> State:
    """The cohort with as few (-1) or as many (1) events as leaps from a start get to."""
    rng = np.random.default_rng([*key, direction + 1, TRIES])
    return leap(problem, start, rows[list(ASKED).index("events")], direction, rng)[0]


def two_starts(problem: Problem, rows, key: list[int]) -> tuple[list[State], int]:
    """Cohorts with few events and with many, none where none was found; and the attempts used."""
    found, used = {}, 0
    for k in range(TRIES):
        for direction in HALVES:
            if direction not in found and not (found and k >= ONCE_FOUND):
                used += 1
                state, loss = begun(problem, direction, key, k)
                if loss == 0:
                    found[direction] = state
    starts = [found.get(way, found.get(-way)) for way in HALVES if found]
    return [far(problem, rows, s, w, key) for s, w in zip(starts, HALVES, strict=False)], used


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
) -> tuple[np.ndarray, list]:
    """How far `rows` go from some cohorts.

    Each row is driven both ways (or as `ways` says, by its id) from each start, then once more
    (`RELAY`) from the farthest cohort that any of these reached, and each cohort reached counts
    for every row.

    Returns
    -------
    array (cohorts, rows), list
        Their values, NaN what is not defined; and of each drive its start, row, direction and
        the value reached.
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
    return np.array([measured(problem, cohort, list(rows)) for cohort in cohorts]), log


def ends(values: np.ndarray) -> list[list[float]] | list[None]:
    """Lowest and highest of each column; None where nothing is defined."""
    return [[float(np.nanmin(v)), float(np.nanmax(v))] if np.isfinite(v).any() else None
            for v in values.T]  # fmt: skip


def within(value: float, limits) -> bool:
    """Whether a value is in a range; sums of the same numbers may differ in the last digit."""
    return limits is not None and limits[0] - 1e-9 <= value <= limits[1] + 1e-9


def study_sample(seed: int, name: str, number: int, reading: str) -> dict:
    """One sample printed, rebuilt and driven.

    Returns
    -------
    dict
        printed (ids), starts, tries, missed (rows that the sample itself does not meet); by number
        asked about truth, ranges, wide (from sizes and medians alone) and again (of those that
        missed, with further starts); drives, as `reach` logs them; seconds.
    """
    begin, source, frame = time.monotonic(), SETS[name], sample(seed, name, number)
    claims = printed(frame, source, reading)
    problem, rows = asked(build(claims), source)
    truth = state_of(frame, source)
    key = [seed, number, *name.encode(), *reading.encode()]
    starts, tries = two_starts(problem, rows, [*key, 1])
    costs = losses(problem, truth)
    result = {
        "printed": [claim["id"] for claim in claims["claims"]], "starts": len(starts),
        "tries": tries, "missed": [r.id for r, c in zip(problem.rows, costs, strict=True) if c > 0],
    }  # fmt: skip
    if starts:
        value = measured(problem, truth, rows)
        result["truth"] = [float(v) if np.isfinite(v) else None for v in value]
        values, result["drives"] = reach(problem, rows, starts, [*key, 2])
        result["ranges"] = ends(values)
    if starts and reading == RIGHT:
        wide, wide_rows = asked(build(medians_only(claims)), source)
        result["wide"] = ends(reach(wide, wide_rows, starts[:1], [*key, 3], cycles=WIDE_CYCLES)[0])
        ways = {
            row.id: (1,) if r is None or v > r[1] else (-1,)
            for row, v, r in zip(rows, result["truth"], result["ranges"], strict=True)
            if v is not None and not within(v, r)
        }
        if ways:  # towards the sample's own value, from elsewhere
            further, _ = two_starts(problem, rows, [*key, 4])
            left = [row for row in rows if row.id in ways]
            again = ends(reach(problem, left, further, [*key, 5], ways)[0]) if further else []
            result["again"] = dict(zip(ways, again, strict=False))
    return result | {"seconds": round(time.monotonic() - begin, 1)}


def beside(seed: int, name: str, number: int) -> np.ndarray | None:
    """The numbers asked about in a cohort next to a sample that meets every row, which a sample
    on an edge of printing does not; None where none was found in `TRIES` searches from it."""
    source, frame = SETS[name], sample(seed, name, number)
    problem, rows = asked(build(printed(frame, source)), source)
    play, loose = board(problem, everything(problem), 0.75)
    loose[:] = SWAPPED
    for k in range(TRIES):
        state = state_of(frame, source)
        if not run_annealer(problem, state, problem.rows, play, loose, seed=k, steps=40_000,
                            hot=0.3 if k % 2 == 0 else 0.005, cold=0.0005):  # fmt: skip
            return measured(problem, state, rows)
    return None


def natural(row: Row, value: float) -> float:
    """A value of a row as it is printed: a ratio, a P, months."""
    if row.kind in (m.MEDIAN, m.FOLLOW_UP):
        return value / DAYS_PER_MONTH
    return float(np.exp(value))


def drop_group(seed: int, group: str, basis: str) -> dict:
    """The abstract without a group of its claims: how far these go under the rest.

    Returns
    -------
    dict
        members and tries; of each dropped row its printed limits, range and the members' values.
    """
    begin, ids = time.monotonic(), GROUPS[group]
    key = [seed, *group.encode(), BASES.index(basis)]
    table = int(np.random.default_rng(key).integers(len(tables())))

    def left(rng=None) -> Problem:
        ecog = None if rng is None else int(rng.choice(ECOG_SIZES))
        problem = paper_problem(table, ecog=ecog).without(*ids)
        return problem if basis == "rules" else problem.only("print", "design")

    members, tries = find(left, [*key, 1], MEMBERS)
    dropped = [r for r in paper_problem(table).rows if r.id in ids and r.source == "print"]
    result = {"table": table, "members": len(members), "tries": tries, "rows": {}}
    if members:
        goals = [r._replace(source="goal", low=-np.inf, high=np.inf) for r in dropped]
        problem = left()
        values, _ = reach(problem, goals, members[:2], [*key, 2], steps=STEPS)
        own = np.array([measured(problem, state, goals) for state in members])
        for g, row in enumerate(dropped):
            both = np.concatenate([values[:, g], own[:, g]])
            result["rows"][row.id] = {
                "printed": [natural(row, v) for v in (row.low, row.high)],
                "range": [natural(row, v) for v in (np.nanmin(both), np.nanmax(both))],
                "values": [natural(row, v) for v in own[:, g]],
            }
    return result | {"seconds": round(time.monotonic() - begin, 1)}


def sample_tasks(seed: int, per_set: int, wrong: int, names=tuple(SETS)) -> list[tuple]:
    """The samples of the study: `per_set` of each set, and the first `wrong` of them printed by
    each other reading that changes its print."""
    tasks = [(seed, name, k, RIGHT) for k in range(per_set) for name in names]
    for k in range(wrong):
        for name in names:
            frame = sample(seed, name, k)
            right = printed(frame, SETS[name])["claims"]
            tasks += [
                (seed, name, k, reading) for reading in WRONG
                if (reading != "endpoint" or SETS[name].other)
                and printed(frame, SETS[name], reading)["claims"] != right
            ]  # fmt: skip
    return tasks


def run_study(seed: int, per_set: int, wrong: int, *, groups: bool = True, jobs=None) -> dict:
    """Every task of the study, from its logs where they were done; results by part."""
    tasks = sample_tasks(seed, per_set, wrong)
    found = {"samples": run_tasks(tasks, study_sample, BUILD / "samples.jsonl", jobs=jobs,
                                  about="samples")}  # fmt: skip
    dropped = [(seed, group, basis) for basis in BASES for group in GROUPS if groups]
    found["groups"] = run_tasks(dropped, drop_group, BUILD / "groups.jsonl", jobs=jobs,
                                about="groups of claims")  # fmt: skip
    return found
