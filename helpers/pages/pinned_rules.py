"""What the set of cohorts assumes beside the print, and readings under which none was found."""

import pandas as pd
import yaml

from helpers.cohort import ROOT
from helpers.conventions import FIRST_RESPONSE
from helpers.paper import pinned
from helpers.paper.ledger import claims

ASSUMED = "Assumed in data/claims.yaml and helpers/rebuild; not printed."
KINDS = {"hazard_ratio": "adjusted hazard ratio", "last_day": "days of follow-up, longest",
         "censored_before": "patients censored before",
         "unwatched": "patients whose PFS is censored while they are watched on"}  # fmt: skip
CLAIMS = ROOT / "data" / "claims.yaml"


def rules_text() -> pd.DataFrame:
    """The plausibility rules of data/claims.yaml, and those of response, one line each."""
    content = yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))
    rows = []
    for rule in content["rules"]:
        what = [KINDS.get(rule["kind"], rule["kind"]), rule.get("endpoint", "").upper(),
                rule.get("arm", ""), content["factors"].get(rule.get("factor"), ""),
                rule.get("at", "")]  # fmt: skip
        rows.append((rule["about"], ", ".join(filter(None, what)), str(rule.get("min", "")),
                     str(rule.get("max", ""))))  # fmt: skip
    rows.append(
        (
            "responders had not progressed when first assessed",
            "days without progression of each responder",
            str(FIRST_RESPONSE + 1),
            "",
        )
    )
    rows.append(("who was not evaluable was gone by then", "days of follow-up of one control", "",
                 str(FIRST_RESPONSE)))  # fmt: skip
    return pd.DataFrame(rows, columns=["rule", "what is bound", "at least", "at most"])


def gathered(names) -> str:
    """Names in the order given, each number with its limits and P behind it and said once."""
    heads: dict[str, list[str]] = {}
    for name in names:
        head, _, part = name.partition(": ")
        heads.setdefault(head, [])
        if part and part not in heads[head]:
            heads[head].append(part)
    return "; ".join(f"{head} ({', '.join(parts)})" if parts else head
                     for head, parts in heads.items())  # fmt: skip


def readings_text() -> pd.DataFrame:
    """Readings under which cohorts were looked for in vain, and how near the search came."""
    table, printed = pinned.readings(), claims().set_index("id")["quantity"]
    rules = yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))["rules"]
    names = printed.to_dict() | {f"rule_{k}": r["about"] for k, r in enumerate(rules, start=1)}
    missed = [
        gathered(names.get(n, n) for n in ids.split("; ") if n) or "none"
        for ids in table["claims_missed"].fillna("")
    ]
    shown = table[["reading", "attempts", "members"]].rename(columns={"members": "cohorts found"})
    return shown.assign(**{"missed by the nearest": missed})
