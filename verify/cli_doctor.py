"""``orbitproof doctor lyapunov``: what is wrong with exponents that other code has computed, or with that code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from proofs.errors import Malformed
from verify.cli_lyapunov import (
    AsJson,
    Autonomous,
    InputFile,
    Loop,
    Model,
    Network,
    Periodic,
    Seed,
    Settings,
    Start,
    Steps,
    Warmup,
    _found,
    task,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from verify.lyapunov.answers import Task
    from verify.lyapunov.doctor import Diagnosis

doctor = typer.Typer(help="Say what is wrong with numbers that other code has computed.", no_args_is_help=True, rich_markup_mode=None)

_NUMBERS = "the exponents to judge, such as 1.38601,-6.10834,-8.57582"
_FUNCTION = (
    "package.module:name of a function f(jacobians), shape (T, n, n), or f(module, inputs), that returns exponents (this runs your code)"
)
_DT = "the time of one step, where the numbers may be per time unit"
_Numbers = Annotated[str | None, typer.Option("--numbers", metavar="A,B,...", help=_NUMBERS)]
_Function = Annotated[str | None, typer.Option("--function", metavar="PATH", help=_FUNCTION)]


@doctor.command()
def lyapunov(  # noqa: PLR0913 - an option is a parameter
    network: Network,
    *,
    numbers: _Numbers = None,
    function: _Function = None,
    inputs: InputFile = None,
    periodic: Periodic = False,
    closed_loop: Loop = None,
    autonomous: Autonomous = False,
    start: Start = None,
    steps: Steps = None,
    warmup: Warmup = None,
    dt: Annotated[float | None, typer.Option("--dt", metavar="DT", help=_DT)] = None,
    seed: Seed = 0,
    model: Model = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Compare Lyapunov exponents with the network's own, and name the fault: reversed order, missing cell state, bits for nats and others.

    Exit code 0: healthy; 1: a fault is named; 3: no known fault explains the numbers.
    """
    from verify.cli import _finish
    from verify.lyapunov.answers import described
    from verify.lyapunov.texts import diagnosis_text

    subject = _subject(numbers, function)
    if dt is not None and not 0 < dt < float("inf"):
        raise Malformed(where="--dt", law="the time of one step", expected="a number > 0", got=str(dt))
    asked = task(_found(network, model, settings), inputs, closed_loop, start, periodic=periodic, autonomous=autonomous)
    found = _diagnosed(asked, subject, (steps, warmup, seed), dt)
    content = {
        **found.as_json(),
        "network": described(asked.found, len(found.expected)),
        "input": asked.source,
        "subject": numbers or function,
    }
    _finish(content, diagnosis_text(f"{asked.found.name} ({asked.found.kind})", found, function), found.verdict, as_json)


def _subject(numbers: str | None, function: str | None) -> list[float | str] | Callable[..., object]:
    """Return the numbers as texts, or the imported function. **Raises** Malformed: neither, or both."""
    from verify.lyapunov.files import imported

    if (numbers is None) == (function is None):
        got = "neither" if numbers is None else "both"
        raise Malformed(where="--numbers", law="options go together", expected="--numbers A,B,... or --function PATH", got=got)
    if numbers is not None:
        return [part.strip() for part in numbers.split(",")]
    found = imported(function or "")
    if not callable(found):
        raise Malformed(where="--function", law="a function that returns exponents", expected="a function", got=f"a {type(found).__name__}")
    return found


def _diagnosed(
    asked: Task, subject: list[float | str] | Callable[..., object], run: tuple[int | None, int | None, int], dt: float | None
) -> Diagnosis:
    from verify.lyapunov.answers import rounds
    from verify.lyapunov.doctor import diagnose
    from verify.lyapunov.record import as_module_input, record_of

    steps, warmup, seed = run
    source = asked.found.source
    drive = asked.inputs
    if drive is not None and asked.periodic:
        drive = rounds(drive, {"steps": steps, "warmup": warmup})
    kept = record_of(source, drive, steps=steps, warmup=warmup, start=asked.start, seed=seed, closed_loop=asked.closed_loop)
    return diagnose(subject, kept, module=source, inputs=None if drive is None else as_module_input(source, drive), dt=dt)
