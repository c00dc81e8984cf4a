"""The page on what the print pins down: its tables as text, its sentences and alt texts.

Ranges come from `helpers.paper.pinned`; a cohort's own values from `helpers.paper.unprinted`.
Every sentence that names a range ends in `CAVEAT`.
"""

import pandas as pd

from helpers.analysis import analyse
from helpers.cohort import Cohort
from helpers.conventions import DAYS_PER_MONTH
from helpers.pages.pinned_beside import CAVEAT as CAVEAT
from helpers.pages.pinned_beside import span
from helpers.paper import pinned
from helpers.paper.forensics import (
    counts_that_print,
    follow_up_bound,
    interval_against_p,
    month_lengths,
    possible_tables,
)
from helpers.paper.published import load_published
from helpers.paper.unprinted import UNITS, unprinted
from helpers.view import View
from helpers.words import plain

PRINT = "Computed from printed numbers alone."
SET = "Cohorts found by search, which print the same; none of their rows is a patient."
MADE_UP = "Made-up additions to the print, to show the method; none of them was printed."
ADDITION = "if this were printed too (made up)"


# --- arithmetic -------------------------------------------------------------------------------


def forensic_text() -> pd.DataFrame:
    """Five arguments that need no patient: what is asked, what was tried, what is left."""
    numbers = load_published().set_index("id")
    agree, months, bound = interval_against_p(), month_lengths(), follow_up_bound()
    per_month = months.groupby("month", sort=False)["whole_day"].apply(lambda d: d.notna().all())
    after, tables = bound.iloc[-1], possible_tables()
    percent = numbers.at["crs_g3", "value"]
    severe = counts_that_print(f"{percent}", range(40, 60))
    rows = [
        ("Do ratio, interval and P belong together?",
         f"{len(agree)} ratios, every value that rounds to the printed digits",
         f"{agree['agrees'].sum()} of {len(agree)} can"),
        ("Is a printed month a whole number of days?",
         f"{len(per_month)} lengths of a month",
         f"with {per_month.sum()} of the {len(per_month)} all printed times are"),
        (f"Can {numbers.at['followup', 'printed']} be the plain median of follow-up?",
         "n times one half bounds who is watched after a median",
         f"no: {after['most_watched']} of {after['patients']} at most are watched after "
         f"{after['months']:.2f} months"),
        ("Which tables print the odds ratio of IPI?",
         f"all 2x2 tables of {int(numbers.at['n_cd20', 'value'])} patients",
         f"{len(tables)}; overall response in {tables['response_rate'].min():.1%} to "
         f"{tables['response_rate'].max():.1%}"),
        (f"Of how many patients are {percent}%?",
         "all counts of 40 to 59 patients", f"{len(severe)} counts print it"),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["question", "tried", "left"])


# --- the set ----------------------------------------------------------------------------------


def read_making() -> str:
    """How many searches the set and its ranges were made from."""
    members, ranges = pinned.members(), pinned.ranges()
    driven = (members["driven"] != "").sum()
    first = ranges.iloc[0]
    again = {1: "once more", 2: "twice more"}.get(first["relays"], f"{first['relays']} times more")
    return (
        f"{len(members)} cohorts were found from scratch (seed {members['seed'].iloc[0]}; "
        f"{members['tries'].sum()} attempts), and {driven} of them then driven some way along "
        f"quantities drawn by lot. For the ranges, each of {len(ranges)} quantities was driven up "
        f"and down from {first['starts']} of them, with and without the rules, and {again} from "
        f"the farthest cohort found by anything until then. So every range looks at "
        f"{first['witnesses']} cohorts that keep print and rules, and {first['print_witnesses']} "
        "that keep the print; ends that an earlier search reached were checked again and kept."
    )


def several(column: pd.Series) -> str:
    """The values of a column with how many members have each."""
    return ", ".join(f"{value} ({count})" for value, count in
                     column.value_counts().sort_index().items())  # fmt: skip


def diversity_text() -> pd.DataFrame:
    """In what the members differ: fewest and most, or each value with its members."""
    found, tables = pinned.members(), possible_tables()
    responders = (tables["responders_high"] + tables["responders_low"]).astype(int)
    rows = [
        ("overall response of the 54, CD20 CAR-T (members)",
         several(found["table"].map(responders))),
        ("reading (members)", several(found["reading"])),
        ("ECOG of 3 or more, CD20 CAR-T, patients (members)", several(found["ecog_high"])),
    ]  # fmt: skip
    for name in ("pfs_events", "os_events", "os_12_cd20", "os_12_noncart", "pfs_ph", "os_ph"):
        q = unprinted()[name]
        ends = [UNITS[q.unit].text(v) for v in (found[name].min(), found[name].max())]
        rows.append((q.label, " to ".join(ends)))
    return pd.DataFrame(rows, columns=["in what they differ", "found"])


# --- ranges -----------------------------------------------------------------------------------


def ranges_text(own: pd.Series) -> pd.DataFrame:
    """Every range as a table: with the rules, by printed numbers alone, and one cohort's value."""
    rows = []
    for row in pinned.ranges().itertuples():
        rows.append((row.label, span(row.Index, basis="rules"), span(row.Index),
                     UNITS[row.unit].text(own[row.Index])))  # fmt: skip
    names = ["not printed", "print and rules", "printed numbers alone", "rows of this page"]
    return pd.DataFrame(rows, columns=names)


def outside(own: pd.Series) -> list[str]:
    """Quantities of a cohort that lie beyond what was found: the search has missed them."""
    table = pinned.ranges()
    slack = 1e-6 * table[["print_low", "print_high"]].abs().max(axis=1)
    mine = own[table.index]
    beyond = (mine < table["print_low"] - slack) | (mine > table["print_high"] + slack)
    return list(table.index[beyond])


def read_ranges(own: pd.Series) -> str:
    """The widest and the narrowest share, what changes its sign, and the caveat."""
    table = pinned.ranges()
    shares = table[table["unit"] == "percent"]
    width = (shares["print_high"] - shares["print_low"]).sort_values()
    first, last = (plain(shares.at[n, "label"]) for n in (width.index[0], width.index[-1]))
    said = [
        f"Of the shares, {first} is pinned down most ({span(width.index[0])}) and {last} least "
        f"({span(width.index[-1])})."
    ]
    neutral = table["unit"].map({"points": 0.0, "months": 0.0, "ratio": 1.0})
    open_ = table[(table["print_low"] < neutral) & (table["print_high"] > neutral)]
    told = ", ".join(plain(label) for label in open_["label"])
    said.append(
        f"The print leaves the direction open for {told}." if told else
        "The print settles the direction of every difference and ratio in the table."
    )  # fmt: skip
    missed = outside(own)
    if missed:
        names = ", ".join(plain(table.at[n, "label"]) for n in missed)
        said.append(f"The rows of this page lie beyond what the search reached for {names}.")
    return f"{' '.join(said)} {CAVEAT}"


def scaled_width(name: str, basis: str) -> float:
    """Width of a range on the scale of the search, which is the log for ratios and P."""
    row, before = pinned.ranges().loc[name], "print_" if basis == "print" else ""
    low, high = UNITS[row["unit"]].back([row[f"{before}low"], row[f"{before}high"]])
    return float(high - low)


def read_rules() -> str:
    """The hazard ratio that is pinned down most, and where the rules decide most."""
    table = pinned.ranges()
    width = {
        basis: pd.Series({name: scaled_width(name, basis) for name in table.index})
        for basis in pinned.BASES
    }
    known = width["print"][table["unit"] == "ratio"].idxmin()
    left = (width["rules"] / width["print"]).sort_values()
    most = ", ".join(f"{plain(table.at[n, 'label'])} ({span(n)}, with the rules "
                     f"{span(n, basis='rules')})" for n in left.index[:3])  # fmt: skip
    same = int((left > 0.98).sum())
    return (
        f"Of the hazard ratios, {plain(table.at[known, 'label'])} is pinned down most "
        f"({span(known)}). The rules decide most of {most}; for {same} of {len(left)} numbers they "
        f"change next to nothing. {CAVEAT}"
    )


def alt_ranges(own: pd.Series) -> str:
    """The figure of ranges, from its numbers."""
    parts = [
        f"{row.label}: {span(row.Index, basis='rules')} within {span(row.Index)}, mark at "
        f"{UNITS[row.unit].text(own[row.Index])}"
        for row in pinned.ranges().itertuples()
    ]
    return (
        "Two columns of horizontal bars, progression-free survival at the left and overall "
        f"survival at the right, a thick bar within each thin one. {'; '.join(parts)}."
    )


def width_of(name: str) -> float:
    """Width of a range by printed numbers alone, in the unit of the page."""
    row = pinned.ranges().loc[name]
    return float(row["print_high"] - row["print_low"])


# --- bands ------------------------------------------------------------------------------------


def own_curves(cohort: Cohort) -> pd.DataFrame:
    """The steps of a cohort: endpoint, arm, time (days), estimate (0 to 1)."""
    parts = []
    for end in ("pfs", "os"):
        curves = analyse(cohort, View(endpoint=end)).curves
        parts.append(curves.rename(columns={"group": "arm"}).assign(endpoint=end))
    return pd.concat(parts)[["endpoint", "arm", "time", "estimate"]]


def band_widths() -> pd.DataFrame:
    """Width of each band at each day, by printed numbers alone, in points."""
    table = pinned.bands()
    table = table[table["time"] > 0]
    return table.assign(width=100 * (table["print_high"] - table["print_low"]))


def read_bands() -> str:
    """Where the bands are narrowest and widest, and the caveat."""
    table = band_widths()
    said = []
    for (end, arm), part in table.groupby(["endpoint", "arm"], sort=False):
        least, most = part.loc[part["width"].idxmin()], part.loc[part["width"].idxmax()]
        texts = [f"{row['width']:.0f} points at {row['time'] / DAYS_PER_MONTH:.0f} months"
                 for row in (least, most)]  # fmt: skip
        said.append(f"{end.upper()}, {plain(arm)}: from {texts[0]} to {texts[1]} wide.")
    return f"{' '.join(said)} {CAVEAT}"


def alt_bands() -> str:
    """The figure of bands, from its numbers."""
    parts = []
    for (end, arm), part in pinned.bands().groupby(["endpoint", "arm"], sort=False):
        at = part[part["time"].isin([180.0, 360.0, 720.0])]
        texts = [f"day {r.time:.0f} {100 * r.print_low:.0f}% to {100 * r.print_high:.0f}%"
                 for r in at.itertuples()]  # fmt: skip
        parts.append(f"{end.upper()}, {arm}: {', '.join(texts)}")
    return (
        "Four panels of survival over months, a band in each that starts at 1 and widens, with "
        f"the step curve of one cohort inside. {'; '.join(parts)}."
    )


# --- one number more --------------------------------------------------------------------------


def added_rows(target: str) -> pd.DataFrame:
    """Additions for one target, the most telling first: label, and the ranges of `figure_added`."""
    table = pinned.added()
    table = table[table["target"] == target].sort_values("left", kind="stable")
    names = [f"{label(row.extra)}: {row.printed}" for row in table.itertuples()]
    unit = unprinted()[target].unit
    return table.assign(label=names, unit=unit).reset_index(drop=True)


def label(name: str) -> str:
    """What a quantity is called."""
    return unprinted()[name].label


def alt_added(target: str) -> str:
    """The figure of additions, from its numbers."""
    rows = added_text(target).to_dict("records")
    parts = [f"{row[ADDITION]}: {row['then']}, {row['width left']} of the width" for row in rows]
    before = rows[0]["as printed"] if rows else "unknown"
    return (
        f"Horizontal bars of the range of {label(target)}: thin ones from {before}, a thick one on "
        f"each for one more number printed. {'; '.join(parts)}."
    )


def targets() -> list[str]:
    """Quantities whose range was searched for with additions, in the order of the table."""
    known = set(pinned.added()["target"])
    return [name for name in unprinted() if name in known]


def most_moved() -> str:
    """The quantity whose range one addition narrows most."""
    table = pinned.added()
    return table.loc[table["left"].idxmin(), "target"]


def added_text(target: str | None = None, *, most: int | None = None) -> pd.DataFrame:
    """The range of each target, or of one, without and with one more number, made up; only the
    `most` telling additions of each if asked for."""
    rows = []
    for name in [target] if target else targets():
        unit = UNITS[unprinted()[name].unit]
        for row in added_rows(name).head(most or 99).itertuples():
            pairs = (row.low_without, row.high_without), (row.low, row.high)
            before, after = (" to ".join(map(unit.text, pair)) for pair in pairs)
            rows.append((label(name), row.label, before, after, f"{row.left:.0%}"))
    names = ["range of", ADDITION, "as printed", "then", "width left"]
    return pd.DataFrame(rows, columns=names)


def read_most(target: str) -> str:
    """Which made-up addition tells most about a target, and the caveat."""
    rows = added_rows(target)
    if rows.empty:
        return f"No addition was tried for {plain(label(target))}."
    best = rows.iloc[0]
    return (
        f"Of {len(rows)} made-up additions, {plain(best['label'])} would tell most about "
        f"{plain(label(target))}: {best['left']:.0%} of the width is left. {CAVEAT}"
    )
