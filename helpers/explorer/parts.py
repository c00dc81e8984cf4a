"""Small widgets that the page is made of, all of them reachable by keyboard."""

from collections.abc import Callable

import ipywidgets as w

NARROW = {"description_width": "initial"}
WIDTH = "calc(100% - 8px)"
WIDE = {"layout": w.Layout(width=WIDTH), "style": NARROW}


def small(text: str, clicked: Callable[[], None]) -> w.Button:
    """A button as wide as its text."""
    made = w.Button(description=text, layout=w.Layout(width="auto", align_self="flex-start"))
    made.on_click(lambda _: clicked())
    return made


def folding(title: str, inside: w.Widget) -> w.Widget:
    """Something behind a button; ipywidgets' accordion cannot be opened by keyboard."""
    inside.layout.display = "none"

    def turn():
        closed = inside.layout.display == "none"
        inside.layout.display = "" if closed else "none"
        button.description = f"{title} \N{MINUS SIGN}" if closed else f"{title} +"

    button = small(f"{title} +", turn)
    return w.VBox([button, inside])
