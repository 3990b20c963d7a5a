"""The one network in the middle of a family whose weights are intervals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.network import Network

if TYPE_CHECKING:
    from proofs.network import Operation


def without_radius(network: Network) -> Network:
    """Return the network whose weights are the middles of the weight intervals."""
    return network if network.is_exact else Network(network.dimension, tuple(map(_centered, network.program)))


def _centered(line: Operation) -> Operation:
    return line if line.bias is None else replace(line, matrices=tuple(map(_middle, line.matrices)), bias=_middle(line.bias))


def _middle(matrix: Matrix) -> Matrix:
    return Matrix(matrix.mid, None, matrix.den).reduced()
