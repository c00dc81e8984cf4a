"""The widgets of ours: answer, forest and download, each drawn from one synced value.

Synced values survive a reload of the page, and one message carries figure and numbers together.
"""

from pathlib import Path

import anywidget
import traitlets

HERE = Path(__file__).parent
CSS = (HERE / "explorer.css").read_text(encoding="utf-8")


def script(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


class AnswerView(anywidget.AnyWidget):
    """Figure, readings and cautions of one answer."""

    _esm = script("answer.js")
    _css = CSS
    shown = traitlets.Dict().tag(sync=True)
    late = traitlets.Dict().tag(sync=True)  # cautions that came after the answer of that serial


class ForestView(anywidget.AnyWidget):
    """All one-variable subgroups; a click on a row calls `picked` with its number."""

    _esm = script("forest.js")
    _css = CSS
    shown = traitlets.Dict().tag(sync=True)

    def __init__(self, picked):
        super().__init__()
        self.on_msg(lambda _, message, __: picked(message["pick"]))


class TakeAway(anywidget.AnyWidget):
    """A button that downloads what `make` returns: (name, media type, bytes)."""

    _esm = script("takeaway.js")
    _css = CSS
    label = traitlets.Unicode().tag(sync=True)
    says = traitlets.Unicode().tag(sync=True)

    def __init__(self, label: str, make):
        super().__init__(label=label)
        self.make = make
        self.on_msg(lambda *_: self.hand_over())

    def hand_over(self) -> None:
        try:
            name, kind, data = self.make()
        except Exception as error:  # a page shows a sentence, whatever went wrong
            self.says = f"Nothing was written: {error}"
            return
        self.says = f"{name}, {len(data) / 1024:,.0f} kB."
        self.send({"name": name, "type": kind}, buffers=[data])
