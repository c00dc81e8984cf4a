"""The page on response: its words are true to its numbers, on ours and on odd cohorts."""

import re

import pandas as pd
import pytest
from cohorts import make_cohort
from scipy.stats import binom, fisher_exact

from helpers.cohort import load_cohort
from helpers.conventions import ONE_OF_MANY
from helpers.notebook import show
from helpers.pages import response_page as page
from helpers.paper.forensics import response_tests
from helpers.paper.ledger import section
from helpers.plots import waffle
from helpers.plots.style import COLOURS, is_stamped

PAPER = load_cohort()
CODES = ("CR", "PR", "SD", "PD", "NE")


def arms(**counts):
    """One row per patient from strings of best responses: new="CR CR PD", old="NE -"."""
    rows = [
        (arm, None if code == "-" else code)
        for arm, text in counts.items()
        for code in text.split()
    ]
    return pd.DataFrame(rows, columns=["arm", "response"])


def words(frame, outcome="overall response", among="evaluable"):
    rates = page.rates(frame, ["new", "old"])
    compared = page.contrasts(rates, reference="old")
    return page.read_contrast(compared, outcome, among)


TWENTY = arms(new="CR " * 12 + "PD " * 8, old="CR " * 5 + "PD " * 15)
ODD = {
    "nobody evaluable": arms(new="NE NE", old="NE -"),
    "one arm not evaluable": arms(new="NE - NE", old="CR PD SD"),
    "everybody responds": arms(new="CR CR", old="CR PR"),
    "nobody responds": arms(new="PD SD NE", old="PD PD"),
    "one patient an arm": arms(new="CR", old="PD"),
}


def all_words(frame):
    """Everything the page says of a cohort, as one text."""
    rates = page.rates(frame, ["new", "old"])
    compared = page.contrasts(rates, reference="old")
    tables = [
        page.rates_text(rates),
        page.contrast_text(compared),
        page.p_values_text(compared),
    ]
    texts = [table.to_html(na_rep="") for table in tables]
    texts += [page.read_denominators(rates), page.alt_rates(rates), page.caption_people(rates)]
    texts += [page.read_all(rates, compared, among) for among in page.AMONG]
    return " ".join([*texts, page.alt_people(frame, ["new", "old"])])


@pytest.mark.parametrize("frame", ODD.values(), ids=ODD)
def test_odd_cohorts_are_told_in_words_and_drawn(frame):
    text = all_words(frame)
    assert not re.search(r"\b(nan|None|inf|NaN|n:)\b", text), text
    assert "To do" not in text
    rates = page.rates(frame, ["new", "old"])
    for width in ("page", "half"):
        people = waffle.figure_people(frame, rates, status="Invented.", width=width)
        drawn = sum(len(line.get_xdata()) for ax in people.axes for line in ax.get_lines())
        assert drawn == len(frame)
        assert is_stamped(waffle.figure_rates(rates, status="Invented.", width=width))


def test_higher_and_lower_follow_the_arms():
    assert "35.0 points higher with 'new' than with 'old'" in words(TWENTY)
    swapped = TWENTY.assign(arm=TWENTY["arm"].map({"new": "old", "old": "new"}))
    assert "35.0 points lower with 'new' than with 'old'" in words(swapped)
    assert "runs from -57.8 to -4.4 points. The interval excludes 0" in words(swapped)
    assert "the same in both arms" in words(arms(new="CR PD", old="CR PD"))


def test_an_interval_across_zero_is_not_called_equality():
    text = words(arms(new="CR CR PD PD PD", old="CR PD PD PD PD"))
    assert "includes 0" in text and "a difference is not shown, nor is its absence" in text
    assert "excludes 0" in words(TWENTY)


def test_the_far_end_of_the_interval_is_named_on_the_side_where_it_lies():
    up = words(arms(new="CR CR PD PD PD", old="CR PD PD PD PD"))
    down = words(arms(new="CR PD PD PD PD", old="CR CR PD PD PD"))
    far = r"includes 0, and also (-?\d+\.\d) points"
    assert float(re.search(far, up)[1]) == -float(re.search(far, down)[1]) > 0


def test_a_disagreement_of_interval_and_test_is_said():
    # Newcombe's interval excludes 0, Fisher's P is 0.054.
    assert "here they disagree" in words(TWENTY)
    assert "disagree" not in words(arms(new="CR " * 12, old="PD " * 12))


def test_denominators_name_the_arm_that_lost_patients():
    text = page.read_denominators(page.rates(arms(new="CR PD", old="CR PD NE -"), ["new", "old"]))
    assert "With 'new' everybody could be judged." in text
    assert "With 'old' 2 of 4 could not be judged: overall response is 25.0% among all" in text
    assert "50.0% among the 2 evaluable" in text
    every = page.read_denominators(page.rates(arms(new="CR", old="PD"), ["new", "old"]))
    assert every.startswith("Every patient could be judged")


def test_fragility_names_the_arm_whose_patients_would_have_to_respond():
    rates = page.rates(PAPER.frame, PAPER.arms)
    text = page.read_fragility(rates, "complete response", "evaluable")
    assert "P = 0.031 becomes P = 0.066 with 1 more responder among those with 'non-CAR-T'" in text
    few = page.rates(arms(new="CR PD", old="PD PD"), ["new", "old"])
    assert "no finding to remove" in page.read_fragility(few, "complete response", "all")
    lower = page.rates(arms(new="PD " * 20, old="CR " * 12 + "PD " * 8), ["new", "old"])
    assert "with 'new'" in page.read_fragility(lower, "overall response", "all")


def test_tests_are_counted_as_they_fall():
    rates = page.rates(TWENTY, ["new", "old"])
    compared = page.contrasts(rates, reference="old")
    text = page.read_tests(compared, "overall response", "all")
    assert "Of 6 tests" in text and "4 give a P below 0.05" in text and "largest 0.055" in text


def test_the_rates_shown_are_those_that_were_printed():
    printed = section(PAPER, "crr_").set_index("id")["printed"]
    rates = page.rates(PAPER.frame, PAPER.arms)
    shown = page.rates_text(page.only(rates, "complete response", "evaluable"), PAPER)
    for arm, name in zip(PAPER.arms, ("cd20", "noncart"), strict=True):
        row = shown[shown["arm"] == arm].iloc[0]
        assert row["responders"] == printed[f"crr_{name}"].replace("/", " of ")
        assert row["rate"] == printed[f"crr_{name}.percent"]


def test_what_prints_so_is_marked_in_the_table_of_tests():
    table = page.printed_text(response_tests()).set_index("test")
    marked = {
        (test, column.removeprefix("against "))
        for column in table
        for test in table.index
        if "prints 0.03" in table.at[test, column]
    }
    assert marked == {
        ("Fisher", "3/38"), ("logistic Wald", "3/38"), ("Yates", "3/39"),
        ("likelihood ratio", "4/39"),
    }  # fmt: skip
    above = table["against 4/38"].str.contains("above 0.05")
    assert set(above.index[above]) == {"Fisher", "logistic Wald", "Yates", "mid-P"}


def test_the_prose_about_the_printed_counts_is_true():
    """Sentences of the notebook that stand in no single output."""
    at = response_tests().pivot_table(
        index="test", columns=["responders", "patients"], values="p_value"
    )
    assert (at[(3, 39)] < at[(3, 38)]).all(), "counting the patient as a failure helps the finding"
    tests = ("Fisher", "logistic Wald", "mid-P", "Pearson")
    path = page.p_path(15, 54, 38, range(9), tests).pivot(index="x0", columns="test")["p_value"]
    assert (path.loc[3] < 0.05).all() and (path.loc[5] > 0.05).all()
    assert (path.loc[4] - path.loc[3]).between(0.025, 0.036).all(), "about 0.03"
    assert path.loc[0].isna().to_dict() == {test: test == "logistic Wald" for test in tests}


def test_the_fewest_responders_are_the_fewest():
    shown = page.responders_needed(54, 38, range(6)).set_index("reference")
    for x0 in range(6):
        x1 = int(shown.loc[f"{x0} of 38", "fewest in the other arm"].split()[0])
        enough, short = (fisher_exact([[x, 54 - x], [x0, 38 - x0]]).pvalue for x in (x1, x1 - 1))
        assert enough < 0.05 <= short
    assert shown.loc["3 of 38", "fewest in the other arm"] == "14 of 54"
    assert "no number does" in page.responders_needed(2, 2, [1]).to_string()
    gaps = page.responders_needed(20, 20, range(16))["difference, points"].astype(float)
    assert gaps.min() == 25, "arms of 20 never find less than 25 points"


def test_the_exact_limits_shown_are_where_a_tail_has_two_and_a_half_percent():
    row = page.bounds_text([3], 38).iloc[0]
    low, high = (float(v) / 100 for v in re.findall(r"[\d.]+(?=%)", row["exact 95% interval"]))
    assert binom.cdf(3, 38, high) == pytest.approx(0.025, abs=0.0005)
    assert binom.sf(2, 38, low) == pytest.approx(0.025, abs=0.002)
    assert page.bounds_text([0, 5], [20, 5])["one-sided bound"].tolist() == [
        "at most 13.9%", "at least 54.9%",
    ]  # fmt: skip


def test_groups_have_both_arms_and_a_pooled_row(tmp_path):
    codes = ["CR", "PD", "PR", "SD", "NE", "CR"] * 5
    columns = {"os_time": range(1, 31), "os_event": [1] * 30, "response": codes,
               "ecog": [0, 3, 1, "", 4, 2] * 5}  # fmt: skip
    cohort = make_cohort(tmp_path, columns)
    table = page.strata(cohort, "ecog >= 3")
    shown = page.strata_text(table, cohort)
    assert shown["group"].tolist() == ["ecog < 3", "ecog >= 3", "missing", "pooled"]
    cells = [shown.loc[:2, arm].str.extract(r"of (\d+)")[0].astype(int) for arm in cohort.arms]
    assert sum(part.sum() for part in cells) == sum(code != "NE" for code in codes)
    assert "nan" not in shown.to_html()


def test_the_figure_of_people_has_a_mark_for_each_patient_and_response():
    rates = page.rates(PAPER.frame, PAPER.arms)
    figure = waffle.figure_people(PAPER.frame, rates, status=PAPER.status_line, mark=PAPER.mark)
    for ax, arm in zip(figure.axes, PAPER.arms, strict=True):
        codes = PAPER.frame.loc[PAPER.frame["arm"] == arm, "response"].value_counts()
        drawn = {line.get_gid(): len(line.get_xdata()) for line in ax.get_lines()}
        assert {code: n for code, n in drawn.items() if n} == codes.to_dict()
        assert f"n = {codes.sum()}" in ax.get_xlabel()
        places = [xy for line in ax.get_lines() for xy in zip(*line.get_data(), strict=True)]
        assert len(set(places)) == codes.sum(), "no mark covers another"


def test_no_response_is_told_by_colour_alone_or_has_the_colour_of_an_arm():
    shapes, colours = zip(*(value[:2] for value in waffle.MARKS.values()), strict=True)
    assert set(waffle.MARKS) == set(CODES)
    assert len(set(shapes)) == len(set(colours)) == 5
    assert not {COLOURS[0], COLOURS[1]} & set(colours)


@pytest.mark.parametrize("width", ["page", "half"])
def test_status_and_mark_are_drawn_in_every_panel_and_not_covered(width):
    rates = page.rates(PAPER.frame, PAPER.arms)
    marks = {"status": PAPER.status_line, "mark": PAPER.mark, "width": width}
    people = waffle.figure_people(PAPER.frame, rates, **marks)
    for figure in (people, waffle.figure_rates(rates, **marks)):
        figure.canvas.draw()
        for ax in figure.axes:
            drawn = {text.get_gid(): text for text in ax.texts}
            assert drawn["mark"].get_text().replace("\n", " ") == ONE_OF_MANY.upper()
            inside, box = drawn["mark"].get_window_extent(), ax.get_window_extent()
            assert box.y0 <= inside.y0 and inside.y1 <= box.y1
            assert box.x0 <= inside.x0 and inside.x1 <= box.x1
            lowest = min(
                ax.transData.transform((0, y))[1]
                for line in ax.get_lines() if line.get_gid() for y in line.get_ydata()
            )  # fmt: skip
            assert inside.y1 < lowest, "below every mark"
            status = drawn["status"].get_window_extent()
            assert status.x0 >= 0 and status.y1 <= figure.bbox.height


def test_both_intervals_of_every_rate_are_drawn_at_their_limits():
    rates = page.rates(TWENTY, ["new", "old"])
    ax = waffle.figure_rates(rates, status="Invented.").axes[0]
    for method in ("exact", "wilson"):
        name = {"exact": "exact", "wilson": "Wilson"}[method]
        drawn = [tuple(line.get_xdata()) for line in ax.get_lines() if line.get_gid() == name]
        wanted = 100 * rates[[f"{method}_low", f"{method}_high"]]
        assert drawn == [pytest.approx(row) for row in wanted.itertuples(index=False)]
    styles = {line.get_linestyle() for line in ax.get_lines() if line.get_gid() == "exact"}
    assert len(styles) == 2, "one line style an arm"


def test_the_path_of_p_is_drawn_as_computed_and_can_be_shown():
    path = page.p_path(15, 54, 38, range(6), ("Fisher", "Pearson"))
    figure = waffle.figure_added(
        path, xlabel="Responders", status="Printed numbers.", observed=3, printed=(0.025, 0.035)
    )
    drawn = {line.get_label(): line for line in figure.axes[0].get_lines()}
    assert drawn["Fisher"].get_ydata()[3] == pytest.approx(0.030691, abs=1e-6)
    assert drawn["as counted"].get_xdata()[0] == 3 and drawn["0.05"].get_ydata()[0] == 0.05
    alt = page.alt_path(path, 3)
    assert "Fisher 0.031 at 3, 0.066 at 4" in alt
    show(figure, of="Printed numbers.", alt=alt, number=1, caption="A.", takeaway="B.")


def test_names_from_a_file_are_not_markdown():
    frame = TWENTY.assign(arm=TWENTY["arm"].map({"new": "a*b_c", "old": "<i>"}))
    rates = page.rates(frame, ["a*b_c", "<i>"])
    compared = page.contrasts(rates, reference="<i>")
    text = page.read_all(rates, compared, "all") + page.caption_people(rates)
    assert r"a\*b\_c" in text and "a*b" not in text and "<i>" not in text


def test_what_no_print_binds_is_not_compared_on_the_cohort_built_for_the_paper():
    rates = page.rates(PAPER.frame, PAPER.arms)
    shown = page.rates_text(rates, PAPER)
    made_up = shown[shown["rests on"] == "invented"]
    assert set(made_up["arm"]) == {PAPER.arms[1]} and set(made_up["outcome"]) == {
        "overall, of all", "overall, of evaluable",
    }  # fmt: skip
    assert not made_up[["rate", "exact 95% interval", "Wilson"]].any(axis=None)
    compared = page.comparable(rates, PAPER)
    assert set(compared["outcome"]) == {"complete response"}
    text = page.read_all(compared, page.contrasts(compared, reference=PAPER.reference_arm), "all")
    assert "verall response" not in text
    table = page.strata_text(page.strata(PAPER, "ecog >= 3"), PAPER)
    assert set(table["odds ratio (95% interval)"]) == {"invented"}
    assert not table[list(PAPER.arms)].map(lambda text: "%" in text).any(axis=None)
    below = page.without_invented(rates, PAPER)
    figure = waffle.figure_people(PAPER.frame, below, status=PAPER.status_line, mark=PAPER.mark)
    first, second = (ax.get_xlabel() for ax in figure.axes)
    assert "Overall response: 25 of 54 evaluable, 46.3%" in first
    assert "Overall response: 11 of 38 evaluable, invented" in second
    assert "Complete response: 3 of 38 evaluable, 7.9%" in second
