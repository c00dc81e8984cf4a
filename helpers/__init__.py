"""A small shared module for the notebooks: load a cohort, ask it a View, show the answer.

The names below are what every notebook uses. The rest stands in modules by subject, reached as
``helpers.response`` and so on. All are looked up on first use, so that
``python -m helpers --help`` does not wait for matplotlib.
"""

from importlib import import_module

_NAMES = {
    "cohort": ("load_cohort",),
    "view": ("View", "default_view"),
    "analysis": ("analyse",),
    "survival": ("km_curve",),
    "regression": ("cox_table",),
    "words": ("alt_survival", "caption_survival"),
    "sentences": ("read_view", "status"),
    "plots.survival": ("figure_survival",),
    "plots.interactive": ("plotly_survival",),
    "pages.predict": ("predict",),
    "pages.quiz": ("check", "quiz"),
    "notebook": ("conventions_table", "say", "series_map", "show", "table", "versions"),
}  # fmt: skip
_MODULE = {name: module for module, names in _NAMES.items() for name in names}
_SUBJECTS = {
    "": ("regression", "sentences", "survival", "words"),
    "estimators": (
        "adjusted", "caution", "competing", "factors", "fragility", "logistic", "missing", "moved",
        "multiverse", "nonproportional", "nulls", "plugs", "response", "splits", "stability",
        "subgroups", "times",
    ),
    "pages": (
        "bias_choice", "bias_time", "bias_unseen", "cox_page", "describe", "exercises",
        "factors_page", "multiverse_words", "options_cases", "options_filter",
        "options_page", "options_traps", "pinned_beside", "pinned_curves", "pinned_page",
        "pinned_rules", "pinned_study",
        "reference_page", "response_page", "robust_calibration", "robust_choices",
        "robust_exercises", "robust_fragile", "robust_missing", "robust_worlds", "safety_page",
        "subgroup_page", "survival_page",
    ),
    "paper": (
        "forensics", "ledger", "option_outcomes", "options", "pinned", "published", "unprinted",
    ),
    "plots": (
        "bands", "bias", "choice", "curves", "forest", "landscape", "landscape_hover", "models",
        "people", "robust", "safety", "screens", "specification", "waffle",
    ),
}  # fmt: skip
_SUBJECT = {
    name: ".".join(filter(None, ["helpers", folder, name]))
    for folder, names in _SUBJECTS.items()
    for name in names
}
__all__ = sorted(_MODULE)


def __getattr__(name: str):
    if name in _SUBJECT:
        return import_module(_SUBJECT[name])
    if name not in _MODULE:
        raise AttributeError(f"module 'helpers' has no attribute {name!r}")
    return getattr(import_module(f"helpers.{_MODULE[name]}"), name)
