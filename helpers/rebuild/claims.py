"""Read a claims file: what a paper with two arms printed, as the search needs it.

One YAML file holds who was printed about and one line per number; `data/claims_template.yaml`
shows every kind. Everything wrong in it is listed at once.
"""

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from helpers.conventions import DAYS_PER_MONTH
from helpers.paper.published import printing_interval
from helpers.rebuild import measure as m
from helpers.rebuild.problem import Builder, Problem

DAYS = {"days": 1.0, "weeks": 7.0, "months": DAYS_PER_MONTH, "years": 12 * DAYS_PER_MONTH}
TOP = {"name", "about", "time_unit", "arms", "endpoints", "linked", "factors", "last_day", "ties",
       "numbers", "claims", "rules"}  # fmt: skip
NEEDED = ("name", "time_unit", "arms", "endpoints", "claims")
KEYS = {"id", "about", "kind", "endpoint", "arm", "at", "factor", "adjust", "printed", "decimals",
        "interval", "p", "harms", "min", "max"}  # fmt: skip
COUNTS = {"events": m.EVENTS, "at_risk": m.AT_RISK, "censored_before": m.CENSORED_BEFORE,
          "patients": m.FLAGGED, "unwatched": m.UNWATCHED}  # fmt: skip
MIDDLES = {"median": m.MEDIAN, "follow_up": m.FOLLOW_UP, "survivors_follow_up": m.SURVIVORS}
KINDS = (*MIDDLES, "log_rank", "hazard_ratio", "survival", "rmst_difference", *COUNTS,
         "last_day")  # fmt: skip
WITH_DAY = ("survival", "at_risk", "censored_before", "rmst_difference")
NO_ENDPOINT = ("patients", "unwatched", "last_day")
NOT_REACHED = "not reached"


class ClaimsError(ValueError):
    """Everything wrong in a claims file; `found` is the list."""

    def __init__(self, path, found: list[str]):
        self.found = found
        super().__init__("\n".join([f"{path}: {len(found)} to mend.", *found]))


def read_claims(path: str | Path) -> dict:
    """A claims file as a checked dict, printed numbers filled in from its `numbers` file.

    Raises
    ------
    ClaimsError
        Which row and key, what was found and what to do; all problems at once.
    """
    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ClaimsError(path.name, [f"Found no readable YAML: {error}"]) from None
    if not isinstance(content, dict):
        raise ClaimsError(path.name, ["Found no keys. To do: start from claims_template.yaml."])
    found = check_top(content)
    if found:
        raise ClaimsError(path.name, found)
    content = {"linked": False, "factors": {}, "rules": [], "ties": "efron"} | content
    content["rules"] = content["rules"] or []
    for part in ("claims", "rules"):
        for k, claim in enumerate(content[part]):
            if isinstance(claim, dict):
                claim.setdefault("id", f"{part[:-1]}_{k + 1}")
    if "numbers" in content:
        take_numbers(content, path.parent / content["numbers"])
    names = [c.get("id") for p in ("claims", "rules") for c in content[p] if isinstance(c, dict)]
    found += [f"id: found {n!r} twice. To do: give each claim its own." for n in set(names)
              if names.count(n) > 1]  # fmt: skip
    for part in ("claims", "rules"):
        for claim in content[part]:
            found += check_claim(claim, part, content)
    if found:
        raise ClaimsError(path.name, found)
    return content


def check_top(content: dict) -> list[str]:
    found = [f"{k}: found this unknown key. To do: use {', '.join(sorted(TOP))}."
             for k in content if k not in TOP]  # fmt: skip
    found += [f"{k}: found nothing. To do: give it." for k in NEEDED if not content.get(k)]
    if found:
        return found
    if content["time_unit"] not in DAYS:
        found.append(f"time_unit: found {content['time_unit']!r}. To do: use {', '.join(DAYS)}.")
    if content.get("ties", "efron") not in ("efron", "breslow"):
        found.append(f"ties: found {content['ties']!r}. To do: use efron or breslow.")
    arms = content["arms"]
    if not (isinstance(arms, dict) and len(arms) == 2):
        found.append("arms: To do: give two arms and their patients, {A: 54, B: 39}; the first "
                     "is compared with the second.")  # fmt: skip
    elif not all(isinstance(v, int) and 1 <= v <= 2000 for v in arms.values()):
        found.append(f"arms: found {list(arms.values())} patients. To do: give 1 to 2000 each.")
    if not (isinstance(content["endpoints"], dict) and 1 <= len(content["endpoints"]) <= 2):
        found.append("endpoints: To do: give one or two, {os: Overall survival}.")
    elif content.get("linked") and len(content["endpoints"]) != 2:
        found.append("linked: found one endpoint. To do: leave it out, or give two.")
    if (
        not isinstance(content.get("factors", {}) or {}, dict)
        or len(content.get("factors") or {}) > 6
    ):
        found.append("factors: To do: give at most six with two values each, {old: Age over 60}.")
    if not isinstance(content["claims"], list):
        found.append("claims: To do: give a list.")
    return found


def take_numbers(content: dict, path: Path) -> None:
    """Fill what was printed from a table with the columns of data/published.csv."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False).set_index("id")
    for claim in content["claims"]:
        if "printed" in claim or claim["id"] not in frame.index:
            continue
        row = frame.loc[claim["id"]]
        claim["printed"] = row["printed"]
        if row["decimals"]:
            claim["decimals"] = int(row["decimals"])
        if row["lower_bound"]:
            claim["interval"] = [row["lower_bound"], row["upper_bound"]]
        if row["p_printed"]:
            claim["p"] = row["p_printed"]


def check_claim(claim, part: str, content: dict) -> list[str]:
    """What is wrong with one row, as sentences."""
    if not isinstance(claim, dict):
        return [f"{part}: found {claim!r}. To do: give each as {{id: ..., kind: ...}}."]
    name, found = claim["id"], []
    say = lambda key, what: found.append(f"{name}, {key}: {what}")  # noqa: E731
    for key in claim:
        if key not in KEYS:
            say(key, f"found this unknown key. To do: use {', '.join(sorted(KEYS))}.")
    kind = claim.get("kind")
    if kind not in KINDS:
        say("kind", f"found {kind!r}. To do: use {', '.join(KINDS)}.")
        return found
    if kind not in NO_ENDPOINT and claim.get("endpoint") not in content["endpoints"]:
        known = ", ".join(content["endpoints"])
        say("endpoint", f"found {claim.get('endpoint')!r}. To do: use one of {known}.")
    if "arm" in claim and claim["arm"] not in content["arms"]:
        say("arm", f"found {claim['arm']!r}. To do: use one of {', '.join(content['arms'])}.")
    factors = content["factors"]
    if "factor" in claim and claim["factor"] not in factors:
        say("factor", f"found {claim['factor']!r}. To do: name it under factors first.")
    if kind == "hazard_ratio" and "factor" not in claim and "arm" in claim:
        say("arm", "a hazard ratio of the arms has no arm. To do: leave it out, or name a factor.")
    adjust = claim.get("adjust", [])
    for term in adjust if isinstance(adjust, list) else [adjust]:
        if term not in factors:
            say("adjust", f"found {term!r}. To do: give a list of names under factors.")
    if kind in WITH_DAY and in_days(claim.get("at"), content["time_unit"]) is None:
        say("at", f'found {claim.get("at")!r}. To do: give a time, as 6 or "150 days".')
    if kind == "patients" and "factor" not in claim:
        say("factor", "found none. To do: name one.")
    if kind == "unwatched" and not content["linked"]:
        say("kind", "counts who is watched for the second endpoint alone. To do: set linked.")
    if part == "rules" or kind == "last_day":
        if not {"min", "max"} & set(claim):
            say("min, max", "found neither. To do: give one or both.")
        return found
    if claim.get("harms"):
        return found
    if claim.get("printed") is None and not {"min", "max"} & set(claim):
        say("printed", "found nothing. To do: write the number as it was printed, in quotes.")
    for key, text in texts(claim):
        try:
            if not (kind == "median" and text == NOT_REACHED):
                _low, high = printing_interval(text)
                if kind in ("hazard_ratio", "log_rank") and not high > 0:
                    raise ValueError
        except ValueError:
            say(key, f"found {text!r}. To do: write the number as it was printed, in quotes.")
    return found


def texts(claim: dict) -> list[tuple[str, str]]:
    """Every printed text of a claim with its key."""
    parts = [("printed", claim.get("printed")), ("p", claim.get("p"))]
    parts += [("interval", end) for end in claim.get("interval", [])]
    return [(key, str(text)) for key, text in parts if text is not None]


def in_days(value, unit: str) -> float | None:
    """A time as days: 6 in the file's unit, or with its own, "150 days"."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(\w*)\s*", str(value))
    if not match or (match[2] and match[2] not in DAYS):
        return None
    return float(match[1]) * DAYS[match[2] or unit]


def limits(text: str, decimals=None) -> tuple[float, float]:
    """The true values that print so; a percentage as a share."""
    low, high = printing_interval(text, decimals)
    return (low / 100, high / 100) if "%" in text else (low, high)


def whole_days(low: float, high: float) -> tuple[float, float]:
    """The first and last whole day from `low` (included) to `high` (not)."""
    return float(math.ceil(low - 1e-9)), float(math.ceil(high - 1e-9) - 1)


def build(content: dict, *, month: float = DAYS_PER_MONTH) -> Problem:
    """The problem of a checked claims file.

    Parameters
    ----------
    content : dict
        As `read_claims` returns it.
    month : float
        Days of a month: a reading.
    """
    scale = dict(DAYS, months=month, years=12 * month)[content["time_unit"]]
    arms, ends = tuple(content["arms"]), tuple(content["endpoints"])
    rules = {c["kind"]: c for c in content["rules"]}
    last = float(content.get("last_day", 5 * 365))
    typical = np.full((len(ends), 2), last / 3)
    for claim in content["claims"]:
        if claim["kind"] == "median" and "arm" in claim and claim.get("printed") != NOT_REACHED:
            middle = np.mean(limits(claim["printed"])) * scale / math.log(2)
            typical[ends.index(claim["endpoint"]), arms.index(claim["arm"])] = middle
    if content["linked"]:  # of the second endpoint, the days after the first
        typical[1] = np.maximum(typical[1] - typical[0], typical[1] / 3)
    problem = Problem(
        arms, tuple(content["arms"].values()), ends, tuple(content["factors"]),
        bool(content["linked"]), last, typical,
    )  # fmt: skip
    builder = Builder(problem, content["ties"])
    for part, source in (("claims", "print"), ("rules", "rule")):
        for claim in content[part]:
            if claim["kind"] != "last_day":
                add_claim(builder, claim, source, content, scale)
    done = builder.done()
    if "last_day" in rules:
        done = done.with_rows([last_day_rule(builder, rules["last_day"])])
    return done


def last_day_rule(builder: Builder, claim: dict):
    """Nobody is watched after a day: none at risk on the day after, on the last endpoint."""
    last = len(builder.problem.endpoints) - 1
    builder.rows.clear()
    builder.add(claim["id"], "rule", m.AT_RISK, last, 0, day=claim["max"] + 1.0, high=0.0)
    return builder.rows[0]


def add_claim(builder: Builder, claim: dict, source: str, content: dict, scale: float) -> None:
    """The rows of one claim: one, or for a ratio up to four."""
    kind, name = claim["kind"], claim["id"]
    ends, arms = builder.problem.endpoints, builder.problem.arms
    e = ends.index(claim["endpoint"]) if "endpoint" in claim else m.CROSS
    arm = 1 - arms.index(claim["arm"]) if "arm" in claim else -1
    low, high = claim.get("min", -np.inf), claim.get("max", np.inf)
    if (
        claim.get("printed") is not None
        and claim["printed"] != NOT_REACHED
        and not claim.get("harms")
    ):
        low, high = limits(str(claim["printed"]), claim.get("decimals"))
    if kind == "hazard_ratio":
        add_ratio(builder, claim, source, e, arm, low, high)
    elif kind == "log_rank":
        model = builder.model(e, ["arm"])
        less = "<" in str(claim["printed"])
        builder.add(
            name, source, m.LOG_RANK, e, model, low=-np.inf if less else math.log(low),
            high=math.log(0.999 * high if less else high), unit=0.1 if less else 0.02,
        )  # fmt: skip
    elif kind in MIDDLES:
        which = MIDDLES[kind]
        if claim.get("printed") == NOT_REACHED:
            builder.add(name, source, which, e, builder.group(arm), low=m.UNKNOWN)
        else:
            low, high = whole_days(low * scale, high * scale)
            builder.add(name, source, which, e, builder.group(arm), low=low, high=high)
    elif kind == "rmst_difference":
        day = in_days(claim["at"], content["time_unit"])
        builder.add(name, source, m.MEAN_DIFFERENCE, e, builder.group(1), other=builder.group(0),
                    day=day, low=low * scale, high=high * scale)  # fmt: skip
    else:
        group = builder.group(arm, claim.get("factor"))
        day = in_days(claim["at"], content["time_unit"]) if "at" in claim else 0.0
        if kind == "survival":
            builder.add(name, source, m.SURVIVAL, e, group, day=math.floor(day), low=low, high=high)
            return
        if np.isfinite([low, high]).all() and "printed" in claim:
            low, high = math.ceil(low), math.ceil(high) - 1
        builder.add(name, source, COUNTS[kind], e, group, day=math.ceil(day), low=low, high=high)


def add_ratio(builder: Builder, claim, source, e, arm, low, high) -> None:
    """Hazard ratio, limits and P of a term of a Cox model."""
    name, term = claim["id"], claim.get("factor", "arm")
    # The arm is in every model of both arms that is adjusted, and in that of the arms.
    terms = list(dict.fromkeys([*(["arm"] if term == "arm" or claim.get("adjust") else []),
                                *claim.get("adjust", []), term]))  # fmt: skip
    model = builder.model(e, terms, builder.group(arm))
    at = {"term": builder.position(terms, term)}
    if claim.get("harms"):
        builder.add(name, source, m.LOG_LOW, e, model, low=0.005, unit=0.02, **at)
        return
    logs = [math.log(v) if 0 < v < np.inf else v if v > 0 else -np.inf for v in (low, high)]
    unit = {"unit": 0.2} if source == "rule" else {}
    builder.add(name, source, m.LOG_RATIO, e, model, low=logs[0], high=logs[1], **at, **unit)
    for end, kind, text in zip(("low", "high"), (m.LOG_LOW, m.LOG_HIGH), claim.get("interval", []),
                               strict=False):  # fmt: skip
        pair = [math.log(max(v, 1e-9)) for v in limits(str(text), claim.get("decimals"))]
        builder.add(f"{name}.{end}", source, kind, e, model, low=pair[0], high=pair[1], **at)
    if "p" in claim:
        text = str(claim["p"])
        pair = [math.log(max(v, 1e-300)) for v in limits(text)]
        if "<" in text:
            pair = [-np.inf, pair[1] - 0.001]
        builder.add(f"{name}.p", source, m.WALD, e, model, low=pair[0], high=pair[1], **at)
