"""Claims files with numbers as journals print them: what each fills, what is refused, the echo."""

import math

import pytest
import yaml

from helpers.conventions import DAYS_PER_MONTH
from helpers.rebuild import measure as m
from helpers.rebuild.checking import in_days
from helpers.rebuild.claims import ClaimsError, build, count_limits, read_claims, time_limits, whole
from helpers.rebuild.contradictions import contradictory_counts
from helpers.rebuild.echo import as_lines, read_back
from helpers.rebuild.proofs import proofs
from helpers.workshop.cli import main


def paper(folder, *claims, **top):
    """A file of these claims, of two arms of 54 and 39 patients."""
    content = {
        "name": "x", "time_unit": "months", "arms": {"new": 54, "old": 39},
        "endpoints": {"os": "Overall survival"}, "factors": {"old": "Age over 60"},
        "claims": [{"id": f"c{k}", "endpoint": "os"} | claim for k, claim in enumerate(claims)],
    }  # fmt: skip
    for claim in content["claims"]:
        if claim["kind"] == "patients":
            del claim["endpoint"]
    path = folder / "claims.yaml"
    path.write_text(yaml.safe_dump(content | top, allow_unicode=True), encoding="utf-8")
    return path


def read(folder, *claims, **top):
    return read_claims(paper(folder, *claims, **top))


def rows(content):
    return {row.id: row for row in build(content).rows}


def median(printed, **more):
    return {"kind": "median", "arm": "new", "printed": printed} | more


def ratio(printed, **more):
    return {"kind": "hazard_ratio", "printed": printed} | more


# What is read


@pytest.mark.parametrize(
    "printed",
    ["0.59 (0.40-0.89)", "0·59 [0·40–0·89]", "0,59 (95%-KI 0,40–0,89)", ".59 (.40 to .89)",
     "HR, 0.59; 95% CI, 0.40 to 0.89"],
)  # fmt: skip
def test_an_interval_behind_a_ratio_is_that_of_the_claim(printed, tmp_path):
    apart = read(tmp_path, ratio("0.59", interval=["0.40", "0.89"]))
    content = read(tmp_path, ratio(printed))
    assert content["claims"][0]["interval"] == ["0.40", "0.89"]
    assert build(content).rows == build(apart).rows


def test_a_p_behind_a_ratio_is_that_of_the_claim_with_its_sides(tmp_path):
    content = read(tmp_path, ratio("(HR, 0.59; 95% CI, 0.40-0.89; one-sided P = .011)"))
    (claim,) = content["claims"]
    assert (claim["printed"], claim["p"], claim["sides"]) == ("0.59", "P = 0.011", 1)
    row = rows(content)["c0.p"]
    # Searched as the two-sided P, which is twice as large.
    assert math.log(0.021) < row.low < math.log(0.022) < row.high < math.log(0.023)


@pytest.mark.parametrize("printed", ["NR", "NE", "not estimable", "Not reached", "NR (18.3–NE)",
                                     "not evaluable", "not yet reached"])  # fmt: skip
def test_a_median_not_reached_is_one_in_every_word(printed, tmp_path):
    content = read(tmp_path, median(printed))
    assert build(content).rows == build(read(tmp_path, median("not reached"))).rows
    assert [row.kind for row in build(content).rows] == [m.LEVEL]


@pytest.mark.parametrize(
    ("printed", "unit", "days"),
    [("73.0 months", "years", 73 * DAYS_PER_MONTH), ("2.5 years", "months", 912.5),
     ("475 days", "months", 475), ("8.0 wk", "days", 56), ("73.0", "months", 73 * DAYS_PER_MONTH),
     ("1,003 days", "months", 1003)],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["median", "follow_up"])
def test_a_time_keeps_the_unit_it_was_printed_in(kind, printed, unit, days, tmp_path):
    content = read(tmp_path, {"kind": kind, "printed": printed}, time_unit=unit)
    (row,) = build(content).rows
    assert row.low <= days <= row.high and row.high - row.low < 40
    low, high = time_limits(content["claims"][0]["printed"], unit)
    assert low <= days < high
    assert proofs(content) == []


def test_a_difference_of_means_keeps_its_unit_and_its_sign(tmp_path):
    claim = {"kind": "rmst_difference", "at": "2 years", "printed": "\u221236 days (-60 to -12)"}
    (row,) = build(read(tmp_path, claim)).rows
    assert -36.5 < row.low < -36.4 and -35.6 < row.high < -35.5 and row.day == pytest.approx(730)


@pytest.mark.parametrize(
    ("text", "days"),
    [(6, 182.5), ("6", 182.5), ("150 days", 150), ("12 mo", 365), ("2 yrs", 730), ("0,5", 15.2083)],
)
def test_a_moment_is_read_by_the_same_rules(text, days):
    assert in_days(text, "months") == pytest.approx(days, abs=1e-3)


@pytest.mark.parametrize("text", ["6 moons", "< 6", "60%", "6 (5-7)", "P = 0.5", "-3", None, "NR",
                                  "6 patients", "1,003"])  # fmt: skip
def test_what_is_no_moment_is_refused(text):
    assert in_days(text, "months") is None


def test_counts_are_whole_and_bounds_end_where_they_say():
    assert count_limits("15/54 (27.8%)", 54) == count_limits("27.8% (n = 15)", 54) == (15, 15)
    assert count_limits("27.8%", 54) == (15, 15) and count_limits("1,003", 2000) == (1003, 1003)
    assert count_limits("< 5", 54) == (0, 4) and count_limits("≤ 5", 54) == (0, 5)
    assert count_limits("> 5", 54) == (6, math.inf) and count_limits("≥ 5", 54) == (5, math.inf)
    assert count_limits("at most 50%", 54) == (0, 27) and count_limits("< 50%", 54) == (0, 26)
    assert whole(11.000000000000002, 12.0) == (11, 11)


@pytest.mark.parametrize(
    ("printed", "days", "possible", "impossible"),
    [("> 24 months", (731, math.inf), "60%", "40%"), ("≤ 12 months", (0, 365), "40%", "60%")],
)
def test_a_bound_on_a_median_leaves_the_other_side_open(
    printed, days, possible, impossible, tmp_path
):
    alive = {"kind": "survival", "arm": "new", "at": 12}
    contents = [read(tmp_path, median(printed), alive | {"printed": text})
                for text in (possible, impossible)]  # fmt: skip
    row = build(contents[0]).rows[0]
    assert (row.low, row.high) == days
    assert not contradictory_counts(contents[0]) and contradictory_counts(contents[1])


@pytest.mark.parametrize(("text", "sides"), [("one-sided P = .03", 1), ("2-sided p=.03", 2)])
def test_the_sides_of_a_printed_p_are_kept(text, sides, tmp_path):
    content = read(tmp_path, {"kind": "log_rank", "printed": text}, ratio("0.59", p=text))
    assert [claim["sides"] for claim in content["claims"]] == [sides, sides]
    assert content["claims"][0]["printed"] == content["claims"][1]["p"] == "P = 0.03"


def test_less_than_is_read_in_signs_and_words(tmp_path):
    texts = ("P < 0.001", "P ≤ .001", "p<0·001", "less than 0.001", "P < 10⁻³")
    found = [build(read(tmp_path, {"kind": "log_rank", "printed": t})).rows for t in texts]
    assert all(rows == found[0] for rows in found)
    above = [build(read(tmp_path, {"kind": "log_rank", "printed": t})).rows
             for t in ("P > 0.5", "> .5", "P ≥ 0·5", "more than 0.5")]  # fmt: skip
    assert all(rows == above[0] for rows in above) and above[0][0].high == math.inf


def test_reading_again_changes_nothing(tmp_path):
    patients = {"kind": "patients", "factor": "old", "arm": "new", "printed": "15 (27.8)"}
    texts = ratio("0·59 [0·40–0·89]; p=0·011"), median("9.0 (7.3-NE) months"), patients
    content = read(tmp_path, *texts)
    plain = [{k: v for k, v in c.items() if k != "as_printed"} for c in content["claims"]]
    again = read(tmp_path, *plain)
    assert again["claims"] == plain and build(again).rows == build(content).rows


# What is refused: claim, key, and what is said of it.
WRONG = {
    "months in a ratio": (ratio("0.59 months"), "printed: found '0.59 months', with months in a"),
    "percent in a ratio": (ratio("59%"), "with a percentage in a hazard ratio"),
    "a ratio below zero": (ratio("-0.59"), "which is no ratio above zero"),
    "a count in a ratio": (ratio("15/54"), "with a count of patients in a hazard ratio"),
    "not reached in a ratio": (ratio("NR"), "a median can be not reached"),
    "a limit not estimable": (ratio("0.59 (0.40-NE)"), "give the ratio with a confidence"),
    "a range for an interval": (ratio("0.59 (range 0.4-0.9)"), "with range 0.4 to 0.9"),
    "another level": (ratio("0.59 (99% CI 0.40-0.89)", level=95), "with a 99% interval. To do"),
    "another interval": (ratio("0.59 (0.40-0.89)", interval=["0.40", "0.88"]),
                         "interval: found 0.40 to 0.88, and 0.40 to 0.89 in the printed text"),
    "another P": (ratio("0.59; P = .01", p="P = 0.02"), "p: found P = 0.02, and P = 0.01"),
    "a median as a limit": (ratio("0.59", interval=["0.40", "NE"]), "interval: found 'NE', in"),
    "a bound as a limit": (ratio("0.59", interval=["0.40", "> 0.89"]), "no limit of a ratio"),
    "another test": (ratio("0.59", p="log-rank P = .01", test="wald"),
                     "with a log-rank test and test: wald. To do"),
    "a P above 1": (ratio("0.59", p="P = 3"), "p: found 'P = 3', and a P is 0 to 1"),
    "a P of zero": (ratio("0.59", p="P < 0"), "p: found 'P < 0'"),
    "both sides": (ratio("0.59; one-sided P = .01", sides=2), "sides: found 1 and 2"),
    "three sides": (ratio("0.59", p="P = .01", sides=3), "sides: found 3. To do: use 2 or 1"),
    "sides of a median": (median("9.0", sides=1), "sides: found one for median"),
    "percent in a log-rank P": ({"kind": "log_rank", "printed": "3%"}, "in a P"),
    "a Wald test": ({"kind": "log_rank", "printed": "Wald P = .03"}, "with a Wald test"),
    "a ratio as a P": ({"kind": "log_rank", "printed": "HR 0.59"}, "with 'ratio' in a P"),
    "percent in a median": (median("60%"), "with a percentage in a time"),
    "a P in a median": (median("9.0 months; P = .01"), "with a P in a time"),
    "a median below zero": (median("-9.0 months"), "which is below zero"),
    "1,003 of an unknown unit": (median("1,003"), "where 1,003 can be 1.003 or 1003"),
    "not available": (median("NA"), "write 'not reached' if a median was not reached"),
    "follow-up not reached": ({"kind": "follow_up", "printed": "NR"}, "in place of a time"),
    "a bound of a difference": ({"kind": "rmst_difference", "at": 12, "printed": "< 2 months"},
                                "give min and max"),
    "survival without %": ({"kind": "survival", "at": 12, "printed": "41"},
                           "found '41', without %. To do: write 41%, or a share"),
    "survival of 1": ({"kind": "survival", "at": 12, "printed": "1"}, "without %"),
    "survival above 100%": ({"kind": "survival", "at": 12, "printed": "141%"}, "0% to 100%"),
    "survival in months": ({"kind": "survival", "at": 12, "printed": "41 months"}, "with months"),
    "survival as a count": ({"kind": "survival", "at": 12, "printed": "22/54"}, "count of pat"),
    "half a patient": ({"kind": "events", "printed": "27.5"}, "27.5 is no count. To do: write %"),
    "months as a count": ({"kind": "events", "printed": "27 months"}, "with months in a count"),
    "of another total": ({"kind": "events", "arm": "new", "printed": "15/53"},
                         "found '15/53', of 53 patients where there are 54. To do: in place of "
                         "printed give min: 15 and max: 16"),
    "of a larger total": ({"kind": "events", "arm": "old", "printed": "15/54"}, "compare it"),
    "deaths as patients": ({"kind": "patients", "factor": "old", "printed": "15 deaths"},
                           "give it as a claim of kind events"),
    "101%": ({"kind": "patients", "factor": "old", "printed": "101%"}, "no number of patients"),
    "a float": (median(9.0), "found 9.0 without quotes, which loses a final zero"),
    "a float as a limit": (ratio("0.59", interval=[0.4, 0.89]), "interval: found 0.4 without"),
    "a float as a P": (ratio("0.59", p=0.03), "p: found 0.03 without quotes"),
    "truth": ({"kind": "events", "printed": True}, "found 'True'"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_a_claim_cannot_mean_is_refused_with_a_remedy(name, tmp_path):
    claim, said = WRONG[name]
    with pytest.raises(ClaimsError) as refused:
        read(tmp_path, claim)
    assert any(line.startswith("c0, ") and said in line for line in refused.value.found)
    assert all(". To do: " in line for line in refused.value.found)


def test_whole_numbers_need_no_quotes_and_a_share_no_percent_sign(tmp_path):
    content = read(tmp_path, {"kind": "events", "printed": 41},
                   {"kind": "survival", "at": 12, "printed": "0.41"})  # fmt: skip
    events, share = build(content).rows
    assert (events.low, events.high) == (41, 41)
    assert 0.405 < share.low < 0.406 and 0.414 < share.high < 0.415


def test_a_count_of_those_with_a_factor_may_have_their_number(tmp_path):
    content = read(tmp_path, {"kind": "events", "arm": "new", "factor": "old", "printed": "9/21"})
    assert rows(content)["c0"].low == 9


# The echo


ECHO = [
    (ratio("0·59 [0·40–0·89]", p="p=0·011"),
     "0·59 [0·40–0·89], p=0·011", "0.59, interval 0.40 to 0.89, P = 0.011"),
    (ratio("0.8", interval=["0.5", "1.2"], decimals=2),
     "0.8 (0.5 to 1.2)", "0.80, interval 0.50 to 1.20"),
    (median("9.0 (7.3-14.4) months"),
     "9.0 (7.3-14.4) months", "9.0 months, interval 7.3 to 14.4 months (not used)"),
    (median("NR (18.3–NE)"), "NR (18.3–NE)",
     "not reached, interval 18.3 months to not estimable (not used)"),
    (median("NE"), "NE", "not estimable, taken as not reached"),
    (median("8.5"), "8.5", "8.5 months"),
    (median("73 days"), "73 days", "73 days"),
    ({"kind": "log_rank", "printed": "1-sided P=.0987"}, "1-sided P=.0987",
     "P = 0.0987, one-sided"),
    ({"kind": "log_rank", "printed": ".0987", "sides": 1}, ".0987", "P = 0.0987, one-sided"),
    ({"kind": "log_rank", "printed": "<.001"}, "<.001", "P less than 0.001"),
    ({"kind": "survival", "at": 12, "printed": "41% (31-52)"}, "41% (31-52)",
     "41%, interval 31% to 52% (not used)"),
    ({"kind": "survival", "at": 12, "printed": "0.41"}, "0.41", "0.41, a share"),
    ({"kind": "survival", "at": 12, "min": 0.79, "max": 0.85}, "",
     "at least 0.79, at most 0.85, as given"),
    ({"kind": "events", "arm": "new", "printed": "15/54"}, "15/54", "15 of 54 patients"),
    (ratio("worse", harms=True), "worse", "lower limit of the ratio above 1"),
]  # fmt: skip


def test_every_claim_is_said_back_as_it_was_read(tmp_path):
    table = read_back(read(tmp_path, *(claim for claim, *_ in ECHO)))
    assert list(table.columns) == ["id", "kind", "printed", "read_as"]
    assert list(table["id"]) == [f"c{k}" for k in range(len(ECHO))]
    said = list(table[["printed", "read_as"]].itertuples(index=False, name=None))
    assert said == [(printed, words) for _, printed, words in ECHO]
    lines = as_lines(table).splitlines()
    assert len(lines) == len(ECHO) + 1
    (at,) = {line.rindex(words) for line, (*_, words) in zip(lines[1:], ECHO, strict=True)}
    assert lines[0].index("read as") == at


def test_calibrate_says_what_it_read_before_it_says_what_is_wrong(tmp_path, capsys):
    path = paper(tmp_path, ratio("0·59 [0·40–0·89]"), {"kind": "events", "printed": "95 deaths"})
    assert main(["calibrate", "--claims", str(path)]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "x: the numbers as they were read. To do: compare them with the paper."
    assert told[2].split(maxsplit=1)[0] == "c0" and told[2].endswith("interval 0.40 to 0.89")
    assert told[3].endswith("95 deaths")
    assert any("is more than the 93 patients" in line for line in told[4:])


def test_a_file_that_cannot_be_read_says_all_that_is_wrong_with_its_numbers(tmp_path, capsys):
    path = paper(tmp_path, ratio("0.59 months"), median("soon"), median("1,003"))
    assert main(["calibrate", "--claims", str(path)]) == 2
    told = capsys.readouterr().err
    assert "3 to mend" in told and all(f"c{k}, printed: found" in told for k in range(3))
