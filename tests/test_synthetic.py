"""The synthetic cohort: plausible where the print leaves room, and never taken for patients."""

import json

import numpy as np
import pandas as pd
import pytest

from helpers.analysis import analyse
from helpers.cohort import PAPER_COHORT, ROOT, load_cohort
from helpers.regression import cox_table
from helpers.survival import follow_up
from helpers.view import View
from helpers.workshop.patients import FIRST_RESPONSE, RECOVERED

COHORT = load_cohort(PAPER_COHORT)
FRAME = COHORT.frame
FIRST = FRAME["arm"] == "CD20 CAR-T"


def test_no_row_can_be_mistaken_for_a_patient():
    raw = pd.read_csv(ROOT / PAPER_COHORT)
    assert list(raw["patient_id"]) == [f"SYN-{i:03d}" for i in range(1, 94)]
    assert (raw["data_status"] == "synthetic").all()
    assert COHORT.is_paper and COHORT.status == "synthetic"
    assert "not for treatment decisions" in COHORT.caution.lower()


def test_arms_and_responses_have_the_printed_sizes():
    assert FIRST.sum() == 54 and (~FIRST).sum() == 39
    table = FRAME.groupby(["arm", "response"]).size()
    assert table["CD20 CAR-T", "CR"] == 15 and table["non-CAR-T", "CR"] == 3
    assert table["non-CAR-T", "NE"] == 1 and ("CD20 CAR-T", "NE") not in table


def test_nobody_dies_before_progressing_or_after_being_watched_for_the_last_time():
    assert (FRAME["pfs_time"] <= FRAME["os_time"]).all()
    same = FRAME["pfs_time"] == FRAME["os_time"]
    assert (FRAME.loc[same, "pfs_event"] == FRAME.loc[same, "os_event"]).all()


def test_responses_are_seen_at_the_first_assessment_or_later():
    responders = FRAME[FRAME["response"].isin(["CR", "PR"])]
    assert (responders["pfs_time"] >= FIRST_RESPONSE).all()


def test_the_unevaluable_patient_died_or_left_before_the_first_assessment():
    (time,) = FRAME.loc[FRAME["response"] == "NE", "os_time"]
    assert time < FIRST_RESPONSE


def test_the_ipi_is_the_sum_of_its_parts():
    parts = (
        (FRAME["age"] > 60).astype(int) + (FRAME["stage"] >= 3) + (FRAME["ldh_ratio"] > 1)
        + (FRAME["ecog"] >= 2) + (FRAME["extranodal_sites"] > 1)
    )  # fmt: skip
    assert (parts == FRAME["ipi"]).all()


def test_at_most_eight_controls_have_an_ecog_of_three_or_more():
    assert (FRAME.loc[~FIRST, "ecog"] >= 3).sum() <= 8


@pytest.mark.parametrize("endpoint", ["pfs", "os"])
def test_both_risk_factors_harm_in_the_adjusted_model(endpoint):
    frame = FRAME.assign(ecog_high=(FRAME["ecog"] >= 3) * 1.0, ipi_high=(FRAME["ipi"] >= 3) * 1.0)
    table = cox_table(
        frame, time=f"{endpoint}_time", event=f"{endpoint}_event",
        covariates=["arm", "ecog_high", "ipi_high"], references={"arm": "non-CAR-T"},
    ).set_index("term")["estimate"]  # fmt: skip
    assert table["ecog_high"] > 0 and table["ipi_high"] > 0


def test_patients_with_severe_toxicity_outlive_their_recovery():
    toxic = (FRAME["crs_grade"] >= 3) | (FRAME["icans_grade"] >= 3)
    assert (FRAME.loc[toxic, "os_time"] > RECOVERED).all()
    graded = (FRAME["crs_grade"] > 0) | (FRAME["icans_grade"] > 0)
    assert (FRAME.loc[graded, "ae_recovered"] == "1").all()
    assert (FRAME["crs_grade"] >= 3).sum() == 5 and (FRAME["icans_grade"] >= 3).sum() == 4
    assert FRAME.loc[~FIRST, ["crs_grade", "icans_grade"]].isna().all(axis=None)


def test_every_censored_pfs_has_a_reason_and_few_patients_leave_it_while_watched():
    censored = FRAME["pfs_event"] == 0
    assert FRAME.loc[censored, "pfs_censor_reason"].notna().all()
    assert FRAME.loc[~censored, "pfs_censor_reason"].isna().all()
    assert (censored & (FRAME["os_time"] > FRAME["pfs_time"])).sum() <= 20


def test_columns_that_no_source_gives_are_known_and_absent():
    book = pd.read_csv(ROOT / "data" / "codebook.csv").set_index("column")
    for column in ("cd20_status", "cd19_product", "bridging", "later_allohct", "response_duration"):
        assert column in book.index and column not in FRAME


def test_times_are_whole_days_within_the_years_of_the_study():
    times = FRAME[["pfs_time", "os_time"]]
    assert np.allclose(times, times.round()) and times.min(axis=None) >= 1
    assert times.max(axis=None) <= 1000


R = json.loads((ROOT / "tests" / "fixtures" / "synthetic" / "r.json").read_text())


@pytest.mark.parametrize("endpoint", ["pfs", "os"])
def test_r_by_itself_reads_the_same_numbers_off_the_file(endpoint):
    answer = analyse(COHORT, View(endpoint=endpoint))
    medians = answer.medians.set_index("group")
    for arm in COHORT.arms:
        r = R[f"{endpoint} median {arm}"]
        for column, value in r.items():
            np.testing.assert_allclose(medians.at[arm, column], np.float64(value), rtol=1e-9)
    r = R[f"{endpoint} log-rank"]
    np.testing.assert_allclose(answer.tests.at[0, "p_value"], r["p_value"], rtol=1e-6)
    frame = FRAME.assign(ecog_high=(FRAME["ecog"] >= 3) * 1.0, ipi_high=(FRAME["ipi"] >= 3) * 1.0)
    keys = {"time": f"{endpoint}_time", "event": f"{endpoint}_event"}
    adjusted = cox_table(
        frame, **keys, covariates=["arm", "ecog_high", "ipi_high"],
        references={"arm": "non-CAR-T"},
    )  # fmt: skip
    ecog = cox_table(frame[FIRST], **keys, covariates=["ecog_high"])
    for table, name in ((adjusted, "adjusted"), (ecog, "ecog")):
        for column, value in R[f"{endpoint} {name}"].items():
            np.testing.assert_allclose(table[column].iloc[0], value, rtol=1e-6)


def test_r_reads_the_same_follow_up():
    ours = follow_up(FRAME, time="os_time", event="os_event")["estimate"].iloc[0]
    assert ours == R["follow-up"]["estimate"] == 564
