"""Missing covariates: complete cases beside multiple imputation by chained equations.

Complete cases answer for those in whom everything was recorded. Imputation answers for everybody,
if what is missing can be told from what was recorded (missing at random); no data can show that.
"""

import numpy as np
import pandas as pd
from scipy.stats import t as student

from helpers.conventions import CONFIDENCE, TIES
from helpers.fit.likelihood import NotEstimable
from helpers.regression import TERM_COLUMNS, cox_table
from helpers.survival import compiled

IMPUTATIONS = 20
MOST_MISSING = 0.5  # of a column; beyond it most of the answer would be the imputation model's
BURN_IN, APART = 10, 5  # sweeps before the first imputation, and between two
DONORS = 5  # of a value, for predictive mean matching
LEAST_KNOWN = 10  # patients with a value, beyond the terms that predict it
POOLED_COLUMNS = ["analysis", *TERM_COLUMNS, "df", "imputations", "fraction_missing", "note"]


def missing_table(
    frame: pd.DataFrame, *, event: str, covariates: list[str], group: str | None = None
) -> pd.DataFrame:
    """How much of each covariate is missing, and whether it goes with the group or the event.

    Parameters
    ----------
    frame : DataFrame
    event : str
        1 event, 0 censored.
    covariates : list of str
    group : str, optional
        Column of the compared groups.

    Returns
    -------
    DataFrame
        A row per covariate and one, "any of these": column, n, missing (patients), share,
        event_if_missing, event_if_known (shares with the event; missing where there is nobody),
        and share_<group> of each group.
    """
    rows = []
    absent = {name: frame[name].isna().to_numpy() for name in covariates}
    absent["any of these"] = np.any([*absent.values()], axis=0)
    happened = frame[event].to_numpy() == 1
    for name, gone in absent.items():
        row = {"column": name, "n": len(frame), "missing": int(gone.sum()), "share": gone.mean()}
        for said, part in (("event_if_missing", gone), ("event_if_known", ~gone)):
            row[said] = happened[part].mean() if part.any() else np.nan
        if group is not None:
            labels = frame[group].astype(str)
            row |= {f"share_{level}": gone[labels == level].mean()
                    for level in dict.fromkeys(labels)}  # fmt: skip
        rows.append(row)
    return pd.DataFrame(rows)


def nelson_aalen(time, event) -> np.ndarray:
    """Cumulative hazard (n,) of everybody at each patient's own time, events then counted.

    As R's ``survfit(...)$cumhaz``; mice's own function corrects for ties as Efron does.

    References
    ----------
    White and Royston 2009, https://doi.org/10.1002/sim.3618

    Examples
    --------
    >>> nelson_aalen([1, 2, 2, 3], [1, 1, 0, 1]).round(3)
    array([0.25 , 0.583, 0.583, 1.583])
    """
    table = compiled("fast").km(time, event)
    hazard = np.cumsum(table[:, 2] / table[:, 1])
    return hazard[np.searchsorted(table[:, 0], np.asarray(time, float))]


def simulate_imputations(
    frame: pd.DataFrame, *, time: str, event: str, covariates: list[str], seed: int,
    auxiliary: list[str] | None = None, imputations: int = IMPUTATIONS,
) -> list[pd.DataFrame]:  # fmt: skip
    """Copies of a frame in which what was missing is drawn from what was recorded.

    Parameters
    ----------
    frame : DataFrame
        One row per patient; those without a time or event are left out.
    time, event : str
        Days and event (1 event, 0 censored); never imputed, but they predict.
    covariates : list of str
        Of the model to be fitted afterwards.
    seed, imputations : int
    auxiliary : list of str, optional
        Further columns that predict what is missing, and are themselves imputed.

    Returns
    -------
    list of DataFrame
        The columns of `frame`, in each the covariates and auxiliary columns complete.

    Raises
    ------
    NotEstimable
        A column of which more than half is missing, one with more than two unordered levels that
        has missing values, or too few patients to learn from.

    Notes
    -----
    Chained equations of statsmodels (one chain; 10 sweeps, then 5 between two imputations; one
    where a single column has missing values, for then nothing is chained). Each column is
    predicted by all others, the event indicator and the Nelson-Aalen hazard, by a linear model
    whose coefficients are drawn anew each time; a missing value becomes that of one of the 5
    patients predicted nearest (predictive mean matching), so that only values that occur are
    drawn. A column of two levels enters as 0 and 1.

    References
    ----------
    White, Royston and Wood 2011, https://doi.org/10.1002/sim.4067
    White and Royston 2009, https://doi.org/10.1002/sim.3618
    """
    from statsmodels.imputation.mice import MICEData

    data = frame.dropna(subset=[time, event])
    columns = list(dict.fromkeys([*covariates, *(auxiliary or [])]))
    coded, levels = predictors(data, columns)
    coded["event"] = (data[event] == 1).to_numpy(float)
    coded["hazard"] = nelson_aalen(data[time], data[event])
    # What is the same for everybody predicts nothing and would make the equations singular.
    coded = coded.loc[:, coded.nunique() > 1]
    enough(coded, data, columns)
    incomplete = [name for name in coded if coded[name].isna().any()]
    if not incomplete:
        return [data.copy() for _ in range(imputations)]
    chain = MICEData(coded, k_pmm=DONORS, rng=np.random.default_rng(seed))
    first, apart = (BURN_IN, APART) if len(incomplete) > 1 else (1, 1)
    made = []
    for k in range(imputations):
        chain.update_all(first if k == 0 else apart)
        filled = data.copy()
        for name, (column, names) in levels.items():
            if name in incomplete:
                values = chain.data[name].to_numpy()
                filled[column] = values if names is None else np.array(names)[values.astype(int)]
        made.append(filled)
    return made


def predictors(data: pd.DataFrame, columns: list[str]) -> tuple[pd.DataFrame, dict]:
    """The columns as numbers under plain names, and what each stands for.

    Returns
    -------
    DataFrame, dict
        Numbers as they are, two levels as 0 and 1, more levels as indicators; and by name (column,
        its two levels or None), of what can be read back.
    """
    coded, levels = {}, {}
    for k, column in enumerate(columns):
        values = data[column]
        if pd.api.types.is_numeric_dtype(values):
            coded[f"x{k}"], levels[f"x{k}"] = values.to_numpy(float), (column, None)
            continue
        names = sorted(values.dropna().astype(str).unique())
        texts = values.astype(object).where(values.notna()).map(str, na_action="ignore")
        if len(names) <= 2:
            place = {name: float(i) for i, name in enumerate(names)}
            coded[f"x{k}"], levels[f"x{k}"] = texts.map(place).to_numpy(float), (column, names)
            continue
        if values.isna().any():
            raise NotEstimable(
                f"{column}: found {len(names)} unordered levels and missing values, which are not "
                "imputed here; join levels until two are left, or leave it out"
            )
        coded |= {f"x{k}_{i}": (texts == name).to_numpy(float)
                  for i, name in enumerate(names[1:])}  # fmt: skip
    return pd.DataFrame(coded, index=range(len(data))), levels


def enough(coded: pd.DataFrame, data: pd.DataFrame, columns: list[str]) -> None:
    """Refuse what an imputation would make up rather than fill in."""
    for column in columns:
        share = data[column].isna().mean()
        if share > MOST_MISSING:
            raise NotEstimable(
                f"{column}: found {share:.0%} missing, more than {MOST_MISSING:.0%}: most of the "
                "answer would be made up; leave it out, or report complete cases as such"
            )
        known, terms = int(data[column].notna().sum()), coded.shape[1]
        if share and known < terms + LEAST_KNOWN:
            raise NotEstimable(
                f"{column}: found {known} patients with a value and {terms - 1} predictors, too "
                f"few to learn from (at least {LEAST_KNOWN} more are needed); use fewer columns"
            )


def rubin(
    estimates: np.ndarray, variances: np.ndarray, complete_df: float
) -> dict[str, np.ndarray]:
    """Rubin's rules: estimates of m imputations pooled, a column per term.

    Parameters
    ----------
    estimates, variances : (m, p) arrays
        m at least 2.
    complete_df : float
        Degrees of freedom if nothing had been missing; in Cox's model events minus terms, as R's
        mice takes them.

    Returns
    -------
    dict of (p,) arrays
        estimate, std_error, statistic, df (Barnard and Rubin), p_value and conf_low, conf_high (by
        t), within, between (variances), fraction_missing (of the information).

    References
    ----------
    Rubin 1987, https://doi.org/10.1002/9780470316696
    Barnard and Rubin 1999, https://doi.org/10.1093/biomet/86.4.948
    """
    m = len(estimates)
    mean, within, between = estimates.mean(0), variances.mean(0), estimates.var(0, ddof=1)
    total = within + (1 + 1 / m) * between
    share = (1 + 1 / m) * between / total  # of the variance, due to what is missing
    with np.errstate(divide="ignore"):
        old = (m - 1) / share**2
    observed = (complete_df + 1) / (complete_df + 3) * complete_df * (1 - share)
    df = np.where(np.isfinite(old), 1 / (1 / old + 1 / observed), observed)
    ratio = (1 + 1 / m) * between / within
    error = np.sqrt(total)
    reach = student.ppf((1 + CONFIDENCE) / 2, df) * error
    return {
        "estimate": mean, "std_error": error, "statistic": mean / error, "df": df,
        "p_value": 2 * student.sf(np.abs(mean / error), df), "conf_low": mean - reach,
        "conf_high": mean + reach, "within": within, "between": between,
        "fraction_missing": (ratio + 2 / (df + 3)) / (1 + ratio),
    }  # fmt: skip


def imputed_cox(
    frame: pd.DataFrame, *, time: str, event: str, covariates: list[str], seed: int,
    references: dict[str, str] | None = None, auxiliary: list[str] | None = None,
    imputations: int = IMPUTATIONS, ties: str = TIES, engine: str = "fast",
) -> pd.DataFrame:  # fmt: skip
    """Log hazard ratios of the complete cases, and of everybody with missing values imputed.

    Parameters
    ----------
    frame, time, event, covariates, seed, auxiliary, imputations
        As in `simulate_imputations`; at least 2 imputations.
    references, ties, engine
        As in `helpers.regression.cox_table`.

    Returns
    -------
    DataFrame
        analysis (complete cases, multiple imputation), the columns of `cox_table` (statistic is a
        t in the second), df (Barnard and Rubin), imputations, fraction_missing (of the information
        on the term), note. Where nothing is missing the second analysis is left out, and the note
        says so.

    Raises
    ------
    NotEstimable
        As `simulate_imputations` and `cox_table`; also when a term has no finite ratio in some
        imputation, for infinite ones cannot be averaged.
    ValueError
        Fewer than 2 imputations.
    """
    if imputations < 2:
        raise ValueError(f"imputations: found {imputations}. To do: use 2 or more; 20 is common.")
    keys = {"time": time, "event": event, "covariates": covariates, "references": references,
            "ties": ties, "engine": engine}  # fmt: skip
    complete = cox_table(frame, **keys).assign(
        analysis="complete cases", df=np.nan, imputations=pd.NA, fraction_missing=np.nan, note=""
    )
    lost = len(frame) - int(complete["n"].iloc[0])
    if not frame[covariates].isna().any(axis=None):
        complete["note"] = "no covariate is missing, so nothing is imputed"
        return complete[POOLED_COLUMNS].astype({"imputations": "Int64"})
    complete["note"] = f"{lost} of {len(frame)} patients lack a value"
    copies = simulate_imputations(frame, time=time, event=event, covariates=covariates, seed=seed,
                                  auxiliary=auxiliary, imputations=imputations)  # fmt: skip
    tables = [cox_table(copy, **keys) for copy in copies]
    terms = list(tables[0]["term"])
    infinite = any(list(t["term"]) != terms or t["estimate"].isna().any() for t in tables)
    if infinite:
        raise NotEstimable(
            "multiple imputation: in some imputations a group has no event, so its ratio is "
            "infinite and no average exists; leave that column out, or join its levels"
        )
    values = np.stack([table[["estimate", "std_error"]].to_numpy(float) for table in tables])
    pooled = rubin(values[..., 0], values[..., 1] ** 2,
                   float(tables[0]["n_event"].iloc[0] - len(terms)))  # fmt: skip
    answer = tables[0].assign(
        **{name: pooled[name] for name in pooled if name not in ("within", "between")},
        analysis="multiple imputation", imputations=imputations,
        note="if missing at random, given all that the imputation model has",
        method=f"{tables[0]['method'].iloc[0]}, {imputations} imputations, Rubin's rules",
    )  # fmt: skip
    both = pd.concat([complete[POOLED_COLUMNS], answer[POOLED_COLUMNS]], ignore_index=True)
    return both.astype({"imputations": "Int64"})
