"""E2 ``to_infinity``. A multiplier passes through 1 and the cycle goes to infinity (degenerate transcritical bifurcation).

Statement   For exactly one mu* in (low, high) the Jacobian product P of itinerary w has the multiplier 1; in this range the cycle with
            itinerary w exists on the stated side of mu* only, and |z| -> infinity as mu -> mu*; side "never": for no mu of the range.
Cites       a path step.
Witness     low, high; itinerary w; left b, right c (M numbers each); inverse C, (M+1) x (M+1); bits.
Checks      1  low < high within the path; w not a power of a shorter word; the network has a hinge
            2  |I - C K| < 1 on [low, high], K = [[I - P, b], [c', 0]]; let K (v; g) = (0; 1) and K (y; s) = (q; 0), q the affine part
            3  g has strictly opposite signs at low and at high, its derivative by mu is not 0 on [low, high]
            4  s is not 0 on [low, high]
            5  for every pre-activation G z + d, v_t and y_t carried along w from v and y (y with the affine parts, v without):
               |s| |G v_t| > max |g| |G y_t + d|; or G v_t = 0 and G y_t + d has strictly the sign that w names
            6  at least one is of the first kind; if on one side of mu* the signs of all these are those that w names, the cycle exists
               there, else it is virtual on both sides
Fails when  the solution stays bounded (s = 0: a segment or nothing); another event lies in the range.
Rests on    g = det(I - P) / det K, so det(I - P) = 0 at mu* only; for g != 0 the one solution is z_t = y_t - (s / g) v_t; c'v = 1, so
            v != 0; by 5 each pre-activation has the sign of -(s / g) G v_t (or does not feel it), and g changes its sign at mu* only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval, Matrix
from proofs.parameters import Line, ToInfinity
from proofs.theorems.family import gate_blocks, read_range
from proofs.theorems.following import Round, bordered, once_around, read_word, rows_of, sign, solved

if TYPE_CHECKING:
    from fractions import Fraction

    from proofs.theorems.card import Application

_ONE = Matrix(((1,),), None, 1)


@dataclass(frozen=True)
class Escape:
    """What was proved on the way: the range, and (v; g), (y; s) with their derivatives by mu on all of it."""

    line: Line
    ends: tuple[Fraction, Fraction]
    word: tuple[str, ...]
    side: str
    direction: Matrix
    direction_speed: Matrix
    rest: Matrix
    rest_speed: Matrix


def check(step: Application) -> ToInfinity:
    """Verify one application; see the card above."""
    found = escape(step)
    return ToInfinity(found.line.end.digest, found.line.at, *found.ends, found.word, found.side)


def escape(step: Application) -> Escape:
    """Carry out the checks of the card."""
    line, bits, size = step.cite(Line), step.needed_bits(), step.network.dimension
    ends, word = read_range(step, line, 1), read_word(step, 1)
    step.require(1, step.network.hinges > 0, "a network with hinges", "none")
    left, right = (step.witness.column(name, size) for name in ("left", "right"))
    inverse = step.witness.matrix("inverse", (size + 1, size + 1))
    unit, zero = Matrix.stacked([Matrix(((0,),) * size, None, 1), _ONE]), Matrix(((0,),), None, 1)

    def system(around: Round) -> Matrix:
        return bordered(Matrix.identity(size) - around.product, left, right)

    signs = []
    for end in ends:
        around = once_around(step, line, word, (end, end), bits)
        signs.append(sign(solved(step, 2, system(around), inverse, unit, bits).interval(size)))
    step.require(3, signs[0] * signs[1] < 0, "g of strictly opposite signs at low and high", signs, "a longer range, or more bits")
    around = once_around(step, line, word, ends, bits)
    matrix = system(around)
    direction = solved(step, 2, matrix, inverse, unit, bits)
    direction_speed = solved(step, 2, matrix, inverse, Matrix.stacked([around.slope @ rows_of(direction, 0, size), zero]), bits)
    step.require(
        3, sign(direction_speed.interval(size)) != 0, "dg/dmu not 0 on the range", direction_speed.interval(size), "a shorter range"
    )
    rest = solved(step, 2, matrix, inverse, Matrix.stacked([around.offset, zero]), bits)
    pull = rest.interval(size)
    step.require(4, sign(pull) != 0, "s not 0 on the range", pull, "the cycle may stay bounded: this is no escape to infinity")
    rest_speed = solved(step, 2, matrix, inverse, Matrix.stacked([around.drift + around.slope @ rows_of(rest, 0, size), zero]), bits)
    agreeing = _agreeing(step, around, word, direction, rest, bits)
    return Escape(line, ends, word, _side(step, agreeing, sign(pull), signs), direction, direction_speed, rest, rest_speed)


def _agreeing(step: Application, around: Round, word: tuple[str, ...], direction: Matrix, rest: Matrix, bits: int) -> set[bool]:
    """Return whether the letters agree with the signs of G v_t (all, none, or mixed), after check 5."""
    size = step.network.dimension
    pull, largest = rest.interval(size), direction.interval(size).magnitude
    least = min(abs(pull.lo), abs(pull.hi))
    far, near = ([Matrix(((0,),) * size, None, 1), rows_of(x, 0, size)] for x in (direction, rest))
    homogeneous, point = Matrix.stacked(far), Matrix.stacked(near)
    agreeing: set[bool] = set()
    for time, (letters, piece) in enumerate(zip(word, around.pieces, strict=True), 1):
        slopes, values = _live_gates(step, piece.gates @ homogeneous), _live_gates(step, piece.gates @ point + piece.gate_offsets)
        for unit, (letter, slope, value) in enumerate(zip(letters, slopes, values, strict=True), 1):
            if slope.lo == slope.hi == 0:
                law = f"pre-activation of unit {unit} at time {time}, which stays bounded, of the sign of its letter"
                step.require(5, sign(value) == (1 if letter == "1" else -1), law, value, "a shorter range")
                continue
            margin = least * (min(abs(slope.lo), abs(slope.hi)) if sign(slope) else 0)
            law = f"the pull on unit {unit} at time {time} larger than what it has to overcome"
            step.require(5, margin > largest * value.magnitude, law, (margin, largest * value.magnitude), "a shorter range")
            agreeing.add((sign(slope) > 0) == (letter == "1"))
        homogeneous, point = piece.jacobian @ homogeneous, piece.image(point).rounded(bits)
        step.require_short_entries(5, homogeneous)
    return agreeing


def _live_gates(step: Application, column: Matrix) -> list[Interval]:
    from_blocks = []
    for first, last in gate_blocks(step.network):
        from_blocks += [column.interval(first + last + i) for i in range(last - first)]
    return from_blocks


def _side(step: Application, agreeing: set[bool], pull: int, signs: list[int]) -> str:
    """Say on which side -(s / g) G v_t has the signs of the letters; where they are mixed it never has."""
    step.require(6, bool(agreeing), "a pre-activation that feels the escape", "none")
    if len(agreeing) > 1:
        return "never"
    wanted = -pull if True in agreeing else pull
    return "after" if signs[1] == wanted else "before"
