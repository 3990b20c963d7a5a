"""``check --network``: whether the network of a certificate is the one of a file.

The digests of a network file decide. A certificate about a recurrent torch module speaks of one step with a constant input, or of one round
of a periodic one; inputs stand in the biases alone, so they are read from there, and the module's program with them is compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.certificate import read_header, read_lines
from proofs.errors import Malformed, OrbitproofError, Rejected
from proofs.grammar import write_entry
from verify.loading import load
from verify.models.gated import Layer, driven_program, layers_of, step_program
from verify.models.rounds import operations
from verify.numerics.balls import particular_solution
from verify.paths import shape_of

if TYPE_CHECKING:
    from pathlib import Path

    from proofs.certificate import Header
    from proofs.network import Network, Operation
    from verify.loading import Loaded
    from verify.lyapunov.files import Given

    Inputs = Sequence[Sequence[Fraction]]
_SHOWN = 3


@dataclass(frozen=True)
class Compared:
    """What agrees: the network, and in words what of the file it is."""

    network: Network
    words: str


def compared(
    certificate: Path,
    file: str,
    model: str | None = None,
    settings: Mapping[str, str] | None = None,
    radius: Fraction | None = None,
) -> Compared:
    """Return the network of a certificate's first line where it is that of ``file`` (NETWORK|MODULE of ``orbitproof lyapunov``).

    **Guarantee:** exact: equal digests. Whether the certificate holds is another question, for ``proofs.check``.
    **Raises:** Rejected: another network, with the difference; Malformed, Unsupported: a file that cannot be read or compared.
    """
    loaded, module = _read(file, model, dict(settings or {}))
    if loaded is None and radius is not None:
        law, got = "a radius belongs to a family's stored arrays", file
        raise Malformed(where="--radius", law=law, expected="a network file", got=got, remedy="compare torch modules without --radius")
    header = _header(certificate)
    expected, remedy = file, "this certificate speaks of another network, or of the same one with other weights"
    if loaded is not None:
        asked = loaded.network if radius is None else loaded.with_radius(radius)
        if asked.digest == header.network.digest:
            return Compared(header.network, f"{loaded.name} ({loaded.model})")
        expected, remedy = f"{asked.digest}, the network asked about", _difference(header, asked, file)
    if module is not None:
        found = _with_some_input(layers_of(module.source), header.network)
        if found is not None:
            return Compared(header.network, f"{module.name} ({module.kind}), {found}")
        expected = f"one step of {module.name} ({module.kind}) or one round of a periodic input, whatever the inputs"
    raise Rejected(where="line 1", law="network digest", expected=expected, got=header.network.digest, remedy=remedy)


def _read(file: str, model: str | None, words: Mapping[str, str]) -> tuple[Loaded | None, Given | None]:
    """Return the file as a network, as a torch module or as both. **Raises:** Malformed, Unsupported: as neither."""
    from verify.lyapunov.files import given

    loaded: Loaded | None = None
    with suppress(OrbitproofError, OSError):
        loaded = load(file, model, **words)
    try:
        found = given(file, model, words)
    except (OrbitproofError, OSError):
        if loaded is None:
            raise
        return loaded, None
    return loaded, found if found.loaded is None else None


def _header(certificate: Path) -> Header:
    with certificate.open("rb") as stream:
        return read_header(next(read_lines(stream)))


def _with_some_input(layers: Sequence[Layer], network: Network) -> str | None:
    """Say with which inputs the layers have this program; None if with none."""
    if sum(layer.states for layer in layers) != network.dimension:
        return None
    for make, length in ((_one_step, len(network.program)), (driven_program, operations(layers))):
        inputs = _inputs(layers, network, make, length)
        if inputs and make(layers, inputs).digest == network.digest:
            return _told(inputs)
    return None


def _one_step(layers: Sequence[Layer], inputs: Inputs) -> Network:
    return step_program(layers, inputs[0])


def _inputs(layers: Sequence[Layer], network: Network, make: Callable[[Sequence[Layer], Inputs], Network], length: int) -> Inputs | None:
    """Return inputs that give the biases of the network's steps, ``length`` operations each; None if there are none.

    A bias is b + W x for the input x of its step: b is what the step has with x = 0, a column of W what 1 in x adds to it.
    """
    size = layers[0].inputs
    units = [[Fraction(i == j) for j in range(size)] for i in range(size)]
    zero, *columns = (_biases(make(layers, [row]).program[:length]) for row in ([Fraction(0)] * size, *units))
    starts = range(0, len(network.program) - length + 1, length)
    steps = [_biases(network.program[start : start + length]) for start in starts]
    if not steps or any(len(step) != len(zero) for step in steps):
        return None
    moved = [i for i, bias in enumerate(zero) if any(column[i] != bias for column in columns)]
    if not moved:
        return [[Fraction(0)] * size] * len(steps)
    weights = Matrix.exact([column[i] - zero[i] for column in columns] for i in moved)
    found = particular_solution(weights, Matrix.exact([step[i] - zero[i] for step in steps] for i in moved))
    return None if found is None else [[found.middle(i, t) for i in range(size)] for t in range(len(steps))]


def _biases(program: Sequence[Operation]) -> list[Fraction]:
    return [one.bias.middle(i) for one in program if one.bias is not None for i in range(len(one.bias.mid))]


def _told(inputs: Inputs) -> str:
    texts = [f"({', '.join(f'{float(value):.6g}' for value in row)})" for row in inputs[:_SHOWN]]
    more = ", .." if len(inputs) > _SHOWN else ""
    if len(inputs) == 1:
        return f"one step with the input {texts[0]}"
    return f"one round of {len(inputs)} steps with the inputs {', '.join(texts)}{more}"


def _difference(header: Header, asked: Network, file: str) -> str:
    """Say how two networks differ, and of a certificate about a path which of its networks is compared."""
    places = _unequal(header.network, asked)
    if places is None:
        return f"this certificate speaks of another network: {_size(header.network)}; {file} has {_size(asked)}, or other ones"
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    told = f"this certificate speaks of another network: of the shape of {file}, but not in {places[0]}{more} (certificate, file)"
    low = next((at for _, text in header.claims if (at := _start(text))), None)
    if low is None:
        return f"{told}: other weights, or another radius"
    return (
        f"{told}: it is about a path of networks, of which the first, at mu = {low}, is compared; give a file of that one "
        "(of --vary NAME[i,j]=LO:HI the network with the entry LO)"
    )


def _start(claim: str) -> str | None:
    """Return the least parameter where a claim speaks of a path of networks."""
    ends = json.loads(claim).get("at")
    return str(ends[0]) if isinstance(ends, list) and ends else None


def _unequal(one: Network, two: Network) -> list[str] | None:
    """Return the entries that differ, each with both values; None for different shapes."""
    if shape_of(one) != shape_of(two):
        return None
    found = []
    for number, (first, second) in enumerate(zip(one.program, two.program, strict=True), 1):
        tables = [*((f"matrix {i}", a, b) for i, (a, b) in enumerate(zip(first.matrices, second.matrices, strict=True), 1))]
        if first.bias is not None and second.bias is not None:
            tables.append(("bias", first.bias, second.bias))
        found += [f"operation {number}, {name}, {text}" for name, a, b in tables for text in _entries(a, b)]
    return found


def _entries(one: Matrix, two: Matrix) -> Iterator[str]:
    for i in range(one.shape[0]):
        for j in range(one.shape[1]):
            first, second = (write_entry(table.middle(i, j), table.radius(i, j)) for table in (one, two))
            if first != second:
                yield f"entry ({i + 1}, {j + 1}): {first}, {second}"


def _size(network: Network) -> str:
    return f"{network.dimension} states, {len(network.program)} operations"
