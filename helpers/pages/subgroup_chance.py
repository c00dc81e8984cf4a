"""What the page on subgroups says of chance: the best of many splits, and where this one stands."""

import numpy as np
import pandas as pd
from scipy.stats import norm

from helpers.estimators.caution import looks
from helpers.estimators.nulls import NULLS, position
from helpers.labels import counted
from helpers.pages.subgroup_asked import NO_TESTS, Asked, Null
from helpers.pages.subgroup_forest import name_of
from helpers.words import bare_p, number, p_value, percent, plain

NAMES = {"permutation": "covariates shuffled", "bootstrap": "outcomes drawn from a model"}
SHOWN = 5  # interactions in the table of the smallest


def best_text(asked: Asked, found: Null) -> pd.DataFrame:
    """The smallest interaction P, multiplied by the tests, and against the best of all splits."""
    if asked.tests.empty:
        return pd.DataFrame({"note": [NO_TESTS]})
    rows, k = [], len(asked.tests)
    for row in asked.tests.head(SHOWN).to_dict("records"):
        p = row["interaction_p"]
        name = name_of(asked, row) + " (invented)" * asked.invented(row)
        among = np.nan
        if len(found.maxima):
            among = position(row["interaction_statistic"], found.maxima)["p_value"].iloc[0]
        rows.append((name, bare_p(p), bare_p(looks(p, k)["adjusted"].iloc[0]), bare_p(among)))
    columns = ["split", "P, interaction", f"times {counted(k, 'test')}", "P, best of all splits"]
    return pd.DataFrame(rows, columns=columns)


def nulls_text() -> pd.DataFrame:
    """In words, the hypothesis that each null stands for."""
    rows = [(NAMES[kind], text) for kind, text in NULLS.items()]
    return pd.DataFrame(rows, columns=["data sets are made by", "what is true in them"])


def two_sided(z: np.ndarray) -> np.ndarray:
    """P values of sizes of z."""
    return 2 * norm.sf(z)


def maxima(nulls: list[Null]) -> dict[str, np.ndarray]:
    """Nulls as `figure_maxima` draws them."""
    return {NAMES[found.kind]: found.maxima for found in nulls}


def caption_maxima(nulls: list[Null]) -> str:
    """What the figure of chance shows."""
    if not any(len(found.maxima) for found in nulls):
        why = dict.fromkeys(found.why for found in nulls)
        return plain(f"No set of data without an interaction was made: {'; '.join(why)}.")
    parts = [
        f"{len(found.maxima):,} data sets with {NAMES[found.kind]}" if len(found.maxima)
        else f"none with {NAMES[found.kind]} ({found.why})"
        for found in nulls
    ]  # fmt: skip
    return plain(
        f"The largest interaction (size of the Wald z) of the {max(n.offered for n in nulls)} "
        f"splits on offer in data without an interaction: {'; '.join(parts)}. The model of the "
        "second has the main effect of the split whose interaction is the largest here."
    )


def read_maxima(nulls: list[Null], z: float) -> str:
    """How often chance alone does as well as the best split here."""
    known = [found for found in nulls if len(found.maxima)]
    if not known or np.isnan(z):
        return "There is no split whose interaction could be compared with chance."
    parts = []
    for found in known:
        row = position(z, found.maxima).iloc[0]
        parts.append(f"in {percent(row['at_least'] / row['shuffles'], 1)} with "
                     f"{NAMES[found.kind]} ({p_value(row['p_value'])})")  # fmt: skip
    return (
        f"The largest z here, in size, is {number(z)}; chance alone does as well or better "
        f"{' and '.join(parts)}."
    )


def alt_maxima(nulls: list[Null], z: float) -> str:
    """The figure of chance for those who do not see it."""
    parts = []
    for found in nulls:
        if len(found.maxima):
            low, middle, high = np.quantile(found.maxima, [0.05, 0.5, 0.95])
            parts.append(
                f"With {NAMES[found.kind]}: middle {number(middle)}, 90 of 100 between "
                f"{number(low)} and {number(high)}."
            )
        else:
            parts.append(f"With {NAMES[found.kind]}: empty ({found.why}).")
    if not any(len(found.maxima) for found in nulls):
        return f"An empty figure of histograms. {read_maxima(nulls, z)}"
    return f"Histograms of the largest z in size. {' '.join(parts)} {read_maxima(nulls, z)}"
