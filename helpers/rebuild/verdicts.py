"""What arithmetic says of printed numbers: one verdict for each contradiction, of three grades."""

from typing import NamedTuple

from helpers.labels import listed

IMPOSSIBLE = "impossible"  # whatever the conventions that the file leaves open
CONDITIONAL = "impossible if"  # or nearly so, under the usual conventions; another would mend it
UNEXPLAINED = "not explained"  # far from what any convention gives; no proof


class Verdict(NamedTuple):
    """Claims that contradict each other.

    Attributes
    ----------
    grade : str
        IMPOSSIBLE, CONDITIONAL or UNEXPLAINED.
    ids : tuple of str
        Of which none can be left out; parts of a ratio as id.low, id.high, id.p.
    why : str
        One sentence.
    given : tuple of str
        What it rests on: of a convention that the file states where it is impossible, else of
        those that are usual.
    mends : tuple of str
        What would explain it, the likeliest first.
    proved : bool
        False where it is only far from what the usual conventions give.
    """

    grade: str
    ids: tuple[str, ...]
    why: str
    given: tuple[str, ...] = ()
    mends: tuple[str, ...] = ()
    proved: bool = True

    def text(self) -> str:
        """The verdict in words."""
        parts = [self.why]
        if self.grade == IMPOSSIBLE:
            parts.append(f"Impossible, as the file states that {listed(self.given)}."
                         if self.given else "Impossible under every convention.")  # fmt: skip
        elif self.grade == CONDITIONAL:
            verdict = "Impossible" if self.proved else "Hardly possible"
            parts.append(f"{verdict} if {listed(self.given)}.")
            parts.append(f"Would be explained by {listed(self.mends, 'or')}.")
        elif self.mends:
            parts.append(f"Could be {listed(self.mends, 'or')}.")
        else:
            parts.append("No convention that the file leaves open explains it; that is no proof.")
        return " ".join(parts)
