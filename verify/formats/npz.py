"""NumPy's .npz: a zip of plain arrays; object arrays (pickles) are refused before they are looked at."""

from __future__ import annotations

import io
import math
import struct
import tokenize
import zipfile
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from proofs.errors import Malformed
from verify.formats.extras import META, floats_only, pack_text, unpack_text
from verify.formats.files import ZIP_FAILURES, check_zip, failures_of
from verify.formats.stored import Gather, Stored

_KIND = ".npz archive"
_FAILURES = (*ZIP_FAILURES, struct.error, KeyError, TypeError, SyntaxError, tokenize.TokenError, OverflowError)
_EPOCH = (1980, 1, 1, 0, 0, 0)
_VERSION_1 = (1, 0)


class _Readable(Protocol):
    def read(self, n: int = -1, /) -> bytes: ...


def load(path: Path) -> Stored:
    """Read an .npz archive without unpickling. **Guarantee:** exact. **Raises** Malformed."""
    check_zip(path, _KIND)
    gather = Gather(path.name)
    with failures_of(path, _KIND, _FAILURES), zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if name == member.filename:
                raise Malformed(where=path.name, law="the file follows its format", expected="members named NAME.npy", got=name)
            with archive.open(member) as file:
                _put(gather, name, _member(gather, name, file))
    return gather.finish(str(path))


def _member(gather: Gather, name: str, file: _Readable) -> np.ndarray:
    """Return one array; its declared shape must fit the bytes that are there."""
    version = np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0 if version == _VERSION_1 else np.lib.format.read_array_header_2_0
    shape, column_major, dtype = header(file)
    where = f"{gather.place}, array {name}"
    if dtype.hasobject:
        remedy = "save plain float arrays; an object array is a pickle, which could run code"
        raise Malformed(where=where, law="arrays hold real numbers", expected="floats or integers", got="Python objects", remedy=remedy)
    gather.check_room(name, shape)
    room = len(data := file.read())
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != room:
        raise Malformed(
            where=where, law="the file follows its format", expected=f"{room} bytes of entries", got=f"shape {shape} of {dtype}"
        )
    flat = np.frombuffer(data, dtype=dtype) if data else np.empty(math.prod(shape), dtype=dtype)
    return flat.reshape(shape, order="F" if column_major else "C")


def _put(gather: Gather, name: str, array: np.ndarray) -> None:
    if name == META:
        unpack_text(gather, array.item() if array.ndim == 0 else None)
    elif array.ndim == 0 and array.dtype.kind in "Ub":
        gather.put(name, array.item())
    else:
        gather.put(name, array)


def dump(stored: Stored, file: BinaryIO) -> None:
    """Write float64 arrays and, as one text array, the settings. **Guarantee:** exact; the same bytes for the same content."""
    content = dict(floats_only(stored, _KIND).arrays)
    text = pack_text(stored)
    if text is not None:
        content[META] = np.array(text)
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in content.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.asarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), buffer.getvalue())
