"""Many numbered tasks on all cores: the same results for any number of workers, resumable."""

import json
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from helpers.workshop.pools import HERE, Pool


def run_tasks(
    tasks: Iterable[tuple], work: Callable, log: Path, *, jobs: int | None = None,
    about: str = "", backend: str | None = None, scheduler: str | None = None,
) -> dict[str, object]:  # fmt: skip
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
        Processes at once, with joblib; default one a core.
    backend : str, optional
        "joblib" for processes of this machine, or "dask" for the workers of a cluster, each of
        which needs this same code and ``--nthreads 1``. By default what
        `helpers.workshop.pools.using` says, which is joblib unless the command line was told
        otherwise.
    scheduler : str, optional
        Address of the Dask scheduler, such as "tcp://localhost:8786".

    Returns
    -------
    dict
        The task as text (`name_of`) to its result, in the order of the tasks.

    Raises
    ------
    PoolError
        The tasks cannot run there; what was done before is kept in the log.
    """
    from tqdm import tqdm

    pool = Pool(backend or "joblib", scheduler) if backend or scheduler else HERE.get()
    tasks = list(tasks)
    done = read_log(log)
    left = [task for task in tasks if name_of(task) not in done]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a+", encoding="utf-8") as file, closing(pool.results(work, left, jobs)) as found:
        end_line(file)
        for task, result in tqdm(found, total=len(left), desc=about, disable=None, leave=False):
            name = name_of(task)
            done[name] = result
            file.write(json.dumps({"task": name, "result": result}) + "\n")
            file.flush()
    return {name_of(task): done[name_of(task)] for task in tasks}


def end_line(file) -> None:
    """End a line that a kill cut short, so that the next one is not lost with it."""
    if end := file.tell():
        file.seek(end - 1)
        if file.read() != "\n":
            file.write("\n")


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
