"""The synthetic cohort: plausible where the print leaves room, and never taken for patients."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from helpers.analysis import analyse
from helpers.cohort import PAPER_COHORT, ROOT, SECOND_COHORT, load_cohort
from helpers.estimators.adjusted import separate_curves
from helpers.estimators.times import follow_up
from helpers.rebuild.patients import FIRST_RESPONSE, RECOVERED
from helpers.regression import cox_table
from helpers.view import View, Where, with_cuts


@pytest.fixture(scope="module", params=[PAPER_COHORT, SECOND_COHORT])
def made(request):
    """Each of the two committed cohorts."""
    return load_cohort(request.param)


@pytest.fixture
def first(made):
    return made.frame["arm"] == "CD20 CAR-T"


SHA256 = {
    PAPER_COHORT: "2e13865d53b3dffe2c6c4d409d3250b4ab14baaea49173b868e843f55cb2cca0",
    SECOND_COHORT: "fb85b515690e0ac8db797dfd7a0da77a95bb0bbb26066f47f7ad37c0747beba0",
}


@pytest.mark.parametrize("path", SHA256)
def test_the_committed_cohorts_are_those_that_an_earlier_search_found(path):
    text = (ROOT / path).read_bytes().replace(b"\r\n", b"\n")
    assert hashlib.sha256(text).hexdigest() == SHA256[path]


@pytest.mark.parametrize("path", [PAPER_COHORT, SECOND_COHORT])
def test_no_row_can_be_mistaken_for_a_patient(path):
    raw, made = pd.read_csv(ROOT / path), load_cohort(path)
    assert list(raw["patient_id"]) == [f"SYN-{i:03d}" for i in range(1, 94)]
    assert (raw["data_status"] == "synthetic").all()
    assert made.is_paper and made.status == "synthetic"
    assert "not for treatment decisions" in made.caution.lower()


def test_arms_and_responses_have_the_printed_sizes(made, first):
    assert first.sum() == 54 and (~first).sum() == 39
    table = made.frame.groupby(["arm", "response"]).size()
    assert table["CD20 CAR-T", "CR"] == 15 and table["non-CAR-T", "CR"] == 3
    assert table["non-CAR-T", "NE"] == 1 and ("CD20 CAR-T", "NE") not in table


def test_nobody_dies_before_progressing_or_after_being_watched_for_the_last_time(made):
    assert (made.frame["pfs_time"] <= made.frame["os_time"]).all()
    same = made.frame["pfs_time"] == made.frame["os_time"]
    assert (made.frame.loc[same, "pfs_event"] == made.frame.loc[same, "os_event"]).all()


def test_responses_are_seen_at_the_first_assessment_or_later(made):
    responders = made.frame[made.frame["response"].isin(["CR", "PR"])]
    assert (responders["pfs_time"] >= FIRST_RESPONSE).all()


def test_the_unevaluable_patient_died_or_left_before_the_first_assessment(made):
    (time,) = made.frame.loc[made.frame["response"] == "NE", "os_time"]
    assert time < FIRST_RESPONSE


def test_the_ipi_is_the_sum_of_its_parts(made):
    frame = made.frame
    parts = (
        (frame["age"] > 60).astype(int) + (frame["stage"] >= 3) + (frame["ldh_ratio"] > 1)
        + (frame["ecog"] >= 2) + (frame["extranodal_sites"] > 1)
    )  # fmt: skip
    assert (parts == frame["ipi"]).all()


def test_at_most_eight_controls_have_an_ecog_of_three_or_more(made, first):
    assert (made.frame.loc[~first, "ecog"] >= 3).sum() <= 8


@pytest.mark.parametrize("endpoint", ["pfs", "os"])
def test_both_risk_factors_harm_in_the_adjusted_model(endpoint, made):
    frame = made.frame.assign(
        ecog_high=(made.frame["ecog"] >= 3) * 1.0, ipi_high=(made.frame["ipi"] >= 3) * 1.0
    )
    table = cox_table(
        frame, time=f"{endpoint}_time", event=f"{endpoint}_event",
        covariates=["arm", "ecog_high", "ipi_high"], references={"arm": "non-CAR-T"},
    ).set_index("term")["estimate"]  # fmt: skip
    assert table["ecog_high"] > 0 and table["ipi_high"] > 0


def test_patients_with_severe_toxicity_outlive_their_recovery(made, first):
    toxic = (made.frame["crs_grade"] >= 3) | (made.frame["icans_grade"] >= 3)
    assert (made.frame.loc[toxic, "os_time"] > RECOVERED).all()
    graded = (made.frame["crs_grade"] > 0) | (made.frame["icans_grade"] > 0)
    assert (made.frame.loc[graded, "ae_recovered"] == "1").all()
    assert (made.frame["crs_grade"] >= 3).sum() == 5 and (made.frame["icans_grade"] >= 3).sum() == 4
    assert made.frame.loc[~first, ["crs_grade", "icans_grade"]].isna().all(axis=None)


def test_every_censored_pfs_has_a_reason_and_few_patients_leave_it_while_watched(made):
    censored = made.frame["pfs_event"] == 0
    assert made.frame.loc[censored, "pfs_censor_reason"].notna().all()
    assert made.frame.loc[~censored, "pfs_censor_reason"].isna().all()
    assert (censored & (made.frame["os_time"] > made.frame["pfs_time"])).sum() <= 20


def test_columns_that_no_source_gives_are_known_and_absent(made):
    book = pd.read_csv(ROOT / "data" / "codebook.csv").set_index("column")
    for column in ("cd20_status", "cd19_product", "bridging", "later_allohct", "response_duration"):
        assert column in book.index and column not in made.frame


def test_times_are_whole_days_within_the_years_of_the_study(made):
    times = made.frame[["pfs_time", "os_time"]]
    assert np.allclose(times, times.round()) and times.min(axis=None) >= 1
    assert times.max(axis=None) <= 1000


R = json.loads((ROOT / "tests" / "fixtures" / "synthetic" / "r.json").read_text())


@pytest.mark.parametrize("endpoint", ["pfs", "os"])
@pytest.mark.parametrize("path", [PAPER_COHORT, SECOND_COHORT])
def test_r_by_itself_reads_the_same_numbers_off_the_file(path, endpoint):
    made, reference = load_cohort(path), R[path]
    answer = analyse(made, View(endpoint=endpoint))
    medians = answer.medians.set_index("group")
    for arm in made.arms:
        for column, value in reference[f"{endpoint} median {arm}"].items():
            np.testing.assert_allclose(medians.at[arm, column], np.float64(value), rtol=1e-9)
    r = reference[f"{endpoint} log-rank"]
    np.testing.assert_allclose(answer.tests.at[0, "p_value"], r["p_value"], rtol=1e-6)
    adjusted = analyse(made, View(endpoint=endpoint, adjust=("ecog >= 3", "ipi >= 3"))).model
    in_first = (Where("arm", values=(made.arms[0],)),)
    ecog = analyse(made, View(endpoint=endpoint, compare="ecog >= 3", where=in_first)).model
    tables = {"adjusted": adjusted[adjusted["model"] == "adjusted"], "ecog": ecog}
    for name, table in tables.items():
        for column, value in reference[f"{endpoint} {name}"].items():
            np.testing.assert_allclose(table[column].iloc[0], value, rtol=1e-6)


@pytest.mark.parametrize("path", [PAPER_COHORT, SECOND_COHORT])
def test_r_reads_the_same_follow_up(path):
    frame = load_cohort(path).frame
    ours = follow_up(frame, time="os_time", event="os_event")["estimate"].iloc[0]
    assert ours == R[path]["follow-up"]["estimate"] == 564


def test_curves_with_a_model_for_each_arm_are_those_of_r():
    r = json.loads((ROOT / "tests" / "fixtures" / "synthetic" / "separate.json").read_text())
    cohort = with_cuts(load_cohort(), View(adjust=("ecog >= 3", "ipi >= 3")))
    curves = separate_curves(
        cohort.frame, time="os_time", event="os_event", covariates=["ecog >= 3", "ipi >= 3"],
        group="arm",
    )  # fmt: skip
    for arm in cohort.arms:
        part = curves[curves["group"] == arm]
        at = np.searchsorted(part["time"], r["days"], side="right") - 1
        np.testing.assert_allclose(part["estimate"].to_numpy()[at], r[arm], rtol=1e-6)
