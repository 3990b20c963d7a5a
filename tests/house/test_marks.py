"""The sizes that the house is held to; single files and the trusted total are in ``test_trusted_style``."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = [path for room in ("proofs", "verify") for path in sorted((ROOT / room).rglob("*.py"))]
MEDIAN_FILE = 150
MEDIAN_BODY = 8
LONG_BODY = 25  # for nine functions in ten


def bodies(path: Path) -> list[int]:
    """Return the number of lines in the body of every function of a file, its docstring apart."""
    functions = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)]
    spoken = [function.body[1:] if ast.get_docstring(function) else function.body for function in functions]
    return [(body[-1].end_lineno or 0) - body[0].lineno + 1 for body in spoken if body]


def test_files_are_short() -> None:
    assert median(len(path.read_text(encoding="utf-8").splitlines()) for path in FILES) <= MEDIAN_FILE


def test_functions_are_short() -> None:
    lengths = [length for path in FILES for length in bodies(path)]
    assert median(lengths) <= MEDIAN_BODY
    assert quantiles(lengths, n=10)[-1] <= LONG_BODY
