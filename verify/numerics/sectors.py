"""The sector form of a network: differences of F as a linear system with bounded slopes, and the matrix of card C1(ii), in floats."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import linalg

from verify.numerics.batch import floats_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from proofs.network import Network

    Floats = NDArray[np.float64]

_LIMITS = {"relu": 1.0, "tanh": 1.0, "sigmoid": 0.25}
_ASCENTS = 12
_LEAST = 2.0**-20


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


def sector_of(network: Network) -> Sector | None:
    """Return the sector form of a network (of its middle, where weights are intervals); None for programs with ``mul``.

    **Guarantee:** heuristic (floats).
    """
    if any(operation.name == "mul" for operation in network.program):
        return None
    sizes = _sizes(network)
    size, count = network.dimension, sum(sizes[i + 1] for i, operation in enumerate(network.program) if operation.name in _LIMITS)
    registers = [np.eye(size, size + count)]
    inputs: list[Floats] = []
    limits: list[float] = []
    for operation in network.program:
        arguments = [registers[i] for i in operation.of]
        if operation.name in _LIMITS:
            registers.append(np.eye(len(arguments[0]), size + count, size + len(limits)))
            inputs.append(arguments[0])
            limits += [_LIMITS[operation.name]] * len(arguments[0])
        elif operation.name == "add":
            registers.append(arguments[0] + arguments[1])
        else:
            terms = [floats_of(matrix) @ argument for matrix, argument in zip(operation.matrices, arguments, strict=True)]
            registers.append(np.sum(terms, axis=0))
    last, reads = registers[-1], np.vstack([np.zeros((0, size + count)), *inputs])
    scales = np.ones(size), np.ones(count)
    return Sector(last[:, :size], last[:, size:], reads[:, :size], reads[:, size:], np.array(limits), *scales)


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
        change = (np.conj(values[lead]) * sends * reads / (y @ x if y @ x != 0 else 1.0)).real
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
