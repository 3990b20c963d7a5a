"""Every example runs, is short enough to read at a glance, and every example network loads."""

from __future__ import annotations

import os
import random
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
LONGEST = 60
PATIENCE = 300
OWN_PROCESS = {"complete_in_the_shell.py", "certify_plrnn.py"}  # one types into a shell, one is the first that is read
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
def test_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, which has most libraries already; a warning is an error. The slow tests have a process for each."""
    if path.name in OWN_PROCESS:
        runs(path, tmp_path, OPTIONS.get(path.name, []))
        return
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [f"examples/{path.name}", *OPTIONS.get(path.name, [])])
    monkeypatch.syspath_prepend(str(tmp_path / "examples"))
    before = random.getstate(), np.random.get_state(), torch.get_rng_state(), torch.get_default_dtype()  # noqa: NPY002 - put back below
    try:
        runpy.run_path(f"examples/{path.name}", run_name="__main__")
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
        torch.set_rng_state(before[2])
        torch.set_default_dtype(before[3])


@pytest.mark.slow
@pytest.mark.parametrize("path", named("*.py"))
def test_runs_in_a_process_of_its_own(path: Path, tmp_path: Path) -> None:
    runs(path, tmp_path, OPTIONS.get(path.name, []))


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIONS)
def test_runs_without_options(name: str, tmp_path: Path) -> None:
    runs(EXAMPLES / name, tmp_path, [])


def runs(path: Path, tmp_path: Path, options: list[str]) -> None:
    """Run an example in a folder and a process of its own; a warning is an error."""
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
