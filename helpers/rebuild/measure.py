"""What a set of rows prints, compiled: counts, curves, tests and Cox models of binary terms.

One claim is one row of numbers, and one function measures it. Own numerical code because the
search asks millions of times; every quantity is held equal to the functions of the pages by a
test. Times are whole days. Patients 0 to n1 - 1 are the first-named arm.

The state of a cohort is `time` and `event` (endpoints x n) and `flag` (flags x n, 0 or 1), and
what follows from them and is kept up to date: `order` (endpoints x n, latest first), `inside`
(groups x n, 0 or 1) and `cell` (models x n, which bits of a model's terms are 1; -1 for a patient
not in the model).
"""

import math

import numpy as np

from helpers.fit.compiled import fast, forget_when_older
from helpers.rebuild import cells
from helpers.rebuild.cells import fit, proportional, two_sided

forget_when_older(__file__, cells.__file__)

# Kinds of a claim. Columns of `rows`: kind, endpoint, group or model, term, which.
(FLAGGED, EVENTS, AT_RISK, CENSORED_BEFORE, UNWATCHED, SURVIVORS, MEDIAN, FOLLOW_UP, SURVIVAL,
 LEVEL, DIFFERENCE, MEAN_DIFFERENCE, LOG_RANK, LOG_RATIO, LOG_LOW, LOG_HIGH, WALD,
 PROPORTIONAL) = range(18)  # fmt: skip
FIRST_MODEL_KIND = LOG_RATIO
KIND, ENDPOINT, WHERE, TERM, OTHER = range(5)
CROSS = -1  # the endpoint of a claim that rests on several, or on none
# Columns of `limits`: the day asked about (of a limit of a ratio its quantile), the lowest and
# highest value that print so, the unit.
DAY, LOW, HIGH, UNIT = range(4)
# Columns of `groups`: arm (1 first-named, 0 the other, -1 both), flag (or -1) and its value.
# Columns of `models`: endpoint, group, bits of the terms (1 the arm, 2 the first flag, ...),
# Breslow (1) or Efron (0), landmark day (only patients still watched after it; -1 for none).
Z = 1.959963984540054
PLATEAU = 1e-6  # a curve this close to 0.5 runs level at it, where conventions differ
FAR = 2000.0  # the most that one claim can cost
UNKNOWN = 1e9  # what is not defined, such as a median that is not reached


@fast
def code_patient(i, n1, groups, models, flag, inside, cell):
    """Fill the groups and model cells of one patient."""
    for g in range(groups.shape[0]):
        arm, factor, value = groups[g, 0], groups[g, 1], groups[g, 2]
        own = arm < 0 or (i < n1) == (arm == 1)
        inside[g, i] = own and (factor < 0 or flag[factor, i] == value)
    for m in range(models.shape[0]):
        if not inside[models[m, 1], i]:
            cell[m, i] = -1
            continue
        bits, code, place = models[m, 2], 0, 0
        for b in range(flag.shape[0] + 1):
            if bits >> b & 1:
                value = (i < n1) if b == 0 else flag[b - 1, i] == 1
                if value:
                    code |= 1 << place
                place += 1
        cell[m, i] = code


@fast
def resort(order, time):
    """Insertion sort, latest first: nearly free when one patient moved."""
    for k in range(1, len(order)):
        i, at = order[k], k
        while at > 0 and time[order[at - 1]] < time[i]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = i


@fast
def half_day(order, time, event, happened, inside):
    """The day a group's Kaplan-Meier curve falls below one half; `happened` 0 turns it round.

    Negative when it runs level at one half before, UNKNOWN when it never gets there.
    """
    at_risk = inside.sum()
    survival, k = 1.0, len(order) - 1
    while k >= 0:
        now, dead, gone = time[order[k]], 0, 0
        while k >= 0 and time[order[k]] == now:
            i = order[k]
            if inside[i]:
                gone += 1
                dead += event[i] == happened
            k -= 1
        if dead:
            survival *= 1.0 - dead / at_risk
            if abs(survival - 0.5) < PLATEAU:
                return -now
            if survival < 0.5:
                return now
        at_risk -= gone
    return UNKNOWN


@fast
def middle_of_censored(order, time, event, inside):
    """Median time of the censored patients of a group; of two in the middle their mean."""
    censored = 0
    for i in range(len(order)):
        censored += inside[i] and event[i] == 0
    if censored == 0:
        return UNKNOWN
    seen, total = 0, 0.0
    for k in range(len(order)):
        i = order[k]
        if inside[i] and event[i] == 0:
            if seen == (censored - 1) // 2 or seen == censored // 2:
                total += time[i]
            seen += 1
    return total if censored % 2 else total / 2


@fast
def survival_at(order, time, event, inside, day):
    """Kaplan-Meier estimate after `day` and the area under the curve up to it; UNKNOWN beyond
    the last patient, unless the curve has reached zero."""
    at_risk = inside.sum()
    survival, area, before, last, k = 1.0, 0.0, 0.0, 0.0, len(order) - 1
    while k >= 0:
        now, dead, gone = time[order[k]], 0, 0
        while k >= 0 and time[order[k]] == now:
            i = order[k]
            if inside[i]:
                gone += 1
                dead += event[i]
            k -= 1
        if gone == 0:
            continue
        if now > day:
            last = now
            break
        area += survival * (now - before)
        before = last = now
        if dead:
            survival *= 1.0 - dead / at_risk
        at_risk -= gone
    if last < day and survival > 0:
        return UNKNOWN, UNKNOWN
    return survival, area + survival * max(0.0, day - before)


@fast
def final_level(order, time, event, inside):
    """Where a group's Kaplan-Meier curve ends: above one half, its median is not reached."""
    for k in range(len(order)):  # the latest first
        if inside[order[k]]:
            return survival_at(order, time, event, inside, time[order[k]])[0]
    return 1.0


@fast
def log_rank(order, time, event, cell):
    """Chi-squared of the two-group log-rank test: bit 0 of `cell` is the group."""
    n, n1, observed, expected, variance, k = 0.0, 0.0, 0.0, 0.0, 0.0, 0
    while k < len(order):
        now, dead, dead1 = time[order[k]], 0.0, 0.0
        while k < len(order) and time[order[k]] == now:
            i = order[k]
            if cell[i] >= 0:
                n += 1
                n1 += cell[i] & 1
                dead += event[i]
                dead1 += event[i] * (cell[i] & 1)
            k += 1
        if dead > 0:
            observed += dead1
            expected += dead * n1 / n
            if n > 1:
                variance += dead * (n1 / n) * (1 - n1 / n) * (n - dead) / (n - 1)
    return (observed - expected) ** 2 / variance if variance > 0 else 0.0


@fast
def measure(row, day, models, time, event, order, inside, cell, fitted, beta, error):
    """The value of one claim; `fitted` marks the models whose `beta` and `error` are current.

    Ratios and their limits are logs, P values logs of P, days days, UNKNOWN what is not defined.
    For limits of a ratio `day` is the normal quantile of their level, 0 for that of 95%.
    """
    kind, e, where = row[KIND], row[ENDPOINT], row[WHERE]
    if kind >= FIRST_MODEL_KIND:
        m = where
        e, bits = models[m, 0], models[m, 2]
        p = 0
        while bits:
            p += bits & 1
            bits >>= 1
        if fitted[m] == 0:
            known = fit(order[e], time[e], event[e], cell[m], models[m, 3] == 1, models[m, 4], p,
                        beta[m, :p], error[m, :p])  # fmt: skip
            fitted[m] = 1 if known else 2
        if fitted[m] == 2:
            return UNKNOWN
        b, s = beta[m, row[TERM]], error[m, row[TERM]]
        if kind == LOG_RATIO:
            return b
        z = day if day > 0 else Z
        if kind == LOG_LOW:
            return b - z * s
        if kind == LOG_HIGH:
            return b + z * s
        if kind == WALD:
            return math.log(two_sided(b / s))
        chi2 = proportional(order[e], time[e], event[e], cell[m], models[m, 3] == 1, b)
        return math.log(two_sided(math.sqrt(chi2)))
    if kind == LOG_RANK:
        return math.log(two_sided(math.sqrt(log_rank(order[e], time[e], event[e], cell[where]))))
    if kind in (DIFFERENCE, MEAN_DIFFERENCE):
        a = survival_at(order[e], time[e], event[e], inside[where], day)
        b = survival_at(order[e], time[e], event[e], inside[row[OTHER]], day)
        part = 0 if kind == DIFFERENCE else 1
        return UNKNOWN if max(a[part], b[part]) >= UNKNOWN else a[part] - b[part]
    group = inside[where]
    if kind in (MEDIAN, FOLLOW_UP):
        return half_day(order[e], time[e], event[e], int(kind == MEDIAN), group)
    if kind == SURVIVAL:
        return survival_at(order[e], time[e], event[e], group, day)[0]
    if kind == LEVEL:
        return final_level(order[e], time[e], event[e], group)
    if kind == SURVIVORS:
        return middle_of_censored(order[e], time[e], event[e], group)
    count = 0
    for i in range(time.shape[1]):
        if group[i]:
            if kind == FLAGGED:
                count += 1
            elif kind == EVENTS:
                count += event[e, i]
            elif kind == AT_RISK:
                count += time[e, i] >= day
            elif kind == CENSORED_BEFORE:
                count += event[e, i] == 0 and time[e, i] < day
            else:  # UNWATCHED: the first endpoint is censored while the second goes on
                count += event[0, i] == 0 and time[1, i] > time[0, i]
    return float(count)


@fast
def cost(value, kind, low, high, unit):
    """How far a value is from what prints so, in units; 0 if and only if it does."""
    extra = 0.0
    if (kind in (MEDIAN, FOLLOW_UP)) and value < 0:
        value, extra = -value, 3.0
    if value >= UNKNOWN:
        return FAR
    if value < low:
        return min(extra + (low - value) / unit, FAR)
    if value > high:
        return min(extra + (value - high) / unit, FAR)
    return extra


@fast
def loss(rows, limits, endpoint, enough, models, time, event, order, inside, cell, beta, error):
    """Sum of the costs of the claims on one endpoint; stops as soon as it is above `enough`."""
    fitted, total = np.zeros(models.shape[0], np.int64), 0.0
    for r in range(rows.shape[0]):
        if rows[r, ENDPOINT] != endpoint:
            continue
        value = measure(
            rows[r], limits[r, DAY], models, time, event, order, inside, cell, fitted, beta, error
        )
        total += cost(value, rows[r, KIND], limits[r, LOW], limits[r, HIGH], limits[r, UNIT])
        if total > enough:
            return total
    return total
