"""Spectra of networks of different sizes on one axis, so that they can be compared, averaged and embedded.

Exponent i = 1, ..., n of a network of size n stands at (i - 1) / (n - 1): the largest at 0, the smallest at 1, whatever the size.
Between exponents the spectrum is interpolated linearly.

**See:** Vogt, Zheng and Shlizerman, arXiv 2204.04876, who double the length by midpoints; here the length is free and the ends are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proofs.errors import Malformed
from verify.lyapunov.results import UNIT

Floats = NDArray[np.float64]
LENGTH = 512
ROUNDING = 1e-9  # of a step of the index: a point that close to an exponent is that exponent
WHERE = "interpolation of spectra"


@dataclass(frozen=True, eq=False)
class Interpolated:
    """Spectra on a common axis, one row a network.

    **Shapes:** ``spectra`` (runs, length), ``axis`` (length,), ``sizes`` (runs,). ``floor`` is what replaced every exponent below it, None
    where none was given; ``infinite`` and ``lifted`` (runs,) count the exponents -inf and those finite and below the floor that it
    replaced; ``touched`` (runs, length) marks the values that a replaced exponent has part in.
    """

    spectra: Floats
    axis: Floats
    sizes: tuple[int, ...]
    floor: float | None
    infinite: tuple[int, ...]
    lifted: tuple[int, ...]
    touched: NDArray[np.bool_]

    def statement(self) -> str:
        """Say in one or two sentences what was done."""
        ends = "" if self.axis[-1] == 1.0 else f" of the first {self.axis[-1]:.3g} of the spectra"
        text = f"{len(self.sizes)} spectra of sizes {min(self.sizes)} to {max(self.sizes)} on {len(self.axis)} points{ends}."
        if self.floor is None:
            return f"{text} No floor."
        below = f"{sum(self.infinite)} exponents were -inf and {sum(self.lifted)} finite ones lower"
        return f"{text} Floor {self.floor:g} {UNIT}: {below}; it has part in {np.mean(self.touched):.1%} of the values."


def interpolated(
    spectra: Sequence[ArrayLike], length: int = LENGTH, *, floor: float | None = None, sizes: Sequence[int] | None = None
) -> Interpolated:
    """Interpolate spectra of different sizes to one length.

    **Shapes:** each spectrum is (k,), in descending order, nats/step. Where only the leading k of n exponents are known, ``sizes`` gives
    the n; the common axis then ends where the shortest of them does. **Guarantee:** heuristic (a mean over the index is not kept exactly);
    the first value is the largest exponent. **Raises** Malformed: nothing there, NaN, +inf, not descending, -inf without a ``floor``.

    >>> interpolated([[0.0, -1.0], [1.0, 0.0, -2.0]], 3).spectra.tolist()
    [[0.0, -0.5, -1.0], [1.0, 0.0, -2.0]]
    >>> interpolated([[0.0, float("-inf")]], 3, floor=-8.0).spectra.tolist()
    [[0.0, -4.0, -8.0]]
    """
    rows = [_spectrum(spectrum, i) for i, spectrum in enumerate(spectra)]
    _check(rows, length, floor)
    known = _sizes(rows, sizes)
    places = [np.arange(len(row)) / max(1, n - 1) for row, n in zip(rows, known, strict=True)]
    reach = min((float(place[-1]) for place, n in zip(places, known, strict=True) if n > 1), default=1.0)
    axis = np.linspace(0.0, reach, length)
    least = -np.inf if floor is None else floor
    values = np.stack([np.interp(axis, place, np.maximum(row, least)) for row, place in zip(rows, places, strict=True)])
    touched = np.stack([np.interp(axis, place, row < least) > ROUNDING for row, place in zip(rows, places, strict=True)])
    infinite = tuple(int(np.isneginf(row).sum()) for row in rows)
    lifted = tuple(int((row < least).sum()) - count for row, count in zip(rows, infinite, strict=True))
    return Interpolated(values, axis, known, floor, infinite, lifted, touched)


def _spectrum(spectrum: ArrayLike, index: int) -> Floats:
    row = np.asarray(spectrum, dtype=np.float64)
    where = f"{WHERE}, spectrum {index}"
    if row.ndim != 1 or row.size == 0:
        raise Malformed(where=where, law="shape of a spectrum", expected="(k,) with k >= 1", got=str(row.shape))
    if np.isnan(row).any() or np.isposinf(row).any():
        got = "nan" if np.isnan(row).any() else "inf"
        raise Malformed(where=where, law="values of a spectrum", expected="finite numbers or -inf", got=got)
    if (row[:-1] < row[1:]).any():
        got = f"exponent {int(np.argmax(row[:-1] < row[1:])) + 2} is larger than the one before it"
        raise Malformed(where=where, law="order of a spectrum", expected="exponents in descending order", got=got)
    return row


def _check(rows: list[Floats], length: int, floor: float | None) -> None:
    if not rows:
        raise Malformed(where=WHERE, law="spectra to interpolate", expected="at least one spectrum", got="none")
    if length < 2:  # noqa: PLR2004
        raise Malformed(where=WHERE, law="common length", expected="at least 2 points", got=str(length))
    if floor is not None and not np.isfinite(floor):
        raise Malformed(where=WHERE, law="floor of the exponents", expected="a finite number", got=str(floor))
    count = sum(int(np.isneginf(row).sum()) for row in rows)
    if count and floor is None:
        remedy = "say what should stand for -inf, for example floor=-20.0"
        raise Malformed(where=WHERE, law="no line is drawn to -inf", expected="a floor", got=f"{count} exponents -inf", remedy=remedy)


def _sizes(rows: list[Floats], sizes: Sequence[int] | None) -> tuple[int, ...]:
    if sizes is None:
        return tuple(len(row) for row in rows)
    if len(sizes) != len(rows):
        raise Malformed(where=WHERE, law="one size for each spectrum", expected=str(len(rows)), got=str(len(sizes)))
    for i, (row, size) in enumerate(zip(rows, sizes, strict=True)):
        if len(row) > size or (len(row) == 1 < size):
            expected = "between 2 and n exponents of a network of size n"
            raise Malformed(where=f"{WHERE}, spectrum {i}", law="length of a spectrum", expected=expected, got=f"{len(row)} of {size}")
    return tuple(int(size) for size in sizes)
