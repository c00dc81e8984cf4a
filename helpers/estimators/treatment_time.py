"""A treatment that begins some time after the clock: three models, one of them wrong.

The clock starts for everybody on day 0 and the treatment comes on a later day, if it comes. Who
is treated had to live until then; a model that counts those days as treated makes the treatment
look good for nothing (immortal time). The curves that go with it are in
`helpers.estimators.treatment_curves`.

Conventions. The day of treatment is missing for those who never had it, and one after the end of
observation is as good as missing. Treatment on day 0 or before is treatment from the start. On
the day on which observation ends the treatment came first, by half a day, as in R's ``heart``.
"""

import numpy as np
import pandas as pd

from helpers.conventions import TIES
from helpers.estimators.rowwise import cox_rows
from helpers.fit.likelihood import NotEstimable
from helpers.regression import cox_table

TREATED = "treated"  # the covariate of all three models
NO, YES = "no", "yes"
HALF_DAY = 0.5
INTERVAL_COLUMNS = ["row", "start", "stop", "event", TREATED]


def treatment_intervals(
    frame: pd.DataFrame, *, time: str, event: str, treated_on: str, keep: list[str] | None = None
) -> pd.DataFrame:
    """Each patient's time cut at the day of treatment: untreated before it, treated after it.

    Parameters
    ----------
    frame : DataFrame
        One row per patient; those without a time or event are left out.
    time, event : str
        Days since the clock started (0 or more) and event (1 event, 0 censored).
    treated_on : str
        Day of treatment on the same clock; missing for those never treated.
    keep : list of str, optional
        Columns known on day 0, repeated in each interval.

    Returns
    -------
    DataFrame
        row (position in `frame`, from 0), start, stop (days; at risk in (start, stop], a start
        of 0 meaning from the beginning), event (at stop), treated (no or yes), then `keep`.

    Raises
    ------
    ValueError
        A negative time, or a column of `keep` with a name that is taken.

    Examples
    --------
    >>> three = pd.DataFrame({"day": [9, 6, 4], "died": [1, 0, 1], "given": [5, None, 4]})
    >>> treatment_intervals(three, time="day", event="died", treated_on="given")
       row  start  stop  event treated
    0    0    0.0   5.0      0      no
    1    0    5.0   9.0      1     yes
    2    1    0.0   6.0      0      no
    3    2    0.0   3.5      0      no
    4    2    3.5   4.0      1     yes
    """
    free_names(keep, INTERVAL_COLUMNS)
    known = frame[[time, event]].notna().all(axis=1).to_numpy()
    days, died = (frame[column].to_numpy(float)[known] for column in (time, event))
    given = frame[treated_on].to_numpy(float)[known]
    if (days < 0).any():
        raise ValueError(f"{time}: found {days.min():g} days. To do: count from day 0.")
    treated = given <= days  # never where it is missing
    cut = np.where(treated, np.where(given == days, given - HALF_DAY, given), days)
    cut = np.where(treated, np.maximum(cut, 0.0), cut)
    row = np.flatnonzero(known)
    before, after = ~treated | (cut > 0), treated
    made = {
        "row": np.concatenate([row[before], row[after]]),
        "start": np.concatenate([np.zeros(before.sum()), cut[after]]),
        "stop": np.concatenate([cut[before], days[after]]),
        "event": np.concatenate([np.where(treated, 0, died)[before], died[after]]).astype(int),
        TREATED: np.repeat([NO, YES], [before.sum(), after.sum()]),
    }
    order = np.lexsort((made["start"], made["row"]))
    table = pd.DataFrame({name: values[order] for name, values in made.items()})
    table[TREATED] = pd.Categorical(table[TREATED], [NO, YES])
    for column in keep or []:
        table[column] = frame[column].array[table["row"].to_numpy()]
    return table


def ever_treated_cox(
    frame: pd.DataFrame, *, time: str, event: str, treated_on: str,
    covariates: list[str] | None = None, references: dict[str, str] | None = None,
    ties: str = TIES, engine: str = "lifelines",
) -> pd.DataFrame:  # fmt: skip
    """Log hazard ratio of those ever treated against those never, from day 0: the wrong model.

    It gives the treated their wait as time they survived because of the treatment. Shown to be
    seen through, never to be believed.

    Parameters
    ----------
    frame, time, event, treated_on
        As in `treatment_intervals`.
    covariates, references, ties, engine
        As in `helpers.regression.cox_table`; the treatment comes first.

    Returns
    -------
    DataFrame
        As `cox_table`, with approach ("ever treated") before it.

    Raises
    ------
    NotEstimable
        As `cox_table`; nobody or everybody was treated.

    References
    ----------
    Suissa 2008, https://doi.org/10.1093/aje/kwm324
    """
    free_names(covariates, [TREATED])
    ever = (frame[treated_on] <= frame[time]).to_numpy()
    data = labelled(frame, ever)
    table = cox_table(
        data, time=time, event=event, covariates=[TREATED, *(covariates or [])], ties=ties,
        references={TREATED: NO} | (references or {}), engine=engine,
    )  # fmt: skip
    return named(table, "ever treated")


def landmark_cox(
    frame: pd.DataFrame, *, time: str, event: str, treated_on: str, day: float,
    covariates: list[str] | None = None, references: dict[str, str] | None = None,
    ties: str = TIES, engine: str = "lifelines",
) -> pd.DataFrame:  # fmt: skip
    """Log hazard ratio of those treated by a landmark day, among those event-free after it.

    Parameters
    ----------
    day : float
        The landmark, in days, chosen without looking at the outcomes. Patients with a time after
        it stay, their clock starts there, and those treated on or before it are the treated.
    frame, time, event, treated_on, covariates, references, ties, engine
        As in `ever_treated_cox`.

    Returns
    -------
    DataFrame
        As `cox_table`, with approach ("landmark") before it, and day, n_before (left out: event
        or end of observation by the landmark) and n_later (treated after it: untreated here)
        after it.

    Raises
    ------
    NotEstimable
        As `cox_table`; nobody is left after the landmark.

    Notes
    -----
    What it estimates is conditional on reaching the landmark, and weakened by those who are
    treated later.

    References
    ----------
    Anderson, Cain and Gelber 1983, https://doi.org/10.1200/JCO.1983.1.11.710
    """
    free_names(covariates, [TREATED])
    stays = (frame[time] > day).to_numpy()
    if not stays.any():
        raise NotEstimable(f"day {day:g}: nobody is event-free and observed after it; use an "
                           "earlier landmark")  # fmt: skip
    given, kept = frame[treated_on].to_numpy(float)[stays], frame[stays]
    data = labelled(kept, given <= day).assign(**{time: kept[time] - day})
    table = cox_table(
        data, time=time, event=event, covariates=[TREATED, *(covariates or [])], ties=ties,
        references={TREATED: NO} | (references or {}), engine=engine,
    )  # fmt: skip
    later = (given > day) & (given <= kept[time].to_numpy(float))
    before = int((frame[time] <= day).sum())
    return named(table, "landmark").assign(day=day, n_before=before, n_later=int(later.sum()))


def time_dependent_cox(
    frame: pd.DataFrame, *, time: str, event: str, treated_on: str,
    covariates: list[str] | None = None, references: dict[str, str] | None = None,
    ties: str = TIES, robust: bool = False,
) -> pd.DataFrame:  # fmt: skip
    """Log hazard ratio of being treated by now, each patient counted as untreated until then.

    Parameters
    ----------
    frame, time, event, treated_on
        As in `treatment_intervals`.
    covariates, references, ties
        As in `ever_treated_cox`; ties efron or breslow.
    robust : bool
        Lin and Wei's sandwich error, summed within patients.

    Returns
    -------
    DataFrame
        As `cox_table`, with approach ("time-dependent") before it; n counts patients.

    Raises
    ------
    NotEstimable
        As `cox_table`; nobody was treated while watched, or everybody from day 0 on.

    Notes
    -----
    It removes the immortal time, not the reasons why the one was treated and the other not. The
    partial likelihood is R's ``coxph(Surv(start, stop, event) ~ treated)``.

    References
    ----------
    Crowley and Hu 1977, https://doi.org/10.1080/01621459.1977.10479903
    """
    data = treatment_intervals(
        frame, time=time, event=event, treated_on=treated_on, keep=covariates
    )
    table = cox_rows(
        data, time="stop", event="event", entry="start", covariates=[TREATED, *(covariates or [])],
        references={TREATED: NO} | (references or {}), ties=ties, cluster="row", robust=robust,
    )  # fmt: skip
    return named(table, "time-dependent")


def labelled(frame: pd.DataFrame, treated: np.ndarray) -> pd.DataFrame:
    """The frame with the treatment as a category."""
    return frame.assign(**{TREATED: pd.Categorical(np.where(treated, YES, NO), [NO, YES])})


def free_names(asked: list[str] | None, taken: list[str]) -> None:
    """Refuse a covariate that bears the name of a column made here: it would be lost."""
    if lost := [name for name in asked or [] if name in taken]:
        raise ValueError(f"{lost[0]}: found a covariate of a name used here. To do: rename it.")


def named(table: pd.DataFrame, approach: str) -> pd.DataFrame:
    table.insert(0, "approach", approach)
    return table
