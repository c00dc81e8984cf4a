"""Every defensible analysis at once: each the project's own answer, each once, nothing hidden."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from cohorts import EXAMPLE, german, make_cohort

from helpers.analysis import analyse
from helpers.cohort import load_cohort
from helpers.estimators.moved import choices_that_move, directions, every_answer, spread
from helpers.estimators.multiverse import (
    Specification,
    answer,
    covariate_sets,
    multiverse,
    specifications,
)
from helpers.estimators.plugs import mean_to_year_1, restricted_mean
from helpers.fit.likelihood import NotEstimable
from helpers.pages.multiverse_words import (
    alt_specifications,
    caption_specifications,
    moved_text,
    read_moved,
    read_specifications,
)
from helpers.plots.specification import choice_rows, curve_rows, figure_specifications
from helpers.plots.style import is_stamped
from helpers.regression import cox_table
from helpers.view import View, ViewError
from helpers.workshop.multiverse_tasks import run_multiverse

GERMAN = german()
COHORT = load_cohort()
SOME = specifications(GERMAN, covariates=["age", "grade", "nodes"], landmarks=[0, 180],
                      censor_at=[None, 1095])  # fmt: skip
TABLE = multiverse(GERMAN, SOME)


def untied(folder, **more):
    """A cohort of 60 in which no two events share a day."""
    rng = np.random.default_rng(6)
    columns = {"os_time": (rng.permutation(60) + 10).tolist(),
               "os_event": rng.integers(0, 2, 60).tolist(),
               "age": rng.integers(30, 80, 60).tolist(),
               "site": [1] * 60}  # fmt: skip
    mapping = "reference_arm: old\nfactors: {site: {label: Site}, twin: {label: Twin, unit: years}}"
    return make_cohort(folder, columns | {"twin": columns["age"]} | more, mapping)


# ---- what is asked -------------------------------------------------------------------------------


def test_a_specification_has_one_text_and_is_read_back_from_it():
    one = Specification("rfs", ("nodes", "age"), "breslow", 90, 1095, "weights", "treatment")
    assert one == Specification("rfs", ("age", "nodes"), "breslow", 90.0, 1095.0, "weights",
                                "treatment")  # fmt: skip
    assert Specification.read(one.text()) == one
    assert Specification().text() == "{}"
    assert len({s.text() for s in SOME}) == len(SOME) == 2 * 8 * 2 * 2 * 2


def test_covariate_sets_are_all_subsets_up_to_a_size_and_too_many_are_refused():
    assert len(covariate_sets("abcd")) == 16
    assert covariate_sets("ba", largest=1) == [(), ("a",), ("b",)]
    with pytest.raises(ValueError, match=r"found 7, which make 128 sets.* To do: name fewer"):
        covariate_sets("abcdefg")


def test_a_column_never_stands_in_a_set_whole_and_cut():
    asked = specifications(
        COHORT, endpoints=["os"], covariates=["ecog", "ecog >= 3"], ties=["efron"]
    )
    assert [one.adjust for one in asked] == [(), ("ecog",), ("ecog >= 3",)]


def test_what_the_cohort_does_not_have_is_refused_before_anything_is_fitted():
    with pytest.raises(ViewError, match="adjust: found 'ecog'"):
        specifications(GERMAN, covariates=["ecog"])
    with pytest.raises(ViewError, match="endpoint: found 'pfs'"):
        specifications(GERMAN, endpoints=["pfs"])
    with pytest.raises(ValueError, match=r"ties: found an option twice\. To do"):
        specifications(GERMAN, ties=["efron", "efron"])


# ---- answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 18, 37, 54])
def test_every_answer_without_a_cut_follow_up_is_that_of_analyse(number):
    one = replace(SOME[number - 1], censor_at=None)
    row = answer(GERMAN, one)
    view = View(endpoint=one.endpoint, adjust=one.adjust, landmark=one.landmark, ties=one.ties)
    model = analyse(GERMAN, view).model
    expected = model[model["model"] == ("adjusted" if one.adjust else "unadjusted")].iloc[0]
    for name in ("estimate", "std_error", "p_value", "conf_low", "conf_high"):
        assert row[name] == pytest.approx(expected[name], abs=1e-8)
    assert (row["n"], row["n_event"], row["method"]) == tuple(expected[["n", "n_event", "method"]])


def test_the_end_of_follow_up_censors_and_nothing_else():
    row = answer(GERMAN, Specification("rfs", censor_at=730))
    frame = GERMAN.frame
    cut = frame.assign(day=frame["rfs_time"].clip(upper=730),
                       event=frame["rfs_event"].where(frame["rfs_time"] <= 730, 0))  # fmt: skip
    alone = cox_table(cut, time="day", event="event", covariates=["arm"],
                      references={"arm": "none"}).iloc[0]  # fmt: skip
    assert row["estimate"] == pytest.approx(alone["estimate"], abs=1e-8)
    assert row["n_event"] == int(cut["event"].sum()) < int(frame["rfs_event"].sum())


def test_few_events_and_late_columns_are_withheld_with_the_reason():
    thin = answer(COHORT, Specification("pfs", landmark=600))
    assert thin["estimate"] is None and thin["note"].startswith("Withheld: events ")
    wide = answer(
        COHORT, Specification("pfs", ("age", "ecog", "ipi", "stage"), landmark=90, censor_at=365)
    )
    assert re.fullmatch(r"Withheld: \d+ events for 5 terms, fewer than 5 each", wide["note"])
    late = answer(COHORT, Specification("os", ("response",)))
    assert late["note"] == "Withheld: response becomes known after time zero, on no fixed day."
    late = answer(COHORT, Specification("os", ("crs_grade",), landmark=10))
    assert "known only by day 30" in late["note"]


# ---- what counts once ----------------------------------------------------------------------------


def test_tie_rules_are_one_analysis_where_no_events_are_tied_and_two_where_they_are(tmp_path):
    cohort = untied(tmp_path)
    table = multiverse(cohort, specifications(cohort, covariates=["age"]))
    assert len(table) == 2 and table["analyses"].eq(2).all()
    assert TABLE["ties"].nunique() == 2 and TABLE["analyses"].eq(1).all()


def test_a_landmark_that_nobody_left_before_is_none_and_so_is_a_late_end_of_follow_up(tmp_path):
    cohort = untied(tmp_path)
    asked = specifications(cohort, landmarks=[0, 9, 40], censor_at=[None, 500], ties=["efron"])
    table = multiverse(cohort, asked)
    assert list(table["landmark"]) == [0, 40]
    assert list(table["analyses"]) == [4, 2]
    assert list(table["same"]) == [(1, 2, 3, 4), (5, 6)]


def test_a_column_that_says_nothing_or_the_same_as_another_counts_once(tmp_path):
    cohort = untied(tmp_path)
    asked = specifications(cohort, covariates=["age", "site", "twin"], ties=["efron"], largest=1)
    table = multiverse(cohort, asked)
    assert list(table["adjust"]) == ["none", "age"]  # site is constant, twin is age again
    assert list(table["analyses"]) == [2, 2]


def test_equal_answers_from_different_numbers_are_not_merged(tmp_path):
    # Who is censored before the first event weighs nothing, but is a patient.
    cohort = untied(tmp_path)
    frame = cohort.frame.assign(os_event=cohort.frame["os_event"].where(
        cohort.frame["os_time"] > 12, 0))  # fmt: skip
    cohort = replace(cohort, frame=frame)
    table = multiverse(cohort, specifications(cohort, landmarks=[0, 12], ties=["efron"]))
    assert len(table) == 2 and table["n"].tolist() == [60, 57]
    assert table["estimate"].iloc[0] == pytest.approx(table["estimate"].iloc[1], abs=1e-9)


def test_other_risk_sets_or_other_patients_are_another_analysis(tmp_path):
    cohort = untied(tmp_path)
    frame, book = cohort.frame, cohort.codebook
    turned = frame.assign(rfs_time=frame["os_time"].max() + 1 - frame["os_time"],
                          rfs_event=frame["os_event"])  # fmt: skip
    asked = [Specification("os"), Specification("rfs")]
    ends = {"os": "Overall survival", "rfs": "Recurrence-free survival"}
    for other, rows in ((turned, 2), (turned.assign(rfs_time=2 * frame["os_time"]), 1)):
        assert len(multiverse(replace(cohort, frame=other, endpoints=ends), asked)) == rows
    # Two patients alike: one lacks the first column, the other the second; else the columns agree.
    alike = frame.copy()
    alike.loc[3] = alike.loc[1]
    alike["twin"] = alike["age"].mask(alike.index == 1)
    alike["age"] = alike["age"].mask(alike.index == 3)
    alike.loc[[1, 2, 3], ["os_time", "arm", "os_event"]] = alike.loc[
        [1, 1, 1], ["os_time", "arm", "os_event"]
    ].to_numpy()
    alike.loc[[1, 2], ["age"]] = alike.loc[2, "age"]
    alike.loc[[2, 3], ["twin"]] = alike.loc[2, "age"]
    table = multiverse(replace(cohort, frame=alike, codebook=book),
                       [Specification("os", ("age",)), Specification("os", ("twin",))])  # fmt: skip
    assert len(table) == 2 and table["n"].eq(59).all()
    assert table["estimate"].iloc[0] == pytest.approx(table["estimate"].iloc[1], abs=1e-9)


def test_whatever_is_merged_has_the_same_answer_by_itself(tmp_path):
    cohort = untied(tmp_path)
    asked = specifications(cohort, covariates=["age", "twin"], largest=1, landmarks=[0, 5, 30],
                           censor_at=[None, 400, 45])  # fmt: skip
    table, merged = multiverse(cohort, asked), 0
    for row in table.itertuples():
        for number in row.same:
            alone = answer(cohort, asked[number - 1])
            merged += number != row.specification
            if alone["estimate"] is None:
                assert np.isnan(row.estimate)
            else:
                assert alone["estimate"] == pytest.approx(row.estimate, abs=1e-9)
    assert merged > len(asked) / 2


# ---- plug-ins and machines -----------------------------------------------------------------------


def shifted_start(cohort):
    """A time zero plug-in: everybody's clock starts ten days later."""
    frame = cohort.frame.assign(os_time=cohort.frame["os_time"] - 10)
    return replace(cohort, frame=frame[frame["os_time"] >= 0])


def halved(data, reference, adjust):
    """An estimator plug-in: half of the log hazard ratio, so that it cannot be mistaken."""
    if "age" in adjust:
        raise NotEstimable("age: not with this estimator")
    row = cox_table(data, time="_time", event="_event", covariates=["arm", *adjust],
                    references={"arm": reference}).iloc[0]  # fmt: skip
    return row.replace({row["estimate"]: row["estimate"] / 2, row["method"]: "halved"})


def test_plug_ins_get_the_same_patients_and_their_refusals_are_kept():
    asked = specifications(COHORT, endpoints=["os"], covariates=["age"], ties=["efron"],
                           estimators=["Cox", "halved"],
                           time_zeros=["none", "later"])  # fmt: skip
    table = multiverse(COHORT, asked, estimators={"halved": halved},
                       time_zeros={"later": shifted_start}).set_index("text")  # fmt: skip
    plain, half = table.loc["{}", "estimate"], table.loc['{"estimator": "halved"}', "estimate"]
    assert half == pytest.approx(plain / 2, abs=1e-8)
    refused = table[(table["adjust"] == "age") & (table["estimator"] == "halved")]
    assert refused["note"].eq("age: not with this estimator").all() and len(refused) == 2


def test_restricted_means_stand_apart_and_agree_in_sign_and_p_alone():
    asked = specifications(GERMAN, covariates=["age"], estimators=["Cox", "mean"])
    table = multiverse(GERMAN, asked, estimators={"mean": restricted_mean(1825)})
    means = table[table["scale"] == "days"]
    assert means["analyses"].eq(2).all() and len(means) == 2  # it knows no tie rule
    view = View(endpoint="rfs", horizon=1825)
    expected = analyse(GERMAN, view).rmst.iloc[-1]
    row = means[means["endpoint"] == "rfs"].iloc[0]
    for name in ("estimate", "conf_low", "conf_high", "p_value"):
        assert row[name] == pytest.approx(expected[name], rel=1e-8)
    refused = table[(table["estimator"] == "mean") & (table["adjust"] == "age")]
    assert refused["note"].str.contains("not adjusted").all()
    told = directions(table).set_index("scale")
    assert told.loc["days", "first"] == 2 and told.loc["log hazard ratio", "first"] == 8
    assert spread(table).at[0, "other_scale"] == 2
    assert len(curve_rows(table)) == 8
    assert "2 on another scale are not drawn" in caption_specifications(table, GERMAN)
    with pytest.raises(ValueError, match="scale: found 'odds'"):
        directions(table.assign(scale="odds"))


def test_one_process_and_two_give_the_same_table_and_a_second_run_does_nothing(tmp_path):
    asked = SOME[:40]
    direct = multiverse(GERMAN, asked)
    for jobs in (1, 2):
        log = tmp_path / f"{jobs}.jsonl"
        table = run_multiverse(*EXAMPLE, asked, log, jobs=jobs, chunk=9)
        pd.testing.assert_frame_equal(table, direct, check_exact=True)
        size = log.stat().st_size
        run_multiverse(*EXAMPLE, asked, log, jobs=jobs, chunk=9)
        assert log.stat().st_size == size
        assert len(log.read_text().splitlines()) == 5
    other = run_multiverse(*EXAMPLE, asked, log, jobs=1, floor=10_000)
    assert other["estimate"].isna().all()  # another option is another task


def test_plug_ins_travel_to_other_processes_by_name(tmp_path):
    asked = [Specification(estimator="halved"), Specification()]
    table = run_multiverse("data/cohort_synthetic.csv", "", asked, tmp_path / "log", jobs=1,
                           estimators={"halved": "test_multiverse:halved"})  # fmt: skip
    assert table["estimate"].iloc[0] == pytest.approx(table["estimate"].iloc[1] / 2, abs=1e-8)
    asked, where = [Specification(estimator="mean")], "helpers.estimators.plugs:mean_to_year_1"
    table = run_multiverse("data/cohort_synthetic.csv", "", asked, tmp_path / "log", jobs=2,
                           estimators={"mean": where})  # fmt: skip
    direct = multiverse(COHORT, asked, estimators={"mean": mean_to_year_1})
    pd.testing.assert_frame_equal(table, direct)


# ---- which choice moves it -----------------------------------------------------------------------


def made(values: dict) -> tuple[pd.DataFrame, list[Specification]]:
    """A multiverse of chosen log hazard ratios."""
    asked = list(values)
    rows = [
        {"digest": one.text(), "estimate": value, "std_error": 0.1, "statistic": 0.0,
         "p_value": 0.01 if value is not None and value < -0.2 else 0.5, "conf_low": -1.0,
         "conf_high": 1.0, "n": 9, "n_event": 9, "scale": "log hazard ratio", "method": "",
         "note": ""}
        for one, value in values.items()
    ]  # fmt: skip
    return multiverse(COHORT, asked, rows=rows), asked


def test_shares_of_variance_are_those_of_an_additive_table_and_add_up_to_one():
    add = {"efron": 0.0, "breslow": 0.1}
    ends = {"os": -0.5, "pfs": 0.0}
    days = {0.0: 0.0, 90.0: 0.3, 180.0: 0.6}
    table, asked = made({
        Specification(e, ties=t, landmark=d): ends[e] + add[t] + days[d]
        for e in ends for t in add for d in days
    })  # fmt: skip
    moved = choices_that_move(table, asked).set_index("choice")
    variances = {"endpoint": 0.25**2, "ties": 0.05**2, "landmark": 0.06}
    for name, variance in variances.items():
        share = variance / sum(variances.values())
        assert moved.at[name, "total"] == pytest.approx(share)
        assert moved.at[name, "alone"] == pytest.approx(share)
    assert moved.at["endpoint", "held_mean"] == pytest.approx(0.5)
    assert (moved.at["landmark", "lowest"], moved.at["landmark", "highest"]) == ("0", "180")
    assert list(moved["compared"]) == [6, 4, 6]


def test_choices_that_work_only_together_have_no_share_alone():
    table, asked = made({
        Specification(e, ties=t): (1.0 if (e == "os") == (t == "efron") else -1.0)
        for e in ("os", "pfs") for t in ("efron", "breslow")
    })  # fmt: skip
    moved = choices_that_move(table, asked)
    np.testing.assert_allclose(moved["alone"], 0, atol=1e-12)
    np.testing.assert_allclose(moved["total"], 1)
    np.testing.assert_allclose(moved["held_mean"], 2)


def test_a_covariate_is_judged_by_the_sets_that_differ_in_it_alone():
    table, asked = made({
        Specification(adjust=s): 0.4 * ("age" in s) - 0.1 * ("sex" in s)
        for s in covariate_sets(["age", "sex"])
    })  # fmt: skip
    moved = choices_that_move(table, asked).set_index("choice")
    assert moved.at["adjust: age", "held_mean"] == pytest.approx(0.4)
    assert moved.at["adjust: sex", "highest"] == "out"
    assert moved.at["adjust", "held_most"] == pytest.approx(0.5)


def test_withheld_answers_leave_holes_that_are_counted_and_merged_ones_their_weight(tmp_path):
    table, asked = made({
        Specification("os"): 0.0, Specification("os", landmark=90): 0.2,
        Specification("pfs"): 0.1, Specification("pfs", landmark=90): None,
    })  # fmt: skip
    moved = choices_that_move(table, asked).set_index("choice")
    assert moved.at["landmark", "compared"] == 1
    assert moved.at["endpoint", "note"] == ""
    row = spread(table).iloc[0]
    assert (row["analyses"], row["withheld"], row["below"], row["significant"]) == (4, 1, 0, 0)
    cohort = untied(tmp_path)
    asked = specifications(cohort, covariates=["age"])
    every = every_answer(multiverse(cohort, asked), asked)
    assert len(every) == len(asked) == 4 and every["estimate"].notna().all()
    ties = choices_that_move(multiverse(cohort, asked), asked).set_index("choice").loc["ties"]
    assert ties["held_most"] == 0 and ties["compared"] == 2


# ---- figure and words ----------------------------------------------------------------------------


def test_the_curve_rises_and_every_mark_below_is_a_choice_of_its_analysis():
    curve, rows = curve_rows(TABLE), choice_rows(TABLE, GERMAN)
    assert curve["estimate"].is_monotonic_increasing
    assert list(curve["place"]) == list(range(1, len(TABLE) + 1))
    ends = rows[rows["choice"] == "Endpoint"].set_index("place")["level"]
    assert [GERMAN.endpoints[name] for name in curve["endpoint"]] == list(ends.sort_index())
    nodes = set(rows.loc[rows["level"] == "Positive lymph nodes", "place"])
    assert nodes == set(curve.loc[curve["adjust"].str.contains("nodes"), "place"])
    assert list(rows.drop_duplicates("choice")["choice"]) == [
        "Endpoint", "Adjusted for", "Tied times", "Landmark", "Follow-up ends",
    ]  # fmt: skip


def test_the_figure_draws_each_interval_once_and_bears_its_status_and_mark():
    figure = figure_specifications(TABLE, of=GERMAN)
    top, bottom = figure.axes
    drawn = sum(len(c.get_segments()) for c in top.collections)
    assert drawn == len(TABLE)
    marks = sum(len(c.get_segments()) for c in bottom.collections)
    assert marks == len(choice_rows(TABLE, GERMAN))
    assert is_stamped(figure) and GERMAN.status_line in top.texts[0].get_text()
    synthetic = figure_specifications(
        multiverse(COHORT, specifications(COHORT, covariates=["ecog"])), of=COHORT
    )
    assert any(t.get_gid() == "mark" for t in synthetic.axes[0].texts)


def test_three_hundred_analyses_leave_no_text_on_another():
    asked = specifications(GERMAN, covariates=["age", "grade", "nodes", "size"], landmarks=[0, 180],
                           censor_at=[None, 1095, 1825], largest=3)  # fmt: skip
    table = multiverse(GERMAN, asked)
    assert len(table) > 300
    figure = figure_specifications(table, of=GERMAN)
    figure.draw_without_rendering()
    bottom = figure.axes[1]
    texts = [*bottom.texts, *bottom.get_yticklabels()]
    boxes = sorted((t.get_window_extent() for t in texts if t.get_text()), key=lambda b: b.y0)
    assert all(low.y1 <= high.y0 + 1.5 for low, high in pairwise(boxes))
    assert min(box.x0 for box in boxes) >= 0


def test_nothing_to_draw_is_said_and_not_an_error():
    empty = multiverse(COHORT, [Specification("pfs", landmark=600)])
    figure = figure_specifications(empty, of=COHORT)
    assert any("Nothing to draw" in text.get_text() for text in figure.axes[0].texts)
    assert alt_specifications(empty, COHORT).startswith("Empty specification curve.")
    assert "No analysis" in read_specifications(empty)
    assert "none can be compared" in read_moved(
        choices_that_move(empty, [Specification("pfs", landmark=600)]), COHORT
    )


def test_words_count_what_the_table_has_and_do_not_call_agreement_a_replication():
    text = read_specifications(TABLE)
    low, high = np.exp([TABLE["estimate"].min(), TABLE["estimate"].max()])
    assert f"from {low:.2f} to {high:.2f}" in text and "no replication" in text
    assert f"{(TABLE['p_value'] < 0.05).sum()} have P below 0.05" in text
    assert f"of {len(TABLE)} analyses" in caption_specifications(TABLE, GERMAN)
    assert "follow-up ends: at day 1095, as observed" in alt_specifications(TABLE, GERMAN)
    moved = choices_that_move(TABLE, SOME)
    first = moved[~moved["choice"].str.startswith("adjust: ")].iloc[0]
    assert f"{np.exp(first['held_most']):.2f} at most" in read_moved(moved, GERMAN)
    assert "tied times" in read_moved(moved, GERMAN)
    assert len(moved_text(moved, GERMAN)) == len(moved)


def test_merged_and_withheld_analyses_are_counted_in_the_caption(tmp_path):
    cohort = untied(tmp_path)
    text = caption_specifications(multiverse(cohort, specifications(cohort)), cohort)
    assert "2 ways through the choices are 1 analysis:" in text
    asked = [Specification("os"), Specification("pfs", landmark=600)]
    assert "1 analysis withheld" in caption_specifications(multiverse(COHORT, asked), COHORT)
