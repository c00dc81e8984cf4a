"""The largest of many interactions when there is none: fast, right, and honest about which null."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohorts import german, make_cohort
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from helpers.cohort import load_cohort
from helpers.estimators.nulls import (
    NULLS,
    Offer,
    arranged,
    bootstrap_maxima,
    largest,
    offer,
    outcome_model,
    permutation_maxima,
    position,
    statistics,
)
from helpers.estimators.splits import splits
from helpers.estimators.subgroups import forest
from helpers.fit import kernel, shuffle
from helpers.fit.likelihood import NotEstimable
from helpers.view import View

FIXTURES = sorted((Path(__file__).parent / "fixtures" / "subgroups").glob("*.json"))
COHORT = load_cohort()


def gather(maxima) -> np.ndarray:
    return np.concatenate(list(maxima))


def made_offer(time, event, arm, inside, breslow=False) -> Offer:
    """An offer of plain arrays, one row of `inside` per split."""
    inside = np.atleast_2d(inside).astype(np.int8)
    names = [f"x{k}" for k in range(len(inside))]
    table = pd.DataFrame(
        {"column": names, "label": names, "level": "1", "split": range(len(names))}
    )
    whole = (np.asarray(v).astype(np.int8) for v in (event, arm))
    return Offer(np.asarray(time, float), *whole, np.ascontiguousarray(inside), table, breslow)


def simulated(rng, n=120, splits_=8, effect=-0.5, prognosis=0.0, interaction=0.0) -> Offer:
    """Exponential times; the first split carries the prognosis and the interaction."""
    arm = np.arange(n) % 2
    inside = rng.integers(0, 2, (splits_, n))
    inside[1] = np.where(rng.random(n) < 0.8, inside[0], inside[1])  # splits overlap
    log = effect * arm + prognosis * inside[0] + interaction * arm * inside[0]
    died, censored = rng.exponential(300 * np.exp(-log)), rng.uniform(0, 900, n)
    return made_offer(
        np.ceil(np.minimum(died, censored)), died <= censored, arm, inside
    )  # fmt: skip


# -- the test of one split ------------------------------------------------------------------


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_the_same_shuffles_give_the_same_interactions_as_r(path):
    r = json.loads(path.read_text())
    data = r["data"]
    frame = pd.read_csv(data["file"])
    arm = frame[data["arm"]].astype(str) == data["arms"][0]
    inside = np.array([side(frame, name) for name in r["splits"]])
    ours = made_offer(frame[data["time"]], frame[data["event"]], arm, inside)
    observed = statistics(ours)["statistic"]
    for z, theirs in zip(observed, r["splits"].values(), strict=True):
        known = theirs["interaction"]
        np.testing.assert_allclose(z, known["statistic"] if known else np.nan, rtol=1e-6)
    for theirs in r["shuffles"].values():
        z = arranged(ours, np.array([theirs["rows"]]))
        np.testing.assert_allclose(
            z[0], [np.nan if v is None else v for v in theirs["statistic"]], rtol=1e-6, atol=1e-9
        )
        np.testing.assert_allclose(largest(z)[0], theirs["largest"], rtol=1e-6)


def side(frame, name) -> np.ndarray:
    """Who is inside R's split "column level" or "column >= value": 1, 0, and -1 where unknown."""
    column, level = next((c, name[len(c) + 1 :]) for c in frame if name.startswith(f"{c} "))
    values = frame[column]
    if level.startswith(">= "):
        inside = values >= float(level.split()[1])
    else:
        inside = values == (values.dtype.type(level) if values.dtype != object else level)
    return np.where(values.isna(), -1, inside)


@pytest.mark.parametrize(
    "cohort, view",
    [(COHORT, View()), (COHORT, View(endpoint="pfs", landmark=30.0)),
     (COHORT, View(ties="breslow")), (german(), View(endpoint="rfs"))],
    ids=["os", "landmark", "breslow", "german"],
)  # fmt: skip
def test_the_fast_interactions_are_those_of_the_forest(cohort, view):
    table = statistics(offer(cohort, view)).set_index("split")
    made = forest(cohort, view, floor=0).dropna(subset="split").drop_duplicates("split")
    made = made.set_index("split")
    np.testing.assert_allclose(table["statistic"], made["interaction_statistic"], rtol=1e-8)
    assert table["largest"].sum() == 1
    assert table["statistic"].abs().idxmax() == table.index[table["largest"]][0]


small = st.integers(8, 30).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(1, 8), min_size=n, max_size=n),
        *[st.lists(st.integers(0, 1), min_size=n, max_size=n)] * 2,
        st.lists(st.sampled_from([0, 1, 1, 0, -1]), min_size=n, max_size=n),
    )
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(rows=small, breslow=st.booleans())
def test_few_events_and_many_ties_are_answered_as_by_the_kernel(rows, breslow):
    time, event, arm, inside = map(np.array, rows)
    z = arranged(made_offer(time, event, arm, inside, breslow), np.arange(len(time))[None])[0, 0]
    known = inside >= 0
    cells = 2 * arm[known] + inside[known]
    if set(cells[event[known] == 1]) != {0, 1, 2, 3}:
        assert np.isnan(z)
        return
    x = np.column_stack([arm, inside, arm * inside])[known]
    ties = "breslow" if breslow else "efron"
    beta, error, _ = kernel.cox(time[known], event[known], x, ties=ties)
    np.testing.assert_allclose(z, beta[2] / error[2], rtol=1e-7, atol=1e-9)


def test_a_ratio_that_runs_away_has_no_estimate():
    # Inside, the compared arm's only event happens when it is the only patient left.
    time = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 2, 4]
    event = [1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1]
    arm = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    inside = [0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0]
    ours = made_offer(time, event, arm, inside)
    x = np.column_stack([arm, inside, np.multiply(arm, inside)])
    assert np.isnan(kernel.cox(time, event, x)[0]).any()
    assert np.isnan(statistics(ours)["statistic"]).all()
    assert not statistics(ours)["largest"].any()
    maxima = gather(permutation_maxima(ours, seed=1, shuffles=50))
    assert (maxima >= 0).all()
    with pytest.raises(NotEstimable, match="no interaction on offer"):
        next(bootstrap_maxima(ours, seed=1, shuffles=5))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_names_of_sides_and_the_unit_of_time_do_not_matter(seed):
    ours = simulated(np.random.default_rng(seed), n=60, splits_=3)
    z = statistics(ours)["statistic"]
    for other, sign in (
        (ours._replace(inside=1 - ours.inside), -1),
        (ours._replace(arm=1 - ours.arm), -1),
        (ours._replace(time=np.sqrt(ours.time) / 7), 1),
    ):
        np.testing.assert_allclose(
            statistics(other)["statistic"], sign * z, rtol=1e-7, atol=1e-8
        )  # fmt: skip


# -- the null -------------------------------------------------------------------------------


@pytest.mark.parametrize("null", [permutation_maxima, bootstrap_maxima])
def test_maxima_depend_on_the_seed_and_not_on_the_pieces(null):
    ours = offer(COHORT, View())
    whole = gather(null(ours, seed=3, shuffles=70))
    assert whole.shape == (70,)
    for chunk in (1, 7, 69, 500):
        np.testing.assert_array_equal(gather(null(ours, seed=3, shuffles=70, chunk=chunk)), whole)
    np.testing.assert_array_equal(gather(null(ours, seed=3, shuffles=20)), whole[:20])
    assert not np.array_equal(gather(null(ours, seed=4, shuffles=70)), whole)
    assert [len(part) for part in null(ours, seed=3, shuffles=70, chunk=30)] == [30, 30, 10]


def test_shuffling_moves_covariates_within_arms_and_nothing_else(monkeypatch):
    ours, seen = simulated(np.random.default_rng(1), n=40), []
    real = shuffle.interactions

    def watch(last, event, who, arm, *rest):
        seen.append((who, event, arm))
        return real(last, event, who, arm, *rest)

    monkeypatch.setattr(shuffle, "interactions", watch)
    list(permutation_maxima(ours, seed=2, shuffles=25))
    who, event, arm = seen[-1]
    order = np.argsort(-ours.time, kind="stable")
    assert all(sorted(row) == list(range(40)) for row in who.tolist())
    np.testing.assert_array_equal(arm[who], np.tile(ours.arm[order], (25, 1)))
    np.testing.assert_array_equal(event[0], ours.event[order])
    assert len({tuple(row) for row in who.tolist()}) == 25


def test_without_an_interaction_the_p_value_of_the_best_split_is_uniform():
    found = []
    for seed in range(200):
        ours = simulated(np.random.default_rng([11, seed]), n=80, splits_=6)
        maxima = gather(permutation_maxima(ours, seed=seed, shuffles=99))
        best = statistics(ours)["statistic"].abs().max()
        found.append(position(best, maxima)["p_value"].iloc[0])
    assert kstest(found, "uniform").pvalue > 0.01
    assert 0.01 < np.mean(np.array(found) <= 0.05) < 0.1
    # What the explorer protects from: the smallest of the splits' own P values is no P value.


def test_the_smallest_p_value_of_many_splits_is_false_far_more_often_than_one_in_twenty():
    small = [
        statistics(simulated(np.random.default_rng([12, seed]), n=80, splits_=6))["statistic"]
        .abs().max() > 1.959964
        for seed in range(200)
    ]  # fmt: skip
    assert np.mean(small) > 0.15


@pytest.mark.parametrize("null", [permutation_maxima, bootstrap_maxima])
def test_a_planted_interaction_is_found(null):
    ours = simulated(np.random.default_rng(5), n=300, effect=-1.0, interaction=1.8)
    table = statistics(ours)
    best = table[table["largest"]].iloc[0]
    assert best["column"] == "x0"
    row = position(best["statistic"], gather(null(ours, seed=6, shuffles=499))).iloc[0]
    assert row["p_value"] <= 0.004
    assert row["conf_low"] == 0


def test_with_prognosis_and_no_interaction_the_bootstrap_is_not_fooled():
    found = []
    for seed in range(100):
        ours = simulated(np.random.default_rng([13, seed]), n=100, splits_=5, prognosis=1.0)
        best = statistics(ours)["statistic"].abs().max()
        maxima = gather(bootstrap_maxima(ours, seed=seed, split=0, shuffles=99))
        found.append(position(best, maxima)["p_value"].iloc[0])
    assert kstest(found, "uniform").pvalue > 0.01


def test_outcomes_drawn_without_an_interaction_keep_arms_prognosis_and_censoring():
    ours = simulated(np.random.default_rng(8), n=400, prognosis=0.8)
    times, events = outcome_model(ours, 0)(np.random.default_rng(9).random((200, 2, 400)))
    assert abs(events.mean() - ours.event.mean()) < 0.02
    x = np.column_stack([ours.arm, ours.inside[0]])
    real, _, _ = kernel.cox(ours.time, ours.event, x)
    drawn = [kernel.cox(t, e, x)[0] for t, e in zip(times, events, strict=True)]
    np.testing.assert_allclose(np.mean(drawn, axis=0), real, atol=0.04)
    for own in (0, 1):
        rows = ours.arm == own
        assert times[:, rows].max() <= ours.time[rows].max()  # followed no longer than the arm was
        left = set(times[:, rows][events[:, rows] == 0])
        assert left <= set(ours.time[rows & (ours.event == 0)]) | {ours.time[rows].max()}
    assert set(times[events == 1]) <= set(ours.time[ours.event == 1])


def test_without_censoring_nobody_is_lost_before_the_last_day():
    rng = np.random.default_rng(2)
    day = np.r_[rng.permutation(30), 40, rng.permutation(30), 40]
    arm = np.repeat([0, 1], 31)
    ours = made_offer(day, np.ones(62), arm, rng.integers(0, 2, (2, 62)))
    times, events = outcome_model(ours, 0)(rng.random((300, 2, 62)))
    assert (events[times < 40] == 1).all()
    assert events[times == 40].any()  # an event on the day of censoring is an event


def test_a_split_without_an_estimate_is_passed_over():
    ours = simulated(np.random.default_rng(3), n=60, splits_=3)
    ours.inside[2] = -1  # nobody has a value
    with_it = gather(permutation_maxima(ours, seed=1, shuffles=40))
    without = ours._replace(inside=ours.inside[:2], splits=ours.splits[:2])
    np.testing.assert_array_equal(gather(permutation_maxima(without, seed=1, shuffles=40)), with_it)


def test_more_splits_never_make_the_largest_smaller():
    ours = simulated(np.random.default_rng(3), n=60, splits_=6)
    few = ours._replace(inside=ours.inside[:3], splits=ours.splits[:3])
    many, fewer = (gather(permutation_maxima(o, seed=1, shuffles=60)) for o in (ours, few))
    assert (many >= fewer).all() and (many > fewer).any()


def test_an_offer_has_each_split_once_and_only_patients_of_the_view():
    ours = offer(COHORT, View(landmark=60.0))
    assert ours.splits["split"].is_unique
    assert (ours.time > 0).all()
    assert len(ours.time) == (COHORT.frame["os_time"] > 60).sum()
    assert ours.inside.shape == (len(ours.splits), len(ours.time))
    everybody = offer(COHORT, View())
    assert everybody.arm.sum() == (COHORT.frame["arm"] == COHORT.arms[0]).sum()


def test_what_has_no_null_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(NotEstimable, match="exact"):
        offer(COHORT, View(ties="exact"))
    bare = make_cohort(tmp_path, {"os_time": [1, 2, 3, 4], "os_event": [1, 1, 1, 0]})
    with pytest.raises(NotEstimable, match="no subgroup is on offer"):
        offer(bare, View())
    nothing = replace(COHORT, frame=COHORT.frame.assign(os_event=0.0))
    ours = offer(nothing, View())
    assert statistics(ours)["statistic"].isna().all()
    assert (gather(permutation_maxima(ours, seed=1, shuffles=5)) == 0).all()
    with pytest.raises(NotEstimable, match="999 is not on offer"):
        next(bootstrap_maxima(offer(COHORT, View()), seed=1, split=999))
    one = splits(COHORT).query("column == 'age'")
    assert len(offer(COHORT, View(), table=one).splits) == 1


# -- the place in it ------------------------------------------------------------------------


@settings(max_examples=60, derandomize=True)
@given(maxima=st.lists(st.floats(0, 6), min_size=1, max_size=60), z=st.floats(-6, 6))
def test_a_place_counts_those_at_least_as_large_and_is_never_zero(maxima, z):
    row = position(z, np.array(maxima)).iloc[0]
    b = sum(value >= abs(z) * (1 - 1e-9) for value in maxima)
    assert row["at_least"] == b
    assert row["p_value"] == (b + 1) / (len(maxima) + 1) > 0
    assert row["conf_low"] <= b / len(maxima) <= row["conf_high"]
    assert position(-z, np.array(maxima)).iloc[0]["p_value"] == row["p_value"]


def test_more_shuffles_leave_less_to_chance():
    few, many = (position(2.0, np.linspace(0, 4, m)).iloc[0] for m in (100, 2000))
    assert many["std_error"] < few["std_error"]
    assert many["conf_high"] - many["conf_low"] < few["conf_high"] - few["conf_low"]


def test_no_estimate_has_no_place_and_no_shuffles_are_an_error():
    row = position(np.nan, np.ones(9)).iloc[0]
    assert np.isnan(row["p_value"]) and "no position" in row["note"]
    with pytest.raises(ValueError, match="at least one shuffle"):
        position(1.0, np.array([]))


def test_each_null_says_which_hypothesis_it_is():
    assert set(NULLS) == {"permutation", "bootstrap"}
    assert "no covariate" in NULLS["permutation"] and "without their" in NULLS["bootstrap"]
