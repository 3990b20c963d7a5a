"""README.md is true: its console blocks print what they show, its Python blocks run.

A ```console block is `$ command` lines, each followed by the output it must print; `...` stands for any text, as in a doctest.
Each begins with a fresh copy of examples/. The first runs as typed; in the others `orbitproof` is called in this process, which has
imported what a new one would import again and again, and the search for entropy is content with fewer paths. Slow: all as typed.
A ```python block with `>>>` is a doctest, any other is a script.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.verify.command import orbitproof

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(?P<kind>console|python)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = set("|&;<>$`*?()")
PATIENCE = 300


@pytest.fixture
def folder(tmp_path: Path, root: Path) -> Path:
    """Return a temporary folder with copies of ``examples/`` and ``proofs/``, which is all that the README's commands may need."""
    shutil.copytree(root / "examples", tmp_path / "examples")
    shutil.copytree(root / "proofs", tmp_path / "proofs")
    return tmp_path


def blocks(readme: str, kind: str) -> list[str]:
    """Return the text of every block of one kind."""
    return [match["text"] for match in BLOCK.finditer(readme) if match["kind"] == kind]


def commands(block: str) -> list[tuple[str, str]]:
    """Split a console block into commands and the output expected of each; a command may go on after a backslash."""
    parts = re.split(r"^\$ ((?:.*\\\n)*.*)\n?", block, flags=re.MULTILINE)
    assert not parts[0], f"output before the first command: {parts[0]!r}"
    return list(zip(parts[1::2], parts[2::2], strict=True))


def run(command: list[str], folder: Path) -> str:
    """Run a command with this environment's programs first on the path; return what it prints, both streams together."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = os.environ | {"PATH": path, "COLUMNS": "80", "NO_COLOR": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=PATIENCE
    )
    return done.stdout


def matches(want: str, got: str) -> bool:
    """Say whether the output is the one shown, `...` standing for any text."""
    return doctest.OutputChecker().check_output(want, got, doctest.ELLIPSIS)


def called(command: str) -> str:
    """Run a line in this process if it is a plain call of the command line; return what it prints."""
    if not command.startswith("orbitproof ") or SHELL & set(command):
        return run(["bash", "-c", command], Path.cwd())
    done = orbitproof(*shlex.split(command)[1:])
    return done.out + done.err


CONSOLE = [commands(block) for block in blocks(README, "console")]


def test_there_are_console_blocks() -> None:
    assert CONSOLE, "README.md opens with a worked example and its printed output"
    assert all(CONSOLE)


@pytest.mark.parametrize("block", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in range(1, len(CONSOLE)))])
def test_console_blocks_as_typed(folder: Path, block: int) -> None:
    for command, want in CONSOLE[block]:
        got = run(["bash", "-c", command], folder)
        assert matches(want, got), f"$ {command}\n--- README.md\n{want}--- printed\n{got}"


@pytest.mark.usefixtures("few_paths")
@pytest.mark.parametrize("block", range(1, len(CONSOLE)))
def test_console_blocks(folder: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    for command, want in CONSOLE[block]:
        got = called(command)
        assert matches(want, got), f"$ {command}\n--- README.md\n{want}--- printed\n{got}"


def test_python_blocks(folder: Path) -> None:
    python = blocks(README, "python")
    (folder / "readme.txt").write_text("\n\n".join(block for block in python if ">>>" in block), encoding="utf-8")
    (folder / "script.py").write_text("\n\n".join(block for block in python if ">>>" not in block), encoding="utf-8")
    assert not run([sys.executable, "-m", "doctest", "-o", "ELLIPSIS", "readme.txt"], folder)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_reader_of_blocks() -> None:
    text = "a\n```console\n$ one \\\n  two\nout ... put\n$ three\n```\n```python\nx = 1\n```\n```sh\nnever\n```\n"
    assert [commands(block) for block in blocks(text, "console")] == [[("one \\\n  two", "out ... put\n"), ("three", "")]]
    assert blocks(text, "python") == ["x = 1\n"]
    assert matches("out ... put\n", "out 17 put\n")
    assert not matches("", "something\n")
