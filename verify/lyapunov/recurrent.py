"""The recurrent modules of torch: RNN, LSTM with its cell state, GRU, and their cells; states, tangents and determinants by formula."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, logsigmoid

from proofs.errors import Malformed
from verify.errors import Unsupported
from verify.lyapunov.layers import Layer, Slopes, halves, log_abs_det, log_sech2, log_sigmoid_slope, sech2, spread, weight_of

Read = Callable[[Tensor], Tensor]
Activation = Callable[[Tensor], tuple[Tensor, Tensor]]
Biases = tuple[Tensor | None, Tensor | None]
_CELLS = (nn.RNNCell, nn.LSTMCell, nn.GRUCell)
_MODULES = (nn.RNN, nn.LSTM, nn.GRU)


def tanh(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return tanh and its slope."""
    return torch.tanh(values), sech2(values)


def relu(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return relu and its slope, 0 at 0 as in torch."""
    return torch.relu(values), (values > 0).to(values.dtype)


class RNNLayer(Layer):
    """h' = f(U h + W x + b), f tanh or relu. J = [f'] U."""

    def __init__(self, recurrent: Tensor, driving: Tensor, biases: Biases, activation: str) -> None:
        super().__init__(recurrent, driving, recurrent.shape[1])
        known = [bias for bias in biases if bias is not None]
        self.bias = torch.stack(known).sum(0) if known else None
        self.is_relu = activation == "relu"
        self.activation: Activation = relu if self.is_relu else tanh
        self.volume = log_abs_det(recurrent)

    def linearise(self, state: Tensor, x: Tensor | None) -> tuple[Tensor, Slopes]:
        """Return f of the pre-activations and f' there."""
        before = linear(state, self.recurrent, self.bias)
        if x is not None:
            before = before + linear(x, self.driving)
        new, slope = self.activation(before)
        factors = slope.unsqueeze(1)
        return new, Slopes(factors, factors, border=(before == 0).sum() if self.is_relu else None, before=(before,))

    def log_det(self, slopes: Slopes) -> Tensor:
        """Return sum log f' + log |det U|."""
        logs = slopes.hidden.squeeze(1).log() if self.is_relu else log_sech2(slopes.before[0])
        return logs.sum(1) + self.volume


class LSTMLayer(Layer):
    """State (h, c): c' = s(f) c + s(i) tanh g, h' = s(o) tanh c', gates i, f, g, o = U h + W x + b in the order of torch.

    J = [[dh'/dh, dh'/dc], [dc'/dh, [s(f)]]], 2H x 2H, with det J = prod s(f) prod s'(o) tanh(c') det U_o.
    """

    def __init__(self, recurrent: Tensor, driving: Tensor, biases: Biases) -> None:
        width = recurrent.shape[1]
        super().__init__(recurrent, driving, width, 2 * width)
        known = [bias for bias in biases if bias is not None]
        self.bias = torch.stack(known).sum(0) if known else None
        self.volume = log_abs_det(recurrent[3 * width :])

    def linearise(self, state: Tensor, x: Tensor | None) -> tuple[Tensor, Slopes]:
        """Return (h', c') and the factors of the gates' tangents."""
        h, c = halves(state, self.width)
        before = linear(h, self.recurrent, self.bias)
        if x is not None:
            before = before + linear(x, self.driving)
        at_i, at_f, at_g, at_o = before.split_with_sizes([self.width] * 4, 1)
        (i, not_i), (f, not_f), (o, not_o) = ((torch.sigmoid(gate), torch.sigmoid(-gate)) for gate in (at_i, at_f, at_o))
        g = torch.tanh(at_g)
        cell = f * c + i * g
        shown = torch.tanh(cell)
        factors = torch.stack((i * not_i * g, f * not_f * c, i * sech2(at_g)), 1)
        tail = (f, o * sech2(cell), o * not_o * shown)
        return torch.cat((o * shown, cell), 1), Slopes(factors, factors, cell=tail, before=(at_f, at_o, shown))

    def tangent(self, slopes: Slopes, frames: Tensor, dx: Tensor | None, out: Tensor) -> None:
        """Write the tangent of c', then that of h' = [s(o) sech^2 c'] dc' + [s'(o) tanh c'] (U_o dh + W_o dx)."""
        width, rows = self.width, 3 * self.width
        forget, through, gate = slopes.cell
        gate = gate.unsqueeze(1)
        old, old_cell = halves(frames, width)
        spread(slopes.hidden, self.recurrent[:rows], old, out[:, width:])
        spread(gate, self.recurrent[rows:], old, out[:, :width])
        if dx is not None:
            spread(slopes.driving, self.driving[:rows], dx, out[:, width:], add=True)
            spread(gate, self.driving[rows:], dx, out[:, :width], add=True)
        out[:, width:].addcmul_(forget.unsqueeze(-1), old_cell)
        cell = out[:, width:].clone() if out.requires_grad else out[:, width:]
        out[:, :width].addcmul_(through.unsqueeze(-1), cell)

    def log_det(self, slopes: Slopes) -> Tensor:
        """Return sum log s(f) + sum log |s'(o) tanh c'| + log |det U_o|."""
        at_f, at_o, shown = slopes.before
        return (logsigmoid(at_f) + log_sigmoid_slope(at_o) + shown.abs().log()).sum(1) + self.volume


class GRULayer(Layer):
    """h' = (1 - s(z)) n + s(z) h, n = tanh(W_n x + b + s(r) y), y = U_n h + b', gates r, z = U h + W x + b."""

    def __init__(self, recurrent: Tensor, driving: Tensor, biases: Biases) -> None:
        super().__init__(recurrent, driving, recurrent.shape[1])
        self.driving_bias, self.bias = biases

    def linearise(self, state: Tensor, x: Tensor | None) -> tuple[Tensor, Slopes]:
        """Return h' and the factors of the gates' tangents; those of n differ between state and input."""
        inside = linear(state, self.recurrent, self.bias)
        zero = inside.new_zeros(inside.shape) if self.driving_bias is None else self.driving_bias.expand(inside.shape)
        outside = zero if x is None else linear(x, self.driving, self.driving_bias)
        at_r, at_z = halves((inside + outside)[:, : 2 * self.width], self.width)
        y = inside[:, 2 * self.width :]
        r, z, free = torch.sigmoid(at_r), torch.sigmoid(at_z), torch.sigmoid(-at_z)
        at_n = outside[:, 2 * self.width :] + r * y
        n = torch.tanh(at_n)
        through = free * sech2(at_n)
        by_r, by_z = through * r * torch.sigmoid(-at_r) * y, z * free * (state - n)
        hidden, driving = torch.stack((by_r, by_z, through * r), 1), torch.stack((by_r, by_z, through), 1)
        return free * n + z * state, Slopes(hidden, driving, z)


def layers_of(module: nn.Module, read: Read) -> list[Layer] | None:
    """Return the layers of a recurrent module of torch, None for another module.

    **Raises** Unsupported: two directions, a projected state, dropout while training.
    """
    place = type(module).__name__
    if isinstance(module, (*_CELLS, *_MODULES)):
        _require_stock(module)
    if isinstance(module, nn.RNNCellBase):
        return [_layer(module, "", read)]
    if not isinstance(module, _MODULES):
        return None
    if module.bidirectional:
        got, remedy = "bidirectional=True", "take the exponents of each direction by itself"
        raise Unsupported(where=place, law="a state moves forward in time", expected="one direction", got=got, remedy=remedy)
    if module.proj_size:
        got = f"proj_size={module.proj_size}"
        raise Unsupported(
            where=place, law="the state is (h, c) of one size", expected="proj_size=0", got=got, remedy="train without a projection"
        )
    if module.dropout and module.training and module.num_layers > 1:
        got = f"dropout={module.dropout} in training mode"
        raise Unsupported(where=place, law="the step is deterministic", expected="no dropout", got=got, remedy="call module.eval() first")
    return [_layer(module, f"_l{number}", read) for number in range(module.num_layers)]


def _require_stock(module: nn.Module) -> None:
    """Refuse a subclass with a forward of its own, and hooks: the formulas here would be those of another map. **Raises** Unsupported."""
    stock = next(kind for kind in (*_CELLS, *_MODULES) if isinstance(module, kind))
    hooked = bool(module._forward_hooks or module._forward_pre_hooks)  # noqa: SLF001 - torch has no public view of them
    if type(module).forward is not stock.forward or "forward" in vars(module) or hooked:
        raise Unsupported(
            where=type(module).__name__,
            law="the step is the one torch documents",
            expected=f"the forward of torch.nn.{stock.__name__}, without hooks",
            got="forward hooks" if hooked else "another forward",
            remedy="pass its step as a function step(state, input) -> state",
        )


def _layer(module: nn.Module, suffix: str, read: Read) -> Layer:
    recurrent, driving = (read(weight_of(module, f"weight_{kind}{suffix}")) for kind in ("hh", "ih"))
    names = [f"bias_{kind}{suffix}" for kind in ("ih", "hh")]
    inner, outer = (read(weight_of(module, name)) if getattr(module, name, None) is not None else None for name in names)
    biases = inner, outer
    if isinstance(module, (nn.LSTM, nn.LSTMCell)):
        return LSTMLayer(recurrent, driving, biases)
    if isinstance(module, (nn.GRU, nn.GRUCell)):
        return GRULayer(recurrent, driving, biases)
    if isinstance(module, (nn.RNN, nn.RNNCell)):
        return RNNLayer(recurrent, driving, biases, str(module.nonlinearity))
    expected = "RNNCell, LSTMCell or GRUCell"
    raise Malformed(where="module", law="a recurrent module", expected=expected, got=type(module).__name__)
