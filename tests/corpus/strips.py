"""Witnesses for covering graphs, solved exactly: strips that a word maps right across a box."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from proofs.grammar import read_number
from proofs.network import Network
from tests.corpus.parts import Rows, identity, middles, product, rounded, solve, spell

Exact = list[list[Fraction]]
Box = tuple[Sequence[object], Rows]
Path = tuple[int, int, Sequence[str]]  # from, to, one pattern a step


def exact(rows: Rows) -> Exact:
    """Return rows of rationals."""
    return [[read_number(str(entry), "corpus") for entry in row] for row in rows]


def column(values: Sequence[object]) -> Exact:
    """Return a column of rationals."""
    return exact([[value] for value in values])


def plus(one: Exact, two: Exact, sign: int = 1) -> Exact:
    """Return one + sign two."""
    return [[a + sign * b for a, b in zip(r, s, strict=True)] for r, s in zip(one, two, strict=True)]


def composed(network: Network, word: Sequence[str]) -> tuple[Exact, Exact]:
    """Return P and q with F^n(z) = P z + q along a word, at the middles of the weights."""
    linear, constant = identity(network.dimension), column([0] * network.dimension)
    for pattern in word:
        piece = network.piece(pattern)
        jacobian = middles(piece.jacobian)
        linear, constant = product(jacobian, linear), plus(product(jacobian, constant), middles(piece.offset))
    return linear, constant


def strip(
    network: Network, boxes: Sequence[Box], path: Path, unstable: int, *, steps: int = 0, reach: str = "21/20", bits: int = 20
) -> dict:
    """Return the strip of a box that the first ``steps`` letters (all, if 0) map across a box, ``reach`` times as far as needed."""
    start, end, word = path
    (center, basis), (target, frame) = boxes[start], boxes[end]
    linear, constant = composed(network, word[: steps or len(word)])
    forward = solve(exact(frame), product(linear, exact(basis)))
    moved = plus(plus(product(linear, column(center)), constant), column(target), -1)
    shift = solve(exact(frame), moved)
    top = [row[:unstable] for row in forward[:unstable]]
    width = solve(top, [[Fraction(reach) * x for x in row] for row in identity(unstable)])
    found: dict = {
        "from": start, "to": end, "steps": steps or len(word), "itinerary": list(word),
        "offset": spell(rounded(-row[0], bits) for row in solve(top, shift[:unstable])),
        "width": [spell(rounded(x, bits) for x in row) for row in width],
    }  # fmt: skip
    if unstable < network.dimension:
        sheared = solve(top, [row[unstable:] for row in forward[:unstable]])
        found |= {"tilt": [spell(rounded(-x, bits) for x in row) for row in sheared], "height": reach}
    return found


def covering(
    network: Network, boxes: Sequence[Box], paths: Sequence[Path], rate: str, *, unstable: int = 1, weights: Sequence[object] = ()
) -> dict:
    """Return a witness for B5: every path is as long as its word."""
    return {
        "unstable": unstable,
        "boxes": [{"center": spell(map(str, center)), "basis": [spell(map(str, row)) for row in basis]} for center, basis in boxes],
        "paths": [strip(network, boxes, path, unstable) for path in paths],
        "weights": spell(map(str, weights)) or ["1"] * len(boxes),
        "rate": rate,
    }
