"""What a multiverse says: how far its answers spread, and which choice moves them."""

import numpy as np
import pandas as pd

from helpers.conventions import CONFIDENCE
from helpers.estimators.multiverse import CHOICES, NONE, Specification

SCALE = "log hazard ratio"  # what is compared; a plug-in on another scale stands apart
BETTER = {SCALE: -1, "days": 1}  # the sign that favours the first arm
MOVED_COLUMNS = [
    "choice", "levels", "lowest", "highest", "between_means", "held_mean", "held_most", "alone",
    "total", "compared", "note",
]  # fmt: skip


def spread(table: pd.DataFrame) -> pd.DataFrame:
    """How far the answers of a multiverse spread, in one row.

    Parameters
    ----------
    table : DataFrame
        From `helpers.estimators.multiverse.multiverse`.

    Returns
    -------
    DataFrame
        analyses (distinct), withheld, other_scale (in no further column), lowest, middle, highest
        (log hazard ratio; the middle is the median), below (how many are below 0), significant
        (how many have P < 0.05; these are not independent, and no share of them is a P value),
        conf_low, conf_high (the lowest and the highest limit of any: not an interval of 95%).
    """
    known = table[table["estimate"].notna()]
    ours = known[known["scale"] == SCALE]
    value = ours["estimate"]
    row = {
        "analyses": len(table), "withheld": len(table) - len(known),
        "other_scale": len(known) - len(ours), "lowest": value.min(), "middle": value.median(),
        "highest": value.max(), "below": int((value < 0).sum()),
        "significant": int((ours["p_value"] < 1 - CONFIDENCE).sum()),
        "conf_low": ours["conf_low"].min(), "conf_high": ours["conf_high"].max(),
    }  # fmt: skip
    return pd.DataFrame([row])


def directions(table: pd.DataFrame) -> pd.DataFrame:
    """Whom each answer favours, on whatever scale: sign and P are all that scales share.

    Parameters
    ----------
    table : DataFrame
        From `helpers.estimators.multiverse.multiverse`.

    Returns
    -------
    DataFrame
        scale, analyses (with an estimate), first (those that favour the first arm: a log hazard
        ratio below 0, or more days), significant (of these, P below 0.05), second, and
        second_significant.

    Raises
    ------
    ValueError
        A scale of which it is not known what favours whom.
    """
    known, rows = table[table["estimate"].notna()], []
    if unknown := set(known["scale"]) - set(BETTER):
        raise ValueError(f"scale: found {unknown.pop()!r}. To do: use {' or '.join(BETTER)}.")
    for scale, part in known.groupby("scale", sort=False):
        toward = np.sign(part["estimate"]) * BETTER[scale]
        clear = part["p_value"] < 1 - CONFIDENCE
        rows.append((scale, len(part), (toward > 0).sum(), ((toward > 0) & clear).sum(),
                     (toward < 0).sum(), ((toward < 0) & clear).sum()))  # fmt: skip
    return pd.DataFrame(rows, columns=["scale", "analyses", "first", "significant", "second",
                                       "second_significant"])  # fmt: skip


def every_answer(table: pd.DataFrame, asked: list[Specification]) -> pd.DataFrame:
    """The estimate of each specification asked, those merged into one taken apart again.

    Returns
    -------
    DataFrame
        One column per choice and `estimate` (missing where withheld or on another scale), in the
        order asked; choices as text, and the covariates as a tuple.
    """
    rows = {
        number: row.estimate if row.scale == SCALE else np.nan
        for row in table.itertuples() for number in row.same
    }  # fmt: skip
    answer = pd.DataFrame(
        [{name: level(getattr(one, name)) for name in CHOICES} for one in asked], columns=CHOICES
    )
    answer["adjust"] = [one.adjust for one in asked]
    answer["estimate"] = [rows[k] for k in range(1, len(asked) + 1)]
    return answer


def level(value) -> str:
    """A level of a choice as text."""
    if value is None or value == ():
        return NONE
    if isinstance(value, tuple):
        return " + ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def choices_that_move(table: pd.DataFrame, asked: list[Specification]) -> pd.DataFrame:
    """For each choice, how far it moves the log hazard ratio, all others held or averaged over.

    Parameters
    ----------
    table : DataFrame
        From `helpers.estimators.multiverse.multiverse`.
    asked : list of Specification
        What was asked of it. Specifications merged there are taken apart again, so that each way
        through the choices has the same weight.

    Returns
    -------
    DataFrame
        choice (one of CHOICES, or "adjust: column" for a covariate in or out), levels (number of
        them), lowest, highest (levels with the lowest and highest mean), between_means (highest
        less lowest mean, over specifications that differ in nothing else), held_mean, held_most
        (highest less lowest log hazard ratio while everything else is held: mean and largest),
        alone, total (shares of the variance over all specifications), compared (sets of
        specifications that differ in this choice alone), note. Choices with one level are left
        out; sorted by `total`.

    Notes
    -----
    `alone` is the variance of the level means, `total` the mean variance that is left when all
    other choices are held, each over the variance of all: Sobol's first-order and total indices of
    a full factorial. Choices that work together have `total` above `alone`, and the totals then sum
    to more than 1. Where specifications are withheld the factorial has holes: a set counts with
    the levels it has if there are two, and `alone` uses complete sets only.

    References
    ----------
    Saltelli et al. 2010 (both indices), https://doi.org/10.1016/j.cpc.2009.09.018
    """
    every = every_answer(table, asked)
    columns = {name: every[name].map(level) for name in CHOICES}
    covariates = sorted({name for one in asked for name in one.adjust})
    rest = {name: every["adjust"].map(lambda s, n=name: level(tuple(c for c in s if c != n)))
            for name in covariates}  # fmt: skip
    variance = float(every["estimate"].var(ddof=0))
    rows = []
    for name in CHOICES:
        if columns[name].nunique() > 1:
            held = [columns[other] for other in CHOICES if other != name]
            rows.append(moved(name, columns[name], held, every["estimate"], variance))
    for name in covariates:
        inside = every["adjust"].map(lambda s, n=name: "in" if n in s else "out")
        if inside.nunique() > 1:
            held = [columns[other] for other in CHOICES if other != "adjust"] + [rest[name]]
            rows.append(moved(f"adjust: {name}", inside, held, every["estimate"], variance))
    answer = pd.DataFrame(rows, columns=MOVED_COLUMNS)
    return answer.sort_values("total", ascending=False, kind="stable", ignore_index=True)


def moved(name: str, levels: pd.Series, held: list[pd.Series], estimate, variance: float) -> dict:
    """One row of `choices_that_move`."""
    table = pd.DataFrame({"level": levels, "held": pd.Series(zip(*held, strict=True)),
                          "estimate": estimate})  # fmt: skip
    wide = table.pivot(index="held", columns="level", values="estimate")
    wide = wide[wide.notna().sum(axis=1) > 1]
    row = {"choice": name, "levels": levels.nunique(), "compared": len(wide), "note": ""}
    if wide.empty or not variance > 0:
        row["note"] = "no two answers differ in this choice alone" if wide.empty else (
            "all answers are the same")  # fmt: skip
        return row
    spans = wide.max(axis=1) - wide.min(axis=1)
    row |= {"held_mean": spans.mean(), "held_most": spans.max(),
            "total": wide.var(axis=1, ddof=0).mean() / variance}  # fmt: skip
    whole = wide.dropna()
    if whole.empty:
        return row | {"note": "no complete set, so no means to compare"}
    means = whole.mean()
    if len(whole) < len(wide):
        row["note"] = f"means are over {len(whole)} complete sets"
    return row | {
        "lowest": means.idxmin(), "highest": means.idxmax(),
        "between_means": means.max() - means.min(), "alone": means.var(ddof=0) / variance,
    }  # fmt: skip
