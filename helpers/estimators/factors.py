"""One factor at a time: screens, their many P values, and how far to believe the largest."""

import numpy as np
import pandas as pd

from helpers.conventions import EVENT_FLOOR
from helpers.estimators.floors import few_events
from helpers.estimators.logistic import logistic_table
from helpers.fit.likelihood import NotEstimable
from helpers.regression import cox_table, firth_cox_table
from helpers.survival import Z

SCREEN_COLUMNS = [
    "factor", "term", "n", "n_event", "estimate", "std_error", "p_value", "conf_low",
    "conf_high", "scale", "method", "per", "note",
]  # fmt: skip
NO_EVENT = "no event in that group, so the ratio is 0"
NOBODY = "no patient, or none with the event, is of both groups"
ESTIMATES = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
FEWEST = 4  # estimates whose spread can be told from chance, and the telling allowed for


def factor_screen(
    frame: pd.DataFrame, codebook: pd.DataFrame, *, factors: list[str], time: str | None = None,
    event: str | None = None, outcome: str | None = None,
    references: dict[str, str] | None = None, firth: bool = False, landmark: float = 0.0,
    engine: str = "lifelines", floor: int = EVENT_FLOOR,
) -> pd.DataFrame:  # fmt: skip
    """One univariable model per factor: log hazard ratios, or log odds ratios of an outcome.

    Parameters
    ----------
    frame : DataFrame
        One row per patient. Each model has its own complete cases, counted in `n`.
    codebook : DataFrame
        Index: column names; `type` category or number (which rules over the column's own type)
        and, where there, `known_at`. A dichotomy made for the screen need not stand in it.
    factors : list of str
        Columns. A category enters as indicators, a number as it is, per unit.
    time, event : str
        Days and event (1 event, 0 censored); for Cox models.
    outcome : str
        1 or 0; for logistic models, instead of time and event.
    references : dict, optional
        Reference level of a category.
    firth : bool
        Firth's penalised models, for factors with levels without an event.
    landmark : float
        Day after time zero at which the clock of `frame` starts. A factor known only later is
        withheld: it would credit its group with the time survived until then.
    engine : str
        As in `cox_table`.
    floor : int
        Events in a level and in its reference below which their hazard ratio is withheld; of
        Firth's models and of odds ratios none is withheld for that.

    Returns
    -------
    DataFrame
        factor, term, n, n_event, estimate, std_error, p_value, conf_low, conf_high, scale,
        method, per (level, or unit of a number), note. A factor or level that cannot be
        estimated is a row of missing values with a note.

    Raises
    ------
    ValueError
        Neither or both of time-with-event and outcome; a factor that is not in the frame, or
        that the codebook calls a time, an event or an id.

    Examples
    --------
    >>> six = pd.DataFrame({"day": [1, 2, 3, 4, 5, 6], "event": [1, 1, 1, 0, 1, 1],
    ...                     "sex": list("FMFMMF"), "age": [70, 61, 45, 50, 52, 66]})
    >>> book = pd.DataFrame({"type": ["category", "number"]}, index=["sex", "age"])
    >>> asked = {"factors": ["sex", "age"], "time": "day", "event": "event"}
    >>> table = factor_screen(six, book, **asked, floor=0)
    >>> table[["factor", "term", "estimate", "per"]].round(3)
      factor         term  estimate    per
    0    sex  sex: M vs F    -0.101  level
    1    age          age     0.014   unit
    """
    survival = (time is not None, event is not None)
    if any(survival) == (outcome is not None) or any(survival) != all(survival):
        raise ValueError("outcome: found neither one outcome nor one time with its event. "
                         "To do: give time and event, or outcome.")  # fmt: skip
    if outcome is None:
        keys = {"time": time, "event": event}
        fit = firth_cox_table if firth else cox_table
        keys |= {} if firth else {"engine": engine}
    else:
        keys, fit = {"outcome": outcome, "firth": firth}, logistic_table

    def one(data, factor):
        table = fit(data, **keys, covariates=[factor], references=references)
        return table if firth or outcome else with_reasons(table, data, factor, event, floor)

    happened = outcome or event
    return screen(frame, codebook, factors, landmark, happened, one)


def with_reasons(table, data, factor: str, event: str, floor: int) -> pd.DataFrame:
    """A table of one factor with a note for each level whose hazard ratio is missing or withheld.

    Levels of a number are its values as text.
    """
    happened = data.loc[data[event] == 1, factor].astype(str).value_counts()
    notes = []
    for row in table.itertuples():
        sides = {side: int(happened.get(side, 0)) for side in (row.level, row.reference)}
        few = few_events(sides, floor) if row.level else ""
        notes.append(NO_EVENT if np.isnan(row.estimate) else f"withheld: {few}" if few else "")
    withheld = [note.startswith("withheld") for note in notes]
    table = table.assign(note=notes)
    table.loc[withheld, ESTIMATES] = np.nan
    return table


def screen(frame, codebook, factors, landmark, happened, fit) -> pd.DataFrame:
    """The rows of `fit(data, factor)` for each factor, or one row that says why there are none."""
    parts = []
    for factor in factors:
        data = typed(frame, codebook, factor)
        numeric = pd.api.types.is_numeric_dtype(data[factor])
        two = data[factor].dropna().isin([0, 1]).all()
        about = {"factor": factor, "per": "unit" if numeric and not two else "level"}
        try:
            if late := known_late(codebook, factor, landmark):
                raise NotEstimable(late)
            table = fit(data, factor)
            missing = table["estimate"].isna()
            note = table["note"] if "note" in table else np.where(missing, NO_EVENT, "")
            part = table.assign(note=note, **about)
        except NotEstimable as error:
            there = data.dropna(subset=[factor, happened])
            part = pd.DataFrame([about | {
                "term": factor, "n": len(there), "n_event": int((there[happened] == 1).sum()),
                "note": str(error),
            }])  # fmt: skip
        parts.append(part.reindex(columns=SCREEN_COLUMNS))
    numbers = dict.fromkeys(SCREEN_COLUMNS[4:9], float)
    rows = [part.astype(numbers) for part in parts]
    table = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=SCREEN_COLUMNS)
    return table.assign(scale=table["scale"].fillna(""), method=table["method"].fillna(""))


def typed(frame: pd.DataFrame, codebook: pd.DataFrame, factor: str) -> pd.DataFrame:
    """The frame with the factor of the type that the codebook gives it."""
    if factor not in frame:
        raise ValueError(f"{factor}: found no such column. To do: choose from the cohort's.")
    values, kind = frame[factor], ""
    if factor in codebook.index:
        kind = codebook.at[factor, "type"]
        if kind not in ("category", "number"):
            raise ValueError(
                f"{factor}: found type {kind!r}. To do: screen categories and numbers."
            )
    if pd.api.types.is_bool_dtype(values):
        return frame.assign(**{factor: values.astype(float)})
    if kind == "category" and pd.api.types.is_numeric_dtype(values):
        text = values.map(lambda v: f"{v:g}", na_action="ignore").astype(object)
        return frame.assign(**{factor: text.where(values.notna())})
    return frame


def known_late(codebook: pd.DataFrame, factor: str, landmark: float) -> str:
    """Why a factor known only after the clock starts is withheld, or ''."""
    if factor not in codebook.index or "known_at" not in codebook:
        return ""
    day = codebook.at[factor, "known_at"]
    if pd.isna(day):
        return f"{factor}: becomes known after time zero, on no fixed day"
    if day > landmark:
        return f"{factor}: known only by day {day:g}; set a landmark at or after that day"
    return ""


def interaction_screen(
    frame: pd.DataFrame, codebook: pd.DataFrame, *, time: str, event: str, arm: str,
    factors: list[str], reference: str | None = None,
    references: dict[str, str] | None = None, landmark: float = 0.0, engine: str = "lifelines",
) -> pd.DataFrame:  # fmt: skip
    """For each factor, whether the hazard ratio of the arms changes with it: a ratio of ratios.

    Parameters
    ----------
    frame, codebook, time, event, factors, references, landmark, engine
        As in `factor_screen`.
    arm : str
        Column of the arms.
    reference : str, optional
        The arm against which the hazard ratio is taken.

    Returns
    -------
    DataFrame
        The columns of `factor_screen`, scale "log ratio of hazard ratios": the hazard ratio of
        the arms at that level (or one unit up) over that at the reference (or one unit down),
        with its Wald P and interval, from a Cox model of arm, factor and their product.

    Notes
    -----
    An interaction needs about four times the events of a main effect of its size, and a screen
    of many finds some by chance: read with `adjust_p`, and a large P as "not settled".

    References
    ----------
    Brookes et al. 2004, https://doi.org/10.1016/j.jclinepi.2003.08.009
    """
    bases = (references or {}) | ({arm: reference} if reference is not None else {})

    def one(data, factor):
        if factor == arm:
            raise NotEstimable(f"{factor}: is the arm itself")
        keys = {"time": time, "event": event, "covariates": [arm, factor], "engine": engine}
        plain = cox_table(data, **keys, references=bases)
        own = plain.groupby("column", sort=False)["term"].apply(list)
        pairs = [(left, right) for left in own[arm] for right in own[factor]]
        table = cox_table(data, **keys, references=bases, products=pairs)
        names = [f"{left} x {right}" for left, right in pairs]
        table = table[table["term"].isin(names)]
        note = np.where(table["estimate"].isna(), NOBODY, "")
        return table.assign(scale="log ratio of hazard ratios", note=note)

    return screen(frame, codebook, factors, landmark, event, one)


def adjust_p(table: pd.DataFrame) -> pd.DataFrame:
    """P values adjusted for their number, all rows of the table being one family.

    Parameters
    ----------
    table : DataFrame
        With p_value; a missing P stays missing and does not count as a test.

    Returns
    -------
    DataFrame
        The table with p_holm (family-wise error) and p_bh (false discovery rate).

    References
    ----------
    Holm 1979, https://www.jstor.org/stable/4615733
    Benjamini and Hochberg 1995, https://doi.org/10.1111/j.2517-6161.1995.tb02031.x

    Examples
    --------
    >>> adjust_p(pd.DataFrame({"p_value": [0.01, 0.03, None, 0.04]}))
       p_value  p_holm  p_bh
    0     0.01    0.03  0.03
    1     0.03    0.06  0.04
    2      NaN     NaN   NaN
    3     0.04    0.06  0.04
    """
    from statsmodels.stats.multitest import multipletests

    p_values = table["p_value"].to_numpy(float)
    tested, adjusted = np.isfinite(p_values), {}
    for column, method in (("p_holm", "holm"), ("p_bh", "fdr_bh")):
        adjusted[column] = np.full(len(table), np.nan)
        if tested.any():
            adjusted[column][tested] = multipletests(p_values[tested], method=method)[1]
    return table.assign(**adjusted)


def shrunken(table: pd.DataFrame) -> pd.DataFrame:
    """Log ratios drawn towards their common mean by as much as chance explains their spread.

    Each estimate is taken as normal about its own truth, and the truths as normal about a common
    mean with a variance tau2 (DerSimonian and Laird's estimate). What is left of an estimate's
    distance from the mean is tau2 / (tau2 + std_error^2): nothing when the estimates spread no
    more than their errors make them, nearly all when they spread far more. The largest of many
    ratios is the one that flatters itself most; this is the answer to it.

    Parameters
    ----------
    table : DataFrame
        estimate, std_error, scale (one scale only); from `factor_screen`, `interaction_screen`
        or `cox_table`.

    Returns
    -------
    DataFrame
        The table with weight (what is left of the distance), shrunken, shrunken_error,
        shrunken_low, shrunken_high, mean, tau2, shrunken_note. Missing, with a note, where
        there is no estimate, for one unit of a number (per year and per group are no draws from
        one distribution: cut the number, or scale it), and when fewer than four are left.

    Raises
    ------
    ValueError
        More than one scale.

    Notes
    -----
    The rows count as independent draws, and the direction of each contrast as given: name the
    groups so that the same side is expected to be worse. The error includes that of the mean
    and, after Morris, that of tau2.

    References
    ----------
    DerSimonian and Laird 1986, https://doi.org/10.1016/0197-2456(86)90046-2
    Morris 1983, https://doi.org/10.1080/01621459.1983.10477920

    Examples
    --------
    >>> four = pd.DataFrame({"estimate": [0.0, 0, 2, 2], "std_error": 1.0, "scale": "log"})
    >>> shrunken(four)[["estimate", "weight", "shrunken", "tau2"]]
       estimate  weight  shrunken      tau2
    0       0.0    0.25      0.75  0.333333
    1       0.0    0.25      0.75  0.333333
    2       2.0    0.25      1.25  0.333333
    3       2.0    0.25      1.25  0.333333
    """
    from statsmodels.stats.meta_analysis import combine_effects

    y, error = (table[c].to_numpy(float) for c in ("estimate", "std_error"))
    there = np.isfinite(y) & np.isfinite(error) & (error > 0)
    unit = (table["per"] == "unit").to_numpy() if "per" in table else np.zeros(len(table), bool)
    used = there & ~unit
    if (scales := table.loc[used, "scale"].unique()).size > 1:
        raise ValueError(f"scale: found {', '.join(scales)}. To do: shrink one scale at a time.")
    note = np.select([~there, unit], ["no estimate", "per unit: not one of a kind with groups"], "")
    names = [
        "weight",
        "shrunken",
        "shrunken_error",
        "shrunken_low",
        "shrunken_high",
        "mean",
        "tau2",
    ]
    answer = np.full((len(table), len(names)), np.nan)
    if used.sum() < FEWEST:
        note = np.where(used, f"fewer than {FEWEST} estimates do not tell their spread", note)
    else:
        variance = error[used] ** 2
        with np.errstate(invalid="ignore", divide="ignore"):  # in measures that are not used
            pooled = combine_effects(y[used], variance, method_re="dl")
        tau2 = max(float(pooled.tau2), 0.0)
        share = 1 / (variance + tau2)
        mean, weight = (share * y[used]).sum() / share.sum(), tau2 / (tau2 + variance)
        value = mean + weight * (y[used] - mean)
        typical = (share * variance).sum() / share.sum()  # Morris's weighted mean variance
        unsure = 2 / (len(value) - 3) * (typical + tau2) * share * (y[used] - mean) ** 2
        spread = weight * variance + (1 - weight) ** 2 * (1 / share.sum() + unsure)
        spread = np.sqrt(spread)
        answer[used] = np.column_stack([
            weight, value, spread, value - Z * spread, value + Z * spread,
            np.full(len(value), mean), np.full(len(value), tau2),
        ])  # fmt: skip
    return table.assign(**dict(zip(names, answer.T, strict=True)), shrunken_note=note)
