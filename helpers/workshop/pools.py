"""Where numbered tasks run: processes of this machine, or a Dask cluster of many machines.

The command line chooses once (`using`), so that no function between it and `run_tasks` has to pass
the choice on. Dask is imported only when it is asked for.
"""

import argparse
import hashlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from helpers.workshop.given import Refused, whole_number

BACKENDS = ("joblib", "dask")
TIMEOUT = 10  # seconds to reach a scheduler
ROUNDS = 5  # of Dask's own attempts (4 lost workers each) before a task is given up
CODE = Path(__file__).resolve().parents[1]


class PoolError(Refused):
    """The tasks cannot run there; its text says what was found and what to do."""


@dataclass(frozen=True)
class Pool:
    """Where tasks run: `backend` (one of BACKENDS) and, with dask, the address of `scheduler`."""

    backend: str = BACKENDS[0]
    scheduler: str | None = None

    def __post_init__(self):
        if self.backend not in BACKENDS:
            raise PoolError(f"backend: found {self.backend!r}. To do: use {' or '.join(BACKENDS)}.")
        if self.scheduler and self.backend != "dask":
            raise PoolError(
                f"scheduler: found {self.scheduler} with the backend {self.backend}, which uses "
                "none. To do: add --backend dask, or leave --scheduler out."
            )
        if self.backend == "dask" and not self.scheduler:
            raise PoolError(
                "scheduler: found none with the backend dask. To do: give its address, such as "
                "--scheduler tcp://localhost:8786; `dask scheduler` starts one and prints it."
            )

    def results(self, work: Callable, tasks: list[tuple], jobs: int | None) -> Iterator[tuple]:
        """Yield (task, result) of every task, in the order in which they are done."""
        if self.backend == "dask":
            return on_dask(self.scheduler, work, tasks)
        return on_joblib(work, tasks, jobs)


THIS_MACHINE = Pool()
HERE = ContextVar("HERE", default=THIS_MACHINE)


@contextmanager
def using(pool: Pool):
    """Run tasks in a pool, wherever they are started inside this context."""
    token = HERE.set(pool)
    try:
        yield pool
    finally:
        HERE.reset(token)


def may_run_tasks(verb: argparse.ArgumentParser) -> None:
    """The arguments of a verb that runs numbered tasks."""
    verb.add_argument("--jobs", type=whole_number, metavar="N",
                      help="processes at once (default: one a core)")  # fmt: skip
    verb.add_argument("--backend", choices=BACKENDS, default=BACKENDS[0],
                      help="joblib: this machine (default); dask: a cluster")  # fmt: skip
    verb.add_argument("--scheduler", metavar="ADDRESS",
                      help="of the Dask cluster, such as tcp://localhost:8786")  # fmt: skip


def pool_of(args: argparse.Namespace) -> Pool:
    """The pool that a verb was told to use."""
    pool = Pool(getattr(args, "backend", BACKENDS[0]), getattr(args, "scheduler", None))
    if pool.backend == "dask" and args.jobs:
        raise PoolError(
            f"--jobs: found {args.jobs} with --backend dask, whose workers are as many as were "
            "started. To do: leave --jobs out, and start more workers or fewer."
        )
    return pool


def on_joblib(work: Callable, tasks: list[tuple], jobs: int | None) -> Iterator[tuple]:
    """Yield (task, result) from processes of this machine, by default one a core."""
    from joblib import Parallel, delayed

    pool = Parallel(n_jobs=jobs or os.cpu_count(), return_as="generator_unordered")
    yield from pool(delayed(kept)(work, task) for task in tasks)


def kept(work: Callable, task: tuple) -> tuple:
    return task, work(*task)


def on_dask(scheduler: str, work: Callable, tasks: list[tuple]) -> Iterator[tuple]:
    """Yield (task, result) from the workers of a Dask cluster.

    A task whose worker dies is done again by another; since all its randomness is in its
    arguments, it gives the same. Dask gives a task up after some lost workers, whether it was to
    blame or not; where machines come and go that is too soon, so it is then handed in again.

    Raises
    ------
    PoolError
        No Dask here, no scheduler there, other code or several threads on a worker, a task that
        too many workers died of, or a cluster that went away.
    """
    if not tasks:
        return
    client = connected(scheduler)
    from distributed import CancelledError
    from distributed.comm import CommClosedError

    if not client.scheduler_info()["workers"]:
        print(f"{scheduler} has no worker yet; waiting for the first.", file=sys.stderr)
    try:
        with quiet():
            yield from submitted(client, work, tasks)
    except (CancelledError, CommClosedError) as error:
        raise PoolError(
            f"scheduler: {scheduler} went away ({error.__class__.__name__}). To do: start the "
            "cluster again; all that was done is kept, and the same call goes on."
        ) from None
    finally:
        with quiet():
            client.close()  # its tasks are forgotten there once nobody waits for them


def submitted(client, work: Callable, tasks: list[tuple]) -> Iterator[tuple]:
    """Hand all tasks to a cluster and yield (task, result) as they come back."""
    from distributed import KilledWorker, as_completed

    code = code_digest()
    # `pure` would let Dask take two tasks for one.
    futures = {client.submit(on_worker, work, task, code, pure=False): task for task in tasks}
    lost = dict.fromkeys(futures, 0)
    waiting = as_completed(futures, loop=client.loop)
    for future in waiting:
        try:
            result = future.result()
        except KilledWorker:
            lost[future] += 1
            if lost[future] == ROUNDS:
                raise PoolError(
                    f"{futures[future]!r:.100}: found {ROUNDS} times that too many workers died "
                    "while they had this task. To do: give each more memory, or try this task "
                    "alone; all that was done is kept, and the same call goes on."
                ) from None
            future.retry()
            waiting.add(future)
            continue
        future.release()
        yield futures[future], result


def connected(scheduler: str):
    """A client of the scheduler at an address, or a PoolError that says why there is none."""
    try:
        from distributed import Client
    except ImportError:
        raise PoolError(
            "backend: found dask, which is not installed here. To do: pip install -r "
            "requirements.txt."
        ) from None
    try:
        with quiet():
            return Client(scheduler, timeout=TIMEOUT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise PoolError(
            f"scheduler: found none at {scheduler} within {TIMEOUT} seconds "
            f"({error.__class__.__name__}). To do: check the address that `dask scheduler` "
            "printed, and that this machine may reach it."
        ) from None


@contextmanager
def quiet():
    """Keep what Dask logs of its own connections off the screen; errors are told in our words."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def on_worker(work: Callable, task: tuple, code: str):
    """One task on a worker that has the same code as who asked, and does one thing at a time."""
    from distributed import get_worker

    worker = get_worker()
    if (threads := worker.state.nthreads) != 1:
        raise PoolError(
            f"worker: found {threads} threads at {worker.address}; tasks share a process only one "
            "after the other. To do: start it with --nthreads 1, and more workers instead."
        )
    if code_digest() != code:
        raise PoolError(
            f"worker: found other code at {worker.address} than here. To do: give it the same "
            "version of this repository and of requirements.txt, and start it again."
        )
    return work(*task)


@lru_cache(1)
def code_digest() -> str:
    """A digest of the code and of the versions that numbers rest on, to tell machines apart."""
    from importlib.metadata import version

    digest = hashlib.sha256()
    for name in ("numpy", "scipy", "pandas", "numba", "lifelines"):
        digest.update(f"{name} {version(name)}\n".encode())
    for path in sorted(CODE.rglob("*.py")):
        digest.update(path.relative_to(CODE).as_posix().encode() + b"\0")
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()
