"""The page on Cox models: its tables as text, its sentences, captions and alt texts.

The frames behind them are in `helpers.pages.cox_asked`, offered here too. Where `analyse` withholds
a comparison, so does this page, and says why.
"""

import numpy as np
import pandas as pd

from helpers.analysis import Answer
from helpers.conventions import EVENT_FLOOR
from helpers.estimators.comparisons import supported
from helpers.estimators.times import rmst_contrast
from helpers.labels import counted, covariate, listed, per_unit, verb
from helpers.pages.asking import answers, remarks, tidy_notes, why_not_compared
from helpers.pages.covariates import HOW, base, read_looks
from helpers.pages.cox_asked import (
    EVENTS_EACH,
    compared,
    has_adjusted,
    influence,
    matrix,
    model_name,
    periods,
    question,
    residuals,
    standard,
    standardised_curves,
    ways,
    whole,
    why_nothing,
    with_adjustment,
)
from helpers.pages.cox_shown import (
    alt_curves,
    alt_forest,
    alt_influence,
    alt_residuals,
    bare_p,
    caption_curves,
    caption_forest,
    caption_influence,
    caption_residuals,
    checks_text,
    forest_rows,
    influence_text,
    moved,
    read_curves,
    read_forest,
    read_influence,
    read_means,
    read_split,
    said_once,
    withheld,
    xlabel,
)
from helpers.regression import NotEstimable, cox_table, events_per_variable
from helpers.selection import EVENT, GROUP, TIME, Notes, select
from helpers.view import View, cut, level_text
from helpers.words import NOT_DEFINED, number, plain, ratio

__all__ = [
    "alt_curves",
    "alt_forest",
    "alt_influence",
    "alt_residuals",
    "answers",
    "caption_curves", "caption_forest",
    "caption_influence",
    "caption_residuals",
    "checks_text",
    "forest_rows",
    "influence",
    "influence_text",
    "matrix",
    "periods",
    "read_curves",
    "read_forest",
    "read_influence",
    "read_means",
    "read_split",
    "remarks",
    "residuals",
    "standard",
    "standardised_curves",
    "ways",
    "whole",
    "with_adjustment",
    "xlabel",
]  # fmt: skip


# --- the covariates ---------------------------------------------------------------------------


def read_adjustment(given: View, asked: list[Answer]) -> str:
    """What the models adjust for, who chose it, and where that is withheld."""
    cohort, view = asked[0].cohort, asked[0].view
    if not view.adjust:
        looked = "" if why_nothing(asked[0]) else f" {read_looks(asked[0])}"
        return (
            "The View names no covariates and this page chooses none, so there is no adjusted "
            f"model.{looked} {HOW}"
        )
    names = listed([plain(covariate(cohort.codebook, column)) for column in view.adjust])
    if given.adjust:
        text = f"The covariates are {names}, as the View asks."
    else:
        text = (
            f"The covariates are {names}. This is a reading: the text available to us does not "
            "name them."
        )
    if any(map(has_adjusted, asked)):
        return text
    return f"{text} Even so there is no adjusted ratio here; the remarks say why."


def read_events(asked: list[Answer]) -> str:
    """Events for each term of the fullest model."""
    parts = []
    for answer in asked:
        if why_nothing(answer):
            continue
        model = answer.model[answer.model["model"] == model_name(answer)]
        each, events, terms = events_per_variable(model), model["n_event"].iloc[0], len(model)
        parts.append(
            f"{plain(answer.label)}: {counted(events, 'event')} for {counted(terms, 'term')}, "
            f"{number(each, 1)} each, {'fewer' if each < EVENTS_EACH else 'not fewer'} than "
            f"{EVENTS_EACH}."
        )
    return " ".join(parts) or withheld(asked)


# --- the journal's table ----------------------------------------------------------------------


def journal_text(answer: Answer) -> pd.DataFrame:
    """Uni- and multivariable hazard ratios side by side, each level with patients and events."""
    frame, keys = question(answer)
    cohort, alone = answer.cohort, {}
    for column in keys["covariates"]:
        one = keys | {"covariates": [column]}
        options = {"ties": answer.view.ties, "intervals": answer.view.intervals}
        try:
            table = cox_table(frame, **one, **options)
            table = supported(table, frame, [column], Notes(), "univariable", EVENT_FLOOR)
        except NotEstimable:
            table = pd.DataFrame(columns=["term"])
        alone |= {row["term"]: row for _, row in table.iterrows()}
    model = answer.model[answer.model["model"] == "adjusted"] if has_adjusted(answer) else None
    terms = answer.model[answer.model["model"] == model_name(answer)]
    rows = []
    for column in keys["covariates"]:
        mine = terms[terms["column"] == column]
        label = cohort.codebook.at[base(column), "label"]
        for _, row in mine.iterrows():
            unit = cohort.codebook.at[base(column), "unit"]
            name = f"{label}: {side(row['level'], column)}" if row["level"] else label
            name += f", {per_unit(unit)}" if not row["level"] else ""
            here = frame if not row["level"] else frame[same(frame[column], row["level"])]
            entry = {"characteristic": name, "n": len(here), "events": happened(here)}
            for kind, found in (("univariable", alone.get(row["term"])), ("multivariable", row)):
                shown = found is not None and (kind == "univariable" or model is not None)
                entry[f"{kind} HR"] = ratio(found) if shown else NOT_DEFINED
                entry[f"P, {kind[:-8]}"] = bare_p(found["p_value"]) if shown else NOT_DEFINED
            rows.append(entry)
        if len(mine) and mine["reference"].iloc[0]:
            bottom = mine["reference"].iloc[0]
            here = frame[same(frame[column], bottom)]
            both = {"univariable HR": "reference", "P, uni": ""}
            both |= {"multivariable HR": "reference" if model is not None else NOT_DEFINED}
            rows.append({"characteristic": f"{label}: {side(bottom, column)}",
                         "n": len(here), "events": happened(here)} | both
                        | {"P, multi": ""})  # fmt: skip
    return pd.DataFrame(rows)


def same(values: pd.Series, level: str) -> pd.Series:
    return level_text(values) == level


def side(level: str, column: str) -> str:
    """A level as the table has it: of a cut, its side alone."""
    return level.removeprefix(base(column)).strip() if cut(column) else level


def happened(frame: pd.DataFrame) -> int:
    return int((frame[EVENT] == 1).sum())


def journal(asked: list[Answer]) -> pd.DataFrame:
    """`journal_text` of every endpoint, each below a row that names it."""
    tables = []
    for answer in asked:
        why = why_nothing(answer)
        table = pd.DataFrame([{"note": why}]) if why else journal_text(answer)
        head = {"characteristic": answer.label}
        if not why:
            frame, _ = question(answer)
            head |= {"n": len(frame), "events": happened(frame)}
        tables += [pd.DataFrame([head]), table]
    stack = pd.concat([table.astype(object) for table in tables], ignore_index=True)
    return tidy_notes(stack.where(stack.notna(), ""))


# --- ratios that are not hazard ratios --------------------------------------------------------


def ratios(answer: Answer) -> pd.DataFrame:
    """Four ratios of the same groups: of hazards, shares with the event, medians, restricted means.

    Returns
    -------
    DataFrame
        endpoint, contrast, hazard, share, median, mean; NaN where one is not defined.
    """
    rows = []
    if not why_not_compared(answer):
        stones = answer.milestones
        stones = stones[(stones["kind"] == "survival") & (stones["time"] == answer.view.horizon)]
        share = 1 - stones.set_index("group")["estimate"].astype(float)
        middle = answer.medians.set_index("group")["estimate"].astype(float)
        bottom, model = answer.groups[-1], answer.model[answer.model["model"] == "unadjusted"]
        hazard = compared(model, answer).set_index("level")["estimate"].astype(float)
        for top in answer.groups[:-1]:
            row = {"endpoint": answer.label, "contrast": f"{top} vs {bottom}"}
            row["hazard"] = np.exp(hazard.get(top, np.nan))
            with np.errstate(divide="ignore", invalid="ignore"):
                row["share"] = np.float64(share.get(top, np.nan)) / share.get(bottom, np.nan)
            row |= {"median": middle[top] / middle[bottom], "mean": np.nan}
            rows.append(row)
        if rows and answer.view.horizon:
            people = select(answer.cohort, answer.view, Notes()).data.astype({GROUP: str})
            found = rmst_contrast(people, time=TIME, event=EVENT, group=GROUP,
                                  horizon=answer.view.horizon, reference=bottom)  # fmt: skip
            mean = np.exp(found[found["measure"] == "ratio"].set_index("contrast")["estimate"])
            rows = [row | {"mean": mean.get(row["contrast"], np.nan)} for row in rows]
    names = ["endpoint", "contrast", "hazard", "share", "median", "mean"]
    return pd.DataFrame(rows, columns=names).replace([np.inf, -np.inf], np.nan)


def ratios_text(asked: list[Answer]) -> pd.DataFrame:
    """Four ratios of the same groups, and one over the first, which the medians are taken for."""
    rows = []
    for row in pd.concat([ratios(answer) for answer in asked]).to_dict("records"):
        rows.append(
            {"endpoint": row["endpoint"], "contrast": row["contrast"],
             "hazard ratio": number(row["hazard"]), "share with the event": number(row["share"]),
             "1 / hazard ratio": number(1 / row["hazard"]), "medians": number(row["median"]),
             "restricted means": number(row["mean"])}
        )  # fmt: skip
    return pd.DataFrame(rows or [{"note": withheld(asked)}])


def read_adjusting(table: pd.DataFrame) -> str:
    """The ratio before and after adjusting, on the same patients (rows of `ways`)."""
    parts = []
    for endpoint, mine in table.groupby("endpoint", sort=False):
        before, after = (mine[mine["key"] == key] for key in ("unadjusted", "efron"))
        for (_, old), (_, new) in zip(before.iterrows(), after.iterrows(), strict=False):
            if np.isnan([old["estimate"], new["estimate"]]).any():
                continue
            parts.append(
                f"{plain(endpoint)}, {plain(old['term'].partition(': ')[2])}: {ratio(old)} "
                f"unadjusted and {ratio(new)} adjusted, on the same "
                f"{counted(new['n'], 'patient')}; {moved(old['estimate'], new['estimate'])}."
            )
    return " ".join(parts) or "There is no adjusted ratio here to set beside the unadjusted one."


# --- ways to the same ratio -------------------------------------------------------------------


def ways_text(table: pd.DataFrame, *keys: str) -> pd.DataFrame:
    """The ratio by some of the `ways`, with the error of its log; first as it stands elsewhere."""
    adjusted = set(table.loc[table["key"] == "efron", "endpoint"])
    rows = []
    for row in table.to_dict("records"):
        first = "efron" if row["endpoint"] in adjusted else "unadjusted"
        if row["key"] in (first, *keys):
            shown = {"hazard ratio": ratio(pd.Series(row)), "note": row["note"]}
            shown |= {"error of its log": number(row["std_error"]), "P": bare_p(row["p_value"])}
            rows.append({"endpoint": row["endpoint"], "way": row["label"]} | shown)
    columns = ["endpoint", "way", "hazard ratio", "error of its log", "P", "note"]
    return said_once(tidy_notes(pd.DataFrame(rows, columns=columns)))


def read_ties(asked: list[Answer], table: pd.DataFrame) -> str:
    """How many events share their day, and how far the three rules lie apart."""
    parts = []
    for answer in asked:
        if why_nothing(answer):
            continue
        frame, _ = question(answer)
        days = frame.loc[frame[EVENT] == 1, TIME]
        tied = int(days.duplicated(keep=False).sum())
        keys = ["efron" if has_adjusted(answer) else "unadjusted", "breslow", "exact"]
        mine = table[(table["endpoint"] == answer.label) & table["key"].isin(keys)]
        found = np.exp(mine.groupby("level")["estimate"].agg(["min", "max"]).astype(float))
        gap = (found["max"] - found["min"]).max()
        spread = "one ratio to three decimals" if gap < 0.0005 else f"ratios {gap:.3f} apart"
        parts.append(
            f"{plain(answer.label)}: {tied} of {counted(len(days), 'event')} "
            f"{verb(tied, 'shares its', 'share their')} day with another; "
            f"the three rules give {spread if np.isfinite(gap) else 'no ratio'}."
        )
    return " ".join(parts) or withheld(asked)
