"""Published architectures: the modules against their formulas, their systems against the modules."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Any, Literal, cast

import pytest
import torch
from torch import Tensor

from proofs.errors import Malformed
from tests.verify.lyapunov.dense import dense_jacobians, doubled, known
from verify.lyapunov.architectures import ESN, AntisymmetricRNN, CoRNN, LeakyRNN, LipschitzRNN, Recurrent
from verify.lyapunov.systems import system_of

H, M, B = 4, 3, 5
Case = tuple[str, Recurrent, Tensor, Tensor]
KINDS: dict[str, Callable[[], Recurrent]] = {
    "coRNN": lambda: CoRNN(M, H, dt=0.3),
    "coRNN imex": lambda: CoRNN(M, H, dt=0.3, scheme="imex"),
    "Lipschitz": lambda: LipschitzRNN(M, H, eps=0.3, alpha=0.7),
    "Lipschitz gated": lambda: LipschitzRNN(M, H, eps=0.3, alpha=0.7, gated=True),
    "antisymmetric": lambda: AntisymmetricRNN(M, H, eps=0.3),
    "antisymmetric gated": lambda: AntisymmetricRNN(M, H, eps=0.3, gated=True),
    "leaky": lambda: LeakyRNN(M, H, a=0.3),
    "leaky potential": lambda: LeakyRNN(M, H, a=0.3, coordinates="potential"),
    "leaky a = 1": lambda: LeakyRNN(M, H, a=1.0),
    "leaky potential a = 1": lambda: LeakyRNN(M, H, a=1.0, coordinates="potential"),
    "ESN": lambda: ESN(M, H, density=1.0, bias_scale=0.5, seed=1),
    "ESN leaky": lambda: ESN(M, H, density=1.0, leak=0.4, seed=1),
}
WITH_FORMULA = {"coRNN", "coRNN imex", "leaky a = 1", "leaky potential a = 1", "ESN"}


@pytest.fixture(params=KINDS)
def case(request: pytest.FixtureRequest) -> Case:
    """Return a module with random weights in float64, states and inputs."""
    torch.manual_seed(4)
    module = KINDS[request.param]().double()
    return request.param, module, torch.randn(B, module.state_size).double(), torch.randn(B, M).double()


def test_push_is_the_jacobian_of_the_module(case: Case) -> None:
    _, module, states, x = case
    system = system_of(module)
    expected, jacobians = dense_jacobians(lambda z: module(x[None], z)[1], states)
    assert torch.allclose(system.step(states, x), expected, atol=1e-14)
    for k in (1, system.dimension, 100):
        frames = torch.randn(B, system.dimension, k).double()
        new, moved = system.push(states, x, frames)
        assert torch.allclose(new, expected, atol=1e-14)
        assert torch.allclose(moved, jacobians @ frames, rtol=0, atol=1e-12)


def test_log_det_is_that_of_the_dense_jacobian(case: Case) -> None:
    name, module, states, x = case
    found = system_of(module).log_det(states, x)
    jacobians = dense_jacobians(lambda z: module(x[None], z)[1], states)[1]
    assert (found is not None) == (name in WITH_FORMULA)
    if found is not None:
        assert torch.allclose(found, torch.linalg.slogdet(jacobians)[1], rtol=0, atol=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_closed_loop(case: Case, seed: int) -> None:
    _, module, states, _ = case
    torch.manual_seed(seed)
    readout = torch.nn.Sequential(torch.nn.Linear(H, M), torch.nn.Sigmoid()).double()
    system = system_of(module, closed_loop=readout)
    expected, jacobians = dense_jacobians(lambda z: module(readout(z[:, :H])[None], z)[1], states)
    for k in (7, 100):
        frames = torch.randn(B, system.dimension, k).double()
        new, moved = system.push(states, None, frames)
        assert torch.allclose(new, expected, atol=1e-14)
        assert torch.allclose(moved, jacobians @ frames, rtol=0, atol=1e-12)


def test_without_input(case: Case) -> None:
    _, module, states, _ = case
    expected = module(torch.zeros(1, B, M).double(), states)[1]
    assert torch.allclose(system_of(module, driven=False).step(states, None), expected, atol=1e-14)
    assert torch.allclose(module.next_state(states, None), expected, atol=1e-14)


def test_a_differentiable_push_reaches_every_parameter(case: Case) -> None:
    _, module, states, x = case
    if not list(module.parameters())[1:] or isinstance(module, ESN):
        return
    frames = torch.randn(B, states.shape[1], 3).double()

    def gradients(*, dense: bool) -> tuple[Tensor, ...]:
        system = system_of(module, differentiable=True)
        if dense:
            new, jacobian = dense_jacobians(lambda z: system.step(z, x), states)
            pair = new, jacobian @ frames
        else:
            pair = system.push(states, x, frames)
        return torch.autograd.grad(pair[0].sum() + pair[1].sin().sum(), list(module.parameters()))

    for one, two in zip(gradients(dense=False), gradients(dense=True), strict=True):
        assert torch.allclose(one, two, rtol=1e-10, atol=1e-12)


def test_formulas_of_the_modules() -> None:
    """One step of each from the published formula, written with numbers."""
    torch.manual_seed(0)
    y, z, u = (torch.randn(1, 2).double() for _ in range(3))
    net = CoRNN(2, 2, dt=0.1, gamma=2.0, epsilon=3.0).double()
    force = torch.tanh(y @ net.W.T + z @ net.W_z.T + u @ net.V.T + net.b) - 2.0 * y
    speed = z + 0.1 * (force - 3.0 * z)
    assert torch.allclose(net(u[None], torch.cat((y, z), 1))[1], torch.cat((y + 0.1 * speed, speed), 1))
    net = CoRNN(2, 2, dt=0.1, gamma=2.0, epsilon=3.0, scheme="imex").double()
    speed = net(u[None], torch.cat((y, z), 1))[1][:, 2:]
    force = torch.tanh(y @ net.W.T + z @ net.W_z.T + u @ net.V.T + net.b) - 2.0 * y
    assert torch.allclose(speed, z + 0.1 * (force - 3.0 * speed))
    other = LipschitzRNN(2, 2, eps=0.1, beta=0.8, gamma=0.01).double()
    A, W = (0.2 * (m + m.T) + 0.8 * (m - m.T) - 0.01 * torch.eye(2) for m in (other.B, other.C))
    assert torch.allclose(other(u[None], y)[1], y + 0.1 * (y @ A + torch.tanh(y @ W + other.E(u))))
    skew = AntisymmetricRNN(2, 2, eps=0.1, gamma=0.2).double()
    A = skew.U - skew.U.T - 0.2 * torch.eye(2)
    assert torch.allclose(skew(u[None], y)[1], y + 0.1 * torch.tanh(y @ A.T + u @ skew.W.T + skew.b))
    leaky = LeakyRNN(2, 2, a=0.1, coordinates="potential").double()
    assert torch.allclose(leaky(u[None], y)[1], 0.9 * y + 0.1 * (torch.tanh(y) @ leaky.W.T + u @ leaky.V.T + leaky.b))


def test_sum_of_the_exponents_of_a_cornn_is_the_mean_of_its_formula() -> None:
    """The determinant is that of dz'/dz: over a run, the QR sum and the formula agree."""
    torch.manual_seed(2)
    system = system_of(doubled(CoRNN(1, 3, dt=0.1), 3.0), driven=False)
    states, frames = system.start(2, 0), torch.eye(6).double().expand(2, -1, -1)
    sums = logs = torch.zeros(2).double()
    for _ in range(40):
        logs = logs + known(system.log_det(states, None))
        states, frames = system.push(states, None, frames)
        frames, triangle = torch.linalg.qr(frames)
        sums = sums + triangle.diagonal(dim1=1, dim2=2).abs().log().sum(1)
    assert torch.allclose(sums, logs, rtol=0, atol=1e-10)


def test_an_echo_state_network_is_reproducible_and_closes_its_own_loop() -> None:
    one, two = ESN(2, 30, spectral_radius=1.3, seed=5), ESN(2, 30, spectral_radius=1.3, seed=5)
    first, second, other = (net.get_buffer("W") for net in (one, two, ESN(2, 30, spectral_radius=1.3, seed=6)))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert float(torch.linalg.eigvals(first).abs().max()) == pytest.approx(1.3, rel=1e-4)
    assert system_of(one, closed_loop=one.readout).mode == "closed_loop"


def test_runs_over_a_sequence() -> None:
    module = CoRNN(M, H)
    x = torch.randn(7, B, M)
    outputs, last = module(x)
    assert outputs.shape == (7, B, H)
    first, middle = module(x[:3])
    assert torch.equal(torch.cat((first, module(x[3:], middle)[0])), outputs)
    assert torch.equal(last[:, :H], outputs[-1])


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: CoRNN(M, H)(torch.zeros(0, B, M)), "expected  (T, B, 3) with T, B >= 1\n  got       (0, 5, 3)"),
        (lambda: CoRNN(M, H)(torch.zeros(2, B, M + 1)), "got       (2, 5, 4)"),
        (lambda: CoRNN(M, H, scheme=cast("Any", "euler")), "expected  explicit or imex\n  got       euler"),
        (lambda: LeakyRNN(M, H, a=0.0), "expected  0 < a <= 1, coordinates rate or potential"),
        (lambda: LeakyRNN(M, H, coordinates=cast("Any", "h")), "got       a = 0.1, h"),
        (lambda: AntisymmetricRNN(M, 0), "expected  hidden_size >= 1 and input_size >= 1\n  got       0 and 3"),
        (lambda: ESN(M, H, leak=2.0), "got       leak 2.0, density 0.1"),
        (lambda: ESN(M, 2, density=0.01), "expected  a matrix that is not nilpotent\n  got       radius 0\n  remedy    a larger density"),
    ],
)
def test_what_is_refused(make: Callable[[], object], told: str) -> None:
    with pytest.raises(Malformed) as caught:
        make()
    assert told in str(caught.value)


@pytest.mark.parametrize("coordinates", ["rate", "potential"])
def test_saturated_units_have_finite_logarithms(coordinates: Literal["rate", "potential"]) -> None:
    module = LeakyRNN(1, 2, a=1.0, coordinates=coordinates).double()
    with torch.no_grad():
        module.W.copy_(800 * torch.eye(2))
        module.b.zero_()
    states = torch.full((1, 2), 0.9 if coordinates == "rate" else 720.0, dtype=torch.float64)
    found = known(system_of(module, driven=False).log_det(states, None)).item()
    assert found == pytest.approx(2 * (log(800) + log(4) - 1440), abs=1e-9)
