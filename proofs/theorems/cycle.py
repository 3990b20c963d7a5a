"""A2 ``cycle``. A cycle enclosed by balls around approximate points.

Statement   Piecewise linear: exactly one z in R^M has F^k(z) = z along this itinerary; its least period is k, its orbit within r
            of the points. (Other orbits may follow the itinerary without closing: all that an attracting cycle draws in do.)
            Smooth: exactly one cycle passes through the balls of radius r around the points, in order; its least period is k.
Witness     points z_1..z_k (dyadic, approximate), radius r; piecewise linear: itinerary w_1..w_k;
            inverse: C, M x M (an approximate inverse of I - J_k..J_1), or inverse_block: C, kM x kM, for the whole cycle at once
            (always for smooth maps); optional bits: working precision.
Checks      1  the itinerary names a pattern for each point; the piecewise-linear form is asked of a piecewise-linear program only
            2  e = |I - C (I - J_k..J_1)| < 1        (block form: e = |I - C B|, row block t + 1 of B z is z_(t+1) - J_t z_t)
            3  delta_1 = |C (F^k(z_1) - z_1)| / (1 - e) and delta_(t+1) = |J_t| delta_t + |F(z_t) - z_(t+1)|, F along the itinerary, are
               all <= r                              (block form: delta = |C R| / (1 - e) <= r, row block t + 1 of R is F(z_t) - z_(t+1))
               smooth: |C R| + e r < r with J_t over the ball: Krawczyk's K(X) lies inside the interior of X
            4  every pre-activation strictly has the sign that w_t names on the whole ball (z_t, delta_t)
            5  balls 1 and 1 + k/p are disjoint for every prime p dividing k
Fails when  the precision is too low for the expansion along the cycle; a multiplier is 1; the orbit touches a border (use A1).
Rests on    Banach's fixed point theorem; Krawczyk 1969.
"""

from __future__ import annotations

from fractions import Fraction

from proofs.arithmetic import Matrix
from proofs.claims import BallCycle, Cycle
from proofs.grammar import shown
from proofs.network import Piece
from proofs.theorems.card import Application
from proofs.theorems.orbits import ball, pieces_along, require_least_period

_REMEDY = "points closer to the cycle, a better inverse or more bits; an orbit that touches a border goes through A1"


def check(step: Application) -> Cycle | BallCycle:
    """Verify one application; see the card above."""
    points = step.witness.table("points")
    size = step.network.dimension
    fits = len(points) > 0 and all(len(point) == size for point in points)
    step.require(1, fits, f"one or more points of {size} coordinates", len(points))
    radius = step.witness.number("radius")
    step.require(1, radius > 0, "a positive radius", radius)
    bits = step.bits()
    if not step.witness.has("itinerary"):
        return _smooth(step, points, radius, bits)
    itinerary = step.witness.texts("itinerary")
    step.require(1, len(itinerary) == len(points), f"{len(points)} patterns", len(itinerary))
    step.require(1, step.network.is_piecewise_linear, "a program of affine, relu and add", "a smooth operation")
    hinges = step.network.hinges
    spelled = all(len(pattern) == hinges and set(pattern) <= {"0", "1"} for pattern in itinerary)
    step.require(1, spelled, f"patterns of {hinges} letters 0 or 1", itinerary)
    pieces = pieces_along(step.network, itinerary)
    states = [Matrix.column(point) for point in points]
    residuals = [piece.image(here) - there for piece, here, there in zip(pieces, states, [*states[1:], states[0]], strict=True)]
    if step.witness.has("inverse_block"):
        spread, error = _block(step, [piece.jacobian for piece in pieces], residuals, bits)
        step.require(2, error < 1, "|I - C B| < 1", error, _REMEDY)
        deltas = [spread / (1 - error)] * len(points)
    else:
        deltas = _recursion(step, pieces, states, residuals, bits)
    step.require(3, max(deltas) <= radius, lambda: f"every error bound <= {shown(radius)}", max(deltas), _REMEDY)
    _require_signs(step, itinerary, pieces, states, deltas)
    require_least_period(step, 5, points, deltas)
    return Cycle(itinerary, points, radius)


def _recursion(step: Application, pieces: list[Piece], states: list[Matrix], residuals: list[Matrix], bits: int | None) -> list[Fraction]:
    size = step.network.dimension
    inverse = step.witness.matrix("inverse", (size, size))
    product, end = Matrix.identity(size), states[0]
    for piece in pieces:
        product = (piece.jacobian @ product).rounded(bits)
        step.require_short_entries(2, product)
        end = piece.image(end).rounded(bits)
    error = (Matrix.identity(size) - inverse @ (Matrix.identity(size) - product)).norm()
    step.require(2, error < 1, "|I - C (I - P)| < 1", error, _REMEDY)
    deltas = [(inverse @ (end - states[0])).norm() / (1 - error)]
    for piece, residual in zip(pieces[:-1], residuals[:-1], strict=True):
        deltas.append(piece.jacobian.norm() * deltas[-1] + residual.norm())
    return deltas


def _smooth(step: Application, points: tuple[tuple[Fraction, ...], ...], radius: Fraction, bits: int | None) -> BallCycle:
    states = [Matrix.column(point) for point in points]
    jacobians = [step.network.jacobian(ball(point, radius), bits) for point in points]
    residuals = [step.network.image(here, bits) - there for here, there in zip(states, [*states[1:], states[0]], strict=True)]
    spread, error = _block(step, jacobians, residuals, bits)
    step.require(2, error < 1, "|I - C B| < 1", error, _REMEDY)
    step.require(3, spread + error * radius < radius, lambda: f"|C residual| + e r < r = {shown(radius)}", spread + error * radius, _REMEDY)
    require_least_period(step, 5, points, [radius] * len(points))
    return BallCycle(points, radius)


def _block(step: Application, jacobians: list[Matrix], residuals: list[Matrix], bits: int | None) -> tuple[Fraction, Fraction]:
    """Return |C residual| and |I - C B|; row block t + 1 of B z is z_(t+1) - J_t z_t, so columns t of C B are C_t - C_(t+1) J_t."""
    size, length = step.network.dimension, len(jacobians)
    inverse = step.witness.matrix("inverse_block", (size * length, size * length))
    parts = [inverse.columns(t * size, size) for t in range(length)]
    after = [*parts[1:], parts[0]]
    columns = [here - (there @ jacobian).rounded(bits) for here, there, jacobian in zip(parts, after, jacobians, strict=True)]
    error = _norm([_unit_column(size, length, t) - column for t, column in enumerate(columns)])
    total = after[0] @ residuals[0]
    for part, residual in zip(after[1:], residuals[1:], strict=True):
        total = total + part @ residual
    return total.norm(), error


def _norm(parts: list[Matrix]) -> Fraction:
    """Return the norm of the matrix whose column blocks these are: the blocks turned on their sides and put below each other."""
    return Matrix.stacked([part.transposed() for part in parts]).transposed().norm()


def _unit_column(size: int, length: int, block: int) -> Matrix:
    return Matrix(tuple(tuple(int(i == block * size + j) for j in range(size)) for i in range(size * length)), None, 1)


def _require_signs(
    step: Application, itinerary: tuple[str, ...], pieces: list[Piece], states: list[Matrix], deltas: list[Fraction]
) -> None:
    for time, (pattern, piece, state, delta) in enumerate(zip(itinerary, pieces, states, deltas, strict=True), 1):
        for unit, (letter, (low, high)) in enumerate(zip(pattern, piece.gate_signs(state.widened(delta)), strict=True), 1):
            holds = low > 0 if letter == "1" else high < 0
            law = f"pre-activation of unit {unit} at time {time} {'>' if letter == '1' else '<'} 0 on the whole enclosure"
            step.require(4, holds, law, "an interval that reaches 0 or beyond", _REMEDY)
