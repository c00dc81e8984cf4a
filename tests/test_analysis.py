"""`analyse` says what it can, withholds what it cannot, and always says why."""

import numpy as np
import pandas as pd
import pytest
from cohorts import make_cohort
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from helpers.analysis import analyse
from helpers.cohort import load_cohort
from helpers.plots import figure_survival, plotly_survival
from helpers.sentences import read_comparison, read_counts, read_medians, read_survival, read_view
from helpers.view import View, ViewError
from helpers.words import (
    alt_survival,
    caption_survival,
    median_text,
    milestone_table,
    model_table,
    risk_text,
)

GERMAN = load_cohort()


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


def test_an_arm_without_an_event_has_its_ratio_withheld_and_its_log_rank_kept(tmp_path):
    days = list(range(10, 210, 10))
    cohort = make_cohort(tmp_path, {"os_time": days, "os_event": [1, 0] * 10})
    answer = analyse(cohort, View(reference="new"))
    assert "no event in that group" in notes(answer) or "no event among" in notes(answer)
    assert answer.model["estimate"].isna().all()
    assert answer.tests["p_value"].between(0, 1).all()
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
    assert "infinite" in notes(answer)
    assert answer.tests.at[0, "p_value"] < 1e-4


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
