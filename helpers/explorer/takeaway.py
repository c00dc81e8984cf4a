"""What a reader takes away: one zip with figure, tables, View, mapping, methods text and code.

Small counts are masked as in every export; where masking is on, what shows single patients stays
out.
"""

import io
import tempfile
import zipfile
from pathlib import Path

import pandas as pd

from helpers.estimators.subgroups import ARMS
from helpers.explorer.honesty import NAMES, read_looks
from helpers.export import export, methods
from helpers.loading.cells import write_csv
from helpers.loading.names import folder_name

STAMP = (2024, 6, 25, 0, 0, 0)  # of files in the zip: the same answer is the same file
CITED = (
    "References: Schoenfeld 1983, doi 10.2307/2531021 (power); Brookes et al. 2004, doi "
    "10.1016/j.jclinepi.2003.08.009 (power of interactions); Dixon and Simon 1991, doi "
    "10.2307/2532645 (shrinkage); Westfall and Young 1993, Resampling-Based Multiple Testing "
    "(permutation); Efron 1977, doi 10.1080/01621459.1977.10480613 (ties); Brookmeyer and Crowley "
    "1982, doi 10.2307/2530286 (medians)."
)


def packed(page) -> tuple[str, str, bytes]:
    """Name, media type and bytes of the zip of what a page shows.

    Raises
    ------
    ValueError
        The page has no answer.
    """
    if page.answer is None:
        raise ValueError("there is no answer to take away")
    with tempfile.TemporaryDirectory() as folder:
        write(page, Path(folder))
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(Path(folder).iterdir()):
                about = zipfile.ZipInfo(path.name, STAMP)
                about.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(about, path.read_bytes())
    name = folder_name(f"explorer_{page.cohort.slug}_{page.answer.view.endpoint}")
    return f"{name}.zip", "application/zip", buffer.getvalue()


def write(page, folder: Path) -> None:
    """Write the files of the zip."""
    answer, cohort = page.answer, page.cohort
    export(answer, folder, display=page.controls.display)
    (folder / "methods.txt").write_text(explored_methods(page) + "\n", encoding="utf-8")
    (folder / "code.py").write_text(code(page), encoding="utf-8")
    (folder / "README.txt").write_text(readme(page), encoding="utf-8")
    if page.mapping:
        (folder / "mapping.yaml").write_text(page.mapping, encoding="utf-8")
    if page.forest.open:
        table = masked_forest(page.forest.table(), cohort.mask_below)
        source = cohort.source(*table["column"].unique())
        write_csv(table.assign(data_status=source), folder / "forest.csv")
    if not cohort.mask_below:
        says = pd.DataFrame(page.cautions(), columns=["about", "says"])
        write_csv(says.assign(data_status=answer.source), folder / "caution.csv")


def masked_forest(table: pd.DataFrame, below: int) -> pd.DataFrame:
    """The forest as it may leave: with masking, without counts, and without a split that has a
    small group on either side, for a side is what the other leaves of the whole."""
    table = table.drop(columns=["where"])
    if not below:
        return table
    small = ((table[ARMS] > 0) & (table[ARMS] < below)).any(axis=1) | table[ARMS].isna().any(axis=1)
    bad = table.loc[small, "column"].unique()  # every level of the column: they add up to the whole
    numbers = ["estimate", "conf_low", "conf_high", "p_value", "interaction", "interaction_p"]
    kept = ["column", "label", "level", "contrast", *numbers, "scale", "method"]
    shown = table.loc[~table["column"].isin(bad), kept]
    return shown.assign(**shown[numbers].round(2))


def explored_methods(page) -> str:
    """The methods paragraph, with how often one looked and what chance would have shown."""
    answer = page.answer
    parts = [
        methods(answer),
        "This subgroup was looked at in an explorer." if answer.view.where else
        "This comparison was looked at in an explorer.",
        read_looks(answer, len(page.looks)),
    ]  # fmt: skip
    for chance in page.chances.of(answer):
        if chance.maxima.size:
            parts.append(
                f"The null by {NAMES[chance.kind]} is the largest interaction of the "
                f"{chance.offered} splits on offer in {len(chance.maxima):,} data sets "
                f"(seed {page.seed})."
            )
    return " ".join([*parts, CITED])


def code(page) -> str:
    """The lines of Python that give the same answer."""
    given = ", ".join(repr(name) for name in page.files if name)
    given = given or "'YOUR FILE', 'YOUR MAPPING'"  # the page was not told where it is from
    return (
        f"# {page.cohort.status_line}. {page.cohort.caution}\n"
        "from helpers import View, analyse, load_cohort\n\n"
        f"cohort = load_cohort({given})\n"
        f"view = View.read({page.answer.view.text()!r})\n"
        'answer = analyse(cohort, view, engine="fast")\n'
        'print(answer.model[["model", "term", "estimate", "conf_low", "conf_high", "p_value"]])\n'
    )


def readme(page) -> str:
    answer = page.answer
    masking = (
        f"Counts below {page.cohort.mask_below} are masked; figures, which show single patients, "
        "and the texts that count them are left out. "
        if page.cohort.mask_below else ""
    )  # fmt: skip
    return (
        f"{answer.source} {page.cohort.caution}\n\n{masking}"
        "view.json is the question: 'python -m helpers view view.json' answers it again. "
        "Tables are unrounded, times in days; curves.csv is the data behind the figure.\n"
    )
