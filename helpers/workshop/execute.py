"""Execute one notebook, or many at once, and leave nothing running behind.

The pool is threads: the work is done by the kernels, which are processes of their own, so one
interpreter with papermill loaded once is faster than several (measured: a fifth) and leaves
fewer things to end. papermill is kept from changing the working folder, which threads share.
"""

import ast
import logging
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import nbformat
import papermill
import psutil
from jupyter_client import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from papermill.execute import remove_error_markers

from helpers.workshop.files import tags

INJECTED = "injected-parameters"  # papermill's tag for the cell it adds
MOST_LINES = 30  # of a message shown on the terminal

# What these log, the reader is told in one line. Without a handler Python would print it on
# stderr, tracebacks and colour codes included.
for _name in ("papermill", "traitlets"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM during a run; its text says how many notebooks had finished."""


@dataclass(frozen=True)
class Outcome:
    """How one notebook went.

    Attributes
    ----------
    name : str
        File name without ``.ipynb``.
    ok : bool
        Every cell ran.
    seconds, kernel_seconds, import_seconds, work_seconds : float
        The whole; until the first cell ran; its first code cell (always the imports); the rest.
    failed_cell : (int, str) or None
        1-based number among the code cells (injected parameters not counted, so that it is the
        same in the source and in the output) and the first line of its source.
    error : str
        ``ename: evalue``, or what happened in words, in one line; empty when ok.
    detail : str
        The full message when it has several lines.
    path : pathlib.Path or None
        The executed notebook, whole or partial.
    """

    name: str
    ok: bool
    seconds: float = 0.0
    kernel_seconds: float = 0.0
    import_seconds: float = 0.0
    work_seconds: float = 0.0
    failed_cell: tuple[int, str] | None = None
    error: str = ""
    detail: str = ""
    path: Path | None = None

    def line(self, width: int = 0) -> str:
        """What a terminal shows: one line, and indented below it the rest of a long message."""
        name = self.name.ljust(width)
        if self.ok:
            return (
                f"{name}  {self.seconds:5.1f} s  (kernel {self.kernel_seconds:.1f}, imports "
                f"{self.import_seconds:.1f}, work {self.work_seconds:.1f})  ok"
            )
        where = ""
        if self.failed_cell:
            number, source = self.failed_cell
            where = (
                f" in code cell {number} (`{source if len(source) < 60 else source[:57] + '...'}`)"
            )
        rest = self.detail.splitlines()[1:]
        if len(rest) > MOST_LINES:
            rest[MOST_LINES:] = [f"... and {len(rest) - MOST_LINES} lines more"]
        return "\n    ".join([f"{name}  FAILED{where}: {self.error}", *rest])


class QuietKernel(AsyncKernelManager):
    """A kernel that keeps off the terminal and, when it ends, takes along what it started."""

    alive: ClassVar[set[psutil.Process]] = set()  # all kernels of this interpreter
    told: ClassVar[dict[str, str]] = {}  # environment variables beside our own

    async def start_kernel(self, **options: Any) -> None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        options["env"] = {**os.environ, **(options.get("env") or {}), **self.told}
        await super().start_kernel(**options, **quiet)
        self.process = psutil.Process(self.provisioner.pid)
        self.alive.add(self.process)

    async def cleanup_resources(self, restart: bool = False) -> None:
        if process := getattr(self, "process", None):
            end(process)
            self.alive.discard(process)
        await super().cleanup_resources(restart)


def end(kernel: psutil.Process) -> None:
    """Kill a kernel and all it started."""
    processes = [kernel]
    with suppress(psutil.Error):
        processes += kernel.children(recursive=True)
    for process in processes:
        with suppress(psutil.Error):
            process.kill()
    # A kernel leads a group of its own, which this reaches even if the kernel died first.
    with suppress(OSError, AttributeError):
        os.killpg(kernel.pid, signal.SIGKILL)


class Watch:
    """Follow one execution through nbclient's hooks: the notebook, where it is, the times."""

    def __init__(self) -> None:
        self.nb: NotebookNode | None = None
        self.index: int | None = None
        self.error: tuple[str, str] | None = None
        self.start, self.ready, self.imported = time.monotonic(), None, None

    def on_notebook_start(self, notebook: NotebookNode) -> None:
        self.nb = notebook

    def on_cell_execute(self, cell: NotebookNode, cell_index: int) -> None:
        self.index = cell_index
        self.ready = self.ready or time.monotonic()

    def on_cell_executed(self, **_: Any) -> None:
        self.imported = self.imported or time.monotonic()

    def on_cell_error(self, execute_reply: dict, **_: Any) -> None:
        reply = execute_reply["content"]
        self.error = self.error or (reply["ename"], reply["evalue"])

    def hooks(self) -> dict[str, Callable]:
        return {name: getattr(self, name) for name in dir(self) if name.startswith("on_")}

    def seconds(self) -> dict[str, float]:
        """The times so far, by the names they have in an `Outcome`."""
        now = time.monotonic()
        ready, imported = self.ready or now, self.imported or now
        return {
            "seconds": now - self.start,
            "kernel_seconds": ready - self.start,
            "import_seconds": imported - ready,
            "work_seconds": now - imported,
        }

    def cell(self) -> tuple[int, str] | None:
        """The number among code cells and the first line of the cell it is at."""
        if self.index is None:
            return None
        code = [cell for cell in self.nb.cells[: self.index + 1] if cell.cell_type == "code"]
        number = sum(INJECTED not in tags(cell) for cell in code)
        return number, code[-1].source.strip().partition("\n")[0]


def execute(
    nb: NotebookNode,
    path: Path,
    parameters: dict,
    stopping: threading.Event,
    told: dict[str, str] | None = None,
) -> tuple[NotebookNode, Outcome]:
    """Execute one notebook in a fresh kernel; whatever goes wrong is told by the outcome.

    Parameters
    ----------
    nb : NotebookNode
        Not changed.
    path : pathlib.Path
        Where it comes from: the kernel works in that folder, as in JupyterLab.
    parameters : dict
        Passed as far as the ``parameters`` cell assigns them.
    stopping : threading.Event
        Set while a run is being ended: a kernel that dies then was killed by us.
    told : dict, optional
        Environment variables for the kernel.

    Returns
    -------
    NotebookNode, Outcome
        The notebook is executed up to the failing cell; the outcome has no path yet.
    """
    watch, failure = Watch(), None
    names = parameter_names(nb)
    try:
        papermill.execute_notebook(
            nb,
            None,  # papermill would write it twice for each cell
            parameters={key: value for key, value in parameters.items() if key in names},
            kernel_name="python3",
            language="python",
            progress_bar=False,
            log_output=False,
            # For the kernel alone; papermill's `cwd` would move the whole process.
            resources={"metadata": {"path": str(path.parent)}},
            kernel_manager_class=type("Kernel", (QuietKernel,), {"told": told or {}}),
            shutdown_kernel="immediate",
            shell_timeout_interval=1,
            **watch.hooks(),
        )
    except Exception as error:
        failure = error

    # papermill puts two cells of its own around an error, which would shift all numbers.
    nb = remove_error_markers(watch.nb or nb)
    seconds, cell = watch.seconds(), watch.cell()
    # An error without an exception: papermill lets a notebook pass that leaves by sys.exit().
    ok = not (failure or watch.error)
    ename, message = watch.error or ("", str(failure or ""))
    if stopping.is_set() and not ok:
        ename, message = "", "interrupted"
    elif isinstance(failure, DeadKernelError) or "Kernel died" in message:
        message = "the kernel died" if cell else "the kernel died before the first cell"
    elif failure and not watch.error:
        ename = type(failure).__name__
    message = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", message).strip()

    nb.metadata.get("papermill", {}).pop("input_path", None)  # would be the whole source again
    for each in nb.cells:
        if INJECTED in tags(each):
            each.id = INJECTED  # papermill draws one at random
    if failure and cell and not watch.error:
        note = nbformat.v4.new_output("error", ename=ename, evalue=message, traceback=[message])
        nb.cells[watch.index].outputs.append(note)
    return nb, Outcome(
        name=path.stem,
        ok=ok,
        failed_cell=None if ok else cell,
        error=": ".join(filter(None, [ename, message.partition("\n")[0]])),
        detail=message if "\n" in message else "",
        **seconds,
    )


def parameter_names(nb: NotebookNode) -> set[str]:
    """The names that the ``parameters`` cell assigns."""
    source = "\n".join(cell.source for cell in nb.cells if "parameters" in tags(cell))
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return set()  # executing the cell will tell
    return {node.id for each in body for node in ast.walk(each)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}  # fmt: skip


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM end a run as Ctrl-C does, and let neither disturb the ending."""
    heard = {}
    if threading.current_thread() is threading.main_thread():  # others may not handle signals
        before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
        heard = {each: old for each, old in before.items() if old not in (None, signal.SIG_IGN)}

    def interrupt(*_: Any) -> None:
        for each in heard:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in heard:
        signal.signal(each, interrupt)
    try:
        yield
    finally:
        for each, old in heard.items():
            signal.signal(each, old)


def in_parallel(
    work: Callable[[Path, threading.Event], Any],
    notebooks: Iterable[Path],
    *,
    jobs: int | None,
    done: Callable[[Any], None],
) -> None:
    """Call ``work`` for each notebook on ``jobs`` threads, and ``done`` here as each finishes.

    However this is left, no kernel is alive afterwards and each started notebook is written.

    Raises
    ------
    Interrupted
        After Ctrl-C or SIGTERM.
    """
    stopping, futures, count = threading.Event(), [], 0
    with interruptible(), ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        try:
            for path in notebooks:
                futures.append(pool.submit(work, path, stopping))
            pending = set(futures)
            while pending:
                # A wait without a limit could not be interrupted on Windows.
                finished, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
                for future in finished:
                    done(future.result())
                    count += 1
        except BaseException as error:
            stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)
            # More than once: a thread may be about to start a kernel.
            while not all(future.done() for future in futures):
                for kernel in list(QuietKernel.alive):
                    end(kernel)
                time.sleep(0.05)
            if isinstance(error, KeyboardInterrupt):
                message = f"Interrupted: {count} of {len(futures)} notebooks finished."
                raise Interrupted(message) from None
            raise
