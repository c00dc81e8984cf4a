"""Questions drawn at random, and what must hold of every answer: no number that its patients
cannot carry. ``python tests/random_views.py 100000 SEED`` asks that many; the suite a few hundred.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from cohorts import german, make_cohort

from helpers.analysis import Answer, analyse
from helpers.cohort import Cohort, load_cohort
from helpers.conventions import EVENT_FLOOR, EVENTS_PER_TERM, LARGEST_RATIO
from helpers.estimators.caution import shrunk
from helpers.estimators.comparisons import ESTIMATES
from helpers.estimators.subgroups import sides
from helpers.explorer.honesty import shrinking
from helpers.fit import relabel
from helpers.fit.likelihood import NotEstimable
from helpers.selection import EVENT, GROUP, INSIDE, Notes, select
from helpers.view import View, ViewError, Where, level_text, with_cuts

FEW = 6  # values up to which a number is compared level by level


def cohorts(folder: Path) -> dict[str, Cohort]:
    """Cohorts with tiny groups, groups without events, separation, ties and gaps."""
    rng, made = np.random.default_rng(11), {"synthetic": load_cohort(), "german": german()}
    mapping = "{reference_arm: old, factors: {site: {label: Site}, dose: {type: number}}}"
    n = 40
    kinds = {
        "no events": (rng.integers(1, 900, n), np.zeros(n, int)),
        "all events": (rng.integers(1, 900, n), np.ones(n, int)),
        "few events": (rng.integers(1, 900, n), (np.arange(n) % 9 == 0).astype(int)),
        "heavy ties": (rng.integers(1, 4, n) * 100, rng.integers(0, 2, n)),
        "separated": (np.where(np.arange(n) % 2, 10, 500) + np.arange(n), np.ones(n, int)),
        "half days": (rng.integers(1, 50, n) / 2, rng.integers(0, 2, n)),
    }
    for name, (days, events) in kinds.items():
        (folder / name).mkdir()
        columns = {"os_time": days, "os_event": events,
                   "site": rng.choice([*"ABCD", ""], n, p=[0.5, 0.2, 0.15, 0.05, 0.1]),
                   "dose": np.where(days > np.median(days), 0.001, 0.002) * rng.choice([1, 2], n),
                   "ecog": rng.integers(0, 4, n)}  # fmt: skip
        made[name] = make_cohort(folder / name, columns, mapping)
    (folder / "six").mkdir()
    six = {"os_time": [1, 2, 3, 4, 5, 6], "os_event": [1, 1, 0, 1, 0, 1], "site": list("AABBAB"),
           "dose": [1, 2, 3, 1, 2, 3]}  # fmt: skip
    made["six"] = make_cohort(folder / "six", six, mapping)
    return made


def random_view(cohort: Cohort, rng) -> View:
    """A question that somebody could put together with the controls."""
    factors = [f for f in cohort.factors if cohort.frame[f].notna().any()]
    pick = lambda: factors[rng.integers(len(factors))]  # noqa: E731
    compare = "arm" if rng.random() < 0.7 else cut_of(cohort, pick(), rng)
    where = tuple(
        condition(cohort, pick(), rng) for _ in range(rng.choice(4, p=[0.2, 0.4, 0.3, 0.1]))
    )
    adjust = tuple({pick() for _ in range(rng.choice(4, p=[0.5, 0.25, 0.15, 0.1]))} - {compare})
    last = max(cohort.frame[f"{e}_time"].max() for e in cohort.endpoints)
    landmark = float(rng.integers(0, 200)) if rng.random() < 0.2 else 0.0
    horizon = float(rng.uniform(0.02, 1.0) * last) if rng.random() < 0.8 else None
    return View(
        endpoint=rng.choice(list(cohort.endpoints)), compare=compare, where=where, adjust=adjust,
        landmark=landmark, horizon=horizon, ties=rng.choice(["efron", "breslow"]),
        intervals=rng.choice(["wald", "profile"], p=[0.9, 0.1]),
    )  # fmt: skip


def cut_of(cohort: Cohort, column: str, rng) -> str:
    values = cohort.frame[column].dropna()
    if not pd.api.types.is_numeric_dtype(values) or (
        values.nunique() <= FEW and rng.random() < 0.5
    ):
        return column
    value = float(rng.choice(values))
    return f"{column} >= {value:.12f}".rstrip("0").rstrip(".") if value >= 0 else column


def condition(cohort: Cohort, column: str, rng) -> Where:
    values = cohort.frame[column].dropna()
    if pd.api.types.is_numeric_dtype(values) and rng.random() < 0.7:
        low, high = sorted(rng.choice(values, 2))
        return Where(column, min=float(low), max=float(high), missing=bool(rng.random() < 0.1))
    levels = sorted(level_text(values).unique())
    some = rng.choice(levels, rng.integers(1, min(4, len(levels)) + 1), replace=False)
    return Where(column, values=tuple(sorted(map(str, some))))


def wrong(answer: Answer) -> list[str]:
    """What an answer shows that its patients cannot carry."""
    return [*infinite(answer), *far_ratios(answer), *few_events(answer), *errors_of_nobody(answer)]


def infinite(answer: Answer):
    """Nothing is infinite, and no P or Monte Carlo error lies outside 0 to 1."""
    for name in ("medians", "milestones", "tests", "model", "rmst", "interaction", "curves"):
        table = getattr(answer, name)
        numbers = table.select_dtypes("number").to_numpy(float)
        if np.isinf(numbers).any():
            yield f"{name}: infinite"
        for column in {"p_value", "p_error"} & set(table):
            if ((table[column] < 0) | (table[column] > 1)).any():
                yield f"{name}: {column} outside 0 to 1"
        if {"conf_low", "conf_high"} <= set(table):
            low, middle, high = (
                table[c].to_numpy(float) for c in ("conf_low", "estimate", "conf_high")
            )
            if (low > middle + 1e-9).any() or (middle > high + 1e-9).any():
                yield f"{name}: estimate outside its limits"
    if answer.view.horizon and len(answer.rmst):
        values = answer.rmst[["estimate", "conf_low", "conf_high"]].to_numpy(float)
        if (np.abs(values) > answer.view.horizon + 1e-6).any():
            yield "rmst: beyond the horizon"
    stones = answer.milestones
    if len(stones) and (stones[["estimate", "conf_low", "conf_high"]].abs() > 1 + 1e-9).any(
        axis=None
    ):
        yield "milestones: beyond 100%"


def far_ratios(answer: Answer):
    """No ratio or limit beyond 1/1000 to 1000, and none without its error."""
    for name in ("model", "interaction"):
        table = getattr(answer, name)
        if len(table):
            values = table[["estimate", "conf_low", "conf_high"]].to_numpy(float)
            if (np.abs(values) > np.log(LARGEST_RATIO)).any():
                yield f"{name}: a ratio beyond 1,000"
            known = table["estimate"].notna()
            if table.loc[known, list(ESTIMATES)].isna().any(axis=None):
                yield f"{name}: an estimate without an error"
            if table.loc[~known, list(ESTIMATES)].notna().any(axis=None):
                yield f"{name}: an error without an estimate"


def few_events(answer: Answer):
    """Where the ratio is withheld for few events, so is all that rests on it or on the same few."""
    counts = answer.counts.set_index("group")["events"]
    pairs = [name for name in answer.groups if name != answer.groups[-1]]
    for name in pairs if len(answer.groups) > 1 else []:
        reference = answer.groups[-1]
        few = min(counts[name], counts[reference]) < EVENT_FLOOR
        contrast = f"{name} vs {reference}"
        rows = answer.model[(answer.model["column"] == answer.view.compare)
                            & (answer.model["level"] == name)]  # fmt: skip
        if few and rows["estimate"].notna().any():
            yield "model: a ratio of few events"
        for table in ("rmst", "milestones"):
            found = getattr(answer, table)
            if few and len(found) and (found["group"] == contrast).any():
                yield f"{table}: a difference of few events"
        if few and len(answer.interaction):
            yield "interaction: of few events"
        if few and len(answer.tests) and answer.tests["method"].item() == "chi-squared":
            yield "tests: chi-squared with few events"
    model = answer.model
    own = model[(model["model"] == "unadjusted") & (model["column"] == answer.view.compare)]
    if len(answer.interaction) and (own.empty or own["estimate"].isna().any()):
        yield "interaction: of a ratio that is withheld"
    for _, table in model.groupby("model", sort=False) if len(model) else []:
        enough = table["n_event"].iloc[0] >= EVENTS_PER_TERM * len(table)
        if len(table) > 1 and not enough and table["estimate"].notna().any():
            yield "model: too many terms"
    yield from shrunken(answer)


def shrunken(answer: Answer):
    """An interaction and a shrunken ratio need events on both sides of the subgroup."""
    if not answer.view.where or len(answer.groups) != 2:
        return
    view, cohort = answer.view, answer.cohort
    who = select(with_cuts(cohort, view), view, Notes())
    happened = who.everybody[who.everybody[EVENT] == 1]
    cells = [((happened[GROUP] == g) & (happened[INSIDE] == side)).sum()
             for g in who.groups for side in (0, 1)]  # fmt: skip
    if min(cells) < EVENT_FLOOR and len(answer.interaction):
        yield "interaction: a cell of few events"
    try:
        table = sides(cohort, view)
    except NotEstimable:
        return
    said = dict(shrinking(table)).get("Shrunk", "")
    if min(cells) < EVENT_FLOOR and said.startswith("Hazard ratio"):
        yield "shrunken ratio of few events"
    if table["estimate"].notna().all():
        rows = table[["estimate", "std_error"]].to_numpy(float)
        if not np.isfinite(shrunk(*rows.ravel())["shrunk"]).all():
            yield "shrunken ratio: not finite"


def errors_of_nobody(answer: Answer):
    """No interval or P of a group that cannot have one."""
    counts = answer.counts.set_index("group")
    for name in answer.groups:
        alone = counts.at[name, "patients"] < 2 or counts.at[name, "events"] == 0
        for table in ("rmst", "medians"):
            found = getattr(answer, table)
            if alone and len(found):
                row = found[found["group"] == name]
                if row[["conf_low", "conf_high"]].notna().any(axis=None):
                    yield f"{table}: limits of a group that has none"
    alone = len(answer.groups) == 2 and counts.loc[list(answer.groups), "patients"].min() < 2
    if alone and len(answer.tests):
        yield "tests: a P of one patient"


def ask(number: int, seed: int = 1) -> Counter:
    """Ask so many questions; what was wrong, how often, with the first View that showed it."""
    rng, found = np.random.default_rng(seed), Counter()
    with tempfile.TemporaryDirectory() as folder:
        made = cohorts(Path(folder))
        names = list(made)
        for _ in range(number):
            name = names[rng.integers(len(names))]
            cohort = made[name]
            try:
                view = random_view(cohort, rng)
                answer = analyse(cohort, view, engine="fast")
            except ViewError:
                found["refused"] += 1
                continue
            found["answered"] += 1
            found["with a ratio"] += bool(answer.model["estimate"].notna().any())
            for what in wrong(answer):
                found[f"WRONG {what}"] += 1
                if found[f"WRONG {what}"] == 1:
                    print(what, name, view.text(), file=sys.stderr)
    return found


if __name__ == "__main__":
    relabel.SHUFFLES = 199  # what must hold does so for any number of shuffles, and this is quicker
    print(ask(*map(int, sys.argv[1:3])))
