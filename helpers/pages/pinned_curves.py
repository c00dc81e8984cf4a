"""The page on what the print pins down: its curves, their bands, and what is said of them.

Bands come from `helpers.paper.pinned`. A printed median fences each in by arithmetic: until its
day no curve is below one half, and from then on none is above.
"""

import math

import pandas as pd

from helpers.analysis import analyse
from helpers.cohort import Cohort
from helpers.conventions import DAYS_PER_MONTH
from helpers.pages.pinned_beside import CAVEAT
from helpers.paper import pinned
from helpers.paper.published import load_published
from helpers.view import View
from helpers.words import plain

EDGES = ["low", "high", "print_low", "print_high"]
ROOM = 50  # points that a median alone leaves a curve on any other day: one half at either side
HALF_YEAR = 180  # days; one of those asked about


def own_curves(cohort: Cohort) -> pd.DataFrame:
    """The steps of a cohort: endpoint, arm, time (days), estimate (0 to 1)."""
    parts = []
    for end in ("pfs", "os"):
        curves = analyse(cohort, View(endpoint=end)).curves
        parts.append(curves.rename(columns={"group": "arm"}).assign(endpoint=end))
    return pd.concat(parts)[["endpoint", "arm", "time", "estimate"]]


def printed_medians() -> pd.Series:
    """The day of each printed median, by endpoint and arm."""
    numbers = load_published().set_index("id").loc[["pfs_cd20", "pfs_noncart", "os_cd20",
                                                    "os_noncart"]]  # fmt: skip
    return (numbers.set_index(["endpoint", "arm"])["value"] * DAYS_PER_MONTH).round()


def fenced() -> pd.DataFrame:
    """The bands with two rows more at each printed median, just before that day and on it.

    Returns
    -------
    DataFrame
        As `pinned.bands`, with `asked`: False in the rows of the medians.

    Examples
    --------
    >>> int((~fenced()["asked"]).sum())
    8
    """
    parts = []
    for key, part in pinned.bands().assign(asked=True).groupby(["endpoint", "arm"], sort=False):
        day = printed_medians()[key]
        before, after = part[part["time"] < day], part[part["time"] >= day]
        rows = pd.concat([before.tail(1), after.head(1)]).assign(time=day, asked=False)
        for at, side in enumerate(("low", "high")):  # the curve comes from above and goes below
            columns = [c for c in EDGES if c.endswith(side)]
            rows.iloc[at, rows.columns.get_indexer(columns)] = 0.5
        parts += [before, rows, after]
    return pd.concat(parts, ignore_index=True)


def band_widths() -> pd.DataFrame:
    """Width of each band at each day, by printed numbers alone, in points."""
    table = pinned.bands()
    table = table[table["time"] > 0]
    return table.assign(width=100 * (table["print_high"] - table["print_low"]))


def read_bands() -> str:
    """Where each band is narrowest and widest, and the caveat."""
    said = []
    for (end, arm), part in band_widths().groupby(["endpoint", "arm"], sort=False):
        least, most = part.loc[part["width"].idxmin()], part.loc[part["width"].idxmax()]
        texts = [f"{row['width']:.0f} points at {row['time'] / DAYS_PER_MONTH:.0f} months"
                 for row in (least, most)]  # fmt: skip
        said.append(f"{end.upper()}, {plain(arm)}, {texts[0]} and {texts[1]}")
    return f"Narrowest and widest on the days asked about: {'; '.join(said)}. {CAVEAT}"


def taken_away(widths: pd.Series) -> int:
    """Points that all other numbers take from the room that a median leaves, at most: the range
    found is an inner bound, so that what is really left is no less."""
    return max(0, math.ceil(ROOM - widths.min()))


def room_bands() -> str:
    """How much of the room beside the medians the rest of the print takes away half a year on."""
    table = band_widths()
    away = taken_away(table.loc[table["time"] == HALF_YEAR, "width"])
    return (
        f"A printed median holds its curve on one day and leaves it {ROOM} points of room on any "
        f"other; on day {HALF_YEAR} all other printed numbers together take away at most {away} of "
        "them."
    )


def alt_bands() -> str:
    """The figure of bands, from its numbers."""
    parts = []
    for (end, arm), part in pinned.bands().groupby(["endpoint", "arm"], sort=False):
        at = part[part["time"].isin([180.0, 360.0, 720.0])]
        texts = [f"day {r.time:.0f} {100 * r.print_low:.0f}% to {100 * r.print_high:.0f}%"
                 for r in at.itertuples()]  # fmt: skip
        day = printed_medians()[end, arm]
        parts.append(f"{end.upper()}, {arm}: median day {day:.0f}, {', '.join(texts)}")
    return (
        "Four panels of survival over months, a band in each that starts at 1, narrows to one "
        "half at a ring on the day of the printed median and opens again, with the step curve of "
        f"one cohort inside. {'; '.join(parts)}."
    )
