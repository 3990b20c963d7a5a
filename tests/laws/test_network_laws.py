"""Networks on points, boxes and regions agree with each other, whatever the program."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.arithmetic import Matrix
from proofs.functions import tanh
from proofs.network import Network, Operation
from proofs.reader import parse_object
from tests.laws.strategies import inside, networks, precision, small

CURVES = ("relu", "tanh", "sigmoid")
piecewise = networks()
smooth = networks(curves=CURVES, products=True)
shifts = st.lists(inside, min_size=6, max_size=6)
centres = st.lists(small, min_size=3, max_size=3)


def sharp(network: Network) -> Network:
    """Return the network of the lower ends of all weights."""

    def ends(matrix: Matrix) -> Matrix:
        rows, columns = matrix.shape
        return Matrix.exact([[matrix.interval(i, j).lo for j in range(columns)] for i in range(rows)])

    program = tuple(
        Operation(o.name, o.of, tuple(map(ends, o.matrices)), None if o.bias is None else ends(o.bias)) for o in network.program
    )
    return Network(network.dimension, program)


def naive(network: Network, point: list[Fraction]) -> list[Fraction]:
    """Run an exact piecewise-linear program with Fractions only."""
    registers = [point]
    for operation in network.program:
        arguments = [registers[i] for i in operation.of]
        if operation.bias is not None:
            total = [operation.bias.middle(row) for row in range(len(operation.bias.mid))]
            for matrix, argument in zip(operation.matrices, arguments, strict=True):
                total = [t + sum((matrix.middle(i, j) * x for j, x in enumerate(argument)), Fraction(0)) for i, t in enumerate(total)]
        elif operation.name == "relu":
            total = [max(Fraction(0), x) for x in arguments[0]]
        else:
            total = [a + b if operation.name == "add" else a * b for a, b in zip(*arguments, strict=True)]
        registers.append(total)
    return registers[-1]


def boxed(network: Network, centre: list[Fraction], radius: Fraction, moves: list[Fraction]) -> tuple[Matrix, list[list[Fraction]]]:
    """Return a box and two points of it."""
    size = network.dimension
    points = [[centre[i] + radius * moves[3 * which + i] for i in range(size)] for which in range(2)]
    return Matrix.column(centre[:size]).widened(radius), points


def encloses(outer: Matrix, inner: Matrix) -> bool:
    """Say whether the first box holds the second."""
    return all(a.lo <= b.lo and b.hi <= a.hi for a, b in zip(outer.entries(), inner.entries(), strict=True))


@given(piecewise, centres, st.fractions(0, 2, max_denominator=8), shifts, precision)
def test_images_enclose_and_points_are_exact(
    network: Network, centre: list[Fraction], radius: Fraction, moves: list[Fraction], bits: int | None
) -> None:
    box, (x, _) = boxed(network, centre, radius, moves)
    image = network.image(Matrix.column(x))
    assert [image.middle(row) for row in range(network.dimension)] == naive(network, x)
    assert image.is_exact
    assert encloses(network.image(box, bits), image)
    assert encloses(network.image(Matrix.column(x), bits), image)


@settings(max_examples=40)
@given(smooth, centres, st.fractions(0, 1, max_denominator=8), shifts, st.integers(8, 64))
def test_smooth_images_enclose(network: Network, centre: list[Fraction], radius: Fraction, moves: list[Fraction], bits: int) -> None:
    box, (x, _) = boxed(network, centre, radius, moves)
    coarse, fine = network.image(box, bits), network.image(Matrix.column(x), 128)
    for one, two in zip(coarse.entries(), fine.entries(), strict=True):
        assert one.lo <= two.hi
        assert two.lo <= one.hi


@given(networks(wide=True), centres, shifts, precision)
def test_weights_with_radii_enclose_each_member(network: Network, centre: list[Fraction], moves: list[Fraction], bits: int | None) -> None:
    box, (x, _) = boxed(network, centre, Fraction(1, 3), moves)
    member = sharp(network)
    image = member.image(Matrix.column(x))
    assert encloses(network.image(box, bits), image)
    pattern = network.pattern(box, bits)
    if pattern is not None:
        assert member.pattern(Matrix.column(x)) == pattern
        assert encloses(network.piece(pattern).image(Matrix.column(x)), image)


def secant_holds(network: Network, slopes: Matrix, x: list[Fraction], y: list[Fraction]) -> bool:
    """Say whether F(x) - F(y) and J (x - y) have a point in common."""
    difference = network.image(Matrix.column(x), 128) - network.image(Matrix.column(y), 128)
    image = slopes @ Matrix.column([a - b for a, b in zip(x, y, strict=True)])
    return not any(one.apart(two) for one, two in zip(difference.entries(), image.entries(), strict=True))


@settings(max_examples=60)
@given(smooth | piecewise, centres, st.fractions(0, 2, max_denominator=8), shifts, st.integers(8, 64))
def test_secants_lie_in_the_jacobian_of_the_box(
    network: Network, centre: list[Fraction], radius: Fraction, moves: list[Fraction], bits: int
) -> None:
    box, (x, y) = boxed(network, centre, radius, moves)
    assert secant_holds(network, network.jacobian(box, bits), x, y)


@settings(max_examples=60)
@given(networks(curves=CURVES), centres, centres, precision)
def test_secants_lie_in_the_global_jacobian(network: Network, one: list[Fraction], two: list[Fraction], bits: int | None) -> None:
    size = network.dimension
    assert secant_holds(network, network.jacobian(None, bits), one[:size], two[:size])


@given(piecewise, centres)
def test_pieces_agree_with_images_on_their_closed_regions(network: Network, centre: list[Fraction]) -> None:
    x = Matrix.column(centre[: network.dimension])
    image, gates = network.trace(x)
    values = [gate.middle(row) for gate in gates for row in range(len(gate.mid))]
    for border in "01":
        pattern = "".join("1" if value > 0 else "0" if value < 0 else border for value in values)
        piece = network.piece(pattern)
        assert (piece.image(x) - image).norm() == 0
        assert piece.gate_signs(x) == [(sign, sign) for sign in ((value > 0) - (value < 0) for value in values)]
    strict = network.pattern(x)
    assert (strict is None) == (0 in values)
    assert strict is None or (network.piece(strict).jacobian - network.jacobian(x)).norm() == 0


@given(networks(curves=CURVES, products=True, wide=True))
def test_reading_what_was_written_gives_the_same_network(network: Network) -> None:
    again = Network.read(parse_object(network.text.encode(), "line 1"))
    assert again.text == network.text
    assert again.digest == network.digest
    assert again.hinges == network.hinges


def test_huge_and_tiny_weights() -> None:
    for scale in (Fraction(2) ** 300, Fraction(2) ** -300, Fraction(0)):
        row = Operation("affine", (0,), (Matrix.exact([[scale]]),), Matrix.column([scale]))
        network = Network(1, (row, Operation("relu", (1,)), Operation("tanh", (2,))))
        value = network.image(Matrix.column([Fraction(1)]), 16).interval(0)
        true = tanh(Matrix.column([2 * scale]).interval(0), 64)
        assert value.lo <= true.hi
        assert true.lo <= value.hi
        assert value.hi - value.lo < Fraction(1, 1000)
