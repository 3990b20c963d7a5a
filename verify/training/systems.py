"""Dynamical systems whose series can be simulated: right-hand sides with their parameters stated."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp
from typing import Literal

Field = Callable[[float, Sequence[float]], list[float]]


@dataclass(frozen=True)
class System:
    """z' = field(t, z), starting near ``start`` (each entry moved by up to ``spread``), sampled every ``dt`` after ``transient``.

    ``about`` states equations and parameters; ``method`` is that of scipy's solve_ivp.
    """

    field: Field
    start: tuple[float, ...]
    spread: tuple[float, ...]
    dt: float
    transient: float
    about: str
    method: Literal["DOP853", "LSODA"] = "DOP853"


def lorenz63(_t: float, z: Sequence[float], s: float = 10.0, r: float = 28.0, b: float = 8 / 3) -> list[float]:
    """Return Lorenz's field."""
    x, y, w = z
    return [s * (y - x), x * (r - w) - y, x * y - b * w]


def roessler(_t: float, z: Sequence[float], a: float = 0.2, b: float = 0.2, c: float = 5.7) -> list[float]:
    """Return Roessler's field."""
    x, y, w = z
    return [-y - w, x + a * y, b + w * (x - c)]


def van_der_pol(_t: float, z: Sequence[float], mu: float = 2.0) -> list[float]:
    """Return van der Pol's field."""
    x, v = z
    return [v, mu * (1 - x * x) * v - x]


def duffing(_t: float, z: Sequence[float], d: float = 0.3, g: float = 0.5, w: float = 1.2) -> list[float]:
    """Return the forced Duffing field; the force's phase is two states, so that the system is autonomous."""
    x, v, c, s = z
    # the phase is drawn back to the unit circle, which it starts on: solver errors do not add up
    off = 1 - c * c - s * s
    return [v, x - x**3 - d * v + g * c, -w * s + off * c, w * c + off * s]


def bursting_neuron(_t: float, z: Sequence[float], g_nmda: float = 10.2) -> list[float]:
    """Return the field of the bursting neuron: V in mV, gates n (fast K) and h (M current)."""
    V, n, h = z
    m = 1 / (1 + exp((-20 - V) / 15))
    block = 1 / (1 + 0.33 * exp(-0.0625 * V))
    current = 8 * (V + 80) + 20 * m * (V - 60) + 10 * n * (V + 90) + 25 * h * (V + 90) + g_nmda * block * V
    return [-current / 6, 1 / (1 + exp((-25 - V) / 5)) - n, (1 / (1 + exp((-15 - V) / 5)) - h) / 200]


SYSTEMS = {
    "lorenz63": System(
        lorenz63, (1.0, 1.0, 25.0), (1.0, 1.0, 1.0), 0.01, 20.0, "Lorenz 1963: x' = s(y-x), y' = x(r-z)-y, z' = xy-bz; s=10, r=28, b=8/3"
    ),
    "roessler": System(
        roessler, (1.0, 1.0, 1.0), (1.0, 1.0, 0.5), 0.08, 100.0, "Roessler 1976: x' = -y-z, y' = x+ay, z' = b+z(x-c); a=b=0.2, c=5.7"
    ),
    "van_der_pol": System(van_der_pol, (1.0, 0.0), (1.0, 1.0), 0.1, 50.0, "van der Pol: x'' = mu(1-x^2)x' - x; mu=2"),
    "duffing": System(
        duffing,
        (1.0, 0.0, 1.0, 0.0),
        (0.1, 0.1, 0.0, 0.0),
        0.1,
        100.0,
        "forced Duffing: x'' = x - x^3 - d x' + g cos(w t); d=0.3, g=0.5, w=1.2; observed with cos(w t), sin(w t)",
    ),
    "bursting_neuron": System(
        bursting_neuron,
        (-40.0, 0.1, 0.1),
        (5.0, 0.05, 0.02),
        0.5,
        2000.0,
        "bursting neuron after Durstewitz 2009: membrane potential, fast K and M-current gates; Cm=6, gL=8, EL=-80, gNa=20, ENa=60, "
        "gK=10, gM=25, EK=-90, gNMDA=10.2, tau_n=1, tau_h=200, no input",
        "LSODA",
    ),
}
ELLIPSE = "the 14-cycle on an ellipse: (2 cos(2 pi k / 14), sin(2 pi k / 14))"


def ellipse(steps: int, shift: int = 0) -> list[list[float]]:
    """Return points of the 14-cycle.

    **Example**

    >>> ellipse(1)
    [[2.0, 0.0]]
    """
    angles = [2 * math.pi * ((k + shift) % 14) / 14 for k in range(steps)]
    return [[2 * math.cos(angle), math.sin(angle)] for angle in angles]
