"""Patterns and their polyhedra: the cells into which the hinges of a piecewise-linear network divide the states.

Cells are half-open: letter 1 of a hinge means that its pre-activation is >= 0, letter 0 that it is < 0. Every state has exactly one
pattern, so the cells partition R^M (or a closed box), and a pattern is *nonempty* if at least one real state has it; a nonempty cell may be
thin (a hyperplane, a point). Of two equal hinges only 00 and 11 are nonempty; a hinge of constant sign has one letter everywhere.

A *word* is a list of patterns, one a step; its cell holds the states whose orbit begins so. Cells are found depth first, hinge by hinge: a
known point of a partial cell shows one side of the next hyperplane, and whether the cell reaches over to the other one is a linear program,
or a certificate met before. No branch without states is followed: the cost grows with (nonempty cells) x (hinges), never with 2^P.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from time import monotonic
from typing import NamedTuple

from proofs.arithmetic import Matrix
from proofs.errors import Malformed
from proofs.grammar import shown
from proofs.network import Network
from proofs.theorems.lifted import live_hinges
from verify.errors import NotFound, Unsupported
from verify.numerics.linear_programs import Cutter, decide, generic_point
from verify.numerics.linear_systems import Farkas, Form, Point, Row, coordinates, homogeneous, primitive, rank

Box = tuple[Fraction, Fraction]
Flow = tuple[Matrix, Matrix]
Progress = Callable[[str, int, int], None]
MAX_CELLS = 20_000
MAX_EDGES = 500_000
_BAR = 1000


@dataclass(frozen=True)
class Limits:
    """When a search gives up, and whom it tells how far it is."""

    max_cells: int = MAX_CELLS
    max_edges: int = MAX_EDGES
    seconds: float = 120.0
    progress: Progress | None = None
    start: float = field(default_factory=monotonic)

    def check(self, found: int, what: str = "cells", most: int | None = None) -> None:
        """Stop what has found too much or taken too long. **Raises:** NotFound."""
        most = self.max_cells if most is None else most
        if found > most:
            raise too_many(what, most, f"more (the search stopped there after {monotonic() - self.start:.1f} s)")
        if monotonic() - self.start > self.seconds:
            got, remedy = f"{found} {what} when the time was over", "a larger --budget, or a --box"
            raise NotFound(where="regions", law="time budget", expected=f"all {what} within {self.seconds:g} s", got=got, remedy=remedy)

    def tell(self, what: str, share: float) -> None:
        """Show which share of the work is done."""
        if self.progress is not None:
            self.progress(what, int(share * _BAR), _BAR)


@dataclass(frozen=True)
class Cell:
    """The states whose orbit begins with these patterns: a nonempty half-open polyhedron.

    ``rows`` are its conditions, in the order of ``row_names``; ``point`` satisfies them all. **Guarantee:** exact.
    """

    patterns: tuple[str, ...]
    rows: tuple[Row, ...]
    point: Point

    @property
    def name(self) -> str:
        """Return the patterns as one word, such as ``10.11``."""
        return ".".join(self.patterns)

    @property
    def witness(self) -> tuple[Fraction, ...]:
        """Return the coordinates of ``point``."""
        return coordinates(self.point)


@dataclass(frozen=True)
class Closed:
    """A branch without states: the orbits that follow ``word`` and then a pattern beginning with ``prefix``. **Guarantee:** exact."""

    word: tuple[str, ...]
    prefix: str
    reason: Farkas


@dataclass(frozen=True)
class Excluded:
    """Why no orbit follows a word: what each row of the certificate says. **Guarantee:** exact."""

    word: tuple[str, ...]
    names: tuple[str, ...]
    reason: Farkas

    def __str__(self) -> str:
        """Show one row a line, then what they sum to."""
        parts = list(zip(self.reason.multipliers, self.reason.rows, self.names, strict=True))
        total = sum(factor * row.form[-1] for factor, row, _ in parts)
        sign = ">" if any(row.strict for row in self.reason.rows) else ">="
        return "\n".join([*(f"{factor} times  {row}  ({name})" for factor, row, name in parts), f"sum  {total} {sign} 0, which is false"])


@dataclass(frozen=True)
class Regions:
    """All nonempty cells of a network, in the order of their patterns, and what it took to find them.

    ``idle`` are the hinges (from 0) that no orbit depends on; their letters are part of the patterns all the same. ``closed`` counts the
    branches shown to be empty, ``programs`` the linear programs solved, ``exact`` the questions that floats could not settle.
    """

    network: Network
    box: Box | None
    cells: tuple[Cell, ...]
    idle: tuple[int, ...]
    closed: int
    programs: int
    exact: int


def regions(network: Network, box: Box | None = None, limits: Limits | None = None) -> Regions:
    """Return all nonempty cells of a network's hinges, on R^M or on the closed box [low, high]^M.

    **Guarantee:** exact: every cell has a rational point, every branch left out a Farkas certificate (``Explorer.extensions`` shows them),
    all checked in integers. **Cost:** at most one linear program a cell and hinge; 128 hyperplanes of rank 2 with 8,257 cells: 10 s.
    **Raises:** Unsupported: a network that is smooth or has radii. Malformed: a box without points. NotFound: more cells, or more
    time, than ``limits`` allows.

    **Example**

    >>> from verify.loading import load_network
    >>> tent = load_network({"A": [2], "W": [[-4]], "h": ["1/2"]}, model="plrnn")
    >>> [(cell.name, str(cell.rows[0])) for cell in regions(tent).cells]
    [('0', '-z1 > 0'), ('1', 'z1 >= 0')]
    """
    limits = limits or Limits()
    explorer = Explorer(network, box)
    explorer.refuse_many(limits.max_cells)
    found: list[Cell] = []
    closed = 0
    for branch in explorer.extensions(explorer.start):
        if isinstance(branch, Cell):
            found.append(branch)
            limits.tell("cells", explorer.done)
        else:
            closed += 1
        limits.check(len(found))
    return Regions(network, box, tuple(found), idle_hinges(network), closed, explorer.cutter.programs, explorer.cutter.exact)


def idle_hinges(network: Network) -> tuple[int, ...]:
    """Return the hinges (from 0) that no orbit depends on."""
    live = set(live_hinges(network))
    return tuple(hinge for hinge in range(network.hinges) if hinge not in live)


class Explorer:
    """Finds the cells of words, one pattern longer at a time. ``done`` says which share of the present search is over."""

    def __init__(self, network: Network, box: Box | None = None) -> None:
        """Prepare the search. **Raises:** Unsupported: a smooth network, or radii. Malformed: a box without points."""
        _check_subject(network, box)
        self.network, self.box = network, box
        self.cutter = Cutter(network.dimension)
        self.done = 0.0
        self._needs = _needs(network)

    @property
    def start(self) -> Cell:
        """Return the cell of the empty word: all states."""
        point = generic_point(self.network.dimension)
        if self.box is None:
            return Cell((), (), point)
        low, high = self.box
        return Cell((), (), homogeneous([low + (high - low) * (value + 1) / 2 for value in coordinates(point)]))

    def extensions(self, cell: Cell) -> Iterator[Cell | Closed]:
        """Yield the nonempty cells of the words one pattern longer, and the empty branches between them with their certificates.

        With a box, all states of the word lie in it. **Guarantee:** exact: the branches yielded cover every longer word.
        """
        self.done = 0.0
        self.cutter.clear()
        flow = flow_along(self.network, cell.patterns)
        walls = _walls(flow, self.network.dimension, self.box)
        root = self._enclosed(cell, walls)
        if isinstance(root, Farkas):
            yield Closed(cell.patterns, "", root)
            return
        hinges = _Hinges(self.network, self._needs, flow, self.cutter)
        stack = [root]
        while stack:
            partial = stack.pop()
            if len(partial.letters) == len(self._needs):
                self.done += partial.share
                rows = (*cell.rows, *(self.cutter.rows[side] for side in partial.sides), *walls)
                yield Cell((*cell.patterns, partial.letters), rows, partial.point)
                continue
            above = hinges.side(partial.letters)
            children = [partial.child("1", above, self.cutter), partial.child("0", above - 1, self.cutter)]
            reached = [child for child in children if isinstance(child, _Partial)]
            yield from (Closed(cell.patterns, child[0], child[1]) for child in children if not isinstance(child, _Partial))
            stack += [child._replace(share=partial.share / len(reached)) for child in reached]

    def refuse_many(self, most: int) -> None:
        """Refuse at once where independent hinges alone make more cells than ``most``. **Raises:** NotFound."""
        first = [hinge for hinge, need in enumerate(self._needs) if need == 0]
        if self.box is not None or 1 << len(first) <= most:
            return
        forms = _gates(self.network, "0" * len(self._needs), None)
        independent = rank([forms[hinge] for hinge in first])
        if 1 << independent > most:
            raise too_many("cells", most, f"at least 2^{independent}, for so many hinges are independent")

    def _enclosed(self, cell: Cell, walls: Sequence[Row]) -> _Partial | Farkas:
        """Return a point of the cell that is inside the walls of the next step, with all sides in force."""
        active, found = sum(1 << side for side in {self.cutter.side(row) for row in cell.rows}), cell.point
        for row in walls:
            side = self.cutter.side(row)
            inside = self.cutter.cut(active, side, found)
            if isinstance(inside, Farkas):
                return inside
            active, found = active | 1 << side, inside
        return _Partial("", (), active, found, 1.0)


class _Partial(NamedTuple):
    """A node of the search: the first letters of a pattern, the sides they stand for, all sides in force, and a point on them all."""

    letters: str
    sides: tuple[int, ...]
    active: int
    point: Point
    share: float

    def child(self, letter: str, side: int, cutter: Cutter) -> _Partial | tuple[str, Farkas]:
        """Return the node one letter further, or that prefix with the certificate that it is empty."""
        found = cutter.cut(self.active, side, self.point)
        if isinstance(found, Farkas):
            return self.letters + letter, found
        return _Partial(self.letters + letter, (*self.sides, side), self.active | 1 << side, found, self.share)


class _Hinges:
    """The hyperplanes of the hinges as the state at the end of a flow sees them, each given the letters that it depends on."""

    def __init__(self, network: Network, needs: Sequence[int], flow: Flow | None, cutter: Cutter) -> None:
        self._network, self._needs, self._flow, self._cutter = network, needs, flow, cutter
        self._kept: dict[int, tuple[str, dict[int, int]]] = {}

    def side(self, letters: str) -> int:
        """Return the side where the next hinge has letter 1."""
        need = self._needs[len(letters)]
        kept = self._kept.get(need)
        if kept is None or kept[0] != letters[:need]:
            kept = self._kept[need] = (letters[:need], self._sides(letters[:need]))
        return kept[1][len(letters)]

    def _sides(self, known: str) -> dict[int, int]:
        forms = _gates(self._network, known.ljust(len(self._needs), "0"), self._flow)
        alike = [hinge for hinge, need in enumerate(self._needs) if need == len(known)]
        return {hinge: self._cutter.side(Row(forms[hinge], strict=False)) for hinge in alike}


def word_rows(network: Network, patterns: tuple[str, ...], box: Box | None = None) -> tuple[Row, ...]:
    """Return the conditions on a state for its orbit to begin with these patterns, whether or not any state meets them.

    **Guarantee:** exact. **Raises:** Rejected: a pattern of the wrong length.
    """
    rows: list[Row] = []
    for t, pattern in enumerate(patterns):
        flow = flow_along(network, patterns[:t])
        above = [Row(form, strict=False) for form in _gates(network, pattern, flow)]
        rows += [row if letter == "1" else row.opposite for row, letter in zip(above, pattern, strict=True)]
        rows += _walls(flow, network.dimension, box)
    return tuple(rows)


def row_names(network: Network, length: int, box: Box | None = None) -> list[str]:
    """Return what the rows of a word of this length are about: at each time the hinges, then, with a box, the walls."""
    hinges = [f"hinge {hinge + 1}" for hinge in range(network.hinges)]
    walls = [f"{end} wall {i + 1}" for end in ("low", "high") for i in range(network.dimension)] if box is not None else []
    return [f"{name}, time {t}" for t in range(length) for name in (*hinges, *walls)]


def why_empty(network: Network, patterns: tuple[str, ...], box: Box | None = None) -> Excluded:
    """Return the certificate that no orbit (in the box) begins with these patterns.

    **Guarantee:** exact. **Raises:** Malformed: some orbit does; Rejected: a pattern of the wrong length.

    **Example**

    >>> from verify.loading import load_network
    >>> twins = load_network({"n": [[1], [2]], "b": [0, 0], "m": [[1, 1]], "a": 0}, model="low_rank")
    >>> print(why_empty(twins, ("10",)))
    1 times  -z1 > 0  (hinge 2, time 0)
    1 times  z1 >= 0  (hinge 1, time 0)
    sum  0 > 0, which is false
    """
    _check_subject(network, box)
    rows = word_rows(network, patterns, box)
    found = decide(rows, network.dimension)
    if not isinstance(found, Farkas):
        got = f"the orbit of ({', '.join(map(shown, coordinates(found)))}) follows it"
        raise Malformed(where=f"word {'.'.join(patterns)}", law="empty words have certificates", expected="an empty word", got=got)
    names = dict(zip(reversed(rows), reversed(row_names(network, len(patterns), box)), strict=True))
    return Excluded(patterns, tuple(names[row] for row in found.rows), found)


def is_unbounded(cell: Cell, dimension: int) -> bool:
    """Say whether the cell is unbounded: whether some direction leads out of it nowhere. **Guarantee:** exact."""
    slopes = [(*row.form[:-1], 0) for row in cell.rows if not row.is_constant]
    if rank(slopes) < dimension:
        return True
    closed = [Row(form, strict=False) for form in slopes]
    leaving = Row(tuple(map(sum, zip(*slopes, strict=True))), strict=True)
    return not isinstance(decide([*closed, leaving], dimension), Farkas)


def flow_along(network: Network, patterns: tuple[str, ...]) -> Flow | None:
    """Return the affine map (matrix, vector) from a state to the one after these patterns; None for no step. **Guarantee:** exact."""
    flow: Flow | None = None
    for pattern in patterns:
        piece = network.piece(pattern)
        flow = (piece.jacobian, piece.offset) if flow is None else (piece.jacobian @ flow[0], piece.image(flow[1]))
    return flow


def too_many(what: str, most: int, got: str) -> NotFound:
    """Return the letter for a search that would return too much."""
    return NotFound(
        where="regions", law=f"number of {what}", expected=f"at most {most}", got=got, remedy="a larger --max-cells, or a --box"
    )


def _check_subject(network: Network, box: Box | None) -> None:
    if not network.is_piecewise_linear:
        got = ", ".join(sorted({operation.name for operation in network.program} - {"affine", "relu", "add"}))
        raise Unsupported(where="network", law="cells of a piecewise-linear network", expected="affine, relu and add only", got=got)
    if not network.is_exact:
        got = f"radius {shown(network.largest_radius)}"
        raise Unsupported(where="network", law="cells with exact borders", expected="weights without radii", got=got)
    if box is not None and box[0] > box[1]:
        raise Malformed(where="box", law="LO <= HI", expected="the lower bound first", got=f"{box[0]} {box[1]}")


def _needs(network: Network) -> list[int]:
    """Return for each hinge how many of the letters before it its pre-activation depends on (counted in whole relu operations)."""
    zeros = Matrix.column([Fraction(0)] * network.dimension)
    sizes = [len(gate.mid) for gate in network.trace(zeros)[1]]
    reach, needs = [0], []
    for operation in network.program:
        upstream = max(reach[register] for register in operation.of)
        if operation.name == "relu":
            needs += [upstream] * sizes.pop(0)
            upstream = len(needs)
        reach.append(upstream)
    return needs


def _gates(network: Network, pattern: str, flow: Flow | None) -> list[Form]:
    """Return the pre-activations in the region of a pattern as forms in the state from which the flow starts."""
    piece = network.piece(pattern)
    return _forms(piece.gates, piece.gate_offsets, flow) if piece.gates.mid else []


def _walls(flow: Flow | None, dimension: int, box: Box | None) -> list[Row]:
    if box is None:
        return []
    unit = Matrix.identity(dimension)
    low, high = (Matrix.column([end] * dimension) for end in (-box[0], box[1]))
    forms = [*_forms(unit, low, flow), *_forms(unit.times(Fraction(-1)), high, flow)]
    return [Row(form, strict=False) for form in forms]


def _forms(linear: Matrix, constants: Matrix, flow: Flow | None) -> list[Form]:
    """Return the forms linear z + constants at the state z to which the flow leads."""
    if flow is not None:
        linear, constants = linear @ flow[0], linear @ flow[1] + constants
    den = lcm(linear.den, constants.den)
    one, two = den // linear.den, den // constants.den
    rows = zip(linear.mid, constants.mid, strict=True)
    return [primitive([*(value * one for value in row), last[0] * two]) for row, last in rows]
