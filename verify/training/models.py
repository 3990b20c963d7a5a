"""Piecewise linear recurrent networks as torch modules in float64, one class a family.

    plrnn                  z' = A z + W relu(z) + h                                  W hollow
    shallow_plrnn          z' = A z + W1 relu(W2 z + h2) + h1
    clipped_shallow_plrnn  z' = A z + W1 [relu(W2 z + h2) - relu(W2 z)] + h1
    dendritic_plrnn        z' = A z + W sum_b alpha_b relu(z - H_b) + h              W hollow; clipped: each less relu(z)
    alrnn                  z' = A z + W (z_1, .., z_(M-P), relu(z_(M-P+1)), .., relu(z_M)) + h

A is a vector. The parameters bear the names that network files use, so ``verify.load`` reads a checkpoint and finds the same map.
Hollow: the diagonal of W is masked, it starts at 0, has gradient 0 and stays 0. All of them are z' = L z + R relu(U z + u) + h, from which
steps, patterns, Jacobians and the gradients of training follow.

See Durstewitz 2017, Brenner et al. 2022 and 2024, Hess et al. 2023; starting weights as published with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Generator, Tensor, nn

if TYPE_CHECKING:
    from verify.training.config import ModelSettings

Step = Callable[[Tensor], Tensor]
FLOAT = torch.float64


class Form(NamedTuple):
    """z' = L z + R relu(U z + u) + h. **Shapes:** L (M, M), R (M, D), U (D, M), u (D), h (M); D hinges, in the order of the program's."""

    L: Tensor
    R: Tensor
    U: Tensor
    u: Tensor
    h: Tensor


class Recurrent(nn.Module):
    """What all families share; a subclass gives the parameters and ``form``.

    **Shapes:** states (B, M). **Guarantee:** heuristic: floats. A point on a border counts as inactive.
    """

    family = ""
    hollow = False
    decayed: tuple[str, ...] = ("W", "h")
    """Arrays that the latent regularisation pulls to 0; it pulls A to 1."""
    mask: Tensor
    W: nn.Parameter

    def __init__(self, M: int, generator: Generator) -> None:
        """Start with A the diagonal of a random positive definite matrix with largest eigenvalue 1."""
        super().__init__()
        self.start = normalised_positive_definite(M, generator)
        self.A = nn.Parameter(self.start.diagonal().clone())
        self.register_buffer("mask", 1 - torch.eye(M, dtype=FLOAT), persistent=False)

    @property
    def dimension(self) -> int:
        """Return M."""
        return len(self.A)

    def settings(self) -> dict[str, Any]:
        """Return what a network file must state besides the arrays."""
        return {}

    def form(self) -> Form:
        """Return the common form, through which gradients reach the parameters."""
        raise NotImplementedError

    def step(self) -> Step:
        """Return the map with everything prepared that does not depend on the state; it shares the parameters' gradients."""
        L, R, U, u, h = self.form()
        return lambda z: torch.addmm(torch.addmm(h, z, L.T), torch.addmm(u, z, U.T).relu(), R.T)

    def forward(self, z: Tensor) -> Tensor:
        """Return F(z), (B, M) to (B, M)."""
        return self.step()(z)

    def pattern(self, z: Tensor) -> Tensor:
        """Return which hinges are active, (..., M) to (..., hinges), booleans."""
        form = self.form()
        return z @ form.U.T + form.u > 0

    def jacobians(self, pattern: Tensor) -> Tensor:
        """Return the derivative of F in the regions of patterns, (B, hinges) to (B, M, M)."""
        form = self.form()
        return form.L + (form.R * pattern.to(FLOAT).unsqueeze(-2)) @ form.U

    def jacobian(self, z: Tensor) -> Tensor:
        """Return the derivative of F at states, (B, M) to (B, M, M)."""
        return self.jacobians(self.pattern(z))

    def norm_bound(self) -> float:
        """Return a bound of the spectral norm of the derivative in every region, from norms of the parameters."""
        return float(self.A.detach().abs().max()) + spectral_norm(self.weights())

    def weights(self) -> Tensor:
        """Return W as it acts."""
        return self.W * self.mask if self.hollow else self.W

    def arrays(self) -> dict[str, Tensor]:
        """Return copies of the map's parameters as they act, by name."""
        found = {name: value.detach().clone() for name, value in self.named_parameters()}
        return found | ({"W": self.weights().detach().clone()} if self.hollow else {})

    def penalty(self) -> Tensor:
        """Return |1 - A|^2 plus the squared norms of the decayed arrays, as published."""
        decayed = [self.weights() if name == "W" else getattr(self, name) for name in self.decayed]
        return torch.stack([(1 - self.A).square().sum(), *(value.square().sum() for value in decayed)]).sum()


class PLRNN(Recurrent):
    """z' = A z + W relu(z) + h with hollow W. **Shapes:** A (M), W (M, M), h (M)."""

    family = "plrnn"
    hollow = True

    def __init__(self, M: int, generator: Generator) -> None:
        """Start from the off-diagonal part of the same matrix as A; h is 0."""
        super().__init__(M, generator)
        self.W = nn.Parameter(self.start * self.mask)
        self.h = nn.Parameter(torch.zeros(M, dtype=FLOAT))

    def form(self) -> Form:
        """Return the form whose hinges are the states."""
        return Form(torch.diag(self.A), self.weights(), torch.eye(self.dimension, dtype=FLOAT), torch.zeros_like(self.A), self.h)


class ALRNN(Recurrent):
    """z' = A z + W phi(z) + h, where phi rectifies the last P units; W is full. **Shapes:** A (M), W (M, M), h (M)."""

    family = "alrnn"

    def __init__(self, M: int, P: int, generator: Generator) -> None:
        """Start with W normal of deviation 0.01, h = 0."""
        super().__init__(M, generator)
        self.P = P
        self.W = nn.Parameter(0.01 * torch.randn((M, M), dtype=FLOAT, generator=generator))
        self.h = nn.Parameter(torch.zeros(M, dtype=FLOAT))

    def settings(self) -> dict[str, Any]:
        """Return P."""
        return {"P": self.P}

    def form(self) -> Form:
        """Return the form whose hinges are the last P states; the other columns of W are added to A."""
        linear = self.dimension - self.P
        within = torch.diag(self.A) + torch.nn.functional.pad(self.W[:, :linear], (0, self.P))
        return Form(within, self.W[:, linear:], torch.eye(self.dimension, dtype=FLOAT)[linear:], torch.zeros(self.P, dtype=FLOAT), self.h)


class ShallowPLRNN(Recurrent):
    """z' = A z + W1 relu(W2 z + h2) + h1. **Shapes:** A (M), W1 (M, H), W2 (H, M), h1 (M), h2 (H)."""

    family = "shallow_plrnn"
    decayed = ("W1", "W2", "h1", "h2")

    def __init__(self, M: int, H: int, generator: Generator) -> None:
        """Start with W1, W2 uniform within 1 / sqrt(columns), the biases 0."""
        super().__init__(M, generator)
        self.W1 = nn.Parameter(uniform((M, H), 1 / math.sqrt(H), generator))
        self.W2 = nn.Parameter(uniform((H, M), 1 / math.sqrt(M), generator))
        self.h1 = nn.Parameter(torch.zeros(M, dtype=FLOAT))
        self.h2 = nn.Parameter(torch.zeros(H, dtype=FLOAT))

    def form(self) -> Form:
        """Return the form whose hinges are the hidden units."""
        return Form(torch.diag(self.A), self.W1, self.W2, self.h2, self.h1)

    def norm_bound(self) -> float:
        """Return max|A| + |W1| |W2|."""
        return float(self.A.detach().abs().max()) + spectral_norm(self.W1) * spectral_norm(self.W2)


class ClippedShallowPLRNN(ShallowPLRNN):
    """z' = A z + W1 [relu(W2 z + h2) - relu(W2 z)] + h1. **Shapes:** as ShallowPLRNN; 2H hinges, those with h2 first."""

    family = "clipped_shallow_plrnn"

    def form(self) -> Form:
        """Return the form with two hinges a hidden unit."""
        outer, inner = torch.cat((self.W1, -self.W1), -1), torch.cat((self.W2, self.W2))
        return Form(torch.diag(self.A), outer, inner, torch.cat((self.h2, torch.zeros_like(self.h2))), self.h1)


class DendriticPLRNN(Recurrent):
    """z' = A z + W sum_b alpha_b relu(z - H_b) + h, hollow W. **Shapes:** A (M), W (M, M), h (M), alpha (B), H (M, B)."""

    family = "dendritic_plrnn"
    hollow = True
    decayed = ("W", "h", "alpha")

    def __init__(self, M: int, B: int, generator: Generator, *, clipped: bool = False) -> None:
        """Start as PLRNN; alpha uniform within 1 / sqrt(B), the thresholds H normal."""
        super().__init__(M, generator)
        self.clipped = clipped
        self.W = nn.Parameter(self.start * self.mask)
        self.h = nn.Parameter(torch.zeros(M, dtype=FLOAT))
        self.alpha = nn.Parameter(uniform((B,), 1 / math.sqrt(B), generator))
        self.H = nn.Parameter(torch.randn((M, B), dtype=FLOAT, generator=generator))

    def settings(self) -> dict[str, Any]:
        """Return the sign of the thresholds and whether relu(z) is subtracted."""
        return {"threshold_sign": "minus", "clipped": self.clipped}

    def form(self) -> Form:
        """Return the form whose hinges are unit 1 with its thresholds (if clipped, then its 0), unit 2, and so on."""
        alpha: Tensor = self.alpha
        thresholds: Tensor = self.H
        if self.clipped:
            alpha = torch.cat((alpha, -alpha.sum().reshape(1)))
            thresholds = torch.nn.functional.pad(thresholds, (0, 1))
        units = torch.eye(self.dimension, dtype=FLOAT).repeat_interleave(len(alpha), 0)
        outer = (self.weights().unsqueeze(-1) * alpha).flatten(-2)
        return Form(torch.diag(self.A), outer, units, -thresholds.flatten(), self.h)

    def norm_bound(self) -> float:
        """Return max|A| + |W| sum|alpha|."""
        return float(self.A.detach().abs().max()) + spectral_norm(self.weights()) * float(self.alpha.detach().abs().sum())


def make_model(settings: ModelSettings, generator: Generator) -> Recurrent:
    """Return a network with starting weights drawn from the generator."""
    M, P, H, B = settings.M, settings.P or 0, settings.H or 0, settings.B or 0
    if settings.family == "plrnn":
        return PLRNN(M, generator)
    if settings.family == "alrnn":
        return ALRNN(M, P, generator)
    if settings.family == "dendritic_plrnn":
        return DendriticPLRNN(M, B, generator, clipped=settings.clipped)
    return (ClippedShallowPLRNN if settings.family == "clipped_shallow_plrnn" else ShallowPLRNN)(M, H, generator)


def normalised_positive_definite(M: int, generator: Generator) -> Tensor:
    """Return R'R / M + I, R normal, divided by its largest eigenvalue. **Shapes:** (M, M). See Talathi and Vartak 2016."""
    R = torch.randn((M, M), dtype=FLOAT, generator=generator)
    K = R.T @ R / M + torch.eye(M, dtype=FLOAT)
    largest: Tensor = torch.linalg.eigvalsh(K)[-1]
    return K / largest


def uniform(shape: tuple[int, ...], width: float, generator: Generator) -> Tensor:
    """Return numbers uniform in [-width, width]."""
    return (2 * torch.rand(shape, dtype=FLOAT, generator=generator) - 1) * width


def spectral_norm(matrix: Tensor) -> float:
    """Return the largest singular value."""
    return float(torch.linalg.matrix_norm(matrix.detach(), 2))
