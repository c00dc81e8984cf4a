"""Linear laws that counts and Kaplan-Meier curves of any cohort obey, and claims that break them.

The unknowns are counts (patients with a factor, events, at risk, censored) and points of curves.
Laws: what is part of a whole is no more than it; the arms add up; those at risk only become
fewer, and with linked endpoints are no more for the first than for the second; no more are at
risk on a day than n times the curve before it; a curve never rises; a curve that never falls
below one half had events in at most half of its patients (n (1 - S) is at least the events so
far); and the curve of the second of two linked endpoints stands above that of the first less
the share that was censored for the first.
"""

import math
from itertools import combinations, pairwise

import numpy as np
from scipy.optimize import linprog

from helpers.rebuild.checking import NOT_REACHED, in_days
from helpers.rebuild.claims import count_limits, limits, time_limits

BOTH = -1
LARGEST = 2  # claims in a set that is looked for; a larger one is made by deletion
LAST = math.inf  # the day after everybody
SLACK = 1e-7
SAID = {
    "whole": "a part is no more than the whole",
    "arms": "the arms add up to all patients",
    "fewer": "those at risk only become fewer",
    "linked": "whoever is at risk for the first endpoint is at risk for the second",
    "curve": "no more are at risk on a day than the curve before it times the patients",
    "falls": "a curve never rises",
    "events": "by any day the events are at most the patients times one less the curve",
    "above": "the curve of the second endpoint is at least that of the first less the share "
             "censored for the first",
}  # fmt: skip


class Laws:
    """Unknowns by key, and rows `sum of coefficient times unknown <= bound`, each with its law."""

    def __init__(self, content: dict):
        self.content, self.arms = content, list(content["arms"])
        self.sizes = dict(enumerate(content["arms"].values())) | {
            BOTH: sum(content["arms"].values())
        }
        self.index: dict[tuple, int] = {}
        self.rows: list[tuple[str, dict, float]] = []

    def at(self, *key) -> tuple:
        self.index.setdefault(key, len(self.index))
        return key

    def most(self, law: str, terms: dict, bound: float = 0.0) -> None:
        self.rows.append((law, terms, bound))


def claim_bounds(claim: dict, laws: Laws) -> list[tuple[tuple, float, float]]:
    """What a printed claim says of the unknowns: key, lowest, highest."""
    content, kind, printed = laws.content, claim["kind"], claim.get("printed")
    if printed is None:
        return []
    arm = laws.arms.index(claim["arm"]) if "arm" in claim else BOTH
    e, n, factor = claim.get("endpoint"), laws.sizes[arm], claim.get("factor")
    text, unit = str(printed), content["time_unit"]
    day = in_days(claim["at"], unit) if "at" in claim else None
    if kind == "median" and factor is None:
        if text == NOT_REACHED:
            return [(laws.at("S", e, arm, LAST), 0.5, 1.0)]
        low, high = time_limits(text, unit, claim.get("decimals"))
        last = LAST if math.isinf(high) else math.floor(high + 1e-9)
        return [(laws.at("S", e, arm, math.ceil(low - 1e-9) - 1), 0.5, 1.0),
                (laws.at("S", e, arm, last), 0.0, 0.5)]  # fmt: skip
    if kind == "survival" and factor is None:
        return [(laws.at("S", e, arm, math.floor(day)), *limits(text, claim.get("decimals")))]
    if kind in ("events", "at_risk", "censored_before", "patients"):
        low, high = count_limits(text, n)
        name = {"events": "D", "at_risk": "R", "censored_before": "C", "patients": "F"}[kind]
        extra = (math.ceil(day),) if day is not None else ()
        return [(laws.at(name, e, arm, factor, *extra), low, high)]
    return []


def set_up(laws: Laws) -> None:
    """The unknowns that link those that are claimed, and the laws of all."""
    claimed = list(laws.index)
    days = {name: {key[-1] for key in claimed if key[0] == name} for name in "SRC"}
    days["S"] |= {day - 1 for day in days["R"]}
    days["R"] |= {day + 1 for day in days["S"] if day != LAST}
    for arm in (0, 1, BOTH):
        for e in laws.content["endpoints"]:
            laws.at("D", e, arm, None)
            for day in days["S"]:
                laws.at("S", e, arm, day)
            for name in "RC":
                for day in days[name]:
                    laws.at(name, e, arm, None, day)
        for name, e, _, factor, *day in (key for key in claimed if key[0] != "S"):
            if factor is not None:
                laws.at(name, e, arm, factor, *day)
                laws.at("F", None, arm, factor)
    for key in laws.index:
        bound_counts(laws, key)
    curves_and_counts(laws)


def bound_counts(laws: Laws, key: tuple) -> None:
    """A part is no more than its whole, and the arms add up."""
    name, e, arm, *rest = key
    if name == "S":
        laws.most("whole", {key: 1}, 1.0)
        return
    laws.most("whole", {key: 1}, laws.sizes[arm])
    if arm == BOTH:
        parts = {(name, e, a, *rest): 1 for a in (0, 1)}
        if all(part in laws.index for part in parts):
            laws.most("arms", parts | {key: -1})
            laws.most("arms", {part: -1 for part in parts} | {key: 1})
    if rest[0] is not None and name != "F":
        whole, patients = (name, e, arm, None, *rest[1:]), ("F", None, arm, rest[0])
        if whole in laws.index:
            laws.most("whole", {key: 1, whole: -1})
        if patients in laws.index:
            laws.most("whole", {key: 1, patients: -1})
        if {whole, patients} <= set(laws.index):  # those without the factor
            laws.most("whole", {whole: 1, key: -1, patients: 1}, laws.sizes[arm])


def curves_and_counts(laws: Laws) -> None:
    """What holds along a curve, between a curve and its counts, and between linked endpoints."""
    ends = list(laws.content["endpoints"])
    for e in ends:
        for arm in (0, 1, BOTH):
            n, events = laws.sizes[arm], ("D", e, arm, None)
            days = sorted(k[3] for k in laws.index if k[:3] == ("S", e, arm))
            risks = sorted(k[4] for k in laws.index if k[:4] == ("R", e, arm, None))
            for early, late in pairwise(days):
                laws.most("falls", {("S", e, arm, late): 1, ("S", e, arm, early): -1})
            for early, late in pairwise(risks):
                laws.most("fewer", {("R", e, arm, None, late): 1, ("R", e, arm, None, early): -1})
            for day in risks:
                risk = ("R", e, arm, None, day)
                if ("S", e, arm, day - 1) in laws.index:
                    laws.most("curve", {risk: 1, ("S", e, arm, day - 1): -n})
                if ("C", e, arm, None, day) in laws.index:
                    laws.most("whole", {risk: 1, ("C", e, arm, None, day): 1}, n)
            if events not in laws.index:
                continue
            if ("S", e, arm, LAST) in laws.index:
                laws.most("events", {events: 1, ("S", e, arm, LAST): n}, n)
            for key in [k for k in laws.index if k[:4] == ("C", e, arm, None)]:
                laws.most("whole", {key: 1, events: 1}, n)
            for day in [d for d in days if d != LAST] if e == ends[0] else []:
                if laws.content["linked"] and ("S", ends[1], arm, day) in laws.index:
                    # S of the first <= S of the second + (n - events) / n
                    laws.most("above", {("S", e, arm, day): 1, ("S", ends[1], arm, day): -1,
                                        events: 1 / n}, 1.0)  # fmt: skip
    if laws.content["linked"]:
        for key in [k for k in laws.index if k[0] == "R" and k[1] == ends[0]]:
            second = ("R", ends[1], *key[2:])
            if second in laws.index:
                laws.most("linked", {key: 1, second: -1})


def contradictory_counts(content: dict) -> list[tuple[tuple[str, ...], str]]:
    """One irreducible set of claims on counts and curves that contradict, if there is one.

    Returns
    -------
    list of (ids, sentence)
        Empty or one: of one or two claims where these do, else by deletion.
    """
    laws = Laws(content)
    claims = {c["id"]: found for c in content["claims"] if (found := claim_bounds(c, laws))}
    set_up(laws)
    ids = list(claims)
    broken = lambda names, rows=laws.rows: infeasible(laws, [claims[i] for i in names], rows)  # noqa: E731
    if not broken(ids):
        return []
    kept = next((list(c) for k in range(1, LARGEST + 1) for c in combinations(ids, k) if broken(c)),
                None)  # fmt: skip
    kept = kept or deleted(ids, broken)
    needed = deleted(sorted(SAID), lambda names: broken(
        kept, [row for row in laws.rows if row[0] in names]))  # fmt: skip
    shown = {c["id"]: phrase(c) for c in content["claims"]}
    why = f"{' and '.join(shown[i] for i in kept)}, but {' and '.join(SAID[n] for n in needed)}."
    return [(tuple(kept), why[0].upper() + why[1:])]


def deleted(items: list, broken) -> list:
    """An irreducible set: items are dropped one by one, as long as the rest contradict."""
    kept = list(items)
    for item in items:
        rest = [other for other in kept if other != item]
        if broken(rest):
            kept = rest
    return kept


def infeasible(laws: Laws, claims: list, rows: list) -> bool:
    """Whether no values obey the laws and the claims."""
    width = len(laws.index)
    low, high = np.zeros(width), np.full(width, np.inf)
    for key, least, most in (bound for claim in claims for bound in claim):
        k = laws.index[key]
        low[k], high[k] = max(low[k], least - SLACK), min(high[k], most + SLACK)
    if (low > high).any():
        return True
    matrix = np.zeros((len(rows), width))
    for r, (_, terms, _) in enumerate(rows):
        for key, factor in terms.items():
            matrix[r, laws.index[key]] = factor
    bounds = np.column_stack([low, high])
    right = [bound + SLACK for *_, bound in rows]
    laws_of = (matrix, right) if rows else (None, None)
    done = linprog(np.zeros(width), *laws_of, bounds=bounds)
    return done.status == 2


def phrase(claim: dict) -> str:
    """A claim in words."""
    kind = claim["kind"].replace("_", " ")
    parts = [f"{kind} {claim['printed']}", claim.get("endpoint"), claim.get("arm"),
             claim.get("factor"), f"at {claim['at']}" if "at" in claim else None]  # fmt: skip
    return " ".join(str(p) for p in parts if p)
