"""The published statistic: networks whose iterate crosses the diagonal more often than they do, counted on a grid in floats.

The notebooks behind "On Scrambling Phenomena for Randomly Initialized Recurrent Networks" (Chatziafratis, Panageas, Sanford,
Stavroulakis, NeurIPS 2022) evaluate each random network on 163 equispaced points of [-window, window] and call it chaotic where
x - f^3(x) changes sign more often than x - f(x). But the loop first overwrites x by f(x) and then applies f three times: the curve called
f^3 is f^4, and a fixed point of f^4 that f does not have belongs to a cycle of period 2 or 4, which says nothing of chaos. Both counts are
here, n = 4 as published and n = 3 as meant. Both are statistics: nothing is proved of any network, cycles between grid points are missed.

The notebooks count zeros too; here every grid point at which the difference is exactly 0 counts once. That matters where an output relu
sends a cycle through 0, a grid point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from proofs.errors import Malformed
from verify.errors import Unsupported
from verify.sampling.families import Batch, Cell

if TYPE_CHECKING:
    from verify.sampling.draws import Array

GRID = 163
AS_PUBLISHED, AS_MEANT = 4, 3
_BLOCK = 2**18  # activations that are worked on at a time


@dataclass(frozen=True)
class Row:
    """A published setting: its cell, half the length of its grid, and the share of networks called chaotic, in percent.

    ``remark``: why the committed code cannot be expected to give that number.
    """

    name: str
    cell: Cell
    window: float
    published: float
    remark: str = ""


_SWAPPED = "this and the other of He,He and He,U have each other's numbers in another notebook"
ROWS = (
    Row("1,He | He,He,identity", Cell("he_ones", 2, 1.0), 2.0, 13.77),
    Row("He,He | He,He,ReLU", Cell("he", 2, 1.0), 2.0, 7.49, _SWAPPED),
    Row("He,U | He,U,ReLU", Cell("he_uniform", 2, 1.0), 2.0, 4.51, _SWAPPED),
    Row("N(0,1/k),TR(-1,1) | the same,ReLU", Cell("normal_k", 2, 1.0), 2.0, 4.45, "the truncated law's parameters are lost"),
    Row("Glorot,Glorot | the same,ReLU", Cell("glorot", 2, 1.0), 2.0, 2.28, "the recorded output of the first notebook"),
    Row("first notebook as committed", Cell("first_notebook", 2, 1.0), 2.0, 2.28),
    Row("He,He | He,He,ReLU, width 4", Cell("he", 4, 1.0), 1.0, 8.77),
    Row("He,He | He,He,ReLU, clipped", Cell("he", 2, 1.0, output="clip"), 1.0, 5.4),
    Row("Glorot,ReLU, depth 3", Cell("glorot", 2, 1.0, depth=2), 1.0, 1.06),  # three affine layers: two hidden ones
)


def extra_fixed_points(batch: Batch, iterate: int, window: float) -> NDArray[np.bool_]:
    """Say of each network whether x - f^iterate(x) has more sign changes and zeros on the grid than x - f(x).

    **Guarantee:** heuristic, a statistic in floats: ``iterate`` 4 is what was published, 3 what was meant.
    **Raises** Unsupported: networks of more than one dimension; Malformed: an iterate below 1, a window that is no positive number.

    **Example**

    >>> from verify.sampling.families import draw
    >>> batch = draw(Cell("he_ones", 2, 1.0), 1, 0, 1000)
    >>> int(extra_fixed_points(batch, 4, 2.0).sum()), int(extra_fixed_points(batch, 3, 2.0).sum())
    (140, 0)
    """
    _check(batch, iterate, window)
    grid = np.linspace(-1.0, 1.0, GRID) * window
    found = np.empty(len(batch), dtype=np.bool_)
    rows = max(1, _BLOCK // (GRID * max(batch.cell.sizes)))
    for start in range(0, len(batch), rows):
        part = slice(start, start + rows)
        once = _step(batch, part, np.broadcast_to(grid, (len(batch.biases[0][part]), GRID)))
        states = once
        for _ in range(iterate - 1):
            states = _step(batch, part, states)
        found[part] = _crossings(grid - states) > _crossings(grid - once)
    return found


def _step(batch: Batch, rows: slice, states: Array) -> Array:
    """Return f of each network at its own states, (networks, points)."""
    values = states[:, None, :]
    for weights, biases, activation in zip(batch.weights, batch.biases, batch.activations, strict=True):
        values = np.matmul(weights[rows], values) + biases[rows][:, :, None]
        if activation == "relu":
            np.maximum(values, 0.0, out=values)
        elif activation == "clip":
            np.clip(values, 0.0, 1.0, out=values)
        elif activation == "tanh":
            np.tanh(values, out=values)
    return values[:, 0]


def _crossings(differences: Array) -> NDArray[np.int64]:
    """Count changes of sign between neighbours, and zeros."""
    signs = np.sign(differences)
    return np.asarray(np.count_nonzero(signs[:, 1:] * signs[:, :-1] < 0, axis=1) + np.count_nonzero(signs == 0, axis=1))


def _check(batch: Batch, iterate: int, window: float) -> None:
    where, law = f"published statistic of {batch.cell.text}", "sign changes on a grid"
    if batch.cell.sizes[0] != 1:
        raise Unsupported(where=where, law=law, expected="maps of the line", got=f"dimension {batch.cell.sizes[0]}")
    if iterate < 1:
        raise Malformed(where=where, law=law, expected="an iterate of at least 1", got=str(iterate))
    if not (math.isfinite(window) and window > 0):
        raise Malformed(where=where, law=law, expected="a window above 0", got=repr(window))
