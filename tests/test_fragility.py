"""How far P and hazard ratios hang on few patients: as R says, and honest where nothing is."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.cohort import ROOT, load_cohort
from helpers.estimators import fragility as frail
from helpers.estimators.fragility import (
    count_fragility,
    fragility_index,
    latest_first,
    signed_logrank,
    survival_fragility,
    unevaluable_table,
)
from helpers.estimators.permutation import permutation_test
from helpers.estimators.stability import (
    bca_levels,
    bootstrap_ratio,
    fitted,
    pairs_left_out,
    sorted_quantiles,
)
from helpers.fit.likelihood import NotEstimable
from helpers.regression import cox_table, influence_table
from helpers.survival import logrank_test

FIXTURES = Path(__file__).parent / "fixtures" / "robustness"
CASES = json.loads((FIXTURES / "fragility.json").read_text())["cases"]
DATA = Path(__file__).parent / "fixtures" / "data"
COHORT = load_cohort()
OS = {"time": "os_time", "event": "os_event"}
ARMS = {"covariates": ["arm"], "references": {"arm": "non-CAR-T"}}
VETERAN = {"time": "time", "event": "event", "covariates": ["test", "karnofsky_score"]}


def fixture(name):
    return json.loads((FIXTURES / f"{name}.json").read_text())


def small_veteran(every: int) -> pd.DataFrame:
    frame = pd.read_csv(DATA / "veteran.csv").iloc[::every].reset_index(drop=True)
    return frame.assign(test=(frame["treatment"] == "test").astype(float))


# ---- counts ------------------------------------------------------------------------------------


def test_one_more_responder_in_the_comparator_takes_the_printed_difference_past_5_percent():
    path = count_fragility(15, 54, 3, 38)
    assert list(path["added"]) == [0, 1]
    np.testing.assert_allclose(path["p_value"], [0.0306908206, 0.0659777145], rtol=1e-8)


def test_a_table_that_is_not_significant_has_a_negative_index():
    path = count_fragility(15, 54, 4, 38)
    assert list(path["added"]) == [0, -1]
    assert list(path["significant"]) == [False, True]
    mirrored = count_fragility(4, 38, 15, 54)  # the arms exchanged: the same patients change
    np.testing.assert_allclose(mirrored["p_value"], path["p_value"], rtol=1e-12)
    assert list(mirrored["x1"]) == list(path["x0"])


def test_no_index_is_made_up_where_no_change_is_enough():
    path = count_fragility(1, 4, 1, 4)
    assert not path["significant"].any()
    assert path["added"].iloc[-1] == -1  # no responder is left to take away


def test_the_unevaluable_patient_decides_on_which_side_of_5_percent_the_difference_lies():
    table = unevaluable_table(15, 54, 3, 38, unknown0=1)
    assert list(table["case"]) == [
        "evaluable patients", "worst for the first arm", "best for the first arm",
    ]  # fmt: skip
    expected = [
        stats.fisher_exact([[15, 39], [x, n - x]])[1] for x, n in ((3, 38), (4, 39), (3, 39))
    ]
    np.testing.assert_allclose(table["p_value"], expected, rtol=1e-9)
    assert list(table["significant"]) == [True, False, True]


def test_every_completion_of_both_arms_is_listed_once_in_order():
    table = unevaluable_table(5, 10, 2, 9, unknown1=2, unknown0=1)
    assert len(table) == 1 + 3 * 2
    rest = table.iloc[1:]
    assert not rest.duplicated(["more1", "more0"]).any()
    assert rest["risk_difference"].is_monotonic_increasing
    assert (rest["n1"] == 12).all() and (rest["n0"] == 10).all()
    assert len(unevaluable_table(5, 10, 2, 9)) == 1


# ---- survival ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("rule", ["any", "censored"])
def test_who_changes_arms_and_every_p_on_the_way_equal_r(name, rule):
    case = CASES[name]
    path = survival_fragility(
        pd.read_csv(ROOT / case["file"]), time=case["time"], event=case["event"],
        group=case["group"], reference=case["reference"], rule=rule,
    )  # fmt: skip
    r = case[rule]
    assert list(path["row"].dropna()) == r["rows"]
    np.testing.assert_allclose(path["p_value"], np.atleast_1d(r["p"]), rtol=1e-6)


def test_both_directions_and_the_end_of_the_patients_are_among_the_cases():
    crossed = {name: [np.atleast_1d(c[rule]["p"]) for rule in ("any", "censored")]
               for name, c in CASES.items()}  # fmt: skip
    starts = {name: paths[0][0] for name, paths in crossed.items()}
    assert min(starts.values()) < 0.05 < max(starts.values())
    assert any((p[-1] < 0.05) == (p[0] < 0.05) for paths in crossed.values() for p in paths)


def test_the_signed_z_is_the_log_rank_test_of_the_project():
    for endpoint in ("os", "pfs"):
        columns = {"time": f"{endpoint}_time", "event": f"{endpoint}_event", "group": "arm"}
        rows = latest_first(COHORT.frame, **columns, reference="non-CAR-T")
        z = signed_logrank(*rows[:3])
        assert z < 0  # fewer events with CD20 CAR-T than expected
        expected = logrank_test(COHORT.frame, **columns, engine="lifelines")
        assert z**2 == pytest.approx(expected.at[0, "statistic"], rel=1e-9)


@pytest.mark.parametrize("name", ["german_rfs", "synthetic_os", "heavy_ties"])
def test_neither_the_reference_nor_the_order_of_the_file_changes_an_index(name):
    case = CASES[name]
    frame = pd.read_csv(ROOT / case["file"])
    keys = {"time": case["time"], "event": case["event"], "group": case["group"]}
    labels = sorted(frame[case["group"]].astype(str).unique())
    shuffled = frame.sample(frac=1, random_state=1)
    first, *others = [
        fragility_index(data, **keys, reference=reference).drop(columns="rule")
        for data in (frame, shuffled) for reference in labels
    ]  # fmt: skip
    for other in others:
        pd.testing.assert_frame_equal(first, other, rtol=1e-9)


def test_of_equal_times_the_patient_without_the_event_moves_first():
    frame = pd.DataFrame({"day": [9, 9, 1, 2, 3, 4, 5, 6], "event": [1, 0, 1, 1, 1, 1, 1, 1],
                          "arm": list("aabbbbba")})  # fmt: skip
    path = survival_fragility(frame, time="day", event="event", group="arm", reference="b")
    assert path["row"].iloc[1] == 1


def test_an_index_that_no_number_of_patients_reaches_is_missing_and_says_so():
    case = CASES["veteran"]
    index = fragility_index(pd.read_csv(ROOT / case["file"]), time=case["time"],
                            event=case["event"], group=case["group"],
                            reference=case["reference"]).set_index("rule")  # fmt: skip
    assert index.at["any", "index"] == -3 and index.at["any", "note"] == ""
    assert pd.isna(index.at["censored", "index"])
    assert index.at["censored", "note"] == "moving 4 patients does not cross 0.05"


def test_what_an_index_cannot_say_is_said():
    assert "nothing about bias" in frail.CAVEAT
    with pytest.raises(ValueError, match=r"rule: found 'worst'. To do: use any or censored"):
        survival_fragility(COHORT.frame, **OS, group="arm", reference="non-CAR-T", rule="worst")
    with pytest.raises(NotEstimable, match="give two"):
        survival_fragility(COHORT.frame, **OS, group="histology", reference="DLBCL")


# ---- pairs left out ----------------------------------------------------------------------------


def test_pairs_left_out_equal_r():
    r = fixture("pairs")
    table = pairs_left_out(small_veteran(r["every"]), **VETERAN)
    assert list(zip(table["row_a"], table["row_b"], strict=True))[:3] == [(0, 1), (0, 2), (0, 3)]
    np.testing.assert_allclose(table["estimate"], r["estimate"], rtol=1e-6)


def test_every_pair_of_93_is_one_refit_of_the_same_model():
    table = pairs_left_out(COHORT.frame, **OS, **ARMS)
    assert len(table) == 93 * 92 // 2
    row = table.iloc[1234]
    rest = COHORT.frame.drop(index=[row["row_a"], row["row_b"]])
    alone = cox_table(rest, **OS, **ARMS).at[0, "estimate"]
    assert row["estimate"] == pytest.approx(alone, abs=1e-8)
    # Two patients can move the ratio further than one.
    single = influence_table(COHORT.frame, **OS, **ARMS)["estimate"]
    assert table["estimate"].min() < single.min() and table["estimate"].max() > single.max()


def test_positions_are_those_of_the_frame_also_where_a_patient_is_not_in_the_model():
    frame = COHORT.frame.assign(age=COHORT.frame["age"].where(COHORT.frame.index != 2))
    table = pairs_left_out(frame, **OS, covariates=["arm", "age"], references=ARMS["references"])
    assert len(table) == 92 * 91 // 2
    assert 2 not in set(table["row_a"]) | set(table["row_b"])
    assert table["row_b"].max() == 92


def test_a_pair_that_leaves_a_group_without_an_event_gives_an_infinite_ratio_with_its_sign():
    frame = pd.DataFrame({"day": range(1, 11), "event": [1, 1, 1, 1, 1, 0, 1, 0, 1, 0],
                          "arm": list("bbbbbbabab")})  # fmt: skip
    dead = np.flatnonzero((frame["arm"] == "a") & (frame["event"] == 1))
    frame.loc[dead[2:], "event"] = 0
    table = pairs_left_out(frame, time="day", event="event", covariates=["arm"],
                           references={"arm": "b"})  # fmt: skip
    gone = table[np.isinf(table["estimate"])]
    assert gone[["row_a", "row_b"]].to_numpy().tolist() == [dead[:2].tolist()]
    assert (gone["estimate"] < 0).all()


def test_too_many_pairs_are_refused_before_an_hour_is_spent():
    with pytest.raises(ValueError, match=r"found 93 patients, so 4278 pairs. To do: raise `most`"):
        pairs_left_out(COHORT.frame, **OS, **ARMS, most=100)


# ---- shuffled arms -----------------------------------------------------------------------------


def test_a_permutation_p_is_the_share_of_all_arrangements_up_to_its_monte_carlo_error():
    from itertools import combinations

    frame = pd.DataFrame({"day": [1, 2, 3, 4, 5, 6, 7, 8], "event": [1, 1, 1, 1, 0, 1, 1, 0],
                          "arm": list("bbabbaaa")})  # fmt: skip
    day, event, arm, _ = latest_first(frame, time="day", event="event", group="arm", reference="b")
    observed = abs(signed_logrank(day, event, arm))
    sizes = []
    for chosen in combinations(range(8), 4):
        dealt = np.zeros(8, np.int64)
        dealt[list(chosen)] = 1
        sizes.append(abs(signed_logrank(day, event, dealt)))
    exact = (np.array(sizes) >= observed * (1 - 1e-9)).mean()
    row = permutation_test(frame, time="day", event="event", group="arm", reference="b", seed=5,
                           permutations=4000).iloc[0]  # fmt: skip
    assert abs(row["p_value"] - exact) < 4 * row["std_error"]
    assert row["conf_low"] < exact < row["conf_high"]


def test_a_permutation_test_is_seeded_and_near_the_chi_squared_where_that_holds():
    from cohorts import german

    keys = {"time": "rfs_time", "event": "rfs_event", "group": "arm", "reference": "none"}
    once, again, other = (
        permutation_test(german().frame, **keys, seed=seed, permutations=1000) for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(once, again)
    assert not once["p_value"].equals(other["p_value"])
    for row in once.to_dict("records"):
        assert row["p_value"] == pytest.approx(row["p_asymptotic"], abs=5 * row["std_error"])


def test_shuffles_that_empty_a_group_of_events_count_against_the_finding_and_are_counted():
    frame = pd.DataFrame({"day": range(1, 9), "event": [1, 1, 0, 0, 0, 0, 0, 0],
                          "arm": list("abababab")})  # fmt: skip
    table = permutation_test(frame, time="day", event="event", group="arm", reference="b", seed=1,
                             permutations=400).set_index("name")  # fmt: skip
    row = table.loc["hazard ratio"]
    assert 0.3 * 400 < row["infinite"] < 0.56 * 400  # both events in one group: 3 of 7
    assert row["at_least"] == 400  # the finite ones are all of the observed size, by symmetry


# ---- redrawn patients --------------------------------------------------------------------------


def test_replicates_and_both_intervals_equal_r():
    r = fixture("bootstrap")
    frame, counts = small_veteran(r["every"]), np.array(r["counts"])
    model = fitted(frame, "time", "event", VETERAN["covariates"], None, "test", "efron")
    assert model.estimate == pytest.approx(r["t0"], abs=1e-8)
    found = model.refits(counts)
    np.testing.assert_allclose(found, r["t"], atol=1e-6)
    without = model.refits(1 - np.eye(len(frame), dtype=np.int64))
    levels = bca_levels(model.estimate, found, without)
    np.testing.assert_allclose(levels, r["bca_levels"], atol=3e-5)  # boot rounds its places
    ends = [boots_own(np.sort(found), level) for level in levels]
    np.testing.assert_allclose(ends, r["bca"], atol=1e-6)
    table = bootstrap_ratio(frame, **VETERAN, term="test", seed=1, replicates=found)
    limits = table.set_index("interval")[["conf_low", "conf_high"]]
    np.testing.assert_allclose(limits.loc["percentile"], r["percentile_type7"], atol=1e-6)
    np.testing.assert_allclose(limits.loc["BCa"], r["bca_type7"], atol=0.002)  # rounded places


def boots_own(values, level):
    """R's boot reads a limit between two replicates on the normal scale, not on a line."""
    count = len(values) + 1
    k = int(level * count)
    near, far = stats.norm.ppf([k / count, (k + 1) / count])
    share = (stats.norm.ppf(level) - near) / (far - near)
    return values[k - 1] + share * (values[k] - values[k - 1])


def test_bca_is_scipys_on_the_same_resamples_of_a_hazard_ratio():
    frame = COHORT.frame
    model = fitted(frame, *OS.values(), ["arm", "ecog"], ARMS["references"], None, "efron")
    n = len(frame)

    def statistic(rows):
        return model.refits(np.bincount(rows, minlength=n)[None])[0]

    theirs = stats.bootstrap(
        (np.arange(n),), statistic, n_resamples=399, method="BCa", vectorized=False,
        rng=np.random.default_rng(3),
    )  # fmt: skip
    replicates = theirs.bootstrap_distribution
    without = model.refits(1 - np.eye(n, dtype=np.int64))
    ours = sorted_quantiles(np.sort(replicates), bca_levels(model.estimate, replicates, without))
    np.testing.assert_allclose(ours, theirs.confidence_interval, rtol=1e-9)


def test_a_bootstrap_is_seeded_and_covers_what_wald_does_roughly():
    once, again = (bootstrap_ratio(COHORT.frame, **OS, **ARMS, seed=4) for _ in range(2))
    pd.testing.assert_frame_equal(once, again)
    wald = cox_table(COHORT.frame, **OS, **ARMS).iloc[0]
    for row in once.to_dict("records"):
        assert row["conf_low"] == pytest.approx(wald["conf_low"], abs=0.25)
        assert row["conf_high"] == pytest.approx(wald["conf_high"], abs=0.25)
        assert row["infinite"] == row["undefined"] == 0


def test_resamples_without_a_finite_ratio_are_counted_and_keep_their_place_in_the_order():
    frame = pd.DataFrame({"day": range(1, 21), "event": 1, "arm": list("babbbabbabbbabbabbba")})
    dead = np.flatnonzero(frame["arm"] == "a")[1:3]
    frame.loc[(frame["arm"] == "a") & ~frame.index.isin(dead), "event"] = 0
    table = bootstrap_ratio(frame, time="day", event="event", covariates=["arm"],
                            references={"arm": "b"}, seed=1).set_index("interval")  # fmt: skip
    row = table.loc["percentile"]
    # The two with the event are both missed by about (18/20)^20 of the resamples.
    assert row["infinite"] / 2000 == pytest.approx(0.9**20, abs=0.03)
    assert row["conf_low"] == -np.inf and np.isfinite(row["conf_high"])
    assert re.search("limit is infinite", row["note"])


def test_quantiles_are_numpys_where_all_is_finite_and_infinite_ends_stay():
    values = np.sort(np.random.default_rng(0).normal(size=50))
    levels = np.array([0.0, 0.025, 0.5, 0.975, 1.0])
    np.testing.assert_allclose(sorted_quantiles(values, levels), np.quantile(values, levels))
    values = np.array([-np.inf, -np.inf, 0.0, 1.0, np.inf])
    assert sorted_quantiles(values, np.array([0.1, 0.5, 0.9])).tolist() == [-np.inf, 0.0, np.inf]
