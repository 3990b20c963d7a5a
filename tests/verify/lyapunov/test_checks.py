"""The identities: they hold for right systems of every kind, and each fault breaks the one that is about it."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.verify.lyapunov.maps import Map, henon, random_net, tent
from verify.lyapunov import checks, engine
from verify.lyapunov.ahead import Ahead
from verify.lyapunov.engine import Engine, Stretch
from verify.lyapunov.orthogonal import Pace, quickly
from verify.lyapunov.spectra import spectrum


def recorded(system: Map, steps: int = 4, k: int | None = None) -> Stretch:
    """Return a stretch of several steps between two factorisations."""
    engine = Engine(system, system.start(2, 0), None, k or system.dimension, Pace(steps, system.dtype), 0)
    engine.settle(20)
    return engine.stretch(steps)


@pytest.mark.parametrize(("system", "k"), [(henon(), 2), (random_net(10, 1.5), 10), (random_net(80, 1.5), 7), (tent(1.9), 2)])
def test_right_systems_pass(system: Map, k: int) -> None:
    found = spectrum(system, steps=64, k=k, start=np.array([0.3, 0.0]) if system.name == "relu" else None)
    names = {"jacobian", "order", "resolution"} | ({"sum"} if k == system.dimension else set())
    assert {check.name for check in found.checks} == names
    assert not found.failed, found.failed


def test_without_a_formula_the_determinant_is_sampled() -> None:
    net = random_net(10, 1.5)
    by_formula = spectrum(net, steps=320)
    net.determinant = None
    sampled = spectrum(net, steps=320)
    told = {check.name: check.detail for check in sampled.checks}
    assert "a sample of" in told["sum"]
    assert sampled.log_det is not None
    assert by_formula.log_det is not None
    assert abs(sampled.log_det.value - by_formula.log_det.value) < 3 * sampled.log_det.half_width


def order_of(net: Map, stretch: Stretch) -> checks.Check:
    found = checks.adjoint_check(net, [stretch], 0)
    assert found is not None
    return found


def test_a_product_in_the_wrong_order_is_found() -> None:
    net = random_net(6, 1.5)
    stretch = recorded(net, 3)
    assert order_of(net, stretch).passed
    images = stretch.before
    for states, inputs in reversed(stretch.trail):
        images = net.push(states, inputs, images)[1]
    wrong = Stretch(stretch.trail, stretch.before, images, stretch.logs, None, whole=True)
    assert not order_of(net, wrong).passed


def test_a_transposed_jacobian_is_found() -> None:
    net = random_net(80, 1.5)
    right = net.jacobian
    net.jacobian = lambda x: right(x).mT
    assert {check.name for check in spectrum(net, steps=64, k=3).failed} == {"jacobian", "order"}


def sorted_down(logs: np.ndarray) -> np.ndarray:
    return -np.sort(-logs, axis=1)


def shifted(logs: np.ndarray) -> np.ndarray:
    return logs + 0.01


@pytest.mark.parametrize("k", [2, 6])
@pytest.mark.parametrize("fault", [shifted, sorted_down])
@pytest.mark.parametrize("differentiable", [True, False])
def test_wrong_logarithms_are_found(
    fault: Callable[[np.ndarray], np.ndarray], k: int, differentiable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = random_net(6, 3.0)
    rule = net.rule
    if not differentiable:
        net.rule = lambda x: torch.from_numpy(rule(x.detach()).numpy().copy())
    assert not spectrum(net, steps=128, k=k, qr=1).failed

    def wrong(images: np.ndarray) -> tuple[Tensor, np.ndarray] | None:
        found = quickly(images)
        return None if found is None else (found[0], fault(found[1]))

    monkeypatch.setattr(engine, "quickly", wrong)
    assert "order" in {check.name for check in spectrum(net, steps=128, k=k, qr=1).failed}


@pytest.mark.parametrize("k", [2, 6])
def test_jacobians_that_go_wrong_late_are_found(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    right = Ahead._fill

    def late(self: Ahead, time: int, states: Tensor, length: int) -> None:
        right(self, time, states, length)
        if time > 250:
            self.jacobians = self.jacobians * 1.01

    monkeypatch.setattr(Ahead, "_fill", late)
    found = spectrum(random_net(6, 1.5), steps=256, warmup=32, tangent_warmup=32, k=k)
    assert "order" in {check.name for check in found.failed}


def dying() -> Stretch:
    """Return a stretch of which the second direction is dead, the first and the third of size 2 and 1/2."""
    images = torch.diag(torch.tensor([2.0, 0.0, 0.5], dtype=torch.float64)).unsqueeze(0)
    logs = torch.tensor([[2.0, 0.5, 1.0]], dtype=torch.float64).log()
    logs[:, 2] = -inf
    return Stretch((), torch.eye(3, dtype=torch.float64).unsqueeze(0), images, logs, None, whole=True)


def test_logarithms_from_the_first_dead_direction_on_are_left_out() -> None:
    net, stretch = random_net(3, 1.5), dying()
    assert checks.logs_error(net, [stretch]) == 0
    stretch.logs[0, 0] += 1e-3
    assert abs(checks.logs_error(net, [stretch]) - 1e-3) < 1e-9
    stretch.logs[0, 0] = nan
    assert checks.logs_error(net, [stretch]) == inf
    stretch.images.zero_()
    assert checks.logs_error(net, [stretch]) == 0


def test_the_stretches_looked_at_are_spread() -> None:
    stretches = [dying() for _ in range(8)]
    assert [id(found) for found in checks.spread(stretches)] == [id(stretches[number]) for number in (0, 3, 7)]
    assert len(checks.spread(stretches[:1])) == 1
    assert checks.spread([]) == []


def test_a_wrong_determinant_is_found() -> None:
    net = random_net(5, 0.9)
    right = net.determinant
    assert right is not None
    net.determinant = lambda x: right(x) + 1e-3
    assert {check.name for check in spectrum(net, steps=64).failed} == {"sum"}


def test_a_push_that_moves_elsewhere_than_the_step_is_found() -> None:
    net = random_net(5, 0.9)

    class Elsewhere(Map):
        def push(self, states: Tensor, inputs: Tensor | None, frames: Tensor) -> tuple[Tensor, Tensor]:
            moved, images = super().push(states, inputs, frames)
            return moved + 1e-3, images

    other = Elsewhere(net.name, 5, net.rule, net.jacobian)
    assert "jacobian" in {check.name for check in spectrum(other, steps=64).failed}


def test_a_jacobian_of_nan_never_passes() -> None:
    net = random_net(5, 0.9)
    stretch = recorded(net)
    net.jacobian = lambda x: torch.full((len(x), 5, 5), nan, dtype=torch.float64)
    found = checks.jacobian_check(net, stretch.trail[:1], 0)
    assert found.value == inf
    assert not found.passed
    assert found.as_json()["value"] is None


@pytest.mark.parametrize("size", [4, 70])
def test_a_step_without_autodiff_is_compared_with_differences(size: int) -> None:
    net = random_net(size, 0.9)
    rule = net.rule

    def opaque(x: Tensor) -> Tensor:
        return torch.from_numpy(rule(x.detach().clone()).numpy().copy())

    net.rule = opaque
    found = spectrum(net, steps=64, k=2)
    told = {check.name: check.detail for check in found.checks}
    assert "central differences" in told["jacobian"]
    assert "order" not in told
    assert not found.failed


def test_a_sum_and_a_determinant_of_minus_infinity_agree() -> None:
    low = torch.tensor([-inf, 1.0])
    assert checks.determinant_by_formula(low, low, torch.float64, 2).value == 0
    assert not checks.determinant_by_formula(low, torch.tensor([0.0, 1.0]), torch.float64, 2).passed


def test_a_check_tells_itself() -> None:
    check = checks.Check("sum", 1e-12, 1e-8, "what")
    assert check.as_json() == {"name": "sum", "value": 1e-12, "tolerance": 1e-8, "passed": True, "detail": "what"}
