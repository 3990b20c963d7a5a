"""The program that carries a tangent vector and the parameter along a straight line of smooth networks.

Its state is (v, z, mu), its map (v, z, mu) -> (D F_mu(z) v, F_mu(z), mu), so ``Network.jacobian`` of it encloses the second derivatives
of F_mu and those by mu. Each register y of the network becomes two, y and its derivative along v:

    affine       (W + (mu - m0) W') y + b + (mu - m0) b'  and  (W + (mu - m0) W') v,  the moving part by ``mul`` with mu - m0
    tanh         y = tanh a  and  (1 - y y) v        sigmoid   y = s(a)  and  (y - y y) v
    mul          a c  and  v_a c + a v_c             add       a + c     and  v_a + v_c
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.errors import Rejected
from proofs.network import MAX_OPERATIONS, Network, Operation
from proofs.theorems.family import speed_of
from proofs.theorems.lifted import unit_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proofs.parameters import Line

SMOOTH = {"affine", "tanh", "sigmoid", "mul", "add"}


def tangent_network(network: Network, line: Line) -> Network:
    """Return the program of (v, z, mu) for the line of networks from ``network``, none with a relu, 2 M + 1 states.

    **Guarantee:** exact (weights with radii: each choice of both ends lies inside). **Raises:** Rejected for relu or a program too long.
    """
    names = {operation.name for operation in network.program}
    if not names <= SMOOTH:
        raise _refused("a program of affine, tanh, sigmoid, mul and add", f"an operation {', '.join(sorted(names - SMOOTH))}")
    writer = _Writer(network.dimension, line)
    for one, two in zip(network.program, line.end.program, strict=True):
        writer.carry(one, two)
    writer.close()
    if len(writer.program) > MAX_OPERATIONS:
        raise _refused(f"a program that takes at most {MAX_OPERATIONS} operations with its tangent", f"{len(writer.program)}")
    return Network(2 * network.dimension + 1, tuple(writer.program))


def _refused(expected: str, got: str) -> Rejected:
    return Rejected(where="network", law="tangent program", expected=expected, got=got)


class _Writer:
    """A program being written; ``values`` and ``tangents`` are its registers for each register of the network."""

    def __init__(self, states: int, line: Line) -> None:
        self.program: list[Operation] = []
        self._states, self._line, self._width = states, line, 2 * states + 1
        self._known: dict[tuple[int, int, Fraction], int] = {}
        zeros = _zeros(states)
        self._tangents = [self._affine([(unit_rows(states, 0, self._width), 0)], zeros)]
        self._values = [self._affine([(unit_rows(states, states, self._width), 0)], zeros)]
        self._sizes = [states]

    def carry(self, one: Operation, two: Operation) -> None:
        """Write what one operation of the network does to a value and its tangent."""
        values, tangents = ([registers[i] for i in one.of] for registers in (self._values, self._tangents))
        if one.bias is not None and two.bias is not None:
            speeds = [speed_of(a, b, self._line) for a, b in zip(one.matrices, two.matrices, strict=True)]
            size, still = len(one.bias.mid), _zeros(len(one.bias.mid))
            value = self._moving(values, one.matrices, one.bias, speeds, speed_of(one.bias, two.bias, self._line))
            tangent = self._moving(tangents, one.matrices, still, speeds, still)
        else:
            size = self._sizes[one.of[0]]
            value = self._put(one.name, *values)
            tangent = self._derivative(one.name, value, values, tangents, size)
        self._values.append(value)
        self._tangents.append(tangent)
        self._sizes.append(size)

    def close(self) -> None:
        """Write the last operation: the state (v, z, mu) of the next time."""
        states, width = self._states, self._width
        turned = [unit_rows(states, start, width).transposed() for start in (0, states)]
        kept = Matrix.stacked([Matrix(((0,) * width,) * (width - 1), None, 1), unit_rows(1, width - 1, width)])
        self._affine([(turned[0], self._tangents[-1]), (turned[1], self._values[-1]), (kept, 0)], _zeros(width))

    def _derivative(self, name: str, value: int, values: list[int], tangents: list[int], size: int) -> int:
        if name == "add":
            return self._put("add", *tangents)
        if name == "mul":
            return self._put("add", self._put("mul", tangents[0], values[1]), self._put("mul", values[0], tangents[1]))
        start = value if name == "sigmoid" else self._shared(size, 0, Fraction(1))
        square = self._put("mul", value, value)
        slope = self._put("add", start, self._put("mul", self._shared(size, 0, Fraction(-1)), square))
        return self._put("mul", slope, tangents[0])

    def _moving(self, of: Sequence[int], matrices: Sequence[Matrix], bias: Matrix, speeds: Sequence[Matrix], speed: Matrix) -> int:
        base = self._affine(list(zip(matrices, of, strict=True)), bias)
        if not any(any(row) for matrix in (*speeds, speed) for row in (*matrix.mid, *(matrix.rad or ()))):
            return base
        change = self._affine(list(zip(speeds, of, strict=True)), speed)
        return self._put("add", base, self._put("mul", self._shared(len(bias.mid), 1, -self._line.at[0]), change))

    def _shared(self, size: int, slope: int, constant: Fraction) -> int:
        """Return the register that holds slope mu + constant ``size`` times; a diagonal matrix would take size^2 numbers."""
        key = (size, slope, constant)
        if key not in self._known:
            rows = Matrix(((*(0,) * (self._width - 1), slope),) * size, None, 1)
            self._known[key] = self._affine([(rows, 0)], Matrix.column([constant] * size))
        return self._known[key]

    def _affine(self, terms: Sequence[tuple[Matrix, int]], bias: Matrix) -> int:
        matrices, of = zip(*terms, strict=True)
        self.program.append(Operation("affine", tuple(of), tuple(matrices), bias))
        return len(self.program)

    def _put(self, name: str, *of: int) -> int:
        self.program.append(Operation(name, of))
        return len(self.program)


def _zeros(size: int) -> Matrix:
    return Matrix.column([Fraction(0)] * size)
