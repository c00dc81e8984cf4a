"""The conventions of every analysis, in one place, printed where they are used.

Numbers agree with R's ``survival`` under these; where libraries disagree, this file says
which side we took. Nothing here computes a result.
"""

import numpy as np

DAYS_PER_MONTH = 365 / 12
DAYS_PER = {"days": 1.0, "weeks": 7.0, "months": DAYS_PER_MONTH, "years": 365.0}

CONFIDENCE = 0.95
TIES = "efron"
TIE_RULES = ("efron", "breslow", "exact")
INTERVALS = ("wald", "profile")  # of Cox and logistic models; the first unless asked for
PLATEAU_TOLERANCE = 1e-9
TIME_DECIMALS = 8  # of a day, a millisecond: times that agree to so many are the same time
NUMBER_DIGITS = 12  # significant digits to which other numbers are read and compared
MILESTONE_MONTHS = (3, 6, 12, 24, 36, 60)
# Below these an answer is withheld, or a test done by permutation: see helpers/estimators/floors.py
EVENT_FLOOR = 5  # events in each group, of a large-sample contrast of groups
EVENTS_PER_TERM = 5  # events, of a model with covariates
SMALL_GROUP = 50  # patients, of restricted means compared by Wald's test
LARGEST_RATIO = 1000.0  # and its inverse the smallest: beyond, a ratio says that it is unstable


def on_grid(days):
    """Times, a number or an array, on the grid on which they are compared.

    Times that arithmetic left a rounding error apart become one time, so that ties are ties and
    2.2 years are 803 days. R's ``timefix`` does the same, with a tolerance of 1.5e-8.

    Examples
    --------
    >>> float(on_grid(2.2 * 365)), float(on_grid(0.3 - 0.1))
    (803.0, 0.2)
    """
    return np.round(np.asarray(days, float), TIME_DECIMALS) + 0.0


def significant(values):
    """Numbers, one or an array, to the digits in which they are compared.

    Examples
    --------
    >>> float(significant(0.1 + 0.2)), float(significant(-1234.5))
    (0.3, -1234.5)
    """
    values = np.asarray(values, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        places = NUMBER_DIGITS - 1 - np.floor(np.log10(np.abs(values)))
    # A power of ten beyond 22 is no exact number; what is so small or large stays as it is.
    exact = np.isfinite(places) & (np.abs(places) <= 22)
    scale = 10.0 ** np.abs(np.where(exact, places, 0))
    down, up = np.round(values * scale) / scale, np.round(values / scale) * scale
    return np.where(exact, np.where(places >= 0, down, up), values)


def cox_text(ties: str, intervals: str) -> str:
    """How hazard ratios are made, in a sentence."""
    rule = {"efron": "Efron's", "breslow": "Breslow's", "exact": "exact (conditional)"}[ties]
    kind = {"wald": "Wald", "profile": "profile-likelihood"}[intervals]
    return f"Hazard ratios are from Cox models with {rule} handling of ties and {kind} intervals."


# One line of fact each: the key is what a page cites, the text is what it prints.
TEXT = {
    "month": "One month is 365/12 days; all computing is done in days.",
    "event": "Event is coded 1, censoring 0.",
    "time": "Times that agree to eight decimals of a day are the same time.",
    "interval": "Intervals are 95%; those of survival curves are pointwise, on the log-log scale, "
    "and not defined where the curve is at 1 or 0.",
    "at_risk": "At risk at t counts patients with an observed time of t or later, as R does.",
    "median": (
        "The median is the smallest time with survival below 0.5, or the midpoint of the "
        "plateau when the curve runs level at exactly 0.5 (its start, when the curve ends there), "
        "as in R; its limits are where the limits of the curve cross 0.5 (Brookmeyer-Crowley)."
    ),
    "difference": (
        "Differences in survival carry a Wald interval and test from the two Greenwood errors."
    ),
    "log_rank": (
        "The log-rank test is two-sided and unweighted; where a group has, or is expected to have, "
        f"fewer than {EVENT_FLOOR} events, its P is by permutation, if the groups are censored "
        "alike."
    ),
    "floor": (
        "Hazard ratios, interactions and differences are withheld where a group has fewer than "
        f"{EVENT_FLOOR} events, adjusted models below {EVENTS_PER_TERM} events a term."
    ),
    "cox": cox_text(TIES, INTERVALS[0]),
    "logistic": "Odds ratios are from logistic regression with Wald intervals.",
    "interaction": (
        "The interaction is the Wald test of the ratio of the hazard ratio inside the subgroup to "
        "that outside it, from one unadjusted Cox model."
    ),
    "rmst": (
        "Restricted mean survival is the area under the curve up to the horizon; its limits are "
        "made on the logit scale, those of a difference from the limits of both groups (MOVER). "
        f"With fewer than {SMALL_GROUP} patients in a group, P and limits of the difference are by "
        "permutation."
    ),
    "landmark": (
        "A landmark analysis keeps patients still event-free and under observation after the "
        "landmark day, and starts their clock there."
    ),
    "missing": "Patients with a missing covariate are left out of the model, and counted.",
}

# Whatever a reader's cohort was, here its groups are taken as they came about.
COMPARED_AS = "Compared as observed, not as randomised"
NOT_FOR_TREATMENT = "Not for treatment decisions."

# What stands beside every result of synthetic rows; the first where the cohort was built for a
# publication, whose printed numbers it meets by construction.
ONE_OF_MANY = "one synthetic cohort of many possible; not a finding of the study"
MADE_UP_ROWS = "synthetic rows; not a finding about patients"
BY_CONSTRUCTION = "Numbers that were printed and can be met are met by construction; any other is "
FIRST_RESPONSE = 28  # days: no response is assessed earlier; assumed, the text does not say
