"""What the page on Cox models asks: which covariates, which patients, and each way to a ratio.

Tidy frames; how they read is in `helpers.pages.cox_page`. Every table of one endpoint concerns the
same patients: those of the View in whom each column of the fullest model is known.
"""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.analysis import Answer, analyse
from helpers.cohort import Cohort
from helpers.conventions import DAYS_PER_MONTH
from helpers.estimators.adjusted import adjusted_curves, separate_curves
from helpers.estimators.nonproportional import ph_test, schoenfeld, time_split
from helpers.fit.design import prepared, without_eventless
from helpers.pages.asking import why_not_compared
from helpers.pages.covariates import base
from helpers.paper.published import ADJUSTMENTS, READINGS
from helpers.regression import NotEstimable, cox_table, firth_cox_table, influence_table
from helpers.selection import EVENT, GROUP, TIME, Notes, select
from helpers.survival import km_curve
from helpers.view import View
from helpers.words import months

EVENTS_EACH = 10  # events for each term of a model: a habit
FIRST_ROW = 2  # of a patient in a spreadsheet, below the header
WALD, PROFILE, ROBUST = "Wald limits", "profile limits", "robust errors"
FIRTH, PERIOD = "Firth's penalty", "one period"
SEPARATE = "adjusted, a model for each group"
# key, what the label adds, adjusted where there are covariates, estimator, its options, method
WAYS = (
    ("unadjusted", "", False, cox_table, {}, WALD),
    ("efron", "", True, cox_table, {}, WALD),
    ("breslow", ", Breslow's ties", True, cox_table, {"ties": "breslow"}, WALD),
    ("exact", ", exact ties", True, cox_table, {"ties": "exact"}, WALD),
    ("profile", ", profile limits", True, cox_table, {"intervals": "profile"}, PROFILE),
    ("robust", ", robust errors", True, cox_table, {"robust": True}, ROBUST),
    ("firth", ", Firth's penalty (Breslow's ties)", True, firth_cox_table, {}, FIRTH),
)
NUMBERS = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]


# --- which covariates -------------------------------------------------------------------------


def with_adjustment(cohort: Cohort, view: View) -> View:
    """The View with covariates: its own, or those of the paper's reading.

    A cohort of the reader's whose View names none is not adjusted: nothing is chosen for it.
    """
    if view.adjust or not cohort.is_paper:
        return view
    reading = ADJUSTMENTS[READINGS["adjustment covariates"].default]
    names = tuple(name for name in reading if base(name) != base(view.compare))
    return replace(view, adjust=names)


# --- which patients ---------------------------------------------------------------------------


def question(answer: Answer, *, adjusted: bool = True) -> tuple[pd.DataFrame, dict]:
    """The patients of a model and the keywords of `cox_table`; adjusted as far as the View is."""
    who = select(answer.cohort, answer.view, Notes())
    compare, adjust = answer.view.compare, answer.view.adjust if has_adjusted(answer) else ()
    frame = who.data.dropna(subset=[TIME, EVENT, compare, *adjust])
    covariates = [compare, *(adjust if adjusted else ())]
    keys = {"time": TIME, "event": EVENT, "covariates": covariates}
    return frame, keys | {"references": {compare: who.reference}}


def has_adjusted(answer: Answer) -> bool:
    """Is there an adjusted ratio of the groups?"""
    rows = compared(answer.model[answer.model["model"] == "adjusted"], answer)
    return bool(rows["estimate"].notna().any())


def model_name(answer: Answer) -> str:
    return "adjusted" if has_adjusted(answer) else "unadjusted"


def compared(table: pd.DataFrame, answer: Answer) -> pd.DataFrame:
    """The rows of a model that compare the groups."""
    return table[table["column"] == answer.view.compare]


def why_nothing(answer: Answer) -> str:
    """Why the groups of an answer have no hazard ratio, or ''."""
    if why := why_not_compared(answer):
        return why
    rows = compared(answer.model, answer)
    if rows["estimate"].notna().any():
        return ""
    notes = answer.notes[answer.notes["about"].str.endswith("hazard ratio")]["note"]
    said = " ".join(notes.drop_duplicates()).removeprefix("Withheld").strip(": .")
    return said.removeprefix("for ")


def matrix(answer: Answer, model: str) -> tuple[pd.DataFrame, pd.Series]:
    """What a model is fitted to, for a library that wants it so, and the unit of each term.

    A column per term with an estimate, divided by its standard deviation (the unit), so that a
    skewed number does not throw the steps of an optimiser; and _time and _event.
    """
    who = select(answer.cohort, answer.view, Notes())
    covariates = [answer.view.compare, *(answer.view.adjust if model == "adjusted" else ())]
    references = {answer.view.compare: who.reference}
    fitted = without_eventless(prepared(who.data, TIME, EVENT, covariates, references), EVENT)
    unit = fitted.matrix[fitted.rows].std()
    scaled = (fitted.matrix / unit)[fitted.rows]
    return scaled.join(fitted.data[[TIME, EVENT]]), unit


def standard(answer: Answer) -> Answer:
    """The same question with Efron's ties and Wald limits, which is what lifelines has."""
    return analyse(answer.cohort, replace(answer.view, ties="efron", intervals="wald"))


# --- tidy frames ------------------------------------------------------------------------------


def cut_day(frame: pd.DataFrame) -> float:
    """The day by which half of the events had happened; NaN with fewer than two event days."""
    days = np.sort(frame.loc[frame[EVENT] == 1, TIME].to_numpy(float))
    return days[(len(days) - 1) // 2] if len(set(days)) > 1 and days[-1] > days[0] else np.nan


def ways(asked: list[Answer]) -> pd.DataFrame:
    """The ratio of the groups by each way of the page, a row per endpoint, group and way.

    Returns
    -------
    DataFrame
        endpoint, key, label, method, term, level, the numbers of `cox_table` (log scale), n,
        n_event, note (why a number is missing).
    """
    tables = [one_answer(answer) for answer in asked]
    return pd.concat(tables, ignore_index=True)


def one_answer(answer: Answer) -> pd.DataFrame:
    rows, start = [], {"endpoint": answer.label} | dict.fromkeys(NUMBERS, np.nan)
    if why := why_nothing(answer):
        start |= {"key": "unadjusted", "label": "Unadjusted", "method": WALD, "term": ""}
        first = pd.DataFrame([start | {"level": "", "n": 0, "n_event": 0, "note": why}])
        return pd.concat([first, *finite(answer)], ignore_index=True)
    adjusted = has_adjusted(answer)
    for key, more, full, estimator, options, method in WAYS:
        if key == "efron" and not adjusted:
            continue
        frame, keys = question(answer, adjusted=full)
        name = ("Adjusted" if full and adjusted else "Unadjusted") + more
        try:
            table, note = estimator(frame, **keys, **options), ""
        except (NotEstimable, ValueError) as reason:
            table, note = cox_table(frame, **keys).assign(**dict.fromkeys(NUMBERS, np.nan)), reason
        rows += labelled(table.assign(note=str(note)), answer, key, name, method)
    frame, keys = question(answer)
    day = cut_day(frame)
    if np.isfinite(day):
        split = time_split(frame, **keys, cut=day)
        for key, period in zip(("early", "late"), split["period"].unique(), strict=False):
            side = "up to" if key == "early" else "after"
            name = f"{'A' if adjusted else 'Una'}djusted, {side} month {months(day)}"
            rows += labelled(split[split["period"] == period], answer, key, name, PERIOD)
    return pd.DataFrame(rows)


def finite(answer: Answer) -> list[pd.DataFrame]:
    """Firth's ratio where a group without events leaves no other; [] where nothing is compared."""
    if why_not_compared(answer):
        return []
    frame, keys = question(answer, adjusted=False)
    try:
        table = firth_cox_table(frame, **keys).assign(note="")
    except NotEstimable:
        return []
    rows = labelled(table, answer, "firth", "Unadjusted, Firth's penalty (Breslow's ties)", FIRTH)
    return [pd.DataFrame(rows)]


def labelled(table: pd.DataFrame, answer: Answer, key: str, name: str, method: str) -> list[dict]:
    """The rows that compare the groups, as rows of `ways`."""
    table, rows = compared(table, answer), []
    for row in table.to_dict("records"):
        label = f"{name}: {row['level']}" if len(table) > 1 else name
        chosen = {k: row[k] for k in ("term", "level", *NUMBERS, "n", "n_event", "note")}
        rows.append({"endpoint": answer.label, "key": key, "label": label, "method": method}
                    | chosen)  # fmt: skip
    return rows


def change(answer: Answer) -> pd.DataFrame:
    """The rows of `time_split` that compare the groups, with the day; empty where there is none."""
    if why_nothing(answer):
        return pd.DataFrame(columns=["term", *NUMBERS, "day"])
    frame, keys = question(answer)
    day = cut_day(frame)
    if np.isnan(day):
        return pd.DataFrame(columns=["term", *NUMBERS, "day"])
    return compared(time_split(frame, **keys, cut=day), answer).assign(day=day)


def periods(answer: Answer) -> pd.DataFrame:
    """The two periods of `change` for the watched term."""
    table = change(answer)
    return table[table["term"] == watched(answer)].head(2) if len(table) else table


def whole(answer: Answer) -> float:
    """The log hazard ratio of the watched term over the whole time; NaN for none."""
    if why_nothing(answer):
        return np.nan
    rows = answer.model[answer.model["model"] == model_name(answer)]
    return rows.set_index("term").at[watched(answer), "estimate"]


def checks(answer: Answer) -> pd.DataFrame:
    """`ph_test` of the fullest model, and beside it lifelines' P (NaN where it has none)."""
    if why := why_nothing(answer):
        return pd.DataFrame([{"term": "GLOBAL", "p_value": np.nan, "lifelines": np.nan,
                              "statistic": np.nan, "note": why}])  # fmt: skip
    frame, keys = question(answer)
    table = ph_test(frame, **keys)
    return table.assign(lifelines=table["term"].map(lifelines_check(answer)))


def lifelines_check(answer: Answer) -> dict[str, float]:
    """P of lifelines' own check, by term, with the same transform of time."""
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError
    from lifelines.statistics import proportional_hazard_test

    try:
        data, _ = matrix(standard(answer), model_name(answer))
        data = data.reset_index(drop=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = CoxPHFitter().fit(data, TIME, EVENT, fit_options={"precision": 1e-10})
            found = proportional_hazard_test(fit, data, time_transform="km").summary
    except (ConvergenceError, NotEstimable, ValueError, np.linalg.LinAlgError):
        return {}
    return found["p"].to_dict()


def residuals(answer: Answer) -> pd.DataFrame:
    """Scaled Schoenfeld residuals of the first row that compares the groups; may be empty."""
    columns = ["term", "time", "transformed_time", "residual"]
    if why_nothing(answer):
        return pd.DataFrame(columns=columns)
    frame, keys = question(answer)
    try:
        table = schoenfeld(frame, **keys)
    except NotEstimable:
        return pd.DataFrame(columns=columns)
    return table[table["term"] == watched(answer)].reset_index(drop=True)


def watched(answer: Answer) -> str:
    """The term that the figures follow: the first comparison with an estimate."""
    rows = compared(answer.model[answer.model["model"] == model_name(answer)], answer)
    return rows.loc[rows["estimate"].notna(), "term"].iloc[0]


def influence(answer: Answer) -> pd.DataFrame:
    """`influence_table` of the watched term, with group, month and event; empty without a ratio.

    `row` counts as a spreadsheet does, the header being row 1 and empty rows not counted; it is no
    patient's id.
    """
    columns = ["row", "group", "month", "event", "dfbeta", "hazard_ratio", "note"]
    if why_nothing(answer):
        return pd.DataFrame(columns=columns)
    frame, keys = question(answer)
    table = influence_table(frame, **keys, term=watched(answer))
    table = table.assign(
        row=frame.index.to_numpy() + FIRST_ROW, group=frame[GROUP].astype(str).to_numpy(),
        month=frame[TIME].to_numpy(float) / DAYS_PER_MONTH, event=frame[EVENT].to_numpy(float),
    )  # fmt: skip
    return table[columns]


def standardised_curves(answer: Answer) -> tuple[pd.DataFrame, str]:
    """Kaplan-Meier and direct adjusted curves of the same patients (kind, group, time, n_risk,
    estimate), up to where a group has nobody left at risk; or none, and why."""
    nothing = pd.DataFrame(columns=["kind", "group", "time", "n_risk", "estimate"])
    if why := why_nothing(answer):
        return nothing, why
    if not has_adjusted(answer):
        return nothing, "there is no adjusted model here, so there is nothing to average over"
    frame, keys = question(answer)
    try:
        ties = answer.view.ties if answer.view.ties != "exact" else "efron"
        made = adjusted_curves(frame, **keys, group=answer.view.compare, ties=ties)
    except (NotEstimable, ValueError) as reason:
        return nothing, str(reason)
    plain = km_curve(frame, time=TIME, event=EVENT, group=GROUP)
    kinds = [plain.assign(kind="as observed"), made.assign(kind="adjusted")]
    try:
        own = separate_curves(frame, **keys, group=answer.view.compare, ties=ties)
        kinds.append(own.assign(kind=SEPARATE, n_risk=made["n_risk"].to_numpy()))
    except NotEstimable:
        pass  # a small group may not bear a model of its own; the sentence then says less
    every = pd.concat(kinds)
    return every.loc[every["n_risk"] > 0, list(nothing)].reset_index(drop=True), ""
