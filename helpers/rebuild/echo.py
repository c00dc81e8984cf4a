"""Each printed number of a claims file as it was read, in words, for the reader to compare."""

import pandas as pd

from helpers.paper.grammar import MISSING
from helpers.paper.numbers import Printed, read_number
from helpers.rebuild.stated import told
from helpers.rebuild.texts import as_printed, kind_of, read_text

NOT_USED = "not used"


def read_back(content: dict) -> pd.DataFrame:
    """Every claim of a checked claims file with its printed text and how it was read.

    Parameters
    ----------
    content : dict
        As `helpers.rebuild.claims.read_claims` returns it.

    Returns
    -------
    DataFrame
        id, kind, printed (as it was given; empty where the claim has bounds alone), read_as (in
        words).

    Examples
    --------
    >>> claim = {"id": "a", "kind": "log_rank", "endpoint": "os", "printed": "P < .001"}
    >>> read_back({"time_unit": "months", "claims": [claim]})["read_as"].to_list()
    ['P less than 0.001']
    """
    rows = [(claim["id"], claim["kind"], as_printed(claim), in_words(claim, content))
            for claim in content["claims"]]  # fmt: skip
    return pd.DataFrame(rows, columns=["id", "kind", "printed", "read_as"])


def in_words(claim: dict, content: dict) -> str:
    """A claim as it was read."""
    if claim.get("harms"):
        return "lower limit of the ratio above 1"
    if claim.get("printed") is None:
        bounds = [f"{name} {claim[key]:g}" for key, name in
                  (("min", "at least"), ("max", "at most")) if key in claim]  # fmt: skip
        return ", ".join(bounds) + ", as given"
    if claim["kind"] == "hazard_ratio":
        return ratio_words(claim, content)
    kind = kind_of(claim, "printed")
    read = read_number(as_printed(claim), claim.get("decimals"), kind)
    if kind == "P":
        return p_words(read, claim, content)
    if kind == "time" and not read.unit:
        read = read._replace(unit=content["time_unit"])
    if kind == "percentage" and not read.unit:
        return f"{read.words}, a share"
    said = f"{read.missing}, taken as not reached" if read.missing == MISSING[1] else ""
    said += f", {read.interval_words}" if said and read.interval else ""
    return (said or read.words) + (f" ({NOT_USED})" if read.interval else "")


def ratio_words(claim: dict, content: dict) -> str:
    """A hazard ratio with its interval and P."""
    said = [read_text(claim, "printed", str(claim["printed"])).words]
    if claim.get("interval"):
        ends = [read_text(claim, "interval", str(end)).number for end in claim["interval"]]
        level = told(content, claim, "level")
        said.append(f"{f'{level:g}% ' if level else ''}interval {' to '.join(ends)}")
    if "p" in claim:
        said.append(p_words(read_text(claim, "p", str(claim["p"])), claim, content))
    return ", ".join(said)


def p_words(read: Printed, claim: dict, content: dict) -> str:
    """A P, with its sides where they are stated."""
    return read._replace(label="P", sides=told(content, claim, "sides") or read.sides).words


def as_lines(table: pd.DataFrame) -> str:
    """The table as lines of a terminal, its columns aligned."""
    shown = table[["id", "printed", "read_as"]].rename(columns={"read_as": "read as"})
    columns = [[name, *shown[name]] for name in shown]
    widths = [max(map(len, column)) for column in columns]
    rows = zip(*columns, strict=True)
    return "\n".join("  ".join(t.ljust(w) for t, w in zip(r, widths, strict=True)).rstrip()
                     for r in rows)  # fmt: skip
