"""The tree of words: complete lists of cycles, whatever the number of states, borders and singular words included."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from pathlib import Path
from time import monotonic

import pytest

from proofs.arithmetic import Matrix
from proofs.claims import CycleCounts
from proofs.network import Network, Operation
from proofs.theorems.lifted import live_hinges
from verify.certification.draft import Draft
from verify.certification.factors import avoiding, minimal
from verify.loading import load_network
from verify.search.words import MAX_NODES, Word, WordChunk, WordTask, grow

FAMILIES = {"PLRNN": "plrnn", "shPLRNN": "shallow_plrnn", "clippedshPLRNN": "clipped_shallow_plrnn", "ALRNN": "alrnn"}
LOZI = (2, 1, 0, 1, 0, 4, 4, 7, 10, 12, 18, 32, 56, 78, 122, 180, 282, 439)  # at (17/10, 1/2), least period 1, 2, ...
Vector = list[Fraction]
Table = list[Vector]


def lozi(a: str, b: str) -> Network:
    model = {"model": "plrnn", "A": [[a, "1"], [b, "0"]], "W": [[str(-2 * Fraction(a)), "0"], ["0", "0"]], "h": ["1", "0"]}
    return load_network(model)


def chunks(network: Network, up_to: int, max_nodes: int = MAX_NODES, deadline: float | None = None, prefix: Word = ()) -> list[WordChunk]:
    """Return all chunks below a prefix."""
    pending, grown = [WordTask(up_to, prefix)], []
    while pending:
        grown.append(grow(network, pending.pop(), max_nodes, deadline))
        assert grown[-1].unresolved == ()
        pending += grown[-1].subtasks
    return grown


def found(grown: list[WordChunk]) -> list[Word]:
    return [word for chunk in grown for word in chunk.words]


def proved(network: Network, up_to: int, max_nodes: int = MAX_NODES) -> tuple[CycleCounts, list[WordChunk]]:
    """Return what the checker makes of all chunks; what they say of themselves must agree with it."""
    grown, width = chunks(network, up_to, max_nodes), len(live_hinges(network))
    kept = minimal({word: rows for chunk in grown for word, rows in chunk.forbidden.items()}, width)
    draft, told = Draft(network), {word: told for chunk in grown for word, told in chunk.singular}
    cites = [draft.add("forbidden_words", {"words": [[word, *rows] for word, rows in kept.items()]})[0]] if kept else []
    singular = [{"word": list(word), "told": told[word]} for word in avoiding(told, kept, width)]
    claim = draft.add("necklaces", json.loads(json.dumps({"up_to": up_to, "singular": singular})), cites)[1]
    assert isinstance(claim, CycleCounts)
    assert len(set(found(grown))) == len(found(grown))
    assert Counter(map(len, found(grown))) == counts(claim)
    assert set(claim.residual) <= {word for word, what in told.items() if what == "residual"}
    return claim, grown


def counts(claim: CycleCounts) -> dict[int, int]:
    return {n: count for n, count in enumerate(claim.counts, 1) if count}


# F(z) = A z + W1 relu(W2 z + h2) + h1, and all its words tried one by one.


class Shallow:
    """A shallow network in plain rational arithmetic."""

    def __init__(self, A: Table, W1: Table, W2: Table, h1: Vector, h2: Vector) -> None:
        self.A, self.W1, self.W2, self.h1, self.h2 = A, W1, W2, h1, h2
        self.live = [p for p in range(len(h2)) if any(row[p] for row in W1)]

    @property
    def network(self) -> Network:
        column = [[x] for x in self.h1]
        return Network(
            len(self.A),
            (
                Operation("affine", (0,), (Matrix.exact(self.W2),), Matrix.column(self.h2)),
                Operation("relu", (1,)),
                Operation("affine", (0, 2), (Matrix.exact(self.A), Matrix.exact(self.W1)), Matrix.exact(column)),
            ),
        )

    def step(self, z: Vector) -> tuple[str, Vector]:
        """Return the letter at z, over the live hinges, and F(z)."""
        a = [sum(map(Fraction.__mul__, row, z), h) for row, h in zip(self.W2, self.h2, strict=True)]
        x = [max(value, Fraction(0)) for value in a]
        image = [
            sum(map(Fraction.__mul__, row, z), h) + sum(map(Fraction.__mul__, more, x))
            for row, more, h in zip(self.A, self.W1, self.h1, strict=True)
        ]
        return "".join("1" if a[p] >= 0 else "0" for p in self.live), image

    def follows(self, z: Vector, word: Word) -> bool:
        """Say whether z returns to itself along the word."""
        state = z
        for letter in word:
            seen, state = self.step(state)
            if seen != letter:
                return False
        return state == z

    def closing(self, word: Word) -> tuple[Table, Vector]:
        """Return I - P and q."""
        size = len(self.A)
        P, q = [[Fraction(i == j) for j in range(size)] for i in range(size)], [Fraction(0)] * size
        for letter in word:
            on = {p for p, bit in zip(self.live, letter, strict=True) if bit == "1"}
            J = [[sum((self.W1[i][p] * self.W2[p][j] for p in on), self.A[i][j]) for j in range(size)] for i in range(size)]
            c = [sum((self.W1[i][p] * self.h2[p] for p in on), self.h1[i]) for i in range(size)]
            q = [sum(map(Fraction.__mul__, row, q), c[i]) for i, row in enumerate(J)]
            P = [[sum((row[k] * P[k][j] for k in range(size)), Fraction(0)) for j in range(size)] for row in J]
        return [[(i == j) - P[i][j] for j in range(size)] for i in range(size)], q


def solved(rows: Table, right: Vector) -> Vector | None:
    """Return the only solution of a square system, None where it is singular."""
    table = [[*row, value] for row, value in zip(rows, right, strict=True)]
    for column in range(len(table)):
        pivot = next((i for i in range(column, len(table)) if table[i][column]), None)
        if pivot is None:
            return None
        table[column], table[pivot] = table[pivot], table[column]
        table[column] = [value / table[column][column] for value in table[column]]
        for i, row in enumerate(table):
            if i != column and row[column]:
                table[i] = [a - row[column] * b for a, b in zip(row, table[column], strict=True)]
    return [row[-1] for row in table]


def lyndon_words(letters: list[str], size: int) -> Iterator[Word]:
    """Yield the words that are smaller than all their other rotations."""
    return (word for word in product(letters, repeat=size) if all(word < word[i:] + word[:i] for i in range(1, size)))


def compare(shallow: Shallow, up_to: int, max_nodes: int) -> tuple[int, int]:
    """Compare with all words tried one by one; return how many cycles and singular words there were."""
    claim, grown = proved(shallow.network, up_to, max_nodes)
    listed, pinned = found(grown), dict(pair for chunk in grown for pair in chunk.pinned)
    letters = ["".join(bits) for bits in product("01", repeat=len(shallow.live))]
    singular = 0
    for word in (word for size in range(1, up_to + 1) for word in lyndon_words(letters, size)):
        solution = solved(*shallow.closing(word))
        if solution is not None:
            assert (word in listed) == shallow.follows(solution, word), word
            assert word not in pinned
        else:
            singular += 1
            assert (word in listed) == (word in pinned)
            assert word not in pinned or (word not in claim.residual and shallow.follows(list(pinned[word]), word))
    return len(listed), singular


def random_shallow(rng: random.Random, hinges: int, *, whole: bool) -> Shallow:
    """Draw a network with one to three states; whole weights from -2 to 2 make borders and singular words common."""
    states = rng.randint(1, 3)

    def entry() -> Fraction:
        return Fraction(rng.randint(-2, 2)) if whole else Fraction(rng.randint(-200, 200), rng.choice([100, 64]))

    def table(rows: int, columns: int) -> Table:
        return [[entry() for _ in range(columns)] for _ in range(rows)]

    A = table(states, states) if rng.random() < 0.5 else [[entry() * (i == j) for j in range(states)] for i in range(states)]
    return Shallow(A, table(states, hinges), table(hinges, states), table(1, states)[0], table(1, hinges)[0])


def drawn(seed: int, states: int) -> Shallow:
    """Draw a network of two hinges and this many states."""
    rng = random.Random(seed)
    return next(shallow for shallow in iter(lambda: random_shallow(rng, 2, whole=False), None) if len(shallow.A) == states)


SMALL = [(1, 4), (2, 4), (3, 3), (4, 2)]  # hinges, and the longest period tried


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(("hinges", "up_to"), SMALL)
@pytest.mark.parametrize("networks", [9, pytest.param(25, marks=pytest.mark.slow)])
def test_brute_force_agrees(hinges: int, up_to: int, whole: bool, networks: int) -> None:
    rng = random.Random(1000 * hinges + whole)
    cycles = singular = 0
    for _ in range(networks):
        more, words = compare(random_shallow(rng, hinges, whole=whole), up_to, rng.choice([4, 32, MAX_NODES]))
        cycles, singular = cycles + more, singular + words
    assert cycles > 0
    assert singular > 0 or not whole


def published(shared: Path, name: str) -> tuple[Network, int, dict[int, int]]:
    systems = json.loads((shared / "cases" / "published_systems.json").read_text(encoding="utf-8"))
    case = next(item for item in systems if item["name"] == name)
    parameters = {key: value for key, value in case["parameters"].items() if key != "note"}
    model = {"model": FAMILIES[case["model"]], **parameters, **({"P": 1} if case["model"] == "ALRNN" else {})}
    wanted = {int(n): count for n, count in case["cycles_by_least_period"].items()}
    return load_network(model), case["complete_up_to_period"], wanted


QUICK = ["1-cycle_2D", "16-cycle_2D", "27-cycle_2D", "8-cycle_2D", "pl-map-chaos"]
SLOW = ["40-cycle_2D", "80-cycle_2D", "2-cycle_4-cycle_M2_H10", "2-cycle_M2_H10_clipped_val"]


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_published_systems_are_complete(shared: Path, name: str) -> None:
    network, up_to, wanted = published(shared, name)
    claim, _ = proved(network, up_to)
    assert counts(claim) == wanted
    assert claim.residual == ()


@pytest.mark.parametrize(("name", "up_to"), [("40-cycle_2D", 44), ("2-cycle_4-cycle_M2_H10", 7), ("2-cycle_M2_H10_clipped_val", 5)])
def test_their_words_are_found_without_the_checker(shared: Path, name: str, up_to: int) -> None:
    network, _, wanted = published(shared, name)
    assert Counter(map(len, found(chunks(network, up_to)))) == {n: count for n, count in wanted.items() if n <= up_to}


def test_lozi_to_eighteen() -> None:
    claim, _ = proved(lozi("17/10", "1/2"), 18)
    assert counts(claim) == {n: count for n, count in enumerate(LOZI, 1) if count}
    assert claim.residual == ()


def test_lozi_without_chaos() -> None:
    claim, _ = proved(lozi("1", "1/2"), 14)
    assert (counts(claim), claim.residual) == ({1: 2, 2: 1}, ())


@pytest.mark.parametrize(("a", "b", "letters"), [("3/2", "1/2", ("0", "1", "0", "1")), ("2", "-1", ("1", "1"))])
def test_segments_of_periodic_points_are_residual(a: str, b: str, letters: Word) -> None:
    """The segment's word returns at every multiple of its period; at (2, -1) the singular word of period 1 holds no point."""
    claim, _ = proved(lozi(a, b), 3 * len(letters))
    assert set(claim.residual) == {letters * n for n in (1, 2, 3)}


def test_a_full_tent_has_a_cycle_for_every_lyndon_word() -> None:
    """At b = 0 all borders are parallel and all matrices singular; 1 - 2|x| has 2^n points that return after n steps, 0 not among them."""
    claim, _ = proved(lozi("2", "0"), 8)
    assert counts(claim) == {n: sum(1 for _ in lyndon_words(["0", "1"], n)) for n in range(1, 9)}


def test_the_rotation_by_a_sixth_is_all_residual() -> None:
    """F(x, y) = (x - y, x) has no hinge at all and F^6 is the identity."""
    model = {"model": "plrnn", "A": [[1, -1], [1, 0]], "W": [[0, 0], [0, 0]], "h": [0, 0]}
    claim, grown = proved(load_network(model), 7)
    assert (counts(claim), claim.residual) == ({1: 1}, (("",) * 6,))
    assert [chunk.nodes for chunk in grown] == [6]


def test_a_singular_word_may_hold_one_point() -> None:
    """On the line of points that return, F = z + (relu(-x) + relu(x), 0) moves all but x = 0, where two half-open regions meet."""
    one, two = Fraction(1), Fraction(2)
    shallow = Shallow(
        [[one, 0 * one], [0 * one, two]], [[one, one], [0 * one, 0 * one]], [[one, 0 * one], [-one, 0 * one]], [0 * one] * 2, [0 * one] * 2
    )
    claim, grown = proved(shallow.network, 2)
    assert (counts(claim), claim.residual) == ({1: 1}, ())
    zero = Fraction(0)
    assert [chunk.pinned for chunk in grown] == [((("11",), (zero, zero)),)]


@pytest.mark.parametrize("seed", range(6))
def test_a_hinge_behind_a_hinge_changes_nothing(seed: int) -> None:
    """As relu(relu(a)) = relu(a), a second layer of hinges adds letters, constant rows and borders, but no cycle."""
    shallow = random_shallow(random.Random(seed), 2, whole=seed % 2 == 0)
    first, relu, last = shallow.network.program
    copy = Operation("affine", (2,), (Matrix.identity(2),), Matrix.column([Fraction(0)] * 2))
    deep = Network(
        shallow.network.dimension, (first, relu, copy, Operation("relu", (3,)), Operation("affine", (0, 4), last.matrices, last.bias))
    )
    one, two = proved(shallow.network, 4)[0], proved(deep, 4)[0]
    assert one.residual or two.residual or counts(one) == counts(two)


@pytest.mark.parametrize("states", [2, 3])
@pytest.mark.parametrize("max_nodes", [1, 7, 100])
def test_chunks_of_any_size_say_the_same(states: int, max_nodes: int) -> None:
    shallow = drawn(states, states)
    whole, single = proved(shallow.network, 6)
    claim, grown = proved(shallow.network, 6, max_nodes)
    assert (counts(claim), claim.residual) == (counts(whole), whole.residual)
    assert len(single) == 1 < len(grown)
    assert len({chunk.task for chunk in grown}) == len(grown)


def test_a_task_starts_at_its_prefix() -> None:
    network = lozi("17/10", "1/2")
    whole = found(chunks(network, 12))
    for prefix in (("0", "0"), ("0", "1", "1"), ("1", "1")):
        assert found(chunks(network, 12, prefix=prefix)) == [word for word in whole if word[: len(prefix)] == prefix]


@pytest.mark.parametrize("states", [2, 3])
def test_after_the_deadline_a_chunk_takes_one_step(states: int) -> None:
    network = lozi("17/10", "1/2") if states == 2 else drawn(12, states).network
    chunk = grow(network, WordTask(5, ()), deadline=monotonic() - 1)
    assert 0 < len(chunk.subtasks) <= chunk.nodes < 12
    assert set(found(chunks(network, 5, deadline=monotonic() - 1))) == set(found(chunks(network, 5)))


def test_progress_is_told() -> None:
    heard: list[tuple[str, int, int]] = []
    chunk = grow(lozi("17/10", "1/2"), WordTask(10, ()), progress=lambda *told: heard.append(told))
    assert heard[-1] == ("nodes", chunk.nodes, MAX_NODES)


def test_weights_beyond_float64() -> None:
    """1 / 2147483647 has no value modulo the prime of the compiled walk, 10^400 none in float64, 10^-400 becomes 0 there."""
    for scale in (Fraction(1, 2147483647), Fraction(10**400), Fraction(1, 10**400)):
        A = [[Fraction(1, 2), scale], [Fraction(0), Fraction(1, 2)]]
        shallow = Shallow(A, [[Fraction(-1)], [Fraction(0)]], [[Fraction(1), Fraction(0)]], [Fraction(1), Fraction(0)], [Fraction(0)])
        compare(shallow, 3, MAX_NODES)
