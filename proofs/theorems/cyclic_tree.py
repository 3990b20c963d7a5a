"""A4 ``cyclic_tree``. A tree over the signs of pre-activations settles every solution of F^k(z) = z.

Statement   every z = F^k(z) whose orbit meets the signs on the path (and at which hinge ``order`` has its largest pre-activation of the
            orbit, if order is given) is on a cited cycle or in a named residual polyhedron.
Witness     cites a cyclic_system, then what the tokens cite; path: i + 1 for a_i >= 0, -(i + 1) for a_i <= 0; optional order: a live hinge;
            nodes, in preorder: i (first child a_i >= 0, second a_i <= 0), {"farkas": [i, l_i, ..], "order": [t, s_t, ..]}, "cycle",
            "part" or "residual".
Checks      1  path and branches decide each index once; tokens are neither missing nor left over
            2  farkas: in 0 <= sum l_i (y_i - (M x)_i - q_i) + sum s_t (a_(0,order) - a_(t,order)), s_t >= 0, the constant is < 0 and the
               coefficient of every x_i and y_i that is not decided to be 0 is <= 0, whatever M and q are within their radius
            3  cycle: all is decided; the cited cycle has this word up to rotation and repetition (A2: its itinerary, A1: signs that agree,
               zeros with both), and nothing else has: by A2 if its period is k, else I - P of this word is nonsingular modulo 2^61 - 1
            4  part: a cited part of this k, this order and exactly the decisions of this node
            5  residual: all is decided, and I - P of this word is singular modulo 2^61 - 1
Fails when  a multiplier was rounded too coarsely, a branch is missing, a cycle is not on the list.
Rests on    Farkas' lemma.
"""

from __future__ import annotations

from operator import mul
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.claims import Cycle, ExactCycle
from proofs.errors import Malformed
from proofs.grammar import read_number
from proofs.reader import read_list
from proofs.theorems.card import Application
from proofs.theorems.elimination import MODULUS, is_singular_modulo
from proofs.theorems.lifted import full_pattern, live_hinges, live_letters
from proofs.theorems.parts import CyclicPart, CyclicSystem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from proofs.network import Network
    from proofs.theorems.parts import Key, Word


def check(step: Application) -> CyclicPart:
    """Verify one application; see the card above."""
    system = step.cite(CyclicSystem)
    order = step.witness.integer("order", 0, len(system.base) - 1) if step.witness.has("order") else None
    size = len(system.rows)
    path = step.witness.integers("path", -size, size)
    whole = 0 not in path and len({abs(decision) for decision in path}) == len(path)
    step.require(1, whole, "a path of different indices, none of them 0", path)
    walk = _Walk(step, system, order, path)
    walk.run()
    return CyclicPart(system.period, order, frozenset(path), frozenset(walk.cycles), frozenset(walk.residual))


def refutes(
    system: CyclicSystem,
    order: int | None,
    decided: Mapping[int, bool],
    weights: Mapping[int, int],
    turns: Mapping[int, int],
) -> bool:
    """Say whether these Farkas multipliers (``weights`` on rows, ``turns`` >= 0 on times) exclude the node; ``decided``: i -> a_i >= 0.

    **Guarantee:** True is a proof, for every M and q within the radius.
    """
    size, width = len(system.rows), len(system.base)
    chosen = [system.rows[i] for i in weights]
    factors = list(weights.values())
    spread = system.radius * sum(map(abs, factors))
    on_x = [spread - sum(map(mul, factors, column)) for column in zip(*chosen, strict=True)] or [0] * size
    on_y = [0] * size
    for i, factor in weights.items():
        on_y[i] = factor * system.scale
    for time, factor in turns.items():
        for i, value in ((order or 0, factor), (time * width + (order or 0), -factor)):
            sign = system.scale if system.base[i % width] == "0" else -system.scale
            on_x[i] += sign * value
            on_y[i] -= sign * value
    for i, holds in decided.items():
        (on_x if holds == (system.base[i % width] == "1") else on_y)[i] = 0
    constant = spread - sum(factor * system.constants[i] for i, factor in weights.items())
    return constant < 0 and max(on_x, default=0) <= 0 and max(on_y, default=0) <= 0


def orbit_key(network: Network, live: tuple[int, ...], cycle: Cycle | ExactCycle) -> Key:
    """Return what tells cycles apart: least period, and least rotation of the live itinerary or, where a live border is met, the points."""
    if isinstance(cycle, Cycle):
        return cycle.period, least_rotation(tuple(live_letters(live, pattern) for pattern in cycle.itinerary))
    signs = [_signs(network, live, point) for point in cycle.points]
    if any(0 in row for row in signs):
        return cycle.period, frozenset(cycle.points)
    return cycle.period, least_rotation(tuple("".join("1" if sign > 0 else "0" for sign in row) for row in signs))


def least_rotation(word: Word) -> Word:
    """Return the smallest rotation."""
    return min(word[turn:] + word[:turn] for turn in range(len(word)))


class _Walk:
    """The walk through one part of the tree."""

    def __init__(self, step: Application, system: CyclicSystem, order: int | None, path: Sequence[int]) -> None:
        self._step = step
        self._system = system
        self._order = order
        self._live = live_hinges(step.network)
        self._tokens = step.witness.items("nodes")
        self._used = 0
        self._decided = {abs(decision) - 1: decision > 0 for decision in path}
        self.cycles: set[Key] = set()
        self.residual: set[Word] = set()

    def run(self) -> None:
        """Visit every node below the path, and the path's own."""
        pending: list[tuple[int, bool]] = []  # branches with a child still to visit, or with none
        while True:
            told = self._token()
            if type(told) is int:
                inside = 0 <= told < len(self._system.rows) and told not in self._decided
                self._step.require(1, inside, "a branch on an undecided index", told)
                self._decided[told] = True
                pending.append((told, True))
                continue
            self._leaf(told)
            while pending and not pending[-1][1]:
                del self._decided[pending.pop()[0]]
            if not pending:
                break
            index, _ = pending.pop()
            self._decided[index] = False
            pending.append((index, False))
        left = len(self._tokens) - self._used
        self._step.require(1, left == 0, "no token left over", left)

    def _token(self) -> object:
        if self._used == len(self._tokens):
            raise self._misread("a token for every node", "none left")
        self._used += 1
        return self._tokens[self._used - 1]

    def _leaf(self, told: object) -> None:
        if isinstance(told, dict) and "farkas" in told and set(told) <= {"farkas", "order"}:
            weights = self._pairs(told["farkas"], len(self._system.rows))
            turns = self._pairs(told.get("order", []), self._system.period)
            ordered = not turns or (self._order is not None and min(turns.values()) >= 0)
            self._step.require(2, ordered, "multipliers >= 0 on a stated order", turns)
            holds = refutes(self._system, self._order, self._decided, weights, turns)
            self._step.require(2, holds, "a combination with no positive coefficient and a negative constant", lambda: str(told)[:200])
        elif told == "cycle":
            self._cycle(self._word(3))
        elif told == "part":
            part = self._step.cite(CyclicPart)
            here = frozenset(i + 1 if holds else -i - 1 for i, holds in self._decided.items())
            same = (part.period, part.order, part.path) == (self._system.period, self._order, here)
            self._step.require(
                4, same, lambda: f"a part of period {self._system.period} decided at {sorted(here)}", lambda: sorted(part.path)
            )
            self.cycles |= part.cycles
            self.residual |= part.residual
        elif told == "residual":
            word = self._word(5)
            self._step.require(5, not self._is_nonsingular(word), "a singular word", lambda: " ".join(word))
            self.residual.add(least_rotation(word))
        else:
            raise self._misread('an index, a farkas object, "cycle", "part" or "residual"', told)

    def _word(self, number: int) -> Word:
        size, width = len(self._system.rows), len(self._system.base)
        self._step.require(number, len(self._decided) == size, f"all {size} indices decided", len(self._decided))
        letters = "".join("1" if self._decided[i] else "0" for i in range(size))
        return tuple(letters[t * width : (t + 1) * width] for t in range(self._system.period))

    def _cycle(self, word: Word) -> None:
        cycle = self._step.cite(Cycle, ExactCycle)
        whole = len(word) % cycle.period == 0
        self._step.require(3, whole and self._agree(cycle, word), lambda: f"a cycle with the word {' '.join(word)}", cycle.statement)
        if not isinstance(cycle, Cycle) or cycle.period < len(word):
            expected = "I - P nonsingular modulo 2^61 - 1"
            self._step.require(3, self._is_nonsingular(word), expected, lambda: f"a singular word {' '.join(word)}")
        self.cycles.add(orbit_key(self._step.network, self._live, cycle))

    def _agree(self, cycle: Cycle | ExactCycle, word: Word) -> bool:
        """Say whether the cycle, from some point on, follows the closed regions that the word names."""
        turns = range(cycle.period)
        if isinstance(cycle, Cycle):
            spelled = tuple(live_letters(self._live, pattern) for pattern in cycle.itinerary) * (len(word) // cycle.period)
            return any(spelled[turn:] + spelled[:turn] == word for turn in turns)
        signs = [_signs(self._step.network, self._live, point) for point in cycle.points]
        return any(all(_fits(letter, signs[(turn + t) % cycle.period]) for t, letter in enumerate(word)) for turn in turns)

    def _is_nonsingular(self, word: Word) -> bool:
        size, network = self._step.network.dimension, self._step.network
        product, den = [[int(i == j) for j in range(size)] for i in range(size)], 1
        pieces = {letter: network.piece(full_pattern(self._live, letter, network.hinges)).jacobian for letter in set(word)}
        for letter in word:
            columns = list(zip(*product, strict=True))
            product = [[sum(a * b for a, b in zip(row, column, strict=True)) % MODULUS for column in columns] for row in pieces[letter].mid]
            den = den * pieces[letter].den % MODULUS
        return not is_singular_modulo([[den * (i == j) - value for j, value in enumerate(row)] for i, row in enumerate(product)])

    def _pairs(self, content: object, size: int) -> dict[int, int]:
        """Return index: integer pairs from a flat list; integers over 18 digits are spelled as strings."""
        where = f"{self._step.witness.where}, field nodes"
        numbers = [item if type(item) is int else read_number(item, where) for item in read_list(content, where)]
        pairs = {int(i): int(value) for i, value in zip(numbers[::2], numbers[1::2], strict=False)}
        whole = all(number.denominator == 1 for number in numbers) and all(0 <= i < size for i in pairs)
        if not whole or 2 * len(pairs) != len(numbers):
            raise self._misread(f"pairs of different indices from 0 to {size - 1} and integers", content)
        return pairs

    def _misread(self, expected: str, got: object) -> Malformed:
        return Malformed(where=f"{self._step.witness.where}, field nodes", law="cyclic tree", expected=expected, got=str(got)[:200])


def _fits(letter: str, signs: list[int]) -> bool:
    """Say whether pre-activations of these signs lie in the closed region of the letter."""
    return all(sign >= 0 if bit == "1" else sign <= 0 for bit, sign in zip(letter, signs, strict=True))


def _signs(network: Network, live: tuple[int, ...], point: Sequence[object]) -> list[int]:
    """Return the signs of the live pre-activations at an exact point."""
    signs = [low for gate in network.trace(Matrix.column(point))[1] for low, _ in gate.signs()]  # type: ignore[arg-type]
    return [signs[hinge] for hinge in live]
