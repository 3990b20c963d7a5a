"""From the weights of many networks with tanh output to float answers about their cycles: the face that arrays see."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from verify.numerics.line_deep import joined
from verify.numerics.line_networks import Arrays, tables_of
from verify.numerics.smooth_cells import FAILS, only_divisors
from verify.numerics.smooth_line import smooth_maps, trapped
from verify.numerics.smooth_points import Kind, near_cycles, suggested

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]


class SmoothNetworks:
    """F = tanh(g) of n networks with relu units, one input and one output.

    **Shapes:** per layer (n, out, in) and (n, out), float64. **Raises:** Malformed: a device that is not there.
    """

    def __init__(self, weights: Arrays, biases: Arrays, device: str = "cpu") -> None:
        """Make the tables and the intervals that hold all cycles."""
        self._maps = smooth_maps(joined(tables_of(weights, biases, device)))
        self._trap = trapped(self._maps)

    def only_divisors(self, rows: Rows, period: int, divisor: int) -> NDArray[np.int8]:
        """Say of each network whether F^period fixes only what F^divisor fixes: 1 yes, 0 no, -1 not decided.

        **Guarantee:** enclosure, by the rounding bounds of ``smooth_line``.
        """
        return self._cells(rows, period, divisor)[0].cpu().numpy()

    def points(self, rows: Rows, kind: Kind) -> tuple[Floats, Floats]:
        """Return for each network a point of this kind and its room, see ``suggested``. **Guarantee:** heuristic."""
        x, room = suggested(self._maps, self._here(rows), kind, self._trap)
        return x.cpu().numpy(), room.cpu().numpy()

    def points_near_cycles(self, rows: Rows, step: int) -> tuple[NDArray[np.int8], Floats, Floats]:
        """Look for a cycle of three points of G = F^step and, where there is one, for a point of Li and Yorke of G beside it.

        **Returns:** the answers of ``only_divisors`` for 3 step and step, points, and rooms (-1 where there is no point).
        """
        answer, places = self._cells(rows, 3 * step, step)
        x, room = torch.zeros_like(places), -torch.ones_like(places)
        fails = (answer == FAILS).nonzero()[:, 0]
        x[fails], room[fails] = near_cycles(self._maps, self._here(rows)[fails], step, places[fails])
        return answer.cpu().numpy(), x.cpu().numpy(), room.cpu().numpy()

    def _cells(self, rows: Rows, period: int, divisor: int) -> tuple[Tensor, Tensor]:
        return only_divisors(self._maps, self._here(rows), period, divisor, self._trap)

    def _here(self, rows: Rows) -> Tensor:
        return torch.from_numpy(rows).to(self._maps.start.device)
