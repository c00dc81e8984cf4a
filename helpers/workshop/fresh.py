"""Whether the executed notebooks are still what the code, the data and the question give.

Contents are compared and not times of change: a checkout, a copy or an editor that saves without
a change makes nothing outdated, and an older file put in place of another does.
"""

import json
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

STAMP = "executed.sha256"  # stands beside the folder of executed notebooks, as timings.csv does


def digest(files: Iterable[Path], parameters: dict) -> str:
    """One number for everything that a run depends on.

    Parameters
    ----------
    files : iterable of Path
        Files, and folders with all below them; what is hidden, compiled or absent is passed over.
    parameters : dict
        What the notebooks are told.

    Returns
    -------
    str
        Equal for equal names and contents, 64 hexadecimal digits.
    """
    total = sha256(json.dumps(parameters, sort_keys=True).encode())
    for given in map(Path, files):
        found = sorted(given.rglob("*")) if given.is_dir() else [given]
        for path in found:
            name = path.relative_to(given.parent)
            passed = any(part.startswith((".", "__pycache__")) for part in name.parts)
            if path.is_file() and not passed:
                total.update(f"{name.as_posix()} {sha256(path.read_bytes()).hexdigest()}".encode())
    return total.hexdigest()


def outdated(notebooks: list[Path], executed: Path, now: str) -> bool:
    """Is a notebook not executed yet, or was it executed from something else than `now`."""
    stamp = executed.parent / STAMP
    missing = any(not (executed / path.name).exists() for path in notebooks)
    return missing or not stamp.exists() or stamp.read_text(encoding="utf-8") != now


def forget(executed: Path) -> None:
    """Call the executed notebooks outdated: some of them are about to be replaced."""
    (executed.parent / STAMP).unlink(missing_ok=True)


def remember(executed: Path, now: str) -> None:
    """Note that every notebook was executed from `now`."""
    (executed.parent / STAMP).write_text(now, encoding="utf-8")
