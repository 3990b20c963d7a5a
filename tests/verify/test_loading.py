"""Files, modules and arrays to networks: one digest whatever the source, every assumption stated."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from proofs.arithmetic import Matrix
from proofs.errors import Malformed
from tests.verify.models.formulas import evaluate, random_case
from verify import formats
from verify.errors import Unsupported
from verify.formats import Stored
from verify.loading import Loaded, describe, load, load_network, to_stored
from verify.models import FAMILIES, build

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT.parent / "shared" / "cases"
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason="the cases of ../shared are not here")
MATRIX_LEFT_OUT = "the array B (observation matrix) is no part of the state map and was left out"
WRITTEN = [".json", ".npz", ".pt", ".pth", ".safetensors", ".mat", ".bson"]


def floats(model: str) -> tuple[dict[str, np.ndarray], dict[str, object]]:
    """Return a case whose numbers every format can hold."""
    for seed in range(100):
        arrays, meta = random_case(model, seed)
        if all(array.dtype != object for array in arrays.values()):
            return arrays, meta
    return pytest.fail("no case of floats")


@pytest.mark.parametrize("suffix", WRITTEN)
@pytest.mark.parametrize("model", FAMILIES)
def test_every_format_gives_one_digest(model: str, suffix: str, tmp_path: Path) -> None:
    arrays, meta = floats(model)
    expected = build(model, arrays, meta).digest
    formats.write(tmp_path / f"net{suffix}", Stored(arrays, {**meta, "model": model}))
    loaded = load(tmp_path / f"net{suffix}")
    assert (loaded.network.digest, loaded.model, loaded.name) == (expected, model, "net")


@pytest.mark.parametrize("suffix", WRITTEN)
@pytest.mark.parametrize("model", FAMILIES)
def test_what_is_stored_again_is_the_same_network(model: str, suffix: str, tmp_path: Path) -> None:
    arrays, meta = floats(model)
    first = load({**arrays, **meta, "name": "example", "B": np.ones(2)}, model)
    formats.write(tmp_path / f"net{suffix}", to_stored(first))
    again = load(tmp_path / f"net{suffix}")
    assert describe(again) == describe(first)
    assert again.name == "example"
    assert MATRIX_LEFT_OUT in again.assumptions


@pytest.mark.parametrize("model", FAMILIES)
def test_exact_numbers_survive_json(model: str, tmp_path: Path) -> None:
    for seed in range(10):
        arrays, meta = random_case(model, seed)
        first = load({**arrays, **meta}, model)
        formats.write(tmp_path / f"{seed}.json", to_stored(first))
        assert describe(load(tmp_path / f"{seed}.json")) == {**describe(first), "name": "arrays"}


def test_a_json_network_of_the_interface(tmp_path: Path) -> None:
    layers = [{"W": [[2], ["-1/3"]], "b": [0, "0.1"], "activation": "relu"}, {"W": [[1, 1]], "b": [0], "activation": "clip"}]
    path = tmp_path / "map.json"
    path.write_text(json.dumps({"model": "scalar", "name": "a tent", "layers": layers}))
    loaded = load(path)
    assert (loaded.name, loaded.network.hinges, loaded.assumptions) == ("a tent", 4, ())
    assert loaded.network.digest == load_network({"layers": layers}).digest
    image = loaded.network.image(Matrix.column([Fraction(1, 4)]))
    assert image.middle(0) == Fraction(1, 2) + Fraction(1, 10) - Fraction(1, 12)


def test_the_file_and_the_caller_must_agree(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    path.write_text('{"model": "alrnn", "P": 1, "A": [1, 1], "W": [[1, 0], [0, 1]], "h": [0, 0]}')
    assert load_network(path, "alrnn", P="1").hinges == 1
    with pytest.raises(Malformed) as error:
        load(path, P=2)
    assert str(error.value) == (
        "Malformed at net.json, key P, statements agree\n  expected  P = 1, as in the file\n  got       2 given by the caller"
    )
    with pytest.raises(Malformed) as error:
        load(path, "plrnn")
    assert (error.value.where, error.value.law) == ("net.json, key model", "statements agree")
    assert (error.value.expected, error.value.got) == ("model = alrnn, as in the file", "plrnn given by the caller")


def test_two_inputs_must_agree() -> None:
    driven = {"model": "plrnn", "A": [1], "W": [[1]], "h": [0], "C": [[2]], "input": [3]}
    assert load(driven, input="3").assumptions == ("the input is held at (3)",)
    with pytest.raises(Malformed) as error:
        load(driven, input="4")
    assert str(error.value) == (
        "Malformed at arrays, key input, statements agree\n  expected  the array input of the file, or none\n"
        "  got       another one given by the caller"
    )


def test_an_input_folds_into_the_bias() -> None:
    driven = {"model": "plrnn", "A": [1, 1], "W": [[1, 0], [0, 1]], "h": [1, 2], "C": [[2, 0], [0, 3]]}
    loaded = load(driven, input="1/2, 1")
    assert loaded.network.digest == load_network({**driven, "C": [[0], [0]], "h": [2, 5]}).digest
    assert loaded.assumptions == ("the input is held at (1/2, 1)",)


def test_an_unknown_setting_is_named() -> None:
    with pytest.raises(Malformed) as error:
        load({"W": [[1]], "b": [0]}, activaton="relu")
    assert str(error.value) == (
        "Malformed at arrays, key activaton, known settings\n"
        "  expected  P, activation, clipped, expert, name, threshold_sign, index, input, a, dt, tau\n  got       activaton"
    )


def test_a_source_of_another_kind_is_refused() -> None:
    with pytest.raises(Malformed) as error:
        load(3)  # type: ignore[arg-type]
    assert str(error.value) == (
        "Malformed at source, a network can be read\n  expected  a path, a torch module, or a dict of arrays\n  got       a int"
    )


def save_alrnn(path: Path) -> Path:
    formats.write(path, Stored({"A": np.ones(3), "W": np.eye(3), "h": np.ones(3)}, {}))
    return path


def test_a_file_name_may_say_p_and_is_stated(tmp_path: Path) -> None:
    loaded = load(save_alrnn(tmp_path / "run_m3_p2.npz"), "alrnn")
    assert (loaded.network.hinges, loaded.assumptions) == (2, ("P = 2 was read from the file name",))
    assert load(tmp_path / "run_m3_p2.npz", "alrnn", P=1).assumptions == ()
    assert load(tmp_path / "run_m3_p2.npz", "plrnn").assumptions == ()


@pytest.mark.parametrize("name", ["run_m4_p2.npz", "run_p9.npz", "run.npz"])
def test_a_file_name_that_does_not_fit_says_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="expected  P, the number of rectified units, from 0 to M = 3\n  got       none"):
        load(save_alrnn(tmp_path / name), "alrnn")


def test_a_sidecar_names_the_family(tmp_path: Path) -> None:
    (tmp_path / "net.json").write_text('{"model": "alrnn", "P": 1}')
    loaded = load(save_alrnn(tmp_path / "net.npz"))
    assert (loaded.model, loaded.meta, loaded.assumptions) == ("alrnn", {"P": 1}, ())


def test_a_recognised_family_is_stated() -> None:
    loaded = load({"W": [[1]], "b": [0], "activation": "relu", "state": [1]})
    assert describe(loaded) == {
        "digest": build("rnn", {"W": np.ones((1, 1)), "b": np.zeros(1)}, {"activation": "relu"}).digest,
        "name": "arrays",
        "model": "rnn",
        "dimension": 1,
        "hinges": 1,
        "assumptions": ["the family rnn was recognised by the names of the arrays"],
    }
    assert list(loaded.arrays) == ["W", "b", "state"]


def test_a_radius_is_a_positive_dyadic() -> None:
    loaded = load({"A": [1], "W": [[1]], "h": [0]}, "plrnn")
    assert loaded.with_radius(Fraction(1, 8)).largest_radius == Fraction(1, 8)
    for radius in (Fraction(0), Fraction(-1, 2), Fraction(1, 3), 0.5):
        with pytest.raises(Malformed) as error:
            loaded.with_radius(radius)  # type: ignore[arg-type]
        assert str(error.value) == (
            f"Malformed at radius, radius\n  expected  a positive dyadic Fraction, such as 2**-20\n  got       {radius!r}"
        )


def test_loading_does_not_import_torch() -> None:
    code = "import sys, verify.loading; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def published() -> list[dict]:
    path = CASES / "published_systems.json"
    return json.loads(path.read_text()) if path.exists() else []


@needs_cases
@pytest.mark.parametrize("case", published(), ids=lambda case: case["name"])
def test_published_systems_are_read(case: dict) -> None:
    loaded: Loaded = load(case["parameters"], case["model"], P=1 if case["model"] == "ALRNN" else None)
    arrays = {name: np.array(value) for name, value in case["parameters"].items() if not isinstance(value, str)}
    z = [Fraction(i - 1, 2) for i in range(loaded.network.dimension)]
    image = loaded.network.image(Matrix.column(z))
    assert [image.middle(i) for i in range(len(z))] == evaluate(loaded.model, arrays, dict(loaded.meta), z)


@needs_cases
def test_the_published_checkpoints() -> None:
    models = CASES / "models"
    lorenz = load(models / "lorenz_m20_p2.pt", "alrnn", P="2")
    assert (lorenz.network.dimension, lorenz.network.hinges, lorenz.assumptions) == (20, 2, (MATRIX_LEFT_OUT,))
    assert load(models / "lorenz_m20_p2.pt", "alrnn").assumptions == ("P = 2 was read from the file name", MATRIX_LEFT_OUT)
    matlab = load(models / "LorenzPLRNN.mat", "plrnn")
    assert (matlab.network.dimension, matlab.network.hinges) == (10, 10)
    assert matlab.assumptions == (
        "C is zero or empty, so there is no input",
        MATRIX_LEFT_OUT,
        "the array G (observation noise) is no part of the state map and was left out",
        "the array S (process noise) is no part of the state map and was left out",
    )
    expert = load(models / "dynamix.bson", expert=0)
    assert (expert.model, expert.network.dimension, expert.meta) == ("alrnn", 30, {"P": 2})
    assert expert.assumptions[0] == "the map is expert 0 of 10 (counted from 0) alone, without the gating network"


@needs_cases
@pytest.mark.parametrize(("name", "law"), [("dynamix.bson", "one state map"), ("cplrnn_epoch2000.jld2", "a state map in discrete time")])
def test_checkpoints_that_are_no_state_map(name: str, law: str) -> None:
    with pytest.raises(Unsupported) as error:
        load(CASES / "models" / name)
    assert (error.value.where, error.value.law) == (name, law)
