"""The verbs `calibrate` and `ensemble` of the command line: searches for cohorts that print so."""

import argparse
import time

from helpers.workshop.given import Refused, natural_number, whole_number
from helpers.workshop.pools import may_run_tasks


def calibrate(args: argparse.Namespace) -> int:
    """Search from scratch for cohorts that print what the paper, or another one, printed."""
    from helpers.cohort import ROOT, resolve
    from helpers.workshop.calibrate_said import calibrate_claims, calibrate_paper

    folder = resolve(args.out) if args.out else ROOT / "build" / "calibrate"
    if args.ranges is not None and not args.claims:
        raise Refused(
            "--ranges goes with --claims; those of the paper itself are in data/ensemble."
        )
    if args.check and not args.claims:
        raise Refused("--check goes with --claims; `python -m helpers check` is for the paper.")
    return calibrate_claims(args, folder) if args.claims else calibrate_paper(args, folder)


def may_be_told_to_calibrate(verb: argparse.ArgumentParser) -> None:
    """The arguments of `calibrate`."""
    verb.add_argument("--seed", type=natural_number, default=1, metavar="N",
                      help="seed of the search (default 1)")  # fmt: skip
    verb.add_argument("--claims", metavar="F", help="what another paper printed, a YAML file as "
                      "data/claims_template.yaml")  # fmt: skip
    verb.add_argument("--check", action="store_true", help="with --claims: arithmetic alone, in "
                      "seconds; exit code 1 if something is impossible")  # fmt: skip
    verb.add_argument("--tries", type=whole_number, default=40, metavar="N",
                      help="searches in all, with --claims (default 40)")  # fmt: skip
    verb.add_argument("--members", type=whole_number, default=1, metavar="M",
                      help="cohorts to find (default 1)")  # fmt: skip
    verb.add_argument("--ranges", type=float, metavar="MONTHS", help="with --claims: how far "
                      "numbers that were not printed go, survival compared up to this month; "
                      "minutes for each endpoint")  # fmt: skip
    verb.add_argument("--out", metavar="DIR", help="folder for them (default build/calibrate)")
    may_run_tasks(verb)


def ensemble(args: argparse.Namespace) -> int:
    """Make data/ensemble anew: many cohorts that print the same, and how far each number goes."""
    from helpers.workshop.ensemble_files import build_ensemble

    start = time.monotonic()
    found = build_ensemble(args.seed, args.members, jobs=args.jobs)
    print(f"{found} members, {(time.monotonic() - start) / 60:.0f} min; data/ensemble is written.")
    return 0


def may_be_told_of_an_ensemble(verb: argparse.ArgumentParser) -> None:
    """The arguments of `ensemble`."""
    verb.add_argument("--seed", type=int, required=True, help="seed of all searches")
    verb.add_argument("--members", type=whole_number, default=150, metavar="M",
                      help="cohorts to look for (default 150; hours on two cores)")  # fmt: skip
    may_run_tasks(verb)
