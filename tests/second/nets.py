"""The network, run naively: values, pre-activations, the affine map of a pattern, derivatives. Every number is an interval."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from fractions import Fraction

from tests.second import boxes
from tests.second.text import Json, Refused, canonical, entry, integer, items, need, spell_entry, string, take

SIDES = {"0": boxes.ZERO, "1": boxes.ONE, "?": (Fraction(0), Fraction(1))}
ARGUMENTS = {"relu": 1, "tanh": 1, "sigmoid": 1, "mul": 2, "add": 2}


@dataclass
class Net:
    """A program: operations (name, registers, matrices, bias), entries as intervals."""

    dimension: int
    program: list = field(default_factory=list)
    text: str = ""

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the canonical text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def exact(self) -> bool:
        """Say whether every weight is one number."""
        return all(boxes.is_exact(m) for _, _, matrices, bias in self.program for m in (*matrices, bias) if m)

    @property
    def linear(self) -> bool:
        """Say whether F is piecewise linear by its operations."""
        return all(name in {"affine", "relu", "add"} for name, *_ in self.program)

    @property
    def hinges(self) -> int:
        """Return the number of relu units."""
        return len(self.run([boxes.ZERO] * self.dimension)[1])

    def run(self, state: list, bits: int = 0) -> tuple[list, list]:
        """Return F(state) and all pre-activations of relus."""
        registers, gates = self.registers(state, bits)
        return registers[-1], gates

    def registers(self, state: list, bits: int = 0) -> tuple[list, list]:
        """Return all registers and all pre-activations of relus."""
        registers, gates = [state], []
        for name, of, matrices, bias in self.program:
            given = [registers[i] for i in of]
            if name == "affine":
                out = [b[0] for b in bias]
                for matrix, values in zip(matrices, given, strict=True):
                    out = [boxes.add(o, boxes.total(map(boxes.mul, row, values))) for o, row in zip(out, matrix, strict=True)]
            elif name == "relu":
                gates += given[0]
                out = [(max(v[0], Fraction(0)), max(v[1], Fraction(0))) for v in given[0]]
            elif name in {"add", "mul"}:
                out = [(boxes.add if name == "add" else boxes.mul)(a, b) for a, b in zip(*given, strict=True)]
            else:
                out = [boxes.curve(name, v, bits) for v in given[0]]
            registers.append(out)
        return registers, gates

    def piece(self, pattern: str) -> tuple[list, list, list, list]:
        """Return (J, offset, gate rows, gate offsets) of a pattern, ? a slope in [0, 1]; the constant is carried as an extra column."""
        width = self.dimension
        start = [[boxes.ONE if i == j else boxes.ZERO for j in range(width + 1)] for i in range(width)]
        registers, gates, letters = [start], [], list(pattern)
        for name, of, matrices, bias in self.program:
            given = [registers[i] for i in of]
            if name == "affine":
                out = [[boxes.ZERO] * width + [b[0]] for b in bias]
                for matrix, forms in zip(matrices, given, strict=True):
                    out = boxes.plus(out, boxes.times(matrix, forms))
            elif name == "add":
                out = boxes.plus(*given)
            elif name == "relu":
                gates += given[0]
                taken, letters = letters[: len(given[0])], letters[len(given[0]) :]
                factors = [SIDES[letter] for letter in taken]
                out = [[boxes.mul(factor, x) for x in form] for form, factor in zip(given[0], factors, strict=True)]
            else:
                raise Refused("no affine pieces: a smooth operation")
            registers.append(out)
        last = registers[-1]
        return [row[:width] for row in last], [row[width] for row in last], [row[:width] for row in gates], [row[width] for row in gates]

    def slopes(self, box: list | None, bits: int = 0) -> list:
        """Return the range of every secant matrix over a box, or over everything where ``box`` is None."""
        registers = [(box, boxes.eye(self.dimension))]
        for name, of, matrices, bias in self.program:
            given = [registers[i] for i in of]
            known = all(value is not None for value, _ in given)
            value: list | None = None
            if name == "affine":
                parts = [boxes.times(matrix, slope) for matrix, (_, slope) in zip(matrices, given, strict=True)]
                out = parts[0]
                for part in parts[1:]:
                    out = boxes.plus(out, part)
                if known:
                    value = [b[0] for b in bias]
                    for matrix, (values, _) in zip(matrices, given, strict=True):
                        value = [boxes.add(o, boxes.total(map(boxes.mul, row, values))) for o, row in zip(value, matrix, strict=True)]
            elif name == "add":
                (u, a), (v, b) = given
                value, out = ([boxes.add(x, y) for x, y in zip(u, v, strict=True)] if known else None), boxes.plus(a, b)
            elif name == "mul":
                need(known, "a product has no global slope")
                (u, a), (v, b) = given
                value = [boxes.mul(x, y) for x, y in zip(u, v, strict=True)]
                out = [
                    [boxes.add(boxes.mul(p, y), boxes.mul(q, x)) for p, q in zip(r, s, strict=True)]
                    for r, s, x, y in zip(a, b, u, v, strict=True)
                ]
            else:
                value, factors = self.bend(name, given[0][0], len(given[0][1]), bits)
                out = [[boxes.mul(g, factor) for g in row] for row, factor in zip(given[0][1], factors, strict=True)]
            registers.append((value, out))
        return registers[-1][1]

    @staticmethod
    def bend(name: str, values: list | None, count: int, bits: int) -> tuple[list | None, list]:
        """Return the outputs of relu, tanh or sigmoid over a box (None: everywhere) and the ranges of their slopes."""
        if values is None:
            return None, [(Fraction(0), Fraction(1, 4) if name == "sigmoid" else Fraction(1))] * count
        if name == "relu":
            outputs = [(max(v[0], Fraction(0)), max(v[1], Fraction(0))) for v in values]
            return outputs, [boxes.ONE if v[0] > 0 else boxes.ZERO if v[1] < 0 else (Fraction(0), Fraction(1)) for v in values]
        outputs = [boxes.curve(name, v, bits) for v in values]
        return outputs, [boxes.slope(name, v) for v in outputs]

    def pattern(self, box: list, bits: int = 0) -> str | None:
        """Return the strict pattern of a box, or None."""
        gates = self.run(box, bits)[1]
        return None if any(g[0] <= 0 <= g[1] for g in gates) else "".join("1" if g[0] > 0 else "0" for g in gates)


def read_net(content: Json) -> Net:
    """Read the network object."""
    take(content, "dimension program")
    dimension = integer(content["dimension"], 1, 4096)
    sizes, program, spelled = [dimension], [], []
    need(1 <= len(items(content["program"])) <= 256, "1 to 256 operations")
    for part in content["program"]:
        operation, shown, rows = _operation(part, sizes)
        program.append(operation)
        spelled.append(shown)
        sizes.append(rows)
    need(sizes[-1] == dimension and sum(sizes) <= 2**17, "network shapes")
    return Net(dimension, program, canonical({"dimension": dimension, "program": spelled}))


def _operation(part: Json, sizes: list) -> tuple:
    need(isinstance(part, dict), "not an operation")
    name = string(part.get("op"))
    take(part, "op of matrices bias" if name == "affine" else "op of")
    of = [integer(i, 0, len(sizes) - 1) for i in items(part["of"])]
    need(len(of) > 0, "an operation without registers")
    if name != "affine":
        need(name in ARGUMENTS and len(of) == ARGUMENTS[name] and len({sizes[i] for i in of}) == 1, "operation does not fit")
        return (name, of, [], []), {"op": name, "of": of}, sizes[of[0]]
    bias = [[entry(text)] for text in items(part["bias"])]
    need(len(bias) > 0 and len(items(part["matrices"])) == len(of), "affine does not fit")
    tables = [_entries(matrix, len(bias), sizes[i]) for matrix, i in zip(part["matrices"], of, strict=True)]
    shown = [[[spell_entry(*pair) for pair in row] for row in table] for table in tables]
    operation = (name, of, [_intervals(table) for table in tables], _intervals(bias))
    return operation, {"op": name, "of": of, "matrices": shown, "bias": [spell_entry(*row[0]) for row in bias]}, len(bias)


def _entries(content: Json, rows: int, columns: int) -> list:
    need(len(items(content)) == rows and all(len(items(row)) == columns for row in content), "matrix shape")
    return [[entry(text) for text in row] for row in content]


def read_matrix(content: Json, rows: int, columns: int) -> list:
    """Read a matrix of intervals."""
    return _intervals(_entries(content, rows, columns))


def _intervals(table: list) -> list:
    return [[(m - r, m + r) for m, r in row] for row in table]
