"""The page on bias, its part on time: two clocks, one gift of time, each against the truth.

Numbers come from `helpers.simulate.waiting` and `helpers.estimators`; here they become tables,
sentences and alt texts.
"""

import numpy as np
import pandas as pd

from helpers.conventions import DAYS_PER_MONTH
from helpers.estimators.treatment_curves import simon_makuch_curves
from helpers.estimators.treatment_time import TREATED, treatment_intervals
from helpers.paper.published import load_published
from helpers.regression import cox_table
from helpers.simulate.cohort import from_infusion, simulate_cohort
from helpers.simulate.dials import Dials
from helpers.simulate.waiting import ALL_SEEN, CHOSEN, COLUMNS, wait_that_gives, waiting_alone
from helpers.survival import km_curve
from helpers.words import NOT_DEFINED, number, percent, ratio

MADE = "Simulated with a known truth; no row is a patient."
PRINTED = "Simulated patients, waiting and nothing else, held to printed numbers."
HEART = "Stanford heart transplant data, shipped with lifelines: real, published data."
COUNTED = {
    "ever treated": "from day 0, whoever is treated later",
    "landmark": "from the landmark, whoever was treated by then",
    "time-dependent": "from the day of treatment",
}
RELATIVE = np.r_[0.02, np.arange(0.05, 1.5, 0.05)]  # waits, over the median of all patients
TO_DEATH = {"follow_low": ALL_SEEN, "follow_high": ALL_SEEN}
# What a printed ratio does not tell: how waits differ, how the hazard runs, how long one watched.
DRAWN = "waits with an SD of half their mean, constant hazard, follow-up of 12 to 36 months"
DESIGNS = {
    DRAWN: Dials(),
    "the same, follow-up of 6 to 30 months": Dials(follow_low=180, follow_high=900),
    "the same, all followed to death": Dials(**TO_DEATH),
    "the same wait for all, all followed to death": Dials(wait_shape=np.inf, **TO_DEATH),
    "exponential waits, all followed to death": Dials(wait_shape=1.0, **TO_DEATH),
    "as the first, and a hazard that falls (Weibull shape 0.6)": Dials(shape=0.6),
}
AT = (2, 4)  # months: mean waits of the table
WORLDS = {
    "all patients alike": {},
    "tumour burden matters, and is recorded": {"burden_on_death": 0.8},
    "a trait matters that nobody recorded": {
        "hidden_treated": 0.4, "hidden_untreated": 0.4, "hidden_on_death": np.log(4),
    },
    "the hazard falls with time since failure": {"shape": 0.6},
}  # fmt: skip


def load_heart() -> pd.DataFrame:
    """The Stanford heart transplant patients, one row each.

    Returns
    -------
    DataFrame
        time (days since acceptance, counted from 1 as in R's ``heart``), event (1 died),
        treated_on (day of transplant; missing for those never transplanted), age (years from 48),
        surgery (1 for earlier bypass surgery).
    """
    from lifelines.datasets import load_stanford_heart_transplants

    rows = load_stanford_heart_transplants()
    whole = rows.groupby("id").agg(
        {"stop": "max", "event": "max", "age": "first", "surgery": "first"}
    )
    given = rows[rows["transplant"] == 1].groupby("id")["start"].min()
    return whole.rename(columns={"stop": "time"}).assign(treated_on=given).reset_index(drop=True)


# --- the clock at failure ---------------------------------------------------------------------


def alt_courses(few: pd.DataFrame) -> str:
    """A handful of patients as bars, for those who do not see them."""
    return (
        f"A bar for each of {len(few)} patients over days since failure, {few['infused'].sum()} of "
        f"them infused; theirs begins with a hatched wait, in which none of them can die."
    )


def models_text(table: pd.DataFrame, truth: float | None = None) -> pd.DataFrame:
    """`three_models` to read: how the treated are counted, the ratio, and the true one."""
    rows = []
    for row in table.to_dict("records"):
        known = pd.notna(row["n"])
        shown = {"model": row["approach"], "counts as treated": COUNTED[row["approach"]],
                 "patients": f"{row['n']:,.0f}" if known else NOT_DEFINED,
                 "events": f"{row['n_event']:,.0f}" if known else NOT_DEFINED,
                 "hazard ratio": ratio(pd.Series(row))}  # fmt: skip
        rows.append(shown | ({} if truth is None else {"truth": number(truth)}))
    return pd.DataFrame(rows)


def settings_text(table: pd.DataFrame) -> pd.DataFrame:
    """`ratios_by_wait` to read: a row for each wait, a column for each model."""
    rows = []
    for wait, part in table.groupby("wait"):
        row = {"mean wait, days": f"{wait:g}", "infused": percent(part["infused"].iloc[0])}
        rows.append(row | {m["approach"]: ratio(m) for _, m in part.iterrows()})
    return pd.DataFrame(rows)


def alt_by_wait(table: pd.DataFrame) -> str:
    """The figure of ratios over the wait, for those who do not see it."""
    ends = table[table["wait"] == table["wait"].max()].set_index("approach")["estimate"]
    said = ", ".join(f"{name} {number(np.exp(value))}" for name, value in ends.items())
    return (
        f"Three lines of hazard ratios over mean waits from 0 to {table['wait'].max():g} days, all "
        f"near the truth without a wait. At the longest: {said}."
    )


def curves(cohort: pd.DataFrame, *, day: float) -> dict[str, pd.DataFrame]:
    """Survival of ever and never infused, and of infused by now and not yet infused.

    Returns
    -------
    dict of DataFrame
        naive, and Simon-Makuch from a day on: group (infused, not infused), time (days), n_risk,
        n_event, estimate, conf_low, conf_high.
    """
    names = {"yes": "infused", "no": "not infused"}
    labelled = cohort.assign(group=np.where(cohort["infused"] == 1, "infused", "not infused"))
    naive = km_curve(labelled, time="os_time", event="os_event", group="group")
    later = simon_makuch_curves(cohort, **COLUMNS, day=day)
    return {"naive": naive, "simon-makuch": later.assign(group=later["group"].map(names))}


def counts(cohort: pd.DataFrame, times, *, day: float) -> dict[str, pd.DataFrame]:
    """Patients at risk at some days, counted by what they got and by what they had by then.

    Returns
    -------
    dict of DataFrame
        As `curves`: group, time (days), n_risk (just before it), n_event (until it); -1 before
        the second pair starts, whose own first day is a row of its own.
    """
    rows = treatment_intervals(cohort, **COLUMNS)
    ever = np.where(cohort["infused"].to_numpy()[rows["row"]] == 1, "infused", "not infused")
    by_now = np.where(rows[TREATED] == "yes", "infused", "not infused")
    made = {}
    for kind, group, begin in (("naive", ever, 0.0), ("simon-makuch", by_now, day)):
        start, stop = rows["start"].to_numpy(), rows["stop"].to_numpy()
        died = (rows["event"] == 1).to_numpy() & (stop > begin)
        table = []
        for name in ("infused", "not infused"):
            mine = group == name
            for t in sorted({*times, begin}):
                at_risk = mine & ((start < t) | (start == 0)) & (stop >= t)
                dead = (mine & died & (stop <= t)).sum()
                there = t >= begin
                table.append((name, t, at_risk.sum() if there else -1, dead if there else -1))
        made[kind] = pd.DataFrame(table, columns=["group", "time", "n_risk", "n_event"])
    return made


def alt_curves(found: dict[str, pd.DataFrame], at: float) -> str:
    """The two pairs of curves at one day, for those who do not see them."""
    parts = []
    for kind, title in (("naive", "ever and never"), ("simon-makuch", "Simon-Makuch")):
        read = []
        for name, part in found[kind].groupby("group"):
            height = part.loc[part["time"] <= at, "estimate"].iloc[-1]
            read.append(f"{name} {percent(height)}")
        parts.append(f"{title}: {', '.join(read)}")
    return f"Two panels of step curves of survival. On day {at:g}, {'; '.join(parts)}."


def read_two_ways(found: dict[str, pd.DataFrame], at: float) -> str:
    """How far the two pairs of curves are apart on a day."""
    gaps = []
    for table in found.values():
        ends = {name: part.loc[part["time"] <= at, "estimate"].iloc[-1]
                for name, part in table.groupby("group")}  # fmt: skip
        gaps.append(number(100 * (ends["infused"] - ends["not infused"]), 0))
    return (
        f"On day {at:g} the infused stand {gaps[0]} points above the others at the left, and "
        f"{gaps[1]} at the right; infusion does nothing."
    )


# --- how much waiting alone can make ------------------------------------------------------------


def printed(name: str) -> float:
    """A printed number, by its id in data/published.csv."""
    return float(load_published().set_index("id").at[name, "value"])


def alone(*, seed: int, patients: int, design: Dials = CHOSEN) -> pd.DataFrame:
    """`waiting_alone` with as many infused as printed and the printed median of the others."""
    return waiting_alone(
        RELATIVE, share=printed("n_cd20") / printed("n_total"),
        median=printed("os_noncart") * DAYS_PER_MONTH, seed=seed, patients=patients, design=design,
    )  # fmt: skip


def designs(*, seed: int, patients: int) -> dict[str, pd.DataFrame]:
    """`alone` under each of DESIGNS; what is printed fits all of them."""
    return {name: alone(seed=seed, patients=patients, design=one) for name, one in DESIGNS.items()}


def bounds(name: str) -> tuple[float, float, float]:
    """A printed hazard ratio with its limits, natural scale."""
    row = load_published().set_index("id").loc[name]
    return float(row["value"]), float(row["lower_bound"]), float(row["upper_bound"])


def months_needed(table: pd.DataFrame) -> float:
    """The mean wait, in months, at which `alone` shows the printed ratio; NaN for none."""
    return months_for(table, bounds("os_hr")[0])


def wait_of_median(table: pd.DataFrame) -> float:
    """The wait, in days, at which the ever infused have their printed median; NaN for none."""
    wanted, ever = printed("os_cd20") * DAYS_PER_MONTH, table["ever"].to_numpy()
    inside = ever.min() <= wanted <= ever.max()
    return float(np.interp(wanted, ever, table["wait"])) if inside else np.nan


def designs_text(found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """`designs` to read: the ratio at two mean waits, and the mean wait that three numbers take."""
    value, _, high = bounds("os_hr")
    rows = []
    for name, table in found.items():
        row = {"what else is assumed": name}
        for month in AT:
            made = np.interp(month * DAYS_PER_MONTH, table["wait"], table["estimate"])
            row[f"ratio at a mean wait of {month} months"] = number(np.exp(made))
        for ratio_ in (high, value):
            row[f"months for {ratio_}"] = number(months_for(table, ratio_), 1)
        median = f"months for a median of {printed('os_cd20')}"
        rows.append(row | {median: number(wait_of_median(table) / DAYS_PER_MONTH, 1)})
    return pd.DataFrame(rows)


def months_for(table: pd.DataFrame, hazard_ratio: float) -> float:
    """The mean wait, in months, at which a design shows a ratio; NaN for none."""
    return float(wait_that_gives(table, hazard_ratio)["wait"] / DAYS_PER_MONTH)


def across(found: dict[str, pd.DataFrame], measure, digits: int = 1) -> str:
    """Lowest and highest of a measure over the designs that have it: "4.2 to 6.5"."""
    values = [value for value in map(measure, found.values()) if np.isfinite(value)]
    ends = dict.fromkeys(number(value, digits) for value in (min(values), max(values)))
    return " to ".join(ends) + (" (in some designs none)" * (len(values) < len(found)))


def read_alone(found: dict[str, pd.DataFrame]) -> str:
    """What a wait of which length would and would not make, from printed numbers."""
    value, _, high = bounds("os_hr")
    never = printed("os_noncart")
    first = across(found, lambda table: wait_of_median(table) / DAYS_PER_MONTH)
    waits = [across(found, lambda table, x=x: months_for(table, x)) for x in (high, value)]
    longer = all(not months_for(table, value) <= never for table in found.values())
    return (
        f"Over {len(found)} designs, two groups that fare alike show medians of "
        f"{printed('os_cd20')} and {never} months at a mean wait of {first} months. A ratio of "
        f"{high} takes {waits[0]} months, and {value} takes {waits[1]}"
        + f", in each design longer than the {never} months that half of those never infused live"
        * longer
        + "."
    )


def caption_alone(patients: int) -> str:
    """What the figure of waiting alone shows."""
    return (
        "Hazard ratio of death, ever against never infused, over the mean wait, when infusion does "
        f"nothing; {patients:,} simulated patients for each dot, of whom {printed('n_cd20'):g} in "
        f"{printed('n_total'):g} are infused in the end and the others have a median of "
        f"{printed('os_noncart')} months from failure. Black: {DRAWN}; grey: the other designs of "
        "the table."
    )


def alt_alone(found: dict[str, pd.DataFrame]) -> str:
    first = found[DRAWN]
    low, high = np.exp(first["estimate"].iloc[[-1, 0]])
    months = first["wait"].iloc[-1] / DAYS_PER_MONTH
    at = across(found, lambda table: np.exp(np.interp(AT[-1] * DAYS_PER_MONTH, table["wait"],
                                                      table["estimate"])), 2)  # fmt: skip
    return (
        f"Falling lines of the hazard ratio of ever against never infused, without any effect. "
        f"The black one runs from {high:.2f} with hardly a wait to {low:.2f} at a mean wait of "
        f"{months:.1f} months, where everybody would have been planned. With grey ones for other "
        f"designs the ratios at {AT[-1]} months are {at}. Two level lines mark the printed ratio "
        f"and the limit of its interval nearest to 1."
    )


# --- the clock at infusion ----------------------------------------------------------------------


def infusion_worlds(*, patients: int, wait: float, seed: int) -> dict[str, pd.DataFrame]:
    """Cohorts without an effect as a study sees them whose clock starts at infusion."""
    return {
        name: from_infusion(simulate_cohort(Dials(patients=patients, wait_mean=wait, **more), seed))
        for name, more in WORLDS.items()
    }


def infusion_models(worlds: dict[str, pd.DataFrame], *, engine: str = "fast") -> pd.DataFrame:
    """Log hazard ratio of the infused against the others from their own day 0.

    Returns
    -------
    DataFrame
        world, adjusted (for what is recorded: ECOG and burden), estimate, std_error, conf_low,
        conf_high (log scale); the truth is 0.
    """
    rows = []
    for name, frame in worlds.items():
        for adjusted in (False, True):
            terms = ["infused", *(["ecog", "burden"] if adjusted else [])]
            model = cox_table(frame, time="os_time", event="os_event", covariates=terms,
                              engine=engine).iloc[0]  # fmt: skip
            wanted = model[["estimate", "std_error", "conf_low", "conf_high"]].to_dict()
            rows.append({"world": name, "adjusted": adjusted} | wanted)
    return pd.DataFrame(rows)


def infusion_text(models: pd.DataFrame) -> pd.DataFrame:
    """`infusion_models` to read, a row for each world."""
    rows = []
    for name, part in models.groupby("world", sort=False):
        values = {bool(row["adjusted"]): ratio(row) for _, row in part.iterrows()}
        rows.append(
            {"what differs": name, "unadjusted": values[False],
             "adjusted for ECOG and burden": values[True], "truth": "1.00"}
        )  # fmt: skip
    return pd.DataFrame(rows)


def read_courses(cohort: pd.DataFrame) -> str:
    """What became of those for whom the treatment was planned, in a sentence."""
    planned = cohort[cohort["chosen"] == 1]
    share = planned["course"].value_counts(normalize=True)
    lost = [f"{percent(value)} {name}" for name, value in share.items()
            if value and name != "infused"]  # fmt: skip
    return (
        f"of those planned, {percent(share['infused'])} are infused and seen; the others "
        f"({', '.join(lost)}) are in no row."
    )
