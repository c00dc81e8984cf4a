"""Tasks on other machines: the same numbers, also when a worker or the caller is killed."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import pytest
from cohorts import EXAMPLE, german
from task_work import drawn, fails, kills

from helpers.cohort import ROOT
from helpers.estimators.multiverse import specifications
from helpers.workshop import pools, tasks
from helpers.workshop.cli import main
from helpers.workshop.multiverse_tasks import run_multiverse
from helpers.workshop.pools import Pool, PoolError, using
from helpers.workshop.tasks import run_tasks

TESTS = Path(__file__).parent
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{TESTS}"}
WORKER = ["distributed.cli.dask_worker", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]


class Cluster:
    """A Dask scheduler and its workers, each a process of its own."""

    def __init__(self, stack: ExitStack, folder: Path, **settings: str):
        self.stack, self.file = stack, folder / "scheduler.json"
        self.environment = ENVIRONMENT | settings
        self.scheduler = self.start(
            "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard", "--host",
            "127.0.0.1", "--scheduler-file", str(self.file),
        )  # fmt: skip
        self.workers = [self.worker(), self.worker()]
        self.address = until(lambda: json.loads(self.file.read_text())["address"])

    def start(self, *module: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", *module], env=self.environment, cwd=ROOT,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process

    def worker(self, threads: int = 1) -> subprocess.Popen:
        return self.start(*WORKER, "--nthreads", str(threads), "--scheduler-file", str(self.file))


def until(found, seconds: float = 20):
    """What `found` gives as soon as it gives something without an error."""
    end = time.monotonic() + seconds
    while True:
        try:
            if (value := found()) or time.monotonic() > end:
                return value
        except (OSError, ValueError, KeyError):
            if time.monotonic() > end:
                raise
        time.sleep(0.02)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with ExitStack() as stack:
        yield Cluster(stack, tmp_path_factory.mktemp("cluster"))


def begun(folder: Path) -> dict[int, list[int]]:
    """By task, the processes that began it."""
    marks = {}
    for path in sorted(folder.iterdir()):
        number, process, _ = path.name.split(".")
        marks.setdefault(int(number), []).append(int(process))
    return marks


def lines(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_a_killed_worker_changes_no_number(cluster, tmp_path):
    marks, log = tmp_path / "marks", tmp_path / "dask.jsonl"
    marks.mkdir()
    numbered = [(7, k, str(marks), 0.15) for k in range(24)]
    victim = cluster.workers[0]

    def at_work() -> bool:
        """Whether the victim has just begun a task: then it dies with that in hand."""
        mine = [path for path in marks.iterdir() if f".{victim.pid}." in path.name]
        return lines(log) >= 4 and any(time.time() - p.stat().st_mtime < 0.1 for p in mine)

    def kill():
        until(at_work)
        victim.send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    ours = run_tasks(numbered, drawn, log, backend="dask", scheduler=cluster.address)
    killer.join()
    assert victim.wait(5) == -signal.SIGKILL
    workers = {process for processes in begun(marks).values() for process in processes}
    assert workers == {worker.pid for worker in cluster.workers}  # both had tasks, nobody else
    assert any(len(processes) > 1 for processes in begun(marks).values())  # one was done again
    assert lines(log) == len(numbered)
    for jobs in (1, 2):
        plain = run_tasks(
            [(*t[:2], "", 0.0) for t in numbered], drawn, tmp_path / f"{jobs}", jobs=jobs
        )
        assert list(plain.values()) == list(ours.values())
    assert [json.loads(name)[1] for name in ours] == list(range(24))
    cluster.workers[0] = cluster.worker()


def test_the_multiverse_of_a_cluster_that_lost_a_worker_is_the_same_table(cluster, tmp_path):
    asked = specifications(german(), covariates=["age", "grade", "nodes"], landmarks=[0, 180],
                           censor_at=[None, 1095])  # fmt: skip
    logs = {name: tmp_path / f"{name}.jsonl" for name in ("dask", "one", "two")}
    victim, left = cluster.workers[0], []

    def kill():
        until(lambda: lines(logs["dask"]) >= 2)
        left.append(lines(logs["dask"]))
        victim.send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with using(Pool("dask", cluster.address)):
        ours = run_multiverse(*EXAMPLE, asked, logs["dask"], chunk=1)
    killer.join()
    assert victim.wait(5) == -signal.SIGKILL
    assert left[0] < lines(logs["dask"]) == len(asked)  # it was killed in the middle
    for name, jobs in (("one", 1), ("two", 2)):
        table = run_multiverse(*EXAMPLE, asked, logs[name], jobs=jobs, chunk=9)
        pd.testing.assert_frame_equal(table, ours, check_exact=True)
    cluster.workers[0] = cluster.worker()


RUN = """
import sys
from pathlib import Path
from task_work import drawn
from helpers.workshop.tasks import run_tasks
folder, log, address = sys.argv[1:]
numbered = [(7, k, folder, 0.15) for k in range(16)]
run_tasks(numbered, drawn, Path(log), backend="dask", scheduler=address)
"""


def test_a_killed_run_goes_on_where_it_was(cluster, tmp_path):
    marks, log = tmp_path / "marks", tmp_path / "log.jsonl"
    marks.mkdir()
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, marks, log, cluster.address], env=ENVIRONMENT, cwd=ROOT
    )
    until(lambda: lines(log) >= 4)
    run.kill()
    run.wait()
    before = {json.loads(name)[1] for name in tasks.read_log(log)}
    assert 4 <= len(before) < 16
    until(lambda: not client_count(cluster.address))  # what it left in hand is over
    for path in marks.iterdir():
        path.unlink()
    numbered = [(7, k, str(marks), 0.15) for k in range(16)]
    found = run_tasks(numbered, drawn, log, backend="dask", scheduler=cluster.address)
    assert begun(marks).keys() == set(range(16)) - before
    assert list(found.values()) == [drawn(7, k) for k in range(16)]


def client_count(address: str) -> int:
    """How many callers the scheduler still knows, but for this one."""
    client = pools.connected(address)
    try:
        return client.run_on_scheduler(
            lambda dask_scheduler: sum(bool(c.wants_what) for c in dask_scheduler.clients.values())
        )
    finally:
        client.close()


def test_a_mistake_in_a_task_is_told_as_it_is(cluster, tmp_path):
    with pytest.raises(FileNotFoundError, match="task 3 looks for"):
        run_tasks([(3,)], fails, tmp_path / "log", backend="dask", scheduler=cluster.address)


def test_a_worker_with_other_code_is_refused(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(pools, "code_digest", lambda: "another version")
    with pytest.raises(PoolError, match=r"found other code at .* To do"):
        run_tasks([(1, 1)], drawn, tmp_path / "log", backend="dask", scheduler=cluster.address)


def test_the_command_line_chooses_for_everything_under_it(cluster, tmp_path):
    with using(Pool("dask", cluster.address)):
        found = run_tasks([(1, k, str(tmp_path)) for k in range(2)], drawn, tmp_path / "made" / "l")
    assert list(found.values()) == [drawn(1, 0), drawn(1, 1)]
    marks = [path for path in tmp_path.iterdir() if path.name.count(".") == 2]
    assert {int(path.name.split(".")[1]) for path in marks} <= {w.pid for w in cluster.workers}
    assert pools.HERE.get() == Pool()


def test_a_line_that_a_kill_cut_short_takes_no_other_with_it(tmp_path):
    log = tmp_path / "log.jsonl"
    run_tasks([(1, 0)], drawn, log, jobs=1)
    log.write_text(log.read_text()[:-4])
    run_tasks([(1, 0), (1, 1)], drawn, log, jobs=1)
    assert len(tasks.read_log(log)) == 2


RUN_TASKS = [["calibrate"], ["ensemble", "--seed", "1"], ["study"], ["simulate"], ["multiverse"]]


@pytest.mark.parametrize("verb", RUN_TASKS)
def test_half_a_choice_of_machines_is_refused_in_a_sentence(verb, capsys):
    assert main([*verb, "--scheduler", "tcp://localhost:1"]) == 2
    assert "found tcp://localhost:1 with the backend joblib" in capsys.readouterr().err
    assert main([*verb, "--backend", "dask"]) == 2
    assert re.match(r"scheduler: found none .* To do: give its address", capsys.readouterr().err)
    given = ["--backend", "dask", "--scheduler", "tcp://localhost:1", "--jobs", "2"]
    assert main([*verb, *given]) == 2
    assert "To do: leave --jobs out" in capsys.readouterr().err


def test_an_unreachable_scheduler_is_told_within_seconds_and_without_a_traceback(tmp_path):
    with socket.socket() as taken:  # bound but not listening: nobody answers here
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        start = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "helpers", "calibrate", "--backend", "dask", "--scheduler",
             address, "--out", str(tmp_path)],
            env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert time.monotonic() - start < 30  # of which the imports are some seconds
    assert done.returncode == 2
    assert done.stderr.startswith(f"scheduler: found none at {address} within 10 seconds")
    assert done.stderr.count("\n") == 1


def test_an_address_that_is_none_is_told_too(tmp_path):
    with pytest.raises(PoolError, match="found none at nonsense://there"):
        run_tasks([(1, 1)], drawn, tmp_path / "l", backend="dask", scheduler="nonsense://there")


def test_a_scheduler_that_goes_away_is_told_in_one_sentence_and_what_was_done_is_kept(tmp_path):
    marks, log = tmp_path / "marks", tmp_path / "log.jsonl"
    marks.mkdir()
    with ExitStack() as stack:
        cluster = Cluster(stack, tmp_path)
        run = subprocess.Popen(
            [sys.executable, "-c", RUN, marks, log, cluster.address], env=ENVIRONMENT, cwd=ROOT,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        until(lambda: lines(log) >= 2)
        cluster.scheduler.kill()
        told = run.communicate()[1]
    assert re.search(r"PoolError: scheduler: .* went away .* To do: start the cluster again", told)
    assert told.count("Error: ") == 1 and "distributed" not in told.splitlines()[-1]
    before = lines(log)
    assert 2 <= before < 16
    numbered = [(7, k, str(marks), 0.15) for k in range(16)]
    found = run_tasks(numbered, drawn, log, jobs=2)
    assert list(found.values()) == [drawn(7, k) for k in range(16)]
    assert lines(log) == 16


def test_a_task_that_dask_gives_up_is_handed_in_again_but_not_for_ever(tmp_path, monkeypatch):
    with ExitStack() as stack:
        # Dask then gives a task up with the first worker lost.
        cluster = Cluster(stack, tmp_path, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
        options = {"backend": "dask", "scheduler": cluster.address}
        assert run_tasks([(1, str(tmp_path), 1)], kills, tmp_path / "a", **options) == {
            json.dumps([1, str(tmp_path), 1]): 1
        }
        assert sum(worker.poll() is not None for worker in cluster.workers) == 1
        monkeypatch.setattr(pools, "ROUNDS", 1)
        with pytest.raises(PoolError, match=r"too many workers died .* To do: give each more"):
            run_tasks([(2, str(tmp_path), 9)], kills, tmp_path / "b", **options)


def test_a_worker_of_several_threads_is_refused(tmp_path):
    with ExitStack() as stack:
        cluster = Cluster(stack, tmp_path)
        cluster.workers = [worker.kill() for worker in cluster.workers] + [cluster.worker(2)]
        with pytest.raises(PoolError, match=r"found 2 threads at .* --nthreads 1"):
            run_tasks([(1, 1)], drawn, tmp_path / "l", backend="dask", scheduler=cluster.address)
