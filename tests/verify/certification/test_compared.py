"""``check --network``: torch modules under whatever input the certificate has, and the reason where networks differ."""

from __future__ import annotations

from collections.abc import Sequence
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
from verify.certification.symbols import input_range, symbols_of
from verify.loading import load
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
        told = done.out.splitlines()[-2]
        assert told.startswith(f"One step of net ({kind}")
        assert told.endswith(f") under the constant input {said} has this program.")
        assert "same network" not in done.out
        refused = checked(path, other, "--json")
        assert (refused.code, refused.json()["law"]) == (1, "network digest")
        assert "one step of other" in refused.json()["expected"]


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_one_round_of_a_periodic_input(kind: str, tmp_path: Path) -> None:
    file, module = state_dict(tmp_path, kind)
    one = ("One step of net", "under the constant input (0.5, -1) has this program.")
    two = ("One round of 2 steps of net", "under the inputs (0.5, -1), (0.25, 0) has this program.")
    for rows, (first, last) in ((ROWS[:1], one), (ROWS[:2], two)):
        content = checked(certificate(tmp_path, driven_program(module, rows)), file, "--json").json()
        assert content["compared"].startswith(first)
        assert content["compared"].endswith(last)
        assert content["verdict"] == "Proved"


def test_a_plain_rnn(tmp_path: Path) -> None:
    file, module = state_dict(tmp_path, "RNN", num_layers=2, nonlinearity="tanh")
    path = certificate(tmp_path, driven_program(module, ROWS))
    said = "under the inputs (0.5, -1), (0.25, 0), (1, 2) has this program."
    assert said in checked(path, file, "--set", "activation=tanh").out
    assert checked(path, file, "--set", "activation=relu").code == 1
    assert checked(path, file).code == 2


@pytest.mark.slow
def test_what_the_lyapunov_verb_writes(tmp_path: Path) -> None:
    file = state_dict(tmp_path, "GRU")[0]
    (tmp_path / "round.csv").write_text("0.5,-1\n0.25,0\n", encoding="utf-8")
    options = ("--input", tmp_path / "round.csv", "--periodic", "--certify", "--budget", 10, "--steps", 100, "-o", tmp_path / "g.cert")
    assert orbitproof("lyapunov", file, *options).code == 0
    assert "under the inputs (0.5, -1), (0.25, 0) has this program." in checked(tmp_path / "g.cert", file).out


def inputs_of(module: torch.nn.Module) -> torch.Tensor:
    return module.get_parameter("weight_ih_l0").data


def other_inputs(folder: Path, module: torch.nn.Module, turn: list[list[float]]) -> Path:
    """Write the module with weight_ih times a matrix."""
    state = {name: value.clone() for name, value in module.state_dict().items()}
    state["weight_ih_l0"] = state["weight_ih_l0"] @ torch.tensor(turn, dtype=torch.float64)
    torch.save(state, folder / "turned.pt")
    return folder / "turned.pt"


def test_other_weights_of_inputs_are_not_called_the_same_network(tmp_path: Path) -> None:
    module = state_dict(tmp_path, "LSTM")[1]
    path = certificate(tmp_path, step_program(module, ROWS[0]))
    done = checked(path, other_inputs(tmp_path, module, [[2, 0], [0, 4]]))
    assert done.code == 0
    assert "same network" not in done.out
    assert "under the constant input (0.25, -0.25) has this program." in done.out


def test_an_input_that_no_float_holds_is_another_network(tmp_path: Path) -> None:
    module = state_dict(tmp_path, "LSTM")[1]
    inputs_of(module).mul_(64).round_().div_(64)  # few bits: three times as much is exact, too
    path = certificate(tmp_path, step_program(module, ROWS[2]))
    refused = checked(path, other_inputs(tmp_path, module, [[3, 0], [0, 1]]), "--json")
    assert (refused.code, refused.json()["law"]) == (1, "network digest")
    assert "only under inputs that no file of floats can hold, near (0.3333333333333333, 2)" in refused.json()["remedy"]


def test_more_inputs_than_biases(tmp_path: Path) -> None:
    layer = torch.nn.RNN(3, 1).double()
    torch.save(layer.state_dict(), tmp_path / "wide.pt")
    path = certificate(tmp_path, step_program(layer, [0.5, 0.25, 1.0]))
    assert "under a constant input such as (" in checked(path, tmp_path / "wide.pt", "--set", "activation=tanh").out
    inputs_of(layer).zero_()
    torch.save(layer.state_dict(), tmp_path / "none.pt")
    path = certificate(tmp_path, step_program(layer))
    done = checked(path, tmp_path / "none.pt", "--set", "activation=tanh")
    assert "has this program, whatever the input." in done.out


def along(folder: Path, networks: Sequence[Network]) -> Path:
    """Write a certificate about one finite-time exponent with these networks as symbols."""
    base, dimension = networks[0], networks[0].dimension
    count = len(networks) - 1
    witness: dict[str, object] = {"start": ["1p-2"] * dimension, "rates": ["1024"], "bits": 128}
    draft = Draft(base, Remarks())
    claim = draft.add("finite_time", witness | {"symbols": list(symbols_of(networks))[1:], "inputs": list(range(count))})[1]
    (folder / "along.cert").write_bytes(b"".join(draft.finish([claim])[0].lines()))
    return folder / "along.cert"


def test_inputs_of_claims_are_read_with_the_weights(tmp_path: Path) -> None:
    file, module = state_dict(tmp_path, "GRU")
    base, *others = (step_program(module, row) for row in ([0.0, 0.0], *ROWS, [8.0, 0.1]))
    path = along(tmp_path, [base, *others])
    told = "The 4 inputs or ranges of claim 1, read with these weights, are: (0.5, -1), (0.25, 0), (1, 2) and 1 more: compare with yours."
    assert checked(path, file).out.splitlines()[-2] == told
    assert checked(path, file, "--json").json()["compared"].endswith(f"has this program. {told}")
    ranges = [input_range(module, [0, -1], [0.5, 1]), step_program(module, ROWS[0])]
    assert "are: (0.25, 0) +- (0.25, 1), (0.5, -1): compare" in checked(along(tmp_path, [base, *ranges]), file).out


def test_biases_of_claims_that_no_input_gives(tmp_path: Path) -> None:
    file, module = state_dict(tmp_path, "LSTM")
    other = state_dict(tmp_path, "LSTM", name="other.pt")[1]
    base = step_program(module)
    inputs_of(other).add_(torch.arange(16.0).reshape(8, 2))
    refused = checked(along(tmp_path, [base, step_program(other, ROWS[0])]), file, "--json")
    assert (refused.code, refused.json()["where"], refused.json()["got"]) == (1, "claim 1, symbols", "biases that no input of it gives")
    third = step_program(module, [Fraction(1, 3), Fraction(0)])
    refused = checked(along(tmp_path, [base, third]), file, "--json")
    assert refused.code == 1
    assert refused.json()["got"] == "biases of the input (0.3333333333333333, 0) alone, which no file of floats can hold"


def test_inputs_of_claims_about_a_network_file(tmp_path: Path) -> None:
    file, other = (saved(tmp_path, {**CONTRACTION, "h": h}, f"{h[0]}.json") for h in ([1, -1], [2, -1]))
    path = along(tmp_path, [load(str(file)).network, load(str(other)).network])
    said = "The inputs of claim 1 are stated there as biases: they were not compared with the file."
    assert checked(path, file).out.splitlines()[-2] == said


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
    assert content["compared"] == "The same network as net (plrnn)."
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
