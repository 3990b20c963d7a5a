"""The checker and the file format around the steps."""

from __future__ import annotations

import dataclasses
import io
import json
from fractions import Fraction
from pathlib import Path

import pytest

import proofs
from proofs import certificate as file_format
from proofs.certificate import Certificate, Remarks, json_line
from proofs.claims import Contraction, LiYorke, ScrambledSet
from proofs.errors import Malformed, OrbitproofError, Rejected
from proofs.kernel import Proved, scope
from tests.proofs.workbench import HALF, TENT, TENT_BALL, Step, certificate, letter, malformed, prove

CHAOS = LiYorke(Fraction(1, 4), None)
STEP: Step = ("li_yorke", (), {"point": "1/4"})
GOOD = certificate(TENT, [CHAOS.as_json()], STEP)
HEADER, STEP_LINE, END = GOOD.splitlines(keepends=True)
FORMAT = "certificate format"


def answer(content: bytes, network: proofs.Network | None = None) -> str:
    """Return the letter of a bad certificate."""
    with pytest.raises(OrbitproofError) as caught:
        proofs.check(content, network)
    assert type(caught.value) in {Malformed, Rejected}
    return str(caught.value)


def header(**change: object) -> bytes:
    """Return the good first line with fields replaced; Ellipsis removes one."""
    fields = {**json.loads(HEADER), **change}
    return json_line({name: value for name, value in fields.items() if value is not ...})


def test_the_same_verdict_from_bytes_stream_path_and_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.cert"
    path.write_bytes(GOOD)
    memory = Certificate(TENT, (CHAOS,), (STEP,))
    verdicts = [proofs.check(source) for source in (GOOD, io.BytesIO(GOOD), path, str(path), memory)]
    sentence = (
        f"For the real-number map F of the network {TENT.digest} (not its floating-point execution): F has points of every period and an "
        "uncountable scrambled set (Li-Yorke chaos; witness x = 1/4). By li_yorke."
    )
    assert {verdict.statement for verdict in verdicts} == {sentence}
    assert verdicts[0].digest == TENT.digest
    assert verdicts[0].claims == (CHAOS,)


def test_scope_with_radius() -> None:
    assert scope(TENT_BALL) == (
        "For the real-number map F of every network within the stated weight intervals (largest radius 1/1048576) of the network "
        f"{TENT_BALL.digest} (not floating-point execution)"
    )


def test_assumptions_are_repeated() -> None:
    remarks = Remarks("n", "m", ("the ReLU is at the output", "b"))
    verdict = proofs.check(certificate(TENT, [CHAOS.as_json()], STEP, remarks=remarks))
    assert verdict.statement.endswith(' By li_yorke. Assumed, not checked: "the ReLU is at the output"; "b".')


def test_only_the_kernel_makes_proved() -> None:
    with pytest.raises(TypeError, match=r"Proved is made by proofs\.check only"):
        Proved(object(), (CHAOS,), TENT, (), Remarks())
    verdict = prove(TENT, STEP)
    assert not hasattr(verdict, "key")
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(verdict, claims=(Contraction(Fraction(1, 2)),))  # type: ignore[call-arg]


def test_an_empty_list_of_steps_proves_nothing() -> None:
    text = json.dumps(CHAOS.as_json(), sort_keys=True, separators=(",", ":"))
    expected = f"Rejected at claim 1, conclusion\n  expected  a claim that some step concludes\n  got       {text}"
    assert answer(certificate(TENT, [CHAOS.as_json()])) == expected
    assert answer(certificate(TENT, [])) == malformed("line 1, field claims", FORMAT, "at least one claim", "none")


def test_a_claim_must_be_concluded_exactly() -> None:
    for claim in (LiYorke(Fraction(1, 5), None), LiYorke(Fraction(1, 4), Fraction(1, 99)), ScrambledSet()):
        assert answer(certificate(TENT, [CHAOS.as_json(), claim.as_json()], STEP)).startswith("Rejected at claim 2, conclusion")
    odd = {"claim": "odd_period", "bound": 3}
    step: Step = ("odd_period", (), {"point": "1/4", "times": 3})
    assert proofs.check(certificate(TENT, [odd], step)).claims
    for bound in ("3", True, 5, None):
        assert "conclusion" in answer(certificate(TENT, [{**odd, "bound": bound}], step))


@pytest.mark.parametrize(
    "claim", [3, "x", None, [], {}, {"claim": "x"}, {"claim": 3}, {"claim": "odd_period"}, {"claim": "scrambled_set", "x": 1}]
)
def test_unknown_claims(claim: object) -> None:
    text = json.dumps(claim, sort_keys=True, separators=(",", ":"))
    assert answer(header(claims=[claim])) == malformed(
        "line 1, field claims[0]", FORMAT, "a claim of a known kind with exactly its fields", text
    )


def test_the_network_asked_about() -> None:
    assert proofs.check(GOOD, TENT)
    assert answer(GOOD, TENT_BALL) == (
        f"Rejected at line 1, network digest\n  expected  {TENT_BALL.digest}, the network asked about\n  got       {TENT.digest}\n"
        "  remedy    this certificate speaks of another network (or of the same one with other weights or another radius); "
        "one about a path of networks is compared with the first of them, where mu is lowest"
    )


def test_digest() -> None:
    wrong = malformed("line 1, field digest", FORMAT, f"{TENT.digest}, the SHA-256 of the network's canonical text", "0")
    assert answer(header(digest="0") + STEP_LINE + END) == wrong
    assert "SHA-256" in answer(header(network=HALF.as_json()) + STEP_LINE + END)


@pytest.mark.parametrize("field", ["orbitproof", "network", "digest", "claims", "remarks"])
def test_header_fields(field: str) -> None:
    missing = malformed(f"line 1, field {field}", "file format", "this field to be there", "nothing")
    assert answer(header(**{field: ...}) + STEP_LINE + END) == missing
    assert "Malformed" in answer(header(**{field: None}) + STEP_LINE + END)


def test_header_versions_and_extras() -> None:
    for version in (0, 2, True, "1"):
        assert "an integer from 1 to 1" in answer(header(orbitproof=version))
    assert answer(header(extra=1)) == malformed("line 1", "file format", "no further fields", "extra")


def test_closing_line() -> None:
    late = malformed("line 4", FORMAT, "nothing after the closing line", "a further line")
    assert answer(GOOD + END) == late
    assert answer(HEADER + STEP_LINE) == malformed("end of file", FORMAT, 'a closing line {"end": n}', "none")
    count = malformed("line 3, field end", "file format", "an integer from 1 to 1", "int 2")
    assert answer(HEADER + STEP_LINE + b'{"end":2}\n') == count
    assert "bool True" in answer(HEADER + STEP_LINE + b'{"end":true}\n')
    assert "no further fields" in answer(HEADER + STEP_LINE + b'{"end":1,"step":2}\n')


def test_cut_off() -> None:
    expected = f"a line of at most {64 * 2**20} bytes that ends in a newline"
    got = "a line without an end: the file was cut off, or the line is too long"
    assert answer(GOOD[:-1]) == malformed("line 3", FORMAT, expected, got)
    assert answer(b"") == malformed("line 1", FORMAT, "a certificate", "an empty file")
    for end in range(0, len(GOOD), 7):
        assert answer(GOOD[:end]).startswith("Malformed")


def test_steps() -> None:
    assert answer(HEADER + STEP_LINE.replace(b'"step":1', b'"step":2') + END) == malformed(
        "line 2, field step", "file format", "an integer from 1 to 1", "int 2"
    )
    unknown = letter(TENT, ("magic", (), {}))
    assert unknown == malformed("step 1", "catalogue", "a theorem of the catalogue", "magic")
    extra = letter(TENT, ("li_yorke", (), {"point": "1/4", "why": 1}))
    assert extra == malformed("line 2, field witness", "file format", "no further fields", "why")
    assert answer(HEADER + STEP_LINE.replace(b'"cites"', b'"x":1,"cites"') + END) == malformed(
        "line 2", "file format", "no further fields", "x"
    )


def test_a_million_steps_are_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_format, "MAX_STEPS", 1)
    content = certificate(TENT, [CHAOS.as_json()], STEP, STEP)
    assert answer(content) == malformed("line 3", FORMAT, "at most 1 steps", "2")


def test_citations() -> None:
    horse: Step = ("sharkovskii", (), {})
    assert letter(TENT, STEP, horse) == malformed("step 2", "citations", "a citation of one of the 1 earlier steps", "no further citation")
    assert letter(TENT, STEP, ("sharkovskii", (2,), {})) == malformed(
        "step 2", "citations", "a citation of one of the 1 earlier steps", "step 2"
    )
    assert letter(TENT, ("sharkovskii", (1,), {})) == malformed("step 1", "citations", "a citation of one of the 0 earlier steps", "step 1")
    assert letter(TENT, STEP, ("sharkovskii", (1, 1), {})) == malformed("step 2", "citations", "no unused citations", "1 unused")
    assert letter(TENT, STEP, ("li_yorke", (1,), {"point": "1/4"})) == malformed("step 2", "citations", "no unused citations", "1 unused")
    assert "integers from 1 to 1000000" in letter(TENT, ("sharkovskii", (0,), {}))


def test_listener_hears_each_step() -> None:
    heard: list[object] = []
    proofs.check(GOOD, listen=lambda *step: heard.append(step))
    assert heard == [(1, "li_yorke", (), CHAOS)]
