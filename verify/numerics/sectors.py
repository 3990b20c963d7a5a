"""The sector form of a network: differences of F as a linear system with bounded slopes, and the matrix of card C1(ii), in floats."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from proofs.theorems.blends import blends
from verify.numerics.batch import floats_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proofs.network import Network

    Floats = NDArray[np.float64]
    Slopes = Sequence[Sequence["Factor"]]

_LIMITS = {"relu": 1.0, "tanh": 1.0, "sigmoid": 0.25}
_ASCENTS = 12
_LEAST = 2.0**-20
_TINY = 1e-290


@dataclass(frozen=True)
class Sector:
    """F(x) - F(y) = J d + B u with d = x - y and, for each unit, u_j = s_j a_j, 0 <= s_j <= limit_j, where a = G d + E u.

    **Shapes:** J M x M, B M x n, G n x M, E n x n (a unit reads earlier units only), limits n. In scaled coordinates the state is
    ``states`` times and a unit ``units`` times what is stored here (powers of two).
    """

    J: Floats
    B: Floats
    G: Floats
    E: Floats
    limits: Floats
    states: Floats
    units: Floats

    @property
    def is_finite(self) -> bool:
        """Say whether floats can hold it."""
        return self.largest < np.inf

    @property
    def largest(self) -> float:
        """Return the largest absolute entry, infinity where one is not a number."""
        sizes = [float(np.abs(part).max(initial=0.0)) for part in (self.J, self.B, self.G, self.E)]
        return max(sizes) if np.isfinite(sizes).all() else np.inf

    @cached_property
    def ahead(self) -> Floats:
        """Return [J B], M x (M + n)."""
        return np.hstack([self.J, self.B])

    @cached_property
    def slack(self) -> Floats:
        """Return the rows of u - limit a, n x (M + n)."""
        return np.hstack([-self.limits[:, None] * self.G, np.eye(len(self.limits)) - self.limits[:, None] * self.E])

    def matrix(self, rate: float, form: Floats, multipliers: Floats) -> Floats:
        """Return the symmetric matrix of c^2 d'Q d - (J d + B u)' Q (J d + B u) - 2 sum L_j u_j (limit_j a_j - u_j)."""
        size = len(self.J)
        total = -self.ahead.T @ form @ self.ahead
        total[:size, :size] += rate * rate * form
        half = multipliers[:, None] * self.slack
        total[size:] += half
        total[:, size:] += half.T
        return total

    def adjoint(self, rate: float, weight: Floats) -> tuple[Floats, Floats]:
        """Return the pair (M x M, n) whose products with (Q, L) give the trace of ``weight`` times the matrix of (Q, L)."""
        size = len(self.J)
        form = rate * rate * weight[:size, :size] - self.ahead @ weight @ self.ahead.T
        return form, 2 * np.einsum("ij,ji->i", self.slack, weight[:, size:])

    def jacobian(self, slopes: Floats) -> Floats:
        """Return J + B (I - S E)^-1 S G for slopes S."""
        inner = np.eye(len(slopes)) - slopes[:, None] * self.E
        return self.J + self.B @ np.linalg.solve(inner, slopes[:, None] * self.G)

    def balanced(self) -> Sector:
        """Return the same system in coordinates scaled by powers of two in which rows and columns have sizes alike."""
        bound = np.abs(self.J) + np.abs(self.B) @ np.linalg.solve(
            np.eye(len(self.limits)) - self.limits[:, None] * np.abs(self.E), self.limits[:, None] * np.abs(self.G)
        )
        d = _balance(bound)
        e = np.ones(len(self.limits))
        for j in range(len(e)):
            reads = float(np.hypot(np.linalg.norm(self.G[j] * d), np.linalg.norm(self.E[j] * e)))
            e[j] = 2.0 ** np.round(np.log2(reads)) if reads > 0 else 1.0
        return replace(
            self,
            J=self.J * d / d[:, None],
            B=self.B * e / d[:, None],
            G=self.G * d / e[:, None],
            E=self.E * e / e[:, None],
            states=self.states * d,
            units=self.units * e,
        )


def sector_of(network: Network, slopes: Slopes | None = None) -> Sector | None:
    """Return the sector form of a network (of its middle, where weights are intervals), with global slopes or with these.

    A slope in [low, high] is low and a unit whose slope lies in [0, high - low]; so is a factor of a product, see card D9. Factors that are
    one number are no units. None for programs with ``mul`` without ``slopes``. **Guarantee:** heuristic (floats).
    """
    if slopes is None:
        if any(operation.name == "mul" for operation in network.program):
            return None
        slopes = _everywhere(network)
    mixed = blends(network)
    size, count = network.dimension, sum(int(factor.is_open.sum()) for factors in slopes for factor in factors)
    registers = [np.eye(size, size + count)]
    units = _Units(size + count, size)
    for number, (operation, factors) in enumerate(zip(network.program, slopes, strict=True), 1):
        blend, terms = mixed.get(number), [registers[i] for i in operation.of]
        if blend is not None:
            turned = zip((registers[blend.v] - registers[blend.u], registers[blend.q]), factors, strict=True)
            terms = [registers[blend.u], *(units.through(rows, factor) for rows, factor in turned)]
        elif factors:
            terms = [units.through(rows, factor) for rows, factor in zip(terms, factors, strict=True)]
        elif operation.bias is not None:
            terms = [floats_of(matrix) @ rows for matrix, rows in zip(operation.matrices, terms, strict=True)]
        registers.append(np.sum(terms, axis=0))
    last, reads = registers[-1], np.vstack([np.zeros((0, size + count)), *units.inputs])
    scales = np.ones(size), np.ones(count)
    limits = np.concatenate([np.empty(0), *units.limits])
    return Sector(last[:, :size], last[:, size:], reads[:, :size], reads[:, size:], limits, *scales)


@dataclass(frozen=True)
class Factor:
    """By what the difference of a register is multiplied, entry by entry: low to high, one number where not ``is_open``."""

    low: Floats
    high: Floats
    is_open: NDArray[np.bool_]


class _Units:
    """The units met so far: what they read, and how large their slopes may be."""

    def __init__(self, width: int, used: int) -> None:
        self._width, self._used = width, used
        self.inputs: list[Floats] = []
        self.limits: list[Floats] = []

    def through(self, rows: Floats, factor: Factor) -> Floats:
        """Return slopes times rows, with a new unit for each that is a range."""
        opened, out = np.flatnonzero(factor.is_open), factor.low[:, None] * rows
        out[opened, self._used + np.arange(len(opened))] += 1.0
        self.inputs.append(rows[opened])
        self.limits.append((factor.high - factor.low)[opened])
        self._used += len(opened)
        return out


def _everywhere(network: Network) -> Slopes:
    """Return the ranges of the slopes on all of R^M."""
    sizes, slopes = _sizes(network), list[tuple[Factor, ...]]()
    for size, operation in zip(sizes[1:], network.program, strict=True):
        limit = np.full(size, _LIMITS.get(operation.name, 0.0))
        slopes.append((Factor(np.zeros(size), limit, limit > 0.0),) if operation.name in _LIMITS else ())
    return tuple(slopes)


def slowest_slopes(sector: Sector) -> tuple[float, Floats]:
    """Return the largest spectral radius found among Jacobians with admissible slopes, and these slopes.

    No norm contracts faster than that under all slopes. Slopes are ascended: each is set to 0 or to its limit as the derivative of the
    leading eigenvalue's modulus says. **Guarantee:** heuristic (floats; the radius belongs to the slopes returned).
    """
    slopes = sector.limits.copy()
    best, kept = -1.0, slopes
    for _ in range(_ASCENTS):
        inner = np.eye(len(slopes)) - slopes[:, None] * sector.E
        jacobian = sector.jacobian(slopes)
        eigen: Any = linalg.eig(jacobian, left=True, right=True)
        values, left, right = eigen
        lead = int(np.argmax(np.abs(values)))
        if abs(values[lead]) <= best:
            break
        best, kept = float(abs(values[lead])), slopes
        x, y = right[:, lead], left[:, lead].conj()
        reads = sector.G @ x + sector.E @ np.linalg.solve(inner, slopes * (sector.G @ x))
        sends = np.linalg.solve(inner.T, (y @ sector.B))
        turn = np.conj(values[lead]) / max(abs(values[lead]), _TINY)  # only signs matter: products of huge weights would overflow
        change = (turn * sends * reads / (y @ x if y @ x != 0 else 1.0)).real
        slopes = np.where(change > 0, sector.limits, 0.0)
    return best, kept


def _balance(bound: Floats) -> Floats:
    """Return powers of two d for which the rows and columns of bound_ij d_j / d_i are alike, also where the matrix is reducible."""
    rate = 1.5 * float(np.abs(linalg.eigvals(bound)).max(initial=0.0)) + _LEAST * float(bound.max(initial=0.0))
    if rate <= 0 or not np.isfinite(rate):
        return np.ones(len(bound))
    inverse = np.linalg.inv(np.eye(len(bound)) - bound / rate)
    ratio = np.maximum(inverse.sum(axis=1), 1.0) / np.maximum(inverse.sum(axis=0), 1.0)
    return np.asarray(2.0 ** np.round(np.log2(ratio) / 2), dtype=np.float64)


def _sizes(network: Network) -> list[int]:
    sizes = [network.dimension]
    for operation in network.program:
        sizes.append(len(operation.bias.mid) if operation.bias is not None else sizes[operation.of[0]])
    return sizes
