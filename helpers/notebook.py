"""What a notebook shows: figures with alt text and caption, tables, sentences, versions.

Every output is the same on every run, so that a changed digit is a changed file.
"""

import base64
import io
import json
import platform
import re
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from IPython.display import HTML, Markdown, display
from matplotlib.figure import Figure

from helpers import conventions
from helpers.cohort import ROOT, Cohort

SHOWN_PACKAGES = ("lifelines", "pandas", "numpy", "scipy", "matplotlib", "plotly")
# plotly's toolbar offers to upload the data of a figure: a patient's data stays where it is.
PLOTLY_CONFIG = {"showSendToCloud": False, "displaylogo": False}
PNG_METADATA = {"Software": None}  # matplotlib would write its version into every picture


def say(text: str) -> Markdown:
    """A sentence with numbers in it, as prose."""
    return Markdown(text)


def show(figure, *, alt: str, number: int, caption: str, takeaway: str) -> None:
    """Display a figure with its alt text, and below it the caption and one takeaway sentence.

    Parameters
    ----------
    figure : matplotlib Figure or plotly Figure
        A plotly figure is shown by its data alone: its static twin is the one of record.
    alt : str
        What the figure shows, for those who do not see it.
    number : int
        Number of the figure in its notebook.
    caption, takeaway : str
        The caption says what, n, unit, interval and source; the takeaway is one sentence.
    """
    if isinstance(figure, Figure):
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata=PNG_METADATA)
        kind, data = "image/png", base64.b64encode(buffer.getvalue()).decode()
    else:
        kind, data = "application/vnd.plotly.v1+json", json.loads(figure.to_json())
        data["config"] = PLOTLY_CONFIG
    display({kind: data, "text/plain": alt}, raw=True, metadata={kind: {"alt": alt}})
    display(Markdown(f"**Figure {number}.** {caption} *{takeaway}*"))


def table(frame: pd.DataFrame, *, caption: str, cohort: Cohort | None = None) -> HTML:
    """A frame as an HTML table with header cells, caption and the status of its data.

    Parameters
    ----------
    frame : DataFrame
        Entries as they are to be read: numbers already rounded to text, or whole.
    caption : str
    cohort : Cohort, optional
        Whose data it is; leave out only for tables that rest on no cohort.
    """
    html = frame.to_html(index=False, border=0, na_rep="", justify="unset", classes="table")
    html = re.sub(r' style="[^"]*"', "", html).replace("<th>", '<th scope="col">')
    foot = f"<p><small>{cohort.status_line}.</small></p>" if cohort else ""
    start = html.index(">") + 1
    return HTML(f"{html[:start]}\n  <caption>{caption}</caption>{html[start:]}\n{foot}")


def conventions_table(*names: str) -> HTML:
    """The stated conventions, all of them or those named."""
    chosen = names or tuple(conventions.TEXT)
    rows = [(name.replace("_", " "), conventions.TEXT[name]) for name in chosen]
    return table(pd.DataFrame(rows, columns=["about", "convention"]), caption="Conventions.")


def series_map(folder: Path = ROOT / "notebooks") -> pd.DataFrame:
    """The notebooks of the series and the question each one asks (its first heading)."""
    rows = []
    for path in sorted(folder.glob("[0-9][0-9]_*.ipynb")):
        first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
        rows.append((path.stem, first.splitlines()[0].lstrip("# ")))
    return pd.DataFrame(rows, columns=["notebook", "question"])


def versions() -> pd.DataFrame:
    """Versions of what computed this page."""
    rows = [("Python", platform.python_version())]
    rows += [(name, version(name)) for name in SHOWN_PACKAGES]
    return pd.DataFrame(rows, columns=["package", "version"])
