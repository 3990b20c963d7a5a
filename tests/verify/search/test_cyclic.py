"""Trees over the signs of one round: every periodic point, none twice, and each leaf as the checker wants it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from proofs.arithmetic import Matrix
from proofs.errors import Rejected
from proofs.grammar import write_number
from proofs.network import Network, Operation
from proofs.theorems.lifted import full_pattern, live_hinges
from proofs.theorems.parts import CyclicPart, CyclicSystem
from tests.known.tiny import tiny_network
from verify.certification.draft import Draft
from verify.loading import load_network
from verify.numerics.balls import SingularError, solve
from verify.numerics.linear_systems import Farkas, Row, settle
from verify.search.cyclic import CyclicChunk, CyclicTask, Word, grow, plan

FAMILIES = {"PLRNN": "plrnn", "shPLRNN": "shallow_plrnn", "clippedshPLRNN": "clipped_shallow_plrnn", "ALRNN": "alrnn"}
MOST_BITS = 8
Point = tuple[Fraction, ...]


# All words, one by one


def rounds(network: Network, word: Word) -> tuple[Matrix, Matrix, list[list[Fraction]]]:
    """Return F^k along a word, P z + q, and what must be >= 0 for z to follow it: rows of coefficients and a constant."""
    live, size = live_hinges(network), network.dimension
    product_, offset = Matrix.identity(size), Matrix.column([Fraction(0)] * size)
    rows: list[list[Fraction]] = []
    for letter in word:
        piece = network.piece(full_pattern(live, letter, network.hinges))
        gates, constants = piece.gates @ product_, piece.gates @ offset + piece.gate_offsets
        for bit, hinge in zip(letter, live, strict=True):
            row = [*(gates.middle(hinge, i) for i in range(size)), constants.middle(hinge)]
            rows.append(row if bit == "1" else [-value for value in row])
        product_, offset = piece.jacobian @ product_, piece.image(offset)
    return product_, offset, rows


def closed_point(network: Network, word: Word) -> Point:
    """Return the only z that the word's affine map fixes. **Raises:** SingularError."""
    P, q, _ = rounds(network, word)
    z = solve(Matrix.identity(network.dimension) - P, q)
    return tuple(z.middle(i) for i in range(network.dimension))


def is_inhabited(network: Network, word: Word) -> bool:
    """Say whether some z is fixed along the word, exactly."""
    P, q, rows = rounds(network, word)
    size = network.dimension
    closing = [[P.middle(i, j) - (i == j) for j in range(size)] + [q.middle(i)] for i in range(size)]
    rows = rows + closing + [[-value for value in row] for row in closing]
    return not isinstance(settle([Row(Matrix.exact([row]).mid[0], strict=False) for row in rows], size), Farkas)


def every_point(network: Network, period: int) -> tuple[set[Point], set[Word]]:
    """Return all isolated solutions of F^k(z) = z, and the singular words that hold some."""
    points: set[Point] = set()
    singular: set[Word] = set()
    letters = ["".join(bits) for bits in product("01", repeat=len(live_hinges(network)))]
    for word in product(letters, repeat=period):
        try:
            z = closed_point(network, word)
        except SingularError:
            if is_inhabited(network, word):
                singular.add(min(rotations(word)))
            continue
        if all(sum(map(Fraction.__mul__, row, z), row[-1]) >= 0 for row in rounds(network, word)[2]):
            points.add(z)
    return points, singular


def rotations(word: Word) -> list[Word]:
    return [word[turn:] + word[:turn] for turn in range(len(word))]


# Whole trees, checked by the kernel


def orbit(network: Network, z: Point) -> list[Point]:
    """Return the cycle through a periodic point."""
    points, state = [z], network.image(Matrix.column(z))
    while (point := tuple(state.middle(i) for i in range(len(z)))) != z:
        points.append(point)
        state = network.image(state)
    return points


class Proof:
    """All chunks below a task, each accepted by the kernel as a step; the cycles are cited as exact ones."""

    def __init__(self, network: Network, period: int, max_nodes: int = 10_000, *, exact: bool | None = None) -> None:
        self.network, self.max_nodes = network, max_nodes
        self.plan = plan(network, period, exact=exact)
        self.draft = Draft(network)
        self.first, system = self.draft.add("cyclic_system", self.plan.witness)
        assert isinstance(system, CyclicSystem)
        assert system == self.plan.system
        self.system = system
        self.cycles: dict[frozenset[Point], int] = {}
        self.chunks: list[CyclicChunk] = []
        part = self.draft.facts[self.proved(self.plan.task) - 1]
        assert isinstance(part, CyclicPart)
        self.part = part

    @property
    def points(self) -> set[Point]:
        return set().union(*self.cycles)

    def proved(self, task: CyclicTask) -> int:
        """Return the step that proves a task."""
        chunk = grow(self.network, self.system, task, self.max_nodes)
        self.chunks.append(chunk)
        assert chunk.unresolved == ()
        assert [chunk.tokens.count(kind) for kind in ("part", "cycle")] == [len(chunk.subtasks), len(chunk.words)]
        parts, words = map(self.proved, chunk.subtasks), map(self.cited, chunk.words)
        cited = {"part": parts, "cycle": words}
        cites = [next(cited[told]) for told in chunk.tokens if isinstance(told, str) and told in cited]
        order = {} if task.order is None else {"order": task.order}
        witness = json.loads(json.dumps({**order, "path": task.path, "nodes": chunk.tokens}))
        return self.draft.add("cyclic_tree", witness, [self.first, *cites])[0]

    def cited(self, word: Word) -> int:
        """Return the step of the cycle that a word holds."""
        points = orbit(self.network, closed_point(self.network, word))
        key = frozenset(points)
        if key not in self.cycles:
            witness: dict[str, object] = {"point": list(map(write_number, points[0])), "period": len(points)}
            self.cycles[key], _ = self.draft.add("exact_cycle", witness)
        return self.cycles[key]


@pytest.mark.parametrize("seed", range(40))
def test_tiny_networks_against_all_words(seed: int) -> None:
    rng = random.Random(seed)
    network, period = tiny_network(rng, 3, 3), rng.randint(1, 4)
    width = len(live_hinges(network))
    if not width:
        return
    period = max(1, min(period, MOST_BITS // width))
    try:
        proof = Proof(network, period, max_nodes=3 if seed % 3 == 0 else 10_000)
    except SingularError:
        return  # every base pattern has a root of unity among its eigenvalues
    points, singular = every_point(network, period)
    assert proof.points == points
    assert proof.part.residual == singular


def dense(size: int, seed: int) -> Network:
    """Draw a PLRNN that stretches in nearly every region."""
    rng = np.random.default_rng(seed)
    weights = 6 * rng.standard_normal((size, size)) / np.sqrt(size)
    arrays = {"A": rng.uniform(-0.5, 0.9, size).tolist(), "W": weights.tolist(), "h": rng.standard_normal(size).tolist()}
    return load_network({"model": "plrnn", **arrays})


def alrnn(states: int, rectified: int, seed: int) -> Network:
    rng = np.random.default_rng(seed)
    weights = rng.standard_normal((states, states)) / np.sqrt(states)
    arrays = {"A": rng.uniform(-0.5, 0.9, states).tolist(), "W": weights.tolist(), "h": rng.standard_normal(states).tolist()}
    return load_network({"model": "alrnn", **arrays, "P": rectified})


def low_rank(hidden: int, seed: int) -> Network:
    rng = np.random.default_rng(seed)
    arrays = {
        "m": (6 * rng.standard_normal((2, hidden)) / hidden).tolist(),
        "n": rng.standard_normal((hidden, 2)).tolist(),
        "b": rng.standard_normal(hidden).tolist(),
    }
    return load_network({"model": "low_rank", **arrays, "a": 0.9})


@pytest.mark.parametrize("seed", range(2))
def test_dense_networks_against_all_words(seed: int) -> None:
    network = dense(3, seed)
    for period in (1, 2, 3):
        assert Proof(network, period).points == every_point(network, period)[0]


@pytest.mark.parametrize(
    ("network", "period", "is_exact"),
    [
        (dense(5, 0), 4, True),  # gates that give the state: exact
        (dense(10, 1), 2, True),
        (dense(40, 0), 1, False),  # long numbers: enclosed
        (alrnn(30, 10, 0), 3, False),
        (low_rank(24, 1), 1, True),
        (low_rank(6, 2), 3, True),
    ],
    ids=["dense-5", "dense-10", "dense-40", "alrnn", "low-rank", "low-rank-cycles"],
)
def test_larger_networks(network: Network, period: int, *, is_exact: bool) -> None:
    proof = Proof(network, period)
    assert (proof.system.radius == 0) is is_exact
    points = {tuple(map(float, z)) for z in proof.points}
    for z in points:
        state = Matrix.column([Fraction(x) for x in z])
        for _ in range(period):
            state = network.image(state)
        assert [float(state.middle(i)) for i in range(len(z))] == pytest.approx(z, rel=1e-6, abs=1e-6)


def test_a_published_system_of_ten_states(shared: Path) -> None:
    systems = json.loads((shared / "cases" / "published_systems.json").read_text(encoding="utf-8"))
    case = next(item for item in systems if item["name"] == "10-cycle_10D")
    network = load_network({"model": FAMILIES[case["model"]], **case["parameters"]})
    for period in (1, 2):
        proof = Proof(network, period, max_nodes=200)
        assert sorted(map(len, proof.cycles)) == [1, 1, 1]
        multipliers = [value for chunk in proof.chunks for told in chunk.tokens if isinstance(told, dict) for value in told["farkas"]]
        assert max(len(str(value)) for value in multipliers) < 60


def test_a_trained_network(shared: Path) -> None:
    pytest.importorskip("torch")
    network = load_network(shared / "cases/models/lorenz_m20_p2.pt", model="alrnn", P=2)
    chosen = plan(network, 9)
    assert chosen.system.radius << 60 < chosen.system.scale
    chunk = grow(network, chosen.system, chosen.task)
    assert sorted(chunk.words) == [(letter,) * 9 for letter in ("00", "01", "10", "11")]
    assert (chunk.subtasks, chunk.unresolved) == ((), ())


# Chunks


def leaves(network: Network, system: CyclicSystem, task: CyclicTask, max_nodes: int) -> Iterator[object]:
    """Yield the tokens of a whole tree in preorder, however it is cut."""
    chunk = grow(network, system, task, max_nodes)
    parts = iter(chunk.subtasks)
    for told in chunk.tokens:
        if told == "part":
            yield from leaves(network, system, next(parts), max_nodes)
        else:
            yield told


@pytest.mark.parametrize("max_nodes", [1, 2, 7, 20])
def test_a_tree_cut_into_chunks_is_as_good_as_a_whole_one(max_nodes: int) -> None:
    network = dense(3, 1)
    whole, cut = Proof(network, 4), Proof(network, 4, max_nodes)
    assert len(whole.chunks) == 1
    assert len(cut.chunks) > 1
    assert cut.points == whole.points
    assert all(chunk.nodes <= 2 * max_nodes for chunk in cut.chunks)
    assert sum(chunk.nodes for chunk in whole.chunks) == len(whole.chunks[0].tokens)


def test_a_tree_is_as_good_without_tableaux_to_start_from(monkeypatch: pytest.MonkeyPatch) -> None:
    network = dense(3, 1)
    points = Proof(network, 3).points
    monkeypatch.setattr("verify.search.cyclic.HEAVY", 0)
    assert Proof(network, 3).points == points


def test_growing_is_repeatable() -> None:
    network = dense(4, 2)
    chosen = plan(network, 3)
    assert list(leaves(network, chosen.system, chosen.task, 40)) == list(leaves(network, chosen.system, chosen.task, 40))


def test_a_deadline_leaves_tasks() -> None:
    network = dense(5, 0)
    chosen = plan(network, 3)
    chunk = grow(network, chosen.system, chosen.task, deadline=monotonic() - 1)
    assert chunk.nodes == 1
    assert chunk.tokens[1:] == ("part", "part")
    index = chunk.tokens[0]
    assert isinstance(index, int)
    assert [task.path for task in chunk.subtasks] == [(index + 1,), (-index - 1,)]


# Plans


def affine_network(A: list[list[int]], W1: list[list[int]], W2: list[list[int]], bias: list[int]) -> Network:
    """Make z' = A z + W1 relu(W2 z) + bias."""
    first = Operation("affine", (0,), (matrix(W2),), Matrix.column([Fraction(0)] * len(W2)))
    last = Operation("affine", (0, 2), (matrix(A), matrix(W1)), Matrix.column(list(map(Fraction, bias))))
    return Network(len(A), (first, Operation("relu", (1,)), last))


def matrix(rows: list[list[int]]) -> Matrix:
    return Matrix.exact([list(map(Fraction, row)) for row in rows])


def test_another_base_where_the_first_is_singular() -> None:
    network = affine_network([[1]], [[-3]], [[1]], [1])  # slopes 1 | -2
    chosen = plan(network, 1)
    assert chosen.task == CyclicTask(1, "1", None, ())
    assert Proof(network, 2).points == {(Fraction(1, 3),), (Fraction(-1, 3),), (Fraction(2, 3),)}


def test_no_base_at_all() -> None:
    network = affine_network([[1, 0], [0, 1]], [[1], [0]], [[1, 0]], [1, 0])  # the second state never changes
    with pytest.raises(SingularError):
        plan(network, 2)


def test_networks_without_live_hinges_are_refused() -> None:
    network = affine_network([[2]], [[0]], [[1]], [1])
    with pytest.raises(Rejected, match="live hinges"):
        plan(network, 1)


def test_long_systems_are_enclosed_short_ones_exact() -> None:
    network = dense(3, 0)
    assert plan(network, 2).system.radius == 0
    enclosed = plan(network, 2, exact=False)
    assert 0 < enclosed.system.radius << 60 < enclosed.system.scale
    assert "bits" in enclosed.witness
    assert plan(alrnn(30, 10, 0), 1, exact=True).system.radius == 0


def test_the_trial_searches_choose_a_hinge() -> None:
    network = dense(5, 0)
    assert plan(network, 4, pilot=False).task.order == 0
    sizes = {}
    for order in range(5):
        chosen = plan(network, 4, pilot=False)
        sizes[order] = grow(network, chosen.system, CyclicTask(4, chosen.task.base, order, ())).nodes
    best = plan(network, 4).task.order
    assert best is not None
    assert sizes[best] == min(sizes.values())


def grazing(distance: Fraction) -> Network:
    """Make 2 z/5 + relu(z - d)/4 + relu(z + 1)/8 - 1/8: 0 is a fixed point, d away from a border; beyond it another would be near."""
    arrays = {"A": ["2/5"], "W1": [["1/4", "1/8"]], "W2": [[1], [1]], "h1": ["-1/8"], "h2": [str(-distance), 1]}
    return load_network({"model": "shallow_plrnn", **arrays})


@pytest.mark.parametrize("exact", [True, False])
def test_a_point_beside_a_border_is_told_from_one_beyond_it(*, exact: bool) -> None:
    proof = Proof(grazing(Fraction(1, 2**40)), 1, exact=exact)
    assert proof.points == {(Fraction(0),)}
    assert proof.chunks[0].words == (("01",),)


def test_what_an_enclosed_system_cannot_tell_is_unresolved() -> None:
    network = grazing(Fraction(1, 2**90))
    assert Proof(network, 1, exact=True).points == {(Fraction(0),)}
    enclosed = plan(network, 1, exact=False)
    chunk = grow(network, enclosed.system, enclosed.task)
    assert chunk.words == (("01",),)
    assert chunk.unresolved == (((2, 1), "a word that misses its region by too little"),)


def test_a_segment_of_periodic_points_needs_exact_entries() -> None:
    """Lozi's map at (3/2, 1/2): points of period four fill a segment."""
    model = {"model": "plrnn", "A": [["3/2", 1], ["1/2", 0]], "W": [[-3, 0], [0, 0]], "h": [1, 0]}
    network = load_network(model)
    proof = Proof(network, 4)
    assert proof.part.residual == {("0", "1", "0", "1")}
    assert sorted(map(len, proof.cycles)) == [1, 1, 4]
    enclosed = plan(network, 4, exact=False)
    chunk = grow(network, enclosed.system, enclosed.task)
    assert [reason for _, reason in chunk.unresolved] == ["a singular word in an enclosed system"]
