"""Who is in a cohort: nobody disappears without being counted, and Table 1 shows no decoration."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cohorts import german, make_cohort

from helpers.cohort import PAPER_COHORT, SECOND_COHORT, load_cohort
from helpers.estimators.times import follow_up_definitions
from helpers.pages import asking, response_page
from helpers.pages.describe import (
    INVENTED,
    absent_columns,
    attrition,
    censoring_table,
    column_table,
    spread,
    table_one,
)
from helpers.paper.ledger import NOT_MET, ledger
from helpers.view import default_view
from helpers.words import follow_up_text, milestone_table

PAPER = load_cohort()


def test_the_printed_denominator_is_in_the_attrition_table():
    flow = attrition(PAPER).set_index("step")
    assert list(flow.loc["in the file", ["CD20 CAR-T", "non-CAR-T", "all"]]) == [54, 39, 93]
    judged = flow.loc["response could be judged"]
    assert [judged["CD20 CAR-T"], judged["non-CAR-T"]] == [54, 38]
    assert judged["left"].startswith("1: ")


def test_missing_baseline_values_and_responses_are_counted(tmp_path):
    cohort = make_cohort(
        tmp_path,
        {"os_time": [1, 2, 3, 4], "os_event": [1, 1, 0, 0], "response": ["CR", "NE", "", "PD"],
         "age": ["50", "", "60", ""]},
    )  # fmt: skip
    flow = attrition(cohort).set_index("step")["all"]
    assert flow["response could be judged"] == 2
    assert flow["every baseline column known"] == 2


def test_columns_say_what_they_are_worth_only_where_rows_were_made():
    made = column_table(PAPER).set_index("column")
    assert made.at["age", "value"] == "invented" and made.at["arm", "value"] == "as printed"
    assert made.at["crs_grade", "known"] == "day 30" and made.at["response", "known"] == "later"
    assert set(column_table(german())["value"]) == {"recorded"}


def test_invented_columns_get_no_smd_and_constrained_ones_that_of_the_side_that_is_bound():
    table = table_one(PAPER)
    heads = table[~table["characteristic"].str.startswith("\u2003")].set_index("characteristic")
    shown = heads.loc[heads["SMD"] != INVENTED]
    assert {name.partition(",")[0] for name in shown.index} == {
        "ECOG performance status", "International Prognostic Index",
    }  # fmt: skip
    shares = {"ECOG": (13 / 54, 4 / 39), "International": (32 / 54, 10 / 39)}
    for name, (p, q) in shares.items():
        smd = abs(p - q) / np.sqrt((p * (1 - p) + q * (1 - q)) / 2)
        row = shown.loc[shown.index.str.startswith(name), "SMD"].item()
        assert row == f"{smd:.2f} (3 or more)"


def test_an_invented_grade_on_the_same_side_of_the_cut_changes_no_smd():
    frame = PAPER.frame.assign(ecog=PAPER.frame["ecog"].where(PAPER.frame["ecog"] >= 3, 0))
    moved = table_one(replace(PAPER, frame=frame))
    tables = (moved, table_one(PAPER))
    heads = [t[t["SMD"] != ""].set_index("characteristic")["SMD"] for t in tables]
    assert heads[0].equals(heads[1])


def test_the_smd_of_a_number_is_the_difference_in_means_over_the_pooled_spread():
    cohort = german()
    table = table_one(cohort).set_index("characteristic")
    parts = cohort.frame.groupby("arm")["age"].agg(["mean", "var"])
    expected = abs(parts["mean"].diff().iloc[-1]) / np.sqrt(parts["var"].mean())
    assert float(table.at["Age (years), median (quartiles)", "SMD"]) == pytest.approx(
        expected, abs=0.005
    )


def test_the_smd_of_two_categories_is_that_of_their_shares():
    cohort = german()
    table = table_one(cohort).set_index("characteristic")
    share = pd.crosstab(cohort.frame["arm"], cohort.frame["menopause"], normalize="index").iloc[
        :, 0
    ]
    expected = abs(share.diff().iloc[-1]) / np.sqrt((share * (1 - share)).mean())
    assert float(table.at["Menopausal status, patients (%)", "SMD"]) == pytest.approx(
        expected, abs=0.005
    )


def test_a_percentage_is_of_those_known(tmp_path):
    cohort = make_cohort(
        tmp_path,
        {
            "os_time": range(1, 9),
            "os_event": [1] * 8,
            "sex": ["F", "F", "M", "F", "", "M", "", "M"],
        },
    )
    table = table_one(cohort).set_index("characteristic")
    assert table.at["\u2003F", "new"] == "1 (50.0)" and table.at["\u2003F", "old"] == "2 (50.0)"
    assert table.at["Sex, patients (%)", "missing"] == "2"


@pytest.mark.parametrize("n", [2, 3, 4])
def test_table_one_stands_tiny_and_constant_groups(tmp_path, n):
    cohort = make_cohort(
        tmp_path,
        {"os_time": range(1, n + 1), "os_event": [1] * n, "age": [50] * n, "sex": ["F"] * n},
    )
    assert set(table_one(cohort)["SMD"]) <= {"", "–", "0.00"}
    assert not table_one(cohort).isna().any().any()


def test_a_cohort_without_baseline_columns_has_a_table_one_that_says_so(tmp_path):
    cohort = make_cohort(tmp_path, {"os_time": [1, 2], "os_event": [1, 0]})
    assert table_one(cohort)["note"].item() == "This cohort has no baseline column."


def test_every_early_censoring_has_a_reason_and_the_count_is_that_of_the_file():
    table = censoring_table(PAPER).set_index("reason")
    frame = PAPER.frame
    assert "no reason given" not in table.index
    assert table.at["any", "all"] == (frame["pfs_event"] == 0).sum()
    watched = (frame["pfs_event"] == 0) & (frame["os_time"] > frame["pfs_time"])
    assert table.at["any", "watched on"] == watched.sum() > 0


def test_columns_that_no_source_gives_are_absent_and_explained():
    absent = absent_columns(PAPER).set_index("column")
    asked = {"cd20_status", "cd19_product", "bridging", "later_allohct", "response_duration"}
    assert set(absent.index) == asked
    assert absent["why"].str.len().min() > 40


def test_the_second_cohort_prints_the_same_and_is_otherwise_different():
    second = load_cohort(SECOND_COHORT)
    assert second.is_paper and not second.frame.equals(PAPER.frame)
    table = ledger(second)
    assert NOT_MET not in set(table["verdict"])
    assert list(table["verdict"]) == list(ledger(PAPER)["verdict"])
    shown = spread(PAPER, second)
    assert (shown["one"] != shown["another"]).sum() >= 5
    os_time = [set(zip(c.frame["os_time"], c.frame["arm"], strict=True)) for c in (PAPER, second)]
    assert len(os_time[0] & os_time[1]) < 20, "rows in common"


def test_follow_up_reads_in_months_by_definition_and_group():
    frame = load_cohort(PAPER_COHORT).frame
    text = follow_up_text(follow_up_definitions(frame, time="os_time", event="os_event"))
    row = text.set_index("definition").at["reverse Kaplan-Meier median", "all"]
    assert row.startswith("18.54 (")


AWKWARD = ("all", "at", "characteristic", "definition", "endpoint", "group", "left", "missing",
           "Missing", "note", "Overall", "P", "reason", "SMD", "step", "watched on")  # fmt: skip


@pytest.mark.parametrize("arm", AWKWARD)
def test_an_arm_called_like_a_column_of_a_table_keeps_its_numbers(tmp_path, arm):
    columns = {
        "os_time": [40, 80, 120, 160, 200, 240, 280, 320], "os_event": [1, 0, 1, 0, 1, 1, 0, 0],
        "pfs_time": [40, 70, 110, 160, 200, 230, 280, 320], "pfs_event": [1, 0, 1, 0, 1, 1, 0, 0],
        "pfs_censor_reason": ["", "lost", "", "lost", "", "", "lost", "lost"],
        "response": ["CR", "PD", "PD", "CR", "SD", "PR", "CR", "PD"], "age": range(41, 49),
        "sex": list("FMFFMMFM"), "ecog": [0, 3, 1, 4, 0, 3, 1, 0],
    }  # fmt: skip
    tables = []
    for name in (arm, "x"):
        cohort = make_cohort(tmp_path, columns | {"arm": [name, "y", "y"] * 2 + [name, name]},
                             "reference_arm: y")  # fmt: skip
        answers = asking.answers(cohort, default_view(cohort, "{}", horizon=150))
        watched = pd.concat(
            follow_up_definitions(cohort.frame, time="os_time", event="os_event", group=group)
            for group in (None, "arm")
        )
        found = [
            attrition(cohort),
            censoring_table(cohort),
            table_one(cohort),
            follow_up_text(watched),
            asking.stacked(answers, milestone_table),
            response_page.strata_text(response_page.strata(cohort, "ecog >= 3"), cohort),
        ]
        assert all(table.columns.is_unique for table in found)
        tables.append(found)
    for mine, plain in zip(*tables, strict=True):
        assert (mine.to_numpy() == plain.to_numpy()).all()
        heads = dict(zip(plain, mine, strict=True))
        assert heads["x"] in (arm, f"{arm} (group)")
