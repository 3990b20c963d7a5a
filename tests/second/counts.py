"""Are counts of all cycles true? By all words, half-open, singular systems included; None where there are too many words."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import product

from tests.second import boxes
from tests.second.nets import Net
from tests.second.text import Refused
from tests.second.words import INFINITE, Found, Words, cycles_of

MOST_PATTERNS = 4096
TRIALS = 6


def cycle_counts_hold(net: Net, claim: dict) -> bool | None:
    """Every period: as many cycles as claimed, or more of which all further ones lie in the named polyhedra."""
    if not net.exact or not net.linear:
        return False
    words, counts, residual = Words(net), claim["counts"], [tuple(word) for word in claim["residual"]]
    if len(counts) != claim["up_to"] or any(set("".join(word)) - {"0", "1"} for word in residual):
        return False
    if any(not word or any(len(letter) != len(words.live) for letter in word) for word in residual):
        return False
    answer: bool | None = True
    for length, count in enumerate(counts, 1):
        try:
            holds = _period_holds(words, length, count, residual)
        except Refused:
            holds = None
        if holds is False:
            return False
        answer = answer and holds
    return answer


def _period_holds(words: Words, length: int, count: int, residual: list) -> bool | None:
    """Compare one count: those outside the polyhedra <= count <= all."""
    found = cycles_of(words, length)
    total = INFINITE if any(item.basis for item in found) else len(found)
    named = [_named(words, item, residual) for item in found]
    if not 0 <= count <= total:
        return False
    outside = [item for item, inside in zip(found, named, strict=True) if inside is False]
    if any(item.basis for item in outside) or len(outside) > count:
        return False
    return None if None in named else True


def _named(words: Words, item: Found, residual: list) -> bool | None:
    """Say whether all cycles of one word lie in some named polyhedron."""
    answers = [item.is_within(words, word) for word in residual]
    return True if True in answers else None if None in answers else False


def one_point_holds(net: Net, claim: dict) -> bool | None:
    """All det(I - J_k..J_1) over all words have one sign; if not, some biases with none or several fixed points are looked for."""
    words = Words(net)
    period = claim["period"]
    if not net.exact or not net.linear or period < 1:
        return False
    if not words.live:
        return boxes.det(words.system(("",) * period)[0]) != 0
    if len(words.letters) ** period > MOST_PATTERNS:
        return None
    dets = {_sign(boxes.det(words.system(word)[0])) for word in product(words.letters, repeat=period)}
    if len(dets) == 1 and 0 not in dets:
        return True
    rng = random.Random(period)
    return False if any(fixed_points(Words(_biased(net, rng)), period) != 1 for _ in range(TRIALS)) else None


def fixed_points(words: Words, period: int) -> int:
    """Return the number of fixed points of F^period, two standing for infinitely many."""
    total = 0
    for length in range(1, period + 1):
        if period % length == 0:
            found = cycles_of(words, length)
            total += 2 if any(item.basis for item in found) else length * len(found)
    return total


def _biased(net: Net, rng: random.Random) -> Net:
    """Return the network with other biases."""
    program = []
    for name, of, matrices, bias in net.program:
        other = [[boxes.point(Fraction(rng.randrange(-8, 9), rng.randrange(1, 4)))] for _ in bias]
        program.append((name, of, matrices, other))
    return Net(net.dimension, program)


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)
