"""The boxes behind the words "staying in a region"."""

from __future__ import annotations

from fractions import Fraction

from proofs.exponents import BoxContraction, DrivenContraction, VolumeBounds
from proofs.space import ExponentBounds, TrappingBox
from verify.lyapunov.regions import Region, regions_of

LOW, HIGH = (Fraction(-1), Fraction(0)), (Fraction(1, 3), Fraction(2))


def test_boxes_of_claims() -> None:
    contracting = BoxContraction(((),), LOW, HIGH, Fraction(1, 2))
    everywhere = VolumeBounds(Fraction(0), Fraction(1), 2, 2, (), ())
    inside = VolumeBounds(Fraction(0), Fraction(1), 2, 2, LOW, HIGH)
    means = ExponentBounds(None, Fraction(1), TrappingBox(LOW, HIGH))
    found = regions_of([DrivenContraction(Fraction(1, 2)), contracting, everywhere, inside, means, ExponentBounds(None, Fraction(1), None)])
    assert [region.theorem for region in found] == ["box_contraction", "volume", "cycle_mean"]
    assert all((region.low, region.high) == (LOW, HIGH) for region in found)


def test_what_is_told() -> None:
    region = Region("volume", LOW, HIGH)
    sides = "of volume: z_1 in [-1.000000, 0.333333], z_2 in [0.000000, 2.000000]"
    assert region.told([0.0, 2.0]) == f"{sides}; the stated start lies in it"
    assert region.told([0.3333333333333334, 1.0]) == f"{sides}; the stated start lies outside it"  # a float above 1/3
    assert region.told([]) == sides
    assert Region("volume", LOW * 2, HIGH * 2).told([]).endswith(", ..")
    assert region.as_json() == {"theorem": "volume", "low": ["-1", "0"], "high": ["1/3", "2"]}


def test_what_is_told_lies_inside() -> None:
    """A box is told by ends inside it, however small it is: orbits that start there are the ones that are spoken of."""
    third, tiny = Fraction(1, 3), Fraction(1, 10**20)
    region = Region("box_contraction", (third, third, third), (third + 3 * tiny, third, third + 1))
    told = region.told([])
    first = "z_1 in [0.33333333333333333334, 0.33333333333333333336]"
    assert told.startswith(f"of box_contraction: {first}, z_2 in [1/3, 1/3], z_3 in [0.333334, 1.333333]")
    assert told.endswith("; orbits that start in it stay in it")
    whole = Region("volume", (Fraction(3, 10**7),), (Fraction(5, 10**7),))
    assert whole.told([0.0]) == "of volume: z_1 in [0.0000003, 0.0000005]; the stated start lies outside it"
