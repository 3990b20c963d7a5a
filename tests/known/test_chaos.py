"""Maps that are known to be chaotic are proved to be, with entropy not far below the true one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from proofs.claims import ScrambledSet
from proofs.kernel import check
from proofs.network import Network
from proofs.space import CoveringGraph, ExponentBounds
from tests.known.plane_maps import border_collision, lozi
from tests.known.test_published import network as published
from tests.known.test_published import system
from verify.answers import Certified
from verify.certification import Effort, certify
from verify.loading import Loaded, load

MAPS = {  # with the entropy that is wanted
    "lozi (17/10, 1/2)": (lozi("17/10", "1/2"), 0.40),  # 0.500 is true
    "lozi (9/5, 2/5)": (lozi("9/5", "2/5"), 0.02),
    "lozi (7/5, 3/10)": (lozi("7/5", "3/10"), 0.02),
    "border collision": (border_collision(), 0.02),
}

ALMOST_ALL = 0.4


def chaotic(subject: Network | Loaded, least: float, budget: float) -> Certified:
    """Certify chaos, with entropy at least so large; the statement and the kernel's word say the same."""
    answer = certify(subject, "chaos", effort=Effort(budget_seconds=budget))
    assert isinstance(answer, Certified)
    assert answer.report.decision == "chaotic"
    claims = check(b"".join(answer.lines())).claims
    assert {type(claim) for claim in claims} == {ScrambledSet, CoveringGraph}
    assert answer.report.entropy is not None
    assert least <= answer.report.entropy[0]
    return answer


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.usefixtures("few_paths")
def test_chaos_in_the_plane(name: str) -> None:
    in_the_plane(name)


@pytest.mark.parametrize("name", [*list(MAPS)[:1], *(pytest.param(name, marks=pytest.mark.slow) for name in list(MAPS)[1:])])
def test_chaos_by_many_paths_in_the_plane(name: str) -> None:
    in_the_plane(name)


def in_the_plane(name: str) -> None:
    subject, least = MAPS[name]
    answer = chaotic(subject, least, 5.0 if least >= ALMOST_ALL else 1.0)
    assert answer.report.entropy is not None
    assert answer.report.entropy[0] < 0.60  # no map here has more


@pytest.mark.usefixtures("few_paths")
def test_all_orbits_of_the_normal_form_expand() -> None:
    """B5 and D1 together: chaos, and a positive exponent of every orbit of a trapping region that contains the boxes."""
    answer = certify(border_collision(), "auto", effort=Effort(budget_seconds=4))
    assert isinstance(answer, Certified)
    bounds = next(claim for claim in check(answer).claims if isinstance(claim, ExponentBounds))
    assert bounds.lower is not None
    assert bounds.lower > 1
    assert [note[:13] for note in answer.report.notes] == ["robust chaos:"]


@pytest.mark.usefixtures("few_paths")
def test_the_checker_alone_accepts_it(tmp_path: Path, root: Path) -> None:
    answer, path = chaotic(lozi("17/10", "1/2"), 0.02, 1.0), tmp_path / "lozi.cert"
    path.write_bytes(b"".join(answer.lines()))
    shutil.copytree(root / "proofs", tmp_path / "alone" / "proofs", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [sys.executable, "-S", "-m", "proofs", "check", str(path)]
    alone = subprocess.run(command, cwd=tmp_path / "alone", env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert (alone.returncode, alone.stderr) == (0, "")
    assert "F has an uncountable scrambled set (Li-Yorke chaos)" in alone.stdout


@pytest.mark.usefixtures("few_paths")
def test_the_published_chaotic_map(shared: Path) -> None:
    case = system(shared, "pl-map-chaos")
    chaotic(load(published(case), name="pl-map-chaos"), 0.02, 5.0)


@pytest.mark.slow
def test_a_trained_network_of_twenty_states(shared: Path) -> None:
    """It imitates a flow, so that a loop takes hundreds of steps and the entropy of a step is small."""
    pytest.importorskip("torch")
    subject = load(shared / "cases/models/lorenz_m20_p2.pt", "alrnn", P=2)
    assert subject.network.dimension == 20
    chaotic(subject, 0.0005, 200.0)
