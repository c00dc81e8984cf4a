"""Load a cohort: ours or the reader's own, checked before a number is computed.

A cohort is one row per patient with an id, an arm and one or more time-to-event endpoints.
`load_cohort` reads the file and its mapping, and either returns a `Cohort` or raises one
`CohortError` that lists every problem at once. Nothing is guessed: what a column means comes
from data/codebook.csv or from the mapping file.
"""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from helpers.loading.checks import check_values
from helpers.loading.mapping import Mapping, read_mapping
from helpers.loading.problems import CohortError, Problems
from helpers.loading.schema import check_columns, read_codebook, to_types

ROOT = Path(__file__).resolve().parents[1]
PAPER_COHORT = "data/cohort_synthetic.csv"
DEFAULT_COHORT = "data/examples/german_breast_cancer.csv"
DEFAULT_MAP = "data/examples/german_breast_cancer.yaml"

# pandas would also read "None" and "null" as missing: an arm may well be called None.
MISSING = ("", "NA", "NaN", "nan", ".")


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
        The two arms, compared as "first vs second"; the second is the reference.
    endpoints : dict
        Endpoint name to label, e.g. ``{"os": "Overall survival"}``.
    mask_below : int
        Counts from 1 to one below this are masked in exports; 0 masks nothing.
    flags : DataFrame
        What was kept but deserves a look: column, rows, finding.
    is_paper : bool
        True only for the cohort built to meet the published numbers.
    """

    frame: pd.DataFrame
    codebook: pd.DataFrame
    name: str
    status: str
    arms: tuple[str, str]
    endpoints: dict[str, str]
    mask_below: int
    flags: pd.DataFrame = field(repr=False)
    is_paper: bool = False

    @property
    def reference_arm(self) -> str:
        return self.arms[1]

    @property
    def slug(self) -> str:
        """The name as a folder name."""
        return "".join(c if c.isalnum() else "_" for c in self.name.lower()).strip("_")

    @property
    def status_line(self) -> str:
        """One line that says what this data is; drawn into every figure and table."""
        return f"{self.name}: {self.status} data"

    def label(self, column: str) -> str:
        """The label of a column, with its unit where it has one."""
        row = self.codebook.loc[column]
        return f"{row['label']} ({row['unit']})" if row["unit"] else row["label"]


def resolve(path: str | Path) -> Path:
    """A path as the reader meant it: relative ones count from the repository root."""
    path = Path(path).expanduser()
    return path if path.is_absolute() else ROOT / path


def read_text_frame(path: Path) -> pd.DataFrame:
    """The CSV as text, so that a refusal can quote what stands in the file.

    Raises
    ------
    CohortError
        The file is absent, not UTF-8, not comma-separated, empty, or names a column twice.
    """
    problems = Problems(path.name)
    try:
        # Read without a header: pandas would silently rename a repeated column.
        raw = pd.read_csv(
            path, dtype=str, header=None, encoding="utf-8-sig",
            keep_default_na=False, na_values=list(MISSING), skipinitialspace=True,
        )  # fmt: skip
    except FileNotFoundError:
        problems.stop("file", f"no file at {path}", "check the path")
    except IsADirectoryError:
        problems.stop("file", "a folder", "name a CSV file")
    except UnicodeDecodeError as error:
        problems.stop(
            "file",
            f"byte {error.start} is not UTF-8 (an Excel file, or another encoding?)",
            "save it as 'CSV UTF-8'",
        )
    except pd.errors.EmptyDataError:
        problems.stop("file", "nothing in it", "give a CSV with a header and one row per patient")
    except pd.errors.ParserError as error:
        problems.stop(
            "file",
            f"rows of different length ({str(error).strip().rpartition('C error: ')[2]})",
            "quote values that contain a comma",
        )
    header = [str(name).strip() for name in raw.iloc[0].fillna("")]
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        problems.stop("file", "a single column", "separate values by commas, not by ';' or tabs")
    for name in sorted({n for n in header if header.count(n) > 1}):
        what = f"the column name {name!r}" if name else "a column without a name"
        problems.add("file", f"{what} {header.count(name)} times", "give each column its own name")
    if len(raw) == 1:
        problems.add("file", "a header and no rows", "give one row per patient")
    problems.raise_if_any()
    frame = raw.iloc[1:].reset_index(drop=True)
    frame.columns = header
    return frame.apply(lambda column: column.str.strip()).replace("", pd.NA)


def load_cohort(path: str | Path | None = None, map_path: str | Path | None = None) -> Cohort:
    """Read and check a cohort file; all problems are reported together.

    Parameters
    ----------
    path : str or Path, optional
        CSV, UTF-8, one row per patient; relative paths count from the repository root. Without
        one, the cohort that the series is written for, with its own mapping.
    map_path : str or Path, optional
        Mapping file (YAML) that renames columns, recodes values and states the time unit.
        Without one ("" or None) the file must have the standard names, times in days.

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
    >>> cohort.arms, len(cohort.frame), cohort.endpoints["rfs"]
    (('hormone therapy', 'none'), 686, 'Recurrence-free survival')
    """
    if not path:
        path, map_path = DEFAULT_COHORT, DEFAULT_MAP
    path = resolve(path)
    map_file = resolve(map_path) if map_path else None
    is_paper = path == ROOT / PAPER_COHORT
    text = read_text_frame(path)
    mapping = read_mapping(map_file) if map_file else Mapping.standard(path, is_paper=is_paper)
    codebook = read_codebook(ROOT / "data" / "codebook.csv", mapping)

    problems = Problems(path.name, mapping.file)
    text = check_columns(text, mapping, codebook, problems)
    problems.raise_if_any()  # values cannot be judged while columns are unclear
    frame, bad = to_types(text, mapping, codebook, problems)
    flags = check_values(frame, bad, mapping, codebook, problems)
    problems.raise_if_any()

    levels = list(frame["arm"].unique())
    reference = mapping.reference_arm or sorted(levels)[0]
    arms = (next(level for level in levels if level != reference), reference)
    codebook = codebook.loc[[c for c in codebook.index if c in frame.columns]]
    endpoints = {
        column.removesuffix("_time"): codebook.at[column, "label"]
        for column in codebook.index[codebook["type"] == "time"]
    }
    return Cohort(
        frame=frame, codebook=codebook, name=mapping.name, status=mapping.status, arms=arms,
        endpoints=endpoints, mask_below=mapping.mask_below, flags=flags, is_paper=is_paper,
    )  # fmt: skip


__all__ = ["Cohort", "CohortError", "load_cohort"]
