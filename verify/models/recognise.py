"""Which family a set of arrays belongs to; what in a file is no part of the map."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from proofs.errors import Malformed
from verify.models.draft import family_name
from verify.models.families import FAMILIES, SETTINGS, check_settings

LEFT_OUT = {
    "B": "observation matrix",
    "L": "estimate of the first state",
    "G": "observation noise",
    "S": "process noise",
    "Gamma": "observation noise",
    "Sigma": "process noise",
    "mu0": "first state",
    "x0": "first state",
    "z0": "first state",
    "state": "starting point",
    "Loss": "training loss",
    "loss": "training loss",
    "epoch": "training epoch",
}
"""Arrays of published files that are no part of the state map."""
LEFT_OUT_PREFIXES = {"observation.": "observation model", "output_layer.": "observation model", "z0_model.": "estimate of the first state"}
_OF_THE_FILE = {"model", "name", "file_hint", "ignored", "assumptions", "type_path", "lists", "N", "Experts", "continuous_time"}


def recognise(arrays: Collection[str], meta: Mapping[str, object], type_name: str | None = None, place: str = "network") -> str:
    """Return the one family that a file's statement, its type, or its names of arrays allow.

    **Raises** Malformed: several families fit (they are listed), or none.

    **Example**

    >>> recognise({"A", "W1", "W2", "h1", "h2"}, {"model": "shPLRNN"})
    'shallow_plrnn'
    """
    for stated in (meta.get("model"), type_name):
        if isinstance(stated, str) and (stated is not type_name or family_name(stated) in FAMILIES):
            return family_name(stated)
    stated_settings = SETTINGS & meta.keys()
    fitting = [name for name in FAMILIES if stated_settings <= set(FAMILIES[name].settings) and _fits(name, arrays)]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(sorted(arrays)) or "none"
    if fitting:
        remedy = 'name it: "model" in the file or a sidecar .json, or --model FAMILY'
        expected = f"the family to be named; these fit: {', '.join(fitting)}"
        raise Malformed(where=place, law="one family", expected=expected, got=f"arrays {names}", remedy=remedy)
    keys = "; ".join(f"{name}: {', '.join(family.shapes) or 'layers'}" for name, family in FAMILIES.items())
    got = f"arrays {names}" + (f" with {', '.join(sorted(stated_settings))}" if stated_settings else "")
    raise Malformed(where=place, law="one family", expected="the arrays of one family", got=got, remedy=f"families and arrays: {keys}")


def _fits(model: str, arrays: Collection[str]) -> bool:
    if model == "scalar":
        return any(name.startswith("layers.") for name in arrays)
    family = FAMILIES[model]
    return set(family.shapes) <= set(arrays) and all(_reason(name, arrays) for name in set(arrays) - {*family.shapes, *family.optional})


def unused(model: str, arrays: Collection[str], used: Collection[str], place: str) -> list[str]:
    """Return a sentence for every array that is left out. **Raises** Malformed: one of them may be part of the map."""
    left = [name for name in arrays if name not in used]
    unknown = [name for name in left if not _reason(name, arrays)]
    if unknown:
        law = f"arrays of the family {model}"
        remedy = "remove what is no part of the map, or name another family with --model"
        raise Malformed(where=place, law=law, expected=", ".join(used), got=f"also {', '.join(unknown)}", remedy=remedy)
    return [f"the array {name} ({_reason(name, arrays)}) is no part of the state map and was left out" for name in left]


def _reason(name: str, arrays: Collection[str]) -> str | None:
    if name == "b" and "B" in arrays:
        return "observation bias"
    return LEFT_OUT.get(name) or next((reason for prefix, reason in LEFT_OUT_PREFIXES.items() if name.startswith(prefix)), None)


def settings_of(model: str, arrays: Mapping[str, np.ndarray], meta: dict[str, object], notes: list[str], place: str) -> dict[str, object]:
    """Return the settings of the family, after defaults and file-name hints; each of those adds a sentence to ``notes``.

    **Raises** Malformed: a setting is missing, wrong, of another family, or of no family.
    """
    strange = sorted(name for name, value in meta.items() if not _is_known(name, value))
    if strange:
        raise Malformed(where=place, law="known settings", expected=", ".join(sorted(SETTINGS | {"name"})), got=", ".join(strange))
    found = dict(meta)
    wanted = FAMILIES[model].settings
    if "clipped" in wanted and "clipped" not in found:
        found["clipped"] = False
        notes.append("clipped = false was assumed, as nothing else was stated")
    hint = found.get("file_hint")
    if "P" in wanted and "P" not in found and isinstance(hint, Mapping) and _hint_fits(hint, len(arrays["h"])):
        found["P"] = hint["P"]
        notes.append(f"P = {hint['P']} was read from the file name")
    return check_settings(model, arrays, found, place)


def _is_known(name: str, value: object) -> bool:
    # text under another name is a remark: every setting that is a word must be stated, so a misspelt one is missed
    remark = value is None or isinstance(value, str) or name.startswith(tuple(LEFT_OUT_PREFIXES))
    return remark or name in _OF_THE_FILE | SETTINGS


def _hint_fits(hint: Mapping[str, object], size: int) -> bool:
    rectified = hint.get("P")
    return isinstance(rectified, int) and 0 <= rectified <= size and hint.get("M", size) == size
