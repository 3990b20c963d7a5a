"""The gradient written out, against automatic differentiation and against differences."""

from __future__ import annotations

import pytest
import torch

from verify.training.config import ModelSettings
from verify.training.forcing import Forcing, driven
from verify.training.models import FLOAT, make_model
from verify.training.observation import make_observation

FAMILIES = [
    ModelSettings("plrnn", 4),
    ModelSettings("alrnn", 4, P=2, observation="affine"),
    ModelSettings("clipped_shallow_plrnn", 4, H=3),
    ModelSettings("dendritic_plrnn", 4, B=3, clipped=True),
]


@pytest.mark.parametrize("settings", FAMILIES, ids=lambda one: one.family)
@pytest.mark.parametrize("forcing", [Forcing(alpha=0.3), Forcing(interval=4), Forcing()])
def test_gradients_are_those_of_automatic_differentiation(settings: ModelSettings, forcing: Forcing) -> None:
    generator = torch.Generator().manual_seed(0)
    model, observation = make_model(settings, generator), make_observation(settings, 2, generator)
    x = torch.randn((11, 3, 2), dtype=FLOAT, generator=generator)
    z, found = observation.first(x[0]), []
    step, forced = model.step(), observation.forced
    for t, share in enumerate(forcing.shares(10)):
        z = step(z)
        found.append(observation(z))
        z = torch.cat(((1 - share) * z[:, :forced] + share * observation.invert(x[t + 1]), z[:, forced:]), -1)
    parameters = [*model.parameters(), *observation.parameters()]
    wanted = torch.autograd.grad((torch.stack(found) - x[1:]).square().sum(), parameters, materialize_grads=True, allow_unused=True)
    loss = (observation(driven(model, observation, x, forcing)) - x[1:]).square().sum()
    gradients = torch.autograd.grad(loss, parameters, materialize_grads=True, allow_unused=True)
    for one, two in zip(gradients, wanted, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-10, atol=1e-10)
