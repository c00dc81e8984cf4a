"""The cohort file that numbered tasks read: the same file on every machine, or none."""

import hashlib
from functools import lru_cache

from helpers.cohort import Cohort, load_cohort, resolve


@lru_cache(2)
def loaded(path: str, map_path: str, digest: str) -> Cohort:
    """A cohort, read once in each process and only if it is the file that was meant."""
    if file_digest(path, map_path) != digest:
        raise ValueError(f"{path}: found another file than where the tasks were made. To do: give "
                         "every machine the same cohort and mapping.")  # fmt: skip
    return load_cohort(path, map_path)


def file_digest(path: str, map_path: str) -> str:
    parts = [resolve(name).read_bytes() for name in (path, map_path) if name]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
