"""data/study: the tables of the study, and whether they are still what was measured.

`results.jsonl` holds what every finished task gave, so that a study of many hours can go on
another day; the tables follow from it.
"""

import json

import numpy as np
import pandas as pd

from helpers.cohort import ROOT
from helpers.loading.cells import write_csv
from helpers.rebuild.claims import build
from helpers.rebuild.reach import ASKED, asked, driven, two_starts, within
from helpers.sums import write_sums
from helpers.workshop.study import BASES, BUILD, GROUPS, beside
from helpers.workshop.study_data import HELD_OUT, SETS, SIZE, sample
from helpers.workshop.study_print import RIGHT, WRONG, printed
from helpers.workshop.tasks import read_log

FOLDER = ROOT / "data" / "study"
RESULTS = FOLDER / "results.jsonl"
PARTS = ("samples", "groups")
DRAWS, FEWEST_SETS = 2000, 5  # of the bootstrap of sets
INSIDE, UNDEFINED = "inside", "not defined in the sample"


def outside(result: dict) -> bool:
    """Whether some number of a sample missed."""
    pairs = zip(result["truth"], result["ranges"], strict=True)
    return any(v is not None and not within(v, r) for v, r in pairs)


def verdict(result: dict, g: int, near=None) -> tuple[str, str]:
    """Where the sample's own value of a number lies, and why if it is outside.

    near : array, optional
        What `study.beside` gives, for a sample that does not meet its own rows.
    """
    value = result["truth"][g]
    if value is None:
        return UNDEFINED, ""
    limits = result["ranges"][g]
    if within(value, limits):
        return INSIDE, ""
    if limits is None:
        return "outside", "never defined in a cohort reached"
    where = "below" if value < limits[0] else "above"
    name = list(ASKED)[g]
    if within(value, result.get("again", {}).get(name)):
        return where, "search: reached from further starts"
    if near is not None and not within(near[g], limits):
        return where, "search: a cohort beside the sample meets every row and lies outside too"
    if result["missed"]:
        # It lies on an edge of printing that the search keeps away from, or the reading is wrong.
        return where, "the sample does not meet " + ", ".join(result["missed"])
    return where, "search: not reached from further starts either"


def why_none(result: dict) -> str:
    """Why no cohort was found, where none was."""
    if result["found"]:
        return ""
    if result["missed"]:
        return "the sample does not meet " + ", ".join(result["missed"])
    return "search: the sample itself meets every row"


def study_tables(samples: dict) -> dict[str, pd.DataFrame]:
    """samples and ranges of the study, from the results by task."""
    heads, ranges = [], []
    for task, result in samples.items():
        seed, name, number, reading = json.loads(task)
        about = {"set": name, "role": SETS[name].role, "number": number, "reading": reading}
        heads.append(about | {
            "seed": seed, "claims": " ".join(result["printed"]), "cohorts": result["found"],
            "attempts": result["tries"], "sample_does_not_meet": " ".join(result["missed"]),
            "no_cohort": why_none(result), "seconds": result["seconds"],
        })  # fmt: skip
        if not result["found"]:
            continue
        edge = reading == RIGHT and result["missed"] and outside(result)
        near = beside(seed, name, number) if edge else None
        for g, quantity in enumerate(ASKED):
            where, why = verdict(result, g, near)
            low, high = result["ranges"][g] or (np.nan, np.nan)
            # Every cohort that prints all of it prints the medians too.
            wide = (result.get("wide") or [None] * len(ASKED))[g] or (np.nan, np.nan)
            wide = np.fmin(wide[0], low), np.fmax(wide[1], high)
            if reading != RIGHT:
                wide = np.nan, np.nan
            value = np.nan if result["truth"][g] is None else result["truth"][g]
            width = high - low
            ranges.append(about | {
                "quantity": quantity, "value": value, "low": low, "high": high,
                "where": where, "position": (value - low) / width if width > 0 else np.nan,
                "low_medians": wide[0], "high_medians": wide[1],
                "width_share": width / (wide[1] - wide[0]) if wide[1] > wide[0] else np.nan,
                "miss": why,
            })  # fmt: skip
    return {"samples": pd.DataFrame(heads), "ranges": pd.DataFrame(ranges)}


def drive_table(samples: dict) -> pd.DataFrame:
    """Every directed search under the whole print: where it began, and the value reached."""
    rows = []
    for task, result in samples.items():
        about = dict(zip(("seed", "set", "number", "reading"), json.loads(task), strict=True))
        rows += [about | dict(zip(("start", "quantity", "direction", "value"), d, strict=True))
                 for d in result.get("drives", [])]  # fmt: skip
    return pd.DataFrame(rows)


def cluster_interval(hits, total, rng) -> tuple[float, float]:
    """95% interval of a share whose parts are sets: sets drawn with replacement."""
    picks = rng.integers(len(hits), size=(DRAWS, len(hits)))
    some = total[picks].sum(1) > 0
    shares = hits[picks].sum(1)[some] / total[picks].sum(1)[some]
    return tuple(np.quantile(shares, (0.025, 0.975)))


def summary(samples: pd.DataFrame, ranges: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Of each reading and number: samples with a cohort, own values inside, widths.

    Intervals are of held-out sets, drawn with replacement; tuning sets stand in rows of their own.
    """
    rows = []
    for (role, reading), own in samples.groupby(["role", "reading"], sort=False):
        found = own["cohorts"] > 0
        rows.append(line(role, reading, "a cohort found", own.assign(hit=found), seed))
        part = ranges[(ranges["role"] == role) & (ranges["reading"] == reading)]
        part = part[part["where"] != UNDEFINED].assign(hit=lambda d: d["where"] == INSIDE)
        for quantity in ["any of them", *ASKED]:
            some = part if quantity == "any of them" else part[part["quantity"] == quantity]
            if len(some):
                known = some["width_share"].dropna()
                width = {"median_width_share": known.median() if len(known) else np.nan}
                rows.append(line(role, reading, quantity, some, seed) | width)
    return pd.DataFrame(rows)


def line(role: str, reading: str, what: str, part: pd.DataFrame, seed: int) -> dict:
    counts = part.groupby("set")["hit"].agg(["sum", "size"])
    hits, share = int(part["hit"].sum()), part["hit"].mean()
    row = {"role": role, "reading": reading, "what": what, "sets": len(counts), "of": len(part),
           "hits": hits, "share": share}  # fmt: skip
    # Drawing sets again says nothing where all or none are hits, or where they are a handful.
    if role == HELD_OUT and len(counts) >= FEWEST_SETS and 0 < hits < len(part):
        interval = cluster_interval(*counts.to_numpy(float).T, np.random.default_rng(seed))
        row |= dict(zip(("share_low", "share_high"), interval, strict=True))
    return row


def group_table(groups: dict) -> pd.DataFrame:
    """Of each dropped number of the abstract: printed limits, range without it, rank."""
    rows = []
    for task, result in groups.items():
        _, group, basis = json.loads(task)
        about = {"group": group, "basis": basis, "cohorts": result["members"],
                 "attempts": result["tries"], "table": result["table"]}  # fmt: skip
        for name, own in result["rows"].items():
            (low, high), (least, most) = own["printed"], own["range"]
            values = np.array(own["values"])
            rows.append(about | {
                "row": name, "printed_low": low, "printed_high": high, "low": least, "high": most,
                "inside": bool(least <= high and most >= low),
                "width_share": (high - low) / (most - least) if most > least else np.nan,
                "cohorts_below": int((values < low).sum()),
                "cohorts_above": int((values > high).sum()),
            })  # fmt: skip
        if not result["rows"]:
            rows.append(about)
    return pd.DataFrame(rows)


def write_study(seed: int, results: dict, per_set: int, wrong: int) -> dict[str, pd.DataFrame]:
    """data/study from the results of `study.run_study`, with checksums; the tables."""
    tables = study_tables(results["samples"])
    tables["summary"] = summary(tables["samples"], tables["ranges"], seed)
    tables["groups"] = group_table(results["groups"])
    seconds = [r["seconds"] for part in results.values() for r in part.values()]
    right = tables["samples"]["reading"] == RIGHT
    tables["run"] = pd.DataFrame([{
        "seed": seed, "patients": SIZE, "sets": tables["samples"]["set"].nunique(),
        "samples": int(right.sum()), "asked_per_set": per_set,
        "other_readings": int((~right).sum()), "asked_other_per_set": wrong,
        "group_tasks": len(results["groups"]), "group_tasks_in_all": len(GROUPS) * len(BASES),
        "task_minutes": round(sum(seconds) / 60, 1),
    }])  # fmt: skip
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        if not len(table):  # not run yet
            (FOLDER / f"{name}.csv").unlink(missing_ok=True)
            continue
        write_csv(table, FOLDER / f"{name}.csv", digits=8)
    lines = [json.dumps({"part": part, "task": task, "result": result})
             for part in PARTS for task, result in results[part].items()]  # fmt: skip
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_sums(FOLDER)
    return tables


def finished(seed: int) -> dict:
    """What the logs hold of a study, in the order of its tasks, finished or not."""
    order = [*SETS]
    rank = lambda task: (task[2], order.index(task[1]), [RIGHT, *WRONG].index(task[3]))  # noqa: E731
    logs = {part: read_log(BUILD / f"{part}.jsonl") for part in PARTS}
    own = lambda part: [json.loads(t) for t in logs[part] if json.loads(t)[0] == seed]  # noqa: E731
    samples = sorted((t for t in own("samples") if t[1] in SETS), key=rank)
    groups = sorted(own("groups"), key=lambda t: (BASES.index(t[2]), list(GROUPS).index(t[1])))
    return {part: {json.dumps(t): logs[part][json.dumps(t)] for t in tasks}
            for part, tasks in (("samples", samples), ("groups", groups))}  # fmt: skip


def committed() -> dict[str, dict]:
    """The results of RESULTS by part and task."""
    found: dict[str, dict] = {part: {} for part in PARTS}
    for line in RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.is_file() else []:
        row = json.loads(line)
        found[row["part"]][row["task"]] = row["result"]
    return found


def carry_on() -> None:
    """Put what is committed into the logs, where a study finds what is done."""
    BUILD.mkdir(parents=True, exist_ok=True)
    for part, results in committed().items():
        log = BUILD / f"{part}.jsonl"
        done = read_log(log)
        with log.open("a", encoding="utf-8") as file:
            for task, result in results.items():
                if task not in done:
                    file.write(json.dumps({"task": task, "result": result}) + "\n")


def small_check(name: str = "veteran", numbers=(0, 1)) -> pd.DataFrame:
    """Some committed drives of one set with what they reach now, and whether it is the same."""
    drives = drive_table(committed()["samples"])
    known = set(drives.loc[(drives["set"] == name) & (drives["reading"] == RIGHT), "number"])
    again = pd.concat([recomputed(name, k) for k in numbers if k in known])
    return again.assign(same=np.isclose(again["value"], again["again"], rtol=1e-7, atol=0))


def recomputed(name: str, number: int, quantity: str = "events") -> pd.DataFrame:
    """The committed drives of a number from the first start of a sample, computed again.

    Returns
    -------
    DataFrame
        The rows of `drive_table` with `again`, what they reach now.
    """
    heads = pd.read_csv(FOLDER / "samples.csv")
    head = heads[(heads["set"] == name) & (heads["number"] == number)
                 & (heads["reading"] == RIGHT)].iloc[0]  # fmt: skip
    seed = int(head["seed"])
    source = SETS[name]
    problem, rows = asked(build(printed(sample(seed, name, number), source)), 0, source.day)
    key = [seed, number, *name.encode(), *RIGHT.encode()]
    start = two_starts(problem, rows, [*key, 1])[0][0]
    row = next(row for row in rows if row.id == quantity)
    drives = drive_table(committed()["samples"])
    own = drives[(drives["set"] == name) & (drives["number"] == number) & (drives["start"] == 0)
                 & (drives["reading"] == RIGHT) & (drives["quantity"] == quantity)]  # fmt: skip
    return own.assign(
        again=[driven(problem, row, start, [*key, 2], 0, int(d))[1] for d in own["direction"]]
    )
