"""The penalised fits of firthmodels, held to our precision."""

import warnings
from contextlib import suppress

import numpy as np

from helpers.conventions import CONFIDENCE
from helpers.fit.likelihood import NotEstimable
from helpers.fit.maximum import NO_PROFILE


def settled(model, *data):
    """The fitted firthmodels `model`, as precisely as rounding lets it; refused if not at all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it warns of is judged on the result
        for tolerance in (1e-8, 1e-6):
            # The compiled backend costs half a minute on its first call and saves milliseconds.
            model.set_params(
                backend="numpy", max_iter=500, max_halfstep=50, gtol=tolerance, xtol=1e-6
            )
            for step in (5.0, 0.5):  # a long step can end where the information is nil
                with suppress(np.linalg.LinAlgError):
                    if model.set_params(max_step=step).fit(*data).converged_:
                        return model
    raise NotEstimable(
        "the model does not converge; use fewer terms, or the log of a skewed number"
    )


def penalised_profile(model, p: int, names: list[str]) -> np.ndarray:
    """P and limits of the first p terms by the penalised likelihood ratio: a (3, p) array."""
    answer = np.full((3, p), np.nan)
    with warnings.catch_warnings(), suppress(np.linalg.LinAlgError):
        warnings.simplefilter("ignore")
        answer[0] = model.lrt(list(range(p))).lrt_pvalues_[:p]
        limits = model.conf_int(1 - CONFIDENCE, "pl", list(range(p)), max_iter=500, tol=1e-9)
        answer[1:] = limits[:p].T
    for name, good in zip(names, np.isfinite(answer).all(axis=0), strict=True):
        if not good:
            raise NotEstimable(f"{name}: {NO_PROFILE}")
    return answer
