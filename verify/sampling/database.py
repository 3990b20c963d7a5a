"""A campaign's DuckDB file: one row a network, and the marks of the finished chunks. Whoever opens it is its only writer.

    campaign  format, seed, made_with                      one row
    cells     cell, text, family, width, scale, depth, output, asked      asked: the largest count of networks a campaign was run for
    chunks    cell, start, rows, made_with                 networks start ... start + rows - 1 of the cell are there
    networks  cell, i, sha256, verdict, theorem, recipe, margin, period_2, period_3, checked      as ``Decisions`` says; margin NULL: none

A chunk's rows and its mark are one transaction, so that whatever ends the program leaves whole chunks. Everything that is counted is
counted here, in SQL.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from verify.duck import DuckFile, Kind
from verify.pools import interrupts_held
from verify.sampling.counts import CellCounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from verify.sampling.families import Cell

    Columns = dict[str, np.ndarray]

FORMAT = "orbitproof campaign 1"
TABLES = {
    "campaign": {"format": "VARCHAR", "seed": "UBIGINT", "made_with": "VARCHAR"},
    "cells": {
        "cell": "INTEGER", "text": "VARCHAR", "family": "VARCHAR", "width": "BIGINT", "scale": "DOUBLE", "depth": "BIGINT",
        "output": "VARCHAR", "asked": "BIGINT",
    },
    "chunks": {"cell": "INTEGER", "start": "BIGINT", "rows": "BIGINT", "made_with": "VARCHAR"},
    "networks": {
        "cell": "INTEGER", "i": "BIGINT", "sha256": "BLOB", "verdict": "VARCHAR", "theorem": "VARCHAR", "recipe": "VARCHAR",
        "margin": "DOUBLE", "period_2": "TINYINT", "period_3": "TINYINT", "checked": "BOOLEAN",
    },
}  # fmt: skip
_FETCH = 4096
_COUNTS = """
    SELECT count(*), count(*) FILTER (verdict = 'chaotic'), count(*) FILTER (verdict = 'ordered'),
           count(*) FILTER (verdict = 'ordered_by_bound'), count(*) FILTER (verdict = 'undecided'),
           count(*) FILTER (period_2 = 1), count(*) FILTER (period_3 = 1), count(*) FILTER (period_2 = -1), count(*) FILTER (period_3 = -1)
    FROM networks WHERE cell = ? AND i < ?
"""
_EXPORT = """
    COPY (SELECT family, width, scale, depth, output, seed, i, lower(hex(sha256)) AS sha256, verdict, theorem, recipe, margin, period_2,
                 period_3, checked
          FROM networks JOIN cells USING (cell), campaign WHERE list_contains([{cells}]::INTEGER[], cell) AND i < {count}
          ORDER BY cell, i)
    TO '{path}' (FORMAT parquet)
"""
_MARKED = "SELECT cell, sum(rows)::BIGINT, min(start), max(start + rows) - 1 FROM chunks GROUP BY cell ORDER BY cell"
_THERE = "SELECT cell, count(*), min(i), max(i) FROM networks GROUP BY cell ORDER BY cell"
_OVERLAPPING = "SELECT * FROM (SELECT lead(start) OVER (PARTITION BY cell ORDER BY start) < start + rows AS bad FROM chunks) WHERE bad"


@dataclass(frozen=True)
class Row:
    """What is stored of one network besides its counts."""

    i: int
    sha256: bytes
    verdict: str
    theorem: str
    recipe: str
    checked: bool


class Database(DuckFile):
    """An open campaign; a context manager, closed at its end. ``path`` None: in memory.

    **Raises** Malformed, from every method: another seed, another format, a damaged file, one that another campaign is writing.
    """

    kind = Kind("campaign", TABLES, "another --db", "another --db, or remove this file to start afresh")

    def __init__(self, path: Path | None, seed: int, made_with: str) -> None:
        """Open the file, or begin it; what it holds already must have the same seed."""
        self._cells: dict[str, int] = {}
        super().__init__(path, partial(self._greet, seed, made_with))

    def ask(self, cells: Sequence[Cell], count: int) -> None:
        """Note that the first ``count`` networks of these cells are wanted."""
        with self._transaction():
            for cell in cells:
                if cell.text not in self._cells:
                    self._cells[cell.text] = len(self._cells)
                    named = [cell.text, cell.family, cell.width, cell.scale, cell.depth, cell.output]
                    self._run("INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?, 0)", [self._cells[cell.text], *named])
                self._run("UPDATE cells SET asked = greatest(asked, ?) WHERE cell = ?", [count, self._cells[cell.text]])

    def missing(self, cell: Cell, count: int) -> list[tuple[int, int]]:
        """Return the first and the number of networks of every gap among the first ``count``, in order."""
        gaps, end = [], 0
        with self._clear():
            chunks = self._run("SELECT start, rows FROM chunks WHERE cell = ? ORDER BY start", [self._number(cell)])
        for first, rows in [*chunks, (count, 0)]:
            if end < min(first, count):
                gaps.append((end, min(first, count) - end))
            end = first + rows
        return gaps

    def add(self, cell: Cell, first: int, columns: Columns, made_with: str) -> None:
        """Keep a finished chunk: its rows and its mark, or neither."""
        rows, number = len(columns["i"]), self._number(cell)
        names = [f"{name}::{kind}" for name, kind in TABLES["networks"].items() if name != "cell"]
        values = ", ".join(names).replace("sha256::BLOB", "unhex(sha256)")
        hexadecimal = np.array([name.hex() for name in columns["sha256"]], dtype=object)  # not every DuckDB takes bytes
        with self._incoming({**columns, "sha256": hexadecimal}), self._transaction():
            self._run("INSERT INTO chunks VALUES (?, ?, ?, ?)", [number, first, rows, made_with])
            self._run(f"INSERT INTO networks SELECT {number}, {values} FROM incoming")  # noqa: S608 - own names and numbers

    def counts(self, cell: Cell, count: int) -> CellCounts:
        """Return how the first ``count`` networks of a cell were decided, those that are there."""
        with self._clear():
            (numbers,) = self._run(_COUNTS, [self._number(cell), count])
        names = [field.name for field in fields(CellCounts)][1:]
        return CellCounts(cell, **dict(zip(names, numbers, strict=True)))

    def rows(self, cell: Cell, count: int, verdicts: Iterable[str], *, unchecked: bool = False) -> Iterator[Row]:
        """Yield those of the first ``count`` networks of a cell that have one of these verdicts and a recipe, in order."""
        found = "SELECT i, sha256, verdict, theorem, recipe, checked FROM networks WHERE cell = ? AND i < ?"
        wanted = f"{found} AND list_contains(?, verdict) AND recipe <> ''{' AND NOT checked' if unchecked else ''} ORDER BY i"
        with self._clear(), self._connection.cursor() as reader:
            reader.execute(wanted, [self._number(cell), count, list(verdicts)])
            while rows := reader.fetchmany(_FETCH):
                yield from (Row(*row) for row in rows)

    def row(self, cell: Cell, i: int) -> Row | None:
        """Return what is stored of one network, None where it is not there."""
        question = "SELECT i, sha256, verdict, theorem, recipe, checked FROM networks WHERE cell = ? AND i = ?"
        with self._clear():
            found = self._run(question, [self._cells.get(cell.text, -1), i])
        return Row(*found[0]) if found else None

    def mark_checked(self, cell: Cell, indices: NDArray[np.int64]) -> None:
        """Note that the kernel has accepted these networks' recipes."""
        question = "UPDATE networks SET checked = true WHERE cell = ? AND i BETWEEN ? AND ? AND i IN (SELECT i FROM incoming)"
        with self._incoming({"i": indices}), self._transaction():
            self._run(question, [self._number(cell), int(indices.min()), int(indices.max())])

    def checked(self, cell: Cell, count: int) -> int:
        """Return how many ordered networks the kernel has checked."""
        question = "SELECT count(*) FROM networks WHERE cell = ? AND i < ? AND verdict = 'ordered' AND checked"
        with self._clear():
            ((found,),) = self._run(question, [self._number(cell), count])
        return int(found)

    def export(self, path: Path, cells: Sequence[Cell], count: int) -> None:
        """Write the first ``count`` networks of the cells as a Parquet file, whole or not at all."""
        from verify.certification.files import fresh_file

        numbers = ", ".join(str(self._number(cell)) for cell in cells)
        with fresh_file(path) as fresh, self._clear():
            name = str((fresh.temporary or path).absolute()).replace("'", "''")
            self._run(_EXPORT.format(cells=numbers, count=int(count), path=name))
            fresh.keep()

    def _number(self, cell: Cell) -> int:
        return self._cells[cell.text]

    @contextmanager
    def _incoming(self, columns: Columns) -> Iterator[None]:
        """Let SQL read arrays as the table ``incoming``; around a transaction, since none that was broken off lets it go."""
        with self._clear():
            try:
                self._connection.register("incoming", columns)
                yield
            finally:
                with interrupts_held():
                    self._connection.unregister("incoming")

    def _greet(self, seed: int, made_with: str) -> None:
        """Compare what is there with what is asked; begin an empty file."""
        if self._tables() == {}:
            with self._transaction():
                self._make_tables()
                self._run("INSERT INTO campaign VALUES (?, ?, ?)", [FORMAT, seed, made_with])
            return
        self._check_tables()
        self._check_campaign(seed)
        self._cells = dict(self._run("SELECT text, cell FROM cells"))
        self._check_chunks()

    def _check_campaign(self, seed: int) -> None:
        found = self._run("SELECT format, seed FROM campaign")
        if len(found) != 1 or found[0][0] != FORMAT:
            raise self._unfit(FORMAT, ", ".join(str(row[0]) for row in found))
        if found[0][1] != seed:
            raise self._differs("seed", found[0][1], seed)

    def _check_chunks(self) -> None:
        """Refuse rows without a mark, marks without rows, and chunks that overlap."""
        marked, there, overlapping = (self._run(question) for question in (_MARKED, _THERE, _OVERLAPPING))
        if marked != there or overlapping:
            raise self._unfit("the rows of every finished chunk, and no others", "rows that do not fit the chunks")
