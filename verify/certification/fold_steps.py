"""From a fold or flip that floats suggest to the numbers that card ``smooth_fold`` asks for."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.grammar import write_number
from proofs.parameters import Line
from proofs.theorems.smooth_family import tangent_network
from verify.certification.draft import spelled, spelled_rows
from verify.errors import NotFound
from verify.numerics.balls import SingularError, approximate_inverse

if TYPE_CHECKING:
    from proofs.network import Network
    from verify.paths import Path
    from verify.search.folds import FoldCandidate

MOST_STEPS = 80
SPARE = 24  # bits between the error of the enclosure and the working precision
LEAST_RADIUS = 8


def fold_witness(path: Path, candidate: FoldCandidate, bits: int = 160, radius: Fraction | None = None) -> dict[str, object]:
    """Return a witness of card ``smooth_fold``: the candidate improved by Newton steps with one fixed inverse, in ``bits`` bits.

    Without ``radius`` it is about 2^-(bits - 24), the smallest that rounding leaves room for: a large one makes a stronger statement of
    uniqueness, a small one a sharper enclosure. **Guarantee:** heuristic (the kernel checks it). **Cost:** (2 k M)^3, once.
    **Raises:** NotFound where the steps do not converge or the system is singular: not a fold that is quadratic; Rejected for relu.
    """
    network = tangent_network(path.start, Line(path.end, (path.low, path.high)))
    system = MooreSpence(network, candidate, bits)
    state = system.start
    try:
        inverse = approximate_inverse(system.derivative(state))
    except SingularError:
        raise _lost(candidate, "its Moore-Spence system is singular: the fold is not quadratic, or not alone") from None
    sizes: list[Fraction] = []
    while len(sizes) < MOST_STEPS and is_falling(sizes, bits):
        move = (inverse @ system.residual(state)).rounded(bits)
        sizes.append(move.magnitudes().norm())
        state = _middle((state - _middle(move)).rounded(bits))
    if sizes[-1] > Fraction(1, 1 << (bits // 2)):
        raise _lost(candidate, "Newton's method does not converge")
    inverse = approximate_inverse(system.derivative(state))
    room = radius or _radius(inverse, bits)
    return system.spelled(state, room) | {"inverse": spelled_rows(inverse), "bits": bits}


def is_falling(sizes: list[Fraction], bits: int) -> bool:
    """Say whether Newton steps of these sizes should go on: not yet at the rounding error, and not growing."""
    return not sizes or (sizes[-1] >= Fraction(1, 1 << (bits - 4)) and (len(sizes) == 1 or sizes[-1] < sizes[-2]))


class MooreSpence:
    """The system H(x) = 0 of card ``smooth_fold``, x = (v_1, z_1, .., v_k, z_k, mu), on the tangent network (v, z, mu)."""

    def __init__(self, network: Network, candidate: FoldCandidate, bits: int) -> None:
        """Take the candidate's numbers exactly; the normal is its first vector over the square of its length."""
        self._network, self._bits, self._twist = network, bits, candidate.twist
        points, vectors = ([[Fraction(x) for x in row] for row in table.tolist()] for table in (candidate.points, candidate.vectors))
        length = sum(x * x for x in vectors[0])
        self._normal = [_rounded(x / length, bits // 4) for x in vectors[0]]
        self._size, self._count = len(points[0]), len(points)
        rows = [[*vector, *point] for vector, point in zip(vectors, points, strict=True)]
        self.start = Matrix.column([*(x for row in rows for x in row), Fraction(candidate.mu)])

    def residual(self, state: Matrix) -> Matrix:
        """Enclose H."""
        parts = self._parts(state)
        images = [self._network.image(part, self._bits) for part in parts]
        blocks = [self._twisted(image, time).columns(0, 1) for time, image in enumerate(images, 1)]
        turned = [blocks[-1], *blocks[:-1]]
        ends = [Matrix(part.mid[:-1], None, part.den) for part in parts]
        first = sum((a * state.middle(i) for i, a in enumerate(self._normal)), Fraction(-1))
        return Matrix.stacked([*(end - block for end, block in zip(ends, turned, strict=True)), Matrix.column([first])])

    def derivative(self, state: Matrix) -> Matrix:
        """Return DH, at the middles."""
        width = 2 * self._size
        rows = [[Fraction(int(i == j)) for j in range(width * self._count + 1)] for i in range(width * self._count + 1)]
        rows[-1] = [*self._normal, *[Fraction(0)] * (width * self._count + 1 - self._size)]
        for time, part in enumerate(self._parts(state), 1):
            slopes = self._twisted(self._network.jacobian(part, self._bits), time)
            first, after = (time - 1) * width, time % self._count * width
            for i in range(width):
                for j in range(width):
                    rows[after + i][first + j] -= slopes.middle(i, j)
                rows[after + i][-1] -= slopes.middle(i, width)
        return Matrix.exact(rows)

    def spelled(self, state: Matrix, radius: Fraction) -> dict[str, object]:
        """Return the fields of the witness but the inverse."""
        rows = [[part.middle(i) for i in range(2 * self._size)] for part in self._parts(state)]
        return {
            "points": [spelled(row[self._size :]) for row in rows],
            "vectors": [spelled(row[: self._size]) for row in rows],
            "mu": write_number(state.middle(len(state.mid) - 1)),
            "radius": write_number(radius),
            "normal": spelled(self._normal),
            "twist": self._twist,
        }

    def _parts(self, state: Matrix) -> list[Matrix]:
        width = 2 * self._size
        cuts = [state.mid[t * width : (t + 1) * width] for t in range(self._count)]
        return [Matrix((*cut, state.mid[-1]), None, state.den) for cut in cuts]

    def _twisted(self, rows: Matrix, time: int) -> Matrix:
        factor = self._twist if time == self._count else 1
        turned = tuple(tuple(factor * x for x in row) if i < self._size else row for i, row in enumerate(rows.mid[:-1]))
        return Matrix(turned, rows.rad[:-1] if rows.rad else None, rows.den)


def _radius(inverse: Matrix, bits: int) -> Fraction:
    """Return a power of two above the rounding error of C H."""
    growth = max(0, inverse.norm().numerator.bit_length() - inverse.norm().denominator.bit_length())
    return Fraction(1, 1 << max(LEAST_RADIUS, bits - SPARE - growth))


def _middle(matrix: Matrix) -> Matrix:
    return Matrix(matrix.mid, None, matrix.den)


def _rounded(value: Fraction, bits: int) -> Fraction:
    return Fraction(round(value * (1 << bits)), 1 << bits)


def _lost(candidate: FoldCandidate, reason: str) -> NotFound:
    where, expected = f"{candidate.kind} near mu = {candidate.mu:.6g}", "a regular Moore-Spence system"
    return NotFound(where=where, law="smooth fold", expected=expected, got=reason)
