"""The slides: one HTML file for each plan of the instructor's guide.

Every step is two slides: the question, with the figure that it is about, and the figure with what
it says. Figures and the code that draws them are in the file, so it can be sent as it is; without
scripts all slides stand one below the other.
"""

import html
import json
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt
from nbformat import NotebookNode

from helpers.workshop.book import literal
from helpers.workshop.pages import PICTURES, PLOTLY, PLOTLY_CONFIG
from helpers.workshop.plans import Plan

SESSION = 45  # minutes of the plan that opens first
WIDE = 1.5  # width over height; what a figure says stands beside one that is less wide
DARK, FAINT = 128, 200  # grey of a line that counts as drawn, and of the palest ink
LONG = 0.4  # of the width of a picture: a line that long is an axis
COVERED = "(The numbers at risk below it are covered.)"
CAPTION = re.compile(r"\*\*(Figure (\d+)\.)\*\*\s*(.*?)(?:\s*(?<!\*)\*([^*]+)\*)?\s*\Z", re.DOTALL)
PAGE_LINK = re.compile(r"\[([^\]]*)\]\((?!https?:)[^)]*\)")


@dataclass
class Shown:
    """A figure of a page: a picture in the form of an address, or what plotly draws."""

    alt: str
    picture: str = ""
    drawn: dict | None = None
    caption: str = ""
    takeaway: str = ""


def build_slides(
    notebooks: dict[str, NotebookNode],
    plans: list[Plan],
    out: Path,
    *,
    title: str,
    status: str,
    caution: str,
) -> Path:
    """Write a deck for each plan.

    Parameters
    ----------
    notebooks : dict of str to NotebookNode
        By name, in order; without the cells that must not be shown.
    plans : list of Plan
        From the guide. A step whose figure is not in this run is left out.
    out : Path
        Folder of the decks; earlier decks there are replaced.
    title, status, caution : str
        The first slide names them; status and caution stand on every slide.

    Returns
    -------
    Path
        The deck of the plan of 45 minutes, or else of the longest, ``out/index.html``; the others
        stand beside it, as ``90_minutes.html``.

    Raises
    ------
    ValueError
        When no plan has a figure to show, or ``out`` holds something that is no deck.
    """
    figures = {name: read_figures(nb) for name, nb in notebooks.items()}
    ready = []
    for plan in plans:
        steps = [step for step in plan.steps if step.figure in figures.get(step.page, {})]
        if steps:
            ready.append(replace(plan, steps=steps))
    if not ready:
        raise ValueError(
            "No plan of the instructor's guide has a figure to make slides of. "
            "Execute the series first: python -m helpers run"
        )
    first = next((plan for plan in ready if plan.minutes == SESSION), ready[-1])
    names = {
        plan.minutes: "index.html" if plan is first else f"{plan.minutes}_minutes.html"
        for plan in ready
    }
    out = Path(out)
    found = {path.name for path in out.iterdir()} if out.exists() else set()
    if any(not re.fullmatch(r"index\.html|\d+_minutes\.html", name) for name in found):
        raise ValueError(f"{out} holds files that are not slides. Name an empty or a new folder.")
    out.mkdir(parents=True, exist_ok=True)
    frame = Template(Path(__file__).with_name("slides.html").read_text(encoding="utf-8"))
    foot = f"<strong>{html.escape(status)}</strong> {html.escape(caution)}"
    for name in found - set(names.values()):
        (out / name).unlink()
    for plan in ready:
        others = [(m, name) for m, name in names.items() if m != plan.minutes]
        slides = _slides(plan, figures, title, foot, others)
        half = out / f".{names[plan.minutes]}"
        half.write_text(
            frame.substitute(
                title=html.escape(f"{title}, {plan.minutes} minutes"),
                slides="\n".join(slides),
                plotly=_library() if any('class="live"' in slide for slide in slides) else "",
            ),
            encoding="utf-8",
        )
        half.replace(out / names[plan.minutes])
    return out / "index.html"


def read_figures(nb: NotebookNode) -> dict[int, Shown]:
    """Return the figures of a notebook by their number; one nobody explains is no slide."""
    found: dict[int, Shown] = {}
    for cell in nb.cells:
        last = None
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            kind = next((k for k in PICTURES if k in data and k != "image/svg+xml"), None)
            if kind:
                content = "".join(data[kind].split())
                alt = output.metadata.get(kind, {}).get("alt", "Figure")
                last = Shown(alt, picture=f"data:{kind};base64,{content}")
            elif PLOTLY in data:
                last = Shown(
                    output.metadata.get(PLOTLY, {}).get("alt", "Figure"), drawn=data[PLOTLY]
                )
            elif last and (caption := CAPTION.match(data.get("text/markdown", ""))):
                label, number, said, takeaway = caption.groups(default="")
                last.caption, last.takeaway = f"**{label}** {said}", takeaway
                found[int(number)] = last
    return found


def without_rows(image):
    """Return a survival figure down to the label of its axis: the rows below it are cut away.

    Parameters
    ----------
    image : PIL.Image.Image
        Below the lowest long line, which is the axis, hang its ticks, and its numbers and its
        label, each below a blank line of pixels; what follows are the rows. Unchanged without.
    """
    import numpy as np

    grey = np.asarray(image.convert("L"))
    axis = np.flatnonzero((grey < DARK).mean(axis=1) > LONG)
    inked = (grey < FAINT).any(axis=1)[axis[-1] + 1 if len(axis) else len(grey) :]
    ends = np.flatnonzero(inked[:-1] & ~inked[1:])
    if len(ends) < 4:
        return image
    return image.crop((0, 0, image.width, int(axis[-1] + ends[2] + 4)))


def _slides(plan, figures, title, foot, others) -> list[str]:
    """Return the slides of a plan as sections of HTML, numbered from 1."""
    beside = ", ".join(f'<a href="{name}">{minutes} minutes</a>' for minutes, name in others)
    beside = f'<p class="keys">In the same folder: {beside}.</p>' if beside else ""
    parts = [
        ("start", "title", literal(title),
         f'<p class="asked">{_line(plan.title)}</p>'
         '<p class="keys">Arrow keys turn the slides; Home and End lead to the first and the last. '
         "What is often answered, and what to say then, stands in the guide of the instructor's "
         f"edition.</p>{beside}"),
    ]  # fmt: skip
    agenda = "".join(f"<li>{_line(s.title)}, {s.minutes} minutes</li>" for s in plan.steps)
    parts.append(("steps", "list", "Today", f"<ol>{agenda}</ol>"))
    for k, step in enumerate(plan.steps, start=1):
        shown = figures[step.page][step.figure]
        asked = f'<p class="asked">{_line(step.question)}</p>'
        if not step.ask_first:
            asked += _figure(shown, f"step-{k}-asked", "", covered=step.covered)
        takeaway = f'<p class="takeaway">{_line(shown.takeaway)}</p>' if shown.takeaway else ""
        source = f"Page {step.page[:2]}. "
        said = f"<figcaption>{takeaway}<p>{source}{_line(shown.caption)}</p></figcaption>"
        parts.append((f"step-{k}-predict", "question", f"Predict first: {step.title}", asked))
        parts.append((f"step-{k}", "answer", step.title, _figure(shown, f"step-{k}-shown", said)))
    if plan.task:
        task = f'<p class="asked">{_line(plan.task)}</p>'
        parts.append(("closing", "question", "Before you go", task))
    return [
        f'<section id="{name}" class="{kind}" aria-labelledby="{name}-h">\n'
        f'<h{1 if kind == "title" else 2} id="{name}-h" tabindex="-1">{_line(heading)}'
        f"</h{1 if kind == 'title' else 2}>\n{body}\n"
        f'<p class="foot">{foot} <span class="number">{n} of {len(parts)}</span></p>\n</section>'
        for n, (name, kind, heading, body) in enumerate(parts, start=1)
    ]


def _figure(shown: Shown, name: str, said: str, *, covered: bool = False) -> str:
    """Return a figure; what is drawn waits until its slide is shown, as it needs its size."""
    if shown.drawn is not None:
        layout = {
            k: v for k, v in shown.drawn.get("layout", {}).items() if k not in ("width", "height")
        }
        drawn = {**shown.drawn, "layout": layout | {"autosize": True}, "config": PLOTLY_CONFIG}
        # "<" stands only inside the strings of JSON; escaped, no label can end the script.
        text = json.dumps(drawn, separators=(",", ":")).replace("<", "\\u003c")
        return (
            f'<figure><div class="live" id="{name}" role="figure" '
            f'aria-label="{html.escape(shown.alt)}"></div>'
            f'<script type="application/json">{text}</script>{said}</figure>'
        )
    from PIL import Image

    picture, alt = shown.picture, shown.alt
    image = Image.open(BytesIO(b64decode(picture.partition(",")[2])))
    if covered:
        buffer, alt = BytesIO(), f"{alt} {COVERED}"
        without_rows(image).save(buffer, "png")
        picture = f"data:image/png;base64,{b64encode(buffer.getvalue()).decode()}"
    tall = ' class="tall"' if said and image.width < WIDE * image.height else ""
    return f'<figure{tall}><img src="{picture}" alt="{html.escape(alt)}">{said}</figure>'


def _library() -> str:
    import plotly

    path = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    # The name of an end tag inside the library would end the script that holds it.
    text = path.read_text(encoding="utf-8").replace("</script", "<\\/script")
    return f"<script>{text}</script>"


def _line(text: str) -> str:
    """Set a line of Markdown; links between pages, which lead nowhere here, become words."""
    return (
        MarkdownIt("commonmark", {"html": False}).renderInline(PAGE_LINK.sub(r"\1", text)).strip()
    )
