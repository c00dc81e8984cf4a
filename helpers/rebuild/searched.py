"""Which printed numbers the search looks for, and which it does not, by their conventions.

It knows unweighted curves, Cox models of factors in the file with Wald limits and P, and the
log-rank test of the arms. Of what is stated to be another thing it looks for nothing.
"""

from helpers.rebuild.stated import LEVELS, told, usual

CURVES = ("median", "follow_up", "survivors_follow_up", "survival", "at_risk", "rmst_difference",
          "log_rank", "hazard_ratio")  # fmt: skip
WORDS = {
    "weighted": "weighted",
    "late_entry": "with late entry",
    "stratified": "with strata",
    "profile": "a profile-likelihood interval",
    "likelihood_ratio": "the P of a likelihood-ratio test",
    "log_rank": "the P of a log-rank test beside a ratio that is not that of the arms alone",
}
ASSUMED = {
    "test": "the P beside a ratio is that of its Wald test",
    "sides": "a P is two-sided",
    "level": f"an interval is at {LEVELS[0]}%",
    "interval_kind": "an interval is a Wald interval",
    "stratified": "there are no strata",
    "weighted": "patients are not weighted",
    "month": "a month is 365/12 days",
}


def skipped(content: dict, claim: dict) -> dict[str, str]:
    """What of a claim is not searched, and why: "" all of it, else p or interval."""
    if claim["kind"] in CURVES:
        for name in ("weighted", "late_entry", "stratified"):
            concerned = name != "stratified" or claim["kind"] in ("log_rank", "hazard_ratio")
            if concerned and told(content, claim, name):
                return {"": WORDS[name]}
    if claim["kind"] != "hazard_ratio":
        return {}
    parts, test = {}, usual(content, claim, "test")
    if "interval" in claim and usual(content, claim, "interval_kind") == "profile":
        parts["interval"] = WORDS["profile"]
    alone = not {"factor", "adjust"} & set(claim)
    if "p" in claim and (test == "likelihood_ratio" or (test == "log_rank" and not alone)):
        parts["p"] = WORDS[test]
    return parts


def not_searched(content: dict) -> dict[str, str]:
    """Printed numbers that are not searched, by id, and why."""
    return {
        ".".join(filter(None, (claim["id"], part))): why
        for claim in content["claims"] if claim.get("printed") is not None or "harms" in claim
        for part, why in skipped(content, claim).items()
    }  # fmt: skip


def assumed(content: dict) -> list[str]:
    """What the search takes for granted since the file does not state it, in words."""
    kinds = {claim["kind"] for claim in content["claims"]}
    ratios = [c for c in content["claims"] if c["kind"] == "hazard_ratio"]
    concerned = {
        "test": [c for c in ratios if "p" in c],
        "sides": [c for c in content["claims"] if "p" in c or c["kind"] == "log_rank"],
        "level": [c for c in ratios if "interval" in c],
        "interval_kind": [c for c in ratios if "interval" in c],
        "stratified": [c for c in content["claims"] if c["kind"] in ("log_rank", "hazard_ratio")],
        "weighted": [{}] if set(CURVES) & kinds else [],
        "month": [{}] if content["time_unit"] in ("months", "years") else [],
    }
    return [
        ASSUMED[name] for name, claims in concerned.items()
        if any(told(content, claim, name) is None for claim in claims)
    ]  # fmt: skip
