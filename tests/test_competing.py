"""Competing risks equal R's survival and cmprsk, and say so where a question has no answer."""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.cohort import ROOT
from helpers.estimators.competing import (
    AFTER_PFS,
    SAME_DAY,
    competing_frame,
    cumulative_incidence,
    fine_gray,
    gray_test,
    naive_incidence,
)
from helpers.survival import CURVE_COLUMNS, km_curve

FIXTURES = ROOT / "tests" / "fixtures" / "tests"
CASES = sorted(path.stem.removeprefix("competing_") for path in FIXTURES.glob("competing_*.json"))
PFS = {
    "synthetic": ("pfs_time", "pfs_event", "os_time", "os_event"),
    "german": ("rectime", "censrec", "survtime", "censdead"),
}
COLUMNS = {"time": "first_time", "cause": "cause"}
WALD = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]


def close(ours, r, tolerance=1e-6):
    """Equal to R within a relative 1e-6 (1e-12 for what is zero), and missing where R's is."""
    ours, r = (np.asarray(x, dtype=float) for x in (ours, r))
    np.testing.assert_allclose(ours, r, rtol=tolerance, atol=1e-12)


class Case:
    def __init__(self, name):
        self.r = json.loads((FIXTURES / f"competing_{name}.json").read_text())
        about = self.r["data"]
        frame = pd.read_csv(ROOT / about["file"])
        if name in PFS:
            keys = ("pfs_time", "pfs_event", "os_time", "os_event")
            frame = competing_frame(frame, **dict(zip(keys, PFS[name], strict=True)))
        else:
            frame = frame.assign(first_time=self.r["times"], cause=self.r["causes"])
        self.frame = frame.assign(group=frame[about["group"]].astype(str))
        self.groups, self.adjust = about["groups"], about["adjust"]
        self.covariates = {
            "covariates": ["group", *self.adjust], "references": {"group": about["reference"]}
        }  # fmt: skip


@cache
def load(name):
    return Case(name)


@pytest.fixture(params=CASES)
def case(request):
    return load(request.param)


def patients(**columns):
    return pd.DataFrame(
        {"first_time": [1, 2, 3, 4, 5, 6, 7, 8], "cause": [1, 2, 1, 1, 2, 1, 0, 0],
         "arm": list("abababab")} | columns
    )  # fmt: skip


# -- which cause ----------------------------------------------------------------------------


def test_the_causes_of_both_cohorts_are_those_that_r_was_given():
    for name in PFS:
        close(load(name).frame["cause"], load(name).r["causes"])
        close(load(name).frame["first_time"], load(name).r["times"])


def about(*rows):
    frame = pd.DataFrame(rows, columns=["p", "pe", "o", "oe"])
    return competing_frame(frame, pfs_time="p", pfs_event="pe", os_time="o", os_event="oe")


def test_progression_death_and_censoring_are_told_apart():
    ours = about((30, 1, 80, 1), (60, 1, 60, 1), (60, 1, 60, 0), (90, 0, 90, 0), (40, 0, 90, 1))
    assert ours["cause"].tolist() == [1, 2, 1, 0, 0]
    assert ours["cause_name"].tolist()[:2] == ["progression", "death without progression"]
    assert ours["cause_note"].tolist() == ["", SAME_DAY, "", "", ""]


def test_a_death_on_the_day_pfs_was_censored_is_kept_and_marked():
    ours = about((60, 0, 60, 1))
    assert ours.at[0, "cause"] == 0 and ours.at[0, "cause_note"] == AFTER_PFS


def test_a_missing_value_gives_a_missing_cause_that_no_curve_counts():
    ours = about((30, 1, 80, 1), (60, 1, np.nan, 1), (90, 0, 90, 0))
    assert ours["cause"].isna().tolist() == [False, True, False]
    assert ours.at[1, "cause_note"] == "a time or event is missing"
    assert cumulative_incidence(ours, **COLUMNS)["n_risk"].max() == 2


def test_impossible_times_and_codes_are_refused_with_a_way_out():
    with pytest.raises(ValueError, match=r"p: found later than o in 1 rows.*To do"):
        about((30, 1, 80, 1), (90, 1, 80, 1))
    with pytest.raises(ValueError, match=r"pe: found 2.*To do"):
        about((30, 2, 80, 1))
    with pytest.raises(ValueError, match=r"cause: found 1.5.*To do"):
        cumulative_incidence(patients(cause=1.5), **COLUMNS)
    with pytest.raises(ValueError, match=r"cause: found relapse.*To do"):
        gray_test(patients(cause="relapse"), **COLUMNS, group="arm")


# -- curves ---------------------------------------------------------------------------------


def test_cumulative_incidence_equals_survfit(case):
    ours = cumulative_incidence(case.frame, **COLUMNS, group="group")
    assert set(CURVE_COLUMNS) < set(ours)
    for group in case.groups:
        for cause in (1, 2):
            part = ours[(ours["group"] == group) & (ours["cause"] == cause)]
            for column, expected in case.r["curves"][group][str(cause)].items():
                close(part[column], expected)


def test_numbers_at_risk_go_down_by_all_who_leave(case):
    ours = cumulative_incidence(case.frame, **COLUMNS)
    first = ours[ours["cause"] == 1].set_index("time")
    events = ours.groupby("time")["n_event"].sum()
    left = first["n_risk"] - events - first["n_censor"]
    assert (left.iloc[:-1].to_numpy() == first["n_risk"].iloc[1:].to_numpy()).all()
    assert left.iloc[-1] == 0


risks = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 2), st.sampled_from("ab")), min_size=1, max_size=30
)


@settings(max_examples=60, deadline=None)
@given(risks)
def test_causes_add_up_to_all_events_and_naive_is_never_lower(rows):
    frame = pd.DataFrame(rows, columns=["first_time", "cause", "arm"])
    ours = cumulative_incidence(frame, **COLUMNS)
    either = frame.assign(either=(frame["cause"] > 0).astype(int))
    curve = km_curve(either, time="first_time", event="either").set_index("time")
    total = ours.groupby("time")["estimate"].sum()
    np.testing.assert_allclose(total, 1 - curve["estimate"], atol=1e-12)
    naive = naive_incidence(frame, **COLUMNS)
    assert (naive["time"] == ours["time"]).all() and (naive["n_censor"] == ours["n_censor"]).all()
    assert (naive["estimate"] >= ours["estimate"] - 1e-12).all()
    known = ours.dropna()
    assert known["conf_low"].between(0, known["estimate"]).all()
    assert known["conf_high"].between(known["estimate"], 1).all()


def test_without_a_second_cause_it_is_one_minus_kaplan_meier():
    frame = patients(cause=[1, 0, 1, 1, 0, 1, 0, 0])
    ours = cumulative_incidence(frame, **COLUMNS, group="arm")
    naive = naive_incidence(frame, **COLUMNS, group="arm")
    close(ours["estimate"], naive["estimate"])
    assert ours.loc[ours["cause"] == 2, "estimate"].eq(0).all()


@pytest.mark.parametrize(
    "frame", [patients(cause=0), patients(cause=2), patients().iloc[:1], patients().iloc[:0]]
)
def test_curves_of_one_cause_one_patient_or_nobody_are_drawn_as_far_as_they_go(frame):
    ours = cumulative_incidence(frame, **COLUMNS, group="arm")
    assert list(ours) == list(cumulative_incidence(patients(), **COLUMNS))
    assert len(ours) == 2 * len(frame)
    assert ours["estimate"].notna().all()


# -- Gray and Fine-Gray ---------------------------------------------------------------------


def test_grays_test_equals_cuminc(case):
    ours = gray_test(case.frame, **COLUMNS, group="group")
    for row in ours.itertuples():
        expected = case.r["gray"][str(row.cause)]
        close([row.statistic, row.df, row.p_value],
              [expected[c] for c in ("statistic", "df", "p_value")])  # fmt: skip
        assert row.note == ""


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (patients(cause=0), "nobody had this cause"),
        (patients(arm="a"), "fewer than two groups"),
        (patients().iloc[:1], "fewer than two groups"),
        (patients().iloc[:0], "fewer than two groups"),
        (
            patients(first_time=[0, 2, 0, 4, 0, 6, 0, 8], cause=[0, 2, 0, 1, 0, 1, 0, 0]),
            "not at risk together",
        ),
    ],
)
def test_a_gray_test_that_cannot_be_made_is_a_row_with_a_reason(frame, words):
    ours = gray_test(frame, **COLUMNS, group="arm")
    assert ours["p_value"].isna().all() and ours["note"].ne("").all()
    assert ours.at[0, "note"].find(words) >= 0


@pytest.mark.parametrize("target", [1, 2])
def test_subdistribution_ratios_equal_finegray(case, target):
    r = case.r[f"fine_gray_{target}"]
    ours = fine_gray(case.frame, **COLUMNS, **case.covariates, target=target)
    if r is None:  # a group without this cause
        assert ours["estimate"].isna().all() and ours["note"].ne("").all()
        return
    ours = ours.set_index(ours["term"].str.removeprefix("group: "))
    assert list(ours.index) == list(r["finegray"]) and ours["note"].eq("").all()
    for term, expected in r["finegray"].items():
        close(ours.loc[term, WALD], [expected[c] for c in WALD])


EDGES = json.loads((ROOT / "tests" / "fixtures" / "fine_gray" / "edges.json").read_text())["cases"]


@pytest.mark.parametrize("covariates", ["x", "x y"])
@pytest.mark.parametrize("edge", EDGES)
def test_subdistribution_ratios_equal_finegray_at_the_edges(edge, covariates):
    r = EDGES[edge]
    frame = pd.DataFrame({name: r[name] for name in ("time", "cause", "x", "y")})
    ours = fine_gray(frame, time="time", cause="cause", covariates=covariates.split())
    ours = ours.set_index("term")
    for program, terms in r["models"][covariates].items():
        if program == "crr" and edge == "censored_and_events_tied":
            continue  # the one place where its weights are others
        for term, expected in terms.items():
            close(ours.loc[term, list(expected)], list(expected.values()))


def test_where_nobody_is_censored_who_had_the_other_cause_is_at_risk_for_ever():
    """R's ``crr`` prints 0.001948 (robust error 0.1802146) and stops 5e-6 errors too early."""
    from helpers.regression import cox_table

    r = EDGES["nobody_censored"]
    frame = pd.DataFrame({name: r[name] for name in ("time", "cause", "x")})
    ours = fine_gray(frame, time="time", cause="cause", covariates=["x"]).iloc[0]
    assert ours["estimate"] == pytest.approx(0.001948, abs=1e-6)
    assert ours["std_error"] == pytest.approx(0.1802146, rel=1e-6)
    stayed = frame.assign(time=frame["time"].where(frame["cause"] == 1, 1000),
                          event=(frame["cause"] == 1).astype(int))  # fmt: skip
    cox = cox_table(stayed, time="time", event="event", covariates=["x"], ties="breslow",
                    robust=True).iloc[0]  # fmt: skip
    close(ours[WALD].astype(float), cox[WALD].astype(float))


def test_a_missing_covariate_is_the_cause_where_the_cause_happened_to_many():
    ours = fine_gray(patients(age=np.nan), **COLUMNS, covariates=["age"])
    assert ours.at[0, "note"] == "age: missing for all 4 patients with an event; leave it out"
    assert ours.at[0, "n"] == 0


@pytest.mark.parametrize("target", [1, 2])
def test_cmprsk_tells_the_same_story_by_its_own_weights_and_errors(case, target):
    """The limits are those that the docstring of `fine_gray` promises."""
    if case.r[f"fine_gray_{target}"] is None:
        pytest.skip("a group without this cause")
    ours = fine_gray(case.frame, **COLUMNS, **case.covariates, target=target)
    ours = ours.set_index(ours["term"].str.removeprefix("group: "))
    for term, r in case.r[f"fine_gray_{target}"]["crr"].items():
        row = ours.loc[term]
        assert abs(row["estimate"] - r["estimate"]) < 0.0125 * r["std_error"]
        assert row["std_error"] == pytest.approx(r["std_error"], rel=0.0125)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (patients(cause=[2, 2, 0, 2, 2, 0, 0, 0]), "nobody had cause 1"),
        (patients(cause=[1, 2, 1, 0, 1, 2, 0, 0]), "no event of this cause among those with 'b'"),
        (patients(arm="a"), "the same for every patient"),
        (patients().iloc[:1], "the same for every patient"),
        (patients().iloc[:0], "nobody had cause 1"),
    ],
)
def test_a_ratio_that_cannot_be_estimated_is_a_row_with_a_reason(frame, words):
    ours = fine_gray(frame, **COLUMNS, covariates=["arm"])
    assert len(ours) == 1 and ours["estimate"].isna().all()
    assert words in ours.at[0, "note"]


def test_a_covariate_that_separates_has_no_ratio():
    frame = patients(marker=[9.0, 1, 8, 7, 2, 6, 1.5, 0])
    ours = fine_gray(frame, **COLUMNS, covariates=["marker"])
    assert (
        ours["estimate"].isna().all() and "nobody at risk has a higher value" in ours.at[0, "note"]
    )


def test_a_ratio_knows_no_unit_and_no_shift():
    case = load("synthetic")
    ours = fine_gray(case.frame, **COLUMNS, covariates=["age"])
    months = case.frame.assign(age=case.frame["age"] * 12 + 1000)
    again = fine_gray(months, **COLUMNS, covariates=["age"])
    close(ours["estimate"], again["estimate"] * 12)
    close(ours["p_value"], again["p_value"])
