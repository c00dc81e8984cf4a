"""Cox models. Every hazard ratio shown anywhere in this project comes from `cox_table`."""

import numpy as np
import pandas as pd

from helpers.conventions import TIES
from helpers.fit.likelihood import NotEstimable, maximum
from helpers.survival import compiled, wald

TERM_COLUMNS = [
    "term", "column", "level", "reference", "estimate", "std_error", "statistic", "p_value",
    "conf_low", "conf_high", "scale", "method", "n", "n_event",
]  # fmt: skip


def design(
    frame: pd.DataFrame, covariates: list[str], references: dict[str, str] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The design matrix of a model, and what each of its columns means.

    A numeric column enters as it is; any other becomes one indicator per level but the
    reference (the first in order unless `references` names another).

    Returns
    -------
    matrix : DataFrame
        One float column per term, index of `frame`.
    terms : DataFrame
        term, column, level, reference; level and reference are empty for numbers.
    """
    references = references or {}
    matrix, terms = {}, []
    for column in covariates:
        values = frame[column]
        if pd.api.types.is_numeric_dtype(values):
            matrix[column] = values.astype(float)
            terms.append((column, column, "", ""))
            continue
        levels = [str(v) for v in values.astype("category").cat.categories if (values == v).any()]
        if len(levels) < 2:
            raise NotEstimable(f"{column}: the same for every patient in the model; leave it out")
        base = str(references.get(column, levels[0]))
        if base not in levels:
            raise NotEstimable(
                f"{column}: no patient with {base!r}, the reference, is in the model"
            )
        for level in (level for level in levels if level != base):
            term = f"{column}: {level} vs {base}"
            matrix[term] = (values.astype(str) == level).astype(float)
            terms.append((term, column, level, base))
    return (
        pd.DataFrame(matrix, index=frame.index),
        pd.DataFrame(terms, columns=["term", "column", "level", "reference"]),
    )


def cox_table(
    frame: pd.DataFrame,
    *,
    time: str,
    event: str,
    covariates: list[str],
    references: dict[str, str] | None = None,
    products: list[tuple[str, str]] | None = None,
    engine: str = "lifelines",
) -> pd.DataFrame:
    """Log hazard ratios of a Cox model, one row per term.

    Parameters
    ----------
    frame : DataFrame
        One row per patient; those with a missing covariate are left out (complete cases).
    time, event : str
        Days and event (1 event, 0 censored).
    covariates : list of str
        Columns of the model; see `design` for how each enters.
    references : dict, optional
        Reference level of a categorical column.
    products : list of (term, term), optional
        Products of two terms, for interactions; each becomes the term "a x b".
    engine : str
        lifelines, or fast for the compiled kernel.

    Returns
    -------
    DataFrame
        term, column, level, reference, estimate, std_error, statistic, p_value, conf_low,
        conf_high (Wald, log scale: exponentiate for the hazard ratio), scale, method, n,
        n_event. A term is missing (NaN) when its group has no event: its hazard ratio would be
        0 and its error infinite. The others are then exact, being the limit of the likelihood.

    Raises
    ------
    NotEstimable
        No event, no event in a reference group, a constant or redundant covariate, or a
        likelihood without a maximum.

    Notes
    -----
    Efron's ties; converged to R's ``coxph.control(eps = 1e-12)`` within 1e-6.

    References
    ----------
    Cox 1972, https://doi.org/10.1111/j.2517-6161.1972.tb00899.x
    Efron 1977, https://doi.org/10.1080/01621459.1977.10480613
    """
    data = frame.dropna(subset=[time, event, *covariates])
    happened = data[event] == 1
    if not happened.any():
        raise NotEstimable("no patient had an event, so there is no hazard to compare")
    matrix, terms = design(data, covariates, bases(data, event, covariates, references))
    for left, right in products or []:
        name = f"{left} x {right}"
        matrix[name] = matrix[left] * matrix[right]
        terms.loc[len(terms)] = [name, name, "", ""]

    # A group without events has a hazard ratio of 0, an estimate at minus infinity: there its
    # patients weigh nothing in any risk set, so the rest of the model is the model without them.
    eventless = []
    for column, rows in terms[terms["level"] != ""].groupby("column", sort=False):
        base, values = rows["reference"].iloc[0], data[column].astype(str)
        with_event = set(values[happened])
        if base not in with_event:
            raise NotEstimable(
                f"{column}: no event among the {int((values == base).sum())} with {base!r}, the "
                "reference, so every ratio against it is infinite; choose another reference or "
                "compare restricted means"
            )
        eventless += list(rows.loc[~rows["level"].isin(with_event), "term"])
    keep = ~(matrix[eventless] == 1).any(axis=1)
    fitted = matrix.loc[keep].drop(columns=eventless)
    # A product with a dropped term is all zero by now and has no estimate either.
    names = {f"{left} x {right}" for left, right in products or []}
    gone = [t for t in fitted if t in names and not fitted[t].any()]
    fitted = fitted.drop(columns=gone)

    estimates = fit_cox(fitted, data.loc[keep, time], data.loc[keep, event], engine)
    table = terms.join(estimates, on="term")
    table["scale"], table["method"] = "log hazard ratio", f"Cox, {TIES} ties"
    table["n"], table["n_event"] = len(data), int(happened.sum())
    return table[TERM_COLUMNS]


def bases(frame, event: str, covariates: list[str], references: dict | None) -> dict:
    """The references asked for, and for other columns the first level that had an event.

    Against a level without an event every ratio is infinite; nobody asked for that one.
    """
    chosen = dict(references or {})
    for column in covariates:
        if column not in chosen and not pd.api.types.is_numeric_dtype(frame[column]):
            values = frame.loc[frame[event] == 1, column]
            chosen[column] = str(
                values.astype("category").cat.remove_unused_categories().cat.categories[0]
            )
    return chosen


def fit_cox(
    matrix: pd.DataFrame, time: pd.Series, event: pd.Series, engine: str = "lifelines"
) -> pd.DataFrame:
    """Fit the model by an engine; refuse one that has no finite maximum, and say why."""
    kernel = compiled(engine)
    if matrix.shape[1] == 0:
        return wald(pd.Series(dtype=float), pd.Series(dtype=float))
    flat = [c for c in matrix if matrix[c].nunique() <= 1]
    if flat:
        raise NotEstimable(f"{flat[0]}: the same for every patient in the model; leave it out")
    scale = matrix.std().to_numpy()
    scaled = (matrix - matrix.mean()).to_numpy() / scale
    if np.linalg.matrix_rank(scaled) < matrix.shape[1]:
        raise NotEstimable(
            f"{', '.join(matrix)}: one of these follows from the others; leave one out"
        )
    time, happened = time.to_numpy(float), event.to_numpy() == 1
    beta = error = np.full(matrix.shape[1], np.nan)
    if kernel:
        beta, error, _ = kernel.cox(time, happened, scaled)
    if np.isnan(beta).any():  # where the kernel finds no maximum, this says why there is none
        beta, error = maximum(scaled, time, happened, list(matrix))
    estimate, error = (pd.Series(v / scale, index=matrix.columns) for v in (beta, error))
    return wald(estimate, error).rename_axis("term")
