"""Steps written by the user, and readouts that close a loop: tangents by forward-mode differentiation, column by column in one batch."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp, vmap
from torch.nn.functional import linear
from torch.nn.utils.parametrize import is_parametrized

from proofs.errors import Malformed
from verify.lyapunov.layers import Readout, weight_of

if TYPE_CHECKING:
    from verify.lyapunov.results import Mode

Step = Callable[..., Tensor]
Pair = tuple[Tensor, Tensor]
Result = TypeVar("Result")
_FEW = 8
_REMEDY = "use torch operations only, on one state of shape (n,); choose between values by torch.where, not by if"


@dataclass
class FunctionSystem:
    """A user's step(state) or step(state, input) on one state (n,), as a system on batches.

    ``fixed`` is the input that an undriven system is held at, or the readout that turns its state into the next input.

    **Raises** Malformed: a step that is not square, that returns no tensor or not a number, or that torch cannot differentiate.
    """

    name: str
    mode: Mode
    function: Step
    dimension: int
    input_size: int | None
    fixed: Tensor | Readout | None
    origin: Callable[[int, int, int], Tensor]
    dtype: torch.dtype
    device: torch.device
    _mapped_before: bool = field(default=False, init=False)

    def start(self, batch: int, seed: int) -> Tensor:
        """Return ``batch`` states to start from, reproducible from the seed."""
        return self.origin(self.dimension, batch, seed)

    def step(self, states: Tensor, inputs: Tensor | None) -> Tensor:
        """Return F(states), the user's function mapped over the batch: row by row for a few, once it has been mapped and so can be."""
        x = self._given(states, inputs)
        if self._mapped_before and len(states) <= _FEW:
            return self._finite(self._run(self._each, states, x))
        new = self._run(vmap(self._one), states) if x is None else self._run(vmap(self._one), states, x)
        self._mapped_before = True
        return self._finite(new)

    def push(self, states: Tensor, inputs: Tensor | None, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return F(states) and J frames. **Cost** about 2 k steps' arithmetic, no Jacobian is stored."""

        def column(state: Tensor, tangent: Tensor, x: Tensor | None) -> tuple[Tensor, Tensor]:
            def at(point: Tensor) -> Tensor:
                return self._one(point) if x is None else self._one(point, x)

            return _tangent(at, state, tangent)

        x = self._given(states, inputs)
        columns = _mapped(column, in_dims=(None, 1, None), out_dims=(0, 1))
        new, moved = self._run(_mapped(columns, in_dims=(0, 0, None if x is None else 0)), states, frames, x)
        return self._finite(new[:, 0]), moved.to(frames.dtype)

    def log_det(self, states: Tensor, inputs: Tensor | None) -> None:
        """Return None: a function brings no formula."""
        del states, inputs

    def _each(self, states: Tensor, x: Tensor | None) -> Tensor:
        if x is None:
            return torch.stack([self._one(state) for state in states.unbind()])
        return torch.stack([self._one(state, row) for state, row in zip(states.unbind(), x.unbind(), strict=True)])

    def _one(self, state: Tensor, x: Tensor | None = None) -> Tensor:
        if x is None and self.fixed is not None:
            x = self.fixed if isinstance(self.fixed, Tensor) else self.fixed(state.unsqueeze(0)).squeeze(0)
        new = self.function(state) if x is None else self.function(state, x)
        if not isinstance(new, Tensor):
            raise self._wrong("a step returns a tensor", f"a tensor of shape ({self.dimension},)", f"a {type(new).__name__}")
        if tuple(new.shape) != (self.dimension,):
            raise self._wrong("non-square step", f"as many numbers as the state, shape ({self.dimension},)", f"shape {tuple(new.shape)}")
        if new.dtype != self.dtype:
            raise self._wrong("one dtype", str(self.dtype), str(new.dtype), "make the function's own tensors of this dtype, or pass dtype=")
        return new

    def _run(self, mapped: Callable[..., Result], *arguments: Tensor | None) -> Result:
        try:
            return mapped(*arguments)
        except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError) as problem:
            law = "the step can be run and differentiated by torch.func"
            raise self._wrong(law, "a function of tensors", f"{type(problem).__name__}: {problem}") from problem

    def _given(self, states: Tensor, inputs: Tensor | None) -> Tensor | None:
        if (self.mode == "driven") != (inputs is not None):
            raise self._wrong("a driven system takes one input a step, another one none", f"mode {self.mode}", str(inputs is not None))
        if inputs is not None and inputs.shape != (len(states), self.input_size or inputs.shape[-1]):
            expected = f"({len(states)}, {self.input_size or 'm'})"
            raise self._wrong("one input for each state", expected, str(tuple(inputs.shape)))
        return inputs

    def _finite(self, states: Tensor) -> Tensor:
        if not bool(torch.isfinite(states).all()):
            number = int((~torch.isfinite(states)).any(1).nonzero()[0])
            raise self._wrong(
                "a step returns numbers", "finite numbers", f"nan or infinity in state {number} of the batch", "start elsewhere"
            )
        return states

    def _wrong(self, law: str, expected: str, got: str, remedy: str = _REMEDY) -> Malformed:
        return Malformed(where=f"step function {self.name}", law=law, expected=expected, got=got, remedy=remedy)


@cache
def _warm_up() -> None:
    """Let torch load its rules of forward mode: on first use it warns of its own deprecated compiler, which is no concern of the caller."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        jvp(torch.neg, (torch.zeros(1),), (torch.zeros(1),))


def _tangent(function: Step, at: Tensor, along: Tensor) -> Pair:
    _warm_up()
    return cast("Pair", jvp(function, (at,), (along,)))


def _mapped(function: Callable[..., Pair], in_dims: object, out_dims: object = 0) -> Callable[..., Pair]:
    return cast("Callable[..., Pair]", vmap(cast("Step", function), in_dims=in_dims, out_dims=out_dims))  # type: ignore[arg-type]


def takes_input(function: Callable[..., object]) -> bool:
    """Say whether a step function must be given an input besides the state. **Raises** Malformed: it needs more than these two."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [p for p in parameters if p.default is inspect.Parameter.empty and p.kind in kinds]
    if len(needed) > 2:  # noqa: PLR2004 - a state and an input
        names = ", ".join(p.name for p in needed)
        raise Malformed(where="step function", law="arguments", expected="step(state) or step(state, input)", got=f"step({names})")
    return len(needed) == 2  # noqa: PLR2004 - a state and an input


def _is_linear(readout: nn.Module) -> bool:
    """Say whether the formula of nn.Linear is what the readout computes: no forward of its own, no hooks; parametrised weights are fine."""
    hooked = readout._forward_hooks or readout._forward_pre_hooks  # noqa: SLF001 - torch has no public view of them
    kind = type(readout).__base__ if is_parametrized(readout) else type(readout)
    return kind is nn.Linear and not hooked


def _copied(module: nn.Module) -> nn.Module:
    """Return a deep copy, also of a module that holds tensors computed from its parameters (weights normed by a hook)."""
    held = [value for part in module.modules() for value in vars(part).values() if isinstance(value, Tensor)]
    return deepcopy(module, {id(value): value.detach().clone() for value in held})


class Loop:
    """A readout (B, H) -> (B, m), a module or a function, with its tangent.

    A module's weights are read once, in the system's dtype; a module that is not a plain nn.Linear runs in a copy, so that nothing of the
    caller's is changed, whatever its forward writes.
    """

    def __init__(self, readout: Callable[[Tensor], Tensor] | nn.Module, read: Callable[[Tensor], Tensor], probe: Tensor) -> None:
        self.readout = readout
        self.weights: dict[str, Tensor] | None = None
        self.linear: tuple[Tensor, Tensor | None] | None = None
        if isinstance(readout, nn.Module) and _is_linear(readout):
            bias = None if readout.bias is None else read(weight_of(readout, "bias"))
            self.linear = read(weight_of(readout, "weight")), bias
        elif isinstance(readout, nn.Module):
            weights = {name: read(value) for name, value in readout.named_parameters()}
            buffers = {name: (read(value) if value.is_floating_point() else value) for name, value in readout.named_buffers()}
            self.weights = weights | {name: value.detach().clone().to(probe.device) for name, value in buffers.items()}
            self.readout = self._try(lambda: _copied(readout))
        self.inputs = self(probe).shape[1]

    def __call__(self, hidden: Tensor) -> Tensor:
        """Return the next input. **Raises** Malformed: not a (B, m) tensor of the system's dtype."""
        x = self._value(hidden)
        if not isinstance(x, Tensor) or x.ndim != hidden.ndim or len(x) != len(hidden) or x.dtype != hidden.dtype:
            got = f"a {type(x).__name__}" if not isinstance(x, Tensor) else f"shape {tuple(x.shape)}, {x.dtype}"
            law, expected = "a readout turns (batch, hidden) into (batch, input)", f"({len(hidden)}, m), {hidden.dtype}"
            raise Malformed(where="closed_loop", law=law, expected=expected, got=got)
        return x

    def push(self, hidden: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return the next input and its tangent, (B, m) and (B, m, k)."""
        if self.linear is not None:
            return self(hidden), torch.matmul(self.linear[0], frames)

        def column(tangent: Tensor) -> tuple[Tensor, Tensor]:
            return _tangent(self, hidden, tangent)

        x, dx = self._try(lambda: _mapped(column, in_dims=2, out_dims=(0, 2))(frames))
        return x[0], dx

    def _value(self, hidden: Tensor) -> Tensor:
        if self.linear is not None:
            weight, bias = self.linear
            return self._try(lambda: linear(hidden, weight, bias))
        if isinstance(self.readout, nn.Module) and self.weights is not None:
            module, weights = self.readout, self.weights
            return self._try(lambda: cast("Tensor", functional_call(module, weights, (hidden,))))
        return self._try(lambda: self.readout(hidden))

    @staticmethod
    def _try(call: Callable[[], Result]) -> Result:
        try:
            return call()
        except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError) as problem:
            law = "the readout can be run and differentiated by torch.func"
            got, remedy = f"{type(problem).__name__}: {problem}", "torch operations on (batch, hidden) only; no dropout in training mode"
            raise Malformed(where="closed_loop", law=law, expected="a function of tensors", got=got, remedy=remedy) from problem
