"""Write the corpus anew: ``python -m tests.corpus.make``. Every file is checked as it is written, and its letter kept beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from itertools import chain
from pathlib import Path

import proofs
from proofs.kernel import check_collection
from tests.corpus.accepted import accepted
from tests.corpus.boxed import accepted_boxed, malformed_boxed, rejected_boxed
from tests.corpus.contracting import accepted_contractions, malformed_contractions, rejected_contractions
from tests.corpus.covering import accepted_coverings, malformed_coverings, rejected_coverings
from tests.corpus.cycles_on import accepted_cycles_on, malformed_cycles_on, rejected_cycles_on
from tests.corpus.exponents import accepted_exponents, malformed_exponents, rejected_exponents
from tests.corpus.malformed import malformed
from tests.corpus.many import accepted_collections, malformed_collections, rejected_collections
from tests.corpus.pairs import accepted_pairs, malformed_pairs, rejected_pairs
from tests.corpus.parameters import accepted_parameters, malformed_parameters, rejected_parameters
from tests.corpus.region_attacks import malformed_regions, rejected_regions
from tests.corpus.regions import accepted_regions
from tests.corpus.rejected import rejected
from tests.corpus.repellers import accepted_repellers, malformed_repellers, rejected_repellers
from tests.corpus.tree_attacks import malformed_trees, rejected_trees
from tests.corpus.trees import accepted_trees

HERE = Path(__file__).resolve().parent


def write(
    folder: str,
    cases: Iterable[tuple[str, bytes]],
    answer: type[Exception] | None,
    check: Callable[[bytes], object] = proofs.check,
) -> int:
    """Write one folder and return the number of certificates; a case with another answer stops everything."""
    place = HERE / folder
    place.mkdir(parents=True, exist_ok=True)
    for old in [*place.glob("*.cert"), *place.glob("*.why")]:
        old.unlink()
    count = 0
    for name, content in cases:
        path = place / f"{name}.cert"
        if path.exists():
            raise FileExistsError(path)
        path.write_bytes(content)
        why = verdict(content, check)
        if type(why) is not (answer or type(None)):
            raise ValueError(f"{folder}/{name}: {why}")
        if why is not None:
            path.with_suffix(".why").write_text(f"{why}\n", encoding="utf-8")
        count += 1
    return count


def verdict(content: bytes, check: Callable[[bytes], object]) -> Exception | None:
    """Return what the kernel says: nothing, or its letter."""
    try:
        check(content)
    except (proofs.Malformed, proofs.Rejected) as failure:
        return failure
    return None


def all_of(content: bytes) -> list[proofs.Proved]:
    """Check a whole collection."""
    return list(check_collection(BytesIO(content)))


if __name__ == "__main__":
    for folder, cases, answer in (
        (
            "accepted",
            chain(
                accepted(),
                accepted_trees(),
                accepted_coverings(),
                accepted_regions(),
                accepted_repellers(),
                accepted_exponents(),
                accepted_boxed(),
                accepted_contractions(),
                accepted_parameters(),
                accepted_pairs(),
                accepted_cycles_on(),
            ),
            None,
        ),
        (
            "rejected",
            chain(
                rejected(),
                rejected_trees(),
                rejected_coverings(),
                rejected_regions(),
                rejected_repellers(),
                rejected_exponents(),
                rejected_boxed(),
                rejected_contractions(),
                rejected_parameters(),
                rejected_pairs(),
                rejected_cycles_on(),
            ),
            proofs.Rejected,
        ),
        (
            "malformed",
            chain(
                malformed(),
                malformed_trees(),
                malformed_coverings(),
                malformed_regions(),
                malformed_repellers(),
                malformed_exponents(),
                malformed_boxed(),
                malformed_contractions(),
                malformed_parameters(),
                malformed_pairs(),
                malformed_cycles_on(),
            ),
            proofs.Malformed,
        ),
    ):
        print(folder, write(folder, cases, answer))  # noqa: T201 - a script
    print("collections/accepted", write("collections/accepted", accepted_collections(), None, all_of))  # noqa: T201
    print("collections/rejected", write("collections/rejected", rejected_collections(), proofs.Rejected, all_of))  # noqa: T201
    print("collections/malformed", write("collections/malformed", malformed_collections(), proofs.Malformed, all_of))  # noqa: T201
