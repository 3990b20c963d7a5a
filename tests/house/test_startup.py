"""The command line answers at once: what is heavy is imported where it is used."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"cvxpy", "dask", "distributed", "duckdb", "flint", "h5py", "highspy", "matplotlib", "numba", "scipy", "sympy", "torch"}


@pytest.mark.parametrize("module", ["verify.cli", "verify", "proofs"])
def test_nothing_heavy_is_imported(module: str) -> None:
    code = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert not HEAVY & set(json.loads(done.stdout))
