"""The page on what the print pins down: its tables as text, its sentences and alt texts.

Ranges come from `helpers.paper.pinned`; a cohort's own values from `helpers.paper.unprinted`.
Every sentence that names a range ends in `CAVEAT`.
"""

import pandas as pd

from helpers.pages import pinned_study
from helpers.pages.pinned_beside import CAVEAT as CAVEAT
from helpers.pages.pinned_beside import SAID, span
from helpers.pages.pinned_curves import room_bands
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
from helpers.words import plain

PRINT = "Computed from printed numbers alone."
SET = "Cohorts found by search, which print the same; none of their rows is a patient."
MADE_UP = "Made-up additions to the print, to show the method; none of them was printed."
ADDITION = "if this were printed too (made up)"
NEUTRAL = {"points": 0.0, "months": 0.0, "ratio": 1.0}  # where neither arm is better off


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
    return pd.DataFrame(rows, columns=["question", "tried", "answer"])


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
        f"and down from {first['starts']} of them with and without the rules, either way from "
        f"{first['leapt']} more in which few or many events had been asked for outright, and "
        f"{again} from the farthest cohort that any of these searches had reached. A cohort found "
        "for one quantity counts for all, so the ends of a range are those of "
        f"{first['witnesses']} cohorts that keep print and rules, and of "
        f"{first['print_witnesses']} that keep the print; ends that an earlier "
        "search reached were checked again and kept."
    )


def several(column: pd.Series) -> str:
    """The values of a column with how many members have each."""
    counts = column.value_counts().sort_index()
    return ", ".join(f"{value} ({count})" for value, count in counts.items())


def sizes(column: pd.Series) -> str:
    """The least and the greatest of many values, and how few and many members have one."""
    counts = column.value_counts()
    return f"{column.min()} to {column.max()} ({counts.min()} to {counts.max()} each)"


def diversity_text() -> pd.DataFrame:
    """In what the members differ: fewest and most, or each value with its members."""
    found, tables = pinned.members(), possible_tables()
    responders = (tables["responders_high"] + tables["responders_low"]).astype(int)
    rows = [
        ("overall response of the 54, CD20 CAR-T (members)",
         several(found["table"].map(responders))),
        ("reading (members)", several(found["reading"].replace("default", "as in the ledger"))),
        ("patients with an ECOG of 3 or more, CD20 CAR-T (members)", sizes(found["ecog_high"])),
    ]  # fmt: skip
    for name in ("pfs_events", "os_events", "os_12_cd20", "os_12_noncart", "pfs_ph", "os_ph"):
        q = unprinted()[name]
        ends = [UNITS[q.unit].text(v) for v in (found[name].min(), found[name].max())]
        rows.append((q.label, " to ".join(ends)))
    return pd.DataFrame(rows, columns=["in what they differ", "found"])


# --- ranges -----------------------------------------------------------------------------------


def ranges_text(own: pd.Series) -> pd.DataFrame:
    """Every range as a table: by printed numbers alone, with the rules, and one cohort's value."""
    rows = []
    for row in pinned.ranges().itertuples():
        rows.append((row.label, span(row.Index), span(row.Index, basis="rules"),
                     UNITS[row.unit].text(own[row.Index])))  # fmt: skip
    names = ["not printed", "printed numbers alone", "print and rules", "rows of this page"]
    return pd.DataFrame(rows, columns=names)


def outside(own: pd.Series) -> list[str]:
    """Quantities of a cohort that lie beyond what was found: the search has missed them."""
    table = pinned.ranges()
    slack = 1e-6 * table[["print_low", "print_high"]].abs().max(axis=1)
    mine = own[table.index]
    beyond = (mine < table["print_low"] - slack) | (mine > table["print_high"] + slack)
    return list(table.index[beyond])


def open_ways() -> pd.Series:
    """Of each difference and ratio: whether cohorts found with printed numbers alone show both
    directions."""
    table = pinned.ranges()
    table = table[table["unit"].isin(list(NEUTRAL))]
    neutral = table["unit"].map(NEUTRAL)
    return (table["print_low"] < neutral) & (table["print_high"] > neutral)


def told(names) -> str:
    """Labels one after the other; they hold commas themselves."""
    return "; ".join(plain(label(name)) for name in names)


def read_ranges(own: pd.Series) -> str:
    """Which differences and ratios have cohorts on both sides, and the caveat."""
    both = open_ways()
    said = [
        f"Thin bars cross the line of no difference for: {told(both.index[both])}." if both.any()
        else "No thin bar crosses the line of no difference."
    ]  # fmt: skip
    missed = outside(own)
    if missed:
        said.append(f"The rows of this page lie beyond what the search reached for {told(missed)}.")
    return f"{' '.join(said)} {CAVEAT}"


def ways_of_ranges() -> str:
    """How many differences and ratios may point either way."""
    both = open_ways()
    counts = both.groupby(pinned.ranges()["endpoint"][both.index], sort=False).agg(["sum", "size"])
    each = ", ".join(f"{row.Index.upper()} {row[1]} of {row[2]}" for row in counts.itertuples())
    return (
        f"Of {len(both)} differences and ratios, {both.sum()} point either way among cohorts that "
        f"print the same ({each}); for the other {(~both).sum()} no cohort was found that points "
        "the other way."
    )


def scaled_width(name: str, basis: str) -> float:
    """Width of a range on the scale of the search, which is the log for ratios and P."""
    row, before = pinned.ranges().loc[name], "print_" if basis == "print" else ""
    low, high = UNITS[row["unit"]].back([row[f"{before}low"], row[f"{before}high"]])
    return float(high - low)


def read_rules() -> str:
    """The hazard ratio with the narrowest range, and where the rules decide most."""
    table = pinned.ranges()
    width = {
        basis: pd.Series({name: scaled_width(name, basis) for name in table.index})
        for basis in pinned.BASES
    }
    known = width["print"][table["unit"] == "ratio"].idxmin()
    left = (width["rules"] / width["print"]).sort_values()
    # A P of 1e-20 instead of 1e-10 is another width and the same number in print.
    seen = [name for name in left.index if span(name) != span(name, basis="rules")]
    most = "; ".join(f"{plain(table.at[n, 'label'])} ({span(n)}, with the rules "
                     f"{span(n, basis='rules')})" for n in seen[:3])  # fmt: skip
    same = int((left > 0.98).sum())
    return (
        f"Of the hazard ratios, the narrowest range found is {span(known)} "
        f"({plain(table.at[known, 'label'])}). Of the ranges that print otherwise with the rules, "
        f"these are narrowed most: {most}. For {same} of {len(left)} numbers the rules change next "
        f"to nothing. {read_severe()}{CAVEAT}"
    )


def read_severe() -> str:
    """Which ends with the rules rest on a first arm most of whose patients are in poor condition,
    of which the rules say nothing."""
    ends = pinned.severe_at_ends().query("basis == 'rules'")
    most = ends[ends["cd20"] > pinned.CD20 / 2]
    if not len(most):
        return ""
    labels = pinned.ranges()["label"]
    which = "; ".join(f"{plain(labels[r.name])}, {r.end}" for r in most.itertuples(index=False))
    return (
        f"No rule speaks of ECOG in the CD20 CAR-T arm, and {len(most)} of {len(ends)} ends with "
        f"the rules are shown by cohorts in which {between(most['cd20'])} of its {pinned.CD20} "
        f"patients have an ECOG of 3 or more, against {between(most['noncart'])} in the other arm: "
        f"{which}. Without such cohorts these ends lie further in, some by little. "
    )


def between(counts: pd.Series) -> str:
    low, high = int(counts.min()), int(counts.max())
    return f"{low}" if low == high else f"{low} to {high}"


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
    parts = [f"{row[ADDITION]}: {row['with it']}, {row['width left']} of the width" for row in rows]
    before = rows[0]["without it"] if rows else "unknown"
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
        behind = SAID.get(unit.name, "")
        for row in added_rows(name).head(most or 99).itertuples():
            pairs = (row.low_without, row.high_without), (row.low, row.high)
            before, after = (" to ".join(map(unit.text, pair)) + behind for pair in pairs)
            rows.append((label(name), row.label, before, after, f"{row.left:.0%}"))
    names = ["range of", ADDITION, "without it", "with it", "width left"]
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


def room_added(target: str) -> str:
    """How differently one number more narrows a range."""
    rows = added_rows(target)
    if rows.empty:
        return "No addition was tried."
    return (
        f"Of made-up additions to the print, the most telling leaves {rows['left'].iloc[0]:.0%} of "
        f"the range of {plain(label(target))}, the least telling {rows['left'].iloc[-1]:.0%}."
    )


def read_short() -> str:
    """The answer of the page as a list: what each of its figures shows, and how far to trust it."""
    found = pinned_study.read_summary(briefly=True)
    lines = [room_bands(), ways_of_ranges(), room_added(most_moved()), found]
    return "\n".join(f"- {line}" for line in lines) + "\n\n"
