"""Teacher forcing: what the driven states are, which gradients pass, and the rules for alpha against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from proofs.errors import Malformed
from verify.training.config import RULES, ModelSettings
from verify.training.forcing import Forcing, driven, forcing_states, norm, published_alpha
from verify.training.models import FLOAT, PLRNN, make_model
from verify.training.observation import make_observation

M, N, T, B = 4, 2, 12, 3


def parts(observation: str = "identity") -> tuple:
    settings = ModelSettings("plrnn", M, observation=observation)
    generator = torch.Generator().manual_seed(0)
    model = make_model(settings, generator)
    return model, make_observation(settings, N, generator), torch.randn((T + 1, B, N), dtype=FLOAT, generator=generator)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("kind", ["identity", "affine"])
def test_generalised_forcing_step_by_step(alpha: float, kind: str) -> None:
    model, observation, x = parts(kind)
    states = driven(model, observation, x, Forcing(alpha=alpha))
    z = observation.first(x[0])
    forced = N if kind == "identity" else M
    for t in range(T):
        z = model(z)
        torch.testing.assert_close(states[t], z)
        z = torch.cat(((1 - alpha) * z[:, :forced] + alpha * observation.invert(x[t + 1]), z[:, forced:]), -1)


def test_sparse_forcing_step_by_step() -> None:
    model, observation, x = parts()
    states = driven(model, observation, x, Forcing(interval=5))
    z = observation.first(x[0])
    for t in range(1, T + 1):
        z = model(z)
        torch.testing.assert_close(states[t - 1], z)
        if t % 5 == 0:
            z = torch.cat((x[t], z[:, N:]), -1)


def test_full_forcing_cuts_the_gradient() -> None:
    settings = ModelSettings("plrnn", N)
    generator = torch.Generator().manual_seed(0)
    model, observation = make_model(settings, generator), make_observation(settings, N, generator)
    x = torch.randn((T + 1, B, N), dtype=FLOAT, generator=generator)
    first = x[0].clone().requires_grad_()
    for alpha, flows in ((1.0, False), (0.9, True)):
        last = driven(model, observation, torch.cat((first.unsqueeze(0), x[1:])), Forcing(alpha=alpha))[-1].sum()
        (gradient,) = torch.autograd.grad(last, first)
        assert bool(gradient.any()) == flows


def test_rules_against_their_definitions() -> None:
    model, observation, x = parts()
    states = forcing_states(model, observation, x[1:])
    assert states.shape == (T, B, M)
    assert not states[..., N:].any()
    jacobians = [[model.jacobian(states[t, b].unsqueeze(0))[0].detach().numpy() for b in range(B)] for t in range(T)]
    norms = np.array([[np.linalg.norm(jacobian, 2) for jacobian in row] for row in jacobians])
    mean = np.mean(jacobians, axis=0)
    with torch.no_grad():
        found = {rule: norm(rule, model, states) for rule in RULES if rule != "constant"}
    assert found["batch_maximum"] == pytest.approx(norms.max())
    assert found["product_upper_bound"] == pytest.approx(np.exp(np.log(norms).mean(axis=0)).max())
    assert found["arithmetic_mean"] == pytest.approx(max(np.linalg.norm(one, 2) for one in mean))
    wanted = model.A.abs().max().item() + np.linalg.norm(model.weights().detach().numpy(), 2)
    assert found["jacobian_upper_bound"] == pytest.approx(wanted)
    assert found["batch_maximum"] <= found["jacobian_upper_bound"]


def test_explog_is_the_geometric_mean_where_jacobians_commute() -> None:
    model = PLRNN(2, torch.Generator().manual_seed(0))
    with torch.no_grad():
        model.A.copy_(torch.tensor([0.5, -0.25]))
        model.W.zero_()
    states = torch.randn((T, B, 2), dtype=FLOAT, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert norm("explog_approx", model, states) == pytest.approx(0.5)
        model.A[0] = 0.0
        with pytest.raises(Malformed, match="Jacobians have a logarithm"):
            norm("explog_approx", model, states)


def test_alpha_rises_at_once_and_falls_slowly() -> None:
    model, observation, x = parts()
    with torch.no_grad():
        model.A.fill_(2.0)
        model.W.zero_()
    forcing = Forcing(alpha=0.1, rule="batch_maximum", gamma=0.9, every=5)
    forcing.adapt(model, observation, x[1:], 4)
    assert forcing.alpha == 0.1
    forcing.adapt(model, observation, x[1:], 5)
    assert forcing.alpha == pytest.approx(0.5)
    with torch.no_grad():
        model.A.fill_(0.5)
    forcing.adapt(model, observation, x[1:], 10)
    assert forcing.alpha == pytest.approx(0.45)


def test_published_alpha() -> None:
    assert [published_alpha(value) for value in (4.0, 1.0, 0.1, 0.0)] == [0.75, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("rule", RULES)
def test_constant_and_sparse_forcing_are_never_adapted(rule: str) -> None:
    model, observation, x = parts()
    forcing = Forcing(interval=3, alpha=0.25, rule=rule) if rule != "constant" else Forcing(alpha=0.25)
    forcing.adapt(model, observation, x[1:], 5)
    assert forcing.alpha == 0.25
