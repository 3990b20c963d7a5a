"""Time to check against time to search (the kernel's own runs not counted as search); medians of several runs in one process."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np

import proofs
from proofs.certificate import Certificate
from verify.certification import Effort, certify, draft
from verify.loading import Loaded, load

RUNS = 3
ROOT = Path(__file__).resolve().parents[2]
EFFORT = Effort(budget_seconds=10.0)


def plrnn(size: int, gain: float, seed: int) -> Loaded:
    """Draw a random PLRNN."""
    rng = np.random.default_rng(seed)
    weights = gain * rng.standard_normal((size, size)) / np.sqrt(size)
    return load(
        {"A": rng.uniform(0.0, 0.9, size), "W": weights, "h": rng.standard_normal(size)}, model="plrnn", name=f"random PLRNN M={size}"
    )


def scalar(width: int, scale: float, seed: int) -> Loaded:
    """Draw a random scalar network with one hidden layer."""
    rng = np.random.default_rng(seed)
    first = {"W": rng.standard_normal((width, 1)), "b": rng.standard_normal(width), "activation": "relu"}
    second = {"W": scale * rng.standard_normal((1, width)) / np.sqrt(width), "b": np.zeros(1), "activation": "identity"}
    return load({"layers": [first, second]}, model="scalar", name=f"random scalar width={width} s={scale:g}")


def tent(slope: str) -> Loaded:
    """Return the tent map of a slope."""
    layers = [
        {"W": [[1], [1]], "b": [0, "-1/2"], "activation": "relu"},
        {"W": [[slope, f"-{2 * float(slope):g}"]], "b": [0], "activation": "identity"},
    ]
    return load({"layers": layers}, model="scalar", name=f"tent {slope}")


def main() -> None:
    """Print one row a network."""
    cases: list[tuple[Loaded, str]] = [
        (load(ROOT / "examples" / "plrnn.json"), "auto"),
        (load(ROOT / "examples" / "scalar_rnn.json"), "auto"),
        *[(tent(slope), "chaos") for slope in ("2", "1.9", "1.3", "1.05", "1.01")],
        *[(scalar(width, scale, 1), "auto") for width, scale in ((64, 4.0), (64, 8.0), (1024, 1.4), (1024, 8.0))],
        *[(plrnn(size, 0.5, 5), "auto") for size in (10, 20, 50)],
    ]
    print(f"{'network':<32}{'claims':>7}{'steps':>7}{'KB':>8}{'search s':>10}{'check s':>9}{'check/search':>14}")
    for loaded, claim in cases:
        row(loaded, claim)


def row(loaded: Loaded, claim: str) -> None:
    """Time one network and print its row."""
    searches, checks = [], []
    answer: object = None
    for _ in range(RUNS):
        kernel = KernelClock()
        start = perf_counter()
        with kernel:
            answer = certify(loaded, claim, effort=EFFORT)
        searches.append(perf_counter() - start - kernel.seconds)
        if isinstance(answer, Certificate):
            start = perf_counter()
            proofs.check(answer)
            checks.append(perf_counter() - start)
    if not isinstance(answer, Certificate):
        print(f"{loaded.name:<32} nothing proved in {statistics.median(searches):.3f} s")
        return
    search, check = statistics.median(searches), statistics.median(checks)
    size = sum(map(len, answer.lines())) / 1024
    print(f"{loaded.name:<32}{len(answer.claims):>7}{len(answer.steps):>7}{size:>8.1f}{search:>10.3f}{check:>9.3f}{check / search:>14.2f}")


class KernelClock:
    """Adds up the time spent inside the checker while a certificate is drafted."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._real: tuple[Callable[..., object], Callable[..., object]] = (draft.Draft.add, draft.Draft.finish)

    def __enter__(self) -> None:
        """Wrap the two doors to the kernel."""
        draft.Draft.add, draft.Draft.finish = map(self._timed, self._real)  # type: ignore[method-assign,assignment]

    def __exit__(self, *_: object) -> None:
        """Put the doors back."""
        draft.Draft.add, draft.Draft.finish = self._real  # type: ignore[method-assign,assignment]

    def _timed(self, door: Callable[..., object]) -> Callable[..., object]:
        def timed(*arguments: object, **named: object) -> object:
            start = perf_counter()
            try:
                return door(*arguments, **named)
            finally:
                self.seconds += perf_counter() - start

        return timed


if __name__ == "__main__":
    main()
