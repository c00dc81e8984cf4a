"""Whether any Cox model can have a printed hazard ratio, its limits and its P, by convention.

Let b be the log ratio of a term that is 0 or 1, s its standard error, B = |b|, d the events and z
the normal quantile of a level or P. What holds with Efron's, Breslow's and exact ties:

- the ratio lies between its own limits, whatever their kind;
- Wald: limits b - z s and b + z s, P from B/s, with or without adjustment, strata and weights;
- each event adds at most 1/4 to the information on b, adjusted or not, so that s is at least
  2/sqrt(d), a profile limit at least 2 z/sqrt(d) away, and B at least that for a likelihood-ratio
  P; not with weights or robust errors;
- twice the fall of the profile log likelihood from b to a point is z squared at its limits and for
  the likelihood-ratio P at 0; it is concave, so that it grows at least in step with the distance;
- with no other covariate (strata are allowed) the information at b + h is exp(-|h|) to exp(|h|)
  times that at b, since every event adds p (1 - p) with logit p moving by h. Integrated, twice the
  fall at distance h is 2 (exp(-h) - 1 + h)/s^2 to 2 (exp(h) - 1 - h)/s^2, and the z of the score
  test 2 tanh(B/2)/s to 2 sinh(B/2)/s. The log-rank test is the score test where no two events
  share a time; ties move it, so that of a log-rank P nothing is proved.

Feasibility is asked of small pieces of b, each with the widest s it allows: what is called
impossible is.
"""

import math
from collections.abc import Callable, Iterator
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from helpers.rebuild.stated import HIGHEST, LOWEST, told, usual

PIECES = 600
FAR = 25.0  # no log ratio lies farther out
ROUNDING = 1e-9
# What true numbers of real data seldom leave (tests/true_prints.py counts how seldom): a log-rank z
# against the bounds of the score test, times and plus, since ties move it; the z of a
# likelihood-ratio test, and how far a profile limit lies away, against those of Wald.
TIED, BEYOND = (0.85, 1.2), 0.1
RATIO_NEAR, PROFILE_NEAR = (0.85, 1.3), (0.72, 1.35)


class Made(NamedTuple):
    """How a ratio's numbers were made; `levels` is the range of the quantile of its limits."""

    test: str = "wald"
    sides: int = 2
    level: float | None = 95
    interval_kind: str = "wald"
    stratified: bool = False
    weighted: bool = False
    alone: bool = True  # no other covariate in the model

    @property
    def quantiles(self) -> tuple[float, float]:
        ends = (LOWEST, HIGHEST) if self.level is None else (self.level, self.level)
        return tuple(float(norm.isf((1 - end / 100) / 2)) for end in ends)


def made(content: dict, claim: dict) -> Made:
    """As the file states it, and as is usual where it does not."""
    named = {name: usual(content, claim, name) for name in Made._fields[:-1]}
    return Made(**named, alone=not claim.get("adjust"))


def every_way(content: dict, claim: dict) -> Iterator[Made]:
    """All that the file leaves open, at its widest: nothing is said of other covariates."""
    is_open = lambda name: told(content, claim, name) is None  # noqa: E731
    own = made(content, claim)._replace(alone=False)
    own = own._replace(level=None) if is_open("level") else own
    own = own._replace(weighted=True) if is_open("weighted") else own
    tests = ("wald", "log_rank", "likelihood_ratio") if is_open("test") else (own.test,)
    sides = (2, 1) if is_open("sides") else (own.sides,)
    kinds = ("wald", "profile") if is_open("interval_kind") else (own.interval_kind,)
    for test, side, kind in product(tests, sides, kinds):
        yield own._replace(test=test, sides=side, interval_kind=kind)


class Item(NamedTuple):
    """One printed number: its id, what it is (ratio, low, high, p, events), what prints so (logs
    of ratios and limits, P as it is), and its text."""

    id: str
    part: str
    low: float
    high: float
    text: str = ""


def p_quantiles(low: float, high: float, sides: int) -> tuple[float, float]:
    """The least and most z that a P of these sides leaves; a one-sided P may point either way."""
    low, high = (min(max(v, 0.0), 1.0) for v in (low, high))
    if sides == 2:
        return float(norm.isf(high / 2)), float(norm.isf(low / 2))  # infinite for 0
    ends = float(norm.isf(high)), float(norm.isf(low))
    least = 0.0 if ends[0] <= 0 <= ends[1] else min(map(abs, ends))
    return least, max(map(abs, ends))


def least_fall(h):
    """Root of twice the least fall of the log likelihood at distance h, for s = 1."""
    return np.sqrt(2 * np.maximum(np.expm1(-h) + h, 0.0))


def most_fall(h):
    h = np.minimum(h, 700.0)  # beyond, exp is infinite
    return np.sqrt(2 * np.maximum(np.expm1(h) - h, 0.0))


class Pieces(NamedTuple):
    """Pieces of b with B from `near` to `far`, and the s from `low` to `high` that each allows."""

    near: np.ndarray
    far: np.ndarray
    low: np.ndarray
    high: np.ndarray


def pieces(items: list[Item], how: Made, most: float, *, roughly: bool = False) -> Pieces:
    """Where b and s can lie, given some printed numbers.

    Parameters
    ----------
    most : float
        Events at most.
    roughly : bool
        Whether also to hold a log-rank P near the score test, and a likelihood-ratio P and profile
        limits near those of Wald: what is then empty is unusual, not impossible.
    """
    values = {i.part: (i.low - ROUNDING, i.high + ROUNDING) for i in items if i.part != "events"}
    values |= {i.part: (i.low, i.high) for i in items if i.part == "p"}  # may be far smaller
    least = 2 / math.sqrt(most) if most > 0 and not how.weighted else 0.0
    if most <= 0 and values:
        return Pieces(*np.zeros((4, 0)))
    edges = edges_of(values, how.interval_kind)
    begin, end = edges[:-1], edges[1:]
    near, far = np.minimum(abs(begin), abs(end)), np.maximum(abs(begin), abs(end))
    low, high = np.full(len(begin), least), np.full(len(begin), np.inf)
    spans = {}  # how far each limit lies away from b
    if "low" in values:
        spans["low"] = (begin - values["low"][1], end - values["low"][0])
    if "high" in values:
        spans["high"] = (values["high"][0] - end, values["high"][1] - begin)
    fits = np.ones(len(begin), bool)
    for _, most_away in spans.values():
        fits &= most_away >= 0
    limits_hold = wald_limits if how.interval_kind == "wald" else profile_limits
    low, high, held = limits_hold(list(spans.values()), how, least, low, high, roughly)
    fits &= held
    if "p" in values:
        few, many = p_quantiles(*values["p"], how.sides)
        z = (few * (1 - ROUNDING), many * (1 + ROUNDING))
        low, high, held = p_holds(z, how, least, near, far, low, high, roughly)
        fits &= held
        if how.test == "likelihood_ratio" and how.interval_kind == "profile":
            fits &= concave(z, how, begin, end, near, far, spans)
    fits &= low <= high * (1 + ROUNDING)
    return Pieces(near[fits], far[fits], low[fits], high[fits])


def edges_of(values: dict, kind: str) -> np.ndarray:
    """Ends of the pieces of b."""
    begin, end = values.get("ratio", (-FAR, FAR))
    if {"low", "high"} <= set(values):
        low, high = values["low"], values["high"]
        middle = ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2)
        ends = middle if kind == "wald" else (low[0], high[1])
        begin, end = max(begin, ends[0]), min(end, ends[1])
    begin, end = max(begin, -FAR), min(end, FAR)
    if begin > end:
        return np.zeros(0)
    edges = np.linspace(begin, end, PIECES + 1)
    return np.sort(np.append(edges, 0.0)) if begin < 0 < end else edges


def wald_limits(spans: list, how: Made, least, low, high, roughly):
    """Both limits lie z s away, for one z."""
    if not spans:
        return low, high, True
    nearest = np.maximum.reduce([np.maximum(a, 0) for a, _ in spans])
    farthest = np.minimum.reduce([b for _, b in spans])
    few, many = how.quantiles
    fits = nearest <= farthest + ROUNDING
    return np.maximum(low, nearest / many), np.minimum(high, farthest / few), fits


def profile_limits(spans: list, how: Made, least, low, high, roughly):
    """Each limit lies where the profile log likelihood has fallen by half of z squared."""
    few, many = how.quantiles
    fits = True
    for nearest, farthest in spans:
        nearest, farthest = np.maximum(nearest, 0), np.maximum(farthest, 0)
        fits &= farthest >= few * least - ROUNDING
        if how.alone and not how.weighted:
            low = np.maximum(low, least_fall(nearest) / many)
            high = np.minimum(high, most_fall(farthest) / few)
        if roughly:
            low = np.maximum(low, nearest / many / PROFILE_NEAR[1])
            high = np.minimum(high, farthest / few / PROFILE_NEAR[0])
    return low, high, fits


def p_holds(z, how: Made, least, near, far, low, high, roughly):
    """The s that a P leaves."""
    few, many = z
    fits, alone = True, how.alone and not how.weighted
    spans = []  # of s, when z is from the first divided by s to the second divided by s
    if how.test == "wald":
        spans.append((near, far))
    elif how.test == "likelihood_ratio":
        fits = far >= few * least - ROUNDING
        if alone:
            spans.append((least_fall(near), most_fall(far)))
        if roughly:
            spans.append((RATIO_NEAR[0] * near, RATIO_NEAR[1] * far))
    elif roughly and how.alone and not how.stratified:
        few, many = max(few - BEYOND, 0.0), many + BEYOND
        spans.append((TIED[0] * 2 * np.tanh(near / 2), TIED[1] * 2 * np.sinh(far / 2)))
    for lower, upper in spans:
        low = np.maximum(low, lower / many)
        high = np.minimum(high, upper / few) if few > 0 else high
    return low, high, fits


def concave(z, how: Made, begin, end, near, far, spans: dict):
    """Whether the limit on the side of ratio 1 can lie as far as the P says: of two points on one
    side of b, the fall at the farther is at least as many times larger as it is farther away."""
    if how.weighted:
        return True
    few, many = how.quantiles
    less, more = (z[0] / many) ** 2, (z[1] / few) ** 2  # fall at ratio 1 over fall at the limit
    fits = np.ones(len(begin), bool)
    for part, side in (("low", begin >= 0), ("high", end <= 0)):
        if part in spans:
            nearest, farthest = (np.maximum(v, 0) for v in spans[part])
            with np.errstate(invalid="ignore"):  # 0 times a fall without end: any
                reach = np.nan_to_num(farthest * more, nan=np.inf)
            outside = (more >= 1) & (nearest <= far) & (reach >= near)
            inside = (less <= 1) & (farthest >= near) & (nearest * less <= far)
            fits &= ~side | outside | inside
    return fits


def exists(items: list[Item], how: Made, most: float, *, roughly: bool = False) -> bool:
    """Whether some model has all items."""
    return len(pieces(items, how, most, roughly=roughly).low) > 0


def p_range(items: list[Item], how: Made, most: float) -> tuple[float, float] | None:
    """The lowest and highest P that ratio and limits leave; None where nothing does."""
    found = pieces([i for i in items if i.part != "p"], how, most)
    if not len(found.low):
        return None
    least, alone = 1.0, how.alone and not how.weighted
    falls = {"wald": (lambda b: b, lambda b: b), "likelihood_ratio": (least_fall, most_fall),
             "log_rank": (lambda b: 2 * np.tanh(b / 2), lambda b: 2 * np.sinh(b / 2))}  # fmt: skip
    if how.test != "wald" and not alone:
        return None
    lower, upper = falls[how.test]
    with np.errstate(divide="ignore"):
        least = float(np.min(lower(found.near) / found.high))
        most_z = float(np.max(np.divide(upper(found.far), found.low)))
    return tuple(float(how.sides * norm.sf(v)) for v in (most_z, least))


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
