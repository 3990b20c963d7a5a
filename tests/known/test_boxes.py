"""Complete lists of cycles in boxes and finite-time exponents, against closed forms, polynomials and many digits."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from math import log, pi, sin, sqrt
from pathlib import Path

import mpmath
import numpy as np
import pytest

from proofs.claims import MultiplierModuli
from proofs.network import Network
from tests.known.exponents import PERIOD_3, START, THREE_CYCLE, finder_network, henon, logistic, tanh_network
from tests.verify.certification.test_finite_time import digits_of
from verify.certification import Effort, cycles
from verify.certification.draft import Draft
from verify.certification.finite_time import certify_finite_time
from verify.certification.smooth_cycles import SmoothCycles, index_sum, prove_all_cycles, signs_of
from verify.loading import load
from verify.search.smooth_cycles import Sides

UNIT = ((Fraction(0), Fraction(1)),)
LARGER = ((Fraction(-1, 16), Fraction(17, 16)),)
HENON_BOX = ((Fraction(-3, 2), Fraction(3, 2)), (Fraction(-1, 2), Fraction(1, 2)))
EFFORT = Effort(budget_seconds=600.0)


def in_box(network: Network, up_to: int, sides: Sides) -> SmoothCycles:
    """Return the list in a box; the kernel has read the whole certificate."""
    draft = Draft(network)
    found = prove_all_cycles(draft, up_to, sides=sides)
    assert found.claim is not None, found.reasons
    draft.finish([found.claim])
    assert (found.complete, found.claim.everywhere) == (True, False)
    return found


def points(found: SmoothCycles, period: int) -> np.ndarray:
    """Return the middles of the balls of all cycles of one period, in order."""
    chosen = [cycle.points for cycle in found.cycles if cycle.period == period]
    return np.array(sorted(tuple(float((side.lo + side.hi) / 2) for side in ball) for balls in chosen for ball in balls))


def by_polynomials(period: int) -> list[float]:
    """Return the real points of least period k = 2 or 3 of the logistic map, r = 3.83, as roots of (f^k(x) - x) / (f(x) - x)."""
    x = np.polynomial.Polynomial([0.0, 1.0])
    step = 3.83 * x * (1 - x)
    iterate = step(step) if period == 2 else step(step(step))
    roots = np.asarray(((iterate - x) // (step - x)).roots(), dtype=complex)
    return [float(root.real) for root in roots if abs(root.imag) < 1e-7]


def by_sines(period: int) -> list[float]:
    """Return the points of least period k = 2 or 3 for r = 4: sin^2(pi j / (2^k - 1)) and sin^2(pi j / (2^k + 1)) return in k steps."""
    chosen = ((5, (1, 2)),) if period == 2 else ((7, (1, 2, 3)), (9, (1, 2, 4)))
    return [sin(pi * j / n) ** 2 for n, steps in chosen for j in steps]


@pytest.mark.parametrize(("r", "truth", "stable"), [(Fraction(383, 100), by_polynomials, 1), (Fraction(4), by_sines, 0)])
def test_all_cycles_of_the_logistic_map(r: Fraction, truth: Callable[[int], list[float]], stable: int) -> None:
    """Up to period 3: 2, 1 and 2 cycles; at r = 3.83 one of the 3-cycles is stable."""
    found = in_box(logistic(r), 3, LARGER)
    assert Counter(cycle.period for cycle in found.cycles) == {1: 2, 2: 1, 3: 2}
    assert points(found, 1) == pytest.approx(np.array([[0], [1 - 1 / float(r)]]), abs=1e-9)
    for period in (2, 3):
        assert points(found, period) == pytest.approx(np.array([[x] for x in sorted(truth(period))]), abs=1e-6)
    assert sum(cycle.stability is not None and cycle.stability.label == "stable" for cycle in found.cycles) == stable


def test_a_fixed_point_on_a_side_of_the_box_is_neither_listed_nor_denied() -> None:
    found = prove_all_cycles(Draft(logistic(Fraction(4))), 1, sides=UNIT)
    assert (found.claim, found.complete_up_to) == (None, 0)
    assert "not settled, within [0, " in found.reasons[0]


def test_all_cycles_of_henon_up_to_period_2() -> None:
    """Fixed points: a x^2 + (1 - b) x = 1. The 2-cycle has the sum (1 - b) / a and the product ((1 - b)^2 - a) / a^2."""
    a, b = 1.4, 0.3
    found = in_box(henon(), 2, HENON_BOX)
    assert Counter(cycle.period for cycle in found.cycles) == {1: 2, 2: 1}
    root = sqrt((1 - b) ** 2 + 4 * a)
    fixed = [(-(1 - b) + sign * root) / (2 * a) for sign in (-1, 1)]
    half, product = (1 - b) / (2 * a), ((1 - b) ** 2 - a) / a**2
    pair = [half - sqrt(half**2 - product), half + sqrt(half**2 - product)]
    assert points(found, 1) == pytest.approx(np.array([(x, b * x) for x in fixed]), abs=1e-9)
    assert points(found, 2) == pytest.approx(np.array([(pair[0], b * pair[1]), (pair[1], b * pair[0])]), abs=1e-9)


def test_the_three_neurons_of_the_examples_up_to_period_2(root: Path) -> None:
    """All of R^3: the origin and one 2-cycle; both index sums are the degree, 1. No 3-cycle is looked for here."""
    draft = Draft(load(root / "examples" / "three_neurons.json").network)
    found = prove_all_cycles(draft, 2)
    assert (found.complete, found.claim is not None and found.claim.everywhere) == (True, True)
    assert Counter(cycle.period for cycle in found.cycles) == {1: 1, 2: 1}
    assert [index_sum([(cycle.period, signs_of(cycle)) for cycle in found.cycles], k) for k in (1, 2)] == [1, 1]
    assert points(found, 1)[0] == pytest.approx(np.zeros(3), abs=1e-9)


@pytest.mark.slow
def test_the_three_neurons_of_the_examples_up_to_period_3(root: Path) -> None:
    """Two of the four 3-cycles, each minus the other, are stable; the exponents known to many digits lie within their certified moduli."""
    found = cycles(load(root / "examples" / "three_neurons.json"), 3, complete=True, effort=EFFORT)
    assert (found.complete, found.everywhere, found.cycles_by_least_period) == (True, True, {1: 1, 2: 1, 3: 4})
    assert found.index_sum == {1: 1, 2: 1, 3: 1}
    stable = [claim for claim in found.claims if isinstance(claim, MultiplierModuli) and claim.cycle.period == 3 and claim.rates[-1] < 1]
    assert len(stable) == 2
    for moduli in stable:
        below = [sum(value < log(rate) for value in THREE_CYCLE) for rate in moduli.rates]
        assert (below, below[-1]) == (list(moduli.counts), 3)


def test_a_list_is_checked_by_the_standard_library_alone(root: Path, tmp_path: Path) -> None:
    found, file = cycles(finder_network(3), 1, complete=True, effort=EFFORT), tmp_path / "finder.cert"
    assert found.certificate is not None
    file.write_bytes(b"".join(found.certificate.lines()))
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [sys.executable, "-S", "-m", "proofs", "check", str(file)]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert "These are ALL cycles of F on R^M with least period at most 1: 3 of period 1" in done.stdout


def test_twenty_steps_of_the_integer_net() -> None:
    """Each exponent to twelve digits, and together the mean of log |det DF| along the orbit."""
    steps = 20
    with mpmath.workdps(400):
        truth = digits_of(PERIOD_3, START, steps)
        state, volume = mpmath.matrix(START), steps * mpmath.log(abs(mpmath.det(mpmath.matrix(PERIOD_3))))
        for _ in range(steps):
            state = (mpmath.matrix(PERIOD_3) * state).apply(mpmath.tanh)
            volume += sum(mpmath.log(1 - value**2) for value in state)
    found = certify_finite_time(tanh_network(PERIOD_3), START, steps, width=1e-12, budget=600.0)
    assert (found.steps, len(found.entries), found.undecided) == (steps, 3, ())
    ends = [(entry.lower, entry.upper) for entry in found.entries]
    for (low, high), value in zip(ends, truth, strict=True):
        assert low is not None
        assert high is not None
        assert high - low < 1.1e-12
        assert _fraction(low) < value < _fraction(high)
    assert sum(_fraction(low) for low, _ in ends) < volume / steps < sum(_fraction(high) for _, high in ends)


def _fraction(value: Fraction | None) -> mpmath.mpf:
    assert value is not None
    with mpmath.workdps(50):
        return mpmath.mpf(value.numerator) / value.denominator
