"""The public face: these names, documented, and no others. Scripts rely on them; they are never renamed."""

from __future__ import annotations

from importlib import import_module

import pytest

FACE = {"Network", "Operation", "Certificate", "Claim", "Remarks", "Proved", "Rejected", "Malformed", "OrbitproofError"}
FACE |= {"load", "check", "explain", "theorems"}
FINDER = {"load_network", "certify", "cycles", "find", "Effort", "NotFound", "Unsupported"}
LATER = {"lyapunov", "sample", "bifurcations", "region_graph", "report", "export", "CycleList"}  # present when built: no stubs


def names(module: str) -> set[str]:
    """Return what a module says it exports."""
    return set(import_module(module).__all__)


def test_proofs() -> None:
    assert names("proofs") == FACE


def test_verify() -> None:
    assert FINDER <= names("verify") <= FINDER | LATER


@pytest.mark.parametrize("module", ["proofs", "verify"])
def test_every_name_is_there_and_documented(module: str) -> None:
    face = import_module(module)
    assert {name for name in names(module) if not getattr(face, name).__doc__} == set()
