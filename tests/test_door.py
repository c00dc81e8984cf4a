"""Files as clinicians have them come in as they are, and what was detected is said."""

import csv
import gzip
import json
import re
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
import yaml
from openpyxl import Workbook

from helpers.analysis import analyse
from helpers.cohort import CohortError, load_cohort
from helpers.explorer.own import OwnForm
from helpers.loading.formats import Stated
from helpers.loading.problems import Problems
from helpers.loading.proposals import propose
from helpers.loading.reading import read_table
from helpers.view import View
from helpers.workshop.cli import main

FIXTURES = Path(__file__).parent / "fixtures" / "door"
NAMES = ["Patient", "ARM", "OS_MONTHS", "OS_STATUS", "LDH"]
ROWS = [
    ["ZZ-1", "B", "70.03", "0:LIVING", "3.47"], ["ZZ-2", "A", "6.08", "1:DECEASED", "1.09"],
    ["ZZ-3", "B", "44.48", "0:LIVING", "3.46"], ["ZZ-4", "A", "35.05", "0:LIVING", "3.79"],
    ["ZZ-5", "B", "22.47", "1:DECEASED", "1.73"], ["ZZ-6", "A", "26.53", "1:DECEASED", "1.92"],
]  # fmt: skip
DAYS = [float(row[2]) * 365 / 12 for row in ROWS]
EVENTS = [0, 1, 0, 0, 1, 1]
MAP = """
time_unit: months
reference_arm: A
mask_below: 0
columns: {patient_id: Patient, arm: ARM, os_time: OS_MONTHS, os_event: OS_STATUS, ldh: LDH}
factors: {ldh: {label: LDH, type: number}}
"""


def text(separator=",", quoting=csv.QUOTE_MINIMAL, rows=ROWS, names=NAMES, end="\n"):
    lines = [[*names], *rows]
    if quoting == csv.QUOTE_ALL:
        lines = [[f'"{cell}"' for cell in line] for line in lines]
    return end.join(separator.join(line) for line in lines) + end


def comma(rows):
    return [[cell.replace(".", ",") for cell in row] for row in rows]


def load(folder, data, mapping=MAP, name="cohort.csv"):
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    (folder / "map.yaml").write_text(mapping, encoding="utf-8")
    return load_cohort(folder / name, folder / "map.yaml")


def workbook(rows, *, before=(), sheets=("Tabelle1",)) -> bytes:
    book, data = Workbook(), BytesIO()
    for name in sheets:
        sheet = book.create_sheet(name)
    del book["Sheet"]
    for row in (*before, *rows):
        sheet.append(row)
    book.save(data)
    return data.getvalue()


PORTAL = (
    '#Patient\tArm\tSurvival, in months\tStatus\tLDH\n#a\tb\tc "d\te\tf\n'
    "#STRING\tSTRING\tNUMBER\tSTRING\tNUMBER\n#1\t1\t1\t1\t1\n"
)
DECIMALS = [[*row[:2], float(row[2]), row[3], float(row[4])] for row in ROWS]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (text(), []),
        (text(";", rows=comma(ROWS)), ["semicolon", "comma (file: decimal)"]),
        (text(";", csv.QUOTE_ALL), ["semicolon"]),
        (text("\t"), ["tab"]),
        (PORTAL + text("\t"), ["4 lines that begin with #", "tab"]),
        ((PORTAL + text("\t")).replace("\t", ","), ["4 lines that begin with #"]),
        ("Export of 2024,,,,\n\n" + text(), ["the names stand in row 3"]),
        ("\ufeff" + text(), []),
        (text().encode("utf-16"), ["utf-16"]),
        (text("\t").encode("utf-16-le"), ["utf-16-le", "tab"]),
        (text(end="\r"), []),
        (gzip.compress(text("|").encode()), ["gzip", "vertical bar"]),
        (text(names=[f"{n}," for n in NAMES], rows=[[*row[:-1], row[-1] + ","] for row in ROWS])
         .replace(",,", ","), []),
        (workbook([NAMES, *DECIMALS]), []),
        (workbook([NAMES, *DECIMALS], before=[["REDCap"], []], sheets=["empty", "Tabelle1"]),
         ["sheet 'Tabelle1' of 2", "the names stand in row 3"]),
    ],
    ids=["plain", "semicolons and decimal commas", "quoted semicolons", "tabs", "portal",
         "portal as CSV", "title lines", "BOM", "UTF-16", "UTF-16 without a mark", "CR", "gzip",
         "an empty column", "workbook", "workbook with titles"],
)  # fmt: skip
def test_a_file_comes_in_as_it_is(data, said, tmp_path):
    cohort = load(tmp_path, data)
    assert len(cohort.detected) == len(said), cohort.detected
    for found, expected in zip(sorted(cohort.detected), sorted(said), strict=True):
        assert any(part in found for part in said), (found, expected)
    np.testing.assert_allclose(cohort.frame["os_time"], DAYS)
    assert cohort.frame["os_event"].to_list() == EVENTS
    assert cohort.frame["ldh"].to_list() == [float(row[4]) for row in ROWS]
    assert cohort.arms == ("B", "A")


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman", "utf-8", "utf-16"])
def test_letters_of_the_windows_and_the_mac_are_told_apart(encoding, tmp_path):
    rows = [[*row[:1], "Köln" if row[1] == "A" else "Besançon", *row[2:]] for row in ROWS]
    cohort = load(
        tmp_path, text(rows=rows).encode(encoding), MAP.replace("arm: A\n", "arm: Köln\n")
    )
    assert cohort.arms == ("Besançon", "Köln")


@pytest.mark.parametrize("ending", ["sav", "dta"])
def test_files_of_spss_and_stata_are_read_by_their_labels(ending, tmp_path):
    frame = pd.DataFrame(ROWS, columns=NAMES)
    frame["OS_MONTHS"] = frame["OS_MONTHS"].astype(float)
    frame["LDH"] = frame["LDH"].astype(float)
    frame["OS_STATUS"] = [float(event) for event in EVENTS]
    write = pyreadstat.write_sav if ending == "sav" else pyreadstat.write_dta
    labels = {"variable_value_labels": {"OS_STATUS": {0: "Alive", 1: "Dead"}}}
    write(frame, tmp_path / f"own.{ending}", **labels)
    data = (tmp_path / f"own.{ending}").read_bytes()
    cohort = load(tmp_path, data, name=f"cohort.{ending}")
    np.testing.assert_allclose(cohort.frame["os_time"], DAYS)
    assert cohort.frame["os_event"].to_list() == EVENTS
    assert "codes are read by their labels" in cohort.detected[0]


def test_what_the_mapping_states_of_the_file_is_not_detected(tmp_path):
    stated = MAP + 'file: {separator: semicolon, decimal: ",", header_row: 2, encoding: cp1252}'
    cohort = load(tmp_path, "a;b\n" + text(";", rows=comma(ROWS)), stated)
    assert cohort.detected == () and cohort.frame["ldh"].iloc[0] == 3.47


def test_a_file_that_is_too_large_is_refused_with_its_size(tmp_path):
    with pytest.raises(CohortError, match="120 MB, and 100 MB are the most"):
        load(tmp_path, b"a" * 120_000_000)


# -- endpoints from what there is -----------------------------------------------------------

DATED = """
columns: {patient_id: id, arm: arm}
times: {os: {start: dx, event: death, last: seen}}
mask_below: 0
reference_arm: A
"""


def dated(write, blank="") -> str:
    starts = [date(2019, 1, 3), date(2019, 12, 31), date(2020, 2, 28), date(2018, 7, 4)]
    after = [400, 63, 366, 90]
    lines = ["id,arm,dx,death,seen"]
    for k, (start, days) in enumerate(zip(starts, after, strict=True)):
        end = write(date.fromordinal(start.toordinal() + days))
        died = k % 2
        lines.append(f"{k},{'AB'[k // 2]},{write(start)},{end if died else blank},"
                     f"{blank if died else end}")  # fmt: skip
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "write",
    [date.isoformat, lambda d: f"{d:%d.%m.%Y}", lambda d: f"{d:%m/%d/%Y}",
     lambda d: f"{d:%d/%m/%Y}",
     lambda d: f"{d.day}-{d:%b-%Y}", lambda d: f"{d:%Y%m%d}", lambda d: f"{d} 00:00:00",
     lambda d: str(d.toordinal() - date(1899, 12, 30).toordinal())],
    ids=["ISO", "German", "American", "British", "Oracle", "plain", "with a clock", "Excel"],
)  # fmt: skip
def test_two_dates_make_a_time(write, tmp_path):
    frame = load(tmp_path, dated(write), DATED).frame
    assert frame["os_time"].to_list() == [400, 63, 366, 90]
    assert frame["os_event"].to_list() == [0, 1, 0, 1]


def test_dates_that_could_be_either_are_asked_for(tmp_path):
    file = "id,arm,dx,death,seen\n1,A,3/4/2020,,5/6/2020\n2,B,1/2/2020,2/3/2020,\n"
    with pytest.raises(CohortError, match=r"either way round.*date_format: '%d/%m/%Y'"):
        load(tmp_path, file, DATED)
    for stated in ("%d/%m/%Y", "%m/%d/%Y"):
        own = DATED + f"date_format: '{stated}'"
        expected = [(datetime.strptime(b, stated) - datetime.strptime(a, stated)).days
                    for a, b in (("3/4/2020", "5/6/2020"), ("1/2/2020", "2/3/2020"))]  # fmt: skip
        assert load(tmp_path, file, own).frame["os_time"].to_list() == expected
    with pytest.raises(CohortError, match="13/1/2020 and 1/13/2020: the day comes first in one"):
        load(
            tmp_path, file.replace("3/4/2020", "13/1/2020").replace("1/2/2020", "1/13/2020"), DATED
        )


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [("2019-01-03", "2019", "dx, row 2: found 2019: a date without a day or month"),
     ("2019-01-03", "01/2019", "dx, row 2: found 01/2019: a date without"),
     ("2019-01-03", "2022-01-03", "os_time, row 2: found -696: a time before time zero"),
     ("2019-01-03", "2019-02-30", "dx, row 2: found 2019-02-30: not a date")],
)  # fmt: skip
def test_dates_that_cannot_be_are_refused_by_row(old, new, finding, tmp_path):
    with pytest.raises(CohortError, match=finding):
        load(tmp_path, dated(date.isoformat).replace(old, new), DATED)


GDC = """id,arm,vital_status,days_to_death,days_to_last_follow_up
1,B,Alive,'--,2128
2,A,Dead,184,'--
3,B,Not Reported,'--,'--
4,A,Alive,'--,1065
"""
GDC_MAP = """
columns: {patient_id: id, arm: arm}
times: {os: {event_time: days_to_death, censor_time: days_to_last_follow_up, status: vital_status}}
mask_below: 0
"""


def test_a_time_in_two_columns_and_a_status_in_words(tmp_path):
    with pytest.raises(CohortError, match="vital_status, row 4: found Not Reported: a status with"):
        load(tmp_path, GDC, GDC_MAP)
    own = GDC_MAP + "missing: [Not Reported]\n"
    with pytest.raises(CohortError, match=r"exclude: .{column: os_time, is: missing"):
        load(tmp_path, GDC, own)
    own += "exclude: [{column: os_time, is: missing, because: no follow-up}]\n"
    cohort = load(tmp_path, GDC, own)
    assert cohort.frame["os_time"].to_list() == [2128, 184, 1065]
    assert cohort.frame["os_event"].to_list() == [0, 1, 0]
    assert cohort.excluded.to_numpy().tolist() == [["no follow-up", 1]]
    assert "os: Dead is the event, Alive is not (times: events)" in cohort.detected


def test_the_death_of_another_cause_ends_follow_up(tmp_path):
    file = ("id,arm,state,death,last\n1,A,dead of disease,100,\n2,A,dead of other,200,\n"
            "3,B,alive,,300\n4,B,dead of disease,50,\n")  # fmt: skip
    own = """
columns: {patient_id: id, arm: arm}
times: {css: {event_time: death, censor_time: last, status: state, events: [dead of disease],
  censored: [dead of other, alive]}}
labels: {css: Disease-specific survival}
"""
    frame = load(tmp_path, file, own).frame
    assert frame["css_time"].to_list() == [100, 200, 300, 50]
    assert frame["css_event"].to_list() == [1, 0, 0, 1]


def test_the_first_of_two_events_counts(tmp_path):
    file = "id,arm,prog,death,last\n1,A,30,90,\n2,A,,80,80\n3,B,,,300\n4,B,50,,70\n"
    own = """
columns: {patient_id: id, arm: arm}
times:
  pfs: {first_of: [prog, death], censor_time: last}
  os: {event_time: death, censor_time: last}
"""
    frame = load(tmp_path, file, own).frame
    assert frame["pfs_time"].to_list() == [30, 80, 300, 50]
    assert frame["pfs_event"].to_list() == [1, 1, 0, 1]
    assert frame["os_time"].to_list() == [90, 80, 300, 70]


@pytest.mark.parametrize(
    ("words", "asked"),
    [(("dead", "Alive"), ""), (("verstorben", "lebt"), ""), (("Yes", "No"), ""),
     (("TRUE", "FALSE"), ""), (("1:Recurred/Progressed", "0:DiseaseFree"), ""),
     (("dead", "lost"), "row 3: found lost: a status without a meaning")],
)  # fmt: skip
def test_a_status_in_words(words, asked, tmp_path):
    file = f"id,arm,t,s\n1,A,10,{words[0]}\n2,B,20,{words[1]}\n"
    own = "columns: {patient_id: id, arm: arm, os_time: t, os_event: s}"
    if asked:
        with pytest.raises(CohortError, match=asked):
            load(tmp_path, file, own)
    else:
        cohort = load(tmp_path, file, own)
        assert cohort.frame["os_event"].to_list() == [1, 0]
        assert any("read as a status" in finding for finding in cohort.flags["finding"])


def test_events_that_come_later_are_flagged_where_there_are_enough(tmp_path):
    for n, flagged in ((4, 0), (6, 6)):
        late = [(100 + i, 1) for i in range(n)] + [(10 + i, 0) for i in range(n)]
        rows = "".join(f"{i},{'AB'[i % 2]},{t},{s}\n" for i, (t, s) in enumerate(late))
        cohort = load(tmp_path, "patient_id,arm,os_time,os_event\n" + rows, "reference_arm: A")
        found = cohort.flags.query("finding.str.startswith('events come later')")["rows"]
        assert found.sum() == flagged


def test_one_cause_is_told_once(tmp_path):
    dead = GDC.replace("2,A,Dead,184,'--", "2,A,Dead,'--,30").replace("Not Reported", "Alive")
    with pytest.raises(CohortError) as refusal:
        load(tmp_path, dead, GDC_MAP)
    ours, other = refusal.value.problems
    assert "no date or time of it in days_to_death" in ours[1] and "os, row 3" in ours[0]
    assert "os_time, row 4" in other[0] and "a value is required" in other[1]
    for rule in (ours[2], other[2]):
        assert "exclude: [{column: os_time, is: missing, because: ...}]" in rule


def test_an_endpoint_that_nobody_has_is_left_out(tmp_path):
    file = "patient_id,arm,os_time,os_event,pfs_time,pfs_event\n1,A,5,1,,\n2,B,6,0,,\n"
    cohort = load(tmp_path, file, "reference_arm: A")
    assert list(cohort.endpoints) == ["os"]
    assert "known for nobody: left out" in cohort.flags["finding"].to_list()


def test_a_missing_text_that_is_a_level_is_named_in_a_recode(tmp_path):
    rows = [[*row[:1], {"A": "NA", "B": "drug"}[row[1]], *row[2:]] for row in ROWS]
    own = MAP.replace("arm: A\n", "arm: none\n") + "recode: {arm: {NA: none, drug: drug}}"
    assert load(tmp_path, text(rows=rows), own).arms == ("drug", "none")


def test_a_column_with_one_of_our_names_and_other_codes_is_taken_as_it_is(tmp_path):
    rows = [[*row[:-1], str(i % 2)] for i, row in enumerate(ROWS)]
    own = MAP.partition("factors")[0].replace("ldh: LDH", "sex: LDH")
    with pytest.raises(CohortError, match=r"not one of F, M.*factors: {sex: {type: category}}"):
        load(tmp_path, text(rows=rows), own)
    cohort = load(tmp_path, text(rows=rows), own + "factors: {sex: {type: category}}")
    assert set(cohort.frame["sex"]) == {"0", "1"}
    rows = [[*row[:-1], ["Male", "female"][i % 2]] for i, row in enumerate(ROWS)]
    assert load(tmp_path, text(rows=rows), own).frame["sex"].to_list()[:2] == ["M", "F"]


def test_numbers_of_days_are_subtracted(tmp_path):
    file = "id,arm,dx,death,seen\n1,A,10905,11081,\n2,B,9551,,9983\n"
    assert load(tmp_path, file, DATED).frame["os_time"].to_list() == [176, 432]


# -- rows -----------------------------------------------------------------------------------


def test_an_endpoint_known_for_some_serves_those(tmp_path):
    file = "patient_id,arm,os_time,os_event,dfs_time,dfs_event\n"
    file += "".join(f"{i},{'AB'[i % 2]},{10 * i + 10},1,{5 * i if i > 3 else ''},"
                    f"{i % 2 if i > 2 else ''}\n" for i in range(20))  # fmt: skip
    cohort = load(tmp_path, file, "columns: {dfs_time: dfs_time, dfs_event: dfs_event}")
    flags = cohort.flags.set_index("finding")["rows"]
    assert flags["not known: left out of this endpoint"] == 4
    assert flags["only a time or only a status: taken as not known"] == 1
    assert analyse(cohort, View(endpoint="dfs")).counts["patients"].sum() == 16
    assert analyse(cohort, View()).counts["patients"].sum() == 20
    notes = analyse(cohort, View(endpoint="dfs")).notes
    assert "4 patients without this endpoint left out." in notes["note"].to_list()


def test_rules_leave_rows_out_and_count_each_once(tmp_path):
    own = (
        MAP
        + """
exclude:
  - {column: OS_STATUS, in: ["0:LIVING"], because: alive}
  - {column: ldh, above: "1.8", because: high}
  - {column: os_time, below: 7, because: early}
"""
    )
    rows = [*ROWS, ["ZZ-7", "A", "", "[Not Available]", "9"], ["ZZ-8", "A", "9", "1:DECEASED", "1"],
            ["ZZ-9", "B", "1", "1:DECEASED", "1"]]  # fmt: skip
    cohort = load(tmp_path, text(rows=rows), own)
    assert cohort.excluded.to_numpy().tolist() == [["alive", 3], ["high", 2], ["early", 2]]
    assert cohort.frame["ldh"].to_list() == [1.73, 1]
    assert set(cohort.arms) == {"A", "B"}


def test_rows_of_a_patient_become_one_where_they_agree(tmp_path):
    file = ("id,event,arm,t,s,age\n1,baseline,A,,,60\n1,end,,100,1,\n2,baseline,B,,,70\n"
            "2,end,,200,0,70\n3,baseline,A,50,1,\n")  # fmt: skip
    own = """
columns: {patient_id: id, arm: arm, os_time: t, os_event: s, age: age}
one_row_per: patient_id
ignore: [event]
"""
    cohort = load(tmp_path, file, own)
    assert cohort.frame[["arm", "os_time", "os_event", "age"]].to_numpy().tolist()[:2] == [
        ["A", 100, 1, 60], ["B", 200, 0, 70]]  # fmt: skip
    assert (
        "rows that were made one with another of the same patient: 2 (one_row_per)"
        in cohort.detected
    )
    with pytest.raises(CohortError, match="age, row 4, row 5: found 70, 71: different values in"):
        load(tmp_path, file.replace("200,0,70", "200,0,71"), own)
    kept = own + "exclude: [{column: event, in: [end], because: a second row}]\n"
    with pytest.raises(CohortError, match="os_time"):
        load(tmp_path, file.replace("200,0,70", "200,0,71"), kept)


def test_names_that_repeat_are_ignored_or_numbered(tmp_path):
    names, rows = [*NAMES, "Complete?", "Complete?"], [[*row, "x", "y"] for row in ROWS]
    assert len(load(tmp_path, text(names=names, rows=rows)).frame) == 6
    assert len(load(tmp_path, text(names=names, rows=rows), MAP + "ignore: ['Complete?']").frame)
    named = MAP.replace("ldh: LDH", "ldh: 'Complete?'")
    with pytest.raises(CohortError, match=r"stands 2 times in the file. To do: say which: 'Compl"):
        load(tmp_path, text(names=names, rows=rows), named)
    chosen = named.replace("Complete?", "Complete? (2)").replace("type: number", "type: category")
    assert load(tmp_path, text(names=names, rows=rows), chosen).frame["ldh"].to_list() == ["y"] * 6


def test_a_top_coded_age_is_named_alone(tmp_path):
    own = MAP + 'recode: {ldh: {">3": 3}}'
    rows = [[*row[:-1], ">3" if i == 2 else row[-1]] for i, row in enumerate(ROWS)]
    assert load(tmp_path, text(rows=rows), own).frame["ldh"].to_list()[:3] == [3.47, 1.09, 3]


# -- arms and levels ------------------------------------------------------------------------


def test_one_arm_is_described_without_a_comparison(tmp_path):
    own = MAP.replace("arm: ARM, ", "").replace("reference_arm: A\n", "")
    cohort = load(tmp_path, text().replace("ARM", "site"), own)
    assert cohort.arms == ("all patients",) and "no column says the arm" in cohort.detected[0]
    answer = analyse(cohort, View())
    assert len(answer.medians) == 1 and answer.model.empty


def test_three_arms_are_each_compared_with_the_reference(tmp_path):
    rows = [[*row[:1], "ABC"[i // 24], *row[2:]] for i, row in enumerate([*ROWS] * 12)]
    rows = [[f"{i}", *row[1:]] for i, row in enumerate(rows)]
    cohort = load(tmp_path, text(rows=rows))
    assert cohort.arms == ("B", "C", "A")
    answer = analyse(cohort, View())
    assert answer.model["term"].to_list() == ["arm: B vs A", "arm: C vs A"]
    assert answer.tests["df"].to_list() == [2]
    two = load(tmp_path, text(rows=rows), MAP + "exclude: [{column: arm, in: [C], because: third}]")
    assert two.arms == ("B", "A") and two.excluded["rows"].to_list() == [24]


RIGHT = json.loads((FIXTURES / "right.json").read_text())


def test_levels_stand_in_the_order_given_and_the_first_is_the_reference(tmp_path):
    own = MAP.replace("Patient,", "PATIENT_ID,").replace("ldh: LDH", "risk: risk").replace(
        "ldh: {label: LDH, type: number}", "risk: {label: Risk}")  # fmt: skip
    data = (FIXTURES / "risk.csv").read_bytes()
    cohort = load(tmp_path, data, own + "order: {risk: [Low, Intermediate, High]}")
    model = analyse(cohort, View(adjust=("risk",)), engine="fast", floor=0).model
    model = model[model["model"] == "adjusted"]
    terms = ["arm: B vs A", "risk: Intermediate vs Low", "risk: High vs Low"]
    assert model["term"].to_list() == terms
    for name, right in RIGHT["risk"].items():
        np.testing.assert_allclose(model[name], right, rtol=1e-6)
    assert analyse(cohort, View(compare="risk")).groups == ("Intermediate", "High", "Low")
    with pytest.raises(CohortError, match="found High: not named under order"):
        load(tmp_path, data, own + "order: {risk: [Low, Intermediate]}")


def test_roman_stages_are_numbers_and_stage_iia_says_what_to_do(tmp_path):
    own = MAP.partition("factors")[0].replace("ldh: LDH", "stage: LDH")
    rows = [[*row[:-1], ["I", "II", "III", "IV", "2", ""][i]] for i, row in enumerate(ROWS)]
    stages = load(tmp_path, text(rows=rows), own).frame["stage"]
    np.testing.assert_array_equal(stages, [1, 2, 3, 4, 2, np.nan])
    rows[0][-1] = "IIA"
    with pytest.raises(CohortError, match=r"IIA: not a number.*recode it.*type: category"):
        load(tmp_path, text(rows=rows), own)
    own += "factors: {stage: {label: Stage, type: category}}"
    assert "IIA" in load(tmp_path, text(rows=rows), own).frame["stage"].to_list()


# -- proposals ------------------------------------------------------------------------------


def proposed(data: str | bytes, folder, name="own.csv"):
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    problems = Problems(name)
    table = read_table(path, Stated(), problems)
    problems.raise_if_any()
    return path, propose(table)


def test_a_german_registry_file_is_proposed_whole_and_gives_the_numbers_of_r(tmp_path):
    path, found = proposed((FIXTURES / "dates.csv").read_bytes(), tmp_path)
    mapping = found.mapping
    assert mapping["times"] == {
        "os": {"start": "Diagnose", "event": "Todesdatum", "last": "Letzter Kontakt"}
    }
    assert mapping["columns"]["arm"] == "Therapie" and mapping["columns"]["age"] == "Alter"
    (tmp_path / "map.yaml").write_text(yaml.safe_dump(mapping | {"reference_arm": "R-CHOP"}))
    cohort = load_cohort(path, tmp_path / "map.yaml")
    assert cohort.frame["os_time"].to_list() == RIGHT["time"]
    answer = analyse(cohort, View())
    for name, right in RIGHT["dates"].items():
        np.testing.assert_allclose(answer.model[name], right, rtol=1e-6)
    np.testing.assert_allclose(answer.tests["statistic"], RIGHT["log_rank"], rtol=1e-6)


PROPOSED = {
    "portal": (PORTAL + text("\t"), {"os_time": "OS_MONTHS", "os_event": "OS_STATUS", "arm": "ARM",
                                     "patient_id": "Patient"}, None),
    "GDC": (GDC, {"patient_id": "id", "arm": "arm"},
            {"event_time": "days_to_death", "censor_time": "days_to_last_follow_up",
             "status": "vital_status"}),
    "one arm": ("record_id,os_months,death\n1,10,1\n2,20,0\n3,5,1\n",
                {"patient_id": "record_id", "os_time": "os_months", "os_event": "death"}, None),
    "two endpoints": ("id,group,PFS (months),PFS event,OS (months),OS event\n1,A,2,1,10,1\n"
                      "2,B,5,0,5,0\n3,A,4,1,8,0\n",
                      {"pfs_time": "PFS (months)", "pfs_event": "PFS event",
                       "os_time": "OS (months)", "os_event": "OS event"}, None),
    "dates and a status": ("id,arm,dx_date,last_date,dead\n1,B,2017-12-07,2023-10-05,0\n"
                           "2,A,2017-06-12,2017-12-13,1\n", {"arm": "arm"},
                           {"start": "dx_date", "last": "last_date", "status": "dead"}),
}  # fmt: skip


@pytest.mark.parametrize("name", PROPOSED)
def test_what_names_and_values_say_is_proposed(name, tmp_path):
    data, columns, times = PROPOSED[name]
    mapping = proposed(data, tmp_path)[1].mapping
    assert mapping["columns"].items() >= columns.items()
    assert mapping.get("times", {}).get("os") == times


REPEATED = "".join(f"C{i // 2},{'AB'[i // 2 % 2]},{i // 2 + 1},{i // 2 % 2}\n" for i in range(20))
WRONG = {
    "a repeated id": (
        f"case_id,arm,os_days,dead\n{REPEATED}",
        lambda m: (m["one_row_per"], m["columns"]["patient_id"]) == ("patient_id", "case_id"),
    ),
    "a year of death": (
        "id,vital_status,year_of_death,days_to_death,days_to_last_followup\n"
        "1,Dead,2010,300,\n2,Alive,,,400\n3,Dead,2011,50,\n",
        lambda m: m["times"]["os"]["event_time"] == "days_to_death",
    ),
    "a time from diagnosis": (
        "id,trt,stime,diag.time,status\n1,1,72,7,1\n2,2,411,5,0\n3,1,228,3,1\n",
        lambda m: m["columns"]["event_time"] == "stime" and "os_time" not in m["columns"],
    ),
    "a bare time": (
        "id,arm,time,status\n1,A,5,1\n2,B,6,0\n3,A,7,1\n",
        lambda m: "os_time" not in m["columns"] and m["columns"]["event_time"] == "time",
    ),
    "an insurance": (
        "id,insurance_status,time,death\n1,Insured,5,1\n2,Uninsured,6,0\n3,Insured,7,1\n",
        lambda m: m["columns"]["os_event"] == "death",
    ),
    "what came later": (
        "id,NEW_TUMOR_EVENT_AFTER_TREATMENT,OS_MONTHS,OS_STATUS,cause_of_death\n"
        "1,Yes,5,1:DECEASED,lung\n2,No,6,0:LIVING,\n3,Yes,7,1:DECEASED,heart\n",
        lambda m: "arm" not in m["columns"] and "cause_of_death" in m["ignore"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_nothing_dangerous_is_proposed(name, tmp_path):
    data, right = WRONG[name]
    assert right(proposed(data, tmp_path)[1].mapping)


@pytest.mark.parametrize("status", [["1", "2"], ["alive", "lost"], ["0", "1", "2"]])
def test_no_code_is_proposed_that_does_not_say_its_meaning(status, tmp_path):
    rows = "".join(f"{i},{'AB'[i % 2]},{i + 1},{status[i % len(status)]}\n" for i in range(12))
    path, found = proposed(f"id,arm,os_months,os_status\n{rows}", tmp_path)
    codes = found.mapping["recode"]["os_event"]
    assert codes == ({"alive": "0"} if "alive" in status else {})
    (tmp_path / "map.yaml").write_text(yaml.safe_dump(found.mapping))
    with pytest.raises(CohortError, match="a code the recode does not name"):
        load_cohort(path, tmp_path / "map.yaml")


def test_names_birth_dates_and_free_texts_are_left_out(tmp_path):
    rows = "".join(f"{i},{'AB'[i % 2]},{i + 1},{i % 2},Ann{i},1950-01-{i + 1:02},said {i}\n"
                   for i in range(25))  # fmt: skip
    mapping = proposed(f"id,arm,os_days,dead,First name,DOB,notes\n{rows}", tmp_path)[1].mapping
    assert mapping["ignore"] == ["First name", "DOB", "notes"]


# -- the form -------------------------------------------------------------------------------


def form_with(data: bytes, name: str):
    taken = []
    form = OwnForm(lambda cohort, **more: taken.append(cohort))
    content = memoryview(data)
    form.upload.value = ({"name": name, "type": "", "size": len(content), "content": content,
                          "last_modified": datetime.now(UTC)},)  # fmt: skip
    return form, taken


def test_a_german_file_is_in_use_after_two_choices(tmp_path, monkeypatch):
    monkeypatch.setenv("HELPERS_FORMS", str(tmp_path))
    form, taken = form_with((FIXTURES / "dates.csv").read_bytes(), "dates.csv")
    form.reference.value = "R-CHOP"
    form.load()
    (cohort,) = taken
    assert cohort.frame["os_time"].to_list() == RIGHT["time"]
    again, taken = form_with((FIXTURES / "dates.csv").read_bytes(), "dates.csv")
    assert again.reference.value == "R-CHOP", "remembered"
    again.load()
    assert taken[0].arms == ("CAR-T", "R-CHOP")
    assert not re.search("P0[0-9][0-9]", again.mapping.value), "no patient is remembered"


def test_a_refusal_offers_its_rule_and_taking_it_loads(tmp_path, monkeypatch):
    monkeypatch.setenv("HELPERS_FORMS", str(tmp_path))
    rows = [*ROWS, ["ZZ-7", "A", "", "", ""]]
    form, taken = form_with(text(rows=rows).encode(), "own.csv")
    form.reference.value = "A"
    form.load()
    assert not taken and "a value is required" in form.endpoints["os"].trouble.value
    (offered, *_) = form.rules.children
    assert offered.description == "Leave these patients out (os_time, is: missing)"
    offered.click()
    assert taken[0].excluded.to_numpy().tolist() == [["os time missing", 1]]
    assert form.rules.children == () and form.endpoints["os"].trouble.value == ""


def test_a_time_whose_name_has_no_unit_is_asked_for_its_unit(tmp_path, monkeypatch):
    monkeypatch.setenv("HELPERS_FORMS", str(tmp_path))
    rows = "".join(f"{i},{'AB'[i % 2]},{i + 1},{i % 3 // 2}\n" for i in range(30))
    form, taken = form_with(f"id,arm,futime,death\n{rows}".encode(), "own.csv")
    form.endpoints["os"].codes.fields["0"].value = "censored"
    form.endpoints["os"].codes.fields["1"].value = "event"
    form.load()
    assert not taken and "time_unit" in form.said.value
    form.unit.value = "months"
    form.load()
    assert taken[0].frame["os_time"].max() == pytest.approx(30 * 365 / 12)


def test_what_the_form_does_not_ask_stays_in_the_mapping(tmp_path, monkeypatch):
    monkeypatch.setenv("HELPERS_FORMS", str(tmp_path))
    form, _ = form_with(text().encode(), "own.csv")
    form.form(form.plain() | {"order": {"arm": ["A", "B"]}, "date_format": "%d/%m/%Y"})
    assert form.plain()["order"] == {"arm": ["A", "B"]}
    assert form.plain()["date_format"] == "%d/%m/%Y"


def test_a_file_that_was_not_split_is_read_otherwise():
    data = text("|").replace("|", "~").encode()
    form, _ = form_with(data, "own.csv")
    assert list(form.text.columns) != NAMES
    form, _ = form_with(("x;y\n" * 5 + text(";")).encode(), "own.csv")
    form.reading["header_row"].value = "6"
    assert list(form.text.columns) == NAMES


def test_a_refusal_without_a_mapping_offers_one(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HELPERS_FORMS", str(tmp_path))
    (tmp_path / "question.json").write_text("{}")
    asked = ["view", str(tmp_path / "question.json"), "--cohort", str(FIXTURES / "dates.csv")]
    assert main(asked) == 2
    assert f"written to {tmp_path / 'dates.yaml'}" in capsys.readouterr().err
    assert load_cohort(FIXTURES / "dates.csv", tmp_path / "dates.yaml").arms == ("R-CHOP", "CAR-T")


def test_the_form_keeps_both_events_and_asks_every_code_of_a_status(tmp_path, monkeypatch):
    monkeypatch.setenv("HELPERS_FORMS", str(tmp_path))
    file = ("id,arm,dx,progression,death,last_seen,state,nodes\n"
            "1,A,2020-01-01,2020-02-01,2020-03-01,,1,9\n2,B,2020-01-01,,2020-04-01,,1,3\n"
            "3,A,2020-01-01,,,2021-01-01,0,4\n4,B,2020-01-01,,,2021-01-01,9,9\n")  # fmt: skip
    form, taken = form_with(file.encode(), "own.csv")
    ends = {"start": "dx", "event": ["progression", "death"], "last": "last_seen"}
    form.form(form.plain() | {"times": {"pfs": ends}, "reference_arm": "A"})
    assert form.plain()["times"]["pfs"] == ends
    form.load()
    assert taken[-1].frame["pfs_time"].to_list() == [31, 91, 366, 366]
    own = {"start": "dx", "event": "death", "last": "last_seen", "status": "state"}
    form.form(form.plain() | {"times": {"os": own}})
    form.load()
    assert len(taken) == 1 and "0, 9: a status" in form.said.value.replace("1, ", "")
    for code, word in (("1", "event"), ("0", "censored"), ("9", "missing")):
        form.endpoints["os"].codes.fields[code].value = word
    assert "missing" not in form.plain() and form.plain()["times"]["os"]["unknown"] == ["9"]
