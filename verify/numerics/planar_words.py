"""The word tree of a network with two states, walked depth-first in compiled code.

The walk is the checker's: bit by bit, 0 before 1, words that start no necklace left out. What the error bounds do not decide is handed
back as events, to be settled exactly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from proofs.network import Network
from verify.numerics.compiled import compiled, inner
from verify.numerics.planar_forms import Forms, Integers, may_be_singular, open_gate, prepared, step
from verify.numerics.polygons import NOTHING, OPEN, Polygons, close, cut, orient, whole_plane

Bits = NDArray[np.int8]
LEFT = 8  # kind of the event of a subtree left to another task; the other kinds are the answers of ``cut`` and ``close``
_CRUMB = 32  # a subtree of less than 1 / 32 of the nodes allowed is not left over
_DEPTH, _NODES, _EVENTS, _TRIAL, _TRIAL_NODES, _TRIAL_EVENTS = range(6)


class Explored(NamedTuple):
    """What came up in one piece of the tree, in preorder.

    **Shapes:** events (e, 6): kind, number of bits, three rows that exclude each other (then -1), and a time from which on they do so
    without what came before; words (e, K H): the bits.
    """

    events: Integers
    words: Bits


class _Walk(NamedTuple):
    """Where a walk is; ``ahead[r]``: of r bits those of the letter begun exceed the reference's; ``lyndon[n]`` as in a ``WordPath``.

    ``injective[n]``: the last time up to n at which the state determines the starting point. ``marks``: bits of the node to visit; numbers
    of nodes and events; depth of the subtree on trial or -1, and both numbers before it. ``chosen``: rows of the last cut. ``room``: where
    the events are written.
    """

    forms: Forms
    polygons: Polygons
    ahead: NDArray[np.bool_]
    lyndon: Integers
    injective: Integers
    marks: Integers
    chosen: Integers
    room: Explored


def explore(network: Network, up_to: int, prefix: tuple[str, ...], most: int) -> tuple[Explored, int] | None:
    """Walk the subtree below ``prefix``, leave what is large to other tasks after ``most`` nodes; return the events and number of nodes.

    **Guarantee:** words with event PROVED are followed by no point, those with CYCLE hold one cycle, and closed words without an event
    hold none: proved by error bounds. **Cost:** about 3 microseconds a node. **Raises:** nothing; None where ``prepared`` has no forms.
    """
    forms = prepared(network, up_to)
    if forms is None:
        return None
    bits, count = "".join(prefix), len(forms.bits)
    forms.bits[: len(bits)] = [int(bit) for bit in bits]
    room, ahead = Explored(np.empty((1024, 6), np.int64), np.empty((1024, count), np.int8)), np.zeros(count + 1, np.bool_)
    lyndon, marks, chosen = np.zeros((2, up_to + 1), np.int64), np.array([len(bits), 0, 0, -1, 0, 0]), np.full(3, -1)
    walk = _Walk(forms, whole_plane(count), ahead, lyndon[0], lyndon[1], marks, chosen, room)
    _replay(walk, len(bits))
    while not _run(walk, up_to, len(bits), most):
        events, words = walk.room
        walk = walk._replace(room=Explored(np.concatenate((events, events)), np.concatenate((words, words))))
    events, words = walk.room
    return Explored(events[: marks[_EVENTS]], words[: marks[_EVENTS]]), int(marks[_NODES])


@compiled
def _replay(walk: _Walk, base: int) -> None:
    """Bring the forms, and all polygons but the last, to the end of the prefix; where a cut is not clear the walk's first one is not."""
    hinges = walk.forms.weights.shape[0] - 2
    for r in range(base):
        open_gate(walk.forms, r)
        _set_bit(walk, r, walk.forms.bits[r])
        if r < base - 1 and cut(walk.polygons, r, walk.forms.bits[r] == 0, walk.chosen) != OPEN:
            walk.polygons.sizes[r + 1] = 0
        if (r + 1) % hinges == 0:
            _step(walk, (r + 1) // hinges)


@inner
def _step(walk: _Walk, time: int) -> None:
    step(walk.forms, time)
    walk.injective[time] = walk.injective[time - 1] if may_be_singular(walk.forms, time, False) else time


@compiled
def _run(walk: _Walk, up_to: int, base: int, most: int) -> bool:
    """Walk on; False where the room is full and the walk is to be taken up again."""
    marks = walk.marks
    while marks[_EVENTS] + 2 <= len(walk.room.events):
        r = marks[_DEPTH]
        goes_on = _enter(walk, r, up_to, base, most)
        if marks[_TRIAL] >= 0 and marks[_NODES] > marks[_TRIAL_NODES] + most // _CRUMB:
            r, goes_on = _leave(walk), False
        if goes_on:
            open_gate(walk.forms, r)
            if not _set_bit(walk, r, 0):
                _set_bit(walk, r, 1)
            marks[_DEPTH] = r + 1
        else:
            while r > base and walk.forms.bits[r - 1]:
                r -= 1
            if r <= base:
                return True
            if r <= marks[_TRIAL]:
                marks[_TRIAL] = -1
            _set_bit(walk, r - 1, 1)
            marks[_DEPTH] = r
    return False


@inner
def _enter(walk: _Walk, r: int, up_to: int, base: int, most: int) -> bool:
    """Decide whether points follow the word of node r and, for a necklace, return; say whether the walk goes on below it."""
    hinges = walk.forms.weights.shape[0] - 2
    time, whole = r // hinges, r % hinges == 0
    if 0 < r < up_to * hinges and not _open(walk, r, whole and r > base, most):
        return False
    if whole and r > 0:
        if r > base:
            _step(walk, time)
        if time % walk.lyndon[time] == 0:
            kind = close(walk.forms, walk.polygons, time, walk.lyndon[time] == time)
            if kind != NOTHING:
                _record(walk, kind, r)
    return bool(time < up_to)


@inner
def _open(walk: _Walk, r: int, may_leave: bool, most: int) -> bool:
    """Say whether node r is open."""
    marks = walk.marks
    answer = cut(walk.polygons, r - 1, walk.forms.bits[r - 1] == 0, walk.chosen)
    if answer == OPEN and may_leave and marks[_NODES] >= most and marks[_TRIAL] < 0:
        if marks[_NODES] >= 2 * most:
            answer = LEFT
        else:
            marks[_TRIAL], marks[_TRIAL_NODES], marks[_TRIAL_EVENTS] = r, marks[_NODES], marks[_EVENTS]
    if answer != OPEN:
        _record(walk, answer, r)
    marks[_NODES] += 1
    return bool(answer == OPEN)


@inner
def _leave(walk: _Walk) -> int:
    """Give up the subtree on trial and leave it to another task; return its depth."""
    marks = walk.marks
    r, marks[_NODES], marks[_EVENTS], marks[_TRIAL] = marks[_TRIAL], marks[_TRIAL_NODES] + 1, marks[_TRIAL_EVENTS], -1
    _record(walk, LEFT, r)
    return int(r)


@inner
def _record(walk: _Walk, kind: int, r: int) -> None:
    place, event = walk.marks[_EVENTS], walk.room.events[walk.marks[_EVENTS]]
    event[0], event[1], event[5] = kind, r, walk.injective[max(walk.chosen[0], 0) // (walk.forms.weights.shape[0] - 2)]
    for k in range(3):
        event[2 + k] = walk.chosen[k]
    for k in range(r):
        walk.room.words[place, k] = walk.forms.bits[k]
    walk.marks[_EVENTS] = place + 1


@inner
def _set_bit(walk: _Walk, r: int, bit: int) -> bool:
    """Set bit r and its row; False where the letter begun then falls behind the reference, so that no necklace starts like this."""
    hinges = walk.forms.weights.shape[0] - 2
    time, hinge = r // hinges, r % hinges
    ahead = time == 0 or (hinge > 0 and walk.ahead[r])
    if not ahead:
        reference = walk.forms.bits[(time - walk.lyndon[time]) * hinges + hinge]
        if bit < reference:
            return False
        ahead = bit > reference
    walk.ahead[r + 1] = ahead
    walk.forms.bits[r] = bit
    if hinge == hinges - 1:
        walk.lyndon[time + 1] = time + 1 if ahead else walk.lyndon[time]
    orient(walk.forms, walk.polygons, r)
    return True
