"""Input sequences and starting states from files: time first, one row a step, and nothing in them that is no number."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from proofs.errors import Malformed
from verify.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

_SUFFIXES = (".npy", ".npz", ".csv", ".pt", ".pth", ".safetensors")
_NAMES = ("input", "inputs", "x")
_MOST_AXES = 3
_LAW = "an input sequence"


def read_inputs(path: str | Path, input_size: int | None = None) -> np.ndarray:
    r"""Return an input sequence of shape (T, m) or (T, B, m), T >= 1, in float64.

    .npy, .csv (a row of numbers a step, a heading allowed), .npz, .safetensors, .pt (a tensor, or the one named ``input``). One axis
    (T,) is read as (T, 1) where the network has one input. Nothing in a file is run.

    **Guarantee:** exact. **Raises** Malformed: NaN or infinite entries, no steps, another width than ``input_size``, ambiguous files;
    Unsupported: an unknown suffix.

    **Example**

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "drive.csv"
    >>> _ = path.write_text("0.5,1\n-0.5,2\n0,3\n")
    >>> read_inputs(path, 2).shape
    (3, 2)
    """
    path = Path(path)
    array = np.array(_read(path, _NAMES), dtype=np.float64)
    if array.ndim == 1 and input_size == 1:
        array = array[:, None]
    if array.ndim not in {2, _MOST_AXES}:
        remedy = "time comes first: (T, m) for one sequence, (T, B, m) for B of them"
        raise Malformed(where=path.name, law=_LAW, expected="shape (T, m) or (T, B, m)", got=f"shape {array.shape}", remedy=remedy)
    if 0 in array.shape:
        raise Malformed(where=path.name, law=_LAW, expected="at least one step, one sequence, one input", got=f"shape {array.shape}")
    if input_size is not None and array.shape[-1] != input_size:
        remedy = "time comes first, and the last axis is what enters the network at one step"
        expected = f"{input_size} numbers a step, the network's input size"
        raise Malformed(where=path.name, law=_LAW, expected=expected, got=f"{array.shape[-1]} (shape {array.shape})", remedy=remedy)
    _refuse_wild(path.name, array)
    return array


def read_start(text: str) -> np.ndarray:
    """Return a starting state, shape (n,) or (B, n): numbers such as ``0.1,0.2,-0.3``, or a file. **Raises** as ``read_inputs``."""
    parts = text.split(",")
    try:
        array = np.array([float(part) for part in parts])
    except ValueError:
        path = Path(text)
        if not path.exists():
            expected = "numbers such as 0.1,0.2,-0.3, or a file that is there"
            raise Malformed(where="--start", law="a starting state", expected=expected, got=text) from None
        array = np.array(_read(path, ("start", "state", "h0")), dtype=np.float64)
    if array.ndim not in {1, 2} or 0 in array.shape:
        raise Malformed(where="--start", law="a starting state", expected="shape (n,) or (B, n)", got=f"shape {array.shape}")
    _refuse_wild("--start", array)
    return array[0] if array.ndim == 2 and array.shape[0] == 1 else array  # noqa: PLR2004 - a matrix


def _refuse_wild(where: str, array: np.ndarray) -> None:
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        index = tuple(int(i) for i in bad[0])
        got = f"{array[index]} at index {list(index)} ({len(bad)} of {array.size} entries are not finite)"
        raise Malformed(where=where, law="entries are finite", expected="finite numbers", got=got)


def _read(path: Path, names: Sequence[str]) -> np.ndarray:
    from verify.formats.files import check_file

    check_file(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise Unsupported(where=path.name, law="a known file format", expected=" ".join(_SUFFIXES), got=path.suffix or "no suffix")
    return reader(path, names)


def _npy(path: Path, _: Sequence[str]) -> np.ndarray:
    from verify.formats.files import failures_of

    with failures_of(path, ".npy array of numbers", (ValueError, EOFError, OSError, SyntaxError, TypeError, OverflowError, MemoryError)):
        array = np.load(path, allow_pickle=False)
    with np.errstate(over="ignore"):  # what does not fit is infinite, and refused as such
        return _real(path, np.asarray(array)).astype(np.float64)


def _real(path: Path, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "fiub":
        raise Malformed(where=path.name, law="arrays hold real numbers", expected="floats or integers", got=f"dtype {array.dtype}")
    return array


def _csv(path: Path, _: Sequence[str]) -> np.ndarray:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = [row for row in csv.reader(file) if any(part.strip() for part in row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Malformed(where=path.name, law="the file follows its format", expected="lines of numbers", got=str(error)) from error
    if lines and not any(_is_number(part) for part in lines[0]):
        lines = lines[1:]
    rows = [_numbers(path, i, row) for i, row in enumerate(lines)]
    for i, row in enumerate(rows):
        if len(row) != len(rows[0]):
            where = f"{path.name}, row {i + 1} of {len(rows)}"
            raise Malformed(where=where, law="rows of one length", expected=f"{len(rows[0])} entries, as in row 1", got=str(len(row)))
    return np.array(rows).reshape(len(rows), -1) if rows else np.empty((0, 1))


def _is_number(text: str) -> bool:
    if "_" in text:  # Python would read 1_000 as a thousand
        return False
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numbers(path: Path, i: int, row: Sequence[str]) -> list[float]:
    wrong = next((part for part in row if not _is_number(part)), None)
    if wrong is not None:
        raise Malformed(where=f"{path.name}, row {i + 1}", law="arrays hold numbers", expected="a number", got=wrong or "an empty entry")
    return [float(part) for part in row]


def _named(path: Path, names: Sequence[str]) -> np.ndarray:
    """Return the one array of a file of named arrays, or the one with an expected name."""
    from verify.formats import read

    try:
        arrays = read(path).arrays
    except Malformed as error:
        if error.law != "entries are finite":
            raise
        raise Malformed(where=error.where, law=error.law, expected=error.expected, got=error.got) from error  # its remedy is a network's
    chosen = [name for name in names if name in arrays] if len(arrays) > 1 else list(arrays)
    if len(chosen) != 1:
        got = ", ".join(sorted(arrays)) or "no array"
        raise Malformed(where=path.name, law=_LAW, expected=f"one array, or one named {' or '.join(names)}", got=got)
    return arrays[chosen[0]].astype(np.float64)


def _torch(path: Path, names: Sequence[str]) -> np.ndarray:
    """Return a bare tensor, or what a dict of tensors names; only tensors and plain values are read."""
    import torch

    from verify.formats.files import failures_of
    from verify.formats.torch import _FAILURES

    with failures_of(path, "torch file", _FAILURES):
        found = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(found, torch.Tensor):
        return _named(path, names)
    if found.layout is not torch.strided or found.is_complex() or found.is_quantized:
        raise Malformed(
            where=path.name, law="arrays hold real numbers", expected="a dense real tensor", got=f"{found.layout} {found.dtype}"
        )
    return _real(path, _as_array(found))


def _as_array(tensor: Tensor) -> np.ndarray:
    plain = tensor.detach()
    array: np.ndarray = (plain.double() if plain.is_floating_point() else plain).numpy()
    return array


_READERS: dict[str, Callable[[Path, Sequence[str]], np.ndarray]] = {
    ".npy": _npy,
    ".csv": _csv,
    ".npz": _named,
    ".safetensors": _named,
    ".pt": _torch,
    ".pth": _torch,
}
