"""Inputs of a driven network: a symbol is a set of biases, with radii where it stands for a whole range of inputs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proofs.grammar import write_entry
from proofs.network import Network

if TYPE_CHECKING:
    from proofs.exponents import Symbol
    from proofs.reader import Fields
    from proofs.theorems.card import Application

MAX_SYMBOLS = 2**12


def read_symbols(step: Application) -> tuple[tuple[Symbol, ...], tuple[Network, ...]]:
    """Read the witness's symbols: as the claim spells them, and the network with the biases of each (check 1)."""
    parts = step.witness.objects("symbols")
    step.require(1, 0 < len(parts) <= MAX_SYMBOLS, f"from 1 to {MAX_SYMBOLS} symbols", len(parts))
    symbols, networks = zip(*(_symbol(step.network, part) for part in parts), strict=True)
    return symbols, networks


def _symbol(network: Network, part: Fields) -> tuple[Symbol, Network]:
    program, spelled = list(network.program), list[tuple[int, tuple[str, ...]]]()
    for number, operation in enumerate(network.program):
        if operation.bias is not None and part.has(str(number)):
            bias = part.column(str(number), len(operation.bias.mid))
            program[number] = replace(operation, bias=bias)
            spelled.append((number, tuple(write_entry(bias.middle(i), bias.radius(i)) for i in range(len(bias.mid)))))
    part.close()
    return tuple(spelled), Network(network.dimension, tuple(program))
