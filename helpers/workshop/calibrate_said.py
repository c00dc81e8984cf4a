"""`python -m helpers calibrate`: cohorts of the paper, or with --claims of any other.

Two ways to fail are kept apart. What arithmetic excludes under every convention is impossible. What
no search found is only that: it says how near the search came, and which claims it did not find
together.
"""

import argparse
import math
import time
from pathlib import Path

import pandas as pd

from helpers.rebuild.claims import ClaimsError, build, read_claims
from helpers.rebuild.echo import as_lines, read_back
from helpers.words import NOT_DEFINED
from helpers.workshop.calibrate import (
    DELETION,
    find_member,
    nearest_table,
    not_together,
    rebuild,
    write_cohort,
)
from helpers.workshop.check_said import say_searched, say_verdicts
from helpers.workshop.given import Refused
from helpers.workshop.ranges import day_of, paper_ranges
from helpers.workshop.tasks import run_tasks

SHOWN = 12  # rows of the nearest miss


def calibrate_paper(args: argparse.Namespace, folder: Path) -> int:
    """Search for members of the paper until there are enough; the exit code."""
    start, number, found = time.monotonic(), 0, 0
    while found < args.members:
        tasks = [(args.seed, number + k) for k in range(args.members - found)]
        number += len(tasks)
        log = folder / "members.jsonl"
        for member in run_tasks(tasks, find_member, log, jobs=args.jobs, about="members").values():
            if member is not None:
                found += 1
                path = folder / f"cohort_{args.seed}_{member['attempt']:05d}.csv"
                write_cohort(member, path)
                print(f"Wrote {path}")
    minutes = (time.monotonic() - start) / 60
    print(f"{args.members} members in {minutes:.1f} min; those found are kept in {log}")
    return 0


def calibrate_claims(args: argparse.Namespace, folder: Path) -> int:
    """Read and say how, prove, search, say; the exit code."""
    from helpers.cohort import resolve

    try:
        content = read_claims(resolve(args.claims))
    except ClaimsError as error:
        raise Refused(str(error)) from None
    print(f"{content['name']}: the numbers as they were read. To do: compare them with the paper.")
    print(as_lines(read_back(content)), end="\n\n", flush=True)
    impossible = say_verdicts(content)
    if impossible or args.check:
        return int(impossible)
    if args.ranges is not None:
        day_of(build(content), args.ranges)  # refused before anything is searched
    say_searched(content)
    if not any(row.source == "print" for row in build(content).rows):
        print("Nothing is left to search for.")
        return 1
    start = time.monotonic()
    paths, nearest = rebuild(
        content, folder, seed=args.seed, members=args.members, tries=args.tries, jobs=args.jobs,
        say=lambda done, best: say_progress(args, content, done, best),
    )  # fmt: skip
    minutes = (time.monotonic() - start) / 60
    for path in paths:
        print(f"Wrote {path} and {path.with_suffix('.yaml').name}")
    if paths:
        print(f"{len(paths)} of {args.members} cohorts, {minutes:.1f} min. SYNTHETIC, not "
              "patients: met by construction, which is no replication.", flush=True)  # fmt: skip
        if args.ranges is not None:
            say_ranges(args, content, nearest, folder)
        return 0 if len(paths) == args.members else 1
    say_miss(args, content, nearest, minutes)
    return 1


def say_progress(args: argparse.Namespace, content: dict, done: int, best: dict) -> None:
    """One line while the search goes on."""
    table = nearest_table(content, best)
    missed = list(table.loc[table["cost"] > 0, "id"])
    told = f"all {len(table)} numbers found"
    if missed:
        told = f"nearest: all but {len(missed)} of {len(table)} numbers, {', '.join(missed[:4])}"
    print(f"  {done} of at most {args.tries} searches; {told}", flush=True)


def say_miss(args: argparse.Namespace, content: dict, nearest: dict, minutes: float) -> None:
    """How near the search came, at once; then which claims were not found together."""
    print(f"{content['name']}: not found in {args.tries} searches ({minutes:.1f} min, seed "
          f"{args.seed}). This is no proof that no patients print so.")  # fmt: skip
    table = nearest_table(content, nearest)
    missed = table[table["cost"] > 0]
    print(f"\nNearest miss: {len(missed)} of {len(table)} numbers are not met.")
    print(shown(missed.head(SHOWN)).to_string(index=False))
    print("\nLeaving claims out one by one, to see which stand in the way; this can take longer "
          "than the searches.", flush=True)  # fmt: skip
    together = not_together(content, nearest, seed=args.seed)
    print(f"Not found together in {DELETION} searches of this kind, from the nearest miss and from "
          f"scratch: {', '.join(together)}. With any one of these left out, the rest of them was "
          "found. A cohort that has them all may exist.")  # fmt: skip


def say_ranges(args: argparse.Namespace, content: dict, known: dict, folder: Path) -> None:
    """Drive and print what was not printed, with what such a range is."""
    start = time.monotonic()
    table = paper_ranges(content, known, folder, seed=args.seed, months=args.ranges, jobs=args.jobs)
    minutes = (time.monotonic() - start) / 60
    first, second = content["arms"]
    print(
        f"\nNot printed, {first} against {second}, up to month {args.ranges:g} ({minutes:.1f} min):"
    )
    columns = ["endpoint", "quantity", "unit", "low", "high"]
    print(table[columns].round(2).to_string(index=False, na_rep=NOT_DEFINED))
    rules = dict.fromkeys(rule.get("about", rule["kind"]) for rule in content["rules"])
    kept = f" and keep to the rules of the file ({'; '.join(rules)})" if rules else ""
    print(f"Lowest and highest in cohorts that print every claim{kept}. This is no confidence "
          "interval: sampling error, bias and misreading come on top. A search can miss what lies "
          "beyond, it cannot overstate.")  # fmt: skip
    print(f"Wrote {folder / 'ranges.csv'} and the cohort at each end.")


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """A table of misses in words: what was reached, and what it had to be."""
    digits = lambda v: f"{v:.4g}"  # noqa: E731
    bounds = [between(*pair, digits) for pair in zip(table["low"], table["high"], strict=True)]
    reached = [NOT_DEFINED if v != v else digits(v) for v in table["reached"]]
    return table.assign(reached=reached, printed_as=bounds)[
        ["id", "source", "unit", "reached", "printed_as"]
    ]


def between(low: float, high: float, digits) -> str:
    """What prints so, in words."""
    if low == high:
        return digits(low)
    if low <= 0:
        return f"at most {digits(high)}"
    return f"at least {digits(low)}" if math.isinf(high) else f"{digits(low)} to {digits(high)}"
