"""A table that can be filtered in the page without a kernel and without a script.

Radio buttons choose the option and a checkbox the population; style rules hide the rows. Where
styles and controls are taken away, as some viewers do, the whole table is left.
"""

import re
from html import escape

import pandas as pd
from IPython.display import HTML

from helpers.paper.options import AFTER, GROUPS

NAME = "salvage-options"


def filtered(table: HTML, rows: pd.DataFrame) -> HTML:
    """A table of `rows_table` with its filter above it, and its sources as links.

    Parameters
    ----------
    table : HTML
        What `helpers.notebook.table` gives for `rows`, in their order.
    rows : DataFrame
        As `load_options` gives them.
    """
    html = table.data
    head, body = html.split("<tbody>")
    # The source is the last cell of a row; a study may be called the same.
    cells = [(escape(row.doi or row.citation), escape(row.link)) for row in rows.itertuples()]
    for text, link in dict.fromkeys(cells):
        cell = f"<td>{text}</td>\n    </tr>"
        body = body.replace(cell, f'<td><a href="{link}">{text}</a></td>\n    </tr>')
    marks = iter(
        f'<tr data-option="{GROUPS.index(row.option_group)}" data-tier="{row.tier}" '
        f'data-after="{int(row.population == AFTER)}">'
        for row in rows.itertuples()
    )
    body = re.sub("<tr>", lambda _: next(marks), body)
    return HTML(f'<div id="{NAME}">\n{style()}\n{controls(rows)}\n{head}<tbody>{body}\n</div>')


def style() -> str:
    """The rules that hide rows; only within this table."""
    hide = [
        f"#{NAME}:has(#{NAME}-{k}:checked) tbody tr:not([data-option='{k}'])"
        for k in range(len(GROUPS))
    ]
    hide.append(f'#{NAME}:has(#{NAME}-after:checked) tbody tr[data-after="0"]')
    weak = f"#{NAME} tbody tr:is([data-tier='3'], [data-tier='4']) td"
    rules = ",\n".join(hide)
    return (
        f"<style>\n{rules} {{ display: none; }}\n"
        f"{weak} {{ color: #595959; font-style: italic; }}\n"
        f"#{NAME} fieldset {{ border: 1px solid #c3cad3; margin: 0 0 0.5rem; }}\n"
        f"#{NAME} legend {{ font-size: 1rem; font-weight: 500; margin: 0 0.8rem 0 0; "
        f"width: auto; }}\n#{NAME} caption {{ text-align: left; }}\n"
        f"#{NAME} label {{ display: inline-block; margin: 0.1rem 0.8rem 0.1rem 0; }}\n</style>"
    )


def controls(rows: pd.DataFrame) -> str:
    """A radio button for each class of option, and a checkbox for the population."""
    counts = rows["option_group"].value_counts()
    options = [f'<label><input type="radio" name="{NAME}" id="{NAME}-all" checked> all</label>']
    options += [
        f'<label><input type="radio" name="{NAME}" id="{NAME}-{k}"> {escape(group)} '
        f"({counts.get(group, 0)})</label>"
        for k, group in enumerate(GROUPS)
    ]
    return (
        f"<fieldset><legend>Option (rows)</legend>{''.join(options)}</fieldset>\n"
        f'<fieldset><legend>Population</legend><label><input type="checkbox" id="{NAME}-after" '
        f"checked> only patients {AFTER}</label></fieldset>"
    )
