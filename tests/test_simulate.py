"""Made cohorts: what the dials say is true in them, and estimators do what theory says."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from helpers.estimators.treatment_time import time_dependent_cox
from helpers.regression import cox_table
from helpers.simulate.calibration import (
    SCENARIOS,
    TARGETS,
    calibration,
    one_replication,
)
from helpers.simulate.cohort import COURSES, from_infusion, simulate_cohort
from helpers.simulate.dials import ECOG_MEAN, ECOG_SHARES, Dials
from helpers.simulate.truth import AT_ONCE, CONDITIONAL, MARGINAL, PLAN, truth

OS = {"time": "os_time", "event": "os_event"}
PFS = {"time": "pfs_time", "event": "pfs_event"}
MUCH = Dials(
    patients=20_000, log_hr_death=-0.5, log_hr_progression_free=-0.8, death_first=0.5,
    wait_mean=50, failure_share=0.1, ecog_on_choice=-0.6, burden_on_choice=-0.5,
    ecog_on_death=0.5, burden_on_death=0.4, hidden_treated=0.2, hidden_untreated=0.5,
    hidden_on_death=0.7, leave_untreated=0.1,
)  # fmt: skip
ADJUST = ["ecog", "burden", "hidden"]
COHORT = simulate_cohort(MUCH, 11)


def near(value, expected, error, times=4):
    assert abs(value - expected) < times * error, (value, expected, error)


def dialled(**changes):
    return Dials(**({"patients": 20_000} | changes))


# The cohort


def test_the_same_seed_gives_the_same_patients_and_another_gives_others():
    few = Dials(wait_mean=30)
    pd.testing.assert_frame_equal(simulate_cohort(few, [1, 2]), simulate_cohort(few, [1, 2]))
    other = simulate_cohort(few, [1, 3])
    assert not other["os_time"].equals(simulate_cohort(few, [1, 2])["os_time"])
    assert len(other) == 93


def test_every_patient_has_a_possible_course():
    frame = COHORT
    assert ((frame["pfs_time"] <= frame["os_time"]) & (frame["pfs_time"] > 0)).all()
    assert (frame["os_event"] <= frame["pfs_event"]).all(), "who died has no progression to come"
    infused = frame["infused"] == 1
    assert (frame["infusion_day"].notna() == infused).all()
    assert (frame.loc[infused, "infusion_day"] < frame.loc[infused, "os_time"]).all()
    assert (frame.loc[infused, "chosen"] == 1).all()
    counts = frame["course"].value_counts()
    assert list(counts.reindex(COURSES).gt(0)) == [True] * 4 + [False], "nobody left while waiting"
    assert (frame.loc[frame["course"] == "not manufactured", "wait"] == np.inf).all()
    waiting = frame[frame["course"] == "died waiting"]
    assert (waiting["os_event"] == 1).all() and (waiting["os_time"] <= waiting["wait"]).all()


def test_who_was_never_infused_lives_the_untreated_life():
    frame = COHORT
    dead = frame[(frame["os_event"] == 1) & (frame["infused"] == 0)]
    np.testing.assert_allclose(dead["os_time"], dead["os_untreated"], rtol=1e-12)
    treated = frame[(frame["os_event"] == 1) & (frame["infused"] == 1)]
    assert (treated["os_time"] > treated["os_untreated"]).all(), "the effect is a good one"
    assert (treated["os_time"] <= treated["os_treated"]).all(), "and begins with the infusion"


def test_shares_and_the_strength_of_choice_come_out():
    near(COHORT["chosen"].mean(), MUCH.share_treated, 0.0035)
    for value, share in enumerate(ECOG_SHARES):
        near((COHORT["ecog"] == value).mean(), share, 0.0035)
    near(COHORT["burden"].mean(), 0, 0.007)
    near(COHORT.loc[COHORT["chosen"] == 1, "hidden"].mean(), 0.2, 0.0038)
    near(COHORT.loc[COHORT["chosen"] == 0, "hidden"].mean(), 0.5, 0.0055)
    chance = expit(MUCH.choice_intercept - 0.6 * (COHORT["ecog"] - ECOG_MEAN)
                   - 0.5 * COHORT["burden"])  # fmt: skip
    for _, part in COHORT.groupby(pd.qcut(chance, 5), observed=True):
        near(part["chosen"].mean(), chance[part.index].mean(), 0.5 / np.sqrt(len(part)))


@pytest.mark.parametrize("shape", [0.7, 1.0, 1.5])
def test_the_untreated_median_is_the_dial_and_death_comes_first_as_often(shape):
    frame = simulate_cohort(dialled(shape=shape, median_survival=200, death_first=0.3), 4)
    near((frame["os_untreated"] > 200).mean(), 0.5, 0.0036)
    near((frame["pfs_untreated"] == frame["os_untreated"]).mean(), 0.3, 0.0033)
    near((frame["pfs_untreated"] > 200).mean(), 0.5 ** (1 / 0.3), 0.0022)


# The truth


def test_both_conditional_ratios_hold_from_the_infusion_on():
    """A time-dependent model with everything in it, the hidden trait too, finds the dials."""
    patients = simulate_cohort(dialled(**vars(MUCH) | {"leave_untreated": 0.0}), 11)
    for columns, true in ((OS, -0.5), (PFS, -0.8)):
        row = time_dependent_cox(
            patients, **columns, treated_on="infusion_day", covariates=ADJUST
        ).set_index("column")  # fmt: skip
        near(row.at["treated", "estimate"], true, row.at["treated", "std_error"])
        for name, value in (("ecog", 0.5), ("burden", 0.4), ("hidden", 0.7)):
            near(row.at[name, "estimate"], value, row.at[name, "std_error"])


def closed_form(dials, days):
    """Survival of all patients, untreated and treated on day 0, by sums over the covariates."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    weights = np.outer(ECOG_SHARES, weights / weights.sum())
    ecog = (np.arange(4) - ECOG_MEAN)[:, None]
    chosen = expit(dials.choice_intercept + dials.ecog_on_choice * ecog
                   + dials.burden_on_choice * nodes)  # fmt: skip
    trait = chosen * dials.hidden_treated + (1 - chosen) * dials.hidden_untreated
    risk = np.exp(dials.ecog_on_death * ecog + dials.burden_on_death * nodes)
    curves = []
    for ratio in (1.0, np.exp(dials.log_hr_death)):
        hazard = ratio * dials.hazard(days)[:, None, None] * risk
        with_trait = np.exp(-hazard * np.exp(dials.hidden_on_death))
        curves.append(((trait * with_trait + (1 - trait) * np.exp(-hazard)) * weights)
                      .sum(axis=(1, 2)))  # fmt: skip
    return curves


def test_simulated_truth_is_that_of_the_closed_form():
    table = truth(MUCH, horizon=400).set_index(["estimand", "endpoint", "quantity"])
    days = np.linspace(0, 400, 4001)
    untreated, treated = closed_form(MUCH, days)
    expected = {"survival difference": treated[-1] - untreated[-1],
                "restricted mean difference": np.trapezoid(treated - untreated, days)}  # fmt: skip
    for quantity, value in expected.items():
        row = table.loc[(AT_ONCE, "os", quantity)]
        near(row["value"], value, row["error"])
        assert row["error"] < 0.02 * abs(value)


def test_marginal_ratios_are_nearer_one_and_a_plan_does_less_than_an_infusion():
    table = truth(MUCH).set_index(["estimand", "endpoint", "quantity"])
    value = table["value"]
    assert value[AT_ONCE, "os", CONDITIONAL] == -0.5 and value[AT_ONCE, "pfs", CONDITIONAL] == -0.8
    assert np.isnan(value[PLAN, "os", CONDITIONAL]), "waiting and failures: no one ratio is true"
    for endpoint in ("os", "pfs"):
        steps = [value[AT_ONCE, endpoint, CONDITIONAL], value[AT_ONCE, endpoint, MARGINAL],
                 value[PLAN, endpoint, MARGINAL], 0]  # fmt: skip
        assert (np.diff(steps) > 0.05).all()
    plain = truth(Dials(log_hr_death=-0.5, log_hr_progression_free=-0.5)).set_index(
        ["estimand", "endpoint", "quantity"]
    )
    for estimand in (AT_ONCE, PLAN):  # nothing differs between patients, nobody waits
        row = plain.loc[(estimand, "os", MARGINAL)]
        near(row["value"], -0.5, row["error"])
        assert plain.loc[(estimand, "os", CONDITIONAL), "value"] == -0.5


def test_without_an_effect_every_truth_is_zero_whatever_else_acts():
    quiet = Dials(**(vars(MUCH) | {"log_hr_death": 0.0, "log_hr_progression_free": 0.0}))
    assert (truth(quiet)["value"] == 0).all()


def test_a_delayed_effect_is_not_proportional():
    frame = simulate_cohort(dialled(log_hr_death=-1.0, log_hr_progression_free=-1.0,
                                    effect_delay=100), 2)  # fmt: skip
    early = frame["os_untreated"] <= 100
    assert (frame.loc[early, "os_treated"] == frame.loc[early, "os_untreated"]).all()
    late = frame[~early]
    gain = (late["os_treated"] - 100) / (late["os_untreated"] - 100)
    np.testing.assert_allclose(gain, np.e, rtol=1e-9)
    table = truth(Dials(log_hr_death=-1.0, log_hr_progression_free=-1.0, effect_delay=100.0))
    assert table.loc[table["quantity"] == CONDITIONAL, "value"].isna().all()


# The mechanisms, each by itself and in large cohorts without an effect


def log_hr(frame, columns=OS, covariates=(), treated="infused"):
    row = cox_table(frame, **columns, covariates=[treated, *covariates], engine="fast").iloc[0]
    return row["estimate"], row["std_error"]


def test_waiting_makes_a_treatment_look_good_that_does_nothing():
    frame = simulate_cohort(dialled(wait_mean=45), 5)
    estimate, error = log_hr(frame)
    assert estimate < -10 * error
    later = time_dependent_cox(frame, **OS, treated_on="infusion_day").iloc[0]
    near(later["estimate"], 0, later["std_error"])
    near(*log_hr(frame, treated="chosen")[:1], 0, log_hr(frame, treated="chosen")[1])


def test_a_clock_at_infusion_hides_those_who_died_waiting_and_flatters_under_a_falling_hazard():
    frame = simulate_cohort(dialled(wait_mean=45, failure_share=0.1, shape=0.6), 5)
    seen = from_infusion(frame)
    lost = (frame["chosen"] == 1) & (frame["infused"] == 0)
    assert len(seen) == len(frame) - lost.sum() and lost.sum() > 1000
    assert (seen["os_time"] > 0).all()
    assert not seen["course"].isin(["died waiting", "not manufactured"]).any()
    estimate, error = log_hr(seen)
    assert estimate < -5 * error
    constant = from_infusion(simulate_cohort(dialled(wait_mean=45, failure_share=0.1), 5))
    near(log_hr(constant)[0], 0, log_hr(constant)[1])  # a constant hazard forgets the wait


def test_measured_confounding_goes_with_adjustment_and_hidden_confounding_stays():
    frame = simulate_cohort(dialled(**vars(SCENARIOS["measured confounding"])
                                    | {"patients": 20_000}), 6)  # fmt: skip
    estimate, error = log_hr(frame)
    assert estimate < -10 * error
    adjusted = log_hr(frame, covariates=["ecog", "burden"])
    near(adjusted[0], 0, adjusted[1])
    hidden = simulate_cohort(dialled(**vars(SCENARIOS["hidden confounding"])
                                     | {"patients": 20_000}), 6)  # fmt: skip
    estimate, error = log_hr(hidden, covariates=["ecog", "burden"])
    assert estimate < -10 * error
    seen = log_hr(hidden, covariates=["hidden"])
    near(seen[0], 0, seen[1])


def test_losing_the_dying_of_one_group_flatters_that_group():
    frame = simulate_cohort(dialled(leave_treated=0.3), 6)
    estimate, error = log_hr(frame)
    assert estimate < -5 * error
    both = simulate_cohort(dialled(leave_treated=0.3, leave_untreated=0.3), 6)
    near(log_hr(both)[0], 0, log_hr(both)[1])


# The edges


def test_nobody_chosen_everybody_on_day_0_and_one_patient():
    nobody = simulate_cohort(Dials(share_treated=0.0), 1)
    assert (nobody["course"] == "other treatment").all() and nobody["infusion_day"].isna().all()
    everybody = simulate_cohort(Dials(share_treated=1.0, ecog_on_choice=-2.0), 1)
    assert (everybody["infusion_day"] == 0).all()
    assert len(simulate_cohort(Dials(patients=1), 1)) == 1
    never = simulate_cohort(Dials(share_treated=1.0, failure_share=1.0), 1)
    assert (never["course"] == "not manufactured").all() and from_infusion(never).empty
    alone = simulate_cohort(Dials(death_first=1.0, log_hr_death=-1, log_hr_progression_free=-1), 1)
    assert (alone["pfs_time"] == alone["os_time"]).all()


@pytest.mark.parametrize(
    "wrong",
    [{"share_treated": 1.2}, {"patients": 0}, {"wait_mean": -1}, {"death_first": 0},
     {"shape": 0}, {"follow_low": 900, "follow_high": 100}, {"median_survival": 0},
     {"log_hr_progression_free": -3.0}, {"death_first": 1, "log_hr_death": -1}],
)  # fmt: skip
def test_an_impossible_dial_is_refused_by_name(wrong):
    name = "log_hr_progression_free" if "log_hr_death" in wrong else list(wrong)[-1]
    with pytest.raises(ValueError, match=rf"{name}: found .* To do: give"):
        Dials(**wrong)


# The calibration


def test_a_replication_is_plain_numbers_and_always_the_same():
    result = one_replication("waiting and measured confounding", 3, 7)
    assert result == one_replication("waiting and measured confounding", 3, 7)
    assert result == json.loads(json.dumps(result, allow_nan=False))
    assert len(result) == 2 * len(TARGETS)
    assert result != one_replication("waiting and measured confounding", 3, 8)
    with pytest.raises(ValueError, match="scenario: found 'sunshine'"):
        one_replication("sunshine", 3, 7)


def test_the_summary_is_arithmetic_on_what_it_is_given():
    pairs = [(0.1, 0.1), (0.5, 0.1), (-0.3, 0.2), (None, None)]
    results = [
        {f"{name}: {what}": pair[i] for name in TARGETS
         for i, what in enumerate(("estimate", "std_error"))}
        for pair in pairs
    ]  # fmt: skip
    row = calibration("nothing", results).iloc[0]
    assert row[["truth", "replications", "withheld"]].tolist() == [0, 4, 1]
    assert row["mean"] == row["bias"] == pytest.approx(0.1)
    assert row["spread"] == pytest.approx(0.4) and row["mean_std_error"] == pytest.approx(0.02**0.5)
    assert row["bias_error"] == pytest.approx(0.4 / 3**0.5)
    assert row["coverage"] == pytest.approx(2 / 3) and row["rejection"] == pytest.approx(1 / 3)
    assert row["coverage_error"] == pytest.approx((2 / 27) ** 0.5) == row["rejection_error"]
    delayed = calibration("delayed effect", results).set_index("estimator")
    assert delayed["truth"].isna().tolist() == [t == CONDITIONAL for t in TARGETS.values()]
    assert delayed["coverage"].isna().tolist() == delayed["truth"].isna().tolist()
    with pytest.raises(ValueError, match="results: found none"):
        calibration("nothing", [])


def test_in_small_cohorts_with_waiting_only_the_ever_treated_are_biased():
    table = calibration("waiting", [one_replication("waiting", 1, k) for k in range(120)])
    table = table.set_index("estimator")
    assert table.at["ever treated", "bias"] < -4 * table.at["ever treated", "bias_error"]
    others = table.drop(index="ever treated")
    assert (others["bias"].abs() < 4 * others["bias_error"]).all()
    # Five in a hundred, within four Monte Carlo errors of a share of 0.05.
    assert (np.abs(others["rejection"] - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 120)).all()
    assert (others["coverage"] == 1 - others["rejection"]).all(), "the truth is no effect"
