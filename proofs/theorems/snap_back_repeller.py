"""B6 ``snap_back_repeller`` (exact). A fixed point that repels all around, and an orbit that comes back to it.

Statement   there is n such that F has points of every least period p >= n; F has an uncountable scrambled set.
Witness     point z; form, a symmetric Q; level rho; start x; steps m; bits: working precision of the pivots.
Checks      1  exact weights, piecewise linear; F(z) = z, and no live pre-activation is 0 at z; J is the Jacobian there
            2  Q > 0 and J'QJ - Q > 0: F expands the Q-norm near z
            3  rho > 0, and (w.z + b)^2 > rho w'Q^-1 w for each live pre-activation w.z + b near z: the ellipsoid B of all y with
               (y - z)'Q(y - z) <= rho lies strictly inside the region of z
            4  x != z, x in B, F^m(x) = z exactly
            5  at x, F(x), .., F^(m-1)(x) no live pre-activation is 0, and the Jacobians there are nonsingular
Fails when  a multiplier of z is not outside the unit circle; the homoclinic orbit touches a border or is degenerate.
Rests on    Marotto 1978, 2005; F being piecewise smooth only: Gardini, Tramontana 2010 (Regul. Chaotic Dyn. 15, 237-245).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.inertia import is_positive_definite
from proofs.space import SnapBackRepeller
from proofs.theorems.card import MAX_PERIOD
from proofs.theorems.elimination import is_singular_modulo
from proofs.theorems.lifted import chosen_rows, live_hinges, strict_pattern

if TYPE_CHECKING:
    from proofs.theorems.card import Application

MAX_STATES = 128
ASSUMED_BITS = 1024


def check(step: Application) -> SnapBackRepeller:
    """Verify one application; see the card above."""
    step.require_exact(1)
    network, size = step.network, step.network.dimension
    step.require(1, network.is_piecewise_linear, "a program of affine, relu and add", "a smooth operation")
    step.require(1, size <= MAX_STATES, f"at most {MAX_STATES} states", size)
    bits = step.needed_bits()
    point, start = step.witness.numbers("point"), step.witness.numbers("start")
    step.require(1, len(point) == size == len(start), f"points of {size} coordinates", (len(point), len(start)))
    here = Matrix.column(point)
    step.require_short_column(1, (*point, *start))
    live = live_hinges(network)
    step.require_work(2, size**3 * (len(live) + 2), bits)
    pattern = strict_pattern(network, live, here)
    step.require(1, pattern is not None, "no pre-activation 0 at the fixed point", "a border")
    piece = network.piece(pattern or "")
    step.require(1, _same(piece.image(here), here), "F(z) = z", "another point")
    form = step.witness.matrix("form", (size, size))
    step.require(2, form.is_exact and form.mid == form.transposed().mid, "a symmetric form without radii", "another matrix")
    step.require(2, is_positive_definite(form, bits), "Q positive definite", "not proved")
    expansion = piece.jacobian.transposed() @ form @ piece.jacobian - form
    step.require(
        2, is_positive_definite(expansion, bits), "J'QJ - Q positive definite", "not proved", "a multiplier is too close to 1, or inside"
    )
    level = step.witness.number("level")
    step.require(3, level > 0, "a positive level", level)
    if live:
        gates = chosen_rows(piece.gates, live)
        _require_inside(step, (gates, gates @ here + chosen_rows(piece.gate_offsets, live)), form, level, bits)
    away = Matrix.column(start) - here
    inside = (away.transposed() @ form @ away).middle(0) <= level
    step.require(4, inside and any(row[0] for row in away.mid), "a start in the ellipsoid, other than z", "another point")
    steps = step.witness.integer("steps", 1, MAX_PERIOD)
    step.require_work(5, steps * (network.products + size**3), ASSUMED_BITS)
    _require_return(step, live, Matrix.column(start), steps, here)
    return SnapBackRepeller(point, steps)


def _require_inside(step: Application, gates: tuple[Matrix, Matrix], form: Matrix, level: Fraction, bits: int) -> None:
    """(w.z + b)^2 / rho > w'Q^-1 w says that Q bordered by w and (w.z + b)^2 / rho is positive definite."""
    size = len(form.mid)
    for unit, row in enumerate(gates[0].mid):
        if any(row):
            gate = [gates[0].middle(unit, i) for i in range(size)]
            rows = [[form.middle(i, j) for j in range(size)] + [gate[i]] for i in range(size)]
            bordered = Matrix.exact([*rows, [*gate, gates[1].middle(unit) ** 2 / level]])
            law = f"pre-activation of live hinge {unit + 1} of one strict sign on the ellipsoid"
            step.require(3, is_positive_definite(bordered, bits), law, "not proved", "a smaller level")


def _require_return(step: Application, live: tuple[int, ...], state: Matrix, steps: int, end: Matrix) -> None:
    for time in range(steps):
        pattern = strict_pattern(step.network, live, state)
        step.require(5, pattern is not None, f"no pre-activation 0 at time {time}", "a border")
        piece = step.network.piece(pattern or "")
        singular = is_singular_modulo(piece.jacobian.mid)
        step.require(5, not singular, f"a nonsingular Jacobian at time {time}", "a singular one, at least modulo 2^61 - 1")
        state = piece.image(state)
        step.require_short_entries(4, state)
    step.require(4, _same(state, end), f"F^{steps}(x) = z exactly", "another point")


def _same(one: Matrix, two: Matrix) -> bool:
    return not any(row[0] for row in (one - two).mid)
