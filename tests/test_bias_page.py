"""Time, choice and what nobody recorded: each dial's verdict against the truth it was set to."""
# ruff: noqa: F811 (a test names the imported fixture as its argument)

import json
import re
from dataclasses import replace
from html import unescape
from itertools import product

import numpy as np
import pandas as pd
import pytest
from browser import browser, requested, resize, run_first_cell  # noqa: F401 (a fixture)
from cohorts import german, make_cohort
from IPython.display import HTML
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from servers import lab
from test_explorer_browser import outside

from helpers.cohort import ROOT, load_cohort
from helpers.estimators.evalue import tipping_grid
from helpers.estimators.treatment_time import landmark_cox
from helpers.estimators.weighting import propensity_weights, weighted_cox
from helpers.explorer.dials import confounder_dial, waiting_dial
from helpers.fit.likelihood import NotEstimable
from helpers.pages import bias_choice, bias_time, bias_unseen
from helpers.pages.cox_page import answers, with_adjustment
from helpers.pages.quiz import bank
from helpers.plots import bias, choice
from helpers.plots.style import is_stamped
from helpers.simulate.cohort import simulate_cohort
from helpers.simulate.dials import Dials
from helpers.simulate.truth import AT_ONCE, truth
from helpers.simulate.waiting import (
    COLUMNS,
    ratios_by_wait,
    three_models,
    wait_that_gives,
    waiting_alone,
)
from helpers.survival import km_curve, risk_table
from helpers.view import View

PAPER = load_cohort()
PAGE = json.loads((ROOT / "notebooks" / "09_bias_and_time.ipynb").read_text(encoding="utf-8"))
MANY = 8_000
ERRORS = 4  # standard errors of a simulated ratio within which a truth counts as met
WAITS = (0.0, 45.0, 120.0)
EFFECT = {"log_hr_death": np.log(0.5), "log_hr_progression_free": np.log(0.5)}


def asked_of(cohort, view=None):
    view = with_adjustment(cohort, view or View(horizon=365))
    return bias_unseen.asked(cohort, answers(cohort, view))


def met(row, true):
    return abs(row["estimate"] - true) < ERRORS * row["std_error"]


# The clock at failure


@pytest.mark.parametrize("true", [1.0, 0.5])
def test_counting_each_day_where_it_belongs_finds_the_truth_and_ever_treated_does_not(true):
    effect = {} if true == 1 else EFFECT
    table = ratios_by_wait(Dials(patients=MANY, **effect), WAITS, seed=1)
    ever = table[table["approach"] == "ever treated"]
    assert np.all(np.diff(ever["estimate"]) < -3 * ever["std_error"].max()), "ever further off"
    for _, row in table[table["approach"] == "time-dependent"].iterrows():
        assert met(row, np.log(true)), row["wait"]
    for _, row in table[table["wait"] == 0].iterrows():
        assert met(row, np.log(true)), row["approach"]


def test_a_landmark_is_right_where_nothing_happens_and_weakens_what_does():
    rows = [
        ratios_by_wait(Dials(patients=MANY, **effect), [90.0], seed=2, day=60).iloc[1]
        for effect in ({}, EFFECT)
    ]
    assert met(rows[0], 0.0)
    assert np.log(0.5) + ERRORS * rows[1]["std_error"] < rows[1]["estimate"] < -0.1


def test_a_model_without_an_answer_says_why_and_the_others_stand():
    nobody = simulate_cohort(Dials(patients=60, share_treated=0.0), 1)
    table = three_models(nobody, **COLUMNS, day=30)
    assert table["estimate"].isna().all() and table["note"].str.len().min() > 5
    late = three_models(simulate_cohort(Dials(patients=60, wait_mean=9), 1), **COLUMNS, day=1e5)
    assert late["estimate"].notna().tolist() == [True, False, True]
    assert "withheld" in bias_time.models_text(late)["hazard ratio"].tolist()


def test_the_heart_transplants_give_what_r_gives():
    file = ROOT / "tests" / "fixtures" / "treatment" / "jasa.json"
    theirs = json.loads(file.read_text())["heart"]
    keys = {"time": "time", "event": "event", "treated_on": "treated_on"}
    table = three_models(bias_time.load_heart(), **keys, day=30).set_index("approach")
    (estimate,) = theirs["estimate"]
    assert table.at["time-dependent", "estimate"] == pytest.approx(estimate, rel=1e-6)
    shown = np.exp(table["estimate"]).round(2)
    assert (shown["ever treated"], shown["time-dependent"]) == (0.27, 1.14)


def test_numbers_at_risk_below_the_curves_are_those_of_the_curves():
    cohort = simulate_cohort(Dials(patients=300, wait_mean=60), 3)
    times = np.array([0, 90, 180, 365])
    found = bias_time.counts(cohort, times, day=30)
    curves = bias_time.curves(cohort, day=30)
    theirs = risk_table(curves["naive"], times).set_index(["group", "time"])
    ours = found["naive"].set_index(["group", "time"])
    for column in ("n_risk", "n_event"):
        assert (ours[column] == theirs.loc[ours.index, column]).all(), column
    later = found["simon-makuch"]
    assert (later.loc[later["time"] == 0, "n_risk"] == -1).all(), "not there before the start"
    seen = curves["simon-makuch"]
    for row in later[later["time"] > 30].itertuples():
        mine = seen[(seen["group"] == row.group) & (seen["time"] <= row.time)]
        assert row.n_event == mine["n_event"].sum()
    first = later[later["time"] == 30]["n_risk"].sum()
    assert first == (cohort["os_time"] >= 30).sum(), "those with whom the curves start"
    both = later[later["time"] == 180]["n_risk"].sum()
    assert both == (cohort["os_time"] >= 180).sum(), "nobody is lost or counted twice"


# Waiting alone


SHARE, MEDIAN = 54 / 93, 3.02 * 365 / 12


@pytest.fixture(scope="module")
def alone():
    return waiting_alone(np.arange(0.1, 1.0, 0.1), share=SHARE, median=MEDIAN, seed=5,
                         patients=MANY)  # fmt: skip


def test_waiting_alone_keeps_what_was_printed_in_other_patients_too(alone):
    """Another seed, and the median by Kaplan-Meier: as many infused, the others as short-lived."""
    for row in alone.iloc[[0, 3, -1]].itertuples():
        dials = Dials(patients=MANY, share_treated=row.planned, wait_mean=row.wait,
                      median_survival=row.everybody)  # fmt: skip
        cohort = simulate_cohort(dials, 77)
        assert cohort["infused"].mean() == pytest.approx(SHARE, abs=0.02)
        never = km_curve(cohort[cohort["infused"] == 0], time="os_time", event="os_event")
        half = never.loc[never["estimate"] < 0.5, "time"].iloc[0]
        assert half == pytest.approx(MEDIAN, rel=0.08)


def test_the_longer_the_wait_the_further_the_ratio_until_nobody_is_left_to_plan(alone):
    assert np.all(np.diff(alone["wait"]) > 0) and np.all(np.diff(alone["estimate"]) < 0)
    last = alone.iloc[-1]
    assert last["planned"] <= 1
    lives = (1 + np.log(2) * (last["relative"] + 0.1) / 4) ** -4
    assert lives < SHARE, "one step further more than everybody would be planned"


def test_the_chance_to_live_through_the_wait_is_the_one_simulated(alone):
    row = alone.iloc[4]
    dials = Dials(patients=MANY, share_treated=1.0, wait_mean=row["wait"], follow_low=1e6,
                  follow_high=1e6, median_survival=row["everybody"])  # fmt: skip
    lives = simulate_cohort(dials, 6)["infused"].mean()
    assert lives == pytest.approx(SHARE / row["planned"], abs=4 * 0.5 / np.sqrt(MANY))


def test_a_wait_is_read_between_two_rows_and_not_beyond_them():
    table = pd.DataFrame({"wait": [10.0, 20.0], "estimate": np.log([0.8, 0.4])})
    assert wait_that_gives(table, np.sqrt(0.8 * 0.4))["wait"] == pytest.approx(15)
    assert wait_that_gives(table, 0.3).isna().all() and wait_that_gives(table, 0.9).isna().all()


WAITING = json.loads((ROOT / "tests" / "fixtures" / "waiting" / "ever.json").read_text())["rows"]
IN_R = dict(zip(bias_time.DESIGNS, ("gamma", "gamma_short", "gamma_to_death", "fixed",
                                    "exponential", "falling"), strict=True))  # fmt: skip


@pytest.mark.parametrize("name", bias_time.DESIGNS)
def test_waiting_alone_makes_the_ratio_that_r_simulates_under_every_design(name):
    """Another program, other random numbers: shape of the waits, of the hazard, and follow-up."""
    rows = [row for row in WAITING if row["design"] == IN_R[name]]
    whole = bias_time.alone(seed=7, patients=2_000, design=bias_time.DESIGNS[name])
    for row in rows:
        at = row["mean_wait"] * 365 / 12
        near = np.interp(at, whole["wait"], whole["relative"])
        table = waiting_alone(near * np.linspace(0.85, 1.15, 5), share=SHARE, median=MEDIAN,
                              seed=7, patients=60_000, design=bias_time.DESIGNS[name])  # fmt: skip
        assert table["wait"].iloc[0] < at < table["wait"].iloc[-1]
        # A smooth line through five cohorts, since the median of each has an error of its own.
        ours = {column: np.polyval(np.polyfit(table["wait"] - at, table[column], 2), 0)
                for column in ("estimate", "planned", "ever")}  # fmt: skip
        assert ours["estimate"] == pytest.approx(row["estimate"], abs=0.04), row["mean_wait"]
        assert ours["planned"] == pytest.approx(row["planned"], abs=0.01), row["mean_wait"]
        assert ours["ever"] * 12 / 365 == pytest.approx(row["ever_median"], rel=0.03)


def test_one_mean_wait_does_not_make_one_ratio():
    """What the page must not say: that the wait alone is left open."""
    found = bias_time.designs(seed=5, patients=4_000)
    at = [np.interp(2.5 * 365 / 12, table["wait"], table["estimate"]) for table in found.values()]
    assert np.ptp(at) > 0.25, "ratios from 0.39 to 0.56"
    needed = [bias_time.months_for(table, 0.28) for table in found.values()]
    assert max(needed) - min(needed) > 1.5 and min(needed) > 3.02
    said = bias_time.read_alone(found)
    ends = f"{min(needed):.1f} to {max(needed):.1f}"
    assert f"0.28 takes {ends}, in each design longer than the 3.02 months" in said
    short = {name: table.assign(wait=table["wait"] / 2) for name, table in found.items()}
    assert "in each design longer" not in bias_time.read_alone(short)
    assert ends in bias_unseen.read_vanish(found)
    told = bias_time.designs_text(found)
    assert told["months for 0.28"].tolist() == [f"{value:.1f}" for value in needed]


def test_the_side_of_1_of_a_landmark_on_day_30_hangs_on_where_days_count_from():
    theirs = json.loads((ROOT / "tests" / "fixtures" / "treatment" / "jasa.json").read_text())
    keys = {"time": "time", "event": "event", "treated_on": "treated_on", "day": 30}
    heart = bias_time.load_heart()
    from_0 = heart.assign(time=heart["time"] - 1, treated_on=heart["treated_on"] - 1)
    first, zero = (landmark_cox(frame, **keys).iloc[0] for frame in (heart, from_0))
    assert zero["estimate"] == pytest.approx(theirs["days"]["landmark_model"]["estimate"][0],
                                             rel=1e-6)  # fmt: skip
    assert zero["estimate"] < 0 < first["estimate"]
    (known,) = (one for one in bank()["exercises"]["09-1"] if one["name"] == "my_ratio_from_0")
    assert known["right"] == pytest.approx(np.exp(zero["estimate"]), abs=5e-4)


def test_the_ratio_that_a_printed_one_takes_is_the_ratio_that_is_made():
    table = bias_time.alone(seed=5, patients=MANY)
    value, _, high = bias_time.bounds("os_hr")
    assert (value, high) == (0.28, 0.51)
    wait = bias_time.months_needed(table) * 365 / 12
    row = wait_that_gives(table, value)
    dials = Dials(patients=MANY, share_treated=row["planned"], wait_mean=wait,
                  median_survival=row["everybody"])  # fmt: skip
    made = three_models(simulate_cohort(dials, 8), **COLUMNS, day=30, engine="fast")
    assert met(made.iloc[0], np.log(value)) and met(made.iloc[2], 0.0)
    half = bias_time.wait_of_median(table)
    assert np.interp(half, table["wait"], table["ever"]) == pytest.approx(8.15 * 365 / 12)


# The clock at infusion


def test_a_clock_at_infusion_selects_unless_all_are_alike_and_adjusting_mends_what_is_recorded():
    worlds = bias_time.infusion_worlds(patients=MANY, wait=90, seed=4)
    table = bias_time.infusion_models(worlds).set_index(["world", "adjusted"])
    alike, recorded, hidden, falling = bias_time.WORLDS
    assert met(table.loc[alike, False], 0) and met(table.loc[recorded, True], 0)
    for key in ((recorded, False), (hidden, False), (hidden, True), (falling, False),
                (falling, True)):  # fmt: skip
        assert table.loc[key, "estimate"] < -2 * table.loc[key, "std_error"], key


def test_those_planned_and_never_infused_are_counted():
    cohort = simulate_cohort(Dials(patients=2_000, wait_mean=60, failure_share=0.1), 1)
    said = bias_time.read_courses(cohort)
    planned = cohort[cohort["chosen"] == 1]
    for name in ("died waiting", "not manufactured"):
        assert f"{(planned['course'] == name).mean():.0%} {name}" in said


# Choice


@pytest.fixture(scope="module")
def ways():
    return bias_choice.ways_by_world(bias_choice.crowds(MANY, seed=3))


def test_adjusting_and_weighting_find_the_truths_they_aim_at_where_all_is_recorded(ways):
    for _, row in ways[ways["world"].isin(["no effect", "half the hazard"])].iterrows():
        if row["way"] == "unadjusted":
            assert row["estimate"] < row["truth"] - 5 * row["std_error"]
        else:
            assert met(row, row["truth"]), (row["world"], row["way"])


def test_a_hidden_trait_bends_both_by_about_as_much(ways):
    world = "no effect, and a hidden trait"
    mine = ways[ways["world"] == world]
    assert (mine["estimate"] < mine["truth"] - 5 * mine["std_error"]).all()
    assert bias_choice.nearer(ways, world) == "neither"
    moved = ways.assign(estimate=np.where(ways["way"] == "weighted", 0.0, ways["estimate"]))
    assert bias_choice.nearer(moved, world) == "weights"


def test_without_an_effect_the_truth_is_none_as_the_simulation_says():
    table = truth(bias_choice.dials("no effect", 93))
    table = table[(table["estimand"] == AT_ONCE) & (table["endpoint"] == "os")]
    assert (table["value"] == 0).all() and bias_choice.truths("no effect") == (0.0, 0.0)
    marginal, conditional = bias_choice.truths("half the hazard")
    assert conditional == pytest.approx(np.log(0.5)) and conditional < marginal < 0


def test_where_choice_follows_a_rule_weighting_is_refused_and_says_why():
    dials = Dials(patients=1_000, **bias_choice.FAR_APART, **bias_choice.RISK)
    apart = simulate_cohort(dials, 1)
    weights = propensity_weights(apart, group="infused", treated=1, covariates=["ecog", "burden"])
    assert "outside 0.05 to 0.95" in bias_choice.refused(weights)
    with pytest.raises(NotEstimable, match="overlap"):
        weighted_cox(apart, weights, time="os_time", event="os_event")
    table = bias_choice.three_ways(apart, weights, **bias_choice.WHOLE,
                                   covariates=["infused", "ecog", "burden"])  # fmt: skip
    assert table["estimate"].notna().tolist() == [True, True, False]


def test_rows_that_were_made_are_not_weighed_and_a_real_cohort_is():
    mine = bias_choice.own(PAPER, View(horizon=365))
    assert mine.answer.cohort.name == "German Breast Cancer Study" and mine.weights is not None
    assert len(bias_choice.own_text(mine)) == 3
    assert "before and 0.0" in bias_choice.read_own(mine)
    recorded = [c for c in german().factors if german().codebook.at[c, "role"] == "baseline"]
    assert sorted(bias_choice.RECORDED) == sorted(recorded), "all of them: no choice of columns"
    same = bias_choice.own(german(), View(horizon=365, adjust=bias_choice.RECORDED))
    pd.testing.assert_frame_equal(same.weights, mine.weights)


def test_balance_that_weighting_leaves_above_a_tenth_is_said():
    """Weights of nothing but chance leave the groups as unlike as they were."""
    mine = bias_choice.own(PAPER, View(horizon=365))
    assert "above 0.1" not in bias_choice.read_own(mine)
    even = mine._replace(weights=mine.weights.assign(weight=1.0))
    said = bias_choice.read_own(even)
    assert "That is above 0.1: weighting has not made the groups alike" in said


def test_a_cohort_without_baseline_columns_is_told_so(tmp_path):
    few = {"os_time": [3, 5, 8, 9], "os_event": [1, 1, 1, 1]}
    many = {"os_time": [*range(3, 15)], "os_event": [1] * 12}
    mine = bias_choice.own(make_cohort(tmp_path, many), View())
    assert "names no covariates" in bias_choice.own_text(mine)["note"][0]
    assert "no weighted ratio" in bias_choice.read_own(mine)
    nobody = make_cohort(tmp_path, few | {"os_event": [0, 0, 0, 0]})
    mine = bias_choice.own(nobody, View())
    assert mine.why and mine.why in bias_choice.own_text(mine)["note"][0]


# What nobody recorded


def test_e_values_of_the_print_are_those_of_the_formula():
    table = bias_unseen.e_values_text(asked_of(PAPER))
    assert table["E-value"].tolist() == ["4.19", "2.56", "2.80", "1.61"]
    assert table["E-value, if rare"].tolist() == ["6.60", "3.33", "3.77", "1.81"]


def test_the_printed_ratios_come_from_the_file_and_those_of_a_reader_from_the_cohort(monkeypatch):
    other = bias_unseen.load_published()
    other.loc[other["id"] == "os_hr", "value"] = 0.3
    monkeypatch.setattr(bias_unseen, "load_published", lambda: other)
    assert asked_of(PAPER)["estimate"].tolist() == [0.3, 0.46]
    own = asked_of(german())
    assert own["label"].tolist() == ["Recurrence-free survival, unadjusted"]


def test_a_ratio_whose_interval_holds_1_is_not_asked_what_would_explain_it_away():
    """Of the example, overall survival: 0.77 (0.56 to 1.06). Chance alone is enough."""
    found = asked_of(german())
    assert ((found["conf_low"] > 1) | (found["conf_high"] < 1)).all()
    only = asked_of(german(), View(horizon=365, adjust=("age",)))
    assert "Overall survival" not in " ".join(only["label"])


def test_an_interval_that_holds_one_needs_no_confounder():
    rows = pd.DataFrame([("x", 0.8, 0.5, 1.2)], columns=["label", "estimate", "conf_low",
                                                          "conf_high"])  # fmt: skip
    assert "chance alone is enough" in bias_unseen.read_e_values(rows)
    assert "limit" not in bias_unseen.edges(rows)


def test_without_any_ratio_an_invented_one_is_shown_and_called_so(tmp_path):
    nobody = make_cohort(tmp_path, {"os_time": [5, 6, 7, 8], "os_event": [0, 0, 0, 0]})
    asked = answers(nobody, View())
    rows = bias_unseen.asked(nobody, asked)
    assert rows["label"].tolist() == ["an invented ratio"]
    assert "nvented" in bias_unseen.source(nobody, asked, rows)


def test_on_the_edge_of_the_map_the_ratio_is_one_and_the_e_value_lies_on_it():
    rows = asked_of(PAPER)
    edges, even = bias_unseen.edges(rows), bias_unseen.even(rows)
    for kind, ratio in (("ratio", 0.28), ("limit", 0.51)):
        for on_outcome, on_treatment in edges[kind].iloc[::60].itertuples(index=False):
            left = tipping_grid(ratio, [on_outcome], [on_treatment])["hazard_ratio_left"][0]
            assert left == pytest.approx(1, abs=1e-6)
        edge = edges[kind]
        gap = (edge["on_outcome"] - even[kind]).abs().idxmin()
        assert edge.at[gap, "on_treatment"] == pytest.approx(even[kind], rel=0.02)


def test_a_trait_as_common_in_both_groups_changes_nothing_and_a_strong_one_explains():
    row = next(asked_of(PAPER).itertuples())
    same = bias_unseen.one_confounder(row, 5.0, 0.4, 0.4)
    assert same["estimate"] == pytest.approx(0.28)
    assert "not enough" in bias_unseen.read_confounder(row, 3.0, 0.2, 0.6)
    assert "interval holds 1" in bias_unseen.read_confounder(row, 10.0, 0.2, 0.6)
    assert "explain the ratio away" in bias_unseen.read_confounder(row, 10.0, 0.0, 0.6)
    assert "7.6 for the ratio, 2.3 for its limit" in bias_unseen.read_needed(row, 3.0)
    assert "no imbalance is enough for the ratio" in bias_unseen.read_needed(row, 2.0)


def test_what_would_have_to_be_true_is_a_range_over_the_designs_it_is_given(alone):
    months = wait_that_gives(alone, 0.28)["wait"] / (365 / 12)
    said = bias_unseen.read_vanish({"one": alone})
    assert f"the mean wait was {months:.1f} months" in said and "4.19 times as common" in said
    shorter = alone.assign(wait=alone["wait"] / 2)
    said = bias_unseen.read_vanish({"one": alone, "shorter": shorter})
    assert f"the mean wait was {months / 2:.1f} to {months:.1f} months" in said


def test_a_hidden_trait_as_strong_as_the_printed_factor_is_measured_by_the_bound():
    """By hand: bias factor ud eu / (ud + eu - 1) has to reach one over the risk ratio."""

    def risk(hazard):
        return (1 - 0.5**hazard**0.5) / (1 - 0.5**hazard**-0.5)

    strength, goal = risk(3.12), 1 / risk(0.51)
    assert strength < 1 / risk(0.28), "no imbalance is enough for the ratio"
    needed = goal * (strength - 1) / (strength - goal)
    said = bias_unseen.read_benchmark()
    assert f"as a risk ratio {strength:.2f}" in said
    assert f"For 0.28: no imbalance is enough; for its limit: {needed:.1f}." in said


# Figures, dials and the page


def test_every_figure_is_stamped_and_draws_what_it_is_given():
    few = simulate_cohort(Dials(patients=14, wait_mean=60), 2)
    courses = bias.figure_courses(few, status="made")
    gids = [a.get_gid() for a in courses.axes[0].get_children()]
    assert gids.count("wait") == few["infused"].sum() and gids.count("end") == 14
    people = simulate_cohort(bias_choice.dials("no effect", 300), 2)
    weights = propensity_weights(people, group="infused", treated=1, covariates=["ecog", "burden"])
    overlap = choice.figure_overlap(weights, limits=(0.05, 0.95), status="made")
    heights = [bar.get_height() for bar in overlap.axes[0].patches]
    assert sum(h for h in heights if h > 0) == weights["given"].sum()
    assert -sum(h for h in heights if h < 0) == (~weights["given"]).sum()
    balance = bias_choice.balance(people, weights)
    love = choice.figure_balance(balance, status="made")
    (after,) = (a for a in love.axes[0].lines if a.get_gid() == "after")
    assert np.allclose(after.get_xdata(), balance["smd_weighted"])
    rows = asked_of(PAPER)
    tipping = choice.figure_tipping(bias_unseen.grid(rows), bias_unseen.edges(rows),
                                    even=bias_unseen.even(rows), status="made")  # fmt: skip
    (dot,) = (a for a in tipping.axes[0].lines if a.get_gid() == "even ratio")
    assert dot.get_xdata()[0] == pytest.approx(4.19, abs=0.005)
    for figure in (courses, overlap, love, tipping):
        assert is_stamped(figure)


def test_the_dial_of_waiting_answers_with_the_models_of_its_setting():
    dial = waiting_dial(HTML("<table></table>"), seed=1, patients=2_000)
    for wait in (0, 120):
        dial.controls["wait"].value = wait
        cohort = simulate_cohort(replace(Dials(patients=2_000), wait_mean=wait), 1)
        ratio = np.exp(three_models(cohort, **COLUMNS, day=60, engine="fast")["estimate"][0])
        assert f"Ever treated shows {ratio:.2f} times the true ratio of 1." in dial.shown.value
    dial.controls["true"].value = 0.5
    assert "the true ratio of 0.5" in dial.shown.value and 'role="img"' in dial.shown.value


def test_the_dial_of_a_trait_follows_its_ratio_and_its_shares():
    dial = confounder_dial(asked_of(PAPER), HTML(""), of="printed numbers")
    assert "leaves 0.44 (0.25 to 0.80) of 0.28" in dial.shown.value
    dial.controls["label"].value = "progression-free survival"
    assert "of 0.46" in dial.shown.value
    dial.controls["treated"].value = dial.controls["untreated"].value
    assert "leaves 0.46 (0.27 to 0.80) of 0.46" in dial.shown.value


def attributes(page, name):
    """The JSON in an attribute, wherever it stands in a page."""
    return [json.loads(unescape(text)) for text in re.findall(f'{name}="([^"]*)"', page)]


def test_every_stored_stop_agrees_with_what_the_page_says_beside_the_dial():
    """Ever treated flatters by the wait; the landmark and the day of treatment do not.

    As committed: the page's seed, the dial's own patients. Of a true ratio of one half the
    landmark is drawn towards 1; all within what chance does to the stored patients, which is
    little enough that no stop shows an effect of nothing.
    """
    code = "\n".join("".join(cell["source"]) for cell in PAGE["cells"])
    (seed,) = re.findall(r"^SEED = (\d+)", code, re.M)
    dial = waiting_dial(HTML("<table></table>"), seed=int(seed))
    stops = list(product(*(control.stored for control in dial.of.values())))
    assert len(stops) == 60
    for stop in stops:
        wait, true, _, _ = stop
        table = dial.answer(**dict(zip(dial.of, stop, strict=True))).table.set_index("approach")
        off = table["estimate"] - np.log(true)
        error = table["std_error"]
        ever, late, on_its_day = (off[name] / error[name] for name in
                                  ("ever treated", "landmark", "time-dependent"))  # fmt: skip
        assert abs(on_its_day) < 1.96, (stop, on_its_day)
        assert ever < -3 if wait else abs(ever) < 1.96, (stop, ever)
        assert abs(late) < 1.96 if true == 1 else late > -1.96, (stop, late)
        if true == 1 and error["landmark"] < 0.05:
            assert abs(off["landmark"]) < 0.05, (stop, off["landmark"])


def test_stored_answers_are_those_of_the_same_settings_live():
    dial = waiting_dial(HTML("<table></table>"), seed=1, patients=1_000)
    page = dial._repr_mimebundle_()["text/html"]
    assert "Stored answers to some settings" in page and page.endswith("<table></table>")
    (told,) = attributes(page, "data-answers")
    sizes = [len(texts) for texts in attributes(page, "data-texts")]
    assert len(told) == np.prod(sizes)
    first = dial.answer(wait=60, true=1.0, falling=1.0, day=60)
    assert f'<p class="said">{first.said}</p>' in page
    for wait, true, falling, day in ((0, 0.5, 1.0, 30), (180, 1.0, 0.6, 120), (30, 0.5, 0.6, 60)):
        for name, value in {"wait": wait, "true": true, "falling": falling, "day": day}.items():
            dial.controls[name].value = value
        at = np.ravel_multi_index([c.stored.index(v) for c, v in zip(
            dial.of.values(), (wait, true, falling, day), strict=True)], sizes)  # fmt: skip
        assert told[at][0] in dial.shown.value
        for text, middle, low, high in told[at][2]:
            assert text in dial.shown.value and low <= middle <= high
            assert f'cx="{middle}"' in dial.shown.value


def test_without_a_kernel_a_dial_is_turned_by_keyboard(browser, tmp_path):
    dial = confounder_dial(asked_of(PAPER), HTML(""), of="printed numbers")
    path = tmp_path / "dial.html"
    path.write_text(f"<!doctype html><meta charset='utf-8'>{dial.stored()}", encoding="utf-8")
    browser.get(path.as_uri())
    said = lambda: browser.find_element(By.CSS_SELECTOR, ".said").text  # noqa: E731
    dot = lambda: float(browser.find_elements(By.TAG_NAME, "circle")[1].get_attribute("cx"))  # noqa: E731
    assert "leaves 0.44 (0.25 to 0.80) of 0.28" in said()
    before = dot()
    strength, treated, _ = browser.find_elements(By.CSS_SELECTOR, "input")
    strength.send_keys(Keys.ARROW_RIGHT)
    assert "multiplies the event by 5" in said() and dot() > before
    assert strength.get_attribute("aria-valuetext") == "5"
    treated.send_keys(Keys.END)
    dial.controls["strength"].value, dial.controls["treated"].value = 5, 0.8
    assert said() in dial.shown.value
    browser.find_element(By.TAG_NAME, "select").send_keys(Keys.ARROW_DOWN)
    dial.controls["label"].value = "progression-free survival"
    assert said() in dial.shown.value
    label = browser.find_element(By.TAG_NAME, "svg").get_attribute("aria-label")
    assert label in dial.shown.value and label.startswith("Hazard ratios. as it stands: 0.46")
    assert [url for url in requested(browser) if url.startswith("file:")] == [path.as_uri()]


CELL = """from IPython.display import HTML
from helpers.explorer.dials import waiting_dial
waiting_dial(HTML(""), seed=1, patients=2_000)"""


def test_in_jupyterlab_the_wait_is_turned_by_keyboard(browser, tmp_path):
    with lab(tmp_path, [CELL, "'left alone'"]) as url:
        resize(browser, 1000, 1100)
        wait = run_first_cell(browser, url)

        def said(driver):
            found = driver.find_elements(By.XPATH, "//p[contains(., 'Ever treated shows')]")
            return found[0].text if found else ""

        before = wait.until(said)
        browser.find_element(By.CSS_SELECTOR, ".noUi-handle").send_keys(Keys.ARROW_RIGHT)
        wait.until(lambda d: said(d) not in ("", before))
        assert not outside(requested(browser))


def test_the_page_keeps_the_two_clocks_apart_and_says_which_is_not_known():
    text = "\n".join("".join(c["source"]) for c in PAGE["cells"] if c["cell_type"] == "markdown")
    assert "does not say at which event the clock" in text
    assert text.index("## Two clocks, two mistakes") < text.index("## A clock that starts at inf")
    for heading in ("## Chosen, not drawn", "## What nobody recorded"):
        assert heading in text
