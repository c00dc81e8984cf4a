"""What waiting for a treatment does to three models, and how much of a ratio it can make alone."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import gamma

from helpers.estimators.treatment_time import ever_treated_cox, landmark_cox, time_dependent_cox
from helpers.fit.likelihood import NotEstimable
from helpers.simulate.cohort import simulate_cohort
from helpers.simulate.dials import Dials

COLUMNS = {"time": "os_time", "event": "os_event", "treated_on": "infusion_day"}
NUMBERS = ["estimate", "std_error", "conf_low", "conf_high", "n", "n_event"]
APPROACHES = ("ever treated", "landmark", "time-dependent")
ALL_SEEN = 1e6  # days: an end of study that nobody reaches alive
QUANTILES = 20_000  # of the waits over which survival is averaged
CHOSEN = Dials()  # the design of the page: gamma waits, constant hazard, follow-up of 1 to 3 years


def three_models(
    frame: pd.DataFrame, *, time: str, event: str, treated_on: str, day: float,
    engine: str = "lifelines", of: Sequence[str] = APPROACHES,
) -> pd.DataFrame:  # fmt: skip
    """Log hazard ratio of treatment by the wrong model and by two that count days rightly.

    Parameters
    ----------
    frame, time, event, treated_on, engine
        As in `helpers.estimators.treatment_time.ever_treated_cox`.
    day : float
        The landmark, in days.
    of : sequence of str
        The approaches wanted.

    Returns
    -------
    DataFrame
        approach (ever treated, landmark, time-dependent), estimate, std_error, conf_low,
        conf_high (log scale), n, n_event, note (why there is no estimate, or empty).
    """
    keys = {"time": time, "event": event, "treated_on": treated_on}
    models = {
        "ever treated": lambda: ever_treated_cox(frame, **keys, engine=engine),
        "landmark": lambda: landmark_cox(frame, **keys, day=day, engine=engine),
        "time-dependent": lambda: time_dependent_cox(frame, **keys),
    }
    rows = []
    for name in of:
        try:
            found = models[name]().iloc[0][NUMBERS].to_dict() | {"note": ""}
        except NotEstimable as why:
            found = dict.fromkeys(NUMBERS, np.nan) | {"note": str(why)}
        rows.append({"approach": name} | found)
    return pd.DataFrame(rows)


def ratios_by_wait(
    dials: Dials, waits: Sequence[float], *, seed: int, day: float = 60.0
) -> pd.DataFrame:
    """Log hazard ratio of death by each of `three_models` in cohorts that wait longer and longer.

    Parameters
    ----------
    dials : Dials
        Of all cohorts; its mean wait is replaced.
    waits : sequence of float
        Mean days from failure to infusion.
    seed : int
        The same patients wait each of them.
    day : float
        The landmark, in days.

    Returns
    -------
    DataFrame
        wait, infused (share of all patients), then as `three_models`.
    """
    parts = []
    for wait in waits:
        cohort = simulate_cohort(replace(dials, wait_mean=float(wait)), seed)
        table = three_models(cohort, **COLUMNS, day=day, engine="fast")
        table.insert(0, "infused", cohort["infused"].mean())
        table.insert(0, "wait", float(wait))
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


def waiting_alone(
    relative: Sequence[float], *, share: float, median: float, seed: int,
    patients: int = 20_000, design: Dials = CHOSEN,
) -> pd.DataFrame:  # fmt: skip
    """The ratio that ever against never treated shows when treatment does nothing at all.

    Each cohort has as many treated as was printed and, among the others, the median that was
    printed; only the mean wait differs. Everybody has the same hazard. The ratio depends on the
    design too: on the shape of the waits, that of the hazard, and the follow-up.

    Parameters
    ----------
    relative : sequence of float
        Mean wait over the median survival of all patients.
    share : float
        Share of all patients who are treated in the end, above 0 and below 1.
    median : float
        Days; median survival of those never treated.
    seed, patients : int
        Of each simulated cohort.
    design : Dials
        Shape of the waits (wait_shape) and of the hazard (shape), follow-up (follow_low,
        follow_high), and failure_share, of those planned, for whom no product can be made.

    Returns
    -------
    DataFrame
        relative, wait (mean, days), planned (share of all patients), treated (share), everybody
        (median survival of all, days), never and ever (of the two groups, days), estimate and
        std_error (log hazard ratio). A wait so long that more than everybody would have to be
        planned has no row.

    Notes
    -----
    Chance to live until the infusion: survival averaged over the waits, at their quantiles. All
    times are first simulated in units of the median of all patients, uncensored, and then
    stretched until those never treated have theirs. As many as printed are treated where nobody
    is censored before; a follow-up that ends during the wait leaves out a few.
    """
    rows = []
    for part in relative:
        one = replace(design, patients=patients, median_survival=1.0, wait_mean=float(part))
        planned = share / lives_through(one)
        if planned > 1:
            break
        dials = replace(one, share_treated=planned, follow_low=ALL_SEEN, follow_high=ALL_SEEN)
        seen = simulate_cohort(dials, seed).groupby("infused")["os_time"].median()
        everybody = median / seen[0]
        dials = replace(dials, median_survival=everybody, wait_mean=part * everybody,
                        follow_low=design.follow_low, follow_high=design.follow_high)  # fmt: skip
        cohort = simulate_cohort(dials, seed)
        model = ever_treated_cox(cohort, **COLUMNS, engine="fast").iloc[0]
        rows.append(
            {"relative": part, "wait": dials.wait_mean, "planned": planned,
             "treated": cohort["infused"].mean(), "everybody": everybody, "never": median,
             "ever": seen[1] * everybody, "estimate": model["estimate"],
             "std_error": model["std_error"]}
        )  # fmt: skip
    return pd.DataFrame(rows)


def lives_through(dials: Dials) -> float:
    """Share of those planned who are infused if nobody is censored: they outlive their wait.

    Examples
    --------
    >>> round(lives_through(Dials(median_survival=1, wait_mean=1, wait_shape=np.inf)), 3)
    0.5
    """
    middle = (np.arange(QUANTILES) + 0.5) / QUANTILES
    shape = dials.wait_shape
    spread = gamma.ppf(middle, shape) / shape if np.isfinite(shape) else np.ones(1)
    alive = np.exp(-dials.hazard(spread * dials.wait_mean)).mean()
    return float((1 - dials.failure_share) * alive)


def wait_that_gives(table: pd.DataFrame, hazard_ratio: float) -> pd.Series:
    """The row between those of `waiting_alone` at which the ratio is a given one.

    Parameters
    ----------
    table : DataFrame
        From `waiting_alone`, waits rising.
    hazard_ratio : float
        Natural scale.

    Returns
    -------
    Series
        The columns of the table, interpolated linearly in the log ratio; missing values where no
        wait of the table reaches it.
    """
    falls = -table["estimate"].to_numpy()
    wanted = -np.log(hazard_ratio)
    if not falls.min() <= wanted <= falls.max():
        return pd.Series(np.nan, index=table.columns)
    return pd.Series({name: np.interp(wanted, falls, table[name]) for name in table})
