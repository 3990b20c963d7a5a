"""Reading a network from its canonical text."""

from __future__ import annotations

from pathlib import Path

from proofs.network import Network
from proofs.reader import parse_object


def load(path: str | Path) -> Network:
    """Read a file that holds one network in the form of a certificate's first line (field ``network``), or a certificate itself.

    **Raises:** Malformed; OSError if the file cannot be read.
    """
    first = Path(path).read_bytes().split(b"\n", 1)[0]
    fields = parse_object(first, "line 1")
    return Network.read(fields.part("network")) if fields.has("network") else Network.read(fields)
