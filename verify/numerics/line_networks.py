"""From the weights of many scalar networks to float decisions: tables in batches that fit the cache, on the CPU or a GPU."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from proofs.errors import Malformed
from verify.numerics.line_decisions import LineDecisions, decide_tables
from verify.numerics.line_outputs import with_output
from verify.numerics.line_tables import LineTables, hidden_tables

GROUP_UNITS = {"cpu": 2**17, "cuda": 2**24}

Arrays = tuple[NDArray[np.float64], ...]


def decide_networks(weights: Arrays, biases: Arrays, output: str, device: str = "cpu") -> LineDecisions:
    """Decide n networks x -> output(layers of relu units) with one input and one output.

    **Shapes:** per layer (n, out, in) and (n, out), float64. **Guarantee:** as ``LineDecisions`` says.
    **Raises:** Malformed: a device that is not there.
    """
    return decide_tables([with_output(tables, output) for tables in tables_of(weights, biases, device)])


def tables_of(weights: Arrays, biases: Arrays, device: str = "cpu") -> list[LineTables]:
    """Return the tables of the networks before their output activation, in batches. **Raises:** Malformed: no such device."""
    place = find_device(device)
    count, units = len(biases[0]), sum(bias.shape[1] for bias in biases)
    rows = max(1, GROUP_UNITS[place.type] // units)
    tables = []
    for first in range(0, count, rows):
        layers = [torch.from_numpy(part[first : first + rows]).to(place) for part in (*weights, *biases)]
        tables.append(_tables(layers[: len(weights)], layers[len(weights) :]))
    return tables


def find_device(name: str) -> torch.device:
    """Return the device of that name, ``cpu`` or ``cuda``. **Raises:** Malformed."""
    if name not in GROUP_UNITS:
        raise Malformed(where="--device", law="devices", expected="cpu or cuda", got=name)
    if name == "cuda" and not torch.cuda.is_available():
        raise Malformed(where="--device", law="devices", expected="a CUDA device that torch can use", got="none", remedy="use --device cpu")
    return torch.device(name)


def _tables(weights: list[Tensor], biases: list[Tensor]) -> LineTables:
    if len(weights) == 2:  # noqa: PLR2004 - one hidden layer and the output
        return hidden_tables(weights[0][:, :, 0], biases[0], weights[1][:, 0, :], biases[1][:, 0])
    from verify.numerics.line_deep import deep_tables

    return deep_tables(weights, biases)
