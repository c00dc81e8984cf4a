"""How numerical code is compiled: cached on disk, and never from a cache that is out of date.

numba looks for changes in the file of a compiled function alone. A function that has compiled
others of another file into itself would go on with what these were; so modules that call compiled
functions of others name them here.
"""

from contextlib import suppress
from pathlib import Path

from numba import njit

fast = njit(cache=True, error_model="numpy")  # a division by zero is not an error but infinite


def forget_when_older(module: str, *others: str) -> None:
    """Throw away the compiled code of a module that is older than a module it calls.

    Parameters
    ----------
    module, *others : str
        Paths of source files: the caller's `__file__`, and those of what it calls.
    """
    path = Path(module)
    changed = max(Path(other).stat().st_mtime for other in others)
    for index in (path.parent / "__pycache__").glob(f"{path.stem}.*.nbi"):
        with suppress(OSError):  # another process may have been first
            if index.stat().st_mtime < changed:
                index.unlink()
