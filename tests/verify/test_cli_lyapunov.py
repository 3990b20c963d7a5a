"""``orbitproof lyapunov``: estimates and proofs of network files, torch files and the user's own code; what is refused, and how."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.verify.command import CONTRACTION, Done, orbitproof, saved

W = [[-4, 2, -4], [-4, -4, 2], [0, -4, -4]]
THREE_CYCLE = {"model": "rnn", "W": W, "b": [0, 0, 0], "activation": "tanh"}
EXPONENTS = ["-1.0169133922", "-3.6951472621", "-8.5860879295"]
HALF = {"model": "rnn", "W": [[0.5]], "b": [0.1], "activation": "tanh"}
TENT = {"model": "rnn", "W": [[2, -4], [2, -4]], "b": [0, "-1/2"], "activation": "relu"}
KEYS = {"verdict", "network", "input", "mode", "unit", "exponents", "sum", "log_det", "kaplan_yorke", "steps", "warmup", "tangent_warmup"}
KEYS |= {"system", "dimension", "k", "batch", "dtype", "device", "seed", "entropy_sum", "participation", "block_steps", "qr_interval"}
KEYS |= {"convergence", "finite_time", "covariant", "checks", "notes", "start", "regions", "theorems", "undecided", "certificate", "figure"}

CODE = """
import torch
linear = torch.nn.Linear(2, 2)
net = torch.nn.GRU(2, 3, dtype=torch.float64)
def henon(z):
    return torch.stack((1 - 1.4 * z[0] ** 2 + z[1], 0.3 * z[0]))
def crooked(z):
    return torch.cat((z, z))
def wandering(z):
    return 3 * z
"""


def run(*arguments: object) -> Done:
    """Run the verb; a few hundred steps unless more are asked for."""
    steps = () if "--steps" in arguments or "--input" in arguments else ("--steps", 300)
    return orbitproof("lyapunov", *arguments, *steps)


def refused(*arguments: object) -> dict[str, Any]:
    """Run a command that must be refused, and return its letter."""
    done = run(*arguments, "--json")
    assert done.code == 2, done.out
    return done.json()


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """Return the file of a GRU with a readout."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net, head = torch.nn.GRU(2, 3, num_layers=2), torch.nn.Linear(3, 2)
    arrays = {f"gru.{name}": value for name, value in net.state_dict().items()}
    torch.save({**arrays, **{f"fc.{name}": value for name, value in head.state_dict().items()}}, tmp_path / "net.pt")
    return tmp_path / "net.pt"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a module with the user's own code."""
    (tmp_path / "own_code.py").write_text(CODE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "own_code", raising=False)
    return "own_code"


def test_an_estimate(tmp_path: Path) -> None:
    path = saved(tmp_path, THREE_CYCLE)
    done = run(path, "--start", "0.1,0.2,-0.3", "--json")
    content = done.json()
    assert (done.code, content.keys()) == (0, dict.fromkeys(KEYS).keys())
    assert (content["verdict"], content["mode"], content["unit"], content["steps"]) == ("Estimate", "autonomous", "nats/step", 300)
    assert [entry["kind"] for entry in content["exponents"]] == ["estimate"] * 3
    for entry, value in zip(content["exponents"], EXPONENTS, strict=True):
        assert abs(entry["value"] - float(value)) < 0.1
    assert content["network"]["digest"] == orbitproof("convert", path, "-o", tmp_path / "x.npz", "--json").json()["network"]["digest"]
    assert all(check["passed"] for check in content["checks"])
    text = run(path, "--start", "0.1,0.2,-0.3")
    assert (text.code, text.err) == (0, "")
    assert text.last.startswith("Estimate  largest exponent -1.0")
    assert "Proved" not in text.out


@pytest.mark.slow
def test_the_three_cycle_is_proved(tmp_path: Path) -> None:
    certificate, figure = tmp_path / "net.cert", tmp_path / "net.svg"
    options = ("--start", "0.1,0.2,-0.3", "--certify", "--budget", 10, "--digits", 20, "-o", certificate, "--figure", figure)
    done = run(saved(tmp_path, THREE_CYCLE), *options, "--json")
    content = done.json()
    assert (done.code, content["verdict"]) == (0, "Proved")
    proved = [entry for entry in content["exponents"] if entry["kind"] == "certified" and entry["scope"] == "this cycle"]
    ends = [[Fraction(end) for end in entry["decimals"]] for entry in proved]
    assert [f"{float(low):.10f}" for low, _ in ends] == EXPONENTS
    assert all(0 < high - low <= Fraction(1, 10**19) for low, high in ends)
    assert (content["certificate"], content["figure"]) == (str(certificate), str(figure))
    assert figure.stat().st_size > 1000
    assert orbitproof("check", certificate).code == 0


def test_a_contraction_is_proved(tmp_path: Path) -> None:
    certificate = tmp_path / "net.cert"
    done = run(saved(tmp_path, HALF), "--certify", "--budget", 2, "-o", certificate)
    assert done.code == 0
    assert done.last.startswith("Proved  exponent 1 of ")
    assert ": in [-0.7318917624, -0.7318917623] nats/step (and " in done.last
    assert "\nProved (accepted by the checker, nothing here rests on the estimates)\n" in done.out
    assert orbitproof("check", certificate).code == 0


def test_finite_times_are_proved_apart_from_limits(tmp_path: Path) -> None:
    certificate, net = tmp_path / "net.cert", saved(tmp_path, HALF)
    done = run(net, "--start", "0.5", "--certify", "--budget", 60, "--certified-steps", 5, "-o", certificate)
    assert "\nproved for this orbit: exponent 1 over 5 steps in [-0.7" in done.out
    assert (
        "\nthis orbit   the exact one from (0.5), without a warm-up: finite-time exponents (theorem finite_time) are no limits" in done.out
    )
    assert orbitproof("check", certificate).code == 0
    assert refused(net, "--certified-steps", 5)["expected"] == "--certify beside it"


def test_nothing_is_proved(own: str) -> None:
    done = run(f"{own}:henon", "--start", "0.1,0.1", "--certify", "--steps", 40)
    assert done.code == 3
    assert "undecided    a proof speaks of an exact program: the user's own function is run as code\n" in done.out
    assert done.last == "NotFound  no exponent was proved; the numbers above are estimates"


def test_minus_infinity(tmp_path: Path) -> None:
    network = {**TENT, "W": [["19/10", "-19/5"], ["19/10", "-19/5"]]}
    content = run(saved(tmp_path, network), "--start", "0.2,0", "--steps", 2000, "--json").json()
    first, second = content["exponents"]
    assert abs(first["value"] - np.log(1.9)) < 2e-3
    assert (second["value"], second["ci"], content["sum"]["value"]) == ("-inf", None, "-inf")
    assert "\n2            -inf\n" in run(saved(tmp_path, network), "--start", "0.2,0").out


def test_a_driven_module(module: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "drive.npy", np.random.default_rng(0).normal(size=(400, 3, 2)))
    content = run(module, "--input", tmp_path / "drive.npy", "--k", 2, "--warmup", 50, "--tangent-warmup", 50, "--json").json()
    facts = (content["mode"], content["dimension"], content["k"], content["batch"], content["steps"], content["input"])
    assert facts == ("driven", 6, 2, 3, 300, "drive.npy (400, 3, 2)")
    assert content["network"]["kind"] == "GRU, 2 layers of 3, 2 inputs, biases"
    assert (content["sum"], len(content["exponents"])) == (None, 2)
    text = run(module, "--input", tmp_path / "drive.npy").out
    assert "mode         driven by the input: conditional exponents, drive.npy (400, 3, 2)\n" in text
    assert "assumed      the arrays fc.bias, fc.weight are no part of the recurrent layers\n" in text


def test_a_closed_loop_and_no_input(module: Path) -> None:
    assert run(module, "--closed-loop", "fc", "--json").json()["mode"] == "closed_loop"
    assert run(module, "--autonomous", "--json").json()["mode"] == "autonomous"


def test_a_periodic_input_is_proved(tmp_path: Path) -> None:
    weights = {"weight_ih_l0": np.array([[1.0]]), "weight_hh_l0": np.array([[0.5]])}
    np.savez(tmp_path / "net.npz", **weights)  # type: ignore[arg-type]
    (tmp_path / "drive.csv").write_text("0.5\n-0.25\n", encoding="utf-8")
    options = ("--set", "activation=tanh", "--input", tmp_path / "drive.csv", "--certify", "--budget", 2)
    content = orbitproof("lyapunov", tmp_path / "net.npz", *options, "--periodic", "--steps", 500, "--json").json()
    assert content["verdict"] == "Proved"
    (estimate,) = [entry["value"] for entry in content["exponents"] if entry["kind"] == "estimate"]
    proved = [entry for entry in content["exponents"] if entry["kind"] == "certified"]
    (finite,) = [entry for entry in proved if "steps" in entry]
    assert finite["scope"] == f"this orbit, {finite['steps']} steps from the stated start, under the stated inputs"
    assert finite["steps"] % 2 == 0
    two_sided = [entry for entry in proved if None not in (entry["lower"], entry["upper"]) and "steps" not in entry]
    assert all(entry["lower"] - 1e-3 <= estimate <= entry["upper"] + 1e-3 for entry in two_sided if entry["index"] == 1)
    assert two_sided


def test_what_holds_for_every_input_is_proved(tmp_path: Path) -> None:
    weights = {"weight_ih_l0": np.array([[1.0]]), "weight_hh_l0": np.array([[0.5]])}
    np.savez(tmp_path / "net.npz", **weights)  # type: ignore[arg-type]
    options = (tmp_path / "net.npz", "--set", "activation=tanh", "--certify", "--budget", 2, "--json", "--certified-steps", 7)
    (tmp_path / "few.csv").write_text("0.5\n-0.25\n" * 100, encoding="utf-8")
    certificate = tmp_path / "few.cert"
    content = run(*options, "--input", tmp_path / "few.csv", "-o", certificate).json()
    assert orbitproof("check", certificate, "--json").json()["theorems"][-3:] == ["driven_contraction", "driven_graph", "finite_time"]
    proved = [entry for entry in content["exponents"] if entry["kind"] == "certified"]
    orbit = proved[2]
    assert orbit["steps"] <= 7
    assert [(entry["scope"], entry["theorem"]) for entry in proved] == [
        ("every orbit, every input", "driven_contraction"),
        ("every orbit staying in a region, every sequence of the stated inputs", "driven_graph (the file's 2 different inputs)"),
        (f"this orbit, {orbit['steps']} steps from the stated start, under the stated inputs", "finite_time"),
    ]
    (estimate,) = [entry["value"] for entry in content["exponents"] if entry["kind"] == "estimate"]
    assert proved[1]["lower"] <= estimate <= proved[1]["upper"] <= proved[0]["upper"] + 1e-6 <= np.log(0.5) + 2e-6
    np.savetxt(tmp_path / "many.csv", np.random.default_rng(0).normal(size=200))
    many = run(*options, "--input", tmp_path / "many.csv").json()
    assert [entry["theorem"] for entry in many["exponents"] if entry["kind"] == "certified"] == ["driven_contraction", "finite_time"]
    assert any(reason.startswith("the file has 200 different inputs") for reason in many["undecided"])


def test_a_step_function(own: str) -> None:
    content = run(f"{own}:henon", "--start", "0.1,0.1", "--steps", 200, "--json").json()
    assert abs(content["exponents"][0]["value"] - 0.4192) < 0.2
    assert abs(content["sum"]["value"] - np.log(0.3)) < 1e-9
    assert content["network"]["assumptions"] == ["code of the user's own was run"]
    assert run(f"{own}:henon", "--dimension", 2, "--steps", 40, "--json").json()["dimension"] == 2


def test_options_are_passed_on(tmp_path: Path) -> None:
    options = ("--batch", 2, "--seed", 5, "--dtype", "float32", "--blocks", 8, "--warmup", 7, "--tangent-warmup", 9, "--covariant")
    content = run(saved(tmp_path, THREE_CYCLE), *options, "--json").json()
    names = ("batch", "seed", "dtype", "warmup", "tangent_warmup", "device")
    assert [content[name] for name in names] == [2, 5, "float32", 7, 9, "cpu"]
    assert (len(content["convergence"]), len(content["finite_time"])) == (8, 2)
    assert content["covariant"] is not None
    assert run(saved(tmp_path, THREE_CYCLE), *options, "--json").out == run(saved(tmp_path, THREE_CYCLE), *options, "--json").out


def test_the_state_of_the_file_is_the_start(tmp_path: Path) -> None:
    content = run(saved(tmp_path, {**THREE_CYCLE, "state": [0.1, 0.2, -0.3]}), "--json").json()
    assert content["network"]["assumptions"][-1] == "it starts at the file's state"


def test_bad_inputs(module: Path, tmp_path: Path) -> None:
    def drive(array: np.ndarray) -> Path:
        np.save(tmp_path / "drive.npy", array)
        return tmp_path / "drive.npy"

    assert refused(module, "--input", drive(np.zeros((0, 2))))["got"] == "shape (0, 2)"
    nan = refused(module, "--input", drive(np.full((50, 2), np.nan)))
    assert (nan["where"], nan["law"]) == ("drive.npy", "entries are finite")
    assert refused(module, "--input", drive(np.ones((50, 4))))["expected"] == "2 numbers a step, the network's input size"
    short = refused(module, "--input", drive(np.ones((50, 2))), "--warmup", 60)
    assert (short["law"], short["got"]) == ("warm-up and measurement fit the inputs", "50 inputs")
    assert refused(module, "--input", drive(np.ones((10, 2))))["law"] == "a block has a step"
    assert refused(module, "--input", tmp_path / "absent.npy")["law"] == "the file can be read"


def test_bad_modules(own: str, tmp_path: Path) -> None:
    plain = refused(f"{own}:linear", "--autonomous")
    assert (plain["law"], plain["got"]) == ("the module is recurrent", "a Linear")
    crooked = refused(f"{own}:crooked", "--start", "1,2")
    assert (crooked["law"], crooked["got"]) == ("non-square step", "shape (4,)")
    assert refused(f"{own}:wandering", "--start", "1,2", "--steps", 2000)["law"] == "a step returns numbers"
    assert refused(f"{own}:henon")["law"] == "the size of the state is known"
    assert refused(f"{own}:henon", "--start", "1,nan")["where"] == "--start"
    assert refused(f"{own}:absent")["law"] == "import path"
    assert refused(tmp_path / "absent.json")["law"] == "the file can be read"
    assert refused(saved(tmp_path, THREE_CYCLE), "--start", "1,2")["where"] == "start"
    assert refused(saved(tmp_path, THREE_CYCLE), "--k", 4)["where"] == "k"


def test_options_that_do_not_go_together(module: Path, tmp_path: Path) -> None:
    net = saved(tmp_path, CONTRACTION)
    assert refused(module)["law"] == "a module has an input"
    assert refused(module, "--autonomous", "--closed-loop", "fc")["got"] == "--autonomous and --closed-loop"
    assert refused(module, "--periodic", "--autonomous")["where"] == "--periodic"
    assert refused(module, "--closed-loop", "head")["expected"] == "one of fc"
    assert refused(net, "--autonomous")["law"] == "a network file has no input"
    assert refused(net, "-o", tmp_path / "c.cert")["where"] == "--output"
    assert refused(net, "--certify", "-o", net)["law"] == "files stay apart"
    assert refused(net, "--figure", tmp_path / "f.txt")["law"] == "kinds of figures"
    assert refused(net, "--figure", tmp_path)["law"] == "the file can be written"
    assert orbitproof("lyapunov", net, "--k", 0).code == 2
    assert orbitproof("lyapunov").code == 2


def test_a_device_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    letter = refused(saved(tmp_path, HALF), "--device", "cuda")
    assert (letter["verdict"], letter["where"], letter["remedy"]) == ("Unsupported", "--device", "--device cpu")


def test_help_warns_of_code() -> None:
    done = orbitproof("lyapunov", "--help")
    assert done.code == 0
    assert "this runs your code" in " ".join(done.out.replace("\n", " ").split())


def test_nothing_is_written_over_what_is_read_or_twice(tmp_path: Path) -> None:
    path = saved(tmp_path, THREE_CYCLE)
    both = tmp_path / "both.svg"
    done = run(path, "--certify", "-o", both, "--figure", both)
    assert (done.code, both.exists()) == (2, False)
    drive = tmp_path / "drive.csv"
    drive.write_text("1\n2\n")
    before = drive.read_text()
    assert run(path, "--input", drive, "--certify", "-o", drive).code == 2
    assert drive.read_text() == before
