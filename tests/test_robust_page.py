"""How fragile, all analyses at once, what is missing: the page says what the numbers are."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cohorts import EXAMPLE, german, make_cohort
from lifelines.statistics import logrank_test

from helpers.cohort import ROOT, load_cohort
from helpers.estimators.fragility import fragility_index, survival_fragility
from helpers.estimators.moved import choices_that_move, spread
from helpers.estimators.multiverse import NONE, PLAIN, Specification, multiverse
from helpers.estimators.treatment_time import (
    ever_treated_cox,
    landmark_cox,
    time_dependent_cox,
)
from helpers.estimators.weighting import propensity_weights, weighted_cox
from helpers.fit.likelihood import NotEstimable
from helpers.pages import (
    robust_calibration,
    robust_choices,
    robust_exercises,
    robust_fragile,
    robust_missing,
    robust_worlds,
)
from helpers.pages.cox_page import answers, with_adjustment
from helpers.paper import pinned
from helpers.paper.pinned import member
from helpers.plots import robust
from helpers.plots.specification import figure_specifications
from helpers.plots.style import is_stamped
from helpers.regression import cox_table
from helpers.simulate.cohort import from_infusion
from helpers.view import View, default_view
from helpers.workshop.cli import main

PAPER, GERMAN, SEED = load_cohort(), german(), 20240625


def asked(cohort):
    return answers(cohort, with_adjustment(cohort, default_view(cohort, "", horizon=365)))


OURS, THEIRS = asked(PAPER), asked(GERMAN)
MANY, WAYS, MADE = robust_worlds.many_analyses(SEED)
FRAME = robust_worlds.made(SEED)[1]


# ---- fragile -------------------------------------------------------------------------------------


def test_counts_are_the_printed_ones_and_one_unread_scan_decides():
    found = robust_fragile.counts(PAPER)
    assert found == {"x1": 15, "n1": 54, "unknown1": 0, "x0": 3, "n0": 38, "unknown0": 1}
    table = robust_fragile.counts_text(PAPER)
    assert table["Fisher's P"].tolist() == ["0.031", "0.066", "0.018"]
    assert table["case"].iloc[1] == "worst for CD20 CAR-T"
    assert "printed numbers" in robust_fragile.counts_source(PAPER)


def test_indices_are_those_of_the_view_and_a_log_rank_of_lifelines_agrees_with_where_they_stop():
    table = robust_fragile.indices(OURS)
    assert table["endpoint"].unique().tolist() == ["Overall survival", "Progression-free survival"]
    frame, keys = robust_fragile.people(OURS[0])
    path = survival_fragility(frame, **keys)
    moved = frame.reset_index(drop=True)
    arm = moved["_group"].astype(str).to_numpy(object)
    for step in path.iloc[1:].itertuples():
        arm[step.row] = keys["reference"]
        parts = [moved[arm == name] for name in OURS[0].groups]
        a, b = parts
        test = logrank_test(a["_time"], b["_time"], a["_event"], b["_event"]).p_value
        assert test == pytest.approx(step.p_value, rel=1e-9)
    assert robust_fragile.first_index(table) == path["moved"].iloc[-1] > 0


def test_a_finding_that_is_none_has_an_index_below_zero_and_is_told_as_its_size():
    table = robust_fragile.indices(THEIRS)
    assert table["index"].iloc[0] < 0 and table["p_value"].iloc[0] >= 0.05
    assert robust_fragile.first_index(table) == -table["index"].iloc[0]


def test_where_nothing_is_compared_the_reason_stands_in_the_table(tmp_path):
    small = make_cohort(tmp_path, {"os_time": [5, 6, 7, 8], "os_event": [0, 0, 0, 0]})
    table = robust_fragile.indices(asked(small))
    assert np.isnan(robust_fragile.first_index(table))
    assert "no patient had an event" in robust_fragile.indices_text(table)["note"].iloc[0]
    assert robust_fragile.left_out(asked(small)[0]).empty
    assert robust_fragile.chance(asked(small)[0], seed=1, shuffles=9, resamples=9).empty


def test_every_stored_cohort_is_asked_and_the_range_holds_the_cohort_of_the_page():
    table = robust_fragile.ensemble_indices()
    stored = sum(len(pinned.arrays(f"{name}.npz")["os_time"]) for name in ("members", "extremes"))
    assert len(table) == stored * 2 * 2
    # Where the patients without the event run out before P does, there is no index, and it is told.
    assert set(table.loc[table["index"].isna(), "rule"]) <= {"censored"}
    assert table["index"].isna().mean() < 0.01
    rows = member(3)
    frame = pd.DataFrame({"day": rows["pfs_time"], "event": rows["pfs_event"],
                          "arm": ["a"] * 54 + ["b"] * 39})  # fmt: skip
    alone = fragility_index(frame, time="day", event="event", group="arm", reference="b")
    mine = table[(table["cohort"] == 3) & (table["found"] == "from scratch")
                 & (table["endpoint"] == "pfs")]  # fmt: skip
    assert mine["index"].tolist() == alone["index"].tolist()
    assert mine["p_value"].iloc[0] == pytest.approx(0.0032, abs=5e-5), "as printed"
    told = robust_fragile.ensemble_text(table, PAPER)
    assert (told["lowest"] < told["highest"]).all()
    assert told["without an index"].sum() == table["index"].isna().sum()
    page = robust_fragile.indices(OURS)["index"].to_numpy()
    assert (told["lowest"].to_numpy() <= page).all() and (page <= told["highest"].to_numpy()).all()


def test_leaving_out_is_refitting_without_them():
    table = robust_fragile.left_out(OURS[0])
    assert table["left"].value_counts().to_dict() == {2: 4278, 1: 93, 0: 1}
    frame = PAPER.frame.assign(ecog=PAPER.frame["ecog"] >= 3, ipi=PAPER.frame["ipi"] >= 3)
    keys = {"time": "os_time", "event": "os_event", "covariates": ["arm", "ecog", "ipi"],
            "references": {"arm": "non-CAR-T"}}  # fmt: skip
    assert table["estimate"].iloc[0] == pytest.approx(cox_table(frame, **keys)["estimate"].iloc[0])
    for row, place in ((0, 1), (92, 93)):
        without = cox_table(frame.drop(index=row), **keys)["estimate"].iloc[0]
        assert table["estimate"].iloc[place] == pytest.approx(without, abs=1e-7)
    low = np.exp(table.loc[table["left"] == 2, "estimate"].min())
    assert f"without two patients, {low:.2f} to" in robust_fragile.read_left_out(table)


def test_too_many_pairs_are_said_and_not_refitted():
    table = robust_fragile.left_out(THEIRS[0])
    assert set(table["left"]) == {0, 1}
    assert "pairs would be too many" in robust_fragile.caption_left_out(table, THEIRS[0])


def test_formula_and_resampling_stand_side_by_side_and_are_seeded():
    table = robust_fragile.chance(OURS[1], seed=4, shuffles=400, resamples=200)
    again = robust_fragile.chance(OURS[1], seed=4, shuffles=400, resamples=200)
    other = robust_fragile.chance(OURS[1], seed=5, shuffles=400, resamples=200)
    assert table.equals(again) and not table.equals(other)
    assert table["found"].iloc[0] == "0.0032" and len(table) == 5


# ---- a made cohort -------------------------------------------------------------------------------


def one(**choices):
    """The row of MANY that a specification belongs to."""
    number = WAYS.index(Specification("os", **choices)) + 1
    return MANY[[number in same for same in MANY["same"]]].iloc[0]


BOTH = ("burden", "ecog")


def test_each_clock_is_the_estimator_of_the_page_on_time():
    keys = {"time": "os_time", "event": "os_event", "treated_on": "infusion_day",
            "covariates": list(BOTH)}  # fmt: skip
    pairs = [
        (one(adjust=BOTH), ever_treated_cox(FRAME, **keys)),
        (one(adjust=BOTH, time_zero=robust_worlds.BY_THEN),
         landmark_cox(FRAME, **keys, day=robust_worlds.LANDMARK)),
        (one(adjust=BOTH, estimator=robust_worlds.TURNING), time_dependent_cox(FRAME, **keys)),
    ]  # fmt: skip
    for row, alone in pairs:
        assert row["estimate"] == pytest.approx(alone["estimate"].iloc[0], abs=1e-7)
        assert row["n"] == alone["n"].iloc[0]
    start = from_infusion(FRAME)
    row = one(adjust=BOTH, time_zero=robust_worlds.AT_INFUSION)
    alone = cox_table(start, time="os_time", event="os_event", covariates=["infused", *BOTH])
    assert row["estimate"] == pytest.approx(alone["estimate"].iloc[0], abs=1e-7)
    weights = propensity_weights(start, group="infused", treated=1, covariates=list(BOTH))
    alone = weighted_cox(start, weights, time="os_time", event="os_event").iloc[0]
    row = one(adjust=BOTH, time_zero=robust_worlds.AT_INFUSION, estimator=robust_choices.WEIGHTED)
    assert (row["estimate"], row["std_error"]) == pytest.approx(
        (alone["estimate"], alone["std_error"]), abs=1e-7
    )


def test_a_treatment_that_turns_is_cut_with_the_follow_up():
    cut = FRAME.assign(os_event=FRAME["os_event"].where(FRAME["os_time"] <= 730, 0),
                       os_time=FRAME["os_time"].clip(upper=730))  # fmt: skip
    alone = time_dependent_cox(cut, time="os_time", event="os_event", treated_on="infusion_day")
    row = one(estimator=robust_worlds.TURNING, censor_at=730)
    assert row["estimate"] == pytest.approx(alone["estimate"].iloc[0], abs=1e-7)


def test_ways_fitted_to_the_same_numbers_count_once_and_no_way_is_lost():
    assert len(WAYS) == MANY["analyses"].sum() == 74 > len(MANY)
    assert sorted(k for same in MANY["same"] for k in same) == [*range(1, 75)]
    assert MANY["estimate"].notna().all() and set(MANY["ties"]) == {"efron"}


def test_only_the_analyses_without_either_mistake_hold_the_truth_whatever_the_seed():
    """Right: 95% of intervals, which share their patients. Wrong: never more than by luck."""
    right, wrong = [0, 0], [0, 0]
    for seed in (1, 2, 3):
        table = robust_worlds.many_analyses(seed)[0]
        found = robust_worlds.against_truth(table)
        naive = found[found["clock"].str.startswith("failure")]
        for count, part in (
            (right, robust_exercises.holding(table)),
            (wrong, (naive["holding"].sum(), naive["analyses"].sum())),
        ):
            count[0] += part[0]
            count[1] += part[1]
    assert right[0] / right[1] > 0.8 and wrong[0] / wrong[1] < 0.2


def test_the_words_on_the_truth_count_what_the_table_has():
    text, n = robust_worlds.read_truth(MANY), len(MANY)
    inside = int(robust_worlds.holds(MANY).sum())
    assert f"of the {n} analyses" in text and f"intervals of {inside} hold it" in text
    found = robust_worlds.against_truth(MANY)
    assert found["analyses"].sum() == n and found["holding"].sum() == inside


def test_the_truth_is_drawn_across_the_curve_and_the_made_patients_are_marked():
    figure = robust.with_truth(figure_specifications(MANY, of=MADE), 0.7)
    line = [x for x in figure.axes[0].get_lines() if x.get_linestyle() == "--"]
    assert [float(x.get_ydata()[0]) for x in line] == [0.7]
    assert is_stamped(figure) and "simulated" in MADE.source() and MADE.mark


# ---- on cohorts ----------------------------------------------------------------------------------


def test_what_is_offered_makes_sense_and_ends_with_the_other_scale():
    ways = robust_choices.offered(GERMAN, View(endpoint="os", adjust=("age", "nodes", "size")))
    assert len({way.text() for way in ways}) == len(ways) == 128 + 56 + 4
    for way in ways:
        assert way.adjust or way.estimator != robust_choices.WEIGHTED
        assert way.estimator != robust_choices.MEANS or not way.adjust
    tail = robust_choices.on_one_scale(ways)
    assert ways[: len(tail)] == tail, "so that numbers in `same` still fit"


def test_the_weighted_plug_is_the_weighted_model_and_is_withheld_with_nothing_to_weigh_by():
    way = Specification("os", ("age", "size"), estimator=robust_choices.WEIGHTED)
    row = multiverse(GERMAN, [way], estimators=robust_choices.ESTIMATORS).iloc[0]
    weights = propensity_weights(GERMAN.frame, group="arm", treated="hormone therapy",
                                 covariates=["age", "size"])  # fmt: skip
    alone = weighted_cox(GERMAN.frame, weights, time="os_time", event="os_event").iloc[0]
    assert row["estimate"] == pytest.approx(alone["estimate"], abs=1e-9)
    assert row["p_value"] == pytest.approx(alone["p_value"], abs=1e-9)
    with pytest.raises(NotEstimable, match="no covariate to weight by"):
        robust_choices.ESTIMATORS[robust_choices.WEIGHTED](GERMAN.frame, "none", [])
    # Separated groups have no overlap: withheld with the reason, not an error.
    split = replace(GERMAN, frame=GERMAN.frame.assign(
        age=np.where(GERMAN.frame["arm"] == "none", 40.0, 70.0)
    ))  # fmt: skip
    way = Specification("os", ("age",), estimator=robust_choices.WEIGHTED)
    row = multiverse(split, [way], estimators=robust_choices.ESTIMATORS).iloc[0]
    assert np.isnan(row["estimate"]) and row["note"].startswith("Withheld: ")


def test_the_synthetic_cohort_is_a_demonstration_and_a_readers_is_not():
    table, ways = robust_choices.many_analyses(PAPER)
    assert "cannot vote" in robust_choices.read_demonstration(table, PAPER)
    low = np.exp(spread(table)["lowest"].iloc[0])
    assert f"from {low:.2f} to" in robust_choices.read_demonstration(table, PAPER)
    assert robust_choices.read_demonstration(table, GERMAN) == ""
    moved = choices_that_move(table, robust_choices.on_one_scale(ways))
    assert set(moved.loc[moved["choice"] == "estimator", "levels"]) == {2}


def test_the_verb_writes_tables_and_figure_under_build(capsys):
    parts = ["multiverse", "--cohort", EXAMPLE[0], "--map", EXAMPLE[1]]
    log = ROOT / "build" / GERMAN.slug / "multiverse" / "answers.jsonl"
    log.unlink(missing_ok=True)
    assert main([*parts, "--jobs", "1"]) == 0
    told = capsys.readouterr().out
    folder = re.search(r"written to (\S+)\.\n", told)[1]
    assert folder == "build/german_breast_cancer_study/multiverse"
    kept = pd.read_csv(ROOT / folder / "analyses.csv")
    alone, _ = robust_choices.many_analyses(GERMAN)
    assert kept["text"].tolist() == alone["text"].tolist()
    assert np.allclose(kept["estimate"], alone["estimate"], rtol=1e-12)
    assert (ROOT / folder / "specification_curve.png").stat().st_size > 10_000
    assert set(kept["data_status"]) == {f"{GERMAN.source()} {GERMAN.caution}"}
    assert "their agreement is no replication" in told


# ---- missing -------------------------------------------------------------------------------------


def test_gaps_that_go_with_arm_and_course_turn_complete_cases_round_and_not_imputation():
    """By lot both are fair: on average over six sets of gaps the ratio is that without gaps."""
    errors = {}
    for seed in range(6):
        table = robust_missing.made_gaps(GERMAN, seed=seed, imputations=5)
        arm = table[table["column"] == "arm"].set_index(["gaps", "analysis"])["estimate"]
        for key, value in (arm - arm["nothing missing", "everybody"]).items():
            errors.setdefault(key, []).append(value)
    mean = {key: np.mean(values) for key, values in errors.items()}
    course, lot = robust_missing.BY_COURSE, robust_missing.AT_RANDOM
    assert mean[course, "complete cases"] > np.log(1.5)
    assert abs(mean[course, "multiple imputation"]) < 0.05
    assert abs(mean[lot, "complete cases"]) < 0.15 and abs(mean[lot, "multiple imputation"]) < 0.05


def test_the_sentence_on_gaps_has_the_factor_of_the_table():
    table = robust_missing.made_gaps(GERMAN, seed=SEED, imputations=5)
    arm = table[table["column"] == "arm"].set_index(["gaps", "analysis"])["estimate"]
    away = arm[robust_missing.BY_COURSE, "complete cases"] - arm["nothing missing", "everybody"]
    said = robust_missing.read_made_gaps(table)
    assert f"complete cases: off by a factor of {np.exp(away):.2f}" in said
    assert robust_missing.complete_ratio(table) == pytest.approx(
        np.exp(arm[robust_missing.BY_COURSE, "complete cases"])
    )


def test_a_readers_own_gaps_are_counted_and_imputed_and_none_is_said():
    told = robust_missing.own_text(OURS[0], seed=1, imputations=3)
    assert told["note"].tolist() == ["Every covariate is known: nothing is imputed."]
    frame = PAPER.frame.copy()
    frame.loc[frame.index[::5], "ecog"] = np.nan
    holey = asked(replace(PAPER, frame=frame))[0]
    gaps = robust_missing.own_gaps(holey)
    assert gaps["missing"].tolist() == [19, 0, 19], "the last row is any of them"
    told = robust_missing.own_text(holey, seed=1, imputations=3)
    assert told["analysis"].tolist() == ["complete cases", "multiple imputation"]
    assert told["n"].tolist() == [74, 93]
    bare = asked(replace(PAPER, is_paper=False))[0]
    told = robust_missing.own_text(bare, seed=1, imputations=3)
    assert "No covariates are named" in told["note"].iloc[0]


def test_a_named_column_with_gaps_is_counted_and_imputed(tmp_path):
    rng = np.random.default_rng(3)
    n = 80
    columns = {"os_time": rng.integers(5, 900, n).tolist(), "os_event": [1, 0, 1, 1] * 20,
               "age": ["" if k % 7 == 0 else int(a) for k, a in enumerate(rng.integers(30, 80, n))]
               }  # fmt: skip
    cohort = make_cohort(tmp_path, columns)
    answer = answers(cohort, View(endpoint="os", horizon=365, adjust=("age",)))[0]
    told = robust_missing.own_text(answer, seed=1, imputations=3)
    assert told["n"].tolist() == [68, 80]
    assert robust_missing.own_gaps(answer)["missing"].tolist() == [12, 12]


def test_an_infinite_ratio_without_two_patients_is_counted_and_not_drawn_into_the_range():
    """Six patients: some pairs leave a group without an event."""
    table = pd.DataFrame({"left": [0, 1, 1, 2, 2, 2],
                          "estimate": [0.1, -0.3, 0.4, -np.inf, np.inf, 0.5],
                          "conf_low": -1.0, "conf_high": 1.2})  # fmt: skip
    said = robust_fragile.read_left_out(table)
    assert "without two patients, 1.65 to 1.65" in said and "lies 18% of the" in said
    assert "Without two patients, 2 of 3 refits have no finite ratio" in said
    assert "inf" not in said.replace("finite", "")


# ---- exercises and the table ---------------------------------------------------------------------


@pytest.mark.parametrize("seed", [SEED, 8, 9])
def test_right_answers_by_another_road_are_those_of_the_solutions(seed):
    wrong = robust_exercises.simulate_immortal(seed)
    keys = {"time": "day", "event": "event", "group": "arm", "reference": "other treatment"}
    path = survival_fragility(wrong, **keys)
    assert robust_exercises.index_and_answer(wrong) == (path["moved"].iloc[-1], "chance")
    assert path["moved"].iloc[-1] >= 20, "robust, and wrong"
    many = robust_worlds.many_analyses(seed)[0]
    turning = many["estimator"] == robust_worlds.TURNING
    fair = many[(many["adjust"] == "burden + ecog") & ((many["time_zero"] != NONE) | turning)]
    assert robust_exercises.holding(many) == (robust_worlds.holds(fair).sum(), len(fair))
    assert set(fair["estimator"]) == {PLAIN, robust_choices.WEIGHTED, robust_worlds.TURNING}


def test_the_words_on_the_estimators_are_those_of_the_table():
    table = robust_calibration.load_calibration()
    said = robust_calibration.read_bias(table)
    assert "under hidden confounding and informative drop-out all estimators" in said
    wrong = robust_calibration.off(table)
    count = (wrong["estimator"] == "ever treated").sum()
    assert f'"ever treated" in {count} of 10 scenarios' in said
    shown = robust_calibration.coverage_text(table).set_index("scenario")
    assert shown.loc["delayed effect", "from infusion, adjusted"] == "–"
    withheld = table.groupby("estimator")["withheld"].max()
    most = withheld["from infusion, weighted"]
    assert most > 0 and withheld.drop("from infusion, weighted").eq(0).all()
    said = robust_calibration.read_withheld(table)
    assert f'"from infusion, weighted" in up to {most} of 1,000 cohorts' in said
    assert "Every estimator" in robust_calibration.read_withheld(table.assign(withheld=0))
    errors = robust_calibration.errors_text(table)
    assert len(errors) == 7 and "true effect" not in set(errors["scenario"])
    figure = robust.figure_bias(table, status=robust_calibration.STATUS)
    figure.canvas.draw()
    assert is_stamped(figure)
    label = figure.axes[0].xaxis.label.get_window_extent()
    assert label.x0 >= 0 and label.x1 <= figure.bbox.width


def test_a_view_names_the_covariates_that_are_offered():
    ways = robust_choices.offered(GERMAN, View(endpoint="os", adjust=("nodes",)))
    assert {way.adjust for way in ways} == {(), ("nodes",)}
