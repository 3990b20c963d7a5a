"""What the corpus is built of: small networks, exact witnesses for them, and certificates whose last step may be wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from flint import fmpq, fmpq_mat

from proofs.arithmetic import Matrix
from proofs.certificate import Remarks, header_line, json_line
from proofs.claims import Claim
from proofs.grammar import read_entry, write_number
from proofs.network import Network, Operation
from proofs.reader import Fields
from proofs.theorems import THEOREMS
from proofs.theorems.card import Application

Rows = Sequence[Sequence[object]]
SCRAMBLED: dict[str, object] = {"claim": "scrambled_set"}


def matrix(rows: Rows) -> Matrix:
    """Return a matrix from entries in the number grammar, or integers."""
    pairs = [[read_entry(str(entry), "corpus") for entry in row] for row in rows]
    return Matrix.balls([[middle for middle, _ in row] for row in pairs], [[radius for _, radius in row] for row in pairs])


def affine(bias: Sequence[object], *terms: tuple[Rows, int]) -> Operation:
    """Return bias + sum of matrix times register."""
    registers = tuple(register for _, register in terms)
    return Operation("affine", registers, tuple(matrix(rows) for rows, _ in terms), matrix([[b] for b in bias]))


def plrnn(A: Rows, W: Rows, h: Sequence[object]) -> Network:
    """Return A z + W relu(z) + h."""
    return Network(len(h), (Operation("relu", (0,)), affine(h, (A, 0), (W, 1))))


def lozi(a: str = "17/10", b: str = "1/2", radius: str = "") -> Network:
    """Return Lozi's map x' = 1 - a|x| + y, y' = b x as a PLRNN; ``radius`` is appended to its parameters."""
    double = write_number(-2 * Fraction(a))
    return plrnn([[a + radius, 1], [b + radius, 0]], [[double + radius, 0], [0, 0]], [1, 0])


def hinges(
    weights: Sequence[object], biases: Sequence[object], outer: Sequence[object], constant: object = 0, name: str = "relu"
) -> Network:
    """Return the scalar net x -> outer . s(weights x + biases) + constant."""
    return Network(1, (affine(biases, ([[w] for w in weights], 0)), Operation(name, (1,)), affine([constant], ([list(outer)], 2))))


def tent(slope: str = "2", radius: str = "") -> Network:
    """Return the tent of this slope on [0, 1], 0 to the left of it."""
    return hinges([1, 1], [0, "-1/2"], [slope + radius, write_number(-2 * Fraction(slope)) + radius])


def tanh_net(W: Rows, h: Sequence[object], name: str = "tanh") -> Network:
    """Return W tanh(z) + h."""
    return Network(len(h), (Operation(name, (0,)), affine(h, (W, 1))))


def bump() -> Network:
    """Return 2 - 4 tanh(x)^2, chaotic in the sense of Li and Yorke near -7/8; it uses a product of registers."""
    return Network(1, (Operation("tanh", (0,)), Operation("mul", (1, 1)), affine([2], ([[-4]], 2))))


class Case:
    """A certificate in the making: good steps are checked as they come, bad ones are only written down."""

    def __init__(self, network: Network, name: str = "") -> None:
        """Start with a network."""
        self.network, self.remarks, self.facts = network, Remarks(name), list[Claim]()
        self.steps: list[tuple[str, Sequence[int], object]] = []

    def good(self, theorem: str, witness: Mapping[str, object], *cites: int) -> Claim:
        """Add a step that passes and return its claim."""
        number, fields = len(self.facts) + 1, Fields(dict(witness), "corpus")
        application = Application(number, theorem, self.network, fields, cites, self.facts)
        claim = THEOREMS[theorem](application)
        fields.close()
        application.close()
        self.steps.append((theorem, cites, witness))
        self.facts.append(claim)
        return claim

    def bad(self, theorem: str, witness: object, *cites: int) -> bytes:
        """Add a step that must not pass and return the certificate; it claims the most."""
        self.steps.append((theorem, cites, witness))
        return self.claiming(SCRAMBLED)

    def claiming(self, *claims: Claim | dict[str, object]) -> bytes:
        """Return the certificate with these claims (all facts if none are given)."""
        wanted = [claim.as_json() if isinstance(claim, Claim) else claim for claim in claims or self.facts]
        lines = [header_line(self.network, wanted, self.remarks)]
        lines += [
            json_line({"step": i, "theorem": theorem, "cites": list(cites), "witness": witness})
            for i, (theorem, cites, witness) in enumerate(self.steps, 1)
        ]
        return b"".join([*lines, json_line({"end": len(self.steps)})])


def network_of(content: object) -> Network:
    """Return a network from JSON."""
    return Network.read(Fields(content, "corpus"))


def spell(values: Iterable[Fraction | int | str]) -> list[str]:
    """Spell numbers for a witness."""
    return [value if isinstance(value, str) else write_number(Fraction(value)) for value in values]


def rounded(value: Fraction, bits: int) -> Fraction:
    """Return the nearest multiple of 2**-bits."""
    return Fraction(round(value * 2**bits), 2**bits)


def solve(rows: list[list[Fraction]], right: list[list[Fraction]]) -> list[list[Fraction]]:
    """Return the exact solution of a linear system."""

    def fast(table: list[list[Fraction]]) -> fmpq_mat:
        return fmpq_mat([[fmpq(x.numerator, x.denominator) for x in row] for row in table])

    return [[Fraction(int(x.p), int(x.q)) for x in row] for row in fast(rows).solve(fast(right)).tolist()]


def identity(size: int) -> list[list[Fraction]]:
    """Return the identity."""
    return [[Fraction(int(i == j)) for j in range(size)] for i in range(size)]


def product(one: list[list[Fraction]], two: list[list[Fraction]]) -> list[list[Fraction]]:
    """Return a matrix product."""
    return [[sum((a * b for a, b in zip(row, column, strict=True)), Fraction(0)) for column in zip(*two, strict=True)] for row in one]


def middles(table: Matrix) -> list[list[Fraction]]:
    """Return the middles of a matrix."""
    return [[table.middle(i, j) for j in range(table.shape[1])] for i in range(table.shape[0])]


def along(network: Network, words: Sequence[str]) -> tuple[list[list[list[Fraction]]], list[list[Fraction]]]:
    """Return the Jacobians along an itinerary and its one closed orbit, at the middles."""
    pieces = [network.piece(word) for word in words]
    jacobians = [middles(piece.jacobian) for piece in pieces]
    whole, offset = identity(network.dimension), [[Fraction(0)]] * network.dimension
    for jacobian, piece in zip(jacobians, pieces, strict=True):
        whole = product(jacobian, whole)
        offset = [[a[0] + b[0]] for a, b in zip(product(jacobian, offset), middles(piece.offset), strict=True)]
    system = [[e - p for e, p in zip(r, s, strict=True)] for r, s in zip(identity(network.dimension), whole, strict=True)]
    state = solve(system, offset)
    orbit = []
    for jacobian, piece in zip(jacobians, pieces, strict=True):
        orbit.append([row[0] for row in state])
        state = [[a[0] + b[0]] for a, b in zip(product(jacobian, state), middles(piece.offset), strict=True)]
    return jacobians, orbit


def regular(network: Network, words: Sequence[str]) -> bool:
    """Say whether an itinerary has exactly one closed solution."""
    try:
        along(network, words)
    except ZeroDivisionError:
        return False
    return True


def cycle_witness(network: Network, words: Sequence[str], radius: str, *, bits: int = 20, block: bool = False) -> dict[str, object]:
    """Return a witness for A2 along an itinerary, points and inverse rounded to ``bits``."""
    jacobians, orbit = along(network, words)
    inverse = whole_inverse(jacobians) if block else chain_inverse(jacobians)
    return {
        "itinerary": list(words),
        "points": [spell(rounded(x, bits) for x in point) for point in orbit],
        "radius": radius,
        "inverse_block" if block else "inverse": [spell(rounded(x, bits) for x in row) for row in inverse],
    }


def ball_witness(network: Network, points: Sequence[Sequence[float]], radius: str, *, bits: int = 30) -> dict[str, object]:
    """Return a witness for the smooth form of A2, from approximate points (exact dyadics once rounded)."""
    exact = [[rounded(Fraction(x), bits) for x in point] for point in points]
    jacobians = [middles(network.jacobian(Matrix.column(point), 60)) for point in exact]
    inverse = [spell(rounded(x, bits) for x in row) for row in whole_inverse(jacobians)]
    return {"points": [spell(point) for point in exact], "radius": radius, "inverse_block": inverse, "bits": 60}


def chain_inverse(jacobians: list[list[list[Fraction]]]) -> list[list[Fraction]]:
    """Return the inverse of I - J_k..J_1."""
    size = len(jacobians[0])
    whole = identity(size)
    for jacobian in jacobians:
        whole = product(jacobian, whole)
    return solve([[e - p for e, p in zip(r, s, strict=True)] for r, s in zip(identity(size), whole, strict=True)], identity(size))


def whole_inverse(jacobians: list[list[list[Fraction]]]) -> list[list[Fraction]]:
    """Return the inverse of B, B z = (z_(t+1) - J_t z_t)_t."""
    size, length = len(jacobians[0]), len(jacobians)
    rows = identity(size * length)
    for t, jacobian in enumerate(jacobians):
        for i in range(size):
            for j in range(size):
                rows[(t + 1) % length * size + i][t * size + j] -= jacobian[i][j]
    return solve(rows, identity(size * length))


def forms(jacobians: list[list[list[Fraction]]], rate: Fraction = Fraction(1), bits: int = 20) -> list[list[list[str]]]:
    """Return the forms with c^2 Q_t - J_t' Q_(t+1) J_t = I along a cycle, rounded: one linear system for Q_1, the others backwards."""
    size = len(jacobians[0])
    scaled = [[[x / rate for x in row] for row in jacobian] for jacobian in jacobians]

    def back(form: list[list[Fraction]], jacobian: list[list[Fraction]], unit: int) -> list[list[Fraction]]:
        carried = product(product([list(column) for column in zip(*jacobian, strict=True)], form), jacobian)
        return [[c + unit * (i == j) for j, c in enumerate(row)] for i, row in enumerate(carried)]

    def round_trip(form: list[list[Fraction]], unit: int) -> list[list[list[Fraction]]]:
        found = [form]
        for jacobian in reversed(scaled):
            found.append(back(found[-1], jacobian, unit))
        return found[:0:-1]

    columns = []
    for k in range(size * size):
        basis = [[Fraction(int(i * size + j == k)) for j in range(size)] for i in range(size)]
        columns.append([b - c for r, s in zip(basis, round_trip(basis, 0)[0], strict=True) for b, c in zip(r, s, strict=True)])
    zero = [[Fraction(0)] * size for _ in range(size)]
    right = [[x] for row in round_trip(zero, 1)[0] for x in row]
    flat = [row[0] for row in solve([list(row) for row in zip(*columns, strict=True)], right)]
    first = [flat[i * size : (i + 1) * size] for i in range(size)]
    return [[spell(rounded(x, bits) for x in row) for row in form] for form in round_trip(first, 1)]
