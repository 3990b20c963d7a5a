"""The version of this program."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed


def version() -> str:
    """Return the installed version, or what stands for it in a bare checkout."""
    try:
        return installed("orbitproof")
    except PackageNotFoundError:
        return "not installed"
