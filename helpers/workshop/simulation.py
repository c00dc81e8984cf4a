"""data/simulation made: many made cohorts in numbered tasks, their table, and whether it holds."""

import json
import time

import numpy as np
import pandas as pd

from helpers.cohort import ROOT
from helpers.loading.cells import write_csv
from helpers.simulate.calibration import SCENARIOS, calibration, one_replication
from helpers.simulate.stored import (
    FOLDER,
    RUN,
    SINGLE,
    TABLE,
    load_replications,
    load_run,
    packed,
    unpacked,
)
from helpers.sums import write_sums
from helpers.workshop.tasks import run_tasks

BUILD = ROOT / "build" / "simulation"
CHUNK = 25  # made cohorts in one task: about a second
SEED, REPLICATIONS = 20240625, 1000
AGAIN = (0, 1, 2)  # of each scenario, made again by `small_check`
SAME = 2e-6  # in units of the estimates: the last digit kept may round otherwise elsewhere


def some_replications(scenario: str, seed: int, first: int, count: int) -> dict:
    """One task: some made cohorts of a scenario, each asked by every estimator."""
    start = time.perf_counter()
    results = [one_replication(scenario, seed, first + k) for k in range(count)]
    return {"results": results, "seconds": round(time.perf_counter() - start, 3)}


def run_simulation(
    seed: int, replications: int, *, scenarios: list[str] | None = None, jobs: int | None = None
) -> tuple[dict[str, list[dict]], float]:
    """Make all cohorts and ask them; the same for any number of workers, and resumable.

    Parameters
    ----------
    seed, replications : int
        Replications of each scenario.
    scenarios : list of str, optional
        By default all of `SCENARIOS`.
    jobs : int, optional

    Returns
    -------
    dict, float
        Scenario to what its replications gave, to six decimals, in order; seconds of all tasks.
    """
    tasks = [
        (scenario, seed, first, min(CHUNK, replications - first))
        for scenario in scenarios or SCENARIOS
        for first in range(0, replications, CHUNK)
    ]
    found = run_tasks(tasks, some_replications, BUILD / f"replications_{seed}.jsonl",
                      jobs=jobs, about="made cohorts, in lots")  # fmt: skip
    results, seconds = {}, 0.0
    for task, result in found.items():
        results.setdefault(json.loads(task)[0], []).extend(map(rounded, result["results"]))
        seconds += result["seconds"]
    return results, seconds


def rounded(result: dict[str, float | None]) -> dict[str, float | None]:
    """To what is kept, so that the table is that of the file."""
    return {name: unpacked(packed(value)) for name, value in result.items()}


def tables(results: dict[str, list[dict]]) -> pd.DataFrame:
    """The summaries of all scenarios, one below the other."""
    parts = []
    for scenario, rows in results.items():
        part = calibration(scenario, rows)
        part.insert(0, "scenario", scenario)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def write_simulation(
    seed: int, results: dict[str, list[dict]], seconds: float, folder=FOLDER
) -> pd.DataFrame:
    """Write table, single results, run and checksums; return the table."""
    folder.mkdir(parents=True, exist_ok=True)
    table = tables(results)
    run = {"seed": seed, "replications": len(next(iter(results.values()))),
           "scenarios": len(results), "seconds": round(seconds)}  # fmt: skip
    for name, frame in ((TABLE, table), (RUN, pd.DataFrame([run]))):
        write_csv(frame, folder / name, digits=8)
    names = list(next(iter(results.values()))[0])
    packs = {
        scenario: np.array([[packed(row[name]) for name in names] for row in rows], np.int32)
        for scenario, rows in results.items()
    }
    np.savez_compressed(folder / SINGLE, names=np.array(names), **packs)
    write_sums(folder)
    return table


def small_check(numbers=AGAIN) -> pd.DataFrame:
    """Some committed cohorts of every scenario made again, and whether they give the same.

    Returns
    -------
    DataFrame
        scenario, number, name (estimator and quantity), kept, again, same.
    """
    seed, rows = int(load_run()["seed"]), []
    for scenario in SCENARIOS:
        kept = load_replications(scenario)
        for number in numbers:
            again = one_replication(scenario, seed, number)
            rows += [(scenario, number, name, kept[number][name], again[name]) for name in again]
    table = pd.DataFrame(rows, columns=["scenario", "number", "name", "kept", "again"])
    numbers_kept, numbers_again = (table[c].astype(float) for c in ("kept", "again"))
    same = np.isclose(numbers_kept, numbers_again, rtol=0, atol=SAME, equal_nan=True)
    return table.assign(same=same)
