"""The page on bias, its part on what nobody recorded: E-values, the map, and one confounder.

Sums on ratios, from `helpers.estimators.evalue`; here they become tables, sentences and alt texts.
"""

import numpy as np
import pandas as pd

from helpers.analysis import Answer
from helpers.cohort import Cohort
from helpers.conventions import DAYS_PER_MONTH
from helpers.estimators.evalue import (
    confounder_array,
    e_value,
    e_value_table,
    needed_imbalance,
    risk_ratio,
    tipping_grid,
)
from helpers.labels import counted
from helpers.pages.bias_time import across, bounds, months_for
from helpers.pages.cox_asked import compared, has_adjusted, model_name, why_nothing
from helpers.paper.published import load_published
from helpers.words import number, percent, plain

PRINT = "Computed from printed numbers alone."
INVENTED = (
    "An invented ratio, since this cohort has none whose interval leaves out 1; nothing here is a "
    "result."
)
LIMIT = {"bound": "limit nearest 1"}
SMALLEST = 1e-3  # a ratio beyond this is no estimate to explain
STRENGTHS = np.round(np.exp(np.linspace(0, np.log(10), 91)), 4)  # of the map: 1 to 10
PRINTED = {"os_hr": "overall survival", "pfs_hr": "progression-free survival"}


def asked(cohort: Cohort, answers: list[Answer]) -> pd.DataFrame:
    """The ratios to be explained: the printed ones, those of a reader's cohort, or an invented one.

    Where an interval holds 1, chance alone is enough, and there is nothing to explain away.

    Returns
    -------
    DataFrame
        label, estimate, conf_low, conf_high (natural scale); at least one row.
    """
    rows = []
    if cohort.is_paper:
        table = load_published().set_index("id")
        for name, label in PRINTED.items():
            row = table.loc[name]
            limits = (float(row[c]) for c in ("lower_bound", "upper_bound"))
            rows.append((label, float(row["value"]), *limits))
    else:
        for answer in answers:
            if not why_nothing(answer):
                model = answer.model[answer.model["model"] == model_name(answer)]
                first = compared(model, answer).dropna(subset=["estimate"]).iloc[0]
                found = np.exp([first[c] for c in ("estimate", "conf_low", "conf_high")])
                clear = np.isfinite(found).all() and (found[1] > 1 or found[2] < 1)
                if clear and SMALLEST < found.min() <= found.max() < 1000:
                    kind = "adjusted" if has_adjusted(answer) else "unadjusted"
                    rows.append((f"{answer.label}, {kind}", *found))
    rows = rows or [("an invented ratio", 0.5, 0.3, 0.8)]
    return pd.DataFrame(rows, columns=["label", "estimate", "conf_low", "conf_high"])


def source(cohort: Cohort, answers: list[Answer], ratios: pd.DataFrame) -> Answer | str:
    """What the ratios rest on."""
    if cohort.is_paper:
        return PRINT
    return INVENTED if ratios["label"].iloc[0] == "an invented ratio" else answers[0]


def status(source: Answer | str) -> str:
    """What stands inside a picture of the ratios."""
    return source if isinstance(source, str) else source.cohort.status_line


def bound(row) -> float:
    """The limit nearest 1; 1 where the interval holds it."""
    if row.conf_low <= 1 <= row.conf_high:
        return 1.0
    return row.conf_high if row.estimate < 1 else row.conf_low


def e_values_text(ratios: pd.DataFrame) -> pd.DataFrame:
    """E-values of each ratio and of its limit nearest 1, for a common and for a rare outcome."""
    rows = []
    for row in ratios.itertuples():
        table = e_value_table(row.estimate, row.conf_low, row.conf_high)
        for of, part in table.groupby("of", sort=False):
            part = part.set_index("form")
            rows.append(
                {"ratio of": row.label if of == "ratio" else "", "taken": LIMIT.get(of, of),
                 "hazard ratio": number(part["hazard_ratio"].iloc[0]),
                 "as a risk ratio": number(part.at["common", "risk_ratio"]),
                 "E-value": number(part.at["common", "e_value"]),
                 "E-value, if rare": number(part.at["rare", "e_value"])}
            )  # fmt: skip
    return pd.DataFrame(rows)


def read_e_values(ratios: pd.DataFrame) -> str:
    """The E-values in plain words."""
    parts = []
    for row in ratios.itertuples():
        limit, name = bound(row), plain(title(row.label))
        if limit == 1:
            parts.append(
                f"{name}: the interval holds 1, so chance alone is enough and no "
                f"confounder is needed."
            )
            continue
        parts.append(
            f"{name}: to explain {number(row.estimate)} away, a trait as strong on both sides "
            f"would have to be at least {number(e_value(row.estimate))} times as common in one "
            f"group and to make the event at least {number(e_value(row.estimate))} times as "
            f"likely; to move the limit to 1, at least {number(e_value(limit))} times each."
        )
    return " ".join(parts)


def title(label: str) -> str:
    """A label at the start of a sentence."""
    return label[:1].upper() + label[1:]


# --- the map ------------------------------------------------------------------------------------


def grid(ratios: pd.DataFrame) -> pd.DataFrame:
    """`tipping_grid` of the first ratio, strengths 1 to 10 on either side."""
    return tipping_grid(ratios["estimate"].iloc[0], STRENGTHS, STRENGTHS)


def edges(ratios: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Where on the map the first ratio, and its limit, reach 1: pairs of strengths."""
    row = next(ratios.itertuples())
    fine = np.exp(np.linspace(0, np.log(STRENGTHS[-1]), 400))
    found = {"ratio": needed_imbalance(row.estimate, fine)}
    if bound(row) != 1:
        found["limit"] = needed_imbalance(bound(row), fine)
    return {
        name: table[table["on_treatment"].between(1, STRENGTHS[-1])]
        for name, table in found.items()
    }


def even(ratios: pd.DataFrame) -> dict[str, float]:
    """The E-values of the first ratio and its limit, by the names of `edges`."""
    row = next(ratios.itertuples())
    return {name: e_value(value) for name, value in
            (("ratio", row.estimate), ("limit", bound(row)))}  # fmt: skip


def alt_map(ratios: pd.DataFrame) -> str:
    """The map for those who do not see it."""
    row = next(ratios.itertuples())
    left = tipping_grid(row.estimate, [2.0, 3.0, 5.0], [2.0, 3.0, 5.0])
    same = left[left["on_outcome"] == left["on_treatment"]]
    said = ", ".join(
        f"{number(r.hazard_ratio_left)} at {r.on_outcome:g} and {r.on_treatment:g}"
        for r in same.itertuples()
    )
    return (
        f"A map over two strengths of a confounder from 1 to 10, coloured by the hazard ratio "
        f"that it can leave of {number(row.estimate)} at the worst: {said}. A solid line marks "
        f"where the ratio reaches 1, a dashed one where the limit does."
    )


# --- one confounder of known prevalence -----------------------------------------------------------


def one_confounder(row, strength: float, treated: float, untreated: float) -> dict[str, float]:
    """What a yes-or-no trait leaves of a ratio and of its limits (natural scale)."""
    left = {}
    for name in ("estimate", "conf_low", "conf_high"):
        table = confounder_array(getattr(row, name), [strength], [treated], [untreated])
        left[name] = float(table["hazard_ratio_left"].iloc[0])
    return left


def needed_text(ratios: pd.DataFrame, strengths=(2.0, 3.0, 5.0, 10.0)) -> pd.DataFrame:
    """For traits of several strengths: the imbalance that is needed, and a trait as unlike as
    can be with what it leaves of the ratio."""
    row = next(ratios.itertuples())
    needed = needed_imbalance(row.estimate, strengths)["on_treatment"]
    limit = needed_imbalance(bound(row), strengths)["on_treatment"]
    common, rare = (0.6, 0.2) if row.estimate < 1 else (0.2, 0.6)
    rows = []
    for strength, whole, part in zip(strengths, needed, limit, strict=True):
        left = one_confounder(row, strength, rare, common)
        rows.append(
            {"multiplies the event by": f"{strength:g}",
             "times as common, to explain the ratio": times(whole),
             "to explain the limit": "none needed" if bound(row) == 1 else times(part),
             f"leaves, if {percent(rare)} against {percent(common)} have it":
             f"{number(left['estimate'])} ({number(left['conf_low'])} to "
             f"{number(left['conf_high'])})"}
        )  # fmt: skip
    return pd.DataFrame(rows)


def times(value: float) -> str:
    return "no imbalance is enough" if np.isnan(value) else number(value, 1)


def read_confounder(row, strength: float, treated: float, untreated: float) -> str:
    """What one trait would leave, and whether it would be enough, in a sentence."""
    left = one_confounder(row, strength, treated, untreated)
    text = (
        f"A trait that multiplies the event by {strength:g}, in {percent(treated)} of the first "
        f"group and {percent(untreated)} of the other, leaves {number(left['estimate'])} "
        f"({number(left['conf_low'])} to {number(left['conf_high'])}) of {number(row.estimate)}."
    )
    if (row.estimate - 1) * (left["estimate"] - 1) <= 0:
        return f"{text} It would explain the ratio away."
    if left["conf_low"] <= 1 <= left["conf_high"]:
        return f"{text} The interval holds 1 then; the ratio is still on its side."
    return f"{text} That is not enough."


def read_needed(row, strength: float) -> str:
    """How much more common a trait of this strength would have to be, at the worst."""
    whole, part = (
        times(needed_imbalance(value, [strength])["on_treatment"].iloc[0])
        for value in (row.estimate, bound(row))
    )
    return (
        f"At this strength, times as common in one group, at the worst: {whole} for the ratio, "
        f"{part} for its limit."
    )


# --- what would have to be true -------------------------------------------------------------------


def read_vanish(designs: dict[str, pd.DataFrame]) -> str:
    """What would have to be true for the printed difference in survival to be no effect.

    Parameters
    ----------
    designs : dict of DataFrame
        From `helpers.pages.bias_time.designs`.
    """
    value, _, high = bounds("os_hr")
    whole, part = (across(designs, lambda one, x=x: months_for(one, x)) for x in (value, high))
    both = []
    for months in (1, 2):

        def left(one, day=months * DAYS_PER_MONTH):
            return e_value(value / np.exp(np.interp(day, one["wait"], one["estimate"])))

        both.append(
            f"{counted(months, 'month')}, and the trait at least {across(designs, left, 2)} times "
            "on both sides"
        )
    return (
        f"For {value} (limit {high}) to be no effect, something like one of these would have to be "
        f"true:\n\n"
        f"- *Time alone:* the clock started at failure, whoever was infused later counted from "
        f"then on, and the mean wait was {whole} months ({part} for the limit), by the shape of "
        f"the waits, that of the hazard, and the follow-up.\n"
        f"- *A trait alone,* not adjusted for and doing its worst: at least "
        f"{number(e_value(value))} times as common in one arm and making death at least "
        f"{number(e_value(value))} times as likely ({number(e_value(high))} for the limit), or "
        f"less of the one with more of the other.\n"
        f"- *Both,* if they multiply: a mean wait of {'; or of '.join(both)}.\n\n"
        f"What a clock that starts at infusion selects has no printed number to size it by. "
        f"{read_benchmark()}"
    )


def read_benchmark() -> str:
    """What a hidden trait as strong as the strongest printed factor could do."""
    value, _, high = bounds("os_hr")
    factor, *limits = bounds("ecog_hr")
    strength = risk_ratio(factor)
    whole, part = (
        times(needed_imbalance(ratio, [strength])["on_treatment"].iloc[0])
        for ratio in (value, high)
    )
    return (
        f"For comparison, ECOG of 3 or more is printed with {factor} ({limits[0]}-{limits[1]}), as "
        f"a risk ratio {number(strength)}. How many times as common in one arm would a hidden "
        f"trait of that strength have to be, at the worst? For {value}: {whole}; for its limit: "
        f"{part}."
    )
