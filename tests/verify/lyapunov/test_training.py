"""The callback: what it records is the spectrum, what it touches is nothing, and a loss that is not finite is named."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from proofs.errors import Malformed
from verify.lyapunov.spectra import spectrum
from verify.lyapunov.tasks import train_char
from verify.lyapunov.training import Diverged, Record, SpectrumCallback, require_finite, undisturbed

SMALL = {"hidden": 6, "steps": 6, "batch": 2, "length": 10, "characters": 2000, "probe_length": 60, "probe_batch": 2}


def probe(length: int = 60, batch: int = 2) -> Tensor:
    return torch.randn(length, batch, 3, generator=torch.Generator().manual_seed(3))


def module(**options: Any) -> Any:  # noqa: ANN401 - its weights are read by name
    torch.manual_seed(0)
    return nn.LSTM(3, 4, **options)


def test_a_record_is_the_spectrum_of_that_moment() -> None:
    lstm = module()
    watch = SpectrumCallback(lstm, k=3, every=2, inputs=probe(), steps=40, warmup=10, tangent_warmup=10, seed=4)
    assert watch.step(2.5) is None
    with torch.no_grad():
        lstm.weight_hh_l0.mul_(1.5)
    made = watch.step(2.25)
    wanted = spectrum(lstm, probe(), k=3, steps=40, warmup=10, tangent_warmup=10, seed=4)
    assert made is not None
    assert made.exponents == tuple(one.value for one in wanted.exponents)
    assert made.half_widths == tuple(one.half_width for one in wanted.exponents)
    assert (made.step, made.loss, made.failed, watch.history) == (2, 2.25, (), [made])
    assert min(made.half_widths) > 0
    assert watch.latest is not None
    assert watch.latest.dimension == 8


def test_k_is_at_most_the_dimension() -> None:
    watch = SpectrumCallback(module(), k=100, inputs=probe())
    assert len(watch.record().exponents) == 8


def test_a_probe_may_be_a_function_of_the_weights() -> None:
    calls: list[int] = []

    def inputs() -> Tensor:
        calls.append(1)
        return probe()

    watch = SpectrumCallback(module(), k=1, every=1, inputs=inputs)
    first, second = watch.step(1.0), watch.step(1.0)
    assert first is not None
    assert second is not None
    assert first.exponents == second.exponents
    assert len(calls) == 2


def test_autonomous_and_closed_loop_modules() -> None:
    assert SpectrumCallback(module(), k=2, inputs=None, driven=False, steps=64).record().exponents[0] < 0
    loop = SpectrumCallback(module(), k=2, inputs=None, closed_loop=nn.Linear(4, 3), steps=64)
    loop.record()
    assert loop.latest is not None
    assert loop.latest.mode == "closed_loop"


def test_weights_flags_and_random_numbers_stay_what_they_were() -> None:
    lstm = module(num_layers=2, dropout=0.5)
    outer = nn.Sequential(lstm, nn.Dropout())
    outer.train()
    outer[1].eval()
    before = [weight.detach().clone() for weight in outer.parameters()]
    states = random.getstate(), str(np.random.get_state()), torch.get_rng_state()  # noqa: NPY002
    SpectrumCallback(lstm, k=2, every=1, inputs=probe()).step(1.0)
    assert (lstm.training, outer.training, outer[1].training) == (True, True, False)
    assert all(torch.equal(a, b) for a, b in zip(before, outer.parameters(), strict=True))
    assert all(weight.grad is None and weight.requires_grad for weight in outer.parameters())
    after = random.getstate(), str(np.random.get_state()), torch.get_rng_state()  # noqa: NPY002
    assert states[:2] == after[:2]
    assert torch.equal(states[2], after[2])
    assert torch.is_grad_enabled()


def test_all_is_put_back_after_an_error_too() -> None:
    def fail(lstm: nn.Module) -> None:
        with undisturbed(lstm):
            torch.rand(3)
            assert not lstm.training
            assert not torch.is_grad_enabled()
            raise ZeroDivisionError

    lstm, before = module(), torch.get_rng_state()
    with pytest.raises(ZeroDivisionError):
        fail(lstm)
    assert lstm.training
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_watched_training_ends_with_the_same_bits(cell: str) -> None:
    config = {**SMALL, "cell": cell}
    alone = train_char(config)
    watched = train_char(config, lambda core, inputs: SpectrumCallback(core, k=2, every=3, inputs=inputs))
    assert watched.losses == alone.losses
    assert watched.final_loss == alone.final_loss
    assert [record.step for record in watched.records] == [0, 3, 6]
    assert watched.records[0].loss is None
    assert watched.records[1].loss == watched.losses[2]
    assert alone.records == ()


def test_its_cost_is_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("verify.lyapunov.training.perf_counter", lambda: now[0])
    watch = SpectrumCallback(module(), k=1, every=2, inputs=spending(now, 3.0))
    watch.begin()
    for _ in range(4):
        now[0] += 10.0
        watch.step(1.0)
    assert watch.seconds == 9.0
    assert [record.seconds for record in watch.history] == [3.0, 3.0, 3.0]
    assert watch.overhead == pytest.approx(9 / 40)
    answer = watch.as_json()
    assert (answer["unit"], answer["every"], answer["seconds"]) == ("nats/step", 2, 9.0)


def spending(now: list[float], seconds: float) -> Callable[[], Tensor]:
    def inputs() -> Tensor:
        now[0] += seconds
        return probe()

    return inputs


@pytest.mark.parametrize("loss", [math.nan, math.inf, torch.tensor(math.nan)])
def test_a_loss_that_is_not_finite_is_named_and_the_history_kept(loss: float | Tensor) -> None:
    watch = SpectrumCallback(module(), k=1, every=2, inputs=probe())
    for value in (3.0, 2.0, 1.0):
        watch.step(value)
    with pytest.raises(Malformed, match="training step 4, loss of a training") as caught:
        watch.step(loss)
    error = caught.value
    assert isinstance(error, Diverged)
    assert [record.step for record in error.history] == [record.step for record in watch.history] == [2]
    assert error.got == f"{float(loss)}, after 1 recorded spectrum, which are kept"
    assert error.remedy == "a smaller learning rate, or clip the gradient's norm"


def test_nan_in_the_middle_of_a_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that become NaN make the next loss NaN; the spectra until then come with the error."""
    step = torch.optim.Adam.step
    made: list[int] = []

    def spoil(self: torch.optim.Adam, *args: object) -> object:
        made.append(1)
        if len(made) == 4:
            for weight in self.param_groups[0]["params"]:
                weight.data.fill_(math.nan)
        return step(self, *args)

    monkeypatch.setattr(torch.optim.Adam, "step", spoil)
    with pytest.raises(Diverged) as caught:
        train_char(SMALL, lambda core, inputs: SpectrumCallback(core, k=2, every=3, inputs=inputs))
    assert caught.value.where == "training step 5"
    assert [record.step for record in caught.value.history] == [0, 3]


def test_an_index_may_be_given() -> None:
    watch = SpectrumCallback(module(), k=1, every=10, inputs=probe())
    assert watch.step(1.0, 9) is None
    assert watch.step(None, 10) == watch.history[-1]
    assert (watch.history[-1].step, watch.history[-1].loss) == (10, 1.0)


@pytest.mark.parametrize(("name", "value"), [("k", 0), ("k", 1.5), ("every", 0), ("every", True)])
def test_fields_outside_the_range(name: str, value: object) -> None:
    with pytest.raises(Malformed, match=f"{name} of a callback"):
        SpectrumCallback(module(), inputs=probe(), **{name: value})  # type: ignore[arg-type]


def test_errors_of_the_spectrum_come_through() -> None:
    with pytest.raises(Malformed):
        SpectrumCallback(module(), inputs=torch.full((40, 1, 3), math.nan)).record()
    with pytest.raises(Malformed):
        SpectrumCallback(module(), inputs=probe(0)).record()
    with pytest.raises(Malformed, match="recurrent"):
        SpectrumCallback(nn.Linear(3, 3), inputs=probe()).record()


def test_records_as_json() -> None:
    record = Record(3, 0.5, (0.1, -math.inf), (0.01, math.nan), 0.25, ("sum",))
    assert record.as_json() == {
        "step": 3, "loss": 0.5, "exponents": [0.1, "-inf"], "half_widths": [0.01, None], "failed": ["sum"], "seconds": 0.25,
    }  # fmt: skip
    require_finite(0.0, 1)
