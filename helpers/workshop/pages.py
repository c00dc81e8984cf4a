"""One executed notebook, made plain for the book.

A plotly figure, a picture with its alternative text and a control that needs a kernel become
HTML on a copy of the notebook, so nothing has to reach into Sphinx or myst-nb.
"""

import html
import json
import re
import shutil
from base64 import b64decode
from pathlib import Path

import nbformat

from helpers.workshop.files import tags

PLOTLY = "application/vnd.plotly.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
PICTURES = {
    "image/svg+xml": "svg",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
}
PLOTLY_CONFIG = {
    "responsive": True,
    "displaylogo": False,
    "typesetMath": False,  # a dollar sign in a name is none of mathematics
    "showSendToCloud": False,  # on by default: "Share chart" sends the data to a server
    "modeBarButtonsToRemove": ["select2d", "lasso2d"],
}

# Cells that would stand between a reader and the page: what is folded, and the line to click. A
# notebook says itself where the code of a figure or table is folded (hide-input), and where a
# sentence or a list is all that a cell is for, so that its code is left out (remove-input).
FOLDED = {
    "quiz": ("remove-input", ""),
    "solution": ("hide-cell", "Solution"),
    "predict": ("hide-input", "How the answer is computed"),
    "versions": ("hide-cell", "Versions"),
    "imports": ("hide-input", "Imports"),
    "injected-parameters": ("hide-input", "Parameters of this run"),
    "parameters": ("hide-input", "Parameters"),
    "setup": ("hide-input", "Set-up"),
}

# A cell without words: figures, signs, and the few words that numbers are given with.
NUMBER = re.compile(r"(?:[^A-Za-z]|\bto\b|\binf\b|\bNaN\b|(?<=\d)e(?=[-+]))*")

# What a narrow column must not break: a P, an interval in brackets, a number with its unit.
WHOLE = re.compile(
    r"\bP (?:=|&[lg]t;) (?=\d)"
    r"|\([^\s()]+ to (?:[^\s()]+|not reached)\)"
    r"|\b\d+ (?=months?\b|points\b)"
)


def stage(path: Path, pages: Path, assets: Path) -> bool:
    """Copy an executed notebook for the book, its outputs made plain.

    Parameters
    ----------
    path : Path
        The executed notebook.
    pages, assets : Path
        Folders that receive the copy, and the pictures and scripts it shows.

    Returns
    -------
    bool
        Whether the notebook stopped at an error; its page then says so at the top.

    Raises
    ------
    ValueError
        When the notebook cannot be read, was never executed or has no title.
    """
    try:
        cells = nbformat.read(path, as_version=4).cells
    except Exception as error:  # nbformat raises its own errors, json's and jsonschema's
        raise ValueError(
            f"{path.name} cannot be read as a notebook ({error}). Execute it again."
        ) from error
    # papermill's own notice of an error would stand above the title
    cells = [cell for cell in cells if "papermill-error-cell-tag" not in tags(cell)]
    code = [cell for cell in cells if cell.cell_type == "code"]
    if code and not any(cell.execution_count or cell.outputs for cell in code):
        raise ValueError(
            f"{path.name} was never executed, so its page would show no result. "
            "Execute the series first: python -m helpers run"
        )
    texts = [cell for cell in cells if cell.cell_type == "markdown"]
    opening = next((c for c in texts if re.search(r"^# +\S", c.source, re.MULTILINE)), None)
    if opening is None:
        raise ValueError(
            f"{path.name} has no title. Begin its first cell with a line like '# What is asked?'"
        )
    failed = next((cell for cell in code if _error(cell)), None)
    if failed:
        banner = _banner(_error(failed))
        opening.source = re.sub(
            r"^# .*", lambda title: title[0] + banner, opening.source, count=1, flags=re.MULTILINE
        )
        failed.outputs.insert(0, _html('<span id="stopped-here"></span>'))
    for cell in texts:
        if "solution" in tags(cell):  # myst-nb folds code cells only
            summary = '<details class="hide"><summary>Solution</summary>'
            cell.source = f"{summary}\n\n{cell.source}\n\n</details>"
    for n, cell in enumerate(code):
        cell.outputs = [
            _plain_output(output, f"{path.stem}-{n}-{k}", assets)
            for k, output in enumerate(cell.outputs)
        ]
    _fold(code)
    _load_plotly(code, assets)
    # Dates and paths of the run are left out, and the state of controls, for which myst-nb would
    # load scripts from a CDN.
    metadata = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), pages / path.name)
    return failed is not None


def _html(text):
    return nbformat.v4.new_output("display_data", {"text/html": text})


def _error(cell):
    """Return the error a cell stopped at, unless it was meant to."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    return errors[0] if errors and "raises-exception" not in tags(cell) else None


def _banner(error):
    """Return the banner of a stopped notebook: one HTML block, so the error is not parsed."""
    said = ": ".join(filter(None, [error.ename, *error.evalue.splitlines()[:1]]))
    return (
        '\n\n<div class="admonition error">'
        '<p class="admonition-title">This notebook stopped at an error</p>'
        f"<p><code>{html.escape(said)}</code></p>"
        "<p>What was computed before it is shown, what follows has no results. "
        '<a href="#stopped-here">Go to the error</a></p></div>\n'
    )


def _fold(code):
    """Fold tagged cells, and the preamble: every code cell up to the one after the parameters."""
    given = [k for k, c in enumerate(code) if {"parameters", "injected-parameters"} & {*tags(c)}]
    last = max(given, default=-2)
    for k, cell in enumerate(code):
        given_tags = tags(cell)
        known = [tag for tag in FOLDED if tag in given_tags]
        if k <= last + 1 and not known:
            known = ["setup" if k > last else "imports"]
        for tag in known[:1]:
            fold, prompt = FOLDED[tag]
            cell.metadata["tags"] = [*given_tags, fold]
            cell.metadata["mystnb"] = {"code_prompt_show": prompt, "code_prompt_hide": prompt}


def _plain_output(output, name, assets):
    """Return an output with its figure, picture, table or control as plain HTML."""
    data = output.get("data", {})
    picture = next((kind for kind in PICTURES if kind in data), None)
    if PLOTLY in data:
        return _html(_plotly(data[PLOTLY], output.metadata.get(PLOTLY, {}).get("alt"), name))
    if WIDGET in data and "text/html" not in data:  # a widget may say itself what to do
        return _html('<p class="needs-kernel">This control works in the running notebook.</p>')
    if "text/html" in data:
        return _html(_align(data["text/html"]))
    if picture:
        known = output.metadata.get(picture, {})
        return _html(_picture(data[picture], picture, known, name, assets))
    return output


def _picture(content, kind, metadata, name, assets):
    """Write a picture beside the pages; return its element."""
    # myst-nb knows alternative text of a cell only: two pictures in one would share it.
    path = Path("figures", f"{name}.{PICTURES[kind]}")
    (assets / "figures").mkdir(exist_ok=True)
    vector = kind == "image/svg+xml"
    (assets / path).write_bytes(content.encode("utf-8") if vector else b64decode(content))
    known = {"src": f"_static/{path.as_posix()}", "alt": metadata.get("alt", "Figure")}
    known |= {key: metadata[key] for key in ("width", "height") if key in metadata}
    return "<img {}>".format(" ".join(f'{k}="{html.escape(str(v))}"' for k, v in known.items()))


def _plotly(figure, alt, name):
    """Return a plotly figure as a div and the script that draws it."""
    layout = {key: value for key, value in figure.get("layout", {}).items() if key != "width"}
    title = layout.get("title") or {}
    alt = alt or (title.get("text") if isinstance(title, dict) else title) or "Interactive figure"
    drawn = {**figure, "layout": layout | {"autosize": True}, "config": PLOTLY_CONFIG}
    # "<" stands only inside the strings of JSON; escaped, no label can end the script.
    text = json.dumps(drawn, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<div id="{name}" class="plotly-figure" role="figure" aria-label="{html.escape(alt)}" '
        f'style="height:{layout.get("height", 450)}px"></div>\n'
        '<script>addEventListener("DOMContentLoaded", () => '
        f'Plotly.newPlot("{name}", {text}));</script>'
    )


def _load_plotly(code, assets):
    """Have the first plotly figure of a page load the one copy of the library."""
    for output in (output for cell in code for output in cell.outputs):
        if 'class="plotly-figure"' in output.get("data", {}).get("text/html", ""):
            import plotly

            shutil.copy(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", assets)
            output.data["text/html"] += '\n<script defer src="_static/plotly.min.js"></script>'
            return


def _align(text):
    """Mark the number columns of a pandas table, which the style then sets right."""
    if 'class="dataframe' not in text:
        return text
    text = re.sub(r"<style scoped>.*?</style>", "", text, flags=re.DOTALL)
    rows = [re.split(r"(?=<t[hd][ >])", row) for row in re.split(r"(?=<tr[ >])", text)]
    body = [[cell for cell in row if cell.startswith("<td")] for row in rows]
    # Columns are counted from the right, as the index stands before them.
    numeric = [
        sum(map(_is_number, filled)) > len(filled) / 2
        for column in zip(*(reversed(row) for row in body if row), strict=False)
        for filled in [[cell for cell in column if _text(cell)]]
    ]
    for row in rows:
        for k in range(1, min(len(row), len(numeric) + 1)):
            if numeric[k - 1]:
                kind = (
                    "number" if row[-k].startswith("<th") or _is_number(row[-k]) else "number words"
                )
                row[-k] = re.sub(r"^<t[hd](?! colspan)", rf'\g<0> class="{kind}"', row[-k])
        row[1:] = [
            WHOLE.sub(lambda found: found[0].replace(" ", "&nbsp;"), cell) for cell in row[1:]
        ]
    # A header cell without a word is read out as one; the corner above an index is none.
    return "".join("".join(row) for row in rows).replace("<th></th>", "<td></td>")


def _text(cell):
    return html.unescape(re.sub(r"<[^>]*>", "", cell.partition("</td>")[0])).strip()


def _is_number(cell):
    return bool(NUMBER.fullmatch(_text(cell)))
