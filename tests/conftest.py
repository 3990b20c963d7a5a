"""What every test may ask for: the repository, the material laid beside it, and settled hypothesis profiles."""

from __future__ import annotations

import os
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from proofs.network import Network
    from verify.candidates import Covering

if "PYTEST_XDIST_WORKER" in os.environ:  # as many processes as processors: threads of each would only wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("house", derandomize=True, deadline=None)
settings.register_profile("thorough", max_examples=2_000, deadline=None)
settings.load_profile("house")


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the root of the repository."""
    return ROOT


@pytest.fixture
def few_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let searches for entropy end with a graph of 250 paths, not with the time and 2,000: 0.45 of Lozi's 0.50, and checked at once."""
    from verify.certification import space
    from verify.search.entropy_graph import improving_graphs

    def early(network: Network, *, most_paths: int = 250, **options: Any) -> Covering | None:  # noqa: ANN401
        stages = islice(improving_graphs(network, most_paths=most_paths, **options), 2)
        return max(((stage.entropy, stage.covering) for stage in stages), key=itemgetter(0), default=(0.0, None))[1]

    monkeypatch.setattr(space, "find_entropy_graph", early)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of cases and notes that lies beside the repository, or skip."""
    path = ROOT.parent / "shared"
    if not path.is_dir():
        pytest.skip("../shared is absent")
    return path
