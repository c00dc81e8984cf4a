"""What the names and values of a file say it may be: a mapping to be read, corrected and used.

Every proposal has its reason. What names do not say is left open, never filled in: which arm is
the reference, what a third status means, whether 3/4 is in March or April.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from helpers.loading.dates import NUMBERS, one_date, told_order
from helpers.loading.mapping import code_text
from helpers.loading.reading import MISSING, Table, to_numbers
from helpers.loading.schema import ARM_NAMES, is_identifier
from helpers.loading.times import TURNED, meaning
from helpers.loading.values import SEX

ENDPOINTS = {
    "os": ("Overall survival", r"os|overall.?surv\w*|vital|surv(ival)?(?!.*free)"),
    "pfs": ("Progression-free survival", r"pfs|progression.?free\w*"),
    "rfs": ("Recurrence-free survival", r"rfs|(recurrence|relapse).?free\w*"),
    "dfs": ("Disease-free survival", r"dfs|disease.?free\w*"),
    "efs": ("Event-free survival", r"efs|event.?free\w*"),
    "dss": ("Disease-specific survival", r"dss|css|(disease|cancer).?specific\w*"),
}
TIMES = r"months?|days?|weeks?|years?|yrs?|mos?|time|duration|dauer|monate|tage|jahre|futime|zeit"
STATUS = r"status|event|censor\w*|cens|cnsr|dead|death|died|vital\w*|ereignis|fustat|alive|deceased"
UNITS = {"months": r"months?|mos?|monate", "days": r"days?|tage", "weeks": r"weeks?|wochen",
         "years": r"years?|yrs?|jahre"}  # fmt: skip
START = r"diag\w*|dx|start\w*|infus\w*|random\w*|index|enrol\w*|begin\w*|beginn|baseline|treat\w*|"
START += r"surgery|op|day.?0|therapie\w*|transplant\w*"
DIED = r"death|died|dod|tod|todes\w*|deceased|exitus|verstorben"
LAST = r"last|lfu|lastfu|follow\w*|fu|contact|kontakt|letzt\w*|censor\w*|seen|verlauf"
PROGRESSED = r"progress\w*|relapse\w*|recur\w*|rezidiv\w*|rückfall|prog"
IDS = r"patient\w*|id|record|case|subject|study.?n\w*|usubjid|pat|pid|nr|no|number|barcode|fall\w*"
ARMS = r"arm|treatment|treat|tment|trt\w*|therapy|regimen|therapie|behandlung"
# Words that make a column no arm, no time of an endpoint, and no covariate known at the start.
NO_ARM = (
    r"after|count|number|prior|previous|new|age|risk|year|years|date|best|response|outcome|type"
)
NO_TIME = r"diag\w*|wait\w*|birth|age|year of|treatment|therapy|transplant|relapse|progression to"
LATER = r"cause|reason|outcome|neoplasm.*status|tumou?r.?status|year of death|new.?tumou?r.*"
WATCHED = r"futime|survtime|stime|surv.?time|survival.?time|follow.?up.?time|studytime|aval|lenfol"
VITAL = r"vital\w*|dead|death|died|deceased|alive|fustat|tod|verstorben|survived|os"
KNOWN = {  # our names, by what columns are called
    "age": r"age|alter|age.?at.*", "sex": r"sex|gender|geschlecht", "ecog": r"ecog|ecog.?ps",
    "ipi": r"ipi", "response": r"(best.?)?response|best.?overall.?response",
}  # fmt: skip
UNKNOWN = re.compile(
    r"(?i)unknown|not (reported|available|known|done|applicable|evaluated|assessed)|missing|unk|nd|"
    r"k\. ?a\.|keine angabe|unbekannt|-+|\?+|n\.?a\.?|null|none reported"
)
FEW, MANY = 8, 20  # levels that make groups; more are a number, an id or free text


def forms(root: Path) -> Path:
    """Where mappings are remembered: names of columns and codes, and no patient."""
    return Path(os.environ.get("HELPERS_FORMS", root / "build" / "forms"))


class Proposal(NamedTuple):
    """What a column may be, and why: use is id, arm, time, event, date, number, groups or out."""

    use: str
    reason: str


class Proposed(NamedTuple):
    """A mapping as the file suggests it, and for every column of the file what it was taken for."""

    mapping: dict
    columns: dict[str, Proposal]


def says(pattern: str, name: str) -> bool:
    """Whether a name has a word of a pattern: "OS (months)", "os_months", "osMonths"."""
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    plain = re.sub(r"[\W_]+", " ", plain).lower()
    return re.search(rf"(?<!\w)(?:{pattern})(?!\w)", plain) is not None


def propose(table: Table) -> Proposed:
    """What a file may be, by the names of its columns and by their values.

    Parameters
    ----------
    table : Table
        Of `read_table`.

    Returns
    -------
    Proposed
        `mapping` as YAML would give it; what is not known is not in it.
    """
    missing = sorted({
        value for column in table.frame for value in table.frame[column].dropna().unique()
        if value not in MISSING and UNKNOWN.fullmatch(value)
    })  # fmt: skip
    text = table.frame.mask(table.frame.isin(MISSING | set(missing)))
    kinds = {column: kind_of(text[column], table.decimal) for column in text}
    found: dict[str, Proposal] = {}
    columns, given = {}, {"missing": missing}
    propose_id(text, columns, given, found)
    propose_arm(text, kinds, columns, found)
    propose_two_columns(text, kinds, given, found)
    propose_endpoints(text, kinds, columns, given, found)
    propose_factors(text, kinds, columns, given, found, table.labels)
    return Proposed({"columns": columns, **{k: v for k, v in given.items() if v}}, found)


def kind_of(values: pd.Series, decimal: str) -> str:
    """number, date, groups or text."""
    known = values.dropna()
    if known.empty:
        return "empty"
    distinct = known.unique()
    order = told_order([known])[0] or "%d/%m/%Y"  # which of the two is asked for later
    if all(one_date(v, order) or NUMBERS.fullmatch(v) for v in distinct) and not all(
        v.removesuffix(".0").isdigit() for v in distinct
    ):
        return "date"
    if to_numbers(known, decimal).notna().all():
        return "number"
    return "groups" if len(distinct) <= MANY else "text"


def propose_id(text, columns: dict, given: dict, found: dict) -> None:
    """The patient's id: named as one; where it repeats, its rows are to be made one."""
    known = [c for c in text if says(IDS, c) and text[c].notna().all() and not is_identifier(c)]
    known = [c for c in known if text[c].nunique() > len(text) / 4]
    patients = [c for c in known if says("patient\\w*|case|subject|usubjid", c)
                and not says("sample", c)]  # fmt: skip
    for name in [*patients, *known]:
        columns["patient_id"] = name
        why = "different in every row, and named as an id"
        if not text[name].is_unique:
            given["one_row_per"] = "patient_id"
            why = "named as an id; it repeats, so rows of one patient are made one"
        found[name] = Proposal("id", why)
        return
    columns["patient_id"] = "row_number"


def propose_arm(text, kinds: dict, columns: dict, found: dict) -> None:
    """The arm: a column of two to eight groups that is called so, and not after a later event."""
    names = [c for c in text if re.sub(r"\W|_", "", c.lower()) in ARM_NAMES]
    names += [c for c in text if c not in names and says(ARMS, c) and not says(NO_ARM, c)]
    for name in names:
        n = text[name].nunique()
        if 2 <= n <= FEW and kinds[name] in ("groups", "number"):
            columns["arm"] = name
            found[name] = Proposal("arm", f"{n} groups, and named as an arm")
            return


def propose_endpoints(text, kinds: dict, columns: dict, given: dict, found: dict) -> None:
    """Pairs of a time and a status; where there is none, dates."""
    units: set[str] = set()

    def take(key: str, label: str, times: list[str], states: list[str]) -> None:
        times = [c for c in times if c not in states]
        if not (times and states):
            return
        time, state = times[0], states[0]
        columns.update({f"{key}_time": time, f"{key}_event": state})
        found[time] = Proposal("time", f"{time!r} looks like the time of {label.lower()}")
        found[state] = Proposal("event", f"{state!r} looks like its status")
        units.update(unit_of_name(time))
        if key not in ("os", "pfs"):
            given.setdefault("labels", {})[key] = label
        propose_codes(text[state], state, f"{key}_event", given)

    def numbers(*words: str) -> list[str]:
        return [c for c in text if c not in found and kinds[c] == "number"
                and any(says(word, c) for word in words) and not says(NO_TIME, c)]  # fmt: skip

    def states(*words: str) -> list[str]:
        return [c for c in text if c not in found and is_status(text[c], kinds[c])
                and any(says(word, c) for word in words)]  # fmt: skip

    for key, (label, pattern) in ENDPOINTS.items():
        if key not in given.get("times", {}):
            own = [c for c in numbers(pattern) if says(TIMES, c) or says(key, c)]
            said = [c for c in states(pattern) if says(STATUS, c)]
            take(key, label, own, said or (states(VITAL) if key == "os" else []))
    timed = any(c.endswith("_time") for c in columns) or "times" in given
    whole = [c for c in numbers(TIMES) if re.fullmatch(TIMES, spaced(c))] or numbers(WATCHED)
    if not timed and len(whole) == 1:  # which endpoint a bare time is of, its status may say
        take("os", ENDPOINTS["os"][0], whole, states(VITAL))
        if whole[0] not in found:
            bare = [c for c in states(STATUS) if re.fullmatch(STATUS, spaced(c))]
            take("event", "Time to the event", whole, bare)
    if len(units) == 1 and "times" not in given:
        given["time_unit"] = units.pop()
    if not any(c.endswith("_time") for c in columns) and "times" not in given:
        propose_dates(text, kinds, given, found)


def unit_of_name(name: str) -> set[str]:
    """The unit that a name has in it."""
    return {unit for unit, words in UNITS.items() if says(words, name)}


def is_status(values: pd.Series, kind: str) -> bool:
    """Whether a column has the few values that a status has."""
    distinct = values.dropna().unique()
    if kind == "number":
        return 1 <= len(distinct) <= 4 and set(map(code_text, distinct)) <= {"0", "1", "2", "3"}
    return kind == "groups" and 1 <= len(distinct) <= 6


def propose_codes(values: pd.Series, source: str, target: str, given: dict) -> None:
    """The meaning of each code, where it has one by itself; the others stay open."""
    distinct = [code_text(v) for v in sorted(values.dropna().unique())]
    if set(distinct) <= {"0", "1"} and not TURNED.search(source):
        return
    codes = {v: meaning(v, source) for v in distinct}
    known = {v: code for v, code in codes.items() if code is not None}
    if len(known) < len(codes):
        given.setdefault("recode", {})[target] = known
    # All by themselves: the loader reads and says them.


def propose_two_columns(text, kinds: dict, given: dict, found: dict) -> None:
    """Days to death in one column, days to last contact in another."""
    numbers = [c for c in text if c not in found and kinds[c] == "number"
               and not says("year of|year", c)]  # fmt: skip
    died = [c for c in numbers if says(DIED, c)]
    last = [c for c in numbers if says(LAST, c)]
    if not (died and last):
        return
    about = {"event_time": died[0], "censor_time": last[0]}
    states = [c for c in text if c not in found and is_status(text[c], kinds[c])
              and says("vital.*|status|os.*status", c)]  # fmt: skip
    if states:
        about["status"] = states[0]
        found[states[0]] = Proposal("event", f"{states[0]!r} looks like the status")
    given["times"] = {"os": about}
    found[died[0]] = Proposal("time", f"{died[0]!r} looks like the time to death")
    found[last[0]] = Proposal("time", f"{last[0]!r} looks like the time to last contact")
    if len(units := unit_of_name(died[0])) == 1:
        given["time_unit"] = units.pop()


def propose_dates(text, kinds: dict, given: dict, found: dict) -> None:
    """Dates of the start, of death or progression, and of last contact."""
    dates = [c for c in text if c not in found and kinds[c] == "date" and not is_identifier(c)]
    pick = {}
    for part, words in (("died", DIED), ("prog", PROGRESSED), ("last", LAST), ("start", START)):
        pick[part] = next((c for c in dates if says(words, c) and c not in pick.values()), None)
    if not pick["start"] or not (pick["died"] or pick["last"]):
        return
    states = [c for c in text if c not in found and is_status(text[c], kinds[c])
              and says(STATUS, c)]  # fmt: skip
    about = {"start": pick["start"]}
    about |= {"event": pick["died"]} if pick["died"] else {}
    about |= {"last": pick["last"]} if pick["last"] else {}
    if states:
        about["status"] = states[0]
        found[states[0]] = Proposal("event", f"{states[0]!r} looks like the status")
    if not pick["died"] and not states:
        return
    given["times"] = {"os": about}
    if pick["prog"] and (pick["died"] or not states):
        ends = [c for c in (pick["prog"], pick["died"]) if c]
        given["times"]["pfs"] = {"start": pick["start"], "event": ends, "last": about.get("last")}
        if not about.get("last"):
            del given["times"]["pfs"]["last"]
    names = {"start": "the start", "died": "death", "prog": "progression", "last": "last contact"}
    for part, column in pick.items():
        if column:
            found[column] = Proposal("date", f"{column!r} looks like the date of {names[part]}")


def propose_factors(text, kinds: dict, columns: dict, given: dict, found: dict, labels) -> None:
    """What is left: numbers, groups, and what is left out with its reason."""
    for name in text:
        if name in found:
            continue
        kind, n = kinds[name], text[name].nunique()
        own = next((k for k, p in KNOWN.items() if re.fullmatch(p, spaced(name))), "")
        if is_identifier(name) or kind == "date":
            why = "a date" if kind == "date" else "says who somebody is"
            found[name] = Proposal("out", why)
        elif any(says(words, name) for words in (DIED, LAST, LATER, PROGRESSED, STATUS)):
            found[name] = Proposal("out", "known only later?")
        elif n < 2:
            found[name] = Proposal("out", "empty" if not n else "the same in every row")
        elif own and own not in columns and fits(own, text[name], kind):
            columns[own] = name
            found[name] = Proposal("number" if kind == "number" else "groups", f"known: {own}")
        elif kind == "number" and n > FEW:
            propose_factor(name, "number", columns, given, labels)
            found[name] = Proposal("number", f"a number with {n} values")
        elif kind in ("groups", "number") and n <= FEW:
            propose_factor(name, "category", columns, given, labels)
            found[name] = Proposal("groups", f"{n} groups")
        else:
            found[name] = Proposal("out", f"{n} different texts: an id or free text?")
    given["ignore"] = [name for name, about in found.items() if about.use == "out"]


def spaced(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name).strip().lower()


def fits(own: str, values: pd.Series, kind: str) -> bool:
    """Whether the values are those of a column that we know."""
    distinct = set(values.dropna().unique())
    if own == "sex":
        return {v.lower() for v in distinct} <= set(SEX)
    if own == "response":
        return distinct <= {"CR", "PR", "SD", "PD", "NE"}
    if kind != "number":
        return False
    high = {"age": 120, "ecog": 4, "ipi": 5}[own]
    return pd.to_numeric(pd.Series(list(distinct)), errors="coerce").between(0, high).all()


def propose_factor(name: str, kind: str, columns: dict, given: dict, labels: dict) -> None:
    """A column as a factor under a name of letters, digits and underscores."""
    ours = re.sub(r"\W+", "_", name.strip().lower()).strip("_") or "factor"
    while ours in columns or ours in given.get("factors", {}):
        ours += "_2"
    if ours != name:
        columns[ours] = name
    given.setdefault("factors", {})[ours] = {"label": labels.get(name) or name, "type": kind}
