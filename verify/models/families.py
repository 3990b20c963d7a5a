"""The table of families, and the settings each of them needs."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from proofs.errors import Malformed
from proofs.network import Network
from verify.formats.settings import RESERVED
from verify.models import alrnn, dendritic, low_rank, plrnn, rnn, scalar, shallow
from verify.models.parts import Family, Parts, check_arrays

FAMILIES: dict[str, Family] = {
    "plrnn": plrnn.PLRNN,
    "mean_centred_plrnn": plrnn.MEAN_CENTRED,
    "shallow_plrnn": shallow.SHALLOW,
    "clipped_shallow_plrnn": shallow.CLIPPED,
    "dendritic_plrnn": dendritic.DENDRITIC,
    "alrnn": alrnn.ALRNN,
    "low_rank": low_rank.LOW_RANK,
    "rnn": rnn.RNN,
    "scalar": scalar.SCALAR,
}
SETTINGS = (RESERVED - {"model", "name", "expert"}) | {"layers"}
"""Settings that belong to a family; the others speak of the file."""
_CHOICES = {"threshold_sign": ("minus", "plus"), "activation": ("relu", "tanh")}
_MEANING = {
    "threshold_sign": 'threshold_sign, "minus" for relu(z - H) or "plus" for relu(z + H)',
    "activation": 'activation, "relu" or "tanh"',
    "clipped": "clipped, true or false",
    "layers": "layers, the activation of every layer",
}


def build(model: str, arrays: Mapping[str, np.ndarray], meta: Mapping[str, object], radius: Fraction = Fraction(0)) -> Network:
    """Return the exact state map of a family, or with a radius the network of intervals around it.

    **Guarantee:** exact; with ``radius`` an enclosure: every stored parameter may move by up to ``radius`` on its own, zeros and
    identities that the family puts in (off a diagonal given as a vector, the units of a selection) stay as they are.
    **Raises** Malformed: unknown family, missing array or setting, a shape that does not fit; Unsupported: an input matrix without input.

    **Example**

    >>> tent = {"A": np.array([2.0]), "W": np.array([[-4.0]]), "h": np.array([1.0])}
    >>> build("plrnn", tent, {}).hinges
    1
    """
    family = find_family(model)
    checked = canonical_arrays(model, arrays, meta)
    return family.build(Parts(checked, check_settings(model, checked, meta), radius))


def find_family(model: str, place: str = "network") -> Family:
    """Return the family of that name. **Raises** Malformed."""
    if model not in FAMILIES:
        raise Malformed(where=f"{place}, key model", law="known families", expected=", ".join(FAMILIES), got=model)
    return FAMILIES[model]


def canonical_arrays(
    model: str, arrays: Mapping[str, np.ndarray], meta: Mapping[str, object], place: str = "network"
) -> dict[str, np.ndarray]:
    """Return the family's own arrays, checked, each in its canonical shape. **Raises** Malformed, Unsupported."""
    if model == "scalar":
        return scalar.check_layers(arrays, meta.get("layers"), place)
    return check_arrays(find_family(model, place), arrays, place)


def check_settings(model: str, arrays: Mapping[str, np.ndarray], meta: Mapping[str, object], place: str = "network") -> dict[str, object]:
    """Return the family's settings. **Raises** Malformed: one is missing, wrong, or belongs to another family."""
    family = find_family(model, place)
    foreign = sorted((SETTINGS & meta.keys()) - set(family.settings))
    if foreign:
        expected = ", ".join(family.settings) or "none"
        raise Malformed(where=place, law=f"settings of the family {model}", expected=expected, got=", ".join(foreign))
    size = len(arrays["h"]) if "P" in family.settings else 0
    for name in family.settings:
        if not _holds(name, meta.get(name), size):
            expected = f"P, the number of rectified units, from 0 to M = {size}" if name == "P" else _MEANING[name]
            got = repr(meta[name]) if name in meta else "none"
            remedy = "" if name == "layers" else f"state it in the file, in a sidecar .json, or with --set {name}=VALUE"
            raise Malformed(where=place, law=f"settings of the family {model}", expected=expected, got=got, remedy=remedy)
    return {name: meta[name] for name in family.settings}


def _holds(name: str, value: object, size: int) -> bool:
    if name == "P":
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= size
    if name == "clipped":
        return isinstance(value, bool)
    return name == "layers" or value in _CHOICES[name]
