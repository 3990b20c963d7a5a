"""A network's state map as a straight-line program, and the four ways of running it.

Register 0 is the state z; each operation appends one register; the last register is F(z).

    affine   sum of matrices times registers, plus a bias        relu, tanh, sigmoid   entry by entry
    mul      product of two registers, entry by entry            add                   sum of two registers

A *hinge* is one unit of one relu, numbered in program order. A *pattern* is a string of 0 and 1, one letter a hinge: 1 where the
pre-activation is >= 0, 0 where it is <= 0. Weights may be intervals; then a statement speaks of every network inside them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce
from operator import add
from typing import TYPE_CHECKING, TypeVar, overload

from proofs.arithmetic import Interval, Matrix
from proofs.errors import Malformed, Rejected
from proofs.functions import sigmoid, sigmoid_slope, tanh, tanh_slope
from proofs.grammar import write_entry, write_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from proofs.reader import Fields

MAX_UNITS = 2**17
MAX_DIMENSION = 4096
MAX_OPERATIONS = 256
MAX_PRODUCT_BITS = 2**17
MAX_REGISTER_BITS = 2**20
_ARGUMENTS = {"affine": None, "relu": 1, "tanh": 1, "sigmoid": 1, "mul": 2, "add": 2}
_UNIT = Interval(Fraction(0), Fraction(1))
_QUARTER = Interval(Fraction(0), Fraction(1, 4))
_ZERO = Interval(Fraction(0), Fraction(0))
_ONE = Interval(Fraction(1), Fraction(1))
_BOUNDS = {"tanh": Interval(Fraction(-1), Fraction(1)), "sigmoid": _UNIT}
Register = TypeVar("Register")


@dataclass(frozen=True)
class Operation:
    """One line of the program: a name, the registers it reads, and for ``affine`` its matrices and bias (one column)."""

    name: str
    of: tuple[int, ...]
    matrices: tuple[Matrix, ...] = ()
    bias: Matrix | None = None

    def as_json(self) -> dict[str, object]:
        """Return the operation as the certificate spells it."""
        content: dict[str, object] = {"op": self.name, "of": list(self.of)}
        if self.bias is not None:
            content["matrices"] = [_spelled(matrix) for matrix in self.matrices]
            content["bias"] = [row[0] for row in _spelled(self.bias)]
        return content


@dataclass(frozen=True)
class Piece:
    """F on one region: F(z) = jacobian z + offset, and there the hinges' pre-activations are gates z + gate_offsets.

    **Shapes:** M x M, M x 1, hinges x M, hinges x 1.
    """

    jacobian: Matrix
    offset: Matrix
    gates: Matrix
    gate_offsets: Matrix

    def image(self, point: Matrix) -> Matrix:
        """Return jacobian point + offset."""
        return self.jacobian @ point + self.offset

    def gate_signs(self, point: Matrix) -> list[tuple[int, int]]:
        """Return for each hinge the signs of the lower and upper end of its pre-activation at ``point``."""
        return (self.gates @ point + self.gate_offsets).signs() if self.gates.mid else []


@dataclass(frozen=True)
class Network:
    """The state map F: R^M -> R^M of a recurrent network.

    **Raises:** Malformed if registers or shapes do not fit (the operation is named).
    """

    dimension: int
    program: tuple[Operation, ...]

    def __post_init__(self) -> None:
        """Check that every register exists and every shape fits."""
        sizes = [self.dimension]
        if not 1 <= self.dimension <= MAX_DIMENSION or not 1 <= len(self.program) <= MAX_OPERATIONS:
            limits = f"1 to {MAX_DIMENSION} states, 1 to {MAX_OPERATIONS} operations"
            raise _unfit("network", limits, f"{self.dimension}, {len(self.program)}")
        for number, operation in enumerate(self.program, 1):
            sizes.append(_output_size(operation, sizes, f"network, operation {number}"))
        if sizes[-1] != self.dimension:
            raise _unfit("network, last operation", f"{self.dimension} outputs, one a state", f"{sizes[-1]}")
        if sum(sizes) > MAX_UNITS:
            raise _unfit("network", f"at most {MAX_UNITS} units", f"{sum(sizes)}")

    @classmethod
    def read(cls, fields: Fields) -> Network:
        """Read the network object of a certificate. **Raises:** Malformed, naming the field."""
        dimension = fields.integer("dimension", 1, MAX_DIMENSION)
        sizes = [dimension]
        program: list[Operation] = []
        for part in fields.objects("program"):
            operation = _read_operation(part, sizes)
            sizes.append(_output_size(operation, sizes, part.where))
            program.append(operation)
        fields.close()
        return cls(dimension, tuple(program))

    def as_json(self) -> dict[str, object]:
        """Return the network as the certificate spells it."""
        return {"dimension": self.dimension, "program": [operation.as_json() for operation in self.program]}

    @cached_property
    def text(self) -> str:
        """Return the canonical text: sorted keys, no spaces, canonical numbers."""
        return json.dumps(self.as_json(), sort_keys=True, separators=(",", ":"))

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the canonical text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def is_exact(self) -> bool:
        """Say whether every weight is one number (no radius)."""
        return all(m.is_exact for operation in self.program for m in (*operation.matrices, operation.bias) if m is not None)

    @cached_property
    def is_piecewise_linear(self) -> bool:
        """Say whether the program uses affine, relu and add only."""
        return all(operation.name in {"affine", "relu", "add"} for operation in self.program)

    @cached_property
    def largest_radius(self) -> Fraction:
        """Return the largest radius of a weight interval; 0 for an exact network."""
        matrices = [m for operation in self.program for m in (*operation.matrices, operation.bias) if m is not None and m.rad is not None]
        return max((Fraction(max(map(max, m.rad)), m.den) for m in matrices if m.rad), default=Fraction(0))

    @cached_property
    def products(self) -> int:
        """Return how many products of numbers one Jacobian takes; a tanh or sigmoid counts for 512."""
        matrices = sum(len(m.mid) * len(m.mid[0]) for operation in self.program for m in operation.matrices)
        entries = self._units("relu", "tanh", "sigmoid", "mul", "add")
        return (matrices + entries) * (self.dimension + 1) + 512 * self._units("tanh", "sigmoid")

    @cached_property
    def hinges(self) -> int:
        """Return the number of relu units."""
        return self._units("relu")

    def _units(self, *names: str) -> int:
        sizes = [self.dimension]
        for operation in self.program:
            sizes.append(sizes[operation.of[0]] if operation.bias is None else len(operation.bias.mid))
        return sum(size for size, operation in zip(sizes[1:], self.program, strict=True) if operation.name in names)

    def image(self, point: Matrix, bits: int | None = None) -> Matrix:
        """Return F over a point or box.

        **Shapes:** M x 1. **Guarantee:** exact for exact weights, an exact point, a piecewise-linear program and ``bits`` None;
        otherwise an enclosure, rounded outward to ``bits`` (tanh and sigmoid need ``bits``; they use 64 if it is None).
        """
        return self.trace(point, bits)[0]

    def trace(self, point: Matrix, bits: int | None = None) -> tuple[Matrix, list[Matrix]]:
        """Return F over a point or box together with the pre-activations of each relu operation."""
        registers = self.registers(point, bits)
        return registers[-1], [registers[operation.of[0]] for operation in self.program if operation.name == "relu"]

    def registers(self, point: Matrix, bits: int | None = None) -> list[Matrix]:
        """Return what every register holds over a point or box, as ``image`` encloses it; the first is the state, the last F."""
        return self._run(point, outputs(bits))

    def range_everywhere(self, bits: int | None = None) -> Matrix | None:
        """Return an enclosure of F(R^M); None where the program does not show that F is bounded. **Shapes:** M x 1."""
        apply = outputs(bits)

        def step(operation: Operation, arguments: list[tuple[int, Matrix | None]]) -> tuple[int, Matrix | None]:
            size = arguments[0][0] if operation.bias is None else len(operation.bias.mid)
            values = [value for _, value in arguments if value is not None]
            if len(values) == len(arguments):
                return size, apply(operation, values)
            bound = _BOUNDS.get(operation.name)
            return size, None if bound is None else Matrix.intervals([bound] * size)

        start: tuple[int, Matrix | None] = (self.dimension, None)
        return self._run(start, step)[-1][1]

    def pattern(self, point: Matrix, bits: int | None = None) -> str | None:
        """Return the pattern of a point or box, None if some pre-activation is not proved to be strictly signed."""
        signs = [sign for gate in self.trace(point, bits)[1] for sign in gate.signs()]
        if any(low * high <= 0 for low, high in signs):
            return None
        return "".join("1" if low > 0 else "0" for low, _ in signs)

    def piece(self, pattern: str, letters: str = "01") -> Piece:
        """Return the affine map that F is on the region of ``pattern``, and the linear forms that bound the region.

        With ``letters`` "01?" a hinge may be left open by ?: relu(a) = s a for some s in [0, 1].

        **Guarantee:** exact (an enclosure where weights are intervals or hinges are open: then each point has its map inside).
        **Raises:** Rejected if the program is not piecewise linear or the pattern has the wrong length.
        """
        if not self.is_piecewise_linear or len(pattern) != self.hinges or set(pattern) - set(letters):
            raise Rejected(
                where="network",
                law="affine piece",
                expected=f"a piecewise-linear program and {self.hinges} letters {' or '.join(letters)}",
                got=pattern,
            )
        gates: list[tuple[Matrix, Matrix]] = []
        rest = iter(pattern)

        def step(operation: Operation, arguments: list[tuple[Matrix, Matrix]]) -> tuple[Matrix, Matrix]:
            if operation.bias is not None:
                return _slopes(operation, [linear for linear, _ in arguments]), _combination(operation, [c for _, c in arguments])
            if operation.name == "add":
                (one, c), (two, d) = arguments
                return one + two, c + d
            gates.append(arguments[0])
            chosen = [letter for _, letter in zip(arguments[0][0].mid, rest, strict=False)]
            if "?" in chosen:
                slopes = [_UNIT if letter == "?" else _ONE if letter == "1" else _ZERO for letter in chosen]
                return arguments[0][0].scaled_rows(slopes), arguments[0][1].scaled_rows(slopes)
            keep = [letter == "1" for letter in chosen]
            return arguments[0][0].masked(keep), arguments[0][1].masked(keep)

        zero = Matrix.column([Fraction(0)] * self.dimension)
        jacobian, offset = self._run((Matrix.identity(self.dimension), zero), step)[-1]
        return Piece(jacobian, offset, Matrix.stacked([linear for linear, _ in gates]), Matrix.stacked([c for _, c in gates]))

    def jacobian(self, box: Matrix | None, bits: int | None = None) -> Matrix:
        """Enclose every secant and derivative matrix of F on a box, or on all of R^M where ``box`` is None.

        **Shapes:** box M x 1, result M x M. **Guarantee:** enclosure: F(x) - F(y) = J (x - y) for some J inside, for all x, y in the box.
        relu has slope [0, 1] where its pre-activation may be 0. **Raises:** Rejected for ``mul`` without a box.
        """
        return self.tangent(box, bits)[1]

    @overload
    def tangent(self, box: Matrix, bits: int | None = None) -> tuple[Matrix, Matrix]: ...
    @overload
    def tangent(self, box: None, bits: int | None = None) -> tuple[None, Matrix]: ...
    def tangent(self, box: Matrix | None, bits: int | None = None) -> tuple[Matrix | None, Matrix]:
        """Return ``image`` (None without a box) and ``jacobian`` in one pass."""
        apply = _curves(bits or 64)

        def step(operation: Operation, arguments: list[tuple[Matrix | None, Matrix]]) -> tuple[Matrix | None, Matrix]:
            values = [value for value, _ in arguments if value is not None]
            known = len(values) == len(arguments)
            if operation.bias is not None:
                total = _combination(operation, values).rounded(bits) if known else None
                return total, _slopes(operation, [slope for _, slope in arguments]).rounded(bits)
            if operation.name == "mul":
                if not known:
                    raise Rejected(where="network", law="global slopes", expected="no products of registers", got="an operation mul")
                (one, two), (left, right) = values, [slope for _, slope in arguments]
                return _times(one, two).rounded(bits), (left.scaled_rows(two.entries()) + right.scaled_rows(one.entries())).rounded(bits)
            if operation.name == "add":
                return values[0] + values[1] if known else None, arguments[0][1] + arguments[1][1]
            slope = arguments[0][1]
            if not known:
                widest = _QUARTER if operation.name == "sigmoid" else _UNIT
                return None, slope.scaled_rows([widest] * len(slope.mid))
            if operation.name == "relu":
                return _relu(values[0]), slope.scaled_rows([_relu_slope(*sign) for sign in values[0].signs()])
            curve, derivative = apply[operation.name]
            outputs = [curve(entry) for entry in values[0].entries()]
            return Matrix.intervals(outputs), slope.scaled_rows([derivative(output) for output in outputs]).rounded(bits)

        return self._run((box, Matrix.identity(self.dimension)), step)[-1]

    def _run(self, start: Register, step: Callable[[Operation, list[Register]], Register]) -> list[Register]:
        registers = [start]
        for operation in self.program:
            registers.append(step(operation, [registers[i] for i in operation.of]))
        return registers


def _read_operation(fields: Fields, sizes: list[int]) -> Operation:
    name = fields.text("op")
    of = fields.integers("of", 0, len(sizes) - 1)
    if name != "affine":
        fields.close()
        return Operation(name, of)
    rows = len(fields.items("bias"))
    bias = fields.column("bias", rows)
    tables = [{"matrix": matrix} for matrix in fields.items("matrices")]
    if len(tables) != len(of):
        raise _unfit(fields.where, f"{len(of)} matrices, one a register", f"{len(tables)}")
    reader = type(fields)
    matrices = tuple(
        reader(table, f"{fields.where}, matrix {i}").matrix("matrix", (rows, sizes[register]))
        for i, (table, register) in enumerate(zip(tables, of, strict=True))
    )
    fields.close()
    return Operation(name, of, matrices, bias)


def _output_size(operation: Operation, sizes: list[int], where: str) -> int:
    if operation.name not in _ARGUMENTS:
        raise _unfit(where, f"one of {', '.join(_ARGUMENTS)}", operation.name)
    count = _ARGUMENTS[operation.name]
    if not operation.of or any(not 0 <= i < len(sizes) for i in operation.of) or (count is not None and len(operation.of) != count):
        raise _unfit(where, f"{count or 'one or more'} registers below {len(sizes)}", str(operation.of))
    inputs = [sizes[i] for i in operation.of]
    if operation.name != "affine":
        if operation.matrices or operation.bias is not None:
            raise _unfit(where, "matrices and a bias on affine only", f"some on {operation.name}")
        if len(set(inputs)) != 1:
            raise _unfit(where, "registers of one size", str(inputs))
        return inputs[0]
    shape = operation.bias.shape if operation.bias is not None else (0, 0)
    if shape[0] < 1 or shape[1] != 1 or [m.shape for m in operation.matrices] != [(shape[0], size) for size in inputs]:
        raise _unfit(where, f"matrices of shapes {[(shape[0], size) for size in inputs]}", str([m.shape for m in operation.matrices]))
    return shape[0]


def _curves(bits: int) -> dict[str, tuple[Callable[[Interval], Interval], Callable[[Interval], Interval]]]:
    return {
        "tanh": (lambda x: tanh(x, bits), tanh_slope),
        "sigmoid": (lambda x: sigmoid(x, bits), sigmoid_slope),
    }


def outputs(bits: int | None) -> Callable[[Operation, list[Matrix]], Matrix]:
    """Return what encloses an operation's output over given registers."""
    apply = _curves(bits or 64)

    def step(operation: Operation, arguments: list[Matrix]) -> Matrix:
        if operation.bias is not None:
            return _combination(operation, arguments).rounded(bits)
        if operation.name == "relu":
            return _relu(arguments[0])
        if operation.name == "mul":
            return _times(arguments[0], arguments[1]).rounded(bits)
        if operation.name == "add":
            return arguments[0] + arguments[1]
        curve = apply[operation.name][0]
        return Matrix.intervals(curve(entry) for entry in arguments[0].entries())

    return step


def _combination(operation: Operation, arguments: list[Matrix]) -> Matrix:
    total = _slopes(operation, arguments)
    return total + operation.bias if operation.bias is not None else total


def _slopes(operation: Operation, arguments: list[Matrix]) -> Matrix:
    terms = [matrix @ argument for matrix, argument in zip(operation.matrices, arguments, strict=True)]
    if not terms:
        raise _unfit("network", "an affine operation with a register", "none")
    return _limited(reduce(add, terms), "registers", MAX_REGISTER_BITS)


def _relu(x: Matrix) -> Matrix:
    if x.rad is None:
        return Matrix(tuple((max(0, value),) for (value,) in x.mid), None, x.den)
    low = [max(0, m[0] - r[0]) for m, r in zip(x.mid, x.rad, strict=True)]
    high = [max(0, m[0] + r[0]) for m, r in zip(x.mid, x.rad, strict=True)]
    middles = tuple((a + b,) for a, b in zip(low, high, strict=True))
    return Matrix(middles, tuple((b - a,) for a, b in zip(low, high, strict=True)), 2 * x.den)


def _relu_slope(low: int, high: int) -> Interval:
    return _ONE if low > 0 else _ZERO if high < 0 else _UNIT


def _times(one: Matrix, two: Matrix) -> Matrix:
    return _limited(one.scaled_rows(two.entries()), "products of registers", MAX_PRODUCT_BITS)


def _limited(register: Matrix, what: str, most: int) -> Matrix:
    if register.longest > most:
        raise Rejected(where="network", law="size of numbers", expected=f"{what} of at most {most} bits", got=str(register.longest))
    return register


def _spelled(matrix: Matrix) -> list[list[str]]:
    rows, columns = matrix.shape
    if matrix.rad is None:
        return [[write_number(Fraction(value, matrix.den)) for value in row] for row in matrix.mid]
    return [[write_entry(matrix.middle(i, j), matrix.radius(i, j)) for j in range(columns)] for i in range(rows)]


def _unfit(where: str, expected: str, got: str) -> Malformed:
    return Malformed(where=where, law="network shapes", expected=expected, got=got)
