"""What the shuffles of all splits cost; a benchmark, not a test.

In one run on one machine, so that only the ratios travel: 2,000 shuffles over every split on offer
in 93 patients (and in 686), by the compiled test and by loops of Cox models with the product term:
the kernel's general one, R's coxph and lifelines, each timed on a few and scaled. Then the forest
of all subgroups, and one piece of a null in 100,000 patients. A line says so where R is not there.

    python tests/bench/bench_nulls.py
"""

import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from timing import seconds

from helpers.cohort import load_cohort
from helpers.estimators.nulls import SHUFFLES, Offer, bootstrap_maxima, offer, permutation_maxima
from helpers.estimators.splits import splits
from helpers.estimators.subgroups import forest
from helpers.fit import kernel
from helpers.view import View

TIMED, MANY = 20, 100_000
R_LOOP = """
suppressMessages(library(survival))
d <- read.csv("{path}")
s <- Surv(d$time, d$event)
one <- function() for (k in grep("^x", names(d))) coxph(s ~ d$arm * d[[k]])
one()
cat(system.time(for (i in 1:{times}) one())[["elapsed"]] / {times})
"""


def in_r(frame: pd.DataFrame) -> float | None:
    """Seconds of one shuffle, timed inside R so that starting R is not counted."""
    if not shutil.which("Rscript"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        frame.to_csv(path, index=False)
        command = ["Rscript", "-e", R_LOOP.format(path=path.as_posix(), times=TIMED)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return float(done.stdout)


def say(name: str, value: float | None, base: float) -> None:
    if value is None:
        print(f"  {name:<46} not timed: not installed here")
    else:
        print(f"  {name:<46} {1000 * value:12.1f} ms  {value / base:10.2f} x the permutation null")


def shuffles(cohort, view: View) -> None:
    ours = offer(cohort, view)
    frame = pd.DataFrame({"time": ours.time, "event": ours.event, "arm": ours.arm})
    inside = {f"x{k}": side for k, side in enumerate(ours.inside) if (side >= 0).all()}
    designs = [
        np.column_stack([ours.arm, side, ours.arm * side]).astype(float) for side in inside.values()
    ]

    def by_kernel():
        for x in designs:
            kernel.cox(ours.time, ours.event, x)

    def by_lifelines():
        for x in designs:
            CoxPHFitter().fit(frame.assign(a=x[:, 0], b=x[:, 1], c=x[:, 2]).drop(columns="arm"),
                              "time", "event")  # fmt: skip

    print(f"{SHUFFLES} shuffles over {len(designs)} splits of {len(frame)} patients")
    base = seconds(lambda: list(permutation_maxima(ours, seed=1)), 5)
    say("permutation_maxima", base, base)
    first = seconds(lambda: next(permutation_maxima(ours, seed=1)), 5)
    say("its first 200, when a page can show progress", first, base)
    say("bootstrap_maxima", seconds(lambda: list(bootstrap_maxima(ours, seed=1)), 5), base)
    say("kernel.cox in a loop (scaled)", seconds(by_kernel, 10) * SHUFFLES, base)
    one = in_r(frame.assign(**inside))
    say("R: coxph in a loop (scaled)", one and one * SHUFFLES, base)
    say("lifelines in a loop (scaled)", seconds(by_lifelines, 2) * SHUFFLES, base)
    table = splits(cohort)
    say("splits: which are on offer", seconds(lambda: splits(cohort), 5), base)
    say("forest of all of them", seconds(lambda: forest(cohort, view, table=table), 5), base)


def many() -> None:
    rng = np.random.default_rng(6)
    arm, inside = rng.integers(0, 2, MANY), rng.integers(0, 2, (20, MANY))
    day, event = np.ceil(rng.exponential(1000 - 300 * arm)), rng.integers(0, 2, MANY)
    names = pd.DataFrame({"column": range(20), "label": "", "level": "", "split": range(20)})
    whole = [v.astype(np.int8) for v in (event, arm, inside)]
    ours = Offer(day, *whole, names, False)
    one = seconds(lambda: next(permutation_maxima(ours, seed=1, chunk=1)), 3)
    print(f"One shuffle over 20 splits of {MANY} patients: {1000 * one:.1f} ms")


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # lifelines, on splits it finds hard
    folder = "data/examples/german_breast_cancer"
    shuffles(load_cohort(), View())
    shuffles(load_cohort(f"{folder}.csv", f"{folder}.yaml"), View())
    many()
