"""Survival curves adjusted for covariates: everybody's, had everybody been in one group."""

import numpy as np
import pandas as pd

from helpers.conventions import TIES
from helpers.fit.design import bases, design
from helpers.fit.likelihood import NotEstimable, baseline
from helpers.regression import cox_table
from helpers.selection import FEW_LEVELS


def adjusted_curves(
    frame: pd.DataFrame, *, time: str, event: str, covariates: list[str], group: str,
    references: dict[str, str] | None = None, ties: str = TIES, engine: str = "lifelines",
) -> pd.DataFrame:  # fmt: skip
    """Direct adjusted survival of each group: all patients' predicted curves, averaged.

    Each patient's survival is predicted from one Cox model as if in the group, with the
    patient's own covariates, and the mean is taken over all patients of all groups. So the
    groups are compared on the same mix of patients, under proportional hazards and as far as
    the covariates tell. A curve at the mean of the covariates is another, and nobody's.

    Parameters
    ----------
    frame : DataFrame
        One row per patient; those with a missing covariate are left out (complete cases).
    time, event : str
        Days and event (1 event, 0 censored).
    covariates : list of str
        What to adjust for; see `helpers.fit.design.design` for how each enters.
    group : str
        Column of the groups; a number is taken as a category.
    references, engine
        As in `cox_table`.
    ties : str
        efron or breslow; the baseline hazard follows the same rule.

    Returns
    -------
    DataFrame
        group, time (each distinct time of anybody), n_risk (of the group itself, just before the
        time: where it is 0 the curve rests on the other groups alone), estimate, method.
        There is no interval: the error of an average of correlated predictions is not in the
        Cox table, and one from a group's own numbers would be wrong. Use a bootstrap.

    Raises
    ------
    NotEstimable
        As `cox_table`; also when a hazard ratio of the model is not finite.
    ValueError
        The group is a number with many values.

    Notes
    -----
    S(t) = exp(-H(t)), R's ``survfit(coxph, newdata)`` averaged over patients; lifelines' baseline
    hazard is Breslow's even after Efron's ties, and so a little lower than this one.

    References
    ----------
    Makuch 1982, https://doi.org/10.1016/0021-9681(82)90058-3
    Zhang et al. 2007, https://doi.org/10.1016/j.cmpb.2007.07.010

    Examples
    --------
    >>> eight = pd.DataFrame({"day": [1, 2, 2, 3, 4, 5, 6, 7], "event": [1, 1, 1, 0, 1, 1, 1, 1],
    ...                       "arm": list("baababab"), "age": [50, 61, 45, 70, 52, 66, 58, 49]})
    >>> curves = adjusted_curves(eight, time="day", event="event", covariates=["age"], group="arm")
    >>> curves.loc[curves["time"] == 2, ["group", "time", "n_risk", "estimate"]].round(3)
      group  time  n_risk  estimate
    1     a   2.0       4     0.563
    8     b   2.0       3     0.761
    """
    if ties == "exact":
        raise ValueError("ties: found exact, which has no baseline hazard. To do: use efron.")
    columns = [group, *(c for c in covariates if c != group)]
    data = frame.dropna(subset=[time, event, *columns])
    data = data.assign(**{group: as_groups(data[group])})
    keys = {"time": time, "event": event, "covariates": columns}
    table = cox_table(data, **keys, references=references, engine=engine, ties=ties)
    if table["estimate"].isna().any():
        term = table.loc[table["estimate"].isna(), "term"].iloc[0]
        raise NotEstimable(f"{term}: no event in that group, so its curve cannot be adjusted")
    chosen = bases(data, event, columns, references)
    matrix, terms = design(data, columns, chosen)
    x, beta = (matrix - matrix.mean()).to_numpy(), table["estimate"].to_numpy()
    arrays = data[time].to_numpy(float), data[event].to_numpy() == 1
    died, hazard = baseline(x, *arrays, beta, ties)
    times = np.unique(arrays[0])
    hazard = np.append(0.0, hazard)[np.searchsorted(died, times, side="right")]
    own, parts = (terms["column"] == group).to_numpy(), []
    for name in data[group].cat.categories:
        member = (terms.loc[own, "level"] == name).to_numpy(float)
        there = x.copy()
        there[:, own] = member - matrix.loc[:, own].mean().to_numpy()
        survival = np.exp(-np.outer(hazard, np.exp(there @ beta))).mean(axis=1)
        days = np.sort(arrays[0][(data[group] == name).to_numpy()])
        at_risk = len(days) - np.searchsorted(days, times, side="left")
        part = {"group": name, "time": times, "n_risk": at_risk, "estimate": survival}
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True).assign(
        method=f"direct adjusted, {table['method'].iloc[0]}"
    )


def separate_curves(
    frame: pd.DataFrame, *, time: str, event: str, covariates: list[str], group: str,
    references: dict[str, str] | None = None, ties: str = TIES,
) -> pd.DataFrame:  # fmt: skip
    """Direct adjusted survival of each group from a model of its own: no ratio between groups.

    As `adjusted_curves`, but each group has its own baseline hazard and coefficients, so nothing is
    assumed to be proportional between groups. The distance between the two kinds of curve is what
    that assumption does.

    Returns
    -------
    DataFrame
        group, time (each distinct time of anybody), estimate.

    Raises
    ------
    NotEstimable
        The model of a group has no finite answer for every term.
    """
    covariates = [column for column in covariates if column != group]
    data = frame.dropna(subset=[time, event, group, *covariates])
    chosen = bases(data, event, covariates, references)
    matrix, _ = design(data, covariates, chosen)
    day, happened = data[time].to_numpy(float), data[event].to_numpy() == 1
    times, names, parts = np.unique(day), as_groups(data[group]), []
    for name in names.cat.categories:
        own = (names == name).to_numpy()
        keys = {"time": time, "event": event, "covariates": covariates, "references": chosen}
        table = cox_table(data[own], **keys, ties=ties)
        if list(table["term"]) != list(matrix) or table["estimate"].isna().any():
            raise NotEstimable(f"{name}: a level of a covariate has nobody, or no event")
        x = (matrix - matrix[own].mean()).to_numpy()
        beta = table["estimate"].to_numpy()
        died, hazard = baseline(x[own], day[own], happened[own], beta, ties)
        hazard = np.append(0.0, hazard)[np.searchsorted(died, times, side="right")]
        survival = np.exp(-np.outer(hazard, np.exp(x @ beta))).mean(axis=1)
        parts.append(pd.DataFrame({"group": name, "time": times, "estimate": survival}))
    return pd.concat(parts, ignore_index=True)


def as_groups(values: pd.Series) -> pd.Series:
    """The column as a category of text, its levels in their own order."""
    levels = values.astype("category").cat.remove_unused_categories().cat.categories
    if pd.api.types.is_numeric_dtype(values) and len(levels) > FEW_LEVELS:
        raise ValueError(
            f"{values.name}: found a number with {len(levels)} values. To do: compare a category."
        )
    return pd.Series(pd.Categorical(values.astype(str), [str(v) for v in levels]), values.index)
