"""Linear forms along a word of a network with two states: double-double numbers, each with a bound on its error.

A form (a, b, c) stands for a x + b y + c in the starting point. Beside the numbers the states' forms are kept modulo a prime, where
nothing is ever rounded: a determinant that is not 0 there is not 0.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from proofs.arithmetic import Matrix
from proofs.network import Network
from proofs.theorems.lifted import lifted, live_hinges
from verify.numerics.compiled import compiled, inner

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

HEAD, TAIL, ERROR = range(3)  # the last axis: a double-double number and a bound on its error
UNIT = 2.0**-53  # half the spacing of doubles at 1
FINE = 2.0**-100  # no sum or product of double-double numbers below errs by more, relative to the sizes added
TINY = 2.0**-1000  # more than all that underflow takes from one of them
PRIME = 2147483647
_SPLITTER = 2.0**27 + 1


class Forms(NamedTuple):
    """What a walk knows of its word; entries beyond the word are stale.

    **Shapes:** weights (H + 2, H + 3, 3): the H live gates, then the two images, as coefficients of the two states, the relu outputs and
    1; residues the same modulo the prime. At bit r = t H + j: local[r] (3, 3), the gate as a form in the state at time t, and gates[r]
    (3, 3) in the starting point. At time t: states[t] (2, 3, 3), two forms in the starting point.
    """

    weights: Floats
    residues: Integers
    bits: NDArray[np.int8]
    local: Floats
    local_residues: Integers
    gates: Floats
    states: Floats
    state_residues: Integers


def prepared(network: Network, up_to: int) -> Forms | None:
    """Return the forms of the empty word; None without live hinges, or where the weights fit neither into doubles nor modulo the prime."""
    lines = _lines(network)
    size = (len(lines) - 2) * up_to
    if size == 0 or not all(value.denominator % PRIME for line in lines for value in line):
        return None
    try:
        weights = np.array([[_double_double(value) for value in line] for line in lines])
    except OverflowError:
        return None
    residues = np.array([[value.numerator * pow(value.denominator, -1, PRIME) % PRIME for value in line] for line in lines])
    states, state_residues = np.zeros((up_to + 1, 2, 3, 3)), np.zeros((up_to + 1, 2, 3), np.int64)
    for i in range(2):
        states[0, i, i, HEAD] = state_residues[0, i, i] = 1
    local, local_residues = np.zeros((size, 3, 3)), np.zeros((size, 3), np.int64)
    return Forms(weights, residues, np.zeros(size, np.int8), local, local_residues, np.zeros((size, 3, 3)), states, state_residues)


def _lines(network: Network) -> list[list[Fraction]]:
    """Return the live gates and the images as exact coefficients of the states, the live relu outputs and 1."""
    live = live_hinges(network)
    form = lifted(network, "0" * network.hinges)

    def line(linear: Matrix, outputs: Matrix, constants: Matrix, row: int) -> list[Fraction]:
        return [*(linear.middle(row, k) for k in range(2)), *(outputs.middle(row, k) for k in live), constants.middle(row)]

    gates = [line(form.gates, form.coupling, form.gate_offsets, hinge) for hinge in live]
    return gates + [line(form.jacobian, form.source, form.offset, state) for state in range(2)]


def _double_double(value: Fraction) -> tuple[float, float, float]:
    """Return head, tail, and a bound on what they miss."""
    head = float(value)
    tail = float(value - Fraction(head))
    return head, tail, 0.0 if value == Fraction(head) + Fraction(tail) else FINE * abs(head) + TINY


@compiled
def plus_product(total: tuple[float, float], a: float, a_tail: float, b: float, b_tail: float) -> tuple[float, float]:
    """Return total + (a + a_tail) (b + b_tail) in double-double arithmetic (Dekker 1971)."""
    product = a * b
    x, y = _SPLITTER * a, _SPLITTER * b
    x, y = x - (x - a), y - (y - b)
    rest = ((x * y - product) + x * (b - y) + (a - x) * y) + (a - x) * (b - y)
    head = total[0] + product
    part = head - total[0]
    tail = ((total[0] - (head - part)) + (product - part)) + (total[1] + rest + a * b_tail + a_tail * b)
    high = head + tail
    return high, tail - (high - head)


@inner
def _localise(forms: Forms, line: int, time: int, used: int, value: Floats, residue: Integers) -> None:
    """Write one line of the weights as a form in the state at ``time``, the first ``used`` letters there being known."""
    start, constant = time * (forms.weights.shape[0] - 2), forms.weights.shape[1] - 1
    for k in range(3):
        column = k if k < 2 else constant  # noqa: PLR2004 - two states
        total = (forms.weights[line, column, HEAD], forms.weights[line, column, TAIL])
        size, spread, rest = 0.0, forms.weights[line, column, ERROR], forms.residues[line, column]
        for i in range(used):
            factor, error = forms.weights[line, 2 + i, HEAD], forms.weights[line, 2 + i, ERROR]
            one, unsure = forms.local[start + i, k, HEAD], forms.local[start + i, k, ERROR]
            if forms.bits[start + i] and not (factor == 0 and error == 0) and not (one == 0 and unsure == 0):
                total = plus_product(total, factor, forms.weights[line, 2 + i, TAIL], one, forms.local[start + i, k, TAIL])
                size += abs(total[0]) + abs(factor * one)
                spread += abs(factor) * unsure + error * (abs(one) + unsure) + TINY
                rest = (rest + forms.residues[line, 2 + i] * forms.local_residues[start + i, k]) % PRIME
        value[k, HEAD], value[k, TAIL] = total
        value[k, ERROR] = spread * (1 + 16 * (used + 1) * UNIT) + FINE * size
        residue[k] = rest


@inner
def _compose(forms: Forms, form: Floats, time: int, value: Floats) -> None:
    """Write a form in the state at ``time`` as a form in the starting point."""
    state = forms.states[time]
    for k in range(3):
        total, size, spread = (0.0, 0.0), 0.0, 0.0
        if k == 2:  # noqa: PLR2004 - the constant
            total, spread = (form[k, HEAD], form[k, TAIL]), form[k, ERROR]
        for i in range(2):
            one, two, error, unsure = form[i, HEAD], state[i, k, HEAD], form[i, ERROR], state[i, k, ERROR]
            if not (one == 0 and error == 0) and not (two == 0 and unsure == 0):
                total = plus_product(total, one, form[i, TAIL], two, state[i, k, TAIL])
                size += abs(one * two) + abs(total[0])
                spread += abs(one) * unsure + error * (abs(two) + unsure) + TINY
        value[k, HEAD], value[k, TAIL] = total
        value[k, ERROR] = spread * (1 + 16 * UNIT) + FINE * size


@compiled
def open_gate(forms: Forms, r: int) -> None:
    """Compute the forms of the gate at bit r from the bits before it."""
    hinges = forms.weights.shape[0] - 2
    time, hinge = r // hinges, r % hinges
    _localise(forms, hinge, time, hinge, forms.local[r], forms.local_residues[r])
    _compose(forms, forms.local[r], time, forms.gates[r])


@compiled
def step(forms: Forms, time: int) -> None:
    """Compute the forms of the state at ``time`` from those one step before."""
    hinges = forms.weights.shape[0] - 2
    value, residue, before = np.empty((3, 3)), np.empty(3, np.int64), forms.state_residues[time - 1]
    for i in range(2):
        _localise(forms, hinges + i, time - 1, hinges, value, residue)
        _compose(forms, value, time - 1, forms.states[time, i])
        for k in range(3):
            rest = residue[2] if k == 2 else 0  # noqa: PLR2004 - the constant
            rest += residue[0] * before[0, k] % PRIME + residue[1] * before[1, k] % PRIME
            forms.state_residues[time, i, k] = rest % PRIME


@compiled
def may_be_singular(forms: Forms, time: int, closing: bool) -> bool:
    """Say whether P, or with ``closing`` I - P, is singular modulo the prime; if not, it is nonsingular.

    **Guarantee:** exact where False.
    """
    one, rest = int(closing), forms.state_residues[time]
    diagonal, other = (one - rest[0, 0]) * (one - rest[1, 1]) % PRIME, rest[0, 1] * rest[1, 0] % PRIME
    return bool(diagonal == other)


@compiled
def closing_form(forms: Forms, time: int, i: int, value: Floats) -> None:
    """Write (I - P) z - q at coordinate i after ``time`` steps."""
    for k in range(3):
        start = 1.0 if k == i else 0.0
        form = forms.states[time, i, k]
        total = plus_product((start, 0.0), -1.0, 0.0, form[HEAD], form[TAIL])
        value[k, HEAD], value[k, TAIL] = total
        value[k, ERROR] = form[ERROR] + FINE * (start + abs(form[HEAD]) + abs(total[0]))
