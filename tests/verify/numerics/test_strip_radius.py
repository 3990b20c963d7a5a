"""Strips that bear a weight radius: what floats let through the checker accepts, and what is far too much nothing bears."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from tests.known.plane_maps import lozi, widened
from verify.certification.draft import Draft
from verify.certification.horseshoe import prove_horseshoe
from verify.numerics.strip_radius import surviving
from verify.search.entropy_graph import find_entropy_graph

LOZI = lozi("17/10", "1/2")


def test_strips_of_a_sturdy_graph() -> None:
    covering = find_entropy_graph(LOZI, budget_seconds=2.0, most_paths=300, overshoot=0.3)
    assert covering is not None
    assert len(surviving(LOZI, covering, covering.strips)) == len(covering.strips)
    network = widened(LOZI, Fraction(1, 2**16))
    kept = surviving(network, covering, covering.strips)
    assert 2 <= len(kept) <= len(covering.strips)
    assert not isinstance(prove_horseshoe(Draft(network), replace(covering, strips=tuple(kept))), str)
    assert surviving(widened(LOZI, Fraction(1, 8)), covering, covering.strips) == []
