# mypy: disable-error-code="no-any-return"
"""The cards about forbidden words and necklaces (A4), checked naively: words are strings of bits, searched for the forbidden ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial

from tests.second import boxes
from tests.second.cards import Step
from tests.second.polyhedra import dependencies, dot, solutions
from tests.second.text import BeyondReach, Json, integer, items, need, numbers, string, table, take
from tests.second.words import Words

MOST_STATES = 32
MOST_BITS = 4096
MOST_LETTERS = 9
MOST_VISITED = 5_000


def exact_words(step: Step) -> Words:
    """Refuse all but exact piecewise-linear networks."""
    need(step.net.exact and step.net.linear, "exact and piecewise linear")
    return Words(step.net)


def starts_a_necklace(word: tuple) -> bool:
    """Say whether some word that begins like this is no larger than any of its rotations: no later part of it is smaller than its start."""
    return all(word[i:] >= word[: len(word) - i] for i in range(len(word)))


def facet_rows(claim: dict) -> list:
    """Return the rows of a box or polytope."""
    if claim["claim"] == "trapping_polytope":
        return [(row[:-1], row[-1], False) for row in table(claim["facets"])]
    low, high = numbers(claim["low"]), numbers(claim["high"])
    units = [[Fraction(int(i == j)) for j in range(len(low))] for i in range(len(low))]
    pairs = zip(units, low, high, strict=True)
    return [row for unit, a, b in pairs for row in ((unit, -a, False), ([-x for x in unit], b, False))]


def forbidden_words(step: Step) -> dict:
    """A4, words that no orbit follows."""
    words, fields = exact_words(step), step.fields("words")
    need(step.net.dimension <= MOST_STATES, "at most 32 states")
    region = step.cite("trapping_box", "trapping_polytope") if step.cited else None
    facets = facet_rows(region) if region else []
    found, closed = set(), set()
    for entry in items(fields["words"]):
        need(len(items(entry)) > 0, "a word")
        word, width = string(entry[0]), len(words.live)
        need(1 <= len(word) <= MOST_BITS and not set(word) - {"0", "1"} and width > 0, "a word of bits")
        whole = len(word) // width * width
        rows = rows_of(words, tuple(word[i : i + width] for i in range(0, whole, width)), word[whole:])
        told = [integer(i, -len(facets), len(rows) - 1) for i in entry[1:]]
        chosen = [rows[i] if i >= 0 else facets[-i - 1] for i in told]
        need(len(chosen) <= MOST_STATES + 1 and is_contradiction(chosen, []) and chosen != [], "rows that do not exclude the word")
        found.add(word)
        if is_contradiction([(row, constant, False) for row, constant, _ in chosen], []):
            closed.add(word)
    return {"claim": "forbidden_words", "words": found, "closed": closed, "inside": region}


def necklaces(step: Step) -> dict:
    """A4 by necklaces."""
    words, fields = exact_words(step), step.fields("up_to singular")
    need(step.net.dimension <= MOST_STATES, "at most 32 states")
    cited = [step.cite("forbidden_words") for _ in list(step.cited)]
    need(all(fact["inside"] is None for fact in cited), "words of a region")
    forbidden: set = set().union(*(fact["words"] for fact in cited))
    up_to = integer(fields["up_to"], 1, MOST_BITS)
    need(up_to * max(1, len(words.live)) <= MOST_BITS, "at most 4,096 bits")
    told = {}
    for entry in items(fields["singular"]):
        take(entry, "word told")
        word = tuple(string(letter) for letter in items(entry["word"]))
        need(word not in told, "a word told of twice")
        told[word] = entry["told"]
    counts: Counter = Counter()
    residual: list = []
    for visited, (word, bits) in enumerate(alive(words, up_to, forbidden)):
        if visited > MOST_VISITED or len(word) > MOST_LETTERS:
            raise BeyondReach("too many words, or a long one")
        if bits or any(word > word[i:] + word[:i] for i in range(len(word))) or meets("".join(word) * 2, forbidden, words):
            continue
        counts[len(word)] += closed_cycle(words, word, partial(asked, told, word), residual)
    need(told == {}, "something told of a word that is not met")
    named = sorted(residual, key=lambda word: (len(word), word))
    return {"claim": "cycle_counts", "up_to": up_to, "counts": [counts[n] for n in range(1, up_to + 1)], "residual": named}


def asked(told: dict, word: tuple) -> object:
    """Return what is told of a singular word, once."""
    need(word in told, "nothing is told of a singular word")
    return told.pop(word)


def meets(bits: str, forbidden: set, words: Words) -> bool:
    """Say whether a forbidden word occurs where a letter starts."""
    return any(bits[i : i + len(word)] == word for word in forbidden for i in range(0, len(bits), len(words.live)))


def alive(words: Words, up_to: int, forbidden: set, word: tuple = (), bits: str = "") -> Iterator[tuple]:
    """Yield (whole letters, bits of the next) of all beginnings of necklaces without a forbidden word, smaller ones first."""
    width = len(words.live)
    for bit in "01" if width else [""]:
        longer = bits + bit
        best = (*word, longer.ljust(width, "1"))
        if not starts_a_necklace(best) or (width and meets("".join(word) + longer, forbidden, words)):
            continue
        here = (best, "") if len(longer) == width else (word, longer)
        yield here
        if len(here[0]) < up_to:
            yield from alive(words, up_to, forbidden, *here)


def rows_of(words: Words, word: tuple, bits: str = "") -> list:
    """Return the rows (coefficients, constant, strict) of whole letters and some bits of the next."""
    padded = (*word, bits.ljust(len(words.live), "0")) if bits else word
    letters = "".join(word) + bits
    gates = words.forms(padded)[2][: len(letters)]
    return [(r, c, False) if bit == "1" else ([-x for x in r], -c, True) for (r, c, _), bit in zip(gates, letters, strict=True)]


def closed_cycle(words: Words, word: tuple, told: Callable[[], Json], residual: list) -> bool:
    """Say whether a closed word holds a cycle of its length; a singular one asks what is told of it."""
    matrix, right = words.system(word)
    point = boxes.solve(matrix, right)
    if point is None:
        point = singular(words, word, told(), residual)
    return point is not None and words.follows(point, word) and all(word != word[i:] + word[:i] for i in range(1, len(word)))


def singular(words: Words, word: tuple, told: Json, residual: list) -> list | None:
    """Follow what is told of a singular word; return the one point that is left, if any."""
    if told == "residual":
        residual.append(list(word))
        return None
    need(isinstance(told, dict) and len(told) == 1 and set(told) <= {"empty", "tight"}, "a token for a singular word")
    (name, content), rows, (matrix, right) = next(iter(told.items())), rows_of(words, word), words.system(word)
    chosen = [integer(i, 0, len(rows) + len(matrix) - 1) for i in items(content)]
    need(len(chosen) <= 2 * MOST_STATES + 1, "too many rows")
    equations = [(row, -value, False) for row, value in zip(matrix, right, strict=True)]
    picked = [rows[i] for i in chosen if i < len(rows)], [equations[i - len(rows)] for i in chosen if i >= len(rows)]
    if name == "empty":
        need(is_contradiction(*picked), "rows that do not exclude the closed word")
        return None
    need(is_contradiction(*picked, tight=True), "rows that do not force each other to vanish")
    forced = [(row, constant) for row, constant, _ in (*picked[0], *equations)]
    found = solutions([row for row, _ in forced], [-constant for _, constant in forced])
    need(found is not None and found[1] == [], "not one point")
    return found[0] if found else None


def is_contradiction(rows: list, equations: list, *, tight: bool = False) -> bool:
    """Say whether the only dependency (up to scale) is positive on the rows and sums all to < 0, or 0 with a strict row; tight: to 0."""
    basis = dependencies([row for row, _, _ in (*rows, *equations)])
    if len(basis) != 1:
        return False
    total = dot(basis[0], [constant for _, constant, _ in (*rows, *equations)])
    signs = [(x > 0) - (x < 0) for x in basis[0][: len(rows)]]
    if not rows:
        return total != 0 and not tight
    if abs(sum(signs)) != len(signs):
        return False
    strict = any(row[2] for row in rows)
    return total == 0 and not strict if tight else total * signs[0] < 0 or (total == 0 and strict)


CARDS = {card.__name__: card for card in (forbidden_words, necklaces)}
