"""What the print pins down: ranges are shown by cohorts that exist, and pages ask the same."""
# ruff: noqa: F811 (a test names the imported fixture as its argument)

import json
import re

import numpy as np
import pandas as pd
import pytest
from browser import browser, requested, resize, run_first_cell  # noqa: F401 (a fixture)
from cohorts import german
from selenium.webdriver.common.by import By
from servers import lab
from test_explorer_browser import outside

from helpers.cohort import ROOT, SECOND_COHORT, load_cohort
from helpers.explorer.wish import Wish
from helpers.pages import exercises, pinned_beside, pinned_curves, pinned_page, pinned_study
from helpers.pages.asking import answers
from helpers.pages.survival_page import contrast_text, counts_text, stacked
from helpers.paper import pinned
from helpers.paper.ledger import NOT_MET, claims, ledger
from helpers.paper.unprinted import UNITS, unprinted, values
from helpers.rebuild.paper import as_state, paper_problem
from helpers.rebuild.patients import cohort_frame
from helpers.rebuild.state import measured
from helpers.view import View
from helpers.words import milestone_table
from helpers.workshop import study_print
from helpers.workshop.ensemble import goal_row

PAPER = load_cohort()
CELL = """import helpers as h
from helpers.explorer.wish import Wish
Wish(h.unprinted.values(h.load_cohort()))"""
OWN = values(PAPER)
RANGES = pinned.ranges()
RAW = pinned.read("ranges.csv")
RNG = np.random.default_rng(10)


def engine(name, member):
    """A quantity of a member as the search measures it, on its own scale."""
    problem, row = goal_row(paper_problem(member["table"]), name)
    return float(measured(problem, as_state(member), [row])[0])


# The same quantity everywhere


@pytest.mark.parametrize("cohort", [PAPER, load_cohort(SECOND_COHORT)], ids=["first", "second"])
def test_a_page_measures_each_quantity_as_the_search_does(cohort):
    frame = cohort.frame.sort_values("arm", kind="stable")
    member = {c: frame[c].to_numpy(int) for c in pinned.COLUMNS[:4]} | {
        f"{n}_3plus": (frame[n] >= 3).to_numpy(int) for n in ("ecog", "ipi")
    }
    mine = values(cohort)
    for name, q in unprinted().items():
        theirs = UNITS[q.unit].show(engine(name, member | {"table": 0}))
        assert theirs == pytest.approx(mine[name], rel=1e-8), name


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_a_value_comes_back_from_the_unit_of_the_page(unit):
    assert unit.back(unit.show(-0.25 if unit.log else 0.25)) == pytest.approx(
        -0.25 if unit.log else 0.25
    )


# The extremes, checked again


def as_cohort(tmp_path, member, seed=1):
    """A cohort with the columns of a page, of a member whose times allow them."""
    frame = cohort_frame(member | {"seed": seed, "attempt": 0})
    if frame is None:
        return None
    path = tmp_path / "member.csv"
    frame.to_csv(path, index=False)
    return load_cohort(path, member=True)


def test_extreme_cohorts_meet_the_ledger_and_the_pages_see_their_extreme_value(tmp_path):
    """By `analyse` and the ledger, which share no code with the search."""
    ends = RAW[(RAW["basis"] == "rules") & RAW["quantity"].isin(list(unprinted()))]
    seen = 0
    for row in ends.sample(6, random_state=3).itertuples():
        cohort = as_cohort(tmp_path, pinned.extreme(row.cohort))
        if cohort is None:
            continue
        seen += 1
        assert not unmet(cohort)
        shown = UNITS[unprinted()[row.quantity].unit].show(row.value)
        assert values(cohort)[row.quantity] == pytest.approx(float(shown), rel=1e-5), row.quantity
    assert seen >= 3


def unmet(cohort, readings=None):
    """Attainable numbers that a cohort does not print."""
    table = ledger(cohort, readings)
    missed = table["verdict"].eq(NOT_MET) & claims(readings)["attainable"].eq("yes")
    return table.loc[missed, "id"].to_list()


def test_members_drawn_at_random_meet_the_whole_ledger_under_their_reading():
    table = pinned.members()
    for number in RNG.choice(table.index, 4, replace=False):
        said = table.at[number, "reading"]
        readings = {} if said == "default" else dict([said.split(": ", 1)])
        assert unmet(exercises.load_calibrated(int(number)), readings) == [], (number, said)


def test_members_differ_and_none_is_the_neighbour_of_another():
    times = pinned.arrays("members.npz")["os_time"]
    for a in range(len(times)):
        for b in range(a):
            assert (times[a] == times[b]).mean() < 0.5, (a, b)


# Ranges as frames


def test_the_range_with_rules_lies_within_that_of_the_print():
    assert (RANGES["print_low"] <= RANGES["low"]).all()
    assert (RANGES["low"] <= RANGES["high"]).all()
    assert (RANGES["high"] <= RANGES["print_high"]).all()
    assert list(RANGES.index) == list(unprinted())


def test_no_cohort_found_lies_outside_the_range():
    for basis, before in (("rules", ""), ("print", "print_")):
        seen = pinned.witnesses(basis)
        for name, row in RANGES.iterrows():
            slack = 1e-4 * max(1, abs(row[f"{before}low"]), abs(row[f"{before}high"]))
            assert seen[name].min() >= row[f"{before}low"] - slack, name
            assert seen[name].max() <= row[f"{before}high"] + slack, name


def test_the_rows_of_the_page_lie_within_each_range():
    """Both shipped cohorts print everything, so a range that leaves one out is too narrow."""
    assert pinned_page.outside(OWN) == []
    assert pinned_page.outside(values(load_cohort(SECOND_COHORT))) == []


def test_bands_start_at_one_and_no_edge_rises():
    for _, part in pinned.bands().groupby(["endpoint", "arm"]):
        assert part["time"].iloc[0] == 0 and (part.iloc[0, 3:] == 1).all()
        for edge in ("low", "high", "print_low", "print_high"):
            assert part[edge].between(0, 1).all()
        assert (part["print_low"] <= part["low"] + 1e-9).all()


def test_a_printed_median_fences_its_curve_in_on_one_day():
    table = pinned_curves.fenced()
    medians = pinned_curves.printed_medians()
    for key, part in table.groupby(["endpoint", "arm"]):
        assert part["time"].is_monotonic_increasing and (part["low"] <= part["high"]).all()
        day = medians[key]
        assert (part.loc[~part["asked"], "time"] == day).all()
        for side in ("low", "print_low"):
            assert (part.loc[part["time"] < day, side] >= 0.5 - 1e-9).all()
        for side in ("high", "print_high"):
            assert (part.loc[part["time"] > day, side] <= 0.5 + 1e-9).all()
    own = pinned_curves.own_curves(PAPER)
    for key, part in own.groupby(["endpoint", "arm"]):
        assert part.loc[part["estimate"] < 0.5, "time"].min() == medians[key]


def test_what_the_print_takes_away_is_counted_from_the_narrowest_range():
    assert pinned_curves.taken_away(pd.Series([50.0, 38.6, 44])) == 12
    assert pinned_curves.taken_away(pd.Series([50.2])) == 0
    assert re.search(r"take away at most \d+ of them\.$", pinned_curves.room_bands())


def test_a_number_that_may_point_either_way_has_ends_on_both_sides():
    both = pinned_page.open_ways()
    assert set(RANGES.loc[both.index, "unit"]) == {"points", "months", "ratio"}
    for name in both.index[both]:
        neutral = pinned_page.NEUTRAL[RANGES.at[name, "unit"]]
        assert RANGES.at[name, "print_low"] < neutral < RANGES.at[name, "print_high"]
    said = pinned_page.ways_of_ranges()
    assert f"Of {len(both)} " in said and f" {both.sum()} point either way" in said
    for end in ("pfs", "os"):
        own = both[both.index.str.startswith(end)]
        assert f"{end.upper()} {own.sum()} of {len(own)}" in said


def test_figures_with_ranges_say_in_their_caption_that_these_are_no_intervals():
    """And the takeaway is one sentence, without it."""
    page = json.loads((ROOT / "notebooks" / "10_what_the_print_pins_down.ipynb").read_text("utf-8"))
    texts = ["".join(o["data"].get("text/markdown", "")) for c in page["cells"]
             for o in c.get("outputs", [])]  # fmt: skip
    captions = [t for t in texts if re.match(r"\*\*Figure [2-4]\.", t)]
    assert len(captions) == 3
    for text in captions:
        below, _, takeaway = text[:-1].rpartition(" *")
        assert pinned_beside.CAVEAT in below and pinned_beside.CAVEAT not in takeaway
        assert takeaway.count(". ") == 0 and takeaway.endswith(".")


def test_one_number_more_never_widens_a_range():
    table = pinned.added()
    assert table["left"].between(0, 1 + 1e-9).all()
    assert (table["low"] >= table["low_without"] - 1e-9).all()


def test_a_range_is_narrowed_by_hand(monkeypatch):
    seen = pd.DataFrame({"os_events": [60.0, 61, 61, 64], "os_hr": [0.3, 0.4, 0.5, 0.6]})
    monkeypatch.setattr(pinned, "witnesses", lambda basis: seen)
    assert pinned.narrowed("os_hr", "os_events", 61, 0) == (0.4, 0.5, 2)
    assert pinned.narrowed("os_hr", "os_events", 62.5, 1.5) == (0.4, 0.6, 3)
    low, high, cohorts = pinned.narrowed("os_hr", "os_events", 99, 0)
    assert np.isnan([low, high]).all() and cohorts == 0


def test_a_file_that_was_changed_is_refused(tmp_path, monkeypatch):
    for path in pinned.FOLDER.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(pinned, "FOLDER", tmp_path)
    pinned.checked.cache_clear()
    try:
        assert pinned.checked("ranges.csv").is_file()
        pinned.checked.cache_clear()
        (tmp_path / "ranges.csv").write_text("quantity\n")
        with pytest.raises(ValueError, match=r"ranges\.csv: found sum .* To do: "):
            pinned.checked("ranges.csv")
        (tmp_path / "added.csv").unlink()
        with pytest.raises(ValueError, match=r"found no added\.csv\. To do: "):
            pinned.checked("added.csv")
    finally:
        pinned.checked.cache_clear()


# Beside the numbers of other pages


ASKED = answers(PAPER, View(horizon=365))


def test_ranges_stand_beside_the_numbers_they_are_of():
    stones = pinned_beside.milestones(stacked(ASKED, milestone_table), ASKED)
    row = stones[(stones["at"] == "12 months")].iloc[0]
    for name in ("os_12_cd20", "os_12_noncart", "os_12_diff"):
        assert pinned_beside.span(name) in row[pinned_beside.COLUMN]
    assert stones.loc[stones["at"] == "3 months", pinned_beside.COLUMN].eq("").all()
    gains = pinned_beside.gains(stacked(ASKED, contrast_text, about="restricted mean"), ASKED)
    assert list(gains[pinned_beside.COLUMN]) == [pinned_beside.span(f"{e}_rmst") for e in
                                                 ("os", "pfs")]  # fmt: skip
    events = pinned_beside.events(stacked(ASKED, counts_text), ASKED)
    assert events[pinned_beside.COLUMN].ne("").sum() == 2
    assert pinned_beside.CAVEAT in pinned_beside.note(ASKED[0])


def test_another_question_or_cohort_gets_no_range():
    table = pd.DataFrame({"endpoint": ["Overall survival"], "at": ["12 months"]})
    other = answers(german(), View(endpoint="os", horizon=365))
    for asked in (other, answers(PAPER, View(landmark=91, horizon=365))):
        assert pinned_beside.milestones(table, asked).equals(table)
        assert pinned_beside.note(asked[0]) == ""
        assert pinned_beside.gains(table, asked).equals(table)


def test_overall_response_is_one_of_four_counts():
    table = pd.DataFrame({"outcome": ["overall, of all"] * 2 + ["complete, of all"],
                          "arm": [*PAPER.arms, PAPER.arms[0]]})  # fmt: skip
    column = pinned_beside.response_rates(table, PAPER)[pinned_beside.COLUMN]
    assert list(column) == ["22, 25, 29 or 32 of 54", "at least 3 of 39", ""]


def test_pages_2_to_5_show_the_column_and_its_sentence():
    for name, least in (("02_response", 1), ("03_kaplan", 3), ("04_cox", 2), ("05_factor", 1)):
        path = next((ROOT / "notebooks").glob(f"{name}*.ipynb"))
        shown = json.dumps(json.loads(path.read_text(encoding="utf-8"))["cells"])
        assert shown.count("pinned_beside.") >= least, name


# Sentences


def test_what_is_said_of_a_range_ends_in_the_sentence_that_it_is_no_interval():
    for said in (pinned_page.read_ranges(OWN), pinned_curves.read_bands(), pinned_page.read_rules(),
                 pinned_page.read_most(pinned_page.most_moved()),
                 pinned_beside.read_drift(ASKED)):  # fmt: skip
        assert said.endswith(pinned_beside.CAVEAT)
    for word in ("probab", "percentile", "likely"):
        assert word not in pinned_beside.CAVEAT


def test_the_page_says_which_ends_rest_on_an_arm_in_poor_condition(monkeypatch):
    ends = pinned.severe_at_ends()
    ranges, flags = pinned.read("ranges.csv"), pinned.arrays("extremes.npz")["ecog_3plus"]
    own = ranges[(ranges["quantity"] == "os_events") & (ranges["basis"] == "rules")]
    for row in own.itertuples():
        told = ends.query("name == 'os_events' and basis == 'rules' and end == @row.end").iloc[0]
        patients = flags[row.cohort].tolist()
        assert (told["cd20"], told["noncart"]) == (sum(patients[:54]), sum(patients[54:]))
    # Held by a rule; the other arm is not.
    assert ends.query("basis == 'rules'")["noncart"].between(2, 8).all()
    odd = ends.assign(cd20=0)
    odd.loc[
        odd.query("name == 'os_events' and basis == 'rules' and end == 'low'").index, "cd20"
    ] = 40
    monkeypatch.setattr(pinned, "severe_at_ends", lambda: odd)
    said = pinned_page.read_severe()
    assert f"1 of {(odd['basis'] == 'rules').sum()} ends" in said and "OS: events, low" in said
    assert "in which 40 of its 54 patients" in said
    monkeypatch.setattr(pinned, "severe_at_ends", lambda: ends.assign(cd20=27))
    assert pinned_page.read_severe() == ""


def test_a_value_beyond_the_range_is_said_to_be_missed_by_the_search():
    far = OWN.copy()
    far["os_events"] = 93.0
    assert pinned_page.outside(far) == ["os_events"]
    assert "beyond what the search reached for OS: events" in pinned_page.read_ranges(far)


# The number one wishes had been printed


def wish():
    return Wish(OWN)


def test_a_wished_number_narrows_the_range_among_the_cohorts_found():
    asked = wish()
    whole = pinned.ranges().loc[asked.target.value]
    assert whole["low"] - 1e-3 <= asked.left[0] <= asked.left[1] <= whole["high"] + 1e-3
    asked.extra.value = asked.target.value
    assert asked.cohorts == 0 or asked.left[1] - asked.left[0] <= 1.0  # printed to a whole point
    asked.basis.value = "print"
    row = pinned.witnesses("print")
    kept = row.loc[(row["os_12_diff"] - asked.value.value).abs() <= asked.half.value, "os_12_diff"]
    assert asked.cohorts == len(kept)


def test_what_is_left_stands_in_words_beside_the_bars():
    asked = wish()
    said = asked.shown.value
    assert 'role="img"' in said and "aria-label=" in said and pinned_beside.CAVEAT in said
    assert f"{asked.cohorts} of the {len(pinned.witnesses())} cohorts found" in said
    asked.value.value = -1000
    assert "None of the cohorts found would print it. That proves nothing" in asked.shown.value
    assert "nan" not in asked.shown.value


@pytest.mark.parametrize("name", list(unprinted()))
def test_every_quantity_can_be_asked_for_and_added(name):
    asked = wish()
    asked.target.value = asked.extra.value = name
    assert asked.target.value == name and unprinted()[name].label in asked.shown.value


def test_without_a_kernel_a_table_stands_in():
    bundle = wish()._repr_mimebundle_()
    assert "<table" in bundle["text/html"] and "needs a running kernel" in bundle["text/html"]
    assert pinned_beside.CAVEAT in bundle["text/html"]


def test_in_jupyterlab_a_range_is_picked_and_narrowed_by_keyboard(browser, tmp_path):
    with lab(tmp_path, [CELL, "'left alone'"]) as url:
        resize(browser, 1000, 1100)
        wait = run_first_cell(browser, url)
        before = wait.until(shown)
        wait.until(ask_for_events)
        wait.until(lambda d: "had OS: events been printed as 62" in shown(d) != before)
        assert "cohorts found would print it" in browser.find_element(By.TAG_NAME, "body").text
        assert not outside(requested(browser))


def ask_for_events(driver):
    driver.find_elements(By.CSS_SELECTOR, ".jp-OutputArea select")[1].send_keys("OS: events")
    return True


def shown(driver):
    return driver.find_element(By.CSS_SELECTOR, ".jp-OutputArea svg").get_attribute("aria-label")


# The study


def test_the_tables_of_the_study_are_told_in_words(tmp_path, monkeypatch):
    monkeypatch.setattr(pinned_study, "FOLDER", tmp_path)
    for table in (pinned_study.summary_text(), pinned_study.misses_text()):
        assert "not in this copy" in table["note"].item()
    pd.DataFrame({"role": ["held-out"], "reading": ["as read"], "what": ["events"], "sets": [6],
                  "of": [150], "hits": [147], "share": [0.98], "share_low": [0.95],
                  "share_high": [1.0], "median_width_share": [0.4]}
                 ).to_csv(tmp_path / "summary.csv", index=False)  # fmt: skip
    row = pinned_study.summary_text().iloc[0]
    assert row["reached"] == "147 of 150, 6 sets" and row.iloc[-1] == "40%"
    assert row.iloc[3] == "98.0% (95.0% to 100.0%)"
    pd.DataFrame({"group": ["OS model"], "basis": ["rules"], "row": ["os_hr"], "inside": [True],
                  "low": [0.2], "high": [0.4], "cohorts_below": [1],
                  "cohorts_above": [2]}).to_csv(tmp_path / "groups.csv", index=False)  # fmt: skip
    row = pinned_study.groups_text().iloc[0]
    assert row["range without it"] == "0.2 to 0.4" and row["printed"] == "0.28"
    assert row["cohorts below / above"] == "1 / 2"
    pd.DataFrame({"reading": ["right", "right"], "where": ["inside", "above"],
                  "miss": ["", "search"]}).to_csv(tmp_path / "ranges.csv", index=False)  # fmt: skip
    assert pinned_study.misses_text().to_numpy().tolist() == [["right", "search", 1]]
    assert pinned_study.read_groups().endswith(
        "Of all 1 values, counted with and without the rules, 1 lie inside."
    )
    assert pinned_study.read_summary() == "No held-out sample is finished."


def test_held_out_samples_as_read_stand_first_and_a_miss_has_a_consequence(tmp_path, monkeypatch):
    monkeypatch.setattr(pinned_study, "FOLDER", tmp_path)
    table = pd.DataFrame({
        "role": ["tuning"] + ["held out"] * 4, "reading": ["as read"] * 4 + ["ties"],
        "what": ["any of them", "any of them", "events", "unadjusted_hr", "any of them"],
        "sets": 2, "of": [9, 6, 3, 3, 3], "hits": [9, 5, 2, 3, 3]})  # fmt: skip
    table["share"] = table["hits"] / table["of"]
    table.to_csv(tmp_path / "summary.csv", index=False)
    first = pinned_study.summary_text()["data sets, reading"]
    assert list(first) == ["held out, as read"] * 3 + [
        "tuning, as read", "held out, printed with Breslow's ties"]  # fmt: skip
    said = pinned_study.read_summary()
    assert said.startswith("Of 6 own values of held-out samples, 5 lay within the range: "
                           "unadjusted hazard ratio 3 of 3, events 2 of 3. ")  # fmt: skip
    assert said.endswith("read its ranges above as too narrow, above all those of: events.")
    pd.DataFrame({"role": "held out", "reading": "as read", "quantity": "events",
                  "where": ["below", "below", "above", "inside"]}
                 ).to_csv(tmp_path / "ranges.csv", index=False)  # fmt: skip
    assert "Missed values lay: events 2 below and 1 above the range. What" in (
        pinned_study.read_summary())  # fmt: skip
    assert "the range held it for 5 of 6 numbers" in pinned_page.read_short()
    table.assign(hits=table["of"]).to_csv(tmp_path / "summary.csv", index=False)
    assert "which does not say that none is on this page" in pinned_study.read_summary()


def test_a_miss_is_told_without_ids_of_rows():
    assert pinned_study.said_of("as read", "search: not reached") == "search: not reached"
    wanting = "the sample does not meet factor_hr.low, median_1"
    assert "edge of rounding" in pinned_study.said_of("as read", wanting)
    assert pinned_study.said_of("ties", wanting).endswith("as it is read")
    assert set(pinned_study.READINGS) == {study_print.RIGHT, *study_print.WRONG}


def test_a_number_that_is_said_to_lie_inside_stands_within_the_range_that_is_shown():
    """Ranges and printed numbers are in one unit."""
    table = pinned_study.groups_text()
    inside = table[table["printed lies"] == "inside"]
    assert len(inside) > 0
    for row in inside.to_dict("records"):
        low, high = map(float, row["range without it"].replace("< 0.0001", "0").split(" to "))
        shown = float(re.search(r"\d+(\.\d+)?", row["printed"]).group())
        # Three digits are shown, and P < 0.0001 is met by anything below.
        assert low * 0.99 <= shown and ("<" in row["printed"] or shown <= high * 1.01), row
