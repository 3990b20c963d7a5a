"""PyTorch files: a state dict read with ``weights_only=True``; nothing in the file is ever executed."""

from __future__ import annotations

import pickle
import struct
import warnings
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from proofs.errors import Malformed
from verify.formats.extras import META, floats_only, pack_text, unpack_text
from verify.formats.files import ZIP_MAGIC, check_zip, failures_of
from verify.formats.settings import RESERVED
from verify.formats.stored import Gather, Stored

if TYPE_CHECKING:
    import numpy as np
    import torch

_KIND = "torch file"
_FAILURES = (
    pickle.UnpicklingError, RuntimeError, EOFError, OSError, KeyError, IndexError, ValueError, TypeError, AttributeError, AssertionError,
    OverflowError, MemoryError, struct.error, ImportError,
)  # fmt: skip
_REMEDY = (
    "only tensors and plain values are read and code is never run; where you trust the file, load it in your own script and "
    "torch.save(model.state_dict(), NEW)"
)
_WRAPPERS = ("model", "state_dict", "model_state_dict", "module", "params")


def load(path: Path) -> Stored:
    """Read a state dict, bare or one level down in a checkpoint. **Guarantee:** exact. **Raises** Malformed; never runs code."""
    import torch

    with path.open("rb") as file:
        zipped = file.read(len(ZIP_MAGIC)) == ZIP_MAGIC
    if zipped:
        check_zip(path, _KIND)
    with failures_of(path, _KIND, _FAILURES, _REMEDY), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    gather = Gather(path.name)
    for name, value in _state(gather, loaded).items():
        if name == META:
            unpack_text(gather, value)
        elif isinstance(value, torch.Tensor):
            gather.put(name, _array(gather, name, value))
        elif isinstance(value, (bool, int, float, str)) or value is None or name in RESERVED:
            gather.put(name, value)
        else:
            gather.ignore([name])
    return gather.finish(str(path))


def _state(gather: Gather, loaded: object) -> Mapping[str, object]:
    """Return the one dict of named tensors; what lies beside it is remembered as ignored."""
    if not isinstance(loaded, Mapping) or not all(isinstance(name, str) for name in loaded):
        raise _no_state(gather, f"a {type(loaded).__name__}" if not isinstance(loaded, Mapping) else "keys that are no text")
    if _has_tensors(loaded):
        return loaded
    inner = [name for name, value in loaded.items() if _has_tensors(value)]
    chosen = [name for name in inner if name in _WRAPPERS] or inner
    if len(chosen) != 1:
        raise _no_state(gather, f"state dicts {', '.join(inner)}" if inner else "no tensor")
    gather.ignore(name for name in loaded if name not in {chosen[0], META})
    words = {META: loaded[META]} if META in loaded else {}
    return {**loaded[chosen[0]], **words}


def _has_tensors(value: object) -> bool:
    import torch

    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        return False
    return any(isinstance(entry, torch.Tensor) for entry in value.values())


def _no_state(gather: Gather, got: str) -> Malformed:
    expected = f"names and tensors, at the top or in one of {', '.join(_WRAPPERS)}"
    return Malformed(where=gather.place, law="the file holds one state dict", expected=expected, got=got, remedy=_REMEDY)


def _array(gather: Gather, name: str, tensor: torch.Tensor) -> np.ndarray:
    import torch

    where = f"{gather.place}, array {name}"
    real = not tensor.is_complex() and not tensor.is_quantized
    if tensor.layout is not torch.strided or tensor.device.type != "cpu" or not real:
        got = f"{tensor.layout} {tensor.dtype} on {tensor.device}"
        raise Malformed(where=where, law="arrays hold real numbers", expected="a dense real tensor", got=got)
    gather.check_room(name, tensor.shape)
    plain = tensor.detach()
    return (plain.double() if plain.is_floating_point() else plain).numpy()


def dump(stored: Stored, file: BinaryIO) -> None:
    """Write a state dict of float64 tensors; the settings are one text entry. **Guarantee:** exact."""
    import torch

    content: dict[str, object] = {name: torch.tensor(array) for name, array in floats_only(stored, _KIND).arrays.items()}
    text = pack_text(stored)
    save(content if text is None else {**content, META: text}, file)


def save(content: Mapping[str, object], file: BinaryIO) -> None:
    """Write with torch, by way of memory: where writing fails or is interrupted, torch raises an error of its own or ends the process."""
    import torch

    buffer = BytesIO()
    torch.save(dict(content), buffer)
    file.write(buffer.getbuffer())
