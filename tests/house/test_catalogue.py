"""Every theorem has been seen to accept and to refuse."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib import import_module
from pathlib import Path

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
LEAST_ACCEPTED = 1
LEAST_REJECTED = 3
LAW = re.compile(r"\btheorem (\w+)")


def theorems() -> set[str]:
    """Return the names in the table of the kernel (``proofs.theorems`` the package, not the function that lists it)."""
    return set(import_module("proofs.theorems").THEOREMS)


def used(path: Path) -> set[str]:
    """Return the theorems that the steps of a certificate name."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {line["theorem"] for line in lines if "theorem" in line}


def refusing(path: Path) -> str:
    """Return the theorem named in the first line of an error text, or nothing."""
    law = LAW.search(path.read_text(encoding="utf-8").partition("\n")[0])
    return law[1] if law else ""


def test_every_theorem_accepts() -> None:
    seen = Counter(theorem for path in (CORPUS / "accepted").glob("*.cert") for theorem in used(path))
    assert {theorem: seen[theorem] for theorem in sorted(theorems()) if seen[theorem] < LEAST_ACCEPTED} == {}


def test_every_theorem_refuses() -> None:
    seen = Counter(refusing(path) for path in (CORPUS / "rejected").glob("*.why"))
    assert {theorem: seen[theorem] for theorem in sorted(theorems()) if seen[theorem] < LEAST_REJECTED} == {}


def test_every_refusal_says_why() -> None:
    silent = [
        path for folder in ("rejected", "malformed") for path in (CORPUS / folder).glob("*.cert") if not path.with_suffix(".why").exists()
    ]
    assert not silent


def test_some_bytes_are_malformed() -> None:
    assert list((CORPUS / "malformed").glob("*.cert"))


def test_every_theorem_has_its_card() -> None:
    cards = {path.stem for path in Path(import_module("proofs.theorems").__file__ or "").parent.glob("*.py")}
    assert theorems() <= cards
