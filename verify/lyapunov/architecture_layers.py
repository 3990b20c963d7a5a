"""The tangent layers of ``architectures``: steps, tangents and determinants by formula."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

from verify.lyapunov.layers import Layer, Slopes, halves, log_abs_det, log_sech2, sech2, spread


class _Biased(Layer):
    """A layer with one bias for all its driving rows."""

    def __init__(self, recurrent: Tensor, driving: Tensor, bias: Tensor, width: int, size: int | None = None) -> None:
        super().__init__(recurrent, driving, width, size)
        self.bias = bias

    def _drive(self, x: Tensor | None) -> Tensor:
        return self.bias.unsqueeze(0) if x is None else linear(x, self.driving, self.bias)


class LeakyLayer(_Biased):
    """h' = (1 - a) h + a tanh(W h + V u + b). J = (1 - a) I + a [sech^2] W."""

    def __init__(self, W: Tensor, V: Tensor, b: Tensor, a: float) -> None:
        super().__init__(W, V, b, W.shape[1])
        self.a = a
        self.volume = log_abs_det(W) if a == 1 else None

    def linearise(self, state: Tensor, x: Tensor | None) -> tuple[Tensor, Slopes]:
        """Return h' and a sech^2."""
        before = linear(state, self.recurrent) + self._drive(x)
        factors = (self.a * sech2(before)).unsqueeze(1)
        keep = None if self.a == 1 else state.new_full((1, 1), 1 - self.a)
        return (1 - self.a) * state + self.a * torch.tanh(before), Slopes(factors, factors, keep, before=(before,))

    def log_det(self, slopes: Slopes) -> Tensor | None:
        """Return sum log sech^2 + log |det W| for a = 1."""
        return None if self.volume is None else log_sech2(slopes.before[0]).sum(1) + self.volume


class PotentialLayer(_Biased):
    """x' = (1 - a) x + a (W tanh x + V u + b). J = (1 - a) I + a W [sech^2 x]."""

    def __init__(self, W: Tensor, V: Tensor, b: Tensor, a: float) -> None:
        super().__init__(W, V, b, W.shape[1])
        self.a = a
        self.volume = log_abs_det(W) if a == 1 else None

    def linearise(self, state: Tensor, x: Tensor | None) -> tuple[Tensor, Slopes]:
        """Return x', and the slopes of tanh at x, which act before W."""
        force = linear(torch.tanh(state), self.recurrent) + self._drive(x)
        factors = (self.a * sech2(state)).unsqueeze(1)
        driving = factors.new_full((len(state), 1, self.width), self.a)
        return (1 - self.a) * state + self.a * force, Slopes(factors, driving, before=(state,))

    def tangent(self, slopes: Slopes, frames: Tensor, dx: Tensor | None, out: Tensor) -> None:
        """Write (1 - a) frames + W ([a sech^2 x] frames) + a V dx."""
        scaled = slopes.hidden.squeeze(1).unsqueeze(-1) * frames
        spread(torch.ones_like(slopes.driving), self.recurrent, scaled, out)
        if self.a != 1:
            out.add_(frames, alpha=1 - self.a)
        if dx is not None:
            spread(slopes.driving, self.driving, dx, out, add=True)

    def log_det(self, slopes: Slopes) -> Tensor | None:
        """Return sum log sech^2 + log |det W| for a = 1."""
        return None if self.volume is None else log_sech2(slopes.before[0]).sum(1) + self.volume


class AntisymmetricLayer(_Biased):
    """h' = h + eps tanh(A h + W x + b), or that increment times sigmoid(A h + W_g x + b_g) where there are two blocks of W."""

    def __init__(self, A: Tensor, W: Tensor, b: Tensor, eps: float) -> None:
        super().__init__(A, W, b, A.shape[1])
        self.eps = eps
        self.is_gated = len(W) > len(A)

    def linearise(self, state: Tensor, x: Tensor | None) -> tuple[Tensor, Slopes]:
        """Return h'; the tangent of A h is scaled by the slopes of both factors."""
        inner, drive = linear(state, self.recurrent), self._drive(x)
        at = inner + drive[:, : self.width]
        force, slope = torch.tanh(at), sech2(at)
        keep = state.new_ones(1, 1)
        if not self.is_gated:
            factors = (self.eps * slope).unsqueeze(1)
            return state + self.eps * force, Slopes(factors, factors, keep)
        gate, change = _sigmoid(inner + drive[:, self.width :])
        driving = self.eps * torch.stack((gate * slope, force * change), 1)
        return state + self.eps * force * gate, Slopes(driving.sum(1, keepdim=True), driving, keep)


class LipschitzLayer(_Biased):
    """h' = h + eps (alpha A h + tanh(W h + E x + e)) on columns, the increment gated where E has two blocks; recurrent is A over W."""

    def __init__(self, recurrent: Tensor, driving: Tensor, bias: Tensor, eps: float, alpha: float) -> None:
        super().__init__(recurrent, driving, bias, recurrent.shape[1])
        self.eps, self.alpha = eps, alpha
        self.is_gated = len(driving) > recurrent.shape[1]

    def linearise(self, state: Tensor, x: Tensor | None) -> tuple[Tensor, Slopes]:
        """Return h' and the factors of A h and W h."""
        (linear_part, inner), drive = halves(linear(state, self.recurrent), self.width), self._drive(x)
        at = inner + drive[:, : self.width]
        force, slope = self.alpha * linear_part + torch.tanh(at), sech2(at)
        keep = state.new_ones(1, 1)
        if not self.is_gated:
            hidden = self.eps * torch.stack((torch.full_like(slope, self.alpha), slope), 1)
            return state + self.eps * force, Slopes(hidden, hidden[:, 1:], keep)
        gate, change = _sigmoid(inner + drive[:, self.width :])
        driving = self.eps * torch.stack((gate * slope, force * change), 1)
        hidden = torch.stack((self.eps * self.alpha * gate, driving.sum(1)), 1)
        return state + self.eps * force * gate, Slopes(hidden, driving, keep)


class CoLayer(_Biased):
    """State (y, z): z' = z + dt (tanh(W y + W_z z + V u + b) - gamma y - epsilon z), y' = y + dt z'; IMEX divides by 1 + dt epsilon.

    det J = det dz'/dz, an H x H determinant: J = [[I + dt B, dt A], [B, A]] with A = dz'/dz, B = dz'/dy.
    """

    def __init__(self, W: Tensor, W_z: Tensor, V: Tensor, b: Tensor, constants: tuple[float, float, float], *, imex: bool) -> None:
        super().__init__(torch.cat((W, W_z), 1), V, b, len(W), 2 * len(W))
        dt, gamma, epsilon = constants
        damping = 1 / (1 + dt * epsilon) if imex else 1.0
        self.dt, self.force, self.restoring = dt, dt * damping, dt * gamma * damping
        self.keep = damping if imex else 1 - dt * epsilon

    def linearise(self, state: Tensor, x: Tensor | None) -> tuple[Tensor, Slopes]:
        """Return (y', z') and dt sech^2 (divided by 1 + dt epsilon for IMEX)."""
        y, z = halves(state, self.width)
        before = linear(state, self.recurrent) + self._drive(x)
        moved = self.keep * z + self.force * torch.tanh(before) - self.restoring * y
        factors = (self.force * sech2(before)).unsqueeze(1)
        return torch.cat((y + self.dt * moved, moved), 1), Slopes(factors, factors)

    def tangent(self, slopes: Slopes, frames: Tensor, dx: Tensor | None, out: Tensor) -> None:
        """Write the tangent of z', then that of y' = y + dt z'."""
        old, old_speed = halves(frames, self.width)
        width = self.width
        spread(slopes.hidden, self.recurrent, frames, out[:, width:])
        if dx is not None:
            spread(slopes.driving, self.driving, dx, out[:, width:], add=True)
        speed = out[:, width:].add_(old_speed, alpha=self.keep).sub_(old, alpha=self.restoring)
        out[:, :width] = torch.add(old, speed, alpha=self.dt)

    def log_det(self, slopes: Slopes) -> Tensor:
        """Return log |det dz'/dz|. **Cost** one H x H determinant a state."""
        block = slopes.hidden.squeeze(1).unsqueeze(-1) * self.recurrent[:, self.width :]
        block.diagonal(dim1=1, dim2=2).add_(self.keep)
        logs: Tensor = torch.linalg.slogdet(block)[1]
        return logs


def _sigmoid(values: Tensor) -> tuple[Tensor, Tensor]:
    gate = torch.sigmoid(values)
    return gate, gate * torch.sigmoid(-values)
