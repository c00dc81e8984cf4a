"""Verdicts on a hazard ratio, its limits and its P, in words (`helpers.rebuild.ratios` decides)."""

import math
import re
from itertools import combinations

from helpers.rebuild.checking import NOT_REACHED
from helpers.rebuild.claims import count_limits, limits
from helpers.rebuild.ratios import Item, Made, every_way, exists, made, p_range, smallest
from helpers.rebuild.stated import LOWEST, left_open, size_of, told, usual
from helpers.rebuild.verdicts import CONDITIONAL, IMPOSSIBLE, UNEXPLAINED, Verdict

SHOWN_MENDS = 4
TESTS = {"wald": "Wald", "log_rank": "log-rank", "likelihood_ratio": "likelihood-ratio"}
KINDS = {"wald": "Wald", "profile": "profile-likelihood"}


def ratio_items(claim: dict, content: dict) -> list[Item]:
    """What was printed of a ratio, and the events that bound those behind it."""
    name, decimals, items = claim["id"], claim.get("decimals"), []
    log = lambda v: math.log(v) if v > 0 else -math.inf  # noqa: E731
    for end, text in zip(("low", "high"), claim.get("interval", []), strict=False):
        bounds = (log(v) for v in limits(str(text), decimals))
        items.append(Item(f"{name}.{end}", end, *bounds, str(text)))
    if "p" in claim:
        items.append(Item(f"{name}.p", "p", *limits(str(claim["p"])), p_text(claim["p"])))
    if claim.get("printed") is not None:
        text = str(claim["printed"])
        items.append(Item(name, "ratio", *(log(v) for v in limits(text, decimals)), text))
    for other in event_claims(claim, content):
        high = count_limits(str(other["printed"]), size_of(other, content))[1]
        items.append(Item(other["id"], "events", 0.0, high, other.get("arm", "")))
    return items


def p_text(text) -> str:
    """A P as it is said in a sentence: "P = 0.03" is P 0.03."""
    return "P " + re.sub(r"^[\s=]+", "", re.sub(r"^\s*[Pp]\b", "", str(text))).strip()


def event_claims(claim: dict, content: dict) -> list[dict]:
    """Printed numbers of events that bound those behind a ratio."""
    return [
        c for c in content["claims"]
        if c["kind"] == "events" and c["endpoint"] == claim["endpoint"] and "factor" not in c
        and c.get("printed") is not None and ("arm" not in claim or c.get("arm") == claim["arm"])
    ]  # fmt: skip


def most_events(claim: dict, content: dict, items: list[Item]) -> float:
    """The most events that a ratio can rest on, given some printed numbers of events."""
    arms = {claim["arm"]} if "arm" in claim else set(content["arms"])
    most, total = {arm: content["arms"][arm] for arm in arms}, math.inf
    for item in (i for i in items if i.part == "events"):
        if item.text:
            most[item.text] = min(most[item.text], item.high)
        else:
            total = min(total, item.high)
    return min(total, sum(most.values()))


def of_ratio(claim: dict, content: dict) -> list[Verdict]:
    """Contradictions between a hazard ratio, its limits and its P, and how many had the event."""
    items, how, found = ratio_items(claim, content), made(content, claim), []
    most = lambda chosen: most_events(claim, content, chosen)  # noqa: E731
    never = lambda chosen: impossible_ratio(claim, content, chosen)  # noqa: E731
    if chosen := smallest(items, never):
        why = ratio_sentence(claim, chosen, next(every_way(content, claim)), most(chosen))
        ids = tuple(item.id for item in chosen)
        found.append(Verdict(IMPOSSIBLE, ids, why, tuple(needed_of_ratio(claim, content, chosen))))
        items = [item for item in items if item not in chosen or item.part == "events"]
    if chosen := seldom(items, how, most):
        found.append(mended(claim, content, chosen, items, how, most))
    return found


def seldom(items: list[Item], how: Made, most) -> list[Item]:
    """A smallest set that the conventions do not have, or hardly: if there is one, one that needs
    no bound by how many patients or events there are."""
    free = [item for item in items if item.part != "events"]
    return smallest(free, lambda some: not exists(some, how, math.inf, roughly=True)) or smallest(
        items, lambda some: not exists(some, how, most(some), roughly=True)
    )


def impossible_ratio(claim: dict, content: dict, items: list[Item]) -> bool:
    """Whether no convention that is left open has them."""
    most = most_events(claim, content, items)
    return not any(exists(items, how, most) for how in every_way(content, claim))


def needed_of_ratio(claim: dict, content: dict, items: list[Item]) -> list[str]:
    """Of what the file states, that without which some items would not contradict."""
    how, words = made(content, claim), []
    for name in ("test", "sides", "level", "interval_kind", "weighted"):
        if told(content, claim, name) is not None:
            without = [{k: v for k, v in part.items() if k != name} for part in (claim, content)]
            if not impossible_ratio(*without, items):
                words.append(MADE_IF[name](how))
    return words


MADE_IF = {
    "test": lambda how: f"the P is that of a {TESTS[how.test]} test of the same model",
    "sides": lambda how: f"the P is {'two' if how.sides == 2 else 'one'}-sided",
    "level": lambda how: f"the interval is at {how.level:g}%",
    "interval_kind": lambda how: f"the interval is a {KINDS[how.interval_kind]} interval",
    "weighted": lambda how: "the model has no weights and no robust errors",
}
MEND_WORDS = {
    "sides": lambda how: f"a {'one' if how.sides == 1 else 'two'}-sided P",
    "test": lambda how: f"the P of a {TESTS[how.test]} test",
    "interval_kind": lambda how: "a profile-likelihood or bootstrap interval"
    if how.interval_kind == "profile" else "a Wald interval",
    "level": lambda how: f"limits at {how.level:g}%",
    "weighted": lambda how: "weights or robust errors",
}  # fmt: skip


def changes(claim: dict, content: dict, how: Made) -> list[tuple[str, object]]:
    """Single conventions that the file leaves open and that differ, the likeliest first."""
    order = ("sides", "test", "interval_kind", "level", "weighted")
    return [
        (name, value) for name in order for value in left_open(content, claim, name)
        if value != getattr(how, name)
    ]  # fmt: skip


def mended(claim, content, chosen, items, how: Made, most) -> Verdict:
    """The verdict on items that the usual conventions do not have, or hardly."""
    open_ways = changes(claim, content, how)
    ways = []
    for size in (1, 2, 3):  # of three only what often stands together
        some = [c for c in open_ways if size < 3 or c[0] in ("sides", "test", "interval_kind")]
        for way in combinations(some, size) if not ways else ():
            other = how._replace(**dict(way))
            names = {name for name, _ in way}
            if len(names) == size and exists(items, other, most(items), roughly=True):
                ways.append(way)
    mends = [way_in_words(way, chosen, how, most(chosen)) for way in ways[:SHOWN_MENDS]]
    why = ratio_sentence(claim, chosen, how, most(chosen))
    proved = not exists(chosen, how, most(chosen))
    ids = tuple(item.id for item in chosen)
    if not mends:
        return Verdict(UNEXPLAINED, ids, why)
    given = tuple(given_of_ratio(chosen, how))
    return Verdict(CONDITIONAL, ids, why, given, tuple(mends), proved)


def way_in_words(way, items: list[Item], how: Made, most: float) -> str:
    """What would mend it, with the P that goes with it."""
    how = how._replace(**dict(way))
    words = " with ".join(MEND_WORDS[name](how) for name, _ in way)
    others = [item for item in items if item.part != "p"]
    of_p = {"sides", "test"} & {name for name, _ in way} and how.test != "likelihood_ratio"
    of_p = of_p and len(others) > 1
    if of_p and (ends := p_range(others, how, most)):
        words += f" ({between(*ends)})"
    return words


def given_of_ratio(items: list[Item], how: Made) -> list[str]:
    """What a contradiction of a ratio rests on."""
    parts, words = {item.part for item in items}, []
    if "p" in parts:
        side = "two" if how.sides == 2 else "one"
        words.append(f"the P is {side}-sided and of a {TESTS[how.test]} test of the same model")
    if {"low", "high"} & parts:
        level_free = {"ratio", "low", "high"} == parts and how.interval_kind == "wald"
        level = "" if level_free else f"{how.level:g}% "
        words.append(f"the limits are those of a {level}{KINDS[how.interval_kind]} interval")
    free = how.test == "wald" and how.interval_kind == "wald"
    if how.alone and not free:
        words.append("the model adjusts for nothing that the file does not name")
    if "events" in parts or {"ratio", "p"} == parts or {"low", "high"} == parts:
        words.append("it has no weights and no robust errors")
    return words


def between(low: float, high: float) -> str:
    low, high = (f"{v:.2g}" for v in (low, high))
    return f"P {low}" if low == high else f"P {low} to {high}"


def ratio_sentence(claim: dict, chosen: list[Item], how: Made, most: float) -> str:
    """Why the parts of a ratio contradict each other."""
    names = {"ratio": "ratio ", "low": "lower limit ", "high": "upper limit ", "p": ""}
    own = sorted((i for i in chosen if i.part in names), key=lambda i: list(names).index(i.part))
    values = {item.part: item for item in own}
    said = ", ".join(names[item.part] + item.text for item in own)
    said = said[0].upper() + said[1:]
    pair = [item for item in own if item.part != "p"]
    anyhow = how._replace(interval_kind="profile", test="log_rank", weighted=True, level=None)
    if not exists(pair, anyhow._replace(alone=False), math.inf):
        if "ratio" not in values:
            return f"{said}: the lower limit is above the upper one."
        return f"{said}: the ratio does not lie between its limits."
    if exists(own, how, math.inf, roughly=True) and most < math.inf:
        who = "events" if any(i.part == "events" for i in chosen) else "patients"
        return (f"{said}: the standard error of the log is too small, since {most:.0f} {who} at "
                f"most leave one of at least 2/sqrt({most:.0f}) = {2 / math.sqrt(most):.3f}."
                if most else f"{said}: without events there is no ratio.")  # fmt: skip
    if "p" in values and len(pair) > 1 and (ends := p_range(pair, how, most)):
        sides = "two" if how.sides == 2 else "one"
        ties = " where no two events share a time" if how.test == "log_rank" else ""
        return f"{said}: a {sides}-sided {TESTS[how.test]} test would give {between(*ends)}{ties}."
    if {"ratio", "low", "high"} <= set(values) and how.interval_kind == "wald":
        middle = [math.exp((values["low"][k] + values["high"][k]) / 2) for k in (2, 3)]
        return (f"{said}: a Wald interval has its ratio in the geometric middle of its limits, "
                f"{middle[0]:.3g} to {middle[1]:.3g}.")  # fmt: skip
    if "p" in values and {"low", "high"} & set(values):
        most_p = (100 - (how.level or LOWEST)) / (100 if how.sides == 2 else 200)
        return f"{said}: an interval that leaves out 1 goes with a P below {most_p:.3g}."
    return f"{said}: they do not go together."


def of_log_rank(content: dict, broken: set[str]) -> list[Verdict]:
    """Log-rank P far from what the unadjusted ratio of the same endpoint goes with; no proof, since
    ties, strata and covariates that the file does not name move either."""
    found = []
    for claim in content["claims"]:
        plain = claim["kind"] == "hazard_ratio" and not {"factor", "adjust", "harms"} & set(claim)
        if plain and claim.get("interval") and claim["id"] not in broken:
            for test in content["claims"]:
                same = test["kind"] == "log_rank" and test["endpoint"] == claim["endpoint"]
                if same and test.get("printed") is not None:
                    found += beside_log_rank(claim, test, content)
    return found


def beside_log_rank(claim: dict, test: dict, content: dict) -> list[Verdict]:
    """A ratio without its own P, and the P of a log-rank test."""
    if usual(content, claim, "stratified") or usual(content, test, "stratified"):
        return []
    both = {k: v for k, v in claim.items() if k not in ("p", "sides")} | {"test": "log_rank"}
    if (sides := told(content, test, "sides")) is not None:
        both["sides"] = sides
    items = [i for i in ratio_items(both, content) if i.part != "events"]
    text = str(test["printed"])
    items.append(Item(test["id"], "p", *limits(text, test.get("decimals")), p_text(text)))
    how, most = made(content, both), lambda chosen: most_events(claim, content, chosen)
    chosen = seldom(items, how, most)
    if not any(item.part == "p" for item in chosen):
        return []
    return [mended(both, content, chosen, items, how, most)]


def of_directions(printed: list[dict], content: dict) -> list[Verdict]:
    """Medians and a ratio whose interval leaves out 1 that favour different arms."""
    first, second = content["arms"]
    found = []
    for claim in printed:
        if claim["kind"] != "hazard_ratio" or "factor" in claim or not claim.get("interval"):
            continue
        own = {c.get("arm"): c for c in printed if c["kind"] == "median" and "factor" not in c
               and c["endpoint"] == claim["endpoint"]}  # fmt: skip
        if not {first, second} <= set(own):
            continue
        ends = [limits(str(text), claim.get("decimals")) for text in claim["interval"]]
        medians = [median_span(own[arm]) for arm in (first, second)]
        favours = (ends[1][1] < 1) - (ends[0][0] > 1)
        longer = (medians[0][0] > medians[1][1]) - (medians[1][0] > medians[0][1])
        if favours and longer and favours != longer:
            low, high = claim["interval"]
            better = first if favours > 0 else second
            why = (f"Ratio {claim['printed']} ({low} to {high}) favours {better}, whose median "
                   f"{own[better]['printed']} is the shorter one.")  # fmt: skip
            ids = (claim["id"], own[first]["id"], own[second]["id"])
            mends = ("a ratio or medians taken the other way round", "curves that cross")
            found.append(Verdict(UNEXPLAINED, ids, why, (), mends))
    return found


def median_span(claim: dict) -> tuple[float, float]:
    text = str(claim["printed"])
    return (math.inf, math.inf) if text == NOT_REACHED else limits(text, claim.get("decimals"))
