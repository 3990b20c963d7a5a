"""Observation models: the data as the first N states, or as an affine image of all of them; and the inverse that forcing needs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor, nn

from proofs.errors import Malformed
from verify.training.models import FLOAT, uniform

if TYPE_CHECKING:
    from verify.training.config import ModelSettings


class Identity(nn.Module):
    """x = (z_1, .., z_N). The other states at the start of a sequence are estimated as L x. **Shapes:** L (M - N, N).

    Forcing acts on the first N states.
    """

    kind = "identity"

    def __init__(self, N: int, M: int, generator: Generator) -> None:
        """Start with a Glorot uniform L."""
        super().__init__()
        self.N = self.forced = N
        self.L = nn.Parameter(uniform((M - N, N), math.sqrt(6 / M), generator))

    def forward(self, z: Tensor) -> Tensor:
        """Return the observations, (..., M) to (..., N)."""
        return z[..., : self.N]

    def invert(self, x: Tensor) -> Tensor:
        """Return the states that force, (..., N) to (..., forced)."""
        return x

    def first(self, x: Tensor) -> Tensor:
        """Return the states at the start of sequences, (B, N) to (B, M)."""
        return torch.cat((x, x @ self.L.T), -1)

    def penalty(self) -> Tensor:
        """Return |L|^2."""
        return self.L.square().sum()


class Affine(nn.Module):
    """x = B z + b; states from data by the pseudo-inverse of B, which forces all M states. **Shapes:** B (N, M), b (N)."""

    kind = "affine"

    def __init__(self, N: int, M: int, generator: Generator) -> None:
        """Start with B normal of variance 2 / M, b = 0."""
        super().__init__()
        self.N, self.forced = N, M
        self.B = nn.Parameter(torch.randn((N, M), dtype=FLOAT, generator=generator) * math.sqrt(2 / M))
        self.b = nn.Parameter(torch.zeros(N, dtype=FLOAT))

    def forward(self, z: Tensor) -> Tensor:
        """Return the observations, (..., M) to (..., N)."""
        return z @ self.B.T + self.b

    def invert(self, x: Tensor) -> Tensor:
        """Return the states that force, (..., N) to (..., M); the gradient passes through the pseudo-inverse."""
        inverse: Tensor = torch.linalg.pinv(self.B)
        return (x - self.b) @ inverse.T

    def first(self, x: Tensor) -> Tensor:
        """Return the states at the start of sequences, (B, N) to (B, M)."""
        return self.invert(x)

    def penalty(self) -> Tensor:
        """Return (1 - s_1 / s_N)^2 with the singular values of B."""
        values: Tensor = torch.linalg.svdvals(self.B)
        return (1 - values[0] / (values[-1] + 1e-8)).square()


Observation = Identity | Affine


def make_observation(settings: ModelSettings, N: int, generator: Generator) -> Observation:
    """Return an observation model of N coordinates. **Raises:** Malformed: identity with fewer states than coordinates."""
    if settings.observation == "affine":
        return Affine(N, settings.M, generator)
    if settings.M < N:
        law, expected = "the data are the first states", f"M at least {N}, the number of coordinates"
        raise Malformed(where="configuration, key model, key M", law=law, expected=expected, got=str(settings.M))
    return Identity(N, settings.M, generator)
