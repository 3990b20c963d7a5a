"""Leaves of trees: what the kernel takes for a contradiction is one, by elimination of all unknowns; words and forms are what they say."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import combinations, product

from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.arithmetic import Matrix
from proofs.network import Network
from proofs.theorems.automaton import Avoider, State
from proofs.theorems.cyclic_tree import refutes
from proofs.theorems.elimination import MODULUS, dependency, is_singular_modulo, solve
from proofs.theorems.lifted import full_pattern, lifted, live_hinges, live_letters
from proofs.theorems.parts import CyclicSystem, ForbiddenWords
from proofs.theorems.unique_for_every_bias import _is_p_matrix
from proofs.theorems.word_path import WordPath, Words, excludes, excludes_closed, tight_solution
from tests.known.tiny import tiny_network
from tests.proofs.trees import Signs, every_word, words_of
from tests.proofs.workbench import facts
from tests.second import boxes
from tests.second.polyhedra import dependencies, dot, sample, solutions

SMALL = st.integers(-3, 3)
SEEDS = st.integers(0, 10**6)


def tables(rows: int, columns: int) -> st.SearchStrategy[list[list[int]]]:
    """Return a strategy for tables of small integers of at most this shape."""
    shapes = st.tuples(st.integers(1, rows), st.integers(1, columns))
    return shapes.flatmap(
        lambda shape: st.lists(st.lists(SMALL, min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0])
    )


@given(tables(5, 4))
def test_solve(rows: list[list[int]]) -> None:
    if len(rows) < len(rows[0]) - 1 or len(rows[0]) == 1:
        return
    found = solutions([[Fraction(x) for x in row[:-1]] for row in rows], [Fraction(row[-1]) for row in rows])
    single = found[0] if found is not None and not found[1] else None
    answer = solve(rows)
    assert (answer and [Fraction(x, answer[0]) for x in answer[1]]) == single


@given(tables(5, 4))
def test_dependency(rows: list[list[int]]) -> None:
    found, answer = dependencies([[Fraction(x) for x in row] for row in rows]), dependency(rows)
    assert (answer is None) is (len(found) != 1)
    if answer is not None:
        assert all(sum(factor * row[j] for factor, row in zip(answer, rows, strict=True)) == 0 for j in range(len(rows[0])))
        scale = next(a / b for a, b in zip(answer, found[0], strict=True) if b)
        assert [scale * x for x in found[0]] == answer


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(SMALL, min_size=n, max_size=n), min_size=n, max_size=n)))
def test_singular_modulo(rows: list[list[int]]) -> None:
    value = boxes.det([[Fraction(x) for x in row] for row in rows])
    assert is_singular_modulo(rows) is (value == 0)
    assert is_singular_modulo(rows, 5) is (value % 5 == 0)
    assert is_singular_modulo([[MODULUS * x for x in row] for row in rows])


@given(st.lists(st.sampled_from(["00", "01", "10", "11"]), min_size=1, max_size=7))
def test_prefixes_of_necklaces(letters: list[str]) -> None:
    path = WordPath((), 0, (), ())
    for letter in letters:
        best = (*path.letters, letter)
        alive = all(best[i:] >= best[: len(best) - i] for i in range(len(best)))
        if path.lyndon or not path.letters:
            for cut in (0, 1):
                full = (*path.letters, letter[:cut].ljust(2, "1"))
                assert path.is_behind(letter[:cut]) is not all(full[i:] >= full[: len(full) - i] for i in range(len(full)))
        path = WordPath(best, path.lyndon_after(letter), (), ())
        assert bool(path.lyndon) is alive
        rotations = [best[i:] + best[:i] for i in range(1, len(best))]
        assert path.is_necklace is all(best <= other for other in rotations)
        assert path.is_primitive is all(best < other for other in rotations)


@given(st.sampled_from([1, 2, 3]), st.lists(st.text("01", min_size=1, max_size=7), max_size=6), st.text("01", max_size=14))
def test_the_automaton_finds_every_forbidden_word(width: int, forbidden: list[str], text: str) -> None:
    avoider = Avoider(forbidden, width)
    state: State | None = avoider.start
    for i, bit in enumerate(text):
        if state is not None and i % width == 0:
            state = avoider.opened(state)
        state = None if state is None else avoider.bit(state, bit)
        found = any(text[at : i + 1].startswith(word) for word in forbidden for at in range(0, i + 1, width))
        assert (state is None) is found
    state = avoider.start
    for start in range(0, len(text) - width + 1, width):
        state = None if state is None else avoider.letter(state, text[start : start + width])
        found = any(text[at : start + width].startswith(word) for word in forbidden for at in range(0, start + width, width))
        assert (state is None) is found


def test_a_prefix_is_alive_iff_some_necklace_starts_with_it() -> None:
    for length in range(1, 6):
        necklaces = {w for w in product("01", repeat=2 * length) if all(w <= w[i:] + w[:i] for i in range(1, len(w)))}
        for word in product("01", repeat=length):
            path = WordPath((), 0, (), ())
            for letter in word:
                path = WordPath((*path.letters, letter), path.lyndon_after(letter), (), ())
            assert bool(path.lyndon) is any(w[:length] == word for w in necklaces)


@given(SEEDS)
def test_lifted_forms_agree_with_the_network(seed: int) -> None:
    rng = random.Random(seed)
    network = tiny_network(rng)
    base = "".join(rng.choice("01") for _ in range(network.hinges))
    form = lifted(network, base)
    z = Matrix.column([Fraction(rng.randrange(-9, 10), rng.randrange(1, 4)) for _ in range(network.dimension)])
    image, gates = network.trace(z)
    values = [gate.middle(i) for gate in gates for i in range(len(gate.mid))]
    x = Matrix.column([max(-a, Fraction(0)) if letter == "1" else max(a, Fraction(0)) for a, letter in zip(values, base, strict=True)])
    assert (form.jacobian @ z + form.source @ x + form.offset).entries() == image.entries()
    if values:
        assert [entry.lo for entry in (form.gates @ z + form.coupling @ x + form.gate_offsets).entries()] == values


@given(SEEDS)
def test_idle_hinges_do_not_matter(seed: int) -> None:
    rng = random.Random(seed)
    network = tiny_network(rng)
    live = live_hinges(network)
    assert list(live) == words_of(network).live
    letters = "".join(rng.choice("01") for _ in live)
    pattern = full_pattern(live, letters, network.hinges)
    other = "".join(letter if i in live else rng.choice("01") for i, letter in enumerate(pattern))
    one, two = network.piece(pattern), network.piece(other)
    assert live_letters(live, other) == letters
    assert (one.jacobian - two.jacobian).norm() == (one.offset - two.offset).norm() == 0
    rows = [(one.gates - two.gates).mid[hinge] for hinge in live]
    assert not any(map(any, rows))


def path_along(network: Network, word: tuple[str, ...]) -> tuple[Words, WordPath]:
    """Return the kernel's path along a word."""
    words = Words(network)
    path = words.start
    for letter in word:
        path = words.extended(path, letter, tuple(words.row(path, letter[:i], bit) for i, bit in enumerate(letter)))
    return words, path


def drawn_word(network: Network, rng: random.Random) -> tuple[str, ...]:
    """Draw a word of one to three letters."""
    width = len(live_hinges(network))
    return tuple("".join(rng.choice("01") for _ in range(width)) for _ in range(rng.randint(1, 3)))


@given(SEEDS)
def test_rows_of_a_path_are_the_preactivations(seed: int) -> None:
    rng = random.Random(seed)
    network = tiny_network(rng)
    point = [Fraction(rng.randrange(-9, 10), rng.randrange(1, 4)) for _ in range(network.dimension)]
    seen = words_of(network).orbit(point, 3)
    word = tuple("".join("1" if a >= 0 else "0" for a in gates) for _, gates in seen)
    words, path = path_along(network, word)
    values = [dot([Fraction(x) for x in form], [*point, Fraction(1)]) for form, _ in path.rows]
    expected = [a for _, gates in seen for a in gates]
    assert [(v > 0) - (v < 0) for v in values] == [(abs(a) > 0) for a in expected]
    assert [strict for _, strict in path.rows] == [a < 0 for a in expected]
    image = words_of(network).step(seen[-1][0])[0]
    assert [dot([Fraction(x, path.map[-1][-1]) for x in row], [*point, Fraction(1)]) for row in path.map[:-1]] == image
    assert path.accepts(6, [int(6 * x) for x in point])
    assert path.accepts(-6, [int(-6 * x) for x in point])
    other = "".join(rng.choice("01") for _ in words.live)
    if other != word[0]:
        assert not path_along(network, (other, *word[1:]))[1].accepts(6, [int(6 * x) for x in point])


def as_rows(path: WordPath, chosen: tuple[int, ...]) -> tuple[list, list]:
    """Return the chosen path rows, and the chosen equations twice: as >= 0 and as <= 0."""
    count = len(path.rows)
    rows = [([Fraction(x) for x in form[:-1]], Fraction(form[-1]), strict) for form, strict in (path.rows[i] for i in chosen if i < count)]
    closing = [path.closing()[i - count] for i in chosen if i >= count]
    forms = [([Fraction(x) for x in form[:-1]], -Fraction(form[-1])) for form in closing]
    return rows, [*((row, c, False) for row, c in forms), *(([-x for x in row], -c, False) for row, c in forms)]


@given(SEEDS)
def test_rows_said_to_exclude_each_other_do(seed: int) -> None:
    rng = random.Random(seed)
    network = tiny_network(rng)
    _, path = path_along(network, drawn_word(network, rng))
    indices = range(len(path.rows) + network.dimension)
    every = [chosen for size in range(1, network.dimension + 3) for chosen in combinations(indices, size)]
    for chosen in rng.sample(every, min(60, len(every))):
        rows, equations = as_rows(path, chosen)
        empty = sample([*rows, *equations], network.dimension) is None
        if not equations:
            assert not excludes([path.rows[i] for i in chosen]) or empty
        assert not excludes_closed(path, chosen) or empty
        forced, solution = tight_solution(path, chosen)
        if forced and solution is not None:
            point = [Fraction(x, solution[0]) for x in solution[1]]
            _, closing = as_rows(path, tuple(range(len(path.rows), len(path.rows) + network.dimension)))
            for i, side in product(range(network.dimension), (1, -1)):
                away = ([Fraction(side * int(i == j)) for j in range(network.dimension)], -side * point[i], True)
                assert sample([*rows, *closing, away], network.dimension) is None


@settings(max_examples=25)
@given(SEEDS)
def test_no_orbit_follows_a_forbidden_word(seed: int) -> None:
    rng = random.Random(seed)
    network = tiny_network(rng, states=2, hinges=3)
    words, width = words_of(network), len(live_hinges(network))
    if not width:
        return
    forbidden = facts(network, *every_word(network, 6 // width)[:1])[0]
    assert isinstance(forbidden, ForbiddenWords)
    for _ in range(20):
        start = [Fraction(rng.randrange(-12, 13), rng.choice([1, 1, 2, 3])) for _ in range(network.dimension)]
        bits = "".join("1" if a >= 0 else "0" for _, gates in words.orbit(start, 8) for a in gates)
        assert not [word for word in forbidden.words for at in range(0, len(bits), width) if bits[at:].startswith(word)]


@given(SEEDS)
def test_every_contradiction_has_a_set_of_rows_that_the_kernel_takes(seed: int) -> None:
    rng = random.Random(seed)
    network = tiny_network(rng, states=2, hinges=3)
    _, path = path_along(network, drawn_word(network, rng))
    rows, _ = as_rows(path, tuple(range(len(path.rows))))
    subsets = (chosen for size in range(1, network.dimension + 2) for chosen in combinations(path.rows, size))
    assert (sample(rows, network.dimension) is None) is any(map(excludes, subsets))


def lcp_solution(matrix: list, constants: list, base: str, order: int | None, decided: dict[int, bool]) -> bool:
    """Say whether y = M x + q has a complementary solution with these signs and the order, by all complementary choices."""
    size, width = len(matrix), len(base)
    for signs in product((True, False), repeat=size):
        if any(signs[i] is not holds for i, holds in decided.items()):
            continue
        free = [i for i in range(size) if signs[i] is (base[i % width] == "0")]  # x_i may be positive: a_i >= 0 at base 0
        columns = [[matrix[i][j] for j in free] for i in range(size)]
        rows = [([Fraction(int(j == i)) for j in range(len(free))], Fraction(0), False) for i in range(len(free))]
        for i in range(size):
            row = (columns[i], constants[i], False)
            rows.append(row)
            if i in free:
                rows.append(([-x for x in columns[i]], -constants[i], False))
        if order is not None:
            first = preactivation(order, base, free, columns, constants)
            for time in range(1, size // width):
                other = preactivation(time * width + order, base, free, columns, constants)
                rows.append(([a - b for a, b in zip(first[0], other[0], strict=True)], first[1] - other[1], False))
        if sample(rows, len(free)) is not None:
            return True
    return False


def preactivation(i: int, base: str, free: list[int], columns: list, constants: list) -> tuple[list, Fraction]:
    """Return a_i = x_i - y_i (base 0) or y_i - x_i (base 1) as a form in the free x."""
    sign = 1 if base[i % len(base)] == "0" else -1
    unit = [Fraction(int(j == i)) for j in free]
    return [sign * (u - c) for u, c in zip(unit, columns[i], strict=True)], -sign * Fraction(constants[i])


@given(SEEDS)
def test_multipliers_said_to_refute_a_node_do(seed: int) -> None:
    rng = random.Random(seed)
    width, period = rng.choice([(1, 1), (1, 2), (2, 1), (1, 3)])
    size, scale, radius = width * period, rng.choice([1, 2, 4]), rng.choice([0, 0, 1])
    rows = tuple(tuple(rng.randrange(-4, 5) for _ in range(size)) for _ in range(size))
    constants = tuple(rng.randrange(-6, 7) for _ in range(size))
    base = "".join(rng.choice("01") for _ in range(width))
    system = CyclicSystem(period, base, rows, constants, radius, scale)
    order = rng.choice([None, rng.randrange(width)])
    decided = {i: rng.random() < 0.5 for i in range(size) if rng.random() < 0.5}
    taken = None
    for _ in range(40):
        weights = {i: rng.randrange(-4, 5) for i in range(size) if rng.random() < 0.8}
        turns = {t: rng.randrange(3) for t in range(period) if order is not None and rng.random() < 0.7}
        if refutes(system, order, decided, weights, turns):
            taken = weights
            break
    if taken is None:
        return
    for _ in range(4 if radius else 1):
        noise = [[rng.choice([-radius, 0, radius]) for _ in range(size + 1)] for _ in range(size)]
        matrix = [[Fraction(x + e, scale) for x, e in zip(row, extra[:-1], strict=True)] for row, extra in zip(rows, noise, strict=True)]
        right = [Fraction(x + extra[-1], scale) for x, extra in zip(constants, noise, strict=True)]
        assert not lcp_solution(matrix, right, base, order, decided)


@given(SEEDS)
def test_every_empty_node_has_multipliers_that_the_kernel_takes(seed: int) -> None:
    rng = random.Random(seed)
    network = tiny_network(rng, states=2, hinges=2)
    words = words_of(network)
    period, base = rng.randint(1, 2), "".join(rng.choice("01") for _ in words.live)
    if not base:
        return
    try:
        walk = Signs(words, period, base, rng.choice([None, 0]))
    except Exception:  # noqa: BLE001 - a base at which J^k has the eigenvalue 1
        return
    size = len(walk.matrix)
    decided = {i: rng.random() < 0.5 for i in range(size) if rng.random() < 0.6}
    token = walk.farkas(decided)
    holds = lcp_solution(walk.matrix, walk.constants, base, walk.order, decided)
    whole = Matrix.exact([[*row, q] for row, q in zip(walk.matrix, walk.constants, strict=True)])
    system = CyclicSystem(period, base, tuple(row[:-1] for row in whole.mid), tuple(row[-1] for row in whole.mid), 0, whole.den)
    if token is None:
        assert len(decided) < size or holds
        return
    numbers = {name: list(map(int, text)) for name, text in token.items()}  # type: ignore[call-overload]
    weights, turns = (dict(zip(n[::2], n[1::2], strict=True)) for n in (numbers["farkas"], numbers.get("order", [])))
    assert refutes(system, walk.order, decided, weights, turns)
    assert not holds


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(SMALL, min_size=n, max_size=n), min_size=n, max_size=n)))
def test_p_matrices(rows: list[list[int]]) -> None:
    matrix = [[Fraction(x) + 4 * (i == j) for j, x in enumerate(row)] for i, row in enumerate(rows)]
    subsets = [chosen for size in range(1, len(rows) + 1) for chosen in combinations(range(len(rows)), size)]
    minors = [boxes.det([[matrix[i][j] for j in chosen] for i in chosen]) for chosen in subsets]
    assert _is_p_matrix(matrix) is all(minor > 0 for minor in minors)
