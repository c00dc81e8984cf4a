"""Numbers as journals print them: read to the last zero, or refused; nothing is left out."""

import math
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from helpers.paper.numbers import read_number
from helpers.paper.published import printing_interval, prints_as

NBSP, THIN, NARROW, MINUS = "\u00a0", "\u2009", "\u202f", "\u2212"


def rounding(plain: str) -> tuple[float, float]:
    """The values that print as a number written with a point, worked out in fractions."""
    places = len(plain.partition(".")[2])
    half = Fraction(1, 2 * 10**places)
    return float(Fraction(plain) - half), float(Fraction(plain) + half)


def power(plain: str, times: str, raised) -> str:
    """0.0034 as 3.4 × 10-3, with its final zeros."""
    digits = plain.replace(".", "").lstrip("0") or "0"
    exponent = len(digits) - 1 - len(plain.partition(".")[2])
    coefficient = digits[0] + ("." + digits[1:] if digits[1:] else "")
    return f"{coefficient}{times}{raised(exponent)}" if exponent < 0 else plain


RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
STYLES = {
    "a point": lambda v: v,
    "no zero before the point": lambda v: v.removeprefix("0") if "." in v else v,
    "a middle dot": lambda v: v.replace(".", "·"),
    "a middle dot, no zero": lambda v: v.removeprefix("0").replace(".", "·") if "." in v else v,
    "a hyphenation point": lambda v: v.replace(".", "\u2027"),
    "a dot operator": lambda v: v.replace(".", "\u22c5"),
    "a bullet operator": lambda v: v.replace(".", "\u2219"),
    "a bullet": lambda v: v.replace(".", "\u2022"),
    "full width": lambda v: "".join(chr(ord(c) + 0xFEE0) for c in v),
    "a narrow space before it": lambda v: f"{NARROW}{v}",
    "a footnote mark": lambda v: f"{v}*",
    "a raised footnote": lambda v: f"{v}²",
    "a dagger and a full stop": lambda v: f"{v}†.",
    "brackets around it": lambda v: f"({v})",
    "a decimal comma": lambda v: v.replace(".", ","),
    "a power with x": lambda v: power(v, " x 10", str),
    "a power with ×": lambda v: power(v, " × 10", lambda e: f"{MINUS}{-e}"),
    "a power with *": lambda v: power(v, "*10^", str),
    "a raised power": lambda v: power(v, " × 10", lambda e: str(e).translate(RAISED)),
    "a raised power after a dot": lambda v: power(
        v, " · 10", lambda e: str(e).translate(RAISED)),
    "an exponent": lambda v: power(v, "e", str),
    "an en dash in the exponent": lambda v: power(v, "E", lambda e: f"\u2013{-e}"),
}  # fmt: skip
VALUES = ["0.59", "0.30", "0.3", "0.0987", "0.00010", "1.08", "12.5", "9.0", "0.073", "0.1974",
          "100", "7", "0.90"]  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("value", VALUES)
def test_a_number_is_the_same_in_every_style(value, style):
    text = STYLES[style](value)
    read = read_number(text)
    assert (read.low, read.high) == rounding(value)
    assert (read.number, read.relation, read.unit) == (value, "=", "")


RELATIONS = {
    "<": "<", "＜": "<", "&lt;": "<", "less than": "<", "below": "<", "fewer than": "<",
    "<=": "<=", "≤": "<=", "⩽": "<=", "≦": "<=", "&le;": "<=", "at most": "<=",
    "not more than": "<=", "less than or equal to": "<=", "no more than": "<=",
    ">": ">", "＞": ">", "&gt;": ">", "more than": ">", "greater than": ">", "over": ">",
    ">=": ">=", "≥": ">=", "⩾": ">=", "&ge;": ">=", "at least": ">=", "no fewer than": ">=",
    "greater than or equal to": ">=", "mindestens": ">=", "höchstens": "<=", "weniger als": "<",
    "au moins": ">=", "=": "=", "": "=",
}  # fmt: skip


@pytest.mark.parametrize("sign", RELATIONS)
@pytest.mark.parametrize(("before", "top"), [("", math.inf), ("P ", 1.0), ("p-value: ", 1.0)])
def test_a_bound_is_a_bound_in_signs_and_words(sign, before, top):
    read = read_number(f"{before}{sign} 0.05")
    relation = RELATIONS[sign]
    assert read.relation == relation
    limits = {"<": (0, 0.05), "<=": (0, 0.05), ">": (0.05, top), ">=": (0.05, top)}
    assert (read.low, read.high) == limits.get(relation, (0.045, 0.055))
    inside = {"=": 0.05, "<": 0.049, "<=": 0.05, ">": 0.051, ">=": 0.05}[relation]
    outside = {"=": 0.055, "<": 0.05, "<=": 0.051, ">": 0.05, ">=": 0.049}[relation]
    assert read.prints(inside) and not read.prints(outside)


UNITS = {
    "%": ["%", " %", f"{NBSP}%", " percent", " per cent", "％", " Prozent", " pour cent"],
    "days": [" days", " day", " d", "d", " Tage", " jours"],
    "weeks": [" weeks", " wk", " wks", " Wochen", " semaines"],
    "months": [" months", f"{THIN}months", " month", " mo", " mo.", " mos", " mos.", " mths",
               " mth", "mo", " Monate", " Monaten", " mois"],
    "years": [" years", " year", " yr", " yrs", " yr.", " y", "y", " Jahre", " ans", " années"],
}  # fmt: skip


@pytest.mark.parametrize(("unit", "text"), [(u, t) for u, ts in UNITS.items() for t in ts])
def test_a_unit_is_read_in_its_usual_forms(unit, text):
    for number, low, high in (("9.0", 8.95, 9.05), ("12", 11.5, 12.5), (".7", 0.65, 0.75)):
        read = read_number(f"{number}{text}")
        assert (read.unit, read.low, read.high) == (unit, low, high)


SIDES = [
    ("one-sided P = .03", 1), ("1-sided P = 0.03", 1), ("One-sided p = 0.03", 1),
    ("1-tailed P=0.03", 1), ("one-tailed p value: 0.03", 1), ("P = 0.03 (one-sided)", 1),
    ("P = 0.03, one-sided", 1), ("P (one-sided) = 0.03", 1), ("P(1-sided)=0.03", 1),
    ("P = 0.03 (1-sided test)", 1), ("single-sided P = 0.03", 1), ("einseitig p = 0,03", 1),
    ("two-sided P = 0.03", 2), ("2-sided P=.03", 2), ("P = 0.03; two-tailed", 2),
    ("P = 0.03 [two-sided]", 2), ("two\u2011sided P = 0.03", 2), ("two sided P 0.03", 2),
    ("1-sided log-rank P = .03", 1), ("log-rank test, two-sided P = 0.03", 2),
    ("p=0·03", None), ("P\u202f=\u202f0.03", None), ("p 0.03", None), ("P-value = 0.03", None),
    ("P value, 0.03", None), ("pvalue=0.03", None), ("P: .03", None), ("p-Wert 0,03", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sides"), SIDES)
def test_a_p_is_read_with_its_sides(text, sides):
    read = read_number(text)
    assert (read.low, read.high, read.sides) == (0.025, 0.035, sides)
    assert read.label == "P" and read.unit == "" and read.relation == "="


# As journals print them: text, number, unit, interval and what else stands there.
PRINTED = [
    # New England Journal of Medicine
    ("0.59 (95% CI, 0.40 to 0.89)", "0.59", "", ("0.40", "0.89"), {"level": 95}),
    ("hazard ratio, 0.40; 95% CI, 0.31 to 0.51; P<0.001", "0.40", "", ("0.31", "0.51"),
     {"level": 95, "p": "P < 0.001", "label": "ratio"}),
    ("8.3 months (95% CI, 4.5 to 15.8)", "8.3", "months", ("4.5", "15.8"), {"level": 95}),
    ("8.3 months (95% confidence interval [CI], 4.5 to 15.8)", None, "", (), {}),
    ("40.5% (95% CI, 33.2 to 47.7)", "40.5", "%", ("33.2", "47.7"), {"level": 95}),
    ("P<0.001", "0.001", "", (), {"relation": "<", "label": "P"}),
    # Lancet
    ("0·59 [95% CI 0·40–0·89]", "0.59", "", ("0.40", "0.89"), {"level": 95}),
    ("0·59 (0·40–0·89)", "0.59", "", ("0.40", "0.89"), {"level": None}),
    ("0·59 [0·40–0·89]; p=0·011", "0.59", "", ("0.40", "0.89"), {"p": "P = 0.011"}),
    ("p<0·0001", "0.0001", "", (), {"relation": "<"}),
    ("11·3 months (IQR 9·6–13·5)", "11.3", "months", ("9.6", "13.5"),
     {"spread": "interquartile range", "level": None}),
    ("25·5 months (95% CI 18·3–not estimable)", "25.5", "months", ("18.3", "not estimable"), {}),
    ("54 (59%) of 91 patients", "54", "", (), {"count": 54, "total": 91, "share": "59"}),
    ("54 of 91 patients (59%)", "54", "", (), {"count": 54, "total": 91, "share": "59"}),
    # Journal of Clinical Oncology and Blood: no zero before the point
    ("HR, 0.724; P = .0987", "0.724", "", (), {"p": "P = 0.0987"}),
    ("(HR, 0.356; 95% CI, 0.243 to 0.522; one-sided P < .0001)", "0.356", "", ("0.243", "0.522"),
     {"p": "P < 0.0001", "sides": 1}),
    ("P = .073", "0.073", "", (), {"label": "P"}),
    ("9.0 (7.3-14.4) months", "9.0", "months", ("7.3", "14.4"), {"spread": "interval"}),
    ("29.9 months (95% CI, 17.9-NR)", "29.9", "months", ("17.9", "not reached"), {}),
    ("NR (95% CI, 29.5-NR)", "", "", ("29.5", "not reached"), {"missing": "not reached"}),
    ("NR (18.3–NE)", "", "", ("18.3", "not estimable"), {"missing": "not reached"}),
    ("NE (95% CI, 5.7 to NE)", "", "", ("5.7", "not estimable"), {"missing": "not estimable"}),
    ("HR = 0.400", "0.400", "", (), {"label": "ratio"}),
    ("30.2 months (range, 1.0–53.0 months)", "30.2", "months", ("1.0", "53.0"),
     {"spread": "range"}),
    ("17.5 months (range, 0.4-53.0)", "17.5", "months", ("0.4", "53.0"), {"spread": "range"}),
    # JAMA and Annals
    ("1.4 [95% CI, 0.7-2.8]", "1.4", "", ("0.7", "2.8"), {"level": 95}),
    ("HR, 0.83 (95% CI, 0.68-1.02); P = .07", "0.83", "", ("0.68", "1.02"), {"p": "P = 0.07"}),
    ("15 of 54 (27.8%)", "15", "", (), {"count": 15, "total": 54, "share": "27.8"}),
    ("0.59 (CI, 0.40 to 0.89)", "0.59", "", ("0.40", "0.89"), {"level": None}),
    ("0.83 (97.5% CI 0.65–1.05)", "0.83", "", ("0.65", "1.05"), {"level": 97.5}),
    ("0.76 (99.5% CI, 0.60, 0.97)", "0.76", "", ("0.60", "0.97"), {"level": 99.5}),
    ("0.59, 95% CI 0.40-0.89", "0.59", "", ("0.40", "0.89"), {"level": 95}),
    ("HR 0.59 (95%CI=0.40-0.89, p=0.011)", "0.59", "", ("0.40", "0.89"), {"p": "P = 0.011"}),
    ("0.59 (0.40,0.89)", "0.59", "", ("0.40", "0.89"), {}),
    ("0.59 (95% confidence interval 0.40 to 0.89)", "0.59", "", ("0.40", "0.89"), {"level": 95}),
    ("0.59 [CI 95% 0.40; 0.89]", "0.59", "", ("0.40", "0.89"), {"level": 95}),
    ("HR 0.59, 95% CI [0.40, 0.89], p < .001", "0.59", "", ("0.40", "0.89"),
     {"p": "P < 0.001"}),
    ("HR (95% CI), 0.59 (0.40-0.89)", "0.59", "", ("0.40", "0.89"),
     {"level": 95, "label": "ratio"}),
    ("P = 3.4 × 10^-6", "0.0000034", "", (), {}),
    ("41% (95% CI, 31% to 52%)", "41", "%", ("31", "52"), {}),
    ("41 (31-52)%", "41", "%", ("31", "52"), {}),
    ("9.0 months (95% CI, 7.3 months to 14.4 months)", "9.0", "months", ("7.3", "14.4"), {}),
    ("9.0 (7.3 to 14.4 months)", "9.0", "months", ("7.3", "14.4"), {}),
    ("-1.2 months (95% CI, \u22122.3 to \u22120.1)", "-1.2", "months", ("-2.3", "-0.1"), {}),
    ("1.3 months (-0.2-2.8)", "1.3", "months", ("-0.2", "2.8"), {}),
    ("+1.3 months", "1.3", "months", (), {}),
    ("27.8% (15/54)", "15", "", (), {"count": 15, "total": 54, "share": "27.8", "unit": ""}),
    ("27.8% (n = 15)", "15", "", (), {"count": 15, "share": "27.8"}),
    ("15/54 (27.8%)", "15", "", (), {"count": 15, "total": 54, "share": "27.8"}),
    ("15 / 54", "15", "", (), {"count": 15, "total": 54, "share": ""}),
    ("15 (27.8%)", "15", "", (), {"count": 15, "total": None, "share": "27.8"}),
    ("15/54 (27.8%; 95% CI, 16.5-41.6)", "15", "", ("16.5", "41.6"), {"share": "27.8"}),
    ("95 deaths", "95", "", (), {"counted": "deaths", "count": 95}),
    ("n = 93", "93", "", (), {"count": 93}),
    ("1 003 patients", "1003", "", (), {"count": 1003}),
    ("1,334 patients", "1334", "", (), {"count": 1334}),
    ("1.334 Patienten", "1334", "", (), {"count": 1334}),
    ("1'334 patients", "1334", "", (), {"count": 1334}),
    ("median 12.1 years", "12.1", "years", (), {"label": "median"}),
    ("not yet reached", "", "", (), {"missing": "not reached"}),
    ("Not Reached", "", "", (), {"missing": "not reached"}),
    ("not estimable", "", "", (), {"missing": "not estimable"}),
    ("not evaluable", "", "", (), {"missing": "not estimable"}),
    ("median NR", "", "", (), {"missing": "not reached"}),
    # German and French journals
    ("0,59 (95%-KI: 0,40–0,89; p = 0,011)", "0.59", "", ("0.40", "0.89"),
     {"level": 95, "p": "P = 0.011"}),
    ("59,3 % (95 %-KI 48,1–70,2)", "59.3", "%", ("48.1", "70.2"), {"level": 95}),
    ("12,5 Monate (95%-KI 9,8 bis 15,2)", "12.5", "months", ("9.8", "15.2"), {}),
    ("p < 0,0001", "0.0001", "", (), {"relation": "<"}),
    ("0,59 [IC95% 0,40-0,89]", "0.59", "", ("0.40", "0.89"), {"level": 95}),
    ("0,59 (IC à 95 % : 0,40–0,89)", "0.59", "", ("0.40", "0.89"), {"level": 95}),
    ("12,5 mois (IC 95 % 9,8 à 15,2)", "12.5", "months", ("9.8", "15.2"), {}),
    ("p = 0,003", "0.003", "", (), {"label": "P"}),
    ("nicht erreicht", "", "", (), {"missing": "not reached"}),
    ("15 von 54 Patienten (27,8 %)", "15", "", (), {"total": 54, "share": "27.8"}),
    # powers
    ("P = 3.4 × 10\u22126", "0.0000034", "", (), {"label": "P"}),
    ("P = 3.4 x 10-6", "0.0000034", "", (), {}),
    ("P = 3·4 × 10⁻⁶", "0.0000034", "", (), {}),
    ("p = 3,4 · 10⁻⁶", "0.0000034", "", (), {}),
    ("P < 10-6", "0.000001", "", (), {"relation": "<"}),
    ("P < 10⁻⁶", "0.000001", "", (), {"relation": "<"}),
    ("P = 3.40e-6", "0.00000340", "", (), {}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "number", "unit", "interval", "beside"), PRINTED)
def test_a_text_is_read_as_its_journal_means_it(text, number, unit, interval, beside):
    if number is None:  # printed so, and not understood: refused, not half read
        with pytest.raises(ValueError, match="is not understood"):
            read_number(text)
        return
    read = read_number(text)
    assert (read.number, read.unit, read.interval) == (number, unit, interval)
    assert {name: getattr(read, name) for name in beside} == beside
    if number and read.relation == "=":
        assert (read.low, read.high) == rounding(number)


REFUSED = {
    "": "give a number", "soon": "found 'soon'. To do", "—": "give a number",
    "all patients fully recovered": "found 'all", "NA": "not reached", "n/a": "not reached",
    "not reported": "not reached", "NS": "give P as a number", "P = n.s.": "give P as a number",
    "not significant": "give P as a number", "~5": "if it was printed", "≈ 0.05": "if it was",
    "approximately 12 months": "if it was", "about 60%": "if it was", "7.3-14.4 months": "'-'",
    "7.3 to 14.4": "'to'", "P for interaction = 0.03": "'for interaction'",
    "P(interaction) = .03": "'interaction'", "stratified P = 0.03": "'stratified P'",
    "adjusted HR 0.59": "'adjusted HR'", "12-month OS 41%": "'OS'", "P = 0.03 and 0.04": "'and'",
    "0.59 0.40 0.89": "'0.40'", "0.59 ± 0.1": "'±'", "0.59 (SE 0.1)": "'SE'",
    "0.59 (0.1)": "'0.1'", "1.2.3": "'1.2.3' is no number", "1,23,4": "is no number",
    "1,003": "1.003 or 1003", "12,345 weeks": "12.345 or 12345", "1.003 days": "1.003 or 1003",
    "HR 1,003 (0.85-1.18)": "1.003 or 1003", "0.59 (0,40-0,89)": "points and commas",
    "3.4 x 106": "'x'", "3·10-6": "'-'", "10²": "power of ten", "3e3": "power of ten",
    "HR (95% CI) 0.59": "no limits", "5e3": "power of ten",
    "P = 3": "a P is 0 to 1", "P = 1,003": "a P is 0 to 1", "P = -0.03": "a P is 0 to 1",
    "P = 0.3%": "a P has no unit", "P = 0.03 months": "a P has no unit", "P =": "give a number",
    "P = < .001": "'<'", "P = 0.03 (P = 0.04)": "no other P", "007": "is no number",
    "16/15": "more than all", "15/54 months": "patients stand beside months",
    "15 (27.8%) months": "patients stand beside", "15/54%": "beside %",
    "15 (127.8%)": "no share", "0.59 (0.89-0.40)": "wrong way round",
    "5 months days": r"\(unit\)",
    "2 years 3 months": "'3'", "1-sided": "give a number",
    "one-sided two-sided P = .03": r"\(sides\)",
    "95% CI 0.40-0.89": "'95% CI'", "0.59 (95% CI)": "not understood", "0.59 (0.40-": "too early",
    "0.59)": "'\\)'", "0.59 (95% CrI 0.40-0.89)": "not understood", "27.8% (15)": "'15'",
    "9.0 months (7-14 weeks)": "behind its limits", "0.59 (CI, 40% to 89%)": "behind its limits",
    "12 m": "'m'", "5 hours": "'hours'", "2024-01-01": "'-'", "0.03a": "'a'",
    "1e-400": "no value prints so",
    "12 months'": "\"'\"", "$0.03": "'\\$'", "15 [1]": "'1'", "15, 54": "'54'",
    "0.5.1": "no number", "P > 1": "no value prints so", "15 of 15 of 15": r"\(total\)",
    "0.59 (0.4-0.9) (0.4-0.9)": r"\(limits\)", "HR 0.59 (P = 9)": "a P is 0 to 1",
    "-15/54": "below zero",
    "HR 15 (27.8%)": "beside a ratio", "27.8% (15/": "not understood",
    "NR (27%)": "patients stand beside", "< NR": "neither less nor more", "(15%) 8": "not under",
    "²": "give a number", "٣": "found", "·": "found", "P": "give a number", "0.59 2 0.4": "'2'",
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_understood_is_refused_with_what_was_found_and_what_to_do(text):
    with pytest.raises(ValueError, match=REFUSED[text]) as refused:
        read_number(text)
    said = str(refused.value)
    assert said.startswith(f"printed: found {text!r}") and ". To do: " in said


BY_KIND = [
    ("1,003", "count", "1003"), ("1.003", "count", "1003"), ("1,003", "ratio", "1.003"),
    ("1.003", "ratio", "1.003"), ("1.003", None, "1.003"), ("1,003,000", None, "1003000"),
    ("1.234,5", None, "1234.5"), ("1,234.5", None, "1234.5"), ("0,123", None, "0.123"),
    ("1,003 days", "time", "1003"), ("1,003 months", "time", "1.003"),
    ("1,003 (850.5-1,200) days", "time", "1003"), ("1,003 (0,85-1,18)", "ratio", "1.003"),
    ("1.003 (27,8%)", "count", "1003"), ("12,345%", "percentage", "12.345"),
    ("P = 0,003", None, "0.003"), ("1 003", "ratio", "1003"), ("1003,5", None, "1003.5"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "number"), BY_KIND)
def test_points_and_commas_are_decided_by_stated_rules(text, kind, number):
    assert read_number(text, kind=kind).number == number


@pytest.mark.parametrize(
    ("text", "kind"),
    [("1,003", "time"), ("1.003 (27.8%)", "count"), ("27.8", "count"), ("1,003 weeks", "time")],
)
def test_a_text_with_two_readings_is_refused(text, kind):
    with pytest.raises(ValueError, match="To do: write"):
        read_number(text, kind=kind)


def test_a_percentage_in_a_table_of_counts_needs_no_sign():
    assert read_number("15 (27.8)", kind="count").words == "15 patients (27.8%)"
    with pytest.raises(ValueError, match=r"'27\.8' is not understood"):
        read_number("15 (27.8)")


WORDS = {
    "one-sided P = .0987": "P = 0.0987, one-sided", "73.0 mo": "73.0 months",
    "< .0001": "less than 0.0001", "p≤0·001": "P at most 0.001",
    "15/54 (27.8%)": "15 of 54 patients (27.8%)", "NE": "not estimable",
    "9.0 (7.3-NE) months": "9.0 months, interval 7.3 months to not estimable",
    "41% (95% CI, 31-52)": "41%, 95% interval 31% to 52%", "≥ 24 mo": "at least 24 months",
    "HR, 0.59; 95% CI, 0.40-0.89; P = .01": "0.59, 95% interval 0.40 to 0.89, P = 0.01",
    "P = .02 (log-rank test)": "P = 0.02, log-rank test", "39 events": "39 events",
}  # fmt: skip


@pytest.mark.parametrize("text", WORDS)
def test_a_number_is_said_back_in_words(text):
    assert read_number(text).words == WORDS[text]


@pytest.mark.parametrize("text", [row[0] for row in PRINTED if row[1]])
def test_what_is_written_plainly_is_read_as_before(text):
    read = read_number(text)
    again = read_number(read.plain, kind="count" if read.count is not None else None)
    same = ("number", "relation", "unit", "count", "total", "share", "missing")
    assert all(getattr(again, name) == getattr(read, name) for name in same)


def test_a_dropped_zero_is_given_back():
    read = read_number("0.8", 2)
    assert (read.low, read.high, read.number) == (0.795, 0.805, "0.80")
    assert read_number("0.805", 2).low == 0.8045  # never less than was printed


def test_what_was_misread_before_is_read_right():
    assert printing_interval(".0987") == (0.09865, 0.09875)  # was 987
    assert printing_interval("0·59") == (0.585, 0.595)  # was 0
    assert printing_interval("1-sided P = 0.03") == (0.025, 0.035)  # was 1
    assert prints_as(0.0004, "≤ 0.001") and prints_as(0.001, "≤ 0.001")  # was about 0.001
    assert printing_interval("< .0001") == (0, 0.0001)  # was below 1
    assert printing_interval("-1.2") == (-1.25, -1.15)  # lost its sign
    with pytest.raises(ValueError, match="To do: give a number"):
        printing_interval("NR")


# Properties


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 10**7), st.integers(0, 8), st.sampled_from(sorted(STYLES)))
def test_any_number_in_any_style_reads_back_exactly(digits, places, style):
    whole, rest = divmod(digits, 10**places)
    plain = f"{whole}.{rest:0{places}d}" if places else str(whole)
    assume(places != 3 or not 1 <= whole <= 999 or style != "a decimal comma")
    assume(plain not in ("10", "0") or "raised" not in style)
    text = STYLES[style](plain)
    read = read_number(text)
    assert read.number == plain
    assert (read.low, read.high) == rounding(plain)


@settings(deadline=None)
@given(st.integers(1000, 10**9), st.integers(0, 4), st.sampled_from(",'" + THIN + NBSP + " "))
def test_thousands_are_no_decimals(whole, places, mark):
    text = f"{whole:,}".replace(",", mark) + (f".{'7' * places}" if places else "")
    read = read_number(text, kind=None if places or whole >= 10**6 or mark != "," else "count")
    assert read.number == f"{whole}" + (f".{'7' * places}" if places else "")


PIECES = ["0.59", "15", "54", "27.8", "%", "(", ")", "[", "]", "-", "to", ",", ";", "P", "=", "<",
          "95% CI", "months", "of", "/", "HR", "n", "NR", "patients", "one-sided", "log-rank", "*",
          "range", "median", "+"]  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=9), st.sampled_from(["count", None]))
def test_no_number_of_an_accepted_text_is_left_out(pieces, kind):
    try:
        read = read_number(" ".join(pieces), kind=kind)
    except ValueError as refused:
        assert ". To do: " in str(refused)
        return
    given_ = sum(piece[0].isdigit() and "CI" not in piece for piece in pieces)
    told = [read.number, read.share, read.p, *read.interval]
    kept = sum(any(c.isdigit() for c in text) for text in told) + (read.total is not None)
    assert kept == given_
    assert ("one-sided" in pieces) == (read.sides == 1)
    assert pieces.count("NR") == bool(read.missing) + read.interval.count("not reached")


@pytest.mark.parametrize("text", [row[0] for row in PRINTED])
def test_a_number_put_in_anywhere_is_read_or_refused(text):
    for at in range(len(text) + 1):
        for more in ("77", " 77 "):
            try:
                read = read_number(text[:at] + more + text[at:])
            except ValueError as refused:
                assert ". To do: " in str(refused)
            else:
                assert "77" in read.words


@settings(deadline=None)
@given(st.sampled_from([row[0] for row in PRINTED if row[1]]),
       st.sampled_from(["interaction", "adjusted", "x", "OS", "±", "?", "vs", "SD"]),
       st.booleans())  # fmt: skip
def test_a_foreign_word_is_refused_wherever_it_stands(text, word, before):
    with pytest.raises(ValueError, match="not understood"):
        read_number(f"{word} {text}" if before else f"{text} {word}")
