"""What the tests of tasks let other processes do: importable there, and nothing else."""

import os
import signal
import time
from pathlib import Path

import numpy as np


def drawn(seed: int, number: int, folder: str = "", seconds: float = 0.0) -> list[float]:
    """Numbers that rest on the seed and the number alone; leaves a mark that it was begun."""
    if folder:
        Path(folder, f"{number}.{os.getpid()}.{time.monotonic_ns()}").touch()
    time.sleep(seconds)
    rng = np.random.default_rng([seed, number])
    times = rng.exponential(300, size=93)
    return [float(times.mean()), float(np.log(times).std()), int(rng.integers(1 << 40))]


def fails(number: int) -> int:
    """A task with a mistake in it."""
    raise FileNotFoundError(f"task {number} looks for what is not there")


def kills(number: int, folder: str, times: int) -> int:
    """A task whose first processes die of it, as of too little memory; the next does it."""
    marks = len(list(Path(folder).glob(f"killed.{number}.*")))
    if marks < times:
        Path(folder, f"killed.{number}.{marks}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number
