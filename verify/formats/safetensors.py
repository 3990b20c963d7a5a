"""Safetensors: a checked header and flat buffers; nothing in it can run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from verify.errors import Unsupported
from verify.formats.extras import META, floats_only, pack_text, unpack_text
from verify.formats.files import failures_of
from verify.formats.stored import Gather, Stored

_KIND = ".safetensors file"
_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?", "BF16": "<u2",
}  # fmt: skip


def load(path: Path) -> Stored:
    """Read a .safetensors file. **Guarantee:** exact. **Raises** Malformed; Unsupported: 8-bit floats and other rare types."""
    from safetensors import SafetensorError, deserialize, safe_open

    gather = Gather(path.name)
    with failures_of(path, _KIND, (SafetensorError, OSError, ValueError)):
        with safe_open(path, framework="numpy") as file:
            metadata: dict[str, str] = file.metadata() or {}
        tensors: list[tuple[str, Mapping[str, Any]]] = deserialize(path.read_bytes())  # type: ignore[no-untyped-call]
    for name, tensor in sorted(tensors):
        gather.check_room(name, tensor["shape"])
        gather.put(name, _array(f"{path.name}, array {name}", tensor))
    for key, text in metadata.items():
        if key == META:
            unpack_text(gather, text)
        else:
            gather.put(key, text)
    return gather.finish(str(path))


def _array(where: str, tensor: Mapping[str, Any]) -> np.ndarray:
    dtype = _DTYPES.get(tensor["dtype"])
    if dtype is None:
        law = "a number type that is read exactly"
        raise Unsupported(where=where, law=law, expected=", ".join(_DTYPES), got=str(tensor["dtype"]), remedy="save as float32 or float64")
    flat = np.frombuffer(tensor["data"], dtype=dtype)
    if tensor["dtype"] == "BF16":
        # bfloat16 is the upper half of a float32
        flat = (flat.astype("<u4") << 16).view("<f4")
    return flat.reshape(tensor["shape"])


def dump(stored: Stored, file: BinaryIO) -> None:
    """Write float64 arrays and, in the header, the settings. **Guarantee:** exact."""
    from safetensors.numpy import save

    text = pack_text(stored)
    arrays = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in floats_only(stored, _KIND).arrays.items()}
    file.write(save(arrays, metadata=None if text is None else {META: text}))
