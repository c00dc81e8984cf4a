"""What the page on safety says is true to the counts it is about."""

import re

import numpy as np
import pandas as pd
import pytest
from cohorts import german, make_cohort
from scipy.stats import binom

from helpers.cohort import ROOT, SECOND_COHORT, load_cohort
from helpers.pages import safety_page as page
from helpers.paper.forensics import counts_that_print
from helpers.paper.ledger import ledger, section
from helpers.plots.safety import figure_bounds, figure_grades
from helpers.plots.style import is_stamped
from helpers.words import ledger_text

PAPER = load_cohort()


@pytest.fixture
def graded(tmp_path):
    """Six patients: arm new has CRS 0, 4 and one unknown; arm old 3, 1, 0."""
    columns = {
        "os_time": [10, 100, 20, 400, 95, 29],
        "os_event": [1, 1, 0, 0, 1, 1],
        "crs_grade": [0, 3, 4, 1, "", 0],
        "icans_grade": [0, 0, 3, 2, 0, ""],
        "ae_recovered": ["", 1, 0, 1, "", ""],
    }
    return make_cohort(tmp_path, columns)


@pytest.fixture
def ungraded(tmp_path):
    columns = {"os_time": [10, 100], "os_event": [1, 0]}
    columns |= {name: ["", ""] for name in ("crs_grade", "icans_grade", "ae_recovered")}
    return make_cohort(tmp_path, columns)


@pytest.mark.parametrize("n", [1, 2, 5, 9, 54, 300])
def test_none_of_n_is_just_unlikely_enough_at_its_bound(n):
    row = page.zero_bounds([n]).iloc[0]
    assert (1 - row["exact"]) ** n == pytest.approx(0.05)
    assert row["rule"] == 3 / n > row["exact"], "the shortcut errs upwards"


def test_the_prose_on_the_rule_of_three_holds():
    """Half a point off or less from about thirty on; above 100% for one and two."""
    bounds = page.zero_bounds(range(1, 301)).set_index("n")
    assert (100 * (bounds["rule"] - bounds["exact"])).loc[30:].max() < 0.5
    assert (100 * (bounds["rule"] - bounds["exact"])).loc[:25].min() > 0.5
    assert (bounds["rule"] > 1).tolist()[:4] == [True, True, False, False]


def test_the_bounds_that_all_recovered_leaves_are_those_of_the_issue():
    bounds = page.recovered_bounds().set_index("n")
    assert bounds.loc[[5, 9, 54], "exact"].round(3).tolist() == [0.451, 0.283, 0.054]
    assert bounds.loc[[5, 9], "rule"].round(2).tolist() == [0.60, 0.33]
    text = page.recovered_text().set_index("patients, no toxic death")["exact 95% bound"]
    assert text[9] == "at most 28.3%" and text[5] == "at most 45.1%"


def test_the_counts_taken_for_the_print_are_those_of_the_ledger():
    known = ledger().set_index("id")["computed"]
    for name, count in page.PRINTED.items():
        assert known[name] == pytest.approx(100 * count / 54), name
    rows = page.severe_intervals().set_index("quantity")
    limits = rows["exact 95% interval"].str.extract(r"([\d.]+)% to ([\d.]+)%").astype(float) / 100
    for (low, high), count in zip(limits.to_numpy(), page.PRINTED.values(), strict=True):
        assert binom.sf(count - 1, 54, low) == pytest.approx(0.025, abs=0.002)
        assert binom.cdf(count, 54, high) == pytest.approx(0.025, abs=0.002)


def test_only_the_share_with_severe_crs_prints_unlike_it_rounds():
    table = page.printed_percentages()
    odd = table[table["rounded"] != table["printed"]]
    assert odd["quantity"].tolist() == ["CRS of grade 3 or more"]
    assert odd["cut off"].tolist() == odd["printed"].tolist()
    assert (table["cut off"] != table["printed"]).sum() == 3, "the others are not cut off"


def test_no_denominator_up_to_the_arm_prints_the_share_with_severe_crs():
    assert counts_that_print("9.2", range(1, 65)).empty
    assert counts_that_print("9.2", range(1, 94))["n"].min() == 65


def test_the_verdict_on_the_share_with_severe_crs_hangs_on_the_reading():
    table = page.reading_text(PAPER).set_index("9.2% is read as")
    assert table["verdict"].to_dict() == {
        "rounded": "cannot be as printed",
        "truncated": "met under a stated reading",
    }


def test_the_page_ends_with_the_three_rows_of_the_ledger():
    rows = ledger_text(section(PAPER, "crs_", "icans_", "ae_"))
    assert rows["verdict"].tolist() == [
        "cannot be as printed", "met by construction", "met by construction",
    ]  # fmt: skip


@pytest.mark.parametrize("path", [None, SECOND_COHORT])
@pytest.mark.parametrize("column", list(page.TOXICITIES))
def test_every_grade_without_a_printed_number_is_marked_and_gets_no_share(column, path):
    table = page.grades_text(load_cohort(path), column)
    table = table[table["worst grade"] != "not recorded"].set_index("worst grade")
    invented = table["rests on"] == "invented"
    assert table.index[~invented].tolist() == ["5", "3 or more"]
    assert (table.loc[invented, ["share", "exact 95% limits"]] == "withheld").all(axis=None)
    assert not table.loc[~invented, "share"].eq("withheld").any()


def test_grades_of_a_reader_carry_their_own_numbers_and_no_mark_of_invention(graded):
    table = page.grades(graded, "crs_grade")
    assert table["arm"].unique().tolist() == list(graded.arms)
    severe = table[table["grade"] == ">= 3"].set_index("arm")[["patients", "n", "missing"]]
    assert severe.loc["new"].tolist() == [1, 2, 1] and severe.loc["old"].tolist() == [1, 3, 0]
    text = page.grades_text(graded, "crs_grade")
    assert "rests on" not in text and "withheld" not in text.to_string()
    said = page.read_grades(graded, "crs_grade")
    assert "1 of 2 patients with 'new'" in said and "no grade recorded for 1" in said
    assert "invented" not in page.caption_grades(graded) + page.grade_note(graded)


def test_none_and_everybody_get_the_one_sided_bound_that_their_words_say(tmp_path):
    columns = {"os_time": [9] * 6, "os_event": [0] * 6, "crs_grade": [4, 0] * 3}
    columns["icans_grade"] = [0] * 6
    cohort = make_cohort(tmp_path, columns)
    said = page.read_grades(cohort, "crs_grade")
    bound = 0.05 ** (1 / 3)
    assert (
        f"3 of 3 patients with 'new' had a grade of 3 or more (100.0%; at least {bound:.1%})"
        in said
    )
    assert (
        f"0 of 3 patients with 'old' had a grade of 3 or more (0.0%; at most {1 - bound:.1%})"
        in said
    )


def test_an_arm_without_grades_is_one_row_and_not_nobody_harmed():
    rows = page.grades_text(PAPER, "crs_grade").query("`worst grade` == 'not recorded'")
    assert rows["patients"].tolist() == ["39"] and rows["share"].tolist() == ["–"]
    assert "No patient with 'non-CAR-T' has a grade recorded." in page.read_grades(
        PAPER, "crs_grade"
    )


def test_recovery_and_death_count_the_same_people(graded):
    table = page.recovery_table(graded).set_index("who")
    parts = table[["recovered", "not_recovered", "not_recorded"]].sum(axis=1)
    assert (parts == table["patients"]).all()
    assert table.loc["either"].tolist() == [2, 1, 1, 0, 0, 1]
    assert table.loc["both", "patients"] == 1
    assert "died before" in page.read_recovery(graded)
    assert "attribution" not in page.read_recovery(graded), "nobody of them died by then"


def test_deaths_after_severe_toxicity_are_called_unattributed(graded):
    assert page.recovery_table(graded, later=101).set_index("who").at["either", "died"] == 1
    assert "attribution" in page.read_recovery(graded, later=101)


def test_nothing_is_recorded_and_the_page_says_so(ungraded):
    assert page.read_recovery(ungraded) == "No patient has a grade of 3 or more of either."
    assert "no grade is recorded" in page.takeaway_grades(ungraded)
    assert page.grades_text(ungraded, "crs_grade")["worst grade"].tolist() == ["not recorded"] * 2
    text = page.grades_text(ungraded, "icans_grade").to_string() + page.alt_grades(ungraded)
    assert "nan" not in text.lower()


def test_the_window_counts_every_patient_once_and_its_sentence_follows(graded, ungraded):
    table = page.window_table(graded, "os").set_index("arm")
    assert (table[["watched", "event", "left"]].sum(axis=1) == table["patients"]).all()
    assert table.loc["new"].tolist() == [3, 1, 1, 1] and table.loc["old"].tolist() == [3, 2, 1, 0]
    assert page.read_window(table.reset_index()).startswith("1 of 6 patients left")
    assert page.read_window(page.window_table(ungraded, "os")).startswith("Nobody left")


def test_the_window_of_the_real_example_is_that_of_its_file():
    cohort = german()
    table = page.window_table(cohort, "os")
    gone = (cohort.frame["os_time"] < 30) & (cohort.frame["os_event"] == 0)
    assert table["left"].sum() == gone.sum() > 0


@pytest.mark.parametrize("make", ["paper", "graded", "ungraded"])
def test_every_patient_is_a_mark_at_the_grade_of_the_file(make, request):
    cohort = PAPER if make == "paper" else request.getfixturevalue(make)
    figure = figure_grades(page.grade_tables(cohort), cohort, note=page.grade_note(cohort))
    panels = iter(figure.axes)
    for column in page.TOXICITIES:
        for arm in cohort.arms:
            ax, worst = next(panels), cohort.frame.loc[cohort.frame["arm"] == arm, column]
            marks = [line for line in ax.get_lines() if line.get_gid() == "people"]
            height = np.concatenate([line.get_ydata() for line in marks])
            drawn = pd.Series(np.round(height)).value_counts()
            assert drawn.to_dict() == worst.fillna(-1).value_counts().to_dict()
            gids = {text.get_gid() for text in ax.texts}
            assert "status" in gids and ("mark" in gids) == (make == "paper")
            assert ("invented" in gids) == (make == "paper" and arm == "CD20 CAR-T")


def test_the_alt_text_of_the_grades_adds_up_to_the_patients():
    alt = page.alt_grades(PAPER)
    for name in page.TOXICITIES.values():
        for arm, n in zip(PAPER.arms, (54, 39), strict=True):
            part = re.search(rf"{name}, {re.escape(arm)}: ([^.]*)\.", alt).group(1)
            assert sum(map(int, re.findall(r"(\d+) (?:with|not)", part))) == n


@pytest.mark.parametrize("width", ["page", "half"])
def test_the_figure_of_the_bound_has_both_lines_its_marks_and_its_status(width):
    bounds, marks = page.zero_bounds(range(1, 301)), page.zero_bounds([5, 9, 54])
    figure = figure_bounds(
        bounds, marks, status="Computed from printed numbers alone.", width=width
    )
    ax = figure.axes[0]
    solid, dashed = ax.get_lines()[:2]
    assert solid.get_linestyle() != dashed.get_linestyle()
    assert np.allclose(solid.get_ydata(), 100 * bounds["exact"])
    words = [text.get_text() for text in ax.texts]
    assert [w.split("\n")[0] for w in words[:3]] == ["n = 5", "n = 9", "n = 54"]
    assert "45%" in words[0] and "28%" in words[1] and "5.4%" in words[2]
    assert is_stamped(figure)


def test_the_alt_text_of_the_bound_gives_the_marked_numbers():
    alt = page.alt_bounds(page.zero_bounds(range(1, 301)), [5, 9])
    assert "45% at 5 (three over n: 60%), 28% at 9 (three over n: 33%)" in alt


def test_the_harms_of_which_nothing_is_printed_are_not_in_the_print():
    printed = (ROOT / "data" / "published.csv").read_text(encoding="utf-8").lower()
    for word in ("cytopenia", "infection", "mortality", "late"):
        assert any(word in harm.lower() for harm in page.silent_table()["harm"]), word
        assert not re.search(rf"\b{word}", printed), word
