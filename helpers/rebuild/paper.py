"""The paper's problem under its readings, with the choices that make members differ.

A *reading* is what the text leaves open (tie rule, covariates, endpoint, follow-up). A *design*
is what the print allows to differ: which of the four response tables, how many patients of the
CD20 arm had an ECOG of 3 or more.
"""

import copy
from functools import cache
from typing import NamedTuple

import numpy as np

from helpers.cohort import ROOT
from helpers.conventions import FIRST_RESPONSE
from helpers.paper.forensics import possible_tables
from helpers.paper.published import chosen
from helpers.rebuild import measure as m
from helpers.rebuild.claims import build, read_claims, with_claims
from helpers.rebuild.problem import Builder, Problem
from helpers.rebuild.state import State

CLAIMS = ROOT / "data" / "claims.yaml"
ECOG_SIZES = range(6, 14)  # begun with; below 6 the printed error cannot be; leaps reach up to 39
# The readings that change what the search must meet, by what `published.READINGS` calls them.
SEARCHED = ("tie rule", "adjustment covariates", "ECOG endpoint", "follow-up definition")
ADJUST = {"ECOG >= 3 and IPI >= 3": ["ecog_3plus", "ipi_3plus"], "ECOG >= 3": ["ecog_3plus"],
          "none": []}  # fmt: skip
# Readings under which members are looked for, and those under which none was found with the
# plausibility rules (data/ensemble/readings.csv says after how many attempts).
ALTERNATIVES = ({}, {"tie rule": "Breslow"}, {"ECOG endpoint": "OS"},
                {"follow-up definition": "survivors only"})  # fmt: skip
NOT_FOUND = ({"adjustment covariates": "ECOG >= 3"}, {"adjustment covariates": "none"})


class Table(NamedTuple):
    """One of the 2x2 tables of IPI and response that print the odds ratio and its interval."""

    ipi_high: int
    responders_high: int
    responders_low: int


@cache
def tables() -> tuple[Table, ...]:
    """The tables that `possible_tables` finds."""
    found = possible_tables()[list(Table._fields)]
    return tuple(Table(*map(int, row)) for row in found.itertuples(index=False))


@cache
def paper_claims() -> dict:
    """data/claims.yaml, read once."""
    return read_claims(CLAIMS)


def paper_problem(
    table: int, readings: dict[str, str] | None = None, *, ecog: int | None = None, extra=()
) -> Problem:
    """What a cohort must meet under a reading, with one response table.

    Parameters
    ----------
    table : int
        Index into `tables()`.
    readings : dict, optional
        Of SEARCHED, where not the default.
    ecog : int, optional
        Patients of the CD20 arm with an ECOG of 3 or more; left open without.
    extra : list of dict
        Further claims, as in a claims file.
    """
    content, choice = copy.deepcopy(with_claims(paper_claims(), extra)), chosen(readings)
    content["ties"] = choice["tie rule"].lower()
    for claim in content["claims"]:
        if claim["kind"] == "hazard_ratio" and "adjust" in claim:
            claim["adjust"] = ADJUST[choice["adjustment covariates"]]
        if claim["id"] == "ecog_hr":
            claim["endpoint"] = choice["ECOG endpoint"].lower()
        if claim["id"] == "followup" and choice["follow-up definition"] == "survivors only":
            claim["kind"] = "survivors_follow_up"
    builder = Builder(build(content), content["ties"])
    counts, arm = tables()[table], 1
    size = builder.group(arm, "ipi_3plus")
    builder.add("ipi_orr_or", "print", m.FLAGGED, m.CROSS, size, low=counts.ipi_high,
                high=counts.ipi_high)  # fmt: skip
    # Responders had not progressed when a response was first assessed. The day is assumed, so
    # this is a rule and no print.
    for value, least in ((1, counts.responders_high), (0, counts.responders_low)):
        builder.add(
            f"responders_{value}", "rule", m.AT_RISK, 0, builder.group(arm, "ipi_3plus", value),
            day=FIRST_RESPONSE + 1.0, low=least,
        )  # fmt: skip
    # One control was not evaluable: gone before a response could be assessed.
    builder.add("responders_control", "rule", m.AT_RISK, 0, builder.group(0),
                day=FIRST_RESPONSE + 1.0, low=3)  # fmt: skip
    builder.add("not_evaluable", "rule", m.AT_RISK, 1, builder.group(0),
                day=float(FIRST_RESPONSE), high=38)  # fmt: skip
    if ecog is not None:
        builder.add("n_ecog", "design", m.FLAGGED, m.CROSS, builder.group(arm, "ecog_3plus"),
                    low=ecog, high=ecog)  # fmt: skip
    return builder.done()


def first_endpoint(readings: dict[str, str] | None) -> int:
    """The endpoint the search begins with: that of the hardest claim, the ECOG ratio."""
    return 1 if chosen(readings)["ECOG endpoint"] == "OS" else 0


def drawn(rng, readings: dict[str, str] | None = None, *, extra=()):
    """A problem with a design drawn at random, and its table."""
    table = int(rng.integers(len(tables())))
    ecog = int(rng.choice(ECOG_SIZES))
    return paper_problem(table, readings, ecog=ecog, extra=extra), table


def as_member(state: State, **about) -> dict:
    """A state as lists by column, with what it is about."""
    columns = {
        "pfs_time": state.time[0], "pfs_event": state.event[0], "os_time": state.time[1],
        "os_event": state.event[1], "ecog_3plus": state.flag[0], "ipi_3plus": state.flag[1],
    }  # fmt: skip
    return {k: np.asarray(v).astype(int).tolist() for k, v in columns.items()} | about


def as_state(member) -> State:
    """The state of a member, or of any mapping of the same columns."""
    column = lambda *names: np.array([member[n] for n in names])  # noqa: E731
    return State(
        column("pfs_time", "os_time").astype(float), column("pfs_event", "os_event"),
        column("ecog_3plus", "ipi_3plus"),
    )  # fmt: skip
