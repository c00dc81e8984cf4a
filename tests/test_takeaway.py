"""What a reader takes away from a run: files that say by themselves what they rest on."""

import csv

import nbformat
import pytest
from docx import Document
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from helpers.analysis import analyse
from helpers.cohort import ROOT, load_cohort
from helpers.conventions import ONE_OF_MANY, TEXT
from helpers.notebook import EXPORT, show
from helpers.plots.survival import figure_survival
from helpers.view import View
from helpers.words import caption_survival, plain_text
from helpers.workshop.series import run_series
from helpers.workshop.takeaway import export_tables, tables

SOURCE = [
    "import pandas as pd\nimport helpers as h",
    "cohort = h.load_cohort()\nanswer = h.analyse(cohort, h.View())",
    'h.table(h.words.model_table(answer), of=answer, caption="Ratios & more", by=("cox",))',
    'h.table(h.words.model_table(answer), of=answer, caption="Ratios & more", by=("cox",))',
    'h.show(h.figure_survival(answer), of=answer, number=1, alt="a", caption="c", takeaway="t.",'
    ' by=("interval",))',
    'h.table(pd.DataFrame({"x": [1]}), of="", caption="Of a solution")',
]


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """The files of one notebook, executed as the runner does."""
    folder = tmp_path_factory.mktemp("takeaway")
    cells = [nbformat.v4.new_code_cell(text, id=f"c{i}") for i, text in enumerate(SOURCE)]
    cells[-1].metadata["tags"] = ["solution"]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "01_small.ipynb")
    (outcome,) = run_series(
        [folder / "01_small.ipynb"], folder / "out", parameters={}, columns=set(), is_paper=True,
        progress=False, export=folder / "export",
    )  # fmt: skip
    assert outcome.ok, outcome.error
    return folder / "export" / "01_small"


def test_every_table_and_figure_has_its_files_and_solutions_have_none(taken):
    names = sorted(path.name for path in taken.iterdir())
    table = [f"table_ratios_more{again}.{kind}" for again in ("", "_again")
             for kind in ("csv", "docx", "html")]  # fmt: skip
    assert names == sorted(["figure_1.pdf", "figure_1.png", *table])


def test_a_csv_says_in_every_row_what_the_data_is_and_how_it_was_computed(taken):
    with (taken / "table_ratios_more.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows and all(ONE_OF_MANY in row["data_status"] for row in rows)
    assert all(TEXT["cox"] in row["data_status"] for row in rows)
    assert rows[0]["hazard ratio"].startswith("0.37 (")


def test_a_word_file_has_caption_table_and_footer(taken):
    document = Document(taken / "table_ratios_more.docx")
    words = [paragraph.text for paragraph in document.paragraphs]
    assert words[0] == "Ratios & more" and ONE_OF_MANY in words[-1] and TEXT["cox"] in words[-1]
    (grid,) = document.tables
    assert grid.cell(0, 4).text == "hazard ratio" and grid.cell(1, 4).text.startswith("0.37 (")


def test_an_html_file_stands_alone(taken):
    page = (taken / "table_ratios_more.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and "http" not in page
    assert ONE_OF_MANY in page and "<caption>Ratios &amp; more</caption>" in page


def test_an_exported_figure_says_what_it_shows_and_rests_on_and_loses_no_height_to_it(
    tmp_path, monkeypatch
):
    answer = analyse(load_cohort(), View())
    figure = figure_survival(answer)
    high = figure.get_figheight()
    monkeypatch.setenv(EXPORT, str(tmp_path))
    caption = caption_survival(answer)
    show(figure, of=answer, number=1, alt="a", caption=caption, takeaway="t.", by=("cox",))
    below = " ".join(figure.get_supxlabel().split())
    for words in (plain_text(caption), ONE_OF_MANY, TEXT["cox"]):
        assert words in below
    FigureCanvasAgg(figure).draw()
    assert figure.axes[0].get_window_extent().height / figure.dpi > 0.4 * high
    assert (tmp_path / "figure_1.pdf").exists()


def test_a_figure_carries_its_footer_and_is_sharp_enough_to_print(taken):
    with Image.open(taken / "figure_1.png") as picture:
        assert picture.width >= 2000
    assert (taken / "figure_1.pdf").read_bytes().startswith(b"%PDF")


def test_pages_of_a_masked_cohort_are_not_exported(tmp_path, monkeypatch):
    """Their tables hold counts and their curves every step; `view` masks what it exports."""
    from helpers.workshop import cli, series

    rows = "\n".join(f"p{i},{'AB'[i % 2]},{10 + i},1" for i in range(20))
    path = tmp_path / "mine.csv"
    path.write_text(f"patient_id,arm,os_time,os_event\n{rows}\n")
    assert load_cohort(path).mask_below == 5
    asked = {}
    monkeypatch.setattr(series, "run_series", lambda *_, **named: asked.update(named) or [])
    cli.main(["run", "--cohort", str(path), "--only", "00"])
    assert asked["export"] is None
    cli.main(["run", "--only", "00"])
    assert asked["export"] == ROOT / "build" / "export"


def test_a_notebook_without_tables_exports_nothing(tmp_path):
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("text")])
    assert list(tables(nb)) == [] and export_tables(nb, tmp_path / "none") == []
    assert not (tmp_path / "none").exists()
