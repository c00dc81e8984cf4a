"""Load a cohort: ours or the reader's own, checked before a number is computed.

A cohort is one row per patient with an id, an arm and one or more time-to-event endpoints.
`load_cohort` reads the file and its mapping, and either returns a `Cohort` or raises one
`CohortError` that lists every problem at once. Nothing is guessed: what a column means comes
from data/codebook.csv or from the mapping file.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from helpers.conventions import (
    BY_CONSTRUCTION,
    COMPARED_AS,
    MADE_UP_ROWS,
    NOT_FOR_TREATMENT,
    ONE_OF_MANY,
)
from helpers.loading.checks import check_values
from helpers.loading.excluding import in_use, later_rules, left_out
from helpers.loading.flags import find_flags
from helpers.loading.mapping import Mapping, code_text, read_mapping
from helpers.loading.names import folder_name
from helpers.loading.problems import CohortError, Problems
from helpers.loading.reading import read_table
from helpers.loading.schema import (
    STATUS_COLUMN,
    check_columns,
    read_codebook,
    stated_status,
)
from helpers.loading.times import endpoints
from helpers.loading.values import to_types

ROOT = Path(__file__).resolve().parents[1]
PAPER_COHORT = "data/cohort_synthetic.csv"  # the one the series is written for
SECOND_COHORT = "data/cohort_synthetic_second.csv"  # other rows that print the same numbers
# What lies in build/ itself, so that no cohort's folder may be called so.
BUILD_NAMES = frozenset(
    {"notebooks", "book", "student", "instructor", "slides", "handout", "export", "app", "paper",
     "calibrate", "ensemble", "study", "simulation", "multiverse", "resample", "forms",
     "ledger.csv", "timings.csv", "explorer.html"}
)  # fmt: skip


@dataclass(frozen=True)
class Cohort:
    """A checked cohort.

    Attributes
    ----------
    frame : DataFrame
        One row per patient; times in days, events 0 or 1, categories as text, numbers as float.
        The index counts from 0 in file order.
    codebook : DataFrame
        One row per column of `frame` (index: column name): label, type, unit, role, evidence,
        known_at (days after time zero; NaN when there is no fixed day).
    name, status : str
        What the cohort is called, and what it is ("real, published", "synthetic", "private").
    arms : tuple of str
        The arms, compared as "A vs reference"; the reference stands last. One, where nothing is
        compared.
    endpoints : dict
        Endpoint name to label, e.g. ``{"os": "Overall survival"}``.
    mask_below : int
        Counts from 1 to one below this are masked in exports; 0 masks nothing.
    flags : DataFrame
        What was kept but deserves a look: column, rows, finding.
    excluded : DataFrame
        What the mapping left out, by reason: because, rows.
    detected : tuple of str
        How the file was read where nothing said so, with the key that says otherwise.
    orders : dict
        Column to its levels in order, the first the reference; only where the mapping says.
    about, time_zero : str
        One sentence on who these patients are and why they are here; when their clock starts.
    is_paper : bool
        True only for the cohorts built to meet the published numbers.
    """

    frame: pd.DataFrame = field(repr=False)  # ids and rows are not for printing
    codebook: pd.DataFrame = field(repr=False)
    name: str
    status: str
    arms: tuple[str, ...]
    endpoints: dict[str, str]
    mask_below: int
    flags: pd.DataFrame = field(repr=False)
    excluded: pd.DataFrame = field(
        repr=False, default_factory=lambda: pd.DataFrame({"because": [], "rows": []})
    )
    detected: tuple[str, ...] = ()
    orders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    about: str = ""
    time_zero: str = "time zero"
    is_paper: bool = False

    @property
    def reference_arm(self) -> str:
        return self.arms[-1]

    @property
    def slug(self) -> str:
        """The name as a folder name, never one that build/ itself uses."""
        return folder_name(self.name, BUILD_NAMES)

    @property
    def status_line(self) -> str:
        """One line that says what this data is; drawn into every figure and table."""
        if self.status == "synthetic":
            return f"SYNTHETIC DATA, not patients: {self.name}"
        return f"{self.name}: {self.status} data"

    @property
    def mark(self) -> str:
        """What no single result of this data is; empty for rows that are patients."""
        if self.status != "synthetic":
            return ""
        return ONE_OF_MANY if self.is_paper else MADE_UP_ROWS

    def source(self, *columns: str) -> str:
        """What a result rests on, for its caption or footer.

        Parameters
        ----------
        *columns : str
            The columns it rests on beside arm and endpoints; invented ones are named.
        """
        parts = [f"{self.status_line}."]
        if self.mark:
            parts.append(f"{BY_CONSTRUCTION if self.is_paper else 'Any number is '}{self.mark}.")
        if invented := self.invented(*columns):
            parts.append(f"Rests on invented values: {', '.join(invented)}.")
        return " ".join(parts)

    @property
    def remarks(self) -> list[str]:
        """How the file was read, whom the mapping left out, and what deserves a look."""
        left = [f"left out by the mapping: {row.rows} ({row.because})"
                for row in self.excluded.itertuples()]  # fmt: skip
        looks = [f"{row.column}: {row.finding} ({row.rows} of {len(self.frame)} rows)"
                 for row in self.flags.itertuples()]  # fmt: skip
        return [*self.detected, *left, *looks]

    def invented(self, *columns: str) -> list[str]:
        """Labels of those columns whose values were made up."""
        known = self.codebook.reindex(columns)
        return list(known.loc[known["evidence"] == "illustrative", "label"].dropna().unique())

    @property
    def caution(self) -> str:
        """What no page, table or export of this cohort may be read as."""
        design = "Retrospective, not randomised" if self.is_paper else COMPARED_AS
        return f"{design}. {NOT_FOR_TREATMENT}"

    @cached_property
    def derived(self) -> dict:
        """What was made of this cohort once and may be asked for again, by what it is."""
        return {}

    @cached_property
    def factors(self) -> list[str]:
        """Columns that can be compared, filtered by or adjusted for."""
        return list(self.codebook.index[self.codebook["type"].isin(["category", "number"])])

    def label(self, column: str) -> str:
        """The label of a column, with its unit where it has one."""
        row = self.codebook.loc[column]
        return f"{row['label']} ({row['unit']})" if row["unit"] else row["label"]


def resolve(path: str | Path) -> Path:
    """A path as the reader meant it: relative ones count from the repository root."""
    path = Path(path)
    with suppress(RuntimeError):  # "~somebody" may be no user of this machine
        path = path.expanduser()
    return path if path.is_absolute() else ROOT / path


def load_cohort(
    path: str | Path | None = None, map_path: str | Path | None = None, *, member: bool = False
) -> Cohort:
    """Read and check a cohort file; all problems are reported together.

    Parameters
    ----------
    path : str or Path, optional
        CSV, UTF-8, one row per patient; relative paths count from the repository root. Without
        one, the synthetic cohort that the series is written for.
    map_path : str or Path, optional
        Mapping file (YAML) that renames columns, recodes values and states the time unit.
        Without one ("" or None) the file must have the standard names, times in days.
    member : bool, optional
        Whether to read a file whose every row calls itself synthetic as rows built to meet the
        published numbers, which is what `python -m helpers calibrate` writes.

    Returns
    -------
    Cohort

    Raises
    ------
    CohortError
        Lists, for each problem, the column, the row, what was found and what to do.

    Examples
    --------
    >>> cohort = load_cohort()
    >>> cohort.arms, len(cohort.frame), cohort.status
    (('CD20 CAR-T', 'non-CAR-T'), 93, 'synthetic')
    """
    if not path and not map_path:
        path = PAPER_COHORT
    problems = Problems(*(Path(p).name or str(p) for p in (path, map_path) if p))
    if not path:
        problems.add("file", "a mapping without a cohort", "name the cohort file too")
        problems.raise_if_any()
    path = resolve(path)
    is_paper = path in (ROOT / PAPER_COHORT, ROOT / SECOND_COHORT) and not map_path
    mapping = (
        read_mapping(resolve(map_path), problems)
        if map_path
        else Mapping.standard(path, is_paper=is_paper)
    )
    table = read_table(path, (mapping or Mapping()).file, problems)
    problems.raise_if_any()
    text = table.frame
    if member and not map_path and len(text) and STATUS_COLUMN in text:
        is_paper = is_paper or bool((text[STATUS_COLUMN] == "synthetic").all())
        mapping = Mapping.standard(path, is_paper=is_paper)
    codebook = read_codebook(ROOT / "data" / "codebook.csv", mapping)
    if not is_paper:
        codebook["evidence"] = ""  # says how the published cohort was rebuilt

    status = stated_status(text, mapping)
    text, excluded = in_use(table, mapping, codebook.index, problems)
    made = endpoints(text, mapping, table.decimal, problems)
    table.said.extend(made.said)
    named, silent = check_columns(table._replace(frame=text), made.columns, mapping, codebook,
                                  problems)  # fmt: skip
    stay, more = left_out(text, named, later_rules(mapping, table), table.decimal, problems)
    excluded = pd.concat([excluded, more], ignore_index=True).astype({"rows": int})
    for column, wrong, finding, remedy in made.wrong:
        problems.add_rows(column, wrong[wrong.index.isin(stay)], finding, remedy)
    if stay.empty and len(text):
        problems.add("mapping, exclude", "rules that leave nobody", "correct them")
        problems.raise_if_any()
    named = named.loc[stay]
    frame, bad = to_types(named, mapping, codebook, table.decimal, problems)
    for name, rows in made.reported.items():
        bad[f"{name}_time"] = bad[f"{name}_time"].union(rows)
    raw = table.frame.reindex(columns=[mapping.columns.get(c, c) for c in named], index=stay)
    raw.columns = named.columns
    partly = check_values(frame, bad, raw, mapping, codebook, problems)
    problems.raise_if_any()
    flags = find_flags(frame, mapping, codebook, silent, problems.remarks, partly)

    frame = frame.reset_index(drop=True)
    orders = {column: tuple(map(code_text, levels)) for column, levels in mapping.order.items()}
    levels = [level for level in orders.get("arm", ()) if level in set(frame["arm"])]
    levels = levels or list(dict.fromkeys(frame["arm"]))
    levels = levels if len(levels) == 2 or "arm" in orders else sorted(levels)
    reference = mapping.reference_arm or (levels[0] if "arm" in orders else min(levels))
    arms = (*(level for level in levels if level != reference), reference)
    codebook = codebook.loc[[c for c in codebook.index if c in frame.columns]]
    names = {
        column.removesuffix("_time"): codebook.at[column, "label"]
        for column in codebook.index[codebook["type"] == "time"]
    }
    return Cohort(
        frame=frame, codebook=codebook, name=mapping.name, status=status, arms=arms,
        endpoints=names, mask_below=mapping.mask_below, flags=flags, excluded=excluded,
        detected=tuple(table.said), orders=orders, about=mapping.about,
        time_zero=mapping.time_zero, is_paper=is_paper,
    )  # fmt: skip


__all__ = ["Cohort", "CohortError", "load_cohort"]
