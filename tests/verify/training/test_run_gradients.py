"""Gradients through runs: against exact ones of the cycle that attracts the run, with and without a teacher, and bad input."""

from __future__ import annotations

from fractions import Fraction as Q

import numpy as np
import pytest

from proofs.errors import Malformed
from tests.verify.training.families import TOY, plrnn, two_cycles
from verify.loading import load
from verify.training.gradients import cycle_gradients, places
from verify.training.run_gradients import run_gradients


def test_a_long_run_has_the_gradient_of_its_cycle() -> None:
    path, event = two_cycles()
    for distance in (Q(1, 4), Q(1, 8)):
        network = path.at(Q(-41, 85) + distance)
        cycle = cycle_gradients(network, event.itinerary)
        steps = 2 * int(16 / cycle.gap)
        targets = np.tile([[1.0], [0.0]], (steps, 1))
        run = run_gradients(network, [float(x) for x in cycle.orbit.points[1]], targets, settle=steps)
        exact = np.array([[Q(1)], [Q(0)]], dtype=object)
        for place, name in places(network).items():
            assert run.norms[name] == pytest.approx(float(np.abs(cycle.loss(place, exact)).max()), rel=1e-5)


def test_forcing_keeps_the_gradient_of_a_chaotic_run_small() -> None:
    tent = plrnn(A=["19/10"], W=[["-19/5"]], h=["9/10"]).network
    targets = np.random.default_rng(0).uniform(-1, 1, (200, 1))
    free, forced = (run_gradients(tent, [0.1], targets, forced=1, alpha=alpha) for alpha in (0.0, 0.6))
    assert free.norm > 1e20
    assert forced.norm < 10
    assert free.is_finite


def test_full_forcing_takes_one_step_at_a_time() -> None:
    network = plrnn(**TOY).network
    targets = np.random.default_rng(1).standard_normal((5, 2))
    run = run_gradients(network, [1.0, 1.0], targets, forced=2, alpha=1.0)
    states = np.vstack([[1.0, 1.0], targets[:-1]])
    A, W, h = (np.array(TOY[name], dtype=float) for name in ("A", "W", "h"))
    shown = states * A + np.maximum(states, 0) @ W.T + h
    assert run.loss == pytest.approx(np.mean((shown - targets) ** 2))
    assert run.norms["h"] == pytest.approx(np.abs(2 * (shown - targets).sum(axis=0) / targets.size).max())


def test_agrees_with_the_training_of_a_module() -> None:
    import torch

    from verify.training.config import ModelSettings
    from verify.training.forcing import Forcing, driven
    from verify.training.models import FLOAT, make_model
    from verify.training.observation import make_observation

    generator, settings = torch.Generator().manual_seed(0), ModelSettings("plrnn", 4)
    model, observation = make_model(settings, generator), make_observation(settings, 2, generator)
    x = torch.randn((21, 1, 2), dtype=FLOAT, generator=generator)
    loss = torch.mean((driven(model, observation, x, Forcing(alpha=0.3))[:, 0, :2] - x[1:, 0]) ** 2)
    loss.backward()
    start = observation.first(x[0])[0].detach().numpy()
    arrays = {name: value.detach().numpy() for name, value in model.named_parameters() if name in "AWh"}
    run = run_gradients(plrnn(**arrays).network, start, x[1:, 0].numpy(), forced=2, alpha=0.3)
    assert run.loss == pytest.approx(float(loss.detach()))
    gradient = dict(model.named_parameters())["h"].grad
    assert gradient is not None
    assert run.norms["h"] == pytest.approx(float(gradient.abs().max()))


def test_smooth_networks_have_them_too() -> None:
    smooth = load({"W": [["1/2"]], "b": ["1/4"], "activation": "tanh"}, "rnn")
    run = run_gradients(smooth.network, [0.0], [[0.0]])
    value = np.tanh(0.25)
    assert run.loss == pytest.approx(value**2)
    assert run.norm == pytest.approx(2 * value * (1 - value**2))


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": [0.0]},
        {"start": [0.0, np.nan]},
        {"targets": [0.0, 1.0]},
        {"targets": [[0.0, 0.0, 0.0]]},
        {"forced": 3},
        {"forced": 2},
        {"alpha": 1.5},
        {"settle": 1},
    ],
)
def test_bad_input(wrong: dict[str, object]) -> None:
    asked: dict[str, object] = {"start": [0.0, 0.0], "targets": [[0.0]]}
    with pytest.raises(Malformed):
        run_gradients(plrnn(**TOY).network, **(asked | wrong))  # type: ignore[arg-type]
