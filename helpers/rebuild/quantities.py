"""How the search measures and drives the numbers that were not printed."""

import math

from helpers.conventions import DAYS_PER_MONTH
from helpers.paper.unprinted import ENDPOINTS, HORIZON, LANDMARK, unprinted
from helpers.rebuild import measure as m
from helpers.rebuild.problem import Builder, Problem, Row

# By how much a number is driven at a time, on the scale of `measure`, by its unit.
STEPS = {"percent": 0.02, "points": 0.02, "months": 6.0, "count": 1.0, "ratio": 0.05, "P": 0.3}
WHOLE_STEP = 0.03  # of the ratio of all patients, which moves less than one of some


def goal(builder: Builder, name: str) -> Row:
    """The row that measures a quantity, without limits."""
    end, what, *rest = name.split("_")
    e = ENDPOINTS.index(end)
    step = WHOLE_STEP if what == "hr" and not rest else STEPS[unprinted()[name].unit]
    unit = step / 3
    make = lambda kind, where, **other: Row(  # noqa: E731
        name, "goal", kind, e, where, unit=unit, **other
    )
    if what in ("6", "12"):
        day = float(math.floor(int(what) * DAYS_PER_MONTH))
        if rest == ["diff"]:
            return make(m.DIFFERENCE, builder.group(1), other=builder.group(0), day=day)
        return make(m.SURVIVAL, builder.group(int(rest == ["cd20"])), day=day)
    if what == "rmst":
        return make(m.MEAN_DIFFERENCE, builder.group(1), other=builder.group(0),
                    day=float(HORIZON))  # fmt: skip
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
