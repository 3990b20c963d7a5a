"""Names of published code and of torch, turned into those of a family."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from proofs.errors import Malformed
from verify.errors import Unsupported
from verify.formats import Stored
from verify.loading import load, load_network
from verify.models import Draft, settle

LATENT = "latent_model.latent_step."
AW = np.array([[0.5, 2.0], [3.0, 0.25]])
SMC: dict[str, object] = {"rnn.m": np.ones((3, 2)), "rnn.n": np.full((2, 3), 6.0), "rnn.b_rec": np.arange(3.0)}


def settled(arrays: dict[str, np.ndarray], meta: dict[str, object] | None = None, type_name: str | None = None) -> Draft:
    draft = Draft.of(Stored(arrays, meta or {}, "", type_name), "net")
    settle(draft)
    return draft


def test_the_python_dendritic_layout() -> None:
    thresholds = np.array([[1.0, 2.0], [3.0, 4.0]])
    names = {f"{LATENT}AW": AW, f"{LATENT}h": np.ones(2), f"{LATENT}alphas": np.ones(2), f"{LATENT}thetas": thresholds}
    loaded = load({**names, "output_layer.weight": np.ones((1, 2))})
    plain = {"A": np.array([0.5, 0.25]), "W": np.array([[0, 2.0], [3.0, 0]]), "h": np.ones(2), "alpha": np.ones(2), "H": thresholds}
    assert loaded.model == "dendritic_plrnn"
    assert loaded.network.digest == load_network(plain, "dendritic_plrnn", threshold_sign="plus").digest
    assert loaded.assumptions == (
        f"A is the diagonal and W the rest of {LATENT}AW; the options clip_range and mean_centering are taken to be off",
        "threshold_sign = plus is the convention of the code that writes latent_model.latent_step.thetas",
        "clipped = false was assumed, as nothing else was stated",
        "the array output_layer.weight (observation model) is no part of the state map and was left out",
    )


def test_the_python_layout_without_thresholds_leaves_the_family_open() -> None:
    with pytest.raises(Malformed, match="these fit: plrnn, mean_centred_plrnn, alrnn"):
        load({f"{LATENT}AW": AW, f"{LATENT}h": np.ones(2)})
    assert load({f"{LATENT}AW": AW, f"{LATENT}h": np.ones(2)}, "plrnn").network.hinges == 2
    with pytest.raises(Malformed, match=f"net, array {LATENT}AW, array shapes\n  expected  M x M\n  got       2"):
        settled({f"{LATENT}AW": np.ones(2)})


@pytest.mark.parametrize("given", [{"a": "0.75"}, {"a": 0.75}, {"dt": 1, "tau": "4"}])
def test_the_low_rank_layout_with_its_scaling(given: dict[str, Any]) -> None:
    loaded = load({**SMC, "x0": np.zeros((1, 3)), "rnn.w_out": np.ones((3, 1))}, **given)
    plain = {"model": "low_rank", "m": np.full((2, 3), 0.5), "n": np.ones((3, 2)), "b": np.arange(3.0), "a": "3/4"}
    assert loaded.network.digest == load_network(plain).digest
    assert loaded.assumptions == ("the map is z' = a z + (1 - a)/N n relu(m z + b_rec) with a = 3/4, N = 3; relu is assumed",)


def test_the_low_rank_layout_needs_its_scaling() -> None:
    with pytest.raises(Malformed) as error:
        load(SMC)
    assert str(error.value) == (
        "Malformed at arrays, the scaling of a low-rank network\n  expected  dt and tau, or a = 1 - dt/tau\n  got       none\n"
        "  remedy    --set dt=VALUE --set tau=VALUE, or --set a=VALUE for 1 - dt/tau"
    )


def test_a_driven_low_rank_network_is_unsupported() -> None:
    driven = {**SMC, "rnn.w_inp": np.ones((1, 3))}
    with pytest.raises(Unsupported) as error:
        load(driven, a=0.75)
    assert str(error.value) == (
        "Unsupported at arrays, array rnn.w_inp, an input-driven model needs its input\n  expected  input = 0\n"
        "  got       rnn.w_inp; a nonzero input leaves the latent coordinates\n  remedy    with no input at all: --set input=0"
    )
    assert load(driven, a=0.75, input=0).assumptions[0] == "the input was set to 0, so rnn.w_inp was left out"


def mixture(count: int) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for i in range(count):
        arrays |= {f"A_MoE.{i}": np.full(2, i + 0.5), f"W_MoE.{i}": np.eye(2), f"h_MoE.{i}": np.zeros(2)}
    return {**arrays, "gating_network.D": np.ones((1, 2))}


def test_an_expert_of_a_mixture_is_an_alrnn() -> None:
    draft = settled(mixture(2), {"P": 1, "expert": 1, "gating_network.conv.6": 1})
    assert (draft.meta["model"], draft.arrays["A"].tolist()) == ("alrnn", [1.5, 1.5])
    assert draft.notes == ["the map is expert 1 of 2 (counted from 0) alone, without the gating network"]


def test_a_mixture_without_an_expert_is_unsupported() -> None:
    with pytest.raises(Unsupported) as error:
        settled(mixture(2), {"P": 1})
    assert str(error.value) == (
        "Unsupported at net, one state map\n  expected  an expert to be chosen\n"
        "  got       a softmax-gated mixture, which is not piecewise linear as a whole\n"
        "  remedy    choose one of the 2 experts, counted from 0: --set expert=0"
    )
    with pytest.raises(Malformed, match="net, key expert, expert\n  expected  a whole number from 0 to 1\n  got       2"):
        settled(mixture(2), {"P": 1, "expert": 2})


def test_lists_of_networks_need_an_index() -> None:
    arrays = {f"{name}.{i}": np.full(shape, float(i)) for name, shape in (("A", 2), ("W", (2, 2)), ("h", 2)) for i in range(3)}
    lists: dict[str, object] = {"lists": {"A": 3, "W": 3, "h": 3}}
    draft = settled(arrays, {**lists, "index": 2})
    assert {name: array.flat[0] for name, array in draft.arrays.items()} == {"A": 2, "W": 2, "h": 2}
    assert draft.notes == ["the map is network 2 of 3 in the file (counted from 0)"]
    with pytest.raises(Malformed, match="net, one network\n  expected  an index into the lists\n  got       3 networks"):
        settled(arrays, lists)
    with pytest.raises(Malformed, match=r"net, lists of parameters\n  expected  an array A\.0\n  got       none"):
        settled({}, {**lists, "index": 0})


@pytest.mark.parametrize(("arrays", "meta", "kind"), [({}, {"continuous_time": True}, None), ({}, {}, "ContALRNN"), ({}, {}, "m.cPLRNN")])
def test_continuous_time_is_unsupported(arrays: dict[str, np.ndarray], meta: dict[str, object], kind: str | None) -> None:
    with pytest.raises(Unsupported) as error:
        settled(arrays, meta, kind)
    assert str(error.value) == (
        "Unsupported at net, a state map in discrete time\n  expected  z' = F(z), one step at a time\n"
        "  got       a continuous-time model dz/dt = f(z)"
    )


def test_a_flat_vector_is_unsupported() -> None:
    with pytest.raises(Unsupported, match="net, arrays have names\n  expected  named arrays\n  got       one flat parameter vector"):
        settled({"p": np.ones(9)}, {"component_arrays": ["p"]})


@pytest.mark.parametrize(("kind", "clipped"), [("dendPLRNN", False), ("clippedDendPLRNN", True)])
def test_a_julia_dendritic_struct_subtracts_its_thresholds(kind: str, *, clipped: bool) -> None:
    draft = settled({"α": np.ones(2)}, {}, kind)
    assert draft.meta == {"model": "dendritic_plrnn", "threshold_sign": "minus", "clipped": clipped}
    assert list(draft.arrays) == ["alpha"]


def test_a_type_and_a_statement_must_agree() -> None:
    with pytest.raises(Malformed) as error:
        settled({}, {"model": "plrnn"}, "ALRNN")
    expected = "net, key model, statements agree\n  expected  model = plrnn, as in the file\n  got       alrnn by the type ALRNN"
    assert str(error.value) == f"Malformed at {expected}"


def test_a_mask_is_applied_once_the_family_is_named() -> None:
    arrays = {"A": np.ones(2), "W": np.full((2, 2), 3.0), "h": np.ones(2), "W_mask": np.eye(2)}
    with pytest.raises(Malformed, match="these fit: plrnn, mean_centred_plrnn"):
        settled(arrays, {}, "PLRNN")
    draft = settled(arrays, {"model": "mean_centred_plrnn"}, "PLRNN")
    assert draft.arrays["W"].tolist() == [[3, 0], [0, 3]]
    assert draft.notes == ["W was multiplied by W_mask, entry by entry"]
    with pytest.raises(Malformed, match="net, array W_mask, a mask\n  expected  0 and 1 in the shape of W\n  got       2 x 2"):
        settled({**arrays, "W_mask": np.full((2, 2), 0.5)}, {"model": "plrnn"})


@pytest.mark.parametrize("idle", [np.zeros((2, 3)), np.zeros((2, 0))])
def test_an_idle_input_matrix_is_left_out(idle: np.ndarray) -> None:
    draft = settled({"C": idle})
    assert (draft.arrays, draft.notes) == ({}, ["C is zero or empty, so there is no input"])


def test_what_a_reader_noted_is_repeated() -> None:
    assert settled({}, {"assumptions": ["x"], "ignored": ["q"]}).notes == ["x", "q in the file is no array and was left out"]
    with pytest.raises(Malformed, match="net, key ignored, settings have one type\n  expected  a list of texts\n  got       'q'"):
        settled({}, {"ignored": "q"})


def test_torch_biases_are_added_exactly() -> None:
    big, small = np.array([1.0]), np.array([2.0**-60])
    weights = {"weight_hh_l0": np.array([[2.0]]), "weight_ih_l0": np.array([[3.0]])}
    draft = settled({**weights, "bias_ih_l0": big, "bias_hh_l0": small, "input": np.array([1.0])})
    assert draft.arrays["b"].tolist() == [1 + Fraction(1, 2**60)]
    assert (draft.arrays["W"].tolist(), draft.arrays["C"].tolist(), draft.meta) == ([[2.0]], [[3.0]], {"model": "rnn"})


@pytest.mark.parametrize(
    ("arrays", "got"),
    [
        ({"weight_hh_l0": np.ones((8, 2))}, "weight_hh of shape 8 x 2, as in LSTM or GRU"),
        ({"weight_hh_l0": np.eye(2), "weight_hh_l1": np.eye(2)}, "weight_hh_l1"),
        ({"weight_hh_l0": np.eye(2), "weight_hh_l0_reverse": np.eye(2)}, "weight_hh_l0_reverse"),
    ],
)
def test_gated_stacked_and_two_way_cells_are_unsupported(arrays: dict[str, np.ndarray], got: str) -> None:
    with pytest.raises(Unsupported) as error:
        settled(arrays)
    assert (error.value.law, error.value.got) == ("one layer, one direction, no gates", got)
