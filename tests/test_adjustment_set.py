"""Nobody's model is chosen by the place of a column in a file."""

import random

import numpy as np
import pandas as pd
import pytest
from cohorts import german, make_cohort

from helpers.cohort import load_cohort
from helpers.pages import bias_choice, bias_unseen, covariates, robust_choices, robust_missing
from helpers.pages import cox_page as page
from helpers.pages.robust_fragile import indices, left_out
from helpers.pages.survival_page import stratum
from helpers.regression import cox_table
from helpers.survival import logrank_test
from helpers.view import View, default_view

PAPER, GERMAN = load_cohort(), german()


FACTORS = {"years": "{label: Years, unit: years}", "fitness": "{label: Fitness, unit: grade}",
           "sites": "{label: Sites}", "town": "{label: Town}", "dose": "{label: Dose, unit: mg}",
           "score": "{label: Score}", "same": "{label: Same}"}  # fmt: skip


def columns_of_a_cohort(n=60):
    """An unbalanced number, a prognostic one, others, one with gaps (score) and one constant."""
    rng = np.random.default_rng(11)
    arm = np.array(["new", "old"] * (n // 2))
    fitness = rng.integers(0, 5, n)
    return {
        "os_time": np.ceil(rng.exponential(400 / np.exp(0.6 * fitness))).astype(int),
        "os_event": (rng.random(n) < 0.8).astype(int), "arm": arm, "fitness": fitness,
        "years": rng.integers(40, 60, n) + 12 * (arm == "new"),
        "sites": rng.integers(0, 4, n), "town": rng.choice(["north", "south"], n),
        "dose": rng.normal(50, 9, n).round(1), "score": ["" if k % 9 == 0 else k for k in range(n)],
        "same": [2] * n,
    }  # fmt: skip


def permuted(folder, seed):
    """The same cohort from a file, and a mapping, with their columns in another order."""
    columns, factors = list(columns_of_a_cohort().items()), list(FACTORS.items())
    for order in (columns, factors):
        random.Random(seed).shuffle(order)
    folder = folder / str(seed)
    folder.mkdir()
    mapping = "reference_arm: old\nfactors:\n"
    mapping += "".join(f"  {name}: {about}\n" for name, about in factors)
    return make_cohort(folder, dict(columns), mapping)


def numbers_of(cohort):
    """All that pages 04, 09 and 11 print about a cohort whose View names no covariates."""
    view = default_view(cohort, "", horizon=365)
    asked = page.answers(cohort, page.with_adjustment(cohort, view))
    own = bias_choice.own(cohort, view)
    table, ways = robust_choices.many_analyses(cohort, view)
    return {
        "words": page.read_adjustment(view, asked), "journal": page.journal(asked),
        "ratios": page.ways(asked), "influence": page.influence(asked[0]),
        "stratum": stratum(asked[0]), "explained": bias_unseen.asked(cohort, asked),
        "weighed": bias_choice.own_text(own), "read": bias_choice.read_own(own),
        "left out": left_out(asked[0]), "indices": indices(asked),
        "gaps": robust_missing.own_text(asked[0], seed=1, imputations=2),
        "multiverse": table, "asked": [way.text() for way in ways],
    }  # fmt: skip


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return numbers_of(permuted(tmp_path_factory.mktemp("cohort"), 0))


@pytest.mark.parametrize("seed", [1, 2])
def test_another_order_of_the_columns_changes_no_number_of_the_pages(tmp_path, first, seed):
    other = numbers_of(permuted(tmp_path, seed))
    for name, table in first.items():
        if isinstance(table, pd.DataFrame):
            pd.testing.assert_frame_equal(table, other[name], obj=name)
        else:
            assert table == other[name], name


def test_without_a_choice_there_is_the_unadjusted_ratio_alone(tmp_path, first):
    cohort = permuted(tmp_path, 0)
    assert not first["ratios"]["label"].str.startswith("Adjusted").any()
    assert "chooses none" in first["read"] and stratum(page.answers(cohort, View())[0]) is None
    named = page.answers(cohort, View(horizon=365, adjust=("fitness",)))
    assert page.ways(named)["label"].str.startswith("Adjusted").any(), "a reader's choice is heeded"


def test_columns_that_look_unbalanced_or_prognostic_are_named_with_their_numbers():
    answer = page.answers(GERMAN, View(horizon=365))[0]
    whole, rest = covariates.at_start(GERMAN, answer.view)
    assert whole == sorted(whole) and len(whole) == 7 and not rest
    table = covariates.looks(answer, whole).set_index("column")
    # By hand: difference in means over the root of the mean variance; log-rank; one-column model.
    ages = [part["age"] for _, part in GERMAN.frame.groupby("arm", observed=True)]
    by_hand = abs(ages[0].mean() - ages[1].mean()) / np.sqrt((ages[0].var() + ages[1].var()) / 2)
    assert table.at["age", "smd"] == pytest.approx(by_hand)
    keys = {"time": "os_time", "event": "os_event"}
    nodes = cox_table(GERMAN.frame, **keys, covariates=["nodes"]).iloc[0]
    assert table.at["nodes", "p_value"] == pytest.approx(nodes["p_value"])
    grade = logrank_test(GERMAN.frame, **keys, group="grade")["p_value"].iloc[0]
    assert table.at["grade", "p_value"] == pytest.approx(grade)
    text = page.read_adjustment(View(), [answer])
    assert f"age {by_hand:.2f}" in text and "positive lymph nodes (HR 1.07 (1.05 to 1.09)" in text
    unlike, bearing = int((table["smd"] > 0.1).sum()), int((table["p_value"] < 0.05).sum())
    assert f"Of 7 columns known at the start for every patient, {unlike} differ" in text
    assert f"{bearing} of 7 go with overall survival" in text


def test_columns_with_gaps_or_one_value_are_not_offered_and_the_former_named(tmp_path):
    cohort = permuted(tmp_path, 0)
    whole, rest = covariates.at_start(cohort, View())
    assert whole == ["dose", "fitness", "sites", "town", "years"], "same is the same for all"
    assert rest == ["score"]
    text = covariates.read_looks(page.answers(cohort, View())[0])
    assert "Not looked at, since values are missing or levels many: score." in text
    unlike, _, bearing = text.partition("by itself")
    assert "Years" in unlike and "Years" not in bearing
    assert "Fitness (HR" in bearing


def test_the_paper_keeps_its_stated_assumption_also_in_the_multiverse():
    assert page.with_adjustment(PAPER, View()).adjust == ("ecog >= 3", "ipi >= 3")
    sets = {way.adjust for way in robust_choices.offered(PAPER)}
    both = ("ecog >= 3", "ipi >= 3")
    assert sets == {(), both[:1], both[1:], both}


def test_sets_of_covariates_are_all_of_a_few_and_of_many_each_all_but_one_and_all():
    four, five = robust_choices.sets_of("abcd"), robust_choices.sets_of("abcde")
    assert len(set(four)) == 16 and len(set(five)) == 12
    assert five == robust_choices.sets_of("ecdab")
    assert tuple("abcde") in five and tuple("abde") in five and ("a", "b") not in five
    assert ("ecog", "ecog >= 3") not in robust_choices.sets_of(["ecog", "ecog >= 3"])
