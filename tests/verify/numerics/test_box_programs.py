"""Forms that contradict each other on boxes: how much, with which multipliers, and multipliers that suit two maps at once."""

from __future__ import annotations

import numpy as np
import pytest

from verify.numerics.box_programs import BoxProgram, Step, common_multipliers


def test_forms_that_agree_and_forms_that_do_not() -> None:
    program = BoxProgram(np.array([-1.0]), np.array([1.0]))
    program.add(np.array([[1.0]]), np.array([-0.5]), np.array([0.01]))  # z >= 1/2
    assert program.solve()[0] == 0.0
    program.add(np.array([[-1.0]]), np.array([0.25]), np.array([0.01]))  # z <= 1/4
    height, values = program.solve()
    assert program.count == 2
    assert height == pytest.approx(12.5)  # the sum is -1/4, that of the losses 0.02
    assert values[0] == pytest.approx(values[1])
    program.truncate(1)
    assert (program.count, program.solve()[0]) == (1, 0.0)


def test_the_box_counts() -> None:
    program = BoxProgram(np.array([0.0, 0.0]), np.array([1.0, 1.0]))
    program.add(np.array([[1.0, 1.0]]), np.array([-2.5]), np.array([0.1]))
    height, values = program.solve()
    assert height == pytest.approx(5.0)
    assert values.shape == (1,)


def test_forms_known_too_badly() -> None:
    program = BoxProgram(np.array([-1.0]), np.array([1.0]))
    program.add(np.array([[1.0], [-1.0]]), np.array([-0.5, 0.25]), np.array([1.0, 1.0]))
    assert 0 < program.solve()[0] < 1


def fixed_point(slopes: tuple[float, ...], low: float, high: float) -> Step:
    """Return z -> slope z + 1 at a point of the box with z <= 0."""
    maps, one = len(slopes), np.ones(1)
    return Step(
        np.array([low]),
        np.array([high]),
        [np.array([[slope]]) for slope in slopes],
        [one] * maps,
        [-np.array([[1.0]])] * maps,
        [np.zeros(1)] * maps,
    )


@pytest.mark.parametrize("slopes", [(0.2, 0.2), (0.0, 0.9), (-3.0, 0.9)])
def test_multipliers_for_both_maps(slopes: tuple[float, ...]) -> None:
    step = fixed_point(slopes, -60.0, 0.0)
    height, gates, after = common_multipliers([step], closing=True)
    assert height > 0
    for slope in slopes:
        coefficient = -gates[0][0] + after[0][0] * (slope - 1)
        assert after[0][0] + max(coefficient * -60.0, 0.0) < 0


def test_no_multipliers_where_one_of_the_maps_has_the_point() -> None:
    height, _, after = common_multipliers([fixed_point((0.2, 2.0), -60.0, 0.0)], closing=True)
    assert (height, len(after)) == (0.0, 1)
    height, _, after = common_multipliers([fixed_point((-0.2, -0.3), -60.0, 0.0)] * 2, closing=False)
    assert (height > 0, len(after)) == (True, 1)  # z <= 0 twice is impossible: the image is at least 1


def test_no_gates() -> None:
    step = Step(np.array([-5.0]), np.array([5.0]), [np.array([[1.1]])], [np.ones(1)], [np.zeros((0, 1))], [np.zeros(0)])
    height, gates, after = common_multipliers([step], closing=True)
    assert height > 0
    assert (gates[0].shape, after[0].shape) == ((0,), (1,))
