"""What the command line was given, read and checked: a cohort, a View, notebooks, numbers."""

import argparse
from pathlib import Path


class Refused(Exception):
    """Bad input or usage; its text is all the reader sees."""


def cohort_files(args: argparse.Namespace) -> tuple[str, str]:
    """The cohort file meant and its mapping ("" for none), where any process finds them."""
    from helpers.cohort import PAPER_COHORT, resolve

    mapping = str(resolve(args.map).resolve()) if args.map else ""
    return str(resolve(args.cohort or PAPER_COHORT).resolve()), mapping


def view_text(file: str):
    """Read a View from a file."""
    from helpers.cohort import resolve
    from helpers.view import View, ViewError

    path = resolve(file)
    try:
        return View.read(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"view: no readable text at {path} ({error.__class__.__name__}).") from None
    except ViewError as error:
        raise Refused(f"{path.name}: {error}") from None


def map_goes_with_cohort(args: argparse.Namespace) -> None:
    if args.map and not args.cohort:
        raise Refused("--map says how to read the file that --cohort names: give both.")


def build_folder(args: argparse.Namespace, cohort) -> tuple[bool, Path]:
    """Is this another cohort than ours, and the folder its pages and exports go to."""
    from helpers.cohort import PAPER_COHORT, ROOT, resolve

    own = args.cohort is not None and resolve(args.cohort) != resolve(PAPER_COHORT)
    return own, ROOT / "build" / cohort.slug if own else ROOT / "build"


def every_notebook() -> list[Path]:
    from helpers.cohort import ROOT
    from helpers.workshop.series import series

    if notebooks := series(ROOT / "notebooks"):
        return notebooks
    raise Refused(f"There are no numbered notebooks in {ROOT / 'notebooks'}.")


def given_cohort(path: str | None = None, map_path: str | None = None, *, member: bool = False):
    from helpers.cohort import CohortError, load_cohort

    try:
        return load_cohort(path, map_path, member=member)
    except (CohortError, OSError) as error:
        offered = "" if map_path or not path else offered_mapping(path)
        raise Refused(f"{error}{offered}") from None


def offered_mapping(path: str) -> str:
    """Write the mapping that a file suggests, and say where; "" if the file cannot be read.

    It has names of columns and codes in it and no patient.
    """
    import yaml

    from helpers.cohort import ROOT, resolve
    from helpers.loading.formats import Stated
    from helpers.loading.names import folder_name
    from helpers.loading.problems import Problems
    from helpers.loading.proposals import forms, propose
    from helpers.loading.reading import read_table

    problems = Problems()
    table = read_table(resolve(path), Stated(), problems)
    if table is None or problems.found:
        return ""
    folder = forms(ROOT)
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / f"{folder_name(Path(path).stem)}.yaml"
    text = yaml.safe_dump(propose(table).mapping, sort_keys=False, allow_unicode=True)
    written.write_text(text, encoding="utf-8")
    return (
        f"\nA mapping that names and values suggest was written to {written}: read it, correct it, "
        "and give it with --map (make: MAP=)."
    )


def only_one(asked: str, notebooks: list[Path]) -> Path:
    """The one notebook with this number or beginning of a name."""
    asked = Path(asked).name.removesuffix(".ipynb")
    prefix = f"{int(asked):02}_" if asked.isdecimal() else asked
    found = [path for path in notebooks if path.stem.startswith(prefix)]
    if len(found) == 1:
        return found[0]
    problem = "names several notebooks" if found else "names no notebook"
    listed = "\n".join(f"  {path.stem}" for path in found or notebooks)
    raise Refused(f"--only {asked} {problem}. There are:\n{listed}")


def whole_number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, 1 or more")
    return int(text)


def natural_number(text: str) -> int:
    return int(text) if text == "0" else whole_number(text)
