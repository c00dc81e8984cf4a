"""Read a claims file: what a paper with two arms printed, as the search needs it.

One YAML file holds who was printed about and one line per number; `data/claims_template.yaml`
shows every kind. Everything wrong in it is listed at once.
"""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from scipy.stats import norm

from helpers.loading.plain import read_yaml
from helpers.paper.numbers import read_value
from helpers.rebuild import measure as m
from helpers.rebuild.checking import DAYS, NOT_REACHED, check_claim, check_top, in_days
from helpers.rebuild.problem import MARGIN, Builder, Problem
from helpers.rebuild.searched import skipped
from helpers.rebuild.stated import days_of_units, told, usual
from helpers.rebuild.texts import take_texts

COUNTS = {"events": m.EVENTS, "at_risk": m.AT_RISK, "censored_before": m.CENSORED_BEFORE,
          "patients": m.FLAGGED, "unwatched": m.UNWATCHED}  # fmt: skip
MIDDLES = {"median": m.MEDIAN, "follow_up": m.FOLLOW_UP, "survivors_follow_up": m.SURVIVORS}


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
        content = read_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ClaimsError(path.name, [f"Found no file to read ({error.strerror})."]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ClaimsError(path.name, [f"Found no readable YAML: {error}"]) from None
    if not isinstance(content, dict):
        raise ClaimsError(path.name, ["Found no keys. To do: start from claims_template.yaml."])
    if found := check_top(content):
        raise ClaimsError(path.name, found)
    content = {"linked": False, "ties": "efron"} | content
    content |= {part: content.get(part) or kind() for part, kind in
                (("factors", dict), ("rules", list))}  # fmt: skip
    for part in ("claims", "rules"):
        name_claims(content[part], part[:-1])
    if "numbers" in content:
        try:
            take_numbers(content, path.parent / content["numbers"])
        except (OSError, ValueError, KeyError) as error:
            found.append(f"numbers: found no table with the columns of data/published.csv at "
                         f"{content['numbers']} ({error}). To do: name it as seen from this "
                         "file, or leave it out.")  # fmt: skip
    found += check_claims(content, content["claims"])
    if found:
        raise ClaimsError(path.name, found)
    for claim in (*content["claims"], *content["rules"]):
        take_texts(claim)
    return content


def name_claims(claims: list, prefix: str) -> None:
    """Give every claim an id that is a text."""
    for k, claim in enumerate(claims):
        if isinstance(claim, dict):
            claim["id"] = str(claim.get("id") or f"{prefix}_{k + 1}")


def check_claims(content: dict, claims: list) -> list[str]:
    """What is wrong with these claims and with the rules, and ids that stand twice."""
    names = [c["id"] for p in ("claims", "rules") for c in content[p] if isinstance(c, dict)]
    found = [f"id: found {n!r} twice. To do: give each claim its own."
             for n in dict.fromkeys(names) if names.count(n) > 1]  # fmt: skip
    for part, rows in (("claims", claims), ("rules", content["rules"])):
        for claim in rows:
            found += check_claim(claim, part, content)
    return found


def with_claims(content: dict, extra) -> dict:
    """The same with further claims, checked as those of a file are.

    Raises
    ------
    ClaimsError
        As `read_claims`.
    """
    more = [dict(claim) for claim in extra]
    name_claims(more, "extra")
    content = content | {"claims": [*content["claims"], *more]}
    if found := check_claims(content, more):
        raise ClaimsError("further claims", found)
    for claim in more:
        take_texts(claim)
    return content


def take_numbers(content: dict, path: Path) -> None:
    """Fill what was printed from a table with the columns of data/published.csv."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False).set_index("id")
    for claim in content["claims"]:
        if not isinstance(claim, dict) or "printed" in claim or claim["id"] not in frame.index:
            continue
        row = frame.loc[claim["id"]]
        claim["printed"] = row["printed"]
        if row["decimals"]:
            claim["decimals"] = int(row["decimals"])
        if row["lower_bound"]:
            claim["interval"] = [row["lower_bound"], row["upper_bound"]]
        if row["p_printed"]:
            claim["p"] = row["p_printed"]


def limits(text: str, decimals=None) -> tuple[float, float]:
    """The true values that print so, of all but a count; a percentage as a share, a time in its
    printed unit.

    Examples
    --------
    >>> limits("27%"), limits("P > 0.5"), limits("-1.2 months")
    ((0.265, 0.275), (0.5, 1.0), (-1.25, -1.15))
    """
    read = read_value(text, decimals, "ratio")
    return (read.low / 100, read.high / 100) if read.unit == "%" else (read.low, read.high)


def time_scale(text: str | None, unit: str, days: dict = DAYS) -> float:
    """Days of the unit of a printed time: its own, or else `unit`, that of the file."""
    return days[(read_value(text).unit if text else "") or unit]


def time_limits(text: str, unit: str, decimals=None, days: dict = DAYS) -> tuple[float, float]:
    """The true days that print so.

    Examples
    --------
    >>> time_limits("2 weeks", "months"), time_limits("10", "days")
    ((10.5, 17.5), (9.5, 10.5))
    """
    scale = time_scale(text, unit, days)
    low, high = limits(text, decimals)
    return low * scale, high * scale


def whole(low: float, high: float, relation: str = "=") -> tuple[float, float]:
    """The first and last whole number from `low` (included, save after >) to `high` (not, save
    after <=)."""
    first = np.floor(low + 1e-9) + 1 if relation == ">" else np.ceil(low - 1e-9)
    last = np.floor(high + 1e-9) if relation == "<=" else np.ceil(high - 1e-9) - 1
    return float(first), float(last)


def count_limits(text: str, n: int) -> tuple[float, float]:
    """The counts of n patients that print so: "15", "15/54", "15 (27.8%)" or "27.8%"."""
    read = read_value(text, None, "count")
    low, high = read.low, read.high
    if read.unit == "%":
        low, high = low / 100 * n, high / 100 * n
        # 5 of 40 patients are 12.5%, which programs print as 12% or as 13%.
        return whole(low, high, "<=" if read.relation == "=" else read.relation)
    return whole(low, high, read.relation)


def build(content: dict) -> Problem:
    """The problem of a checked claims file, as `read_claims` returns it.

    Conventions are those it states, or else the usual ones; `helpers.rebuild.searched` says which
    numbers have no row.
    """
    arms, ends = tuple(content["arms"]), tuple(content["endpoints"])
    rules = {c["kind"]: c for c in content["rules"]}
    last = float(content.get("last_day", 5 * 365))
    typical = np.full((len(ends), 2), last / 3)
    for claim in content["claims"]:
        printed = claim.get("printed", NOT_REACHED)
        if claim["kind"] == "median" and "arm" in claim and printed != NOT_REACHED:
            low, high = limits(str(printed))
            scale = time_scale(str(printed), content["time_unit"], days_for(content, claim))
            middle = (low if math.isinf(high) else np.mean([low, high])) * scale / math.log(2)
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
            left_out = skipped(content, claim) if source == "print" else {}
            if claim["kind"] != "last_day" and "" not in left_out:
                add_claim(builder, claim, source, content, left_out)
    done = builder.done()
    if "last_day" in rules:
        done = done.with_rows([last_day_rule(builder, rules["last_day"])])
    return done


def days_for(content: dict, claim: dict) -> dict[str, float]:
    """Days of each unit, for a claim."""
    return days_of_units(told(content, claim, "month"))


def last_day_rule(builder: Builder, claim: dict):
    """Nobody is watched after a day: none at risk on the day after, on the last endpoint."""
    last = len(builder.problem.endpoints) - 1
    builder.rows.clear()
    builder.add(claim["id"], "rule", m.AT_RISK, last, 0, day=claim["max"] + 1.0, high=0.0)
    return builder.rows[0]


def add_claim(builder: Builder, claim: dict, source: str, content: dict, left_out) -> None:
    """The rows of one claim: one, or for a ratio up to four; not of parts that are left out."""
    kind, name, unit = claim["kind"], claim["id"], content["time_unit"]
    days = days_for(content, claim)
    ends, arms = builder.problem.endpoints, builder.problem.arms
    e = ends.index(claim["endpoint"]) if "endpoint" in claim else m.CROSS
    arm = 1 - arms.index(claim["arm"]) if "arm" in claim else -1
    low, high = claim.get("min", -np.inf), claim.get("max", np.inf)
    text = None if claim.get("harms") else claim.get("printed")
    if text not in (None, NOT_REACHED):
        text = str(text)
        low, high = limits(text, claim.get("decimals"))
    if kind == "hazard_ratio":
        add_ratio(builder, claim, source, e, arm, content, left_out, low, high)
    elif kind == "log_rank":
        low, high = two_sided(low, high, usual(content, claim, "sides"))
        add_log_rank(builder, name, source, e, *log_p(low, high, text))
    elif kind in MIDDLES:
        which = MIDDLES[kind]
        group = builder.group(arm, claim.get("factor"))
        if text == NOT_REACHED:
            # A curve that runs level at one half has its median there, by our convention.
            builder.add(name, source, m.LEVEL, e, group, low=0.5 + 2 * m.PLATEAU)
        else:
            scale = time_scale(text, unit, days)
            low, high = low * scale, high * scale
            low, high = whole(low, high, read_value(text).relation) if text else (low, high)
            if low <= high:  # else only the middle of two days, where no search goes
                builder.add(name, source, which, e, group, low=low, high=high)
    elif kind == "rmst_difference":
        day = in_days(claim["at"], unit, days)
        scale = time_scale(text, unit, days)
        builder.add(name, source, m.MEAN_DIFFERENCE, e, builder.group(1), other=builder.group(0),
                    day=day, low=low * scale, high=high * scale)  # fmt: skip
    else:
        group = builder.group(arm, claim.get("factor"))
        day = in_days(claim["at"], unit, days) if "at" in claim else 0.0
        if kind == "survival":
            builder.add(name, source, m.SURVIVAL, e, group, day=math.floor(day), low=low, high=high)
            return
        if text:
            sizes = builder.problem.sizes
            low, high = count_limits(text, sum(sizes) if arm < 0 else sizes[1 - arm])
        builder.add(name, source, COUNTS[kind], e, group, day=math.ceil(day), low=low, high=high)


def add_log_rank(builder: Builder, name: str, source: str, e: int, pair, one_open: bool) -> None:
    """The P of the log-rank test of the arms."""
    builder.add(name, source, m.LOG_RANK, e, builder.model(e, ["arm"]), low=pair[0], high=pair[1],
                unit=0.1 if one_open else 0.02)  # fmt: skip


def add_ratio(
    builder: Builder, claim, source, e, arm, content, left_out, low, high
) -> None:  # fmt: skip
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
    ends = [] if "interval" in left_out else claim.get("interval", [])
    level = usual(content, claim, "level")
    quantile = 0.0 if level == 95 else float(norm.isf((1 - level / 100) / 2))
    for end, kind, text in zip(("low", "high"), (m.LOG_LOW, m.LOG_HIGH), ends, strict=False):
        pair = [math.log(max(v, 1e-9)) for v in limits(str(text), claim.get("decimals"))]
        builder.add(f"{name}.{end}", source, kind, e, model, low=pair[0], high=pair[1],
                    day=quantile, **at)  # fmt: skip
    if "p" in claim and "p" not in left_out:
        text = str(claim["p"])
        pair, one_open = log_p(*two_sided(*limits(text), usual(content, claim, "sides")), text)
        if usual(content, claim, "test") == "log_rank":
            add_log_rank(builder, f"{name}.p", source, e, pair, one_open)
        else:
            builder.add(f"{name}.p", source, m.WALD, e, model, low=pair[0], high=pair[1], **at)


def two_sided(low: float, high: float, sides: int) -> tuple[float, float]:
    """The two-sided P that go with a printed P of these sides: one-sided it may point either way.

    Examples
    --------
    >>> two_sided(0.0125, 0.025, 1), two_sided(0.75, 0.875, 1)
    ((0.025, 0.05), (0.25, 0.5))
    """
    if sides == 2:
        return low, high
    nearest, farthest = min(low, 1 - high), min(high, 1 - low)
    return 2 * max(nearest, 0.0), 1.0 if low < 0.5 < high else 2 * farthest


def log_p(low: float, high: float, text: str | None) -> tuple[tuple[float, float], bool]:
    """Limits of log P, off the edge where one side is open, and whether it is."""
    high = min(high, 1.0)
    logs = tuple(math.log(min(max(v, 1e-300), 1.0)) for v in (low, high))
    if low <= 0:
        return (-np.inf, logs[1] + math.log(1 - MARGIN)), True
    if text and read_value(text).relation != "=":
        return (math.log(low + MARGIN * (high - low)), np.inf), True
    return logs, False
