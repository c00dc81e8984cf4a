"""What leaves the project: tables, figure and methods text of an answer, small counts masked.

Every exported table carries the status of its data in a column of its own, so that the mark
travels with the rows. Below the cohort's `mask_below`, a count is not exported, and neither is
the count beside it from which it could be worked out; curves then come on a coarse grid, since
every step of a Kaplan-Meier curve is a patient.
"""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from helpers.analysis import Answer
from helpers.conventions import NOT_FOR_TREATMENT, TEXT
from helpers.plots import figure_survival
from helpers.words import caption_survival, start

TABLES = ("curves", "risk_table", "medians", "milestones", "tests", "model", "rmst", "interaction",
          "counts", "notes")  # fmt: skip
COUNTS = ("n_risk", "n_event", "n_censor", "n", "patients", "events", "censored", "lost_events",
          "lost_censored")  # fmt: skip
COARSE = 2  # decimals of a masked curve


def mask_counts(frame: pd.DataFrame, below: int) -> pd.DataFrame:
    """Replace counts from 1 to below - 1 by "<below", and the next smallest count in their row.

    The second is masked as "*": with patients and events known, the censored are no secret.

    Examples
    --------
    >>> counts = pd.DataFrame({"patients": [20, 30], "events": [3, 12], "censored": [17, 18]})
    >>> mask_counts(counts, below=5)
      patients events censored
    0       20     <5        *
    1       30     12       18
    """
    columns = [c for c in COUNTS if c in frame]
    if not below or not columns:
        return frame
    counts = frame[columns].astype(float)
    small = (counts > 0) & (counts < below)
    others = counts.where((counts > 0) & ~small)
    alone = small.sum(axis=1) == 1
    partner = others[alone].dropna(how="all").idxmin(axis=1)
    masked = frame.astype(dict.fromkeys(columns, object))
    for column in columns:
        masked.loc[small[column], column] = f"<{below}"
        masked.loc[partner.index[partner == column], column] = "*"
    return masked


def masked(answer: Answer) -> Answer:
    """The answer as it may be exported: small counts masked, curves on the milestone grid."""
    below = answer.cohort.mask_below
    if not below or not answer.groups:
        return answer
    rows = answer.milestones[answer.milestones["kind"] == "survival"]
    grid = answer.risk_table[answer.risk_table["time"] > 0]
    values = ["estimate", "conf_low", "conf_high"]
    coarse = grid.merge(rows[["group", "time", *values]], on=["group", "time"])
    coarse[values] = coarse[values].round(COARSE)
    frames = {name: mask_counts(getattr(answer, name), below) for name in TABLES}
    return replace(answer, **frames | {"curves": mask_counts(coarse, below)})


def methods(answer: Answer) -> str:
    """A methods paragraph with the conventions of this answer, to be edited by its reader."""
    view, cohort = answer.view, answer.cohort
    status = cohort.status_line
    if cohort.status == "synthetic":
        status = (
            "Synthetic data calibrated to published summaries; not for publication or patient care"
        )
    who = (
        f"the subgroup with {' and '.join(map(str, view.where))}" if view.where else "all patients"
    )
    column = cohort.codebook.at[view.compare, "label"].lower()
    parts = [
        f"{status}.",
        f"{answer.label} from {start(answer)} was compared by {column} in {who}.",
        TEXT["interval"], TEXT["median"], TEXT["log_rank"], TEXT["cox"],
    ]  # fmt: skip
    if view.adjust:
        parts.append(f"The adjusted model included {', '.join(view.adjust)}. {TEXT['missing']}")
    if view.landmark:
        parts.append(TEXT["landmark"])
    if view.horizon:
        parts.append(f"{TEXT['rmst']} The horizon was day {view.horizon:g}.")
    if cohort.mask_below:
        parts.append(f"Counts from 1 to {cohort.mask_below - 1} are masked in exports.")
    return " ".join([*parts, TEXT["month"], NOT_FOR_TREATMENT])


def export(answer: Answer, folder: Path) -> list[Path]:
    """Write the tables (CSV), the figure (PNG, PDF), the View and the methods text.

    With masking on, the figure is left out: it shows every step.

    Returns
    -------
    list of Path
        What was written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written, shown = [], masked(answer)
    for name in TABLES:
        frame = getattr(shown, name)
        if len(frame):
            written.append(folder / f"{name}.csv")
            frame.assign(data_status=answer.cohort.status_line).to_csv(written[-1], index=False)
    texts = {
        "view.json": answer.view.text() + "\n",
        "methods.txt": methods(answer) + "\n",
        "caption.txt": caption_survival(answer) + "\n",
    }
    if answer.cohort.mask_below:
        texts.pop("caption.txt")  # it names the numbers of patients and events
    for name, text in texts.items():
        written.append(folder / name)
        written[-1].write_text(text, encoding="utf-8")
    if not answer.cohort.mask_below:
        figure = figure_survival(answer)
        for kind in ("png", "pdf"):
            written.append(folder / f"survival.{kind}")
            # A file that says when it was made is a different file every time.
            metadata = {"CreationDate": None} if kind == "pdf" else {"Software": None}
            figure.savefig(written[-1], metadata=metadata)
    return written
