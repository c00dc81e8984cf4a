"""Folders of stored results that carry checksums, so that an edited file is refused."""

import hashlib
from pathlib import Path

SUMS = "SHA256SUMS"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def checked_file(path: Path, *, folder: str, make: str) -> Path:
    """A file that is as it was written.

    Parameters
    ----------
    folder, make : str
        What an error calls its folder, and what to do.

    Raises
    ------
    ValueError
        It is missing, not listed, or was changed after it was written.
    """
    sums = path.parent / SUMS
    if not (path.is_file() and sums.is_file()):
        missing = path.name if sums.is_file() else SUMS
        raise ValueError(f"{folder}: found no {missing}. {make}")
    listed = dict(line.split()[::-1] for line in sums.read_text(encoding="utf-8").splitlines())
    found, wanted = digest(path), listed.get(path.name, "none")
    if found != wanted:
        raise ValueError(f"{folder}/{path.name}: found sum {found[:12]}, where {SUMS} has "
                         f"{wanted[:12]}. {make}")  # fmt: skip
    return path


def write_sums(folder: Path) -> None:
    """Write the checksums of all files of a folder into it."""
    files = sorted(p for p in folder.iterdir() if p.name != SUMS)
    lines = [f"{digest(path)}  {path.name}" for path in files]
    (folder / SUMS).write_text("\n".join(lines) + "\n", encoding="utf-8")
