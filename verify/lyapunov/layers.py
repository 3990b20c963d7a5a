"""Layers that know their own tangent map, and a stack of layers as one system."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from math import inf, log
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from proofs.errors import Malformed

if TYPE_CHECKING:
    from verify.lyapunov.results import Mode

_CACHE = 4 * 2**20
_CARD = 512 * 2**20
_FOLD = 72


@dataclass(frozen=True, eq=False)
class Slopes:
    """What the tangent map of one layer needs at one batch of states.

    The tangent of the layer's core is sum_g hidden_g * (U_g dh) + sum_g driving_g * (W_g dx) + keep * (its old tangent), products entry
    by entry.

    **Shapes:** hidden (B, G, H), driving (B, G', H), keep (B, H) or broadcast to it; ``cell`` the (B, H) factors of a layer with a
    second block of states, in its own order; ``border`` counts pre-activations of relu that are exactly 0 (torch's slope there is 0);
    ``before`` what the activations were applied to, (B, H) each, for logarithms of slopes that are too small for a float.
    """

    hidden: Tensor
    driving: Tensor
    keep: Tensor | None = None
    cell: tuple[Tensor, ...] = ()
    border: Tensor | None = None
    before: tuple[Tensor, ...] = ()


class Readout(Protocol):
    """How a network's own state becomes its next input."""

    inputs: int

    def __call__(self, hidden: Tensor) -> Tensor:
        """Return the next input, (B, H) -> (B, m)."""

    def push(self, hidden: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return the next input and its tangent, (B, m) and (B, m, k)."""


class Layer:
    """One recurrent layer: the first ``width`` entries of its state are what the next layer reads.

    **Shapes:** recurrent weight (G H, H), driving weight (G' H, m); state (B, size).
    """

    def __init__(self, recurrent: Tensor, driving: Tensor, width: int, size: int | None = None) -> None:
        self.recurrent = recurrent
        self.driving = driving
        self.width = width
        self.size = width if size is None else size
        self.inputs = driving.shape[1]

    def linearise(self, state: Tensor, x: Tensor | None) -> tuple[Tensor, Slopes]:
        """Return the next state and the slopes there; ``x`` None is the zero input."""
        raise NotImplementedError

    def tangent(self, slopes: Slopes, frames: Tensor, dx: Tensor | None, out: Tensor) -> None:
        """Write J frames + (d next / d x) dx into ``out``.

        **Shapes:** frames and out (B, size, k), dx (B, m, k) or None. **Cost** that of the products with the weights.
        """
        spread(slopes.hidden, self.recurrent, frames, out)
        if dx is not None:
            spread(slopes.driving, self.driving, dx, out, add=True)
        if slopes.keep is not None:
            out.addcmul_(slopes.keep.unsqueeze(-1), frames)

    def log_det(self, slopes: Slopes) -> Tensor | None:
        """Return log |det J| of this layer with the input held, (B,); None without a formula."""
        del slopes
        return None


def spread(coefficients: Tensor, weight: Tensor, frames: Tensor, out: Tensor, *, add: bool = False) -> None:
    """Write sum_g coefficients_g * (W_g frames) into ``out``, or add it there.

    Few columns: one product with all gates, the columns of all sequences side by side. Many columns: the gates of a sequence are first
    folded into one matrix, which saves all but one of the G products.

    **Shapes:** coefficients (B, G, H), weight (G H, m), frames (B, m, k), out (B, H, k). **Guarantee:** heuristic (floats).
    """
    gates, (size, k) = coefficients.shape[1], frames.shape[1:]
    if k >= _FOLD:
        (_folded if gates > 1 else _scaled)(coefficients, weight, frames, out, add)
        return
    columns = frames.transpose(0, 1).reshape(size, -1)
    products = (weight @ columns).view(gates, -1, len(frames), k)
    scales = coefficients.permute(1, 2, 0).unsqueeze(-1)
    total = products[0] * scales[0]
    for product, scale in zip(products[1:], scales[1:], strict=True):
        total.addcmul_(product, scale)
    turned = total.transpose(0, 1)
    _ = out.add_(turned) if add else out.copy_(turned)


def _scaled(coefficients: Tensor, weight: Tensor, frames: Tensor, out: Tensor, add: bool) -> None:
    scale = coefficients.transpose(1, 2)
    if add:
        out.addcmul_(weight @ frames, scale)
    elif torch.is_grad_enabled() and (weight.requires_grad or frames.requires_grad or scale.requires_grad):
        out.copy_(weight @ frames * scale)
    else:
        torch.matmul(weight, frames, out=out).mul_(scale)


def _folded(coefficients: Tensor, weight: Tensor, frames: Tensor, out: Tensor, add: bool) -> None:
    rows = weight.view(coefficients.shape[1], -1, weight.shape[1])
    room = _CARD if weight.is_cuda else _CACHE
    chunk = max(1, room // (rows[0].numel() * weight.element_size()))
    for at in range(0, len(frames), chunk):
        part = slice(at, at + chunk)
        scales = coefficients[part].unsqueeze(-1)
        matrix = scales[:, 0] * rows[0]
        for gate in range(1, len(rows)):
            matrix.addcmul_(scales[:, gate], rows[gate])
        _product(matrix, frames[part], out[part], add)


def _product(matrix: Tensor, frames: Tensor, out: Tensor, add: bool) -> None:
    if torch.is_grad_enabled() and (matrix.requires_grad or frames.requires_grad or out.requires_grad):
        product = torch.bmm(matrix, frames)
        _ = out.add_(product) if add else out.copy_(product)
    elif add:
        out.baddbmm_(matrix, frames)
    else:
        torch.bmm(matrix, frames, out=out)


def sech2(values: Tensor) -> Tensor:
    """Return the slope of tanh, with small relative error also where tanh rounds to 1."""
    decay = torch.exp(-2 * values.abs())
    return 4 * decay / (1 + decay).square()


def log_sech2(values: Tensor) -> Tensor:
    """Return the logarithm of the slope of tanh, finite also where the slope itself underflows."""
    size = values.abs()
    return 2 * (log(2) - size - torch.log1p(torch.exp(-2 * size)))


def log_sigmoid_slope(values: Tensor) -> Tensor:
    """Return the logarithm of the slope of the sigmoid, finite also where the slope itself underflows."""
    return logsigmoid(values) + logsigmoid(-values)


def weight_of(module: nn.Module, name: str) -> Tensor:
    """Return a weight as it acts, computed if it is parametrised; buffers that the computation moves on are put back."""
    kept = [(buffer, buffer.detach().clone()) for buffer in module.buffers()]
    found: Tensor = getattr(module, name)
    with torch.no_grad():
        for buffer, value in kept:
            if not torch.equal(buffer, value):
                buffer.copy_(value)
    return found


def halves(values: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Return the first ``width`` entries of the state axis, and the rest, as views."""
    return values[:, :width], values[:, width:]


def log_abs_det(matrix: Tensor) -> Tensor:
    """Return log |det| of a square matrix; minus infinity if, rows and columns scaled to 1, a pivot is 0 to double precision."""
    scaled = matrix.detach().double()
    for axis in (1, 0):
        largest = scaled.abs().amax(axis, keepdim=True)
        if not bool((largest > 0).all()):
            return matrix.new_tensor(-inf)
        scaled = scaled / largest
    pivots = torch.linalg.lu_factor_ex(scaled)[0].diagonal().abs()
    if bool(pivots.min() <= len(pivots) * torch.finfo(scaled.dtype).eps * pivots.max()):
        return matrix.new_tensor(-inf)
    logs: Tensor = torch.linalg.slogdet(matrix.double())[1]
    return logs.to(matrix.dtype)


@dataclass
class Stack:
    """Layers in a row, each driven by the one below, as a system on their joint state (a block triangular Jacobian).

    The input of the lowest layer is the data (driven), the readout of the highest (closed loop), or zero (autonomous).
    """

    name: str
    mode: Mode
    layers: Sequence[Layer]
    readout: Readout | None
    origin: Callable[[int, int, int], Tensor]
    dtype: torch.dtype
    device: torch.device
    _border: Tensor = field(init=False)

    def __post_init__(self) -> None:
        """Lay out the state, layer by layer."""
        self.dimension = sum(layer.size for layer in self.layers)
        self.input_size = self.layers[0].inputs if self.mode == "driven" else None
        ends = list(accumulate((layer.size for layer in self.layers), initial=0))
        self._parts = [slice(low, high) for low, high in pairwise(ends)]
        self._border = torch.zeros((), dtype=torch.int64, device=self.device)
        if self.readout is not None and self.readout.inputs != self.layers[0].inputs:
            expected, got = f"{self.layers[0].inputs} numbers, the network's input", f"{self.readout.inputs} numbers"
            raise Malformed(where="closed_loop", law="the readout feeds the input", expected=expected, got=got)

    @property
    def border_hits(self) -> int:
        """How many relu units had a pre-activation of exactly 0 in all pushes so far; torch's slope there is 0."""
        return int(self._border)

    def start(self, batch: int, seed: int) -> Tensor:
        """Return ``batch`` states to start from, reproducible from the seed."""
        return self.origin(self.dimension, batch, seed)

    def step(self, states: Tensor, inputs: Tensor | None) -> Tensor:
        """Return F(states)."""
        return self._walk(states, inputs)[0]

    def push(self, states: Tensor, inputs: Tensor | None, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return F(states) and J frames, layer by layer; the tangent of a layer's input is that of the layer below, or of the readout."""
        news: list[Tensor] = []
        moved: list[Tensor] = []
        x, dx = self._driven(states, inputs), None
        if self.readout is not None:
            x, dx = self.readout.push(self._last(states), self._last(frames))
        for layer, part in zip(self.layers, self._parts, strict=True):
            out = frames.new_empty(len(frames), layer.size, frames.shape[2])
            new, slopes = layer.linearise(states[:, part], x)
            layer.tangent(slopes, frames[:, part], dx, out)
            if slopes.border is not None:
                self._border += slopes.border
            x, dx = new[:, : layer.width], out[:, : layer.width]
            news.append(new)
            moved.append(out)
        return _joined(news), _joined(moved)

    def log_det(self, states: Tensor, inputs: Tensor | None) -> Tensor | None:
        """Return the sum of the layers' log |det J|, (B,); None in closed loop or if a layer has no formula."""
        if self.readout is not None:
            return None
        parts = [layer.log_det(slopes) for layer, slopes in zip(self.layers, self._walk(states, inputs)[1], strict=True)]
        known = [part for part in parts if part is not None]
        return torch.stack(known).sum(0) if len(known) == len(parts) else None

    def _walk(self, states: Tensor, inputs: Tensor | None) -> tuple[Tensor, list[Slopes]]:
        x = self._driven(states, inputs) if self.readout is None else self.readout(self._last(states))
        news: list[Tensor] = []
        slopes: list[Slopes] = []
        for layer, part in zip(self.layers, self._parts, strict=True):
            new, slope = layer.linearise(states[:, part], x)
            x = new[:, : layer.width]
            news.append(new)
            slopes.append(slope)
        return _joined(news), slopes

    def _last(self, states: Tensor) -> Tensor:
        start = self._parts[-1].start
        return states[:, start : start + self.layers[-1].width]

    def _driven(self, states: Tensor, inputs: Tensor | None) -> Tensor | None:
        wanted = (len(states), self.input_size) if self.mode == "driven" else None
        got = None if inputs is None else tuple(inputs.shape)
        if got != wanted:
            law = "a driven system takes (batch, input) numbers a step, another one none"
            raise Malformed(where=f"{self.name}, input", law=law, expected=str(wanted), got=str(got))
        return None if inputs is None else inputs.to(self.dtype)


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)
