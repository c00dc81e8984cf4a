"""What may be shown of how few: every face of an answer asks here, and nowhere else.

A number that rests on a handful of events moves far with one patient, and its large-sample error
does not say so. What is withheld for that is withheld with all that rests on it.
"""

import numpy as np
import pandas as pd

from helpers.conventions import EVENT_FLOOR, EVENTS_PER_TERM, LARGEST_RATIO

BEYOND = "a ratio or limit is beyond 1,000 or below 1/1,000"


def few_events(events: dict[str, int], floor: int = EVENT_FLOOR) -> str:
    """Why a large-sample contrast of groups is withheld, or ''.

    Parameters
    ----------
    events : dict
        Group to its number of events.

    Examples
    --------
    >>> few_events({"A": 12, "B": 3})
    'events 3 in B, fewer than 5'
    """
    few = [f"{n} in {name}" for name, n in events.items() if n < floor]
    return f"events {' and '.join(few)}, fewer than {floor}" if few else ""


def many_terms(events: int, terms: int, per_term: float = EVENTS_PER_TERM) -> str:
    """Why a model with covariates is withheld, or ''.

    References
    ----------
    Vittinghoff and McCulloch 2007, https://doi.org/10.1093/aje/kwk052

    Examples
    --------
    >>> many_terms(17, 4)
    '17 events for 4 terms, fewer than 5 each'
    """
    if terms < 2 or events >= per_term * terms:
        return ""
    return f"{events} events for {terms} terms, fewer than {per_term:g} each"


def unstable(table: pd.DataFrame) -> np.ndarray:
    """Rows of a model on the log scale whose ratio or limits go beyond 1/1000 to 1000 (mask)."""
    values = table[["estimate", "conf_low", "conf_high"]].to_numpy(float)
    return (np.abs(values) > np.log(LARGEST_RATIO)).any(axis=1)


def needs_permutation(events: np.ndarray, expected: np.ndarray, floor: int = EVENT_FLOOR) -> bool:
    """Whether the chi-squared P of a log-rank test cannot be trusted: a group has, or would be
    expected to have, fewer events than the floor."""
    return bool(min(np.min(events), np.min(expected)) < floor)
