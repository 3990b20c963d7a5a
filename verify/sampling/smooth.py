"""Decide scalar networks with tanh output: floats with rounding bounds for order, the kernel on every claim of chaos.

Classes (see ``decide``)
    chaotic            the kernel has checked the recipe of this network (enclosures with ``bits``)
    ordered            the sum of all slopes, each in [0, 1], makes F monotone or a contraction; the recipe is stored, the kernel checks 1 %
                       of these at once
    ordered_by_bound   for some n every x with F^(2^(n+1))(x) = x has F^(2^n)(x) = x, by enclosures with the rounding bounds stated in
                       ``verify.numerics.smooth_line``; then every orbit converges to a cycle of period dividing 2^n (Coppel 1955: [-1, 1]
                       is compact and F maps it into itself). There is no card for this, so it is never called proved
    undecided          the rest

Which point a float search suggests can depend on the last bits of the platform's tanh; what it proves does not.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor, log2
from typing import TYPE_CHECKING

import numpy as np

from proofs.errors import Malformed, OrbitproofError, Rejected
from proofs.grammar import write_number
from verify.certification.sampled import check_recipe
from verify.errors import Unsupported
from verify.sampling.decide import Decisions, is_checked_at_once, require
from verify.sampling.recipes import recipe_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from verify.numerics.smooth_networks import SmoothNetworks
    from verify.numerics.smooth_points import Kind
    from verify.sampling.families import Batch

    Floats = NDArray[np.float64]
    Rows = NDArray[np.int64]

BITS = 256
MOST_BITS = 1_000  # so that no product of weights underflows either
GROUP_UNITS = 2**19  # hidden units looked at together
GROUP_ROWS = 2**14
MOST_EXPONENT = 4
ODD = (5, 7)
RATE_BITS = 20


def decide_smooth(batch: Batch, *, device: str = "cpu", seed: int = 0) -> Decisions:
    """Decide every network of a batch with hidden relu layers and tanh output.

    ``seed`` chooses, with the cell and the index, the ordered networks that the kernel checks at once.

    **Guarantee:** as the classes say.
    **Raises:** Unsupported: other activations; Malformed: no such device; RuntimeError: the kernel refuses a float decision, a bug.
    """
    *hidden, last = batch.activations
    if not hidden or last != "tanh" or set(hidden) != {"relu"}:
        expected = "hidden layers with relu, and tanh at the output"
        raise Unsupported(where=f"cell {batch.cell.text}", law="smooth networks", expected=expected, got=", ".join(batch.activations))
    answer = Decisions.open(len(batch))
    _by_slopes(answer, batch, seed)
    rows = max(1, min(GROUP_ROWS, GROUP_UNITS // sum(bias.shape[1] for bias in batch.biases)))
    for first in range(0, len(batch), rows):
        _Group(answer, batch, slice(first, first + rows), device).decide()
    return answer


class _Group:
    """A part of the batch small enough to be looked at together."""

    def __init__(self, answer: Decisions, batch: Batch, part: slice, device: str) -> None:
        from verify.numerics.smooth_networks import SmoothNetworks

        self.answer, self.batch, self.first = answer, batch, part.start
        weights, biases = (tuple(numbers[part] for numbers in layers) for layers in (batch.weights, batch.biases))
        self.networks: SmoothNetworks = SmoothNetworks(weights, biases, device)
        self.count = len(biases[0])

    def decide(self) -> None:
        """Try order with exponent 0, 1, 2, ... and between these the kinds of chaos that the next exponent would meet."""
        from verify.numerics.smooth_points import Kind

        self._periods(np.arange(self.count), 2, self.answer.period_2)
        self._order(0)
        self._order(1)
        self._chaos(Kind())
        self._chaos_near_cycles(1)
        for odd in ODD:
            self._chaos(Kind(odd=odd))
        for exponent in range(1, MOST_EXPONENT + 1):
            self._chaos(Kind(2**exponent))
            self._chaos_near_cycles(2**exponent)
            if exponent < MOST_EXPONENT:
                self._order(exponent + 1)

    @property
    def _all(self) -> slice:
        return slice(self.first, self.first + self.count)

    @property
    def _open(self) -> Rows:
        return np.flatnonzero(self.answer.verdict[self._all] == "undecided")

    def _periods(self, rows: Rows, period: int, flags: NDArray[np.int8]) -> None:
        """Say where there is a cycle of this prime period."""
        found = self.networks.only_divisors(rows, period, 1)
        flags[self.first + rows[found >= 0]] = 1 - found[found >= 0]

    def _order(self, exponent: int) -> None:
        """Put down as ordered by bound what F^(2^exponent) shows to be so."""
        rows = self._open
        if exponent:
            holds = self.networks.only_divisors(rows, 2 ** (exponent + 1), 2**exponent) == 1
        else:
            holds = self.answer.period_2[self.first + rows] == 0
        for row in (self.first + rows[holds]).tolist():
            self.answer.put(row, "ordered_by_bound", "float_bound", "", checked=False)
            self.answer.period_3[row] = 0

    def _chaos(self, kind: Kind) -> None:
        """Offer the points that floats suggest to the kernel."""
        rows = self._open
        self._offer(rows, kind, *self.networks.points(rows, kind))

    def _chaos_near_cycles(self, step: int) -> None:
        """Look for cycles of period 3 step; the answer for step 1 is also that about period 3."""
        from verify.numerics.smooth_points import Kind

        rows = self._open
        found, points, rooms = self.networks.points_near_cycles(rows, step)
        if step == 1:
            self.answer.period_3[self.first + rows[found >= 0]] = 1 - found[found >= 0]
        self._offer(rows, Kind(step), points, rooms)

    def _offer(self, rows: Rows, kind: Kind, points: Floats, rooms: Floats) -> None:
        theorem = "odd_period" if kind.odd else "li_yorke" if kind.step == 1 else "covering_intervals"
        for row, point, room in zip((self.first + rows).tolist(), points.tolist(), rooms.tolist(), strict=True):
            if room > 0 and _is_chaotic(self.answer, self.batch, row, theorem, _recipe(kind, point)) and theorem == "li_yorke":
                self.answer.margin[row], self.answer.period_3[row] = room, 1


def _recipe(kind: Kind, point: float) -> str:
    times: dict[str, object] = {"times": kind.odd} if kind.odd else {"iterate": kind.step} if kind.step > 1 else {}
    return recipe_text({"point": write_number(Fraction(point)), "bits": BITS, **times})


def _is_chaotic(answer: Decisions, batch: Batch, row: int, theorem: str, recipe: str) -> bool:
    """Write down chaos if the kernel accepts the recipe: then there is a period that is no power of two, and so period 2."""
    try:
        check_recipe(batch.network(row), theorem, recipe)
    except (Rejected, Malformed):
        return False
    answer.put(row, "chaotic", theorem, recipe, checked=True)
    answer.period_2[row] = 1
    return True


def _by_slopes(answer: Decisions, batch: Batch, seed: int) -> None:
    """Settle what the cards contraction and coppel settle with slopes in [0, 1] at every unit."""
    low, high = _slopes(batch)
    for row in np.flatnonzero((np.maximum(-low, high) < 1) | (low == 0) | (high == 0)).tolist():
        theorem, recipe = _recipe_of_order(batch, row, float(low[row]), float(high[row]))
        if not theorem:
            continue
        checked = is_checked_at_once(batch, row, seed)
        if checked:
            _check(batch, row, theorem, recipe)
        answer.put(row, "ordered", theorem, recipe, checked=checked)
        answer.period_3[row] = 0
        if theorem == "contraction" or low[row] == 0:
            answer.period_2[row] = 0


def _slopes(batch: Batch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least slope, or 0, and the largest, or 0, of F if every relu and the tanh may have any slope in [0, 1].

    A sum that should be 0 is exactly 0: all its terms have one sign.
    """
    low = high = np.ones((len(batch), 1))
    with np.errstate(over="ignore", invalid="ignore"):
        for weights in batch.weights:
            up, down = np.maximum(weights, 0), np.minimum(weights, 0)
            least, largest = ((up @ x[:, :, None] + down @ y[:, :, None])[:, :, 0] for x, y in ((low, high), (high, low)))
            low, high = np.minimum(least, 0), np.maximum(largest, 0)
    return low[:, 0], high[:, 0]


def _recipe_of_order(batch: Batch, row: int, low: float, high: float) -> tuple[str, str]:
    """Return theorem and recipe for these slopes; empty texts where the card would need too many bits."""
    rate = Fraction(floor(max(-low, high, 0.5) * 2**RATE_BITS) + 2, 2**RATE_BITS) if max(-low, high) < 1 else Fraction(1)
    if rate < 1:
        return "contraction", recipe_text({"rate": write_number(rate), "bits": BITS})
    bits = _needed_bits(batch, row)
    if bits > MOST_BITS or (low < 0 < high):
        return "", ""
    return "coppel", recipe_text({"monotone": "decreasing" if low < 0 else "increasing", "bits": max(bits, BITS)})


def _needed_bits(batch: Batch, row: int) -> int:
    """Return how many binary places the products of one weight a layer have at most."""
    total = 0
    for weights in batch.weights:
        sizes = np.abs(weights[row])
        total += 56 - floor(log2(sizes[sizes > 0].min(initial=1.0)))
    return total


def _check(batch: Batch, row: int, theorem: str, recipe: str) -> None:
    try:
        require(check_recipe(batch.network(row), theorem, recipe), "ordered")
    except OrbitproofError as failure:
        message = f"network {batch.first + row} of {batch.cell.text}: floats say ordered, the kernel refuses: {failure}"
        raise RuntimeError(message) from failure
