"""Candidates become certified cycles: A2 where the orbit keeps off every border, A1 where it touches one, A3 for stability."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from proofs.arithmetic import Interval, Matrix
from proofs.claims import BallCycle, Cycle, CycleClaim, ExactCycle, MultiplierModuli, Stability
from proofs.errors import Rejected
from verify.candidates import Candidate, Unresolved
from verify.certification.draft import Draft, in_short, spelled, spelled_rows
from verify.certification.orbits import Orbit, PieceTable, block_matrix, closed_orbit, enclosure_witness, orbit_key
from verify.numerics.balls import SingularError, approximate_inverse, det_sign, eigenvalues
from verify.numerics.box_images import BoxNetwork
from verify.numerics.lyapunov_forms import cyclic_forms
from verify.numerics.smooth_balls import fitting_ball

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proofs.network import Network
    from verify.numerics.batch import Floats

_MAX_BLOCK = 160
_MAX_FORMS = 500
_MAX_MODULI = 64
_MOST_MODULI = 200
_FORM_BITS = (160, 640)
_SMOOTH_RADII = (40, 36, 32, 28, 24, 20, 16, 12)
_RATE_SHIFT = 2.0**-11
_SAME = 1e-7  # beside the size of the points: orbits of the middle network that are nearer are one
SINGULAR = "its linear system is singular: none, one point or a whole polyhedron of periodic points; not decided here"
BORDER = "touches a border (a pre-activation is 0 on it): proved exactly; it has no multipliers there"
UNIT_MULTIPLIER = "stability not decided: a multiplier is on the unit circle or too close to it"
NOT_FOR_ALL = "stability not decided for every network within the radius: a multiplier may cross the unit circle there"
MEETING = "its balls meet those of another cycle: for some network within the radius they may be one"
NO_STABILITY = "proved; stability not computed: one of many cycles"
NO_ENCLOSURE = "proved exactly (card A1); the checker accepted no enclosure of it, and stability was not computed"


@dataclass(frozen=True)
class CertifiedCycle:
    """A cycle that the kernel accepted, with what else is known of it.

    ``multipliers`` are FLINT enclosures (real and imaginary parts), not kernel-checked; ``signs`` are the signs of det(I - P), det(I + P).
    """

    claim: CycleClaim
    stability: Stability | None
    moduli: MultiplierModuli | None
    itinerary: tuple[str, ...] | None
    points: tuple[tuple[Interval, ...], ...]
    multipliers: tuple[tuple[Interval, Interval], ...] | None
    margin: Fraction | None
    signs: tuple[int, int] | None
    note: str = ""

    @property
    def period(self) -> int:
        """Return the least period."""
        return self.claim.period

    @property
    def heading(self) -> Stability | CycleClaim:
        """Return the strongest claim about it that a certificate should name first."""
        return self.stability or self.claim


class CycleProver:
    """Certifies candidates one by one into one draft; the same orbit is certified once."""

    def __init__(self, draft: Draft, center: Network, most_moduli: int = _MOST_MODULI) -> None:
        """``center`` is the draft's network without weight radii; card A3b is applied to the first ``most_moduli`` cycles."""
        self.draft = draft
        self.center = center
        self._table = PieceTable(center)
        self._most_moduli = most_moduli
        self._boxes: list[tuple[tuple[Interval, ...], ...]] = []
        self._orbits: list[Floats] = []
        self.steps: dict[object, int] = {}
        self.with_stability = True

    def prove(self, candidate: Candidate) -> CertifiedCycle | Unresolved | None:
        """Certify one candidate.

        Returns None for an orbit that was certified already or that exact arithmetic refutes; Unresolved, with the reason, where the linear
        system is singular or the kernel rejected every form of witness.
        """
        if candidate.itinerary is None:
            return self._prove_smooth(candidate)
        try:
            orbit = closed_orbit(self._table, candidate.itinerary)
        except SingularError:
            return Unresolved(candidate.itinerary, SINGULAR)
        return self.prove_orbit(orbit)

    def prove_orbit(self, orbit: Orbit) -> CertifiedCycle | Unresolved | None:
        """Certify an exact closed orbit, as ``prove`` does; then ``steps[orbit_key(orbit)]`` is the step that claims it, 0 if none does."""
        key = orbit_key(orbit)
        if key in self.steps or not orbit.is_real:
            return None
        self.steps[key] = 0
        least = orbit.least_period
        if orbit.touches_border:
            return self.prove_exactly(orbit, BORDER)
        return self._prove_strict(orbit if least == len(orbit.points) else closed_orbit(self._table, orbit.itinerary[:least]))

    def _prove_strict(self, orbit: Orbit) -> CertifiedCycle | Unresolved:
        try:
            number, claim = self._enclose(orbit)
            self.steps[orbit_key(orbit)] = number
        except Rejected as failure:
            return Unresolved(orbit.itinerary, f"the kernel accepted no enclosure of this orbit: {in_short(failure)}")
        except SingularError:
            return Unresolved(orbit.itinerary, SINGULAR)
        jacobians = [piece.jacobian for piece in orbit.pieces]
        stability, note = self._stability(number, jacobians) if self.with_stability else (None, NO_STABILITY)
        moduli = self._moduli(number, orbit.product, jacobians) if self.with_stability else None
        identity = Matrix.identity(self.center.dimension)
        found = eigenvalues(orbit.product) if self.draft.network.is_exact else None
        return CertifiedCycle(
            claim,
            stability,
            moduli,
            orbit.itinerary,
            _balls(claim),
            tuple(found) if found else None,
            orbit.margin if self.draft.network.is_exact else None,
            (det_sign(identity - orbit.product), det_sign(identity + orbit.product)) if self.draft.network.is_exact else None,
            note,
        )

    def _enclose(self, orbit: Orbit) -> tuple[int, Cycle]:
        witness = enclosure_witness(orbit, exact=self.draft.network.is_exact)
        points, radius, inverse, bits = (witness[name] for name in ("points", "radius", "inverse", "bits"))
        base = _spelled_points(points, radius, bits) | {"itinerary": list(orbit.itinerary)}
        try:
            number, claim = self.draft.add("cycle", base | {"inverse": _rows(inverse)})
        except Rejected:
            if len(orbit.points) * self.center.dimension > _MAX_BLOCK or len(orbit.points) == 1:
                raise
            block = approximate_inverse(block_matrix([piece.jacobian for piece in orbit.pieces]))
            number, claim = self.draft.add("cycle", base | {"inverse_block": _rows(block)})
        return number, _as_cycle(claim)

    def prove_exactly(self, orbit: Orbit, note: str = NO_ENCLOSURE) -> CertifiedCycle | Unresolved:
        """Certify an exact closed orbit by card A1, which needs no pattern and says nothing of stability."""
        try:
            number, claim = self.draft.add("exact_cycle", {"point": spelled(orbit.points[0]), "period": orbit.least_period})
        except Rejected as failure:
            return Unresolved(orbit.itinerary, f"card A1 does not apply: {in_short(failure)}")
        if not isinstance(claim, ExactCycle):
            raise TypeError(claim)
        self.steps[orbit_key(orbit)] = number
        points = tuple(tuple(Interval(x, x) for x in point) for point in claim.points)
        return CertifiedCycle(claim, None, None, None, points, None, orbit.margin, None, note)

    @cached_property
    def _maps(self) -> BoxNetwork:
        return BoxNetwork(self.draft.network)

    def _prove_smooth(self, candidate: Candidate) -> CertifiedCycle | Unresolved | None:
        if not self.draft.network.is_exact and any(_same_orbit(candidate.points, known) for known in self._orbits):
            return None
        points = tuple(tuple(Fraction(float(x)) for x in point) for point in candidate.points)
        jacobians = [self.center.jacobian(Matrix.column(point), 96) for point in points]
        name, failure = f"a period-{candidate.period} candidate", ""
        try:
            for radius, inverse in self._trials(candidate.points, jacobians):
                base = _spelled_points(points, radius, 96)
                try:
                    number, claim = self.draft.add("cycle", base | {"inverse_block": inverse})
                except Rejected as rejected:
                    failure = failure or in_short(rejected)
                    continue
                return self._finish_smooth(number, claim, jacobians, candidate)
        except SingularError as singular:
            return Unresolved((), f"{name}: {str(singular) or SINGULAR}")
        return Unresolved((), f"{name}: no ball passed Krawczyk's test: {failure}")

    def _trials(self, points: Floats, jacobians: list[Matrix]) -> Iterator[tuple[Fraction, list[list[str]]]]:
        """Yield radii with inverses: small ones for one network, the one that fits all within a radius. **Raises:** SingularError."""
        if not self.draft.network.is_exact:
            ball = fitting_ball(self._maps, points)
            if ball.reason:
                raise SingularError(ball.reason)
            yield Fraction(ball.radius), _rows(Matrix.exact([Fraction(x) for x in row] for row in ball.inverse.tolist()))
            return
        inverse = _rows(approximate_inverse(block_matrix([Matrix(jacobian.mid, None, jacobian.den) for jacobian in jacobians])))
        for power in _SMOOTH_RADII:
            yield Fraction(1, 1 << power), inverse

    def _finish_smooth(
        self, number: int, claim: object, jacobians: list[Matrix], candidate: Candidate
    ) -> CertifiedCycle | Unresolved | None:
        if not isinstance(claim, BallCycle):
            raise TypeError(claim)
        boxes = _balls(claim)
        if any(_overlap(boxes, other) for other in self._boxes):
            self.draft.drop(number)
            return None if self.draft.network.is_exact else Unresolved((), f"a period-{candidate.period} candidate: {MEETING}")
        self._orbits.append(candidate.points)
        self._boxes.append(boxes)
        centers = [Matrix(j.mid, None, j.den) for j in jacobians]
        stability, note = self._stability(number, centers)
        product = wide = Matrix.identity(self.center.dimension)
        for center, box in zip(centers, boxes, strict=True):
            product = (center @ product).rounded(192)
            wide = (self.draft.network.jacobian(_box(box), 96) @ wide).rounded(192)
        moduli = self._moduli(number, Matrix(product.mid, None, product.den), centers)
        found = eigenvalues(wide)
        return CertifiedCycle(claim, stability, moduli, None, boxes, tuple(found) if found else None, None, None, note)

    def _stability(self, number: int, jacobians: list[Matrix]) -> tuple[Stability | None, str]:
        if len(jacobians) * self.center.dimension > _MAX_FORMS:
            return None, f"stability not attempted: period times dimension is over {_MAX_FORMS}"
        forms = cyclic_forms(jacobians, 1.0)
        if forms is None:
            return None, UNIT_MULTIPLIER
        for bits in _FORM_BITS:
            try:
                _, claim = self.draft.add("stability", {"forms": [_rows(form) for form in forms], "bits": bits}, [number])
            except Rejected:
                continue
            if isinstance(claim, Stability):
                return claim, ""
        return None, UNIT_MULTIPLIER if self.draft.network.is_exact else NOT_FOR_ALL

    def _moduli(self, number: int, product: Matrix, jacobians: list[Matrix]) -> MultiplierModuli | None:
        """Bound the largest exponent from both sides where the forms are cheap."""
        proved, size = len(self.steps) + len(self._boxes), len(jacobians) * self.center.dimension
        if size > _MAX_MODULI or proved > self._most_moduli or not self.draft.network.is_exact:
            return None
        found = eigenvalues(product)
        modulus = abs(complex(float(found[0][0].hi), float(found[0][1].hi))) if found else 0.0
        rate = modulus ** (1 / len(jacobians))
        rates = [Fraction(rate * factor).limit_denominator(10**6) for factor in (1 - _RATE_SHIFT, 1 + _RATE_SHIFT)]
        if rates[0] <= 0 or rates[0] == rates[1]:
            return None
        levels = [cyclic_forms(jacobians, float(rate)) for rate in rates]
        if any(level is None for level in levels):
            return None
        witness = {"rates": spelled(rates), "levels": [[_rows(form) for form in level or []] for level in levels], "bits": _FORM_BITS[0]}
        try:
            _, claim = self.draft.add("multiplier_moduli", witness, [number])
        except Rejected:
            return None
        return claim if isinstance(claim, MultiplierModuli) else None


def _as_cycle(claim: object) -> Cycle:
    if not isinstance(claim, Cycle):
        raise TypeError(claim)
    return claim


def _rows(matrix: object) -> list[list[str]]:
    if not isinstance(matrix, Matrix):
        raise TypeError(matrix)
    return spelled_rows(matrix)


def _spelled_points(points: object, radius: object, bits: object) -> dict[str, object]:
    if not isinstance(points, tuple) or not isinstance(radius, Fraction):
        raise TypeError(points)
    witness: dict[str, object] = {"points": [spelled(point) for point in points], "radius": spelled([radius])[0]}
    return witness if bits is None else witness | {"bits": bits}


def _balls(claim: CycleClaim) -> tuple[tuple[Interval, ...], ...]:
    radius = claim.radius if isinstance(claim, Cycle | BallCycle) else Fraction(0)
    return tuple(tuple(Interval(x - radius, x + radius) for x in point) for point in claim.points)


def _box(intervals: tuple[Interval, ...]) -> Matrix:
    return Matrix.intervals(intervals)


def _overlap(one: tuple[tuple[Interval, ...], ...], two: tuple[tuple[Interval, ...], ...]) -> bool:
    """Say whether ball 1 of one cycle meets some ball of the other; then they are not proved distinct."""
    return len(one) == len(two) and any(not any(a.apart(b) for a, b in zip(one[0], ball, strict=True)) for ball in two)


def _same_orbit(one: Floats, two: Floats) -> bool:
    """Say whether some rotation brings the points together. **Shapes:** (k, M) each, k the least period."""
    if one.shape != two.shape:
        return False
    room = _SAME * float(np.abs(one).max())
    return any(float(np.abs(np.roll(two, -start, axis=0) - one).max()) <= room for start in range(len(one)))
