"""What no patients can have printed: contradictions between claims, by arithmetic alone.

Three kinds. *One number*: no count gives a percentage, no day a median. *A ratio*: its limits, P
and error contradict each other, for a Wald interval on the log scale. *Counts and curves*: linear
laws that hold in any cohort, such as that no more are at risk than the curve times the patients.
All values that print so are allowed, edges too, so what is said here holds; other contradictions
may be missed. Each proof names a set of claims of which none can be left out.

A median of progression-free survival above that of overall survival is no contradiction where
patients are censored: the curves are estimated from different risk sets and may cross.
"""

import math
from collections.abc import Callable
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.stats import norm

from helpers.paper.numbers import read_number
from helpers.paper.published import MONTHS
from helpers.rebuild.checking import DAYS, NOT_REACHED
from helpers.rebuild.claims import count_limits, limits
from helpers.rebuild.laws import contradictory_counts
from helpers.survival import Z

ROUNDING = 1e-9


class Proof(NamedTuple):
    """Ids of claims that contradict each other (parts of a ratio as id.low, id.high, id.p), and
    why, in one sentence."""

    ids: tuple[str, ...]
    why: str


def proofs(content: dict) -> list[Proof]:
    """Every contradiction found among the printed claims of a checked claims file."""
    found = []
    for claim in content["claims"]:
        if claim.get("printed") is not None and not claim.get("harms"):
            why = impossible_number(claim, content)
            found += [Proof((claim["id"],), why)] if why else []
    for claim in content["claims"]:
        if claim["kind"] == "hazard_ratio" and not claim.get("harms"):
            found += contradictory_ratio(claim, content)
    broken = {id for proof in found for id in proof.ids}
    sound = [c for c in content["claims"] if c["id"] not in broken]
    found += [Proof(*pair) for pair in contradictory_counts(content | {"claims": sound})]
    return found


def smallest(items: list, contradict: Callable[[list], bool]) -> list:
    """A smallest set of items that contradict each other: none of fewer does; or none at all.

    Parameters
    ----------
    contradict : callable
        Whether some items contradict each other; more items never contradict less.
    """
    if not contradict(items):
        return []
    sets = (list(c) for k in range(1, len(items) + 1) for c in combinations(items, k))
    return next(chosen for chosen in sets if contradict(chosen))


def size_of(claim: dict, content: dict) -> int:
    """Patients of the arm that a claim is about."""
    return content["arms"][claim["arm"]] if "arm" in claim else sum(content["arms"].values())


def impossible_number(claim: dict, content: dict) -> str:
    """Why no day or count prints a number; empty when one does."""
    text, kind = str(claim["printed"]), claim["kind"]
    if kind in ("median", "follow_up", "survivors_follow_up") and text != NOT_REACHED:
        low, high = limits(text, claim.get("decimals"))
        unit = read_number(text).unit or content["time_unit"]
        if half_day(low * DAYS[unit], high * DAYS[unit]):
            return ""
        months = [name for name, days in MONTHS.items() if half_day(low * days, high * days)]
        other = f" (of other months, those of {', '.join(months)} days do)" if months else ""
        other = other if unit == "months" else ""
        return (f"No day and no middle of two days prints as {text} in {unit} of "
                f"{DAYS[unit]:.6g} days{other}.")  # fmt: skip
    if kind in ("events", "at_risk", "censored_before", "patients", "unwatched"):
        n = size_of(claim, content)
        first, last = count_limits(text, n)
        if last < first:
            return f"No whole number of {n} patients is {text.strip()}."
        if first > n:
            return f"{text.strip()} is more than the {n} patients there are."
        read = read_number(text, None, "count")
        if share := read.share and f"{read.share}%":
            low, high = limits(share)
            n = read.total or n
            if not low - ROUNDING <= first / n <= high + ROUNDING:
                return f"{first:.0f} of {n} patients is {100 * first / n:.4g}%, not {share}."
    return ""


def half_day(low: float, high: float) -> bool:
    """Whether a multiple of half a day lies from `low` to `high`: a median may be the middle of
    two days."""
    return math.ceil(2 * low - ROUNDING) <= 2 * high + ROUNDING


def contradictory_ratio(claim: dict, content: dict) -> list[Proof]:
    """Contradictions between a hazard ratio, its limits and its P, and how many had the event.

    A Wald interval on the log scale has its ratio b and error s as b, b - 1.96 s, b + 1.96 s and
    P from |b|/s. Each event adds at most 1/4 to the information on a term that is 0 or 1, with
    or without adjustment, so s is at least 2/sqrt(events).
    """
    items = ratio_items(claim, content)
    most = lambda chosen: most_events(claim, content, [i[2] for i in chosen if i[1] == "events"])  # noqa: E731
    chosen = smallest(items, lambda chosen: not wald_exists(chosen, most(chosen)))
    if not chosen:
        return []
    return [Proof(tuple(i[0] for i in chosen), ratio_sentence(claim, chosen, most(chosen)))]


def ratio_items(claim: dict, content: dict) -> list[tuple]:
    """What was printed of a ratio: id, what it is, and its limits (logs; for P those of z)."""
    name, decimals = claim["id"], claim.get("decimals")
    logs = lambda text: tuple(  # noqa: E731
        math.log(min(max(v, 1e-9), 1e9)) for v in limits(text, decimals)
    )
    items = []
    for end, text in zip(("low", "high"), claim.get("interval", []), strict=False):
        items.append((f"{name}.{end}", end, logs(str(text))))
    if "p" in claim:
        low, high = (norm.isf(min(max(v, 1e-300), 1) / 2) for v in limits(str(claim["p"])))
        items.append((f"{name}.p", "p", (high, low)))
    if claim.get("printed") is not None:
        items.append((name, "ratio", logs(str(claim["printed"]))))
    for events in event_claims(claim, content):
        items.append((events["id"], "events", events))
    return items


def event_claims(claim: dict, content: dict) -> list[dict]:
    """Printed numbers of events that bound those behind a ratio."""
    return [
        c for c in content["claims"]
        if c["kind"] == "events" and c["endpoint"] == claim["endpoint"] and "factor" not in c
        and c.get("printed") is not None and ("arm" not in claim or c.get("arm") == claim["arm"])
    ]  # fmt: skip


def most_events(claim: dict, content: dict, known: list[dict]) -> float:
    """The most events that a ratio can rest on, given some printed numbers of events."""
    arms = {claim["arm"]} if "arm" in claim else set(content["arms"])
    most = {arm: content["arms"][arm] for arm in arms}
    total = math.inf
    for c in known:
        high = count_limits(str(c["printed"]), size_of(c, content))[1]
        if "arm" in c:
            most[c["arm"]] = min(most[c["arm"]], high)
        else:
            total = min(total, high)
    return min(total, sum(most.values()))


def wald_exists(items: list[tuple], most: float) -> bool:
    """Whether some b and s print all items: a small linear program for each sign of b."""
    lines = {"ratio": (1, 0), "low": (1, -Z), "high": (1, Z)}
    least = 2 / math.sqrt(most) if most > 0 else math.inf
    if math.isinf(least):
        return not any(kind in lines or kind == "p" for _, kind, _ in items)
    for sign in (1, -1):
        left, right = [(-sign, 0)], [0.0]
        for _, kind, value in items:
            if kind == "p":
                left += [(-sign, value[0]), (sign, -value[1])]
                right += [0.0, 0.0]
            elif kind in lines:
                b, s = lines[kind]
                left += [(-b, -s), (b, s)]
                right += [-value[0], value[1]]
        right = np.array(right) + ROUNDING
        done = linprog((0, 1), left, right, bounds=[(None, None), (least - ROUNDING, None)])
        if done.status != 2:  # 2: infeasible; anything else is no proof
            return True
    return False


def ratio_sentence(claim: dict, chosen: list[tuple], most: float) -> str:
    """Why the parts of a ratio contradict each other."""
    limit = dict(zip(("low", "high"), claim.get("interval", []), strict=False))
    p = "P " + str(claim.get("p", "")).replace("P", "").replace("=", "").strip()
    words = {"ratio": f"ratio {claim.get('printed')}", "p": p,
             "low": f"lower limit {limit.get('low')}",
             "high": f"upper limit {limit.get('high')}"}  # fmt: skip
    own = [item for item in chosen if item[1] != "events"]
    values = {kind: value for _, kind, value in own}
    said = ", ".join(words[kind] for _, kind, _ in own)
    said = said[0].upper() + said[1:]
    if wald_exists(own, math.inf):
        return (f"{said}: for a Wald interval the standard error of the log is too small, since "
                f"{most:.0f} events at most leave one of at least 2/sqrt({most:.0f}) = "
                f"{2 / math.sqrt(most):.3f}.")  # fmt: skip
    base = f"{said}: no Wald interval on the log scale has them"
    pair = [item for item in own if item[1] != "p"]
    if "p" in values and len(pair) == 2:
        low, high = p_range(pair)
        return f"{base}; P would be {low:.2g} to {high:.2g}."
    if {"ratio", "low", "high"} == set(values):
        middle = [math.exp((a + b) / 2) for a, b in zip(values["low"], values["high"], strict=True)]
        return f"{base}; the geometric middle of its limits is {middle[0]:.3g} to {middle[1]:.3g}."
    return f"{base}; the ratio stands between its limits, at equal distances of the logs."


def p_range(pair: list[tuple]) -> tuple[float, float]:
    """The lowest and highest P that two of ratio and limits leave, from the corners."""
    lines = {"ratio": (1, 0), "low": (1, -Z), "high": (1, Z)}
    matrix = np.array([lines[kind] for _, kind, _ in pair], float)
    ends = []
    for first in pair[0][2]:
        for second in pair[1][2]:
            b, s = np.linalg.solve(matrix, [first, second])
            ends.append(b / s if s > 0 else math.copysign(math.inf, b))
    low = 0.0 if min(ends) < 0 < max(ends) else min(abs(z) for z in ends)
    return 2 * norm.sf(max(abs(z) for z in ends)), 2 * norm.sf(low)
