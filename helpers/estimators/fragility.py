"""Fragility: how many patients would have to differ before P crosses 0.05.

Of counts (Fisher's test), of survival (the log-rank test), and the cases that unevaluable patients
leave open. `CAVEAT` goes with every index shown.
"""

import numpy as np
import pandas as pd
from scipy.stats import norm

from helpers.conventions import CONFIDENCE
from helpers.fit.contrasts import fragility as fragility  # part of what this module offers
from helpers.fit.likelihood import NotEstimable
from helpers.fit.proportions import checked, response_p
from helpers.survival import compiled

ALPHA = 1 - CONFIDENCE
CAVEAT = (
    "A fragility index restates P and the number of patients in another unit: a small P in many "
    "patients has a large one. It says nothing about bias, and nobody proposes to move patients."
)
RULES = {
    "any": "the patient observed longest",
    "censored": "the patient observed longest among those without the event",
}
PATH_COLUMNS = ["moved", "row", "time", "event", "statistic", "p_value", "significant"]
INDEX_COLUMNS = [
    "rule", "better", "worse", "n", "n_event", "p_value", "index", "p_after", "note",
]  # fmt: skip


def count_fragility(x1: int, n1: int, x0: int, n0: int, *, alpha: float = ALPHA) -> pd.DataFrame:
    """Fisher's P as patients of the arm with the lower rate change, until it crosses alpha.

    A significant table: its non-responders become responders (`helpers.fit.contrasts.fragility`).
    One that is not: its responders become non-responders, which drives the arms apart.

    Parameters
    ----------
    x1, n1, x0, n0 : int
        Responders and patients in the arm of interest and in the reference.
    alpha : float

    Returns
    -------
    DataFrame
        added (responders, below 0 in the second direction), x1, n1, x0, n0, p_value, significant.
        The last row's `added` is the index, unless no change crosses alpha: then all rows have
        the `significant` of the first, and there is no index.

    Raises
    ------
    ValueError
        Counts that are not x of n.

    References
    ----------
    Walsh et al. 2014, https://doi.org/10.1016/j.jclinepi.2013.10.019
    Khan et al. 2020 (the reverse index), https://doi.org/10.1001/jamanetworkopen.2020.12469

    Examples
    --------
    >>> count_fragility(15, 54, 4, 38)[["added", "x0", "p_value"]].round(3)
       added  x0  p_value
    0      0   4    0.066
    1     -1   3    0.031
    """
    path = fragility(x1, n1, x0, n0, alpha=alpha)
    if len(path) > 1:
        return path
    lower = 0 if x1 * n0 >= x0 * n1 else 1
    rows = [tuple(path.iloc[0, :6])]
    for k in range(1, (x0, x1)[lower] + 1):
        counts = (x1 - k, n1, x0, n0) if lower else (x1, n1, x0 - k, n0)
        rows.append((-k, *counts, response_p("Fisher", *counts)))
        if rows[-1][-1] < alpha:
            break
    table = pd.DataFrame(rows, columns=["added", "x1", "n1", "x0", "n0", "p_value"])
    counted = dict.fromkeys(["added", "x1", "n1", "x0", "n0"], int)
    return table.astype(counted).assign(significant=table["p_value"] < alpha)


def unevaluable_table(
    x1: int, n1: int, x0: int, n0: int, *, unknown1: int = 0, unknown0: int = 0,
    alpha: float = ALPHA,
) -> pd.DataFrame:  # fmt: skip
    """Every way in which patients without an evaluable response may have responded.

    Parameters
    ----------
    x1, n1, x0, n0 : int
        Responders and evaluable patients in the arm of interest and in the reference.
    unknown1, unknown0 : int
        Patients of each arm who were not evaluable.
    alpha : float

    Returns
    -------
    DataFrame
        case ("evaluable patients", then "worst for the first arm" to "best for the first arm",
        "" between), more1, more0 (responders among the unevaluable), x1, n1, x0, n0,
        risk_difference (arm 1 minus arm 0), p_value (Fisher, two-sided), significant. The first
        row leaves them out, which is what evaluable means; the others are in order of the
        difference.

    Raises
    ------
    ValueError
        Counts that are not x of n.

    References
    ----------
    Hollis 2002 (best and worst cases), https://doi.org/10.1002/sim.1276

    Examples
    --------
    >>> table = unevaluable_table(15, 54, 3, 38, unknown0=1)
    >>> table[["case", "x0", "n0", "p_value"]].round(3)
                          case  x0  n0  p_value
    0       evaluable patients   3  38    0.031
    1  worst for the first arm   4  39    0.066
    2   best for the first arm   3  39    0.018
    """
    checked(x1=x1, n1=n1, x0=x0, n0=n0)
    cells = [(0, 0, x1, n1, x0, n0)]
    for more1 in range(unknown1 + 1):
        cells += [
            (more1, more0, x1 + more1, n1 + unknown1, x0 + more0, n0 + unknown0)
            for more0 in range(unknown0 + 1)
        ]
    names = ["more1", "more0", "x1", "n1", "x0", "n0"]
    table = pd.DataFrame(cells, columns=names)
    if not unknown1 and not unknown0:
        table = table.iloc[:1]
    table["risk_difference"] = table["x1"] / table["n1"] - table["x0"] / table["n0"]
    table["p_value"] = [response_p("Fisher", *row) for row in table[names[2:]].to_numpy()]
    table["significant"] = table["p_value"] < alpha
    rest = table.iloc[1:].sort_values("risk_difference", kind="stable")
    table = pd.concat([table.iloc[:1], rest], ignore_index=True)
    case = ["evaluable patients", *[""] * (len(table) - 1)]
    if len(table) > 1:
        case[1], case[-1] = "worst for the first arm", "best for the first arm"
    table.insert(0, "case", case)
    return table


def signed_logrank(time: np.ndarray, event: np.ndarray, arm: np.ndarray) -> float:
    """Log-rank z of two arms: squared it is the chi-squared; above 0 when arm 1 has more events.

    Parameters
    ----------
    time, event, arm : (n,) arrays
        Days, *latest first*; 1 event, 0 censored; 1 or 0, both whole numbers.

    Returns
    -------
    float
        NaN when the arms are never at risk together at an event.
    """
    difference, variance = np.zeros(2), np.zeros((2, 2))
    compiled("fast").scores(time, event, arm, difference, variance)
    if not variance[1, 1] > 0:
        return np.nan
    return float(difference[1] / np.sqrt(variance[1, 1]))


def latest_first(
    frame: pd.DataFrame, time: str, event: str, group: str, reference: str
) -> tuple[np.ndarray, ...]:
    """Time, event, arm (1 compared, 0 reference) and position of each patient, latest first.

    Of patients with one time those without the event come first: they were seen free of it then.
    Patients without a value are left out.

    Raises
    ------
    NotEstimable
        Not two groups, or no event.
    """
    known = frame[[time, event, group]].notna().all(axis=1).to_numpy()
    labels = frame[group].astype(str).to_numpy()
    names = sorted(set(labels[known]))
    if len(names) != 2 or str(reference) not in names:
        raise NotEstimable(
            f"{group}: found groups {', '.join(names)}; give two, of which {reference!r} is one"
        )
    position = np.flatnonzero(known)
    day = frame[time].to_numpy(float)[position]
    happened = (frame[event].to_numpy()[position] == 1).astype(np.int64)
    if not happened.any():
        raise NotEstimable(f"{event}: no patient had an event, so nothing is compared")
    order = np.lexsort((position, happened, -day))
    arm = (labels[position] != str(reference)).astype(np.int64)
    return day[order], happened[order], arm[order], position[order]


def survival_fragility(
    frame: pd.DataFrame, *, time: str, event: str, group: str, reference: str,
    rule: str = "any", alpha: float = ALPHA,
) -> pd.DataFrame:  # fmt: skip
    """Log-rank P as the longest survivors change arms, until it crosses alpha.

    The better arm is the one with fewer events than the log-rank test expects. Significant: its
    patient observed longest moves to the worse arm, with time and event as they are; then the
    next; until P is alpha or more. Not significant: the worse arm's patient observed longest moves
    to the better arm, until P is below alpha (the negative index).

    Parameters
    ----------
    frame : DataFrame
        One row per patient; those without a time, event or group are left out.
    time, event, group : str
        Days, event (1 event, 0 censored), a column with two groups.
    reference : str
        One of the groups; which of them changes no number.
    rule : str
        any, or censored: only patients without the event are moved.
    alpha : float

    Returns
    -------
    DataFrame
        moved (patients so far), row (position in `frame`, from 0; never an id), time, event (of
        the one moved last), statistic (log-rank z, below 0 while the better arm is better),
        p_value (two-sided), significant. The first row moves nobody. Where the last row is as
        significant as the first, nobody is left to move, or as many were moved as the smaller arm
        had patients, and there is no index.

    Raises
    ------
    NotEstimable
        Not two groups, no event, or arms that are never at risk together.
    ValueError
        An unknown rule.

    Notes
    -----
    Ties: of patients with the same longest time one without the event goes first; patients alike
    in both are interchangeable, and the first in the file goes. Bomze's own code takes the last in
    the file whatever the event. The unadjusted, unstratified log-rank test is used whatever the
    analysis of the study was. The index hangs on the few longest observed, so on when follow-up
    ended: Couturier et al. advise against it as a measure of robustness.

    References
    ----------
    Bomze et al. 2020, https://doi.org/10.1001/jamanetworkopen.2020.17675
    Couturier et al. 2025, https://doi.org/10.1016/j.cct.2025.107906

    Examples
    --------
    >>> eight = pd.DataFrame({"day": range(1, 9), "event": [1, 1, 1, 1, 1, 1, 0, 0],
    ...                       "arm": list("bbbbaaaa")})
    >>> survival_fragility(eight, time="day", event="event", group="arm", reference="b").round(3)[
    ...     ["moved", "row", "statistic", "p_value"]]
       moved   row  statistic  p_value
    0      0  <NA>     -2.710    0.007
    1      1     7     -1.124    0.261
    """
    if rule not in RULES:
        raise ValueError(f"rule: found {rule!r}. To do: use {' or '.join(RULES)}.")
    day, happened, arm, position = latest_first(frame, time, event, group, reference)
    moves = moves_until(day, happened, arm, rule=rule, alpha=alpha)
    if not moves:
        raise NotEstimable(f"{group}: the two groups are never at risk together at an event")
    path = [(0, pd.NA, np.nan, np.nan, moves[0][1])]
    path += [(k, position[who], day[who], happened[who], z)
             for k, (who, z) in enumerate(moves[1:], start=1)]  # fmt: skip
    table = pd.DataFrame(path, columns=PATH_COLUMNS[:5])
    table["p_value"] = two_sided(table["statistic"].to_numpy())
    table["significant"] = table["p_value"] < alpha
    return table.astype({"row": "Int64", "event": "Int64"})


def moves_until(
    day: np.ndarray, happened: np.ndarray, arm: np.ndarray, *, rule: str, alpha: float = ALPHA
) -> list[tuple[int | None, float]]:
    """Place of whom `survival_fragility` moves (first None: nobody) and log-rank z after it.

    Arrays are sorted latest first; z is below 0 while the better arm is better. Empty where the
    arms are never at risk together at an event.
    """
    z = signed_logrank(day, happened, arm)
    if np.isnan(z):
        return []
    better, sign = int(z < 0), 1 if z < 0 else -1  # better: fewer events than expected
    moves, significant = [(None, sign * z)], two_sided(z) < alpha
    giver = better if significant else 1 - better
    movable = (arm == giver) & ((happened == 0) | (rule == "any"))
    now = arm.copy()
    for who in np.flatnonzero(movable)[: np.bincount(arm).min()]:
        now[who] = 1 - giver
        z = signed_logrank(day, happened, now)
        moves.append((who, sign * z))
        if (two_sided(z) < alpha) != significant:
            break
    return moves


def two_sided(z):
    """P of a z; 1 where the arms are no longer at risk together, for nothing is told apart."""
    return np.nan_to_num(2 * norm.sf(np.abs(z)), nan=1.0)


def fragility_index(
    frame: pd.DataFrame, *, time: str, event: str, group: str, reference: str,
    alpha: float = ALPHA,
) -> pd.DataFrame:  # fmt: skip
    """The survival-inferred fragility index, a row per rule.

    Parameters
    ----------
    frame, time, event, group, reference, alpha
        As in `survival_fragility`.

    Returns
    -------
    DataFrame
        rule (a key of RULES), better, worse (group names), n, n_event, p_value (log-rank), index
        (patients moved from the better to the worse arm; below 0 when the test is not significant:
        moved from the worse to the better; missing where no number does it), p_after, note.

    Raises
    ------
    NotEstimable
        As `survival_fragility`.
    """
    day, happened, arm, position = latest_first(frame, time, event, group, reference)
    names = [str(reference), str(frame[group].iloc[position[np.argmax(arm)]])]
    better = int(signed_logrank(day, happened, arm) < 0)
    rows = []
    for rule in RULES:
        path = survival_fragility(frame, time=time, event=event, group=group,
                                  reference=reference, rule=rule, alpha=alpha)  # fmt: skip
        first, last = path.iloc[0], path.iloc[-1]
        crossed = first["significant"] != last["significant"]
        index = (1 if first["significant"] else -1) * last["moved"] if crossed else pd.NA
        many = "" if last["moved"] == 1 else "s"
        note = "" if crossed else f"moving {last['moved']} patient{many} does not cross {alpha:g}"
        rows.append((rule, names[better], names[1 - better], len(day), int(happened.sum()),
                     first["p_value"], index, last["p_value"], note))  # fmt: skip
    return pd.DataFrame(rows, columns=INDEX_COLUMNS).astype({"index": "Int64"})
