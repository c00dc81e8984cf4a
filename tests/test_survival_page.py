"""The page on survival curves says what its numbers say, on cohorts of every shape."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cohorts import german, make_cohort
from lifelines import KaplanMeierFitter

import helpers as h
from helpers.cohort import load_cohort
from helpers.conventions import DAYS_PER_MONTH
from helpers.pages import causes
from helpers.pages import survival_page as page
from helpers.plots import curves
from helpers.plots.style import is_stamped
from helpers.view import View, default_view

PAPER = load_cohort()
LATE = View.read("{compare: response, horizon: 365}")
NOBODY = View.read("{where: [{column: age, min: 119}], horizon: 365}")


def asked(cohort=PAPER, text="{}", horizon=365):
    return page.answers(cohort, default_view(cohort, text, horizon=horizon))


def ten(folder, **columns):
    """Ten patients with pfs and os; progression, death and censoring in both arms."""
    start = {
        "pfs_time": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        "pfs_event": [1, 1, 1, 1, 0, 1, 1, 1, 1, 1],
        "os_time": [1, 9, 9, 4, 9, 6, 9, 9, 9, 12],
        "os_event": [1, 0, 1, 1, 0, 1, 0, 0, 1, 0],
    }
    return make_cohort(folder, start | columns)


def test_every_endpoint_is_asked_the_same_question_and_that_of_the_view_comes_first():
    answers = asked(text="{endpoint: pfs, landmark: 30, adjust: [ecog]}")
    assert [answer.view.endpoint for answer in answers] == ["pfs", "os"]
    assert all(a.view.landmark == 30 and a.view.adjust == ("ecog",) for a in answers)
    stones = answers[0].milestones["time"].unique() / DAYS_PER_MONTH
    assert np.allclose(stones, [3, 6, 12])


@pytest.mark.parametrize(
    "text", ["{}", "{endpoint: pfs, landmark: 91}", "{where: [{column: age, max: 60}]}"]
)
def test_all_numbers_concern_the_patients_of_the_view(text):
    for answer in asked(text=text):
        people = page.selected(answer)
        counts = answer.counts.set_index("group")
        assert (people["_group"].value_counts()[counts.index] == counts["patients"]).all()
        assert people["_event"].sum() == counts["events"].sum()
        assert people["_time"].sum() == pytest.approx(
            (people[f"{answer.view.endpoint}_time"] - answer.view.landmark).sum()
        )


def test_follow_up_after_a_landmark_says_where_it_is_counted_from():
    assert "from the landmark at 3 months" in page.read_follow_up(asked(text="{landmark: 91.25}"))
    assert "counted from" not in page.read_follow_up(asked())


def test_what_the_page_shows_of_the_printed_numbers_is_what_the_ledger_has():
    ledger = h.ledger.ledger(PAPER).set_index("id")["computed"]
    answers = {answer.view.endpoint: answer for answer in asked()}
    kinds = page.median_kinds(list(answers.values()))
    for endpoint, answer in answers.items():
        for arm, name in zip(PAPER.arms, ("cd20", "noncart"), strict=True):
            rows = kinds[(kinds["endpoint"] == answer.label) & (kinds["group"] == arm)]
            assert np.allclose(rows["estimate"] / DAYS_PER_MONTH, ledger[f"{endpoint}_{name}"])
        tests = page.rank_tests([answer]).set_index("name")["p_value"]
        assert tests["log-rank"] == pytest.approx(ledger[f"{endpoint}_p"], rel=1e-9)
    assert f"overall survival it is {ledger['followup']:.2f} months" in page.read_follow_up(
        list(answers.values())
    )
    pfs = page.rank_text(page.rank_tests([answers["pfs"]])).set_index("test").iloc[:, 0]
    assert pfs["log-rank"] == "0.0032"


def test_a_comparison_that_would_credit_immortal_time_is_withheld_everywhere():
    answer = page.answers(PAPER, LATE)[0]
    assert page.rank_tests([answer])["p_value"].isna().all()
    assert page.contrast_text(answer).empty and page.mean_text(answer).empty
    assert "no fixed day" in page.stacked([answer], page.contrast_text)["note"].item()
    assert "nothing to catch" in page.read_trap(answer)
    assert "no fixed day" in page.why_not_compared(answer)


def test_the_weights_are_powers_of_the_pooled_curve_before_the_event(tmp_path):
    cohort = make_cohort(tmp_path, {"os_time": [2, 3, 3, 5, 8], "os_event": [1, 1, 0, 1, 0]})
    table = page.weights(asked(cohort)[0])
    by_test = {name: part["weight"].to_list() for name, part in table.groupby("test")}
    # Before days 2, 3 and 5 the curve of all five is at 1, 0.8 and 0.6.
    assert np.allclose(by_test["log-rank"], 1)
    assert np.allclose(by_test["Fleming-Harrington (1, 0), early"], [1, 0.8, 0.6])
    assert np.allclose(by_test["Fleming-Harrington (0, 1), late"], [0, 0.5, 1])
    assert np.allclose(by_test["Fleming-Harrington (1, 1), middle"], [0, 0.16 / 0.24, 1])
    assert "early: 1.00 at the first event, 0.60 at the last" in page.alt_weights(table)


def test_the_sentence_on_the_tests_names_the_ends_and_the_honest_combination():
    tests = page.rank_tests(asked()[1:])
    text, p = page.read_rank_tests(tests), tests.set_index("name")["p_value"]
    four = p[[name for name in p.index if name.startswith(("log-rank", "Fleming"))]]
    assert len(four) == 4
    assert h.words.p_value(four.min()) in text and h.words.p_value(four.max()) in text
    assert text.index(h.words.p_value(four.min())) < text.index(h.words.p_value(four.max()))
    assert f"all four, {h.words.p_value(p['MaxCombo'])}." in text


def test_the_column_to_stratify_by_is_never_invented_or_known_late():
    assert page.stratum(asked()[0]) == "ecog >= 3"
    assert page.stratum(asked(text="{compare: ecog}")[0]) == "ipi >= 3"
    assert page.stratum(asked(text="{adjust: [sex]}")[0]) == "sex", "asked for, so used and named"
    assert page.stratum(asked(text='{adjust: ["ipi >= 3"]}')[0]) == "ipi >= 3"
    assert page.stratum(asked(german())[0]) is None, "no column is chosen by its place in a file"
    assert page.stratum(asked(german(), "{adjust: [age, menopause]}")[0]) == "menopause"
    assert "ECOG performance status of 3 or more" in page.caption_tests(asked()[0])


def test_rows_built_for_print_are_stratified_by_the_side_of_a_cut_not_by_an_invented_grade():
    tests = page.rank_tests(asked())
    ours = tests[tests["name"] == "stratified log-rank"].set_index("endpoint")["p_value"]
    # R: survdiff(Surv(time, event) ~ arm + strata(ecog >= 3))
    assert np.allclose(ours, [0.000125, 0.001651], rtol=0.004)
    other = PAPER.frame["ecog"].where(PAPER.frame["ecog"] >= 3, 1)  # other grades, the same side
    moved = replace(PAPER, frame=PAPER.frame.assign(ecog=other))
    assert page.rank_tests(asked(moved))["p_value"].equals(tests["p_value"])


def kinds_of(*highs):
    return pd.DataFrame(
        {"endpoint": "Survival", "group": "A", "interval": page.KINDS, "estimate": 100.0,
         "conf_low": 50.0, "conf_high": highs}
    )  # fmt: skip


def test_limits_that_depend_on_their_kind_are_named_and_the_widest_gap_first():
    assert page.read_median_kinds(kinds_of(200.0, 200.0, 200.0)) == (
        "Of 1 median, none has limits that depend on their kind."
    )
    assert "1 has a limit" in page.read_median_kinds(kinds_of(200.0, 200.0, 300.0))
    open_end = kinds_of(200.0, 200.0, np.nan).assign(group="B")
    both = pd.concat([kinds_of(200.0, 200.0, 3000.0), open_end], ignore_index=True)
    text = page.read_median_kinds(both)
    assert "2 have a limit" in text and "with 'B', in months: 6.6 or not reached." in text
    assert page.median_kinds_text(both)["log"].to_list() == ["1.6 to 98.6", "1.6 to not reached"]


def test_the_trap_is_the_spread_of_the_cut_times(tmp_path):
    days = [10, 20, 40, 60, 70, 90, 120, 150, 160, 190, 230, 300]
    cohort = make_cohort(tmp_path, {"os_time": days, "os_event": [1] * 12})
    answer = asked(cohort, horizon=200)[0]
    cut = np.minimum(days, 200)
    new, old = cut[::2], cut[1::2]
    right = np.sqrt(new.var() / 6 + old.var() / 6) / DAYS_PER_MONTH
    wrong = np.sqrt(new.var() + old.var()) / DAYS_PER_MONTH
    text = page.read_trap(answer)
    assert f"error of the difference is {right:.2f} months" in text
    assert f"place it would be {wrong:.2f} months" in text


def test_incidence_is_matched_to_one_minus_kaplan_meier_by_name_and_never_above_it():
    for view in (default_view(PAPER, horizon=365), LATE):  # the second has groups out of order
        people = causes.causes(page.answers(PAPER, view)[0])
        for day in (30, 100, 365, 900):
            both = causes.both_at(people, day).dropna(subset=["estimate"])
            assert len(both)
            assert (both["estimate"] <= both["naive"] + 1e-12).all()
            assert (both.groupby("group")["estimate"].sum() <= 1 + 1e-12).all()
    group = people[people["_group"] == "CR"]
    fit = KaplanMeierFitter().fit(group["first_time"], group["cause"] == 1)
    row = causes.both_at(people, 365).query("group == 'CR' and cause == 1")
    assert row["naive"].item() == pytest.approx(1 - fit.predict(365))


def test_ends_are_counted_by_kind_and_those_on_the_day_of_death_named(tmp_path):
    people = causes.causes(asked(ten(tmp_path))[0])
    table = causes.cause_text(people).set_index("group")
    assert table.loc[["new", "old"], "progression"].to_list() == [2, 3]
    assert table["death without progression"].sum() == 4 and table["censored"].sum() == 1
    assert causes.read_same_day(people).startswith("4 patients had the event of PFS on the day")


def test_incidence_at_a_day_is_zero_before_the_first_and_missing_beyond_the_last(tmp_path):
    answer = asked(ten(tmp_path), horizon=5)[0]
    table = causes.incidence(causes.causes(answer))
    assert (causes.at_day(table, 0.5)["estimate"] == 0).all()
    at = causes.at_day(table, 4).set_index(["group", "cause"])
    # Two of five new patients (days 1 and 3) had an end by day 4: one died, one progressed.
    assert at.loc[("new", 1), "estimate"] == pytest.approx(0.2)
    assert at.loc[("new", 2), "estimate"] == pytest.approx(0.2)
    assert at.loc[("new", 1), "n_risk"] == 3
    # All of them had one in the end, apart from one who left: known for ever after.
    assert causes.at_day(table, 99)["estimate"].notna().all()
    left = causes.incidence(causes.causes(asked(ten(tmp_path, pfs_event=[0] * 10))[0]))
    assert causes.at_day(left, 99)["estimate"].isna().all()


def test_a_landmark_moves_the_clock_of_both_ends(tmp_path):
    people = causes.causes(asked(ten(tmp_path), "{endpoint: pfs, landmark: 4}", 5)[0])
    assert sorted(people["first_time"]) == [1, 2, 3, 4, 5, 6]
    assert causes.cause_text(people)["death without progression"].sum() == 2


def test_no_test_or_ratio_is_shown_of_what_was_invented(tmp_path):
    answer = asked()[0]
    within = causes.comparator(answer)
    assert set(causes.comparator_text(within)["hazard ratio"]) == {"invented"}
    assert "Rests on invented values: Salvage treatment" in within.source
    shown = causes.incidence_text(answer, causes.causes(answer))
    assert set(shown["Gray's test"]) == {"invented", ""}
    assert causes.UNBOUND in causes.source(answer)
    own = asked(
        ten(tmp_path, salvage=["other", "other", "polatuzumab", "polatuzumab", "other"] * 2),
        "{}",
        5,
    )
    assert causes.UNBOUND not in causes.source(own[0])
    ratios = causes.comparator_text(causes.comparator(own[0]))["hazard ratio"].to_list()
    assert ratios == ["withheld", "reference"]  # of fewer than five events each
    shown = causes.incidence_text(own[0], causes.causes(own[0]))
    assert shown["Gray's test"].iloc[0].startswith("P = ")


def test_an_answer_without_patients_gives_sentences_not_errors():
    answers = page.answers(PAPER, NOBODY)
    answer = answers[0]
    people = causes.causes(answer)
    texts = [
        page.read_median_kinds(page.median_kinds(answers)),
        page.read_follow_up(answers),
        page.read_trap(answer),
        causes.read_incidence(answer, people),
        *page.median_kinds_text(page.median_kinds(answers)).iloc[:, 0],
        *causes.incidence_text(answer, people).iloc[:, 0],
        *causes.cause_text(people).iloc[:, 0],
    ]
    assert all(len(text) > 10 and "nan" not in text for text in texts)
    for figure in (
        curves.figure_medians(page.median_kinds(answers), of=answer),
        curves.figure_weights(page.weights(answer), of=answer),
        causes.draw(answer, people),
    ):
        assert is_stamped(figure)


def test_restricted_means_without_any_event_have_no_interval(tmp_path):
    cohort = make_cohort(tmp_path, {"os_time": [400] * 8, "os_event": [0] * 8})
    assert set(page.mean_text(asked(cohort)[0])["months"]) == {"12.0 (no interval)"}
    assert "no error" in page.read_trap(asked(cohort)[0])


def artists(figure, gid):
    return figure.findobj(lambda artist: artist.get_gid() == gid)


def test_the_figure_of_medians_has_a_marker_for_each_and_an_arrow_for_each_open_end():
    answers = asked()
    kinds = page.median_kinds(answers)
    figure = curves.figure_medians(kinds, of=answers[0])
    assert len(artists(figure, "median")) == kinds["estimate"].notna().sum() == 12
    missing = kinds["conf_high"].isna() & kinds["conf_low"].notna()
    assert len(artists(figure, "open")) == missing.sum() == 1
    nobody = curves.figure_medians(kinds_of(*[np.nan] * 3).assign(
        group=answers[0].groups[0], estimate=np.nan, conf_low=np.nan), of=answers[0])  # fmt: skip
    assert not artists(nobody, "median") and not artists(nobody, "open")
    one = kinds_of(*[np.nan] * 3).assign(group=answers[0].groups[0], conf_low=np.nan)
    alone = curves.figure_medians(one, of=answers[0])  # a median without limits is not open-ended
    assert len(artists(alone, "median")) == 3 and not artists(alone, "open")


def test_the_figure_of_incidence_has_thick_and_thin_lines_in_both_panels():
    answer = asked()[0]
    figure = causes.draw(answer, causes.causes(answer))
    for ax in figure.axes:
        ids = [line.get_gid() for line in ax.get_lines()]
        assert ids.count("incidence") == ids.count("naive") == 2
        assert {"status", "mark"} <= {text.get_gid() for text in ax.texts}
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[:2] == list(PAPER.arms), "the arms first, their thin lines after them"
    lines = [line for line in figure.axes[0].get_lines() if line.get_gid() == "incidence"]
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 2


def test_plain_limits_are_drawn_where_they_are_even_outside_0_to_1():
    hand = pd.DataFrame({"day": [2, 3], "survival": [0.8, 0.3], "plain_low": [0.4, -0.2],
                         "plain_high": [1.2, 0.7], "loglog_low": [0.2, 0.1],
                         "loglog_high": [0.9, 0.6]})  # fmt: skip
    figure = curves.figure_limits(hand, last=8, status="Invented")
    low, high = figure.axes[0].get_ylim()
    assert low < -0.2 and high > 1.2
    assert len(artists(figure, "plain")) == len(artists(figure, "loglog")) == 2
    assert is_stamped(figure)
