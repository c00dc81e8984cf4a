"""What leaves the project carries its data status and gives away no small count."""

import numpy as np
import pandas as pd
import pytest
from cohorts import make_cohort

from helpers.analysis import analyse
from helpers.cohort import load_cohort
from helpers.export import COUNTS, export, mask_counts, masked, methods
from helpers.view import View


@pytest.fixture
def private(tmp_path):
    """A reader's cohort of 40, in which few have an event early on."""
    rng = np.random.default_rng(7)
    days = rng.integers(30, 1500, 40)
    return make_cohort(tmp_path, {"os_time": days, "os_event": [1, 0, 0, 0, 0] * 8})


def cells(frame):
    return frame[[c for c in COUNTS if c in frame]].to_numpy().ravel()


def test_no_small_count_is_exported_from_a_readers_cohort(private, tmp_path):
    assert private.mask_below == 5
    answer = analyse(private, View(horizon=365.0))
    export(answer, tmp_path / "out")
    for path in (tmp_path / "out").glob("*.csv"):
        for value in cells(pd.read_csv(path, dtype=str)):
            assert value in ("<5", "*") or pd.isna(value) or not 0 < float(value) < 5, path
    unmasked = [0 < float(v) < 5 for v in cells(answer.risk_table)]
    assert any(unmasked), "nothing was there to mask"


def test_a_masked_count_cannot_be_worked_out_from_its_row():
    counts = pd.DataFrame({"patients": [20], "events": [3], "censored": [17]})
    shown = mask_counts(counts, 5).iloc[0]
    assert shown["events"] == "<5" and shown["censored"] == "*" and shown["patients"] == 20


def test_zero_and_large_counts_stay_and_no_masking_changes_nothing():
    counts = pd.DataFrame({"patients": [20, 5], "events": [0, 5], "censored": [20, 0]})
    assert mask_counts(counts, 5).astype(int).equals(counts)
    assert mask_counts(counts, 0) is counts


def test_masked_curves_come_on_a_coarse_grid(private):
    answer = analyse(private, View())
    assert len(masked(answer).curves) < len(answer.curves) / 2
    steps = set(answer.curves["time"])
    assert not steps & set(masked(answer).curves["time"])


def test_a_masked_export_has_no_figure_since_every_step_is_a_patient(private, tmp_path):
    names = {path.name for path in export(analyse(private, View()), tmp_path / "out")}
    assert {"view.json", "methods.txt", "curves.csv", "model.csv"} <= names
    assert not {"survival.png", "survival.pdf", "caption.txt"} & names


def test_what_was_published_is_exported_whole_and_marked_in_every_row(tmp_path):
    answer = analyse(load_cohort(), View())
    written = export(answer, tmp_path)
    assert {"survival.png", "survival.pdf", "caption.txt"} <= {path.name for path in written}
    for path in tmp_path.glob("*.csv"):
        frame = pd.read_csv(path)
        assert (frame["data_status"] == answer.cohort.status_line).all()
    curves = pd.read_csv(tmp_path / "curves.csv")
    np.testing.assert_allclose(curves["estimate"], answer.curves["estimate"])
    assert View.read((tmp_path / "view.json").read_text()) == answer.view


def test_no_export_holds_a_patient_id(private, tmp_path):
    for path in export(analyse(private, View()), tmp_path / "out"):
        assert "p17" not in path.read_bytes().decode("latin-1")


def test_the_same_answer_is_the_same_files(tmp_path):
    answer = analyse(load_cohort(), View())
    one, two = export(answer, tmp_path / "a"), export(answer, tmp_path / "b")
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]


def test_the_methods_text_states_view_and_conventions():
    view = View.read(
        "{adjust: [grade], landmark: 90, horizon: 365, where: [{column: age, min: 50}]}"
    )
    text = methods(analyse(load_cohort(), view))
    for part in ("real, published", "50 <= age", "grade", "Efron", "landmark", "day 365", "365/12"):
        assert part in text
