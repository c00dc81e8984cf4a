"""The seed chooses a fellow's cohort in one place, and the right answers follow that cohort."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cohorts import german, make_cohort

from helpers.analysis import analyse
from helpers.cohort import PAPER_COHORT, ROOT, SECOND_COHORT, load_cohort
from helpers.pages import exercises
from helpers.pages.exercises import SEED, calibrated, cohort_for, read_cohort
from helpers.view import View

PAPER = load_cohort()
VIEW = View(horizon=365)
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[01]*.ipynb"))
ASK_A_COHORT = ("00", "01", "02", "03", "06", "10")


def cells(path):
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        yield cell["cell_type"], "".join(cell["source"]), {*cell["metadata"].get("tags", [])}


def source(path):
    return "\n".join(text for kind, text, _ in cells(path) if kind == "code")


def answers(cohort):
    """Every right answer about a cohort."""
    asked = analyse(cohort, VIEW)
    return [
        exercises.at_risk(asked), exercises.swapped(asked), exercises.at_horizon(cohort, VIEW),
        exercises.smd_ecog(cohort), exercises.three_rates(cohort),
        exercises.early_harm(cohort, VIEW),
    ]  # fmt: skip


# Whose cohort


def test_the_seed_of_the_pages_gives_the_cohort_of_the_pages():
    assert calibrated()[0] == PAPER_COHORT and cohort_for(PAPER, SEED) is PAPER
    for path in NOTEBOOKS:
        assert re.search(r"^SEED = (\d+)", source(path), re.M)[1] == str(SEED), path.name


def test_two_seeds_give_different_patients_and_different_answers():
    first, second = cohort_for(PAPER, SEED), cohort_for(PAPER, SEED + 1)
    assert not first.frame.equals(second.frame) and second.is_paper
    for one, other in zip(answers(first), answers(second), strict=True):
        assert one != other


def test_seeds_that_follow_each_other_go_round_all_cohorts():
    n = len(calibrated())
    assert sorted(exercises.chosen(seed) for seed in range(n)) == list(range(n))
    seen = [cohort_for(PAPER, SEED + k).frame for k in (0, 1, 2, n // 2, n - 1)]
    for at, frame in enumerate(seen):
        assert not any(frame.equals(other) for other in seen[at + 1 :])
    assert cohort_for(PAPER, SEED + n) is PAPER


def test_a_member_of_the_set_is_a_cohort_of_the_paper_with_rows_of_its_own():
    member = cohort_for(PAPER, SEED + 2)
    assert calibrated()[2] == 0 and member.is_paper and member.status == "synthetic"
    assert member.mark == PAPER.mark and member.arms == PAPER.arms
    assert list(member.frame) == list(PAPER.frame) and len(member.frame) == 93


def test_without_the_set_the_two_shipped_cohorts_remain(monkeypatch):
    monkeypatch.setattr(exercises.pinned, "is_there", lambda: False)
    assert calibrated() == (PAPER_COHORT, SECOND_COHORT)


def test_another_calibrated_cohort_is_found_once_it_is_listed(monkeypatch):
    three = (*calibrated()[:2], calibrated()[1])
    monkeypatch.setattr(exercises, "calibrated", lambda: three)
    assert "number 3 of 3" in read_cohort(PAPER, SEED + 2)
    assert not cohort_for(PAPER, SEED + 2).frame.equals(PAPER.frame)
    assert cohort_for(PAPER, SEED + 3) is PAPER


def test_a_readers_own_cohort_is_asked_whatever_the_seed():
    own = german()
    for seed in (SEED, 1, 2):
        assert cohort_for(own, seed) is own
        said = read_cohort(own, seed)
        assert own.name in said and "SEED" not in said and "print" not in said


def test_the_page_says_which_cohort_a_fellow_got():
    first, other = read_cohort(PAPER, SEED), read_cohort(PAPER, SEED + 1)
    n = len(calibrated())
    assert f"the cohort of this page, one of {n}" in first and "number" not in first.split(",")[0]
    assert f"number 2 of {n}" in other and "not the one of the figures" in other
    second = cohort_for(PAPER, SEED + 1)
    for seed in (SEED, SEED + 1):
        assert "the cohort of this page" in read_cohort(second, seed)
    for path in NOTEBOOKS:
        calls = [source(path).count(f"h.exercises.{name}(cohort, SEED)") for name in
                 ("cohort_for", "read_cohort")]  # fmt: skip
        assert calls == [int(path.name[:2] in ASK_A_COHORT)] * 2, path.name


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_an_exercise_asks_the_fellows_cohort_and_not_that_of_the_page(path):
    for _, text, tags in cells(path):
        if {"exercise", "solution"} & tags:
            assert not re.search(r"(?<!my_answer\.)\bcohort\.frame", text), text


# The right answers, on patients who can be counted by hand

HAND = {
    "arm": ["new"] * 4 + ["old"] * 4,
    "os_time": [100, 200, 300, 400, 50, 365, 500, 600],
    "os_event": [1, 1, 0, 0, 1, 0, 0, 1],
    "response": ["CR", "PR", "SD", "NE", "CR", "NE", "PD", "NE"],
    "ecog": [0, 1, 1, 2, 1, 2, 2, 3],
    "crs_grade": [3, 4, 0, 0, 0, 0, 0, 0],
    "icans_grade": [0, 3, 3, 0, 0, 0, 0, 0],
}


@pytest.fixture
def hand(tmp_path):
    return make_cohort(tmp_path, HAND)


def test_states_at_the_horizon_and_those_at_risk_by_hand(hand):
    assert exercises.at_horizon(hand, View(horizon=365)) == (2, 1, 1)
    assert exercises.at_horizon(hand, View(horizon=300)) == (2, 0, 2)
    assert exercises.at_risk(analyse(hand, View(horizon=365))) == 1


def test_the_three_denominators_by_hand(hand):
    assert exercises.three_rates(hand) == (1 / 4, 1 / 2, 3 / 4)


def test_two_counts_bound_either_toxicity_by_hand(hand):
    assert exercises.either_toxicity(hand) == (2, 4, 3)


def test_early_harm_by_hand(hand):
    first, second, safer = exercises.early_harm(hand, VIEW)
    month = 365 / 12
    assert (first, second) == pytest.approx((10 / (250 / month), 10 / (378.75 / month)))
    assert safer == "old"


def test_for_two_levels_the_two_differences_are_one_up_to_the_variance(tmp_path):
    """Both measure one share then; one divides by n in the variance, the other by n - 1."""
    two = make_cohort(tmp_path, HAND | {"ecog": [0, 1, 1, 1, 0, 0, 0, 1]})
    as_number, as_categories = exercises.smd_ecog(two)
    assert as_categories == pytest.approx(0.5 / np.sqrt(0.75 * 0.25))
    assert as_number == pytest.approx(as_categories * np.sqrt(3 / 4))


def test_swapping_the_groups_gives_what_asking_the_other_way_gives():
    answer = analyse(PAPER, VIEW)
    other = analyse(PAPER, replace(VIEW, reference=answer.groups[0])).model.iloc[0]
    asked = np.exp(other[["estimate", "conf_low", "conf_high"]].astype(float))
    assert exercises.swapped(answer) == pytest.approx(tuple(asked))


def test_what_cannot_be_said_of_a_cohort_is_no_number(tmp_path):
    nobody = make_cohort(tmp_path, {"os_time": [5, 6, 7, 8], "os_event": [0, 0, 0, 0]})
    assert np.isnan(exercises.swapped(analyse(nobody, VIEW))).all()
    alone = pd.DataFrame([{"endpoint": "os", "name": "log-rank", "p_value": np.nan}])
    assert np.isnan(exercises.maxcombo(alone)).all()
