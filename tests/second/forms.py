"""Symmetric matrices of intervals: definite, or positive in some direction."""

from __future__ import annotations

from fractions import Fraction

from tests.second import boxes


def is_symmetric(form: list) -> bool:
    """Say whether a matrix is symmetric and without radii."""
    return boxes.is_exact(form) and form == boxes.turned(form)


def is_positive(form: list) -> bool:
    """Say whether every symmetric matrix inside is proved positive definite: by elimination, or by its middle less the sums of radii."""
    if boxes.inertia(form) == (len(form), 0):
        return True
    if boxes.is_exact(form):
        return False
    spread = [sum(((entry[1] - entry[0]) / 2 for entry in row), Fraction(0)) for row in form]
    middle = [[(entry[0] + entry[1]) / 2 - spread[i] * (i == j) for j, entry in enumerate(row)] for i, row in enumerate(form)]
    return boxes.inertia([[boxes.point(x) for x in row] for row in middle]) == (len(form), 0)


def expands_somewhere(form: list) -> bool:
    """Say whether an exact symmetric matrix is positive in some direction: whether it is not negative semidefinite."""
    rows = [[entry[0] for entry in row] for row in form]
    while rows:
        if any(rows[i][i] > 0 for i in range(len(rows))):
            return True
        flat = next((i for i in range(len(rows)) if rows[i][i] == 0), None)
        if flat is not None and any(rows[flat]):
            return True
        last = flat if flat is not None else len(rows) - 1
        rest = [i for i in range(len(rows)) if i != last]
        factor = [rows[i][last] / rows[last][last] if flat is None else Fraction(0) for i in range(len(rows))]
        rows = [[rows[i][j] - factor[i] * rows[last][j] for j in rest] for i in rest]
    return False
