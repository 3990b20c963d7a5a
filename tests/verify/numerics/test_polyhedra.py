"""Half-open polyhedra in exact arithmetic: each answer proves itself."""

from __future__ import annotations

import random
from operator import mul

import pytest

from proofs.theorems.word_path import excludes
from verify.numerics.polyhedra import Polyhedron, Row


def holds(row: Row, polyhedron: Polyhedron) -> bool:
    """Say whether a row holds at the polyhedron's point."""
    *place, _, scale = polyhedron.point
    value = sum(map(mul, row[0], (*place, scale)))
    return value > 0 or (value == 0 and not row[1])


def random_rows(rng: random.Random, size: int, largest: int) -> list[Row]:
    count = rng.randint(1, 4 * size)
    return [(tuple(rng.randint(-largest, largest) for _ in range(size + 1)), rng.random() < 0.5) for _ in range(count)]


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("largest", [1, 2, 50])
def test_a_point_or_rows_that_exclude_each_other(size: int, largest: int) -> None:
    rng = random.Random(10 * size + largest)
    answers = set()
    for _ in range(150):
        rows = random_rows(rng, size, largest)
        part = Polyhedron.whole(size).cut_by(rows)
        answers.add(isinstance(part, Polyhedron))
        if isinstance(part, Polyhedron):
            assert part.point[-1] > 0 < part.point[-2]
            assert all(holds(row, part) for row in rows)
        else:
            assert len(part) <= size + 1
            assert excludes([rows[i] for i in part])
    assert answers == {True, False}


@pytest.mark.parametrize("size", [2, 3])
def test_one_row_after_the_other(size: int) -> None:
    """Cutting row by row ends like cutting by all at once, with the row that emptied it among those named."""
    rng = random.Random(size)
    for _ in range(100):
        rows = random_rows(rng, size, 3)
        part: Polyhedron | tuple[int, ...] = Polyhedron.whole(size)
        for i, row in enumerate(rows):
            assert isinstance(part, Polyhedron)
            part = part.cut(row)
            if not isinstance(part, Polyhedron):
                assert part[-1] == i
                assert excludes([rows[j] for j in part])
                break
        assert isinstance(part, Polyhedron) == isinstance(Polyhedron.whole(size).cut_by(rows), Polyhedron)


def test_one_point_on_a_border() -> None:
    """Rows x >= 0 and -x >= 0 leave x = 0; with either of them strict nothing is left, and both are named."""
    right, left = ((1, 0, 0), False), ((-2, 0, 0), False)
    line = Polyhedron.whole(2).cut_by([right, left])
    assert isinstance(line, Polyhedron)
    assert line.point[0] == 0
    assert line.cut(((1, 0, 0), True)) == (1, 2)
    assert line.cut(((0, 1, 5), True)) != (1, 2)


def test_a_row_that_is_constant() -> None:
    plane = Polyhedron.whole(2)
    assert isinstance(plane.cut(((0, 0, 0), False)), Polyhedron)
    assert plane.cut(((0, 0, 0), True)) == (0,)
    assert plane.cut(((0, 0, -1), False)) == (0,)
