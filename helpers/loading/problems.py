"""Every refusal in one form: which column, which rows, what was found, what to do.

Rows are numbered as an editor shows them: the header is row 1. Patient ids are never quoted.
"""

from typing import NoReturn

import pandas as pd


class CohortError(ValueError):
    """A cohort or mapping file that cannot be used; `problems` lists every reason."""

    def __init__(self, message: str, problems: list[tuple[str, str, str]]):
        super().__init__(message)
        self.problems = problems


class Problems:
    """Collects problems so that a reader sees all of them at once."""

    def __init__(self, *files: str):
        self.files = " with ".join(name for name in files if name)
        self.found: list[tuple[str, str, str]] = []

    def add(self, where: str, found: str, remedy: str) -> None:
        self.found.append((where, found, remedy))

    def add_rows(self, column: str, values: pd.Series, finding: str, remedy: str) -> None:
        """One problem for all rows of `values` (what was found, indexed by row from 0)."""
        if values.empty:
            return
        shown = ", ".join(f"row {i + 2}" for i in values.index[:3])
        more = f" and {len(values) - 3} more" if len(values) > 3 else ""
        distinct = list(dict.fromkeys("nothing" if pd.isna(v) else str(v) for v in values))
        quoted = ", ".join(distinct[:4]) + (", ..." if len(distinct) > 4 else "")
        self.add(f"{column}, {shown}{more}", f"{quoted}: {finding}", remedy)

    def raise_if_any(self) -> None:
        if self.found:
            count = f"{len(self.found)} problem" + ("s" if len(self.found) > 1 else "")
            lines = [
                f"{i}. {where}: found {found}. To do: {remedy}."
                for i, (where, found, remedy) in enumerate(self.found, 1)
            ]
            head = f"{self.files} cannot be used, {count} (the header is row 1):"
            raise CohortError("\n".join([head, *lines]), self.found)

    def stop(self, where: str, found: str, remedy: str) -> NoReturn:
        self.add(where, found, remedy)
        self.raise_if_any()
        raise AssertionError("unreachable")
