"""What stands where in a printed number: relation, number, unit, patients, limits, sides.

Digits are kept as they stand; `helpers.paper.numbers` decides what they mean.
"""

from helpers.paper.marks import UNITS, Token, tokens

TESTS = ("log-rank", "Wald", "likelihood ratio")
SIDES = {"one-sided": 1, "two-sided": 2}
RELATIONS = ("=", "<", "<=", ">", ">=")
LABELS = ("P", "ratio", "median", "n")
COUNTED = ("patients", "events", "deaths")
SPREADS = {"interval": "interval", "range": "range", "quartiles": "interquartile range"}
MISSING = ("not reached", "not estimable")
REMEDIES = {
    "not available": "write 'not reached' if a median was not reached, or leave it out",
    "not significant": "give P as a number, or leave it out",
    "about": "write the number alone, if it was printed to these digits",
}
ALONE = "write the number alone, as it was printed"


def refusal(text: str, why: str, to_do: str) -> ValueError:
    """Why a text is not read, and what to do."""
    return ValueError(f"printed: found {text!r}{why}. To do: {to_do}.")


class Reader:
    """Reads the tokens of a text from left to right, and keeps what they say.

    Attributes
    ----------
    said : dict
        relation, label, sides, test, unit, counted, missing, spread and level by their names;
        number, total, count, share and p_number as tokens; minus; p_relation; limits: pairs of
        minus and token.
    """

    def __init__(self, text: str, kind: str | None):
        """`kind`: count, where (27.8) is a percentage, or P, where 10-6 is a power."""
        self.text, self.kind, self.at, self.said = text, kind, 0, {}
        self.tokens = tokens(text)
        if self.tokens and self.tokens[-1].name == "unknown":
            piece = self.tokens[-1].text
            alone = len(self.tokens) == 1 and not any(c.isdigit() for c in text)
            raise self.refusal("" if alone else f", of which {piece!r} is not understood")
        if told := [t for t in self.tokens if t.name in REMEDIES]:
            raise self.refusal("", REMEDIES[told[0].name])
        if self.enclosed():
            self.tokens = self.tokens[1:-1]
        self.head()
        self.number()
        while self.at < len(self.tokens):
            self.part()
        behind = self.said.get("limit_unit")
        if behind and behind != "%":
            self.said.setdefault("unit", behind)
        if behind and behind != self.said.get("unit"):
            raise self.refusal(f", with {behind} behind its limits only", "write it behind both")
        if "spread" in self.said and "limits" not in self.said:
            raise self.refusal(", with the name of an interval and no limits")

    def refusal(self, why: str, to_do: str = ALONE) -> ValueError:
        return refusal(self.text, why, to_do)

    def enclosed(self) -> bool:
        """Whether one pair of brackets holds everything, as in "(HR, 0.59; P = .01)"."""
        depth, ends = 0, []
        for at, token in enumerate(self.tokens):
            depth += (token.name == "(") - (token.name == ")")
            ends += [at] if token.name == ")" and depth == 0 else []
        return self.ahead("(") and ends == [len(self.tokens) - 1]

    def ahead(self, *names: str, skip: int = 0) -> bool:
        at = self.at + skip
        return at < len(self.tokens) and self.tokens[at].name in names

    def take(self, *names: str) -> Token | None:
        """The next token, if it is one of these."""
        if not self.ahead(*names):
            return None
        self.at += 1
        return self.tokens[self.at - 1]

    def say(self, name: str, value) -> None:
        """Keep what was read; only these may be said again, and then in the same way."""
        again = name in ("sides", "test", "limit_unit") and self.said.get(name) == value
        if name in self.said and not again:
            raise self.refusal(f", which gives two of what can stand once ({name})")
        self.said[name] = value

    def leftover(self) -> ValueError:
        if self.at == len(self.tokens):
            return self.refusal(", which ends too early")
        piece = self.tokens[self.at].text
        return self.refusal(f", of which {piece!r} is not understood where it stands")

    def test_said(self) -> bool:
        """Take the sides or the name of a test."""
        if token := self.take(*SIDES):
            self.say("sides", SIDES[token.name])
        elif token := self.take(*TESTS):
            self.say("test", token.name)
        return token is not None

    def head(self) -> None:
        """What stands before the number: labels, tests, the relation."""
        begun = False
        while True:
            if token := self.take(*LABELS):
                self.say("label", token.name)
            elif begun and self.ahead("(") and self.ahead(*SIDES, *TESTS, "interval", skip=1):
                self.take("(")
                if not self.test_said():  # HR (95% CI), 0.59 (0.40-0.89)
                    self.spread_said(self.take("interval"))
                self.close()
            elif not self.test_said() and not (begun and self.take("separator")):
                break
            begun = True
        if token := self.take(*RELATIONS):
            self.say("relation", token.name)

    def number(self) -> None:
        """The number itself, or the word in its place."""
        if token := self.take(*MISSING):
            self.say("missing", token.name)
            return
        minus, token = self.signed()
        if token is None:
            digits = any(t.name == "number" for t in self.tokens)
            raise self.leftover() if digits else self.refusal("", "give a number")
        self.say("minus", minus)
        small = "P" in (self.said.get("label"), self.kind)
        if small and token.text == "10" and self.ahead("-") and self.ahead("number", skip=1):
            power = self.tokens[self.at + 1].text
            if power.isdigit():  # P < 10-6
                self.at += 2
                token = Token("number", "1", -int(power))
        self.say("number", token)

    def signed(self) -> tuple[bool, Token | None]:
        """A number with its sign."""
        ahead = self.ahead("number", skip=1)
        minus = bool(self.ahead("-") and ahead and self.take("-"))
        if not minus and self.ahead("+") and ahead:
            self.take("+")
        return minus, self.take("number")

    def unit(self) -> bool:
        token = self.take(*UNITS, "%")
        if token:
            self.say("unit", token.name)
        return token is not None

    def part(self, bracketed: bool = False) -> None:
        """One thing that stands behind the number."""
        if self.take("mark", "separator") or self.test_said() or self.unit():
            return
        if token := self.take(*COUNTED):
            self.say("counted", token.name)
        elif self.ahead(*SPREADS):
            self.spread()
        elif self.take("("):
            while not self.take(")"):
                self.part(bracketed=True)
        elif self.take("P"):
            self.p()
        elif self.ahead("of") and self.ahead("number", skip=1) and "missing" not in self.said:
            self.take("of")
            self.say("total", self.take("number"))
        elif bracketed and self.take("n"):
            self.take("=")
            self.count(self.take("number"))
        elif bracketed and self.ahead("number", "-", "+", *MISSING):
            self.in_brackets()
        elif not (self.at == len(self.tokens) - 1 and self.take("stop")):
            raise self.leftover()

    def close(self) -> None:
        if not self.take(")"):
            raise self.leftover()

    def p(self) -> None:
        """A P behind the number, as "P = .011"."""
        while self.take("separator") or self.test_said():
            pass
        relation, number = self.take(*RELATIONS), self.take("number")
        if number is None:
            raise self.leftover()
        self.say("p_relation", relation.name if relation else "=")
        self.say("p_number", number)

    def spread(self) -> None:
        """An interval with its name: "95% CI, 0.40 to 0.89"."""
        self.spread_said(self.take(*SPREADS))
        while self.take("separator", "=", "of"):
            pass
        inner = self.take("(")
        self.limits(self.limit())
        if inner:
            self.close()

    def spread_said(self, token: Token) -> None:
        self.say("spread", SPREADS[token.name])
        if token.level:
            self.say("level", float(token.level))

    def limit(self) -> tuple[bool, Token]:
        """A limit with its unit; "NE" and "NR" are limits too."""
        minus, token = self.signed()
        token = token or self.take(*MISSING)
        if token is None:
            raise self.leftover()
        if unit := self.take(*UNITS, "%"):
            self.say("limit_unit", unit.name)
        return minus, token

    def limits(self, first: tuple[bool, Token]) -> None:
        if not self.take("-", "to", "separator"):
            raise self.leftover()
        self.say("limits", (first, self.limit()))

    def count(self, number: Token | None) -> None:
        """A count behind a percentage: "27.8% (15/54)"."""
        if number is None:
            raise self.leftover()
        self.say("count", number)
        if self.ahead("of") and self.ahead("number", skip=1):
            self.take("of")
            self.say("total", self.take("number"))

    def in_brackets(self) -> None:
        """A number in brackets: a count, the first limit, or a percentage."""
        in_table = self.kind == "count" and self.tokens[self.at - 1].text == "("  # 15 (27.8)
        if self.ahead("number") and self.ahead("of", skip=1):
            self.count(self.take("number"))
        elif self.two_ahead():
            self.limits(self.limit())
            self.said.setdefault("spread", "interval")
        elif self.ahead("number") and (in_table or self.ahead("%", skip=1)):
            self.say("share", self.take("number"))
            self.take("%")
        else:
            raise self.leftover()

    def two_ahead(self) -> bool:
        """Whether two limits follow: "31%-52%", "-2.3, 0.4" or "7.3 to NE"."""
        skip = 2 if self.ahead("-", "+") else 1
        skip += self.ahead(*UNITS, "%", skip=skip)
        second = skip + 1 + self.ahead("-", "+", skip=skip + 1)
        return self.ahead("-", "to", skip=skip) or (
            self.ahead("separator", skip=skip) and self.ahead("number", *MISSING, skip=second)
        )
