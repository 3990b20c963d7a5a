"""Words that avoid a set of forbidden words, read bit by bit; a forbidden word counts where a letter starts, every ``width`` bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    Trie = dict[str, object]


class State:
    """What is known after some bits: which beginnings of forbidden words they end with. Transitions are computed when first taken."""

    __slots__ = ("begun", "following")

    def __init__(self, begun: tuple[Trie, ...]) -> None:
        self.begun = begun
        self.following: dict[str, State | None] = {}


class Avoider:
    """The automaton that reads words of ``width`` bits a letter and stops at the first forbidden word."""

    def __init__(self, forbidden: Iterable[str], width: int) -> None:
        """Put the forbidden words into a tree of bits."""
        self.width = width
        self._root: Trie = {}
        self._states: dict[tuple[int, ...], State] = {}
        for word in forbidden:
            self._plant(word)
        self.start = self._state(())

    def letter(self, state: State, letter: str) -> State | None:
        """Return the state one whole letter further, None where a forbidden word ends within it."""
        here: State | None = self.opened(state)
        for bit in letter:
            if here is None:
                return None
            here = self.bit(here, bit)
        return here

    def opened(self, state: State) -> State:
        """Return the state with a letter about to start, where forbidden words may begin."""
        return (self._known(state, "", (*state.begun, self._root)) if self.width else None) or state

    def bit(self, state: State, bit: str) -> State | None:
        """Return the state one bit further, None where a forbidden word ends."""
        if bit in state.following:
            return state.following[bit]
        reached = [tree[bit] for tree in state.begun if bit in tree]
        begun = tuple(tree for tree in reached if isinstance(tree, dict))
        if len(begun) < len(reached):
            state.following[bit] = None
            return None
        return self._known(state, bit, begun)

    def _known(self, state: State, key: str, begun: tuple[Trie, ...]) -> State | None:
        if key not in state.following:
            state.following[key] = self._state(begun)
        return state.following[key]

    def _state(self, begun: tuple[Trie, ...]) -> State:
        return self._states.setdefault(tuple(map(id, begun)), State(begun))

    def _plant(self, word: str) -> None:
        tree = self._root
        for bit in word[:-1]:
            below = tree.setdefault(bit, {})
            if not isinstance(below, dict):
                return  # a shorter one is forbidden already
            tree = below
        tree[word[-1]] = None
