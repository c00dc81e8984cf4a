"""An answer as rows to read: quantity and value. What is withheld says so."""

import pandas as pd

from helpers.analysis import Answer
from helpers.conventions import DAYS_PER, DAYS_PER_MONTH
from helpers.plots.drawn import SURVIVAL, Display
from helpers.whose import readable
from helpers.words import (
    NOT_REACHED,
    comparison,
    interval,
    log_rank,
    month_name,
    number,
    p_value,
    p_with_method,
    percent,
    product_text,
    ratio,
)


def readout(answer: Answer, display: Display = SURVIVAL) -> pd.DataFrame:
    """What an answer says, a row per quantity.

    Returns
    -------
    DataFrame
        id (of the quantity, for tests and links), quantity, value; times in the display's unit.
    """
    answer = readable(answer)
    rows = [*ratios(answer), *at_the_horizon(answer, display), *interactions(answer)]
    return pd.DataFrame(rows, columns=["id", "quantity", "value"])


def ratios(answer: Answer):
    """Hazard ratios of both models, and the log-rank test."""
    for model in ("unadjusted", "adjusted"):
        if model == "adjusted" and not (answer.view.adjust and len(answer.groups) > 1):
            continue
        lines = comparison(answer, model)
        pairs = list(zip(lines[::2], lines[1::2], strict=True)) if len(lines) > 1 else []
        name = "Hazard ratio" if model == "unadjusted" else "Adjusted hazard ratio"
        for k, (who, value) in enumerate(pairs):
            value = value.replace("HR withheld", "withheld").removeprefix("HR ")
            yield f"{model}-{k}", f"{name}, {who.removesuffix(':')}", value
        if lines and not pairs:
            yield f"{model}-0", name, "withheld"
    if test := log_rank(answer):
        yield "logrank", "Log-rank test", test.removeprefix("Log-rank ")


def at_the_horizon(answer: Answer, display: Display):
    """Survival at the horizon and the restricted mean up to it, with their differences."""
    horizon = answer.view.horizon
    if horizon is None:
        return
    at = time_name(horizon, display)
    stones = answer.milestones
    stones = stones[stones["time"] == horizon] if len(stones) else stones
    for k, row in enumerate(stones.to_dict("records")):
        if row["kind"] == "survival":
            limits = interval(percent(row["conf_low"]), percent(row["conf_high"]))
            value = f"{percent(row['estimate'])} {limits}"
            quantity = f"Event-free at {at}, {row['group']}"
        else:
            points = [number(100 * row[c], 0) for c in ("estimate", "conf_low", "conf_high")]
            value = f"{points[0]} points {interval(*points[1:])}, {p_value(row['p_value'])}"
            quantity = f"Difference at {at}, {row['group']}"
        if pd.isna(row["estimate"]):
            value = "beyond the data"
        yield f"at-{k}", quantity, value
    for k, row in enumerate(answer.rmst.to_dict("records")):
        per = DAYS_PER[display.unit]
        digits = 1 if display.unit == "months" else 0
        limits = interval(*(number(row[c] / per, digits) for c in ("conf_low", "conf_high")))
        value = f"{number(row['estimate'] / per, digits)} {display.unit} {limits}"
        if " vs " in row["group"] and row["group"] not in answer.groups:
            quantity = f"{display.unit.capitalize()} gained up to {at}, {row['group']}"
            value += f", {p_with_method(row)}"
        else:
            quantity = f"Mean event-free {display.unit} up to {at}, {row['group']}"
        yield f"mean-{k}", quantity, value


def interactions(answer: Answer):
    """Is the ratio inside the subgroup another than outside it?"""
    for k, (_, row) in enumerate(answer.interaction.iterrows()):
        what = product_text(answer, row)
        value = ratio(row) + (f", {p_value(row['p_value'])}" if pd.notna(row["p_value"]) else "")
        yield f"interaction-{k}", f"Interaction, {what}: ratio inside over outside", value


def group_rows(answer: Answer, display: Display = SURVIVAL) -> pd.DataFrame:
    """Patients, events and median of each group, as text."""
    answer = readable(answer)
    middle = answer.medians.set_index("group") if len(answer.medians) else pd.DataFrame()
    rows = []
    for row in answer.counts.to_dict("records"):
        about = {"group": row["group"], "patients": row["patients"], "events": row["events"],
                 "censored": row["censored"]}  # fmt: skip
        if answer.view.landmark:
            about["lost by the landmark"] = row["lost_events"] + row["lost_censored"]
        found = row["group"] in middle.index
        about[f"median, {display.unit}"] = (
            median(middle.loc[row["group"]], display) if found else "–"
        )
        rows.append(about)
    return pd.DataFrame(rows)


def median(row: pd.Series, display: Display) -> str:
    """A median with its interval in the unit shown."""
    texts = []
    for value in (row["estimate"], row["conf_low"], row["conf_high"]):
        shown = value / DAYS_PER[display.unit]
        texts.append(NOT_REACHED if pd.isna(value) else
                     number(shown, 1) if display.unit == "months" else f"{shown:g}")  # fmt: skip
    limits = interval(*texts[1:]) if set(texts[1:]) != {NOT_REACHED} else "(no limits)"
    return f"{texts[0]} {limits}"


def time_name(days: float, display: Display) -> str:
    """A time as the page shows times: 12 months, 1.5 months, day 30."""
    if display.unit == "days":
        return f"day {days:g}"
    whole = month_name(days)
    return whole if not whole.startswith("day") else f"{days / DAYS_PER_MONTH:.3g} months"
