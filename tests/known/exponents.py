"""Systems whose Lyapunov exponents are known: in closed form, by a cycle, by quadrature, or from long runs elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf, log, sqrt
from typing import Any

import numpy as np
import torch
from torch import Tensor

from proofs.arithmetic import Matrix
from proofs.network import Network, Operation
from tests.known.plane_maps import lozi
from verify.lyapunov import Spectrum, spectrum
from verify.models.blocks import affine, apply
from verify.models.exact import exact

PRIME = 2147483629
"""An odd number of 31 bits: on integers below it doubling never ends at 0, and float64 computes it without rounding."""
GOLDEN = (1 + sqrt(5)) / 2
PERIOD_3 = ((-4, 2, -4), (-4, -4, 2), (0, -4, -4))
PERIOD_6 = ((1, -1, 4), (1, 4, -4), (0, 3, 2))
START = (0.1, 0.2, -0.3)
THERE = tuple((value, value) for value in START)
FOUR = ((0.5, 1.0), (-1.0, -0.5), (0.5, 1.0), (-1.0, -0.5))


@dataclass(frozen=True)
class Known:
    """A system, its leading exponents as far as they are known (None where not), and how a run is made.

    ``error``: how far the reference may be off. ``unit``: the time of one step (exponents are per unit of time). ``start``: the box that
    states are drawn from, uniformly, the first ``integers`` coordinates rounded. ``proof_start``: where the orbit of a proof starts.
    """

    name: str
    source: object
    reference: tuple[float | None, ...]
    origin: str
    start: tuple[tuple[float, float], ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    error: float = 0.0
    total: float | None = None
    unit: float = 1.0
    integers: int = 0
    proof_start: tuple[float, ...] = ()

    @property
    def network(self) -> Network | None:
        """Return the exact program, if the system is one."""
        return self.source if isinstance(self.source, Network) else None

    def run(self, seed: int = 0, **others: Any) -> Spectrum:  # noqa: ANN401 - settings of ``spectrum``
        """Return the estimate, from starts drawn with the seed."""
        settings = {"batch": 64, "steps": 2000, **self.settings, **others}
        low, high = (torch.tensor(ends, dtype=torch.float64) for ends in zip(*self.start, strict=True))
        uniform = torch.rand(settings["batch"], len(low), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        start = low + (high - low) * uniform
        start[:, : self.integers] = start[:, : self.integers].round()
        return spectrum(self.source, start=start, seed=seed, **settings)


def inside(found: Spectrum, known: Known) -> list[bool | None]:
    """Say for each exponent with a reference whether its 95 % interval holds the reference."""
    said: list[bool | None] = []
    for entry, truth in zip(found.exponents, known.reference, strict=False):
        if truth is None:
            said.append(None)
        elif truth == -inf or entry.value == -inf:
            said.append(entry.value == truth)
        else:
            said.append(abs(entry.value / known.unit - truth) <= entry.half_width / known.unit + known.error)
    return said


def column(*entries: Fraction | int) -> Matrix:
    """Return a bias."""
    return Matrix.column([Fraction(entry) for entry in entries])


def rows(*lines: tuple[Fraction | int, ...]) -> Matrix:
    """Return a matrix."""
    return Matrix.exact([[Fraction(entry) for entry in line] for line in lines])


def logistic(r: Fraction) -> Network:
    """Return x' = r x (1 - x)."""
    return Network(1, (affine(column(r), (rows((-r,)), 0)), Operation("mul", (0, 1))))


def folded(slope: Fraction, start: Fraction, knot: Fraction, change: Fraction) -> Network:
    """Return x' = start + slope x + change relu(x - knot)."""
    return Network(
        1, (affine(column(-knot), (rows((1,)), 0)), apply("relu", 1), affine(column(start), (rows((slope,)), 0), (rows((change,)), 2)))
    )


def tent(mu: Fraction) -> Network:
    """Return the tent map of slope mu."""
    return folded(mu, Fraction(0), Fraction(1, 2), -2 * mu)


def skew(a: Fraction) -> Network:
    """Return x / a up to a, then (1 - x) / (1 - a)."""
    return folded(1 / a, Fraction(0), a, -1 / a - 1 / (1 - a))


def markov() -> Network:
    """Return x + 1/2 up to 1/2, then 2 - 2 x."""
    return folded(Fraction(1), Fraction(1, 2), Fraction(1, 2), Fraction(-3))


def henon(a: Fraction = Fraction(7, 5), b: Fraction = Fraction(3, 10)) -> Network:
    """Return x' = 1 - a x^2 + y, y' = b x."""
    square = Operation("mul", (1, 1))
    first = affine(column(0, 0), (rows((1, 0), (0, 0)), 0))
    return Network(2, (first, square, affine(column(1, 0), (rows((0, 1), (b, 0)), 0), (rows((-a, 0), (0, 0)), 2))))


def cat() -> Network:
    """Return the linear part of the cat map."""
    return Network(2, (affine(column(0, 0), (rows((2, 1), (1, 1)), 0)),))


def tanh_network(weights: object) -> Network:
    """Return h' = tanh(W h)."""
    matrix = np.array(weights, dtype=np.float64)
    return Network(len(matrix), (affine(exact(np.zeros(len(matrix))), (exact(matrix), 0)), apply("tanh", 1)))


def tent_network(mu: Fraction) -> Network:
    """Return h' = relu(W h + b) with both rows of W (mu, -2 mu) and b = (0, -1/2): a tent map inside, of rank one."""
    return Network(2, (affine(column(0, Fraction(-1, 2)), (rows((mu, -2 * mu), (mu, -2 * mu)), 0)), apply("relu", 1)))


def finder_rows(n: int) -> list[list[Fraction]]:
    """Return the weights of the FixedPointFinder's test networks: row i is n points from -1 to 1 rolled by -i, with a minus; exactly.

    As floats the thirds of n = 4 would be rounded, and the network of rank 3 would have a smallest exponent of -36.7 in place of -infinity.
    """
    points = [Fraction(2 * j, n - 1) - 1 for j in range(n)]
    return [[-points[(i + j) % n] for j in range(n)] for i in range(n)]


def finder_network(n: int) -> Network:
    """Return h' = tanh(W h) with the weights of ``finder_rows`` (W is symmetric)."""
    return Network(n, (affine(column(*[0] * n), (Matrix.exact(finder_rows(n)), 0)), apply("tanh", 1)))


def golden(x: Tensor) -> Tensor:
    """Return the beta map of the golden mean."""
    y = GOLDEN * x
    return y - torch.floor(y)


def cat_mod_1(z: Tensor) -> Tensor:
    """Return the cat map on the torus."""
    y = torch.stack([2 * z[0] + z[1], z[0] + z[1]])
    return y - torch.floor(y)


def baker(z: Tensor) -> Tensor:
    """Return the baker's map, its first coordinate an integer out of PRIME (so no digit is lost), its second in [0, 1)."""
    upper = torch.floor(2 * z[0] / PRIME)
    return torch.stack([2 * z[0] - upper * PRIME, (z[1] + upper) / 2])


def markov_on_integers(y: Tensor) -> Tensor:
    """Return ``markov`` for y = 2 PRIME x, y an integer: exact in floats, where x itself would lose a digit at each fold."""
    return torch.where(y <= PRIME, y + PRIME, 4 * PRIME - 2 * y)


def lorenz(z: Tensor) -> Tensor:
    """Return one RK4 step of length 0.01 of Lorenz' equations (10, 28, 8/3)."""
    return runge_kutta(_lorenz_field, z, 0.01)


def _lorenz_field(z: Tensor) -> Tensor:
    x, y, height = z[0], z[1], z[2]
    return torch.stack([10 * (y - x), x * (28 - height) - y, x * y - 8 / 3 * height])


def runge_kutta(velocity: Callable[[Tensor], Tensor], z: Tensor, dt: float) -> Tensor:
    """Return one step of the classical method of order 4."""
    one = velocity(z)
    two = velocity(z + dt / 2 * one)
    three = velocity(z + dt / 2 * two)
    four = velocity(z + dt * three)
    return z + dt / 6 * (one + 2 * two + 2 * three + four)


def _line(name: str, source: object, value: float, origin: str, error: float = 0.0, **settings: object) -> Known:
    return Known(name, source, (value,), origin, ((0.05, 0.95),), settings, error)


def _skew_value(a: float) -> float:
    return -a * log(a) - (1 - a) * log(1 - a)


def _plane(name: str, source: Network, values: tuple[float, float], error: float, b: float) -> Known:
    return Known(name, source, values, "run of 4e7 steps", ((0.0, 0.2), (0.0, 0.2)), error=error, total=log(b))


CAT = log((3 + sqrt(5)) / 2)
THREE_CYCLE = (-1.0169133922, -3.6951472621, -8.5860879295)
SIX_CYCLE = (-0.2163807755163209, -4.05041187643323, -6.387129626237515)
LINE_MAPS = (
    _line("logistic r=4", logistic(Fraction(4)), log(2), "ln 2"),
    _line("logistic r=3.9", logistic(Fraction(39, 10)), 0.49602, "long run", 5e-5),
    _line("logistic r=3.7", logistic(Fraction(37, 10)), 0.35492, "long run", 5e-5),
    _line("logistic r=3.83", logistic(Fraction(383, 100)), -0.36968, "stable 3-cycle", 5e-6),
    _line("tent 1.9", tent(Fraction(19, 10)), log(1.9), "ln mu"),
    _line("skew tent .3", skew(Fraction(3, 10)), _skew_value(0.3), "closed form"),
    _line("skew tent .4", skew(Fraction(2, 5)), _skew_value(0.4), "closed form"),
)
FUNCTIONS = (
    _line("golden beta map", golden, log(GOLDEN), "ln golden mean", dimension=1, batch=4, steps=100),
    Known(
        "Markov (user function)", markov_on_integers, (2 / 3 * log(2),), "(2/3) ln 2", ((1, 2 * PRIME),),
        {"dimension": 1, "batch": 128, "steps": 300}, integers=1,
    ),
    Known("cat map mod 1", cat_mod_1, (CAT, -CAT), "closed form", ((0, 1), (0, 1)), {"dimension": 2, "batch": 4, "steps": 200}, total=0.0),
    Known(
        "baker's map", baker, (log(2), -log(2)), "ln 2, -ln 2", ((1, PRIME - 1), (0, 1)),
        {"dimension": 2, "batch": 4, "steps": 200}, total=0.0, integers=1,
    ),
)  # fmt: skip
PLANE_MAPS = (
    _plane("Henon (1.4, .3)", henon(), (0.419240, -1.623212), 6e-5, 0.3),
    _plane("Lozi (1.7, .5)", lozi("17/10", "1/2"), (0.470243, -1.163390), 4e-5, 0.5),
    _plane("Lozi (1.4, .3)", lozi("7/5", "3/10"), (0.194014, -1.397987), 4e-5, 0.3),
    _plane("Lozi (1.8, .4)", lozi("9/5", "2/5"), (0.562565, -1.478856), 4e-5, 0.4),
)
NETWORKS = (
    Known("tent as ReLU-RNN 1.9", tent_network(Fraction(19, 10)), (log(1.9), -inf), "ln mu, -infinity", ((0.1, 0.45), (0, 0.02))),
    Known("tanh net, 3-cycle", tanh_network(PERIOD_3), THREE_CYCLE, "20 digits", THERE, {"batch": 1}, 1e-10, proof_start=START),
    Known("tanh net, 6-cycle", tanh_network(PERIOD_6), SIX_CYCLE, "20 digits", THERE, {"batch": 1}, 1e-10, proof_start=START),
    Known("finder net n=2", finder_network(2), (log(0.166372), -inf), "fixed point", ((0.1, 1), (-1, -0.1)), {"batch": 4}, 1e-5),
    Known("finder net n=4", finder_network(4), (log(0.751559),) * 2, "fixed point", FOUR, {"batch": 4}, 1e-5),
)
LORENZ = Known(
    "Lorenz (RK4, dt=.01)", lorenz, (0.9056, 0.0, -14.5723), "literature", ((-10, 10), (-10, 10), (15, 30)),
    {"dimension": 3, "batch": 64, "steps": 1500, "warmup": 500, "tangent_warmup": 500}, 5e-4, -41 / 3, 0.01,
)  # fmt: skip
