"""Reading in a process of its own, for libraries that crash or never return on damaged bytes (measured: scipy's .mat reader, HDF5)."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from proofs.errors import Malformed, OrbitproofError
from verify.errors import Unsupported
from verify.formats import npz
from verify.formats.stored import Stored

SECONDS = 120
"""Time the other process may take."""
_CONTENT = "content.npz"
_REPLY = "reply.json"
_CHILD = "import sys; from verify.formats.apart import serve; serve(*sys.argv[1:])"
_VERDICTS: dict[str, type[OrbitproofError]] = {"Malformed": Malformed, "Unsupported": Unsupported}


def load_apart(path: Path, module: str) -> Stored:
    """Return what ``load_here`` of ``verify.formats.<module>`` reads, or the error it ends in; a crash of the library is Malformed.

    **Cost:** the start of a Python process, about 0.3 s.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", _CHILD, module, str(path.absolute()), folder]
        places = os.pathsep.join(place or str(Path.cwd()) for place in sys.path)
        try:
            # our own interpreter and code; the path is an argument, never part of a command line
            done = subprocess.run(  # noqa: S603
                command, env={**os.environ, "PYTHONPATH": places}, capture_output=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise _stopped(path, f"bytes at which the reader did not end within {SECONDS} s") from error
        if done.returncode != 0:
            raise _stopped(path, "bytes at which the reader crashed")
        _raise_reply(json.loads(Path(folder, _REPLY).read_text(encoding="ascii")))
        content = npz.load(Path(folder, _CONTENT))
    return Stored(content.arrays, content.meta, str(path), content.type_name)


def serve(module: str, path: str, folder: str) -> None:
    """Do the reading, in the other process: leave the content or the fields of the error in ``folder``."""
    reply: dict[str, object] = {}
    try:
        stored: Stored = importlib.import_module(f"verify.formats.{module}").load_here(Path(path))
        with Path(folder, _CONTENT).open("wb") as file:
            npz.dump(stored, file)
    except OrbitproofError as error:
        reply = {"verdict": error.verdict, "fields": dict(zip(("where", "law", "expected", "got", "remedy"), error.args, strict=True))}
    except ModuleNotFoundError as error:
        reply = {"missing": error.name}
    Path(folder, _REPLY).write_text(json.dumps(reply), encoding="ascii")


def _raise_reply(reply: dict[str, object]) -> None:
    if "missing" in reply:
        raise ModuleNotFoundError(name=str(reply["missing"]))
    fields = reply.get("fields")
    if isinstance(fields, dict):
        raise _VERDICTS[str(reply["verdict"])](**fields)


def _stopped(path: Path, got: str) -> Malformed:
    remedy = "the file is damaged, cut short or of another format; fetch it again"
    expected = f"a complete {path.suffix.lower()} file"
    return Malformed(where=path.name, law="the file follows its format", expected=expected, got=got, remedy=remedy)
