"""Cheap stand-ins for the work of a campaign: real networks and names, verdicts from their hashes; some die or fail on the way."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from proofs.errors import Rejected
from verify.sampling.families import Cell, draw

if TYPE_CHECKING:
    from verify.sampling.database import Columns

CELLS = (Cell("theory", 4, 4.0), Cell("he", 3, 1.0, 2))
CLASSES = ("chaotic", "ordered", "ordered_by_bound", "undecided")


def work(cell: Cell, seed: int, first: int, count: int, device: str) -> Columns:
    """Return rows that depend on the networks alone."""
    assert device == "cpu"
    batch = draw(cell, seed, first, count)
    names = [batch.sha256(row) for row in range(count)]
    verdicts = [CLASSES[name[0] % 4] for name in names]
    columns: Columns = {
        "i": np.arange(first, first + count),
        "sha256": np.array(names, dtype=object),
        "verdict": np.array(verdicts, dtype=object),
        "theorem": np.array([verdict[:3] for verdict in verdicts], dtype=object),
        "recipe": np.array(['{"exponent":1}' if verdict == "ordered" else "" for verdict in verdicts], dtype=object),
        "margin": np.array([name[1] / 7 if name[0] % 4 == 0 else np.nan for name in names]),
        "period_2": np.array([name[2] % 3 - 1 for name in names], dtype=np.int8),
        "period_3": np.array([name[3] % 3 - 1 for name in names], dtype=np.int8),
        "checked": np.array([verdict == "chaotic" for verdict in verdicts]),
    }
    return columns


def slow_work(folder: Path, cell: Cell, seed: int, first: int, count: int, device: str) -> Columns:
    """Take a moment, and leave the number of the process that did it."""
    (folder / f"{os.getpid()}.pid").touch()
    time.sleep(0.02)
    return work(cell, seed, first, count, device)


def deadly_work(flag: Path, deaths: int, cell: Cell, seed: int, first: int, count: int, device: str) -> Columns:
    """Kill the process that does it, so many times in all, when the first network asked for is number 40."""
    died = len(list(flag.parent.glob(f"{flag.name}.*")))
    if first == 40 and died < deaths:
        flag.with_name(f"{flag.name}.{died}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return work(cell, seed, first, count, device)


def refusing_work(cell: Cell, seed: int, first: int, count: int, device: str) -> Columns:
    """Raise one of this program's errors in the middle."""
    if first == 40:
        raise Rejected(where=f"network {first}", law="a law", expected="this", got="that", remedy="none")
    return work(cell, seed, first, count, device)


def failing_work(cell: Cell, seed: int, first: int, count: int, device: str) -> Columns:
    """Fail like a fault of the program."""
    if first == 40:
        message = "a fault"
        raise ZeroDivisionError(message)
    return work(cell, seed, first, count, device)
