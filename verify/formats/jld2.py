"""Julia's JLD2 files (HDF5): named arrays, lists of arrays, and the flat vector of a ComponentArray. Column-major throughout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

import numpy as np

from proofs.errors import Malformed
from verify.errors import Unsupported
from verify.formats.apart import load_apart
from verify.formats.hdf5 import datasets, open_hdf5, read_all
from verify.formats.julia import spread
from verify.formats.stored import Gather, Stored

if TYPE_CHECKING:
    import h5py

_KIND = ".jld2 file"
_HEADER = b"HDF5-based Julia Data Format"
_TYPES = "_types"
_COMPONENTS = ["data", "axes"]
_CONTINUOUS = "cont_model"
_MAX_DEPTH = 8


def load(path: Path) -> Stored:
    """Read a .jld2 file, apart. **Guarantee:** exact. **Raises** Malformed."""
    return load_apart(path, "jld2")


def load_here(path: Path) -> Stored:
    """Read arrays by name; a struct ``s`` with a field ``B`` gives ``s.B``, a list ``W`` gives ``W.0``, ``W.1`` ...

    ``meta["component_arrays"]`` names the flat parameter vectors whose layout h5py cannot read; ``meta["continuous_time"]`` is True
    where a type in the file has the field ``cont_model``; ``meta["assumptions"]`` is there where the JLD2 header is not.

    **Guarantee:** exact. **Raises** Malformed.
    """
    gather = Gather(path.name)
    with path.open("rb") as file:
        julia = file.read(len(_HEADER)) == _HEADER
    found: dict[str, object] = {}
    components: list[str] = []
    with open_hdf5(path, _KIND) as file:
        for name, dataset in datasets(gather, file, frozenset({_TYPES})):
            fields = _field_names(file, dataset)
            if fields == _COMPONENTS:
                components.append(name)
                gather.type_name = "ComponentArray"
            found[name] = _resolve(gather, file, name, dataset, 0)
        if any(_CONTINUOUS in _names(item) for item in file.get(_TYPES, {}).values()):
            gather.note("continuous_time", value=True)
    if components:
        gather.note("component_arrays", components)
    if not julia:
        gather.note("assumptions", ["no JLD2 header: dimensions are taken in the order in which Julia writes them (column-major)"])
    spread(gather, found.items())
    return gather.finish(str(path))


def _resolve(gather: Gather, file: h5py.File, name: str, dataset: h5py.Dataset, depth: int) -> object:
    """Return the array, number, text, list or dict that a dataset and what it refers to spell."""
    if depth > _MAX_DEPTH:
        raise Malformed(where=f"{gather.place}, array {name}", law="bounded nesting", expected=f"at most {_MAX_DEPTH} levels", got="more")
    if dataset.dtype.kind in "fiub":
        # HDF5 lists Julia's dimensions in reverse
        return np.transpose(read_all(gather, name, dataset))
    value = read_all(gather, name, dataset)
    if dataset.dtype.names and dataset.shape == ():
        parts = {key: _follow(gather, file, f"{name}.{key}", value[key], depth) for key in dataset.dtype.names}
        return parts["data"] if list(parts) == _COMPONENTS[:1] else parts
    if dataset.dtype.kind == "O" and isinstance(value, np.ndarray) and value.ndim == 1:
        entries = [_follow(gather, file, f"{name}.{i}", entry, depth) for i, entry in enumerate(value)]
        return entries if any(entry is not None for entry in entries) else None
    return _follow(gather, file, name, value, depth)


def _follow(gather: Gather, file: h5py.File, name: str, value: Any, depth: int) -> object:  # noqa: ANN401  (what h5py returns)
    import h5py

    if isinstance(value, h5py.Reference):
        target = file[value] if value else None
        if isinstance(target, h5py.Dataset):
            return _resolve(gather, file, name, target, depth + 1)
    elif isinstance(value, np.void) and value.dtype.names:
        return {key: _follow(gather, file, f"{name}.{key}", value[key], depth + 1) for key in value.dtype.names}
    elif isinstance(value, bytes):
        return value.decode("utf-8")
    elif isinstance(value, (str, int, float, np.number, np.bool_)):
        return value
    gather.ignore([name])
    return None


def _field_names(file: h5py.File, dataset: h5py.Dataset) -> list[str]:
    """Return the Julia field names of the dataset's committed type, or none."""
    import h5py

    kind = dataset.id.get_type()
    name = h5py.h5i.get_name(kind) if kind.committed() else None
    return _names(file[name]) if name else []


def _names(item: Any) -> list[str]:  # noqa: ANN401  (a committed type, which h5py does not annotate)
    names = item.attrs.get("field_names", [])
    return [name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in np.ravel(names).tolist()]


def dump(stored: Stored, file: BinaryIO) -> NoReturn:
    """Refuse. **Raises** Unsupported: JLD2 needs Julia's own type descriptions."""
    del file
    law = "JLD2 is written by Julia only"
    remedy = "write .bson, which Julia's BSON.load reads, or .npz"
    raise Unsupported(where=f"a {_KIND}", law=law, expected="another format", got=f"{len(stored.arrays)} arrays", remedy=remedy)
