"""Do Lyapunov spectra go with the final loss of a recurrent network, beyond its size? Reads a sweep's file, or makes a tiny sweep.

python examples/lyapunov_study.py [SWEEP.duckdb [FLOOR]]
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from verify.lyapunov.embedding import Settings
from verify.lyapunov.figures import loss_figure, notes_of, points_of, save
from verify.lyapunov.study import study
from verify.lyapunov.sweep import run_sweep
from verify.lyapunov.tasks import Trained, train_char
from verify.lyapunov.training import SpectrumCallback

GRID: Mapping[str, Sequence[object]] = {
    "cell": ["rnn"],
    "hidden": [4, 6],
    "gain": [0.5, 1.0, 2.0, 3.0],
    "rate": [3e-3, 1e-2],
    "steps": [30],
    "characters": [4_000],
}


def watch(core: nn.Module, probe: Tensor) -> SpectrumCallback:
    """Return a callback that estimates the whole spectrum before and after training."""
    return SpectrumCallback(core, inputs=probe, k=64, every=30)


def train(config: Mapping[str, object]) -> Trained:
    """Train one small network on characters."""
    return train_char({"probe_length": 100, "probe_batch": 2, "batch": 8, "length": 20, **config}, watch)


if len(sys.argv) > 1:
    runs = Path(sys.argv[1])
    found = study(runs, floor=float(sys.argv[2]) if len(sys.argv) > 2 else None)  # noqa: PLR2004
else:
    found = study(run_sweep(train, GRID, None, seed=1), length=64, splits=3, settings=Settings(epochs=20), floor=-20.0)
print(found.statement())
print(f"drawn: {save(loss_figure(points_of(found), notes=notes_of(found)), 'loss_against_exponent.png')}")
