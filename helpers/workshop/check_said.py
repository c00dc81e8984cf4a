"""Print what arithmetic says of a claims file, in three grades, and what the search looks for."""

import textwrap

from helpers.rebuild.claims import build
from helpers.rebuild.misses import claim_of
from helpers.rebuild.proofs import verdicts
from helpers.rebuild.searched import assumed, not_searched
from helpers.rebuild.stated import CONVENTIONS, told
from helpers.rebuild.verdicts import CONDITIONAL, IMPOSSIBLE, UNEXPLAINED

HEADS = {
    IMPOSSIBLE: "IMPOSSIBLE: no patients can have these numbers.",
    UNEXPLAINED: "NOT EXPLAINED: far from what any usual convention gives, but no proof.",
    CONDITIONAL: "DEPENDS ON A CONVENTION: contradictory under the usual one; another explains it.",
}
WIDTH = 100


def say_verdicts(content: dict) -> bool:
    """Print what arithmetic finds; whether something is impossible."""
    found = verdicts(content)
    if not found:
        print(f"{content['name']}: arithmetic finds no contradiction.\nThat does not prove the "
              "numbers right.\n", flush=True)  # fmt: skip
        return False
    print(f"{content['name']}: what arithmetic finds.\n")
    for grade, head in HEADS.items():
        own = [verdict for verdict in found if verdict.grade == grade]
        if own:
            print(head)
        for verdict in own:
            print(wrapped(f"{', '.join(verdict.ids)}: {verdict.text()}"))
    if open_names := [n for n in CONVENTIONS if told(content, {}, n) is None and not any(
            n in claim for claim in content["claims"])]:  # fmt: skip
        print(wrapped(f"Not stated in the file: {', '.join(open_names)}. What the paper says of "
                      "them makes the verdicts sharper.", "", ""))  # fmt: skip
    print("To do: compare these with the paper; a digit may be misread, or an assumption of ours "
          "wrong.\n", flush=True)  # fmt: skip
    return any(verdict.grade == IMPOSSIBLE for verdict in found)


def say_searched(content: dict) -> None:
    """Print what the search assumes, and which numbers it does not look for."""
    if taken := assumed(content):
        text = f"The search assumes, where the file does not say: {'; '.join(taken)}."
        print(wrapped(text, "", ""))
    left_out = not_searched(content)
    rows = {claim_of(row.id) for row in build(content).rows}
    for claim in content["claims"]:
        if claim["id"] not in rows and claim["id"] not in left_out:
            left_out[claim["id"]] = "only the middle of two days prints so"
    if left_out:
        shown = "; ".join(f"{name} ({why})" for name, why in left_out.items())
        print(wrapped(f"Not searched: {shown}.", "", ""))
    print(flush=True)


def wrapped(text: str, first: str = "  ", rest: str = "    ") -> str:
    return textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=rest)
