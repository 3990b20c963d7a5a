"""The network trained on Lorenz-63 that examples/ ships: its certificates are accepted again, and speak of that very network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import proofs
import verify
from proofs.claims import CycleCounts, ScrambledSet, Stability
from proofs.kernel import Proved
from proofs.space import CoveringGraph
from verify.numerics.batch import FloatNetwork
from verify.training.config import read_config

MODEL, CONFIG = "lorenz_plrnn.json", "train_lorenz_alrnn.json"


@pytest.fixture
def network(root: Path) -> proofs.Network:
    return verify.load_network(root / "examples" / MODEL)


def checked(root: Path, name: str, network: proofs.Network) -> Proved:
    path = root / "examples" / f"lorenz_plrnn_{name}.cert"
    assert path.stat().st_size < 100_000
    proved = proofs.check(path, network)
    assert proved.digest == network.digest
    return proved


def test_the_fixed_points_are_all_cycles_up_to_period_ten(root: Path, network: proofs.Network) -> None:
    claims = checked(root, "cycles", network).claims
    assert claims[0] == CycleCounts(up_to=10, counts=(4, *[0] * 9), residual=())
    stabilities = [claim for claim in claims if isinstance(claim, Stability)]
    assert sorted((claim.inside, claim.outside) for claim in stabilities) == [(6, 2), (6, 2), (7, 1), (7, 1)]


def test_it_is_chaotic(root: Path, network: proofs.Network) -> None:
    claims = checked(root, "chaos", network).claims
    assert ScrambledSet() in claims
    assert all(claim.rate > 1 for claim in claims if isinstance(claim, CoveringGraph))


def test_the_certificates_are_of_no_other_network(root: Path, tmp_path: Path) -> None:
    text = (root / "examples" / MODEL).read_text(encoding="utf-8")
    other = tmp_path / MODEL
    other.write_text(text.replace('"P": 2', '"P": 1'), encoding="utf-8")
    with pytest.raises(proofs.OrbitproofError):
        proofs.check(root / "examples" / "lorenz_plrnn_chaos.cert", verify.load_network(other))


def test_the_configuration_is_that_of_the_network(root: Path, network: proofs.Network) -> None:
    model = read_config(root / "examples" / CONFIG).model
    assert (model.family, model.M, model.P) == ("alrnn", network.dimension, network.hinges)


def test_the_free_run_turns_in_two_wings(network: proofs.Network) -> None:
    """As Lorenz' system does: bounded, both signs of x, many changes of side (an estimate)."""
    floats, z = FloatNetwork(network), np.zeros((1, network.dimension))
    orbit = []
    for _ in range(5_000):
        z = floats.step(z)
        orbit.append(z[0, :3])
    x = np.array(orbit)[1_000:, 0]
    assert np.abs(orbit).max() < 4
    assert 30 < np.count_nonzero(np.diff(np.sign(x))) < 120


@pytest.mark.slow
def test_the_list_is_proved_anew(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "cycles.cert"
    answer = verify.cycles(root / "examples" / MODEL, 10, complete=True, output=path)
    assert answer.complete
    assert proofs.check(path).digest == verify.load_network(root / "examples" / MODEL).digest
