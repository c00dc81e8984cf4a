"""What the print pins down: the committed set of cohorts and the ranges found for it.

data/ensemble holds cohorts found by search (`helpers.rebuild`, `helpers.workshop.ensemble`) that
print every attainable number of the paper, and for each number that was not printed the lowest
and highest value that any of them shows. This module reads it, checks its sums, and gives tidy
frames in the units of the pages; it searches nothing.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.cohort import ROOT
from helpers.paper.unprinted import ARMS, ENDPOINTS, UNITS, unprinted
from helpers.sums import SUMS, checked_file

FOLDER = ROOT / "data" / "ensemble"
BASES = ("rules", "print")  # with the plausibility rules, and printed numbers alone
COLUMNS = ("pfs_time", "pfs_event", "os_time", "os_event", "ecog_3plus", "ipi_3plus")
CD20 = 54  # patients of the first-named arm stand first
MAKE = "To do: take data/ensemble from the repository, or make it: python -m helpers ensemble."


def is_there() -> bool:
    """Whether the set of cohorts is shipped with this copy."""
    return (FOLDER / SUMS).is_file()


@cache
def checked(name: str) -> Path:
    """A file of data/ensemble that is as it was written.

    Raises
    ------
    ValueError
        It is missing, not listed, or was changed after it was written.
    """
    return checked_file(FOLDER / name, folder="data/ensemble", make=MAKE)


def read(name: str) -> pd.DataFrame:
    """A table of data/ensemble, checked, on the scale of the search."""
    return pd.read_csv(checked(name))


@cache
def arrays(name: str) -> dict[str, np.ndarray]:
    """The cohorts of an .npz file: a (cohorts, 93) array for each of COLUMNS, and what else."""
    with np.load(checked(name)) as file:
        return {key: file[key] for key in file.files}


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """A table with a column per quantity, these in the units of the pages."""
    units = {n: UNITS[q.unit] for n, q in unprinted().items() if n in table}
    return table.assign(**{name: unit.show(table[name]) for name, unit in units.items()})


@cache
def ranges() -> pd.DataFrame:
    """The lowest and highest value found of each number that was not printed.

    Returns
    -------
    DataFrame
        Indexed by name, in the order of `unprinted`: endpoint, label, unit (percent, points,
        months, count, ratio, P); low, high (with the plausibility rules) and print_low,
        print_high (printed numbers alone), in that unit; witnesses and print_witnesses (cohorts
        looked through); seed, starts (members from which it was driven, each way), leapt (and
        cohorts with few or many events), relays (and again from the farthest cohort found).

    Notes
    -----
    Each end is the value of a cohort that exists (extremes.npz). A search can miss what lies
    beyond; it cannot overstate.
    """
    found = read("ranges.csv").set_index(["quantity", "basis", "end"])
    rows = []
    for name, q in unprinted().items():
        if (name, "rules", "low") not in found.index:
            continue
        row = {"name": name, "endpoint": q.endpoint, "label": q.label, "unit": q.unit}
        for basis, before in zip(BASES, ("", "print_"), strict=True):
            for end in ("low", "high"):
                value = found.at[(name, basis, end), "value"]
                row[before + end] = float(UNITS[q.unit].show(value))
            row[f"{before}witnesses"] = int(found.at[(name, basis, "low"), "witnesses"])
        about = found.loc[(name, "rules", "low")]
        rows.append(row | {k: int(about[k]) for k in ("seed", "starts", "leapt", "relays")})
    return pd.DataFrame(rows).set_index("name")


@cache
def severe_at_ends() -> pd.DataFrame:
    """How many patients have an ECOG of 3 or more in the cohorts that show the ends of `ranges`.

    Returns
    -------
    DataFrame
        One row per number, basis and end: name, basis, end, cd20 and noncart (patients).
    """
    found = read("ranges.csv")
    found = found[found["quantity"].isin(list(unprinted()))]
    flags = arrays("extremes.npz")["ecog_3plus"][found["cohort"]]
    return pd.DataFrame({
        "name": found["quantity"].to_numpy(), "basis": found["basis"].to_numpy(),
        "end": found["end"].to_numpy(),
        "cd20": flags[:, :CD20].sum(1), "noncart": flags[:, CD20:].sum(1),
    })  # fmt: skip


@cache
def bands() -> pd.DataFrame:
    """The lowest and highest survival found at days of the curves.

    Returns
    -------
    DataFrame
        endpoint, arm, time (days; 0 first), low, high (rules), print_low, print_high (0 to 1).
        Each point is a range of its own: no one curve need run along an edge.
    """
    found = read("ranges.csv")
    found = found[found["quantity"].str.startswith("curve ")]
    parts = found["quantity"].str.split(expand=True)
    found = found.assign(endpoint=parts[1], first=parts[2] == "1", time=parts[3].astype(float))
    rows = []
    for end in ENDPOINTS:
        for first, arm in zip((True, False), ARMS.values(), strict=True):
            mine = found[(found["endpoint"] == end) & (found["first"] == first)]
            wide = mine.pivot_table(index="time", columns=["basis", "end"], values="value")
            at = wide.reindex([0.0, *wide.index]).fillna({c: 1.0 for c in wide})
            names = {"low": ("rules", "low"), "high": ("rules", "high"),
                     "print_low": ("print", "low"), "print_high": ("print", "high")}  # fmt: skip
            values = {name: at[column] for name, column in names.items()}
            rows.append(pd.DataFrame({"endpoint": end, "arm": arm, **values}).reset_index())
    order = ["endpoint", "arm", "time", "low", "high", "print_low", "print_high"]
    return pd.concat(rows, ignore_index=True)[order]


@cache
def members() -> pd.DataFrame:
    """The cohorts found from scratch: how each was made and what it shows.

    Returns
    -------
    DataFrame
        Indexed by member: seed, attempt, tries, table (0 to 3, of `possible_tables`), reading,
        driven (along what, for every second one), one column per quantity in the unit of the
        page, ecog_high and ipi_high (patients of the CD20 CAR-T arm).
    """
    table = shown(read("members.csv").set_index("member"))
    rows = arrays("members.npz")
    sizes = {name: rows[f"{name}_3plus"][:, :CD20].sum(axis=1) for name in ("ecog", "ipi")}
    table = table.assign(**{f"{name}_high": size for name, size in sizes.items()})
    return table.fillna({"driven": "", "reading": "default"})


def member(number: int) -> dict:
    """One member as `helpers.rebuild.patients.cohort_frame` takes it."""
    rows = arrays("members.npz")
    about = members().loc[number, ["seed", "attempt", "table"]]
    return {c: rows[c][number].astype(int).tolist() for c in COLUMNS} | about.astype(int).to_dict()


def extreme(number: int) -> dict:
    """One of the cohorts that show an end of a range, with its response table."""
    rows = arrays("extremes.npz")
    return {c: rows[c][number].astype(int).tolist() for c in COLUMNS} | {
        "table": int(rows["table"][number])
    }


@cache
def witnesses(basis: str = "rules") -> pd.DataFrame:
    """Every cohort that anything found for a basis, a column per quantity in the page's unit.

    What keeps the rules also keeps the print, so those of "rules" are among those of "print".
    """
    table = shown(read("witnesses.csv"))
    kept = table[table["basis"] == basis]
    return kept[[name for name in unprinted() if name in kept]].reset_index(drop=True)


@cache
def added() -> pd.DataFrame:
    """Ranges searched for again, print and rules kept, with one more number printed.

    Returns
    -------
    DataFrame
        extra (a quantity), printed (its made-up text), target (the quantity whose range is asked
        for), low, high (with the extra number), low_without, high_without, all in the unit of the
        target; left (share of the width that is left, on the scale of the search, which is the
        log for ratios and P).

    Notes
    -----
    A cohort that prints one number more prints the others too. So where an addition was driven
    further than `ranges` with the rules, it widens the range without it.
    """
    table = read("added.csv")
    found = read("ranges.csv")
    found = found[found["basis"] == "rules"].set_index(["quantity", "end"])["value"]
    rows = []
    for target, part in table.groupby("target", sort=False):
        low = min(found[target, "low"], part["low"].min())
        high = max(found[target, "high"], part["high"].max())
        part = part.assign(low_without=low, high_without=high)
        part["left"] = (part["high"] - part["low"]) / (high - low)
        ends = ["low", "high", "low_without", "high_without"]
        part[ends] = UNITS[unprinted()[target].unit].show(part[ends])
        rows.append(part)
    return pd.concat(rows, ignore_index=True)


def readings() -> pd.DataFrame:
    """Readings under which cohorts were looked for in vain.

    Returns
    -------
    DataFrame
        reading, attempts, members (found), stages_solved (of the search, at best), nearest_miss
        (the loss left there, in units of a claim), claims_missed (their ids).
    """
    return read("readings.csv")


def narrowed(target: str, extra: str, value: float, half: float, basis: str = "rules"):
    """The range of a quantity among the cohorts found that would print one more number so.

    Parameters
    ----------
    target, extra : str
        Names of quantities.
    value, half : float
        The extra number and half a unit of its last printed digit, in the unit of the page.
    basis : str
        "rules" or "print".

    Returns
    -------
    (float, float, int)
        Low, high (NaN where no cohort found prints it) and the cohorts that do. Among those found
        only: a search aimed at the extra number can widen it.
    """
    table = witnesses(basis)
    kept = table.loc[(table[extra] - value).abs() <= half + 1e-12, target].dropna()
    return kept.min(), kept.max(), len(kept)
