"""What may be shown of how few, asked of every face of an answer."""

import random_views

from helpers.estimators import floors
from helpers.fit import relabel


def test_no_answer_shows_what_its_patients_cannot_carry(monkeypatch):
    monkeypatch.setattr(relabel, "SHUFFLES", 199)
    found = random_views.ask(250, seed=20)
    assert found["with a ratio"] > 40 and found["answered"] > 200
    assert not [what for what in found if what.startswith("WRONG")]


def test_the_check_itself_finds_what_is_shown_of_too_few(monkeypatch):
    """Without floors the same questions show much that they must not."""
    monkeypatch.setattr(relabel, "SHUFFLES", 199)
    everything = lambda cohort, view, engine: analyse(cohort, view, engine=engine, floor=0)  # noqa: E731
    analyse = random_views.analyse
    monkeypatch.setattr(random_views, "analyse", everything)
    found = {what for what in random_views.ask(80, seed=20) if what.startswith("WRONG")}
    assert {"WRONG model: a ratio of few events", "WRONG rmst: a difference of few events",
            "WRONG interaction: of few events", "WRONG tests: chi-squared with few events",
            "WRONG model: too many terms"} <= found  # fmt: skip


def test_reasons_name_the_groups_and_their_events():
    assert floors.few_events({"A": 5, "B": 5}) == ""
    assert floors.few_events({"A": 0, "B": 4}) == "events 0 in A and 4 in B, fewer than 5"
    assert floors.many_terms(9, 1) == "" and floors.many_terms(10, 2) == ""
    assert floors.many_terms(9, 2) == "9 events for 2 terms, fewer than 5 each"
