"""The compiled annealer: single-patient moves until every claim holds.

A move changes the time, event or flag of one or two patients, keeps what must hold between
endpoints, and is accepted or taken back. The threshold of acceptance is drawn before the move is
measured, so that a bad move is dropped at the first claims that condemn it.
"""

import math

import numpy as np

from helpers.fit.compiled import fast, forget_when_older
from helpers.rebuild import cells, measure
from helpers.rebuild.measure import CROSS, code_patient, loss, resort

forget_when_older(__file__, measure.__file__, cells.__file__)

# Columns of `play` (endpoints x arms x these): the patients that may move, the mean days of a
# fresh draw, the share of events among fresh draws, the last day anybody is watched, the share of
# fresh censored draws that are watched to that day.
MAY, MEAN, EVENT_SHARE, LAST_DAY, TO_THE_END = range(5)
FIXED, SWAPPED, FREE = 0, 1, 2  # what may happen to a flag in an arm


@fast
def legal(i, linked, time, event):
    """Whether the last endpoint of patient i may go with the first: the first counts the last
    too (progression or death), so it is never later, and ends with it in the same way."""
    if not linked or time[1, i] > time[0, i]:
        return True
    return time[1, i] == time[0, i] and event[0, i] == event[1, i]


@fast
def fresh(e, i, n1, linked, play, time, event):
    """A new time and event for one patient; of the later endpoint, one after the earlier."""
    arm = 0 if i < n1 else 1
    mean, share, last = play[e, arm, MEAN], play[e, arm, EVENT_SHARE], play[e, arm, LAST_DAY]
    start = 0.0
    if linked and e == 1:
        start = time[0, i]
        if (
            start > 0 and np.random.random() < 0.3
        ):  # the same end: death was the progression, or nothing since
            time[1, i], event[1, i] = time[0, i], event[0, i]
            return
    if np.random.random() < share:
        days = start + math.floor(1 - math.log(1 - np.random.random()) * mean)
        time[e, i], event[e, i] = min(days, last), 1
    else:
        low = last
        if np.random.random() >= play[e, arm, TO_THE_END]:
            low = max(start, min(150.0, last / 4))
        time[e, i], event[e, i] = low + math.floor(np.random.random() * (last - low)), 0


@fast
def start(seed, e, n1, linked, play, time, event):
    """Fresh times for all patients of an endpoint that may move."""
    np.random.seed(seed)
    for i in range(time.shape[1]):
        if play[e, 0 if i < n1 else 1, MAY]:
            fresh(e, i, n1, linked, play, time, event)
            if not legal(i, linked, time, event):
                time[e, i], event[e, i] = time[1 - e, i], event[1 - e, i]


@fast
def settle(n1, groups, models, time, flag, order, inside, cell):
    """Fill `order`, `inside` and `cell` from the state."""
    for e in range(time.shape[0]):
        order[e] = np.argsort(-time[e])
    for i in range(time.shape[1]):
        code_patient(i, n1, groups, models, flag, inside, cell)


@fast
def take_back(first, beyond, i, j, time, event, old_time, old_event):
    """Put two patients back as they were."""
    for k in range(first, beyond):
        time[k, j], event[k, j] = old_time[k, 1], old_event[k, 1]
        time[k, i], event[k, i] = old_time[k, 0], old_event[k, 0]


@fast
def anneal(seed, steps, hot, cold, linked, play, loose, rows, limits, goal, n1, groups, models,
           time, event, flag, order, inside, cell):  # fmt: skip
    """Move patients until the loss is 0 or the steps are used up; the loss reached.

    With a goal, what is left is the state that came nearest to it with all other rows met.

    Parameters
    ----------
    hot, cold : float
        Loss that is accepted at the first and last step with odds of e to 1.
    play : (endpoints, 2, 5) array
        What may move, by endpoint and arm.
    loose : (flags, 2) array
        FIXED, SWAPPED (its number is kept) or FREE, by flag and arm.
    goal : int
        The row that is only approached, or -1. The state must meet all others at the start.
    """
    np.random.seed(seed)
    ends, n = time.shape
    beta, error = np.zeros((models.shape[0], 8)), np.zeros((models.shape[0], 8))
    old_time, old_event = np.zeros((ends, 2)), np.zeros((ends, 2), np.int64)
    part, fresh_part = np.zeros(ends + 1), np.zeros(ends + 1)  # the last: CROSS
    movable = 0
    for f in range(flag.shape[0]):
        movable += loose[f, 0] + loose[f, 1]
    free = np.zeros((ends, 2), np.bool_)
    for e in range(ends):
        for arm in range(2):
            free[e, arm] = play[e, arm, MAY] > 0
    rest = (models, time, event, order, inside, cell, beta, error)
    for k in range(ends + 1):
        part[k] = loss(rows, limits, k if k < ends else CROSS, np.inf, *rest)
    total = part.sum()
    nearest, kept_time, kept_event, kept_flag = total, time.copy(), event.copy(), flag.copy()
    for step in range(steps):
        if total == 0:
            break
        heat = hot * (cold / hot) ** (step / steps)
        e, i, move, f = np.random.randint(ends), np.random.randint(n), np.random.random(), 0
        flagged = movable > 0 and (move > 0.82 or not (free[e, 0] or free[e, 1]))
        if flagged:
            f = np.random.randint(flag.shape[0])
            if loose[f, 0] + loose[f, 1] == FIXED:
                continue
            while loose[f, 0 if i < n1 else 1] == FIXED:
                i = np.random.randint(n)
        else:
            if not (free[e, 0] or free[e, 1]):
                continue
            while not free[e, 0 if i < n1 else 1]:
                i = np.random.randint(n)
        arm = 0 if i < n1 else 1
        j = np.random.randint(n1) if arm == 0 else n1 + np.random.randint(n - n1)
        # Linked endpoints that are both free move together half of the time: a death ends both.
        first, beyond = e, e + 1
        if not flagged and linked and free[0, arm] and free[1, arm] and np.random.random() < 0.5:
            first, beyond = 0, ends
        for k in range(first, beyond):
            old_time[k, 0], old_time[k, 1] = time[k, i], time[k, j]
            old_event[k, 0], old_event[k, 1] = event[k, i], event[k, j]
        if flagged:
            flag_i, flag_j = flag[f, i], flag[f, j]
            if loose[f, arm] == FREE and np.random.random() < 0.5:
                j, flag_j = i, flag_i
                flag[f, i] = 1 - flag_i
            else:
                if flag_i == flag_j:
                    continue
                flag[f, i], flag[f, j] = flag_j, flag_i
            code_patient(i, n1, groups, models, flag, inside, cell)
            code_patient(j, n1, groups, models, flag, inside, cell)
        else:
            if move < 0.72:
                j = i
            # Days, from 1 to a tenth of the longest time: any scale of change is tried as often.
            width = 1.2 * max(1.0, play[e, arm, LAST_DAY] / 12) ** np.random.random()
            shift = math.floor(np.random.normal() * width + 0.5)
            for k in range(first, beyond):
                if move < 0.5:
                    time[k, i] = max(1.0, min(play[k, arm, LAST_DAY], time[k, i] + shift))
                elif move < 0.58:
                    event[k, i] = 1 - event[k, i]
                elif move < 0.72:
                    fresh(k, i, n1, linked, play, time, event)
                else:
                    time[k, i], event[k, i] = old_time[k, 1], old_event[k, 1]
                    time[k, j], event[k, j] = old_time[k, 0], old_event[k, 0]
            if not (legal(i, linked, time, event) and legal(j, linked, time, event)):
                take_back(first, beyond, i, j, time, event, old_time, old_event)
                continue
            for k in range(first, beyond):
                resort(order[k], time[k])
        enough = total - heat * math.log(1 - np.random.random())
        # The claims on an endpoint change with its own times, and all of them with flags.
        new = 0.0
        for k in range(ends):
            if not (flagged or first <= k < beyond):
                new += part[k]
        for t in range(ends + 1):
            k = ends if t == 0 else t - 1
            fresh_part[k] = part[k]
            if flagged or k == ends or first <= k < beyond:
                at = k if k < ends else CROSS
                fresh_part[k] = loss(rows, limits, at, enough - new, *rest)
                new += fresh_part[k]
                if new > enough:
                    break
        if new <= enough:
            total = new
            part[:] = fresh_part
            # All else is met when nothing is lost but the way to the goal.
            if goal >= 0 and total < nearest:
                at = rows[goal, measure.ENDPOINT]
                one = slice(goal, goal + 1)
                if loss(rows[one], limits[one], at, np.inf, *rest) == total:
                    nearest = total
                    kept_time[:], kept_event[:], kept_flag[:] = time, event, flag
        elif flagged:
            flag[f, j] = flag_j
            flag[f, i] = flag_i
            code_patient(i, n1, groups, models, flag, inside, cell)
            code_patient(j, n1, groups, models, flag, inside, cell)
        else:
            take_back(first, beyond, i, j, time, event, old_time, old_event)
            for k in range(first, beyond):
                resort(order[k], time[k])
    if goal >= 0:
        time[:], event[:], flag[:] = kept_time, kept_event, kept_flag
        return nearest
    return total
