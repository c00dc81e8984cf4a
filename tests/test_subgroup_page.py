"""The page on subgroups is true to the estimates, and holds where there is no subgroup."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cohorts import german, make_cohort

from helpers.analysis import analyse
from helpers.cohort import ROOT, SECOND_COHORT, load_cohort
from helpers.conventions import EVENT_FLOOR, ONE_OF_MANY
from helpers.estimators.caution import detectable
from helpers.estimators.splits import membership
from helpers.explorer import Explorer
from helpers.explorer.honesty import Chance, caution
from helpers.explorer.looks import Looks
from helpers.explorer.readout import readout
from helpers.pages import subgroup_page as page
from helpers.plots.style import is_stamped
from helpers.plots.subgroups import figure_maxima, figure_subgroups
from helpers.selection import inside_of
from helpers.view import View, Where
from helpers.words import NOT_DEFINED, bare_p, ratio
from helpers.workshop.cli import main

PAPER = load_cohort()
OS = View(horizon=365.0)
SEED, SHUFFLES = 20240625, 300
NOTEBOOK = ROOT / "notebooks" / "07_subgroup_explorer.ipynb"


@pytest.fixture(scope="module")
def asked():
    return page.ask(PAPER, OS)


@pytest.fixture(scope="module")
def largest(asked):
    return [
        page.null(asked, kind, seed=SEED, shuffles=SHUFFLES, largest=True)
        for kind in ("permutation", "bootstrap")
    ]


def tiny(folder, n=9, event=None, **more):
    columns = {"os_time": [10 * (i + 1) for i in range(n)]}
    columns["os_event"] = [int(i % 3 > 0) if event is None else event for i in range(n)]
    return make_cohort(folder, columns | more)


def everything(cohort, view=OS):
    """All that the page shows of any cohort, as text, and its figures."""
    asked = page.ask(cohort, view)
    found = [
        page.null(asked, kind, seed=1, shuffles=60, largest=side)
        for kind in ("permutation", "bootstrap")
        for side in (False, True)
    ]
    z = page.observed(asked)
    tables = [
        page.rows_or_note(readout(asked.answer), page.nothing(asked)), page.sides_text(asked),
        page.priors_text(asked), page.best_text(asked, found[0]), page.nulls_text(),
        page.later_text(asked), page.replay_text(asked.view), page.compared_text({"a": asked}),
        caution(asked.answer, asked.both, 3, tuple(Chance(*n) for n in found[::2])),
    ]  # fmt: skip
    texts = [
        page.read_question(asked), page.read_sides(asked), page.read_offer(asked),
        page.caption_forest(asked), page.alt_forest(asked), page.read_forest(asked),
        page.caption_maxima(found[1::2]), page.alt_maxima(found[1::2], z), page.xlabel(asked),
        page.read_maxima(found[1::2], z), page.read_compared({"a": asked, "b": asked}),
    ]  # fmt: skip
    figures = [
        figure_subgroups(page.forest_rows(asked), of=cohort, xlabel=page.xlabel(asked),
                         everybody=asked.everybody),
        figure_maxima(page.maxima(found[1::2]), observed=z, of=cohort),
    ]  # fmt: skip
    return "\n".join([*texts, *(table.to_csv() for table in tables)]), figures


# --- which subgroup ---------------------------------------------------------------------------


def test_the_subgroup_of_the_built_rows_is_one_that_print_binds(asked):
    assert asked.view.where == (Where("ipi", min=3.0),)
    assert PAPER.invented("ipi") == [] and "fixed in advance" in page.read_question(asked)


def test_a_view_with_a_filter_keeps_it():
    view = replace(OS, where=(Where("sex", values=("F",)),), landmark=60.0)
    assert page.ask(PAPER, view).view == view


def test_a_reader_gets_the_first_split_with_events_on_both_sides_whatever_its_ratio():
    chosen = page.ask(german(), OS)
    first = chosen.forest.iloc[0]
    assert chosen.view.where[0].plain() == first["where"]
    assert (chosen.sides[["events_compared", "events_reference"]] >= EVENT_FLOOR).all(axis=None)


def test_the_rule_passes_over_a_split_without_events(tmp_path):
    n = 80
    event = [0 if i < 40 else 1 for i in range(n)]
    cohort = make_cohort(tmp_path, {
        "os_time": [10 + i for i in range(n)], "os_event": event,
        "sex": ["F" if i < 40 else "M" for i in range(n)],  # nobody of one sex has the event
        "histology": ["a" if i % 4 < 2 else "b" for i in range(n)],
    })  # fmt: skip
    assert page.ask(cohort, OS).view.where[0].column == "histology"


def test_only_the_sides_that_print_binds_are_not_called_invented(asked):
    rows = page.forest_rows(asked)
    filled = set(rows.loc[~rows["invented"], "label"].str.rpartition(": ")[2])
    assert filled == {">= 3", "< 3"}
    assert rows.loc[rows["invented"], "label"].str.endswith("(invented)").all()
    assert "ECOG performance status: >= 2 (invented)" in set(rows["label"])
    assert not page.forest_rows(page.ask(german(), OS))["invented"].any()


# --- the numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize("cohort", [PAPER, german()], ids=["built rows", "real patients"])
def test_each_row_of_the_forest_is_what_analyse_answers_to_that_subgroup(cohort):
    asked = page.ask(cohort, OS)
    table = asked.forest[asked.forest["split"].notna()]
    for row, shown in zip(table.to_dict("records"), page.forest_rows(asked).to_dict("records"),
                          strict=True):  # fmt: skip
        view = replace(OS, where=(Where.read(row["where"]),))
        answer = analyse(cohort, view, floor=EVENT_FLOOR)
        assert shown["ratio"] == ratio(answer.model.iloc[0])
        found = answer.interaction.get("p_value", pd.Series([np.nan]))  # none of too few events
        assert shown["p"] in (bare_p(found.iloc[0]), ""), row["level"]


def test_two_sides_of_a_split_show_one_p(asked):
    rows = page.forest_rows(asked)
    shown = rows[rows["p"] != ""]
    assert len(shown) == rows["split"].nunique()
    assert (shown["p"] != NOT_DEFINED).sum() == len(asked.tests) > 10


def test_the_ratio_of_the_two_is_the_interaction_of_the_answer(asked):
    last = page.sides_text(asked).iloc[-1]
    assert last["patients"] == "ratio of the two"
    assert last["hazard ratio (95%)"] == ratio(asked.answer.interaction.iloc[0])


def test_a_prior_without_width_pools_and_one_without_limit_changes_nothing(asked):
    drawn = page.priors_text(asked)["hazard ratio in the subgroup"]
    raw = page.sides_text(asked)["hazard ratio (95%)"]
    assert drawn.iloc[-1] == raw.iloc[0]
    sides = asked.sides
    weight = 1 / sides["std_error"] ** 2
    pooled = np.exp((weight * sides["estimate"]).sum() / weight.sum())
    assert drawn.iloc[0].startswith(f"{pooled:.2f} ")


def test_an_interaction_takes_four_times_the_events():
    """As exercise 1 has it, with half of the patients in each group and on each side."""
    assert detectable(4 * 247, 0.5, inside=0.5) == pytest.approx(detectable(247, 0.5), abs=1e-12)


def test_the_table_of_the_smallest_never_makes_a_p_smaller(asked, largest):
    tests = asked.tests.head(5)
    table = page.best_text(asked, largest[0])
    k = len(asked.tests)
    assert table.columns[2] == f"times {k} tests"
    for p, text in zip(tests["interaction_p"], table[f"times {k} tests"], strict=True):
        assert text == bare_p(min(1, k * p))
    assert (table["P, best of all splits"].astype(float) >= tests["interaction_p"].to_numpy()).all()


# --- chance -----------------------------------------------------------------------------------


def test_the_null_figure_marks_the_largest_the_bound_and_the_single_test(asked, largest):
    z = page.observed(asked)
    assert z == pytest.approx(asked.forest["interaction_statistic"].abs().max(), rel=1e-6)
    figure = figure_maxima(page.maxima(largest), observed=z, of=PAPER)
    for ax, found in zip(figure.axes, largest, strict=True):
        at = {line.get_gid(): line.get_xdata()[0] for line in ax.get_lines()}
        assert at["observed"] == z and at["one"] == 1.96
        assert at["bound"] == np.quantile(found.maxima, 0.95) > 1.96
        assert sum(bar.get_height() for bar in ax.patches) == SHUFFLES


def test_the_null_figure_marks_nothing_where_nothing_is_observed():
    figure = figure_maxima({"a": np.empty(0), "b": np.empty(0)}, observed=np.nan, of=PAPER)
    assert not any(ax.get_lines() for ax in figure.axes) and is_stamped(figure)


def test_the_sentence_on_chance_counts_the_maxima_at_least_as_large(asked, largest):
    z = page.observed(asked)
    share = np.mean(largest[0].maxima >= z * (1 - 1e-9))
    assert f"in {100 * share:.1f}% with covariates shuffled" in page.read_maxima(largest, z)


def test_the_subgroup_is_found_among_the_splits_from_either_side(asked):
    for where in (Where("ipi", min=3.0), Where("ipi", max=2.0)):
        other = page.ask(PAPER, replace(OS, where=(where,)))
        own = page.null(other, "bootstrap", seed=1, shuffles=20)
        same = page.null(asked, "bootstrap", seed=1, shuffles=20)
        assert own.why == "" and np.array_equal(own.maxima, same.maxima)


def test_a_subgroup_of_two_conditions_has_no_model_of_chance_and_says_so():
    view = replace(OS, where=(Where("ipi", min=2.0), Where("age", min=55.0)))
    asked = page.ask(PAPER, view)
    found = page.null(asked, "bootstrap", seed=1, shuffles=20)
    assert not len(found.maxima) and "not one of the splits" in found.why
    assert len(page.null(asked, "permutation", seed=1, shuffles=20).maxima) == 20


def test_the_cautions_of_the_page_are_those_of_the_explorer(asked):
    """The still picture and the explorer say the same of the same question, chance included."""
    explorer = Explorer(PAPER, asked.view, seed=SEED)
    explorer.finish()
    nulls = [page.null(asked, kind, seed=SEED, shuffles=2_000)
             for kind in ("permutation", "bootstrap")]  # fmt: skip
    ours = caution(asked.answer, asked.both, len(explorer.looks), tuple(Chance(*n) for n in nulls))
    assert ours.to_numpy().tolist() == explorer.cautions()
    for name in ("model", "interaction", "counts", "rmst"):
        pd.testing.assert_frame_equal(getattr(asked.answer, name), getattr(explorer.answer, name))


def test_the_forest_costs_one_look_for_each_split(asked, tmp_path):
    looks = Looks(PAPER)
    looks.see_forest(PAPER, asked.view, asked.forest)
    before = len(looks)
    looks.see_answer(asked.answer)
    assert len(looks) == before, "the subgroup is one of the splits"
    inside = membership(PAPER, asked.offered)
    own = inside_of(PAPER, asked.view)
    assert any(np.array_equal(side, own) for side in inside.T)
    empty = page.ask(tiny(tmp_path), OS)
    assert Looks(empty.cohort).see_forest(empty.cohort, empty.view, empty.forest) == 0


# --- known only later -------------------------------------------------------------------------


def test_nothing_known_later_is_compared_from_time_zero(asked):
    table = page.later_text(asked)
    assert table["from time zero"].str.startswith("Withheld").all()
    response = table[table["compared by"] == "Best response"].iloc[0]
    assert response["known by"] == "no fixed day"
    assert response["from a landmark on that day"].startswith("withheld")


def test_a_landmark_on_the_day_gives_the_ratio_and_counts_those_lost(tmp_path):
    n = 60
    cohort = make_cohort(tmp_path, {
        "os_time": [5 * (i + 1) for i in range(n)], "os_event": [int(i % 5 > 0) for i in range(n)],
        "crs_grade": [i % 2 * 3 for i in range(n)],
    })  # fmt: skip
    row = page.later_text(page.ask(cohort, OS)).iloc[0]
    assert row["known by"] == "day 30" and re.search(r"\d \(\d", row["from a landmark on that day"])
    lost = [i for i in range(n) if 5 * (i + 1) <= 30]
    events = sum(i % 5 > 0 for i in lost)
    assert row["lost before it"] == f"{events} with the event, {len(lost) - events} censored"


def test_no_ratio_by_a_toxicity_is_shown_of_rows_built_for_print(asked):
    shown = page.later_text(asked)["from a landmark on that day"]
    assert not shown.str.contains(r"\d").any()


# --- any cohort -------------------------------------------------------------------------------


def test_a_cohort_without_subgroups_gets_a_sentence_for_each_part(tmp_path):
    for n, event in ((9, None), (12, 0), (2, 1)):
        text, figures = everything(tiny(tmp_path, n, event))
        assert "offers no subgroup" in text and ONE_OF_MANY not in text
        assert "An empty forest" in text and "No set of data" in text
        assert " nan" not in text.lower() and "CAR-T" not in text
        assert all(is_stamped(figure) for figure in figures)


def test_real_patients_are_read_without_the_marks_and_arms_of_the_paper():
    text, figures = everything(german())
    assert "invented" not in text and "CAR-T" not in text and " nan" not in text.lower()
    assert all(is_stamped(figure) for figure in figures)


VIEWS = [
    "{compare: response}",
    "{compare: sex, where: [{column: ecog, min: 3}]}",
    "{compare: histology}",
    "{where: [{column: response, in: [CR, PR]}]}",
    "{where: [{column: ipi, min: 5}, {column: sex, in: [F]}]}",
    "{where: [{column: arm, in: [CD20 CAR-T]}]}",
    "{landmark: 200, adjust: [ecog]}",
    "{ties: exact}",
]


@pytest.mark.parametrize("text", VIEWS)
def test_any_question_is_answered_or_declined_in_words(text):
    shown, figures = everything(PAPER, View.read(text))
    assert " nan" not in shown.lower() and all(is_stamped(figure) for figure in figures)


def test_two_cohorts_that_print_the_same_may_disagree_on_a_subgroup(asked):
    other = page.ask(load_cohort(SECOND_COHORT), asked.view)
    rows = {"these": asked, "other": other}
    assert "one of them would be called significant" in page.read_compared(rows)
    assert len(page.compared_text(rows)) == 2


# --- the replay -------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["fast", "lifelines"])
def test_a_question_read_back_from_text_or_link_has_the_same_answer(asked, engine):
    for again in (View.read(asked.view.text()), View.from_link(asked.view.link())):
        answer = analyse(PAPER, again, engine=engine, floor=EVENT_FLOOR)
        for name in ("model", "interaction"):
            ours, theirs = getattr(asked.answer, name), getattr(answer, name)
            numbers = ["estimate", "conf_low", "conf_high", "p_value"]
            assert np.allclose(ours[numbers], theirs[numbers], rtol=1e-8, atol=1e-10)


def test_the_command_line_prints_the_ratios_of_the_page(asked, tmp_path, capsys):
    file = tmp_path / "replay.json"
    file.write_text(asked.view.text())
    assert main(["view", str(file)]) == 0
    printed = capsys.readouterr().out
    assert ratio(asked.answer.model.iloc[0]) in page.read_replay(asked, printed)
    with pytest.raises(ValueError, match="does not print"):
        page.read_replay(asked, printed.replace("0.27", "0.28"))


def test_the_committed_page_prints_what_is_replayed(asked):
    shown = ratio(asked.answer.model.iloc[0])
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    outputs = [json.dumps(cell.get("outputs", [])) for cell in cells]
    assert sum(f"Found again, digit by digit: {shown}" in text for text in outputs) == 1
    assert sum(shown in text for text in outputs) >= 4  # answer, cautions or sides, forest, replay
