"""Tests and summaries for hazards that are not proportional are R's, and say what they cannot."""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.cohort import ROOT
from helpers.conventions import SMALL_GROUP
from helpers.estimators.nonproportional import (
    NotEstimable,
    ph_test,
    schoenfeld,
    time_split,
    weighted_logrank,
)
from helpers.estimators.times import (
    NO_ERROR,
    follow_up_definitions,
    median_interval_types,
    rmst_contrast,
    rmst_table,
)
from helpers.fit.ranktests import WEIGHTS, beyond
from helpers.survival import logrank_test

FIXTURES = ROOT / "tests" / "fixtures" / "tests"
CASES = sorted(path.stem for path in FIXTURES.glob("[!c]*.json"))
WALD = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
TEST = ["statistic", "df", "p_value"]


def close(ours, r, tolerance=1e-6):
    """Equal to R within a relative 1e-6 (1e-12 for what is zero), and missing where R's is."""
    ours, r = (np.asarray(x, dtype=float) for x in (ours, r))
    np.testing.assert_allclose(ours, r, rtol=tolerance, atol=1e-12)


class Case:
    def __init__(self, name):
        self.r = json.loads((FIXTURES / f"{name}.json").read_text())
        about = self.r["data"]
        frame = pd.read_csv(ROOT / about["file"])
        frame["group"] = frame[about["group"]].astype(str)
        frame["age_over"] = frame["age"] > 60 if name == "heavy_ties" else False
        for column in about["categorical"]:
            frame[column] = frame[column].astype(str)
        self.frame, self.groups, self.reference = frame, about["groups"], about["reference"]
        self.adjust, self.strata = about["adjust"], self.r["strata"]
        self.columns = {"time": about["time"], "event": about["event"]}
        self.grouped = self.columns | {"group": "group"}

    def model(self, adjusted):
        adjust = self.adjust if adjusted == "adjusted" else []
        return self.columns | {
            "covariates": ["group", *adjust], "references": {"group": self.reference}
        }  # fmt: skip


@cache
def load(name):
    return Case(name)


@pytest.fixture(params=CASES)
def case(request):
    return load(request.param)


@pytest.fixture(params=["unadjusted", "adjusted"])
def adjusted(request, case):
    if request.param == "adjusted" and not case.adjust:
        pytest.skip("nothing to adjust for")
    return request.param


def patients(**columns):
    return pd.DataFrame({"day": [1, 2, 3, 4, 5, 6], "event": 1, "arm": list("aababb")} | columns)


SIX = {"time": "day", "event": "event"}
ARMS = SIX | {"group": "arm"}


def test_there_are_fixtures_for_every_edge():
    assert {"synthetic_os", "synthetic_pfs", "german_os", "german_rfs", "lung_sex"} <= set(CASES)
    assert {"veteran_treatment", "veteran_celltype", "heavy_ties", "plateau"} <= set(CASES)
    assert {"no_event_arm", "one_event", "skewed"} <= set(CASES)


# -- weighted log-rank ----------------------------------------------------------------------


def test_log_rank_and_peto_equal_survdiff(case):
    ours, r = weighted_logrank(case.frame, **case.grouped), case.r["weighted"]
    for row, name in ((0, "logrank"), (1, "peto")):
        for column in TEST:
            close(ours.at[row, column], r[name][column])


def test_every_weight_equals_the_formulas_in_r(case):
    ours, r = weighted_logrank(case.frame, **case.grouped), case.r["weighted"]["formula"]
    for row, (rho, gamma) in enumerate(WEIGHTS.values()):
        expected = r[f"{rho},{gamma}"]
        assert (ours.at[row, "note"] == "") == (expected["statistic"] is not None)
        if expected["statistic"] is None:
            assert ours.loc[row, TEST].isna().all()
            continue
        for column in TEST:
            close(ours.at[row, column], expected[column])


@pytest.mark.parametrize("row", [0, 1, 2, 3])
def test_every_weight_equals_lifelines_where_two_groups_are_compared(case, row):
    from lifelines.statistics import logrank_test as lifelines

    ours = weighted_logrank(case.frame, **case.grouped)
    if len(case.groups) > 2 or ours.at[row, "note"]:
        pytest.skip("lifelines weighs two groups only")
    if case.frame[case.columns["time"]].min() == 0 and row < 2:
        pytest.skip("lifelines fails on its own where somebody is censored at time 0")
    rho, gamma = list(WEIGHTS.values())[row]
    time, event = (case.frame[case.columns[c]].to_numpy() for c in ("time", "event"))
    a = (case.frame["group"] == case.reference).to_numpy()
    theirs = lifelines(
        time[a], time[~a], event[a], event[~a], weightings="fleming-harrington", p=rho, q=gamma
    )
    close(ours.at[row, "statistic"], theirs.test_statistic)


def test_maxcombo_equals_integration_in_r(case):
    ours, r = weighted_logrank(case.frame, **case.grouped).loc[4], case.r["weighted"]["maxcombo"]
    assert ours["name"] == "MaxCombo"
    if r is None:
        assert np.isnan(ours["p_value"]) and ours["note"]
        return
    close(ours["statistic"], r["statistic"])
    close(ours["p_value"], r["p_value"])


def test_stratified_log_rank_equals_survdiff(case):
    if case.strata is None:
        pytest.skip("no strata")
    ours = weighted_logrank(case.frame, **case.grouped, strata=case.strata).iloc[-1]
    assert ours["name"] == "stratified log-rank"
    for column in TEST:
        close(ours[column], case.r["weighted"]["stratified"][column])
    lost = case.frame[case.strata].isna().sum()
    assert (f"{lost} without" in ours["note"]) == bool(lost)


def test_the_first_row_is_the_log_rank_test_shown_everywhere_else(case):
    ours = weighted_logrank(case.frame, **case.grouped).loc[0]
    close(ours[TEST], logrank_test(case.frame, **case.grouped).loc[0, TEST])


def test_one_normal_and_two_independent_ones_have_the_maximum_they_must():
    from scipy.stats import norm

    same = np.ones((4, 4))
    assert beyond(same, 1.96) == pytest.approx(2 * norm.sf(1.96), rel=1e-6)
    two = np.kron(np.eye(2), np.ones((2, 2)))
    assert beyond(two, 5.5) == pytest.approx(1 - (1 - 2 * norm.sf(5.5)) ** 2, rel=1e-6)


def test_a_small_maxcombo_p_is_not_zero():
    """greenwood's own P counts draws and is 0 here."""
    from greenwood import Surv, maxcombo_test

    day = np.arange(1.0, 81)
    frame = pd.DataFrame({"day": day, "event": 1, "arm": np.where(day <= 40, "a", "b")})
    ours = weighted_logrank(frame, **ARMS)
    assert maxcombo_test(Surv(day, event=day > 0), frame["arm"].to_numpy()).p_value == 0
    assert 0 < ours.at[4, "p_value"] < 1e-6
    # Between the best of the four tests and Bonferroni's four times that.
    best = ours.loc[:3, "p_value"].min()
    assert best < ours.at[4, "p_value"] < 4 * best


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (patients(event=0), "fewer than two groups are at risk"),
        (patients(arm="a"), "fewer than two groups"),
        (patients(day=5), "not at risk together"),
        (patients().iloc[:1], "fewer than two groups"),
        (patients().iloc[:0], "fewer than two groups"),
        (patients(day=[1, 1, 2, 1, 2, 2], event=[0, 0, 1, 0, 1, 1]), "fewer than two groups"),
    ],
    ids=["no events", "one arm", "all at once", "one patient", "nobody", "arm gone before"],
)
def test_a_test_that_cannot_be_made_is_a_row_with_a_reason(frame, words):
    ours = weighted_logrank(frame, **ARMS)
    assert ours["p_value"].isna().all()
    assert ours["note"][:4].str.contains(words).all() and ours.at[4, "note"]


def test_a_group_never_at_risk_is_left_out_of_the_test_and_named():
    frame = pd.concat([patients(), pd.DataFrame({"day": [0.5], "event": 0, "arm": "c"})])
    ours, without = weighted_logrank(frame, **ARMS), weighted_logrank(patients(), **ARMS)
    close(ours.loc[:3, TEST], without.loc[:3, TEST])
    assert "never at risk at an event: c" in ours.at[0, "note"]


def test_patients_without_a_group_are_left_out_and_counted():
    frame = pd.concat([patients(), pd.DataFrame({"day": [3], "event": 1, "arm": None})])
    ours = weighted_logrank(frame, **ARMS)
    close(ours[TEST], weighted_logrank(patients(), **ARMS)[TEST])
    assert ours["note"].str.contains("1 left out").all()


cohorts = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 1), st.sampled_from("ab")),
    min_size=4, max_size=30,
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(cohorts)
def test_names_of_arms_order_of_patients_and_unit_of_time_change_no_test(rows):
    frame = pd.DataFrame(rows, columns=["day", "event", "arm"])
    ours = weighted_logrank(frame, **ARMS)
    other = frame.iloc[::-1].assign(day=frame["day"] / 30, arm=frame["arm"].map({"a": "z"}.get))
    other["arm"] = other["arm"].fillna("b")
    again = weighted_logrank(other, **ARMS)
    np.testing.assert_allclose(ours[TEST], again[TEST], rtol=1e-7, atol=1e-9)
    known = ours["p_value"].dropna()
    assert known.between(0, 1).all()
    assert (ours["note"] != "").where(ours["p_value"].isna(), True).all()


# -- proportional hazards -------------------------------------------------------------------


def named(term):
    return term.removeprefix("group: ")


def test_the_proportional_hazards_test_equals_cox_zph(case, adjusted):
    r = case.r[f"zph_{adjusted}"]
    ours = ph_test(case.frame, **case.model(adjusted))
    if r is None:  # no events in a level, or one event
        assert ours["note"].ne("").any()
        return
    assert [named(term) for term in ours["term"]] == list(r["table"])
    for row in ours.itertuples():
        expected = r["table"][named(row.term)]
        close([row.statistic, row.df, row.p_value], [expected[c] for c in TEST])


def test_scaled_schoenfeld_residuals_equal_cox_zph(case, adjusted):
    r = case.r[f"zph_{adjusted}"]
    if r is None:
        pytest.skip("no finite model")
    ours = schoenfeld(case.frame, **case.model(adjusted))
    for term, part in ours.groupby("term"):
        close(part["time"], r["time"])
        close(part["transformed_time"], r["transformed"])
        theirs = pd.DataFrame({"time": r["time"], "residual": r["residuals"][named(term)]})
        order = ["time", "residual"]  # within a tie the order is nobody's
        a, b = part.sort_values(order)["residual"], theirs.sort_values(order)["residual"]
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6 * np.abs(b).max())


def test_residuals_average_to_the_coefficient(case):
    from helpers.regression import cox_table

    if case.r["zph_unadjusted"] is None:
        pytest.skip("no finite model")
    model = case.model("unadjusted")
    mean = schoenfeld(case.frame, **model).groupby("term", sort=False)["residual"].mean()
    close(mean, cox_table(case.frame, **model)["estimate"], tolerance=1e-7)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (patients(event=0), "no patient had an event"),
        (patients(arm="a"), "the same for every patient"),
        (patients().iloc[:1], "the same for every patient"),
        (patients(event=[0, 0, 1, 0, 0, 0]), "only the reference groups had events"),
        (patients(day=[1, 2, 3, 4, 5, 6], arm=list("aaabbb")), "while both groups are at risk"),
    ],
    ids=["no events", "one arm", "one patient", "one event", "separated"],
)
def test_a_check_that_cannot_be_made_is_a_row_with_a_reason(frame, words):
    ours = ph_test(frame, **SIX, covariates=["arm"])
    assert list(ours["term"]) == ["GLOBAL"] and ours["p_value"].isna().all()
    assert ours["note"].str.contains(words).all()
    with pytest.raises(NotEstimable, match=words):
        schoenfeld(frame, **SIX, covariates=["arm"])


def test_a_level_without_events_is_not_checked_and_the_others_are():
    case = load("no_event_arm")
    ours = ph_test(case.frame, **case.columns, covariates=["group", "x"]).set_index("term")
    assert "no event" in ours.at["group: b vs a", "note"]
    only = case.frame[case.frame["group"] == "a"]
    close(ours.loc["x", TEST], ph_test(only, **case.columns, covariates=["x"]).loc[0, TEST])


# -- before and after a day -----------------------------------------------------------------


def test_ratios_before_and_after_a_day_equal_episode_splitting_in_r(case, adjusted):
    r = case.r[f"split_{adjusted}"]
    ours = time_split(case.frame, **case.model(adjusted), cut=case.r["cut"])
    if r is None:  # R warns that a coefficient is infinite in one period
        assert ours["note"].ne("").any()
        return
    periods = ours.groupby("period", sort=False)
    for (_, part), name in zip(periods, ("before", "after", "change"), strict=True):
        assert [named(term) for term in part["term"]] == list(r[name])
        for row in part.to_dict("records"):  # null: a level with nobody left in the period
            expected = r[name][named(row["term"])]
            known = expected["estimate"] is not None
            close([row[c] for c in WALD], [expected[c] if known else np.nan for c in WALD])
            assert (row["note"] == "") == known


def test_each_event_belongs_to_one_period(case):
    ours = time_split(case.frame, **case.model("unadjusted"), cut=case.r["cut"])
    counts = ours.groupby("period", sort=False)["n_event"].first().tolist()
    assert counts[0] + counts[1] == counts[2] == case.frame[case.columns["event"]].sum()


def test_a_period_without_an_answer_says_why_and_leaves_the_other():
    frame = patients(event=[1, 1, 1, 1, 0, 0])
    ours = time_split(frame, **SIX, covariates=["arm"], cut=10)
    before, after, change = (part for _, part in ours.groupby("period", sort=False))
    assert before["estimate"].notna().all() and before["note"].eq("").all()
    assert after["estimate"].isna().all() and after["note"].str.contains("nobody").all()
    assert change["estimate"].isna().all() and change["note"].ne("").all()
    with pytest.raises(ValueError, match="cut: found 0"):
        time_split(frame, **SIX, covariates=["arm"], cut=0)


@pytest.mark.parametrize("frame", [patients(event=0), patients(arm="a"), patients().iloc[:1]])
def test_a_split_of_nothing_is_rows_with_reasons(frame):
    ours = time_split(frame, **SIX, covariates=["arm"], cut=3)
    assert len(ours) == 3 and ours["estimate"].isna().all() and ours["note"].ne("").all()


# -- means, medians, follow-up --------------------------------------------------------------


def test_differences_and_ratios_of_restricted_means_equal_r(case):
    """R counts an arm without an event as sure of its mean; here nothing rests on it."""
    r = case.r["rmst"]
    ours = rmst_contrast(case.frame, **case.grouped, horizon=r["tau"], reference=case.reference)
    ours = ours.set_index(["contrast", "measure"])
    sizes = case.frame[case.grouped["group"]].astype(str).value_counts()
    for group in case.groups[1:]:
        for measure in ("difference", "ratio"):
            row, theirs = ours.loc[(f"{group} vs {case.reference}", measure)], r[group][measure]
            close(row["estimate"], theirs["estimate"])
            if row["note"] == NO_ERROR:
                assert row[WALD[1:]].isna().all() and eventless(case, r["tau"])
                continue
            close(row[["std_error", "statistic"]], [theirs["std_error"], theirs["statistic"]])
            if sizes[[group, case.reference]].min() >= SMALL_GROUP:
                close(row["p_value"], theirs["p_value"])
                if measure == "ratio":
                    close(row[WALD[4:]], [theirs["conf_low"], theirs["conf_high"]])


def eventless(case, day):
    """Whether some group has no event before a day."""
    frame, of = case.frame, case.grouped
    happened = (frame[of["event"]] == 1) & (frame[of["time"]] < day)
    return not happened.groupby(frame[of["group"]].astype(str)).any().all()


def test_the_difference_is_the_one_shown_everywhere_else(case):
    about = {"horizon": case.r["rmst"]["tau"], "reference": case.reference}
    ours = rmst_contrast(case.frame, **case.grouped, **about).set_index("contrast")
    shown = rmst_table(case.frame, **case.grouped, **about).set_index("group")
    ours = ours[ours["measure"] == "difference"]
    close(ours[WALD], shown.loc[ours.index, WALD])


def test_a_mean_without_an_event_is_no_part_of_a_test():
    case = load("no_event_arm")
    one = rmst_contrast(case.frame, **case.grouped, horizon=20, reference="a")
    assert one["note"].eq(NO_ERROR).all() and one["estimate"].notna().all()
    assert one[WALD[1:]].isna().all(axis=None)


def test_a_horizon_beyond_the_data_is_a_row_with_a_reason_and_a_wrong_name_an_error():
    frame = patients(event=[1, 1, 1, 1, 1, 0])
    ours = rmst_contrast(frame, **ARMS, horizon=30, reference="a")
    assert ours["estimate"].isna().all() and ours["note"].str.contains("beyond day 6").all()
    with pytest.raises(ValueError, match="arm: found no 'z'"):
        rmst_contrast(frame, **ARMS, horizon=3, reference="z")
    with pytest.raises(ValueError, match="horizon: found 0"):
        rmst_contrast(frame, **ARMS, horizon=0, reference="a")


def test_limits_of_medians_of_three_kinds_equal_r(case):
    ours = median_interval_types(case.frame, **case.grouped).set_index(["group", "interval"])
    assert len(ours) == 3 * len(case.groups)
    for group in case.groups:
        for kind in ("log-log", "plain", "log"):
            for column in ("estimate", "conf_low", "conf_high"):
                close(ours.at[(group, kind), column], case.r["medians"][group][kind][column])


def test_a_limit_that_is_not_reached_says_so(case):
    ours = median_interval_types(case.frame, **case.grouped)
    open_end = ours["estimate"].isna() | ours["conf_high"].isna()
    assert (ours["note"].str.contains("not reached") == open_end).all()


def test_follow_up_by_each_definition_equals_r(case):
    for group in (None, "group"):
        ours = follow_up_definitions(case.frame, **case.columns, group=group)
        for name, part in ours.groupby("group"):
            part, r = part.set_index("definition"), case.r["follow_up"][name]
            reverse = part.loc["reverse Kaplan-Meier median"]
            close(reverse[["estimate", "conf_low", "conf_high"]],
                  [r["reverse"][c] for c in ("estimate", "conf_low", "conf_high")])  # fmt: skip
            close(part.at["median observed time", "estimate"], r["observed"])
            close(part.at["median of those without an event", "estimate"], r["censored"])
            close(part.at["shortest observed time", "estimate"], r["shortest"])
            close(part.at["longest observed time", "estimate"], r["longest"])
            assert "needs each entry date" in part.at["potential follow-up (Korn)", "note"]


def test_follow_up_of_those_who_all_died_has_reasons_for_what_is_missing():
    ours = follow_up_definitions(patients(), **SIX).set_index("definition")
    assert ours.at["median of those without an event", "note"] == "all had an event"
    assert ours.at["reverse Kaplan-Meier median", "note"] == "not reached"
    assert ours.at["median observed time", "estimate"] == 3.5


def test_one_patient_has_a_follow_up_and_a_median():
    one = patients().iloc[:1]
    assert follow_up_definitions(one, **SIX)["estimate"].dropna().eq(1).all()
    assert median_interval_types(one, **SIX)["estimate"].eq(1).all()


def test_groups_keep_their_order_and_one_group_has_a_mean():
    frame = pd.DataFrame({"t": [1, 2, 3, 4.0], "e": [1, 1, 1, 1]})
    frame["g"] = pd.Categorical(["b", "b", "a", "a"], categories=["b", "a"])
    kinds = median_interval_types(frame, time="t", event="e", group="g")
    assert list(kinds["group"].unique()) == ["b", "a"]
    alone = rmst_table(
        frame.assign(g="a"), time="t", event="e", group="g", horizon=3, reference="a"
    )
    assert list(alone["group"]) == ["a"] and alone["estimate"].notna().all()
