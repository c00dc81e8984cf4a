"""`python -m helpers ensemble`: the cohorts that print the same, and how far each number goes.

Three rounds of numbered tasks. *Members*: attempts from scratch under each reading, half of them
driven some way along a random quantity, so that they differ as the print allows. *Extremes*: each
unprinted quantity driven up and down from several members. *Relay*: once more from the farthest
cohort that any task has found. Everything is written to data/ensemble.
"""

import hashlib
import json

import numpy as np
import pandas as pd

from helpers.cohort import ROOT
from helpers.paper.pinned import FOLDER
from helpers.rebuild.directed import drive
from helpers.rebuild.paper import (
    ALTERNATIVES,
    as_member,
    as_state,
    first_endpoint,
    paper_problem,
)
from helpers.rebuild.patients import cohort_frame
from helpers.rebuild.problem import Builder
from helpers.rebuild.quantities import quantities, survival_goal, with_goals
from helpers.rebuild.state import losses, measured
from helpers.workshop.calibrate import TRIES, find_member
from helpers.workshop.tasks import read_log, run_tasks

DEFAULT_SHARE = 0.6  # of the members, under the default readings; the rest evenly under others
ROUNDS = 2  # quantities along which a driven member is moved, each some way
STARTS = 6  # members from which each quantity is driven, each way
BASES = ("print", "rules")  # printed numbers alone, or with the plausibility rules
CURVE_DAYS = tuple(range(60, 721, 60))
BUILD = ROOT / "build" / "ensemble"


def reading_of(number: int) -> int:
    """The reading of a numbered member: the default for most, the others in turn."""
    rng = np.random.default_rng([number, 99])
    return 0 if rng.random() < DEFAULT_SHARE else 1 + number % (len(ALTERNATIVES) - 1)


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
    names = rng.permutation(list(quantities()))[:ROUNDS]
    problem, rows = with_goals(problem, names)
    said = []
    for name, row in zip(names, rows, strict=True):
        direction = int(rng.choice([-1, 1]))
        cycles = int(rng.integers(2, 8))
        state, _ = drive(problem, state, row, direction, rng, cycles=cycles,
                         first=first_endpoint(readings))  # fmt: skip
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
    """A quantity driven from a member; the cohort reached and the value."""
    member = json.loads(member)
    rng = np.random.default_rng([seed, start, direction + 1, BASES.index(basis), *name.encode()])
    problem = paper_problem(member["table"])
    if basis == "print":
        problem = problem.only("print")
    problem, row = goal_row(problem, name)
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
    """Each quantity driven both ways, on both bases, from STARTS members; then once from the
    farthest cohort found by anything."""
    starts = spread([m for m in members if m["reading"] == 0], STARTS)
    tasks = [
        (seed, name, direction, basis, k, compact(start))
        for k, start in enumerate(starts) for basis in BASES for name in names
        for direction in (-1, 1)
    ]  # fmt: skip
    log = BUILD / "extremes.jsonl"
    run_tasks(tasks, drive_from, log, jobs=jobs, about="extremes")


def relay(seed: int, members: list[dict], names, *, jobs: int | None = None) -> None:
    """From the farthest cohort that anything has found, each quantity once more."""
    pools = {basis: pool(members, basis) for basis in BASES}
    tasks = []
    for basis in BASES:
        for name in names:
            values = pooled_values(pools[basis], name)
            for direction in (-1, 1):
                best = np.nanargmax(direction * values)
                tasks.append((seed, name, direction, basis, 1000, compact(pools[basis][best])))
    run_tasks(tasks, drive_from, BUILD / "relay.jsonl", jobs=jobs, about="relay")


def pool(members: list[dict], basis: str) -> list[dict]:
    """Every cohort found that is a witness for a basis under the default readings.

    What keeps the rules also keeps the print, so it counts for both.
    """
    found = [m for m in members if m["reading"] == 0]
    for file in ("extremes.jsonl", "relay.jsonl"):
        for task, result in read_log(BUILD / file).items():
            if basis == "print" or json.loads(task)[3] == "rules":
                found.append(result)
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


def write_ensemble(seed: int, members: list[dict], names) -> None:
    """data/ensemble: members, extremes, ranges, curves, checksums."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    columns = ("pfs_time", "pfs_event", "os_time", "os_event", "ecog_3plus", "ipi_3plus")
    small = {"time": np.int16, "event": np.int8, "3plus": np.int8}
    pack = lambda cohorts: {  # noqa: E731
        c: np.array([m[c] for m in cohorts], small[c.split("_")[1]]) for c in columns
    }
    np.savez_compressed(FOLDER / "members.npz", **pack(members))
    about = pd.DataFrame(
        [{k: m[k] for k in ("seed", "attempt", "tries", "table", "reading", "driven")}
         for m in members]
    )  # fmt: skip
    about["reading"] = [
        "; ".join(f"{k}: {v}" for k, v in ALTERNATIVES[r].items()) or "default"
        for r in about["reading"]
    ]
    values = pd.DataFrame({n: pooled_values(members, n) for n in names})
    about.join(values).rename_axis("member").to_csv(
        FOLDER / "members.csv", lineterminator="\n", float_format="%.8g"
    )
    rows, kept, index = [], [], {}
    for basis in BASES:
        witnesses = pool(members, basis)
        for name in [*names, *curve_names()]:
            found = pooled_values(witnesses, name)
            for end, at in (("low", np.nanargmin(found)), ("high", np.nanargmax(found))):
                key = compact({c: witnesses[at][c] for c in columns})
                if key not in index:
                    index[key] = len(kept)
                    kept.append(witnesses[at])
                rows.append((name, basis, end, found[at], index[key], len(witnesses)))
    table = pd.DataFrame(rows, columns=["quantity", "basis", "end", "value", "cohort", "witnesses"])
    table.assign(seed=seed, starts=STARTS).to_csv(
        FOLDER / "ranges.csv", index=False, lineterminator="\n", float_format="%.8g"
    )
    np.savez_compressed(
        FOLDER / "extremes.npz", **pack(kept), table=np.array([m["table"] for m in kept], np.int8)
    )
    files = sorted(p for p in FOLDER.iterdir() if p.name != "SHA256SUMS")
    sums = [f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}" for p in files]
    (FOLDER / "SHA256SUMS").write_text("\n".join(sums) + "\n", encoding="utf-8")


def curve_names() -> list[str]:
    """Every point of a curve whose range is kept."""
    return [f"curve {end} {arm} {day}" for end in ("pfs", "os") for arm in (1, 0)
            for day in CURVE_DAYS]  # fmt: skip


def build_ensemble(seed: int, members: int, *, jobs: int | None = None) -> int:
    """All rounds, then data/ensemble; the number of members."""
    names = list(quantities())
    found = find_members(seed, members, jobs=jobs)
    find_extremes(seed, found, names, jobs=jobs)
    relay(seed, found, [*names, *curve_names()], jobs=jobs)
    write_ensemble(seed, found, names)
    return len(found)
