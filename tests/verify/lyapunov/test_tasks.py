"""The two trainings: a configuration determines every bit, and they learn."""

from __future__ import annotations

import importlib.util
import math
from typing import Any

import pytest
import torch

from proofs.errors import Malformed
from verify.errors import Unsupported
from verify.lyapunov.digits import load_digits
from verify.lyapunov.tasks import CELLS, LARGEST, CharConfig, Common, DigitConfig, Reader, Trained, configured, train_char, train_digits
from verify.lyapunov.training import Diverged

SMALL = {"hidden": 8, "steps": 4, "batch": 2, "length": 10, "characters": 2000, "probe_length": 20, "probe_batch": 2}
HAS_DIGITS = importlib.util.find_spec("sklearn") is not None
needs_digits = pytest.mark.skipif(not HAS_DIGITS, reason="the digits come with scikit-learn, which is not installed")


def weights(trained: Trained) -> list[torch.Tensor]:
    return [weight.detach() for weight in trained.model.parameters()]


@pytest.mark.parametrize("cell", CELLS)
def test_a_configuration_determines_every_bit(cell: str) -> None:
    torch.manual_seed(1)
    first = train_char({**SMALL, "cell": cell, "seed": 5})
    torch.manual_seed(2)
    again, other = train_char({**SMALL, "cell": cell, "seed": 5}), train_char({**SMALL, "cell": cell, "seed": 6})
    assert first.losses == again.losses != other.losses
    assert all(torch.equal(a, b) for a, b in zip(weights(first), weights(again), strict=True))
    assert (len(first.losses), first.probe.shape[:2]) == (4, (20, 2))
    assert torch.equal(first.probe.sum(-1), torch.ones(20, 2))


def test_training_leaves_the_generator_of_torch_alone() -> None:
    before = torch.get_rng_state()
    train_char(SMALL)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_gain_is_the_spread_of_the_recurrent_weights() -> None:
    core: Any = Reader(Common(cell="gru", hidden=100, gain=3.0), 7, 7, last=False).core
    assert core.weight_hh_l0.std().item() == pytest.approx(0.3, rel=0.02)
    assert core.weight_ih_l0.abs().max().item() <= 0.1


def test_the_text_is_learned() -> None:
    trained = train_char({**SMALL, "hidden": 16, "steps": 120, "batch": 8, "length": 20, "rate": 0.01, "characters": 5000})
    uniform = math.log(trained.probe.shape[2])
    assert trained.losses[0] == pytest.approx(uniform, abs=0.4)
    assert trained.final_loss < uniform - 1
    assert 0.2 < trained.accuracy < 1
    assert trained.seconds > 0


def test_a_training_that_diverges_says_at_which_step() -> None:
    with pytest.raises(Diverged, match="loss of a training") as caught:
        train_char({**SMALL, "hidden": 64, "rate": LARGEST})
    assert caught.value.where.startswith("training step ")
    assert caught.value.history == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cell", "elman"), ("hidden", 0), ("hidden", 2.5), ("layers", 0), ("gain", 0.0), ("gain", math.nan), ("rate", -1.0), ("rate", 1e38),
        ("steps", 0), ("seed", -1), ("seed", True), ("length", 0), ("characters", 1500), ("units", 3),
    ],
)  # fmt: skip
def test_configurations_outside_the_range(name: str, value: object) -> None:
    with pytest.raises(Malformed, match="configuration of a training") as caught:
        configured(CharConfig, {"length": 151, name: value} if name == "characters" else {name: value})
    assert caught.value.where == f"configuration, {name}"


def test_a_configuration_is_taken_as_it_is() -> None:
    plan = DigitConfig(hidden=3)
    assert configured(DigitConfig, plan) is plan
    with pytest.raises(Malformed, match="probe_images"):
        DigitConfig(probe_images=100)


@needs_digits
def test_digits_are_read_by_rows() -> None:
    digits = load_digits()
    assert digits.rows.shape == (8, 1797, 8)
    assert (digits.rows.min(), digits.rows.max()) == (0.0, 1.0)
    assert sorted(set(digits.labels.tolist())) == list(range(10))


@needs_digits
def test_digits_are_learned() -> None:
    trained = train_digits({"hidden": 24, "steps": 150, "batch": 32, "rate": 0.01, "probe_images": 3, "probe_batch": 2})
    assert trained.accuracy > 0.7
    assert trained.probe.shape == (24, 2, 8)
    kept = torch.from_numpy(load_digits().rows)[:, -359:]
    assert torch.equal(trained.probe[8:16, 0], kept[:, 1])
    assert torch.equal(trained.probe[:8, 1], kept[:, 3])


@pytest.mark.skipif(HAS_DIGITS, reason="scikit-learn is installed")
def test_without_the_digits_it_says_what_to_install() -> None:
    with pytest.raises(Unsupported, match="pip install scikit-learn"):
        train_digits({})
