"""Certificates on disk: written whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from proofs.errors import Malformed
from verify.answers import Certified, CycleList

Answer = TypeVar("Answer", Certified, CycleList)


def saved(answer: Answer, path: Path | None) -> Answer:
    """Write the answer's certificate and return the answer with the path in it; without a path, or a certificate, change nothing.

    **Guarantee:** a temporary file in the same folder is renamed at the end; interrupting leaves no partial file. **Raises:** Malformed.
    """
    if path is None:
        return answer
    certificate = answer if isinstance(answer, Certified) else answer.certificate
    if certificate is None:
        return answer
    write_lines(path, certificate.lines())
    if isinstance(answer, Certified):
        return replace(answer, report=replace(answer.report, path=str(path)))
    return replace(answer, path=str(path))


def write_lines(path: Path, lines: Iterable[bytes]) -> None:
    """Write lines to a file, atomically. **Raises:** Malformed where the file cannot be written."""
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(path, lines)
    except OSError as failure:
        why = os.strerror(failure.errno) if failure.errno else str(failure)
        raise Malformed(
            where=str(path), law="the file can be written", expected="a file in a folder that can be written to", got=why
        ) from failure


def _write_whole(path: Path, lines: Iterable[bytes]) -> None:
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.writelines(lines)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
