"""The page on bias, its part on choice: weights, balance, three ways to a ratio, and refusal.

Numbers come from `helpers.estimators.weighting` and its curves; here they become tables,
sentences and alt texts.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.analysis import Answer, analyse
from helpers.cohort import Cohort, load_cohort
from helpers.estimators.weighted_curves import weighted_km_curves
from helpers.estimators.weighting import (
    balance_table,
    overlap_problem,
    propensity_weights,
    weighted_cox,
)
from helpers.fit.likelihood import NotEstimable
from helpers.labels import covariate, listed
from helpers.pages.cox_asked import has_adjusted, question, why_nothing, with_adjustment
from helpers.regression import cox_table
from helpers.simulate.cohort import simulate_cohort
from helpers.simulate.dials import Dials
from helpers.simulate.truth import AT_ONCE, CONDITIONAL, MARGINAL, truth
from helpers.survival import km_curve
from helpers.view import View
from helpers.words import lower, number, percent, plain, ratio

MADE = "Simulated with a known truth; no row is a patient."
BASELINE = ["ecog", "burden"]
NAMES = {"ecog": "ECOG", "burden": "Tumour burden"}
WHOLE = {"time": "os_time", "event": "os_event"}
CHOICE = {"ecog_on_choice": -0.6, "burden_on_choice": -0.5}
RISK = {"ecog_on_death": 0.5, "burden_on_death": 0.4}
HIDDEN = {"hidden_treated": 0.2, "hidden_untreated": 0.6, "hidden_on_death": np.log(3)}
HALF = {"log_hr_death": np.log(0.5), "log_hr_progression_free": np.log(0.5)}
WORLDS = {
    "no effect": CHOICE | RISK,
    "half the hazard": CHOICE | RISK | HALF,
    "no effect, and a hidden trait": CHOICE | RISK | HIDDEN,
}
WAYS = ("unadjusted", "adjusted by Cox", "weighted")
FAR_APART = {"ecog_on_choice": -2.5, "burden_on_choice": -2.0}  # chosen almost by rule
# A real cohort that ships with a dependency of this project, for where the rows are not real.
EXAMPLE = [f"data/examples/german_breast_cancer.{kind}" for kind in ("csv", "yaml")]
# All that was recorded of its patients before treatment.
RECORDED = ("age", "estrg_recp", "grade", "menopause", "nodes", "prog_recp", "size")
NUMBERS = ["estimate", "std_error", "conf_low", "conf_high"]
NOTHING_NAMED = "the View names no covariates, and this page chooses none"
SMALL = 0.1  # a standardised difference that is commonly called small


def dials(world: str, patients: int) -> Dials:
    """The dials of a named world of this page."""
    return Dials(patients=patients, **WORLDS[world])


# --- three ways to a ratio ----------------------------------------------------------------------


def three_ways(
    frame: pd.DataFrame, weights: pd.DataFrame | None, *, time: str, event: str,
    covariates: list[str], references: dict[str, str] | None = None, engine: str = "lifelines",
) -> pd.DataFrame:  # fmt: skip
    """Log hazard ratio of two groups unadjusted, adjusted by Cox, and weighted.

    Parameters
    ----------
    frame : DataFrame
        One row per patient.
    weights : DataFrame or None
        From `propensity_weights`; None leaves the weighted way without an estimate.
    time, event : str
        Days and event (1 event, 0 censored).
    covariates : list of str
        The group first, then what is adjusted for.
    references, engine
        As in `helpers.regression.cox_table`.

    Returns
    -------
    DataFrame
        way, estimate, std_error, conf_low, conf_high (log scale), note.
    """
    keys = {"time": time, "event": event, "references": references, "engine": engine}
    models = (
        lambda: cox_table(frame, covariates=covariates[:1], **keys),
        lambda: cox_table(frame, covariates=covariates, **keys),
        lambda: weighted_cox(frame, weights, time=time, event=event),
    )
    rows = []
    for name, fit in zip(WAYS, models, strict=True):
        try:
            if name == "weighted" and weights is None:
                raise NotEstimable("no weights")
            found = fit().iloc[0][NUMBERS].to_dict() | {"note": ""}
        except NotEstimable as why:
            found = dict.fromkeys(NUMBERS, np.nan) | {"note": str(why)}
        rows.append({"way": name} | found)
    return pd.DataFrame(rows)


def crowds(patients: int, *, seed: int) -> dict[str, pd.DataFrame]:
    """A simulated cohort of each world, by its name; the worlds share their patients."""
    return {world: simulate_cohort(dials(world, patients), seed) for world in WORLDS}


def ways_by_world(cohorts: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """`three_ways` in each simulated cohort, with the truth that each way aims at.

    Parameters
    ----------
    cohorts : dict of DataFrame
        From `simulate_cohort`, by the name of their world in `WORLDS`.

    Returns
    -------
    DataFrame
        world, way, truth (log hazard ratio: that of patients alike for the adjusted way, else
        that of a trial in everybody), then as `three_ways`.
    """
    parts = []
    for world, cohort in cohorts.items():
        weights = propensity_weights(cohort, group="infused", treated=1, covariates=BASELINE)
        table = three_ways(
            cohort, weights, **WHOLE, covariates=["infused", *BASELINE], engine="fast"
        )
        found = truths(world)
        table.insert(1, "truth", [found[w == "adjusted by Cox"] for w in table["way"]])
        table.insert(0, "world", world)
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


def truths(world: str) -> tuple[float, float]:
    """The marginal and the conditional log hazard ratio of death in a world."""
    if not dials(world, 93).log_hr_death:
        return 0.0, 0.0  # both futures of everybody are the same
    table = truth(dials(world, 93))
    table = table[(table["estimand"] == AT_ONCE) & (table["endpoint"] == "os")]
    found = table.set_index("quantity")["value"]
    return float(found[MARGINAL]), float(found[CONDITIONAL])


def worlds_text(table: pd.DataFrame) -> pd.DataFrame:
    """`ways_by_world` to read: the ratio, the true one, and the one over the other."""
    rows, before = [], ""
    for _, row in table.iterrows():
        rows.append(
            {"simulated": "" if row["world"] == before else row["world"], "way": row["way"],
             "hazard ratio": ratio(row), "truth": number(np.exp(row["truth"])),
             "ratio over truth": number(np.exp(row["estimate"] - row["truth"]))}
        )  # fmt: skip
        before = row["world"]
    return pd.DataFrame(rows)


def nearer(table: pd.DataFrame, world: str) -> str:
    """Which of adjusting and weighting is nearer to the truth: cox, weights, or neither.

    Neither where the two miss it by amounts that differ by less than a third of the larger.
    """
    rows = table[table["world"] == world].set_index("way")
    off = (rows["estimate"] - rows["truth"]).abs()
    gap = off["adjusted by Cox"] - off["weighted"]
    if abs(gap) < off[["adjusted by Cox", "weighted"]].max() / 3:
        return "neither"
    return "weights" if gap > 0 else "cox"


# --- overlap and balance ------------------------------------------------------------------------


def read_overlap(table: pd.DataFrame) -> str:
    """`overlap_table` in a sentence."""
    rows = table.set_index("group")
    parts = [
        f"the {rows.at[name, 'n']} {name} weigh as {number(rows.at[name, 'effective'], 0)} would"
        for name in ("treated", "untreated")
    ]
    return (
        f"{rows.at['all', 'n_outside']} of {rows.at['all', 'n']} scores lie outside 0.05 to 0.95; "
        f"{' and '.join(parts)}."
    )


def balance(people: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    """`balance_table` of simulated patients, with names to read."""
    table = balance_table(people, weights, covariates=BASELINE)
    return table.assign(term=table["term"].map(NAMES))


def curves(people: pd.DataFrame, weights: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Survival of simulated patients by treatment, raw and weighted."""
    labelled = people.assign(group=np.where(people["infused"] == 1, "treated", "untreated"))
    raw = km_curve(labelled, **WHOLE, group="group")
    return raw, weighted_km_curves(people, weights, **WHOLE)


def read_curves(curves: pd.DataFrame, raw: pd.DataFrame, at: float) -> str:
    """How far the raw and the weighted curves lie apart on a day."""
    gaps = []
    for table in (raw, curves):
        ends = {name: part.loc[part["time"] <= at, "estimate"].iloc[-1]
                for name, part in table.groupby("group")}  # fmt: skip
        gaps.append(number(100 * (ends["treated"] - ends["untreated"]), 0))
    return (
        f"On day {at:g} the treated stand {gaps[0]} points above the untreated in the raw curves "
        f"and {gaps[1]} in the weighted ones; in truth it is none."
    )


def refused(weights: pd.DataFrame) -> str:
    """What is said where weighting is refused."""
    why = overlap_problem(weights)
    return f"Weighted results are withheld: {why}." if why else "Nothing is withheld here."


def alt_overlap(weights: pd.DataFrame) -> str:
    """The histogram of scores, for those who do not see it."""
    middle = weights.groupby("given")["score"].median()
    return (
        f"Two histograms of the propensity score back to back, from 0 to 1, the treated above and "
        f"the untreated below. Medians {middle[True]:.2f} and {middle[False]:.2f}; the two reach "
        f"over most of the same range."
    )


def alt_balance(balance: pd.DataFrame) -> str:
    """The love plot, for those who do not see it."""
    said = "; ".join(
        f"{row.term} {number(row.smd)} before, {number(row.smd_weighted)} after"
        for row in balance.itertuples()
    )
    return f"A row for each covariate with its standardised difference on the axis: {said}."


def alt_curves(curves: pd.DataFrame, raw: pd.DataFrame, at: float) -> str:
    """Weighted and raw curves at one day, for those who do not see them."""
    heights = {}
    for name, table in (("weighted", curves), ("raw", raw)):
        for group, part in table.groupby("group"):
            heights[name, group] = percent(part.loc[part["time"] <= at, "estimate"].iloc[-1])
    said = "; ".join(f"{group}, {name}: {value}" for (name, group), value in heights.items())
    return (
        f"Four step curves of survival, two weighted (thick, with a band) and two raw (thin). On "
        f"day {at:g}, {said}. Patients at risk stand below, as counted and as they weigh."
    )


# --- a real cohort ------------------------------------------------------------------------------


class Own(NamedTuple):
    """A real cohort put to the three ways: the weights, or why there are none."""

    answer: Answer
    frame: pd.DataFrame
    keys: dict
    weights: pd.DataFrame | None
    why: str


def own(cohort: Cohort, view: View) -> Own:
    """The cohort of the page, or the example that is real where its rows were made.

    Balance of rows that a search has made would be balance of its making, so none is computed.
    """
    if cohort.is_paper:
        cohort = load_cohort(*EXAMPLE)
        view = View(horizon=view.horizon, adjust=RECORDED)
    answer = analyse(cohort, with_adjustment(cohort, view))
    if why := why_nothing(answer):
        return Own(answer, pd.DataFrame(), {}, None, why)
    if not has_adjusted(answer) or len(answer.groups) != 2:
        known = len(answer.groups) == 2
        why = NOTHING_NAMED if not answer.view.adjust else "no adjusted model"
        why = why if known else "more than two groups"
        return Own(answer, pd.DataFrame(), {}, None, why)
    frame, keys = question(answer)
    compare, *covariates = keys["covariates"]
    try:
        weights = propensity_weights(
            frame, group=compare, treated=answer.groups[0], covariates=covariates
        )
    except NotEstimable as found:
        return Own(answer, frame, keys, None, str(found))
    return Own(answer, frame, keys, weights, overlap_problem(weights))


def own_text(mine: Own) -> pd.DataFrame:
    """Three ways to the ratio in a real cohort, or why they are not there."""
    if not mine.keys:
        return pd.DataFrame([{"note": f"Nothing to weigh: {mine.why}."}])
    usable = mine.weights if mine.weights is not None and not mine.why else None
    table = three_ways(mine.frame, usable, **mine.keys)
    rows = [{"way": row["way"], "hazard ratio": ratio(row), "error of its log":
             number(row["std_error"])} for _, row in table.iterrows()]  # fmt: skip
    return pd.DataFrame(rows)


def read_own(mine: Own) -> str:
    """Who is compared, by what, and how unlike they were before and after weighting."""
    answer = mine.answer
    who = f"{plain(answer.cohort.name)}, {plain(lower(answer.label))}"
    if mine.weights is None or mine.why:
        return f"{who}: no weighted ratio; {plain(mine.why.rstrip('.'))}."
    columns = mine.keys["covariates"][1:]
    balance = balance_table(mine.frame, mine.weights, covariates=columns)
    before, after = (balance[c].abs().max() for c in ("smd", "smd_weighted"))
    names = plain(listed([covariate(answer.cohort.codebook, column) for column in columns]))
    top, bottom = (plain(group) for group in answer.groups)
    verdict = (
        "" if not after >= SMALL
        else f" That is above {SMALL:g}: weighting has not made the groups alike in what was "
        "recorded, and its ratio is not free of it."
    )  # fmt: skip
    return (
        f"{who}, {top} against {bottom}, weighed by {names}. The largest standardised difference "
        f"is {number(before)} before and {number(after)} after weighting.{verdict}"
    )
