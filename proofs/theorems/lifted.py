"""The network with its relu outputs set free: affine in the state and in one nonnegative number a hinge.

With a base letter b for each hinge, relu(a) = b a + x, where x = relu(a) for b = 0 and x = relu(-a) for b = 1. So

    F(z) = jacobian z + source x + offset,        a = gates z + coupling x + gate_offsets.

A hinge is *live* if its relu output reaches F; the others are idle: no orbit depends on their letters.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proofs.network import Network, Operation

MAX_PRODUCTS = 2**28


@dataclass(frozen=True)
class Lifted:
    """The affine maps above. **Shapes:** M x M, M x H, M x 1; H x M, H x H, H x 1, H counting all hinges.

    **Guarantee:** exact (enclosures of interval weights).
    """

    jacobian: Matrix
    source: Matrix
    offset: Matrix
    gates: Matrix
    coupling: Matrix
    gate_offsets: Matrix


def lifted(network: Network, base: str) -> Lifted:
    """Return the lifted form around a base letter for each hinge.

    **Raises:** Rejected unless the program is piecewise linear and takes at most 2^28 products in this form.
    """
    if not network.is_piecewise_linear:
        raise Rejected(where="network", law="lifted form", expected="a program of affine, relu and add", got="a smooth operation")
    states, hinges = network.dimension, network.hinges
    width = states + hinges + 1  # columns: the state, one x a hinge, the constant
    require_room(network, width)
    registers = [unit_rows(states, 0, width)]
    gates: list[Matrix] = []
    used = 0
    for operation in network.program:
        arguments = [registers[i] for i in operation.of]
        if operation.name == "relu":
            size = len(arguments[0].mid)
            gates.append(arguments[0])
            kept = arguments[0].masked([letter == "1" for letter in base[used : used + size]])
            registers.append(kept + unit_rows(size, states + used, width))
            used += size
        else:
            registers.append(combined(operation, arguments, width))
    image, gate = registers[-1], Matrix.stacked(gates)
    if not gates:
        gate = Matrix((), None, 1)
    parts = [(rows.columns(0, states), rows.columns(states, hinges), rows.columns(width - 1, 1)) for rows in (image, gate)]
    return Lifted(*parts[0], *parts[1])


def live_hinges(network: Network) -> tuple[int, ...]:
    """Return the hinges whose output reaches F, in program order: nonzero columns of the source, or of the coupling into a live hinge."""
    form = lifted(network, "0" * network.hinges)
    source, coupling = form.source.magnitudes().mid, form.coupling.magnitudes().mid
    live: list[int] = []
    for hinge in reversed(range(network.hinges)):
        rows = [*source, *(coupling[other] for other in live)]
        if any(row[hinge] for row in rows):
            live.append(hinge)
    return tuple(reversed(live))


def full_pattern(live: Sequence[int], letters: str, hinges: int) -> str:
    """Return the pattern over all hinges with these letters at the live ones and 0 at the idle ones."""
    chosen = dict(zip(live, letters, strict=True))
    return "".join(chosen.get(hinge, "0") for hinge in range(hinges))


def live_letters(live: Sequence[int], pattern: str) -> str:
    """Return the letters of a pattern at the live hinges."""
    return "".join(pattern[hinge] for hinge in live)


def chosen_rows(matrix: Matrix, chosen: Sequence[int]) -> Matrix:
    """Return these rows of a matrix."""
    rad = None if matrix.rad is None else tuple(matrix.rad[i] for i in chosen)
    return Matrix(tuple(matrix.mid[i] for i in chosen), rad, matrix.den)


def strict_pattern(network: Network, live: Sequence[int], point: Matrix) -> str | None:
    """Return a pattern of the point, idle hinges as they come; None if a live hinge's pre-activation is not of one strict sign."""
    signs = [sign for gate in network.trace(point)[1] for sign in gate.signs()]
    if any(signs[hinge][0] * signs[hinge][1] <= 0 for hinge in live):
        return None
    return "".join("1" if low > 0 else "0" for low, _ in signs)


def require_room(network: Network, width: int) -> None:
    """Refuse networks whose program takes more than 2^28 products on registers ``width`` wide. **Raises:** Rejected."""
    products = room(network, width)
    if products > MAX_PRODUCTS:
        expected, got = f"a program that takes at most {MAX_PRODUCTS} products in this form", f"{products} products"
        raise Rejected(where="network", law="lifted form", expected=expected, got=got, remedy="a smaller network")


def room(network: Network, width: int) -> int:
    """Return how many products a program takes on registers ``width`` wide."""
    sizes, products = [network.dimension], 0
    for operation in network.program:
        size = sizes[operation.of[0]] if operation.bias is None else len(operation.bias.mid)
        products += size * width * (1 if operation.bias is None else sum(sizes[i] for i in operation.of))
        sizes.append(size)
    return products


def unit_rows(size: int, start: int, width: int) -> Matrix:
    """Return the registers that are the variables from ``start`` on."""
    return Matrix(tuple(tuple(int(column == start + row) for column in range(width)) for row in range(size)), None, 1)


def combined(operation: Operation, arguments: list[Matrix], width: int) -> Matrix:
    """Return what an affine or add operation makes of registers that are affine in the variables, the constant in the last column."""
    if operation.bias is None:
        return arguments[0] + arguments[1]
    zeros, size = (Fraction(0),) * (width - 1), len(operation.bias.mid)
    middles = [(*zeros, operation.bias.middle(row)) for row in range(size)]
    constant = Matrix.balls(middles, [(*zeros, operation.bias.radius(row)) for row in range(size)])
    for matrix, argument in zip(operation.matrices, arguments, strict=True):
        constant = constant + matrix @ argument
    return constant
