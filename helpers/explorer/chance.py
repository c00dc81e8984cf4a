"""The nulls of the best of all splits: computed beside the page, kept as long as it lives."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from helpers.analysis import Answer
from helpers.cohort import Cohort
from helpers.estimators.nulls import SHUFFLES, bootstrap_maxima, offer, permutation_maxima
from helpers.estimators.splits import membership, splits
from helpers.explorer.background import Background
from helpers.explorer.honesty import Chance
from helpers.explorer.looks import side_key
from helpers.fit.likelihood import NotEstimable
from helpers.selection import inside_of
from helpers.view import View, ViewError

NOT_OFFERED = "this subgroup is not one of the splits on offer, so there is no model of it"


class Chances:
    """For the interaction of an answer: both nulls, as far as they have come."""

    def __init__(self, cohort: Cohort, seed: int, changed: Callable[[], None]):
        self.cohort, self.seed, self.changed = cohort, seed, changed
        self.work = Background()
        self.known: dict[tuple, Chance] = {}
        self.running: dict[str, tuple] = {}
        self.tables: dict[str, pd.DataFrame] = {}

    def of(self, answer: Answer) -> tuple[Chance, ...]:
        """What is known so far; work that is missing is begun."""
        if answer.interaction.empty or len(answer.groups) != 2:
            return ()
        view, found = answer.view, []
        about = (view.endpoint, view.compare, view.reference, view.landmark, view.ties)
        for kind in ("permutation", "bootstrap"):
            side = side_key(inside_of(self.cohort, view)) if kind == "bootstrap" else b""
            key = (kind, *about, side)
            known = self.known.get(key)
            settled = known and (known.why or len(known.maxima) >= known.wanted)
            if not settled and self.running.get(kind) != key:  # new, or stopped halfway
                self.known[key], self.running[kind] = Chance(kind, np.empty(0), SHUFFLES, 0), key
                self.work.start(kind, partial(maxima_of, self, kind, view), partial(self.got, key))
            found.append(self.known[key])
        return tuple(found)

    def got(self, key: tuple, piece) -> None:
        """A piece of a null came, or why there is none."""
        chance = self.known[key]
        if isinstance(piece, Exception):
            reason = str(piece) if isinstance(piece, NotEstimable | ViewError) else (
                f"it could not be computed ({type(piece).__name__})")  # fmt: skip
            self.known[key] = chance._replace(why=reason)
        else:
            offered, maxima = piece
            self.known[key] = chance._replace(
                maxima=np.concatenate([chance.maxima, maxima]), offered=offered
            )
        self.changed()

    def table(self, compare: str) -> pd.DataFrame:
        """The splits on offer, made once for a comparison."""
        if compare not in self.tables:
            self.tables[compare] = splits(self.cohort, compare=compare)
        return self.tables[compare]


def maxima_of(chances: Chances, kind: str, view: View):
    """Yield (splits on offer, maxima) of one null."""
    table = chances.table(view.compare)
    given = offer(chances.cohort, view, table=table)
    if kind == "permutation":
        pieces = permutation_maxima(given, seed=chances.seed)
    else:
        sides = membership(chances.cohort, table)
        own = side_key(inside_of(chances.cohort, view))
        rows = [k for k in np.flatnonzero(table["split"].notna()) if side_key(sides[:, k]) == own]
        if not rows:
            raise NotEstimable(NOT_OFFERED)
        split = int(table["split"].iloc[rows[0]])
        pieces = bootstrap_maxima(given, seed=chances.seed, split=split)
    for piece in pieces:
        yield len(given.splits), piece
