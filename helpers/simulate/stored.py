"""data/simulation: how each estimator did in many made cohorts, measured once and kept.

The page reads the table; every single estimate it sums up is kept beside it, in millionths, so
that the table can be computed again and any cohort of it made again.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.cohort import ROOT
from helpers.sums import SUMS, checked_file

FOLDER = ROOT / "data" / "simulation"
TABLE, RUN, SINGLE = "calibration.csv", "run.csv", "replications.npz"
MILLION = 1_000_000
WITHHELD = np.iinfo(np.int32).min
MAKE = "To do: take data/simulation from the repository, or make it: python -m helpers simulate."


def is_there() -> bool:
    """Whether the study is shipped with this copy."""
    return (FOLDER / SUMS).is_file()


@cache
def checked(name: str) -> Path:
    """A file of data/simulation that is as it was written.

    Raises
    ------
    ValueError
        It is missing, not listed, or was changed after it was written.
    """
    return checked_file(FOLDER / name, folder="data/simulation", make=MAKE)


def load_calibration() -> pd.DataFrame:
    """Bias, coverage and rejections of each estimator in each scenario.

    Returns
    -------
    DataFrame
        scenario, then the columns of `helpers.simulate.calibration.calibration`.
    """
    return pd.read_csv(checked(TABLE))


def load_run() -> pd.Series:
    """seed, replications (of each scenario), scenarios, and seconds of all tasks."""
    return pd.read_csv(checked(RUN)).iloc[0]


def load_replications(scenario: str) -> list[dict[str, float | None]]:
    """What `helpers.simulate.calibration.one_replication` gave, to six decimals, in order."""
    with np.load(checked(SINGLE)) as file:
        names, values = [str(name) for name in file["names"]], file[scenario]
    return [dict(zip(names, map(unpacked, row), strict=True)) for row in values]


def packed(value: float | None) -> int:
    """A number in millionths, or the mark of one that is withheld."""
    return WITHHELD if value is None else round(value * MILLION)


def unpacked(value: int) -> float | None:
    """The number of `packed`, to six decimals."""
    return None if value == WITHHELD else int(value) / MILLION
