"""The glossary, the references and the instructor's guide promise only what is there."""

import json
import re

import pytest

from helpers.cohort import ROOT
from helpers.pages.reference_page import (
    DOI,
    NOTEBOOKS,
    TOPICS,
    bold_terms,
    citations,
    cited_in,
    dois,
    entries,
    glossary,
    glossary_text,
    read_authors,
    reference_text,
    without_tex,
)
from helpers.words import plain
from helpers.workshop.book import anchor

TERMS, PRINTED, WORKS = glossary(), bold_terms(), entries()
LETTERS = [("A", "C"), ("D", "F"), ("G", "K"), ("L", "O"), ("P", "R"), ("S", "W")]


def keys(frame):
    return frame["term"].str.casefold()


def headings(name):
    cells = json.loads((NOTEBOOKS / name).read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return {anchor(found) for found in re.findall(r"^#+ (.+)$", text, re.M)}


# The glossary


def test_the_glossary_holds_every_bold_term_of_the_series_and_no_other():
    assert set(keys(TERMS)) == set(keys(PRINTED))
    assert keys(TERMS).is_unique


def test_a_term_is_bold_once_in_the_whole_series():
    assert keys(PRINTED).is_unique, PRINTED[keys(PRINTED).duplicated(keep=False)]


def test_each_term_names_the_page_that_defines_it():
    where = PRINTED.assign(key=keys(PRINTED)).set_index("key")["notebook"]
    assert (where[keys(TERMS)].to_numpy() == TERMS["notebook"]).all()


def test_a_definition_is_one_sentence_that_says_more_than_its_term():
    for row in TERMS.itertuples():
        assert re.fullmatch(r"[A-Z][^\n]{25,250}\.", row.definition), row.term
        assert not re.search(r"\. [A-Z]", row.definition), row.term
        assert not re.search(r"\b(simply|just|obviously|clearly)\b", row.definition), row.term


def test_related_terms_are_terms_and_the_file_is_in_order():
    for row in TERMS.itertuples():
        also = [term.strip() for term in row.see_also.split(";") if term]
        assert set(also) <= set(TERMS["term"]) - {row.term}, row.term
    assert TERMS["term"].tolist() == sorted(TERMS["term"], key=str.casefold)


def test_the_sections_of_the_page_list_every_term_once_and_link_to_headings_that_exist():
    text = "".join(glossary_text(first, last) for first, last in LETTERS)
    assert text.count("- **") == len(TERMS)
    links = re.findall(r"\]\(<([^#>]+)(?:#([^>]+))?>\)", text)
    assert len(links) == len(TERMS)
    for name, heading in links:
        assert not heading or heading in headings(name), (name, heading)
    assert sum(not heading for _, heading in links) <= 5, "only what a cohort may leave out"
    page = (NOTEBOOKS / "90_glossary.ipynb").read_text(encoding="utf-8")
    for first, last in LETTERS:
        assert f'glossary_text(\\"{first}\\", \\"{last}\\")' in page


# The references


def test_every_doi_that_is_cited_anywhere_is_in_the_references():
    known = {work["doi"].lower() for work in WORKS if "doi" in work}
    for name, text in citations().items():
        written = {doi for doi in dois(text) if "{" not in doi}  # one is put together in code
        assert written <= known, (name, written - known)


def test_the_shared_reader_of_dois_finds_old_ones_whole():
    cell = (
        "([Newcombe 1998](https://doi.org/10.1002/(SICI)1097-0258(1998)17:8<873::AID>3.0.CO;2-I))."
    )
    assert DOI.findall(cell) == ["10.1002/(SICI)1097-0258(1998)17:8<873::AID>3.0.CO;2-I"]


@pytest.mark.parametrize("work", WORKS, ids=[work["key"] for work in WORKS])
def test_every_work_is_cited_and_says_what_a_reader_needs_to_find_it(work):
    assert cited_in(work), "cited nowhere: cite it or take it out"
    assert {"author", "title", "year", "keywords"} <= set(work)
    assert work["keywords"] in TOPICS
    assert "journal" in work or {"publisher", "address"} <= set(work)
    assert "doi" in work or "url" in work or work["kind"] == "book"


def test_no_work_is_listed_twice():
    for field in ("key", "doi", "title"):
        found = [work[field].lower() for work in WORKS if field in work]
        assert len(found) == len(set(found)), field


def test_the_parser_reads_every_entry_of_the_file():
    text = (ROOT / "data" / "references.bib").read_text(encoding="utf-8")
    assert len(WORKS) == text.count("\n@") + text.startswith("@")


def test_the_page_lists_every_work_once():
    text = "".join(reference_text(topic) for topic in TOPICS)
    assert len(re.findall(r"^- ", text, re.M)) == len(WORKS)
    for work in WORKS:
        assert text.count(plain(work["title"])) >= 1, work["key"]
    page = (NOTEBOOKS / "91_references.ipynb").read_text(encoding="utf-8")
    for topic, title in TOPICS.items():
        assert f"## {title}" in page and f'reference_text(\\"{topic}\\")' in page


def test_the_page_says_what_of_a_work_was_not_found():
    noted = [work for work in WORKS if "note" in work]
    assert noted
    for work in noted:
        (item,) = [
            line for line in reference_text(work["keywords"]).splitlines()
            if plain(work["title"]) in line
        ]  # fmt: skip
        assert item.endswith(f" *{work['note']}.*")


def test_tex_and_names_are_read_as_they_are_printed():
    assert without_tex(r"Hern{\'a}n") == "Hernán"
    assert without_tex("``optimal'' {CAR}, 13--15") == '"optimal" CAR, 13-15'
    assert without_tex("10.1002/a--b") == "10.1002/a-b"
    assert read_authors("van Smeden, M. and others") == "van Smeden M, et al."
    assert read_authors("{A group}") == "{A group}"


# The instructor's guide

GUIDE = json.loads((NOTEBOOKS / "92_instructors_guide.ipynb").read_text(encoding="utf-8"))["cells"]
FIGURE = re.compile(r"\[Figure (\d+) of page (\d\d)\]\(((\d\d)_\w+\.ipynb)#((?:[^()\s])+)\)")
SESSION = {
    "Twenty minutes": 20, "Forty-five minutes": 45, "Sixty minutes": 60, "Ninety minutes": 90,
}  # fmt: skip


def said(cells):
    return ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]


def figures(name):
    """Numbers of the figures of a page, each with the tags of its cell and the heading above."""
    found, heading = {}, ""
    for cell in json.loads((NOTEBOOKS / name).read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            heading = (re.findall(r"^#+ (.+)$", "".join(cell["source"]), re.M) or [heading])[-1]
        for output in cell.get("outputs", []):
            caption = "".join(output.get("data", {}).get("text/markdown", ""))
            if number := re.match(r"\*\*Figure (\d+)\.\*\* ", caption):
                found[int(number[1])] = (cell["metadata"].get("tags", []), anchor(heading))
    return found


def test_every_figure_the_guide_names_exists_and_its_link_leads_to_it():
    named = [(cell, found) for cell in GUIDE for found in FIGURE.findall("".join(cell["source"]))]
    assert len(named) >= 13
    for cell, (number, page, name, starts, heading) in named:
        assert page == starts
        tags, above = figures(name)[int(number)]
        assert heading == above, (name, number)
        if "paper-only" not in cell["metadata"].get("tags", []):
            conditions = set(tags) - {"hide-input"}
            assert not conditions, f"{name}, figure {number}: not there for every cohort"
    mentioned = sum(len(re.findall(r"\bFigure \d", text)) for text in said(GUIDE))
    assert mentioned == len(named), "a figure is named without its link"


def test_every_question_in_quotation_marks_is_asked_on_the_page_of_its_figure():
    asked = 0
    for text in said(GUIDE):
        for question in re.findall(r'^- \*Ask:\*.* "([^"]+)"\.?$', text, re.M):
            name = FIGURE.search(text)[3]
            cells = json.loads((NOTEBOOKS / name).read_text(encoding="utf-8"))["cells"]
            assert question in "\n".join(said(cells)), question
            asked += 1
    assert asked >= 8


def test_the_minutes_of_each_plan_add_up_and_each_step_has_its_four_parts():
    plans = re.split(r"^## ", "\n\n".join(said(GUIDE)), flags=re.M)
    for name, minutes in SESSION.items():
        (plan,) = (part for part in plans if part.startswith(name))
        assert sum(map(int, re.findall(r"^### .+\((\d+) minutes\)$", plan, re.M))) == minutes
        steps = plan.count("- *Show:*")
        assert steps >= 3 and "### Closing" in plan
        assert all(
            plan.count(f"- *{part}:*") == steps for part in ("Ask", "Often answered", "Answer")
        )
        assert plan.partition("### Closing")[2].count("- *Task:*") == 1


def shown(name):
    """What a page shows beside its prose: sentences, tables and predictions, as plain text."""
    text = []
    for cell in json.loads((NOTEBOOKS / name).read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            text.append("".join(data.get("text/html", data.get("text/markdown", ""))))
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", "\n".join(text)))


def answer(title):
    """The answer of a step of the guide."""
    (step,) = (text for text in said(GUIDE) if text.startswith(f"### {title} ("))
    return step.split("- *Answer:* ")[1]


def test_the_numbers_of_the_hour_are_those_of_its_pages():
    time, printed, hangs = map(shown, (
        "09_bias_and_time.ipynb", "10_what_the_print_pins_down.ipynb",
        "11_what_it_hangs_on.ipynb",
    ))  # fmt: skip
    ever = float(re.search(r"It is ([\d.]+)\. All days of waiting", time)[1])
    assert answer("Where the clock starts").startswith(f"About {ever:.1f},")
    hidden = r"hidden trait unadjusted .*? adjusted by Cox (\S+) .*? weighted (\S+) "
    cox, weighted = re.search(hidden, time).groups()
    assert f"adjusting shows about {cox} and weighting about {weighted}," in answer(
        "Who was chosen"
    )
    points = re.search(r"It is (\d+) points\. A median says", printed)[1]
    low, high = re.search(r"6-month OS, CD20 CAR-T (\d+%) to (\d+%)", printed).groups()
    open_ = answer("What the print leaves open")
    assert open_.startswith(f"{points}: ") and f"from {low} to {high}." in open_
    width = re.search(r"farthest of these lies (\d+%) of the interval's width", hangs)[1]
    assert f"move the ratio by {width} of the width" in answer("On how few patients")
    truth, n, middle, below = re.search(
        r"true ratio is (\S+), and the middle of the (\d+) analyses (\S+): (\d+) of", hangs
    ).groups()
    assert answer("All analyses at once").startswith(
        f"At {middle}, where {truth} is true: {below} of the {n} lie "
    )


def test_the_plans_are_for_the_instructor_and_what_is_left_is_a_page():
    """Without its plans the page keeps title, aims, set-up and recap, so that links to it hold."""
    kept = [c for c in GUIDE if "instructor" not in c["metadata"].get("tags", [])]
    assert [c["cell_type"] for c in kept] == ["markdown"] * 2 + ["code"] * 3 + ["markdown", "code"]
    for text in said(kept):
        assert "Often answered" not in text and "Answer:" not in text


def test_the_guide_says_what_the_data_must_not_be_used_for():
    text = "\n".join(said(GUIDE))
    section = text.split("## What these data must not be used for")[1].split("\n## ")[0]
    assert section.count("\n- *") >= 5 and "treat anybody" in section
