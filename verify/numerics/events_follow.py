"""One word followed along a path: its crossings and where its cycle exists."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from verify.numerics.events_crossings import Crossing, Followed, Zero, merged, short_between
from verify.numerics.events_roots import isolate
from verify.numerics.events_scan import pairs, scan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verify.events import Word
    from verify.numerics.rational_paths import Pieces, WordEquations

_PLANE = 2


def follow(pieces: Pieces, word: Word, bits: int, anchors: Sequence[Fraction] = ()) -> tuple[WordEquations, Followed]:
    """Return the equations of a word and what becomes of its cycle along the whole path.

    **Guarantee:** existence in the gaps is decided exactly at one point of each; that nothing happens within a gap is heuristic for
    degrees over 40, where only crossings next to an existing cycle are listed.
    """
    equations = pieces.word(word)
    low, high = pieces.path.low, pieces.path.high
    always: tuple[Zero, ...] = ()
    if not equations.is_scanned:
        crossings, always = isolate(equations, low, high, bits)
        crossings = [kept for crossing in crossings if (kept := _without_real_pairs(equations, crossing)) is not None]
    else:
        crossings = scan(equations, low, high, bits, anchors)
    if any(zero.kind in {"one", "gate"} for zero in always):
        return equations, Followed(word, (), (False,), always)
    followed = _with_cells(equations, crossings, always)
    if pieces.dimension > _PLANE or (pieces.dimension == _PLANE and equations.is_scanned):
        followed = _with_pairs(equations, followed, bits)
    return equations, followed


def _with_cells(equations: WordEquations, crossings: list[Crossing], always: tuple[Zero, ...]) -> Followed:
    word, path = equations.word, equations.pieces.path
    bare = Followed(word, tuple(crossings), (False,) * (len(crossings) + 1), always)
    gaps = [bare.gap(i, path.low, path.high) for i in range(len(bare.cells))]
    cells = tuple(start < end and equations.at(short_between(start, end)).follows(word) for start, end in gaps)
    return Followed(word, tuple(crossings), cells, always)


def _with_pairs(equations: WordEquations, followed: Followed, bits: int) -> Followed:
    path = equations.pieces.path
    gaps = [followed.gap(i, path.low, path.high) for i, exists in enumerate(followed.cells) if exists]
    added = [crossing for gap in gaps for crossing in pairs(equations, *gap, bits)]
    return _with_cells(equations, merged([*followed.crossings, *added]), followed.always) if added else followed


def _without_real_pairs(equations: WordEquations, crossing: Crossing) -> Crossing | None:
    """Drop det P = 1 where the multipliers are real."""
    if not any(zero.kind == "pair" for zero in crossing.zeros) or equations.at(crossing.low).has_complex_pair:
        return crossing
    zeros = tuple(zero for zero in crossing.zeros if zero.kind != "pair")
    return Crossing(crossing.low, crossing.high, zeros) if zeros else None
