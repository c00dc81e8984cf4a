"""Propensity weights are R's, balance what they claim to, and are withheld without overlap."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.estimators.logistic import fitted_chances, logistic_table
from helpers.estimators.rowwise import cox_rows
from helpers.estimators.weighted_curves import weighted_km_curves
from helpers.estimators.weighting import (
    balance_table,
    effective_size,
    overlap_problem,
    overlap_table,
    propensity_weights,
    weighted_cox,
)
from helpers.fit.design import design
from helpers.fit.likelihood import NotEstimable
from helpers.regression import cox_table
from helpers.simulate.cohort import from_infusion, simulate_cohort
from helpers.simulate.dials import Dials
from helpers.simulate.truth import AT_ONCE, MARGINAL, truth
from helpers.survival import km_curve

FIXTURES = Path(__file__).parent / "fixtures"
R = json.loads((FIXTURES / "treatment" / "weights.json").read_text())
ABOUT = {
    "veteran": ("event", "treatment", "test", ["celltype", "karnofsky_score", "age_in_years"]),
    "lung": ("status", "sex", "2", ["age", "ph.ecog"]),
    "heavy_ties": ("event", "group", "b", ["age"]),
}
COUNTED = {"n_risk": "n_risk_weighted", "n_event": "n_event_weighted"}


def close(ours, r, tolerance=1e-6):
    ours, r = (np.asarray(x, dtype=float) for x in (ours, r))
    np.testing.assert_allclose(ours, r, rtol=tolerance, atol=1e-12)


class Case:
    def __init__(self, name):
        self.event, group, treated, self.covariates = ABOUT[name]
        frame = pd.read_csv(FIXTURES / "data" / f"{name}.csv")
        frame[group] = frame[group].astype(str)
        self.frame, self.group, self.treated, self.r = frame, group, treated, R[name]
        self.asked = {"group": group, "treated": treated, "covariates": self.covariates}
        self.weights = propensity_weights(frame, **self.asked)
        self.columns = {"time": "time", "event": self.event}


@pytest.fixture(params=ABOUT, scope="module")
def case(request):
    return Case(request.param)


# Against R and lifelines


def test_scores_and_stabilised_weights_equal_r(case):
    close(case.weights["score"], case.r["score"])
    close(case.weights["weight"], case.r["weight"])


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_weighted_cox_models_and_robust_errors_equal_r(case, ties):
    table = weighted_cox(case.frame, case.weights, **case.columns, ties=ties)
    for column in ("estimate", "std_error", "conf_low", "conf_high"):
        close(table[column], case.r[ties][column])
    assert table["method"].iloc[0] == f"Cox, {ties} ties, weighted, robust errors"
    assert table["estimand"].iloc[0] == "ATE"


def test_weighted_curves_and_their_robust_limits_equal_r(case):
    curves = weighted_km_curves(case.frame, case.weights, **case.columns)
    for group in ("untreated", "treated"):
        part = curves[curves["group"] == group]
        for column, values in case.r["curves"][group].items():
            close(part[COUNTED.get(column, column)], values)


def test_lifelines_fits_the_same_weighted_model(case):
    from lifelines import CoxPHFitter

    data = case.frame.loc[case.weights.index, ["time", case.event]].astype(float)
    # lifelines has Efron's ties, but no sandwich for them: without ties the two are the same.
    data["time"] += np.argsort(np.argsort(data["time"], kind="stable")) * 1e-6
    data = data.assign(given=case.weights["given"].astype(float), weight=case.weights["weight"])
    ours = weighted_cox(data, case.weights, **case.columns)
    keys = {"duration_col": "time", "event_col": case.event, "weights_col": "weight"}
    fit = CoxPHFitter().fit(data, **keys, robust=True, fit_options={"precision": 1e-14})
    close(ours["estimate"], fit.params_, 1e-6)
    close(ours["std_error"], fit.standard_errors_, 1e-6)


def test_lifelines_draws_the_same_weighted_curves(case):
    from lifelines import KaplanMeierFitter

    curves = weighted_km_curves(case.frame, case.weights, **case.columns)
    data = case.frame.loc[case.weights.index]
    for group, given in (("treated", True), ("untreated", False)):
        who, mine = case.weights["given"] == given, curves[curves["group"] == group]
        keys = {"event_observed": data.loc[who, case.event], "timeline": mine["time"]}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of weights that are not whole
            fit = KaplanMeierFitter().fit(
                data.loc[who, "time"], weights=case.weights.loc[who, "weight"], **keys
            )
        # Where the last patient dies lifelines may stay above 0; R and this project end at 0.
        alive = (mine["estimate"] > 0).to_numpy()
        assert alive[:-1].all()
        close(mine["estimate"][alive], fit.survival_function_.iloc[:, 0][alive])


def test_chances_are_those_of_the_logistic_table(case):
    data = case.frame.assign(y=(case.frame[case.group] == case.treated).astype(int))
    odds = logistic_table(data, outcome="y", covariates=case.covariates).set_index("term")
    chance = fitted_chances(data, outcome="y", covariates=case.covariates)
    references = odds["reference"].groupby(odds["column"]).first()
    known = references[references != ""].to_dict()
    matrix, _ = design(data.loc[chance.index], case.covariates, known)
    rest = np.log(chance / (1 - chance)) - matrix[odds.index] @ odds["estimate"]
    assert np.ptp(rest) < 1e-6, "what is left of the log odds is one intercept"
    assert chance.sum() == pytest.approx(data.loc[chance.index, "y"].sum(), rel=1e-10)


# What weights claim


def test_raw_counts_stand_beside_the_weighted_ones(case):
    curves = weighted_km_curves(case.frame, case.weights, **case.columns)
    used = case.frame.loc[case.weights.index]
    plain = km_curve(used.assign(given=case.weights["given"]), **case.columns, group="given")
    for column in ("time", "n_risk", "n_event", "n_censor"):
        close(curves[column], plain[column])
    assert (curves["n_risk_effective"] <= curves["n_risk"] + 1e-9).all()


def test_equal_weights_change_nothing(case):
    even = case.weights.assign(weight=1.0)
    used = case.frame.loc[even.index]
    plain = cox_table(used.assign(treated=np.where(even["given"], "yes", "no")), **case.columns,
                      covariates=["treated"], robust=True)  # fmt: skip
    ours = weighted_cox(case.frame, even, **case.columns)
    close(ours[["estimate", "std_error"]], plain[["estimate", "std_error"]])
    curves = weighted_km_curves(case.frame, even, **case.columns)
    close(curves["estimate"], km_curve(used.assign(given=even["given"]), **case.columns,
                                       group="given")["estimate"])  # fmt: skip
    assert effective_size(even["weight"]) == len(even)


def test_stabilising_changes_no_ratio_and_brings_the_weights_near_one(case):
    plain = propensity_weights(case.frame, **case.asked, stabilised=False)
    assert plain["weight"].mean() == pytest.approx(2, abs=0.1)
    assert case.weights["weight"].mean() == pytest.approx(1, abs=0.05)
    for name in ("treated", "untreated"):
        sizes = [overlap_table(w).set_index("group").at[name, "effective"]
                 for w in (plain, case.weights)]  # fmt: skip
        assert sizes[0] == pytest.approx(sizes[1])


def test_in_a_saturated_model_balance_is_exact_and_the_arithmetic_is_by_hand():
    frame = pd.DataFrame({"arm": list("bbbbbbaaaaaa"), "fit": [1] * 4 + [0, 0, 1, 1] + [0] * 4,
                          "kind": list("xxyyzz") * 2})  # fmt: skip
    weights = propensity_weights(frame, group="arm", treated="b", covariates=["fit"])
    close(weights["score"], np.where(frame["fit"] == 1, 4 / 6, 2 / 6))
    table = balance_table(frame, weights, covariates=["fit", "kind"]).set_index("term")
    row = table.loc["fit"]
    assert row["smd"] == pytest.approx((4 / 6 - 2 / 6) / np.sqrt(2 / 9))
    assert row["weighted_treated"] == pytest.approx(0.5) == row["weighted_untreated"]
    assert row["smd_weighted"] == pytest.approx(0, abs=1e-12)
    assert list(table.index) == ["fit", "kind: x", "kind: y", "kind: z"]
    assert table.loc["kind: x", "smd"] == 0
    weight = np.array([0.75] * 4 + [1.5] * 2)
    assert effective_size(weight) == pytest.approx(6**2 / (4 * 0.75**2 + 2 * 1.5**2))


def test_weights_recover_the_marginal_truth_that_the_crude_ratio_misses():
    dials = Dials(patients=20_000, ecog_on_choice=-0.6, burden_on_choice=-0.5, ecog_on_death=0.5,
                  burden_on_death=0.4, log_hr_death=-0.5, log_hr_progression_free=-0.5)  # fmt: skip
    frame = from_infusion(simulate_cohort(dials, 3))
    weights = propensity_weights(frame, group="infused", treated=1, covariates=["ecog", "burden"])
    keys = {"time": "os_time", "event": "os_event"}
    ours = weighted_cox(frame, weights, **keys).iloc[0]
    crude = cox_table(frame, **keys, covariates=["infused"], engine="fast").iloc[0]
    true = truth(dials).set_index(["estimand", "endpoint", "quantity"])
    value = true.loc[(AT_ONCE, "os", MARGINAL), "value"]
    assert abs(ours["estimate"] - value) < 4 * ours["std_error"]
    assert abs(crude["estimate"] - value) > 10 * crude["std_error"]
    balance = balance_table(frame, weights, covariates=["ecog", "burden"])
    assert (balance["smd"].abs() > 0.3).all() and (balance["smd_weighted"].abs() < 0.03).all()


# What is refused


def test_separated_groups_are_refused_whatever_separates_them():
    frame = pd.DataFrame({"arm": list("aaaabbbb"), "age": [1, 2, 3, 4, 5, 6, 7, 8],
                          "site": list("xxyyxyzz")})  # fmt: skip
    asked = {"group": "arm", "treated": "b"}
    with pytest.raises(NotEstimable, match="age: separates"):
        propensity_weights(frame, **asked, covariates=["age"])
    with pytest.raises(NotEstimable, match="site: z vs x: separates"):
        propensity_weights(frame, **asked, covariates=["site"])
    with pytest.raises(NotEstimable, match="the same for all 4 patients"):
        propensity_weights(frame[4:], **asked, covariates=["age"])
    with pytest.raises(NotEstimable, match="the same for all 1 patients"):
        propensity_weights(frame[4:5], **asked, covariates=["age"])
    with pytest.raises(ValueError, match="found no 'c'"):
        propensity_weights(frame, group="arm", treated="c", covariates=["age"])
    with pytest.raises(ValueError, match="more than two groups"):
        propensity_weights(frame, group="site", treated="x", covariates=["age"])


def test_poor_overlap_is_refused_with_the_numbers_and_can_be_looked_at():
    rng = np.random.default_rng(5)
    x = rng.normal(size=200)
    given = rng.random(200) < 1 / (1 + np.exp(-3.5 * x))
    frame = pd.DataFrame({"given": given.astype(int), "x": x, "time": rng.exponential(9, 200),
                          "event": 1})  # fmt: skip
    weights = propensity_weights(frame, group="given", treated=1, covariates=["x"])
    keys = {"time": "time", "event": "event"}
    outside = int((~weights["score"].between(0.05, 0.95)).sum())
    assert outside > 20
    for fit in (weighted_cox, weighted_km_curves):
        with pytest.raises(NotEstimable, match=f"overlap: {outside} of 200 patients"):
            fit(frame, weights, **keys)
        assert len(fit(frame, weights, **keys, overlap="ignore"))
        with pytest.raises(ValueError, match="overlap: found 'hope'"):
            fit(frame, weights, **keys, overlap="hope")


def test_weights_without_a_patient_of_their_own_are_refused():
    case = Case("heavy_ties")
    twice = pd.concat([case.frame, case.frame])
    for fit in (weighted_cox, weighted_km_curves):
        with pytest.raises(ValueError, match="index: found repeated labels"):
            fit(twice, case.weights, **case.columns)


def test_each_half_of_the_overlap_rule_acts_by_itself():
    given = np.repeat([True, False], 50)
    good = pd.DataFrame({"given": given, "score": 0.5, "weight": 1.0})
    assert overlap_problem(good) == ""
    edge = good.assign(score=np.where(np.arange(100) < 10, 0.96, 0.5))
    assert overlap_problem(edge) == "", "a tenth is not more than a tenth"
    beyond = good.assign(score=np.where(np.arange(100) < 11, 0.96, 0.5))
    assert overlap_problem(beyond).startswith("11 of 100 patients")
    heavy = good.assign(weight=np.where(np.arange(100) == 99, 30.0, 1.0))
    assert overlap_problem(heavy).startswith("the 50 untreated weigh as ")


def test_an_arm_without_events_has_no_weighted_ratio():
    case = Case("heavy_ties")
    silent = case.frame.assign(event=case.frame["event"] * (case.frame["group"] == "a"))
    table = weighted_cox(silent, case.weights, **case.columns)
    assert table["estimate"].isna().all() and table["std_error"].isna().all()
    curves = weighted_km_curves(silent, case.weights, **case.columns)
    flat = curves[curves["group"] == "treated"]
    assert (flat["estimate"] == 1).all() and flat["conf_low"].isna().all()
    with pytest.raises(NotEstimable, match="no patient had an event"):
        weighted_cox(case.frame.assign(event=0), case.weights, **case.columns)


def test_weights_are_not_patients_scaling_them_moves_no_robust_error(case):
    tenfold = case.weights.assign(weight=10 * case.weights["weight"])
    one, ten = (
        weighted_cox(case.frame, w, **case.columns)[["estimate", "std_error"]]
        for w in (case.weights, tenfold)
    )
    close(one, ten)
    data = case.frame.loc[case.weights.index].assign(
        weight=tenfold["weight"], given=tenfold["given"].astype(float)
    )
    naive = cox_rows(data, **case.columns, covariates=["given"], weight="weight")
    assert naive["std_error"].iloc[0] < 0.5 * one["std_error"].iloc[0]
