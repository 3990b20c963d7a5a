"""Small networks, certificates in bytes, and the letter that a bad one gets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction

import pytest

import proofs
from proofs.arithmetic import Matrix
from proofs.certificate import Remarks, header_line, json_line
from proofs.claims import Claim
from proofs.errors import Malformed, OrbitproofError, Rejected
from proofs.network import Network, Operation
from proofs.reader import Fields

Step = tuple[str, tuple[int, ...], dict[str, object]]
DUMMY = {"claim": "scrambled_set"}


def matrix(rows: list[list[object]], radius: object = 0) -> Matrix:
    """Make a matrix of rationals spelled as strings, integers or Fractions, with one radius for all entries."""
    middles = [[Fraction(str(value)) for value in row] for row in rows]
    return Matrix.balls(middles, [[Fraction(str(radius))] * len(row) for row in rows])


def affine(rows: list[list[object]], bias: list[object], of: int = 0, radius: object = 0) -> Operation:
    """Make an affine operation of one register."""
    return Operation("affine", (of,), (matrix(rows, radius),), matrix([[value] for value in bias], radius))


def shallow(w1: list[object], b: list[object], w2: list[object], c: object = 0, *, curve: str = "relu", radius: object = 0) -> Network:
    """Make x -> w2 curve(w1 x + b) + c."""
    first = affine([[w] for w in w1], b, 0, radius)
    return Network(1, (first, Operation(curve, (1,)), affine([w2], [c], 2, radius)))


def linear(rows: list[list[object]], bias: list[object] | None = None, radius: object = 0) -> Network:
    """Make z -> rows z + bias."""
    return Network(len(rows), (affine(rows, bias or [0] * len(rows), 0, radius),))


def lozi(a: str, b: str) -> Network:
    """Make the Lozi map as a PLRNN."""
    program = (
        Operation("relu", (0,)),
        Operation("affine", (0, 1), (matrix([[a, 1], [b, 0]]), matrix([[Fraction(a) * -2, 0], [0, 0]])), matrix([[1], [0]])),
    )
    return Network(2, program)


TENT = shallow([1, 1], [0, "-1/2"], [2, -4])
HALF = linear([["1/2"]])
FLIP = linear([[-1]])
ROTATION = linear([[0, -1], [1, 0]])
SMOOTH = shallow([1], [0], ["1/2"], curve="tanh")
TENT_BALL = shallow([1, 1], [0, "-1/2"], [2, -4], radius="1/1048576")
TENT_KNOTS: Step = ("pieces", (), {"max_knots": 99})


def certificate(network: Network, claims: Sequence[object], *steps: Step, remarks: Remarks | None = None) -> bytes:
    """Write a certificate."""
    lines = [header_line(network, claims, remarks or Remarks())]
    lines += [json_line({"step": i, "theorem": t, "cites": list(c), "witness": w}) for i, (t, c, w) in enumerate(steps, 1)]
    return b"".join([*lines, json_line({"end": len(steps)})])


def facts(network: Network, *steps: Step) -> list[Claim]:
    """Return what the steps conclude, whatever the header claims."""
    heard: list[Claim] = []
    content = certificate(network, [DUMMY], *steps)
    try:
        proofs.check(content, listen=lambda _number, _theorem, _cites, claim: heard.append(claim))
    except Rejected as failure:
        if failure.law != "conclusion":
            raise
    return heard


def prove(network: Network, *steps: Step) -> proofs.Proved:
    """Check the steps, then check them again with the last conclusion as the header's claim."""
    return proofs.check(certificate(network, [facts(network, *steps)[-1].as_json()], *steps), network)


def letter(network: Network, *steps: Step) -> str:
    """Return the letter that these steps get; it must be a rejection or a complaint about the format."""
    with pytest.raises(OrbitproofError) as caught:
        facts(network, *steps)
    assert type(caught.value) in {Rejected, Malformed}
    return str(caught.value)


def rejected(step: int, law: str, expected: str, got: str, remedy: str = "") -> str:
    """Spell a rejection."""
    return _letter("Rejected", f"step {step}", law, expected, got, remedy)


def malformed(where: str, law: str, expected: str, got: str, remedy: str = "") -> str:
    """Spell a complaint about the format."""
    return _letter("Malformed", where, law, expected, got, remedy)


def network_fields(content: dict[str, object]) -> Fields:
    """Return the reader of a network object."""
    return Fields(json.loads(json.dumps(content)), "line 1, field network")


def _letter(verdict: str, where: str, law: str, expected: str, got: str, remedy: str) -> str:
    last = f"\n  remedy    {remedy}" if remedy else ""
    return f"{verdict} at {where}, {law}\n  expected  {expected}\n  got       {got}{last}"
