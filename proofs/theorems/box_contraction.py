"""D9 ``box_contraction``. Contraction on a box, for all inputs in stated ranges; gated networks included.

Statement   for every sequence of the stated inputs every orbit that starts in the box stays in it, and all its conditional Lyapunov
            exponents are <= log c, whichever side is taken on borders; c < 1: two such orbits with the same inputs approach each other by
            the factor c a step in one norm. Without inputs, c < 1: F has exactly one fixed point in the box, which attracts all of it.
Witness     low, high: the box; symbols (as in driven_graph; [{}]: no inputs); rate c; weights d (M rationals), or form Q and
            multipliers, for each symbol a list of one a signal: in program order, of a product those of its first register's difference,
            then those of its second's, of a blend those of v - u, then those of q (its products have none); at most 512 states and
            signals; bits.
Checks      1  low <= high; c > 0; the symbols fit; all d_i > 0; Q symmetric and positive definite; all multipliers >= 0
            2  with each symbol the enclosure of F over the box lies in the box; a register (1 - q) u + q v of which nothing else reads the
               products is enclosed as affine in q
            3  weights: N d <= c d with each symbol, N the entrywise bound of |J| over the box, all its secant matrices included
            4  form: with each symbol c^2 d'Qd - (Fx - Fy)'Q(Fx - Fy) - sum L_j (s_j - low_j a_j)(high_j a_j - s_j) is positive definite
               in (d, s), d = x - y, slopes s_j / a_j of units and factors of products in [low_j, high_j], which the kernel gets from the
               box with bits (a range that is one number there is put in and is no signal; a relu that may be at its border has [0, 1])
Fails when  the network expands in every norm of the form tried, or the box does not bound its slopes enough.
Rests on    the mean value theorem entry by entry and u v - u'v' = v (u - u') + u'(v - v'); Banach.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.errors import Malformed
from proofs.exponents import BoxContraction
from proofs.grammar import read_number
from proofs.inertia import is_positive_definite
from proofs.reader import read_list
from proofs.theorems.blends import registers
from proofs.theorems.box_sectors import box_sectors
from proofs.theorems.boxes import enclosing, read_sides
from proofs.theorems.sectors import MAX_SIZE
from proofs.theorems.symbols import read_symbols

if TYPE_CHECKING:
    from fractions import Fraction

    from proofs.network import Network
    from proofs.theorems.boxes import Sides
    from proofs.theorems.card import Application


def check(step: Application) -> BoxContraction:
    """Verify one application; see the card above."""
    bits, sides = step.needed_bits(), read_sides(step)
    symbols, networks = read_symbols(step)
    rate = step.witness.number("rate")
    step.require(1, rate > 0, "a positive rate", rate)
    box = enclosing(sides)
    step.require_work(2, 16 * step.network.products * len(networks), max(bits, box.longest))
    for number, network in enumerate(networks, 1):
        _require_inside(step, number, registers(network, box, bits)[-1], sides)
    if step.witness.has("form"):
        _quadratic(step, networks, box, rate, bits)
    else:
        _weighted(step, networks, box, rate, bits)
    return BoxContraction(symbols, tuple(low for low, _ in sides), tuple(high for _, high in sides), rate)


def _require_inside(step: Application, number: int, image: Matrix, sides: Sides) -> None:
    for i, ((low, high), span) in enumerate(zip(sides, image.entries(), strict=True), 1):
        inside = low <= span.lo and span.hi <= high
        step.require(2, inside, f"coordinate {i} of F inside the box with symbol {number}", (span.lo, "to", span.hi), "a larger box")


def _weighted(step: Application, networks: tuple[Network, ...], box: Matrix, rate: Fraction, bits: int) -> None:
    size, weights = step.network.dimension, step.witness.numbers("weights")
    step.require(1, len(weights) == size and all(d > 0 for d in weights), f"{size} positive weights", weights)
    step.require_short_column(1, (*weights, rate))
    column = Matrix.column(weights)
    for number, network in enumerate(networks, 1):
        totals = network.jacobian(box, bits).magnitudes() @ column
        for i, weight in enumerate(weights):
            total = totals.middle(i)
            step.require(3, total <= rate * weight, f"(N d)_{i + 1} <= c d_{i + 1} with symbol {number}", (total, rate * weight))


def _quadratic(step: Application, networks: tuple[Network, ...], box: Matrix, rate: Fraction, bits: int) -> None:
    size = step.network.dimension
    step.require(1, size <= MAX_SIZE, f"at most {MAX_SIZE} states", size)
    form = step.witness.matrix("form", (size, size))
    step.require_short_entries(1, form)
    step.require_work(1, size**3, bits + form.longest)
    step.require(1, form.is_exact and form.mid == form.transposed().mid, "a symmetric form without radii", "another matrix")
    step.require(1, is_positive_definite(form, bits), "Q positive definite", "not proved")
    where = f"{step.witness.where}, field multipliers"
    lists = [tuple(read_number(entry, where) for entry in read_list(part, where)) for part in step.witness.items("multipliers")]
    if len(lists) != len(networks):
        raise Malformed(where=where, law="inputs", expected=f"{len(networks)} lists, one a symbol", got=str(len(lists)))
    for network, multipliers in zip(networks, lists, strict=True):
        sector = box_sectors(step, 4, network, box, bits, len(networks))
        signed = len(multipliers) == len(sector.ranges) and all(weight >= 0 for weight in multipliers)
        step.require(1, signed, f"{len(sector.ranges)} multipliers >= 0", len(multipliers))
        step.require_short_column(1, (*multipliers, rate))
        gap = sector.gap(form, rate, multipliers)
        step.require(
            4, is_positive_definite(gap, bits), "the quadratic form positive definite", "not proved", "a larger rate or more slack"
        )
