"""A small shared module for the notebooks: load a cohort, ask it a View, show the answer.

The names below are what a notebook imports. They are looked up on first use, so that
``python -m helpers --help`` does not wait for matplotlib.
"""

from importlib import import_module

_NAMES = {
    "cohort": ("load_cohort",),
    "view": ("View", "default_view"),
    "analysis": ("analyse",),
    "survival": ("km_curve", "follow_up"),
    "regression": ("cox_table",),
    "words": (
        "alt_survival", "caption_survival", "median_text", "milestone_table", "model_table",
        "risk_text",
    ),
    "sentences": (
        "read_comparison", "read_counts", "read_medians", "read_remarks", "read_survival",
        "read_view", "status",
    ),
    "plots": ("figure_patients", "figure_survival", "plotly_survival"),
    "notebook": ("conventions_table", "say", "series_map", "show", "table", "versions"),
}  # fmt: skip
_MODULE = {name: module for module, names in _NAMES.items() for name in names}
__all__ = sorted(_MODULE)


def __getattr__(name: str):
    if name not in _MODULE:
        raise AttributeError(f"module 'helpers' has no attribute {name!r}")
    return getattr(import_module(f"helpers.{_MODULE[name]}"), name)
