"""The AeLLE embedding: an autoencoder of spectra whose latent also predicts the final loss through a linear readout.

Encoder n -> n/8 -> n/16 -> 32 with tanh and dropout, decoder the mirror image, loss = L1 of the reconstruction + alpha times the mean
square error of the predicted loss, alpha raised in stages. Other than in the published code no validation set chooses the state that is
kept, and the output of the decoder has no dropout.

**See:** Vogt, Zheng and Shlizerman, arXiv 2204.04876 (Neural Computing and Applications 2024).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proofs.errors import Malformed

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Floats = NDArray[np.float64]
SHORTEST = 16  # the encoder's second layer is a sixteenth of the length
FEWEST = 3
FLAT = 1e-12  # relative spread below which a column is a constant
WHERE = "embedding of spectra"


@dataclass(frozen=True)
class Settings:
    """How the autoencoder is built and trained: ``alphas`` one a stage, each stage ``epochs`` passes with Adam at ``rate``."""

    latent: int = 32
    alphas: tuple[float, ...] = (5.0, 5.0, 10.0, 20.0)
    epochs: int = 100
    batch: int = 32
    rate: float = 1e-3
    dropout: float = 0.1


@dataclass(frozen=True, eq=False)
class Scale:
    """Columns are read as (value - centre) / spread, both from the training runs; a constant column has spread 1."""

    centre: Floats
    spread: Floats

    @classmethod
    def of(cls, values: Floats) -> Scale:
        """Return the scale that gives these rows mean 0 and standard deviation 1."""
        centre, spread = values.mean(axis=0), values.std(axis=0)
        return cls(centre, np.where(spread > FLAT * (1 + np.abs(centre)), spread, 1.0))

    def down(self, values: Floats) -> Floats:
        """Return the values in units of the training runs."""
        return (values - self.centre) / self.spread

    def up(self, values: Floats) -> Floats:
        """Undo ``down``."""
        return values * self.spread + self.centre


@dataclass(frozen=True, eq=False)
class Embedding:
    """A trained autoencoder. **Shapes:** ``curve`` (epochs, 2): L1 of the reconstruction and mean square error of the loss, in training."""

    settings: Settings
    seed: int
    runs: int
    spectra: Scale
    losses: Scale
    curve: Floats
    network: nn.ModuleDict

    def latent(self, spectra: ArrayLike) -> Floats:
        """Return the latent vectors (runs, latent) of interpolated spectra (runs, length)."""
        return self._outputs(spectra)[0]

    def predict(self, spectra: ArrayLike) -> Floats:
        """Return the predicted losses (runs,)."""
        return self.losses.up(self._outputs(spectra)[1])

    def reconstruct(self, spectra: ArrayLike) -> Floats:
        """Return the spectra as the decoder gives them back, (runs, length)."""
        return self.spectra.up(self._outputs(spectra)[2])

    def _outputs(self, spectra: ArrayLike) -> tuple[Floats, Floats, Floats]:
        import torch

        values = _rows(spectra)
        if values.shape[1] != len(self.spectra.centre):
            got = str(values.shape[1])
            raise Malformed(where=WHERE, law="length of the spectra", expected=str(len(self.spectra.centre)), got=got)
        with torch.no_grad():
            outputs = _forward(self.network.eval(), torch.from_numpy(self.spectra.down(values)))
        first, second, third = (output.numpy() for output in outputs)
        return first, second, third


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components. **Shapes:** ``scores`` (runs, count), ``directions`` (count, latent), ``shares`` of the variance (count,)."""

    scores: Floats
    directions: Floats
    shares: Floats


def embedded(spectra: ArrayLike, losses: ArrayLike, settings: Settings | None = None, seed: int = 0) -> Embedding:
    """Train the autoencoder on interpolated spectra and their final losses.

    **Shapes:** spectra (runs, length >= 16), losses (runs,). **Guarantee:** heuristic; the same seed gives the same network on one
    machine and version, and torch's own generator is left as it was. **Cost:** about ``epochs`` x stages x runs / ``batch`` steps of Adam.
    **Raises** Malformed: other shapes, NaN or infinities, fewer than 3 runs, settings out of range.
    """
    chosen = settings or Settings()
    x, y = _rows(spectra), np.asarray(losses, dtype=np.float64)
    _check(x, y, chosen)
    scale, target = Scale.of(x), Scale.of(y)
    with _seeded(seed):
        network, curve = _trained(scale.down(x), target.down(y), chosen)
    return Embedding(chosen, seed, len(x), scale, target, curve, network)


def principal_components(latent: ArrayLike, count: int = 2) -> Components:
    """Return the leading principal components of the rows; the largest entry of each direction is positive.

    >>> found = principal_components([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]], 1)
    >>> found.shares.round(12).tolist(), found.scores[:, 0].round(3).tolist()
    ([1.0], [-2.236, 0.0, 2.236])
    """
    values = _rows(latent)
    if not 1 <= count <= min(values.shape):
        expected = f"between 1 and {min(values.shape)}"
        raise Malformed(where="principal components", law="number of components", expected=expected, got=str(count))
    centred = values - values.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    directions = directions[:count]
    signs = np.sign(directions[np.arange(count), np.abs(directions).argmax(axis=1)])
    directions = directions * np.where(signs == 0, 1.0, signs)[:, None]
    total = float((sizes**2).sum())
    shares = sizes[:count] ** 2 / total if total > 0 else np.zeros(count)
    return Components(centred @ directions.T, directions, shares)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _built(length: int, settings: Settings) -> nn.ModuleDict:
    from torch import nn

    def stack(*sizes: int) -> nn.Sequential:
        layers: list[nn.Module] = []
        for i, (wide, narrow) in enumerate(pairwise(sizes)):
            last = i == len(sizes) - 2
            layers += [nn.Linear(wide, narrow)] + ([] if last else [nn.Tanh(), nn.Dropout(settings.dropout)])
        return nn.Sequential(*layers)

    sizes = (length, length // 8, length // 16, settings.latent)
    parts = {"encoder": stack(*sizes), "decoder": stack(*sizes[::-1]), "readout": nn.Linear(settings.latent, 1)}
    return nn.ModuleDict(parts).double()


def _forward(network: nn.ModuleDict, spectra: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    latent = network["encoder"](spectra)
    return latent, network["readout"](latent)[:, 0], network["decoder"](latent)


def _trained(x: Floats, y: Floats, settings: Settings) -> tuple[nn.ModuleDict, Floats]:
    import torch

    spectra, losses = torch.from_numpy(x), torch.from_numpy(y)
    network = _built(x.shape[1], settings)
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.rate)
    curve = []
    for alpha in settings.alphas:
        for _ in range(settings.epochs):
            network.train()
            batches = torch.split(torch.randperm(len(x)), settings.batch)
            parts = [_stepped(network, optimizer, spectra[rows], losses[rows], alpha) for rows in batches]
            curve.append(np.average([part[:2] for part in parts], axis=0, weights=[part[2] for part in parts]))
    return network.eval(), np.array(curve)


def _stepped(
    network: nn.ModuleDict, optimizer: torch.optim.Optimizer, spectra: Tensor, losses: Tensor, alpha: float
) -> tuple[float, float, int]:
    """Take one step of the optimiser; return both parts of the loss and the number of runs."""
    from torch.autograd import backward
    from torch.nn import functional

    _, predicted, rebuilt = _forward(network, spectra)
    first, second = functional.l1_loss(rebuilt, spectra), functional.mse_loss(predicted, losses)
    optimizer.zero_grad()
    backward(first + alpha * second)
    optimizer.step()
    return float(first.detach()), float(second.detach()), len(spectra)


def _rows(values: ArrayLike) -> Floats:
    rows = np.asarray(values, dtype=np.float64)
    if rows.ndim != 2 or not rows.size:  # noqa: PLR2004
        raise Malformed(where=WHERE, law="one row a run", expected="a matrix (runs, length)", got=str(rows.shape))
    if not np.isfinite(rows).all():
        remedy = "interpolate the spectra with a floor"
        raise Malformed(where=WHERE, law="values to embed", expected="finite numbers", got="nan or infinity", remedy=remedy)
    return rows


def _check(x: Floats, y: Floats, settings: Settings) -> None:
    if y.shape != (len(x),) or not np.isfinite(y).all():
        remedy = "leave out runs whose loss is not a number, and say so"
        raise Malformed(where=WHERE, law="one finite loss a run", expected=f"({len(x)},) finite", got=f"{y.shape}", remedy=remedy)
    if len(x) < FEWEST or x.shape[1] < SHORTEST:
        expected = f"at least {FEWEST} runs and spectra of length at least {SHORTEST}"
        raise Malformed(where=WHERE, law="size of the training set", expected=expected, got=str(x.shape))
    counts = (settings.latent, settings.epochs, settings.batch, len(settings.alphas))
    if min(counts) < 1 or settings.rate <= 0 or not 0 <= settings.dropout < 1 or min(settings.alphas) < 0:
        expected = "positive latent, epochs, batch and rate, dropout in [0, 1), alphas not negative"
        raise Malformed(where=WHERE, law="settings", expected=expected, got=str(settings))
