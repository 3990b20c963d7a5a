"""Witnesses of complex pairs, from an event to the kernel."""

from __future__ import annotations

from fractions import Fraction

import pytest

from proofs.errors import Rejected
from proofs.parameters import ComplexPair
from tests.corpus import pairs as corpus
from tests.corpus.parts import lozi, plrnn
from verify.certification.draft import Draft
from verify.certification.pair_steps import pair_witness
from verify.errors import NotFound
from verify.events import Event
from verify.loading import load
from verify.paths import Path, vary

TOY = {"A": ["0.83777", "0.96461"], "W": [["0", "-0.64375"], ["0.52505", "0"]], "h": ["0.37298", "-0.97931"]}
PLACE = Fraction("0.6619990625") / Fraction("0.83777")


def event(mu: Fraction, width: Fraction, *word: str) -> Event:
    """Return a suspected event."""
    return Event("complex_pair", mu - width, mu + width, word)


def proved(path: Path, suspected: Event, bits: int = 160) -> ComplexPair:
    """Return the claim of the certificate that the builder's witness makes, checked from its bytes."""
    draft = Draft(path.start)
    number, _ = draft.add("path", path.witness())
    _, claim = draft.add("complex_pair", pair_witness(path, suspected, bits), [number])
    assert isinstance(claim, ComplexPair)
    assert draft.finish([claim])[1].claims == (claim,)
    return claim


@pytest.mark.parametrize("width", [Fraction(1, 10**20), Fraction(1, 10**12), Fraction(1, 10**6), Fraction(1, 1000)])
def test_the_toy(width: Fraction) -> None:
    claim = proved(vary(load(TOY, model="plrnn"), "A[1]=0:1"), event(PLACE.limit_denominator(10**25), width, "11"))
    assert claim.low < PLACE < claim.high
    assert claim.crossing == "outward"
    assert claim.trace[0] < PLACE + Fraction("0.83777") < claim.trace[1]


def test_the_pair_of_a_cycle_of_two() -> None:
    path = Path(lozi("1", "3/2"), lozi("1", "1/2"), Fraction(-3, 2), Fraction(-1, 2))
    claim = proved(path, event(Fraction(-1), Fraction(1, 10**9), "01", "10"))
    assert claim.crossing == "inward"
    assert claim.trace[0] < 1 < claim.trace[1]


def test_one_pair_of_two() -> None:
    """Two planes turn, one of them inside the circle, and drive each other a little."""
    rows = [["1", "-1", "1/7", 0], ["1/2", 0, 0, "1/9"], ["1/8", 0, 0, "-1/3"], [0, "1/5", "1/2", "1/4"]]
    further = [["1", "-1", "1/7", 0], ["3/2", 0, 0, "1/9"], ["1/8", 0, 0, "-1/3"], [0, "1/5", "1/2", "1/4"]]
    nothing = [[0] * 4] * 4
    path = Path(plrnn(rows, nothing, [1, 2, 3, 4]), plrnn(further, nothing, [1, 2, 3, 4]), Fraction(0), Fraction(1))
    low, high = Fraction(0), Fraction(1)
    for _ in range(60):
        middle = (low + high) / 2
        inside = abs(corpus.modulus_of(corpus.whole(path.at(middle), ["0000"]))) < 1
        low, high = (middle, high) if inside else (low, middle)
    word = "".join("1" if value > 0 else "0" for value in corpus.fixed(path.at(low)))
    claim = proved(path, event(low, Fraction(1, 10**10), word))
    assert claim.crossing == "outward"


def test_where_the_cycle_is_virtual_the_kernel_refuses() -> None:
    path = vary(load(TOY, model="plrnn"), "A[0]=0:1")
    place = (Fraction("0.6619990625") / Fraction("0.96461")).limit_denominator(10**20)
    draft = Draft(path.start)
    number, _ = draft.add("path", path.witness())
    with pytest.raises(Rejected, match="check 3"):
        draft.add("complex_pair", pair_witness(path, event(place, Fraction(1, 10**9), "11")), [number])


def test_real_multipliers_are_not_found() -> None:
    path = vary(load(TOY, model="plrnn"), "A[1]=0:1")
    with pytest.raises(NotFound, match="all multipliers are real"):
        pair_witness(path, event(PLACE, Fraction(1, 10**9), "00"))


def test_a_multiplier_one_is_not_found() -> None:
    ones = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    zero = [[0] * 3] * 3
    path = Path(plrnn(ones, zero, [1, 1, 1]), plrnn(ones, zero, [1, 1, 2]), Fraction(0), Fraction(1))
    with pytest.raises(NotFound, match="singular"):
        pair_witness(path, event(Fraction(1, 2), Fraction(1, 10**9), "111"))
