"""What the page on subgroups shows: tables as text, sentences, captions and alt texts.

Which subgroups, and the estimates in them, are in `helpers.pages.subgroup_asked`; what is said of
all at once in `subgroup_forest`, of chance in `subgroup_chance`. All are offered here too.
"""

import numpy as np
import pandas as pd

from helpers.conventions import EVENT_FLOOR
from helpers.estimators.caution import LEVEL, PRIOR_SD, shrunk
from helpers.pages.describe import INVENTED
from helpers.pages.subgroup_asked import Asked, ask, later, null, observed, with_subgroup
from helpers.pages.subgroup_chance import (
    alt_maxima,
    best_text,
    caption_maxima,
    maxima,
    nulls_text,
    read_maxima,
    two_sided,
)
from helpers.pages.subgroup_forest import (
    alt_forest,
    caption_forest,
    forest_rows,
    name_of,
    nothing,
    read_forest,
    read_offer,
    xlabel,
)
from helpers.plots.subgroups import figure_maxima, figure_subgroups
from helpers.view import View
from helpers.whose import patients
from helpers.words import (
    NOT_DEFINED,
    bare_p,
    contrast,
    interval,
    number,
    p_value,
    plain,
    plain_text,
    ratio,
)

__all__ = [
    "alt_forest", "alt_maxima", "ask", "best_text", "caption_forest", "caption_maxima",
    "figure_maxima", "figure_subgroups", "forest_rows", "later", "maxima", "nothing", "null",
    "nulls_text", "observed", "read_forest", "read_maxima", "read_offer", "two_sided",
    "with_subgroup", "xlabel",
]  # fmt: skip

LETTERS = 24  # of a link that are shown: no line breaks in it
PRIORS = (0.0, 0.2, PRIOR_SD, 1.0, np.inf)


def rows_or_note(frame: pd.DataFrame, note: str) -> pd.DataFrame:
    """A table, or the reason why there is none."""
    return frame if len(frame) else pd.DataFrame({"note": [note]})


def read_question(asked: Asked) -> str:
    """Which subgroup is read, and how it was chosen."""
    if not asked.view.where:
        return f"{nothing(asked)} What follows is about all patients."
    chosen = (
        "It came with the View" if asked.given
        else "It was fixed in advance for these rows" if asked.cohort.is_paper
        else f"It is the first split on offer with {EVENT_FLOOR} events or more in each group on "
        "both sides, taken without a look at any hazard ratio"
    )  # fmt: skip
    named = asked.offered[
        [where == asked.view.where[0].plain() for where in asked.offered["where"]]
    ]
    words = patients(asked.answer)
    if len(named) and len(asked.view.where) == 1:
        words = f"{name_of(asked, named.iloc[0])} (as a condition: {words})"
    return f"The subgroup is {plain(words)}. {chosen}."


def sides_text(asked: Asked) -> pd.DataFrame:
    """The comparison inside the subgroup and among all others, and the ratio of the two."""
    if asked.sides.empty:
        return pd.DataFrame({"note": [nothing(asked)]})
    rows = []
    for row in asked.sides.to_dict("records"):
        who = "in the subgroup" if row["side"] == "inside" else "all others"
        groups = [
            f"{row[f'n_{side}']} ({row[f'events_{side}']})" for side in ("compared", "reference")
        ]
        rows.append((who, " vs ".join(groups), ratio(pd.Series(row)), bare_p(row["p_value"]),
                     row["note"]))  # fmt: skip
    found = asked.answer.interaction
    if len(found):
        row = found.iloc[0]
        rows.append(("ratio of the two", "", ratio(row), bare_p(row["p_value"]), ""))
    columns = ["patients", asked.sides["contrast"].iloc[0] + ", patients (events)",
               "hazard ratio (95%)", "P", "note"]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    return table if table["note"].any() else table.drop(columns="note")


def read_sides(asked: Asked) -> str:
    """What the two P values invite to say, and what the third one allows."""
    both, found = asked.sides, asked.answer.interaction
    if both.empty:
        return nothing(asked)
    if both["estimate"].isna().any() or found.empty:
        return (
            "Where a side has too few events, there are no two ratios to compare, and the P of "
            "the other side says nothing about the difference."
        )
    ps, p = both["p_value"].to_list(), found["p_value"].iloc[0]
    below = [value < LEVEL for value in ps]
    tempting = {
        (True, True): "Both sides fall below 0.05",
        (True, False): "The subgroup falls below 0.05 and the others do not, which invites to say "
        "that the difference is found in this kind of patient only",
        (False, True): "The others fall below 0.05 and the subgroup does not, which invites to say "
        "that the difference is absent in this kind of patient",
        (False, False): "Neither side falls below 0.05",
    }[tuple(below)]
    row = found.iloc[0]
    span = np.exp(row["conf_high"] - row["conf_low"])
    verdict = (
        "so these patients do not settle whether the two ratios differ" if not p < LEVEL
        else "a difference to be taken seriously if this was the one question asked"
    )  # fmt: skip
    return (
        f"{tempting}. The question is another: the ratio of the two has {p_value(p)}, {verdict}. "
        f"Its upper limit is {number(span, 1)} times its lower one."
    )


def priors_text(asked: Asked) -> pd.DataFrame:
    """The subgroup's ratio under several opinions on how different a subgroup can be."""
    both = asked.sides
    if both.empty or both["estimate"].isna().any():
        return pd.DataFrame({"note": ["Without a ratio on each side nothing is drawn together."]})
    given = [*both.iloc[0][["estimate", "std_error"]], *both.iloc[1][["estimate", "std_error"]]]
    rows = []
    for sd in PRIORS:
        row = shrunk(*given, prior_sd=sd).iloc[0]
        middle, low, high = (number(np.exp(row[c])) for c in
                             ("shrunk", "shrunk_low", "shrunk_high"))  # fmt: skip
        reach = np.exp(1.96 * sd)
        belief = ("the same ratio as all others" if sd == 0 else "nothing known" if np.isinf(sd)
                  else f"within a factor of {number(reach, 1)} of it")  # fmt: skip
        sd_text = "unlimited" if np.isinf(sd) else f"{sd:g}"
        rows.append((sd_text, belief, f"{middle} {interval(low, high)}"))
    columns = ["prior SD", "believed before, 95 in 100", "hazard ratio in the subgroup"]
    return pd.DataFrame(rows, columns=columns)


def later_text(asked: Asked) -> pd.DataFrame:
    """Comparisons by what is known later: why withheld, and who is lost by a landmark."""
    rows = []
    for row in later(asked).to_dict("records"):
        day, waited = row["known_at"], row["waited"]
        when = "no fixed day" if np.isnan(day) else f"day {day:g}"
        if waited is None:
            after, lost = "withheld: no day to wait for", ""
        else:
            counts = waited.counts[["lost_events", "lost_censored"]].sum()
            lost = f"{counts['lost_events']} with the event, {counts['lost_censored']} censored"
            after = landmark_ratios(asked, waited)
        rows.append((row["label"], when, plain_text(no_ratio(row["refused"])), after, lost))
    columns = ["compared by", "known by", "from time zero", "from a landmark on that day",
               "lost before it"]  # fmt: skip
    note = "This cohort has no column that becomes known after time zero."
    return rows_or_note(pd.DataFrame(rows, columns=columns), note)


def no_ratio(answer) -> str:
    """Why an answer has no hazard ratio, in a few words."""
    noted = answer.notes[answer.notes["about"] == "comparison"]["note"]
    return plain(" ".join(noted)) or "withheld"


def landmark_ratios(asked: Asked, answer) -> str:
    """The hazard ratios after a landmark; of rows built for print nothing binds them."""
    known = answer.model[answer.model["estimate"].notna()] if len(answer.model) else answer.model
    if known.empty:
        why = answer.notes[answer.notes["about"] != "landmark"]["note"]
        return "withheld: " + (why.iloc[-1] if len(why) else "no estimate")
    if asked.cohort.is_paper:
        return f"a ratio, but an {INVENTED} one: not shown"
    return "; ".join(f"{contrast(row)}: {ratio(row)}" for _, row in known.iterrows())


def replay_text(view: View) -> pd.DataFrame:
    """A View as it travels: text, the beginning of its link, and the command that answers it."""
    link = view.link()
    rows = [("text", view.text()), ("link", f"{link[:LETTERS]}... ({len(link)} letters in all)"),
            ("command line", "python -m helpers view FILE, with the text in FILE")]  # fmt: skip
    return pd.DataFrame(rows, columns=["form", "the question"])


def read_replay(asked: Asked, printed: str) -> str:
    """How many ratios were found again in what the command line printed.

    Raises
    ------
    ValueError
        One of them is not there.
    """
    rows = asked.answer.model
    texts = [ratio(row) for _, row in rows.iterrows() if pd.notna(row["estimate"])]
    if lost := [text for text in texts if text not in printed]:
        raise ValueError(f"command line: does not print {lost[0]}. To do: compare the two answers.")
    if not texts:
        return "Nothing is estimated here, and all three say so."
    return f"Found again, digit by digit: {'; '.join(texts)}."


def compared_text(rows: dict[str, Asked]) -> pd.DataFrame:
    """One subgroup in several cohorts: ratio inside, outside, and of the two."""
    made = []
    for name, asked in rows.items():
        sides = [ratio(row) for _, row in asked.sides.iterrows()] or ["withheld"] * 2
        both = [
            (ratio(row), bare_p(row["p_value"])) for _, row in asked.answer.interaction.iterrows()
        ]
        made.append((name, *sides, *(both[0] if both else ("withheld", NOT_DEFINED))))
    columns = ["rows", "in the subgroup", "all others", "ratio of the two", "P of that ratio"]
    return pd.DataFrame(made, columns=columns)


def read_compared(rows: dict[str, Asked]) -> str:
    """Whether cohorts that print the same numbers agree on a subgroup."""
    found = [asked.answer.interaction for asked in rows.values()]
    known = [table.iloc[0] for table in found if len(table) and pd.notna(table["p_value"].iloc[0])]
    if len(known) < 2:
        return "One of the two has no ratio of ratios to compare."
    below = [row["p_value"] < LEVEL for row in known]
    ends = " and ".join(number(np.exp(row["estimate"])) for row in known)
    if len(set(below)) == 1:
        return f"The ratio of the two is {ends}: neither was printed, and neither is a finding."
    return (
        f"The ratio of the two is {ends}, and one of them would be called significant. Both sets "
        "of rows print the same numbers, so the print supports neither."
    )
