"""What leaves the project carries its data status and gives away no small count."""

import numpy as np
import pandas as pd
import pytest
from cohorts import german, make_cohort

from helpers.analysis import analyse
from helpers.export import COUNTS, export, mask_counts, masked, methods
from helpers.view import View


@pytest.fixture
def private(tmp_path):
    """A reader's cohort of 60 with enough events, and a subgroup in which one arm has few."""
    rng = np.random.default_rng(7)
    return make_cohort(
        tmp_path,
        {
            "os_time": rng.integers(30, 1500, 60), "os_event": [1, 0, 0, 1, 1, 0] * 10,
            "age": [40 + i for i in range(60)],
        },
    )  # fmt: skip


def cells(frame):
    return frame[[c for c in COUNTS if c in frame]].to_numpy().ravel()


FEW = View.read("{where: [{column: age, min: 76}]}")


def read_all(folder):
    return {path.stem: pd.read_csv(path, dtype=str) for path in folder.glob("*.csv")}


def test_counts_stand_in_one_table_and_none_is_small(private, tmp_path):
    assert private.mask_below == 5
    answer = analyse(private, FEW)
    export(answer, tmp_path / "out")
    tables = read_all(tmp_path / "out")
    assert {"n_event", "n_censor", "n", "std_error", "statistic"}.isdisjoint(
        column for frame in tables.values() for column in frame
    )
    for frame in tables.values():
        for value in cells(frame):
            assert value in ("<5", "*") or not 0 < float(value) < 5
    assert "<5" in cells(tables["counts"]), "nothing was there to mask"


def test_a_group_with_a_masked_count_is_in_no_other_table(private, tmp_path):
    answer = analyse(private, FEW)
    counts = answer.counts.set_index("group")[["events", "censored"]]
    small = [name for name, row in counts.iterrows() if ((row > 0) & (row < 5)).any()]
    assert small
    export(answer, tmp_path / "out")
    for name, frame in read_all(tmp_path / "out").items():
        if "group" in frame and name != "counts":
            assert not frame["group"].str.contains("|".join(small)).any(), name


def test_small_numbers_in_remarks_are_masked(private):
    remarks = analyse(private, View.read("{where: [{column: age, min: 43}]}"))
    assert "3 patients outside" in " ".join(remarks.notes["note"])
    assert "<5 patients outside" in " ".join(masked(remarks).notes["note"])


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
    shown = masked(answer).curves["estimate"]
    assert np.allclose(shown, shown.round(2))


def test_a_masked_export_has_no_figure_since_every_step_is_a_patient(private, tmp_path):
    names = {path.name for path in export(analyse(private, View()), tmp_path / "out")}
    assert {"view.json", "methods.txt", "curves.csv", "model.csv"} <= names
    assert not {"survival.png", "survival.pdf", "caption.txt"} & names


def test_what_was_published_is_exported_whole_and_marked_in_every_row(tmp_path):
    answer = analyse(german(), View())
    written = export(answer, tmp_path)
    assert {"survival.png", "survival.pdf", "caption.txt"} <= {path.name for path in written}
    for path in tmp_path.glob("*.csv"):
        frame = pd.read_csv(path)
        assert (frame["data_status"] == answer.source).all()
    curves = pd.read_csv(tmp_path / "curves.csv")
    np.testing.assert_allclose(curves["estimate"], answer.curves["estimate"])
    assert View.read((tmp_path / "view.json").read_text()) == answer.view


def test_no_export_holds_a_patient_id(private, tmp_path):
    for path in export(analyse(private, View()), tmp_path / "out"):
        assert "p17" not in path.read_bytes().decode("latin-1")


def test_the_same_answer_is_the_same_files(tmp_path):
    answer = analyse(german(), View())
    one, two = export(answer, tmp_path / "a"), export(answer, tmp_path / "b")
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]


def test_the_methods_text_states_view_and_conventions():
    view = View.read(
        "{adjust: [grade], landmark: 90, horizon: 365, where: [{column: age, min: 50}]}"
    )
    text = methods(analyse(german(), view))
    for part in (
        "real, published",
        "Age 50 years or more",
        "tumour grade",
        "Efron",
        "landmark",
        "day 365",
        "365/12",
    ):
        assert part in text
