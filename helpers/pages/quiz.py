"""What a quiz cell shows, and what an exercise says of an answer.

Both read `data/quiz.yaml`. A quiz is static HTML: each option unfolds its own feedback, by mouse
or keyboard, without a kernel, and the same on every run. Answers to exercises stand in the same
file and not in the notebooks, so that an edition without solutions holds none of them.
"""

import math
from functools import cache
from html import escape
from typing import Any

import yaml
from IPython.display import HTML, Markdown

from helpers.cohort import ROOT, Cohort

BANK = ROOT / "data" / "quiz.yaml"
FOOT = (
    "About the page, not results of it: a number in a question is invented for the question, "
    "stands on the page, or is one of the printed numbers."
)
# JupyterLab takes keys for commands (Enter, Space, twice D) unless the focused element declines.
OWN_KEYS = 'data-lm-suppress-shortcuts="true"'
MISSING = object()  # None is an unfinished answer, so it cannot stand for "not given"


@cache
def bank() -> dict[str, Any]:
    """The questions and the answers to exercises, as they stand in the file."""
    return yaml.safe_load(BANK.read_text(encoding="utf-8"))


def questions(notebook: str, *, is_paper: bool) -> list[dict]:
    """The questions of one notebook, in their order.

    Parameters
    ----------
    notebook : str
        Its two digits.
    is_paper : bool
        Without it the questions that name the published study are left out.

    Raises
    ------
    ValueError
        The bank has no question for this notebook.
    """
    of = [one for one in bank()["questions"] if one["notebook"] == notebook]
    if not of:
        raise ValueError(
            f"notebook: found no question for {notebook!r} in {BANK.name}. "
            "To do: give the two digits of a notebook, such as '03'."
        )
    return [one for one in of if is_paper or not one.get("paper_only", False)]


def quiz(notebook: str, cohort: Cohort) -> HTML:
    """The questions of a notebook; each option is a line that unfolds what is to be said of it.

    Parameters
    ----------
    notebook : str
        Its two digits.
    cohort : Cohort
        The cohort of the page: on another than the published one, questions that name the study
        are left out.

    Raises
    ------
    ValueError
        The bank has no question for this notebook.
    """
    asked = questions(notebook, is_paper=cohort.is_paper)
    parts = [_question(number, one) for number, one in enumerate(asked, 1)]
    return HTML("\n".join([*parts, f"<p><small>{escape(FOOT)}</small></p>"]))


def _question(number: int, one: dict) -> str:
    lines = [f"<p><strong>Question {number}.</strong> {escape(one['prompt'], quote=False)}</p>"]
    for letter, option in zip("ABCD", one["options"], strict=False):
        # The verdict stands in words: neither a colour nor a symbol has to be seen.
        verdict = "Right" if option.get("right") else "Not this one"
        text, feedback = (escape(option[key], quote=False) for key in ("text", "feedback"))
        lines.append(fold(f"{letter}. {text}", f"<em>{verdict}.</em> {feedback}"))
    taught = escape(one["heading"], quote=False)
    lines.append(f"<p><small>Taught under: {taught}</small></p>")
    return "\n".join(lines)


def fold(line: str, text: str) -> str:
    """A line of HTML that unfolds another, by mouse or keyboard."""
    return f"<details><summary {OWN_KEYS}>{line}</summary><p>{text}</p></details>"


def check(exercise: str, *answers: Any, right: Any = MISSING) -> Markdown:
    """Say of each answer to an exercise whether it is unfinished, right, or wrong and how.

    Parameters
    ----------
    exercise : str
        Its notebook and number, such as ``"06-1"``.
    *answers
        As many as the exercise asks for. None is an unfinished answer; whatever else is given,
        the reply is a sentence and never an exception.
    right : optional
        The right answer where it depends on the cohort, a tuple for several; otherwise it stands
        in the bank.

    Raises
    ------
    ValueError
        The bank has no such exercise, or it asks for another number of answers.

    Examples
    --------
    >>> check("06-1", None).data
    'Not answered yet: give `my_n` a value in this cell and run it again.'
    """
    parts = bank()["exercises"].get(exercise)
    if parts is None or len(parts) != len(answers):
        found = "no such exercise" if parts is None else f"{len(answers)} answers"
        raise ValueError(
            f"exercise: found {found} for {exercise!r}. "
            f"To do: see the exercises of {BANK.name} and the answers that each asks for."
        )
    waiting = [part["name"] for part, given in zip(parts, answers, strict=True) if given is None]
    rights = right if isinstance(right, tuple) else (right,) * len(parts)
    said = []
    if waiting:
        names = " and ".join(f"`{name}`" for name in waiting)
        said = [f"Not answered yet: give {names} a value in this cell and run it again."]
    for part, given, right in zip(parts, answers, rights, strict=True):
        if given is not None:
            known = math.nan if right is None else right
            said.append(judge(given, part if right is MISSING else {**part, "right": known}))
    return Markdown(" ".join(said))


def judge(given: Any, part: dict) -> str:
    """One sentence or two on one finished answer.

    Parameters
    ----------
    given
        The answer.
    part : dict
        `name`, `right` (a number or a text), `within` (largest difference that counts as right;
        0 by default) and `hints`, a list of a known wrong `answer` and what to say to it.
    """
    name, right = part["name"], part["right"]
    if _same(given, right, part.get("within", 0)):
        return f"`{name}`: right. The solution says why."
    for hint in part.get("hints", []):
        if _same(given, hint["answer"], hint.get("within", part.get("within", 0))):
            return f"`{name}`: not yet. {hint['say']}"
    if isinstance(right, str):
        return f"`{name}`: not yet. {part.get('form', 'One word is enough.')}"
    if _number(given) is None:
        return f"`{name}`: not yet. One number is asked for, and this is none."
    if math.isnan(right):
        return f"`{name}`: not yet. In this cohort there is no such number."
    within = part.get("within", 0)
    allowed = f" (it counts as right within {within:g})" if within else ""
    return f"`{name}`: not yet{allowed}. Look again at what is asked, then at the unit."


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _same(given: Any, right: Any, within: float) -> bool:
    if isinstance(right, str):
        return isinstance(given, str) and given.strip().casefold() == right.casefold()
    number = _number(given)
    if number is None or isinstance(given, str):
        return False
    if math.isnan(number) or math.isnan(right):
        return math.isnan(number) and math.isnan(right)
    return abs(number - right) <= within + 1e-9
