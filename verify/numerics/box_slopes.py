"""Slopes of units and factors of products on a box: the ranges that card D9 gets from it, for the sector form in floats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from proofs.theorems.box_sectors import factors_on
from verify.numerics.sectors import Factor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proofs.arithmetic import Interval, Matrix
    from proofs.network import Network

_BITS, _MOST_BITS, _SPARE = 64, 256, 8


def slopes_on(network: Network, box: Matrix, bits: int) -> tuple[tuple[Factor, ...], ...]:
    """Return for each operation, for each register that it reads, what multiplies the difference of that register over a box.

    Nothing for affine and add, two for a blend. **Shapes:** box M x 1.
    **Guarantee:** the kernel's enclosures with these bits, rounded to floats.
    """
    return tuple(tuple(map(_factor, spans)) for spans in factors_on(network, box, bits))


def bits_for(network: Network) -> int:
    """Return a precision at which the kernel need not round rows of weights, which keeps them exact and quick; 64 to 256 bits."""
    longest = max((matrix.den.bit_length() for operation in network.program for matrix in operation.matrices), default=0)
    return min(_MOST_BITS, max(_BITS, longest + _SPARE))


def _factor(spans: Sequence[Interval]) -> Factor:
    low, high = (np.array([float(end) for end in ends]) for ends in zip(*((span.lo, span.hi) for span in spans), strict=True))
    return Factor(low, high, np.array([span.lo < span.hi for span in spans]))
