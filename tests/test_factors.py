"""A screen of factors: each model, the P values of all of them, and how far to believe them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.cohort import PAPER_COHORT, load_cohort
from helpers.estimators.factors import (
    SCREEN_COLUMNS,
    adjust_p,
    factor_screen,
    interaction_screen,
    shrunken,
)
from helpers.regression import cox_table

R = json.loads((Path(__file__).parent / "fixtures" / "models" / "screen.json").read_text())
COHORT = load_cohort(PAPER_COHORT)
FRAME = COHORT.frame.assign(
    ecog_high=COHORT.frame["ecog"] >= 3,
    ipi_high=(COHORT.frame["ipi"] >= 3).astype(float),
    outcome=COHORT.frame["response"].isin(["CR", "PR"]).astype(int),
)
OS = {"time": "os_time", "event": "os_event"}
ROW = ["estimate", "std_error", "p_value", "conf_low", "conf_high"]


def close(ours, r, tolerance=1e-6):
    ours, r = (np.asarray(x, dtype=float) for x in (ours, r))
    np.testing.assert_allclose(ours, r, rtol=tolerance, atol=1e-12)


def screen(factors=None, frame=FRAME, **options):
    options = options or OS
    options = {"floor": 0} | options  # what the arithmetic gives, of however few
    return factor_screen(frame, COHORT.codebook, factors=factors or R["factors"], **options)


@pytest.mark.parametrize(
    "kind, options", [("cox", OS), ("logistic", {"outcome": "outcome"}),
                      ("cox", OS | {"engine": "fast"})]
)  # fmt: skip
def test_every_factor_has_the_univariable_model_of_r(kind, options):
    table = screen(**options)
    assert list(table) == SCREEN_COLUMNS
    assert list(table["term"]) == list(R[kind])
    for column in ROW:
        close(table[column], [row[column] for row in R[kind].values()])
    assert (table["note"] == "").all()
    assert (table["n"] == 93).all()


def test_adjusted_p_values_are_those_of_r():
    table = adjust_p(screen())
    close(table["p_holm"], list(R["holm"].values()))
    close(table["p_bh"], list(R["bh"].values()))


def test_a_missing_p_value_is_no_test():
    p = [0.01, np.nan, 0.2, 0.03, np.nan]
    table = adjust_p(pd.DataFrame({"p_value": p}))
    close(table["p_holm"].dropna(), [0.03, 0.2, 0.06])
    assert list(table["p_bh"].isna()) == [False, True, False, False, True]
    nothing = adjust_p(pd.DataFrame({"p_value": [np.nan, np.nan]}))
    assert nothing["p_holm"].isna().all()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjusting_never_makes_a_p_value_smaller_or_changes_their_order(p):
    table = adjust_p(pd.DataFrame({"p_value": p}))
    order = np.argsort(table["p_value"].to_numpy(), kind="stable")
    for column in ("p_holm", "p_bh"):
        assert (table[column] >= table["p_value"] - 1e-15).all()
        assert (np.diff(table[column].to_numpy()[order]) >= -1e-15).all()
    assert (table["p_holm"] >= table["p_bh"] - 1e-15).all()


# -- what a screen withholds ----------------------------------------------------------------


def test_a_category_in_numbers_enters_as_groups_when_the_codebook_says_so():
    book = pd.DataFrame({"type": ["category"]}, index=["stage"])
    table = factor_screen(FRAME, book, factors=["stage"], **OS)
    assert list(table["term"]) == [f"stage: {k} vs 1" for k in (2, 3, 4)]
    assert (table["per"] == "level").all()
    number = screen(["stage"])
    assert list(number["term"]) == ["stage"] and list(number["per"]) == ["unit"]


def test_a_dichotomy_is_a_contrast_of_groups_and_its_true_may_be_one():
    table = screen(["ecog_high", "age"])
    assert list(table["per"]) == ["level", "unit"]
    numeric = screen(["ecog_high"], FRAME.assign(ecog_high=FRAME["ecog_high"].astype(float)))
    close(numeric.loc[0, ROW].astype(float), table.loc[0, ROW].astype(float))


def test_a_factor_known_after_the_clock_starts_is_withheld_until_a_landmark():
    table = screen(["crs_grade", "response", "age"])
    assert list(table["estimate"].isna()) == [True, True, False]
    assert table.at[0, "note"] == (
        "crs_grade: known only by day 30; set a landmark at or after that day"
    )
    assert "on no fixed day" in table.at[1, "note"]
    late = FRAME[FRAME["os_time"] > 30].assign(os_time=FRAME["os_time"] - 30)
    after = screen(["crs_grade"], late, **OS, landmark=30)
    assert np.isfinite(after.at[0, "estimate"]) and after.at[0, "note"] == ""


def test_what_cannot_be_estimated_is_a_row_with_a_note():
    frame = FRAME.assign(
        flat=1.0, empty=np.nan, rare=np.where(np.arange(93) < 3, "rare", "usual"),
        text="same", os_event=np.where(np.arange(93) < 3, 0, FRAME["os_event"]),
    )  # fmt: skip
    table = screen(["flat", "empty", "text", "rare", "age"], frame).set_index("factor")
    assert table.loc[["flat", "empty", "text"], ROW].isna().all(axis=None)
    assert "the same for every patient" in table.at["flat", "note"]
    assert "empty: missing for all" in table.at["empty", "note"]
    assert table.at["empty", "n"] == 0
    assert table.loc["rare", ROW].isna().all()
    assert table.at["rare", "note"] == "no event in that group, so the ratio is 0"
    assert np.isfinite(table.at["age", "estimate"])
    firth = screen(["rare"], frame, **OS, firth=True)
    assert np.isfinite(firth.loc[0, ROW].astype(float)).all()
    assert "Firth" in firth.at[0, "method"]


def test_a_separated_outcome_is_a_note_and_firth_answers_it():
    frame = FRAME.assign(mark=FRAME["outcome"].astype(float))
    table = screen(["mark"], frame, outcome="outcome")
    assert np.isnan(table.at[0, "estimate"]) and "separates" in table.at[0, "note"]
    firth = screen(["mark"], frame, outcome="outcome", firth=True)
    assert np.isfinite(firth.at[0, "conf_high"])


def test_an_empty_screen_has_its_columns():
    assert list(factor_screen(FRAME, COHORT.codebook, factors=[], **OS)) == SCREEN_COLUMNS


@pytest.mark.parametrize(
    "factors, options, said",
    [
        (["age"], {"time": "os_time"}, "outcome: found neither"),
        (["age"], OS | {"outcome": "outcome"}, "outcome: found neither"),
        (["os_time"], OS, "os_time: found type 'time'"),
        (["patient_id"], OS, "patient_id: found type 'id'"),
        (["shoe_size"], OS, "shoe_size: found no such column"),
    ],
)
def test_a_screen_that_makes_no_sense_is_refused(factors, options, said):
    with pytest.raises(ValueError, match=said):
        screen(factors, **options)


# -- interactions -----------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["lifelines", "fast"])
def test_ratios_of_ratios_equal_r(engine):
    factors = ["sex", "ecog_high", "age"]
    table = interaction_screen(
        FRAME, COHORT.codebook, **OS, arm="arm", factors=factors, reference="non-CAR-T",
        engine=engine,
    )  # fmt: skip
    assert list(table["factor"]) == factors
    r = R["interaction"]
    names = ["sex: M vs F", "ecog_high", "age"]
    assert list(table["term"]) == [f"arm: CD20 CAR-T vs non-CAR-T x {name}" for name in names]
    for column in ROW:
        close(table[column], [row[column] for row in r.values()])
    assert set(table["scale"]) == {"log ratio of hazard ratios"}


def test_the_ratio_of_ratios_is_that_of_two_separate_models_when_the_factor_is_alone():
    """With a binary factor the crossed model has no assumption left but one baseline hazard."""
    table = interaction_screen(
        FRAME, COHORT.codebook, **OS, arm="arm", factors=["ecog_high"], reference="non-CAR-T"
    )
    flipped = interaction_screen(
        FRAME.assign(ecog_high=~FRAME["ecog_high"]), COHORT.codebook, **OS, arm="arm",
        factors=["ecog_high"], reference="non-CAR-T",
    )  # fmt: skip
    close(flipped["estimate"], -table["estimate"])
    close(flipped["p_value"], table["p_value"])


def test_an_interaction_without_patients_in_a_cell_is_a_note():
    frame = FRAME.assign(only=((FRAME["arm"] == "CD20 CAR-T") & (FRAME["age"] > 60)).astype(float))
    table = interaction_screen(
        frame, COHORT.codebook, **OS, arm="arm", factors=["only", "arm", "crs_grade", "sex"]
    ).set_index("factor")
    assert table.at["only", "note"] == "no patient, or none with the event, is of both groups"
    assert np.isnan(table.at["only", "estimate"])
    assert table.at["arm", "note"] == "arm: is the arm itself"
    assert "landmark" in table.at["crs_grade", "note"]
    assert np.isfinite(table.at["sex", "estimate"])


# -- shrinkage ----------------------------------------------------------------------------------


def rows(estimate, error):
    return pd.DataFrame({"estimate": estimate, "std_error": error, "scale": "log hazard ratio"})


def test_shrinkage_follows_dersimonian_and_laird_by_hand_in_r():
    table = shrunken(screen())
    groups = table[table["per"] == "level"]
    close(groups["shrunken"], list(R["shrunken"].values()))
    close(groups["mean"], [R["mean"]] * len(groups))
    close(groups["tau2"], [R["tau2"]] * len(groups))
    age = table[table["factor"] == "age"].iloc[0]
    assert np.isnan(age["shrunken"]) and "per unit" in age["shrunken_note"]


def test_estimates_that_spread_no_more_than_chance_all_become_their_mean():
    table = shrunken(rows([0.10, 0.20, 0.15, 0.12], [0.3, 0.2, 0.4, 0.3]))
    assert (table["tau2"] == 0).all() and (table["weight"] == 0).all()
    weights = 1 / np.array([0.3, 0.2, 0.4, 0.3]) ** 2
    mean = np.average([0.10, 0.20, 0.15, 0.12], weights=weights)
    close(table["shrunken"], [mean] * 4)
    # What is left is the error of the mean, and of not knowing that there is no spread.
    assert (table["shrunken_error"] >= weights.sum() ** -0.5).all()


def test_estimates_that_spread_far_beyond_chance_stay_where_they_are():
    estimate = np.array([-5.0, 0, 5, 9])
    table = shrunken(rows(estimate, 0.1))
    assert (table["weight"] > 0.999).all()
    assert np.abs(table["shrunken"] - estimate).max() < 0.01


def test_truths_are_closer_to_the_shrunken_estimates_than_to_the_raw():
    """Simulated with a known spread: the mean squared error falls, and intervals cover."""
    rng = np.random.default_rng(12)
    raw, drawn, inside = [], [], []
    for _ in range(300):
        truth, error = rng.normal(0.2, 0.3, 12), rng.uniform(0.2, 0.6, 12)
        table = shrunken(rows(rng.normal(truth, error), error))
        raw.append(((table["estimate"] - truth) ** 2).mean())
        drawn.append(((table["shrunken"] - truth) ** 2).mean())
        inside.append(((table["shrunken_low"] < truth) & (truth < table["shrunken_high"])).mean())
    assert np.mean(drawn) < 0.6 * np.mean(raw)
    assert 0.85 < np.mean(inside) < 0.96


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    pairs=st.lists(st.tuples(st.floats(-3, 3), st.floats(0.05, 2)), min_size=4, max_size=12),
    shift=st.floats(-2, 2),
)
def test_shrinking_goes_towards_the_mean_and_moves_with_it(pairs, shift):
    estimate, error = map(np.array, zip(*pairs, strict=True))
    table, moved = shrunken(rows(estimate, error)), shrunken(rows(estimate + shift, error))
    distance = np.abs(estimate - table["mean"])
    assert (np.abs(table["shrunken"] - table["mean"]) <= distance + 1e-12).all()
    np.testing.assert_allclose(moved["shrunken"], table["shrunken"] + shift, atol=1e-6)
    np.testing.assert_allclose(moved["tau2"], table["tau2"], atol=1e-6)


def test_missing_and_single_estimates_are_not_shrunken_and_scales_are_not_mixed():
    table = shrunken(rows([0.5, np.nan], [0.2, np.nan]))
    assert table["shrunken"].isna().all()
    assert list(table["shrunken_note"]) == [
        "fewer than 4 estimates do not tell their spread", "no estimate"
    ]  # fmt: skip
    mixed = pd.concat([rows([0.1], 0.2), rows([0.2], 0.2).assign(scale="log odds ratio")])
    with pytest.raises(ValueError, match="scale: found log hazard ratio, log odds ratio"):
        shrunken(mixed)


def test_a_screened_factor_is_the_cox_table_of_it():
    table = screen(["ipi_high"])
    alone = cox_table(FRAME, **OS, covariates=["ipi_high"])
    close(table.loc[0, ROW].astype(float), alone.loc[0, ROW].astype(float))


def test_a_level_with_few_events_has_no_hazard_ratio_and_says_why():
    table = screen(**OS, floor=5).set_index("term")
    withheld = table["note"].str.startswith("withheld: events")
    assert withheld.sum() == 1 and table.loc[withheld, ROW].isna().all(axis=None)
    assert table.loc[~withheld, "estimate"].notna().all()
    assert screen(**OS, floor=5, firth=True)["estimate"].notna().all()
