"""True numbers of real data, printed under every convention: none may be called impossible.

`tests/fixtures/make_prints.R` computes samples of the sets that R's survival ships; here they are
printed as papers would. Run alone it counts: `python tests/true_prints.py FILE [SEED] [ALTERED]`.
"""

import copy
import json
import math
import sys
import time
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import numpy as np
from scipy.stats import chi2, norm

from helpers.rebuild.claims import ClaimsError, with_claims
from helpers.rebuild.proofs import verdicts
from helpers.rebuild.stated import CONVENTIONS
from helpers.rebuild.verdicts import CONDITIONAL, IMPOSSIBLE, UNEXPLAINED

FIXTURE = Path(__file__).parent / "fixtures" / "prints" / "prints.json"
GRADES = (IMPOSSIBLE, UNEXPLAINED, CONDITIONAL)
ARMS = ("new", "old")
MONTH_NAMES = {365 / 12: "365/12", 30.0: 30, 30.4375: 30.4375, 30.44: 30.44}


def samples(path: Path = FIXTURE) -> list[dict]:
    return json.loads(Path(path).read_text(encoding="utf-8"))["samples"]


class Made:
    """How one paper is printed: every choice drawn from a generator, or all usual ones."""

    def __init__(self, sample: dict, rng, usual: bool = False):
        pick = lambda *choices: choices[int(rng.integers(len(choices)))]  # noqa: E731
        self.sample, self.rng, self.usual = sample, rng, usual
        models = [m for m in sample["models"] if m["model"] != "plain" or m["ties"] == "efron"]
        models = [m for m in models if m["model"] in ("plain", "adjusted")] if usual else models
        models = models if usual else sample["models"]
        self.model = models[int(rng.integers(len(models)))] if models else None
        weighting = ("", "", "", "", "weighted", "late", "robust")
        self.how = "" if usual else pick(*weighting)
        if self.how in ("weighted", "late") and sample[self.how] is None:
            self.how = ""
        if self.how in ("weighted", "late"):
            own = sample[self.how]
            self.model = {"model": "plain", "ties": "efron", "adjust": [], **own}
        self.test = "wald" if usual else pick("wald", "log_rank", "likelihood_ratio", "mixed")
        self.kind = "wald" if usual else pick("wald", "profile")
        if self.how or self.model is None:
            self.test, self.kind = "wald", "wald"
        self.sides = 2 if usual else pick(2, 2, 1)
        levels = self.model.get("levels", [95]) if self.model else [95]
        self.level = 95 if usual else levels[int(rng.integers(len(levels)))]
        self.in_days = sample["unit"] == "days" and not usual and rng.random() < 0.2
        self.after = bool(not usual and rng.random() < 0.5)  # at risk beyond the time
        self.plateau = "midpoint" if usual else pick("midpoint", "first", "below")
        self.cut_off = bool(not usual and rng.random() < 0.15)
        self.unnamed = bool(not usual and rng.random() < 0.3)  # the file leaves covariates out
        self.places = {"ratio": pick(2, 2, 2, 1, 3), "median": pick(1, 1, 2), "share": pick(0, 1)}
        self.half_up = rng.random() < 0.5

    def number(self, value: float, places: int) -> str:
        if self.half_up:
            exact = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
            return f"{exact:.{places}f}"
        return f"{value:.{places}f}"

    def share(self, value: float) -> str:
        places = self.places["share"]
        if self.cut_off:
            return f"{math.floor(100 * value * 10**places + 1e-9) / 10**places:.{places}f}%"
        return f"{self.number(100 * value, places)}%"

    def p(self, two_sided: float, b: float) -> str:
        """A P as journals print it; one-sided it favours the first arm."""
        value = two_sided
        if self.sides == 1:
            value = two_sided / 2 if b < 0 else 1 - two_sided / 2
        for least in (0.0001, 0.001):
            if value < least and self.rng.random() < 0.7:
                return f"P < {least:g}"
        if value > 0.99 and self.rng.random() < 0.5:
            return "P > 0.99"
        small = max(2, 2 - math.floor(math.log10(max(value, 1e-12))) - 1)
        places = int(self.rng.choice([2, 3, small])) if value >= 0.001 else small
        text = self.number(value, min(places, 12))
        text = text if float(text) > 0 else f"{value:.{small}f}"
        if float(text) == 0:
            return "P < 0.001"
        return f"P = {text.lstrip('0') if self.rng.random() < 0.3 and value < 0.9 else text}"

    def time(self, value: float) -> str:
        """A time in months of the sample, or in days."""
        if self.in_days:
            return f"{value:g}"
        month = self.sample["month"] if self.sample["unit"] == "days" else 1
        return self.number(value / month, self.places["median"])


def printed(made: Made) -> tuple[dict, dict]:
    """A paper: its claims without a word of conventions, and the same with all of them stated."""
    sample = made.sample
    in_days = sample["unit"] == "days"
    scale = 1 if in_days else 31
    base = {
        "name": f"{sample['set']} {sample['number']}",
        "time_unit": "days" if made.in_days else "months",
        "arms": {name: arm["n"] for name, arm in zip(ARMS, sample["arms"], strict=True)},
        "endpoints": {"os": "x"}, "linked": False, "factors": {"f1": "x", "f2": "y"},
        "ties": made.model["ties"] if made.model else "efron", "rules": [], "claims": [],
        "last_day": math.ceil(max(arm["last"] for arm in sample["arms"]) * scale),
    }  # fmt: skip
    claims = [*curves(made), *counts(made), *comparisons(made)]
    for k, claim in enumerate(claims):
        claim["id"] = f"c{k}"
    stated = {
        "weighted": made.how in ("weighted", "robust"), "late_entry": made.how == "late",
        "whole_days": sample["recorded"] == "whole days",
    }  # fmt: skip
    if in_days:
        stated["month"] = next(v for k, v in MONTH_NAMES.items() if abs(k - sample["month"]) < 1e-6)
    told = [dict(claim) for claim in claims]
    for claim in told:
        claim |= conventions_of(claim, made)
    for claim in claims if made.unnamed else []:
        claim.pop("adjust", None)
    if made.cut_off:  # no key says so: whoever knows writes what is certain
        told = [c for c in told if "%" not in str(c["printed"])]
    return with_claims(base, claims), with_claims(base | stated, told)


def partly(content: dict, rng) -> dict:
    """A paper of which only some conventions are stated, of each at random."""
    kept = lambda part: {k: v for k, v in part.items()  # noqa: E731
                         if k not in CONVENTIONS or rng.random() < 0.5}  # fmt: skip
    return kept(content) | {"claims": [kept(claim) for claim in content["claims"]]}


def conventions_of(claim: dict, made: Made) -> dict:
    """What a careful reader would state of a claim."""
    if claim["kind"] == "median" and made.plateau != "below":
        return {"plateau": made.plateau}
    strata = made.model is not None and made.model["model"] == "stratified"
    if claim["kind"] == "log_rank":
        return {"sides": made.sides, "stratified": strata}
    if claim["kind"] != "hazard_ratio" or "factor" in claim:
        return {}
    test = "log_rank" if made.test == "mixed" else made.test
    return {"test": test, "sides": made.sides, "level": made.level, "interval_kind": made.kind,
            "stratified": strata or made.test == "mixed"}  # fmt: skip


def curves(made: Made) -> list[dict]:
    """Medians, follow-up, survival and numbers at risk."""
    sample, claims = made.sample, []
    own = sample["weighted"] if made.how == "weighted" else None
    late = sample["late"]["arms"] if made.how == "late" else None
    for a, (name, arm) in enumerate(zip(ARMS, sample["arms"], strict=True)):
        of = {"endpoint": "os", "arm": name}
        half = own["median"][a] if own else late[a]["median"] if late else arm[made.plateau]
        text = "not reached" if half is None else made.time(half)
        claims.append({"kind": "median", **of, "printed": text})
        survival = own["survival"][a] if own else late[a]["survival"] if late else arm["survival"]
        risk = arm["after"] if made.after else arm["before"]
        if own and made.rng.random() < 0.5:
            risk = [round(r) for r in own["risk"][a]]
        risk = late[a]["risk"] if late else risk
        by_mark = zip(sample["marks"], survival, risk, arm["watched"], strict=True)
        for mark, s, r, watched in by_mark:
            at = {"at": f"{mark:g} months" if made.in_days else mark}
            if watched and s is not None:
                claims.append({"kind": "survival", **of, **at, "printed": made.share(s)})
            claims.append({"kind": "at_risk", **of, **at, "printed": f"{r:.0f}"})
        for kind in ("follow_up", "survivors"):
            if arm[kind] is not None and not late:
                named = "survivors_follow_up" if kind == "survivors" else kind
                claims.append({"kind": named, **of, "printed": made.time(arm[kind])})
    claims = [c for c in claims if made.rng.random() < 0.8]
    if not (own or late):
        month = sample["month"] if sample["unit"] == "days" else 1
        gained = (sample["arms"][0]["mean"] - sample["arms"][1]["mean"]) / month
        claims.append({"kind": "rmst_difference", "endpoint": "os",
                       "at": f"{sample['horizon']:g} months" if made.in_days else sample["horizon"],
                       "printed": f"{made.number(gained, 2)} months"})  # fmt: skip
    return claims


def counts(made: Made) -> list[dict]:
    """Events, early censoring and Table 1."""
    sample, claims = made.sample, []
    groups = [*zip(ARMS, sample["arms"], strict=True), (None, sample["both"])]
    for name, arm in groups:
        of = {"arm": name} if name else {}
        claims.append({"kind": "events", "endpoint": "os", **of, "printed": f"{arm['events']}"})
        if made.how != "late":
            at = sample["marks"][0]
            at = f"{at:g} months" if made.in_days else at
            claims.append({"kind": "censored_before", "endpoint": "os", **of, "at": at,
                           "printed": f"{arm['censored'][0]}"})  # fmt: skip
        for factor in ("f1", "f2"):
            share = made.share(arm[factor] / arm["n"])
            forms = (share, f"{arm[factor]} ({share})", f"{arm[factor]}/{arm['n']} ({share})")
            claims.append({"kind": "patients", "factor": factor, **of,
                           "printed": forms[int(made.rng.integers(3))]})  # fmt: skip
    return [c for c in claims if made.rng.random() < 0.7]


def comparisons(made: Made) -> list[dict]:
    """The ratio with limits and P, the factor's ratio, and the log-rank P."""
    sample, model, claims = made.sample, made.model, []
    chi = sample["log_rank"]
    if model is not None and model["model"] == "stratified":
        chi = sample["log_rank_f1"]
    if model is not None:
        adjust = [name for name in model["adjust"] if name != "x"]  # x is not in the file
        claim = ratio(made, model, adjust, chi)
        claims += [claim] if claim else []
    if (own := sample["factor"]) is not None and made.how == "":
        places = made.places["ratio"]
        logs = [own["b"] + k * norm.isf(0.025) * own["s"] for k in (0, -1, 1)]
        texts = [made.number(math.exp(v), places) for v in logs]
        p = made.p(2 * norm.sf(abs(own["b"] / own["s"])), own["b"])
        one = {"sides": made.sides} if made.sides == 1 else {}
        if all(float(t) > 0 for t in texts):
            claims.append({"kind": "hazard_ratio", "endpoint": "os", "arm": ARMS[0], "factor": "f1",
                           "printed": texts[0], "interval": texts[1:], "p": p, **one})  # fmt: skip
    if chi is not None and made.how == "" and model is not None:
        p = made.p(float(chi2.sf(chi, 1)), model["b"])
        claims.append({"kind": "log_rank", "endpoint": "os", "printed": p})
    return claims


def ratio(made: Made, model: dict, adjust: list[str], chi: float | None) -> dict | None:
    """A ratio with limits and P as `made` says; None where two decimals print no limit."""
    sample, b, s = made.sample, model["b"], model["s"]
    if made.how == "robust":
        s = model["robust"]
    z = float(norm.isf((1 - made.level / 100) / 2))
    ends = (b - z * s, b + z * s)
    if made.kind == "profile":
        at = model["levels"].index(made.level)
        ends = (model["low"][at], model["high"][at])
    mixed = sample["log_rank"] if model["model"] == "stratified" else sample["log_rank_f1"]
    chis = {"wald": (b / s) ** 2, "likelihood_ratio": model.get("lr"), "log_rank": chi,
            "mixed": mixed if mixed is not None else chi}  # fmt: skip
    if chis[made.test] is None:
        return None
    texts = [made.number(math.exp(v), made.places["ratio"]) for v in (b, *ends)]
    if any(float(t) == 0 for t in texts) or ends[1] > 9:
        return None
    claim = {"kind": "hazard_ratio", "endpoint": "os", "printed": texts[0], "interval": texts[1:],
             "p": made.p(float(chi2.sf(chis[made.test], 1)), b)}  # fmt: skip
    return claim | ({"adjust": adjust} if adjust else {})


# ---- one digit altered ---------------------------------------------------------------------------


def parts(content: dict) -> list[tuple[str, str, int | None]]:
    """Every printed text: the claim's id, its key, and which limit."""
    found = []
    for claim in content["claims"]:
        found += [(claim["id"], "printed", None)] if claim["printed"] != "not reached" else []
        found += [(claim["id"], "interval", k) for k in range(len(claim.get("interval", [])))]
        found += [(claim["id"], "p", None)] if "p" in claim else []
    return found


def altered(content: dict, part: tuple, rng) -> dict | None:
    """The same paper with one digit of a text changed; None where it is then refused."""
    other = copy.deepcopy(content)
    name, key, which = part
    (claim,) = (c for c in other["claims"] if c["id"] == name)
    text = claim[key] if which is None else claim[key][which]
    at = [k for k, c in enumerate(text) if c.isdigit()]
    k = at[int(rng.integers(len(at)))]
    digit = rng.choice([d for d in "0123456789" if d != text[k]])
    text = text[:k] + digit + text[k + 1 :]
    claim[key] = text if which is None else [*claim[key][:which], text, *claim[key][which + 1 :]]
    for claim in other["claims"]:
        claim.pop("as_printed", None)
    try:
        return with_claims(other | {"claims": []}, other["claims"])
    except ClaimsError:
        return None


def kind_of(content: dict, part: tuple) -> str:
    """What kind of number a text is."""
    name, key, _ = part
    (claim,) = (c for c in content["claims"] if c["id"] == name)
    if key == "interval":
        return "limit of a ratio"
    if key == "p":
        return "P beside a ratio"
    if claim["kind"] == "patients":
        return "patients, alone" if "(" not in claim["printed"] else "patients with percentage"
    return claim["kind"].replace("_", " ")


def caught(before: list, content: dict | None, part: tuple) -> str:
    """The gravest grade of a new verdict on an altered text; "refused" or ""."""
    if content is None:
        return "refused"
    name, key, which = part
    ids = {name} | ({f"{name}.p"} if key == "p" else set())
    ids |= {f"{name}.{('low', 'high')[which]}"} if which is not None else set()
    known = {(v.grade, v.ids) for v in before}
    new = [v.grade for v in verdicts(content) if (v.grade, v.ids) not in known and ids & set(v.ids)]
    return min(new, key=GRADES.index) if new else ""


def report(path: Path, seed: int = 1, alter: int = 3, prints: int = 2) -> None:
    """Count what is said of true prints, and which altered digits are caught.

    Every second print of a sample in whole days is made by the usual conventions alone.
    """
    start, total, said, why = time.monotonic(), 0, Counter(), Counter()
    names = ("unknown", "known", "partly")
    rates = {label: Counter() for name in names for label in (name, f"usual, {name}")}
    rows = samples(path)
    for sample in rows:
        for k in range(prints):
            rng = np.random.default_rng([seed, sample["number"], k])
            usual = k % 2 == 1 and sample["recorded"] == "whole days"
            made = Made(sample, rng, usual)
            unknown, known = printed(made)
            total += 1
            for name, content in zip(names, (unknown, known, partly(known, rng)), strict=True):
                found = verdicts(content)
                label = f"usual, {name}" if usual else name
                said[label, "prints"] += 1
                for grade in {v.grade for v in found}:
                    said[label, grade] += 1
                for v in found:
                    kinds = {c["id"]: c["kind"] for c in content["claims"]}
                    of = tuple(sorted({kinds.get(i.split(".")[0], i) + i[len(i.split(".")[0]):]
                                       for i in v.ids}))  # fmt: skip
                    why[label, v.grade, of] += 1
                    if v.grade == IMPOSSIBLE or (name == "known" and v.grade == CONDITIONAL):
                        print("WRONG", name, content["name"], k, v.text(), flush=True)
                options = parts(content)
                for at in rng.permutation(len(options))[:alter]:
                    part = options[int(at)]
                    grade = caught(found, altered(content, part, rng), part)
                    rates[label][kind_of(content, part), grade] += 1
    print(f"{total} prints of {len(rows)} samples of {len({r['set'] for r in rows})} sets, "
          f"{time.monotonic() - start:.0f} s")  # fmt: skip
    for key in sorted(said):
        print(key, said[key])
    for key, number in why.most_common(60):
        print("   ", number, key)
    for label, table in rates.items():
        print(f"\nOne digit altered, conventions {label}:")
        for kind in sorted({k for k, _ in table}):
            row = {grade: table[kind, grade] for grade in (*GRADES, "refused", "")}
            print(f"  {kind:28}", sum(row.values()), row)


if __name__ == "__main__":
    report(Path(sys.argv[1]), *map(int, sys.argv[2:]))
