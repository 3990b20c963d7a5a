"""What the format tests share: one stored network with everything in it, and the text of a refusal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from proofs.errors import OrbitproofError
from verify.formats import Stored, read

WRITABLE = (".json", ".npz", ".safetensors", ".pt", ".pth", ".mat", ".bson")


def sample() -> Stored:
    """Return a network file's content with every kind of entry: scalars, layers, settings, nested settings, a type."""
    arrays = {
        "A": np.array([0.1, -2.5e-308, 1.7976931348623157e308]),
        "W": np.arange(6.0).reshape(2, 3) / 7,
        "V": np.arange(24.0).reshape(2, 3, 4),
        "a": np.array(5e-324),
        "layers.0.W": np.array([[0.3], [0.4]]),
        "layers.0.b": np.array([1.0, -1.0]),
    }
    meta = {"model": "alrnn", "P": 2, "clipped": True, "layers": ["relu"], "epoch": 7, "args": {"lr": [1e-3, 1e-6]}, "note": "é λ"}
    return Stored(arrays, meta, "nowhere", "ALRNN")


def letter(call: Callable[[], object]) -> str:
    """Return the text of the error that ``call`` ends in."""
    with pytest.raises(OrbitproofError) as caught:
        call()
    return str(caught.value)


def refusal(path: Path, content: bytes) -> str:
    """Return the text of the error in which reading ``content`` under the name ``path`` ends."""
    path.write_bytes(content)
    return letter(lambda: read(path))
