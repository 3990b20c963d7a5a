"""Numbers that sum up a spectrum: Kaplan-Yorke dimension, entropy sum, participation ratio."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np
from numpy.typing import NDArray


def kaplan_yorke(exponents: Sequence[float], dimension: int) -> float | None:
    """Return the Kaplan-Yorke dimension j + (l_1 + ... + l_j) / |l_{j+1}|, j the last index with a sum that is not negative.

    0 where all exponents are negative, ``dimension`` where the sum of all is not; minus infinity in place of l_{j+1} adds nothing.
    None where the leading exponents that are given do not tell: their sum is not negative yet.

    **Guarantee:** heuristic: a formula of estimates; equality with the information dimension is a conjecture (Frederickson et al. 1983).

    >>> kaplan_yorke([1.0, -2.0], 2)
    1.5
    >>> kaplan_yorke([1.0, float("-inf")], 2)
    1.0
    >>> kaplan_yorke([1.0], 2) is None
    True
    """
    total = 0.0
    for index, value in enumerate(exponents):
        if total + value < 0:
            return float(index) if value == -inf else index + total / -value
        total += value
    return float(dimension) if len(exponents) == dimension else None


def entropy_sum(exponents: Sequence[float]) -> float:
    """Return the sum of the positive exponents, which bounds the Kolmogorov-Sinai entropy from above (Ruelle 1978).

    With fewer exponents than dimensions it is the whole sum only if the last one given is not positive.

    >>> entropy_sum([1.0, 0.5, -2.0])
    1.5
    """
    return float(sum(value for value in exponents if value > 0))


def participation_ratio(states: NDArray[np.float64]) -> float | None:
    """Return (tr C)^2 / tr C^2 of the covariance C of samples (S, n): between 1 and min(n, S - 1).

    None where the samples do not vary (a fixed point) beyond rounding. Few samples bias it low, roughly by its square over S.

    >>> participation_ratio(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]))
    2.0
    """
    if len(states) < 2:  # noqa: PLR2004 - no covariance
        return None
    centred = np.asarray(states, dtype=np.float64) - states.mean(axis=0, dtype=np.float64)
    size = float(np.abs(centred).max())
    if size <= 4 * float(np.finfo(states.dtype).eps) * float(np.abs(states).max()):
        return None
    centred /= size
    gram = centred @ centred.T if len(centred) < centred.shape[1] else centred.T @ centred
    return float(np.trace(gram)) ** 2 / float((gram**2).sum())
