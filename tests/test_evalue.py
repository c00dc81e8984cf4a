"""E-values, bias factors and tipping points are those of the papers, and what they claim holds."""

import numpy as np
import pytest

from helpers.estimators.evalue import (
    bias_factor,
    confounder_array,
    e_value,
    e_value_table,
    hazard_ratio_of,
    needed_imbalance,
    risk_ratio,
    tipping_grid,
)


@pytest.mark.parametrize(
    ("limits", "common", "rare"),
    [((0.28, 0.15, 0.51), (4.19, 2.56), (6.60, 3.33)),
     ((0.46, 0.26, 0.80), (2.80, 1.61), (3.77, 1.81))],
)  # fmt: skip
def test_the_two_adjusted_hazard_ratios_have_their_e_values(limits, common, rare):
    table = e_value_table(*limits).pivot(index="of", columns="form", values="e_value").round(2)
    assert tuple(table.loc[["ratio", "bound"], "common"]) == common
    assert tuple(table.loc[["ratio", "bound"], "rare"]) == rare


def test_the_published_example_of_infant_feeding():
    """VanderWeele and Ding 2017: a risk ratio of 3.9 (1.8 to 8.7) has 7.26 and 3.0."""
    table = e_value_table(3.9, 1.8, 8.7, "rare")
    assert table["e_value"].round(2).tolist() == [7.26, 3.0]
    assert table["of"].tolist() == ["ratio", "bound"]


@pytest.mark.parametrize("form", ["common", "rare"])
@pytest.mark.parametrize("ratio", [0.02, 0.28, 0.9, 1.0, 1.3, 20.0])
def test_the_e_value_is_the_strength_that_explains_all_whichever_group_is_named_first(ratio, form):
    strength, wanted = e_value(ratio, form), risk_ratio(ratio, form)
    assert bias_factor(strength, strength) == pytest.approx(max(wanted, 1 / wanted), rel=1e-12)
    assert e_value(1 / ratio, form) == pytest.approx(strength, rel=1e-12)
    assert hazard_ratio_of(wanted, form) == pytest.approx(ratio, rel=1e-12)


def test_an_interval_that_holds_one_needs_no_confounder():
    table = e_value_table(0.8, 0.5, 1.2)
    assert (table.loc[table["of"] == "bound", "e_value"] == 1).all()
    assert (table.loc[table["of"] == "ratio", "e_value"] > 1).all()
    above = e_value_table(2.0, 1.5, 3.0, "rare")
    assert above["hazard_ratio"].tolist() == [2.0, 1.5]


def test_no_confounder_of_given_strengths_does_more_than_the_bias_factor():
    """Made populations: the confounded ratio over the true one, exactly, against the bound."""
    rng = np.random.default_rng(7)
    reached = []
    for _ in range(400):
        levels = rng.integers(2, 5)
        risk = rng.uniform(0.01, 0.5, levels)
        shares = rng.dirichlet(np.ones(levels) * 0.4 + 0.01, 2)
        shares = (shares + 1e-6) / (shares + 1e-6).sum(axis=1, keepdims=True)
        found = (shares[0] @ risk) / (shares[1] @ risk)  # no effect: the true ratio is 1
        bound = bias_factor(risk.max() / risk.min(), max((shares[0] / shares[1]).max(), 1.0))
        reached.append(np.log(found) / np.log(bound) if bound > 1 else 0)
        assert found <= bound * (1 + 1e-12)
    assert max(reached) > 0.8, "the bound is a close one, else this test says little"


def test_the_grid_moves_a_ratio_towards_one_and_says_where_it_is_reached():
    strength = e_value(0.28)
    grid = tipping_grid(0.28, [1, 2, strength, 9], [1, 3, strength])
    assert len(grid) == 12
    at = grid.set_index(["on_outcome", "on_treatment"])
    assert at.loc[(1, 1), "hazard_ratio_left"] == pytest.approx(0.28)
    assert at.loc[(strength, strength), "hazard_ratio_left"] == pytest.approx(1)
    assert at.loc[(strength, strength), "explained"] and not at.loc[(2, 3), "explained"]
    assert (at.loc[(slice(None), 1), "hazard_ratio_left"].round(9) == 0.28).all()
    harm = tipping_grid(1 / 0.28, [1, 2, strength, 9], [1, 3, strength])
    np.testing.assert_allclose(harm["hazard_ratio_left"], 1 / grid["hazard_ratio_left"], rtol=1e-9)
    assert harm["explained"].tolist() == grid["explained"].tolist()


def test_the_imbalance_that_is_needed_is_enough_and_sometimes_none_is():
    ratio = 1 / risk_ratio(0.28)
    table = needed_imbalance(0.28, [1, 2, 3, e_value(0.28), 8])
    assert table["on_treatment"].isna().tolist() == [u <= ratio for u in table["on_outcome"]]
    known = table.dropna()
    np.testing.assert_allclose(bias_factor(*known.to_numpy().T), ratio, rtol=1e-12)
    assert known["on_treatment"].iloc[1] == pytest.approx(e_value(0.28))
    assert (needed_imbalance(1.0, [1, 5])["on_treatment"] == 1).all()


def test_the_array_undoes_a_confounder_of_known_prevalence():
    true, strength, p1, p0 = 0.7, 3.0, 0.2, 0.6
    found = true * (p1 * strength + 1 - p1) / (p0 * strength + 1 - p0)
    table = confounder_array(found, [1.0, strength], [p1], [p0])
    np.testing.assert_allclose(table["hazard_ratio_left"], [found, true], rtol=1e-12)
    worst = bias_factor(strength, max(p0 / p1, (1 - p1) / (1 - p0)))
    assert 1 / table["bias_factor"].iloc[1] < worst, "one case is never past the worst case"
    assert confounder_array(0.5, [9.0], [0.1], [0.9])["explained"].tolist() == [True]


@pytest.mark.parametrize(
    ("what", "wrong"),
    [(lambda: e_value(0), "hazard_ratio"), (lambda: e_value(np.nan), "hazard_ratio"),
     (lambda: e_value(0.5, "usual"), "form"), (lambda: e_value_table(0.5, 0.6, 0.9), "conf_low"),
     (lambda: bias_factor(0.5, 2), "on_outcome"), (lambda: bias_factor(2, 0.5), "on_treatment"),
     (lambda: confounder_array(0.5, [2], [1.2], [0]), "share_treated"),
     (lambda: confounder_array(0.5, [-2], [0.2], [0]), "on_outcome")],
)  # fmt: skip
def test_what_is_no_ratio_is_refused_by_name(what, wrong):
    with pytest.raises(ValueError, match=f"{wrong}: found .* To do:"):
        what()
