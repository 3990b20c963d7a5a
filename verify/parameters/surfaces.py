"""Networks in which some stored entries move: every weight as a polynomial in them, exact members, and the hull over a rectangle."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from proofs.arithmetic import Interval, Matrix
from proofs.errors import Malformed
from proofs.network import Network, Operation
from verify.errors import Unsupported
from verify.formats.exact import read_exact
from verify.paths import Path, parse_vary, with_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from verify.loading import Loaded

MOST_ENTRIES = 8
_TERM = re.compile(r"(?P<sign>[+-]?)(?P<factor>[0-9./]+\*)?(?P<entry>[A-Za-z_][A-Za-z0-9_.]*(?:\[\d+(?:,\d+)*\])?)", re.ASCII)
_TERMS = re.compile(rf"(?:{re.sub('[?]P<[a-z]+>', '?:', _TERM.pattern)})+", re.ASCII)
_PROBES = ((Fraction(3, 7), Fraction(-5, 3)), (Fraction(-11, 13), Fraction(17, 5)), (Fraction(23, 4), Fraction(2, 9)))


Target = tuple[str, tuple[int, ...], Fraction]


@dataclass(frozen=True)
class Entry:
    """A parameter that moves from ``low`` to ``high``; ``label`` is what formulas and figures call it.

    ``targets`` are the stored entries that it moves, each with a factor: a stored entry that is a target of some parameters is set to the
    sum of factor times parameter over them.
    """

    targets: tuple[Target, ...]
    low: Fraction
    high: Fraction
    label: str

    @classmethod
    def read(cls, text: str, label: str | None = None) -> Entry:
        """Read NAME[i,j]=LO:HI, or LABEL:NAME[i,j]-NAME[i,j]=LO:HI for one that moves several stored entries. **Raises:** Malformed.

        >>> Entry.read("a_l:A[0]-W[0,0]=-2:2").targets
        (('A', (0,), Fraction(1, 1)), ('W', (0, 0), Fraction(-1, 1)))
        """
        told, _, span = text.replace(" ", "").rpartition("=")
        named, _, terms = told.rpartition(":")
        if not _TERMS.fullmatch(terms):
            expected = "NAME[i,j]=LO:HI, such as A[0,0]=-0.6:0.7, or LABEL:A[0]-W[0,0]=LO:HI"
            raise Malformed(where="--vary", law="a moving entry", expected=expected, got=text)
        targets = []
        for match in _TERM.finditer(terms):
            name, index, low, high = parse_vary(f"{match['entry']}={span}")
            factor = read_exact(match["factor"][:-1], "--vary") if match["factor"] else Fraction(1)
            targets.append((name, index, -factor if match["sign"] == "-" else factor))
        return cls(tuple(targets), low, high, label or named or terms)


@dataclass(frozen=True)
class Cell:
    """A closed rectangle of the plane: ``x`` and ``y`` are its sides."""

    x: Interval
    y: Interval

    @property
    def center(self) -> tuple[Fraction, Fraction]:
        """Return the middle."""
        return (self.x.lo + self.x.hi) / 2, (self.y.lo + self.y.hi) / 2

    @property
    def area(self) -> Fraction:
        """Return the area."""
        return (self.x.hi - self.x.lo) * (self.y.hi - self.y.lo)

    def quarters(self) -> tuple[Cell, ...]:
        """Return the four cells that bisecting both sides gives."""
        a, b = self.center
        xs, ys = (Interval(self.x.lo, a), Interval(a, self.x.hi)), (Interval(self.y.lo, b), Interval(b, self.y.hi))
        return tuple(Cell(x, y) for x in xs for y in ys)


@dataclass(frozen=True, eq=False)
class Surface:
    """The networks sum over S of ``terms[S]`` times the product of the entries in S: all weights, entry by entry, in every point.

    ``terms`` maps 0/1 exponents, one an entry, to networks that hold coefficients (no map by themselves).
    """

    loaded: Loaded
    entries: tuple[Entry, ...]
    terms: tuple[tuple[tuple[int, ...], Network], ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Return what the entries are called."""
        return tuple(entry.label for entry in self.entries)

    def at(self, *values: Fraction) -> Network:
        """Return the network with these entries. **Guarantee:** exact."""
        weights = [Fraction(prod(value for value, power in zip(values, powers, strict=True) if power)) for powers, _ in self.terms]
        return _merged([term for _, term in self.terms], lambda parts: _combined(parts, weights))

    def over(self, x: Interval, y: Interval) -> Network:
        """Return the network of intervals that holds every network with its two entries in ``x`` and ``y``.

        **Guarantee:** the exact range of every weight: a function affine in each entry takes its extremes in the corners.
        """
        corners = [self.at(a, b) for a in dict.fromkeys((x.lo, x.hi)) for b in dict.fromkeys((y.lo, y.hi))]
        return _merged(corners, _hull)

    def along(self, x: Interval, y: Interval, axis: int = 0) -> Path:
        """Return the path in entry ``axis`` over its interval, while the other entry is an interval of weights at both ends.

        The straight line between the ends then holds each network of the rectangle: the weights are affine in the moving entry.
        """
        moving = (x, y)[axis]
        ends = [Interval(value, value) for value in (moving.lo, moving.hi)]
        sides = [self.over(end, y) if axis == 0 else self.over(x, end) for end in ends]
        loaded = self.loaded
        return Path(sides[0], sides[1], moving.lo, moving.hi, self.labels[axis], loaded.name, loaded.model, loaded.assumptions)


def surface(loaded: Loaded, entries: Sequence[Entry]) -> Surface:
    """Return the networks in which these stored entries move.

    **Guarantee:** exact; that the weights are affine in each entry is checked at points off the corners.
    **Raises:** Malformed, Unsupported: weights that are not, an entry named twice, more than 8 entries, no piecewise-linear network.
    """
    _check(loaded, entries)
    powers = tuple(product((0, 1), repeat=len(entries)))
    corners = {corner: _member(loaded, entries, [Fraction(c) for c in corner]) for corner in powers}
    terms = []
    for chosen in powers:
        below = [corner for corner in powers if all(a <= b for a, b in zip(corner, chosen, strict=True))]
        signs = [Fraction((-1) ** (sum(chosen) - sum(corner))) for corner in below]
        networks = [corners[corner] for corner in below]
        terms.append((chosen, _merged(networks, partial(_combined, weights=signs))))
    found = Surface(loaded, tuple(entries), tuple((chosen, term) for chosen, term in terms if not any(chosen) or not _is_zero(term)))
    for one, two in _PROBES:
        values = [one if i % 2 == 0 else two for i in range(len(entries))]
        if found.at(*values).text != _member(loaded, entries, values).text:
            law = "weights affine in each entry"
            got = f"weights of the family {loaded.model} that are not"
            raise Unsupported(
                where=f"--vary {', '.join(found.labels)}", law=law, expected="entries that only multiply other entries", got=got
            )
    return found


def _check(loaded: Loaded, entries: Sequence[Entry]) -> None:
    where = f"--vary {', '.join(entry.label for entry in entries)}"
    if len({entry.targets for entry in entries}) < len(entries) or len({entry.label for entry in entries}) < len(entries):
        expected = "different entries with different labels"
        raise Malformed(where=where, law="entries move on their own", expected=expected, got="one of them twice")
    if not 1 <= len(entries) <= MOST_ENTRIES:
        raise Unsupported(where=where, law="moving entries", expected=f"1 to {MOST_ENTRIES} entries", got=str(len(entries)))
    if not loaded.network.is_piecewise_linear:
        law, got = "regions of cycles of piecewise-linear networks", "a program with tanh, sigmoid or mul"
        raise Unsupported(where=where, law=law, expected="a program of affine, relu and add", got=got)


def _member(loaded: Loaded, entries: Sequence[Entry], values: Sequence[Fraction]) -> Network:
    sums: dict[tuple[str, tuple[int, ...]], Fraction] = {}
    for entry, value in zip(entries, values, strict=True):
        for name, index, factor in entry.targets:
            sums[name, index] = sums.get((name, index), Fraction(0)) + factor * value
    for (name, index), total in sums.items():
        loaded = with_entry(loaded, name, index, total)
    return loaded.network


def _merged(networks: Sequence[Network], merge: Callable[[list[Matrix]], Matrix]) -> Network:
    """Put networks of one program together, weight matrix by weight matrix."""
    program = []
    for same in zip(*(network.program for network in networks), strict=True):
        first = same[0]
        if first.bias is None:
            program.append(first)
            continue
        matrices = tuple(merge(list(parts)) for parts in zip(*(operation.matrices for operation in same), strict=True))
        biases = [operation.bias for operation in same if operation.bias is not None]
        program.append(Operation(first.name, first.of, matrices, merge(biases)))
    return Network(networks[0].dimension, tuple(program))


def _combined(parts: list[Matrix], weights: Sequence[Fraction]) -> Matrix:
    """Return the sum of weight times part; parts that are zero cost nothing."""
    total: Matrix | None = None
    for part, weight in zip(parts, weights, strict=True):
        if total is None or (weight and any(map(any, part.mid))):
            scaled = part if weight == 1 else part.times(weight)
            total = scaled if total is None else total + scaled
    return (total or parts[0]).reduced()


def _hull(parts: list[Matrix]) -> Matrix:
    if all(part == parts[0] for part in parts):
        return parts[0]
    rows, columns = parts[0].shape
    ends = [[(min(p.middle(i, j) for p in parts), max(p.middle(i, j) for p in parts)) for j in range(columns)] for i in range(rows)]
    return Matrix.balls((((a + b) / 2 for a, b in row) for row in ends), (((b - a) / 2 for a, b in row) for row in ends))


def _is_zero(network: Network) -> bool:
    parts = [m for operation in network.program for m in (*operation.matrices, operation.bias) if m is not None]
    return not any(value for part in parts for row in part.mid for value in row)
