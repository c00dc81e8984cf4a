"""Tidy frames of the published outcomes: rates, medians, strata, and which rows share patients.

Rows are never averaged, added up or ordered by their result: see `WHY_NOT_POOLED`. An interval is
computed only where the counts themselves are printed, and says that it is ours.
"""

import re

import pandas as pd

from helpers.fit.proportions import proportion_table
from helpers.paper.options import COUNTED, ENDPOINTS, GROUPS, TIME_ZEROS, overlap_rows

STUDY = "Xue, Front Oncol 2024"  # the study that this series is a companion to
OURS = "exact 95%, ours"
NO_LEVEL = "printed, level not stated"
WHY_NOT_POOLED = (
    "the rows share patients",
    "their clocks start at different events",
    "the patients were chosen for each option",
    "most print neither an interval nor a count",
)
ABOUT = ("row_id", "label", "option_group", "study", "n", "population", "tier", "link")


def outcomes(rows: pd.DataFrame) -> pd.DataFrame:
    """Every printed rate and median with its interval, one row each.

    Parameters
    ----------
    rows : DataFrame
        As `load_options` gives them, or some of them.

    Returns
    -------
    DataFrame
        row_id, label, option_group, study, n, population, tier, link; endpoint (orr, crr in
        percent; pfs, os in months); printed (as text); estimate; conf_low, conf_high (missing
        where not printed or not reached); interval ("printed 95%", "printed 90%", "printed, level
        not stated", "exact 95%, ours" or ""); limits (as text, a dash for one not printed);
        status ("", or "not reached" without an estimate); time_zero (of this endpoint; "not
        stated" for rates, which have none). In the order of
        option groups, then row_id: by no result.
    """
    found = []
    exact = exact_limits(rows)
    for row in rows.to_dict("records"):
        for endpoint, (value, low, high) in ENDPOINTS.items():
            status = "not reached" if endpoint == "os" and row["os_status"] == "not reached" else ""
            if pd.isna(row[value]) and not status:
                continue
            limits, interval = (row[low], row[high]), ""
            told = [row[f"{column}_printed"] or "–" for column in (low, high)]
            if pd.notna(row[low]) or pd.notna(row[high]):
                level = row["ci_level_pct"]
                interval = NO_LEVEL if pd.isna(level) else f"printed {level:.0f}%"
            elif (row["row_id"], endpoint) in exact:
                limits, interval = exact[row["row_id"], endpoint], OURS
                told = [f"{limit:.1f}" for limit in limits]
            covered = endpoint in row["time_zero_endpoints"].split("|")
            found.append(
                {name: row[name] for name in ABOUT}
                | {
                    "endpoint": endpoint,
                    "printed": row[f"{value}_printed"],
                    "estimate": row[value],
                    "conf_low": limits[0],
                    "conf_high": limits[1],
                    "interval": interval,
                    "limits": " to ".join(told) if interval else "",
                    "status": status,
                    "time_zero": row["time_zero"] if covered else "not stated",
                }
            )
    table = pd.DataFrame(found)
    order = table["option_group"].map(GROUPS.index)
    return table.assign(at=order).sort_values(["at", "row_id"], kind="stable").drop(columns="at")


def exact_limits(rows: pd.DataFrame) -> dict[tuple[int, str], tuple[float, float]]:
    """Clopper-Pearson 95% limits in percent, by row_id and endpoint, where counts are printed.

    References
    ----------
    Clopper and Pearson 1934, https://doi.org/10.1093/biomet/26.4.404
    """
    limits = {}
    for endpoint, column in COUNTED.items():
        counted = rows[rows[column].notna()]
        exact = proportion_table(counted[column], counted["evaluable_n"])
        for at in counted.index:
            pair = (100 * exact.at[at, "exact_low"], 100 * exact.at[at, "exact_high"])
            limits[int(rows.at[at, "row_id"]), endpoint] = pair
    return limits


def rates(rows: pd.DataFrame) -> pd.DataFrame:
    """The response rates among `outcomes`, in percent."""
    table = outcomes(rows)
    return table[table["endpoint"].isin(["orr", "crr"])]


def medians(rows: pd.DataFrame) -> pd.DataFrame:
    """The medians among `outcomes`, in months, in the order of the clocks."""
    table = outcomes(rows)
    table = table[table["endpoint"].isin(["pfs", "os"])]
    return table.sort_values("time_zero", key=lambda s: s.map(TIME_ZEROS.index), kind="stable")


def row_of(rows: pd.DataFrame, row_id: int) -> pd.Series:
    """The row of that number."""
    return rows.set_index("row_id", drop=False).loc[row_id]


def from_note(rows: pd.DataFrame, row_id: int, pattern: str) -> tuple[str, ...]:
    """What the groups of a pattern catch in the note of a row, as printed.

    Raises
    ------
    ValueError
        The note does not say that, so a sentence about it has no source.
    """
    found = re.search(pattern, row_of(rows, row_id)["row_note"])
    if not found:
        raise ValueError(
            f"row_note, row_id {row_id}: found nothing like {pattern!r}. To do: quote the note."
        )
    return found.groups()


def overlaps(rows: pd.DataFrame) -> pd.DataFrame:
    """Which rows are said to share patients with which.

    Returns
    -------
    DataFrame
        row_id, other, back (the other row names this one as well), words (the entry); one row per
        named pair. Entries that name no row ("meta-analysis") have a missing ``other``.
    """
    named = {row.row_id: overlap_rows(row.overlap) for row in rows.itertuples() if row.overlap}
    found = []
    for row_id, others in named.items():
        words = row_of(rows, row_id)["overlap"]
        for other in others or (None,):
            back = other is not None and row_id in named.get(other, ())
            found.append({"row_id": row_id, "other": other, "back": back, "words": words})
    return pd.DataFrame(found).astype({"other": "Int64"})


def printed_parts(rows: pd.DataFrame) -> pd.DataFrame:
    """How many rows print what: the gaps, counted.

    Returns
    -------
    DataFrame
        what, rows, of (rows asked).
    """
    # Not stated is no clock at all, and a count without a percentage does not occur.
    level = rows[[c for _, *limits in ENDPOINTS.values() for c in limits]].notna()
    endpoints = {"orr": "overall response", "crr": "complete response",
                 "pfs": "median PFS", "os": "median OS"}  # fmt: skip
    parts = {"number of patients": rows["n"].notna()}
    for name, label in endpoints.items():
        value, low, high = ENDPOINTS[name]
        parts[label] = rows[value].notna()
        parts[f"{label}, with an interval"] = level[low] | level[high]
        if name in COUNTED:
            parts[f"{label}, with its count"] = rows[COUNTED[name]].notna()
    parts["a median and the event its clock starts at"] = rows[
        ["median_pfs_months", "median_os_months"]
    ].notna().any(axis=1) & (rows["time_zero"] != "not stated")
    return pd.DataFrame(
        {"what": what, "rows": int(there.sum()), "of": len(rows)} for what, there in parts.items()
    )
