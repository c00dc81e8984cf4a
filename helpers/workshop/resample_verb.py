"""The verb `resample` of the command line: shuffles and resamples, as many as are wanted."""

import argparse
import time

from helpers.workshop.given import (
    Refused,
    build_folder,
    cohort_files,
    given_cohort,
    map_goes_with_cohort,
    natural_number,
    view_text,
    whole_number,
)
from helpers.workshop.pools import may_run_tasks


def resample(args: argparse.Namespace) -> int:
    """P and hazard ratio of two groups by shuffled arms and redrawn patients, beside formulas."""
    from helpers.cohort import ROOT
    from helpers.fit.likelihood import NotEstimable
    from helpers.loading.cells import write_csv
    from helpers.sentences import read_view
    from helpers.view import default_view
    from helpers.words import plain_text
    from helpers.workshop.resample_tasks import run_resampling

    start = time.monotonic()
    map_goes_with_cohort(args)
    cohort = given_cohort(args.cohort, args.map)
    path, mapping = cohort_files(args)
    view = view_text(args.view) if args.view else default_view(cohort)
    folder = build_folder(args, cohort)[1] / "resample"
    try:
        answer, table = run_resampling(
            path, mapping, view, folder / "draws.jsonl", seed=args.seed, shuffles=args.shuffles,
            resamples=args.resamples, jobs=args.jobs,
        )  # fmt: skip
    except NotEstimable as error:
        raise Refused(f"view: {error}") from None
    source = f"{answer.source} {cohort.caution}"
    named = table.assign(endpoint=answer.label, seed=args.seed, data_status=source)
    write_csv(named, folder / "chance.csv")  # before a word is printed: a pipe may end
    print(f"{source}\n\n{plain_text(read_view(answer))} The two groups, unadjusted:\n")
    print(table.to_string(index=False))
    print(f"\n{args.shuffles:,} shuffles and {args.resamples:,} resamples, "
          f"{time.monotonic() - start:.1f} s; written to {folder.relative_to(ROOT)}.")  # fmt: skip
    return 0


def may_be_told(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb, beside the cohort."""
    verb.add_argument("--view", metavar="F", help="a View, as JSON or YAML; default: the arms")
    verb.add_argument("--shuffles", type=whole_number, default=100_000, metavar="N",
                      help="of the arms (default 100000)")  # fmt: skip
    verb.add_argument("--resamples", type=whole_number, default=100_000, metavar="N",
                      help="of the patients (default 100000)")  # fmt: skip
    verb.add_argument("--seed", type=natural_number, default=20240625, metavar="N",
                      help="seed of both (default 20240625)")  # fmt: skip
    may_run_tasks(verb)
