"""Inputs as the cards read them: a symbol is the biases under one input or a whole range of inputs."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isfinite

from proofs.arithmetic import Interval
from proofs.errors import Malformed
from proofs.grammar import write_entry
from proofs.network import Network
from verify.models.gated import Number, layers_of, step_program

MOST_SYMBOLS = 4096
Spelled = dict[str, list[str]]


def input_range(source: object, low: Sequence[Number], high: Sequence[Number]) -> Network:
    """Return the program of one step of a recurrent module, or of given layers, under all inputs with low <= x <= high.

    **Shapes:** low, high (m,). **Guarantee:** exact: each bias is an interval, the range of W x + b. **Raises:** Malformed for ends that do
    not fit, are not finite or not in order, and as ``step_program``.
    """
    layers = layers_of(source)
    size = layers[0].inputs
    if not len(low) == size == len(high):
        raise _out_of_order(f"{size} lower and {size} upper ends, one an input", f"{len(low)} and {len(high)}")
    for k, (a, b) in enumerate(zip(low, high, strict=True), 1):
        if not (isfinite(a) and isfinite(b) and a <= b):
            raise _out_of_order(f"finite ends in order for input {k}", f"{a} and {b}")
    return step_program(layers, [Interval(_exact(a), _exact(b)) for a, b in zip(low, high, strict=True)])


def symbols_of(networks: Sequence[Network]) -> tuple[Spelled, ...]:
    """Return for each network the biases that are not the same in all, by the number of the operation, as card driven_graph reads them.

    **Raises:** Malformed without networks, for too many, and where anything but biases differs.
    """
    if not 0 < len(networks) <= MOST_SYMBOLS:
        raise _unfit(f"from 1 to {MOST_SYMBOLS} networks, one a symbol", str(len(networks)))
    plain = {tuple((one.name, one.of, one.matrices) for one in network.program) for network in networks}
    if len(plain) > 1:
        raise _unfit("programs that are alike but for the biases of affine operations", f"{len(plain)} different ones")
    places = [
        number
        for number, operation in enumerate(networks[0].program)
        if operation.bias is not None and len({network.program[number].bias for network in networks}) > 1
    ]
    return tuple({str(number): _spelled(network, number) for number in places} for network in networks)


def _exact(value: Number) -> Fraction:
    return value if isinstance(value, Fraction) else Fraction(float(value))


def _spelled(network: Network, number: int) -> list[str]:
    bias = network.program[number].bias
    return [] if bias is None else [write_entry(bias.middle(i), bias.radius(i)) for i in range(len(bias.mid))]


def _unfit(expected: str, got: str) -> Malformed:
    return Malformed(where="driven graph, networks", law="one program, a bias a symbol", expected=expected, got=got)


def _out_of_order(expected: str, got: str) -> Malformed:
    return Malformed(where="range of inputs", law="a range has two ends in order", expected=expected, got=got)
