"""The book opens from a folder, without a network, and shows what the notebooks hold."""
# ruff: noqa: F811 (a test names the imported fixture as its argument)

import base64
import io
import re
from contextlib import suppress

import nbformat
import pandas as pd
import pytest
from browser import browser, complaints, overflow, requested, resize, visit  # noqa: F401
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image
from selenium.common.exceptions import ElementClickInterceptedException, TimeoutException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from helpers.conventions import NOT_FOR_TREATMENT
from helpers.workshop.book import build_book
from helpers.workshop.pages import _align

TITLE, STATUS = "Salvage after CAR-T", "Real & published data: <a study>"
PLOTLY = "application/vnd.plotly.v1+json"
PAGES = ["index", "00_start_here", "01_curves", "02_stopped", "search"]


def text(source, *tags):
    return new_markdown_cell(source, metadata={"tags": list(tags)})


def code(source, *outputs, tags=(), count=1):
    return new_code_cell(
        source, outputs=list(outputs), execution_count=count, metadata={"tags": list(tags)}
    )


def shown(data, metadata=None):
    return new_output("display_data", data, metadata=metadata or {})


def picture(alt, shade):
    buffer = io.BytesIO()
    Image.new("RGB", (1200, 300), (shade, shade, 200)).save(buffer, "PNG")
    content = base64.b64encode(buffer.getvalue()).decode()
    return shown({"image/png": content, "text/plain": "<Figure>"}, {"image/png": {"alt": alt}})


def figure(alt, label="CD20 CAR-T"):
    line = {"type": "scatter", "x": [0, 100, 200], "y": [1, 0.5, 0.2], "name": label}
    content = {
        "data": [line],
        "layout": {"width": 1100, "height": 300},
        "config": {"plotlyServerURL": "https://plot.ly"},
    }
    return shown({PLOTLY: content, "text/plain": "Figure"}, {PLOTLY: {"alt": alt}})


def table(frame):
    return shown({"text/html": frame.to_html(), "text/plain": str(frame)})


PREAMBLE = [
    code("import numpy as np", count=1),
    code("SEED = 1  # seed", tags=["parameters"], count=2),
    code("rng = np.random.default_rng(SEED)", count=3),
]
COHORT = pd.DataFrame({"arm": ["non-CAR-T", "CD20 CAR-T"], "os_time": [12.5, 8.25]})
WIDE = pd.DataFrame({f"a_long_column_{k}": ["polatuzumab", "other"] for k in range(12)})
START = [
    text("# Who was treated?\n\n[Next](01_curves.ipynb)"),
    *PREAMBLE,
    text("## The cohort\n\nOne row per patient, $h(t) \\le 1$.\n\n$$" + "1 + " * 60 + "S(t)$$"),
    code("cohort", table(COHORT)),
    code("wide", table(WIDE)),
    code("print('x' * 400)", new_output("stream", name="stdout", text="x" * 400)),
]
CURVES = [
    text("# How long do they live?\n\n[Before](00_start_here.ipynb#The-cohort)"),
    *PREAMBLE,
    code("two", picture('Falls & "rests"', 10), picture("Rises", 90)),
    code("figure", figure("Two curves", label="</script><b>")),
    text("The word brentuximab stands on this page only."),
    code("assert True", figure("Folded away"), tags=["solution"]),
    text("In words.", "solution"),
    code("versions", tags=["versions"]),
]
STOPPED = [
    text("An Exception was encountered at 'In [5]'", "papermill-error-cell-tag"),
    text("# What happens when it fails?"),
    code(
        "1 / 0",
        new_output("error", ename="ZeroDivisionError", evalue="division *by* zero", traceback=[]),
    ),
    code("never_run", count=None),
]
SERIES = {"00_start_here": START, "01_curves": CURVES, "02_stopped": STOPPED}


def write(folder, series):
    folder.mkdir(exist_ok=True)
    for name, cells in series.items():
        for k, cell in enumerate(cells):
            cell["id"] = f"cell-{k}"
        controls = {"application/vnd.jupyter.widget-state+json": {"state": {"a": {}}}}
        run = {"start_time": "2026-11-01", "input_path": "/somewhere"}
        metadata = {"papermill": run, "widgets": controls}
        nbformat.write(new_notebook(cells=cells, metadata=metadata), folder / f"{name}.ipynb")
    return folder


def build(tmp_path, cells, name="00_start_here"):
    notebooks = write(tmp_path / "notebooks", {name: cells})
    return build_book(notebooks, tmp_path / "book", title=TITLE, status=STATUS).with_name(
        f"{name}.html"
    )


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = tmp_path_factory.mktemp("series")
    front = build_book(write(folder / "n", SERIES), folder / "book", title=TITLE, status=STATUS)
    assert front == folder / "book" / "index.html"
    return front.parent


def page(book, name):
    return (book / f"{name}.html").read_text(encoding="utf-8")


# What the pages say


@pytest.mark.parametrize("name", PAGES)
def test_every_page_carries_the_data_status(book, name):
    bar = re.search(r'<aside class="bd-header-announcement".*?</aside>', page(book, name), re.S)[0]
    assert "Real &amp; published data: &lt;a study&gt;" in bar
    assert NOT_FOR_TREATMENT in bar


def test_the_front_page_lists_the_notebooks_by_their_titles(book):
    front = page(book, "index").split("<article", 1)[1]
    listed = re.findall(r'toctree-l\d"><a class="[^"]*" href="([^"]+)">([^<]+)</a>', front)
    assert listed == [
        ("00_start_here.html", "Who was treated?"),
        ("01_curves.html", "How long do they live?"),
        ("02_stopped.html", "What happens when it fails?"),
    ]


def test_a_page_leads_to_its_neighbours(book):
    html = page(book, "01_curves")
    assert re.search(r'class="left-prev"\s+href="00_start_here.html"', html)
    assert re.search(r'class="right-next"\s+href="02_stopped.html"', html)


def test_links_between_notebooks_lead_to_pages_and_sections(book):
    assert re.search(r'href="01_curves.html"><[^>]*>Next<', page(book, "00_start_here"))
    (anchor,) = re.findall(r'href="00_start_here.html#([^"]+)"', page(book, "01_curves"))
    assert f'id="{anchor}"' in page(book, "00_start_here")


def test_each_picture_of_a_cell_keeps_its_own_alternative_text(book):
    images = re.findall(r'<img src="([^"]+)" alt="([^"]*)">', page(book, "01_curves"))
    assert [alt for _, alt in images] == ["Falls &amp; &quot;rests&quot;", "Rises"]
    first, second = ((book / source).read_bytes() for source, _ in images)
    assert first.startswith(b"\x89PNG") and first != second


def test_a_plotly_figure_is_named_and_the_library_loaded_once_where_needed(book):
    html = page(book, "01_curves")
    assert html.count('src="_static/plotly.min.js"') == 1
    assert re.findall(r'role="figure" aria-label="([^"]+)"', html) == ["Two curves", "Folded away"]
    assert "</script><b>" not in html
    assert "plotly.min.js" not in page(book, "00_start_here")
    assert len(list(book.rglob("plotly*.js"))) == 1


def test_solutions_versions_and_the_preamble_are_folded(book):
    html = page(book, "01_curves")
    folds = re.findall(r"<details.*?</details>", html, re.S)
    named = [re.search(r"<p class=\"collapsed[^>]*>(.*?)</p>|y>(.*?)</s", fold) for fold in folds]
    assert [name[1] or name[2] for name in named] == [
        *["Imports", "Parameters", "Set-up"],
        *["Solution", "Solution", "Versions"],
    ]
    assert "Folded away" in folds[3] and "In words." in folds[4]
    assert "Two curves" not in "".join(folds)


def test_code_that_is_no_lesson_is_folded_or_left_out_and_what_it_shows_stays(tmp_path):
    cells = [
        text("# Title"),
        code("h.quiz('00', cohort)", table(COHORT), tags=["quiz"]),
        code("h.say(a_sentence)", shown({"text/markdown": "Half of them."}), tags=["remove-input"]),
        code("h.show(a_figure)", picture("Falls", 10), tags=["hide-input"]),
    ]
    html = build(tmp_path, cells).read_text()
    assert "quiz" not in html.split("<article", 1)[1].replace("tag_quiz", "")
    assert "a_sentence" not in html and "Half of them." in html and "12.50" in html
    (fold,) = re.findall(r"<details.*?</details>", html, re.S)
    assert "a_figure" in fold and 'alt="Falls"' in html.replace(fold, "")


def test_numbers_stand_right_and_words_left_in_a_table(book):
    html = page(book, "00_start_here")
    assert '<th class="number">os_time</th>' in html and '<td class="number">12.50</td>' in html
    assert "<th>arm</th>" in html and "<td>CD20 CAR-T</td>" in html


def test_a_narrow_column_breaks_no_p_no_interval_and_no_unit():
    frame = pd.DataFrame({"at": ["12 months"], "points": ["22 (2 to 42), P = 0.029"],
                          "ratio": ["0.28 (0.16 to not reached), P < 0.0001"]})  # fmt: skip
    html = _align(frame.to_html(index=False))
    for whole in ("12 months", "(2 to 42)", "P = 0.029", "(0.16 to not reached)", "P &lt; 0.0001"):
        assert whole.replace(" ", "&nbsp;") in html
    assert "22 (" in html and "), P" in html, "between them it may break"


def test_formulas_are_set_without_a_script(book):
    assert re.search(r"<math.*?<mo>≤</mo>.*?</math>", page(book, "00_start_here"), re.S)
    assert not re.search("<script[^>]*mathjax", page(book, "00_start_here"), re.IGNORECASE)


def test_a_stopped_notebook_says_so_at_its_top_and_on_the_front_page(book):
    html = page(book, "02_stopped").split("<article", 1)[1]
    assert html.index("<h1>") < html.index("This notebook stopped at an error")
    assert html.index("This notebook stopped at an error") < html.index("cell_input")
    assert "<code>ZeroDivisionError: division *by* zero</code>" in html
    assert "An Exception was encountered" not in html
    assert 'href="#stopped-here"' in html and 'id="stopped-here"' in html
    assert "stopped at an error" not in page(book, "01_curves")
    assert re.search(r"Stopped at an error.*02_stopped.html", page(book, "index"), re.S)


def test_an_error_that_was_meant_is_no_stop(tmp_path):
    error = new_output("error", ename="ValueError", evalue="refused", traceback=["refused"])
    html = build(tmp_path, [text("# Title"), code("f()", error, tags=["raises-exception"])])
    assert "stopped at an error" not in html.read_text()


def test_a_control_that_needs_a_kernel_is_replaced_by_a_sentence(tmp_path):
    view = shown({"application/vnd.jupyter.widget-view+json": {"model_id": "a"}})
    html = build(tmp_path, [text("# Title"), code("explorer", view)]).read_text()
    assert "This control works in the running notebook." in html
    assert "require" not in html and "html-manager" not in html


# How it is built


def test_the_same_notebooks_give_the_same_bytes_and_no_word_is_printed(tmp_path, book, capfd):
    again = build_book(write(tmp_path / "n", SERIES), tmp_path / "b", title=TITLE, status=STATUS)
    assert capfd.readouterr() == ("", "")
    first, second = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in (book, again.parent)
    )
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_dates_and_paths_of_the_run_stay_out(book, tmp_path_factory):
    for path in book.rglob("*.*"):
        content = path.read_bytes()
        assert b"2026-11-01" not in content and b"/somewhere" not in content
        assert str(tmp_path_factory.getbasetemp()).encode() not in content


def test_a_new_book_replaces_the_old_one_as_a_whole(tmp_path):
    build(tmp_path, [text("# Old")], name="00_old")
    (tmp_path / "notebooks" / "00_old.ipynb").unlink()
    build(tmp_path, [text("# New")], name="01_new")
    assert not (tmp_path / "book" / "00_old.html").exists()


def test_a_folder_that_is_no_book_is_left_alone(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="not a book"):
        build(tmp_path, [text("# Title")])
    assert (tmp_path / "book" / "thesis.txt").exists()


def test_a_failed_build_leaves_the_earlier_book(tmp_path):
    good = build(tmp_path, [text("# Title")])
    with pytest.raises(ValueError, match="05_later"):
        build(tmp_path, [text("# Title\n\n[gone](05_later.ipynb)")])
    assert good.exists()


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (
            [text("# Title"), text("a\n\n[gone](05_gone.ipynb)")],
            r"start_here.ipynb, cell 2: .*05_gone",
        ),
        ([text("# Title\n\n$\\nonsense{1}$")], r"00_start_here.ipynb.*nonsense"),
        (
            [text("# Title\n\n![x](https://example.org/x.png)")],
            "00_start_here: https://example.org",
        ),
        (
            [text("# Title"), code("a", shown({"text/html": '<script src="//cdn.x/a.js">'}))],
            "//cdn.x",
        ),
        ([text("No title"), code("# comment")], "00_start_here.ipynb has no title"),
        ([text("# Title"), code("1", count=None)], "00_start_here.ipynb was never executed"),
    ],
)
def test_a_page_that_cannot_stand_is_refused_with_its_name(tmp_path, cells, says):
    with pytest.raises(ValueError, match=says):
        build(tmp_path, cells)
    assert not (tmp_path / "book").exists()


def test_a_folder_without_notebooks_and_a_broken_file_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no notebook named like"):
        build_book(tmp_path, tmp_path / "book", title=TITLE, status=STATUS)
    (tmp_path / "00_broken.ipynb").write_text("{")
    with pytest.raises(ValueError, match=r"00_broken\.ipynb cannot be read"):
        build_book(tmp_path, tmp_path / "book", title=TITLE, status=STATUS)


# How it looks and works in a browser


def wait(driver, script, seconds=30):
    return WebDriverWait(driver, seconds).until(lambda d: d.execute_script(f"return {script}"))


def test_the_checks_of_the_browser_can_fail(browser, tmp_path):
    bad = tmp_path / "bad.html"
    bad.write_text(
        '<img src="http://127.0.0.1:9/x.png"><p style="width:3000px">x</p>'
        "<script>throw new Error('broken')</script>"
    )
    visit(browser, bad)
    assert "http://127.0.0.1:9/x.png" in requested(browser)
    assert any("broken" in said for said in complaints(browser))
    assert overflow(browser) > 1000


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing_outside_its_folder(browser, book, name):
    visit(browser, book / f"{name}.html")
    wait(browser, "document.readyState === 'complete'")
    assert browser.find_element(By.CSS_SELECTOR, "main h1:not(.onlyprint h1)").is_displayed()
    asked = requested(browser)
    assert len(asked) > 5
    outside = (book.as_uri(), "data:", "about:", "blob:")
    assert [address for address in asked if not address.startswith(outside)] == []
    assert complaints(browser) == []


def test_search_finds_a_word_and_marks_it_on_its_page(browser, book):
    visit(browser, book / "index.html")
    button = browser.find_element(By.CSS_SELECTOR, ".bd-sidebar-primary .search-button-field")

    def focused(driver):
        return driver.execute_script("return document.activeElement.name") == "q"

    # The button opens and closes: on a busy machine the field gets a while before a second click.
    for _ in range(5):
        with suppress(ElementClickInterceptedException, TimeoutException):
            button.click()
            if WebDriverWait(browser, 8).until(focused):
                break
    browser.switch_to.active_element.send_keys("brentuximab\n")
    hits = "#search-results li a"
    wait(browser, f"document.querySelectorAll('{hits}').length")
    # Sphinx hands the word on through storage that each page clears when it is ready: now and then
    # the page of results is ready last and takes it away. The reader then searches once more.
    for _ in range(4):
        wait(browser, f"document.querySelectorAll('{hits}').length")
        (hit,) = browser.find_elements(By.CSS_SELECTOR, hits)
        hit.click()
        wait(browser, "location.pathname.endsWith('/01_curves.html')")
        with suppress(TimeoutException):
            marked = "document.querySelector('.highlighted')?.textContent"
            assert wait(browser, marked, seconds=10) == "brentuximab"
            break
        browser.back()
    else:
        pytest.fail("the word was not marked on its page in four searches")
    assert complaints(browser) == []


def test_a_plotly_figure_is_drawn_fits_and_answers_to_the_pointer(browser, book):
    resize(browser, 1280)
    visit(browser, book / "01_curves.html")
    wait(browser, "document.querySelector('.plotly-figure .main-svg')")
    div = browser.find_element(By.CLASS_NAME, "plotly-figure")
    assert div.find_element(By.CLASS_NAME, "main-svg").size["width"] <= div.size["width"] < 1100
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", div)
    point = div.find_elements(By.CSS_SELECTOR, ".points path")[1]
    ActionChains(browser).move_to_element(point).perform()
    assert "0.5" in wait(browser, "document.querySelector('.hoverlayer .hovertext')?.textContent")


def test_a_plotly_figure_offers_no_way_to_send_the_data_away(browser, book):
    visit(browser, book / "01_curves.html")
    wait(browser, "document.querySelector('.modebar-btn')")
    buttons = browser.find_elements(By.CLASS_NAME, "modebar-btn")
    titles = [button.get_attribute("data-title") for button in buttons]
    assert len(titles) > 3
    assert not [t for t in titles if re.search("share|cloud|studio|edit", t, re.IGNORECASE)]


def test_plotly_figures_follow_the_width_of_the_page_even_when_folded(browser, book):
    resize(browser, 1280)
    visit(browser, book / "01_curves.html")
    figures = "[...document.querySelectorAll('.plotly-figure')]"
    drawn = f"{figures}.map(f => f.querySelector('.main-svg')?.clientWidth)"
    assert min(wait(browser, f"{drawn}.every(width => width) && {drawn}")) > 500
    resize(browser, 400)
    try:
        assert wait(browser, f"{drawn}.every(width => width < 400)")
        browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert wait(browser, f"{figures}.every(f => f.clientWidth > 300)")
        assert wait(browser, f"{drawn}.every((w, k) => w === {figures}[k].clientWidth)")
    finally:
        resize(browser, 1280)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wider_than_a_telephone(browser, book, name):
    resize(browser, 400)
    try:
        visit(browser, book / f"{name}.html")
        wait(browser, "document.readyState === 'complete'")
        browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert overflow(browser) <= 0
        wide = (
            "[...document.querySelectorAll('article :is(img, .text_html, .plotly-figure, pre)')]"
            ".filter(e => e.getBoundingClientRect().right > 400).length"
        )
        assert browser.execute_script(f"return {wide}") == 0
    finally:
        resize(browser, 1280)


def test_a_wide_table_scrolls_in_its_own_box(browser, book):
    visit(browser, book / "00_start_here.html")
    box = "document.querySelectorAll('.text_html')[1]"
    assert wait(browser, f"{box}.scrollWidth > {box}.clientWidth + 100")
    assert browser.execute_script(f"return getComputedStyle({box}).overflowX") == "auto"
