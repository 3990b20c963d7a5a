"""Networks published by others: every cycle they list is found, certified, and agrees with plain floating point."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from proofs.kernel import check
from tests.verify.command import orbitproof
from verify.answers import Certified, CycleEntry, CycleList
from verify.certification import Effort, certify, cycles

FAMILIES = {"PLRNN": "plrnn", "shPLRNN": "shallow_plrnn", "clippedshPLRNN": "clipped_shallow_plrnn", "ALRNN": "alrnn"}
SMALL = (
    "1-cycle_2D", "2-cycle_4-cycle_M2_H10", "2-cycle_M2_H10_clipped_val", "8-cycle_2D", "FigS9_system_6", "FigS9_system_0", "pl-map-chaos",
    "10-cycle_10D",
)  # fmt: skip
TOLERANCE = 1e-6
Vector = NDArray[np.float64]


def system(shared: Path, name: str) -> dict:
    systems = json.loads((shared / "cases" / "published_systems.json").read_text(encoding="utf-8"))
    return next(item for item in systems if item["name"] == name)


def network(case: dict) -> dict[str, object]:
    parameters = {key: value for key, value in case["parameters"].items() if key != "note"}
    return {"model": FAMILIES[case["model"]], **parameters, **({"P": 1} if case["model"] == "ALRNN" else {})}


def jacobian(case: dict, z: Vector) -> Vector:
    """Differentiate the published formula at a point, in floating point."""
    p: dict[str, Vector] = {key: np.array(value, dtype=float) for key, value in case["parameters"].items() if key != "note"}
    A: Vector = np.diag(p["A"]) if p["A"].ndim == 1 else p["A"]
    if case["model"] == "PLRNN":
        return np.asarray(A + p["W"] * (z > 0))
    if case["model"] == "ALRNN":
        return np.asarray(A + p["W"] * np.where(np.arange(len(z)) >= len(z) - 1, z > 0, 1))
    on = (p["W2"] @ z + p["h2"] > 0).astype(float)
    if case["model"] == "clippedshPLRNN":
        on -= p["W2"] @ z > 0
    return np.asarray(A + p["W1"] @ (on[:, None] * p["W2"]))


def agrees(case: dict, entry: CycleEntry) -> None:
    """Compare multipliers and stability with numpy's at the middles of the points."""
    product = np.eye(len(entry.points[0]))
    for point in entry.points:
        product = jacobian(case, np.array([float((x.lo + x.hi) / 2) for x in point])) @ product
    values = np.linalg.eigvals(product)
    scale = max(1.0, float(np.abs(values).max()))
    if entry.multipliers is not None:
        listed = [complex((a.lo + a.hi) / 2, (b.lo + b.hi) / 2) for a, b in entry.multipliers]
        assert len(listed) == len(values)
        for value in values:
            nearest = min(listed, key=lambda one: abs(one - value))
            assert abs(nearest - value) <= TOLERANCE * scale
            listed.remove(nearest)
    if entry.label is not None and np.all(np.abs(np.abs(values) - 1) > TOLERANCE * scale):
        assert (entry.inside, entry.outside) == (int((np.abs(values) < 1).sum()), int((np.abs(values) > 1).sum()))


def compare(case: dict, answer: CycleList) -> None:
    """Nothing listed is missed; nothing more is found where the published list is complete; all of it is certified."""
    wanted = {int(k): n for k, n in case["cycles_by_least_period"].items() if n and int(k) <= answer.up_to}
    found = answer.cycles_by_least_period
    complete = min(answer.up_to, case["complete_up_to_period"])
    assert {k: n for k, n in found.items() if k <= complete} == {k: n for k, n in wanted.items() if k <= complete}
    assert all(found.get(k, 0) >= n for k, n in wanted.items())
    if not answer.cycles:
        assert (answer.verdict, answer.certificate) == ("NotFound", None)
        return
    assert answer.certificate is not None
    statements = [claim.statement() for claim in check(b"".join(answer.certificate.lines())).claims]
    for entry in answer.cycles:
        assert entry.statement in statements
        agrees(case, entry)


@pytest.mark.parametrize("name", SMALL)
def test_all_cycles_to_ten(shared: Path, name: str) -> None:
    case = system(shared, name)
    up_to = min(10, max(case["complete_up_to_period"], 4))
    compare(case, cycles(network(case), up_to, effort=Effort(budget_seconds=12)))


@pytest.mark.parametrize(("name", "up_to"), [("16-cycle_2D", 16), ("27-cycle_2D", 27), ("8-cycle_2D", 11)])
def test_longer_cycles(shared: Path, name: str, up_to: int) -> None:
    case = system(shared, name)
    compare(case, cycles(network(case), up_to, effort=Effort(budget_seconds=20)))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "up_to"), [("40-cycle_2D", 41), ("80-cycle_2D", 80), ("pl-map-chaos", 14)])
def test_longest_cycles(shared: Path, name: str, up_to: int) -> None:
    case = system(shared, name)
    compare(case, cycles(network(case), up_to, effort=Effort(budget_seconds=240)))


def test_both_ten_cycles_in_ten_dimensions(shared: Path) -> None:
    case = system(shared, "10-cycle_10D")
    answer = certify(network(case), "cycles", period=10)
    assert isinstance(answer, Certified)
    check(answer)
    assert [entry.period for entry in answer.report.cycles] == [10, 10]
    assert sorted((entry.inside, entry.outside) for entry in answer.report.cycles) == [(9, 1), (10, 0)]
    for entry in answer.report.cycles:
        agrees(case, entry)


def test_a_trained_network_and_the_checker_alone(shared: Path, tmp_path: Path, root: Path) -> None:
    pytest.importorskip("torch")
    model, path = shared / "cases/models/lorenz_m20_p2.pt", tmp_path / "lorenz.cert"
    done = orbitproof("certify", model, "--model", "alrnn", "--set", "P=2", "--claim", "cycles", "--period", 1, "--json", "-o", path)
    content = done.json()
    assert (done.code, content["verdict"]) == (0, "Proved")
    table = {
        cycle["itinerary"][0]: (cycle["stability"]["outside"], max(abs(complex(*map(middle, pair))) for pair in cycle["multipliers"]))
        for cycle in content["cycles"]
    }
    outside = {word: count for word, (count, _) in table.items()}
    assert outside == {"00": 3, "01": 2, "10": 2, "11": 1}
    largest = {"00": 1.078, "01": 1.00234, "10": 1.00088, "11": 1.0907}
    assert {word: modulus for word, (_, modulus) in table.items()} == pytest.approx(largest, abs=5e-4)
    shutil.copytree(root / "proofs", tmp_path / "alone" / "proofs", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [sys.executable, "-S", "-m", "proofs", "check", str(path)]
    alone = subprocess.run(command, cwd=tmp_path / "alone", env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert (alone.returncode, alone.stderr) == (0, "")
    assert alone.stdout.startswith("For the real-number map F of the network ")
    assert alone.stdout.splitlines()[-1].startswith("Proved  F has a fixed point")


def middle(pair: list[str]) -> float:
    return (float(pair[0]) + float(pair[1])) / 2


def test_a_matlab_file(shared: Path) -> None:
    path = shared / "cases/models/LorenzPLRNN.mat"
    content = orbitproof("cycles", path, "--model", "plrnn", "--up-to", 1, "--json").json()
    assert content["cycles_by_least_period"] == {"1": 4}
    sizes = sorted(max(abs(complex(*map(middle, pair))) for pair in cycle["multipliers"]) for cycle in content["cycles"])
    assert sizes == pytest.approx([0.9752, 1.0012, 1.038, 1.2825], abs=5e-4)
    assert sorted(cycle["stability"]["outside"] for cycle in content["cycles"]) == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("name", "law", "library"),
    [("cplrnn_epoch2000.jld2", "a state map in discrete time", "h5py"), ("dynamix.bson", "one state map", "bson")],
)
def test_models_that_are_not_supported(shared: Path, name: str, law: str, library: str) -> None:
    pytest.importorskip(library)
    done = orbitproof("certify", shared / "cases/models" / name)
    assert (done.code, done.out.splitlines()[0]) == (2, f"Unsupported at {name}, {law}")


def test_one_expert_of_a_mixture(shared: Path) -> None:
    pytest.importorskip("bson")
    done = orbitproof(
        "cycles", shared / "cases/models/dynamix.bson", "--set", "expert=3", "--up-to", 1, "--set", "P=2", "--model", "alrnn", "--json"
    )
    assert done.code in {0, 3}
    assert done.json()["network"]["dimension"] == 30


def test_a_file_that_fits_several_families(shared: Path) -> None:
    pytest.importorskip("torch")
    done = orbitproof("certify", shared / "cases/models/lorenz_m20_p2.pt")
    assert (done.code, "these fit: plrnn, mean_centred_plrnn, alrnn" in done.out) == (2, True)
