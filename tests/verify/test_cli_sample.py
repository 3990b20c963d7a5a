"""``orbitproof sample``: text, JSON, files, resuming, interrupts, exit codes."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from tests.verify.command import Done, orbitproof
from verify.sampling.statistics import clopper_pearson

ROOT = Path(__file__).parents[2]
KEYS = {"verdict", "seed", "count", "cells", "counts", "probability", "networks_per_second", "computed", "db", "certificates", "export"}
COUNTS = {"total", "chaotic", "ordered", "ordered_by_bound", "undecided", "period_2", "period_3", "period_2_open", "period_3_open"}
CHUNK_BYTES = 100_000  # more than the empty tables take, and less than a chunk
PATIENCE = 300.0  # seconds, on a busy machine
ONE = ("sample", "--family", "theory", "--width", 8, "--scale", 8, "--seed", 5, "--jobs", 1)


def refused(*arguments: object, where: str, law: str = "options go together", code: int = 2) -> dict:
    """Run a command that must fail, and return its letter."""
    done = orbitproof("sample", *arguments, "--json")
    content = done.json()
    assert (done.code, content["where"], content["law"]) == (code, where, law)
    return content


def test_json() -> None:
    content = orbitproof(*ONE, "--count", 200, "--json").json()
    assert content.keys() == KEYS
    assert (content["verdict"], content["seed"], content["count"], content["computed"]) == ("Sampled", 5, 200, 200)
    assert (content["db"], content["certificates"], content["export"]) == (None, None, None)
    assert content["networks_per_second"] > 0
    (cell,) = content["cells"]
    about = {"family": "theory", "width": 8, "scale": 8.0, "depth": 1, "output": "clip"}
    assert cell == {**about, "counts": content["counts"], "probability": content["probability"]}
    counts = content["counts"]
    assert counts.keys() == COUNTS | {"ordered_checked"}
    assert counts["total"] == 200 == sum(counts[name] for name in ("chaotic", "ordered", "ordered_by_bound", "undecided"))
    assert content["probability"] == {
        "chaotic": list(clopper_pearson(counts["chaotic"], counts["undecided"], 200)),
        "period_3": list(clopper_pearson(counts["period_3"], counts["period_3_open"], 200)),
        "period_2": list(clopper_pearson(counts["period_2"], counts["period_2_open"], 200)),
    }


def test_text() -> None:
    counts = orbitproof(*ONE, "--count", 200, "--json").json()["counts"]
    done = orbitproof(*ONE, "--count", 200)
    assert (done.code, done.err) == (0, "")
    heads, line, *_ = done.out.splitlines()
    assert heads.split("  ")[0] == "family"
    assert line.split()[:7] == ["theory", "8", "8", "1", "clip", "200", str(counts["chaotic"])]
    ordered = f"{counts['ordered_checked']} of {counts['ordered']} checked by the kernel"
    assert "\nchaotic          the kernel has checked a proof of chaos for each\nordered          every orbit converges" in done.out
    assert re.search(r"\nrate         [\d,]+ networks/s \(200 computed now\)\n", done.out)
    chaotic = f"{counts['chaotic']} chaotic (each checked by the kernel)"
    assert done.last == f"Sampled  200 networks: {chaotic}, {counts['ordered']} ordered ({ordered}), 0 undecided"


def test_a_grid() -> None:
    options = ("--width", 4, "--width", 8, "--scale", 0.5, "--scale", 4, "--count", 30)
    content = orbitproof("sample", "--family", "theory", "--family", "he", *options, "--jobs", 1, "--json").json()
    cells = [(cell["family"], cell["width"], cell["scale"]) for cell in content["cells"]]
    assert cells == [(family, width, scale) for family in ("theory", "he") for width in (4, 8) for scale in (0.5, 4.0)]
    assert content["counts"]["total"] == 240
    lines = orbitproof("sample", "--family", "theory", *options, "--jobs", 1).out.splitlines()
    assert lines[5].split()[:2] == ["all", "120"]


def test_the_family_says_scale_and_output() -> None:
    (cell,) = orbitproof("sample", "--family", "he", "--width", 3, "--depth", 2, "--count", 5, "--jobs", 1, "--json").json()["cells"]
    assert (cell["scale"], cell["depth"], cell["output"]) == (1.0, 2, "relu")
    (cell,) = orbitproof(*ONE, "--output", "identity", "--count", 5, "--json").json()["cells"]
    assert cell["output"] == "identity"


def test_kept_and_resumed(tmp_path: Path) -> None:
    db = tmp_path / "campaign.db"
    first = orbitproof(*ONE, "--count", 60, "--db", db, "--json").json()
    assert (first["db"], first["computed"]) == (str(db), 60)
    again = orbitproof(*ONE, "--count", 60, "--db", db, "--json").json()
    assert (again["computed"], again["networks_per_second"], again["cells"]) == (0, None, first["cells"])
    assert "\nrate         all was there already\n" in orbitproof(*ONE, "--count", 60, "--db", db).out
    assert orbitproof(*ONE, "--count", 100, "--db", db, "--json").json()["computed"] == 40
    letter = refused(*ONE[1:7], "--seed", 6, "--count", 60, "--db", db, where=str(db), law="a campaign has one seed")
    assert (letter["expected"], letter["got"]) == ("seed 5, as the file has it", "seed 6")


def test_files(tmp_path: Path) -> None:
    certificates, rows, db = (tmp_path / name for name in ("all.certs", "rows.parquet", "campaign.db"))
    options = ("--db", db, "--certificates", certificates, "--export", rows, "--check-ordered", "--certify-ordered")
    content = orbitproof(*ONE, "--count", 60, *options, "--json").json()
    counts = content["counts"]
    assert content["certificates"] == {"path": str(certificates), "count": counts["chaotic"] + counts["ordered"]}
    assert (counts["ordered_checked"], content["export"]) == (counts["ordered"], str(rows))
    with duckdb.connect() as connection:
        assert connection.read_parquet(str(rows)).aggregate("count(*)").fetchall() == [(60,)]
    done = orbitproof(*ONE, "--count", 60, *options)
    assert f"\ndatabase     {db}\ncertificates {certificates} ({content['certificates']['count']})\nrows         {rows}\n" in done.out
    assert {path.name for path in tmp_path.iterdir()} == {certificates.name, rows.name, db.name}


def test_no_certificates_to_write(tmp_path: Path) -> None:
    path = tmp_path / "none.certs"
    quiet = ("sample", "--family", "theory", "--width", 4, "--scale", 0.01, "--count", 5, "--jobs", 1, "--certificates", path)
    assert orbitproof(*quiet, "--json").json()["certificates"] == {"path": None, "count": 0}
    assert "\ncertificates none to write (0)\n" in orbitproof(*quiet).out
    assert not path.exists()


def test_one_network(tmp_path: Path) -> None:
    db, path = tmp_path / "campaign.db", tmp_path / "net.json"
    orbitproof(*ONE, "--count", 60, "--db", db)
    with duckdb.connect(str(db)) as connection:
        i, name = connection.execute("SELECT i, lower(hex(sha256)) FROM networks WHERE verdict = 'chaotic' ORDER BY i").fetchone() or ()
    content = orbitproof(*ONE, "--network", i, "-o", path, "--db", db, "--json").json()
    assert content["name"] == f"network {i} of theory width=8 scale=8.0 depth=1 output=clip seed=5"
    assert (content["verdict"], content["sha256"], content["path"]) == ("Sampled", name, str(path))
    assert content["row"]["verdict"] == "chaotic"
    certified = orbitproof("certify", path, "--claim", "chaos", "--budget", 2, "--json").json()
    assert (certified["verdict"], certified["decision"]) == ("Proved", "chaotic")
    assert certified["network"]["digest"] == content["digest"]
    alone = orbitproof(*ONE, "--network", i, "-o", path)
    assert alone.out == f"{path}  {content['name']}  digest {content['digest']}\n"
    assert orbitproof(*ONE, "--network", 1000, "-o", path, "--db", db, "--json").json()["row"] is None


def test_options_that_do_not_go_together(tmp_path: Path) -> None:
    options = ONE[1:]
    path = tmp_path / "file"
    assert refused(*options, where="--count")["expected"] == "--count N, or --network I with -o FILE"
    assert refused(*options, "--count", 5, "--dask", "x:1", where="--jobs")["got"] == "both"
    assert refused(*options, "--network", 5, where="--network")["expected"] == "--network I and -o FILE together"
    assert refused(*options, "-o", path, where="--network")["got"] == "one of them"
    assert refused(*options, "--width", 4, "--network", 5, "-o", path, where="--network")["got"] == "2 cells"
    assert refused(*options, "--count", 5, "--certify-ordered", where="--certify-ordered")["got"] == "none"
    both = ("--db", path, "--export", path)
    assert refused(*options, "--count", 5, *both, where="--db, --export, --certificates")["got"] == str(path)
    assert list(tmp_path.iterdir()) == []


def test_refusals(tmp_path: Path) -> None:
    cells = "cells of random networks"
    assert "theory" in refused("--family", "hee", "--width", 4, "--count", 5, where="cell, family", law=cells)["expected"]
    refused("--family", "he", "--width", 4, "--scale", 0, "--count", 5, where="cell, scale", law=cells)
    refused("--family", "theory", "--width", 4, "--depth", 2, "--count", 5, where="cell, depth", law=cells)
    refused("--family", "theory", "--width", 4, "--output", "sin", "--count", 5, where="cell, output", law=cells)
    twice = refused(*ONE[1:], "--width", 8, "--count", 5, where="plan", law="plan of a campaign")
    assert twice["expected"] == "every cell once"
    refused(*ONE[1:], "--count", 5, "--export", tmp_path, where=str(tmp_path), law="the file can be written")
    refused(*ONE[1:], "--count", 5, "--db", tmp_path, where=str(tmp_path), law="the file can be written")
    assert orbitproof("sample", "--width", 4, "--count", 5).code == 2
    assert orbitproof("sample", "--family", "he", "--width", 0, "--count", 5).code == 2


def run(*arguments: object, **settings: object) -> subprocess.Popen:
    """Start the command in a process of its own."""
    command = [sys.executable, "-W", "error", "-c", "from verify.cli import main; main()", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, text=True, **settings)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize("jobs", [1, 2])
def test_interrupted(jobs: int, tmp_path: Path) -> None:
    db = tmp_path / "campaign.db"
    options = ("sample", "--family", "theory", "--width", 4, "--scale", 1, "--count", 10**9, "--jobs", jobs, "--db", db)
    with run(*options, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as process:
        log, deadline = db.with_name(f"{db.name}.wal"), time.monotonic() + PATIENCE
        while not (log.exists() and log.stat().st_size > CHUNK_BYTES):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers, too
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    found = re.search(r"Stopped: (\d+) of 1000000000 networks are in (\S+); the same command goes on from there\.", err)
    assert found is not None, err
    assert found.group(2) == str(db)
    assert int(found.group(1)) > 0
    with duckdb.connect(str(db)) as connection:
        assert connection.execute("SELECT count(*) FROM networks").fetchall() == [(int(found.group(1)),)]


def test_interrupted_without_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("verify.sampling.campaign.spread", interrupt)
    done: Done = orbitproof(*ONE, "--count", 5)
    assert (done.code, done.out) == (130, "")
    assert done.err.splitlines() == ["Stopped; without --db nothing is kept.", "Interrupted; no file was left half-written."]


def test_progress_on_a_terminal() -> None:
    mine, theirs = pty.openpty()
    options = ("sample", "--family", "theory", "--width", 4, "--scale", 1, "--count", 2_000_000, "--jobs", 1)
    with run(*options, stdout=subprocess.DEVNULL, stderr=theirs, env=os.environ | {"TERM": "xterm", "COLUMNS": "100"}) as process:
        os.close(theirs)
        shown, deadline = b"", time.monotonic() + PATIENCE
        while not re.search(rb"networks .*\d/s", shown) and time.monotonic() < deadline:
            shown += os.read(mine, 4096)
        process.kill()
    os.close(mine)
    assert re.search(rb"networks .*\d/s", shown)
    assert re.search(rb"\d:\d\d:\d\d", shown)
