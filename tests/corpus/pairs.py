"""The corpus of complex pairs, folds and flips along a line of networks (E2)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from proofs.arithmetic import Matrix
from proofs.grammar import write_number
from proofs.network import Network, Operation
from proofs.parameters import Line
from proofs.theorems.complex_pair import Pair
from proofs.theorems.smooth_family import tangent_network
from tests.corpus.parts import Case, affine, hinges, identity, lozi, middles, plrnn, product, rounded, solve, spell, tanh_net

Witness = dict[str, object]
Number = Fraction | int | float | str
Rows = list[list[Fraction]]
Ends = tuple[Network, Network]
Named = Iterator[tuple[str, Ends, Witness]]
W = [[0, "-103/160"], ["10501/20000", 0]]
H = ["18649/50000", "-97931/100000"]
DETERMINANT = Fraction("-103/160") * Fraction("10501/20000")
FIRST, SECOND = Fraction("83777/100000"), Fraction("96461/100000")
BITS = 160


def toy(first: object, second: object) -> Network:
    """Return the published toy with this diagonal: det of the region where both units are open is first second - DETERMINANT."""
    return plrnn([[first, 0], [0, second]], W, H)


def by_second() -> tuple[Ends, Fraction]:
    """Return the toy with its second diagonal entry from 0 to 1, and where the determinant is 1."""
    return (toy("83777/100000", 0), toy("83777/100000", 1)), (1 + DETERMINANT) / FIRST


def by_first() -> tuple[Ends, Fraction]:
    """Return the toy with its first diagonal entry from 0 to 1; where the determinant is 1 the fixed point is virtual."""
    return (toy(0, "96461/100000"), toy(1, "96461/100000")), (1 + DETERMINANT) / SECOND


def at(ends: Ends, mu: Fraction) -> Network:
    """Return the network at mu, the line running from mu = 0 to mu = 1 (middles)."""
    parts = []
    for one, two in zip(ends[0].program, ends[1].program, strict=True):
        if one.bias is None or two.bias is None:
            parts.append(one)
            continue
        mixed = [a + (b - a).times(mu) for a, b in zip((*one.matrices, one.bias), (*two.matrices, two.bias), strict=True)]
        parts.append(Operation(one.name, one.of, tuple(mixed[:-1]), mixed[-1]))
    return Network(ends[0].dimension, tuple(parts))


def whole(network: Network, word: Sequence[str]) -> Rows:
    """Return the product of Jacobians along an itinerary."""
    total = identity(network.dimension)
    for letters in word:
        total = product(middles(network.piece(letters).jacobian), total)
    return total


def pair_witness(ends: Ends, mu: Fraction, width: str, word: Sequence[str], radius: str) -> Witness:
    """Return a witness for the first two states as invariant plane: exact where they drive themselves."""
    total = whole(at(ends, mu), word)
    size = len(total)
    basis = [[Fraction(int(i == j)) for j in range(2)] for i in range(size)]
    block = [row[:2] for row in total[:2]]
    plane = Matrix.exact(basis)
    system = Pair(plane, Matrix.exact(block), plane, Fraction(0), Matrix.identity(1)).derivative(Matrix.exact(total))
    inverse = solve([[e - p for e, p in zip(r, s, strict=True)] for r, s in zip(identity(size), total, strict=True)], identity(size))
    return {
        "low": write_number(mu - Fraction(width)),
        "high": write_number(mu + Fraction(width)),
        "itinerary": list(word),
        "inverse": [spell(row) for row in inverse],
        "basis": [spell(row) for row in basis],
        "block": [spell(row) for row in block],
        "right": [spell(row) for row in basis],
        "inverse_pair": [spell(row) for row in solve(middles(system), identity(2 * size + 4))],
        "radius": radius,
        "bits": BITS,
    }


def spiral(rate: object, turn: str = "1/2", slack: str = "1/4") -> Network:
    """Return a map that turns and stretches the first two states, det = rate; the third follows them, its relu is open."""
    return plrnn(
        [["1/2", "-1", 0], [write_number(Fraction(str(rate)) - Fraction(turn) / 2), turn, 0], [0, 0, slack]],
        [[0, 0, 0], [0, 0, 0], [0, 0, 0]],
        ["1", "1", "1"],
    )


def quadratic(mu: object) -> Network:
    """Return mu - z^2."""
    return Network(1, (Operation("mul", (0, 0)), affine([mu], ([[-1]], 1))))


def steep(weight: object, bias: object, name: str = "tanh") -> Network:
    """Return tanh(weight z + bias)."""
    return Network(1, (affine([bias], ([[weight]], 0)), Operation(name, (1,))))


def jordan(mu: object) -> Network:
    """Return (z1 + z2, z2 + mu - z1^2): at mu = 0 the fixed point 0 has the double multiplier 1."""
    return Network(2, (Operation("mul", (0, 0)), affine([0, mu], ([[1, 1], [0, 1]], 0), ([[0, 0], [-1, 0]], 1))))


def double_flip(mu: object) -> Network:
    """Return (-z1 + z2, -z2 + mu z1 + z1^3): at mu = 0 the fixed point 0 has the double multiplier -1."""
    cubes = (Operation("mul", (0, 0)), Operation("mul", (0, 1)))
    return Network(2, (*cubes, affine([0, 0], ([[-1, 1], [mu, -1]], 0), ([[0, 0], [1, 0]], 2))))


def turning(mu: object) -> Network:
    """Return (mu - z1^2, (z1 - 1/2) z2): at the fold mu = -1/4 the second multiplier is -1."""
    parts = (
        Operation("mul", (0, 0)),
        affine(["-1/2", 0], ([[1, 0], [0, 0]], 0)),  # z1 - 1/2
        affine([0, 0], ([[0, 1], [0, 0]], 0)),  # z2
        Operation("mul", (2, 3)),
        affine([mu, 0], ([[-1, 0], [0, 0]], 1), ([[0, 0], [1, 0]], 4)),
    )
    return Network(2, parts)


def gated(mu: object) -> Network:
    """Return tanh(s(2 z) 3 z + mu): a product, a sigmoid and a tanh."""
    parts = (
        affine([0], ([[2]], 0)),
        Operation("sigmoid", (1,)),
        affine([0], ([[3]], 0)),
        Operation("mul", (2, 3)),
        affine([mu], ([[1]], 4)),
        Operation("tanh", (5,)),
    )
    return Network(1, parts)


def fold_witness(
    ends: Ends,
    points: Sequence[Sequence[Number]],
    vectors: Sequence[Sequence[Number]],
    mu: Number,
    radius: str,
    *,
    twist: int = 1,
    axis: int = 0,
) -> Witness:
    """Return a witness on the line from mu = 0 to 1, its numbers rounded to 40 bits, with the inverse at its place; normal: ``axis``."""
    size, count = len(points[0]), len(points)
    width = 2 * size
    rows = [[rounded(Fraction(x), 40) for x in (*v, *z)] for v, z in zip(vectors, points, strict=True)]
    place = rounded(Fraction(mu), 40)
    network = tangent_network(ends[0], Line(ends[1], (Fraction(0), Fraction(1))))
    system = identity(width * count + 1)
    system[-1][axis], system[-1][-1] = Fraction(1), Fraction(0)
    for t, row in enumerate(rows):
        slopes = middles(network.jacobian(Matrix.column([*row, place]), 90))
        after = (t + 1) % count * width
        for i, slope in enumerate(slopes[:-1]):
            factor = twist if t == count - 1 and i < size else 1
            for j, value in enumerate(slope[:-1]):
                system[after + i][t * width + j] -= factor * value
            system[after + i][-1] -= factor * slope[-1]
    try:
        inverse = solve(system, identity(width * count + 1))
    except ZeroDivisionError:
        inverse = identity(width * count + 1)
    return {
        "points": [spell(row[size:]) for row in rows],
        "vectors": [spell(row[:size]) for row in rows],
        "mu": write_number(place),
        "radius": radius,
        "normal": [str(int(i == axis)) for i in range(size)],
        "twist": twist,
        "inverse": [spell(rounded(x, 60) for x in row) for row in inverse],
        "bits": 90,
    }


def folds() -> Named:
    """Yield what card smooth_fold proves."""
    square = quadratic(-1), quadratic(1)  # mu = 2 s - 1
    yield "quadratic", square, fold_witness(square, [["-1/2"]], [[1]], "3/8", "1p-20")
    yield "quadratic-flip", square, fold_witness(square, [["1/2"]], [[1]], "7/8", "1p-20", twist=-1)
    deep = quadratic(1), quadratic("3/2")  # mu = 1 + s / 2: the 2-cycle flips at 5/4
    high, low = (1 + math.sqrt(2)) / 2, (1 - math.sqrt(2)) / 2
    yield "two-cycle-flip", deep, fold_witness(deep, [[high], [low]], [[1], [-2 * high]], "1/2", "1p-20", twist=-1)
    z = math.sqrt(0.5)
    soft = steep(2, -1), steep(2, 0)
    yield "tanh", soft, fold_witness(soft, [[z]], [[1]], math.atanh(z) - 2 * z + 1, "1p-20")
    radii = steep("2~1p-60", -1), steep("2~1p-60", 0)
    yield "tanh-with-radii", radii, fold_witness(radii, [[z]], [[1]], math.atanh(z) - 2 * z + 1, "1p-20")
    falling = steep("-1/2", 0), steep("-3/2", 0)
    yield "tanh-flip", falling, fold_witness(falling, [[0]], [[1]], "1/2", "1p-20", twist=-1)
    z, mu = gated_fold()
    gates = gated(-1), gated(0)
    yield "product-of-a-gate", gates, fold_witness(gates, [[z]], [[1]], mu + 1, "1p-20")


def gated_fold() -> tuple[float, float]:
    """Return the fold of ``gated``: where u = 3 z s(2 z) has (1 - z^2) u' = 1 (bisection), mu = artanh z - u."""

    def excess(z: float) -> float:
        s = 1 / (1 + math.exp(-2 * z))
        return (1 - z * z) * (3 * s + 6 * z * s * (1 - s)) - 1

    low, high = 0.3, 0.999
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return low, math.atanh(low) - 3 * low / (1 + math.exp(-2 * low))


def pairs() -> Named:
    """Yield what card complex_pair proves."""
    ends, mu = by_second()
    yield "toy", ends, pair_witness(ends, mu, "1/1000000", ["11"], "1p-14")
    yield "toy-wide", ends, pair_witness(ends, mu, "1/2000", ["11"], "1p-9")
    back = ends[1], ends[0]
    yield "toy-backwards", back, pair_witness(back, 1 - mu, "1/1000000", ["11"], "1p-14")
    cross = lozi("1", "1/2"), lozi("1", "3/2")
    yield "two-cycle-of-lozi", cross, pair_witness(cross, Fraction(1, 2), "1/1000000", ["10", "01"], "1p-14")
    three = spiral("1/2"), spiral("3/2")
    word = "".join("1" if value > 0 else "0" for value in fixed(at(three, Fraction(1, 2))))
    yield "three-states", three, pair_witness(three, Fraction(1, 2), "1/1000000", [word], "1p-14")


def fixed(network: Network) -> list[Fraction]:
    """Return the fixed point of an affine network (any pattern)."""
    piece = network.piece("0" * network.hinges)
    system = [[int(i == j) - x for j, x in enumerate(row)] for i, row in enumerate(middles(piece.jacobian))]
    return [row[0] for row in solve(system, middles(piece.offset))]


def accepted_pairs() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    for theorem, cases in (("complex_pair", pairs()), ("smooth_fold", folds())):
        for name, ends, witness in cases:
            case = lined(ends)
            claim = case.good(theorem, witness, 1)
            yield f"{theorem}-{name}", case.claiming(claim)


def lined(ends: Ends) -> Case:
    """Return a case with its line from mu = 0 to mu = 1."""
    case = Case(ends[0])
    case.good("path", {"end": ends[1].as_json(), "at": ["0", "1"]})
    return case


def bad_pairs() -> Named:
    """Yield attacks on card complex_pair."""
    ends, mu = by_second()
    good = pair_witness(ends, mu, "1/1000000", ["11"], "1p-14")
    beyond = pair_witness(ends, mu + Fraction(1, 100), "1/1000000", ["11"], "1p-14")
    yield "circle-not-in-the-range", ends, beyond
    yield "only-one-end-beyond", ends, good | {"low": write_number(mu)}
    yield "range-inside-out", ends, good | {"low": good["high"], "high": good["low"]}
    yield "range-beyond-the-line", ends, good | {"high": "2"}
    yield "range-too-long", ends, pair_witness(ends, mu, "1/16", ["11"], "1/2")
    yield "speed-not-proved", ends, pair_witness(ends, mu, "1/64", ["11"], "3/16")
    yield "radius-too-large", ends, good | {"radius": "1"}
    yield "radius-too-small", ends, good | {"radius": "1p-60"}
    yield "radius-zero", ends, good | {"radius": "0"}
    yield "columns-of-the-basis-exchanged", ends, good | {"basis": [["0", "1"], ["1", "0"]]}
    yield "basis-of-rank-one", ends, good | {"basis": [["1", "1"], ["1", "1"]]}
    yield "basis-with-radii", ends, good | {"basis": [["1~1p-60", "0"], ["0", "1"]]}
    yield "block-turned", ends, good | {"block": [[row[i] for row in good["block"]] for i in (0, 1)]}  # type: ignore[attr-defined]
    yield "inverse-zero", ends, good | {"inverse_pair": [["0"] * 8] * 8}
    yield "inverse-of-the-cycle-zero", ends, good | {"inverse": [["0", "0"], ["0", "0"]]}
    yield "word-a-power", ends, good | {"itinerary": ["11", "11"]}
    yield "word-of-another-region", ends, good | {"itinerary": ["10"]}
    virtual, place = by_first()
    yield "cycle-not-admissible", virtual, pair_witness(virtual, place, "1/1000000", ["11"], "1p-14")
    real = plrnn([[1, 0], [0, "1/2"]], [[0, 0], [0, 0]], [-1, 1]), plrnn([[3, 0], [0, "1/2"]], [[0, 0], [0, 0]], [-1, 1])
    yield "multipliers-real", real, pair_witness(real, Fraction(1, 2), "1/1000000", ["11"], "1p-14")
    level = spiral("1", "1/2"), spiral("1", "3/4")
    word = "".join("1" if value > 0 else "0" for value in fixed(at(level, Fraction(1, 2))))
    yield "on-the-circle-all-along", level, pair_witness(level, Fraction(1, 2), "1/1000000", [word], "1p-14")
    single = hinges([1], [0], ["1/2"], 1), hinges([1], [0], ["3/4"], 1)
    yield "one-state", single, good | {"itinerary": ["1"]}
    soft = tanh_net([[0, -1], [1, 0]], [0, 0]), tanh_net([[0, -2], [2, 0]], [0, 0])
    yield "smooth", soft, good | {"itinerary": ["11"]}


def bad_folds() -> Named:
    """Yield attacks on card smooth_fold."""
    square = quadratic(-1), quadratic(1)
    good = fold_witness(square, [["-1/2"]], [[1]], "3/8", "1p-20")
    flip = fold_witness(square, [["1/2"]], [[1]], "7/8", "1p-20", twist=-1)
    yield "mu-beyond-the-line", square, good | {"mu": "11/8"}
    yield "ball-beyond-the-line", square, good | {"radius": "1/2"}
    yield "radius-too-large", square, good | {"radius": "1/4"}
    yield "radius-zero", square, good | {"radius": "0"}
    yield "residual-too-large", square, good | {"mu": "193/512"}
    yield "twist-zero", square, good | {"twist": 0}
    yield "fold-called-a-flip", square, good | {"twist": -1}
    yield "flip-called-a-fold", square, flip | {"twist": 1}
    yield "normal-across-the-vector", square, good | {"normal": ["0"]}
    yield "normal-of-two-entries", square, good | {"normal": ["1", "0"]}
    yield "inverse-zero", square, good | {"inverse": [["0"] * 3] * 3}
    yield "vector-missing", square, good | {"vectors": []}
    yield "vector-of-another-length", square, good | {"vectors": [["2"]]}
    yield "no-points", square, good | {"points": [], "vectors": []}
    yield "hyperbolic", square, fold_witness(square, [["-3/4"]], [[1]], "13/32", "1p-20")
    yield "period-one-as-a-2-cycle", square, fold_witness(square, [["-1/2"], ["-1/2"]], [[1], [1]], "3/8", "1p-20")
    yield "flip-as-a-2-cycle", square, fold_witness(square, [["1/2"], ["1/2"]], [[1], [-1]], "7/8", "1p-20")
    fork = steep("1/2", 0), steep("3/2", 0)
    yield "pitchfork", fork, fold_witness(fork, [[0]], [[1]], "1/2", "1p-20")
    double = jordan(-1), jordan(1)
    yield "double-multiplier-1", double, fold_witness(double, [[0, 0]], [[1, 0]], "1/2", "1p-20")
    twice = double_flip(-1), double_flip(1)
    yield "double-multiplier-minus-1", twice, fold_witness(twice, [[0, 0]], [[1, 0]], "1/2", "1p-20", twist=-1)
    both = turning(-1), turning(1)
    crossing = fold_witness(both, [["-1/2", 0]], [[0, 1]], "3/8", "1p-20", twist=-1, axis=1)
    yield "flip-at-a-fold", both, crossing
    still = quadratic("-1/4"), quadratic("-1/4")
    yield "nothing-moves", still, fold_witness(still, [["-1/2"]], [[1]], "1/2", "1p-20")
    z = math.sqrt(0.5)
    soft = steep(2, -1), steep(2, 0)
    yield "bend-not-proved", soft, fold_witness(soft, [[z]], [[1]], math.atanh(z) - 2 * z + 1, "23p-10")
    broken = hinges([1], [0], ["1/2"], 1), hinges([1], [0], ["3/4"], 1)
    yield "relu", broken, good


def rejected_pairs() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    for theorem, cases in (("complex_pair", bad_pairs()), ("smooth_fold", bad_folds())):
        for name, ends, witness in cases:
            yield f"{theorem}-{name}", lined(ends).bad(theorem, witness, 1)


def malformed_pairs() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    ends, mu = by_second()
    pair = pair_witness(ends, mu, "1/1000000", ["11"], "1p-14")
    attacks: tuple[tuple[str, Witness], ...] = (
        ("block-of-three", {"block": [["1", "0", "0"]] * 2}),
        ("inverse-too-small", {"inverse_pair": [["0"] * 6] * 6}),
        ("further-field", {"crossing": "outward"}),
        ("bits-a-text", {"bits": "160"}),
    )
    for name, change in attacks:
        yield f"complex_pair-{name}", lined(ends).bad("complex_pair", pair | change, 1)
    yield "complex_pair-cites-nothing", lined(ends).bad("complex_pair", pair)
    square = quadratic(-1), quadratic(1)
    fold = fold_witness(square, [["-1/2"]], [[1]], "3/8", "1p-20")
    changes: tuple[tuple[str, Witness], ...] = (
        ("twist-two", {"twist": 2}),
        ("inverse-too-small", {"inverse": [["0"] * 2] * 2}),
        ("mu-a-number", {"mu": 1}),
        ("side-told", {"side": "after"}),
    )
    for name, change in changes:
        yield f"smooth_fold-{name}", lined(square).bad("smooth_fold", fold | change, 1)


def modulus_of(rows: Rows) -> float:
    """Return the modulus of the complex multiplier nearest to the unit circle, in floats."""
    values = np.linalg.eigvals(np.array(rows, dtype=np.float64))
    return float(min((abs(value) for value in values if value.imag), key=lambda size: abs(size - 1.0)))
