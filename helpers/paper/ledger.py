"""The ledger: every printed number against what is computed, each with a verdict and a reason.

`computed` takes the numbers from a cohort and knows nothing of the print; `ledger` judges them.
Only the cohort that was built for the paper is ever compared with it.
"""

import numpy as np
import pandas as pd

from helpers.analysis import analyse
from helpers.cohort import Cohort
from helpers.conventions import PLATEAU_TOLERANCE
from helpers.estimators.response import odds_ratios, response_p
from helpers.estimators.times import follow_up
from helpers.paper.forensics import (
    counts_that_print,
    follow_up_bound,
    interval_against_p,
    possible_tables,
)
from helpers.paper.published import (
    ADJUSTMENTS,
    MONTHS,
    VERDICTS,
    chosen,
    load_published,
    printing_interval,
)
from helpers.view import View, Where

FOLLOWS, CONSISTENT, BUILT, STATED, IMPOSSIBLE, OPEN = VERDICTS
NOT_MET = "not met"
MARGIN = 0.01  # of an interval's width: nothing is met on its edge
UNPUBLISHED = "No patient-level data was published."
NEEDED = (
    "os_time", "pfs_time", "response", "ecog", "ipi", "crs_grade", "icans_grade", "ae_recovered",
)  # fmt: skip
COLUMNS = ["id", "quantity", "printed", "computed", "verdict", "reason"]


def claims(readings: dict[str, str] | None = None) -> pd.DataFrame:
    """One row per printed number, with ids such as os_hr.low, os_hr.high and os_hr.p.

    Returns
    -------
    DataFrame
        id, row (the row of data/published.csv it stands in), quantity, printed, low, high (of
        the true values that print so), reading, attainable.
    """
    readings = chosen(readings)
    rows = []
    for row in load_published().itertuples():
        quantity = row.quantity
        if row.arm and row.arm not in quantity:
            quantity += f", {row.arm}"
        decimals = row.decimals if readings["dropped zero"] == "two decimals" else None
        low, high = row.low, row.high
        if pd.notna(row.decimals):
            low, high = printing_interval(row.printed, decimals)
        if row.id == "crs_g3" and readings["5/54 for 9.2%"] == "truncated":
            low, high = row.value, row.value + 0.1
        also = (row.id, row.reading, row.attainable)
        rows.append((row.id, quantity, row.printed, low, high, *also))
        for name, about, printed in (
            ("low", "lower 95% limit", row.lower_bound),
            ("high", "upper 95% limit", row.upper_bound),
            ("p", "P", row.p_printed),
        ):
            if printed:
                limits = printing_interval(printed, None if name == "p" else decimals)
                about = f"{quantity}: {about}"
                rows.append((f"{row.id}.{name}", about, printed, *limits, *also))
    names = ["id", "quantity", "printed", "low", "high", "row", "reading", "attainable"]
    return pd.DataFrame(rows, columns=names)


def computed(cohort: Cohort, readings: dict[str, str] | None = None) -> pd.DataFrame:
    """The numbers of a cohort that the paper prints of its own, by the ids of `claims`.

    Parameters
    ----------
    cohort : Cohort
        With os, pfs, response, ecog, ipi, crs_grade, icans_grade and ae_recovered.
    readings : dict, optional
        Name to choice, where it is not the default of `published.READINGS`.

    Returns
    -------
    DataFrame
        Index id; value (months, percent 0 to 100, counts, ratios or P, as the paper's unit is)
        and problem: why a value is missing or cannot count.

    Raises
    ------
    ValueError
        A column is missing.
    """
    absent = [column for column in NEEDED if column not in cohort.frame]
    if absent:
        raise ValueError(
            f"{absent[0]}: found no such column. To do: give all of {', '.join(NEEDED)}."
        )
    readings = chosen(readings)
    frame, month = cohort.frame, MONTHS[readings["month length"]]
    first = frame["arm"] == cohort.arms[0]
    values, problems = {"n_total": len(frame)}, {}
    tables = []
    for name, arm in (("cd20", first), ("noncart", ~first)):
        response = frame.loc[arm, "response"].dropna()
        x, n = int((response == "CR").sum()), int((response != "NE").sum())
        tables += [x, n]
        values |= {f"n_{name}": arm.sum(), f"n_{name}.percent": 100 * arm.mean()}
        values |= {f"crr_{name}": x, f"crr_{name}.n": n, f"crr_{name}.percent": 100 * x / n}
    values["crr_p"] = response_p(readings["test behind crr_p"], *tables)
    values["followup"] = median_follow_up(frame, readings["follow-up definition"]) / month

    adjust = ADJUSTMENTS[readings["adjustment covariates"]]
    how = {"ties": readings["tie rule"].lower(), "intervals": readings["Wald or profile"].lower()}
    for endpoint in ("pfs", "os"):
        answer = analyse(cohort, View(endpoint=endpoint, adjust=adjust, **how))
        for name, arm in zip(("cd20", "noncart"), cohort.arms, strict=True):
            key = f"{endpoint}_{name}"
            medians = answer.medians.set_index("group")["estimate"]
            values[key] = medians[arm] / month
            curve = answer.curves.loc[answer.curves["group"] == arm, "estimate"]
            if (abs(curve - 0.5) < PLATEAU_TOLERANCE).any():
                problems[key] = "The curve runs level at 0.5, where conventions differ."
        values[f"{endpoint}_p"] = answer.tests["p_value"].iloc[0]
        model = answer.model[answer.model["model"] == ("adjusted" if adjust else "unadjusted")]
        values |= ratio(f"{endpoint}_hr", model[model["column"] == "arm"])

    in_first = (Where("arm", values=(cohort.arms[0],)),)
    asked = {"compare": "ecog >= 3", "where": in_first} | how
    ecog = {name: analyse(cohort, View(endpoint=name, **asked)) for name in ("pfs", "os")}
    values |= ratio("ecog_hr", ecog[readings["ECOG endpoint"].lower()].model)
    values["ecog_os"] = ratio("ecog_os", ecog["os"].model)["ecog_os.low"]
    values |= response_by_ipi(frame[first], readings["Wald or profile"])
    for name, column in (("crs_g3", "crs_grade"), ("icans_g3", "icans_grade")):
        values[name] = 100 * (frame.loc[first, column] >= 3).mean()
    values["ae_recovered"] = frame["ae_recovered"].dropna().astype(float).mean()

    table = pd.DataFrame({"value": pd.Series(values, dtype=float)}).rename_axis("id")
    return table.assign(problem=pd.Series(problems, dtype=object)).fillna({"problem": ""})


def median_follow_up(frame: pd.DataFrame, definition: str) -> float:
    """Median follow-up for survival, in days."""
    if definition == "reverse Kaplan-Meier":
        return follow_up(frame, time="os_time", event="os_event")["estimate"].iloc[0]
    kept = frame["os_event"] == 0 if definition == "survivors only" else frame["os_event"] >= 0
    return frame.loc[kept, "os_time"].median()


def ratio(name: str, model: pd.DataFrame) -> dict[str, float]:
    """Hazard ratio, limits and P of a model with one row; missing where it was withheld."""
    if len(model) != 1:
        return dict.fromkeys((name, f"{name}.low", f"{name}.high", f"{name}.p"), np.nan)
    row = model.iloc[0]
    columns = {"": "estimate", ".low": "conf_low", ".high": "conf_high"}
    values = {f"{name}{end}": np.exp(row[column]) for end, column in columns.items()}
    return values | {f"{name}.p": row["p_value"]}


def response_by_ipi(frame: pd.DataFrame, interval: str) -> dict[str, float]:
    """Odds ratio of CR or PR with an IPI of 3 or more against less."""
    known = frame[frame["response"].notna() & (frame["response"] != "NE") & frame["ipi"].notna()]
    high, responded = known["ipi"] >= 3, known["response"].isin(["CR", "PR"])
    cells = (responded & high).sum(), high.sum(), (responded & ~high).sum(), (~high).sum()
    row = odds_ratios(*([count] for count in cells), interval).iloc[0]
    names = {"odds_ratio": "", "low": ".low", "high": ".high", "p_value": ".p"}
    return {f"ipi_orr_or{end}": row[column] for column, end in names.items()}


def from_print(readings: dict[str, str]) -> dict[str, tuple[float, str, str]]:
    """What the print decides by itself: id to computed value, verdict and reason."""
    number = load_published().set_index("id")["value"]
    total, cd20, noncart = (int(number[f"n_{name}"]) for name in ("total", "cd20", "noncart"))
    added = f"{cd20} + {noncart} = {cd20 + noncart}."
    known = {"n_total": (cd20 + noncart, FOLLOWS if cd20 + noncart == total else IMPOSSIBLE, added)}
    tables = []
    for name, n in (("cd20", cd20), ("noncart", noncart)):
        known[f"n_{name}"] = (n, CONSISTENT if cd20 + noncart == total else IMPOSSIBLE, added)
        known[f"n_{name}.percent"] = (100 * n / total, FOLLOWS, f"{n}/{total}.")
        x, m = int(number[f"crr_{name}"]), int(number[f"crr_{name}.n"])
        tables += [x, m]
        known[f"crr_{name}.percent"] = (100 * x / m, FOLLOWS, f"{x}/{m}.")
        known[f"crr_{name}"] = known[f"crr_{name}.n"] = (
            np.nan, CONSISTENT, f"{x}/{m} is {100 * x / m:.2f}%.",
        )  # fmt: skip
    test = readings["test behind crr_p"]
    known["crr_p"] = (response_p(test, *tables), FOLLOWS, f"If the test is {test}.")
    for row in interval_against_p().itertuples():
        verdict = CONSISTENT if row.agrees else IMPOSSIBLE
        known[f"{row.id}.p"] = (
            row.p_value, verdict,
            f"Ratio and Wald interval imply P from {row.p_low:.2g} to {row.p_high:.2g}.",
        )  # fmt: skip
    interval, zero = readings["Wald or profile"], readings["dropped zero"]
    found = possible_tables(cd20, interval, decimals=2 if zero == "two decimals" else 1)
    for end, column in (("", "odds_ratio"), (".low", "low"), (".high", "high")):
        value = found[column].mean() if len(found) else np.nan
        known[f"ipi_orr_or{end}"] = (
            value, CONSISTENT if len(found) else IMPOSSIBLE,
            f"{len(found)} tables of {cd20} patients print it with {interval} intervals.",
        )  # fmt: skip
    severe = counts_that_print("7.4", range(cd20, cd20 + 1)).iloc[0]
    known["icans_g3"] = (severe["percent"], CONSISTENT, f"{severe['count']:.0f}/{cd20}.")
    printed = number["crs_g3"]
    near = int((printed + 0.1) / 100 * cd20)  # the count whose percentage begins with the print
    found = counts_that_print(f"{printed}", range(40, 60))
    cut = readings["5/54 for 9.2%"] == "truncated"
    known["crs_g3"] = (
        100 * near / cd20,
        CONSISTENT if cut or len(found) else IMPOSSIBLE,
        f"{len(found)} counts of 40 to 59 patients print {printed}%; {near}/{cd20} is "
        f"{100 * near / cd20:.2f}%, which is {printed}% {'if' if cut else 'only if'} truncated.",
    )
    bound = follow_up_bound().iloc[-1]
    plain = readings["follow-up definition"] == "plain median" and not bound["possible"]
    known["followup"] = (
        np.nan,
        IMPOSSIBLE if plain else OPEN,
        f"Not the plain median: at most {bound['most_watched']} of {total} are watched after "
        f"{bound['months']} months.",
    )
    return known


def ledger(cohort: Cohort | None = None, readings: dict[str, str] | None = None) -> pd.DataFrame:
    """Every printed number, what is computed for it, a verdict and the reason.

    Parameters
    ----------
    cohort : Cohort, optional
        The one built for the paper. Without it only what follows from the print is judged.
    readings : dict, optional
        Name to choice, where it is not the default of `published.READINGS`.

    Returns
    -------
    DataFrame
        id, quantity, printed, computed (printed unit; missing where nothing is), verdict (a
        word of VERDICTS, or "not met"), reason.

    Raises
    ------
    ValueError
        The cohort is another one: the paper's numbers are not its own.
    """
    if cohort is not None and not cohort.is_paper:
        raise ValueError(
            f"cohort: found {cohort.name!r}, which was not built for the published numbers. To "
            "do: leave it out, or give the synthetic cohort."
        )
    readings = chosen(readings)
    known = from_print(readings)
    values = computed(cohort, readings) if cohort else None
    rows = []
    for claim in claims(readings).itertuples():
        value, verdict, reason = known.get(claim.id, (np.nan, OPEN, UNPUBLISHED))
        # A P implied by rounded limits may differ in its last digit and still agree.
        checked = verdict in (FOLLOWS, CONSISTENT) and not claim.id.endswith(".p")
        if checked and pd.notna(value) and not inside(value, claim, 0.0):
            verdict, reason = IMPOSSIBLE, f"{value:.4g} does not print so. {reason}"
        if values is not None:
            value, problem = values.loc[claim.id]
            verdict, reason = judge(claim, value, problem, verdict, reason, readings)
        rows.append((claim.id, claim.quantity, claim.printed, value, verdict, reason))
    return pd.DataFrame(rows, columns=COLUMNS)


def section(cohort: Cohort, *beginnings: str) -> pd.DataFrame:
    """The rows of the `ledger` whose ids begin so: what one page is about."""
    table = ledger(cohort)
    return table[table["id"].str.startswith(beginnings)].reset_index(drop=True)


def judge(claim, value, problem, verdict, reason, readings) -> tuple[str, str]:
    """Verdict and reason for a cohort's value, given those that the print has by itself."""
    if verdict == IMPOSSIBLE and claim.attainable == "no":
        return verdict, reason
    if problem or not inside(value, claim, MARGIN):
        limits = f"{claim.low:.6g} to {claim.high:.6g}"
        return NOT_MET, problem or f"Not within {limits}, less 1% of the width at each end."
    named = "; ".join(f"{name}: {readings[name]}" for name in claim.reading.split(";") if name)
    if named:
        return STATED, f"{named[0].upper()}{named[1:]}."
    if verdict == FOLLOWS:
        return verdict, reason
    return BUILT, "Built to print this: no evidence."


def inside(value: float, claim, margin: float) -> bool:
    """Whether a value prints as the claim and keeps its distance from where it would not."""
    if claim.low == claim.high:  # a statement about everybody
        return bool(value == claim.low)
    edge = margin * (claim.high - claim.low) if np.isfinite(claim.high) else 0.0
    low = claim.low + edge if claim.low else 0.0  # only "less than" begins at zero
    return bool(low <= value and not value >= (claim.high - edge))
