"""Logistic models: odds ratios by maximum likelihood, or by Firth's penalty where it has none."""

import warnings

import numpy as np
import pandas as pd
from scipy.stats import chi2

from helpers.conventions import INTERVALS
from helpers.fit.design import design, standardised
from helpers.fit.likelihood import NotEstimable
from helpers.fit.maximum import limit
from helpers.fit.penalised import settled
from helpers.regression import TERM_COLUMNS, firth_terms
from helpers.survival import wald

UNSETTLED = "the model does not converge; use fewer terms, or the log of a skewed number"
FIRTH = "use firth=True, or compare the proportions"


def logistic_table(
    frame: pd.DataFrame, *, outcome: str, covariates: list[str],
    references: dict[str, str] | None = None, intervals: str | None = None, firth: bool = False,
) -> pd.DataFrame:  # fmt: skip
    """Log odds ratios of a logistic model, one row per term.

    Parameters
    ----------
    frame : DataFrame
        One row per patient; those with a missing value are left out (complete cases).
    outcome : str
        1 (or True) for those with the outcome, 0 for those without.
    covariates : list of str
        Columns of the model; see `helpers.fit.design.design` for how each enters.
    references : dict, optional
        Reference level of a categorical column; by default the first level in which some have
        the outcome and some have not.
    intervals : str, optional
        wald, or profile: limits from the profile (penalised) likelihood, its ratio's P, and
        `statistic` its signed root. By default wald for maximum likelihood, profile for Firth.
    firth : bool
        Firth's penalty, which gives a finite answer also where groups are separated.

    Returns
    -------
    DataFrame
        The columns of `helpers.regression.cox_table` (n_event counts the outcome) and note.
        Without Firth's penalty a group in which all or none have the outcome is a row of
        missing values with a note; the others are then the limit of the likelihood.

    Raises
    ------
    NotEstimable
        Everybody or nobody has the outcome, the reference group is one-sided, a constant or
        redundant covariate, or a covariate that separates the outcomes.
    ValueError
        The outcome is not 0 or 1; an unknown option.

    Notes
    -----
    statsmodels' likelihood at convergence (R's ``glm``); separation is looked for before the fit
    by firthmodels' linear programme, since a fit that has drifted looks like an answer. R's
    ``confint`` interpolates its profile and so differs from these limits in the fourth digit.

    References
    ----------
    Albert and Anderson 1984, https://doi.org/10.1093/biomet/71.1.1
    Firth 1993, https://doi.org/10.1093/biomet/80.1.27
    Heinze and Schemper 2002, https://doi.org/10.1002/sim.1047

    Examples
    --------
    >>> ten = pd.DataFrame({"arm": list("aaaaabbbbb"), "cr": [1, 0, 0, 0, 1, 1, 1, 1, 0, 1]})
    >>> table = logistic_table(ten, outcome="cr", covariates=["arm"])
    >>> table[["term", "estimate", "std_error", "n", "n_event"]].round(3)
              term  estimate  std_error   n  n_event
    0  arm: b vs a     1.792      1.443  10        6
    """
    intervals = intervals or ("profile" if firth else "wald")
    if intervals not in INTERVALS:
        raise ValueError(f"intervals: found {intervals!r}. To do: use wald or profile.")
    data = frame.dropna(subset=[outcome, *covariates])
    y = zero_one(data[outcome])
    if data.empty or y.min() == y.max():
        raise NotEstimable(f"{outcome}: the same for all {len(y)} patients, so there are no odds "
                           "to compare")  # fmt: skip
    matrix, terms = design(data, covariates, two_sided(data, y, covariates, references))
    notes = pd.Series("", index=terms["term"])
    if firth:
        estimates = penalised(matrix, y, intervals)
    else:
        notes, keep = one_sided(data, matrix, terms, y)
        fitted = matrix.loc[keep, notes.index[notes == ""]]
        estimates = likeliest(fitted, y[keep.to_numpy()], intervals)
    kind = "Firth-penalised" if firth else "maximum likelihood"
    shown = {"wald": "Wald intervals", "profile": "profile-likelihood intervals and P"}[intervals]
    table = terms.join(estimates, on="term").assign(
        scale="log odds ratio", method=f"logistic, {kind}, {shown}", n=len(y), n_event=int(y.sum())
    )
    return table[TERM_COLUMNS].assign(note=notes.to_numpy())


def zero_one(values: pd.Series) -> np.ndarray:
    """The outcome as 0 and 1, or what is wrong with it."""
    if not pd.api.types.is_numeric_dtype(values) or not values.isin([0, 1]).all():
        found = ", ".join(repr(v) for v in values.unique()[:4].tolist())
        raise ValueError(
            f"{values.name}: found {found}. To do: make it 1 for those with the outcome, 0 for "
            "those without."
        )
    return values.to_numpy(float)


def two_sided(data, y, covariates: list[str], references: dict | None) -> dict:
    """The references asked for, and for other columns the first level with both outcomes."""
    chosen = dict(references or {})
    for column in covariates:
        if column not in chosen and not pd.api.types.is_numeric_dtype(data[column]):
            share = pd.Series(y, data.index).groupby(data[column].astype("category"), observed=True)
            mixed = share.mean().between(0, 1, inclusive="neither")
            if mixed.any():
                chosen[column] = str(mixed.idxmax())
    return chosen


def one_sided(data, matrix, terms, y) -> tuple[pd.Series, pd.Series]:
    """A note for each term whose group all have or all lack the outcome, and who is left.

    There the log odds ratio is infinite and its patients say nothing about the other terms.
    """
    notes, keep = pd.Series("", index=terms["term"]), pd.Series(True, index=data.index)
    for row in terms[terms["level"] != ""].itertuples():
        values = data[row.column].astype(str).to_numpy()
        for level in (row.reference, row.level):
            own = y[values == level]
            if own.min() < own.max():
                continue
            which = f"{'all' if own[0] else 'none'} of the {len(own)} with {level!r}"
            if level == row.reference:
                raise NotEstimable(f"{row.column}: {which}, the reference, have the outcome, so "
                                   f"every odds ratio against it is infinite; {FIRTH}")  # fmt: skip
            notes[row.term] = f"{which} have the outcome, so the ratio is " + (
                f"infinite; {FIRTH}" if own[0] else f"0; {FIRTH}"
            )
            keep &= values != level
    return notes, keep


def fitted_chances(
    frame: pd.DataFrame, *, outcome: str, covariates: list[str],
    references: dict[str, str] | None = None,
) -> pd.Series:  # fmt: skip
    """Each patient's chance of the outcome, 0 to 1, by the model of `logistic_table`.

    Parameters
    ----------
    frame, outcome, covariates, references
        As in `logistic_table`.

    Returns
    -------
    Series
        Index of the complete cases.

    Raises
    ------
    NotEstimable
        As `logistic_table`; also where all or none of one level have the outcome, since a chance
        of 0 or 1 is not one that a model has found.
    """
    data = frame.dropna(subset=[outcome, *covariates])
    y = zero_one(data[outcome])
    if data.empty or y.min() == y.max():
        raise NotEstimable(f"{outcome}: the same for all {len(y)} patients, so there are no "
                           "chances to tell apart")  # fmt: skip
    matrix, _ = design(data, covariates, two_sided(data, y, covariates, references))
    if matrix.shape[1] == 0:
        return pd.Series(y.mean(), data.index, name="chance")
    x = kept_apart(matrix, y)[0]
    full = np.column_stack([x, np.ones(len(y))])
    chance = fitted(full, y, np.zeros(len(y)), list(matrix)).predict()
    return pd.Series(chance, data.index, name="chance")


def kept_apart(matrix: pd.DataFrame, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The scaled matrix and its scale, refused where a column separates the outcomes."""
    from firthmodels import detect_separation

    x, scale = standardised(matrix)
    finite = detect_separation(x, y).is_finite[: x.shape[1]]
    if not finite.all():
        names = ", ".join(matrix.columns[~finite])
        raise NotEstimable(f"{names}: separates those with the outcome from those without, so its "
                           f"odds ratio is infinite; {FIRTH}")  # fmt: skip
    return x, scale


def fitted(columns: np.ndarray, y: np.ndarray, offset: np.ndarray, names: list[str]):
    """statsmodels' answer, from a start that steps with care; its own Newton may overshoot."""
    from firthmodels import FirthLogisticRegression
    from statsmodels.api import Logit

    start = FirthLogisticRegression(fit_intercept=False, penalty_weight=0)
    start = settled(start, columns, y, None, offset).coef_
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it warns of is judged on the result
        try:
            model = Logit(y, columns, offset=offset)
            done = model.fit(start, method="newton", maxiter=100, tol=1e-12, disp=False)
        except np.linalg.LinAlgError:
            raise NotEstimable(f"{', '.join(names)}: {UNSETTLED}") from None
    if not (done.llf > -np.inf and np.abs(done.model.score(done.params)).max() < 1e-6):
        raise NotEstimable(f"{', '.join(names)}: {UNSETTLED}")
    return done


def likeliest(matrix: pd.DataFrame, y: np.ndarray, intervals: str) -> pd.DataFrame:
    """Maximum likelihood by statsmodels, refused where the outcomes are separated."""
    if matrix.shape[1] == 0:
        return wald(pd.Series(dtype=float), pd.Series(dtype=float))
    if y.min() == y.max():
        raise NotEstimable(f"{', '.join(matrix)}: nobody is left of one outcome; {FIRTH}")
    x, scale = kept_apart(matrix, y)
    names = list(matrix)
    full = np.column_stack([x, np.ones(len(y))])
    best = fitted(full, y, np.zeros(len(y)), names)
    p = x.shape[1]
    table = wald(*(pd.Series(v[:p] / scale, index=matrix.columns) for v in (best.params, best.bse)))
    if intervals == "profile":
        for a in range(p):
            rest = np.delete(full, a, axis=1)

            def loss(value, a=a, rest=rest):
                return 2 * (best.llf - fitted(rest, y, x[:, a] * value, names).llf)

            low, high = (
                limit(loss, best.params[a], side * best.bse[a], matrix.columns[a])
                for side in (-1, 1)
            )
            ratio = max(loss(0.0), 0.0)
            table.iloc[a, 2:] = (
                np.sign(best.params[a]) * np.sqrt(ratio), chi2.sf(ratio, 1),
                low / scale[a], high / scale[a],
            )  # fmt: skip
    return table.rename_axis("term")


def penalised(matrix: pd.DataFrame, y: np.ndarray, intervals: str) -> pd.DataFrame:
    """Firth's estimates by firthmodels, with errors from the information of the likelihood.

    firthmodels takes its errors from the information of the data and penalty together, which
    makes them up to an eighth smaller in small samples than those of brglm2.
    """
    from firthmodels import FirthLogisticRegression

    x, scale = standardised(matrix)
    fit = settled(FirthLogisticRegression(), x, y)
    p = fit.predict_proba(x)[:, 1]
    full = np.column_stack([x, np.ones(len(y))])
    error = np.sqrt(np.diag(np.linalg.inv((full.T * (p * (1 - p))) @ full)))
    return firth_terms(fit, error, scale, intervals, list(matrix))
