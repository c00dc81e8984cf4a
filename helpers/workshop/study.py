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
from helpers.rebuild.directed import STEPS
from helpers.rebuild.misses import nearest_miss
from helpers.rebuild.paper import ECOG_SIZES, paper_problem, tables
from helpers.rebuild.problem import Problem, Row
from helpers.rebuild.reach import asked, ends, reach, two_starts, within
from helpers.rebuild.staged import SWAPPED, board, everything, run_annealer
from helpers.rebuild.state import State, losses, measured
from helpers.workshop.study_data import SETS, sample, state_of
from helpers.workshop.study_print import RIGHT, WRONG, medians_only, printed
from helpers.workshop.tasks import run_tasks

SEED = 20240625
TRIES = 8  # attempts to find each cohort without a group of claims
WIDE_CYCLES = 6  # of a drive under sizes and medians alone, which goes far at once
MEMBERS = 8  # cohorts found without a group of claims, among which the printed number is ranked
BUILD = ROOT / "build" / "study"
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


def study_sample(seed: int, name: str, number: int, reading: str) -> dict:
    """One sample printed, rebuilt and driven.

    Returns
    -------
    dict
        printed (ids), found (cohorts to begin with, at most two), tries, missed (rows that the
        sample itself does not meet); by number asked about truth, ranges, wide (from sizes and
        medians alone) and again (of those that missed, with further starts);
        drives, as `reach` logs them; seconds.
    """
    begin, source, frame = time.monotonic(), SETS[name], sample(seed, name, number)
    claims = printed(frame, source, reading)
    problem, rows = asked(build(claims), 0, source.day)
    truth = state_of(frame, source)
    key = [seed, number, *name.encode(), *reading.encode()]
    starts, found, tries = two_starts(problem, rows, [*key, 1])
    costs = losses(problem, truth)
    result = {
        "printed": [claim["id"] for claim in claims["claims"]], "found": found,
        "tries": tries, "missed": [r.id for r, c in zip(problem.rows, costs, strict=True) if c > 0],
    }  # fmt: skip
    if starts:
        value = measured(problem, truth, rows)
        result["truth"] = [float(v) if np.isfinite(v) else None for v in value]
        _, values, result["drives"] = reach(problem, rows, starts, [*key, 2])
        result["ranges"] = ends(values)
    if starts and reading == RIGHT:
        wide, wide_rows = asked(build(medians_only(claims)), 0, source.day)
        went = reach(wide, wide_rows, starts[:1], [*key, 3], cycles=WIDE_CYCLES)
        result["wide"] = ends(went[1])
        ways = {
            row.id: (1,) if r is None or v > r[1] else (-1,)
            for row, v, r in zip(rows, result["truth"], result["ranges"], strict=True)
            if v is not None and not within(v, r)
        }
        if ways:  # towards the sample's own value, from elsewhere
            further = two_starts(problem, rows, [*key, 4])[0]
            left = [row for row in rows if row.id in ways]
            again = ends(reach(problem, left, further, [*key, 5], ways)[1]) if further else []
            result["again"] = dict(zip(ways, again, strict=False))
    return result | {"seconds": round(time.monotonic() - begin, 1)}


def beside(seed: int, name: str, number: int) -> np.ndarray | None:
    """The numbers asked about in a cohort next to a sample that meets every row, which a sample
    on an edge of printing does not; None where none was found in `TRIES` searches from it."""
    source, frame = SETS[name], sample(seed, name, number)
    problem, rows = asked(build(printed(frame, source)), 0, source.day)
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
        _, values, _ = reach(problem, goals, members[:2], [*key, 2], steps=STEPS)
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
