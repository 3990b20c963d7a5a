"""Splitting a matrix by the unit circle and solving X - A'X A = G on each part, in FLINT numbers of hundreds of bits.

By eigenvectors where they are well conditioned; else by the sign function (Roberts 1980; Higham, Functions of Matrices, 2008, chapter 5)
and by doubling, which do not mind defective or vanishing eigenvalues. **Guarantee:** heuristic throughout.
"""

from __future__ import annotations

from dataclasses import dataclass

import flint

from verify.numerics.precise import Numbers, identity, largest, log2_above

_SIGN_STEPS = 400
_DOUBLINGS = 400
_SPARE = 64
_SHARE_LOST = 8  # the part of all bits that a change of basis may cost


@dataclass(frozen=True, eq=False)
class Basis:
    """Eigenvalues, eigenvectors as columns, and the inverse of these."""

    values: list[flint.acb]
    vectors: flint.acb_mat
    inverse: flint.acb_mat

    def stein(self, right: Numbers, scale: flint.arb) -> Numbers:
        """Solve X - A'X A = G, A with these eigenvalues divided by ``scale``, for a G without terms across the unit circle."""
        ratios = [value / scale for value in self.values]
        outside = [bool(abs(ratio) > 1) for ratio in ratios]
        turned = (_adjoint(self.vectors) * flint.acb_mat(right) * self.vectors).mid()
        places = [(i, j) for i in range(len(ratios)) for j in range(len(ratios))]
        entries = [turned[i, j] / (1 - ratios[i].conjugate() * ratios[j]) if outside[i] == outside[j] else flint.acb(0) for i, j in places]
        solved = flint.acb_mat(len(ratios), len(ratios), entries).mid()
        return (_adjoint(self.inverse) * solved * self.inverse).real.mid()

    def outside(self, radius: flint.arb) -> Numbers:
        """Return the projector on the space of eigenvalues of modulus > ``radius``, along that of the others."""
        size = len(self.values)
        entries = [
            row for i in range(size) for row in ([self.inverse[i, j] for j in range(size)] if abs(self.values[i]) > radius else [0] * size)
        ]
        return (self.vectors * flint.acb_mat(size, size, entries)).real.mid()


def basis_of(matrix: Numbers, bits: int) -> Basis | None:
    """Return eigenvectors where they are well conditioned, None where the matrix is near a defective one (or has many equal ones)."""
    if matrix.nrows() == 1:
        one = flint.acb_mat(identity(1))
        return Basis([flint.acb(matrix[0, 0])], one, one)
    values, vectors = flint.acb_mat(matrix).eig(right=True, algorithm="approx")
    try:
        inverse = vectors.mid().inv().mid()
    except ZeroDivisionError:
        return None
    if sum(max(largest(part.real), largest(part.imag)) for part in (vectors, inverse)) > bits // _SHARE_LOST:
        return None
    return Basis([value.mid() for value in values], vectors.mid(), inverse)


def _adjoint(matrix: flint.acb_mat) -> flint.acb_mat:
    return matrix.transpose().conjugate()


def outside_projector(matrix: Numbers, bits: int) -> Numbers | None:
    """Return the projector on the space of eigenvalues of modulus > 1 by the sign function of (A - I)(A + I)^-1."""
    one = identity(matrix.nrows())
    try:
        current = ((matrix - one) * (matrix + one).inv()).mid()
        for _ in range(_SIGN_STEPS):
            following = ((current + current.inv()) / 2).mid()
            change = largest(following - current) - largest(following)
            current = following
            if change < -(bits // 2) + _SPARE:
                following = ((current + current.inv()) / 2).mid()
                return ((one + following) / 2).mid()
    except ZeroDivisionError:
        return None
    return None


def factorised(projector: Numbers, many: int) -> tuple[Numbers, Numbers] | None:
    """Return U, L with U L = ``projector`` and L U = I, U with ``many`` columns, by complete pivoting."""
    size = projector.nrows()
    rest = [[projector[i, j] for j in range(size)] for i in range(size)]
    chosen_rows, chosen_columns = list[int](), list[int]()
    for _ in range(many):
        places = [(i, j) for i in range(size) if i not in chosen_rows for j in range(size) if j not in chosen_columns]
        row, column = max(places, key=lambda place: abs(rest[place[0]][place[1]]))
        pivot = rest[row][column]
        if pivot == 0:
            return None
        for i in range(size):
            if i not in chosen_rows and i != row:
                factor = (rest[i][column] / pivot).mid()
                rest[i] = [(a - factor * b).mid() for a, b in zip(rest[i], rest[row], strict=True)]
        chosen_rows.append(row)
        chosen_columns.append(column)
    columns = Numbers(size, many, [projector[i, j] for i in range(size) for j in chosen_columns])
    rows = Numbers(many, size, [projector[i, j] for i in chosen_rows for j in range(size)])
    block = Numbers(many, many, [projector[i, j] for i in chosen_rows for j in chosen_columns])
    try:
        return columns, (block.inv() * rows).mid()
    except ZeroDivisionError:
        return None


def summed(start: Numbers, ratio: Numbers, bits: int) -> Numbers | None:
    """Return the sum over j of (A^j)' G A^j by doubling; None where it does not converge."""
    total, power = start, ratio
    for _ in range(_DOUBLINGS):
        more = (power.transpose() * total * power).mid()
        total = ((total + more + (total + more).transpose()) / 2).mid()
        power = _trimmed((power * power).mid(), bits)
        if largest(more) < -_SPARE and largest(power) < -_SPARE:
            return total
    return None


def _trimmed(matrix: Numbers, bits: int) -> Numbers:
    """Replace by 0 what is far below the precision: FLINT multiplies numbers of very different sizes slowly."""
    entries = [entry if log2_above(entry) > -2 * bits else flint.arb(0) for entry in matrix.entries()]
    return Numbers(matrix.nrows(), matrix.ncols(), entries)
