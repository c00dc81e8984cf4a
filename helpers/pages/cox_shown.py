"""The figures of the page on Cox models in words: what each shows, for captions and alt texts."""

import numpy as np
import pandas as pd

from helpers.analysis import Answer
from helpers.conventions import DAYS_PER_MONTH
from helpers.labels import counted, side
from helpers.pages.asking import tidy_notes
from helpers.pages.cox_asked import (
    SEPARATE,
    change,
    checks,
    model_name,
    question,
    watched,
    why_nothing,
)
from helpers.selection import EVENT
from helpers.words import (
    bare_p,
    contrast,
    lower,
    month_name,
    months,
    number,
    p_value,
    percent,
    plain,
    quoted,
    ratio,
)

LIMITS = ["conf_low", "conf_high"]
MOST_SHOWN = 5  # patients in the table of influence


def who(answer: Answer) -> str:
    """Endpoint, comparison, model, patients and events of the watched term."""
    if why_nothing(answer):
        return f"{answer.label}: no hazard ratio"
    frame, _ = question(answer)
    return (
        f"{answer.label}, {watched(answer).partition(': ')[2]}, {model_name(answer)} model, "
        f"n = {len(frame)}, {counted(int((frame[EVENT] == 1).sum()), 'event')}"
    )


def said_once(table: pd.DataFrame) -> pd.DataFrame:
    """A table that names its endpoint in the first row of each alone."""
    again = table["endpoint"].eq(table["endpoint"].shift())
    return table.assign(endpoint=table["endpoint"].mask(again, ""))


def withheld(asked: list[Answer]) -> str:
    """For each endpoint without a ratio, why, in a sentence."""
    found = [(answer.label, why_nothing(answer)) for answer in asked]
    return " ".join(
        f"{plain(label)}: no hazard ratio; {plain(why)}." for label, why in found if why
    )


def moved(old: float, new: float) -> str:
    """How one log hazard ratio stands to another, in words."""
    if abs(new - old) < 0.005:
        return "it hardly moved"
    if new * old < 0:
        return "it moved to the other side of 1"
    return f"it moved {'further from' if abs(new) > abs(old) else 'closer to'} 1"


# --- proportional hazards ---------------------------------------------------------------------


def checks_text(asked: list[Answer]) -> pd.DataFrame:
    """The check of every term and of all at once, P by the score test and by lifelines."""
    rows = []
    for answer in asked:
        for row in checks(answer).to_dict("records"):
            shown = {"chi-squared": number(row["statistic"], 1), "P": bare_p(row["p_value"])}
            shown |= {"P, lifelines": bare_p(row["lifelines"]), "note": row["note"]}
            rows.append({"endpoint": answer.label, "term": named(row["term"], answer)} | shown)
    return said_once(tidy_notes(pd.DataFrame(rows).fillna({"note": ""})))


def named(term: str, answer: Answer) -> str:
    """A term by the label of its column; of the groups compared by their names alone."""
    column, _, levels = term.partition(": ")
    if column not in answer.cohort.codebook.index:
        return "all terms at once" if term == "GLOBAL" else term
    if column == answer.view.compare and levels:
        return levels
    book = answer.cohort.codebook
    if " >= " in column and levels:
        return " vs ".join(side(book, column, level) for level in levels.split(" vs "))
    label = book.at[column, "label"]
    return f"{label}: {levels}" if levels else label


def read_split(answer: Answer) -> str:
    """The ratio in the first half of the events and in the second, and how sure the change is."""
    table = change(answer)
    if table.empty or table["estimate"].isna().all():
        return withheld([answer]) or "The events do not allow a split of the time."
    parts = []
    for term, mine in table.groupby("term", sort=False):
        early, late, changed = (row for _, row in mine.iterrows())
        day = months(early["day"])
        if pd.isna(changed["estimate"]):
            parts.append(f"{plain(term)}: {plain(early['note'] or late['note'])}.")
            continue
        parts.append(
            f"{plain(contrast(early))}: up to month {day}, by which half of the events had "
            f"happened, the hazard ratio is {ratio(early)}; after it, among the {late['n']} still "
            f"at risk, {ratio(late)}. From the first period to the second "
            f"{moved(early['estimate'], late['estimate'])}; test of the change "
            f"{p_value(changed['p_value'])}."
        )
    return f"{plain(answer.label)}. {' '.join(parts)}"


def read_means(answer: Answer) -> str:
    """The difference of restricted means, which needs no constant ratio."""
    table, day = answer.rmst, answer.view.horizon
    rows = table[~table["group"].isin(answer.groups)] if len(table) else table
    parts = []
    for row in rows.to_dict("records"):
        if pd.notna(row["conf_low"]):
            low, high = (number(row[c] / DAYS_PER_MONTH, 1) for c in LIMITS)
            parts.append(
                f"{plain(row['group'])}: the unadjusted difference in mean time free of the event "
                f"up to {month_name(day)} is {number(row['estimate'] / DAYS_PER_MONTH, 1)} months "
                f"({low} to {high})."
            )
    return f"{plain(answer.label)}. {' '.join(parts)}" if parts else "No restricted mean here."


# --- residuals --------------------------------------------------------------------------------


def caption_residuals(answer: Answer) -> str:
    return plain(
        f"Scaled Schoenfeld residuals (dots, one per event) on the scale of the hazard ratio; "
        f"{who(answer)}. Thick lines with bands: the hazard ratio up to the day by which half of "
        "the events had happened and after it (each period a model of its own, all covariates "
        "included), with 95% Wald interval; dashed: one ratio for the "
        "whole time; months."
    )


def alt_residuals(answer: Answer, dots: pd.DataFrame) -> str:
    if dots.empty:
        why = checks(answer).set_index("term").at["GLOBAL", "note"]
        return f"An empty figure of residuals over months: {why}."
    table = change(answer)
    parts = [
        f"{row['period']}: {ratio(pd.Series(row))}"
        for row in table[(table["term"] == watched(answer))].to_dict("records")[:2]
    ]
    return (
        f"Scatter of {counted(len(dots), 'residual')} over {months(dots['time'].max(), 0)} months "
        f"on a log scale of hazard ratios, with a level line and band for each of two periods. "
        f"{'; '.join(parts) or 'No split of the time'}."
    )


# --- influence --------------------------------------------------------------------------------


def influence_text(answer: Answer, table: pd.DataFrame) -> pd.DataFrame:
    """The patients whose leaving moves the ratio most: row, group, month, event, ratio without."""
    known = table.dropna(subset=["dfbeta"])
    if known.empty:
        return pd.DataFrame([{"note": why_nothing(answer) or "no ratio with a patient left out"}])
    order = known["dfbeta"].abs().sort_values(ascending=False, kind="stable").index[:MOST_SHOWN]
    rows = [
        {"row": row.row, "group": row.group, "month": number(row.month, 0),
         "event": "yes" if row.event == 1 else "no", "ratio without": number(row.hazard_ratio),
         "with the patient it is": "higher" if row.dfbeta > 0 else "lower"}
        for row in known.loc[order].itertuples()
    ]  # fmt: skip
    hidden = ["month", "event"] if answer.cohort.mask_below else []  # one patient's record
    return pd.DataFrame(rows).drop(columns=hidden)


def read_influence(answer: Answer, table: pd.DataFrame) -> str:
    """The range of the ratio when one patient at a time is left out, and who moves it most."""
    known, parts = table.dropna(subset=["dfbeta"]), []
    if known.empty:
        why = why_nothing(answer) or table["note"].iloc[0]
        return f"No ratio is left when a patient is: {plain(why)}."
    whole = known["dfbeta"] + np.log(known["hazard_ratio"])
    low, high = known["hazard_ratio"].agg(["min", "max"])
    most = known.loc[known["dfbeta"].abs().idxmax()]
    parts.append(
        f"{plain(answer.label)}: {number(np.exp(whole.iloc[0]))} with everybody; with one patient "
        f"left out at a time, from {number(low)} to {number(high)}. The patient in row "
        f"{most['row']} moves it most."
    )
    crossing = int(((np.log(known["hazard_ratio"]) * whole) < 0).sum())
    parts.append(
        "Leaving out one patient never takes it to the other side of 1."
        if not crossing
        else f"For {crossing} of {len(known)} patients, leaving out the one takes it across 1."
    )
    lost = len(table) - len(known)
    if lost:
        parts.append(f"For {lost} of {len(table)}, no ratio is left without the patient.")
    return " ".join(parts)


def caption_influence(answer: Answer) -> str:
    return plain(
        f"Change of the log hazard ratio by each patient (with the patient minus without; a dot "
        f"filled for an event, hollow for censored) over the patient's time, months; "
        f"{who(answer)}. Numbers are rows of the file, the header being row 1."
    )


def alt_influence(answer: Answer, table: pd.DataFrame) -> str:
    known = table.dropna(subset=["dfbeta"])
    if known.empty:
        return f"An empty figure of influence over months: {why_nothing(answer) or 'no estimates'}."
    low, high = known["dfbeta"].agg(["min", "max"])
    return (
        f"Scatter of {counted(len(known), 'change')} of the log hazard ratio over months, from "
        f"{number(low)} to {number(high)}, around a line at zero; "
        f"{counted(known['group'].nunique(), 'group')}, each with its own marker."
    )


# --- adjusted curves --------------------------------------------------------------------------


def at(curves: pd.DataFrame, kind: str, group: str, day: float) -> float:
    """Survival at a day; NaN beyond the last day of the curve."""
    mine = curves[(curves["kind"] == kind) & (curves["group"] == group)]
    if mine.empty or day > mine["time"].max():
        return np.nan
    before = mine[mine["time"] <= day]
    return before["estimate"].iloc[-1] if len(before) else 1.0


def read_curves(answer: Answer, curves: pd.DataFrame, why: str) -> str:
    """What adjusting does to the distance of two curves at the horizon."""
    if curves.empty:
        return f"No adjusted curves: {plain(why)}."
    day, (*others, bottom) = answer.view.horizon, answer.groups
    parts = []
    for top in others if day else []:
        gap = [at(curves, k, top, day) - at(curves, k, bottom, day)
               for k in ("as observed", "adjusted", SEPARATE)
               if k in set(curves["kind"])]  # fmt: skip
        if np.isfinite(gap).all():
            points = [number(100 * value, 0) for value in gap]
            free = f", {points[2]} with a model for each group" if len(points) > 2 else ""
            parts.append(
                f"At {month_name(day)} the difference between {quoted(top)} and {quoted(bottom)} "
                f"is {points[0]} points as observed, {points[1]} adjusted under one hazard ratio "
                f"for the whole time{free}."
            )
    return " ".join(parts) or "Not every curve reaches the horizon, so no distance is read there."


def caption_curves(answer: Answer) -> str:
    return plain(
        f"Survival adjusted to everybody's covariates (thick) and as observed by Kaplan-Meier "
        f"(thin), on the same patients; {who(answer)}; each curve to the day the last patient of "
        "its group is watched; months. Without intervals."
    )


def alt_curves(answer: Answer, curves: pd.DataFrame, why: str) -> str:
    if curves.empty:
        return f"An empty figure of adjusted survival over months: {why}."
    day = answer.view.horizon or curves["time"].max()
    parts = [
        f"{group}: {percent(at(curves, 'as observed', group, day))} as observed, "
        f"{percent(at(curves, 'adjusted', group, day))} adjusted"
        for group in answer.groups
    ]
    return (
        f"Step curves of {lower(answer.label)}, thick adjusted and thin as observed, over "
        f"{months(curves['time'].max(), 0)} months. At {month_name(day)}: {'; '.join(parts)}."
    )


# --- the forest -------------------------------------------------------------------------------


def forest_rows(table: pd.DataFrame) -> pd.DataFrame:
    """The `ways` as rows of `forest.figure_forest`, a section per endpoint."""
    return table.rename(columns={"endpoint": "section"})


def read_forest(table: pd.DataFrame) -> str:
    """How far the ways lie apart, and whether they agree on the side of 1."""
    known = table.dropna(subset=["estimate"])
    if known.empty:
        return "No way gives a ratio here."
    parts = []
    for endpoint, part in known.groupby("endpoint", sort=False):
        whole = part[~part["key"].isin(["early", "late"])]
        if whole.empty:
            continue
        ratios, limits = (
            np.exp(whole["estimate"]),
            [whole["conf_low"].min(), whole["conf_high"].max()],
        )
        low, high = (number(value) for value in np.exp(limits))
        text = f"{number(ratios.min())} to {number(ratios.max())} over the whole time, limits "
        text = f"{endpoint}: {text}{low} to {high} at the widest"
        if len(whole) == 1:
            text = f"{endpoint}: {ratio(whole.iloc[0])} ({whole['label'].iloc[0]})"
        late = part[part["key"] == "late"]
        if len(late):
            text += f"; late {ratio(late.iloc[0])}"
        parts.append(text)
    if not parts:
        return "No way gives a ratio for the whole time."
    more = " Ways to one ratio from the same patients are not so many findings." * (len(known) > 1)
    return f"{'. '.join(parts)}.{more}"


def caption_forest(table: pd.DataFrame) -> str:
    """What the forest is of, with patients and events of each endpoint."""
    who = []
    for endpoint, part in table.groupby("endpoint", sort=False):
        n, events = int(part["n"].max()), int(part["n_event"].max())
        size = f"n = {n}, {counted(events, 'event')}" if n else "no hazard ratio"
        who.append(f"{endpoint}, {size}")
    return plain(
        f"Hazard ratios (markers, one kind for each way to errors and limits) with 95% intervals "
        f"(lines); {'; '.join(who)}. The rows after a month concern those still at risk then."
    )


def alt_forest(table: pd.DataFrame) -> str:
    parts = [f"{row['endpoint']}, {row['label']}: {ratio(row)}" for _, row in table.iterrows()]
    return f"Forest plot of hazard ratios (lines: {len(table)}) on a log axis. {'; '.join(parts)}."


def xlabel(answer: Answer) -> str:
    """What the ratios of the forest are of what."""
    groups = answer.groups
    return f"Hazard ratio, {groups[0]} vs {groups[-1]}" if len(groups) == 2 else "Hazard ratio"
