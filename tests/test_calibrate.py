"""`calibrate`: members of the paper, and any paper's claims through the command line."""

import copy
from functools import partial

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.analysis import analyse
from helpers.cohort import ROOT, load_cohort
from helpers.conventions import DAYS_PER_MONTH
from helpers.estimators.times import follow_up, rmst_table
from helpers.paper.published import prints_as
from helpers.rebuild import reach
from helpers.rebuild.claims import build, read_claims
from helpers.rebuild.paper import CLAIMS, as_state, paper_problem
from helpers.rebuild.printing import breast_cancer, claims_text
from helpers.rebuild.state import losses
from helpers.regression import cox_table
from helpers.survival import km_curve, milestones
from helpers.view import View
from helpers.workshop import calibrate, calibrate_said, ranges
from helpers.workshop.cli import main
from helpers.workshop.tasks import read_log

EXAMPLE = ROOT / "data" / "examples" / "breast_cancer_claims.yaml"


def test_a_member_meets_every_row_and_comes_out_of_its_seed_again():
    member = calibrate.find_member(20240625, 0)
    assert member == calibrate.find_member(20240625, 0)
    assert losses(paper_problem(member["table"]), as_state(member)).sum() == 0


def test_the_example_is_what_a_sample_with_known_rows_prints():
    frame, content = breast_cancer()
    assert EXAMPLE.read_text(encoding="utf-8") == claims_text(content)
    assert content["arms"] == frame["arm"].value_counts()[list(content["arms"])].to_dict()


def test_a_cohort_of_the_example_prints_every_claim_on_the_pages(tmp_path, capsys):
    given = ["calibrate", "--claims", str(EXAMPLE), "--out", str(tmp_path), "--jobs", "1"]
    assert main(given) == 0
    assert "no replication" in capsys.readouterr().out
    (path,) = tmp_path.glob("*.csv")
    cohort = load_cohort(path, path.with_suffix(".yaml"))
    assert cohort.status == "synthetic" and not cohort.is_paper
    assert "rebuilt from print" in cohort.name and cohort.arms == ("hormone therapy", "none")
    content = read_claims(EXAMPLE)
    view = View(endpoint="rfs", adjust=tuple(content["factors"]))
    answer = analyse(cohort, view)
    printed = {c["id"]: c for c in content["claims"]}
    medians = answer.medians.set_index("group")["estimate"]
    for arm, n in content["arms"].items():
        own, key = cohort.frame[cohort.frame["arm"] == arm], arm.replace(" ", "_")
        assert len(own) == n
        at = lambda kind, key=key: printed[f"{kind}_{key}"]["printed"]  # noqa: E731
        assert prints_as(medians[arm] * 12 / 365, at("rfs_median"))
        assert own["rfs_event"].sum() == int(at("rfs_events"))
        for factor in content["factors"]:
            count = (own[factor] == "yes").sum()
            assert f"{count} ({100 * count / n:.1f}%)" == at(f"{factor}_patients")
    assert prints_as(answer.tests["p_value"].iloc[0], printed["rfs_log_rank"]["printed"])
    ratio, model = printed["rfs_hazard_ratio"], answer.model
    row = model[model["model"] == "adjusted"].iloc[0]
    texts = (ratio["printed"], *ratio["interval"])
    for column, text in zip(("estimate", "conf_low", "conf_high"), texts, strict=True):
        assert prints_as(np.exp(row[column]), text)
    assert prints_as(row["p_value"], ratio["p"])
    watched = follow_up(cohort.frame, time="rfs_time", event="rfs_event")["estimate"].iloc[0]
    assert prints_as(watched * 12 / 365, printed["rfs_follow_up"]["printed"])


def paper_file(folder, name: str, **change):
    """The paper's claims with one of them changed, as a file."""
    content = yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))
    content["numbers"] = str(CLAIMS.parent / content["numbers"])
    (claim,) = (c for c in content["claims"] if c["id"] == name)
    claim.update(change)
    path = folder / "claims.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return str(path)


WRONG_P = {"printed": "0.46", "decimals": 2, "interval": ["0.27", "0.80"], "p": "P = 0.05"}


def test_a_p_that_contradicts_its_interval_is_impossible_where_the_test_is_stated(tmp_path, capsys):
    stated = {"test": "wald", "sides": 2, "level": 95, "interval_kind": "wald"}
    assert main(["calibrate", "--claims", paper_file(tmp_path, "pfs_hr", **WRONG_P, **stated)]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "IMPOSSIBLE: no patients can have these numbers." in said
    assert "pfs_hr.high, pfs_hr.p" in said and "as the file states" in said


def test_a_check_is_arithmetic_alone_and_fails_only_for_what_is_impossible(tmp_path, capsys):
    file = paper_file(tmp_path, "pfs_hr", **WRONG_P)
    assert main(["calibrate", "--claims", file, "--check", "--out", str(tmp_path)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "DEPENDS ON A CONVENTION" in said or "NOT EXPLAINED" in said
    assert "IMPOSSIBLE:" not in said and "Not stated in the file: test, sides, level" in said
    assert not list(tmp_path.glob("*.jsonl"))  # nothing was searched
    outside = WRONG_P | {"printed": "0.85", "p": "P < 0.001"}
    file = paper_file(tmp_path, "pfs_hr", **outside)
    assert main(["calibrate", "--claims", file, "--check"]) == 1
    assert "under every convention" in " ".join(capsys.readouterr().out.split())
    assert main(["calibrate", "--claims", str(CLAIMS), "--check"]) == 0
    assert "arithmetic finds no contradiction" in capsys.readouterr().out
    assert main(["calibrate", "--check"]) == 2
    assert "--check goes with --claims" in capsys.readouterr().err


def test_the_search_says_what_it_assumes_and_what_it_leaves_out(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(calibrate_said, "rebuild", lambda *given, **more: 1 / 0)
    file = paper_file(tmp_path, "pfs_hr", test="likelihood_ratio", interval_kind="profile")
    with pytest.raises(ZeroDivisionError):
        main(["calibrate", "--claims", file])
    said = " ".join(capsys.readouterr().out.split())
    assert "The search assumes, where the file does not say: the P beside a ratio is that" in said
    assert "pfs_hr.interval (a profile-likelihood interval)" in said
    assert "pfs_hr.p (the P of a likelihood-ratio test)" in said


def test_a_log_rank_p_that_no_search_meets_is_not_called_impossible(tmp_path, capsys, monkeypatch):
    # Too few steps to be thorough: the words are tested, not how near it comes.
    monkeypatch.setattr(calibrate, "nearest_miss", quick(calibrate.nearest_miss))
    before = []
    monkeypatch.setattr(calibrate, "unmet_together", lambda *given, **more: (
        before.append(capsys.readouterr().out) or ["pfs_cd20", "pfs_p"]))  # fmt: skip
    file = paper_file(tmp_path, "pfs_p", printed="0.00000000000001")
    given = ["--claims", file, "--tries", "2", "--jobs", "1", "--out", str(tmp_path)]
    assert main(["calibrate", *given]) == 1
    (early,) = before  # all of it was told before claims are left out one by one, which takes long
    assert "2 of at most 2 searches; nearest: all but" in early
    assert "not found in 2 searches" in early and "no proof" in early and "Nearest miss" in early
    said = capsys.readouterr().out
    assert f"Not found together in {calibrate.DELETION} searches of this kind" in said
    assert "pfs_cd20, pfs_p" in said and "A cohort that has them all may exist." in said
    assert "impossible" not in (early + said).lower() and not list(tmp_path.glob("*.csv"))


def quick(search):
    return lambda problem, rng: search(problem, rng, steps=3000, reheats=())


@pytest.mark.parametrize("text", [None, "[", "name: x", "a: {b"])
def test_a_bad_file_is_refused_without_a_traceback(tmp_path, capsys, text):
    path = tmp_path / "claims.yaml"
    if text:
        path.write_text(text)
    assert main(["calibrate", "--claims", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("claims.yaml: ") and "Traceback" not in said


def test_searches_are_kept_by_what_was_claimed(tmp_path):
    content = read_claims(EXAMPLE)
    for _ in range(2):  # the second time nothing is searched again
        paths, _ = calibrate.rebuild(content, tmp_path, seed=1, members=1, tries=2, jobs=1)
    assert len(paths) == 1 and len(list(tmp_path.glob("*.jsonl"))) == 1
    other = copy.deepcopy(content)
    other["claims"] = other["claims"][:1]
    calibrate.rebuild(other, tmp_path, seed=1, members=1, tries=2, jobs=1)
    assert len(list(tmp_path.glob("*.jsonl"))) == 2
    assert len(build(other).rows) == 1


def test_ranges_of_another_paper_are_shown_by_cohorts_that_print_it(tmp_path, capsys, monkeypatch):
    # Few steps: what is tested is that each end is what its cohort shows, not how far it lies.
    monkeypatch.setattr(ranges, "reach", partial(ranges.reach, cycles=1, steps=2000))
    given = ["--claims", str(EXAMPLE), "--ranges", "36", "--jobs", "1", "--out", str(tmp_path)]
    assert main(["calibrate", *given]) == 0
    said = capsys.readouterr().out
    assert "no confidence interval" in said and "cannot overstate" in said
    table = pd.read_csv(tmp_path / "ranges.csv").set_index("quantity")
    assert (table["found"] == 2).all() and (table["low"] <= table["high"]).all()
    assert (table.loc["events", ["low", "high"]] == 55).all()  # both arms' are printed
    content = read_claims(EXAMPLE)
    problem, day = build(content), 36 * DAYS_PER_MONTH
    first, other = content["arms"]
    (done,) = read_log(tmp_path / "ranges.jsonl").values()
    for shown in done["ends"].values():
        assert all(not losses(problem, calibrate.state_of(end)).any() for end in shown.values())
    for end in ("low", "high"):
        for quantity in table.index:
            path = tmp_path / table.at[quantity, f"{end}_cohort"]
            cohort = load_cohort(path, path.with_suffix(".yaml"))
            assert cohort.status == "synthetic" and len(cohort.frame) == problem.n
            frame = cohort.frame
            value = table.at[quantity, end]
            if quantity == "unadjusted_hr":
                model = cox_table(frame, time="rfs_time", event="rfs_event", covariates=["arm"],
                                  references={"arm": other})  # fmt: skip
                assert value == pytest.approx(np.exp(model["estimate"].iloc[0]), rel=1e-4)
            if quantity == "survival_difference":
                curves = km_curve(frame, time="rfs_time", event="rfs_event", group="arm")
                at = milestones(curves, [int(day)]).set_index("group")["estimate"]
                assert value == pytest.approx(100 * (at[first] - at[other]), abs=1e-3)
            if quantity == "mean_difference":
                means = rmst_table(frame, time="rfs_time", event="rfs_event", group="arm",
                                   horizon=int(day), reference=other)  # fmt: skip
                gained = means.set_index("group").at[f"{first} vs {other}", "estimate"]
                assert value == pytest.approx(gained / DAYS_PER_MONTH, rel=1e-4)


def test_ranges_of_claims_hard_to_meet_begin_at_a_cohort_that_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr(ranges, "reach", partial(ranges.reach, cycles=1, steps=2000))
    content = read_claims(EXAMPLE)
    _, known = calibrate.rebuild(content, tmp_path, seed=1, members=1, tries=4, jobs=1)
    monkeypatch.setattr(reach, "TRIES", 0)  # its own search finds none
    given = {"seed": 1, "months": 36, "jobs": 1}
    table = ranges.paper_ranges(content, known, tmp_path, **given)
    assert (table["found"] == 0).all() and table[["low", "high"]].notna().all(axis=None)


def test_ranges_say_which_rules_they_keep_to(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(ranges, "reach", partial(ranges.reach, cycles=1, steps=500))
    content = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    content["rules"] = [
        {"kind": "last_day", "max": 2300, "about": "enrolment ran so long"},
        {"kind": "events", "endpoint": "rfs", "max": 80, "about": "enrolment ran so long"},
    ]
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    given = ["--claims", str(path), "--out", str(tmp_path), "--jobs", "1", "--ranges"]
    assert main(["calibrate", *given, "76"]) == 2  # 2,300 days are fewer
    assert f"rules nobody is watched beyond {2300 / DAYS_PER_MONTH:.1f}" in capsys.readouterr().err
    assert main(["calibrate", *given, "36"]) == 0
    assert "the rules of the file (enrolment ran so long)" in capsys.readouterr().out


@pytest.mark.parametrize("months", ["0", "-3", "900", "nan"])
def test_a_month_beyond_what_was_watched_is_refused_before_anything_is_searched(months, capsys):
    assert main(["calibrate", "--claims", str(EXAMPLE), "--ranges", months]) == 2
    said = capsys.readouterr().err
    assert said.startswith("--ranges: found ") and "To do: " in said


def test_ranges_go_with_claims(capsys):
    assert main(["calibrate", "--ranges", "12"]) == 2
    assert "data/ensemble" in capsys.readouterr().err
