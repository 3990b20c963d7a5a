"""What one piece of tree search leaves behind, and its spelling in a ledger."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from proofs.errors import Malformed
from proofs.grammar import write_number

if TYPE_CHECKING:
    from fractions import Fraction

    from proofs.reader import Fields

    Word = tuple[str, ...]
    Task = str  # canonical JSON of what the finder needs to start at a subtree


@dataclass(frozen=True)
class Leaf:
    """A closed word (live hinges) that holds one cycle.

    ``signs`` are the signs of det(I - P) and det(I + P), None where they are left to later; ``point`` is the exact first point where
    I - P is singular and the word's borders pin it down, else None.
    """

    word: Word
    signs: tuple[int, int] | None = None
    point: tuple[Fraction, ...] | None = None

    def as_json(self) -> dict[str, object]:
        """Return the leaf as the ledger spells it."""
        content: dict[str, object] = {"word": list(self.word)}
        if self.signs is not None:
            content["signs"] = list(self.signs)
        if self.point is not None:
            content["point"] = [write_number(x) for x in self.point]
        return content

    @classmethod
    def read(cls, fields: Fields) -> Leaf:
        """Read a leaf. **Raises:** Malformed."""
        word = fields.texts("word")
        one, two = fields.integers("signs", -1, 1) if fields.has("signs") else (2, 2)
        point = fields.numbers("point") if fields.has("point") else None
        fields.close()
        return cls(word, None if one > 1 else (one, two), point)


@dataclass(frozen=True)
class Chunk:
    """A connected part of a proof tree.

    ``nodes`` are the tokens of the theorem's witness; ``parts`` the subtrees that its "part" tokens leave to other chunks, in their order;
    ``leaves`` the cycles found here, ``residual`` the singular words, both in order; ``unresolved`` says what the finder could not settle.
    """

    task: Task
    nodes: list[object]
    parts: tuple[Task, ...]
    leaves: tuple[Leaf, ...]
    residual: tuple[Word, ...]
    explored: int
    unresolved: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return the chunk as the ledger spells it."""
        return {
            "task": self.task,
            "nodes": self.nodes,
            "parts": list(self.parts),
            "leaves": [leaf.as_json() for leaf in self.leaves],
            "residual": [Leaf(word).as_json() for word in self.residual],
            "explored": self.explored,
            "unresolved": list(self.unresolved),
        }

    @classmethod
    def read(cls, fields: Fields) -> Chunk:
        """Read a chunk; its tokens are left to the checker. **Raises:** Malformed."""
        chunk = cls(
            fields.text("task"),
            fields.items("nodes"),
            fields.texts("parts"),
            tuple(Leaf.read(leaf) for leaf in fields.objects("leaves")),
            tuple(Leaf.read(word).word for word in fields.objects("residual")),
            fields.integer("explored", 0, 10**15),
            fields.texts("unresolved"),
        )
        fields.close()
        return chunk


def spelled_task(content: list[object]) -> Task:
    """Spell a task."""
    return json.dumps(content, separators=(",", ":"))


def read_task(task: Task, least: int) -> list[Any]:
    """Read a task of at least this many items. **Raises:** Malformed."""
    try:
        content = json.loads(task)
    except ValueError:
        content = None
    if not isinstance(content, list) or len(content) < least:
        raise misread(task)
    return content


def misread(task: Task) -> Malformed:
    """Return the error for a task that is none."""
    return Malformed(where="ledger", law="tasks", expected="a task as this program spells it", got=task)
