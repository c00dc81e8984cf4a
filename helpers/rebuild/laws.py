"""Linear laws that counts and Kaplan-Meier curves of any cohort obey, and claims that break them.

The unknowns are counts (patients with a factor, events, at risk, censored), points of curves and
areas under them. A number at risk may count those followed to that time or beyond it; a curve
counts the events of its day. Some laws hold only where every patient counts as one and is followed
from time zero; and where times are whole days, what happens between two days is settled. So each
set of claims is asked about under conventions: what contradicts under the weakest is impossible.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog

from helpers.rebuild.checking import NOT_REACHED, in_days
from helpers.rebuild.claims import count_limits, limits, time_limits
from helpers.rebuild.stated import days_of_units

BOTH = -1
LAST = (math.inf, 1)  # the place on the time axis after everybody
SLACK = 1e-7
SAID = {
    "share": "a curve lies between 0 and 100%",
    "whole": "a part is no more than the whole",
    "risk": "no more are at risk than there are patients",
    "arms": "the arms add up to all patients",
    "fewer": "those at risk only become fewer",
    "linked": "a patient at risk for the first endpoint is at risk for the second",
    "curve": "no more are at risk than the curve just before times the patients",
    "falls": "a curve never rises",
    "events": "the events are at most the patients times one less the last point of the curve",
    "none": "a curve below 100% needs an event",
    "deaths": "with so many still at risk, a curve so low needs more events",
    "later": "by any time the events are at most the patients times one less the curve, and later "
             "ones are among those still at risk",
    "censored": "whom the curve leaves is still at risk or was censored",
    "above": "the curve of the second endpoint is at least that of the first less the share "
             "censored for the first",
    "area": "up to a time nobody lives longer than that time",
    "mean": "a restricted mean is the area under the curve",
}  # fmt: skip
UNWEIGHTED = {"risk", "linked", "curve", "events", "deaths", "later", "censored", "above", "mean"}
FROM_ZERO = {"fewer", "curve", "events", "deaths", "later", "censored", "above"}


class Reading(NamedTuple):
    """Conventions that laws depend on; the usual ones by default."""

    month: str = "365/12"
    whole_days: bool = True
    weighted: bool = False
    late_entry: bool = False
    cut_off: bool = False  # percentages cut off instead of rounded

    def holds(self, law: str) -> bool:
        return not ((self.weighted and law in UNWEIGHTED) or (self.late_entry and law in FROM_ZERO))

    def after(self, time: float) -> tuple:
        """Where a curve stands that counts the events of that time."""
        return (math.floor(time + 1e-6), 1) if self.whole_days else (round(time, 6), 1)

    def before(self, time: float) -> tuple:
        """Where it stands just before."""
        return (math.ceil(time - 1e-6) - 1, 1) if self.whole_days else (round(time, 6), 0)


class Claimed(NamedTuple):
    """What a claim says: bounds of unknowns (key, lowest, highest), and rows of its own."""

    bounds: list
    rows: list


class Laws:
    """Unknowns by key, and rows `sum of coefficient times unknown <= bound`, each with its law."""

    def __init__(self, content: dict, reading: Reading):
        self.content, self.reading, self.arms = content, reading, list(content["arms"])
        self.sizes = dict(enumerate(content["arms"].values())) | {
            BOTH: sum(content["arms"].values())
        }
        self.index: dict[tuple, int] = {}
        self.rows: list[tuple[str, dict, float]] = []
        self.claims = {c["id"]: found for c in content["claims"] if (found := self.claimed(c))}
        self.set_up()
        for found in self.claims.values():
            for key, _, high in [b for b in found.bounds if b[0][0] == "S"]:
                found.rows.extend(self.deaths(key, high))
        self.matrix = np.zeros((len(self.rows), len(self.index)))
        for r, (_, terms, _) in enumerate(self.rows):
            for key, factor in terms.items():
                self.matrix[r, self.index[key]] = factor

    def at(self, *key) -> tuple:
        self.index.setdefault(key, len(self.index))
        return key

    def most(self, law: str, terms: dict, bound: float = 0.0) -> None:
        if self.reading.holds(law):
            self.rows.append((law, terms, bound))

    def claimed(self, claim: dict) -> Claimed | None:
        """What a printed claim says of the unknowns."""
        kind, printed = claim["kind"], claim.get("printed")
        if printed is None or claim.get("harms"):
            return None
        arm = self.arms.index(claim["arm"]) if "arm" in claim else BOTH
        e, factor, text = claim.get("endpoint"), claim.get("factor"), str(printed)
        unit, decimals, time = self.content["time_unit"], claim.get("decimals"), None
        units = days_of_units(claim.get("month", self.reading.month))
        if "at" in claim:
            time = in_days(claim["at"], unit, units)
        if kind == "median" and factor is None:
            if text == NOT_REACHED:
                return Claimed([(self.at("S", e, arm, LAST), 0.5, 1.0)], [])
            low, high = time_limits(text, unit, decimals, units)
            before = self.reading.before(low)
            after = LAST if math.isinf(high) else self.reading.after(high)
            return Claimed([(self.at("S", e, arm, before), 0.5, 1.0),
                            (self.at("S", e, arm, after), 0.0, 0.5)], [])  # fmt: skip
        if kind == "survival" and factor is None:
            low, high = self.cut(text, *limits(text, decimals))
            return Claimed([(self.at("S", e, arm, self.reading.after(time)), low, high)], [])
        if kind in ("events", "at_risk", "censored_before", "patients"):
            low, high = counts(text, self.sizes[arm], cut_off=self.reading.cut_off)
            name = {"events": "D", "at_risk": "R", "censored_before": "C", "patients": "F"}[kind]
            extra = (round(time, 6),) if time is not None else ()
            return Claimed([(self.at(name, e, arm, factor, *extra), low, high)], [])
        if kind == "rmst_difference":
            low, high = time_limits(text, unit, decimals, units)
            first, other = (self.at("M", e, a, round(time, 6)) for a in (0, 1))
            return Claimed([], [("area", {first: 1, other: -1}, high),
                                ("area", {first: -1, other: 1}, -low)])  # fmt: skip
        return None

    def cut(self, text: str, low: float, high: float) -> tuple[float, float]:
        """What prints so, also where percentages are cut off."""
        plain = "%" in text and not set("<>≤≥") & set(text)
        return (low, high + (high - low) / 2) if self.reading.cut_off and plain else (low, high)

    def keys(self, name: str, e, arm: int) -> list[tuple]:
        """Unknowns of one kind of an endpoint and arm, by time."""
        own = [k for k in self.index if k[:3] == (name, e, arm)]
        return sorted((k for k in own if name in "SM" or k[3] is None), key=lambda k: k[-1])

    def set_up(self) -> None:
        """The unknowns that link those that are claimed, and the laws of all."""
        claimed = list(self.index)
        times = {name: {key[-1] for key in claimed if key[0] == name} for name in "SRCM"}
        times["S"] |= {self.reading.before(time) for time in times["R"]}
        times["S"] |= {self.reading.after(time) for time in times["M"]}
        for arm in (0, 1, BOTH):
            for e in self.content["endpoints"]:
                self.at("D", e, arm, None)
                for place in times["S"]:
                    self.at("S", e, arm, place)
                for name in "RC":
                    for time in times[name]:
                        self.at(name, e, arm, None, time)
            for name, e, _, factor, *time in (key for key in claimed if key[0] not in "SM"):
                if factor is not None:
                    self.at(name, e, arm, factor, *time)
                    self.at("F", None, arm, factor)
        for key in list(self.index):
            self.bound_counts(key)
        for e in self.content["endpoints"]:
            for arm in (0, 1, BOTH):
                self.along_a_curve(e, arm)
                self.areas(e, arm)
        if self.content["linked"]:
            for arm in (0, 1, BOTH):
                self.two_endpoints(arm)

    def bound_counts(self, key: tuple) -> None:
        """A part is no more than its whole, and the arms add up."""
        name, e, arm, *rest = key
        if name == "M":
            self.most("area", {key: 1}, key[-1])
            return
        if name == "S":
            self.most("share", {key: 1}, 1.0)
            return
        self.most("risk" if name == "R" else "whole", {key: 1}, self.sizes[arm])
        parts = {(name, e, a, *rest): 1 for a in (0, 1)}
        # Weighted numbers at risk are rounded, and need not add up.
        adds_up = name != "R" or self.reading.holds("risk")
        if arm == BOTH and adds_up and set(parts) <= set(self.index):
            self.most("arms", parts | {key: -1})
            self.most("arms", {part: -1 for part in parts} | {key: 1})
        if rest[0] is not None and name != "F":
            whole, patients = (name, e, arm, None, *rest[1:]), ("F", None, arm, rest[0])
            law = "risk" if name == "R" else "whole"
            if whole in self.index:
                self.most("whole", {key: 1, whole: -1})
            if patients in self.index:
                self.most(law, {key: 1, patients: -1})
            if {whole, patients} <= set(self.index):  # those without the factor
                self.most(law, {whole: 1, key: -1, patients: 1}, self.sizes[arm])

    def along_a_curve(self, e, arm: int) -> None:
        """What holds along a curve, and between it and counts."""
        n, events, reading = self.sizes[arm], ("D", e, arm, None), self.reading
        curve, risks, censored = (self.keys(name, e, arm) for name in "SRC")
        for early, late in pairwise(curve):
            self.most("falls", {late: 1, early: -1})
        for early, late in pairwise(risks):
            self.most("fewer", {late: 1, early: -1})
        for risk in risks:
            self.most("curve", {risk: 1, ("S", e, arm, reading.before(risk[-1])): -n})
            for gone in [c for c in censored if c[-1] == risk[-1]]:
                self.most("risk", {risk: 1, gone: 1}, n)
        for gone in censored:
            self.most("whole", {gone: 1, events: 1}, n)
        for point in curve:
            self.most("none", {point: -1, events: -1}, -1.0)
            if point[-1] == LAST:
                self.most("events", {events: 1, point: n}, n)
            for risk in [r for r in risks if reading.after(r[-1]) <= point[-1] < LAST]:
                self.most("later", {events: 1, point: n, risk: -1}, n)
                for gone in [c for c in censored if reading.before(c[-1]) >= point[-1]]:
                    self.most("censored", {point: n, risk: -1, gone: -1})

    def deaths(self, point: tuple, high: float) -> list[tuple]:
        """A curve at most so high needs events: each takes the curve down by at most one of those
        still at risk and of the events to come, so that d events leave it at R / (R + d) or above
        if R are still at risk after them, and at (R - d) / R if R were at risk until then."""
        _, e, arm, place = point
        rows, events = [], ("D", e, arm, None)
        for risk in self.keys("R", e, arm):
            if self.reading.before(risk[-1]) >= place:
                share = (1 - high) / max(high, 1e-9)
            elif self.reading.after(risk[-1]) >= place:
                share = 1 - high
            else:
                continue
            if share > 0 and self.reading.holds("deaths"):
                rows.append(("deaths", {risk: share, events: -1}, 0.0))
        return rows

    def areas(self, e, arm: int) -> None:
        """A restricted mean lies between the areas under the lowest and highest curve."""
        for mean in self.keys("M", e, arm):
            horizon = mean[-1]
            ends = [p for p in self.keys("S", e, arm) if p[-1] <= self.reading.after(horizon)]
            times = [0.0, *(min(max(p[-1][0], 0.0), horizon) for p in ends), horizon]
            widths = [late - early for early, late in pairwise(times)]
            above, below = {mean: 1.0}, {mean: -1.0}
            for point, width in zip(ends, widths[1:], strict=True):
                above[point] = above.get(point, 0.0) - width
            for point, width in zip(ends, widths[:-1], strict=True):
                below[point] = below.get(point, 0.0) + width
            self.most("mean", above, widths[0])
            self.most("mean", below)

    def two_endpoints(self, arm: int) -> None:
        """What holds between linked endpoints."""
        first, second = self.content["endpoints"]
        n, events = self.sizes[arm], ("D", first, arm, None)
        for point in self.keys("S", first, arm):
            other = ("S", second, *point[2:])
            if point[-1] != LAST and other in self.index:
                self.most("above", {point: 1, other: -1, events: 1 / n}, 1.0)
        for risk in [k for k in self.index if k[:3] == ("R", first, arm)]:
            if (other := ("R", second, *risk[2:])) in self.index:
                self.most("linked", {risk: 1, other: -1})

    def broken(self, ids: list[str], laws=None) -> bool:
        """Whether no values obey the laws, or some of them, and these claims."""
        low, high = np.zeros(len(self.index)), np.full(len(self.index), np.inf)
        claims = [self.claims[i] for i in ids if i in self.claims]
        for key, least, most in (bound for claim in claims for bound in claim.bounds):
            k = self.index[key]
            low[k], high[k] = max(low[k], least - SLACK), min(high[k], most + SLACK)
        if (low > high).any():
            return True
        kept = [r for r, row in enumerate(self.rows) if laws is None or row[0] in laws]
        rows = [self.rows[r] for r in kept]
        own = [row for claim in claims for row in claim.rows]
        own = [row for row in own if laws is None or row[0] in laws]
        matrix = np.zeros((len(own), len(self.index)))
        for r, (_, terms, _) in enumerate(own):
            for key, factor in terms.items():
                matrix[r, self.index[key]] = factor
        right = np.array([bound + SLACK for *_, bound in rows + own])
        laws_of = (np.vstack([self.matrix[kept], matrix]), right) if len(right) else (None, None)
        bounds = np.column_stack([low, high])
        return linprog(np.zeros(len(self.index)), *laws_of, bounds=bounds).status == 2


def counts(text: str, n: int, *, cut_off: bool = False) -> tuple[float, float]:
    """The counts of n patients that print so, also where percentages are cut off."""
    low, high = count_limits(text, n)
    if cut_off and "%" in text and "(" not in text:
        share = limits(text)
        high = max(high, math.floor((share[1] + (share[1] - share[0]) / 2) * n - 1e-9))
    return low, high
