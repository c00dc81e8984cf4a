"""How far off each estimator is, and how often its interval is right, in named made worlds.

`one_replication` is one numbered task, importable by name, for `helpers.workshop.tasks.run_tasks`
or any other runner; `calibration` sums up what many of them gave.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from helpers.estimators.treatment_time import (
    ever_treated_cox,
    landmark_cox,
    time_dependent_cox,
)
from helpers.estimators.weighting import propensity_weights, weighted_cox
from helpers.fit.likelihood import NotEstimable
from helpers.regression import cox_table
from helpers.simulate.cohort import from_infusion, simulate_cohort
from helpers.simulate.dials import Dials
from helpers.simulate.truth import AT_ONCE, CONDITIONAL, MARGINAL, truth
from helpers.survival import Z

BASELINE = ["ecog", "burden"]
LANDMARK = 60.0  # days: about when three in four of those who will be infused have been
WAITING = {"wait_mean": 45.0, "failure_share": 0.07}
MEASURED = {"ecog_on_choice": -0.6, "burden_on_choice": -0.5, "ecog_on_death": 0.5,
            "burden_on_death": 0.4}  # fmt: skip
HIDDEN = {"hidden_treated": 0.2, "hidden_untreated": 0.6, "hidden_on_death": np.log(3)}
EFFECT = {"log_hr_death": np.log(0.5), "log_hr_progression_free": np.log(0.5)}

# One mechanism each, without an effect of treatment so that any effect found is bias; then all
# that data can show at once, without an effect and with one.
SCENARIOS = {
    "nothing": Dials(),
    "waiting": Dials(**WAITING),
    "waiting and a falling hazard": Dials(**WAITING, shape=0.6),
    "measured confounding": Dials(**MEASURED),
    "hidden confounding": Dials(**HIDDEN),
    "informative drop-out": Dials(leave_treated=0.3),
    "waiting and measured confounding": Dials(**WAITING, **MEASURED),
    "true effect": Dials(**EFFECT),
    "true effect, waiting and measured confounding": Dials(**WAITING, **MEASURED, **EFFECT),
    "delayed effect": Dials(**EFFECT, effect_delay=90.0),
}

# What each estimator is measured against: the ratio given the measured covariates, or that of a
# trial in everybody. Three run on the clock of failure, three on that of infusion.
TARGETS = {
    "ever treated": MARGINAL,
    "landmark": MARGINAL,
    "time-dependent": MARGINAL,
    "time-dependent, adjusted": CONDITIONAL,
    "from infusion, unadjusted": MARGINAL,
    "from infusion, adjusted": CONDITIONAL,
    "from infusion, weighted": MARGINAL,
}
SUMMARY_COLUMNS = [
    "estimator", "target", "truth", "replications", "withheld", "mean", "bias", "bias_error",
    "spread", "mean_std_error", "coverage", "coverage_error", "rejection", "rejection_error",
]  # fmt: skip


def dials_of(scenario: str) -> Dials:
    """The dials of a named scenario."""
    if scenario not in SCENARIOS:
        raise ValueError(f"scenario: found {scenario!r}. To do: use one of {list(SCENARIOS)}.")
    return SCENARIOS[scenario]


def one_replication(scenario: str, seed: int, number: int) -> dict[str, float | None]:
    """Every estimator's log hazard ratio of death in one made cohort, as plain numbers.

    Parameters
    ----------
    scenario : str
        A name in `SCENARIOS`.
    seed, number : int
        Together they make the patients; scenarios share them, so that differences between
        scenarios are not chance.

    Returns
    -------
    dict
        "<estimator>: estimate" and "<estimator>: std_error" for each name in `TARGETS`; None
        where it is withheld or has no finite answer.
    """
    cohort = simulate_cohort(dials_of(scenario), [seed, number])
    whole = {"time": "os_time", "event": "os_event"}
    later, fast = whole | {"treated_on": "infusion_day"}, {"engine": "fast"}
    start = from_infusion(cohort)

    def weighted():
        weights = propensity_weights(start, group="infused", treated=1, covariates=BASELINE)
        return weighted_cox(start, weights, **whole)

    asked = {
        "ever treated": lambda: ever_treated_cox(cohort, **later, **fast),
        "landmark": lambda: landmark_cox(cohort, **later, day=LANDMARK, **fast),
        "time-dependent": lambda: time_dependent_cox(cohort, **later),
        "time-dependent, adjusted": lambda: time_dependent_cox(
            cohort, **later, covariates=BASELINE
        ),
        "from infusion, unadjusted": lambda: cox_table(
            start, **whole, covariates=["infused"], **fast
        ),
        "from infusion, adjusted": lambda: cox_table(
            start, **whole, covariates=["infused", *BASELINE], **fast
        ),
        "from infusion, weighted": weighted,
    }
    answer = {}
    for name, fit in asked.items():
        try:
            row = fit()
            found = [float(row[column].iloc[0]) for column in ("estimate", "std_error")]
        except NotEstimable:
            found = [np.nan, np.nan]
        found = found if np.isfinite(found).all() else [None, None]
        answer |= {f"{name}: estimate": found[0], f"{name}: std_error": found[1]}
    return answer


def calibration(scenario: str, results: Iterable[dict[str, float | None]]) -> pd.DataFrame:
    """Bias, coverage and share of P below 0.05 of each estimator, with Monte Carlo errors.

    Parameters
    ----------
    scenario : str
        A name in `SCENARIOS`.
    results : iterable of dict
        What `one_replication` gave for it.

    Returns
    -------
    DataFrame
        estimator, target (which true ratio, of infusion on day 0 vs never), truth (log hazard
        ratio), replications, withheld (of them, without an estimate), mean, bias, bias_error
        (with that of the truth), spread (of the estimates), mean_std_error, coverage and
        coverage_error (of 95% intervals), rejection and rejection_error (share whose interval
        leaves out 0: the type I error where there is no effect, else the power). With a delayed
        effect the conditional ratio has no truth, and bias and coverage are missing.

    Raises
    ------
    ValueError
        No results.

    Notes
    -----
    Shares are of the replications with an estimate. Errors are those of Morris et al., table 6.

    References
    ----------
    Morris, White and Crowther 2019, https://doi.org/10.1002/sim.8086
    """
    table = pd.DataFrame(list(results)).astype(float)
    if table.empty:
        raise ValueError("results: found none. To do: run one_replication first.")
    true = truth(dials_of(scenario))
    true = true[(true["estimand"] == AT_ONCE) & (true["endpoint"] == "os")].set_index("quantity")
    rows = []
    for name, target in TARGETS.items():
        pair = table[[f"{name}: estimate", f"{name}: std_error"]].dropna().to_numpy()
        (estimate, error), n = pair.T, len(pair)
        value, doubt = true.loc[target, ["value", "error"]].astype(float)
        row = {"estimator": name, "target": target, "truth": value, "replications": len(table),
               "withheld": len(table) - n}  # fmt: skip
        if n:
            spread = estimate.std(ddof=1) if n > 1 else np.nan
            row |= {"mean": estimate.mean(), "bias": estimate.mean() - value, "spread": spread,
                    "bias_error": np.hypot(spread / np.sqrt(n), doubt),
                    "mean_std_error": np.sqrt((error**2).mean())}  # fmt: skip
            inside = np.abs(estimate - value) <= Z * error if np.isfinite(value) else [np.nan]
            for what, hit in (("coverage", inside), ("rejection", np.abs(estimate) > Z * error)):
                share = np.mean(hit)
                row |= {what: share, f"{what}_error": np.sqrt(share * (1 - share) / n)}
        rows.append(row)
    return pd.DataFrame(rows, columns=SUMMARY_COLUMNS)
