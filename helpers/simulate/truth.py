"""What is true of a made cohort, for estimands that are named."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd

from helpers.simulate.cohort import futures
from helpers.simulate.dials import Dials

AT_ONCE = "infusion on day 0 vs never"
PLAN = "choosing the treatment vs not"
CONDITIONAL, MARGINAL = "conditional log hazard ratio", "marginal log hazard ratio"
BATCHES, BATCH = 20, 10_000
TRUTH_COLUMNS = ["estimand", "endpoint", "quantity", "value", "error", "how"]


def truth(dials: Dials, *, horizon: float = 365.0, seed: int = 1) -> pd.DataFrame:
    """True effects of treatment in the patients of these dials.

    Parameters
    ----------
    dials : Dials
        Its number of patients does not matter.
    horizon : float
        Day of the difference in survival, and end of the restricted mean.
    seed : int
        Of the simulation.

    Returns
    -------
    DataFrame
        estimand (infusion on day 0 vs never; choosing the treatment vs not, its wait and
        failures included), endpoint (os, pfs), quantity (conditional log hazard ratio, marginal
        log hazard ratio, survival difference, restricted mean difference in days), value, error
        (of the simulation; 0 where exact), how (exact or simulated).

    Notes
    -----
    The conditional ratio is a dial, and missing where the effect comes later than the clock
    starts: then no one ratio is true. All else is simulated: 20 times 10,000 patients, each
    with both futures, all of them observed until the end of the study; `error` is that of the
    mean of the 20. A marginal ratio depends on how long one looks, here as long as the dials say.
    """
    return pd.DataFrame(list(found(dials, float(horizon), seed)), columns=TRUTH_COLUMNS)


@lru_cache(maxsize=64)
def found(dials: Dials, horizon: float, seed: int) -> tuple[tuple, ...]:
    """The rows of `truth`."""
    rng = np.random.default_rng(seed)
    # Nothing here depends on who is chosen but the hidden trait, which follows the choice.
    large = replace(dials, patients=BATCH)
    compared = {AT_ONCE: "treated", PLAN: "waited"}
    keys = [(estimand, endpoint) for estimand in compared for endpoint in ("os", "pfs")]
    values = {key: [] for key in keys}
    for _ in range(BATCHES):
        made = futures(large, rng)
        end = rng.uniform(dials.follow_low, dials.follow_high, BATCH)
        for estimand, endpoint in keys:
            days = [made[f"{endpoint}_{name}"] for name in (compared[estimand], "untreated")]
            alive = [(d > horizon).mean() for d in days]
            mean = [np.minimum(d, horizon).mean() for d in days]
            values[estimand, endpoint].append(
                (marginal(*days, end), alive[0] - alive[1], mean[0] - mean[1])
            )
    exact = {"os": dials.log_hr_death, "pfs": dials.log_hr_progression_free}
    rows, names = [], (MARGINAL, "survival difference", "restricted mean difference")
    for estimand, endpoint in keys:
        acts_at_once = dials.effect_delay == 0 and (
            estimand == AT_ONCE or dials.wait_mean == dials.failure_share == 0
        )
        if acts_at_once or exact[endpoint] == 0:
            rows.append((estimand, endpoint, CONDITIONAL, exact[endpoint], 0.0, "exact"))
        else:
            rows.append((estimand, endpoint, CONDITIONAL, np.nan, np.nan, "no one ratio is true"))
        all_values = np.array(values[estimand, endpoint])
        mean, error = all_values.mean(axis=0), all_values.std(axis=0, ddof=1) / np.sqrt(BATCHES)
        rows += [
            (estimand, endpoint, name, float(m), float(e), "simulated")
            for name, m, e in zip(names, mean, error, strict=True)
        ]
    return tuple(rows)


def marginal(treated: np.ndarray, untreated: np.ndarray, end: np.ndarray) -> float:
    """Log hazard ratio of everybody treated against everybody untreated, until the end."""
    from helpers.fit.kernel import cox  # compiles for seconds the first time

    days, ends = np.concatenate([treated, untreated]), np.concatenate([end, end])
    group = np.repeat([1.0, 0.0], len(treated))
    return float(cox(np.minimum(days, ends), days <= ends, group)[0][0])
