"""Rebuilt patients of any paper as a cohort that the pages read: a CSV file and its mapping."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from helpers.loading.cells import write_csv
from helpers.loading.schema import FIXED_LABELS
from helpers.rebuild.problem import Problem
from helpers.rebuild.state import State

STATUS = "synthetic, rebuilt from print"  # in every row; never taken for the paper's own cohorts
YES_NO = {1: "yes", 0: "no"}


def rebuilt_frame(problem: Problem, state: State, rng) -> pd.DataFrame:
    """A state as rows in random order.

    Returns
    -------
    DataFrame
        patient_id, data_status, arm, <endpoint>_time (days) and <endpoint>_event (1 event, 0
        censored) for each endpoint, and each factor as "yes" or "no".
    """
    first = np.arange(problem.n) < problem.sizes[0]
    frame = pd.DataFrame({"arm": np.where(first, *problem.arms)})
    for e, name in enumerate(problem.endpoints):
        frame[f"{name}_time"] = state.time[e].astype(int)
        frame[f"{name}_event"] = state.event[e].astype(int)
    for f, name in enumerate(problem.factors):
        frame[name] = pd.Series(state.flag[f]).map(YES_NO)
    frame = frame.iloc[rng.permutation(problem.n)].reset_index(drop=True)
    frame.insert(0, "patient_id", [f"SYN-{i + 1:04d}" for i in range(problem.n)])
    frame.insert(1, "data_status", STATUS)
    return frame


def mapping_of(content: dict) -> dict:
    """How the rows are read: a mapping file as a dict."""
    labels = {k: v for k, v in content["endpoints"].items() if k not in FIXED_LABELS}
    return {
        "name": f"{content['name']}, rebuilt from print",
        "status": "synthetic",
        "about": "Rows found by search so that they print what was claimed; no row is a patient.",
        "time_unit": "days",
        "columns": {f"{k}_{what}": f"{k}_{what}" for k in labels for what in ("time", "event")},
        "labels": labels,
        "reference_arm": list(content["arms"])[1],
        "factors": {k: {"label": v, "type": "category"} for k, v in content["factors"].items()},
        "mask_below": 0,  # no row is a patient
    }


def write_rebuilt(
    content: dict, problem: Problem, state: State, rng, path: Path
) -> tuple[Path, Path]:
    """Write a state as `path` (CSV) and beside it the mapping (YAML) it loads with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_csv(rebuilt_frame(problem, state, rng), path)
    mapping = path.with_suffix(".yaml")
    given = {k: v for k, v in mapping_of(content).items() if v not in ({}, "")}
    mapping.write_text(yaml.safe_dump(given, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path, mapping
