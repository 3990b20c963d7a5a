"""What is brought to the doctor: exponents as numbers or texts, or a function that returns them; read with the digits they have."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from proofs.errors import Malformed

if TYPE_CHECKING:
    from verify.lyapunov.readings import Record


def takes(function: Callable[..., object]) -> int:
    """Return how many arguments a function needs: 1 Jacobians, 2 a module and inputs. **Raises** Malformed."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError) as error:
        raise _wrong_function("a function whose arguments cannot be seen") from error
    kinds = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    needed = sum(parameter.kind in kinds and parameter.default is parameter.empty for parameter in parameters)
    if needed not in {1, 2}:
        raise _wrong_function(f"{needed} arguments without a default")
    return needed


def _wrong_function(got: str) -> Malformed:
    expected = "f(jacobians), shape (T, n, n), or f(module, inputs)"
    return Malformed(where="function", law="a function that returns exponents", expected=expected, got=got)


def called(function: Callable[..., object], run: Record, module: object, inputs: object) -> tuple[np.ndarray, np.ndarray] | str:
    """Return the numbers that the user's function returns and their rounding, or the text of its failure. **Raises** Malformed."""
    if takes(function) == 2 and (module is None or inputs is None):  # noqa: PLR2004 - (module, inputs)
        raise Malformed(where="function", law="a function of (module, inputs)", expected="a torch module and an input sequence", got="none")
    arguments = (module, inputs) if takes(function) == 2 else (np.concatenate([run.jacobian(t) for t in range(run.steps)]),)  # noqa: PLR2004
    try:
        found = function(*arguments)
    except Exception as error:  # noqa: BLE001 - whatever the user's code raises is the finding
        return f"{type(error).__name__}: {error}"
    return _returned(found, run.jacobian(0).shape[0])


def _returned(found: object, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what a function returned as numbers (k,), the mean of a batch (B, k), and their rounding. **Raises** Malformed."""
    expected = f"at least one number, shape (k,){f' or ({batch}, k)' if batch > 1 else ''}"
    try:
        array = np.asarray(found.detach().cpu() if hasattr(found, "detach") else found)
        real = found is not None and array.dtype.kind in "iufO"
        values = np.atleast_1d(array.astype(np.float64)) if real else np.zeros(0)
    except (TypeError, ValueError) as error:
        raise _no_numbers(expected, f"{type(found).__name__}: {error}") from error
    if not real:
        raise _no_numbers(expected, type(found).__name__ if found is None or array.dtype.kind != "c" else "complex numbers")
    if not values.size or values.ndim > 2 or (values.ndim == 2 and len(values) not in {1, batch}):  # noqa: PLR2004 - (B, k)
        raise _no_numbers(expected, f"shape {array.shape}")
    values = values.mean(axis=0) if values.ndim > 1 else values
    return values, _precision(array, values)


def _no_numbers(expected: str, got: str) -> Malformed:
    return Malformed(where="function", law="a function that returns exponents", expected=expected, got=got)


def _precision(array: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the rounding of each value where the array is of less than double precision; else 0."""
    short = array.dtype.kind == "f" and array.dtype.itemsize < np.dtype(np.float64).itemsize
    return (float(np.finfo(array.dtype).eps) if short else 0.0) * np.where(np.isfinite(values), np.maximum(1.0, np.abs(values)), 0.0)


def read(subject: object) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers and half a unit of the last digit that each was given with. **Raises** Malformed."""
    given = np.atleast_1d(np.asarray(subject, dtype=object)) if not isinstance(subject, np.ndarray) else np.atleast_1d(subject)
    try:
        values = np.array([float(number) for number in given.tolist()])
    except (TypeError, ValueError) as error:
        raise Malformed(where="numbers", law="exponents", expected="numbers such as 0.25,-1.5", got=str(error)) from error
    if given.ndim != 1 or not len(values):
        raise Malformed(where="numbers", law="exponents", expected="at least one number, in one list", got=f"shape {given.shape}")
    last = [_last_digit(number) if np.isfinite(value) else 0.0 for number, value in zip(given.tolist(), values.tolist(), strict=True)]
    return values, np.maximum(last, _precision(given, values))


def _last_digit(number: object) -> float:
    """Return half a unit of the last digit of a text or a float; 0 for whole floats, which do not tell their digits."""
    if not isinstance(number, str) and float(number) == int(number):  # type: ignore[arg-type, call-overload]
        return 0.0
    exponent = Decimal(str(number).strip()).as_tuple().exponent
    return 0.5 * 10.0**exponent if isinstance(exponent, int) else 0.0
