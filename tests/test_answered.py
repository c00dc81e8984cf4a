"""What R answers on the data sets of its package survival is answered, and by the same numbers.

A refusal that R does not share is as wrong as a wrong number. R has not answered where it gives
an error or a warning, as of an infinite coefficient; there we may say what we can.
"""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest

from helpers.cohort import ROOT
from helpers.estimators.nonproportional import ph_test, schoenfeld, weighted_logrank
from helpers.estimators.times import rmst_table
from helpers.regression import cox_table
from helpers.survival import km_curve, logrank_test, median_table

FIXTURES = ROOT / "tests" / "fixtures"
SETS = json.loads((FIXTURES / "survival" / "answers.json").read_text())["sets"]
OUTCOMES = [(name, outcome) for name, about in SETS.items() for outcome in about["outcomes"]]
TIMES = {"time": "_time", "event": "_event"}
ENGINES = ("lifelines", "fast")


def close(ours, r, tolerance=1e-6):
    """Equal to R within a relative 1e-6 (1e-12 for what is zero), and missing where R's is."""
    ours, r = (np.asarray(x, dtype=float) for x in (ours, r))
    np.testing.assert_allclose(ours, r, rtol=tolerance, atol=1e-12)


@cache
def patients(name, outcome) -> pd.DataFrame:
    """The patients with an outcome; categories are texts."""
    about, asked = SETS[name], SETS[name]["outcomes"][outcome]
    if about["shipped"]:
        from greenwood import load_dataset

        frame = load_dataset(name, backend="pandas")
        frame = frame.query(about["keep"]) if about["keep"] else frame
    else:
        frame = pd.read_csv(FIXTURES / "data" / "survival" / f"{name}.csv.gz")
    happened = frame[asked["event"]].astype("string") == asked["code"]
    frame = frame.assign(_time=frame[asked["time"]], _event=happened.astype("Int64"))
    return frame[frame["_time"].notna() & frame[asked["event"]].notna()]


def categorical(frame: pd.DataFrame, columns) -> pd.DataFrame:
    """Numbers that stand for groups, as texts."""
    texts = {c: frame[c].map(lambda v: f"{v:g}" if isinstance(v, float | int) else v,
                             na_action="ignore") for c in columns}  # fmt: skip
    return frame.assign(**texts)


@pytest.fixture(params=OUTCOMES, ids=" ".join)
def outcome(request):
    """An outcome of a data set: its patients, and what R answers."""
    name, key = request.param
    return patients(name, key), SETS[name]["outcomes"][key]


def models(outcome):
    """Each model of an outcome that R answers: its patients, covariates and R's answer."""
    frame, asked = outcome
    for model in asked["models"].values():
        if model["answer"] is not None:
            yield categorical(frame, model["categories"]), model["columns"], model["answer"]


def test_r_was_asked_on_many_sets_and_answers_nearly_always():
    answers = [m["answer"] for s, o in OUTCOMES for m in SETS[s]["outcomes"][o]["models"].values()]
    assert len(SETS) >= 25 and len(answers) > 250
    assert sum(a is not None for a in answers) > 0.9 * len(answers)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_cox_model_that_r_answers_is_answered(outcome, engine):
    for frame, columns, r in models(outcome):
        ours = cox_table(frame, **TIMES, covariates=columns, engine=engine).set_index("term")
        assert set(ours.index) == set(r["terms"])
        assert (ours["n"] == r["n"]).all() and (ours["n_event"] == r["n_event"]).all()
        for term, (estimate, error, *_) in r["terms"].items():
            close(ours.loc[term, ["estimate", "std_error"]], [estimate, error])


def test_every_check_of_proportional_hazards_that_r_answers_is_answered(outcome):
    for frame, columns, r in models(outcome):
        ours = ph_test(frame, **TIMES, covariates=columns).set_index("term")
        for term, (*_, statistic, p) in r["terms"].items():
            close(ours.loc[term, ["statistic", "p_value"]], [statistic, p])
        close(ours.loc["GLOBAL", ["statistic", "df", "p_value"]], r["GLOBAL"])


def test_where_there_is_a_check_there_are_its_residuals(outcome):
    for frame, columns, r in models(outcome):
        if len(columns) in (2, 3):
            ours = schoenfeld(frame, **TIMES, covariates=columns)
            mean = ours.groupby("term")["residual"].mean()
            for term, (estimate, *_) in r["terms"].items():
                assert mean[term] == pytest.approx(estimate, rel=1e-6, abs=1e-9)


def grouped(outcome):
    """Each grouping of an outcome: its patients, the column and R's answers."""
    frame, asked = outcome
    for column, r in asked["curves"].items():
        yield categorical(frame.dropna(subset=[column]), [column]), column, r


@pytest.mark.parametrize("engine", ENGINES)
def test_every_log_rank_test_that_r_answers_is_answered(outcome, engine):
    for frame, column, r in grouped(outcome):
        ours = logrank_test(frame, **TIMES, group=column, engine=engine).iloc[0]
        close(ours[["statistic", "df", "p_value"]], r["logrank"])


def test_every_weighted_test_that_r_answers_is_answered(outcome):
    for frame, column, r in grouped(outcome):
        ours = weighted_logrank(frame, **TIMES, group=column)
        for row, name in ((0, "logrank"), (1, "peto")):
            close(ours.loc[row, ["statistic", "df", "p_value"]], r[name])
        two = frame[column].nunique() == 2
        assert ours["p_value"].notna().sum() == (5 if two else 4)


@pytest.mark.parametrize("engine", ENGINES)
def test_medians_and_restricted_means_are_those_of_r(outcome, engine):
    for frame, column, r in grouped(outcome):
        medians = median_table(km_curve(frame, **TIMES, group=column, engine=engine))
        medians = medians.set_index("group")
        means = None
        if all(row[3] is not None for row in r["groups"].values()):
            reference = next(iter(r["groups"]))
            means = rmst_table(frame, **TIMES, group=column, horizon=r["tau"],
                               reference=reference, engine=engine).set_index("group")  # fmt: skip
        for group, (*median, mean, error) in r["groups"].items():
            close(medians.loc[group, ["estimate", "conf_low", "conf_high"]], median)
            if means is not None:
                close(means.at[group, "estimate"], mean)
                close(means.at[group, "std_error"], error or np.nan)  # R: 0 without an event
