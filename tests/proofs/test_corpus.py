"""The corpus: a file dropped into ``tests/corpus`` is a test, and its ``.why`` is the exact text of the error."""

from __future__ import annotations

from pathlib import Path

import pytest

import proofs
from proofs.kernel import check_collection

CORPUS = Path(__file__).resolve().parent.parent / "corpus"


def named(folder: str) -> list[object]:
    """Return the certificates of one folder as named pytest parameters."""
    return [pytest.param(path, id=path.stem) for path in sorted((CORPUS / folder).glob("*.cert"))]


@pytest.mark.parametrize("path", named("accepted"))
def test_accepted(path: Path) -> None:
    assert isinstance(proofs.check(path), proofs.Proved)


@pytest.mark.parametrize("path", named("rejected"))
def test_rejected(path: Path) -> None:
    with pytest.raises(proofs.Rejected) as caught:
        proofs.check(path)
    assert type(caught.value) is proofs.Rejected
    assert str(caught.value) == why(path)


@pytest.mark.parametrize("path", named("malformed"))
def test_malformed(path: Path) -> None:
    with pytest.raises(proofs.Malformed) as caught:
        proofs.check(path)
    assert type(caught.value) is proofs.Malformed
    assert str(caught.value) == why(path)


def check_all(path: Path) -> list[proofs.Proved]:
    """Check a whole collection."""
    with path.open("rb") as stream:
        return list(check_collection(stream))


@pytest.mark.parametrize("path", named("collections/accepted"))
def test_accepted_collections(path: Path) -> None:
    assert check_all(path)
    with pytest.raises(proofs.Malformed, match="a collection of certificates"):
        proofs.check(path)


@pytest.mark.parametrize(
    ("path", "kind"),
    [(path, kind) for kind in ("Rejected", "Malformed") for path in sorted((CORPUS / "collections" / kind.lower()).glob("*.cert"))],
    ids=lambda value: value.stem if isinstance(value, Path) else value,
)
def test_refused_collections(path: Path, kind: str) -> None:
    with pytest.raises(proofs.OrbitproofError) as caught:
        check_all(path)
    assert type(caught.value) is getattr(proofs, kind)
    assert str(caught.value) == why(path)


def test_no_letter_without_a_certificate() -> None:
    orphans = [path for path in CORPUS.rglob("*.why") if not path.with_suffix(".cert").exists()]
    assert not orphans


def why(path: Path) -> str:
    """Return the error text that belongs to a certificate; one newline at the end is the file's, not the text's."""
    return path.with_suffix(".why").read_text(encoding="utf-8").removesuffix("\n")
