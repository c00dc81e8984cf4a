"""`analyse` says what it can, withholds what it cannot, and always says why."""

import numpy as np
import pandas as pd
import pytest
from cohorts import german, make_cohort
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from helpers.analysis import analyse
from helpers.export import methods
from helpers.plots.interactive import plotly_survival
from helpers.plots.style import styles
from helpers.plots.survival import figure_survival
from helpers.regression import NotEstimable, cox_table
from helpers.sentences import read_comparison, read_counts, read_medians, read_survival, read_view
from helpers.survival import logrank_test
from helpers.view import View, ViewError
from helpers.words import (
    alt_survival,
    caption_survival,
    median_text,
    milestone_table,
    model_table,
    p_value,
    percent,
    ratio,
    risk_text,
)

GERMAN = german()


def say_everything(answer):
    """Every word and picture of an answer; returns the words."""
    figure_survival(answer).draw_without_rendering()
    figure_survival(answer, width="half").draw_without_rendering()
    plotly_survival(answer).to_json()
    words = [alt_survival(answer), caption_survival(answer), read_counts(answer)]
    words.append(read_view(answer))
    words += [read_comparison(answer), *answer.notes["note"]]
    if answer.groups:
        words += [read_medians(answer), read_survival(answer, answer.view.horizon or 0)]
        for table in (median_text, milestone_table, model_table, risk_text):
            words += table(answer).astype(str).to_numpy().ravel().tolist()
    return " ".join(words)


def notes(answer):
    return " ".join(answer.notes["note"])


def test_nobody_left_is_said():
    answer = analyse(GERMAN, View.read("{where: [{column: age, min: 999}]}"))
    assert answer.groups == () and answer.curves.empty and answer.model.empty
    assert "No patient is left." in notes(answer)
    assert "686 patients outside" in notes(answer)


def test_one_group_left_has_a_curve_and_no_comparison():
    answer = analyse(GERMAN, View.read("{where: [{column: arm, in: [none]}]}"))
    assert set(answer.curves["group"]) == {"none"}
    assert answer.model.empty and answer.tests.empty
    assert "nothing is compared" in notes(answer)


def test_an_arm_without_an_event_has_its_ratio_withheld_and_its_log_rank_permuted(tmp_path):
    days = [day for day in range(10, 90, 10) for _ in "ab"] + [90] * 4
    events = [1, 0] * 4 + [0] * 12
    cohort = make_cohort(tmp_path, {"os_time": days, "os_event": events})
    answer = analyse(cohort, View(reference="new"))
    assert "no event in that group" in notes(answer) or "no event among" in notes(answer)
    assert answer.model["estimate"].isna().all()
    assert answer.tests.at[0, "method"].startswith("permutation") and len(answer.tests) == 1
    eventless_reference = analyse(cohort, View())
    assert eventless_reference.model.empty
    assert "choose another reference" in notes(eventless_reference)


def test_no_event_at_all_withholds_ratio_and_test(tmp_path):
    cohort = make_cohort(tmp_path, {"os_time": [5, 6, 7, 8], "os_event": [0, 0, 0, 0]})
    answer = analyse(cohort, View())
    assert answer.model.empty and answer.tests.empty
    assert "no patient had an event" in notes(answer)
    assert "not reached" in alt_survival(answer)


def test_separated_groups_get_no_hazard_ratio(tmp_path):
    """All of one arm have died before the first event of the other."""
    early, late = list(range(1, 11)), list(range(101, 111))
    cohort = make_cohort(
        tmp_path,
        {"os_time": early + late, "os_event": [1] * 20, "arm": ["old"] * 10 + ["new"] * 10},
    )
    answer = analyse(cohort, View())
    assert answer.model.empty
    assert "while both groups are at risk the first-named has no event" in notes(answer)
    assert answer.tests.at[0, "p_value"] <= 2e-4


def test_a_constant_and_a_redundant_covariate_withhold_the_adjusted_ratio_alone(tmp_path):
    rng = np.random.default_rng(1)
    x = rng.normal(size=40).round(3)
    cohort = make_cohort(
        tmp_path,
        {
            "os_time": rng.integers(1, 400, 40), "os_event": rng.integers(0, 2, 40),
            "same": [3] * 40, "x": x, "twice": (2 * x).round(3),
        },
        "{reference_arm: old, factors: {same: {type: number}, x: {type: number}, "
        "twice: {type: number}}}",
    )  # fmt: skip
    constant = analyse(cohort, View(adjust=("same",)))
    assert set(constant.model["model"]) == {"unadjusted"}
    assert "same: the same for every patient" in notes(constant)
    redundant = analyse(cohort, View(adjust=("x", "twice")))
    assert set(redundant.model["model"]) == {"unadjusted"}
    assert "follows from the others" in notes(redundant)


def test_missing_covariates_are_counted_and_the_unadjusted_ratio_keeps_everybody(tmp_path):
    rng = np.random.default_rng(2)
    ages = [*rng.integers(40, 80, 55), *[""] * 5]
    cohort = make_cohort(
        tmp_path,
        {"os_time": rng.integers(1, 400, 60), "os_event": rng.integers(0, 2, 60), "age": ages},
    )
    answer = analyse(cohort, View(adjust=("age",)))
    n = answer.model.set_index("model")["n"]
    assert n["unadjusted"] == 60 and (n["adjusted"] == 55).all()
    assert "5 patients lack a covariate" in notes(answer)


def test_a_covariate_that_is_missing_for_all_is_what_withholds_the_adjusted_ratio(tmp_path):
    columns = {"os_time": range(1, 21), "os_event": [1, 1, 0, 1] * 5, "age": [""] * 20}
    answer = analyse(make_cohort(tmp_path, columns), View(adjust=("age",)))
    assert set(answer.model["model"]) == {"unadjusted"}
    assert "Withheld: age: missing for all 15 patients with an event; leave it out." in notes(
        answer
    )


def test_an_arm_that_is_adjusted_for_is_compared_with_the_reference_arm(tmp_path):
    """And not with the one whose name comes first."""
    for cohort in (german(), make_cohort(tmp_path, {
        "os_time": range(1, 21), "os_event": [1, 1, 0, 1] * 5, "sex": ["F", "M", "M", "F"] * 5,
    })):  # fmt: skip
        answer = analyse(cohort, View(compare="sex" if "sex" in cohort.frame else "grade",
                                      adjust=("arm",)))  # fmt: skip
        terms = answer.model.loc[answer.model["column"] == "arm", "term"]
        assert list(terms) == ["arm: {} vs {}".format(*cohort.arms)]


def test_a_landmark_counts_those_it_loses_and_starts_the_clock_there():
    answer = analyse(GERMAN, View(landmark=365.0))
    frame = GERMAN.frame
    gone = frame["os_time"] <= 365
    assert answer.counts["patients"].sum() == (~gone).sum()
    assert answer.counts["lost_events"].sum() == (gone & (frame["os_event"] == 1)).sum()
    assert answer.counts["lost_censored"].sum() == (gone & (frame["os_event"] == 0)).sum()
    assert answer.curves["time"].max() == frame["os_time"].max() - 365


def test_what_is_known_only_later_is_not_compared_without_a_landmark(tmp_path):
    rng = np.random.default_rng(3)
    cohort = make_cohort(
        tmp_path,
        {
            "os_time": rng.integers(100, 400, 60), "os_event": rng.integers(0, 2, 60),
            "response": rng.choice(["CR", "PD"], 60), "crs_grade": rng.integers(0, 4, 60),
        },
    )  # fmt: skip
    by_response = analyse(cohort, View(compare="response"))
    assert by_response.model.empty and by_response.tests.empty
    assert set(by_response.milestones["kind"]) == {"survival"}
    assert "on no fixed day" in notes(by_response)
    severe = "{where: [{column: crs_grade, min: 3}]"
    assert "set a landmark at or after" in notes(analyse(cohort, View.read(severe + "}")))
    later = analyse(cohort, View.read(severe + ", landmark: 30}"))
    assert not later.model.empty


def test_the_horizon_never_touches_the_cox_model():
    near, far = (analyse(GERMAN, View(horizon=h)) for h in (200.0, 2000.0))
    pd.testing.assert_frame_equal(near.model, far.model)
    assert near.rmst["estimate"].max() < 200


def test_a_horizon_beyond_the_data_is_withheld_with_the_last_day():
    answer = analyse(GERMAN, View(horizon=9999.0))
    assert answer.rmst.empty
    assert "9999 days is beyond day" in notes(answer)


def test_three_groups_are_each_compared_with_the_reference():
    answer = analyse(GERMAN, View(compare="grade", reference="2"))
    assert list(answer.model["term"]) == ["grade: 1 vs 2", "grade: 3 vs 2"]
    assert answer.tests.at[0, "df"] == 2


@pytest.mark.parametrize(
    ("view", "message"),
    [
        (View(endpoint="pfs"), "use os, rfs"),
        (View(compare="nodes"), "a number with"),
        (View(compare="colour"), "which this cohort does not have"),
        (View(compare="os_time"), "which this cohort does not have"),
        (View(compare="patient_id"), "which this cohort does not have"),
        (View(adjust=("colour",)), "which this cohort does not have"),
        (View(reference="placebo"), "not a value of 'arm'"),
        (View.read("{where: [{column: arm, min: 3}]}"), "which is a category"),
    ],
)
def test_what_the_cohort_does_not_have_is_refused(view, message):
    with pytest.raises(ViewError, match="To do: ") as caught:
        analyse(GERMAN, view)
    assert message in str(caught.value)


def test_an_unknown_engine_is_refused():
    with pytest.raises(ViewError, match="use lifelines"):
        analyse(GERMAN, View(), engine="magic")


def test_swapping_the_reference_inverts_the_ratio_and_row_order_changes_nothing():
    one = analyse(GERMAN, View()).model.iloc[0]
    other = analyse(GERMAN, View(reference="hormone therapy")).model.iloc[0]
    assert np.isclose(one["estimate"], -other["estimate"], rtol=1e-9)
    assert np.isclose(one["conf_low"], -other["conf_high"], rtol=1e-9)
    assert np.isclose(one["p_value"], other["p_value"], rtol=1e-8)


patients = st.lists(
    st.tuples(
        st.sampled_from(["new", "old"]), st.integers(0, 12), st.integers(0, 1), st.integers(0, 3)
    ),
    min_size=2, max_size=25,
).filter(lambda rows: len({row[0] for row in rows}) == 2)  # fmt: skip
views = st.builds(
    View,
    compare=st.sampled_from(["arm", "kind"]),
    adjust=st.sampled_from([(), ("size",)]),
    landmark=st.sampled_from([0.0, 3.0, 11.0]),
    horizon=st.sampled_from([None, 5.0, 400.0]),
    where=st.sampled_from(
        [(), View.read("{where: [{column: size, min: 2}]}").where,
         View.read("{where: [{column: kind, in: [k1]}]}").where]
    ),
)  # fmt: skip


# Shrinking redraws figures for minutes; an unshrunk cohort of 25 patients is small enough.
@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(patients, views)
def test_no_cohort_and_view_end_in_a_traceback_or_a_silent_nan(tmp_path_factory, rows, view):
    """One patient an arm, all tied, all at zero, no events: always an answer with a sentence."""
    arms, days, events, sizes = zip(*rows, strict=True)
    cohort = make_cohort(
        tmp_path_factory.mktemp("any"),
        {"arm": arms, "os_time": days, "os_event": events, "size": sizes,
         "kind": [f"k{size % 2}" for size in sizes]},
        "{reference_arm: old, factors: {size: {type: number}, kind: {label: Kind}}}",
    )  # fmt: skip
    try:
        answer = analyse(cohort, view)
    except ViewError as refused:  # nobody has the value that is asked for
        assert "which nobody has" in str(refused)
        return
    words = say_everything(answer)
    assert "nan" not in words.lower()
    asked = 1 + bool(view.adjust)
    if len(answer.model["model"].unique()) < asked or answer.model["estimate"].isna().any():
        assert len(answer.notes), "withheld without a word"
    known = answer.model["estimate"].notna()
    numbers = answer.model.loc[known, ["estimate", "std_error", "p_value"]].astype(float)
    assert np.isfinite(numbers).all(axis=None)


def test_a_patient_lost_before_the_first_event_cannot_move_the_hazard_ratio(tmp_path):
    """lifelines alone stops short of the maximum here, its steps spoilt by the outlier."""
    rng = np.random.default_rng(0)
    x, days = rng.normal(size=200).round(3), rng.exponential(300, 200).round() + 2
    events = (rng.random(200) < 0.7).astype(int)
    x[0], days[0], events[0] = 1000, 1, 0
    mapping = "{reference_arm: old, factors: {x: {type: number}}}"
    columns = {"os_time": days, "os_event": events, "x": x}
    with_outlier = make_cohort(tmp_path, columns, mapping)
    without = analyse(with_outlier, View.read("{adjust: [x], where: [{column: x, max: 900}]}"))
    answer = analyse(with_outlier, View(adjust=("x",)))
    np.testing.assert_allclose(
        answer.model["estimate"].astype(float), without.model["estimate"].astype(float), rtol=1e-6
    )


def test_an_infinite_ratio_is_withheld_in_a_large_cohort_too():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"day": rng.integers(1, 2000, 100_000), "event": rng.integers(0, 2, 100_000), "x": 0.0}
    )
    frame.loc[:4, ["event", "x"]] = [0, 1.0]
    with pytest.raises(NotEstimable, match="its hazard ratio is 0"):
        cox_table(frame, time="day", event="event", covariates=["x"])


def test_patients_with_an_unknown_subgroup_are_in_neither_side_of_the_interaction(tmp_path):
    rng = np.random.default_rng(4)
    ecog = [*rng.integers(0, 4, 60), *[""] * 12]
    cohort = make_cohort(
        tmp_path,
        {"os_time": rng.integers(1, 500, 72), "os_event": rng.integers(0, 2, 72), "ecog": ecog},
    )
    answer = analyse(cohort, View.read("{where: [{column: ecog, min: 1}]}"), floor=0)
    assert answer.interaction.at[0, "n"] == 60
    assert "12 patients left out: a value is missing" in notes(answer)
    kept = analyse(cohort, View.read("{where: [{column: ecog, min: 1, missing: true}]}"), floor=0)
    assert kept.interaction.at[0, "n"] == 72


def test_a_covariate_that_is_the_same_for_everybody_does_not_vanish(tmp_path):
    rng = np.random.default_rng(5)
    cohort = make_cohort(
        tmp_path,
        {"os_time": rng.integers(1, 500, 40), "os_event": rng.integers(0, 2, 40),
         "sex": ["F"] * 40},
    )  # fmt: skip
    answer = analyse(cohort, View(adjust=("sex",)))
    assert set(answer.model["model"]) == {"unadjusted"}
    assert "sex: the same for every patient" in notes(answer)


def test_a_covariate_level_without_events_is_never_taken_as_the_reference(tmp_path):
    rng = np.random.default_rng(6)
    events = rng.integers(0, 2, 60)
    sex = ["F" if i >= 52 else "M" for i in range(60)]
    events[52:] = 0
    cohort = make_cohort(
        tmp_path, {"os_time": rng.integers(1, 500, 60), "os_event": events, "sex": sex}
    )
    adjusted = analyse(cohort, View(adjust=("sex",))).model.query("model == 'adjusted'")
    men = analyse(cohort, View.read("{where: [{column: sex, in: [M]}]}")).model
    assert np.isclose(adjusted["estimate"].iloc[0], men["estimate"].iloc[0], rtol=1e-8)
    assert np.isnan(adjusted["estimate"].iloc[1])


def test_a_covariate_known_later_withholds_the_adjusted_ratio_alone(tmp_path):
    rng = np.random.default_rng(7)
    cohort = make_cohort(
        tmp_path,
        {"os_time": rng.integers(1, 500, 40), "os_event": rng.integers(0, 2, 40),
         "response": rng.choice(["CR", "PD"], 40)},
    )  # fmt: skip
    answer = analyse(cohort, View(adjust=("response",)))
    assert set(answer.model["model"]) == {"unadjusted"} and len(answer.tests)
    assert "no fixed day" in notes(answer)


def test_large_codes_stay_apart_and_awkward_group_names_are_shown(tmp_path):
    rng = np.random.default_rng(8)
    cohort = make_cohort(
        tmp_path,
        {"os_time": rng.integers(1, 500, 60), "os_event": rng.integers(0, 2, 60),
         "arm": ["at", "_old"] * 30, "dose": [1000001, 1000002, 2000000] * 20},
        "{reference_arm: _old, factors: {dose: {type: number}}}",
    )  # fmt: skip
    by_dose = analyse(cohort, View(compare="dose"))
    assert sorted(by_dose.groups) == ["1000001", "1000002", "2000000"]
    answer = analyse(cohort, View())
    say_everything(answer)
    figure = figure_survival(answer)
    boxes = [*figure.legends, *(ax.get_legend() for ax in figure.axes if ax.get_legend())]
    assert [text.get_text() for text in boxes[0].get_texts()] == ["at", "_old"]


def test_neither_filter_nor_reference_recolours_an_arm():
    views = [View(), View(reference="hormone therapy"),
             View.read("{where: [{column: arm, in: [none]}]}")]  # fmt: skip
    looks = [styles(analyse(GERMAN, view)) for view in views]
    assert looks[0] == looks[1] == looks[2]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ((0.78, 0.61, 0.997), "0.780 (0.610 to 0.997)"),
        ((1.00002, 1.00001, 1.00003), "1.00002 (1.00001 to 1.00003)"),
        ((0.004, 0.001, 0.02), "0.004 (0.001 to 0.02)"),
        ((0.31, 0.0997, 0.93), "0.31 (0.10 to 0.93)"),
        ((0.28, 0.16, 0.51), "0.28 (0.16 to 0.51)"),
    ],
)
def test_a_ratio_is_never_rounded_across_one(row, text):
    names = ("estimate", "conf_low", "conf_high")
    assert ratio(pd.Series(dict(zip(names, np.log(row), strict=True)))) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.00995, "P = 0.0100"), (0.5, "P = 0.50"), (0.026, "P = 0.026"), (0.00004, "P < 0.0001"),
     (0.0032, "P = 0.0032"), (float("nan"), "–")],
)  # fmt: skip
def test_p_values_read_as_in_a_journal(value, text):
    assert p_value(value) == text


def test_a_share_is_rounded_to_nobody_or_everybody_only_when_it_is():
    assert [percent(v) for v in (1, 0.996, 0.9999, 0.5, 0)] == [
        "100%", "99.6%", ">99.9%", "50%", "0%",
    ]  # fmt: skip


def test_names_from_a_file_cannot_become_markup(tmp_path):
    cohort = make_cohort(
        tmp_path,
        {"os_time": [5, 6, 7, 8, 9, 10], "os_event": [1, 1, 0, 1, 1, 0],
         "arm": ["*q3w* [x](y)", "a_b"] * 3},
        "reference_arm: a_b",
    )  # fmt: skip
    answer = analyse(cohort, View())
    assert r"\*q3w\* \[x\](y)" in caption_survival(answer)
    assert r"\*q3w\*" in read_counts(answer) and "*q3w*" in alt_survival(answer)


def test_a_group_that_is_gone_before_the_first_event_is_not_tested(tmp_path):
    """R's survdiff leaves it out of the degrees of freedom."""
    frame = pd.DataFrame({"t": [1, 2, 5, 6, 7, 8], "e": [0, 0, 1, 1, 0, 1], "g": list("aabbcc")})
    three = logrank_test(frame, time="t", event="e", group="g")
    two = logrank_test(frame[2:], time="t", event="e", group="g")
    assert three.at[0, "df"] == 1
    pd.testing.assert_frame_equal(three, two)
    columns = {"os_time": [1, 5, 2, 6], "os_event": [0, 1, 0, 1], "arm": ["old", "new"] * 2}
    answer = analyse(make_cohort(tmp_path, columns), View())
    assert answer.tests.empty and "at risk when an event happens" in notes(answer)


@pytest.mark.parametrize("engine", ["lifelines", "fast"])
@pytest.mark.parametrize(("ties", "intervals"), [("breslow", "profile"), ("exact", "wald")])
def test_a_view_names_its_tie_rule_and_intervals_and_the_methods_text_says_so(
    ties, intervals, engine
):
    view = View(ties=ties, intervals=intervals, adjust=("age",))
    answer = analyse(GERMAN, view, engine=engine)
    default = analyse(GERMAN, View(adjust=("age",)), engine=engine)
    assert answer.model["method"].str.contains(f"{ties} ties").all()
    assert not np.allclose(answer.model["conf_low"], default.model["conf_low"], atol=1e-9)
    words = {"breslow": "Breslow", "exact": "exact (cond", "profile": "profile-l", "wald": "Wald"}
    assert words[ties] in methods(answer) and words[intervals] in methods(answer)
    assert View.read(view.text()) == view


def test_nothing_is_compared_with_a_group_without_events(tmp_path):
    """Against a curve still at 1 a Wald test would give P = 0.01 for 0 of 20 against 5 of 20."""
    days = [i // 2 + 1 for i in range(10)] + [100] * 30
    columns = {"os_time": days, "os_event": [i % 2 for i in range(10)] + [0] * 30}
    answer = analyse(make_cohort(tmp_path, columns), View(horizon=60))
    assert set(answer.milestones["kind"]) == {"survival"}
    assert set(answer.rmst["group"]) == {"old", "new"}
    assert "Withheld: events 0 in new, fewer than 5" in notes(answer)
    milestone_table(answer)
    whole = analyse(make_cohort(tmp_path, columns), View(horizon=60), floor=0)
    row = whole.milestones[whole.milestones["kind"] == "difference"].iloc[-1]
    assert abs(row["estimate"]) == pytest.approx(0.25)
    assert np.isnan(row["p_value"]) and np.isnan(row["conf_low"])
    assert "no interval" in milestone_table(whole).iloc[-1, -1]


def test_a_p_says_on_which_side_of_a_twentieth_it_is():
    shown = {0.0496: "P = 0.0496", 0.04996: "P = 0.04996", 0.0503: "P = 0.0503", 0.05: "P = 0.050"}
    assert {value: p_value(value) for value in shown} == shown
    assert p_value(0.048) == "P = 0.048" and p_value(0.052) == "P = 0.052"
