"""data/simulation: what stands in the table is what the estimators give, and says so when not."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from helpers.simulate import stored
from helpers.simulate.calibration import SCENARIOS, TARGETS, calibration
from helpers.workshop import simulation
from helpers.workshop.cli import main
from helpers.workshop.tasks import read_log

TABLE, RUN = stored.load_calibration(), stored.load_run()


def cell(scenario, estimator):
    row = TABLE[(TABLE["scenario"] == scenario) & (TABLE["estimator"] == estimator)]
    return row.iloc[0]


def test_every_estimator_stands_in_every_scenario_at_full_size():
    assert len(TABLE) == len(SCENARIOS) * len(TARGETS)
    assert RUN["replications"] == simulation.REPLICATIONS == 1000
    assert RUN["seed"] == simulation.SEED and (TABLE["replications"] == 1000).all()


@pytest.mark.parametrize("scenario", ["nothing", "true effect, waiting and measured confounding"])
def test_the_table_is_computed_from_the_stored_estimates(scenario):
    again = calibration(scenario, stored.load_replications(scenario))
    kept = TABLE[TABLE["scenario"] == scenario].drop(columns="scenario").reset_index(drop=True)
    pd.testing.assert_frame_equal(again, kept, check_dtype=False, rtol=1e-7, atol=1e-8)


def test_some_committed_cohorts_made_again_give_the_same_and_another_seed_does_not():
    again = simulation.small_check(numbers=(0, 611))
    assert len(again) == len(SCENARIOS) * 2 * len(TARGETS) * 2
    assert again["same"].all(), again[~again["same"]]
    other = simulation.one_replication("nothing", simulation.SEED + 1, 0)
    kept = stored.load_replications("nothing")[0]
    assert all(abs(other[name] - kept[name]) > simulation.SAME for name in kept)


def test_where_nothing_works_and_nothing_is_hidden_all_errors_are_what_they_should_be():
    """Within four Monte Carlo errors of no bias, 95% and 5%: 28 numbers, so not within two."""
    part = TABLE[TABLE["scenario"] == "nothing"]
    assert (part["bias"].abs() < 4 * part["bias_error"]).all()
    error = np.sqrt(0.95 * 0.05 / 1000)
    assert ((part["coverage"] - 0.95).abs() < 4 * error).all()
    assert ((part["rejection"] - 0.05).abs() < 4 * error).all()


def test_each_mechanism_fools_those_it_should_and_no_other():
    def off(scenario):
        part = TABLE[TABLE["scenario"] == scenario]
        return set(part.loc[part["bias"].abs() > np.maximum(4 * part["bias_error"], 0.05),
                            "estimator"])  # fmt: skip

    started = {name for name in TARGETS if name.startswith("from infusion")}
    open_ = {name for name in TARGETS if "adjusted" not in name.replace("unadjusted", "")}
    assert off("waiting") == {"ever treated"}
    assert off("waiting and a falling hazard") == {"ever treated"} | started
    assert off("measured confounding") == open_ - {"from infusion, weighted"}
    assert off("hidden confounding") == off("informative drop-out") == set(TARGETS)
    assert off("true effect") == off("nothing") == set()


def test_biased_intervals_do_not_cover_and_no_interval_says_so():
    hidden = cell("hidden confounding", "from infusion, adjusted")
    fair = cell("measured confounding", "from infusion, adjusted")
    assert hidden["coverage"] < 0.7 < 0.93 < fair["coverage"]
    assert hidden["mean_std_error"] == pytest.approx(fair["mean_std_error"], rel=0.15)


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "FOLDER", tmp_path)
    stored.checked.cache_clear()
    with pytest.raises(ValueError, match=r"found no SHA256SUMS\. To do: take data/simulation"):
        stored.load_calibration()
    (tmp_path / stored.TABLE).write_text("changed")
    listed = f"{hashlib.sha256(b'as it was').hexdigest()}  {stored.TABLE}\n"
    (tmp_path / stored.SUMS).write_text(listed)
    with pytest.raises(ValueError, match="found sum "):
        stored.load_calibration()
    stored.checked.cache_clear()


def test_numbers_are_kept_to_six_decimals_and_what_is_withheld_stays_so():
    values = [0.1234564, -2.0, None, 0.0]
    assert [stored.unpacked(stored.packed(v)) for v in values] == [0.123456, -2.0, None, 0.0]


def test_the_verb_is_resumed_and_gives_the_same_for_one_and_two_workers(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(simulation, "SCENARIOS", {"nothing": None, "waiting": None})
    monkeypatch.setattr(simulation, "CHUNK", 2)
    monkeypatch.setattr(simulation, "BUILD", tmp_path / "one")
    ask = ["simulate", "--replications", "5", "--seed", "7"]
    assert main([*ask, "--jobs", "1"]) == 0
    told = capsys.readouterr().out
    assert "5 made cohorts in each of 2 scenarios" in told and "ever treated" in told
    made = tmp_path / "one" / "7_5"
    first = (made / "calibration.csv").read_bytes()
    log = tmp_path / "one" / "replications_7.jsonl"
    kept = log.read_text().splitlines()
    log.write_text("\n".join(kept[:-2]) + "\n" + kept[-2][:40])  # killed in the middle of a line
    assert main([*ask, "--jobs", "1"]) == 0
    assert (made / "calibration.csv").read_bytes() == first
    assert len(read_log(log)) == len(kept) == 6
    monkeypatch.setattr(simulation, "BUILD", tmp_path / "two")
    assert main([*ask, "--jobs", "2"]) == 0
    assert (tmp_path / "two" / "7_5" / "calibration.csv").read_bytes() == first
    assert not stored.FOLDER.joinpath("7_5").exists(), "what is not the committed run goes to build"


def test_the_small_check_of_the_verb_fails_when_a_number_moved(monkeypatch, capsys):
    monkeypatch.setattr(simulation.small_check, "__defaults__", ((3,),))
    assert main(["simulate", "--small"]) == 0
    assert "10 made cohorts, the same as committed" in capsys.readouterr().out
    right = simulation.one_replication
    monkeypatch.setattr(simulation, "one_replication", lambda *task: {
        name: value + 1e-5 for name, value in right(*task).items()
    })  # fmt: skip
    assert main(["simulate", "--small"]) == 1
    assert "NOT as committed" in capsys.readouterr().out
