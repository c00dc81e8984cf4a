"""A model is refused for a cause that holds, and never where there is an answer."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from helpers.estimators.nonproportional import ph_test
from helpers.estimators.rowwise import cox_rows
from helpers.regression import NotEstimable, cox_table

COLUMNS = {"time": "day", "event": "event"}
ENDLESS = "its hazard ratio is|in one combination"
FLAT = "at risk when an event happens"


def refusal(frame, covariates, **options) -> str:
    """Why a Cox model is refused; '' where it is answered."""
    try:
        cox_table(frame, **COLUMNS, covariates=covariates, **options)
    except NotEstimable as why:
        return str(why)
    return ""


def patients(**columns):
    return pd.DataFrame({"day": [1, 2, 3, 4, 5, 6], "event": 1} | columns)


# -- the likelihood has a maximum, or not -----------------------------------------------------


def steps(frame, covariates, ties):
    """Who had an event minus each patient at risk then, and if ties are exact not tied, (m, p)."""
    x, day = frame[covariates].to_numpy(float), frame["day"].to_numpy()
    event, rows = frame["event"].to_numpy() == 1, []
    for now in np.unique(day[event]):
        dead = event & (day == now)
        at_risk = (day >= now) & ~dead if ties == "exact" else day >= now
        rows += [x[i] - x[at_risk] for i in np.flatnonzero(dead)]
    every = np.concatenate(rows)
    return every[np.any(every != 0, axis=1)]


def truth(frame, covariates, ties) -> str:
    """flat, endless or a maximum, from the definition: one row for each pair at each event."""
    rows = steps(frame, covariates, ties)
    if np.linalg.matrix_rank(rows) < len(covariates):
        return "flat"
    way = linprog(-rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=(-1, 1))
    return "endless" if -way.fun > 1e-6 else "maximum"


cohorts = st.lists(
    st.tuples(st.integers(1, 9), st.sampled_from([0, 1, 1]), st.integers(0, 1), st.integers(0, 5)),
    min_size=3, max_size=12,
)  # fmt: skip


@pytest.mark.parametrize("covariates", [["x"], ["z"], ["x", "z"]], ids=" and ".join)
@settings(max_examples=25, deadline=None)
@given(cohorts)
def test_a_cox_model_is_refused_just_where_its_likelihood_has_no_maximum(covariates, rows):
    frame = pd.DataFrame(rows, columns=["day", "event", "x", "z"])
    varies = frame[covariates].drop_duplicates()
    if not frame["event"].any() or np.linalg.matrix_rank(varies - varies.mean()) < len(covariates):
        return  # refused for these, with other words
    for ties in ("efron", "breslow", "exact"):
        why, kind = refusal(frame, covariates, ties=ties), truth(frame, covariates, ties)
        said = {"flat": FLAT in why, "maximum": not why}
        said["endless"] = any(words in why for words in ENDLESS.split("|"))
        assert said[kind], f"{ties}: {kind}, but said: {why or 'nothing'}"
        if ties != "exact":
            assert refusal(frame, covariates, ties=ties, engine="fast") == why


def test_two_patients_who_both_had_the_event_are_not_said_to_be_separated_from_anybody():
    frame = pd.DataFrame({"day": [10, 20], "event": 1, "arm": ["new", "old"]})
    why = refusal(frame, ["arm"], references={"arm": "old"})
    assert "arm: new vs old: while both groups are at risk only the first-named has events" in why
    assert "infinite" in why and "without" not in why
    other = refusal(frame, ["arm"], references={"arm": "new"})
    assert "the first-named has no event, so its hazard ratio is 0" in other


def test_a_number_that_orders_the_events_is_named_with_its_direction():
    up = patients(x=[1.0, 2, 3, 4, 5, 6], z=[2.0, 1, 4, 3, 1, 5])
    assert "x: at every event nobody at risk has a lower value" in refusal(up, ["x", "z"])
    down = up.assign(x=-up["x"])
    assert "x: at every event nobody at risk has a higher value" in refusal(down, ["z", "x"])


def test_a_combination_that_orders_the_events_is_named_with_its_members_alone():
    rng = np.random.default_rng(2)
    frame = patients(x=rng.normal(size=6), w=rng.normal(size=6))
    frame = frame.assign(z=frame["day"] - frame["x"])
    assert refusal(frame, ["x"]) == refusal(frame, ["z"]) == ""
    why = refusal(frame, ["x", "z"])
    assert why.startswith("x, z: at every event nobody at risk is higher, in one combination")


def test_a_covariate_of_those_alone_who_left_before_the_first_event_is_said_to_be_that():
    frame = patients(event=[0, 0, 1, 1, 1, 1], x=[1.0, 2, 0, 0, 0, 0], z=[3.0, 1, 4, 1, 5, 9])
    why = refusal(frame, ["z", "x"])
    assert why == "x: the same for all who are at risk when an event happens; leave it out"
    same = frame.assign(x=frame["z"] + frame["x"])
    assert "z, x: among those at risk when an event happens, one of these" in refusal(
        same, ["z", "x"]
    )


def test_rows_that_enter_late_are_judged_by_who_is_at_risk():
    """Each with the event is the highest of those there, though not of those who come later."""
    frame = pd.DataFrame({"day": [2, 4, 6, 7, 9], "event": [1, 1, 1, 0, 0],
                          "x": [5.0, 3, 9, 1, 8], "entry": [0, 1, 4, 0, 5]})  # fmt: skip
    with pytest.raises(NotEstimable, match="x: at every event nobody at risk has a higher value"):
        cox_rows(frame, **COLUMNS, covariates=["x"], entry="entry")
    assert refusal(frame, ["x"]) == ""
    alone = pd.DataFrame({"day": [2, 4], "event": 1, "x": [7.0, 1], "entry": [0, 3]})
    with pytest.raises(NotEstimable, match="x: the same for all who are at risk"):
        cox_rows(alone, **COLUMNS, covariates=["x"], entry="entry")


# -- who is left ------------------------------------------------------------------------------


def test_without_a_complete_case_the_covariate_is_the_cause_and_not_the_events():
    frame = patients(x=[1.0, 3, 2, 5, 4, 6], age=np.nan)
    assert (
        refusal(frame, ["x", "age"])
        == "age: missing for all 6 patients with an event; leave it out"
    )
    one = frame.assign(event=[0, 0, 1, 0, 0, 0])
    assert "age: missing for the only patient with an event" in refusal(one, ["age"])


def test_where_the_events_lack_one_value_or_another_all_of_these_are_named():
    frame = patients(
        x=[1.0, np.nan, 2, np.nan, 4, np.nan], z=[np.nan, 1, np.nan, 2, np.nan, 5], w=1.0
    )
    why = refusal(frame, ["w", "x", "z"])
    assert why.startswith(
        "x, z: all 6 patients with an event have no value in one or more of these"
    )


def test_that_nobody_had_an_event_is_said_only_then():
    frame = patients(event=0, x=[1.0, 3, 2, 5, 4, 6], age=np.nan)
    for covariates in (["x"], ["age"]):
        assert "no patient had an event" in refusal(frame, covariates)


# -- the test of proportional hazards ---------------------------------------------------------


def test_events_on_one_day_cannot_show_a_change():
    frame = pd.DataFrame({"day": [5, 5, 5, 5, 7, 8, 9, 9], "event": [1, 1, 1, 0, 0, 0, 0, 0],
                          "x": [1.0, 3, 2, 5, 2, 1, 3, 4]})  # fmt: skip
    assert refusal(frame, ["x"]) == ""
    ours = ph_test(frame, **COLUMNS, covariates=["x"])
    assert list(ours["term"]) == ["GLOBAL"] and "all events are on one day" in ours.at[0, "note"]


def test_a_term_in_which_those_at_risk_differ_on_one_day_is_not_tested_and_the_others_are():
    """In R the information is singular, and cox.zph stops without any answer."""
    frame = pd.DataFrame({
        "day": [1, 1, 1, 1, 2, 3, 4, 5], "event": [1, 1, 0, 0, 1, 1, 1, 0],
        "x": [1.0, 0, 0, 1, 0, 0, 0, 0], "z": [0.3, 0.5, 0.1, 0.9, 0.2, 0.7, 0.6, 0.4],
    })  # fmt: skip
    ours = ph_test(frame, **COLUMNS, covariates=["x", "z"]).set_index("term")
    for term in ("x", "GLOBAL"):
        assert np.isnan(ours.at[term, "statistic"])
        assert "on too few days of events" in ours.at[term, "note"]
    assert "those at risk differ in it on" in ours.at["x", "note"]
    assert ours.at["z", "statistic"] > 0 and ours.at["z", "note"] == ""


def test_where_no_group_but_the_reference_has_events_there_is_nothing_to_check():
    frame = patients(event=[1, 0, 1, 0, 1, 0], arm=list("ababab"))
    ours = ph_test(frame, **COLUMNS, covariates=["arm"])
    assert "only the reference groups had events" in ours.at[0, "note"]


def test_the_check_of_greenwood_is_the_same_where_its_fit_converges():
    from greenwood import CoxPH, Surv

    frame = pd.read_csv("tests/fixtures/data/veteran.csv")
    covariates = ["karnofsky_score", "age_in_years"]
    ours = ph_test(frame, time="time", event="event", covariates=covariates).set_index("term")
    x = frame[covariates].astype(float)
    surv = Surv(frame["time"].to_numpy(float), event=frame["event"].to_numpy() == 1)
    fit = CoxPH().fit(surv, (x - x.mean()) / x.std(), tol=1e-15, max_iter=100)
    theirs = fit.cox_zph(transform="km")
    for term in covariates:
        assert ours.at[term, "statistic"] == pytest.approx(theirs.per_term[term]["chisq"], rel=1e-6)
    assert ours.at["GLOBAL", "statistic"] == pytest.approx(theirs.global_test["chisq"], rel=1e-6)
