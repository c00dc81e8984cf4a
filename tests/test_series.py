"""The runner: nothing is lost, nothing is left running, and the reader is told in words."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import types
import uuid
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.workshop.cli import main
from helpers.workshop.files import give_ids, read, text_of, write
from helpers.workshop.refresh import difference, normalise, refresh
from helpers.workshop.series import Outcome, longest_first, prepare, run_series, series

REPOSITORY = Path(__file__).resolve().parents[1]


def code(source, *tags):
    return new_code_cell(source, metadata={"tags": list(tags)} if tags else {})


def prose(source, *tags):
    return new_markdown_cell(source, metadata={"tags": list(tags)} if tags else {})


def save(folder, name, *cells):
    """Write a normalised notebook, code given as plain text, and return its path."""
    nb = new_notebook(cells=[code(cell) if isinstance(cell, str) else cell for cell in cells])
    for number, cell in enumerate(nb.cells):
        cell.id = f"cell-{number}"
    path = folder / f"{name}.ipynb"
    folder.mkdir(parents=True, exist_ok=True)
    write(normalise(nb), path)
    return path


def printed(path):
    """What the cells of an executed notebook wrote to stdout."""
    outputs = [output for cell in read(path).cells for output in cell.get("outputs", [])]
    return "".join(output.text for output in outputs if output.output_type == "stream")


# --- which notebooks, and what a cohort leaves out -------------------------------------------


def test_the_series_is_the_numbered_notebooks_in_order(tmp_path):
    for name in ("10_b", "02_a", "90_glossary", "scratch", "1_short", "02_a-checkpoint.txt"):
        (tmp_path / (name if "." in name else f"{name}.ipynb")).touch()
    assert [path.stem for path in series(tmp_path)] == ["02_a", "10_b", "90_glossary"]


def left_out(*cells, columns=(), is_paper=False):
    """The sentences that stand for cells, in order."""
    nb = prepare(new_notebook(cells=list(cells)), columns=set(columns), is_paper=is_paper)
    return [cell.source for cell in nb.cells]


PAPER = "this part concerns the published CAR-T cohort"


def test_cells_whose_columns_are_there_stay():
    cells = [code("a", "needs:ecog"), prose("b", "needs:ecog", "needs:ipi"), code("c")]
    assert left_out(*cells, columns=["ecog", "ipi"]) == ["a", "b", "c"]


def test_a_run_of_unmet_cells_becomes_one_sentence_naming_each_missing_column_once():
    cells = [
        prose("before"),
        prose("a", "needs:ecog"),
        code("b", "needs:ecog", "needs:ipi"),
        code("c", "needs:age"),
        prose("after"),
    ]
    assert left_out(*cells, columns=["arm"]) == [
        "before",
        "*Left out for this cohort: it has no columns `ecog`, `ipi` and `age`.*",
        "after",
    ]
    sentence = "*Left out for this cohort: it has no column `ecog`.*"
    assert left_out(*cells, columns=["ipi", "age"]) == ["before", sentence, "c", "after"]


def test_two_runs_are_two_sentences_also_at_the_ends():
    cells = [code("a", "needs:x"), prose("between"), code("b", "needs:y")]
    first, between, last = left_out(*cells)
    assert ("`x`" in first, between, "`y`" in last) == (True, "between", True)


def test_what_concerns_the_paper_stays_with_the_paper():
    cells = [prose("the paper says", "paper-only"), code("x")]
    assert left_out(*cells, is_paper=True) == ["the paper says", "x"]
    assert left_out(*cells) == [f"*Left out for this cohort: {PAPER}.*", "x"]


def test_a_mixed_run_gives_both_reasons_in_one_sentence():
    cells = [prose("a", "paper-only"), code("b", "needs:ecog")]
    sentence = f"*Left out for this cohort: it has no column `ecog`, and {PAPER}.*"
    assert left_out(*cells) == [sentence]


def test_preparing_changes_no_input_and_gives_the_same_ids_each_time():
    nb = new_notebook(cells=[prose("a"), code("b", "needs:ecog"), code("c", "needs:ecog")])
    before = text_of(nb)
    once, twice = (prepare(nb, columns=set(), is_paper=False) for _ in range(2))
    assert text_of(nb) == before
    assert text_of(once) == text_of(twice)
    assert [cell.id for cell in once.cells] == [nb.cells[0].id, nb.cells[1].id]
    nbformat.validate(once)


# --- files ---------------------------------------------------------------------------------


def executed():
    """A notebook as papermill leaves it."""
    nb = new_notebook(
        cells=[prose("# Título"), code("print(1)"), code("  "), code("2", "versions")]
    )
    nb.metadata.update(
        papermill={"duration": 1.0},
        widgets={"state": {}},
        kernelspec={"name": "conda-env", "display_name": "mine", "language": "python"},
        language_info={"name": "python", "version": "3.11.7"},
    )
    for cell in nb.cells:
        cell.metadata.update(papermill={"duration": 0.1}, execution={"iopub": "now"})
        cell.metadata.setdefault("tags", [])
    nb.cells[1].outputs = [
        new_output("stream", name="stdout", text="a"),
        new_output("stream", name="stdout", text="b\n"),
        new_output("stream", name="stderr", text="c"),
        new_output("stream", name="stdout", text="d"),
    ]
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "f00"}, "text/plain": "Text()"}
    nb.cells[3].outputs = [new_output("execute_result", data=view, execution_count=17)]
    nb.cells[3].execution_count = 17
    nb.cells[3].outputs[0]["transient"] = {"display_id": "x"}
    return nb


def test_normalising_drops_what_differs_by_run_and_machine():
    before = executed()
    nb = normalise(before)
    assert before.metadata.papermill, "the input was changed"
    assert set(nb.metadata) == {"kernelspec", "language_info"}
    assert nb.metadata.language_info == {"name": "python"}
    assert nb.metadata.kernelspec == {
        "name": "python3", "display_name": "Python 3", "language": "python",
    }  # fmt: skip
    assert [dict(cell.metadata) for cell in nb.cells] == [{}, {}, {}, {"tags": ["versions"]}]
    assert [(o.name, o.text) for o in nb.cells[1].outputs] == [
        ("stdout", "ab\n"), ("stderr", "c"), ("stdout", "d"),
    ]  # fmt: skip
    result = nb.cells[3].outputs[0]
    assert (result.execution_count, dict(result.data)) == (2, {"text/plain": "Text()"})
    assert "transient" not in result
    assert [cell.get("execution_count") for cell in nb.cells] == [None, 1, None, 2]
    assert [cell.id for cell in nb.cells] == [cell.id for cell in before.cells]
    nbformat.validate(nb)


def test_normalising_twice_changes_nothing_more():
    once = normalise(executed())
    assert text_of(normalise(once)) == text_of(once)


def test_the_text_of_a_notebook_is_what_jupyter_would_write():
    nb = normalise(executed())
    assert text_of(nb) == nbformat.writes(nb) + "\n"
    assert "Título" in text_of(nb)


def test_missing_and_repeated_ids_are_given_once_and_depend_on_content_only():
    def cells():
        nb = new_notebook(cells=[prose("a"), prose("a"), code("b"), code("c")])
        del nb.cells[0]["id"], nb.cells[1]["id"]
        nb.cells[2].id = nb.cells[3].id = "same"
        nb.nbformat_minor = 4
        give_ids(nb)
        return nb

    ids = [cell.id for cell in cells().cells]
    assert ids == [cell.id for cell in cells().cells]
    assert len(set(ids)) == 4
    assert ids[2] == "same"
    nbformat.validate(cells())


# --- running ---------------------------------------------------------------------------------

PARAMETERS = code("SEED = 1\nCOHORT: str = 'ours'", "parameters")
COHORT_ERROR = """\
class CohortError(ValueError): pass
print("before")
raise CohortError("2 problems:\\n1. os_event: \\x1b[31mfound 2\\x1b[0m\\n2. arm: found 3")"""
RUN = """
import json, os, sys
from dataclasses import asdict
from pathlib import Path
from helpers.workshop.series import run_series, series
folder, progress = Path(sys.argv[1]), json.loads(sys.argv[2])
outcomes = run_series(
    series(folder / "notebooks"), folder / "build" / "notebooks",
    parameters={"SEED": 5, "COHORT": "theirs", "MAP": "unused"},
    columns={"arm"}, is_paper=False, jobs=2, progress=progress,
)
result = {outcome.name: asdict(outcome) for outcome in outcomes}
(folder / "result.json").write_text(json.dumps([os.getcwd(), result], default=str))
"""


def python(script, *args, **options):
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY), **options.pop("env", {})}
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, args)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """One run, in a process of its own, of notebooks that end in every way there is."""
    folder = tmp_path_factory.mktemp("mixed")
    notebooks = folder / "notebooks"
    kill = "import os, subprocess\nsubprocess.Popen(['sleep', '600'])\nos.kill(os.getpid(), 9)"
    save(
        notebooks, "01_fine",
        "import os", PARAMETERS, "print(SEED, COHORT, os.getcwd())",
        prose("gone", "needs:ecog"), code("1 / 0", "needs:ecog"), "print('to the end')",
    )  # fmt: skip
    save(notebooks, "02_factor", "import os", PARAMETERS, prose("-"), "x = 1/0\nx", "print('no')")
    save(notebooks, "03_cohort", "import os", COHORT_ERROR)
    save(notebooks, "04_killed", "import os", "print('alive')", kill, "print('no')")
    save(notebooks, "05_exit", "import sys", "sys.exit()", "print('no')")
    (notebooks / "06_broken.ipynb").write_text("{")
    mark = uuid.uuid4().hex
    process = python(RUN, folder, "true", cwd=folder, env={"SERIES_TEST": mark})
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    where, outcomes = json.loads((folder / "result.json").read_text())
    return types.SimpleNamespace(
        folder=folder, stdout=stdout, stderr=stderr, where=where, outcomes=outcomes,
        left=marked(mark), out=folder / "build" / "notebooks",
    )  # fmt: skip


def marked(mark):
    """Processes that inherited a mark in their environment and are still alive."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("SERIES_TEST") == mark and process.status() != "zombie":
                found.append(process)
        except psutil.Error:
            pass
    return found


def test_all_notebooks_are_reported_in_order_whatever_became_of_the_others(mixed):
    assert {name: outcome["ok"] for name, outcome in mixed.outcomes.items()} == {
        "01_fine": True, "02_factor": False, "03_cohort": False,
        "04_killed": False, "05_exit": False, "06_broken": False,
    }  # fmt: skip
    assert list(mixed.outcomes) == sorted(mixed.outcomes)
    assert len(mixed.stdout.splitlines()) == 6 + 2, "a line each, and two of the cohort message"


def test_only_known_parameters_are_injected_and_the_kernel_works_in_the_notebooks_folder(mixed):
    text = printed(mixed.out / "01_fine.ipynb")
    assert text == f"5 theirs {mixed.folder / 'notebooks'}\nto the end\n"
    assert "MAP" not in (mixed.out / "01_fine.ipynb").read_text()
    assert mixed.where == str(mixed.folder), "the runner itself does not move"


def test_left_out_cells_are_not_executed(mixed):
    sources = [cell.source for cell in read(mixed.out / "01_fine.ipynb").cells]
    assert "*Left out for this cohort: it has no column `ecog`.*" in sources
    assert "1 / 0" not in sources


def test_a_finished_line_tells_where_the_time_went(mixed):
    line = next(line for line in mixed.stdout.splitlines() if line.startswith("01_fine"))
    assert line.endswith(")  ok")
    assert " s  (kernel " in line
    outcome = mixed.outcomes["01_fine"]
    parts = [outcome[f"{part}_seconds"] for part in ("kernel", "import", "work")]
    assert outcome["seconds"] == pytest.approx(sum(parts))
    assert min(parts) > 0


def test_a_failure_names_the_cell_as_the_source_counts_it(mixed):
    outcome = mixed.outcomes["02_factor"]
    assert outcome["failed_cell"] == [3, "x = 1/0"]
    line = "02_factor  FAILED in code cell 3 (`x = 1/0`): ZeroDivisionError: division by zero"
    assert line in mixed.stdout.splitlines()
    partial = read(mixed.out / "02_factor.ipynb")
    errors = [o for cell in partial.cells for o in cell.get("outputs", []) if "ename" in o]
    assert [error.ename for error in errors] == ["ZeroDivisionError"]
    assert "no" not in printed(mixed.out / "02_factor.ipynb")


def test_a_message_of_several_lines_is_shown_whole_without_colours(mixed):
    lines = mixed.stdout.splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith("03_cohort"))
    assert lines[first].endswith(
        "(`class CohortError(ValueError): pass`): CohortError: 2 problems:"
    )
    assert lines[first + 1 : first + 3] == ["    1. os_event: found 2", "    2. arm: found 3"]


def test_a_killed_kernel_is_told_in_words_with_its_cell(mixed):
    outcome = mixed.outcomes["04_killed"]
    assert (outcome["failed_cell"][0], outcome["error"]) == (3, "the kernel died")
    assert printed(mixed.out / "04_killed.ipynb") == "alive\n"
    assert "the kernel died" in (mixed.out / "04_killed.ipynb").read_text()


def test_what_a_killed_kernel_started_ends_with_it(mixed):
    assert mixed.left == []


def test_leaving_by_sys_exit_is_a_failure(mixed):
    assert mixed.outcomes["05_exit"]["failed_cell"][0] == 2


def test_a_file_that_is_no_notebook_is_a_failure_like_any_other(mixed):
    assert "not a version 4 notebook" in mixed.outcomes["06_broken"]["error"]


def test_no_traceback_log_or_bar_reaches_the_terminal(mixed):
    assert mixed.stderr == ""
    assert "\x1b" not in mixed.stdout
    assert "Traceback" not in mixed.stdout


def test_timings_are_written_beside_the_notebooks(mixed):
    with (mixed.folder / "build" / "timings.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == list(mixed.outcomes)
    assert list(rows[0]) == [
        "name", "ok", "seconds", "kernel_seconds", "import_seconds", "work_seconds",
    ]  # fmt: skip
    assert rows[0]["ok"] == "True"
    assert float(rows[0]["seconds"]) == pytest.approx(
        mixed.outcomes["01_fine"]["seconds"], abs=1e-3
    )


def test_executed_notebooks_are_valid_and_carry_their_source_once(mixed):
    for path in mixed.out.glob("*.ipynb"):
        nbformat.validate(read(path))
        assert path.read_text().count("import") < 4


def test_a_bar_is_drawn_when_asked_for_and_signal_handlers_are_given_back(tmp_path, capfd):
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    path = save(tmp_path / "notebooks", "01_a", "1")
    outcomes = run_series(
        [path], tmp_path / "build" / "notebooks",
        parameters={}, columns=(), is_paper=True, progress="bar",
    )  # fmt: skip
    out, err = capfd.readouterr()
    assert outcomes[0].path == tmp_path / "build" / "notebooks" / "01_a.ipynb"
    assert out.startswith("01_a ")
    assert "notebook" in err
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


def test_what_took_longest_last_time_starts_first_and_the_unknown_before(tmp_path):
    names = ["01_a", "02_b", "03_c", "04_new"]
    timings = tmp_path / "timings.csv"
    paths = [Path(f"{name}.ipynb") for name in names]
    assert longest_first(paths, timings) == paths
    timings.write_text("name,seconds\n01_a,1.5\n02_b,10\n03_c,9\n")
    assert [path.stem for path in longest_first(paths, timings)] == [
        "04_new", "02_b", "03_c", "01_a",
    ]  # fmt: skip
    timings.write_text("name,seconds\n01_a\n")
    assert longest_first(paths, timings) == paths


def test_a_very_long_message_is_cut():
    text = "\n".join(map(str, range(100)))
    lines = Outcome("01_a", ok=False, error="E: 0", detail=text).line().splitlines()
    assert len(lines) == 32
    assert lines[-1].strip() == "... and 69 lines more"


# --- the command line, with a small repository in the place of ours ---------------------------

STANDIN = """
import signal, sys, types
from pathlib import Path
from helpers.workshop import cli as command

def standin(root):
    class CohortError(ValueError): pass
    class Cohort:
        def __init__(self, path):
            columns = Path(path).read_text().split(",")
            if "arm" not in columns:
                raise CohortError("1 problem:\\n1. arm: found nothing. To do: add it.")
            self.frame = types.SimpleNamespace(columns=columns)
            self.name = self.slug = Path(path).stem
            self.is_paper = self.slug == "ours"
            self.status_line, self.caution = f"{self.name}: private data", "Careful."
            self.source = lambda: self.status_line + "."
            self.remarks, self.endpoints = [], {}
            self.factors, self.mask_below = [], 5
    def build_editions(notebooks, out, *, title, status, caution, chosen):
        if "unbuildable" in status:
            raise ValueError("a link leads nowhere")
        for name in chosen:
            (out / name).mkdir(parents=True, exist_ok=True)
            (out / name / "index.html").write_text(title)
        return {name: out / name / "index.html" for name in chosen}
    cohort = types.ModuleType("helpers.cohort")
    cohort.__dict__.update(
        ROOT=root, PAPER_COHORT="ours.csv", CohortError=CohortError,
        resolve=lambda path: root / path,
        load_cohort=lambda path=None, map_path=None, **_: Cohort(
            root / (path or cohort.PAPER_COHORT)
        ),
    )
    editions = types.ModuleType("helpers.workshop.editions")
    editions.build_editions = build_editions
    return {"helpers.cohort": cohort, "helpers.workshop.editions": editions}
"""
INTERRUPTED = f"""{STANDIN}
# A shell that starts this in the background would have it ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.modules.update(standin(Path(sys.argv[1])))
sys.exit(command.main(["run", "--jobs", "2"]))
"""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with two quick notebooks; `main` works on it."""
    scope = {}
    exec(STANDIN, scope)
    for name, module in scope["standin"](tmp_path).items():
        monkeypatch.setitem(sys.modules, name, module)
    (tmp_path / "ours.csv").write_text("arm,ecog")
    cells = ["import os", code("COHORT = 'ours.csv'\nMAP = 'ours.yaml'", "parameters")]
    save(tmp_path / "notebooks", "01_first", *cells, "print(COHORT, MAP)")
    save(tmp_path / "notebooks", "02_second", *cells, code("print('ecog')", "needs:ecog"))
    return tmp_path


def test_a_run_fills_build_removes_what_is_no_longer_in_the_series_and_builds_the_book(
    repository, capfd
):
    build = repository / "build"
    old = save(build / "notebooks", "07_removed", "1")
    assert main(["run"]) == 0
    assert not old.exists()
    assert printed(build / "notebooks" / "01_first.ipynb") == "ours.csv ours.yaml\n"
    out, err = capfd.readouterr()
    assert f"Book: {build / 'book' / 'index.html'}" in out
    assert "Notebooks: 2, all ok" in out
    assert err == ""


def test_another_cohort_goes_to_a_folder_of_its_own_with_absolute_parameters(repository, capfd):
    (repository / "theirs.csv").write_text("arm")
    assert main(["run", "--cohort", "theirs.csv"]) == 0
    build = repository / "build" / "theirs"
    # Without --map the notebooks' own mapping must not be applied to another file.
    assert printed(build / "notebooks" / "01_first.ipynb") == f"{repository / 'theirs.csv'} \n"
    assert "ecog`" in (build / "notebooks" / "02_second.ipynb").read_text()
    assert (build / "book" / "index.html").read_text() == "theirs"
    assert not (repository / "build" / "notebooks").exists()


@pytest.mark.parametrize("asked", ["02", "2", "02_sec", "notebooks/02_second.ipynb"])
def test_only_runs_one_and_builds_no_book(repository, capfd, monkeypatch, asked):
    ran = []
    monkeypatch.setattr(
        "helpers.workshop.series.run_series", lambda paths, *_, **__: ran.extend(paths) or []
    )
    kept = save(repository / "build" / "notebooks", "01_first", "1")
    assert main(["run", "--only", asked]) == 0
    assert [path.stem for path in ran] == ["02_second"]
    assert kept.exists()
    assert not (repository / "build" / "book").exists()


@pytest.mark.parametrize("asked", ["03", "0", "third"])
def test_an_unknown_or_ambiguous_notebook_is_refused_naming_those_there_are(
    repository, capfd, asked
):
    assert main(["run", "--only", asked]) == 2
    out, err = capfd.readouterr()
    assert "01_first" in err
    assert "02_second" in err
    assert out == ""


def test_a_bad_cohort_is_refused_before_any_notebook_runs(repository, capfd):
    (repository / "bad.csv").write_text("x")
    assert main(["run", "--cohort", "bad.csv"]) == 2
    assert main(["run", "--cohort", "absent.csv"]) == 2
    assert main(["run", "--map", "alone.yaml"]) == 2
    out, err = capfd.readouterr()
    assert err.startswith("1 problem:\n1. arm: found nothing. To do: add it.\n")
    assert (out, "Traceback" in err) == ("", False)
    assert not (repository / "build").exists()


@pytest.mark.parametrize("words", [[], ["rum"], ["run", "--jobs", "0"], ["book", "extra"]])
def test_bad_usage_exits_with_two(words, capfd):
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2


def test_help_loads_nothing_heavy():
    process = python(
        "import sys; from helpers.workshop.cli import parser; parser().format_help();"
        "print([name for name in ('pandas', 'papermill', 'lifelines') if name in sys.modules])"
    )
    assert process.communicate(timeout=60)[0] == "[]\n"


def test_a_failing_notebook_makes_the_run_fail_but_not_the_book(repository, capfd):
    save(repository / "notebooks", "01_first", "import os", "1 / 0")
    assert main(["run"]) == 1
    out, _ = capfd.readouterr()
    assert "Notebooks: 2, 1 of 2 failed" in out
    assert (repository / "build" / "book" / "index.html").exists()


def test_the_book_runs_what_was_never_run_and_builds_every_edition(repository, capfd):
    assert main(["book"]) == 0
    build = repository / "build"
    out, err = capfd.readouterr()
    assert "01_first" in out and "02_second" in out and err == ""
    for name in ("book", "student", "instructor", "slides"):
        assert str(build / name / "index.html") in out
    assert main(["book"]) == 0
    assert "01_first" not in capfd.readouterr().out, "nothing has changed"
    (repository / "build" / "notebooks" / "02_second.ipynb").unlink()
    assert main(["book"]) == 0
    assert "02_second" in capfd.readouterr().out, "it was not executed"


def test_the_book_runs_again_when_anything_that_its_results_rest_on_has_changed(
    repository, capfd, monkeypatch
):
    """By content: a file touched, or rewritten as it was, changes no result."""
    files = ["helpers/survival.py", "data/codebook.csv", "theirs.csv", "theirs.yaml"]
    for name in files:
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).write_text("arm,ecog")
    files.append("notebooks/01_first.ipynb")
    asked = ["book", "--cohort", "theirs.csv", "--map", "theirs.yaml"]

    def runs():
        assert main(asked) == 0
        return "01_first" in capfd.readouterr().out

    assert runs() and not runs()
    for path in (repository / name for name in files):
        kept, times = path.read_bytes(), path.stat()
        path.write_bytes(kept + b"\n")
        os.utime(path, (0, 0))
        assert runs(), f"{path.name} changed, though its time says that it is old"
        assert not runs()
        path.write_bytes(kept)
        assert runs(), "it is what it was before, but the pages are not"
        os.utime(path, (times.st_mtime + 60,) * 2)
        assert not runs(), "touched"
    (repository / "helpers" / "__pycache__").mkdir()
    (repository / "helpers" / "__pycache__" / "survival.pyc").write_text("compiled")
    assert not runs()
    (repository / "helpers" / "new.py").write_text("")
    assert runs()


def test_the_book_does_not_show_one_page_of_another_question(repository, capfd, monkeypatch):
    assert main(["run"]) == 0
    assert main(["run", "--only", "2"]) == 0
    capfd.readouterr()
    assert main(["book"]) == 0
    assert "01_first" not in capfd.readouterr().out, "one page, executed as the others were"
    view = types.SimpleNamespace(text=lambda: "{endpoint: pfs}")
    monkeypatch.setattr("helpers.workshop.cli.view_text", lambda file: view)
    assert main(["run", "--only", "2", "--view", "v.yaml"]) == 0
    assert main(["book"]) == 0
    assert "01_first" in capfd.readouterr().out


def test_the_editions_fail_when_a_notebook_fails_or_one_cannot_be_built(repository, capfd):
    save(repository / "notebooks", "01_first", "import os", "1 / 0")
    assert main(["book"]) == 1
    assert (repository / "build" / "slides" / "index.html").exists()
    (repository / "ours.csv").rename(repository / "unbuildable.csv")
    sys.modules["helpers.cohort"].PAPER_COHORT = "unbuildable.csv"
    capfd.readouterr()
    assert main(["book"]) == 1
    assert capfd.readouterr().err == "The book could not be built: a link leads nowhere\n"


# --- interruption ----------------------------------------------------------------------------


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def interrupted(root, when, send):
    """Run notebooks, two at once, and interrupt: the exit code, what was said, what is left."""
    mark = uuid.uuid4().hex
    process = python(INTERRUPTED, root, env={"SERIES_TEST": mark}, start_new_session=True)
    try:
        wait_for(lambda: when(process))
        start = time.monotonic()
        send(process.pid)
        stdout, stderr = process.communicate(timeout=20)
        seconds = time.monotonic() - start
        left = marked(mark)
    finally:
        for each in [process, *marked(mark)]:
            each.kill()
    return types.SimpleNamespace(
        code=process.returncode, stdout=stdout, stderr=stderr, seconds=seconds, left=left
    )


def ctrl_c_twice(pid):
    """A terminal signals the whole group; the second time falls into the ending."""
    os.killpg(pid, signal.SIGINT)
    time.sleep(0.1)
    os.killpg(pid, signal.SIGINT)


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as POSIX has them")
@pytest.mark.parametrize(
    "send",
    [
        pytest.param(lambda pid: os.kill(pid, signal.SIGINT), id="SIGINT to the runner alone"),
        pytest.param(ctrl_c_twice, id="Ctrl-C in a terminal, impatiently"),
        pytest.param(lambda pid: os.kill(pid, signal.SIGTERM), id="SIGTERM"),
    ],
)
def test_an_interrupted_run_ends_at_once_and_keeps_what_there_is(tmp_path, send):
    (tmp_path / "ours.csv").write_text("arm")
    slow = (
        "import pathlib, subprocess, time\n"
        "print('partial', flush=True)\n"
        "subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "pathlib.Path('running').touch()\n"
        "time.sleep(600)"
    )
    deaf = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n" + slow
    save(tmp_path / "notebooks", "01_quick", "1")
    save(tmp_path / "notebooks", "02_slow", "import os", deaf, "print('no')")
    save(tmp_path / "notebooks", "03_slow", "import os", slow.replace("running", "also"))
    save(tmp_path / "notebooks", "04_waiting", "1")
    out = tmp_path / "build" / "notebooks"
    save(out, "04_waiting", "'of an earlier run'")

    ended = interrupted(
        tmp_path,
        lambda _: (
            (out / "01_quick.ipynb").exists()
            and (tmp_path / "notebooks" / "running").exists()
            and (tmp_path / "notebooks" / "also").exists()
        ),
        send,
    )
    assert ended.code == 130
    assert ended.stderr == "Interrupted: 1 of 4 notebooks finished.\n"
    assert ended.seconds < 5
    assert ended.left == []
    for name in ("02_slow", "03_slow"):
        partial = read(out / f"{name}.ipynb")
        nbformat.validate(partial)
        assert [o.get("evalue") for o in partial.cells[1].outputs][-1] == "interrupted"
    assert not (out / "04_waiting.ipynb").exists()
    assert (tmp_path / "build" / "timings.csv").read_text().count("\n") == 2
    assert "FAILED" not in ended.stdout
    assert not (tmp_path / "build" / "book").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as POSIX has them")
def test_an_interruption_while_kernels_start_leaves_none(tmp_path):
    (tmp_path / "ours.csv").write_text("arm")
    for number in range(3):
        save(tmp_path / "notebooks", f"0{number}_slow", "import time", "time.sleep(600)")
    ended = interrupted(
        tmp_path,
        lambda process: psutil.Process(process.pid).children(),
        lambda pid: os.kill(pid, signal.SIGINT),
    )
    assert (ended.code, ended.left) == (130, [])
    assert ended.stderr == "Interrupted: 0 of 3 notebooks finished.\n"
    assert ended.seconds < 5


# --- refreshing ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory):
    """A folder with two notebooks, one of them different each time, that were refreshed once."""
    folder = tmp_path_factory.mktemp("refreshed")
    save(
        folder, "01_first",
        "import os", code("SEED = 1", "parameters"), "print(SEED)\nprint(SEED + 1)", "SEED",
        code("print(os.urandom(8))", "versions"),
    )  # fmt: skip
    save(folder, "02_second", "import os", "print('é', os.path.basename(os.getcwd())[:0])")
    assert [change.reason for change in refresh(series(folder))] == [
        "cell 3: output differs", "cell 2: output differs",
    ]  # fmt: skip
    return folder


@pytest.fixture
def committed(refreshed, tmp_path):
    """Copies of the two, for a test to change."""
    return [Path(shutil.copy(path, tmp_path)) for path in series(refreshed)]


def test_a_refreshed_notebook_is_current_and_checking_writes_nothing(committed):
    before = [path.read_bytes() for path in committed]
    assert refresh(committed, check=True) == []
    assert [path.read_bytes() for path in committed] == before
    assert printed(committed[0]).startswith("1\n2\n")
    assert read(committed[0]).metadata.language_info == {"name": "python"}
    assert not list(committed[0].parent.glob(".0*"))


def test_refreshing_twice_gives_the_same_bytes(committed):
    _, second = committed
    before = second.read_bytes()
    assert refresh([second]) == []
    assert second.read_bytes() == before
    nb = read(second)
    write(nb, second)
    assert second.read_bytes() == before


def edit(path, change):
    nb = nbformat.v4.reads(path.read_text())
    change(nb)
    path.write_text(text_of(nb))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda nb: nb.cells[2].update(source="print(3)"), "cell 3: source differs"),
        (lambda nb: nb.cells[2].outputs[0].update(text="2\n"), "cell 3: output differs"),
        (lambda nb: nb.cells[3].update(execution_count=9), "cell 4: output differs"),
        (lambda nb: nb.cells[0].metadata.update(execution={}), "cell 1: metadata differs"),
        (lambda nb: nb.cells[2].pop("id"), "cell 3: metadata differs"),
        (lambda nb: nb.cells.pop(), "4 cells, not 5"),
        (lambda nb: nb.metadata.update(widgets={}), "notebook metadata differs"),
        (lambda nb: None, "layout of the file differs"),
    ],
)
def test_where_two_notebooks_first_differ_is_told(committed, change, reason):
    old, new = (nbformat.v4.reads(committed[0].read_text()) for _ in range(2))
    change(old)
    assert difference(old, new) == reason


def test_a_check_tells_a_changed_output_from_another_layout(committed):
    first, second = committed
    edit(first, lambda nb: nb.cells[2].update(source="print(3)"))
    second.write_text(json.dumps(json.loads(second.read_text()), indent=2))
    before = [path.read_bytes() for path in committed]
    assert [(change.name, change.reason) for change in refresh(committed, check=True)] == [
        ("01_first", "cell 3: output differs"), ("02_second", "layout of the file differs"),
    ]  # fmt: skip
    assert [path.read_bytes() for path in committed] == before


def test_a_notebook_that_fails_is_left_as_it_was(committed):
    first, second = committed
    edit(first, lambda nb: nb.cells[1].update(source="SEED = 1 / 0"))
    edit(second, lambda nb: nb.cells[1].update(source="print(4)"))
    before = first.read_bytes()
    failed, rewritten = refresh(committed)
    assert failed.failed
    assert failed.reason == (
        "01_first  FAILED in code cell 2 (`SEED = 1 / 0`): ZeroDivisionError: division by zero"
    )
    assert first.read_bytes() == before
    assert (rewritten.name, rewritten.failed) == ("02_second", False)
    assert printed(second) == "4\n"


def test_the_refresh_verb_fails_only_when_something_is_wrong(repository, capfd):
    assert main(["refresh"]) == 0
    assert "01_first  cell 3: output differs" in capfd.readouterr().out
    assert main(["refresh", "--check"]) == 0
    assert "0 not current, 0 failed" in capfd.readouterr().out
    save(repository / "notebooks", "01_first", "1")
    (repository / "notebooks" / "02_second.ipynb").unlink()
    assert main(["refresh", "--check"]) == 1
    save(repository / "notebooks", "01_first", "1 / 0")
    assert main(["refresh"]) == 1
