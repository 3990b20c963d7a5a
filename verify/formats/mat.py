"""MATLAB .mat: version 5 to 7 through scipy, version 7.3 (HDF5) through h5py. Vectors come as columns or rows, as MATLAB has them."""

from __future__ import annotations

import io
import json
import math
import re
import struct
import zlib
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from proofs.errors import Malformed
from verify.errors import Unsupported
from verify.formats.apart import load_apart
from verify.formats.extras import META, floats_only, pack_text, unpack_text
from verify.formats.files import failures_of
from verify.formats.hdf5 import datasets, open_hdf5, read_all
from verify.formats.stored import Gather, Stored

_KIND = ".mat file"
_SETTINGS = "orbitproof_settings"
_NUMERIC = frozenset({"double", "single", "logical", "sparse", *(f"{sign}int{n}" for sign in ("", "u") for n in (8, 16, 32, 64))})
_LONGEST_NAME = 63
_HEADER_5, _HEADER_73 = b"MATLAB 5.0 MAT-file", b"MATLAB 7.3 MAT-file"


def load(path: Path) -> Stored:
    """Read a .mat file, apart. **Guarantee:** exact. **Raises** Malformed."""
    return load_apart(path, "mat")


def load_here(path: Path) -> Stored:
    """Read numbers and words; cells, structs and objects are listed in ``meta["ignored"]``.

    **Guarantee:** exact. **Raises** Malformed.
    """
    gather = Gather(path.name)
    with path.open("rb") as file:
        header = file.read(len(_HEADER_5))
    if header not in {_HEADER_5, _HEADER_73}:
        expected = "a header that begins MATLAB 5.0 or MATLAB 7.3"
        raise Malformed(where=path.name, law="the file follows its format", expected=expected, got=repr(header))
    found = _load_5(gather, path) if header == _HEADER_5 else _load_73(gather, path)
    _put_all(gather, found)
    return gather.finish(str(path))


def _load_5(gather: Gather, path: Path) -> dict[str, Any]:
    from scipy.io import loadmat, whosmat
    from scipy.io.matlab import MatReadError

    failures = (
        MatReadError, ValueError, TypeError, OSError, EOFError, IndexError, KeyError, NotImplementedError, OverflowError, MemoryError,
        AttributeError, zlib.error, struct.error,
    )  # fmt: skip
    with failures_of(path, _KIND, failures):
        listing = whosmat(path)
        gather.check_room("all variables", [sum(gather.check_room(name, shape) for name, shape, _ in listing)])
        wanted = [name for name, _, kind in listing if kind in _NUMERIC or kind == "char"]
        gather.ignore(name for name, _, _ in listing if name not in wanted)
        _refuse_twice(gather, [name for name, _, _ in listing])
        if not listing:
            raise Malformed(where=path.name, law="the file follows its format", expected="at least one variable", got="none")
        content = loadmat(path, variable_names=wanted) if wanted else {}
        return {name: _dense(content[name]) for name in wanted}


def _dense(value: Any) -> Any:  # noqa: ANN401  (scipy returns an array or a sparse matrix)
    return value.toarray() if hasattr(value, "toarray") else value


def _load_73(gather: Gather, path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with open_hdf5(path, _KIND) as file:
        for name, dataset in datasets(gather, file, frozenset({"#refs#", "#subsystem#"})):
            kind = bytes(dataset.attrs.get("MATLAB_class", b"double")).decode("ascii", "replace")
            if kind not in _NUMERIC | {"char"} or dataset.dtype.kind not in "fiu":
                gather.ignore([name])
            elif dataset.attrs.get("MATLAB_empty", 0):
                found[name] = np.zeros(tuple(int(n) for n in read_all(gather, name, dataset)))
            else:
                # HDF5 lists MATLAB's dimensions in reverse
                array = np.transpose(read_all(gather, name, dataset))
                found[name] = np.array(["".join(map(chr, array.ravel(order="C").tolist()))]) if kind == "char" else array
    return found


def _refuse_twice(gather: Gather, names: list[str]) -> None:
    for name, times in Counter(names).most_common(1):
        if times > 1:
            raise Malformed(where=gather.place, law="names are unique", expected="every name once", got=f"{name} {times} times")


def _put_all(gather: Gather, found: dict[str, Any]) -> None:
    shapes: dict[str, Any] = {}
    if _SETTINGS in found:
        shapes = _own_settings(gather, found.pop(_SETTINGS))
        lost = [name for name in shapes if name not in found]
        if lost:
            law, expected = "the file follows its format", f"{len(shapes)} variables, as its settings say"
            raise Malformed(where=gather.place, law=law, expected=expected, got=f"no variable {lost[0]}", remedy="the file is cut short")
    for name, value in found.items():
        own, shape = shapes.get(name, (name, None))
        if value.dtype.kind == "U":
            gather.put(own, value.item() if value.size == 1 else "" if value.size == 0 else "\n".join(value.ravel().tolist()))
        else:
            gather.put(own, value if shape is None or math.prod(shape) != value.size else np.reshape(value, shape))


def _own_settings(gather: Gather, value: Any) -> dict[str, Any]:  # noqa: ANN401
    """File the settings that ``dump`` wrote; return variable -> (name, shape), which MATLAB cannot hold."""
    try:
        found = json.loads("".join(value.ravel().tolist()))
        shapes = {str(key): (str(name), [int(n) for n in shape]) for key, (name, shape) in found["arrays"].items()}
        text = found[META]
    except (json.JSONDecodeError, RecursionError, KeyError, TypeError, ValueError, AttributeError) as error:
        where, law = f"{gather.place}, variable {_SETTINGS}", "settings beside the arrays"
        raise Malformed(where=where, law=law, expected="the JSON text that convert wrote", got=type(error).__name__) from error
    if text is not None:
        unpack_text(gather, text)
    return cast("dict[str, Any]", shapes)


def dump(stored: Stored, file: BinaryIO) -> None:
    """Write a version-5 file; dots in names become underscores, and a text variable keeps names, shapes and settings.

    **Guarantee:** exact. **Raises** Unsupported: two names that MATLAB cannot tell apart, or one it does not allow.
    """
    from scipy.io import savemat

    # the settings come first, so that a file cut short between two variables is noticed
    content: dict[str, object] = {_SETTINGS: ""}
    arrays: dict[str, tuple[str, list[int]]] = {}
    for name, array in floats_only(stored, _KIND).arrays.items():
        variable = name.replace(".", "_")
        if variable in content or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", variable, re.ASCII) or len(variable) > _LONGEST_NAME:
            law = "MATLAB variable names"
            raise Unsupported(where=f"{_KIND}, array {name}", law=law, expected="a letter, then letters, digits, underscores", got=variable)
        content[variable] = array.reshape(array.shape if array.ndim > 1 else (array.size, 1))
        arrays[variable] = (name, list(array.shape))
    content[_SETTINGS] = json.dumps({META: pack_text(stored), "arrays": arrays})
    buffer = io.BytesIO()
    savemat(cast("Any", buffer), content, oned_as="column", long_field_names=True)
    file.write(buffer.getvalue())
