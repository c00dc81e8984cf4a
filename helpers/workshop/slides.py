"""The slides: one HTML file for a session of 45 minutes, made from the cells of the pages.

Each page gives its question and goals, then pairs of a question to predict and the figure that
answers it. Pictures are in the file, so it can be sent as it is; without scripts all slides
stand one below the other.
"""

import html
import re
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt
from nbformat import NotebookNode

from helpers.workshop.files import tags
from helpers.workshop.pages import PICTURES

SESSION = 45  # minutes
MINUTES = {"title": 1, "contents": 1, "page": 1, "question": 1, "figure": 2}
NEAR = 5  # cells: a figure further below a question answers another one
PREDICT = re.compile(
    r"(?:^|\n\n)((?!#)[^\n]*\n\n)?[^\n]*?\*\*Predict first:\*\*\s*(.+?)(?=\n\n|\Z)", re.DOTALL
)
ELSEWHERE = re.compile(r"\b(?:this|first|next) (?:table|subgroup)\b|\blisted above\b")  # no slide
HEADING = re.compile(r"^#{2,3} +(.+)$", re.MULTILINE)
TITLE = re.compile(r"^# +(.+)$", re.MULTILINE)
GOALS = re.compile(r"^(?:\d+\.|[-*]) (.+)$", re.MULTILINE)
CAPTION = re.compile(r"\*\*(Figure \d+\.)\*\*\s*(.*?)(?:\s*(?<!\*)\*([^*]+)\*)?\s*\Z", re.DOTALL)
PAGE_LINK = re.compile(r"\[([^\]]*)\]\((?!https?:)[^)]*\)")


@dataclass
class Shown:
    """A figure with the question it answers, if one was asked, and the paragraph before that."""

    picture: str
    alt: str
    heading: str
    caption: str = ""
    takeaway: str = ""
    lead: str = ""
    question: str = ""

    @property
    def minutes(self) -> int:
        return MINUTES["figure"] + (MINUTES["question"] if self.question else 0)


@dataclass
class Page:
    """What the deck may take from one notebook."""

    name: str
    title: str
    goals: list[str] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)


def build_slides(
    notebooks: dict[str, NotebookNode], out: Path, *, title: str, status: str, caution: str
) -> Path:
    """Write the deck of a series of executed notebooks.

    Parameters
    ----------
    notebooks : dict of str to NotebookNode
        By name, in order; without the cells that must not be shown.
    out : Path
        Folder of the deck; an earlier deck there is replaced.
    title, status, caution : str
        The first slide names them; status and caution stand on every slide.

    Returns
    -------
    Path
        The deck, ``out/index.html``.

    Raises
    ------
    ValueError
        When no notebook shows a picture, or ``out`` holds something that is no deck.
    """
    pages = [read_page(name, nb) for name, nb in notebooks.items()]
    if not any(page.shown for page in pages):
        raise ValueError(
            "The notebooks show no picture to make slides of. "
            "Execute the series first: python -m helpers run"
        )
    out = Path(out)
    if out.exists() and {path.name for path in out.iterdir()} - {"index.html"}:
        raise ValueError(f"{out} holds files that are not slides. Name an empty or a new folder.")
    out.mkdir(parents=True, exist_ok=True)
    frame = Template(Path(__file__).with_name("slides.html").read_text(encoding="utf-8"))
    foot = f"<strong>{html.escape(status)}</strong> {html.escape(caution)}"
    slides = _slides(fill(pages), title, foot)
    half = out / ".index.html"
    half.write_text(
        frame.substitute(title=html.escape(title), slides="\n".join(slides), count=len(slides)),
        encoding="utf-8",
    )
    half.replace(out / "index.html")
    return out / "index.html"


def read_page(name: str, nb: NotebookNode) -> Page:
    """Find the title, goals, figures and questions of a notebook.

    A question belongs to the next picture, unless another question, an exercise or too many
    cells come before it. Interactive figures are left to the book: they have a still twin.
    """
    page, heading, lead, asked, since = Page(name, name), "", "", "", 0
    for cell in nb.cells:
        since += 1
        if {"exercise", "quiz"} & {*tags(cell)}:
            asked = ""
        elif cell.cell_type == "markdown":
            if found := TITLE.search(cell.source):
                page.title = found[1]
            elif not page.goals and not page.shown:
                page.goals = [goal.strip() for goal in GOALS.findall(cell.source)]
            heading = (HEADING.findall(cell.source) or [heading])[-1]
            if questions := PREDICT.findall(cell.source):
                lead, asked = (part.strip() for part in questions[-1])
                since = 0
                if ELSEWHERE.search(asked):
                    asked = ""
        else:
            for shown in _figures(cell):
                shown.heading = heading or page.title
                if asked and since <= NEAR:
                    shown.lead, shown.question = lead, asked
                asked = ""
                page.shown.append(shown)
    return page


def _figures(cell: NotebookNode) -> list[Shown]:
    """Return the pictures of a cell, each with the caption that follows it."""
    found = []
    for output in cell.outputs:
        data = output.get("data", {})
        kind = next((kind for kind in PICTURES if kind in data and kind != "image/svg+xml"), None)
        if kind:
            content = "".join(data[kind].split())
            alt = output.metadata.get(kind, {}).get("alt", "Figure")
            found.append(Shown(f"data:{kind};base64,{content}", alt, ""))
        elif found and (caption := CAPTION.match(data.get("text/markdown", ""))):
            number, said, takeaway = caption.groups(default="")
            found[-1].caption, found[-1].takeaway = f"**{number}** {said}", takeaway
    return [shown for shown in found if shown.caption]  # a picture nobody explains is no slide


def fill(pages: list[Page]) -> list[Page]:
    """Choose figures until the session is full: one of each page, then second ones, and so on.

    Those that answer a question come first; within a page the order of the page is kept. Pages
    without a figure, such as those of reference, are left out.
    """
    pages = [page for page in pages if page.shown]
    left = SESSION - MINUTES["title"] - MINUTES["contents"] - MINUTES["page"] * len(pages)
    wanted = [sorted(page.shown, key=lambda shown: not shown.question) for page in pages]
    chosen = []
    for row in zip_longest(*wanted):
        for shown in filter(None, row):
            if shown.minutes <= left:
                chosen.append(id(shown))
                left -= shown.minutes
    return [
        Page(p.name, p.title, p.goals, [shown for shown in p.shown if id(shown) in chosen])
        for p in pages
    ]


def _slides(pages: list[Page], title: str, foot: str) -> list[str]:
    """Return the slides as sections of HTML, numbered from 1."""
    contents = [f'<li><a href="#{page.name}">{_line(page.title)}</a></li>' for page in pages]
    count = 2 + sum(1 + sum(1 + bool(s.question) for s in page.shown) for page in pages)
    parts = [
        ("start", "title", title, f"<p>{count} slides, for about {SESSION} minutes.</p>"
         '<p class="keys">Arrow keys turn the slides; Home and End lead to the first and the '
         "last.</p>"),
        ("contents", "contents", "The questions", f"<ol>{''.join(contents)}</ol>"),
    ]  # fmt: skip
    for page in pages:
        goals = "".join(f"<li>{_line(goal)}</li>" for goal in page.goals)
        parts.append((page.name, "page", page.title, f"<ol>{goals}</ol>" if goals else ""))
        for k, shown in enumerate(page.shown, start=1):
            if shown.question:
                lead = f'<p class="lead">{_line(shown.lead)}</p>' if shown.lead else ""
                body = f'{lead}<p class="asked">{_line(_sentence(shown.question))}</p>'
                parts.append((f"{page.name}-{k}-predict", "question", "Predict first", body))
            takeaway = f'<p class="takeaway">{_line(shown.takeaway)}</p>' if shown.takeaway else ""
            body = (
                f'<figure><img src="{shown.picture}" alt="{html.escape(shown.alt)}">'
                f"<figcaption>{takeaway}<p>{_line(shown.caption)}</p></figcaption></figure>"
            )
            parts.append((f"{page.name}-{k}", "figure", shown.heading, body))
    return [
        f'<section id="{name}" class="{kind}" aria-labelledby="{name}-h">\n'
        f'<h{1 if kind == "title" else 2} id="{name}-h" tabindex="-1">{_line(heading)}'
        f"</h{1 if kind == 'title' else 2}>\n{body}\n"
        f'<p class="foot">{foot} <span class="number">{n} of {len(parts)}</span></p>\n</section>'
        for n, (name, kind, heading, body) in enumerate(parts, start=1)
    ]


def _sentence(text: str) -> str:
    text = text.strip()
    return text[0].upper() + text[1:]


def _line(text: str) -> str:
    """Set a line of Markdown; links between pages, which lead nowhere here, become words."""
    return (
        MarkdownIt("commonmark", {"html": False}).renderInline(PAGE_LINK.sub(r"\1", text)).strip()
    )
