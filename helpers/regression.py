"""Cox models. Every hazard ratio shown anywhere in this project comes from `cox_table`.

Other estimates of it (penalised, one patient left out, averaged into curves) stand beside it and
say so in `method`.
"""

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm

from helpers.conventions import INTERVALS, TIE_RULES, TIES
from helpers.fit.design import Model, prepared, standardised, without_eventless
from helpers.fit.design import design as design  # part of what this module offers
from helpers.fit.likelihood import NotEstimable, robust_error
from helpers.fit.maximum import maximum, profile
from helpers.fit.penalised import penalised_profile, settled
from helpers.survival import compiled, wald, wald_columns

TERM_COLUMNS = [
    "term", "column", "level", "reference", "estimate", "std_error", "statistic", "p_value",
    "conf_low", "conf_high", "scale", "method", "n", "n_event",
]  # fmt: skip
MISSING = "not in the model: a value is missing"


def cox_table(
    frame: pd.DataFrame,
    *,
    time: str,
    event: str,
    covariates: list[str],
    references: dict[str, str] | None = None,
    products: list[tuple[str, str]] | None = None,
    engine: str = "lifelines",
    ties: str = TIES,
    intervals: str = "wald",
    robust: bool = False,
    cluster: str | None = None,
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
        lifelines, or fast for the compiled kernel (efron and breslow only).
    ties : str
        efron, breslow, or exact: the conditional likelihood for times that are truly discrete,
        whose ratio is one of odds per time (R's "exact", SAS's DISCRETE).
    intervals : str
        wald, or profile: limits from the profile likelihood and the likelihood-ratio P of the
        term, `statistic` its signed root; std_error stays Wald's.
    robust : bool
        Lin and Wei's sandwich error, for a model that may not hold.
    cluster : str, optional
        Column of clusters within which patients depend on each other; implies `robust`.

    Returns
    -------
    DataFrame
        term, column, level, reference, estimate, std_error, statistic, p_value, conf_low,
        conf_high (log scale: exponentiate for the hazard ratio), scale, method, n, n_event.
        A term is missing (NaN) when its group has no event: its hazard ratio would be 0 and
        its error infinite. The others are then exact, being the limit of the likelihood.

    Raises
    ------
    NotEstimable
        No event, no event in a reference group, a constant or redundant covariate, a
        likelihood without a maximum, or tied sets too large for the exact likelihood.
    ValueError
        An unknown option, or two that no method joins (robust with profile or exact).

    Notes
    -----
    Converged to R's ``coxph.control(eps = 1e-12)`` within 1e-6. The sandwich is R's, without a
    small-sample correction.

    References
    ----------
    Cox 1972, https://doi.org/10.1111/j.2517-6161.1972.tb00899.x
    Efron 1977, https://doi.org/10.1080/01621459.1977.10480613
    Breslow 1974, https://doi.org/10.2307/2529620
    Lin and Wei 1989, https://doi.org/10.1080/01621459.1989.10478874
    Venzon and Moolgavkar 1988, https://doi.org/10.2307/2347496

    Examples
    --------
    >>> eight = pd.DataFrame({"day": [1, 2, 2, 3, 4, 5, 6, 7], "event": [1, 1, 1, 0, 1, 1, 1, 1],
    ...                       "arm": list("baababab")})
    >>> table = cox_table(eight, time="day", event="event", covariates=["arm"], ties="breslow")
    >>> table[["term", "estimate", "std_error", "method"]].round(3)
              term  estimate  std_error             method
    0  arm: b vs a    -0.728      0.877  Cox, breslow ties
    """
    robust = robust or cluster is not None
    for name, asked, known in (("ties", ties, TIE_RULES), ("intervals", intervals, INTERVALS)):
        if asked not in known:
            raise ValueError(f"{name}: found {asked!r}. To do: use {' or '.join(known)}.")
    if ties == "exact" and engine == "fast":
        raise ValueError("ties: found exact with the fast engine. To do: use engine lifelines.")
    if robust and (ties == "exact" or intervals == "profile"):
        raise ValueError("robust: found with exact ties or profile intervals, for which there is "
                         "no sandwich. To do: use efron or breslow, and wald.")  # fmt: skip
    model = prepared(frame, time, event, covariates, references, products, cluster)
    model = without_eventless(model, event, products)
    times, events = (model.data[name].to_numpy()[model.kept] for name in (time, event))
    groups = model.data[cluster].to_numpy()[model.kept] if cluster else None
    if cluster and len(set(groups)) < 2:
        raise NotEstimable(f"{cluster}: the same for every patient, so it clusters nothing")
    estimates = fit_cox(model, times.astype(float), events == 1, engine, ties, intervals, robust,
                        groups)  # fmt: skip
    method = f"Cox, {ties} ties"
    if robust:
        method += f", errors robust within {cluster}" if cluster else ", robust errors"
    if intervals == "profile":
        method += ", profile-likelihood intervals and likelihood-ratio P"
    return finished(model, estimates, event, method)


def finished(model: Model, estimates: dict, event: str, method: str) -> pd.DataFrame:
    """The estimates as a table, with every term of the model and what they rest on."""
    about = (np.array(values, object) for values in zip(*model.about, strict=True))
    columns = dict(zip(TERM_COLUMNS, about, strict=False))
    # A term without events has no estimate.
    at = {name: k for k, name in enumerate(model.names)}
    places = [at.get(term, -1) for term in columns["term"]]
    for name, values in estimates.items():
        columns[name] = np.append(values, np.nan)[places]
    columns |= {"scale": "log hazard ratio", "method": method, "n": len(model.data)}
    columns["n_event"] = int((model.data[event].to_numpy() == 1).sum())
    return pd.DataFrame(columns, columns=TERM_COLUMNS)


def fit_cox(
    model: Model, time, event, engine: str = "lifelines", ties: str = TIES,
    intervals: str = "wald", robust: bool = False, cluster=None,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Fit the model by an engine; refuse one that has no finite maximum, and say why."""
    kernel, names = compiled(engine), model.names
    if not names:
        return wald_columns([], [])
    scaled, scale = standardised(model.x, names)
    arrays = scaled, time, event
    beta = error = np.full(len(names), np.nan)
    if kernel:
        beta, error, _ = kernel.cox(*arrays[1:], scaled, ties=ties)
    if np.isnan(beta).any():  # where the kernel finds no maximum, this says why there is none
        beta, error = maximum(*arrays, names, ties)
    if robust:
        error = robust_error(*arrays, beta, ties, cluster)
    table = wald_columns(beta / scale, error / scale)
    if intervals == "profile":
        low, high, ratio = profile(*arrays, beta, error, names, ties)
        table |= {
            "statistic": np.sign(beta) * np.sqrt(ratio), "p_value": chi2.sf(ratio, 1),
            "conf_low": low / scale, "conf_high": high / scale,
        }  # fmt: skip
    return table


def firth_cox_table(
    frame: pd.DataFrame, *, time: str, event: str, covariates: list[str],
    references: dict[str, str] | None = None,
    products: list[tuple[str, str]] | None = None, intervals: str = "profile",
) -> pd.DataFrame:  # fmt: skip
    """Log hazard ratios by Firth's penalised likelihood, finite also where a group has no event.

    Parameters
    ----------
    frame, time, event, covariates, references, products
        As in `cox_table`.
    intervals : str
        profile: limits and P from the penalised likelihood ratio, which stay honest when the
        likelihood is lopsided; or wald.

    Returns
    -------
    DataFrame
        The columns of `cox_table`, none missing.

    Raises
    ------
    NotEstimable
        No event at all, a constant or redundant covariate, or no convergence.

    Notes
    -----
    Ties by Breslow's rule, the only one of firthmodels (and of R's ``coxphf``): with tied times
    it differs from `cox_table` by that too. Zero is a finite guess from the penalty, not data:
    a group without an event still says little, as its interval shows.

    References
    ----------
    Heinze and Schemper 2001, https://doi.org/10.1111/j.0006-341X.2001.00114.x
    """
    from firthmodels import FirthCoxPH

    if intervals not in INTERVALS:
        raise ValueError(f"intervals: found {intervals!r}. To do: use wald or profile.")
    model = prepared(frame, time, event, covariates, references, products)
    scaled, scale = standardised(model.x, model.names)
    happened = (model.data[event] == 1).to_numpy()
    fit = settled(FirthCoxPH(), scaled, (happened, model.data[time].to_numpy(float)))
    table = firth_terms(fit, fit.bse_, scale, intervals, model.names)
    shown = "profile-likelihood intervals and P" if intervals == "profile" else "Wald intervals"
    return finished(model, table, event, f"Firth-penalised Cox, breslow ties, {shown}")


def firth_terms(fit, error, scale, intervals: str, names: list[str]) -> pd.DataFrame:
    """The terms of a penalised fit on scaled columns, by Wald or its profile likelihood."""
    p, index = len(scale), pd.Index(names, name="term")
    beta, error = fit.coef_[:p], error[:p]
    table = wald(*(pd.Series(v / scale, index=index) for v in (beta, error)))
    if intervals == "profile":
        p_value, low, high = penalised_profile(fit, p, names)
        table = table.assign(
            statistic=np.sign(beta) * norm.isf(p_value / 2), p_value=p_value,
            conf_low=low / scale, conf_high=high / scale,
        )  # fmt: skip
    return table


def influence_table(
    frame: pd.DataFrame, *, time: str, event: str, covariates: list[str],
    references: dict[str, str] | None = None, term: str | None = None, ties: str = TIES,
) -> pd.DataFrame:  # fmt: skip
    """Change of one log hazard ratio when each patient in turn is left out and all is refitted.

    Parameters
    ----------
    frame, time, event, covariates, references, ties
        As in `cox_table`, ties efron or breslow.
    term : str, optional
        The term watched; by default the first of the model.

    Returns
    -------
    DataFrame
        row (position in `frame`, from 0; never an id), term, estimate (log hazard ratio without
        the patient), dfbeta (with the patient minus without), hazard_ratio (without), scale,
        method, note. One row per row of `frame`; missing, with a note, where the patient is not
        in the model or the model without the patient has no finite answer.

    Raises
    ------
    NotEstimable
        The term has no finite estimate even with everybody.

    Notes
    -----
    Exact: each model is refitted. R's ``residuals(type = "dfbeta")`` is a first step towards it,
    close to it for most patients and too small for the few who matter most.

    Examples
    --------
    >>> eight = pd.DataFrame({"day": [1, 2, 2, 3, 4, 5, 6, 7], "event": [1, 1, 1, 0, 1, 1, 1, 1],
    ...                       "arm": list("baababab")})
    >>> table = influence_table(eight, time="day", event="event", covariates=["arm"])
    >>> table[["row", "estimate", "dfbeta"]].head(3).round(3)
       row  estimate  dfbeta
    0    0    -1.499   0.726
    1    1    -0.608  -0.166
    2    2    -0.608  -0.166
    """
    from helpers.fit import kernel

    keys = {"time": time, "event": event, "covariates": covariates, "ties": ties, "engine": "fast"}
    table = cox_table(frame, **keys, references=references).set_index("term")
    term = table.index[0] if term is None else term
    if term not in table.index or np.isnan(table.at[term, "estimate"]):
        raise NotEstimable(f"{term}: not a term with a finite estimate; use one that has")
    bases = {row.column: row.reference for row in table.itertuples() if row.reference}
    model = without_eventless(prepared(frame, time, event, covariates, bases), event)
    data = model.data[model.kept]
    arrays = data[time], data[event], model.x
    where, n = model.names.index(term), len(data)
    estimate = np.full(len(frame), np.nan)
    position = np.flatnonzero(frame.notna()[[time, event, *covariates]].all(axis=1))
    estimate[position] = table.at[term, "estimate"]  # whom a missing ratio leaves no weight
    position = position[model.kept]
    for rows in np.array_split(np.arange(n), n // 256 + 1):
        counts = np.ones((len(rows), n), dtype=np.int64)
        counts[np.arange(len(rows)), rows] = 0
        estimate[position[rows]] = kernel.cox_resamples(*arrays, counts, ties=ties)[0][:, where]
    note = np.where(frame[[time, event, *covariates]].isna().any(axis=1), MISSING, "")
    note = note.astype(object)
    for row in position[np.isnan(estimate[position])]:  # another term may be the one without
        try:
            left = cox_table(frame[np.arange(len(frame)) != row], **keys, references=bases)
            estimate[row] = left.set_index("term")["estimate"].get(term, np.nan)
            note[row] = "" if np.isfinite(estimate[row]) else "no event is left in that group"
        except NotEstimable as error:
            note[row] = str(error)
    answer = {"row": np.arange(len(frame)), "term": term, "estimate": estimate,
              "dfbeta": table.at[term, "estimate"] - estimate, "hazard_ratio": np.exp(estimate),
              "scale": "log hazard ratio", "method": f"{table.at[term, 'method']}, one left out",
              "note": note}  # fmt: skip
    return pd.DataFrame(answer)


def events_per_variable(table: pd.DataFrame) -> float:
    """Events for each term of one model; for odds, the rarer of the two outcomes.

    Below about 10 a model fits its own noise, and ratios and intervals drift; the figure is a
    habit, not a law (van Smeden et al. 2016).

    Parameters
    ----------
    table : DataFrame
        One model, of `cox_table`, `firth_cox_table` or `logistic_table`.

    References
    ----------
    Peduzzi et al. 1995, https://doi.org/10.1016/0895-4356(95)00048-8
    van Smeden et al. 2016, https://doi.org/10.1186/s12874-016-0267-3

    Examples
    --------
    >>> model = pd.DataFrame({"n": [93] * 4, "n_event": 62, "scale": "log hazard ratio"})
    >>> events_per_variable(model)
    15.5
    """
    n, events = table["n"].iloc[0], table["n_event"].iloc[0]
    odds = "odds" in table["scale"].iloc[0]
    return float(min(events, n - events) if odds else events) / len(table)
