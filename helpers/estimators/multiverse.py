"""Every defensible analysis of one comparison at once, and which choices move its answer.

A specification is one way through the choices. Those that cannot differ, by a rule or because
they are fitted to the same numbers, count once. A multiverse is no sample of analyses: shares and
ranges over it describe the choices that were offered, and are neither P values nor intervals.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, combinations, product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from helpers.cohort import Cohort
from helpers.conventions import EVENT_FLOOR, EVENTS_PER_TERM, TIES
from helpers.estimators.floors import few_events, many_terms
from helpers.estimators.subgroups import cox
from helpers.fit.design import prepared
from helpers.fit.likelihood import NotEstimable
from helpers.selection import EVENT, GROUP, TIME, Notes, Selection, known_too_late, select
from helpers.view import View, with_cuts

CHOICES = ("endpoint", "adjust", "ties", "landmark", "censor_at", "estimator", "time_zero")
PLAIN = "Cox"  # the estimator that is the project's own
NONE = "none"
SETS_MOST = 64
COLUMNS = [
    "specification", "text", *CHOICES, "analyses", "estimate", "std_error", "statistic", "p_value",
    "conf_low", "conf_high", "n", "n_event", "scale", "method", "note", "same",
]  # fmt: skip
ESTIMATES = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]

# A plug-in estimator gets complete cases (columns _time, _event, arm and the covariates), the name
# of the reference arm and the covariates that vary, and gives one row as `cox_table` does.
Estimator = Callable[[pd.DataFrame, str, list[str]], pd.Series]


@dataclass(frozen=True, order=True)
class Specification:
    """One analysis: a choice for each question that may be answered in several ways.

    Attributes
    ----------
    endpoint : str
        Name of an endpoint of the cohort.
    adjust : tuple of str
        Covariates, in alphabetical order.
    ties : str
        efron or breslow.
    landmark : float
        Days; as in `View`.
    censor_at : float or None
        Days after the start of the clock at which everybody still watched is censored; None for
        none. This is not a View's horizon, which truncates no model.
    estimator : str
        Cox, or the name of a plug-in.
    time_zero : str
        Where the clock starts: "none" for the cohort's own, or the name of a plug-in.
    """

    endpoint: str = "os"
    adjust: tuple[str, ...] = ()
    ties: str = TIES
    landmark: float = 0.0
    censor_at: float | None = None
    estimator: str = PLAIN
    time_zero: str = NONE

    def __post_init__(self):
        object.__setattr__(self, "adjust", tuple(sorted(self.adjust)))
        object.__setattr__(self, "landmark", float(self.landmark))
        if self.censor_at is not None:
            object.__setattr__(self, "censor_at", float(self.censor_at))

    def text(self) -> str:
        """Canonical text: JSON, sorted keys, defaults left out."""
        start = Specification()
        given = {name: getattr(self, name) for name in CHOICES
                 if getattr(self, name) != getattr(start, name)}  # fmt: skip
        return json.dumps(given, sort_keys=True, ensure_ascii=False)

    @classmethod
    def read(cls, text: str) -> "Specification":
        """The specification of a canonical text."""
        given = json.loads(text)
        return cls(**given | {"adjust": tuple(given.get("adjust", ()))})


def covariate_sets(columns: Iterable[str], *, largest: int | None = None) -> list[tuple[str, ...]]:
    """All subsets of the columns, the empty one first, at most `largest` columns in each.

    Raises
    ------
    ValueError
        More than 64 subsets: then nobody could have meant them all.

    Examples
    --------
    >>> covariate_sets(["age", "ecog"])
    [(), ('age',), ('ecog',), ('age', 'ecog')]
    """
    columns = sorted(columns)
    sizes = range(min(len(columns) if largest is None else largest, len(columns)) + 1)
    sets = list(chain.from_iterable(combinations(columns, k) for k in sizes))
    if len(sets) > SETS_MOST:
        raise ValueError(
            f"columns: found {len(columns)}, which make {len(sets)} sets, more than {SETS_MOST}. "
            "To do: name fewer columns, or a smaller `largest`."
        )
    return sets


def specifications(
    cohort: Cohort, *, endpoints: list[str] | None = None, covariates: list[str] = (),
    largest: int | None = None, ties: Iterable[str] = (TIES, "breslow"),
    landmarks: Iterable[float] = (0.0,), censor_at: Iterable[float | None] = (None,),
    estimators: Iterable[str] = (PLAIN,), time_zeros: Iterable[str] = (NONE,),
) -> list[Specification]:  # fmt: skip
    """All ways through the choices, in a fixed order.

    Parameters
    ----------
    cohort : Cohort
    endpoints : list of str, optional
        By default all that the cohort has.
    covariates : list of str
        Columns, or numbers cut in two ("ecog >= 3"); every subset is one choice. A column and its
        own cut never stand in one set.
    largest : int, optional
        Columns in a set, at most.
    ties, landmarks, censor_at, estimators, time_zeros
        The options of each choice; see `Specification`.

    Returns
    -------
    list of Specification

    Raises
    ------
    ValueError
        Too many covariate sets, or an option given twice.
    ViewError
        An endpoint or covariate that the cohort does not have.

    Examples
    --------
    >>> from helpers.cohort import load_cohort
    >>> some = specifications(load_cohort(), covariates=["age", "ecog"], landmarks=[0, 90])
    >>> len(some), some[3].text()
    (32, '{"landmark": 90.0, "ties": "breslow"}')
    """
    options = {
        "endpoint": list(endpoints or cohort.endpoints), "adjust": [], "ties": list(ties),
        "landmark": [float(day) for day in landmarks],
        "censor_at": [None if day is None else float(day) for day in censor_at],
        "estimator": list(estimators), "time_zero": list(time_zeros),
    }  # fmt: skip
    for name, values in options.items():
        if len(set(values)) < len(values):
            raise ValueError(f"{name}: found an option twice. To do: give each once.")
    one_form = [s for s in covariate_sets(covariates, largest=largest) if distinct_columns(s)]
    options["adjust"] = one_form
    for endpoint in options["endpoint"]:  # refuses what the cohort does not have
        view = View(endpoint=endpoint, adjust=tuple(covariates))
        select(with_cuts(cohort, view), view, Notes())
    return [Specification(**dict(zip(options, way, strict=True)))
            for way in product(*options.values())]  # fmt: skip


def distinct_columns(names: tuple[str, ...]) -> bool:
    """Whether no column stands in a set twice, whole and cut."""
    columns = [name.partition(" >= ")[0] for name in names]
    return len(set(columns)) == len(columns)


class Numbers(NamedTuple):
    """What a specification is fitted to: the groups, complete cases, and covariates that vary."""

    who: Selection
    data: pd.DataFrame
    adjust: list[str]


def numbers_of(cohort: Cohort, one: Specification, time_zeros: dict[str, Callable]) -> Numbers:
    """The patients of a specification, their clock, and what censors them."""
    if one.time_zero != NONE:
        cohort = time_zeros[one.time_zero](cohort)
    view = View(endpoint=one.endpoint, adjust=one.adjust, landmark=one.landmark)
    cohort = with_cuts(cohort, view)
    if late := known_too_late(cohort, ["arm", *one.adjust], one.landmark):
        raise NotEstimable(f"Withheld: {late}")
    who = select(cohort, view, Notes())
    if len(who.groups) != 2:
        raise NotEstimable("Withheld: fewer than two groups have patients")
    data = who.data.dropna(subset=list(one.adjust))
    if one.censor_at is not None:
        late = data[TIME].to_numpy() > one.censor_at
        data = data.assign(**{TIME: np.where(late, one.censor_at, data[TIME]),
                              EVENT: np.where(late, 0.0, data[EVENT])})  # fmt: skip
    # A column that is the same for everybody left says nothing.
    return Numbers(who, data, [name for name in one.adjust if data[name].nunique() > 1])


def digest_of(numbers: Numbers, one: Specification, *, tieless: bool) -> tuple[str, int]:
    """A digest of all that an answer rests on, and the terms of its model.

    Two specifications with one digest are one analysis. Not their answers are compared but what
    is fitted. Of times a partial likelihood knows only which events a patient lived to see; of
    the tie rule only that there is one, where two events fall on one day. A plug-in with a true
    attribute `tieless` (`tieless` here) has none.
    """
    data = numbers.data
    model = prepared(data, TIME, EVENT, ["arm", *numbers.adjust], {"arm": numbers.who.reference})
    terms = len(model.about)
    time, event = data[TIME].to_numpy(float), data[EVENT].to_numpy(float)
    days, deaths = np.unique(time[event == 1], return_counts=True)
    plain = one.estimator == PLAIN
    seen = np.searchsorted(days, time, side="right").astype(float) if plain else time
    columns = sorted(column.tobytes() for column in model.x[:, 1:].T)  # in whatever order
    ties = "" if tieless or (plain and deaths.max() == 1) else one.ties
    digest = hashlib.sha256(f"{one.endpoint if not plain else ''}{one.estimator}{ties}".encode())
    for part in (data.index.to_numpy(), seen, event, model.x[:, 0]):
        digest.update(part.tobytes() + b"|")
    for column in columns:
        digest.update(column + b"|")
    return digest.hexdigest(), terms


def answer(
    cohort: Cohort, one: Specification, *, estimators: dict[str, Estimator] | None = None,
    time_zeros: dict[str, Callable[[Cohort], Cohort]] | None = None, floor: int = EVENT_FLOOR,
    events_per_term: float = EVENTS_PER_TERM, engine: str = "fast",
) -> dict[str, Any]:  # fmt: skip
    """One specification answered, as a row that JSON can hold.

    Returns
    -------
    dict
        digest (of what was fitted; the text where nothing was), estimate to conf_high (log hazard
        ratio, first arm vs second; None where withheld), n, n_event, scale, method, note.
    """
    row = dict.fromkeys(ESTIMATES) | {"n": 0, "n_event": 0, "scale": "", "method": "", "note": ""}
    row["digest"] = one.text()
    try:
        numbers = numbers_of(cohort, one, time_zeros or {})
        data = numbers.data
        row |= {"n": len(data), "n_event": int(data[EVENT].sum())}
        plug = None if one.estimator == PLAIN else (estimators or {})[one.estimator]
        tieless = getattr(plug, "tieless", False)
        row["digest"], terms = digest_of(numbers, one, tieless=tieless)
        refuse_few(numbers, terms, floor, events_per_term)
        if plug:
            found = plug(data, numbers.who.reference, numbers.adjust)
        else:
            view = View(ties=one.ties)
            found = cox(data, ["arm", *numbers.adjust], numbers.who, view, engine).iloc[0]
    except NotEstimable as error:
        return row | {"note": str(error)}
    row |= {name: str(found[name]) for name in ("scale", "method")}
    return row | {name: float(found[name]) for name in ESTIMATES}


def refuse_few(numbers: Numbers, terms: int, floor: int, per_term: float) -> None:
    """Refuse a comparison with few events in an arm, and a model of too many terms for them."""
    happened = numbers.data[EVENT] == 1
    groups = numbers.data[GROUP][happened].value_counts()
    events = {name: int(groups.get(name, 0)) for name in numbers.who.groups}
    many = many_terms(int(happened.sum()), terms, per_term)
    if why := few_events(events, floor) or many:
        raise NotEstimable(f"Withheld: {why}")


def multiverse(
    cohort: Cohort, asked: list[Specification], *, rows: Iterable[dict] | None = None, **options
) -> pd.DataFrame:
    """The answers of all specifications, one row for each that is an analysis of its own.

    Parameters
    ----------
    cohort : Cohort
    asked : list of Specification
        From `specifications`.
    rows : iterable of dict, optional
        What `answer` gave for each, where that was done elsewhere (in numbered tasks on several
        machines); by default it is done here.
    **options
        As in `answer`: estimators and time_zeros (plug-ins by name), floor (events in each arm),
        events_per_term, engine.

    Returns
    -------
    DataFrame
        specification (number, from 1 in the order asked), text, endpoint, adjust (names joined by
        " + ", "none" for none), ties, landmark, censor_at (missing for none), estimator,
        time_zero, analyses (how many of those asked are this one); estimate, std_error,
        statistic, p_value, conf_low, conf_high (log hazard ratio, first arm vs second), n, n_event,
        scale, method, note (why it is withheld), same (numbers of all those asked that are this
        analysis).

    Notes
    -----
    What is merged was fitted to the same numbers: patients, risk sets, events, columns, estimator.
    So the two tie rules are one where no two events share a day, a landmark before
    anybody left is none, and a covariate that is the same for everybody left is not there. The
    first of those asked stands for all. Equal answers alone merge nothing.

    References
    ----------
    Steegen et al. 2016, https://doi.org/10.1177/1745691616658637
    Simonsohn et al. 2020, https://doi.org/10.1038/s41562-020-0912-z
    """
    rows = [answer(cohort, one, **options) for one in asked] if rows is None else list(rows)
    same: dict[str, list[int]] = {}
    for k, row in enumerate(rows):
        same.setdefault(row["digest"], []).append(k + 1)
    made = []
    for numbers in same.values():
        k = numbers[0] - 1
        one = asked[k]
        made.append(
            {"specification": k + 1, "text": one.text(), "endpoint": one.endpoint,
             "adjust": " + ".join(one.adjust) or NONE, "ties": one.ties, "landmark": one.landmark,
             "censor_at": np.nan if one.censor_at is None else one.censor_at,
             "estimator": one.estimator, "time_zero": one.time_zero, "analyses": len(numbers),
             "same": tuple(numbers)}
            | rows[k]
        )  # fmt: skip
    table = pd.DataFrame(made, columns=COLUMNS)
    return table.astype(dict.fromkeys([*ESTIMATES, "censor_at"], float))
