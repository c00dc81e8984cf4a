"""data/ensemble: every member meets all it must, and every extreme is a cohort that shows it."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter

from helpers.cohort import load_cohort
from helpers.paper.ledger import NOT_MET, ledger
from helpers.paper.pinned import FOLDER
from helpers.paper.unprinted import unprinted
from helpers.rebuild.paper import ALTERNATIVES, as_state, paper_problem, tables
from helpers.rebuild.patients import cohort_frame
from helpers.rebuild.state import losses, measured
from helpers.workshop import ensemble
from helpers.workshop.ensemble import CURVE_DAYS, goal_row, print_of

COLUMNS = ("pfs_time", "pfs_event", "os_time", "os_event", "ecog_3plus", "ipi_3plus")
READINGS = {
    "; ".join(f"{k}: {v}" for k, v in reading.items()) or "default": reading
    for reading in ALTERNATIVES
}


@pytest.fixture(scope="module")
def members() -> list[dict]:
    about = pd.read_csv(FOLDER / "members.csv", keep_default_na=False).to_dict("records")
    with np.load(FOLDER / "members.npz") as arrays:
        rows = {name: arrays[name] for name in COLUMNS}
    assert all(len(values) == len(about) for values in rows.values())
    return [a | {name: rows[name][k] for name in COLUMNS} for k, a in enumerate(about)]


@pytest.fixture(scope="module")
def extremes() -> list[dict]:
    with np.load(FOLDER / "extremes.npz") as arrays:
        rows = {name: arrays[name] for name in (*COLUMNS, "table")}
    return [{name: rows[name][k] for name in rows} for k in range(len(rows["table"]))]


def test_no_file_was_edited():
    for line in (FOLDER / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, name = line.split()
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 5e6


def test_there_are_a_hundred_members_and_no_two_are_the_same(members):
    assert len(members) >= 100
    assert len({tuple(np.concatenate([m[c] for c in COLUMNS])) for m in members}) == len(members)


def test_every_member_meets_every_claim_and_rule_of_its_reading(members):
    for member in members:
        problem = paper_problem(int(member["table"]), READINGS[member["reading"]])
        missed = losses(problem, as_state(member))
        assert missed.sum() == 0, (member["member"], missed)


@pytest.mark.parametrize("seed", range(6))
def test_a_random_member_meets_the_whole_ledger(members, tmp_path, seed):
    """The slow and independent way: rows written, read, and judged as the page judges."""
    member = members[np.random.default_rng([seed, 2024]).integers(len(members))]
    path = tmp_path / "member.csv"
    cohort_frame(member).to_csv(path, index=False)
    table = ledger(load_cohort(path, member=True), READINGS[member["reading"]])
    assert table.loc[table["verdict"] == NOT_MET, "id"].tolist() == []


def test_members_differ_as_the_print_allows(members):
    """All response tables, many ECOG sizes, other event counts, early and late separation."""
    frame = pd.DataFrame(members)
    assert set(frame["table"]) == set(range(len(tables())))
    assert frame["reading"].nunique() == len(ALTERNATIVES)
    sizes = {int(m["ecog_3plus"][:54].sum()) for m in members}
    assert len(sizes) >= 6, sizes
    assert np.ptp(frame["os_events"]) >= 8
    assert np.ptp(frame["pfs_events"]) >= 8
    assert np.ptp(frame["os_12_cd20"]) >= 0.1
    # Members are not perturbations of one: nearly no two share half of their patients.
    rows = [set(zip(m["os_time"], m["os_event"], m["pfs_time"], strict=True)) for m in members[:60]]
    shared = [len(a & b) for k, a in enumerate(rows) for b in rows[:k]]
    assert np.quantile(shared, 0.99) < 46


def test_every_extreme_is_shown_by_a_cohort_that_meets_the_claims(extremes):
    ranges = pd.read_csv(FOLDER / "ranges.csv")
    assert set(unprinted()) <= set(ranges["quantity"])
    for row in ranges.itertuples():
        cohort = extremes[row.cohort]
        problem = paper_problem(int(cohort["table"]))
        if row.basis == "print":
            problem = problem.only("print")
        assert losses(problem, as_state(cohort)).sum() == 0, row
        problem, goal = goal_row(problem, row.quantity)
        assert measured(problem, as_state(cohort), [goal])[0] == pytest.approx(row.value, rel=1e-6)


def test_what_the_rules_add_only_narrows_and_ends_are_in_order():
    table = pd.read_csv(FOLDER / "ranges.csv").pivot_table(
        index="quantity", columns=["basis", "end"], values="value"
    )
    assert (table["print", "low"] <= table["rules", "low"]).all()
    assert (table["rules", "low"] <= table["rules", "high"]).all()
    assert (table["rules", "high"] <= table["print", "high"]).all()
    points = table.loc[[i for i in table.index if i.startswith("curve")]]
    assert len(points) == 4 * len(CURVE_DAYS)
    assert points.min().min() >= 0
    assert points.max().max() <= 1


def test_members_lie_within_the_ranges():
    members = pd.read_csv(FOLDER / "members.csv", keep_default_na=False)
    members = members[members["reading"] == "default"]
    table = pd.read_csv(FOLDER / "ranges.csv")
    table = table[table["basis"] == "rules"].pivot_table(
        index="quantity", columns="end", values="value"
    )
    for name in unprinted():
        values = pd.to_numeric(members[name], errors="coerce").dropna()
        assert values.min() >= table.loc[name, "low"] - 1e-6
        assert values.max() <= table.loc[name, "high"] + 1e-6


def test_one_more_number_never_widens_a_range_beyond_what_was_found_without():
    added = pd.read_csv(FOLDER / "added.csv")
    ranges = pd.read_csv(FOLDER / "ranges.csv")
    rules = ranges[ranges["basis"] == "rules"].set_index(["quantity", "end"])["value"]
    assert len(added) > 0
    for row in added.itertuples():
        # Both are inner bounds; where the search with one number more went further, the range
        # without it is at least as wide, and is written so.
        assert row.low >= rules[row.target, "low"] - 1e-6, row
        assert row.high <= rules[row.target, "high"] + 1e-6, row


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("os_12_cd20", 0.437, "44%"), ("os_rmst", 111.0, "3.6 months"), ("os_hr", -1.044, "0.35"),
     ("os_events", 66, "66"), ("os_ph", np.log(0.05), "0.05")],
)  # fmt: skip
def test_a_number_is_printed_as_papers_do_and_stands_within_its_limits(name, value, said):
    printed, low, high = print_of(name, value)
    assert printed == said
    assert low <= value <= high


def test_a_round_draws_on_the_rounds_before_it_so_that_a_stopped_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(ensemble, "BUILD", tmp_path)
    monkeypatch.setattr(ensemble, "shipped", lambda: [])
    monkeypatch.setattr(ensemble, "COLUMNS", ("is",))
    monkeypatch.setattr(ensemble, "meets", lambda cohort, basis: True)

    def log(name, *tasks):
        lines = [json.dumps({"task": json.dumps(t), "result": {"is": t[-2]}}) for t in tasks]
        (tmp_path / name).write_text("\n".join(lines) + "\n")

    log("extremes.jsonl", (1, "q", 1, "rules", 0, "m"), (1, "q", 1, "print", 1, "m"))
    leapt = ensemble.LEAPT
    log("leaps.jsonl", *((1, "q", 1, "rules", start, "m") for start in (leapt, leapt + 1)))
    log("relay.jsonl", *((1, "q", 1, "rules", ensemble.RELAY + leg, "m") for leg in (0, 1)))
    log("added.jsonl", (1, "x", "q", 7, "m"))
    found = lambda *asked: [c["is"] for c in ensemble.pool([], "print", *asked)]  # noqa: E731
    relay = ensemble.RELAY
    assert found(leapt) == [0, 1]
    assert found(relay) == [0, 1, leapt, leapt + 1]
    assert found(relay + 1) == [0, 1, leapt, leapt + 1, relay]
    assert found() == [0, 1, leapt, leapt + 1, relay, relay + 1]
    assert found(relay + 2, True)[-1] == 7
    assert [c["is"] for c in ensemble.pool([], "rules", leapt)] == [0]


def test_a_witness_counts_once_and_what_no_longer_meets_the_print_not_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(ensemble, "BUILD", tmp_path)  # with no log at all
    own = ensemble.shipped()
    later = own[0] | {"os_time": [max(1, t - 200) for t in own[0]["os_time"]]}  # another median
    later |= {"pfs_time": np.minimum(own[0]["pfs_time"], later["os_time"]).tolist()}
    monkeypatch.setattr(ensemble, "shipped", lambda: [*own, own[0] | {"value": 1}, later])
    assert ensemble.pool([], "print") == own


def test_leaps_begin_at_the_farthest_and_every_quantity_is_driven_from_where_they_got(monkeypatch):
    own, rounds = ensemble.shipped(), []
    monkeypatch.setattr(ensemble, "pool", lambda *given: own)

    def run(tasks, *given, **named):
        rounds.append(list(tasks))
        return {json.dumps(task): own[0] | {"value": 0.0} for task in rounds[-1]}

    monkeypatch.setattr(ensemble, "run_tasks", run)
    ensemble.find_leapt(1, [], ["os_rmst", "pfs_hr"])
    leaps, driven = rounds
    assert len(set(leaps)) == 2 * 2 * 2  # bases, numbers of events, directions
    for _, name, direction, _, start, member in leaps:
        counts = [sum(cohort[name.removesuffix("s")]) for cohort in own]
        assert counts[0] != counts[1] and start == ensemble.LEAPT
        best = max(counts) if direction > 0 else min(counts)
        assert sum(json.loads(member)[name.removesuffix("s")]) == best
    assert len({task[:5] for task in driven}) == len(driven) == len(leaps) * 2 * 2
    assert all("value" not in json.loads(task[5]) for task in driven)


def test_a_made_up_number_is_that_of_the_middle_member_and_drives_begin_where_it_is_printed(
    members, monkeypatch
):
    still = [m for m in members if m["reading"] == "default" and not m["driven"]][:31]
    own = [m | {c: m[c].tolist() for c in COLUMNS} | {"reading": 0} for m in still]
    events = [sum(m["os_event"]) for m in own]
    middle = sorted(events)[15]
    alike = [m for m, n in zip(own, events, strict=True) if n == middle]
    monkeypatch.setattr(ensemble, "pool", lambda *given: own)
    monkeypatch.setattr(ensemble, "ADDED", ("os_events",))
    monkeypatch.setattr(ensemble, "TARGETS", ("os_12_diff",))
    legs = []

    def run(tasks, *given, **named):
        legs.append(list(tasks))
        return {json.dumps(task): json.loads(task[4]) for task in tasks}

    monkeypatch.setattr(ensemble, "run_tasks", run)
    ensemble.add_numbers(1, own)
    assert len(legs) == ensemble.ADDED_LEGS
    gained = []
    for cohort in alike:
        time, event = np.array(cohort["os_time"]), np.array(cohort["os_event"])
        first, other = (KaplanMeierFitter().fit(time[at], event[at]).predict(365)
                        for at in (slice(54), slice(54, None)))  # fmt: skip
        gained.append(first - other)
    assert len(alike) > 1
    for _, _, _, direction, member in legs[0]:
        best = int(np.argmax(direction * np.array(gained)))
        assert json.loads(member)["os_time"] == alike[best]["os_time"]
