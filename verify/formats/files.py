"""Opening and replacing files: size limits before reading, all or nothing when writing."""

from __future__ import annotations

import os
import secrets
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from proofs.errors import Malformed

MAX_BYTES = 512 * 2**20
"""Size of a file, and of everything a zip container unpacks to."""
ZIP_MAGIC = b"PK\x03\x04"


def check_file(path: Path) -> None:
    """Refuse what cannot be a network file before any byte is interpreted. **Raises** Malformed: absent, empty, over 512 MiB."""
    try:
        status = path.stat()
        regular = stat.S_ISREG(status.st_mode)
        if regular:
            path.open("rb").close()
    except (OSError, ValueError) as error:
        got = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "a path with a NUL"
        raise Malformed(where=path.name, law="the file can be read", expected="a readable file", got=got) from error
    size = status.st_size
    if not regular:
        raise Malformed(where=path.name, law="the file can be read", expected="a regular file", got="a folder or a device")
    if size == 0:
        raise Malformed(where=path.name, law="a file has content", expected="at least one byte", got="an empty file")
    if size > MAX_BYTES:
        raise Malformed(where=path.name, law="size limit", expected=f"at most {MAX_BYTES} bytes", got=f"{size} bytes")


@contextmanager
def failures_of(path: Path, kind: str, failures: tuple[type[Exception], ...], remedy: str = "") -> Iterator[None]:
    """Turn the named exceptions of a library into Malformed; the original stays attached as the cause."""
    try:
        yield
    except failures as error:
        got = f"bytes at which the reader stopped ({type(error).__name__})"
        raise Malformed(
            where=path.name,
            law="the file follows its format",
            expected=f"a complete {kind}",
            got=got,
            remedy=remedy or "the file is damaged, cut short or of another format; fetch it again",
        ) from error


def check_zip(path: Path, kind: str) -> None:
    """Refuse a zip whose members are damaged, repeated, or unpack to more than 512 MiB. **Raises** Malformed."""
    with failures_of(path, kind, ZIP_FAILURES), zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    total = sum(member.file_size for member in members)
    if total > MAX_BYTES:
        law, expected = "size limit", f"at most {MAX_BYTES} bytes after unpacking"
        raise Malformed(where=path.name, law=law, expected=expected, got=f"{total} bytes declared")
    name, times = Counter(member.filename for member in members).most_common(1)[0] if members else ("", 0)
    if times > 1:
        raise Malformed(where=path.name, law="names are unique", expected="every member once", got=f"{name} {times} times")
    with failures_of(path, kind, ZIP_FAILURES), zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        got, remedy = f"another one for {damaged}", "the file is damaged; fetch it again"
        raise Malformed(where=path.name, law="checksums", expected="the checksum of every member", got=got, remedy=remedy)


ZIP_FAILURES: tuple[type[Exception], ...] = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, UnicodeDecodeError,
    ValueError,
)  # fmt: skip
"""What ``zipfile`` raises on damaged bytes (RuntimeError: encrypted; NotImplementedError: unknown compression)."""


def replace_file(path: Path, produce: Callable[[BinaryIO], None]) -> None:
    """Write a file completely or not at all: into a neighbour first, then one rename.

    **Guarantee:** after a failure or an interrupt the old file is as it was, and the neighbour is gone.
    **Raises** Malformed: the folder is absent or cannot be written to.
    """
    neighbour = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        try:
            with neighbour.open("xb") as file:
                produce(file)
                file.flush()
                os.fsync(file.fileno())
            neighbour.replace(path)
        finally:
            try:
                neighbour.unlink(missing_ok=True)
            finally:
                neighbour.unlink(missing_ok=True)  # where an interrupt came before the first could
    except OSError as error:
        raise Malformed(
            where=path.name, law="the file can be written", expected="a folder that can be written to", got=os.strerror(error.errno or 0)
        ) from error
