"""How the estimators do in made cohorts: the stored table as text, and what is to be read in it."""

import numpy as np
import pandas as pd

from helpers.conventions import CONFIDENCE
from helpers.simulate import stored
from helpers.simulate.calibration import SCENARIOS, dials_of
from helpers.simulate.stored import load_calibration as load_calibration  # for the page
from helpers.survival import Z
from helpers.words import number, percent

STATUS = "Simulated cohorts of a known truth; no patients"
ABOUT = {
    "nothing": "no wait, chosen by lot",
    "waiting": "a wait of 45 days on average, and 7 of 100 never made",
    "waiting and a falling hazard": "the same wait, most deaths early",
    "measured confounding": "the fitter are chosen, and their fitness is recorded",
    "hidden confounding": "a harmful trait, rarer in the treated, that nobody recorded",
    "informative drop-out": "3 of 10 treated are lost before they die",
    "waiting and measured confounding": "the wait and the choice together",
    "true effect": "a hazard ratio of 0.5, and nothing else",
    "true effect, waiting and measured confounding": "a hazard ratio of 0.5, and the two",
    "delayed effect": "0.5 from day 90 after infusion on",
}

SHORT = {
    "time-dependent": "on its day",
    "time-dependent, adjusted": "on its day, adjusted",
    "from infusion, unadjusted": "from infusion",
}  # names of columns, so that a table of seven fits beside the sidebars of the book


def source() -> str:
    """Where the numbers come from: how many, with which seed, and how to make them again."""
    run = stored.load_run()
    return (
        f"{STATUS}: {run['replications']:,} cohorts of {dials_of('nothing').patients} in each of "
        f"{run['scenarios']} scenarios, seed {run['seed']}, made once and stored with every single "
        "estimate (data/simulation); python -m helpers simulate makes them again."
    )


def scenarios_text() -> pd.DataFrame:
    """What happens in each scenario."""
    return pd.DataFrame({"scenario": list(SCENARIOS), "what happens": [ABOUT[s] for s in SCENARIOS],
                         "true effect": ["none" if dials_of(s).log_hr_death == 0 else "yes"
                                         for s in SCENARIOS]})  # fmt: skip


def shares_text(table: pd.DataFrame, what: str) -> pd.DataFrame:
    """Coverage or share of P below 0.05, a row per scenario and a column per estimator."""
    wide = table.pivot(index="scenario", columns="estimator", values=what)
    wide = wide.reindex(index=list(dict.fromkeys(table["scenario"])),
                        columns=list(dict.fromkeys(table["estimator"])))  # fmt: skip
    return wide.map(percent).rename(columns=SHORT).reset_index().rename_axis(columns=None)


def coverage_text(table: pd.DataFrame) -> pd.DataFrame:
    """How often 95% intervals hold the truth."""
    return shares_text(table, "coverage")


def errors_text(table: pd.DataFrame) -> pd.DataFrame:
    """How often P is below 0.05 where there is no effect: the type I error."""
    none = [s for s in SCENARIOS if dials_of(s).log_hr_death == 0]
    return shares_text(table[table["scenario"].isin(none)], "rejection")


def largest_error(table: pd.DataFrame, what: str) -> str:
    """The largest Monte Carlo standard error of a share, in points."""
    return f"{number(100 * table[f'{what}_error'].max(), 1)} points"


def read_withheld(table: pd.DataFrame) -> str:
    """Which estimator has no answer in some cohorts, and of which cohorts its shares are."""
    most = table.groupby("estimator", sort=False)["withheld"].max()
    names = [f'"{name}" in up to {n:,}' for name, n in most.items() if n]
    if not names:
        return "Every estimator has an answer in every cohort."
    return (
        f"Withheld for want of overlap: {' and '.join(names)} of {table['replications'].max():,} "
        "cohorts of a scenario; its shares are of the others."
    )


def caption_bias(table: pd.DataFrame) -> str:
    """What the figure of biases shows."""
    return (
        f"Bias of {table['estimator'].nunique()} estimators of the hazard ratio of death in "
        f"{table['scenario'].nunique()} scenarios of made cohorts: the mean estimate over the "
        f"truth (1: none; below 1: the treatment looks better than it is), with {CONFIDENCE:.0%} "
        "Monte Carlo intervals."
    )


def off(table: pd.DataFrame) -> pd.DataFrame:
    """Estimators whose bias in a scenario is beyond its Monte Carlo interval and 5% or more."""
    known = table[table["bias"].notna()]
    clear = known["bias"].abs() > np.maximum(Z * known["bias_error"], np.log(1.05))
    return known[clear]


def alt_bias(table: pd.DataFrame) -> str:
    """The figure for those who do not see it."""
    worst = table.loc[table["bias"].abs().idxmax()]
    known = table[table["bias"].notna()]
    clear = int((known["bias"].abs() > Z * known["bias_error"]).sum())
    return (
        f"Dots in {table['scenario'].nunique()} bands on a log axis around 1; the Monte Carlo "
        f"intervals of {clear} of {len(known)} leave out 1, and {len(off(table))} of those are off "
        "by 5% or more. The farthest: "
        f"{worst['estimator']} at {number(np.exp(worst['bias']))} under {worst['scenario']}."
    )


def read_bias(table: pd.DataFrame) -> str:
    """Which estimator is off in fewest scenarios, and where all of them are."""
    wrong, known = off(table), table[table["bias"].notna()]
    counts = wrong["estimator"].value_counts()
    counts = counts.reindex(list(dict.fromkeys(table["estimator"])), fill_value=0)
    fewest, most = counts[counts == counts.min()], counts[counts == counts.max()]
    share = wrong.groupby("scenario").size() / known.groupby("scenario").size()
    everywhere = [s for s in dict.fromkeys(table["scenario"]) if share.get(s, 0) == 1]
    named = [" and ".join(f'"{name}"' for name in part.index) for part in (most, fewest)]
    said = (
        f"Off by 5% or more, beyond Monte Carlo error: {named[0]} in {most.iloc[0]} of "
        f"{known['scenario'].nunique()} scenarios, {named[1]} in {fewest.iloc[0]}"
    )
    if everywhere:
        said += f"; under {' and '.join(everywhere)} all estimators"
    return f"{said}."
