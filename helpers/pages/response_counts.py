"""What counts alone say of response: responders needed, and P as responders are added."""

import numpy as np
import pandas as pd

from helpers.estimators import response
from helpers.fit.likelihood import NotEstimable
from helpers.words import bare_p, number

ALPHA = 0.05


def responders_needed(n1: int, n0: int, reference) -> pd.DataFrame:
    """Fewest responders of n1, at a higher rate, with Fisher's P below 0.05, for counts of n0."""
    rows = []
    for x0 in reference:
        counts = (x1 for x1 in range(n1 + 1) if x1 * n0 > x0 * n1)
        found = (x1 for x1 in counts if response.response_p("Fisher", x1, n1, x0, n0) < ALPHA)
        x1 = next(found, np.nan)
        fewest = "no number does" if np.isnan(x1) else f"{x1} of {n1}"
        rows.append((f"{x0} of {n0}", fewest, number(100 * (x1 / n1 - x0 / n0), 1)))
    names = ["reference", "fewest in the other arm", "difference, points"]
    return pd.DataFrame(rows, columns=names)


def p_path(x1: int, n1: int, n0: int, reference, tests) -> pd.DataFrame:
    """P of each test as responders of the reference change: test, x0, p_value (or missing)."""
    rows = []
    for test, x0 in ((test, x0) for test in tests for x0 in reference):
        try:
            rows.append((test, x0, response.response_p(test, x1, n1, x0, n0)))
        except NotEstimable:  # an empty cell in a Wald test
            rows.append((test, x0, np.nan))
    return pd.DataFrame(rows, columns=["test", "x0", "p_value"])


def printed_text(table: pd.DataFrame) -> pd.DataFrame:
    """`forensics.response_tests` as a table: a row per test, a column per comparator."""
    lines = {}
    for row in table.to_dict("records"):
        shown = f"{row['p_value']:.4f}" + ", prints 0.03" * row["prints"]
        shown += "" if row["significant"] else ", above 0.05"
        line = lines.setdefault(row["test"], {"test": row["test"]})
        line[f"against {row['responders']}/{row['patients']}"] = shown
    return pd.DataFrame(list(lines.values()))


def alt_path(path: pd.DataFrame, observed: int) -> str:
    """The figure of P against responders for those who do not see it."""
    parts = []
    for test, part in path.groupby("test", sort=False):
        values = part.set_index("x0")["p_value"]
        read = (f"{bare_p(values[x])} at {x}" for x in (observed, observed + 1))
        parts.append(f"{test} {', '.join(read)}")
    return f"P on a log axis against responders of the comparator: {'; '.join(parts)}."
