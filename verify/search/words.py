"""Every cycle up to a period by the tree of words: which starting points follow a word, and whether one returns after it.

Planar networks are walked in compiled code with error bounds; what those leave open, and networks of any other number of states, is
decided exactly with the checker's own functions. Work comes in chunks: a subtree, and tasks for the parts left over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from time import monotonic
from typing import NamedTuple

from proofs.network import Network
from proofs.theorems.word_path import WordPath, Words, excludes, excludes_closed, tight_solution
from verify.numerics.polyhedra import Polyhedron, Row

Word = tuple[str, ...]
Rows = tuple[int, ...]
Point = tuple[Fraction, ...]
Progress = Callable[[str, int, int], None]
MAX_NODES = 20_000
_CRUMB = 32  # a subtree of less than 1 / 32 of the nodes allowed is not left over


@dataclass(frozen=True)
class WordTask:
    """The subtree of the words that start with ``prefix``, one letter (a bit a live hinge) a step, cycles of period up to ``up_to``."""

    up_to: int
    prefix: Word


@dataclass(frozen=True)
class WordChunk:
    """What was found in a subtree, and the tasks left over.

    ``words``: the itineraries of its cycles (least rotations); ``pinned``: those of them whose closing equations are singular, with the
    exact first point. ``forbidden``: bits that no orbit follows, from a letter's start on, with the rows that exclude each other: every
    word of the subtree that was given up contains one of them. ``singular``: closed words with singular equations and what is to be told
    of them: "residual" (perhaps a polyhedron of periodic points), {"empty": rows} or {"tight": rows} (one point at most). ``unresolved``:
    words that the checker will not accept, with the reason; the chunk proves nothing unless there are none.
    **Guarantee:** heuristic until checked; all of it was proved by error bounds or exactly.
    """

    task: WordTask
    subtasks: tuple[WordTask, ...]
    nodes: int
    words: tuple[Word, ...]
    forbidden: dict[str, Rows]
    singular: tuple[tuple[Word, object], ...]
    pinned: tuple[tuple[Word, Point], ...]
    unresolved: tuple[tuple[Word, str], ...]


def grow(
    network: Network, task: WordTask, max_nodes: int = MAX_NODES, deadline: float | None = None, progress: Progress | None = None
) -> WordChunk:
    """Explore the subtree of a task depth-first; beyond ``max_nodes`` nodes, or the ``deadline``, what is large becomes subtasks.

    The network must be exact and piecewise linear. A chunk always gets beyond its own root, so that repeated calls come to an end.

    **Guarantee:** heuristic until checked. **Cost:** planar networks about 5 microseconds a node, others a small exact linear program each.
    """
    growth = _Growth(network, task, max_nodes, deadline, progress)
    growth.run()
    return growth.chunk()


class _Node(NamedTuple):
    """A node to visit: the word, the bits of the letter begun with their rows, and the cell that is to be cut by the rows ``new``."""

    path: WordPath
    bits: str
    rows: tuple[Row, ...]
    cell: Polyhedron
    new: tuple[Row, ...]


class _Trial(NamedTuple):
    """A subtree begun after the limit: whether it is small is not known yet."""

    path: WordPath
    depth: int
    nodes: int
    sizes: tuple[int, ...]


class _Growth:
    """One chunk in the making."""

    def __init__(self, network: Network, task: WordTask, max_nodes: int, deadline: float | None, progress: Progress | None) -> None:
        self._network, self._task, self._deadline, self._progress = network, task, deadline, progress
        self._words = Words(network)
        self._most = 1 if self._is_late() else max_nodes
        self._paths = [self._words.start]
        self._nodes = 0
        self._subtasks: list[WordTask] = []
        self._found: list[Word] = []
        self._forbidden: dict[str, Rows] = {}
        self._singular: list[tuple[Word, object]] = []
        self._pinned: list[tuple[Word, Point]] = []
        self._unresolved: list[tuple[Word, str]] = []

    def chunk(self) -> WordChunk:
        """Return what has been found."""
        found, singular, pinned, unresolved = map(tuple, self._lists())
        return WordChunk(self._task, tuple(self._subtasks), self._nodes, found, self._forbidden, singular, pinned, unresolved)

    def run(self) -> None:
        """Explore the subtree."""
        if self._network.dimension != 2 or not self._explore():  # noqa: PLR2004 - a plane
            path, plane = self._path(self._task.prefix), Polyhedron.whole(self._network.dimension)
            self._walk([_Node(path, "", (), plane, path.rows)] if path.letters else self._children(path, "", (), plane))
        self._report()

    def _explore(self) -> bool:
        """Walk the plane in compiled code and settle exactly what came up; False where that is not possible."""
        from verify.numerics.planar_words import explore

        explored = explore(self._network, self._task.up_to, self._task.prefix, self._most)
        if explored is None:
            return False
        (events, words), self._nodes = explored
        bits, width = (words + ord("0")).tobytes().decode("latin-1"), words.shape[1]  # past a word's bits stands anything
        for number, (kind, size, one, two, three, sure) in enumerate(events.tolist()):
            rows = tuple(row for row in (one, two, three) if row >= 0)
            self._settle(kind, bits[number * width : number * width + size], rows, sure)
        return True

    def _settle(self, kind: int, bits: str, rows: Rows, sure: int) -> None:
        """Take over one event of a compiled walk."""
        from verify.numerics.planar_words import LEFT
        from verify.numerics.polygons import CYCLE, PROVED, SUGGESTED, UNSURE

        if kind == PROVED:
            self._forbid(bits, rows, sure)
        elif kind == LEFT:
            self._subtasks.append(WordTask(self._task.up_to, self._letters(bits)))
        elif kind == CYCLE:
            self._found.append(self._letters(bits))
        elif kind not in {SUGGESTED, UNSURE}:
            self._close(self._path(self._letters(bits)))
        elif kind == UNSURE or not self._forbid(bits, rows):
            begun = len(bits) % len(self._words.live)
            path, letter = self._path(self._letters(bits[: len(bits) - begun])), bits[len(bits) - begun :]
            new = self._rows(path, letter)
            self._walk([_Node(path, letter, new, Polyhedron.whole(self._network.dimension), (*path.rows, *new))])

    def _walk(self, pending: list[_Node]) -> None:
        """Visit the nodes, the last one first, and all below them; after the limit try each subtree before it is left to a subtask."""
        trial: _Trial | None = None
        while pending:
            if trial is not None and len(pending) < trial.depth:
                trial = None
            node = pending.pop()
            if trial is None and self._is_over() and not node.bits and len(node.path.letters) > len(self._task.prefix):
                trial = _Trial(node.path, len(pending) + 1, self._nodes, tuple(map(len, self._lists())))
            pending += self._visit(node)
            if trial is not None and self._nodes > trial.nodes + max(1, self._most // _CRUMB):
                del pending[trial.depth - 1 :]
                self._leave(trial)
                trial = None

    def _leave(self, trial: _Trial) -> None:
        """Forget what was found in the subtree on trial, but for its forbidden words, and leave it to another task."""
        self._subtasks.append(WordTask(self._task.up_to, trial.path.letters))
        self._nodes = trial.nodes + 1
        for items, size in zip(self._lists(), trial.sizes, strict=True):
            del items[size:]

    def _lists(self) -> tuple[list, list, list, list]:  # type: ignore[type-arg]
        return self._found, self._singular, self._pinned, self._unresolved

    def _visit(self, node: _Node) -> list[_Node]:
        """Decide whether points follow one word and return after it; return the nodes below it, the first one last."""
        if not node.bits and len(node.path.letters) == self._task.up_to:
            if node.path.is_necklace:
                self._close(node.path)
            return []
        self._nodes += 1
        cell = node.cell.cut_by(node.new)
        if not isinstance(cell, Polyhedron):
            if not self._forbid("".join(node.path.letters) + node.bits, cell):
                self._unresolved.append((node.path.letters, "rows that exclude each other were not found"))
            return []
        if not node.bits and node.path.is_necklace:
            self._close(node.path, cell)
        return self._children(node.path, node.bits, node.rows, cell)

    def _children(self, path: WordPath, bits: str, rows: tuple[Row, ...], cell: Polyhedron) -> list[_Node]:
        if not self._words.live:
            return [_Node(self._words.extended(path, "", ()), "", (), cell, ())]
        return [node for bit in "10" for node in self._child(path, bits, rows, cell, bit)]

    def _child(self, path: WordPath, bits: str, rows: tuple[Row, ...], cell: Polyhedron, bit: str) -> Iterator[_Node]:
        """Yield the node one bit further, unless no necklace starts like this."""
        if path.is_behind(bits + bit):
            return
        row = self._words.row(path, bits, bit)
        if len(bits) + 1 < len(self._words.live):
            yield _Node(path, bits + bit, (*rows, row), cell, (row,))
        else:
            yield _Node(self._words.extended(path, bits + bit, (*rows, row)), "", (), cell, (row,))

    def _forbid(self, bits: str, rows: Rows, sure: int = -1) -> bool:
        """Note the shortest stretch of a word on which these rows exclude each other; False if they do on none.

        A stretch may start where the first row does, unless the map up to there is singular and the row says less of its image than of all
        states. From the time ``sure`` on, if there is one, the rows are known to exclude each other.
        """
        width = len(self._words.live)
        for start in range(rows[0] // width, -1, -1):
            stretch, shifted = bits[start * width : rows[-1] + 1], tuple(row - start * width for row in rows)
            if stretch in self._forbidden or start == sure or self._excludes(stretch, shifted):
                self._forbidden.setdefault(stretch, shifted)
                return True
        return False

    def _excludes(self, bits: str, rows: Rows) -> bool:
        whole = len(bits) - len(bits) % len(self._words.live)
        path = self._path(self._letters(bits[:whole]))
        known = (*path.rows, *self._rows(path, bits[whole:]))
        return excludes([known[row] for row in rows])

    def _close(self, path: WordPath, cell: Polyhedron | None = None) -> None:
        """Decide the periodic points with a closed word, whose starting points form the cell; note what is to be told of a singular one."""
        solution = path.solution()
        singular = solution is None
        if singular:
            solution = self._close_singular(path, Polyhedron.whole(self._network.dimension).cut_by(path.rows) if cell is None else cell)
        if solution is not None and path.is_primitive and path.accepts(*solution):
            self._found.append(path.letters)
            if singular:
                self._pinned.append((path.letters, tuple(Fraction(value, solution[0]) for value in solution[1])))

    def _close_singular(self, path: WordPath, cell: Polyhedron | Rows) -> tuple[int, list[int]] | None:
        """Note what is to be told of a singular closed word; return its one point where there is one."""
        kind, rows = _settled(path, cell)
        self._singular.append((path.letters, {kind: rows} if rows else kind))
        forced, solution = tight_solution(path, rows) if kind == "tight" else (False, None)
        if not (forced or kind == "residual" or (kind == "empty" and excludes_closed(path, rows))):
            self._unresolved.append((path.letters, "a singular word was not settled"))
        return solution

    def _path(self, letters: Word) -> WordPath:
        """Return the exact path of a word, keeping what it shares with the one asked for before."""
        shared, last = 0, self._paths[-1].letters
        while shared < min(len(letters), len(last)) and letters[shared] == last[shared]:
            shared += 1
        del self._paths[shared + 1 :]
        for letter in letters[shared:]:
            self._paths.append(self._words.extended(self._paths[-1], letter, self._rows(self._paths[-1], letter)))
        return self._paths[-1]

    def _rows(self, path: WordPath, letter: str) -> tuple[Row, ...]:
        return tuple(self._words.row(path, letter[:i], bit) for i, bit in enumerate(letter))

    def _letters(self, bits: str) -> Word:
        width = len(self._words.live)
        return tuple(bits[i : i + width] for i in range(0, len(bits), width))

    def _is_over(self) -> bool:
        if self._nodes % 256 == 0:
            self._report()
        if self._most > 1 and self._is_late():
            self._most = 1
        return self._nodes >= self._most

    def _is_late(self) -> bool:
        return self._deadline is not None and monotonic() > self._deadline

    def _report(self) -> None:
        if self._progress is not None:
            self._progress("nodes", self._nodes, max(self._nodes, self._most))


def _settled(path: WordPath, cell: Polyhedron | Rows) -> tuple[str, list[int]]:
    """Say of a closed word with singular equations whether no point returns, one at most, or perhaps a polyhedron; name the rows."""
    if not isinstance(cell, Polyhedron):
        return "empty", list(cell)
    known, size = len(path.rows), len(path.map) - 1
    forms = [(*row[:-1], -row[-1]) for row in path.closing()]
    both = [side for form in forms for side in ((form, False), (tuple(-value for value in form), False))]
    points = cell.cut_by(both)
    if not isinstance(points, Polyhedron):
        return "empty", _named(points, known)
    for i, (form, strict) in enumerate(path.rows):
        beyond = points if strict else points.cut((form, True))
        if not isinstance(beyond, Polyhedron):
            chosen = _named([j if j < known + 2 * size else i for j in beyond], known)
            if tight_solution(path, chosen)[0]:
                return "tight", chosen
    return "residual", []


def _named(rows: Sequence[int], known: int) -> list[int]:
    """Return the checker's names of rows: those of the path, then the equations, which stand twice in a polyhedron."""
    return sorted({i if i < known else known + (i - known) // 2 for i in rows})
