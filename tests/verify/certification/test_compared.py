"""``check --network``: torch modules under whatever input the certificate has, and the reason where networks differ."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch

from proofs.arithmetic import Matrix
from proofs.certificate import Remarks
from proofs.network import Network
from tests.verify.command import CONTRACTION, Done, lozi, orbitproof, saved
from verify.certification.draft import Draft
from verify.models.gated import driven_program, step_program
from verify.numerics.balls import particular_solution

ROWS = [[0.5, -1.0], [0.25, 0.0], [1.0, 2.0]]


def state_dict(folder: Path, kind: str, seed: int = 0, name: str = "net.pt", **settings: object) -> tuple[Path, torch.nn.Module]:
    """Write the state dict of a recurrent module, two inputs and two units."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module: torch.nn.Module = getattr(torch.nn, kind)(2, 2, **settings).double()
    torch.save({f"core.{name}": value for name, value in module.state_dict().items()}, folder / name)
    return folder / name, module


def certificate(folder: Path, network: Network) -> Path:
    """Write a certificate about a network: bounds of its determinant near 0."""
    path, box = folder / "x.cert", {"low": ["0"] * network.dimension, "high": ["1p-40"] * network.dimension}
    draft = Draft(network, Remarks())
    claim = draft.add("volume", box | {"bits": 64})[1]
    path.write_bytes(b"".join(draft.finish([claim])[0].lines()))
    return path


def checked(path: Path, file: object, *options: object) -> Done:
    return orbitproof("check", path, "--network", file, *options)


@pytest.mark.parametrize(("kind", "settings"), [("LSTM", {}), ("GRU", {"num_layers": 2}), ("LSTMCell", {}), ("GRUCell", {"bias": False})])
def test_one_step_with_any_input(kind: str, settings: dict[str, Any], tmp_path: Path) -> None:
    file, module = state_dict(tmp_path, kind, **settings)
    other = state_dict(tmp_path, kind, 1, "other.pt", **settings)[0]
    for inputs, said in ((None, "(0, 0)"), (ROWS[0], "(0.5, -1)")):
        path = certificate(tmp_path, step_program(module, inputs))
        done = checked(path, file)
        assert done.code == 0
        assert done.out.splitlines()[-2].endswith(f"one step with the input {said}.")
        refused = checked(path, other, "--json")
        assert (refused.code, refused.json()["law"]) == (1, "network digest")
        assert "one step of other" in refused.json()["expected"]


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_one_round_of_a_periodic_input(kind: str, tmp_path: Path) -> None:
    file, module = state_dict(tmp_path, kind)
    one, two = "one step with the input (0.5, -1)", "one round of 2 steps with the inputs (0.5, -1), (0.25, 0)"
    for rows, said in ((ROWS[:1], one), (ROWS[:2], two)):
        content = checked(certificate(tmp_path, driven_program(module, rows)), file, "--json").json()
        assert content["compared"].endswith(said)
        assert content["verdict"] == "Proved"


def test_a_plain_rnn(tmp_path: Path) -> None:
    file, module = state_dict(tmp_path, "RNN", num_layers=2, nonlinearity="tanh")
    path = certificate(tmp_path, driven_program(module, ROWS))
    assert "one round of 3 steps with the inputs (0.5, -1), (0.25, 0), (1, 2)." in checked(path, file, "--set", "activation=tanh").out
    assert checked(path, file, "--set", "activation=relu").code == 1
    assert checked(path, file).code == 2


@pytest.mark.slow
def test_what_the_lyapunov_verb_writes(tmp_path: Path) -> None:
    file = state_dict(tmp_path, "GRU")[0]
    (tmp_path / "round.csv").write_text("0.5,-1\n0.25,0\n", encoding="utf-8")
    options = ("--input", tmp_path / "round.csv", "--periodic", "--certify", "--budget", 10, "--steps", 100, "-o", tmp_path / "g.cert")
    assert orbitproof("lyapunov", file, *options).code == 0
    assert "one round of 2 steps with the inputs (0.5, -1), (0.25, 0)" in checked(tmp_path / "g.cert", file).out


def test_an_imported_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import torch\ntorch.manual_seed(0)\nnet = torch.nn.LSTM(2, 2).double()\ndef step(z):\n    return z\n"
    (tmp_path / "compared_code.py").write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "compared_code", raising=False)
    module = state_dict(tmp_path, "LSTM")[1]
    path = certificate(tmp_path, step_program(module, ROWS[0]))
    with torch.random.fork_rng():
        assert checked(path, "compared_code:net").code == 0
        refused = checked(path, "compared_code:step", "--json").json()
    assert (refused["verdict"], refused["law"]) == ("Malformed", "recurrent layers")


def test_another_size_and_a_radius(tmp_path: Path) -> None:
    file, module = state_dict(tmp_path, "LSTM")
    path = certificate(tmp_path, step_program(module))
    assert checked(path, state_dict(tmp_path, "GRU", name="gru.pt")[0]).code == 1
    refused = checked(path, file, "--radius", "1/1024", "--json").json()
    assert (refused["verdict"], refused["remedy"]) == ("Malformed", "compare torch modules without --radius")
    assert checked(path, tmp_path / "nowhere.pt").code == 2


def test_a_file_that_is_changed_after_its_first_line_is_rejected(tmp_path: Path) -> None:
    file, module = state_dict(tmp_path, "LSTM")
    path = certificate(tmp_path, step_program(module))
    path.write_bytes(path.read_bytes().replace(b'{"end":1}', b'{"end":2}'))
    assert checked(path, file).code == 2


def test_a_network_file_and_why_another_differs(tmp_path: Path) -> None:
    source, path = saved(tmp_path, dict(CONTRACTION)), tmp_path / "c.cert"
    assert orbitproof("certify", source, "--claim", "order", "-o", path).code == 0
    content = checked(path, source, "--json").json()
    assert content["compared"] == "net (plrnn)"
    other = saved(tmp_path, {**CONTRACTION, "h": [1, 1]}, "other.json")
    remedy = checked(path, other, "--json").json()["remedy"]
    assert "this certificate speaks of another network: of the shape of " in remedy
    assert remedy.endswith("bias, entry (2, 1): -1, 1 (certificate, file): other weights, or another radius")
    larger = saved(tmp_path, {"model": "plrnn", "A": [0.5], "W": [[0]], "h": [1]}, "larger.json")
    assert "another network: 2 states, 2 operations; " in checked(path, larger).out


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a certificate about a path of networks."""
    folder = tmp_path_factory.mktemp("varied")
    options = ("--vary", "h[0]=1/2:3/2", "--up-to", 1, "--budget", 30, "-o", folder / "vary.cert")
    assert orbitproof("bifurcations", saved(folder, lozi()), *options).code == 0
    return folder / "vary.cert"


def test_a_path_says_which_of_its_networks_is_compared(varied: Path, tmp_path: Path) -> None:
    source, path = saved(tmp_path, lozi()), varied
    refused = checked(path, source, "--json").json()
    assert (refused["verdict"], refused["law"]) == ("Rejected", "network digest")
    assert "bias, entry (1, 1): 1p-1, 1 (certificate, file): it is about a path of networks" in refused["remedy"]
    assert "the first, at mu = 1p-1, is compared" in refused["remedy"]
    assert checked(path, saved(tmp_path, {**lozi(), "h": ["1/2", 0]}, "low.json")).code == 0


def test_a_path_is_named_once_and_in_the_verdict(varied: Path) -> None:
    whole = "F_mu on the straight line of weights from F (mu = 1/2) to the network"
    for verb in ("check", "explain"):
        done = orbitproof(verb, varied)
        named = [line for line in done.out.splitlines() if whole in line]
        assert len(named) == 2
        assert named[1] == done.last
        assert "claim 2: F_mu on that line: " in done.out
    lines = orbitproof("explain", varied, "--json").json()["lines"]
    assert all(whole in line for line in lines if "for every mu" in line)


def test_exact_solutions_of_systems_of_any_shape() -> None:
    tall = Matrix.exact([[Fraction(1, 3), Fraction(2)], [Fraction(1), Fraction(6)], [Fraction(0), Fraction(1, 7)]])
    wanted = Matrix.exact([[Fraction(5, 11), Fraction(0)], [Fraction(-2, 3), Fraction(1)]])
    found = particular_solution(tall, tall @ wanted)
    assert found is not None
    assert all(not any(row) for row in (found - wanted).mid)
    assert particular_solution(tall, Matrix.exact([[Fraction(1)], [Fraction(0)], [Fraction(0)]])) is None
    wide = Matrix.exact([[Fraction(1), Fraction(2)]])
    free = particular_solution(wide, Matrix.exact([[Fraction(3)]]))
    assert free is not None
    assert free.mid == ((3,), (0,))
