"""``orbitproof doctor lyapunov``: numbers and functions judged on the command line, with exit codes and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.verify.command import Done, orbitproof, saved

THREE_CYCLE = {"model": "rnn", "W": [[-4, 2, -4], [-4, -4, 2], [0, -4, -4]], "b": [0, 0, 0], "activation": "tanh"}
REVERSED = "1.38601,-6.10834,-8.57582"
RIGHT = "-1.0169133922,-3.6951472621,-8.5860879295"

CODE = """
import numpy as np
import torch

def right(jacobians):
    return exponents(jacobians, np.e, False)

def published(jacobians):
    return exponents(jacobians, 2, True)

def exponents(jacobians, base, transpose):
    frame, total = np.eye(jacobians.shape[-1]), 0
    for matrix in jacobians:
        frame, triangle = np.linalg.qr((matrix.T if transpose else matrix) @ frame)
        total = total + np.log(np.abs(np.diag(triangle))) / np.log(base)
    return total / len(jacobians)

def of_module(module, inputs):
    size, state = module.hidden_size, (torch.zeros(1, 1, module.hidden_size), torch.zeros(1, 1, module.hidden_size))
    state, found = tuple(part.double() for part in state), []
    for x in inputs[:, :1]:
        step = lambda h: module(x[None], (h[None, None], state[1]))[0][0, 0]
        found.append(torch.autograd.functional.jacobian(step, state[0][0, 0]).numpy())
        with torch.no_grad():
            state = module(x[None], state)[1]
    return torch.tensor(published(np.array(found)))

def nothing(jacobians):
    return np.zeros(0)

number = 3
"""


def doctor(*arguments: object) -> Done:
    """Run the verb."""
    return orbitproof("doctor", "lyapunov", *arguments)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a module with the user's own code."""
    (tmp_path / "own_doctored.py").write_text(CODE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return "own_doctored"


@pytest.fixture
def options(tmp_path: Path) -> tuple[object, ...]:
    """Return the network of a 3-cycle, and how to run it."""
    return saved(tmp_path, THREE_CYCLE), "--start", "0.1,0.2,-0.3", "--steps", 600


def test_the_reversed_product(options: tuple[object, ...]) -> None:
    done = doctor(*options, "--numbers", REVERSED)
    assert done.code == 1
    assert "\ngiven        1.38601  -6.10834  -8.57582\n" in done.out
    assert (
        "\nfault        reversed order: the numbers are those of J_1 J_2 ... J_T, not of J_T ... J_2 J_1 (they differ by up to " in done.out
    )
    assert done.last == "Faulty  reversed order (by estimates of this run, no proof)"
    content = doctor(*options, "--numbers", REVERSED, "--json").json()
    assert (content["verdict"], [fault["fault"] for fault in content["faults"]]) == ("Faulty", ["reversed order"])
    assert (content["unit"], content["numbers"], content["subject"]) == ("nats/step", [1.38601, -6.10834, -8.57582], REVERSED)
    assert content["network"]["model"] == "rnn"


def test_the_right_numbers(options: tuple[object, ...]) -> None:
    done = doctor(*options, "--numbers", RIGHT)
    assert done.code == 0
    assert done.last == "Healthy  the numbers are the exponents within the error bars of this run (an estimate, no proof)"


def test_unknown_numbers(options: tuple[object, ...]) -> None:
    done = doctor(*options, "--numbers", "-0.5123")
    assert done.code == 3
    assert done.last == "Unexplained  the numbers are not the exponents, and no known fault gives them"


def test_a_driven_network_starts_where_the_estimate_does(tmp_path: Path) -> None:
    weights = {name: torch.zeros_like(value) for name, value in torch.nn.RNN(1, 6).state_dict().items()}
    weights["weight_hh_l0"] = torch.randn(6, 6, generator=torch.Generator().manual_seed(2)) * 3 / 6**0.5
    torch.save(weights, tmp_path / "rnn.pt")
    np.save(tmp_path / "still.npy", np.zeros((1500, 1)))
    driven = tmp_path / "rnn.pt", "--set", "activation=tanh", "--input", tmp_path / "still.npy"
    found = orbitproof("lyapunov", *driven, "--json").json()
    numbers = ",".join(str(entry["value"]) for entry in found["exponents"])
    assert doctor(*driven, "--numbers", numbers).last.startswith("Healthy")
    assert doctor(*driven, "--numbers", numbers, "--start", "0,0,0,0,0,0").last.startswith("Unexplained")


def test_functions(options: tuple[object, ...], own: str) -> None:
    assert doctor(*options, "--function", f"{own}:right").code == 0
    wrong = doctor(*options, "--function", f"{own}:published", "--json")
    assert (wrong.code, [fault["fault"] for fault in wrong.json()["faults"]][:2]) == (1, ["reversed order", "bits for nats"])


def test_published_code_on_an_lstm(own: str, tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(3)
    weights = {
        name: 2 * torch.randn(value.shape, generator=generator, dtype=torch.float64)
        for name, value in torch.nn.LSTM(2, 3).state_dict().items()
    }
    torch.save(weights, tmp_path / "lstm.pt")
    np.save(tmp_path / "drive.npy", np.tile(np.random.default_rng(5).normal(size=(3, 2)), (100, 1)))
    content = doctor(tmp_path / "lstm.pt", "--input", tmp_path / "drive.npy", "--function", f"{own}:of_module", "--json").json()
    names = {fault["fault"] for fault in content["faults"]}
    assert {"reversed order", "missing cell state", "bits for nats"} <= names <= {*names, "missing warm-up"}
    assert len(content["expected"]) == 6
    assert content["input"] == "drive.npy (300, 2)"


def test_per_time_unit(options: tuple[object, ...]) -> None:
    numbers = ",".join(str(float(number) / 0.1) for number in RIGHT.split(","))
    assert doctor(*options, "--numbers", numbers, "--dt", 0.1).last.startswith("Faulty  per time unit, not per step (")


def refused(*arguments: object) -> dict[str, Any]:
    """Run a command that must be refused, and return its letter."""
    done = doctor(*arguments, "--json")
    assert done.code == 2
    return done.json()


def test_refusals(options: tuple[object, ...], own: str) -> None:
    assert refused(*options)["got"] == "neither"
    assert refused(*options, "--numbers", "1", "--function", "a:b")["got"] == "both"
    assert refused(*options, "--numbers", "one,two")["law"] == "exponents"
    assert refused(*options, "--numbers", "1", "--dt", 0)["where"] == "--dt"
    assert refused(*options, "--function", f"{own}:number")["got"] == "a int"
    assert refused(*options, "--function", f"{own}:nothing")["got"] == "shape (0,)"
    assert refused(*options, "--function", f"{own}:absent")["law"] == "import path"
    assert refused(*options, "--function", f"{own}:of_module")["law"] == "a function of (module, inputs)"
    assert refused(*options[:-1], 0, "--numbers", "1")["law"] == "length of the run"
    assert orbitproof("doctor").code in {0, 2}
    assert orbitproof("doctor", "lyapunov").code == 2


def test_a_round_that_is_repeated(tmp_path: Path) -> None:
    torch.manual_seed(2)
    torch.save(torch.nn.GRU(2, 3).double().state_dict(), tmp_path / "gru.pt")
    np.save(tmp_path / "round.npy", np.array([[0.5, -1.0], [1.0, 0.25]]))
    run = tmp_path / "gru.pt", "--input", tmp_path / "round.npy", "--periodic", "--steps", 400
    entries = orbitproof("lyapunov", *run, "--json").json()["exponents"]
    right = ",".join(repr(entry["value"]) for entry in entries)
    assert doctor(*run, f"--numbers={right}").last.startswith("Healthy")
    bits = ",".join(repr(float(entry["value"] / np.log(2))) for entry in entries)
    assert doctor(*run, f"--numbers={bits}").last.startswith("Faulty  bits")
