"""Images and Jacobians of a network on many boxes at once, in floats widened by more than rounding takes.

The steps are those of ``proofs.network`` on intervals, in the same order, so that what the kernel computes lies inside what is found here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from proofs.arithmetic import Matrix
from proofs.network import Network
from proofs.theorems.blends import blends
from verify.numerics.batch import Floats, floats_of

Weights = tuple[Floats, Floats]  # middles and radii
_ROUNDING = 1e-13


@dataclass(frozen=True)
class Range:
    """Intervals [low, high], entry by entry."""

    low: Floats
    high: Floats

    @classmethod
    def ball(cls, mid: Floats, rad: Floats) -> Range:
        """Return [mid - rad, mid + rad], widened a little."""
        return cls(mid - rad, mid + rad).widened()

    @property
    def mid(self) -> Floats:
        """Return the middles."""
        return (self.low + self.high) / 2

    @property
    def rad(self) -> Floats:
        """Return the radii."""
        return (self.high - self.low) / 2

    def widened(self) -> Range:
        """Return the intervals with room for the rounding of one operation."""
        room = _ROUNDING * (1.0 + np.maximum(np.abs(self.low), np.abs(self.high)))
        return Range(self.low - room, self.high + room)

    def times(self, other: Range) -> Range:
        """Return the products, entry by entry."""
        corners = np.stack([one * two for one in (self.low, self.high) for two in (other.low, other.high)])
        return Range(corners.min(axis=0), corners.max(axis=0)).widened()

    def plus(self, other: Range) -> Range:
        """Return the sums, entry by entry."""
        return Range(self.low + other.low, self.high + other.high).widened()

    def under(self, weights: Weights) -> Range:
        """Return the products of matrices, mid +- rad of shape (rows, n), with columns or matrices of shape (B, n, k)."""
        mid, rad = weights
        return Range.ball(mid @ self.mid, np.abs(mid) @ self.rad + rad @ (np.abs(self.mid) + self.rad))


class BoxNetwork:
    """A network on batches of boxes; with ``blended``, registers (1 - q) u + q v in their own form, as card D9 has them.

    **Guarantee:** heuristic: wider than the kernel's enclosures as long as numbers are moderate.
    """

    def __init__(self, network: Network, *, blended: bool = False) -> None:
        self.dimension, self._blends = network.dimension, blends(network) if blended else {}
        self.program: list[tuple[str, tuple[int, ...], list[Weights], Weights | None]] = [
            (
                operation.name,
                operation.of,
                [_ball(matrix) for matrix in operation.matrices],
                None if operation.bias is None else _ball(operation.bias),
            )
            for operation in network.program
        ]

    def images(self, low: Floats, high: Floats) -> Range:
        """Return the images alone, as ``enclose`` does. **Shapes:** low, high and the images (B, M)."""
        value = self._values(low, high)[-1]
        return Range(value.low[:, :, 0], value.high[:, :, 0])

    def enclose(self, low: Floats, high: Floats) -> tuple[Range, Range]:
        """Return images and Jacobians on boxes. **Shapes:** low, high (B, M); images (B, M), Jacobians (B, M, M)."""
        unit, values = np.broadcast_to(np.eye(self.dimension), (len(low), self.dimension, self.dimension)), self._values(low, high)
        registers = [Range(unit, unit)]
        for (name, of, matrices, _), output in zip(self.program, values[1:], strict=True):
            slopes, inputs = [registers[i] for i in of], [values[i] for i in of]
            if matrices:
                registers.append(_summed([slope.under(weights) for weights, slope in zip(matrices, slopes, strict=True)]))
            elif name == "add":
                registers.append(slopes[0].plus(slopes[1]))
            elif name == "mul":
                registers.append(slopes[0].times(inputs[1]).plus(slopes[1].times(inputs[0])))
            else:
                registers.append(slopes[0].times(_SLOPES[name](inputs[0], output)))
        return Range(values[-1].low[:, :, 0], values[-1].high[:, :, 0]), registers[-1]

    def _values(self, low: Floats, high: Floats) -> list[Range]:
        values = [Range(low[:, :, None], high[:, :, None])]
        for number, (name, of, matrices, bias) in enumerate(self.program, 1):
            blend, inputs = self._blends.get(number), [values[i] for i in of]
            if blend is not None:
                values.append(_blended(*(values[i] for i in (blend.q, blend.u, blend.v))))
            elif bias is not None:
                total = _summed([value.under(weights) for weights, value in zip(matrices, inputs, strict=True)])
                values.append(total.plus(Range.ball(*bias)))
            elif name == "add":
                values.append(inputs[0].plus(inputs[1]))
            else:
                values.append(inputs[0].times(inputs[1]) if name == "mul" else _CURVES[name](inputs[0]))
        return values


def _blended(share: Range, one: Range, two: Range) -> Range:
    ends = [Range(1.0 - q, 1.0 - q).times(one).plus(Range(q, q).times(two)) for q in (share.low, share.high)]
    return Range(np.minimum(ends[0].low, ends[1].low), np.maximum(ends[0].high, ends[1].high)).widened()


def _ball(matrix: Matrix) -> Weights:
    rad = np.zeros(matrix.shape) if matrix.rad is None else floats_of(Matrix(matrix.rad, None, matrix.den)) * (1 + _ROUNDING)
    return floats_of(matrix), rad


def _summed(terms: list[Range]) -> Range:
    total = terms[0]
    for term in terms[1:]:
        total = total.plus(term)
    return total


def _sigmoid(x: Floats) -> Floats:
    return np.asarray((1.0 + np.tanh(x / 2)) / 2)


def _increasing(curve: Callable[[Floats], Floats]) -> Callable[[Range], Range]:
    return lambda x: Range(curve(x.low), curve(x.high)).widened()


def _relu_slope(x: Range, _: Range) -> Range:
    return Range(np.where(x.low > 0.0, 1.0, 0.0), np.where(x.high < 0.0, 0.0, 1.0))


def _tanh_slope(_: Range, value: Range) -> Range:
    most = np.maximum(np.abs(value.low), np.abs(value.high))
    least = np.where((value.low <= 0.0) & (value.high >= 0.0), 0.0, np.minimum(np.abs(value.low), np.abs(value.high)))
    return _above_zero(Range(1.0 - most**2, 1.0 - least**2).widened())


def _sigmoid_slope(_: Range, value: Range) -> Range:
    low, high = value.low * (1.0 - value.low), value.high * (1.0 - value.high)
    most = np.where((value.low <= 0.5) & (value.high >= 0.5), 0.25, np.maximum(low, high))  # noqa: PLR2004 - s (1 - s) is greatest at 1/2
    return _above_zero(Range(np.minimum(low, high), most).widened())


def _above_zero(slope: Range) -> Range:
    return Range(np.maximum(slope.low, 0.0), slope.high)


_CURVES = {
    "relu": _increasing(lambda x: np.maximum(x, 0.0)),
    "tanh": _increasing(np.tanh),
    "sigmoid": _increasing(_sigmoid),
}
_SLOPES = {"relu": _relu_slope, "tanh": _tanh_slope, "sigmoid": _sigmoid_slope}
