"""Arrays and settings that do not fit, each named in the error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.errors import Malformed, OrbitproofError
from tests.verify.models.formulas import random_case
from verify.errors import Unsupported
from verify.loading import load

Values = dict[str, object]


def vanilla(**changes: object) -> Values:
    return {"model": "plrnn", "A": np.ones(2), "W": np.ones((2, 2)), "h": np.ones(2), **changes}


def dendritic(**changes: object) -> Values:
    more = {"model": "dendritic_plrnn", "alpha": np.ones(3), "H": np.ones((2, 3)), "threshold_sign": "plus"}
    return {**vanilla(), **more, **changes}


def shallow(**changes: object) -> Values:
    arrays = {"A": np.ones(2), "W1": np.ones((2, 3)), "W2": np.ones((3, 2)), "h1": np.ones(2), "h2": np.ones(3)}
    return {"model": "shallow_plrnn", **arrays, **changes}


def low_rank(**changes: object) -> Values:
    return {"model": "low_rank", "m": np.ones((2, 3)), "n": np.ones((3, 2)), "b": np.ones(3), "a": 0.5, **changes}


def scalar(*layers: object) -> Values:
    return {"model": "scalar", "layers": list(layers)}


def layer(W: object, b: object, activation: str = "relu") -> Values:
    return {"W": W, "b": b, "activation": activation}


SHAPES: list[tuple[Callable[..., Values], Values, str, str, str]] = [
    (vanilla, {"W": np.ones((2, 3))}, "W", "M x M = 2 x 2 (M = 2 from h)", "2 x 3"),
    (vanilla, {"A": np.ones(3)}, "A", "M or M x M = 2 or 2 x 2 (M = 2 from h)", "3"),
    (vanilla, {"A": np.ones((2, 3))}, "A", "M or M x M = 2 or 2 x 2 (M = 2 from h)", "2 x 3"),
    (vanilla, {"h": np.ones((2, 2))}, "h", "a vector of M entries", "2 x 2"),
    (vanilla, {"h": np.ones(0)}, "h", "M, every length at least 1", "0"),
    (vanilla, {"W": np.ones((2, 0))}, "W", "M x M, every length at least 1", "2 x 0"),
    (vanilla, {"C": np.ones((3, 1)), "input": [1]}, "C", "M x K = 2 x 1 (M = 2 from h, K = 1 from input)", "3 x 1"),
    (shallow, {"W1": np.ones((3, 2))}, "W1", "M x H = 2 x 3 (M = 2 from h1, H = 3 from h2)", "3 x 2"),
    (shallow, {"W2": np.ones((2, 3))}, "W2", "H x M = 3 x 2 (M = 2 from h1, H = 3 from h2)", "2 x 3"),
    (dendritic, {"H": np.ones((2, 2))}, "H", "M x B = 2 x 3 (M = 2 from h, B = 3 from alpha)", "2 x 2"),
    (dendritic, {"H": 1.0}, "H", "M x B = 2 x 3 (M = 2 from h, B = 3 from alpha)", "one number"),
    (low_rank, {"n": np.ones((2, 3))}, "n", "H x M = 3 x 2 (M = 2 from m, H = 3 from b)", "2 x 3"),
    (low_rank, {"a": np.ones(3)}, "a", "1 or M or M x M = 1 or 2 or 2 x 2 (M = 2 from m)", "3"),
    (low_rank, {"m": np.ones(2)}, "m", "a matrix, M its rows", "2"),
]


@pytest.mark.parametrize(("make", "changes", "name", "expected", "got"), SHAPES)
def test_a_shape_that_does_not_fit(make: Callable[..., Values], changes: Values, name: str, expected: str, got: str) -> None:
    with pytest.raises(Malformed) as error:
        load(make(**changes))
    assert str(error.value) == f"Malformed at arrays, array {name}, array shapes\n  expected  {expected}\n  got       {got}"


@pytest.mark.parametrize(
    ("value", "law", "got"),
    [
        (np.array([1, np.nan]), "entries are finite", "nan (1 of 2 entries are not finite)"),
        (np.array([-np.inf, np.nan]), "entries are finite", "-inf (2 of 2 entries are not finite)"),
        (np.array([1j, 2]), "arrays hold real numbers", "dtype complex128"),
        (np.array(["a", "b"]), "arrays hold real numbers", "dtype <U1"),
    ],
)
def test_entries_that_are_no_finite_real_numbers(value: np.ndarray, law: str, got: str) -> None:
    with pytest.raises(Malformed) as error:
        load(vanilla(h=value))
    assert error.value.where.startswith("arrays, array h")
    assert (error.value.law, error.value.got) == (law, got)


def state(name: str) -> str:
    return f"state it in the file, in a sidecar .json, or with --set {name}=VALUE"


RECTIFIED = "P, the number of rectified units, from 0 to M = 2"
SIGNS = 'threshold_sign, "minus" for relu(z - H) or "plus" for relu(z + H)'
FAMILIES = "plrnn, mean_centred_plrnn, shallow_plrnn, clipped_shallow_plrnn, dendritic_plrnn, alrnn, low_rank, rnn, scalar"
OF_ALRNN = "arrays, settings of the family alrnn"
OF_DENDRITIC = "arrays, settings of the family dendritic_plrnn"
WORD = "settings have one type"
LAYERS = "a list of at least one layer {W, b, activation}"
LINE = "array shapes of a map with one input and one output"
UNSIGNED = {name: value for name, value in dendritic().items() if name != "threshold_sign"}
SIGMOID: Values = {"model": "rnn", "W": [[1]], "b": [0], "activation": "sigmoid"}
OTHER = "remove what is no part of the map, or name another family with --model"
REFUSED: list[tuple[Values, str, str, str, str]] = [
    (vanilla(model="alrnn"), OF_ALRNN, RECTIFIED, "none", state("P")),
    (vanilla(model="alrnn", P=3), OF_ALRNN, RECTIFIED, "3", state("P")),
    (vanilla(model="alrnn", P=-1), OF_ALRNN, RECTIFIED, "-1", state("P")),
    (vanilla(model="alrnn", P=1.5), f"arrays, key P, {WORD}", "an integer", "1.5", ""),
    (vanilla(model="alrnn", P=True), f"arrays, key P, {WORD}", "an integer", "True", ""),
    (vanilla(P=1), "arrays, settings of the family plrnn", "none", "P", ""),
    (dendritic(threshold_sign=None), f"arrays, key threshold_sign, {WORD}", "a word", "None", ""),
    (UNSIGNED, OF_DENDRITIC, SIGNS, "none", state("threshold_sign")),
    (dendritic(threshold_sign="+"), OF_DENDRITIC, SIGNS, "'+'", state("threshold_sign")),
    (SIGMOID, "arrays, settings of the family rnn", 'activation, "relu" or "tanh"', "'sigmoid'", state("activation")),
    (vanilla(model="transformer"), "arrays, key model, known families", FAMILIES, "transformer", ""),
    (vanilla(cliped=True), "arrays, known settings", "P, activation, clipped, layers, name, threshold_sign", "cliped", ""),
    (vanilla(V=np.ones(2)), "arrays, arrays of the family plrnn", "A, W, h", "also V", OTHER),
    (vanilla(input=[1]), "arrays, array input, an input enters through C", "an array C of shape M x K beside it", "none", ""),
    ({"model": "plrnn", "A": [1], "W": [[1]]}, "arrays, arrays of the family", "an array h of shape M", "none", ""),
    (vanilla(expert=1), "arrays, expert", "a mixture of experts", "one network", ""),
    ({"model": "scalar"}, "arrays, layers", LAYERS, "None", ""),
    (scalar(), "arrays, layers", LAYERS, "[]", ""),
    (scalar(layer([[1]], [0], "sin")), "arrays, layer 1 of 1, activations", "one of identity, relu, tanh, clip", "'sin'", ""),
    (scalar(layer([[1], [2]], [0, 1]), layer([[1]], [0])), f"arrays, array layers.1.W, {LINE}", "1 x 2", "1 x 1", ""),
    (scalar(layer([[1], [2]], [0, 1])), f"arrays, array layers.0.b, {LINE}", "1", "2", ""),
    (scalar(layer([[1, 2]], [0])), f"arrays, array layers.0.W, {LINE}", "1 x 1", "1 x 2", ""),
    (scalar({"W": 1}), "arrays, key layers, layer 1 of 1, layers", "an object with keys W, activation (a word), b", "{'W': 1}", ""),
    ({"layers": 3}, "arrays, key layers, layers", "a list of layers", "int", ""),
]


@pytest.mark.parametrize(("values", "at", "expected", "got", "remedy"), REFUSED)
def test_settings_and_keys_that_do_not_fit(values: Values, at: str, expected: str, got: str, remedy: str) -> None:
    with pytest.raises(Malformed) as error:
        load(values)
    last = f"\n  remedy    {remedy}" if remedy else ""
    assert str(error.value) == f"Malformed at {at}\n  expected  {expected}\n  got       {got}{last}"


def test_names_are_texts() -> None:
    with pytest.raises(Malformed) as error:
        load({1: 2})  # type: ignore[dict-item]
    assert str(error.value) == "Malformed at arrays, names are texts\n  expected  a text\n  got       1"


def test_an_input_matrix_without_input_is_unsupported() -> None:
    with pytest.raises(Unsupported) as error:
        load(vanilla(C=np.ones((2, 1))))
    assert str(error.value) == (
        "Unsupported at arrays, array C, an input-driven model needs its input\n"
        "  expected  input, the constant external input\n"
        "  got       none\n"
        '  remedy    give the constant input: "input": [...] in the file, or --set input=0.5,0'
    )


@pytest.mark.parametrize("column", [np.ones((2, 1)), np.ones((1, 2))])
def test_a_vector_may_be_saved_as_a_row_or_a_column(column: np.ndarray) -> None:
    assert load(vanilla(h=column, A=column)).network.digest == load(vanilla()).network.digest


def test_one_unit_may_be_saved_as_numbers() -> None:
    assert load({"model": "plrnn", "A": 1, "W": 2.0, "h": "1/3"}).network.digest == (
        load({"model": "plrnn", "A": [[1]], "W": [[2]], "h": ["1/3"]}).network.digest
    )


def test_networks_beyond_any_memory_are_refused() -> None:
    large = {"model": "shallow_plrnn", "A": np.zeros(5000), "W1": np.zeros((5000, 1)), "W2": np.zeros((1, 5000))}
    with pytest.raises(Malformed) as error:
        load({**large, "h1": np.zeros(5000), "h2": np.zeros(1)})
    assert str(error.value) == "Malformed at arrays, array h1, network size\n  expected  M at most 4096\n  got       5000"
    wide = [layer(np.zeros((5000, 1)), np.zeros(5000), "clip"), layer(np.zeros((1, 5000)), [0])]
    with pytest.raises(Malformed) as error:
        load(scalar(*wide))
    expected = "Malformed at network, network size\n  expected  matrices of at most 16777216 entries\n  got       5000 x 5000"
    assert str(error.value) == expected


NAMES = [
    "A",
    "W",
    "h",
    "W1",
    "W2",
    "h1",
    "h2",
    "alpha",
    "H",
    "m",
    "n",
    "b",
    "a",
    "C",
    "input",
    "B",
    "W_mask",
    "P",
    "clipped",
    "model",
    "layers",
    "threshold_sign",
    "activation",
    "expert",
    "weight_hh_l0",
    "bias_hh_l0",
    "rnn.m",
    "rnn.n",
    "rnn.b_rec",
    "latent_model.latent_step.AW",
    "A_MoE.0",
    "layers.0.W",
    "layers.0.b",
    "lists",
    "ignored",
    "file_hint",
    "index",
    "dt",
    "tau",
    "state",
    "name",
]
entries = st.one_of(st.integers(-3, 3), st.floats(width=16), st.sampled_from(["1/3", "0.5", "x"]), st.booleans(), st.none(), st.fractions())
words = st.sampled_from([*FAMILIES.split(", "), "shPLRNN", "minus", "plus", "relu", "tanh", ""])
things = st.one_of(
    entries,
    words,
    st.lists(entries, max_size=3),
    st.lists(st.lists(entries, max_size=3), max_size=3),
    st.sampled_from([np.ones(2), np.eye(2), np.zeros((2, 3)), np.ones((0, 2)), np.array([1j]), np.array(1.0), np.ones((2, 1, 2))]),
)


def answer(values: Values, model: str | None) -> str:
    try:
        return "Network" if load(values, model).network.dimension else "nothing"
    except OrbitproofError as error:
        return error.verdict


@settings(deadline=None, max_examples=300)
@given(values=st.dictionaries(st.sampled_from(NAMES), things, max_size=7), model=st.one_of(st.none(), words))
def test_whatever_is_given_ends_in_one_answer(values: Values, model: str | None) -> None:
    assert answer(values, model) in {"Network", "Malformed", "Unsupported"}


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(FAMILIES.split(", ")), st.integers(0, 10**6), st.sampled_from(NAMES), things)
def test_a_network_with_one_thing_changed_ends_in_one_answer(model: str, seed: int, name: str, thing: object) -> None:
    arrays, meta = random_case(model, seed)
    assert answer({**arrays, **meta}, model) == "Network"
    assert answer({**arrays, **meta, name: thing}, model) in {"Network", "Malformed", "Unsupported"}
