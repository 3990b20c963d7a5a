"""The state of an unfinished proof of completeness on disk: a header, then one line a finished chunk, each with its checksum.

Lines are appended and flushed, so that whatever ends the program costs the chunk in hand and no more: a last line that was cut off is
dropped when the file is opened again. What the file says is material for the checker like any other: a wrong ledger proves nothing.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast
from zlib import crc32

from proofs.errors import Malformed
from proofs.reader import MAX_LINE_BYTES, parse_object
from verify.certification.chunks import Chunk
from verify.certification.files import unwritable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verify.certification.chunks import Task

VERSION = 1
_OPENING = b'{"sum":"'
_MIDDLE = b'","line":'
_HEAD = len(_OPENING) + 8 + len(_MIDDLE)
_FRESH = "another -o, or remove this file to start afresh"


@dataclass(frozen=True)
class Question:
    """What a ledger is about; its chunks are of use to no other question."""

    digest: str
    method: str
    up_to: int
    seed: int
    limit: int
    version: str

    def as_json(self) -> dict[str, object]:
        """Return it as the ledger's first line spells it."""
        return {"ledger": VERSION, **vars(self)}


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept in memory of a finished chunk; the rest is read from the file when it is needed."""

    offset: int
    size: int
    parts: tuple[Task, ...]
    explored: int
    residual: bool
    unresolved: tuple[str, ...]


class Ledger:
    """Finished chunks by task. **Memory:** a few hundred bytes a chunk."""

    def __init__(self, path: Path | None, question: Question) -> None:
        """Open or begin the ledger at ``path``; None for a temporary one.

        **Raises:** Malformed for a ledger of another question, a damaged one, or one that another process is writing.
        """
        self.path = path
        self.question = question
        self.done: dict[Task, Entry] = {}
        self._file = _opened(path)
        self._names: dict[str, str] = {}
        self._end = 0
        try:
            self._load()
        except BaseException:
            self.close(finished=False)
            raise
        self.resumed = len(self.done)

    def append(self, chunk: Chunk) -> None:
        """Keep a finished chunk."""
        if chunk.task not in self.done:
            self._remember(chunk, self._write(chunk.as_json()))

    def chunk(self, task: Task) -> Chunk:
        """Read a finished chunk. **Raises:** Malformed if the file was changed meanwhile."""
        entry = self.done[task]
        self._file.seek(entry.offset)
        body = _body(self._file.read(entry.size))
        if body is None:
            raise _damaged(self._where, f"the chunk of {entry.size} bytes at byte {entry.offset}")
        return Chunk.read(parse_object(body, self._where))

    def pending(self, roots: Sequence[Task]) -> list[Task]:
        """Return the tasks below the roots that are not finished, the first to be done last."""
        stack, left = list(reversed(roots)), list[str]()
        while stack:
            task = stack.pop()
            if task in self.done:
                stack.extend(reversed(self.done[task].parts))
            else:
                left.append(task)
        return left[::-1]

    def in_order(self, root: Task) -> Iterator[Task]:
        """Yield the finished tasks below a root, each after its parts."""
        stack = [(root, False)]
        while stack:
            task, opened = stack.pop()
            if opened:
                yield task
            elif task in self.done:
                stack.append((task, True))
                stack.extend((part, False) for part in reversed(self.done[task].parts))

    def close(self, *, finished: bool) -> None:
        """Close the file; remove it where the work is finished."""
        with suppress(OSError):  # a full disk, of which ``append`` has told
            self._file.close()
        if finished and self.path is not None:
            self.path.unlink(missing_ok=True)

    @property
    def _where(self) -> str:
        return str(self.path or "temporary ledger")

    def _load(self) -> None:
        """Read what is there, or write the header. A last line that was not finished is cut off."""
        torn, rest = None, b""
        for number, line in enumerate(iter(lambda: self._file.readline(MAX_LINE_BYTES), b""), 1):
            if torn is not None:
                raise _damaged(self._where, f"line {torn}")
            body = _body(line)
            if body is None:
                torn, rest = number, line
                continue
            if number == 1:
                self._greet(body)
            else:
                self._remember(Chunk.read(parse_object(body, f"{self._where}, line {number}")), len(line))
                continue
            self._end += len(line)
        if torn == 1 and not _line(self.question.as_json()).startswith(rest):
            raise _damaged(self._where, "line 1")
        self._file.truncate(self._end)
        if self._end == 0:
            self._end += self._write(self.question.as_json())

    def _greet(self, body: bytes) -> None:
        asked, found = self.question.as_json(), _plain(body)
        wrong = [key for key in asked if found.get(key) != asked[key]]
        if wrong:
            raise Malformed(
                where=self._where,
                law="resuming unfinished work",
                expected=", ".join(f"{key} {asked[key]}" for key in wrong),
                got=", ".join(f"{key} {found.get(key)}" for key in wrong),
                remedy=f"this file holds the unfinished work on another question: {_FRESH}",
            )

    def _remember(self, chunk: Chunk, size: int) -> None:
        parts = tuple(self._names.setdefault(part, part) for part in chunk.parts)
        task = self._names.pop(chunk.task, chunk.task)
        self.done[task] = Entry(self._end, size, parts, chunk.explored, bool(chunk.residual), chunk.unresolved)
        self._end += size

    def _write(self, content: dict[str, object]) -> int:
        line = _line(content)
        if len(line) > MAX_LINE_BYTES:
            raise ValueError(f"a chunk of {len(line)} bytes")
        try:
            self._file.seek(self._end)
            self._file.write(line)
            self._file.flush()
        except OSError as failure:
            raise unwritable(self.path or Path(tempfile.gettempdir()), failure) from failure
        return len(line)


def recorded_method(path: Path | None) -> str | None:
    """Return the method of an existing ledger, None where there is none that can be read."""
    try:
        with (path or Path(os.devnull)).open("rb") as stream:
            body = _body(stream.readline(MAX_LINE_BYTES))
        method = None if body is None else _plain(body).get("method")
    except (OSError, Malformed):
        return None
    return method if isinstance(method, str) else None


def _opened(path: Path | None) -> IO[bytes]:
    if path is None:
        return cast("IO[bytes]", tempfile.TemporaryFile(prefix="orbitproof-"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("r+b" if path.exists() else "w+b")
    except OSError as failure:
        raise unwritable(path, failure) from failure
    if not _locked(file):
        file.close()
        expected = "no other program at work on this certificate"
        raise Malformed(where=str(path), law="one writer", expected=expected, got="one", remedy="wait for it, or another -o")
    return file


def _locked(file: IO[bytes]) -> bool:
    """Lock the file until it is closed, where the system knows how."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _line(content: dict[str, object]) -> bytes:
    body = json.dumps(content, separators=(",", ":"), allow_nan=False).encode("ascii")
    return b"%b%08x%b%b}\n" % (_OPENING, crc32(body), _MIDDLE, body)


def _body(line: bytes) -> bytes | None:
    """Return what a line holds, None unless its checksum is right."""
    body = line[_HEAD:-2]
    whole = line.startswith(_OPENING) and line.endswith(b"}\n") and line[_HEAD - len(_MIDDLE) : _HEAD] == _MIDDLE
    return body if whole and line[len(_OPENING) : _HEAD - len(_MIDDLE)] == b"%08x" % crc32(body) else None


def _plain(body: bytes) -> dict[str, object]:
    fields = parse_object(body, "ledger, line 1")
    return {key: fields.raw(key) for key in Question("", "", 0, 0, 0, "").as_json() if fields.has(key)}


def _damaged(where: str, what: str) -> Malformed:
    got = f"{what}, whose checksum is wrong"
    return Malformed(where=where, law="unfinished work", expected="lines as this program wrote them", got=got, remedy=_FRESH)
