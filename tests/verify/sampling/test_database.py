"""A campaign's file: whole chunks only, one writer, one seed, and nothing read from it that is not what it says."""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pytest

from proofs.errors import Malformed
from tests.verify.sampling.standin import CELLS, work
from verify.sampling.campaign import Plan, run
from verify.sampling.database import FORMAT, TABLES, Database, Row

SEED = 3
CELL, OTHER = CELLS
ROOT = Path(__file__).parents[3]


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "campaign.db"


@pytest.fixture
def full(db: Path) -> Path:
    """Return a campaign's file."""
    run(Plan(CELLS, 60, SEED, chunk=20), db, jobs=1, work=work)
    return db


def opened(path: Path | None) -> Database:
    return Database(path, SEED, "by hand")


def refused(path: Path, law: str = "a campaign's DuckDB file") -> Malformed:
    with pytest.raises(Malformed) as caught, opened(path):
        pass
    assert (caught.value.where, caught.value.law) == (str(path), law)
    return caught.value


def changed(path: Path, *statements: str) -> None:
    """Change a file behind the program's back."""
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_rows_come_back_as_they_were(db: Path) -> None:
    columns = work(CELL, SEED, 20, 10, "cpu")
    with opened(db) as rows:
        rows.ask([CELL], 100)
        rows.add(CELL, 20, columns, "by hand")
    with opened(db) as rows:
        found = list(rows.rows(CELL, 100, ("ordered",)))
        assert found == [
            Row(20 + k, columns["sha256"][k], "ordered", "ord", '{"exponent":1}', checked=False)
            for k in range(10)
            if columns["verdict"][k] == "ordered"
        ]
        assert rows.row(CELL, 21) == Row(21, *(columns[name][1] for name in ("sha256", "verdict", "theorem", "recipe", "checked")))
        assert rows.row(CELL, 19) is rows.row(OTHER, 0) is None
        assert rows.counts(CELL, 100).total == 10
        assert rows.counts(CELL, 24).total == 4
    with duckdb.connect(str(db)) as connection:
        margins = connection.execute("SELECT margin FROM networks ORDER BY i").fetchall()
        assert margins == [(None if np.isnan(margin) else margin,) for margin in columns["margin"]]
        assert connection.execute("SELECT * FROM campaign").fetchall() == [(FORMAT, SEED, "by hand")]
        assert connection.execute("SELECT * FROM chunks").fetchall() == [(0, 20, 10, "by hand")]
        assert connection.execute("SELECT * FROM cells").fetchall() == [(0, CELL.text, "theory", 4, 4.0, 1, "clip", 100)]


def test_gaps() -> None:
    with opened(None) as rows:
        rows.ask([CELL, OTHER], 100)
        for first, count in ((20, 10), (60, 5), (30, 1)):
            rows.add(CELL, first, work(CELL, SEED, first, count, "cpu"), "")
        assert rows.missing(CELL, 100) == [(0, 20), (31, 29), (65, 35)]
        assert rows.missing(CELL, 62) == [(0, 20), (31, 29)]
        assert rows.missing(CELL, 25) == rows.missing(CELL, 20) == [(0, 20)]
        assert rows.missing(CELL, 7) == [(0, 7)]
        assert rows.missing(OTHER, 7) == [(0, 7)]


@pytest.mark.parametrize("column", ["verdict", "margin", "checked"])
def test_a_chunk_is_kept_whole_or_not_at_all(column: str, db: Path) -> None:
    columns = work(CELL, SEED, 0, 10, "cpu")
    with opened(db) as rows:
        rows.ask([CELL], 10)
        with pytest.raises(Malformed):
            rows.add(CELL, 0, {name: values for name, values in columns.items() if name != column}, "")
        assert rows.missing(CELL, 10) == [(0, 10)]
        assert rows.counts(CELL, 10).total == 0
        rows.add(CELL, 0, columns, "")
        assert rows.counts(CELL, 10).total == 10


@pytest.mark.parametrize("delay", [0.005, 0.02, 0.05, 0.1, 0.15])
def test_ctrl_c_while_a_chunk_is_written(delay: float, db: Path) -> None:
    """Wherever it falls, it comes out as itself, and the whole chunks before it can be read at once and from the file."""
    count, columns = 100_000, {name: np.resize(column, 100_000) for name, column in work(CELL, SEED, 0, 100, "cpu").items()}

    def add(rows: Database, chunks: range) -> None:
        for chunk in chunks:
            rows.add(CELL, chunk * count, {**columns, "i": np.arange(chunk * count, chunk * count + count)}, "by hand")

    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with opened(db) as rows:
            rows.ask([CELL], 10**9)
            add(rows, range(1))
            signal.setitimer(signal.ITIMER_REAL, delay)
            with pytest.raises(KeyboardInterrupt):
                add(rows, range(1, 100))
            found = rows.counts(CELL, 10**9).total
            assert found >= count
            assert found % count == 0
            rows.mark_checked(CELL, np.arange(5))
    finally:
        signal.signal(signal.SIGALRM, before)
    with opened(db) as rows:
        assert rows.counts(CELL, 10**9).total == found


def test_a_second_ctrl_c_while_the_first_is_made_good(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chunk is rolled back all the same, and what is there can be counted and written to at once."""
    execute = Database._run

    def interrupted(rows: Database, question: str, values: Sequence[object] = ()) -> list[tuple]:
        if question == "ROLLBACK":
            signal.raise_signal(signal.SIGINT)
        found = execute(rows, question, values)
        if question.startswith("INSERT INTO networks"):
            raise KeyboardInterrupt
        return found

    columns = work(CELL, SEED, 0, 10, "cpu")
    with opened(db) as rows:
        rows.ask([CELL], 10)
        with monkeypatch.context() as patch:
            patch.setattr(Database, "_run", interrupted)
            with pytest.raises(KeyboardInterrupt):
                rows.add(CELL, 0, columns, "by hand")
        assert rows.counts(CELL, 10).total == 0
        rows.add(CELL, 0, columns, "by hand")
        assert rows.counts(CELL, 10).total == 10


def test_what_fails_on_the_way_out_does_not_hide_ctrl_c(db: Path) -> None:
    def leave(rows: Database) -> None:
        with rows._clear():
            try:
                raise KeyboardInterrupt
            finally:
                rows._run("ROLLBACK")  # of nothing

    with opened(db) as rows, pytest.raises(KeyboardInterrupt):
        leave(rows)


def test_checked_rows_are_marked(full: Path) -> None:
    with opened(full) as rows:
        first, *others = [row.i for row in rows.rows(CELL, 60, ("ordered",), unchecked=True)]
        rows.mark_checked(CELL, np.array(others))
        assert [row.i for row in rows.rows(CELL, 60, ("ordered",), unchecked=True)] == [first]
        assert (rows.checked(CELL, 60), rows.checked(OTHER, 60)) == (len(others), 0)


def test_one_writer_in_this_process(full: Path) -> None:
    with opened(full):
        refusal = refused(full, "one writer")
        assert (refusal.expected, refusal.got) == ("no other campaign at work on this file", "one")
        assert refusal.remedy == "wait for it, or another --db"
    opened(full).__exit__()


def test_one_writer_of_all_processes(full: Path) -> None:
    code = "import sys, duckdb; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code, full], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        refused(full, "one writer")
        other.communicate()
    opened(full).__exit__()


@pytest.mark.parametrize("content", [b"", b"hello", b"hello" * 3000, b"\0" * 8 + b"DUC", b"\0" * 100_000])
def test_other_files(content: bytes, db: Path) -> None:
    db.write_bytes(content)
    refusal = refused(db)
    assert (refusal.expected, refusal.got) == ("a DuckDB file", "a file of another kind")
    assert db.read_bytes() == content


def test_no_extension_is_fetched_for_another_database(db: Path) -> None:
    connection = sqlite3.connect(db)
    connection.execute("CREATE TABLE networks(i)")
    connection.commit()
    connection.close()
    assert refused(db).got == "a file of another kind"


@pytest.mark.parametrize("size", [12, 4096, 12_288, 20_000])
def test_a_file_cut_short(size: int, full: Path) -> None:
    full.write_bytes(full.read_bytes()[:size])
    assert refused(full).expected == "a file that DuckDB reads and writes"


def test_a_folder_and_a_name_below_a_file(tmp_path: Path, full: Path) -> None:
    assert refused(tmp_path, "the file can be written").got == "Is a directory"
    assert refused(full / "db", "the file can be written").got == "File exists"


def test_a_folder_is_made(tmp_path: Path) -> None:
    with opened(tmp_path / "new" / "campaign.db"):
        pass
    assert (tmp_path / "new" / "campaign.db").exists()


STRANGERS = {
    "foreign": ("CREATE TABLE t(a INTEGER)",),
    "no chunks": ("DROP TABLE chunks",),
    "a further table": ("CREATE TABLE t(a INTEGER)",),
    "a view": ("DROP TABLE networks", "CREATE VIEW networks AS SELECT * FROM read_text('/etc/hostname')"),
    "a further view": ("CREATE VIEW v AS SELECT * FROM read_text('/etc/hostname')",),
    "a macro": ("CREATE MACRO greatest(a, b) AS 7",),
    "a default": ("ALTER TABLE networks ALTER margin SET DEFAULT 3",),
    "another type": ("ALTER TABLE networks ALTER margin TYPE FLOAT",),
    "another name": ("ALTER TABLE networks RENAME margin TO radius",),
    "a further column": ("ALTER TABLE networks ADD COLUMN radius DOUBLE",),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_other_tables(name: str, db: Path, full: Path) -> None:
    if name == "foreign":
        db.unlink()
    changed(full, *STRANGERS[name])
    refusal = refused(full)
    assert refusal.expected == f"the tables {', '.join(TABLES)} as this program makes them"
    assert refusal.remedy == "another --db, or remove this file to start afresh"


@pytest.mark.parametrize(
    ("statement", "got"),
    [("UPDATE campaign SET format = 'orbitproof campaign 2'", "orbitproof campaign 2"), ("DELETE FROM campaign", "nothing")],
)
def test_another_format(statement: str, got: str, full: Path) -> None:
    changed(full, statement)
    refusal = refused(full)
    assert (refusal.expected, refusal.got) == ("orbitproof campaign 1", got)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM networks WHERE i = 5 AND cell = 0",
        "DELETE FROM chunks WHERE start = 20",
        "UPDATE chunks SET start = 10 WHERE start = 20",
        "UPDATE networks SET i = 77 WHERE i = 59",
        "INSERT INTO networks SELECT * FROM networks",
        "UPDATE chunks SET rows = NULL",
    ],
)
def test_rows_without_their_chunks(statement: str, full: Path) -> None:
    changed(full, statement)
    assert refused(full).expected == "the rows of every finished chunk, and no others"


def test_a_verdict_that_is_none(full: Path) -> None:
    changed(full, "UPDATE networks SET verdict = 'proved' WHERE i = 5")
    with pytest.raises(Malformed) as caught:
        run(Plan(CELLS, 60, SEED), full, jobs=1, work=work)
    assert caught.value.law == "the classes add up to the total"


def flipped(content: bytes, generator: random.Random) -> bytes:
    """Flip one bit, a few, or many."""
    damaged = bytearray(content)
    for _ in range(generator.choice([1, 4, 200])):
        damaged[generator.randrange(len(damaged))] ^= 1 << generator.randrange(8)
    return bytes(damaged)


def answer(path: Path) -> object:
    """Return the counts of a damaged file, or say that it was refused."""
    try:
        return run(Plan(CELLS, 60, SEED), path, jobs=1, work=work).cells
    except Malformed:
        return "Malformed"


def test_flipped_bits(full: Path, tmp_path: Path) -> None:
    generator, content = random.Random(1), full.read_bytes()
    expected, answers = answer(full), []
    for number in range(25):
        path = tmp_path / f"{number}.db"
        path.write_bytes(flipped(content, generator))
        answers.append(answer(path))
    assert "Malformed" in answers
    assert all(found in ("Malformed", expected) for found in answers)


def test_flipped_bits_of_what_is_not_yet_in_the_file_itself(full: Path, tmp_path: Path) -> None:
    generator, log = random.Random(2), full.with_name(f"{full.name}.wal")
    expected = answer(full)
    with opened(full) as rows:
        rows.ask(CELLS, 70)
        rows.add(CELL, 60, work(CELL, SEED, 60, 10, "cpu"), "")
        content, later = full.read_bytes(), log.read_bytes()
    for number in range(25):
        path = tmp_path / f"{number}.db"
        path.write_bytes(content)
        path.with_name(f"{path.name}.wal").write_bytes(flipped(later, generator))
        assert answer(path) in ("Malformed", expected)


def test_export(full: Path, tmp_path: Path) -> None:
    path = tmp_path / "the campaign's rows.parquet"
    with opened(full) as rows:
        rows.export(path, CELLS, 50)
        rows.export(path, CELLS[:1], 50)
    assert {entry.name for entry in tmp_path.iterdir()} == {path.name, full.name}
    with duckdb.connect() as connection:
        found = connection.read_parquet(str(path))
        assert found.columns == [
            "family", "width", "scale", "depth", "output", "seed", "i", "sha256", "verdict", "theorem", "recipe", "margin",
            "period_2", "period_3", "checked",
        ]  # fmt: skip
        lines = found.fetchall()
    columns = work(CELL, SEED, 0, 50, "cpu")
    assert [line[:7] for line in lines] == [("theory", 4, 4.0, 1, "clip", SEED, i) for i in range(50)]
    assert [line[7] for line in lines] == [name.hex() for name in columns["sha256"]]
    assert [line[8] for line in lines] == list(columns["verdict"])
    assert [line[11] for line in lines] == [None if np.isnan(margin) else margin for margin in columns["margin"]]


def test_export_to_where_nothing_can_be_written(full: Path, tmp_path: Path) -> None:
    with opened(full) as rows:
        for path, got in ((tmp_path, "Is a directory"), (full / "rows.parquet", "File exists")):
            with pytest.raises(Malformed) as caught:
                rows.export(path, CELLS, 50)
            assert (caught.value.law, caught.value.got) == ("the file can be written", got)
    assert [entry.name for entry in tmp_path.iterdir()] == [full.name]


def test_a_copy_goes_on_elsewhere(full: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    shutil.copy(full, copy)
    full.unlink()
    assert run(Plan(CELLS, 60, SEED), copy, jobs=1, work=work).computed == 0
