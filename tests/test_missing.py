"""Missing covariates: Rubin's rules as R's mice, a known truth recovered, and honest refusals."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.cohort import load_cohort
from helpers.estimators.missing import (
    imputed_cox,
    missing_table,
    nelson_aalen,
    rubin,
    simulate_imputations,
)
from helpers.fit.likelihood import NotEstimable
from helpers.regression import cox_table

R = json.loads((Path(__file__).parent / "fixtures/robustness/imputation.json").read_text())
GAPS = pd.DataFrame({name: pd.array(v, dtype=float) for name, v in R["data"].items()}).astype(float)
MODEL = {"time": "time", "event": "event", "covariates": ["test", "karnofsky_score", "age"]}
COHORT = load_cohort()


def test_rubins_rules_and_barnard_and_rubins_degrees_of_freedom_equal_mice():
    ours = rubin(np.array(R["estimates"]), np.array(R["variances"]), R["complete_df"])
    for name, values in R["pooled"].items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-7, err_msg=name)


def test_imputations_that_agree_add_no_variance_and_cost_few_degrees_of_freedom():
    ours = rubin(np.full((5, 1), 0.3), np.full((5, 1), 0.04), 60.0)
    assert ours["std_error"][0] == pytest.approx(0.2) and ours["between"][0] == 0
    assert ours["df"][0] == pytest.approx(60 * 61 / 63)  # Barnard and Rubin's observed df
    large = rubin(np.array([[0.1], [0.3]]), np.full((2, 1), 0.04), 1e12)
    share = 1.5 * 0.02 / (0.04 + 1.5 * 0.02)
    assert large["df"][0] == pytest.approx(1 / share**2, rel=1e-6)  # Rubin's own, m - 1 = 1


def test_the_cumulative_hazard_equals_r():
    np.testing.assert_allclose(nelson_aalen(GAPS["time"], GAPS["event"]), GAPS["hazard"], rtol=1e-9)


def test_with_many_imputations_the_answer_is_that_of_mice_up_to_chance():
    table = imputed_cox(GAPS, **MODEL, seed=1, imputations=40)
    ours = table[table["analysis"] == "multiple imputation"]
    # A term's imputations differ by its between variance; the mean of 40 of them and of R's 400
    # by its root over six, and chains and donors are not drawn in the same way.
    step = np.sqrt(R["pooled"]["between"]) / 6
    assert (
        np.abs(ours["estimate"] - R["many"]["estimate"]) < 5 * step + 0.01 * ours["std_error"]
    ).all()
    np.testing.assert_allclose(ours["std_error"], R["many"]["std_error"], rtol=0.1)
    complete = table[table["analysis"] == "complete cases"]
    np.testing.assert_allclose(complete["estimate"], R["complete_cases"]["estimate"], rtol=1e-6)


def censored(rng, n=300):
    """Survival with a confounder that is seen in full in those who die early and else by chance."""
    arm = rng.integers(0, 2, n)
    score = rng.normal(0.8 * arm, 1.0)
    died = rng.exponential(1 / np.exp(-0.7 * arm + 0.8 * score))
    left = rng.uniform(0.2, 3.0, n)
    frame = pd.DataFrame({"time": np.minimum(died, left), "event": (died <= left).astype(int),
                          "arm": np.where(arm == 1, "new", "old"), "score": score})  # fmt: skip
    # Missing at random: it depends on the arm and on what was observed of the outcome alone.
    gone = np.where((arm == 1) & (frame["event"] == 1), 0.65, 0.1)
    return frame.assign(score=frame["score"].mask(rng.random(n) < gone))


def test_imputation_recovers_a_truth_that_complete_cases_miss():
    rng, found = np.random.default_rng(11), []
    for k in range(40):
        table = imputed_cox(
            censored(rng), time="time", event="event", covariates=["arm", "score"],
            references={"arm": "old"}, seed=k, imputations=5,
        )  # fmt: skip
        found.append(table[table["column"] == "arm"][["estimate", "conf_low", "conf_high"]])
    found = np.array(found)  # (40, analysis, columns)
    miss = found[..., 0].mean(axis=0) + 0.7
    error = found[..., 0].std(axis=0, ddof=1) / np.sqrt(40)
    assert abs(miss[0]) > 8 * error[0]  # those left out are not like the others
    assert abs(miss[1]) < abs(miss[0]) / 5
    covered = ((found[..., 1] <= -0.7) & (found[..., 2] >= -0.7)).mean(axis=0)
    assert covered[1] > 0.85 > covered[0]


def test_imputation_is_seeded_keeps_what_was_recorded_and_draws_values_that_occur():
    frame = COHORT.frame.copy()
    rng = np.random.default_rng(2)
    for column in ("ecog", "age", "sex"):
        frame[column] = frame[column].mask(rng.random(len(frame)) < 0.2)
    keys = {"time": "os_time", "event": "os_event", "covariates": ["arm", "ecog", "age", "sex"]}
    one, again, other = (
        simulate_imputations(frame, **keys, seed=seed, imputations=3) for seed in (1, 1, 2)
    )
    for first, second in zip(one, again, strict=True):
        pd.testing.assert_frame_equal(first, second)
    assert not one[0].equals(other[0]) and not one[0].equals(one[1])
    for column in ("ecog", "age", "sex"):
        known = frame[column].notna()
        for copy in one:
            assert copy[column].notna().all()
            assert (copy.loc[known, column] == frame.loc[known, column]).all()
            assert set(copy[column]) <= set(frame[column].dropna())
    others = [c for c in frame if c not in ("ecog", "age", "sex")]
    pd.testing.assert_frame_equal(one[0][others], frame[others])


def test_nothing_is_imputed_where_nothing_is_missing():
    keys = {"time": "os_time", "event": "os_event", "covariates": ["arm", "ecog"],
            "references": {"arm": "non-CAR-T"}}  # fmt: skip
    table = imputed_cox(COHORT.frame, **keys, seed=1)
    assert set(table["analysis"]) == {"complete cases"}
    assert table["note"].eq("no covariate is missing, so nothing is imputed").all()
    np.testing.assert_allclose(table["estimate"], cox_table(COHORT.frame, **keys)["estimate"])


def test_complete_cases_say_how_many_they_leave_out_and_the_pooled_ones_are_everybody():
    frame = COHORT.frame.assign(age=COHORT.frame["age"].where(COHORT.frame.index % 5 != 0))
    table = imputed_cox(frame, time="os_time", event="os_event", covariates=["arm", "age"], seed=1)
    complete, pooled = (part for _, part in table.groupby("analysis", sort=True))
    assert complete["n"].eq(74).all() and pooled["n"].eq(93).all()
    assert complete["note"].eq("19 of 93 patients lack a value").all()
    assert pooled["fraction_missing"].between(0, 1).all()
    assert (pooled["df"] < 62).all()
    assert pooled["method"].str.endswith("20 imputations, Rubin's rules").all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.assign(age=f["age"].where(f.index < 40)), "age: found 57% missing"),
        (
            lambda f: f.assign(histology=f["histology"].where(f.index % 9 != 0)),
            "histology: found . unordered levels and missing values",
        ),
        (
            lambda f: f.head(20).assign(age=f["age"].where(f.index % 3 != 0)),
            "too few to learn from",
        ),
    ],
)
def test_what_would_be_made_up_is_refused_with_a_way_out(change, message):
    with pytest.raises(NotEstimable, match=message):
        simulate_imputations(change(COHORT.frame), time="os_time", event="os_event",
                             covariates=["arm", "age", "histology"], seed=1)  # fmt: skip


def test_one_imputation_is_refused():
    with pytest.raises(ValueError, match=r"imputations: found 1\. To do"):
        imputed_cox(GAPS, **MODEL, seed=1, imputations=1)


def test_what_is_missing_is_counted_by_group_and_event():
    frame = COHORT.frame.assign(age=COHORT.frame["age"].where(COHORT.frame["os_event"] == 1))
    table = missing_table(frame, event="os_event", covariates=["age", "ecog"], group="arm")
    table = table.set_index("column")
    assert table.loc["age", "missing"] == 31
    assert table.loc["age", "event_if_missing"] == 0 and table.loc["age", "event_if_known"] == 1
    assert table.loc["ecog", "missing"] == 0 and np.isnan(table.loc["ecog", "event_if_missing"])
    assert table.loc["any of these", "missing"] == 31
    arms = frame.groupby("arm")["age"].apply(lambda v: v.isna().mean())
    for arm, share in arms.items():
        assert table.loc["age", f"share_{arm}"] == share
