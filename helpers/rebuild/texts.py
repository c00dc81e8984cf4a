"""The printed texts of a claim: how each kind is read, what cannot stand in it, what it fills."""

from decimal import Decimal

from helpers.paper.grammar import MISSING
from helpers.paper.marks import UNITS
from helpers.paper.numbers import Printed, read_number

COUNTS = ("events", "at_risk", "censored_before", "patients", "unwatched")
NOT_REACHED = "not reached"
READ_AS = {
    "median": "time", "follow_up": "time", "survivors_follow_up": "time",
    "rmst_difference": "time", "survival": "percentage", "log_rank": "P",
    "hazard_ratio": "ratio", **dict.fromkeys(COUNTS, "count"), "last_day": "count",
}  # fmt: skip
# What may stand beside the number in a text of each kind; "limit" is one of an interval.
BESIDE = {
    "time": {"unit", "median", "interval"}, "percentage": {"percentage", "interval"},
    "ratio": {"ratio", "interval", "P behind it", "sides", "test"}, "P": {"P", "sides", "test"},
    "count": {"n", "percentage", "patients"}, "limit": set(),
}  # fmt: skip
NAMES = {"time": "a time", "percentage": "a percentage", "ratio": "a hazard ratio", "P": "a P",
         "count": "a count", "limit": "a limit"}  # fmt: skip
TESTS = {"log-rank": "log_rank", "Wald": "wald", "likelihood ratio": "likelihood_ratio"}


def kind_of(claim: dict, key: str) -> str:
    """What the text under a key is: time, percentage, ratio, P, count or limit."""
    return {"p": "P", "interval": "limit"}.get(key) or READ_AS[claim["kind"]]


def read_text(claim: dict, key: str, text: str) -> Printed:
    """A printed text of a claim.

    Raises
    ------
    ValueError
        What of it is not understood.
    """
    kind = kind_of(claim, key)
    decimals = None if key == "p" else claim.get("decimals")
    return read_number(text, decimals, "ratio" if kind == "limit" else kind)


def misfit(claim: dict, key: str, printed: Printed, content: dict) -> tuple[str, str] | None:
    """What a text says that its claim cannot mean, and what to do; None if nothing."""
    kind = kind_of(claim, key)
    if printed.missing and claim["kind"] != "median":
        return f"in place of {NAMES[kind]}", "leave it out; a median can be not reached"
    if others := [word for name, word in beside(printed) if name not in BESIDE[kind]]:
        return f"with {others[0]} in {NAMES[kind]}", "give the number alone"
    if printed.missing:
        return None
    rules = {"time": wrong_time, "percentage": wrong_percentage, "count": wrong_count,
             "ratio": wrong_ratio, "limit": wrong_limit, "P": wrong_p}  # fmt: skip
    return rules[kind](claim, printed, content)


def beside(printed: Printed) -> list[tuple[str, str]]:
    """What stands beside a number: its name, and how a message calls it."""
    told = [("percentage", "a percentage", printed.unit == "%"),
            ("unit", printed.unit, printed.unit in UNITS),
            (printed.label, f"{printed.label!r}", printed.label),
            ("patients", "a count of patients", printed.total is not None or printed.share
             or printed.counted),
            ("interval", "an interval", printed.interval),
            ("P behind it", "a P", printed.p),
            ("sides", "the sides of a test", printed.sides),
            ("test", "the name of a test", printed.test)]  # fmt: skip
    return [(name, word) for name, word, there in told if there]


def wrong_time(claim: dict, printed: Printed, content: dict) -> tuple[str, str] | None:
    if claim["kind"] == "rmst_difference":
        if printed.relation != "=":
            return "a bound of a difference, which may be negative", "give min and max"
    elif Decimal(printed.number) < 0:
        return "which is below zero", "compare it with the paper"
    return None


def wrong_percentage(claim: dict, printed: Printed, content: dict) -> tuple[str, str] | None:
    number = Decimal(printed.number)
    if printed.unit != "%" and ("." not in printed.number or number > 1):
        return "without %", f"write {printed.number}%, or a share from 0 to 1 with its decimals"
    if not 0 <= number <= (100 if printed.unit else 1):
        return "which is not 0% to 100%", "compare it with the paper"
    return None


def wrong_count(claim: dict, printed: Printed, content: dict) -> tuple[str, str] | None:
    if Decimal(printed.number) < 0 or (printed.unit and Decimal(printed.number) > 100):
        return "which is no number of patients", "compare it with the paper"
    if printed.counted in ("events", "deaths") and claim["kind"] != "events":
        return f"with {printed.counted} for {claim['kind']}", "give it as a claim of kind events"
    sizes = content["arms"]
    size = sizes.get(claim["arm"], 0) if "arm" in claim else sum(sizes.values())
    part = "factor" in claim and claim["kind"] != "patients"  # of those with the factor
    if printed.total is None or printed.total == size or (part and printed.total < size):
        return None
    found, unknown = f"of {printed.total} patients where there are {size}", size - printed.total
    if unknown < 0:
        return found, "compare it with the paper"
    return found, (f"in place of printed give min: {printed.count} and max: "
                   f"{printed.count + unknown}, if {unknown} were not counted")  # fmt: skip


def wrong_ratio(claim: dict, printed: Printed, content: dict) -> tuple[str, str] | None:
    if not printed.high > 0:
        return "which is no ratio above zero", "compare it with the paper"
    if printed.interval and (printed.spread != "interval" or {*printed.interval} & {*MISSING}):
        return f"with {printed.interval_words}", "give the ratio with a confidence interval"
    level = claim.get("level")
    if level is not None and printed.level not in (None, level):
        return f"with a {printed.level:g}% interval", f"give the {level:g}% interval, or none"
    return wrong_p(claim, printed, content)


def wrong_limit(claim: dict, printed: Printed, content: dict) -> tuple[str, str] | None:
    if printed.relation != "=" or not printed.high > 0:
        return "which is no limit of a ratio", "compare it with the paper, or give no interval"
    return None


def wrong_p(claim: dict, printed: Printed, content: dict) -> tuple[str, str] | None:
    if not printed.high > 0:
        return "which is no P above zero", "compare it with the paper"
    if claim["kind"] == "log_rank" and printed.test not in ("", "log-rank"):
        return f"with a {printed.test} test for a log-rank test", "leave it out"
    named = TESTS.get(printed.test)
    if claim["kind"] == "hazard_ratio" and named and claim.get("test", named) != named:
        return f"with a {printed.test} test and test: {claim['test']}", "give one of them"
    return None


def disagreement(claim: dict) -> str:
    """What the readable texts of a claim say twice in two ways; empty if nothing."""
    read = {k: read_text(claim, k, str(claim[k])) for k in ("printed", "p") if k in claim}
    sides = {claim.get("sides"), *(r.sides for r in read.values())} - {None}
    if len(sides) > 1:
        return "sides: found 1 and 2. To do: give those of the printed P."
    printed = read.get("printed")
    given = [read_text(claim, "interval", str(end)).number for end in claim.get("interval", [])]
    ends = printed.interval if printed and given else ()
    if ends and [*map(float, given)] != [*map(float, ends)]:
        return (
            f"interval: found {' to '.join(given)}, and {' to '.join(ends)} in the printed text. "
            "To do: give one of them."
        )
    if printed and printed.p and "p" in read:
        own, other = read_number(printed.p), read["p"]
        if (own.relation, float(own.number)) != (other.relation, float(other.number)):
            return (
                f"p: found {other.plain}, and {own.plain} in the printed text. To do: give one "
                "of them."
            )
    return ""


def as_printed(claim: dict) -> str:
    """All that was printed of a claim, in one line; empty where nothing was."""
    if "as_printed" in claim:
        return claim["as_printed"]
    parts = [str(claim["printed"])] if claim.get("printed") is not None else []
    if claim.get("interval"):
        parts.append("({} to {})".format(*claim["interval"]))
    beside = [str(claim["p"])] if "p" in claim else []
    return ", ".join([*([" ".join(parts)] if parts else []), *beside])


def take_texts(claim: dict) -> None:
    """Write each printed number of a checked claim plainly, and put what stands beside a ratio
    under interval, p and sides; as_printed keeps what was given."""
    before = as_printed(claim)
    texts = {key: str(claim[key]) for key in ("printed", "p") if claim.get(key) is not None}
    if claim.get("harms"):
        texts.pop("printed", None)
    for key, text in texts.items():
        read = read_number(text, None, kind_of(claim, key))
        claim[key] = NOT_REACHED if read.missing else read.plain
        if read.sides:
            claim["sides"] = read.sides
        if read.interval and kind_of(claim, key) == "ratio":
            claim.setdefault("interval", list(read.interval))
        if read.level and kind_of(claim, key) == "ratio":
            claim.setdefault("level", read.level)
        if read.test and claim["kind"] == "hazard_ratio":
            claim.setdefault("test", TESTS[read.test])
        if read.p:
            claim.setdefault("p", read.p)
    if "interval" in claim:
        claim["interval"] = [
            read_number(str(end), None, "ratio").plain for end in claim["interval"]
        ]
    if as_printed(claim) != before:
        claim["as_printed"] = before
