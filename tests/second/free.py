# mypy: disable-error-code="no-any-return"
"""A network with the outputs of its units set free: every register as rows over (state, one symbol a unit, 1), entries as intervals."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from tests.second import boxes
from tests.second.nets import Net
from tests.second.text import need

LIMITS = {"relu": Fraction(1), "tanh": Fraction(1), "sigmoid": Fraction(1, 4)}


@dataclass
class Free:
    """Rows of F, rows of the inputs of all units, and the name of each unit's curve."""

    image: list
    inputs: list
    names: list


def freed(net: Net, units: int) -> Free:
    """Return the rows, with room for so many units. **Raises:** Refused for products of registers."""
    need(all(name != "mul" for name, *_ in net.program), "no products of registers")
    width = net.dimension + units + 1
    unit = boxes.eye(width)
    registers, inputs, names = [unit[: net.dimension]], list[list](), list[str]()
    for name, of, matrices, bias in net.program:
        given = [registers[i] for i in of]
        if name == "affine":
            out = [[boxes.ZERO] * (width - 1) + [b[0]] for b in bias]
            for matrix, rows in zip(matrices, given, strict=True):
                out = boxes.plus(out, boxes.times(matrix, rows))
        elif name == "add":
            out = boxes.plus(*given)
        else:
            out = unit[net.dimension + len(inputs) : net.dimension + len(inputs) + len(given[0])]
            inputs += given[0]
            names += [name] * len(given[0])
        registers.append(out)
    return Free(registers[-1], inputs, names)


def count_units(net: Net) -> int:
    """Return the number of relu, tanh and sigmoid units."""
    sizes, total = [net.dimension], 0
    for name, of, _, bias in net.program:
        sizes.append(len(bias) if name == "affine" else sizes[of[0]])
        total += sizes[-1] if name in LIMITS else 0
    return total


def live_hinges(net: Net) -> list:
    """Return the hinges of a piecewise-linear network on whose output F may depend, directly or through others."""
    free = freed(net, net.hinges)
    seen, found = list(free.image), []
    for hinge in reversed(range(net.hinges)):
        if any(row[net.dimension + hinge] != boxes.ZERO for row in seen):
            found.append(hinge)
            seen.append(free.inputs[hinge])
    return found[::-1]
