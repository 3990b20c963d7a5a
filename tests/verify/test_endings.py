"""How work ends: by Ctrl-C at bad moments, by kill -9, by lost processes, on full disks and where nobody reads any more."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from proofs.errors import Malformed
from tests.verify.command import TENT, saved
from tests.verify.endless import dying
from verify.certification.files import fresh_file
from verify.certification.find import _in_processes
from verify.certification.interrupts import Interrupts
from verify.errors import NotFound
from verify.formats.files import replace_file
from verify.formats.torch import save
from verify.pools import interrupts_held

if TYPE_CHECKING:
    from typing_extensions import Buffer

ROOT = Path(__file__).parents[2]
PATIENCE = 300.0  # seconds, on a busy machine
FITS = 100  # bytes, where not all do
CLI = "from verify.cli import main; main()"
STOPPED = """
def stop(*_): raise KeyboardInterrupt
from verify.sampling import campaign
campaign.spread = stop
"""


def wait_for(*paths: Path) -> None:
    """Wait until there are such files."""
    deadline = time.monotonic() + PATIENCE
    while not all(path.exists() for path in paths):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, -signal.SIGTERM)])
def test_searches_end_with_whoever_began_them(number: signal.Signals, code: int, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.verify.endless", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) as process:
        wait_for(tmp_path / "0", tmp_path / "1")
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does: to the searches, too
        else:
            process.send_signal(number)
        try:
            out, _ = process.communicate(timeout=PATIENCE)  # which waits for the searches, too: they hold its pipe
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert (process.returncode, out) == (code, b"")


def test_a_search_that_dies_is_told_of() -> None:
    with pytest.raises(NotFound) as caught:
        _in_processes(dying, range(2))
    assert (caught.value.where, caught.value.got, caught.value.remedy) == ("workers", "a process that died", "fewer of them, with --jobs")


@pytest.mark.parametrize("mine", [True, False])
def test_interrupts_are_put_off_whichever_thread_takes_them(mine: bool) -> None:
    begun, reached = threading.Event(), list[bool]()

    def interrupt() -> None:
        begun.wait()
        signal.raise_signal(signal.SIGINT)

    def work() -> None:
        with interrupts_held():
            begun.set()
            if mine:
                interrupt()
            else:
                thread.join()
            reached.append(True)

    thread = threading.Thread(target=interrupt)  # before: what is started inside never gets any
    if not mine:
        thread.start()
    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_while_the_alarm_is_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupts, set_timer, before = Interrupts(), signal.setitimer, signal.getsignal(signal.SIGALRM)

    def interrupted(which: int, seconds: float) -> None:
        if seconds == 0:
            signal.raise_signal(signal.SIGINT)
        set_timer(which, seconds)

    with interrupts.listening():
        monkeypatch.setattr(signal, "setitimer", interrupted)
        with interrupts.at_once(60):
            pass
    assert interrupts.wanted
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_an_interrupt_while_a_temporary_file_is_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    unlink, calls = Path.unlink, list[Path]()

    def interrupted(path: Path, missing_ok: bool = False) -> None:
        calls.append(path)
        if len(calls) % 2:
            raise KeyboardInterrupt
        unlink(path, missing_ok)

    def write(file: io.BufferedIOBase) -> None:
        file.write(b"half")
        raise OSError

    monkeypatch.setattr(Path, "unlink", interrupted)
    with pytest.raises(KeyboardInterrupt), fresh_file(tmp_path / "one"):
        pass
    with pytest.raises(KeyboardInterrupt):
        replace_file(tmp_path / "two", write)  # type: ignore[arg-type]
    assert len(calls) == 4
    assert list(tmp_path.iterdir()) == []


class Failing(io.BytesIO):
    """A file that can be begun and not ended."""

    def __init__(self, failure: BaseException) -> None:
        super().__init__()
        self.failure = failure

    def write(self, content: Buffer) -> int:
        if self.tell() > 0 or len(memoryview(content)) > FITS:
            raise self.failure
        return super().write(content)


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError(28, "full")])
def test_what_ends_the_writing_of_tensors_comes_out_as_itself(failure: BaseException) -> None:
    with pytest.raises(type(failure)):
        save({"a": torch.zeros(1000)}, Failing(failure))


def test_tensors_on_a_full_disk(tmp_path: Path) -> None:
    def full(_: object) -> None:
        save({"a": torch.zeros(1000)}, Failing(OSError(28, "full")))

    with pytest.raises(Malformed, match="No space left on device"):
        replace_file(tmp_path / "state.pt", full)
    assert list(tmp_path.iterdir()) == []


def unread(code: str, *arguments: object, out: bool = True, err: bool = False) -> tuple[int, str]:
    """Run the command with nobody at the other end of stdout, of stderr; return its exit code and what it says."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        streams = {"stdout": writer if out else subprocess.PIPE, "stderr": writer if err else subprocess.PIPE}
        done = subprocess.run(command, cwd=ROOT, text=True, check=False, timeout=PATIENCE, **streams)  # type: ignore[call-overload]
    finally:
        os.close(writer)
    return done.returncode, (done.stdout or "") + (done.stderr or "")


@pytest.mark.parametrize("arguments", ["theorems exact_cycle", "theorems --json", "--help", "nonsense", "check nowhere"])
def test_nobody_reads(arguments: str) -> None:
    assert unread(CLI, *arguments.split(), out=True, err=True) == (2, "")


def test_nobody_reads_the_error_but_stderr_is_there(tmp_path: Path) -> None:
    code, said = unread(CLI, "certify", saved(tmp_path, dict(TENT)), "--model", "nonsense")
    assert code == 2
    assert said.startswith(("Malformed at", "Unsupported at"))


def test_ctrl_c_that_ends_the_reader_too() -> None:
    options = ("sample", "--family", "theory", "--width", 4, "--count", 5, "--jobs", 1)
    assert unread(STOPPED + CLI, *options, out=False, err=True) == (130, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_stdout_on_a_full_disk(more: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        command = [sys.executable, "-c", CLI, "theorems", *more]
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
