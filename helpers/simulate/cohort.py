"""Two groups of patients from failure on, with both of the futures each of them could have had.

Two ways to go wrong are kept apart. With the clock at failure (`simulate_cohort`) who is treated
becomes known later, and waiting time can be miscounted. With the clock at infusion
(`from_infusion`) only those are seen who lived and had a product made; who was chosen and never
infused is not in such data at all.
"""

import numpy as np
import pandas as pd
from scipy.special import expit

from helpers.simulate.dials import ECOG_MEAN, ECOG_SHARES, Dials

COURSES = ("other treatment", "infused", "not manufactured", "died waiting", "watch ended waiting")


def futures(dials: Dials, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Baseline, choice, wait and the times each patient would have under each treatment.

    Returns
    -------
    dict of (n,) arrays
        chosen, ecog, burden, hidden, ready (day of infusion had it been chosen; infinite where
        no product can be made), then days of death and of progression or death: os_untreated,
        pfs_untreated (never infused), os_treated, pfs_treated (infused on day 0), os_waited,
        pfs_waited (infused when ready).
    """
    n = dials.patients
    ecog = np.searchsorted(np.cumsum(ECOG_SHARES)[:-1], rng.random(n), side="right")
    burden = rng.standard_normal(n)
    linear = dials.ecog_on_choice * (ecog - ECOG_MEAN) + dials.burden_on_choice * burden
    chosen = rng.random(n) < expit(dials.choice_intercept + linear)
    hidden = rng.random(n) < np.where(chosen, dials.hidden_treated, dials.hidden_untreated)
    shape = dials.wait_shape
    spread = rng.standard_gamma(shape, n) / shape if np.isfinite(shape) else np.ones(n)
    ready = spread * dials.wait_mean
    ready = np.where(rng.random(n) < dials.failure_share, np.inf, ready)
    risk = dials.ecog_on_death * (ecog - ECOG_MEAN) + dials.burden_on_death * burden
    risk = np.exp(risk + dials.hidden_on_death * hidden)
    # The cumulative hazard at which each event comes, of death and of progression.
    dies, grows = rng.standard_exponential((2, n)) / risk
    share = dials.progression_to_death
    grows = grows / share if share else np.full(n, np.inf)
    made = {"chosen": chosen, "ecog": ecog, "burden": burden, "hidden": hidden, "ready": ready}
    for name, begin in (("untreated", np.inf), ("treated", 0.0), ("waited", ready)):
        turn = dials.hazard(begin + dials.effect_delay)
        death = acted(dies, turn, np.exp(dials.log_hr_death))
        growth = acted(grows, turn, dials.progression_ratio) if share else grows
        made[f"os_{name}"] = dials.days(death)
        made[f"pfs_{name}"] = dials.days(np.minimum(death, growth))
    return made


def acted(level: np.ndarray, turn, ratio: float) -> np.ndarray:
    """The untreated cumulative hazard reached at the event, when from `turn` on `ratio` applies."""
    if ratio == 1:
        return level  # to the last digit: no effect is none
    return np.where(level > turn, turn + (level - np.minimum(turn, level)) / ratio, level)


def simulate_cohort(dials: Dials, seed) -> pd.DataFrame:
    """Simulate one cohort from failure on; the same seed gives the same patients.

    Parameters
    ----------
    dials : Dials
    seed : int, or a sequence of int
        As `numpy.random.default_rng` takes it.

    Returns
    -------
    DataFrame
        One row per patient, days since failure: ecog (0 to 3), burden (log, in standard
        deviations), chosen (1 where the treatment was planned), infusion_day (missing if never),
        infused (0 or 1), course (what became of the plan), os_time, os_event, pfs_time,
        pfs_event (1 event, 0 censored). Then what no study has: hidden (0 or 1), wait (days;
        infinite where no product can be made), and the uncensored days os_untreated,
        pfs_untreated, os_treated, pfs_treated (infused on day 0).

    Notes
    -----
    Cumulative hazards are inverted in closed form (Bender et al. 2005). Death does not come
    sooner after progression, so that both ratios hold exactly; in patients it does.

    References
    ----------
    Bender, Augustin and Blettner 2005, https://doi.org/10.1002/sim.2059

    Examples
    --------
    >>> cohort = simulate_cohort(Dials(patients=4, wait_mean=30), seed=1)
    >>> cohort[["chosen", "infused", "os_event"]].shape
    (4, 3)
    """
    rng = np.random.default_rng(seed)
    made, n = futures(dials, rng), dials.patients
    chosen, ready = made["chosen"], made["ready"]
    death, pfs = (
        np.where(chosen, made[f"{name}_waited"], made[f"{name}_untreated"])
        for name in ("os", "pfs")
    )
    end = rng.uniform(dials.follow_low, dials.follow_high, n)
    leaves = rng.random(n) < np.where(chosen, dials.leave_treated, dials.leave_untreated)
    left = death * rng.uniform(0.5, 1.0, n)
    watched = np.where(leaves, np.minimum(left, end), end)
    seen = np.minimum(death, watched)
    infused = chosen & (ready < seen)
    course = np.select(
        [~chosen, infused, np.isinf(ready), death <= watched], [0, 1, 2, 3], 4
    )  # fmt: skip
    columns = {
        "ecog": made["ecog"], "burden": made["burden"], "chosen": chosen.astype(int),
        "infusion_day": np.where(infused, ready, np.nan), "infused": infused.astype(int),
        "course": pd.Categorical.from_codes(course, COURSES),
        "os_time": seen, "os_event": (death <= watched).astype(int),
        "pfs_time": np.minimum(pfs, watched), "pfs_event": (pfs <= watched).astype(int),
        "hidden": made["hidden"].astype(int), "wait": ready,
    }  # fmt: skip
    names = ("os_untreated", "pfs_untreated", "os_treated", "pfs_treated")
    return pd.DataFrame(columns | {name: made[name] for name in names})


def from_infusion(cohort: pd.DataFrame) -> pd.DataFrame:
    """The cohort as a study sees it whose clock starts at treatment.

    Parameters
    ----------
    cohort : DataFrame
        From `simulate_cohort`.

    Returns
    -------
    DataFrame
        Without those who were chosen and never infused; times of the infused count from
        infusion, of the others from failure (their treatment begins at once). Progression-free
        time is missing where progression came before the infusion.
    """
    kept = cohort[(cohort["chosen"] == 0) | (cohort["infused"] == 1)]
    start = kept["infusion_day"].fillna(0.0)
    os_time, pfs_time = kept["os_time"] - start, kept["pfs_time"] - start
    known = pfs_time > 0
    return kept.assign(
        os_time=os_time, pfs_time=pfs_time.where(known), pfs_event=kept["pfs_event"].where(known)
    ).reset_index(drop=True)
