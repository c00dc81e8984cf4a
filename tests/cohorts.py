"""Small cohorts for tests, made through the loader as a reader's file would be."""

from helpers.cohort import load_cohort

EXAMPLE = [f"data/examples/german_breast_cancer.{kind}" for kind in ("csv", "yaml")]


def german():
    """The real, published example cohort: 686 patients, os and rfs."""
    return load_cohort(*EXAMPLE)


def make_cohort(folder, columns: dict, mapping: str = ""):
    """Write a CSV of the columns (ids and arms added if absent) and load it."""
    n = len(next(iter(columns.values())))
    start = {"patient_id": [f"p{i}" for i in range(n)], "arm": (["new", "old"] * n)[:n]}
    rows = zip(*(start | columns).values(), strict=True)
    lines = [",".join(start | columns), *(",".join(map(str, row)) for row in rows)]
    path = folder / "cohort.csv"
    path.write_text("\n".join(lines) + "\n")
    text = mapping or "reference_arm: old"
    (folder / "map.yaml").write_text(text)
    return load_cohort(path, folder / "map.yaml")
