"""Cox and logistic models: ties, intervals, influence, penalties, held to R and to each other."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from helpers.cohort import ROOT
from helpers.estimators.adjusted import adjusted_curves
from helpers.estimators.logistic import logistic_table
from helpers.fit.likelihood import partial_likelihood
from helpers.fit.maximum import newton
from helpers.regression import (
    TERM_COLUMNS,
    NotEstimable,
    cox_table,
    design,
    events_per_variable,
    firth_cox_table,
    influence_table,
)

FIXTURES = Path(__file__).parent / "fixtures" / "models"
EVERY = sorted(path.stem for path in FIXTURES.glob("*.json") if path.stem != "screen")
SEPARATED = ["no_event_arm", "one_event"]
CASES = [name for name in EVERY if name not in SEPARATED]
NUMBERS = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
GROUP = "_group"


def close(ours, r, tolerance=1e-6, atol=1e-12):
    ours, r = (np.asarray(x, dtype=float) for x in (ours, r))
    np.testing.assert_allclose(ours, r, rtol=tolerance, atol=atol)


class Case:
    """One fixture: R's answers, the frame they were made from, and how to ask us the same."""

    def __init__(self, name):
        self.r = json.loads((FIXTURES / f"{name}.json").read_text())
        about = self.r["data"]
        frame = pd.read_csv(ROOT / about["file"])
        if about["where"]:
            frame = frame[frame[about["where"]["column"]] == about["where"]["value"]]
        if about["cut"]:
            high = frame[about["cut"]["column"]] >= about["cut"]["at"]
            frame = frame.assign(**{about["group"]: np.where(high, "yes", "no")})
        for column in about["categorical"]:
            frame[column] = frame[column].astype(str)
        own = frame[about["group"]].astype(str)
        frame = frame.assign(**{GROUP: pd.Categorical(own, about["groups"])})
        outcome = frame["response"].isin(["CR", "PR"]) if about["responder"] else None
        self.frame = frame.assign(
            outcome=frame[about["event"]] if outcome is None else outcome.astype(int)
        )
        self.columns = [GROUP, *about["adjust"]]
        self.keys = {"time": about["time"], "event": about["event"]}
        self.cluster = about["cluster"]

    def cox(self, **options):
        return cox_table(self.frame, **self.keys, **{"covariates": self.columns} | options)

    def complete(self):
        return self.frame.dropna(subset=[*self.keys.values(), *self.columns])


def same(table, r, columns=NUMBERS, **tolerance):
    terms = table["term"].str.removeprefix(f"{GROUP}: ")
    assert list(terms) == list(r)
    for column in columns:
        close(table[column], [row[column] for row in r.values()], **tolerance)


@pytest.fixture(params=CASES)
def case(request):
    return Case(request.param)


def test_there_is_a_fixture_for_every_edge():
    assert {"synthetic_os", "synthetic_pfs", "synthetic_os_ecog", "synthetic_pfs_ecog"} <= set(
        CASES
    )
    assert {"german_os", "german_rfs", "lung", "veteran", "heavy_ties", "plateau"} <= set(CASES)
    assert set(SEPARATED) < set(EVERY)


# -- ties -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ties", ["efron", "breslow", "exact"])
def test_every_rule_for_ties_gives_the_hazard_ratios_of_r(case, ties):
    table = case.cox(ties=ties)
    same(table, case.r["cox"][ties])
    assert set(table["method"]) == {f"Cox, {ties} ties"}


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_both_engines_agree_on_every_rule_for_ties(case, ties):
    for options in ({}, {"intervals": "profile"}, {"robust": True}, {"cluster": case.cluster}):
        slow, fast = (
            case.cox(ties=ties, engine=engine, **options) for engine in ("lifelines", "fast")
        )
        close(fast[NUMBERS], slow[NUMBERS], tolerance=1e-8, atol=1e-10)
        assert list(fast["method"]) == list(slow["method"])


def test_greenwood_gives_the_same_hazard_ratios_and_robust_errors():
    from greenwood import CoxPH, Surv

    for name in ("lung", "heavy_ties", "synthetic_os"):
        case = Case(name)
        data = case.complete()
        x = pd.DataFrame({c: data[c] for c in case.columns[1:]})
        x.insert(0, "group", (data[GROUP] == data[GROUP].cat.categories[1]).astype(float))
        time, event = (data[c] for c in case.keys.values())
        surv = Surv(time.to_numpy(float), event=event.to_numpy(bool))
        for ties in ("efron", "breslow"):
            theirs = CoxPH(ties=ties).fit(surv, x, robust=True).to_frame(format="pandas")
            ours = case.cox(ties=ties, robust=True)
            close(ours["estimate"], theirs["estimate"])
            # With Efron's ties greenwood's sandwich is not R's; ours is (test below).
            if ties == "breslow":
                close(ours["std_error"], theirs["std_error"])


def test_the_exact_rule_is_conditional_logistic_regression_of_each_risk_set():
    from statsmodels.discrete.conditional_models import ConditionalLogit

    case = Case("heavy_ties")
    data = case.complete()
    time, event = (data[c].to_numpy() for c in case.keys.values())
    x = np.column_stack([(data[GROUP] == "b").to_numpy(float), data["age"].to_numpy(float)])
    sets = [(t, time >= t) for t in np.unique(time[event == 1])]
    y = np.concatenate([(event * (time == t))[at] for t, at in sets])
    stacked = np.concatenate([x[at] for _, at in sets])
    groups = np.repeat(np.arange(len(sets)), [at.sum() for _, at in sets])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the last set has events alone, and is dropped
        fit = ConditionalLogit(y, stacked, groups=groups).fit(method="newton", disp=False)
    ours = case.cox(ties="exact")
    close(ours["estimate"], fit.params, tolerance=1e-5)
    close(ours["std_error"], fit.bse, tolerance=1e-4)


def test_the_exact_rule_is_refused_where_it_would_take_forever_and_by_the_fast_engine():
    n = 3000
    frame = pd.DataFrame({"day": 1, "event": np.arange(n) % 2, "x": np.arange(n) % 7})
    with pytest.raises(NotEstimable, match=r"found 1500 events at one time .* use efron"):
        cox_table(frame, time="day", event="event", covariates=["x"], ties="exact")
    with pytest.raises(ValueError, match=r"exact with the fast engine. To do: use engine"):
        Case("plateau").cox(ties="exact", engine="fast")


@pytest.mark.parametrize(
    "options, said",
    [
        ({"ties": "peto"}, "ties: found 'peto'. To do: use efron or breslow or exact"),
        ({"intervals": "exact"}, "intervals: found 'exact'. To do: use wald or profile"),
        ({"robust": True, "intervals": "profile"}, "robust: found with exact ties or profile"),
        ({"robust": True, "ties": "exact"}, "robust: found with exact ties or profile"),
        ({"cluster": "outcome", "intervals": "profile"}, "robust: found with"),
    ],
)
def test_options_that_no_method_joins_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        Case("plateau").cox(**options)


# -- intervals ------------------------------------------------------------------------------


@pytest.mark.parametrize("ties", ["efron", "breslow", "exact"])
def test_profile_limits_and_likelihood_ratio_p_equal_r(case, ties):
    table = case.cox(ties=ties, intervals="profile")
    same(table, case.r["profile"][ties])
    assert set(table["method"]) == {
        f"Cox, {ties} ties, profile-likelihood intervals and likelihood-ratio P"
    }


def test_profile_limits_of_a_single_term_equal_r(case):
    case.frame = case.complete()
    same(case.cox(covariates=[GROUP], intervals="profile"), case.r["profile_alone"])


def test_at_a_profile_limit_the_p_value_would_be_five_percent(case):
    table = case.cox(covariates=[GROUP], intervals="profile").iloc[0]
    data = case.complete() if len(case.columns) == 1 else case.frame
    x = (data[GROUP] == data[GROUP].cat.categories[1]).to_numpy(float)[:, None]
    arrays = x, *(data[c].to_numpy(float) for c in case.keys.values())
    arrays = arrays[0], arrays[1], arrays[2] == 1
    best = partial_likelihood(*arrays, np.array([table["estimate"]]))[0]
    for limit in ("conf_low", "conf_high"):
        there = partial_likelihood(*arrays, np.array([table[limit]]))[0]
        close(2 * (best - there), 3.841458820694124)


def test_breslows_profile_limits_are_those_of_firthmodels_without_its_penalty(case):
    from firthmodels import FirthCoxPH

    data = case.complete()
    x, _ = design(data, case.columns)
    scale = x.std().to_numpy()
    time, event = (data[c].to_numpy(float) for c in case.keys.values())
    fit = FirthCoxPH("numpy", max_iter=500, gtol=1e-8, xtol=1e-6, penalty_weight=0)
    fit.fit((x - x.mean()).to_numpy() / scale, (event == 1, time))
    limits = fit.conf_int(method="pl", tol=1e-9, max_iter=500) / scale[:, None]
    ours = case.cox(ties="breslow", intervals="profile")
    close(ours[["conf_low", "conf_high"]], limits)
    close(ours["p_value"], fit.lrt().lrt_pvalues_)


def test_the_rest_of_a_model_has_its_profile_beside_an_infinite_ratio():
    case = Case("no_event_arm")
    both = case.cox(intervals="profile")
    alone = case.frame[case.frame[GROUP] == "a"]
    x = cox_table(alone, **case.keys, covariates=["x"], intervals="profile")
    assert both.loc[0, NUMBERS].isna().all()
    close(both.loc[1, NUMBERS].astype(float), x.loc[0, NUMBERS].astype(float))


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("kind", ["robust", "cluster"])
def test_robust_errors_equal_r(case, ties, kind):
    cluster = case.cluster if kind == "cluster" else None
    table = case.cox(ties=ties, robust=True, cluster=cluster)
    same(table, case.r[kind][ties])
    said = f"errors robust within {cluster}" if cluster else "robust errors"
    assert set(table["method"]) == {f"Cox, {ties} ties, {said}"}


def test_a_cluster_of_everybody_is_refused():
    case = Case("lung")
    case.frame["one"] = 1
    with pytest.raises(NotEstimable, match="one: the same for every patient"):
        case.cox(cluster="one")


# -- influence ------------------------------------------------------------------------------


def test_leaving_each_patient_out_equals_refitting_in_r(case):
    table, r = (
        influence_table(case.frame, **case.keys, covariates=case.columns),
        case.r["influence"],
    )
    inside = table["note"] == ""
    assert inside.sum() == len(r["estimate"]) == len(case.complete())
    assert list(table["row"]) == list(range(len(case.frame)))
    close(table.loc[inside, "estimate"], r["estimate"])
    close(table.loc[inside, "dfbeta"], r["dfbeta"], tolerance=1e-6, atol=1e-9)
    close(table.loc[inside, "hazard_ratio"], np.exp(r["estimate"]))
    # R's residual is the first step of the refit: it ranks patients alike, but is too small.
    first = np.array(r["one_step"])
    assert np.corrcoef(table.loc[inside, "dfbeta"], first)[0, 1] > 0.95
    assert table.loc[inside, "dfbeta"].abs().max() > 0.95 * np.abs(first).max()


def test_influence_never_shows_an_id_and_says_who_is_not_in_the_model():
    case = Case("lung")
    table = influence_table(case.frame, **case.keys, covariates=case.columns)
    assert list(table) == [
        "row", "term", "estimate", "dfbeta", "hazard_ratio", "scale", "method", "note"
    ]  # fmt: skip
    lost = case.frame[case.columns].isna().any(axis=1).to_numpy()
    assert lost.sum() == 15
    assert (table.loc[lost, "note"] == "not in the model: a value is missing").all()
    assert table.loc[lost, ["estimate", "dfbeta", "hazard_ratio"]].isna().all(axis=None)


def test_the_patient_without_whom_there_is_no_ratio_is_named_by_row():
    """One event in the arm: without it the ratio is 0, and the table says so."""
    frame = pd.DataFrame(
        {"day": range(1, 11), "event": [1, 1, 0, 1, 1, 1, 1, 1, 0, 0], "arm": list("aabaaabaab")}
    )
    keys = {"time": "day", "event": "event", "covariates": ["arm"]}
    table = influence_table(frame, **keys)
    assert list(np.flatnonzero(table["estimate"].isna())) == [6]
    assert table.at[6, "note"] == "no event is left in that group"
    with pytest.raises(NotEstimable, match="arm: b vs a: not a term with a finite estimate"):
        influence_table(frame.drop(index=6), **keys)


def test_a_level_that_only_one_event_holds_does_not_hide_the_arm():
    """Without that event the level drops out of the model, and the arm still has its ratio."""
    rng = np.random.default_rng(3)
    n = 40
    frame = pd.DataFrame(
        {
            "day": rng.permutation(n) + 1, "event": rng.integers(0, 2, n),
            "arm": rng.choice(["a", "b"], n), "site": ["x"] * 20 + ["y"] * 16 + ["z"] * 4,
        }
    )  # fmt: skip
    frame.loc[36:, "event"] = [1, 0, 0, 0]
    keys = {"time": "day", "event": "event", "covariates": ["arm", "site"]}
    table = influence_table(frame, **keys)
    assert np.isfinite(table["estimate"]).all()
    for row in (0, 36, 39):
        alone = cox_table(frame.drop(index=row), **keys, references={"arm": "a", "site": "x"})
        close(table.at[row, "estimate"], alone["estimate"].iloc[0], tolerance=1e-8)


# -- adjusted curves ------------------------------------------------------------------------


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_adjusted_curves_are_the_mean_of_rs_predictions(case, ties):
    curves = adjusted_curves(
        case.frame, **case.keys, covariates=case.columns[1:], group=GROUP, ties=ties
    )
    for group, r in case.r["adjusted"][ties].items():
        own = curves[curves["group"] == group]
        close(own["time"], r["time"])
        close(own["estimate"], r["estimate"])


def test_adjusted_curves_count_the_groups_own_patients_at_risk():
    case = Case("synthetic_os")
    curves = adjusted_curves(case.frame, **case.keys, covariates=["age"], group=GROUP)
    row = curves[(curves["group"] == "CD20 CAR-T")].iloc[40]
    arm = case.frame[case.frame[GROUP] == "CD20 CAR-T"]
    assert row["n_risk"] == (arm["os_time"] >= row["time"]).sum()
    assert set(curves["method"]) == {"direct adjusted, Cox, efron ties"}


def test_adjusted_curves_of_equal_groups_are_one_curve():
    """Every patient once in each group: no difference is left to adjust for."""
    case = Case("heavy_ties")
    both = pd.concat([case.frame.assign(arm="a"), case.frame.assign(arm="b")])
    curves = adjusted_curves(both, **case.keys, covariates=["age"], group="arm")
    one, other = (curves.loc[curves["group"] == g, "estimate"].to_numpy() for g in "ab")
    close(one, other, tolerance=1e-9)


def test_adjusted_curves_refuse_what_they_cannot_draw():
    case = Case("no_event_arm")
    with pytest.raises(NotEstimable, match="b vs a: no event in that group"):
        adjusted_curves(case.frame, **case.keys, covariates=["x"], group=GROUP)
    with pytest.raises(ValueError, match=r"x: found a number with .* values"):
        adjusted_curves(case.frame, **case.keys, covariates=[], group="x")


# -- Firth ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_firths_penalised_cox_model_equals_its_likelihood_maximised_in_r(name):
    case = Case(name)
    table = firth_cox_table(case.frame, **case.keys, covariates=case.columns)
    same(table, case.r["firth_cox"])
    assert list(table) == TERM_COLUMNS
    assert set(table["method"]) == {
        "Firth-penalised Cox, breslow ties, profile-likelihood intervals and P"
    }


def penalised(arrays, beta):
    value, _, information = partial_likelihood(*arrays, beta, "breslow")
    return value + 0.5 * np.linalg.slogdet(information)[1]


@pytest.mark.parametrize("name", ["no_event_arm", "heavy_ties", "synthetic_os_ecog"])
def test_firths_estimate_is_the_maximum_of_the_penalised_likelihood_by_scipy(name):
    case = Case(name)
    data = case.complete()
    x = np.column_stack(
        [data[GROUP] == data[GROUP].cat.categories[1], *(data[c] for c in case.columns[1:])]
    ).astype(float)
    scale = x.std(axis=0)
    time, event = (data[c].to_numpy(float) for c in case.keys.values())
    arrays = (x - x.mean(axis=0)) / scale, time, event == 1
    fit = minimize(
        lambda b: -penalised(arrays, b), np.zeros(len(scale)), method="Nelder-Mead",
        options={"xatol": 1e-11, "fatol": 1e-13, "maxfev": 5000},
    )  # fmt: skip
    table = firth_cox_table(case.frame, **case.keys, covariates=case.columns)
    close(table["estimate"], fit.x / scale, tolerance=1e-5)
    assert penalised(arrays, table["estimate"].to_numpy() * scale) >= -fit.fun - 1e-12


def test_firth_is_finite_where_cox_has_no_answer():
    case = Case("no_event_arm")
    assert np.isnan(case.cox()["estimate"].iloc[0])
    table = firth_cox_table(case.frame, **case.keys, covariates=case.columns)
    assert np.isfinite(table[NUMBERS]).all(axis=None)
    wald = firth_cox_table(case.frame, **case.keys, covariates=case.columns, intervals="wald")
    close(wald["estimate"], table["estimate"])
    assert table["conf_low"].iloc[0] < wald["conf_low"].iloc[0]  # the lopsided side is longer
    with pytest.raises(NotEstimable, match="no patient had an event"):
        firth_cox_table(case.frame.assign(event=0), **case.keys, covariates=case.columns)


# -- logistic -------------------------------------------------------------------------------


def test_odds_ratios_equal_r(case):
    r = case.r["logistic"]
    for kind, intervals in (("ml", "wald"), ("profile", "profile")):
        table = logistic_table(
            case.frame, outcome="outcome", covariates=case.columns, intervals=intervals
        )
        same(table, r[kind])
        assert list(table) == [*TERM_COLUMNS, "note"]
        assert (table["n"].iloc[0], table["n_event"].iloc[0]) == (r["n"], r["n_event"])
        assert (table["note"] == "").all()


def test_rs_own_profile_intervals_interpolate_and_stay_near(case):
    table = logistic_table(
        case.frame, outcome="outcome", covariates=case.columns, intervals="profile"
    )
    width = (table["conf_high"] - table["conf_low"]).to_numpy()
    for column in ("conf_low", "conf_high"):
        r = [row[column] for row in case.r["logistic"]["mass"].values()]
        assert (np.abs(table[column] - r) / width < 2e-3).all()


@pytest.mark.parametrize("name", EVERY)
def test_firths_odds_ratios_equal_brglm2_and_the_penalised_likelihood(name):
    case = Case(name)
    table = logistic_table(case.frame, outcome="outcome", covariates=case.columns, firth=True)
    same(table, case.r["logistic"]["firth"])
    wald = logistic_table(
        case.frame, outcome="outcome", covariates=case.columns, firth=True, intervals="wald"
    )
    same(wald, case.r["logistic"]["brglm2"])
    assert set(table["method"]) == {"logistic, Firth-penalised, profile-likelihood intervals and P"}


def test_a_group_without_the_outcome_is_a_row_with_a_note_and_not_a_number():
    frame = pd.DataFrame(
        {"site": list("aaaaabbbbbccccc"), "cr": [1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1]}
    )
    table = logistic_table(frame, outcome="cr", covariates=["site"])
    assert table.loc[0, NUMBERS].isna().all()
    assert table.at[0, "note"].startswith(
        "none of the 5 with 'b' have the outcome, so the ratio is 0"
    )
    left = logistic_table(frame[frame["site"] != "b"], outcome="cr", covariates=["site"])
    close(table.loc[1, NUMBERS].astype(float), left.loc[0, NUMBERS].astype(float))
    everybody = logistic_table(frame.assign(cr=1 - frame["cr"]), outcome="cr", covariates=["site"])
    assert everybody.at[0, "note"].startswith("all of the 5 with 'b'")


@pytest.mark.parametrize(
    "change, said",
    [
        ({"cr": 0}, "cr: the same for all 8 patients"),
        ({"cr": 1}, "cr: the same for all 8 patients"),
        ({"x": 1.0}, "x: the same for every patient"),
        ({"x": [1, 2, 3, 4, 11, 12, 13, 14]}, "x: separates those with the outcome"),
        ({"x": [1, 2, 3, 4, 4, 12, 13, 14]}, "x: separates those with the outcome"),
        ({"x": list("aaaabbbb")}, "x: none of the 4 with 'a', the reference, have the outcome"),
        ({"x": list("aaaaaaaa")}, "x: the same for every patient"),
        ({"x": [2, 1] * 4, "z": [4, 2] * 4}, "follows from the others"),
        ({"cr": [1, 2] * 4}, "cr: found 1, 2. To do: make it 1 for those with"),
        ({"cr": list("YN") * 4}, "cr: found 'Y', 'N'. To do"),
        ({"x": np.nan}, "cr: the same for all 0 patients"),
    ],
)
def test_logistic_models_without_an_answer_say_why(change, said):
    frame = pd.DataFrame({"cr": [0] * 4 + [1] * 4, "x": [3, 1, 2, 5, 4, 1, 3, 2]}).assign(**change)
    with pytest.raises(ValueError, match=said):
        logistic_table(frame, outcome="cr", covariates=[c for c in ("x", "z") if c in frame])


def test_events_for_each_term_count_the_rarer_outcome_of_odds():
    case = Case("synthetic_os")
    table = case.cox()
    assert events_per_variable(table) == table["n_event"].iloc[0] / 4
    odds = logistic_table(case.frame, outcome="outcome", covariates=["age", "ecog"])
    responders = case.frame["outcome"].sum()
    assert events_per_variable(odds) == min(responders, 93 - responders) / 2


# -- what must not change an answer, and what must --------------------------------------------

cohorts = st.lists(
    st.tuples(
        st.integers(1, 12), st.integers(0, 1), st.sampled_from("ab"), st.sampled_from([0, 1, 3, 8])
    ),
    min_size=10, max_size=40,
)  # fmt: skip
quick = settings(max_examples=40, deadline=None, derandomize=True)
BOTH = {"time": "day", "event": "event", "covariates": ["arm", "x"]}


def framed(rows):
    frame = pd.DataFrame(rows, columns=["day", "event", "arm", "x"])
    try:
        table = cox_table(frame, **BOTH, references={"arm": "a"})
    except NotEstimable:
        assume(False)
    assume(np.isfinite(table["estimate"]).all() and table["std_error"].max() < 5)
    assume(set(frame.loc[frame["event"] == 1, "arm"]) == {"a", "b"})
    return frame


def fitted(frame, **options):
    return cox_table(frame, **BOTH, **{"references": {"arm": "a"}} | options)


@quick
@given(rows=cohorts, ties=st.sampled_from(["efron", "breslow", "exact"]))
def test_naming_the_other_arm_first_inverts_the_ratio_and_keeps_p(rows, ties):
    frame = framed(rows)
    for intervals in ("wald", "profile"):
        one = fitted(frame, ties=ties, intervals=intervals).iloc[0]
        other = fitted(frame, ties=ties, intervals=intervals, references={"arm": "b"}).iloc[0]
        close(other["estimate"], -one["estimate"], atol=1e-9)
        close(other[["conf_low", "conf_high"]].astype(float),
              -one[["conf_high", "conf_low"]].astype(float), atol=1e-8)  # fmt: skip
        close(other["p_value"], one["p_value"], atol=1e-9)


@quick
@given(rows=cohorts, unit=st.sampled_from([1 / 30, 7, 365.25]))
def test_the_unit_of_time_is_nothing_to_a_hazard_ratio(rows, unit):
    frame = framed(rows)
    scaled = frame.assign(day=frame["day"] * unit)
    for options in ({}, {"ties": "breslow"}, {"ties": "exact"}, {"robust": True}):
        close(fitted(scaled, **options)[NUMBERS], fitted(frame, **options)[NUMBERS], atol=1e-9)


@quick
@given(rows=cohorts)
def test_the_order_of_the_rows_is_nothing_to_a_hazard_ratio(rows):
    frame = framed(rows)
    other = frame.sample(frac=1, random_state=1)
    for options in ({}, {"ties": "breslow"}, {"ties": "exact"}, {"robust": True}):
        close(fitted(other, **options)[NUMBERS], fitted(frame, **options)[NUMBERS], atol=1e-9)


@quick
@given(rows=cohorts)
def test_every_patient_twice_leaves_breslows_ratio_and_shrinks_its_error_by_root_two(rows):
    """Not so Efron's: the copies are tied, and it takes each in turn out of the risk set."""
    frame = framed(rows)
    twice = pd.concat([frame, frame])
    for engine in ("lifelines", "fast"):
        one = fitted(frame, ties="breslow", engine=engine)
        two = fitted(twice, ties="breslow", engine=engine)
        close(two["estimate"], one["estimate"], tolerance=1e-8, atol=1e-9)
        close(two["std_error"] * np.sqrt(2), one["std_error"], tolerance=1e-8)


def test_efrons_ratio_moves_when_every_patient_counts_twice():
    case = Case("heavy_ties")
    one = case.cox()["estimate"].iloc[0]
    case.frame = pd.concat([case.frame, case.frame])
    assert abs(case.cox()["estimate"].iloc[0] - one) > 1e-4


@quick
@given(rows=cohorts, seed=st.integers(0, 99))
def test_without_ties_there_is_one_rule(rows, seed):
    frame = pd.DataFrame(rows, columns=["day", "event", "arm", "x"])
    frame["day"] = np.random.default_rng(seed).permutation(len(frame)) + 1
    frame = framed(frame.to_numpy().tolist()).astype({"day": float, "event": int, "x": float})
    efron = fitted(frame)[NUMBERS]
    for options in ({"ties": "breslow"}, {"ties": "exact"}, {"ties": "breslow", "engine": "fast"}):
        close(fitted(frame, **options)[NUMBERS], efron, atol=1e-9)


@quick
@given(rows=cohorts)
def test_a_cluster_for_each_patient_is_the_robust_error(rows):
    frame = framed(rows)
    frame["own"] = np.arange(len(frame))
    close(fitted(frame, cluster="own")[NUMBERS], fitted(frame, robust=True)[NUMBERS])


@quick
@given(rows=cohorts)
def test_a_score_and_information_are_the_derivatives_of_the_likelihood(rows):
    frame = framed(rows)
    x = np.column_stack([frame["arm"] == "b", frame["x"] / 4]).astype(float)
    arrays, beta = (x, frame["day"].to_numpy(float), frame["event"].to_numpy() == 1), np.ones(2) / 3
    for ties in ("efron", "breslow", "exact"):
        _, score, information = partial_likelihood(*arrays, beta, ties)
        for a, step in enumerate(np.eye(2) * 1e-5):
            up, down = (partial_likelihood(*arrays, beta + s * step, ties) for s in (1, -1))
            close((up[0] - down[0]) / 2e-5, score[a], tolerance=1e-4, atol=1e-6)
            close((down[1] - up[1]) / 2e-5, information[a], tolerance=1e-4, atol=1e-6)


def test_a_coefficient_that_is_held_does_not_move():
    case = Case("heavy_ties")
    data = case.complete()
    x = np.column_stack([data[GROUP] == "b", data["age"] / 10]).astype(float)
    arrays = x, data["time"].to_numpy(float), data["event"].to_numpy() == 1
    beta, _, converged = newton(*arrays, np.array([0.3, 0.0]), free=np.array([False, True]))
    assert converged and beta[0] == 0.3 and beta[1] != 0
