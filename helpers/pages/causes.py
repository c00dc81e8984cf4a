"""Competing causes and the parts of the comparator, for the page on survival curves."""

from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.analysis import Answer, analyse
from helpers.estimators import competing
from helpers.pages.asking import selected, why_not_compared, withheld
from helpers.plots.curves import figure_incidence
from helpers.selection import GROUP
from helpers.view import View, Where
from helpers.words import (
    counted,
    interval,
    median_text,
    month_name,
    p_value,
    percent,
    plain,
    quoted,
    ratio,
)

INVENTED = "invented"  # stands where a comparison of invented values would
UNBOUND = (
    "How many events were progressions and how many deaths was not printed: the split is an "
    "invented layout."
)


def comparator(answer: Answer) -> Answer:
    """The same question within the reference arm, by what its patients were given."""
    view, cohort = answer.view, answer.cohort
    only = Where("arm", values=(cohort.reference_arm,))
    where = (*view.where, only)
    asked = View(view.endpoint, "salvage", None, where, (), view.landmark, view.horizon)
    return analyse(cohort, asked)


def comparator_text(answer: Answer) -> pd.DataFrame:
    """Medians and hazard ratio by what was given, of those who are left; of an invented split the
    layout alone."""
    made_up = answer.cohort.codebook.at["salvage", "evidence"] == "illustrative"
    table = median_text(answer)
    if table.empty:
        return pd.DataFrame([{"note": withheld(answer)}])
    ratios = {answer.groups[-1]: "reference"}
    for _, row in answer.model.iterrows():
        ratios[row["level"]] = f"{ratio(row)}, {p_value(row['p_value'])}"
    table["hazard ratio"] = [ratios.get(name, "withheld") for name in table["group"]]
    if made_up:
        table[[c for c in table if c != "group"]] = INVENTED
    return table


def causes(answer: Answer) -> pd.DataFrame:
    """The patients of an answer with first_time (days from its start) and cause; needs pfs, os."""
    people = selected(replace(answer, view=replace(answer.view, endpoint="pfs")))
    for column in ("pfs_time", "os_time"):
        people[column] = people[column] - answer.view.landmark
    return competing.competing_frame(
        people, pfs_time="pfs_time", pfs_event="pfs_event", os_time="os_time", os_event="os_event"
    )


def cause_text(people: pd.DataFrame) -> pd.DataFrame:
    """How PFS ended, patients by group, and what the two times cannot tell."""
    found = people.groupby([GROUP, "cause_name"], observed=True).size().unstack(fill_value=0)
    order = [name for name in (*list(competing.CAUSES.values())[1:], competing.CAUSES[0])]
    table = found.reindex(columns=order, fill_value=0).rename_axis("group").reset_index()
    table.columns.name = None
    return table.astype({"group": str}) if len(table) else pd.DataFrame(
        [{"note": "No patient is left."}])  # fmt: skip


def read_same_day(people: pd.DataFrame) -> str:
    """How many events of PFS on the day of death were counted as deaths."""
    n = int((people["cause_note"] == competing.SAME_DAY).sum())
    if not n:
        return "No patient had the event of PFS on the day of death."
    return (
        f"{n} patient{'s' * (n > 1)} had the event of PFS on the day of death and "
        f"{'are' if n > 1 else 'is'} counted as having died without progression; a progression "
        "found on that very day would look the same."
    )


def incidence(people: pd.DataFrame, *, naive: bool = False) -> pd.DataFrame:
    """Cumulative incidence by cause and group, or one minus Kaplan-Meier for contrast."""
    estimate = competing.naive_incidence if naive else competing.cumulative_incidence
    if people.empty:
        return pd.DataFrame(columns=competing.INCIDENCE_COLUMNS)
    known = people.dropna(subset=["first_time", "cause"])
    return estimate(known, time="first_time", cause="cause", group=GROUP)


def at_day(table: pd.DataFrame, day: float) -> pd.DataFrame:
    """Incidence at a day: group, cause, n_risk, estimate, conf_low, conf_high.

    Missing where the day lies beyond the last one on which somebody of the group, still free of
    any cause, was seen.
    """
    rows = []
    for (group, cause), part in table.groupby(["group", "cause"], sort=False):
        part = part.sort_values("time")
        row = {"group": group, "cause": cause}
        row["n_risk"] = int(part.loc[part["time"] >= day, "n_risk"].max() if (
            part["time"] >= day).any() else 0)  # fmt: skip
        upto = part[part["time"] <= day]
        values = upto.iloc[-1] if len(upto) else {"estimate": 0.0}
        row |= {c: values.get(c, np.nan) for c in ("estimate", "conf_low", "conf_high")}
        end = table[(table["group"] == group) & (table["time"] == part["time"].max())]
        if day > part["time"].max() and end["n_event"].sum() < end["n_risk"].iloc[0]:
            row |= dict.fromkeys(("estimate", "conf_low", "conf_high"), np.nan)
        rows.append(row)
    columns = ["group", "cause", "n_risk", "estimate", "conf_low", "conf_high"]
    return pd.DataFrame(rows, columns=columns)


def both_at(people: pd.DataFrame, day: float) -> pd.DataFrame:
    """Incidence at a day with one minus Kaplan-Meier (naive) beside it, by cause, then group."""
    right, naive = (at_day(incidence(people, naive=n), day) for n in (False, True))
    naive = naive.rename(columns={"estimate": "naive"})[["group", "cause", "naive"]]
    both = right.merge(naive, on=["group", "cause"], validate="one_to_one")
    return both.sort_values("cause", kind="stable")


def incidence_text(answer: Answer, people: pd.DataFrame) -> pd.DataFrame:
    """Incidence at the horizon beside one minus Kaplan-Meier, and Gray's P of each cause."""
    if people.empty:
        return pd.DataFrame([{"note": "No patient is left."}])
    day = answer.view.horizon
    tests = gray(answer, people).set_index("cause")
    rows, seen = [], set()
    for row in both_at(people, day).to_dict("records"):
        known = pd.notna(row["estimate"])
        limits = interval(percent(row["conf_low"]), percent(row["conf_high"]))
        test = "" if row["cause"] in seen else gray_words(tests.loc[row["cause"]])
        cause = "" if row["cause"] in seen else competing.CAUSES[row["cause"]]
        seen.add(row["cause"])
        rows.append({
            "cause": cause, "group": row["group"], "at risk": row["n_risk"],
            "cumulative incidence": f"{percent(row['estimate'])} {limits}" if known
            else "beyond the data",
            "1 - Kaplan-Meier": percent(row["naive"]), "Gray's test": test,
        })  # fmt: skip
    return pd.DataFrame(rows)


def gray(answer: Answer, people: pd.DataFrame) -> pd.DataFrame:
    """Gray's test, or why the groups are not compared."""
    if why := INVENTED if answer.cohort.is_paper else why_not_compared(answer):
        causes = [cause for cause in competing.CAUSES if cause]
        return pd.DataFrame({"cause": causes, "p_value": np.nan, "note": why})
    known = people.dropna(subset=["first_time", "cause"])
    return competing.gray_test(known, time="first_time", cause="cause", group=GROUP)


def gray_words(test: pd.Series) -> str:
    return test["note"] or p_value(test["p_value"])


def read_incidence(answer: Answer, people: pd.DataFrame) -> str:
    """By how much one minus Kaplan-Meier overstates progression at the horizon."""
    if people.empty:
        return "No patient is left."
    day = answer.view.horizon
    parts = []
    for one in both_at(people, day).to_dict("records"):
        if one["cause"] == 1 and pd.notna(one["estimate"]):
            texts = [percent(one[name], 1) for name in ("estimate", "naive")]
            same = texts[0] == texts[1]
            claim = "says the same" if same else f"would say {texts[1]}"
            parts.append(
                f"with {quoted(one['group'])} {texts[0]} have progressed, and one minus "
                f"Kaplan-Meier {claim}"
            )
    if not parts:
        return f"No group is observed to {month_name(day)}."
    return f"By {month_name(day)}, {'; '.join(parts)}."


def draw(answer: Answer, people: pd.DataFrame):
    """Cumulative incidence of both causes, and one minus Kaplan-Meier."""
    return figure_incidence(incidence(people), incidence(people, naive=True), of=answer)


def caption_incidence(answer: Answer, people: pd.DataFrame) -> str:
    counts = people["cause_name"].value_counts()
    n = "; ".join(
        f"{counts.get(name, 0)} {name}" for code, name in competing.CAUSES.items() if code
    )
    return plain(
        f"First event of progression-free survival by its kind ({len(people)} patients; {n}). "
        "Aalen-Johansen estimates with pointwise 95% log-log intervals (thick lines, bands) and "
        "one minus Kaplan-Meier (thin lines); months."
    )


def alt_incidence(answer: Answer, people: pd.DataFrame) -> str:
    return (
        "Two panels of rising step curves, progression at the left and death without progression "
        f"at the right, for {counted(len(answer.groups), 'group')}; thin lines of one minus "
        f"Kaplan-Meier run on or above the thick ones. {read_incidence(answer, people)}"
    )


def source(answer: Answer) -> str:
    """What a split into causes rests on: in the published cohort's stand-in, on an invention."""
    return f"{answer.source} {UNBOUND}" if answer.cohort.is_paper else answer.source
