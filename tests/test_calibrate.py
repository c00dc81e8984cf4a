"""The search: numbered attempts, the same members for any number of workers, resumable."""

import json

import pandas as pd
import pytest

from helpers.cohort import PAPER_COHORT, ROOT, SECOND_COHORT
from helpers.workshop import calibrate


@pytest.mark.parametrize(
    ("path", "seed", "attempt"), [(PAPER_COHORT, 20240625, 22), (SECOND_COHORT, 7, 71)]
)
def test_the_committed_cohorts_come_out_of_their_attempts(tmp_path, path, seed, attempt):
    member = calibrate.attempt(seed, attempt)
    calibrate.write_cohort(member, tmp_path / "again.csv")
    again, committed = (pd.read_csv(p) for p in (tmp_path / "again.csv", ROOT / path))
    pd.testing.assert_frame_equal(again, committed)


@pytest.fixture
def quick(monkeypatch):
    """Attempts that take no time: every third one is a member."""
    made = []

    def attempt(seed, number):
        made.append(number)
        return {"seed": seed, "attempt": number} if number % 3 == 2 else None

    monkeypatch.setattr(calibrate, "attempt", attempt)
    return made


def test_members_come_in_the_order_of_their_attempts_and_a_stopped_search_goes_on(tmp_path, quick):
    log, heard = tmp_path / "log.jsonl", []
    find = lambda members: list(  # noqa: E731
        calibrate.search(1, members, log, report=lambda *told: heard.append(told))
    )
    assert [m["attempt"] for m in find(2)] == [2, 5]
    tried = len(quick)
    assert [m["attempt"] for m in find(4)] == [2, 5, 8, 11]
    assert sorted(quick) == sorted(set(quick)), "an attempt was made twice"
    assert len(quick) > tried
    assert heard[-1] == (12, 4)
    assert all(json.loads(line)["seed"] == 1 for line in log.read_text().splitlines())


def test_another_seed_does_not_take_over_attempts_of_the_first(tmp_path, quick):
    log = tmp_path / "log.jsonl"
    for seed in (1, 2):
        found = list(calibrate.search(seed, 1, log, report=lambda *told: None))
        assert found == [{"seed": seed, "attempt": 2}]
