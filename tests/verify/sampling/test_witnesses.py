"""What the rows of a campaign are good for: the kernel on ordered rows, certificates, single networks as files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from proofs.errors import Malformed, Rejected
from proofs.kernel import check
from verify import load_network
from verify.sampling.campaign import Plan, run
from verify.sampling.database import Database
from verify.sampling.executors import workforce
from verify.sampling.families import Cell, draw
from verify.sampling.witnesses import check_ordered, write_certificates, write_network
from verify.sampling.work import made_with

ROOT = Path(__file__).parents[3]
CELL = Cell("theory", 8, 8)
PLAN = Plan((CELL, Cell("he", 3, 1)), 150, 5)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Return a campaign."""
    path = tmp_path / "campaign.db"
    counts, other = run(PLAN, path, jobs=1).cells
    assert min(counts.chaotic, counts.ordered, other.ordered) > 0
    return path


def opened(path: Path) -> Database:
    return Database(path, PLAN.seed, made_with())


def spoiled(path: Path, statement: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(statement)


def test_all_ordered_rows_are_checked(db: Path) -> None:
    told = []
    with opened(db) as rows:
        before = sum(rows.checked(cell, 150) for cell in PLAN.cells)
        ordered = sum(rows.counts(cell, 150).ordered for cell in PLAN.cells)
        assert check_ordered(PLAN, rows, workforce(1), progress=lambda *step: told.append(step)) == ordered - before
        assert sum(rows.checked(cell, 150) for cell in PLAN.cells) == ordered
        assert check_ordered(PLAN, rows, workforce(1)) == 0
    assert told[-1] == ("ordered networks checked by the kernel", ordered - before, ordered - before)


def test_processes_check_the_same(db: Path) -> None:
    with opened(db) as rows:
        check_ordered(PLAN, rows, workforce(2))
        assert [rows.checked(cell, 150) for cell in PLAN.cells] == [rows.counts(cell, 150).ordered for cell in PLAN.cells]


def test_a_recipe_that_does_not_hold(db: Path) -> None:
    spoiled(db, "UPDATE networks SET checked = false, recipe = '{\"exponent\":0}' WHERE verdict = 'ordered' AND period_2 = 1")
    with opened(db) as rows, pytest.raises(Rejected) as caught:
        check_ordered(PLAN, rows, workforce(2))
    assert caught.value.where.startswith("network ")
    assert any(f" of {cell.text} seed=5, " in caught.value.where for cell in PLAN.cells)  # whichever process is the first
    assert caught.value.remedy == (
        "stored as ordered and refused by the kernel: a fault of this program, or a changed file; please report it"
    )


def test_another_network_than_was_stored(db: Path, tmp_path: Path) -> None:
    spoiled(db, "UPDATE networks SET sha256 = 'abc'::BLOB")
    with opened(db) as rows:
        for attempt in (lambda: check_ordered(PLAN, rows, workforce(1)), lambda: write_certificates(PLAN, rows, tmp_path / "all.certs")):
            with pytest.raises(Malformed) as caught:
                attempt()
            assert caught.value.law == "the seed gives the network"
            assert caught.value.expected == "SHA-256 616263, as stored"
            assert caught.value.remedy.startswith("the generator has changed: use the versions with which the campaign was made")
    assert not (tmp_path / "all.certs").exists()


def checked(path: Path) -> str:
    """Return what the checker says without any library."""
    command = [sys.executable, "-S", "-m", "proofs", "check", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()[-1]


def test_certificates(db: Path, tmp_path: Path) -> None:
    chaotic, more = tmp_path / "chaotic.certs", tmp_path / "more.certs"
    told = []
    with opened(db) as rows:
        counts = [rows.counts(cell, 150) for cell in PLAN.cells]
        written = write_certificates(PLAN, rows, chaotic, progress=lambda *step: told.append(step))
        assert written == sum(count.chaotic for count in counts)
        assert told[-1] == ("certificates", written, written)
        assert write_certificates(PLAN, rows, more, ordered=True) == written + sum(count.ordered for count in counts)
    assert checked(chaotic) == f"Proved: {written} certificates"
    assert f'"name":"network {first_chaotic(db)} of {CELL.text} seed=5"' in chaotic.read_text(encoding="utf-8")
    assert checked(more).startswith("Proved: ")


def first_chaotic(db: Path) -> int:
    with opened(db) as rows:
        return next(rows.rows(CELL, 150, ("chaotic",))).i


def test_nothing_to_certify(tmp_path: Path) -> None:
    plan = Plan((Cell("theory", 4, 0.01),), 20, 0)
    path = tmp_path / "campaign.db"
    assert run(plan, path, jobs=1).cells[0].chaotic == 0
    with Database(path, 0, "") as rows:
        assert write_certificates(plan, rows, tmp_path / "none.certs") == 0
    assert not (tmp_path / "none.certs").exists()


@pytest.mark.parametrize("cell", [CELL, Cell("he", 4, 1, 3, "identity"), Cell("relu_rnn", 3, 1)], ids=lambda cell: cell.family)
def test_one_network_as_a_file(cell: Cell, tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    batch = write_network(path, cell, 5, 77)
    expected = draw(cell, 5, 70, 10)
    assert batch.sha256(0) == expected.sha256(7)
    assert load_network(path).digest == expected.network(7).digest


def test_one_network_is_the_one_that_was_stored(db: Path, tmp_path: Path) -> None:
    with opened(db) as rows:
        row = rows.row(CELL, 3)
    assert row is not None
    write_network(tmp_path / "net.json", CELL, 5, 3, row)
    with pytest.raises(Malformed, match="the seed gives the network"):
        write_network(tmp_path / "other.json", CELL, 6, 3, row)
    assert not (tmp_path / "other.json").exists()


def test_the_kernel_reads_the_first_certificate(db: Path, tmp_path: Path) -> None:
    path = tmp_path / "chaotic.certs"
    with opened(db) as rows:
        write_certificates(PLAN, rows, path)
    network = draw(CELL, 5, first_chaotic(db), 1).network(0)
    lines = path.read_bytes().splitlines(keepends=True)[1:]
    end = next(number for number, line in enumerate(lines) if line.startswith(b'{"end"'))
    assert check(b"".join(lines[: end + 1])).digest == network.digest
