"""Treatment that begins later: our numbers are R's, and immortal time is seen for what it is."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.estimators.rowwise import cox_rows
from helpers.estimators.treatment_curves import mantel_byar_test, simon_makuch_curves
from helpers.estimators.treatment_time import (
    ever_treated_cox,
    landmark_cox,
    time_dependent_cox,
    treatment_intervals,
)
from helpers.fit.likelihood import NotEstimable
from helpers.simulate.cohort import simulate_cohort
from helpers.simulate.dials import Dials
from helpers.survival import km_curve

FIXTURES = Path(__file__).parent / "fixtures"
R = json.loads((FIXTURES / "treatment" / "jasa.json").read_text())
JASA = pd.read_csv(FIXTURES / "data" / "jasa.csv").rename(
    columns={"futime": "time", "fustat": "event"}
)
MONTHS = JASA.assign(time=JASA["time"] // 30, wait=JASA["wait"] // 30)
CASES = {"days": JASA, "months": MONTHS}
COLUMNS = {"time": "time", "event": "event", "treated_on": "wait"}
BASELINE = ["age", "surgery"]


def close(ours, r, tolerance=1e-6):
    ours, r = (np.asarray(x, dtype=float) for x in (ours, r))
    np.testing.assert_allclose(ours, r, rtol=tolerance, atol=1e-12)


def same_model(table, r):
    for column in ("estimate", "std_error", "conf_low", "conf_high"):
        close(table[column], r[column])


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param], R[request.param]


# Against R


@pytest.mark.parametrize(
    ("name", "options"),
    [("efron", {}), ("breslow", {"ties": "breslow"}), ("adjusted", {"covariates": BASELINE}),
     ("adjusted_breslow", {"covariates": BASELINE, "ties": "breslow"}),
     ("robust", {"covariates": BASELINE, "robust": True}),
     ("robust_breslow", {"covariates": BASELINE, "robust": True, "ties": "breslow"})],
)  # fmt: skip
def test_time_dependent_models_equal_r(case, name, options):
    frame, r = case
    table = time_dependent_cox(frame, **COLUMNS, **options)
    same_model(table, r[name])
    assert (table["n"] == len(frame)).all() and (table["n_event"] == frame["event"].sum()).all()


@pytest.mark.parametrize("engine", ["lifelines", "fast"])
def test_ever_treated_and_landmark_models_equal_r(case, engine):
    frame, r = case
    same_model(ever_treated_cox(frame, **COLUMNS, engine=engine), r["ever"])
    adjusted = ever_treated_cox(frame, **COLUMNS, covariates=BASELINE, engine=engine)
    same_model(adjusted, r["ever_adjusted"])
    late = landmark_cox(frame, **COLUMNS, day=r["landmark"], engine=engine)
    same_model(late, r["landmark_model"])
    assert late["n"].iloc[0] == r["n_late"] == len(frame) - late["n_before"].iloc[0]


def test_curves_with_late_entry_equal_r(case):
    frame, r = case
    for day, name in ((0.0, "curves"), (r["landmark"], "curves_after")):
        curves = simon_makuch_curves(frame, **COLUMNS, day=day)
        for group in ("no", "yes"):
            part = curves[curves["group"] == group]
            for column, values in r[name][group].items():
                close(part[column], values)


def test_the_mantel_byar_test_is_the_score_test_of_r(case):
    frame, r = case
    ours = mantel_byar_test(frame, **COLUMNS).iloc[0]
    for column in ("statistic", "p_value"):
        close(ours[column], r["mantel_byar"][column])
    close(r["mantel_byar"]["by_hand"], r["mantel_byar"]["statistic"])


def test_the_heart_data_give_0_27_for_ever_and_1_14_for_time_dependent():
    """R's heart counts days from 1, which moves a transplant on day 0 after a death on day 0."""
    ever = ever_treated_cox(JASA, **COLUMNS)["estimate"].iloc[0]
    heart = JASA.assign(time=JASA["time"] + 1, wait=JASA["wait"] + 1)
    later = time_dependent_cox(heart, **COLUMNS)
    assert [round(float(np.exp(v)), 2) for v in (ever, later["estimate"].iloc[0])] == [0.27, 1.14]
    same_model(later, R["heart"])


def test_lifelines_fits_the_same_time_dependent_model():
    from lifelines import CoxTimeVaryingFitter
    from lifelines.datasets import load_stanford_heart_transplants

    rows = load_stanford_heart_transplants()
    columns = ["id", "start", "stop", "event", "transplant", "age"]
    fit = CoxTimeVaryingFitter().fit(
        rows[columns], id_col="id", event_col="event", fit_options={"precision": 1e-12}
    )
    ours = cox_rows(
        rows, time="stop", event="event", entry="start", covariates=["transplant", "age"],
        cluster="id",
    )  # fmt: skip
    close(ours["estimate"], fit.params_)
    close(ours["std_error"], fit.standard_errors_)


def test_lifelines_draws_the_same_curves_with_late_entry():
    from lifelines import KaplanMeierFitter

    cohort = simulate_cohort(Dials(patients=200, wait_mean=40), 5)
    keys = {"time": "os_time", "event": "os_event", "treated_on": "infusion_day"}
    rows, curves = treatment_intervals(cohort, **keys), simon_makuch_curves(cohort, **keys)
    for group in ("no", "yes"):
        part, mine = rows[rows["treated"] == group], curves[curves["group"] == group]
        fit = KaplanMeierFitter().fit(part["stop"], part["event"], entry=part["start"])
        close(mine["estimate"], fit.predict(mine["time"]))


def slow_likelihood(rows, beta):
    """Efron's log partial likelihood of one 0/1 covariate, death by death, no sum kept."""
    x, value = (rows["treated"] == "yes").to_numpy(float), 0.0
    start = np.where(rows["start"] > 0, rows["start"], -1)
    for time in rows.loc[rows["event"] == 1, "stop"].unique():
        there = (start < time) & (rows["stop"] >= time).to_numpy()
        dead = ((rows["stop"] == time) & (rows["event"] == 1)).to_numpy()
        risk = np.exp(beta * x)
        for k in range(dead.sum()):
            value -= np.log(risk[there].sum() - k / dead.sum() * risk[dead].sum())
        value += beta * x[dead].sum()
    return value


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_small_cohorts_give_a_true_maximum_or_none():
    """Everybody who is at risk may have come late: then sums of others must leave no rounding."""
    rng, found, refused = np.random.default_rng(0), 0, 0
    for _ in range(150):
        n = rng.integers(2, 25)
        wait = np.where(rng.random(n) < 0.6, rng.integers(-1, 14, n), np.nan)
        frame = pd.DataFrame({"time": rng.integers(0, 12, n), "event": rng.integers(0, 2, n),
                              "wait": wait})  # fmt: skip
        try:
            beta = time_dependent_cox(frame, **COLUMNS)["estimate"].iloc[0]
        except NotEstimable:
            refused += 1
            continue
        if np.isnan(beta):  # nobody died treated: the ratio is 0
            continue
        rows, found = treatment_intervals(frame, **COLUMNS), found + 1
        best, *others = (slow_likelihood(rows, beta + step) for step in (0, -1e-3, 1e-3, -9, 9))
        assert best > max(others[:2]) and best > max(others[2:]) + 0.1
        assert abs(others[0] - others[1]) < 1e-6
    assert found > 60 and refused > 20


# What must hold whatever the data


def test_intervals_lose_no_day_no_event_and_no_patient(case):
    frame, r = case
    rows = treatment_intervals(frame, **COLUMNS, keep=["age"])
    assert len(rows) == r["n_rows"]
    whole = (rows["stop"] - rows["start"]).groupby(rows["row"]).sum()
    close(whole, frame["time"])
    close(rows.groupby("row")["event"].sum(), frame["event"])
    close(rows["age"], frame["age"].to_numpy()[rows["row"]])
    assert (rows.groupby("row")["treated"].nunique() == rows.groupby("row").size()).all()


def test_numbers_at_risk_add_up(case):
    curves = simon_makuch_curves(case[0], **COLUMNS)
    for _, part in curves.groupby("group"):
        left = (part["n_event"] + part["n_censor"] + part["n_switch"]).cumsum().shift(fill_value=0)
        assert (part["n_risk"] == part["n_enter"].cumsum() - left).all()
    assert curves["n_event"].sum() == case[0]["event"].sum()
    assert curves["n_event"].sum() + curves["n_censor"].sum() == len(case[0])
    moved = curves.loc[curves["group"] == "no", "n_switch"].sum()
    assert moved <= (case[0]["wait"] <= case[0]["time"]).sum()


def test_without_anybody_treated_the_curve_is_kaplan_meier():
    frame = JASA.assign(wait=np.nan)
    ours = simon_makuch_curves(frame, **COLUMNS)
    plain = km_curve(frame, time="time", event="event")
    for column in ("time", "n_risk", "n_event", "n_censor", "estimate", "std_error", "conf_low"):
        close(ours[column], plain[column])
    assert set(ours["group"]) == {"no"}
    for model in (ever_treated_cox, time_dependent_cox):
        with pytest.raises(NotEstimable, match="treated: the same for every patient"):
            model(frame, **COLUMNS)
    with pytest.raises(ValueError, match="both treated and untreated"):
        mantel_byar_test(frame, **COLUMNS)


def test_everybody_treated_on_day_0_leaves_nothing_to_compare():
    frame = JASA.assign(wait=0)
    assert (treatment_intervals(frame, **COLUMNS)["treated"] == "yes").all()
    assert set(simon_makuch_curves(frame, **COLUMNS)["group"]) == {"yes"}
    with pytest.raises(NotEstimable, match="treated: the same for every patient"):
        time_dependent_cox(frame, **COLUMNS)


def test_treatment_known_on_day_0_makes_the_three_models_one():
    frame = JASA.assign(wait=np.where(JASA["age"] > 45, 0.0, np.nan))
    rows = [
        model(frame, **COLUMNS)[["estimate", "std_error"]].iloc[0]
        for model in (ever_treated_cox, time_dependent_cox)
    ]
    close(rows[1], rows[0])
    landmark = landmark_cox(frame[frame["time"] > 0], **COLUMNS, day=0)
    close(landmark["estimate"], time_dependent_cox(
        frame[frame["time"] > 0], **COLUMNS)["estimate"])  # fmt: skip


def test_an_arm_without_events_has_no_ratio_and_does_not_pretend():
    frame = pd.DataFrame({"time": [3, 5, 6, 9, 9], "event": [1, 1, 1, 0, 0],
                          "wait": [np.nan, np.nan, np.nan, 1, 2]})  # fmt: skip
    assert time_dependent_cox(frame, **COLUMNS)["estimate"].isna().all()
    assert ever_treated_cox(frame, **COLUMNS)["estimate"].isna().all()
    swapped = frame.assign(event=[0, 0, 0, 1, 1])
    with pytest.raises(NotEstimable, match="the reference"):
        time_dependent_cox(swapped, **COLUMNS)


def test_one_patient_and_no_event_are_refused():
    one = pd.DataFrame({"time": [9], "event": [1], "wait": [4]})
    assert len(treatment_intervals(one, **COLUMNS)) == 2
    assert simon_makuch_curves(one, **COLUMNS)["estimate"].tolist() == [1.0, 0.0]
    with pytest.raises(NotEstimable, match="one patient"):
        time_dependent_cox(one, **COLUMNS)
    with pytest.raises(NotEstimable, match="no patient had an event"):
        time_dependent_cox(JASA.assign(event=0), **COLUMNS)
    with pytest.raises(NotEstimable, match="nobody is event-free"):
        landmark_cox(JASA, **COLUMNS, day=1e6)


def test_a_patient_treated_on_the_last_day_dies_treated():
    frame = pd.DataFrame({"time": [4, 0.3, 0], "event": 1, "wait": [4, 0.3, 0]})
    rows = treatment_intervals(frame, **COLUMNS)
    assert rows.loc[rows["event"] == 1, "treated"].tolist() == ["yes"] * 3
    assert rows[["start", "stop"]].to_numpy().tolist() == [[0, 3.5], [3.5, 4], [0, 0.3], [0, 0]]


def test_treatment_after_the_end_of_observation_is_no_treatment():
    late = JASA.assign(wait=JASA["wait"].where(JASA["wait"] <= JASA["time"], JASA["time"] + 9))
    same_model(time_dependent_cox(late, **COLUMNS), R["days"]["efron"])
    same_model(ever_treated_cox(late, **COLUMNS), R["days"]["ever"])
    with pytest.raises(ValueError, match=r"time: found -1 days\. To do"):
        treatment_intervals(JASA.assign(time=-1), **COLUMNS)


def test_a_covariate_that_would_be_lost_is_refused():
    frame = JASA.assign(treated=JASA["age"], stop=JASA["age"])
    for model in (ever_treated_cox, time_dependent_cox):
        with pytest.raises(ValueError, match="treated: found a covariate of a name used here"):
            model(frame, **COLUMNS, covariates=["treated"])
    with pytest.raises(ValueError, match="stop: found a covariate"):
        time_dependent_cox(frame, **COLUMNS, covariates=["age", "stop"])
    with pytest.raises(ValueError, match="treated: found a covariate"):
        landmark_cox(frame, **COLUMNS, day=30, covariates=["treated"])


def test_rows_of_no_length_and_weights_of_nothing_are_refused():
    rows = treatment_intervals(JASA, **COLUMNS).assign(weight=1.0)
    keys = {"time": "stop", "event": "event", "covariates": ["treated"]}
    with pytest.raises(ValueError, match="start: found an entry on or after"):
        cox_rows(rows.assign(start=rows["stop"] + 1), entry="start", **keys)
    with pytest.raises(ValueError, match="weight: found a weight that is not above 0"):
        cox_rows(rows.assign(weight=0.0), weight="weight", **keys)
    with pytest.raises(ValueError, match="ties: found 'exact'"):
        cox_rows(rows, entry="start", ties="exact", **keys)
