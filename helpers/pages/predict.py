"""Predict, then reveal, then explain: a form that takes a guess before the page shows the number.

The words stand in `data/quiz.yaml`, the truth never does: the page computes it and hands it over,
so it follows the data. The form is plain HTML with inline handlers, which works in JupyterLab
and in a page opened from disk; without scripts the answer stands in a fold below the form.
"""

import math
from functools import cache
from html import escape
from pathlib import Path

from IPython.display import HTML

from helpers.analysis import Answer
from helpers.cohort import Cohort
from helpers.pages.quiz import BANK, OWN_KEYS, bank, fold
from helpers.sentences import mark_of

# JupyterLab cancels the line break by which a browser hands a form over.
ENTER = (
    "if (event.key === 'Enter' && event.target.name === 'guess') "
    "{ event.preventDefault(); this.requestSubmit(); }"
)
SCRIPT = Path(__file__).with_suffix(".js")
NEAR = "That is close."
NOTHING = "in this cohort there is no such number."


def predict(
    name: str, truth: float | str | None, *, of: Answer | Cohort | str, about: str = ""
) -> HTML:
    """A prediction to make, and behind it what the page computes and why.

    Parameters
    ----------
    name : str
        Its notebook and number, such as ``"00-1"``; the words stand in the bank.
    truth : float or str or None
        What the page computes. For a number, it in the unit of the bank; for a choice the key
        of an option, or a difference, whose sign chooses ``below``, ``same`` or ``above``. None
        and NaN say that these data have no such number.
    of : Answer, Cohort or str
        What the truth rests on, for the mark of synthetic rows; "" for none.
    about : str
        What the label of a number leaves open, such as the group that is asked about.

    Returns
    -------
    HTML
        For a number a form, for a choice one fold per option; the same on every run.

    Raises
    ------
    ValueError
        The bank has no such prediction, or the truth is none of its options.
    """
    words = bank()["predictions"].get(name)
    if words is None:
        raise ValueError(
            f"prediction: found no {name!r} in {BANK.name}. "
            "To do: see its predictions, or write the words of this one there."
        )
    if not isinstance(truth, str | None):
        truth = None if math.isnan(truth) else float(truth)
    mark = mark_of(of)
    foot = f" <em>({_text(mark[0].upper() + mark[1:].rstrip('.'))}.)</em>" if mark else ""
    make = _choice if "options" in words else _number
    return HTML(make(name, words, truth, foot, about))


def shown(value: float, words: dict) -> str:
    """A number as it is revealed, with its unit."""
    unit = words.get("unit", "")
    return f"{value:.{words.get('decimals', 0)}f}{'' if unit == '%' else ' '}{unit}".rstrip()


def _text(words: str) -> str:
    return escape(words, quote=False)


@cache
def one_line(script: Path) -> str:
    """A script without its comments, on one line for an attribute."""
    lines = script.read_text(encoding="utf-8").splitlines()
    return " ".join(filter(None, (line.split("//")[0].strip() for line in lines)))


def _number(name: str, words: dict, truth: float | None, foot: str, about: str) -> str:
    unit, box = words.get("unit", ""), f"predict-{name}"
    label = words["label"] + (f", {about}" if about else "")
    told = {"truth": "", "within": words["within"], "unit": unit, "is": NOTHING}
    if truth is not None:
        is_ = f"it is {shown(truth, words)}."
        rounded = f"{truth:.{words.get('decimals', 0)}f}"  # no digit that is not shown
        told |= {"truth": rounded, "is": is_, "near": NEAR, "low": words["low"]}
        told |= {"high": words["high"]}
    data = " ".join(f'data-{key}="{escape(str(value))}"' for key, value in told.items())
    answer = told["is"][0].upper() + told["is"][1:]
    why = f"<strong>{_text(answer)}</strong> {_text(words['why'])}{foot}"
    return (
        # A dialog's form is never sent anywhere.
        f'<form class="predict" method="dialog" {data} '
        f'onsubmit="{escape(one_line(SCRIPT))}" onkeydown="{escape(ENTER)}">\n'
        f'<p><label for="{box}">{_text(label)}:</label> '
        f'<input id="{box}" name="guess" inputmode="decimal" size="8" autocomplete="off"> '
        f"{_text(unit)} <button {OWN_KEYS}>Compare</button></p>\n"
        f'<p><output name="said" for="{box}"></output></p>\n'
        f"{fold('The answer, and why', why)}\n</form>"
    )


def _choice(name: str, words: dict, truth: float | str | None, foot: str, about: str) -> str:
    options = words["options"]
    if isinstance(truth, float):
        truth = "same" if abs(truth) < 1e-9 else "below" if truth < 0 else "above"
    if truth is not None and truth not in options:
        raise ValueError(
            f"prediction: found {truth!r} as the truth of {name!r}. "
            f"To do: give one of its options, {', '.join(options)}."
        )
    lines = ['<div class="predict">']
    for key, option in options.items():
        # As in a quiz, the verdict stands in words.
        verdict = "Right." if key == truth else "Not this one."
        reveal = "" if key == truth else f" {options.get(truth)}. {words['tempting'][key]}"
        if truth is None:
            verdict, reveal = f"{NOTHING[0].upper()}{NOTHING[1:]}", ""
        said = f"<em>{verdict}</em>{_text(reveal)} {_text(words['why'])}{foot}"
        lines.append(fold(_text(option), said))
    return "\n".join([*lines, "</div>"])
