"""What the print gives away is computed, not quoted; the ledger claims no more than it knows."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cohorts import german
from hypothesis import given
from hypothesis import strategies as st

from helpers.cohort import PAPER_COHORT, ROOT, SECOND_COHORT, load_cohort
from helpers.estimators.response import odds_ratios, response_p
from helpers.paper.forensics import (
    counts_that_print,
    e_values,
    follow_up_bound,
    interval_against_p,
    month_lengths,
    possible_tables,
    response_tests,
)
from helpers.paper.ledger import MARGIN, NOT_MET, claims, inside, ledger
from helpers.paper.published import (
    READINGS,
    VERDICTS,
    load_published,
    printing_interval,
    prints_as,
)
from helpers.workshop.cli import main

IDS = [
    "n_total", "n_cd20", "n_noncart", "crr_cd20", "crr_noncart", "crr_p", "followup", "pfs_cd20",
    "pfs_noncart", "pfs_p", "os_cd20", "os_noncart", "os_p", "os_hr", "pfs_hr", "crs_g3",
    "icans_g3", "ae_recovered", "ipi_orr_or", "ecog_hr", "ecog_os",
]  # fmt: skip
PUBLISHED = load_published().set_index("id")


@pytest.fixture(scope="module")
def paper():
    return load_cohort(PAPER_COHORT)


@pytest.fixture(scope="module")
def met(paper):
    return ledger(paper).set_index("id")


def by_test(responders, patients):
    table = response_tests()
    rows = table[(table["responders"] == responders) & (table["patients"] == patients)]
    return rows.set_index("test")


# What was printed


def test_every_printed_number_has_a_row():
    assert set(IDS) <= set(PUBLISHED.index)
    assert PUBLISHED.index.is_unique
    columns = [
        "id", "quantity", "arm", "endpoint", "printed", "value", "low", "high", "decimals",
        "p_printed", "lower_bound", "upper_bound", "reading", "attainable", "source",
    ]  # fmt: skip
    assert list(load_published().columns) == columns
    assert set(PUBLISHED["source"]) == {"abstract", "press article"}


def test_only_the_rate_of_severe_crs_is_not_attainable():
    assert list(PUBLISHED.index[PUBLISHED["attainable"] == "no"]) == ["crs_g3"]


def test_every_reading_that_a_row_names_exists():
    named = {name for text in PUBLISHED["reading"] for name in text.split(";") if name}
    assert named == set(READINGS)


def test_intervals_in_the_file_are_those_of_the_print():
    for row in PUBLISHED[PUBLISHED["decimals"].notna()].itertuples():
        assert (row.low, row.high) == printing_interval(row.printed, row.decimals), row.Index
        assert row.low <= row.value <= row.high
        assert prints_as(float(f"{row.value}"), row.printed, row.decimals) or "<" in row.printed


def test_printing_intervals_of_known_numbers():
    assert printing_interval("4.04 months") == (4.035, 4.045)
    assert printing_interval("27.8%") == (27.75, 27.85)
    assert printing_interval("P < 0.0001") == (0, 0.0001)
    assert printing_interval("0.10") == (0.095, 0.105)
    assert printing_interval("0.8") == (0.75, 0.85)
    assert printing_interval("0.8", 2) == (0.795, 0.805)
    with pytest.raises(ValueError, match="To do"):
        printing_interval("all recovered")


@given(st.integers(0, 10**6), st.integers(0, 5), st.floats(0.001, 0.999))
def test_every_value_inside_the_interval_prints_so(digits, decimals, share):
    printed = f"{digits / 10**decimals:.{decimals}f}"
    low, high = printing_interval(printed)
    value = low + share * (high - low)
    assert prints_as(value, printed)
    assert f"{abs(value):.{decimals}f}" == printed
    assert not prints_as(high + (high - low) * share, printed)
    assert not prints_as(low - (high - low) * share, printed)


def test_the_verdict_words_are_the_six_agreed_ones():
    assert list(VERDICTS) == [
        "follows from printed counts", "internally consistent", "met by construction",
        "met under a stated reading", "cannot be as printed", "needs patient data",
    ]  # fmt: skip


# What the printed numbers give away


def test_fisher_and_logistic_wald_print_the_p_of_the_response_and_others_do_not():
    tests = by_test(3, 38)
    expected = {"Fisher": 0.0307, "logistic Wald": 0.0259, "Pearson": 0.0179, "Yates": 0.0357,
                "likelihood ratio": 0.0131}  # fmt: skip
    for name, p in expected.items():
        assert tests.at[name, "p_value"] == pytest.approx(p, abs=5e-5)
    assert set(tests.index[tests["prints"]]) == {"Fisher", "logistic Wald"}


def test_yates_would_print_it_with_a_denominator_of_39():
    assert by_test(3, 39).at["Yates", "prints"]
    assert by_test(3, 39).at["Yates", "p_value"] == pytest.approx(0.0313, abs=5e-5)


@pytest.mark.parametrize("patients", [38, 39])
def test_one_more_response_ends_the_finding_by_fishers_test(patients):
    row = by_test(4, patients).loc["Fisher"]
    assert row["p_value"] == pytest.approx(0.066, abs=5e-4) and not row["significant"]


def test_with_one_more_response_the_tests_without_correction_still_find_it():
    rows = by_test(4, 38)
    assert set(rows.index[rows["significant"]]) == {"Pearson", "likelihood ratio"}


def test_all_month_values_are_whole_days_at_a_twelfth_of_a_year():
    table = month_lengths()
    days = table[table["month"] == "365/12"].set_index("id")["whole_day"]
    assert days.to_dict() == {
        "pfs_cd20": 123, "pfs_noncart": 69, "os_cd20": 248, "os_noncart": 92, "followup": 564,
    }  # fmt: skip


def test_which_other_months_have_whole_or_half_days():
    table = month_lengths()
    whole = table.groupby("month")["whole_day"].agg(lambda days: days.notna().all())
    half = table.groupby("month")["half_day"].agg(lambda days: days.notna().all())
    assert set(whole.index[whole]) == {"365/12", "30.42"}
    assert set(half.index[half]) == {"365/12", "30.42", "30.44"}
    for month in ("30.4375", "30.44"):
        rows = table[table["month"] == month]
        assert set(rows.loc[rows["whole_day"].isna(), "id"]) == {"followup"}


def test_the_printed_follow_up_is_not_the_plain_median():
    total = follow_up_bound().iloc[-1]
    assert (total["most_watched"], total["patients"], total["months"]) == (46, 93, 8.15)
    assert total["possible"] is False


@pytest.mark.parametrize("decimals", [1, 2])
def test_four_tables_print_the_odds_ratio(decimals):
    found = possible_tables(decimals=decimals)
    listed = [(22, 8, 21), (25, 11, 21), (29, 8, 14), (32, 11, 14)]
    assert list(found.iloc[:, :3].itertuples(index=False, name=None)) == listed
    assert found["p_value"].round(4).eq(0.0371).all()
    assert found["fisher_p"].round(3).eq(0.052).all()
    assert list((100 * found["response_rate"]).round(1)) == [53.7, 59.3, 40.7, 46.3]


@pytest.mark.parametrize(
    ("n", "interval"), [(54, "profile"), (53, "Wald"), (52, "Wald"), (53, "profile")]
)
def test_no_table_is_left_otherwise(n, interval):
    assert possible_tables(n, interval).empty


def test_the_profile_limits_lose_the_quantile_of_the_likelihood():
    from scipy.optimize import minimize_scalar

    def loglik(log_odds, intercept):
        return sum(
            y * (intercept + log_odds * x) - n * np.log1p(np.exp(intercept + log_odds * x))
            for x, y, n in ((1, 8, 22), (0, 21, 32))
        )

    row = odds_ratios([8], [22], [21], [32], "profile").iloc[0]
    best = loglik(np.log(row["odds_ratio"]), np.log(21 / 11))
    for limit in np.log([row["low"], row["high"]]):
        most = minimize_scalar(lambda b, limit=limit: -loglik(limit, b), bracket=(-1, 1))
        assert 2 * (best + most.fun) == pytest.approx(3.841459, abs=1e-5)


def test_each_interval_agrees_with_its_p():
    table = interval_against_p().set_index("id")
    expected = {"os_hr": (0.296, -4.3), "pfs_hr": (0.277, -2.8), "ecog_hr": (0.476, 2.4)}
    for name, (error, z) in expected.items():
        assert table.at[name, "std_error"] == pytest.approx(error, abs=5e-4)
        assert table.at[name, "z"] == pytest.approx(z, abs=0.05)
        assert table.at[name, "prints"]
    assert table.at["pfs_hr", "p_value"] == pytest.approx(0.0051, abs=5e-5)
    assert table.at["ecog_hr", "p_value"] == pytest.approx(0.017, abs=5e-4)
    assert table["agrees"].all()


def test_the_digits_of_the_ipi_row_alone_would_print_another_p():
    row = interval_against_p().set_index("id").loc["ipi_orr_or"]
    assert row["p_value"] == pytest.approx(0.0343, abs=5e-5)
    assert not row["prints"] and row["p_low"] < 0.0371 < row["p_high"]


def test_no_count_prints_nine_point_two_percent():
    assert counts_that_print("9.2", range(40, 60)).empty
    assert prints_as(100 * 5 / 54, "9.3%")
    found = counts_that_print("7.4")
    assert found[["count", "n"]].to_numpy().tolist() == [[4, 54]]


def test_e_values():
    table = e_values().set_index(["id", "of"]).round(2)
    assert table[["common", "rare"]].to_numpy().tolist() == [
        [4.19, 6.60], [2.56, 3.33], [2.80, 3.77], [1.61, 1.81],
    ]  # fmt: skip


# The ledger


def test_the_ledger_has_a_row_for_every_number_limit_and_p():
    table = ledger()
    assert list(table.columns) == ["id", "quantity", "printed", "computed", "verdict", "reason"]
    assert table["id"].is_unique and set(IDS) <= set(table["id"])
    for name in ("os_hr", "pfs_hr", "ipi_orr_or", "ecog_hr"):
        assert {f"{name}.low", f"{name}.high", f"{name}.p"} <= set(table["id"])
    assert (table["reason"] != "").all()


def every_reading():
    return [{name: other} for name, reading in READINGS.items() for other in reading.alternatives]


@pytest.mark.parametrize("readings", [None, *every_reading()], ids=str)
def test_without_a_cohort_nothing_is_called_met(readings):
    verdicts = set(ledger(readings=readings)["verdict"])
    assert verdicts <= {v for v in VERDICTS if "met" not in v}


def test_without_a_cohort_the_verdicts_are_these():
    verdict = ledger().set_index("id")["verdict"]
    assert verdict["n_cd20.percent"] == "follows from printed counts"
    assert verdict["os_hr.p"] == verdict["icans_g3"] == "internally consistent"
    assert verdict["crs_g3"] == "cannot be as printed"
    assert verdict["os_hr"] == verdict["pfs_cd20"] == "needs patient data"


@pytest.mark.parametrize(
    ("reading", "value", "changed", "verdict"),
    [
        ("test behind crr_p", "Yates", "crr_p", "cannot be as printed"),
        ("test behind crr_p", "logistic Wald", "crr_p", "follows from printed counts"),
        ("Wald or profile", "profile", "ipi_orr_or", "cannot be as printed"),
        ("follow-up definition", "plain median", "followup", "cannot be as printed"),
        ("5/54 for 9.2%", "truncated", "crs_g3", "internally consistent"),
    ],
)
def test_readings_can_be_switched(reading, value, changed, verdict):
    assert ledger(readings={reading: value}).set_index("id").at[changed, "verdict"] == verdict


def test_yates_depends_on_the_denominator():
    assert not prints_as(response_p("Yates", 15, 54, 3, 38), "0.03")
    assert prints_as(response_p("Yates", 15, 54, 3, 39), "0.03")


def test_unknown_readings_are_refused():
    with pytest.raises(ValueError, match="Fisher"):
        ledger(readings={"test behind crr_p": "guess"})
    with pytest.raises(ValueError, match="month length"):
        ledger(readings={"weather": "fair"})


def test_another_cohort_is_never_compared_with_the_paper():
    with pytest.raises(ValueError, match="not built for the published numbers"):
        ledger(german())


def test_a_cohort_without_the_columns_is_refused():
    cohort = german()
    with pytest.raises(ValueError, match="pfs_time: found no such column"):
        ledger(replace(cohort, is_paper=True))


def test_nothing_is_met_on_the_edge_of_its_interval():
    claim = claims().set_index("id").loc["os_hr"]
    width = claim["high"] - claim["low"]
    for share, expected in ((0.5, True), (0.011, True), (0.009, False), (0.991, False)):
        assert inside(claim["low"] + share * width, claim, MARGIN) is expected
    small = claims().set_index("id").loc["os_p"]
    assert inside(1e-12, small, MARGIN) and not inside(0.0000995, small, MARGIN)
    assert not inside(np.nan, claim, MARGIN)


def test_the_synthetic_cohort_meets_every_attainable_number(met):
    attainable = claims().set_index("id")["attainable"] == "yes"
    allowed = {"met by construction", "met under a stated reading", "follows from printed counts"}
    assert set(met.loc[attainable, "verdict"]) <= allowed
    assert met.at["crs_g3", "verdict"] == "cannot be as printed"


def test_a_row_that_rests_on_a_reading_names_it(met):
    rows = claims().set_index("id")
    for name in rows.index[(rows["reading"] != "") & (rows["attainable"] == "yes")]:
        assert met.at[name, "verdict"] == "met under a stated reading"
        for reading in rows.at[name, "reading"].split(";"):
            told = f"{reading}: {READINGS[reading].default}".lower()
            assert told in met.at[name, "reason"].lower()


@pytest.mark.parametrize(
    ("reading", "value", "missed"),
    [
        ("test behind crr_p", "Yates", "crr_p"),
        ("month length", "30", "os_cd20"),
        ("follow-up definition", "plain median", "followup"),
        ("ECOG endpoint", "OS", "ecog_hr"),
        ("adjustment covariates", "none", "os_hr"),
        ("Wald or profile", "profile", "ipi_orr_or.high"),
    ],
)
def test_another_reading_is_not_met_and_says_so(paper, reading, value, missed):
    row = ledger(paper, {reading: value}).set_index("id").loc[missed]
    assert row["verdict"] == NOT_MET and "Not within" in row["reason"]


@pytest.mark.parametrize(
    ("reading", "choice", "changed"),
    [
        ("tie rule", "Breslow", "pfs_hr"),
        ("tie rule", "exact", "ecog_hr"),
        ("Wald or profile", "profile", "ecog_hr.low"),
        ("ECOG endpoint", "OS", "ecog_hr"),
        ("adjustment covariates", "none", "os_hr"),
    ],
)
def test_a_reading_changes_the_number_and_the_verdict_names_it(paper, reading, choice, changed):
    ours = ledger(paper).set_index("id")
    other = ledger(paper, {reading: choice}).set_index("id")
    assert reading.lower() in ours.at[changed, "reason"].lower()
    assert other.at[changed, "verdict"] == NOT_MET
    assert other.at[changed, "computed"] != ours.at[changed, "computed"]
    assert other.at["os_cd20", "verdict"] == ours.at["os_cd20", "verdict"]


def test_the_command_line_takes_a_reading_and_fails_when_it_is_not_met(capsys):
    assert main(["check", "--reading", "tie rule=Breslow"]) == 1
    assert "2  not met" in capsys.readouterr().out
    assert main(["check", "--reading", "tie rule=fair"]) == 2
    assert "use one of Efron, Breslow, exact" in capsys.readouterr().err


def test_truncation_is_a_reading_under_which_crs_is_met(paper):
    row = ledger(paper, {"5/54 for 9.2%": "truncated"}).set_index("id").loc["crs_g3"]
    assert row["verdict"] == "met under a stated reading" and "truncated" in row["reason"]


def test_a_changed_cohort_is_not_met(paper):
    frame = paper.frame.copy()
    frame["os_time"] = frame["os_time"] + 30
    table = ledger(replace(paper, frame=frame)).set_index("id")
    assert table.at["os_cd20", "verdict"] == NOT_MET


def test_a_median_on_a_plateau_is_not_met(paper):
    frame = paper.frame.copy()
    last = frame["arm"] == "CD20 CAR-T"
    frame.loc[last, "os_event"] = 1
    frame.loc[last, "os_time"] = np.arange(1.0, 55.0) * 10 + 300
    frame.loc[last, "pfs_time"] = frame.loc[last, "pfs_time"].clip(upper=300)
    row = ledger(replace(paper, frame=frame)).set_index("id").loc["os_cd20"]
    assert row["verdict"] == NOT_MET and "level at 0.5" in row["reason"]


# The command line


def test_check_prints_the_ledger_and_writes_it(paper, capsys):
    assert main(["check"]) == 0
    told = capsys.readouterr().out
    assert "SYNTHETIC DATA, not patients" in told and "ecog_hr.high" in told
    written = pd.read_csv(ROOT / "build" / "ledger.csv")
    assert list(written["id"]) == list(ledger()["id"])


def test_check_speaks_json(capsys):
    assert main(["check", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["id"] for row in rows} == set(ledger()["id"])


def test_check_without_a_cohort_judges_the_print_alone(monkeypatch, capsys):
    monkeypatch.setattr("helpers.cohort.PAPER_COHORT", "data/absent.csv")
    assert main(["check"]) == 0
    told = capsys.readouterr().out
    assert "From the printed numbers alone." in told and "not met" not in told


def test_check_fails_when_an_attainable_number_is_not_met(paper, monkeypatch, capsys):
    frame = paper.frame.assign(os_time=paper.frame["os_time"] + 30)
    changed = replace(paper, frame=frame)
    monkeypatch.setattr("helpers.workshop.cli.given_cohort", lambda path, **_: changed)
    assert main(["check"]) == 1
    assert "not met" in capsys.readouterr().out


def test_check_refuses_another_cohort(tmp_path, capsys):
    path = tmp_path / "other.csv"
    path.write_text("patient_id,arm,os_time,os_event\na,x,5,1\nb,y,6,0\nc,x,7,1\nd,y,8,1\n")
    assert main(["check", "--cohort", str(path)]) == 2
    told = capsys.readouterr()
    assert "not built for the published numbers" in told.err and not told.out


def test_check_judges_a_cohort_that_calibrate_wrote_wherever_it_lies(tmp_path, capsys):
    rows = pd.read_csv(ROOT / SECOND_COHORT, dtype=str, keep_default_na=False)
    rows.to_csv(tmp_path / "member.csv", index=False)
    assert main(["check", "--cohort", str(tmp_path / "member.csv")]) == 0
    assert " not met" not in capsys.readouterr().out
    later = rows.assign(os_time=(rows["os_time"].astype(int) + 30).astype(str))
    later.to_csv(tmp_path / "later.csv", index=False)
    assert main(["check", "--cohort", str(tmp_path / "later.csv")]) == 1


@pytest.mark.parametrize("said", [None, "private", "synthetic in parts"])
def test_rows_that_do_not_call_themselves_synthetic_are_never_judged_as_built(tmp_path, said):
    rows = pd.read_csv(ROOT / SECOND_COHORT, dtype=str, keep_default_na=False)
    rows = rows.drop(columns="data_status") if said is None else rows.assign(data_status=said)
    rows.to_csv(tmp_path / "theirs.csv", index=False)
    assert main(["check", "--cohort", str(tmp_path / "theirs.csv")]) == 2
    assert not load_cohort(tmp_path / "theirs.csv").is_paper
