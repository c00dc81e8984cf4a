"""Numbers as words: the one place where a result is rounded and put into a sentence.

Captions, alt texts and table entries are written here from an `Answer`, so that prose and
figure cannot disagree. Days become months here and in `plots`, nowhere else.
"""

import numpy as np
import pandas as pd

from helpers.analysis import Answer
from helpers.conventions import CONFIDENCE, DAYS_PER_MONTH

NOT_REACHED = "not reached"
NOT_DEFINED = "–"


def number(value: float, digits: int = 2) -> str:
    """A number to fixed digits, never minus zero; a dash where there is none."""
    return NOT_DEFINED if pd.isna(value) else f"{round(value, digits) + 0.0:.{digits}f}"


def percent(value: float, digits: int = 0) -> str:
    """A proportion in percent; 99.6% does not become the 100% of nobody having an event."""
    if pd.isna(value):
        return NOT_DEFINED
    if value < 1 and round(100 * value, digits) == 100:
        return f"{100 * value:.1f}%" if value < 0.9995 else ">99.9%"
    return number(100 * value, digits) + "%"


def p_value(value: float) -> str:
    """A P as journals print it: two significant digits, four decimals at the most."""
    if pd.isna(value):
        return NOT_DEFINED
    if value < 0.0001:
        return "P < 0.0001"
    digits = 2 if value >= 0.0995 else 1 - int(np.floor(np.log10(value)))
    return f"P = {value:.{min(digits, 4)}f}"


def months(days: float, digits: int = 1) -> str:
    """Days as months; a missing median is one that was not reached."""
    return NOT_REACHED if pd.isna(days) else f"{days / DAYS_PER_MONTH:.{digits}f}"


def month_name(days: float) -> str:
    """A milestone as people say it: 12 months, or the days when it is no whole month."""
    value = days / DAYS_PER_MONTH
    return f"{value:.0f} months" if abs(value - round(value)) < 1e-6 else f"day {days:g}"


def interval(low: str, high: str) -> str:
    return f"({low} to {high})" if {low, high} != {NOT_DEFINED} else "(no interval)"


def ratio(row: pd.Series) -> str:
    """A model row as "0.77 (0.56 to 1.07)"; the row is on the log scale."""
    if pd.isna(row["estimate"]):
        return "withheld"
    low, high = (number(np.exp(row[c])) for c in ("conf_low", "conf_high"))
    return f"{number(np.exp(row['estimate']))} {interval(low, high)}"


def contrast(row: pd.Series) -> str:
    return f"{row['level']} vs {row['reference']}"


def comparison(answer: Answer, model: str = "unadjusted") -> list[str]:
    """Two lines per group against the reference: which two, and the ratio with interval and P."""
    rows = answer.model[
        (answer.model["model"] == model) & (answer.model["column"] == answer.view.compare)
    ]
    lines = []
    for _, row in rows.iterrows():
        known = f"HR {ratio(row)}, {p_value(row['p_value'])}"
        lines += [contrast(row) + ":", known if pd.notna(row["estimate"]) else "HR withheld"]
    return lines or ["HR withheld"] * (len(answer.groups) > 1)


def log_rank(answer: Answer) -> str:
    return f"Log-rank {p_value(answer.tests.at[0, 'p_value'])}" if len(answer.tests) else ""


def start(answer: Answer) -> str:
    """Where the clock starts."""
    landmark = answer.view.landmark
    return f"the landmark at {month_name(landmark)}" if landmark else "time zero"


def caption_survival(answer: Answer) -> str:
    """What a survival figure shows: endpoint, groups, n, events, unit, interval, source."""
    groups = "; ".join(
        f"{row.group}, n = {row.patients}, {row.events} events"
        for row in answer.counts.itertuples()
        if row.patients
    )
    compared = answer.cohort.codebook.at[answer.view.compare, "label"].lower()
    subgroup = f" where {' and '.join(map(str, answer.view.where))}" if answer.view.where else ""
    return (
        f"{answer.label} by {compared}{subgroup} ({groups}). Kaplan-Meier estimates with "
        f"pointwise {CONFIDENCE:.0%} log-log intervals; ticks are censored patients; months since "
        f"{start(answer)}. Source: {answer.cohort.status_line}."
    )


def alt_survival(answer: Answer) -> str:
    """The survival figure for those who do not see it, from its numbers."""
    if not answer.groups:
        return f"Empty Kaplan-Meier figure of {answer.label.lower()}: no patient is left."
    reach = answer.curves["time"].max()
    parts = [
        f"Kaplan-Meier step curves of {answer.label.lower()} in {len(answer.groups)} "
        f"group{'s' * (len(answer.groups) > 1)} over {months(reach, 0)} months."
    ]
    survival = answer.milestones[answer.milestones["kind"] == "survival"]
    for row in answer.medians.itertuples():
        seen = survival[(survival["group"] == row.group) & survival["estimate"].notna()]
        read = ", ".join(
            f"{percent(s.estimate)} at {month_name(s.time)}" for s in seen.itertuples()
        )
        middle = months(row.estimate)
        middle = middle if middle == NOT_REACHED else f"{middle} months"
        parts.append(f"{row.group}: {read or 'no milestone reached'}; median {middle}.")
    return " ".join(parts + comparison(answer)) + "."


def milestone_table(answer: Answer) -> pd.DataFrame:
    """Survival at the milestones, a row per time and a column per group and difference."""
    stones = answer.milestones
    cells = {}
    for row in stones.to_dict("records"):
        digits = 0
        low, high = percent(row["conf_low"]), percent(row["conf_high"])
        text = f"{percent(row['estimate'], digits)} {interval(low, high)}"
        if row["kind"] == "difference":
            text = text.replace("%", "") + f", {p_value(row['p_value'])}"
        if pd.isna(row["estimate"]):
            text = "beyond the data"
        column = row["group"] if row["kind"] == "survival" else f"{row['group']}, points"
        cells.setdefault(month_name(row["time"]), {})[column] = text
    return pd.DataFrame(cells).T.rename_axis("at").reset_index()


def median_text(answer: Answer) -> pd.DataFrame:
    """Medians in months with their intervals, a row per group."""
    return pd.DataFrame(
        {
            "group": row.group,
            "patients": row.n,
            "events": row.n_event,
            "median, months": f"{months(row.estimate)} "
            + (
                "(no limits)"
                if pd.isna(row.conf_low) and pd.isna(row.conf_high)
                else interval(months(row.conf_low), months(row.conf_high))
            ),
        }
        for row in answer.medians.itertuples()
    )


def model_table(answer: Answer) -> pd.DataFrame:
    """Hazard ratios with interval and P, a row per term and model."""
    rows = [
        {
            "model": row["model"],
            "term": row["term"].removeprefix(f"{answer.view.compare}: "),
            "patients": row["n"],
            "events": row["n_event"],
            "hazard ratio": ratio(row),
            "P": p_value(row["p_value"]).removeprefix("P ").removeprefix("= "),
        }
        for _, row in answer.model.iterrows()
    ]
    return pd.DataFrame(rows)


def risk_text(answer: Answer) -> pd.DataFrame:
    """Numbers at risk and cumulative events, a row per time and two columns per group."""
    columns = {}
    for name, part in answer.risk_table.groupby("group", sort=False):
        columns["month"] = [months(day, 0) for day in part["time"]]
        columns[f"{name}: at risk"] = part["n_risk"].to_list()
        columns[f"{name}: events"] = part["n_event"].to_list()
    return pd.DataFrame(columns)


def read_counts(answer: Answer) -> str:
    """Who is in the answer, in a sentence."""
    parts = [
        f"{row.patients} with {row.group!r}, of whom {row.events} had the event"
        for row in answer.counts.itertuples()
    ]
    total = int(answer.counts["patients"].sum())
    return f"{total} patients are compared on {answer.label.lower()}: {'; '.join(parts)}."


def read_medians(answer: Answer) -> str:
    """Each median in a sentence, also when it was not reached."""
    parts = []
    for row in answer.medians.itertuples():
        if pd.isna(row.estimate):
            parts.append(
                f"In {row.group!r} the curve never falls below one half, so the median is not "
                "reached: more than half are free of the event for as long as the data last."
            )
        else:
            parts.append(
                f"In {row.group!r} half have had the event by {months(row.estimate)} months."
            )
    return " ".join(parts)


def read_survival(answer: Answer, day: float) -> str:
    """Survival at a day and the difference, in sentences.

    Where a group is not observed to that day, the last earlier milestone that all groups reach.
    """
    stones = answer.milestones
    if stones.empty:
        return "No patient is left."
    seen = (
        stones[stones["kind"] == "survival"]
        .groupby("time")["estimate"]
        .apply(lambda values: values.notna().all())
    )
    reached = [time for time in seen.index[seen] if time <= day + 1e-9]
    if not reached:
        return f"No milestone up to {month_name(day)} is reached by every group."
    parts = []
    if not np.isclose(reached[-1], day):
        parts.append(f"Not every group is observed to {month_name(day)}.")
    for row in stones[stones["time"] == reached[-1]].to_dict("records"):
        if row["kind"] == "survival":
            limits = interval(percent(row["conf_low"]), percent(row["conf_high"]))
            parts.append(
                f"At {month_name(row['time'])} survival in {row['group']!r} is "
                f"{percent(row['estimate'])} {limits}."
            )
        else:
            points = [number(100 * row[c], 0) for c in ("estimate", "conf_low", "conf_high")]
            limits = interval(*points[1:])
            parts.append(f"The difference, {row['group']}, is {points[0]} points {limits}.")
    return " ".join(parts)


def read_comparison(answer: Answer) -> str:
    """The hazard ratio of each group in a sentence, or why there is none."""
    rows = answer.model[
        (answer.model["model"] == "unadjusted") & (answer.model["column"] == answer.view.compare)
    ]
    parts = []
    for _, row in rows[rows["estimate"].notna()].iterrows():
        straddles = row["conf_low"] <= 0 <= row["conf_high"]
        parts.append(
            f"Among patients still at risk, those with {row['level']!r} have the event at "
            f"{number(np.exp(row['estimate']))} times the rate of those with "
            f"{row['reference']!r}, averaged over the follow-up; the interval "
            f"{'includes' if straddles else 'excludes'} 1, which would be no difference."
        )
    withheld = answer.notes[answer.notes["note"].str.startswith("Withheld")]
    return " ".join(parts + list(withheld["note"]))
