"""Random networks: a cell names their law, and network i of a cell can be drawn alone, bit for bit."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from proofs.errors import Malformed
from proofs.network import MAX_DIMENSION
from verify.sampling.draws import Array, Draws, uniforms
from verify.sampling.laws import FAMILIES, Family

if TYPE_CHECKING:
    from proofs.network import Network

__all__ = ["FAMILIES", "OUTPUTS", "Batch", "Cell", "draw"]

OUTPUTS = ("identity", "relu", "clip", "tanh")
MAX_WIDTH = 2**17
MAX_DEPTH = 64
MAX_NUMBERS = 2**26  # weights and biases of one network
MAX_SEED = 2**64 - 1
_BLOCK = 2**16  # numbers that are worked on at a time: they stay in the cache
_ENDLESS = 2**40


@dataclass(frozen=True)
class Cell:
    """One law of random networks: a family, the units of each hidden layer, the scale s, the hidden layers, and the output's activation.

    ``output`` "" means the family's own default, and is replaced by it. **Raises** Malformed.

    **Example**

    >>> Cell("theory", 64, 4).text
    'theory width=64 scale=4.0 depth=1 output=clip'
    """

    family: str
    width: int
    scale: float
    depth: int = 1
    output: str = ""

    def __post_init__(self) -> None:
        """Check every field, and put in the default output."""
        family = FAMILIES.get(self.family)
        if family is None:
            raise _unfit("family", ", ".join(FAMILIES), repr(self.family))
        _check_integer("width", self.width, MAX_DIMENSION if family.vector else MAX_WIDTH)
        _check_integer("depth", self.depth, MAX_DEPTH)
        if isinstance(self.scale, bool) or not isinstance(self.scale, int | float) or not 0 < self.scale <= sys.float_info.max:
            raise _unfit("scale", "a finite number above 0", repr(self.scale))
        object.__setattr__(self, "scale", float(self.scale))
        object.__setattr__(self, "output", self.output or family.output)
        if self.output not in OUTPUTS:
            raise _unfit("output", ", ".join(OUTPUTS), repr(self.output))
        self._check_shape(family)

    def _check_shape(self, family: Family) -> None:
        if self.depth > 1 and not family.deep:
            raise _unfit("depth", f"1, the only depth of the family {self.family}", str(self.depth))
        if family.power_of_two and self.width & (self.width - 1):
            raise _unfit("width", f"a power of two, since {self.family} halves its steps", str(self.width))
        if family.vector and self.output != family.output:
            raise _unfit("output", f"{family.output}, the only output of the family {self.family}", self.output)
        if self.numbers > MAX_NUMBERS:
            raise _unfit("width", f"a network of at most {MAX_NUMBERS} weights and biases", f"{self.numbers}")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Return the sizes of the layers' ends: inputs, hidden layers, outputs."""
        return (self.width,) * 2 if FAMILIES[self.family].vector else (1, *(self.width,) * self.depth, 1)

    @property
    def numbers(self) -> int:
        """Return how many weights and biases a network has."""
        return sum((m + 1) * n for m, n in pairwise(self.sizes))

    @property
    def activations(self) -> tuple[str, ...]:
        """Return the activation of every layer."""
        return ("relu",) * (len(self.sizes) - 2) + (self.output,)

    @cached_property
    def text(self) -> str:
        """Return the canonical line that names the cell."""
        return f"{self.family} width={self.width} scale={self.scale!r} depth={self.depth} output={self.output}"

    @cached_property
    def stream(self) -> int:
        """Return the cell's half of the generator's key: 64 bits of SHA-256 of ``text``, without the width where widths share paths."""
        shared = FAMILIES[self.family].power_of_two
        text = f"{self.family} scale={self.scale!r} depth={self.depth} output={self.output}" if shared else self.text
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


@dataclass(frozen=True, eq=False)
class Batch:
    """Networks ``first``, ``first`` + 1, ... of a cell: per layer the weights (n, out, in) and biases (n, out), and its activation."""

    cell: Cell
    first: int
    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    activations: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.biases[0])

    def arrays(self, row: int) -> dict[str, Array]:
        """Return one network's arrays under the names of its family of models: layers.0.W, layers.0.b, ..., for relu_rnn W and b."""
        if FAMILIES[self.cell.family].vector:
            return {"W": self.weights[0][row], "b": self.biases[0][row]}
        named: dict[str, Array] = {}
        for i, (weights, biases) in enumerate(zip(self.weights, self.biases, strict=True)):
            named |= {f"layers.{i}.W": weights[row], f"layers.{i}.b": biases[row]}
        return named

    def network(self, row: int) -> Network:
        """Return one network's exact state map."""
        from verify.models.families import build

        if FAMILIES[self.cell.family].vector:
            return build("rnn", self.arrays(row), {"activation": self.activations[0]})
        return build("scalar", self.arrays(row), {"layers": list(self.activations)})

    def sha256(self, row: int) -> bytes:
        """Return 32 bytes that name the network: SHA-256 of the cell's text, a line feed and all numbers as little-endian float64."""
        digest = hashlib.sha256(f"{self.cell.text}\n".encode())
        for weights, biases in zip(self.weights, self.biases, strict=True):
            digest.update(weights[row].astype("<f8").tobytes())
            digest.update(biases[row].astype("<f8").tobytes())
        return digest.digest()


def draw(cell: Cell, seed: int, first: int, count: int) -> Batch:
    """Return networks ``first``, ..., ``first + count - 1`` of the cell's campaign with this seed.

    **Guarantee:** network i depends on the cell, the seed and i only, bit for bit, on any machine.
    **Raises** Malformed. **Cost:** about 2 microseconds a network, 10 nanoseconds a uniform number, 35 a normal one and 100 a stable one.

    **Example**

    >>> cell = Cell("he", 2, 1)
    >>> draw(cell, 7, 0, 10).sha256(3) == draw(cell, 7, 3, 1).sha256(0)
    True
    """
    _check_range("seed", seed, MAX_SEED)
    _check_range("first", first, MAX_SEED)
    _check_range("count", count, MAX_SEED - first)
    sizes, law, scale = cell.sizes, FAMILIES[cell.family].law, cell.scale
    weights = tuple(np.empty((count, n, m)) for m, n in pairwise(sizes))
    biases = tuple(np.empty((count, n)) for n in sizes[1:])
    numbers = _demand(cell)
    rows = max(1, _BLOCK // cell.numbers)
    for start in range(0, count, rows):
        stop = min(start + rows, count)
        block = law(sizes, scale, Draws(uniforms(seed, cell.stream, first + start, stop - start, numbers)))
        for whole, part in zip((*weights, *biases), (*(w for w, _ in block), *(b for _, b in block)), strict=True):
            whole[start:stop] = part
    return Batch(cell, first, weights, biases, cell.activations)


@cache
def _demand(cell: Cell) -> int:
    """Return how many uniform numbers a network takes: counted by drawing no network."""
    draws = Draws(np.empty((0, _ENDLESS)))
    FAMILIES[cell.family].law(cell.sizes, cell.scale, draws)
    return draws.used


def _check_integer(name: str, value: object, largest: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= largest:
        raise _unfit(name, f"an integer from 1 to {largest}", repr(value))


def _check_range(name: str, value: object, largest: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= largest:
        raise Malformed(where=f"draw, {name}", law="networks of a campaign", expected=f"an integer from 0 to {largest}", got=repr(value))


def _unfit(name: str, expected: str, got: str) -> Malformed:
    return Malformed(where=f"cell, {name}", law="cells of random networks", expected=expected, got=got)
