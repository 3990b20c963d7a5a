# mypy: disable-error-code="no-any-return"
"""The cards about trees over signs and about one point (A4, A5), checked naively: by definitions where the kernel uses a criterion."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations

from tests.second import boxes
from tests.second.cards import Step
from tests.second.cycles import orbit_along
from tests.second.lcp import refutes, system
from tests.second.necklaces import exact_words
from tests.second.nets import read_matrix
from tests.second.text import Json, integer, items, need, number, string, table
from tests.second.words import Words

MOST_PERIOD = 4096
MOST_MINORS = 12


def cyclic_system(step: Step) -> dict:
    """A4, the linear complementarity problem, always exact here."""
    words, fields = exact_words(step), step.fields("period base inverse", "bits")
    bits, period, base = step.bits(), integer(fields["period"], 1, 100_000), string(fields["base"])
    need(1 <= period * len(words.live) <= 1024 and len(base) == len(words.live) and not set(base) - {"0", "1"}, "a base")
    inverse = read_matrix(fields["inverse"], step.net.dimension, step.net.dimension)
    need(boxes.is_exact(inverse), "an inverse without radius")
    rows = [[boxes.point(x) for x in row] for row in words.system((base,) * period)[0]]
    error = boxes.norm(boxes.minus(boxes.eye(len(rows)), boxes.times(inverse, rows)))
    need(error < 1 if bits else error == 0, "no inverse")
    matrix, constants = system(words, period, base)
    deaf = not any(x for hinge in words.live for x in words.free[1][hinge][: step.net.dimension])  # no inverse enters M
    sharp = error == 0 or deaf
    return {"claim": "cyclic_system", "period": period, "base": base, "matrix": matrix, "constants": constants, "sharp": sharp}


def cyclic_tree(step: Step) -> dict:
    """A4 by signs."""
    fact, fields = step.cite("cyclic_system"), step.fields("path nodes", "order")
    order = integer(fields["order"], 0, len(fact["base"]) - 1) if "order" in fields else None
    size = len(fact["matrix"])
    path = [integer(i, -size, size) for i in items(fields["path"])]
    need(0 not in path and len({abs(i) for i in path}) == len(path), "a path")
    walk = Signs(step, fact, order, items(fields["nodes"])[::-1])
    walk.visit({abs(i) - 1: i > 0 for i in path})
    need(walk.tokens == [], "a token is left over")
    shape = {"period": fact["period"], "order": order, "path": frozenset(path)}
    return {"claim": "cyclic_part", **shape, "cycles": walk.cycles, "residual": walk.residual}


@dataclass
class Signs:
    """The walk over signs."""

    step: Step
    fact: dict
    order: int | None
    tokens: list
    cycles: set = field(default_factory=set)
    residual: set = field(default_factory=set)

    def visit(self, decided: dict) -> None:
        """Visit one node and what is below it."""
        need(len(self.tokens) > 0, "a token is missing")
        told = self.tokens.pop()
        if isinstance(told, int):
            unit = integer(told, 0, len(self.fact["matrix"]) - 1)
            need(unit not in decided, "a branch on a decided index")
            self.visit({**decided, unit: True})
            self.visit({**decided, unit: False})
        elif isinstance(told, dict):
            need({"farkas"} <= set(told) <= {"farkas", "order"}, "a farkas object")
            self.farkas(decided, pairs(told["farkas"]), pairs(told.get("order", [])))
        elif told == "cycle":
            self.cycle(self.word(decided))
        elif told == "residual":
            word = self.word(decided)
            need(boxes.solve(*Words(self.step.net).system(word)) is None, "a singular word")
            self.residual.add(min(word[i:] + word[:i] for i in range(len(word))))
        else:
            need(told == "part", "an unknown token")
            part = self.step.cite("cyclic_part")
            here = frozenset(unit + 1 if positive else -unit - 1 for unit, positive in decided.items())
            need((part["period"], part["order"], part["path"]) == (self.fact["period"], self.order, here), "another part")
            self.cycles |= part["cycles"]
            self.residual |= part["residual"]

    def farkas(self, decided: dict, weights: dict, turns: dict) -> None:
        """Check a refutation."""
        need(all(0 <= i < len(self.fact["matrix"]) for i in weights) and all(0 <= t < self.fact["period"] for t in turns), "an index")
        need(not turns or (self.order is not None and all(s >= 0 for s in turns.values())), "an order")
        matrix, constants = self.fact["matrix"], self.fact["constants"]
        need(refutes(matrix, constants, self.fact["base"], self.order, decided, weights, turns), "no refutation")

    def word(self, decided: dict) -> tuple:
        """Return the word of a node at which all is decided."""
        size, width = len(self.fact["matrix"]), len(self.fact["base"])
        need(len(decided) == size, "an undecided index")
        letters = "".join(str(int(decided[i])) for i in range(size))
        return tuple(letters[i : i + width] for i in range(0, size, width))

    def cycle(self, word: tuple) -> None:
        """Compare the one solution of the word with the cited cycle, point by point."""
        words, orbit = Words(self.step.net), exact_orbit(self.step)
        solved = boxes.solve(*words.system(word))
        need(solved is not None and solved in orbit, "not the only solution of this word")
        turn = orbit.index(solved or [])
        there = words.orbit(orbit[turn], len(word))
        signed = all(
            x >= 0 if bit == "1" else x <= 0 for (_, xs), letter in zip(there, word, strict=True) for x, bit in zip(xs, letter, strict=True)
        )
        need(signed and len(word) % len(orbit) == 0, "a cycle that does not follow the word")
        self.cycles.add(frozenset(map(tuple, orbit)))


def pairs(content: Json) -> dict:
    """Read index, integer, index, integer, ..., integers bare or spelled."""
    found = [Fraction(item) if isinstance(item, int) and not isinstance(item, bool) else number(item) for item in items(content)]
    need(len(found) % 2 == 0 and all(x.denominator == 1 for x in found) and len(set(found[::2])) * 2 == len(found), "pairs")
    return {int(i): x for i, x in zip(found[::2], found[1::2], strict=True)}


def exact_orbit(step: Step) -> list:
    """Return the exact points of a cited cycle."""
    fact = step.cite("cycle", "exact_cycle")
    if fact["claim"] == "exact_cycle":
        return table(fact["points"])
    orbit = orbit_along(step.net, fact["itinerary"])
    need(orbit is not None, "a singular itinerary")
    return orbit or []


def every_cycle(step: Step) -> dict:
    """A4, the end: the cycles counted, told apart by their exact points."""
    up_to = integer(step.fields("up_to")["up_to"], 1, MOST_PERIOD)
    cycles: set = set()
    residual: set = set()
    for period in range(up_to // 2 + 1, up_to + 1):
        fact = step.cite("cyclic_part", "one_point")
        need(fact["period"] == period and not fact.get("path"), "not the whole tree")
        if fact["claim"] == "one_point":
            orbit = exact_orbit(step)
            need(period % len(orbit) == 0, "a period that does not divide")
            cycles.add(frozenset(map(tuple, orbit)))
        else:
            cycles |= fact["cycles"]
            residual |= fact["residual"]
    while step.cited:
        orbit = exact_orbit(step)
        need(len(orbit) <= up_to, "a period that is too long")
        cycles.add(frozenset(map(tuple, orbit)))
    counts = Counter(map(len, cycles))
    named = [list(word) for word in sorted(residual, key=lambda word: (len(word), word))]
    return {"claim": "cycle_counts", "up_to": up_to, "counts": [counts[n] for n in range(1, up_to + 1)], "residual": named}


def unique_for_every_bias(step: Step) -> dict:
    """A5."""
    fact, fields = step.cite("cyclic_system"), step.fields("", "scaling")
    matrix = fact["matrix"]
    if "scaling" in fields:
        scaling = [number(x) for x in items(fields["scaling"])]
        need(len(scaling) == len(matrix) and all(d > 0 for d in scaling), "a positive scaling")
        form = [
            [d * row[j] + scaling[j] * matrix[j][i] for j in range(len(matrix))]
            for i, (d, row) in enumerate(zip(scaling, matrix, strict=True))
        ]
        need(all(boxes.det([row[:n] for row in form[:n]]) > 0 for n in range(1, len(form) + 1)), "D M + M' D is not positive definite")
    else:
        need(fact["sharp"] and len(matrix) <= MOST_MINORS, "at most 12 unknowns, exact")
        for size in range(1, len(matrix) + 1):
            for chosen in combinations(range(len(matrix)), size):
                need(boxes.det([[matrix[i][j] for j in chosen] for i in chosen]) > Fraction(0), "a principal minor")
    return {"claim": "one_point", "period": fact["period"]}


CARDS = {card.__name__: card for card in (cyclic_system, cyclic_tree, every_cycle, unique_for_every_bias)}
