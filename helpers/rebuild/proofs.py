"""What arithmetic alone says of printed numbers: impossible, impossible if, or not explained.

Three kinds of contradiction. *One number*: no count gives a percentage, no day a median. *A
ratio*: its limits, P and error (`helpers.rebuild.ratio_verdicts`). *Counts and curves*: laws that
hold in any cohort (`helpers.rebuild.laws`). All values that print so are allowed, edges too.
Impossible is only what contradicts whatever the file leaves open of `helpers.rebuild.stated`;
other contradictions say which conventions they rest on, and what would mend them. Each verdict
names a set of claims of which none can be left out.

A median of progression-free survival above that of overall survival is no contradiction where
patients are censored: the curves are estimated from different risk sets and may cross.
"""

import math

from helpers.paper.numbers import read_number
from helpers.rebuild.checking import NOT_REACHED, in_days
from helpers.rebuild.claims import count_limits, limits, time_limits
from helpers.rebuild.contradictions import contradictory_counts
from helpers.rebuild.laws import counts
from helpers.rebuild.ratio_verdicts import of_directions, of_log_rank, of_ratio
from helpers.rebuild.stated import (
    MIDDLES,
    days_of_units,
    left_open,
    month_days,
    size_of,
    told,
    usual,
)
from helpers.rebuild.verdicts import CONDITIONAL, IMPOSSIBLE, UNEXPLAINED, Verdict

ROUNDING = 1e-9
COUNTED = ("events", "at_risk", "censored_before", "patients", "unwatched")
ONE_EACH = "every patient counts as one"


def verdicts(content: dict) -> list[Verdict]:
    """Every contradiction found among the printed claims of a checked claims file.

    Returns
    -------
    list of Verdict
        Impossible first, then not explained, then impossible if.
    """
    printed = [c for c in content["claims"] if c.get("printed") is not None and not c.get("harms")]
    found = [v for c in printed if c["kind"] in COUNTED and (v := of_count(c, content))]
    found += of_days(printed, content)
    found += of_last_day(printed, content)
    broken = {id for verdict in found for id in verdict.ids}
    for claim in content["claims"]:
        if claim["kind"] == "hazard_ratio" and not claim.get("harms"):
            found += of_ratio(claim, content)
    found += of_log_rank(content, {id for verdict in found for id in verdict.ids})
    found += of_directions(printed, content)
    sound = [c for c in content["claims"] if c["id"] not in broken]
    found += contradictory_counts(content | {"claims": sound})
    return sorted(found, key=lambda v: (IMPOSSIBLE, UNEXPLAINED, CONDITIONAL).index(v.grade))


def proofs(content: dict) -> list[Verdict]:
    """Those that are impossible whatever the file leaves open."""
    return [verdict for verdict in verdicts(content) if verdict.grade == IMPOSSIBLE]


def of_count(claim: dict, content: dict) -> Verdict | None:
    """What no count of patients prints."""
    text, n = str(claim["printed"]).strip(), size_of(claim, content)
    first, last = count_limits(text, n)
    read = read_number(text, None, "count")
    share = read.share and f"{read.share}%"
    if last < first and read.unit == "%":
        why = f"No whole number of {n} patients is {text}."
        return of_all(claim, why, [other_counts(text, n)], n)
    if first > n:
        why = f"{text} is more than the {n} patients there are."
        weighted = told(content, claim, "weighted")
        if claim["kind"] == "at_risk" and weighted is not False:
            return Verdict(CONDITIONAL, (claim["id"],), why, (ONE_EACH,), ("weighted patients",))
        given = (ONE_EACH,) if claim["kind"] == "at_risk" else ()
        return Verdict(IMPOSSIBLE, (claim["id"],), why, given)
    if not share:
        return None
    total = read.total or n
    low, high = limits(share)
    if low - ROUNDING <= first / total <= high + ROUNDING:
        return None
    why = f"{first:.0f} of {total} patients is {100 * first / total:.4g}%, not {share}."
    if read.total:
        if low - ROUNDING <= first / total < high + (high - low) / 2:
            mend = "a percentage cut off instead of rounded"
            return Verdict(CONDITIONAL, (claim["id"],), why, ("it is rounded",), (mend,))
        return Verdict(IMPOSSIBLE, (claim["id"],), why)
    return of_all(claim, why, other_totals(first, share, total), total)


def of_all(claim: dict, why: str, mends: list[str], n: int) -> Verdict:
    """A percentage that is not of all patients, or not rounded; not explained without mends."""
    mends = tuple(m for m in mends if m)
    given = (f"the percentage is of all {n} patients", "it is rounded")
    grade = CONDITIONAL if mends else UNEXPLAINED
    return Verdict(grade, (claim["id"],), why, given if mends else (), mends)


def other_counts(text: str, n: int) -> str:
    """What gives a percentage: a count, cut off, or else one of fewer patients."""
    first, last = counts(text, n, cut_off=True)
    if first <= last:
        return f"{first:.0f} of {n} ({100 * first / n:.4g}%), cut off instead of rounded"
    for fewer in range(n - 1, n // 2, -1):
        first, last = count_limits(text, fewer)
        if first <= last:
            return f"{first:.0f} of {fewer} patients, {n - fewer} without the information"
    return ""


def other_totals(count: float, share: str, n: int) -> list[str]:
    """What gives a percentage of a known count: cut off, or of fewer patients."""
    low, high = limits(share)
    mends = []
    if low <= count / n < high + (high - low) / 2:
        mends.append(f"{100 * count / n:.4g}% cut off instead of rounded")
    for fewer in range(n - 1, max(int(count), 1) - 1, -1):
        if low - ROUNDING <= count / fewer <= high + ROUNDING:
            mends.append(f"{count:.0f} of {fewer} patients, {n - fewer} without the information")
            break
    return mends


def of_days(printed: list[dict], content: dict) -> list[Verdict]:
    """Medians that no day prints as, under one length of a month for the whole file."""
    claims = [c for c in printed if c["kind"] in MIDDLES and c["printed"] != NOT_REACHED
              and told(content, c, "whole_days") is not False]  # fmt: skip
    month = usual(content, {}, "month")
    bad = [c for c in claims if not on_a_day(c, content, month)]
    if not bad:
        return []
    units = {read_number(str(c["printed"])).unit or content["time_unit"] for c in bad}
    in_months = bool(units & {"months", "years"})
    shown = ", ".join(str(c["printed"]) for c in bad)
    days = f"{month_days(month):.6g} days"
    why = f"No day and no middle of two days prints as {shown}" + (
        f" in months of {days}." if in_months else "."
    )
    given, mends = ["times are whole days"], []
    if in_months:
        given.append(f"a month is {days}")
        others = [o for o in left_open(content, {}, "month") if o != month
                  and all(on_a_day(c, content, o) for c in claims)]  # fmt: skip
        if others:
            mends.append(f"months of {' or '.join(others)} days, which give every median here")
    ids = tuple(c["id"] for c in bad)
    if all(told(content, c, "whole_days") for c in bad):
        if not in_months or told(content, {}, "month") is not None:
            return [Verdict(IMPOSSIBLE, ids, why, tuple(given))]
    else:
        mends.append("times kept in fractions of a month" if in_months else "times between days")
    grade = CONDITIONAL if mends else UNEXPLAINED
    return [Verdict(grade, ids, why, tuple(given), tuple(mends))]


def days_printed(claim: dict, content: dict, month) -> tuple[float, float]:
    """The days that print so, in months of a length."""
    days = days_of_units(told(content, claim, "month") or month)
    return time_limits(str(claim["printed"]), content["time_unit"], claim.get("decimals"), days)


def on_a_day(claim: dict, content: dict, month) -> bool:
    """Whether a day prints so, or the middle of two days where a plateau may have its middle."""
    low, high = days_printed(claim, content, month)
    parts = 1 if told(content, claim, "plateau") == "first" else 2
    return math.isinf(high) or math.ceil(parts * low - 1e-6) <= parts * high + 1e-6


def of_last_day(printed: list[dict], content: dict) -> list[Verdict]:
    """Times beyond the last day of the file, or of its rules: whatever the length of a month."""
    rules = [r for r in content["rules"] if r["kind"] == "last_day"]
    ends = [("last_day", content["last_day"])] if "last_day" in content else []
    ends += [(rule["id"], rule["max"]) for rule in rules]
    months = left_open(content, {}, "month")
    found = []
    for claim in printed:
        days = [earliest(claim, content, month) for month in months]
        beyond = [end for end in ends if min(days) > end[1] + 1]
        if beyond:
            name, last = beyond[0]
            why = f"{claim['kind'].replace('_', ' ').capitalize()} {claim['printed']} ".rstrip()
            at = f" at {claim['at']}" if "at" in claim else ""
            why += f"{at} lies beyond day {last:g}, the last of follow-up ({name})."
            given = (f"nobody was followed beyond day {last:g}, as the file says",)
            ids = (claim["id"], name)
            found.append(Verdict(CONDITIONAL, ids, why, given, ("a later last day",)))
    return found


def earliest(claim: dict, content: dict, month) -> float:
    """The earliest day of which a claim needs somebody's follow-up."""
    units = days_of_units(told(content, claim, "month") or month)
    text = str(claim["printed"])
    if claim["kind"] in MIDDLES and text != NOT_REACHED:
        return days_printed(claim, content, month)[0]
    least = 0.0
    if claim["kind"] == "at_risk":
        least = count_limits(text, size_of(claim, content))[0]
    elif claim["kind"] == "survival":
        least = limits(text, claim.get("decimals"))[0]
    return in_days(claim["at"], content["time_unit"], units) if least > 0 else 0.0
