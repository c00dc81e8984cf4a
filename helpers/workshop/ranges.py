"""`python -m helpers calibrate --claims FILE --ranges MONTHS`: how far unprinted numbers go.

For any paper, as `helpers.workshop.ensemble` does for its own: of each endpoint the difference in
survival and the time gained up to a month, the events and the unadjusted hazard ratio, driven up
and down in cohorts that print every claim and keep to the rules of the file. Each end is shown by
a cohort, which is written.
"""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.conventions import DAYS_PER_MONTH
from helpers.loading.cells import write_csv
from helpers.rebuild.problem import Problem
from helpers.rebuild.reach import asked, reach, two_starts
from helpers.rebuild.rebuilt_rows import write_rebuilt
from helpers.rebuild.staged import watched_to
from helpers.workshop.calibrate import PARTS, as_lists, problem_of, state_of
from helpers.workshop.given import Refused
from helpers.workshop.tasks import run_tasks

ENDS = ("low", "high")
# How a number is shown: its unit, and the factor from the scale of the search.
SHOWN = {
    "survival_difference": ("points", lambda v: 100 * v),
    "mean_difference": ("months", lambda v: v / DAYS_PER_MONTH),
    "events": ("patients", lambda v: v),
    "unadjusted_hr": ("ratio", math.exp),
}


def endpoint_ranges(seed: int, endpoint: int, day: int, content: str, known: str) -> dict:
    """The numbers of one endpoint driven both ways.

    Parameters
    ----------
    content, known : str
        A checked claims file, and a cohort that meets it as `as_lists` gives one, both as JSON.

    Returns
    -------
    dict
        found (cohorts from a search of its own; where there are none, drives begin at the known
        one), drives (as `reach` logs them), and ends: by number and end its value, on the scale of
        the search, and the rows.
    """
    problem, rows = asked(problem_of(content), endpoint, day)
    starts, found, _ = two_starts(
        problem, rows, [seed, endpoint, day, 1], state_of(json.loads(known))
    )
    cohorts, values, drives = reach(problem, rows, starts, [seed, endpoint, day, 2])
    shown: dict[str, dict] = {}
    for row, column in zip(rows, values.T, strict=True):
        if np.isfinite(column).any():
            best = zip(ENDS, (np.nanargmin(column), np.nanargmax(column)), strict=True)
            shown[row.id] = {
                end: {"value": float(column[at])} | as_lists(cohorts[at]) for end, at in best
            }
    return {"found": found, "drives": drives, "ends": shown}


def day_of(problem: Problem, months: float) -> int:
    """The day up to which survival is compared; refused where nobody is watched so long."""
    longest = watched_to(problem) / DAYS_PER_MONTH
    if not 1 / DAYS_PER_MONTH <= months < longest:
        raise Refused(f"--ranges: found {months:g} months, but by the claims and rules nobody is "
                      f"watched beyond {longest:.1f}. To do: give a month below that.")  # fmt: skip
    return math.floor(months * DAYS_PER_MONTH)


def paper_ranges(
    content: dict,
    known: dict,
    folder: Path,
    *,
    seed: int,
    months: float,
    jobs: int | None = None,
) -> pd.DataFrame:
    """Ranges of a checked claims file, written with the cohorts at their ends.

    Parameters
    ----------
    known : dict
        A cohort that meets every claim and rule, as `as_lists` gives one.

    Returns
    -------
    DataFrame
        endpoint, quantity, unit, low, high (in the unit; NaN where never defined), months, seed,
        found (cohorts to begin with, besides the known one), low_cohort and high_cohort (files).
    """
    text = json.dumps(content, sort_keys=False)
    problem = problem_of(text)
    day = day_of(problem, months)
    rows_known = json.dumps({name: known[name] for name in PARTS})
    tasks = [(seed, e, day, text, rows_known) for e in range(len(problem.endpoints))]
    done = run_tasks(tasks, endpoint_ranges, folder / "ranges.jsonl", jobs=jobs, about="ranges")
    rows = []
    for name, result in zip(problem.endpoints, done.values(), strict=True):
        for quantity, (unit, shown) in SHOWN.items():
            row = {"endpoint": name, "quantity": quantity, "unit": unit}
            for end in ENDS:
                at = result["ends"].get(quantity, {}).get(end)
                row[end] = shown(at["value"]) if at else np.nan
                if at:
                    path = folder / f"range_{name}_{quantity}_{end}.csv"
                    write_rebuilt(content, problem, state_of(at), np.random.default_rng(seed), path)
                    row[f"{end}_cohort"] = path.name
            rows.append(row | {"months": months, "seed": seed, "found": result["found"]})
    table = pd.DataFrame(rows)
    write_csv(table, folder / "ranges.csv", digits=6)
    return table
