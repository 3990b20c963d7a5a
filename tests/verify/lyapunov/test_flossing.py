"""Exponents with a gradient: right against differences, against a plain product of Jacobians, and able to move a network."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from proofs.errors import Malformed
from verify.lyapunov.flossing import flossing_loss, leading_exponents
from verify.lyapunov.systems import system_of

MODULES = {
    "rnn": lambda: nn.RNN(3, 5), "relu": lambda: nn.RNN(3, 20, nonlinearity="relu"), "gru": lambda: nn.GRU(3, 5, bias=False),
    "lstm": lambda: nn.LSTM(3, 4), "two layers": lambda: nn.GRU(3, 4, 2), "cell": lambda: nn.LSTMCell(3, 4),
}  # fmt: skip


def made(name: str, seed: int = 0) -> Any:  # noqa: ANN401 - its weights are read by name
    torch.manual_seed(seed)
    return MODULES[name]().double()


def probe(length: int = 12, batch: int = 2) -> Tensor:
    return torch.randn(length, batch, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize("name", MODULES)
def test_the_gradient_is_that_of_differences(name: str) -> None:
    module, inputs = made(name), probe(7)
    k, width = 1 if name == "relu" else 3, 1e-6

    def value() -> Tensor:
        return flossing_loss(module, inputs, k, target=[-0.1, -0.2, -0.3][:k], qr_every=3)

    torch.autograd.backward(value())
    for weights in module.parameters():
        place = tuple(size // 2 for size in weights.shape)
        with torch.no_grad():
            weights[place] += width
            above = value()
            weights[place] -= 2 * width
            below = value()
            weights[place] += width
        gradient = 0.0 if weights.grad is None else weights.grad[place].item()  # relu's slopes do not move
        assert gradient == pytest.approx((above - below).item() / (2 * width), abs=1e-8, rel=1e-5)


def test_all_exponents_are_those_of_the_product_of_jacobians() -> None:
    """The last factor on the left: J_T ... J_1, whose singular values an all-columns QR approaches; their sum exactly."""
    module, inputs = made("rnn"), probe(40, 1)
    state, product, logs = torch.zeros(5, dtype=torch.float64), torch.eye(5, dtype=torch.float64), 0.0
    for x in inputs[:, 0]:
        state = torch.tanh(module.weight_ih_l0 @ x + module.bias_ih_l0 + module.weight_hh_l0 @ state + module.bias_hh_l0)
        jacobian = (1 - state**2)[:, None] * module.weight_hh_l0
        product, logs = jacobian @ product, logs + torch.linalg.slogdet(jacobian)[1].item()
    found = leading_exponents(module, inputs, 5, start=torch.zeros(1, 5))
    assert found.sum().item() == pytest.approx(logs / 40, abs=1e-12)
    assert found[0].item() == pytest.approx(math.log(torch.linalg.matrix_norm(product, 2).item()) / 40, abs=0.1)
    assert torch.equal(found, torch.sort(found, descending=True)[0])


def test_how_often_it_is_orthonormalised_does_not_matter() -> None:
    module, inputs = made("gru"), probe(20)
    each, seldom = leading_exponents(module, inputs, 2), leading_exponents(module, inputs, 2, qr_every=7)
    assert torch.allclose(each, seldom, atol=1e-10)


def test_the_warm_up_is_not_measured() -> None:
    module, inputs = made("lstm"), probe(10)
    whole = leading_exponents(module, inputs, 8)
    parts = [leading_exponents(module, inputs, 8, warmup=t, steps=1).sum() for t in range(10)]
    assert whole.sum().item() == pytest.approx(torch.stack(parts).mean().item(), abs=1e-12)


def test_without_inputs_and_as_a_system() -> None:
    module = made("rnn")
    alone = leading_exponents(module, None, 2, steps=30)
    system = system_of(module, driven=False, differentiable=True)
    assert torch.allclose(leading_exponents(system, None, 2, steps=30), alone)
    assert alone.requires_grad


def test_a_few_steps_move_the_largest_exponent_to_its_target() -> None:
    module, inputs = made("rnn"), probe(12)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.04)
    before = leading_exponents(module, inputs, 1, warmup=2).item()
    for _ in range(30):
        optimizer.zero_grad()
        torch.autograd.backward(flossing_loss(module, inputs, 1, target=-0.05, warmup=2, qr_every=4))
        optimizer.step()
    after = leading_exponents(module, inputs, 1, warmup=2).item()
    assert before < -0.4
    assert after == pytest.approx(-0.05, abs=0.02)


def test_a_direction_that_is_lost_is_named() -> None:
    module = made("rnn")
    with torch.no_grad():
        module.weight_hh_l0[:, 1:] = 0
    with pytest.raises(Malformed, match="exponents with a gradient") as caught:
        flossing_loss(module, probe(), 2)
    assert caught.value.where == "flossing, exponent 2"
    assert caught.value.expected == "a growth rate above 0, and above rounding"


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"inputs": torch.zeros(0, 1, 3)}, "flossing, inputs"),
        ({"inputs": torch.zeros(3)}, "flossing, inputs"),
        ({"inputs": torch.full((4, 1, 3), math.nan)}, "flossing, inputs"),
        ({"inputs": torch.zeros(4, 1, 3), "warmup": 4}, "flossing, steps"),
        ({"inputs": torch.zeros(4, 1, 3), "warmup": 1, "steps": 4}, "flossing, steps"),
        ({"inputs": torch.zeros(4, 1, 3), "qr_every": 0}, "flossing, warmup and qr_every"),
        ({"inputs": None}, "flossing, steps"),
        ({"inputs": torch.zeros(4, 1, 3), "k": 6}, "flossing, start and k"),
        ({"inputs": torch.zeros(4, 1, 3), "start": torch.zeros(2, 5)}, "flossing, start and k"),
        ({"inputs": torch.zeros(4, 1, 3), "target": [0.0, 0.0]}, "flossing, target"),
        ({"inputs": torch.zeros(4, 1, 3), "target": math.nan}, "flossing, target"),
    ],
)
def test_wishes_that_cannot_be_met(options: dict[str, object], where: str) -> None:
    with pytest.raises(Malformed, match="exponents with a gradient") as caught:
        flossing_loss(made("rnn"), **options)  # type: ignore[arg-type]
    assert caught.value.where == where


def test_a_module_that_is_not_recurrent() -> None:
    with pytest.raises(Malformed, match="recurrent"):
        flossing_loss(nn.Linear(3, 3), probe())


def test_a_task_and_a_flossing_loss_are_trained_together() -> None:
    """In single precision, beside a task's loss: the gradients add, and the exponents move towards 0."""
    torch.manual_seed(0)
    module, inputs = nn.GRU(3, 8), probe(12).float()
    optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
    before = leading_exponents(module, inputs, 3)
    assert before.dtype == torch.float32
    for _ in range(15):
        optimizer.zero_grad()
        task = (module(inputs)[0].mean(-1) - 0.1).square().mean()
        torch.autograd.backward(task + flossing_loss(module, inputs, 3, qr_every=4))
        optimizer.step()
    after = leading_exponents(module, inputs, 3)
    assert after.abs().max().item() < 0.8 * before.abs().max().item()
