"""The adapters, driven by stand-ins that call hooks as the two trainers do: every hook, by name, with their arguments."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from verify.lyapunov.hooks import LightningHooks, TransformersHooks
from verify.lyapunov.training import Diverged, SpectrumCallback


def watch(module: nn.Module, every: int = 2) -> SpectrumCallback:
    inputs = torch.randn(50, 2, 3, generator=torch.Generator().manual_seed(1))
    return SpectrumCallback(module, k=2, every=every, inputs=inputs)


class LightningLike:
    """Calls what lightning.Trainer.fit calls; two batches accumulate to one optimizer step."""

    def __init__(self, callbacks: list[Any], accumulate: int = 1) -> None:
        self.callbacks, self.accumulate, self.global_step = callbacks, accumulate, 0

    def call(self, name: str, *args: object) -> None:
        for callback in self.callbacks:
            hook = getattr(callback, name)
            assert isinstance(callback.state_key, str)
            if callable(hook):
                hook(self, *args)

    def fit(self, module: nn.Module, outputs: list[Any]) -> None:
        self.call("setup", module, "fit")
        self.call("on_fit_start", module)
        self.call("on_train_start", module)
        self.call("on_train_epoch_start", module)
        for index, output in enumerate(outputs):
            self.call("on_train_batch_start", module, object(), index)
            self.global_step += (index + 1) % self.accumulate == 0
            self.call("on_before_zero_grad", module, object())
            self.call("on_train_batch_end", module, output, object(), index)
        self.call("on_train_end", module)
        self.call("teardown", module, "fit")


class TransformersLike:
    """Calls what transformers.Trainer calls: the loss only with on_log, every ``logging_steps`` steps."""

    def __init__(self, callbacks: list[Any], logging_steps: int) -> None:
        self.callbacks, self.logging_steps = callbacks, logging_steps
        self.state, self.control = SimpleNamespace(global_step=0, log_history=[]), SimpleNamespace(should_log=False)

    def call(self, event: str, **kwargs: object) -> None:
        args = SimpleNamespace(logging_steps=self.logging_steps)
        for callback in self.callbacks:
            more = {"model": self.model, "processing_class": None, "optimizer": None, "lr_scheduler": None, "train_dataloader": None}
            assert getattr(callback, event)(args, self.state, self.control, **more, **kwargs) is None

    def train(self, model: nn.Module, losses: list[float]) -> None:
        self.model = model
        self.call("on_init_end")
        self.call("on_train_begin")
        self.call("on_epoch_begin")
        for loss in losses:
            self.call("on_step_begin")
            self.state.global_step += 1
            self.call("on_pre_optimizer_step")
            self.call("on_step_end")
            if self.state.global_step % self.logging_steps == 0:
                self.call("on_log", logs={"loss": loss, "learning_rate": 1e-3})
        self.call("on_log", logs={"train_runtime": 1.0})
        self.call("on_train_end")


def outputs(*losses: float) -> list[Any]:
    """Return what training_step may return: a tensor, a mapping with one, or nothing."""
    made: list[Any] = [torch.tensor(loss) if i % 2 else {"loss": torch.tensor(loss)} for i, loss in enumerate(losses)]
    return made


def test_a_lightning_training_is_recorded() -> None:
    module = nn.GRU(3, 4)
    hooks = LightningHooks(watch(module))
    LightningLike([hooks]).fit(module, outputs(5, 4, 3, 2, 1))
    assert [(record.step, record.loss) for record in hooks.history] == [(0, None), (2, 4.0), (4, 2.0)]
    assert module.training


def test_batches_that_only_accumulate_are_no_steps() -> None:
    module = nn.GRU(3, 4)
    hooks = LightningHooks(watch(module, every=1))
    LightningLike([hooks], accumulate=2).fit(module, outputs(5, 4, 3, 2, 1))
    assert [(record.step, record.loss) for record in hooks.history] == [(0, None), (1, 4.0), (2, 2.0)]


def test_a_step_without_a_loss() -> None:
    module = nn.GRU(3, 4)
    hooks = LightningHooks(watch(module))
    LightningLike([hooks]).fit(module, [torch.tensor(7.0), None])
    assert [(record.step, record.loss) for record in hooks.history] == [(0, None), (2, 7.0)]


def test_nan_ends_a_lightning_training() -> None:
    module = nn.GRU(3, 4)
    hooks = LightningHooks(watch(module))
    with pytest.raises(Diverged, match="training step 3"):
        LightningLike([hooks]).fit(module, outputs(5, 4, math.nan))
    assert [record.step for record in hooks.history] == [0, 2]


def test_a_checkpoint_keeps_the_records() -> None:
    module = nn.GRU(3, 4)
    hooks, other = LightningHooks(watch(module)), LightningHooks(watch(module))
    LightningLike([hooks]).fit(module, outputs(5, 4))
    other.load_state_dict(hooks.state_dict())
    assert other.history == hooks.history
    assert other._legacy_state_key == other.state_key


def test_a_training_that_goes_on_has_no_record_twice() -> None:
    module = nn.GRU(3, 4)
    hooks = LightningHooks(watch(module))
    trainer = LightningLike([hooks])
    trainer.fit(module, outputs(5, 4))
    trainer.fit(module, outputs(3, 2))
    assert [(record.step, record.loss) for record in hooks.history] == [(0, None), (2, 4.0), (4, 2.0)]


def test_a_transformers_training_is_recorded() -> None:
    module = nn.LSTM(3, 4)
    hooks = TransformersHooks(watch(module))
    TransformersLike([hooks], logging_steps=3).train(module, [5, 4, 3, 2])
    assert [(record.step, record.loss) for record in hooks.history] == [(0, None), (2, None), (4, 3.0)]


def test_nan_ends_a_transformers_training() -> None:
    module = nn.LSTM(3, 4)
    hooks = TransformersHooks(watch(module))
    with pytest.raises(Diverged, match="training step 2"):
        TransformersLike([hooks], logging_steps=1).train(module, [5, math.nan, 1])
    assert [record.step for record in hooks.history] == [0, 2]


def test_both_may_be_mixed_with_a_base_class() -> None:
    class Base:
        def on_train_start(self, *_: object) -> None:
            raise AssertionError

        def on_fit_end(self, *_: object) -> str:
            return "base"

    class Both(LightningHooks, Base):  # type: ignore[misc]  # Lightning passes both by position
        pass

    module = nn.RNN(3, 4)
    hooks = Both(watch(module))
    LightningLike([hooks]).fit(module, outputs(1, 2))
    assert len(hooks.history) == 2
    assert hooks.on_fit_end(None, None) == "base"


def test_other_attributes_are_not_invented() -> None:
    hooks = LightningHooks(watch(nn.RNN(3, 4)))
    assert hooks.on_exception(None, None, ValueError()) is None
    with pytest.raises(AttributeError, match="no attribute 'fit'"):
        _ = hooks.fit


def test_training_is_not_disturbed() -> None:
    def run(hooks: list[Any]) -> list[Tensor]:
        torch.manual_seed(0)
        module = nn.GRU(3, 4, 2, dropout=0.5)
        trainer = LightningLike(hooks and [LightningHooks(watch(module, every=1))])
        for _ in range(3):
            output, _ = module(torch.randn(5, 2, 3))
            trainer.fit(module, [output.sum().detach()])
        return [weight.detach() for weight in module.parameters()] + [torch.randn(3)]

    assert all(torch.equal(a, b) for a, b in zip(run([]), run([1]), strict=True))
