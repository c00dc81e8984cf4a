"""The rules for notebooks that a program can check, on every committed notebook."""

import ast
import json
import re
import statistics
from itertools import pairwise

import pytest

from helpers.cohort import ROOT
from helpers.notebook import SHOWN_PACKAGES

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PARAMETERS = {"SEED", "COHORT", "MAP", "VIEW", "HORIZON", "FAST"}
CELL_TAGS = {
    "imports", "parameters", "setup", "paper-only", "exercise", "solution", "quiz", "instructor",
    "versions", "nbval-ignore-output", "hide-cell", "hide-input", "remove-input", "predict",
}  # fmt: skip
STABLE = {"text/plain", "text/html", "text/markdown", "image/png", "application/vnd.plotly.v1+json"}


class Notebook:
    def __init__(self, path):
        self.path, self.size = path, path.stat().st_size
        self.raw = json.loads(path.read_text(encoding="utf-8"))
        self.cells = self.raw["cells"]
        for cell in self.cells:
            cell["text"] = "".join(cell["source"])
            cell["tags"] = cell["metadata"].get("tags", [])
        self.code = [c for c in self.cells if c["cell_type"] == "code"]
        self.prose = [c for c in self.cells if c["cell_type"] == "markdown"]
        aside = {"exercise", "solution", "quiz", "predict"}  # what is done, not read
        self.main = [c for c in self.cells if not aside & set(c["tags"])]

    def tagged(self, tag):
        return [c for c in self.cells if tag in c["tags"]]

    def outputs(self):
        return [o for c in self.code for o in c["outputs"]]

    def headings(self):
        found = []
        for cell in self.prose:
            found += re.findall(r"^(#+) (.+)$", cell["text"], re.M)
        return [(len(marks), text) for marks, text in found]


@pytest.fixture(params=NOTEBOOKS, ids=[p.stem for p in NOTEBOOKS])
def notebook(request):
    return Notebook(request.param)


def lines(cell):
    return [line for line in cell["text"].splitlines() if line.strip() and not line.startswith("#")]


def test_there_is_a_first_notebook():
    assert NOTEBOOKS and NOTEBOOKS[0].stem == "00_start_here"


def test_the_file_is_named_by_number_and_topic(notebook):
    assert re.fullmatch(r"\d\d_[a-z0-9]+(_[a-z0-9]+)*\.ipynb", notebook.path.name)


def test_it_opens_with_a_question_two_sentences_and_the_data_status(notebook):
    first = notebook.cells[0]
    assert first["cell_type"] == "markdown"
    title = first["text"].splitlines()[0]
    assert title.startswith("# ") and title.endswith("?")
    assert "**Data status:**" in first["text"]
    assert sum(level == 1 for level, _ in notebook.headings()) == 1


def test_it_links_to_the_pages_before_and_after(notebook):
    at, text = NOTEBOOKS.index(notebook.path), notebook.cells[0]["text"]
    for step in (-1, 1):
        if 0 <= at + step < len(NOTEBOOKS):
            assert f"]({NOTEBOOKS[at + step].name})" in text


def test_it_states_three_to_five_goals_and_answers_each_at_the_end(notebook):
    goals = re.findall(r"^\d\. ", notebook.cells[1]["text"], re.M)
    last = [c for c in notebook.prose if re.search(r"^## ", c["text"], re.M)][-1]
    answers = re.findall(r"^\d\. ", last["text"].rpartition("## ")[2], re.M)
    assert 3 <= len(goals) <= 5
    assert len(goals) == len(answers)


def test_the_preamble_is_imports_parameters_and_set_up(notebook):
    kinds = [c["cell_type"] for c in notebook.cells[:5]]
    assert kinds == ["markdown", "markdown", "code", "code", "code"]
    assert [c["tags"] for c in notebook.code[:3]] == [["imports"], ["parameters"], ["setup"]]
    code = notebook.code[2]["text"]
    assert "rng = np.random.default_rng(SEED)" in code and "load_cohort(COHORT, MAP)" in code


def test_parameters_are_the_shared_six_each_a_literal_with_a_comment(notebook):
    cell = notebook.tagged("parameters")[0]
    body = ast.parse(cell["text"]).body
    assert {node.targets[0].id for node in body} == PARAMETERS
    for node in body:
        ast.literal_eval(node.value)
    assert all("  # " in line for line in cell["text"].splitlines())


def test_later_cells_import_only_in_solutions(notebook):
    for cell in notebook.code[1:]:
        if "solution" not in cell["tags"]:
            assert not re.search(r"^\s*(import|from) ", cell["text"], re.M), cell["text"]


def test_no_notebook_reaches_into_the_workshop_or_the_loader(notebook):
    for cell in notebook.code:
        assert "helpers.workshop" not in cell["text"] and "helpers.loading" not in cell["text"]


def test_length_and_cell_sizes_stay_readable(notebook):
    code = [c for c in notebook.main if c["cell_type"] == "code"]
    sizes = sorted(len(lines(c)) for c in code)
    # A page of reference is as long as what it lists.
    shortest = 20 if int(notebook.path.name[:2]) < 90 else 12
    assert shortest <= len(notebook.main) <= 60
    assert statistics.median(sizes) <= 5
    assert sizes[int(0.9 * (len(sizes) - 1))] <= 12
    assert max(len(lines(c)) for c in notebook.code) <= 20
    assert notebook.size < 500_000


def test_code_is_led_in_and_read_back(notebook):
    """After the preamble at most two code cells stand together, and prose ends the page."""
    run = 0
    for cell in notebook.cells[5:]:
        aside = {"exercise", "solution", "predict"} & set(cell["tags"])
        run = run + 1 if cell["cell_type"] == "code" and not aside else 0
        assert run <= 2, cell["text"]
    prose = sum(c["cell_type"] == "markdown" for c in notebook.main)
    assert prose >= 0.7 * (len(notebook.main) - prose)


def test_headings_skip_no_level_and_say_something(notebook):
    levels = notebook.headings()
    for (before, _), (after, text) in pairwise(levels):
        assert after <= before + 1, text
        assert text.lower() not in {"load data", "results", "introduction", "analysis"}
        words = text.split()[1:]
        assert sum(w[0].isupper() and not w.isupper() for w in words) <= 2, text


def test_prose_does_not_say_that_things_are_easy(notebook):
    for cell in notebook.prose:
        found = re.search(r"\b(simply|just|obviously|clearly|of course)\b", cell["text"], re.I)
        assert not found, found


def test_no_sizes_fonts_or_colours_in_a_notebook(notebook):
    for cell in notebook.code:
        found = re.search(r"figsize|fontsize|rcParams|#[0-9A-Fa-f]{6}|color=", cell["text"])
        assert not found, found


def test_exercises_have_executed_solutions_that_assert(notebook):
    exercises = [c for c in notebook.tagged("exercise") if c["cell_type"] == "markdown"]
    solved = [c for c in notebook.tagged("solution") if c["cell_type"] == "code"]
    if int(notebook.path.name[:2]) < 90:
        assert 2 <= len(exercises) <= 3
    assert len(solved) == len(exercises)
    for cell in solved:
        assert isinstance(ast.parse(cell["text"]).body[-1], ast.Assert)


def test_it_ends_with_one_quiz_that_a_sentence_leads_in(notebook):
    quizzes = [c for c in notebook.tagged("quiz") if c["cell_type"] == "code"]
    if int(notebook.path.name[:2]) >= 90:
        assert not quizzes
        return
    assert [c["text"] for c in quizzes] == [f'h.quiz("{notebook.path.name[:2]}", cohort)']
    lead_in, quiz = notebook.cells[-3:-1]
    assert quiz is quizzes[0]
    assert lead_in["tags"] == ["quiz"] and lead_in["text"].startswith("### ")


def test_an_exercise_checks_its_answer_and_starts_unanswered(notebook):
    cells = [c for c in notebook.tagged("exercise") if c["cell_type"] == "code"]
    checked = [c for c in cells if "h.check(" in c["text"]]
    asked = re.findall(r"^### Exercise \d$", "\n".join(c["text"] for c in notebook.prose), re.M)
    assert len(checked) == len(asked)
    for cell in checked:
        said = "".join(cell["outputs"][0]["data"]["text/markdown"])
        assert said.startswith("Not answered yet: "), said


def test_the_book_folds_the_code_of_figures_and_tables_and_leaves_that_of_sentences_out(notebook):
    """A reader of the book sees the code that is the lesson; the notebook keeps all of it."""
    aside = {"exercise", "solution", "setup", "versions", "quiz"}
    for cell in notebook.code:
        if aside & set(cell["tags"]):
            continue
        kinds = {kind for output in cell["outputs"] for kind in output["data"]}
        body = ast.parse(cell["text"]).body
        call = ast.unparse(getattr(body[0], "value", body[0])) if len(body) == 1 else ""
        if call.startswith("h.say("):
            assert "remove-input" in cell["tags"], cell["text"]
        elif call.startswith("h.table(") or kinds & {"image/png", "application/vnd.plotly.v1+json"}:
            assert "hide-input" in cell["tags"], cell["text"]


def test_tags_are_known(notebook):
    for cell in notebook.cells:
        for tag in cell["tags"]:
            assert tag in CELL_TAGS or tag.startswith("needs:"), tag


def test_outputs_are_executed_top_to_bottom_and_clean(notebook):
    counts = [c["execution_count"] for c in notebook.code]
    assert counts == list(range(1, len(counts) + 1))
    for output in notebook.outputs():
        assert output["output_type"] in {"display_data", "execute_result"}
        assert set(output["data"]) <= STABLE


def test_every_figure_has_alt_text_a_number_and_a_caption(notebook):
    figures = 0
    for cell in notebook.code:
        for at, output in enumerate(cell["outputs"]):
            for mime in ("image/png", "application/vnd.plotly.v1+json"):
                if mime in output["data"]:
                    figures += 1
                    assert len(output["metadata"][mime]["alt"]) > 40
                    caption = "".join(cell["outputs"][at + 1]["data"]["text/markdown"])
                    assert caption.startswith(f"**Figure {figures}.** ")
                    assert re.search(r" \*.+\.\*$", caption), "no takeaway sentence"
    assert figures or int(notebook.path.name[:2]) >= 90


def test_tables_have_header_cells_and_a_caption(notebook):
    for output in notebook.outputs():
        html = "".join(output["data"].get("text/html", ""))
        if "<table" in html:
            assert "<caption>" in html and '<th scope="col">' in html
            assert "<th></th>" not in html


def test_bold_terms_are_defined_once(notebook):
    bold = []
    for cell in notebook.prose:
        bold += re.findall(r"(?<![*\w])\*\*([^*:.]+)\*\*", cell["text"])
    assert len(bold) == len(set(bold))


def test_every_doi_is_in_the_references(notebook):
    references = (ROOT / "data" / "references.bib").read_text(encoding="utf-8").lower()
    for cell in notebook.prose:
        for doi in re.findall(r"https://doi\.org/([^\s)\]]+)", cell["text"]):
            assert doi.lower() in references, doi


def test_metadata_is_on_the_allow_list(notebook):
    assert set(notebook.raw["metadata"]) == {"kernelspec", "language_info"}
    assert notebook.raw["metadata"]["kernelspec"]["name"] == "python3"
    for cell in notebook.cells:
        assert set(cell["metadata"]) <= {"tags"}


def test_it_ends_with_the_versions(notebook):
    assert notebook.cells[-1]["tags"] == ["versions", "nbval-ignore-output"]
    shown = json.dumps(notebook.cells[-1]["outputs"])
    assert all(name in shown for name in SHOWN_PACKAGES)
