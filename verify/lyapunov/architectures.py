"""Published recurrent architectures as torch modules that know their tangent layer: coRNN, Lipschitz, antisymmetric, leaky RNN, ESN.

Each maps (inputs (T, B, m), state (B, n) or None for 0) to (outputs (T, B, H), last state); ``next_state`` is one step.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from proofs.errors import Malformed
from verify.lyapunov.architecture_layers import AntisymmetricLayer, CoLayer, LeakyLayer, LipschitzLayer, PotentialLayer
from verify.lyapunov.layers import Layer

Read = Callable[[Tensor], Tensor]


class Recurrent(nn.Module):
    """A recurrent module of one layer; the first ``hidden_size`` entries of its state are its output."""

    state_blocks = 1

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        if hidden_size < 1 or input_size < 1:
            expected, got = "hidden_size >= 1 and input_size >= 1", f"{hidden_size} and {input_size}"
            raise Malformed(where=type(self).__name__, law="sizes", expected=expected, got=got)
        self.input_size, self.hidden_size = input_size, hidden_size

    @property
    def state_size(self) -> int:
        """The number of entries of the full state."""
        return self.state_blocks * self.hidden_size

    def layer(self, read: Read) -> Layer:
        """Return the step with its tangent map, on weights passed through ``read``."""
        raise NotImplementedError

    def next_state(self, state: Tensor, x: Tensor | None) -> Tensor:
        """Return the state after one step, (B, n); ``x`` (B, m), None for the zero input."""
        raise NotImplementedError

    def forward(self, inputs: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run over a sequence (T, B, m). **Raises** Malformed: another shape, or no time steps."""
        if inputs.ndim != 3 or inputs.shape[2] != self.input_size or 0 in inputs.shape[:2]:  # noqa: PLR2004 - time, batch, input
            expected, got = f"(T, B, {self.input_size}) with T, B >= 1", str(tuple(inputs.shape))
            raise Malformed(where=type(self).__name__, law="a sequence of inputs", expected=expected, got=got)
        here = inputs.new_zeros(inputs.shape[1], self.state_size) if state is None else state
        outputs = []
        for x in inputs:
            here = self.next_state(here, x)
            outputs.append(here[:, : self.hidden_size])
        return torch.stack(outputs), here

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"{self.input_size}, {self.hidden_size}"

    def _weight(self, *shape: int, scale: float | None = None) -> nn.Parameter:
        bound = 1 / sqrt(self.hidden_size) if scale is None else scale
        return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound))


class CoRNN(Recurrent):
    """Coupled oscillators: z' = z + dt (tanh(W y + W_z z + V u + b) - gamma y - epsilon z), y' = y + dt z'; the state is (y, z).

    ``scheme`` "imex" takes epsilon z at the new time, z' = (z + dt (tanh(...) - gamma y)) / (1 + dt epsilon), as the paper's analysis does;
    "explicit" is the published code. **See** Rusch, Mishra, ICLR 2021.

    **Example**

    >>> outputs, state = CoRNN(2, 3)(torch.zeros(7, 5, 2))
    >>> outputs.shape, state.shape
    (torch.Size([7, 5, 3]), torch.Size([5, 6]))
    """

    state_blocks = 2

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        dt: float = 0.042,
        gamma: float = 2.7,
        epsilon: float = 4.7,
        scheme: Literal["explicit", "imex"] = "explicit",
    ) -> None:
        super().__init__(input_size, hidden_size)
        if scheme not in {"explicit", "imex"}:
            raise Malformed(where="CoRNN", law="scheme", expected="explicit or imex", got=str(scheme))
        self.dt, self.gamma, self.epsilon, self.scheme = dt, gamma, epsilon, scheme
        self.W, self.W_z = self._weight(hidden_size, hidden_size), self._weight(hidden_size, hidden_size)
        self.V, self.b = self._weight(hidden_size, input_size), self._weight(hidden_size)

    def next_state(self, state: Tensor, x: Tensor | None) -> Tensor:
        """Return (y', z')."""
        y, z = state[:, : self.hidden_size], state[:, self.hidden_size :]
        force = torch.tanh(linear(y, self.W) + linear(z, self.W_z) + _driven(x, self.V, self.b)) - self.gamma * y
        implicit = self.scheme == "imex"
        speed = (z + self.dt * force) / (1 + self.dt * self.epsilon) if implicit else z + self.dt * (force - self.epsilon * z)
        return torch.cat((y + self.dt * speed, speed), 1)

    def layer(self, read: Read) -> Layer:
        """Return the step with its tangent map; det J = det dz'/dz."""
        weights = read(self.W), read(self.W_z), read(self.V), read(self.b)
        return CoLayer(*weights, (self.dt, self.gamma, self.epsilon), imex=self.scheme == "imex")


class LipschitzRNN(Recurrent):
    """h' = h + eps (alpha h A + tanh(h W + E x + e)), on rows h, or that increment times sigmoid(h W + E_g x + e_g) if ``gated``.

    A and W are (1 - beta)(M + M^T) + beta (M - M^T) - gamma I of their own M, named B and C as published.

    **See** Erichson et al., ICLR 2021.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        eps: float = 0.01,
        beta: float = 0.8,
        gamma: float = 0.01,
        alpha: float = 1.0,
        gated: bool = False,
    ) -> None:
        super().__init__(input_size, hidden_size)
        self.eps, self.beta, self.gamma, self.alpha = eps, beta, gamma, alpha
        self.B, self.C = (nn.Parameter(torch.randn(hidden_size, hidden_size) / sqrt(hidden_size)) for _ in range(2))
        self.E = nn.Linear(input_size, hidden_size)
        self.E_gate = nn.Linear(input_size, hidden_size) if gated else None

    def next_state(self, state: Tensor, x: Tensor | None) -> Tensor:
        """Return h'."""
        A, W = self._split(self.B), self._split(self.C)
        inner = state @ W
        force = self.alpha * (state @ A) + torch.tanh(inner + _driven(x, self.E.weight, self.E.bias))
        if self.E_gate is not None:
            force = force * torch.sigmoid(inner + _driven(x, self.E_gate.weight, self.E_gate.bias))
        return state + self.eps * force

    def layer(self, read: Read) -> Layer:
        """Return the step with its tangent map; A and W are transposed once, to act on columns."""
        recurrent = torch.cat((self._split(read(self.B)).T, self._split(read(self.C)).T))
        parts = [self.E] if self.E_gate is None else [self.E, self.E_gate]
        driving, bias = (torch.cat([read(getattr(part, name)) for part in parts]) for name in ("weight", "bias"))
        return LipschitzLayer(recurrent, driving, bias, self.eps, self.alpha)

    def _split(self, M: Tensor) -> Tensor:
        identity = torch.eye(self.hidden_size, dtype=M.dtype, device=M.device)
        return (1 - self.beta) * (M + M.T) + self.beta * (M - M.T) - self.gamma * identity


class AntisymmetricRNN(Recurrent):
    """h' = h + eps tanh(A h + W x + b), A = U - U^T - gamma I; ``gated``: the increment times sigmoid(A h + W_g x + b_g).

    **See** Chang et al., ICLR 2019.
    """

    def __init__(self, input_size: int, hidden_size: int, *, eps: float = 0.01, gamma: float = 0.01, gated: bool = False) -> None:
        super().__init__(input_size, hidden_size)
        self.eps, self.gamma, self.gated = eps, gamma, gated
        self.U = nn.Parameter(torch.randn(hidden_size, hidden_size) / sqrt(hidden_size))
        blocks = 2 if gated else 1
        self.W, self.b = self._weight(blocks * hidden_size, input_size), nn.Parameter(torch.zeros(blocks * hidden_size))

    def next_state(self, state: Tensor, x: Tensor | None) -> Tensor:
        """Return h'."""
        inner = linear(state, self._matrix(self.U))
        force = torch.tanh(inner + _driven(x, self.W, self.b)[..., : self.hidden_size])
        if self.gated:
            force = force * torch.sigmoid(inner + _driven(x, self.W, self.b)[..., self.hidden_size :])
        return state + self.eps * force

    def layer(self, read: Read) -> Layer:
        """Return the step with its tangent map."""
        return AntisymmetricLayer(self._matrix(read(self.U)), read(self.W), read(self.b), self.eps)

    def _matrix(self, U: Tensor) -> Tensor:
        return U - U.T - self.gamma * torch.eye(self.hidden_size, dtype=U.dtype, device=U.device)


class LeakyRNN(Recurrent):
    """h' = (1 - a) h + a tanh(W h + V u + b); with ``coordinates`` "potential": x' = (1 - a) x + a (W tanh x + V u + b)."""

    def __init__(self, input_size: int, hidden_size: int, *, a: float = 0.1, coordinates: Literal["rate", "potential"] = "rate") -> None:
        super().__init__(input_size, hidden_size)
        if coordinates not in {"rate", "potential"} or not 0 < a <= 1:
            expected, got = "0 < a <= 1, coordinates rate or potential", f"a = {a}, {coordinates}"
            raise Malformed(where="LeakyRNN", law="a leak", expected=expected, got=got)
        self.a, self.coordinates = a, coordinates
        self.W = nn.Parameter(torch.randn(hidden_size, hidden_size) / sqrt(hidden_size))
        self.V, self.b = self._weight(hidden_size, input_size), nn.Parameter(torch.zeros(hidden_size))

    def next_state(self, state: Tensor, x: Tensor | None) -> Tensor:
        """Return h', or x'."""
        drive = _driven(x, self.V, self.b)
        if self.coordinates == "rate":
            return (1 - self.a) * state + self.a * torch.tanh(linear(state, self.W) + drive)
        return (1 - self.a) * state + self.a * (linear(torch.tanh(state), self.W) + drive)

    def layer(self, read: Read) -> Layer:
        """Return the step with its tangent map; a determinant formula for a = 1."""
        kind = LeakyLayer if self.coordinates == "rate" else PotentialLayer
        return kind(read(self.W), read(self.V), read(self.b), self.a)


class ESN(Recurrent):
    """Echo state network: h' = (1 - leak) h + leak tanh(W h + W_in u + b), W and W_in random and held, ``readout`` trained.

    W is sparse normal, scaled to ``spectral_radius``; with ``closed_loop=esn.readout`` the reservoir feeds itself.

    **Example**

    >>> esn = ESN(1, 50, spectral_radius=1.2, seed=3)
    >>> round(float(torch.linalg.eigvals(esn.W).abs().max()), 4)
    1.2
    """

    def __init__(  # noqa: PLR0913 - the usual constants
        self,
        input_size: int,
        hidden_size: int,
        *,
        spectral_radius: float = 0.9,
        leak: float = 1.0,
        density: float = 0.1,
        input_scale: float = 1.0,
        bias_scale: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__(input_size, hidden_size)
        if not 0 < leak <= 1 or not 0 < density <= 1:
            raise Malformed(where="ESN", law="constants", expected="0 < leak <= 1, 0 < density <= 1", got=f"leak {leak}, density {density}")
        self.leak = leak
        rng = torch.Generator().manual_seed(seed)
        mask = torch.rand(hidden_size, hidden_size, generator=rng) < density
        W = torch.randn(hidden_size, hidden_size, generator=rng) * mask
        radius = float(torch.linalg.eigvals(W.double()).abs().max())
        if spectral_radius and radius <= 0:
            remedy = "a larger density"
            raise Malformed(where="ESN", law="spectral radius", expected="a matrix that is not nilpotent", got="radius 0", remedy=remedy)
        W_in = input_scale * (2 * torch.rand(hidden_size, input_size, generator=rng) - 1)
        self.register_buffer("W", W * (spectral_radius / radius if spectral_radius else 0.0))
        self.register_buffer("W_in", W_in)
        self.register_buffer("b", bias_scale * (2 * torch.rand(hidden_size, generator=rng) - 1))
        self.readout = nn.Linear(hidden_size, input_size)

    def next_state(self, state: Tensor, x: Tensor | None) -> Tensor:
        """Return h'."""
        drive = _driven(x, self.get_buffer("W_in"), self.get_buffer("b"))
        return (1 - self.leak) * state + self.leak * torch.tanh(linear(state, self.get_buffer("W")) + drive)

    def layer(self, read: Read) -> Layer:
        """Return the step with its tangent map."""
        return LeakyLayer(read(self.get_buffer("W")), read(self.get_buffer("W_in")), read(self.get_buffer("b")), self.leak)


def _driven(x: Tensor | None, weight: Tensor, bias: Tensor) -> Tensor:
    return bias if x is None else linear(x, weight, bias)
