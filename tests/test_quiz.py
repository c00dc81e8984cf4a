"""Quizzes and checked exercises: the bank is whole, and a reply fits its answer."""

import ast
import json
import re
from collections import Counter
from functools import cache

import nbformat
import numpy as np
import pandas as pd
import pytest
import yaml
from cohorts import EXAMPLE, german

from helpers.cohort import ROOT, load_cohort
from helpers.pages.quiz import BANK, check, judge, questions, quiz
from helpers.workshop.series import run_series, series

PAPER = load_cohort()
SIMULATED = ("05", "08")  # their exercises draw random numbers
NOTEBOOKS = {path.name[:2]: path for path in series(ROOT / "notebooks") if path.name < "90"}
QUESTIONS = yaml.safe_load(BANK.read_text(encoding="utf-8"))["questions"]
EXERCISES = yaml.safe_load(BANK.read_text(encoding="utf-8"))["exercises"]
each_question = pytest.mark.parametrize("one", QUESTIONS, ids=[one["id"] for one in QUESTIONS])
PARTS = [(name, part) for name, parts in EXERCISES.items() for part in parts]


@cache
def cells(number):
    return json.loads(NOTEBOOKS[number].read_text(encoding="utf-8"))["cells"]


def source(number, kind):
    return "\n".join("".join(c["source"]) for c in cells(number) if c["cell_type"] == kind)


def test_each_notebook_has_three_questions_or_more_and_each_question_its_own_id():
    counts = Counter(one["notebook"] for one in QUESTIONS)
    assert set(counts) == set(NOTEBOOKS) and min(counts.values()) >= 3
    assert len({one["id"] for one in QUESTIONS}) == len(QUESTIONS)
    assert len({one["prompt"] for one in QUESTIONS}) == len(QUESTIONS)


@each_question
def test_a_question_has_one_right_option_and_feedback_of_its_own_for_every_option(one):
    assert set(one) <= {"id", "notebook", "heading", "prompt", "options", "paper_only"}
    options = one["options"]
    assert 3 <= len(options) <= 4
    assert [option.get("right") for option in options].count(True) == 1
    for option in options:
        assert set(option) <= {"text", "feedback", "right"}
        assert len(option["text"].split()) >= 2 and len(option["feedback"].split()) >= 5
    assert len({option["feedback"] for option in options}) == len(options)
    assert len({option["text"] for option in options}) == len(options)


def test_neither_place_nor_length_gives_the_right_option_away():
    """A reader who knows nothing takes the longest option: that must not pay."""
    places, longest = Counter(), 0
    for one in QUESTIONS:
        at = [bool(option.get("right")) for option in one["options"]].index(True)
        sizes = [len(option["text"]) for option in one["options"]]
        places[at] += 1
        longest += sizes[at] == max(sizes)
    assert len(places) >= 3 and max(places.values()) <= len(QUESTIONS) / 2
    for number in NOTEBOOKS:
        of = [one for one in QUESTIONS if one["notebook"] == number]
        at = {[bool(o.get("right")) for o in one["options"]].index(True) for one in of}
        assert len(at) > 1, f"{number}: always in the same place"
    assert longest <= len(QUESTIONS) / 3


@each_question
def test_a_question_is_taught_under_a_heading_of_its_notebook(one):
    headings = re.findall(r"^#+ (.+)$", source(one["notebook"], "markdown"), re.M)
    assert one["heading"] in headings


@each_question
def test_a_question_that_any_cohort_may_meet_names_nothing_of_the_study(one):
    text = json.dumps(one)
    if not one.get("paper_only"):
        for words in ("CD20 CAR-T", "non-CAR-T", "8.15", "15/54", "3/38", "54 patients", "Xue"):
            assert words not in text
        assert "verall survival" not in text, "a cohort may have another endpoint"
    assert not re.search(r"\b(simply|just|obviously|clearly|of course)\b", text, re.I)


@each_question
def test_a_decimal_in_a_question_stands_on_its_page_or_is_printed(one):
    """So that no question invents a result; whole numbers are too common to be traced."""
    known = source(one["notebook"], "markdown") + json.dumps(
        [cell.get("outputs", []) for cell in cells(one["notebook"])
         if "quiz" not in cell["metadata"].get("tags", [])]
    ) + (ROOT / "data" / "published.csv").read_text(encoding="utf-8")  # fmt: skip
    # Plain words for sizes (half, a ratio of 0.5) are no results.
    for number in set(re.findall(r"\d+\.\d+", json.dumps(one))) - {"0.5", "0.001"}:
        assert number in known, number


def test_a_quiz_is_static_html_that_unfolds_without_script_or_kernel():
    shown = quiz("06", PAPER)
    assert shown.data == quiz("06", PAPER).data
    options = sum(len(one["options"]) for one in questions("06", is_paper=True))
    assert shown.data.count("<details><summary ") == shown.data.count("</details>") == options
    for word in ("<script", "<input", "style=", "onclick", "<details open"):
        assert word not in shown.data
    assert shown.data.count("<em>Right.</em>") == 3


def test_a_sign_below_or_above_is_not_taken_for_markup(monkeypatch):
    option = {"text": "P < 0.05", "feedback": "Where P > 0.05 & few were at risk."}
    one = {"prompt": "Is P < 0.05?", "options": [option], "heading": "What P < 0.05 is"}
    monkeypatch.setattr("helpers.pages.quiz.questions", lambda *_, **__: [one])
    shown = quiz("00", PAPER).data
    assert shown.count("P &lt; 0.05") == 3 and "P &gt; 0.05 &amp; few" in shown


def test_on_another_cohort_questions_that_name_the_study_are_left_out_and_some_remain():
    for number in NOTEBOOKS:
        of = [one for one in QUESTIONS if one["notebook"] == number]
        left_out = [one for one in of if one.get("paper_only")]
        shown = quiz(number, german()).data
        assert shown.count("<strong>Question") == len(of) - len(left_out) >= 2
        assert not any(one["prompt"][:40] in shown for one in left_out)


def test_a_quiz_of_no_notebook_is_refused_in_words():
    with pytest.raises(ValueError, match="To do: give the two digits"):
        quiz("99", PAPER)


def test_an_unfinished_answer_is_told_from_a_wrong_one_and_from_a_right_one():
    assert check("06-1", None).data.startswith("Not answered yet: ")
    assert check("06-1", 17).data.startswith("`my_n`: not yet.")
    assert check("06-1", 29).data == "`my_n`: right. The solution says why."


def test_a_known_mistake_gets_its_own_hint():
    assert "rule of three" in check("06-1", 30).data
    assert "middle" in check("03-1", 4).data


def test_an_answer_half_given_is_judged_and_the_rest_asked_for():
    said = check("00-1", 0.4, None).data
    assert "`answer_day_3`: right" in said and "give `answer_day_5` a value" in said


@pytest.mark.parametrize(
    "odd", ["29", "about thirty", [29], {}, pd.Series([29, 29]), np.array([]), float("inf"), object]
)
def test_whatever_is_answered_the_reply_is_a_sentence(odd):
    assert check("06-1", odd).data.startswith("`my_n`: not yet.")
    assert check("04-1", odd).data.startswith("`my_answer`: not yet.")


def test_numbers_of_numpy_and_pandas_count_as_numbers():
    assert "right" in check("06-1", np.int64(29)).data
    assert "right" in check("06-1", pd.Series([29]).iloc[0]).data


def test_a_word_counts_without_regard_to_case():
    assert "right" in check("04-1", " None ").data
    assert "dial" in check("04-3", "both").data


def test_the_tolerance_is_stated_where_there_is_one():
    assert "within 0.3" in check("08-1", 20, 6.7).data
    assert "right" in judge(12.3, EXERCISES["08-1"][0])
    assert "not yet" in judge(12.5, EXERCISES["08-1"][0])


def test_where_the_answer_depends_on_the_cohort_the_page_gives_it():
    assert "right" in check("00-2", 7, right=7).data
    assert "not yet" in check("00-2", 8, right=np.int64(7)).data
    assert "no such number" in check("00-2", 8, right=None).data
    assert "right" in check("01-3", float("nan"), right=float("nan")).data


def test_an_exercise_that_the_bank_does_not_have_is_refused_in_words():
    for arguments in (("06-9", 1), ("06-1", 1, 2)):
        with pytest.raises(ValueError, match="To do: see the exercises"):
            check(*arguments)


@pytest.mark.parametrize(("name", "part"), PARTS, ids=[f"{n}-{p['name']}" for n, p in PARTS])
def test_no_hint_is_for_a_right_answer_and_each_is_reached(name, part):
    for hint in part.get("hints", []):
        assert judge(hint["answer"], part).endswith(hint["say"]), (name, hint)


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_every_checked_exercise_is_in_the_bank_by_its_names_and_in_order(number):
    called = re.findall(r'h\.check\("(\d\d-\d)", ([^)\n]+?)(?:, right=.*)?\)$',
                        source(number, "code"), re.M)  # fmt: skip
    assert called and {name for name, _ in called} == {
        name for name in EXERCISES if name.startswith(number)
    }
    for name, given in called:
        assert given.split(", ") == [part["name"] for part in EXERCISES[name]]


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_an_unsolved_notebook_holds_no_checked_answer(number):
    """What is left when solutions are taken away does not give a text answer away by `right`."""
    for cell in cells(number):
        if "exercise" in cell["metadata"].get("tags", []) and cell["cell_type"] == "code":
            text = "".join(cell["source"])
            assert not re.search(r"right=[\"'\d]", text)


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_a_solution_gives_a_value_to_each_answer_that_is_asked_for(number):
    asked = []
    for cell in cells(number):
        text, given = "".join(cell["source"]), cell["metadata"].get("tags", [])
        if "exercise" in given and (found := re.search(r'h\.check\("(\d\d-\d)"', text)):
            asked = [part["name"] for part in EXERCISES[found[1]]]
        elif "solution" in given and cell["cell_type"] == "code":
            names = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)]
            assert {*asked} <= {n.id for n in names if isinstance(n.ctx, ast.Store)}, text


def with_checks_after_solutions(number, folder):
    """A copy of a notebook that ends by checking what its own solutions have computed."""
    nb = nbformat.read(NOTEBOOKS[number], 4)
    nb.cells += [nbformat.v4.new_code_cell(call) for call in calls(number).values()]
    folder.mkdir(exist_ok=True)
    path = folder / NOTEBOOKS[number].name
    nbformat.write(nb, path)
    return path


def calls(number):
    """The line of each exercise that checks its answer, by the exercise."""
    found = re.findall(r'^(h\.check\("(\d\d-\d)".*\))$', source(number, "code"), re.M)
    return {name: line for line, name in found}


def assert_checks_accept_the_solutions(cohort, folder, parameters, numbers):
    outcomes = run_series(
        [with_checks_after_solutions(number, folder / "asked") for number in numbers],
        folder / "notebooks", parameters={"FAST": True, **parameters},
        columns=set(cohort.frame.columns), is_paper=cohort.is_paper, progress=False,
    )  # fmt: skip
    assert all(outcome.ok for outcome in outcomes), [outcome.line() for outcome in outcomes]
    for number, outcome in zip(numbers, outcomes, strict=True):
        last = nbformat.read(outcome.path, 4).cells[-len(calls(number)) :]
        for name, cell in zip(calls(number), last, strict=True):
            said = cell.outputs[0].data["text/markdown"]
            assert said.count(": right.") == len(EXERCISES[name]), (cell.source, said)


@pytest.mark.parametrize(("seed", "numbers"), [(8, tuple(NOTEBOOKS)), (9, SIMULATED)])
def test_with_another_seed_each_fellow_has_other_numbers_and_the_same_answers(
    tmp_path, seed, numbers
):
    """Solutions assert, and the checks accept them, under any seed and not under one."""
    assert_checks_accept_the_solutions(PAPER, tmp_path, {"SEED": seed}, numbers)


def test_on_a_readers_cohort_the_checks_accept_the_solutions(tmp_path):
    """Of the pages whose exercises need no column that this cohort lacks."""
    parameters = dict(zip(("COHORT", "MAP"), (str(ROOT / f) for f in EXAMPLE), strict=True))
    assert_checks_accept_the_solutions(german(), tmp_path, parameters, ("00", "03"))
