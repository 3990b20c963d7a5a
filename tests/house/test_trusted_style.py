"""What trusted code may look like, and how long anything may be."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
TRUSTED = sorted((ROOT / "proofs").rglob("*.py"))
ALL = [path for folder in ("proofs", "verify", "tests", "examples") for path in sorted((ROOT / folder).rglob("*.py"))]

EXACT_MATH = {"gcd", "lcm", "isqrt", "prod"}
FORBIDDEN_MODULES = {"cmath", "decimal", "random", "secrets", "statistics"}
FORBIDDEN_CALLS = {"float", "complex", "eval", "exec", "compile", "__import__"}
LONGEST_FILE = 400
LONGEST_TRUSTED = 2_100
LONGEST_THEOREM = 120
LONG_THEOREMS = {"cycles_on": 200, "path_cells": 200, "cyclic_tree": 250, "word_path": 250, "covering_graph": 250}
SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}


def name(path: Path) -> str:
    """Return a file's path from the root, the name its test goes by."""
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    """Parse a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def slips(path: Path) -> Iterator[str]:
    """Yield every place where a trusted file leaves exact arithmetic or guards itself with an ``assert``."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.Constant(value=float() | complex()):
                yield f"{node.lineno}: the literal {node.value!r}"
            case ast.Assert():
                yield f"{node.lineno}: assert"
            case ast.Call(func=ast.Name(id=called)) if called in FORBIDDEN_CALLS:
                yield f"{node.lineno}: a call to {called}"
            case ast.Attribute(value=ast.Name(id="math"), attr=function) if function not in EXACT_MATH:
                yield f"{node.lineno}: math.{function}"
            case ast.ImportFrom(module="math"):
                yield from (f"{node.lineno}: math.{alias.name}" for alias in node.names if alias.name not in EXACT_MATH)
            case ast.Import() | ast.ImportFrom():
                named = {alias.name for alias in node.names} if isinstance(node, ast.Import) else {node.module}
                yield from (f"{node.lineno}: import {module}" for module in named & FORBIDDEN_MODULES)
            case ast.ExceptHandler(type=None):
                yield f"{node.lineno}: a bare except"


def unwritten(path: Path) -> Iterator[str]:
    """Yield every public class or function without a docstring, and every function without full annotations."""
    module = tree(path)
    if not ast.get_docstring(module):
        yield "1: no module docstring"
    yield from (
        f"{node.lineno}: {node.name} has no docstring" for node in public(module) if not ast.get_docstring(node) and not is_overload(node)
    )
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not annotated(node):
            yield f"{node.lineno}: {node.name} is not fully annotated"


def is_overload(node: ast.AST) -> bool:
    """Say whether this is one of several signatures of a function whose docstring stands with its body."""
    return any(isinstance(mark, ast.Name) and mark.id == "overload" for mark in getattr(node, "decorator_list", []))


def public(scope: ast.Module | ast.ClassDef) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the public classes and functions of a module, and the public methods of those classes."""
    for node in scope.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node)


def annotated(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Say whether every argument but self and cls, and the result, has an annotation."""
    args = function.args
    named = [*args.posonlyargs, *args.args, *args.kwonlyargs, *filter(None, [args.vararg, args.kwarg])]
    return function.returns is not None and all(arg.annotation for arg in named if arg.arg not in {"self", "cls"})


def code_lines(path: Path) -> int:
    """Count the lines that hold code: docstrings, comments and blanks apart."""
    text = path.read_text(encoding="utf-8")
    spoken: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in SILENT:
            spoken.update(range(token.start[0], token.end[0] + 1))
    return len(spoken - set(docstring_lines(ast.parse(text))))


def docstring_lines(module: ast.Module) -> Iterator[int]:
    """Yield the lines taken by docstrings."""
    for node in ast.walk(module):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node) is not None:
            text = node.body[0]
            yield from range(text.lineno, (text.end_lineno or text.lineno) + 1)


def is_theorem(path: Path) -> bool:
    """Say whether a file is in the folder of theorem cards."""
    return "theorems" in path.relative_to(ROOT).parts


@pytest.mark.parametrize("path", TRUSTED, ids=name)
def test_exact_and_unguarded_by_assert(path: Path) -> None:
    assert list(slips(path)) == []


@pytest.mark.parametrize("path", TRUSTED, ids=name)
def test_documented_and_annotated(path: Path) -> None:
    assert list(unwritten(path)) == []


def test_no_file_is_too_long() -> None:
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in ALL}
    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def test_what_must_be_trusted_is_short() -> None:
    lengths = {name(path): code_lines(path) for path in TRUSTED if not is_theorem(path)}
    assert sum(lengths.values()) <= LONGEST_TRUSTED, lengths


def test_theorems_are_short() -> None:
    lengths = {path.stem: code_lines(path) for path in TRUSTED if is_theorem(path)}
    assert {stem: length for stem, length in lengths.items() if length > LONG_THEOREMS.get(stem, LONGEST_THEOREM)} == {}


def test_the_style_test_sees(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("import math, random\nassert 0.5\ndef f(x): return float(math.sqrt(x))\ntry: pass\nexcept: pass\n", encoding="utf-8")
    slipped = {slip.partition(": ")[2] for slip in slips(bad)}
    assert slipped == {"import random", "assert", "the literal 0.5", "a call to float", "math.sqrt", "a bare except"}
    assert {line.partition(": ")[2] for line in unwritten(bad)} == {
        "no module docstring",
        "f has no docstring",
        "f is not fully annotated",
    }
    assert code_lines(bad) == len(bad.read_text(encoding="utf-8").splitlines())
