"""``check --network``: whether the network of a certificate is the one of a file.

The digests of a network file decide. A certificate about a recurrent torch module speaks of one step with a constant input, or of one round
of a periodic one; inputs stand in the biases alone, so they are read from there, and the module's program with them is compared. The inputs
that claims state as biases are read in the same way. Whether they are the wanted ones only their reader knows, so they are shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval, Matrix
from proofs.certificate import read_header, read_lines
from proofs.errors import Malformed, OrbitproofError, Rejected
from proofs.exponents import BoxContraction, DrivenExponents, FiniteTime
from proofs.grammar import read_entry, write_entry
from verify.loading import load
from verify.models.gated import Layer, driven_program, layers_of, step_program
from verify.models.rounds import operations
from verify.numerics.balls import particular_solution
from verify.paths import shape_of

if TYPE_CHECKING:
    from pathlib import Path

    from proofs.certificate import Header
    from proofs.claims import Claim
    from proofs.exponents import Symbol
    from proofs.network import Network, Operation
    from verify.loading import Loaded
    from verify.lyapunov.files import Given

    Inputs = Sequence[Sequence[Fraction]]
_SHOWN = 3
_MOST_WORK = 10**7


@dataclass(frozen=True)
class Reader:
    """Reads inputs x from biases b + W x: ``zero`` is b over a step, ``moved`` says where W is not 0, ``weights`` are those rows of W."""

    size: int
    zero: Sequence[Fraction]
    length: int
    moved: Sequence[int]
    weights: Matrix

    @cached_property
    def unique(self) -> bool:
        """Say whether no two inputs give the same biases: W has no kernel."""
        units = Matrix.exact([Fraction(i == j) for j in range(self.size)] for i in range(self.size))
        return bool(self.moved) and particular_solution(self.weights.transposed(), units) is not None

    def inputs(self, biases: Sequence[Sequence[Fraction]]) -> Inputs | None:
        """Return for the biases of each step an input that gives them; None where some step has none. **Guarantee:** exact."""
        still = set(range(len(self.zero))) - set(self.moved)
        if not biases or any(len(step) != len(self.zero) or any(step[i] != self.zero[i] for i in still) for step in biases):
            return None
        if not self.moved:
            return [[Fraction(0)] * self.size] * len(biases)
        return self._solved(self.weights, [[step[i] - self.zero[i] for i in self.moved] for step in biases])

    def work(self, count: int) -> int:
        """Return about how many products of numbers it takes to read so many steps."""
        return len(self.moved) * self.size * (self.size + count)

    def widths(self, radii: Sequence[Sequence[Fraction]]) -> Inputs | None:
        """Return how far inputs may lie from the middle one where that explains the radii of the biases exactly; None where it does not."""
        rows, columns = self.weights.shape
        sizes = Matrix.exact([abs(self.weights.middle(i, j)) for j in range(columns)] for i in range(rows))
        found = self._solved(sizes, [[step[i] for i in self.moved] for step in radii])
        return None if found is None or any(value < 0 for row in found for value in row) else found

    def fixed(self, radii: Sequence[Sequence[Fraction]]) -> bool:
        """Say whether only biases that an input moves have a radius."""
        return not any(step[i] for step in radii for i in set(range(len(self.zero))) - set(self.moved))

    def _solved(self, matrix: Matrix, rights: Inputs) -> Inputs | None:
        found = particular_solution(matrix, Matrix.exact(zip(*rights, strict=True)))
        return None if found is None else [[found.middle(i, t) for i in range(self.size)] for t in range(len(rights))]


@dataclass(frozen=True)
class Compared:
    """What agrees: the network, and in words what of the file it is; for a torch module what reads its inputs."""

    network: Network
    words: str
    name: str = ""
    reader: Reader | None = None

    def inputs_of(self, claims: Sequence[Claim]) -> str | None:
        """Say what the inputs that claims state as biases are in terms of the file; None where no claim states any.

        **Guarantee:** exact up to the decimals shown. **Raises:** Rejected where biases come from no input of this module.
        """
        stated: dict[int, Sequence[Symbol]] = {
            number: claim.symbols
            for number, claim in enumerate(claims, 1)
            if isinstance(claim, BoxContraction | DrivenExponents | FiniteTime) and any(claim.symbols)
        }
        if not stated:
            return None
        *rest, last = map(str, stated)
        which = f"claims {', '.join(rest)} and {last}" if rest else f"claim {last}"
        if self.reader is None or self.reader.work(sum(map(len, stated.values()))) > _MOST_WORK:
            return f"The inputs of {which} are stated there as biases: they were not compared with the file."
        unique = self.reader.unique
        texts = list(dict.fromkeys(text for number in stated for text in self._read(number, stated[number], self.reader, unique=unique)))
        shown = ", ".join(texts[:_SHOWN]) + (f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else "")
        are = f"{'is' if len(texts) == 1 else 'are'}{'' if unique else ', for example'}"
        what = "input or range" if len(texts) == 1 else f"{len(texts)} inputs or ranges"
        return f"The {what} of {which}, read with these weights, {are}: {shown}: compare with yours."

    def _read(self, number: int, symbols: Sequence[Symbol], reader: Reader, *, unique: bool) -> Iterator[str]:
        """Yield each symbol as an input or a range of inputs. **Raises:** Rejected."""
        tables = [_replaced(self.network, symbol, reader.length) for symbol in symbols]
        found = reader.inputs([step for middles, _ in tables for step in middles])
        where, expected = f"claim {number}, symbols", f"biases that inputs of {self.name} give"
        remedy = "this certificate speaks of another network, such as one with other weights of its inputs, or of other inputs"
        if found is None or not all(reader.fixed(radii) for _, radii in tables):
            got = "biases that no input of it gives"
            raise Rejected(where=where, law="inputs of the network", expected=expected, got=got, remedy=remedy)
        rows = iter(found)
        for middles, radii in tables:
            inputs = [next(rows) for _ in middles]
            ranged = any(any(step) for step in radii)
            if unique and not (_dyadic(inputs) if ranged else _held(inputs)):
                got = f"biases of the input {_texts(inputs)} alone, which no file of floats can hold"
                raise Rejected(where=where, law="inputs of the network", expected=expected, got=got, remedy=remedy)
            widths = reader.widths(radii) if ranged else None
            around = f"a range around {_texts(inputs)}" if widths is None else f"{_texts(inputs)} +- {_texts(widths)}"
            yield around if ranged else _texts(inputs)


def compared(
    certificate: Path,
    file: str,
    model: str | None = None,
    settings: Mapping[str, str] | None = None,
    radius: Fraction | None = None,
) -> Compared:
    """Return the network of a certificate's first line where it is that of ``file`` (NETWORK|MODULE of ``orbitproof lyapunov``).

    A torch module is compared under whatever inputs give the biases; the words name them.
    **Guarantee:** exact: equal digests. Whether the certificate holds is another question, for ``proofs.check``.
    **Raises:** Rejected: another network, with the difference; Malformed, Unsupported: a file that cannot be read or compared.
    """
    loaded, module = _read(file, model, dict(settings or {}))
    if loaded is None and radius is not None:
        law, got = "a radius belongs to a family's stored arrays", file
        raise Malformed(where="--radius", law=law, expected="a network file", got=got, remedy="compare torch modules without --radius")
    header = _header(certificate)
    expected, remedy = file, "this certificate speaks of another network, or of the same one with other weights"
    asked = None if loaded is None else loaded.network if radius is None else loaded.with_radius(radius)
    equal = asked is not None and asked.digest == header.network.digest
    if asked is not None and not equal:
        expected, remedy = f"{asked.digest}, the network asked about", _difference(header, asked, file)
    if module is not None and radius is None:
        name = f"{module.name} ({module.kind})"
        found = _with_some_input(layers_of(module.source), header.network)
        if found is not None:
            reader, inputs = found
            if not reader.unique or _held(inputs):
                return Compared(header.network, _told(name, reader, inputs), name, reader)
            needed = f"{module.name} has this program only under inputs that no file of floats can hold, near {_texts(inputs[:_SHOWN])}"
            remedy = f"{remedy}: {needed}"
        expected = f"one step of {name} or one round of a periodic input, whatever the inputs"
    if loaded is not None and equal:
        return Compared(header.network, f"The same network as {loaded.name} ({loaded.model}).")
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


def _with_some_input(layers: Sequence[Layer], network: Network) -> tuple[Reader, Inputs] | None:
    """Return inputs with which the layers have this program, and their reader; None if there are none."""
    if sum(layer.states for layer in layers) != network.dimension:
        return None
    for make, length in ((_one_step, len(network.program)), (driven_program, operations(layers))):
        reader = _reader(layers, make, length)
        inputs = reader.inputs(_steps(network.program, length)[0])
        if inputs and make(layers, inputs).digest == network.digest:
            return reader, inputs
    return None


def _one_step(layers: Sequence[Layer], inputs: Inputs) -> Network:
    return step_program(layers, inputs[0])


def _reader(layers: Sequence[Layer], make: Callable[[Sequence[Layer], Inputs], Network], length: int) -> Reader:
    """Return what reads inputs from steps of ``length`` operations: b is what a step has with x = 0, a column of W what 1 in x adds."""
    size = layers[0].inputs
    units = [[Fraction(i == j) for j in range(size)] for i in range(size)]
    zero, *columns = (_entries_of(make(layers, [row]).program[:length])[0] for row in ([Fraction(0)] * size, *units))
    moved = [i for i, bias in enumerate(zero) if any(column[i] != bias for column in columns)]
    weights = Matrix.exact([column[i] - zero[i] for column in columns] for i in moved)
    return Reader(size, zero, length, moved, weights)


def _steps(program: Sequence[Operation], length: int) -> tuple[Inputs, Inputs]:
    """Return the biases of each step, middles and radii."""
    steps = [_entries_of(program[start : start + length]) for start in range(0, len(program) - length + 1, length)]
    return [middles for middles, _ in steps], [radii for _, radii in steps]


def _entries_of(program: Sequence[Operation]) -> tuple[list[Fraction], list[Fraction]]:
    places = [(one.bias, i) for one in program if one.bias is not None for i in range(len(one.bias.mid))]
    return [bias.middle(i) for bias, i in places], [bias.radius(i) for bias, i in places]


def _replaced(network: Network, symbol: Symbol, length: int) -> tuple[Inputs, Inputs]:
    """Return the biases of each step under a symbol of a claim, middles and radii."""
    program = list(network.program)
    for number, spelled in symbol:
        entries = [read_entry(text, "symbols") for text in spelled]
        bias = Matrix.intervals(Interval(middle - radius, middle + radius) for middle, radius in entries)
        program[number] = replace(program[number], bias=bias)
    return _steps(program, length)


def _held(inputs: Inputs) -> bool:
    """Say whether floats are these numbers exactly."""
    with suppress(OverflowError):
        return all(Fraction(float(value)) == value for row in inputs for value in row)
    return False


def _dyadic(inputs: Inputs) -> bool:
    return all(value.denominator & (value.denominator - 1) == 0 for row in inputs for value in row)


def _told(name: str, reader: Reader, inputs: Inputs) -> str:
    texts = _texts(inputs[:_SHOWN]) + (", .." if len(inputs) > _SHOWN else "")
    what = f"One round of {len(inputs)} steps of {name}" if len(inputs) > 1 else f"One step of {name}"
    if not reader.moved:
        return f"{what} has this program, whatever the input."
    if len(inputs) > 1:
        which = "the inputs" if reader.unique else "inputs such as"
    else:
        which = "the constant input" if reader.unique else "a constant input such as"
    return f"{what} under {which} {texts} has this program."


def _texts(inputs: Inputs) -> str:
    return ", ".join(f"({', '.join(map(_text, row))})" for row in inputs)


def _text(value: Fraction) -> str:
    """Return the shortest decimal of the nearest float."""
    with suppress(OverflowError):
        return str(float(value)).removesuffix(".0")
    return "a number beyond all floats"


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
