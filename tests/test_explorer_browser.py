"""The explorer in a real browser: as a page of its own, and in JupyterLab."""

import io
import json
import time
import zipfile
from itertools import pairwise

import pandas as pd
import pytest
from browser import browser, complaints, overflow, requested, resize  # noqa: F401 (a fixture)
from cohorts import EXAMPLE, german
from explorer_page import ExplorerPage, wait_for
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from servers import app, lab

from helpers.analysis import analyse
from helpers.cohort import ROOT, load_cohort
from helpers.conventions import DAYS_PER_MONTH, EVENT_FLOOR
from helpers.explorer.readout import group_rows, readout
from helpers.plots.drawn import Display
from helpers.view import View

PAPER = load_cohort()


def expected(view: View, display=Display(), cohort=PAPER) -> dict:  # noqa: B008 (frozen)
    """What `analyse` says to a View, by the ids of the page."""
    answer = analyse(cohort, view, engine="fast", floor=EVENT_FLOOR)
    table = readout(answer, display)
    groups = group_rows(answer, display).astype(str).values.tolist()
    rows = {row.id: [row.value] for row in table.itertuples()}
    return rows | {f"group-{k}": row[1:] for k, row in enumerate(groups)}


def assert_shows(page, text, display=Display(), cohort=PAPER):  # noqa: B008 (frozen)
    """The page shows this View, and the numbers that `analyse` gives to it."""
    view = View.read(text)
    # The text comes in a message of its own, right after the answer.
    wait_for(lambda: View.read(page.view()) == view, 10, f"the View {text}")
    assert page.values() == expected(view, display, cohort)


def outside(addresses) -> list[str]:
    """Addresses that are not of this machine; the browser's own pages do not count."""
    ours = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "chrome", "about:")
    return [address for address in addresses if not address.startswith(ours)]


def opened(driver, url) -> ExplorerPage:
    resize(driver, 1300, 1600)
    driver.get("about:blank")
    driver.get_log("performance")
    driver.get_log("browser")
    driver.get(url)
    return ExplorerPage(driver).ready()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with app(tmp_path_factory.mktemp("app")) as url:
        yield url


@pytest.fixture
def page(browser, address):  # noqa: F811
    return opened(browser, address)


# -- a page of its own ----------------------------------------------------------------------


def test_it_renders_without_a_network_and_without_a_complaint(page):
    assert_shows(page, '{"horizon": 365}')
    assert "Hazard ratio, CD20 CAR-T vs non-CAR-T: 0.37" in page.lead()
    assert len(page.curves()) == 2
    assert outside(requested(page.driver)) == []
    assert complaints(page.driver) == []
    drawn = page.text("section[aria-label=Answer] figure")
    assert "SYNTHETIC DATA" in drawn and "not a finding of the study" in drawn
    assert "Not for treatment decisions" in page.text("body")


def test_every_control_changes_the_number_it_should_to_what_analyse_gives(page):
    page.choose("Endpoint", "Progression-free survival")
    assert_shows(page, "{endpoint: pfs, horizon: 365}")
    page.choose("With", "CD20 CAR-T")
    assert_shows(page, "{endpoint: pfs, horizon: 365, reference: CD20 CAR-T}")
    page.choose("With", "non-CAR-T")
    page.choose("Compare", "Sex (invented)")
    assert_shows(page, "{endpoint: pfs, horizon: 365, compare: sex}")
    page.choose("Compare", "Arm")
    page.choose("Adjust for", "ECOG performance status (grade), >= 3 against less")
    page.choose("Adjust for", "Sex (invented)")
    assert_shows(page, "{endpoint: pfs, horizon: 365, adjust: ['ecog >= 3', sex]}")
    page.answered(lambda: page.press("Remove sex"))
    page.type("Landmark", "1")
    page.type("Horizon", "6")
    text = {"endpoint": "pfs", "adjust": ["ecog >= 3"], "landmark": DAYS_PER_MONTH,
            "horizon": 6 * DAYS_PER_MONTH}  # fmt: skip
    assert_shows(page, json.dumps(text))
    page.press("Conventions")
    page.choose("Tied times", "breslow")
    page.choose("Intervals", "profile")
    text |= {"ties": "breslow", "intervals": "profile"}
    assert_shows(page, json.dumps(text))
    before = page.curves()
    page.choose("Time in", "days")
    assert_shows(page, json.dumps(text), Display(unit="days"))
    for curve, name in (("log-log", "log-log, for proportional hazards"),
                        ("incidence", "cumulative incidence (1 - survival)")):  # fmt: skip
        page.choose("Curve", name)
        assert_shows(page, json.dumps(text), Display(curve, "days"))
        assert page.curves() != before
    page.answered(lambda: page.press("Start again"))
    assert_shows(page, "{horizon: 365}", Display("incidence", "days"))
    assert complaints(page.driver) == []


def test_filters_take_values_by_ticking_and_numbers_by_the_keyboard(page):
    page.pick("Add a filter", "Sex (invented)")
    page.tick("F")
    assert_shows(page, "{horizon: 365, where: [{column: sex, in: [M]}]}")
    page.pick("Add a filter", "International Prognostic Index (points)")
    wait_for(lambda: page.driver.find_elements(By.CSS_SELECTOR, ".noUi-handle"))
    page.slide("low", Keys.ARROW_RIGHT)
    page.slide("low", Keys.ARROW_RIGHT)
    low = PAPER.frame["ipi"].min() + 2
    where = [{"column": "ipi", "min": low}, {"column": "sex", "in": ["M"]}]
    assert_shows(page, json.dumps({"horizon": 365, "where": where}))
    assert "interaction-0" in page.values()
    assert "2 interaction tests have" not in page.text(), "three were shown: M, then two ranges"
    assert "3 interaction tests have been shown" in page.text()
    page.answered(lambda: page.press("Remove filter: Sex"))
    assert_shows(page, json.dumps({"horizon": 365, "where": where[:1]}))


def test_an_empty_subgroup_says_so_and_few_events_withhold_the_ratio(page):
    page.pick("Add a filter", "Sex (invented)")
    page.tick("F")
    page.tick("M")
    assert page.lead() == "No patient is left."
    assert "No patient is left" in page.text("figure")
    assert page.curves() == []
    page.answered(lambda: page.press("Start again"))
    load(page, "{where: [{column: ecog, min: 3}], horizon: 365}")
    assert page.values()["unadjusted-0"] == ["withheld"]
    assert "fewer than 5" in page.text()
    page.tick("with few events, show Firth's penalised estimate")
    assert page.rows()["firth-0"][0].startswith("Firth's penalised hazard ratio")
    assert " to " in page.rows()["firth-0"][1]
    assert complaints(page.driver) == []


def load(page, text):
    """Put a View into the text field and use it."""
    area = page.control("View", "textarea")
    area.clear()
    area.send_keys(text)
    page.answered(lambda: page.press("Use this View"))


def test_a_view_goes_round_by_text_and_by_link_and_a_bad_one_is_refused(page):
    text = "{endpoint: pfs, where: [{column: age, min: 50.5, max: 70}], adjust: [ipi >= 3]}"
    load(page, text)
    assert_shows(page, text)
    link = page.control("Link", "input").get_attribute("value")
    assert View.from_link(link) == View.read(text)
    page.answered(lambda: page.press("Start again"))
    assert View.read(page.view()) != View.read(text)
    field = page.control("Link", "input")
    field.clear()
    field.send_keys(link, Keys.TAB)
    page.answered(lambda: page.press("Use this link"))
    assert_shows(page, text)
    area = page.control("View", "textarea")
    area.clear()
    area.send_keys("{endpoint: cure}")
    page.press("Use this View")
    wait_for(lambda: "cure" in page.text("section[aria-label=Answer] .error"))
    assert page.lead() == "No answer" and page.curves() == []


def test_the_forest_costs_looks_and_a_row_loads_into_the_view(page):
    assert "No interaction test has been shown" in page.text()
    page.press("Show all subgroups: up to 19")
    wait_for(lambda: page.driver.find_elements(By.CSS_SELECTOR, "[data-row='Sex: F']"))
    wait_for(lambda: "interaction tests have been shown" in page.text())
    looks = int(page.text().split(" interaction tests have been shown")[0].split()[-1])
    assert 15 <= looks <= 19
    button = page.one("[data-row='Sex: F'] button")
    page.answered(lambda: page.driver.execute_script("arguments[0].click()", button))
    assert_shows(page, "{horizon: 365, where: [{column: sex, in: [F]}]}")
    wait_for(lambda: page.one("[data-row='Sex: F'] button").get_attribute("aria-pressed") == "true")
    assert f"{looks} interaction tests have been shown" in page.text(), "it had been looked at"


def test_both_nulls_come_beside_the_page_and_say_which_they_are(page):
    load(page, "{where: [{column: sex, in: [F]}]}")
    wait_for(lambda: page.text().count("In 2,000 data sets with") == 2, 40, "both nulls")
    assert "Covariate rows are shuffled" in page.text()
    assert "Outcomes are drawn from a Cox model" in page.text()


def test_the_figure_answers_pointer_and_keyboard(page):
    assert "at risk there" in page.hover()
    figure = page.one("section[aria-label=Answer] figure > svg")
    page.driver.execute_script("arguments[0].focus()", figure)
    figure.send_keys(Keys.HOME)
    said = wait_for(lambda: page.text("figure .weak"))
    figure.send_keys(Keys.ARROW_RIGHT)
    wait_for(lambda: page.text("figure .weak") != said)
    assert "54 at risk there" in said and "39 at risk there" in said


def test_every_control_has_a_label_and_the_page_fits_at_200_percent(page):
    resize(page.driver, 650, 900)
    time.sleep(0.5)
    assert overflow(page.driver) <= 1
    unnamed = page.driver.execute_script(
        "return [...document.querySelectorAll('select,input,textarea')].filter((c) => "
        "c.type !== 'file' && !(c.labels && c.labels.length) && !c.getAttribute('aria-label') && "
        "!c.title).map((c) => c.outerHTML)"
    )
    assert unnamed == []
    levels = page.driver.execute_script(
        "return [...document.querySelectorAll('h1,h2,h3')].map((h) => +h.tagName[1])"
    )
    assert levels[0] == 1 and all(b <= a + 1 for a, b in pairwise(levels))


def downloaded(page, folder):
    """The zip that the page's button gives."""
    page.driver.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)}
    )
    page.press("Download figure")
    path = wait_for(lambda: next(iter(folder.glob("*.zip")), None), 30, "the zip")
    return zipfile.ZipFile(io.BytesIO(path.read_bytes()))


def test_what_is_taken_away_arrives_and_carries_the_marks(page, tmp_path):
    load(page, "{where: [{column: sex, in: [F]}], horizon: 365}")
    archive = downloaded(page, tmp_path)
    names = set(archive.namelist())
    assert {"survival.png", "survival.svg", "survival.pdf", "view.json", "methods.txt", "code.py",
            "model.csv", "curves.csv", "caution.csv", "README.txt"} <= names  # fmt: skip
    assert View.read(archive.read("view.json").decode()) == View.read(page.view())
    said = archive.read("methods.txt").decode()
    assert said.startswith("Synthetic data calibrated") and "1 interaction test has been" in said
    for name in [n for n in names if n.endswith(".csv")]:
        table = pd.read_csv(archive.open(name))
        assert table["data_status"].str.contains("not a finding of the study").all()


# -- a reader's own cohort ------------------------------------------------------------------

HOSTILE = "<img src=x onerror=window.hurt=1>"


def own_file(folder):
    """A file as a hospital has it: other names, months, codes 1 and 2, and a hostile arm."""
    rows = []
    for i in range(120):  # five deaths in each arm of either sex, or their ratio is withheld
        arm = HOSTILE if i % 2 else "chemo, then 'rest'"
        rows.append(f"r{i},\"{arm}\",{(i * 7) % 31 + 0.5},{1 + i % 3 // 2},{40 + i % 40},"
                    f"{'female' if i % 5 > 1 else 'male'},{i}@x.org")  # fmt: skip
    path = folder / "My cohort 2024.csv"
    path.write_text(
        "\n".join(["Study no,Treatment,Months,Vital status,Age at start,Gender,e-mail", *rows])
    )
    return path


def test_a_reader_loads_a_file_finds_a_subgroup_and_leaves_with_results(page, tmp_path):
    page.press("Your own cohort")
    page.upload(own_file(tmp_path))
    wait_for(lambda: HOSTILE in page.control("Compared with (reference arm)").text)
    page.press("Check and use this cohort")
    wait_for(lambda: "1, 2: a code the recode does not name" in page.text("[role=alert]"))
    page.pick("Compared with (reference arm)", "chemo, then 'rest'")
    overall = page.driver.find_element(
        By.XPATH, "//b[.='Overall survival']/ancestor::*[contains(@class,'widget-vbox')][1]"
    )
    path = ".//label[.='1 means']/..//select"
    ExplorerPage.select(overall.find_element(By.XPATH, path), "censored")
    page.press("Check and use this cohort")
    wait_for(lambda: "2: a code the recode does not name" in page.text("[role=alert]"))
    ExplorerPage.select(overall.find_element(By.XPATH, ".//label[.='2 means']/..//select"), "event")
    name = page.control("Name of the cohort", "input")
    name.send_keys(f" {HOSTILE}", Keys.TAB)
    page.press("Check and use this cohort")
    wait_for(lambda: f"My cohort 2024 {HOSTILE}: private data" in page.text(), 30, "the cohort")
    page.pick("Add a filter", "Sex")
    page.tick("M")
    values = page.values()
    assert set(values) >= {"unadjusted-0", "logrank", "interaction-0"}
    assert page.driver.execute_script("return window.hurt") is None
    assert HOSTILE in page.text()
    archive = downloaded(page, tmp_path)
    assert "survival.png" not in archive.namelist(), "each step is a patient; counts are masked"
    mapping = tmp_path / "mapping.yaml"
    mapping.write_bytes(archive.read("mapping.yaml"))
    cohort = load_cohort(tmp_path / "My cohort 2024.csv", mapping)
    view = View.read(archive.read("view.json").decode())
    assert values == expected(view, cohort=cohort)
    assert "@x.org" not in archive.read("mapping.yaml").decode()
    assert complaints(page.driver) == []


# -- in JupyterLab --------------------------------------------------------------------------

CELLS = [
    "from helpers import load_cohort\nfrom helpers.explorer import explore\n"
    f"cohort = load_cohort(*{[str(ROOT / name) for name in EXAMPLE]!r})",
    "page = explore(cohort)\npage",
]


@pytest.fixture(scope="module")
def in_lab(browser, tmp_path_factory):  # noqa: F811
    with lab(tmp_path_factory.mktemp("lab"), CELLS) as url:
        resize(browser, 1500, 2600)
        browser.get(url)
        cells = ".jp-Notebook .jp-CodeCell .cm-content"
        wait_for(lambda: browser.find_element(By.CSS_SELECTOR, cells), 60, "the notebook")
        wait_for(lambda: "Idle" in browser.find_element(By.TAG_NAME, "body").text, 60, "a kernel")
        wait_for(lambda: browser.find_element(By.CSS_SELECTOR, cells).click() or True, 30)
        for _ in CELLS:
            keys = ActionChains(browser)
            keys.key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(Keys.SHIFT).perform()
        yield ExplorerPage(browser).ready()


def test_in_jupyterlab_the_controls_are_those_of_the_cohort(in_lab):
    cohort = german()
    assert_shows(in_lab, '{"horizon": 365}', cohort=cohort)
    in_lab.choose("Endpoint", "Recurrence-free survival")
    in_lab.choose("Adjust for", "Age (years)")
    in_lab.pick("Add a filter", "Menopausal status")
    in_lab.tick("premenopausal")
    where = "where: [{column: menopause, in: [postmenopausal]}]"
    text = f"{{endpoint: rfs, horizon: 365, adjust: [age], {where}}}"
    assert_shows(in_lab, text, cohort=cohort)
    assert "SYNTHETIC" not in in_lab.text()


def test_after_a_reload_figure_numbers_and_controls_still_agree(in_lab):
    driver = in_lab.driver
    in_lab.choose("Endpoint", "Overall survival")
    before = (in_lab.view(), in_lab.values(), in_lab.curves(), in_lab.lead())
    ActionChains(driver).key_down(Keys.CONTROL).send_keys("s").key_up(Keys.CONTROL).perform()
    time.sleep(1.5)
    driver.refresh()
    page = ExplorerPage(driver).ready()
    wait_for(lambda: page.control("Endpoint"), 30)
    assert (page.view(), page.values(), page.curves(), page.lead()) == before
    shown = page.control("Endpoint").get_attribute("value")
    assert shown == "Overall survival"
    page.choose("Endpoint", "Recurrence-free survival")
    assert_shows(page, page.view(), cohort=german())
    assert page.curves() != before[2]
    assert len(driver.find_elements(By.CSS_SELECTOR, "section[aria-label=Answer]")) == 1
