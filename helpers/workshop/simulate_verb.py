"""The verb `simulate` of the command line: what it may be told, and what it prints."""

import argparse
import time

from helpers.workshop.given import natural_number, whole_number
from helpers.workshop.pools import may_run_tasks

PRINTED = ["scenario", "estimator", "truth", "bias", "bias_error", "coverage", "coverage_error",
           "rejection"]  # fmt: skip


def simulate(args: argparse.Namespace) -> int:
    """Make data/simulation anew: bias, coverage and error rates of each estimator, truth known."""
    from helpers.simulate.stored import FOLDER
    from helpers.workshop import simulation

    start = time.monotonic()
    if args.small:
        again = simulation.small_check()
        same = bool(again["same"].all())
        print(again[~again["same"]].to_string(index=False) if not same else "", end="")
        told = "the same as committed" if same else "NOT as committed"
        made = again.drop_duplicates(["scenario", "number"])
        print(f"{len(made)} made cohorts, {told}, {time.monotonic() - start:.0f} s.")
        return 0 if same else 1
    own = (args.seed, args.replications) != (simulation.SEED, simulation.REPLICATIONS)
    folder = simulation.BUILD / f"{args.seed}_{args.replications}" if own else FOLDER
    results, seconds = simulation.run_simulation(args.seed, args.replications, jobs=args.jobs)
    table = simulation.write_simulation(args.seed, results, seconds, folder)
    print(table[PRINTED].round(3).to_string(index=False))
    print(f"{args.replications} made cohorts in each of {len(results)} scenarios, "
          f"{time.monotonic() - start:.0f} s; written to {folder}.")  # fmt: skip
    return 0


def may_be_told(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    verb.add_argument("--replications", type=whole_number, default=1000, metavar="N",
                      help="made cohorts of each scenario (default 1000: some minutes); another "
                      "number or seed is written under build/")  # fmt: skip
    verb.add_argument("--seed", type=natural_number, default=20240625, metavar="N",
                      help="seed of the made cohorts (default 20240625)")  # fmt: skip
    verb.add_argument("--small", action="store_true",
                      help="make some committed cohorts again, a few seconds")  # fmt: skip
    may_run_tasks(verb)
