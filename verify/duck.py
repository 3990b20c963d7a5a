"""The one door to DuckDB: files opened with care, held by one writer, with the tables that belong there; errors in this program's words."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from proofs.errors import Malformed
from verify.errors import Unsupported
from verify.pools import interrupts_held

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from duckdb import DuckDBPyConnection

_CONFIG: dict[str, str | bool | int | float | list[str]] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
_MAGIC, _MAGIC_AT = b"DUCK", 8
_STRANGE = (
    "SELECT view_name FROM duckdb_views() WHERE NOT internal",
    "SELECT function_name FROM duckdb_functions() WHERE NOT internal",
    "SELECT column_name FROM duckdb_columns() WHERE NOT internal AND column_default IS NOT NULL",
)
_COLUMNS = "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal ORDER BY table_oid, column_index"
_open_here: set[Path] = set()


@dataclass(frozen=True)
class Kind:
    """A kind of file: what it is called, its tables with the types of their columns, what to name or do where a file does not fit."""

    noun: str
    tables: Mapping[str, Mapping[str, str]]
    another: str
    fresh: str

    @property
    def law(self) -> str:
        """Return the law that a file breaks."""
        return f"a {self.noun}'s DuckDB file"


class DuckFile:
    """An open file; a context manager, closed at its end. ``path`` None: in memory. A subclass says its ``kind``.

    **Raises** Malformed, from every method: a damaged file, other tables, one in use; Unsupported: no such library here.
    """

    kind: ClassVar[Kind]

    def __init__(self, path: Path | None, greet: Callable[[], None]) -> None:
        """Open the file, or begin it; ``greet`` looks at what is there."""
        self.path = path
        self._held = Path() if path is None else path.resolve()
        if self._held in _open_here:
            raise self._taken()
        try:
            if path is not None:
                _open_here.add(self._held)  # for this process: DuckDB's own lock keeps out others
            self._connection = self._connect()
            try:
                with self._clear():
                    greet()
            except BaseException:
                self._connection.close()
                raise
        except BaseException:
            _open_here.discard(self._held)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with self._clear():
                self._connection.close()
        finally:
            _open_here.discard(self._held)

    @property
    def place(self) -> str:
        """Return the file's name for errors."""
        return str(self.path or f"{self.kind.noun} in memory")

    def _connect(self) -> DuckDBPyConnection:
        try:
            import duckdb
        except ModuleNotFoundError as failure:
            law, remedy = f"the library for {self.kind.noun}s is installed", 'pip install "orbitproof[sampling]"'
            raise Unsupported(where=self.kind.noun, law=law, expected="the module duckdb", got="no such module", remedy=remedy) from failure
        if self.path is not None:
            self._check_magic(self.path)
        with self._clear():
            return duckdb.connect(":memory:" if self.path is None else str(self.path.resolve()), config=_CONFIG)

    def _check_magic(self, path: Path) -> None:
        """Refuse what is no DuckDB file before DuckDB wonders what else it could be."""
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
            raise self._unfit("a DuckDB file", "a file of another kind")

    def _run(self, question: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows: a connection with an answer half read takes no other work."""
        return self._connection.execute(question, list(values)).fetchall()

    @contextmanager
    def _clear(self) -> Iterator[None]:
        """Turn DuckDB's errors into this program's, and its word for Ctrl-C into Python's."""
        import duckdb

        try:
            yield
        except duckdb.InterruptException as failure:
            raise KeyboardInterrupt from failure
        except duckdb.Error as failure:
            got = str(failure).splitlines()[0] if str(failure) else type(failure).__name__
            if got.startswith(KeyboardInterrupt.__name__) or _follows_interrupt(failure):  # the first: while DuckDB read an array
                raise KeyboardInterrupt from failure
            if self.path is not None and "Could not set lock" in got:
                raise self._taken() from failure
            raise Malformed(where=self.place, law=self.kind.law, expected="a file that DuckDB reads and writes", got=got) from failure
        except RuntimeError as failure:
            if "interrupt" not in str(failure).lower() and not _follows_interrupt(failure):
                raise
            raise KeyboardInterrupt from failure

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Keep all that is written inside, or nothing; what ended the writing is what is told, whatever else then fails."""
        import duckdb

        with self._clear():
            try:
                self._run("BEGIN")
                yield
                self._run("COMMIT")
            except BaseException:
                with interrupts_held(), suppress(duckdb.Error, RuntimeError):
                    self._run("ROLLBACK")
                raise

    def _make_tables(self) -> None:
        for name, columns in self.kind.tables.items():
            self._run(f"CREATE TABLE {name} ({', '.join(f'{column} {kind}' for column, kind in columns.items())})")

    def _tables(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for table, column, kind in self._run(_COLUMNS):
            found.setdefault(table, {})[column] = kind
        return found

    def _check_tables(self) -> None:
        """Refuse anything but the kind's tables: a view or a macro could stand for a file elsewhere."""
        strange: list[Any] = [name for question in _STRANGE for (name,) in self._run(question)]
        found = self._tables()
        if found != self.kind.tables or strange:
            got = ", ".join([*found, *map(str, strange)])
            raise self._unfit(f"the tables {', '.join(self.kind.tables)} as this program makes them", got)

    def _unfit(self, expected: str, got: str) -> Malformed:
        return Malformed(where=self.place, law=self.kind.law, expected=expected, got=got or "nothing", remedy=self.kind.fresh)

    def _differs(self, name: str, there: object, asked: object) -> Malformed:
        """Return the error for a file of another seed, task, .. than what is asked for."""
        law, expected = f"a {self.kind.noun} has one {name}", f"{name} {there!r}, as the file has it"
        return Malformed(where=self.place, law=law, expected=expected, got=f"{name} {asked!r}", remedy=self.kind.fresh)

    def _taken(self) -> Malformed:
        expected, remedy = f"no other {self.kind.noun} at work on this file", f"wait for it, or {self.kind.another}"
        return Malformed(where=str(self.path), law="one writer", expected=expected, got="one", remedy=remedy)


def _follows_interrupt(failure: BaseException | None) -> bool:
    """Say whether a failure came while an interrupt was on its way out: that is then what is told."""
    while failure is not None and not isinstance(failure, KeyboardInterrupt):
        failure = failure.__cause__ or failure.__context__
    return failure is not None
