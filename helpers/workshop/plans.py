"""The plans of the instructor's guide, read: steps with a figure to show and a question to ask.

The guide is the one place that says what is shown and asked in a session; slides follow it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from nbformat import NotebookNode

PLAN = re.compile(r"^## ([^\n]*\bminutes: [^\n]+)$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"^### ([^\n]+) \((\d+) minutes\)$(.*?)(?=^### |\Z)", re.MULTILINE | re.DOTALL)
SHOW = re.compile(
    r"^- \*Show:\* \[Figure (\d+) of page \d\d\]\((\w+)\.ipynb[^)\s]*\)(, its rows covered)?",
    re.MULTILINE,
)
ASK = re.compile(r"^- \*Ask:\* (.+)$", re.MULTILINE)
TASK = re.compile(r"^- \*Task:\* (.+)$", re.MULTILINE)
QUOTED = re.compile(r'(\A|[.:?!] )"([^"]+)"')


@dataclass
class Step:
    """One figure and one question, in the order in which they are put to the room."""

    title: str
    minutes: int
    page: str  # name of the notebook
    figure: int
    question: str
    ask_first: bool  # because the figure gives the answer away
    covered: bool  # whether the rows below the curves are hidden until the question is answered


@dataclass
class Plan:
    """A session: its minutes with those of the closing, its steps, and the task that closes it."""

    title: str
    minutes: int
    steps: list[Step] = field(default_factory=list)
    task: str = ""


def read_plans(notebooks: Iterable[NotebookNode]) -> list[Plan]:
    """Find the plans in the prose of notebooks, in order of their minutes.

    Examples
    --------
    >>> from nbformat.v4 import new_markdown_cell, new_notebook
    >>> text = '''## Two minutes: a rate
    ...
    ... ### Who counts (1 minutes)
    ...
    ... - *Ask:* four of ten. "who are the ten?"
    ... - *Show:* [Figure 1 of page 02](02_rates.ipynb#Who-counts).
    ...
    ... ### Closing (1 minutes)
    ...
    ... - *Task:* name the ten.
    ... '''
    >>> (plan,) = read_plans([new_notebook(cells=[new_markdown_cell(text)])])
    >>> plan.minutes, plan.task, plan.steps[0].question, plan.steps[0].ask_first
    (2, 'Name the ten.', 'Four of ten. Who are the ten?', True)
    """
    prose = [c.source for nb in notebooks for c in nb.cells if c.cell_type == "markdown"]
    plans = []
    for title, body in PLAN.findall("\n\n".join(prose)):
        parts = STEP.findall(body)
        if parts:
            steps = [step for part in parts if (step := _step(*part))]
            task = TASK.search(body)
            minutes = sum(int(minutes) for _, minutes, _ in parts)
            plans.append(Plan(title, minutes, steps, _sentence(task[1]) if task else ""))
    return sorted(plans, key=lambda plan: plan.minutes)


def _step(title: str, minutes: str, body: str) -> Step | None:
    show, ask = SHOW.search(body), ASK.search(body)
    if not show or not ask:
        return None  # the closing
    first = ask.start() < show.start()
    figure, page, covered = show.groups()
    return Step(title, int(minutes), page, int(figure), _sentence(ask[1]), first, bool(covered))


def _sentence(text: str) -> str:
    """What the room is told, without quotation marks; a quoted sentence begins as one."""
    text = QUOTED.sub(lambda found: found[1] + found[2][0].upper() + found[2][1:], text.strip())
    text = text.replace('"', "")
    return text[0].upper() + text[1:]
