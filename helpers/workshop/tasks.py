"""Many numbered tasks on all cores: the same results for any number of workers, resumable."""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path


def run_tasks(
    tasks: Iterable[tuple], work: Callable, log: Path, *, jobs: int | None = None, about: str = ""
) -> dict[str, object]:
    """Do every task once and keep what it gave.

    Parameters
    ----------
    tasks : iterable of tuple
        The arguments of each task: numbers and texts. All randomness must come from them.
    work : callable
        ``work(*task)`` gives something JSON can hold. It must be importable by name.
    log : Path
        One JSON line per task done; what stands there is not done again.
    jobs : int, optional
        Processes at once; default one a core.

    Returns
    -------
    dict
        The task as text (`name_of`) to its result, in the order of the tasks.
    """
    from joblib import Parallel, delayed
    from tqdm import tqdm

    tasks = list(tasks)
    done = read_log(log)
    left = [task for task in tasks if name_of(task) not in done]
    log.parent.mkdir(parents=True, exist_ok=True)
    pool = Parallel(n_jobs=jobs or os.cpu_count(), return_as="generator_unordered")
    with log.open("a", encoding="utf-8") as file:
        results = pool(delayed(named)(work, task) for task in left)
        for name, result in tqdm(results, total=len(left), desc=about, disable=None, leave=False):
            done[name] = result
            file.write(json.dumps({"task": name, "result": result}) + "\n")
            file.flush()
    return {name_of(task): done[name_of(task)] for task in tasks}


def named(work: Callable, task: tuple):
    return name_of(task), work(*task)


def name_of(task: tuple) -> str:
    """A task as text."""
    return json.dumps(task)


def read_log(log: Path) -> dict[str, object]:
    """What a log holds; a line that a kill cut short is left out."""
    done = {}
    if log.exists():
        for line in log.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue
            done[row["task"]] = row["result"]
    return done
