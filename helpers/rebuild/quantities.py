"""The numbers that were not printed and whose attainable range is asked for."""

import math
from typing import NamedTuple

from helpers.conventions import DAYS_PER_MONTH
from helpers.rebuild import measure as m
from helpers.rebuild.problem import Builder, Problem, Row

ENDPOINTS = ("pfs", "os")
LANDMARK = 91  # days, about three months


class Quantity(NamedTuple):
    """A number of a cohort: how it is called, shown and measured.

    unit: percent, points, months, count, ratio or P; step: by how much it is driven at a time,
    on the scale of `measure`.
    """

    name: str
    label: str
    unit: str
    step: float


def quantities() -> dict[str, Quantity]:
    """Every unprinted quantity by its name, in the order they are shown."""
    found = []
    for end in ENDPOINTS:
        up = end.upper()
        for months in (6, 12):
            for arm, name in (("cd20", "CD20 CAR-T"), ("noncart", "non-CAR-T")):
                label = f"{months}-month {up}, {name}"
                found.append(Quantity(f"{end}_{months}_{arm}", label, "percent", 0.02))
            label = f"{months}-month {up}, difference"
            found.append(Quantity(f"{end}_{months}_diff", label, "points", 0.02))
        found += [
            Quantity(f"{end}_rmst", f"{up}: mean time gained in 12 months", "months", 6.0),
            Quantity(f"{end}_events", f"{up}: events", "count", 1.0),
            Quantity(f"{end}_hr", f"{up}: unadjusted hazard ratio", "ratio", 0.03),
            Quantity(f"{end}_hr_ecog", f"{up}: hazard ratio within ECOG 0-2", "ratio", 0.05),
            Quantity(f"{end}_hr_landmark", f"{up}: hazard ratio from month 3 on", "ratio", 0.05),
            Quantity(f"{end}_ph", f"{up}: P of the test of proportional hazards", "P", 0.3),
        ]
    return {q.name: q for q in found}


def goal(builder: Builder, name: str) -> Row:
    """The row that measures a quantity, without limits."""
    end, what, *rest = name.split("_")
    e = ENDPOINTS.index(end)
    unit = quantities()[name].step / 3
    make = lambda kind, where, **other: Row(  # noqa: E731
        name, "goal", kind, e, where, unit=unit, **other
    )
    if what in ("6", "12"):
        day = float(math.floor(int(what) * DAYS_PER_MONTH))
        if rest == ["diff"]:
            return make(m.DIFFERENCE, builder.group(1), other=builder.group(0), day=day)
        return make(m.SURVIVAL, builder.group(int(rest == ["cd20"])), day=day)
    if what == "rmst":
        return make(m.MEAN_DIFFERENCE, builder.group(1), other=builder.group(0), day=365.0)
    if what == "events":
        return make(m.EVENTS, builder.group())
    if what == "ph":
        return make(m.PROPORTIONAL, builder.model(e, ["arm"]))
    group = builder.group(-1, "ecog_3plus", 0) if rest == ["ecog"] else builder.group()
    landmark = LANDMARK if rest == ["landmark"] else -1
    return make(m.LOG_RATIO, builder.model(e, ["arm"], group, landmark))


def survival_goal(builder: Builder, end: str, arm: int, day: float) -> Row:
    """The row that measures a point of a curve; arm 1 is the first-named."""
    return Row(f"{end}_{arm}_{day:g}", "goal", m.SURVIVAL, ENDPOINTS.index(end),
               builder.group(arm), day=day, unit=0.01)  # fmt: skip


def with_goals(problem: Problem, names, ties: str = "efron") -> tuple[Problem, list[Row]]:
    """A problem that knows the groups and models of these quantities, and their rows."""
    builder = Builder(problem, ties)
    rows = [goal(builder, name) for name in names]
    return builder.done(), rows
