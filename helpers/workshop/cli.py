"""The command line, ``python -m helpers VERB``.

Exit codes: 0 all asked for succeeded, 1 a check or notebook failed, 2 bad input or usage,
130 interrupted. Verbs import what they need themselves, so that ``--help`` is quick.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterable
from contextlib import redirect_stdout
from pathlib import Path

from helpers.loading.names import visible
from helpers.workshop import (
    multiverse_verb,
    resample_verb,
    search_verbs,
    simulate_verb,
    study_verb,
    view_verb,
)
from helpers.workshop.given import (
    Refused,
    build_folder,
    every_notebook,
    given_cohort,
    map_goes_with_cohort,
    only_one,
    view_text,
    whole_number,
)
from helpers.workshop.pools import pool_of, using
from helpers.workshop.screen import Screen, print_anywhere

TITLE = "Salvage after CD19 CAR-T failure: an executable companion"
EDITIONS = {
    "book": "The book",
    "student": "The student edition",
    "instructor": "The instructor's edition",
    "slides": "The slides",
}


def run(args: argparse.Namespace) -> int:
    """Execute the series into build/, then build the book."""
    map_goes_with_cohort(args)
    start = time.monotonic()
    cohort = given_cohort(args.cohort, args.map)
    own, build = build_folder(args, cohort)
    count, failed = _execute(args, cohort, build)
    # A notebook that failed is a page too, with its error: the others are worth reading.
    built = args.only or _build(build, cohort, cohort.name if own else TITLE, ["book"])
    told = f"{failed} of {count} failed" if failed else "all ok"
    told += "" if built else ", book not built"
    print(f"Notebooks: {count}, {told}, {time.monotonic() - start:.1f} s in all.")
    return 0 if built and not failed else 1


def _execute(args: argparse.Namespace, cohort, build: Path) -> tuple[int, int]:
    """Execute the notebooks asked for; return how many, and how many of them failed."""
    from helpers.workshop.fresh import forget, outdated, remember
    from helpers.workshop.series import run_series

    notebooks = every_notebook()
    parameters, now = _asked(args)
    chosen = [only_one(args.only, notebooks)] if args.only else notebooks
    names = {path.name for path in notebooks}
    for old in (build / "notebooks").glob("*.ipynb"):
        if old.name not in names:
            old.unlink()
    print(cohort.source())
    for remark in cohort.remarks:
        print(f"  {remark}")
    print(f"  can be asked: {', '.join(cohort.endpoints)}; by {', '.join(cohort.factors)}")
    sys.stdout.flush()
    # One page of a series that is current otherwise leaves it current.
    if not args.only or outdated(notebooks, build / "notebooks", now):
        forget(build / "notebooks")
    outcomes = run_series(
        chosen,
        build / "notebooks",
        parameters=parameters,
        columns=set(cohort.frame.columns),
        is_paper=cohort.is_paper,
        jobs=args.jobs,
        # A page shows every count and step; what is masked leaves by `view` alone.
        export=None if cohort.mask_below else build / "export",
    )
    if not args.only:
        remember(build / "notebooks", now)
    return len(outcomes), sum(not outcome.ok for outcome in outcomes)


def _asked(args: argparse.Namespace) -> tuple[dict, str]:
    """Return what the notebooks are told, and the digest of all that their results depend on."""
    from helpers.cohort import ROOT, resolve
    from helpers.workshop.fresh import digest

    parameters = {}
    files = [ROOT / name for name in ("notebooks", "helpers", "data", "requirements.txt")]
    if args.cohort:
        # Without a mapping the notebooks' own default must not be applied to another file.
        parameters["COHORT"] = str(resolve(args.cohort).resolve())
        parameters["MAP"] = str(resolve(args.map).resolve()) if args.map else ""
        files += [path for path in parameters.values() if path]
    if args.view:
        parameters["VIEW"] = view_text(args.view).text()
    return parameters, digest(files, parameters)


def refresh(args: argparse.Namespace) -> int:
    """Re-execute notebooks/ in place, or with --check say which are not current."""
    from helpers.workshop.refresh import refresh

    start = time.monotonic()
    notebooks = every_notebook()
    changes = refresh(notebooks, check=args.check, jobs=args.jobs)
    for change in changes:
        print(change.reason if change.failed else f"{change.name}  {change.reason}")
    failed = sum(change.failed for change in changes)
    changed = len(changes) - failed
    told = f"{changed} {'not current' if args.check else 'rewritten'}, {failed} failed"
    print(f"Notebooks: {len(notebooks)}, {told}, {time.monotonic() - start:.1f} s in all.")
    return 1 if failed or (args.check and changed) else 0


def check(args: argparse.Namespace) -> int:
    """Print the ledger: every published number, what is computed, and a verdict."""
    from helpers.cohort import PAPER_COHORT, ROOT, resolve
    from helpers.loading.cells import write_csv
    from helpers.paper.ledger import NOT_MET, claims, ledger
    from helpers.words import NOT_DEFINED

    path = args.cohort or (PAPER_COHORT if resolve(PAPER_COHORT).exists() else None)
    cohort = given_cohort(path, member=True) if path else None
    try:
        pairs = [text.partition("=") for text in args.reading]
        readings = {name.strip(): choice.strip() for name, _, choice in pairs}
        table = ledger(cohort, readings)
    except ValueError as error:
        raise Refused(str(error)) from None
    (ROOT / "build").mkdir(exist_ok=True)
    source = cohort.source() if cohort else "From the printed numbers alone."
    write_csv(table.assign(data_status=source), ROOT / "build" / "ledger.csv")
    if args.json:
        print(table.to_json(orient="records", indent=1))
    else:
        print(f"{source} {cohort.caution if cohort else ''}\n")
        shown = table.drop(columns="quantity")
        shown["computed"] = [NOT_DEFINED if v != v else f"{v:.5g}" for v in table["computed"]]
        print(shown.to_string(index=False))
        print("\n" + "\n".join(f"{n:3d}  {v}" for v, n in table["verdict"].value_counts().items()))
    missed = table["verdict"].eq(NOT_MET) & claims(readings)["attainable"].eq("yes")
    return 1 if missed.any() else 0


def app(args: argparse.Namespace) -> int:
    """Serve the subgroup explorer as a page on this machine, until interrupted."""
    from helpers.cohort import PAPER_COHORT, resolve
    from helpers.workshop.app import page, serve

    map_goes_with_cohort(args)
    cohort = given_cohort(args.cohort, args.map)
    notebook = page(
        build_folder(args, cohort)[1] / "app", status=cohort.status_line, caution=cohort.caution,
        path=str(resolve(args.cohort).resolve()) if args.cohort else PAPER_COHORT,
        map_path=str(resolve(args.map).resolve()) if args.map else "",
    )  # fmt: skip
    return serve(notebook, port=args.port, browser=not args.no_browser)


def book(args: argparse.Namespace) -> int:
    """Build the book and the other editions, first executing what has changed."""
    from helpers.workshop.fresh import outdated

    map_goes_with_cohort(args)
    cohort = given_cohort(args.cohort, args.map)
    own, build = build_folder(args, cohort)
    failed = 0
    if outdated(every_notebook(), build / "notebooks", _asked(args)[1]):
        failed = _execute(args, cohort, build)[1]
    built = _build(build, cohort, cohort.name if own else TITLE, EDITIONS)
    if failed:
        print(f"{failed} notebooks stopped at an error; their pages say where.", file=sys.stderr)
    return 0 if built and not failed else 1


def _build(build: Path, cohort, title: str, chosen: Iterable[str]) -> bool:
    from helpers.workshop.editions import build_editions

    for name in chosen:
        try:
            pages = build_editions(
                build / "notebooks", build, title=title, status=cohort.status_line,
                caution=cohort.caution, chosen=[name],
            )  # fmt: skip
        except ValueError as error:
            print(visible(f"{EDITIONS[name]} could not be built: {error}"), file=sys.stderr)
            return False
        print(f"{EDITIONS[name].removeprefix('The ').capitalize()}: {pages[name]}")
    return True


def parser() -> argparse.ArgumentParser:
    """Describe the verbs."""
    top = argparse.ArgumentParser(
        prog="python -m helpers",
        description="Run the notebooks, on our cohort or your own. "
        "Relative paths count from the repository root.",
    )
    verbs = top.add_subparsers(metavar="VERB", required=True)

    def verb(function) -> argparse.ArgumentParser:
        about = function.__doc__.splitlines()[0]
        added = verbs.add_parser(function.__name__, help=about, description=about)
        added.set_defaults(function=function)
        return added

    jobs = {"type": whole_number, "metavar": "N", "help": "notebooks at once (default: one a core)"}

    def about_a_cohort(function) -> argparse.ArgumentParser:
        added = verb(function)
        added.add_argument("--cohort", metavar="F", help="your own cohort, a CSV file")
        added.add_argument("--map", metavar="F", help="how to read it, a YAML file")
        return added

    added = about_a_cohort(run)
    added.add_argument("--view", metavar="F", help="a View, as JSON or YAML, for every notebook")
    added.add_argument("--only", metavar="03", help="one notebook, by number or name; no book")
    added.add_argument("--jobs", **jobs)
    added = verb(refresh)
    added.add_argument("--check", action="store_true", help="write nothing, fail if not current")
    added.add_argument("--jobs", **jobs)
    search_verbs.may_be_told_to_calibrate(verb(search_verbs.calibrate))
    search_verbs.may_be_told_of_an_ensemble(verb(search_verbs.ensemble))
    study_verb.may_be_told(verb(study_verb.study))
    simulate_verb.may_be_told(verb(simulate_verb.simulate))
    multiverse_verb.may_be_told(about_a_cohort(multiverse_verb.multiverse))
    resample_verb.may_be_told(about_a_cohort(resample_verb.resample))
    added = verb(check)
    added.add_argument("--cohort", metavar="F", help="the cohort built for the paper, a CSV file")
    added.add_argument("--json", action="store_true", help="the ledger as JSON")
    added.add_argument("--reading", action="append", default=[], metavar="NAME=CHOICE",
                       help="a choice the text leaves open: 'tie rule=Breslow'")  # fmt: skip
    view_verb.may_be_told(about_a_cohort(view_verb.view))
    # What `run` may be told and the editions, which show everything, are not.
    about_a_cohort(book).set_defaults(only=None, view=None, jobs=None)
    added = about_a_cohort(app)
    added.add_argument("--port", type=whole_number, metavar="N", help="port (default: a free one)")
    added.add_argument("--no-browser", action="store_true", help="open no browser")
    return top


def main(argv: list[str] | None = None) -> int:
    """Carry out one verb and return the exit code."""
    print_anywhere(sys.stdout, sys.stderr)
    args = parser().parse_args(argv)
    try:
        with using(pool_of(args)), redirect_stdout(Screen(sys.stdout)):
            code = args.function(args)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Refused as error:
        print(visible(str(error)), file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        print(visible(str(error)) or "Interrupted.", file=sys.stderr)
        return 130
