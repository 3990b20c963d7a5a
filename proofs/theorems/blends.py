"""Blends: registers that are (1 - q) u + q v entry by entry, as a gated network mixes a candidate with its last state.

Plain interval arithmetic forgets that both shares are of one q and loses that a blend lies between what it blends. A blend is affine in q:
over ranges it lies in the hull of its ranges at the two ends of q; and of its differences it holds that

    w - w' = (u - u') + q ((v - v') - (u - u')) + (v' - u')(q - q').
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval, Matrix
from proofs.network import outputs

if TYPE_CHECKING:
    from fractions import Fraction

    from proofs.network import Network, Operation


@dataclass(frozen=True)
class Blend:
    """The register ``sum`` is (1 - q) u + q v, and nothing else reads its two ``products``; register 0 is the state."""

    sum: int
    products: tuple[int, int]
    q: int
    u: int
    v: int

    def over(self, values: list[Matrix]) -> Matrix:
        """Return an enclosure of the blend over given ranges of all registers. **Shapes:** columns."""
        triples = zip(*(values[i].entries() for i in (self.q, self.u, self.v)), strict=True)
        return Matrix.intervals(_hull(_mixed(q.lo, u, v), _mixed(q.hi, u, v)) for q, u, v in triples)


def blends(network: Network) -> dict[int, Blend]:
    """Return the blends of a network by their registers. **Guarantee:** exact: what is returned is a blend, however it is spelled."""
    found = {}
    for number, operation in enumerate(network.program, 1):
        if operation.name == "add" and len(set(operation.of)) == len(operation.of):
            one, two = operation.of
            alone = all(sum(i in other.of for other in network.program) == 1 for i in (one, two))
            named = _named(network, one, two) or _named(network, two, one) if alone else None
            if named is not None:
                found[number] = Blend(number, (one, two), *named)
    return found


def registers(network: Network, box: Matrix, bits: int) -> list[Matrix]:
    """Return what every register holds over a box, as ``Network.registers`` does, blends in their own form. **Guarantee:** enclosure."""
    apply, mixed, values = outputs(bits), blends(network), [box]
    for number, operation in enumerate(network.program, 1):
        blend = mixed.get(number)
        values.append(apply(operation, [values[i] for i in operation.of]) if blend is None else blend.over(values).rounded(bits))
    return values


def _named(network: Network, rest: int, share: int) -> tuple[int, int, int] | None:
    """Return q, u, v where the first register is the product of 1 - q and u, and the second of q and v, either way round."""
    left, right = (_factors(network, i) for i in (rest, share))
    for (p, u), (q, v) in product(left, right):
        if p > 0 and _is_rest(network.program[p - 1], q):
            return q, u, v
    return None


def _factors(network: Network, register: int) -> list[tuple[int, int]]:
    if register == 0 or network.program[register - 1].name != "mul":
        return []
    one, two = network.program[register - 1].of
    return [(one, two), (two, one)]


def _is_rest(operation: Operation, register: int) -> bool:
    """Say whether an operation is 1 - the register, entry by entry."""
    if operation.bias is None or operation.of != (register,):
        return False
    bias, (matrix,) = operation.bias, operation.matrices
    size = len(bias.mid)
    ones = bias.is_exact and all(row == (bias.den,) for row in bias.mid)
    turned = all(value == (-matrix.den if i == j else 0) for i, row in enumerate(matrix.mid) for j, value in enumerate(row))
    return ones and turned and matrix.is_exact and matrix.shape == (size, size)


def _mixed(q: Fraction, u: Interval, v: Interval) -> Interval:
    one, two = ([share * end for end in (x.lo, x.hi)] for share, x in ((1 - q, u), (q, v)))
    return Interval(min(one) + min(two), max(one) + max(two))


def _hull(one: Interval, two: Interval) -> Interval:
    return Interval(min(one.lo, two.lo), max(one.hi, two.hi))
