"""A reader's cohort is loaded exactly, or refused with every reason; nothing is guessed."""

import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from bad_cohorts import PFS, REFUSED, SIX_CSV, cohort_csv
from cohorts import EXAMPLE, german
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lifelines.datasets import load_lymph_node

from helpers.cohort import ROOT, Cohort, CohortError, load_cohort
from helpers.loading.cells import write_csv
from helpers.loading.checks import MOST_ARMS
from helpers.loading.excluding import TESTS
from helpers.loading.formats import Stated
from helpers.loading.mapping import Mapping


@pytest.fixture
def load(tmp_path):
    def load_text(file=SIX_CSV, mapping=None):
        return load_from(tmp_path, file, mapping)

    return load_text


STATED = "reference_arm: A"


def load_from(folder, file, mapping=None):
    """Load what a reader might send: text or bytes of a CSV and of its mapping."""
    (folder / "mine.csv").write_bytes(file.encode() if isinstance(file, str) else file)
    if mapping is None:
        return load_cohort(folder / "mine.csv")
    (folder / "mine.yaml").write_bytes(mapping.encode() if isinstance(mapping, str) else mapping)
    return load_cohort(folder / "mine.csv", folder / "mine.yaml")


def numbered(message):
    """The problems of a message, one line each; the head and a closing hint are left out."""
    return re.findall(r"^\d+\. (.*)$", message, re.MULTILINE)


def says(line, expected):
    """Whether the parts of `expected` stand in the line, one after the other."""
    return re.search(".*".join(map(re.escape, expected.split(" ... "))), line) is not None


# Refusals


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(bad, id=f"{part}: {bad.because}".encode("ascii", "replace").decode())
        for part, cases in REFUSED.items()
        for bad in cases
    ],
)
def test_a_cohort_is_refused_with_every_reason_when(bad, load):
    with pytest.raises(ValueError) as refusal:
        load(bad.file, bad.mapping)
    assert type(refusal.value) is CohortError
    message = str(refusal.value)
    lines = numbered(message)
    assert len(lines) == len(bad.says) == len(refusal.value.problems), message
    for line, expected in zip(lines, bad.says, strict=True):
        assert says(line, expected), f"{expected}\nis not in\n{line}"
        assert ": found " in line and " To do: " in line
    head = message.splitlines()[0]
    assert f"{len(lines)} problem" in head
    assert ("the header is row 1" in head) == (", row " in message), "no row is named"
    assert message.startswith("mine.csv")
    assert "PAT-" not in message, "a patient id is quoted"


def test_a_file_that_is_not_there_or_is_a_folder_is_refused(tmp_path):
    (tmp_path / "mine.csv").write_text(SIX_CSV)
    for path, map_path, finding in (
        ("absent.csv", None, "file: found no file at"),
        ("", None, "file: found a folder"),
        ("a\0b.csv", None, "file: found a file that cannot be read"),
        ("x" * 5000, None, "file: found a file that cannot be read"),
        ("mine.csv", "absent.yaml", "mapping: found no file at"),
        ("mine.csv", "", "mapping: found a folder"),
    ):
        with pytest.raises(CohortError, match=finding):
            load_cohort(tmp_path / path, map_path if map_path is None else tmp_path / map_path)


def test_the_home_of_nobody_is_no_file():
    with pytest.raises(CohortError, match="no file at"):
        load_cohort("~nobody-of-that-name/cohort.csv")


def test_a_mapping_without_its_cohort_is_refused_rather_than_forgotten():
    with pytest.raises(CohortError, match="a mapping without a cohort"):
        load_cohort(None, EXAMPLE[1])


def test_columns_are_named_once_when_one_is_not_found(load):
    with pytest.raises(
        CohortError, match=r"(?s)To do.*The file has these columns: ID, Group, t\.$"
    ):
        load("ID,Group,t\nPAT-1,A,1\n")


def test_a_patient_in_place_of_the_header_is_not_quoted(load):
    with pytest.raises(CohortError, match="Row 1 holds numbers") as refusal:
        load("PAT-1,A,10,1\nPAT-2,B,20,0\n", "columns: {patient_id: id}")
    assert "PAT-" not in str(refusal.value)


def test_a_message_stays_readable_however_much_is_wrong(load):
    names = [f"x{i}" for i in range(200)]
    with pytest.raises(CohortError) as refusal:
        load(mapping=yaml.safe_dump({"ignore": names}))
    assert len(refusal.value.problems) == 200
    assert len(str(refusal.value).splitlines()) < 50
    novel = ["\x1b[31m" + "word " * 5000 + "\n" * 9] * 6
    with pytest.raises(CohortError) as refusal:
        load(cohort_csv(response=novel, ecog=novel))
    message = str(refusal.value)
    assert len(message) < 1000 and "\x1b" not in message and len(message.splitlines()) == 3


def test_the_refusal_of_20000_patients_names_three_rows(load):
    rows = "".join(f"PAT-{i},{'AB'[i % 2]},{i + 1},2\n" for i in range(1, 20_001))
    with pytest.raises(CohortError, match="row 2, row 3, row 4 and 19997 more: found 2: not an"):
        load("patient_id,arm,os_time,os_event\n" + rows)


# What is accepted, and how it is read


def test_six_patients_are_read_as_they_are(load):
    cohort = load()
    assert cohort.arms == ("B", "A") and cohort.reference_arm == "A"
    assert list(cohort.frame["os_time"]) == [400, 300, 200, 350, 250, 150]
    assert list(cohort.frame["os_event"]) == [0, 1, 1, 0, 1, 1]
    assert list(cohort.frame["arm"]) == list("AAABBB")
    assert cohort.endpoints == {"os": "Overall survival"}
    assert (cohort.name, cohort.status, cohort.slug) == ("mine", "private", "mine")
    assert list(cohort.codebook.index) == ["patient_id", "arm", "os_time", "os_event"]
    assert not cohort.is_paper


def test_counts_below_5_are_masked_for_a_reader_unless_the_mapping_says_otherwise(load):
    assert load().mask_below == 5
    assert load(mapping="name: Mine").mask_below == 5
    assert load(mapping="mask_below: 0").mask_below == 0
    assert load(mapping="mask_below: 11").mask_below == 11


@pytest.mark.parametrize(
    ("unit", "days"), [("days", 1), ("weeks", 7), ("months", 365 / 12), ("years", 365)]
)
def test_times_become_days_exactly(load, unit, days):
    cohort = load(cohort_csv(os_time="0,1,12,2.5,1.,1e1"), f"time_unit: {unit}")
    exact = [n * days for n in (0, 1, 12, 2.5, 1, 10)]
    np.testing.assert_allclose(cohort.frame["os_time"], exact, rtol=0, atol=1e-8)


def test_years_and_months_of_whole_days_are_those_days(load):
    """2.2 x 365 is 803.0000000000001 in floating point, a day later than 803."""
    days = list(range(1, 1500))
    for unit, per in (("years", 365), ("months", 365 / 12)):
        frame = pd.DataFrame({"arm": ["a", "b", "a"] * 500, "os_event": 1})[: len(days)]
        text = frame.assign(os_time=np.array(days) / per, patient_id=days).to_csv(index=False)
        assert list(load(text, f"time_unit: {unit}").frame["os_time"]) == days


@pytest.mark.parametrize(
    "file",
    [
        "\ufeff" + SIX_CSV,
        SIX_CSV.replace("\n", "\r\n"),
        SIX_CSV.replace("\n", "\r"),
        SIX_CSV + "\n\n,,,\n  \n",
        SIX_CSV.replace("\n", "\n\n")[:-1],
        SIX_CSV.replace(",", " , "),
        SIX_CSV.replace("\n", ",\n"),
        re.sub(r"([^,\n]+)", r'"\1"', SIX_CSV),
        re.sub("^", ",", SIX_CSV, flags=re.MULTILINE)[:-1],
    ],
    ids=["byte order mark", "CRLF", "CR", "blank end", "blank rows between", "spaces",
         "a comma too many", "quotes", "a first column without a name"],
)  # fmt: skip
def test_the_same_patients_are_read_from_a_file_with(load, file):
    pd.testing.assert_frame_equal(load(file).frame, load().frame)


def test_a_quoted_comma_belongs_to_the_value(load):
    cohort = load(cohort_csv(histology=["DLBCL, NOS"] * 3 + ['the "other"'] * 3))
    assert list(cohort.frame["histology"].unique()) == ["DLBCL, NOS", 'the "other"']


def test_a_column_that_nobody_described_is_left_out_and_flagged(load):
    cohort = load(cohort_csv(filename="a,b,c,d,e,f", zip_code_region="1,1,1,2,2,2"))
    assert list(cohort.frame) == ["patient_id", "arm", "os_time", "os_event"]
    assert finding(cohort, "filename, zip_code_region").startswith("left out")


@pytest.mark.parametrize("name", ["filename", "zip_code_region", "name_of_drug", "phone_contact"])
def test_only_whole_names_are_taken_for_identifiers(load, name):
    cohort = load(cohort_csv(**{name: "x,y,x,y,x,y"}), f"factors: {{{name}: {{label: Label}}}}")
    assert name in cohort.frame


def test_an_ignored_identifier_is_not_read(load):
    cohort = load(cohort_csv(DOB="1,2,3,4,5,6"), "ignore: [DOB]")
    assert "DOB" not in cohort.frame and "DOB" not in " ".join(cohort.flags["column"])


@pytest.mark.parametrize("word", ["None", "null", "no", "yes", "nil", "0"])
def test_an_arm_may_be_called(load, word):
    file = cohort_csv(arm=f"{word},{word},x,x,x,x")
    assert set(load(file).arms) == {word, "x"}
    quoted = f"'{word}'" if word == "null" else word
    assert load(file, f"reference_arm: {quoted}").arms == ("x", word)


def test_yaml_words_and_numbers_keep_the_spelling_of_the_mapping(load):
    cohort = load(
        cohort_csv(arm="yes,yes,010,010,010,010", **{"2": "12:30,12:30,1,1,1,1"}),
        "{recode: {arm: {yes: on, 010: off}}, reference_arm: off, ignore: [],\n"
        "columns: {site: 2}, factors: {site: {label: 5}}, name: 2024-05-01}",
    )
    assert cohort.arms == ("on", "off") and cohort.name == "2024-05-01"
    assert cohort.label("site") == "5" and "12:30" in set(cohort.frame["site"])


@pytest.mark.parametrize("code", ["1", "1.0", '"1"', "1.", "1.00"])
def test_the_code_1_is_the_same_however_it_is_written(load, code):
    file = cohort_csv(arm="1,1.0,1.,2,2.0,2")
    cohort = load(file, f"{{recode: {{arm: {{{code}: one, 2: two}}}}, reference_arm: two}}")
    assert list(cohort.frame["arm"]) == ["one"] * 3 + ["two"] * 3


def test_names_that_look_like_formulas_are_read_back_from_the_file_that_protects_them(
    load, tmp_path
):
    arms = ["=A", "=A", "'@B", "'@B", "'@B", "=A"]
    rows = pd.DataFrame({"+id": list("abcdef"), "arm": arms, "os_time": [3.5, 2, 1, 3, 2, 1],
                         "os_event": 1, "-x": ["-1", "-2", "-3", "-1", "-2", "+y"]})  # fmt: skip
    write_csv(rows, tmp_path / "written.csv")
    written = (tmp_path / "written.csv").read_text()
    assert "'=A" in written and "''@B" in written and ",-3\n" in written
    # A mapping may call things as the file shows them, or as they are.
    for first, second, other in (("'+id", "'-x", "'=A"), ("+id", "-x", "=A")):
        mapping = {"columns": {"patient_id": first, "x": second}, "reference_arm": other,
                   "factors": {"x": {"label": "X"}}}  # fmt: skip
        cohort = load(written, yaml.safe_dump(mapping))
        assert list(cohort.frame["arm"]) == arms and cohort.arms == ("'@B", "=A")
        assert list(cohort.frame["x"]) == ["-1", "-2", "-3", "-1", "-2", "+y"]
        assert not cohort.flags["finding"].str.contains("apostrophe|spaces").any()


def test_numbered_categories_are_kept_as_text(load):
    file = cohort_csv(arm="1,1.0,1,2,2.0,2", grade="3,3.0,2,2,,01")
    cohort = load(file, "{factors: {grade: {label: Grade}}, reference_arm: 2.0}")
    assert cohort.arms == ("1", "2")
    assert list(cohort.frame["grade"].dropna()) == ["3", "3", "2", "2", "01"]


def test_a_missing_optional_value_stays_missing(load):
    file = cohort_csv(
        age="50,NA,,nan,.,NaN", histology="a,NA ,,N/A,#N/A,None", response="CR,9,PD,CR,PD,CR"
    )
    cohort = load(file, "recode: {response: {CR: CR, PD: PD, 9: null}}")
    assert list(cohort.frame["age"].isna()) == [False] + [True] * 5
    assert list(cohort.frame["histology"].dropna()) == ["a", "None"]
    assert list(cohort.frame["response"].isna()) == [False, True] + [False] * 4
    assert all(isinstance(value, float) for value in cohort.frame["histology"][1:5])


def test_patients_can_be_numbered_when_there_is_no_id(load):
    cohort = load(cohort_csv(patient_id=None), "columns: {patient_id: row_number}")
    assert cohort.frame["patient_id"].is_unique and len(cohort.frame) == 6


def test_one_patient_per_arm_is_enough_to_load(load):
    cohort = load("patient_id,arm,os_time,os_event\n1,B,0,1\n2,A,0,1\n")
    assert cohort.arms == ("B", "A")


def test_two_columns_can_change_names(load):
    file = cohort_csv(**PFS | {"pfs_time": "400,300,200,350,250,150", "os_time": "3,2,1,2,1,1"})
    cohort = load(file, "columns: {os_time: pfs_time, pfs_time: os_time}")
    assert list(cohort.frame["os_time"]) == [400, 300, 200, 350, 250, 150]


# Endpoints, factors and labels


def test_a_mapping_adds_an_endpoint_with_its_label_after_those_we_know(load):
    file = cohort_csv(t="1,1,1,1,1,1", e="0,0,0,1,1,1", **PFS)
    mapping = "{columns: {rfs_time: t, rfs_event: e}, labels: {rfs: Recurrence-free survival}}"
    assert list(load(file, mapping).endpoints.items()) == [
        ("os", "Overall survival"),
        ("pfs", "Progression-free survival"),
        ("rfs", "Recurrence-free survival"),
    ]


def test_recurrence_free_survival_alone_is_never_overall_survival(load):
    file = cohort_csv(os_time=None, os_event=None, rfs_time="1,1,1,1,1,1", rfs_event="1,1,1,1,1,1")
    with pytest.raises(CohortError, match="endpoint: found no pair"):
        load(file)
    cohort = load(file, "columns: {rfs_time: rfs_time, rfs_event: rfs_event}")
    assert cohort.endpoints == {"rfs": "rfs"} and "os_time" not in cohort.codebook.index


def test_a_factor_with_a_unit_is_a_number_and_without_one_a_category(load):
    cohort = load(
        cohort_csv(size="1,2,3,1,2,3", grade="1,2,3,1,2,3", nodes="1,2,3,1,2,3"),
        "factors: {size: {label: Size, unit: mm}, grade: {label: Grade}, nodes: {type: number, "
        "known_at: 30}}",
    )
    assert list(cohort.codebook.loc[["size", "grade", "nodes"], "type"]) == [
        "number", "category", "number",
    ]  # fmt: skip
    assert cohort.label("size") == "Size (mm)" and cohort.label("nodes") == "nodes"
    assert list(cohort.codebook.loc[["size", "nodes"], "known_at"]) == [0, 30]
    assert list(cohort.frame["grade"]) == list("123123")


def test_a_known_factor_keeps_what_the_mapping_does_not_say(load):
    file = cohort_csv(response="CR,CR,PD,CR,PD,PD", ecog="1,2,1,0,0,0")
    about = load(file, "factors: {response: {label: Antwort}, ecog: {label: PS}}").codebook
    assert np.isnan(about.at["response", "known_at"]), "a response is not known at time zero"
    assert about.at["ecog", "type"] == "number"
    with pytest.raises(CohortError, match="outside 0 to 4"):
        load(cohort_csv(ecog="9,2,1,0,0,0"), "factors: {ecog: {label: PS}}")


def test_a_factor_can_be_known_on_no_fixed_day(load):
    file = cohort_csv(transplant="no,no,yes,no,no,no")
    about = load(file, "factors: {transplant: {label: Transplant, known_at: null}}").codebook
    assert np.isnan(about.at["transplant", "known_at"])


def test_synthetic_patients_stay_synthetic_under_any_mapping(load):
    file = cohort_csv(data_status=",".join(["synthetic"] * 6))
    for mapping in (None, STATED, "status: real, published", "ignore: [data_status]"):
        cohort = load(file, mapping)
        assert cohort.status == "synthetic" and not (cohort.flags["column"] == "data_status").any()


def test_only_the_published_cohort_carries_our_evidence(load):
    assert set(load(cohort_csv(age="1,2,3,4,5,6")).codebook["evidence"]) == {""}


# Flags


def finding(cohort, column):
    """What is flagged about a column: one text."""
    return "; ".join(cohort.flags.loc[cohort.flags["column"] == column, "finding"])


@pytest.mark.parametrize(
    ("column", "expected", "rows", "mapping", "columns"),
    [
        ("arm", "no reference arm stated: 'A' is taken", 6, None, {}),
        ("os_time", "time is zero: kept", 2, STATED, {"os_time": "400,0,0,1,1,1"}),
        ("os_time", "longest time is 40 days: are these months", 6, STATED,
         {"os_time": "40,30,20,35,25,15"}),
        ("os_time", "longest time is 41 years: is time_unit right", 6, "time_unit: years",
         {"os_time": "41,3,2,3,2,1"}),
        ("os_time", "a code for unknown", 2, STATED, {"os_time": "9999,9999,200,3,2,1"}),
        ("os_time", "a code for unknown", 1, "time_unit: months", {"os_time": "999,9,8,3,2,1"}),
        ("os_event", "nobody has the event", 6, STATED, {"os_event": "0,0,0,0,0,0"}),
        ("os_event", "everybody has the event", 6, STATED, {"os_event": "1,1,1,1,1,1"}),
        ("pfs_event", "died on the day that progression-free survival is censored", 1, STATED,
         {"pfs_time": "400,300,9,9,9,9", "pfs_event": "0,0,1,1,1,1"}),
        ("rfs_time", "longer than overall survival", 1,
         "columns: {rfs_time: t, rfs_event: e}", {"t": "401,9,9,9,9,9", "e": "1,1,0,1,1,0"}),
        ("age", "no value", 2, STATED, {"age": "50,,,60,70,80"}),
        ("age", "the same for everybody", 6, STATED, {"age": "50,50,50,50,50,50"}),
        ("histology", "21 categories: is it a number, free text or an id", 24, STATED, None),
        ("histology", "differ only in capitals", 6, STATED, {"histology": "a,A,b,b,b,b"}),
        ("arm", "spaces around it, read without them", 3, STATED,
         {"arm": "A ,A,A,B,B\u00a0,\u00a0B"}),
        ("histology", "spaces around it", 6, "{reference_arm: A, columns: {histology: type}}",
         {"type": "a ,b ,a ,b ,a ,b "}),
        ("arm", "control characters in it, written out", 3, "reference_arm: \"\\x1b[31mA\"",
         {"arm": "\x1b[31mA,\x1b[31mA,\x1b[31mA,B,B,B"}),
        ("site, ward", "left out", 6, STATED, {"site": "1,1,1,1,1,1", "ward": "1,1,1,1,1,1"}),
    ],
)  # fmt: skip
def test_a_cohort_is_kept_and_flagged(load, column, expected, rows, mapping, columns):
    file = cohort_csv(**columns) if columns is not None else many_histologies()
    flags = load(file, mapping).flags
    hits = flags[(flags["column"] == column) & flags["finding"].str.contains(expected)]
    assert list(hits["rows"]) == [rows]


def many_histologies():
    rows = [f"{i},{'AB'[i % 2]},{500 - i},{i % 2},kind {min(i, 20)}" for i in range(24)]
    return "\n".join(["patient_id,arm,os_time,os_event,histology", *rows])


def test_no_name_in_a_cohort_holds_what_a_word_file_or_a_terminal_cannot(load):
    file = cohort_csv(arm=["\x1b[2JA"] * 3 + ["two\r\nlines"] * 3, g="\x07,a\x0bb,\x9b,a,\uffff,b")
    mapping = r"""{name: "N\e", reference_arm: "\e[2JA", factors: {g: {label: "\a"}}}"""
    cohort = load(file, mapping)
    assert cohort.arms == ("two\nlines", r"\u001b[2JA") and cohort.name == r"N\u001b"
    assert list(cohort.frame["g"]) == [r"\u0007", r"a\u000bb", r"\u009b", "a", r"\uffff", "b"]
    assert cohort.label("g") == r"\u0007"


def test_a_cohort_without_oddities_has_no_flag(load):
    assert load(mapping=STATED).flags.empty
    spaced = cohort_csv(os_time="400 ,300 ,200,350,250,150")
    assert load(spaced, STATED).flags.empty, "spaces around a number change nothing"
    assert list(load(mapping=STATED).flags) == ["column", "rows", "finding"]


def test_a_column_without_any_value_is_flagged_once(load):
    assert list(load(cohort_csv(age=",,,,,"), STATED).flags["finding"]) == ["no value"]


# The example cohort


def test_the_example_is_the_lymph_node_study_of_lifelines():
    frame, original = german().frame, load_lymph_node().reset_index()
    same = {"age": "age", "size": "size", "nodes": "nodes", "prog_recp": "prog_recp",
            "estrg_recp": "estrg_recp", "os_time": "survtime", "os_event": "censdead",
            "rfs_time": "rectime", "rfs_event": "censrec"}  # fmt: skip
    for ours, theirs in same.items():
        assert (frame[ours] == original[theirs]).all()
    assert (frame["patient_id"] == original["id"].astype(str)).all()
    assert (frame["grade"] == original["grade"].astype(str)).all()
    assert (frame["arm"] == original["hormone"].map({1: "none", 2: "hormone therapy"})).all()
    assert list(german().endpoints) == ["os", "rfs"] and german().flags.empty


def test_events_and_censorings_swapped_in_the_example_are_flagged(tmp_path):
    mapping = yaml.safe_load((ROOT / EXAMPLE[1]).read_text(encoding="utf-8"))
    mapping["recode"] |= {name: {0: 1, 1: 0} for name in ("os_event", "rfs_event")}
    file = (ROOT / EXAMPLE[0]).read_bytes()
    cohort = load_from(tmp_path, file, yaml.safe_dump(mapping))
    assert list(cohort.flags["column"]) == ["os_event", "rfs_event"]
    assert cohort.flags["finding"].str.contains("is 1 really the event").all()


def test_every_mapping_key_is_explained_beside_the_data():
    text = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    for key in fields(Mapping):
        assert f"| `{key.name}` |" in text
    for word in ("row_number", "known_at", "#N/A", *Stated._fields, *TESTS):
        assert word in text


# Anything at all


PATHS = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
CELLS = st.sampled_from(
    ["", " ", "A", "B", "0", "1", "2", "-1", "3.5", "1e9", "inf", "NA", "None", "x,y", 'a"b',
     "two\nlines", "17-08-1984", "é", "\u2028", "9" * 30, ";", "12,5", "=1+1"]
)  # fmt: skip
NAMES = st.sampled_from(
    ["patient_id", "arm", "os_time", "os_event", "pfs_time", "pfs_event", "rfs_time", "age",
     "ecog", "response", "histology", "DOB", "", "1", "group", "id"]
)  # fmt: skip
WORDS = st.one_of(NAMES, CELLS, st.integers(), st.floats(), st.booleans(), st.none(), st.dates())
NESTED = st.recursive(
    WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
KEYS = ["name", "status", "time_unit", "columns", "labels", "recode", "reference_arm", "factors",
        "ignore", "mask_below", "file", "times", "missing", "exclude", "order", "one_row_per",
        "date_format", "other"]  # fmt: skip


def loads_or_is_refused(folder: Path, file, mapping=None):
    try:
        cohort = load_from(folder, file, mapping)
    except CohortError as refusal:
        assert refusal.problems and len(numbered(str(refusal))) == min(40, len(refusal.problems))
    else:
        assert isinstance(cohort, Cohort)
        assert set(cohort.frame["arm"]) == set(cohort.arms)
        assert len(cohort.arms) == cohort.frame["arm"].nunique() <= MOST_ARMS
        assert cohort.frame["patient_id"].is_unique and cohort.endpoints
        assert list(cohort.frame.index) == list(range(len(cohort.frame)))
        for name in cohort.endpoints:
            time, event = cohort.frame[f"{name}_time"], cohort.frame[f"{name}_event"]
            assert (time.isna() == event.isna()).all() and time.notna().any()
            assert (time.dropna() >= 0).all() and event.dropna().isin([0, 1]).all()
        times = cohort.frame[[f"{name}_time" for name in cohort.endpoints]]
        assert times.notna().any(axis=1).all(), "a patient of whom nothing is known"


@PATHS
@given(file=st.binary(max_size=300), mapping=st.none() | st.binary(max_size=80))
def test_any_bytes_load_or_are_refused(tmp_path, file, mapping):
    loads_or_is_refused(tmp_path, file, mapping)


@PATHS
@given(
    names=st.lists(NAMES, min_size=1, max_size=7),
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=7), max_size=5),
)
def test_any_table_loads_or_is_refused(tmp_path, names, rows):
    quoted = [",".join(f'"{c.replace(chr(34), 2 * chr(34))}"' for c in row) for row in rows]
    loads_or_is_refused(tmp_path, "\n".join([",".join(names), *quoted]))


@PATHS
@given(changes=st.dictionaries(NAMES, st.lists(CELLS, min_size=6, max_size=6), max_size=4))
def test_any_change_to_six_patients_loads_or_is_refused(tmp_path, changes):
    loads_or_is_refused(tmp_path, cohort_csv(**changes))


@PATHS
@given(mapping=st.dictionaries(st.sampled_from(KEYS), NESTED, max_size=5))
def test_any_mapping_loads_or_is_refused(tmp_path, mapping):
    file = cohort_csv(age="1,2,3,4,5,6", group="A,A,B,B,,1", **PFS)
    loads_or_is_refused(tmp_path, file, yaml.safe_dump(mapping, allow_unicode=True))


@PATHS
@given(
    columns=st.dictionaries(NAMES, NAMES, max_size=4),
    recode=st.dictionaries(NAMES, st.dictionaries(CELLS, CELLS, max_size=4), max_size=2),
    factors=st.dictionaries(
        NAMES,
        st.fixed_dictionaries({}, optional={"label": CELLS, "unit": CELLS, "known_at": CELLS}),
        max_size=2,
    ),
    labels=st.dictionaries(NAMES, CELLS, max_size=2),
)  # fmt: skip
def test_any_mapping_of_the_right_form_loads_or_is_refused(
    tmp_path, columns, recode, factors, labels
):
    mapping = {"columns": columns, "recode": recode, "factors": factors, "labels": labels}
    file = cohort_csv(age="1,2,3,4,5,6", group="A,A,B,B,,1", rfs_time="1,2,3,4,5,6", **PFS)
    loads_or_is_refused(tmp_path, file, yaml.safe_dump(mapping))
