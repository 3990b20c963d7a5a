"""The corpus of contraction on a box (D9): what holds, and what does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from proofs.network import Network, Operation
from tests.corpus.boxed import TURNED
from tests.corpus.exponents import GATED
from tests.corpus.parts import Case, affine, tent

Witness = dict[str, Any]
Named = Iterator[tuple[str, Network, Witness]]
CELL = Network(
    2,
    (
        affine([1, 1], ([["1/4", "1/8"], ["0", "1/4"]], 0)),
        Operation("sigmoid", (1,)),
        affine([0, 0], ([["1/2", "-1/4"], ["1/4", "1/2"]], 0)),
        Operation("tanh", (3,)),
        Operation("mul", (2, 4)),
    ),
)  # a gate times a candidate
PLAIN_REST = affine([1], ([["-1"]], 2))


def mixing(gate: str = "3/8", rest: Operation = PLAIN_REST, of: int = 0, *more: Operation) -> Network:
    """Return z' = (1 - q) tanh((z + 1) / 2) + q z with q = sigmoid(gate z), or something like it."""
    share = (affine([0], ([[gate]], 0)), Operation("sigmoid", (1,)), rest)
    candidate = (affine(["1/2"], ([["1/2"]], 0)), Operation("tanh", (4,)))
    return Network(1, (*share, *candidate, Operation("mul", (3, 5)), Operation("mul", (of, 2)), Operation("add", (7, 6)), *more))


def mixing_two(rest: Operation) -> Network:
    """Return two of them side by side, with a rest of their own."""
    share, candidate = affine([0, 0], ([["3/8", "0"], ["0", "3/8"]], 0)), affine(["1/2", "1/2"], ([["1/2", "0"], ["0", "1/2"]], 0))
    units = (share, Operation("sigmoid", (1,)), rest, candidate, Operation("tanh", (4,)))
    return Network(2, (*units, Operation("mul", (3, 5)), Operation("mul", (0, 2)), Operation("add", (6, 7))))


NESTED = Network(
    1,
    (*mixing("1/8").program, Operation("mul", (8, 3)), Operation("mul", (2, 0)), Operation("add", (10, 9))),
)  # (1 - q) u + q z with u = (1 - q) tanh((z + 1) / 2) + q z
OWN = Network(1, (*mixing().program[:3], Operation("mul", (2, 3)), Operation("mul", (0, 2)), Operation("add", (4, 5))))  # u = q


def by_state(u: Operation, v: Operation) -> Network:
    """Return z' = (1 - z) u + z v, u a tanh of the one operation, v the other."""
    shares = (Operation("mul", (1, 3)), Operation("mul", (4, 0)), Operation("add", (5, 6)))
    return Network(1, (affine([1], ([["-1"]], 0)), u, Operation("tanh", (2,)), v, *shares))


UNIT = {"low": ["-1", "-1"], "high": ["1", "1"]}
FORM = [["1", "0"], ["0", "1"]]
LMI = ["32", "75", "18/5", "10/3", "23/2", "19", "12", "17"]
SCALAR: Witness = {"low": ["-1/8"], "high": ["1"], "symbols": [{"1": ["1/4~1/8"]}], "weights": ["1"], "rate": "3/4", "bits": 40}
KNOWN: Witness = {
    "low": ["1/8"], "high": ["1/4"], "symbols": [{"2": ["1/16"]}], "form": [["1"]], "multipliers": [[]], "rate": "51/100", "bits": 40,
}  # fmt: skip
MIXED: Witness = {
    "low": ["-1"], "high": ["1"], "symbols": [{}], "form": [["1"]], "multipliers": [["100", "3", "15", "7"]], "rate": "91/100", "bits": 40,
}  # fmt: skip
STEADY: Witness = {"low": ["-1"], "high": ["1"], "symbols": [{}], "weights": ["1"], "rate": "99/100", "bits": 40}
NEAR_ONE = mixing("3/8", affine(["7/8"], ([["-1"]], 2)))
LISTS = [["76", "27/8", "95/4", "21", "8", "19/2"], ["55", "3", "13", "13/2"]]
LEAST: dict[str, tuple[Network, Witness, str, str]] = {
    "of-a-blend": (NESTED, {**MIXED, "multipliers": [["1332", "7/4", "22", "12", "43", "37/2"]]}, "961/1000", "24/25"),
    "of-its-own-share": (OWN, {**MIXED, "multipliers": [["42", "17/2", "25/4"]]}, "347/500", "693/1000"),
    "by-the-state": (
        by_state(affine(["1/4"], ([["1/4"]], 0)), affine(["1/8"], ([["1/8"]], 0))),
        {**MIXED, "low": ["-1/2"], "high": ["3/2"], "multipliers": [["31/2", "4", "3/2"]]},
        "249/500",
        "497/1000",
    ),
    "by-one-of-two-inputs": (NEAR_ONE, {**MIXED, "symbols": [{}, {"2": ["1"]}], "multipliers": LISTS}, "929/1000", "116/125"),
}  # with a rate that is accepted, and one that is not


def contracting() -> Named:
    """Yield what D9 proves."""
    weights = {"weights": ["1", "1"], "rate": "2/3", "bits": 50}
    form = {"form": FORM, "multipliers": [LMI], "rate": "1/2", "bits": 50}
    yield "weights", CELL, {**UNIT, "symbols": [{}], **weights}
    yield "weights-inputs-in-a-range", CELL, {**UNIT, "symbols": [{"2": ["0~1/8", "0~1/8"]}], **weights, "rate": "7/10"}
    yield "weights-two-inputs", CELL, {**UNIT, "symbols": [{"2": ["1/8", "0"]}, {"2": ["0", "-1/8"]}], **weights, "rate": "7/10"}
    yield "form", CELL, {**UNIT, "symbols": [{}], **form}
    yield "form-two-inputs", CELL, {**UNIT, "symbols": [{}, {"2": ["0", "1p-10"]}], **form, "multipliers": [LMI, LMI]}
    yield "scalar-cell", GATED, SCALAR
    yield "bound-only", TURNED, {"low": ["-2"], "high": ["2"], "symbols": [{}], "weights": ["1"], "rate": "9/4", "bits": 40}
    yield "known-slope", tent("1/2"), KNOWN
    yield "blend", mixing(), MIXED
    yield "blend-weights", mixing(), STEADY
    square = {"low": ["-1", "-1"], "high": ["1", "1"], "weights": ["1", "1"]}
    yield "blend-two", mixing_two(affine([1, 1], ([["-1", "0"], ["0", "-1"]], 2))), {**STEADY, **square}
    yield "blend-input", mixing(), {**MIXED, "symbols": [{"0": ["0~1/64"]}]}
    spread = mixing("3/8", PLAIN_REST, 0, affine([0], ([["1/2"]], 8), ([["1p-10"]], 6)))  # a product is read once more: no blend
    yield "blend-of-its-own-rest", mixing("3/8", PLAIN_REST, 3), STEADY
    yield "no-blend", spread, {**STEADY, "rate": "1/2"}
    for name, (network, witness, rate, _) in LEAST.items():
        yield f"blend-{name}", network, {**witness, "rate": rate}


def bad_contracting() -> Named:
    """Yield attacks on D9."""
    weights = {**UNIT, "symbols": [{}], "weights": ["1", "1"], "rate": "2/3", "bits": 50}
    form = {**UNIT, "symbols": [{}], "form": FORM, "multipliers": [LMI], "rate": "1/2", "bits": 50}
    yield "weights-rate-too-small", CELL, {**weights, "rate": "3/5"}
    yield "rate-zero", CELL, {**weights, "rate": "0"}
    yield "rate-negative", CELL, {**weights, "rate": "-2/3"}
    yield "weight-zero", CELL, {**weights, "weights": ["1", "0"]}
    yield "weight-negative", CELL, {**weights, "weights": ["-1", "-1"]}
    yield "a-weight-too-few", CELL, {**weights, "weights": ["1"]}
    yield "box-left", GATED, {**SCALAR, "high": ["1/8"], "symbols": [{"1": ["1~1/8"]}]}
    yield "box-inside-out", CELL, {**weights, "low": ["1", "1"], "high": ["-1", "-1"]}
    yield "box-left-within-the-range", GATED, {**SCALAR, "symbols": [{"1": ["1/4~2"]}]}
    yield "one-of-two-inputs-expands", GATED, {**SCALAR, "high": ["10"], "symbols": [{"1": ["0"]}, {"1": ["4"]}]}
    yield "no-symbols", CELL, {**weights, "symbols": []}
    yield "form-rate-too-small", CELL, {**form, "rate": "2/5"}
    yield "form-multipliers-zero", CELL, {**form, "multipliers": [["0"] * 8]}
    yield "form-multiplier-negative", CELL, {**form, "multipliers": [["-1", *LMI[1:]]]}
    yield "form-multiplier-too-few", CELL, {**form, "multipliers": [LMI[1:]]}
    yield "form-indefinite", CELL, {**form, "form": [["1", "0"], ["0", "-1"]]}
    yield "form-not-symmetric", CELL, {**form, "form": [["1", "1/8"], ["0", "1"]]}
    yield "form-with-a-radius", CELL, {**form, "form": [["1~1p-20", "0"], ["0", "1"]]}
    yield "form-multipliers-of-another-order", CELL, {**form, "multipliers": [LMI[::-1]]}
    yield "known-slope-rate-itself", tent("1/2"), {**KNOWN, "rate": "1/2"}
    yield "known-slope-across-the-peak", tent("1/2"), {**KNOWN, "low": ["-1/4"], "high": ["3/4"], "multipliers": [["1", "1"]]}
    yield "box-of-too-many-bits", CELL, {**weights, "low": ["-1", "-4097p-4100"]}
    yield "too-much-work", CELL, {**weights, "symbols": [{}] * 2048, "bits": 2000}
    yield "too-much-work-on-a-long-box", CELL, {**weights, "symbols": [{}] * 1024, "low": ["-1", "-4097p-4090"]}
    yield "blend-rate-too-small", mixing(), {**MIXED, "rate": "89/100"}
    yield "blend-weights-rate-too-small", mixing(), {**STEADY, "rate": "24/25"}
    yield "blend-multipliers-of-its-products", mixing(), {**MIXED, "multipliers": [["100", "3", "15", "7", "15", "7"]]}
    yield "blend-multipliers-of-another-order", mixing(), {**MIXED, "multipliers": [["100", "3", "7", "15"]]}
    yield "blend-box-too-small", mixing(), {**MIXED, "high": ["1/2"]}
    yield "blend-shares-of-less-than-one", mixing("3/8", affine(["7/8"], ([["-1"]], 2))), MIXED
    for witness, name in ((MIXED, ""), (STEADY, "weights-")):
        yield f"blend-{name}shares-of-more-than-one", mixing("3/8", affine(["9/8"], ([["-1"]], 2))), witness
        yield f"blend-{name}share-with-a-radius", mixing("3/8", affine(["1~1/8"], ([["-1"]], 2))), witness
        yield f"blend-{name}share-and-a-radius", mixing("3/8", affine([1], ([["-1~1/8"]], 2))), witness
        yield f"blend-{name}share-added", mixing("3/8", affine([0], ([["1"]], 2))), witness
        yield f"blend-{name}share-of-the-state", mixing("3/8", affine([1], ([["-1"]], 0))), witness
        yield f"blend-{name}share-of-two", mixing("3/8", affine([1], ([["-1"]], 2), ([["1/8"]], 1))), witness
        last = affine([0], ([["1"]], 8), ([["1p-10"]], 6))
        yield f"blend-{name}product-read-again", mixing("3/8", PLAIN_REST, 0, last), {**witness, "rate": "99/100"}
    turned = affine([1, 1], ([["0", "-1"], ["-1", "0"]], 2))
    yield "blend-shares-of-another-state", mixing_two(turned), {**STEADY, "low": ["-1", "-1"], "high": ["1", "1"], "weights": ["1", "1"]}
    for name, (network, witness, _, rate) in LEAST.items():
        yield f"blend-{name}-rate-too-small", network, {**witness, "rate": rate}
    yield (
        "blend-by-one-of-two-inputs-lists-exchanged",
        NEAR_ONE,
        {**LEAST["by-one-of-two-inputs"][1], "rate": "1", "multipliers": LISTS[::-1]},
    )
    far = by_state(affine(["-1"], ([["0"]], 0)), affine(["3/4"], ([["0"]], 0)))  # -0.76 + 1.51 z on [-1, 1]
    yield "blend-by-the-state-box-left", far, {**STEADY, "rate": "7/4"}
    yield "steep", TURNED, {"low": ["-2"], "high": ["2"], "symbols": [{}], "weights": ["1"], "rate": "2", "bits": 40}


def accepted_contractions() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    for name, network, witness in contracting():
        case = Case(network)
        case.good("box_contraction", witness)
        yield f"box_contraction-{name}", case.claiming()


def rejected_contractions() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    for name, network, witness in bad_contracting():
        yield f"box_contraction-{name}", Case(network).bad("box_contraction", witness)


def malformed_contractions() -> Iterator[tuple[str, bytes]]:
    """Yield (name, certificate)."""
    both = {**KNOWN, "weights": ["1"]}
    yield "box_contraction-weights-and-form", Case(tent("1/2")).bad("box_contraction", both)
    lists = {**UNIT, "symbols": [{}], "form": FORM, "multipliers": [LMI, LMI], "rate": "1/2", "bits": 50}
    yield "box_contraction-lists-for-two-symbols", Case(CELL).bad("box_contraction", lists)
    yield "box_contraction-symbol-too-short", Case(CELL).bad("box_contraction", {**lists, "symbols": [{"2": ["1"]}]})
