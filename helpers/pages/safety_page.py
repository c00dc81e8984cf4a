"""What the page on safety shows of a cohort: tables, sentences, captions and alt texts.

The proportions and bounds are those of `helpers.estimators.response`; here they become text. What
needs no rows is in `safety_counts`, and offered here too.
"""

import numpy as np
import pandas as pd

from helpers.cohort import Cohort
from helpers.estimators.response import grade_table
from helpers.pages.safety_counts import (
    PRINTED,
    alt_bounds,
    counts_text,
    limits_of,
    printed_percentages,
    reading_text,
    recovered_bounds,
    recovered_text,
    severe_intervals,
    silent_table,
    zero_bounds,
    zero_text,
)
from helpers.words import NOT_DEFINED, percent, plain, quoted

__all__ = [
    "PRINTED", "alt_bounds", "alt_grades", "caption_grades", "caption_recovery", "counts_text",
    "grade_note", "grade_tables", "grades", "grades_text", "printed_percentages", "read_grades",
    "read_recovery", "read_window", "reading_text", "recovered_bounds", "recovered_text",
    "recovery_table", "recovery_text", "severe_intervals", "silent_table", "takeaway_grades",
    "window_table", "window_text", "zero_bounds", "zero_text",
]  # fmt: skip

TOXICITIES = {"crs_grade": "CRS", "icans_grade": "ICANS"}
SEVERE = ">= 3"
WINDOW = 30  # days: when the worst grade of either is known (data/codebook.csv)
LATER = 90  # days: by when a death soon after a severe toxicity has happened
# Where each grade of the synthetic cohort comes from; a grade that is not here is invented.
GROUNDS = {
    "crs_grade": {SEVERE: "5/54 read into the printed 9.2%", "5": 'a reading of "fully recovered"'},
    "icans_grade": {SEVERE: "built to print 7.4%", "5": 'a reading of "fully recovered"'},
}
INVENTED = "invented"
WITHHELD = "withheld"


def window_table(cohort: Cohort, endpoint: str, *, window: int = WINDOW) -> pd.DataFrame:
    """Of each arm's patients, who was watched to the end of the first weeks.

    Parameters
    ----------
    endpoint : str
        Its time and event columns say until when a patient was watched.
    window : int
        Days.

    Returns
    -------
    DataFrame
        arm, patients, watched (time of `window` days or later), event (before that day), left
        (before that day without the event).
    """
    frame, rows = cohort.frame, []
    for arm in cohort.arms:
        part = frame[frame["arm"] == arm]
        early = part[f"{endpoint}_time"] < window
        event = part[f"{endpoint}_event"] == 1
        counts = (~early).sum(), (early & event).sum(), (early & ~event).sum()
        rows.append((arm, len(part), *map(int, counts)))
    return pd.DataFrame(rows, columns=["arm", "patients", "watched", "event", "left"])


def window_text(table: pd.DataFrame, *, window: int = WINDOW) -> pd.DataFrame:
    return table.rename(
        columns={"watched": f"watched to day {window}", "event": "event before",
                 "left": "left before"}
    )  # fmt: skip


def read_window(table: pd.DataFrame, *, window: int = WINDOW) -> str:
    """What those who left early do to a risk in the first weeks."""
    left, all_patients = int(table["left"].sum()), int(table["patients"].sum())
    if not left:
        return (
            f"Nobody left before day {window} without the event, so the share of all patients is "
            f"the risk by day {window}: no clock is needed."
        )
    return (
        f"{left} of {all_patients} patients left before day {window} without the event; had any of "
        "them a harm after that, it was not seen, and the share of all patients would be too low."
    )


def grades(cohort: Cohort, column: str) -> pd.DataFrame:
    """`grade_table` of one toxicity by arm, in the order of the arms, and what each row rests on.

    Returns
    -------
    DataFrame
        The columns of `grade_table`, and grounds: "invented" or the print that binds the grade;
        empty for a cohort of patients.
    """
    table = grade_table(cohort.frame, grade=column, arm="arm")
    order = table["arm"].map({arm: at for at, arm in enumerate(cohort.arms)})
    table = table.iloc[np.argsort(order.to_numpy(), kind="stable")].reset_index(drop=True)
    known = GROUNDS[column] if cohort.is_paper else {}
    grounds = table["grade"].map(known).fillna(INVENTED if cohort.is_paper else "")
    return table.assign(grounds=grounds)


def grades_text(cohort: Cohort, column: str) -> pd.DataFrame:
    """Patients by worst grade to read; an arm is named once, one without any grade is one row.

    The share of an invented count, and its interval, would describe nobody and are withheld.
    """
    rows = []
    for arm, part in grades(cohort, column).groupby("arm", sort=False):
        missing = int(part["missing"].iloc[0])
        if not part["n"].iloc[0]:
            rows.append({"arm": arm, "worst grade": "not recorded", "patients": f"{missing}",
                         "share": NOT_DEFINED, "exact 95% limits": NOT_DEFINED})  # fmt: skip
            continue
        for row in part.to_dict("records"):
            invented = row["grounds"] == INVENTED
            rows.append(
                {
                    "arm": arm,
                    "worst grade": {"any": "1 or more", SEVERE: "3 or more"}.get(
                        row["grade"], row["grade"]
                    ),
                    "patients": f"{row['patients']} of {row['n']}",
                    "share": WITHHELD if invented else percent(row["estimate"], 1),
                    "exact 95% limits": WITHHELD if invented else limits(row),
                    "rests on": row["grounds"],
                }
            )
        if missing:
            rows.append({"arm": arm, "worst grade": "not recorded", "patients": f"{missing}"})
    table = pd.DataFrame(rows).fillna("")
    table["arm"] = table["arm"].where(~table["arm"].duplicated(), "")
    return table if cohort.is_paper else table.drop(columns="rests on", errors="ignore")


def limits(row: dict) -> str:
    """The exact interval, or the one-sided bound where there is none or everybody."""
    if pd.notna(row["one_sided"]):
        side = "at most" if row["patients"] == 0 else "at least"
        return f"{side} {percent(row['one_sided'], 1)}"
    return limits_of(row["exact_low"], row["exact_high"])


def read_grades(cohort: Cohort, column: str) -> str:
    """The severe grades of each arm in sentences, with the denominator."""
    name, parts = cohort.codebook.at[column, "label"], []
    table = grades(cohort, column)
    for row in table[table["grade"] == SEVERE].to_dict("records"):
        if not row["n"]:
            parts.append(f"No patient with {quoted(row['arm'])} has a grade recorded.")
            continue
        missing = f"; no grade recorded for {row['missing']}" if row["missing"] else ""
        parts.append(
            f"{row['patients']} of {row['n']} patients with {quoted(row['arm'])} had a grade of 3 "
            f"or more ({percent(row['estimate'], 1)}; {limits(row)}){missing}."
        )
    return f"{plain(name)}: " + " ".join(parts)


def grade_tables(cohort: Cohort) -> dict[str, pd.DataFrame]:
    """Both toxicities by name, for the figure."""
    return {name: grades(cohort, column) for column, name in TOXICITIES.items()}


def grade_note(cohort: Cohort) -> str:
    """What the figure of people by grade must say inside its panels."""
    return "spread over grades: invented" if cohort.is_paper else ""


def counted(cohort: Cohort, column: str, arm: str) -> tuple[dict[str, int], int]:
    """Patients of an arm by grade, and those without one."""
    table = grades(cohort, column)
    part = table[(table["arm"] == arm) & table["grade"].str.isdigit()]
    missing = int(part["missing"].iloc[0]) if len(part) else 0
    return dict(zip(part["grade"], part["patients"], strict=True)), missing


def alt_grades(cohort: Cohort) -> str:
    """The figure of people by grade, for those who do not see it."""
    parts = ["Dots, one per patient, in rows by worst grade; one panel per toxicity and arm."]
    for column, name in TOXICITIES.items():
        for arm in cohort.arms:
            by_grade, missing = counted(cohort, column, arm)
            read = ", ".join(f"{n} with grade {g}" for g, n in by_grade.items() if n)
            none = f"{missing} not recorded" if missing else ""
            parts.append(f"{name}, {arm}: {', '.join(filter(None, [read, none]))}.")
    return " ".join(parts)


def caption_grades(cohort: Cohort) -> str:
    """What the figure of people by grade shows."""
    sizes = "; ".join(f"{arm}, n = {(cohort.frame['arm'] == arm).sum()}" for arm in cohort.arms)
    invented = (
        " Bound by print are how many lie above the line between grades 2 and 3 (for CRS by a "
        "reading of it) and that none has grade 5; all else about the grades is invented."
        if cohort.is_paper
        else ""
    )
    return plain(
        f"Worst grade of CRS and of ICANS, one mark per patient ({sizes}); darker and larger is "
        f"worse, crosses are patients without a grade.{invented}"
    )


def takeaway_grades(cohort: Cohort) -> str:
    """One sentence on how few carry the severe grades."""
    parts = []
    for column, name in TOXICITIES.items():
        table = grades(cohort, column)
        severe = table[table["grade"] == SEVERE]
        if not severe["n"].sum():
            parts.append(f"nobody, since no grade is recorded, for {name}")
            continue
        parts.append(f"{severe['patients'].sum()} of {severe['n'].sum()} patients with a grade "
                     f"for {name}")  # fmt: skip
    return f"A statement about severe grades is one about {', and '.join(parts)}."


def severe_patients(cohort: Cohort) -> dict[str, pd.Series]:
    """Masks of the patients with a grade of 3 or more, of each toxicity, of either and of both."""
    crs, icans = (cohort.frame[column] >= 3 for column in TOXICITIES)
    return {"CRS of 3 or more": crs, "ICANS of 3 or more": icans, "either": crs | icans,
            "both": crs & icans}  # fmt: skip


def recovery_table(cohort: Cohort, *, later: int = LATER) -> pd.DataFrame:
    """What became of the patients with severe toxicity: recovery as recorded, death as observed.

    Returns
    -------
    DataFrame
        who, patients, recovered, not_recovered, not_recorded (these three add up to the
        patients), died (before day `later`, of any cause), left (unknown on that day).
    """
    frame, rows = cohort.frame, []
    recovered = pd.to_numeric(frame["ae_recovered"], errors="coerce")
    early, died = frame["os_time"] < later, frame["os_event"] == 1
    for who, mask in severe_patients(cohort).items():
        counts = [mask, mask & (recovered == 1), mask & (recovered == 0), mask & recovered.isna(),
                  mask & early & died, mask & early & ~died]  # fmt: skip
        rows.append((who, *(int(hit.sum()) for hit in counts)))
    return pd.DataFrame(rows, columns=["who", "patients", "recovered", "not_recovered",
                                       "not_recorded", "died", "left"])  # fmt: skip


def recovery_text(table: pd.DataFrame, *, later: int = LATER) -> pd.DataFrame:
    return table.rename(
        columns={"not_recovered": "not recovered", "not_recorded": "not recorded",
                 "died": f"died before day {later}, any cause", "left": f"unknown on day {later}"}
    )  # fmt: skip


def caption_recovery(cohort: Cohort) -> str:
    """What the table of recoveries shows, and what is invented in it."""
    invented = " Who they are and when they died is invented." if cohort.is_paper else ""
    return f"Patients with a grade of 3 or more: recovery recorded, death observed.{invented}"


def read_recovery(cohort: Cohort, *, later: int = LATER) -> str:
    """Recovery beside death in a sentence."""
    row = recovery_table(cohort, later=later).set_index("who").loc["either"].map(int)
    if not row["patients"]:
        return "No patient has a grade of 3 or more of either."
    several = "s" if row["patients"] > 1 else ""
    text = (
        f"{row['patients']} patient{several} had a grade of 3 or more of either; recovery is "
        f"recorded for {row['recovered']}, and {row['died']} died before day {later} of any cause."
    )
    if row["died"]:
        text += (
            " Whether toxicity had a part in a death is an attribution that no column of this "
            "file records."
        )
    if cohort.is_paper:
        text += " Whether any patient had both, who they are and how long they lived is invented."
    return text
