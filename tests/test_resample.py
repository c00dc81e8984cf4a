"""Shuffles and resamples in numbered tasks: the same on one core, on two, and in the page."""

import json

import pandas as pd
import pytest
from cohorts import EXAMPLE, german

from helpers.analysis import analyse
from helpers.fit.likelihood import NotEstimable
from helpers.pages.robust_fragile import chance
from helpers.view import View, default_view
from helpers.workshop.cli import main
from helpers.workshop.resample_tasks import run_resampling

GERMAN = german()
VIEW = default_view(GERMAN)
SIZES = {"shuffles": 1100, "resamples": 700}


def test_one_process_and_two_give_what_the_page_shows_and_a_second_run_does_nothing(tmp_path):
    direct = chance(analyse(GERMAN, VIEW), seed=3, **SIZES)
    for jobs in (1, 2):
        log = tmp_path / f"{jobs}.jsonl"
        _, table = run_resampling(*EXAMPLE, VIEW, log, seed=3, jobs=jobs, **SIZES)
        pd.testing.assert_frame_equal(table, direct)
        size = log.stat().st_size
        run_resampling(*EXAMPLE, VIEW, log, seed=3, jobs=jobs, **SIZES)
        assert log.stat().st_size == size
    parts = [json.loads(line)["result"] for line in log.read_text().splitlines()]
    assert sorted(map(len, parts)) == [100, 200, 500, 500, 500]
    assert len({json.dumps(part[:50]) for part in parts}) == len(parts)  # no seed stands twice
    _, other = run_resampling(*EXAMPLE, VIEW, log, seed=4, jobs=1, **SIZES)
    assert not other.equals(direct)


def test_more_draws_continue_those_that_were_made(tmp_path):
    log = tmp_path / "log"
    run_resampling(*EXAMPLE, VIEW, log, seed=3, jobs=1, shuffles=500, resamples=500)
    before = log.read_text().splitlines()
    run_resampling(*EXAMPLE, VIEW, log, seed=3, jobs=1, shuffles=1000, resamples=500)
    assert log.read_text().splitlines()[:2] == before and len(log.read_text().splitlines()) == 3


def test_without_two_groups_nothing_is_drawn(tmp_path):
    three = View.read(json.dumps({"endpoint": VIEW.endpoint, "compare": "grade"}))
    with pytest.raises(NotEstimable, match="3 groups where two"):
        run_resampling(*EXAMPLE, three, tmp_path / "log", seed=1, jobs=1, **SIZES)
    assert not (tmp_path / "log").exists()


def test_the_verb_prints_the_table_with_its_status_and_refuses_three_groups(capsys, tmp_path):
    assert main(["resample", "--shuffles", "40", "--resamples", "40", "--jobs", "1"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("SYNTHETIC DATA") and "40 shuffles of the arms" in said
    assert "Rests on invented values" not in said
    view = tmp_path / "view.json"
    view.write_text(json.dumps({"where": [{"column": "age", "max": 60}]}))
    assert main(["resample", "--shuffles", "9", "--resamples", "9", "--view", str(view)]) == 0
    said = capsys.readouterr().out
    assert "Rests on invented values: Age" in said and "Age 60 years or less" in said
    view.write_text(json.dumps({"compare": "grade", "endpoint": VIEW.endpoint}))
    asked = ["--cohort", EXAMPLE[0], "--map", EXAMPLE[1], "--view", str(view)]
    assert main(["resample", *asked]) == 2
    assert "3 groups where two are compared" in capsys.readouterr().err
