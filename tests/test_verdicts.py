"""No honest paper may be called impossible: conventions, laws and bounds against R's numbers."""

import math

import numpy as np
import pytest
import true_prints
from scipy.stats import norm

from helpers.rebuild import measure as m
from helpers.rebuild.cells import two_sided as normal_p
from helpers.rebuild.claims import ClaimsError, build, two_sided, with_claims
from helpers.rebuild.proofs import verdicts
from helpers.rebuild.ratios import Item, Made, exists, least_fall, most_fall, p_quantiles, p_range
from helpers.rebuild.searched import assumed, not_searched
from helpers.rebuild.state import State, measured
from helpers.rebuild.verdicts import CONDITIONAL, IMPOSSIBLE, UNEXPLAINED

SAMPLES = true_prints.samples()
MODELS = [(s, model) for s in SAMPLES for model in s["models"]]


def test_samples_come_from_at_least_ten_real_sets_and_all_sizes():
    assert len({s["set"] for s in SAMPLES}) >= 10
    sizes = [s["both"]["n"] for s in SAMPLES]
    assert min(sizes) <= 30 and max(sizes) == 700
    assert {s["recorded"] for s in SAMPLES} == {"whole days", "whole months", "months"}


@pytest.mark.parametrize("part", range(4))
def test_no_true_print_is_called_impossible_under_any_convention(part):
    # Stated rightly, no convention is called into question either.
    for sample in SAMPLES[part::4]:
        for k in range(2):
            made = true_prints.Made(sample, np.random.default_rng([sample["number"], k]))
            unknown, known = true_prints.printed(made)
            if k:
                unknown = true_prints.partly(known, made.rng)
            assert [v.text() for v in verdicts(unknown) if v.grade == IMPOSSIBLE] == []
            assert [v.text() for v in verdicts(known) if v.grade != UNEXPLAINED] == []


# ---- what holds of a ratio, in R's numbers ------------------------------------------------------


def test_each_event_adds_at_most_a_quarter_to_the_information_in_any_model():
    for sample, model in MODELS:
        assert model["s"] >= 2 / math.sqrt(sample["both"]["events"]) - 1e-9


def test_profile_limits_and_likelihood_ratio_lie_where_the_information_lets_them():
    for sample, model in MODELS:
        if model["adjust"]:
            continue
        away = abs(model["b"])
        fall = math.sqrt(model["lr"]) * model["s"]
        assert least_fall(away) - 1e-4 <= fall <= most_fall(away) + 1e-4, sample["set"]
        score = math.sqrt(model["score"]) * model["s"]
        assert 2 * math.tanh(away / 2) - 1e-4 <= score <= 2 * math.sinh(away / 2) + 1e-4
        for level, *ends in zip(model["levels"], model["low"], model["high"], strict=True):
            z = norm.isf((1 - level / 100) / 2)
            for far in (model["b"] - ends[0], ends[1] - model["b"]):
                assert least_fall(far) - 1e-4 <= z * model["s"] <= most_fall(far) + 1e-4


def items_of(b, low, high, p, width=1e-4) -> list[Item]:
    """A ratio, its limits and its P, known to some digits."""
    near = [Item(name, name, v - width, v + width) for name, v in
            (("ratio", b), ("low", low), ("high", high))]  # fmt: skip
    return [*near, Item("p", "p", p * (1 - width), p * (1 + width))]


@pytest.mark.parametrize("test", ["wald", "likelihood_ratio"])
@pytest.mark.parametrize("kind", ["wald", "profile"])
@pytest.mark.parametrize("sides", [1, 2])
def test_a_ratio_exists_under_the_conventions_by_which_r_made_it(test, kind, sides):
    for sample, model in MODELS:
        b, s = model["b"], model["s"]
        z = abs(b / s) if test == "wald" else math.sqrt(model["lr"])
        p = norm.sf(z) * 2
        p = p if sides == 2 else p / 2 if b < 0 else 1 - p / 2
        for at, level in enumerate(model["levels"]):
            q = norm.isf((1 - level / 100) / 2)
            ends = (b - q * s, b + q * s)
            if kind == "profile":
                ends = (model["low"][at], model["high"][at])
            how = Made(test, sides, level, kind, alone=not model["adjust"])
            items = items_of(b, *ends, p)
            assert exists(items, how, sample["both"]["events"]), (sample["set"], how)
            assert exists(items, how._replace(level=None), sample["both"]["events"])


def test_a_ratio_made_otherwise_mostly_does_not_exist():
    made = [(v["b"], v["s"], v) for _, v in MODELS if abs(v["b"]) > max(0.2, v["s"] / 2)]
    usual = Made()
    away = lambda b, s, z, p: exists(items_of(b, b - z * s, b + z * s, p), usual, 1e9)  # noqa: E731
    halved = [away(b, s, 1.96, norm.sf(abs(b / s))) for b, s, _ in made]
    other = [away(b, s, 2.576, 2 * norm.sf(abs(b / s))) for b, s, _ in made]
    assert len(made) > 200 and not any(halved) and not any(other)


def test_the_p_that_a_ratio_leaves_is_the_one_r_prints():
    for _, model in MODELS:
        b, s = model["b"], model["s"]
        items = items_of(b, b - 1.959964 * s, b + 1.959964 * s, 0.5, width=1e-6)
        low, high = p_range(items, Made(), math.inf)
        p = 2 * norm.sf(abs(b / s))
        assert low <= p <= high and high - low < 0.01


def test_a_p_of_one_side_may_point_either_way():
    assert p_quantiles(0.025, 0.025, 1) == pytest.approx((1.96, 1.96), abs=1e-3)
    assert p_quantiles(0.975, 0.975, 1) == pytest.approx((1.96, 1.96), abs=1e-3)
    assert p_quantiles(0.4, 0.7, 1)[0] == 0
    assert p_quantiles(0.0, 0.001, 2)[1] == math.inf
    assert two_sided(0.01, 0.02, 1) == pytest.approx((0.02, 0.04))
    assert two_sided(0.4, 0.7, 1) == (pytest.approx(0.6), 1.0)


# ---- which convention would mend it -------------------------------------------------------------


def paper(*claims, **top) -> dict:
    """A paper of 60 and 60 patients."""
    base = {
        "name": "x", "time_unit": "months", "arms": {"new": 60, "old": 60}, "linked": False,
        "endpoints": {"os": "Overall survival"}, "factors": {"old": "Old"}, "ties": "efron",
        "rules": [], "claims": [],
    }  # fmt: skip
    return with_claims(base | top, [{"endpoint": "os"} | c for c in claims])


def ratio(printed="0.60", low="0.40", high="0.90", p="P = 0.013", **more) -> dict:
    found = {"id": "hr", "kind": "hazard_ratio", "printed": printed, "interval": [low, high]}
    return found | ({"p": p} if p else {}) | more


# A two-sided Wald P of 0.60 (0.40-0.90) is 0.011 to 0.016.
MENDED = {
    "one-sided": (ratio(p="P = 0.0068"), "a one-sided P"),
    "log-rank": (ratio(p="P = 0.011", printed="0.600", low="0.400", high="0.900"), "log-rank"),
    "99% limits": (ratio(low="0.35", high="1.02", p="P = 0.013"), "limits at 99%"),
    "profile": (ratio("0.60", "0.38", "0.90", None), "a profile-likelihood"),
}


@pytest.mark.parametrize("name", MENDED)
def test_a_contradiction_names_the_convention_that_would_mend_it(name):
    claim, words = MENDED[name]
    (verdict,) = verdicts(paper(claim))
    assert verdict.grade == CONDITIONAL and any(words in mend for mend in verdict.mends)
    assert "Impossible if" in verdict.text() and "Would be explained by" in verdict.text()


def test_a_stated_convention_takes_the_contradiction_away_or_proves_it():
    one_sided, _ = MENDED["one-sided"]
    assert verdicts(paper(one_sided | {"sides": 1})) == []
    assert verdicts(paper(one_sided, sides=1)) == []  # for the whole file
    stated = {"test": "wald", "sides": 2, "level": 95, "interval_kind": "wald"}
    (verdict,) = verdicts(paper(one_sided | stated))
    assert verdict.grade == IMPOSSIBLE
    assert "as the file states that the P is that of a Wald test" in verdict.text()
    assert verdicts(paper(MENDED["99% limits"][0] | {"level": 99})) == []
    assert verdicts(paper(MENDED["profile"][0] | {"interval_kind": "profile"})) == []


def test_what_is_left_open_is_left_open_beside_what_is_stated():
    claim = ratio(p="P = 0.4", test="wald", sides=2, interval_kind="wald")
    (verdict,) = verdicts(paper(claim))  # at any level
    assert verdict.grade == IMPOSSIBLE and verdict.ids == ("hr.high", "hr.p")
    assert "goes with a P below 0.1" in verdict.why and "at 95%" not in verdict.text()
    assert verdicts(paper(claim | {"p": "P = 0.04"}))[0].grade == CONDITIONAL  # 90% would do


def test_a_p_far_from_every_convention_is_not_explained_and_not_impossible():
    (verdict,) = verdicts(paper(ratio(p="P = 0.4")))
    assert verdict.grade == UNEXPLAINED and "no proof" in verdict.text()
    beside = {"id": "lr", "kind": "log_rank", "printed": "P = 0.4"}
    (verdict,) = verdicts(paper(ratio(p=None), beside))
    assert verdict.grade == UNEXPLAINED and set(verdict.ids) == {"hr.low", "hr.high", "lr"}
    assert "log-rank test would give" in verdict.text()
    # An adjusted ratio says nothing of an unadjusted test.
    assert verdicts(paper(ratio(p=None, adjust=["old"]), beside)) == []


def test_a_log_rank_p_of_one_side_is_told_beside_the_ratio():
    half = {"id": "lr", "kind": "log_rank", "printed": "P = 0.145"}
    (verdict,) = verdicts(paper(ratio("0.800", "0.530", "1.208", None), half))
    assert verdict.grade == CONDITIONAL and not verdict.proved
    assert "Hardly possible if" in verdict.text() and "one-sided" in verdict.mends[0]


def test_a_ratio_outside_its_limits_is_impossible_whatever_they_are():
    (verdict,) = verdicts(paper(ratio("0.95", p=None)))
    assert verdict.grade == IMPOSSIBLE and verdict.text().endswith("under every convention.")
    assert "does not lie between" in verdict.why


def test_medians_on_no_day_name_the_months_that_give_all_of_them():
    days = {"median": 123, "follow_up": 200, "survivors_follow_up": 301}
    claims = [{"id": kind, "kind": kind, "printed": f"{day / 30.44:.3f}"}
              for kind, day in days.items()]  # fmt: skip
    (verdict,) = verdicts(paper(*claims))
    assert verdict.grade == CONDITIONAL and "months of 30.44 days" in verdict.mends[0]
    assert verdicts(paper(*claims, month=30.44)) == []
    assert verdicts(paper(*claims, whole_days=False)) == []
    (verdict,) = verdicts(paper(*claims, month=30, whole_days=True))
    assert verdict.grade == IMPOSSIBLE and "a month is 30 days" in verdict.text()


def test_the_middle_of_two_days_is_no_median_where_the_file_says_first():
    claim = {"id": "c", "kind": "median", "printed": "52.5 days"}
    assert verdicts(paper(claim)) == []
    (verdict,) = verdicts(paper(claim | {"plateau": "first", "whole_days": True}))
    assert verdict.ids == ("c",) and verdict.grade == IMPOSSIBLE


def test_percentages_that_no_count_rounds_to_name_what_gives_them():
    table = {"kind": "patients", "factor": "old", "arm": "new", "id": "f"}
    (cut,) = verdicts(paper(table | {"printed": "6.6%"}))  # 4 of 60 is 6.67%
    assert cut.grade == CONDITIONAL and "4 of 60" in cut.mends[0] and "cut off" in cut.mends[0]
    (fewer,) = verdicts(paper(table | {"printed": "15 (25.9%)"}))  # 15 of 58 is 25.86%
    assert fewer.grade == CONDITIONAL and "15 of 58" in " ".join(fewer.mends)
    (never,) = verdicts(paper(table | {"printed": "15/60 (26.9%)"}))
    assert never.grade == IMPOSSIBLE
    assert verdicts(paper(table | {"printed": "12%"}, arms={"new": 40, "old": 60})) == []  # 12.5%
    assert verdicts(paper(table | {"printed": "13%"}, arms={"new": 40, "old": 60})) == []


# ---- laws of counts and curves ------------------------------------------------------------------

PLAIN = {"weighted": False, "late_entry": False, "whole_days": True, "month": "365/12"}
NEW = {"arm": "new"}
LAWS = {
    "deaths that a curve needs with so many at risk": (
        [{"kind": "survival", "at": 12, "printed": "55%", **NEW},
         {"kind": "at_risk", "at": 12, "printed": "29", **NEW},
         {"kind": "events", "printed": "5", **NEW}], 3),
    "those whom the curve leaves when nobody was censored": (
        [{"kind": "survival", "at": 12, "printed": "50%", **NEW},
         {"kind": "at_risk", "at": 12, "printed": "10", **NEW},
         {"kind": "events", "printed": "60", **NEW}], 3),
    "those whom the curve leaves when few were censored early": (
        [{"kind": "survival", "at": 12, "printed": "50%", **NEW},
         {"kind": "at_risk", "at": 12, "printed": "10", **NEW},
         {"kind": "censored_before", "at": 13, "printed": "5", **NEW}], 3),
    "a mean difference beyond the horizon": (
        [{"kind": "rmst_difference", "at": 12, "printed": "14 months"}], 1),
    "a mean difference of two high curves": (
        [{"kind": "rmst_difference", "at": 12, "printed": "5.0 months"},
         {"kind": "survival", "at": 12, "printed": "93%", "arm": "old"}], 2),
    "no event and a curve below 100%": (
        [{"kind": "survival", "at": 12, "printed": "93%", **NEW},
         {"kind": "events", "printed": "0", **NEW}], 2),
}  # fmt: skip


@pytest.mark.parametrize("name", LAWS)
def test_counts_and_curves_that_cannot_be_are_told_with_all_that_it_takes(name):
    claims, size = LAWS[name]
    claims = [{"id": f"c{k}"} | claim for k, claim in enumerate(claims)]
    (verdict,) = verdicts(paper(*claims, **PLAIN))
    assert verdict.grade == IMPOSSIBLE and len(verdict.ids) == size == len(claims)
    for left_out in range(size):
        rest = [claim for k, claim in enumerate(claims) if k != left_out]
        assert not rest or verdicts(paper(*rest, **PLAIN)) == []
    (told,) = verdicts(paper(*claims))  # without a word of conventions
    anyhow = name.startswith(("a mean difference beyond", "no event"))
    assert told.grade == (IMPOSSIBLE if anyhow else CONDITIONAL)


def test_points_read_off_a_curve_stand_beside_a_contradiction():
    point = {"id": "p", "kind": "survival", "at": 3, "min": 0.7, "max": 0.8, **NEW}
    claims = [{"id": "m", "kind": "median", "printed": "4.0", **NEW},
              {"id": "s", "kind": "survival", "at": 12, "printed": "60%", **NEW}]  # fmt: skip
    (verdict,) = verdicts(paper(point, *claims))
    assert verdict.ids == ("m", "s")


def test_deaths_at_the_very_time_asked_about_explain_more_at_risk_than_the_curve_leaves():
    # R counts those who die in month 6 as at risk at month 6, and the curve takes them off.
    claims = [{"id": "s", "kind": "survival", "at": 6, "printed": "44%", **NEW},
              {"id": "r", "kind": "at_risk", "at": 6, "printed": "30", **NEW}]  # fmt: skip
    (verdict,) = verdicts(paper(*claims, weighted=False, late_entry=False))
    assert verdict.grade == CONDITIONAL and "not in whole days" in " ".join(verdict.mends)
    assert verdicts(paper(*claims, whole_days=False)) == []


@pytest.mark.parametrize("claim", [
    {"kind": "median", "printed": "60 months"}, {"kind": "follow_up", "printed": "60 months"},
    {"kind": "at_risk", "at": 55, "printed": "3"}, {"kind": "survival", "at": 55, "printed": "4%"},
], ids=str)  # fmt: skip
def test_what_lies_beyond_the_last_day_rests_on_the_last_day(claim):
    (verdict,) = verdicts(paper({"id": "c"} | claim, last_day=1600))
    assert verdict.grade == CONDITIONAL and verdict.ids == ("c", "last_day")
    rule = {"id": "until", "kind": "last_day", "max": 1600}
    (verdict,) = verdicts(paper({"id": "c"} | claim, rules=[rule]))
    assert verdict.ids == ("c", "until")
    assert verdicts(paper({"id": "c"} | claim, last_day=1900)) == []


def test_medians_and_a_ratio_that_favour_different_arms_are_not_explained():
    medians = [{"id": "a", "kind": "median", "printed": "5.0", "arm": "new"},
               {"id": "b", "kind": "median", "printed": "9.0", "arm": "old"}]  # fmt: skip
    (verdict,) = verdicts(paper(ratio(), *medians))
    assert verdict.grade == UNEXPLAINED and "other way round" in verdict.text()
    assert verdicts(paper(ratio("0.80", "0.53", "1.20", None), *medians)) == []


# ---- what the search looks for ------------------------------------------------------------------


def row_of(content: dict, name: str):
    (row,) = (row for row in build(content).rows if row.id == name)
    return row


def test_the_limits_of_a_level_are_searched_at_its_quantile():
    content = paper(ratio(level=99))
    assert row_of(content, "hr.low").day == pytest.approx(norm.isf(0.005))
    assert row_of(paper(ratio()), "hr.low").day == 0
    rng = np.random.default_rng(3)
    problem = build(content)
    state = State(np.floor(rng.exponential(300, (1, 120))) + 1, rng.integers(0, 2, (1, 120)),
                  rng.integers(0, 2, (1, 120)))  # fmt: skip
    rows = [row_of(content, name) for name in ("hr", "hr.low", "hr.high", "hr.p")]
    b, low, high, p = measured(problem, state, rows)
    z = norm.isf(math.exp(p) / 2)
    assert normal_p(z) == pytest.approx(math.exp(p))
    error = abs(b) / z
    assert (low, high) == pytest.approx((b - 2.5758293 * error, b + 2.5758293 * error), rel=1e-5)


def test_sides_months_and_a_log_rank_p_are_searched_as_stated():
    half, whole = paper(ratio(p="P = 0.0068", sides=1)), paper(ratio(p="P = 0.0136"))
    assert row_of(half, "hr.p")[7:10] == pytest.approx(row_of(whole, "hr.p")[7:10], abs=5e-3)
    test = paper(ratio(test="log_rank"))
    assert row_of(test, "hr.p").kind == m.LOG_RANK and not_searched(test) == {}
    median = {"id": "c", "kind": "median", "printed": "10.0"}
    assert row_of(paper(median, month=30), "c").low == math.ceil(9.95 * 30)
    assert row_of(paper({"id": "c", "kind": "at_risk", "at": 6, "printed": "9"}, month=30),
                  "c").day == 180  # fmt: skip


def test_what_is_not_searched_is_said():
    profile = paper(ratio(interval_kind="profile", test="likelihood_ratio"))
    assert set(not_searched(profile)) == {"hr.interval", "hr.p"}
    assert [row.id for row in build(profile).rows] == ["hr"]
    assert set(not_searched(paper(ratio(test="log_rank", adjust=["old"])))) == {"hr.p"}
    for name in ("stratified", "weighted", "late_entry"):
        test = {"id": "lr", "kind": "log_rank", "printed": "P = 0.02"}
        content = paper(ratio(), test, **{name: True})
        assert set(not_searched(content)) == {"hr", "lr"} and build(content).rows == ()
    assert "a P is two-sided" in assumed(paper(ratio()))
    assert "a P is two-sided" not in assumed(paper(ratio(), sides=2))


def test_conventions_are_refused_by_key_with_what_to_do():
    for wrong in (
        {"level": 80}, {"level": True}, {"test": "t"}, {"sides": 3}, {"month": 365},
        {"interval_kind": "exact"}, {"stratified": "no"}, {"plateau": "last"},
    ):  # fmt: skip
        (name,) = wrong
        claim = {"id": "c", "kind": "median", "printed": "5"} if name == "plateau" else ratio()
        with pytest.raises(ClaimsError, match=rf"{name}: found .* To do: "):
            paper(claim | wrong)
    with pytest.raises(ClaimsError, match="test: found one for median"):
        paper({"id": "c", "kind": "median", "printed": "5", "test": "wald"})


def test_the_level_and_the_test_are_taken_from_the_printed_text():
    content = paper({"id": "hr", "kind": "hazard_ratio",
                     "printed": "0.60 (99% CI, 0.35-1.02; log-rank P = .012)"})  # fmt: skip
    (claim,) = content["claims"]
    assert (claim["level"], claim["test"]) == (99, "log_rank")
    assert verdicts(content) == []
