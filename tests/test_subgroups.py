"""Subgroups of one variable: which are offered, what is said of each, and how far to believe it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohorts import german, make_cohort
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from helpers.analysis import analyse
from helpers.cohort import load_cohort
from helpers.estimators.caution import PRIOR_SD, detectable, looks, shrunk
from helpers.estimators.splits import CUTS, membership, splits
from helpers.estimators.subgroups import FOREST_COLUMNS, forest, sides
from helpers.fit.likelihood import NotEstimable
from helpers.view import View, ViewError, Where

FIXTURES = sorted((Path(__file__).parent / "fixtures" / "subgroups").glob("*.json"))
ENDPOINTS = {"german_rfs": "rfs", "synthetic_pfs": "pfs"}
COHORT = load_cohort()
CLOSE = {"rtol": 1e-6, "atol": 1e-12}


def from_fixture(path, folder):
    """A fixture of R, its cohort and its View; made through the loader where it is a bare table."""
    r = json.loads(path.read_text())
    view = View(endpoint=ENDPOINTS.get(path.stem, "os"))
    if path.stem.startswith("synthetic"):
        return r, COHORT, view
    if path.stem.startswith("german"):
        return r, german(), view
    data, text = r["data"], pd.read_csv(r["data"]["file"], dtype=str, keep_default_na=False)
    columns = {"arm": "arm", "time": "os_time", "event": "os_event"}
    columns = {ours: list(text[data[name]]) for name, ours in columns.items()}
    columns |= {name: list(text[name]) for name in data["factors"]}
    kinds = {name: {"label": name} for name in data["factors"]}
    for name in data["factors"]:
        numeric = not pd.to_numeric(text[name], errors="coerce").isna().all()
        kinds[name]["type"] = "number" if numeric else "category"
    mapping = f"reference_arm: '{data['arms'][1]}'\nfactors: {json.dumps(kinds)}"
    return r, make_cohort(folder, columns, mapping), view


def rows_of(r, cohort, view):
    """The forest of everything on offer and off it, by R's names of the splits."""
    table = splits(cohort, minimum=1, most_levels=8, cuts={k: v for k, v in CUTS.items()
                   if k in ("ecog", "ipi", "stage", "extranodal_sites")})  # fmt: skip
    made = forest(cohort, view, table=table, floor=0)
    made.index = made["column"] + " " + made["level"]
    return made.loc[list(r["splits"])]


# -- the numbers ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_ratios_and_interactions_of_every_subgroup_are_those_of_r(path, tmp_path):
    r, cohort, view = from_fixture(path, tmp_path)
    made = rows_of(r, cohort, view)
    shown = 0
    for (_, ours), theirs in zip(made.iterrows(), r["splits"].values(), strict=True):
        for count in ("n", "n_compared", "n_reference", "events_compared", "events_reference"):
            assert ours[count] == theirs[count]
        for kind, names in (
            ("ratio", ["estimate", "std_error", "statistic", "p_value"]),
            ("interaction", ["interaction", "interaction_error", "interaction_statistic",
                             "interaction_p"]),
        ):  # fmt: skip
            if theirs[kind] is None:
                assert ours[names].isna().all()
                assert ours["note"]
            else:
                np.testing.assert_allclose(
                    ours[names].to_numpy(float), list(theirs[kind].values()), **CLOSE
                )
                shown += 1
    assert shown or path.stem == "no_event_arm"


@pytest.mark.parametrize(
    "cohort, view",
    [(COHORT, View()), (COHORT, View(endpoint="pfs", landmark=30.0)), (german(), View())],
    ids=["os", "pfs after a landmark", "german"],
)
def test_every_row_is_what_analyse_answers_to_its_condition(cohort, view):
    made = forest(cohort, view)
    assert list(made) == FOREST_COLUMNS
    offered = made[made["split"].notna()]
    assert len(offered) > 10
    for row in offered.to_dict("records"):
        answer = analyse(cohort, replace(view, where=(Where.read(row["where"]),)), engine="fast")
        assert row["n"] == answer.counts["patients"].sum()
        assert row["n_event"] == answer.counts["events"].sum()
        if row["estimate"] == row["estimate"]:
            model = answer.model.iloc[0]
            names = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
            assert [row[n] for n in names] == [model[n] for n in names]
            assert (row["scale"], row["method"]) == (model["scale"], model["method"])
        else:
            assert "hazard ratio withheld" in row["note"]
        if row["interaction"] == row["interaction"]:
            found = answer.interaction.iloc[0]
            assert row["interaction"] == found["estimate"]
            assert row["interaction_error"] == found["std_error"]
            assert row["interaction_p"] == found["p_value"]
        else:
            assert "interaction withheld" in row["note"]


def test_the_named_engine_gives_the_same_forest():
    table = splits(COHORT).query("column in ['age', 'histology']")
    fast, named = (forest(COHORT, View(), table=table, engine=e) for e in ("fast", "lifelines"))
    columns = ["estimate", "std_error", "interaction", "interaction_error"]
    np.testing.assert_allclose(fast[columns], named[columns], rtol=1e-8)


def test_a_comparison_of_a_cut_has_its_subgroups_too():
    made = forest(COHORT, View(compare="ecog >= 3"))
    assert "ecog" not in set(made["column"])
    assert set(made["contrast"]) == {"ecog >= 3 vs ecog < 3"}
    row = made.dropna(subset="interaction").iloc[0]
    answer = analyse(COHORT, View(compare="ecog >= 3", where=(Where.read(row["where"]),)))
    np.testing.assert_allclose(row["interaction"], answer.interaction["estimate"].iloc[0])


# -- which splits ---------------------------------------------------------------------------


def test_only_what_is_known_at_time_zero_makes_a_subgroup():
    columns = set(splits(COHORT)["column"])
    late = {"response", "crs_grade", "icans_grade", "ae_recovered", "pfs_censor_reason"}
    assert late <= set(COHORT.factors)
    assert not columns & (late | {"arm"})
    book = COHORT.codebook.copy()
    book.loc["age", "known_at"] = 30.0
    assert "age" not in set(splits(replace(COHORT, codebook=book))["column"])


def test_a_column_that_defines_the_arm_is_listed_but_not_offered():
    table = splits(COHORT).query("column == 'salvage'")
    assert table["split"].isna().all()
    assert table["note"].str.contains("alone, so nothing is compared there").all()
    made = forest(COHORT, View()).query("column == 'salvage'")
    assert made[["estimate", "interaction"]].isna().all(axis=None)


def test_both_sides_of_a_split_share_its_number_and_three_levels_are_three_splits():
    table = splits(COHORT).set_index(["column", "level"])["split"]
    assert table["sex", "F"] == table["sex", "M"]
    assert table["ecog", ">= 2"] == table["ecog", "< 2"] != table["ecog", ">= 3"]
    assert table["histology"].dropna().is_unique
    numbers = sorted(set(table.dropna()))
    assert numbers == list(range(len(numbers)))


def test_two_columns_that_split_the_patients_alike_are_one_split(tmp_path):
    side = ["a", "b", "b"] * 20
    columns = {"os_time": range(1, 61), "os_event": [1] * 60, "x": side,
               "y": ["low" if s == "b" else "high" for s in side],
               "arm": ["new"] * 30 + ["old"] * 30}  # fmt: skip
    mapping = "reference_arm: old\nfactors: {x: {label: X}, y: {label: Y}}"
    table = splits(make_cohort(tmp_path, columns, mapping))
    assert len(table) == 4
    assert set(table["split"]) == {0}


def test_sides_are_counted_on_either_side_of_the_stated_cut():
    table = splits(COHORT).set_index(["column", "level"])
    age = COHORT.frame["age"]
    at = age.median()
    assert table.at[("age", f">= {at:g} (median)"), "n"] == (age >= at).sum()
    assert table.at[("age", f"< {at:g} (median)"), "n"] == (age < at).sum()
    ldh = COHORT.frame["ldh_ratio"]
    assert (ldh == 1).any() or (ldh > 1).any()
    assert table.at[("ldh_ratio", "> 1"), "n"] == (ldh > 1).sum()
    assert table.at[("ldh_ratio", "<= 1"), "n"] == (ldh <= 1).sum()
    members = membership(COHORT, table.reset_index())
    counts = [np.nansum(members, axis=0), (members == 0).sum(axis=0)]
    np.testing.assert_array_equal(counts, [table["n"], table["n_outside"]])


def test_a_median_that_is_the_lowest_value_still_has_two_sides(tmp_path):
    values = [0] * 40 + list(range(1, 21))
    columns = {"os_time": range(1, 61), "os_event": [1] * 60, "x": values}
    mapping = "reference_arm: old\nfactors: {x: {label: X, type: number}}"
    table = splits(make_cohort(tmp_path, columns, mapping))
    assert list(table["level"]) == ["> 0 (median)", "<= 0 (median)"]
    assert list(table["n"]) == [20, 40]


def test_what_cannot_split_says_why(tmp_path):
    columns = {"os_time": range(1, 61), "os_event": [1] * 60, "same": ["x"] * 60,
               "many": [f"v{i % 12}" for i in range(60)], "few": ["a"] * 53 + ["b"] * 7,
               "gaps": [""] * 30 + ["a", "b"] * 15,
               "arm": (["new", "new", "old", "old"] * 15)}  # fmt: skip
    names = ("same", "many", "few", "gaps")
    mapping = "reference_arm: old\nfactors:\n" + "".join(f"  {n}: {{label: {n}}}\n" for n in names)
    cohort = make_cohort(tmp_path, columns, mapping)
    table = splits(cohort).set_index("column")
    assert table.at["same", "note"] == "the same for every patient"
    assert table.at["many", "note"].startswith("12 levels, too many")
    assert set(table.loc["few", "note"]) == {
        "7 patients outside, fewer than 10", "7 patients inside, fewer than 10"
    }  # fmt: skip
    assert set(table.loc["gaps", "n_missing"]) == {30}
    made = forest(cohort, View()).set_index("column")
    assert (made.loc["same"] == table.at["same", "note"]).any()
    assert made.loc["few", "interaction"].isna().all()
    gaps = made.loc["gaps"].iloc[0]
    answer = analyse(cohort, View(where=(Where.read(gaps["where"]),)), engine="fast")
    assert gaps["interaction"] == answer.interaction["estimate"].iloc[0]


def test_a_cohort_without_baseline_columns_has_an_empty_forest(tmp_path):
    cohort = make_cohort(tmp_path, {"os_time": [1, 2, 3, 4], "os_event": [1, 1, 1, 0]})
    assert splits(cohort).empty
    made = forest(cohort, View())
    assert made.empty and list(made) == FOREST_COLUMNS


def test_what_cannot_be_compared_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(ViewError, match="nothing_here"):
        forest(COHORT, View(compare="nothing_here"))
    with pytest.raises(NotEstimable, match="no fixed day"):
        forest(COHORT, View(compare="ae_recovered"))
    longest = COHORT.frame.groupby("arm")["os_time"].max()
    with pytest.raises(NotEstimable, match=f"groups with patients: {longest.idxmax()}; "):
        forest(COHORT, View(landmark=float(longest.min())))
    with pytest.raises(NotEstimable, match="groups with patients: none; "):
        forest(COHORT, View(landmark=float(longest.max())))
    with pytest.raises(NotEstimable, match="grade: groups with patients: 2, 3, 1; "):
        forest(german(), View(compare="grade"))
    with pytest.raises(ValueError, match="cuts"):
        splits(COHORT, cuts={"age": ("= 60",)})


def test_below_five_events_in_an_arm_the_ratio_is_withheld_and_the_reason_counts_them():
    made = forest(COHORT, View())
    few = made[["events_compared", "events_reference"]].min(axis=1) < 5
    assert few.any() and not few.all()
    assert made.loc[few, "estimate"].isna().all()
    assert made.loc[few, "note"].str.contains("fewer than 5|no patient in").all()
    assert made.loc[~few, "estimate"].notna().all()
    row = made.query("column == 'ecog' and level == '>= 3'").iloc[0]
    assert row["events_reference"] == 4
    assert "events 4 in non-CAR-T, fewer than 5" in row["note"]


def test_the_two_sides_of_a_view_are_those_of_the_forest():
    made = forest(COHORT, View()).query("column == 'stage'")
    both = sides(COHORT, View(where=(Where.read(made.iloc[0]["where"]),))).set_index("side")
    for column in ("n", "events_reference", "estimate", "std_error", "detectable", "method"):
        assert both.at["inside", column] == made.iloc[0][column]
        assert both.at["outside", column] == made.iloc[1][column]
    everybody = sides(COHORT, View()).set_index("side")
    assert everybody.at["outside", "n"] == 0
    assert "no patient in CD20 CAR-T and non-CAR-T" in everybody.at["outside", "note"]


# -- what could have been seen --------------------------------------------------------------


def test_the_detectable_ratio_is_schoenfelds():
    for events, share in ((62, 54 / 93), (20, 0.5), (171, 0.36)):
        printed = np.exp(-2.80 / np.sqrt(events * share * (1 - share)))
        np.testing.assert_allclose(detectable(events, share), printed, rtol=3e-3)
        z = np.log(detectable(events, share)) * np.sqrt(events * share * (1 - share))
        np.testing.assert_allclose(z, -2.801585218, rtol=1e-9)
    made = forest(COHORT, View()).query("column == 'sex'").iloc[0]
    share = made["n_compared"] / made["n"]
    assert made["detectable"] == detectable(made["n_event"], share)


def test_an_interaction_takes_four_times_the_events():
    np.testing.assert_allclose(detectable(400, 0.4, inside=0.5), detectable(100, 0.4))
    assert detectable(400, 0.4, inside=0.1) < detectable(400, 0.4, inside=0.5)


def test_the_detectable_ratio_has_the_power_it_says():
    rng, found = np.random.default_rng(4), []
    ratio = detectable(200, 0.5)
    from helpers.fit import kernel

    for _ in range(600):
        arm = np.repeat([0, 1], 100)
        time = rng.exponential(1 / np.where(arm == 1, ratio, 1.0))
        beta, error, _ = kernel.cox(time, np.ones(200), arm)
        found.append(abs(beta[0] / error[0]) > norm.isf(0.025))
    assert abs(np.mean(found) - 0.8) < 0.05  # three Monte Carlo errors


def test_nothing_is_detectable_without_events_and_nonsense_is_refused():
    assert detectable(0, 0.5) == 0.0
    for bad in ({"share": 0.0}, {"share": 1.0}, {"share": np.nan}, {"events": -1},
                {"power": 1.0}, {"level": 0.0}, {"inside": 0.0}):  # fmt: skip
        with pytest.raises(ValueError, match=r"found .*\. To do: "):
            detectable(**({"events": 50, "share": 0.5} | bad))


@given(events=st.integers(1, 5000), share=st.floats(0.01, 0.99), power=st.floats(0.1, 0.95))
def test_more_events_detect_a_ratio_nearer_one(events, share, power):
    one, more = (detectable(d, share, power=power) for d in (events, 2 * events))
    assert 0 <= one < more < 1


# -- how far to believe ---------------------------------------------------------------------


def posterior(inside, e_inside, outside, e_outside, prior_sd):
    """Mean and sd of the inside log ratio, from the density of (b, d) on a fine grid."""
    b = outside + 10 * e_outside * np.linspace(-1, 1, 1501)[:, None]
    d = 10 * prior_sd * np.linspace(-1, 1, 1501)[None, :]
    density = (
        norm.pdf(inside, b + d, e_inside) * norm.pdf(outside, b, e_outside)
        * norm.pdf(d, 0, prior_sd)
    )  # fmt: skip
    density /= density.sum()
    mean = ((b + d) * density).sum()
    return mean, np.sqrt(((b + d - mean) ** 2 * density).sum())


@pytest.mark.parametrize(
    "numbers", [(-1.2, 0.5, -0.2, 0.3, 0.35), (0.4, 0.9, -0.9, 0.25, 0.2), (0.1, 0.2, 0.0, 1.1, 1)]
)
def test_shrinking_is_the_posterior_of_the_stated_model(numbers):
    table = shrunk(*numbers).set_index("term")
    mean, sd = posterior(*numbers)
    np.testing.assert_allclose(table.at["inside", "shrunk"], mean, rtol=1e-6)
    np.testing.assert_allclose(table.at["inside", "shrunk_error"], sd, rtol=1e-6)
    inside, e_inside, outside, e_outside, prior_sd = numbers
    # The other side is the same model with the sign of the difference turned.
    mean, sd = posterior(outside, e_outside, inside, e_inside, prior_sd)
    np.testing.assert_allclose(table.at["outside", "shrunk"], mean, rtol=1e-6)
    np.testing.assert_allclose(table.at["outside", "shrunk_error"], sd, rtol=1e-6)


logs = st.floats(-3, 3)
errors = st.floats(0.05, 3)


@given(inside=logs, e_inside=errors, outside=logs, e_outside=errors, prior_sd=st.floats(0.01, 5))
def test_shrinking_moves_each_side_towards_the_other_and_narrows_it(
    inside, e_inside, outside, e_outside, prior_sd
):
    table = shrunk(inside, e_inside, outside, e_outside, prior_sd).set_index("term")
    low, high = sorted((inside, outside))
    value = table["shrunk"]
    assert low - 1e-9 <= value["inside"] <= high + 1e-9
    assert (table["shrunk_error"] <= table["std_error"] + 1e-12).all()
    np.testing.assert_allclose(value["inside"] - value["outside"], value["difference"], atol=1e-9)
    assert abs(value["difference"]) <= abs(inside - outside) + 1e-9


def test_no_prior_pools_the_sides_and_a_flat_one_leaves_them():
    pooled = shrunk(-1.0, 0.5, 0.0, 0.25, 0.0).set_index("term")
    np.testing.assert_allclose(pooled.loc[["inside", "outside"], "shrunk"], -0.2)
    assert pooled.at["difference", "shrunk"] == 0
    flat = shrunk(-1.0, 0.5, 0.0, 0.25, np.inf)
    np.testing.assert_allclose(flat["shrunk"], flat["estimate"])
    np.testing.assert_allclose(flat["shrunk_error"], flat["std_error"])


def test_the_prior_calls_a_ratio_of_two_rare_and_is_printed():
    assert abs(2 * norm.sf(np.log(2) / PRIOR_SD) - 0.05) < 0.003
    assert set(shrunk(-1, 0.5, 0, 0.3)["prior_sd"]) == {PRIOR_SD}


def test_what_has_no_estimate_is_not_shrunk_and_says_so():
    table = shrunk(np.nan, np.nan, -0.3, 0.2)
    assert table["shrunk"].isna().all()
    assert set(table["note"]) == {"no estimate on one side, so nothing is shrunk"}
    for bad in ((-1, 0.5, 0, 0.3, -0.1), (-1, 0.5, 0, 0.3, np.nan), (-1, 0.0, 0, 0.3)):
        with pytest.raises(ValueError, match="To do"):
            shrunk(*bad)


# -- how often one looked -------------------------------------------------------------------


@settings(max_examples=50)
@given(p=st.floats(0, 1), n=st.integers(1, 10_000))
def test_a_look_more_never_makes_a_p_value_smaller(p, n):
    now, next_one = looks(p, n).iloc[0], looks(p, n + 1).iloc[0]
    assert p <= now["adjusted"] <= next_one["adjusted"] <= 1
    assert now["false_alarms"] == pytest.approx(0.05 * n)


def test_looks_refuse_what_is_no_count_and_no_p_value():
    for bad in ((0.5, 0), (0.5, 1.5), (1.5, 3), (-0.1, 3)):
        with pytest.raises(ValueError, match="To do"):
            looks(*bad)
    nothing = looks(np.nan, 4).iloc[0]
    assert np.isnan(nothing["adjusted"]) and nothing["note"]
