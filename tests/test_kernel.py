"""The fast engine says what lifelines and R say, to 1e-8, or withholds for the same reason."""

import json
import subprocess
import sys
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from cohorts import german, make_cohort
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from test_against_r import CASES, FIXTURES, Case

from helpers.analysis import Answer, analyse
from helpers.cohort import ROOT
from helpers.fit import kernel
from helpers.regression import NotEstimable, cox_table, design
from helpers.survival import km_curve, logrank_test
from helpers.view import View

GERMAN = german()
TERM = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]


def close(ours, theirs, tolerance=1e-8):
    ours, theirs = (np.asarray(x, dtype=float) for x in (ours, theirs))
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_curves_and_log_rank_equal_r(name):
    case = Case(name)
    curves = km_curve(case.frame, **case.grouped, engine="fast")
    for group in case.groups:
        ours, r = curves[curves["group"] == group], case.r["curves"][group]
        for column in r:
            close(ours[column], r[column])
    test = logrank_test(case.frame, **case.grouped, engine="fast").iloc[0]
    for column in ("statistic", "df", "p_value"):
        close(test[column], case.r["logrank"][column])


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("model", ["cox_unadjusted", "cox_adjusted"])
def test_hazard_ratios_equal_r(name, model):
    case = Case(name)
    covariates = ["group", *(case.adjust if model == "cox_adjusted" else [])]
    frame = case.frame.dropna(subset=covariates)
    matrix, terms = design(frame, covariates, {"group": case.reference})
    rows = frame[case.columns["time"]], frame[case.columns["event"]], matrix
    estimate, error, log_likelihood = kernel.cox(*rows)
    r = case.r[model]
    if r is None:
        if model == "cox_unadjusted" or case.adjust:
            assert np.isnan(estimate).all() and np.isnan(error).all() and np.isnan(log_likelihood)
        return
    for i, term in enumerate(terms["term"].str.removeprefix("group: ")):
        close(estimate[i], r[term]["estimate"])
        close(error[i], r[term]["std_error"])
    close(log_likelihood, case.r["cox_fit"][model.removeprefix("cox_")]["loglik"])


def test_case_weights_are_those_of_r():
    case = Case("veteran_treatment")
    r = json.loads((FIXTURES / "kernel" / "veteran_weights.json").read_text())
    weights = np.array(r["weights"])
    time, event = (case.frame[column] for column in case.columns.values())
    for model, columns in (("unadjusted", ["group"]), ("adjusted", ["group", *case.adjust])):
        matrix, terms = design(case.frame, columns, {"group": case.reference})
        estimate, error, _ = kernel.cox(time, event, matrix, weights=weights)
        for i, term in enumerate(terms["term"].str.removeprefix("group: ")):
            close(estimate[i], r[f"cox_{model}"][term]["estimate"])
            close(error[i], r[f"cox_{model}"][term]["std_error"])
    for group in case.groups:
        own = (case.frame["group"] == group).to_numpy()
        table = kernel.km(time[own], event[own], weights=weights[own])
        for i, column in enumerate(["time", "n_risk", "n_event", "n_censor", "estimate"]):
            close(table[:, i], r["curves"][group][column])


def test_a_resample_is_the_cohort_with_its_rows_repeated():
    case, rng = Case("veteran_treatment"), np.random.default_rng(4)
    columns = ["group", "karnofsky_score", "age_in_years"]
    matrix, _ = design(case.frame, columns, {"group": case.reference})
    n = len(case.frame)
    counts = rng.multinomial(n, np.full(n, 1 / n), size=6)
    time, event = (case.frame[column] for column in case.columns.values())
    estimates, errors = kernel.cox_resamples(time, event, matrix, counts)
    for estimate, error, count in zip(estimates, errors, counts, strict=True):
        table = cox_table(
            case.frame.loc[case.frame.index.repeat(count)], **case.columns, covariates=columns,
            references={"group": case.reference},
        )  # fmt: skip
        close(estimate, table["estimate"])
        close(error, table["std_error"])


def test_a_resample_without_a_finite_ratio_is_missing_and_the_others_are_not():
    time, event = np.arange(1.0, 13), np.array([1, 0, 1, 1] * 3)
    x = np.repeat([0.0, 1.0], [4, 8])
    x[9] = 0.0
    whole, separated, one_arm = np.ones(12, int), np.ones(12, int), np.ones(12, int)
    separated[9] = 0
    one_arm[x == 1] = 0
    counts = [whole, separated, one_arm, whole, np.zeros(12, int)]
    estimates, errors = kernel.cox_resamples(time, event, x, counts)
    missing = [False, True, True, False, True]
    assert list(np.isnan(estimates[:, 0])) == list(np.isnan(errors[:, 0])) == missing
    close(estimates[0], kernel.cox(time, event, x)[0])


def test_a_skewed_covariate_does_not_throw_the_kernel_off():
    """One value far out, where a full Newton step overshoots."""
    rng = np.random.default_rng(11)
    for _ in range(20):
        n = int(rng.integers(30, 90))
        x = np.exp(rng.normal(0, 3, n))
        frame = pd.DataFrame(
            {
                "x": x, "z": rng.normal(size=n), "event": rng.integers(0, 2, n),
                "time": np.ceil(rng.exponential(60 / (1 + np.log1p(x)))),
            }
        )  # fmt: skip
        answers = {}
        for engine in ("lifelines", "fast"):
            try:
                answers[engine] = cox_table(
                    frame, time="time", event="event", covariates=["x", "z"], engine=engine
                )
            except NotEstimable as error:
                answers[engine] = str(error)
        if isinstance(answers["fast"], str):
            assert answers["fast"] == answers["lifelines"]
        else:
            close(answers["fast"][TERM], answers["lifelines"][TERM])


def assert_engines_agree(cohort, view):
    slow, fast = (analyse(cohort, view, engine=engine) for engine in ("lifelines", "fast"))
    assert slow.groups == fast.groups
    for field in fields(Answer):
        ours, named = getattr(fast, field.name), getattr(slow, field.name)
        if isinstance(named, pd.DataFrame):
            pd.testing.assert_frame_equal(
                ours, named, check_exact=False, rtol=1e-8, atol=1e-10, obj=field.name
            )


VIEWS = [
    (ROOT / "data" / "examples" / "view.yaml").read_text(),
    "{}",
    "{endpoint: rfs, adjust: [age, grade, nodes]}",
    "{compare: grade, reference: 2, adjust: [age, size]}",
    "{compare: grade, where: [{column: nodes, max: 3}], horizon: 1095}",
    "{landmark: 365, adjust: [age], horizon: 1000}",
    "{where: [{column: nodes, min: 4}], adjust: [grade]}",
    "{where: [{column: age, max: 40}, {column: grade, in: [3]}], horizon: 730}",
    "{where: [{column: age, min: 999}]}",
    "{where: [{column: arm, in: [none]}]}",
    "{horizon: 9999}",
]


@pytest.mark.parametrize("text", VIEWS)
def test_both_engines_give_the_same_answer_to_a_view(text):
    assert_engines_agree(GERMAN, View.read(text))


patients = st.lists(
    st.tuples(
        st.integers(0, 9), st.integers(0, 1), st.sampled_from(["new", "old"]),
        st.sampled_from([-1, 0, 0.5, 1, 40]), st.sampled_from("abc"),
    ),
    min_size=3, max_size=24,
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(rows=patients)
def test_both_engines_give_the_same_answer_or_reason_in_small_cohorts(tmp_path, rows):
    """Ties at every time, arms without events, groups apart, constant covariates."""
    time, event, arm, x, site = zip(*rows, strict=True)
    if len(set(arm)) < 2:
        arm = ("new", "old", *arm[2:])
    columns = {"os_time": time, "os_event": event, "arm": arm, "x": x, "site": site}
    text = "{reference_arm: old, factors: {x: {type: number}, site: {type: category}}}"
    cohort = make_cohort(tmp_path, columns, text)
    assert_engines_agree(cohort, View(adjust=("x",), horizon=4.0))
    assert_engines_agree(cohort, View.read("{where: [{column: x, min: 0}], adjust: [site]}"))


def test_separated_groups_have_the_same_note_from_both(tmp_path):
    columns = {
        "os_time": [*range(1, 11), *range(101, 111)], "os_event": [1] * 20,
        "arm": ["old"] * 10 + ["new"] * 10,
    }  # fmt: skip
    cohort = make_cohort(tmp_path, columns)
    assert_engines_agree(cohort, View())
    assert "while both groups are at risk" in " ".join(
        analyse(cohort, View(), engine="fast").notes["note"]
    )


def test_the_kernel_is_imported_only_when_asked_for():
    code = (
        "import sys; from helpers import analyse, load_cohort, View; "
        "analyse(load_cohort(), View()); print('numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("function", [km_curve, logrank_test])
def test_an_unknown_engine_is_refused(function):
    frame = pd.DataFrame({"day": [1, 2], "event": [1, 1], "arm": ["a", "b"]})
    with pytest.raises(ValueError, match="use lifelines or fast"):
        function(frame, time="day", event="event", group="arm", engine="magic")
