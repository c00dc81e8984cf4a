"""From the searched times and flags to 93 rows with the columns a reader of this field expects.

Nothing here is measured: ages, stages, lines of therapy and the like are drawn to look like a
cohort of this kind and are marked illustrative in data/codebook.csv. What the print constrains,
and this file must meet: 15 complete responses of 54 and 3 of 38, the response-by-IPI table,
4 of 54 with severe ICANS, 5 of 54 with severe CRS (the reading of 9.2%), all recovered.
"""

import numpy as np
import pandas as pd

from helpers.conventions import FIRST_RESPONSE
from helpers.rebuild.paper import tables

N1, N0 = 54, 39
N = N1 + N0
STABLE = 90  # days: progression after this day was not the best response
RECOVERED = 45  # days: by then severe toxicity had resolved, and its patients were alive
CR = (15, 3)
SEVERE_CRS, SEVERE_ICANS = 5, 4
COLUMNS = [
    "patient_id", "data_status", "arm", "os_time", "os_event", "pfs_time", "pfs_event",
    "pfs_censor_reason", "response", "salvage", "age", "sex", "ecog", "ipi", "stage", "ldh_ratio",
    "extranodal_sites", "histology", "prior_lines", "cd19_best_response", "days_to_cd19_failure",
    "days_failure_to_treatment", "crs_grade", "icans_grade", "ae_recovered",
]  # fmt: skip


def cohort_frame(member: dict) -> pd.DataFrame | None:
    """The rows of a member, or None where no response table fits its times.

    The draw depends on the member's seed and attempt alone.
    """
    rng = np.random.default_rng([member["seed"], member["attempt"], 1])
    names = ("pfs_time", "pfs_event", "os_time", "os_event", "ecog_3plus", "ipi_3plus")
    frame = pd.DataFrame({name: member[name] for name in names})
    frame["arm"] = np.where(np.arange(N) < N1, "CD20 CAR-T", "non-CAR-T")
    response = responses(frame, tables()[member["table"]], rng)
    if response is None:
        return None
    frame["response"] = response
    toxicity = severe(frame, rng)
    if toxicity is None:
        return None
    frame["crs_grade"], frame["icans_grade"] = toxicity
    frame["ae_recovered"] = np.where(np.nan_to_num(np.maximum(*toxicity)) > 0, "1", "")
    frame["pfs_censor_reason"] = censor_reasons(frame, rng)
    frame = frame.join(risk_factors(frame, rng)).join(background(frame, rng))
    frame["data_status"] = "synthetic"
    frame = frame.iloc[rng.permutation(N)].reset_index(drop=True)
    frame["patient_id"] = [f"SYN-{i + 1:03d}" for i in range(N)]
    for grade in ("crs_grade", "icans_grade"):
        frame[grade] = frame[grade].astype("Int64")
    return frame[COLUMNS]


def choose(rng, rows: np.ndarray, size: int, weight: np.ndarray) -> np.ndarray | None:
    """`size` of `rows`, the heavier the likelier; None when there are not enough."""
    if len(rows) < size:
        return None
    weight = weight[rows] / weight[rows].sum()
    return rng.choice(rows, size, replace=False, p=weight)


def responses(frame: pd.DataFrame, table: tuple, rng) -> np.ndarray | None:
    """Best response: the printed counts, in patients whose PFS allows it.

    Responders are free of progression until the first assessment, complete responders for
    longer on average; the one who cannot be evaluated died or left before it.
    """
    time = frame["pfs_time"].to_numpy(float)
    first, ipi = frame.index.to_numpy() < N1, frame["ipi_3plus"].to_numpy() == 1
    lasting = (time >= FIRST_RESPONSE) & ~((time == FIRST_RESPONSE) & (frame["pfs_event"] == 1))
    result = np.full(N, "PD", dtype=object)
    unevaluable = np.flatnonzero(~first & (frame["os_time"] < FIRST_RESPONSE))
    if not len(unevaluable):
        return None
    result[rng.choice(unevaluable)] = "NE"
    # Controls that responded are not printed; three complete and a few partial responses.
    groups = [(first & ipi, table[1]), (first & ~ipi, table[2]), (~first, int(rng.integers(6, 12)))]
    for group, size in groups:
        rows = np.flatnonzero(group & lasting & (result != "NE"))
        chosen = choose(rng, rows, size, time**1.5)
        if chosen is None:
            return None
        result[chosen] = "PR"
    for group, size in zip((first, ~first), CR, strict=True):
        chosen = choose(rng, np.flatnonzero(group & (result == "PR")), size, time**2)
        if chosen is None:
            return None
        result[chosen] = "CR"
    # Of the others, whoever went on without progression past the third month was stable.
    some = lasting & (rng.random(N) < 0.4)
    stable = (result == "PD") & ((time > STABLE) | (frame["pfs_event"] == 0) | some)
    return np.where(stable, "SD", result)


def severe(frame: pd.DataFrame, rng) -> tuple[np.ndarray, np.ndarray] | None:
    """CRS and ICANS grades of the CD20 arm; missing in the other, which cannot have them."""
    crs, icans = np.full(N, np.nan), np.full(N, np.nan)
    crs[:N1] = rng.choice([0, 1, 2], N1, p=[0.25, 0.5, 0.25])
    icans[:N1] = rng.choice([0, 1, 2], N1, p=[0.8, 0.13, 0.07])
    able = np.flatnonzero((frame.index < N1) & (frame["os_time"] > RECOVERED))
    if len(able) < SEVERE_CRS:
        return None
    for grade, size in ((crs, SEVERE_CRS), (icans, SEVERE_ICANS)):
        grade[rng.choice(able, size, replace=False)] = rng.choice([3, 3, 3, 4], size)
    return crs, icans


def censor_reasons(frame: pd.DataFrame, rng) -> np.ndarray:
    """Why PFS is censored: watched on for survival only, or nothing known afterwards."""
    censored = frame["pfs_event"] == 0
    watched = censored & (frame["os_time"] > frame["pfs_time"])
    reason = np.full(N, "", dtype=object)
    reason[watched] = rng.choice(
        ["new therapy", "transplant", "lost"], watched.sum(), p=[0.5, 0.3, 0.2]
    )
    alone = censored & ~watched
    reason[alone] = np.where(frame.loc[alone, "pfs_time"] >= 150, "end of study", "lost")
    return reason


def risk_factors(frame: pd.DataFrame, rng) -> pd.DataFrame:
    """ECOG and the five parts of the IPI, drawn until they give the searched flags."""
    rows = []
    for ecog_high, ipi_high in zip(frame["ecog_3plus"], frame["ipi_3plus"], strict=True):
        while True:
            ecog = int(
                rng.choice([3, 4], p=[0.85, 0.15])
                if ecog_high
                else rng.choice([0, 1, 2], p=[0.25, 0.5, 0.25])
            )
            age = int(np.clip(rng.normal(54, 13), 18, 78))
            stage = int(rng.choice([1, 2, 3, 4], p=[0.07, 0.13, 0.25, 0.55]))
            ldh = round(float(np.exp(rng.normal(0.35, 0.5))), 2)
            sites = int(rng.poisson(1.4))
            ipi = (age > 60) + (stage >= 3) + (ldh > 1) + (ecog >= 2) + (sites > 1)
            if (ipi >= 3) == bool(ipi_high):
                break
        rows.append((ecog, int(ipi), age, stage, ldh, sites))
    names = ["ecog", "ipi", "age", "stage", "ldh_ratio", "extranodal_sites"]
    return pd.DataFrame(rows, columns=names)


def background(frame: pd.DataFrame, rng) -> pd.DataFrame:
    """Columns that no source gives: invented layout, so that every page has something to show."""
    polatuzumab = rng.permutation(np.arange(N0) < 16)
    return pd.DataFrame(
        {
            "sex": rng.choice(["F", "M"], N, p=[0.42, 0.58]),
            "histology": rng.choice(
                ["DLBCL", "transformed", "HGBL", "PMBCL"], N, p=[0.72, 0.12, 0.11, 0.05]
            ),
            "salvage": ["CD20 CAR-T"] * N1 + np.where(polatuzumab, "polatuzumab", "other").tolist(),
            "prior_lines": 3 + rng.poisson(1.0, N),
            "cd19_best_response": rng.choice(["CR", "PR", "SD", "PD"], N, p=[0.3, 0.3, 0.1, 0.3]),
            "days_to_cd19_failure": 28 + np.floor(rng.exponential(100, N)).astype(int),
            "days_failure_to_treatment": 7 + np.floor(rng.exponential(30, N)).astype(int),
        }
    )
