"""What is wrong with a claims file: every sentence says where, what was found and what to do."""

import math
import re

from helpers.paper.numbers import read_number
from helpers.rebuild.stated import CONVENTIONS, MIDDLES, days_of_units, wrong_conventions
from helpers.rebuild.texts import COUNTS, NOT_REACHED, disagreement, misfit, read_text

DAYS = days_of_units()
TOP = {"name", "about", "time_unit", "arms", "endpoints", "linked", "factors", "last_day", "ties",
       "numbers", "claims", "rules", *CONVENTIONS}  # fmt: skip
NEEDED = ("name", "time_unit", "arms", "endpoints", "claims")
KEYS = {"id", "about", "kind", "endpoint", "arm", "at", "factor", "adjust", "printed", "decimals",
        "interval", "p", "harms", "min", "max", *CONVENTIONS}  # fmt: skip
KINDS = (*MIDDLES, "log_rank", "hazard_ratio", "survival", "rmst_difference", *COUNTS, "last_day")
WITH_DAY = ("survival", "at_risk", "censored_before", "rmst_difference")
NO_ENDPOINT = ("patients", "unwatched", "last_day")
NAME = r"[a-z][a-z0-9_]*"  # becomes part of the name of a column
MOST_PATIENTS, MOST_FACTORS = 2000, 6


def check_top(content: dict) -> list[str]:
    """What is wrong with the keys that stand once."""
    found = [f"{k}: found this unknown key. To do: use {', '.join(sorted(TOP))}."
             for k in content if k not in TOP]  # fmt: skip
    found += [f"{k}: found nothing. To do: give it." for k in NEEDED if not content.get(k)]
    say = lambda key, shown, to_do: found.append(  # noqa: E731
        f"{key}: found {shown!r}. To do: {to_do}."
    )
    get = content.get
    if get("time_unit") and get("time_unit") not in DAYS:
        say("time_unit", get("time_unit"), f"use {', '.join(DAYS)}")
    if get("ties", "efron") not in ("efron", "breslow"):
        say("ties", get("ties"), "use efron or breslow")
    if get("linked", False) not in (True, False):
        say("linked", get("linked"), "use true or false")
    if not is_number(get("last_day", 1)) or get("last_day", 1) < 1:
        say("last_day", get("last_day"), "give the last day anybody can have been watched")
    found += [f"{key}: {what}" for key, what in wrong_conventions(content)]
    if not isinstance(get("numbers", ""), str):
        say("numbers", get("numbers"), "give the name of a table of numbers, or leave it out")
    if (arms := get("arms")) and not (isinstance(arms, dict) and len(arms) == 2):
        say("arms", arms, "give two arms and their patients, {A: 54, B: 39}; the first is "
            "compared with the second")  # fmt: skip
    elif arms and not all(is_count(v) and 1 <= v <= MOST_PATIENTS for v in arms.values()):
        say("arms", arms, f"give whole numbers of patients, 1 to {MOST_PATIENTS}")
    elif arms and not all(isinstance(name, str) for name in arms):
        say("arms", list(arms), "put names of arms that are no words in quotes")
    if ends := get("endpoints"):
        if not (isinstance(ends, dict) and 1 <= len(ends) <= 2 and named(ends)):
            say("endpoints", ends, "give one or two by a short name, {os: Overall survival}")
        elif get("linked") and len(ends) != 2:
            say("linked", list(ends), "leave it out with one endpoint, or give two")
        elif set(ends) == {"pfs", "os"} and not (next(iter(ends)) == "pfs" and get("linked")):
            say("endpoints", list(ends), "give pfs before os with linked: true, since a death "
                "ends both")  # fmt: skip
    factors = get("factors") or {}
    if not isinstance(factors, dict) or len(factors) > MOST_FACTORS or not named(factors):
        say("factors", factors, f"give at most {MOST_FACTORS} that are there or not, by a short "
            "name, {old: Age over 60}")  # fmt: skip
    for part in ("claims", "rules"):
        if get(part) and not isinstance(get(part), list):
            say(part, get(part), "give a list")
    return found


def named(table: dict) -> bool:
    """Whether keys can be column names and values are their labels."""
    return all(re.fullmatch(NAME, str(k)) and isinstance(v, str) for k, v in table.items())


def is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_count(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def check_claim(claim, part: str, content: dict) -> list[str]:
    """What is wrong with one row."""
    if not isinstance(claim, dict):
        return [f"{part}: found {claim!r}. To do: give each as {{id: ..., kind: ...}}."]
    name, found = claim["id"], []
    say = lambda key, what: found.append(f"{name}, {key}: {what}")  # noqa: E731
    for key in claim:
        if key not in KEYS:
            say(key, f"found this unknown key. To do: use {', '.join(sorted(KEYS))}.")
    kind, factors = claim.get("kind"), content["factors"]
    if kind not in KINDS:
        say("kind", f"found {kind!r}. To do: use {', '.join(KINDS)}.")
        return found
    if kind == "last_day" and (part == "claims" or not is_number(claim.get("max"))):
        say("kind", "found 'last_day'. To do: put it under rules, with a max in days.")
    if kind not in NO_ENDPOINT and claim.get("endpoint") not in list(content["endpoints"]):
        known = ", ".join(content["endpoints"])
        say("endpoint", f"found {claim.get('endpoint')!r}. To do: use one of {known}.")
    if "arm" in claim and claim["arm"] not in list(content["arms"]):
        say("arm", f"found {claim['arm']!r}. To do: use one of {', '.join(content['arms'])}.")
    if "factor" in claim and claim["factor"] not in list(factors):
        say("factor", f"found {claim['factor']!r}. To do: name it under factors first.")
    if kind == "hazard_ratio" and "factor" not in claim and "arm" in claim:
        say("arm", "found one in a ratio of the arms. To do: leave it out, or name a factor.")
    if kind in ("log_rank", "rmst_difference") and {"arm", "factor"} & set(claim):
        say("arm, factor", "found one in a comparison of the arms. To do: leave it out.")
    for key, what in wrong_conventions(claim, kind):
        say(key, what)
    adjust = claim.get("adjust", [])
    for term in adjust if isinstance(adjust, list) else [adjust]:
        if not isinstance(adjust, list) or term not in list(factors):
            say("adjust", f"found {term!r}. To do: give a list of names under factors.")
    if kind in WITH_DAY and in_days(claim.get("at"), content["time_unit"]) is None:
        say("at", f'found {claim.get("at")!r}. To do: give a time, as 6 or "150 days".')
    if kind == "patients" and "factor" not in claim:
        say("factor", "found none. To do: name one.")
    if kind == "unwatched" and not content["linked"]:
        say("kind", "found 'unwatched' without linked. To do: set linked, or leave it out.")
    for key in ("min", "max"):
        if key in claim and not is_number(claim[key]):
            say(key, f"found {claim[key]!r}. To do: give a number.")
    if not {"min", "max"} & set(claim):
        if part == "rules":
            say("min, max", "found neither. To do: give one or both.")
        elif claim.get("printed") is None and not claim.get("harms"):
            say("printed", "found nothing. To do: write the number as it was printed, in quotes, "
                f"or {NOT_REACHED!r} for a median.")  # fmt: skip
    return found + check_texts(claim, content)


def check_texts(claim: dict, content: dict) -> list[str]:
    """What is wrong with the printed texts of one row."""
    name, kind, found = claim["id"], claim["kind"], []
    say = lambda key, what: found.append(f"{name}, {key}: {what}")  # noqa: E731
    if "decimals" in claim and not is_count(claim["decimals"]):
        say("decimals", f"found {claim['decimals']!r}. To do: give a whole number.")
    interval = claim.get("interval", [])
    if not isinstance(interval, list) or len(interval) not in (0, 2):
        say("interval", f'found {interval!r}. To do: give both limits, ["0.27", "0.80"].')
    for key in sorted({"interval", "p", "harms"} & set(claim)):
        if kind != "hazard_ratio":
            say(key, f"found one for {kind}. To do: leave it out; hazard ratios have it.")
    if not found:
        for key, value in texts(claim):
            if isinstance(value, float):
                say(key, f"found {value} without quotes, which loses a final zero. To do: write "
                    f'"{value}", or with the zero as it was printed.')  # fmt: skip
        found += [] if found else unread(claim, content)
    return found


def unread(claim: dict, content: dict) -> list[str]:
    """Printed texts that are not understood, or say what their claim cannot mean."""
    name, found = claim["id"], []
    for key, value in texts(claim):
        try:
            read = read_text(claim, key, str(value))
            if wrong := misfit(claim, key, read, content):
                raise ValueError(f"found {str(value)!r}, {wrong[0]}. To do: {wrong[1]}.")
        except ValueError as error:
            found.append(f"{name}, {key}: {str(error).removeprefix('printed: ')}")
    if not found and not claim.get("harms") and (twice := disagreement(claim)):
        found.append(f"{name}, {twice}")
    return found


def texts(claim: dict) -> list[tuple[str, object]]:
    """Everything printed of a claim with its key."""
    parts = [] if claim.get("harms") else [("printed", claim.get("printed"))]
    parts += [("interval", end) for end in claim.get("interval", [])]
    return [(k, v) for k, v in [*parts, ("p", claim.get("p"))] if v is not None]


def in_days(value, unit: str, days: dict[str, float] = DAYS) -> float | None:
    """A time as days: 6 in the file's unit, or with its own, "150 days"; `days` of each unit."""
    try:
        read = read_number(str(value), None, "time")
    except ValueError:
        return None
    alone = read.words == f"{read.number} {read.unit}".strip() and not read.label
    if not alone or read.number.startswith("-"):
        return None
    return float(read.number) * days[read.unit or unit]
