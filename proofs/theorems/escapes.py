"""The ways out of a polytope, pattern by pattern and facet by facet, each closed by Farkas' lemma (card C2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.errors import Malformed
from proofs.reader import read_list
from proofs.theorems.word_path import Words, excludes

if TYPE_CHECKING:
    from proofs.theorems.card import Application
    from proofs.theorems.word_path import Row

MAX_STATES = 32
MAX_WIDTH = 64
MAX_BITS = 2**20


class Escapes:
    """All the ways out of a polytope, each of which the witness has to close."""

    def __init__(self, step: Application, facets: tuple[Row, ...]) -> None:
        """Read the witness."""
        self._step, self._facets = step, facets
        self._words = Words(step.network)
        self._width = len(self._words.live)
        step.require(3, self._width <= MAX_WIDTH, f"at most {MAX_WIDTH} live hinges", self._width)
        self._where = f"{step.witness.where}, fields excluded and kept"
        self._excluded = self._entries("excluded")
        self._kept = self._entries("kept")

    def require_none(self) -> None:
        """Walk the tree of patterns. **Raises:** Rejected where a pattern or a facet is left open."""
        entries = (*self._excluded, *self._kept)
        size = sum(map(len, entries)) + len(entries)
        self._step.require(3, size <= MAX_BITS, f"patterns of at most {MAX_BITS} bits in all", size)
        self._step.require_work(3, size * self._step.network.products, None)
        open_bits = [""]
        ahead = {bits[:i] for bits in entries for i in range(len(bits))}
        while open_bits:
            bits = open_bits.pop()
            if bits in self._excluded:
                self._step.require(
                    3, excludes(self._rows(bits, self._excluded.pop(bits))), ("rows that exclude the pattern", bits), "others"
                )
            elif len(bits) == self._width:
                self._step.require(3, bits in self._kept, ("the pattern kept or excluded", bits or "(empty)"), "neither")
                self._require_inside(bits, self._kept.pop(bits))
            else:
                self._step.require(3, bits in ahead, ("the patterns that begin so kept or excluded", bits), "neither")
                open_bits += [f"{bits}0", f"{bits}1"]
        self._step.require(3, not self._excluded and not self._kept, "entries for different patterns of the tree", "one too many")

    def _entries(self, name: str) -> dict[str, list[object]]:
        found: dict[str, list[object]] = {}
        for entry in self._step.witness.items(name):
            bits, *rest = read_list(entry, self._where) or [None]
            if not isinstance(bits, str) or len(bits) > self._width or set(bits) - {"0", "1"} or bits in found:
                raise Malformed(where=self._where, law="trapping", expected="different words of live letters 0 or 1", got=str(entry)[:200])
            found[bits] = rest
        return found

    def _rows(self, bits: str, items: list[object]) -> list[Row]:
        rows = [self._words.row(self._words.start, bits[:i], bit) for i, bit in enumerate(bits)]
        chosen = indices(items, -len(self._facets), len(rows), self._where)
        return [rows[i] if i >= 0 else self._facets[-i - 1] for i in chosen]

    def _require_inside(self, bits: str, closing: list[object]) -> None:
        self._step.require(4, len(closing) == len(self._facets), f"rows for each of {len(self._facets)} facets", len(closing))
        after = self._words.extended(self._words.start, bits, ())
        for number, ((facet, _), rows) in enumerate(zip(self._facets, closing, strict=True), 1):
            escape = (tuple(-value for value in after.form(facet)), True)
            chosen = [*self._rows(bits, read_list(rows, self._where)), escape]
            law = f"no way out through facet {number} from pattern"
            self._step.require(4, excludes(chosen), (law, bits or "(empty)"), "rows that do not show it", "facets a little further out")


def indices(items: list[object], low: int, high: int, where: str) -> list[int]:
    """Return items that are row numbers from ``low`` to below ``high``. **Raises:** Malformed for others, or for too many."""
    chosen = [i for i in items if type(i) is int and low <= i < high]
    if len(chosen) < len(items) or len(chosen) > MAX_STATES + 1:
        raise Malformed(
            where=where, law="trapping", expected=f"at most {MAX_STATES + 1} rows from {low} to {high - 1}", got=str(items)[:200]
        )
    return chosen
