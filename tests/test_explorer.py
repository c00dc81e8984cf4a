"""The explorer without a browser: its callbacks fire in plain Python."""

import io
import json
import re
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from cohorts import EXAMPLE, german, make_cohort
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.analysis import analyse
from helpers.cohort import PAPER_COHORT, ROOT, load_cohort
from helpers.conventions import DAYS_PER_MONTH, EVENT_FLOOR
from helpers.estimators.caution import shrunk
from helpers.estimators.nulls import SHUFFLES
from helpers.estimators.subgroups import sides
from helpers.explorer import Explorer, looks
from helpers.explorer.background import Background
from helpers.explorer.few import withheld
from helpers.explorer.looks import Looks, side_key
from helpers.explorer.readout import readout
from helpers.explorer.scene import FINE, scene, thin
from helpers.explorer.takeaway import packed
from helpers.loading.mapping import TextLoader
from helpers.plots.drawn import CURVES, UNITS, Display, steps
from helpers.plots.survival import figure_survival
from helpers.view import View, Where
from helpers.words import number, p_value
from helpers.workshop.cli import main

PAPER = load_cohort()


@pytest.fixture(autouse=True)
def nobody_has_looked(monkeypatch):
    monkeypatch.setattr(looks, "_SEEN", {})


def shown(page) -> dict:
    return page.view_of_answer.shown


def said(page) -> str:
    """All that a page says, as one text."""
    return json.dumps([shown(page), page.view_of_answer.late, page.forest.view.shown],
                      ensure_ascii=False)  # fmt: skip


def cautions(page) -> dict[str, str]:
    late = page.view_of_answer.late
    rows = late["caution"] if late.get("serial") == page.serial else shown(page)["caution"]
    return {about: " ".join(s for a, s in rows if a == about) for about, _ in rows}


def where(*conditions) -> tuple[Where, ...]:
    return tuple(map(Where.read, conditions))


OLDER = where({"column": "age", "min": 50})
FEMALE = where({"column": "sex", "in": ["F"]})


# -- one question, one answer ---------------------------------------------------------------

VIEWS = [
    View(),
    View(endpoint="pfs", horizon=365, adjust=("ecog >= 3", "ipi >= 3")),
    View(where=OLDER, adjust=("ecog",), landmark=28.0, ties="breslow", intervals="profile"),
    View(compare="ecog >= 3", where=where({"column": "arm", "in": ["CD20 CAR-T"]})),
    View(compare="histology", horizon=180),
    View(where=where({"column": "ecog", "min": 3})),
]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.text()[:60])
def test_the_page_shows_what_both_engines_answer(view):
    page = Explorer(PAPER, view)
    named = readout(analyse(PAPER, view, floor=EVENT_FLOOR))
    pd.testing.assert_frame_equal(page.readings, named)
    assert View.read(page.texts.text.value) == view == View.from_link(page.texts.link.value)
    assert shown(page)["error"] == "" and page.failures == []


@pytest.mark.parametrize("k", [1, 2, 5])
def test_a_saved_view_gives_the_command_line_the_same_files_to_the_last_byte(k, tmp_path, capsys):
    page = Explorer(PAPER, VIEWS[k])
    files = contents(page)
    path = tmp_path / f"explorer_replay_{k}.json"
    path.write_bytes(files["view.json"])
    assert main(["view", str(path)]) == 0
    said_there = capsys.readouterr().out
    folder = ROOT / "build" / "export" / path.stem
    tables = [name for name in files if name.endswith(".csv") and name != "caution.csv"]
    assert {"model.csv", "curves.csv", "counts.csv"} <= set(tables)
    for name in tables:
        assert files[name] == (folder / name).read_bytes(), name
    for row in page.readings[page.readings["id"].str.contains("adjusted")].itertuples():
        assert row.value.split(",")[0] in said_there


def test_below_the_floor_the_ratio_is_withheld_everywhere_and_firth_is_offered():
    view = View(where=where({"column": "ecog", "min": 3}))
    page = Explorer(PAPER, view)
    assert withheld(page.answer)
    assert "withheld" in shown(page)["lead"]
    assert any("events 4 in non-CAR-T, fewer than 5" in text for text in shown(page)["remarks"])
    assert np.isfinite(analyse(PAPER, view, floor=0).model["estimate"]).all(), "it can be computed"
    page.controls.firth.value = True
    assert "firth-0" in set(page.readings["id"])
    assert "Firth's penalised hazard ratio" in json.dumps(shown(page)["tables"])


def test_the_floor_counts_the_patients_that_the_model_has(tmp_path):
    arms, n = ["new", "old"] * 20, 40
    age = [50 + i % 7 if i % 2 or i < 12 else "" for i in range(n)]  # of most of the new, unknown
    columns = {"arm": arms, "os_time": range(1, n + 1), "os_event": [int(i >= 8) for i in range(n)],
               "age": age}  # fmt: skip
    cohort = make_cohort(tmp_path, columns)
    answer = analyse(cohort, View(adjust=("age",)), floor=EVENT_FLOOR)
    estimates = answer.model.drop_duplicates("model").set_index("model")["estimate"]
    assert np.isfinite(estimates["unadjusted"]) and np.isnan(estimates["adjusted"])
    assert answer.notes["note"].str.contains("events 2 in new, fewer than 5").any()


# -- controls -------------------------------------------------------------------------------


def test_controls_come_from_the_cohort_that_is_loaded():
    page = Explorer(german())
    names = [value for _, value in page.controls.compare.options]
    assert "menopause" in names and "ecog" not in names
    assert [value for _, value in page.controls.endpoint.options] == ["os", "rfs"]
    assert "invented" not in str(page.controls.compare.options)
    options = str(Explorer(PAPER).controls.compare.options)
    assert "Sex (invented)" in options and "Best response (known later)" in options


def test_a_filter_that_is_added_changes_nothing_until_it_is_touched():
    page = Explorer(PAPER)
    before = page.controls.view
    page.controls.add_filter.value = "age"
    assert page.controls.view == before and page.serial == 1
    box = page.controls.filters[0]
    low, high = box.slider.value
    box.slider.value = (low + 10, high)
    assert page.controls.view.where == where({"column": "age", "min": low + 10})
    box.slider.value = (low, high)
    assert page.controls.view.where == ()


def test_a_slider_that_is_moved_keeps_the_digits_of_its_other_end():
    view = View(where=where({"column": "ldh_ratio", "min": 1.2345, "max": 3.987}))
    page = Explorer(PAPER, view)
    slider = page.controls.filters[0].slider
    slider.value = (slider.value[0], 2.5)
    assert page.controls.view.where == where({"column": "ldh_ratio", "min": 1.2345, "max": 2.5})


def test_patients_without_a_value_stay_out_unless_they_are_kept(tmp_path):
    age = ["" if i % 5 == 0 else 40 + i for i in range(60)]
    columns = {"os_time": range(1, 61), "os_event": [1] * 60, "age": age}
    page = Explorer(make_cohort(tmp_path, columns))
    page.controls.add_filter.value = "age"
    box = page.controls.filters[0]
    box.slider.value = (50, box.slider.value[1])
    inside = page.answer.counts["patients"].sum()
    box.missing.value = True
    assert page.controls.view.where[0].missing
    assert page.answer.counts["patients"].sum() == inside + 12
    box.missing.value = False
    box.slider.value = (41, box.slider.value[1])
    assert page.answer.counts["patients"].sum() == 48, "a value is asked for, whatever it is"


@pytest.mark.parametrize("bound", [{"min": 90}, {"max": 3}, {"min": 90, "max": 95}])
def test_a_bound_beyond_the_data_is_an_empty_subgroup_not_an_error(bound):
    view = View(where=where({"column": "age"} | bound))
    page = Explorer(PAPER, view)
    assert shown(page)["lead"] == "No patient is left."
    assert page.controls.view == view and page.failures == []
    assert page.controls.filters[0].slider.value[0] in bound.values()


def test_removing_a_filter_removes_its_condition_and_no_other():
    page = Explorer(PAPER, View(where=(*OLDER, *FEMALE)))
    gone = next(one for one in page.controls.filters if one.column == "sex")
    page.controls.drop_filter(gone)
    assert page.controls.view.where == OLDER
    assert [one.column for one in page.controls.filters] == ["age"]


def test_what_is_compared_is_not_adjusted_for():
    page = Explorer(PAPER, View(adjust=("sex", "age")))
    page.controls.compare.value = "sex"
    assert page.controls.view.adjust == ("age",)
    assert "sex" not in [value for _, value in page.controls.add_covariate.options]


def test_months_and_days_show_one_question():
    page = Explorer(PAPER, View(horizon=365, landmark=28.0))
    before = page.controls.view
    page.controls.unit.value = "days"
    assert page.controls.view == before
    assert (page.controls.landmark.value, page.controls.horizon.value) == (28, 365)
    page.controls.unit.value = "months"
    page.controls.horizon.value = 6
    assert page.controls.view.horizon == 6 * DAYS_PER_MONTH
    assert page.controls.view.landmark == 28


def test_start_again_brings_back_the_first_question():
    page = Explorer(PAPER, View(endpoint="pfs", horizon=200))
    page.controls.compare.value = "sex"
    page.controls.start_again.click()
    assert page.controls.view == View(endpoint="pfs", horizon=200)
    assert page.controls.compare.value == "arm"


def test_a_view_that_cannot_be_answered_shows_the_reason_and_no_number():
    page = Explorer(PAPER)
    page.load(View(where=where({"column": "shoe", "min": 40})))
    assert "shoe" in shown(page)["error"] and "To do" in shown(page)["error"]
    assert shown(page)["tables"] == [] and shown(page)["scene"]["curves"] == []
    with pytest.raises(ValueError, match="no answer"):
        packed(page)
    page.controls.start_again.click()
    assert shown(page)["error"] == "" and page.failures == []


# -- honesty --------------------------------------------------------------------------------


def test_every_answer_says_its_patients_events_and_what_it_could_have_seen():
    page = Explorer(PAPER, View(adjust=("ecog >= 3", "ipi >= 3")))
    says = cautions(page)
    assert says["Patients"].startswith("CD20 CAR-T: 54 patients, 29 events; non-CAR-T: 39")
    assert says["Events per variable"].startswith("20.7 events for each of the 3 terms")
    least = np.exp(-2.8015852 / np.sqrt(62 * (54 / 93) * (39 / 93)))
    assert f"{least:.2g} or below (or {1 / least:.2g} or above)" in says["What could be seen"]


def test_few_events_per_term_are_called_few():
    page = Explorer(PAPER, View(where=FEMALE, adjust=("age", "ipi", "ecog")))
    assert "Below about 10 a model starts to fit its own noise" in str(cautions(page))
    assert "Below about 10" not in str(cautions(Explorer(PAPER)))


def test_the_shrunk_ratio_stands_between_the_two_sides():
    view = View(where=OLDER)
    page = Explorer(PAPER, view)
    both = sides(PAPER, view)[["estimate", "std_error"]].to_numpy()
    drawn = np.exp(shrunk(*both[0], *both[1])["shrunk"].iloc[0])
    assert f"Drawn towards the others it is {number(drawn)} (" in cautions(page)["Shrunk"]
    assert "standard deviation 0.35" in cautions(page)["Shrunk"]


def test_a_look_is_one_interaction_shown_and_none_counts_twice():
    page = Explorer(PAPER)
    assert len(page.looks) == 0, "a comparison of everybody tests no interaction"
    page.load(View(where=FEMALE))
    assert len(page.looks) == 1
    page.load(View(where=where({"column": "sex", "in": ["M"]})))
    assert len(page.looks) == 1, "the other side of a split is the same test"
    page.load(View(where=FEMALE, endpoint="pfs"))
    assert len(page.looks) == 2
    page.load(View(where=FEMALE))
    assert len(page.looks) == 2
    assert "2 interaction tests have been shown" in cautions(page)["Looks"]
    assert "0.10 would be expected" in cautions(page)["Looks"]
    assert len(Explorer(PAPER).looks) == 2, "a second page of the cohort has the same counter"
    assert len(Explorer(german()).looks) == 0


def test_a_forest_costs_as_many_looks_as_it_shows_tests():
    page = Explorer(PAPER, View(where=FEMALE))
    page.forest.toggle()
    table = page.forest.table()
    tests = table.loc[table["interaction_p"].notna(), "split"].nunique()
    assert len(page.looks) == tests, "the first look is one of them"
    assert f"{tests} interaction tests" in cautions(page)["Looks"]
    shown_p = [row["p"] for row in page.forest.view.shown["rows"]]
    assert sum(p not in ("as above", "–") for p in shown_p) == tests


def test_the_adjusted_p_is_the_p_times_the_looks():
    page = Explorer(PAPER, View(where=FEMALE))
    page.forest.toggle()
    p = page.answer.interaction["p_value"].iloc[0]
    worth = min(1.0, len(page.looks) * p)
    assert p > 0.05 and len(page.looks) > 10 and worth == 1
    assert "multiplied by the looks it is 1.00" in cautions(page)["Looks"]
    fewer = Explorer(german(), View(where=where({"column": "grade", "in": ["3"]})))
    alone = fewer.answer.interaction["p_value"].iloc[0]
    said_of_one = p_value(alone).removeprefix("P = ")
    assert f"multiplied by the looks it is {said_of_one}," in cautions(fewer)["Looks"]


def test_both_nulls_are_named_and_placed_once_they_are_done():
    page = Explorer(PAPER, View(where=FEMALE))
    assert "being computed" in cautions(page)["Chance alone"]
    page.finish()
    says = cautions(page)["Chance alone"]
    assert says.count(f"In {SHUFFLES:,} data sets with") == 2
    assert "Covariate rows are shuffled" in says and "Outcomes are drawn from a Cox model" in says
    page.load(View(where=(*FEMALE, *OLDER)))
    page.finish()
    assert "not one of the splits on offer" in cautions(page)["Chance alone"]


def test_a_null_that_was_stopped_halfway_begins_again():
    page = Explorer(PAPER, View(where=FEMALE))
    page.load(View(where=where({"column": "stage", "min": 3})))  # its bootstrap replaces the first
    page.load(View(where=FEMALE))
    page.finish()
    assert cautions(page)["Chance alone"].count("In 2,000 data sets with") == 2


def test_work_beside_the_page_reports_what_goes_wrong():
    work, got = Background(), []

    def pieces():
        yield 1
        raise ValueError("broken")

    work.start("null", pieces, got.append)
    work.finish()
    assert got[0] == 1 and isinstance(got[1], ValueError)


def test_in_an_event_loop_the_work_comes_by_itself_and_can_be_stopped():
    import asyncio

    async def run():
        work, got = Background(), []
        work.start("a", lambda: iter(range(3)), got.append)
        work.start("b", lambda: iter(range(10**6)), lambda _: got.append("b"))
        await asyncio.sleep(0.2)
        work.stop("b")
        count = len(got)
        await asyncio.sleep(0.2)
        return got, count

    got, count = asyncio.run(run())
    assert [v for v in got if v != "b"] == [0, 1, 2]
    assert len(got) <= count + 1


def test_a_group_known_only_later_needs_a_landmark():
    page = Explorer(PAPER, View(compare="crs_grade"))
    assert "set a landmark" in json.dumps(shown(page)["remarks"])
    assert "withheld" in shown(page)["lead"]
    page.load(View(where=where({"column": "crs_grade", "max": 1}), landmark=30.0))
    assert "By day 30" in json.dumps(shown(page)["remarks"])


def test_invented_columns_are_marked_on_the_figure_and_in_words():
    page = Explorer(PAPER, View(where=FEMALE))
    assert "rests on invented values: Sex" in shown(page)["scene"]["marks"]
    assert "Sex" in cautions(page)["Invented columns"]
    page.load(View(where=where({"column": "ipi", "min": 3})))
    assert shown(page)["scene"]["marks"] == [PAPER.mark]
    assert Explorer(german()).view_of_answer.shown["scene"]["marks"] == []


# -- the figure -----------------------------------------------------------------------------


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("unit", UNITS)
def test_the_drawn_steps_are_those_of_the_curve(curve, unit):
    answer = analyse(PAPER, View(), engine="fast")
    drawn = scene(answer, Display(curve, unit))
    for one in drawn["curves"]:
        table = answer.curves[answer.curves["group"] == one["name"]]
        whole = steps(table, Display(curve, unit))
        np.testing.assert_allclose(one["x"], whole.x, atol=1e-6)
        assert one["y"] == pytest.approx(whole.y.tolist(), abs=1e-6)
        assert max(one["x"]) <= drawn["x"]["limits"][1]
        survival = np.array(one["survival"], float)
        back = {"survival": survival, "incidence": 1 - survival}.get(curve)
        if back is None:
            back = np.log(-np.log(survival))
        np.testing.assert_allclose(np.array(one["y"], float), back, atol=1e-5)
    assert "NaN" not in json.dumps(drawn)
    assert figure_survival(answer, display=Display(curve, unit)).axes


def test_proportional_hazards_are_parallel_on_the_log_log_axis(tmp_path):
    n = 400
    quantile = (np.arange(1, n + 1) - 0.5) / n
    base = np.round(-300 * np.log(1 - quantile), 3)
    columns = {"arm": ["old"] * n + ["new"] * n, "os_time": [*base, *np.round(base * 2, 3)],
               "os_event": [1] * 2 * n}  # fmt: skip
    answer = analyse(make_cohort(tmp_path, columns), View(), engine="fast")
    curves = {name: steps(part, Display("log-log")) for name, part in
              answer.curves.groupby("group")}  # fmt: skip
    at = np.log(np.array([5.0, 10.0, 20.0]))
    heights = [np.interp(at, c.x, c.y) for c in (curves["old"], curves["new"])]
    np.testing.assert_allclose(heights[0] - heights[1], np.log(2), atol=0.05)


def test_steps_finer_than_a_pixel_are_thinned_and_the_last_one_stays():
    x = np.sort(np.random.default_rng(3).uniform(0, 100, 50_000))
    kept = thin(x)
    assert len(kept) <= FINE + 2 and kept[0] == 0 and kept[-1] == len(x) - 1
    assert np.diff(x[kept]).max() < 3 * 100 / FINE
    assert list(thin(np.arange(5.0))) == [0, 1, 2, 3, 4]


def test_a_side_and_its_complement_have_one_key():
    inside = np.array([1, 0, 1, np.nan])
    assert side_key(inside) == side_key(np.array([0, 1, 0, np.nan]))
    assert side_key(inside) != side_key(np.array([1, 0, 0, np.nan]))
    assert side_key(np.full(4, np.nan)) == side_key(np.full(4, np.nan))


# -- taking away ----------------------------------------------------------------------------


def contents(page) -> dict[str, bytes]:
    archive = zipfile.ZipFile(io.BytesIO(packed(page)[2]))
    return {name: archive.read(name) for name in archive.namelist()}


def test_the_code_that_is_taken_away_gives_the_same_numbers():
    view = View(where=OLDER, adjust=("ecog >= 3",), horizon=365)
    page = Explorer(PAPER, view, files=(PAPER_COHORT, ""))
    space = {}
    code = contents(page)["code.py"].decode()
    exec(compile(code, "code.py", "exec"), space)
    pd.testing.assert_frame_equal(space["answer"].model, page.answer.model)
    assert code.startswith("# SYNTHETIC DATA")


def test_code_never_names_another_file_than_the_one_that_was_read():
    assert "'YOUR FILE', 'YOUR MAPPING'" in contents(Explorer(german()))["code.py"].decode()
    told = contents(Explorer(german(), files=tuple(EXAMPLE)))["code.py"].decode()
    assert f"load_cohort({EXAMPLE[0]!r}, {EXAMPLE[1]!r})" in told


def test_the_methods_paragraph_counts_the_looks_and_cites():
    page = Explorer(PAPER, View(where=OLDER))
    page.finish()
    text = contents(page)["methods.txt"].decode()
    assert "1 interaction test has been shown" in text and "10.2307/2531021" in text
    assert "The null by shuffled covariates" in text
    assert contents(page) == contents(page), "the same answer is the same file"


def test_what_is_masked_stays_masked_in_the_zip():
    cohort = replace(german(), mask_below=5)
    page = Explorer(cohort, View(where=where({"column": "grade", "in": ["1"]})))
    page.forest.toggle()
    files = contents(page)
    assert not [name for name in files if name.endswith((".png", ".svg", ".pdf"))]
    assert "caution.csv" not in files
    forest = pd.read_csv(io.BytesIO(files["forest.csv"]))
    assert not {"n", "n_event", "events_compared"} & set(forest.columns)
    small = page.forest.table().query("column == 'grade'")["events_compared"]
    assert small.min() < 5 < small.max(), "one level is small, the others give it away"
    assert set(forest["column"]) == set(page.forest.table()["column"]) - {"grade"}
    methods = files["methods.txt"].decode()
    assert "masked" in methods


# -- a reader's own file --------------------------------------------------------------------


def upload(form, name, text):
    from datetime import UTC, datetime

    content = memoryview(text.encode())
    form.upload.value = (
        {"name": name, "type": "text/csv", "size": len(content), "content": content,
         "last_modified": datetime.now(UTC)},
    )  # fmt: skip


def mean(form, endpoint, meanings):
    """Say in the form what the codes of an endpoint's event mean."""
    for code, meaning in meanings.items():
        form.endpoints[endpoint].codes.fields[code].value = meaning


UNKNOWN = ["0:LIVING", "1:DECEASED", "unclear", "1:DECEASED", "lost"] * 8


def form_with_unknown_status():
    """The form with 40 patients, of whom 8 have no status and 8 were lost."""
    page = Explorer(PAPER)
    rows = [f"p{i},{'AB'[i % 2]},{i + 1},{status}" for i, status in enumerate(UNKNOWN)]
    upload(page.own.form, "mine.csv", "\n".join(["patient_id,arm,os_time,os_event", *rows]))
    page.own.form.reference.value = "A"
    return page, page.own.form


def test_a_status_has_no_meaning_but_what_its_word_says_until_it_is_given_one():
    page, form = form_with_unknown_status()
    fields = form.endpoints["os"].codes.fields
    assert set(fields) == {"0:LIVING", "1:DECEASED", "lost", "unclear"}
    said = {"0:LIVING": "censored", "1:DECEASED": "event"}
    for code, field in fields.items():
        assert field.value == said.get(code, "(none)") and field.description == f"{code} means"
        assert list(field.options) == ["(none)", "event", "censored", "missing", "another cause"]
    for code, meaning in (("1:DECEASED", "event"), ("lost", "censored")):
        assert page.cohort is PAPER
        mean(form, "os", {code: meaning})
        form.load()
        assert "unclear" in form.said.value
        assert "a code the recode does not name" in form.said.value
    assert "not alive" in form.said.value


def test_a_status_that_is_unknown_is_never_censored_and_its_patients_are_counted():
    page, form = form_with_unknown_status()
    known = {"1:DECEASED": "event", "0:LIVING": "censored", "lost": "censored"}
    mean(form, "os", known | {"unclear": "missing"})
    form.load()
    assert page.cohort is PAPER
    assert "no status for 8 patients, and unknown is not alive" in form.said.value
    mean(form, "os", {"unclear": "another cause"})
    form.load()
    assert page.cohort is PAPER
    assert "neither event nor censoring" in form.said.value
    mean(form, "os", {"unclear": "event"})
    form.load()
    assert page.cohort.frame["os_event"].sum() == UNKNOWN.count("1:DECEASED") + 8


def test_every_code_stands_in_the_mapping_that_the_form_writes():
    _, form = form_with_unknown_status()
    mean(form, "os", {"1:DECEASED": "event", "0:LIVING": "censored", "lost": "another cause",
                      "unclear": "missing"})  # fmt: skip
    written = yaml.load(form.mapping.value, TextLoader)["recode"]["os_event"]
    assert written == {"1:DECEASED": "1", "0:LIVING": "0", "lost": "another cause",
                       "unclear": None}  # fmt: skip


def test_another_event_column_asks_for_its_own_codes_again():
    _, form = form_with_unknown_status()
    mean(form, "os", {"1:DECEASED": "event"})
    ending = form.endpoints["os"]
    event, codes = ending.fields["status"], ending.codes
    event.value = "arm"
    assert list(codes.fields) == ["A", "B"]
    assert {field.value for field in codes.fields.values()} == {"(none)"}
    event.value = "(none)"
    assert codes.fields == {} and codes.box.children == ()


def test_a_file_with_our_names_is_used_as_it_is(tmp_path):
    page = Explorer(PAPER)
    rows = [f"p{i},{'AB'[i % 2]},{i + 1},{i % 2},{40 + i}" for i in range(40)]
    upload(page.own.form, "mine.csv", "\n".join(["patient_id,arm,os_time,os_event,age", *rows]))
    page.own.form.reference.value = "B"
    mean(page.own.form, "os", {"0": "censored", "1": "event"})
    page.own.form.load()
    assert page.cohort.name == "mine" and page.cohort.arms == ("A", "B")
    assert "age" in page.cohort.factors
    assert page.cohort.mask_below == 5 and page.cohort.status == "private"
    assert page.files == ("mine.csv", "mapping.yaml") and page.mapping
    assert "mine: private data" in said(page)


def test_a_file_that_cannot_be_read_is_refused_with_every_reason():
    page = Explorer(PAPER)
    upload(page.own.form, "bad.csv", "a,b\n1,2,3\n4,5,6,7\n")
    assert "the header has 2 names" in page.own.form.said.value
    upload(page.own.form, "<b>x</b>.csv", "patient_id,arm,os_time,os_event\np,A,-3,1\nq,B,2,7\n")
    page.own.form.load()
    assert "1, 7: a code the recode does not name" in page.own.form.said.value
    assert "before time zero" in page.own.form.said.value
    assert "<b>x</b>" not in page.own.form.said.value
    assert page.cohort is PAPER


def test_arms_that_are_numbers_get_names(tmp_path):
    page = Explorer(PAPER)
    rows = [f"p{i},{1 + i % 2},{i + 1},{i % 3 // 2}" for i in range(40)]
    upload(page.own.form, "mine.csv", "\n".join(["patient_id,arm,os_time,os_event", *rows]))
    form = page.own.form
    form.arm_names["1"].value, form.arm_names["2"].value = "surgery", "watching"
    form.reference.value = "2"
    mean(form, "os", {"0": "censored", "1": "event"})
    form.load()
    assert page.cohort.arms == ("surgery", "watching"), form.said.value


def test_codes_of_a_known_column_are_asked_for_and_never_made_missing_unasked():
    page = Explorer(PAPER)
    rows = [f"p{i},{'AB'[i % 2]},{i + 1},1,{'xy'[i % 3 // 2]}" for i in range(40)]
    upload(page.own.form, "mine.csv", "\n".join(["patient_id,arm,os_time,os_event,sex", *rows]))
    form = page.own.form
    form.reference.value = "A"
    mean(form, "os", {"1": "event"})
    sex = next(row for row in form.rows if row.column == "sex")
    sex.codes.fields["x"].value = "F"
    form.load()
    assert "found y: a code the recode does not name" in form.said.value
    sex.codes.fields["y"].value = "M"
    form.load()
    assert set(page.cohort.frame["sex"]) == {"F", "M"}


# -- whatever a hand may do -----------------------------------------------------------------

CROOKED = {
    "no event": {"os_event": [0] * 12},
    "all at one time": {"os_time": [5] * 12},
    "one patient an arm": None,
    "separated": {"os_time": [*range(1, 13)], "os_event": [1] * 12,
                  "arm": ["old"] * 6 + ["new"] * 6},
    "constant covariate": {"age": [50] * 12},
    "half missing": {"age": ["", 60] * 6},
}  # fmt: skip


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    made = {"paper": PAPER, "german": german()}
    for name, columns in CROOKED.items():
        base = {"os_time": [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8], "os_event": [1, 1, 0] * 4,
                "age": [*range(40, 52)], "ecog": [0, 1, 2, 3] * 3,
                "sex": ["F", "M", "M"] * 4}  # fmt: skip
        if columns is None:
            base = {key: value[:2] for key, value in base.items()}
        made[name] = make_cohort(tmp_path_factory.mktemp("crooked"), base | (columns or {}))
    return made


NONSENSE = [
    "", "{}", "not a view", "[1, 2]", "{endpoint: cure}", "{where: [{column: age, min: 1e9}]}",
    "{where: [{column: age, max: -5}]}", "{where: [{column: age, min: 44, max: 44}]}",
    "{where: [{column: age, min: 41}, {column: age, max: 41}]}", "{where: [{column: sex, in: []}]}",
    "{where: [{column: shoe, in: [a]}]}", "{where: [{column: arm, in: [old]}]}",
    "{compare: age}", "{compare: 'ecog >= 2', adjust: [ecog]}", "{compare: 'ecog >= 99'}",
    "{adjust: [sex, sex, age, arm]}", "{adjust: ['age >= 0']}", "{landmark: 1e6}",
    "{horizon: 1e6, landmark: 2}", "{reference: nobody}", "{ties: exact, intervals: profile}",
    "{compare: arm, where: [{column: arm, in: [new]}], horizon: 3}",
]  # fmt: skip
acts = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 60), st.floats(0, 1), st.booleans()),
    min_size=1, max_size=8,
)  # fmt: skip


def do(page, act):
    """One thing that a hand can do to the page, whatever it makes of the numbers given."""
    kind, which, share, flag = act
    controls = page.controls

    def pick(widget):
        values = [v[1] if isinstance(v, tuple) else v for v in widget.options]
        widget.value = values[which % len(values)]

    if kind < 7:
        pick((controls.endpoint, controls.compare, controls.reference, controls.ties,
              controls.intervals, controls.add_covariate, controls.add_filter)[kind])  # fmt: skip
    elif kind == 7 and controls.filters:
        one = controls.filters[which % len(controls.filters)]
        if one.by_level:
            tick = list(one.ticks.values())[which % len(one.ticks)]
            tick.value = flag
        else:
            low, high = one.slider.min, one.slider.max
            at = type(one.slider.value[0])(low + share * (high - low))
            one.slider.value = (at, high) if flag else (low, at)
    elif kind == 8:
        controls.landmark.value = round(share * 40, 1)
    elif kind == 9:
        controls.horizon.value = round(share * 40, 1)
    elif kind == 10:
        (controls.unit if flag else controls.curve).value = (
            UNITS[which % 2] if flag else list(CURVES)[which % 3]
        )
    elif kind == 12:
        page.texts.text.value = NONSENSE[which % len(NONSENSE)]
        page.texts.use.click()
    elif kind == 11:
        if flag:
            controls.firth.value = not controls.firth.value
        elif controls.filters:
            controls.drop_filter(controls.filters[which % len(controls.filters)])
        else:
            page.forest.toggle()


@settings(
    max_examples=60, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(name=st.sampled_from(["paper", "german", *CROOKED]), acts=acts)
def test_no_sequence_of_controls_breaks_the_page_or_shows_a_silent_nan(cohorts, name, acts):
    page = Explorer(cohorts[name])
    for act in acts:
        do(page, act)
        assert page.failures == []
        text = said(page)
        assert not re.search(r"\bnan\b|\bNaN\b|\binf\b|Infinity|None\b", text), text[:3000]
        assert shown(page)["lead"]
        if page.answer is None:
            assert shown(page)["error"]
        else:
            assert page.answer.view == page.controls.view
            # What could not be read stays in its field, with the reason beside it.
            unread = "Not used" in page.texts.said.value
            assert unread or View.read(page.texts.text.value) == page.controls.view
            left_out = page.answer.model.empty and len(page.answer.groups) > 1
            assert not left_out or len(page.answer.notes), "a reason for every gap"


def test_looks_can_be_counted_for_three_groups():
    older = where({"column": "age", "min": 50})
    page = Explorer(german(), View(endpoint="rfs", compare="grade", where=older))
    assert len(page.looks) == len(page.answer.interaction) == 2
    assert isinstance(page.looks, Looks)
