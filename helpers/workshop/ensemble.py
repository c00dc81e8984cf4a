"""`python -m helpers ensemble`: the cohorts that print the same, and how far each number goes.

Rounds of numbered tasks. *Members*: attempts from scratch under each reading, half of them driven
some way along random quantities, so that they differ as the print allows. *Extremes*: each
unprinted quantity driven up and down from several members. *Leaps*: the numbers of events asked
for outright, from the farthest cohort so far, and every quantity driven from there too. *Relays*:
again from the farthest cohort that any task has found. `helpers.workshop.ensemble_files` writes
data/ensemble.
"""

import json

import numpy as np
import pandas as pd

from helpers.cohort import PAPER_COHORT, ROOT, SECOND_COHORT
from helpers.conventions import DAYS_PER_MONTH
from helpers.paper.pinned import COLUMNS
from helpers.paper.unprinted import unprinted
from helpers.rebuild.directed import drive, leap
from helpers.rebuild.paper import (
    ALTERNATIVES,
    NOT_FOUND,
    as_member,
    as_state,
    drawn,
    paper_problem,
    tables,
)
from helpers.rebuild.patients import cohort_frame
from helpers.rebuild.problem import Builder
from helpers.rebuild.quantities import survival_goal, with_goals
from helpers.rebuild.staged import attempt, stages
from helpers.rebuild.state import losses, measured
from helpers.workshop.calibrate import TRIES, find_member
from helpers.workshop.tasks import read_log, run_tasks

SHARES = 0.7, 0.12, 0.06, 0.12  # of the members under each reading; the third is found rarely
ROUNDS = 2  # quantities along which a driven member is moved, each some way
STARTS = 3  # members from which each quantity is driven, each way
BASES = ("print", "rules")  # printed numbers alone, or with the plausibility rules
# Numbers one may wish had been printed, and those whose ranges they are asked to shrink.
ADDED = ("os_12_cd20", "os_12_noncart", "os_events", "os_hr", "pfs_6_cd20", "pfs_12_cd20",
         "pfs_events", "pfs_hr")  # fmt: skip
TARGETS = ("os_12_diff", "os_rmst", "pfs_6_diff", "pfs_rmst")
ADDED_LEGS = 2
READING_TRIES = 8
EVENTS = ("pfs_events", "os_events")
LEAP_TRIES = 16  # attempts to get to fewer or more events
LEAPT, RELAY = 100, 1000  # of leaps and of drives from where they got; and the leg: for a start
LEGS = 2  # relays, each from what the one before it reached
DRIVEN_DAYS = (120, 270, 540)  # points of the curves driven themselves; months 6 and 12 are too
CURVE_DAYS = (60, 120, 180, 240, 270, 300, 360, 420, 480, 540, 600, 660, 720)
BUILD = ROOT / "build" / "ensemble"


def reading_of(number: int) -> int:
    """The reading of a numbered member, an index of ALTERNATIVES."""
    return int(np.random.default_rng([number, 99]).choice(len(ALTERNATIVES), p=SHARES))


def ensemble_member(seed: int, number: int) -> dict | None:
    """One member of the set: found from scratch, and every second one then driven some way."""
    readings = ALTERNATIVES[reading_of(number)]
    member = find_member(seed, number, readings)
    if member is None:
        return None
    member |= {"reading": reading_of(number), "driven": ""}
    if number % 2 == 0:
        return member
    rng = np.random.default_rng([seed, number, TRIES])
    moved, names = wander(as_state(member), member["table"], readings, rng)
    about = {k: member[k] for k in ("seed", "attempt", "tries", "table", "reading")}
    moved = as_member(moved, **about, driven=names)
    return moved if cohort_frame(moved) is not None else member


def wander(state, table: int, readings: dict, rng):
    """A member driven some way along a few random quantities; and which."""
    problem = paper_problem(table, readings)
    names = rng.permutation(list(unprinted()))[:ROUNDS]
    problem, rows = with_goals(problem, names)
    said = []
    for name, row in zip(names, rows, strict=True):
        direction = int(rng.choice([-1, 1]))
        cycles = int(rng.integers(2, 8))
        state, _ = drive(problem, state, row, direction, rng, cycles=cycles)
        said.append(f"{name} {'up' if direction > 0 else 'down'}")
    return state, "; ".join(said)


def goal_row(problem, name: str):
    """The problem and the row of a quantity, or of a curve: "curve os 1 360"."""
    if not name.startswith("curve "):
        problem, rows = with_goals(problem, [name])
        return problem, rows[0]
    _, end, arm, day = name.split()
    builder = Builder(problem)
    row = survival_goal(builder, end, int(arm), float(day))
    return builder.done(), row


def drive_from(seed: int, name: str, direction: int, basis: str, start: int, member: str) -> dict:
    """A quantity driven (or, where `start` is LEAPT, leapt with) from a member; the cohort reached
    and the value."""
    member = json.loads(member)
    rng = np.random.default_rng([seed, start, direction + 1, BASES.index(basis), *name.encode()])
    problem = paper_problem(member["table"])
    if basis == "print":
        problem = problem.only("print")
    problem, row = goal_row(problem, name)
    if start == LEAPT:
        state, value = leap(problem, as_state(member), row, direction, rng, tries=LEAP_TRIES)
    else:
        state, value = drive(problem, as_state(member), row, direction, rng)
    if losses(problem, state).sum() > 0:
        raise AssertionError(f"{name}: a directed search left the claims")
    return as_member(state, table=member["table"], value=value)


def find_members(seed: int, members: int, *, jobs: int | None = None) -> list[dict]:
    """The first `members` members of a seed, in the order of their numbers."""
    tasks = [(seed, number) for number in range(members)]
    found = run_tasks(tasks, ensemble_member, BUILD / "members.jsonl", jobs=jobs, about="members")
    return [member for member in found.values() if member is not None]


def compact(member: dict) -> str:
    return json.dumps({k: v for k, v in member.items() if k not in ("value",)})


def find_extremes(seed: int, members: list[dict], names, *, jobs: int | None = None) -> None:
    """Each quantity driven both ways, on both bases, from STARTS members."""
    starts = spread([m for m in members if m["reading"] == 0], STARTS)
    tasks = [
        (seed, name, direction, basis, k, compact(start))
        for k, start in enumerate(starts) for basis in BASES for name in names
        for direction in (-1, 1)
    ]  # fmt: skip
    log = BUILD / "extremes.jsonl"
    run_tasks(tasks, drive_from, log, jobs=jobs, about="extremes")


def find_leapt(seed: int, members: list[dict], names, *, jobs: int | None = None) -> None:
    """Few and many events, in leaps from the farthest cohort so far; and from each cohort that
    these got to, every quantity both ways."""
    pools = {basis: pool(members, basis, LEAPT) for basis in BASES}
    tasks = [
        (seed, name, direction, basis, LEAPT, farthest(pools[basis], name, direction))
        for basis in BASES for name in EVENTS for direction in (-1, 1)
    ]  # fmt: skip
    log = BUILD / "leaps.jsonl"
    leapt = run_tasks(tasks, drive_from, log, jobs=jobs, about="leaps")
    tasks = [
        (seed, name, direction, basis, LEAPT + 1 + k, compact(start))
        for k, ((*_, basis, _, _), start) in enumerate(zip(tasks, leapt.values(), strict=True))
        for name in names for direction in (-1, 1)
    ]  # fmt: skip
    run_tasks(tasks, drive_from, log, jobs=jobs, about="from there")


def farthest(cohorts: list[dict], name: str, direction: int) -> str:
    """The cohort in which a quantity is lowest (-1) or highest (1)."""
    return compact(cohorts[int(np.nanargmax(direction * pooled_values(cohorts, name)))])


def relay(seed: int, members: list[dict], names, leg: int, *, jobs: int | None = None) -> None:
    """From the farthest cohort that anything has found, each quantity once more; `leg` counts."""
    pools = {basis: pool(members, basis, RELAY + leg) for basis in BASES}
    tasks = [
        (seed, name, direction, basis, RELAY + leg, farthest(pools[basis], name, direction))
        for basis in BASES for name in names for direction in (-1, 1)
    ]  # fmt: skip
    run_tasks(tasks, drive_from, BUILD / "relay.jsonl", jobs=jobs, about=f"relay {leg + 1}")


def pool(
    members: list[dict], basis: str, before: int = RELAY + LEGS, added: bool = False
) -> list[dict]:
    """Every cohort found that is a witness for a basis under the default readings, each once.

    An old log may hold what met an older print, so each is checked here. What keeps the rules
    also keeps the print, so it counts for both. A round draws on the rounds before it alone (whose
    starts have numbers below `before`, and `added` at the end), so that a stopped run goes on with
    the same tasks.
    """
    found = [m for m in members if m["reading"] == 0] + shipped()
    for file in ("extremes.jsonl", "leaps.jsonl", "relay.jsonl"):
        for task, result in read_log(BUILD / file).items():
            _, _, _, kept, start, _ = json.loads(task)
            if (basis == "print" or kept == "rules") and start < before:
                found.append(result)
    found += read_log(BUILD / "added.jsonl").values() if added else []
    return [cohort for cohort in distinct(found) if meets(cohort, basis)]


def distinct(cohorts: list[dict]) -> list[dict]:
    """Each cohort once, the first of those with the same rows."""
    first: dict[str, dict] = {}
    for cohort in cohorts:
        first.setdefault(json.dumps([cohort[c] for c in COLUMNS]), cohort)
    return list(first.values())


def meets(cohort: dict, basis: str) -> bool:
    """Whether a cohort keeps all of a basis under the default readings."""
    problem = paper_problem(cohort["table"])
    kept = problem if basis == "rules" else problem.only("print")
    return losses(kept, as_state(cohort)).sum() == 0


def shipped() -> list[dict]:
    """The two committed cohorts: they meet every row too. The CD20 arm first."""
    found = []
    for path in (PAPER_COHORT, SECOND_COHORT):
        frame = pd.read_csv(ROOT / path).sort_values("arm", kind="stable")  # CD20 before non-CAR-T
        first = frame[frame["arm"] == "CD20 CAR-T"]
        high = int((first["ipi"] >= 3).sum())
        table = [t.ipi_high for t in tables()].index(high)
        columns = {c: frame[c].astype(int).tolist()
                   for c in ("pfs_time", "pfs_event", "os_time", "os_event")}  # fmt: skip
        flags = {f"{c}_3plus": (frame[c] >= 3).astype(int).tolist() for c in ("ecog", "ipi")}
        found.append(columns | flags | {"table": table, "reading": 0})
    return found


def pooled_values(cohorts: list[dict], name: str) -> np.ndarray:
    """The value of a quantity in each cohort, on the scale of `measure`."""
    values = []
    problems = {}
    for cohort in cohorts:
        table = cohort["table"]
        if table not in problems:
            problems[table] = goal_row(paper_problem(table), name)
        problem, row = problems[table]
        values.append(measured(problem, as_state(cohort), [row])[0])
    return np.array(values)


def spread(members: list[dict], number: int) -> list[dict]:
    """Members with different response tables and ECOG sizes, as far as they go round."""
    chosen: list[dict] = []
    for k in range(len(members)):
        fresh = [m for m in members if m not in chosen]
        if len(chosen) == number or not fresh:
            break
        want = k % 4
        chosen.append(next((m for m in fresh if m["table"] == want), fresh[0]))
    return chosen


def print_of(quantity: str, value: float) -> tuple[str, float, float]:
    """A value as a paper would print it, and the limits of what prints so, on its scale."""
    unit = unprinted()[quantity].unit
    if unit == "count":
        return f"{value:.0f}", round(value), round(value)
    if unit in ("percent", "points"):
        whole = round(100 * value)
        return f"{whole}%", (whole - 0.5) / 100, (whole + 0.5) / 100
    if unit == "months":
        months = round(value / DAYS_PER_MONTH, 1)
        low, high = ((months + side * 0.05) * DAYS_PER_MONTH for side in (-1, 1))
        return f"{months} months", low, high
    shown = round(float(np.exp(value)), 2)
    return f"{shown:.2f}", *(float(np.log(max(shown + side * 0.005, 1e-3))) for side in (-1, 1))


def drive_added(seed: int, extra: str, target: str, direction: int, member: str) -> dict:
    """A quantity driven while another one, made up, is printed too: that of the member."""
    member = json.loads(member)
    rng = np.random.default_rng([seed, direction + 1, *extra.encode(), *target.encode()])
    problem, (known, row) = with_goals(paper_problem(member["table"]), [extra, target])
    state = as_state(member)
    printed, low, high = print_of(extra, measured(problem, state, [known])[0])
    problem = problem.with_rows([known._replace(source="print", low=low, high=high)])
    state, value = drive(problem, state, row, direction, rng)
    if losses(problem, state).sum() > 0:
        raise AssertionError(f"{target} with {extra}: a directed search left the claims")
    return as_member(state, table=member["table"], value=value, printed=printed)


def add_numbers(seed: int, members: list[dict], *, jobs: int | None = None) -> dict[str, dict]:
    """Each number of ADDED printed too, as it is in the middle one of the members that were not
    driven anywhere; then each of TARGETS driven both ways under it, from the farthest cohort that
    prints the number, ADDED_LEGS times."""
    cohorts, alike, printed = pool(members, "rules"), {}, {}
    still = [m for m in members if m["reading"] == 0 and not m["driven"]]
    for extra in ADDED:
        own = np.sort(pooled_values(still, extra))
        printed[extra] = print_of(extra, own[len(own) // 2])[0]
        texts = [print_of(extra, v)[0] if v == v else "" for v in pooled_values(cohorts, extra)]
        alike[extra] = [c for c, t in zip(cohorts, texts, strict=True) if t == printed[extra]]
    found: dict[str, dict] = {}
    for leg in range(ADDED_LEGS):
        tasks = [
            (seed, extra, target, direction, farthest(alike[extra], target, direction))
            for extra in ADDED for target in TARGETS if target != extra for direction in (-1, 1)
        ]  # fmt: skip
        log = BUILD / "added.jsonl"
        done = run_tasks(tasks, drive_added, log, jobs=jobs, about=f"added numbers {leg + 1}")
        for (_, extra, *_), cohort in zip(tasks, done.values(), strict=True):
            if print_of(extra, pooled_values([cohort], extra)[0])[0] == printed[extra]:
                alike[extra].append(cohort)
        found |= done
    return found


def try_reading(seed: int, reading: int, number: int) -> list:
    """One attempt under a reading of NOT_FOUND: stages solved, loss left, and on which claims."""
    rng = np.random.default_rng([seed, reading, number, 7])
    problem, _ = drawn(rng, NOT_FOUND[reading])
    state, loss = attempt(problem, rng)
    for k, stage in enumerate(stages(problem)):
        costs = losses(problem, state, stage.rows)
        if costs.sum() > 0:
            missed = [r.id for r, c in zip(stage.rows, costs, strict=True) if c > 0]
            return [k, float(costs.sum()), "; ".join(missed)]
    return [len(stages(problem)), float(loss), ""]


def try_readings(seed: int, *, jobs: int | None = None) -> None:
    tasks = [(seed, r, k) for r in range(len(NOT_FOUND)) for k in range(READING_TRIES)]
    run_tasks(tasks, try_reading, BUILD / "readings.jsonl", jobs=jobs, about="readings")


def curve_names(days: tuple[int, ...] = CURVE_DAYS) -> list[str]:
    """Points of the curves, by endpoint and arm."""
    return [f"curve {end} {arm} {day}" for end in ("pfs", "os") for arm in (1, 0) for day in days]
