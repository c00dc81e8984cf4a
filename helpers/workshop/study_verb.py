"""The verb `study` of the command line: what it may be told, and what it prints."""

import argparse
import time

from helpers.workshop.given import Refused, whole_number
from helpers.workshop.pools import may_run_tasks


def study(args: argparse.Namespace) -> int:
    """Rebuild samples of real cohorts from their print: does the method find what was true?"""
    from helpers.workshop import study_files
    from helpers.workshop.study import run_study

    start = time.monotonic()
    if args.small:
        again = study_files.small_check()
        print(again.to_string(index=False))
        same = bool(again["same"].all())
        told = "the same as committed" if same else "NOT as committed"
        print(f"{len(again)} directed searches, {told}, {time.monotonic() - start:.0f} s.")
        return 0 if same else 1
    study_files.carry_on()
    if not args.finished:
        run_study(args.seed, args.per_set, args.wrong, jobs=args.jobs)
    results = study_files.finished(args.seed)
    if not results["samples"]:
        raise Refused("--finished: found no finished sample. To do: run the study without it.")
    tables = study_files.write_study(args.seed, results, args.per_set, args.wrong)
    print(tables["summary"].to_string(index=False))
    print(tables["run"].to_string(index=False))
    print(f"{(time.monotonic() - start) / 60:.1f} min; data/study is written.")
    return 0


def may_be_told(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    verb.add_argument("--seed", type=int, default=20240625, help="seed of samples and searches")
    verb.add_argument("--per-set", type=whole_number, default=25, metavar="N",
                      help="samples of each of ten sets (default 25: many hours)")  # fmt: skip
    verb.add_argument("--wrong", type=whole_number, default=5, metavar="N",
                      help="of these, printed by other readings too (default 5)")  # fmt: skip
    verb.add_argument("--small", action="store_true",
                      help="recompute some committed rows, under a minute")  # fmt: skip
    verb.add_argument("--finished", action="store_true",
                      help="run nothing, write the tables of what is finished")  # fmt: skip
    may_run_tasks(verb)
