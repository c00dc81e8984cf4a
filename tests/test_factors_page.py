"""What the page on factors says is true to the screens, and holds on cohorts with little to ask."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cohorts import german, make_cohort
from matplotlib.figure import Figure
from matplotlib.text import Text

from helpers.analysis import analyse
from helpers.cohort import SECOND_COHORT, load_cohort
from helpers.estimators.factors import SCREEN_COLUMNS
from helpers.pages import factors_page as page
from helpers.pages.factors_asked import patients
from helpers.paper.forensics import possible_tables
from helpers.paper.ledger import ledger
from helpers.plots.screens import EMPTY
from helpers.plots.style import is_stamped
from helpers.view import View, Where, cut
from helpers.words import plain_text

PAPER = load_cohort()
PFS = View(endpoint="pfs")


@pytest.fixture(scope="module")
def asked():
    return page.ask(PAPER, PFS)


@pytest.fixture(scope="module")
def screen(asked):
    return page.survival_screen(asked, arm=asked.arm)


def real():
    return page.ask(german(), View(endpoint="rfs"))


def odd(folder, n=9, **more):
    """Few patients: a constant, a number with gaps, levels of one patient, responses missing."""
    columns = {
        "os_time": [10 * (i + 1) for i in range(n)],
        "os_event": [int(i % 3 > 0) for i in range(n)],
        "response": (["CR", "PD", "NE", "", "PR"] * n)[:n],
        "age": [40 + i if i % 4 else "" for i in range(n)],
        "sex": ["F"] * (n - 1) + ["M"],
        "ecog": [1] * n,
        "histology": [f"h{i % 5}" for i in range(n)],
    }
    return make_cohort(folder, columns | more)


def everything(cohort, view=None):
    """All that the page shows of any cohort, as text, and its figures."""
    asked = page.ask(cohort, view or View(endpoint=next(iter(cohort.endpoints))))
    screen, rows = page.survival_screen(asked, arm=asked.arm), page.panels(asked)
    few, cuts = page.ways(asked, page.smallest(asked)), page.every_cut(asked)
    compared, drawn, ranks = page.interactions(asked), page.shrinkage(screen), page.ranks(screen)
    tables = [
        page.factors_text(asked), page.screen_text(screen, adjusted=True), page.screen_text(cuts),
        page.ways_text(few), page.by_arm(asked), page.screen_text(page.tested(screen).head(5)),
    ]  # fmt: skip
    texts = [
        page.read_factors(asked), page.read_screen(screen, asked), page.read_screens(rows),
        page.read_cuts(cuts), page.read_ways(few), page.read_chance(screen),
        page.read_ranks(ranks), page.read_interactions(compared, asked), page.read_notes(compared),
        page.read_shrinkage(drawn), page.alt_screens(rows), page.alt_ranks(ranks),
        page.alt_shrinkage(drawn), page.caption_screens(asked), page.rests_on(asked, few),
    ]  # fmt: skip
    figures = [
        page.figure_screens(rows, of=cohort), page.figure_ranks(ranks, of=cohort),
        page.figure_shrinkage(drawn, of=cohort),
    ]  # fmt: skip
    return "\n".join([*texts, *(table.to_csv() for table in tables)]), figures


def test_no_dot_of_the_figure_of_ranks_is_covered_by_a_name_or_a_legend(asked, screen):
    for ranks, cohort in (
        (page.ranks(page.by_chance(asked, screen)), PAPER),
        (page.ranks(page.survival_screen(real(), arm=real().arm)), german()),
    ):
        figure = page.figure_ranks(ranks, of=cohort)
        figure.canvas.draw()
        ax = figure.axes[0]
        name = next(text for text in ax.texts if text.get_text() == ranks["label"].iloc[0])
        covers = [legend.get_window_extent() for legend in figure.legends]
        covers.append(Text.get_window_extent(name))  # the words without the line to the dot
        dots = ax.transData.transform(ranks[["rank", "p_value"]])
        assert not any(box.contains(*dot) for box in covers for dot in dots)
        assert not ax.get_legend()


def test_each_cut_of_the_screen_is_what_analyse_answers_to_its_name(asked, screen):
    for one, table in ((asked, screen), (real(), None)):
        table = page.survival_screen(one, arm=one.arm) if table is None else table
        cuts = table[table["factor"].map(lambda name: cut(name) is not None)]
        assert len(cuts) >= 4
        for row in cuts.itertuples():
            where = (Where("arm", values=(one.arm,)),)
            view = View(endpoint=one.view.endpoint, compare=row.factor, where=where)
            answer = analyse(one.cohort, view)
            model = answer.model.iloc[0]
            for name in ("estimate", "conf_low", "conf_high", "p_value"):
                assert np.isclose(getattr(row, name), model[name], rtol=1e-9, equal_nan=True)
            sizes = answer.counts.set_index("group")
            shown = [f"{sizes.at[g, 'patients']} ({sizes.at[g, 'events']})" for g in answer.groups]
            assert row.groups == " vs ".join(shown)


def test_the_printed_ratios_on_the_page_are_those_of_the_ledger(asked):
    known = ledger(PAPER).set_index("id")["computed"]
    for name, table in (
        ("ipi_orr_or", page.ways(asked, "ipi >= 3", response=True)),
        ("ecog_hr", page.ways(asked, "ecog >= 3", endpoint="pfs")),
    ):
        row = table[table["way"] == "maximum likelihood, Wald"].iloc[0]
        ends = {"": "estimate", ".low": "conf_low", ".high": "conf_high"}
        for end, column in ends.items():
            assert np.isclose(np.exp(row[column]), known[name + end], rtol=1e-6)
        assert np.isclose(row["p_value"], known[f"{name}.p"], rtol=1e-6)


def test_the_readings_of_the_ecog_ratio_show_both_endpoints_and_their_verdicts():
    table = page.readings_text(PAPER)
    assert list(table["read as"].unique()) == ["PFS", "OS"]
    for endpoint, part in table.groupby("read as"):
        view = View(
            endpoint=endpoint.lower(), compare="ecog >= 3",
            where=(Where("arm", values=(PAPER.arms[0],)),),
        )  # fmt: skip
        hazard = np.exp(analyse(PAPER, view).model["estimate"].iloc[0])
        assert part["computed"].iloc[0] == f"{hazard:.3f}"
        assert (part["verdict"] == "not met").all() == (f"{hazard:.2f}" != "3.12")


def test_invented_columns_and_no_others_are_called_so(asked, screen):
    for row in screen.itertuples():
        column = asked.factors[row.factor]
        made = PAPER.codebook.at[column, "evidence"] == "illustrative"
        assert row.label.endswith("(invented)") == made == row.invented
    assert set(screen.loc[~screen["invented"], "factor"]) == {"ecog >= 3", "ipi >= 3"}
    assert "Rests on invented values" in page.rests_on(asked, screen)
    assert "invented" not in page.rests_on(asked, screen[~screen["invented"]])


def test_no_column_of_a_readers_cohort_is_called_invented():
    assert "invented" not in everything(german())[0]


def test_cuts_and_references_are_chosen_without_a_look_at_the_outcome():
    shuffled = PAPER.frame.copy()
    rng = np.random.default_rng(1)
    for column in ("os_time", "os_event", "pfs_time", "pfs_event", "response"):
        shuffled[column] = rng.permutation(shuffled[column].to_numpy())
    other = page.ask(replace(PAPER, frame=shuffled), PFS)
    assert other.keys == page.ask(PAPER, PFS).keys


def test_a_category_is_compared_with_its_most_frequent_level():
    one = real()
    for name, reference in one.keys["references"].items():
        if not cut(name):
            counts = one.cohort.frame[name].astype(str).value_counts()
            assert counts[reference] == counts.max()


def test_only_what_is_known_at_the_start_is_a_factor():
    assert "response" not in page.ask(PAPER, PFS).factors.values()
    assert "crs_grade" not in page.ask(PAPER, PFS).factors.values()
    assert "crs_grade" in page.ask(PAPER, View(endpoint="pfs", landmark=30)).factors.values()
    said = plain_text(page.read_factors(page.ask(PAPER, PFS)))
    assert "known only later: response, pfs_censor_reason, crs_grade" in said


def test_every_patient_is_on_one_side_of_each_cut_tried():
    one = real()
    table, n = page.every_cut(one), len(patients(one, arm=one.arm))
    cuts = table[table["per"] == "level"]
    for groups in cuts["groups"]:
        assert sum(int(size) for size in re.findall(r"(\d+) \(", groups)) == n
    ratios = np.exp(cuts["estimate"])
    said = page.read_cuts(table)
    assert f"{len(cuts)} cuts" in said and f"{ratios.min():.2f} to {ratios.max():.2f}" in said


def test_the_smallest_p_values_are_adjusted_for_all_and_not_for_those_shown(screen):
    shown = page.screen_text(page.tested(screen).head(2), adjusted=True)
    k = int(screen["p_value"].notna().sum())
    smallest = screen["p_value"].min()
    assert float(shown["Holm"].iloc[0]) == pytest.approx(min(1, k * smallest), abs=0.006)
    alone = page.screen_text(page.tested(screen.nsmallest(2, "p_value")), adjusted=True)
    assert alone["Holm"].iloc[0] != shown["Holm"].iloc[0]


def test_the_band_and_the_line_are_what_independent_tests_of_nothing_give():
    k, rng = 12, np.random.default_rng(7)
    table = pd.DataFrame({"label": "x", "p_value": rng.random(k), "invented": False})
    ranks = page.ranks(table)
    drawn = np.sort(rng.random((40_000, k)), axis=1)
    assert np.allclose(ranks["expected"], drawn.mean(axis=0), atol=0.005)
    limits = np.quantile(drawn, [0.025, 0.975], axis=0)
    assert np.allclose(ranks[["low", "high"]].to_numpy().T, limits, atol=0.01)


def test_the_rules_of_the_figure_decide_as_the_adjusted_p_do():
    table = pd.DataFrame({"label": "x", "invented": False,
                          "p_value": [0.004, 0.011, 0.02, 0.038, 0.3]})  # fmt: skip
    found, ranks = page.tested(table), page.ranks(table)
    fails = ~(ranks["p_value"] <= ranks["holm"])
    assert (found["p_holm"] < 0.05).sum() == fails.to_numpy().argmax() == 2
    passes = np.flatnonzero(ranks["p_value"] <= ranks["bh"])
    assert (found["p_bh"] < 0.05).sum() == passes.max() + 1 == 4


def test_what_chance_would_give_is_counted_for_the_tests_there_are(screen):
    said, k = page.read_chance(screen), int(screen["p_value"].notna().sum())
    assert f"If none of {k} independent" in said and f"1/{k + 1} = {1 / (k + 1):.2f}" in said
    assert f"{1 - 0.95**k:.0%} of such screens" in said
    alone = screen[screen["invented"]]["p_value"].dropna()
    assert f"Of the {len(alone)} invented alone" in said and f"1/{len(alone) + 1}" in said


def test_an_interaction_is_labelled_as_its_factor_and_counts_all_patients(asked):
    table = page.interactions(asked)
    assert not table["label"].str.contains("arm:").any()
    n = len(patients(asked))
    row = table[table["factor"] == "ecog >= 3"].iloc[0]
    assert row["n"] == n == 93
    flipped = page.ask(replace(PAPER, arms=PAPER.arms[::-1]), PFS)
    turned = page.interactions(flipped).set_index("factor").loc["ecog >= 3", "estimate"]
    assert np.isclose(turned, -row["estimate"])


def test_firth_is_said_to_answer_where_maximum_likelihood_does_not(asked):
    table = page.ways(asked, "histology")
    silent = table[table["estimate"].isna()]
    assert set(silent["way"]) == {"maximum likelihood, Wald", "maximum likelihood, profile"}
    label = silent["label"].iloc[0]
    said = page.read_ways(table)
    assert f"{label}' maximum likelihood gives no ratio. Firth's penalty gives" in said


def test_lessons_on_chance_leave_out_what_was_searched_for_and_lessons_on_size_what_is_invented(
    asked,
):
    assert page.smallest(asked) == "ecog >= 3"
    family = page.by_chance(asked, page.survival_screen(asked, arm=asked.arm))
    assert family["invented"].all() and len(family) >= 10
    cuts = page.every_cut(asked)
    assert cuts["invented"].all() and len(cuts) > 3
    german = real()
    screen = page.survival_screen(german, arm=german.arm)
    assert page.by_chance(german, screen) is screen


def test_the_smallest_group_belongs_to_the_factor_named():
    one = real()
    frame = patients(one, arm=one.arm)
    least = {name: frame[name].value_counts().min() for name in one.factors}
    assert least[page.smallest(one)] == min(least.values())


def test_each_panel_of_possible_tables_has_a_mark_per_patient():
    tables = possible_tables()
    figure = page.figure_tables(tables, n=54, status="Computed from printed numbers alone.")
    assert is_stamped(figure) and len(figure.axes) == len(tables) == 4
    for ax, row in zip(figure.axes, tables.itertuples(), strict=True):
        filled = [line for line in ax.lines if line.get_markerfacecolor() != "white"]
        assert sum(len(line.get_xdata()) for line in ax.lines) == 54
        responders = row.responders_high + row.responders_low
        assert sum(len(line.get_xdata()) for line in filled) == responders
    text = page.tables_text(tables, 54)
    assert list(text["overall response"]) == ["53.7%", "59.3%", "40.7%", "46.3%"]
    assert set(text["P, Fisher"]) == {"0.052"} and set(text["P, Wald"]) == {"0.037"}


def test_a_screen_is_drawn_open_where_invented_and_crossed_where_missing(asked):
    rows = page.panels(asked)
    figure = page.figure_screens(rows, of=PAPER)
    for ax, (_, part) in zip(figure.axes, rows.groupby("panel", sort=False), strict=True):
        drawn = [line.get_marker() for line in ax.lines]
        known = part[part["estimate"].notna()]
        assert drawn.count("x") == len(part) - len(known)
        assert drawn.count("D") == known["invented"].sum()
        assert drawn.count("o") == (~known["invented"]).sum()
        assert {"mark"} <= {text.get_gid() for text in ax.texts}
    assert is_stamped(figure)


def test_the_alt_texts_name_what_the_figures_show(asked, screen):
    rows = page.panels(asked)
    known = rows[rows["estimate"].notna()]
    beyond = known[(known["conf_low"] > 0) | (known["conf_high"] < 0)]
    assert page.read_screens(rows) == f"Of {len(known)} intervals, {len(beyond)} exclude 1."
    alt = page.alt_screens(rows)
    assert all(label in alt for label in beyond["label"])
    assert not any(f"{label} " in alt for label in set(known["label"]) - set(beyond["label"]))
    smallest = f"{screen['p_value'].min():.3f}"
    assert f"from {smallest} to" in page.alt_ranks(page.ranks(screen))


def test_the_shrunken_ratio_is_said_to_move_to_where_the_table_has_it():
    one = real()
    rows = page.shrinkage(page.survival_screen(one, arm=one.arm))
    first = rows.iloc[0]
    texts = [f"{np.exp(first[c]):.2f}" for c in ("estimate", "shrunken", "mean")]
    said = page.read_shrinkage(rows)
    assert f"from {texts[0]} to {texts[1]}; the common mean is {texts[2]}" in said
    between = sorted([first["estimate"], first["mean"]])
    assert between[0] <= first["shrunken"] <= between[1]


def test_response_is_counted_among_evaluable_patients_only(tmp_path):
    cohort = odd(tmp_path, n=20)
    one = page.ask(cohort, View())
    table = page.response_screen(one, arm=one.arm)
    own = cohort.frame[cohort.frame["arm"] == one.arm]
    evaluable = own["response"].isin(["CR", "PR", "SD", "PD"])
    row = table[table["factor"] == "sex"].iloc[0]
    assert row["n"] == (evaluable & own["sex"].notna()).sum() < len(own)
    shown = page.screen_text(page.response_screen(page.ask(PAPER, PFS), arm=PAPER.arms[0]))
    assert "patients (responders)" in shown


ODD = {
    "nine patients": {},
    "no event": {"os_event": [0] * 9},
    "two patients": {},
    "no factor": {"age": [""] * 9, "sex": [""] * 9, "ecog": [""] * 9, "histology": [""] * 9},
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("landmark", [0, 25])
def test_the_page_holds_on_cohorts_with_little_to_ask(tmp_path, name, landmark):
    cohort = odd(tmp_path, n=2 if name == "two patients" else 9, **ODD[name])
    text, figures = everything(cohort, View(landmark=landmark))
    assert not re.search(r"\bnan\b|\binf\b|None", text)
    assert all(isinstance(figure, Figure) and is_stamped(figure) for figure in figures)


def test_without_a_column_to_ask_the_page_says_so(tmp_path):
    cohort = make_cohort(tmp_path, {"os_time": [5, 9, 4], "os_event": [1, 0, 1]})
    text, figures = everything(cohort)
    assert page.NO_FACTORS in text and page.NO_TESTS in text
    for figure in figures:
        assert any(t.get_text() == EMPTY for ax in figure.axes for t in ax.texts)
    empty = page.ways(page.ask(cohort, View()), "")
    assert empty.empty and set(SCREEN_COLUMNS) <= set(empty)


def test_a_view_without_the_first_arm_is_screened_in_the_other():
    only = View(endpoint="os", where=(Where("arm", values=(PAPER.arms[1],)),))
    one = page.ask(PAPER, only)
    assert one.arm == PAPER.arms[1]
    assert f"n = {(PAPER.frame['arm'] == one.arm).sum()}" in page.caption_screens(one)
    german = real()
    lone = View(endpoint="os", where=(Where("arm", values=(german.cohort.arms[1],)),))
    asked = page.ask(german.cohort, lone)
    assert "cannot be asked" in page.read_interactions(page.interactions(asked), asked)


def test_the_second_cohort_prints_the_same_factors_and_shows_other_screens():
    other = page.ask(load_cohort(SECOND_COHORT), PFS)
    mine = page.survival_screen(page.ask(PAPER, PFS), arm=PAPER.arms[0]).set_index("factor")
    theirs = page.survival_screen(other, arm=PAPER.arms[0]).set_index("factor")
    hazard = [np.exp(table.at["ecog >= 3", "estimate"]) for table in (mine, theirs)]
    assert [f"{value:.2f}" for value in hazard] == ["3.12", "3.12"]
    assert not np.isclose(mine.at["sex", "estimate"], theirs.at["sex", "estimate"])


def test_the_page_shows_no_number_of_the_ledger_that_the_ledger_has_not(asked):
    text = json.dumps(page.agreement_text().to_dict())
    assert "0.3 (0.10-0.93), P = 0.04" in text and "3.12 (1.23-7.94), P = 0.02" in text
    assert list(page.agreement_text()["agrees"]) == ["yes", "yes"]


def test_no_factor_is_compared_between_the_arms_of_rows_built_for_print(asked):
    table = page.by_arm(asked).set_index("factor")
    assert (table[table.columns[1:]] == "invented").all(axis=None)
    own = table[table.columns[0]]
    assert set(own.index[own != "invented"]) == {
        "ECOG performance status of 3 or more", "International Prognostic Index of 3 or more",
    }  # fmt: skip
    assert "No ratio of ratios" in page.read_interactions(page.interactions(asked), asked)
