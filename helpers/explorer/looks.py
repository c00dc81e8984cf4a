"""How often one has looked: the tests of an interaction that were shown since the start.

One look is one interaction test shown; a forest of k tests is k looks. A test seen again is no new
chance of a false alarm, and the two sides of a split share one test, so neither counts twice.
"""

from hashlib import sha256

import numpy as np
import pandas as pd

from helpers.analysis import Answer
from helpers.cohort import Cohort
from helpers.estimators.splits import membership
from helpers.selection import inside_of
from helpers.view import View

# The only state that outlives a page: making a second page of the same cohort must not make the
# first one's looks undone. It ends with the process.
_SEEN: dict[str, set] = {}


class Looks:
    """The tests shown of one cohort, whatever page showed them."""

    def __init__(self, cohort: Cohort):
        rows = pd.util.hash_pandas_object(cohort.frame, index=False)
        self.tests = _SEEN.setdefault(f"{len(rows)}:{rows.sum():x}", set())

    def __len__(self) -> int:
        return len(self.tests)

    def see_answer(self, answer: Answer) -> int:
        """Count the interactions of an answer; returns how many were new."""
        if answer.interaction.empty:
            return 0
        *others, reference = answer.groups
        shown = answer.interaction["p_value"].notna()
        side = side_key(inside_of(answer.cohort, answer.view))
        pairs = [frozenset((name, reference)) if len(others) > 1 else None
                 for name, is_shown in zip(others, shown, strict=True) if is_shown]  # fmt: skip
        return self.add(answer.view, {(pair, side) for pair in pairs})

    def see_forest(self, cohort: Cohort, view: View, table: pd.DataFrame) -> int:
        """Count the interactions of a forest, of two groups; returns how many were new."""
        members = membership(cohort, table[table["interaction_p"].notna()])
        return self.add(view, {(None, side_key(side)) for side in members.T})

    def add(self, view: View, tests: set) -> int:
        about = (view.endpoint, view.compare, view.landmark, view.ties)
        before = len(self.tests)
        self.tests |= {(*about, *test) for test in tests}
        return len(self.tests) - before


def side_key(inside: np.ndarray) -> bytes:
    """A split as bytes, the same for both of its sides."""
    known = ~np.isnan(inside)
    first = inside[known][0] if known.any() else 1
    return sha256(np.where(known, inside == first, 2).astype(np.int8).tobytes()).digest()
