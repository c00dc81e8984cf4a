"""What a made cohort is like: one frozen set of dials, and what follows from them."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

# ECOG 0 to 3 at failure: chosen to look like the setting, from no data.
ECOG_SHARES = np.array([0.25, 0.35, 0.25, 0.15])
ECOG_MEAN = float(np.arange(4) @ ECOG_SHARES)
SHARES = (
    "share_treated", "failure_share", "hidden_treated", "hidden_untreated", "leave_treated",
    "leave_untreated",
)  # fmt: skip
NOT_NEGATIVE = ("effect_delay", "wait_mean", "follow_low")


@dataclass(frozen=True)
class Dials:
    """The mechanisms of a made cohort, each apart from the others; by default none of them acts.

    Parameters
    ----------
    patients : int
        Patients at failure of the earlier treatment, day 0 of the clock.
    share_treated : float
        Share for whom the treatment is chosen, 0 to 1.
    log_hr_death, log_hr_progression_free : float
        True log hazard ratio of treatment, given everything else, on death and on progression or
        death, from the infusion on. 0 is no effect.
    median_survival : float
        Days; of an untreated patient of mean ECOG and burden without the hidden trait.
    death_first : float
        Share of untreated patients whose progression-free time ends by death, above 0 to 1: the
        competing death. The hazard of progression or death is that of death over this share.
    shape : float
        Weibull shape of both times; 1 is a constant hazard.
    effect_delay : float
        Days from infusion until it acts; above 0 hazards are not proportional.
    wait_mean : float
        Mean days from failure to infusion; 0 is infusion on day 0.
    wait_shape : float
        Shape of the waits, which are gamma: their standard deviation is the mean over the root of
        the shape, by default half of the mean. 1 is exponential; infinite is the same wait for all.
    failure_share : float
        Share of chosen patients for whom no product can be made: never infused.
    ecog_on_choice, burden_on_choice : float
        Log odds of being chosen per ECOG grade and per standard deviation of (log) tumour burden.
    ecog_on_death, burden_on_death : float
        Log hazard ratio of both events per the same units.
    hidden_treated, hidden_untreated : float
        Prevalence, among the chosen and the others, of a trait that nobody recorded.
    hidden_on_death : float
        Its log hazard ratio.
    leave_treated, leave_untreated : float
        Share, among the chosen and the others, of patients who would be lost before their death,
        in the second half of their time: informative drop-out.
    follow_low, follow_high : float
        Days; the end of the study comes uniformly between them, whatever the patient's state.

    Raises
    ------
    ValueError
        A dial out of range; or ratios so far apart that the hazard of progression would be
        negative.
    """

    patients: int = 93
    share_treated: float = 54 / 93
    log_hr_death: float = 0.0
    log_hr_progression_free: float = 0.0
    median_survival: float = 300.0
    death_first: float = 0.4
    shape: float = 1.0
    effect_delay: float = 0.0
    wait_mean: float = 0.0
    wait_shape: float = 4.0
    failure_share: float = 0.0
    ecog_on_choice: float = 0.0
    burden_on_choice: float = 0.0
    ecog_on_death: float = 0.0
    burden_on_death: float = 0.0
    hidden_treated: float = 0.0
    hidden_untreated: float = 0.0
    hidden_on_death: float = 0.0
    leave_treated: float = 0.0
    leave_untreated: float = 0.0
    follow_low: float = 365.0
    follow_high: float = 1095.0

    def __post_init__(self):
        for name in SHARES:
            self._hold(name, 0 <= getattr(self, name) <= 1, "a share from 0 to 1")
        for name in NOT_NEGATIVE:
            self._hold(name, 0 <= getattr(self, name) < np.inf, "0 or more days")
        self._hold("patients", self.patients >= 1, "one patient or more")
        self._hold("median_survival", 0 < self.median_survival < np.inf, "days above 0")
        self._hold("shape", 0 < self.shape < np.inf, "a shape above 0")
        self._hold("wait_shape", self.wait_shape > 0, "a shape above 0")
        self._hold("death_first", 0 < self.death_first <= 1, "a share above 0, to 1")
        self._hold("follow_high", self.follow_high >= self.follow_low, "follow_low or more")
        if self.death_first == 1:
            same = self.log_hr_progression_free == self.log_hr_death
            self._hold("log_hr_progression_free", same, "log_hr_death, where nobody progresses")
        else:
            self._hold(
                "log_hr_progression_free", self.progression_ratio > 0,
                "a ratio nearer to that of death",
            )  # fmt: skip

    def _hold(self, name: str, good: bool, wanted: str) -> None:
        if not good:
            raise ValueError(f"{name}: found {getattr(self, name)!r}. To do: give {wanted}.")

    @property
    def progression_to_death(self) -> float:
        """Hazard of progression over the hazard of death, untreated."""
        return 1 / self.death_first - 1

    @property
    def progression_ratio(self) -> float:
        """What the treatment multiplies the hazard of progression with.

        The one that makes the ratio of both together what its dial says.
        """
        both = np.exp(self.log_hr_progression_free) / self.death_first
        return (both - np.exp(self.log_hr_death)) / self.progression_to_death

    def hazard(self, days):
        """Cumulative hazard of death of the untreated reference patient."""
        return np.log(2) * (np.asarray(days, float) / self.median_survival) ** self.shape

    def days(self, hazard):
        """The day on which the reference patient has this cumulative hazard."""
        return self.median_survival * (np.asarray(hazard, float) / np.log(2)) ** (1 / self.shape)

    @property
    def choice_intercept(self) -> float:
        """Log odds of being chosen at mean ECOG and burden, so that the share comes out."""
        return intercept(self.share_treated, self.ecog_on_choice, self.burden_on_choice)


@lru_cache(maxsize=512)
def intercept(share: float, on_ecog: float, on_burden: float) -> float:
    """The intercept of a logistic choice whose mean over patients is `share`."""
    if share in (0, 1) or on_ecog == on_burden == 0:
        with np.errstate(divide="ignore"):
            return float(logit(share))
    # Gauss-Hermite over the normal burden, sums over ECOG.
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    weights = np.outer(ECOG_SHARES, weights / weights.sum())
    linear = on_ecog * (np.arange(4) - ECOG_MEAN)[:, None] + on_burden * nodes
    reach = abs(logit(share)) + abs(linear).max() + 1
    return brentq(lambda a: (expit(a + linear) * weights).sum() - share, -reach, reach)
