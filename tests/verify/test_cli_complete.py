"""``cycles --complete`` on the command line: text, JSON, exit codes, and what is left after Ctrl-C and kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.verify.command import Done, lozi, orbitproof, saved

FIELDS = {
    "verdict", "network", "cycles_by_least_period", "complete", "complete_up_to", "everywhere", "up_to", "box", "outside_box",
    "residual", "unresolved", "index_sum", "cycles", "effort", "certificate",
}  # fmt: skip
EFFORT = {"seconds", "nodes", "method", "method_because", "search_seconds"}
DENSE = {
    "model": "plrnn",
    "A": ["1/2", "-1/4", "3/4", "-1/2"],
    "W": [[0, "5/2", "-7/3", 2], ["-9/4", 0, "8/3", -3], ["11/4", "-5/2", 0, "7/3"], [-2, "9/4", "-8/3", 0]],
    "h": [1, "-1/2", "3/4", "1/3"],
}
PATIENCE = 300.0  # seconds, on a busy machine
SMALL_CHUNKS = (
    "import sys\nfrom verify.certification import by_words\nby_words.chunk_limit = lambda _: 40\nfrom verify.cli import main\nmain()\n"
)


@pytest.fixture
def lozi_file(tmp_path: Path) -> Path:
    return saved(tmp_path, lozi(), "lozi.json")


def test_the_text(lozi_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "out" / "lozi.cert"
    done = orbitproof("cycles", lozi_file, "--up-to", 4, "--complete", "-o", path)
    assert done.code == 0
    assert done.last == "Proved  all cycles of least period at most 4: 2 of period 1, 1 of period 2, 1 of period 4"
    lines = done.out.splitlines()
    assert "complete     proved up to period 4" in lines
    assert "index sums   k=1: 0, k=2: 0, k=3: 0, k=4: 0 (of the cycles listed; not kernel-checked)" in lines
    assert any(line.startswith("method       words (two states: polygons are clipped in compiled code); ") for line in lines)
    assert any(line.startswith(f"certificate  {path} (") for line in lines)
    assert [entry.name for entry in path.parent.iterdir()] == ["lozi.cert"]
    checked = orbitproof("check", path, "--network", lozi_file)
    assert checked.last.startswith(
        "Proved  These are ALL cycles of F on R^M with least period at most 4: 2 of period 1, 1 of period 2, 1 of period 4 (and "
    )


@pytest.mark.parametrize("method", ["words", "cyclic"])
def test_the_json(method: str, lozi_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "lozi.cert"
    done = orbitproof("cycles", lozi_file, "--up-to", 6, "--complete", "--method", method, "--json", "-o", path)
    content = done.json()
    assert (done.code, content["verdict"], content["complete"], content["complete_up_to"]) == (0, "Proved", True, 6)
    assert content.keys() == FIELDS
    assert content["effort"].keys() >= EFFORT
    assert content["effort"]["nodes"] > 0
    assert content["cycles_by_least_period"] == {"1": 2, "2": 1, "4": 1, "6": 4}
    assert content["index_sum"] == {str(k): 0 for k in range(1, 7)}
    assert (content["residual"], content["unresolved"], content["certificate"]) == ([], [], str(path))


def test_residual_polyhedra_keep_exit_code_0(tmp_path: Path) -> None:
    done = orbitproof("cycles", saved(tmp_path, lozi("3/2", "1/2")), "--up-to", 4, "--complete")
    assert done.code == 0
    (line,) = [line for line in done.out.splitlines() if line.startswith("residual")]
    assert line == "residual     F^4(z) = z on the segment from (0, 1/5) to (-4/5, 3/5); itinerary (live hinges): 0 1 0 1"
    assert done.last.endswith("1 of period 2, 1 of period 4, apart from the residual polyhedra above")


def test_a_box_is_said_to_filter_the_list_only(lozi_file: Path) -> None:
    done = orbitproof("cycles", lozi_file, "--up-to", 2, "--complete", "--box", "-1/2", 1)
    assert done.code == 0
    assert "complete     proved up to period 2 on all of R^M, not in the box alone" in done.out.splitlines()
    assert done.last == "Proved  all cycles of least period at most 2 with every point in [-1/2, 1]: 1 of period 1, 1 of period 2"


def test_no_budget(lozi_file: Path, tmp_path: Path) -> None:
    done = orbitproof("cycles", lozi_file, "--up-to", 6, "--complete", "--budget", 0, "--json", "-o", tmp_path / "lozi.cert")
    content = done.json()
    assert (done.code, content["verdict"], content["complete"], content["cycles"]) == (3, "NotFound", False, [])
    assert content["unresolved"][0].startswith("completeness: budget over")
    assert [path.name for path in tmp_path.iterdir()] == ["lozi.json"]


def test_misuse(lozi_file: Path, tmp_path: Path) -> None:
    assert orbitproof("cycles", lozi_file, "--up-to", 2, "--complete", "--method", "magic").code == 2
    too_many = orbitproof("cycles", lozi_file, "--up-to", 2_000, "--complete", "--method", "cyclic", "--json")
    assert (too_many.code, too_many.json()["law"]) == (2, "method cyclic")
    assert orbitproof("cycles", lozi_file, "--up-to", 2, "--complete", "-o", tmp_path).code == 2
    assert orbitproof("cycles", lozi_file, "--up-to", 2, "--complete", "-o", lozi_file).code == 2


class Running:
    """A search that takes long, in a process of its own."""

    def __init__(self, folder: Path, *more: object) -> None:
        self.cert = folder / "dense.cert"
        self.partial = folder / "dense.cert.partial"
        command = ["cycles", saved(folder, DENSE), "--up-to", 12, "--complete", "--method", "words", "--json", "-o", self.cert, *more]
        self.process = subprocess.Popen(
            [sys.executable, "-c", SMALL_CHUNKS, *map(str, command)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip

    def wait_for_chunks(self, count: int) -> None:
        """Wait until so many chunks are written down."""
        deadline = time.monotonic() + PATIENCE
        while not self.partial.exists() or self.partial.read_bytes().count(b"\n") <= count:
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def end(self) -> Done:
        """Wait for the end."""
        out, err = self.process.communicate(timeout=PATIENCE)
        return Done(self.process.returncode, out, err)


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_prints_what_there_is_and_the_work_goes_on_later(jobs: int, tmp_path: Path) -> None:
    running = Running(tmp_path, "--jobs", jobs)
    running.wait_for_chunks(3)
    running.process.send_signal(signal.SIGINT)
    done = running.end()
    content = json.loads(done.out)
    assert (done.code, content["verdict"], content["complete"]) == (3, "NotFound", False)
    assert content["unresolved"][0] == "completeness: interrupted; the same command goes on from here"
    assert "subtrees of words are not explored" in content["unresolved"][1]
    lines = running.partial.read_bytes().count(b"\n")
    again = Running(tmp_path, "--budget", 0).end()
    assert again.code == 3
    assert json.loads(again.out)["effort"]["nodes"] == content["effort"]["nodes"]
    assert running.partial.read_bytes().count(b"\n") == lines


def test_the_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    running = Running(tmp_path)
    running.wait_for_chunks(2)
    running.process.send_signal(signal.SIGSTOP)
    running.process.send_signal(signal.SIGINT)
    running.process.send_signal(signal.SIGCONT)
    while running.process.poll() is None:
        running.process.send_signal(signal.SIGINT)
        time.sleep(0.001)
    done = running.end()
    assert done.code in {130, -signal.SIGINT, 3}
    assert running.partial.exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_kill_9_leaves_work_to_resume_and_no_process(jobs: int, tmp_path: Path) -> None:
    running = Running(tmp_path, "--jobs", jobs)
    running.wait_for_chunks(4)
    running.process.kill()
    running.end()  # which waits for the workers too: they hold its pipes
    again = Running(tmp_path, "--budget", 1, "--jobs", jobs).end()
    assert again.code == 3, again.err
    content = json.loads(again.out)
    assert content["effort"]["resumed_chunks"] >= 4
    assert content["complete"] is False
