"""data/ensemble: the cohorts found, compact, with ranges and checksums."""

import json

import numpy as np
import pandas as pd

from helpers.loading.cells import write_csv
from helpers.paper.pinned import COLUMNS, FOLDER, arrays
from helpers.paper.unprinted import unprinted
from helpers.rebuild.paper import ALTERNATIVES, NOT_FOUND
from helpers.sums import write_sums
from helpers.workshop.ensemble import (
    BASES,
    BUILD,
    DRIVEN_DAYS,
    EVENTS,
    LEGS,
    STARTS,
    add_numbers,
    compact,
    curve_names,
    distinct,
    find_extremes,
    find_leapt,
    find_members,
    meets,
    pool,
    pooled_values,
    print_of,
    relay,
    try_readings,
)
from helpers.workshop.tasks import read_log


def build_ensemble(seed: int, members: int, *, jobs: int | None = None) -> int:
    """All rounds, then data/ensemble; the number of members."""
    names = list(unprinted())
    found = find_members(seed, members, jobs=jobs)
    find_extremes(seed, found, names, jobs=jobs)
    find_leapt(seed, found, names, jobs=jobs)
    for leg in range(LEGS):
        relay(seed, found, [*names, *curve_names(DRIVEN_DAYS)], leg, jobs=jobs)
    added = add_numbers(seed, found, jobs=jobs)
    try_readings(seed, jobs=jobs)
    write_ensemble(seed, found, names, added)
    return len(found)


def earlier() -> dict[str, list[dict]]:
    """The extreme cohorts of the set that stands in data/ensemble, by the basis they keep.

    They are witnesses whichever search found them, so a new search can widen a range and never
    narrows one. Each is checked again.
    """
    found: dict[str, list[dict]] = {basis: [] for basis in BASES}
    if not (FOLDER / "extremes.npz").is_file():
        return found
    rows = arrays("extremes.npz")
    for k, table in enumerate(map(int, rows["table"])):
        cohort = {name: rows[name][k].tolist() for name in COLUMNS} | {"table": table}
        for basis in BASES:
            found[basis] += [cohort] if meets(cohort, basis) else []
    return found


def write_ensemble(seed: int, members: list[dict], names, added: dict[str, dict]) -> None:
    """data/ensemble: members, extremes, ranges, curves, checksums."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    before = earlier()
    small = {"time": np.int16, "event": np.int8, "3plus": np.int8}
    pack = lambda cohorts: {  # noqa: E731
        c: np.array([m[c] for m in cohorts], small[c.split("_")[1]]) for c in COLUMNS
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
    members_table = about.join(values).rename_axis("member")
    write_csv(members_table, FOLDER / "members.csv", index=True, digits=8)
    rows, kept, index, seen = [], [], {}, []
    for basis in BASES:
        witnesses = distinct([*pool(members, basis, added=True), *before[basis]])
        values = pd.DataFrame({name: pooled_values(witnesses, name) for name in names})
        seen.append(values.assign(basis=basis))
        for name in [*names, *curve_names()]:
            found = values[name].to_numpy() if name in values else pooled_values(witnesses, name)
            for end, at in (("low", np.nanargmin(found)), ("high", np.nanargmax(found))):
                key = compact({c: witnesses[at][c] for c in COLUMNS})
                if key not in index:
                    index[key] = len(kept)
                    kept.append(witnesses[at])
                rows.append((name, basis, end, found[at], index[key], len(witnesses)))
    table = pd.DataFrame(rows, columns=["quantity", "basis", "end", "value", "cohort", "witnesses"])
    table = table.assign(seed=seed, starts=STARTS, leapt=2 * len(EVENTS), relays=LEGS)
    write_csv(table, FOLDER / "ranges.csv", digits=8)
    write_csv(pd.concat(seen)[["basis", *names]], FOLDER / "witnesses.csv", digits=5)
    write_added(added, seen[-1])
    write_readings(seed)
    np.savez_compressed(
        FOLDER / "extremes.npz", **pack(kept), table=np.array([m["table"] for m in kept], np.int8)
    )
    write_sums(FOLDER)


def write_added(added: dict[str, dict], witnesses: pd.DataFrame) -> None:
    """data/ensemble/added.csv: ranges with one more, made-up, number printed.

    What the search aimed at it reached, or any cohort that prints the number too: both are inner
    bounds, so the wider end counts.
    """
    ranges: dict[tuple, list[float]] = {}
    for task, result in added.items():
        _, extra, target, *_ = json.loads(task)
        ranges.setdefault((extra, result["printed"], target), []).append(result["value"])
    rows = []
    for (extra, printed, target), driven in ranges.items():
        same = [print_of(extra, v)[0] == printed if v == v else False for v in witnesses[extra]]
        reached = [*witnesses.loc[same, target].dropna(), *driven]
        rows.append((extra, printed, target, min(reached), max(reached)))
    table = pd.DataFrame(rows, columns=["extra", "printed", "target", "low", "high"])
    write_csv(table, FOLDER / "added.csv", digits=8)


def write_readings(seed: int) -> None:
    """data/ensemble/readings.csv: readings without a member, attempts, the nearest miss."""
    rows = []
    log = read_log(BUILD / "readings.jsonl")
    for r, reading in enumerate(NOT_FOUND):
        found = [v for t, v in log.items() if json.loads(t)[:2] == [seed, r]]
        if not found:
            continue
        most, nearest, missed = min(found, key=lambda v: (-v[0], v[1]))
        whole = sum(not v[2] for v in found)
        name = "; ".join(f"{k}: {v}" for k, v in reading.items())
        rows.append((name, len(found), whole, most, nearest, missed))
    names = ["reading", "attempts", "members", "stages_solved", "nearest_miss", "claims_missed"]
    write_csv(pd.DataFrame(rows, columns=names), FOLDER / "readings.csv", digits=4)
