"""A network on its way from a file's own names to those of a family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from proofs.errors import Malformed
from verify.formats.stored import Stored, same_array

ALIASES = {
    "mcplrnn": "mean_centred_plrnn",
    "shplrnn": "shallow_plrnn",
    "shallowplrnn": "shallow_plrnn",
    "clippedshplrnn": "clipped_shallow_plrnn",
    "clippedshallowplrnn": "clipped_shallow_plrnn",
    "dendplrnn": "dendritic_plrnn",
    "clippeddendplrnn": "dendritic_plrnn",
    "al_rnn": "alrnn",
}
"""Names that publications use for the families, in lower case."""


def family_name(text: str) -> str:
    """Return the family that a published name means, or the text itself in lower case."""
    word = text.rpartition(".")[2].lower().replace("-", "_")
    return ALIASES.get(word, word)


@dataclass
class Draft:
    """Arrays and settings while foreign names are turned into a family's own; ``notes`` are the sentences a verdict must state."""

    arrays: dict[str, np.ndarray]
    meta: dict[str, object]
    place: str
    type_name: str | None = None
    notes: list[str] = field(default_factory=list)
    _origin: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, stored: Stored, place: str) -> Draft:
        """Start from what a file holds."""
        draft = cls(dict(stored.arrays), dict(stored.meta), place, stored.type_name)
        if isinstance(draft.meta.get("model"), str):
            draft.meta["model"] = family_name(str(draft.meta["model"]))
        return draft

    def set(self, name: str, value: object, origin: str) -> None:
        """State a setting. **Raises** Malformed if another value of it was stated before."""
        if name in self.meta and self.meta[name] != value:
            raise self.conflict(name, f"{name} = {self.meta[name]}, as {self._origin.get(name, 'in the file')}", f"{value} {origin}")
        self.meta[name] = value
        self._origin.setdefault(name, origin)

    def put(self, name: str, array: np.ndarray, origin: str) -> None:
        """Add an array. **Raises** Malformed if another one of that name is there."""
        if name in self.arrays and not same_array(self.arrays[name], array):
            raise self.conflict(name, f"the array {name} of the file, or none", f"another one {origin}")
        self.arrays[name] = array

    def rename(self, names: Mapping[str, str]) -> None:
        """Give arrays other names; those that are absent are passed over. **Raises** Malformed if a name is taken."""
        for old, new in names.items():
            if old in self.arrays:
                self.put(new, self.arrays.pop(old), f"under the name {old}")

    def conflict(self, name: str, expected: str, got: str) -> Malformed:
        """Return the error for two statements that disagree."""
        return Malformed(where=f"{self.place}, key {name}", law="statements agree", expected=expected, got=got)
