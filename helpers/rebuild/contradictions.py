"""Claims on counts and curves that break the laws of any cohort: the smallest sets of them, and
under which conventions they do."""

from collections.abc import Callable, Iterator

from helpers.paper.numbers import read_number
from helpers.rebuild.laws import SAID, Laws, Reading
from helpers.rebuild.stated import CONVENTIONS, MIDDLES, left_open, told, usual
from helpers.rebuild.verdicts import CONDITIONAL, IMPOSSIBLE, Verdict

SETS = 3  # contradictions of one file and grade that are told
MOST_MENDS = 3  # that are told
TIMES = (*MIDDLES, "rmst_difference")
MENDS = {
    "month": "months of {month} days",
    "whole_days": "times not in whole days, so that events fall on the very time asked about",
    "weighted": "weights or adjusted curves",
    "late_entry": "patients who enter late",
    "cut_off": "percentages cut off instead of rounded",
}
IFS = {
    "month": "a month is {month} days",
    "whole_days": "times are whole days",
    "weighted": "every patient counts as one (no weights, no adjusted curves)",
    "late_entry": "all patients are followed from time zero",
    "cut_off": "percentages are rounded",
}


def readings(content: dict) -> tuple[Reading, list[Reading], list[Reading]]:
    """The usual one; those with one convention changed; and the weakest, one for each month."""
    own = Reading(**{name: usual(content, {}, name) for name in Reading._fields[:-1]})
    claims = content["claims"]
    for name in ("weighted", "late_entry"):  # of one claim: of all that hang together with it
        some = getattr(own, name) or any(claim.get(name) for claim in claims)
        own = own._replace(**{name: some})
    if any(claim.get("whole_days") is False for claim in claims):
        own = own._replace(whole_days=False)
    other = {name: left_open(content, {}, name)[1:] for name in ("weighted", "late_entry")}
    other["whole_days"] = left_open(content, {}, "whole_days")[1:]
    other["cut_off"] = (True,)
    weakest = own._replace(**{name: value[0] for name, value in other.items() if value})
    months = left_open(content, {}, "month")
    alike = one_scale(content) and not weakest.whole_days  # then the length changes nothing
    changed = [own._replace(**{n: v}) for n, values in other.items() for v in values]
    changed += [own._replace(month=month) for month in months if month != own.month]
    months = months[:1] if alike else months
    return own, changed, [weakest._replace(month=month) for month in months]


def one_scale(content: dict) -> bool:
    """Whether all times are in months and years, or none is."""
    claims = content["claims"]
    texts = [c["at"] for c in claims if "at" in c]
    texts += [c["printed"] for c in claims if c["kind"] in TIMES and c.get("printed") is not None]
    units = {read_number(str(text), None, "time").unit for text in texts} - {""}
    units |= {content["time_unit"]}
    return units <= {"months", "years"} or not units & {"months", "years"}


def contradictory_counts(content: dict) -> list[Verdict]:
    """Irreducible sets of claims on counts and curves that contradict, each claim in one at most.

    Returns
    -------
    list of Verdict
        First those that contradict whatever the file leaves open.
    """
    own, changed, weakest = readings(content)
    usual_laws = Laws(content, own)
    ids = list(usual_laws.claims)
    if not usual_laws.broken(ids):
        return []
    laws = {reading: Laws(content, reading) for reading in {*changed, *weakest}} | {own: usual_laws}
    always = lambda names: all(laws[reading].broken(names) for reading in weakest)  # noqa: E731
    found = []
    for names in sets(ids, always):
        needed = stated_and_needed(content, names, weakest)
        given = [IFS[n].format(month=own.month) for n in needed]
        found.append(verdict_of(content, laws[weakest[0]], names, IMPOSSIBLE, given))
    ids = [i for i in ids if not any(i in verdict.ids for verdict in found)]
    for names in sets(ids, usual_laws.broken):
        mends = [r for r in changed if not laws[r].broken(ids)] or [
            r for r in changed if not laws[r].broken(names)
        ]
        differ = [next(n for n in Reading._fields if getattr(r, n) != getattr(own, n))
                  for r in mends] or list(Reading._fields)  # fmt: skip
        given = [IFS[n].format(month=own.month) for n in dict.fromkeys(differ)]
        words = [MENDS[n].format(month=r.month) for n, r in zip(differ, mends, strict=False)]
        words = words[:MOST_MENDS] or ["several other conventions together"]
        found.append(verdict_of(content, usual_laws, names, CONDITIONAL, given, words))
    return found


def stated_and_needed(content: dict, names: list[str], weakest: list[Reading]) -> list[str]:
    """Conventions that the file states and without which some claims would not contradict."""
    other = {"whole_days": (False,), "weighted": (True,), "late_entry": (True,),
             "month": CONVENTIONS["month"].choices}  # fmt: skip
    return [
        name for name, values in other.items() if told(content, {}, name) is not None
        and not all(Laws(content, weakest[0]._replace(**{name: v})).broken(names) for v in values)
    ]  # fmt: skip


def sets(ids: list[str], broken: Callable[[list[str]], bool]) -> Iterator[list[str]]:
    """Irreducible sets that are broken, each next one without some claim of those before."""
    rests, seen = [list(ids)], []
    while rests and len(seen) < SETS:
        rest = rests.pop(0)
        if not broken(rest):
            continue
        kept = min(deleted(rest, broken), deleted(rest[::-1], broken)[::-1], key=len)
        if kept not in seen:
            seen.append(kept)
            yield kept
        rests += [[i for i in rest if i != one] for one in kept]


def verdict_of(content, laws: Laws, names, grade: str, given=(), mends=()) -> Verdict:
    """A set in words, with the laws it breaks."""
    needed = deleted(sorted(SAID), lambda some: laws.broken(names, some))
    shown = {c["id"]: phrase(c) for c in content["claims"] if c["id"] in names}
    why = " and ".join(shown[i] for i in names)
    why += f", but {' and '.join(SAID[n] for n in needed)}." if needed else " exclude each other."
    return Verdict(grade, tuple(names), why[0].upper() + why[1:], tuple(given), tuple(mends))


def deleted(items: list, broken) -> list:
    """An irreducible set: halves, quarters and so on down to single items are dropped, as long as
    the rest contradict."""
    kept, size = list(items), len(items)
    while size > 1:
        size = (size + 1) // 2
        start = 0
        while start < len(kept):
            rest = kept[:start] + kept[start + size :]
            if broken(rest):
                kept = rest
            else:
                start += size
    return kept if len(kept) > 1 or not broken([]) else []


def phrase(claim: dict) -> str:
    """A claim in words."""
    at = f" at {claim['at']}" if "at" in claim else ""
    of = ", ".join(claim[key] for key in ("endpoint", "arm", "factor") if key in claim)
    kind = claim["kind"].replace("_", " ")
    return f"{kind} {claim['printed']}{at}" + (f" ({of})" if of else "")
