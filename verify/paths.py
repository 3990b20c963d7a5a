"""Paths of networks: the straight line between two of them, or one entry of one of them moving."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from proofs.errors import Malformed
from proofs.grammar import write_number
from proofs.network import Network, Operation
from verify.errors import Unsupported
from verify.formats.exact import read_exact
from verify.loading import Loaded
from verify.models import build

if TYPE_CHECKING:
    from proofs.arithmetic import Matrix

_VARY = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_.]*)(?:\[(?P<index>\d+(?:,\d+)*)\])?=(?P<low>[^:]+):(?P<high>[^:]+)", re.ASCII)


@dataclass(frozen=True, eq=False)
class Path:
    """The networks F_mu = A + (mu - low) / (high - low) (B - A), entry by entry of the program: A at mu = low, B at mu = high.

    ``label`` names the parameter, such as "mu" or "a_l" or "A[0,0]"; for one moving entry mu is its value.
    """

    start: Network
    end: Network
    low: Fraction
    high: Fraction
    label: str = "mu"
    name: str = "network"
    model: str = "program"
    assumptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse ends that no straight line joins. **Raises:** Malformed."""
        if self.low >= self.high:
            raise Malformed(where=f"path in {self.label}", law="a range", expected="LO < HI", got=f"{self.low} to {self.high}")
        one, two = shape_of(self.start), shape_of(self.end)
        if one != two:
            law = "ends of one shape"
            raise Malformed(
                where=f"path in {self.label}", law=law, expected=one, got=two, remedy="two checkpoints of one model have the same shapes"
            )

    @property
    def is_piecewise_linear(self) -> bool:
        """Say whether every network of the path is."""
        return self.start.is_piecewise_linear

    def share(self, mu: Fraction) -> Fraction:
        """Return the fraction of the way at which mu lies: 0 at A, 1 at B."""
        return (mu - self.low) / (self.high - self.low)

    def at(self, mu: Fraction) -> Network:
        """Return the network at mu. **Guarantee:** exact."""
        share = self.share(mu)
        pairs = zip(self.start.program, self.end.program, strict=True)
        return Network(self.start.dimension, tuple(_between(one, two, share) for one, two in pairs))

    def witness(self) -> dict[str, object]:
        """Return what card ``path`` needs in a certificate about ``start``."""
        return {"end": self.end.as_json(), "at": [write_number(self.low), write_number(self.high)]}


def between(one: Loaded, two: Loaded) -> Path:
    """Return the straight line from one network (mu = 0) to another (mu = 1). **Raises:** Malformed for networks of different shapes."""
    told = tuple(dict.fromkeys((*one.assumptions, *two.assumptions)))
    name = f"{one.name} to {two.name}"
    return Path(one.network, two.network, Fraction(0), Fraction(1), "mu", name, one.model, told)


def vary(loaded: Loaded, text: str) -> Path:
    """Return the path on which one stored entry moves: NAME[i,j]=LO:HI, indices from 0; mu is the entry's value.

    **Raises:** Malformed for a text, a name, an index or a range that does not fit; Unsupported for a bare program.
    """
    name, index, low, high = parse_vary(text)
    ends = (with_entry(loaded, name, index, low), with_entry(loaded, name, index, high))
    label = name + (f"[{','.join(map(str, index))}]" if index else "")
    return Path(ends[0].network, ends[1].network, low, high, label, loaded.name, loaded.model, loaded.assumptions)


def parse_vary(text: str) -> tuple[str, tuple[int, ...], Fraction, Fraction]:
    """Return name, index, low and high of NAME[i,j]=LO:HI. **Raises:** Malformed."""
    match = _VARY.fullmatch(text.replace(" ", ""))
    if match is None:
        raise Malformed(where="--vary", law="a moving entry", expected="NAME[i,j]=LO:HI, such as A[0,0]=-0.6:0.7", got=text)
    index = tuple(map(int, match["index"].split(","))) if match["index"] else ()
    low, high = read_exact(match["low"], "--vary"), read_exact(match["high"], "--vary")
    if low >= high:
        raise Malformed(where=f"--vary {match['name']}", law="a range", expected="LO < HI", got=f"{low}:{high}")
    return match["name"], index, low, high


def with_entry(loaded: Loaded, name: str, index: tuple[int, ...], value: Fraction) -> Loaded:
    """Return the network with one stored entry set to an exact value. **Raises:** Malformed, Unsupported."""
    if loaded.model == "program":
        law = "entries have names"
        raise Unsupported(where=f"--vary {name}", law=law, expected="a network loaded from a family's parameters", got="a bare program")
    if name not in loaded.arrays:
        raise Malformed(where=f"--vary {name}", law="a stored parameter", expected=f"one of {', '.join(loaded.arrays)}", got=name)
    array = np.array(loaded.arrays[name], dtype=object)
    plain = [Fraction(entry) if not isinstance(entry, Fraction) else entry for entry in array.ravel().tolist()]
    array = np.array([*plain, None], dtype=object)[:-1].reshape(array.shape)
    if len(index) != array.ndim or any(i >= array.shape[axis] for axis, i in enumerate(index)):
        law = "an entry of the array"
        raise Malformed(where=f"--vary {name}", law=law, expected=f"indices from 0 below {array.shape}", got=str(list(index)))
    array[index] = value
    arrays = {**loaded.arrays, name: array}
    return replace(loaded, arrays=arrays, network=build(loaded.model, arrays, loaded.meta))


def shape_of(network: Network) -> str:
    """Return the operations with their sizes as text; networks with the same text are joined by straight lines."""
    parts = [
        f"{o.name}{list(o.of)}" + ("" if o.bias is None else f" {o.bias.shape[0]} x {[matrix.shape[1] for matrix in o.matrices]}")
        for o in network.program
    ]
    return f"{network.dimension} states: {'; '.join(parts)}"


def _between(one: Operation, two: Operation, share: Fraction) -> Operation:
    if one.bias is None or two.bias is None:
        return one
    matrices = tuple(_mixed(a, b, share) for a, b in zip(one.matrices, two.matrices, strict=True))
    return Operation(one.name, one.of, matrices, _mixed(one.bias, two.bias, share))


def _mixed(one: Matrix, two: Matrix, share: Fraction) -> Matrix:
    return one if one == two else (one + (two - one).times(share)).reduced()
