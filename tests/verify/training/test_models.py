"""The torch modules: the same map as the exact network of their checkpoint, its derivative, hollow W, seeds."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
import torch

from proofs.arithmetic import Matrix
from verify.loading import load
from verify.training.checkpoints import save_network
from verify.training.config import ModelSettings
from verify.training.models import FLOAT, Recurrent, make_model, spectral_norm
from verify.training.observation import make_observation

SETTINGS = [
    ModelSettings("plrnn", 4),
    ModelSettings("alrnn", 4, P=2),
    ModelSettings("alrnn", 4, P=0),
    ModelSettings("alrnn", 4, P=4),
    ModelSettings("shallow_plrnn", 3, H=5),
    ModelSettings("clipped_shallow_plrnn", 3, H=5),
    ModelSettings("dendritic_plrnn", 3, B=4),
    ModelSettings("dendritic_plrnn", 3, B=4, clipped=True, observation="affine"),
]


def model_of(settings: ModelSettings, seed: int = 0) -> Recurrent:
    """Return a model all of whose parameters are random, as after some training."""
    generator = torch.Generator().manual_seed(seed)
    model = make_model(settings, generator)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.3 * torch.randn(value.shape, dtype=FLOAT, generator=generator))
    return model


def exact(value: float) -> Fraction:
    return Fraction(value)


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda one: f"{one.family}-{one.P}-{one.clipped}")
def test_a_checkpoint_is_the_same_map_as_the_module(settings: ModelSettings, tmp_path: Path) -> None:
    model = model_of(settings)
    observation = make_observation(settings, 2, torch.Generator().manual_seed(1))
    path = tmp_path / "model_00000007.safetensors"
    save_network(path, "seven", model, observation, {"update": 7})
    loaded = load(path)
    assert (loaded.model, loaded.name, loaded.network.dimension) == (settings.family, "seven", settings.M)
    assert all("is no part of the state map" in note for note in loaded.assumptions), loaded.assumptions
    points = torch.randn((20, settings.M), dtype=FLOAT, generator=torch.Generator().manual_seed(2))
    images = model(points)
    for point, image in zip(points.tolist(), images.tolist(), strict=True):
        wanted = loaded.network.image(Matrix.column([exact(x) for x in point]))
        assert max(abs(float(wanted.middle(i)) - image[i]) for i in range(settings.M)) < 1e-12


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda one: f"{one.family}-{one.P}-{one.clipped}")
def test_the_jacobian_is_the_derivative_and_below_the_bound(settings: ModelSettings) -> None:
    model = model_of(settings)
    for point in torch.randn((10, settings.M), dtype=FLOAT, generator=torch.Generator().manual_seed(3)):
        jacobian = model.jacobian(point.unsqueeze(0))[0]
        wanted = torch.autograd.functional.jacobian(lambda z: model(z.unsqueeze(0))[0], point)
        torch.testing.assert_close(jacobian, wanted, rtol=1e-12, atol=1e-12)
        assert spectral_norm(jacobian) <= model.norm_bound() + 1e-12


@pytest.mark.parametrize("settings", [SETTINGS[0], SETTINGS[6]])
def test_w_stays_hollow(settings: ModelSettings) -> None:
    model = make_model(settings, torch.Generator().manual_seed(0))
    optimiser = torch.optim.RAdam(model.parameters(), lr=0.1)
    for _ in range(8):
        optimiser.zero_grad()
        model(torch.ones((3, settings.M), dtype=FLOAT)).square().sum().backward()
        optimiser.step()
    assert model.W.diagonal().tolist() == [0.0] * settings.M
    assert model.W.abs().sum() > 0


def test_starting_weights_are_the_published_ones() -> None:
    model = make_model(ModelSettings("plrnn", 6), torch.Generator().manual_seed(0))
    whole = torch.diag(model.A) + model.W
    assert torch.linalg.eigvalsh(whole.detach())[-1].item() == pytest.approx(1, abs=1e-14)
    assert model.arrays()["h"].tolist() == [0.0] * 6
    sparse = make_model(ModelSettings("alrnn", 6, P=2), torch.Generator().manual_seed(0)).arrays()
    assert 0.005 < sparse["W"].std().item() < 0.02
    shallow = make_model(ModelSettings("shallow_plrnn", 4, H=9), torch.Generator().manual_seed(0)).arrays()
    assert shallow["W1"].abs().max().item() <= 1 / 3
    assert shallow["W2"].abs().max().item() <= 1 / 2


def test_a_seed_gives_the_same_weights() -> None:
    one, two, other = (model_of(SETTINGS[4], seed).arrays() for seed in (5, 5, 6))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["W1"], other["W1"])


def test_the_penalty_pulls_a_to_one_and_the_rest_to_zero() -> None:
    model = model_of(SETTINGS[6])
    arrays = model.arrays()
    wanted = (1 - arrays["A"]).square().sum() + sum(arrays[name].square().sum() for name in ("W", "h", "alpha"))
    # the masked diagonal of W has no part in the map
    assert model.penalty().item() == pytest.approx(wanted.item(), rel=1e-12)


def test_affine_observation_is_inverted_by_the_pseudo_inverse() -> None:
    settings = ModelSettings("plrnn", 5, observation="affine")
    observation = make_observation(settings, 3, torch.Generator().manual_seed(0))
    x = torch.randn((7, 3), dtype=FLOAT, generator=torch.Generator().manual_seed(1))
    assert observation.first(x).shape == (7, 5)
    torch.testing.assert_close(observation(observation.invert(x)), x)


def test_identity_observation_estimates_the_other_states() -> None:
    observation = make_observation(ModelSettings("plrnn", 5), 3, torch.Generator().manual_seed(0))
    x = torch.randn((7, 3), dtype=FLOAT, generator=torch.Generator().manual_seed(1))
    z = observation.first(x)
    assert torch.equal(observation(z), x)
    torch.testing.assert_close(z[:, 3:], x @ dict(observation.named_parameters())["L"].T)
