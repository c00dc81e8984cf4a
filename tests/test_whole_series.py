"""The committed series is current, and runs on the cohorts a reader may bring."""

import json
import random
import subprocess
import sys

import pytest
from cohorts import EXAMPLE, german

from helpers.cohort import ROOT, load_cohort
from helpers.conventions import ONE_OF_MANY
from helpers.workshop.book import build_book
from helpers.workshop.refresh import refresh
from helpers.workshop.series import run_series, series

NOTEBOOKS = series(ROOT / "notebooks")
# About the literature, whatever the cohort: the published study is two of its rows.
LITERATURE = "08_salvage_options"


def run_on(cohort, out, parameters=None):
    return run_series(
        NOTEBOOKS, out / "notebooks", parameters=parameters or {},
        columns=set(cohort.frame.columns), is_paper=cohort.is_paper, progress=False,
    )  # fmt: skip


def shown(folder, pages=None):
    """All that a reader of the executed notebooks sees, as text; all but the page of literature."""
    texts = []
    for path in pages or sorted(set(folder.glob("*.ipynb")) - {folder / f"{LITERATURE}.ipynb"}):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            texts.append("".join(cell["source"]) if cell["cell_type"] == "markdown" else "")
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                texts += ["".join(data.get(kind, "")) for kind in ("text/plain", "text/html")]
                texts.append("".join(data.get("text/markdown", "")))
    return "\n".join(texts)


def test_the_committed_notebooks_are_what_the_code_produces():
    assert refresh(NOTEBOOKS, check=True) == []


def assert_nothing_of_the_paper(text):
    """Neither its arms nor its numbers, nor the marks of rows that were built to meet them."""
    for words in (
        "CD20 CAR-T",
        "non-CAR-T",
        "18.54",
        "8.15 months",
        "15/54",
        "3/38",
        "0.16-0.51",
        "0.28 (0.16",
        ONE_OF_MANY,
    ):
        assert words not in text, "the paper on another cohort"


def assert_literature_alone(folder):
    """On another cohort the page of literature shows neither that cohort nor marks the study."""
    text = shown(folder, [folder / f"{LITERATURE}.ipynb"])
    assert "this part concerns the published CAR-T cohort" in text
    assert "published aggregate outcomes" in text and ONE_OF_MANY not in text
    for words in ("Where the CD20 arm sits", "are coloured", "18.54", "0.28 (0.16", "0.46 (0.27"):
        assert words not in text, words


def test_the_series_runs_on_the_real_example_cohort(tmp_path):
    parameters = {"COHORT": str(ROOT / EXAMPLE[0]), "MAP": str(ROOT / EXAMPLE[1])}
    outcomes = run_on(german(), tmp_path, parameters)
    assert all(outcome.ok for outcome in outcomes), [o.error for o in outcomes]
    text = shown(tmp_path / "notebooks")
    assert_nothing_of_the_paper(text)
    assert "German Breast Cancer Study: real, published data" in text and "invented:" not in text
    assert "this part concerns the published CAR-T cohort" in text
    assert_literature_alone(tmp_path / "notebooks")


MINIMAL = [
    # name, patients, longest time in days, share with an event
    ("nine patients", 9, 200, 0.6),
    ("no event in any arm", 12, 900, 0.0),
    ("one patient an arm", 2, 400, 1.0),
]


@pytest.mark.parametrize(("name", "n", "longest", "share"), MINIMAL, ids=[m[0] for m in MINIMAL])
def test_the_series_runs_on_a_cohort_with_only_id_arm_and_one_endpoint(
    tmp_path, name, n, longest, share
):
    rng = random.Random(n)
    rows = [
        f"secret{i},{'AB'[i % 2]},{rng.randint(1, longest)},{int(rng.random() < share)}"
        for i in range(n)
    ]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["patient_id,arm,pfs_time,pfs_event", *rows]) + "\n")
    cohort = load_cohort(path)
    outcomes = run_on(cohort, tmp_path, {"COHORT": str(path), "MAP": ""})
    assert all(outcome.ok for outcome in outcomes), [o.error for o in outcomes]
    text = shown(tmp_path / "notebooks")
    assert "secret" not in text
    assert " nan" not in text.lower()
    assert "rogression-free survival" in text
    # An endpoint that is not there is named by the real example of page 11 alone, which has both.
    named = [line for line in text.splitlines() if "verall survival" in line]
    assert all("ecurrence-free survival" in line for line in named), named
    assert_nothing_of_the_paper(text)
    assert_literature_alone(tmp_path / "notebooks")
    book = build_book(tmp_path / "notebooks", tmp_path / "book", title=name, status="mine")
    assert book.is_file()


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "helpers", *arguments], capture_output=True, text=True, check=False
    )


def test_a_view_file_is_answered_on_the_command_line_and_a_bad_one_refused(tmp_path):
    example = ["--cohort", EXAMPLE[0], "--map", EXAMPLE[1]]
    good = run("view", "data/examples/view.yaml", *example)
    assert good.returncode == 0, good.stderr
    assert "log-rank" in good.stdout and "survival.png" in good.stdout
    bad = tmp_path / "bad.yaml"
    bad.write_text("{endpoint: rfs}")
    for arguments in (("view", str(bad)), ("view", "no/such/view.yaml")):
        refused = run(*arguments)
        assert refused.returncode == 2
        assert "Traceback" not in refused.stderr and len(refused.stderr.splitlines()) == 1


def test_a_bad_cohort_is_refused_in_words_before_anything_runs(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("patient_id,arm,os_time,os_event\n1,A,-3,1\n2,B,5,2\n")
    refused = run("run", "--cohort", str(path))
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    assert "os_time, row 2: found -3" in refused.stderr
