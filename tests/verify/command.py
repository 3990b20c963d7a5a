"""The command line, run in this process, and the small networks that its tests are about."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from unittest import mock

import typer.main

from verify.cli import main

TENT = {
    "model": "scalar",
    "layers": [
        {"W": [[1], [1]], "b": [0, "-1/2"], "activation": "relu"},
        {"W": [[2, -4]], "b": [0], "activation": "identity"},
    ],
}
CONTRACTION = {"model": "plrnn", "A": [0.5, 0.25], "W": [[0, 0.1], [0.1, 0]], "h": [1, -1]}


_built_once = cache(typer.main.get_command)  # from signatures that never change, at 40 ms a time


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    def json(self) -> dict:
        """Return the one JSON object on stdout; anything else on it is an error."""
        assert self.out.count("\n") == 1, self.out
        content = json.loads(self.out, parse_constant=_refuse)
        assert isinstance(content, dict)
        return content

    @property
    def last(self) -> str:
        """Return the last line of the text."""
        return self.out.splitlines()[-1]


def orbitproof(*arguments: object) -> Done:
    """Run a command line in this process."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["orbitproof", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), mock.patch.object(typer.main, "get_command", _built_once):
            main()
    except SystemExit as leaving:
        code = leaving.code
    finally:
        sys.argv = before
    assert isinstance(code, int)
    assert "Traceback" not in out.getvalue() + err.getvalue()
    return Done(code, out.getvalue(), err.getvalue())


def lozi(a: str = "17/10", b: str = "1/2") -> dict[str, object]:
    """Return x' = 1 - a|x| + y, y' = b x as a PLRNN."""
    return {"model": "plrnn", "A": [[a, 1], [b, 0]], "W": [[str(-2 * Fraction(a)), 0], [0, 0]], "h": [1, 0]}


def saved(folder: Path, content: Mapping[str, object], name: str = "net.json") -> Path:
    """Write a network file."""
    path = folder / name
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def _refuse(word: str) -> None:
    message = f"{word} is no JSON"
    raise ValueError(message)
