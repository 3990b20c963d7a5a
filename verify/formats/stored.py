"""What every reader returns: named arrays of exact numbers, and the few words and switches that came with them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import cast

import numpy as np

from proofs.errors import Malformed
from verify.formats.settings import RESERVED, check_text, setting

MAX_ENTRIES = 2**26
"""Entries that one file may hold, all arrays together (half a gigabyte of float64)."""
MAX_DIMENSIONS = 8
_EXACT_INTEGER = 2**53


@dataclass(frozen=True, eq=False)
class Stored:
    """The content of one network file, whatever its format.

    ``arrays`` hold float64, or (dtype object) ``Fraction`` for numbers given as exact text; they are read-only. ``meta`` holds the
    settings; ``P`` and ``expert`` are int, ``clipped`` is bool, ``model``, ``name``, ``threshold_sign``, ``activation`` are str.

    **Guarantee:** exact: every number equals the number in the file.
    """

    arrays: Mapping[str, np.ndarray]
    meta: Mapping[str, object] = field(default_factory=dict)
    source: str = ""
    type_name: str | None = None

    def same(self, other: Stored) -> bool:
        """Say whether arrays (shapes and values), settings and type agree; the source may differ. **Guarantee:** exact."""
        same_words = dict(self.meta) == dict(other.meta) and self.type_name == other.type_name
        if not same_words or self.arrays.keys() != other.arrays.keys():
            return False
        return all(same_array(array, other.arrays[name]) for name, array in self.arrays.items())


class Gather:
    """Collects what a reader finds, one named thing at a time, and refuses what no reader may return."""

    def __init__(self, place: str) -> None:
        """Start empty; ``place`` is the file's name, the first word of every error."""
        self.place = place
        self.arrays: dict[str, np.ndarray] = {}
        self.meta: dict[str, object] = {}
        self.type_name: str | None = None
        self._room = MAX_ENTRIES

    def put(self, name: str, value: object) -> None:
        """File a number or an array under ``arrays``, a word or a setting under ``meta``."""
        if name in RESERVED:
            self.note(name, setting(self.place, name, value))
        elif value is None or isinstance(value, (bool, np.bool_, str)):
            self.note(name, bool(value) if isinstance(value, np.bool_) else value)
        else:
            self._claim(name)
            self._room -= self.check_room(name, np.shape(cast("np.ndarray", value)))
            self.arrays[name] = exact_array(f"{self.place}, array {name}", np.asarray(value))

    def note(self, name: str, value: object) -> None:
        """File ``value`` under ``meta`` as it is."""
        self._claim(name)
        if isinstance(value, str):
            check_text(self.place, name, value)
        self.meta[name] = value

    def ignore(self, names: Iterable[str]) -> None:
        """Remember in ``meta["ignored"]`` what the file held and no network is made of."""
        found = list(names)
        if found:
            self.meta["ignored"] = [*cast("list[str]", self.meta.get("ignored", [])), *found]

    def check_room(self, name: str, shape: Iterable[int]) -> int:
        """Return the entries of ``shape``, refusing one that is too large before any memory is spent on it. **Raises** Malformed."""
        sizes = [int(n) for n in shape]
        entries = math.prod(sizes)
        where = f"{self.place}, array {name}"
        if len(sizes) > MAX_DIMENSIONS:
            raise Malformed(where=where, law="few dimensions", expected=f"at most {MAX_DIMENSIONS}", got=str(len(sizes)))
        if entries > self._room:
            expected = f"at most {MAX_ENTRIES} entries in all arrays together"
            raise Malformed(where=where, law="size limit", expected=expected, got=f"{entries} entries more, shape {sizes}")
        return entries

    def finish(self, source: str) -> Stored:
        """Return what was gathered; the arrays can no longer be written to."""
        for array in self.arrays.values():
            array.flags.writeable = False
        return Stored(self.arrays, self.meta, source, self.type_name)

    def _claim(self, name: str) -> None:
        check_text(self.place, "names", name)
        if name in self.arrays or name in self.meta:
            raise Malformed(where=self.place, law="names are unique", expected="every name once", got=f"{name} twice")


def exact_array(where: str, array: np.ndarray) -> np.ndarray:
    """Return ``array`` as float64 without changing any number, or as it is where it holds Fractions; -0.0 becomes 0.

    **Guarantee:** exact. **Raises** Malformed: NaN, infinities, and numbers that are no float64.
    """
    if array.dtype == object:
        return _fractions(where, array)
    if array.dtype.kind not in "fiub":
        raise Malformed(where=where, law="arrays hold real numbers", expected="floats or integers", got=f"dtype {array.dtype}")
    with np.errstate(over="ignore", invalid="ignore"):
        floats = array.astype(np.float64)
    _refuse_inexact(where, array, floats)
    _refuse_nonfinite(where, floats)
    return np.add(floats, 0.0, out=floats)


def as_fraction(value: float | Fraction) -> Fraction:
    """Return the number that ``value`` is, a float being its dyadic."""
    return value if isinstance(value, Fraction) else Fraction(value)


def same_array(one: np.ndarray, two: np.ndarray) -> bool:
    """Say whether shapes and numbers agree. **Guarantee:** exact."""
    if one.shape != two.shape:
        return False
    if object not in {one.dtype, two.dtype}:
        return bool(np.array_equal(one, two))
    return all(as_fraction(a) == as_fraction(b) for a, b in zip(one.ravel().tolist(), two.ravel().tolist(), strict=True))


def index_text(flat: int, shape: tuple[int, ...]) -> str:
    """Return the index of entry number ``flat`` as a reader would write it: ``[1, 0]``, counted from 0."""
    return str([int(i) for i in np.unravel_index(flat, shape)])


def _fractions(where: str, array: np.ndarray) -> np.ndarray:
    if not all(isinstance(x, Fraction) for x in array.ravel().tolist()):
        raise Malformed(where=where, law="arrays hold real numbers", expected="Fraction entries", got="other Python objects")
    return array.copy()


def _refuse_inexact(where: str, array: np.ndarray, floats: np.ndarray) -> None:
    if array.dtype.kind in "iu" and array.dtype.itemsize == np.dtype(np.int64).itemsize:
        suspects = np.flatnonzero(np.abs(floats.ravel()) >= _EXACT_INTEGER)
    elif array.dtype.itemsize > floats.dtype.itemsize:
        suspects = np.flatnonzero((floats != array).ravel() & np.isfinite(array).ravel())
    else:
        return
    for flat in suspects.tolist():
        entry = array.ravel()[flat]
        if array.dtype.kind == "f" or int(entry) != int(floats.ravel()[flat]):
            raise Malformed(
                where=f"{where}{index_text(flat, array.shape)}",
                law="entries are exact in float64",
                expected="a number with at most 53 significant bits",
                got=str(entry),
                remedy='write the number as a string in a .json file, e.g. "9007199254740993"',
            )


def _refuse_nonfinite(where: str, floats: np.ndarray) -> None:
    bad = np.flatnonzero(~np.isfinite(floats))
    if bad.size:
        flat = int(bad[0])
        raise Malformed(
            where=f"{where}{index_text(flat, floats.shape)}",
            law="entries are finite",
            expected="finite numbers",
            got=f"{floats.ravel()[flat]} ({bad.size} of {floats.size} entries are not finite)",
            remedy="the network was saved after training diverged; take an earlier checkpoint",
        )
