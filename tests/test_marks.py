"""Whatever is shown of rows that are no patients says so, also when it stands alone."""

import json
import re
from dataclasses import replace

import pandas as pd
import pytest
from cohorts import german, make_cohort
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from helpers.analysis import analyse
from helpers.cohort import ROOT, SECOND_COHORT, load_cohort
from helpers.conventions import ONE_OF_MANY
from helpers.export import export, methods
from helpers.notebook import say, show, table
from helpers.plots.interactive import plotly_survival
from helpers.plots.people import figure_swimmers
from helpers.plots.style import is_stamped
from helpers.plots.survival import figure_survival
from helpers.view import View

PAPER = load_cohort()
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# What an output of the series may rest on; anything with a digit in it names one of these.
GROUNDS = (ONE_OF_MANY, "invented", "printed numbers", "simulated", "published aggregate",
           "found by search", "made-up additions", "samples of real cohorts",
           "assumed in data/claims.yaml", "counted from the attempts",
           "cohorts found under the rest", "real, published data")  # fmt: skip
NO_DATA = (
    "Conventions.", "The pages of the series", "Computed with.", "Known columns without",
    "Data status", "The question:", "data/glossary.csv", "data/references.bib",
    "(00_start_here.ipynb)",  # the map of the series
)  # fmt: skip


def outputs(path):
    """Text of each markdown and table output of a notebook, apart from exercises."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if "exercise" in cell["metadata"].get("tags", []):  # names of answers hold digits
            continue
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            for kind in ("text/html", "text/markdown"):
                if kind in data:
                    yield "".join(data[kind])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[p.stem for p in NOTEBOOKS])
def test_every_number_of_the_series_names_what_it_rests_on(path):
    for text in outputs(path):
        visible = re.sub(r"<[^>]*>", " ", text)
        if re.search(r"\d", visible) and not any(words in visible for words in NO_DATA):
            assert any(ground in visible.lower() for ground in GROUNDS), visible[:400]


def test_a_table_of_synthetic_rows_says_so_below_it_and_names_invented_columns():
    frame = pd.DataFrame({"n": [1]})
    assert ONE_OF_MANY in table(frame, of=PAPER, caption="A.").data
    view = View.read("{where: [{column: age, min: 50}], adjust: [ecog, sex]}")
    foot = table(frame, of=analyse(PAPER, view), caption="A.").data
    assert "Rests on invented values: Sex, Age." in foot
    assert "ECOG" not in foot, "ECOG is bound by printed numbers"


def test_patients_of_a_real_cohort_are_not_called_synthetic():
    answer = analyse(german(), View())
    assert ONE_OF_MANY not in table(pd.DataFrame({"n": [1]}), of=answer, caption="A.").data
    assert "(" not in say("Text.", of=answer).data
    assert answer.source == "German Breast Cancer Study: real, published data."
    gids = {artist.get_gid() for artist in figure_survival(answer).axes[0].texts}
    assert "status" in gids and "mark" not in gids


def test_synthetic_rows_of_a_reader_are_marked_but_not_as_the_study(tmp_path):
    cohort = make_cohort(
        tmp_path, {"os_time": [3, 5, 8, 9], "os_event": [1, 0, 1, 1]}, "status: synthetic"
    )
    assert "not a finding about patients" in analyse(cohort, View()).source
    assert "study" not in cohort.mark


@pytest.mark.parametrize("width", ["page", "half"])
def test_the_mark_is_drawn_inside_the_axes_and_nothing_of_it_is_cut_off(width):
    figure = figure_survival(analyse(PAPER, View()), width=width)
    FigureCanvasAgg(figure).draw()
    ax = figure.axes[0]
    drawn = {t.get_gid(): t for t in ax.texts if t.get_gid()}
    assert drawn["mark"].get_text().replace("\n", " ") == ONE_OF_MANY.upper()
    inside, whole = (drawn[gid].get_window_extent() for gid in ("mark", "status"))
    box = ax.get_window_extent()
    assert box.x0 <= inside.x0 and inside.x1 <= box.x1
    assert box.y0 <= inside.y0 and inside.y1 <= box.y1
    assert whole.x0 >= 0 and whole.x1 <= figure.bbox.width and whole.y1 <= figure.bbox.height


def test_every_panel_of_the_swimmers_is_marked():
    figure = figure_swimmers({"One": PAPER, "Another": load_cohort(SECOND_COHORT)})
    for ax in figure.axes:
        assert {"status", "mark"} <= {text.get_gid() for text in ax.texts}


def test_the_figure_with_hover_carries_status_and_mark():
    notes = {
        note.name: note.text for note in plotly_survival(analyse(PAPER, View())).layout.annotations
    }
    assert "SYNTHETIC" in notes["status"] and "NOT A FINDING" in notes["mark"].replace("<br>", " ")


def test_a_figure_without_a_status_is_not_shown():
    bare = Figure()
    bare.subplots()
    assert not is_stamped(bare)
    with pytest.raises(ValueError, match="no data status"):
        show(bare, of=PAPER, alt="x", number=1, caption="x", takeaway="x")


def test_what_is_exported_carries_the_mark(tmp_path):
    answer = analyse(PAPER, View(horizon=365))
    export(answer, tmp_path)
    for path in tmp_path.glob("*.csv"):
        assert pd.read_csv(path)["data_status"].str.contains(ONE_OF_MANY).all(), path.name
    assert ONE_OF_MANY in (tmp_path / "caption.txt").read_text()
    assert methods(answer).startswith(
        "Synthetic data calibrated to published summaries; not for publication or patient care."
    )


def test_an_empty_answer_is_marked_too():
    view = View.read("{where: [{column: age, min: 119}]}")
    assert is_stamped(figure_survival(analyse(PAPER, view)))
    assert ONE_OF_MANY in replace(analyse(PAPER, view)).source
