"""One door for everything that has a Lyapunov spectrum: torch modules, architectures, exact networks, step functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from proofs.errors import Malformed
from proofs.network import Network
from verify.loading import Loaded
from verify.lyapunov.architectures import Recurrent
from verify.lyapunov.functions import FunctionSystem, Loop, takes_input
from verify.lyapunov.layers import Stack
from verify.lyapunov.program import ProgramSystem
from verify.lyapunov.recurrent import layers_of
from verify.lyapunov.results import Mode
from verify.lyapunov.system import System

Callback = Callable[..., Tensor]
_SPREAD = 0.1
_NEAR = 1e-3
_KNOWN = "torch.nn.RNN, LSTM, GRU, their cells, or a module of verify.lyapunov.architectures"
_MEMBERS = ("mode", "dimension", "dtype", "device", "start", "step", "push", "log_det")


@dataclass(frozen=True)
class _Wishes:
    """What the caller asked for besides the source."""

    closed_loop: Callback | nn.Module | None
    driven: bool | None
    start: Tensor | None
    dimension: int | None
    input_size: int | None
    dtype: torch.dtype
    device: torch.device
    differentiable: bool

    def read(self, weight: Tensor) -> Tensor:
        """Return a weight in the system's dtype on its device; cut off from its module unless gradients were asked for."""
        if not bool(torch.isfinite(weight).all()):
            got = f"{int((~torch.isfinite(weight)).sum())} of {weight.numel()} are nan or infinite"
            remedy = "the training has diverged: go back to an earlier state"
            raise Malformed(where="weights", law="weights are numbers", expected="finite numbers", got=got, remedy=remedy)
        return (weight if self.differentiable else weight.detach().clone()).to(self.device, self.dtype)

    def origin(self, dimension: int, batch: int, seed: int) -> Tensor:
        """Return states to start from: the caller's own, or independent normal ones of size 0.1."""
        noise = torch.randn(batch, dimension, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        if self.start is None:
            return (_SPREAD * noise).to(self.device, self.dtype)
        given = self.start.detach().to("cpu", torch.float64)
        if not given.isfinite().all() or given.shape not in {(dimension,), (batch, dimension)}:
            expected, got = (
                f"finite numbers, shape ({dimension},) or ({batch}, {dimension})",
                f"shape {tuple(given.shape)}: {given.flatten()[:8].tolist()}",
            )
            raise Malformed(where="start", law="a state to start from", expected=expected, got=got)
        if given.ndim == 1:
            noise[0] = 0
            given = given + _NEAR * (1 + given.abs()) * noise
        return given.to(self.device, self.dtype)


def system_of(  # noqa: PLR0913 - one keyword each wish
    source: object,
    *,
    closed_loop: Callback | nn.Module | None = None,
    driven: bool | None = None,
    start: Tensor | None = None,
    dimension: int | None = None,
    input_size: int | None = None,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    differentiable: bool = False,
) -> System:
    """Return a source as a system: its step, and its tangent map without a Jacobian.

    ``source``: a recurrent module of torch (RNN, LSTM, GRU with any number of layers, their cells), a module of
    ``verify.lyapunov.architectures``, an exact ``Network`` or ``Loaded``, a step(state) or step(state, input) on one state (n,) in torch
    operations (``dimension`` or ``start`` says n), or a system already. Modules are driven by data unless ``closed_loop`` turns the last
    layer's h (B, H) into the next input (B, m), or ``driven`` is False: the input 0, autonomous. ``start`` is (n,) or (batch, n); of
    a single one the further sequences start a thousandth away. Weights are read once, as ``dtype`` (float64) on ``device``; with
    ``differentiable`` they stay attached to the module's parameters.

    **Shapes:** the full state layer by layer, an LSTM's (h, c) of each, a coRNN's (y, z). **Guarantee:** heuristic (floats).
    **Raises** Malformed: not recurrent, a step that is not square, wishes that disagree; Unsupported: two directions, projections, dropout.

    **Example**

    >>> system = system_of(torch.nn.LSTM(3, 5, num_layers=2))
    >>> system.name, system.mode, system.dimension, system.input_size
    ('LSTM(3, 5, num_layers=2)', 'driven', 20, 3)
    """
    place = torch.device("cpu" if device is None else device)
    given = None if start is None else torch.as_tensor(start)
    if given is not None and given.ndim not in {1, 2}:
        raise Malformed(where="start", law="a state to start from", expected="shape (n,) or (batch, n)", got=f"shape {tuple(given.shape)}")
    wishes = _Wishes(closed_loop, driven, given, dimension, input_size, _dtype(dtype), place, differentiable)
    if closed_loop is not None and driven is not None:
        got = f"driven={driven} and closed_loop"
        raise Malformed(where="system", law="one source of input", expected="driven, or closed_loop, or neither", got=got)
    if isinstance(source, Loaded):
        return _program(source.network, source.name, wishes)
    if isinstance(source, Network):
        return _program(source, f"network of {source.dimension} states", wishes)
    if isinstance(source, nn.Module):
        return _module(source, wishes)
    if not isinstance(source, type) and all(hasattr(source, name) for name in _MEMBERS):
        return cast("System", source)
    if callable(source):
        return _function(source, wishes)
    raise Malformed(
        where="system", law="a recurrent network", expected=f"{_KNOWN}, a Network, or a step function", got=f"a {type(source).__name__}"
    )


def _dtype(wanted: torch.dtype | str | None) -> torch.dtype:
    found = getattr(torch, wanted, None) if isinstance(wanted, str) else wanted or torch.float64
    if found not in {torch.float32, torch.float64}:
        raise Malformed(where="dtype", law="numbers", expected="float32 or float64", got=str(wanted))
    return cast("torch.dtype", found)


def _program(network: Network, name: str, wishes: _Wishes) -> System:
    _undriven(name, "an exact network has no input: its biases hold it", wishes)
    _sized(name, network.dimension, wishes)
    return ProgramSystem(name, network, wishes.read, wishes.origin, wishes.dtype, wishes.device)


def _module(module: nn.Module, wishes: _Wishes) -> System:
    layers = layers_of(module, wishes.read)
    if layers is None and isinstance(module, Recurrent):
        layers = [module.layer(wishes.read)]
    if layers is None:
        raise _not_recurrent(module)
    mode: Mode = "closed_loop" if wishes.closed_loop is not None else "autonomous" if wishes.driven is False else "driven"
    if wishes.input_size not in {None, layers[0].inputs}:
        raise Malformed(where=str(module), law="input size", expected=str(layers[0].inputs), got=str(wishes.input_size))
    loop = None
    if wishes.closed_loop is not None:
        loop = Loop(wishes.closed_loop, wishes.read, torch.zeros(2, layers[-1].width, dtype=wishes.dtype, device=wishes.device))
    stack = Stack(str(module), mode, layers, loop, wishes.origin, wishes.dtype, wishes.device)
    _sized(stack.name, stack.dimension, wishes)
    return stack


def _not_recurrent(module: nn.Module) -> Malformed:
    parts = [name for name, part in module.named_modules() if isinstance(part, (nn.RNNBase, nn.RNNCellBase, Recurrent))]
    inside = f"pass its recurrent part: {', '.join(parts)}" if parts else "pass a function step(state) or step(state, input) of one state"
    return Malformed(where="module", law="the module is recurrent", expected=_KNOWN, got=f"a {type(module).__name__}", remedy=inside)


def _function(function: Callback, wishes: _Wishes) -> System:
    name = str(getattr(function, "__name__", type(function).__name__))
    size = wishes.dimension if wishes.start is None or wishes.dimension is not None else wishes.start.shape[-1]
    if size is None or size < 1:
        expected, got = "dimension=n or start=state", "neither" if size is None else str(size)
        raise Malformed(where=f"step function {name}", law="the size of the state is known", expected=expected, got=got)
    takes = takes_input(function)
    if not takes and wishes.closed_loop is None:
        _undriven(f"step function {name}", "step(state) has no input", wishes)
    if not takes and wishes.closed_loop is not None:
        raise Malformed(where=f"step function {name}", law="a loop closes over the input", expected="step(state, input)", got="step(state)")
    mode: Mode = "closed_loop" if wishes.closed_loop is not None else "driven" if takes and wishes.driven is not False else "autonomous"
    system = FunctionSystem(name, mode, function, size, wishes.input_size, None, wishes.origin, wishes.dtype, wishes.device)
    if wishes.closed_loop is not None:
        system.fixed = Loop(wishes.closed_loop, wishes.read, torch.zeros(2, size, dtype=wishes.dtype, device=wishes.device))
    elif takes and wishes.driven is False:
        system.fixed = torch.zeros(_known_input(name, wishes), dtype=wishes.dtype, device=wishes.device)
    probe = system.start(1 if wishes.start is None or wishes.start.ndim == 1 else len(wishes.start), 0)
    if mode != "driven":
        system.step(probe, None)
    elif wishes.input_size is not None:
        system.step(probe, probe.new_zeros(len(probe), wishes.input_size))
    return system


def _known_input(name: str, wishes: _Wishes) -> int:
    if wishes.input_size is None:
        raise Malformed(
            where=f"step function {name}", law="driven=False holds the input at 0", expected="input_size=m", got="no input_size"
        )
    return wishes.input_size


def _undriven(name: str, law: str, wishes: _Wishes) -> None:
    if wishes.driven or wishes.closed_loop is not None:
        got = "driven=True" if wishes.driven else "closed_loop"
        raise Malformed(where=name, law=law, expected="an autonomous system", got=got)


def _sized(name: str, size: int, wishes: _Wishes) -> None:
    if wishes.dimension not in {None, size}:
        raise Malformed(where=name, law="the full state", expected=f"dimension {size}", got=str(wishes.dimension))
