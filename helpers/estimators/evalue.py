"""How strong an unmeasured confounder would have to be: E-values, bias factors, tipping points.

These are sums on a ratio, not estimates from data: they say what it would take, never that it is
so. All ratios are natural (1 is no association), none is a logarithm.
"""

import numpy as np
import pandas as pd

FORMS = ("common", "rare")
TIPPING_COLUMNS = [
    "on_outcome", "on_treatment", "bias_factor", "risk_ratio_left", "hazard_ratio_left",
    "explained",
]  # fmt: skip
ARRAY_COLUMNS = [
    "on_outcome", "share_treated", "share_untreated", "bias_factor", "hazard_ratio_left",
    "explained",
]  # fmt: skip


def positive(**values) -> None:
    """Refuse what is no ratio."""
    for name, value in values.items():
        found = np.asarray(value, float)
        if not (np.isfinite(found) & (found > 0)).all():
            raise ValueError(f"{name}: found {value!r}. To do: give a finite ratio above 0.")


def risk_ratio(hazard_ratio, form: str = "common"):
    """The risk ratio that stands for a hazard ratio (no unit, natural scale).

    Parameters
    ----------
    hazard_ratio : float or array
        Above 0.
    form : str
        common: the outcome in more than 15% by the end of follow-up, by
        (1 - 0.5^sqrt(HR)) / (1 - 0.5^sqrt(1/HR)); rare: the hazard ratio itself.

    Raises
    ------
    ValueError
        A ratio that is not above 0, or another form.

    References
    ----------
    VanderWeele and Ding 2017, https://doi.org/10.7326/M16-2607
    """
    positive(hazard_ratio=hazard_ratio)
    if form not in FORMS:
        raise ValueError(f"form: found {form!r}. To do: use common or rare.")
    ratio = np.asarray(hazard_ratio, float)
    if form == "common":
        # expm1 keeps the digits of a ratio near 0, where 1 - 0.5^x cancels.
        half = np.log(0.5)
        ratio = np.expm1(half * np.sqrt(ratio)) / np.expm1(half * np.sqrt(1 / ratio))
    return ratio if ratio.ndim else float(ratio)


def hazard_ratio_of(ratio, form: str = "common"):
    """The hazard ratio that a risk ratio stands for: `risk_ratio` undone."""
    positive(ratio=ratio)
    if form == "rare":
        return ratio
    # The conversion is monotone in log HR and close to its square root: bisection between walls.
    ratio = np.atleast_1d(np.asarray(ratio, float))
    low, high = np.full(ratio.shape, -40.0), np.full(ratio.shape, 40.0)
    for _ in range(100):
        middle = (low + high) / 2
        above = np.asarray(risk_ratio(np.exp(middle), form)) > ratio
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    found = np.exp((low + high) / 2)
    return found if len(found) > 1 else float(found[0])


def e_value(hazard_ratio: float, form: str = "common") -> float:
    """E-value of a hazard ratio: the risk ratio a confounder needs with both to explain it.

    With both: with treatment and with the outcome, beyond what was adjusted for. 1 where there is
    nothing to explain.

    Parameters
    ----------
    hazard_ratio, form
        As in `risk_ratio`.

    Returns
    -------
    float
        RR + sqrt(RR (RR - 1)), of the ratio turned above 1.

    References
    ----------
    VanderWeele and Ding 2017, https://doi.org/10.7326/M16-2607

    Examples
    --------
    >>> round(e_value(0.28), 2), round(e_value(0.28, "rare"), 2), e_value(1.0)
    (4.19, 6.6, 1.0)
    """
    ratio = risk_ratio(hazard_ratio, form)
    ratio = max(ratio, 1 / ratio)
    return float(ratio + np.sqrt(ratio * max(ratio - 1, 0.0)))


def e_value_table(
    estimate: float, conf_low: float, conf_high: float, form: str | None = None
) -> pd.DataFrame:
    """E-values of a hazard ratio and of the limit of its interval nearest 1.

    Parameters
    ----------
    estimate, conf_low, conf_high : float
        Hazard ratio and its limits, natural scale.
    form : str, optional
        common or rare (see `risk_ratio`); by default a row for each.

    Returns
    -------
    DataFrame
        of (ratio or bound), form, hazard_ratio, risk_ratio, e_value. An interval that holds 1
        needs no confounder: the E-value of its bound is 1, whatever the limit.

    Raises
    ------
    ValueError
        A ratio that is not above 0, or limits that do not enclose the estimate.
    """
    positive(estimate=estimate, conf_low=conf_low, conf_high=conf_high)
    if not conf_low <= estimate <= conf_high:
        raise ValueError(f"conf_low: found {estimate:g} outside {conf_low:g} to {conf_high:g}. To "
                         "do: give limits around the estimate.")  # fmt: skip
    holds_one = conf_low <= 1 <= conf_high
    bound = conf_high if estimate < 1 else conf_low
    rows = [
        (of, kind, ratio, risk_ratio(ratio, kind),
         1.0 if of == "bound" and holds_one else e_value(ratio, kind))
        for of, ratio in (("ratio", estimate), ("bound", bound))
        for kind in ((form,) if form else FORMS)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["of", "form", "hazard_ratio", "risk_ratio", "e_value"])


def bias_factor(on_outcome, on_treatment):
    """The most by which a confounder can shift a risk ratio: ud * eu / (ud + eu - 1).

    Parameters
    ----------
    on_outcome : float or array
        Risk ratio of the outcome between levels of the confounder, within either group; 1 or more.
    on_treatment : float or array
        Ratio of how common the confounder is in the two groups (any level), 1 or more.

    Raises
    ------
    ValueError
        A ratio below 1: turn it round.

    References
    ----------
    Ding and VanderWeele 2016, https://doi.org/10.1097/EDE.0000000000000457

    Examples
    --------
    >>> round(bias_factor(2.0, 3.0), 3), bias_factor(1.0, 9.0)
    (1.5, 1.0)
    """
    ud, eu = np.asarray(on_outcome, float), np.asarray(on_treatment, float)
    for name, value in (("on_outcome", ud), ("on_treatment", eu)):
        if not (np.isfinite(value) & (value >= 1)).all():
            raise ValueError(f"{name}: found a ratio below 1, or none. To do: turn it round, or "
                             "give a finite one.")  # fmt: skip
    factor = ud * eu / (ud + eu - 1)
    return factor if factor.ndim else float(factor)


def tipping_grid(
    hazard_ratio: float, on_outcome, on_treatment, *, form: str = "common"
) -> pd.DataFrame:
    """What is left of a hazard ratio under confounders of every strength, at the worst.

    Parameters
    ----------
    hazard_ratio : float
        The estimate, or the limit nearest 1, natural scale.
    on_outcome, on_treatment : sequences of float
        Strengths as in `bias_factor`.
    form : str
        As in `risk_ratio`.

    Returns
    -------
    DataFrame
        on_outcome, on_treatment, bias_factor, risk_ratio_left, hazard_ratio_left (towards 1 and,
        where the confounder explains more than all, past it), explained (1 is reached).

    Notes
    -----
    The ratio is moved towards 1 by the whole bias factor: the worst case, not the likely one.
    """
    ratio = risk_ratio(hazard_ratio, form)
    ud, eu = (v.ravel() for v in np.meshgrid(on_outcome, on_treatment, indexing="ij"))
    factor = np.atleast_1d(bias_factor(ud, eu))
    left = ratio * factor if ratio < 1 else ratio / factor
    # What is exactly enough counts as enough, whatever the last digit.
    explained = left >= 1 - 1e-12 if ratio < 1 else left <= 1 + 1e-12
    columns = (ud, eu, factor, left, hazard_ratio_of(left, form), explained)
    return pd.DataFrame(dict(zip(TIPPING_COLUMNS, columns, strict=True)))


def needed_imbalance(hazard_ratio: float, on_outcome, *, form: str = "common") -> pd.DataFrame:
    """For each strength on the outcome, the imbalance that moves a hazard ratio to 1.

    Parameters
    ----------
    hazard_ratio, form
        As in `tipping_grid`; give the bound to ask when the interval reaches 1.
    on_outcome : sequence of float
        1 or more.

    Returns
    -------
    DataFrame
        on_outcome, on_treatment (missing where no imbalance is enough: the bias factor stays
        below the strength on the outcome). Where the two are equal it is the E-value.
    """
    ratio = risk_ratio(hazard_ratio, form)
    ratio, ud = max(ratio, 1 / ratio), np.asarray(on_outcome, float).ravel()
    bias_factor(ud, 1.0)  # refuses what is below 1
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = ratio * (ud - 1) / (ud - ratio)
    needed = np.where(ud > ratio, needed, np.nan) if ratio > 1 else np.ones_like(ud)
    return pd.DataFrame({"on_outcome": ud, "on_treatment": needed})


def confounder_array(
    hazard_ratio: float, on_outcome, share_treated, share_untreated
) -> pd.DataFrame:
    """Hazard ratio left after a yes-or-no confounder of known prevalence: the array approach.

    Parameters
    ----------
    hazard_ratio : float
        The estimate or a limit, natural scale.
    on_outcome : sequence of float
        Ratio by which the confounder multiplies the outcome, above 0, the same in both groups.
    share_treated, share_untreated : sequences of float
        Prevalence of the confounder in the treated and the untreated, 0 to 1.

    Returns
    -------
    DataFrame
        on_outcome, share_treated, share_untreated, bias_factor
        ((p1 (r - 1) + 1) / (p0 (r - 1) + 1)), hazard_ratio_left (estimate over the factor),
        explained (1 is reached or passed).

    Raises
    ------
    ValueError
        A ratio that is not above 0, or a share outside 0 to 1.

    Notes
    -----
    Exact for risk ratios; for hazard ratios close where few have had the outcome, or the
    confounder is weak. Unlike `tipping_grid` this is not the worst case but one case.

    References
    ----------
    Schneeweiss 2006, https://doi.org/10.1002/pds.1200
    Lin, Psaty and Kronmal 1998, https://doi.org/10.2307/2533848
    """
    positive(hazard_ratio=hazard_ratio, on_outcome=on_outcome)
    axes = [np.asarray(v, float).ravel() for v in (on_outcome, share_treated, share_untreated)]
    for name, share in zip(("share_treated", "share_untreated"), axes[1:], strict=True):
        if not ((share >= 0) & (share <= 1)).all():
            raise ValueError(f"{name}: found a share outside 0 to 1. To do: give a prevalence.")
    ratio, p1, p0 = (v.ravel() for v in np.meshgrid(*axes, indexing="ij"))
    factor = (p1 * (ratio - 1) + 1) / (p0 * (ratio - 1) + 1)
    left = hazard_ratio / factor
    explained = left >= 1 - 1e-12 if hazard_ratio < 1 else left <= 1 + 1e-12
    columns = (ratio, p1, p0, factor, left, explained)
    return pd.DataFrame(dict(zip(ARRAY_COLUMNS, columns, strict=True)))
