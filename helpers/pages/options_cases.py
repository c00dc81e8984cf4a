"""A short case for each class of option: invented patients, questions, and what rows support.

For teaching. What is said of a class in words is about the kind of evidence; its numbers are
listed row by row, as printed, and neither pooled nor ranked.
"""

from typing import NamedTuple

import pandas as pd

from helpers.pages.options_page import entry
from helpers.paper.option_outcomes import outcomes
from helpers.paper.options import AFTER, GROUPS

CASES_OF = (
    "Invented patients, for teaching and not for treatment decisions; published aggregate outcomes "
    "as printed, * an exact interval of printed counts, ours."
)


class Case(NamedTuple):
    """An invented patient, what one would need to know, and what the evidence is fit for."""

    patient: str
    ask: str
    supports: str


CASES = {
    "Second CAR-T, other target": Case(
        "A woman of 58, in good condition, progressed five months after CD19 CAR-T. The new biopsy "
        "has lost CD19 and keeps CD20.",
        "Which antigens the relapse carries, by a biopsy taken now; whether T cells can be "
        "collected again, and what was given before that may have harmed them; whether the disease "
        "can be held for the weeks that a product takes; whether a trial is open.",
        "That responses are frequent in small, chosen groups. How long they last decides its worth "
        "and is the least reported; none of the rows has a randomised control.",
    ),
    "Cellular therapy again": Case(
        "A man of 49 relapsed fourteen months after a complete response to CD19 CAR-T; the "
        "lymphoma still carries CD19.",
        "How long the first response held; whether CD19 is still there; whether a product is left "
        "or can be made; which later step, such as a transplant, is planned.",
        "Very little: a handful of patients in one trial, and a pooled rate whose interval runs "
        "from nearly none to more than half.",
    ),
    "Bispecific antibody": Case(
        "A woman of 71 relapsed eight months after CAR-T and has never had a bispecific antibody.",
        "Time from CAR-T to relapse; CD20 on a new biopsy; infections and immunoglobulins; who can "
        "watch the first doses; whether a CD20 CAR-T might be wanted later, since it shares the "
        "target.",
        "Prospective cohorts made for these patients, which no other class has to that extent; "
        "strata by time to relapse that differ widely. No row is randomised.",
    ),
    "Polatuzumab-based": Case(
        "A man of 66 progressed on day 90; a transplant or cellular therapy may follow.",
        "Neuropathy and earlier polatuzumab; whether it is a bridge or the destination; whether "
        "bendamustine would spoil a later collection of T cells.",
        "A chance of response, of unknown size: retrospective series of one drug differ widely.",
    ),
    "Tafasitamab-lenalidomide": Case(
        "A woman of 77 relapsed nine months after CAR-T and does not want intensive treatment.",
        "Whether the relapse still carries CD19, which this antibody binds as well; kidney "
        "function; how soon after CAR-T the relapse came.",
        "One registry, whose rates are low and change with the weighting of the same patients.",
    ),
    "Lenalidomide-based": Case(
        "A man of 80 with a slow relapse asks for tablets.",
        "Kidney function, thrombosis, cell of origin; what the treatment is for: time at home, or "
        "a remission.",
        "After CAR-T, two rates without intervals. The randomised trial in this class compares a "
        "combination with its own background in patients of whom only some had CAR-T.",
    ),
    "Loncastuximab tesirine": Case(
        "A woman of 74 with a CD19-positive relapse has had three lines since CAR-T.",
        "CD19 on a new biopsy; effusions and oedema; liver tests.",
        "Nothing about patients after CAR-T: the two rows are of whole populations, and the share "
        "with earlier CAR-T, or its outcome, is not in the text available to us.",
    ),
    "Checkpoint inhibitor": Case(
        "A woman of 34 with primary mediastinal B-cell lymphoma relapsed after CAR-T.",
        "Histology before all: the note of one row says that results are better in this one; "
        "autoimmune disease; an allogeneic transplant before or planned.",
        "Low rates in unselected aggressive lymphoma, with a few long responses; an exact interval "
        "of a dozen patients that leaves most rates possible.",
    ),
    "BTK inhibitor": Case(
        "A man of 69 with an activated B-cell type lymphoma relapsed in the brain.",
        "Cell of origin, mutations, atrial fibrillation, bleeding; where the disease is.",
        "One pooled rate without number of patients, not by cell of origin: it cannot speak for "
        "the patients in whom one would think of it.",
    ),
    "Chemotherapy-based": Case(
        "A man of 42 was refractory on day 28; chemotherapy had worked before CAR-T.",
        "Whether chemotherapy worked before; marrow reserve; whether a transplant is a real aim, "
        "with a donor and a date.",
        "Short progression-free survival in all but the transplanted. The better figures of those "
        "who reached transplant are of those who lived to be transplanted.",
    ),
    "Radiotherapy": Case(
        "A woman of 63 relapsed at four months in one nodal region, and nowhere else on PET.",
        "Whether all disease fits into one field; what shall control the rest; whether it is a "
        "bridge, a cure tried, or relief.",
        "Comprehensive and focal radiotherapy went to patients with limited and with widespread "
        "disease, so their survival cannot be read as an effect of the field.",
    ),
    "Allogeneic transplant": Case(
        "A man of 45 is in complete response after a bispecific antibody and has a matched donor.",
        "Remission, donor, other illnesses, number of lines since CAR-T; what he thinks of the "
        "risk of dying of the transplant itself.",
        "That some of those who reach it live long. Those who never reach it are in no row, and "
        "the clock of the larger series starts at transplant.",
    ),
    "Any salvage": Case(
        "A man of 73 with a poor performance status and a very high LDH progressed by day 30.",
        "What he wants; whether any treatment is likely to give him time; who should be talking "
        "with him besides us.",
        "A background for all of the above: what became of patients after failure, treated or not, "
        "in registries.",
    ),
}


def case_text(rows: pd.DataFrame, *groups: str) -> str:
    """Cases of some classes as Markdown, with the rows of each after CD19 CAR-T.

    Parameters
    ----------
    rows : DataFrame
        As `load_options` gives them.
    *groups : str
        Of `helpers.paper.options.GROUPS`.
    """
    return (
        "\n\n".join(
            f"**{group}.** {CASES[group].patient}\n\n- *What to ask:* {CASES[group].ask}\n"
            f"- *What the rows support:* {CASES[group].supports}\n"
            f"- *The rows:* {listed(rows, group)}"
            for group in GROUPS
            if group in groups
        )
        + "\n\n"
    )


def listed(rows: pd.DataFrame, group: str) -> str:
    """The complete response rates and median survival times of a class, row by row."""
    part = rows[(rows["option_group"] == group) & (rows["population"] == AFTER)]
    if part.empty:
        return "No row is of patients after CD19 CAR-T."
    table = outcomes(part)
    told = []
    for endpoint, head, unit in (("crr", "Complete response", "%"), ("os", "Median OS", " months")):
        found = table[table["endpoint"] == endpoint]
        each = [
            f"{with_unit(row, unit)} [row {row['row_id']}, tier {row['tier']}]"
            for row in found.to_dict("records")
        ]
        told.append(f"{head}: {', '.join(each) or 'not printed'}.")
    return " ".join(told)


def with_unit(row: dict, unit: str) -> str:
    """An outcome with its unit behind the number, before the limits."""
    text = entry(row)
    return text if row["status"] else text.replace(row["printed"], row["printed"] + unit, 1)
