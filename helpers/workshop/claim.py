"""The printed numbers as the search needs them, read from data/published.csv."""

import math
from typing import NamedTuple

from helpers.conventions import DAYS_PER_MONTH
from helpers.paper.ledger import claims


class Claim(NamedTuple):
    """What was printed, as the search needs it.

    Pairs are the limits of the true values that print so; medians and follow-up the whole day
    that does; os_p and os_hr_p what P must stay below.
    """

    pfs_cd20: float
    pfs_noncart: float
    os_cd20: float
    os_noncart: float
    followup: float
    ecog_hr: tuple[float, float]
    ecog_low: tuple[float, float]
    ecog_high: tuple[float, float]
    pfs_hr: tuple[float, float]
    pfs_low: tuple[float, float]
    pfs_high: tuple[float, float]
    pfs_hr_p: tuple[float, float]
    pfs_p: tuple[float, float]
    os_hr: tuple[float, float]
    os_low: tuple[float, float]
    os_high: tuple[float, float]
    os_hr_p: float
    os_p: float


def printed_claim() -> Claim:
    """The claim of data/published.csv under the default readings."""
    table = claims().set_index("id")
    pairs = table[["low", "high"]].astype(float).apply(tuple, axis=1)
    days = {name: whole_day(pairs[name]) for name in Claim._fields[:5]}
    limits = {f"{name}_{end}": pairs[f"{name}_hr.{end}"]
              for name in ("ecog", "pfs", "os") for end in ("low", "high")}  # fmt: skip
    below = {
        name: 0.999 * pairs[row][1] for name, row in (("os_hr_p", "os_hr.p"), ("os_p", "os_p"))
    }
    ratios = {name: pairs[name] for name in ("ecog_hr", "pfs_hr", "os_hr", "pfs_p")}
    return Claim(**days, **limits, **below, **ratios, pfs_hr_p=pairs["pfs_hr.p"])


def whole_day(months: tuple[float, float]) -> float:
    """The whole day that prints as a number of months; half-open as printing is."""
    day = math.ceil(months[0] * DAYS_PER_MONTH)
    if not day < months[1] * DAYS_PER_MONTH:
        raise ValueError(f"months: found no whole day from {months[0]} to {months[1]}. To do: "
                         "search in another unit.")  # fmt: skip
    return float(day)
