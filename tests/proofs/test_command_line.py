"""``python -S -m proofs``: what it prints, its exit codes, and how it reads files."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

import proofs
from proofs.__main__ import USAGE, main
from proofs.certificate import Remarks, json_line
from proofs.claims import LiYorke, ScrambledSet
from proofs.errors import Malformed
from proofs.explain import title
from proofs.theorems import CARDS, THEOREMS
from tests.proofs.test_kernel import CHAOS, GOOD, STEP
from tests.proofs.workbench import TENT, TENT_BALL, Step, certificate


@pytest.fixture
def good(tmp_path: Path) -> str:
    path = tmp_path / "good.cert"
    path.write_bytes(GOOD)
    return str(path)


def test_check(good: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", good]) == 0
    scope, claim, by, last = capsys.readouterr().out.splitlines()
    assert scope.endswith("(not its floating-point execution):")
    assert (claim, by, last) == (f"claim 1: {CHAOS.statement()}.", "By li_yorke.", f"Proved  {CHAOS.statement()}.")
    other = tmp_path / "net.json"
    other.write_bytes(json_line(TENT_BALL.as_json()))
    assert main(["check", good, "--network", good]) == 0
    assert main(["check", good, "--network", str(other)]) == 1
    assert "Rejected at line 1, network digest" in capsys.readouterr().out


def test_failures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "absent")]) == 2
    expected = f"Malformed at {tmp_path / 'absent'}, file\n  expected  a file that can be read\n  got       No such file or directory\n"
    assert capsys.readouterr().out == expected
    bad = tmp_path / "bad.cert"
    bad.write_bytes(certificate(TENT, [ScrambledSet().as_json()], STEP))
    assert main(["check", str(bad)]) == 1
    bad.write_bytes(b"\xff\n")
    assert main(["explain", str(bad)]) == 2
    bad.write_bytes(GOOD.replace(b'"theorem":"li_yorke"', b'"theorem":"\\ud800"'))
    assert main(["check", str(bad)]) == 2


@pytest.mark.parametrize("arguments", [[], ["prove"], ["check"], ["check", "a", "--network"], ["theorems", "A"], ["theorems", "nope"]])
def test_misuse(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().out == USAGE + "\n"


def test_help_and_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == main(["-h"]) == 0
    assert capsys.readouterr().out == f"{USAGE}\n{USAGE}\n"
    assert main(["theorems"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(THEOREMS) == len(CARDS)
    for name in THEOREMS:
        assert main(["theorems", name]) == 0
        assert capsys.readouterr().out.startswith(CARDS[name].strip())
    with pytest.raises(KeyError):
        proofs.theorems("nope")


def test_as_a_module(good: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["proofs", "check", good])
    monkeypatch.delitem(sys.modules, "proofs.__main__")
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("proofs", run_name="__main__")
    assert caught.value.code == 0
    assert "Proved" in capsys.readouterr().out


def test_explain() -> None:
    remarks = Remarks("", "", ("the weights were trained",))
    steps: tuple[Step, ...] = (STEP, ("sharkovskii", (1,), {}))
    lines = list(proofs.explain(certificate(TENT, [CHAOS.as_json()], *steps, remarks=remarks)))
    assert lines[0] == f"For the real-number map F of the network {TENT.digest} (not its floating-point execution):"
    assert lines[1] == f"1. {CHAOS.statement()}.\n   by {title('li_yorke')}"
    assert lines[2].endswith(f"\n   by {title('sharkovskii')}, from step 1")
    assert lines[3:5] == [f"claim 1: {CHAOS.statement()}.", "By li_yorke, sharkovskii."]
    assert lines[5:] == ['Assumed, not checked: "the weights were trained".', f"Proved  {CHAOS.statement()}."]
    assert len([line for line in lines if line.startswith("Proved")]) == 1


def test_explain_says_nothing_before_the_last_check() -> None:
    claims = [LiYorke(CHAOS.point, CHAOS.point).as_json()]
    with pytest.raises(proofs.Rejected):
        next(iter(proofs.explain(certificate(TENT, claims, STEP))))


def test_load(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for content in (GOOD, json_line(TENT.as_json()), json_line({"network": TENT.as_json()})):
        path.write_bytes(content)
        assert proofs.load(path).digest == TENT.digest
    for content in (b"", b"\n", b"[]", b'{"network":3}', b'{"dimension":1}'):
        path.write_bytes(content)
        with pytest.raises(Malformed):
            proofs.load(str(path))
    with pytest.raises(OSError, match="No such file"):
        proofs.load(tmp_path / "absent")
