"""What stands beside a subgroup's number: what it could have seen, how far to believe it, how
often one looked."""

import numpy as np
import pandas as pd
from scipy.stats import norm

from helpers.conventions import CONFIDENCE
from helpers.survival import Z

LEVEL = 1 - CONFIDENCE  # two-sided, of a test
# Two thirds of interactions within a ratio of 1.42 up or down, 95% within 2: between a baseline
# factor and a treatment larger ones are rare. A choice, so it is printed with what it makes.
PRIOR_SD = 0.35
NO_ESTIMATE = "no estimate on one side, so nothing is shrunk"


def detectable(
    events: float, share: float, *, power: float = 0.8, level: float = LEVEL,
    inside: float | None = None,
) -> float:  # fmt: skip
    """Hazard ratio below 1 nearest to 1 that a comparison would detect with a given power.

    Parameters
    ----------
    events : float
        Number of events in both arms; for an interaction, inside and outside the subgroup.
    share : float
        Share of patients in one of the two arms, between 0 and 1.
    power, level : float
        Chance of detecting it, and two-sided level of the test.
    inside : float, optional
        Share of the events inside a subgroup. Given, the answer is the ratio of hazard ratios
        that the interaction test would detect.

    Returns
    -------
    float
        Its inverse is the ratio above 1. 0 without events: no ratio is small enough.

    Raises
    ------
    ValueError
        A share, power or level outside (0, 1), or fewer than 0 events.

    Notes
    -----
    exp(-z / sqrt(d p (1 - p))) with z = 1.96 + 0.84 = 2.80 at 80% power and level 5%; for an
    interaction d is d q (1 - q), so with half of the events inside it takes four times as many.
    For equal follow-up, ratios near 1 and the same share of arms on both sides; far from 1, as in
    small subgroups, a rough guide.

    References
    ----------
    Schoenfeld 1983, https://doi.org/10.2307/2531021
    Brookes et al. 2004, https://doi.org/10.1016/j.jclinepi.2003.08.009

    Examples
    --------
    >>> round(detectable(62, 54 / 93), 3), round(detectable(62, 54 / 93, inside=0.5), 3)
    (0.486, 0.236)
    """
    shares = {"share": share, "power": power, "level": level, "inside": inside}
    for name, value in shares.items():
        if value is not None and not 0 < value < 1:
            raise ValueError(f"{name}: found {value:g}. To do: give a share between 0 and 1.")
    if not events >= 0:
        raise ValueError(f"events: found {events:g}. To do: give a number of 0 or more.")
    information = events * share * (1 - share)
    if inside is not None:
        information *= inside * (1 - inside)
    z = norm.isf(level / 2) + norm.ppf(power)
    return float(np.exp(-z / np.sqrt(information))) if information > 0 else 0.0


def shrunk(
    estimate_inside: float, error_inside: float, estimate_outside: float, error_outside: float,
    prior_sd: float = PRIOR_SD,
) -> pd.DataFrame:  # fmt: skip
    """Log hazard ratio of a subgroup, drawn towards that of everybody else.

    Parameters
    ----------
    estimate_inside, error_inside, estimate_outside, error_outside : float
        Log hazard ratios and standard errors inside the subgroup and among all others, from two
        models (see `helpers.estimators.subgroups.sides`).
    prior_sd : float
        Standard deviation of the prior on the difference of the two log hazard ratios; 0 pools
        the two sides, infinity leaves them as they are.

    Returns
    -------
    DataFrame
        Rows inside, outside, difference (term); estimate, std_error (as given), shrunk,
        shrunk_error, shrunk_low, shrunk_high (95% of the posterior), prior_sd, scale, note.

    Raises
    ------
    ValueError
        A negative or missing prior_sd, or an error of 0 or less.

    Notes
    -----
    The model: inside ~ N(b + d, v_in), outside ~ N(b, v_out), independent, for no patient is on
    both sides; d ~ N(0, prior_sd^2); b flat. Then d given the data is normal with mean
    w (inside - outside), w = prior_sd^2 / (prior_sd^2 + v_in + v_out), and variance
    w (v_in + v_out). The side itself sees the other as one more estimate of its ratio, with
    variance v_other + prior_sd^2, and the two are weighted by their inverse variances.

    The prior speaks of this one difference, named before looking; for the best of many splits it
    shrinks too little.

    References
    ----------
    Dixon and Simon 1991, https://doi.org/10.2307/2532645

    Examples
    --------
    >>> shrunk(-1.2, 0.5, -0.2, 0.3)[["term", "estimate", "shrunk", "shrunk_error"]].round(3)
             term  estimate  shrunk  shrunk_error
    0      inside      -1.2  -0.659         0.339
    1     outside      -0.2  -0.395         0.269
    2  difference      -1.0  -0.265         0.300
    """
    if not prior_sd >= 0:
        raise ValueError(f"prior_sd: found {prior_sd}. To do: give 0 or more.")
    estimate = np.array([estimate_inside, estimate_outside], float)
    error = np.array([error_inside, error_outside], float)
    if (error <= 0).any():
        raise ValueError(f"error: found {error.min():g}. To do: give errors above 0.")
    variance, prior, difference = error**2, float(prior_sd) ** 2, estimate[0] - estimate[1]
    borrowed = 1 / (variance[::-1] + prior)  # the other side as an estimate of this one
    precision = 1 / variance + borrowed
    mean = (estimate / variance + estimate[::-1] * borrowed) / precision
    weight = 1.0 if np.isinf(prior) else prior / (prior + variance.sum())
    mean = np.append(mean, weight * difference)
    spread = np.append(1 / np.sqrt(precision), np.sqrt(weight * variance.sum()))
    there = bool(np.isfinite(estimate).all() and np.isfinite(error).all())
    mean, spread = (v if there else np.full(3, np.nan) for v in (mean, spread))
    return pd.DataFrame({
        "term": ["inside", "outside", "difference"],
        "estimate": [*estimate, difference], "std_error": [*error, np.sqrt(variance.sum())],
        "shrunk": mean, "shrunk_error": spread,
        "shrunk_low": mean - Z * spread, "shrunk_high": mean + Z * spread,
        "prior_sd": float(prior_sd),
        "scale": ["log hazard ratio"] * 2 + ["log ratio of hazard ratios"],
        "note": "" if there else NO_ESTIMATE,
    })  # fmt: skip


def looks(p_value: float, n: int, *, level: float = LEVEL) -> pd.DataFrame:
    """What a P value is worth after a number of looks, one look being one test shown.

    Parameters
    ----------
    p_value : float
        Of the test looked at; missing stays missing.
    n : int
        Looks so far, this one included.

    Returns
    -------
    DataFrame
        One row: looks, level, false_alarms (expected where nothing is there: level x looks),
        p_value, adjusted (Bonferroni: min(1, looks x P)), note.

    Raises
    ------
    ValueError
        A P value outside [0, 1], or fewer looks than the one.

    References
    ----------
    Dunn 1961, https://doi.org/10.1080/01621459.1961.10482090

    Examples
    --------
    >>> looks(0.03, 12)[["looks", "false_alarms", "p_value", "adjusted"]].round(2)
       looks  false_alarms  p_value  adjusted
    0     12           0.6     0.03      0.36
    """
    if n != int(n) or n < 1:
        raise ValueError(f"n: found {n}. To do: give a whole number of looks, 1 or more.")
    p_value = float("nan" if p_value is None else p_value)
    if p_value < 0 or p_value > 1:
        raise ValueError(f"p_value: found {p_value:g}. To do: give a P value from 0 to 1.")
    return pd.DataFrame([{
        "looks": int(n), "level": level, "false_alarms": level * n, "p_value": p_value,
        "adjusted": min(1.0, n * p_value) if p_value == p_value else np.nan,
        "note": "" if p_value == p_value else "no P value, so nothing to adjust",
    }])  # fmt: skip
