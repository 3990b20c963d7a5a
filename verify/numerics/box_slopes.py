"""Slopes of units and factors of products on a box: the ranges that card D9 gets from it, for the sector form in floats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from proofs.arithmetic import Interval
from proofs.functions import sigmoid_slope, tanh_slope
from verify.numerics.sectors import Factor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proofs.arithmetic import Matrix
    from proofs.network import Network, Operation

    Curve = Callable[[Interval], Interval]

_CURVES: dict[str, Curve] = {"tanh": tanh_slope, "sigmoid": sigmoid_slope}
_BITS, _MOST_BITS, _SPARE = 64, 256, 8


def slopes_on(network: Network, box: Matrix, bits: int) -> tuple[tuple[Factor, ...], ...]:
    """Return for each operation, for each register that it reads, what multiplies the difference of that register over a box.

    Nothing for affine and add. **Shapes:** box M x 1. **Guarantee:** the kernel's enclosures with these bits, rounded to floats.
    """
    values = network.registers(box, bits)
    return tuple(_factors(operation, values, output) for operation, output in zip(network.program, values[1:], strict=True))


def bits_for(network: Network) -> int:
    """Return a precision at which the kernel need not round rows of weights, which keeps them exact and quick; 64 to 256 bits."""
    longest = max((matrix.den.bit_length() for operation in network.program for matrix in operation.matrices), default=0)
    return min(_MOST_BITS, max(_BITS, longest + _SPARE))


def _factors(operation: Operation, values: Sequence[Matrix], output: Matrix) -> tuple[Factor, ...]:
    arguments = [values[i] for i in operation.of]
    if operation.name == "relu":
        low, high = np.array(arguments[0].signs()).T
        least, most = low > 0, high >= 0
        return (Factor(least.astype(np.float64), most.astype(np.float64), least != most),)
    if operation.name == "mul":
        return tuple(_factor(argument.entries()) for argument in reversed(arguments))
    return (_factor([_CURVES[operation.name](entry) for entry in output.entries()]),) if operation.name in _CURVES else ()


def _factor(spans: Sequence[Interval]) -> Factor:
    low, high = (np.array([float(end) for end in ends]) for ends in zip(*((span.lo, span.hi) for span in spans), strict=True))
    return Factor(low, high, np.array([span.lo < span.hi for span in spans]))
