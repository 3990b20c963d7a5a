"""Who may import whom. The tables below are the rule; move a wall by editing them and writing a decision record."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

# All that `proofs` may take from outside itself.
STANDARD_LIBRARY = {
    "__future__",
    "argparse",
    "bisect",
    "collections",
    "collections.abc",
    "dataclasses",
    "enum",
    "fractions",
    "functools",
    "hashlib",
    "io",
    "itertools",
    "json",
    "math",
    "operator",
    "pathlib",
    "re",
    "sys",
    "textwrap",
    "types",
    "typing",
}

# The floors of `proofs`, lowest first: a module imports from its own floor and from those below.
FLOORS = [
    {"proofs.errors"},
    {"proofs.grammar", "proofs.arithmetic", "proofs.functions", "proofs.inertia", "proofs.piecewise", "proofs.reader", "proofs.wording"},
    {"proofs.network", "proofs.load"},
    {"proofs.claims"},
    {"proofs.space"},
    {"proofs.exponents"},
    {"proofs.parameters"},
    {"proofs.certificate"},
    {"proofs.theorems"},  # and every card in it
    {"proofs.kernel"},
    {"proofs.explain"},
    {"proofs"},
    {"proofs.__main__"},
]

# The only homes of these imports (files, as patterns from the root).
HOMES = {
    "torch": ["verify/formats/torch*", "verify/loading.py", "verify/numerics/*", "verify/lyapunov/*", "verify/training/*"],
    "duckdb": ["verify/duck.py"],
    "distributed": ["verify/sampling/executors.py"],
    "matplotlib": [
        *(f"verify/sampling/{name}.py" for name in ("canvas", "figures", "pictures", "corrected_table")),
        "verify/lyapunov/figures.py",
        "verify/parameters/figures.py",
        "verify/parameters/diagram.py",
        "verify/training/figures.py",
    ],
    "sklearn": ["verify/lyapunov/digits.py"],
    "networkx": ["verify/graph.py", "verify/search/entropy*"],
    "flint": ["verify/numerics/*"],
    "highspy": ["verify/numerics/*"],
    "numba": ["verify/numerics/*"],
    "clarabel": ["verify/numerics/*"],
    "sympy": ["verify/numerics/*"],
    "scipy.io": ["verify/formats/*"],
    "h5py": ["verify/formats/*"],
    "bson": ["verify/formats/*"],
    "safetensors": ["verify/formats/*"],
    "pickle": [
        "verify/formats/torch*",
        "verify/training/checkpoints.py",
    ],  # for the name of its error alone: untrusted files never execute code
}

# The only makers of certificates in `verify`.
WRITERS = ["verify/certification/*", "verify/answers.py"]
WRITER = "proofs.certificate"


def modules(package: str) -> dict[str, Path]:
    """Return every module of a package by its dotted name."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules("proofs") | modules("verify")


def imports(name: str) -> Iterator[str]:
    """Yield the dotted name of everything a module imports, at any depth of its code; ``from a import b`` yields ``a`` or ``a.b``."""
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                ancestor = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*ancestor, base]).rstrip(".")
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield whole if whole in MODULES else base


def floor(name: str) -> int:
    """Return the floor of a module of `proofs`; a module that stands nowhere fails the test that asks."""
    home = "proofs.theorems" if name.startswith("proofs.theorems.") else name
    for height, names in enumerate(FLOORS):
        if home in names:
            return height
    return pytest.fail(f"{name} has no floor: add it to FLOORS in {Path(__file__).name}")


def within(imported: str, name: str) -> bool:
    """Say whether an import is of this module or of something inside it."""
    return imported == name or imported.startswith(f"{name}.")


def allowed(name: str, patterns: list[str]) -> bool:
    """Say whether a module's file is one of those named by the patterns."""
    relative = MODULES[name].relative_to(ROOT).as_posix()
    return any(fnmatch(relative, pattern) for pattern in patterns)


def test_the_rooms_are_found() -> None:
    assert {"proofs.errors", "verify.errors"} <= set(MODULES)


@pytest.mark.parametrize("name", [name for name in MODULES if within(name, "proofs")])
def test_proofs_needs_the_standard_library_alone(name: str) -> None:
    foreign = {imported for imported in imports(name) if not within(imported, "proofs")}
    assert foreign <= STANDARD_LIBRARY


@pytest.mark.parametrize("name", [name for name in MODULES if within(name, "proofs")])
def test_proofs_imports_downwards(name: str) -> None:
    upwards = {imported for imported in imports(name) if within(imported, "proofs") and floor(imported) > floor(name)}
    assert not upwards


@pytest.mark.parametrize("name", [name for name in MODULES if within(name, "verify.search") and name != "verify.search"])
def test_searches_do_not_import_each_other(name: str) -> None:
    assert not {imported for imported in imports(name) if within(imported, "verify.search") and imported != name}


@pytest.mark.parametrize("name", [name for name in MODULES if within(name, "verify")])
def test_heavy_imports_stay_at_home(name: str) -> None:
    strays = {
        imported for imported in imports(name) for library, homes in HOMES.items() if within(imported, library) and not allowed(name, homes)
    }
    assert not strays


@pytest.mark.parametrize("name", [name for name in MODULES if within(name, "verify")])
def test_only_certify_writes_certificates(name: str) -> None:
    if not allowed(name, WRITERS):
        assert WRITER not in set(imports(name))


def test_nothing_reaches_for_the_tests() -> None:
    assert not [name for name in MODULES for imported in imports(name) if within(imported, "tests") or within(imported, "examples")]
