"""Step functions written by a user."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from math import nan
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils import prune
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from proofs.errors import Malformed
from tests.verify.lyapunov.dense import dense_jacobians
from verify.lyapunov.checks import jacobian_check
from verify.lyapunov.spectra import spectrum
from verify.lyapunov.systems import system_of

W = torch.tensor([[-4, 2, -4], [-4, -4, 2], [0, -4, -4]], dtype=torch.float64)
V = torch.tensor([[1.0, 0.5], [-1.0, 2.0], [0.3, 0.1]], dtype=torch.float64)


def henon(z: Tensor) -> Tensor:
    return torch.stack((1 - 1.4 * z[0] ** 2 + z[1], 0.3 * z[0]))


def net(z: Tensor, u: Tensor) -> Tensor:
    return torch.tanh(W @ z + V @ u)


def test_push_is_the_jacobian() -> None:
    system = system_of(henon, dimension=2)
    assert (system.name, system.mode, system.dimension, system.input_size) == ("henon", "autonomous", 2, None)
    states, frames = system.start(4, 0), torch.randn(4, 2, 3).double()
    new, moved = system.push(states, None, frames)
    x = states[:, 0]
    jacobians = torch.stack((torch.stack((-2.8 * x, torch.ones(4)), 1), torch.tensor([[0.3, 0.0]]).double().expand(4, -1)), 1)
    assert torch.allclose(new, torch.stack((1 - 1.4 * x**2 + states[:, 1], 0.3 * x), 1), atol=1e-15)
    assert torch.equal(new, system.step(states, None))
    assert torch.allclose(moved, jacobians @ frames, rtol=0, atol=1e-7)
    assert system.log_det(states, None) is None


def test_driven_and_held_at_zero() -> None:
    system = system_of(net, dimension=3)
    states, x, frames = torch.randn(4, 3).double(), torch.randn(4, 2).double(), torch.randn(4, 3, 5).double()
    new, jacobians = dense_jacobians(lambda z: torch.tanh(z @ W.T + x @ V.T), states)
    assert system.mode == "driven"
    assert torch.allclose(system.step(states, x), new, atol=1e-14)
    found = system.push(states, x, frames)
    assert torch.allclose(found[0], new, atol=1e-14)
    assert torch.allclose(found[1], jacobians @ frames, rtol=0, atol=1e-12)
    held = system_of(net, dimension=3, driven=False, input_size=2)
    assert held.mode == "autonomous"
    assert torch.allclose(held.step(states, None), torch.tanh(states @ W.T), atol=1e-14)


def test_closed_loop() -> None:
    readout = torch.nn.Linear(3, 2)
    system = system_of(net, dimension=3, closed_loop=readout)
    weight, bias = readout.weight.double(), readout.bias.double()
    states, frames = torch.randn(4, 3).double(), torch.randn(4, 3, 5).double()
    new, jacobians = dense_jacobians(lambda z: torch.tanh(z @ W.T + (z @ weight.T + bias) @ V.T), states)
    found = system.push(states, None, frames)
    assert system.mode == "closed_loop"
    assert torch.allclose(found[0], new, atol=1e-14)
    assert torch.allclose(found[1], jacobians @ frames, rtol=0, atol=1e-12)


def test_dimension_from_the_start_and_defaults_are_no_inputs() -> None:
    def scaled(z: Tensor, factor: float = 2.0) -> Tensor:
        return factor * z

    system = system_of(scaled, start=torch.tensor([1.0, 2.0, 3.0]))
    assert (system.dimension, system.mode) == (3, "autonomous")
    assert system.step(system.start(1, 0), None).tolist() == [[2, 4, 6]]
    assert system_of(scaled, start=torch.ones(2, 3)).start(2, 0).shape == (2, 3)


def test_the_orbit_of_period_three() -> None:
    """The notes' 3-cycle: log |eig| of three pushes, the last factor left."""
    system = system_of(lambda z: torch.tanh(W @ z), start=torch.tensor([0.1, 0.2, -0.3], dtype=torch.float64))
    states = system.start(1, 0)
    for _ in range(3000):
        states = system.step(states, None)
    frames = torch.eye(3).double()[None]
    for _ in range(3):
        states, frames = system.push(states, None, frames)
    found = torch.linalg.eigvals(frames[0]).abs().log().sort(descending=True)[0] / 3
    assert found.tolist() == pytest.approx([-1.0169133922, -3.6951472621, -8.5860879295], abs=1e-6)
    assert found.tolist()[0] == pytest.approx(-1.0169133922, abs=1e-10)


def branching(z: Tensor) -> Tensor:
    return z if z[0] > 0 else -z


def leaving(z: Tensor) -> object:
    return z.detach().numpy()


@pytest.mark.parametrize(
    ("function", "wishes", "told"),
    [
        (lambda z: torch.cat((z, z)), {}, ("non-square step", "shape (2,)", "shape (4,)")),
        (lambda z: z.sum(), {}, ("non-square step", "shape ()")),
        (leaving, {}, ("step function leaving", "torch.func")),
        (lambda _: [1.0, 2.0], {}, ("a step returns a tensor", "a list")),
        (lambda z: z.float(), {}, ("one dtype", "torch.float64", "torch.float32", "pass dtype=")),
        (lambda z: torch.log(z - 10), {}, ("a step returns numbers", "nan or infinity in state 0 of the batch")),
        (branching, {}, ("the step can be run and differentiated by torch.func", "choose between values by torch.where")),
        (lambda z: torch.ones(3, 5).double() @ z, {}, ("torch.func", "RuntimeError")),
        (lambda z, u, v: z + u + v, {}, ("step(state) or step(state, input)", "step(z, u, v)")),
        (henon, {"dimension": None}, ("the size of the state is known", "dimension=n or start=state", "neither")),
        (henon, {"dimension": 0}, ("got       0",)),
        (henon, {"driven": True}, ("step(state) has no input", "driven=True")),
        (henon, {"closed_loop": lambda h: h}, ("a loop closes over the input",)),
        (lambda z, u: z + u, {"driven": False}, ("driven=False holds the input at 0", "input_size=m")),
        (lambda z, u: z + u, {"input_size": 3}, ("torch.func", "size of tensor")),
        (henon, {"start": torch.tensor([nan, 0.0])}, ("a state to start from",)),
        (henon, {"start": torch.zeros(3)}, ("a state to start from", "shape (2,)")),
    ],
)
def test_bad_functions(function: Callable[..., Tensor], wishes: dict[str, Any], told: tuple[str, ...]) -> None:
    with pytest.raises(Malformed) as caught:
        system_of(function, **{"dimension": 2, **wishes})
    assert all(part in str(caught.value) for part in told), str(caught.value)


def test_nan_on_the_way() -> None:
    system = system_of(lambda z: torch.sqrt(z - 1), start=torch.tensor([5.0]))
    states = system.start(1, 0)
    for _ in range(3):
        states = system.step(states, None)
    for move in (system.step, lambda z, x: system.push(z, x, torch.ones(1, 1, 1).double())):
        with pytest.raises(Malformed, match="nan or infinity in state 0"):
            move(states, None)


def test_inputs_that_do_not_fit() -> None:
    driven, alone = system_of(net, dimension=3, input_size=2), system_of(henon, dimension=2)
    for system, inputs in ((driven, None), (driven, torch.zeros(4, 3)), (driven, torch.zeros(3, 2)), (alone, torch.zeros(4, 1))):
        with pytest.raises(Malformed, match="step function"):
            system.step(system.start(4, 0), inputs)


def detached(z: Tensor) -> Tensor:
    return torch.stack((0.5 * z[0], 0.7 * z[1].detach()))


def straight_through(z: Tensor) -> Tensor:
    """Round in steps of 0.1, with the slope of the identity."""
    smooth = torch.tanh(2 * z)
    return smooth + (torch.round(10 * smooth) / 10 - smooth).detach()


@pytest.mark.parametrize("function", [detached, straight_through])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_what_autodiff_does_not_see_is_found_by_differences(function: Callable[[Tensor], Tensor], dtype: str) -> None:
    found = spectrum(function, dimension=2, steps=64, blocks=8, dtype=dtype)
    (failed,) = found.failed
    assert failed.name == "jacobian"
    assert "central differences" in failed.detail


HONEST: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": lambda z: torch.relu(W.to(z) @ z + 0.1),
    "modulo": lambda z: (W.to(z) @ z) % 1,
    "steep": lambda z: torch.tanh(800 * W.to(z) @ z),
    "saturated": lambda z: torch.tanh(9 + W.to(z) @ z),
    "tiny": lambda z: 1 + 1e-9 * torch.sin(z),
    "absolute": lambda z: 1 - 1.7 * z.abs(),
}


@pytest.mark.parametrize("name", HONEST)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_honest_functions_pass_on_and_off_their_borders(name: str, dtype: torch.dtype) -> None:
    system = system_of(HONEST[name], dimension=3, dtype=dtype)
    normal = torch.randn(12, 3, generator=torch.Generator().manual_seed(0))
    states = torch.cat((normal, 20 * normal, 1e-6 * normal, torch.zeros(1, 3))).to(dtype)
    found = jacobian_check(system, [(state[None], None) for state in states], 0)
    assert found.passed, found


def test_a_state_on_a_border_is_left_out() -> None:
    system = system_of(torch.relu, dimension=3)
    found = jacobian_check(system, [(torch.zeros(1, 3).double(), None), (torch.ones(1, 3).double(), None)], 0)
    assert found.passed
    both = "push against autodiff at 2 states and against central differences at 2 states"
    assert found.detail == f"{both}, 1 left out: kinked or too steep for differences"


def test_a_step_with_edges_to_its_domain_is_left_out() -> None:
    system = system_of(torch.sqrt, start=torch.tensor([1e-9]))
    found = jacobian_check(system, [(system.start(1, 0), None)], 0)
    assert found.passed
    assert "1 left out" in found.detail


class Cubed(torch.nn.Linear):
    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name of torch
        return super().forward(input) ** 3


def hooked(size: int, out: int) -> torch.nn.Module:
    module = torch.nn.Linear(size, out)
    module.register_forward_hook(lambda _module, _inputs, value: value.sin())
    return module


READOUTS: dict[str, Callable[[int, int], torch.nn.Module]] = {
    "plain": torch.nn.Linear,
    "parametrised": lambda n, m: weight_norm(torch.nn.Linear(n, m)),
    "spectral": lambda n, m: spectral_norm(torch.nn.Linear(n, m)),
    "pruned": lambda n, m: prune.l1_unstructured(torch.nn.Linear(n, m), "weight", amount=0.5),
    "own forward": Cubed,
    "hooked": hooked,
    "without bias": lambda n, m: torch.nn.Linear(n, m, bias=False),
    "normed": lambda n, m: torch.nn.Sequential(torch.nn.Linear(n, m), torch.nn.BatchNorm1d(m)).eval(),
}


@pytest.mark.parametrize("name", READOUTS)
def test_readouts_of_every_kind(name: str) -> None:
    torch.manual_seed(1)
    readout = READOUTS[name](3, 2).double()
    before = deepcopy(readout.state_dict())
    system = system_of(net, dimension=3, closed_loop=readout)
    states, frames = torch.randn(4, 3).double(), torch.randn(4, 3, 5).double()
    found = system.push(states, None, frames)
    assert all(torch.equal(value, before[key]) for key, value in readout.state_dict().items())
    new, jacobians = dense_jacobians(lambda z: torch.tanh(z @ W.T + readout(z) @ V.T), states)
    assert torch.allclose(found[0], new, atol=1e-14)
    assert torch.allclose(found[1], jacobians @ frames, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", READOUTS)
def test_a_readout_in_another_dtype_keeps_it_and_gets_its_gradients(name: str) -> None:
    module, readout = torch.nn.RNN(2, 3), READOUTS[name](3, 2)
    system = system_of(module, closed_loop=readout, differentiable=True)
    parameters = list(readout.parameters())
    gradients = torch.autograd.grad(system.step(system.start(2, 0), None).sum(), parameters)
    assert all(bool(gradient.isfinite().all()) for gradient in gradients)
    assert any(bool(gradient.abs().sum() > 0) for gradient in gradients)
    assert {value.dtype for part in readout.modules() for value in vars(part).values() if isinstance(value, Tensor)} <= {torch.float32}


@pytest.mark.parametrize("differentiable", [False, True])
def test_a_readout_that_counts_is_not_changed(differentiable: bool) -> None:
    readout = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).double()
    before = deepcopy(readout.state_dict())

    def run() -> None:
        system = system_of(torch.nn.RNN(2, 3), closed_loop=readout, differentiable=differentiable)
        system.push(system.start(2, 0), None, torch.ones(2, 3, 1).double())

    with pytest.raises(Malformed, match="closed_loop"):
        run()
    assert all(torch.equal(value, before[key]) for key, value in readout.state_dict().items())
