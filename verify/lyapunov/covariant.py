"""Covariant Lyapunov vectors: directions that the tangent map carries into themselves, each growing at its own exponent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from verify.errors import Unsupported
from verify.lyapunov.checks import Check
from verify.lyapunov.engine import Engine
from verify.lyapunov.orthogonal import orthonormalise
from verify.lyapunov.system import System

_MEMORY = 256 * 2**20
_MOST = 1000
_TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-2}
_SAMPLE = 16


@dataclass(frozen=True, eq=False)
class Covariant:
    """Covariant vectors along a window of the run.

    **Shapes:** vectors (T', B, n, k'), unit columns; growth (T', B, k'), log |J v_i(t)|, whose means are the window's exponents; angles
    (T', B), the least angle between two neighbouring vectors, in [0, pi/2] (pi/2 where k' = 1). The first is at the beginning of the
    measurement; k' <= k leaves out directions that die (exponent minus infinity). ``error`` is the largest sine of an angle between
    J v_i(t) and v_i(t + 1), at times spread over the window.
    """

    vectors: NDArray[np.float64]
    growth: NDArray[np.float64]
    angles: NDArray[np.float64]
    error: float
    tolerance: float

    @property
    def check(self) -> Check:
        """Return the check that J v_i(t) is parallel to v_i(t + 1)."""
        return Check("covariant", self.error, self.tolerance, f"J v_i(t) parallel to v_i(t + 1), {len(self.vectors)} steps")


def window(steps: int, batch: int, size: tuple[int, int]) -> tuple[int, int]:
    """Return how many steps of vectors are kept and how many more the backward pass needs, together at most ``steps``.

    A third of the run and at most 1000 steps are left to the backward transient, the same is kept; both fit 256 MiB.
    """
    n, k = size
    share = max(1, min(_MOST, steps // 3))
    kept = max(1, min(share, _MEMORY // (8 * batch * (n * k + k * k))))
    return kept, max(1, min(share, _MEMORY // (8 * batch * k * k)))


def covariant_vectors(engine: Engine, steps: int, alive: int, seed: int) -> Covariant:
    """Return the covariant vectors of the leading ``alive`` directions, on a window that starts where the engine stands.

    The engine's frames must have gone through their own transient (forward). Forward pass: J Q = Q R step by step, Q kept in the window, R
    there and beyond. Backward pass: random upper triangular C, C <- R^-1 C with unit columns; V = Q C.

    **Guarantee:** heuristic; the error falls like exp(-gap * transient) at both ends. **Cost** (window + transient) factorisations;
    memory bounded by 256 MiB whatever the length of the run.
    **Raises:** Unsupported where no direction lives, or one dies inside the window.
    **See:** Ginelli et al., Physical Review Letters 99, 130601 (2007).
    """
    if alive < 1:
        raise _dead("every direction dies: all exponents are minus infinity")
    states, frames, time = engine.states, engine.frames[:, :, :alive], engine.time
    kept, beyond = window(steps, len(states), (states.shape[1], alive))
    trail, bases, uppers = _forward(engine, frames, kept, min(beyond, steps - kept))
    coefficients, growths = _backward(uppers, len(bases), seed)
    vectors = [Q @ C for Q, C in zip(bases, coefficients, strict=True)]
    driven = [None if engine.inputs is None else engine.inputs[time + step] for step in range(len(trail))]
    error = _mismatch(engine.system, trail, vectors, driven)
    stacked = torch.stack(vectors)
    return Covariant(_array(stacked), _array(growths), _array(_angles(stacked)), error, _TOLERANCE[stacked.dtype])


def _forward(engine: Engine, frames: Tensor, kept: int, beyond: int) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Return the window's states and frames, and R of every step of the window and beyond."""
    states, trail, bases, uppers = engine.states, [], [], []
    for step in range(kept + beyond):
        if step < kept:
            trail.append(states)
            bases.append(frames)
        inputs = None if engine.inputs is None else engine.inputs[engine.time + step]
        states, images = engine.system.push(states, inputs, frames)
        factored = orthonormalise(images)
        if bool(factored.zero.any()):
            raise _dead(f"a direction dies {step + 1} steps into the measurement")
        frames = factored.frames
        uppers.append(factored.upper)
    return trail, bases, uppers


def _backward(uppers: Sequence[Tensor], kept: int, seed: int) -> tuple[list[Tensor], Tensor]:
    """Return C at each step of the window, and log |J v| there."""
    batch, k = uppers[0].shape[:2]
    generator = torch.Generator().manual_seed(seed)
    C = _unit(torch.randn(batch, k, k, generator=generator, dtype=torch.float64).triu().to(uppers[0]))[0]
    found, growths = [], []
    for step in range(len(uppers) - 1, -1, -1):
        C, norms = _unit(torch.linalg.solve_triangular(uppers[step], C, upper=True))
        if step < kept:
            found.append(C)
            growths.append(-norms.double().log())
    return found[::-1], torch.stack(growths[::-1])


def _unit(columns: Tensor) -> tuple[Tensor, Tensor]:
    norms = torch.linalg.vector_norm(columns, dim=1)
    return columns / norms.unsqueeze(1), norms


def _mismatch(system: System, trail: Sequence[Tensor], vectors: Sequence[Tensor], inputs: Sequence[Tensor | None]) -> float:
    """Return the largest sine between J v(t) and v(t + 1), at sixteen times at most."""
    worst = 0.0
    pairs = len(vectors) - 1
    for step in sorted({round(i * (pairs - 1) / (_SAMPLE - 1)) for i in range(_SAMPLE)} if pairs > 0 else ()):
        moved = _unit(system.push(trail[step], inputs[step], vectors[step])[1])[0]
        along = (moved * vectors[step + 1]).sum(dim=1, keepdim=True)
        found = float(torch.linalg.vector_norm(moved - along * vectors[step + 1], dim=1).amax())
        worst = max(worst, found)
    return worst


def _angles(vectors: Tensor) -> Tensor:
    if vectors.shape[-1] == 1:
        return torch.full(vectors.shape[:2], pi / 2, dtype=torch.float64)
    cosines = (vectors[..., 1:] * vectors[..., :-1]).sum(dim=2).abs().double()
    return cosines.amax(dim=-1).clamp_max(1.0).acos()


def _array(values: Tensor) -> NDArray[np.float64]:
    return np.asarray(values.double().cpu().numpy())


def _dead(reason: str) -> Unsupported:
    return Unsupported(
        where="covariant vectors",
        law="the tangent map is invertible on the directions asked for",
        expected="finite exponents",
        got=reason,
        remedy="ask for fewer exponents (k), or without covariant vectors",
    )
