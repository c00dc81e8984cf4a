"""Names from a reader's file stand in every figure, table and sentence letter by letter."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import plotly
import pytest
import yaml
from browser import browser  # noqa: F401 (a fixture)
from docx import Document
from lxml import html as parser
from markdown_it import MarkdownIt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from helpers.analysis import analyse
from helpers.cohort import ROOT, load_cohort
from helpers.export import export, methods
from helpers.notebook import PLOTLY_CONFIG, show, table
from helpers.plots.curves import figure_incidence, figure_medians
from helpers.plots.forest import figure_forest
from helpers.plots.interactive import plotly_survival
from helpers.plots.models import figure_adjusted, figure_influence
from helpers.plots.specification import figure_specifications
from helpers.plots.style import add_footer
from helpers.plots.survival import figure_survival
from helpers.sentences import read_counts, read_view
from helpers.view import View
from helpers.whose import whose
from helpers.words import alt_survival, caption_survival, model_table, plain, plain_text
from helpers.workshop.cli import main
from helpers.workshop.takeaway import tables, write_word

NAMES = {
    "dollars": "$50% and $60%", "formula": r"$\frac{1}{x}$ \alpha \n", "lines": "two\n# lines",
    "tags": "<b>x</b> &amp; </script>", "template": "%{y} {0} {", "under": "_a_b__ x^2",
    "markdown": "# *a* **b** `c` d|e ~~f~~ [g](h) ![i]", "quotes": "\"q\" 'r' th style=\"a\"",
}  # fmt: skip


def one_line(text):
    return " ".join(text.split())


def named_cohort(folder, name):
    """A cohort in which arms, a level, labels and the cohort itself are called so."""
    rng = np.random.default_rng(11)
    arms = [f"{name} A", f"{name} B"]
    rows = [["patient_id", "arm", "os_time", "os_event", "group", "age"]]
    for i in range(60):
        level = [f"{one_line(name)} level", "other"][i % 3 > 1]
        rows.append([i, arms[i % 2], int(rng.integers(20, 900)), int(rng.random() < 0.7), level,
                     int(rng.integers(40, 80))])  # fmt: skip
    folder.mkdir(exist_ok=True)
    with (folder / "cohort.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    mapping = {
        "name": f"{one_line(name)} cohort", "mask_below": 0, "reference_arm": arms[1],
        "labels": {"os": "Overall survival"}, "time_zero": f"{one_line(name)} zero",
        "factors": {"group": {"label": f"{one_line(name)} label"},
                    "age": {"label": "Age", "unit": one_line(name)}},
    }  # fmt: skip
    (folder / "map.yaml").write_text(yaml.safe_dump(mapping, allow_unicode=True), encoding="utf-8")
    return folder / "cohort.csv", folder / "map.yaml"


def asked(name):
    where = [{"column": "group", "in": [f"{one_line(name)} level"]}]
    return View.read(json.dumps({"where": where, "adjust": ["age"], "horizon": 365}))


@pytest.fixture(params=NAMES.values(), ids=NAMES)
def name(request):
    return request.param


@pytest.fixture
def answer(name, tmp_path):
    return analyse(load_cohort(*named_cohort(tmp_path / "in", name)), asked(name), engine="fast")


def words_of(figure):
    """Every text of a matplotlib figure, drawn first: what cannot be drawn is an error."""
    FigureCanvasAgg(figure).draw()
    return one_line(" ".join(text.get_text() for text in figure.findobj(Text)))


def shown_text(markdown):
    """Markdown as a page shows it."""
    return one_line(parser.fromstring(MarkdownIt("commonmark").render(markdown)).text_content())


# -- files that are taken away --------------------------------------------------------------


def test_names_stand_literally_in_every_exported_file(name, answer, tmp_path):
    export(answer, tmp_path / "out")
    svg = parser.etree.parse(tmp_path / "out" / "survival.svg")
    drawn = one_line(" ".join(t for t in svg.getroot().itertext()))
    name = one_line(name)
    for text in (f"{name} A", f"{name} B", f"{name} label is {name} level", f"{name} cohort",
                 f"{name} zero"):  # fmt: skip
        assert text in drawn
        assert text in one_line((tmp_path / "out" / "caption.txt").read_text(encoding="utf-8"))
        assert text in one_line(methods(answer) + alt_survival(answer))
    assert (tmp_path / "out" / "survival.pdf").stat().st_size > 5_000


def test_the_verb_view_answers_for_arms_named_with_dollars(tmp_path, capsys):
    path, mapping = named_cohort(tmp_path, "$50% and $60%")
    (tmp_path / "view.yaml").write_text(asked("$50% and $60%").text(), encoding="utf-8")
    code = main(["view", str(tmp_path / "view.yaml"), "--cohort", str(path), "--map", str(mapping)])
    said = capsys.readouterr()
    assert code == 0, said.err
    assert "$50% and $60% A vs $50% and $60% B" in said.out and "\\$" not in said.out


# -- figures --------------------------------------------------------------------------------


def figures(answer):
    """Figures that show names of arms, labels and levels, each with what must stand in it."""
    first, second = answer.groups
    days = pd.DataFrame({"time": [0.0, 200.0, 400.0], "estimate": [0.9, 0.6, 0.3]})
    limits = days.assign(conf_low=days["estimate"] - 0.1, conf_high=days["estimate"] + 0.1)
    each = pd.concat([limits.assign(group=group) for group in answer.groups], ignore_index=True)
    yield figure_survival(answer), answer.groups
    yield figure_survival(answer, width="half"), answer.groups
    kinds = ("log-log", "log", "plain")
    medians = pd.concat(answer.medians.assign(endpoint=answer.label, interval=k) for k in kinds)
    yield figure_medians(medians, of=answer), answer.groups
    causes = pd.concat([each.assign(cause=cause) for cause in (1, 2)], ignore_index=True)
    yield figure_incidence(causes, causes, of=answer), answer.groups
    curves = pd.concat([each.assign(kind=kind) for kind in ("as observed", "adjusted")])
    yield figure_adjusted(curves, of=answer), answer.groups
    moved = pd.DataFrame({"row": [1, 2], "group": [first, second], "month": [3.0, 9.0],
                          "event": [1, 1], "dfbeta": [0.1, -0.1]})  # fmt: skip
    yield figure_influence(moved, of=answer), answer.groups
    rows = pd.DataFrame({"label": [f"{first} row"], "section": [f"{second} part"],
                         "estimate": [0.1], "conf_low": [-0.2], "conf_high": [0.4],
                         "p_value": [0.5]})  # fmt: skip
    forest = figure_forest(rows, of=answer, xlabel=f"Ratio, {first}", favours=(first, second))
    yield forest, (f"{first} row", f"{second} part", f"Ratio, {first}")
    every = pd.DataFrame({
        "specification": [0, 1], "endpoint": "os", "adjust": ["none", "group"], "ties": "efron",
        "landmark": 0.0, "censor_at": np.nan, "estimator": "none", "time_zero": "none",
        "estimate": [0.1, 0.2], "conf_low": [-0.2, -0.1], "conf_high": [0.4, 0.5],
        "p_value": [0.5, 0.3], "scale": "log hazard ratio",
    })  # fmt: skip
    label = answer.cohort.codebook.at["group", "label"]
    yield figure_specifications(every, of=answer), (label,)


def test_every_figure_draws_and_shows_the_names(answer):
    for figure, names in figures(answer):
        add_footer(figure, answer.source)
        drawn = words_of(figure)
        for text in (*names, answer.cohort.name, whose(answer)):
            assert one_line(text) in drawn


def test_the_figure_with_hover_is_shown_letter_by_letter(browser, answer, tmp_path):  # noqa: F811
    library = (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").as_uri()
    drawn = plotly_survival(answer).to_plotly_json() | {"config": PLOTLY_CONFIG}
    text = json.dumps(drawn, cls=plotly.utils.PlotlyJSONEncoder).replace("<", "\\u003c")
    page = tmp_path / "page.html"
    page.write_text(
        f'<meta charset=utf-8><script src="{library}"></script><div id=x></div>'
        f'<script>window.MathJax = {{version: "3"}}; Plotly.newPlot("x", {text})</script>',
        encoding="utf-8",
    )
    browser.get(page.as_uri())
    shown = browser.execute_script(
        "Plotly.Fx.hover('x', [{curveNumber: 2, pointNumber: 3}]);"
        "const seen = (text) => text.getClientRects().length > 0;"
        "return [...document.querySelectorAll('#x text')].filter(seen).map((text) =>"
        " [...text.querySelectorAll('tspan.line')].map((l) => l.textContent).join(' ')"
        " || text.textContent).join(' ')"
    )
    first, second = map(one_line, answer.groups)
    for text in (first, second, whose(answer), answer.cohort.name, f"{first} vs {second}:"):
        assert text in one_line(shown)
    assert one_line(shown).count(first) >= 4, "legend, comparison, table and hover"


# -- sentences and tables -------------------------------------------------------------------


def test_markdown_shows_the_names_and_a_terminal_does_too(name, answer):
    for sentence in (read_view(answer), read_counts(answer), caption_survival(answer)):
        assert shown_text(sentence) == one_line(plain_text(sentence))
    assert plain_text(plain(name)) == one_line(name)
    assert f"{one_line(name)} label is " in shown_text(read_view(answer))


def test_no_dollar_of_a_name_can_begin_mathematics(name, answer):
    """Pages look for a formula between two dollars of one text, after Markdown was read."""
    for page in (MarkdownIt("commonmark").render(caption_survival(answer)),
                 table(model_table(answer), of=answer, caption=f"{name}.").data):  # fmt: skip
        for text in parser.fromstring(f"<div>{page}</div>").itertext():
            assert text.count("$") == (text == "$"), text


def test_a_table_shows_the_names_on_a_page_and_in_word(name, answer, tmp_path):
    import nbformat

    made = table(model_table(answer), of=answer, caption=f"{name} caption").data
    output = nbformat.v4.new_output("display_data", {"text/html": made})
    cell = nbformat.v4.new_code_cell(outputs=[output])
    (found,) = tables(nbformat.v4.new_notebook(cells=[cell]))
    write_word(found, tmp_path / "table.docx")
    document = Document(str(tmp_path / "table.docx"))
    (grid,) = document.tables
    words, name = [one_line(c.text) for row in grid.rows for c in row.cells], one_line(name)
    assert f"{name} A vs {name} B" in words
    assert one_line(document.paragraphs[0].text) == f"{name} caption"
    assert f"{name} cohort" in document.paragraphs[-1].text


def test_alternative_text_has_no_escapes(name, answer, monkeypatch):
    said, name = [], one_line(name)
    monkeypatch.setattr(
        "helpers.notebook.display", lambda *data, **about: said.append((data, about))
    )
    show(figure_survival(answer), of=answer, alt=alt_survival(answer), number=1,
         caption=caption_survival(answer), takeaway=read_counts(answer))  # fmt: skip
    (_, about), (caption, _) = said
    alt = one_line(about["metadata"]["image/png"]["alt"])
    assert f"{name} A vs {name} B" in alt and "\\$" not in alt.replace(name, "")
    assert f"{name} A, n = " in shown_text(caption[0].data)


def test_no_figure_is_written_in_mathematics():
    """Where a dollar sign is a dollar sign, a formula of our own would stand as its source."""
    for path in (ROOT / "helpers").rglob("plots/*.py"):
        assert not re.search(r'"[^"\n]*\$[^"\n]*\$', path.read_text(encoding="utf-8")), path
