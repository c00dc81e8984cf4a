"""The offline book: executed notebooks become web pages that open from a folder.

Sphinx, myst-nb and the book theme do the work; `pages` makes each notebook plain beforehand.
The book asks for nothing that does not lie in its own folder.
"""

import html
import io
import re
import shutil
import tempfile
import warnings
from pathlib import Path

from helpers.conventions import NOT_FOR_TREATMENT
from helpers.workshop.pages import stage

# Sphinx marks the words searched for only where its search is not loaded; the theme loads it
# on every page.
MARK_WORDS = (
    '_ready(() => document.getElementById("search-results") '
    "|| SphinxHighlight.highlightSearchWords())"
)

SETTINGS = {
    "extensions": ["myst_nb", "helpers.workshop.book"],
    "nb_execution_mode": "off",
    "nb_merge_streams": True,
    "nb_render_markdown_format": "myst",
    "nb_code_prompt_show": "Code",
    "nb_code_prompt_hide": "Code",
    "myst_enable_extensions": ["dollarmath", "amsmath"],
    "myst_heading_anchors": 3,
    "myst_heading_slug_func": "helpers.workshop.book.anchor",
    "html_math_renderer": "mathml",
    "html_theme": "sphinx_book_theme",
    "html_css_files": ["book.css"],
    "html_js_files": [(None, {"body": MARK_WORDS})],
    "html_copy_source": False,
    "html_show_search_summary": False,  # fetched hit by hit, which browsers refuse from a folder
    "html_use_index": False,
    "html_context": {"default_mode": "light"},  # pictures and figures are drawn on white
}
LAYOUT = {
    "article_header_end": ["search-button.html", "toggle-secondary-sidebar.html"],
    "footer_content_items": [],
    "navbar_persistent": [],  # by default a second search field
    "search_bar_text": "Search the book",
    "use_download_button": False,
    "use_fullscreen_button": False,
}

# What a page fetches when it opens, from another machine.
REMOTE = re.compile(
    r"<(?:script|img|link|iframe|source|video|audio|embed|object)\b[^>]*?"
    r"\b(?:src|srcset|href|data|poster)\s*=\s*[\"']?((?:https?:)?//[^\"'\s>]+)"
    r"|(?:\burl\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s;]+)",
    re.IGNORECASE,
)


def build_book(
    notebooks: Path,
    out: Path,
    *,
    title: str,
    status: str,
    caution: str = NOT_FOR_TREATMENT,
    note: str = "",
    listed: bool = True,
) -> Path:
    """Build the book of a folder of executed notebooks.

    Parameters
    ----------
    notebooks : Path
        Folder of executed ``NN_topic.ipynb``; each becomes a page, in order of name.
    out : Path
        Folder of the book. An earlier book there is replaced as a whole, and only once the
        new one is complete.
    title : str
        Title of the book.
    status : str
        One line on where the data come from; it heads every page.
    caution : str
        What the book may not be used for; it stands beside the status.
    note : str
        Markdown for the front page, above the list of pages.
    listed : bool
        Whether the front page lists the pages; a note that does so itself needs no second list.

    Returns
    -------
    Path
        The front page, ``out/index.html``.

    Raises
    ------
    ValueError
        When there is nothing to build, a notebook cannot be read or was never executed, a link
        leads nowhere, a page would need the network, or ``out`` holds something else.

    Notes
    -----
    The same notebooks give the same bytes. A notebook that stopped at an error still becomes
    a page, with a banner at its top.
    """
    notebooks, out = Path(notebooks), Path(out)
    sources = sorted(notebooks.glob("[0-9][0-9]_*.ipynb"))
    if not sources:
        raise ValueError(
            f"{notebooks} holds no notebook named like 00_topic.ipynb. "
            "Execute the series first: python -m helpers run"
        )
    if out.exists() and any(out.iterdir()) and not (out / "searchindex.js").exists():
        raise ValueError(
            f"{out} holds files that are not a book, and the book would replace them. "
            "Name an empty or a new folder."
        )
    with tempfile.TemporaryDirectory() as folder:
        pages, assets, book = (Path(folder, name) for name in ("pages", "assets", "book"))
        pages.mkdir()
        assets.mkdir()
        shutil.copy(Path(__file__).with_name("book.css"), assets)
        stopped = [path.stem for path in sources if stage(path, pages, assets)]
        names = [path.stem for path in sources]
        front = _front(title, status, caution, note, names, stopped, listed)
        (pages / "index.md").write_text(front, encoding="utf-8")
        mark = f"<strong>{html.escape(status)}</strong> · {html.escape(caution)}"
        settings = SETTINGS | {
            "project": title,
            "html_title": title,
            "html_static_path": [str(assets)],
            "html_theme_options": LAYOUT | {"announcement": mark},
        }
        _run_sphinx(pages, book, settings)
        _refuse_network(book)
        _name_sidebar(book)
        if out.exists():
            shutil.rmtree(out)
        # .buildinfo holds a hash of temporary paths; the other two only serve developers.
        shutil.copytree(book, out, ignore=shutil.ignore_patterns(".buildinfo", "_sources", "*.map"))
    return out / "index.html"


def _front(title, status, caution, note, names, stopped, listed):
    """Return the front page as Markdown: title, status and the list of pages."""
    parts = [f"# {literal(title)}", f"**{literal(status)}**", literal(caution), note]
    if stopped:
        links = ", ".join(f"[]({name}.ipynb)" for name in stopped)
        parts.append(f"```{{error}}\nStopped at an error: {links}\n```")
    shown = ":maxdepth: 1" if listed else ":hidden:"
    parts.append("\n".join(["```{toctree}", shown, "", *names, "```", ""]))
    return "\n\n".join(filter(None, parts))


def literal(text: str) -> str:
    """A name from a file as Markdown shows it letter by letter."""
    return re.sub(r"([\\`*_{}\[\]<>#$|&])", r"\\\1", text)


def _run_sphinx(pages, book, settings):
    """Build the pages; raise whatever Sphinx warns of as one error."""
    # Here and not above: importing Sphinx takes a second that other verbs need not pay.
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    said, cache = io.StringIO(), book.with_name("cache")
    try:
        with patch_docutils(pages), docutils_namespace(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the theme and myst-nb use older ways of Sphinx
            Sphinx(pages, None, book, cache, "html", settings, status=None, warning=said).build()
    except SphinxError as error:
        said.write(f"{type(error).__name__}: {error}")
    problems = re.sub(r"\x1b\[[\d;]*m", "", said.getvalue()).replace(f"{pages}/", "").strip()
    if problems:
        # myst-nb counts lines from 10,000 times the number of the cell, and not exactly
        problems = re.sub(r"(?<=\.ipynb):(\d+)\d{4}\b", r", cell \1", problems)
        raise ValueError(
            f"The book was not built, because of what its notebooks hold:\n{problems}\n"
            "Correct the cells named, execute the series again, then build the book."
        )


def _refuse_network(book):
    """Raise when a page would fetch what is not in the book."""
    found = [
        f"{page.stem}: {address[1] or address[2]}"
        for page in sorted(book.glob("*.html"))
        for address in REMOTE.finditer(page.read_text(encoding="utf-8"))
    ]
    if found:
        raise ValueError(
            "The book must open without a network, but these pages fetch from one:\n"
            + "\n".join(found)
            + "\nShow a picture as a cell's output instead, and leave scripts out."
        )


def _name_sidebar(book):
    """Make the sidebar a landmark: the theme leaves its title and its search outside of any."""
    for page in book.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        bare = '<div id="pst-primary-sidebar"'
        named = f'{bare} role="region" aria-label="The book"'
        page.write_text(text.replace(bare, named), encoding="utf-8")


def anchor(title: str) -> str:
    """Return the anchor JupyterLab gives a heading, so that one link serves both.

    Sphinx writes it raw into the page, so what could end it there is left out.

    Examples
    --------
    >>> anchor("Who was treated?")
    'Who-was-treated?'
    """
    return re.sub(r'["<>&]', "", title.replace(" ", "-"))


def setup(app):
    """Extend Sphinx: formulas without MathJax, which would come from a CDN, and named folds."""
    app.add_html_math_renderer("mathml", (_formula(False), None), (_formula(True), None))
    app.connect("html-page-context", _name_folds)
    app.connect("html-page-context", _escape_titles, priority=900)  # after the theme has set some
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _formula(as_block):
    """Return the visitor that writes a formula as MathML, which browsers draw themselves."""
    from docutils.nodes import SkipNode
    from docutils.utils.math import MathError
    from docutils.utils.math.latex2mathml import tex2mathml
    from sphinx.util import logging

    def visit(writer, node):
        try:
            formula = tex2mathml(node.astext(), as_block=as_block)
            writer.body.append(f'<div class="formula">{formula}</div>' if as_block else formula)
        except MathError as error:
            logger = logging.getLogger(__name__)
            logger.warning("formula %r cannot be set: %s", node.astext(), error, location=node)
        raise SkipNode

    return visit


def _name_folds(app, pagename, templatename, context, doctree):
    # myst-nb hides the line to click from screen readers behind one label for all
    context["body"] = context.get("body", "").replace(' aria-label="Toggle hidden content"', "")


class Escaped(str):
    """Text that is HTML already, which templates must not escape once more."""

    def __html__(self):
        return self


def _escape_titles(app, pagename, templatename, context, doctree):
    # The theme puts them raw into the logo, the printed page and the search; a cohort may be
    # called "<script>".
    for name in {"docstitle", "pagetitle", "root_title"} & context.keys():
        context[name] = Escaped(html.escape(context[name]))
