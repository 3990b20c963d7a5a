"""Decide scalar piecewise-linear networks by the thousand: floats with rounding bounds first, the kernel on every claim of chaos.

Classes
    chaotic            the kernel has checked the recipe of this network
    ordered            the float decision is safe, and a recipe for card C3 is stored; the kernel checks a random 1 % of these at once, the
                       others on demand
    ordered_by_bound   the same decision for networks too wide for that card to be checked in reasonable time: never called proved
    undecided          the rest: type 2^infinity, or beyond the limits of the exact decision
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, log2
from typing import TYPE_CHECKING

import numpy as np

from proofs.errors import Malformed, Rejected
from proofs.grammar import write_number
from verify.certification.sampled import check_recipe
from verify.sampling.exact import decide_exactly
from verify.sampling.recipes import recipe_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from verify.numerics.line_decisions import LineDecisions
    from verify.sampling.families import Batch

VERDICTS = ("chaotic", "ordered", "ordered_by_bound", "undecided")
CHECKED_SHARE = 100  # one ordered network in so many
WIDEST_CHECKED = 4_096  # hidden units


@dataclass(frozen=True, eq=False)
class Decisions:
    """One entry a network.

    ``verdict``, one of VERDICTS; ``theorem`` and ``recipe``, which ``verify.certification.sampled`` turns into a certificate ("" if there
    is none); ``margin``: for li_yorke a float estimate of the sup-norm radius, else nan; ``period_2`` and ``period_3``: 1 there is a cycle
    of that least period, 0 there is none, -1 not decided (decided in floats with rounding bounds, or exactly); ``checked``: the kernel has
    checked this network's recipe.
    """

    verdict: NDArray[np.object_]
    theorem: NDArray[np.object_]
    recipe: NDArray[np.object_]
    margin: NDArray[np.float64]
    period_2: NDArray[np.int8]
    period_3: NDArray[np.int8]
    checked: NDArray[np.bool_]

    @classmethod
    def open(cls, count: int) -> Decisions:
        """Return ``count`` entries that say nothing yet."""
        verdict, theorem, recipe = (np.full(count, text, dtype=object) for text in ("undecided", "", ""))
        two, three = (np.full(count, -1, dtype=np.int8) for _ in range(2))
        return cls(verdict, theorem, recipe, np.full(count, np.nan), two, three, np.zeros(count, dtype=np.bool_))

    def put(self, row: int, verdict: str, theorem: str, recipe: str, *, checked: bool) -> None:
        """Write one network's verdict."""
        self.verdict[row], self.theorem[row], self.recipe[row], self.checked[row] = verdict, theorem, recipe, checked


def decide(batch: Batch, *, device: str = "cpu", seed: int = 0) -> Decisions:
    """Decide every network of a batch; the output activation must be piecewise linear.

    ``seed`` chooses, with the cell and the index, the ordered networks that the kernel checks at once.

    **Guarantee:** as the classes say; the same on every machine that rounds as IEEE 754 asks.
    **Raises:** Malformed: no such device; ValueError: another output; RuntimeError: the kernel refuses a float decision, which is a bug.
    """
    from verify.numerics import line_decisions as line

    found = _floats(batch, device)
    answer = Decisions.open(len(batch))
    answer.period_2[:], answer.period_3[:] = found.period_2, found.period_3
    for row in np.flatnonzero(found.kind == line.ORDERED).tolist():
        _order(answer, batch, row, int(found.power[row]), seed)
    for row in np.flatnonzero(found.kind > line.ORDERED).tolist():
        _chaos(answer, batch, row, found)
    if batch.cell.width <= WIDEST_CHECKED:
        for row in np.flatnonzero((answer.verdict == "undecided") & (found.kind != line.DEEP)).tolist():
            _exactly(answer, batch, row)
    return answer


def require(proved: str, wanted: str) -> None:
    """Raise Rejected where a recipe proves something else than it stands for."""
    if proved != wanted:
        raise Rejected(where="recipe", law="verdict", expected=wanted, got=proved)


def is_checked_at_once(batch: Batch, row: int, seed: int) -> bool:
    """Say whether an ordered network is one of the random 1 % that the kernel checks during the campaign."""
    text = f"{seed} {batch.cell.text} {batch.first + row}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % CHECKED_SHARE == 0


def _floats(batch: Batch, device: str) -> LineDecisions:
    from verify.numerics.line_networks import decide_networks

    return decide_networks(batch.weights, batch.biases, batch.activations[-1], device)


def _order(answer: Decisions, batch: Batch, row: int, exponent: int, seed: int) -> None:
    if batch.cell.width > WIDEST_CHECKED:
        answer.put(row, "ordered_by_bound", "float_bound", "", checked=False)
        return
    recipe, checked = recipe_text({"exponent": exponent}), is_checked_at_once(batch, row, seed)
    if checked:
        try:
            require(check_recipe(batch.network(row), "coppel", recipe), "ordered")
        except (Rejected, Malformed) as failure:
            message = f"network {batch.first + row} of {batch.cell.text}: floats say ordered, the kernel refuses: {failure}"
            raise RuntimeError(message) from failure
    answer.put(row, "ordered", "coppel", recipe, checked=checked)


def _chaos(answer: Decisions, batch: Batch, row: int, found: LineDecisions) -> None:
    """Offer the candidate to the kernel; one that it refuses stays undecided here."""
    from verify.numerics import line_decisions as line

    margin = float(found.margin[row])
    if not margin > 0:
        return
    kind, power = int(found.kind[row]), int(found.power[row])
    point = Fraction(float(found.point[row]))
    if kind == line.LI_YORKE:
        point = _shortened(point, margin, float(found.lipschitz[row]))
    content: dict[str, object] = {"point": write_number(point)}
    if kind == line.LI_YORKE:
        theorem = "li_yorke"
    elif kind == line.ODD_PERIOD:
        theorem, content = "odd_period", {**content, "times": power}
    else:
        theorem, content = "covering_intervals", {**content, "iterate": power}
    recipe = recipe_text(content)
    try:
        require(check_recipe(batch.network(row), theorem, recipe), "chaotic")
    except (Rejected, Malformed):
        return
    answer.put(row, "chaotic", theorem, recipe, checked=True)
    answer.margin[row] = margin if kind == line.LI_YORKE else np.nan


def _shortened(x: Fraction, margin: float, lipschitz: float) -> Fraction:
    """Return a dyadic so close to x that half of the sup-norm radius is left."""
    bits = max(0, ceil(log2((1 + lipschitz) / margin)) + 2)
    return Fraction(round(x * 2**bits), 2**bits)


def _exactly(answer: Decisions, batch: Batch, row: int) -> None:
    network = batch.network(row)
    found = decide_exactly(network)
    if found.verdict != "undecided":
        require(check_recipe(network, found.theorem, found.recipe), found.verdict)
        answer.put(row, found.verdict, found.theorem, found.recipe, checked=True)
    for flags, value in ((answer.period_2, found.period_2), (answer.period_3, found.period_3)):
        flags[row] = value if value >= 0 else flags[row]
