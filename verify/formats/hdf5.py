"""Walking an HDF5 file with care: only plain datasets inside the file itself, shapes checked before they are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proofs.errors import Malformed
from verify.formats.files import failures_of

if TYPE_CHECKING:
    import h5py

    from verify.formats.stored import Gather

FAILURES: tuple[type[Exception], ...] = (OSError, KeyError, RuntimeError, ValueError, TypeError, OverflowError, MemoryError, AttributeError)
_MAX_DEPTH = 8


@contextmanager
def open_hdf5(path: Path, kind: str) -> Iterator[h5py.File]:
    """Open for reading; everything that h5py raises on damaged bytes becomes Malformed."""
    import h5py

    with failures_of(path, kind, FAILURES), h5py.File(path, "r") as file:
        yield file


def datasets(gather: Gather, group: h5py.Group, skip: frozenset[str], prefix: str = "") -> Iterator[tuple[str, h5py.Dataset]]:
    """Yield (dotted name, dataset) in order of name; links that leave the file are refused."""
    import h5py

    if prefix.count(".") > _MAX_DEPTH:
        raise Malformed(where=gather.place, law="bounded nesting", expected=f"at most {_MAX_DEPTH} groups deep", got="more")
    for key in group:
        if key in skip:
            continue
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            raise _outside(gather, prefix + key, "a soft or external link")
        item = group[key]
        if isinstance(item, h5py.Group):
            yield from datasets(gather, item, skip, f"{prefix}{key}.")
        elif isinstance(item, h5py.Dataset):
            yield prefix + key, item


def read_all(gather: Gather, name: str, dataset: h5py.Dataset) -> Any:  # noqa: ANN401  (h5py returns what the file declares)
    """Return the content of a dataset after checking where it lies and how large it is."""
    if dataset.external or dataset.is_virtual:
        raise _outside(gather, name, "data in another file")
    gather.check_room(name, dataset.shape or ())
    return dataset[()]


def _outside(gather: Gather, name: str, got: str) -> Malformed:
    return Malformed(where=f"{gather.place}, array {name}", law="a file holds its own data", expected="data inside the file", got=got)
