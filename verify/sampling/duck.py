"""The one door to DuckDB: opens files with care, and turns its errors into this program's."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from proofs.errors import Malformed
from verify.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duckdb import DuckDBPyConnection

LAW = "a campaign's DuckDB file"
FRESH = "another --db, or remove this file to start afresh"
_CONFIG: dict[str, str | bool | int | float | list[str]] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
_MAGIC, _MAGIC_AT = b"DUCK", 8
_open_here: set[Path] = set()


def hold(path: Path | None) -> Path:
    """Take the file for this process: DuckDB's own lock keeps out others. **Raises:** Malformed."""
    held = Path() if path is None else path.resolve()
    if path is not None:
        if held in _open_here:
            raise _taken(path)
        _open_here.add(held)
    return held


def let_go(held: Path) -> None:
    """Let others of this process open the file."""
    _open_here.discard(held)


def connect(path: Path | None) -> DuckDBPyConnection:
    """Open a DuckDB file, or begin it; None: in memory. **Raises:** Malformed; Unsupported: no such library here."""
    try:
        import duckdb
    except ModuleNotFoundError as failure:
        law, remedy = "the library for campaigns is installed", 'pip install "orbitproof[sampling]"'
        raise Unsupported(where="campaign", law=law, expected="the module duckdb", got="no such module", remedy=remedy) from failure
    if path is not None:
        _check_magic(path)
    with letters(path):
        return duckdb.connect(":memory:" if path is None else str(path.resolve()), config=_CONFIG)


def _check_magic(path: Path) -> None:
    """Refuse what is no DuckDB file before DuckDB wonders what else it could be. **Raises:** Malformed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            return
        with path.open("rb") as file:
            head = file.read(_MAGIC_AT + len(_MAGIC))
    except OSError as failure:
        from verify.certification.files import unwritable

        raise unwritable(path, failure) from failure
    if head[_MAGIC_AT:] != _MAGIC:
        raise Malformed(where=str(path), law=LAW, expected="a DuckDB file", got="a file of another kind", remedy=FRESH)


@contextmanager
def letters(path: Path | None) -> Iterator[None]:
    """Turn DuckDB's errors into this program's, and its word for Ctrl-C into Python's."""
    import duckdb

    try:
        yield
    except duckdb.InterruptException as failure:
        raise KeyboardInterrupt from failure
    except duckdb.Error as failure:
        got = str(failure).splitlines()[0] if str(failure) else type(failure).__name__
        if path is not None and "Could not set lock" in got:
            raise _taken(path) from failure
        raise Malformed(
            where=str(path or "campaign in memory"), law=LAW, expected="a file that DuckDB reads and writes", got=got
        ) from failure
    except RuntimeError as failure:
        if "interrupt" not in str(failure).lower():
            raise
        raise KeyboardInterrupt from failure


def _taken(path: Path) -> Malformed:
    expected, remedy = "no other campaign at work on this file", "wait for it, or another --db"
    return Malformed(where=str(path), law="one writer", expected=expected, got="one", remedy=remedy)
