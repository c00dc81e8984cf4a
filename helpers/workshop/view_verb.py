"""The verb `view` of the command line: one question answered on screen and as files."""

import argparse
from pathlib import Path

from helpers.workshop.given import (
    Refused,
    build_folder,
    given_cohort,
    map_goes_with_cohort,
    view_text,
)


def view(args: argparse.Namespace) -> int:
    """Answer one View: tables on screen, and tables, figure and methods text in build/export/."""
    from helpers.analysis import analyse
    from helpers.cohort import ROOT
    from helpers.export import export, methods
    from helpers.sentences import read_remarks, read_view
    from helpers.view import ViewError
    from helpers.whose import readable
    from helpers.words import (
        interaction_table,
        log_rank,
        median_text,
        milestone_table,
        model_table,
        plain_text,
        rmst_text,
    )

    map_goes_with_cohort(args)
    question = view_text(args.file)
    cohort = given_cohort(args.cohort, args.map)
    try:
        answer = analyse(cohort, question, engine="fast")  # as the explorer
    except ViewError as error:
        raise Refused(str(error)) from None
    folder = build_folder(args, cohort)[1] / "export" / Path(args.file).stem
    written = export(answer, folder)  # before a word is printed: a pipe may have seen enough
    print(f"{answer.source} {cohort.caution}\n\n{plain_text(read_view(answer))}\n")
    shown = readable(answer)
    tables = {
        "Patients": shown.counts.iloc[:, :4],
        "Median": median_text(shown),
        f"{answer.label} at chosen times, differences in points": milestone_table(shown),
        "Hazard ratios": model_table(shown),
        "Interaction with the subgroup, ratio of hazard ratios": interaction_table(shown),
        "Restricted mean, months": rmst_text(shown),
    }
    for title, frame in tables.items():
        if len(frame):
            print(f"{title}\n{frame.to_string(index=False)}\n")
    print("\n".join(filter(None, [log_rank(answer), plain_text(read_remarks(answer))])))
    print(f"\n{methods(answer)}\n")
    for path in written:
        print(f"Wrote {path.relative_to(ROOT)}")
    return 0


def may_be_told(verb: argparse.ArgumentParser) -> None:
    """The argument of the verb, beside the cohort."""
    verb.add_argument("file", metavar="FILE", help="a View, as JSON or YAML")
