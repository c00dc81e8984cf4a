"""Whatever a cohort is called, its results have a folder of their own on any system."""

import importlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.cohort import BUILD_NAMES, ROOT
from helpers.loading.names import LONGEST, folder_name, visible
from helpers.workshop.editions import build_editions

DEVICES = ["CON", "prn", "AUX", "nul", "NUL.txt", "com1", "LPT9", "com¹", "con.tar.gz"]


@pytest.mark.parametrize(
    ("name", "folder"),
    [("mine", "mine"), ("German Breast Cancer Study", "german_breast_cancer_study"),
     ("Our centre 2018-2024", "our_centre_2018-2024"), ("v1.2", "v1.2"), ("Köln", "köln")],
)  # fmt: skip
def test_an_ordinary_name_is_read_off_its_folder(name, folder):
    assert folder_name(name) == folder


NAMES = st.one_of(
    st.text(max_size=12), st.text(min_size=60, max_size=400), st.sampled_from([*DEVICES, *".-_ "]),
    st.sampled_from(sorted(BUILD_NAMES)).map(str.upper),
)  # fmt: skip


@given(NAMES)
def test_any_name_is_a_folder_on_any_system(name):
    folder = folder_name(name, BUILD_NAMES)
    assert 0 < len(folder.encode()) <= LONGEST
    assert all(c.isalnum() or c in "_-." for c in folder)
    assert folder == folder.lower() and folder[0] not in ".-" and folder[-1] not in ".-"
    assert folder not in BUILD_NAMES
    assert folder.partition(".")[0] not in {name.lower().partition(".")[0] for name in DEVICES}


@given(st.lists(NAMES, min_size=2, max_size=2, unique_by=lambda n: re.sub(r"\s", "_", n.lower())))
def test_names_that_differ_in_more_than_capitals_and_spaces_have_folders_that_differ(names):
    assert folder_name(names[0]) != folder_name(names[1])


@pytest.mark.parametrize("name", ["y" * 256, "x" * 5000, "ü" * 200, "../../..", "<b>", "", "book"])
def test_a_folder_can_be_made_of(name, tmp_path):
    folder = tmp_path / folder_name(name, BUILD_NAMES)
    folder.mkdir()
    assert folder.parent == tmp_path and [*tmp_path.iterdir()] == [folder]


def test_long_names_that_begin_alike_are_told_apart():
    assert folder_name("y" * 255 + "a") != folder_name("y" * 255 + "b")


def test_no_cohort_gets_a_folder_that_build_itself_uses():
    used = {importlib.import_module(f"helpers.workshop.{name}").BUILD.name
            for name in ("ensemble", "study", "simulation")}  # fmt: skip
    for path in (ROOT / "helpers").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r'"build" / "([\w.]+)"', text))
        used |= set(re.findall(r'build_folder\(args, cohort\)\[1\] / "([\w.]+)"', text))
    used |= set(build_editions.__kwdefaults__["chosen"])
    assert {"ledger.csv", "app", "export", "book"} <= used <= BUILD_NAMES


def test_what_a_terminal_would_obey_is_written_out():
    assert visible("A\x1b[2J\x9b31m\u202eB\r") == r"A\u001b[2J\u009b31m\u202eB\u000d"
    assert visible("line\n\tÄ ≥ 65 \U0001f600 א") == "line\n\tÄ ≥ 65 \U0001f600 א"
