"""One list of packages, small files, one direction of imports, clean code."""

import ast
import re
import subprocess
import sys
import tomllib

import yaml

from helpers.cohort import ROOT

MODULES = sorted((ROOT / "helpers").glob("*.py"))
EVERY_MODULE = sorted((ROOT / "helpers").rglob("*.py"))


def requirements():
    text = (ROOT / "requirements.txt").read_text()
    return [line.split("#")[0].strip() for line in text.splitlines() if line.split("#")[0].strip()]


def test_every_direct_dependency_is_pinned_exactly():
    *pins, last = requirements()
    assert last == "-e ."
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", pin) for pin in pins)


def test_conda_installs_the_same_list():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    pip = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert pip == ["-r requirements.txt"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "dependencies" not in project


def test_every_import_is_in_the_list():
    known = {re.split("==", pin)[0].lower() for pin in requirements()}
    known = {name.replace("_", "-") for name in known} | {"yaml", "pil", "docx", "markdown-it"}
    tests = list((ROOT / "tests").rglob("*.py"))
    local = {"helpers", *(path.stem for path in tests)}
    for path in [*EVERY_MODULE, *tests]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for name in (name.split(".")[0].lower() for name in names):
                ours = name in local or name in sys.stdlib_module_names
                late = "bench" in path.parts or path.name == "make_data.py"
                assert ours or late or name.replace("_", "-") in known, f"{path}: {name}"


def test_the_shared_module_stays_small():
    lengths = {path.name: len(path.read_text().splitlines()) for path in MODULES}
    # What a notebook may import. How a file is read, a likelihood maximised and the print judged
    # stand in folders of their own, as the workshop does.
    assert len(MODULES) <= 16
    assert sum(lengths.values()) <= 3100
    for path in EVERY_MODULE:
        assert len(path.read_text().splitlines()) <= 352, path


def test_imports_flow_in_one_direction():
    """Data, View, analysis, words, pictures: nothing imports what comes after it."""
    order = [
        "conventions", "sums", "labels", "loading", "cohort", "view", "selection", "fit",
        "survival", "regression", "estimators", "simulate", "analysis", "whose", "paper",
        "rebuild", "words", "sentences", "plots", "pages", "export", "notebook", "explorer",
        "workshop", "__main__",
    ]  # fmt: skip
    for path in EVERY_MODULE:
        own = path.relative_to(ROOT / "helpers").parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        for name in re.findall(r"^\s*from helpers\.(\w+)", path.read_text(), re.M):
            assert order.index(name) <= order.index(own), f"{own} imports {name}"


def test_helpers_imports_from_any_folder(tmp_path):
    code = "import helpers; print(len(helpers.load_cohort().frame))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "93"


def test_every_name_that_helpers_offers_exists_and_they_are_few():
    import helpers

    assert len(helpers.__all__) <= 30
    for name in helpers.__all__:
        assert callable(getattr(helpers, name)), name


def test_code_and_notebooks_pass_ruff():
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, str(ROOT)], capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_names_a_machine():
    done = subprocess.run(
        ["git", "grep", "-nIE", "/(ho" + "me|ro" + "ot|wo" + "rk)/", "--", "."],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not done.stdout, done.stdout
