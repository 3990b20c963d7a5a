"""Certificates, and other files, on disk: written whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar, cast

from proofs.certificate import claim_text, read_header, read_lines
from proofs.errors import Malformed
from verify.answers import Certified, CycleList

if TYPE_CHECKING:
    from proofs.certificate import Certificate

Answer = TypeVar("Answer", Certified, CycleList)


def saved(answer: Answer, path: Path | None) -> Answer:
    """Write the answer's certificate and return the answer with the path in it; without a path, or a certificate, change nothing.

    An unfinished list of cycles does not replace a certificate that claims something else of the same network; the answer says so.
    **Guarantee:** a temporary file in the same folder is renamed at the end; interrupting leaves no partial file. **Raises:** Malformed.
    """
    if path is None:
        return answer
    certificate = answer if isinstance(answer, Certified) else answer.certificate
    if certificate is None:
        return answer
    if isinstance(answer, CycleList) and answer.verdict != "Proved" and _claims_more(path, certificate):
        kept = f"{path} is left as it was: it proves something that this unfinished run does not"
        return replace(answer, unresolved=(*answer.unresolved, kept))
    write_lines(path, certificate.lines())
    if isinstance(answer, Certified):
        return replace(answer, report=replace(answer.report, path=str(path)))
    return replace(answer, path=str(path))


def _claims_more(path: Path, certificate: Certificate) -> bool:
    """Say whether a file is a certificate about the same network with a claim that this one lacks; its steps are not checked."""
    try:
        with path.open("rb") as stream:
            header = read_header(next(read_lines(stream)))
    except (OSError, Malformed):
        return False
    ours = {claim_text(claim.as_json()) for claim in certificate.claims}
    return header.network.digest == certificate.network.digest and any(text not in ours for _, text in header.claims)


def write_lines(path: Path, lines: Iterable[bytes]) -> None:
    """Write lines to a file, atomically. **Raises:** Malformed where the file cannot be written."""
    with fresh_file(path) as fresh:
        fresh.stream.writelines(lines)
        fresh.keep()


@dataclass(frozen=True)
class Fresh:
    """A temporary file that gets its name at the end. ``path`` and ``temporary`` are None where it is only to be read again."""

    stream: IO[bytes]
    path: Path | None
    temporary: Path | None

    def keep(self) -> None:
        """Give the file its name, in place of what bore it before."""
        self.stream.flush()
        if self.path is not None and self.temporary is not None:
            self.temporary.chmod(0o644)
            self.temporary.replace(self.path)


@contextmanager
def fresh_file(path: Path | None) -> Iterator[Fresh]:
    """Open a temporary file beside ``path`` (anywhere if None), for writing and reading; it is removed unless it is kept.

    **Raises:** Malformed where it cannot be written.
    """
    if path is None:
        with tempfile.TemporaryFile(prefix="orbitproof-") as stream:
            yield Fresh(cast("IO[bytes]", stream), None, None)
        return
    try:
        refuse_folder(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        try:
            with temporary.open("x+b") as file:
                yield Fresh(file, path, temporary)
        finally:
            try:
                temporary.unlink(missing_ok=True)
            finally:
                temporary.unlink(missing_ok=True)  # where an interrupt came before the first could
    except OSError as failure:
        raise unwritable(path, failure) from failure


def refuse_folder(path: Path) -> None:
    """Refuse a folder where a file is to be written. **Raises:** Malformed."""
    if path.is_dir():
        raise unwritable(path, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))


def refuse_kind(path: Path) -> None:
    """Refuse a name that no figure can have. **Raises:** Malformed."""
    if path.suffix.lower() not in {".svg", ".png", ".pdf"}:
        expected, got = "a name that ends in .svg, .png or .pdf", path.suffix or "no ending"
        raise Malformed(where=str(path), law="kinds of figures", expected=expected, got=got)


def unwritable(path: Path, failure: OSError) -> Malformed:
    """Return the error that says why a file cannot be written."""
    why = os.strerror(failure.errno) if failure.errno else str(failure)
    return Malformed(where=str(path), law="the file can be written", expected="a file in a folder that can be written to", got=why)
