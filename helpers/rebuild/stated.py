"""What a convention decides: keys of a claims file, for the whole file or for one claim.

A paper seldom says which test its P is of, at which level its limits stand or how long its months
are. What a file does not state can be any of the choices, so that only what no choice allows is
called impossible. The first choice is the usual one, which the search takes.
"""

from collections.abc import Iterable
from typing import NamedTuple

from helpers.conventions import DAYS_PER_MONTH
from helpers.paper.published import MONTHS

MIDDLES = ("median", "follow_up", "survivors_follow_up")
RATIOS = ("hazard_ratio",)
LEVELS = (95, 90, 97.5, 98, 99, 99.5, 99.9)  # named when one would mend; any from 90 to 99.9 may be
LOWEST, HIGHEST = 90.0, 99.9


class Convention(NamedTuple):
    """The choices, the usual one first; kinds of claims that may state it (none: all)."""

    choices: tuple
    kinds: tuple[str, ...]
    about: str


CONVENTIONS = {
    "test": Convention(("wald", "log_rank", "likelihood_ratio"), RATIOS,
                       "test behind the P of a ratio"),
    "sides": Convention((2, 1), (*RATIOS, "log_rank"), "sides of a P"),
    "level": Convention(LEVELS, RATIOS, "level of an interval, 90 to 99.9%"),
    "interval_kind": Convention(("wald", "profile"), RATIOS, "how an interval was made"),
    "stratified": Convention((False, True), (*RATIOS, "log_rank"), "strata"),
    "weighted": Convention((False, True), (), "weights, adjusted curves or robust errors"),
    "late_entry": Convention((False, True), (), "patients who enter late"),
    "month": Convention(tuple(sorted(MONTHS, key=lambda name: name != "365/12")), (),
                        "days of a month"),
    "plateau": Convention(("midpoint", "first"), MIDDLES, "median of a curve level at one half"),
    "whole_days": Convention((True, False), (), "times in whole days"),
}  # fmt: skip


def told(content: dict, claim: dict, name: str):
    """What a claim, or else its file, states of a convention; None where neither does."""
    value = claim.get(name, content.get(name))
    return str(value) if name == "month" and value is not None else value


def usual(content: dict, claim: dict, name: str):
    """What is stated, or else the usual choice."""
    value = told(content, claim, name)
    return CONVENTIONS[name].choices[0] if value is None else value


def left_open(content: dict, claim: dict, name: str) -> tuple:
    """Every choice that a claim and its file allow."""
    value = told(content, claim, name)
    return CONVENTIONS[name].choices if value is None else (value,)


def size_of(claim: dict, content: dict) -> int:
    """Patients of the arm that a claim is about, or of both."""
    return content["arms"][claim["arm"]] if "arm" in claim else sum(content["arms"].values())


def month_days(month) -> float:
    """Days of a month as stated: "365/12", or a number."""
    return DAYS_PER_MONTH if month in (None, "365/12") else float(month)


def days_of_units(month=None) -> dict[str, float]:
    """Days of each unit of time."""
    length = month_days(month)
    return {"days": 1.0, "weeks": 7.0, "months": length, "years": 12 * length}


def wrong_conventions(part: dict, kind: str | None = None) -> Iterable[tuple[str, str]]:
    """What is wrong with the conventions of a file, or of a claim of a kind: key and sentence."""
    for name in [n for n in CONVENTIONS if n in part]:
        value, kinds = part[name], CONVENTIONS[name].kinds
        if kind and kinds and kind not in kinds:
            yield name, f"found one for {kind}. To do: leave it out; {', '.join(kinds)} have it."
        elif name in ("level", "month"):
            low, high = (LOWEST, HIGHEST) if name == "level" else (28, 31)
            if not is_between(value, low, high) and (name, value) != ("month", "365/12"):
                more = "" if name == "level" else " or 365/12"
                yield name, f"found {value!r}. To do: give a number, {low:g} to {high:g}{more}."
        elif type(value) is not type(CONVENTIONS[name].choices[0]) or (
            value not in CONVENTIONS[name].choices
        ):
            shown = " or ".join(str(c).lower() for c in CONVENTIONS[name].choices)
            yield name, f"found {value!r}. To do: use {shown}."


def is_between(value, low: float, high: float) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and low <= value <= high
