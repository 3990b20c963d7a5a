"""The callback with the signatures of Lightning's and Hugging Face's trainers; neither package is imported, or needed.

    Trainer(callbacks=[LightningHooks(SpectrumCallback(net.rnn, inputs=probe))])                # lightning
    Trainer(..., callbacks=[TransformersHooks(SpectrumCallback(model.rnn, inputs=probe))])      # transformers

Both trainers look up every hook by its name; those that do not concern a spectrum do nothing. Where a trainer insists on its own base
class, derive from both: ``class Watch(LightningHooks, lightning.Callback)``.
"""

# ruff: noqa: ARG002 - the signatures are the trainers'

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify.lyapunov.training import Record, SpectrumCallback

_OTHERS = {"setup", "teardown"}


def _nothing(*_: object, **__: object) -> None:
    """Do nothing: a hook that does not concern a spectrum."""


class _Hooks:
    """A callback, and every hook that is not overridden."""

    def __init__(self, callback: SpectrumCallback) -> None:
        self.callback = callback

    @property
    def history(self) -> list[Record]:
        """Return what was recorded so far."""
        return self.callback.history

    def _start(self, step: int) -> None:
        """Start the clock at an optimizer step, with a record unless the step has one: a training that goes on."""
        self.callback.index = step
        self.callback.begin(initial=not self.history or self.history[-1].step != step)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a hook of any signature
        if name.startswith("on_") or name in _OTHERS:
            return _nothing
        message = f"{type(self).__name__!r} object has no attribute {name!r}"
        raise AttributeError(message)


class LightningHooks(_Hooks):
    """Hooks of a Lightning trainer around a ``SpectrumCallback``.

    Steps are the optimizer's, ``trainer.global_step``: batches that only accumulate gradients are not counted. The loss is what
    ``training_step`` returned; Lightning divides it by ``accumulate_grad_batches``. **Raises:** what the callback raises.
    """

    state_key = _legacy_state_key = "orbitproof.LightningHooks"  # Lightning asks for both when it goes on from a checkpoint

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ANN401 - no import of theirs
        """Record the spectrum before the first step and start the clock."""
        self._start(int(trainer.global_step))

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:  # noqa: ANN401
        """Hand on the loss of an optimizer step that has been made."""
        if int(trainer.global_step) != self.callback.index:
            self.callback.step(_loss(outputs), int(trainer.global_step))

    def state_dict(self) -> dict[str, object]:
        """Return what a checkpoint keeps: the records."""
        return {"records": [vars(record) for record in self.history]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take up the records of a checkpoint."""
        from verify.lyapunov.training import Record

        self.callback.history[:] = [Record(**record) for record in state_dict["records"]]


class TransformersHooks(_Hooks):
    """Hooks of a Hugging Face trainer around a ``SpectrumCallback``.

    Steps are ``state.global_step``. This trainer tells its callbacks the loss only when it logs it (``logging_steps``); a record has the
    latest one it told. It leaves losses that are not finite out of its log unless ``logging_nan_inf_filter=False``.
    **Raises:** what the callback raises.
    """

    def __init__(self, callback: SpectrumCallback) -> None:
        """Keep the callback; no loss is known yet."""
        super().__init__(callback)
        self._loss: float | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Record the spectrum before the first step and start the clock."""
        self._start(int(state.global_step))

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **kwargs: Any) -> None:  # noqa: ANN401
        """Note the loss that was logged; one that is not finite ends the training."""
        if logs and "loss" in logs:
            self._loss = float(logs["loss"])
            self.callback.take(self._loss, int(state.global_step))

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:  # noqa: ANN401
        """Hand on the optimizer step that has been made."""
        self.callback.step(self._loss, int(state.global_step))


def _loss(outputs: Any) -> Any:  # noqa: ANN401 - a tensor, a mapping with one, or None
    """Return the loss of what ``training_step`` returned; None where it returned none."""
    return outputs.get("loss") if hasattr(outputs, "get") else outputs
