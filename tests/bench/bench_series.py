"""How much the series costs over the plain Python it contains; a benchmark, not a test.

In one run on one machine: k copies of a typical notebook (imports, Kaplan-Meier, a figure) by
`run_series`, the same cells as one plain script (imports paid once, one core), and papermill's
command line, one notebook after the other. Only the ratios travel.

    python tests/bench/bench_series.py --copies 10 --repeats 3
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.workshop.series import run_series

IMPORTS = """\
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test"""

CELLS = [
    "SEED = 7  # random seed",
    """\
rng = np.random.default_rng(SEED)
frame = pd.DataFrame({"arm": np.repeat([0, 1], [39, 54]), "age": rng.normal(60, 10, 93)})
frame["time"] = rng.exponential(np.where(frame["arm"] == 1, 400, 250)).round()
frame["event"] = rng.random(93) < 0.7
frame.head()""",
    "frame.groupby('arm')['event'].agg(['size', 'sum'])",
    """\
fitters = {
    arm: KaplanMeierFitter(label=f"arm {arm}").fit(part["time"], part["event"])
    for arm, part in frame.groupby("arm")
}
pd.Series({arm: fitter.median_survival_time_ for arm, fitter in fitters.items()})""",
    """\
figure, ax = plt.subplots()
for fitter in fitters.values():
    fitter.plot_survival_function(ax=ax)
figure.savefig("figure.png")""",
    """\
one, two = (part for _, part in frame.groupby("arm"))
logrank_test(one["time"], two["time"], one["event"], two["event"]).p_value""",
    """\
cox = CoxPHFitter().fit(frame, "time", "event", fit_options={"precision": 1e-10})
cox.summary[["coef", "se(coef)", "p"]]""",
]


def typical() -> nbformat.NotebookNode:
    """A notebook of the house: prose before each code cell, imports first."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nb = new_notebook(metadata={"kernelspec": kernel})
    for number, source in enumerate([IMPORTS, *CELLS]):
        nb.cells.append(new_markdown_cell(f"What cell {number} is for, in a sentence or two."))
        nb.cells.append(new_code_cell(source))
    nb.cells[3].metadata["tags"] = ["parameters"]
    return nb


def timed(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-cli", action="store_true", help="leave the command line out")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        notebooks = [folder / f"{k:02}_copy.ipynb" for k in range(args.copies)]
        for path in notebooks:
            nbformat.write(typical(), path)
        script = folder / "plain.py"
        script.write_text("\n".join([IMPORTS, *CELLS * args.copies]))
        plain = {**os.environ, "MPLBACKEND": "agg"}

        def series(jobs=None):
            outcomes = run_series(
                notebooks, folder / "build" / "notebooks", parameters={"SEED": 8},
                columns=set(), is_paper=True, jobs=jobs, progress=False,
            )  # fmt: skip
            assert all(outcome.ok for outcome in outcomes), outcomes

        def command_line():
            for path in notebooks:
                call = [sys.executable, "-m", "papermill", path, folder / "out.ipynb"]
                call += ["-p", "SEED", "8", "--no-progress-bar"]
                subprocess.run(call, cwd=folder, check=True, stderr=subprocess.DEVNULL)

        ways = {
            "plain script": lambda: subprocess.run(
                [sys.executable, script], cwd=folder, env=plain, check=True
            ),
            "run_series": series,
            "run_series, one job": lambda: series(1),
            "papermill command line": command_line,
        }
        if args.no_cli:
            del ways["papermill command line"]
        ways["plain script"]()  # byte code and font caches, not to be charged to the first
        # Round by round rather than way by way: a busy minute then hits all of them.
        rounds = [{way: timed(call) for way, call in ways.items()} for _ in range(args.repeats)]

    print(f"{args.copies} notebooks, {os.cpu_count()} cores, median of {args.repeats}")
    print(f"{'':24}{'seconds':>9}{'to plain':>10}")
    for way in ways:
        seconds = statistics.median(each[way] for each in rounds)
        ratio = statistics.median(each[way] / each["plain script"] for each in rounds)
        print(f"{way:24}{seconds:9.1f}{ratio:10.2f}")


if __name__ == "__main__":
    main()
