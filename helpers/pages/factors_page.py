"""What the page on factors shows: tables as text, sentences, captions and alt texts.

Who is asked and the screens are in `helpers.pages.factors_asked`, what the print allows in
`helpers.pages.factors_print`; both are offered here too.
"""

import numpy as np
import pandas as pd

from helpers.estimators.factors import adjust_p
from helpers.labels import counted, covariate, verb
from helpers.pages.describe import EVIDENCE, INVENTED
from helpers.pages.factors_asked import (
    ALPHA,
    Asked,
    ask,
    by_chance,
    every_cut,
    interactions,
    panels,
    patients,
    ranks,
    response_screen,
    rests_on,
    shrinkage,
    smallest,
    survival_screen,
    tested,
    ways,
)
from helpers.pages.factors_print import (
    agreement_text,
    alt_tables,
    endpoints_text,
    estimate,
    readings_text,
    tables_text,
)
from helpers.plots.screens import figure_ranks, figure_screens, figure_shrinkage, figure_tables
from helpers.view import cut, level_text
from helpers.words import NOT_DEFINED, bare_p, number, p_value, percent, plain, quoted, ratio

__all__ = [
    "agreement_text", "alt_tables", "ask", "by_chance", "endpoints_text", "every_cut",
    "figure_ranks", "figure_screens", "figure_shrinkage", "figure_tables", "interactions",
    "panels", "ranks", "readings_text", "response_screen", "rests_on", "shrinkage", "smallest",
    "survival_screen", "tables_text", "tested", "ways",
]  # fmt: skip

NO_FACTORS = "This cohort has no column that is known at the start, so there is no factor to ask."
NO_TESTS = "No factor known at the start has an estimate here, so there is no P."


def factors_text(asked: Asked) -> pd.DataFrame:
    """The factors, how each is grouped, patients of the first arm, and what the values are."""
    if not asked.factors:
        return pd.DataFrame({"note": [NO_FACTORS]})
    frame, rows = patients(asked, arm=asked.arm), []
    for name, column in asked.factors.items():
        counts = level_text(frame[name]).value_counts().sort_index(ascending=bool(not cut(name)))
        groups = ", ".join(f"{level.removeprefix(column).strip()}: {n}"
                           for level, n in counts.items())  # fmt: skip
        book = asked.cohort.codebook.loc[column]
        rows.append((book["label"], groups, int(frame[name].isna().sum()),
                     EVIDENCE[book["evidence"]]))  # fmt: skip
    columns = ["factor", f"patients of {asked.arm}", "missing", "value"]
    return pd.DataFrame(rows, columns=columns)


def read_factors(asked: Asked) -> str:
    """How many factors there are, how numbers were cut, and which columns came too late."""
    if not asked.factors:
        return NO_FACTORS
    cuts = [f"{plain(covariate(asked.cohort.codebook, name))} (`{name}`)" for name in asked.factors
            if cut(name)]  # fmt: skip
    known = {*asked.factors, *asked.factors.values(), "arm"}
    late = [column for column in asked.cohort.factors if column not in known]
    n = len(asked.factors)
    parts = [f"{counted(n, 'factor')} {verb(n, 'is', 'are')} known at the start."]
    if cuts:
        parts.append(f"Numbers are cut in two before any outcome is looked at: {', '.join(cuts)}.")
    if late:
        parts.append(f"Left out, since known only later: {', '.join(map(plain, late))}.")
    return " ".join(parts)


def screen_text(table: pd.DataFrame, *, adjusted: bool = False) -> pd.DataFrame:
    """A screen to read; groups are patients (events), a level against its reference.

    Adjusted P are those of the table where it has them (`tested`), else of its rows.
    """
    if table.empty:
        return pd.DataFrame({"note": [NO_TESTS]})
    odds = table["scale"].str.contains("odds").any()
    name, counted = ("odds ratio", "responders") if odds else ("hazard ratio", "events")
    shown = pd.DataFrame({"factor": table["label"], f"patients ({counted})": table["groups"]})
    shown[f"{name} (95% interval)"] = [estimate(row) for row in table.to_dict("records")]
    shown["P"] = table["p_value"].map(bare_p)
    if adjusted:
        table = table if "p_holm" in table else adjust_p(table)
        for column, title in (("p_holm", "Holm"), ("p_bh", "Benjamini-Hochberg")):
            shown[title] = table[column].map(bare_p)
    return shown.assign(note=table["note"]) if table["note"].any() else shown


def read_screen(table: pd.DataFrame, asked: Asked) -> str:
    """Who is screened, how many P values fell below 0.05, and the smallest."""
    found = tested(table)
    who = f"Patients with {quoted(asked.arm)} only, n = {len(patients(asked, arm=asked.arm))}."
    if found.empty:
        return f"{who} {NO_TESTS}"
    first, k = found.iloc[0], len(found)
    few = int((found["p_value"] < ALPHA).sum())
    gone = len(table) - k
    return (
        f"{who} {k} ratio{'s' * (k > 1)}, of which {few or 'none'} with P below 0.05. The smallest "
        f"is {p_value(first['p_value'])}, for {quoted(first['label'])}: {ratio(first)}."
        + f" {gone} cannot be estimated; the notes say why."
        * (gone > 0)
    )


def read_cuts(table: pd.DataFrame) -> str:
    """What choosing the cut would have chosen."""
    cuts = tested(table[table["per"] == "level"])
    if len(cuts) < 2:
        return "There are fewer than two cuts with an estimate, so there is nothing to choose from."
    low, high = np.exp(cuts["estimate"].min()), np.exp(cuts["estimate"].max())
    first, last = cuts.iloc[0], cuts.iloc[-1]
    text = (
        f"{len(cuts)} cuts of one column: hazard ratios from {number(low)} to {number(high)}, and "
        f"{p_value(first['p_value'])} ({plain(first['factor'])}) to {p_value(last['p_value'])} "
        f"({plain(last['factor'])})."
    )
    whole = table[(table["per"] == "unit") & table["estimate"].notna()]
    for row in whole.to_dict("records"):
        text += (
            f" Uncut, per step of one, it is {ratio(pd.Series(row))}, {p_value(row['p_value'])}."
        )
    return text


def read_chance(table: pd.DataFrame) -> str:
    """What as many tests of nothing would show, and what these show."""
    found = tested(table)
    if found.empty:
        return NO_TESTS
    k, first = len(found), found.iloc[0]
    left = {c: int((found[c] < ALPHA).sum()) for c in ("p_value", "p_holm", "p_bh")}
    text = (
        f"If none of {k} independent factors meant anything, the smallest P would be near "
        f"1/{k + 1} = {number(1 / (k + 1))} on average, and {percent(1 - (1 - ALPHA) ** k)} of "
        f"such screens would have a P below 0.05. The smallest here is {bare_p(first['p_value'])} "
        f"({plain(first['label'])}). Below 0.05: {left['p_value']} as they stand, "
        f"{left['p_holm']} after Holm, {left['p_bh']} after Benjamini-Hochberg."
    )
    alone = found[found["invented"]]
    if 0 < len(alone) < k:
        text += (
            f" Of the {len(alone)} invented alone the smallest is "
            f"{bare_p(alone['p_value'].min())}; expected is 1/{len(alone) + 1} = "
            f"{number(1 / (len(alone) + 1))}."
        )
    return text


def read_ways(table: pd.DataFrame) -> str:
    """Where maximum likelihood gives nothing, and how far apart the limits of the ways are."""
    if table.empty:
        return NO_FACTORS
    silent = table[table["estimate"].isna() & table["way"].str.startswith("maximum")]
    parts = []
    for label, part in silent.groupby("label", sort=False):
        parts.append(f"For {quoted(label)} maximum likelihood gives no ratio.")
        found = table[(table["label"] == label) & table["estimate"].notna()]
        parts += [f"Firth's penalty gives {ratio(row)}." for _, row in found.iterrows()]
        parts += [] if len(found) else [f"{plain(part['note'].iloc[0])}."]
    known = table[table["estimate"].notna() & ~table["label"].isin(silent["label"])]
    if len(known):
        label = known.at[(known["conf_high"] - known["conf_low"]).idxmax(), "label"]
        rows = known[known["label"] == label]
        texts = [f"{row['way']} {ratio(row)}" for _, row in rows.iterrows()]
        parts.append(f"The widest intervals, {quoted(label)}: {'; '.join(texts)}.")
    return " ".join(parts)


def ways_text(table: pd.DataFrame) -> pd.DataFrame:
    """A row per group and way."""
    if table.empty:
        return pd.DataFrame({"note": [NO_FACTORS]})
    order = {label: place for place, label in enumerate(table["label"].drop_duplicates())}
    table = table.sort_values("label", key=lambda labels: labels.map(order), kind="stable")
    shown = screen_text(table)
    shown.insert(2, "way", table["way"])
    return shown


def by_arm(asked: Asked) -> pd.DataFrame:
    """Each factor's ratio in either arm, and the ratio of the arms' ratios, to read."""
    if not asked.factors:
        return pd.DataFrame({"note": [NO_FACTORS]})
    first, second = asked.cohort.arms
    table = adjust_p(interactions(asked))
    shown = pd.DataFrame({"factor": table["label"]})
    for arm in (first, second):
        screen = survival_screen(asked, arm=arm)
        ratios = {row["label"]: estimate(row) for row in screen.to_dict("records")}
        shown[f"hazard ratio in '{arm}'"] = [ratios.get(n, NOT_DEFINED) for n in table["label"]]
    shown["ratio of ratios (95% interval)"] = [estimate(row) for row in table.to_dict("records")]
    shown["P"], shown["Holm"] = (table[c].map(bare_p) for c in ("p_value", "p_holm"))
    if asked.cohort.is_paper:  # no print binds a factor in the second arm, nor an invented one
        shown.loc[table["invented"], shown.columns[1]] = INVENTED
        shown[shown.columns[2:]] = INVENTED
    return shown


def read_interactions(table: pd.DataFrame, asked: Asked) -> str:
    """The smallest P, what is left of it, and how little the intervals exclude."""
    if asked.cohort.is_paper:
        return (
            "No ratio of ratios is shown of these rows: nothing printed binds a factor in the "
            "second arm, so each would be invented."
        )
    found = tested(table)
    if found.empty:
        return "No ratio of ratios can be estimated, so whom a treatment suits cannot be asked."
    first, k = found.iloc[0], len(found)
    span = np.exp((found["conf_high"] - found["conf_low"]).median())
    return (
        f"{k} ratio{'s' * (k > 1)} of hazard ratios; the smallest P is {bare_p(first['p_value'])} "
        f"({plain(first['label'])}), after Holm {bare_p(first['p_holm'])}. The upper limit of the "
        f"middle interval is {number(span, 1)} times the lower one: that is how much room is left. "
        f"{read_notes(table)}"
    )


def read_notes(table: pd.DataFrame) -> str:
    """Which rows of a screen cannot be estimated, and why."""
    missing = table[table["estimate"].isna()]
    # A note begins with the terms it is about; the label has said that already.
    parts = [f"{row.label}: {row.note.rpartition(': ')[2]}." for row in missing.itertuples()]
    start = "Not estimated: " if parts else "Every row is estimated."
    return plain(start + " ".join(parts))


def read_shrinkage(rows: pd.DataFrame) -> str:
    """How much is left of the ratio furthest from the mean."""
    if rows.empty:
        return "Fewer than four ratios: too few to tell their spread from chance, so none is drawn."
    first = rows.iloc[0]
    mean, raw, kept = (number(np.exp(first[c])) for c in ("mean", "estimate", "shrunken"))
    spread = (
        "The estimated spread is zero, which for few and imprecise ratios does not show that the "
        "true one is; then nothing is left of any distance"
        if first["tau2"] == 0
        else f"Of their distances from the common mean {percent(rows['weight'].min())} to "
        f"{percent(rows['weight'].max())} is left"
    )
    return (
        f"{spread}. The one furthest away, {quoted(first['label'])}, moves from {raw} to {kept}; "
        f"the common mean is {mean}."
    )


def caption_screens(asked: Asked) -> str:
    """What the figure of screens shows."""
    n = len(patients(asked, arm=asked.arm))
    return plain(
        f"Each factor by itself, in patients with {asked.arm} (n = {n}; complete cases of each "
        "factor): ratios with 95% Wald intervals on log axes; an arrow leaves the axis, a cross is "
        "a ratio that cannot be estimated."
    )


def alt_screens(rows: pd.DataFrame) -> str:
    """The figure of screens for those who do not see it."""
    parts = []
    for panel, part in rows.groupby("panel", sort=False):
        known = part[part["estimate"].notna()]
        beyond = known[(known["conf_low"] > 0) | (known["conf_high"] < 0)]
        named = "; ".join(f"{row['label']} {ratio(row)}" for _, row in beyond.iterrows())
        parts.append(
            f"{panel}: {len(known)} of {len(part)} estimated, intervals "
            f"without 1: {named or 'none'}."
        )
    return "Forest of ratios, one panel per outcome, a line per factor. " + " ".join(parts)


def read_screens(rows: pd.DataFrame) -> str:
    """How many intervals of the figure exclude 1."""
    known = rows[rows["estimate"].notna()]
    if known.empty:
        return "No ratio of the figure can be estimated."
    beyond = int(((known["conf_low"] > 0) | (known["conf_high"] < 0)).sum())
    of, few = counted(len(known), "interval"), beyond or "none"
    return f"Of {of}, {few} {verb(beyond, 'excludes', 'exclude')} 1."


def read_ranks(rows: pd.DataFrame) -> str:
    """How many P values lie outside the band of nothing."""
    if rows.empty:
        return NO_TESTS
    below = int((rows["p_value"] < rows["low"]).sum())
    above = int((rows["p_value"] > rows["high"]).sum())
    return (
        f"Of {counted(len(rows), 'P value')} {below or 'none'} {verb(below, 'lies', 'lie')} below "
        f"the band, {above or 'none'} above it."
    )


def alt_ranks(rows: pd.DataFrame) -> str:
    """The figure of P values in order for those who do not see it."""
    if rows.empty:
        return f"Empty figure of P values by rank: {NO_TESTS}"
    first, last = rows.iloc[0], rows.iloc[-1]
    return (
        f"Dots of {counted(len(rows), 'P value')} on a log axis against their rank, from "
        f"{bare_p(first['p_value'])} to {bare_p(last['p_value'])}, with the band of as many tests "
        f"of nothing. {read_ranks(rows)}"
    )


def alt_shrinkage(rows: pd.DataFrame) -> str:
    """The figure of shrinkage for those who do not see it."""
    if rows.empty:
        return f"Empty figure of shrunken ratios. {read_shrinkage(rows)}"
    raw, drawn = (np.exp([rows[c].min(), rows[c].max()]) for c in ("estimate", "shrunken"))
    return (
        f"{counted(len(rows), 'hazard ratio')} on a log axis, each joined to its shrunken value: "
        f"as estimated from {number(raw[0])} to {number(raw[1])}, shrunken from "
        f"{number(drawn[0])} to {number(drawn[1])}."
    )


def forest_rows(parts: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """`ways` of several outcomes as rows of `forest.figure_forest`, a section each."""
    rows = [part.assign(section=name, label=part["way"]) for name, part in parts.items()]
    return pd.concat(rows, ignore_index=True).drop(columns="method")


def alt_forest(rows: pd.DataFrame) -> str:
    """A forest of ways for those who do not see it."""
    texts = [
        f"{row['section']}, {row['label']}: {estimate(row)}" for row in rows.to_dict("records")
    ]
    return f"Forest of {counted(len(rows), 'ratio')} on a log axis. {'; '.join(texts)}."
