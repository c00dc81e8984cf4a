"""The engine of the search: what it measures, what a move keeps, and that a seed is enough."""

import math

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test
from lifelines.utils import restricted_mean_survival_time

from helpers.estimators.nonproportional import ph_test
from helpers.fit import kernel
from helpers.paper.pinned import FOLDER
from helpers.rebuild import measure as m
from helpers.rebuild.anneal import LAST_DAY, MAY, start
from helpers.rebuild.directed import counted, drive, leap
from helpers.rebuild.paper import as_state, drawn, paper_problem
from helpers.rebuild.problem import Builder, Problem, Row
from helpers.rebuild.quantities import with_goals
from helpers.rebuild.staged import attempt, board, everything, run_annealer, stages
from helpers.rebuild.state import State, losses, measured
from helpers.workshop import tasks as tasks_module
from helpers.workshop.tasks import run_tasks

ENDS = ("pfs", "os")


def random_cohort(seed: int) -> tuple[Problem, State]:
    """Two linked endpoints and two factors; by seed with many ties, an arm without events, or of
    one patient."""
    rng = np.random.default_rng(seed)
    sizes = (1 if seed % 7 == 3 else int(rng.integers(4, 40)), int(rng.integers(2, 30)))
    n, grid = sum(sizes), int(rng.choice([1, 10, 60]))
    first = np.ceil(rng.exponential(200, n) / grid) * grid
    later = np.where(rng.random(n) < 0.3, 0, np.ceil(rng.exponential(150, n) / grid) * grid)
    event = (rng.random((2, n)) < 0.65).astype(np.int64)
    same = later == 0
    event[1, same] = event[0, same]
    if seed % 5 == 2:
        event[:, : sizes[0]] = 0
    time = np.array([first, first + later])
    problem = Problem(("new", "old"), sizes, ENDS, ("a", "b"), True, 3000.0, np.full((2, 2), 200.0))
    return problem, State(time, event, (rng.random((2, n)) < 0.4).astype(np.int64))


SEEDS = range(40)


@pytest.fixture(scope="module", params=SEEDS)
def case(request):
    return random_cohort(request.param)


def frame_of(problem: Problem, state: State, e: int) -> pd.DataFrame:
    arm = (np.arange(problem.n) < problem.sizes[0]).astype(int)
    columns = {"time": state.time[e], "event": state.event[e], "arm": arm}
    return pd.DataFrame(columns | {"a": state.flag[0], "b": state.flag[1]})


def ask(problem: Problem, state: State, make) -> np.ndarray:
    """The values of rows that `make(builder)` returns."""
    builder = Builder(problem)
    rows = make(builder)
    return measured(builder.done(), state, rows)


def equal(ours, theirs):
    np.testing.assert_allclose(
        np.asarray(ours, float), np.asarray(theirs, float), rtol=1e-8, atol=1e-8
    )


GROUPS = [(-1, None, 1), (1, None, 1), (0, None, 1), (1, "a", 1), (-1, "b", 0)]


def inside(frame: pd.DataFrame, arm: int, factor: str | None, value: int) -> pd.DataFrame:
    own = frame if arm < 0 else frame[frame["arm"] == arm]
    return own if factor is None else own[own[factor] == value]


@pytest.mark.parametrize("e", [0, 1])
def test_counts_are_those_of_the_rows(case, e):
    problem, state = case
    frame, day = frame_of(problem, state, e), 120.0
    kinds = (m.FLAGGED, m.EVENTS, m.AT_RISK, m.CENSORED_BEFORE, m.UNWATCHED)
    both = frame_of(problem, state, 0).assign(later=state.time[1])
    for group in GROUPS:
        ours = ask(problem, state, lambda b, g=group: [
            Row("", "print", k, e, b.group(*g), day=day) for k in kinds])  # fmt: skip
        own, watched = inside(frame, *group), inside(both, *group)
        left = (watched["event"] == 0) & (watched["later"] > watched["time"])
        early = (own["event"] == 0) & (own["time"] < day)
        equal(ours, [len(own), own["event"].sum(), (own["time"] >= day).sum(), early.sum(),
                     left.sum()])  # fmt: skip


def half(own: pd.DataFrame, happened: int) -> float:
    """The median by lifelines; NaN where it is not reached or the curve runs level at one half."""
    if own.empty:
        return math.nan
    curve = KaplanMeierFitter().fit(own["time"], own["event"] == happened)
    level = np.isclose(curve.survival_function_.to_numpy(), 0.5, atol=1e-6).any()
    middle = curve.median_survival_time_
    return math.nan if level or np.isinf(middle) else middle


@pytest.mark.parametrize("e", [0, 1])
def test_middles_and_curves_are_those_of_lifelines(case, e):
    problem, state = case
    frame = frame_of(problem, state, e)
    for group in GROUPS:
        own = inside(frame, *group)
        kinds = (m.MEDIAN, m.FOLLOW_UP, m.SURVIVORS)
        ours = ask(problem, state, lambda b, g=group, kinds=kinds: [
            Row("", "print", k, e, b.group(*g)) for k in kinds])  # fmt: skip
        equal(ours, [half(own, 1), half(own, 0), own.loc[own["event"] == 0, "time"].median()])
        ours = ask(problem, state, lambda b, g=group: [
            Row("", "print", m.LEVEL, e, b.group(*g))])  # fmt: skip
        curve = KaplanMeierFitter().fit(own["time"], own["event"]) if len(own) else None
        equal(ours, [curve.survival_function_.to_numpy()[-1, 0] if curve else 1.0])
        for day in (1.0, 60.0, 119.0, 400.0):
            ours = ask(problem, state, lambda b, g=group, d=day: [
                Row("", "print", m.SURVIVAL, e, b.group(*g), day=d)])  # fmt: skip
            equal(ours, [survival(own, day)[0]])


def survival(own: pd.DataFrame, day: float) -> tuple[float, float]:
    """Survival after a day and the mean up to it by lifelines; NaN beyond the last patient."""
    if own.empty:
        return math.nan, math.nan
    curve = KaplanMeierFitter().fit(own["time"], own["event"])
    after = float(curve.predict(day))
    if own["time"].max() < day and after > 1e-12:
        return math.nan, math.nan
    return after, restricted_mean_survival_time(curve, t=day)


@pytest.mark.parametrize("e", [0, 1])
def test_differences_and_the_log_rank_test_are_those_of_lifelines(case, e):
    problem, state = case
    frame, day = frame_of(problem, state, e), 150.0
    ours = ask(problem, state, lambda b: [
        Row("", "print", k, e, b.group(1), other=b.group(0), day=day)
        for k in (m.DIFFERENCE, m.MEAN_DIFFERENCE)])  # fmt: skip
    new, old = (np.array(survival(inside(frame, arm, None, 1), day)) for arm in (1, 0))
    equal(ours, new - old)
    ours = ask(problem, state, lambda b: [Row("", "print", m.LOG_RANK, e, b.model(e, ["arm"]))])
    new, old = (frame[frame["arm"] == arm] for arm in (1, 0))
    if frame["event"].sum():
        theirs = logrank_test(new["time"], old["time"], new["event"], old["event"]).p_value
        if not math.isnan(theirs):
            equal(np.exp(ours), [theirs])


MODELS = [(["arm"], (-1, None, 1), -1), (["arm", "a"], (-1, None, 1), -1),
          (["arm", "a", "b"], (-1, None, 1), -1), (["a"], (1, None, 1), -1),
          (["arm"], (-1, "a", 0), -1), (["arm"], (-1, None, 1), 91)]  # fmt: skip


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_ratios_are_those_of_the_kernel_and_unknown_where_it_has_none(case, model, ties):
    problem, state = case
    terms, group, landmark = model
    kinds = (m.LOG_RATIO, m.LOG_LOW, m.LOG_HIGH, m.WALD)
    for e in (0, 1):
        builder = Builder(problem, ties)
        at = builder.model(e, terms, builder.group(*group), landmark)
        rows = [Row("", "print", k, e, at, term=t) for t in range(len(terms)) for k in kinds]
        ours = measured(builder.done(), state, rows).reshape(-1, 4)
        own = inside(frame_of(problem, state, e), *group)
        own = own[own["time"] > landmark] if landmark >= 0 else own
        beta, error = np.full((2, len(terms)), np.nan)
        if len(own):
            beta, error, _ = kernel.cox(own["time"], own["event"], own[terms], ties=ties)
        equal(ours[:, 0], beta)
        equal(ours[:, 1], beta - m.Z * error)
        equal(ours[:, 2], beta + m.Z * error)
        with np.errstate(invalid="ignore"):
            p = [math.erfc(abs(z) / math.sqrt(2)) for z in beta / error]
        equal(np.exp(ours[:, 3]), p)


@pytest.mark.parametrize("e", [0, 1])
def test_the_test_of_proportional_hazards_is_that_of_the_pages(case, e):
    problem, state = case
    frame = frame_of(problem, state, e)
    ours = ask(problem, state, lambda b: [Row("", "print", m.PROPORTIONAL, e, b.model(e, ["arm"]))])
    beta = kernel.cox(frame["time"], frame["event"], frame[["arm"]])[0]
    if np.isnan(beta).any():
        assert np.isnan(ours[0])
        return
    table = ph_test(frame, time="time", event="event", covariates=["arm"])
    if "too few days" in table["note"].iloc[0]:  # R's cox.zph stops there: a singular matrix
        assert np.isnan(ours[0]) or np.exp(ours[0]) > 0.999  # the search sees no drift
        return
    equal(np.exp(ours), table["p_value"].iloc[:1])


@pytest.mark.parametrize(
    ("value", "kind", "low", "high", "met"),
    [
        (5.0, m.EVENTS, 5.0, 5.0, True), (6.0, m.EVENTS, 5.0, 5.0, False),
        (0.1, m.LOG_RATIO, 0.0, 0.1, True), (0.1 + 1e-12, m.LOG_RATIO, 0.0, 0.1, False),
        (-0.1, m.LOG_RATIO, -np.inf, 0.1, True), (-12.0, m.MEDIAN, 12.0, 12.0, False),
        (12.0, m.MEDIAN, 12.0, 12.0, True), (m.UNKNOWN, m.MEDIAN, 12.0, 12.0, False),
        (0.51, m.LEVEL, 0.500002, np.inf, True), (0.5, m.LEVEL, 0.500002, np.inf, False),
        (m.UNKNOWN, m.LOG_RATIO, -np.inf, np.inf, False),
    ],
)  # fmt: skip
def test_a_claim_costs_nothing_if_and_only_if_it_is_met(value, kind, low, high, met):
    assert (m.cost(value, kind, low, high, 1.0) == 0) == met


def begun(seed: int) -> tuple[Problem, State, tuple, tuple]:
    """A problem of the paper with everything free to move, a fresh start, and its board."""
    rng = np.random.default_rng(seed)
    problem, _ = drawn(rng)
    play, loose = board(problem, everything(problem), 0.75)
    state = State.empty(problem)
    for e in (0, 1):
        start(seed, e, problem.sizes[0], True, play, state.time, state.event)
    return problem, state, play, loose


@pytest.mark.parametrize("seed", range(4))
def test_the_annealer_returns_the_loss_of_the_state_it_leaves(seed):
    problem, state, play, loose = begun(seed)
    before = losses(problem, state).sum()
    left = run_annealer(problem, state, problem.rows, play, loose, seed=seed, steps=4000)
    np.testing.assert_allclose(left, losses(problem, state).sum(), rtol=1e-9, atol=1e-9)
    assert left < before


@pytest.mark.parametrize("seed", range(4))
def test_moves_keep_progression_before_death_and_everybody_within_the_study(seed):
    problem, state, play, loose = begun(seed)
    run_annealer(problem, state, problem.rows, play, loose, seed=seed, steps=4000)
    assert (state.time[0] <= state.time[1]).all()
    same = state.time[0] == state.time[1]
    assert (state.event[0, same] == state.event[1, same]).all()
    assert (state.time >= 1).all() and (state.time <= play[:, :, LAST_DAY].max()).all()
    assert np.isin(state.event, (0, 1)).all() and np.isin(state.flag, (0, 1)).all()
    assert (state.time == np.floor(state.time)).all()


def test_what_may_not_move_stays():
    problem, state, play, loose = begun(1)
    play[0, :, MAY] = 0
    old = state.copy()
    run_annealer(problem, state, problem.rows, play, np.zeros_like(loose), seed=1, steps=4000)
    assert (state.time[0] == old.time[0]).all() and (state.event[0] == old.event[0]).all()
    assert (state.flag == old.flag).all()
    assert (state.time[1] != old.time[1]).any()


@pytest.mark.parametrize("direction", [-1, 1])
def test_a_drive_ends_further_with_every_row_met_and_leaves_its_start_alone(direction):
    """From a cohort of the set; both endpoints, both arms and the flags are free to move."""
    with np.load(FOLDER / "members.npz") as arrays:
        table = int(pd.read_csv(FOLDER / "members.csv")["table"][0])
        state = as_state({name: values[0] for name, values in arrays.items()})
    problem, (row,) = with_goals(paper_problem(table), ["os_12_diff"])
    before, old = measured(problem, state, [row])[0], state.copy()
    found, value = drive(problem, state, row, direction, np.random.default_rng(1), cycles=4)
    assert direction * (value - before) > 0.02
    assert value == measured(problem, found, [row])[0]
    assert losses(problem, found).sum() == 0
    assert (found.time[0] <= found.time[1]).all()
    for moved in ((0, slice(0, 54)), (0, slice(54, 93)), (1, slice(0, 54)), (1, slice(54, 93))):
        assert (found.time[moved] != old.time[moved]).any()  # nothing is held still
    assert (state.time == old.time).all() and (state.event == old.event).all()


def test_towards_a_goal_the_nearest_state_that_meets_all_else_is_kept():
    problem, state, play, loose = begun(2)
    events = Row("events", "goal", m.EVENTS, 1, 0, low=1.0, high=1.0)
    free = problem.only()  # nothing else to meet: the goal is reached
    left = run_annealer(free, state, (), play, loose, seed=1, steps=20_000, goal=events)
    assert left == 0 and state.event[1].sum() == 1
    fence = events._replace(id="fence", low=40.0, high=np.inf)
    problem, state, play, loose = begun(2)
    fenced = problem.only().with_rows([fence])
    assert losses(fenced, state).sum() == 0
    run_annealer(fenced, state, (fence,), play, loose, seed=1, steps=20_000, goal=events)
    assert state.event[1].sum() == 40  # as near as the fence lets it


def test_leaps_get_to_the_last_number_of_events_that_all_else_allows():
    problem, state, _, _ = begun(2)
    fence = Row("fence", "rule", m.EVENTS, 1, 0, low=40.0)
    events, old = fence._replace(id="events", source="goal", low=-np.inf), state.copy()
    assert state.event[1].sum() > 44
    fenced = problem.only().with_rows([fence])
    found, value = leap(fenced, state, events, -1, np.random.default_rng(1))
    assert value == found.event[1].sum() == 40
    assert (state.event == old.event).all() and (state.time == old.time).all()
    found, value = leap(fenced, state, events, 1, np.random.default_rng(1))
    assert value == 93
    again, value = leap(fenced, found, events, 1, np.random.default_rng(1))
    assert again is found and value == 93  # there is nobody left


def test_printed_counts_of_events_are_not_leapt_over():
    problem = begun(1)[0]
    everybody, first, other = (
        problem.groups.index(g) for g in ((-1, -1, 0), (1, -1, 0), (0, -1, 0))
    )
    row = Row("n", "print", m.EVENTS, 1, first, low=30.0, high=32.0)
    bare = problem.only()
    assert counted(bare, 1) == (0, 93)
    assert counted(bare.with_rows([row]), 1) == (30, 32 + 39)
    assert counted(bare.with_rows([row]), 0) == (0, 93)  # of another endpoint
    both = [row, row._replace(where=other, low=5.0, high=9.0)]
    assert counted(bare.with_rows(both), 1) == (35, 41)
    assert counted(bare.with_rows([*both, row._replace(where=everybody, high=36.0)]), 1) == (35, 36)


def test_leaps_go_further_than_a_drive_with_every_row_met():
    """From a cohort of the set, down to fewer deaths."""
    with np.load(FOLDER / "members.npz") as arrays:
        state = as_state({name: values[0] for name, values in arrays.items()})
    table = int(pd.read_csv(FOLDER / "members.csv")["table"][0])
    problem, (row,) = with_goals(paper_problem(table), ["os_events"])
    _, driven = drive(problem, state, row, -1, np.random.default_rng(1))
    found, value = leap(problem, state, row, -1, np.random.default_rng(1))
    assert value == measured(problem, found, [row])[0] < driven
    assert losses(problem, found).sum() == 0
    assert (found.time[0] <= found.time[1]).all()


def test_an_attempt_depends_on_its_seed_alone():
    again = [attempt(drawn(np.random.default_rng(5))[0], np.random.default_rng(6), steps=3000)
             for _ in range(2)]  # fmt: skip
    other = attempt(drawn(np.random.default_rng(5))[0], np.random.default_rng(7), steps=3000)
    assert again[0][1] == again[1][1]
    assert (again[0][0].time == again[1][0].time).all()
    assert (again[0][0].time != other[0].time).any()


def test_every_row_has_its_stage_and_only_one():
    problem, _ = drawn(np.random.default_rng(1))
    for first in (0, 1):
        rows = [row for stage in stages(problem, first) for row in stage.rows]
        assert sorted(rows) == sorted(problem.rows)


def square(number: int) -> int:
    made.append(number)
    return number**2


made: list[int] = []


def test_tasks_go_on_after_a_kill_and_do_nothing_twice(tmp_path):
    log = tmp_path / "log.jsonl"
    made.clear()
    run_tasks([(k,) for k in range(3)], square, log, jobs=1)
    # A kill cuts the last line short: that task is done again, the others are not.
    log.write_text(log.read_text()[:-4])
    results = run_tasks([(k,) for k in range(5)], square, log, jobs=1)
    assert list(results.values()) == [0, 1, 4, 9, 16]
    assert made == [0, 1, 2, 2, 3, 4]


def test_tasks_give_the_same_for_one_worker_and_two(tmp_path):
    numbers = [(k,) for k in range(6)]
    one, two = (run_tasks(numbers, math.factorial, tmp_path / f"{jobs}.jsonl", jobs=jobs)
                for jobs in (1, 2))  # fmt: skip
    assert one == two and list(one) == [tasks_module.name_of(t) for t in numbers]
