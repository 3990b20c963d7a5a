"""Numba's two uses here: functions that Python calls, and parts of them that only compiled code calls.

Numba does not notice changes in functions that another file compiles in: after an edit delete the caches (``*.nbi``) of the files above it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])
_CACHED: dict[str, Any] = {"cache": True, "error_model": "numpy"}
_INNER: dict[str, Any] = {**_CACHED, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def compiled(function: Function) -> Function:
    """Compile a function when it is first called, once for every version of its file."""
    return cast("Function", njit(**_CACHED)(function))


def inner(function: Function) -> Function:
    """Compile a part of such functions: quicker, without a way in from Python."""
    return cast("Function", njit(**_INNER)(function))
