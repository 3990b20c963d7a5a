"""The networks of ``bench_every_cycle.py``: published and trained ones from ../shared, Lozi's map, and random ones with fixed seeds."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from verify.loading import Loaded, load

SHARED = Path(__file__).resolve().parents[3] / "shared" / "cases"
FAMILIES = {"PLRNN": "plrnn", "shPLRNN": "shallow_plrnn", "clippedshPLRNN": "clipped_shallow_plrnn", "ALRNN": "alrnn"}
LOZI = (2, 1, 0, 1, 0, 4, 4, 7, 10, 12, 18, 32, 56, 78, 122, 180, 282, 439)  # at (17/10, 1/2), least period 1, 2, ...


@dataclass(frozen=True)
class Case:
    """A network and the period up to which all its cycles are wanted.

    ``listed``: the known counts by least period, None where there are none; ``quick``: part of the short run.
    """

    name: str
    group: str
    up_to: int
    make: Callable[[], Loaded]
    quick: bool = False
    listed: Mapping[int, int] | None = None
    missing: str = ""

    def agrees(self, counts: Mapping[int, int]) -> bool | None:
        """Say whether counts are the known ones, as far as those go; None where none are known."""
        if self.listed is None:
            return None
        last = max(self.listed, default=self.up_to)
        wanted = {k: n for k, n in self.listed.items() if n and k <= self.up_to}
        return {k: n for k, n in counts.items() if n and k <= last} == wanted


def every_case() -> list[Case]:
    """Return all cases in the order in which they are run."""
    return [*published(), *lozi_cases(), *trained(), *low_rank_cases(), *dense_cases(), *alrnn_cases()]


def published() -> list[Case]:
    """Return the systems of ``published_systems.json`` to their stated periods, and two of them further."""
    path = SHARED / "published_systems.json"
    if not path.exists():
        return [Case("published systems", "published", 0, _nothing, quick=True, missing="../shared is absent")]
    cases = []
    for system in json.loads(path.read_text(encoding="utf-8")):
        up_to, name = system["complete_up_to_period"], system["name"]
        counts = dict.fromkeys(range(1, up_to + 1), 0) | {int(k): n for k, n in system["cycles_by_least_period"].items()}
        make = partial(_published, system)
        cases.append(Case(name, "published", up_to, make, quick=up_to <= 20 and name != "pl-map-chaos", listed=counts))
        further = {"10-cycle_10D": (2, 3), "80-cycle_2D": (86,)}.get(name, ())
        cases += [Case(f"{name} to {more}", "published", more, make, listed=counts) for more in further]
    return cases


def lozi_cases() -> list[Case]:
    """Return Lozi's map where it is chaotic, where periodic points fill segments, and where there is no chaos."""
    chaotic = [
        Case(f"Lozi (17/10, 1/2) to {up_to}", "lozi", up_to, partial(lozi, "17/10", "1/2"), up_to == 12, dict(enumerate(LOZI, 1)))
        for up_to in (12, 18, 22, 25)
    ]
    quiet = dict.fromkeys(range(1, 15), 0) | {1: 2, 2: 1}
    return [
        *chaotic,
        Case("Lozi (3/2, 1/2)", "lozi", 12, partial(lozi, "3/2", "1/2"), quick=True),
        Case("Lozi (2, -1)", "lozi", 12, partial(lozi, "2", "-1"), quick=True),
        Case("Lozi (1, 1/2)", "lozi", 14, partial(lozi, "1", "1/2"), quick=True, listed=quiet),
    ]


def trained() -> list[Case]:
    """Return the trained networks of ../shared."""
    torch, mat = SHARED / "models" / "lorenz_m20_p2.pt", SHARED / "models" / "LorenzPLRNN.mat"
    no_torch = "" if importlib.util.find_spec("torch") else "torch is not installed"
    four = dict.fromkeys(range(1, 15), 0) | {1: 4}
    read = partial(load, torch, "alrnn", P=2)
    return [
        *(Case(f"lorenz_m20_p2 to {up_to}", "trained", up_to, read, up_to == 14, four, _absent(torch) or no_torch) for up_to in (14, 24)),
        Case("LorenzPLRNN (M = 10)", "trained", 1, partial(load, mat, "plrnn"), quick=True, listed={1: 4}, missing=_absent(mat)),
    ]


def low_rank_cases() -> list[Case]:
    """Return rank-2 networks with 128 ReLUs."""
    return [
        Case(f"rank 2, 128 ReLUs, seed {seed}", "low_rank", 1, partial(low_rank, 128, gain, seed), quick=seed == 1)
        for gain, seed in ((6.0, 1), (6.0, 2), (20.0, 3))
    ]


def dense_cases() -> list[Case]:
    """Return dense random PLRNNs, W = 6 N(0, 1) / sqrt(M).

    Many have no cycle at all: seeds that have some are among the small ones, and of the large ones some have a fixed point put in.
    """
    small = [(5, 6, seed) for seed in (1, 2, 8, 9)] + [(10, 4, seed) for seed in (1, 5, 6, 7)] + [(80, 1, 1)]
    return [
        *(
            Case(f"dense M = {size}, seed {seed}", "dense", up_to, partial(dense, size, seed), (size, seed) in {(5, 9), (10, 6)})
            for size, up_to, seed in small
        ),
        *(Case(f"dense M = 80, planted, seed {seed}", "dense", 1, partial(dense, 80, seed, planted=True)) for seed in (1, 2, 3)),
    ]


def alrnn_cases() -> list[Case]:
    """Return random AL-RNNs with 30 states, 10 of them rectified."""
    return [
        Case(f"AL-RNN M = 30, P = 10, gain {gain}, seed {seed}", "alrnn", 4, partial(alrnn, gain, seed))
        for gain, seed in ((0.5, 1), (1.5, 2))
    ]


def lozi(a: str, b: str) -> Loaded:
    """Return x' = 1 - a |x| + y, y' = b x."""
    arrays = {"A": [[a, 1], [b, 0]], "W": [[str(-2 * Fraction(a)), 0], [0, 0]], "h": [1, 0]}
    return load(arrays, "plrnn", name=f"Lozi ({a}, {b})")


def dense(size: int, seed: int, *, planted: bool = False) -> Loaded:
    """Draw a PLRNN whose steps stretch in nearly every region; ``planted``: with the bias that makes a random state a fixed point."""
    rng = np.random.default_rng(seed)
    weights = 6.0 * rng.standard_normal((size, size)) / np.sqrt(size)
    A, h = rng.uniform(0.0, 0.9, size), rng.standard_normal(size)
    if planted:
        h = (1.0 - A) * h - weights @ np.maximum(h, 0.0)
    return load({"A": A, "W": weights, "h": h}, "plrnn", name=f"dense PLRNN, M = {size}")


def low_rank(hidden: int, gain: float, seed: int) -> Loaded:
    """Draw z' = 0.9 z + m relu(n z + b) with two states."""
    rng = np.random.default_rng(seed)
    arrays = {
        "m": gain * rng.standard_normal((2, hidden)) / hidden,
        "n": rng.standard_normal((hidden, 2)),
        "b": rng.standard_normal(hidden),
    }
    return load(arrays | {"a": np.full(2, 0.9)}, "low_rank", name=f"rank 2, {hidden} ReLUs")


def alrnn(gain: float, seed: int) -> Loaded:
    """Draw an AL-RNN."""
    rng = np.random.default_rng(seed)
    weights = gain * rng.standard_normal((30, 30)) / np.sqrt(30)
    arrays = {"A": rng.uniform(0.0, 0.9, 30), "W": weights, "h": rng.standard_normal(30)}
    return load(arrays, "alrnn", name="AL-RNN, M = 30, P = 10", P=10)


def _published(system: Mapping[str, object]) -> Loaded:
    parameters, model = system["parameters"], str(system["model"])
    assert isinstance(parameters, dict)
    settings = {"P": 1} if model == "ALRNN" else {}
    return load({key: value for key, value in parameters.items() if key != "note"}, FAMILIES[model], name=str(system["name"]), **settings)


def _absent(path: Path) -> str:
    return "" if path.exists() else f"{path.name} is absent"


def _nothing() -> Loaded:
    raise FileNotFoundError(SHARED)
