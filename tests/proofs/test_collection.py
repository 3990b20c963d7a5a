"""Many certificates in one file: each is checked as if it stood alone, and only a whole file is Proved."""

from __future__ import annotations

import io
import itertools
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

import proofs
from proofs.__main__ import main
from proofs.certificate import Remarks
from proofs.claims import Contraction, LiYorke
from proofs.errors import Malformed, OrbitproofError, Rejected
from proofs.explain import collection_lines
from proofs.kernel import Proved, check_collection
from proofs.theorems import THEOREMS
from tests.corpus.many import collected, headed, swapped
from tests.proofs.workbench import HALF, SMOOTH, TENT, TENT_BALL, Step, certificate

CHAOS = LiYorke(Fraction(1, 4), None)
STEP: Step = ("li_yorke", (), {"point": "1/4"})
SHRINK: Step = ("contraction", (), {"weights": ["1"], "rate": "1/2"})
CHAOTIC = certificate(TENT, [CHAOS.as_json()], STEP)
ORDERED = certificate(HALF, [Contraction(Fraction(1, 2)).as_json()], SHRINK)
GOOD = collected(CHAOTIC, ORDERED, CHAOTIC)
OPENING = b'{"orbitproof_collection":1}\n'


def verdicts(content: bytes) -> list[Proved]:
    """Check a whole collection."""
    return list(check_collection(io.BytesIO(content)))


def answer(content: bytes) -> str:
    """Return the letter of a bad collection."""
    with pytest.raises(OrbitproofError) as caught:
        verdicts(content)
    assert type(caught.value) in {Malformed, Rejected}
    return str(caught.value)


def test_each_verdict_is_that_of_the_certificate_alone() -> None:
    assert [verdict.statement for verdict in verdicts(GOOD)] == [proofs.check(content).statement for content in (CHAOTIC, ORDERED, CHAOTIC)]
    assert [verdict.digest for verdict in verdicts(GOOD)] == [TENT.digest, HALF.digest, TENT.digest]
    assert verdicts(collected(ORDERED))[0].claims == (Contraction(Fraction(1, 2)),)


def test_verdicts_come_one_by_one_and_the_end_says_that_all_passed() -> None:
    spoilt = collected(CHAOTIC, ORDERED.replace(b'"rate":"1/2"}}', b'"rate":"1/3"}}'))
    found = check_collection(io.BytesIO(spoilt))
    assert next(found).claims == (CHAOS,)
    with pytest.raises(Rejected):
        next(found)
    cut = check_collection(io.BytesIO(GOOD[: GOOD.rindex(b"{")]))
    assert [verdict.digest for verdict in itertools.islice(cut, 3)] == [TENT.digest, HALF.digest, TENT.digest]
    with pytest.raises(Malformed, match="a closing line"):
        next(cut)


def test_cut_off_anywhere() -> None:
    rows = GOOD.splitlines(keepends=True)
    for end in range(len(rows)):
        assert answer(b"".join(rows[:end])).startswith("Malformed at ")
    for size in range(0, len(GOOD), 13):
        assert answer(GOOD[:size]).startswith("Malformed at ")
    assert answer(GOOD[:-1]).startswith(f"Malformed at line {len(rows)}, certificate format")


def test_a_line_left_out_or_said_twice() -> None:
    rows = GOOD.splitlines(keepends=True)
    for i in range(len(rows)):
        assert answer(b"".join(rows[:i] + rows[i + 1 :])).startswith("Malformed at ")
        assert answer(b"".join([*rows[: i + 1], *rows[i:]])).startswith("Malformed at ")


def test_lines_changed_round() -> None:
    rows = GOOD.splitlines(keepends=True)
    for i, j in itertools.combinations(range(len(rows)), 2):
        changed = list(rows)
        changed[i], changed[j] = changed[j], changed[i]
        if changed != rows:
            assert answer(b"".join(changed)).startswith(("Malformed at ", "Rejected at "))


def test_the_letter_names_certificate_line_and_law() -> None:
    wrong = ORDERED.replace(b'"rate":"1/2"}}', b'"rate":"1/3"}}')
    law = "step 1, theorem contraction, check 2\n  expected  (N d)_1 <= c d_1\n  got       1/2 1/3"
    assert answer(collected(CHAOTIC, wrong, CHAOTIC)) == f"Rejected at certificate 2 from line 5 on, {law}"
    assert answer(collected(wrong, CHAOTIC)) == f"Rejected at certificate 1 from line 2 on, {law}"
    assert answer(collected(CHAOTIC, headed(ORDERED, CHAOTIC))).startswith("Rejected at certificate 2 from line 5 on, step 1, theorem li_")
    assert answer(collected(CHAOTIC, headed(CHAOTIC, ORDERED))).startswith("Rejected at certificate 2 from line 5 on, step 1, theorem con")
    digest = "Malformed at certificate 1 from line 2 on, line 2, field digest, certificate format"
    assert answer(collected(swapped(CHAOTIC, ORDERED), ORDERED)).startswith(digest)
    assert answer(collected(CHAOTIC, ORDERED.partition(b'{"end"')[0], CHAOTIC)).startswith(
        "Malformed at certificate 2 from line 5 on, line 7, field step"
    )


def test_a_claim_of_one_certificate_is_not_proved_by_another() -> None:
    claiming = certificate(TENT, [CHAOS.as_json()], ("pieces", (), {"max_knots": 9}))
    assert answer(collected(CHAOTIC, claiming)).startswith("Rejected at certificate 2 from line 5 on, claim 1, conclusion")
    assert answer(collected(claiming, CHAOTIC)).startswith("Rejected at certificate 1 from line 2 on, claim 1, conclusion")
    citing = certificate(TENT, [{"claim": "forced_periods", "period": 3}], ("sharkovskii", (1,), {}))
    assert "a citation of one of the 0 earlier steps" in answer(collected(CHAOTIC, citing))
    numbered = certificate(TENT, [CHAOS.as_json()], STEP).replace(b'"step":1', b'"step":2').replace(b'"end":1', b'"end":2')
    assert "certificate 2 from line 5 on, line 6, field step" in answer(collected(CHAOTIC, numbered))


@pytest.mark.parametrize("count", [-1, 0, 2, 4, True, "3", None, [3], 10**17])
def test_the_count_must_be_right(count: object) -> None:
    closing = json.dumps({"collection_end": count}).encode() + b"\n"
    assert answer(GOOD[: GOOD.rindex(b"{")] + closing).startswith(("Malformed at line 11", "Malformed at certificate 4 from line 11 on"))


def test_neither_nested_nor_empty_nor_followed() -> None:
    assert answer(collected()).startswith("Malformed at certificate 1 from line 2 on, line 2, field orbitproof")
    assert answer(b"").startswith("Malformed at line 1")
    assert "a collection of certificates" in answer(collected(CHAOTIC, collected(ORDERED)))
    assert "a collection of certificates" in answer(OPENING + GOOD)
    assert "nothing after the closing line" in answer(GOOD + GOOD)
    assert "nothing after the closing line" in answer(GOOD + b"{}\n")
    assert answer(CHAOTIC).startswith("Malformed at line 1, field orbitproof_collection")


def test_a_certificate_alone_stays_alone() -> None:
    with pytest.raises(Malformed, match="nothing after the closing line"):
        proofs.check(CHAOTIC + ORDERED)
    for refused in (lambda: proofs.check(GOOD), lambda: proofs.check(GOOD, TENT), lambda: list(proofs.explain(GOOD))):
        with pytest.raises(Malformed) as caught:
            refused()
        assert (caught.value.where, caught.value.got) == ("line 1", "a collection of certificates")
        assert caught.value.remedy.startswith("a collection is checked as a whole")


class Endless(io.RawIOBase):
    """A file that goes on as it is read, and counts what was read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self.parts, self.read_lines = parts, 0

    def readline(self, size: int | None = -1, /) -> bytes:
        self.read_lines += 1
        assert size is not None
        assert size > 0
        return next(self.parts)[:size]


def test_memory_is_that_of_one_certificate() -> None:
    parts = (row for content in itertools.chain([OPENING], itertools.repeat(CHAOTIC)) for row in content.splitlines(keepends=True))
    stream = Endless(parts)
    found = check_collection(stream)  # type: ignore[arg-type]
    next(found)
    assert stream.read_lines == 4
    tracemalloc.start()
    for _ in itertools.islice(found, 100):
        pass
    before = tracemalloc.get_traced_memory()[0]
    for _ in itertools.islice(found, 400):
        pass
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert stream.read_lines == 4 + 3 * 500
    assert grown < 50_000


def test_hostile_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "brackets nested too deeply" in answer(OPENING + b"[" * 10**5 + b"\n")
    assert answer(OPENING + b'{"collection_end":' + b"9" * 5000 + b"}\n").startswith("Malformed at line 2")
    monkeypatch.setattr("proofs.certificate.MAX_LINE_BYTES", 1000)
    endless = Endless(itertools.chain([OPENING], itertools.repeat(b"x" * 10_000)))
    with pytest.raises(Malformed, match="a line of at most 1000 bytes"):
        list(check_collection(endless))  # type: ignore[arg-type]
    monkeypatch.setattr("proofs.certificate.MAX_STEPS", 1)
    assert "at most 1 steps" in answer(collected(CHAOTIC, certificate(TENT, [CHAOS.as_json()], STEP, STEP)))


def test_what_fits_into_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(_step: object) -> None:
        raise MemoryError

    monkeypatch.setitem(THEOREMS, "contraction", exhausted)
    assert answer(GOOD).startswith("Malformed at certificate 2 from line 5 on, certificate, resources")


def test_said_in_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assumed = certificate(TENT_BALL, [CHAOS.as_json()], STEP, remarks=Remarks("", "", ("the weights were trained",)))
    path = tmp_path / "all.cert"
    path.write_bytes(collected(CHAOTIC, ORDERED, CHAOTIC, assumed))
    assert main(["check", str(path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Each certificate speaks of the real-number map F of its own network, or of every network within its weight intervals.",
        "certificates by contraction: 1",
        "certificates by li_yorke: 3",
        "certificates with assumptions, not checked: 1",
        "claims contraction: 1",
        "claims li_yorke: 3",
        "networks, by digest: 3",
        "Proved: 4 certificates",
    ]
    for command, remedy in ((["explain", str(path)], True), (["check", str(path), "--network", str(tmp_path / "net")], False)):
        (tmp_path / "net").write_bytes(certificate(TENT, [CHAOS.as_json()], STEP))
        assert main(command) == 2
        assert "take one certificate out of it" in capsys.readouterr().out or not remedy
    path.write_bytes(collected(CHAOTIC, ORDERED.replace(b'"1/2"}}', b'"1/3"}}')))
    assert main(["check", str(path)]) == 1
    assert "Proved" not in capsys.readouterr().out
    path.write_bytes(GOOD[:-5])
    assert main(["check", str(path)]) == 2
    assert "Proved" not in capsys.readouterr().out


def test_nothing_is_said_before_the_last_line() -> None:
    with pytest.raises(Malformed):
        collection_lines(io.BytesIO(GOOD[: GOOD.rindex(b"{")]))
    assert collection_lines(io.BytesIO(GOOD))[-1] == "Proved: 3 certificates"


def test_from_a_pipe(root: Path) -> None:
    for content in (GOOD, CHAOTIC):
        done = subprocess.run(
            [sys.executable, "-S", "-m", "proofs", "check", "/dev/stdin"], input=content, cwd=root, capture_output=True, check=False
        )
        assert done.returncode == 0
        assert done.stdout.splitlines()[-1].startswith(b"Proved")


def test_smooth_networks_are_no_exception() -> None:
    smooth = certificate(SMOOTH, [Contraction(Fraction(1, 2)).as_json()], ("contraction", (), {**SHRINK[2], "bits": 64}))
    assert [verdict.digest for verdict in verdicts(collected(smooth, ORDERED))] == [SMOOTH.digest, HALF.digest]
