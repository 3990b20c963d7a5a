"""What is done with one chunk of networks, wherever it is done: pure functions of picklable arguments."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import TYPE_CHECKING

import numpy as np

from proofs.errors import Malformed, Rejected
from verify.sampling.families import draw
from verify.sampling.laws import FAMILIES
from verify.version import version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verify.sampling.database import Columns, Row
    from verify.sampling.decide import Decisions
    from verify.sampling.families import Batch, Cell

CHANGED = "the generator has changed: use the versions with which the campaign was made (see the table campaign of its file)"


def compute(cell: Cell, seed: int, first: int, count: int, device: str = "cpu") -> Columns:
    """Draw and decide networks ``first``, ..., ``first + count - 1`` of a cell; return the columns of their rows.

    **Guarantee:** a network's row depends on cell, seed, index and device only (relu_rnn: and on the time its searches had).
    """
    from verify.numerics.threads import one_thread

    batch = draw(cell, seed, first, count)
    with one_thread():
        found = decided(batch, device, seed)
    names = np.array([batch.sha256(row) for row in range(count)], dtype=object)
    answers = {field.name: getattr(found, field.name) for field in fields(found)}
    return {"i": np.arange(first, first + count, dtype=np.int64), "sha256": names, **answers}


def decided(batch: Batch, device: str, seed: int) -> Decisions:
    """Decide a batch in the way its family and output ask for."""
    if FAMILIES[batch.cell.family].vector:
        from verify.sampling.space import decide_space

        return decide_space(batch, seed=seed)
    if batch.cell.output == "tanh":
        from verify.sampling.smooth import decide_smooth

        return decide_smooth(batch, device=device, seed=seed)
    from verify.sampling.decide import decide

    return decide(batch, device=device, seed=seed)


def check_rows(cell: Cell, seed: int, rows: Sequence[Row]) -> list[int]:
    """Run the kernel on stored recipes and return the networks' indices.

    **Raises:** Rejected: it refuses one; Malformed: a network that is drawn is not the one that was stored.
    """
    from verify.certification.sampled import check_recipe
    from verify.sampling.decide import require

    for row in rows:
        batch = redrawn(cell, seed, row)
        try:
            require(check_recipe(batch.network(0), row.theorem, row.recipe), "ordered")
        except (Rejected, Malformed) as failure:
            raise Rejected(
                where=f"{named(cell, seed, row.i)}, {failure.where}",
                law=failure.law,
                expected=failure.expected,
                got=failure.got,
                remedy="stored as ordered and refused by the kernel: a fault of this program, or a changed file; please report it",
            ) from failure
    return [row.i for row in rows]


def redrawn(cell: Cell, seed: int, row: Row) -> Batch:
    """Draw one stored network again. **Raises:** Malformed if it is another one."""
    batch = draw(cell, seed, row.i, 1)
    if batch.sha256(0) != row.sha256:
        where, expected = named(cell, seed, row.i), f"SHA-256 {row.sha256.hex()}, as stored"
        raise Malformed(where=where, law="the seed gives the network", expected=expected, got=batch.sha256(0).hex(), remedy=CHANGED)
    return batch


def named(cell: Cell, seed: int, i: int) -> str:
    """Return the words that tell how a network can be drawn again."""
    return f"network {i} of {cell.text} seed={seed}"


@cache
def made_with(device: str = "cpu") -> str:
    """Return the versions that rows come from, and the device."""
    return f"orbitproof {version()}, numpy {np.__version__}, torch {_torch()}, {device}"


def _torch() -> str:
    try:
        return installed("torch")
    except PackageNotFoundError:
        return "not installed"
