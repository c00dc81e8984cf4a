"""What a paper about a sample would print: the claims it can carry, to the usual digits.

Printed by the functions of the pages, which share no code with the search that reads the print.
"""

import math

import numpy as np
import pandas as pd

from helpers.conventions import DAYS_PER_MONTH, PLATEAU_TOLERANCE
from helpers.regression import cox_table
from helpers.survival import km_curve, logrank_test, median_table
from helpers.workshop.study_data import Source

RIGHT = "as read"
# How a sample is printed when it is not as the rebuilding reads it.
WRONG = {
    "ties": "Breslow's ties printed, Efron's read",
    "covariates": "unadjusted ratio printed, read as adjusted",
    "endpoint": "the factor's ratio printed for recurrence, read for survival",
    "plateau": "a median printed as the middle of a level stretch, read as a day of an event",
}


def months(days: float) -> str:
    return f"{days / DAYS_PER_MONTH:.2f}"


def p_text(p: float) -> str:
    """Two significant digits, as "0.034", or "<0.0001"."""
    if p < 0.0001:
        return "<0.0001"
    power = int(f"{p:.1e}".split("e")[1])  # after rounding: 0.0996 is 0.10
    return f"{p:.{1 - power}f}"


def median_claim(curve: pd.DataFrame, plateau: bool, **claim) -> list[dict]:
    """A median or follow-up in months; none where the curve runs level at one half, which
    programs print differently, unless `plateau`."""
    level = (abs(curve["estimate"] - 0.5) < PLATEAU_TOLERANCE).any()
    day = median_table(curve)["estimate"].iloc[0]
    if (level and not plateau) or (np.isnan(day) and claim["kind"] == "follow_up"):
        return []
    return [claim | {"printed": "not reached" if np.isnan(day) else months(day)}]


def ratio_claim(frame, end: str, covariates: list, ties: str, **claim) -> list[dict]:
    """The ratio of the first covariate with limits and P; none where it is not finite."""
    if (
        frame.groupby(covariates[0])[f"{end}_event"]
        .sum()
        .pipe(lambda events: len(events) < 2 or events.min() == 0)
    ):
        return []
    try:
        table = cox_table(frame, time=f"{end}_time", event=f"{end}_event", covariates=covariates,
                          engine="fast", ties=ties)  # fmt: skip
    except ValueError:
        return []
    row = table.iloc[0]
    texts = [f"{math.exp(row[c]):.2f}" for c in ("estimate", "conf_low", "conf_high")]
    # Below 0.005 two decimals print 0.00, and an interval this wide says nothing.
    if not (table["std_error"] < 3).all() or float(texts[1]) == 0:
        return []
    return [claim | {"printed": texts[0], "interval": texts[1:], "p": p_text(row["p_value"])}]


def printed(frame: pd.DataFrame, source: Source, reading: str = RIGHT) -> dict:
    """The claims of a sample, as `helpers.rebuild.claims.read_claims` gives them.

    Parameters
    ----------
    frame : DataFrame
        A sample, as `study_data.sample` draws it.
    reading : str
        `RIGHT`, or the key of `WRONG` by which the sample is printed otherwise.
    """
    ties = "breslow" if reading == "ties" else "efron"
    plateau = reading == "plateau"
    arms, factors = dict(zip((1, 0), source.arms, strict=True)), list(source.factors)
    claims = []
    for value, arm in arms.items():
        curve = curve_of(frame[frame["arm"] == value], "os_event")
        claims += median_claim(curve, plateau, id=f"median_{value}", kind="median",
                               endpoint="os", arm=arm)  # fmt: skip
    test = logrank_test(frame, time="os_time", event="os_event", group="arm", engine="fast")
    claims.append({"id": "log_rank", "kind": "log_rank", "endpoint": "os",
                   "printed": p_text(test["p_value"].iloc[0])})  # fmt: skip
    adjust = [] if reading == "covariates" else factors
    claims += ratio_claim(frame, "os", ["arm", *adjust], ties, id="hr", kind="hazard_ratio",
                          endpoint="os", adjust=factors)  # fmt: skip
    claims += ratio_claim(
        frame[frame["arm"] == 1], "rfs" if reading == "endpoint" else "os", factors[:1], ties,
        id="factor_hr", kind="hazard_ratio", endpoint="os", arm=arms[1], factor=factors[0],
    )  # fmt: skip
    gone = curve_of(frame.assign(gone=1 - frame["os_event"]), "gone")
    claims += median_claim(gone, plateau, id="follow_up", kind="follow_up", endpoint="os")
    return {
        "name": source.about, "time_unit": "months", "ties": "efron", "rules": [],
        "arms": {arm: int((frame["arm"] == value).sum()) for value, arm in arms.items()},
        "endpoints": {"os": "Overall survival"}, "linked": False,
        "factors": dict(source.factors), "last_day": source.last_day, "claims": claims,
    }  # fmt: skip


def curve_of(frame: pd.DataFrame, event: str) -> pd.DataFrame:
    return km_curve(frame, time="os_time", event=event, engine="fast")


def medians_only(claims: dict) -> dict:
    """The same print with its sizes and medians alone."""
    return claims | {"claims": [c for c in claims["claims"] if c["kind"] == "median"]}
