"""What the page on response shows: tables as text, sentences, captions and alt texts.

Every number comes from `helpers.estimators.response`; here it is put into words, in arms' order.
"""

from itertools import product

import numpy as np
import pandas as pd

from helpers.cohort import Cohort
from helpers.estimators import response
from helpers.labels import counted
from helpers.pages.response_counts import (
    ALPHA,
    alt_path,
    p_path,
    printed_text,
    responders_needed,
)
from helpers.plots.waffle import MARKS
from helpers.view import View, with_cuts
from helpers.words import (
    NOT_DEFINED,
    bare_p,
    heading,
    interval,
    number,
    p_value,
    percent,
    plain,
    quoted,
)

__all__ = ["alt_path", "p_path", "printed_text", "responders_needed"]  # beside what is below
OUTCOMES = {"overall response": ("CR", "PR"), "complete response": ("CR",)}
AMONG = ("all", "evaluable")
LIMITS = ["estimate", "conf_low", "conf_high"]


def rates(frame: pd.DataFrame, arms) -> pd.DataFrame:
    """`response_table` of overall and complete response, among all and among evaluable patients.

    A first column is added, outcome; arms are in the order given.
    """
    parts = []
    for (outcome, codes), among in product(OUTCOMES.items(), AMONG):
        names = {"arm": "arm", "response": "response", "responders": codes}
        table = response.response_table(frame, **names, denominator=among).set_index("arm")
        table = table.reindex(list(arms)).reset_index()
        table.insert(0, "outcome", outcome)
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


def comparable(table: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """The rates of which a comparison means something: on the cohort built for the paper complete
    response alone, since nothing printed binds the partial responses of its second arm."""
    return table[table["outcome"] == "complete response"] if cohort.is_paper else table


def rests_on(row: dict, cohort: Cohort) -> str:
    """What a rate of the cohort built for the paper rests on."""
    if row["outcome"] == "complete response":
        return "printed counts"
    return "a printed odds ratio" if row["arm"] == cohort.arms[0] else "invented"


def rates_text(table: pd.DataFrame, cohort: Cohort | None = None) -> pd.DataFrame:
    """Rates with both intervals, a row each; what each rests on where rows were built."""
    names = {"outcome": "outcome", "among": "denominator", "arm": "arm"}
    rows = table.to_dict("records")
    lines = [{n: row[c] for n, c in names.items()} | cells(row) for row in rows]
    shown = pd.DataFrame(lines)
    if cohort and cohort.is_paper:
        shown["rests on"] = [rests_on(row, cohort) for row in rows]
        made_up = shown["rests on"] == "invented"
        shown.loc[made_up, ["rate", "exact 95% interval", "Wilson", "one-sided bound"]] = ""
    shown["outcome"] = shown["outcome"].str.removesuffix(" response")
    shown = shorter(shown)
    if {"outcome", "among"} <= set(shown):  # one column of the two, so that the table fits a page
        shown["outcome"] += ", of " + shown.pop("among")
    return shown


def without_invented(table: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Rates for a figure, those that were made up with the rows left blank."""
    made_up = [cohort.is_paper and rests_on(row, cohort) == "invented"
               for row in table.to_dict("records")]  # fmt: skip
    return table.assign(estimate=table["estimate"].mask(made_up))


def cells(row: dict) -> dict:
    """Count, rate and intervals of one row; one bound more where nobody or everybody responds."""
    side = "at most" if row["responders"] == 0 else "at least"
    known = pd.notna(row["one_sided"])
    return {
        "responders": count(row),
        "rate": percent(row["estimate"], 1),
        "exact 95% interval": limits(row, "exact"),
        "Wilson": limits(row, "wilson"),
        "one-sided bound": f"{side} {percent(row['one_sided'], 1)}" if known else "",
    }


def bounds_text(x, n) -> pd.DataFrame:
    """What counts x of n patients leave open, a row each; n may be one number for all."""
    x, n = np.broadcast_arrays(list(x), n)
    table = response.proportion_table(x, n).rename(columns={"x": "responders"})
    return shorter(pd.DataFrame([cells(row) for row in table.to_dict("records")]))


def count(row: dict) -> str:
    return f"{row['responders']} of {row['n']}"


def limits(row: dict, method: str) -> str:
    low, high = (percent(row[f"{method}_{end}"], 1) for end in ("low", "high"))
    return f"{low} to {high}" if low != NOT_DEFINED else NOT_DEFINED


def only(table: pd.DataFrame, outcome: str, among: str) -> pd.DataFrame:
    """The rows of one outcome and one denominator."""
    return table[(table["outcome"] == outcome) & (table["denominator"] == among)]


def contrasts(table: pd.DataFrame, *, reference: str) -> pd.DataFrame:
    """`response_contrasts` for each outcome and denominator of `rates`, with arm1 and arm0."""
    parts = []
    for (outcome, among), part in table.groupby(["outcome", "denominator"], sort=False):
        named = {"outcome": outcome, "denominator": among, "arm0": reference}
        named["arm1"] = next(arm for arm in part["arm"] if arm != reference)
        parts.append(response.response_contrasts(part, reference=reference).assign(**named))
    table = pd.concat(parts, ignore_index=True)
    table.loc[table["measure"] == "none", ["method", "note"]] = "", "an arm has no patient to count"
    return table.replace({"measure": {"none": "no comparison"}})


def effect(row: dict) -> str:
    """An estimate with its interval: points for a difference, else a ratio."""
    if row["measure"] == "risk difference":
        texts = [number(100 * row[c], 1) for c in LIMITS]
        return f"{texts[0]} points {interval(*texts[1:])}"
    texts = ["infinite" if row[c] == np.inf else number(row[c]) for c in LIMITS]
    return f"{texts[0]} {interval(*texts[1:])}"


def contrast_text(table: pd.DataFrame) -> pd.DataFrame:
    """Difference and ratios of one or more outcomes, a row each; the column names the arms."""
    shown = table[table["measure"] != "test"].copy()
    first = f"{shown['arm1'].iloc[0]} vs {shown['arm0'].iloc[0]} (95% interval)"
    shown["outcome"] = shown["outcome"].str.removesuffix(" response")
    shown[first] = [effect(row) for row in shown.to_dict("records")]
    shown["its own P"] = shown["p_value"].map(bare_p)
    return shorter(shown[["outcome", "measure", "method", first, "its own P", "note"]])


def shorter(table: pd.DataFrame) -> pd.DataFrame:
    """Without columns that say nothing: an empty one, an outcome or denominator always the same."""
    silent = [c for c in ("note", "one-sided bound") if c in table and not any(table[c])]
    silent += [c for c in ("outcome", "among") if c in table and table[c].nunique() == 1]
    return table.drop(columns=silent)


def p_values_text(table: pd.DataFrame) -> pd.DataFrame:
    """The P of each test, a column per outcome and denominator, and why one is missing."""
    lines = {test: {"test": test, "note": ""} for test in response.TESTS}
    for row in table[table["measure"] == "test"].to_dict("records"):
        line = lines[row["method"]]
        line[f"{row['outcome']}, {row['denominator']}"] = bare_p(row["p_value"])
        if row["note"] not in line["note"]:
            line["note"] += "; " * bool(line["note"]) + row["note"]
    shown = shorter(pd.DataFrame([line | {"note": line.pop("note")} for line in lines.values()]))
    return shown.fillna(NOT_DEFINED)


def read_denominators(table: pd.DataFrame) -> str:
    """What leaving out the patients who could not be judged does to each rate of an outcome."""
    outcome = table["outcome"].iloc[0]
    every, some = (only(table, outcome, a).to_dict("records") for a in AMONG)
    if not any(row["not_evaluable"] for row in every):
        return "Every patient could be judged, so both denominators are the same."
    parts = []
    for whole, kept in zip(every, some, strict=True):
        text = f"With {quoted(whole['arm'])} "
        if not whole["not_evaluable"]:
            text += "everybody could be judged."
        elif not kept["n"]:
            text += "nobody could be judged, so there is no rate among those who could."
        else:
            text += (
                f"{whole['not_evaluable']} of {whole['n']} could not be judged: {outcome} "
                f"is {percent(whole['estimate'], 1)} among all, {percent(kept['estimate'], 1)} "
                f"among the {kept['n']} evaluable."
            )
        parts.append(text)
    return " ".join(parts)


def read_contrast(table: pd.DataFrame, outcome: str, among: str) -> str:
    """The difference in a sentence, what its interval leaves open, and two exact P values."""
    part = only(table, outcome, among)
    if (part["measure"] == "no comparison").any():
        return f"No comparison of {outcome}: {part['note'].iloc[0]}."
    tests = part[part["measure"] == "test"].set_index("method")["p_value"]
    row = part[part["measure"] == "risk difference"].iloc[0]
    middle, low, high = 100 * row[LIMITS].astype(float)
    size = f"{number(abs(middle), 1)} points {'higher' if middle > 0 else 'lower'} with "
    size += f"{quoted(row['arm1'])} than with {quoted(row['arm0'])}"
    text = (
        f"{outcome.capitalize()} is {size if middle else 'the same in both arms'}; the 95% "
        f"interval of the difference runs from {number(low, 1)} to {number(high, 1)} points. "
    )
    apart = low > 0 or high < 0
    text += "The interval excludes 0." if apart else (
        f"The interval includes 0, and also {number(high if high > -low else low, 1)} points: a "
        "difference is not shown, nor is its absence."
    )  # fmt: skip
    known = [f"{t} gives {p_value(tests[t])}" for t in ("Fisher", "mid-P") if pd.notna(tests[t])]
    text += f" {' and '.join(known)}."
    if apart != (tests["Fisher"] < ALPHA):
        text += " Interval and Fisher's test are different methods, and here they disagree."
    return text


def read_tests(table: pd.DataFrame, outcome: str, among: str) -> str:
    """How many of the tests fall below 0.05, and from where to where they reach."""
    part = only(table, outcome, among)
    values = part.loc[part["measure"] == "test", "p_value"].dropna()
    if len(values) < 2:
        return f"These counts leave nothing to test for {outcome}."
    below, ends = int((values < ALPHA).sum()), (bare_p(values.min()), bare_p(values.max()))
    return (
        f"Of {counted(len(values), 'test')} of {outcome} among {among} patients, "
        f"{'all' if below == len(values) else below or 'none'} "
        f"{'give' if below > 1 else 'gives'} a P below 0.05; the smallest is {ends[0]}, the "
        f"largest {ends[1]}."
    )


def read_fragility(table: pd.DataFrame, outcome: str, among: str) -> str:
    """How many more responders would remove a finding by Fisher's test, in a sentence."""
    rows = only(table, outcome, among).to_dict("records")
    path = response.fragility(*(row[c] for row in rows for c in ("responders", "n")))
    first, last = path.iloc[0], path.iloc[-1]
    before, after = p_value(first["p_value"]), p_value(last["p_value"])
    start = "Fisher's "
    if not first["significant"]:
        return f"{start}{before} is not below 0.05, so there is no finding to remove."
    added, changed = int(last["added"]), rows[0 if last["x1"] != first["x1"] else 1]["arm"]
    return (
        f"{start}{before} becomes {after} with {added} more responder{'s' * (added > 1)} "
        f"among those with {quoted(changed)}."
    )


def strata(cohort: Cohort, cut: str) -> pd.DataFrame:
    """Overall response among evaluable patients on both sides of a cut such as "ecog >= 3"."""
    frame = with_cuts(cohort, View(endpoint=next(iter(cohort.endpoints)), compare=cut)).frame
    return response.stratified_response(frame, arm="arm", response="response", stratum=cut)


def strata_text(table: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Rates by group and arm, with the odds ratio of each group and of all pooled."""
    compared = response.stratified_contrast(table, reference=cohort.reference_arm)
    pooled = compared.loc[compared["method"] == "Cochran-Mantel-Haenszel", "p_value"].item()
    lines = []
    for row in compared[compared["measure"] == "odds ratio"].to_dict("records"):
        line = {"group": row["stratum"]}
        for arm in cohort.arms:
            found = table[(table["stratum"] == row["stratum"]) & (table["arm"] == arm)]
            texts = [f"{count(r)}, {percent(r['estimate'])}" for r in found.to_dict("records")]
            if cohort.is_paper:  # nobody is to quote the rate of a group that was made up
                texts = [text.partition(",")[0] for text in texts]
            column = heading(arm, "group", "P", "note")
            line[column] = texts[0].removesuffix(f", {NOT_DEFINED}") if texts else ""
        p = row["p_value"]
        if row["stratum"] == "pooled":
            p, notes = pooled, [row["note"], read_homogeneity(compared, table["n"].min())]
            row["note"] = "; ".join(filter(None, notes))
        line |= {"odds ratio (95% interval)": effect(row), "P": bare_p(p), "note": row["note"]}
        if cohort.is_paper:  # bound by print in one arm only: a comparison would be invented
            line |= {"odds ratio (95% interval)": "invented", "P": "", "note": ""}
        lines.append(line)
    return shorter(pd.DataFrame(lines))


def read_homogeneity(compared: pd.DataFrame, smallest: int) -> str:
    """The test that the odds ratio is one in every group, and on how few patients that rests."""
    p = compared.loc[compared["measure"] == "homogeneity", "p_value"].item()
    return "" if pd.isna(p) else (
        f"equal odds ratios (Breslow-Day-Tarone): {p_value(p)}, with "
        f"{counted(smallest, 'patient')} in the smallest group of an arm"
    )  # fmt: skip


def read_all(table: pd.DataFrame, compared: pd.DataFrame, among: str) -> str:
    """Both outcomes in words: difference, tests, and how many patients a finding rests on."""
    paragraphs = []
    for outcome in dict.fromkeys(table["outcome"]):
        text = read_contrast(compared, outcome, among)
        if "No comparison" not in text:
            more = read_tests(compared, outcome, among), read_fragility(table, outcome, among)
            text = " ".join([text, *more])
        paragraphs.append(text)
    return "\n\n".join(paragraphs)


def caption_people(table: pd.DataFrame) -> str:
    """What the figure of people shows."""
    rows = only(table, "overall response", "all").itertuples()
    sizes = "; ".join(f"{plain(row.arm)}, n = {row.n}" for row in rows)
    return f"Best response of every patient, one mark each, by arm ({sizes}); rates below."


def alt_people(frame: pd.DataFrame, arms) -> str:
    """The figure of people for those who do not see it."""
    parts = []
    for arm in arms:
        codes = frame.loc[frame["arm"] == arm, "response"].fillna("NE").value_counts()
        found = ", ".join(f"{codes[code]} {code}" for code in MARKS if code in codes)
        parts.append(f"{arm}: {found}")
    return f"One panel of marks per arm, a mark per patient, by best response. {'; '.join(parts)}."


def alt_rates(table: pd.DataFrame) -> str:
    """The figure of rates for those who do not see it."""
    rows = []
    for row in table.to_dict("records"):
        known = f"{percent(row['estimate'], 1)}, exact {limits(row, 'exact')}, Wilson "
        known = known + limits(row, "wilson") if row["n"] else "no patient to count"
        rows.append(f"{row['arm']}, {row['outcome']} among {row['denominator']}: {known}")
    return f"Dots with horizontal intervals on an axis of percent. {'; '.join(rows)}."
