"""Every example runs, is short enough to read at a glance, and every example network loads."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
LONGEST = 60
PATIENCE = 300
# what an example itself offers to be shorter by, and to do all that it can
OPTIONS = {
    "training_spectra.py": ["--gains", "0.5", "3", "--steps", "100", "--every", "50", "--figure", "spectra.svg", "--json", "spectra.json"],
}


def named(pattern: str) -> list[object]:
    """Return the examples of one kind as named pytest parameters."""
    return [pytest.param(path, id=path.name) for path in sorted(EXAMPLES.glob(pattern))]


def test_there_are_examples() -> None:
    assert {"plrnn.json", "scalar_rnn.json"} <= {path.name for path in EXAMPLES.glob("*.json")}


@pytest.mark.parametrize("path", named("*.py"))
def test_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", named("*.py"))
def test_runs(path: Path, tmp_path: Path) -> None:
    runs(path, tmp_path, OPTIONS.get(path.name, []))


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIONS)
def test_runs_without_options(name: str, tmp_path: Path) -> None:
    runs(EXAMPLES / name, tmp_path, [])


def runs(path: Path, tmp_path: Path, options: list[str]) -> None:
    """Run an example in a folder of its own; a warning is an error."""
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    environment = os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}
    command = [sys.executable, "-W", "error", f"examples/{path.name}", *options]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", named("*.json"))
def test_loads(path: Path) -> None:
    import proofs
    import verify

    if path.name.startswith("train_"):
        from verify.training.config import read_config

        assert read_config(path).name
        return
    assert isinstance(verify.load_network(path), proofs.Network)
