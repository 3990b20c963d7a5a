"""Witnesses for whole trees on tiny networks, by trying everything: all small sets of rows, all signs, an exact simplex method.

Nothing here comes from the finder; numbers are plain Fractions. Steps are (theorem, cites, witness) as in ``workbench``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from math import lcm

from proofs.network import Network, Operation
from tests.proofs.workbench import Step, affine, matrix, shallow
from tests.second.lcp import system
from tests.second.nets import read_net
from tests.second.polyhedra import dependencies, dot, reduced, solutions
from tests.second.words import Words

Word = tuple[str, ...]


def bent(slope: object, hinges: list[object], constant: object = 0) -> Network:
    """Make x -> slope x + hinges[0] relu(x) + hinges[1] relu(-x) + constant, with one or both hinges."""
    weights: list[list[object]] = [[1], [-1]]
    first = affine(weights[: len(hinges)], [0] * len(hinges))
    last = Operation("affine", (0, 2), (matrix([[slope]]), matrix([hinges])), matrix([[constant]]))
    return Network(1, (first, Operation("relu", (1,)), last))


BEND = bent(1, [-3], 1)  # slopes 1 | -2: a fixed point 1/3, a two-cycle -1/3, 2/3
KNOT = bent(1, [-1, -1])  # x - |x|, which is 2 x | 0: the fixed point 0 lies on both borders, where the word 11 is singular
GROW = shallow([1], [0], ["1/2"], 1)  # 1 | x/2 + 1: a fixed point 2
FOLD = shallow([1], [0], [-1], 1)  # 1 | 1 - x: a fixed point 1/2, a segment of two-cycles from 0 to 1
SEESAW = bent(-3, ["5/2"], 1)  # slopes -3 | -1/2: a fixed point 2/3, a two-cycle -1, 4
ABSOLUTE = bent(-1, [2])  # |x|: a half-line of fixed points


def words_of(network: Network) -> Words:
    """Return the network seen by the second checker."""
    return Words(read_net(network.as_json()))


def every_word(network: Network, up_to: int, *, lazy: bool = False) -> list[Step]:
    """Return the two steps that count all cycles by necklaces without forbidden words, those that a word tree excludes."""
    words = words_of(network)
    grower = Grower(words, up_to, lazy)
    grower.whole(())
    names, width = [str(entry[0]) for entry in grower.forbidden], len(words.live)
    told: list[object] = []
    for word, what in grower.told.items():
        twice = "".join(word) * 2
        if not width or not any(twice[i:].startswith(name) for name in names for i in range(0, len(twice), width)):
            told.append({"word": list(word), "told": what})
    first: list[Step] = [("forbidden_words", (), {"words": grower.forbidden})] if width else []
    return [*first, ("necklaces", (1,) if width else (), {"up_to": up_to, "singular": told})]


@dataclass
class Grower:
    """A walk over words: those that no orbit follows, with rows that say so, and what is told of singular closed words."""

    words: Words
    up_to: int
    lazy: bool
    forbidden: list[list[object]] = field(default_factory=list)
    told: dict[Word, object] = field(default_factory=dict)

    def whole(self, word: Word) -> None:
        """Visit a word of whole letters."""
        if any(word[i:] < word[: len(word) - i] for i in range(len(word))):
            return
        if word and len(word) < self.up_to and not self.opens(word, ""):
            return
        if word and all(word <= word[i:] + word[:i] for i in range(len(word))):
            self.close(word)
        if len(word) < self.up_to:
            self.below(word, "")

    def below(self, word: Word, bits: str) -> None:
        """Visit the children of a node."""
        width = len(self.words.live)
        if not width:
            self.whole((*word, ""))
            return
        for longer in (f"{bits}0", f"{bits}1"):
            if len(longer) == width:
                self.whole((*word, longer))
                continue
            best = (*word, longer.ljust(width, "1"))
            if all(best[i:] >= best[: len(best) - i] for i in range(len(best))) and self.opens(word, longer):
                self.below(word, longer)

    def opens(self, word: Word, bits: str) -> bool:
        """Say whether a node is open; if not, forbid its word."""
        rows = oriented(self.words, word, bits)
        chosen = None if self.lazy else clash(rows, [], self.words.net.dimension + 1)
        if chosen is not None:
            self.forbidden.append(["".join(word) + bits, *chosen])
        return chosen is None

    def close(self, word: Word) -> None:
        """Tell of a closed word whose equations are singular."""
        matrix, right = self.words.system(word)
        found = solutions(matrix, right)
        if found is not None and not found[1]:
            return
        rows = oriented(self.words, word, "")
        equations = [(row, -value, False) for row, value in zip(matrix, right, strict=True)]
        size = self.words.net.dimension + 1
        empty = clash(rows, equations, size)
        tight = None if empty is not None else clash(rows, equations, size, tight=True)
        self.told[word] = {"empty": empty} if empty is not None else {"tight": tight} if tight is not None else "residual"


def oriented(words: Words, word: Word, bits: str) -> list[tuple]:
    """Return the rows of a path, (coefficients, constant, strict), each >= 0 or > 0."""
    padded = (*word, bits.ljust(len(words.live), "0")) if bits else word
    letters = "".join(word) + bits
    gates = words.forms(padded)[2][: len(letters)]
    return [(r, c, False) if bit == "1" else ([-x for x in r], -c, True) for (r, c, _), bit in zip(gates, letters, strict=True)]


def clash(rows: list[tuple], equations: list[tuple], most: int, *, tight: bool = False) -> list[int] | None:
    """Return the first few rows that exclude each other; ``tight``: that sum to nothing at all and leave one point."""
    everything = [*rows, *equations]
    for size in range(1, most + 1):
        for chosen in combinations(range(len(everything)), size):
            basis = dependencies([everything[i][0] for i in chosen])
            inner = [factor for i, factor in zip(chosen, basis[0], strict=True) if i < len(rows)] if len(basis) == 1 else []
            if len(basis) != 1 or not (all(x > 0 for x in inner) or all(x < 0 for x in inner)):
                continue
            total = dot(basis[0], [everything[i][1] for i in chosen]) * (1 if not inner or inner[0] > 0 else -1)
            strict = any(everything[i][2] for i in chosen)
            if not tight and (total < 0 or (total == 0 and strict) or (total != 0 and not inner)):
                return list(chosen)
            if tight and total == 0 and inner and not strict and leaves_one_point([rows[i] for i in chosen if i < len(rows)], equations):
                return list(chosen)
    return None


def leaves_one_point(rows: list[tuple], equations: list[tuple]) -> bool:
    """Say whether these rows, all 0, and the equations have one solution."""
    forced = [*rows, *equations]
    found = solutions([row for row, _, _ in forced], [-constant for _, constant, _ in forced])
    return found is not None and not found[1]


def inverse_of(matrix: list[list[Fraction]]) -> list[list[Fraction]] | None:
    """Return the inverse, None if there is none."""
    size = len(matrix)
    table, pivots = reduced([[*row, *(Fraction(int(i == j)) for j in range(size))] for i, row in enumerate(matrix)])
    return [row[size:] for row in table] if pivots[:size] == list(range(size)) else None


def bases(network: Network, period: int) -> list[str]:
    """Return the base letters at which J^period has no eigenvalue 1."""
    words = words_of(network)
    return [letter for letter in words.letters if inverse_of(words.system((letter,) * period)[0])]


def cyclic_system(network: Network, period: int, base: str, bits: int | None = None) -> dict[str, object]:
    """Return the witness of a cyclic system, exact or with an inverse rounded to ``bits``."""
    inverse = inverse_of(words_of(network).system((base,) * period)[0]) or []
    spelled = [[str(x) if bits is None else f"{round(x * 2**bits)}p-{bits}" for x in row] for row in inverse]
    return {"period": period, "base": base, "inverse": spelled, **({} if bits is None else {"bits": bits})}


@dataclass
class Signs:
    """The walk over signs: branches in the order 0, 1, 2, ..., tokens and the words of the cycles to cite."""

    words: Words
    period: int
    base: str
    order: int | None = None
    parts: tuple[frozenset[int], ...] = ()
    lazy: bool = False
    tokens: list[object] = field(default_factory=list)
    cited: list[Word | frozenset[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Compute M and q."""
        self.matrix, self.constants = system(self.words, self.period, self.base)

    def visit(self, decided: dict[int, bool], *, is_start: bool = True) -> None:
        """Emit the tokens of a node and of all nodes below."""
        here = frozenset(i + 1 if holds else -i - 1 for i, holds in decided.items())
        whole = len(decided) == len(self.matrix)
        if here in self.parts and not is_start:
            self.tokens.append("part")
            self.cited.append(here)
        elif (not self.lazy or whole) and (found := self.farkas(decided)) is not None:
            self.tokens.append(found)
        elif whole:
            word = self.word(decided)
            matrix, right = self.words.system(word)
            found_points = solutions(matrix, right)
            single = found_points is not None and not found_points[1]
            self.tokens.append("cycle" if single else "residual")
            if single:
                self.cited.append(word)
        else:
            branch = min(set(range(len(self.matrix))) - set(decided))
            self.tokens.append(branch)
            self.visit({**decided, branch: True}, is_start=False)
            self.visit({**decided, branch: False}, is_start=False)

    def word(self, decided: dict[int, bool]) -> Word:
        """Return the word of a node at which all is decided."""
        letters, width = "".join(str(int(decided[i])) for i in range(len(self.matrix))), len(self.base)
        return tuple(letters[t * width : (t + 1) * width] for t in range(self.period))

    def columns(self, decided: dict[int, bool]) -> tuple[list[list[Fraction]], list[Fraction]]:
        """Return the columns v >= 0 and the right side of: y - M x = q, a_(0,order) - a_(t,order) - slack = 0."""
        size, width = len(self.matrix), len(self.base)
        turns = range(1, self.period) if self.order is not None else range(0)
        none = [Fraction(0)] * len(turns)
        rows = [[*(-x for x in row), *(Fraction(int(i == j)) for j in range(size)), *none] for i, row in enumerate(self.matrix)]
        for time in turns:
            row = [Fraction(0)] * (2 * size + len(turns))
            for unit, factor in ((self.order or 0, 1), (time * width + (self.order or 0), -1)):
                sign = 1 if self.base[unit % width] == "0" else -1
                row[unit] += sign * factor
                row[size + unit] -= sign * factor
            row[2 * size + time - 1] = Fraction(-1)
            rows.append(row)
        zero = {i if (self.base[i % width] == "1") == holds else size + i for i, holds in decided.items()}
        kept = [[x for j, x in enumerate(row) if j not in zero] for row in rows]
        return kept, [*self.constants, *none]

    def farkas(self, decided: dict[int, bool]) -> dict[str, object] | None:
        """Return the token that refutes a node, None if it holds points."""
        rows, right = self.columns(decided)
        multipliers = refutation(rows, right)
        if multipliers is None:
            return None
        scale = lcm(*(x.denominator for x in multipliers))
        whole = [int(x * scale) for x in multipliers]
        size = len(self.matrix)
        token: dict[str, object] = {"farkas": pairs(whole[:size], 0)}
        return {**token, "order": pairs(whole[size:], 1)} if any(whole[size:]) else token


def pairs(values: Sequence[int], start: int) -> list[str]:
    """Spell nonzero multipliers as index, value, index, value, ..."""
    return [text for i, value in enumerate(values, start) if value for text in (str(i), str(value))]


def refutation(rows: list[list[Fraction]], right: list[Fraction]) -> list[Fraction] | None:
    """Return w with w rows <= 0 and w right > 0, None if rows v = right has a solution v >= 0 (Bland's simplex method, phase one)."""
    count, width = len(rows), len(rows[0])
    table = []
    for i, (row, value) in enumerate(zip(rows, right, strict=True)):
        sign = -1 if value < 0 else 1
        table.append([*(sign * x for x in row), *(Fraction(sign * int(i == j)) for j in range(count)), sign * value])
    basis = list(range(width, width + count))
    costs = [sum((row[j] for row in table), Fraction(0)) for j in range(width + count + 1)]
    while (enter := next((j for j in range(width) if costs[j] > 0), None)) is not None:
        ratios = [(row[-1] / row[enter], basis[i], i) for i, row in enumerate(table) if row[enter] > 0]
        leave = min(ratios)[2]
        table[leave] = [x / table[leave][enter] for x in table[leave]]
        for i, row in enumerate(table):
            if i != leave and row[enter]:
                table[i] = [a - row[enter] * b for a, b in zip(row, table[leave], strict=True)]
        costs = [a - costs[enter] * b for a, b in zip(costs, table[leave], strict=True)]
        basis[leave] = enter
    return costs[width : width + count] if costs[-1] > 0 else None


def cycle_step(words: Words, word: Word) -> Step:
    """Return the A1 step of the one cycle that a nonsingular word closes, in exact numbers."""
    solved = solutions(*words.system(word))
    start = solved[0] if solved else []
    orbit = words.orbit(start, len(word))
    period = next(n for n in range(1, len(word) + 1) if n == len(word) or orbit[n][0] == start)
    return "exact_cycle", (), {"point": [str(x) for x in start], "period": period}


def tree_steps(network: Network, period: int, base: str, first: int, order: int | None = None, *, lazy: bool = False) -> list[Step]:
    """Return the steps of one cyclic tree, cycles before it, the first of them with this number; the tree is the last."""
    walk = Signs(words_of(network), period, base, order, lazy=lazy)
    walk.visit({})
    cycles = [cycle_step(walk.words, word) for word in walk.cited if isinstance(word, tuple)]
    cites = tuple(range(first, first + 1 + len(cycles)))
    witness: dict[str, object] = {"path": [], "nodes": walk.tokens} if order is None else {"order": order, "path": [], "nodes": walk.tokens}
    return [("cyclic_system", (), cyclic_system(network, period, base)), *cycles, ("cyclic_tree", cites, witness)]


def every_sign(network: Network, up_to: int, order: int | None = None, *, lazy: bool = False, last: bool = False) -> list[Step] | None:
    """Return the steps that count all cycles by signs, None if no base serves some period; ``last`` takes the last base that does."""
    steps: list[Step] = []
    roots = []
    for period in range(up_to // 2 + 1, up_to + 1):
        found = bases(network, period)
        if not found or not found[0]:
            return None
        steps += tree_steps(network, period, found[-1 if last else 0], len(steps) + 1, order, lazy=lazy)
        roots.append(len(steps))
    return [*steps, ("every_cycle", tuple(roots), {"up_to": up_to})]
