"""A cohort whose rows are known, printed as a paper would: the claims file it could have had.

With it a rebuilt cohort can be held against the truth. What is printed is computed by the
functions of the pages, not by those of the search.
"""

import numpy as np
import pandas as pd
import yaml

from helpers.conventions import DAYS_PER_MONTH
from helpers.estimators.times import follow_up
from helpers.rebuild.checking import NOT_REACHED
from helpers.regression import cox_table
from helpers.survival import km_curve, logrank_test, median_table


def printed_claims(
    frame: pd.DataFrame, *, name: str, about: str, arms: tuple[str, str],
    endpoints: dict[str, str], factors: dict[str, str],
) -> dict:  # fmt: skip
    """The claims file of a cohort: medians, events, log-rank P, adjusted ratio, factor counts.

    Parameters
    ----------
    frame : DataFrame
        arm, <endpoint>_time (days), <endpoint>_event (1 event, 0 censored), factors (0 or 1).
    arms : pair of str
        The second is the reference.
    endpoints, factors : dict
        Name to label. The ratios are adjusted for all factors.

    Returns
    -------
    dict
        As `helpers.rebuild.claims.read_claims` reads it; times in months of 365/12 days.
    """
    claims = []
    for end in endpoints:
        own = {"time": f"{end}_time", "event": f"{end}_event"}
        medians = median_table(km_curve(frame, **own, group="arm")).set_index("group")["estimate"]
        for arm in arms:
            events = int(frame.loc[frame["arm"] == arm, own["event"]].sum())
            at = {"endpoint": end, "arm": arm}
            claims.append({"kind": "median", **at, "printed": months(medians[arm])})
            claims.append({"kind": "events", **at, "printed": str(events)})
        test = logrank_test(frame, **own, group="arm")
        p = p_text(test["p_value"].iloc[0])
        claims.append({"kind": "log_rank", "endpoint": end, "printed": p})
        model = cox_table(frame, **own, covariates=["arm", *factors], references={"arm": arms[1]})
        row = model.iloc[0]
        ratio, *interval = (f"{np.exp(row[c]):.2f}" for c in ("estimate", "conf_low", "conf_high"))
        printed = {"printed": ratio, "interval": interval, "p": p_text(row["p_value"])}
        of = {"kind": "hazard_ratio", "endpoint": end, "adjust": list(factors)}
        claims.append(of | printed)
    last = next(reversed(endpoints))
    watched = follow_up(frame, time=f"{last}_time", event=f"{last}_event")["estimate"].iloc[0]
    claims.append({"kind": "follow_up", "endpoint": last, "printed": months(watched)})
    for factor in factors:
        for arm in arms:
            own = frame.loc[frame["arm"] == arm, factor]
            text = f"{own.sum()} ({100 * own.mean():.1f}%)"
            claims.append({"kind": "patients", "factor": factor, "arm": arm, "printed": text})
    named = [{"id": claim_id(claim)} | claim for claim in claims]
    times = frame[[f"{end}_time" for end in endpoints]]
    return {
        "name": name, "about": about, "time_unit": "months",
        "arms": {arm: int((frame["arm"] == arm).sum()) for arm in arms},
        "endpoints": endpoints, "linked": False, "factors": factors,
        "last_day": int(times.max(axis=None)), "claims": named, "rules": [],
    }  # fmt: skip


def claim_id(claim: dict) -> str:
    parts = (claim.get("endpoint"), claim.get("factor"), claim["kind"], claim.get("arm"))
    return "_".join(str(p).replace(" ", "_").lower() for p in parts if p)


def months(days: float) -> str:
    return f"{days / DAYS_PER_MONTH:.1f} months" if np.isfinite(days) else NOT_REACHED


def p_text(p: float) -> str:
    """A P as journals print it: three decimals below 0.1, else two."""
    if p < 0.001:
        return "P < 0.001"
    return f"P = {p:.3f}" if p < 0.1 else f"P = {p:.2f}"


def breast_cancer(seed: int = 4, patients: int = 120) -> tuple[pd.DataFrame, dict]:
    """A subsample of the German Breast Cancer Study, and what would have been printed of it.

    Parameters
    ----------
    seed, patients : int
        Drawn without replacement from the 686 of lifelines' `load_gbsg2`.

    References
    ----------
    Schumacher et al. 1994, https://doi.org/10.1200/JCO.1994.12.10.2086
    """
    from lifelines.datasets import load_gbsg2

    rows = load_gbsg2().sample(patients, random_state=seed)
    frame = pd.DataFrame({
        "arm": rows["horTh"].map({"yes": "hormone therapy", "no": "none"}),
        "rfs_time": rows["time"].astype(int), "rfs_event": rows["cens"].astype(int),
        "nodes_4plus": (rows["pnodes"] >= 4).astype(int),
        "grade_3": (rows["tgrade"] == "III").astype(int),
    }).reset_index(drop=True)  # fmt: skip
    about = (
        f"{patients} of the 686 women of the German Breast Cancer Study (lifelines' load_gbsg2, "
        f"drawn with seed {seed}), printed by helpers.rebuild.printing: the rows are known."
    )
    return frame, printed_claims(
        frame, name="German Breast Cancer Study, a sample", about=about,
        arms=("hormone therapy", "none"), endpoints={"rfs": "Recurrence-free survival"},
        factors={"nodes_4plus": "Four or more positive nodes", "grade_3": "Grade III"},
    )  # fmt: skip


def claims_text(content: dict) -> str:
    """A claims file as text, one line per claim."""
    dump = lambda value, **how: yaml.safe_dump(  # noqa: E731
        value, sort_keys=False, allow_unicode=True, width=10_000, **how
    )
    rest = {k: v for k, v in content.items() if k not in ("claims", "rules")}
    lines = [f"  - {dump(c, default_flow_style=True).strip()}\n" for c in content["claims"]]
    return dump(rest) + "claims:\n" + "".join(lines)
