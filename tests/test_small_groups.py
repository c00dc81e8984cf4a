"""Groups too small for large-sample tests, and times that only rounding tells apart."""

import json

import numpy as np
import pandas as pd
import pytest
from cohorts import make_cohort
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.analysis import analyse
from helpers.cohort import ROOT, load_cohort
from helpers.estimators.small_groups import permuted_logrank, permuted_means
from helpers.estimators.times import rmst_table
from helpers.fit.relabel import logranks, mean_differences, relabellings
from helpers.regression import cox_table
from helpers.survival import km_curve, logrank_test
from helpers.view import View

R = json.loads((ROOT / "tests" / "fixtures" / "small" / "groups.json").read_text())
CASES = [R["hodgkin"], R["veteran"]]


def people(case):
    return [np.array(case[name]) for name in ("time", "event", "group")]


def notes(answer):
    return " ".join(answer.notes["about"] + ": " + answer.notes["note"])


@pytest.mark.parametrize("case", CASES, ids=["hodgkin", "veteran"])
def test_exact_permutations_equal_those_of_r(case):
    time, event, group = people(case)
    order = np.argsort(time, kind="stable")
    rows = time[order].astype(float), event[order].astype(np.int8)
    ways, exact = relabellings(group[order])
    assert exact and len(ways) == case["means"]["ways"]
    own = group[order][None].astype(np.int8)
    np.testing.assert_allclose(logranks(*rows, own)[0], case["logrank"]["observed"], rtol=1e-9)
    drawn = logranks(*rows, ways)
    p_value = (drawn >= case["logrank"]["observed"] * (1 - 1e-9)).mean()
    assert p_value == pytest.approx(case["logrank"]["p_value"], rel=1e-9)
    found = permuted_means(time, event, group, case["horizon"])
    assert found["p_value"] == pytest.approx(case["means"]["p_value"], rel=1e-9)
    assert found["quantile"] == pytest.approx(case["means"]["quantile"], rel=1e-9)
    assert found["method"] == "exact permutation"


def test_the_statistics_are_those_of_the_named_engines_in_every_relabelling():
    """The log-rank of lifelines and the means of greenwood, over a hundred relabellings."""
    rng = np.random.default_rng(5)
    time, event = np.sort(rng.integers(1, 30, 40)).astype(float), rng.integers(0, 2, 40)
    event[-6:] = 1  # everybody is followed to the horizon
    ways = rng.permuted(np.tile(np.arange(40) % 3 == 0, (100, 1)), axis=1).astype(np.int8)
    ranks = logranks(time, event.astype(np.int8), ways)
    means = mean_differences(time, event.astype(np.int8), ways, 15.0)
    for k, way in enumerate(ways):
        frame = pd.DataFrame({"t": time, "e": event, "g": np.where(way == 1, "a", "b")})
        test = logrank_test(frame, time="t", event="e", group="g")
        assert ranks[k] == pytest.approx(test["statistic"].item(), rel=1e-9)
        row = rmst_table(frame, time="t", event="e", group="g", horizon=15, reference="b").iloc[2]
        assert means[k] == pytest.approx([row["estimate"], row["std_error"]], rel=1e-9)


def test_shuffles_come_as_near_to_the_exact_p_as_their_monte_carlo_error_says():
    time, event, group = people(R["hodgkin"])
    exact = permuted_logrank(time, event, group)
    assert (
        exact["p_value"] == pytest.approx(R["hodgkin"]["logrank"]["p_value"])
        and not exact["p_error"]
    )
    more = [np.concatenate([v, v[5:7]]) for v in (time, event, group)]  # 26,334 relabellings
    sampled = permuted_logrank(*more)
    assert sampled["method"] == "permutation, 9,999 shuffles"
    ways = relabellings(more[2])[0]
    assert len(ways) == 9_999 and (ways.sum(axis=1) == 5).all()
    assert sampled["p_error"] == pytest.approx(
        np.sqrt(sampled["p_value"] * (1 - sampled["p_value"]) / 9_999)
    )


def test_fifteen_against_five_patients_have_no_wald_p(tmp_path):
    """The Wald P of these restricted means to day 365 is 0.00002."""
    case = R["hodgkin"]
    frame = pd.DataFrame({"t": case["time"], "e": case["event"], "g": case["group"]}).astype(
        {"g": str}
    )
    keys = {"time": "t", "event": "e", "group": "g", "reference": "0"}
    year = rmst_table(frame, **keys, horizon=365).iloc[2]
    assert year["estimate"] == pytest.approx(-178.6, abs=0.01) and np.isnan(year["p_value"])
    assert np.isnan(year["conf_low"]) and "not all followed to day 365" in year["note"]
    early = rmst_table(frame, **keys, horizon=100).iloc[2]
    assert early["p_value"] == pytest.approx(case["means"]["p_value"])
    assert early["conf_low"] < 0 < early["conf_high"]


def test_a_group_of_two_has_a_log_rank_p_by_permutation_or_none(tmp_path):
    rng = np.random.default_rng(8)
    days = [*rng.integers(100, 1500, 50), 6, 205]
    columns = {"os_time": days, "os_event": [*rng.integers(0, 2, 50), 1, 1]}
    columns["arm"] = ["common"] * 50 + ["rare"] * 2
    cohort = make_cohort(tmp_path, columns, "reference_arm: common")
    answer = analyse(cohort, View())
    test = answer.tests.iloc[0]
    assert test["method"] == "exact permutation" and test["p_error"] == 0
    from scipy.stats import chi2

    assert test["p_value"] > 10 * chi2.sf(test["statistic"], 1)


def test_groups_that_all_die_on_one_day_do_not_differ():
    """The statistic has no variance: that is no evidence, not all there could be."""
    found = permuted_logrank([5] * 6, [1] * 6, [1, 1, 0, 0, 0, 0])
    assert found["p_value"] == 1 and found["method"] == "exact permutation"


def test_groups_that_are_censored_differently_are_not_permuted():
    time = np.r_[np.arange(1, 11), np.arange(1, 11) + 20]
    event = np.r_[np.tile([1, 0, 0, 0, 0], 2), np.ones(10)].astype(int)
    found = permuted_logrank(time, event, np.arange(20) < 10)
    assert np.isnan(found["p_value"]) and "censored differently" in found["note"]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 1), st.sampled_from("ab")), min_size=4,
             max_size=30),
    st.integers(2, 30),
)  # fmt: skip
def test_restricted_means_and_their_differences_stay_in_range(rows, horizon):
    rows = [*rows, (horizon, 0, "a"), (horizon + 1, 0, "b")]
    frame = pd.DataFrame(rows, columns=["t", "e", "g"])
    table = rmst_table(frame, time="t", event="e", group="g", horizon=horizon, reference="b")
    table = table.set_index("group")
    values = table[["conf_low", "estimate", "conf_high"]]
    arms, difference = values.loc[["a", "b"]].to_numpy(), values.loc["a vs b"].to_numpy()
    known = arms[~np.isnan(arms)]
    assert ((known >= 0) & (known <= horizon + 1e-9)).all()
    assert not (np.abs(difference) > horizon + 1e-9).any()
    for row in values.dropna().to_numpy():
        assert row[0] <= row[1] <= row[2]


def test_limits_of_restricted_means_are_made_as_said():
    """The logit limits of each mean and MOVER's of the difference, from R's means and errors."""
    frame = pd.read_csv(ROOT / "data" / "cohort_synthetic.csv")
    many = pd.concat([frame] * 2)
    keys = {"time": "os_time", "event": "os_event", "group": "arm", "reference": "non-CAR-T"}
    table = rmst_table(many, **keys, horizon=365).set_index("group")
    (m, s, low, high), (m0, s0, low0, high0) = table.loc[
        ["CD20 CAR-T", "non-CAR-T"], ["estimate", "std_error", "conf_low", "conf_high"]
    ].to_numpy()
    odds = m / (365 - m)
    factor = np.exp(1.959963984540054 * s * 365 / (m * (365 - m)))
    assert [low, high] == pytest.approx([365 * o / (1 + o) for o in (odds / factor, odds * factor)])
    row = table.loc["CD20 CAR-T vs non-CAR-T"]
    assert row["conf_low"] == pytest.approx(m - m0 - np.hypot(m - low, high0 - m0))
    assert row["conf_high"] == pytest.approx(m - m0 + np.hypot(high - m, m0 - low0))
    assert row["method"] == "Wald" and row["std_error"] == pytest.approx(np.hypot(s, s0))


# -- times that only rounding tells apart -------------------------------------------------------


def noisy_years(seed=3):
    """Times in years as subtraction of calendar years leaves them."""
    rng = np.random.default_rng(seed)
    start = rng.integers(10, 20_000, 60) / 10
    years = (start + rng.integers(1, 10, 60) * 3 / 10) - start
    return years, rng.integers(0, 4, 60) > 0


def test_ties_are_ties_whatever_arithmetic_left_of_them(tmp_path):
    years, event = noisy_years()
    assert len(set(years)) > 12 and len(set(np.round(years, 6))) == 9
    answers = []
    for written in (years, np.round(years, 6)):
        columns = {"os_time": [repr(float(y)) for y in written], "os_event": event.astype(int)}
        cohort = make_cohort(tmp_path, columns, "{time_unit: years, reference_arm: old}")
        answers += [analyse(cohort, View(horizon=365), engine=e) for e in ("fast", "lifelines")]
    assert len({len(answer.curves) for answer in answers}) == 1
    for answer in answers[1:]:
        for table in ("model", "tests", "rmst", "curves"):
            ours, first = (getattr(a, table).select_dtypes("number") for a in (answer, answers[0]))
            np.testing.assert_allclose(ours, first, rtol=1e-7, atol=1e-12)


def test_estimators_called_with_a_frame_see_the_same_ties():
    years, event = noisy_years()
    frame = pd.DataFrame({"t": years * 365, "e": event.astype(int), "g": ["a", "b"] * 30})
    clean = frame.assign(t=np.round(frame["t"], 4))
    keys = {"time": "t", "event": "e"}
    for engine in ("fast", "lifelines"):
        one, two = (km_curve(f, **keys, group="g", engine=engine) for f in (frame, clean))
        assert len(one) == len(two)
        pair = [cox_table(f, **keys, covariates=["g"], engine=engine) for f in (frame, clean)]
        assert pair[0]["estimate"].item() == pytest.approx(pair[1]["estimate"].item(), rel=1e-9)
        pair = [logrank_test(f, **keys, group="g", engine=engine) for f in (frame, clean)]
        assert pair[0]["statistic"].item() == pytest.approx(pair[1]["statistic"].item(), rel=1e-9)


def test_a_patient_on_the_boundary_stays_on_his_side(tmp_path):
    """2.2 years are day 803, and 0.1 + 0.2 is 0.3, for landmarks, horizons, filters and cuts."""
    columns = {"os_time": [2.2, 2.2, 3, 3, 4, 4] * 4, "os_event": [1, 0] * 12,
               "dose": [repr(0.1 + 0.2), "0.3", "0.2"] * 8}  # fmt: skip
    mapping = "{time_unit: years, reference_arm: old, factors: {dose: {type: number}}}"
    cohort = make_cohort(tmp_path, columns, mapping)
    for day in (803, 2.2 * 365):
        assert analyse(cohort, View(landmark=day)).counts["patients"].sum() == 16
        assert analyse(cohort, View(horizon=day)).view.horizon == 803
    for dose in (0.3, 0.1 + 0.2):
        view = View.read(f"where: [{{column: dose, min: {dose!r}}}]")
        assert analyse(cohort, view).counts["patients"].sum() == 16
    cut = analyse(cohort, View(compare="dose >= 0.3"))
    assert cut.counts.set_index("group")["patients"].to_dict() == {
        "dose >= 0.3": 16, "dose < 0.3": 8}  # fmt: skip


def test_the_whole_synthetic_cohort_is_compared_as_before():
    """54 and 39 patients with events enough: nothing of the floors reaches them."""
    answer = analyse(load_cohort(), View(horizon=365, adjust=("ecog >= 3", "ipi >= 3")))
    assert answer.model["estimate"].notna().all()
    assert answer.tests.at[0, "method"] == "chi-squared"
    assert answer.rmst["conf_low"].notna().all()
