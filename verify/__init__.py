"""The finder of orbitproof: loads networks, searches, and hands every result to ``proofs`` before anyone sees it.

Names are imported when first used, so that ``import verify`` and the command line start at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verify.certification import Effort, certify, cycles
    from verify.certification.bifurcations import bifurcations
    from verify.errors import NotFound, Unsupported
    from verify.graph import region_graph
    from verify.loading import load_network
    from verify.sampling import sample
    from verify.search.cycles import find_cycles as find

_HOMES = {
    "Effort": ("verify.certification", "Effort"),
    "NotFound": ("verify.errors", "NotFound"),
    "Unsupported": ("verify.errors", "Unsupported"),
    "bifurcations": ("verify.certification.bifurcations", "bifurcations"),
    "certify": ("verify.certification", "certify"),
    "cycles": ("verify.certification", "cycles"),
    "find": ("verify.search.cycles", "find_cycles"),
    "load_network": ("verify.loading", "load_network"),
    "region_graph": ("verify.graph", "region_graph"),
    "sample": ("verify.sampling", "sample"),
}

__all__ = ["Effort", "NotFound", "Unsupported", "bifurcations", "certify", "cycles", "find", "load_network", "region_graph", "sample"]


def __getattr__(name: str) -> object:
    """Import a public name on first use."""
    if name not in _HOMES:
        message = f"module 'verify' has no attribute {name!r}"
        raise AttributeError(message)
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)
