"""Every refusal in one form: which column, which rows, what was found, what to do.

Rows are numbered as a spreadsheet shows them: the header is row 1, and empty rows count. Patient
ids are never quoted.
"""

import re

import pandas as pd

MOST_PROBLEMS = 40


class CohortError(ValueError):
    """A cohort or mapping file that cannot be used; `problems` lists every reason."""

    def __init__(self, message: str, problems: list[tuple[str, str, str]]):
        super().__init__(message)
        self.problems = problems


def short(value, most: int = 40) -> str:
    """A value on one line, printable and of bounded length; "nothing" when it is missing."""
    if value is None or (isinstance(value, float) and value != value):
        return "nothing"
    # Cut before tidying: a value may be a whole file that a stray quotation mark swallowed.
    text = " ".join(str(value)[: 4 * most].split())
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= most else text[: most - 3] + "..."


class Problems:
    """Collects problems so that a reader sees all of them at once."""

    def __init__(self, *files: str):
        self.files = " with ".join(name for name in files if name)
        self.found: list[tuple[str, str, str]] = []
        self.header = 1  # the row of the names
        self.hint = ""  # said once, below the problems
        self.remarks: list[tuple[str, int, str]] = []  # column of the file, rows, what was done

    def add(self, where: str, found: str, remedy: str) -> None:
        problem = (short(where, 100), short(found, 250), short(remedy, 500))
        if problem not in self.found:
            self.found.append(problem)

    def add_rows(self, column: str, values: pd.Series, finding: str, remedy: str) -> None:
        """One problem for all rows of `values` (what was found, indexed by row from 0)."""
        if values.empty:
            return
        shown = ", ".join(f"row {i + 2}" for i in values.index[:3])
        more = f" and {len(values) - 3} more" if len(values) > 3 else ""
        distinct = list(dict.fromkeys(short(v) for v in values))
        quoted = ", ".join(distinct[:4]) + (", ..." if len(distinct) > 4 else "")
        self.add(f"{short(column)}, {shown}{more}", f"{quoted}: {finding}", remedy)

    def remark(self, column: str, rows: int, finding: str) -> None:
        """No problem, but nothing is repaired silently: it becomes a flag of the cohort."""
        self.remarks.append((column, rows, finding))

    def raise_if_any(self) -> None:
        if self.found:
            count = f"{len(self.found)} problem" + ("s" if len(self.found) > 1 else "")
            lines = [
                f"{i}. {where}: found {found}. To do: {remedy}."
                for i, (where, found, remedy) in enumerate(self.found[:MOST_PROBLEMS], 1)
            ]
            if len(self.found) > MOST_PROBLEMS:
                lines.append(f"(and {len(self.found) - MOST_PROBLEMS} more)")
            if self.hint:
                lines.append(self.hint)
            counted = any(re.search(r", row \d", where) for where, _, _ in self.found)
            rows = f" (the header is row {self.header})" if counted else ""
            head = f"{self.files} cannot be used, {count}{rows}:"
            raise CohortError("\n".join([head, *lines]), self.found)
