"""Network files of every supported format, read into one shape and written back without changing a number."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from verify.errors import Unsupported
from verify.formats.extras import check_writable
from verify.formats.files import ZIP_MAGIC, check_file, replace_file
from verify.formats.sidecar import join_sidecar
from verify.formats.stored import Stored

__all__ = ["SUFFIXES", "Stored", "read", "write"]

_READERS = {
    ".json": "json",
    ".npz": "npz",
    ".safetensors": "safetensors",
    ".pt": "torch",
    ".pth": "torch",
    ".pkl": "torch",
    ".mat": "mat",
    ".bson": "bson",
    ".jld2": "jld2",
}
SUFFIXES = tuple(_READERS)
"""File name endings that ``read`` knows; a file without one is read if it is a torch zip."""


class _Format(Protocol):
    def load(self, path: Path) -> Stored: ...

    def dump(self, stored: Stored, file: BinaryIO) -> None: ...


def read(path: str | Path) -> Stored:
    """Read a network file, its sidecar ``.json`` and the hints in its name; the format follows from the suffix.

    **Guarantee:** exact: every number equals the number in the file (JSON numbers: the nearest float64). No code in a file is run.
    **Cost:** linear in the size; at most 512 MiB and 2**26 entries.
    **Raises** Malformed: absent, empty, damaged, non-finite or contradictory content; Unsupported: an unknown suffix or struct.

    **Example**

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "tent.json"
    >>> _ = path.write_text('{"model": "plrnn", "A": ["1/2"], "W": [[-2]], "h": [0.5]}')
    >>> stored = read(path)
    >>> stored.meta["model"], stored.arrays["A"].tolist(), stored.arrays["W"].tolist()
    ('plrnn', [Fraction(1, 2)], [[-2.0]])
    """
    path = Path(path)
    check_file(path)
    with _installed(path):
        return join_sidecar(path, _format(path, _suffix(path)).load(path))


def write(path: str | Path, stored: Stored) -> None:
    """Write ``stored`` in the format of the suffix, completely or not at all.

    **Guarantee:** exact: ``read(path).same(stored)``. After a failure or an interrupt the old file is untouched.
    **Raises** Unsupported: exact numbers that are no float64 into a format of floats, settings or names it cannot hold, .jld2;
    Malformed: entries that are not finite, a folder that cannot be written to.
    """
    path = Path(path)
    target = _format(path, path.suffix.lower())
    checked = check_writable(stored, path.name)
    with _installed(path):
        replace_file(path, lambda file: target.dump(checked, file))


@contextmanager
def _installed(path: Path) -> Iterator[None]:
    """Name the library that a format needs and this installation lacks."""
    try:
        yield
    except ModuleNotFoundError as error:
        law, remedy = "the format's library is installed", 'pip install "orbitproof[all]"'
        raise Unsupported(where=path.name, law=law, expected=f"the module {error.name}", got="no such module", remedy=remedy) from error


def _suffix(path: Path) -> str:
    if path.suffix:
        return path.suffix.lower()
    with path.open("rb") as file:
        return ".pt" if file.read(len(ZIP_MAGIC)) == ZIP_MAGIC else ""


def _format(path: Path, suffix: str) -> _Format:
    if suffix not in _READERS:
        law, remedy = "a known file format", "name the file after its format"
        raise Unsupported(where=path.name, law=law, expected=" ".join(SUFFIXES), got=suffix or "no suffix, no torch zip", remedy=remedy)
    return cast("_Format", importlib.import_module(f"verify.formats.{_READERS[suffix]}"))
