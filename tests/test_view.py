"""A View is one question with one text, and nonsense is refused in words."""

import base64
import json

import pytest
from cohorts import german
from hypothesis import given
from hypothesis import strategies as st

from helpers.analysis import analyse
from helpers.view import View, ViewError, Where, cut, default_view

FULL = """
endpoint: rfs
compare: grade
reference: 1
where:
  - {column: menopause, in: [postmenopausal]}
  - {column: age, min: 50, max: 70}
adjust: [nodes]
landmark: 90
horizon: 730
"""


def test_yaml_json_and_link_say_the_same():
    view = View.read(FULL)
    assert View.read(view.text()) == view
    assert View.read(view.yaml()) == view
    assert View.from_link(view.link()) == view
    assert view.reference == "1"
    assert set(view.link()) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )


def test_defaults_are_left_out_of_the_text():
    assert View().text() == "{}"
    assert View.read("") == View.read("{}") == View.read('{"compare": "arm"}') == View()


def test_order_of_conditions_and_of_values_does_not_matter():
    one = View.read("{where: [{column: age, min: 50}, {column: grade, in: [3, 1]}]}")
    two = View.read("{where: [{column: grade, in: [1, 3]}, {column: age, min: 50.0}]}")
    assert one == two and one.text() == two.text()


text = st.text(min_size=1, max_size=8)
number = st.floats(min_value=-1e6, max_value=1e6)
condition = st.one_of(
    st.builds(lambda c, v: {"column": c, "in": v}, text, st.lists(text, min_size=1, max_size=3)),
    st.builds(lambda c, v, m: {"column": c, "min": v, "missing": m}, text, number, st.booleans()),
)


@given(text, st.lists(condition, max_size=3), st.lists(text, max_size=2), st.floats(0, 1e5))
def test_any_view_survives_its_text_and_its_link(endpoint, where, adjust, landmark):
    view = View(
        endpoint=endpoint,
        where=tuple(sorted(map(Where.read, where), key=str)),
        adjust=tuple(name for name in adjust if name != "arm"),
        landmark=landmark,
    )
    assert View.read(view.text()) == view
    assert View.from_link(view.link()) == view


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{endpiont: os}", "unknown key 'endpiont'"),
        ("[os]", "write key: value"),
        ("{a: [}", "neither JSON nor YAML"),
        ("{endpoint: [os, pfs]}", "give one name"),
        ("{landmark: -1}", "0 or more"),
        ("{landmark: soon}", "0 or more"),
        ("{landmark: 010}", "found '010'"),
        ("{horizon: 12:30}", "found '12:30'"),
        ("{endpoint: os, endpoint: pfs}", "'endpoint' twice"),
        ('{"endpoint": "os", "endpoint": "os"}', "'endpoint' twice"),
        ("endpoint: os\nhorizon: 1\nendpoint: pfs", "'endpoint' twice"),
        ("{where: [{column: age, min: 1, max: 9, min: 2}]}", "'min' twice"),
        ('{"where": [{"column": "age", "min": 1, "min": 2}]}', "'min' twice"),
        ('{"compare": "\\ud800"}', "half of a character"),
        ("[" * 5000, "neither JSON nor YAML"),
        ("1" * 5000, "neither JSON nor YAML"),
        ("!!python/object:os.system {}", "neither JSON nor YAML"),
        ("{horizon: 0}", "more than 0"),
        ("{horizon: .inf}", "more than 0"),
        ("{horizon: true}", "more than 0"),
        ("{ties: bresslow}", "use efron, breslow, exact"),
        ("{intervals: bayes}", "use wald, profile"),
        ("{adjust: arm}", "give a list"),
        ("{adjust: [arm]}", "leave it out of adjust"),
        ("{where: {column: age}}", "give a list"),
        ("{where: [age]}", "write {column: NAME"),
        ("{where: [{column: age}]}", "both or neither"),
        ("{where: [{column: age, in: [1], min: 2}]}", "both or neither"),
        ("{where: [{column: age, in: 3}]}", "give a list after in"),
        ("{where: [{column: age, min: old}]}", "give a number"),
        ("{where: [{column: age, above: 3}]}", "unknown key 'above'"),
    ],
)
def test_nonsense_is_refused_with_what_to_do(text, message):
    with pytest.raises(ViewError, match="To do: ") as caught:
        View.read(text)
    assert message in str(caught.value)


def test_a_key_twice_in_a_link_is_refused():
    twice = base64.urlsafe_b64encode(b'{"endpoint": "os", "endpoint": "pfs"}').decode()
    with pytest.raises(ViewError, match="'endpoint' twice"):
        View.from_link(twice)


def test_a_number_may_have_an_exponent_and_a_code_its_zeros():
    assert View.read("{landmark: 1e2, horizon: 1.5E+3}") == View(landmark=100, horizon=1500)
    (where,) = View.read("{where: [{column: grade, in: [01, 1.0, 1_0, 2020-01-01]}]}").where
    assert where.values == ("01", "1", "1_0", "2020-01-01")


@pytest.mark.parametrize(
    ("written", "cut_at"),
    [("age >= 1e9", 1e9), ("age>=1E+2", 100), ("age >= .5", 0.5), ("age >= -3.", -3),
     ("age >= 100000000000000000000", 1e20)],
)  # fmt: skip
def test_a_cut_may_be_written_as_any_number(written, cut_at):
    view = View.read(json.dumps({"compare": written}))
    assert cut(view.compare) == ("age", cut_at)
    assert View.read(view.text()) == view and View.read(view.yaml()) == view
    answer = analyse(german(), view)
    assert answer.counts["patients"].sum() == 686


def test_a_cut_in_another_form_is_refused_with_the_form_that_is_read():
    for written in ("age > 60", "age ≥ 60", "age < 60", "age >= old", "age >= inf", "age >= 1e999"):
        with pytest.raises(ViewError, match="write a cut as 'age >= 60'"):
            analyse(german(), View(compare=written))


def test_a_cut_link_is_refused():
    with pytest.raises(ViewError, match="cut or altered"):
        View.from_link(View.read(FULL).link()[:-3] + "!")


def test_the_default_view_takes_the_first_endpoint_and_a_horizon_only_where_none_is_stated():
    cohort = german()
    assert default_view(cohort, horizon=365) == View(endpoint="os", horizon=365.0)
    assert default_view(cohort, "{horizon: 90}", horizon=365).horizon == 90
