"""Everything that can be proved of the exponents of a network, in one certificate."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import log, sqrt

import numpy as np
import pytest

from proofs import check
from proofs.errors import Malformed, Rejected
from tests.verify.certification.test_cycle_exponents import W, lozi, plain
from verify.certification.spectra import Entry, ProvedExponents, _Work, certify_exponents
from verify.lyapunov.results import Certified, Exact
from verify.models.gated import Layer, driven_program, step_program


def entries(found: ProvedExponents, of: object, scope: str, kind: type = Certified) -> list[Entry]:
    """Return what is said of one exponent with one scope; the certificate must pass once more."""
    assert found.certificate is not None
    assert check(found.certificate).theorems == found.theorems
    return [entry for entry in found.entries if entry.of == of and entry.scope == scope and isinstance(entry, kind)]


def _nothing(_: _Work) -> None:
    """Stand for the bounds for all orbits, which take all the time there is."""


def encloses(entry: Entry, value: float, width: float) -> bool:
    """Say whether an enclosure is about this narrow and holds the value."""
    assert entry.lower is not None
    assert entry.upper is not None
    return entry.lower - Fraction(1e-14) <= Fraction(value) <= entry.upper + Fraction(1e-14) and entry.upper - entry.lower <= Fraction(
        width
    )


def test_a_contraction_gives_every_orbit_the_bound_of_its_fixed_point() -> None:
    weights = np.array([[0.3, -0.2], [0.1, 0.25]])
    found = certify_exponents(plain(weights), start=[0.5, -0.5], budget=5.0)
    modulus = abs(np.linalg.eigvals(weights))
    for of in (1, 2):
        (entry,) = entries(found, of, "this cycle")
        assert encloses(entry, log(modulus[of - 1]), 1e-20)
    (every,) = entries(found, 1, "every orbit")
    assert every.theorem == "attracted"
    assert every.lower is None
    assert every.upper is not None
    assert 0 <= every.upper - Fraction(log(modulus[0])) + Fraction(1e-14) <= Fraction(2e-14)
    (bound,) = entries(found, 1, "every orbit, every input")
    assert bound.lower is None
    assert bound.upper is not None
    assert every.upper < bound.upper < 0


def test_the_stable_cycle_of_the_integer_net() -> None:
    found = certify_exponents(plain(W), start=[0.1, 0.2, -0.3], budget=2.0)
    values = [float(entries(found, of, "this cycle")[0].upper or 0) for of in (1, 2, 3)]
    assert values == pytest.approx([-1.0169133922, -3.6951472621, -8.5860879295], abs=1e-10)
    assert any("contraction (C1)" in reason for reason in found.undecided)


def test_lozi_its_sum_and_its_upper_end() -> None:
    x = 1 / 2.2
    found = certify_exponents(lozi(), start=[x, x / 2], budget=60.0)
    (total,) = entries(found, "sum", "every orbit")
    assert encloses(total, log(0.5), 1e-20)
    (orbit,) = entries(found, 1, "this cycle")
    assert encloses(orbit, log((1.7 + sqrt(4.89)) / 2), 1e-20)
    assert min(entry.upper or 0 for entry in entries(found, 1, "every orbit staying in a region")) < Fraction(68, 100)


def test_the_tent_map_as_a_network_of_rank_one() -> None:
    found = certify_exponents(plain([[2.0, -4.0], [2.0, -4.0]], [0.0, -0.5], "relu"), start=[0.3, 0.1], budget=2.0)
    (first,) = entries(found, 1, "almost every orbit in a region", Exact)
    assert isinstance(first, Exact)
    assert first.text == "log(2)"
    assert encloses(first, log(2), 1e-30)
    (second,) = entries(found, 2, "every orbit", Exact)
    assert second.as_json()["value"] == "-infinity"
    assert (second.lower, second.upper) == (None, None)


def test_exponents_of_a_driven_network_are_divided_by_the_period() -> None:
    layer = Layer("rnn_tanh", np.array([[1.0]]), np.array([[0.5]]))
    same = certify_exponents(step_program([layer], [1.0]), start=[0.1], budget=2.0)
    twice = certify_exponents(driven_program([layer], [[1.0], [1.0]]), start=[0.1], budget=2.0, period=2)
    (one,), (two,) = entries(same, 1, "this cycle"), entries(twice, 1, "this cycle")
    assert one.lower is not None
    assert one.upper is not None
    assert two.lower is not None
    assert two.upper is not None
    assert max(one.lower, two.lower) <= min(one.upper, two.upper)
    assert two.upper - two.lower < Fraction(1, 10**20)


@pytest.mark.parametrize("inputs", [[[0.3]], [[0.3], [-0.8]]])
def test_an_lstm_has_twice_as_many_exponents_as_units(inputs: list[list[float]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Work, "regions", _nothing)
    random = np.random.default_rng(1)
    layer = Layer("lstm", random.normal(size=(8, 1)) / 2, random.normal(size=(8, 2)) / 2, random.normal(size=8) / 2)
    found = certify_exponents(driven_program([layer], inputs), period=len(inputs), budget=60.0)
    values = [entries(found, of, "this cycle")[0] for of in (1, 2, 3, 4)]
    assert all(entry.lower is not None and entry.upper is not None and entry.upper < 0 for entry in values)
    assert any("mul" in reason for reason in found.undecided)


def test_a_gated_network_of_two_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Work, "regions", _nothing)
    random = np.random.default_rng(2)
    lower = Layer("gru", random.normal(size=(6, 1)), random.normal(size=(6, 2)), random.normal(size=6), random.normal(size=6))
    upper = Layer("gru", random.normal(size=(6, 2)), random.normal(size=(6, 2)), random.normal(size=6), random.normal(size=6))
    found = certify_exponents(step_program([lower, upper], [0.3]), budget=60.0)
    assert all(entries(found, of, "this cycle") for of in (1, 2, 3, 4))


def test_a_claim_that_says_more_is_rejected() -> None:
    found = certify_exponents(lozi(), budget=1.0)
    assert found.certificate is not None
    volume = next(claim for claim in found.certificate.claims if claim.kind == "volume_bounds")
    tampered = replace(volume, rank=1)  # type: ignore[call-arg]
    with pytest.raises(Rejected):
        check(replace(found.certificate, claims=(tampered,)))


def test_progress_is_told() -> None:
    told: list[tuple[str, int, int]] = []
    certify_exponents(plain([[0.5]]), start=[0.5], budget=1.0, progress=lambda *what: told.append(what))
    assert told[0][1] == 0
    assert told[-1][0] == "done"


@pytest.mark.parametrize(
    "wrong", [{"period": 0}, {"budget": 0.0}, {"budget": float("nan")}, {"digits": 0}, {"digits": 61}, {"start": [1.0]}]
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Malformed, match=next(iter(wrong))):
        certify_exponents(plain(W), **wrong)  # type: ignore[arg-type]
