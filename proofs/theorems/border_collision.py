"""E2 ``border_collision``. A cycle touches a border at exactly one mu, and exists on one side of it.

Statement   For exactly one mu* in (low, high) the cycle with itinerary w has pre-activation 0 at unit j and time t; in this range the cycle
            exists on the stated side of mu* only. Each partner's cycle coincides with it at mu*, and exists on its stated side only.
Cites       a path step.
Witness     low, high; itinerary w; time t, unit j (from 1); inverse C; bits; partners: objects with itinerary v and inverse.
Checks      1  low < high within the path; w not a power of a shorter word; t and j within w
            2  |I - C (I - P)| < 1 on [low, high]: one solution z(mu), for each mu, of the equations of w
            3  the pre-activation (t, j) has strictly opposite signs at low and at high, its derivative by mu is not 0 on [low, high]
            4  all other pre-activations have strictly the signs that w names on [low, high]
            5  a partner v is not w, has length m k, is no power, and differs from m copies of w only in letters of unit j at times t + i k
            6  checks 2 and 4 (but for those letters) for v, and the derivatives of those pre-activations are not 0
Fails when  two units reach their borders together; the range holds another event.
Rests on    at mu* relu(0) = 0 whatever the letter, so z(mu*) solves the equations of v, whose solution is unique. The signs off mu* follow
            from those of the derivatives: "after" if all the colliding letters agree with them, "before" if all disagree, else "never".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proofs.parameters import BorderCollision, Line
from proofs.reader import Fields
from proofs.theorems.family import read_range
from proofs.theorems.following import gates_on, read_word, require_letters, require_word, sign

if TYPE_CHECKING:
    from fractions import Fraction

    from proofs.arithmetic import Matrix
    from proofs.theorems.card import Application

    Word = tuple[str, ...]


def check(step: Application) -> BorderCollision:
    """Verify one application; see the card above."""
    line, bits, size = step.cite(Line), step.needed_bits(), step.network.dimension
    ends, word = read_range(step, line, 1), read_word(step, 1)
    step.require(1, step.network.hinges > 0, "a network with hinges", "none")
    time, unit = step.witness.integer("time", 1, len(word)), step.witness.integer("unit", 1, step.network.hinges)
    inverse = step.witness.matrix("inverse", (size, size))
    side = _side(step, line, word, ends, inverse, [(time, unit)], bits)
    first, last = (_value(step, line, word, (end, end), inverse, (time, unit), bits) for end in ends)
    step.require(3, first * last < 0, "strictly opposite signs at low and high", (first, last), "a longer range, or more bits")
    partners: list[tuple[Word, str]] = []
    for content in step.witness.objects("partners"):
        other = _partner(step, content, word, time, unit)
        copies = [(time + i * len(word), unit) for i in range(len(other) // len(word))]
        partners.append((other, _side(step, line, other, ends, content.matrix("inverse", (size, size)), copies, bits)))
        content.close()
    return BorderCollision(line.end.digest, line.at, *ends, word, unit, time, side, tuple(partners))


def _side(
    step: Application,
    line: Line,
    word: Word,
    ends: tuple[Fraction, Fraction],
    inverse: Matrix,
    colliding: list[tuple[int, int]],
    bits: int,
) -> str:
    """Prove that the cycle of ``word`` changes at the colliding places only, and say on which side of mu* it exists."""
    gates = gates_on(step, 2, line, word, ends, inverse, bits)
    require_letters(step, 4, word, gates, set(colliding))
    agreeing: set[bool] = set()
    for time, unit in colliding:
        speed = gates[time - 1][unit - 1][1]
        step.require(3, sign(speed) != 0, f"d/dmu of pre-activation ({time}, {unit}) not 0 on the range", speed, "a shorter range")
        agreeing.add((sign(speed) > 0) == (word[time - 1][unit - 1] == "1"))
    return "never" if len(agreeing) > 1 else "after" if True in agreeing else "before"


def _value(
    step: Application, line: Line, word: Word, ends: tuple[Fraction, Fraction], inverse: Matrix, place: tuple[int, int], bits: int
) -> int:
    return sign(gates_on(step, 2, line, word, ends, inverse, bits)[place[0] - 1][place[1] - 1][0])


def _partner(step: Application, content: Fields, word: Word, time: int, unit: int) -> Word:
    other = content.texts("itinerary")
    require_word(step, 5, other)
    copies, rest = divmod(len(other), len(word))
    step.require(5, other != word, "a partner with another itinerary", "the same")
    step.require(5, rest == 0, f"a partner whose length is a multiple of {len(word)}", len(other))
    for place, (mine, theirs) in enumerate(zip(word * copies, other, strict=True)):
        differ = {i + 1 for i, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b}
        allowed = {unit} if place % len(word) == time - 1 else set()
        step.require(5, differ <= allowed, f"letters of w but for unit {unit} at time {time}", ("another letter at place", place + 1))
    return other
