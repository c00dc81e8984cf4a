"""What the paper printed, and the readings it leaves open.

`load_published` reads data/published.csv. `helpers.paper.forensics` computes what the numbers give
away by themselves, `helpers.paper.ledger` compares a cohort with them.
"""

from typing import NamedTuple

import pandas as pd

from helpers.cohort import ROOT
from helpers.conventions import DAYS_PER_MONTH
from helpers.estimators.response import TESTS
from helpers.paper.numbers import read_value

VERDICTS = {
    "follows from printed counts": "an independent check (58% from 54/93)",
    "internally consistent": "interval against P, percentage against count",
    "met by construction": "the synthetic cohort was built to print this; agreement is no evidence",
    "met under a stated reading": "holds for a named choice the text leaves open",
    "cannot be as printed": "no counts or values give it (9.2%)",
    "needs patient data": "nothing available decides it",
}


class Reading(NamedTuple):
    """A choice that the text leaves open."""

    default: str
    alternatives: tuple[str, ...]
    about: str


MONTHS = {"30": 30.0, "30.4": 30.4, "365/12": DAYS_PER_MONTH, "30.42": 30.42,
          "30.4375": 30.4375, "30.44": 30.44, "30.5": 30.5}  # fmt: skip
ADJUSTMENTS = {"ECOG >= 3 and IPI >= 3": ("ecog >= 3", "ipi >= 3"),
               "ECOG >= 3": ("ecog >= 3",), "none": ()}  # fmt: skip
READINGS = {
    "test behind crr_p": Reading("Fisher", TESTS[1:], "The text does not name the test."),
    "month length": Reading(
        "365/12", tuple(m for m in MONTHS if m != "365/12"), "Days that count as one month."
    ),
    "follow-up definition": Reading(
        "reverse Kaplan-Meier", ("survivors only", "plain median"), "Whose follow-up, and how."
    ),
    "tie rule": Reading("Efron", ("Breslow", "exact"), "Handling of ties in Cox models."),
    "ECOG endpoint": Reading("PFS", ("OS",), "The text names PFS and OS, and gives one ratio."),
    "adjustment covariates": Reading(
        "ECOG >= 3 and IPI >= 3", ("ECOG >= 3", "none"), "The text does not name them."
    ),
    "Wald or profile": Reading("Wald", ("profile",), "How the printed intervals were made."),
    "5/54 for 9.2%": Reading("rounded", ("truncated",), "5/54 is 9.26%: truncated, it is 9.2%."),
    "dropped zero": Reading(
        "two decimals", ("as written",), "0.3 stands for 0.30 and 0.8 for 0.80, or not."
    ),
}


def chosen(readings: dict[str, str] | None) -> dict[str, str]:
    """Every reading by name: the default, or what `readings` says instead."""
    for name, value in (readings or {}).items():
        if name not in READINGS or value not in (READINGS[name].default, *READINGS[name][1]):
            known = {k: (v.default, *v.alternatives) for k, v in READINGS.items()}.get(name)
            raise ValueError(f"readings: found {name!r}: {value!r}. To do: use one of "
                             f"{', '.join(known or READINGS)}.")  # fmt: skip
    return {name: reading.default for name, reading in READINGS.items()} | (readings or {})


def load_published() -> pd.DataFrame:
    """Read data/published.csv: one row per printed number, columns as data/README.md says."""
    numbers = dict.fromkeys(("value", "low", "high", "decimals"), float)
    frame = pd.read_csv(ROOT / "data" / "published.csv", dtype=str, keep_default_na=False)
    return frame.assign(**{c: pd.to_numeric(frame[c]).astype(t) for c, t in numbers.items()})


def printing_interval(printed: str, decimals: int | None = None) -> tuple[float, float]:
    """The true values that print so, in the printed unit: low (included) and high (not).

    Parameters
    ----------
    printed : str
        As `helpers.paper.numbers.read_number` reads it: "0.30" is narrower than "0.3".
    decimals : int, optional
        Decimals meant, where a final zero was dropped: ("0.8", 2) is 0.795 to 0.805.

    Raises
    ------
    ValueError
        What of the text is not understood.

    Examples
    --------
    >>> printing_interval("4.04 months"), printing_interval("P < .0001")
    ((4.035, 4.045), (0.0, 0.0001))
    """
    read = read_value(printed, decimals)
    return read.low, read.high


def prints_as(value: float, printed: str, decimals: int | None = None) -> bool:
    """Whether a value, in the printed unit, prints so; halves are rounded up."""
    return read_value(printed, decimals).prints(value)
