"""A4 ``cyclic_system``. The points of period k as a linear complementarity problem in the live hinges, the state eliminated.

Statement   the points of F^k(z) = z are, one to one, the solutions of y = M x + q, x >= 0, y >= 0, x_i y_i = 0, with M and q enclosed.
Witness     period k; base: a letter for each live hinge; inverse: C, M x M; optional bits: working precision (exact without it).
Checks      1  exact weights, piecewise linear; k times the live hinges at most 1,024
            2  e = |I - C (I - J^k)| < 1, J the Jacobian at the base letters (e = 0 without bits). So the inverse N of I - J^k exists and
               each of its entries is within e / (1 - e) max |C| of C's
            3  with relu(a) = base a + x: z_t is the sum of J^s N (B x_(t-1-s) + c) over s = 0..k-1 (times modulo k), and
               a_t = G z_t + E x_t + g, all enclosed by interval arithmetic; M = I -+ R and q = -+ r from a = R x + r (base 0: -, 1: +)
Fails when  J has an eigenvalue that is a k-th root of unity (choose another base); too few bits.
Rests on    Banach's lemma on inverses.
"""

from __future__ import annotations

from fractions import Fraction

from proofs.arithmetic import Matrix
from proofs.theorems.card import MAX_PERIOD, Application
from proofs.theorems.lifted import Lifted, full_pattern, lifted, live_hinges
from proofs.theorems.parts import CyclicSystem

MAX_UNKNOWNS = 1024
MAX_SYSTEM_BITS = 2**28


def check(step: Application) -> CyclicSystem:
    """Verify one application; see the card above."""
    step.require_exact(1)
    network = step.network
    step.require(1, network.is_piecewise_linear, "a program of affine, relu and add", "a smooth operation")
    live = live_hinges(network)
    period = step.witness.integer("period", 1, MAX_PERIOD)
    step.require(1, 1 <= period * len(live) <= MAX_UNKNOWNS, f"1 to {MAX_UNKNOWNS} unknowns, period times live hinges", period * len(live))
    base = step.witness.text("base")
    step.require(1, len(base) == len(live) and set(base) <= {"0", "1"}, f"{len(live)} letters 0 or 1, one a live hinge", base)
    form = lifted(network, full_pattern(live, base, network.hinges))
    bits = step.bits()
    inverse = _inverse(step, form.jacobian, period, bits)
    blocks, constant = responses(form, live, inverse, period, bits)
    entries = (period * len(live)) ** 2 * max(part.den for part in (*blocks, constant)).bit_length()
    step.require(1, entries <= MAX_SYSTEM_BITS, f"a matrix M of at most {MAX_SYSTEM_BITS} bits", entries, "fewer bits")
    return _assembled(period, base, blocks, constant)


def responses(form: Lifted, live: tuple[int, ...], inverse: Matrix, period: int, bits: int | None) -> tuple[list[Matrix], Matrix]:
    """Return R_0..R_(k-1) and r of a_t = R_0 x_(t-1) + .. + R_(k-1) x_(t-k) + r over the live hinges, E within R_(k-1).

    **Shapes:** H x H each, H x 1. **Guarantee:** enclosure if ``inverse`` encloses that of I - J^k; exact if it is exact and bits None.
    """
    width = len(live)
    source = Matrix.stacked([_columns(form.source, live), form.offset.transposed()]).transposed()
    gates = _rows(form.gates, live)
    wave = (inverse @ source).rounded(bits)
    blocks: list[Matrix] = []
    constant = _rows(form.gate_offsets, live)
    for time in range(period):
        if time:
            wave = (form.jacobian @ wave).rounded(bits)
        seen = (gates @ wave).rounded(bits)
        blocks.append(seen.columns(0, width))
        constant = constant + seen.columns(width, 1)
    blocks[-1] = blocks[-1] + _rows(_columns(form.coupling, live).transposed(), live)
    return blocks, constant


def _inverse(step: Application, jacobian: Matrix, period: int, bits: int | None) -> Matrix:
    size = step.network.dimension
    inverse = step.witness.matrix("inverse", (size, size))
    step.require(2, inverse.is_exact, "an inverse without radius", "intervals")
    power = jacobian
    for _ in range(period - 1):
        power = (jacobian @ power).rounded(bits)
        step.require_short_entries(2, power)
    identity = Matrix.identity(size)
    error = (identity - inverse @ (identity - power)).norm()
    step.require(
        2, error < 1 if bits is not None else error == 0, "|I - C (I - J^k)| < 1 (0 without bits)", error, "another base, or more bits"
    )
    if error == 0:
        return inverse
    largest = max(max(map(abs, row)) for row in inverse.mid)
    return inverse.widened(error / (1 - error) * Fraction(largest, inverse.den))


def _assembled(period: int, base: str, blocks: list[Matrix], constant: Matrix) -> CyclicSystem:
    """Put all entries over one denominator with one radius, and lay the blocks out in a circle."""
    width = len(base)
    table = (
        Matrix.stacked([*(block.transposed() for block in blocks), constant.transposed()]).transposed() if width else Matrix((), None, 1)
    )
    radius = max((value for row in table.rad or () for value in row), default=0)
    signs = [1 if letter == "1" else -1 for letter in base]
    rows: list[tuple[int, ...]] = []
    for time in range(period):
        turned = [(time - 1 - other) % period * width for other in range(period)]
        for unit, sign in enumerate(signs):
            entries = [sign * value for start in turned for value in table.mid[unit][start : start + width]]
            entries[time * width + unit] += table.den
            rows.append(tuple(entries))
    constants = tuple(sign * table.mid[unit][-1] for _ in range(period) for unit, sign in enumerate(signs))
    return CyclicSystem(period, base, tuple(rows), constants, radius, table.den)


def _rows(matrix: Matrix, chosen: tuple[int, ...]) -> Matrix:
    return Matrix(tuple(matrix.mid[i] for i in chosen), None, matrix.den)


def _columns(matrix: Matrix, chosen: tuple[int, ...]) -> Matrix:
    """Return the chosen columns as rows."""
    return _rows(matrix.transposed(), chosen)
