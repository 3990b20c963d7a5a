"""The folder ``proofs/`` alone is the checker: no environment, no site-packages, no finder beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """Copy ``proofs/`` to an empty folder and return that folder."""
    folder = tmp_path_factory.mktemp("alone")
    shutil.copytree(root / "proofs", folder / "proofs", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -S -m proofs`` in a folder with every Python variable of the environment removed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [sys.executable, "-S", "-W", "error", "-m", "proofs", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("arguments", [["--help"], ["theorems"]])
def test_answers_alone(alone: Path, arguments: list[str]) -> None:
    done = run(alone, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()


def test_checks_alone(alone: Path, root: Path) -> None:
    accepted = sorted((root / "tests/corpus/accepted").glob("*.cert"))
    assert accepted
    done = run(alone, "check", str(accepted[0]))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("Proved")


def test_rejects_alone(alone: Path, root: Path) -> None:
    rejected = sorted((root / "tests/corpus/rejected").glob("*.cert"))
    assert rejected
    done = run(alone, "check", str(rejected[0]))
    assert done.returncode == 1
    assert "Rejected at " in done.stdout + done.stderr


def test_refuses_alone(alone: Path) -> None:
    (alone / "empty.cert").touch()
    done = run(alone, "check", "empty.cert")
    assert done.returncode == 2
    assert "Malformed at " in done.stdout + done.stderr
