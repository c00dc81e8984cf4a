"""The real cohorts of the study: public two-arm sets, and samples of 93 drawn from them.

Tuning and held-out sets were named here before anything was rebuilt from any of them. Numbers of
the search (steps, tries, starts) may be chosen by what the tuning sets show, and by nothing else.
What first attempts, on samples of another seed, did change: survival alone is rebuilt, since no
cohort was found under two linked endpoints, and rossi's last day is 364, not 365.
Samples of one set share patients, so the study counts sets, not samples.
"""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.conventions import DAYS_PER_MONTH
from helpers.rebuild.state import State

SIZE = 93  # patients of a sample, as many as the paper has
TUNING, HELD_OUT = "tuning", "held out"


class Source(NamedTuple):
    """A public set: whom it compares and what is asked of its samples.

    arms: the first-named, which is compared, and the reference. factors: two binary columns; the
    first has a printed ratio of its own. last_day: the longest time of the set, rounded up to
    years (rossi: the planned 52 weeks), which a reader would know from the dates of the study.
    day: up to which survival is asked about. other: whether recurrence (`rfs`) is there too.
    """

    about: str
    role: str
    shipped: str
    arms: tuple[str, str]
    factors: dict[str, str]
    last_day: int
    day: int
    load: Callable[[], pd.DataFrame]
    other: bool = False


def shipped(name: str) -> pd.DataFrame:
    from greenwood import load_dataset

    return load_dataset(name, backend="pandas")


def tidy(arm, factors: dict, **endpoints) -> pd.DataFrame:
    """arm and factors as 0 and 1, and a time in whole days, at least 1, and an event each."""
    columns = {"arm": arm} | factors
    for name, (time, event) in endpoints.items():
        columns[f"{name}_time"] = np.maximum(np.rint(np.asarray(time, float)), 1)
        columns[f"{name}_event"] = np.asarray(event)
    return pd.DataFrame({k: np.asarray(v).astype(int) for k, v in columns.items()})


def veteran() -> pd.DataFrame:
    d = shipped("veteran")
    return tidy(d["trt"] == 2, {"poor": d["karno"] < 60, "prior": d["prior"] > 0},
                os=(d["time"], d["status"]))  # fmt: skip


def lung() -> pd.DataFrame:
    d = shipped("lung").dropna(subset=["ph.ecog"])
    return tidy(d["sex"] == 2, {"poor": d["ph.ecog"] >= 2, "old": d["age"] >= 65},
                os=(d["time"], d["status"] == 2))  # fmt: skip


def breast() -> pd.DataFrame:
    from lifelines.datasets import load_lymph_node

    d = load_lymph_node()
    return tidy(d["hormone"] == 2, {"nodes": d["nodes"] >= 4, "grade": d["grade"] == 3},
                os=(d["survtime"], d["censdead"]), rfs=(d["rectime"], d["censrec"]))  # fmt: skip


def colon() -> pd.DataFrame:
    d = shipped("colon")
    d = d[d["rx"] != "Lev"]
    first, last = (d[d["etype"] == k].set_index("id") for k in (1, 2))
    last = last.loc[first.index]
    flags = {"node4": first["node4"], "obstruct": first["obstruct"]}
    return tidy(first["rx"] == "Lev+5FU", flags, os=(last["time"], last["status"]),
                rfs=(first["time"], first["status"]))  # fmt: skip


def rossi() -> pd.DataFrame:
    from lifelines.datasets import load_rossi

    d = load_rossi()
    return tidy(d["fin"], {"priors": d["prio"] >= 3, "old": d["age"] >= 25},
                os=(7 * d["week"], d["arrest"]))  # fmt: skip


def pbc() -> pd.DataFrame:
    d = shipped("pbc").dropna(subset=["trt"])
    return tidy(d["trt"] == 1, {"edema": d["edema"] > 0, "old": d["age"] >= 50},
                os=(d["time"], d["status"] == 2))  # fmt: skip


def melanoma() -> pd.DataFrame:
    d = shipped("e1684").dropna()
    return tidy(d["TRT"], {"old": d["AGE"] >= 0, "female": d["SEX"]},
                os=(365 * d["FAILTIME"], d["FAILCENS"]))  # fmt: skip


def gammopathy() -> pd.DataFrame:
    d = shipped("mgus2").dropna(subset=["hgb"])
    return tidy(d["sex"] == "F", {"anaemia": d["hgb"] < 12, "old": d["age"] >= 70},
                os=(DAYS_PER_MONTH * d["futime"], d["death"]))  # fmt: skip


def hiv() -> pd.DataFrame:
    d = pd.read_csv(files("lifelines.datasets") / "ACTG175.csv")
    return tidy(d["treat"], {"low_cd4": d["cd40"] < 350, "symptom": d["symptom"]},
                os=(d["days"], d["cens"]))  # fmt: skip


def kidney() -> pd.DataFrame:
    from lifelines.datasets import load_kidney_transplant

    d = load_kidney_transplant()
    black = d["black_male"] + d["black_female"] > 0
    return tidy(d["white_male"] + d["black_male"] > 0, {"old": d["age"] >= 50, "black": black},
                os=(d["time"], d["death"]))  # fmt: skip


SETS = {
    "veteran": Source(
        "Veterans' lung cancer trial", TUNING, "greenwood", ("test", "standard"),
        {"poor": "Karnofsky below 60", "prior": "Prior therapy"}, 1095, 180, veteran),
    "lung": Source(
        "NCCTG advanced lung cancer", TUNING, "greenwood", ("women", "men"),
        {"poor": "ECOG of 2 or more", "old": "Age of 65 or more"}, 1095, 365, lung),
    "breast": Source(
        "German breast cancer study", HELD_OUT, "lifelines", ("hormone", "none"),
        {"nodes": "Four nodes or more", "grade": "Grade 3"}, 2920, 1460, breast, True),
    "colon": Source(
        "Colon cancer, levamisole and fluorouracil or observation", HELD_OUT, "greenwood",
        ("Lev+5FU", "observation"),
        {"node4": "More than four nodes", "obstruct": "Obstruction"}, 3650, 1095, colon, True),
    "rossi": Source(
        "Rearrest after prison, by financial aid", HELD_OUT, "lifelines", ("aid", "none"),
        {"priors": "Three prior convictions or more", "old": "Age of 25 or more"}, 364, 182, rossi),
    "pbc": Source(
        "Mayo primary biliary cholangitis trial", HELD_OUT, "greenwood",
        ("penicillamine", "placebo"), {"edema": "Edema", "old": "Age of 50 or more"},
        5110, 1460, pbc),
    "melanoma": Source(
        "ECOG 1684, melanoma, relapse or death", HELD_OUT, "greenwood",
        ("interferon", "observation"),
        {"old": "Older than the mean", "female": "Women"}, 3650, 730, melanoma),
    "gammopathy": Source(
        "Monoclonal gammopathy, death", HELD_OUT, "greenwood", ("women", "men"),
        {"anaemia": "Haemoglobin below 12", "old": "Age of 70 or more"}, 13140, 1825, gammopathy),
    "hiv": Source(
        "ACTG 175, two drugs or zidovudine alone", HELD_OUT, "lifelines", ("other", "zidovudine"),
        {"low_cd4": "CD4 below 350", "symptom": "Symptoms"}, 1460, 730, hiv),
    "kidney": Source(
        "Kidney transplants, death", HELD_OUT, "lifelines", ("men", "women"),
        {"old": "Age of 50 or more", "black": "Black"}, 3650, 730, kidney),
}  # fmt: skip


@cache
def whole(name: str) -> pd.DataFrame:
    """All patients of a set."""
    return SETS[name].load()


def sample(seed: int, name: str, number: int) -> pd.DataFrame:
    """A numbered sample of 93 without replacement, the first-named arm first."""
    rng = np.random.default_rng([seed, number, *name.encode()])
    frame = whole(name)
    rows = np.sort(rng.choice(len(frame), SIZE, replace=False))
    return frame.iloc[rows].sort_values("arm", ascending=False, kind="stable", ignore_index=True)


def state_of(frame: pd.DataFrame, source: Source) -> State:
    """The sample as the search holds a cohort."""
    column = lambda names: frame[list(names)].to_numpy().T.copy()  # noqa: E731
    return State(column(["os_time"]).astype(float), column(["os_event"]), column(source.factors))
