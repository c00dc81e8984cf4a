"""The subgroup explorer: a View edited with controls, its answer, and how far to believe it.

`Explorer` is the page; everything it shows is computed elsewhere, from a View.
"""

from importlib import import_module

_MODULE = {"Explorer": "page", "explore": "page"}
__all__ = sorted(_MODULE)


def __getattr__(name: str):
    if name not in _MODULE:
        raise AttributeError(f"module 'helpers.explorer' has no attribute {name!r}")
    return getattr(import_module(f"helpers.explorer.{_MODULE[name]}"), name)
