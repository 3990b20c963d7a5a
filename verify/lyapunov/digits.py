"""Handwritten digits read row by row: 1,797 images of 8 x 8 pixels, from scikit-learn, which is optional."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from verify.errors import Unsupported

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLASSES, ROWS, BRIGHTEST = 10, 8, 16.0


@dataclass(frozen=True, eq=False)
class Digits:
    """Images as sequences of rows. **Shapes:** ``rows`` (8, images, 8) in [0, 1], ``labels`` (images,)."""

    rows: NDArray[np.float32]
    labels: NDArray[np.int64]


def load_digits(seed: int = 0) -> Digits:
    """Return scikit-learn's digits in an order drawn from the seed. **Raises:** Unsupported: no such library here."""
    try:
        from sklearn import datasets
    except ModuleNotFoundError as failure:
        law, remedy = "the library with the digits is installed", "pip install scikit-learn"
        raise Unsupported(where="digits", law=law, expected="the module sklearn", got="no such module", remedy=remedy) from failure
    found = datasets.load_digits()
    order = np.random.default_rng(seed).permutation(len(found.target))
    images = np.asarray(found.images, dtype=np.float32)[order] / np.float32(BRIGHTEST)
    return Digits(np.ascontiguousarray(images.transpose(1, 0, 2)), np.asarray(found.target, dtype=np.int64)[order])
