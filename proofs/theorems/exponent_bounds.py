"""D1 ``exponent_bounds``. Bounds for the largest Lyapunov exponent of every orbit, by quadratic forms on words.

Statement   for every orbit of F (of F in the region K of the cited words) and every choice of sides where it touches a border:
            liminf (1/t) log |J_(t-1)..J_0| >= log c, and limsup (1/t) log |J_(t-1)..J_0| <= log C.
Cites       optionally forbidden_words; of these, the ones that are excluded with closed regions count.
Witness     memory n; lower and upper, at least one: rate and forms, [word, rows of a symmetric matrix] for each node; bits.
            Nodes are words of n letters (bits of live hinges) that occur in an edge; edges are all words of n + 1 letters without a
            forbidden one, from their first n letters i to their last n letters j, with J the Jacobian of their first letter.
Checks      1  piecewise linear; at most 2^16 edges; a form for exactly the nodes; rates positive
            2  lower: J'S_j J - c^2 S_i positive definite on every edge, and every S_i has a positive pivot
            3  upper: every Q_i positive definite, C^2 Q_i - J'Q_j J positive definite on every edge
Fails when  the memory is too short, or the rate beyond what some orbit has.
Rests on    v'S v grows at least like c^2t along the orbit of a vector on which it is positive; likewise from above (a common Lyapunov
            function over a graph; for expanding cones see Glendinning, Simpson 2021).
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

from proofs.arithmetic import Matrix
from proofs.errors import Malformed
from proofs.inertia import is_positive_definite, pivot_signs
from proofs.reader import read_list, read_matrix
from proofs.space import ExponentBounds
from proofs.theorems.automaton import Avoider
from proofs.theorems.lifted import full_pattern, live_hinges
from proofs.theorems.parts import ForbiddenWords

if TYPE_CHECKING:
    from proofs.theorems.card import Application

MAX_MEMORY = 256
MAX_WIDTH = 12
MAX_EDGES = 2**16
MAX_VISITED = 2**20
MAX_STATES = 256


def check(step: Application) -> ExponentBounds:
    """Verify one application; see the card above."""
    step.require(1, step.network.is_piecewise_linear, "a program of affine, relu and add", "a smooth operation")
    step.require(1, step.network.dimension <= MAX_STATES, f"at most {MAX_STATES} states", step.network.dimension)
    words = step.cite(ForbiddenWords) if step.citations_left else ForbiddenWords(frozenset())
    memory, bits = step.witness.integer("memory", 1, MAX_MEMORY), step.needed_bits()
    graph = Graph(step, words.closed, memory)
    step.require_work(1, 2 * step.network.dimension**3 * (len(graph.edges) + len(graph.nodes)), bits)
    step.require(1, step.witness.has("lower") or step.witness.has("upper"), "a lower or an upper bound", "neither")
    lower = _lower(step, graph, bits) if step.witness.has("lower") else None
    upper = _upper(step, graph, bits) if step.witness.has("upper") else None
    return ExponentBounds(lower, upper, words.inside)


class Graph:
    """All words of memory + 1 letters without a forbidden word, as edges between words of memory letters."""

    def __init__(self, step: Application, forbidden: frozenset[str], memory: int) -> None:
        """Enumerate the words. **Raises:** Rejected beyond 2^16 edges."""
        live = live_hinges(step.network)
        self.width = len(live)
        self._length = memory * self.width
        step.require(1, self.width <= MAX_WIDTH, f"at most {MAX_WIDTH} live hinges", self.width)
        letters = ["".join(bits) for bits in product("01", repeat=self.width)]
        step.require_work(1, len(letters) * step.network.products, None)
        self._jacobians = {letter: step.network.piece(full_pattern(live, letter, step.network.hinges)).jacobian for letter in letters}
        avoider = Avoider(forbidden, self.width)
        layer, visited = [("", avoider.start)], 0
        for _ in range(memory + 1):
            visited += len(layer) * len(letters)
            step.require(1, visited <= MAX_VISITED, f"at most {MAX_VISITED} words visited", visited, "a shorter memory")
            further = ((word, letter, avoider.letter(state, letter)) for word, state in layer for letter in letters)
            layer = [(word + letter, state) for word, letter, state in further if state is not None]
            step.require(1, 0 < len(layer) <= MAX_EDGES, f"from 1 to {MAX_EDGES} words of each length", len(layer), "a shorter memory")
        self.edges = [word for word, _ in layer]

    @property
    def nodes(self) -> set[str]:
        """Return the words at the ends of the edges."""
        return {end for word in self.edges for end in self.ends(word)}

    def ends(self, word: str) -> tuple[str, str]:
        """Return the nodes that an edge leads from and to."""
        return word[: self._length], word[self.width :]

    def jacobian(self, word: str) -> Matrix:
        """Return the Jacobian of the first letter of an edge."""
        return self._jacobians[word[: self.width]]


def _lower(step: Application, graph: Graph, bits: int) -> Fraction:
    rate, forms = _forms(step, "lower", graph)
    for word, form in forms.items():
        step.require(2, 1 in pivot_signs(form, bits), f"a form with a positive direction at {word or '(empty)'}", "no positive pivot")
    for word in graph.edges:
        here, there = graph.ends(word)
        jacobian = graph.jacobian(word)
        growth = jacobian.transposed() @ forms[there] @ jacobian - forms[here].times(rate * rate)
        step.require(2, is_positive_definite(growth, bits), f"J'SJ - c^2 S positive definite on {word or '(empty)'}", "not proved")
    return rate


def _upper(step: Application, graph: Graph, bits: int) -> Fraction:
    rate, forms = _forms(step, "upper", graph)
    for word, form in forms.items():
        step.require(3, is_positive_definite(form, bits), f"a positive definite form at {word or '(empty)'}", "not proved")
    for word in graph.edges:
        here, there = graph.ends(word)
        jacobian = graph.jacobian(word)
        decay = forms[here].times(rate * rate) - jacobian.transposed() @ forms[there] @ jacobian
        step.require(3, is_positive_definite(decay, bits), f"C^2 Q - J'QJ positive definite on {word or '(empty)'}", "not proved")
    return rate


def _forms(step: Application, name: str, graph: Graph) -> tuple[Fraction, dict[str, Matrix]]:
    fields = step.witness.part(name)
    rate, size = fields.number("rate"), step.network.dimension
    step.require(1, rate > 0, "a positive rate", rate)
    forms: dict[str, Matrix] = {}
    for i, entry in enumerate(fields.items("forms")):
        where = f"{fields.where}, field forms[{i}]"
        word, rows = _pair(entry, where)
        form = read_matrix(rows, (size, size), where)
        step.require(1, form.is_exact and form.mid == form.transposed().mid, f"a symmetric form without radii at {word}", "another matrix")
        step.require(1, word not in forms, ("one form at", word), "two")
        forms[word] = form
    fields.close()
    step.require(1, set(forms) == graph.nodes, f"forms for the {len(graph.nodes)} nodes, and no others", f"{len(forms)} forms")
    return rate, forms


def _pair(entry: object, where: str) -> tuple[str, object]:
    pair = read_list(entry, where)
    if len(pair) != 2 or not isinstance(pair[0], str):  # noqa: PLR2004 - a word and its form
        raise Malformed(where=where, law="exponent bounds", expected="a word and the rows of its form", got=str(entry)[:200])
    return pair[0], pair[1]
