"""Finite-time Lyapunov exponents of one orbit, proved (card finite_time): T steps from a stated start, under stated inputs or none.

They are (1/T) log of the singular values of DF^T along the exact orbit of the start, not limits: what is proved ends after T steps. Where a
network is chaotic a simulation in floats leaves that orbit after some steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isfinite
from time import monotonic, process_time

from proofs.arithmetic import Matrix
from proofs.certificate import Certificate
from proofs.claims import Claim
from proofs.errors import Malformed, Rejected
from proofs.exponents import FiniteTime
from proofs.functions import log
from proofs.kernel import check
from proofs.network import Network
from proofs.theorems.card import MAX_BITS, MAX_SMOOTH_BITS
from proofs.theorems.finite_time import MAX_STEPS
from verify.certification.draft import Draft, in_short, spelled, spelled_rows
from verify.certification.driven import alphabet
from verify.certification.finite_time_rates import rates_for
from verify.certification.symbols import MOST_SYMBOLS, symbols_of
from verify.lyapunov.results import Certified, Scope
from verify.models.gated import Number, layers_of
from verify.numerics.finite_times import BorderError, Growth, Product, enclosed_product, missing_bits, rough_growth

STEPS = 20
WIDTH = 1e-6
BUDGET = 20.0
_ROUNDS = 40
_SLACKS = 3
_SHARE, _FEWEST_SECONDS, _MOST_SECONDS = 0.2, 1.0, 8.0  # of a budget for more than these exponents
_CHECKS = 2  # the kernel runs when the step is added and when the certificate is finished
_SECONDS_A_PRODUCT = 5e-7  # of short numbers, at least
_LEAST_BITS = 64
_SHRINK = 0.8
_LOG_BITS = 128


@dataclass(frozen=True)
class Orbit:
    """Where an orbit starts and what drives it: one network a symbol, alike but for biases, and the symbol of each step, from 0."""

    start: tuple[Fraction, ...]
    networks: tuple[Network, ...]
    order: tuple[int, ...]
    driven: bool = False

    @property
    def steps(self) -> int:
        """Return T."""
        return len(self.order)

    def cut(self, steps: int) -> Orbit:
        """Return the first steps, with the symbols that they use."""
        kept = self.order[:steps]
        used = {number: place for place, number in enumerate(dict.fromkeys(kept))}
        return replace(self, networks=tuple(self.networks[i] for i in used), order=tuple(used[i] for i in kept))


@dataclass(frozen=True)
class FiniteTimeFound:
    """The claim that passed the kernel, or None; its entries in nats a step; what was given up and why."""

    claim: FiniteTime | None
    entries: tuple[Certified, ...]
    undecided: tuple[str, ...]


@dataclass(frozen=True)
class ProvedFiniteTime:
    """Finite-time exponents over ``steps`` steps, largest first, with their certificate; ``steps`` may be fewer than asked (``undecided``).

    An entry without a lower end lies below what the precision can tell from -infinity.
    **Guarantee:** exact for the entries: ``proofs.check`` has accepted the certificate; None where nothing was proved.
    """

    entries: tuple[Certified, ...] = ()
    claims: tuple[Claim, ...] = ()
    certificate: Certificate | None = None
    undecided: tuple[str, ...] = ()
    steps: int = 0

    @property
    def theorems(self) -> tuple[str, ...]:
        """Return the theorem of each claim."""
        return tuple(claim.kind for claim in self.claims)


@dataclass(frozen=True)
class Wish:
    """How many leading exponents are wanted (None: all), until when (``monotonic``), and how narrow.

    ``period``: a step of the network is so many steps; every exponent is divided by it. **Raises:** Malformed.
    """

    k: int | None
    deadline: float
    width: float = WIDTH
    period: int = 1

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.k is not None and (type(self.k) is not int or self.k < 1):
            raise _unfit("k", "a whole number from 1 on", str(self.k))
        if not (isfinite(self.width) and self.width > 0):
            raise _unfit("width", "a positive number", str(self.width))


def certify_finite_time(
    source: object,
    start: Sequence[Number],
    steps: int = STEPS,
    *,
    inputs: Sequence[Sequence[Number]] | None = None,
    k: int | None = None,
    width: float = WIDTH,
    budget: float = BUDGET,
) -> ProvedFiniteTime:
    """Prove the k largest (None: all) finite-time exponents over ``steps`` steps of the orbit of ``start``, each to about ``width``.

    ``source``: an exact network; or a recurrent torch module, or its layers, with ``inputs`` (at least ``steps`` rows of m numbers; zeros
    without). Floats are taken as the exact numbers that they are. Where the kernel's precision or the budget (seconds, of which most goes
    into the kernel) does not reach, fewer steps are proved or only the leading exponents, and ``undecided`` says so.

    **Guarantee:** exact for the entries. **Raises:** Malformed for starts, inputs and numbers that do not fit; as ``step_program``.

    **Example**

    >>> import numpy as np
    >>> from verify.models.gated import Layer
    >>> found = certify_finite_time([Layer("rnn_relu", np.array([[1.0]]), np.array([[0.5]]))], [2.0], 10)
    >>> [(entry.of, round(float(entry.upper), 5), entry.steps) for entry in found.entries]
    [(1, -0.69315, 10)]
    """
    if not (isfinite(budget) and budget > 0):
        raise _unfit("budget", "a positive number of seconds", str(budget))
    return certify_orbit(orbit_of(source, start, steps, inputs), Wish(k, monotonic() + budget, width))


def certify_orbit(orbit: Orbit, wish: Wish, base: Network | None = None) -> ProvedFiniteTime:
    """Prove the finite-time exponents of an orbit in a certificate about ``base``, alike but for biases (None: its first network)."""
    draft = Draft(base or orbit.networks[0])
    found = prove_finite_time(draft, orbit, wish)
    if found.claim is None:
        return ProvedFiniteTime(undecided=found.undecided)
    certificate, _ = draft.finish([found.claim])
    return ProvedFiniteTime(found.entries, (found.claim,), certificate, found.undecided, found.claim.steps)


def orbit_of(source: object, start: Sequence[Number], steps: int, inputs: Sequence[Sequence[Number]] | None = None) -> Orbit:
    """Return the first steps of an orbit; equal inputs share a symbol. **Raises:** Malformed as ``certify_finite_time``."""
    if type(steps) is not int or not 1 <= steps <= MAX_STEPS:
        raise _unfit("steps", f"a whole number from 1 to {MAX_STEPS}", str(steps))
    if isinstance(source, Network):
        if inputs is not None:
            raise _unfit("inputs", "none: a network file holds its constant input", "some")
        return Orbit(_exact_start(start, source.dimension), (source,), (0,) * steps)
    if inputs is None:
        networks = alphabet(source, [[0.0] * _width(source)])
        return Orbit(_exact_start(start, networks[0].dimension), networks, (0,) * steps)
    if len(inputs) < steps:
        raise _unfit("inputs", f"{steps} rows, one a step", str(len(inputs)))
    rows = [tuple(row) for row in inputs[:steps]]
    symbols = list(dict.fromkeys(rows))
    numbers = {row: number for number, row in enumerate(symbols)}
    networks = alphabet(source, symbols)
    return Orbit(_exact_start(start, networks[0].dimension), networks, tuple(numbers[row] for row in rows), driven=True)


def prove_finite_time(draft: Draft, orbit: Orbit, wish: Wish) -> FiniteTimeFound:
    """Add finite_time to a draft about one of the orbit's networks, or one alike but for biases; return its claim and entries.

    **Guarantee:** exact for the entries, once the draft is finished.
    """
    wanted = wish.k or len(orbit.start)
    if wanted > len(orbit.start):
        raise _unfit("k", f"at most {len(orbit.start)}, one an exponent", str(wanted))
    fitted, product, notes = _fitted(orbit, wish)
    claim, more = (None, []) if product is None else _added(draft, fitted, product, wanted, wish.width)
    entries = () if claim is None else _entries(claim, wanted, wish.period)
    open_ends = sum(entry.lower is None for entry in entries)
    if open_ends and product is not None:
        more.append(f"{open_ends} of {len(entries)} without a lower end: {product.bits} bits do not tell them from -infinity")
    return FiniteTimeFound(claim, entries, tuple(f"finite-time exponents: {note}" for note in (*notes, *more)))


def wish_of(k: int | None, budget: float, period: int = 1) -> Wish:
    """Return the wish of a search that spends only a part of its ``budget`` (seconds) on finite-time exponents."""
    return Wish(k, monotonic() + min(_MOST_SECONDS, max(_FEWEST_SECONDS, _SHARE * budget)), period=period)


def joined(one: Certificate | None, two: Certificate | None) -> Certificate | None:
    """Return one certificate for the claims of two about the same network. **Raises:** Rejected, Malformed: as the kernel's check."""
    if one is None or two is None:
        return one or two
    behind = len(one.steps)
    moved = tuple((theorem, tuple(behind + cited for cited in cites), witness) for theorem, cites, witness in two.steps)
    both = Certificate(one.network, (*one.claims, *two.claims), (*one.steps, *moved), one.remarks)
    check(both)
    return both


def _added(draft: Draft, orbit: Orbit, product: Product, wanted: int, width: float) -> tuple[FiniteTime | None, list[str]]:
    """Add the step, with rates farther apart where the kernel cannot count below the first ones; return its claim, or why there is none."""
    reasons = list[str]()
    for slack in range(_SLACKS):
        rates = rates_for(product, wanted, width, slack)
        if not rates:
            return None, [*reasons, f"{product.bits} bits tell no singular value of DF^{orbit.steps} from any short number"]
        try:
            claim = draft.add("finite_time", _witness(draft.network, orbit, product, rates))[1]
        except Rejected as failure:
            reasons.append(in_short(failure))
            continue
        if isinstance(claim, FiniteTime):
            return claim, []
    return None, reasons


def _fitted(orbit: Orbit, wish: Wish) -> tuple[Orbit, Product | None, list[str]]:
    """Return as many steps of the orbit as precision and time allow with the product of their Jacobians, and why they are fewer."""
    asked, reasons = orbit.steps, list[str]()
    for _ in range(_ROUNDS):
        found = _attempt(orbit, wish)
        if isinstance(found, Product):
            lowered = [f"T lowered from {asked} to {orbit.steps} since {reasons[-1]}"] if reasons else []
            return orbit, found, lowered
        fewer, reason = found
        reasons.append(reason)
        if fewer < 1:
            break
        orbit = orbit.cut(fewer)
    return orbit, None, [f"nothing over {asked} steps, nor over fewer: {reasons[-1]}"]


def _attempt(orbit: Orbit, wish: Wish) -> Product | tuple[int, str]:
    """Return the product over all steps; or how many may be possible, and what stands in the way of more."""
    if len(orbit.networks) >= MOST_SYMBOLS:
        return MOST_SYMBOLS - 1, f"more than {MOST_SYMBOLS - 1} different inputs are too many for one step of a certificate"
    slow = _too_slow(orbit, 0, wish.deadline) or _too_slow(orbit, _LEAST_BITS, wish.deadline)
    if slow is not None:
        return slow
    most = MAX_BITS if orbit.networks[0].is_piecewise_linear else MAX_SMOOTH_BITS
    try:
        growth = rough_growth(orbit.networks, orbit.order, orbit.start)
        bits = growth.first_bits(wish.k or len(orbit.start), most)
        slow = _too_slow(orbit, bits, wish.deadline)
        if slow is not None:
            return slow
        product = _product(orbit, growth, wish, bits, most)
    except BorderError as failure:
        step = int(failure.args[0])
        return step - 1, f"with {most} bits the enclosure of the orbit touches a border, or is too wide, at step {step}"
    if product.exponents[0] is None and growth.rank:
        return int(_SHRINK * orbit.steps), f"{most} bits do not tell the largest singular value of DF^{orbit.steps} from 0"
    return _too_slow(orbit, product.bits, wish.deadline) or product


def _too_slow(orbit: Orbit, bits: int, deadline: float) -> tuple[int, str] | None:
    """Return how many steps the time is enough for, with the reason, where it is not for all of them; ``bits`` 0 gives a least time."""
    network = orbit.networks[0]
    products = network.products + network.dimension**3
    total = _CHECKS * orbit.steps * (_kernel_seconds(orbit, bits) if bits else _SECONDS_A_PRODUCT * products)
    left = max(0.0, deadline - monotonic())
    if total <= left:
        return None
    power = 0.5 if bits > _LEAST_BITS else 1.0  # the bits that are needed, and so the time of a step, grow with the number of steps
    fewer = min(orbit.steps - 1, int(orbit.steps * (left / total) ** power))
    return fewer, f"checking {orbit.steps} would take about {total:.1f} s, and {left:.1f} s are left for it"


def _product(orbit: Orbit, growth: Growth, wish: Wish, bits: int, most: int) -> Product:
    """Return the product with as many bits, from ``bits`` on, as the wanted exponents need. **Raises:** BorderError at the ``most``."""
    wanted = wish.k or len(orbit.start)
    turned = growth.needs_basis(wanted)
    while True:
        try:
            product = enclosed_product(orbit.networks, orbit.order, orbit.start, bits, growth.room, turned=turned)
        except BorderError:
            if bits == most:
                raise
            bits = min(most, 2 * bits)
            continue
        missing = missing_bits(product, growth, wanted, wish.width)
        if missing <= 0 or bits == most:
            return product
        bits = min(most, bits + missing)


def _kernel_seconds(orbit: Orbit, bits: int) -> float:
    """Return about how long the kernel takes for one step, in seconds of the processor: other programs do not disturb it."""
    network = orbit.networks[0]
    begin = process_time()
    point = Matrix.column(orbit.start).rounded(bits).widened(Fraction(1, 1 << bits))
    _, jacobian = network.tangent(point, bits)
    if network.hinges:
        network.pattern(point, bits)
    (jacobian @ jacobian).rounded(bits)
    return process_time() - begin


def _witness(base: Network, orbit: Orbit, product: Product, rates: Sequence[Fraction]) -> dict[str, object]:
    witness: dict[str, object] = {"start": spelled(orbit.start), "rates": spelled(rates), "bits": product.bits}
    if product.basis is not None:
        witness["basis"] = spelled_rows(product.basis)
    if not orbit.driven:
        return witness | {"steps": orbit.steps}
    return witness | {"symbols": list(symbols_of((base, *orbit.networks))[1:]), "inputs": list(orbit.order)}


def _entries(claim: FiniteTime, wanted: int, period: int) -> tuple[Certified, ...]:
    """Return the bounds that the counts give of each wanted exponent."""
    size, found = len(claim.start), list[Certified]()
    scope: Scope = "this orbit, under the stated inputs" if claim.inputs or period > 1 else "this orbit"
    levels = list(zip(claim.rates, claim.counts, strict=True))
    for of in range(1, wanted + 1):
        lows = [rate for rate, count in levels if count <= size - of]
        highs = [rate for rate, count in levels if count > size - of]
        lower = log(max(lows), _LOG_BITS).lo / period if lows else None
        upper = log(min(highs), _LOG_BITS).hi / period if highs else None
        found.append(Certified(of, lower, upper, scope, "finite_time", claim.steps * period))
    return tuple(found)


def _width(source: object) -> int:
    """Return how many inputs a module or its layers read."""
    return layers_of(source)[0].inputs


def _exact_start(start: Sequence[Number], size: int) -> tuple[Fraction, ...]:
    values = list(start)
    try:
        found = tuple(value if isinstance(value, Fraction) else Fraction(float(value)) for value in values)
    except (TypeError, ValueError, OverflowError):
        found = ()
    if len(found) != size:
        raise _unfit("start", f"{size} finite numbers, one a state", str(values)[:200])
    return found


def _unfit(where: str, expected: str, got: str) -> Malformed:
    return Malformed(where=where, law="finite-time exponents", expected=expected, got=got)
