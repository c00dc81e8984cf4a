"""The verb `multiverse` of the command line: every offered analysis of a cohort, as files."""

import argparse
import time

from helpers.workshop.given import build_folder, cohort_files, given_cohort, map_goes_with_cohort
from helpers.workshop.pools import may_run_tasks

COUNTED = ["n", "n_event", "same"]  # left out of a cohort whose small counts are masked


def multiverse(args: argparse.Namespace) -> int:
    """Answer every offered analysis of a cohort; tables and figure in build/."""
    from helpers.cohort import ROOT
    from helpers.estimators.moved import choices_that_move
    from helpers.loading.cells import write_csv
    from helpers.notebook import export_figure
    from helpers.pages import multiverse_words as words
    from helpers.pages.robust_choices import (
        PLUGS,
        RULE,
        offered,
        on_one_scale,
        read_demonstration,
    )
    from helpers.plots.specification import figure_specifications
    from helpers.words import plain_text
    from helpers.workshop.multiverse_tasks import run_multiverse

    start = time.monotonic()
    map_goes_with_cohort(args)
    cohort = given_cohort(args.cohort, args.map)
    path, mapping = cohort_files(args)
    asked = offered(cohort)
    folder = build_folder(args, cohort)[1] / "multiverse"
    table = run_multiverse(path, mapping, asked, folder / "answers.jsonl", jobs=args.jobs,
                           estimators=PLUGS)  # fmt: skip
    moved = choices_that_move(table, on_one_scale(asked))
    covariates = sorted({name for one in asked for name in one.adjust})
    source = f"{cohort.source(*covariates)} {cohort.caution}"
    said = [words.read_specifications(table), words.read_moved(moved, cohort),
            read_demonstration(table, cohort)]  # fmt: skip
    kept = table.drop(columns=COUNTED) if cohort.mask_below else table
    for name, frame in (("analyses", kept), ("choices", moved)):
        write_csv(frame.assign(data_status=source), folder / f"{name}.csv")
    caption = f"{words.caption_specifications(table, cohort)} {source}"
    figure = figure_specifications(table, of=cohort)
    export_figure(figure, folder / "specification_curve", plain_text(caption))
    # Last, for a pipe may end: its files are there then.
    print(f"{source}\n\n{RULE}\n")
    print(words.moved_text(moved, cohort).to_string(index=False) + "\n")
    print("\n".join(plain_text(text) for text in said if text))
    print(f"\n{len(asked)} ways, {len(table)} analyses, {time.monotonic() - start:.1f} s; "
          f"written to {folder.relative_to(ROOT)}.")  # fmt: skip
    return 0


def may_be_told(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb, beside the cohort."""
    may_run_tasks(verb)
