"""``orbitproof track`` on a run whose events are known: text, JSON, a second run beside it, a figure, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from proofs.errors import Malformed
from tests.verify.training.test_tracking import tent_run
from verify.cli_track import track

APP = typer.Typer()
APP.command()(track)


@pytest.fixture
def tent(tmp_path: Path) -> Path:
    return tent_run(tmp_path / "tent", (-2.0, 0.5, 1.5), (1.0, 0.25, 2.0))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(APP, [str(argument) for argument in arguments])


def refused(*arguments: object) -> Malformed:
    failure = run(*arguments).exception
    assert isinstance(failure, Malformed)
    return failure


def test_text(tent: Path) -> None:
    done = run(tent, "--up-to", 1)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0] == "tent: 3 checkpoints, cycles up to period 1 (estimates)"
    assert "  0 to 10 at 0.400000000000: flip, period 1 (1); becomes stable; proved by flip" in lines
    escape = "to_infinity, period 1 (1), exists before; stability is lost; proved by to_infinity"
    assert f"  10 to 20 at 0.500000000000: {escape}" in lines
    assert lines[-1] == f"Proved  2 of 2 events between checkpoints are proved; certificates in {tent / 'tracking'}"


def test_json_against_and_figure(tent: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    other = tent_run(tmp_path / "calm", (0.25, 0.5), (1.0, 0.5))
    figure, output = tmp_path / "run.png", tmp_path / "out"
    done = run(tent, "--up-to", 1, "--from", 0, "--against", other, "--figure", figure, "-o", output, "--json")
    assert done.exit_code == 0, done.output
    content = json.loads(done.output)
    assert (content["run"], content["events"], content["against"]["run"]) == ("tent", 2, "calm")
    assert figure.stat().st_size > 1000
    assert {path.name for path in output.iterdir()} == {"first", "second"}


def test_refusals(tent: Path, tmp_path: Path) -> None:
    assert refused(tent, "--against", tent).law == "two runs"
    assert refused(tent, "--figure", tmp_path / "run.gif").law == "kinds of figures"
    assert refused(tent, "--from", 20, "--to", 10).law == "a range of updates"
    assert refused(tent, "-o", tent / "config.json").law == "records go to a folder"
    assert refused(tmp_path / "nothing").where == str(tmp_path / "nothing")
    assert not (tent / "tracking").exists()
