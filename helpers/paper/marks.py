"""The signs and words in which journals print numbers: a text as tokens, and digits as a number.

`helpers.paper.numbers` says what a row of tokens means. What is no token is refused by name.
"""

import html
import re
import unicodedata
from typing import NamedTuple

SPACES = "\t\n\r\u00a0\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
NO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
DOTS = "\u00b7\u0387\u2027\u2219\u22c5"
SIGNS = str.maketrans(
    dict.fromkeys(SPACES, " ") | dict.fromkeys(NO_WIDTH) | dict.fromkeys(DASHES, "-")
    | dict.fromkeys(DOTS, "·") | dict.fromkeys("\u2018\u2019\u2032\u02bc", "'")
    | dict.fromkeys("≤⩽≦", "<=") | dict.fromkeys("≥⩾≧", ">=") | dict.fromkeys("✕✖⨯", "×")
    | {"\ufe64": "<", "\ufe65": ">", "\ufe6a": "%"}
    | {chr(c): chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F) if chr(c) not in DASHES}
)  # fmt: skip
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")

DIGITS = (
    r"(?:[0-9]{1,3}(?: [0-9]{3})+(?![0-9])(?:[.,·][0-9]+)?"  # 1 003 and 1 003,5
    r"|[0-9]+(?:[.,·'][0-9]+)*|[.·][0-9]+)"
)
RAISED_TO = r"(?:\^ ?\(?(-?[0-9]{1,3})\)?|⟨(-?[0-9]{1,3})⟩)"
# 3.4 × 10-6, 3.4 · 10⁻⁶, 3.4e-6, 10⁻⁶; a dot without a raised power is a decimal point.
POWER = (
    rf"(?P<digits>{DIGITS})(?: ?[x×*] ?10(?:{RAISED_TO}| ?(- ?[0-9]{{1,3}}))"
    rf"| ?· ?10{RAISED_TO}|e(-?[0-9]{{1,3}}))|10{RAISED_TO}"
)
UNITS = {
    "days": r"days?|d|tag(?:en?)?|jours?",
    "weeks": r"weeks?|wks?\.?|wochen?|semaines?",
    "months": r"months?|mos?\.?|mths?\.?|monat(?:en?)?|mois",
    "years": r"years?|yrs?\.?|y|jahr(?:en?)?|ans?|années?",
}
LEVEL = r"9[0-9](?:[.,·][0-9]+)?"
# "95% CI" or "CI 95%"; in "CI 95% to 99%" the percentage is a limit.
INTERVAL = (
    rf"(?:(?P<level>{LEVEL}) ?(?:%|percent|per cent) ?-? ?)?"
    r"(?:CIs?|confidence (?:interval|limits)|KI|konfidenzintervall|IC|intervalle de confiance)"
    rf"(?: ?-? ?(?:à )?(?P<after>{LEVEL}) ?%(?! ?(?:-|to |bis |à |and )))?"
)
# A token's name and its pattern, in the order in which they are tried. Words end with a word.
WORDS = {
    "one-sided": r"(?:one|1|single)[ -]?(?:sided|tailed)(?: tests?)?|einseitig\w*|unilat[ée]rale?",
    "two-sided": r"(?:two|2|double)[ -]?(?:sided|tailed)(?: tests?)?|zweiseitig\w*|bilat[ée]rale?",
    "interval": INTERVAL,
    "quartiles": r"IQR|inter-?quartile range",
    "range": r"range|spannweite|étendue",
    "log-rank": r"log[ -]?rank(?: tests?)?",
    "Wald": r"wald(?: tests?)?",
    "likelihood ratio": r"likelihood[ -]ratio(?: tests?)?",
    "not reached": r"not (?:yet )?(?:been )?reached|unreached|NR|NYR|nicht erreicht|non atteinte?",
    "not estimable": r"not (?:estimable|evaluable|calculable)|non-? ?estimable|inestimable"
                     r"|could not be estimated|NE|NC|nicht (?:schätzbar|bestimmbar)",
    "not available": r"N/?A|n\.a\.|not (?:available|applicable|reported|assessable)",
    "not significant": r"NS|n\.s\.?|(?:not |non-?)significant",
    "about": r"about|around|approximately|circa|ca\.|etwa|environ",
    "P": r"p(?:[ -]?values?|-?wert)?",
    "ratio": r"HR|hazards? ratio",
    "median": r"median|médiane",
    "n": r"n(?= ?=)",
    **UNITS,
    "patients": r"patients?|pts\.?|pat(?:ienten|\.)",
    "events": r"events?|ereignisse",
    "deaths": r"deaths?|todesfälle",
    "%": r"percent|per cent|pct|prozent|pour cent",
    "<=": r"(?:less|fewer|lower) than or equal to|(?:no|not) (?:more|greater|higher) than|at most"
          r"|höchstens|au plus",
    ">=": r"(?:more|greater|higher) than or equal to|(?:no|not) (?:less|fewer|lower) than|at least"
          r"|mindestens|au moins",
    "<": r"(?:less|fewer|lower|smaller) than|below|under|weniger als|kleiner als|moins de"
         r"|inférieure? à",
    ">": r"(?:more|greater|higher|larger) than|above|over|exceeding|mehr als|größer als|plus de"
         r"|supérieure? à",
    "=": r"equal to|equals|gleich|égale? à",
    "of": r"(?:out )?of(?: the)?|von|sur",
    "to": r"to|bis|à|and|und|et",
}  # fmt: skip
SYMBOLS = [
    ("<=", "<=|</="), (">=", ">=|>/="), ("<", "<"), (">", ">"), ("=", "="), ("power", POWER),
    ("number", DIGITS), ("%", "%"), ("of", "/"), ("-", "-"), ("+", r"\+"), ("(", r"[(\[{]"),
    (")", r"[)\]}]"), ("separator", "[,;:]"), ("stop", r"\."),
    ("about", "[~≈∼]"), ("mark", r"[*†‡§¶#‖ᵃᵇᶜᵈᵉ]|\|\||⟨[0-9]{1,2}⟩"),
]  # fmt: skip
PATTERNS = [
    *((name, re.compile(rf"(?:{p})(?![^\W\d_])", re.IGNORECASE)) for name, p in WORDS.items()),
    *((name, re.compile(p, re.IGNORECASE)) for name, p in SYMBOLS),
]
UNKNOWN = re.compile(r"[^\W\d_]+\.?(?:[ -][^\W\d_]+\.?)*|.")


class Token(NamedTuple):
    """A piece of a text: what it is, and how it stands there (of a number its digits)."""

    name: str
    text: str
    power: int = 0  # of ten, by which a number is multiplied
    level: str = ""  # of an interval


class Digits(NamedTuple):
    """One way to read digits: the number with a point, its decimal mark, its mark of thousands."""

    number: str
    point: str
    thousands: str


def tokens(text: str) -> list[Token]:
    """A text as tokens; the last is called unknown where no pattern fits."""
    text = unicodedata.normalize("NFC", html.unescape(text)).translate(SIGNS)
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+", lambda m: f"⟨{m[0].translate(RAISED)}⟩", text)
    text = re.sub("(?<=[0-9])\u2022(?=[0-9])", "·", text)  # a bullet begins a list elsewhere
    text = re.sub(r"(?<=[.·][0-9])([0-9]*),(?=[0-9]*[.·][0-9])", r"\1, ", text)  # 0.40,0.89
    text, at, found = re.sub(" +", " ", text).strip(), 0, []
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        tries = ((name, pattern.match(text, at)) for name, pattern in PATTERNS)
        name, match = next(((n, m) for n, m in tries if m), ("unknown", UNKNOWN.match(text, at)))
        found.append(token(name, match))
        if name == "unknown":
            break
        at = match.end()
    return found


def token(name: str, match: re.Match) -> Token:
    if name == "power":
        power = next(group for group in match.groups()[1:] if group)
        return Token("number", match["digits"] or "1", int(power.replace(" ", "")))
    level = (match["level"] or match["after"] or "") if name == "interval" else ""
    return Token(name, match[0], level=level.replace(",", ".").replace("·", "."))


def digit_readings(text: str) -> list[Digits]:
    """What digits can mean: the decimal first, thousands second, none if they are no number."""
    found = []
    if re.fullmatch("0|[1-9][0-9]*", text):
        found.append(Digits(text, "", ""))
    if match := re.fullmatch("(0|[1-9][0-9]*)?([.,·])([0-9]+)", text):
        whole, mark, rest = match.groups()
        if whole or mark != ",":
            found.append(Digits(f"{whole or 0}.{rest}", "," if mark == "," else ".", ""))
    grouped = r"([1-9][0-9]{0,2}([ '.,])[0-9]{3}(?:\2[0-9]{3})*)(?:(?!\2)([.,·])([0-9]+))?"
    if match := re.fullmatch(grouped, text):
        whole, mark, point, rest = match.groups()
        whole = whole.replace(mark, "") + (f".{rest}" if rest else "")
        found.append(Digits(whole, {"·": "."}.get(point, point) or "", mark))
    return found
