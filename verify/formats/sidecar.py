"""What lies beside a file's content: a ``.json`` next to it, and words in its name."""

from __future__ import annotations

import re
from pathlib import Path

from proofs.errors import Malformed
from verify.formats.files import check_file
from verify.formats.stored import Stored, same_array

_HINT = re.compile(r"(?:^|_)([mp])([0-9]{1,6})(?=_|$)", re.IGNORECASE)
_CONTINUOUS = "cplrnn"


def join_sidecar(path: Path, stored: Stored) -> Stored:
    """Return ``stored`` with the entries of ``model.json`` or ``model.pt.json`` and, under ``file_hint``, what the name says.

    A hint is for a later stage to state as an assumption; it never replaces a setting. **Raises** Malformed: the two disagree.
    """
    found = stored
    if path.suffix.lower() != ".json":
        for beside in dict.fromkeys((path.with_suffix(".json"), path.with_name(path.name + ".json"))):
            found = _joined(found, beside) if beside.exists() else found
    hint = name_hint(path)
    meta = {**found.meta, "file_hint": hint} if hint and "file_hint" not in found.meta else found.meta
    return Stored(found.arrays, meta, found.source, found.type_name)


def name_hint(path: Path) -> dict[str, object]:
    """Return what a file name suggests.

    **Guarantee:** heuristic.

    **Example**

    >>> name_hint(Path("lorenz_m20_p2.pt"))
    {'M': 20, 'P': 2}
    """
    hint: dict[str, object] = {letter.upper(): int(digits) for letter, digits in _HINT.findall(path.stem)}
    return {**hint, "continuous_time": True} if path.stem.lower().startswith(_CONTINUOUS) else hint


def _joined(stored: Stored, beside: Path) -> Stored:
    from verify.formats.json import load

    check_file(beside)
    extra = load(beside)
    for name, array in extra.arrays.items():
        if name in stored.meta or (name in stored.arrays and not same_array(array, stored.arrays[name])):
            raise _conflict(stored, beside, name)
    for name, value in extra.meta.items():
        if name in stored.arrays or (name in stored.meta and stored.meta[name] != value):
            raise _conflict(stored, beside, name)
    if None not in {extra.type_name, stored.type_name} and extra.type_name != stored.type_name:
        raise _conflict(stored, beside, "type_name")
    arrays, meta = {**extra.arrays, **stored.arrays}, {**extra.meta, **stored.meta}
    return Stored(arrays, meta, stored.source, stored.type_name or extra.type_name)


def _conflict(stored: Stored, beside: Path, name: str) -> Malformed:
    return Malformed(
        where=f"{beside.name}, key {name}",
        law="a sidecar agrees with its file",
        expected=f"the value in {Path(stored.source).name}, or none",
        got="another value",
        remedy="a .json of the same name is read together with the file; change or rename one of the two",
    )
