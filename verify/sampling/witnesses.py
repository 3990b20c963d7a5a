"""What a campaign's rows are good for besides counts: the kernel on every ordered row, certificates, one network as a file."""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from verify.sampling.families import draw
from verify.sampling.laws import FAMILIES
from verify.sampling.spread import spread
from verify.sampling.work import check_rows, named, redrawn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from proofs import Certificate
    from verify.sampling.campaign import Plan, Progress
    from verify.sampling.database import Database, Row
    from verify.sampling.executors import Workforce
    from verify.sampling.families import Batch, Cell

TOGETHER = 64  # rows checked by one task


def check_ordered(plan: Plan, rows: Database, force: Workforce, *, progress: Progress | None = None) -> int:
    """Run the kernel on every ordered row that it has not checked yet, and note it; return how many these were.

    **Raises:** Rejected: the kernel refuses one, which is a fault; Malformed: a network that is drawn again is another one.
    """
    total = sum(rows.counts(cell, plan.count).ordered - rows.checked(cell, plan.count) for cell in plan.cells)
    done = 0
    with closing(spread(check_rows, _unchecked(plan, rows), force)) as finished:
        for (cell, _, _), accepted in finished:
            rows.mark_checked(cell, np.array(accepted, dtype=np.int64))
            done += len(accepted)
            if progress is not None:
                progress("ordered networks checked by the kernel", done, total)
    return done


def write_certificates(plan: Plan, rows: Database, path: Path, *, ordered: bool = False, progress: Progress | None = None) -> int:
    """Write a certificate for every chaotic row (``ordered``: and every ordered one) into one file; return how many these are.

    Networks are drawn again from the seed and compared with what was stored. **Guarantee:** the kernel has accepted every certificate; an
    interrupt leaves no partial file; where there is nothing to write, there is no file. **Raises:** Malformed: another network than was
    stored; Rejected.
    """
    from verify.certification.collection import write_collection

    verdicts = ("chaotic", "ordered") if ordered else ("chaotic",)
    counts = [rows.counts(cell, plan.count) for cell in plan.cells]
    total = sum(sum(getattr(count, verdict) for verdict in verdicts) for count in counts)
    return 0 if total == 0 else write_collection(path, _told(_certificates(plan, rows, verdicts), total, progress))


def write_network(path: Path, cell: Cell, seed: int, i: int, row: Row | None = None) -> Batch:
    """Draw one network of a campaign and write it as a network file; with its stored row, only if it is that network.

    **Raises:** Malformed.
    """
    from verify.formats import Stored, write

    batch = draw(cell, seed, i, 1) if row is None else redrawn(cell, seed, row)
    vector = FAMILIES[cell.family].vector
    about = {"model": "rnn", "activation": batch.activations[0]} if vector else {"model": "scalar", "layers": list(batch.activations)}
    write(path, Stored(batch.arrays(0), {**about, "name": named(cell, seed, i)}))
    return batch


def _unchecked(plan: Plan, rows: Database) -> Iterator[tuple[Cell, int, Sequence[Row]]]:
    for cell in plan.cells:
        left = rows.rows(cell, plan.count, ("ordered",), unchecked=True)
        while together := tuple(islice(left, TOGETHER)):
            yield cell, plan.seed, together


def _certificates(plan: Plan, rows: Database, verdicts: Sequence[str]) -> Iterator[Certificate]:
    from proofs import Remarks
    from verify.certification.sampled import certify_recipe

    for cell in plan.cells:
        model = "rnn" if FAMILIES[cell.family].vector else "scalar"
        for row in rows.rows(cell, plan.count, verdicts):
            network = redrawn(cell, plan.seed, row).network(0)
            yield certify_recipe(network, row.theorem, row.recipe, Remarks(named(cell, plan.seed, row.i), model))


def _told(certificates: Iterator[Certificate], total: int, progress: Progress | None) -> Iterator[Certificate]:
    for done, certificate in enumerate(certificates, 1):
        yield certificate
        if progress is not None:
            progress("certificates", done, total)
