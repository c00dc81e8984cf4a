"""What a notebook shows: figures with alt text and caption, tables, sentences, versions.

Every output is the same on every run, so that a changed digit is a changed file.
"""

import base64
import io
import json
import os
import platform
import re
from html import escape
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from IPython.display import HTML, Markdown, display
from matplotlib.figure import Figure

from helpers import conventions
from helpers.analysis import Answer
from helpers.cohort import ROOT, Cohort
from helpers.plots.style import add_footer, is_stamped
from helpers.sentences import mark_of
from helpers.words import plain, plain_text

SHOWN_PACKAGES = ("lifelines", "pandas", "numpy", "scipy", "matplotlib", "plotly")
# plotly's toolbar offers to upload the data of a figure: a patient's data stays where it is.
# A dollar sign in a name is none of mathematics.
PLOTLY_CONFIG = {"showSendToCloud": False, "displaylogo": False, "typesetMath": False}
# matplotlib would write its version and the time into every picture.
METADATA = {"png": {"Software": None}, "pdf": {"CreationDate": None}}
LARGE = 40_000  # bytes of a picture; above, a page stores it in 128 colours, a third of the size
EXPORT = "HELPERS_EXPORT"  # the folder that the runner wants figures in, if it wants them


def source(of: Answer | Cohort | str) -> str:
    """What a result rests on, with its marks; a text says it itself, "" rests on no data."""
    if isinstance(of, str):
        return of
    return of.source if isinstance(of, Answer) else of.source()


def say(text: str, of: Answer | Cohort | str) -> Markdown:
    """A sentence with numbers in it, as prose, with the mark of synthetic rows behind it."""
    mark = mark_of(of)
    return Markdown(f"{text} *({mark[0].upper()}{mark[1:].rstrip('.')}.)*" if mark else text)


def footer(of: Answer | Cohort | str, by: tuple[str, ...]) -> str:
    """What a result rests on, and the conventions it was computed by."""
    return " ".join(filter(None, [source(of), *(conventions.TEXT[name] for name in by)]))


def show(
    figure,
    *,
    of: Answer | Cohort | str,
    alt: str,
    number: int,
    caption: str,
    takeaway: str,
    by: tuple[str, ...] = (),
    small: bool = False,
) -> None:
    """Display a figure with its alt text, and below it the caption and one takeaway sentence.

    Parameters
    ----------
    figure : matplotlib Figure or plotly Figure
        A plotly figure is shown by its data alone: its static twin is the one of record.
    of : Answer, Cohort or str
        What it rests on; the caption ends with that. A text must say what invented data is.
    alt : str
        What the figure shows, for those who do not see it; Markdown's backslashes are taken out.
    number : int
        Number of the figure in its notebook.
    caption, takeaway : str
        The caption says what, n, unit and interval; the takeaway is one sentence.
    by : tuple of str
        The conventions it follows, by their names in `conventions.TEXT`.
    small : bool
        Store the picture in 128 colours also where it is not large: a page has many.

    Raises
    ------
    ValueError
        The status of the data is not drawn into the figure.
    """
    if not is_stamped(figure):
        raise ValueError(
            "figure: found no data status drawn into it. To do: use plots.style.stamp."
        )
    alt = plain_text(alt)
    if isinstance(figure, Figure):
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata=METADATA["png"])
        kind, data = "image/png", base64.b64encode(smaller(buffer.getvalue(), small)).decode()
    else:
        kind, data = "application/vnd.plotly.v1+json", json.loads(figure.to_json())
        data["config"] = PLOTLY_CONFIG
    display({kind: data, "text/plain": alt}, raw=True, metadata={kind: {"alt": alt}})
    text = f"**Figure {number}.** {caption} Source: {plain(footer(of, by))} *{takeaway}*"
    display(Markdown(text))
    if isinstance(figure, Figure) and os.environ.get(EXPORT):
        below = f"{plain_text(caption)} {footer(of, by)}"
        export_figure(figure, Path(os.environ[EXPORT]) / f"figure_{number}", below)


def smaller(png: bytes, always: bool = False) -> bytes:
    """A picture as it is, or with a palette when it is large: text and marks have few colours."""
    if len(png) <= LARGE and not always:
        return png
    from PIL import Image

    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(128).save(buffer, "png", optimize=True)
    return buffer.getvalue()


def export_figure(figure: Figure, stem: Path, foot: str) -> None:
    """Write a figure as PNG and PDF, with its caption and what it rests on below it."""
    add_footer(figure, foot)
    stem.parent.mkdir(parents=True, exist_ok=True)
    for kind, metadata in METADATA.items():
        figure.savefig(stem.with_suffix(f".{kind}"), metadata=metadata, dpi=300)


def table(
    frame: pd.DataFrame, *, of: Answer | Cohort | str, caption: str, by: tuple[str, ...] = ()
) -> HTML:
    """A frame as an HTML table with header cells, caption and the status of its data.

    Parameters
    ----------
    frame : DataFrame
        Entries as they are to be read: numbers already rounded to text, or whole.
    of : Answer, Cohort or str
        What it rests on, for the footer; "" for a table that rests on no data.
    caption : str
    by : tuple of str
        The conventions it follows, by their names in `conventions.TEXT`.
    """
    frame = frame.map(on_one_line).rename(columns=on_one_line)
    html = frame.to_html(index=False, border=0, na_rep="", justify="unset", classes="table")
    html = re.sub(r'(<t\w[^>]*) style="[^"]*"', r"\1", html).replace("<th>", '<th scope="col">')
    foot = footer(of, by)
    foot = f"<p><small>{escape(foot)}</small></p>" if foot else ""
    start, title = html.index(">") + 1, escape(caption, quote=False)
    html = f"{html[:start]}\n  <caption>{title}</caption>{html[start:]}\n{foot}"
    return HTML(html.replace("$", "<span>$</span>"))  # mathematics does not begin in one span


def on_one_line(cell):
    """A cell of which pandas would write a line end as a backslash and an n."""
    return re.sub(r"\s*\n\s*", " ", cell) if isinstance(cell, str) else cell


def conventions_table(*names: str) -> HTML:
    """The stated conventions, all of them or those named."""
    chosen = names or tuple(conventions.TEXT)
    rows = [(name.replace("_", " "), conventions.TEXT[name]) for name in chosen]
    return table(pd.DataFrame(rows, columns=["about", "convention"]), caption="Conventions.", of="")


def series_map(folder: Path = ROOT / "notebooks") -> str:
    """The pages of the series as a list of links, each by its number and its question."""
    items = []
    for path in sorted(folder.glob("[0-9][0-9]_*.ipynb")):
        first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
        items.append(f"- [{path.stem[:2]}: {first.splitlines()[0].lstrip('# ')}]({path.name})")
    return "\n".join(items)


def versions() -> pd.DataFrame:
    """Versions of what computed this page."""
    rows = [("Python", platform.python_version())]
    rows += [(name, version(name)) for name in SHOWN_PACKAGES]
    return pd.DataFrame(rows, columns=["package", "version"])
