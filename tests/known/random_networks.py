"""Random tanh networks, and what theory says of their Lyapunov exponents as they grow."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import digamma, stdtrit
from torch import Tensor, nn

from tests.known.exponents import runge_kutta
from verify.lyapunov import spectrum
from verify.lyapunov.systems import system_of

Array = NDArray[np.float64]
TANH_TABLE = {  # g: q, largest exponent, mean exponent; as N grows
    1.05: (0.05325049, 0.00143573, -0.50313328),
    1.2: (0.24951304, 0.01647626, -0.54309993),
    1.5: (0.79335404, 0.06521721, -0.71434567),
    2.0: (2.12147357, 0.15472423, -1.14902254),
    3.0: (6.30539148, 0.31024932, -2.27280502),
    5.0: (20.69936684, 0.53242794, -4.90677137),
    10.0: (91.70513120, 0.85643519, -12.16096555),
}
CONTINUOUS = {1.5: 0.0467, 2.0: 0.1125, 3.0: 0.2355, 5.0: 0.4338}
"""Gain and largest exponent per unit of time of dx/dt = -x + J tanh(x), as N grows (from the notes' Schroedinger problem)."""


@dataclass(frozen=True)
class Draws:
    """A mean over draws of the weights with a 95 % interval of Student's t over the draws."""

    size: int
    value: float
    half_width: float


def random_weights(size: int, gain: float, seed: int) -> Array:
    """Return independent normal weights of variance gain^2 / size."""
    return gain * np.random.default_rng(seed).normal(size=(size, size)) / sqrt(size)


def recurrent(weights: Array, bias: Array | None = None, activation: str = "tanh") -> nn.RNN:
    """Return h' = act(W h + b) as a torch module; its one input is to be held at 0 (driven=False)."""
    size = len(weights)
    module = nn.RNN(1, size, nonlinearity=activation).double()
    offset = np.zeros(size) if bias is None else bias
    arrays = {"weight_ih_l0": np.zeros((size, 1)), "weight_hh_l0": weights, "bias_ih_l0": np.zeros(size), "bias_hh_l0": offset}
    module.load_state_dict({name: torch.as_tensor(array) for name, array in arrays.items()})
    return module


def tanh_theory(g: float) -> tuple[float, float, float]:
    """Return q, the largest and the mean exponent of x' = J tanh(x), J of variance g^2 / N, as N grows (g > 1).

    q = g^2 <tanh^2(sqrt(q) z)>, lambda_1 = log(g sqrt(<sech^4>)), mean = log g - 1/2 + <log sech^2>, z standard normal; by the
    trapezoidal rule. **See:** Molgedey, Schuchhardt and Schuster (1992).
    """
    z, step = np.linspace(-12, 12, 48_001, retstep=True)
    weight = np.exp(-(z**2) / 2) / sqrt(2 * np.pi) * step

    def excess(q: float) -> float:
        return float(g**2 * (weight @ np.tanh(sqrt(q) * z) ** 2) - q)

    q = float(brentq(excess, 1e-3, g**2, xtol=1e-13))
    x = np.abs(sqrt(q) * z)
    log_sech = -x - np.log1p(np.exp(-2 * x)) + log(2)
    return q, log(g) + log(float(weight @ np.exp(4 * log_sech))) / 2, log(g) - 0.5 + float(weight @ (2 * log_sech))


def circular_law(exponents: Array, g: float) -> float:
    """Return the greatest distance of the exponents' distribution from F(s) = exp(2 s) / g^2, s < log g."""
    values = np.sort(exponents)
    law = np.minimum(np.exp(2 * values) / g**2, 1)
    return float(np.abs(law - (np.arange(len(values)) + 0.5) / len(values)).max() + 0.5 / len(values))


def determinant_bias(size: int) -> float:
    """Return by how much the expectation of log|det J| / N for normal weights differs from its limit log g - 1/2; about -log(N) / 4 N."""
    logs = (digamma(np.arange(1, size + 1) / 2) + log(2)) / 2
    return float(logs.mean()) - log(size) / 2 + 0.5


def over_draws(size: int, values: list[float]) -> Draws:
    """Return the mean over independent draws."""
    spread = float(np.std(values, ddof=1)) / sqrt(len(values))
    return Draws(size, float(np.mean(values)), float(stdtrit(len(values) - 1, 0.975)) * spread)


def large_network(g: float, size: int, draws: int, steps: int = 600, batch: int = 4) -> tuple[Draws, Draws]:
    """Return the largest and the mean exponent of h' = tanh(J h), over draws of J: the mean by the formula of log|det| alone."""
    largest, means = [], []
    for seed in range(draws):
        module = recurrent(random_weights(size, g, seed))
        found = spectrum(module, driven=False, k=1, steps=steps, warmup=200, tangent_warmup=100, batch=batch, seed=seed, blocks=16)
        largest.append(found.exponents[0].value)
        means.append(mean_exponent(module, seed, steps // 2, batch))
    return over_draws(size, largest), over_draws(size, means)


def mean_exponent(module: nn.RNN, seed: int, steps: int, batch: int, warmup: int = 200) -> float:
    """Return the mean of log|det J| / N along orbits."""
    system = system_of(module, driven=False)
    states, total = system.start(batch, seed), 0.0
    with torch.no_grad():
        for step in range(warmup + steps):
            if step >= warmup:
                volume = system.log_det(states, None)
                assert volume is not None
                total += float(volume.mean()) / system.dimension
            states = system.step(states, None)
    return total / steps


def limit(found: list[Draws]) -> tuple[float, float, float]:
    """Fit a + b / N by least squares, weighted; return a with its 95 % half width, and b."""
    x = np.array([[1.0, 1.0 / one.size] for one in found])
    sigma = np.array([max(one.half_width, 1e-12) / 2 for one in found])
    y = np.array([one.value for one in found])
    cover = np.linalg.inv((x / sigma[:, None] ** 2).T @ x)
    a, b = cover @ (x / sigma[:, None] ** 2).T @ y
    return float(a), 1.96 * sqrt(float(cover[0, 0])), float(b)


def flow_network(g: float, size: int, seed: int, steps: int, dt: float = 0.1) -> tuple[float, float]:
    """Return the largest exponent per unit of time of dx/dt = -x + J tanh(x) with J's diagonal 0, by RK4, and its half width."""
    weights = torch.as_tensor(random_weights(size, g, seed))
    weights.fill_diagonal_(0.0)

    def step(x: Tensor) -> Tensor:
        return runge_kutta(lambda z: -z + weights @ torch.tanh(z), x, dt)

    start = torch.randn(8, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    found = spectrum(step, dimension=size, start=start, batch=8, k=1, steps=steps, warmup=400, tangent_warmup=100, seed=seed, blocks=16)
    return found.exponents[0].value / dt, found.exponents[0].half_width / dt
