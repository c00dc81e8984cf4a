"""The page on Cox models says what its numbers say, on cohorts of every shape."""

import csv
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cohorts import german, make_cohort
from lifelines import CoxPHFitter

import helpers as h
from helpers.cohort import ROOT, load_cohort
from helpers.pages import cox_asked, cox_shown
from helpers.pages import cox_page as page
from helpers.plots import forest, models
from helpers.plots.style import is_stamped
from helpers.view import View, default_view

PAPER = load_cohort()
NOTHING = {
    "nobody left": "{where: [{column: age, min: 119}]}",
    "one group": "{where: [{column: arm, in: [CD20 CAR-T]}]}",
    "known too late": "{compare: response}",
}


def asked(cohort=PAPER, text="{}", horizon=365):
    view = page.with_adjustment(cohort, default_view(cohort, text, horizon=horizon))
    return page.answers(cohort, view)


@pytest.fixture(scope="module")
def paper():
    return asked()


@pytest.fixture(scope="module")
def paper_ways(paper):
    return page.ways(paper)


def twelve(folder, **columns):
    """Twelve patients, both arms with events, times without ties."""
    start = {"os_time": [5, 9, 14, 20, 26, 33, 41, 50, 60, 71, 83, 96], "os_event": [1] * 12}
    return make_cohort(folder, start | columns)


def test_the_printed_ratios_shown_are_those_of_the_ledger(paper, paper_ways):
    ledger = h.ledger.ledger(PAPER).set_index("id")["computed"]
    for answer in paper:
        name = f"{answer.view.endpoint}_hr"
        row = paper_ways.query("endpoint == @answer.label and key == 'efron'").iloc[0]
        shown = np.exp(row[["estimate", "conf_low", "conf_high"]].astype(float))
        assert np.allclose(shown, ledger[[name, f"{name}.low", f"{name}.high"]], rtol=1e-9)
        assert row["p_value"] == pytest.approx(ledger[f"{name}.p"], rel=1e-9)
        table = page.journal([answer]).set_index("characteristic")
        assert table.at["Arm: CD20 CAR-T", "multivariable HR"] == h.words.ratio(row)


def test_the_journal_table_counts_add_up_and_its_columns_are_models_of_the_same_patients(paper):
    answer = paper[0]
    table = page.journal([answer]).set_index("characteristic")
    whole = table.loc["Overall survival"]
    frame, keys = cox_asked.question(answer)
    assert (whole["n"], whole["events"]) == (len(frame), frame["_event"].sum())
    for start in ("Arm", "ECOG", "International"):
        rows = table[table.index.str.startswith(start)]
        assert rows["n"].sum() == whole["n"] and rows["events"].sum() == whole["events"]
        assert rows["univariable HR"].eq("reference").sum() == 1
    ipi = h.cox_table(frame, **(keys | {"covariates": ["ipi >= 3"]})).iloc[0]
    row = table.loc["International Prognostic Index: >= 3"]
    assert row["univariable HR"] == h.words.ratio(ipi) != row["multivariable HR"]


def test_patients_without_a_covariate_are_in_neither_half(tmp_path):
    cohort = twelve(tmp_path, ecog=[0, 2, "", 1, 3, 0, 1, 2, 0, 3, 1, ""])
    answers = asked(cohort, "{adjust: [ecog]}")
    table = page.journal(answers)
    assert table.iloc[0]["n"] == 10
    assert table["n"].iloc[1:3].sum() == 10
    ways = page.ways(answers)
    assert set(ways.loc[ways["key"].isin(["unadjusted", "efron"]), "n"]) == {10}
    assert "on the same 10 patients" in page.read_adjusting(ways)


def test_covariates_are_those_of_the_view_or_of_the_reading_and_no_others(tmp_path):
    assert asked()[0].view.adjust == ("ecog >= 3", "ipi >= 3")
    assert asked(text="{compare: ecog}")[0].view.adjust == ("ipi >= 3",), "not what is compared"
    assert asked(text="{adjust: [age]}")[0].view.adjust == ("age",)
    assert "reading" in page.read_adjustment(View(), asked())
    answers = asked(german())
    assert answers[0].view.adjust == () and len(answers[0].model) == 1
    text = page.read_adjustment(View(), answers)
    assert "names no covariates and this page chooses none" in text and "reading" not in text
    few = twelve(tmp_path, age=[50, 61, 45, 70, 52, 66, 58, 49, 63, 55, 47, 60])
    assert "no adjusted model" in page.read_adjustment(View(), asked(few))


def test_a_covariate_known_too_late_is_said_to_be_withheld():
    answers = asked(text="{adjust: [response]}")
    text = page.read_adjustment(View(adjust=("response",)), answers)
    assert "no adjusted ratio here" in text
    assert set(page.journal(answers)["multivariable HR"]) <= {"–", ""}
    assert not page.ways(answers)["label"].str.startswith("Adjusted").any()
    assert "There is no adjusted ratio" in page.read_adjusting(page.ways(answers))


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_where_nothing_is_compared_every_part_says_so(text):
    answers = asked(text=text)
    answer = answers[0]
    why = cox_asked.why_nothing(answer)
    assert len(why) > 10
    ways, dots, moved = page.ways(answers), page.residuals(answer), page.influence(answer)
    curves, reason = page.standardised_curves(answer)
    assert ways["estimate"].isna().all() and dots.empty and moved.empty and curves.empty
    assert reason == why and np.isnan(page.whole(answer))
    texts = [
        page.read_events(answers), page.read_ties(answers, ways), page.read_split(answer),
        page.read_influence(answer, moved), page.read_curves(answer, curves, reason),
        page.alt_residuals(answer, dots), page.alt_influence(answer, moved),
        page.alt_curves(answer, curves, reason), page.influence_text(answer, moved).iloc[0, 0],
        page.checks_text(answers)["note"].iloc[0], page.journal(answers)["note"].iloc[1],
    ]  # fmt: skip
    assert all(h.words.plain_text(t).count(why) for t in texts), texts
    assert page.read_forest(ways) == "No way gives a ratio here."
    assert "no hazard ratio" in page.caption_forest(ways)
    for figure in (
        models.figure_residuals(dots, page.periods(answer), whole=np.nan, of=answer),
        models.figure_influence(moved, of=answer),
        models.figure_adjusted(curves, of=answer),
        forest.figure_forest(page.forest_rows(ways), of=PAPER, xlabel="x"),
    ):
        assert is_stamped(figure)


@pytest.mark.parametrize("events", [[0, 1] * 6, [1, 0] * 6], ids=["new", "reference"])
def test_an_arm_without_events_has_a_reason_and_firths_ratio_alone(tmp_path, events):
    answers = asked(twelve(tmp_path, os_event=events))
    why = cox_asked.why_nothing(answers[0])
    assert "ratio" in why and "no event" in why
    ways = page.ways(answers)
    assert ways["key"].to_list() == ["unadjusted", "firth"]
    assert ways["note"].to_list() == [why, ""] and ways["estimate"].isna().to_list() == [
        True,
        False,
    ]
    assert (ways["estimate"].iloc[1] < 0) == (events[0] == 0)
    assert page.ways_text(ways, "firth")["hazard ratio"].iloc[0] == "withheld"
    assert "(Unadjusted, Firth's penalty (Breslow's ties))" in page.read_forest(ways)
    assert "not so many findings" not in page.read_forest(ways)
    assert page.read_adjusting(ways).startswith("There is no adjusted ratio")


def test_an_empty_figure_of_residuals_says_what_kept_the_check_from_being_made(tmp_path):
    """There is a ratio, and there are events enough; they fell on one day."""
    days, events = [5] * 10 + [8, 9, 12, 15, 20, 22], [1] * 10 + [0] * 6
    answer = asked(make_cohort(tmp_path, {"os_time": days, "os_event": events}))[0]
    assert np.isfinite(page.whole(answer))
    alt = page.alt_residuals(answer, page.residuals(answer))
    assert alt == (
        "An empty figure of residuals over months: all events are on one day, so nothing can be "
        "seen to change with time."
    )
    assert "one day" in page.checks_text([answer])["note"].iloc[0]


def test_the_sentence_on_adjusting_gives_the_direction_of_the_numbers():
    def table(before, after):
        rows = {"endpoint": "Survival", "term": "arm: a vs b", "n": 9, "p_value": 0.1}
        rows |= {"conf_low": -1.0, "conf_high": 1.0}
        both = [rows | {"key": k, "estimate": np.log(v)} for k, v in
                (("unadjusted", before), ("efron", after))]  # fmt: skip
        return page.read_adjusting(pd.DataFrame(both))

    assert "further from 1" in table(0.5, 0.4) and "further from 1" in table(2, 3)
    assert "closer to 1" in table(0.4, 0.5) and "closer to 1" in table(3, 2)
    assert "other side" in table(0.8, 1.2)
    assert "hardly moved" in table(0.5, 0.501)


@pytest.mark.parametrize(
    ("early", "late", "said"),
    [(2.385, 0.538, "the other side of 1"), (0.4, 1.3, "the other side of 1"),
     (0.12, 0.62, "closer to 1"), (2.0, 1.2, "closer to 1"), (1.2, 2.0, "further from 1"),
     (0.5, 0.501, "hardly moved")],
)  # fmt: skip
def test_a_ratio_that_crosses_1_between_two_periods_does_not_move_towards_it(
    monkeypatch, paper, early, late, said
):
    rows = {"term": "arm: a vs b", "level": "a", "reference": "b", "day": 262.0, "note": "",
            "conf_low": -2.0, "conf_high": 2.0, "p_value": 0.0093, "n": 94}  # fmt: skip
    three = [rows | {"estimate": v} for v in np.log([early, late, late / early])]
    monkeypatch.setattr(cox_shown, "change", lambda answer: pd.DataFrame(three))
    text = page.read_split(paper[0])
    assert said in text and "P = 0.0093" in text
    for other in {"other side", "closer to 1", "further from 1", "hardly moved"}:
        assert (other in text) == (other in said), other


def test_curves_that_cross_are_said_to_change_sides(tmp_path):
    """Weibull quantiles: a falling hazard, early deaths and then few, against a rising one."""
    share = (np.arange(30) + 0.5) / 30
    new, old = (200 * (-np.log(1 - share)) ** power for power in (2.0, 0.5))
    columns = {"os_time": np.r_[new, old].round().astype(int).tolist(), "os_event": [1] * 60,
               "arm": ["new"] * 30 + ["old"] * 30}  # fmt: skip
    text = page.read_split(asked(make_cohort(tmp_path, columns))[0])
    assert "it moved to the other side of 1" in text and "closer to 1" not in text


def test_the_sentence_on_ties_counts_events_that_share_a_day(tmp_path):
    days = [5, 5, 5, 20, 20, 33, 41, 50, 60, 71, 83, 96]
    answers = asked(twelve(tmp_path, os_time=days))
    assert "5 of 12 events share their day" in page.read_ties(answers, page.ways(answers))
    answers = asked(twelve(tmp_path))
    text = page.read_ties(answers, page.ways(answers))
    assert "0 of 12 events" in text and "one ratio to three decimals" in text


def test_the_two_periods_meet_where_half_of_the_events_have_happened(paper):
    frame, _ = cox_asked.question(paper[0])
    periods = page.periods(paper[0])
    day = periods["day"].iloc[0]
    early = ((frame["_time"] <= day) & (frame["_event"] == 1)).sum()
    assert early >= frame["_event"].sum() / 2 and periods["n_event"].sum() == frame["_event"].sum()
    before = ((frame["_time"] < day) & (frame["_event"] == 1)).sum()
    assert before < frame["_event"].sum() / 2
    early, late = periods["estimate"]
    assert cox_shown.moved(early, late) == "it moved closer to 1"
    assert "to the second it moved closer to 1" in page.read_split(paper[0])
    one_day = pd.DataFrame({"_time": [4.0, 4.0, 9.0], "_event": [1, 1, 0]})
    assert np.isnan(cox_asked.cut_day(one_day))


def test_lifelines_own_check_is_shown_beside_ours_and_is_lifelines_own(paper):
    from lifelines.statistics import proportional_hazard_test

    table = cox_asked.checks(paper[0]).set_index("term")
    frame, keys = cox_asked.question(paper[0])
    ours = h.nonproportional.ph_test(frame, **keys).set_index("term")["p_value"]
    assert np.allclose(table["p_value"], ours)
    data = pd.DataFrame({"arm": (frame["arm"] == "CD20 CAR-T") * 1.0})
    for name in ("ecog >= 3", "ipi >= 3"):
        data[name[:4]] = (frame[name] == name) * 1.0
    data = data.assign(time=frame["_time"], event=frame["_event"])
    fit = CoxPHFitter().fit(data, "time", "event", fit_options={"precision": 1e-10})
    theirs = proportional_hazard_test(fit, data, time_transform="km").summary["p"]
    assert np.allclose(table["lifelines"].iloc[:3], theirs, rtol=1e-4)
    assert abs(table["lifelines"].iloc[0] - table["p_value"].iloc[0]) > 0.001


def test_lifelines_fits_the_same_matrix_also_with_a_skewed_number():
    answers = asked(german(), "{endpoint: rfs, adjust: [grade, prog_recp, nodes]}")
    standard = page.standard(replace(answers[0], view=replace(answers[0].view, ties="breslow")))
    assert standard.view.ties == "efron"
    rows = standard.model[standard.model["model"] == "adjusted"]
    data, unit = page.matrix(standard, "adjusted")
    fit = CoxPHFitter().fit(data, "_time", "_event", fit_options={"precision": 1e-10})
    ours = rows["estimate"].to_numpy() * unit[rows["term"]].to_numpy()
    assert np.allclose(fit.params_[rows["term"]], ours, atol=1e-5)


def test_the_patient_named_as_most_influential_is_so_by_refitting_without(paper):
    moved = page.influence(paper[0])
    text = page.read_influence(paper[0], moved)
    most = moved.loc[moved["dfbeta"].abs().idxmax()]
    assert f"row {most['row']} moves it most" in text
    frame, keys = cox_asked.question(paper[0])
    again = np.exp(h.cox_table(frame.drop(index=most["row"] - 2), **keys)["estimate"].iloc[0])
    assert again == pytest.approx(most["hazard_ratio"], rel=1e-6)
    shown = page.influence_text(paper[0], moved).iloc[0]
    whole = np.exp(page.whole(paper[0]))
    assert shown["row"] == most["row"] and "SYN" not in shown.to_string()
    assert shown["with the patient it is"] == ("higher" if whole > again else "lower")
    ends = [f"{v:.2f}" for v in moved["hazard_ratio"].agg(["min", "max"])]
    assert f"from {ends[0]} to {ends[1]}" in text and "never takes it" in text


def test_crossing_one_without_a_patient_is_said():
    moved = pd.DataFrame({"row": [0, 1], "dfbeta": [0.3, -0.1], "hazard_ratio": [0.9, 1.35],
                          "note": ""})  # fmt: skip
    moved["dfbeta"] = np.log(1.2) - np.log(moved["hazard_ratio"])
    assert "For 1 of 2 patients, leaving out the one takes it across 1" in page.read_influence(
        asked()[0], moved
    )


def test_rows_are_those_of_the_file_as_a_spreadsheet_counts_also_in_a_subgroup():
    answer = asked(text="{where: [{column: age, min: 60}]}")[0]
    moved = page.influence(answer)
    with open(ROOT / "data" / "cohort_synthetic.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(line for line in file if not line.startswith("#")))
    age, days = rows[0].index("age"), rows[0].index("os_time")
    theirs = [rows[row - 1] for row in moved["row"]]  # row 1 is the header
    assert len(moved) < 93 and all(float(row[age]) >= 60 for row in theirs)
    assert np.allclose([float(row[days]) * 12 / 365 for row in theirs], moved["month"])


def test_adjusted_curves_stop_with_their_group_and_the_sentence_reads_them(paper):
    curves, why = page.standardised_curves(paper[0])
    assert why == "" and (curves["n_risk"] > 0).all()
    last = curves.groupby(["kind", "group"])["time"].max().unstack()
    longest = PAPER.frame.groupby("arm")["os_time"].max()
    assert (last.loc["adjusted"] == longest).all() and (last.loc["as observed"] == longest).all()
    stones = paper[0].milestones.query("kind == 'survival' and time == 365")
    seen = stones.set_index("group")["estimate"]
    for arm in PAPER.arms:
        assert cox_shown.at(curves, "as observed", arm, 365) == pytest.approx(seen[arm])
    points = round(100 * (seen.iloc[0] - seen.iloc[1]))
    assert f"is {points} points as observed" in page.read_curves(paper[0], curves, why)


def test_other_ratios_are_those_of_the_answer(paper):
    row = page.ratios(paper[0]).iloc[0]
    middle = paper[0].medians.set_index("group")["estimate"]
    assert row["median"] == pytest.approx(middle["CD20 CAR-T"] / middle["non-CAR-T"])
    means = paper[0].rmst.set_index("group")["estimate"]
    assert row["mean"] == pytest.approx(means["CD20 CAR-T"] / means["non-CAR-T"])
    shown = page.ratios_text(paper).iloc[0]
    assert float(shown["1 / hazard ratio"]) == pytest.approx(1 / row["hazard"], abs=0.005)


def test_the_forest_has_a_row_for_each_way_and_its_sentence_their_range(paper, paper_ways):
    assert len(paper_ways) == 2 * (len(cox_asked.WAYS) + 2)
    text = page.read_forest(paper_ways)
    whole = paper_ways[~paper_ways["key"].isin(["early", "late"])]
    for endpoint, part in whole.groupby("endpoint", sort=False):
        low, high = np.exp(part["estimate"].agg(["min", "max"]))
        assert f"{endpoint}: {low:.2f} to {high:.2f} over the whole time" in text
    assert text.count("; late ") == 2 and "not so many findings" in text
    figure = forest.figure_forest(page.forest_rows(paper_ways), of=PAPER, xlabel="x")
    lines = [c for c in figure.axes[0].collections if len(c.get_segments()) == 1]
    assert len(lines) == len(paper_ways)
    labels = [t.get_text() for t in figure.legends[0].get_texts()]
    assert labels == list(dict.fromkeys(paper_ways["method"]))
    low, high = figure.axes[0].get_xlim()
    assert low < np.exp(paper_ways["conf_low"].min()) and high > 1


def test_the_forest_reaches_two_on_either_side_and_says_what_is_withheld():
    rows = pd.DataFrame({"label": ["a", "b"], "section": "", "estimate": [0.1, np.nan],
                         "conf_low": [-9.0, np.nan], "conf_high": [0.2, np.nan],
                         "p_value": [0.5, np.nan]})  # fmt: skip
    figure = forest.figure_forest(rows, of=PAPER, xlabel="x")
    low, high = figure.axes[0].get_xlim()
    assert 1 / 40 < low < 1 / 32 and 2 <= high < 3
    texts = [text.get_text() for text in figure.axes[1].texts]
    assert "withheld" in texts and "P = 0.50" in texts
    arrows = [line for line in figure.axes[0].get_lines() if line.get_marker() == "<"]
    assert len(arrows) == 1


def artists(figure, gid):
    return figure.findobj(lambda artist: artist.get_gid() == gid)


@pytest.mark.parametrize("width", ["page", "half"])
def test_the_figures_draw_every_event_patient_and_curve(paper, width):
    answer = paper[0]
    dots, moved = page.residuals(answer), page.influence(answer)
    figure = models.figure_residuals(
        dots, page.periods(answer), whole=page.whole(answer), of=answer, width=width
    )
    (drawn,) = artists(figure, "residual")
    assert len(drawn.get_xdata()) == len(dots) == 62
    assert len(artists(figure, "period")) == 2 and len(artists(figure, "whole")) == 1
    figure = models.figure_influence(moved, of=answer, width=width)
    assert sum(len(line.get_xdata()) for line in artists(figure, "patient")) == 93
    markers = {line.get_marker() for line in artists(figure, "patient")}
    assert len(markers) == 2, "a marker for each group, so colour is not the only code"
    assert {text.get_text() for text in artists(figure, "row")} == {
        f"row {row}" for row in page.influence_text(answer, moved)["row"][: models.LABELLED]
    }
    curves, _ = page.standardised_curves(answer)
    figure = models.figure_adjusted(curves, of=answer, width=width)
    for kind in ("adjusted", "as observed"):
        lines = artists(figure, kind)
        assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 2
    assert artists(figure, "adjusted")[0].get_linewidth() > lines[0].get_linewidth()
    assert is_stamped(figure) and artists(figure, "mark")


def test_a_likelihood_without_a_top_gets_no_marker():
    grid = pd.DataFrame({"log_ratio": [-2.0, 0.0, 2.0], "hill": [-2.0, -1.0, -3.0],
                         "slope": [-1.0, -2.0, -3.0]})  # fmt: skip
    figure = models.figure_likelihood(grid, {"hill": 0.0}, status="Invented")
    assert len(artists(figure, "likelihood")) == 2 and len(artists(figure, "top")) == 1
    assert artists(figure, "top")[0].get_ydata() == [-1.0]
    assert is_stamped(figure)


def test_ticks_of_a_ratio_axis_always_show_one_and_are_few():
    from matplotlib.figure import Figure

    for low, high in ((-8, 1), (-0.8, 0.8), (-0.1, 6), (-3, 3)):
        ax = Figure().subplots()
        models.ratio_axis(ax.yaxis, low, high)
        ticks = ax.get_yticks()
        assert len(ticks) <= 7 and np.isclose(ticks, 0).any(), (low, high, ticks)
