"""From a frame to the matrix of a model: complete cases, terms, and what can be estimated."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.fit.likelihood import NotEstimable


class Model(NamedTuple):
    """Complete cases and what is fitted to them: `matrix` and `rows` are what can be estimated."""

    data: pd.DataFrame
    matrix: pd.DataFrame
    terms: pd.DataFrame
    rows: pd.Series


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


def prepared(frame, time, event, covariates, references, products=None, cluster=None) -> Model:
    """The complete cases, their design matrix and its terms."""
    data = frame.dropna(subset=[time, event, *covariates, *([cluster] if cluster else [])])
    if not (data[event] == 1).any():
        raise NotEstimable("no patient had an event, so there is no hazard to compare")
    matrix, terms = design(data, covariates, bases(data, event, covariates, references))
    for left, right in products or []:
        name = f"{left} x {right}"
        matrix[name] = matrix[left] * matrix[right]
        terms.loc[len(terms)] = [name, name, "", ""]
    return Model(data, matrix, terms, pd.Series(True, index=data.index))


def without_eventless(model: Model, event: str, products=None) -> Model:
    """The model without the groups that had no event, and without the products they leave empty.

    A group without events has a hazard ratio of 0, an estimate at minus infinity: there its
    patients weigh nothing in any risk set, so the rest of the model is the model without them.
    """
    eventless, (data, matrix, terms, _) = [], model
    for column, rows in terms[terms["level"] != ""].groupby("column", sort=False):
        base, values = rows["reference"].iloc[0], data[column].astype(str)
        with_event = set(values[data[event] == 1])
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
    return model._replace(matrix=fitted.drop(columns=gone), rows=keep)


def standardised(matrix: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The matrix centred and scaled, and its scale; refused when a column says nothing new."""
    flat = [c for c in matrix if matrix[c].nunique() <= 1]
    if flat:
        raise NotEstimable(f"{flat[0]}: the same for every patient in the model; leave it out")
    scale = matrix.std().to_numpy()
    scaled = (matrix - matrix.mean()).to_numpy() / scale
    if np.linalg.matrix_rank(scaled) < matrix.shape[1]:
        raise NotEstimable(
            f"{', '.join(matrix)}: one of these follows from the others; leave one out"
        )
    return scaled, scale
