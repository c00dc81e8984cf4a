"""The study: samples of real cohorts, printed and rebuilt, and its committed tables."""

import hashlib
import math

import numpy as np
import pandas as pd
import pytest

from helpers.estimators.times import rmst_table
from helpers.paper.published import prints_as
from helpers.rebuild.claims import build, check_claim, check_top
from helpers.rebuild.paper import paper_problem
from helpers.rebuild.reach import ASKED, asked, ends, within
from helpers.rebuild.state import losses, measured
from helpers.regression import cox_table
from helpers.survival import km_curve, milestones
from helpers.workshop import study_files
from helpers.workshop.study import GROUPS, SEED, beside, sample_tasks
from helpers.workshop.study_data import HELD_OUT, SETS, SIZE, TUNING, sample, state_of, whole
from helpers.workshop.study_files import FOLDER, cluster_interval, verdict
from helpers.workshop.study_print import RIGHT, WRONG, medians_only, p_text, printed


@pytest.mark.parametrize("name", SETS)
def test_a_set_has_two_arms_whole_days_and_binary_factors(name):
    source, frame = SETS[name], whole(name)
    assert len(frame) > SIZE
    for column in ["arm", "os_event", *source.factors]:
        assert set(frame[column]) == {0, 1}, column
    assert frame["os_time"].min() >= 1
    assert source.day < frame["os_time"].max() <= source.last_day


def test_tuning_and_held_out_sets_are_at_least_eight_and_named():
    roles = [source.role for source in SETS.values()]
    assert roles.count(HELD_OUT) >= 8
    assert roles.count(TUNING) >= 1
    assert set(roles) == {HELD_OUT, TUNING}


def test_a_sample_is_drawn_without_replacement_and_again_the_same():
    drawn = sample(SEED, "rossi", 3)
    assert len(drawn) == SIZE
    assert drawn.equals(sample(SEED, "rossi", 3))
    assert not drawn.equals(sample(SEED, "rossi", 4))
    assert (np.diff(drawn["arm"]) <= 0).all()  # the first-named arm first
    counts = whole("rossi").value_counts()
    assert all(drawn.value_counts()[row] <= counts[row] for row in drawn.value_counts().index)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("number", [0, 1])
def test_a_sample_meets_its_own_print_but_for_the_edges_that_the_search_avoids(name, number):
    source, frame = SETS[name], sample(SEED, name, number)
    claims = printed(frame, source)
    assert not check_top({k: v for k, v in claims.items() if k != "rules"} | {"rules": []})
    assert not [w for c in claims["claims"] for w in check_claim(c, "claims", claims)]
    problem, truth = build(claims), state_of(frame, source)
    costs = losses(problem, truth)
    # A value within 2% of an interval's width of its edge costs a trifle; nothing is far off.
    assert (costs < 0.2).all(), [r.id for r, c in zip(problem.rows, costs, strict=True) if c >= 0.2]


@pytest.mark.parametrize("name", ["lung", "colon", "gammopathy"])
def test_what_is_asked_of_a_sample_is_what_the_pages_compute(name):
    source, frame = SETS[name], sample(SEED, name, 0)
    problem, rows = asked(build(printed(frame, source)), 0, source.day)
    found = dict(zip(ASKED, measured(problem, state_of(frame, source), rows), strict=True))
    frame = frame.assign(arm=frame["arm"].astype(str))
    curves = km_curve(frame, time="os_time", event="os_event", group="arm")
    at = milestones(curves, [source.day]).set_index("group")["estimate"]
    assert found["survival_difference"] == pytest.approx(at["1"] - at["0"], abs=1e-10)
    means = rmst_table(
        frame, time="os_time", event="os_event", group="arm", horizon=source.day, reference="0"
    ).set_index("group")["estimate"]
    assert found["mean_difference"] == pytest.approx(means["1 vs 0"], abs=1e-8)
    assert found["events"] == frame["os_event"].sum()
    model = cox_table(frame, time="os_time", event="os_event", covariates=["arm"],
                      references={"arm": "0"})  # fmt: skip
    assert found["unadjusted_hr"] == pytest.approx(model["estimate"].iloc[0], abs=1e-8)


def test_other_readings_change_what_is_printed_and_only_that():
    frame, source = sample(SEED, "colon", 0), SETS["colon"]
    right = {c["id"]: c for c in printed(frame, source)["claims"]}
    for reading, changed in (("covariates", {"hr"}), ("endpoint", {"factor_hr"})):
        other = {c["id"]: c for c in printed(frame, source, reading)["claims"]}
        assert {k for k in right if other.get(k) != right[k]} == changed
        assert other["hr"]["adjust"] == right["hr"]["adjust"]  # what it is read as
    assert {c["kind"] for c in medians_only(printed(frame, source))["claims"]} <= {"median"}
    tasks = sample_tasks(SEED, 1, 1, ("lung", "colon"))
    assert [t for t in tasks if t[3] == RIGHT] == [(SEED, n, 0, RIGHT) for n in ("lung", "colon")]
    assert (SEED, "lung", 0, "endpoint") not in tasks
    assert {t[3] for t in tasks} <= {RIGHT, *WRONG}


@pytest.mark.parametrize("p", [0.99999, 0.9951, 0.5, 0.0996, 0.01234, 0.00016, 0.00002])
def test_a_p_value_has_two_digits_or_is_below_one_in_ten_thousand(p):
    text = p_text(p)
    assert prints_as(p, text)
    assert text == "<0.0001" or len(text.replace(".", "").lstrip("0")) == 2


def result(**other):
    return {"truth": [0.5], "ranges": [[0.1, 0.9]], "missed": [], "again": {}} | other


def test_a_miss_is_told_with_its_cause():
    first = next(iter(ASKED))
    assert verdict(result(), 0) == ("inside", "")
    assert verdict(result(truth=[None]), 0)[0] == study_files.UNDEFINED
    assert verdict(result(truth=[0.95]), 0) == (
        "above", "search: not reached from further starts either")  # fmt: skip
    assert verdict(result(truth=[0.05], again={first: [0.0, 0.4]}), 0) == (
        "below", "search: reached from further starts")  # fmt: skip
    # Reached after all: whatever it does not meet was not the reason.
    assert "reached from further starts" in verdict(
        result(truth=[0.05], again={first: [0.0, 0.4]}, missed=["hr.p"]), 0)[1]  # fmt: skip
    assert verdict(result(truth=[0.95], missed=["hr.p"]), 0) == (
        "above", "the sample does not meet hr.p")  # fmt: skip
    edge = result(truth=[0.95], missed=["hr.p"])
    assert "beside the sample" in verdict(edge, 0, np.array([0.97]))[1]
    assert "does not meet" in verdict(edge, 0, np.array([0.8]))[1]
    assert verdict(result(ranges=[None]), 0)[0] == "outside"


def test_beside_a_sample_on_an_edge_of_printing_stands_a_cohort_that_meets_every_row():
    found = beside(SEED, "breast", 0)  # the sample itself misses its log-rank row by its edge
    assert found is not None
    assert np.isfinite(found).all()


def test_no_cohort_found_is_told_with_its_cause():
    assert not study_files.why_none({"found": 1, "missed": ["hr"]})
    assert study_files.why_none({"found": 0, "missed": ["hr"]}).endswith("hr")
    assert study_files.why_none({"found": 0, "missed": []}).startswith("search")


def test_fewer_claims_never_narrow_a_range():
    ranges = committed("ranges").dropna(subset="low_medians")
    assert len(ranges)
    assert (ranges["low_medians"] <= ranges["low"]).all()
    assert (ranges["high_medians"] >= ranges["high"]).all()


def test_ranges_ignore_what_is_not_defined():
    assert ends(np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])) == [[1.0, 3.0], None]
    assert within(0.3 + 1e-12, [0.1, 0.3])
    assert not within(0.31, [0.1, 0.3])
    assert not within(0.3, None)


def test_an_interval_of_sets_is_wider_than_one_that_counts_samples():
    rng = np.random.default_rng(1)
    hits, total = np.array([20.0, 20, 0, 20]), np.full(4, 20.0)
    low, high = cluster_interval(hits, total, rng)
    assert low < 0.75 - 1.96 * math.sqrt(0.75 * 0.25 / 80)
    assert high == 1
    assert cluster_interval(np.full(4, 20.0), total, rng) == (1, 1)


def test_no_interval_is_drawn_from_a_handful_of_sets_or_where_all_are_hits():
    def told(sets, hit):
        part = pd.DataFrame({"set": np.repeat([f"s{k}" for k in range(sets)], 4), "hit": True})
        part.loc[0, "hit"] = hit
        return study_files.line("held out", RIGHT, "events", part, 1)

    assert "share_low" in told(study_files.FEWEST_SETS, False)
    assert "share_low" not in told(study_files.FEWEST_SETS - 1, False)
    assert "share_low" not in told(study_files.FEWEST_SETS, True)


def test_a_dropped_number_is_placed_in_its_range_and_among_the_cohorts():
    row = {"printed": [0.275, 0.285], "range": [0.2, 0.4], "values": [0.21, 0.28, 0.3, 0.31]}
    about = {"table": 2, "members": 4, "tries": 9}
    task = '[1, "OS model", "print"]'
    table = study_files.group_table({task: about | {"rows": {"os_hr": row}}}).iloc[0]
    assert (table["inside"], table["cohorts_below"], table["cohorts_above"]) == (True, 1, 2)
    assert table["width_share"] == pytest.approx(0.05)
    row["range"] = [0.3, 0.4]
    table = study_files.group_table({task: about | {"rows": {"os_hr": row}}}).iloc[0]
    assert not table["inside"]
    none = study_files.group_table({task: about | {"members": 0, "rows": {}}}).iloc[0]
    assert none["cohorts"] == 0


def test_a_group_of_claims_is_every_row_of_its_model():
    rows = {r.id for r in paper_problem(0).rows if r.source == "print"}
    for group, ids in GROUPS.items():
        assert set(ids) <= rows, group
        stems = {i.partition(".")[0] for i in ids}
        assert {r for r in rows if r.partition(".")[0] in stems} == set(ids), group


# ---------------------------------------------------------------- data/study


def committed(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{name}.csv", keep_default_na=True)


def test_committed_tables_were_not_edited():
    lines = (FOLDER / "SHA256SUMS").read_text().splitlines()
    sums = dict(reversed(line.split("  ")) for line in lines)
    assert {p.name for p in FOLDER.iterdir()} == set(sums) | {"SHA256SUMS"}
    for name, digest in sums.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name


def test_the_tables_follow_from_the_results(tmp_path):
    """What is shown is what was measured: made once more from the results of every task."""
    again = study_files.study_tables(study_files.committed()["samples"])
    for name, table in again.items():
        table.to_csv(tmp_path / "again.csv", index=False, float_format="%.8g")
        pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "again.csv"), committed(name))


def test_a_study_goes_on_from_what_is_committed(tmp_path, monkeypatch):
    monkeypatch.setattr(study_files, "BUILD", tmp_path)
    for _ in range(2):  # the second time adds nothing
        study_files.carry_on()
    lines = (tmp_path / "samples.jsonl").read_text().splitlines()
    assert len(lines) == len(committed("samples"))
    assert study_files.finished(SEED) == study_files.committed()


def test_the_summary_follows_from_the_ranges():
    samples, ranges = committed("samples"), committed("ranges")
    again = study_files.summary(samples, ranges, int(committed("run")["seed"].iloc[0]))
    pd.testing.assert_frame_equal(
        again.reset_index(drop=True), committed("summary"), check_dtype=False, rtol=1e-6
    )
    assert len(samples[samples["reading"] == RIGHT]) == committed("run")["samples"].iloc[0]


def test_every_range_holds_what_its_drives_reached_and_says_where_the_sample_lies():
    ranges = committed("ranges").set_index(["set", "number", "reading", "quantity"])
    drives = study_files.drive_table(study_files.committed()["samples"]).dropna(subset="value")
    reached = drives.groupby(["set", "number", "reading", "quantity"])["value"].agg(["min", "max"])
    both = ranges.join(reached, how="inner")
    assert (both["low"] <= both["min"] + 1e-6 * both["min"].abs()).all()
    assert (both["high"] >= both["max"] - 1e-6 * both["max"].abs()).all()
    inside = both["where"] == "inside"
    assert both.loc[inside, "position"].dropna().between(-1e-6, 1 + 1e-6).all()
    assert not both.loc[~inside, "position"].dropna().between(1e-6, 1 - 1e-6).any()
    outside = both["where"].isin(["below", "above"])
    assert both.loc[outside, "miss"].notna().all()


def test_committed_samples_are_those_that_the_seed_draws():
    ranges = committed("ranges").drop_duplicates(["set", "number", "quantity"])
    for row in ranges[ranges["quantity"] == "events"].itertuples():
        assert sample(SEED, row.set, row.number)["os_event"].sum() == row.value


def test_some_committed_drives_come_out_again():
    again = study_files.small_check(numbers=(0,))
    assert len(again) == 2
    assert again["same"].all(), again.to_string()
