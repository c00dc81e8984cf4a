"""From a frame to the matrix of a model: complete cases, terms, and what can be estimated."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from helpers.conventions import on_grid
from helpers.fit.likelihood import NotEstimable


@dataclass(frozen=True)
class Model:
    """Complete cases and what is fitted to them.

    `x` and `names` are the columns that can be estimated, of the patients in `kept`; `about` has
    (term, column, level, reference) of every term. Arrays, because an explorer fits many models a
    second; `matrix`, `terms` and `rows` are the same as tables.
    """

    data: pd.DataFrame
    x: np.ndarray
    names: list[str]
    about: list[tuple[str, str, str, str]]
    kept: np.ndarray

    @property
    def matrix(self) -> pd.DataFrame:
        return pd.DataFrame(self.x, index=self.data.index[self.kept], columns=self.names)

    @property
    def terms(self) -> pd.DataFrame:
        return terms_table(self.about)

    @property
    def rows(self) -> pd.Series:
        return pd.Series(self.kept, index=self.data.index)


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
    columns, rows = design_columns(frame, covariates, references)
    return pd.DataFrame(columns, index=frame.index), terms_table(rows)


def terms_table(rows: list[tuple[str, str, str, str]]) -> pd.DataFrame:
    names = ("term", "column", "level", "reference")
    return pd.DataFrame(dict(zip(names, zip(*rows, strict=True), strict=True)), columns=names)


def design_columns(frame, covariates: list[str], references: dict[str, str] | None):
    """The columns of a design matrix as arrays by term, and the rows of its table of terms."""
    references = references or {}
    matrix, terms = {}, []
    for column in covariates:
        values = frame[column]
        if pd.api.types.is_numeric_dtype(values):
            matrix[column] = values.to_numpy(float)
            terms.append((column, column, "", ""))
            continue
        values = pd.Categorical(values)
        present = np.bincount(values.codes[values.codes >= 0], minlength=len(values.categories))
        levels = [str(v) for v, n in zip(values.categories, present, strict=True) if n]
        if len(levels) < 2:
            raise NotEstimable(f"{column}: the same for every patient in the model; leave it out")
        base = str(references.get(column, levels[0]))
        if base not in levels:
            raise NotEstimable(
                f"{column}: no patient with {base!r}, the reference, is in the model"
            )
        names = [str(v) for v in values.categories]
        for level in (level for level in levels if level != base):
            term = f"{column}: {level} vs {base}"
            matrix[term] = (values.codes == names.index(level)).astype(float)
            terms.append((term, column, level, base))
    return matrix, terms


def bases(frame, event: str, covariates: list[str], references: dict | None) -> dict:
    """The references asked for, and for other columns the first level that had an event.

    Against a level without an event every ratio is infinite; nobody asked for that one.
    """
    chosen, happened = dict(references or {}), frame[event].to_numpy() == 1
    for column in covariates:
        if column not in chosen and not pd.api.types.is_numeric_dtype(frame[column]):
            values = pd.Categorical(frame[column])
            chosen[column] = str(values.categories[values.codes[happened].min()])
    return chosen


def prepared(frame, time, event, covariates, references, products=None, cluster=None) -> Model:
    """The complete cases, their design matrix and its terms."""
    asked = [*covariates, *([cluster] if cluster else [])]
    complete = ~np.any([pd.isna(frame[column].array) for column in (time, event, *asked)], axis=0)
    data = frame if complete.all() else frame[complete]
    days = on_grid(data[time])
    if (days != data[time].to_numpy()).any():
        data = data.assign(**{time: days})
    if not (data[event].to_numpy() == 1).any():
        raise NotEstimable(without_event(frame.dropna(subset=[time, event]), event, asked))
    columns, terms = design_columns(data, covariates, bases(data, event, covariates, references))
    for left, right in products or []:
        name = f"{left} x {right}"
        columns[name] = columns[left] * columns[right]
        terms.append((name, name, "", ""))
    x = np.column_stack(list(columns.values())) if columns else np.empty((len(data), 0))
    return Model(data, x, list(columns), terms, np.ones(len(data), bool))


def without_event(frame, event: str, covariates: list[str]) -> str:
    """Why the patients of a model have no event: nobody had one, or those who had lack a value."""
    had = int((frame[event] == 1).sum())
    if not had:
        return "no patient had an event, so there is no hazard to compare"
    who = f"all {had} patients" if had > 1 else "the only patient"
    lacking = [column for column in covariates if frame[column].isna().any()]
    if len(lacking) == 1:
        return f"{lacking[0]}: missing for {who} with an event; leave it out"
    return (
        f"{', '.join(lacking)}: {who} with an event have no value in one or more of these; leave "
        "out the one that is missing most often"
    )


def without_eventless(model: Model, event: str, products=None) -> Model:
    """The model without the groups that had no event, and without the products they leave empty.

    A group without events has a hazard ratio of 0, an estimate at minus infinity: there its
    patients weigh nothing in any risk set, so the rest of the model is the model without them.
    """
    happened, indicators = model.data[event].to_numpy() == 1, {}
    columns = dict(zip(model.names, model.x.T, strict=True))
    for term, column, level, base in model.about:
        if level:
            indicators.setdefault((column, base), {})[term] = columns[term] == 1
    eventless, keep = [], np.ones(len(happened), bool)
    for (column, base), members in indicators.items():
        in_base = ~np.any(list(members.values()), axis=0)
        if not (in_base & happened).any():
            raise NotEstimable(
                f"{column}: no event among the {int(in_base.sum())} with {base!r}, the "
                "reference, so every ratio against it is infinite; choose another reference or "
                "compare the curves"
            )
        for term, rows in members.items():
            if not (rows & happened).any():
                eventless.append(term)
                keep &= ~rows
    # A product with a dropped term is all zero by now and has no estimate either.
    names = {f"{left} x {right}" for left, right in products or []}
    gone = [*eventless, *(name for name in names if not columns[name][keep].any())]
    if not gone:
        return model
    left = [k for k, name in enumerate(model.names) if name not in gone]
    return replace(
        model, x=model.x[keep][:, left], names=[model.names[k] for k in left], kept=keep
    )  # fmt: skip


def standardised(matrix, names=None) -> tuple[np.ndarray, np.ndarray]:
    """The matrix centred and scaled, and its scale; refused when a column says nothing new.

    A DataFrame has its own names; an array comes with them.
    """
    values, names = np.asarray(matrix), list(matrix) if names is None else names
    flat = [c for c, spread in zip(names, np.ptp(values, axis=0), strict=True) if spread == 0]
    if flat:
        raise NotEstimable(f"{flat[0]}: the same for every patient in the model; leave it out")
    scale = values.std(axis=0, ddof=1)
    scaled = (values - values.mean(axis=0)) / scale
    if np.linalg.matrix_rank(scaled) < values.shape[1]:
        raise NotEstimable(
            f"{', '.join(names)}: one of these follows from the others; leave one out"
        )
    return scaled, scale
