"""What the fast engine saves; a benchmark, not a test.

In one run on one machine, so that only the ratios travel: a full answer for 93 patients by each
engine, the kernel's three estimates alone, and the same three by R's survival, greenwood and
scikit-survival; 2,000 bootstrap refits by the kernel and by a loop over lifelines (20 timed); and
one Cox model of 100,000 rows by the kernel and by R. A line says so where R or scikit-survival (no
dependency of this project) is not there.

    python tests/bench/bench_kernel.py
"""

import shutil
import subprocess
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from timing import seconds

from helpers.analysis import analyse
from helpers.cohort import load_cohort
from helpers.fit import kernel
from helpers.regression import cox_table
from helpers.view import View

ROWS, RESAMPLES, TIMED, MANY = 93, 2_000, 20, 100_000

R_ANSWER = """
library(survival)
d <- read.csv("{path}")
f <- Surv(os_time, os_event) ~ arm
one <- function() {{ survfit(f, d); survdiff(f, d); coxph(f, d) }}
invisible(one())
cat(system.time(for (i in 1:200) one())[["elapsed"]] / 200)
"""
R_COX = """
library(survival)
d <- read.csv("{path}")
one <- function() coxph(Surv(time, event) ~ ., d, model = FALSE, y = FALSE)
invisible(one())
cat(system.time(for (i in 1:3) one())[["elapsed"]] / 3)
"""


def in_r(script: str, frame: pd.DataFrame) -> float | None:
    """Seconds the script prints, timed inside R so that starting R is not counted."""
    if not shutil.which("Rscript"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        frame.to_csv(path, index=False)
        command = ["Rscript", "-e", script.format(path=path.as_posix())]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def say(name: str, value: float | None, base: float) -> None:
    if value is None:
        print(f"  {name:<42} not timed: not installed here")
    else:
        print(f"  {name:<42} {1000 * value:10.2f} ms   {value / base:9.3f} x the fast engine")


def arrays_only(frame: pd.DataFrame):
    """The same three estimates as R's, from arrays and without the frames of an answer."""
    time, event = frame["os_time"].to_numpy(float), frame["os_event"].to_numpy()
    arm = (frame["arm"] == "none").to_numpy()

    def work():
        for own in (arm, ~arm):
            kernel.km(time[own], event[own])
        kernel.logrank(time, arm, event)
        kernel.cox(time, event, arm)

    return work


def with_greenwood(frame: pd.DataFrame):
    """The same three by greenwood."""
    import greenwood

    data = frame.assign(x=(frame["arm"] == frame["arm"].iloc[0]).astype(float))
    surv = greenwood.Surv(data["os_time"].to_numpy(float), event=data["os_event"].to_numpy() == 1)

    def work():
        greenwood.KaplanMeier().fit(surv, by=data["x"])
        greenwood.logrank_test(surv, group=data["x"])
        greenwood.CoxPH().fit(surv, data[["x"]])

    return work


def with_scikit_survival(frame: pd.DataFrame):
    """The same three by scikit-survival, or None where it is not installed."""
    try:
        from sksurv.compare import compare_survival
        from sksurv.linear_model import CoxPHSurvivalAnalysis
        from sksurv.nonparametric import kaplan_meier_estimator
        from sksurv.util import Surv
    except ImportError:
        return None
    arm = (frame["arm"] == frame["arm"].iloc[0]).to_numpy()
    time, event = frame["os_time"].to_numpy(float), frame["os_event"].to_numpy() == 1
    outcome, x = Surv.from_arrays(event, time), arm.astype(float)[:, None]

    def work():
        for own in (arm, ~arm):
            kaplan_meier_estimator(event[own], time[own], conf_type="log-log")
        compare_survival(outcome, arm)
        CoxPHSurvivalAnalysis(ties="efron").fit(x, outcome)

    return work


def answers(cohort) -> None:
    for name, view in (("no subgroup", View()), ("a subgroup, with interaction", SUBGROUP)):
        times = {e: seconds(lambda v=view, e=e: analyse(cohort, v, engine=e), 20) for e in ENGINES}
        print(f"Full answer for {len(cohort.frame)} patients, {name}")
        for engine, value in times.items():
            say(f"analyse, {engine}", value, times["fast"])
        say(
            "kernel alone: km + logrank + cox",
            seconds(arrays_only(cohort.frame), 50),
            times["fast"],
        )
        say("R: survfit + survdiff + coxph", in_r(R_ANSWER, cohort.frame), times["fast"])
        for library, made in (
            ("greenwood", with_greenwood),
            ("scikit-survival", with_scikit_survival),
        ):
            work = made(cohort.frame)
            say(f"{library}: the same three", work and seconds(work, 20), times["fast"])
    frame, base = cohort.frame, None
    columns = {"time": "os_time", "event": "os_event", "covariates": ["arm", "age"]}
    print("One Cox table of it, two terms")
    for engine in ENGINES:
        value = seconds(lambda e=engine: cox_table(frame, **columns, engine=e), 20)
        base = base or value
        say(f"cox_table, {engine}", value, base)


ENGINES = ("fast", "lifelines")
SUBGROUP = View.read("{where: [{column: nodes, min: 3}]}")


def resamples(cohort) -> None:
    frame, rng = cohort.frame, np.random.default_rng(5)
    x = pd.DataFrame({"arm": frame["arm"] == "none", "age": frame["age"]}).astype(float)
    counts = rng.multinomial(len(x), np.full(len(x), 1 / len(x)), size=RESAMPLES)
    columns = frame["os_time"], frame["os_event"], x
    base = seconds(lambda: kernel.cox_resamples(*columns, counts), 3)
    data = x.assign(time=frame["os_time"], event=frame["os_event"])

    def loop():
        for count in counts[:TIMED]:
            CoxPHFitter().fit(data.loc[data.index.repeat(count)], "time", "event")

    print(f"{RESAMPLES} bootstrap refits of {len(x)} patients, two terms")
    say("cox_resamples", base, base)
    say(f"lifelines ({TIMED} timed)", seconds(loop, 1) * RESAMPLES / TIMED, base)


def many() -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=(MANY, 5))
    day = np.ceil(rng.exponential(1000 * np.exp(-x @ [0.3, -0.2, 0.1, 0, 0])))
    data = pd.DataFrame(x).add_prefix("x").assign(time=day, event=rng.integers(0, 2, MANY))
    print(f"Cox model of {MANY} rows, five terms")
    base = seconds(lambda: kernel.cox(data["time"], data["event"], x), 3)
    say("kernel.cox", base, base)
    say("R: coxph", in_r(R_COX, data), base)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # lifelines, on resamples it finds hard
    folder = "data/examples/german_breast_cancer"
    german = load_cohort(f"{folder}.csv", f"{folder}.yaml")
    first = replace(german, frame=german.frame.head(ROWS))
    answers(first)
    resamples(first)
    many()
