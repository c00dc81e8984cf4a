"""How fragile a comparison is: counts, survival, patients left out, arms shuffled, rows redrawn.

Numbers come from `helpers.estimators.fragility` and `helpers.estimators.stability`; here they are
asked of the View of a page, and of every cohort that would print the same, and put into words.
"""

from itertools import product

import numpy as np
import pandas as pd

from helpers.analysis import Answer
from helpers.cohort import Cohort
from helpers.estimators.fragility import (
    ALPHA,
    RULES,
    fragility_index,
    moves_until,
    two_sided,
    unevaluable_table,
)
from helpers.estimators.permutation import permutation_test
from helpers.estimators.stability import PAIRS_MOST, bootstrap_ratio, pairs_left_out
from helpers.fit.likelihood import NotEstimable
from helpers.labels import counted, verb
from helpers.pages.asking import why_not_compared
from helpers.pages.cox_asked import compared, model_name, question
from helpers.pages.response_page import only, rates
from helpers.paper import pinned
from helpers.regression import influence_table
from helpers.selection import EVENT, GROUP, TIME, Notes, select
from helpers.words import NOT_DEFINED, bare_p, lower, number, percent, plain, ratio, ratio_text

NAMES_LEFT = {1: "one patient", 2: "two patients"}
SET = "Cohorts found by search, which print the same; none of their rows is a patient"
COUNTS = "From printed numbers: complete responses and patients with a known response."


# --- counts -----------------------------------------------------------------------------------


def counts(cohort: Cohort) -> dict[str, int]:
    """Complete responders and evaluable patients of each arm, and those not evaluable.

    Returns
    -------
    dict
        x1, n1 (first arm), x0, n0 (second), unknown1, unknown0: what
        `helpers.estimators.fragility.unevaluable_table` takes.
    """
    table = rates(cohort.frame, cohort.arms)
    found = {}
    for arm, k in zip(cohort.arms, (1, 0), strict=True):
        among = {name: only(table, "complete response", name).set_index("arm").loc[arm]
                 for name in ("evaluable", "all")}  # fmt: skip
        judged, everybody = (int(among[name]["n"]) for name in ("evaluable", "all"))
        found |= {f"x{k}": int(among["evaluable"]["responders"]), f"n{k}": judged,
                  f"unknown{k}": everybody - judged}  # fmt: skip
    return found


def counts_source(cohort: Cohort) -> str:
    """What the counts rest on: the print, or the response column of a cohort."""
    return COUNTS if cohort.is_paper else cohort.source("response")


def counts_text(cohort: Cohort) -> pd.DataFrame:
    """Worst and best cases of the patients who were not evaluable."""
    table = unevaluable_table(**counts(cohort))
    table = table[table["case"] != ""]
    first, other = cohort.arms
    return pd.DataFrame({
        "case": table["case"].str.replace("the first arm", first),
        first: [f"{r.x1}/{r.n1}" for r in table.itertuples()],
        other: [f"{r.x0}/{r.n0}" for r in table.itertuples()],
        "difference, points": [number(100 * v, 1) for v in table["risk_difference"]],
        "Fisher's P": table["p_value"].map(bare_p),
    })  # fmt: skip


# --- survival ---------------------------------------------------------------------------------


def people(answer: Answer) -> tuple[pd.DataFrame, dict[str, str]]:
    """The patients compared, and the keywords of what compares two groups of them."""
    who = select(answer.cohort, answer.view, Notes())
    return who.data.dropna(subset=[TIME, EVENT, GROUP]), {
        "time": TIME, "event": EVENT, "group": GROUP, "reference": str(who.reference)
    }  # fmt: skip


def indices(asked: list[Answer]) -> pd.DataFrame:
    """The fragility of survival for every endpoint asked, by both rules.

    Returns
    -------
    DataFrame
        endpoint (label), then the columns of
        `helpers.estimators.fragility.fragility_index`; where the groups are not compared, or not
        two, one row with the reason in `note`.
    """
    parts = []
    for answer in asked:
        try:
            if why := why_not_compared(answer):
                raise NotEstimable(why)
            frame, keys = people(answer)
            part = fragility_index(frame, **keys)
        except NotEstimable as error:
            part = pd.DataFrame([{"rule": "any", "note": str(error).removeprefix(f"{EVENT}: ")}])
        part.insert(0, "endpoint", answer.label)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def indices_text(table: pd.DataFrame) -> pd.DataFrame:
    """As a table to read, the rules in words."""
    known = table.reindex(columns=["endpoint", "rule", "better", "p_value", "index", "p_after",
                                   "note"])  # fmt: skip
    shown = pd.DataFrame({
        "endpoint": known["endpoint"].where(known["endpoint"] != known["endpoint"].shift(), ""),
        "who changes arms": known["rule"].map(RULES),
        "better arm": known["better"].fillna(NOT_DEFINED),
        "log-rank P": known["p_value"].map(bare_p),
        "patients moved": known["index"].astype(object).where(known["index"].notna(), NOT_DEFINED),
        "P then": known["p_after"].map(bare_p),
        "note": known["note"].fillna(""),
    })  # fmt: skip
    return shown if shown["note"].any() else shown.drop(columns="note")


def first_index(table: pd.DataFrame) -> float:
    """The index of the first endpoint by the first rule; NaN where there is none."""
    if "index" not in table or pd.isna(table["index"].iloc[0]):
        return np.nan
    return abs(float(table["index"].iloc[0]))


def ensemble_indices() -> pd.DataFrame:
    """The same indices in every stored cohort that prints the published numbers.

    Returns
    -------
    DataFrame
        cohort (number), found ("from scratch", or "at an end of a range"), endpoint (os, pfs),
        rule, index, p_value.

    Notes
    -----
    Each is one way the patients may have been. How they spread between the ends is a trait of
    the search and no probability.
    """
    treated = (np.arange(93) < pinned.CD20).astype(np.int64)
    rows = []
    for found, name in (("from scratch", "members.npz"), ("at an end of a range", "extremes.npz")):
        cohorts = pinned.arrays(name)
        for k, end in product(range(len(cohorts["os_time"])), ("os", "pfs")):
            day = cohorts[f"{end}_time"][k].astype(float)
            event = cohorts[f"{end}_event"][k].astype(np.int64)
            order = np.lexsort((event, -day))
            for rule in RULES:
                moves = moves_until(day[order], event[order], treated[order], rule=rule)
                first, last = (float(two_sided(moves[at][1])) for at in (0, -1))
                index = len(moves) - 1 if first < ALPHA <= last else pd.NA
                rows.append((k, found, end, rule, index, first))
    names = ["cohort", "found", "endpoint", "rule", "index", "p_value"]
    return pd.DataFrame(rows, columns=names).astype({"index": "Int64"})


def ensemble_text(table: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Lowest and highest index over the stored cohorts."""
    rows, before = [], ""
    for (end, rule), part in table.groupby(["endpoint", "rule"], sort=False):
        label, before = "" if end == before else cohort.endpoints[end], end
        scratch = part[part["found"] == "from scratch"]["index"]
        rows.append({
            "endpoint": label, "who changes arms": RULES[rule],
            "lowest": part["index"].min(), "highest": part["index"].max(),
            "from scratch alone": f"{scratch.min()} to {scratch.max()}",
            "without an index": int(part["index"].isna().sum()),
            "log-rank P": " to ".join(dict.fromkeys(
                bare_p(p) for p in (part["p_value"].min(), part["p_value"].max())
            )),
        })  # fmt: skip
    return pd.DataFrame(rows)


# --- patients left out ------------------------------------------------------------------------


def left_out(answer: Answer) -> pd.DataFrame:
    """The hazard ratio with everybody, without each patient, and without every two.

    Returns
    -------
    DataFrame
        left (0, 1 or 2), estimate (log hazard ratio of the fullest model; infinite where a group
        is left without an event), conf_low, conf_high (of 0 alone). Two are left out only where
        that is no more than `helpers.estimators.stability.PAIRS_MOST` refits. Empty where there
        is no ratio.
    """
    none = pd.DataFrame(columns=["left", "estimate", "conf_low", "conf_high"])
    if why_not_compared(answer):
        return none
    rows = answer.model[answer.model["model"] == model_name(answer)]
    row = compared(rows, answer)
    if row.empty or row["estimate"].isna().iloc[0]:
        return none
    frame, keys = question(answer)
    frame = frame.reset_index(drop=True)
    one = influence_table(frame, **keys).dropna(subset=["estimate"])
    parts = [row.head(1).assign(left=0), one.assign(left=1)]
    if pairs(len(frame)) <= PAIRS_MOST:
        two = pairs_left_out(frame, **keys).dropna(subset=["estimate"])
        parts.append(two.assign(left=2))
    return pd.concat([part.reindex(columns=none.columns) for part in parts], ignore_index=True)


def read_left_out(table: pd.DataFrame) -> str:
    """How far one and two patients move the ratio, in a sentence or two."""
    if table.empty:
        return "There is no ratio to leave anybody out of."
    everybody = table.iloc[0]
    said = [f"With everybody the hazard ratio is {ratio(everybody)}"]
    known, n = table[np.isfinite(table["estimate"])], table["left"].value_counts()
    for left, name in NAMES_LEFT.items():
        part = np.exp(known.loc[known["left"] == left, "estimate"])
        if len(part):
            said.append(f"without {name}, {ratio_text(part.min())} to {ratio_text(part.max())}")
    width = everybody["conf_high"] - everybody["conf_low"]
    away = (known["estimate"] - everybody["estimate"]).abs().max()
    text = f"{'; '.join(said)}."
    if len(known) > 1:
        text += f" The farthest of these lies {percent(away / width)} of the interval's width " \
                "away, on the log scale."  # fmt: skip
    lost = table[np.isinf(table["estimate"])]["left"].value_counts()
    for left, name in NAMES_LEFT.items():
        if left in lost:
            text += f" Without {name}, {lost[left]} of {counted(n[left], 'refit')} " \
                    f"{verb(lost[left], 'has', 'have')} no finite ratio, a group being left " \
                    "without an event."  # fmt: skip
    return text


def alt_left_out(table: pd.DataFrame) -> str:
    """The figure for those who do not see it."""
    figure = "Three rows on one log axis, ever denser from top to bottom."
    return f"{'An empty figure.' if table.empty else figure} {read_left_out(table)}"


def caption_left_out(table: pd.DataFrame, answer: Answer) -> str:
    """What the figure shows."""
    if table.empty:
        return f"No hazard ratio of {lower(answer.label)}, so nobody is left out."
    n = table["left"].value_counts()
    told = f"Hazard ratio, {' vs '.join(answer.groups[:2])}, {lower(answer.label)}, "
    told += f"{model_name(answer)} model: with everybody and its 95% interval, "
    told += f"and without each patient ({counted(n.get(1, 0), 'refit')})"
    two = f" and every two ({n.get(2, 0):,} refits)." if 2 in n else "."
    if pairs(n.get(1, 0)) > PAIRS_MOST:
        two = "; pairs would be too many refits."
    return plain(told + two)


def pairs(n: int) -> int:
    """How many pairs of n patients there are."""
    return n * (n - 1) // 2


# --- shuffled and redrawn ---------------------------------------------------------------------


def two_groups(answer: Answer) -> tuple[pd.DataFrame, dict, dict]:
    """The patients compared, and the keywords of a test and of a model of their two groups.

    Raises
    ------
    NotEstimable
        The groups are not compared, or are not two.
    """
    if why := why_not_compared(answer):
        raise NotEstimable(why)
    if len(answer.groups) != 2:
        raise NotEstimable(f"found {len(answer.groups)} groups where two are compared")
    frame, keys = people(answer)
    cox = {"time": TIME, "event": EVENT, "covariates": [GROUP],
           "references": {GROUP: keys["reference"]}}  # fmt: skip
    return frame.reset_index(drop=True), keys, cox


def chance(
    answer: Answer, *, seed: int, shuffles: int, resamples: int, drawn=None, replicates=None
) -> pd.DataFrame:
    """The unadjusted ratio and P by formula, by shuffled arms and by redrawn patients.

    Parameters
    ----------
    answer : Answer
    seed, shuffles, resamples : int
    drawn, replicates : array, optional
        Shuffles and resamples that were drawn elsewhere, as
        `helpers.estimators.permutation.permutation_test` and
        `helpers.estimators.stability.bootstrap_ratio` take them.

    Returns
    -------
    DataFrame
        what, by, found (as text), note; empty where the groups are not compared.
    """
    names = ["what", "by", "found", "note"]
    try:
        frame, keys, cox = two_groups(answer)
        tested = permutation_test(frame, **keys, seed=seed, permutations=shuffles,
                                  drawn=drawn).iloc[0]  # fmt: skip
        redrawn = bootstrap_ratio(frame, **cox, seed=seed, resamples=resamples,
                                  replicates=replicates)  # fmt: skip
    except NotEstimable:
        return pd.DataFrame(columns=names)
    row = compared(answer.model[answer.model["model"] == "unadjusted"], answer).iloc[0]
    error = f"Monte Carlo: {bare_p(tested['conf_low'])} to {bare_p(tested['conf_high'])}"
    rows = [("log-rank P", "chi-squared", bare_p(tested["p_asymptotic"]), ""),
            ("log-rank P", f"{shuffles:,} shuffles of the arms", bare_p(tested["p_value"]), error),
            ("hazard ratio, 95%", "Wald", ratio(row), "")]  # fmt: skip
    rows += [("hazard ratio, 95%", f"bootstrap, {one['interval']}", ratio(one), one["note"])
             for _, one in redrawn.iterrows()]  # fmt: skip
    return pd.DataFrame(rows, columns=names)
