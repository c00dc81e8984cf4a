"""Our numbers are those of R's survival, on public data and on made edge cases."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohorts import german

from helpers.analysis import analyse
from helpers.cohort import ROOT
from helpers.estimators.times import follow_up, rmst_table
from helpers.regression import NotEstimable, cox_table
from helpers.survival import (
    km_curve,
    logrank_test,
    median_table,
    milestone_differences,
    milestones,
    risk_table,
)
from helpers.view import View

FIXTURES = Path(__file__).parent / "fixtures"
CASES = sorted(path.stem for path in FIXTURES.glob("*.json"))
INTERVAL = ["estimate", "std_error", "conf_low", "conf_high"]


def close(ours, r, tolerance=1e-6):
    """Equal to R within a relative 1e-6 (1e-12 for what is zero), and missing where R's is."""
    ours, r = (np.asarray(x, dtype=float) for x in (ours, r))
    np.testing.assert_allclose(ours, r, rtol=tolerance, atol=1e-12)


class Case:
    def __init__(self, name):
        self.r = json.loads((FIXTURES / f"{name}.json").read_text())
        about = self.r["data"]
        frame = pd.read_csv(ROOT / about["file"])
        frame["group"] = frame[about["group"]].astype(str)
        for column in about["categorical"]:
            frame[column] = frame[column].astype(str)
        self.frame, self.groups, self.reference = frame, about["groups"], about["reference"]
        self.adjust = about["adjust"]
        self.columns = {"time": about["time"], "event": about["event"]}
        self.grouped = self.columns | {"group": "group"}
        self.curves = km_curve(frame, **self.grouped)
        self.stones = milestones(self.curves, self.r["milestones"]["times"])


@pytest.fixture(params=CASES)
def case(request):
    return Case(request.param)


def test_there_are_fixtures_for_every_edge():
    assert {"german_os", "lung_sex", "veteran_treatment", "heavy_ties", "plateau"} <= set(CASES)
    assert {"no_event_arm", "one_event"} <= set(CASES)


def test_curves_and_their_counts_equal_r(case):
    for group in case.groups:
        ours, r = case.curves[case.curves["group"] == group], case.r["curves"][group]
        for column in ("time", "n_risk", "n_event", "n_censor", *INTERVAL):
            close(ours[column], r[column])


def test_medians_and_limits_equal_r_also_on_a_plateau(case):
    ours = median_table(case.curves).set_index("group")
    for group in case.groups:
        for column in ("estimate", "conf_low", "conf_high"):
            close(ours.at[group, column], case.r["medians"][group][column])


def test_numbers_at_risk_count_patients_just_before_t_as_r_does(case):
    ours = risk_table(case.curves, case.r["milestones"]["times"])
    for group in case.groups:
        part, r = ours[ours["group"] == group], case.r["milestones"][group]
        assert list(part["n_risk"]) == r["n_risk"]
        assert list(part["n_event"]) == r["n_event_cum"]
        assert list(part["n_censor"]) == r["n_censor_cum"]


def test_survival_at_a_time_equals_r_and_is_not_drawn_on_beyond_the_data(case):
    times = np.asarray(case.r["milestones"]["times"], float)
    for group in case.groups:
        part, r = case.stones[case.stones["group"] == group], case.r["milestones"][group]
        close(part["estimate"], r["estimate"])
        close(part["std_error"], r["std_error"])
        # Before a group's first time R prints 1 to 1; we print no interval there either.
        first = case.curves.loc[case.curves["group"] == group, "time"].min()
        for column in ("conf_low", "conf_high"):
            expected = np.where(times < first, np.nan, np.asarray(r[column], float))
            close(part[column], expected)


def test_differences_in_survival_equal_r(case):
    if case.r.get("milestone_differences") is None:
        pytest.skip("more than two groups")
    ours = milestone_differences(case.stones, reference=case.reference)
    r = {k: np.asarray(v, float) for k, v in case.r["milestone_differences"].items()}
    close(ours["estimate"], r["estimate"])
    # A curve before its first event has no error: R's arithmetic goes on, we give no interval.
    errors = case.stones.pivot(index="time", columns="group", values="std_error")
    without_error = (errors == 0).any(axis=1).to_numpy()
    for column in ("std_error", "conf_low", "conf_high", "p_value"):
        close(ours[column], np.where(without_error, np.nan, r[column]))


def test_log_rank_equals_r(case):
    ours = logrank_test(case.frame, **case.grouped).iloc[0]
    for column in ("statistic", "df", "p_value"):
        close(ours[column], case.r["logrank"][column])


def test_restricted_mean_equals_r(case):
    r = case.r["rmst"]
    ours = rmst_table(case.frame, **case.grouped, horizon=r["tau"], reference=case.reference)
    ours = ours.set_index("group")
    for group in case.groups:
        close(ours.at[group, "estimate"], r[group]["estimate"])
        # Without an event R gives an error of 0 and an interval of no width; we give none.
        error = r[group]["std_error"] or np.nan
        close(ours.at[group, "std_error"], error)


def test_follow_up_equals_r(case):
    r = case.r["reverse_km_median"]
    close(follow_up(case.frame, **case.columns)["estimate"].iloc[0], r["all"])
    for group in case.groups:
        part = case.frame[case.frame["group"] == group]
        close(follow_up(part, **case.columns)["estimate"].iloc[0], r[group])


@pytest.mark.parametrize("name", ["cox_unadjusted", "cox_adjusted"])
def test_hazard_ratios_equal_r(case, name):
    r = case.r[name]
    adjust = case.adjust if name == "cox_adjusted" else []
    if name == "cox_adjusted" and not adjust:
        pytest.skip("nothing to adjust for")
    ours = cox_table(
        case.frame, **case.columns, covariates=["group", *adjust],
        references={"group": case.reference},
    )  # fmt: skip
    ours = ours.set_index(ours["term"].str.removeprefix("group: "))
    if r is None:  # R warns of an infinite coefficient; we give none
        others = [group for group in case.groups if group != case.reference]
        assert ours.loc[f"{others[0]} vs {case.reference}", INTERVAL].isna().all()
        return
    assert set(ours.index) == set(r)
    for term, row in r.items():
        for column, value in row.items():
            close(ours.at[term, column], value)


def test_an_eventless_reference_is_refused_with_a_way_out():
    case = Case("no_event_arm")
    with pytest.raises(NotEstimable, match=r"no event among the .* with 'b', the reference"):
        cox_table(case.frame, **case.columns, covariates=["group"], references={"group": "b"})


def test_the_rest_of_a_model_is_exact_beside_an_infinite_ratio():
    case = Case("no_event_arm")
    ours = cox_table(
        case.frame, **case.columns, covariates=["group", "x"], references={"group": "a"}
    ).set_index("term")
    # R's own fit drifts towards infinity for the group and is settled for x (fixtures README).
    close(ours.loc["x", ["estimate", "std_error"]], [0.88112, 0.54166], tolerance=1e-5)


@pytest.mark.parametrize("endpoint", ["os", "rfs"])
def test_analyse_on_the_example_cohort_is_r_from_file_to_answer(endpoint):
    case, cohort = Case(f"german_{endpoint}"), german()
    names = {"1": "none", "2": "hormone therapy"}
    adjust = tuple(case.adjust)
    view = View(endpoint=endpoint, adjust=adjust, horizon=case.r["rmst"]["tau"])
    answer = analyse(cohort, view, times=case.r["milestones"]["times"])

    medians = answer.medians.set_index("group")
    risk = answer.risk_table[answer.risk_table["time"] > 0]
    for code, name in names.items():
        for column in ("estimate", "conf_low", "conf_high"):
            close(medians.at[name, column], case.r["medians"][code][column])
        part = risk[risk["group"] == name]
        assert list(part["n_risk"]) == case.r["milestones"][code]["n_risk"]
        assert list(part["n_event"]) == case.r["milestones"][code]["n_event_cum"]
    close(answer.tests.at[0, "statistic"], case.r["logrank"]["statistic"])
    close(answer.tests.at[0, "p_value"], case.r["logrank"]["p_value"])
    for model in ("unadjusted", "adjusted"):
        row = answer.model[answer.model["model"] == model].iloc[0]
        for column, value in case.r[f"cox_{model}"]["2 vs 1"].items():
            close(row[column], value)
    assert answer.notes.empty


def test_the_interaction_of_a_subgroup_with_the_arms_equals_r():
    r = json.loads((FIXTURES / "german_os.json").read_text())["interaction"]
    answer = analyse(german(), View.read("{where: [{column: nodes, min: 4}]}"))
    for column in ("estimate", "std_error", "p_value", "conf_low", "conf_high"):
        close(answer.interaction.at[0, column], r[column])
