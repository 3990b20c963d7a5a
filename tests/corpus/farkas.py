"""Rows that exclude each other, found by trying: witnesses for trapping polytopes and for words that no orbit of a region follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import combinations, product
from typing import TYPE_CHECKING

from proofs.network import Network
from proofs.space import TrappingBox, TrappingPolytope
from proofs.theorems.elimination import rank
from proofs.theorems.word_path import Words, excludes, facet_rows
from tests.corpus.strips import exact

if TYPE_CHECKING:
    from proofs.theorems.word_path import Row

Found = list[int] | None


def chosen(known: dict[int, Row], always: Sequence[Row] = (), size: int = 4) -> Found:
    """Return the first few of these rows that exclude each other (with ``always``), or None."""
    for count in range(size):
        for some in combinations(sorted(known), count):
            if excludes([*(known[i] for i in some), *always]):
                return list(some)
    return None


def facets_of(facets: Sequence[Sequence[object]]) -> dict[int, Row]:
    """Return the rows of facets under their numbers -1, -2, .."""
    rows = facet_rows(TrappingPolytope(tuple(map(tuple, exact(facets)))))
    return {-i: row for i, row in enumerate(rows, 1)}


def polytope(network: Network, facets: Sequence[Sequence[object]], point: Sequence[object]) -> dict:
    """Return a witness of C2: each pattern kept or excluded at full length, facets grouped where one positive dependency binds them."""
    known, words = facets_of(facets), Words(network)
    found: dict[str, list[object]] = {"excluded": [], "kept": []}
    for bits in map("".join, product("01", repeat=len(words.live))):
        rows = {**known, **{i: words.row(words.start, bits[:i], bit) for i, bit in enumerate(bits)}}
        out = chosen(rows)
        after = words.extended(words.start, bits, ())
        ways = [chosen(rows, [(tuple(-x for x in after.form(form)), True)]) for form, _ in known.values()] if out is None else []
        if out is None and None in ways:
            raise ValueError(bits)
        found["kept" if out is None else "excluded"].append([bits, *(ways if out is None else out)])
    groups = [list(group) for group in bounding([known[-i - 1][0][:-1] for i in range(len(known))])]
    return {"facets": [list(map(str, facet)) for facet in facets], "point": list(map(str, point)), "bounded": groups, **found}


def bounding(rows: list[tuple[int, ...]]) -> Iterator[tuple[int, ...]]:
    """Yield groups of facets with one positive dependency until they have full rank."""
    used: list[tuple[int, ...]] = []
    for count in range(1, len(rows[0]) + 2):
        for group in combinations(range(len(rows)), count):
            forms = [rows[i] for i in group]
            if excludes([((*form, -1), False) for form in forms]) and rank([*used, *forms]) > rank(used):
                used += forms
                yield group


def word_rows(network: Network, word: str) -> dict[int, Row]:
    """Return the rows of a word of whole letters."""
    words = Words(network)
    path, width = words.start, len(words.live)
    for start in range(0, len(word), width):
        letter = word[start : start + width]
        path = words.extended(path, letter, tuple(map(partial(words.row, path), (letter[:i] for i in range(width)), letter)))
    return dict(enumerate(path.rows))


def shortest(network: Network, region: TrappingBox | TrappingPolytope | None, longest: int, size: int = 4) -> list[list[object]]:
    """Return the shortest words of whole letters up to a length that nothing follows, with rows that say so."""
    facets = {} if region is None else {-i: row for i, row in enumerate(facet_rows(region), 1)}
    width = len(Words(network).live)
    found: list[list[object]] = []
    for length in range(1, longest + 1):
        for word in map("".join, product("01", repeat=length * width)):
            known = [str(entry[0]) for entry in found]
            if not any(word[i : i + len(k)] == k for k in known for i in range(0, len(word), width)):
                rows = chosen({**facets, **word_rows(network, word)}, (), size)
                found += [] if rows is None else [[word, *rows]]
    return found
