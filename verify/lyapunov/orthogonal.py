"""Frames of orthonormal columns: their factorisation, directions that a singular Jacobian kills, and how often to orthonormalise.

``torch.linalg.qr`` (Householder) is used for every size: measured on a CPU it is faster than two rounds of Cholesky, for k = 10 as for
k = n, and it completes the frame by itself where columns are dependent.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Numbers = NDArray[np.floating]

# rows that differ by more than this factor are sorted, largest first: then each row keeps its own relative accuracy (Cox and Higham 1998)
_GRADED = {torch.float64: 1e-6, torch.float32: 1e-3}
# the condition of the images that is accepted between two factorisations, and the range of their scale
_CONDITION = {torch.float64: 1e6, torch.float32: 1e2}
_RANGE = {torch.float64: 1e60, torch.float32: 1e9}
# norms of rows whose squares are far from overflow and underflow
_PLAIN = {np.dtype("float64"): (1e-100, 1e100), np.dtype("float32"): (1e-12, 1e12)}
_TORCH = {np.dtype("float64"): torch.float64, np.dtype("float32"): torch.float32}
_LONGEST = 100
_MEMORY = 0.9


@dataclass(frozen=True)
class Factored:
    """Images = frames @ upper, the diagonal of ``upper`` not negative; ``zero`` marks columns numerically dependent on earlier ones.

    **Shapes:** frames (B, n, k), upper (B, k, k), zero (B, k) of bool. Where a dependent column stood before an independent one, the
    columns of that batch element were moved (dependent ones last), so that the marks of each element always come last.
    """

    frames: Tensor
    upper: Tensor
    zero: Tensor

    @property
    def diagonal(self) -> Tensor:
        """Return the diagonal of ``upper``, shape (B, k)."""
        return self.upper.diagonal(dim1=-2, dim2=-1)


def orthonormalise(images: Tensor) -> Factored:
    """Factorise a batch of images.

    **Shapes:** images (B, n, k) with k <= n, finite.
    **Guarantee:** heuristic. A column is marked zero where what is left of it after projection is below (n + 8) eps times the norm of the
    j-th largest row of the images (j its number): that is what rounding leaves of a column that is dependent in real numbers. So the mark
    is an estimate at rounding level; a direction that is shrunk by more than that in one step cannot be told from a dead one.
    **See:** Cox and Higham, Stability of Householder QR factorization for weighted least squares problems, 1998.
    """
    peak = images.abs().amax(dim=2).clamp_min(torch.finfo(images.dtype).tiny)  # squares of huge entries overflow
    sizes = torch.linalg.vector_norm(images / peak.unsqueeze(2), dim=2) * peak
    scales, order = sizes.sort(dim=1, descending=True)
    level = (images.shape[1] + 8) * torch.finfo(images.dtype).eps * scales[:, : images.shape[2]]
    graded = bool((scales[:, -1] < _GRADED[images.dtype] * scales[:, 0]).any())
    found = _factorise(images, order if graded else None, level)
    late = (found.zero[:, :-1] & ~found.zero[:, 1:]).any(dim=1)
    return _deferred(images, order, level, found, late) if bool(late.any()) else found


def quickly(images: Numbers) -> tuple[Tensor, NDArray[np.float64]] | None:
    """Return the frames (B, n, k) of ``orthonormalise`` and log diag R (B, k), for small images in few calls.

    None where ``orthonormalise`` has to look closer: entries that are not finite, of extreme size, or a column that may be dependent.
    """
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        sizes = np.sqrt(np.add.reduce(images * images, axis=2))
    low, high = np.minimum.reduce(sizes, axis=1), np.maximum.reduce(sizes, axis=1)
    least, most = _PLAIN[images.dtype]
    if not (least < np.minimum.reduce(low) and np.maximum.reduce(high) < most):
        return None
    order = None
    if (low < _GRADED[_TORCH[images.dtype]] * high).any():
        order = np.argsort(-sizes, axis=1)[:, :, None]
        images = np.take_along_axis(images, order, 1)
    frames, upper = torch.linalg.qr(torch.from_numpy(images))
    diagonal, columns = upper.numpy().diagonal(axis1=1, axis2=2), frames.numpy()
    found = np.abs(diagonal)
    scales = high[:, None] if order is None else np.take_along_axis(sizes, order[:, :, 0], 1)[:, : images.shape[2]]
    if not (found > (images.shape[1] + 8) * np.finfo(images.dtype).eps * scales).all():
        return None
    columns *= np.where(diagonal < 0, -1, 1)[:, None].astype(images.dtype)
    if order is not None:
        back = np.empty_like(columns)
        np.put_along_axis(back, order, columns, 1)
        frames = torch.from_numpy(back)
    return frames, np.log(found, dtype=np.float64)


def _factorise(images: Tensor, order: Tensor | None, level: Tensor) -> Factored:
    if order is None:
        frames, upper = torch.linalg.qr(images)
    else:
        rows = order.unsqueeze(-1).expand_as(images)
        sorted_frames, upper = torch.linalg.qr(images.gather(1, rows))
        frames = torch.empty_like(sorted_frames).scatter_(1, rows, sorted_frames)
    signs = torch.where(upper.diagonal(dim1=-2, dim2=-1) < 0, -1.0, 1.0).to(images.dtype)
    frames.mul_(signs.unsqueeze(1))
    upper.mul_(signs.unsqueeze(2))
    return Factored(frames, upper, upper.diagonal(dim1=-2, dim2=-1) <= level)


def _deferred(images: Tensor, order: Tensor, level: Tensor, found: Factored, late: Tensor) -> Factored:
    """Move dependent columns behind independent ones.

    Each round makes the independent head of every element longer by one at least, but for columns so near rounding level that the order
    decides what they are called; so there are as many rounds as columns at most.
    """
    frames, upper, zero = found.frames.clone(), found.upper.clone(), found.zero.clone()
    rows = late.nonzero()[:, 0]
    pending = images[rows]
    for _ in range(images.shape[2]):
        if not rows.numel():
            break
        columns = zero[rows].to(torch.int8).argsort(dim=1, stable=True)
        pending = pending.gather(2, columns.unsqueeze(1).expand_as(pending))
        again = _factorise(pending, order[rows], level[rows])
        frames[rows], upper[rows], zero[rows] = again.frames, again.upper, again.zero
        still = (again.zero[:, :-1] & ~again.zero[:, 1:]).any(dim=1)
        rows, pending = rows[still], pending[still]
    return Factored(frames, upper, zero)


def random_frames(batch: int, size: tuple[int, int], like: Tensor, seed: int) -> Tensor:
    """Return orthonormal frames (batch, n, k) drawn uniformly from the seed; ``size`` is (n, k), dtype and device are those of ``like``."""
    generator = torch.Generator().manual_seed(seed)
    normal = torch.randn(batch, *size, generator=generator, dtype=torch.float64)
    return orthonormalise(normal.to(like)).frames


class Pace:
    """How many steps to take before the next factorisation.

    Adaptive: so many that the images' condition, predicted from the spread of the last diagonals (the fastest spread seen, slowly
    forgotten), stays below 1e6 in float64 and 1e2 in float32, and their scale within 1e60 and 1e9; at most twice the last number, at
    most 100.
    """

    def __init__(self, qr: int | Literal["adaptive"], dtype: torch.dtype) -> None:
        """Keep a fixed number, or start adaptively with 1."""
        self.adaptive = qr == "adaptive"
        self.length = 1 if qr == "adaptive" else int(qr)
        self._condition, self._reach = log(_CONDITION[dtype]), log(_RANGE[dtype])
        self._spread = self._growth = 0.0
        self._eps = torch.finfo(dtype).eps
        self._noise: NDArray[np.float64] | None = None

    def overrun(self, logs: NDArray[np.float64]) -> bool:
        """Tell whether a diagonal's logarithms (B, k) show a condition a thousand times worse than what was wanted."""
        return self.adaptive and _spread(logs)[1] > self._condition + log(1e3)

    def begin(self) -> None:
        """Forget the rounding so far."""
        self._noise = None

    def rounding(self, steps: int) -> NDArray[np.float64]:
        """Return what rounding may have done to each exponent in ``steps`` steps, (k,): mean over factorisations of 4 eps r_1 / r_j."""
        return np.zeros(1) if self._noise is None else 4 * self._eps / steps * self._noise

    def observe(self, length: int, logs: NDArray[np.float64]) -> None:
        """Learn from the logarithms (B, k) of the diagonal after ``length`` steps (minus infinity is left out)."""
        below, spread, growth = _spread(logs)
        noise = np.add.reduce(np.exp(np.minimum(below, self._condition + log(10))), axis=0) / len(logs)
        self._noise = noise if self._noise is None else self._noise + noise
        if not self.adaptive:
            return
        spread, growth = spread / length, growth / length
        self._spread, self._growth = max(spread, _MEMORY * self._spread), max(growth, _MEMORY * self._growth)
        allowed = min(self._condition / self._spread if self._spread else inf, self._reach / self._growth if self._growth else inf)
        self.length = max(1, min(2 * max(length, self.length), _LONGEST, int(min(allowed, _LONGEST))))


def _spread(logs: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, float]:
    """Return how far logarithms are below the largest of their element, the largest such range, and the largest of their sizes.

    Infinite ones: infinitely far, 0 where an element has no others; for range and size they do not count.
    """
    growth = float(np.maximum.reduce(np.abs(logs), axis=None))
    if growth < inf:
        below = np.maximum.reduce(logs, axis=1, keepdims=True) - logs
        return below, float(np.maximum.reduce(below, axis=None)), growth
    known = np.isfinite(logs)
    high = np.where(known, logs, -inf).max(axis=1, keepdims=True)
    alive = known.any(axis=1, keepdims=True)
    below = np.where(known, np.where(alive, high, 0.0) - np.where(known, logs, 0.0), np.where(alive, inf, 0.0))
    return below, float(np.where(known, below, 0.0).max()), float(np.abs(np.where(known, logs, 0.0)).max())
