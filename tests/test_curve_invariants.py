"""What must not change a survival curve does not; what must change its error does so exactly."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.estimators.competing import cumulative_incidence
from helpers.estimators.times import rmst_table
from helpers.fit import kernel
from helpers.survival import km_curve, logrank_test, median_table

NAMES = {"time": "day", "event": "event", "group": "arm"}
COUNTS = ["n_risk", "n_event", "n_censor"]
people = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 2), st.sampled_from("ab")), max_size=25
).map(lambda rows: [*rows, (9, 1, "a"), (9, 1, "b")])  # so that both groups are at risk at an event


def made(rows):
    frame = pd.DataFrame(rows, columns=["day", "cause", "arm"])
    return frame.assign(event=(frame["cause"] > 0).astype(int))


def same(ours, theirs):
    np.testing.assert_allclose(ours.to_numpy(float), theirs.to_numpy(float), rtol=1e-10, atol=1e-14)


@settings(max_examples=25, deadline=None)
@given(people)
def test_every_patient_twice_leaves_the_curve_alone_and_shrinks_its_error_by_root_two(rows):
    frame = made(rows)
    one, two = (km_curve(f, **NAMES) for f in (frame, pd.concat([frame, frame])))
    same(two["estimate"], one["estimate"])
    same(two["std_error"] * np.sqrt(2), one["std_error"])
    same(two[COUNTS] / 2, one[COUNTS])
    same(median_table(two)["estimate"], median_table(one)["estimate"])
    days = frame["day"].to_numpy(float)
    drawn = [
        kernel.km(np.tile(days, k), np.tile(frame["event"].to_numpy(float), k)) for k in (1, 2)
    ]
    np.testing.assert_allclose(drawn[1][:, 4], drawn[0][:, 4], rtol=1e-10)


@settings(max_examples=25, deadline=None)
@given(people)
def test_every_patient_twice_shrinks_the_error_of_a_restricted_mean_and_of_an_incidence(rows):
    frame = made(rows)
    horizon = frame.groupby("arm")["day"].max().min()
    pair = frame, pd.concat([frame, frame])
    one, two = (rmst_table(f, **NAMES, horizon=horizon, reference="b") for f in pair)
    same(two["estimate"], one["estimate"])
    same(two["std_error"] * np.sqrt(2), one["std_error"])
    one, two = (cumulative_incidence(f, time="day", cause="cause", group="arm") for f in pair)
    same(two["estimate"], one["estimate"])


@settings(max_examples=25, deadline=None)
@given(people, st.sampled_from([1 / 7, 1 / 365.25, 24.0]), st.randoms(use_true_random=False))
def test_the_unit_of_time_and_the_order_of_patients_change_no_probability_and_no_test(
    rows, unit, random
):
    frame = made(rows)
    mixed = made(random.sample(rows, len(rows)))
    one = km_curve(frame, **NAMES)
    for other, scale in ((mixed, 1.0), (frame.assign(day=frame["day"] * unit), unit)):
        two = km_curve(other, **NAMES).sort_values(["group", "time"], kind="stable")
        ordered = one.sort_values(["group", "time"], kind="stable")
        same(two.drop(columns=["group", "time"]), ordered.drop(columns=["group", "time"]))
        np.testing.assert_allclose(two["time"], ordered["time"] * scale, atol=1e-8)
        same(logrank_test(other, **NAMES)[["statistic", "p_value"]],
             logrank_test(frame, **NAMES)[["statistic", "p_value"]])  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(people)
def test_the_names_of_the_arms_change_neither_curve_nor_test(rows):
    frame = made(rows)
    renamed = frame.assign(arm=frame["arm"].map({"a": "z", "b": "y"}))
    curves, others = km_curve(frame, **NAMES), km_curve(renamed, **NAMES)
    for old, new in (("a", "z"), ("b", "y")):
        mine, theirs = curves[curves["group"] == old], others[others["group"] == new]
        same(mine.drop(columns="group"), theirs.drop(columns="group"))
    p = [logrank_test(f, **NAMES)["p_value"].item() for f in (frame, renamed)]
    np.testing.assert_allclose(*p, rtol=1e-10)
