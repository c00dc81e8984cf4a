"""Claims files: what is refused, what is proved inconsistent, what is only not met."""

import copy

import numpy as np
import pytest
import yaml
from test_rebuild import ENDS, SEEDS, random_cohort

from helpers.cohort import ROOT
from helpers.rebuild import measure as m
from helpers.rebuild.checking import KEYS, KINDS, TOP
from helpers.rebuild.claims import ClaimsError, build, limits, read_claims, with_claims
from helpers.rebuild.contradictions import contradictory_counts
from helpers.rebuild.misses import miss_table, nearest_miss, unmet_together
from helpers.rebuild.paper import CLAIMS, paper_claims, paper_problem
from helpers.rebuild.problem import Builder, Row
from helpers.rebuild.proofs import proofs, verdicts
from helpers.rebuild.ratio_verdicts import impossible_ratio, ratio_items
from helpers.rebuild.state import State, measured
from helpers.rebuild.stated import CONVENTIONS
from helpers.rebuild.verdicts import CONDITIONAL, IMPOSSIBLE

NEW, OLD = "CD20 CAR-T", "non-CAR-T"


def altered(name: str, **change) -> dict:
    """The paper's claims with one of them changed."""
    content = copy.deepcopy(paper_claims())
    (claim,) = (c for c in content["claims"] if c["id"] == name)
    claim.update(change)
    return content


def added(*claims: dict) -> dict:
    return with_claims(copy.deepcopy(paper_claims()), claims)


def test_the_template_shows_every_kind_and_key_and_is_consistent():
    content = read_claims(ROOT / "data" / "claims_template.yaml")
    rows = content["claims"] + content["rules"]
    text = (ROOT / "data" / "claims_template.yaml").read_text(encoding="utf-8")
    assert all(kind in text for kind in KINDS)
    assert set().union(*rows) - {"as_printed"} | set(CONVENTIONS) == KEYS
    assert set(content) | {"numbers"} | set(CONVENTIONS) == TOP
    shown = [line.removeprefix("# ").split("#")[0] for line in text.splitlines()]
    conventions = yaml.safe_load("\n".join(s for s in shown if s.partition(":")[0] in CONVENTIONS))
    assert conventions == {n: c.choices[0] for n, c in CONVENTIONS.items()}  # the usual ones
    assert verdicts(content) == [] == verdicts(content | conventions)
    assert len(build(content).rows) > len(rows)


WRONG = {
    "kind": ({"kind": "medain"}, "kind: found 'medain'. To do"),
    "arm": ({"arm": "young"}, "arm: found 'young'. To do"),
    "endpoint": ({"endpoint": "dfs"}, "endpoint: found 'dfs'. To do"),
    "printed": ({"printed": "soon"}, "printed: found 'soon'. To do"),
    "unknown key": ({"colour": 1}, "colour: found this unknown key. To do"),
    "factor": ({"kind": "patients", "factor": "tall"}, "factor: found 'tall'. To do"),
    "at": ({"kind": "survival", "at": "6 moons"}, "at: found '6 moons'. To do"),
    "adjust": ({"kind": "hazard_ratio", "adjust": "old"}, "adjust: found 'old'. To do"),
    "interval": ({"kind": "hazard_ratio", "interval": "0.1-0.9"}, "interval: found '0.1-0.9'"),
    "p": ({"p": "0.05"}, "p: found one for median. To do"),
    "min": ({"min": "three"}, "min: found 'three'. To do"),
    "decimals": ({"decimals": "two"}, "decimals: found 'two'. To do"),
}


def written(folder, change=None, **top):
    """A claims file with one claim changed, or keys of the top."""
    content = {"name": "x", "time_unit": "months", "arms": {"new": 10, "old": 9},
               "endpoints": {"os": "Overall survival"}}  # fmt: skip
    claim = {"id": "c", "kind": "median", "endpoint": "os", "printed": "4.0"} | (change or {})
    content |= {"claims": [claim]} | top
    path = folder / "claims.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_claim_is_refused_by_key_with_what_was_found_and_what_to_do(name, tmp_path):
    change, said = WRONG[name]
    with pytest.raises(ClaimsError) as refused:
        read_claims(written(tmp_path, change))
    assert any(line.startswith(f"c, {said}") for line in refused.value.found)
    assert all("To do: " in line for line in refused.value.found)


@pytest.mark.parametrize(
    "top",
    [
        {"time_unit": "moons"}, {"arms": {"a": 3}}, {"arms": {"a": 3, "b": "many"}},
        {"endpoints": {"OS": "x"}}, {"linked": True}, {"factors": ["old"]}, {"ties": "exact"},
        {"claims": {}}, {"claims": "none"}, {"rules": "none"}, {"last_day": "soon"}, {"year": 2024},
        {"numbers": "nowhere.csv"}, {"endpoints": {"os": "x", "pfs": "y"}},
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_key_of_the_file_is_refused(top, tmp_path):
    with pytest.raises(ClaimsError) as refused:
        read_claims(written(tmp_path, **top))
    (name,) = top
    assert refused.value.found and all("To do: " in line for line in refused.value.found)
    assert any(line.startswith(name) for line in refused.value.found)


def test_a_key_that_stands_twice_is_refused(tmp_path):
    path = tmp_path / "claims.yaml"
    text = (ROOT / "data" / "claims_template.yaml").read_text(encoding="utf-8")
    path.write_text(f"{text}\nname: Another study\n", encoding="utf-8")
    with pytest.raises(ClaimsError, match="'name' twice"):
        read_claims(path)


def test_all_mistakes_come_at_once(tmp_path):
    path = written(tmp_path, {"arm": "young", "printed": "soon", "colour": "red"})
    with pytest.raises(ClaimsError) as refused:
        read_claims(path)
    assert len(refused.value.found) == 3
    for text in ("[", "just words", "\xff"):
        path.write_bytes(text.encode("latin-1"))
        with pytest.raises(ClaimsError):
            read_claims(path)


def test_what_was_printed_is_an_interval_with_its_sign_and_side():
    assert limits("0.30") == (0.295, 0.305) and limits("0.3", 2) == (0.295, 0.305)
    assert limits("P < 0.001") == (0, 0.001) and limits("P > 0.5") == (0.5, 1.0)
    assert limits("-1.2 months") == (-1.25, -1.15)


PROVED = {
    "a P against its own interval": (altered("pfs_hr", p="P = 0.05"),
                                     {"pfs_hr.low", "pfs_hr.high", "pfs_hr.p"}),
    "a ratio off the middle": (altered("pfs_hr", printed="0.52"),
                               {"pfs_hr", "pfs_hr.low", "pfs_hr.high"}),
    "an interval too narrow for 93 patients": (
        altered("pfs_hr", interval=["0.40", "0.53"], p="P < 0.0001"),
        {"pfs_hr.low", "pfs_hr.high"}),
    "a median on no day": (altered("pfs_cd20", printed="4.010 months"), {"pfs_cd20"}),
    "too few events for an interval": (
        added({"id": "d", "kind": "events", "endpoint": "pfs", "printed": "37"}),
        {"pfs_hr.low", "pfs_hr.high", "d"}),
    "a percentage that no count gives": (
        added({"id": "f", "kind": "patients", "factor": "ecog_3plus", "arm": NEW,
               "printed": "15.1%"}), {"f"}),
    "a percentage of another count": (
        added({"id": "f", "kind": "patients", "factor": "ecog_3plus", "arm": NEW,
               "printed": "15 (28.8%)"}), {"f"}),
    "more events than patients": (
        added({"id": "d", "kind": "events", "endpoint": "pfs", "arm": NEW, "printed": "60"}),
        {"d"}),
    "more at risk than the curve leaves": (
        added({"id": "r", "kind": "at_risk", "endpoint": "pfs", "arm": NEW, "at": 6,
               "printed": "30"}), {"pfs_cd20", "r"}),
    "survival against the median": (
        added({"id": "s", "kind": "survival", "endpoint": "pfs", "arm": NEW, "at": 3,
               "printed": "44%"}), {"pfs_cd20", "s"}),
    "more at risk for progression than for death": (
        added({"id": "a", "kind": "at_risk", "endpoint": "os", "arm": OLD, "at": 2,
               "printed": "20"},
              {"id": "b", "kind": "at_risk", "endpoint": "pfs", "arm": OLD, "at": 2,
               "printed": "24"}), {"a", "b"}),
    "PFS above OS though nobody was censored": (
        added({"id": "o", "kind": "survival", "endpoint": "os", "arm": NEW, "at": 3,
               "printed": "64%"},
              {"id": "p", "kind": "survival", "endpoint": "pfs", "arm": NEW, "at": 3,
               "printed": "70%"},
              {"id": "d", "kind": "events", "endpoint": "pfs", "arm": NEW, "printed": "54"}),
        {"o", "p", "d"}),
    "arms that do not add up": (
        added(*({"id": f"d{k}", "kind": "events", "endpoint": "pfs", "printed": text, **arm}
                for k, (text, arm) in enumerate([("80", {}), ("51", {"arm": NEW}),
                                                 ("32", {"arm": OLD})]))), {"d0", "d1", "d2"}),
    "not reached with events in most": (
        with_claims(altered("os_cd20", printed="not reached"),
                    [{"id": "d", "kind": "events", "endpoint": "os", "arm": NEW,
                      "printed": "30"}]), {"os_cd20", "d"}),
}  # fmt: skip


USUAL = {name: convention.choices[0] for name, convention in CONVENTIONS.items()}
# What is left of a contradiction where the file states no convention; the others stay impossible.
OPEN = {
    "a P against its own interval": CONDITIONAL,
    "a ratio off the middle": CONDITIONAL,
    "an interval too narrow for 93 patients": CONDITIONAL,
    "a median on no day": CONDITIONAL,
    "too few events for an interval": CONDITIONAL,
    "a percentage that no count gives": CONDITIONAL,
    "a percentage of another count": CONDITIONAL,
    "more at risk than the curve leaves": CONDITIONAL,
    "more at risk for progression than for death": CONDITIONAL,
    "PFS above OS though nobody was censored": CONDITIONAL,
    "not reached with events in most": CONDITIONAL,
}
# Percentages may be cut off, or of fewer patients.
NEVER_PROVED = {"a percentage that no count gives", "a percentage of another count"}


def test_the_paper_is_not_contradicted_under_any_conventions():
    assert verdicts(paper_claims()) == [] == verdicts(paper_claims() | USUAL)


@pytest.mark.parametrize("name", PROVED)
def test_a_contradiction_has_its_grade_with_and_without_stated_conventions(name):
    content, ids = PROVED[name]
    grades = {frozenset(v.ids): v.grade for v in verdicts(content)}
    assert grades[frozenset(ids)] == OPEN.get(name, IMPOSSIBLE)
    told = {frozenset(v.ids): v for v in verdicts(content | USUAL)}[frozenset(ids)]
    assert told.grade == (CONDITIONAL if name in NEVER_PROVED else IMPOSSIBLE)
    if name in OPEN and name not in NEVER_PROVED:
        assert "as the file states" in told.text()


@pytest.mark.parametrize("name", [n for n in PROVED if n not in NEVER_PROVED])
def test_a_contradicting_set_is_irreducible(name):
    content, ids = PROVED[name]
    content = content | USUAL
    for left_out in ids:  # without any one of them nothing is proved
        rest = [c for c in content["claims"] if c["id"] in ids - {left_out}]
        assert not proofs(content | {"claims": [c for c in rest if c["kind"] != "hazard_ratio"]})
        for claim in (c for c in content["claims"] if "interval" in c):
            items = [i for i in ratio_items(claim, content) if i.id in ids - {left_out}]
            assert not impossible_ratio(claim, content, items)


def test_pfs_above_os_is_no_contradiction_where_patients_are_censored():
    # A progresses on day 1 and dies on day 10, B leaves on day 2, C progresses and dies on 20:
    # on day 15 the estimate is 2/3 for progression-free survival and 1/2 for survival.
    problem, _ = random_cohort(0)
    problem = type(problem)(("x", "y"), (3, 1), ENDS, (), True, 99.0, np.ones((2, 2)))
    state = State(np.array([[1.0, 2, 20, 9], [10, 2, 20, 9]]), np.array([[1, 0, 1, 1]] * 2),
                  np.zeros((1, 4), np.int64))  # fmt: skip
    builder = Builder(problem)
    rows = [Row("", "print", m.SURVIVAL, e, builder.group(1), day=15.0) for e in (0, 1)]
    pfs, os = measured(builder.done(), state, rows)
    assert pfs == pytest.approx(2 / 3) and os == pytest.approx(1 / 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_proved_of_numbers_that_a_cohort_printed(seed):
    problem, state = random_cohort(seed)
    assert verdicts(printed_of(problem, state) | USUAL) == []


def printed_of(problem, state) -> dict:
    """Many numbers of a cohort, as printed."""
    content = {
        "name": "x", "time_unit": "days",
        "arms": dict(zip(problem.arms, problem.sizes, strict=True)),
        "endpoints": dict.fromkeys(ENDS, "x"), "linked": True, "ties": "efron",
        "factors": {"a": "A", "b": "B"}, "last_day": 5000, "claims": [], "rules": [],
    }  # fmt: skip
    builder, wanted = Builder(problem), []
    for e, end in enumerate(ENDS):
        for arm in (1, 0, -1):
            at = {"endpoint": end} | ({"arm": problem.arms[1 - arm]} if arm >= 0 else {})
            of = builder.group(arm)
            wanted.append((at | {"kind": "events"}, Row("", "", m.EVENTS, e, of)))
            wanted.append((at | {"kind": "median"}, Row("", "", m.MEDIAN, e, of)))
            for day in (60, 120, 240):
                when = at | {"at": f"{day} days"}
                wanted.append((when | {"kind": "at_risk"}, Row("", "", m.AT_RISK, e, of, day=day)))
                wanted.append((when | {"kind": "survival"},
                               Row("", "", m.SURVIVAL, e, of, day=day)))  # fmt: skip
        model = builder.model(e, ["arm", "a", "b"])
        rows = [Row("", "", k, e, model) for k in (m.LOG_RATIO, m.LOG_LOW, m.LOG_HIGH, m.WALD)]
        wanted.append(({"kind": "hazard_ratio", "endpoint": end, "adjust": ["a", "b"]}, rows))
    problem = builder.done()
    for k, (claim, rows) in enumerate(wanted):
        values = measured(problem, state, rows if isinstance(rows, list) else [rows])
        if np.isnan(values).any():
            continue
        claim |= {"id": f"c{k}"}
        if claim["kind"] == "hazard_ratio":
            ratio, low, high, p = np.exp(values)
            if low < 0.01 or p < 1e-3:
                continue
            claim |= {"printed": f"{ratio:.2f}", "interval": [f"{low:.2f}", f"{high:.2f}"],
                      "p": f"P = {p:.3f}"}  # fmt: skip
        else:
            share = claim["kind"] == "survival"
            claim["printed"] = f"{100 * values[0]:.0f}%" if share else f"{values[0]:.0f}"
        content["claims"].append(claim)
    return content


def test_the_proofs_rest_on_enough_numbers_to_have_found_something():
    content = printed_of(*random_cohort(0))
    assert len(content["claims"]) > 20
    (claim,) = (c for c in content["claims"] if c["kind"] == "events" and c["endpoint"] == "os"
                and c.get("arm") == "new")  # fmt: skip
    claim["printed"] = "0"
    assert contradictory_counts(content)


EXTRA = [{"kind": "survival", "endpoint": "os", "arm": NEW, "at": 12, "printed": "40%"},
         {"kind": "at_risk", "endpoint": "pfs", "arm": NEW, "at": 3, "printed": "30"},
         {"kind": "patients", "factor": "ecog_3plus", "arm": NEW, "printed": "8 (14.8%)"},
         {"kind": "events", "endpoint": "os", "printed": "61"}]  # fmt: skip


def test_numbers_read_in_the_full_text_join_those_of_the_paper(tmp_path):
    more = {r.id: r for r in paper_problem(0, extra=EXTRA).rows if r.id.startswith("extra")}
    assert [(r.low, r.high) for r in more.values()][1:] == [(30, 30), (8, 8), (61, 61)]
    content = yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))
    content["claims"] += EXTRA
    content["numbers"] = str(CLAIMS.parent / content["numbers"])
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    assert len(build(read_claims(path)).rows) == len(build(paper_claims()).rows) + len(EXTRA)
    with pytest.raises(ClaimsError, match="young"):
        paper_problem(0, extra=[EXTRA[0] | {"arm": "young"}])


def small_problem(*claims):
    content = {
        "name": "x", "time_unit": "days", "arms": {"new": 12, "old": 12}, "ties": "efron",
        "endpoints": {"os": "x"}, "linked": False, "factors": {}, "last_day": 400, "rules": [],
        "claims": [{"endpoint": "os", "id": f"c{k}"} | claim for k, claim in enumerate(claims)],
    }  # fmt: skip
    return build(content)


def test_claims_that_are_not_met_give_the_nearest_miss_and_a_set_without_proof():
    # Equal medians, a tiny log-rank P and a count of events that has no part in it.
    problem = small_problem(
        {"kind": "median", "arm": "new", "printed": "100"},
        {"kind": "log_rank", "printed": "P < 0.000000001"},
        {"kind": "events", "arm": "old", "printed": "9"},
        {"kind": "median", "arm": "old", "printed": "100"},
    )
    state, loss = nearest_miss(problem, np.random.default_rng(1), steps=5000, reheats=())
    table = miss_table(problem, state)
    assert loss > 0 and table["cost"].sum() == pytest.approx(loss)
    assert table["cost"].is_monotonic_decreasing
    (p,) = table.loc[table["id"] == "c1", ["reached", "high", "unit"]].itertuples(index=False)
    assert p.unit == "P" and p.reached > p.high
    together = unmet_together(problem, 1, 1, state)
    assert "c1" in together and "c2" not in together
    assert nearest_miss(problem.without("c1"), np.random.default_rng(1), steps=5000)[1] == 0
