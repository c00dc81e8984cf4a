"""Whatever a cohort lacks, its pages say so in words: no nan, no inf, no plural of one."""

import re

import numpy as np
import pandas as pd
import pytest
from page_text import page_text

from helpers.cohort import load_cohort
from helpers.pages import cox_page, robust_fragile
from helpers.pages.factors_page import read_screens
from helpers.pages.subgroup_page import ask, nothing, null, observed, read_offer
from helpers.view import default_view
from helpers.words import NO_LIMIT, counted, interval, number, per_unit, percent, ratio

NO_WORDS = re.compile(r"\b(nan|NaN|inf|None|NaT)\b(?! of n)|<NA>|inf%")
NOUNS = "events patients terms years months points groups rows tests refits subgroups factors"
PLURAL_OF_ONE = re.compile(rf"(?<![\d.,])\b1 ({'|'.join(NOUNS.split())})\b")
MAPPING = "mask_below: 0\nreference_arm: B\n"


def rows(days, events, arms="ABABABABAB" * 4, **columns):
    columns = {"arm": list(arms), "os_time": days, "os_event": events} | columns
    head = ",".join(["patient_id", *columns])
    body = zip(*(values[: len(days)] for values in columns.values()), strict=True)
    lines = [",".join([f"P-{k}", *map(str, row)]) for k, row in enumerate(body, 1)]
    return "\n".join([head, *lines]) + "\n"


FORTY = [5 + 7 * k for k in range(40)]
AGES = [40 + (7 * k) % 41 for k in range(40)]
SEXES = ["F", "M", "M"] * 14
COHORTS = {  # file, the View that is asked
    "six patients": (rows([400, 30, 200, 35, 250, 150], [0, 1, 1, 1, 1, 1], age=AGES), ""),
    "six, an arm with one event": (
        rows([220, 31, 167, 301, 95, 340], [1, 0, 1, 0, 1, 1], "AAABBB", age=AGES),
        "{adjust: [age]}",
    ),
    "two patients": (rows([100, 50], [1, 1]), ""),
    "all censored": (rows(FORTY, [0] * 40, age=AGES, sex=SEXES), ""),
    "all ages missing": (
        rows(FORTY, [1, 0] * 20, "AABB" * 10, age=[""] * 40, sex=SEXES), "{adjust: [age]}"
    ),
}  # fmt: skip
FEW = ("six, an arm with one event", "two patients")
PAGES = [*((name, page) for name in COHORTS for page in ("04", "05")),
         *((name, page) for name in FEW for page in ("03", "09", "11")),
         *(("all censored", page) for page in ("03", "07")),
         ("all ages missing", "11")]  # fmt: skip


def loaded(name, folder):
    text, view = COHORTS[name]
    files = folder / "cohort.csv", folder / "map.yaml"
    files[0].write_text(text)
    files[1].write_text(MAPPING + "factors:\n  age: {label: Age, unit: years}\n" * ("age" in text))
    return load_cohort(*files), files, view


def asked(name, folder):
    cohort, _, text = loaded(name, folder)
    view = cox_page.with_adjustment(cohort, default_view(cohort, text, horizon=365))
    return cox_page.answers(cohort, view)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "page"), PAGES)
def test_no_page_prints_what_is_no_number_or_counts_one_as_many(tmp_path, monkeypatch, name, page):
    cohort, files, view = loaded(name, tmp_path)
    said = page_text(monkeypatch, page, cohort, files, view)
    assert len(said) > 50
    wrong = [text for text in said if NO_WORDS.search(text) or PLURAL_OF_ONE.search(text)]
    assert wrong == []


def test_a_model_without_complete_cases_is_not_said_to_lack_events(tmp_path):
    answer = asked("all ages missing", tmp_path)[0]
    notes = " ".join(answer.notes["note"])
    assert "age: missing for all 20 patients with an event; leave it out" in notes
    assert "no patient had an event" not in notes and answer.counts["events"].sum() == 20


def test_two_patients_with_the_event_are_not_told_apart_from_those_without(tmp_path):
    answer = asked("two patients", tmp_path)[0]
    notes = " ".join(answer.notes["note"])
    assert "the first-named has no event, so its hazard ratio is 0; compare the curves" in notes
    assert "those without" not in notes, "there is nobody without"


def test_where_nothing_is_refitted_pairs_are_not_said_to_be_too_many(tmp_path):
    answer = asked("all censored", tmp_path)[0]
    table = robust_fragile.left_out(answer)
    assert table.empty and "too many" not in robust_fragile.caption_left_out(table, answer)
    assert robust_fragile.alt_left_out(table).startswith("An empty figure.")


def test_a_cohort_with_splits_and_no_events_is_not_said_to_have_no_splits(tmp_path):
    cohort, _, _ = loaded("all censored", tmp_path)
    found = ask(cohort, default_view(cohort, "", horizon=365))
    assert "splits are on offer, from 2 columns" in read_offer(found)
    assert "events or more in each group" in nothing(found)
    assert "offers no subgroup" not in nothing(found)
    assert np.isnan(observed(found)) and not len(null(found, "permutation", seed=1, shuffles=9)[1])


def test_no_interval_is_not_none_that_excludes_1():
    rows_ = pd.DataFrame({"estimate": [np.nan], "conf_low": [np.nan], "conf_high": [np.nan]})
    assert read_screens(rows_) == "No ratio of the figure can be estimated."
    one = pd.DataFrame({"estimate": [0.5], "conf_low": [0.1], "conf_high": [0.9]})
    assert read_screens(one) == "Of 1 interval, 1 excludes 1."


def row(estimate, low, high):
    return pd.Series({"estimate": estimate, "conf_low": low, "conf_high": high})


def test_what_is_infinite_or_missing_is_told_in_words():
    assert number(np.inf) == number(-np.inf) == number(np.nan) == "–" == percent(np.inf)
    assert ratio(row(-0.8, -np.inf, np.inf)) == "0.45 (no interval)"
    assert ratio(row(-0.8, np.nan, np.nan)) == "0.45 (no interval)"
    assert ratio(row(-0.8, -1.2, np.inf)) == f"0.45 (0.30 to {NO_LIMIT})"
    assert ratio(row(-np.inf, -np.inf, 1.0)) == "not estimable"
    assert ratio(row(np.nan, np.nan, np.nan)) == "withheld"
    assert ratio(row(np.log(0.5), np.log(0.2), np.log(1.3))) == "0.50 (0.20 to 1.30)"
    assert interval("1", "2") == "(1 to 2)"


def test_one_is_one():
    assert [counted(n, "event") for n in (0, 1, 2)] == ["0 events", "1 event", "2 events"]
    assert counted(1, "analysis", "analyses") == "1 analysis"
    units = {"years": "per year", "points": "per point", "mm": "per mm", "grade": "per grade",
             "fmol/mg": "per fmol/mg", "": "per 1"}  # fmt: skip
    assert {unit: per_unit(unit) for unit in units} == units
