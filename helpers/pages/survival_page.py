"""The page on survival curves: its tables as text, its sentences and alt texts.

Whatever is shown here concerns the patients of the same View; where `analyse` withholds a
comparison, so does this page.
"""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.analysis import Answer
from helpers.cohort import Cohort
from helpers.conventions import DAYS_PER_MONTH
from helpers.estimators.nonproportional import weighted_logrank
from helpers.estimators.times import follow_up_definitions, median_interval_types, rmst_contrast
from helpers.fit.ranktests import WEIGHTS
from helpers.pages import causes as causes  # the part on competing causes, reached through here
from helpers.pages.asking import answers as answers
from helpers.pages.asking import counts_text as counts_text
from helpers.pages.asking import remarks as remarks
from helpers.pages.asking import selected, tidy_notes, why_not_compared
from helpers.pages.asking import stacked as stacked
from helpers.pages.asking import views as views
from helpers.pages.cox_asked import with_adjustment
from helpers.selection import EVENT, FEW_LEVELS, GROUP, TIME, known_too_late
from helpers.survival import km_curve, wald
from helpers.view import with_cuts
from helpers.words import (
    bare_p,
    interval,
    lower,
    months,
    number,
    p_value,
    p_with_method,
    plain,
    quoted,
    ratio,
    start,
)

NAMES = {"time": TIME, "event": EVENT, "group": GROUP}
KINDS = ("log-log", "plain", "log")
SHORT = ("estimate", "conf_low", "conf_high")


# --- medians ----------------------------------------------------------------------------------


def median_kinds(asked: list[Answer]) -> pd.DataFrame:
    """Medians with each kind of limits (days): `median_interval_types` with endpoint in front."""
    tables = [pd.DataFrame(columns=["endpoint", "group", "interval", *SHORT])]
    for answer in asked:
        if answer.groups:
            table = median_interval_types(selected(answer), **NAMES).assign(endpoint=answer.label)
            table = table.sort_values(
                "group", key=lambda g: g.map(answer.groups.index), kind="stable"
            )
            tables.append(table[list(tables[0])])
    return pd.concat(tables[1:] or tables, ignore_index=True)


def median_kinds_text(kinds: pd.DataFrame) -> pd.DataFrame:
    """One row per endpoint and group: the limits of the median of each kind, in months."""
    rows, said = [], set()
    for (endpoint, group), part in kinds.groupby(["endpoint", "group"], sort=False):
        row = {"endpoint": "" if endpoint in said else endpoint, "group": group}
        said.add(endpoint)
        for kind in KINDS:
            ends = part.loc[part["interval"] == kind, ["conf_low", "conf_high"]].iloc[0]
            row[kind] = "no limits" if ends.isna().all() else " to ".join(map(months, ends))
        rows.append(row)
    return pd.DataFrame(rows or [{"note": "No patient is left."}])


def differing(kinds: pd.DataFrame) -> pd.DataFrame:
    """Limits that depend on their kind, as shown: endpoint, group, side, shown, gap (days; a limit
    that only some kinds reach counts most)."""
    rows = []
    for (endpoint, group), part in kinds.groupby(["endpoint", "group"], sort=False):
        for side, column in (("lower", "conf_low"), ("upper", "conf_high")):
            days = part[column].sort_values()
            shown = list(dict.fromkeys(months(day) for day in days))
            gap = np.inf if days.isna().any() else days.max() - days.min()
            if len(shown) > 1:
                rows.append((endpoint, group, side, shown, gap))
    return pd.DataFrame(rows, columns=["endpoint", "group", "side", "shown", "gap"])


def read_median_kinds(kinds: pd.DataFrame) -> str:
    """For how many medians the kind of limits matters, and where most."""
    if kinds.empty:
        return "No patient is left."
    total, found = kinds.groupby(["endpoint", "group"]).ngroups, differing(kinds)
    if found.empty:
        return f"Of {total} median{'s' * (total > 1)}, none has limits that depend on their kind."
    known = found.groupby(["endpoint", "group"]).ngroups
    most = found.loc[found["gap"].idxmax()]
    return (
        f"Of {total} median{'s' * (total > 1)}, {known} ha{'s' if known == 1 else 've'} a limit "
        f"that depends on the kind; most so the {most['side']} limit of "
        f"{plain(lower(most['endpoint']))} with {quoted(most['group'])}, in months: "
        f"{' or '.join(most['shown'])}."
    )


def alt_median_kinds(kinds: pd.DataFrame) -> str:
    """The figure of medians, from its numbers."""
    parts = [
        f"{row.endpoint}, {row.group}, {row.interval}: {months(row.conf_low)}, "
        f"{months(row.estimate)}, {months(row.conf_high)}"
        for row in kinds.itertuples()
    ]
    return (
        "Horizontal lines from lower to upper limit with a marker at the median, in months, three "
        f"lines for each endpoint and group. {'; '.join(parts) or 'No patient is left'}."
    )


def read_follow_up(asked: list[Answer]) -> str:
    """Median follow-up of all patients by reverse Kaplan-Meier, and the plain median."""
    parts = []
    for answer in asked:
        if not answer.groups:
            continue
        table = follow_up_definitions(selected(answer), time=TIME, event=EVENT)
        value = table.set_index("definition")["estimate"]
        reverse = months(value["reverse Kaplan-Meier median"], 2)
        reverse += " months" * (reverse != "not reached")
        parts.append(
            f"For {plain(lower(answer.label))} it is {reverse}; the plain median of the observed "
            f"times is {months(value['median observed time'], 2)} months."
        )
    if parts and asked[0].view.landmark:
        parts.append(f"Both are counted from {start(asked[0])}.")
    return " ".join(parts) or "No patient is left."


# --- tests ------------------------------------------------------------------------------------


def stratum(answer: Answer) -> str | None:
    """A column to stratify by: the first of few values that the View, or the paper's reading,
    adjusts for and does not compare; None where there is none, since nothing is chosen by its
    place in a file.

    Of the numbers in the rows built for print only the side of a printed cut is bound, and the
    grade on either side is invented: these are stratified by the cut.
    """
    view = answer.view
    known = with_adjustment(answer.cohort, replace(view, adjust=())).adjust
    names = dict.fromkeys([*view.adjust, *known])
    cohort = cohort_with(answer, *names)
    for column in names:
        late = known_too_late(cohort, [column], view.landmark)
        few = 2 <= cohort.frame[column].nunique() <= FEW_LEVELS
        if few and column != view.compare and not late:
            return column
    return None


def cohort_with(answer: Answer, *columns: str) -> Cohort:
    """The cohort of an answer with these columns, cuts of its numbers among them."""
    return with_cuts(answer.cohort, replace(answer.view, adjust=columns))


def weights(answer: Answer) -> pd.DataFrame:
    """What each test lets an event count, by its day: S(t-)^rho (1 - S(t-))^gamma of the pooled
    curve, scaled to a largest of 1.

    Returns
    -------
    DataFrame
        test, time (days), weight.
    """
    if not answer.groups:
        return pd.DataFrame(columns=["test", "time", "weight"])
    pooled = km_curve(selected(answer), time=TIME, event=EVENT)
    before = np.r_[1.0, pooled["estimate"].to_numpy()[:-1]]
    happened = (pooled["n_event"] > 0).to_numpy()
    parts = []
    for name, (rho, gamma) in WEIGHTS.items():
        weight = (before**rho * (1 - before) ** gamma)[happened]
        top = weight.max(initial=0) or 1.0
        days = pooled.loc[happened, "time"].to_numpy()
        parts.append(pd.DataFrame({"test": name, "time": days, "weight": weight / top}))
    return pd.concat(parts, ignore_index=True)


def alt_weights(table: pd.DataFrame) -> str:
    if table.empty:
        return "An empty figure of weights over time: nobody had the event, so nothing has weight."
    parts = []
    for name, part in table.groupby("test", sort=False):
        first, last = part["weight"].iloc[[0, -1]]
        parts.append(f"{name}: {first:.2f} at the first event, {last:.2f} at the last")
    return f"Four step lines of weight over months. {'; '.join(parts)}."


def caption_tests(answer: Answer) -> str:
    """What the tests are, and what the stratified one is stratified by."""
    column = stratum(answer)
    by = "no column here to stratify by"
    if column:
        label = cohort_with(answer, column).codebook.at[column, "label"]
        by = f"stratified by {lower(label)}"
    return f"P of each test, two-sided; {by}."


def rank_tests(asked: list[Answer]) -> pd.DataFrame:
    """`weighted_logrank` for each endpoint, with endpoint in front; a row with a note where
    nothing is compared."""
    tables = []
    for answer in asked:
        if why := why_not_compared(answer):
            table = pd.DataFrame([{"name": "log-rank", "p_value": np.nan, "note": why}])
        else:
            column = stratum(answer)
            people = selected(answer)
            if column:
                people[column] = cohort_with(answer, column).frame[column]
            table = weighted_logrank(people, **NAMES, strata=column)
        table.insert(0, "endpoint", answer.label)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def rank_text(tests: pd.DataFrame) -> pd.DataFrame:
    """P of each test, a column per endpoint, and why one is missing or whom it leaves out."""
    rows = {}
    for row in tests.to_dict("records"):
        cell = rows.setdefault(row["name"], {"test": row["name"], "note": []})
        cell[f"P, {lower(row['endpoint'])}"] = bare_p(row["p_value"])
        kept = [part for part in row["note"].split("; ") if not part.startswith("largest:")]
        cell["note"] += [f"{lower(row['endpoint'])}: {part}" for part in kept if part]
    for cell in rows.values():
        cell["note"] = "; ".join(cell["note"])
    return tidy_notes(pd.DataFrame(rows.values()).fillna(""))


def read_rank_tests(tests: pd.DataFrame) -> str:
    """How far the choice of the weight moves P, and what an honest combination of the four is."""
    parts = []
    for endpoint, part in tests.groupby("endpoint", sort=False):
        four = part[part["name"].isin(WEIGHTS)].dropna(subset=["p_value"])
        combined = part.loc[part["name"] == "MaxCombo", "p_value"].dropna()
        if len(four) < 2:
            parts.append(f"For {plain(lower(endpoint))} there is nothing to choose among.")
            continue
        ends = [p_value(four["p_value"].agg(how)) for how in ("min", "max")]
        spread = f"from {ends[0]} to {ends[1]}" if ends[0] != ends[1] else f"the same, {ends[0]}"
        text = f"For {plain(lower(endpoint))} the weights give {spread}"
        if len(combined):
            text += f"; MaxCombo, which pays for looking at all four, {p_value(combined.item())}"
        parts.append(text + ".")
    return " ".join(parts)


# --- restricted means -------------------------------------------------------------------------


def mean_text(answer: Answer) -> pd.DataFrame:
    """Restricted means in months by group, without a P: none of them is tested by itself."""
    rows = []
    for row in answer.rmst.to_dict("records"):
        if row["group"] in answer.groups:
            limits = [number(row[c] / DAYS_PER_MONTH, 1) for c in SHORT[1:]]
            rows.append(
                {"group": row["group"], "months": f"{months(row['estimate'])} {interval(*limits)}"}
            )
    return pd.DataFrame(rows)


def contrast_text(answer: Answer) -> pd.DataFrame:
    """Difference in months and ratio of restricted means, each with interval and P."""
    if why_not_compared(answer) or answer.rmst.empty:
        return pd.DataFrame()
    found = rmst_contrast(
        selected(answer), **NAMES, horizon=answer.view.horizon, reference=answer.groups[-1]
    )
    rows = []
    for name, part in found.groupby("contrast", sort=False):
        row = {"contrast": name, "note": "; ".join(sorted(set(part["note"]) - {""}))}
        for one in part.to_dict("records"):
            if one["measure"] == "ratio":
                row["ratio"] = f"{ratio(pd.Series(one))}, {p_value(one['p_value'])}"
            else:
                text = [number(one[c] / DAYS_PER_MONTH, 1) for c in SHORT]
                row["difference, months"] = f"{text[0]} {interval(*text[1:])}, {p_with_method(one)}"
        rows.append(row)
    return pd.DataFrame(rows)[["contrast", "difference, months", "ratio", "note"]]


def read_trap(answer: Answer) -> str:
    """What the P of the difference would become with lifelines' variance as that of the mean."""
    if why_not_compared(answer) or answer.rmst.empty:
        return "There is no restricted mean to compare here, so the trap has nothing to catch."
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time

    people, spread = selected(answer), {}
    for name, part in people.groupby(GROUP, observed=True):
        fit = KaplanMeierFitter().fit(part[TIME], part[EVENT])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its quadrature is short of digits not shown here
            spread[str(name)] = restricted_mean_survival_time(
                fit, t=answer.view.horizon, return_variance=True
            )[1]
    base, parts = answer.groups[-1], []
    for row in answer.rmst[~answer.rmst["group"].isin(answer.groups)].to_dict("records"):
        first = row["group"].removesuffix(f" vs {base}")
        error = np.sqrt(spread[first] + spread[base])
        if not (row["std_error"] > 0 and error > 0):
            continue
        right, wrong = wald(pd.Series([row["estimate"]] * 2), pd.Series([row["std_error"], error]))[
            "p_value"
        ]
        parts.append(
            f"{plain(row['group'])}: the error of the difference is {months(row['std_error'], 2)} "
            f"months (Wald {p_value(right)}); with the variance of min(T, horizon) in its "
            f"place it would be {months(error, 2)} months ({p_value(wrong)})."
        )
    return (
        f"{answer.label}. {' '.join(parts)}"
        if parts
        else "No event before the horizon, so there is no error."
    )
