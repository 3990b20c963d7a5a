"""Inputs meant to crash the checker, to exhaust it, or to make it say something false; each must end in one of the three answers, soon."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest

import proofs
from proofs.claims import ExactCycle
from proofs.network import Network
from tests.proofs.workbench import DUMMY, FLIP, HALF, SMOOTH, TENT, Step, certificate, letter, linear, prove, shallow

LONG = "0x" + "f" * 4000
VAST = "0x" + "f" * 100_000
TINY = "1p-400000"
THREE: Step = ("odd_period", (), {"point": "1/4", "times": 3})
WIDE: dict[str, object] = {"intervals": [[f"-{LONG}", LONG]], "extremes": [["0", LONG]], "weights": [TINY]}
ZERO_BASE: Step = ("cyclic_system", (), {"period": 1, "base": "00", "inverse": [["1"]]})
STEEP = f"0x1{'8' * 99_000}p-396000"
FLOATS = shallow([1, 1], [0, "-1/2"], [Fraction(1.9999), Fraction(-3.9997)])


@pytest.mark.parametrize(
    ("network", "steps"),
    [
        (TENT, [("exact_cycle", (), {"point": [LONG], "period": 2})]),
        (TENT, [("li_yorke", (), {"point": LONG})]),
        (TENT, [("odd_period", (), {"point": VAST, "times": 3})]),
        (FLOATS, [("exact_cycle", (), {"point": ["1/3"], "period": 400})]),
        (FLOATS, [("odd_period", (), {"point": "1/3", "times": 401})]),
        (HALF, [("contraction", (), {"weights": [TINY], "rate": "1/3"})]),
        (TENT, [THREE, ("entropy_from_period", (1,), {"rate": VAST})]),
        (TENT, [THREE, ("entropy_from_period", (1,), {"rate": f"{VAST}/0x7{'f' * 99_999}"})]),
        (TENT, [("odd_period", (), {"point": "1/4", "times": 9999}), ("entropy_from_period", (1,), {"rate": STEEP})]),
        (linear([["7/5"]]), [("no_period", (), {"period": 3}), ("no_period", (), {"period": 998})]),
        (HALF, [("cycle", (), {"points": [["1p-399999"]], "radius": TINY, "itinerary": [""], "inverse": [["2"]]})]),
        (HALF, [("cycle", (), {"points": [["1"] * 10_000 + [TINY]], "radius": "1", "itinerary": [""], "inverse": [["2"]]})]),
        (SMOOTH, [("cycle", (), {"points": [[VAST]], "radius": TINY, "inverse_block": [["2"]], "bits": 8})]),
        (SMOOTH, [("odd_period", (), {"point": LONG, "times": 3, "bits": 8})]),
        (TENT, [("covering_intervals", (), {"iterate": 1, "rate": VAST, **WIDE})]),
    ],
)
def test_refused_with_a_short_letter_and_soon(network: Network, steps: list[Step]) -> None:
    begin = time.process_time()
    answer = letter(network, *steps)
    assert answer.startswith(("Rejected", "Malformed"))
    assert len(answer) < 1500
    assert time.process_time() - begin < 30


@pytest.mark.parametrize(
    ("network", "steps"),
    [
        (HALF, [("exact_cycle", (), {"point": ["DEEP"], "period": 1})]),
        (HALF, [("cycle", (), {"points": [["0"]], "radius": "1", "itinerary": [""], "inverse": [["DEEP"]]})]),
        (TENT, [("forbidden_words", (), {"words": ["DEEP"]})]),
        (TENT, [("forbidden_words", (), {"words": [["00", "DEEP"]]})]),
        (TENT, [("necklaces", (), {"up_to": 1, "singular": ["DEEP"]})]),
        (TENT, [("cyclic_system", (), {"period": 1, "base": "00", "inverse": "DEEP"})]),
        (TENT, [ZERO_BASE, ("cyclic_tree", (1,), {"path": [], "nodes": ["DEEP"]})]),
        (TENT, [ZERO_BASE, ("cyclic_tree", (1,), {"path": [], "nodes": [{"farkas": ["DEEP", "0"]}]})]),
        (TENT, [ZERO_BASE, ("unique_for_every_bias", (1,), {"scaling": ["DEEP", "1"]})]),
    ],
)
def test_no_depth_of_nesting_is_too_much(network: Network, steps: list[Step]) -> None:
    """Somewhere below a thousand brackets Python can still read a list and, some frames deeper, no longer show it."""
    content = certificate(network, [DUMMY], *steps)
    for depth in (400, *range(960, 1000), 5000):
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
            deep = content.replace(b'"DEEP"', opening * depth + (b"0" if opening != b"[" else b"") + closing * depth)
            with pytest.raises((proofs.Malformed, proofs.Rejected)):
                proofs.check(deep)


def test_true_claims_about_numbers_of_many_digits_are_proved_and_said() -> None:
    tiny = Fraction(1, 1 << 20_000)
    verdict = prove(FLIP, ("exact_cycle", (), {"point": ["1p-20000"], "period": 2}))
    assert verdict.claims == (ExactCycle(((tiny,), (-tiny,))),)
    assert len(verdict.statement) < 700
    steps: tuple[Step, ...] = (
        ("contraction", (), {"weights": ["1p-20000"], "rate": "1/2"}),
        ("cycle", (), {"points": [["0"]], "radius": TINY, "itinerary": [""], "inverse": [["2"]]}),
    )
    for step in steps:
        assert len(prove(HALF, step).statement) < 700
