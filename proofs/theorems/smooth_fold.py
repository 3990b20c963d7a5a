"""E2 ``smooth_fold``. A fold or a flip of a cycle of smooth networks on a line, enclosed.

Statement   For exactly one mu* in [mu - r, mu + r] F_mu* has a cycle of least period k that passes through the balls of radius r around the
            points, in order, and has the multiplier twist; this multiplier is simple.
            twist 1: a quadratic fold. For mu close to mu*, on one side exactly two cycles of this period lie close to it, one with this
            multiplier above 1 and one below; on the other side none.
            twist -1: the cycle continues to both sides, its multiplier passes -1 with nonzero speed; cycles of least period 2k accumulate.
Cites       the line E0.
Witness     points z_1..z_k, vectors v_1..v_k, mu, radius r, normal l (M), twist (1 or -1), bits, and inverse: C (2kM + 1 square), for
            H(x) = 0 with x = (v_1, z_1, .., v_k, z_k, mu): row block t + 1 is (v_(t+1) - s_t DF_mu(z_t) v_t, z_(t+1) - F_mu(z_t)), block
            k + 1 is block 1, s_k = twist, all other s_t = 1; the last row is l.v_1 - 1.
Checks      1  shapes; r > 0; [mu - r, mu + r] within the line; operations affine, tanh, sigmoid, mul and add only
            2  e = |I - C DH| < 1 over the box X of radius r around x
            3  |C H(x)| + e r < r: Krawczyk's K(X) lies inside the interior of X
            4  fold: DH y = (0, D^2F(v_t, v_t), .., 0) has the last entry of one sign: it is mu'' along the curve of cycles, z' = v
            5  DH y = (v_1, 0 in block 1; 0), y = (.., mu-part c): fold: l.(z-part of block 1) is of one sign; flip: c is, c = 1 / (d/dmu of
               the multiplier)      (4 and 5: y lies within |C h| e / (1 - e) of C h, h the right-hand side)
            6  balls 1 and 1 + k/p are disjoint for every prime p dividing k
Fails when  the radius is too large; the fold is not quadratic, the multiplier double or not moving; a second multiplier is 1 or -1.
Rests on    Krawczyk 1969. H(x) = 0 is regular if and only if the kernel of DF^k - 1 is one line, psi.F_mu != 0 and psi.D^2F^k(v, v) != 0
            (psi the left eigenvector): Moore & Spence 1980. Blocks (v, v) of DH do not depend on v, so that I - C DH also excludes a
            second cycle in the balls, or a second mu, with any eigenvector to twist. Check 5: c or -l.z is psi.v / psi.(dDF^k v) along
            the curve, so psi.v != 0. Flip: c != 0 says also that I - DF^k is regular; det(I - DF^2k) then changes its sign along the
            branch, hence a bifurcation of fixed points of F^2k (Krasnosel'skii), none of which is one of F^k.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval, Matrix
from proofs.parameters import Line, SmoothFold
from proofs.theorems.lifted import chosen_rows
from proofs.theorems.orbits import ball, require_least_period
from proofs.theorems.smooth_family import tangent_network

if TYPE_CHECKING:
    from proofs.theorems.card import Application
    from proofs.theorems.orbits import Points

_REMEDY = "a better inverse, more bits, or another radius"
_ONE = Interval(Fraction(1), Fraction(1))


def check(step: Application) -> SmoothFold:
    """Verify one application; see the card above."""
    line = step.cite(Line)
    points, vectors, mu, radius = _read(step, line)
    twist, bits, size = step.witness.integer("twist", -1, 1), step.needed_bits(), step.network.dimension
    step.require(1, twist != 0, "a twist 1 or -1", twist)
    network = tangent_network(step.network, line)
    normal = step.witness.numbers("normal")
    step.require_short_column(1, normal)
    step.require(1, len(normal) == size, f"a normal of {size} entries", len(normal))
    width = 2 * size * len(points)
    step.require_work(2, (width + 1) ** 2 * (2 * size + 1) + len(points) * network.products, bits)
    centres = [(*vector, *point, mu) for vector, point in zip(vectors, points, strict=True)]
    slopes = [network.jacobian(ball(centre, radius), bits) for centre in centres]
    images = [network.image(Matrix.column(centre), bits) for centre in centres]
    system = _System(step, [_twisted(a, twist if t == len(points) else 1) for t, a in enumerate(slopes, 1)], normal, bits)
    ends = [Matrix.column(centre[: 2 * size]) for centre in (*centres[1:], centres[0])]
    turned = [_twisted(image, twist if t == len(points) else 1) for t, image in enumerate(images, 1)]
    last = sum((a * b for a, b in zip(normal, vectors[0], strict=True)), Fraction(-1))
    residual = system.times([end - image for end, image in zip(ends, turned, strict=True)], last).norm()
    inside = residual + system.error * radius
    step.require(3, inside < radius, "|C H(x)| + e r < r", inside, _REMEDY)
    require_least_period(step, 6, points, [radius] * len(points))
    side = _side(step, system, slopes, [ball(vector, radius) for vector in vectors], twist)
    return SmoothFold(line.end.digest, line.at, mu - radius, mu + radius, points, radius, twist, side)


def _read(step: Application, line: Line) -> tuple[Points, Points, Fraction, Fraction]:
    """Read and compare shapes."""
    points, vectors, size = step.witness.table("points"), step.witness.table("vectors"), step.network.dimension
    fits = 0 < len(points) == len(vectors) and all(len(row) == size for row in (*points, *vectors))
    step.require(1, fits, f"as many points as vectors, of {size} coordinates", f"{len(points)} points, {len(vectors)} vectors")
    mu, radius = step.witness.number("mu"), step.witness.number("radius")
    step.require_short_column(1, [mu, radius])
    step.require(1, radius > 0, "a positive radius", radius)
    low, high = line.at
    step.require(
        1, low <= mu - radius and mu + radius <= high, lambda: f"mu within the line from {low} to {high}, r apart from its ends", mu
    )
    return points, vectors, mu, radius


class _System:
    """DH over the box, by its columns: ``slopes`` hold for each time the derivatives of (v, z) of the next time by (v, z, mu)."""

    def __init__(self, step: Application, slopes: list[Matrix], normal: tuple[Fraction, ...], bits: int) -> None:
        self._width = width = len(slopes[0].mid)
        total = width * len(slopes) + 1
        inverse = step.witness.matrix("inverse", (total, total))
        step.require_short_entries(2, inverse)
        parts = [inverse.columns(t * width, width) for t in range(len(slopes))]
        self._after, self._last = [*parts[1:], parts[0]], inverse.columns(total - 1, 1)
        moved = [(part @ slope).rounded(bits) for part, slope in zip(self._after, slopes, strict=True)]
        columns = [part - there.columns(0, width) for part, there in zip(parts, moved, strict=True)]
        columns[0] = columns[0] + self._last @ Matrix.exact([[*normal, *[Fraction(0)] * (width - len(normal))]])
        speed = moved[0].columns(width, 1)
        for there in moved[1:]:
            speed = speed + there.columns(width, 1)
        whole = Matrix.stacked([part.transposed() for part in (*columns, speed.times(Fraction(-1)))])
        self.error = (Matrix.identity(total) - whole.transposed()).norm()
        step.require(2, self.error < 1, "|I - C DH| < 1", self.error, _REMEDY)

    def times(self, blocks: list[Matrix], last: Fraction) -> Matrix:
        """Return C h; ``blocks`` are the row blocks 2, .., k, 1 of h."""
        total = self._last.times(last)
        for part, block in zip(self._after, blocks, strict=True):
            total = total + part @ block
        return total

    def solution(self, blocks: list[Matrix]) -> Matrix:
        """Enclose y with DH y = h, last entry of h 0, for all h in the blocks and all DH of the box."""
        near = self.times(blocks, Fraction(0))
        return near.widened(near.norm() * self.error / (1 - self.error))


def _twisted(rows: Matrix, twist: int) -> Matrix:
    """Drop the row of mu and multiply the rows of v."""
    size = (len(rows.mid) - 1) // 2
    kept = Matrix(rows.mid[:-1], rows.rad[:-1] if rows.rad else None, rows.den)
    return kept if twist > 0 else kept.scaled_rows([Interval(Fraction(-1), Fraction(-1))] * size + [_ONE] * size)


def _side(step: Application, system: _System, slopes: list[Matrix], vectors: list[Matrix], twist: int) -> str:
    """Return on which side of mu* two cycles lie, or the multiplier lies below -1 (checks 4 and 5)."""
    size, count = step.network.dimension, len(slopes)
    zeros = Matrix.column([Fraction(0)] * size)
    answer = system.solution([Matrix.stacked([zeros, zeros])] * (count - 1) + [Matrix.stacked([vectors[0], zeros])])
    if twist < 0:
        speed = answer.interval(2 * size * count)
        step.require(5, speed.lo * speed.hi > 0, "a simple multiplier that passes -1 with nonzero speed", speed, _REMEDY)
        return "before" if speed.lo > 0 else "after"
    along = (Matrix.exact([step.witness.numbers("normal")]) @ chosen_rows(answer, range(size, 2 * size))).interval(0)
    step.require(5, along.lo * along.hi > 0, "a simple multiplier 1", along, _REMEDY)
    curvatures = [chosen_rows(slope, range(size)).columns(size, size) for slope in slopes]
    pairs = zip(curvatures, vectors, strict=True)
    bend = system.solution([Matrix.stacked([zeros, curvature @ vector]) for curvature, vector in pairs]).interval(2 * size * count)
    step.require(4, bend.lo * bend.hi > 0, "a curve of cycles that bends at mu*", bend, _REMEDY)
    return "after" if bend.lo > 0 else "before"
