"""The reference pages: what a term means and where it is defined, what is cited and where.

Both lists are made from files, `data/glossary.csv` and `data/references.bib`, and from the
notebooks themselves, so that a page cannot promise a definition or a source that is not there.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import quote, unquote

import pandas as pd

from helpers.cohort import ROOT
from helpers.words import plain

NOTEBOOKS = ROOT / "notebooks"
GLOSSARY = "From data/glossary.csv; rests on no patients"
REFERENCES = "From data/references.bib; rests on no patients"

BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
HEADING = re.compile(r"^#{2,3} (.+)$", re.M)
# A DOI may hold brackets and angles, old ones do; a bracket that the DOI did not open ends it.
DOI = re.compile(r"https?://doi\.org/((?:[^\s()\]\"']|\([^\s()]*\))+)")
BARE_DOI = re.compile(r"\b10\.\d{4,}/(?:[^\s();,]|\([^\s()]*\))+")
ENTRY = re.compile(r"^@(\w+)\{(\w+),(.*?)^\}", re.M | re.S)
FIELD = re.compile(r"(\w+) = \{((?:[^{}]|\{[^{}]*\})*)\}")

# What a work is cited for, in the order of the pages: the keyword of its entry and a heading.
TOPICS = {
    "study": "The study, its field and the example cohort",
    "curves": "Survival curves and their tests",
    "cox": "Cox models",
    "response": "Rates and responses",
    "factors": "Factors, subgroups and chance",
    "harm": "Harm",
    "bias": "Bias, time and robustness",
    "options": "Salvage after CD19 CAR-T",
}


def pages(folder: Path = NOTEBOOKS) -> list[Path]:
    """The pages that define terms: all but those of reference, from 90 on."""
    return [p for p in sorted(folder.glob("[0-9][0-9]_*.ipynb")) if int(p.name[:2]) < 90]


def prose(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield text and tags of each prose cell of a notebook."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            yield "".join(cell["source"]), cell["metadata"].get("tags", [])


def bold_terms(folder: Path = NOTEBOOKS) -> pd.DataFrame:
    """Terms that the pages print in bold, each with the heading it stands under.

    Parameters
    ----------
    folder : Path
        The notebooks.

    Returns
    -------
    DataFrame
        ``term, notebook, heading``, in reading order. What ends with a stop or a colon is a
        label, such as "Predict first:", and no term. The heading is empty where a cohort may
        leave it out: a link to it would break.
    """
    rows = []
    for path in pages(folder):
        heading = ""
        for text, tags in prose(path):
            conditional = any(tag.startswith(("needs:", "paper-only")) for tag in tags)
            for line in text.splitlines():
                if found := HEADING.match(line):
                    heading = "" if conditional else found[1] if not tags else heading
                terms = [term for term in BOLD.findall(line) if not term.endswith((".", ":"))]
                rows += [(term, path.name, heading) for term in terms]
    return pd.DataFrame(rows, columns=["term", "notebook", "heading"])


def glossary(path: Path = ROOT / "data" / "glossary.csv") -> pd.DataFrame:
    """The terms of the series: ``term, definition, notebook, see_also``, as in the file."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def glossary_text(first: str, last: str) -> str:
    """Terms from one first letter to another, as a list with links to where they are defined."""
    where = bold_terms().assign(key=lambda table: table["term"].str.casefold())
    where = where.drop_duplicates("key").set_index("key")["heading"]
    items = []
    for row in sorted(glossary().itertuples(), key=lambda row: row.term.casefold()):
        if first.casefold() <= row.term[0].casefold() <= last.casefold():
            heading, page = where[row.term.casefold()], f"page {row.notebook[:2]}"
            link = row.notebook + (f"#{heading.replace(' ', '-')}" if heading else "")
            place = f"[{page}{', ' * bool(heading)}{plain(heading)}](<{link}>)"
            also = f" See also: {row.see_also.replace(';', ',')}." if row.see_also else ""
            items.append(
                f"- **{row.term[0].upper()}{row.term[1:]}.** {plain(row.definition)} "
                f"Defined on {place}.{also}"
            )
    return "\n".join(items) + "\n\n"


def count_terms() -> pd.DataFrame:
    """How many terms each page defines."""
    counts = glossary()["notebook"].str.removesuffix(".ipynb").value_counts().sort_index()
    return counts.rename_axis("page").reset_index(name="terms")


def entries(path: Path = ROOT / "data" / "references.bib") -> list[dict]:
    """Entries of a BibTeX file, of the plain kind that ours is.

    Parameters
    ----------
    path : Path
        Fields are ``name = {value}``, with at most one level of braces inside; an entry ends
        with a brace on a line of its own.

    Returns
    -------
    list of dict
        The fields of each entry as text without TeX, with its ``key`` and ``kind``.
    """
    found = []
    for kind, key, body in ENTRY.findall(path.read_text(encoding="utf-8")):
        fields = {name: without_tex(value) for name, value in FIELD.findall(body)}
        found.append({"key": key, "kind": kind, **fields})
    return found


def without_tex(text: str) -> str:
    """A value of a BibTeX field as it is read.

    Examples
    --------
    >>> without_tex("Hern{\\\\'a}n, 13--15, ``optimal'' {CAR} {T}")
    'Hernán, 13-15, "optimal" CAR T'
    """
    text = text.replace("{\\'a}", "á").replace("{\\'e}", "é").replace('{\\"u}', "ü")
    text = text.replace("--", "-").replace("``", '"').replace("''", '"')
    return text if text.startswith("10.") else re.sub(r"[{}]", "", text)


def dois(text: str) -> set[str]:
    """The DOIs that a text links to, in lower case."""
    return {unquote(doi).rstrip(".,;").lower() for doi in DOI.findall(text)}


@cache
def citations() -> dict[str, str]:
    """Text of everything that may cite: pages, helpers, and the files that pages read."""
    found = {p.name: "\n".join(text for text, _ in prose(p)) for p in pages()}
    # The page of options takes its sources from this file.
    rows = pd.read_csv(ROOT / "data" / "salvage_options.csv", dtype=str, keep_default_na=False)
    options = " ".join(rows["citation"] + "; " + rows["study"])
    linked = " ".join(f"https://doi.org/{doi}" for doi in BARE_DOI.findall(options))
    found["08_salvage_options.ipynb"] = found.get("08_salvage_options.ipynb", "") + linked
    for path in sorted((ROOT / "helpers").rglob("*.py")):
        if "reference_page" not in path.name:
            found[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
    found["data/README.md"] = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    return found


def cited_in(entry: dict) -> list[str]:
    """The files that cite a work: by its DOI or its address; by names and year if it has none."""
    if "doi" in entry:
        return [name for name, text in citations().items() if entry["doi"].lower() in dois(text)]
    names = " and ".join(author.split(",")[0] for author in entry["author"].split(" and "))
    mark = entry.get("url", f"{names} {entry['year']}")
    return [name for name, text in citations().items() if mark in re.sub(r"\s+", " ", text)]


def read_authors(author: str) -> str:
    """Authors as a reference list prints them.

    Examples
    --------
    >>> read_authors("Kaplan, E. L. and Meier, P. and others")
    'Kaplan EL, Meier P, et al.'
    """
    names = []
    for name in author.split(" and "):
        family, _, given = name.partition(", ")
        names.append(f"{family} {re.sub('[ .]', '', given)}".strip())
    return ", ".join(names).replace("others", "et al.").removesuffix(".") + "." * (
        "others" in names
    )


def reference_text(topic: str) -> str:
    """The works of one topic as a list, each with its link and the pages that cite it."""
    items = []
    for entry in sorted(entries(), key=lambda e: (e["author"].casefold(), e["year"])):
        if entry["keywords"] == topic:
            place = [entry.get("journal") or f"{entry['publisher']}, {entry['address']}"]
            place = f"*{place[0]}* {entry['year']}"
            note = f" *{plain(entry['note'])}.*" if "note" in entry else ""
            if "volume" in entry:
                place += f";{entry['volume']}" + f":{entry['pages']}" * ("pages" in entry)
            items.append(
                f"- {plain(read_authors(entry['author'])).rstrip('.')}. {plain(entry['title'])}. "
                f"{place}. {_link(entry)} {_cited(entry)}{note}"
            )
    return "\n".join(items) + "\n\n"


def _link(entry: dict) -> str:
    if "doi" in entry:
        address = quote(entry["doi"], safe="/:;().")
        return f"[doi {plain(entry['doi'])}](<https://doi.org/{address}>)."
    return f"[{entry['url'].split('//')[1]}]({entry['url']})." if "url" in entry else "A book."


def _cited(entry: dict) -> str:
    """Where a work is cited: linked pages first, then modules by their names."""
    names = cited_in(entry)
    linked = [f"[page {name[:2]}]({name})" for name in names if name.endswith(".ipynb")]
    files = [f"`{name}`" for name in names if not name.endswith(".ipynb")]
    return f"Cited {'on' if linked else 'in'} {', '.join(linked or files)}."


def count_references() -> pd.DataFrame:
    """How many works are cited for what."""
    kinds = pd.Series([entry["keywords"] for entry in entries()])
    rows = [(title, int((kinds == topic).sum())) for topic, title in TOPICS.items()]
    return pd.DataFrame(rows, columns=["cited for", "works"])
