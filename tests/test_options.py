"""Published options: what is refused, where a number comes from, and how weak rows look."""

import inspect
import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from browser import browser, visit  # noqa: F401
from scipy.stats import binom

from helpers.cohort import ROOT
from helpers.notebook import table
from helpers.pages import options_cases, options_filter, options_page, options_traps
from helpers.paper import option_outcomes
from helpers.paper.option_outcomes import NO_LEVEL, OURS, from_note, medians, outcomes, rates
from helpers.paper.options import AFTER, ENDPOINTS, GROUPS, PATH, load_options, overlap_rows
from helpers.plots.landscape import LOOKS, THICK, figure_medians, figure_rates
from helpers.plots.landscape_hover import plotly_medians, plotly_rates
from helpers.plots.style import is_stamped

ROWS = load_options()
AFTER_CART = ROWS[ROWS["population"] == AFTER]
STATUS = options_page.STATUS
NOTEBOOK = ROOT / "notebooks" / "08_salvage_options.ipynb"
FIGURES = {"rates": (figure_rates, rates), "medians": (figure_medians, medians)}
HOVERS = {"rates": (plotly_rates, rates), "medians": (plotly_medians, medians)}


def changed(tmp_path, row_id, **values):
    """The file with some cells of one row changed."""
    text = pd.read_csv(PATH, dtype=str, keep_default_na=False)
    text.loc[text["row_id"] == str(row_id), list(values)] = list(map(str, values.values()))
    path = tmp_path / "options.csv"
    text.to_csv(path, index=False)
    return path


REFUSED = {
    "fewer responses than complete ones": (16, {"orr_pct": 20}, "orr_pct, row 17", "20 with CR"),
    "a median outside its interval": (30, {"pfs_ci_low": 2.9}, "median_pfs_months, row 31", "2.3"),
    "limits without an estimate": (6, {"crr_pct": ""}, "crr_pct, row 7", "46 to 81"),
    "more than every patient": (12, {"crr_pct": "135"}, "crr_pct, row 13", "135"),
    "nobody treated": (12, {"n": 0}, "n, row 13", "0"),
    "an unusual confidence": (11, {"ci_level_pct": 80}, "ci_level_pct, row 12", "80"),
    "a level without an interval": (12, {"ci_level_pct": 95}, "ci_level_pct, row 13", "95"),
    "an interval without a level": (21, {"ci_level_pct": ""}, "ci_level_pct, row 22", "nothing"),
    "a row without a source": (30, {"citation": ""}, "citation, row 31", "nothing"),
    "a source nobody can look up": (30, {"source_url": ""}, "citation, row 31", "Gouni"),
    "a row that overlaps with no row": (14, {"overlap": "same trial as 99"}, "overlap", "99"),
    "a fifth tier": (5, {"tier": 5}, "tier, row 6", "5"),
    "a news report promoted": (5, {"tier": 1}, "tier, row 6", "1"),
    "a count that prints otherwise": (
        1, {"complete_responders": 14}, "complete_responders", "14 of 54",
    ),
    "a count that no note prints": (
        16, {"responders": 29, "evaluable_n": 60, "counts_words": "29/60"}, "counts_words", "29/60",
    ),
    "a clock that no note names": (
        3, {"time_zero": "infusion", "time_zero_endpoints": "os", "time_zero_row": 3,
            "time_zero_words": "from infusion"}, "time_zero, row 4", "infusion",
    ),
    "a median that was not reached": (11, {"os_status": "not reached"}, "os_status", "not reached"),
    "words for a number": (12, {"crr_pct": "about 35"}, "crr_pct, row 13", "about 35"),
}  # fmt: skip


@pytest.mark.parametrize(("row_id", "values", "where", "found"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_stand_is_refused_with_column_row_finding_and_remedy(
    tmp_path, row_id, values, where, found
):
    with pytest.raises(ValueError, match="To do:") as refusal:
        load_options(changed(tmp_path, row_id, **values))
    line = next(line for line in str(refusal.value).splitlines() if where in line)
    assert f"found {found}" in line or found in line.partition("To do")[0]


def test_a_missing_column_is_named(tmp_path):
    path = tmp_path / "options.csv"
    pd.read_csv(PATH, dtype=str).drop(columns="tier").to_csv(path, index=False)
    with pytest.raises(ValueError, match="tier: found no such column"):
        load_options(path)


def test_all_rows_are_kept_and_what_is_missing_stays_missing():
    raw = pd.read_csv(PATH, dtype=str, keep_default_na=False)
    assert ROWS["row_id"].tolist() == list(range(1, 54))
    for columns in ENDPOINTS.values():
        for column in columns:
            assert ((raw[column] == "") == ROWS[column].isna()).all(), column
    assert ROWS["population"].value_counts().to_dict() == {
        AFTER: 47, "mostly after CD19 CAR-T": 2, "not specific to after CAR-T": 4,
    }  # fmt: skip


def test_every_row_has_a_source_and_every_doi_a_reference():
    references = (ROOT / "data" / "references.bib").read_text(encoding="utf-8").lower()
    assert ROWS["link"].str.match("https?://").all()
    cited = " ".join(ROWS["citation"] + "; " + ROWS["study"])
    for doi in re.findall(r"10\.\d{4,}/[^\s;)]+", cited):
        assert f"{{{doi.lower()}}}" in references, doi


def test_exact_intervals_stand_only_where_counts_are_printed_and_hold_their_level():
    ours = outcomes(ROWS)[lambda table: table["interval"] == OURS]
    assert ours["row_id"].tolist() == [1, 51, 51, 35, 35, 2]
    for row in ours.to_dict("records"):
        source = ROWS.set_index("row_id").loc[row["row_id"]]
        x, n = source[option_outcomes.COUNTED[row["endpoint"]]], source["evaluable_n"]
        assert source["counts_words"] in source["row_note"]
        assert binom.sf(x - 1, n, row["conf_low"] / 100) == pytest.approx(0.025)
        assert binom.cdf(x, n, row["conf_high"] / 100) == pytest.approx(0.025)


def test_printed_intervals_keep_their_level_and_one_is_of_ninety_percent():
    kinds = outcomes(ROWS).set_index(["row_id", "endpoint"])["interval"]
    assert kinds[kinds == "printed 90%"].index.tolist() == [(11, "os")]
    assert {row for row, _ in kinds[kinds == NO_LEVEL].index} == {42, 43, 48, 49}
    assert outcomes(ROWS).query("interval == ''")[["conf_low", "conf_high"]].isna().all(axis=None)


def test_rows_stand_in_the_order_of_option_and_number_and_not_of_their_result():
    for frame in (rates(ROWS), outcomes(ROWS)):
        order = frame["option_group"].map(GROUPS.index) * 1000 + frame["row_id"]
        assert order.is_monotonic_increasing
    assert not rates(AFTER_CART).query("endpoint == 'crr'")["estimate"].is_monotonic_decreasing


def test_nothing_here_pools_rates_or_medians():
    for module in (option_outcomes, options_page, options_traps, options_cases):
        text = inspect.getsource(module)
        assert not re.search(r"\.mean\(|\.median\(|average\(|combine_eff|sort_values\(.esti", text)
    columns = set(outcomes(ROWS)) | set(options_page.rows_table(ROWS, "row", "option"))
    assert not {"pooled", "rank", "mean"} & columns


def drawn_in(ax):
    """The marks of a panel: number of the row, and where it stands."""
    lines = [line for line in ax.get_lines() if str(line.get_gid()).startswith("row ")]
    return [(int(line.get_gid().split()[1]), float(line.get_xdata()[0])) for line in lines]


@pytest.mark.parametrize("kind", FIGURES)
@pytest.mark.parametrize("width", ["page", "half"])
def test_every_mark_of_a_figure_is_the_number_of_its_row(kind, width):
    draw, tidy = FIGURES[kind]
    frame = tidy(AFTER_CART)
    figure = draw(frame, status=STATUS, highlight=True, width=width)
    figure.savefig(io.BytesIO())
    marks = sorted(mark for ax in figure.axes for mark in drawn_in(ax))
    known = frame.dropna(subset=["estimate"])
    assert marks == sorted(zip(known["row_id"], known["estimate"], strict=True))
    assert is_stamped(figure)
    for text in figure.findobj(lambda artist: artist.get_gid() in ("status", "option", "clock")):
        box = text.get_window_extent()
        assert box.x0 >= 0 and box.x1 <= figure.bbox.width + 1, text.get_text()


def test_a_weaker_tier_is_weaker_in_shape_and_tone_and_size_and_line():
    def lightness(colour):
        return sum(int(colour[i : i + 2], 16) for i in (1, 3, 5))

    looks = [LOOKS[tier] for tier in (1, 2, 3, 4)]
    assert len({shape for shape, *_ in looks}) == 4
    assert np.diff([lightness(tone) for _, tone, *_ in looks]).min() > 0
    assert [filled for _, _, filled, *_ in looks] == [True, True, False, False]
    assert np.diff([size for *_, size, _ in looks]).max() <= 0
    assert np.diff(list(THICK.values())).max() < 0
    contrast = [(1.05) / ((lightness(label) / 765) ** 2.2 + 0.05) for *_, label in looks]
    assert min(contrast) > 4.5, "labels stay readable"


def test_medians_of_different_clocks_never_share_an_axis():
    frame = medians(AFTER_CART)
    figure = figure_medians(frame, status=STATUS)
    for clock, ax in zip(dict.fromkeys(frame["time_zero"]), figure.axes[1::2], strict=True):
        drawn = {row for row, _ in drawn_in(ax)}
        same = frame[(frame["time_zero"] == clock) & (frame["endpoint"] == "os")]
        assert drawn == set(same.dropna(subset=["estimate"])["row_id"])
    hover = plotly_medians(medians(ROWS), status=STATUS)
    order = medians(ROWS).drop_duplicates(["time_zero", "row_id"])
    for button in hover.layout.updatemenus[0].buttons:
        shown = [t for t, seen in zip(hover.data, button.args[0]["visible"], strict=True) if seen]
        labels = {hover.layout.yaxis.ticktext[at] for t in shown for at in t.y}
        title = button.args[1]["xaxis.title.text"]
        clocks = set(order.loc[order["label"].isin(labels), "time_zero"])
        assert any(clock in title for clock in clocks) and title.count("since") <= 1


@pytest.mark.parametrize("kind", HOVERS)
def test_the_figure_with_hover_opens_with_patients_after_cart_only(kind):
    draw, tidy = HOVERS[kind]
    figure = draw(tidy(ROWS), status=STATUS, highlight=True)
    other = set(ROWS.loc[ROWS["population"] != AFTER, "label"])
    names = figure.layout.yaxis.ticktext
    shown = {names[at] for trace in figure.data if trace.visible for at in trace.y}
    every = {names[at] for trace in figure.data for at in trace.y}
    assert shown and not shown & other and every & other
    assert figure.layout.updatemenus[0].active == 0
    first = figure.layout.updatemenus[0].buttons[0]
    assert list(first.args[0]["visible"]) == [trace.visible for trace in figure.data]
    assert any("every population" in b.label for b in figure.layout.updatemenus[0].buttons)
    told = [text for trace in figure.data for text in trace.hovertext if "Tier" in text]
    assert all("http" in text.replace("<br>", "") and "Row " in text for text in told)


def test_the_alternative_text_gives_the_numbers_that_are_drawn():
    alt = options_page.alt_landscape(rates(AFTER_CART), ("orr", "crr"), True)
    for row in rates(AFTER_CART).to_dict("records"):
        assert f"{row['label']}: " in alt and row["printed"] in alt
    assert "not of their value" in alt


def test_a_sentence_whose_note_is_gone_is_an_error():
    with pytest.raises(ValueError, match="To do: quote the note"):
        from_note(ROWS, 5, r"durability of (\d+)% at one year")
    gone = ROWS.assign(row_note="")
    for claim in (options_traps.read_cd22, options_traps.strata_table, options_traps.relapse_table):
        with pytest.raises(ValueError, match="found nothing"):
            claim(gone)


def test_the_traps_are_what_the_rows_say():
    year = options_traps.year_table(ROWS).set_index("row")["OS less PFS, points"]
    assert year[year.str.startswith("-")].to_dict() == {26: "-2.1"}
    assert "23 pairs" in options_traps.read_overlap(ROWS) and "245" in options_traps.read_overlap(
        ROWS
    )
    assert overlap_rows("same registry as 32 and 39") == (32, 39)
    strata = options_traps.strata_table(ROWS)["median OS, months"].astype(float)
    assert strata[1:].max() < strata[0]
    clocks = options_page.clocks_table(medians(AFTER_CART), ROWS).set_index("clock starts at")
    counts = clocks[["medians of PFS", "medians of OS"]].sum(axis=1)
    assert counts.drop("not stated").sum() == 11 and counts.sum() == 40, "the prose says so"


def test_waiting_alone_makes_the_transplanted_live_longer():
    made = options_traps.waiting(np.random.default_rng(1), n=40_000, median=8.0, wait=4, share=0.3)
    middle = made.groupby("transplanted")["months"].median()
    assert middle[True] == pytest.approx(12, abs=0.4) and middle[False] < 8
    assert made["months"].median() == pytest.approx(8, abs=0.2), "nobody gained"


def test_every_class_has_a_case_that_lists_its_rows():
    assert set(options_cases.CASES) == set(GROUPS)
    for group in GROUPS:
        text = options_cases.case_text(ROWS, group)
        part = AFTER_CART[AFTER_CART["option_group"] == group]
        named = {int(i) for i in re.findall(r"\[row (\d+), tier \d\]", text)}
        assert named <= set(part["row_id"])
        told = outcomes(part).query("endpoint in ['crr', 'os']") if len(part) else part
        assert named == set(told["row_id"])


def test_every_number_in_the_tables_of_the_page_is_a_rows_own():
    """Whatever a table of rows shows is in the file, or an exact limit of printed counts."""
    shown = options_page.rows_table(ROWS, "row", *options_page.HEADS.values())
    raw = pd.read_csv(PATH, dtype=str, keep_default_na=False).set_index("row_id")
    for row in shown.to_dict("records"):
        source = set(raw.loc[str(row["row"])])
        for head in options_page.HEADS.values():
            for number in re.findall(r"\d+(?:\.\d+)?", row[head].replace("90%", "")):
                assert number in source or row[head].endswith("*"), (row["row"], row[head])


def test_decimals_in_the_prose_of_the_page_stand_in_an_output_above_it():
    cells, seen = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"], ""
    for cell in cells:
        if cell["cell_type"] == "code":
            for output in cell["outputs"]:
                for kind in ("text/html", "text/markdown", "text/plain"):
                    seen += " " + "".join(output.get("data", {}).get(kind, ""))
        elif "solution" not in cell["metadata"].get("tags", []):
            text = re.sub(r"\]\([^)]*\)", "", "".join(cell["source"]))
            for number in re.findall(r"(?<![\w/])\d+\.\d+%?", text):
                assert number.rstrip("%") in seen, number


def test_the_table_filters_without_a_script(browser, tmp_path):  # noqa: F811
    heads = ("row", "option", "tier", "source")
    whole = table(options_page.rows_table(ROWS, *heads), of=STATUS, caption="All.")
    html = options_filter.filtered(whole, ROWS).data
    assert "<script" not in html and html.count("<a href=") == len(ROWS)
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><title>x</title>{html}", encoding="utf-8")
    visit(browser, page)
    count = "return [...document.querySelectorAll('tbody tr')].filter(r => r.offsetHeight).length"
    click = "document.getElementById('salvage-options-' + arguments[0]).click()"
    assert browser.execute_script(count) == 47
    browser.execute_script(click, "after")
    assert browser.execute_script(count) == 53
    browser.execute_script(click, str(GROUPS.index("Loncastuximab tesirine")))
    assert browser.execute_script(count) == 2
