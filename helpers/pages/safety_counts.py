"""What counts alone say of harm: bounds, intervals, and the printed percentages, as text.

The proportions and bounds are those of `helpers.estimators.response`; `safety_page`
offers all of these.
"""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd

from helpers.cohort import Cohort
from helpers.estimators.response import one_sided_bound, proportion_table
from helpers.paper.ledger import ledger
from helpers.paper.published import load_published
from helpers.words import percent

SWITCH = "5/54 for 9.2%"
# Whole patients behind the two printed percentages, in the arm that had them.
PRINTED = {"crs_g3": 5, "icans_g3": 4}


def zero_bounds(sizes) -> pd.DataFrame:
    """The largest risk that none of n leaves at 95%, exact and by the rule of three.

    Returns
    -------
    DataFrame
        n (patients, none of them with the event), exact (0 to 1), rule (3/n, which may exceed 1).
    """
    n = np.asarray(list(sizes), float)
    return pd.DataFrame({"n": n.astype(int), "exact": one_sided_bound(0, n), "rule": 3 / n})


def zero_text(bounds: pd.DataFrame) -> pd.DataFrame:
    """`zero_bounds` to read; the last column is what the shortcut adds."""
    return pd.DataFrame(
        {
            "patients, none with the event": row.n,
            "exact 95% bound": f"at most {percent(row.exact, 1)}",
            "three over n": percent(row.rule, 1),
            "too high by": f"{100 * (row.rule - row.exact):.1f} points",
        }
        for row in bounds.itertuples()
    )


def alt_bounds(bounds: pd.DataFrame, marks) -> str:
    """The figure of the bound, for those who do not see it."""
    read = ", ".join(
        f"{percent(row.exact)} at {row.n} (three over n: {percent(row.rule)})"
        for row in zero_bounds(marks).itertuples()
    )
    return (
        f"Two falling lines against the number of patients, {bounds['n'].min()} to "
        f"{bounds['n'].max()} on a log axis: the exact bound (solid) and three over n (dashed), "
        f"which lies above it everywhere and leaves the figure where it exceeds 100%. Exact bound: "
        f"{read}."
    )


def counts_text(x, n) -> pd.DataFrame:
    """Counts with their shares and both intervals to read, from `proportion_table`."""
    return pd.DataFrame(
        {
            "patients": f"{row.x} of {row.n}",
            "share": percent(row.estimate, 1),
            "exact 95% interval": limits_of(row.exact_low, row.exact_high),
            "Wilson 95% interval": limits_of(row.wilson_low, row.wilson_high),
        }
        for row in proportion_table(x, n).itertuples()
    )


def limits_of(low: float, high: float) -> str:
    return f"{percent(low, 1)} to {percent(high, 1)}"


def printed_percentages() -> pd.DataFrame:
    """Each printed percentage that has a count, rounded and cut off after the printed digits.

    Returns
    -------
    DataFrame
        quantity, source, count, percent, rounded, cut off, printed; all text.
    """
    numbers = load_published().set_index("id")
    value = numbers["value"]
    arm = int(value["n_cd20"])
    counts = {f"n_{name}.percent": (value[f"n_{name}"], value["n_total"])
              for name in ("cd20", "noncart")}  # fmt: skip
    counts |= {f"crr_{name}.percent": (value[f"crr_{name}"], value[f"crr_{name}.n"])
               for name in ("cd20", "noncart")}  # fmt: skip
    counts |= {name: (x, arm) for name, x in PRINTED.items()}
    rows = []
    for name, (x, n) in counts.items():
        exact = Decimal(int(x)) * 100 / Decimal(int(n))
        place = Decimal(1).scaleb(-int(numbers.at[name, "decimals"]))
        rows.append(
            {
                "quantity": numbers.at[name, "quantity"],
                "source": numbers.at[name, "source"],
                "count": f"{x:.0f}/{n:.0f}",
                "percent": f"{exact:.2f}",
                "rounded": f"{exact.quantize(place, ROUND_HALF_UP)}",
                "cut off": f"{exact.quantize(place, ROUND_DOWN)}",
                "printed": numbers.at[name, "printed"].rstrip("%"),
            }
        )
    return pd.DataFrame(rows)


def reading_text(cohort: Cohort) -> pd.DataFrame:
    """The verdict on the printed share with severe CRS under both readings of it."""
    rows = []
    for reading in ("rounded", "truncated"):
        table = ledger(cohort, readings={SWITCH: reading}).set_index("id")
        row = table.loc["crs_g3"]
        rows.append({"9.2% is read as": reading, "printed": row["printed"],
                     "computed": f"{row['computed']:.2f}%", "verdict": row["verdict"],
                     "reason": row["reason"]})  # fmt: skip
    return pd.DataFrame(rows)


def severe_intervals() -> pd.DataFrame:
    """The two severe counts that the print gives or nearly gives, with their intervals; text."""
    numbers = load_published().set_index("id").loc[["n_cd20", *PRINTED]]
    arm = [int(numbers.at["n_cd20", "value"])] * len(PRINTED)
    text = counts_text(list(PRINTED.values()), arm)
    for at, column in enumerate(("quantity", "printed")):
        text.insert(at, column, numbers.loc[list(PRINTED), column].to_list())
    return text


def recovered_bounds() -> pd.DataFrame:
    """The risk of dying of toxicity that "all recovered" leaves, for each group it may be about.

    Returns
    -------
    DataFrame
        who, and the columns of `zero_bounds`.
    """
    crs, icans = PRINTED.values()
    arm = int(load_published().set_index("id").at["n_cd20", "value"])
    about = {
        "with severe ICANS": icans,
        "with severe CRS": crs,
        "with either, if nobody had both": crs + icans,
        "the whole arm": arm,
    }
    bounds = zero_bounds(about.values())
    bounds.insert(0, "who", list(about))
    return bounds


def recovered_text() -> pd.DataFrame:
    """`recovered_bounds` to read."""
    bounds = recovered_bounds()
    text = zero_text(bounds).drop(columns="too high by")
    text = text.rename(columns={"patients, none with the event": "patients, no toxic death"})
    text.insert(0, "said of those", bounds["who"])
    return text


def silent_table() -> pd.DataFrame:
    """Harms of which the text available to us prints no number, and why one would ask."""
    rows = [
        ("CRS and ICANS below grade 3", "CD20 CAR-T", "needs a bed, a drug, a transfer"),
        ("Prolonged cytopenia", "both", "marrow spent by earlier therapy; low counts for months"),
        ("Infection", "both", "few B cells, antibodies and neutrophils"),
        ("Late immune-effector toxicity", "CD20 CAR-T", "appears after the first weeks"),
        ("Second cancers", "both", "years away; needs follow-up that few had"),
        ("Non-relapse mortality", "both", "deaths that relapse does not explain"),
        ("Any harm of the salvage drugs", "non-CAR-T", "without it there is no comparison"),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["harm", "can happen in", "why one would ask"])
    return table.assign(**{"number in the text available to us": "none"})
