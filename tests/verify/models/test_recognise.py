"""Which family fits; nothing is guessed."""

from __future__ import annotations

import re

import numpy as np
import pytest

from proofs.errors import Malformed
from verify.models import FAMILIES, recognise, unused

FAMILY_KEYS = "; ".join(f"{name}: {', '.join(family.shapes) or 'layers'}" for name, family in FAMILIES.items())
SHALLOW = {"A", "W1", "W2", "h1", "h2"}


@pytest.mark.parametrize(
    ("arrays", "meta", "model"),
    [
        ({"A", "W", "h", "alpha", "H"}, {}, "dendritic_plrnn"),
        ({"A", "W", "h"}, {"P": 2}, "alrnn"),
        ({"m", "n", "b", "a"}, {}, "low_rank"),
        ({"W", "b"}, {"activation": "tanh"}, "rnn"),
        ({"W", "b", "state"}, {}, "rnn"),
        ({"layers.0.W", "layers.0.b"}, {"layers": ["relu"]}, "scalar"),
        ({"A", "W", "h", "B", "b"}, {"P": 1}, "alrnn"),
        (SHALLOW, {"model": "clippedshPLRNN"}, "clipped_shallow_plrnn"),
        (SHALLOW, {"model": "clipped_shallow_plrnn"}, "clipped_shallow_plrnn"),
    ],
)
def test_one_family_fits(arrays: set[str], meta: dict[str, object], model: str) -> None:
    assert recognise(arrays, meta) == model


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("GTF.PLRNNs.PLRNN", "plrnn"),
        ("mcPLRNN", "mean_centred_plrnn"),
        ("shallowPLRNN", "shallow_plrnn"),
        ("clippedShallowPLRNN", "clipped_shallow_plrnn"),
        ("dendPLRNN", "dendritic_plrnn"),
        ("clippedDendPLRNN", "dendritic_plrnn"),
        ("ALRNN", "alrnn"),
    ],
)
def test_the_type_of_a_julia_struct_decides(kind: str, model: str) -> None:
    assert recognise({"anything"}, {}, kind) == model


@pytest.mark.parametrize(
    ("arrays", "candidates"),
    [
        ({"A", "W", "h"}, "plrnn, mean_centred_plrnn, alrnn"),
        (SHALLOW, "shallow_plrnn, clipped_shallow_plrnn"),
    ],
)
def test_several_families_are_listed_and_none_is_guessed(arrays: set[str], candidates: str) -> None:
    with pytest.raises(Malformed) as error:
        recognise(arrays, {}, place="net.npz")
    assert str(error.value) == (
        "Malformed at net.npz, one family\n"
        f"  expected  the family to be named; these fit: {candidates}\n"
        f"  got       arrays {', '.join(sorted(arrays))}\n"
        '  remedy    name it: "model" in the file or a sidecar .json, or --model FAMILY'
    )


def test_no_family_fits() -> None:
    with pytest.raises(Malformed) as error:
        recognise({"A", "Q"}, {"P": 1}, place="net.npz")
    assert str(error.value) == (
        "Malformed at net.npz, one family\n"
        "  expected  the arrays of one family\n"
        "  got       arrays A, Q with P\n"
        f"  remedy    families and arrays: {FAMILY_KEYS}"
    )


def test_left_out_arrays_are_named() -> None:
    arrays = {name: np.zeros(1) for name in ("A", "W", "h", "B", "b", "mu0", "observation.L")}
    assert unused("plrnn", arrays, ("A", "W", "h"), "net") == [
        "the array B (observation matrix) is no part of the state map and was left out",
        "the array b (observation bias) is no part of the state map and was left out",
        "the array mu0 (first state) is no part of the state map and was left out",
        "the array observation.L (observation model) is no part of the state map and was left out",
    ]


def test_unknown_arrays_are_refused() -> None:
    with pytest.raises(
        Malformed,
        match=re.escape(
            "Malformed at net, arrays of the family plrnn\n  expected  A, W, h\n  got       also b, V\n"
            "  remedy    remove what is no part of the map, or name another family with --model"
        ),
    ):
        unused("plrnn", ["A", "W", "h", "b", "V"], ("A", "W", "h"), "net")
