"""Names that are scripts, formulas or commands stay names, on every page, in every file and on
every console."""
# ruff: noqa: F811 (a test names the imported fixture as its argument)

import csv
import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from browser import browser, complaints, visit  # noqa: F401
from cohorts import make_cohort
from selenium.webdriver.common.by import By

from helpers.cohort import ROOT, load_cohort
from helpers.workshop.app import page
from helpers.workshop.book import build_book
from helpers.workshop.cli import main
from helpers.workshop.plans import Plan, Step
from helpers.workshop.series import run_series
from helpers.workshop.slides import build_slides

SCRIPT = "<script>window.hurt=1</script>"
PICTURE = '"><img src=x onerror="window.hurt=1">'
NAME = f"=1+1 {SCRIPT} {PICTURE} </title> *md* {{braces}} $x$ \\ & &lt;b&gt; Köln"
ARMS = (f"@SUM(A1) {PICTURE} *md*", f"-2+3 {SCRIPT} {{b}}")
ABOUT = f"About {SCRIPT} [link](javascript:hurt) *md*."
LABEL = f"+Grade {SCRIPT} {PICTURE}"


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def hostile_cohort(folder, name=NAME, arms=ARMS):
    """60 patients whose every name is an attack, as files and as they are loaded."""
    mapping = "\n".join([
        f"name: {quoted(name)}", f"reference_arm: {quoted(arms[1])}", f"about: {quoted(ABOUT)}",
        f"time_zero: {quoted(f'zero {SCRIPT}')}", "mask_below: 0",
        f"factors: {{grade: {{label: {quoted(LABEL)}, type: category}}}}",
    ])  # fmt: skip
    cell = '"{}"'.format
    columns = {
        "arm": [cell(arms[i % 2].replace('"', '""')) for i in range(60)],
        "os_time": [30 + 17 * i % 900 for i in range(60)],
        "os_event": [int(i % 3 > 0) for i in range(60)],
        "grade": [cell(("=1+1", "<b>lo</b>", "a & {b}")[i % 3]) for i in range(60)],
    }
    return make_cohort(folder, columns, mapping)


# -- pages ----------------------------------------------------------------------------------

CELLS = """from IPython.display import Markdown
import helpers as h
from helpers.sentences import read_view, status
cohort = h.load_cohort({csv!r}, {map!r})
answer = h.analyse(cohort, h.View(compare="arm", adjust=("grade",)))
---
Markdown(f"{{status(cohort)}} {{read_view(answer)}}")
---
h.table(h.words.model_table(answer), of=answer, caption=cohort.name, by=("cox",))
---
h.show(h.figure_survival(answer), of=answer, number=1, alt=h.words.alt_survival(answer),
       caption=h.words.caption_survival(answer), takeaway="t.")"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The cohort, and a page about it as notebook, book, slides and exports."""
    folder = tmp_path_factory.mktemp("hostile")
    cohort = hostile_cohort(folder)
    text = CELLS.format(csv=str(folder / "cohort.csv"), map=str(folder / "map.yaml"))
    cells = [
        nbformat.v4.new_code_cell(code, id=f"c{i}") for i, code in enumerate(text.split("---\n"))
    ]
    title = nbformat.v4.new_markdown_cell("# What is asked & answered?", id="title")
    nbformat.write(nbformat.v4.new_notebook(cells=[title, *cells]), folder / "01_small.ipynb")
    (outcome,) = run_series(
        [folder / "01_small.ipynb"], folder / "notebooks", parameters={}, columns=set(),
        is_paper=False, progress=False, export=folder / "export",
    )  # fmt: skip
    assert outcome.ok, outcome.error
    told = {"title": cohort.name, "status": cohort.status_line, "caution": cohort.caution}
    build_book(folder / "notebooks", folder / "book", **told)
    plan = Plan("A session", 45, [Step("A step", 5, "01_small", 1, "Why?", False, False)])
    executed = {"01_small": nbformat.read(outcome.path, as_version=4)}
    build_slides(executed, [plan], folder / "slides", **told)
    return cohort, folder


def seen(driver, css):
    return [
        node.get_attribute("textContent") for node in driver.find_elements(By.CSS_SELECTOR, css)
    ]


def shown_as_text(driver, path, query=""):
    """Open a page; no script of a name ran on it, and it has no element that a name made."""
    visit(driver, path, query)
    assert driver.execute_script("return window.hurt") is None
    assert driver.find_elements(By.CSS_SELECTOR, "img[src=x], [onerror]") == []
    assert complaints(driver) == []
    return driver.find_element(By.TAG_NAME, "body").get_attribute("textContent")


def plain_quotes(text):
    """Text with the quotation marks of a keyboard, which the book sets as a printer does."""
    return re.sub("[“”]", '"', text)


def test_a_page_of_the_book_shows_every_name_letter_by_letter(browser, pages):
    cohort, folder = pages
    text = plain_quotes(shown_as_text(browser, folder / "book" / "01_small.html"))
    for name in (cohort.status_line, *ARMS, ABOUT, "a & {b}", "<b>lo</b>", "zero " + SCRIPT):
        assert name in text, name
    assert seen(browser, ".logo__title") == [NAME]
    assert browser.title == f"What is asked & answered? — {NAME}"
    # What is shown on paper only.
    assert seen(browser, ".onlyprint h1") == ["What is asked & answered?"]


def test_the_front_page_and_the_search_show_the_name_of_the_cohort(browser, pages):
    folder = pages[1] / "book"
    shown_as_text(browser, folder / "index.html")
    for css in ("main h1", ".logo__title", ".onlyprint h1"):
        (heading,) = {plain_quotes(text).removesuffix("#") for text in seen(browser, css)}
        assert heading == NAME, css
    assert plain_quotes(browser.title) == f"{NAME} — {NAME}"
    text = plain_quotes(shown_as_text(browser, folder / "search.html", "?q=braces"))
    assert browser.title == f"Search - {NAME}" and NAME in text


def test_the_slides_show_the_name_of_the_cohort(browser, pages):
    cohort, folder = pages
    text = shown_as_text(browser, folder / "slides" / "index.html")
    assert seen(browser, "h1") == [NAME]
    assert browser.title == f"{NAME}, 45 minutes: slides"
    assert cohort.status_line in text and ARMS[0] in text


def test_an_exported_table_shows_every_name(browser, pages):
    folder = pages[1] / "export" / "01_small"
    (path,) = folder.glob("*.html")
    text = shown_as_text(browser, path)
    assert NAME in text and f"{ARMS[0]} vs {ARMS[1]}" in text


def test_the_explorer_is_headed_by_the_name_as_text(tmp_path):
    cohort = hostile_cohort(tmp_path)
    page(tmp_path / "app", status=cohort.status_line, caution="c", path="p", map_path="")
    head = nbformat.read(tmp_path / "app" / "explorer.ipynb", as_version=4).cells[0].source
    assert r"\<script\>" in head and r"\*md\*" in head and r"\&lt;b" in head
    assert "<script>" not in head


# -- files ----------------------------------------------------------------------------------

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def formulas(folder):
    """Cells in the CSVs of a folder that a spreadsheet would take for formulas."""
    found = []
    for path in folder.rglob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        for cell in cells:
            if cell.startswith(DANGEROUS) and not re.fullmatch(r"-[\d.]+(e-?\d+)?", cell):
                found.append(f"{path.name}: {cell}")
    return found


def test_no_table_of_a_notebook_holds_a_formula(pages):
    folder = pages[1] / "export"
    assert list(folder.rglob("*.csv")) and formulas(folder) == []


@pytest.fixture
def exported(tmp_path):
    """Answer a View on the command line; its exports and its exit code."""
    made = []

    def view():
        (tmp_path / "view.yaml").write_text("{endpoint: os, horizon: 365, adjust: [grade]}")
        cohort = load_cohort(tmp_path / "cohort.csv", tmp_path / "map.yaml")
        made.append(ROOT / "build" / cohort.slug)
        files = ["--cohort", str(tmp_path / "cohort.csv"), "--map", str(tmp_path / "map.yaml")]
        return ["view", str(tmp_path / "view.yaml"), *files], made[-1] / "export" / "view"

    yield view
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_view_of_such_a_cohort_exports_names_and_no_formula(tmp_path, exported, capsys):
    hostile_cohort(tmp_path)
    command, folder = exported()
    assert main(command) == 0
    assert ARMS[0] in capsys.readouterr().out
    assert formulas(folder) == []
    with (folder / "counts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["group"] for row in rows} == {f"'{arm}" for arm in ARMS}
    assert all(row["data_status"].startswith("'=1+1 <script>") for row in rows)


@pytest.mark.parametrize("name", ["y" * 256, "x" * 5000, "ü" * 200, "../../..", "CON"])
def test_a_cohort_of_any_name_has_its_exports(tmp_path, exported, name, capsys):
    hostile_cohort(tmp_path, name=name)
    command, folder = exported()
    assert main(command) == 0
    assert (folder / "survival.pdf").stat().st_size > 1000


# -- consoles -------------------------------------------------------------------------------

OLDER = ("≥65 y", "<65 y")


@pytest.mark.parametrize(("encoding", "shown"), [("cp1252", r"\u2265"), ("cp437", "≥"),
                                                 ("ascii", r"\u2265")])  # fmt: skip
def test_what_a_console_cannot_show_is_written_out_and_no_export_is_lost(
    tmp_path, exported, encoding, shown
):
    hostile_cohort(tmp_path, name=f"Console in {encoding}", arms=OLDER)
    command, folder = exported()
    done = subprocess.run(
        [sys.executable, "-m", "helpers", *command], cwd=ROOT, capture_output=True, check=False,
        env=os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
    )  # fmt: skip
    said = done.stdout.decode(encoding)
    assert done.returncode == 0, done.stderr.decode(encoding)
    assert f"{shown}65 y" in said and "\nWrote build" in said
    with (folder / "counts.csv").open(encoding="utf-8", newline="") as file:
        assert {row["group"] for row in csv.DictReader(file)} == set(OLDER)
    assert "≥65 y" in (folder / "caption.txt").read_text(encoding="utf-8")
    assert (folder / "survival.png").exists()


def test_a_pipe_that_has_seen_enough_costs_no_export(tmp_path, exported):
    hostile_cohort(tmp_path, name="Pipe")
    command, folder = exported()
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-u", "-m", "helpers", *command], cwd=ROOT, stdout=writing,
        stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    os.close(writing)
    assert done.returncode == 0 and b"Traceback" not in done.stderr
    assert (folder / "counts.csv").exists() and (folder / "survival.pdf").exists()


def test_a_refusal_reaches_any_console_too(tmp_path):
    path = tmp_path / "a≥b\x1b[31m.csv"
    done = subprocess.run(
        [sys.executable, "-m", "helpers", "view", "no.yaml", "--cohort", str(path)], cwd=ROOT,
        capture_output=True, check=False, env=os.environ | {"PYTHONIOENCODING": "cp1252"},
    )  # fmt: skip
    assert done.returncode == 2 and b"Traceback" not in done.stderr


def test_a_name_is_no_command_to_the_terminal(tmp_path, exported, capfd):
    turned = "A\u202eB"
    hostile_cohort(tmp_path, name="Commands", arms=(turned, "old"))
    command, folder = exported()
    assert main(command) == 0
    out = capfd.readouterr().out
    assert r"A\u202eB" in out and turned not in out
    assert main(["view", "a\x1b[2J.yaml"]) == 2
    assert r"a\u001b[2J.yaml" in capfd.readouterr().err
    assert turned in (folder / "counts.csv").read_text(encoding="utf-8"), "Arabic needs such marks"
