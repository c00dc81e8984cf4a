"""Cohorts that must be refused: what is wrong, the file, its mapping, and what must be said.

Each expected line stands for one problem, in the order in which they are reported; " ... " skips
words. There must be no other problem: one cause is reported once.
"""

import csv
import gzip
from io import StringIO
from typing import NamedTuple

SIX = {
    "patient_id": [f"PAT-0{i}" for i in range(1, 7)],
    "arm": "A,A,A,B,B,B",
    "os_time": "400,300,200,350,250,150",
    "os_event": "0,1,1,0,1,1",
}
PFS = {"pfs_time": "300,200,100,250,150,50", "pfs_event": "1,1,1,1,1,1"}


def cohort_csv(**columns) -> str:
    """Six patients as CSV; a column given here is added, replaces its namesake, or (None) goes."""
    cells = {
        name: values.split(",") if isinstance(values, str) else values
        for name, values in (SIX | columns).items()
        if values is not None
    }
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(cells)
    rows.writerows(zip(*cells.values(), strict=True))
    return text.getvalue()


class Refused(NamedTuple):
    because: str
    file: str | bytes
    says: tuple[str, ...]
    mapping: str | bytes | None = None


def refused(because, *says, file=None, mapping=None, **columns) -> Refused:
    return Refused(because, cohort_csv(**columns) if file is None else file, says, mapping)


FIXED = "patient_id,arm,os_time,os_event\n"
SIX_CSV = cohort_csv()

FILES = [
    refused("its encoding is not as stated", "a character in line 3 that is not utf-8 ... encoding",
            file=cohort_csv(histology="b,Köln,c,d,e,f").encode("latin-1"),
            mapping="file: {encoding: utf-8}"),
    refused("it is a zip file", "a zip file that is no Excel workbook ... unpack it",
            file=b"PK\x03\x04\x14\0\x06\0xl/work"),
    refused("it is an old workbook", "an old Excel", file=b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0"),
    refused("it is packed and damaged", "a gzip file that ends early",
            file=gzip.compress(SIX_CSV.encode())[:-12]),
    refused("it is a packed file of R", "a file of R ... write.csv",
            file=gzip.compress(b"X\n\0\0\0\3")),
    refused("it is of SPSS", "file: found an SPSS file that cannot be read",
            file=b"$FL2@(#) SPSS DATA FILE"),
    refused("a value is as long as a book", "file, row 2: found a value of more than 131,072 "
            "characters. To do: shorten it, or remove the column",
            file=FIXED + "PAT-1," + "x" * 200_000 + ",1,1\n"),
    refused("a quoted value swallows the file", "file, row 3: found a value of more than 131,072 "
            "characters ... a quoted value does not end: close each quoted value",
            file=FIXED + 'PAT-1,A,1,1\nPAT-2,"B,1,1\n' + "PAT-3,B,1,1\n" * 20_000),
    refused("it is a picture", "zero bytes", file=b"\x89PNG\r\n\x1a\n\0\0\0"),
    refused("decimals have commas and points", "file: found both 12,5 and 1.5 ... decimal",
            file=FIXED.replace(",", ";") + "PAT-01;A;12,5;1\nPAT-02;B;1.5;0\n"),
    refused("commas may be thousands", "file: found 1,200, which may be ... decimal",
            file=FIXED.replace(",", ";") + "PAT-01;A;1,200;1\nPAT-02;B;2,500;0\n"),
    refused("the file is empty", "nothing in it", file=""),
    refused("the file is blank", "nothing in it", file="\n \n,,,\n"),
    refused("there is only a header", "a header and no rows", file=FIXED),
    refused("the stated header is empty", "header_row 1, where nothing stands", file="\n" + SIX_CSV,
            mapping="file: {header_row: 1}"),
    refused("a column comes twice", "the column name 'arm' 2 times ... 'arm: arm (1)'",
            file="patient_id,arm,arm,os_time,os_event\nPAT-01,A,B,10,1\n"),
    refused("rows are short or long", "file, row 3, row 5: found 3 values, 5 values: the header "
            "has 4 names ... every row 4 values",
            file=FIXED + "PAT-01,A,10,1\nPAT-02,A,20\n\nPAT-03,B,1,1,7\nPAT-04,B,30,0,\n"),
    refused("a quotation mark stays open", "file, row 3: found quotation marks that do not pair",
            file=FIXED + 'PAT-01,A,10,1\nPAT-02,"A,20,0\nPAT-03,B,30,0\n'),
    refused("there is no header", "patient_id: found no such column",
            "endpoint: found no pair", file=SIX_CSV.removeprefix(FIXED)),
]  # fmt: skip

COLUMNS = [
    refused("the arm is under ignore", "arm: found only a column that is under ignore. To do: take",
            mapping="ignore: [arm]"),
    refused("a time is under ignore", "os_event: found no os_time beside it (it is under ignore)",
            mapping="ignore: [os_time]"),
    refused("the endpoint is under ignore", "endpoint: found no pair such as os_time and os_event "
            "(os_time, os_event under ignore)", mapping="ignore: [os_time, os_event]"),
    refused("its arm has another name", "arm: found no such column, but 'Treatment' ... map it: "
            "'columns: {arm: Treatment}'", arm=None, Treatment="A,A,A,B,B,B"),
    refused("it has no id", "patient_id: found no such column ... row_number", patient_id=None),
    refused("it has no endpoint", "endpoint: found no pair such as os_time and os_event",
            os_time=None, os_event=None),
    refused("an endpoint has no event", "os_time: found no os_event beside it", os_event=None),
    refused("an endpoint has no time", "pfs_event: found no pfs_time ... or list pfs_event under",
            pfs_event=PFS["pfs_event"]),
    refused("a mapped endpoint has no time", "rfs_event: found no rfs_time beside it",
            mapping="columns: {rfs_event: relapse}", relapse="0,1,1,0,1,1"),
    refused("our names are in capitals", "arm: ", "patient_id: ", "endpoint: ",
            file=SIX_CSV.replace(FIXED, FIXED.upper())),
    *(
        refused(f"it has a column {name!r}", f"{name}: found a column that looks like an "
                "identifier ... list it under ignore", **{name: "PAT-1,PAT-2,PAT-3,c,d,e"})
        for name in (
            "name", "Patient Name", "LAST_NAME", "first.name", "Initials", "MRN", "M.R.N.",
            "Medical Record No.", "hospital-number", "NHS number", "SSN", "DOB", "Date of birth",
            "birth_date", "E-mail", "phone", "Address", "ZIP code", "Postcode", "Prénom",
        )
    ),
    refused("the id is a record number", "MRN: found a column that looks like an identifier ... "
            "'patient_id: row_number'", mapping="columns: {patient_id: MRN}",
            patient_id=None, MRN="1,2,3,4,5,6"),
]  # fmt: skip

EVENTS = [
    refused("events are coded 1 and 2", "os_event, row 3, row 4, row 6 and 1 more: found 2: not an "
            "event code ... recode: {os_event: {1: 0, 2: 1}}' if it is 2", os_event="1,2,2,1,2,2"),
    refused("all event codes are 2", "os_event, row 2 ... recode", os_event="2,2,2,2,2,2"),
    refused("events are coded 0, 1 and 2", "os_event, row 4: found 2: not ... more than one end "
            "of follow-up ... 1 only if it is death, from any cause; 0 if these patients were "
            "alive", os_event="0,1,2,0,1,1"),
    refused("events of another endpoint are coded 0, 1 and 2", "pfs_event, row 4: found 2: not ... "
            "{0: 0, 1: 1, 2: 1}}' if 1 and 2 both are ... {0: 0, 1: 1, 2: another cause}' if only",
            **PFS | {"pfs_event": "0,1,2,0,1,1"}),
    refused("events are coded 4 and 5", "4, 5: not an event code ... each code its meaning",
            os_event="4,5,4,5,4,5"),
    refused("an event is a half", "0.5: not an event code", os_event="0,0.5,1,0,1,1"),
    refused("yes may mean alive", "os_event, row 2, row 3, row 4 and 3 more: found no, yes: not "
            "a number ... 1 for an event and 0 for censored", os_event=None,
            mapping="columns: {os_event: Still alive}", **{"Still alive": "no,yes,yes,no,yes,yes"}),
    refused("a status is open", "os_event, row 4: found moved: a status without ... recode",
            os_event="Dead,Alive,moved,Dead,Dead,Dead"),
    refused("an event is missing", "os_event, row 3, row 4: found NA (read as missing), nothing: "
            "no status for 2 patients, and unknown is not alive ... leave them out by 'exclude: "
            "[{column: os_event, is: missing", os_event="0,NA,,0,1,1"),
    refused("a status has no meaning", "os_event, row 3, row 4: found UNKNOWN, lost: a "
            "code the recode does not name ... give it a meaning ... 1 is the event, 0 censored, "
            "null unknown, which is not alive", os_event="alive,UNKNOWN,lost,dead,dead,alive",
            mapping="recode: {os_event: {alive: 0, dead: 1}}"),
    refused("no code has a meaning", "os_event, row 2, row 3, row 4 and 3 more: found 0, 1: a code",
            mapping="recode: {os_event: {}}"),
    refused("a status is unknown", "os_event, row 3: found UNKNOWN (recoded to missing): no status "
            "for 1 patient", os_event="alive,UNKNOWN,dead,dead,dead,alive",
            mapping="recode: {os_event: {alive: 0, dead: 1, UNKNOWN: null}}"),
    refused("a patient ended by another cause than asked for", "os_event, row 3: found another "
            "cause: an end of follow-up that is neither ... 1 if these patients died",
            os_event="alive,transplant,dead,dead,dead,alive",
            mapping="recode: {os_event: {alive: 0, dead: 1, transplant: another cause}}"),
    refused("a patient ended by another cause than progression", "pfs_event, row 3: found another "
            "cause ... as if they could still have the event, and overstates its risk",
            mapping="recode: {pfs_event: {0: 0, 1: 1, 2: another cause}}",
            **PFS | {"pfs_event": "1,2,1,0,1,1"}),
]  # fmt: skip

TIMES = [
    refused("a time is negative", "os_time, row 3, row 4: found -1, -0.5: a time before time zero",
            os_time="400,-1,-0.5,350,250,150"),
    refused("times are missing", "os_time, row 2, row 3: found nothing, NA (read as missing): a "
            "value is required ... leave the patient out", os_time=",NA,200,350,250,150"),
    refused("a time is text", "os_time, row 2, row 4: found 12 months, 1_000: not a number",
            os_time="12 months,300,1_000,350,250,150"),
    refused("a time is a date", "17-08-1984: not a number", os_time="17-08-1984,3,2,3,2,1"),
    refused("a decimal is a comma", "12,5: not a number ... a decimal point",
            os_time=["12,5", "300", "200", "350", "250", "150"]),
    refused("a time is infinite", "inf, -Infinity, 1e999: not a number",
            os_time="inf,-Infinity,1e999,350,250,150"),
    refused("a time is 9999 years", "os_time, row 2: found 9999: more than 100 years ... time_unit",
            mapping="time_unit: years", os_time="9999,3,2,3,2,1"),
    refused("a time in months is negative", "os_time, row 2: found -0.1: a time before",
            mapping="time_unit: months", os_time="-0.1,3,2,3,2,1"),
    refused("progression comes after death", "pfs_time, row 3: found PFS 301 with OS 300: "
            "progression-free survival after overall", **PFS | {"pfs_time": "300,301,100,250,1,5"}),
    refused("progression comes after death, in months", "found PFS 3.5 with OS 3.2",
            mapping="time_unit: months", os_time="4,3.2,2,3,2,1", pfs_event=PFS["pfs_event"],
            pfs_time="4,3.5,1,2,1,1"),
    refused("an empty row shifts the rows", "os_time, row 4: found -1", "os_event, row 7: found 2",
            file=FIXED + "PAT-01,A,9,1\n\nPAT-02,B,-1,0\n , ,,\n\r\nPAT-03,B,9,2\nPAT-4,A,9,0"),
    refused("a value has a line break", "os_time, row 3: found -1",
            file='patient_id,arm,os_time,os_event,histology\nPAT-01,A,9,1,"two\nlines"\n'
            "PAT-02,B,-1,0,one"),
]  # fmt: skip

VALUES = [
    refused("arms differ in capitals", "A, B, a: names that differ only in", arm="A,A,a,B,B,B"),
    refused("arms differ in a dash", "A-B, a–b: names that differ only",
            arm="a–b,A-B,A-B,A-B,A-B,A-B"),
    refused("an arm is missing", "arm, row 3, row 7: found nothing", arm="A,,A,B,B, "),
    refused("an arm is called as a missing value is", "arm, row 2, row 3, row 4: found NA (read as "
            "missing): a value is required ... the name of an arm, write it otherwise in the file",
            arm="NA,NA,NA,EU,EU,EU"),
    refused("no arm is given", "arm, row 2 ... and 3 more: found nothing", arm=",,,,,"),
    refused("an id repeats", "patient_id, row 2, row 4: found (not shown): an id that repeats",
            patient_id="PAT-1,PAT-2,PAT-1 ,PAT-3,PAT-4,PAT-5"),
    refused("an id is missing", "patient_id, row 3: found nothing: a value is required",
            patient_id="PAT-1,,PAT-2,PAT-3,PAT-4,PAT-5"),
    refused("the arm is the id", "arm: found 7 different values. To do",
            file=FIXED + "".join(f"{i},PAT-0{i},9,1\n" for i in range(7))),
    refused("ECOG is 5", "ecog, row 3: found 5: outside 0 to 4", ecog="0,5,,4,1,2"),
    refused("IPI is a half", "ipi, row 2: found 2.5: not a whole number", ipi="2.5,1,,3,4,5"),
    refused("age is text", "age, row 2: found sixty: not a number", age="sixty,1,,3,4,5"),
    refused("an LDH is negative", "ldh_ratio, row 2: found -1: below 0", ldh_ratio="-1,1,1,1,1,1"),
    refused("a response is unknown", "response, row 3: found VGPR: not one of CR, PR, SD, PD, NE",
            response="CR,VGPR,,PD,NE,SD"),
    refused("sex is coded", "sex, row 2, row 3 ... 1, 2: not one of F, M", sex="1,2,,1,2,1"),
    *(
        refused(f"a factor is dated {day!r}", f"histology, row 2: found {day}: a date ... ignore",
                histology=[day, "a", "", "b", "b", "a"])
        for day in ("17-08-1984", "1984-08-17", "17.8.84", "8/17/1984 10:30", "17-Aug-84",
                    "17 August 1984", "Aug 17, 1984")
    ),
]  # fmt: skip

MAPPINGS = [
    refused("it is empty", "mapping: found no keys", mapping=""),
    refused("it is a list", "mapping: found no keys", mapping="[arm, os_time]"),
    refused("it is one word", "mapping: found no keys", mapping="days"),
    refused("it is not UTF-8", "not text in UTF-8", mapping="name: Köln".encode("latin-1")),
    refused("it is not YAML", "mapping, line 1: found text that cannot be read", mapping="{{"),
    refused("it is indented by tabs", "mapping, line 2", mapping="columns:\n\tarm: group\n"),
    refused("it holds a control character", "cannot be read as YAML", mapping="name: \x07"),
    refused("it nests without end", "cannot be read", mapping="[" * 5000),
    refused("a key comes twice", "mapping, line 3: found ... ('labels' twice)",
            mapping="labels: {}\n\nlabels: {}\n"),
    refused("a code comes twice", "('A' twice)", mapping="recode: {arm: {A: one, A: two}}"),
    refused("a name is a list", "a list as a name", mapping="? [a, b]\n: c"),
    refused("a key is unknown", "mapping: found unknown key 'colums' ... use only name, status",
            "mapping: found unknown key 'recodes'", mapping="colums: {arm: group}\nrecodes: 1"),
    refused("lists are not lists", "mapping, columns: found arm", "mapping, labels: found ['os']",
            "mapping, recode: found 3", "mapping, factors: found age", "mapping, ignore: found x "
            "... give a list", mapping="{columns: arm, labels: [os], recode: 3, "
            "factors: age, ignore: x}"),
    refused("the list of the ignored is nested", "mapping, ignore", mapping="ignore: [[age]]"),
    refused("texts are lists or nothing", "mapping, name: found ['a']", "time_unit: found nothing",
            "reference_arm: found {'a': 'b'}", mapping="{name: [a], time_unit: , "
            "reference_arm: {a: b}}"),
    refused("the time unit is unknown", "time_unit: found 'month' ... days, weeks, months, years",
            mapping="time_unit: month"),
    refused("the status is unknown", "status: found 'real' ... real, published; synthetic; private",
            mapping="status: real"),
    *(
        refused(f"mask_below is {value}", "mask_below ... whole number",
                mapping=f"mask_below: {value}")
        for value in ("-1", "1", "true", "2.5", "five", "1000000000")
    ),
    refused("a source is not text", "mapping, columns arm: found ['a']", "columns os_time: found "
            "nothing", mapping="columns: {arm: [a], os_time: }"),
    refused("a source is not there", "mapping, columns arm: found 'group', which the file does not",
            mapping="columns: {arm: group}", arm=None),
    refused("a source is ignored", "mapping, columns arm: found 'grp', which is under ignore",
            mapping="{columns: {arm: grp}, ignore: [grp]}", arm=None, grp="A,A,A,B,B,B"),
    refused("a source is mapped twice", "os_time: found mapped twice", mapping="columns: "
            "{os_time: os_time, pfs_time: os_time, pfs_event: pfs_event}", pfs_event="1,1,1,1,1,1"),
    refused("names are exchanged and one source serves twice", "os_time: found both a column",
            "patient_id: found mapped twice", "arm: found 6 different values. To do",
            mapping="columns: {arm: patient_id, os_time: arm, patient_id: patient_id}"),
    refused("a name is there and mapped to", "arm: found both a column of that name and one mapped "
            "to it ('group')", mapping="columns: {arm: group}", group="x,x,x,y,y,y"),
    refused("ids are numbered although there are ids", "patient_id: found both",
            mapping="columns: {patient_id: row_number}"),
    refused("a target is unknown", "tumor: found a mapped name that is neither known nor a factor",
            mapping="columns: {tumor: grp}", grp="1,2,3,1,2,3"),
    refused("a target is no name", "_time: found a mapped name", mapping="columns: {_time: t}",
            t="1,1,1,1,1,1"),
    refused("an ignored column is not there", "mapping, ignore: found 'dob'",
            mapping="ignore: [dob]"),
    refused("a recode is not a table", "mapping, recode arm: found yes",
            mapping="recode: {arm: yes}"),
    refused("a code becomes a list", "mapping, recode arm",
            mapping="recode: {arm: {A: [x], B: y}}"),
    refused("a code comes as 1 and 1.0", "the same code twice in 1, 1.0",
            mapping="recode: {arm: {1: x, 1.0: y}}"),
    refused("a recode names empty cells", "mapping, recode response: found a code for empty cells",
            mapping="recode: {response: {'': NE}}", response="CR,,PD,CR,CR,CR"),
    refused("ids are recoded", "mapping, recode patient_id",
            mapping="recode: {patient_id: {a: b}}"),
    refused("a code is not named", "arm, row 5, row 6, row 7: found B: a code the recode does not",
            mapping="recode: {arm: {A: x}}"),
    refused("an event code is not named", "os_event, row 3, row 4 ... 1: a code the recode does "
            "not", mapping="recode: {os_event: {0: 1, 2: 0}}"),
    refused("a recode leads nowhere", "os_event, row 2, row 5: found 3: not an event code",
            mapping="recode: {os_event: {0: 3, 1: 1}}"),
    refused("a recoded column is not there", "mapping, recode sex: found a column that is not "
            "there", mapping="recode: {sex: {1: M}}"),
    refused("a recoded column is not described", "mapping, recode site: found a column without a "
            "description", mapping="recode: {site: {1: x}}", site="1,1,1,1,1,1"),
    refused("the reference arm is not there", "mapping, reference_arm: found 'C' ... A, B",
            mapping="reference_arm: C"),
    refused("a factor is not a table", "mapping, factors age: found Age ... {label: ",
            mapping="factors: {age: Age}", age="1,1,1,2,2,2"),
    refused("a factor has an unknown key", "factors g: found unknown key 'units'",
            "factors g: found unknown key '1'", mapping="factors: {g: {units: mm, 1: 2}}",
            g="1,2,3,1,2,3"),
    refused("a factor is badly described", "found label nothing", "found unit ['mm']",
            "found type 'date' ... number or category", "found known_at soon ... or null",
            mapping="factors: {g: {label: , unit: [mm], type: date, known_at: soon}}",
            g="1,2,3,1,2,3"),
    refused("a factor is not there", "mapping, factors g: found a column that the file does not",
            mapping="factors: {g: {label: Grade}}"),
    refused("an endpoint is made a factor", "mapping, factors os_time: found the id, the arm or an",
            mapping="factors: {os_time: {label: Time}}"),
    refused("a label is not text", "mapping, labels arm", mapping="labels: {arm: [x]}"),
    refused("a label has nothing to name", "mapping, labels rfs: found a label for something that "
            "is not there ... map rfs_time and rfs_event", mapping="labels: {rfs: Recurrence-free}",
            rfs_time="1,1,1,1,1,1", rfs_event="1,1,1,1,1,1"),
    refused("another endpoint is called overall survival", "mapping, labels rfs: found 'rfs' called"
            " 'overall survival' ... a name of its own", mapping="{columns: {rfs_time: t, "
            "rfs_event: e}, labels: {rfs: overall survival}}", t="1,1,1,1,1,1", e="1,1,1,1,1,1"),
    refused("overall survival is called something else", "mapping, labels os: found 'os' called",
            mapping="labels: {os_time: Recurrence-free survival}"),
]  # fmt: skip

MANY = [
    refused(
        "much is wrong at once",
        "dob: found a column that looks like an identifier",
        "pfs_time: found no pfs_event",
        "age, row 4: found old: not a number",
        "os_time, row 2: found nothing",
        "patient_id, row 2, row 7: found (not shown): an id that repeats",
        "os_time, row 4: found -5: a time before time zero",
        "os_event, row 3, row 4 ... 2: not an event code",
        "ecog, row 6: found 7: outside 0 to 4",
        "response, row 2: found ??: not one of",
        patient_id="PAT-1,PAT-2,PAT-3,PAT-4,PAT-5,PAT-1", arm="A,A,A,B,B,C",
        os_time=",300,-5,3,2,1", os_event="1,2,2,1,2,2", pfs_time="1,1,1,1,1,1",
        ecog="1,1,1,1,7,1", age="50,60,old,70,80,90", response="??,CR,CR,CR,PD,PD",
        dob="1,2,3,4,5,6",
    ),
    refused(
        "file and mapping are both wrong", "unknown key 'key'",
        "mapping, time_unit: found 'hours'", "file: found a PDF", file=b"%PDF-1.7",
        mapping="{key: 1, time_unit: hours}",
    ),
    refused(
        "columns and values are both wrong", "mapping, columns pfs_time: found 'progress', which "
        "the file does not have", "mapping, recode sex: found a column that is not there",
        "arm, row 2: found Z: a code the recode does not name", "os_time, row 4: found -2",
        mapping="{columns: {pfs_time: progress, pfs_event: status}, recode: {sex: {1: M}, "
        "arm: {A: x, B: y}}}",
        status="1,1,1,1,1,1", arm="Z,A,A,B,B,B", os_time="4,3,-2,3,2,1",
    ),
]  # fmt: skip

REFUSED = {
    "file": FILES, "columns": COLUMNS, "events": EVENTS, "times": TIMES, "values": VALUES,
    "mapping": MAPPINGS, "many": MANY,
}  # fmt: skip
