"""A figure says whose it is: the filter in words, n and events, in the picture and in its words."""

import textwrap

import numpy as np
import pandas as pd
import pytest
from browser import browser, resize  # noqa: F401 (a fixture)
from cohorts import make_cohort
from matplotlib.backends.backend_agg import FigureCanvasAgg

from helpers.analysis import analyse
from helpers.cohort import ROOT, load_cohort
from helpers.conventions import EVENT_FLOOR
from helpers.explorer.page import Explorer
from helpers.explorer.scene import scene
from helpers.export import export, methods
from helpers.labels import bounded, condition, lower, per_unit
from helpers.plots.drawn import Display
from helpers.plots.forest import figure_forest
from helpers.plots.interactive import plotly_survival
from helpers.plots.style import says
from helpers.plots.survival import figure_survival
from helpers.sentences import read_view
from helpers.view import View, Where
from helpers.whose import patients, readable, whose
from helpers.words import alt_survival, caption_survival, model_table, plain_text

PAPER = load_cohort()
ONE = "{where: [{column: age, min: 60}]}"
LANDMARK = "{landmark: 90, where: [{column: ipi, min: 3}]}"
LONG = """{where: [{column: histology, in: [DLBCL, HGBL, transformed]}, {column: ipi, min: 1},
    {column: cd19_best_response, in: [CR, PR, SD]},
    {column: days_failure_to_treatment, min: 10, max: 90}]}"""
WORDS = {
    ONE: "Age 60 years or more: 26 of 93 patients, 16 events",
    LANDMARK: "From day 90 on; International Prognostic Index of 3 or more: 31 of 93 patients, "
    "18 events",
    LONG: "International Prognostic Index of 1 or more; Time from failure to salvage 10 to 90 "
    "days; Best response to CD19 CAR-T is CR, PR or SD; Histology is DLBCL, HGBL or transformed: "
    "42 of 93 patients, 32 events",
}


def answered(text, cohort=PAPER):
    return analyse(cohort, View.read(text), engine="fast", floor=EVENT_FLOOR)


@pytest.fixture
def gaps(tmp_path):
    """Forty patients, of whom two have no index and one of the others no age."""
    rng = np.random.default_rng(5)
    columns = {
        "os_time": rng.integers(30, 900, 40), "os_event": [1, 1, 0, 1] * 10,
        "ipi": ["", "", *[1, 2, 3, 4] * 9, 1, 4], "age": [*range(51, 90), ""],
        "score": rng.integers(1, 9, 40),
    }  # fmt: skip
    mapping = "mask_below: 0\nfactors: {score: {label: Karnofsky score, unit: points}}"
    return make_cohort(tmp_path, columns, mapping)


def drawn(figure, gid):
    """The text of that name in a matplotlib figure, as one line."""
    found = [text for ax in figure.axes for text in ax.texts if text.get_gid() == gid]
    return " ".join(" ".join(text.get_text() for text in found).split())


# -- in words -------------------------------------------------------------------------------


@pytest.mark.parametrize(("view", "words"), WORDS.items())
def test_the_words_name_filter_landmark_patients_and_events(view, words):
    answer = answered(view)
    assert whose(answer) == words
    n, events = answer.counts["patients"].sum(), answer.counts["events"].sum()
    assert f"{n} of 93 patients, {events} events" in words


def test_nothing_is_said_of_all_patients_and_only_of_all():
    assert whose(answered("{}")) == "" and patients(answered("{}")) == "all patients"
    assert whose(answered("{landmark: 30}")).startswith("From day 30 on: 85 of 93 patients")
    assert patients(answered("{landmark: 30}")) == "all patients still at risk then"


def test_who_is_left_out_for_a_missing_value_is_counted(gaps):
    of_index = answered("{compare: 'ipi >= 3'}", gaps)
    assert whose(of_index).endswith(
        "38 of 40 patients, 28 events (2 have no value of International Prognostic Index of 3 or "
        "more)"
    )
    of_age = answered("{where: [{column: age, min: 50}]}", gaps)
    assert whose(of_age).endswith("39 of 40 patients, 29 events (1 has no value of age)")
    assert of_age.counts["patients"].sum() == 39


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (Where("age", min=60), "Age 60 years or more"),
        (Where("age", max=1), "Age 1 year or less"),
        (Where("age", min=60, max=70), "Age 60 to 70 years"),
        (Where("ecog", min=3), "ECOG performance status of 3 or more"),
        (Where("ecog", min=3, max=3), "ECOG performance status of 3"),
        (Where("stage", min=3, missing=True), "Ann Arbor stage 3 or more, or missing"),
        (Where("sex", ("F",)), "Sex is F"),
        (Where("sex", ()), "Sex is none of its values"),
        (Where("ecog", ("0", "1")), "ECOG performance status is 0 or 1"),
        (Where("histology", tuple("abcdefghi")), "Histology is a, b, c, d, e, f or 3 more"),
    ],
)
def test_a_filter_reads_by_label_and_unit(where, words):
    assert condition(where, PAPER.codebook) == words


@pytest.mark.parametrize(
    ("label", "inside"),
    [
        ("Overall survival", "overall survival"), ("Progression-free survival",) * 2,
        ("International Prognostic Index",) * 2, ("Karnofsky score",) * 2,
        ("ECOG performance status",) * 2, ("Ann Arbor stage",) * 2, ("$50%",) * 2,
    ],
)  # fmt: skip
def test_a_proper_name_keeps_its_capital_inside_a_sentence(label, inside):
    assert lower(label) == inside.replace("Progression", "progression")


def test_a_ratio_of_a_number_is_per_one_unit_without_the_one():
    units = ("years", "points", "grade", "x upper limit", "", "mg/l")
    assert [per_unit(unit) for unit in units] == [
        "per year", "per point", "per grade", "per 1 x upper limit", "per 1", "per mg/l"
    ]  # fmt: skip
    assert bounded("Age", "years", below=60) == "Age below 60 years"


# -- in every picture -----------------------------------------------------------------------


@pytest.mark.parametrize("width", ["page", "half"])
@pytest.mark.parametrize(("view", "words"), WORDS.items())
def test_the_words_stand_above_the_axes_readable_and_cover_nothing(view, words, width):
    figure = figure_survival(answered(view), width=width)
    FigureCanvasAgg(figure).draw()
    assert drawn(figure, "whose") == words
    (text,) = (t for t in figure.axes[0].texts if t.get_gid() == "whose")
    (status,) = (t for t in figure.axes[0].texts if t.get_gid() == "status")
    assert text.get_fontsize() >= 8 and status.get_fontsize() >= 8
    box, below = text.get_window_extent(), status.get_window_extent()
    assert below.y0 >= figure.axes[0].get_window_extent().y1 and box.y0 >= below.y1 - 1
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width and box.y1 <= figure.bbox.height
    legends = [*figure.legends, *filter(None, [figure.axes[0].get_legend()])]
    assert not any(box.overlaps(legend.get_window_extent()) for legend in legends)


def test_a_figure_of_all_patients_has_no_such_line():
    assert drawn(figure_survival(answered("{}")), "whose") == ""


def test_a_figure_grows_by_its_words_and_the_curves_lose_nothing():
    heights = []
    for view in (ONE, LONG):
        figure = figure_survival(answered(view), width="half")
        FigureCanvasAgg(figure).draw()
        heights.append(figure.axes[0].get_window_extent().height)
    assert heights[1] > 0.93 * heights[0]


@pytest.mark.parametrize(("view", "words"), WORDS.items())
def test_the_figure_with_hover_and_the_one_of_the_explorer_say_it_too(view, words):
    notes = {n.name: n.text for n in plotly_survival(answered(view)).layout.annotations}
    assert notes["whose"].replace("<br>", " ") == words
    assert max(map(len, notes["whose"].split("<br>"))) <= 44, "wider than a telephone"
    assert scene(answered(view), Display("incidence", "days"))["whose"] == words


@pytest.mark.parametrize(("view", "words"), WORDS.items())
def test_alt_text_caption_and_exported_files_say_it(view, words, tmp_path):
    answer = answered(view)
    assert words in alt_survival(answer) and words in plain_text(caption_survival(answer))
    export(answer, tmp_path, display=Display("incidence", "days"))
    caption = (tmp_path / "caption.txt").read_text(encoding="utf-8")
    assert words in caption and "\\" not in caption
    assert "One minus Kaplan-Meier" in caption and "; days since" in caption
    svg = (tmp_path / "survival.svg").read_text(encoding="utf-8")
    for line in textwrap.wrap(words, 94):
        assert f">{line}</text>" in svg, "text of an exported figure stays text"


def test_other_figures_of_an_answer_say_it():
    answer = answered(ONE)
    rows = pd.DataFrame({"label": ["a"], "estimate": [0.1], "conf_low": [-0.2],
                         "conf_high": [0.4], "p_value": [0.5]})  # fmt: skip
    assert drawn(figure_forest(rows, of=answer, xlabel="Hazard ratio"), "whose") == WORDS[ONE]
    assert drawn(figure_forest(rows, of=PAPER, xlabel="Hazard ratio"), "whose") == ""
    assert says(answer)["whose"] == WORDS[ONE]


# -- in the methods text --------------------------------------------------------------------


def test_methods_say_all_patients_only_of_all(gaps):
    assert "by arm in all 93 patients." in methods(answered("{}"))
    text = methods(answered("{compare: 'ipi >= 3'}", gaps))
    assert "all patients." not in text and "in 38 of 40 patients" in text
    assert "2 patients without a value of International Prognostic Index of 3 or more were" in text
    text = methods(answered(LANDMARK))
    assert "in 31 of 93 patients: International Prognostic Index of 3 or more." in text
    lost = answered(LANDMARK).counts[["lost_events", "lost_censored"]].sum()
    assert f"By day 90, {lost.iloc[0]} patients had had the event and {lost.iloc[1]} had" in text


def test_methods_count_the_patients_of_the_adjusted_model_and_name_its_columns(gaps):
    text = methods(answered("{adjust: [age, ipi, score]}", gaps))
    assert "included age, International Prognostic Index and Karnofsky score." in text
    assert "It rests on 37 of these 40 patients." in text


def test_a_masked_cohort_gives_away_no_total(tmp_path):
    columns = {"os_time": range(20, 60), "os_event": [1, 0] * 20, "age": range(40, 80)}
    cohort = make_cohort(tmp_path, columns)
    assert cohort.mask_below == 5
    text = methods(answered("{where: [{column: age, max: 50}]}", cohort))
    assert "by arm in patients with Age 50 years or less." in text and "of 40" not in text


# -- labels, not names of columns -----------------------------------------------------------


def test_tables_and_sentences_name_columns_by_label(gaps):
    answer = answered("{adjust: [score, 'ipi >= 3']}", gaps)
    terms = model_table(answer)["term"].tolist()
    assert "Karnofsky score, per point" in terms
    assert "International Prognostic Index: >= 3 vs < 3" in terms
    assert "adjusted for Karnofsky score and International Prognostic Index of 3 or more" in (
        plain_text(read_view(answer))
    )


def test_the_sides_of_a_cut_are_called_by_label_and_keep_their_numbers():
    raw = answered("{compare: 'age >= 60', horizon: 365, where: [{column: sex, in: [F]}]}")
    shown = readable(raw)
    assert shown.groups == ("Age 60 years or more", "Age below 60 years")
    assert readable(shown).groups == shown.groups, "what is readable stays so"
    pd.testing.assert_frame_equal(
        shown.curves.drop(columns="group"), raw.curves.drop(columns="group")
    )
    legend = [line.get_text() for line in figure_survival(raw).legends[0].get_texts()]
    assert legend == list(shown.groups)
    assert "Age 60 years or more vs Age below 60 years: HR" in alt_survival(shown)
    assert readable(answered(ONE)).groups == PAPER.arms


# -- as the explorer draws it ---------------------------------------------------------------

OVERLAPS = """
const figure = document.querySelector('figure > svg'), whole = figure.getBoundingClientRect();
const texts = [...figure.querySelectorAll('text')], found = [];
const boxes = texts.map((text) => text.getBoundingClientRect());
const share = whole.width / figure.viewBox.baseVal.width;
const apart = (a, b) => a.right - 1 <= b.left || b.right - 1 <= a.left
  || a.bottom - 3 <= b.top || b.bottom - 3 <= a.top;
texts.forEach((text, k) => {
  const box = boxes[k], size = parseFloat(getComputedStyle(text).fontSize) * share;
  if (box.left < whole.left - 1 || box.right > whole.right + 1) found.push(text.textContent);
  if (size < 10.66) found.push(`${size} pixels: ${text.textContent}`);
  for (let j = 0; j < k; j++) {
    if (!apart(box, boxes[j])) found.push(`${text.textContent} on ${texts[j].textContent}`);
  }
});
const said = (name) =>
  [...figure.querySelectorAll(name)].map((line) => line.textContent).join(' ');
return [found, said('.whose'), said('.status-line')];
"""


def drawn_alone(folder, shown):
    """A page with nothing but the explorer's answer, as its script draws it."""
    import json

    room = ROOT / "helpers" / "explorer"
    script = (room / "answer.js").read_text(encoding="utf-8")
    script = script.replace("export default { render };", "")
    model = (
        f"{{get: (name) => name === 'shown' ? {json.dumps(shown)} : {{serial: -1, caution: []}}, "
        "on() {}, off() {}}"
    ).replace("</", "<\\/")
    path = folder / "answer.html"
    path.write_text(
        f"<meta charset=utf-8><style>{(room / 'explorer.css').read_text()}</style><body>"
        f"<div id=x></div><script>{script}\nrender({{model: {model}, "
        "el: document.getElementById('x')})</script>",
        encoding="utf-8",
    )
    return path.as_uri()


@pytest.mark.parametrize("wide", [1280, 400])
@pytest.mark.parametrize("view", ["{}", *WORDS])
def test_the_explorers_figure_says_it_and_no_letters_overlap_or_are_small(
    browser, tmp_path, view, wide  # noqa: F811
):  # fmt: skip
    shown = Explorer(PAPER, View.read(view)).view_of_answer.shown
    resize(browser, wide, 800)
    browser.get(drawn_alone(tmp_path, shown))
    faults, words, status = browser.execute_script(OVERLAPS)
    assert faults == []
    assert words == WORDS.get(view, "")
    assert status.startswith(f"{PAPER.status_line}; {PAPER.mark}")
