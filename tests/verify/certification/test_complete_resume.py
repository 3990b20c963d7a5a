"""Unfinished work: killed anywhere, resumed, spread over processes, cut short by a budget: the certificate is the same, byte by byte."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from proofs.errors import Malformed
from proofs.kernel import check
from tests.verify.command import lozi
from verify.answers import CycleList
from verify.certification import Effort, by_periods, by_words, cycles
from verify.certification.chunks import Chunk
from verify.certification.ledger import Ledger

UP_TO = {"words": 10, "cyclic": 7}
BOTH = pytest.mark.parametrize("method", ["words", "cyclic"])


class KilledError(BaseException):
    """The program ends here."""


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_words, "chunk_limit", lambda _: 20)
    monkeypatch.setattr(by_periods, "chunk_limit", lambda *_: 10)


@pytest.fixture
def cert(tmp_path: Path) -> Path:
    return tmp_path / "lozi.cert"


def partial(path: Path) -> Path:
    return path.with_name(f"{path.name}.partial")


def run(path: Path | None, method: str = "words", effort: Effort | None = None, a: str = "17/10") -> CycleList:
    return cycles(lozi(a), UP_TO[method], complete=True, method=method, output=path, effort=effort)


def whole(tmp_path: Path, method: str) -> bytes:
    """Return the certificate of an uninterrupted run."""
    path = tmp_path / "whole.cert"
    answer = run(path, method)
    assert answer.complete
    assert not partial(path).exists()
    return path.read_bytes()


def killed_after(monkeypatch: pytest.MonkeyPatch, chunks: int, damage: Callable[[Ledger], None]) -> None:
    """End the program while it writes chunk number ``chunks`` + 1."""
    append, count = Ledger.append, 0

    def appended(ledger: Ledger, chunk: Chunk) -> None:
        nonlocal count
        if count == chunks:
            damage(ledger)
            raise KilledError
        count += 1
        append(ledger, chunk)

    monkeypatch.setattr(Ledger, "append", appended)


def torn(ledger: Ledger) -> None:
    """Leave half a line."""
    ledger._file.seek(ledger._end)
    ledger._file.write(b'{"sum":"00000000","line":{"task":"[]","nod')
    ledger._file.flush()


@BOTH
@pytest.mark.parametrize("chunks", [1, 3, 7])
def test_killed_and_resumed(method: str, chunks: int, tmp_path: Path, cert: Path) -> None:
    expected = whole(tmp_path, method)
    with pytest.MonkeyPatch.context() as patch:
        killed_after(patch, chunks, torn)
        with pytest.raises(KilledError):
            run(cert, method)
    assert not cert.exists()
    assert partial(cert).read_bytes().endswith(b'"nod')
    answer = run(cert, method)
    assert answer.effort["resumed_chunks"] == chunks
    assert cert.read_bytes() == expected
    assert not partial(cert).exists()


@BOTH
def test_killed_again_and_again(method: str, tmp_path: Path, cert: Path) -> None:
    expected, runs = whole(tmp_path, method), 0
    while not cert.exists():
        runs += 1
        with pytest.MonkeyPatch.context() as patch:
            killed_after(patch, 2, torn)
            try:
                run(cert, method)
            except KilledError:
                continue
    assert runs > 3
    assert cert.read_bytes() == expected


@BOTH
def test_two_processes_write_the_same(method: str, tmp_path: Path, cert: Path) -> None:
    expected = whole(tmp_path, method)
    assert run(cert, method, Effort(jobs=2)).complete
    assert cert.read_bytes() == expected


@BOTH
def test_killed_while_two_processes_work(method: str, tmp_path: Path, cert: Path) -> None:
    expected = whole(tmp_path, method)
    with pytest.MonkeyPatch.context() as patch:
        killed_after(patch, 4, torn)
        with pytest.raises(KilledError):
            run(cert, method, Effort(jobs=2))
    run(cert, method, Effort(jobs=2))
    assert cert.read_bytes() == expected


@BOTH
def test_no_budget_at_all(method: str, cert: Path) -> None:
    answer = run(cert, method, Effort(budget_seconds=0))
    assert (answer.verdict, answer.complete, answer.complete_up_to, answer.cycles) == ("NotFound", False, 0, ())
    assert answer.unresolved[0] == "completeness: budget over; the same command goes on from here"
    assert "the empty word" in answer.unresolved[1] or "periods have no tree yet (4): 4; 5; 6; 7" in answer.unresolved[1]
    assert not cert.exists()
    assert not partial(cert).exists()


def test_a_short_budget_certifies_what_was_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cert: Path) -> None:
    expected = whole(tmp_path, "words")
    over, grow = iter([False] * 8 + [True] * 1000), by_words.WordGrower.grow
    monkeypatch.setattr("verify.certification.farm.Limits.over", property(lambda _: next(over)))
    answer = run(cert, "words")
    assert (answer.verdict, answer.complete) == ("NotFound", False)
    assert answer.cycles
    assert "subtrees of words are not explored, by what they begin with (" in answer.unresolved[1]
    assert answer.certificate is not None
    assert check(cert.read_bytes()).claims == answer.claims
    assert partial(cert).exists()
    monkeypatch.undo()
    monkeypatch.setattr(by_words, "chunk_limit", lambda _: 20)
    assert run(cert, "words").complete
    assert cert.read_bytes() == expected
    assert by_words.WordGrower.grow is grow


def test_without_an_output_nothing_is_kept() -> None:
    answer = run(None, "words", Effort(budget_seconds=0))
    assert answer.unresolved[0] == ("completeness: budget over; with -o FILE the work is kept and can be resumed; it was not kept now")


def begun(cert: Path) -> Path:
    """Leave some unfinished work behind and return its file."""
    with pytest.MonkeyPatch.context() as patch:
        killed_after(patch, 3, lambda _: None)
        with pytest.raises(KilledError):
            run(cert)
    return partial(cert)


def test_the_work_of_another_network_is_refused(cert: Path) -> None:
    ledger = begun(cert)
    before = ledger.read_bytes()
    with pytest.raises(Malformed) as caught:
        run(cert, a="16/10")
    assert str(caught.value).splitlines()[-1] == (
        "  remedy    this file holds the unfinished work on another question: another -o, or remove this file to start afresh"
    )
    assert "expected  digest " in str(caught.value)
    assert ledger.read_bytes() == before


def test_the_work_of_another_method_or_period_is_refused(cert: Path) -> None:
    begun(cert)
    with pytest.raises(Malformed, match="method cyclic"):
        run(cert, "cyclic")
    with pytest.raises(Malformed, match="up_to 9"):
        cycles(lozi(), 9, complete=True, method="words", output=cert)
    assert cycles(lozi(), UP_TO["words"], complete=True, output=cert).effort["method_because"] == "the work begun earlier took it"


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda lines: [lines[0], lines[1].replace(b"task", b"tusk"), *lines[2:]], "line 2, whose checksum is wrong"),
        (lambda lines: [lines[0], b"\n", *lines[1:]], "line 2, whose checksum is wrong"),
        (lambda _: [b"my own notes\n"], "line 1, whose checksum is wrong"),
        (lambda _: [b"my own notes\n", b"more\n"], "line 1, whose checksum is wrong"),
    ],
)
def test_a_damaged_file_is_refused_and_left_alone(change: Callable[[list[bytes]], list[bytes]], got: str, cert: Path) -> None:
    ledger = begun(cert)
    ledger.write_bytes(b"".join(change(ledger.read_bytes().splitlines(keepends=True))))
    before = ledger.read_bytes()
    with pytest.raises(Malformed) as caught:
        run(cert)
    assert caught.value.got == got
    assert caught.value.remedy == "another -o, or remove this file to start afresh"
    assert ledger.read_bytes() == before


def test_a_last_line_with_a_wrong_checksum_is_dropped(tmp_path: Path, cert: Path) -> None:
    expected, ledger = whole(tmp_path, "words"), begun(cert)
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines[:-1]) + lines[-1].replace(b"task", b"tusk"))
    assert run(cert).effort["resumed_chunks"] == 2
    assert cert.read_bytes() == expected


@pytest.mark.parametrize("kept", [1, 40, -1])
def test_a_first_line_that_was_cut_off_is_written_again(kept: int, tmp_path: Path, cert: Path) -> None:
    expected, ledger = whole(tmp_path, "words"), begun(cert)
    ledger.write_bytes(ledger.read_bytes().splitlines(keepends=True)[0][:kept])
    assert run(cert).effort["resumed_chunks"] == 0
    assert cert.read_bytes() == expected


class Full:
    """A file on a disk that is full."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)

    def flush(self) -> None:
        raise OSError(28, "full")

    def close(self) -> None:
        self._file.close()
        raise OSError(28, "full")


@BOTH
def test_a_full_disk_is_told_of_and_the_work_goes_on_later(method: str, tmp_path: Path, cert: Path) -> None:
    expected, append = whole(tmp_path, method), Ledger.append

    def appended(ledger: Ledger, chunk: Chunk) -> None:
        if len(ledger.done) == 3:
            ledger._file = Full(ledger._file)  # type: ignore[assignment]
        append(ledger, chunk)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "append", appended)
        with pytest.raises(Malformed, match="No space left on device") as caught:
            run(cert, method)
    assert caught.value.where == str(partial(cert))
    assert run(cert, method).effort["resumed_chunks"] == 4  # the line in hand was whole, as it happens
    assert cert.read_bytes() == expected


def test_one_writer_at_a_time(cert: Path) -> None:
    with begun(cert).open("r+b") as file:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(Malformed, match="no other program at work"):
            run(cert)


def test_a_worker_that_dies_is_told_of(cert: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    expected, grow = whole(tmp_path, "words"), by_words.WordGrower.grow

    def dying(grower: by_words.WordGrower, task: str, deadline: float | None) -> Chunk:
        if multiprocessing.parent_process() is not None:
            os._exit(9)
        return grow(grower, task, deadline)

    monkeypatch.setattr(by_words.WordGrower, "grow", dying)
    answer = run(cert, effort=Effort(jobs=2))
    assert answer.unresolved[0].startswith("completeness: a worker process died (out of memory, perhaps); ")
    assert run(cert).complete
    assert cert.read_bytes() == expected


def test_chunks_that_lie_are_found_out(cert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger whose checksums are right and whose content is not proves nothing."""
    from proofs.errors import Rejected

    grow = by_words.WordGrower.grow

    def lying(grower: by_words.WordGrower, task: str, deadline: float | None) -> Chunk:
        chunk = grow(grower, task, deadline)
        content = chunk.nodes[0]
        assert isinstance(content, dict)
        content["forbidden"] = [[word, 0] for word, *_ in content["forbidden"]]
        return chunk

    monkeypatch.setattr(by_words.WordGrower, "grow", lying)
    with pytest.raises(Rejected, match="forbidden_words"):
        run(cert)
    assert not cert.exists()
    assert partial(cert).exists()


@pytest.mark.parametrize("where", ["folder", "file/lozi.cert"])
def test_an_output_that_cannot_be_written_is_refused_at_once(where: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(Malformed, match="the file can be written"):
        run(tmp_path / where)


def test_work_that_ignores_its_deadline_is_broken_off(cert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(_grower: by_words.WordGrower, _task: str, _deadline: float | None) -> Chunk:
        while True:
            time.sleep(0.01)

    monkeypatch.setattr(by_words.WordGrower, "grow", endless)
    monkeypatch.setattr("verify.certification.complete._OVERRUN", 0.1)
    monkeypatch.setattr("verify.certification.farm._PATIENCE", 0.1)
    start = time.monotonic()
    answer = run(cert, effort=Effort(budget_seconds=0.1))
    assert time.monotonic() - start < 60  # it would go on for ever
    assert answer.unresolved[0].startswith("completeness: budget over")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
