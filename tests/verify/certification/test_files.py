"""What ``-o`` does with a file that is there already."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.verify.command import lozi, orbitproof, saved
from verify.certification import cycles
from verify.certification.files import saved as written
from verify.loading import load


@pytest.fixture
def lozi_file(tmp_path: Path) -> Path:
    return saved(tmp_path, lozi(), "lozi.json")


def test_what_proves_nothing_new_replaces_no_certificate(lozi_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "lozi.cert"
    assert orbitproof("cycles", lozi_file, "--up-to", 4, "--complete", "-o", path).code == 0
    before = path.read_bytes()
    assert orbitproof("certify", lozi_file, "--claim", "order", "-o", path).code == 3
    assert orbitproof("cycles", lozi_file, "--up-to", 1, "--budget", 0, "-o", path).code == 3
    assert path.read_bytes() == before


def test_an_unfinished_list_replaces_no_certificate_that_proves_more(lozi_file: Path, tmp_path: Path) -> None:
    path, loaded = tmp_path / "lozi.cert", load(lozi_file)
    whole = cycles(loaded, 4, complete=True, output=path)
    before = path.read_bytes()
    found = cycles(loaded, 2)
    unfinished = replace(found, verdict="NotFound", path=None)
    answer = written(unfinished, path)
    assert (path.read_bytes(), answer.path) == (before, None)
    assert answer.unresolved == (f"{path} is left as it was: it proves something that this unfinished run does not",)
    assert written(found, path).path == str(path)  # what was asked for and found is written
    assert path.read_bytes() != before
    assert written(unfinished, path).path == str(path)  # it claims as much as the file
    path.write_text("no certificate", encoding="utf-8")
    assert written(unfinished, path).path == str(path)
    assert whole.complete
