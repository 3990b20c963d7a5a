"""What Hypothesis draws: rationals, balls with points inside them, networks, scalar networks."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from proofs.arithmetic import Interval, Matrix
from proofs.network import Network, Operation

Exact = list[list[Fraction]]

small = st.fractions(-4, 4, max_denominator=12)
dyadic = st.builds(lambda n, p: Fraction(n, 1 << p), st.integers(-(2**20), 2**20), st.integers(0, 60))
far = st.builds(lambda n, p: Fraction(n) * Fraction(2) ** p, st.integers(-9, 9), st.integers(-200, 200))
rationals = small | dyadic | far
radii = st.just(Fraction(0)) | st.fractions(0, 2, max_denominator=16) | st.builds(lambda p: Fraction(1, 1 << p), st.integers(0, 80))
inside = st.sampled_from([Fraction(-1), Fraction(1), Fraction(0)]) | st.fractions(-1, 1, max_denominator=9)
precision = st.none() | st.integers(8, 80)


@st.composite
def balls(draw: st.DrawFn, rows: int, columns: int, entries: st.SearchStrategy[Fraction] = rationals) -> tuple[Matrix, Exact]:
    """Draw an interval matrix and an exact matrix inside it."""
    middles = [[draw(entries) for _ in range(columns)] for _ in range(rows)]
    spreads = [[draw(radii) for _ in range(columns)] for _ in range(rows)]
    points = [[m + r * draw(inside) for m, r in zip(one, two, strict=True)] for one, two in zip(middles, spreads, strict=True)]
    return Matrix.balls(middles, spreads), points


@st.composite
def intervals(draw: st.DrawFn) -> tuple[Interval, Fraction]:
    """Draw an interval and a point inside it."""
    matrix, points = draw(balls(1, 1))
    return matrix.interval(0), points[0][0]


def holds(outer: Matrix, exact: Exact) -> bool:
    """Say whether every entry of the exact matrix lies in the interval matrix."""
    rows = range(len(exact))
    return all(outer.interval(i, j).lo <= exact[i][j] <= outer.interval(i, j).hi for i in rows for j in range(len(exact[i])))


def product(one: Exact, two: Exact) -> Exact:
    """Multiply, naively."""
    return [[sum((a * b for a, b in zip(row, column, strict=True)), Fraction(0)) for column in zip(*two, strict=True)] for row in one]


@st.composite
def networks(draw: st.DrawFn, *, curves: tuple[str, ...] = ("relu",), products: bool = False, wide: bool = False) -> Network:
    """Draw 1 to 6 operations: affine maps (with radii if ``wide``), curves, sums, products; some weights are 0, some rows repeat."""
    size = draw(st.integers(1, 3))
    sizes, program = [size], []
    names = ["affine", *curves, "add", *(["mul"] if products else [])]
    for name in [*draw(st.lists(st.sampled_from(names), max_size=5)), "affine"]:
        last = len(sizes) == 6 or name == "affine"
        register = draw(st.integers(0, len(sizes) - 1))
        same = [i for i, other in enumerate(sizes) if other == sizes[register]]
        if not last and name in {"add", "mul"}:
            program.append(Operation(name, (register, draw(st.sampled_from(same)))))
        elif name != "affine":
            program.append(Operation(name, (register,)))
        else:
            of = tuple(draw(st.lists(st.integers(0, len(sizes) - 1), min_size=1, max_size=2)))
            program.append(_affine(draw, of, sizes, draw(st.integers(1, 3)), wide=wide))
        sizes.append(sizes[register] if program[-1].bias is None else len(program[-1].bias.mid))
    program.append(_affine(draw, (len(sizes) - 1,), sizes, size, wide=wide))
    return Network(size, tuple(program))


@st.composite
def scalars(draw: st.DrawFn, width: int = 4) -> Network:
    """Draw a scalar network with one hidden layer of up to ``width`` units."""
    weights = st.sampled_from([Fraction(n, 2) for n in range(-6, 7)])
    count = draw(st.integers(1, width))
    first, bias, last = (draw(st.lists(weights, min_size=count, max_size=count)) for _ in range(3))
    inner = Operation("affine", (0,), (Matrix.exact([[w] for w in first]),), Matrix.column(bias))
    outer = Operation("affine", (2,), (Matrix.exact([last]),), Matrix.column([draw(weights)]))
    return Network(1, (inner, Operation("relu", (1,)), outer))


@st.composite
def humps(draw: st.DrawFn) -> Network:
    """Draw x -> up relu(x) - (up + down) relu(x - t), or its mirror image: unimodal, often chaotic."""
    sign = draw(st.sampled_from([1, -1]))
    up, down = (draw(st.fractions(1, most, max_denominator=8)) for most in (3, 4))
    top = draw(st.fractions("1/4", "3/4", max_denominator=8))
    inner = Operation("affine", (0,), (Matrix.exact([[Fraction(sign)], [Fraction(sign)]]),), Matrix.column([Fraction(0), -top]))
    outer = Operation("affine", (2,), (Matrix.exact([[sign * up, -sign * (up + down)]]),), Matrix.column([Fraction(0)]))
    return Network(1, (inner, Operation("relu", (1,)), outer))


def kinks(network: Network) -> list[Fraction]:
    """Return the kinks of a network drawn by ``scalars`` (0 if there are none), computed from its weights."""
    first, bias = network.program[0].matrices[0], network.program[0].bias
    found = set()
    for row in range(len(first.mid)):
        weight, offset = first.middle(row), Fraction(0) if bias is None else bias.middle(row)
        if weight != 0:
            found.add(-offset / weight)
    return sorted(found) or [Fraction(0)]


def _affine(draw: st.DrawFn, of: tuple[int, ...], sizes: list[int], rows: int, *, wide: bool) -> Operation:
    weights = st.just(Fraction(0)) | small
    matrices = [[[draw(weights) for _ in range(sizes[i])] for _ in range(rows)] for i in of]
    bias = [[draw(weights)] for _ in range(rows)]
    if draw(st.booleans()) and rows > 1:
        for table in (*matrices, bias):
            table[1] = list(table[0])
    radius = draw(st.fractions(0, 1, max_denominator=8)) if wide else Fraction(0)
    spread = [Matrix.balls(table, [[radius] * len(row) for row in table]) for table in (*matrices, bias)]
    return Operation("affine", of, tuple(spread[:-1]), spread[-1])
