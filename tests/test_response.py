"""Response rates, their intervals and contrasts are R's, and mean what they say."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, chi2_contingency, nchypergeom_fisher

from helpers.cohort import ROOT
from helpers.estimators.response import (
    TESTS,
    fragility,
    grade_table,
    odds_ratios,
    one_sided_bound,
    proportion_table,
    response_contrast,
    response_contrasts,
    response_p,
    response_table,
    stratified_contrast,
    stratified_response,
)
from helpers.fit.contrasts import breslow_day, koopman_limits, pooled_rows
from helpers.fit.likelihood import NotEstimable

FIXTURES = Path(__file__).parent / "fixtures" / "response"
COUNTS = json.loads((FIXTURES / "counts.json").read_text())
CASES = sorted(p.stem for p in FIXTURES.glob("*.json") if p.stem not in ("counts", "grades"))
INTERVAL = ["estimate", "conf_low", "conf_high"]
BOTH = ["estimate", "exact_low", "exact_high", "wilson_low", "wilson_high"]
EXACT = "conditional maximum likelihood, exact"
ROWS = {
    "risk difference": ("risk difference", "Newcombe hybrid score"),
    "risk ratio log Wald": ("risk ratio", "log Wald"),
    "risk ratio Koopman score": ("risk ratio", "Koopman score"),
    "odds ratio Wald": ("odds ratio", "Wald"),
    "odds ratio exact": ("odds ratio", EXACT),
}


def close(ours, r):
    """Equal to R within a relative 1e-6 (1e-12 for what is zero), and missing where R's is."""
    ours, r = (np.asarray(x, dtype=float) for x in (ours, r))
    np.testing.assert_allclose(ours, r, rtol=1e-6, atol=1e-12)


def rows_of(table):
    return table.set_index(["measure", "method"])


@pytest.fixture(params=CASES)
def case(request):
    r = json.loads((FIXTURES / f"{request.param}.json").read_text())
    about = {key: value[0] if key != "groups" else value for key, value in r["case"].items()}
    frame = pd.read_csv(ROOT / about["file"])
    frame["arm"] = pd.Categorical(frame[about["group"]].astype(str), about["groups"])
    if "event" in about:  # as in the fixture: counts for the arithmetic, no clinical response
        frame["response"] = np.where(frame[about["event"]] == 0, "PR", "PD")
    return r, frame, about["groups"], about.get("stratum")


def compare_contrast(table, r):
    table = rows_of(table)
    for name, key in ROWS.items():
        close(table.loc[key, INTERVAL], [r[name][c] for c in INTERVAL])
    for name in ("risk ratio log Wald", "odds ratio Wald"):
        close(table.at[ROWS[name], "p_value"], r[name]["p_value"])
    for test in TESTS:
        close(table.at[("test", test), "p_value"], r["tests"][test])


# -- the answers of R -----------------------------------------------------------------------


def test_there_are_fixtures_for_every_edge():
    assert {"synthetic", "german", "lung", "veteran", "heavy_ties", "plateau"} <= set(CASES)
    assert {"no_event_arm", "one_event"} <= set(CASES)


def test_intervals_of_one_proportion_are_those_of_binom_test_and_prop_test():
    r = pd.DataFrame(COUNTS["proportions"])
    ours = proportion_table(r["x"], r["n"])
    close(ours[BOTH], r[BOTH])
    close(one_sided_bound(r["x"], r["n"]), r["upper"])
    close(one_sided_bound(r["x"], r["n"], side="lower"), r["lower"])
    close(ours["one_sided"], r["upper"].where(r["x"] == 0, r["lower"].where(r["x"] == r["n"])))


@pytest.mark.parametrize("r", COUNTS["contrasts"], ids=lambda r: "-".join(map(str, r["counts"])))
def test_contrasts_of_typed_counts_are_those_of_r(r):
    compare_contrast(response_contrast(*r["counts"]), r)
    close(fragility(*r["counts"])["p_value"], r["fragility"])


def test_rates_and_contrasts_of_a_cohort_are_those_of_r(case):
    r, frame, groups, _ = case
    table = response_table(frame, arm="arm", response="response")
    assert list(table["arm"]) == groups
    close(table[["responders", "n", *BOTH]], pd.DataFrame(r["rates"])[["x", "n", *BOTH]])
    contrasts = response_contrasts(table, reference=groups[1])
    assert set(contrasts["contrast"]) == {f"{groups[0]} vs {groups[1]}"}
    compare_contrast(contrasts, r["contrast"])


def test_strata_and_their_pool_are_those_of_r(case):
    r, frame, groups, stratum = case
    if stratum is None:
        assert "strata" not in r
        return
    r = r["strata"]
    rates = stratified_response(frame, arm="arm", response="response", stratum=stratum)
    known = rates[rates["stratum"] != "missing"]
    n_evaluable = known.groupby("stratum", sort=False)["n"].sum()
    known = known[known["stratum"].isin(n_evaluable[n_evaluable > 0].index)]
    expected = pd.DataFrame(r["rates"]).reindex(columns=["x", "n", *BOTH])
    close(known[["responders", "n", *BOTH]], expected)
    pool = stratified_contrast(rates, reference=groups[1])
    pool = rows_of(pool[pool["stratum"] == "pooled"])
    close(pool.loc[("odds ratio", "Mantel-Haenszel"), INTERVAL], [r[c] for c in INTERVAL])
    close(pool.at[("test", "Cochran-Mantel-Haenszel"), "p_value"], r["p_value"])
    close(pool.at[("homogeneity", "Breslow-Day-Tarone"), "p_value"], r["tarone_p"])
    assert (f"left out: {r['left_out']} " in pool["note"].iloc[0]) == (r["left_out"] > 0)


def test_grades_of_toxicity_are_those_of_r_and_the_missing_are_counted():
    r = json.loads((FIXTURES / "grades.json").read_text())
    frame = pd.read_csv(ROOT / "data/cohort_synthetic.csv")
    table = grade_table(frame, grade="crs_grade")
    columns = ["estimate", "exact_low", "exact_high"]
    close(table[["patients", "n", *columns]], pd.DataFrame(r["rows"])[["x", "n", *columns]])
    assert set(table["missing"]) == {r["missing"]}
    by_arm = grade_table(frame, grade="crs_grade", arm="arm").set_index(["arm", "grade"])
    assert by_arm.loc[("non-CAR-T", "any"), ["patients", "n", "missing"]].tolist() == [0, 0, 39]
    assert by_arm.at[("non-CAR-T", "any"), "note"] == "no patient to count"
    assert np.isnan(by_arm.at[("non-CAR-T", "any"), "exact_high"])


# -- printed numbers ------------------------------------------------------------------------


def test_the_printed_response_gets_a_different_p_from_every_test():
    p = {test: response_p(test, 15, 54, 3, 38) for test in TESTS}
    assert {test: round(value, 4) for test, value in p.items() if test != "mid-P"} == {
        "Fisher": 0.0307, "logistic Wald": 0.0259, "Pearson": 0.0179, "Yates": 0.0357,
        "likelihood ratio": 0.0131,
    }  # fmt: skip
    assert p["mid-P"] < p["Fisher"]
    assert round(response_p("Fisher", 15, 54, 4, 38), 3) == 0.066


def test_one_more_responder_ends_the_significance_of_the_printed_response():
    table = fragility(15, 54, 3, 38)
    assert table[["added", "x1", "x0", "significant"]].to_numpy().tolist() == [
        [0, 15, 3, True],
        [1, 15, 4, False],
    ]


def test_nobody_among_five_nine_or_54_still_allows_this_many():
    bounds = one_sided_bound(0, [5, 9, 54])
    assert [f"{100 * b:.1f}" for b in bounds] == ["45.1", "28.3", "5.4"]
    np.testing.assert_allclose(bounds, 1 - 0.05 ** (1 / np.array([5, 9, 54])), rtol=1e-12)


def test_newcombes_own_examples_come_out_as_he_printed_them():
    # Newcombe 1998, Table II, method 10.
    printed = {
        (56, 70, 48, 80): (0.0524, 0.3339), (9, 10, 3, 10): (0.1705, 0.8090),
        (6, 7, 2, 7): (0.0582, 0.8062), (5, 56, 0, 29): (-0.0381, 0.1926),
        (0, 10, 0, 20): (-0.1611, 0.2775), (0, 10, 0, 10): (-0.2775, 0.2775),
        (10, 10, 0, 20): (0.6791, 1.0), (10, 10, 0, 10): (0.6075, 1.0),
    }  # fmt: skip
    for counts, limits in printed.items():
        row = response_contrast(*counts).iloc[0]
        assert (round(row["conf_low"], 4), round(row["conf_high"], 4)) == limits


# -- a second implementation ----------------------------------------------------------------

counts = st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
inner = st.integers(2, 40).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n)))


@settings(max_examples=60, deadline=None)
@given(inner, inner)
def test_koopmans_limits_are_those_of_statsmodels_where_both_outcomes_occur(one, base):
    from statsmodels.stats.proportion import confint_proportions_2indep

    theirs = confint_proportions_2indep(
        *one, *base, compare="ratio", method="score", correction=False
    )
    np.testing.assert_allclose(koopman_limits(*one, *base), theirs, rtol=1e-6)


@pytest.mark.parametrize("counts", [(10, 10, 20, 20), (18, 54, 38, 38), (1, 1, 1, 2)])
def test_statsmodels_koopman_leaves_out_the_ratio_itself_when_everyone_responds(counts):
    # The day this fails, statsmodels is right and our own code can go.
    from statsmodels.stats.proportion import confint_proportions_2indep

    x1, n1, x0, n0 = counts
    ratio = (x1 / n1) / (x0 / n0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        low, high = confint_proportions_2indep(
            *counts, compare="ratio", method="score", correction=False
        )
    low, high = np.real(low), np.real(high)
    ours = koopman_limits(*counts)
    assert ours[0] < ratio < ours[1]
    assert not np.allclose((low, high), ours, rtol=1e-3)


@settings(max_examples=60, deadline=None)
@given(counts, counts)
def test_the_exact_limits_leave_a_tail_of_a_fortieth(one, base):
    (x1, n1), (x0, n0) = one, base
    assume(0 < x1 + x0 < n1 + n0)
    row = rows_of(response_contrast(x1, n1, x0, n0)).loc[("odds ratio", EXACT)]
    given_margins = (n1 + n0, n1, x1 + x0)
    if row["conf_low"] > 0:
        tail = nchypergeom_fisher.sf(x1 - 1, *given_margins, row["conf_low"])
        assert tail == pytest.approx(0.025, rel=1e-6)
    if row["conf_high"] < np.inf:
        tail = nchypergeom_fisher.cdf(x1, *given_margins, row["conf_high"])
        assert tail == pytest.approx(0.025, rel=1e-6)


def test_homogeneity_is_that_of_statsmodels_and_defined_at_a_ratio_of_one():
    from statsmodels.stats.contingency_tables import StratifiedTable

    cells = np.array([[5, 15, 2, 22], [8, 20, 3, 18], [4, 11, 6, 13]])
    tables = [[[a, m - a], [c, k - c]] for a, m, c, k in cells]
    p_value, _ = breslow_day(cells.T, StratifiedTable(tables).oddsratio_pooled)
    assert p_value == pytest.approx(StratifiedTable(tables).test_equal_odds(True).pvalue, rel=1e-9)

    mirrored = np.array([[6, 10, 3, 10], [3, 10, 6, 10]])
    pooled, _, homogeneity = pooled_rows(mirrored, np.array([False, False]))
    assert pooled[2] == 1.0
    # At a ratio of 1 the expected counts are those of independence.
    expected = [chi2_contingency([[a, m - a], [c, k - c]])[3] for a, m, c, k in mirrored]
    variance = np.array([1 / (1 / e).sum() for e in expected])
    observed = mirrored[:, 0] - [e[0, 0] for e in expected]
    statistic = (observed**2 / variance).sum()
    assert homogeneity[5] == pytest.approx(chi2.sf(statistic, 1), rel=1e-9)


# -- invariants -----------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(counts, counts)
def test_exchanging_the_arms_negates_the_difference_and_inverts_the_ratios(one, base):
    there = rows_of(response_contrast(*one, *base)).drop(columns="note")
    back = rows_of(response_contrast(*base, *one)).drop(columns="note")
    with np.errstate(divide="ignore"):
        for key, row in there.iterrows():
            other = back.loc[key, ["estimate", "conf_high", "conf_low"]].to_numpy(float)
            other = -other if key[0] == "risk difference" else 1 / other
            if key[0] != "test":
                np.testing.assert_allclose(row[INTERVAL].to_numpy(float), other, 1e-7, 1e-12)
            np.testing.assert_allclose(row["p_value"], back.at[key, "p_value"], rtol=1e-9)


@settings(max_examples=80, deadline=None)
@given(counts, counts)
def test_every_interval_contains_its_estimate_and_is_possible(one, base):
    table = rows_of(response_contrast(*one, *base)).dropna(subset=["conf_low"])
    low, estimate, high = (table[c].to_numpy() for c in ("conf_low", "estimate", "conf_high"))
    room = 1e-12 * np.where(np.isfinite(estimate), 1 + abs(estimate), 0)
    assert (low <= estimate + room).all() and (estimate <= high + room).all()
    difference = table.loc["risk difference"].iloc[0]
    assert difference["conf_low"] >= -1 and difference["conf_high"] <= 1
    ratios = table.drop(index="risk difference", level=0)
    assert (ratios["conf_low"] >= 0).all()
    rates = proportion_table([one[0], base[0]], [one[1], base[1]])
    for low, high in (("exact_low", "exact_high"), ("wilson_low", "wilson_high")):
        assert (rates[low] <= rates["estimate"]).all() and (rates[low] >= 0).all()
        assert (rates[high] >= rates["estimate"]).all() and (rates[high] <= 1).all()
    p_values = rows_of(response_contrast(*one, *base))["p_value"].dropna()
    assert p_values.between(0, 1 + 1e-12).all()


@settings(max_examples=60, deadline=None)
@given(inner, inner)
def test_twice_the_patients_give_narrower_intervals(one, base):
    small = response_contrast(*one, *base).set_index("method")
    large = response_contrast(*(2 * np.array([*one, *base])).tolist()).set_index("method")
    for method in ("Newcombe hybrid score", "log Wald", "Koopman score", "Wald", EXACT):
        scale = (lambda x: x) if method.startswith("Newcombe") else np.log
        width = [scale(t.at[method, "conf_high"]) - scale(t.at[method, "conf_low"])
                 for t in (small, large)]  # fmt: skip
        assert width[1] < width[0]
    few, many = proportion_table(*one).iloc[0], proportion_table(2 * one[0], 2 * one[1]).iloc[0]
    for name in ("exact", "wilson"):
        assert many[f"{name}_high"] - many[f"{name}_low"] < few[f"{name}_high"] - few[f"{name}_low"]


@settings(max_examples=60, deadline=None)
@given(counts, counts)
def test_koopmans_interval_leaves_out_one_exactly_when_pearson_rejects(one, base):
    (x1, n1), (x0, n0) = one, base
    assume(0 < x1 + x0 < n1 + n0)
    row = rows_of(response_contrast(x1, n1, x0, n0)).loc[("risk ratio", "Koopman score")]
    assume(abs(row["p_value"] - 0.05) > 1e-9)
    assert (row["conf_low"] > 1 or row["conf_high"] < 1) == (row["p_value"] < 0.05)


@settings(max_examples=60, deadline=None)
@given(counts, counts)
def test_a_fragility_table_ends_with_its_first_row_that_is_not_significant(one, base):
    table = fragility(*one, *base)
    assert list(table["added"]) == list(range(len(table)))
    assert table["significant"].iloc[:-1].all() and not table["significant"].iloc[-1]
    assert (table["x1"] <= table["n1"]).all() and (table["x0"] <= table["n0"]).all()


# -- edges ----------------------------------------------------------------------------------


def test_an_empty_cell_gives_no_wald_interval_and_says_that_nothing_was_added():
    table = rows_of(response_contrast(15, 54, 0, 38))
    for key in (("risk ratio", "log Wald"), ("odds ratio", "Wald")):
        assert table.at[key, "estimate"] == np.inf
        assert table.loc[key, ["conf_low", "conf_high", "p_value"]].isna().all()
        assert "0.5 is not added" in table.at[key, "note"]
    for key in (("risk ratio", "Koopman score"), ("odds ratio", EXACT)):
        assert 1 < table.at[key, "conf_low"] < table.at[key, "conf_high"] == np.inf
    assert "0.5 is not added" in table.at[("test", "logistic Wald"), "note"]
    assert odds_ratios([0], [5], [1], [5])[["low", "high", "p_value"]].isna().all(axis=None)


@pytest.mark.parametrize("counts", [(0, 5, 0, 9), (5, 5, 9, 9)])
def test_one_outcome_in_all_patients_leaves_only_the_difference(counts):
    table = rows_of(response_contrast(*counts))
    assert table.loc[("risk difference", "Newcombe hybrid score"), INTERVAL].notna().all()
    assert table.at[("test", "Fisher"), "p_value"] == 1
    gaps = table[table["p_value"].isna() & (table.index.get_level_values(0) != "risk difference")]
    assert len(gaps) == 9 and (gaps["note"] != "").all()
    with pytest.raises(NotEstimable, match="same outcome"):
        response_p("Pearson", *counts)


def test_an_exact_interval_at_odds_with_fishers_p_says_so():
    """Fisher's P adds the other tail by probability, the interval cuts a fortieth off each."""
    agree, differ = (
        rows_of(response_contrast(*k)).loc[("odds ratio", EXACT)]
        for k in ((15, 54, 3, 38), (23, 54, 8, 38))
    )
    assert agree["conf_low"] > 1 and agree["note"] == ""
    assert response_contrast(3, 38, 15, 54).iloc[4]["note"] == ""
    assert (
        differ["conf_low"] < 1 < differ["conf_high"] and response_p("Fisher", 23, 54, 8, 38) < 0.05
    )
    assert "disagree" in differ["note"]


def test_one_patient_in_an_arm_is_an_interval_that_is_nearly_everything():
    row = proportion_table([1], [1]).iloc[0]
    assert (row["exact_low"], row["exact_high"]) == (pytest.approx(0.025), 1)
    assert row["one_sided"] == pytest.approx(0.05)
    assert rows_of(response_contrast(1, 1, 3, 7)).at[("test", "Fisher"), "p_value"] > 0.3


def test_every_missing_number_has_a_reason():
    for r in COUNTS["contrasts"]:
        table = response_contrast(*r["counts"])
        ours = table[table["measure"] != "test"]
        assert (ours.loc[ours[INTERVAL].isna().any(axis=1), "note"] != "").all()
        tests = table[table["measure"] == "test"]
        assert (tests.loc[tests["p_value"].isna(), "note"] != "").all()


FRAME = pd.DataFrame(
    {
        "arm": ["A", "A", "A", "A", "B", "B", "B", "C"],
        "best": ["CR", "PR", "NE", None, "SD", "PD", "PR", "NE"],
        "site": ["x", "x", "y", "y", "x", None, "y", "x"],
    }
)


def test_not_evaluable_patients_leave_the_rate_or_count_as_failures_as_asked():
    evaluable = response_table(FRAME, arm="arm", response="best").set_index("arm")
    everyone = response_table(FRAME, arm="arm", response="best", denominator="all")
    everyone = everyone.set_index("arm")
    assert evaluable.loc["A", ["responders", "n", "not_evaluable"]].tolist() == [2, 2, 2]
    assert everyone.loc["A", ["responders", "n", "not_evaluable"]].tolist() == [2, 4, 2]
    assert evaluable.at["C", "note"] == "no patient to count" and np.isnan(
        evaluable.at["C", "estimate"]
    )
    complete = response_table(FRAME, arm="arm", response="best", responders=("CR",))
    assert list(complete["responders"]) == [1, 0, 0]


def test_an_arm_without_evaluable_patients_has_a_note_instead_of_a_contrast():
    table = response_table(FRAME, arm="arm", response="best")
    contrasts = response_contrasts(table, reference="A")
    assert list(dict.fromkeys(contrasts["contrast"])) == ["B vs A", "C vs A"]
    empty = contrasts[contrasts["contrast"] == "C vs A"]
    assert len(empty) == 1 and "no patient" in empty["note"].iloc[0]


def test_patients_without_a_stratum_are_shown_and_kept_out_of_the_pool():
    frame = pd.read_csv(ROOT / "data/cohort_synthetic.csv")
    frame["site"] = np.where(frame["ipi"] >= 3, "x", "y")
    whole = frame.iloc[:60]
    gaps = pd.concat([whole, frame.iloc[60:].assign(site=None)])
    columns = {"arm": "arm", "response": "response", "stratum": "site"}
    rates = stratified_response(gaps, **columns, denominator="all")
    assert list(rates["stratum"]) == ["x", "x", "y", "y", "missing", "missing"]
    assert rates["n"].sum() == len(gaps) and (rates["n"] > 0).all()
    pool, complete = (
        t[t["stratum"] == "pooled"].reset_index(drop=True)
        for t in (
            stratified_contrast(rates, reference="non-CAR-T"),
            stratified_contrast(
                stratified_response(whole, **columns, denominator="all"), reference="non-CAR-T"
            ),
        )
    )
    assert pool["note"].str.contains("left out: 33 without a stratum").all()
    numbers = [*INTERVAL, "p_value"]
    pd.testing.assert_frame_equal(pool[numbers], complete[numbers])


def test_tests_that_need_many_patients_say_so_where_few_are_expected():
    few, many = (
        rows_of(response_contrast(*k)).loc["test"] for k in ((2, 9, 3, 8), (15, 54, 3, 38))
    )
    for test in ("Pearson", "Yates", "likelihood ratio"):
        assert "below 5" in few.at[test, "note"] and many.at[test, "note"] == ""
    assert few.at["Fisher", "note"] == few.at["mid-P", "note"] == ""


@pytest.mark.parametrize("levels", [("x", "y"), (False, True), (0, 3)])
def test_strata_may_be_named_by_words_truth_or_numbers(levels):
    frame = pd.read_csv(ROOT / "data/cohort_synthetic.csv")
    frame["high"] = np.where(frame["ipi"] >= 3, levels[1], levels[0])
    frame["third"] = frame["arm"] == "CD20 CAR-T"
    rates = stratified_response(frame, arm="third", response="response", stratum="high")
    assert list(rates["stratum"]) == [levels[0], levels[0], levels[1], levels[1]]
    assert list(rates["responders"]) == [9, 14, 2, 11] and list(rates["n"]) == [28, 22, 10, 32]
    pool = stratified_contrast(rates, reference=False)
    # Mantel and Haenszel's ratio by hand: sum of a d / n over sum of b c / n.
    by_hand = (14 * 19 / 50 + 11 * 8 / 42) / (8 * 9 / 50 + 21 * 2 / 42)
    assert pool.iloc[2]["estimate"] == pytest.approx(by_hand, rel=1e-12)
    crude = response_table(frame, arm="third", response="response")
    assert len(response_contrasts(crude, reference=False)) == 11


def test_a_pool_with_empty_cells_or_one_stratum_says_so():
    nothing = pooled_rows(np.array([[0, 5, 0, 4], [2, 2, 0, 0]]), np.zeros(2, bool))
    assert all(np.isnan(row[5]) and "no stratum" in row[6] for row in nothing)
    infinite, test, homogeneity = pooled_rows(
        np.array([[3, 5, 0, 4], [2, 6, 0, 7]]), np.zeros(2, bool)
    )
    assert infinite[2] == np.inf and np.isnan(infinite[3]) and "0.5 is not added" in infinite[6]
    assert 0 < test[5] < 1 and np.isnan(homogeneity[5]) and homogeneity[6]
    single = pooled_rows(np.array([[3, 9, 2, 9], [0, 4, 0, 4]]), np.zeros(2, bool))
    assert "one stratum only" in single[2][6] and "strata left out: 1 with" in single[0][6]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: proportion_table([6], [5]), "x: found 6 of 5"),
        (lambda: proportion_table([1.5], [5]), "x: found 1.5 of 5"),
        (lambda: response_contrast(-1, 5, 1, 5), "x1: found -1 of 5"),
        (lambda: response_contrast(0, 0, 1, 5), "an arm has no patient"),
        (lambda: response_p("t", 1, 5, 1, 5), "test: found 't'"),
        (lambda: one_sided_bound(0, 5, side="left"), "side: found 'left'"),
        (
            lambda: response_table(FRAME.replace("CR", "complete"), arm="arm", response="best"),
            "best: found complete. To do: recode",
        ),
        (
            lambda: response_table(FRAME, arm="site", response="best"),
            "site: found 1 patients without one",
        ),
        (
            lambda: response_table(FRAME, arm="arm", response="best", responders="CR"),
            "responders: found 'CR'",
        ),
        (
            lambda: response_table(FRAME, arm="arm", response="best", denominator="treated"),
            "denominator: found 'treated'",
        ),
        (
            lambda: response_contrasts(
                response_table(FRAME, arm="arm", response="best"), reference="D"
            ),
            "reference: found 'D' and the arms A, B, C",
        ),
        (lambda: grade_table(pd.DataFrame({"g": [0, 7]}), grade="g"), "g: found 7. To do"),
    ],
)
def test_what_cannot_be_is_refused_with_what_was_found(call, said):
    with pytest.raises(ValueError) as error:
        call()
    assert said in str(error.value)


def test_one_denominator_serves_several_counts():
    pd.testing.assert_frame_equal(proportion_table([1, 2], 9), proportion_table([1, 2], [9, 9]))
