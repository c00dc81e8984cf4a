"""What leaves the project: tables, figure and methods text of an answer, small counts masked.

Every exported table carries the status of its data in a column of its own, so that the mark
travels with the rows. Below the cohort's `mask_below`, a count is not exported, and neither is
the count beside it from which it could be worked out; curves then come on a coarse grid, since
every step of a Kaplan-Meier curve is a patient.
"""

from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import pandas as pd

from helpers.analysis import Answer
from helpers.conventions import DAYS_PER_MONTH, TEXT, cox_text
from helpers.labels import counted, verb
from helpers.loading.cells import write_csv
from helpers.plots.drawn import SURVIVAL, Display
from helpers.plots.style import STYLE, add_footer
from helpers.plots.survival import figure_survival
from helpers.whose import column_label, covariates, lacking, patients, readable, start
from helpers.words import caption_survival, plain_text

TABLES = ("curves", "risk_table", "medians", "milestones", "tests", "model", "rmst", "interaction",
          "counts", "notes")  # fmt: skip
COUNTS = ("n_risk", "patients", "events", "censored")
# A file that says when it was made, or draws names at random, is another file every time.
METADATA = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
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


def mask_steps(at_risk: pd.DataFrame, below: int) -> pd.DataFrame:
    """Cover a number at risk that differs from the last one shown by fewer than `below`."""
    shown = at_risk.copy()
    for _, part in at_risk.groupby("group", sort=False):
        last = None
        for row, value in part["n_risk"].items():
            if isinstance(value, str):
                continue
            if last is not None and 0 < last - value < below:
                shown.loc[row, "n_risk"] = "*"
            else:
                last = value
    return shown


def masked(answer: Answer) -> Answer:
    """The answer as it may be exported.

    Counts stand in one table only, so that no table gives away what another masks; a group with
    a masked count is left out of all others, and so are differences from it. Estimates are
    rounded and lose their errors, from which counts could be worked out.
    """
    below = answer.cohort.mask_below
    if not below or not answer.groups:
        return answer
    counts = mask_counts(answer.counts[["group", "patients", "events", "censored"]], below)
    covered = counts[["patients", "events", "censored"]].map(lambda value: isinstance(value, str))
    hidden = set(counts.loc[covered.any(axis=1), "group"])

    def share(frame: pd.DataFrame, columns: list[str], digits: int) -> pd.DataFrame:
        if frame.empty:
            return frame
        if "group" in frame:
            keep = ~frame["group"].isin(hidden)
            if hidden:
                keep &= frame["group"].isin(answer.groups)  # no "A vs B" either
            frame = frame[keep]
        shown = frame[[c for c in columns if c in frame]].copy()
        numbers = shown.select_dtypes("number").columns.difference(["time"])
        shown[numbers] = shown[numbers].round(digits)
        return shown

    limits = ["estimate", "conf_low", "conf_high"]
    stones = share(answer.milestones, ["kind", "group", "time", *limits], COARSE)
    at_risk = share(answer.risk_table, ["group", "time", "n_risk"], 0)
    middle = share(answer.medians, ["group", *limits], 0)
    middle[limits] = (middle[limits] / DAYS_PER_MONTH).round() * DAYS_PER_MONTH  # no exact day
    notes = answer.notes.assign(
        note=answer.notes["note"].str.replace(
            r"\b(\d+)(?= patient| in )",
            lambda found: f"<{below}" if 0 < int(found[1]) < below else found[1],
            regex=True,
        )
    )
    if hidden:
        names = ", ".join(sorted(hidden))
        notes.loc[len(notes)] = ["masking", f"{names}: left out, a count is below {below}."]
    return replace(
        answer,
        counts=counts,
        curves=stones[stones["kind"] == "survival"].drop(columns="kind"),
        risk_table=mask_steps(mask_counts(at_risk, below), below),
        medians=middle,
        milestones=stones,
        tests=share(answer.tests, ["name", "df", "p_value", "method"], 4),
        model=share(answer.model, ["model", "term", *limits, "p_value", "scale", "method"], 4),
        rmst=share(answer.rmst, ["group", *limits], 0),
        interaction=share(answer.interaction, ["term", *limits, "p_value", "scale", "method"], 4),
        notes=notes,
    )


def methods(answer: Answer) -> str:
    """A methods paragraph with the conventions of this answer, to be edited by its reader."""
    view, cohort = answer.view, answer.cohort
    status = cohort.status_line
    if cohort.status == "synthetic":
        status = (
            "Synthetic data calibrated to published summaries; not for publication or patient care"
        )
    if not answer.groups:
        return f"{status}. No patient is in {patients(answer)}; nothing was analysed."
    parts = [f"{status}.", described(answer), TEXT["interval"], TEXT["median"]]
    if len(answer.groups) > 1:
        parts += [TEXT["difference"], TEXT["log_rank"], cox_text(view.ties, view.intervals)]
        parts.append(TEXT["floor"])
    if "adjusted" in set(answer.model["model"]):
        parts.append(adjusted(answer))
    if len(answer.interaction):
        parts.append(TEXT["interaction"])
    if view.landmark:
        parts.append(TEXT["landmark"])
    if len(answer.rmst):
        parts.append(f"{TEXT['rmst']} The horizon was day {view.horizon:g}.")
    if cohort.mask_below:
        parts.append(f"Counts from 1 to {cohort.mask_below - 1} are masked in exports.")
    return " ".join([*parts, TEXT["month"], cohort.caution])


def described(answer: Answer) -> str:
    """Of whom what was described, and how many were left out and why; no counts where they are
    masked, since a total gives away what it is the sum of."""
    cohort, who = answer.cohort, patients(answer)
    text = f"{answer.label} from {start(answer)} was described"
    if len(answer.groups) > 1:
        text += f" by {column_label(answer, answer.view.compare)}"
    if len(cohort.excluded):
        reasons = [row.because if cohort.mask_below else f"{row.because} ({row.rows})"
                   for row in cohort.excluded.itertuples()]  # fmt: skip
        text = f"Left out beforehand: {'; '.join(reasons)}. {text}"
    if cohort.mask_below:
        return f"{text} in {who if who.startswith('all') else 'patients with ' + who}."
    n, total = int(answer.counts["patients"].sum()), len(cohort.frame)
    if n == total and who == "all patients":
        return f"{text} in all {counted(total, 'patient')}."
    parts = [f"{text} in {n} of {counted(total, 'patient')}: {who}."]
    for k, label in lacking(answer):
        lack = f"{counted(k, 'patient')} without a value of {label}"
        parts.append(f"{lack} {verb(k, 'was', 'were')} left out.")
    if answer.view.landmark:
        had, gone = (int(answer.counts[c].sum()) for c in ("lost_events", "lost_censored"))
        parts.append(
            f"By day {answer.view.landmark:g}, {counted(had, 'patient')} had had the event and "
            f"{gone} had been censored."
        )
    return " ".join(parts)


def adjusted(answer: Answer) -> str:
    """What the adjusted model included, and on how many patients it rests."""
    text = f"The adjusted model included {covariates(answer)}. {TEXT['missing']}"
    used = int(answer.model.loc[answer.model["model"] == "adjusted", "n"].iloc[0])
    total = int(answer.counts["patients"].sum())
    if used == total or answer.cohort.mask_below:
        return text
    return f"{text} It rests on {used} of these {total} patients."


def export(answer: Answer, folder: Path, *, display: Display = SURVIVAL) -> list[Path]:
    """Write the tables (CSV), the figure (PNG, SVG, PDF), the View and the methods text.

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
            write_csv(frame.assign(data_status=answer.source), written[-1])
    caption = plain_text(caption_survival(readable(answer), display.unit, display.curve))
    texts = {
        "view.json": answer.view.text() + "\n",
        "methods.txt": methods(answer) + "\n",
        "caption.txt": f"{caption} Source: {answer.source}\n",
    }
    if answer.cohort.mask_below:
        texts.pop("caption.txt")  # it names the numbers of patients and events
    for name, text in texts.items():
        written.append(folder / name)
        written[-1].write_text(text, encoding="utf-8")
    if not answer.cohort.mask_below:
        figure = figure_survival(answer, display=display)
        add_footer(figure, answer.source)
        for kind, metadata in METADATA.items():
            written.append(folder / f"survival.{kind}")
            with mpl.rc_context(STYLE):
                figure.savefig(written[-1], metadata=metadata, dpi=300)
    return written
