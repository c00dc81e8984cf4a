"""Every edition opens from a folder, shows what it should, and can be read by everybody."""
# ruff: noqa: F811 (a test names the imported fixture as its argument)

import re
from base64 import b64decode
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from browser import browser, complaints, overflow, requested, resize, visit  # noqa: F401
from lxml import html as lxml_html
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from test_book import COHORT as TWO
from test_book import PREAMBLE, code, figure, picture, shown, table, text, write

from helpers.cohort import ROOT
from helpers.conventions import NOT_FOR_TREATMENT
from helpers.workshop.editions import build_editions, exercises, instructor, minutes_of, student
from helpers.workshop.files import read, tags
from helpers.workshop.plans import read_plans
from helpers.workshop.series import series
from helpers.workshop.slides import without_rows

TITLE, STATUS = "Salvage after CAR-T", "Synthetic & calibrated: <no patients>"
EDITIONS = ("book", "student", "instructor", "slides")
GUIDE = "92_instructors_guide.ipynb"


def caption(number, takeaway):
    said = f"**Figure {number}.** Survival, n = 93. Source: invented. *{takeaway}*"
    return shown({"text/markdown": said, "text/plain": "Markdown"})


FIRST = [
    text("# Who was treated?\n\nRead on. [Next](01_curves.ipynb)"),
    text(
        "## What you will be able to do\n\n1. Count patients.\n2. Name arms.\n\nTime: 30 minutes."
    ),
    *PREAMBLE,
    text("## The count\n\nTwo arms."),
    code("draw()", picture("Two bars", 10), caption(1, "One arm is larger.")),
    text("The first.\n\n### Exercise 1\n\nCount the arms. Twice, please.", "exercise"),
    code("mine = None", tags=["exercise"]),
    text("**Solution.** Zanzibarine of them.", "solution"),
    code("quokka = 2", table(TWO.assign(arm="wombat")), picture("Okapi", 77), tags=["solution"]),
    text("Fellows often say numbat here.", "instructor"),
    text("## Closing\n\nAsk for the bandicoot.", "instructor"),
    code("axolotl()", figure("Tapir"), tags=["instructor"]),
    text("Which one is right? Press a capybara.", "quiz"),
    code("quiz(1)", table(TWO), figure("Two curves"), tags=["quiz"]),
]
PLANS = """## Forty-five minutes: two figures

One after the other.

### Which arm (20 minutes)

- *Show:* [Figure 1 of page 00](00_start_here.ipynb#The-count).
- *Ask:* which [arm](01_curves.ipynb) is larger?
- *Often answered:* numbat, by all.

### How they part (20 minutes)

- *Ask:* two curves. "do they part?"
- *Show:* [Figure 1 of page 01](01_curves.ipynb#The-curves), its rows covered.
- *Often answered:* tapir.

### Not in this run (4 minutes)

- *Show:* [Figure 9 of page 01](01_curves.ipynb#The-curves).
- *Ask:* who draws the axolotl?

### Closing (1 minutes)

- *Task:* say it.

## Ninety minutes: one that moves

### Point at it (90 minutes)

- *Show:* [Figure 2 of page 01](01_curves.ipynb#The-curves).
- *Ask:* what stands at the step?
"""
SECOND = [
    text("# How long do they live?\n\n[Before](00_start_here.ipynb#The-count)"),
    text("## What you will be able to do\n\n- Read curves.\n\nTime: 45 minutes."),
    *PREAMBLE,
    text("## The curves"),
    code("draw()", picture("Two curves", 90), caption(1, "They part.")),
    code("plotly()", figure("Curves with hover"), caption(2, "It answers.")),
    text(PLANS, "instructor"),
    code("versions", tags=["versions"]),
]
HIDDEN = ("zanzibarine", "quokka", "wombat", "okapi")
NOTES = ("numbat", "bandicoot", "axolotl", "tapir")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    notebooks = write(folder / "n", {"00_start_here": FIRST, "01_curves": SECOND})
    told = {"title": TITLE, "status": STATUS, "caution": NOT_FOR_TREATMENT}
    built = build_editions(notebooks, folder, **told)
    assert built == {name: folder / name / "index.html" for name in EDITIONS}
    return folder


@pytest.fixture(scope="module")
def series_built(tmp_path_factory):
    """The editions of our own series, from the outputs that are committed."""
    folder = tmp_path_factory.mktemp("series")
    told = {"title": TITLE, "status": STATUS, "caution": NOT_FOR_TREATMENT}
    build_editions(ROOT / "notebooks", folder, **told)
    return folder


def words(page):
    return page.read_text(encoding="utf-8").lower()


def everything(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return b"\n".join(path.read_bytes() for path in files).lower()


def joined(source):
    return re.sub(r"\s+", "", source)


def readable(page):
    """The words of a page without markup and blanks, to be compared with those of a cell."""
    return joined(unescape(re.sub(r"<[^>]*>", "", page)))


# What each edition holds


def test_the_student_edition_keeps_no_solution_no_note_and_none_of_their_outputs(small):
    found = everything(small / "student")
    for word in (*HIDDEN, *NOTES):
        assert word.encode() not in found, word
    assert b"capybara" in found and b"count the arms" in found, "quiz and exercise stay"
    drawn = [path.read_bytes() for path in (small / "student").rglob("figures/*.png")]
    kept = [b64decode(picture("", shade).data["image/png"]) for shade in (10, 90)]
    assert {*drawn} == {*kept}, "the figures of both pages, not that of the solution"


def test_no_line_of_our_own_solutions_and_notes_is_left_in_the_student_edition(series_built):
    for path in series(ROOT / "notebooks"):
        cells = read(path).cells
        hidden = [c for c in cells if {"solution", "instructor"} & set(tags(c))]
        kept = joined("\n".join(c.source for c in cells if c not in hidden))
        page = readable((series_built / "student" / f"{path.stem}.html").read_text("utf-8"))
        lines = {joined(line) for c in hidden for line in c.source.splitlines()}
        lines = {line for line in lines if len(line) > 25 and line not in kept}
        reference = path.stem[:2] in ("90", "91")  # nothing to solve, nothing to hide
        assert bool(lines) != reference, path.stem
        assert not [line for line in lines if line in page]


def test_the_book_folds_solutions_and_leaves_notes_out(small):
    page = words(small / "book" / "00_start_here.html")
    folds = "".join(re.findall(r"<details.*?</details>", page, re.S))
    assert "zanzibarine" in folds and "quokka" in folds and "capybara" in page
    assert not [word for word in NOTES if word.encode() in everything(small / "book")]


def test_the_instructors_edition_unfolds_solutions_and_shows_notes(small):
    page = words(small / "instructor" / "00_start_here.html")
    folds = "".join(re.findall(r"<details.*?</details>", page, re.S))
    for word in (*HIDDEN[:3], *NOTES, "capybara"):
        assert word in page and word not in folds, word


def test_the_instructor_finds_minutes_and_exercises_on_the_page_and_up_front(small):
    page = words(small / "instructor" / "00_start_here.html")
    note = page[page.index("for the instructor") :]
    assert "time: 30 minutes." in note
    assert re.search(r'href="#exercise-1">.*?exercise 1.*?</a>: count the arms\.', note)
    front = words(small / "instructor" / "index.html").split("<article", 1)[1]
    assert re.findall(r'href="01_curves.html#([^"]+minutes[^"]+)"', front) == [
        "forty-five-minutes-two-figures",
        "ninety-minutes-one-that-moves",
    ]
    assert "toctree-l1" not in front, "the pages are listed once"
    front = readable(front)
    assert "pageminutesexerciseswhowastreated?301howlongdotheylive?45none" in front
    assert "allpages75" in front


def test_every_numbered_page_of_ours_says_its_minutes_and_has_exercises():
    for path in series(ROOT / "notebooks"):
        if path.stem < "90":
            assert minutes_of(read(path)) and exercises(read(path)), path.stem


def test_choosing_cells_changes_no_notebook():
    cells = nbformat.v4.new_notebook(cells=FIRST)
    before = nbformat.writes(cells)
    student(cells), instructor(cells)
    assert nbformat.writes(cells) == before


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_page_and_slide_says_where_the_data_come_from(small, edition):
    for page in (small / edition).glob("*.html"):
        places = page.read_text(encoding="utf-8")
        parts = (
            re.findall(r"<section.*?</section>", places, re.S) if edition == "slides" else [places]
        )
        for part in parts:
            assert "Synthetic &amp; calibrated: &lt;no patients&gt;" in part
            assert NOT_FOR_TREATMENT in part


# The slides


def slides_of(folder, deck="index"):
    page = lxml_html.parse(folder / "slides" / f"{deck}.html").getroot()
    return page.xpath("//section")


def test_each_step_of_the_plan_is_a_question_and_then_the_figure_that_answers_it(small):
    slides = slides_of(small)
    kinds = [slide.get("class") for slide in slides]
    assert kinds == ["title", "list", *["question", "answer"] * 2, "question"]
    assert "Forty-five minutes: two figures" in slides[0].text_content()
    agenda = [step.text_content() for step in slides[1].xpath(".//li")]
    assert agenda == ["Which arm, 20 minutes", "How they part, 20 minutes"]
    for question, answer, asks, alt, says in (
        (*slides[2:4], "Which arm is larger?", "Two bars", "One arm is larger."),
        (*slides[4:6], "Two curves. Do they part?", "Two curves", "They part."),
    ):
        assert question.xpath(".//*[@class='asked']")[0].text_content() == asks
        assert says not in question.text_content()
        assert answer.xpath(".//img/@alt") == [alt]
        assert says in answer.xpath(".//*[@class='takeaway']")[0].text_content()
        assert "Figure 1. Survival, n = 93." in answer.text_content()
    assert slides[6].xpath(".//*[@class='asked']")[0].text_content() == "Say it."


def test_a_figure_stands_with_its_question_unless_the_guide_asks_first(small):
    shown, asked_first = slides_of(small)[2], slides_of(small)[4]
    assert shown.xpath(".//img/@alt") == ["Two bars"]
    assert not asked_first.xpath(".//img")


def test_an_interactive_figure_reaches_its_slides_and_its_library_only_that_deck(small):
    question, answer = slides_of(small, "90_minutes")[2:4]
    for slide in (question, answer):
        assert slide.xpath(".//*[@class='live']/@aria-label") == ["Curves with hover"]
    sizes = {path.stem: path.stat().st_size for path in (small / "slides").iterdir()}
    assert sizes["90_minutes"] > 3e6 > 1e5 > sizes["index"]


def test_every_step_of_our_guide_has_its_slides():
    """A figure is there for each, and the question is the one of the guide."""
    plans = read_plans(map(read, series(ROOT / "notebooks")))
    assert [plan.minutes for plan in plans] == [20, 45, 60, 90]
    guide = "\n".join(cell.source for cell in read(ROOT / "notebooks" / GUIDE).cells)
    assert sum(len(plan.steps) for plan in plans) == guide.count("- *Show:*") >= 13
    assert all(plan.task for plan in plans)


@pytest.mark.parametrize("minutes", [20, 45, 60, 90])
def test_our_decks_show_a_figure_for_every_step_and_beside_every_question_about_one(
    series_built, minutes
):
    plan = next(
        p for p in read_plans(map(read, series(ROOT / "notebooks"))) if p.minutes == minutes
    )
    slides = slides_of(series_built, "index" if minutes == 45 else f"{minutes}_minutes")
    drawn = [len(slide.xpath(".//figure")) for slide in slides]
    expected = [n for step in plan.steps for n in (0 if step.ask_first else 1, 1)]
    assert drawn == [0, 0, *expected, 0]
    for slide in slides:
        asked = "".join(found.text_content() for found in slide.xpath(".//*[@class='asked']"))
        if re.search(
            r"\bfigure|\bcurves alone|\bquestion marks|\bthese? (?:two|rows)", asked, re.I
        ):
            assert slide.xpath(".//figure"), f"it is about a figure that is not there: {asked}"
        elsewhere = r"\b(?:this|first|next|last) (?:table|page)\b|\b(?:above|below)[.,:?]"
        assert not re.search(elsewhere, asked, re.I), asked


def test_rows_that_are_covered_are_not_in_the_picture():
    picture = Image.new("L", (200, 100), 255)
    for top, ink in (
        (40, range(200)),
        (41, [20]),
        (50, [20, 21]),
        (60, [90]),
        (75, [9]),
        (90, [9]),
    ):
        for x in ink:
            picture.putpixel((x, top), 0)
    covered = without_rows(picture)
    assert 60 < covered.height < 75, "cut between the label of the axis and the first row"
    blank = Image.new("L", (200, 100), 255)
    assert without_rows(blank).size == blank.size, "no axis, nothing to cover"


def test_slides_show_no_solution_no_note_and_no_quiz(small):
    found = everything(small / "slides")
    assert not [w for w in (*HIDDEN, *NOTES, "capybara") if w.encode() in found]


def test_a_folder_that_holds_no_slides_is_left_alone(small, tmp_path):
    (tmp_path / "slides").mkdir()
    (tmp_path / "slides" / "thesis.txt").write_text("years of work")
    told = {"title": TITLE, "status": STATUS, "caution": NOT_FOR_TREATMENT}
    with pytest.raises(ValueError, match="not slides"):
        build_editions(small / "n", tmp_path, chosen=["slides"], **told)


# Links


def broken(folder):
    """Return the links of the pages of a folder that lead nowhere in it."""
    pages = {path: lxml_html.parse(path).getroot() for path in folder.glob("*.html")}
    found = []
    for path, page in pages.items():
        for link in page.xpath("//@href | //@src"):
            if re.match(r"(?:https?|mailto|data):", link):
                continue
            file, _, anchor = link.partition("#")
            target = (path.parent / unquote(file.partition("?")[0])).resolve() if file else path
            anchors = set(pages[target].xpath("//@id")) if target in pages else None
            if not target.is_file() or (anchor and unquote(anchor) not in (anchors or ())):
                found.append(f"{path.name}: {link}")
    return found


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("which", ["small", "series_built"])
def test_every_internal_link_leads_to_a_page_and_a_place_on_it(request, which, edition):
    assert broken(request.getfixturevalue(which) / edition) == []


def test_a_broken_link_would_be_found(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html">x</a><a href="#no">y</a><img src="c.png">')
    assert broken(tmp_path) == ["a.html: b.html", "a.html: #no", "a.html: c.png"]


# In a browser


# Reading cascading styles again and listing what passes take time and find nothing here.
AXE = """
const [done] = arguments;
axe.run(document, {resultTypes: ['violations'], preload: false}).then(
  found => done(found.violations.map(v => [v.impact, v.id, v.nodes[0].target.join(' ')])),
  error => done([['critical', `${error}`, '']]));
"""


def axe(driver):
    """Return what axe-core finds serious or critical: the rule and the first element of each."""
    import selenium_axe_python

    script = Path(selenium_axe_python.__file__).parent / "axe-core" / "axe.min.js"
    driver.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    driver.execute_script(script.read_text(encoding="utf-8"))
    found = driver.execute_async_script(AXE)
    return [rule for rule in found if rule[0] in ("serious", "critical")]


def test_axe_finds_what_is_wrong(browser, tmp_path):
    (tmp_path / "a.html").write_text("<img src='data:,'><p style='color:#ccc'>pale</p>")
    visit(browser, tmp_path / "a.html")
    assert {"image-alt", "color-contrast"} <= {rule[1] for rule in axe(browser)}


@pytest.mark.parametrize("edition", EDITIONS)
def test_pages_fetch_nothing_from_a_network_complain_of_nothing_and_pass_axe(
    browser, small, edition
):
    for page in sorted((small / edition).glob("*.html")):
        visit(browser, page)
        assert axe(browser) == [], page.name
        assert not [
            url for url in requested(browser) if not url.startswith(("file:", "data:", "blob:"))
        ]
        assert complaints(browser) == []


@pytest.mark.parametrize("edition", ["book", "instructor"])
def test_every_page_of_ours_passes_axe_colours_included(browser, series_built, edition):
    """The student edition holds nothing that the book does not."""
    pages = sorted((series_built / edition).glob("*.html"))
    assert len(pages) >= len(series(ROOT / "notebooks")) + 2
    for page in pages:
        visit(browser, page)
        assert axe(browser) == [], page.name


DECKS = ("20_minutes", "index", "60_minutes", "90_minutes")


def turn(browser, n):
    """Show a slide, and wait until what is drawn on it is there."""
    browser.execute_script(f"show({n})")
    WebDriverWait(browser, 30).until(
        lambda driver: driver.execute_script(
            "const live = slides[at].querySelector('.live');"
            "return !live || live.querySelector('.main-svg') !== null"
        )
    )


@pytest.mark.parametrize("deck", DECKS)
def test_every_slide_of_ours_passes_axe_and_fits_narrow_and_enlarged_screens(
    browser, series_built, deck
):
    visit(browser, series_built / "slides" / f"{deck}.html")
    count = browser.execute_script("return slides.length")
    try:
        for width in (400, 640, 1280):  # 640 is a screen of 1280 at 200%
            resize(browser, width)
            for n in range(count):
                turn(browser, n)
                assert overflow(browser) <= 0, (width, n)
    finally:
        resize(browser, 1280)
    browser.execute_script("document.documentElement.classList.remove('js')")  # all at once
    assert axe(browser) == []


@pytest.mark.parametrize("deck", DECKS)
def test_no_slide_of_ours_scrolls_on_a_projector_and_its_figure_fills_it(
    browser, series_built, deck
):
    resize(browser, 1280, 800)
    try:
        visit(browser, series_built / "slides" / f"{deck}.html")
        for n in range(browser.execute_script("return slides.length")):
            turn(browser, n)
            size = browser.execute_script(
                "const page = document.documentElement, "
                "figure = slides[at].querySelector('figure img, figure .live');"
                "return [page.scrollHeight, page.scrollWidth, figure && figure.clientHeight]"
            )
            assert size[0] <= 800 and size[1] <= 1280, (n, size)
            assert size[2] is None or size[2] >= 360, f"slide {n}: a figure of {size[2]} pixels"
    finally:
        resize(browser, 1280)


# What a mouse can use, outside of figures, and a keyboard cannot reach.
MOUSE_ONLY = """
const used = e => getComputedStyle(e).cursor === "pointer" || e.onclick || e.role === "button";
return [...document.querySelectorAll("body *")].filter(e => e.checkVisibility()
  && !e.closest(".plotly-figure, a[href], button, summary, label, input, select, [tabindex]")
  && used(e)).map(e => e.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize(
    ("edition", "width"), [("book", 640), ("instructor", 640), ("instructor", 400)]
)
def test_pages_of_ours_are_readable_at_200_percent_and_on_a_telephone(
    browser, series_built, edition, width
):
    resize(browser, width)  # 640 is a screen of 1280 at 200%
    try:
        for page in sorted((series_built / edition).glob("*.html")):
            visit(browser, page)
            assert overflow(browser) <= 0, page.name
            stuck = browser.execute_script(
                "return [...document.querySelectorAll('article .output, article pre')].filter("
                "e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth && e.tabIndex < 0"
                " && !e.querySelector('a, button, [tabindex]')).length"
            )
            assert stuck == 0, f"{page.name}: what scrolls is reached by the keyboard"
            assert browser.execute_script(MOUSE_ONLY) == [], page.name
    finally:
        resize(browser, 1280)


TABBED = """
window.met = new Set(); window.unseen = [];
addEventListener("focusin", ({target}) => {
  const {outlineStyle, outlineWidth} = getComputedStyle(target);
  met.add(target);
  if (outlineStyle === "none" || outlineWidth === "0px") unseen.push(target.outerHTML.slice(0, 80));
});
const all = document.querySelectorAll("a[href], button, summary, input, [tabindex]");
// The buttons of one choice are one stop, and arrow keys lead from one to the next.
window.wanted = [...all].filter(e => e.checkVisibility({visibilityProperty: true})
  && e.tabIndex >= 0 && !e.disabled && !e.matches("[type=radio]:not(:checked)")
  && e.getClientRects().length);"""


@pytest.mark.parametrize("name", ["00_start_here", "08_salvage_options", "search"])
def test_the_tab_key_reaches_all_that_can_be_used_and_shows_where_it_is(
    browser, series_built, name
):
    visit(browser, series_built / "book" / f"{name}.html")
    browser.execute_script(TABBED)
    wanted = browser.execute_script("return wanted.length")
    assert wanted > 10
    for _ in range(wanted // 20 + 2):
        keys = ActionChains(browser, duration=0)
        for _ in range(20):
            keys.send_keys(Keys.TAB)
        keys.perform()
    missed = "return wanted.filter(e => !met.has(e)).map(e => e.outerHTML.slice(0, 80))"
    assert browser.execute_script(missed) == []
    assert browser.execute_script("return unseen") == []


def test_the_keyboard_turns_the_slides(browser, small):
    visit(browser, small / "slides" / "index.html")
    body = browser.find_element("tag name", "body")
    shown = "return slides.filter(slide => slide.offsetHeight).map(slide => slide.id)"
    assert browser.execute_script(shown) == ["start"]
    keys = [
        (Keys.ARROW_RIGHT, "steps"), (Keys.PAGE_DOWN, "step-1-predict"),
        (Keys.ARROW_LEFT, "steps"), (Keys.END, "closing"), (Keys.ARROW_RIGHT, "closing"),
        (Keys.HOME, "start"),
    ]  # fmt: skip
    for key, slide in keys:
        body.send_keys(key)
        assert browser.execute_script(shown) == [slide]
        assert browser.execute_script("return location.hash") == f"#{slide}"
        focused = browser.execute_script("return document.activeElement.id")
        assert focused == f"{slide}-h", "a screen reader begins there"


def test_a_slide_can_be_linked_to(browser, small):
    visit(browser, small / "slides" / "index.html", "#step-2-predict")
    assert browser.execute_script("return document.querySelector('.now').id") == "step-2-predict"
    browser.find_element("id", "back").click()
    assert browser.execute_script("return document.querySelector('.now').id") == "step-1"
