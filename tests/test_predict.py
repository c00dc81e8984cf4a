"""A prediction is asked for before the number, and what is revealed is what the page computes."""
# ruff: noqa: F811 (a test names the imported fixture as its argument)

import ast
import json
import re
from functools import cache

import pytest
from browser import browser, complaints, requested, run_first_cell, visit  # noqa: F401
from cohorts import german
from lxml import html as lxml_html
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from servers import lab
from test_book import PREAMBLE, build, code, shown, text
from test_editions import axe

from helpers.cohort import ROOT, load_cohort
from helpers.conventions import ONE_OF_MANY
from helpers.pages.predict import predict
from helpers.pages.quiz import bank
from helpers.workshop.editions import student
from helpers.workshop.files import read, tags
from helpers.workshop.series import series

PAPER = load_cohort()
WORDS = bank()["predictions"]
NOTEBOOKS = {path.name[:2]: path for path in series(ROOT / "notebooks") if path.name < "90"}
NUMBERS = [name for name, words in WORDS.items() if "options" not in words]
ODD = "<b>\"new\" & 'old'</b>"


@cache
def cells(number):
    return read(NOTEBOOKS[number]).cells


def predictions(number):
    """Place, call and output of each prediction of a notebook."""
    found = []
    for at, cell in enumerate(cells(number)):
        if cell.cell_type == "code" and "h.predict(" in cell.source:
            call = ast.parse(cell.source).body[-1].value
            found.append((at, call, cell.outputs[0].data["text/html"]))
    return found


def parsed(shown_html):
    return lxml_html.fragment_fromstring(shown_html, create_parent=True)


# The notebooks and the bank


def test_every_notebook_has_two_predictions_and_each_of_the_bank_is_made_once():
    made = [call.args[0].value for n in NOTEBOOKS for _, call, _ in predictions(n)]
    assert sorted(made) == sorted(WORDS)
    for number in NOTEBOOKS:
        assert sum(name.startswith(number) for name in made) >= 2, number


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_a_prediction_follows_its_question_and_its_cell_is_tagged(number):
    for at, _, _ in predictions(number):
        cell, before = cells(number)[at], cells(number)[at - 1]
        assert "predict" in tags(cell) and before.cell_type == "markdown"
        assert "**Predict first:**" in before.source.split("\n\n")[-1]
        assert {t for t in tags(cell) if ":" in t} == {t for t in tags(before) if ":" in t}
    tagged = [at for at, cell in enumerate(cells(number)) if "predict" in tags(cell)]
    assert tagged == [at for at, _, _ in predictions(number)]


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_the_truth_is_computed_and_never_typed_in(number):
    for _, call, _ in predictions(number):
        assert any(isinstance(node, ast.Name) for node in ast.walk(call.args[1])), ast.dump(call)


@pytest.mark.parametrize("name", WORDS)
def test_no_digit_stands_in_the_words_so_no_answer_does(name):
    words = {k: v for k, v in WORDS[name].items() if k not in ("within", "decimals")}
    assert not re.search(r"\d", json.dumps(words))
    assert set(words) in ({"label", "unit", "low", "high", "why"}, {"options", "tempting", "why"})
    assert not re.search(r"\b(simply|just|obviously|clearly|of course)\b", json.dumps(words), re.I)


# What follows one in twenty is said in words there, and this is that rule with a number in it.
IN_WORDS = {"05-1"}


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_what_is_revealed_stands_in_the_outputs_that_follow(number):
    for at, call, html in predictions(number):
        name = call.args[0].value
        if name not in NUMBERS or name in IN_WORDS:
            continue
        told = re.search(r'data-truth="([^"]*)"', html)[1]
        after = [c for c in cells(number)[at + 1 :] if c.cell_type == "code"][:4]
        said = json.dumps([c.outputs for c in after if "predict" not in tags(c)])
        said = re.sub(r'"image/png": "[^"]*"|<[^>]*>|\\u[0-9a-f]{4}', " ", said)
        places = 10 ** -len(told.partition(".")[2])
        values = [float(v) for v in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", said)]
        values += [100 * v for v in values]
        assert any(abs(v - float(told)) <= places / 2 + 1e-9 for v in values), (name, told)


# The form


def test_the_reveal_follows_the_truth_it_is_given():
    for truth, told in ((8.15, "It is 8.2 months."), (3, "It is 3.0 months.")):
        answer = parsed(predict("00-2", truth, of="").data).find(".//details//strong").text
        assert answer == told


@pytest.mark.parametrize("nothing", [None, float("nan")])
def test_where_the_data_have_no_such_number_it_says_so(nothing):
    shown_html = predict("00-2", nothing, of="").data
    assert 'data-truth=""' in shown_html and "In this cohort there is no such number." in shown_html
    assert "data-low" not in shown_html
    for option in parsed(predict("01-2", nothing, of="").data).findall(".//details"):
        assert option.find("p/em").text == "In this cohort there is no such number."


@pytest.mark.parametrize(("difference", "right"), [(-0.2, 0), (0.0, 1), (1e-12, 1), (3, 2)])
def test_the_sign_of_a_difference_chooses_the_option_that_is_right(difference, right):
    verdicts = [
        p.find("em").text for p in parsed(predict("01-2", difference, of="").data).iter("p")
    ]
    assert verdicts == ["Right." if k == right else "Not this one." for k in range(3)]


def test_a_wrong_option_is_told_what_is_true_and_why_it_was_tempting():
    first = parsed(predict("02-1", 0.1, of="").data).find(".//details").text_content()
    assert "The difference grows." in first and WORDS["02-1"]["why"] in first
    assert WORDS["02-1"]["tempting"]["below"] in first


def test_a_prediction_is_a_labelled_form_that_is_folded_and_the_same_on_every_run():
    shown_html = predict("06-1", 45.07, of="").data
    assert shown_html == predict("06-1", 45.07, of="").data
    form = parsed(shown_html).find("form")
    box = form.find(".//input")
    assert form.find(".//label").get("for") == box.get("id") == "predict-06-1"
    assert form.get("method") == "dialog", "without scripts nothing is sent and nothing reloads"
    assert form.find("details").get("open") is None and "45%" in form.find("details").text_content()
    assert "45.07" not in shown_html, "no digit that is not shown"
    assert "<script" not in shown_html and "http" not in shown_html


def test_a_name_from_a_readers_file_is_text_and_no_markup():
    form = parsed(predict("00-2", 5, of="", about=ODD).data)
    assert ODD in form.find(".//label").text_content() and not list(form.iter("b"))


def test_a_result_of_synthetic_rows_carries_their_mark_and_one_of_patients_none():
    assert ONE_OF_MANY[1:] in predict("03-2", 19, of=PAPER).data
    assert "<em>" not in predict("03-2", 19, of=german()).data


def test_what_does_not_exist_is_refused_in_words():
    with pytest.raises(ValueError, match="To do: see its predictions"):
        predict("99-1", 1, of="")
    with pytest.raises(ValueError, match="To do: give one of its options, below, same, above"):
        predict("01-2", "sideways", of="")


def test_the_student_edition_keeps_predictions_with_their_reveal():
    """The answer is the number of the next output, not the solution of an exercise."""
    for number, path in NOTEBOOKS.items():
        kept = [c.id for c in student(read(path)).cells if "predict" in tags(c)]
        assert kept == [cells(number)[at].id for at, _, _ in predictions(number)]


# In a browser


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    number = predict("00-2", 8.15, of=PAPER, about="'CD20 CAR-T'").data
    choice, none = predict("02-1", 0.1, of="").data, predict("03-2", None, of="").data
    asked = [
        text(f"## {title}\n\n**Predict first:** how many?")
        for title in ("A number", "A choice", "None")
    ]
    made = [
        code("h.predict()", shown({"text/html": html}), tags=["predict"])
        for html in (number, choice, none)
    ]
    rows = [cell for pair in zip(asked, made, strict=True) for cell in pair]
    return build(tmp_path_factory.mktemp("page"), [text("# Who was treated?"), *PREAMBLE, *rows])


def answer(driver, name, guess, how=Keys.ENTER):
    """Type a guess, hand it over, and return what is said."""
    box = driver.find_element(By.ID, f"predict-{name}")
    box.clear()
    box.send_keys(guess, how)
    if how == Keys.TAB:  # the button is next
        driver.switch_to.active_element.send_keys(Keys.SPACE)
    return driver.find_element(By.CSS_SELECTOR, f"output[for='predict-{name}']").text


@pytest.mark.parametrize(
    ("guess", "said"),
    [
        ("6", f"You said 6 months; it is 8.2 months. {WORDS['00-2']['low']}"),
        ("20 months", f"You said 20 months; it is 8.2 months. {WORDS['00-2']['high']}"),
        ("8,5", "You said 8.5 months; it is 8.2 months. That is close."),
        ("9.2", "You said 9.2 months; it is 8.2 months. That is close."),
        ("9.3", f"You said 9.3 months; it is 8.2 months. {WORDS['00-2']['high']}"),
    ],
)
@pytest.mark.parametrize("how", [Keys.ENTER, Keys.TAB], ids=["enter", "button"])
def test_a_guess_is_compared_by_keyboard_and_the_answer_unfolds(browser, page, guess, said, how):
    visit(browser, page)
    fold = browser.find_element(By.CSS_SELECTOR, "form.predict details")
    assert fold.get_attribute("open") is None
    assert answer(browser, "00-2", guess, how) == said
    assert fold.get_attribute("open") is not None and WORDS["00-2"]["why"] in fold.text


def test_no_number_reveals_nothing(browser, page):
    visit(browser, page)
    for guess in ("", "many"):
        assert answer(browser, "00-2", guess).startswith("Write one number first")
    assert not browser.find_elements(By.CSS_SELECTOR, "form.predict details[open]")


def test_a_guess_at_what_does_not_exist_is_told_so(browser, page):
    visit(browser, page)
    assert answer(browser, "03-2", "12") == "You said 12; in this cohort there is no such number."


def test_a_choice_unfolds_by_keyboard(browser, page):
    visit(browser, page)
    line = browser.find_element(By.CSS_SELECTOR, "div.predict summary")
    line.send_keys(Keys.ENTER)
    said = browser.find_element(By.CSS_SELECTOR, "div.predict details[open]").text
    assert "Not this one. The difference grows." in said


def test_without_scripts_the_answer_unfolds_and_the_button_loses_nothing(browser, page):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        visit(browser, page)
        box = browser.find_element(By.ID, "predict-00-2")
        box.send_keys("6")
        browser.find_element(By.CSS_SELECTOR, "form.predict button").click()
        assert browser.current_url == page.resolve().as_uri(), "nothing was sent"
        browser.find_element(By.CSS_SELECTOR, "form.predict summary").click()
        fold = browser.find_element(By.CSS_SELECTOR, "form.predict details")
        assert "It is 8.2 months." in fold.text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_the_page_with_predictions_passes_axe_and_needs_no_network(browser, page):
    visit(browser, page)
    answer(browser, "00-2", "6")
    assert axe(browser) == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in requested(browser))
    assert complaints(browser) == []


# In JupyterLab

CELL = "import helpers as h\n\nh.predict('00-2', 8.15, of='', about='new')"


def test_in_jupyterlab_a_guess_is_compared_and_no_key_reaches_the_notebook(browser, tmp_path):
    with lab(tmp_path, [CELL, "'left alone'"]) as url:
        wait = run_first_cell(browser, url)
        box = wait.until(lambda d: d.find_element(By.ID, "predict-00-2"))
        box.send_keys("dd")
        said = answer(browser, "00-2", "6")
        assert said == f"You said 6 months; it is 8.2 months. {WORDS['00-2']['low']}"
        line = browser.find_element(By.CSS_SELECTOR, "form.predict summary")
        line.send_keys(Keys.SPACE)  # elsewhere in JupyterLab: scroll
        assert not browser.find_elements(By.CSS_SELECTOR, "form.predict details[open]")
        line.send_keys(Keys.ENTER)  # edit the cell
        assert browser.find_elements(By.CSS_SELECTOR, "form.predict details[open]")
        line.send_keys("dd")  # delete the cell
        assert len(browser.find_elements(By.CSS_SELECTOR, ".jp-Notebook .jp-CodeCell")) == 2
