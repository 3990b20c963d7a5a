"""Where F^k leads boxes, in floats widened by more than rounding takes: what may return to a box, and what Newton's operator leaves of it.

The steps are those of card A4b, in the same order, so that what is excluded here is excluded by the kernel too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from proofs.network import Network
from verify.numerics.batch import Bools, Floats
from verify.numerics.box_images import BoxNetwork, Range

_LEAST = 1e-300
_MARGIN = 1e-8  # the kernel's C is not the same to the last digit


@dataclass(frozen=True)
class Looks:
    """What F^k does on boxes.

    ``gone``: no orbit from the box returns to it; ``missing``: Newton's operator has no solution in it; ``defect``: the norm of
    I - C (P - I), infinite where the middle of P - I is singular; ``spread``: the norm of the radii of P; low, high: the part of the box
    that holds all solutions. **Shapes:** (B,) and (B, M).
    """

    gone: Bools
    missing: Bools
    defect: Floats
    spread: Floats
    low: Floats
    high: Floats

    @property
    def empty(self) -> Bools:
        """Say which boxes are free of solutions."""
        return self.gone | self.missing

    def taken(self, rows: list[int]) -> Looks:
        """Return the looks at some of the boxes."""
        return Looks(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    @classmethod
    def joined(cls, parts: Sequence[Looks]) -> Looks:
        """Return the looks at all boxes of several batches."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))


class Returns:
    """F^k of a network on batches of boxes inside a root box. **Guarantee:** heuristic, see ``BoxNetwork``."""

    def __init__(self, network: Network, low: Floats, high: Floats, period: int) -> None:
        """Look at orbits that stay in low <= z <= high and at their points with ``period`` steps between."""
        self._maps, self._low, self._high, self._period = BoxNetwork(network), low, high, period

    def looks(self, low: Floats, high: Floats) -> Looks:
        """Look at boxes. **Shapes:** low, high (B, M). **Cost:** ``period`` products of M x M matrices for each box."""
        with np.errstate(all="ignore"):
            gone, image = self._images(low, high)
            product = self._product(low, high)
            closing = product.mid - np.eye(low.shape[1])
            near, regular = _inverses(closing)
            errors = np.abs(np.eye(low.shape[1]) - near @ closing) + np.abs(near) @ product.rad + _rounding(near, closing)
            defect = np.nan_to_num(np.where(regular, errors.sum(axis=2).max(axis=1), np.inf), nan=np.inf, posinf=np.inf)
            newton = self._newton(low, high, near, errors)
            first, last = np.maximum(low, image.low), np.minimum(high, image.high)
            known = regular[:, None] & np.isfinite(newton.low) & np.isfinite(newton.high)
            narrow = np.where(known, np.maximum(first, newton.low), first), np.where(known, np.minimum(last, newton.high), last)
            missing = np.any(known & ((newton.low > high) | (newton.high < low)), axis=1)
        spread = np.nan_to_num(product.rad.sum(axis=2).max(axis=1), nan=np.inf, posinf=np.inf)
        return Looks(gone, missing, defect, spread, *narrow)

    def reach(self, points: Floats) -> Floats:
        """Return how far from solutions Newton's operator leads at most, for some network within the radius. **Shapes:** (B, M) to (B,)."""
        with np.errstate(all="ignore"):
            closing = self._product(points, points).mid - np.eye(points.shape[1])
            near, regular = _inverses(closing)
            newton = self._newton(points, points, near, np.zeros_like(near))
            far = np.maximum(newton.high - points, points - newton.low).max(axis=1)
        return np.where(regular & np.isfinite(far), far, 0.0)

    def _images(self, low: Floats, high: Floats) -> tuple[Bools, Range]:
        """Follow boxes, cut with the root; say which of them are lost or miss themselves."""
        gone, box = np.zeros(len(low), dtype=bool), Range(low, high)
        for _ in range(self._period):
            image = self._maps.images(box.low, box.high)
            gone |= np.any((image.low > self._high) | (image.high < self._low), axis=1)
            box = Range(np.maximum(image.low, self._low), np.minimum(image.high, self._high))
            box = Range(np.minimum(box.low, box.high), np.maximum(box.low, box.high))  # of those that are gone
        return gone | np.any((box.low > high) | (box.high < low), axis=1), box

    def _product(self, low: Floats, high: Floats) -> Range:
        box, product = self._maps.enclose(low, high)
        for _ in range(self._period - 1):
            box, jacobian = self._maps.enclose(box.low, box.high)
            product = _product(jacobian, product)
        return product

    def _newton(self, low: Floats, high: Floats, near: Floats, errors: Floats) -> Range:
        """Return m - C (F^k(m) - m) + (I - C (P - I)) (X - m)."""
        middle = low / 2 + high / 2
        end = Range(middle, middle)
        for _ in range(self._period):
            end = self._maps.images(end.low, end.high)
        shift = (near @ (end.mid - middle)[:, :, None])[:, :, 0]
        room = (np.abs(near) @ end.rad[:, :, None] + errors @ (high / 2 - low / 2)[:, :, None])[:, :, 0]
        return Range.ball(middle - shift, room * (1 + _MARGIN))


def _product(one: Range, two: Range) -> Range:
    """Return the sums of the exact ranges of all products. **Shapes:** (B, M, M)."""
    left, right = (Range(one.low[:, :, :, None], one.high[:, :, :, None]), Range(two.low[:, None], two.high[:, None]))
    terms = left.times(right)
    return Range(terms.low.sum(axis=2), terms.high.sum(axis=2)).widened()


def _inverses(matrices: Floats) -> tuple[Floats, Bools]:
    """Return inverses, and which of them there are; zeros for the others."""
    finite = np.all(np.isfinite(matrices), axis=(1, 2))
    safe = np.where(finite[:, None, None], matrices, np.eye(matrices.shape[1]))
    regular = finite & (np.abs(np.linalg.det(safe)) > _LEAST)
    found = np.linalg.inv(np.where(regular[:, None, None], safe, np.eye(matrices.shape[1])))
    regular &= np.all(np.isfinite(found), axis=(1, 2))
    return np.where(regular[:, None, None], found, 0.0), regular


def _rounding(near: Floats, closing: Floats) -> Floats:
    """Return room for what floats lose in C (P - I)."""
    return np.asarray(1e-14 * np.abs(near) @ np.abs(closing))
