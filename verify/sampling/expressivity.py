"""Expressive power: laps of a recurrent network's iterates beside those of independently perturbed copies composed, counted exactly.

Chaos keeps the laps of F^t growing like exp(t h), h > 0 the topological entropy, and a small perturbation of F changes h only a little; a
composition of copies perturbed one by one loses most of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, isfinite, log
from typing import TYPE_CHECKING

import numpy as np

from proofs.errors import Malformed
from proofs.piecewise import PiecewiseLinear, TooManyPieces
from proofs.theorems.unfold import table_of
from verify.errors import NotFound, Unsupported
from verify.models import build
from verify.sampling.laps import MOST_INTERVALS, composition_laps, iterate_laps

if TYPE_CHECKING:
    from proofs import Certificate
    from verify.certification.prove import Subject
    from verify.loading import Loaded

    Window = tuple[Fraction, Fraction]

MOST_KNOTS = 2**20
_SEEDS = 2**64


@dataclass(frozen=True, eq=False)
class Growth:
    """The laps of the first, second, .. iterate (or composition), and what was proved about the growth.

    ``laps`` are exact. ``entropy`` encloses the topological entropy h (upper end None: no bound was proved); None: not asked for, nothing
    was proved, or no iterates of one map. ``certificate`` proves it. On the whole line log(laps) / t is never below h and tends to it.
    """

    laps: tuple[int, ...]
    entropy: tuple[Fraction, Fraction | None] | None = None
    certificate: Certificate | None = None

    @property
    def rates(self) -> tuple[float, ...]:
        """Return log(laps) / t for t = 1, 2, .., in nats a step."""
        return tuple(log(count) / (t + 1) for t, count in enumerate(self.laps))


@dataclass(frozen=True, eq=False)
class Expressivity:
    """One seed: the network itself, one perturbed copy of it iterated, and compositions of independently perturbed copies.

    The first of the composed copies is the one that is iterated.
    """

    sigma: float
    seed: int
    network: Growth
    recurrent: Growth
    feedforward: Growth

    def as_survey(self) -> Survey:
        """Return the laps as a survey of this one seed."""
        return Survey(self.sigma, (self.seed,), self.network.laps, (self.recurrent.laps,), (self.feedforward.laps,))


@dataclass(frozen=True, eq=False)
class Survey:
    """Many seeds: for each the laps of the perturbed copy's iterates and of the compositions."""

    sigma: float
    seeds: tuple[int, ...]
    network: tuple[int, ...]
    recurrent: tuple[tuple[int, ...], ...]
    feedforward: tuple[tuple[int, ...], ...]

    def quantiles(self, kind: str, levels: Sequence[float] = (0.1, 0.5, 0.9)) -> list[tuple[int, ...]]:
        """Return for each t the laps below or at which these shares of the seeds lie: values that occur, never means of two.

        **Raises** Malformed: a kind other than recurrent and feedforward, a level outside (0, 1].
        """
        rows = {"recurrent": self.recurrent, "feedforward": self.feedforward}.get(kind)
        if rows is None or not all(0 < level <= 1 for level in levels):
            expected = "recurrent or feedforward, levels in (0, 1]"
            raise Malformed(where="quantiles", law="a kind and levels", expected=expected, got=f"{kind!r}, {list(levels)}")
        places = [ceil(level * len(rows)) - 1 for level in levels]
        columns = [sorted(column) for column in zip(*rows, strict=True)]
        return [tuple(column[place] for place in places) for column in columns]


def expressivity(  # noqa: PLR0913 - what is asked for is said by name
    source: Subject,
    times: int,
    sigma: float,
    seed: int,
    *,
    window: Window | None = None,
    most: int = MOST_INTERVALS,
    budget_seconds: float | None = 120.0,
    model: str | None = None,
    **meta: object,
) -> Expressivity:
    """Count laps for one seed and enclose the entropy of the network and of its perturbed copy.

    ``sigma``: each stored parameter (weights and biases, zeros too) gets sigma times a standard normal number. ``window``: count on this
    interval, not on the line. ``budget_seconds``: for each of the two proofs, which small networks end long before; None leaves them out.

    **Guarantee:** laps exact; entropies checked by the kernel.
    **Raises:** Unsupported: several states, a smooth network, no stored parameters; NotFound: over the budget of intervals; Malformed.

    **Example**

    >>> tent = {"layers": [{"W": [[1], [1]], "b": [0, "-1/2"], "activation": "relu"}, {"W": [[2, -4]], "b": [0], "activation": "identity"}]}
    >>> found = expressivity(tent, 6, 0.1, seed=1, budget_seconds=None, model="scalar")
    >>> found.network.laps
    (2, 4, 8, 16, 32, 64)
    """
    loaded = _on_the_line(source, model, meta)
    copies = [perturbed(loaded, sigma, seed, copy) for copy in range(times)]
    tables = [_table(copy) for copy in copies]
    return Expressivity(
        sigma,
        seed,
        _growth(loaded, iterate_laps(_table(loaded), times, window=window, most=most), budget_seconds),
        _growth(copies[0], iterate_laps(tables[0], times, window=window, most=most), budget_seconds),
        Growth(composition_laps(tables, window=window, most=most)),
    )


def survey(
    source: Subject,
    times: int,
    sigma: float,
    seeds: Sequence[int],
    *,
    window: Window | None = None,
    most: int = MOST_INTERVALS,
    model: str | None = None,
    **meta: object,
) -> Survey:
    """Count laps for many seeds. **Guarantee:** exact. **Raises:** as ``expressivity``; Malformed without a seed."""
    if not seeds:
        raise Malformed(where="seeds", law="at least one seed", expected="a sequence of whole numbers", got="none")
    loaded = _on_the_line(source, model, meta)
    recurrent, feedforward = [], []
    for seed in seeds:
        tables = [_table(perturbed(loaded, sigma, seed, copy)) for copy in range(times)]
        recurrent.append(iterate_laps(tables[0], times, window=window, most=most))
        feedforward.append(composition_laps(tables, window=window, most=most))
    laps = iterate_laps(_table(loaded), times, window=window, most=most)
    return Survey(sigma, tuple(seeds), laps, tuple(recurrent), tuple(feedforward))


def perturbed(loaded: Loaded, sigma: float, seed: int, copy: int) -> Loaded:
    """Return the network with sigma N(0, 1) added to every stored parameter, rounded to float64.

    The normal numbers are Philox's with key (seed, copy), parameters in the order of their names.

    **Raises** Malformed: a sigma that is negative or not finite, seeds out of range.
    """
    if not (isfinite(sigma) and sigma >= 0):
        raise Malformed(where="sigma", law="a standard deviation", expected="a finite number >= 0", got=str(sigma))
    if not (0 <= seed < _SEEDS and 0 <= copy < _SEEDS):
        raise Malformed(where="seed", law="keys of the generator", expected="from 0 to 2^64 - 1", got=f"seed {seed}, copy {copy}")
    generator = np.random.Generator(np.random.Philox(key=np.array([seed, copy], dtype=np.uint64)))
    arrays = {}
    for name in sorted(loaded.arrays):
        middle = np.asarray(loaded.arrays[name], dtype=np.float64)
        arrays[name] = middle + sigma * generator.standard_normal(middle.shape)
    name = f"{loaded.name}, perturbed (sigma {sigma!r}, seed {seed}, copy {copy})"
    return replace(loaded, network=build(loaded.model, arrays, loaded.meta), name=name, arrays=arrays)


def _on_the_line(source: Subject, model: str | None, meta: dict[str, object]) -> Loaded:
    """Load a network whose laps can be counted and whose parameters can be perturbed. **Raises:** Unsupported."""
    from verify.certification.prove import loaded_of

    loaded = loaded_of(source, model, meta)
    network = loaded.network
    if network.dimension != 1:
        raise Unsupported(where=loaded.name, law="laps on the line", expected="one state", got=f"{network.dimension} states")
    if not network.is_piecewise_linear:
        expected = "a piecewise-linear network: relu, clip, identity"
        raise Unsupported(where=loaded.name, law="laps counted exactly", expected=expected, got="tanh or sigmoid")
    if not loaded.arrays:
        expected = "a network loaded from a family's parameters"
        raise Unsupported(where=loaded.name, law="perturbed parameters", expected=expected, got="a bare program")
    return loaded


def _table(loaded: Loaded) -> PiecewiseLinear:
    try:
        return table_of(loaded.network, MOST_KNOTS)
    except TooManyPieces:
        law, expected = "the budget of the table of F", f"at most {MOST_KNOTS} knots in all hidden functions together"
        raise NotFound(where=loaded.name, law=law, expected=expected, got="more", remedy="a narrower or less deep network") from None


def _growth(loaded: Loaded, laps: tuple[int, ...], budget_seconds: float | None) -> Growth:
    """Add the entropy enclosure that the kernel accepts, if there is one."""
    if budget_seconds is None:
        return Growth(laps)
    from verify.certification import Effort, certify

    answer = certify(loaded, effort=Effort(budget_seconds=budget_seconds))
    return Growth(laps) if isinstance(answer, NotFound) else Growth(laps, answer.report.entropy, answer)
